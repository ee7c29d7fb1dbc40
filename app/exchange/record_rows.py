"""A row of a file becomes a city, program, organisation or source: values as the registry's operations take them.

Cities that a row only refers to (the seat of an organisation, the sides of a program's partnership) are places, for
the matcher to find.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from app.errors import InvalidValue
from app.exchange import cells
from app.exchange import column_names as table
from app.exchange.cells import Reading
from app.exchange.records import Fault, Place, SourceNamed
from app.exchange.rows import PlaceColumns, Row, place_columns, sources

#: Schemes that have a column of their own in a file of cities.
SCHEMES = ("wikidata", "geonames", "iso3166-2", "unlocode", "osm", "gnd", "viaf", "nuts")


@dataclass(frozen=True, slots=True)
class RecordRow:
    """What a row says of one record. `values`: fields and parts, as the noun's `add` takes them, but that a country
    stands as written and cities are in `places`: the city itself, the seat of the organisation, or the sides of the
    program's partnership; `record`: the number that the row gives for it."""

    number: int
    noun: str
    values: dict[str, Any]
    places: tuple[Place, ...] = ()
    sources: tuple[SourceNamed, ...] = ()
    record: int | None = None
    remarks: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def record_row(noun: str, row: Row) -> RecordRow:
    """What the row says. What cannot be read is a fault; the rest is there all the same. Raises KeyError for nouns
    other than cities, programs, organisations and sources."""
    reading = Reading(list(row.faults))
    values, places = _READERS[noun](reading, row.cells)
    said = {name: value for name, value in values.items() if value not in (None, "", [])}
    for group in _needed(noun):
        if not any(row.cells.get(name) for name in group):
            reading.faults.append(Fault(group[0], "This cell is empty, and it is needed."))
    return RecordRow(
        row.number,
        noun,
        said,
        tuple(places),
        () if noun == "sources" else sources(reading, row.cells),
        reading.take(cells.own_number, row.cells.get("registry_id", ""), "registry_id") if noun == "cities" else None,
        tuple(reading.remarks),
        tuple(reading.faults),
    )


def _needed(noun: str) -> tuple[tuple[str, ...], ...]:
    # What a program belongs to is the matcher's to say.
    return table.NEEDED[noun][:2]


def _lines(reading: Reading, said: dict[str, str], *names: str) -> dict[str, Any]:
    return {name: reading.take(cells.line, said.get(name, ""), name) for name in names}


def _dates(reading: Reading, said: dict[str, str], *names: str) -> dict[str, Any]:
    return {name: reading.date(said.get(name, ""), name) for name in names}


def _notes(reading: Reading, said: dict[str, str], *names: str) -> dict[str, Any]:
    return {name: reading.take(cells.note, said.get(name, ""), name) for name in names}


def _choice(reading: Reading, said: dict[str, str], name: str, *, of: str) -> dict[str, Any]:
    return {name: reading.take(lambda text, column: cells.choice(text, of, column), said.get(name, ""), name)}


def _url(reading: Reading, said: dict[str, str]) -> dict[str, Any]:
    return {"url": reading.take(cells.address, said.get("url", ""), "url")}


# ── Cities ──


@lru_cache(maxsize=256)
def _city_columns(names: tuple[str, ...]) -> PlaceColumns:
    bases = {"name": "city", "country": "country", "subdivision": "subdivision", "latitude": "lat", "longitude": "lng"}
    others = ("coordinates", "wikidata", "geonames", "identifiers", "population")
    columns = {bases.get(name, name): name for name in names if name in bases or name in others}
    columns |= {f"city@{name.partition('@')[2]}": name for name in names if name.startswith("name@")}
    return PlaceColumns.of(columns)


def _city(reading: Reading, said: dict[str, str]) -> tuple[dict[str, Any], list[Place]]:
    read = _city_columns(tuple(said)).read(said)
    reading.faults += read.faults
    reading.remarks += read.remarks
    place = read.place or Place()
    found = [*place.identifiers, *_own_schemes(reading, said)]
    values: dict[str, Any] = {
        "name": place.name, "country": place.country, "subdivision": place.subdivision,
        "latitude": place.latitude, "longitude": place.longitude,
        "part_of": reading.take(_reference, said.get("part_of", ""), "part_of"),
        "names": [
            *({"text": text, "language": language, "kind": "exonym"} for text, language in place.names),
            *(reading.take(_names, said.get("names", ""), "names") or []),
        ],
        "identifiers": [_identifier(each) for each in dict.fromkeys(found)],
        "populations": _populations(reading, said, place.population),
        **_choice(reading, said, "kind", of="CITY_KINDS"),
        **_dates(reading, said, "existed_from", "existed_until"),
        **_notes(reading, said, "note"),
    }  # fmt: skip
    return values, [place]


