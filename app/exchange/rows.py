"""A row of a file becomes a partnership as the row tells it: places, kind, dates as events, sources.

What each column means is worked out once for a set of columns; a city that stands in many rows is read once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from app.errors import InvalidValue
from app.exchange import cells, told_events
from app.exchange import column_names as table
from app.exchange.cells import Reading
from app.exchange.records import Fault, PartnershipRow, Place, SourceNamed

PAIR = 2
_CACHED = 1000


@dataclass(slots=True)
class Row:
    """A row as read. `number`: from 1, the header and blank rows not counted; `line`: where it begins in the file (of
    a JSON list: its place in it); `cells`: own column name → text, blanks around it taken off."""

    number: int
    line: int
    cells: dict[str, str]
    faults: tuple[Fault, ...] = ()


# ── Places ──


class PlaceRead(NamedTuple):
    """A place, None where the cells name none, with what is wrong and what was mended."""

    place: Place | None
    faults: tuple[Fault, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PlaceColumns:
    """The columns of a row that speak of one city, and how to read them. `columns`: base (`city`, `lat` …) → the
    column's own name; `city1@ja` has the base `city@ja`."""

    columns: dict[str, str]
    pick: Callable[[dict[str, str]], tuple[str, ...]]
    plain: bool

    @classmethod
    def of(cls, columns: dict[str, str]) -> PlaceColumns:
        """Those of these columns."""
        columns = {base: columns[base] for base in (*_PLAIN, *columns) if base in columns}
        return cls(columns, _picker(list(columns.values())), tuple(columns) == _PLAIN)

    def read(self, row: dict[str, str]) -> PlaceRead:
        """The place of a row."""
        values = self.pick(row)
        # Long texts are rare and none of the cache's business: it would hold on to megabytes of them.
        return _place(self, values) if len("".join(values)) < _CACHED else _place.__wrapped__(self, values)


#: The columns of most files that are big.
_PLAIN = ("city", "country", "lat", "lng")


@lru_cache(maxsize=32_768)
def _place(columns: PlaceColumns, values: tuple[str, ...]) -> PlaceRead:
    if columns.plain and (place := _plain(*values)):
        return PlaceRead(place)
    if not any(values):
        return PlaceRead(None)
    said = dict(zip(columns.columns, values, strict=True))
    names, reading, get = columns.columns, Reading(), said.get
    latitude, longitude = _located(reading, said, names)
    name = reading.take(cells.name, get("city", ""), names.get("city", ""))
    name, identifiers = _identified(reading, said, names, name or "")
    place = Place(
        name,
        reading.take(cells.name, get("country", ""), names.get("country", "")) or "",
        reading.take(cells.name, get("subdivision", ""), names.get("subdivision", "")) or "",
        latitude,
        longitude,
        identifiers,
    )
    if len(said) > len(_USUAL & said.keys()):
        place = _with_more(place, reading, said, names)
    if not (place.name or place.identifiers or place.city or reading.faults):
        return PlaceRead(None, (), tuple(reading.remarks))
    return PlaceRead(place, tuple(reading.faults), tuple(reading.remarks))


def _located(reading: Reading, said: dict[str, str], names: dict[str, str]) -> tuple[float, float] | tuple[None, None]:
    """Latitude and longitude, both or neither."""
    found_in = (said.get("lat", ""), said.get("lng", ""), said.get("coordinates", ""))
    if not any(found_in):
        return None, None
    only = {"lat", "lng"} & names.keys()
    if len(only) == 1 and any(found_in[:2]):
        reading.faults.append(Fault(names[only.pop()], "A latitude needs a longitude beside it: give both or neither."))
        return None, None
    where = (names.get("lat", ""), names.get("lng", ""), names.get("coordinates", ""))
    try:
        found = cells.position(*found_in, columns=where)
    except InvalidValue as error:
        reading.faults.append(Fault(error.field or "", error.message))
        return None, None
    if found.remark:
        reading.remarks.append(f"{where[0] if found_in[0] else where[2]}: {found.remark}")
    return found.at


def _plain(name: str, country: str, lat: str, lng: str) -> Place | None:
    """A place about which nothing is odd; None where there may be."""
    where = cells.numbers(lat, lng)
    if where is None or not name or not country or ":" in name or cells.unlabelled(name):
        return None
    if not (cells.is_clean(name) and cells.is_clean(country)):
        return None
    return Place(name, country, "", *where)


#: Bases that are read for every place; the others are rarer.
_USUAL = {"city", "country", "subdivision", "lat", "lng", "coordinates", "wikidata", "geonames", "identifiers"}


def _identified(
    reading: Reading, said: dict[str, str], names: dict[str, str], name: str
) -> tuple[str, tuple[str, ...]]:
    """The name and the identifiers: one may stand where the name is expected."""
    found = [
        _scheme(reading, scheme, said[scheme], names[scheme]) for scheme in ("wikidata", "geonames") if said.get(scheme)
    ]
    if text := said.get("identifiers", ""):
        found += reading.take(cells.identifier_list, text, names["identifiers"]) or []
    if ":" in name and (own := reading.take(cells.named_by_identifier, name, names["city"])):
        found.append(own)
        name = ""
    if cells.unlabelled(name) and any(each.endswith(f":{name}") for each in found):
        name = ""
    return name, tuple(dict.fromkeys(filter(None, found)))


