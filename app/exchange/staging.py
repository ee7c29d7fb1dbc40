"""Where an import is prepared: in memory and, where it is much, in a temporary SQLite file.

The file has no name and belongs to this process alone: whatever becomes of the process, nothing of it stays. What was
read (rows, distinct places) is kept for as long as the import lasts; what was worked out from it (cities, drafts,
lines) holds for one revision of the registry and is worked out anew for another.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

import orjson

from app.exchange.new_cities import NewCity
from app.exchange.record_rows import RecordRow
from app.exchange.records import DatedEvent, Fault, PartnershipRow, Place, SourceNamed
from app.exchange.shelves import Drafts, Shelf
from app.exchange.staged_places import Places, place_of

_TABLES = """
CREATE TABLE rows (
    id INTEGER PRIMARY KEY, number INTEGER NOT NULL, one INTEGER, other INTEGER, more TEXT, said TEXT NOT NULL,
    remarks TEXT, field TEXT, fault TEXT, sourced INTEGER NOT NULL
);
CREATE TABLE records (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, sourced INTEGER NOT NULL, said TEXT NOT NULL);
CREATE TABLE cities (
    number INTEGER PRIMARY KEY, id INTEGER, name TEXT NOT NULL, country TEXT NOT NULL, subdivision TEXT,
    latitude REAL, longitude REAL, kind TEXT NOT NULL, keys TEXT NOT NULL, identifiers TEXT NOT NULL, more TEXT
);
CREATE TABLE city_keys (key TEXT NOT NULL, city INTEGER NOT NULL, PRIMARY KEY (key, city)) WITHOUT ROWID;
CREATE TABLE city_identifiers (identifier TEXT PRIMARY KEY, city INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE sources (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, record INTEGER, fields TEXT, made INTEGER);
CREATE TABLE lines (
    id INTEGER PRIMARY KEY, number INTEGER NOT NULL, outcome TEXT NOT NULL, field TEXT, reason TEXT NOT NULL,
    candidates TEXT, record INTEGER
);
"""
#: What holds for one revision only.
_WORKED_OUT = ("city_keys", "city_identifiers", "sources")

#: number, the first two places, all of them where they are more, what it says besides, remarks, field and reason of
#: a fault, whether it names a source.
StagedRow = tuple[int, int | None, int | None, str | None, str, str | None, str | None, str | None, bool]
#: number, outcome, field, reason, candidates, record (negative: of a draft).
LineRow = tuple[int, str, str | None, str, str | None, int | None]


_ROW = ("number", "one", "other", "more", "said", "remarks", "field", "fault", "sourced")
_LINE = ("number", "outcome", "field", "reason", "candidates", "record")


class Staging:
    """The temporary file of one import. Not for several threads at once."""

    def __init__(self) -> None:
        # The empty name is SQLite's own for a private file without one; a page cache of 32 MB before it.
        self.db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32000", "temp_store = FILE"):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.executescript(_TABLES + Drafts.TABLE + Places.TABLE)
        self.db.execute("BEGIN")
        self.places = Places(self.db)
        self._staged: Shelf[StagedRow] = Shelf(self.db, "rows", _ROW)
        self.lines: Shelf[LineRow] = Shelf(self.db, "lines", _LINE)
        self.cities: Shelf[NewCity] = Shelf(self.db, "cities", NewCity._fields, row=NewCity.row, read=NewCity.read)
        self.drafts = Drafts(self.db)
        self.rows = 0
        self.first_made = 0
        self.used = bytearray()

    def close(self) -> None:
        """Let go of it all."""
        self.db.close()

    def forget(self) -> None:
        """Whatever was worked out for another revision of the registry."""
        for table in _WORKED_OUT:
            self.db.execute(f"DELETE FROM {table}")  # noqa: S608 (our own names)
        for shelf in (self.lines, self.cities, self.drafts):
            shelf.clear()
        self.places.forget()
        self.first_made, self.used = 0, bytearray()

    def use(self, city: int) -> bool:
        """A new city (by its staged number) is one of a record that is to be written; whether nobody said so before."""
        if len(self.used) <= city:
            self.used.extend(bytes(city + 100_000 - len(self.used)))
        first = not self.used[city]
        self.used[city] = 1
        return first

    def record_of_line(self, record: int | None) -> int | None:
        """The record of a line; None while it is a draft. New partnerships have the numbers from `first_made` on,
        in the order of their drafts; a draft of another noun keeps what it became."""
        if record is None or record > 0:
            return record
        if self.first_made:
            return self.first_made - 1 - record
        return self.drafts.became(record)

    # ── What was read ──

    def add_rows(self, batch: Sequence[PartnershipRow]) -> None:
        """Keep rows, and their places once each."""
        numbers = self.places.numbers([place for row in batch for place in row.places])
        self._staged.put([_staged(row, [next(numbers) for _ in row.places]) for row in batch])
        self.rows += len(batch)

    def add_records(self, batch: Sequence[RecordRow]) -> None:
        """Keep rows of another noun, and their places once each."""
        self.places.numbers([place for row in batch for place in row.places])
        self.db.executemany(
            "INSERT INTO records (number, sourced, said) VALUES (?, ?, ?)",
            [(row.number, _sourced(row), orjson.dumps(row).decode()) for row in batch],
        )
        self.rows += len(batch)

    def record_of(self, said: str) -> RecordRow:
        """A staged row of another noun."""
        known = orjson.loads(said)
        known["places"] = tuple(place_of(place) for place in known["places"])
        known["sources"] = tuple(SourceNamed(**source) for source in known["sources"])
        known["faults"] = tuple(Fault(**fault) for fault in known["faults"])
        return RecordRow(**known)

    def number_of(self, place: Place) -> int:
        """The number of a staged place."""
        return next(self.places.numbers([place]))

    def staged_rows(self) -> Iterator[list[StagedRow]]:
        """The rows in their order, in batches."""
        return self._staged.batches()

    def without_source(self) -> int | None:
        """The number of the first row that names no source of its own; None if all do."""
        for batch in self._staged.batches():
            for row in batch:
                if row[7] is None and not row[8]:
                    return int(row[0])
        found = self.db.execute("SELECT number FROM records WHERE NOT sourced LIMIT 1").fetchone()
        return None if found is None else int(found[0])


#: What a row says besides its places, in this order, if it says anything.
_SAID = ("kind", "designation", "title", "note", "status", "events", "sources")


def _staged(row: PartnershipRow, places: Sequence[int]) -> tuple[Any, ...]:
    said, remarks = _said(row), " ".join(row.remarks) if row.remarks else None
    if len(places) == PAIR and not row.faults:
        return row.number, places[0], places[1], None, said, remarks, None, None, _sourced(row)
    one, other, *_ = (*places, None, None)
    more = orjson.dumps(places).decode() if len(places) > PAIR else None
    fault = row.faults[0] if row.faults else _TOO_FEW if len(places) < PAIR else None
    told = (None, None) if fault is None else (fault.field, fault.reason)
    return row.number, one, other, more, said, remarks, *told, _sourced(row)


def _sourced(row: PartnershipRow | RecordRow) -> bool:
    """Whether the row names a source of its own (sources themselves need none)."""
    named = bool(row.sources) and any(each.key or each.title or each.url for each in row.sources)
    return named or (isinstance(row, RecordRow) and row.noun == "sources")


PAIR = 2
_TOO_FEW = Fault("city2", "A partnership needs two cities: name the other one.")
_says = attrgetter(*_SAID)


def _said(row: PartnershipRow) -> str:
    told = _says(row)
    if not any(told):
        return ""
    return orjson.dumps({name: value for name, value in zip(_SAID, told, strict=True) if value}).decode()


def said_of(text: str) -> dict[str, Any]:
    """What a staged row says besides its places, as the arguments of a PartnershipRow."""
    values: dict[str, Any] = orjson.loads(text) if text else {}
    values["events"] = tuple(DatedEvent(**event) for event in values.get("events", ()))
    values["sources"] = tuple(SourceNamed(**source) for source in values.get("sources", ()))
    return values
