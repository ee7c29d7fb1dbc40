"""What the reconciliation service is about: cities and countries as entities, by their ids and by their names.

A city's id is its number (`12`), a country's its alpha-2 code (`JP`): the one has only digits, the other none. An
identifier of a city (`wikidata:Q1297`) is understood wherever an id is, and a merged city's number means the city
that it was merged into.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, case, literal, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from app.domain import identifiers
from app.domain.names import fold, prefix_range
from app.errors import InvalidIdentifier, RecordNotFound
from app.models import City, CityIdentifier, CityName, Country, CountryAlias
from app.registry.content import table_of
from app.registry.resolving import as_id

CITY, COUNTRY = "city", "country"
TYPES: dict[str, tuple[str, str]] = {
    CITY: ("City", "A community that can enter a partnership: city, town, district, county, region …"),
    COUNTRY: ("Country", "A country of ISO 3166-1, or Kosovo"),
}
CONTINENTS = {
    "AF": "Africa", "AN": "Antarctica", "AS": "Asia", "EU": "Europe", "NA": "North America", "OC": "Oceania",
    "SA": "South America",
}  # fmt: skip
KINDS = {"other": "community"}
#: A letter and digits are Wikidata's, with or without the scheme before them.
WIKIDATA = re.compile("[Qq][1-9][0-9]{0,11}")
CODE = re.compile("[A-Za-z]{2}")
#: Merged into one that was merged: nobody has gone further than a few steps.
MOST_MERGES = 20

_cities, _names, _identifiers = table_of(City), table_of(CityName), table_of(CityIdentifier)
_countries, _aliases = table_of(Country), table_of(CountryAlias)
#: Where the entities of a type are, their other names, and whose those are.
TABLES: dict[str, tuple[Table, Table, Any]] = {
    CITY: (_cities, _names, _names.c.city_id),
    COUNTRY: (_countries, _aliases, _aliases.c.country),
}


@dataclass(frozen=True, slots=True)
class Entity:
    """A city or a country, as far as its own row tells. `country` is a city's: (code, name)."""

    id: str
    type: str
    name: str
    kind: str = ""
    country: tuple[str, str] = ("", "")
    subdivision: str | None = None
    place: tuple[float, float] | None = None
    official_name: str | None = None
    alpha3: str = ""
    continent: str = ""

    @property
    def key(self) -> int | str:
        """Its key in the tables."""
        return int(self.id) if self.type == CITY else self.id

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/v1/cities/{self.id}" if self.type == CITY else f"/v1/countries/{self.id}"

    @property
    def description(self) -> str:
        """What tells it from its namesakes."""
        if self.type == COUNTRY:
            return f"Country in {CONTINENTS.get(self.continent, self.continent)}"
        where = ", ".join(part for part in (self.subdivision, self.country[1]) if part)
        return f"{KINDS.get(self.kind, self.kind).capitalize()} in {where}"


def type_of(name: str) -> dict[str, str]:
    """A type, as answers name it."""
    return {"id": name, "name": TYPES[name][0]}


# ── By id ──


def one(session: Session, key: str) -> Entity:
    """The entity of this id. Raises RecordNotFound."""
    found = find(session, [key]).get(key)
    if found is None:
        raise RecordNotFound("entities", key)
    return found


def find(session: Session, keys: Collection[str]) -> dict[str, Entity]:
    """The entities of these ids, under the ids that were asked for; what there is not is left out. A question per
    table, however many there are."""
    numbers = {key: number for key in keys if (number := as_id(key)) is not None}
    numbers |= by_identifier(session, [key for key in keys if key not in numbers])
    standing = _standing(session, set(numbers.values()))
    cities = cities_of(session, set(standing.values()))
    found = {key: cities[standing[number]] for key, number in numbers.items() if standing.get(number) in cities}
    codes = {key: key.upper() for key in keys if CODE.fullmatch(key)}
    countries = countries_of(session, set(codes.values())) if codes else {}
    return found | {key: countries[code] for key, code in codes.items() if code in countries}


def by_identifier(session: Session, texts: Iterable[str]) -> dict[str, int]:
    """The number of the city that each identifier belongs to; what is none, or nobody's, is left out."""
    meant = {text: pair for text in texts if (pair := identifier(text)) is not None}
    if not meant:
        return {}
    both = tuple_(_identifiers.c.scheme, _identifiers.c.value)
    statement = select(_identifiers.c.scheme, _identifiers.c.value, _identifiers.c.city_id)
    rows = session.execute(statement.where(both.in_(set(meant.values()))))
    known = {(row.scheme, row.value): row.city_id for row in rows}
    return {text: known[pair] for text, pair in meant.items() if pair in known}


def identifier(text: str) -> tuple[str, str] | None:
    """Scheme and value of what is an identifier (`wikidata:Q1297`, `Q1297`, an address of Wikidata); else None."""
    try:
        if WIKIDATA.fullmatch(text):
            return "wikidata", identifiers.normalise("wikidata", text)
        return identifiers.parse(text) if identifiers.looks_like_identifier(text) else None
    except InvalidIdentifier:
        return None


def _standing(session: Session, numbers: set[int]) -> dict[int, int]:
    """Each number with that of the city it stands for: itself, or the one that it was merged into."""
    means = {number: number for number in numbers}
    for _ in range(MOST_MERGES):
        now = set(means.values())
        merged = select(_cities.c.id, _cities.c.merged_into_id).where(
            _cities.c.id.in_(now), _cities.c.merged_into_id.is_not(None)
        )
        moved = {row.id: row.merged_into_id for row in session.execute(merged)} if now else {}
        if not moved:
            break
        means = {number: moved.get(into, into) for number, into in means.items()}
    return means