def _scheme(reading: Reading, scheme: str, text: str, column: str) -> str:
    return reading.take(lambda said, name: cells.identifier(scheme, said, name), text, column) or ""


def _with_more(place: Place, reading: Reading, said: dict[str, str], names: dict[str, str]) -> Place:
    """The rarer columns of a place."""

    def kind(text: str, column: str) -> str:
        return cells.choice(text, "CITY_KINDS", column)

    labels = [
        (label, base.partition("@")[2])
        for base, text in said.items()
        if "@" in base and (label := reading.take(cells.name, text, names[base]))
    ]
    return Place(
        place.name, place.country, place.subdivision, place.latitude, place.longitude, place.identifiers,
        city=reading.take(cells.own_number, said.get("registry_id", ""), names.get("registry_id", "")),
        kind=reading.take(kind, said.get("citykind", ""), names.get("citykind", "")),
        population=reading.take(cells.people, said.get("population", ""), names.get("population", "")),
        names=tuple(labels),
    )  # fmt: skip


# ── Partnerships ──


@lru_cache(maxsize=1024)
def place_columns(columns: tuple[str, ...]) -> tuple[tuple[int, PlaceColumns], ...]:
    """The cities that columns speak of: the number of each, and its columns."""
    places: dict[int, dict[str, str]] = {}
    for column in columns:
        if sided := _sided(column):
            places.setdefault(sided[1], {})[sided[0]] = column
    return tuple((side, PlaceColumns.of(named)) for side, named in sorted(places.items()))


class _Plan(NamedTuple):
    """What a set of columns holds: those of each city, those of its life and how to pick them, and whether others."""

    places: tuple[tuple[int, PlaceColumns], ...]
    life: tuple[str, ...]
    pick: Callable[[dict[str, str]], tuple[str, ...]]
    texts: bool


@lru_cache(maxsize=1024)
def _plan(columns: tuple[str, ...]) -> _Plan:
    others = [column for column in columns if not _sided(column)]
    life = tuple(column for column in others if column in told_events.COLUMNS)
    return _Plan(place_columns(columns), life, _picker(life), len(others) > len(life))


def _picker(names: Sequence[str]) -> Callable[[dict[str, str]], tuple[str, ...]]:
    """How to take the values of these columns out of a row, as a tuple."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda row: tuple(row[name] for name in names)


def _sided(column: str) -> tuple[str, int] | None:
    """The base of a column about a city and which city it is: `city1@ja` is (`city@ja`, 1)."""
    name, at, language = column.partition("@")
    base = name.rstrip("0123456789")
    return (f"{base}{at}{language}", int(name[len(base) :])) if base in table.OF_A_CITY and base != name else None


def partnership_row(row: Row) -> PartnershipRow:
    """What the row says. What cannot be read is a fault; the rest is there all the same."""
    said = row.cells
    plan = _plan(tuple(said))
    places: list[Place] = []
    faults: tuple[Fault, ...] = row.faults
    remarks: tuple[str, ...] = ()
    for side, columns in plan.places:
        read = columns.read(said)
        if read.place is not None:
            places.append(read.place)
        elif side <= PAIR:
            faults += (Fault(f"city{side}", "This row names no city here: every partnership needs two."),)
        if read.faults or read.remarks:
            faults += read.faults
            remarks += read.remarks
    if len(plan.places) < PAIR:
        faults += (Fault("city2", "This row names no second city."),)
    if not (plan.life or plan.texts):
        return PartnershipRow(row.number, tuple(places), remarks=remarks, faults=faults)
    return _with_details(row, tuple(places), faults, remarks, plan=plan)


def _with_details(
    row: Row, places: tuple[Place, ...], faults: tuple[Fault, ...], remarks: tuple[str, ...], *, plan: _Plan
) -> PartnershipRow:
    said = row.cells
    values = plan.pick(said)
    tell = told_events.told if len("".join(values)) < _CACHED else told_events.told.__wrapped__
    life = tell(plan.life, values)
    faults, remarks = faults + life.faults, remarks + life.remarks
    if not plan.texts:
        return PartnershipRow(
            row.number, places, life.kind, life.wording, None, None, life.status, life.events, (), remarks, faults
        )
    reading = Reading(list(faults), list(remarks))
    return PartnershipRow(
        row.number,
        places,
        kind=life.kind,
        designation=reading.take(cells.line, said.get("designation", ""), "designation") or life.wording,
        title=reading.take(cells.line, said.get("title", ""), "title"),
        note=reading.take(cells.note, said.get("note", ""), "note"),
        status=life.status,
        events=life.events,
        sources=sources(reading, said),
        remarks=tuple(reading.remarks),
        faults=tuple(reading.faults),
    )


def sources(reading: Reading, said: dict[str, str]) -> tuple[SourceNamed, ...]:
    """The document that a row names. A locator alone belongs to the source that is given for the whole file."""
    title, url, key, locator = (said.get(name, "") for name in ("source", "source_url", "source_key", "locator"))
    if not (title or url or key or locator):
        return ()
    if title and not url and cells.is_address(title):
        title, url = "", title
    return (
        SourceNamed(
            reading.take(lambda text, name: cells.line(text, name, limit=cells.TITLE), title, "source") or "",
            reading.take(cells.address, url, "source_url") or "",
            reading.take(cells.line, key, "source_key") or "",
            reading.take(cells.line, locator, "locator") or "",
        ),
    )
