"""Evidence: which source says what of a record, and where sources or record cannot all be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import conflicts
from app.domain.conflicts import Claim, Conflict
from app.domain.names import fold
from app.models import PARTS, RECORDS, Citation, City, Member, Partnership, Source
from app.models.sources import CITED
from app.registry import content
from app.registry.content import Content


@dataclass(frozen=True, slots=True)
class Recorded:
    """The record's own value of a field: as text (several for members), and cities where it is about them."""

    values: tuple[str, ...]
    cities: tuple[int, ...] = ()


def citations(session: Session, noun: str, record: int) -> list[dict[str, Any]]:
    """All citations of one record, JSON-ready, in order of their ids."""
    statement = (
        select(
            Citation.id, Citation.field, Citation.value, Citation.locator,
            Source.id.label("source_id"), Source.key, Source.title, Source.url,
            City.id.label("city_id"), City.name.label("city_name"),
        )
        .join(Source, Source.id == Citation.source_id)
        .outerjoin(City, City.id == Citation.value_city_id)
        .where(getattr(Citation, CITED[noun]) == record)
        .order_by(Citation.id)
    )  # fmt: skip
    return [citation_row(row) for row in session.execute(statement)]


def citation_row(row: Any) -> dict[str, Any]:
    """One citation with its source; `city`: the record that the value means, in fields about cities."""
    return {
        "id": row.id,
        "field": row.field,
        "value": row.value,
        "city": None if row.city_id is None else {"id": row.city_id, "name": row.city_name},
        "locator": row.locator,
        "source": {"id": row.source_id, "key": row.key, "title": row.title, "url": row.url},
    }


def find(session: Session, noun: str, record: int) -> list[Conflict]:
    """The conflicts of one record, by field."""
    model = RECORDS[noun]
    own = content.read(session, noun, [str(record)]).get(str(record))
    if own is None or not any(row.get("value") for row in own.get("citations", ())):
        return []
    table = content.table_of(model)
    row = session.execute(select(table).where(table.c[model.KEY] == record)).one()
    return conflicts_of(session, noun, own, dict(row._mapping))


def conflicts_of(session: Session, noun: str, own: Content, columns: Mapping[str, Any]) -> list[Conflict]:
    """The conflicts of a record whose content and columns (computed ones too) are at hand."""
    claims: dict[str, list[Claim]] = {}
    for row in own.get("citations", ()):
        claim = Claim(row.get("value"), row["source_id"], row.get("value_city_id"))
        claims.setdefault(row["field"], []).append(claim)
    found = (
        _conflict(field, said, noun, _recorded(session, noun, field, own, columns))
        for field, said in sorted(claims.items())
        if any(claim.value is not None for claim in said)
    )
    return [conflict for conflict in found if conflict is not None]


def _conflict(field: str, claims: list[Claim], noun: str, recorded: Recorded) -> Conflict | None:
    return conflicts.find_conflict(
        field,
        kind=conflicts.field_type(noun, field),
        recorded=recorded.values,
        recorded_cities=recorded.cities,
        claims=claims,
        fold=fold,
    )


def _recorded(session: Session, noun: str, field: str, own: Content, columns: Mapping[str, Any]) -> Recorded:
    if field.startswith("populations"):
        return _population(field, own)
    if conflicts.field_type(noun, field) == "city":
        return _cities(session, noun, field, own)
    value = columns.get(field)
    return Recorded(()) if value is None else Recorded((str(value),))


def _population(field: str, own: Content) -> Recorded:
    year = field.partition("/")[2] or "None"
    rows = own.get("populations", ())
    return Recorded(tuple(str(row["people"]) for row in rows if str(row.get("year")) == year))


def _cities(session: Session, noun: str, field: str, own: Content) -> Recorded:
    if (noun, field) == (Partnership.NOUN, Member.PART):
        ids = [row["city_id"] for row in own.get(Member.PART, ())]
    else:
        ids = [own[f"{field}_id"]] if f"{field}_id" in own else []
    names = {row.id: row.name for row in session.execute(select(City.id, City.name).where(City.id.in_(ids)))}
    return Recorded(tuple(names[city] for city in ids), tuple(ids))


def described(session: Session, found: list[Conflict]) -> list[dict[str, Any]]:
    """Conflicts, JSON-ready: field, what the record says, each claimed value with its sources."""
    wanted = {source for conflict in found for claim in conflict.claims for source in claim.sources}
    statement = select(Source.id, Source.key, Source.title).where(Source.id.in_(wanted))
    sources = {row.id: {"id": row.id, "key": row.key, "title": row.title} for row in session.execute(statement)}
    return [
        {
            "field": conflict.field,
            "recorded": list(conflict.recorded),
            "claims": [
                {
                    "value": claim.value,
                    "city": claim.city,
                    "sources": [sources[each] for each in claim.sources],
                }
                for claim in conflict.claims
            ],
        }
        for conflict in found
    ]


def is_cited(noun: str) -> bool:
    """Whether records of the noun carry citations."""
    return any(part is Citation for part in PARTS[noun])
