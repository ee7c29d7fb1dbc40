"""Countries: ISO 3166-1, with Kosovo (XK) added."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CONTINENTS, Key, Part, Record, one_of, reference


class Country(Record):
    """One ISO 3166-1 entry on one continent."""

    __tablename__ = "countries"
    NOUN = "countries"
    KEY = "code"
    CONTENT = ("alpha3", "name", "official_name", "continent")
    FOLDED = {"name_key": "name"}

    code: Mapped[str] = mapped_column(Key, primary_key=True)
    alpha3: Mapped[str] = mapped_column(Key, unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    official_name: Mapped[str | None]
    continent: Mapped[str] = mapped_column(Key, index=True)
    name_key: Mapped[str] = mapped_column(Key, index=True)

    __table_args__ = (
        CheckConstraint("length(code) = 2", name="code_length"),
        CheckConstraint("length(alpha3) = 3", name="alpha3_length"),
        one_of("continent", CONTINENTS),
    )


class CountryAlias(Part):
    """Another spelling of a country's name, for matching. One country per folded spelling."""

    __tablename__ = "country_aliases"
    __table_args__ = (Index(None, "country"), {"sqlite_autoincrement": True})
    PART = "aliases"
    OWNERS = {"countries": "country"}
    CONTENT = ("text",)
    FOLDED = {"key": "text"}

    country: Mapped[str] = reference("countries.code")
    text: Mapped[str]
    key: Mapped[str] = mapped_column(Key, unique=True)
