"""The filter grammar of all lists: a comma is *or*, a repeated parameter is *and*, ranges are `A..B`.

A noun's filters are a table of `Filter`s, made by the constructors below. Each takes `within`, which makes a
condition of checked values (for one column it is simply `column.in_`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, not_, or_, select
from sqlalchemy.orm import Session

from app.domain import fuzzy_dates, texts
from app.domain.names import fold, nearest, prefix_range
from app.errors import InvalidValue
from app.models import RECORDS, Country
from app.models.base import CONTINENTS
from app.registry import resolving
from app.registry.content import table_of
from app.registry.paging import PARAMETERS, Query

#: Ceilings that no honest query meets: they keep an expression within what SQLite can nest.
MOST_REPEATS = 10
MOST_ALTERNATIVES = 200
LONGEST = 300
COUNTRY = "[A-Za-z]{2,3}"
CONTINENT = f"({'|'.join(CONTINENTS)})"

Values = Sequence[Sequence[str]]
Condition = Callable[[Session, Values], ColumnElement[bool]]
Within = Callable[[list[Any]], ColumnElement[bool]]
#: Alternatives of one repeat → checked values.
Reader = Callable[[Session, Sequence[str]], list[Any]]


@dataclass(frozen=True, slots=True)
class Filter:
    """One query parameter. `schema`: its OpenAPI schema, an array with one entry a repeat. `condition` takes the
    repeats, each a list of alternatives; None where the noun's module asks several parameters in one condition."""

    name: str
    description: str
    example: str
    schema: Mapping[str, Any]
    condition: Condition | None = None
    splits: bool = True


Filters = Sequence[Filter]


def conditions(session: Session, table: Filters, query: Query) -> list[ColumnElement[bool]]:
    """What the query asks of a row. Raises InvalidValue, its field the parameter's name; unknown ones are refused."""
    check_names(table, query)
    asked = [each for each in table if each.condition is not None and query.get(each.name)]
    return [each.condition(session, repeats(each, query[each.name])) for each in asked if each.condition]


def check_names(table: Filters, names: Iterable[str]) -> None:
    """That the list has all these parameters; an unknown one is refused with the nearest known."""
    known = [*(each.name for each in table), *PARAMETERS]
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f" Did you mean {near[0]}?" if near else f" There are: {', '.join(known)}."
            # Only what looks like a name is said again.
            field = name if name.isidentifier() and len(name) <= max(map(len, known)) * 2 else None
            raise InvalidValue(f"This list has no such parameter.{hint}", field=field)


def asked(table: Filters, query: Query, name: str) -> list[list[str]]:
    """The repeats of one parameter of the table, each a list of alternatives; empty where it is not given."""
    found = next(each for each in table if each.name == name)
    return repeats(found, query.get(name, ()))


def repeats(each: Filter, given: Sequence[str]) -> list[list[str]]:
    """The given texts, split into alternatives, cleaned of blanks and doubles. Raises InvalidValue."""
    if len(given) > MOST_REPEATS:
        raise InvalidValue(f"This parameter can be repeated at most {MOST_REPEATS} times.", field=each.name)
    return [_alternatives(each, text) for text in given]


def _alternatives(each: Filter, text: str) -> list[str]:
    parts = text.split(",") if each.splits else [text]
    if len(parts) > MOST_ALTERNATIVES:
        raise InvalidValue(f"At most {MOST_ALTERNATIVES} alternatives can be given at once.", field=each.name)
    return list(dict.fromkeys(texts.clean(part, field=each.name, limit=LONGEST) for part in parts))


def every(read: Reader, within: Within) -> Condition:
    """The condition that each repeat holds, its alternatives read by `read`."""

    def condition(session: Session, values: Values) -> ColumnElement[bool]:
        return and_(*(within(read(session, alternatives)) for alternatives in values))

    return condition


# ── Constructors ──


def listed(pattern: str | None = None) -> dict[str, Any]:
    """The schema of a parameter that can be repeated, its alternatives (of this pattern) split by commas."""
    form = {"minLength": 1, "maxLength": LONGEST} if pattern is None else {"pattern": f"^{pattern}(,{pattern})*$"}
    return {"type": "array", "items": {"type": "string"} | form, "maxItems": MOST_REPEATS}


def choice(name: str, within: Within, *, known: Sequence[str], description: str) -> Filter:
    """One of a closed list."""

    def read(_session: Session, values: Sequence[str]) -> list[str]:
        return [chosen(value, known, field=name) for value in values]

    schema = listed(f"({'|'.join(known)})")
    return Filter(name, description, known[0], schema, every(read, within))


def country(name: str, within: Within, *, description: str) -> Filter:
    """A country by its ISO 3166-1 code."""

    def read(session: Session, values: Sequence[str]) -> list[str]:
        return country_codes(session, values, field=name)

    return Filter(name, description, "JP", listed(COUNTRY), every(read, within))


def continent(name: str, within: Within, *, description: str) -> Filter:
    """A continent by its two letters."""

    def read(_session: Session, values: Sequence[str]) -> list[str]:
        return continents(values, field=name)

    return Filter(name, description, "AS", listed(CONTINENT), every(read, within))


