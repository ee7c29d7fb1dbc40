"""Rows into tables, past the ORM, and the numbers for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from app.models.base import Base
from app.registry.content import table_of

#: Rows in one statement. SQLite takes 32,766 values in one, and no table here has a hundred columns.
TOGETHER = 200
CACHE_KIB = 65_536


def _quoted(columns: Sequence[str]) -> list[str]:
    return [f'"{column}"' for column in columns]


class Bulk:
    """Adds rows to tables, past the ORM: SQLite's driver takes tuples, PostgreSQL a COPY. Numbers are taken from the
    tables' own sequences, so that whoever comes next goes on behind them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sqlite = connection.dialect.name == "sqlite"

    @contextmanager
    def roomy(self) -> Iterator[None]:
        """With a page cache in which the indexes of many rows have room; SQLite's own is 2 MB."""
        if not self._sqlite:
            yield
            return
        usual = self._number("PRAGMA cache_size")
        self._connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KIB}")
        try:
            yield
        finally:
            self._connection.exec_driver_sql(f"PRAGMA cache_size = {usual}")

    def add(self, model: type[Base], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """The rows, values in the order of the columns; days as ISO text."""
        if not rows:
            return
        name = table_of(model).name
        if not self._sqlite:
            self._copy(name, columns, rows)
            return
        self._insert(name, columns, rows)

    def _insert(self, name: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        # Many rows to a statement: one that adds a single row costs twice as much a row, most of it for its step.
        head = f"INSERT INTO {name} ({', '.join(_quoted(columns))}) VALUES "  # noqa: S608 (our own names)
        one = f"({', '.join('?' * len(columns))})"
        whole = len(rows) // TOGETHER * TOGETHER
        if whole:
            packed = [tuple(chain.from_iterable(rows[at : at + TOGETHER])) for at in range(0, whole, TOGETHER)]
            self._connection.exec_driver_sql(head + ", ".join([one] * TOGETHER), packed)
        if rows[whole:]:
            self._connection.exec_driver_sql(head + one, list(rows[whole:]))

    def _copy(self, name: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        driver: Any = self._connection.connection.driver_connection
        listed = ", ".join(_quoted(columns))
        with driver.cursor() as cursor, cursor.copy(f"COPY {name} ({listed}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def take(self, model: type[Base], count: int) -> int:
        """The first of so many new numbers that follow one another."""
        name = table_of(model).name
        if self._sqlite:
            given = f"SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = '{name}'"  # noqa: S608
            kept = f"SELECT coalesce(max(id), 0) FROM {name}"  # noqa: S608
            return self._number(f"SELECT max(({given}), ({kept}))") + 1
        # Nobody else takes numbers of these tables: that needs the write lock.
        sequence = f"pg_get_serial_sequence('{name}', 'id')"
        first = self._number(f"SELECT nextval({sequence})")
        if count > 1:
            self._number(f"SELECT setval({sequence}, {first + count - 1})")
        return first

    def _number(self, statement: str) -> int:
        return int(self._connection.exec_driver_sql(statement).scalar_one())


class Numbers:
    """Hands out numbers of a table one by one, taken from its sequence in blocks of exactly what is needed."""

    def __init__(self, bulk: Bulk, model: type[Base], count: int) -> None:
        self.next = bulk.take(model, count) if count else 0

    def take(self, count: int) -> int:
        """The first of the next so many."""
        first = self.next
        self.next += count
        return first
