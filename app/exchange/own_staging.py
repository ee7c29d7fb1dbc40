"""Where an export that comes back is prepared: a temporary SQLite file without a name, as for every import.

What was read is kept as long as the import lasts. Outcomes hold for one revision of the registry and are worked out
anew for another; what is wrong with a record by itself stays wrong.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson

from app.exchange import own_rules
from app.exchange.own_files import OwnRow
from app.exchange.records import Fault
from app.models import RECORDS, Partnership
from app.registry.content import Content, canonical

Key = tuple[str, str]
BATCH = 500
#: The outcomes that write.
NEW = ("created", "changed")
_TABLES = """
CREATE TABLE records (
    number INTEGER PRIMARY KEY, noun TEXT NOT NULL, record TEXT, content TEXT, pair TEXT,
    faulty INTEGER NOT NULL DEFAULT 0, outcome TEXT, field TEXT, reason TEXT,
    UNIQUE (noun, record)
);
CREATE TABLE part_rows (part TEXT NOT NULL, row INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (part, row))
    WITHOUT ROWID;
CREATE TABLE named (number INTEGER NOT NULL, field TEXT NOT NULL, noun TEXT NOT NULL, record TEXT NOT NULL);
CREATE TABLE unique_values (field TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (field, value)) WITHOUT ROWID;
CREATE INDEX pairs ON records (pair) WHERE pair IS NOT NULL;
"""


@dataclass(frozen=True, slots=True)
class Staged:
    """A record of the export: its number among all, its key, and its content."""

    number: int
    record: str
    content: Content


class OwnStaging:
    """The temporary file. Not for several threads at once."""

    def __init__(self) -> None:
        self.db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32000", "temp_store = FILE"):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.executescript(_TABLES)
        self.db.execute("BEGIN")
        self.rows = 0

    def close(self) -> None:
        """Let go of it all."""
        self.db.close()

    # ── What was read ──

    def add(self, rows: Iterable[OwnRow]) -> None:
        """Keep records, each judged by itself."""
        for row in rows:
            self.rows += 1
            checked = row.fault if row.content is None else own_rules.checked(row.noun, row.content)
            if isinstance(checked, Fault) or checked is None:
                self._add_faulty(row, checked or Fault("content", "This is no record."))
            else:
                self._add(row, checked)
        self.db.execute("CREATE INDEX IF NOT EXISTS namers ON named (noun, record)")

    def _add(self, row: OwnRow, content: Content) -> None:
        record = str(content[RECORDS[row.noun].KEY])
        doubled = self._doubled(row.noun, record, content)
        if doubled is not None:
            self._add_faulty(row, doubled)
            return
        pair = own_rules.standing_pair(content) if row.noun == Partnership.NOUN else None
        self.db.execute(
            "INSERT INTO records (number, noun, record, content, pair) VALUES (?, ?, ?, ?, ?)",
            (row.number, row.noun, record, canonical(content), pair),
        )
        self.db.executemany(
            "INSERT INTO part_rows VALUES (?, ?, ?)",
            ((part.PART, number, row.number) for part, number in own_rules.part_rows(row.noun, content)),
        )
        self.db.executemany("INSERT INTO unique_values VALUES (?, ?)", set(own_rules.unique_values(row.noun, content)))
        self.db.executemany(
            "INSERT INTO named VALUES (?, ?, ?, ?)",
            ((row.number, *each) for each in own_rules.named(row.noun, content)),
        )

    def _doubled(self, noun: str, record: str, content: Content) -> Fault | None:
        if self.holds(noun, record):
            return Fault("id", "The export holds this record twice: which is meant?")
        for part, row in own_rules.part_rows(noun, content):
            found = self.db.execute("SELECT 1 FROM part_rows WHERE part = ? AND row = ?", (part.PART, row)).fetchone()
            if found is not None:
                return Fault(part.PART, f"Row {row} of {part.PART} stands in two records of the export.")
        for each in own_rules.unique_values(noun, content):
            if self.db.execute("SELECT 1 FROM unique_values WHERE field = ? AND value = ?", each).fetchone():
                field = each[0].rpartition(" ")[2]
                return Fault(field, f"Another record of the export has the same {field}: {each[1]}.")
        return None

    def _add_faulty(self, row: OwnRow, fault: Fault) -> None:
        self.db.execute(
            "INSERT INTO records (number, noun, faulty, outcome, field, reason) VALUES (?, ?, 1, 'refused', ?, ?)",
            (row.number, row.noun, fault.field, fault.reason),
        )

    def holds(self, noun: str, record: str) -> bool:
        """Whether the record is in the export (and sound)."""
        return self.content_of(noun, record) is not None

    def content_of(self, noun: str, record: str) -> Content | None:
        """A record's content in the export; None where it is not in it."""
        found = self.db.execute("SELECT content FROM records WHERE noun = ? AND record = ?", (noun, record)).fetchone()
        return None if found is None else orjson.loads(found[0])

    # ── What was worked out ──

    def forget(self) -> None:
        """Whatever was worked out for another revision of the registry."""
        self.db.execute("UPDATE records SET outcome = NULL, field = NULL, reason = NULL WHERE faulty = 0")

    def batches(self, noun: str, *outcomes: str) -> Iterator[list[Staged]]:
        """The sound records of a noun in the export's order; only those of these outcomes, if any are given."""
        last = 0
        marks = ", ".join("?" for _ in outcomes)
        only = f"AND outcome IN ({marks})" if outcomes else ""
        while True:
            rows = self.db.execute(
                "SELECT number, record, content FROM records WHERE noun = ? AND faulty = 0 AND number > ?"  # noqa: S608
                f" {only} ORDER BY number LIMIT {BATCH}",
                (noun, last, *outcomes),
            ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            yield [Staged(number, record, orjson.loads(content)) for number, record, content in rows]

    def judge(self, outcomes: Iterable[tuple[str, int]]) -> None:
        """Keep (outcome, number)."""
        self.db.executemany("UPDATE records SET outcome = ? WHERE number = ?", outcomes)

    def refuse(self, number: int, field: str, reason: str) -> None:
        """Refuse a record; the first reason stays."""
        self.db.execute(
            "UPDATE records SET outcome = 'refused', field = ?, reason = ? WHERE number = ? AND outcome <> 'refused'",
            (field, reason, number),
        )

    def outcome_of(self, noun: str, record: str) -> str | None:
        """What becomes of a record of the export; None where it is not in it."""
        found = self.db.execute("SELECT outcome FROM records WHERE noun = ? AND record = ?", (noun, record)).fetchone()
        return None if found is None else found[0]

    def totals(self) -> dict[str, int]:
        """How many there are of each outcome."""
        return dict(self.db.execute("SELECT outcome, count(*) FROM records GROUP BY outcome"))

    def lines(self) -> Iterator[tuple[int, str, str, str | None, str | None, str | None]]:
        """Number, noun, outcome, field, reason and key of each record, in the export's order."""
        yield from self.db.cursor().execute(
            "SELECT number, noun, outcome, field, reason, record FROM records ORDER BY number"
        )

    def keys(self, noun: str, *outcomes: str) -> Iterator[str]:
        """The keys of the records of these outcomes."""
        for batch in self.batches(noun, *outcomes):
            yield from (staged.record for staged in batch)

    def coming(self, noun: str, record: str) -> Content | None:
        """What a record is to be, if the export writes it."""
        return self.content_of(noun, record) if self.outcome_of(noun, record) in NEW else None

    def pairs_of(self, number: int, pair: str) -> str | None:
        """Another record of the export that holds the pair and comes before this one and is not refused."""
        found = self.db.execute(
            "SELECT record FROM records WHERE pair = ? AND number < ? AND outcome <> 'refused' LIMIT 1", (pair, number)
        ).fetchone()
        return None if found is None else str(found[0])


class Targets(Mapping[Key, Content | None]):
    """What the tables are to say: the records that are created or changed, looked up when their turn comes."""

    def __init__(self, staging: OwnStaging) -> None:
        self.staging = staging

    def __getitem__(self, key: Key) -> Content | None:
        content = self.staging.content_of(*key)
        if content is None:
            raise KeyError(key)
        return content

    def __iter__(self) -> Iterator[Key]:
        for noun in RECORDS:
            for record in self.staging.keys(noun, *NEW):
                yield noun, record

    def __len__(self) -> int:
        totals = self.staging.totals()
        return totals.get("created", 0) + totals.get("changed", 0)
