"""The whole registry in one file, and back: records, journal, accounts and keys, on either engine.

The file is gzipped NDJSON and says nothing of the engine that it came from, so that it is also the way from
SQLite to PostgreSQL and back:

    {"format": "sistercities-backup", "version": 1, "migration", "revision", "program", "time", "sequences"}
    {"table": "cities", "columns": ["id", "name", …]}       once for each table
    {"rows": [[1, "Chicago", …], …]}                        none, one or many after their table
    {"rows_of": {"cities": 20, …}, "sha256": "…"}           last: over every byte (unzipped) before this line

Dates are ISO 8601, bytes are base64. `sequences` holds the highest id ever given in each table, so that an id
that was deleted does not come back after a restore and mix two histories.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import orjson
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Table, func, insert, select, text, update
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session

from app.errors import RegistryDamaged, StateConflict
from app.models import Base, RegistryState
from app.registry import migrating
from app.registry.database import Database, ReadingSession, now, translated

FORMAT = "sistercities-backup"
VERSION = 1
BATCH = 500
TABLES: dict[str, Table] = {str(table.name): table for table in Base.metadata.sorted_tables}
#: Tables whose ids the database gives out.
NUMBERED = [name for name, table in TABLES.items() if table.autoincrement_column is not None]
STATE = RegistryState.__tablename__

#: Called now and then with the work done and all there is, in one unit: rows (backup) or bytes (restore).
Progress = Callable[[int, int], None]
Line = dict[str, Any]

#: What JSON has no word for, by the column's Python type: out of the database, and into it.
OUT: dict[type, Callable[[Any], Any]] = {date: date.isoformat, bytes: lambda value: b64encode(value).decode()}
IN: dict[type, Callable[[Any], Any]] = {
    date: date.fromisoformat,
    bytes: lambda value: b64decode(value, validate=True),
}


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds: the revision, when and by which program it was made, the rows of each table."""

    revision: int
    migration: str
    program: str
    time: str
    rows: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> Line:
        """JSON-ready."""
        return asdict(self)


# --- out -------------------------------------------------------------------------------------------------


def backup(
    database: Database, path: Path | str, *, replace: bool = False, progress: Progress | None = None
) -> BackupReport:
    """Write everything to `path`, from one snapshot, in constant memory, while writers go on.

    The file appears under its name only when it is complete and on the disk. An existing one is refused
    (StateConflict) unless `replace`.
    """
    target = Path(path)
    if target.exists() and not replace:
        raise StateConflict("This file exists already: name another one, or say that it is to be replaced (--replace).")
    with database.reading() as session, _complete_or_absent(target) as file, _zipped(file) as zipped:
        return _write(session, zipped, progress)


def _zipped(file: IO[bytes]) -> gzip.GzipFile:
    return gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6)


@contextmanager
def _complete_or_absent(target: Path) -> Iterator[IO[bytes]]:
    """A file of this account only (it holds the digests of keys), which takes its name at the end."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(target)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Without it the new name itself may be lost when the power fails."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Lines:
    """Writes lines, and knows the digest of all that it wrote."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def write(self, line: Line) -> None:
        data = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        self.digest.update(data)
        self.file.write(data)


def _write(session: ReadingSession, file: gzip.GzipFile, progress: Progress | None) -> BackupReport:
    lines = _Lines(file)
    header = _header(session)
    lines.write(header)
    total = sum(_count(session, table) for table in TABLES.values()) if progress else 0
    rows_of: dict[str, int] = {}
    for name, table in TABLES.items():
        lines.write({"table": name, "columns": [str(column.name) for column in table.columns]})
        rows_of[name] = 0
        for batch in _batches(session, table):
            lines.write({"rows": batch})
            rows_of[name] += len(batch)
            if progress:
                progress(sum(rows_of.values()), total)
    lines.write({"rows_of": rows_of, "sha256": lines.digest.hexdigest()})
    return _report(header, rows_of)


def _header(session: ReadingSession) -> Line:
    return {
        "format": FORMAT,
        "version": VERSION,
        "migration": MigrationContext.configure(session.connection()).get_current_revision(),
        "revision": session.number(),
        "program": version("sistercities"),
        "time": now(),
        "sequences": {name: _highest_id(session, TABLES[name]) for name in NUMBERED},
    }


