"""The properties of entities: what each is, and its values for many entities at once.

One table, `PROPERTIES`: a new property is a line there. What stands in an entity's own row costs nothing; the rest
is one question each, however many entities are asked for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.api.errors import InvalidQuery
from app.api.reconcile_entities import CITY, CONTINENTS, COUNTRY, TYPES, Entity, find, type_of
from app.api.schemas.reconcile import ExtensionQuery, PropertyAsked
from app.domain import identifiers
from app.models import City, CityIdentifier, CityName, CityPopulation, Member, Partnership
from app.models.partnerships import STATUSES
from app.registry.content import table_of

Value = Mapping[str, Any]
Values = Mapping[Any, Sequence[Value]]

ANY, ENDED = "any", "ended"
#: Clients send numbers as texts too.
LIMIT = re.compile(r"([0-9]{1,9})(?:\.0+)?")

_cities, _names, _identifiers = table_of(City), table_of(CityName), table_of(CityIdentifier)
_populations, _partnerships = table_of(CityPopulation), table_of(Partnership)
_members = table_of(Member)
_other = _members.alias("other")


@dataclass(frozen=True, slots=True)
class Settings:
    """How values are wanted. `limit`: at most so many each (0: all); `status`: only partnerships of this status."""

    limit: int = 0
    status: str = ANY


Gather = Callable[[Session, Sequence[Entity], Settings], Values]


@dataclass(frozen=True, slots=True)
class Property:
    """One property. `own`: its values from the entity's own row; `gather`: by key of the entity, for many of them;
    `of`: the type of its values, where they are entities."""

    id: str
    name: str
    description: str
    types: tuple[str, ...] = (CITY,)
    own: Callable[[Entity], Sequence[Value]] | None = None
    gather: Gather | None = None
    of: str | None = None

    def shown(self) -> dict[str, str]:
        """As suggestions and proposals show it."""
        return {"id": self.id, "name": self.name, "description": self.description}

    def meta(self) -> dict[str, Any]:
        """As a data extension describes its values."""
        plain: dict[str, Any] = {"id": self.id, "name": self.name}
        return plain if self.of is None else plain | {"type": type_of(self.of)}


# ── Values ──


def _text(value: str | None) -> list[Value]:
    return [] if not value else [{"str": value}]


def _coordinates(entity: Entity) -> list[Value]:
    return [] if entity.place is None else [{"str": f"{entity.place[0]},{entity.place[1]}"}]


def _degrees(which: int) -> Callable[[Entity], list[Value]]:
    return lambda entity: [] if entity.place is None else [{"float": entity.place[which]}]


def _country(entity: Entity) -> list[Value]:
    return [{"id": entity.country[0], "name": entity.country[1]}]


def _keys(entities: Sequence[Entity]) -> dict[str, list[int | str]]:
    keys: dict[str, list[int | str]] = {CITY: [], COUNTRY: []}
    for entity in entities:
        keys[entity.type].append(entity.key)
    return keys


def _population(session: Session, entities: Sequence[Entity], _settings: Settings) -> Values:
    """The newest figure; without a year it is older than any."""
    statement = (
        select(_populations.c.city_id, _populations.c.people)
        .where(_populations.c.city_id.in_(_keys(entities)[CITY]))
        .order_by(_populations.c.year.is_not(None), _populations.c.year, _populations.c.id)
    )
    return {row.city_id: [{"int": row.people}] for row in session.execute(statement)}


def _other_names(session: Session, entities: Sequence[Entity], _settings: Settings) -> Values:
    statement = (
        select(_names.c.city_id, _names.c.text)
        .where(_names.c.city_id.in_(_keys(entities)[CITY]))
        .order_by(_names.c.city_id, _names.c.id)
    )
    found: dict[int, dict[str, None]] = defaultdict(dict)
    for row in session.execute(statement):
        found[row.city_id][row.text] = None
    return {city: [{"str": text} for text in texts] for city, texts in found.items()}


def _of_scheme(scheme: str) -> Gather:
    def gather(session: Session, entities: Sequence[Entity], _settings: Settings) -> Values:
        statement = (
            select(_identifiers.c.city_id, _identifiers.c.value)
            .where(_identifiers.c.scheme == scheme, _identifiers.c.city_id.in_(_keys(entities)[CITY]))
            .order_by(_identifiers.c.city_id, _identifiers.c.id)
        )
        found: dict[int, list[Value]] = defaultdict(list)
        for row in session.execute(statement):
            found[row.city_id].append({"str": row.value})
        return found

    return gather


def _of_status(status: str) -> list[ColumnElement[bool]]:
    """Partnerships that are of this status as a whole; who has left one that goes on has no part in it any more."""
    conditions: list[ColumnElement[bool]] = [_partnerships.c.merged_into_id.is_(None)]
    if status != ANY:
        conditions.append(_partnerships.c.status == status)
    if status not in (ANY, ENDED):
        conditions.append(_members.c.status != ENDED)
    return conditions


def _partnerships_count(session: Session, entities: Sequence[Entity], settings: Settings) -> Values:
    found: dict[int | str, Sequence[Value]] = {entity.key: [{"int": 0}] for entity in entities}
    for kind, column in ((CITY, _members.c.city_id), (COUNTRY, _members.c.country)):
        keys = _keys(entities)[kind]
        statement = (
            select(column.label("key"), func.count(_members.c.partnership_id.distinct()).label("number"))
            .join(_partnerships, _partnerships.c.id == _members.c.partnership_id)
            .where(column.in_(keys), *_of_status(settings.status))
            .group_by(column)
        )
        if keys:
            found |= {row.key: [{"int": row.number}] for row in session.execute(statement)}
    return found


def _partners(session: Session, entities: Sequence[Entity], settings: Settings) -> Values:
    """The cities that share a partnership with a city, by name."""
    conditions = _of_status(settings.status)
    if settings.status not in (ANY, ENDED):
        conditions.append(_other.c.status != ENDED)
    statement = (
        select(_members.c.city_id, _cities.c.id, _cities.c.name, _cities.c.name_key)
        .join(_partnerships, _partnerships.c.id == _members.c.partnership_id)
        .join(_other, _other.c.partnership_id == _members.c.partnership_id)
        .join(_cities, _cities.c.id == _other.c.city_id)
        .where(_members.c.city_id.in_(_keys(entities)[CITY]), _other.c.city_id != _members.c.city_id, *conditions)
        .distinct()
        .order_by(_members.c.city_id, _cities.c.name_key, _cities.c.id)
    )
    found: dict[int, list[Value]] = defaultdict(list)
    for row in session.execute(statement):
        found[row.city_id].append({"id": str(row.id), "name": row.name})
    return found


def _cities_count(session: Session, entities: Sequence[Entity], _settings: Settings) -> Values:
    found: dict[int | str, Sequence[Value]] = {entity.key: [{"int": 0}] for entity in entities}
    statement = (
        select(_cities.c.country, func.count().label("number"))
        .where(_cities.c.country.in_(_keys(entities)[COUNTRY]), _cities.c.merged_into_id.is_(None))
        .group_by(_cities.c.country)
    )
    return found | {row.country: [{"int": row.number}] for row in session.execute(statement)}


BOTH = (CITY, COUNTRY)
PROPERTIES = {
    each.id: each
    for each in (
        Property("coordinates", "Coordinates", "Latitude and longitude in degrees, with a comma", own=_coordinates),
        Property("country", "Country", "The country that the city lies in", own=_country, of=COUNTRY),
        Property(
            "partnerships", "Number of partnerships", "How many it is or was a member of; `status` narrows it",
            BOTH, gather=_partnerships_count,
        ),
        Property("partners", "Partners", "The cities it shares partnerships with, by name", gather=_partners, of=CITY),
        Property("kind", "Kind", "City, town, county, region …", own=lambda entity: _text(entity.kind)),
        Property("subdivision", "Subdivision", "State, province …: ISO 3166-2 where known",
                 own=lambda entity: _text(entity.subdivision)),
        Property("population", "Population", "The newest figure that is known", gather=_population),
        Property("latitude", "Latitude", "Degrees, north positive", own=_degrees(0)),
        Property("longitude", "Longitude", "Degrees, east positive", own=_degrees(1)),
        Property("name", "Name", "The name in the registry", BOTH, own=lambda entity: _text(entity.name)),
        Property("names", "Other names", "Official, former and short names, and those in other languages",
                 gather=_other_names),
        *(
            Property(scheme.name, scheme.label, f"Its identifier there, for example {scheme.example}",
                     gather=_of_scheme(scheme.name))
            for scheme in identifiers.SCHEMES.values()
        ),
        Property("cities", "Number of cities", "How many cities of the country are known", (COUNTRY,),
                 gather=_cities_count),
        Property("continent", "Continent", "The continent of the country", (COUNTRY,),
                 own=lambda entity: _text(CONTINENTS.get(entity.continent))),
        Property("alpha3", "Alpha-3 code", "ISO 3166-1 alpha-3", (COUNTRY,), own=lambda entity: _text(entity.alpha3)),
        Property("official_name", "Official name", "The country's official name", (COUNTRY,),
                 own=lambda entity: _text(entity.official_name)),
    )
}  # fmt: skip
#: What the manifest offers as settings of a property.
OFFERED: list[dict[str, Any]] = [
    {
        "name": "limit", "label": "Limit", "type": "number", "default": 0,
        "help_text": "At most so many values of a row (0: all)",
    },
    {
        "name": "status", "label": "Status", "type": "select", "default": ANY,
        "help_text": "Of partnerships and partners: only those of partnerships of this status",
        "choices": [{"value": status, "name": status.capitalize()} for status in (ANY, *STATUSES)],
    },
]  # fmt: skip


def of_types(types: Sequence[str]) -> list[Property]:
    """The properties that entities of any of these types have."""
    return [each for each in PROPERTIES.values() if set(each.types) & set(types)]


def of_type(name: str) -> list[Property]:
    """The properties of a type; all of them where none is named, none where nobody knows it."""
    return of_types([name] if name else list(TYPES))


# ── Data extension ──


def extend(session: Session, query: ExtensionQuery) -> dict[str, Any]:
    """The values of the properties for each id, in the form of the protocol. What there is not has no values."""
    settings = [_settings(asked, place) for place, asked in enumerate(query.properties)]
    found = find(session, set(query.ids))
    rows: dict[str, dict[str, Sequence[Value]]] = {key: {} for key in query.ids}
    meta = []
    for asked, wanted in zip(query.properties, settings, strict=True):
        known = PROPERTIES.get(asked.id)
        values = {} if known is None else _values(session, known, list(found.values()), wanted)
        meta.append({"id": asked.id, "name": asked.id} if known is None else known.meta())
        for key, row in rows.items():
            here = values.get(found[key].key, ()) if key in found else ()
            row[asked.id] = list(here[: wanted.limit or None])
    return {"meta": meta, "rows": rows}


def _values(session: Session, known: Property, entities: Sequence[Entity], settings: Settings) -> Values:
    fitting = [entity for entity in entities if entity.type in known.types]
    if known.own is not None:
        return {entity.key: known.own(entity) for entity in fitting}
    assert known.gather is not None
    return known.gather(session, fitting, settings) if fitting else {}


def _settings(asked: PropertyAsked, place: int) -> Settings:
    """The settings that are known here; clients send those of other services along."""
    where = f"extend/properties/{place}/settings"
    given = {name: value for name, value in asked.settings.items() if value not in (None, "")}
    limit = LIMIT.fullmatch(str(given.get("limit", 0)))
    if limit is None:
        raise InvalidQuery("This must be a whole number, 0 for all values.", parameter=f"{where}/limit")
    status = given.get("status", ANY)
    if status not in (ANY, *STATUSES):
        raise InvalidQuery(f"This must be one of: {', '.join((ANY, *STATUSES))}.", parameter=f"{where}/status")
    return Settings(int(limit[1]), status)
