"""Flat rows for reading: which columns each list has as a table, of which type, and how an item fills them.

A fuzzy date is three columns: EDTF, and the first and the last day that it may mean (both empty where nothing is
known). What belongs to another record is its number and its name. `docs/formats.md` has the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import orjson

from app.domain import fuzzy_dates
from app.registry.paging import Item

Type = Literal["integer", "number", "text", "date", "json"]
PAIR = 2
BETWEEN_CITIES = " | "


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, the type of its values, and its value for an item of the list."""

    name: str
    type: Type
    read: Callable[[Item], Any]


def own(name: str, type: Type = "text") -> Column:
    """A field of the item itself."""
    return Column(name, type, lambda item: item[name])


def inside(field: str, name: str, type: Type = "text") -> Column:
    """`name` of the record that `field` speaks of; empty where it speaks of none."""
    return Column(f"{field}_{name}", type, lambda item: None if item[field] is None else item[field][name])


def dated(name: str) -> tuple[Column, Column, Column]:
    """A fuzzy date and its bounds."""
    return (
        own(name),
        Column(f"{name}_earliest", "date", lambda item: bounds(item[name])[0]),
        Column(f"{name}_latest", "date", lambda item: bounds(item[name])[1]),
    )


@lru_cache(maxsize=65_536)
def bounds(text: str | None) -> tuple[str | None, str | None]:
    """The first and the last day of an EDTF text, ISO 8601; none where it is unknown."""
    if text is None:
        return None, None
    fuzzy = fuzzy_dates.parse(text)
    return fuzzy.earliest.isoformat(), fuzzy.latest.isoformat()


def places(item: Item) -> list[Item]:
    """The different cities of a partnership, in the order of its members: one that left and came back is one."""
    return list({member["city"]["id"]: member["city"] for member in item["members"]}.values())


def _sided(item: Item) -> Item:
    """A partnership with its `places` and, of a pair, its two `sides`: city and the status of its newest member."""
    cities = places(item)
    sides: list[Item | None] = [None, None]
    if len(cities) == PAIR:
        # Who came back has several rows: the last one says how it stands.
        standing = {member["city"]["id"]: member["status"] for member in item["members"]}
        sides = [city | {"status": standing[city["id"]]} for city in cities]
    return item | {"places": cities, "sides": sides}


def _side(place: int) -> tuple[Column, ...]:
    """The columns of one side of a pair. Of more than two cities none is the first: the columns stay empty."""

    def of(name: str, field: str, type: Type = "text") -> Column:
        def read(item: Item) -> Any:
            side = item["sides"][place - 1]
            return None if side is None else side[field]

        return Column(name, type, read)

    return (
        of(f"city{place}_id", "id", "integer"), of(f"city{place}", "name"), of(f"country{place}", "country"),
        of(f"subdivision{place}", "subdivision"), of(f"latitude{place}", "latitude", "number"),
        of(f"longitude{place}", "longitude", "number"), of(f"status{place}", "status"),
    )  # fmt: skip


def _all_cities(item: Item) -> str:
    return BETWEEN_CITIES.join(f"{city['name']}, {city['country']}" for city in item["places"])


BOOKKEEPING = (own("revision", "integer"), own("created_at"), own("updated_at"))
FLAT: dict[str, tuple[Column, ...]] = {
    "countries": (
        own("code"), own("alpha3"), own("name"), own("official_name"), own("continent"),
        own("cities_count", "integer"), own("partnerships_count", "integer"),
    ),
    "cities": (
        own("id", "integer"), own("name"), own("country"), own("kind"), own("subdivision"),
        own("latitude", "number"), own("longitude", "number"),
        inside("part_of", "id", "integer"), inside("part_of", "name"),
        *dated("existed_from"), *dated("existed_until"), own("partnerships_count", "integer"),
    ),
    "partnerships": (
        own("id", "integer"), own("kind"), own("designation"), own("title"), own("status"),
        *dated("established"), *dated("ended"),
        Column("cities_count", "integer", lambda item: len(item["places"])), Column("cities", "text", _all_cities),
        *_side(1), *_side(2),
        own("distance_km", "number"), own("programs_count", "integer"), own("conflicts_count", "integer"),
    ),
    "programs": (
        own("id", "integer"), own("partnership", "integer"), own("name"), own("category"),
        *dated("since"), *dated("until"), own("frequency"), own("occasions_count", "integer"),
    ),
    "organisations": (
        own("id", "integer"), own("name"), own("kind"),
        inside("city", "id", "integer"), inside("city", "name"), inside("city", "country"), own("url"),
    ),
    "sources": (
        own("id", "integer"), own("key"), own("title"), own("author"), own("publisher"), own("url"),
        *dated("published"), own("citations_count", "integer"),
    ),
    "reported_figures": (
        own("id", "integer"), inside("source", "id", "integer"), inside("source", "key"), inside("source", "title"),
        own("scope"), own("country"), own("other_country"), own("measure"), own("comparator"),
        own("value", "number"), *dated("as_of"),
    ),
    "revisions": (
        own("number", "integer"), own("time"), own("account"), own("reason"), own("undoes", "integer"),
        own("changes_count", "integer"),
    ),
    "changes": (
        own("revision", "integer"), own("time"), own("noun"),
        Column("id", "text", lambda item: str(item["id"])),
        Column("after", "json", lambda item: None if item["after"] is None else orjson.dumps(item["after"]).decode()),
    ),
    "citations": (own("noun"), own("id", "integer"), own("field"), own("value")),
}  # fmt: skip
#: Lists whose items say when they were written whatever one asks for: it is what they are about.
WITHOUT_BOOKKEEPING = ("revisions", "changes", "citations")


#: What columns read that the items of a list do not say themselves.
PREPARED: dict[str, Callable[[Item], Item]] = {"partnerships": _sided}


def columns_of(name: str, *, bookkeeping: bool = False) -> Sequence[Column]:
    """The columns of a list, with those that the journal keeps of each record if asked for."""
    more = BOOKKEEPING if bookkeeping and name not in WITHOUT_BOOKKEEPING else ()
    return (*FLAT[name], *more)


def rows(name: str, columns: Sequence[Column], items: Iterable[Item]) -> Iterator[list[Any]]:
    """The values of the columns for each item; None where there is nothing."""
    prepared = PREPARED.get(name)
    reads = [column.read for column in columns]
    for item in items if prepared is None else map(prepared, items):
        yield [read(item) for read in reads]
