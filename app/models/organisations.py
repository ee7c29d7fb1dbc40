"""Organisations: who carries exchanges, and who coordinates, recognises or signed partnerships."""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Key, Record, one_of, reference

OrganisationKind = Literal[
    "school", "university", "consulate", "tourism_office",
    "chamber", "association", "network", "other",
]  # fmt: skip
ORGANISATION_KINDS: tuple[str, ...] = get_args(OrganisationKind)


class Organisation(Record):
    """A school, university, consulate …; `city_id`: its seat."""

    __tablename__ = "organisations"
    NOUN = "organisations"
    CONTENT = ("name", "kind", "city_id", "url", "note")
    FOLDED = {"name_key": "name"}

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(Key, index=True)
    kind: Mapped[str] = mapped_column(Key)
    city_id: Mapped[int | None] = reference("cities.id", index=True)
    url: Mapped[str | None]
    note: Mapped[str | None]

    __table_args__ = (
        one_of("kind", ORGANISATION_KINDS),
        CheckConstraint("length(name) BETWEEN 1 AND 300", name="name_length"),
        {"sqlite_autoincrement": True},
    )
