"""The import half of `bench/exchange.py`: a file of pairs, beside the ORM and the driver with the same rows."""

from __future__ import annotations

import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Table, create_engine, select

from app.exchange import import_files, importing, seeding
from app.exchange.importing import Options
from app.exchange.records import SourceNamed
from app.models import (
    Base,
    Change,
    Citation,
    City,
    Event,
    Fragment,
    Member,
    Partnership,
    Revision,
    Source,
    Spell,
)
from app.registry import Database, journal, open_registry
from app.registry.content import table_of

#: The tables that an import of pairs fills, those that others point to first.
MODELS: tuple[type[Base], ...] = (
    Revision, Source, City, Partnership, Member, Event, Spell, Citation, Fragment, Change,
)  # fmt: skip
#: What the journal writes by itself.
BY_JOURNAL = (Revision, Fragment, Change)
TABLES: list[Table] = [table_of(model) for model in MODELS]
OPTIONS = Options(source=SourceNamed(title="Pairs of twinned cities"), on_error="skip", create_cities=True)
Rows = dict[str, list[dict[str, Any]]]
Taken = tuple[float, float]


def seeded(folder: Path, name: str) -> Database:
    """A registry of its own with the seeds in it."""
    template = folder / "seeded.db"
    if not template.exists():
        database = open_registry(f"sqlite:///{template}", migrate=True)
        seeding.seed(database)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
    shutil.copyfile(template, folder / name)
    return open_registry(f"sqlite:///{folder / name}")


class Clock:
    """Seconds by the wall, and of this process's own work, which others on the machine disturb less."""

    def __init__(self) -> None:
        self._wall, self._work = time.perf_counter(), time.process_time()

    def taken(self) -> Taken:
        """Since it was made."""
        return time.perf_counter() - self._wall, time.process_time() - self._work


def take_in(database: Database, file: Path) -> tuple[Taken, Taken, dict[str, int]]:
    """What the whole import took, and its writing (to the end of the commit); the totals."""
    whole = Clock()
    with import_files.plan(database, import_files.open_file(file), OPTIONS, writes=True) as planned:
        writing = Clock()
        applied = importing.apply(database, planned, account="bench")
        written = writing.taken()
    assert applied.revision is not None
    return whole.taken(), written, dict(applied.totals)


def rows_of(database: Database, before: Path) -> Rows:
    """What an import added to the tables of a copy of `before`."""
    known: dict[str, set[Any]] = {}
    with create_engine(f"sqlite:///{before}").connect() as connection:
        for table in TABLES:
            keys = list(table.primary_key.columns)
            known[table.name] = {tuple(row) for row in connection.execute(select(*keys))}
    found: Rows = {}
    with database.reading() as session:
        for table in TABLES:
            names = [column.name for column in table.primary_key.columns]
            rows = [dict(row._mapping) for row in session.execute(select(table))]
            found[table.name] = [row for row in rows if tuple(row[name] for name in names) not in known[table.name]]
    return found


def by_orm(database: Database, rows: Rows) -> Taken:
    """What the ORM takes for the same rows: objects of our models made, added and committed, the journal (and
    the ready items of lists) written as it is with every commit."""
    clock = Clock()
    with database.writing(account="bench", reason="the same rows") as session:
        for model in MODELS:
            if model not in BY_JOURNAL:
                session.add_all([model(**row) for row in rows[table_of(model).name]])
        journal.commit(session)
    return clock.taken()


def by_driver(path: Path, rows: Rows) -> Taken:
    """What the driver's executemany takes for the same rows, foreign keys on, in one transaction."""
    statements = [_statement(table) for table in TABLES]
    values = [_values(table, rows[table.name]) for table in TABLES]
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    clock = Clock()
    connection.execute("BEGIN IMMEDIATE")
    for statement, several in zip(statements, values, strict=True):
        connection.executemany(statement, several)
    connection.execute("COMMIT")
    taken = clock.taken()
    connection.close()
    return taken


def _statement(table: Table) -> str:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    return f"INSERT INTO {table.name} ({columns}) VALUES ({', '.join('?' * len(table.columns))})"


def _values(table: Table, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = [column.name for column in table.columns]
    return [tuple(str(row[name]) if hasattr(row[name], "isoformat") else row[name] for name in names) for row in rows]


def compare(folder: Path, file: Path, *, rounds: int = 3) -> None:
    """All of them side by side, the best of some rounds each."""
    best: dict[str, Taken] = {}

    def keep(name: str, taken: Taken) -> None:
        known = best.get(name, taken)
        best[name] = min(taken[0], known[0]), min(taken[1], known[1])

    for place in range(rounds):
        database = seeded(folder, f"import-{place}.db")
        whole, writing, totals = take_in(database, file)
        keep("whole", whole)
        keep("writing", writing)
        rows = rows_of(database, folder / "seeded.db")
        database.close()
        orm = seeded(folder, f"orm-{place}.db")
        keep("orm", by_orm(orm, rows))
        orm.close()
        seeded(folder, f"driver-{place}.db").close()
        keep("driver", by_driver(folder / f"driver-{place}.db", rows))
    count = sum(map(len, rows.values()))
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in totals.items())
    print(f"import of {file.name}: {sum(totals.values()):,} rows ({told})")
    print(f"  {count:,} rows of tables and journal, foreign keys on, best of {rounds} (by the wall / own work)")
    for name, words in WORDS.items():
        print(f"  {words:<34}{best[name][0]:7.2f} s /{best[name][1]:6.2f} s")
    print(f"  the whole import is {_times(best, 'orm', 'whole')} times as fast as the ORM   (6 wanted)")
    print(f"  its writing part reaches {_times(best, 'driver', 'writing')} of the driver   (0.5 wanted)")


WORDS = {
    "whole": "whole import, matching included",
    "writing": "its writing part",
    "orm": "ORM add_all of the same rows",
    "driver": "executemany of the same rows",
}


def _times(best: dict[str, Taken], one: str, other: str) -> str:
    return " / ".join(f"{a / b:.2f}" for a, b in zip(best[one], best[other], strict=True))
