"""Questions to the matcher, and its answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.api.schemas.common import Answer, Body, Id

MOST_ASKED = 1000
Text = Annotated[str, Field(max_length=300)]


class PlaceIn(Body):
    """A city as somebody else's list speaks of it, in any spelling. Whatever is known helps."""

    name: Annotated[Text, Field(description="Its name, in any language", examples=["Gilbert"])] = ""
    country: Annotated[
        Text, Field(description="Its country: a code, or a name as found", examples=["Arkansas, United States"])
    ] = ""
    subdivision: Annotated[Text, Field(description="ISO 3166-2, or a name", examples=["US-AR"])] = ""
    latitude: float | None = Field(None, description="Degrees; with a longitude or not at all")
    longitude: float | None = Field(None, description="Degrees; with a latitude or not at all")
    identifiers: list[Annotated[str, Field(min_length=1, max_length=300)]] = Field(
        default_factory=list, max_length=20, description="Keys elsewhere", examples=[["wikidata:Q1297"]]
    )
    city: Id | None = Field(None, description="Its number here, where that is known")


class MatchIn(Body):
    """Up to 1,000 places and pairs of places."""

    places: list[PlaceIn] = Field(default_factory=list, max_length=MOST_ASKED)
    pairs: list[Annotated[list[PlaceIn], Field(min_length=2, max_length=2)]] = Field(
        default_factory=list, max_length=MOST_ASKED, description="Two places each, as a row of partners has them"
    )


class CountryReadOut(Answer):
    """What the spelling of the country was read as."""

    code: str | None = Field(description="ISO 3166-1 alpha-2; null where it is not certain")
    subdivision: str | None = Field(description="ISO 3166-2, where the spelling names a part of the country")
    suggestions: list[str] = Field(description="Codes that may be meant, best first; never taken")
    reason: str


class FeatureOut(Answer):
    """A piece of evidence."""

    name: Literal["name", "distance", "subdivision", "container", "identifier", "country"]
    value: float = Field(ge=0, le=1, description="0: against, 1: for")
    weight: float


class CandidateCity(Answer):
    """A city of the registry."""

    id: Id
    name: str
    country: str
    subdivision: str | None
    latitude: float | None
    longitude: float | None
    identifiers: list[str]


class CandidateOut(Answer):
    """A city that may be meant."""

    city: CandidateCity
    score: float = Field(ge=0, le=1, description="The weighted mean of the features")
    features: list[FeatureOut]
    reason: str


class MatchOut(Answer):
    """What a place means."""

    outcome: Literal["chosen", "ambiguous", "unknown", "refused"] = Field(
        description="chosen: one city fits; ambiguous: several do, or the evidence disagrees; unknown: the country is"
        " known, the city is not; refused: no country, or coordinates that cannot be"
    )
    chosen: Id | None = Field(description="The city that is meant: the first of the candidates, or none")
    reason: str
    field: str = Field(description="What of the place the reason is about")
    country: CountryReadOut
    candidates: list[CandidateOut] = Field(description="Best first, at most ten")


class PairOut(Answer):
    """What a pair means."""

    places: list[MatchOut] = Field(min_length=2, max_length=2)
    partnerships: list[Id] = Field(description="Partnerships that both chosen cities are or were members of")


class Matches(Answer):
    """A match for each place and pair, in their order."""

    places: list[MatchOut]
    pairs: list[PairOut]
