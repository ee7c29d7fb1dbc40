"""Bodies and answers of programs, their participants and occasions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.api.schemas.cities import People
from app.api.schemas.common import (
    Answer,
    Body,
    CitationIn,
    CitationOut,
    CityReference,
    ConflictOut,
    Date,
    Id,
    Line,
    Named,
    Note,
    Reason,
    Recorded,
    left_out,
)
from app.api.schemas.partnerships import Optional300, OrganisationNamed
from app.models.partnerships import PartnershipKind
from app.models.programs import Category


class ParticipantPatch(Body):
    """What is to change in a participant."""

    organisation: Id = left_out()
    side: CityReference | None = left_out()


class ParticipantIn(ParticipantPatch):
    """An organisation that takes part, and the member city for whose side it does."""

    organisation: Id


class OccasionIn(Body):
    """One edition of a program; people of the city `origin` came to the city `host`."""

    title: Optional300 = left_out()
    since: Date | None = left_out()
    until: Date | None = left_out()
    place: Optional300 = left_out()
    origin: CityReference | None = left_out()
    host: CityReference | None = left_out()
    people: People | None = left_out()
    note: Note | None = left_out()


class ProgramPatch(Body):
    """What is to change in a program (JSON Merge Patch: null empties a field)."""

    partnership: Id = left_out()
    name: Line = left_out()
    category: Category = left_out()
    since: Date | None = left_out()
    until: Date | None = left_out()
    frequency: Annotated[str | None, Field(max_length=300, examples=["yearly"])] = left_out()
    description: Note | None = left_out()
    reason: Reason | None = left_out()


class ProgramIn(ProgramPatch):
    """A new program with its participants and occasions."""

    partnership: Id
    name: Line
    category: Category
    participants: list[ParticipantIn] = Field(default=[], max_length=200)
    occasions: list[OccasionIn] = Field(default=[], max_length=1000)
    citations: list[CitationIn] = Field(default=[], max_length=200)


class ProgramItem(Recorded):
    """A program in a list; `partnership`: its number."""

    id: Id
    partnership: Id
    name: str
    category: Category
    since: str | None
    until: str | None
    frequency: str | None
    occasions_count: int


class ProgramPartnership(Answer):
    """The partnership of a program."""

    id: Id
    kind: PartnershipKind
    members: list[Named]


class ParticipantOut(Answer):
    """An organisation that takes part."""

    id: Id
    organisation: OrganisationNamed
    side: Named | None


class OccasionOut(Answer):
    """One edition of a program."""

    id: Id
    title: str | None
    since: str | None
    until: str | None
    place: str | None
    origin: Named | None
    host: Named | None
    people: int | None
    note: str | None


class ProgramOut(Recorded):
    """A program, whole."""

    id: Id
    partnership: ProgramPartnership
    name: str
    category: Category
    since: str | None
    until: str | None
    frequency: str | None
    occasions_count: int
    description: str | None
    participants: list[ParticipantOut]
    occasions: list[OccasionOut]
    citations: list[CitationOut]
    conflicts: list[ConflictOut]


class ProgramList(Answer):
    """One page of programs."""

    items: list[ProgramItem]
    next: str | None
    total: int | None
