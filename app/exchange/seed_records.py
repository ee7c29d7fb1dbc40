"""Which record a row of the seeds tells of, so that seeding again changes nothing and doubles nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, case, func, select, tuple_

from app.domain.names import fold
from app.errors import UnknownReference
from app.models import RECORDS, Change, CityIdentifier, Member, Partnership, Revision
from app.registry import (
    cities,
    content,
    countries,
    fields,
    organisations,
    partnerships,
    programs,
    reported_figures,
    resolving,
    sources,
)
from app.registry.content import Content
from app.registry.database import WritingSession
from app.registry.fields import Context

#: The account and the reason of what is loaded from seeds.
SEEDS = "seeds"
#: Noun → the module whose operations make its records.
OPERATIONS = {
    "countries": countries, "sources": sources, "cities": cities, "organisations": organisations,
    "partnerships": partnerships, "programs": programs, "reported_figures": reported_figures,
}  # fmt: skip
#: The fields that tell a record from all others (more of cities and partnerships in `identity_of`).
IDENTITY = {
    "countries": ("code",),
    "sources": ("key",),
    "cities": ("name", "country", "subdivision", "kind"),
    "organisations": ("name", "city"),
    "partnerships": ("kind",),
    "programs": ("partnership", "name"),
    "reported_figures": ("source", "scope", "measure", "value", "as_of"),
}
Key = int | str
Seeded = dict[str, list[tuple[str, Content]]]


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells a record from all others: column values, exactly these members, one of these identifiers."""

    columns: dict[str, Any]
    members: frozenset[int] | None = None
    identifiers: frozenset[tuple[str, str]] = frozenset()


def identity_of(session: WritingSession, noun: str, own: dict[str, Any], parts: dict[str, Any]) -> Identity:
    """The identity that a row gives: own fields and parts as the operation takes them. Raises InvalidValue."""
    # A charter is known by its title, since its members come and go; other partnerships by their members.
    titled = noun == Partnership.NOUN and own.get("kind") == "charter" and bool(own.get("title"))
    names = (*IDENTITY[noun], "title") if titled else IDENTITY[noun]
    known = {name: OPERATIONS[noun].FIELDS[name] for name in names}
    told = {name: own[name] for name in names if name in own}
    cleaned = fields.cleaned(Context(session), known, told, partial=False)
    columns = {rule.column or name: cleaned.get(rule.column or name) for name, rule in known.items()}
    if noun == Partnership.NOUN and not titled:
        return Identity(columns, members=frozenset(parts.get(Member.PART, ())))
    pairs = ((row["scheme"], row["value"]) for row in parts.get(CityIdentifier.PART, ()))
    return Identity(columns, identifiers=frozenset(pairs))


def survivor(session: WritingSession, noun: str, key: Key) -> Key | None:
    """The record, or the one that it was merged into; None if it was deleted."""
    if isinstance(key, str):
        return key
    try:
        return resolving.record_id(session, noun, key, field="")
    except UnknownReference:
        return None


def standing(session: WritingSession, noun: str, identity: Identity) -> list[Key]:
    """The records of this identity as the tables have them, oldest first."""
    if identity.identifiers:
        found = _identified(session, identity.identifiers)
        if found:
            return found
    model = RECORDS[noun]
    table = content.table_of(model)
    folded = {name: key for key, name in model.FOLDED.items()}
    conditions: list[ColumnElement[bool]] = [
        table.c[folded[name]] == fold(value) if name in folded else table.c[name].is_not_distinct_from(value)
        for name, value in identity.columns.items()
    ]
    if identity.members is not None:
        conditions.append(table.c.id.in_(_between(identity.members)))
    key = table.c[model.KEY]
    return list(session.execute(select(key).where(*conditions).order_by(key)).scalars())


def _identified(session: WritingSession, pairs: Iterable[tuple[str, str]]) -> list[Key]:
    statement = select(CityIdentifier.city_id).where(
        tuple_(CityIdentifier.scheme, CityIdentifier.value).in_(sorted(pairs))
    )
    return list(session.execute(statement.order_by(CityIdentifier.city_id)).scalars())


def _between(members: frozenset[int]) -> Select[int]:
    """The partnerships of exactly these cities, past members included."""
    theirs = select(Member.partnership_id).where(Member.city_id.in_(members))
    strangers = func.sum(case((Member.city_id.in_(members), 0), else_=1))
    return (
        select(Member.partnership_id)
        .where(Member.partnership_id.in_(theirs))
        .group_by(Member.partnership_id)
        .having(func.count(Member.city_id.distinct()) == len(members), strangers == 0)
    )


def seeded(session: WritingSession) -> Seeded:
    """Noun → what each revision of seeds made: the record's key, and its content then."""
    statement = (
        select(Change.noun, Change.record, Change.after)
        .join(Revision, Revision.number == Change.revision)
        .where(Revision.account == SEEDS)
        .order_by(Change.revision)
    )
    made: Seeded = {}
    for noun, record, after in session.execute(statement):
        if after is not None:
            made.setdefault(noun, []).append((record, orjson.loads(after)))
    return made


def told_of(then: Content, identity: Identity) -> bool:
    """Whether seeds once made the record from a row of this identity."""
    if any((row["scheme"], row["value"]) in identity.identifiers for row in then.get(CityIdentifier.PART, ())):
        return True
    members = {row["city_id"] for row in then.get(Member.PART, ())}
    if identity.members is not None and members != identity.members:
        return False
    return all(then.get(name) == value for name, value in identity.columns.items())
