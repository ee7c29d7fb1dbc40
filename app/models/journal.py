"""The journal: revisions, and the records as they stood after each."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Timestamp, reference


class RegistryState(Base):
    """One row: the newest revision. Its update is the write lock and every writing session's first step."""

    __tablename__ = "registry"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int]
    updated_at: Mapped[str] = mapped_column(Timestamp)

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class Revision(Base):
    """One committed step of the registry."""

    __tablename__ = "revisions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    time: Mapped[str] = mapped_column(Timestamp, index=True)
    account: Mapped[str] = mapped_column(Key, index=True)
    reason: Mapped[str | None]
    undoes: Mapped[int | None] = reference("revisions.number", index=True)


class Change(Base):
    """One record as it stood after a revision: canonical JSON, null when it was deleted."""

    __tablename__ = "changes"

    revision: Mapped[int] = reference("revisions.number", primary_key=True, autoincrement=False)
    noun: Mapped[str] = mapped_column(Key, primary_key=True)
    record: Mapped[str] = mapped_column(Key, primary_key=True)
    after: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index(None, "noun", "record", "revision"),)
