"""Evidence: which source says what of a record, and where sources or record cannot all be right."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
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
from app.registry.content import Content, among, chunks


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


@dataclass(frozen=True, slots=True)
class Claimed:
    """What there is to compare of a record for which sources claim values: its content, and names of cities."""

    own: Content
    names: Mapping[int, str]


def find(session: Session, noun: str, record: int) -> list[Conflict]:
    """The conflicts of one record, by field."""
    claimed = claims(session, noun, [record]).get(record)
    if claimed is None:
        return []
    model = RECORDS[noun]
    table = content.table_of(model)
    row = session.execute(select(table).where(table.c[model.KEY] == record)).one()
    return conflicts_of(noun, claimed, dict(row._mapping))


def claims(session: Session, noun: str, records: Collection[int]) -> dict[int, Claimed]:
    """Of these records, those for which a value is claimed: only they can have conflicts."""
    table = content.table_of(Citation)
    owner = table.c[CITED[noun]]
    stated = (table.c.value.is_not(None), table.c.value != "")
    found = {
        str(record)
        for batch in chunks(records)
        for record in session.execute(select(owner).where(among(owner, batch), *stated)).scalars()
    }
    owns = content.read(session, noun, found)
    names = _names(session, {city for own in owns.values() for city in _claimed_cities(noun, own)})
    return {int(record): Claimed(own, names) for record, own in owns.items()}


def conflicts_of(noun: str, claimed: Claimed, columns: Mapping[str, Any]) -> list[Conflict]:
    """The conflicts of a record whose claims and columns (computed ones too) are at hand."""
    by_field: dict[str, list[Claim]] = {}
    for row in claimed.own.get("citations", ()):
        claim = Claim(row.get("value"), row["source_id"], row.get("value_city_id"))
        by_field.setdefault(row["field"], []).append(claim)
    found = (
        _conflict(field, said, noun, _recorded(noun, field, claimed, columns))
        for field, said in sorted(by_field.items())
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


def _recorded(noun: str, field: str, claimed: Claimed, columns: Mapping[str, Any]) -> Recorded:
    if field.startswith("populations"):
        return _population(field, claimed.own)
    if conflicts.field_type(noun, field) == "city":
        ids = _city_ids(noun, field, claimed.own)
        return Recorded(tuple(claimed.names[city] for city in ids), ids)
    value = columns.get(field)
    return Recorded(()) if value is None else Recorded((str(value),))


def _population(field: str, own: Content) -> Recorded:
    year = field.partition("/")[2] or "None"
    rows = own.get("populations", ())
    return Recorded(tuple(str(row["people"]) for row in rows if str(row.get("year")) == year))


def _city_ids(noun: str, field: str, own: Content) -> tuple[int, ...]:
    """The cities that the record's own value of the field names."""
    if (noun, field) == (Partnership.NOUN, Member.PART):
        return tuple(row["city_id"] for row in own.get(Member.PART, ()))
    return (own[f"{field}_id"],) if f"{field}_id" in own else ()


def _claimed_cities(noun: str, own: Content) -> Iterator[int]:
    for field in {row["field"] for row in own.get("citations", ()) if row.get("value") is not None}:
        if conflicts.FIELD_TYPES[noun].get(field) == "city":
            yield from _city_ids(noun, field, own)


def _names(session: Session, cities: Iterable[int]) -> dict[int, str]:
    return {
        row.id: row.name
        for batch in chunks(sorted(cities))
        for row in session.execute(select(City.id, City.name).where(among(City.id, batch)))
    }


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
