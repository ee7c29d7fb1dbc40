"""Cities (communities of any kind that can enter a partnership) and their child rows."""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Key, Part, Record, early, late, merged_index, one_of, reference

CityKind = Literal[
    "city", "town", "village", "parish", "municipality", "district",
    "county", "region", "island", "port", "other",
]  # fmt: skip
CITY_KINDS: tuple[str, ...] = get_args(CityKind)
NameKind = Literal["official", "exonym", "former", "short"]
NAME_KINDS: tuple[str, ...] = get_args(NameKind)


class City(Record):
    """A community. `merged_into` marks a duplicate record; real municipal history is in its successors."""

    __tablename__ = "cities"
    NOUN = "cities"
    CONTENT = (
        "name", "country", "kind", "subdivision", "latitude", "longitude", "part_of_id",
        "existed_from", "existed_until", "merged_into_id", "note",
    )  # fmt: skip
    DATES = ("existed_from", "existed_until")
    FOLDED = {"name_key": "name"}

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(Key)
    country: Mapped[str] = reference("countries.code", type_=Key)
    kind: Mapped[str] = mapped_column(Key)
    subdivision: Mapped[str | None] = mapped_column(Key)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    part_of_id: Mapped[int | None] = reference("cities.id", index=True)
    existed_from: Mapped[str | None]
    existed_from_earliest: Mapped[date] = early()
    existed_from_latest: Mapped[date] = late()
    existed_until: Mapped[str | None]
    existed_until_earliest: Mapped[date] = early()
    existed_until_latest: Mapped[date] = late()
    merged_into_id: Mapped[int | None] = reference("cities.id")
    note: Mapped[str | None]

    __table_args__ = (
        one_of("kind", CITY_KINDS),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude_range"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude_range"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="coordinates_together"),
        CheckConstraint("part_of_id <> id", name="part_of_another"),
        CheckConstraint("merged_into_id <> id", name="merged_into_another"),
        CheckConstraint("length(name) BETWEEN 1 AND 300", name="name_length"),
        # The target of members' (city, country) key: whose partnerships these are stays true.
        UniqueConstraint("id", "country"),
        merged_index(),
        Index(None, "country", "name_key"),
        Index(None, "name_key"),
        Index(None, "latitude"),
        Index(None, "subdivision"),
        {"sqlite_autoincrement": True},
    )


class CityName(Part):
    """Another label of a city: text, BCP 47 language (`und` where it is not known), kind."""

    __tablename__ = "city_names"
    PART = "names"
    OWNERS = {"cities": "city_id"}
    CONTENT = ("text", "language", "kind")
    FOLDED = {"key": "text"}

    city_id: Mapped[int] = reference("cities.id")
    text: Mapped[str]
    language: Mapped[str] = mapped_column(Key, default="und")
    kind: Mapped[str] = mapped_column(Key)
    key: Mapped[str] = mapped_column(Key, index=True)

    __table_args__ = (
        one_of("kind", NAME_KINDS),
        CheckConstraint("length(text) BETWEEN 1 AND 300", name="text_length"),
        UniqueConstraint("city_id", "text", "language", "kind"),
        {"sqlite_autoincrement": True},
    )


class CityIdentifier(Part):
    """The city's key elsewhere (`wikidata`, `Q1297`). An identifier belongs to one city."""

    __tablename__ = "city_identifiers"
    PART = "identifiers"
    OWNERS = {"cities": "city_id"}
    CONTENT = ("scheme", "value")

    city_id: Mapped[int] = reference("cities.id", index=True)
    scheme: Mapped[str] = mapped_column(Key)
    value: Mapped[str] = mapped_column(Key)

    __table_args__ = (UniqueConstraint("scheme", "value"), {"sqlite_autoincrement": True})


class CityPopulation(Part):
    """People in a year; year null where the source names none."""

    __tablename__ = "city_populations"
    PART = "populations"
    OWNERS = {"cities": "city_id"}
    CONTENT = ("people", "year")

    city_id: Mapped[int] = reference("cities.id")
    people: Mapped[int]
    year: Mapped[int | None]

    __table_args__ = (
        CheckConstraint("people >= 0", name="people_not_negative"),
        CheckConstraint("year BETWEEN 1 AND 9999", name="year_range"),
        UniqueConstraint("city_id", "year"),
        {"sqlite_autoincrement": True},
    )


class CitySuccessor(Part):
    """A city that took this one's place in real life (merged, split, renamed municipalities)."""

    __tablename__ = "city_successors"
    PART = "successors"
    OWNERS = {"cities": "city_id"}
    CONTENT = ("successor_id",)

    city_id: Mapped[int] = reference("cities.id")
    successor_id: Mapped[int] = reference("cities.id", index=True)

    __table_args__ = (
        CheckConstraint("successor_id <> city_id", name="successor_another"),
        UniqueConstraint("city_id", "successor_id"),
        {"sqlite_autoincrement": True},
    )
