"""Exchange programs: what flows along a partnership; who takes part; its editions."""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Key, Part, Record, early, late, one_of, reference

Category = Literal[
    "education", "culture", "sport", "social_service", "business",
    "government", "youth", "tourism", "environment", "other",
]  # fmt: skip
CATEGORIES: tuple[str, ...] = get_args(Category)


class Program(Record):
    """An exchange program under one partnership."""

    __tablename__ = "programs"
    NOUN = "programs"
    CONTENT = ("partnership_id", "name", "category", "since", "until", "frequency", "description")
    DATES = ("since", "until")
    FOLDED = {"name_key": "name"}

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    partnership_id: Mapped[int] = reference("partnerships.id", index=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(Key, index=True)
    category: Mapped[str] = mapped_column(Key, index=True)
    since: Mapped[str | None]
    since_earliest: Mapped[date] = early()
    since_latest: Mapped[date] = late()
    until: Mapped[str | None]
    until_earliest: Mapped[date] = early()
    until_latest: Mapped[date] = late()
    frequency: Mapped[str | None]
    description: Mapped[str | None]

    __table_args__ = (
        one_of("category", CATEGORIES),
        CheckConstraint("length(name) BETWEEN 1 AND 300", name="name_length"),
        CheckConstraint("until_latest >= since_earliest", name="until_not_before_since"),
        {"sqlite_autoincrement": True},
    )


class Participant(Part):
    """An organisation that takes part in a program; `side_id`: the member city for whose side it does."""

    __tablename__ = "participants"
    PART = "participants"
    OWNERS = {"programs": "program_id"}
    CONTENT = ("organisation_id", "side_id")

    program_id: Mapped[int] = reference("programs.id")
    organisation_id: Mapped[int] = reference("organisations.id", index=True)
    side_id: Mapped[int | None] = reference("cities.id", index=True)

    __table_args__ = (UniqueConstraint("program_id", "organisation_id"), {"sqlite_autoincrement": True})


class Occasion(Part):
    """One edition of a program: people of the city `origin_id` came to the city `host_id`."""

    __tablename__ = "occasions"
    PART = "occasions"
    OWNERS = {"programs": "program_id"}
    CONTENT = ("title", "since", "until", "place", "origin_id", "host_id", "people", "note")
    DATES = ("since", "until")

    program_id: Mapped[int] = reference("programs.id")
    title: Mapped[str | None]
    since: Mapped[str | None]
    since_earliest: Mapped[date] = early()
    since_latest: Mapped[date] = late()
    until: Mapped[str | None]
    until_earliest: Mapped[date] = early()
    until_latest: Mapped[date] = late()
    place: Mapped[str | None]
    origin_id: Mapped[int | None] = reference("cities.id", index=True)
    host_id: Mapped[int | None] = reference("cities.id", index=True)
    people: Mapped[int | None]
    note: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("people >= 0", name="people_not_negative"),
        CheckConstraint("until_latest >= since_earliest", name="until_not_before_since"),
        Index(None, "program_id", "since_latest"),
        {"sqlite_autoincrement": True},
    )
