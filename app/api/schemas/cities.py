"""Bodies and answers of cities and their child rows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.api.schemas.common import (
    Answer,
    Body,
    CitationIn,
    CitationOut,
    CityReference,
    ConflictOut,
    CountryCode,
    Date,
    Id,
    Line,
    Named,
    Note,
    Reason,
    Recorded,
    left_out,
)
from app.models.cities import CityKind, NameKind

Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35, examples=["ja"])]
People = Annotated[int, Field(ge=0, le=2**53)]
Year = Annotated[int, Field(ge=1, le=9999)]


class NamePatch(Body):
    """What is to change in a name."""

    text: Line = left_out()
    language: Language | None = left_out()
    kind: NameKind = left_out()


class NameIn(NamePatch):
    """Another label of a city."""

    text: Line
    kind: NameKind


class NameOut(Answer):
    """Another label of a city; language `und` where it is not known."""

    id: Id
    text: str
    language: str
    kind: NameKind


class IdentifierPatch(Body):
    """What is to change in an identifier."""

    scheme: Annotated[str, Field(min_length=1, max_length=30, examples=["wikidata"])] = left_out()
    value: Annotated[str, Field(min_length=1, max_length=200, examples=["Q1297"])] = left_out()


class IdentifierIn(IdentifierPatch):
    """A city's key elsewhere."""

    scheme: Annotated[str, Field(min_length=1, max_length=30, examples=["wikidata"])]
    value: Annotated[str, Field(min_length=1, max_length=200, examples=["Q1297"])]


class IdentifierOut(Answer):
    """A city's key elsewhere, with its address there."""

    id: Id
    scheme: str
    value: str
    link: str | None


class PopulationPatch(Body):
    """What is to change in a population."""

    people: People = left_out()
    year: Year | None = left_out()


class PopulationIn(PopulationPatch):
    """People in a year."""

    people: People


class PopulationOut(Answer):
    """People in a year; year null where the source names none."""

    id: Id
    people: int
    year: int | None


class SuccessorIn(Body):
    """A city that took this one's place."""

    city: CityReference


class CityWithCountry(Named):
    """A city by number, name and country."""

    country: str


class SuccessorOut(Answer):
    """A city that took this one's place."""

    id: Id
    city: CityWithCountry


class CityPatch(Body):
    """What is to change in a city (JSON Merge Patch: null empties a field)."""

    name: Line = left_out()
    country: CountryCode = left_out()
    kind: CityKind = left_out()
    subdivision: Annotated[str | None, Field(max_length=100, examples=["US-AR"])] = left_out()
    latitude: Annotated[float | None, Field(ge=-90, le=90)] = left_out()
    longitude: Annotated[float | None, Field(ge=-180, le=180)] = left_out()
    part_of: CityReference | None = left_out()
    existed_from: Date | None = left_out()
    existed_until: Date | None = left_out()
    note: Note | None = left_out()
    reason: Reason | None = left_out()


class CityIn(CityPatch):
    """A new city with its child rows."""

    name: Line
    country: CountryCode
    kind: CityKind
    names: list[NameIn] = Field(default=[], max_length=200)
    identifiers: list[IdentifierIn] = Field(default=[], max_length=50)
    populations: list[PopulationIn] = Field(default=[], max_length=200)
    successors: list[SuccessorIn] = Field(default=[], max_length=50)
    citations: list[CitationIn] = Field(default=[], max_length=200)


class Merge(Body):
    """The city that a duplicate record is to be merged into."""

    into: Annotated[
        Id | Annotated[str, Field(min_length=1, max_length=300)],
        Field(description="The number or an identifier of the record that stays", examples=[7]),
    ]
    reason: Reason | None = None


class CityItem(Recorded):
    """A city in a list."""

    id: Id
    name: str
    country: str
    kind: CityKind
    subdivision: str | None
    latitude: float | None
    longitude: float | None
    part_of: Named | None
    existed_from: str | None
    existed_until: str | None
    partnerships_count: int


class CityOut(CityItem):
    """A city, whole."""

    note: str | None
    names: list[NameOut]
    identifiers: list[IdentifierOut]
    populations: list[PopulationOut]
    successors: list[SuccessorOut]
    parts_count: int
    organisations_count: int
    citations: list[CitationOut]
    conflicts: list[ConflictOut]


class CityList(Answer):
    """One page of cities."""

    items: list[CityItem]
    next: str | None
    total: int | None