def city(name: str, within: Within, *, description: str) -> Filter:
    """A city by number or identifier; a merged one stands for the one that it was merged into."""

    def read(session: Session, values: Sequence[str]) -> list[int]:
        return city_ids(session, values, field=name)

    return Filter(name, description, "wikidata:Q1297", listed(), every(read, within))


def record(name: str, within: Within, *, noun: str, description: str) -> Filter:
    """A record of a noun by number (a source by its key too)."""

    def read(session: Session, values: Sequence[str]) -> list[int]:
        return record_ids(session, noun, values, field=name)

    return Filter(name, description, "1", listed(), every(read, within))


def flag(name: str, holds: ColumnElement[bool], *, description: str) -> Filter:
    """`true` or `false`."""

    def read(_session: Session, values: Sequence[str]) -> list[bool]:
        return [chosen(value, ("true", "false"), field=name) == "true" for value in values]

    def within(values: list[bool]) -> ColumnElement[bool]:
        return or_(*(holds if value else not_(holds) for value in values))

    return Filter(name, description, "true", listed("(true|false)"), every(read, within))


def dates(name: str, date_columns: Sequence[Column[Any]], *, description: str) -> Filter:
    """A range of dates. `date_columns`: text, earliest, latest of a fuzzy date, which must lie wholly inside."""
    text, earliest, latest = date_columns

    def read(_session: Session, values: Sequence[str]) -> list[tuple[date | None, date | None]]:
        return [fuzzy_dates.parse_range(value, field=name) for value in values]

    def inside(low: date | None, high: date | None) -> ColumnElement[bool]:
        ends = [earliest >= low if low else None, latest <= high if high else None]
        return and_(text.is_not(None), *(end for end in ends if end is not None))

    def within(ranges: list[Any]) -> ColumnElement[bool]:
        return or_(*(inside(*each) for each in ranges))

    return Filter(name, description, "1970..1979", listed(), every(read, within))


def prefix(name: str, starting: Callable[[str, str], ColumnElement[bool]], *, description: str, example: str) -> Filter:
    """The beginning of a name, folded. `starting` makes the condition of the range `low <= key < high`."""

    def read(_session: Session, values: Sequence[str]) -> list[str]:
        return [fold(value) for value in values]

    def within(keys: list[str]) -> ColumnElement[bool]:
        return or_(*(starting(*prefix_range(key)) for key in keys))

    return Filter(name, description, example, listed(), every(read, within), splits=False)


def text(name: str, within: Within, *, description: str, example: str) -> Filter:
    """Text that is compared letter by letter."""
    return Filter(name, description, example, listed(), every(lambda _session, values: list(values), within))


# ── Readers ──


def chosen(value: str, known: Sequence[str], *, field: str) -> str:
    """The value of a closed list that is meant. Raises InvalidValue naming the nearest."""
    if value in known:
        return value
    near = nearest(value, known)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise InvalidValue(f"This must be one of: {', '.join(known)}.{hint}", field=field)


def continents(values: Sequence[str], *, field: str) -> list[str]:
    """Continents by their two letters, in either case."""
    return [chosen(value.upper(), CONTINENTS, field=field) for value in values]


def country_codes(session: Session, values: Sequence[str], *, field: str) -> list[str]:
    """Alpha-2 codes of known countries. Raises UnknownReference with a hint."""
    codes = [value.upper() for value in values]
    known = set(session.execute(select(Country.code).where(Country.code.in_(codes))).scalars())
    return [code if code in known else resolving.country(session, code, field=field) for code in codes]


def city_ids(session: Session, values: Sequence[str], *, field: str) -> list[int]:
    """Numbers of cities that are given by number or identifier."""
    standing = _standing(session, "cities", values)
    return [standing.get(value) or resolving.city(session, value, field=field) for value in values]


def record_ids(session: Session, noun: str, values: Sequence[str], *, field: str) -> list[int]:
    """Numbers of records of a noun that are given by number; of sources by their keys too."""
    standing = _standing(session, noun, values)
    return [standing.get(value) or _record_id(session, noun, value, field=field) for value in values]


def _record_id(session: Session, noun: str, value: str, *, field: str) -> int:
    if noun == "sources":
        return resolving.source(session, value, field=field)
    return resolving.record_id(session, noun, value, field=field)


def _standing(session: Session, noun: str, values: Sequence[str]) -> dict[str, int]:
    """Those of the values that are numbers of records, found at once; merged ones are left to be followed."""
    columns = table_of(RECORDS[noun]).c
    numbers = {value: number for value in values if (number := resolving.as_id(value)) is not None}
    statement = select(columns.id).where(columns.id.in_(numbers.values()))
    if "merged_into_id" in columns:
        statement = statement.where(columns.merged_into_id.is_(None))
    found = set(session.execute(statement).scalars()) if numbers else set()
    return {value: number for value, number in numbers.items() if number in found}


def day(value: str, *, field: str) -> date:
    """One day. Raises InvalidValue."""
    fuzzy = fuzzy_dates.parse(value, field=field)
    if fuzzy.text != fuzzy.earliest.isoformat():
        raise InvalidValue("This must be one day, such as 1972-01-01.", field=field)
    return fuzzy.earliest