def _report(header: Line, rows_of: Mapping[str, int]) -> BackupReport:
    known = {name: header[name] for name in ("revision", "migration", "program", "time")}
    return BackupReport(rows=dict(rows_of), **known)


def _count(session: Session, table: Table) -> int:
    return session.execute(select(func.count()).select_from(table)).scalar_one()


def _highest_id(session: Session, table: Table) -> int:
    """The highest id that this table ever gave out; rows put in with an id of their own count as well."""
    if session.get_bind().dialect.name == "sqlite":
        given = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    else:
        given = text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:name, 'id'))")
    last = session.execute(given, {"name": table.name}).scalar_one_or_none()
    largest = session.execute(select(func.max(table.c.id))).scalar_one()
    return max(last or 0, largest or 0)


def _batches(session: Session, table: Table) -> Iterator[list[list[Any]]]:
    statement = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=BATCH)
    writers = [OUT.get(_type(column)) for column in table.columns]
    for batch in session.execute(statement).partitions():
        yield [_converted(row, writers) for row in batch]


def _type(column: Column[Any]) -> type:
    return column.type.python_type


def _converted(row: Iterable[Any], converters: list[Callable[[Any], Any] | None]) -> list[Any]:
    return [
        value if convert is None or value is None else convert(value)
        for value, convert in zip(row, converters, strict=True)
    ]


# --- in --------------------------------------------------------------------------------------------------


def restore(
    database: Database, path: Path | str, *, replace: bool = False, progress: Progress | None = None
) -> BackupReport:
    """Put a backup into an empty registry, or with `replace` in the place of all that the registry holds.

    The file is checked whole before the database is touched, and again on the way in; all or nothing is kept.
    Raises RegistryDamaged (not a backup, or not a whole one), StateConflict (the registry is not empty, or
    the backup is of another migration), RegistryBusy. A server that runs on a registry that is replaced has
    to be started anew: its caches go by the revision.
    """
    with Path(path).open("rb") as file, _fitting():
        size = os.fstat(file.fileno()).st_size
        header, rows_of = _check(_watched(file, progress, start=0, total=2 * size))
        with translated(), database.engine.execution_options(writing=True).begin() as connection:
            _lock(connection, database.write_wait)
            _clear(connection, replace=replace)
            _load(connection, _watched(file, progress, start=size, total=2 * size))
            _set_sequences(connection, header["sequences"])
            _settle(connection)
    return _report(header, rows_of)


def _damaged(what: str) -> RegistryDamaged:
    return RegistryDamaged(f"{what} Nothing was changed.")


@contextmanager
def _fitting() -> Iterator[None]:
    """A file can be whole and yet hold rows that this database refuses, if somebody made it by hand."""
    try:
        yield
    except OperationalError:
        raise
    except (DatabaseError, LookupError, TypeError, ValueError) as error:
        raise _damaged("The backup's rows do not fit into a registry.") from error


def _watched(file: IO[bytes], progress: Progress | None, *, start: int, total: int) -> Iterator[Line]:
    """The lines of the file from its beginning, telling how far into it they are."""
    file.seek(0)
    for line in _lines(file):
        if progress:
            progress(start + file.tell(), total)
        yield line


def _lines(file: IO[bytes]) -> Iterator[Line]:
    """The lines as they come. They are to be kept only if all of them came: the last one vouches for them."""
    digest = hashlib.sha256()
    rows_of: dict[str, int] = {}
    table, vouched = "", False
    for data, line in _parsed(file):
        if vouched or ("sha256" in line and not _vouches(line, digest.hexdigest(), rows_of)):
            raise _damaged("The backup was altered or damaged: its checksum does not fit.")
        vouched = "sha256" in line
        digest.update(data)
        if "table" in line:
            table = line["table"]
            rows_of[table] = 0
        elif "rows" in line:
            rows_of[table] += len(line["rows"])
        yield line
    if not vouched:
        raise _damaged("The backup is cut short: its last line is missing.")


def _vouches(last: Line, digest: str, rows_of: Mapping[str, int]) -> bool:
    return last["sha256"] == digest and last.get("rows_of") == rows_of


