"""Sources, citations (a source's support for the value of a field of a record), reported figures."""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Key, Part, Record, early, late, one_of, reference

Comparator = Literal["exactly", "over", "about", "at_least"]
COMPARATORS: tuple[str, ...] = get_args(Comparator)
Measure = Literal["partnerships", "cities", "countries", "continents", "communities", "years_between_new_partnerships"]
MEASURES: tuple[str, ...] = get_args(Measure)
CITED = {
    "cities": "city_id",
    "partnerships": "partnership_id",
    "programs": "program_id",
    "organisations": "organisation_id",
    "reported_figures": "reported_figure_id",
}


class Source(Record):
    """A document. `key` is a short handle such as `S14`."""

    __tablename__ = "sources"
    NOUN = "sources"
    CONTENT = ("key", "title", "author", "publisher", "url", "published", "note")
    DATES = ("published",)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str | None] = mapped_column(Key, unique=True)
    title: Mapped[str]
    author: Mapped[str | None]
    publisher: Mapped[str | None]
    url: Mapped[str | None]
    published: Mapped[str | None]
    published_earliest: Mapped[date] = early()
    published_latest: Mapped[date] = late()
    note: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("length(title) BETWEEN 1 AND 500", name="title_length"),
        {"sqlite_autoincrement": True},
    )


class ReportedFigure(Record):
    """A claim about totals: "over 2,000 partnerships in 136 countries" (2011)."""

    __tablename__ = "reported_figures"
    NOUN = "reported_figures"
    CONTENT = (
        "source_id", "scope", "country", "other_country", "measure", "comparator", "value", "as_of", "note",
    )  # fmt: skip
    DATES = ("as_of",)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    source_id: Mapped[int] = reference("sources.id", index=True)
    scope: Mapped[str]
    country: Mapped[str | None] = reference("countries.code", type_=Key)
    other_country: Mapped[str | None] = reference("countries.code", type_=Key)
    measure: Mapped[str] = mapped_column(Key)
    comparator: Mapped[str] = mapped_column(Key)
    value: Mapped[float]
    as_of: Mapped[str | None]
    as_of_earliest: Mapped[date] = early()
    as_of_latest: Mapped[date] = late()
    note: Mapped[str | None]

    __table_args__ = (
        one_of("measure", MEASURES),
        one_of("comparator", COMPARATORS),
        CheckConstraint("value >= 0", name="value_not_negative"),
        CheckConstraint("other_country IS NULL OR country IS NOT NULL", name="country_first"),
        CheckConstraint("length(scope) BETWEEN 1 AND 500", name="scope_length"),
        {"sqlite_autoincrement": True},
    )


class Citation(Part):
    """A source's support for a field of exactly one record. `value`: what the source says (empty: it says
    what the record says); `value_city_id`: the city it means, where the field is about cities."""

    __tablename__ = "citations"
    PART = "citations"
    OWNERS = CITED
    CONTENT = ("source_id", "field", "value", "value_city_id", "locator")

    source_id: Mapped[int] = reference("sources.id", index=True)
    city_id: Mapped[int | None] = reference("cities.id", index=True)
    partnership_id: Mapped[int | None] = reference("partnerships.id", index=True)
    program_id: Mapped[int | None] = reference("programs.id", index=True)
    organisation_id: Mapped[int | None] = reference("organisations.id", index=True)
    reported_figure_id: Mapped[int | None] = reference("reported_figures.id", index=True)
    field: Mapped[str] = mapped_column(Key)
    value: Mapped[str | None]
    value_city_id: Mapped[int | None] = reference("cities.id", index=True)
    locator: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(
            " + ".join(f"(CASE WHEN {column} IS NULL THEN 0 ELSE 1 END)" for column in CITED.values()) + " = 1",
            name="exactly_one_record",
        ),
        {"sqlite_autoincrement": True},
    )
