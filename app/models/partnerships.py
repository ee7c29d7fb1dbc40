"""Partnerships: one agreement between two or more cities, its members, events, and derived spells."""

from __future__ import annotations

import datetime
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Part, Record, early, late, merged_index, one_of, reference

PartnershipKind = Literal[
    "sister_city", "twin_town", "friendship_city", "partner_city",
    "cooperation", "project", "charter", "other",
]  # fmt: skip
PARTNERSHIP_KINDS: tuple[str, ...] = get_args(PartnershipKind)
Status = Literal["proposed", "active", "suspended", "ended", "unknown"]
STATUSES: tuple[str, ...] = get_args(Status)
EventType = Literal[
    "proposed", "decided", "signed", "renewed", "joined", "left",
    "suspended", "resumed", "ended", "rejected", "anniversary", "note",
]  # fmt: skip
EVENT_TYPES: tuple[str, ...] = get_args(EventType)
OrganisationRole = Literal["coordinates", "recognises", "signed"]
ORGANISATION_ROLES: tuple[str, ...] = get_args(OrganisationRole)


class Partnership(Record):
    """One agreement. Status, established, ended, pair key and spells are computed from the events."""

    __tablename__ = "partnerships"
    NOUN = "partnerships"
    CONTENT = ("kind", "designation", "title", "note", "succeeds_id", "merged_into_id")
    DATES = ("established", "ended")

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(Key)
    designation: Mapped[str | None]
    title: Mapped[str | None]
    note: Mapped[str | None]
    succeeds_id: Mapped[int | None] = reference("partnerships.id", index=True)
    merged_into_id: Mapped[int | None] = reference("partnerships.id")
    status: Mapped[str] = mapped_column(Key, default="unknown", index=True)
    established: Mapped[str | None]
    established_earliest: Mapped[datetime.date] = early()
    established_latest: Mapped[datetime.date] = late()
    ended: Mapped[str | None]
    ended_earliest: Mapped[datetime.date] = early()
    ended_latest: Mapped[datetime.date] = late()
    pair_key: Mapped[str | None] = mapped_column(Key)
    conflicts_count: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        one_of("kind", PARTNERSHIP_KINDS),
        one_of("status", STATUSES),
        CheckConstraint("succeeds_id <> id", name="succeeds_another"),
        CheckConstraint("merged_into_id <> id", name="merged_into_another"),
        # Two cities hold at most one unended partnership of a kind; an ended one does not stand in the way.
        Index(
            "uq_partnerships_standing_pair", "pair_key", "kind", unique=True,
            sqlite_where=text("status <> 'ended'"), postgresql_where=text("status <> 'ended'"),
        ),
        merged_index(),
        Index(None, "established_latest", "id"),
        Index(None, "established_earliest", "id"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip


class Member(Part):
    """A city's part in a partnership. `country` repeats the city's, so that one narrow table answers
    whose partnerships these are; the composite key keeps it true."""

    __tablename__ = "members"
    PART = "members"
    OWNERS = {"partnerships": "partnership_id"}
    CONTENT = ("city_id", "note")
    DATES = ("joined", "left")

    partnership_id: Mapped[int] = reference("partnerships.id")
    city_id: Mapped[int]
    country: Mapped[str] = mapped_column(Key)
    note: Mapped[str | None]
    status: Mapped[str] = mapped_column(Key, default="unknown")
    joined: Mapped[str | None]
    joined_earliest: Mapped[datetime.date] = early()
    joined_latest: Mapped[datetime.date] = late()
    left: Mapped[str | None]
    left_earliest: Mapped[datetime.date] = early()
    left_latest: Mapped[datetime.date] = late()

    __table_args__ = (
        ForeignKeyConstraint(
            ["city_id", "country"], ["cities.id", "cities.country"], deferrable=True, initially="DEFERRED"
        ),
        one_of("status", STATUSES),
        # The target of events' (member, partnership) keys: an event names members of its own partnership. In this
        # order it finds the members of a partnership, too.
        UniqueConstraint("partnership_id", "id"),
        Index(
            "uq_members_present", "partnership_id", "city_id", unique=True,
            sqlite_where=text("status <> 'ended'"), postgresql_where=text("status <> 'ended'"),
        ),
        Index(None, "city_id", "partnership_id"),
        Index(None, "country", "partnership_id"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip


def _member_reference(column: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        [column, "partnership_id"],
        ["members.id", "members.partnership_id"],
        deferrable=True,
        initially="DEFERRED",
    )


class Event(Part):
    """A dated fact in the life of a partnership. Order is (position, id); `declared_by` empty means all."""

    __tablename__ = "events"
    PART = "events"
    OWNERS = {"partnerships": "partnership_id"}
    CONTENT = ("type", "date", "position", "declared_by_id", "in_place_of_id", "authority", "note")
    DATES = ("date",)

    partnership_id: Mapped[int] = reference("partnerships.id")
    type: Mapped[str] = mapped_column(Key)
    date: Mapped[str | None]
    date_earliest: Mapped[datetime.date] = early()
    date_latest: Mapped[datetime.date] = late()
    position: Mapped[int]
    declared_by_id: Mapped[int | None]
    in_place_of_id: Mapped[int | None]
    authority: Mapped[str | None]
    note: Mapped[str | None]

    __table_args__ = (
        one_of("type", EVENT_TYPES),
        CheckConstraint("position >= 1", name="position_positive"),
        CheckConstraint(
            "declared_by_id IS NOT NULL OR type NOT IN ('joined', 'left')",
            name="joined_and_left_name_the_member",
        ),
        CheckConstraint("in_place_of_id IS NULL OR type = 'joined'", name="in_place_of_only_joined"),
        _member_reference("declared_by_id"),
        _member_reference("in_place_of_id"),
        Index(None, "partnership_id", "position"),
        {"sqlite_autoincrement": True},
    )


class Spell(Base):
    """A stretch of time with one status, of a member or (member null) of the whole. Derived, never content.
    `end_*` null: it lasts."""

    __tablename__ = "spells"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    partnership_id: Mapped[int] = reference("partnerships.id")
    member_id: Mapped[int | None]
    status: Mapped[str] = mapped_column(Key)
    begin_earliest: Mapped[datetime.date]
    begin_latest: Mapped[datetime.date]
    end_earliest: Mapped[datetime.date | None]
    end_latest: Mapped[datetime.date | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["member_id", "partnership_id"], ["members.id", "members.partnership_id"],
            deferrable=True, initially="DEFERRED",
        ),
        one_of("status", STATUSES),
        CheckConstraint("(end_earliest IS NULL) = (end_latest IS NULL)", name="ends_together"),
        Index(None, "partnership_id", "member_id"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip


class Fragment(Base):
    """A partnership's item in lists, ready as JSON text, without bookkeeping (revision and times). Derived, never
    content; kept in step by the journal's seal."""

    __tablename__ = "fragments"

    partnership_id: Mapped[int] = reference("partnerships.id", primary_key=True, autoincrement=False)
    item: Mapped[str]


class PartnershipOrganisation(Part):
    """An organisation that coordinates, recognises or signed a partnership."""

    __tablename__ = "partnership_organisations"
    PART = "organisations"
    OWNERS = {"partnerships": "partnership_id"}
    CONTENT = ("organisation_id", "role")

    partnership_id: Mapped[int] = reference("partnerships.id")
    organisation_id: Mapped[int] = reference("organisations.id", index=True)
    role: Mapped[str] = mapped_column(Key)

    __table_args__ = (
        one_of("role", ORGANISATION_ROLES),
        UniqueConstraint("partnership_id", "organisation_id", "role"),
        {"sqlite_autoincrement": True},
    )
