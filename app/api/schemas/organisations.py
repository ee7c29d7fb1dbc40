"""Bodies and answers of organisations."""

from __future__ import annotations

from pydantic import Field

from app.api.schemas.cities import CityWithCountry
from app.api.schemas.common import (
    Address,
    Answer,
    Body,
    CitationIn,
    CitationOut,
    CityReference,
    ConflictOut,
    Id,
    Line,
    Named,
    Note,
    Reason,
    Recorded,
    left_out,
)
from app.models.organisations import OrganisationKind
from app.models.partnerships import OrganisationRole


class OrganisationPatch(Body):
    """What is to change in an organisation (JSON Merge Patch: null empties a field)."""

    name: Line = left_out()
    kind: OrganisationKind = left_out()
    city: CityReference | None = left_out()
    url: Address | None = left_out()
    note: Note | None = left_out()
    reason: Reason | None = left_out()


class OrganisationIn(OrganisationPatch):
    """A new organisation."""

    name: Line
    kind: OrganisationKind
    citations: list[CitationIn] = Field(default=[], max_length=200)


class OrganisationItem(Recorded):
    """An organisation in a list; `city`: its seat."""

    id: Id
    name: str
    kind: OrganisationKind
    city: CityWithCountry | None
    url: str | None


class OrganisationPartnership(Answer):
    """A partnership that the organisation has a role in."""

    partnership: Id
    role: OrganisationRole


class OrganisationOut(OrganisationItem):
    """An organisation, whole."""

    note: str | None
    partnerships: list[OrganisationPartnership]
    programs: list[Named]
    citations: list[CitationOut]
    conflicts: list[ConflictOut]


class OrganisationList(Answer):
    """One page of organisations."""

    items: list[OrganisationItem]
    next: str | None
    total: int | None
