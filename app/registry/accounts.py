"""Who may write: accounts and their API keys. Outside the journal: nothing here takes a revision number.

A key is shown once, when it is made; the database keeps its SHA-256. No salt or slow hash is needed: a key is
256 random bits, which nobody guesses from its digest.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.domain.texts import clean
from app.errors import InvalidValue, RecordNotFound, StateConflict
from app.models import Account, ApiKey
from app.models.accounts import ROLES
from app.registry.database import Database, now, translated

PREFIX = "sc_"
LABEL_LIMIT = 100
LONGEST_KEY = 200
#: The labels under which the registry itself writes; nobody else's revisions may look like its own.
RESERVED = {"cli", "seeds"}

#: A key's last use is noted this often, and the note waits this long (milliseconds) for another writer.
NOTED_EVERY = timedelta(minutes=1)
PATIENCE = 20

ENSURE_ACCOUNT = text("INSERT INTO accounts (label, created_at) VALUES (:label, :now) ON CONFLICT (label) DO NOTHING")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: the account behind a valid key, and what the key allows."""

    account_id: int
    account: str
    role: str
    key_id: int
    last_used_at: str | None


@contextmanager
def aside(database: Database) -> Iterator[Session]:
    """A session for what is outside the journal: committed when the block ends, no revision number."""
    with translated(), Session(database.engine.execution_options(writing=True)) as session:
        if not database.is_sqlite:
            session.execute(text(f"SET LOCAL lock_timeout = {int(database.write_wait * 1000)}"))
        yield session
        session.commit()


def create_key(session: Session, *, role: str, label: str, account: str | None = None) -> str:
    """A new key, in plain text: this is the only time that anyone sees it.

    The account (by default of the key's own label) is made if it is new. Raises InvalidValue.
    """
    if role not in ROLES:
        raise InvalidValue(f"A key's role is one of: {', '.join(ROLES)}.", field="role")
    label = clean(label, field="label", limit=LABEL_LIMIT)
    owner = _account(session, label if account is None else clean(account, field="account", limit=LABEL_LIMIT))
    key = PREFIX + secrets.token_urlsafe(32)
    session.add(ApiKey(account_id=owner, digest=_digest(key), role=role, label=label, created_at=now()))
    session.flush()
    return key


def _account(session: Session, label: str) -> int:
    if label.casefold() in RESERVED:
        raise InvalidValue(
            "The registry itself writes under this account: choose another label, or name another account.",
            field="account",
        )
    session.execute(ENSURE_ACCOUNT, {"label": label, "now": now()})
    return session.execute(select(Account.id).where(Account.label == label)).scalar_one()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


LISTED = (
    ApiKey.id, Account.label.label("account"), ApiKey.label, ApiKey.role, ApiKey.created_at,
    ApiKey.last_used_at, ApiKey.revoked_at,
)  # fmt: skip


def list_keys(session: Session) -> list[dict[str, Any]]:
    """All keys, oldest first: id, account, label, role, created_at, last_used_at, revoked_at; no digests."""
    statement = select(*LISTED).join(Account, Account.id == ApiKey.account_id).order_by(ApiKey.id)
    return [dict(row) for row in session.execute(statement).mappings()]


def revoke(session: Session, key: int | str) -> dict[str, Any]:
    """Revoke the key of this number or label, at once and for good; what `list_keys` says of it now.

    Revoking twice changes nothing. Raises RecordNotFound; StateConflict where several keys have the label.
    """
    number = _find(session, str(key))
    session.execute(update(ApiKey).where(ApiKey.id == number, ApiKey.revoked_at.is_(None)).values(revoked_at=now()))
    return next(row for row in list_keys(session) if row["id"] == number)


def _find(session: Session, key: str) -> int:
    known = list_keys(session)
    found = [row for row in known if str(row["id"]) == key] or [row for row in known if row["label"] == key]
    standing = [row for row in found if row["revoked_at"] is None] or found[:1]
    if not standing:
        raise RecordNotFound("keys", key)
    if len(standing) > 1:
        numbers = ", ".join(str(row["id"]) for row in standing)
        raise StateConflict(f"Several keys have this label: name the one you mean by its number ({numbers}).")
    return int(standing[0]["id"])


def authenticate(session: Session, key: str) -> Principal | None:
    """Whose key this is; None where it is unknown or revoked."""
    if len(key) > LONGEST_KEY or not key.isascii():
        return None
    statement = (
        select(Account.id, Account.label, ApiKey.role, ApiKey.id, ApiKey.last_used_at)
        .join(Account, Account.id == ApiKey.account_id)
        .where(ApiKey.digest == _digest(key), ApiKey.revoked_at.is_(None))
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else Principal(*row)


def mark_used(database: Database, principal: Principal) -> bool:
    """Note that the key was used, at most once a minute. Whether it was noted.

    A courtesy to the owner: it never fails a request, and gives up at once where another writer is at work.
    Call it while no other session of this thread is open, since that one may be what it would wait for.
    """
    before = _stamp(datetime.now(UTC) - NOTED_EVERY)
    if principal.last_used_at is not None and principal.last_used_at > before:
        return False
    unnoted = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= before)
    note = update(ApiKey).where(ApiKey.id == principal.key_id, unnoted).values(last_used_at=now())
    try:
        with _impatient(database) as connection:
            return connection.execute(note).rowcount == 1
    except SQLAlchemyError:
        return False


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@contextmanager
def _impatient(database: Database) -> Iterator[Connection]:
    """A transaction that hardly waits for a lock. SQLite's patience belongs to the connection, which returns
    to the pool as it was."""
    with database.engine.execution_options(writing=True).connect() as connection:
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            with connection.begin():
                connection.execute(text(f"SET LOCAL lock_timeout = {PATIENCE}"))
                yield connection
            return
        driver.execute(f"PRAGMA busy_timeout = {PATIENCE}")
        try:
            with connection.begin():
                yield connection
        finally:
            driver.execute(f"PRAGMA busy_timeout = {int(database.write_wait * 1000)}")
