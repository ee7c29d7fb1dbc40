"""Countries, and how many cities and partnerships each has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.errors import RecordNotFound
from app.models import City, Country, CountryAlias, Member, Partnership
from app.models.base import CONTINENTS
from app.registry import filters, paging
from app.registry.content import table_of
from app.registry.paging import AnyRow, Item, Page, Query, Window

NOUN = Country.NOUN
_countries, _aliases, _cities = table_of(Country), table_of(CountryAlias), table_of(City)
_members, _partnerships = table_of(Member), table_of(Partnership)

_CITIES_COUNT = (
    select(func.count())
    .where(_cities.c.country == _countries.c.code, _cities.c.merged_into_id.is_(None))
    .scalar_subquery()
    .label("cities_count")
)
_PARTNERSHIPS_COUNT = (
    select(func.count(_members.c.partnership_id.distinct()))
    .join(_partnerships, _partnerships.c.id == _members.c.partnership_id)
    .where(_members.c.country == _countries.c.code, _partnerships.c.merged_into_id.is_(None))
    .scalar_subquery()
    .label("partnerships_count")
)
#: An item's columns are its fields, in their order.
COLUMNS = (
    _countries.c.code, _countries.c.alpha3, _countries.c.name, _countries.c.official_name, _countries.c.continent,
    _CITIES_COUNT, _PARTNERSHIPS_COUNT,
    _countries.c.revision, _countries.c.created_at, _countries.c.updated_at,
)  # fmt: skip
FIELDS = tuple(column.name for column in COLUMNS)
EVERY = select(*COLUMNS)
CODE = 2


def _starting(low: str, high: str) -> ColumnElement[bool]:
    own = and_(_countries.c.name_key >= low, _countries.c.name_key < high)
    alias = select(_aliases.c.country).where(_aliases.c.key >= low, _aliases.c.key < high)
    return or_(own, _countries.c.code.in_(alias))


FILTERS = (
    filters.prefix("q", _starting, description="Beginning of the country's name or an alias of it.", example="jap"),
    filters.continent("continent", _countries.c.continent.in_, description=f"Continent: {', '.join(CONTINENTS)}."),
)
SORTS = paging.sorts("code", _countries.c.code)


def listing(session: Session, query: Query, **window: Unpack[Window]) -> Page:
    """A page of countries."""
    return paging.page(session, selected(session, query), items, noun=NOUN, query=query, sorts=SORTS, **window)


def selected(session: Session, query: Query) -> Select[Any]:
    """What the query asks for, in no order: rows that `items` makes items of."""
    return EVERY.where(*filters.conditions(session, FILTERS, query))


def items(_session: Session, rows: Sequence[AnyRow]) -> list[Item]:
    """Rows of COLUMNS as items."""
    return [dict(zip(FIELDS, row, strict=False)) for row in rows]


def get(session: Session, key: str) -> Item:
    """One country by its alpha-2 code, with its aliases. Raises RecordNotFound."""
    code = key.upper() if len(key) == CODE and key.isascii() and key.isalpha() else None
    row = session.execute(select(*COLUMNS).where(_countries.c.code == code)).one_or_none()
    if row is None:
        raise RecordNotFound(NOUN, key)
    aliases = select(_aliases.c.id, _aliases.c.text).where(_aliases.c.country == code).order_by(_aliases.c.id)
    return items(session, [row])[0] | {"aliases": [dict(alias._mapping) for alias in session.execute(aliases)]}