def _parsed(file: IO[bytes]) -> Iterator[tuple[bytes, Line]]:
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as zipped:
            for data in zipped:
                line = orjson.loads(data)
                if not isinstance(line, dict):
                    raise _damaged("This is not a backup of a registry.")
                yield data, line
    except EOFError:
        raise _damaged("The backup is cut short.") from None
    except (gzip.BadGzipFile, zlib.error, orjson.JSONDecodeError):
        raise _damaged("This is not a backup of a registry, or a damaged one.") from None


def _check(lines: Iterator[Line]) -> tuple[Line, dict[str, int]]:
    """The header and the rows of each table, after every line was read and found to be in order."""
    header = next(lines)
    _refuse_foreign(header)
    tables: list[str] = []
    for line in lines:
        if "table" in line:
            _refuse_table(line)
            tables.append(line["table"])
        rows_of = line.get("rows_of")
    if sorted(tables) != sorted(TABLES):
        raise _damaged("The backup does not hold every table once.")
    assert rows_of is not None
    return header, rows_of


def _refuse_foreign(header: Line) -> None:
    if header.get("format") != FORMAT:
        raise _damaged("This is not a backup of a registry.")
    if header.get("version") != VERSION:
        raise StateConflict("This backup is of another format: restore it with the program that wrote it.")
    if header.get("migration") != migrating.head():
        raise StateConflict(
            f"The backup is of migration {header.get('migration')} (program {header.get('program')}), this"
            f" program is at {migrating.head()}: restore it with that program, then migrate with this one."
        )


def _refuse_table(line: Line) -> None:
    table = TABLES.get(line["table"])
    if table is None or sorted(line["columns"]) != sorted(table.columns.keys()):
        raise _damaged("The backup holds a table that this program does not know.")


def _lock(connection: Connection, write_wait: float) -> None:
    """Nobody else writes meanwhile. SQLite has locked already; PostgreSQL lets readers go on."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = {int(write_wait * 1000)}"))
        connection.execute(text(f"LOCK TABLE {', '.join(TABLES)} IN EXCLUSIVE MODE"))


def _clear(connection: Connection, *, replace: bool) -> None:
    held = [name for name in TABLES if name != STATE and _holds(connection, TABLES[name])]
    revision = connection.execute(select(TABLES[STATE].c.revision)).scalar_one()
    if (held or revision) and not replace:
        raise StateConflict(
            f"The registry is not empty (revision {revision}): restore into a new database,"
            " or say that all it holds is to be replaced (--replace)."
        )
    for name in reversed(held):
        connection.execute(TABLES[name].delete())


def _holds(connection: Connection, table: Table) -> bool:
    return connection.execute(select(1).select_from(table).limit(1)).first() is not None


def _load(connection: Connection, lines: Iterator[Line]) -> None:
    table, columns = TABLES[STATE], list[str]()
    for line in lines:
        if "table" in line:
            table, columns = TABLES[line["table"]], line["columns"]
        elif line.get("rows"):
            readers = [IN.get(_type(table.columns[name])) for name in columns]
            rows = [dict(zip(columns, _converted(row, readers), strict=True)) for row in line["rows"]]
            _put(connection, table, rows)


def _put(connection: Connection, table: Table, rows: list[Line]) -> None:
    if table.name != STATE:
        connection.execute(insert(table), rows)
        return
    # That row is the write lock: a writer who waits for it must find it again.
    for row in rows:
        connection.execute(update(table).where(table.c.id == row["id"]).values(row))


def _set_sequences(connection: Connection, sequences: Mapping[str, int]) -> None:
    set_one = _set_in_sqlite if connection.dialect.name == "sqlite" else _set_in_postgresql
    for name in NUMBERED:
        set_one(connection, name, int(sequences[name]))


def _set_in_sqlite(connection: Connection, name: str, highest: int) -> None:
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
    connection.execute(
        text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), {"name": name, "seq": highest}
    )


def _set_in_postgresql(connection: Connection, name: str, highest: int) -> None:
    # Not setval(): that outlives a rollback, and a refused restore would leave numbers that are taken.
    sequence = connection.execute(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": name}).scalar_one()
    connection.execute(text(f"ALTER SEQUENCE {sequence} RESTART WITH {highest + 1}"))


def _settle(connection: Connection) -> None:
    """Check the deferred foreign keys now, where a fault can still be explained; the commit does it too."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    elif connection.execute(text("PRAGMA foreign_key_check")).first():
        raise ValueError("A row points nowhere.")
