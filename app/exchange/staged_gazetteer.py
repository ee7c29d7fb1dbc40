"""The cities that an import makes, as the matcher asks for them while it goes on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from rapidfuzz.distance import OSA

from app.domain.geography import bounding_box, great_circle_km
from app.domain.names import prefix_range
from app.exchange.gazetteers import Known, MemoryGazetteer
from app.exchange.near_names import MOST_ALIKE, edits_allowed
from app.exchange.new_cities import NewCity, split
from app.exchange.shelves import asked
from app.exchange.staging import Staging

#: New cities that are held in memory; of more, the staging is asked.
HELD = 50_000
_KNOWN = "number, name, country, subdivision, latitude, longitude, keys, cities.identifiers"


class StagedGazetteer:
    """The new cities of an import, as the matcher asks for them: in memory while they are few, else in the staging."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        self._held: MemoryGazetteer | None = MemoryGazetteer()
        self._count = 0

    def add(self, cities: Sequence[NewCity]) -> None:
        """More of them, into the staging too."""
        self._staging.cities.put(cities)
        self._count += len(cities)
        if self._held is None:
            self._index(cities)
        else:
            for city in cities:
                self._held.add(city.known())
            if self._count > HELD:
                self._let_go()

    def _let_go(self) -> None:
        """Too many to hold: from now on the staging is asked."""
        self._held = None
        self._staging.cities.spill()
        self._staging.db.execute("CREATE INDEX IF NOT EXISTS city_places ON cities (country, latitude)")
        for batch in self._staging.cities.batches():
            self._index(batch)

    def _index(self, cities: Sequence[NewCity]) -> None:
        db = self._staging.db
        keys = [(f"{city.country}:{key}", city.number) for city in cities for key in city.keys]
        db.executemany("INSERT INTO city_keys VALUES (?, ?)", keys)
        identifiers = [(text, city.number) for city in cities for text in city.identifiers]
        db.executemany("INSERT INTO city_identifiers VALUES (?, ?)", identifiers)

    def by_identifier(self, identifiers: Collection[str]) -> dict[str, Known]:
        """The new city of each identifier."""
        if self._held is not None:
            return self._held.by_identifier(identifiers)
        statement = (
            f"SELECT identifier, {_KNOWN} FROM city_identifiers JOIN cities ON number = city WHERE identifier IN (?)"  # noqa: S608
        )
        return {key: _known(row) for key, *row in asked(self._staging.db, statement, list(identifiers))}

    def by_key(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Known]]:
        """(country, folded name) → new cities."""
        if self._held is not None:
            return self._held.by_key(wanted)
        found: dict[tuple[str, str], list[Known]] = defaultdict(list)
        keys = [f"{country}:{key}" for country, key in wanted]
        statement = f"SELECT key, {_KNOWN} FROM city_keys JOIN cities ON number = city WHERE key IN (?)"  # noqa: S608
        for key, *row in asked(self._staging.db, statement, keys):
            found[key[:2], key[3:]].append(_known(row))
        return found

    def nearby(self, country: str, latitude: float, longitude: float, km: float, key: str = "") -> list[Known]:
        """New cities around a place."""
        if self._held is not None:
            return self._held.nearby(country, latitude, longitude, km, key)
        statement = (
            f"SELECT {_KNOWN} FROM cities WHERE country = ? AND latitude BETWEEN ? AND ?"  # noqa: S608
            " AND longitude BETWEEN ? AND ?"
        )
        found = [
            _known(row)
            for box in bounding_box(latitude, longitude, km)
            for row in self._staging.db.execute(statement, (country, *box))
        ]
        return [city for city in found if _km(city, latitude, longitude) <= km]

    def spelled_like(self, country: str, key: str) -> list[Known]:
        """New cities of a near name; where there are very many, of those that begin with the same two letters."""
        if self._held is not None:
            return self._held.spelled_like(country, key)
        edits = edits_allowed(key)
        # Two letters keep it to a few of a million names; a slip in the second one is rarer than they are many.
        low, high = prefix_range(f"{country}:{key[:2]}")
        statement = (
            "SELECT substr(key, 4), city FROM city_keys WHERE key >= ? AND key < ? AND length(key) BETWEEN ? AND ?"
        )
        about = len(key) + len(f"{country}:")
        near = [
            city
            for other, city in self._staging.db.execute(statement, (low, high, about - edits, about + edits))
            if edits and OSA.distance(key, other, score_cutoff=edits) <= edits
        ]
        found = f"SELECT {_KNOWN} FROM cities WHERE number IN (?)"  # noqa: S608
        return [_known(row) for row in asked(self._staging.db, found, near[:MOST_ALIKE])]


def _known(row: Sequence[Any]) -> Known:
    number, name, country, subdivision, latitude, longitude, keys, known = row
    return Known(-number, name, country, subdivision, latitude, longitude, split(keys), split(known))


def _km(city: Known, latitude: float, longitude: float) -> float:
    assert city.latitude is not None and city.longitude is not None
    return great_circle_km(city.latitude, city.longitude, latitude, longitude)
