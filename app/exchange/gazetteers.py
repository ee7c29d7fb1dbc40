"""Where candidates come from: the cities of a registry, or any others, asked in batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import floor
from typing import Any, NamedTuple, Protocol

import orjson
from sqlalchemy import ARRAY, ColumnElement, and_, any_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.domain.geography import bounding_box, great_circle_km
from app.domain.names import fold, prefix_range
from app.exchange.near_names import MOST_ALIKE, NearNames, edits_allowed
from app.models import City, CityIdentifier, CityName
from app.registry.content import table_of

#: The scheme under which `by_identifier` knows the registry's own numbers.
OWN = "city"
#: A country of so many cities is held in memory while places are looked for in it, one of more is asked by SQL.
HELD_COUNTRY, HELD_ALTOGETHER = 20_000, 100_000
#: Of larger countries so many names are held to be compared with misspelt ones: some 100 MB.
HELD_NAMES = 500_000
#: Cells per degree of the grid that answers `nearby`; countries of a few cities are looked through.
CELLS = 2
FEW = 40
KM_PER_DEGREE = 111.0
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Known:
    """A city that a place may be. `number`: its id (an importer's new ones have negative ones); `keys`: its folded
    names (`app.domain.names.fold`), its own name's first (`by_key` may leave out those that were not asked for);
    `identifiers` as `wikidata:Q1297`."""

    number: int
    name: str
    country: str
    subdivision: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    keys: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()


class Gazetteer(Protocol):
    """A set of known cities that can be asked. Countries are alpha-2 codes, keys folded names."""

    def by_identifier(self, identifiers: Collection[str]) -> dict[str, Known]:
        """The city of each identifier (`wikidata:Q1297`; `city:17` is the registry's own number) that is known."""
        ...

    def by_key(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Known]]:
        """(country, folded name) → all cities of the country with that as any of their names."""
        ...

    def nearby(self, country: str, latitude: float, longitude: float, km: float, key: str = "") -> list[Known]:
        """The cities of a country within so many kilometres of a place; with a `key`, only those need be there of
        which a name may be a slip of it (see `heads`). Asked often: it must be quick."""
        ...

    def spelled_like(self, country: str, key: str) -> list[Known]:
        """Cities of a country with a name that is one or two letters away from this one."""
        ...


def heads(key: str) -> set[str]:
    """The letters of which one stands in front, or next to it, in every name that a slip of the pen makes of this."""
    return {key[:1], key[1:2]}


class MemoryGazetteer:
    """Cities in memory: an importer's new ones, or a test's world."""

    def __init__(self, cities: Iterable[Known] = ()) -> None:
        self._numbers: dict[str, Known] = {}
        self._countries: dict[str, _Country] = defaultdict(_Country)
        for city in cities:
            self.add(city)

    def add(self, city: Known) -> None:
        """One more city."""
        self._numbers[f"{OWN}:{city.number}"] = city
        self._numbers.update(dict.fromkeys(city.identifiers, city))
        self._countries[city.country].add(city)

    def by_identifier(self, identifiers: Collection[str]) -> dict[str, Known]:
        """As Gazetteer has it."""
        return {each: self._numbers[each] for each in identifiers if each in self._numbers}

    def by_key(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Known]]:
        """As Gazetteer has it."""
        countries = self._countries
        found = {
            (code, key): countries[code].named[key]
            for code, key in wanted
            if code in countries and key in countries[code].named
        }
        return {asked: list(cities) for asked, cities in found.items()}

    def nearby(self, country: str, latitude: float, longitude: float, km: float, key: str = "") -> list[Known]:
        """As Gazetteer has it."""
        held = self._countries.get(country)
        return [] if held is None else held.nearby(latitude, longitude, km, key)

    def spelled_like(self, country: str, key: str) -> list[Known]:
        """As Gazetteer has it."""
        held = self._countries.get(country)
        return [] if held is None else held.spelled_like(key)


