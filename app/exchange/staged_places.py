"""The distinct places of an import, numbered from 1 in the order in which rows speak of them, and what became of each:
in memory while they are few, else in the staging's file."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson

from app.exchange import shelves
from app.exchange.records import Place
from app.exchange.shelves import asked

#: Objects whose places are remembered.
REMEMBERED = 100_000
#: How little a place says of itself.
VAGUE = (0, 1, 2)


class Placed(NamedTuple):
    """What became of a place. `city` null: it has none; `label`: what a new city is called; `country` and
    `subdivision`: where it lies, as far as its country could be read."""

    city: int | None
    outcome: str
    field: str | None = None
    reason: str | None = None
    candidates: str | None = None
    label: str | None = None
    country: str | None = None
    subdivision: str | None = None


class Places:
    """Not for several threads at once."""

    TABLE = """
    CREATE TABLE places (
        id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, said TEXT NOT NULL, vague INTEGER NOT NULL,
        city INTEGER, outcome TEXT, field TEXT, reason TEXT, candidates TEXT, label TEXT, country TEXT,
        subdivision TEXT
    );
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._seen: dict[int, tuple[int, Place]] = {}
        self._held: dict[bytes, int] | None = {}
        self._places: list[Place] = []
        self._placed: dict[int, Placed] = {}
        self.count = 0

    def forget(self) -> None:
        """What became of them."""
        self._placed.clear()

    # ── Which number ──

    def numbers(self, places: Sequence[Place]) -> Iterator[int]:
        """The number of each place; those that are new get one."""
        if len(self._seen) > REMEMBERED:
            self._seen.clear()
        # Readers give the same object for the same cells, which is found by its id in no time. It is held beside
        # its number, so that no other object can have that id.
        seen = self._seen
        unseen = {id(place): place for place in places if id(place) not in seen}
        for (key, place), number in zip(unseen.items(), self._numbered(list(unseen.values())), strict=True):
            seen[key] = (number, place)
        return (seen[id(place)][0] for place in places)

    def _numbered(self, places: Sequence[Place]) -> list[int]:
        said = [orjson.dumps(place) for place in places]
        if self._held is None:
            return self._looked_up(places, said)
        known = self._held
        for place, text in zip(places, said, strict=True):
            if text not in known:
                known[text] = len(known) + 1
                self._places.append(place)
        found = [known[text] for text in said]
        self.count = len(known)
        if self.count > shelves.HELD:
            self._spill(list(known))
        return found

    def _spill(self, said: Sequence[bytes]) -> None:
        self._insert(1, self._places, said)
        self._held, self._places = None, []

    def _looked_up(self, places: Sequence[Place], said: Sequence[bytes]) -> list[int]:
        digests = [_digest(text) for text in said]
        known: dict[bytes, int] = dict(asked(self._db, "SELECT digest, id FROM places WHERE digest IN (?)", digests))
        new = {d: (place, text) for d, place, text in zip(digests, places, said, strict=True) if d not in known}
        known.update(zip(new, range(self.count + 1, self.count + 1 + len(new)), strict=True))
        self._insert(self.count + 1, [place for place, _ in new.values()], [text for _, text in new.values()])
        self.count += len(new)
        return [known[digest] for digest in digests]

    def _insert(self, first: int, places: Sequence[Place], said: Sequence[bytes]) -> None:
        numbered = enumerate(zip(places, said, strict=True), start=first)
        self._db.executemany(
            "INSERT INTO places (id, digest, said, vague) VALUES (?, ?, ?, ?)",
            [(number, _digest(text), text.decode(), _vague(place)) for number, (place, text) in numbered],
        )

    # ── One after the other ──

    def batches(self, *, size: int = 2_000) -> Iterator[list[tuple[int, Place]]]:
        """All of them: those that say most about themselves first, so that the vague ones find them."""
        for vague in VAGUE:
            yield from self._held_of(vague, size) if self._held is not None else self._kept_of(vague, size)

    def _held_of(self, vague: int, size: int) -> Iterator[list[tuple[int, Place]]]:
        found = (each for each in enumerate(self._places, start=1) if _vague(each[1]) == vague)
        while batch := list(islice(found, size)):
            yield batch

    def _kept_of(self, vague: int, size: int) -> Iterator[list[tuple[int, Place]]]:
        last = 0
        statement = "SELECT id, said FROM places WHERE id > ? AND vague = ? ORDER BY id LIMIT ?"
        while found := self._db.execute(statement, (last, vague, size)).fetchall():
            last = found[-1][0]
            yield [(number, place_of(said)) for number, said in found]

    def of(self, numbers: Sequence[int]) -> list[tuple[int, Place]]:
        """Places by number."""
        if self._held is not None:
            return [(number, self._places[number - 1]) for number in numbers]
        found = asked(self._db, "SELECT id, said FROM places WHERE id IN (?) ORDER BY id", numbers)
        return [(number, place_of(said)) for number, said in found]

    def any_placed(self) -> bool:
        """Whether one of them says where it lies."""
        if self._held is not None:
            return any(place.latitude is not None for place in self._places)
        return self._db.execute("SELECT 1 FROM places WHERE vague = 0 LIMIT 1").fetchone() is not None

    # ── What became of them ──

    def place(self, placed: Mapping[int, Placed]) -> None:
        """Keep what became of places."""
        if self._held is not None:
            self._placed.update(placed)
            return
        columns = ", ".join(f"{name} = ?" for name in Placed._fields)
        self._db.executemany(
            f"UPDATE places SET {columns} WHERE id = ?",  # noqa: S608 (our own names)
            [(*found, number) for number, found in placed.items()],
        )

    def placed(self, places: set[int]) -> Mapping[int, Placed]:
        """What became of these places."""
        if self._held is not None:
            return self._placed
        statement = f"SELECT id, {', '.join(Placed._fields)} FROM places WHERE id IN (?)"  # noqa: S608
        return {row[0]: Placed(*row[1:]) for row in asked(self._db, statement, list(places))}


def _digest(said: bytes) -> bytes:
    return hashlib.blake2b(said, digest_size=16).digest()


def _vague(place: Place) -> int:
    """0: it says where it lies; 1: which city it is, or in what part of the country; 2: a name and a country."""
    if place.latitude is not None:
        return 0
    return 1 if place.identifiers or place.city is not None or place.subdivision else 2


def place_of(said: str | dict[str, Any]) -> Place:
    """A staged place."""
    known = orjson.loads(said) if isinstance(said, str) else said
    known["identifiers"] = tuple(known["identifiers"])
    known["names"] = tuple((text, language) for text, language in known["names"])
    return Place(**known)
