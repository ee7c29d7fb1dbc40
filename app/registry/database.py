"""Engines and sessions. Reading and writing sessions are two types, and only writing ones take the lock.

A writing session's first statement takes the next revision number: that row is the one write lock, so
everything read after it is what the write is judged by. A reading session is one snapshot.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.errors import InvalidValue, RegistryBusy, RegistryDamaged

TAKE_REVISION = text(
    "UPDATE registry SET revision = revision + 1,"
    " updated_at = CASE WHEN updated_at > :now THEN updated_at ELSE :now END"
    " WHERE id = 1 RETURNING revision, updated_at"
)
#: PostgreSQL: lock_not_available, and the deadlock and serialisation failures that a retry mends.
BUSY_STATES = {"55P03", "40P01", "40001"}


def now() -> str:
    """UTC, RFC 3339, six decimals: the form in which times are kept."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class ReadingSession(Session):
    """One snapshot of the registry. It refuses to write."""

    def flush(self, objects: Any = None) -> None:
        """Reading sessions have nothing to flush; a pending change in one is a slip in our own code."""
        if self.new or self.dirty or self.deleted:
            raise RuntimeError("A reading session cannot write.")

    def commit(self) -> None:
        """Never: whatever statement slipped past the flush is rolled back with the snapshot."""
        raise RuntimeError("A reading session has nothing to commit.")

    def number(self) -> int:
        """The revision that this snapshot shows."""
        # Asked with every read: past the compiler, it costs a third.
        return int(self.connection().exec_driver_sql("SELECT revision FROM registry WHERE id = 1").scalar_one())


class WritingSession(Session):
    """Holds the write lock and the next revision number. `app.registry.journal` seals it before commit."""

    revision: int
    time: str
    account: str
    reason: str | None
    undoes: int | None
    touched: dict[tuple[str, str], bool]
    sealed: bool

    def touch(self, noun: str, record: int | str, *, force: bool = False) -> None:
        """Say that a record's rows may have changed; `force` journals it even if its content is the same."""
        if self.sealed:
            raise RuntimeError("The revision is sealed: nothing can be changed any more.")
        key = (noun, str(record))
        self.touched[key] = force or self.touched.get(key, False)

    def number(self) -> int:
        """The revision that this session is making."""
        return self.revision


AnySession = ReadingSession | WritingSession


def read_url(url: str) -> URL:
    """The database URL, checked; `postgresql://` means the psycopg driver."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidValue("The database URL cannot be read; an example: sqlite:///registry.db") from None
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise InvalidValue("The database URL must name a SQLite file (sqlite:///registry.db) or PostgreSQL.")
    return parsed


def build_engine(url: str, *, threads: int = 40, write_wait: float = 5.0) -> Engine:
    """An engine for either database, with what this registry relies on set on every connection."""
    parsed = read_url(url)
    try:
        engine = create_engine(
            parsed, pool_size=threads, max_overflow=8, hide_parameters=True, pool_pre_ping=not _is_sqlite(parsed)
        )
    except (NoSuchModuleError, ImportError):
        raise InvalidValue("This database is not supported: use SQLite or PostgreSQL.") from None
    if _is_sqlite(parsed):
        _prepare_sqlite(engine, write_wait)
    return engine


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _prepare_sqlite(engine: Engine, write_wait: float) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own transactions start too late and lose SAVEPOINTs: we say BEGIN ourselves.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {int(write_wait * 1000)}",
            "foreign_keys = ON",
            "journal_mode = WAL",
            "synchronous = FULL",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that turns from reading to writing fails whatever the timeout: writers say so first.
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


class Database:
    """One registry's engine, and the two kinds of session on it."""

    def __init__(self, url: str, *, threads: int = 40, write_wait: float = 5.0) -> None:
        self.url = read_url(url)
        self.engine = build_engine(url, threads=threads, write_wait=write_wait)
        self.write_wait = write_wait
        snapshot = (
            {"writing": False}
            if self.is_sqlite
            else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        self._reading = self.engine.execution_options(**snapshot)
        self._writing = self.engine.execution_options(writing=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded engine is in use."""
        return _is_sqlite(self.url)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def snapshot(self) -> ReadingSession:
        """A reading session that the caller closes. It connects at its first question: what that sees, it shows
        until it is closed."""
        return ReadingSession(self._reading, autoflush=False)

    @contextmanager
    def reading(self) -> Iterator[ReadingSession]:
        """A snapshot: revision and rows agree until the block ends."""
        with translated(), self.snapshot() as session:
            yield session

    @contextmanager
    def writing(
        self, *, account: str, reason: str | None = None, undoes: int | None = None
    ) -> Iterator[WritingSession]:
        """The write lock and a revision number. Nothing is kept unless `journal.commit` is called."""
        with translated(), WritingSession(self._writing) as session:
            session.account, session.reason, session.undoes = account, reason, undoes
            session.touched, session.sealed = {}, False
            session.revision, session.time = self._take_revision(session)
            yield session

    def _take_revision(self, session: WritingSession) -> tuple[int, str]:
        if not self.is_sqlite:
            session.execute(text(f"SET LOCAL lock_timeout = {int(self.write_wait * 1000)}"))
        row = session.execute(TAKE_REVISION, {"now": now()}).one_or_none()
        if row is None:
            raise RegistryDamaged("This database holds no registry: run `sistercities migrate` first.")
        return int(row.revision), str(row.updated_at)


@contextmanager
def translated() -> Iterator[None]:
    """A lock or a connection that was not to be had in time becomes `RegistryBusy`."""
    try:
        yield
    except PoolTimeout as error:
        raise RegistryBusy from error
    except DBAPIError as error:
        if _is_busy(error):
            raise RegistryBusy from error
        raise


def _is_busy(error: DBAPIError) -> bool:
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return (getattr(cause, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(cause, "sqlstate", None) in BUSY_STATES