class _Country:
    """The cities of one country in memory, by name and by cell of a grid."""

    __slots__ = ("_cells", "_placed", "_spelled", "named")

    def __init__(self) -> None:
        self.named: dict[str, list[Known]] = {}
        self._spelled = NearNames()
        self._placed: list[Known] = []
        self._cells: dict[tuple[int, int, str], list[Known]] = {}
        """By row, column, and the heads of the names (all: the empty one)."""

    def add(self, city: Known) -> None:
        for key in dict.fromkeys(city.keys):
            self.named.setdefault(key, []).append(city)
            self._spelled.add(key)
        if city.latitude is not None and city.longitude is not None:
            self._placed.append(city)
            row, column = floor(city.latitude * CELLS), floor(city.longitude * CELLS)
            for head in {"", *(head for key in city.keys for head in heads(key))}:
                self._cells.setdefault((row, column, head), []).append(city)

    def nearby(self, latitude: float, longitude: float, km: float, key: str = "") -> list[Known]:
        around = self._placed if len(self._placed) <= FEW else self._around(latitude, longitude, km, key)
        reach = km / KM_PER_DEGREE * 1.01
        return [
            city for city in around
            if abs((city.latitude or 0.0) - latitude) <= reach and _within(city, latitude, longitude, km)
        ]  # fmt: skip

    def _around(self, latitude: float, longitude: float, km: float, key: str) -> Collection[Known]:
        cells, wanted = self._cells, heads(key) if key else ("",)
        found: dict[int, Known] = {}
        for south, north, west, east in bounding_box(latitude, longitude, km):
            for row in range(floor(south * CELLS), floor(north * CELLS) + 1):
                for column in range(floor(west * CELLS), floor(east * CELLS) + 1):
                    for head in wanted:
                        for city in cells.get((row, column, head), ()):
                            found[city.number] = city
        return found.values()

    def spelled_like(self, key: str) -> list[Known]:
        alike = self._spelled.like(key)
        return list({city.number: city for name in alike for city in self.named[name]}.values())


def _within(city: Known, latitude: float, longitude: float, km: float) -> bool:
    if city.latitude is None or city.longitude is None:
        return False
    return great_circle_km(latitude, longitude, city.latitude, city.longitude) <= km


class _Beginning(NamedTuple):
    """The names of a country that begin with a letter, and the numbers of the cities that have each."""

    names: NearNames
    cities: dict[str, list[int]]


_cities, _names, _identifiers = table_of(City), table_of(CityName), table_of(CityIdentifier)
_COLUMNS = (
    _cities.c.id, _cities.c.name, _cities.c.country, _cities.c.subdivision, _cities.c.latitude, _cities.c.longitude,
    _cities.c.name_key,
)  # fmt: skip
_STANDING = _cities.c.merged_into_id.is_(None)


