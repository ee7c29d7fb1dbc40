"""Cities: who they are, where they lie, and how many partnerships each has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from sqlalchemy import Column, ColumnElement, Select, func, select, union
from sqlalchemy.orm import Session

from app.domain import identifiers
from app.models import (
    City,
    CityIdentifier,
    CityName,
    CityPopulation,
    CitySuccessor,
    Member,
    Organisation,
    Partnership,
)
from app.models.cities import CITY_KINDS
from app.registry import evidence, filters, paging, resolving
from app.registry.content import table_of
from app.registry.paging import AnyRow, Item, Page, Query, Window

NOUN = City.NOUN
_cities, _names, _identifiers = table_of(City), table_of(CityName), table_of(CityIdentifier)
_populations, _successors = table_of(CityPopulation), table_of(CitySuccessor)
_members, _partnerships, _organisations = table_of(Member), table_of(Partnership), table_of(Organisation)
_whole = _cities.alias("whole")

_PARTNERSHIPS_COUNT = (
    select(func.count(_members.c.partnership_id.distinct()))
    .join(_partnerships, _partnerships.c.id == _members.c.partnership_id)
    .where(_members.c.city_id == _cities.c.id, _partnerships.c.merged_into_id.is_(None))
    .scalar_subquery()
)
COLUMNS = (
    _cities.c.id, _cities.c.name, _cities.c.country, _cities.c.kind, _cities.c.subdivision,
    _cities.c.latitude, _cities.c.longitude, _cities.c.existed_from, _cities.c.existed_until,
    _cities.c.revision, _cities.c.created_at, _cities.c.updated_at,
    _whole.c.id.label("whole_id"), _whole.c.name.label("whole_name"),
    _PARTNERSHIPS_COUNT.label("partnerships_count"),
)  # fmt: skip
_FROM = _cities.outerjoin(_whole, _whole.c.id == _cities.c.part_of_id)
#: Merged ones too: what whole exports read.
EVERY = select(*COLUMNS).select_from(_FROM)


def _starting(low: str, high: str) -> ColumnElement[bool]:
    own = select(_cities.c.id).where(_cities.c.name_key >= low, _cities.c.name_key < high).correlate(None)
    other = select(_names.c.city_id).where(_names.c.key >= low, _names.c.key < high)
    return _cities.c.id.in_(union(own, other))


FILTERS = (
    filters.prefix("q", _starting, description="Beginning of any of the city's names, in any spelling.", example="chi"),
    filters.country("country", _cities.c.country.in_, description="The city's country, by its ISO 3166-1 code."),
    filters.choice("kind", _cities.c.kind.in_, known=CITY_KINDS, description="What the community is."),
    filters.city("part_of", _cities.c.part_of_id.in_, description="The city that it is part of: number or identifier."),
    filters.text(
        "subdivision", _cities.c.subdivision.in_, description="Subdivision as recorded: ISO 3166-2 code or text.",
        example="US-IL",
    ),
)  # fmt: skip
SORTS = paging.sorts("id", _cities.c.id, name=_cities.c.name_key)


def listing(session: Session, query: Query, **window: Unpack[Window]) -> Page:
    """A page of cities; merged ones are never among them."""
    return paging.page(session, selected(session, query), items, noun=NOUN, query=query, sorts=SORTS, **window)


def selected(session: Session, query: Query) -> Select[Any]:
    """What the query asks for, in no order: rows that `items` makes items of. Never merged ones."""
    return EVERY.where(_cities.c.merged_into_id.is_(None), *filters.conditions(session, FILTERS, query))


def items(_session: Session, rows: Sequence[AnyRow]) -> list[Item]:
    """Rows of COLUMNS as items."""
    return [_item(row) for row in rows]


def _item(row: AnyRow) -> Item:
    return {
        "id": row.id,
        "name": row.name,
        "country": row.country,
        "kind": row.kind,
        "subdivision": row.subdivision,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "part_of": brief(row.whole_id, row.whole_name),
        "existed_from": row.existed_from,
        "existed_until": row.existed_until,
        "partnerships_count": row.partnerships_count,
        "revision": row.revision,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def brief(number: int | None, name: str | None) -> Item | None:
    """A city as other records mention it; None where they mention none."""
    return None if number is None else {"id": number, "name": name}


def get(session: Session, key: int | str) -> Item:
    """One city by number or identifier, with what hangs on it. Raises RecordNotFound, RecordDeleted, RecordMerged."""
    city = resolving.addressed(session, NOUN, key)
    statement = select(*COLUMNS, _cities.c.note).select_from(_FROM).where(_cities.c.id == city)
    row = session.execute(statement).one()
    return _item(row) | {
        "note": row.note,
        "names": _parts(session, city, _names.c.id, _names.c.text, _names.c.language, _names.c.kind),
        "identifiers": _linked(session, city),
        "populations": _parts(session, city, _populations.c.id, _populations.c.people, _populations.c.year),
        "successors": _followed_by(session, city),
        "parts_count": _count(session, _cities.c.part_of_id == city, _cities.c.merged_into_id.is_(None)),
        "organisations_count": _count(session, _organisations.c.city_id == city),
        "citations": evidence.citations(session, NOUN, city),
        "conflicts": evidence.described(session, evidence.find(session, NOUN, city)),
    }


def _parts(session: Session, city: int, *columns: Column[Any]) -> list[Item]:
    table = columns[0].table
    statement = select(*columns).where(table.c.city_id == city).order_by(table.c.id)
    return [dict(row._mapping) for row in session.execute(statement)]


def _linked(session: Session, city: int) -> list[Item]:
    rows = _parts(session, city, _identifiers.c.id, _identifiers.c.scheme, _identifiers.c.value)
    return [row | {"link": identifiers.link(row["scheme"], row["value"])} for row in rows]


def _followed_by(session: Session, city: int) -> list[Item]:
    statement = (
        select(_successors.c.id, _cities.c.id.label("city_id"), _cities.c.name, _cities.c.country)
        .join(_cities, _cities.c.id == _successors.c.successor_id)
        .where(_successors.c.city_id == city)
        .order_by(_successors.c.id)
    )
    return [
        {"id": row.id, "city": {"id": row.city_id, "name": row.name, "country": row.country}}
        for row in session.execute(statement)
    ]


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return int(session.execute(select(func.count()).where(*conditions)).scalar_one())
