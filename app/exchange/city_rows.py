"""The new cities of an import, as rows and changes of the journal; and every city as a member's item shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import select

from app.domain.names import fold
from app.exchange.bulk import Bulk, Numbers
from app.exchange.new_cities import NewCity
from app.exchange.places import SOURCE as GEONAMES
from app.exchange.shelves import asked
from app.exchange.sourcing import Sourcing, Written
from app.exchange.staging import Staging
from app.models import Change, Citation, City, CityIdentifier, CityName, CityPopulation
from app.models.base import bounds
from app.registry.content import Content, canonical, chunks, table_of
from app.registry.database import WritingSession

_cities = table_of(City)
REMEMBERED = 100_000
PLACE = ("name", "country", "subdivision", "latitude", "longitude")


class Shown(NamedTuple):
    """A city for a member's item: also as JSON."""

    id: int
    country: str
    item: Content
    text: str


class Cities:
    """Writes the new cities that are used, and knows every city's number, country and item in lists."""

    def __init__(self, session: WritingSession, staging: Staging, bulk: Bulk, sources: Written) -> None:
        self._session, self._staging, self._bulk, self._sources = session, staging, bulk, sources
        self._known: dict[int, Shown] = {}
        self.made = 0

    def write(self, source: int | None) -> None:
        """All new cities, in the order in which the file named them."""
        used = self._staging.used
        self.made = sum(used)
        number = self._bulk.take(City, self.made) if self.made else 0
        cited = None if source is None else self._sources.id_of(source)
        for batch in self._staging.cities.batches():
            # The last of them may be behind the end of what was ever used.
            staged = [city for city in batch if city.number < len(used) and used[city.number]]
            cities = [_City.of(number + place, city) for place, city in enumerate(staged)]
            self._write(cities, cited)
            self._number(staged, cities)
            number += len(staged)

    def _number(self, staged: Sequence[NewCity], cities: Sequence[_City]) -> None:
        """Keep the numbers that staged cities got: at hand while they are few, else beside them."""
        if self.made > REMEMBERED:
            pairs = [(city.id, known.number) for city, known in zip(cities, staged, strict=True)]
            self._staging.db.executemany("UPDATE cities SET id = ? WHERE number = ?", pairs)
            return
        for city, known in zip(cities, staged, strict=True):
            self._remember(-known.number, city[:6])

    def _write(self, batch: Sequence[_City], source: int | None) -> None:
        parts = {name: [rows(self, city, source) for city in batch] for name, rows in _ROWS.items()}
        now, revision = self._session.time, self._session.revision
        self._bulk.add(
            City,
            (*_CITY, *_NO_DATES, "revision", "created_at", "updated_at"),
            [(*city[:3], fold(city.name), *city[3:7], *_NO_DAYS, revision, now, now) for city in batch],
        )
        for name, several in parts.items():
            self._add_part(name, batch, several)
        changes = []
        for place, city in enumerate(batch):
            told = {name: several[place] for name, several in parts.items() if several[place]}
            changes.append((revision, City.NOUN, str(city.id), canonical(city.own() | told)))
        self._bulk.add(Change, ("revision", "noun", "record", "after"), changes)

    def _add_part(self, name: str, batch: Sequence[_City], several: Sequence[Sequence[Content]]) -> None:
        """Number the rows of a part, and add them."""
        model, derived = _PARTS[name]
        numbers = Numbers(self._bulk, model, sum(map(len, several)))
        values = []
        for city, rows in zip(batch, several, strict=True):
            for row in rows:
                row["id"] = numbers.take(1)
                folded = [fold(row[source]) for source in derived.values()]
                values.append((city.id, row["id"], *map(row.get, model.CONTENT), *folded))
        self._bulk.add(model, (model.OWNERS["cities"], "id", *model.CONTENT, *derived), values)

    def _names(self, city: _City, _source: int | None) -> list[Content]:
        found = city.more.get("names", ())
        return [{"text": label, "language": language, "kind": kind} for label, language, kind in found]

    def _identifiers(self, city: _City, _source: int | None) -> list[Content]:
        pairs = (identifier.partition(":") for identifier in city.identifiers)
        return [{"scheme": scheme, "value": value} for scheme, _, value in pairs]

    def _populations(self, city: _City, _source: int | None) -> list[Content]:
        return [{"people": city.more["people"]}] if "people" in city.more else []

    def _citations(self, city: _City, source: int | None) -> list[Content]:
        found = [] if source is None else [source]
        if city.more.get("completed"):
            found.append(self._geonames())
        return [{"source_id": number, "field": "name"} for number in found]

    @lru_cache(maxsize=1)  # noqa: B019 (one import, one instance)
    def _geonames(self) -> int:
        number = Sourcing(self._staging, self._session).find("", GEONAMES["title"], GEONAMES["url"])
        return self._sources.id_of(number)

    def of(self, numbers: set[int]) -> dict[int, Shown]:
        """Staged or known number → number, country, and the city as a member's item shows it."""
        if len(self._known) > 2 * REMEMBERED:
            self._known.clear()
        missing = numbers - self._known.keys()
        statement = f"SELECT number, id, {', '.join(PLACE)} FROM cities WHERE number IN (?)"  # noqa: S608
        for row in asked(self._staging.db, statement, [-each for each in missing if each < 0]):
            self._remember(-row[0], row[1:])
        for batch in chunks(each for each in missing if each > 0):
            columns = (_cities.c.id, *(_cities.c[name] for name in PLACE))
            for known in self._session.execute(select(*columns).where(_cities.c.id.in_(batch))):
                self._remember(known[0], known)
        return self._known

    def _remember(self, number: int, row: Sequence[Any]) -> None:
        item = dict(zip(("id", *PLACE), row, strict=True))
        self._known[number] = Shown(row[0], row[2], item, orjson.dumps(item).decode())


class _City(NamedTuple):
    """A new city as it is staged."""

    id: int
    name: str
    country: str
    subdivision: str | None
    latitude: float | None
    longitude: float | None
    kind: str
    identifiers: tuple[str, ...]
    more: dict[str, Any]

    @classmethod
    def of(cls, number: int, city: NewCity) -> _City:
        """With the number that it is to have."""
        return cls(number, *city[1:7], city.identifiers, city.more)

    def own(self) -> Content:
        """Its content, but for parts."""
        told: Content = {"id": self.id, "name": self.name, "country": self.country, "kind": self.kind}
        if self.subdivision is not None:
            told["subdivision"] = self.subdivision
        if self.latitude is not None:
            told["latitude"], told["longitude"] = self.latitude, self.longitude
        return told


_CITY = ("id", "name", "country", "name_key", "subdivision", "latitude", "longitude", "kind")
_NO_DATES = (
    "existed_from_earliest", "existed_from_latest", "existed_until_earliest", "existed_until_latest",
)  # fmt: skip
_NO_DAYS = tuple(day.isoformat() for day in bounds(None)) * 2


#: Part → its model, and its folded columns with what they are folded from.
_PARTS: dict[str, tuple[Any, dict[str, str]]] = {
    model.PART: (model, model.FOLDED) for model in (CityName, CityIdentifier, CityPopulation, Citation)
}
_ROWS: dict[str, Callable[[Cities, _City, int | None], list[Content]]] = {
    "names": Cities._names, "identifiers": Cities._identifiers, "populations": Cities._populations,
    "citations": Cities._citations,
}  # fmt: skip