class RegistryGazetteer:
    """The cities of a registry, as one session sees them when it first asks. Merged ones stand for what they were
    merged into when they are named by number, and are not found by name."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._held: dict[str, _Country] = {}
        self._beginning: dict[tuple[str, str], _Beginning] = {}
        self._counts: dict[str, int] | None = None

    # ── By identifier ──

    def by_identifier(self, identifiers: Collection[str]) -> dict[str, Known]:
        """As Gazetteer has it."""
        numbers = self._by_number(identifiers)
        values: dict[str, list[str]] = defaultdict(list)
        for each in identifiers:
            scheme, _, value = each.partition(":")
            values[scheme].append(value)
        values.pop(OWN, None)
        for scheme, wanted in values.items():
            same = _identifiers.c.scheme == scheme, self._among(_identifiers.c.value, wanted)
            found = self._session.execute(select(_identifiers.c.value, _identifiers.c.city_id).where(*same))
            numbers |= {f"{scheme}:{value}": city for value, city in found}
        cities = self._cities(self._survivors({*numbers.values()}))
        return {asked: cities[number] for asked, number in numbers.items() if number in cities}

    def _by_number(self, identifiers: Collection[str]) -> dict[str, int]:
        own = (each for each in identifiers if each.startswith(f"{OWN}:"))
        numbers = {each: int(each.removeprefix(f"{OWN}:")) for each in own}
        return {each: number for each, number in numbers.items() if 0 < number <= LARGEST_ID}

    def _survivors(self, numbers: set[int]) -> dict[int, int]:
        """Number → the number of the city that stands for it."""
        found = {number: number for number in numbers}
        while merged := self._merged({*found.values()}):
            found = {number: merged.get(standing, standing) for number, standing in found.items()}
        return found

    def _merged(self, numbers: Collection[int]) -> dict[int, int]:
        asked = self._among(_cities.c.id, numbers), _cities.c.merged_into_id.is_not(None)
        found = self._session.execute(select(_cities.c.id, _cities.c.merged_into_id).where(*asked))
        return {row.id: row.merged_into_id for row in found}

    def _cities(self, standing: Mapping[int, int]) -> dict[int, Known]:
        whole = {city.number: city for city in self._whole(list({*standing.values()}))}
        return {number: whole[stands] for number, stands in standing.items() if stands in whole}

    # ── By name ──

    def by_key(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Known]]:
        """As Gazetteer has it."""
        asked = {*wanted}
        rows: dict[int, Any] = {}
        labels: dict[int, list[str]] = defaultdict(list)
        keys = {key for _, key in asked}
        own = select(*_COLUMNS).where(self._among(_cities.c.name_key, keys), _STANDING)
        for row in self._session.execute(own):
            rows[row.id] = row
        other = select(_names.c.key.label("label"), *_COLUMNS).join(_cities, _cities.c.id == _names.c.city_id)
        for named in self._session.execute(other.where(self._among(_names.c.key, keys), _STANDING)):
            rows[named.id] = named
            labels[named.id].append(named.label)
        for number, row in list(rows.items()):
            known = (row.country, row.name_key) in asked
            if not known and not any((row.country, key) in asked for key in labels[number]):
                del rows[number]
        return self._by_label(rows, labels, asked)

    def _by_label(
        self, rows: Mapping[int, Any], labels: Mapping[int, list[str]], asked: set[tuple[str, str]]
    ) -> dict[tuple[str, str], list[Known]]:
        identified = self._identified(list(rows))
        found: dict[tuple[str, str], list[Known]] = defaultdict(list)
        for number in sorted(rows):
            city = _known(rows[number], labels.get(number, ()), identified.get(number, ()))
            for key in city.keys:
                if (city.country, key) in asked:
                    found[city.country, key].append(city)
        return dict(found)

    # ── By place, and by spelling ──

    def nearby(self, country: str, latitude: float, longitude: float, km: float, key: str = "") -> list[Known]:
        """As Gazetteer has it."""
        held = self._country(country)
        if held is not None:
            return held.nearby(latitude, longitude, km, key)
        inside = or_(*(_inside(*box) for box in bounding_box(latitude, longitude, km)))
        statement = select(_cities.c.id).where(_cities.c.country == country, inside, _STANDING)
        around = self._whole(list(self._session.execute(statement).scalars()))
        return [city for city in around if _within(city, latitude, longitude, km)]

    def spelled_like(self, country: str, key: str) -> list[Known]:
        """As Gazetteer has it; in a country of more than 20,000 cities only names that begin with the same letter."""
        held = self._country(country)
        if held is not None:
            return held.spelled_like(key)
        if not edits_allowed(key):
            return []
        beginning = self._beginning_with(country, key[:1])
        found = [number for name in beginning.names.like(key) for number in beginning.cities[name]]
        return self._whole(list(dict.fromkeys(found))[:MOST_ALIKE]) if found else []

    def _beginning_with(self, country: str, letter: str) -> _Beginning:
        """The names of a large country that begin with a letter, read once: a batch asks for thousands."""
        held = self._beginning.get((country, letter))
        if held is not None:
            return held
        if sum(len(each.names) for each in self._beginning.values()) > HELD_NAMES:
            self._beginning.clear()
        held = self._beginning[country, letter] = _Beginning(NearNames(), defaultdict(list))
        low, high = prefix_range(letter)
        own = select(_cities.c.id, _cities.c.name_key).where(_cities.c.name_key >= low, _cities.c.name_key < high)
        other = select(_names.c.city_id, _names.c.key).join(_cities, _cities.c.id == _names.c.city_id)
        other = other.where(_names.c.key >= low, _names.c.key < high)
        for statement in (own, other):
            found = statement.where(_cities.c.country == country, _STANDING)
            for number, name in self._session.execute(found):
                held.names.add(name)
                held.cities[name].append(number)
        return held

    def _country(self, country: str) -> _Country | None:
        """The country in memory; None where it has too many cities for that."""
        if self._counts is None:
            counted = select(_cities.c.country, func.count().label("cities")).where(_STANDING)
            rows = self._session.execute(counted.group_by(_cities.c.country))
            self._counts = {row.country: row.cities for row in rows}
        held = self._held.get(country)
        if held is None and self._counts.get(country, 0) <= HELD_COUNTRY:
            held = self._hold(country)
        return held

    def _hold(self, country: str) -> _Country:
        assert self._counts is not None
        altogether = sum(self._counts.get(each, 0) for each in (*self._held, country))
        if altogether > HELD_ALTOGETHER:
            self._held.clear()
        held = self._held[country] = _Country()
        if self._counts.get(country):
            numbers = select(_cities.c.id).where(_cities.c.country == country, _STANDING).order_by(_cities.c.id)
            for city in self._whole(list(self._session.execute(numbers).scalars())):
                held.add(city)
        return held

    # ── Rows ──

    def _whole(self, numbers: Collection[int]) -> list[Known]:
        """Cities with all their names, in the order of the numbers."""
        labels: dict[int, list[str]] = defaultdict(list)
        found = self._session.execute(select(*_COLUMNS).where(self._among(_cities.c.id, numbers)))
        rows: dict[int, Any] = {row.id: row for row in found}
        other = select(_names.c.city_id, _names.c.key).where(self._among(_names.c.city_id, numbers))
        for number, key in self._session.execute(other.order_by(_names.c.id)):
            labels[number].append(key)
        identified = self._identified(numbers)
        return [
            _known(rows[number], labels.get(number, ()), identified.get(number, ()))
            for number in dict.fromkeys(numbers)
            if number in rows
        ]

    def _identified(self, numbers: Collection[int]) -> dict[int, list[str]]:
        found: dict[int, list[str]] = defaultdict(list)
        columns = (_identifiers.c.city_id, _identifiers.c.scheme, _identifiers.c.value)
        statement = select(*columns).where(self._among(_identifiers.c.city_id, numbers)).order_by(_identifiers.c.id)
        for number, scheme, value in self._session.execute(statement):
            found[number].append(f"{scheme}:{value}")
        return found

    def _among(self, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
        """That the column has one of the values, as one parameter however many: tens of thousands are usual here."""
        if self._session.get_bind().dialect.name == "sqlite":
            listed = func.json_each(orjson.dumps(list(values)).decode()).table_valued("value")
            return column.in_(select(listed.c.value))
        return column == any_(bindparam(None, list(values), type_=ARRAY(column.type), unique=True))


def _known(row: Any, labels: Iterable[str], identified: Iterable[str]) -> Known:
    return Known(
        number=row.id, name=row.name, country=row.country, subdivision=row.subdivision,
        latitude=row.latitude, longitude=row.longitude,
        keys=tuple(dict.fromkeys((row.name_key, *labels))), identifiers=tuple(identified),
    )  # fmt: skip


def _inside(south: float, north: float, west: float, east: float) -> ColumnElement[bool]:
    return and_(_cities.c.latitude.between(south, north), _cities.c.longitude.between(west, east))


def keys_of(name: str, others: Iterable[str] = ()) -> tuple[str, ...]:
    """The folded names of a city, its own first: what `Known.keys` holds."""
    return tuple(dict.fromkeys(key for key in (fold(name), *map(fold, others)) if key))
