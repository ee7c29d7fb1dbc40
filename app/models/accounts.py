"""Who may write: accounts, API keys, and answers kept for repeated requests. Outside the journal."""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy import CheckConstraint, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Timestamp, one_of, reference

Role = Literal["editor", "admin"]
ROLES: tuple[str, ...] = get_args(Role)


class Account(Base):
    """A person or program that writes. Its label stands in the revisions, so it is never reused."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    label: Mapped[str] = mapped_column(Key, unique=True)
    created_at: Mapped[str] = mapped_column(Timestamp)

    __table_args__ = (
        CheckConstraint("length(label) BETWEEN 1 AND 100", name="label_length"),
        {"sqlite_autoincrement": True},
    )


class ApiKey(Base):
    """A key of an account: only its SHA-256 is kept. `last_used_at` moves at most once a minute."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    account_id: Mapped[int] = reference("accounts.id", index=True)
    digest: Mapped[str] = mapped_column(Key, unique=True)
    role: Mapped[str] = mapped_column(Key)
    label: Mapped[str]
    created_at: Mapped[str] = mapped_column(Timestamp)
    last_used_at: Mapped[str | None] = mapped_column(Timestamp)
    revoked_at: Mapped[str | None] = mapped_column(Timestamp)

    __table_args__ = (
        one_of("role", ROLES),
        CheckConstraint("length(digest) = 64", name="digest_length"),
        {"sqlite_autoincrement": True},
    )


class IdempotencyKey(Base):
    """The answer once given to a POST with this `Idempotency-Key`, kept for 24 hours."""

    __tablename__ = "idempotency_keys"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    account_id: Mapped[int] = reference("accounts.id")
    key: Mapped[str] = mapped_column(Key)
    request_digest: Mapped[str] = mapped_column(Key)
    status: Mapped[int]
    headers: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[str] = mapped_column(Timestamp, index=True)

    __table_args__ = (UniqueConstraint("account_id", "key"), {"sqlite_autoincrement": True})