_CITY = select(
    _cities.c.id, _cities.c.name, _cities.c.kind, _cities.c.country, _cities.c.subdivision,
    _cities.c.latitude, _cities.c.longitude, _countries.c.name.label("country_name"),
).join(_countries, _countries.c.code == _cities.c.country)  # fmt: skip
_COUNTRY = select(
    _countries.c.code, _countries.c.name, _countries.c.official_name, _countries.c.alpha3, _countries.c.continent
)


def cities_of(session: Session, numbers: Collection[int]) -> dict[int, Entity]:
    """The cities of these numbers."""
    if not numbers:
        return {}
    return {row.id: _city(row) for row in session.execute(_CITY.where(_cities.c.id.in_(numbers)))}


def countries_of(session: Session, codes: Collection[str] | None = None) -> dict[str, Entity]:
    """The countries of these codes; all of them without."""
    statement = _COUNTRY if codes is None else _COUNTRY.where(_countries.c.code.in_(codes))
    return {row.code: _country(row) for row in session.execute(statement)}


def _city(row: Any) -> Entity:
    return Entity(
        id=str(row.id), type=CITY, name=row.name, kind=row.kind, country=(row.country, row.country_name),
        subdivision=row.subdivision, place=None if row.latitude is None else (row.latitude, row.longitude),
    )  # fmt: skip


def _country(row: Any) -> Entity:
    return Entity(
        id=row.code, type=COUNTRY, name=row.name, country=(row.code, row.name), official_name=row.official_name,
        alpha3=row.alpha3, continent=row.continent,
    )  # fmt: skip


# ── By name ──


def countries_with(session: Session, keys: Collection[str]) -> dict[str, set[str]]:
    """Folded name → the countries in which a city has it as any of its names."""
    found: dict[str, set[str]] = {}
    if keys:
        own = _named(_cities, _cities.c.name_key).where(_cities.c.name_key.in_(keys))
        other = _named(_names, _names.c.key).where(_names.c.key.in_(keys))
        for row in session.execute(union_all(own, other)):
            found.setdefault(row.key, set()).add(row.country)
    return found


def names_from(session: Session, starts: Collection[str]) -> list[tuple[str, str]]:
    """(folded name, country) of all names of cities with one of these beginnings."""
    if not starts:
        return []
    ranges = [prefix_range(start) for start in starts]
    parts = []
    for table, column in ((_cities, _cities.c.name_key), (_names, _names.c.key)):
        parts.append(_named(table, column).where(or_(*((column >= low) & (column < high) for low, high in ranges))))
    return [(row.key, row.country) for row in session.execute(union_all(*parts))]


def _named(table: Table, column: Any) -> Select[Any]:
    chosen = select(column.label("key"), _cities.c.country).where(_cities.c.merged_into_id.is_(None))
    return chosen if table is _cities else chosen.join(_names, _names.c.city_id == _cities.c.id)


def suggest(session: Session, prefix: str, *, types: Sequence[str], skip: int, limit: int) -> list[Entity]:
    """Entities of these types that have a name beginning so, those with just this name first; and the one whose id
    or identifier it is, before all others."""
    exactly = [entity for entity in find(session, [prefix]).values() if entity.type in types] if prefix else []
    key = fold(prefix)
    if not key:
        return exactly[skip : skip + limit]
    asked = [_begun(key, kind) for kind in types]
    found = union_all(*asked).subquery()
    statement = select(found).order_by(found.c.rank, found.c.key, found.c.type, found.c.number)
    rows = session.execute(statement.limit(skip + limit + 1)).all()
    listed = _entities(session, [(row.type, row.number, row.code) for row in rows])
    whole = exactly + [entity for entity in listed if entity not in exactly]
    return whole[skip : skip + limit]


def _begun(key: str, kind: str) -> Select[Any]:
    """What of a type has a name beginning with the key. Rank: just this name, the main name begins so, another."""
    table, names, owner = TABLES[kind]
    number: Any = _cities.c.id if kind == CITY else literal(0)
    code: Any = _countries.c.code if kind == COUNTRY else literal("")
    low, high = prefix_range(key)
    begins = (table.c.name_key >= low) & (table.c.name_key < high)
    other = _key(table).in_(select(owner).where(names.c.key >= low, names.c.key < high))
    just = or_(table.c.name_key == key, _key(table).in_(select(owner).where(names.c.key == key)))
    chosen = select(
        literal(kind).label("type"), number.label("number"), code.label("code"), table.c.name_key.label("key"),
        case((just, 0), (begins, 1), else_=2).label("rank"),
    ).where(or_(begins, other))  # fmt: skip
    return chosen.where(_cities.c.merged_into_id.is_(None)) if kind == CITY else chosen


def _key(table: Table) -> Any:
    return next(iter(table.primary_key))


def _entities(session: Session, listed: Sequence[tuple[str, int, str]]) -> list[Entity]:
    cities = cities_of(session, [number for kind, number, _ in listed if kind == CITY])
    codes = [code for kind, _, code in listed if kind == COUNTRY]
    countries: Mapping[str, Entity] = countries_of(session, codes) if codes else {}
    return [cities[number] if kind == CITY else countries[code] for kind, number, code in listed]
