"""What an import keeps while it is prepared: in memory while it is little, else in a temporary SQLite file, so that
memory does not grow with the file that is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")
#: Rows that are worked on at once: enough that a question for all of them is cheap, few enough to hold.
BATCH = 5_000
#: So many of a kind are held in memory.
HELD = 50_000
#: Values in one SQL statement.
ASKED = 900


def asked(db: sqlite3.Connection, statement: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of a statement that asks for many values at once, where it says `(?)`."""
    for start in range(0, len(values), ASKED):
        some = values[start : start + ASKED]
        marks = ", ".join("?" * len(some))
        yield from db.execute(statement.replace("(?)", f"({marks})"), some)


class Shelf(Generic[T]):
    """Rows in the order in which they were put there. `row` and `read`: what of one a table's row holds, and back."""

    def __init__(
        self,
        db: sqlite3.Connection,
        table: str,
        columns: Sequence[str],
        *,
        row: Callable[[T], Any] | None = None,
        read: Callable[[Any], T] | None = None,
    ) -> None:
        listed, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self._db, self._table, self._row, self._read = db, table, row, read
        self._insert = f"INSERT INTO {table} ({listed}) VALUES ({marks})"  # noqa: S608 (our own names)
        self._select = f"SELECT {listed} FROM {table} ORDER BY rowid"  # noqa: S608
        self._held: list[T] | None = []

    def put(self, rows: Sequence[T]) -> None:
        """More of them."""
        if self._held is None:
            self._keep(rows)
            return
        self._held += rows
        if len(self._held) > HELD:
            self.spill()

    def spill(self) -> None:
        """Into the table, all of them."""
        if self._held is not None:
            rows, self._held = self._held, None
            self._keep(rows)

    def _keep(self, rows: Sequence[T]) -> None:
        self._db.executemany(self._insert, rows if self._row is None else [self._row(row) for row in rows])  # type: ignore[arg-type]

    def batches(self) -> Iterator[list[T]]:
        """All of them."""
        if self._held is not None:
            yield from (self._held[start : start + BATCH] for start in range(0, len(self._held), BATCH))
            return
        cursor = self._db.cursor().execute(self._select)
        while batch := cursor.fetchmany(BATCH):
            yield batch if self._read is None else [self._read(row) for row in batch]

    def clear(self) -> None:
        """Take them all away."""
        self._held = []
        self._db.execute(f"DELETE FROM {self._table}")  # noqa: S608


class Draft(NamedTuple):
    """A record that is to be written. `number`: its own, or negative, from -1 down, for a new one; `tie`: what tells
    it from others; `one`, `other`, `more`: its cities, where it is a new partnership; `row`: the first that speaks of
    it; `content`: JSON."""

    number: int
    tie: str
    one: int
    other: int
    more: str | None
    row: int
    content: str


class Drafts:
    """The drafts of an import, found by number and by tie."""

    TABLE = """
    CREATE TABLE drafts (
        number INTEGER PRIMARY KEY, tie TEXT NOT NULL, one INTEGER NOT NULL, other INTEGER NOT NULL, more TEXT,
        row INTEGER NOT NULL, content TEXT NOT NULL, made INTEGER
    );
    CREATE INDEX tied_drafts ON drafts (tie);
    """
    _ALL = ", ".join(Draft._fields)

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._held: dict[int, Draft] | None = {}
        self._tied: dict[str, list[int]] = {}
        self._made: dict[int, int] = {}
        self.new_ones = 0

    def clear(self) -> None:
        """Take them all away."""
        self._held, self._tied, self._made, self.new_ones = {}, {}, {}, 0
        self._db.execute("DELETE FROM drafts")

    def put(self, drafts: Iterable[Draft]) -> None:
        """More of them; of one that is known already only the content is new."""
        if self._held is None:
            self._keep(drafts)
            return
        for draft in drafts:
            known = self._held.get(draft.number)
            if known is not None:
                self._held[draft.number] = known._replace(content=draft.content)
                continue
            self._held[draft.number] = draft
            self._tied.setdefault(draft.tie, []).append(draft.number)
            self.new_ones += draft.number < 0
        if len(self._held) > HELD:
            held, self._held, self._tied = self._held, None, {}
            self._keep(held.values())

    def _keep(self, drafts: Iterable[Draft]) -> None:
        self._db.executemany(
            f"INSERT INTO drafts ({self._ALL}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 (our own names)
            " ON CONFLICT (number) DO UPDATE SET content = excluded.content",
            list(drafts),
        )
        self.new_ones = self._db.execute("SELECT count(*) FROM drafts WHERE number < 0").fetchone()[0]

    def tied(self, ties: Iterable[str]) -> list[Draft]:
        """The drafts of these ties."""
        if self._held is not None:
            held, known = self._held, self._tied
            return [held[number] for tie in ties if tie in known for number in known[tie]]
        statement = f"SELECT {self._ALL} FROM drafts WHERE tie IN (?) ORDER BY number"  # noqa: S608
        return [Draft(*row) for row in asked(self._db, statement, list(ties))]

    def get(self, number: int | None) -> Draft | None:
        """The draft of this number."""
        if self._held is not None:
            return None if number is None else self._held.get(number)
        row = self._db.execute(f"SELECT {self._ALL} FROM drafts WHERE number = ?", (number,)).fetchone()  # noqa: S608
        return None if row is None else Draft(*row)

    def new(self) -> Iterator[list[Draft]]:
        """New records, in the order in which the file named them."""
        return self._selected("number < 0", "number DESC", lambda draft: draft.number < 0, lambda draft: -draft.number)

    def changed(self) -> Iterator[list[Draft]]:
        """Known records."""
        return self._selected("number > 0", "number", lambda draft: draft.number > 0, lambda draft: draft.number)

    def in_order(self) -> Iterator[list[Draft]]:
        """All of them, as the rows of the file speak of them."""
        return self._selected("1", "row, number", lambda _draft: True, lambda draft: (draft.row, draft.number))

    def _selected(
        self, condition: str, order: str, wanted: Callable[[Draft], bool], key: Callable[[Draft], Any]
    ) -> Iterator[list[Draft]]:
        if self._held is not None:
            found = sorted(filter(wanted, self._held.values()), key=key)
            yield from (found[start : start + BATCH] for start in range(0, len(found), BATCH))
            return
        statement = f"SELECT {self._ALL} FROM drafts WHERE {condition} ORDER BY {order}"  # noqa: S608
        cursor = self._db.cursor().execute(statement)
        while batch := cursor.fetchmany(BATCH):
            yield [Draft(*row) for row in batch]

    def become(self, number: int, made: int) -> None:
        """A new record got this number."""
        if self._held is not None:
            self._made[number] = made
        else:
            self._db.execute("UPDATE drafts SET made = ? WHERE number = ?", (made, number))

    def became(self, number: int) -> int | None:
        """The number that a new record got; None as long as it has none."""
        if self._held is not None:
            return self._made.get(number)
        row = self._db.execute("SELECT made FROM drafts WHERE number = ?", (number,)).fetchone()
        return None if row is None else row[0]