def _own_schemes(reading: Reading, said: dict[str, str]) -> list[str]:
    found = []
    for scheme in SCHEMES[2:]:
        read: Callable[[str, str], str] = lambda text, column: cells.identifier(column, text, column)  # noqa: E731
        found.append(reading.take(read, said.get(scheme, ""), scheme) or "")
    return [each for each in found if each]


def _identifier(text: str) -> dict[str, str]:
    scheme, _, value = text.partition(":")
    return {"scheme": scheme, "value": value}


def _populations(reading: Reading, said: dict[str, str], people: int | None) -> list[dict[str, int]]:
    if people is None:
        return []
    year = reading.take(cells.year, said.get("population_year", ""), "population_year")
    return [{"people": people} | ({"year": year} if year else {})]


def _reference(text: str, column: str) -> int | str:
    """A city by its number or an identifier."""
    identifier = cells.named_by_identifier(text, column)
    return identifier or cells.own_number(text, column)


def _names(text: str, column: str) -> list[dict[str, str]]:
    """`ja=東京; de=Tokio`, names alone, or a JSON list of `{text, language, kind}`."""
    if text.startswith("["):
        try:
            listed = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise InvalidValue("This list of names is no JSON.", field=column) from None
        return [_label(each, column) for each in listed]
    found = []
    for each in filter(None, map(str.strip, text.split(";"))):
        language, equals, name = each.partition("=")
        said = {"text": name.strip(), "language": language.strip()} if equals else {"text": each}
        found.append(_label(said, column))
    return found


def _label(said: Any, column: str) -> dict[str, str]:
    if not isinstance(said, dict) or not isinstance(said.get("text"), str):
        raise InvalidValue("A name is {text, language, kind}.", field=column)
    kept = {name: str(said[name]) for name in ("language", "kind") if said.get(name)}
    return {"language": "und", "kind": "exonym"} | kept | {"text": cells.name(said["text"], column)}


# ── Programs, organisations, sources ──


def _program(reading: Reading, said: dict[str, str]) -> tuple[dict[str, Any], list[Place]]:
    places = []
    for _side, columns in place_columns(tuple(said)):
        read = columns.read(said)
        reading.faults += read.faults
        reading.remarks += read.remarks
        places += [read.place] if read.place else []
    values = {
        **_lines(reading, said, "name", "frequency"),
        **_choice(reading, said, "category", of="CATEGORIES"),
        **_dates(reading, said, "since", "until"),
        **_notes(reading, said, "description"),
        "partnership": reading.take(cells.own_number, said.get("partnership", ""), "partnership"),
        "participants": reading.take(_participants, said.get("participants", ""), "participants"),
    }
    return values, places


def _participants(text: str, column: str) -> list[dict[str, int]]:
    numbers = [each.strip() for each in text.replace(",", ";").split(";")]
    return [{"organisation": cells.own_number(each, column)} for each in numbers if each]


@lru_cache(maxsize=256)
def _seat_columns(names: tuple[str, ...]) -> PlaceColumns | None:
    bases = {
        "city": "city",
        "country": "country",
        "subdivision": "subdivision",
        "wikidata": "wikidata",
        "registry_id": "registry_id",
    }
    columns = {bases[name]: name for name in names if name in bases}
    return PlaceColumns.of(columns) if columns else None


def _organisation(reading: Reading, said: dict[str, str]) -> tuple[dict[str, Any], list[Place]]:
    columns = _seat_columns(tuple(said))
    read = columns.read(said) if columns else None
    if read:
        reading.faults += read.faults
        reading.remarks += read.remarks
    values = {
        **_lines(reading, said, "name"),
        **_choice(reading, said, "kind", of="ORGANISATION_KINDS"),
        **_url(reading, said),
        **_notes(reading, said, "note"),
    }
    return values, [read.place] if read and read.place else []


def _source(reading: Reading, said: dict[str, str]) -> tuple[dict[str, Any], list[Place]]:
    values = {
        **_lines(reading, said, "key", "author", "publisher"),
        "title": reading.take(
            lambda text, name: cells.line(text, name, limit=cells.TITLE), said.get("title", ""), "title"
        ),
        **_url(reading, said),
        **_dates(reading, said, "published"),
        **_notes(reading, said, "note"),
    }
    return values, []


_READERS: dict[str, Callable[[Reading, dict[str, str]], tuple[dict[str, Any], list[Place]]]] = {
    "cities": _city, "programs": _program, "organisations": _organisation, "sources": _source,
}  # fmt: skip
