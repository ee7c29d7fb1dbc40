"""Bodies and answers of partnerships, their members, events and organisations."""

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
    Date,
    Id,
    MemberReference,
    Named,
    Note,
    Reason,
    Recorded,
    left_out,
)
from app.models.organisations import OrganisationKind
from app.models.partnerships import EventType, OrganisationRole, PartnershipKind, Status
from app.models.programs import Category

Optional300 = Annotated[str | None, Field(max_length=300)]


class MemberPatch(Body):
    """What is to change in a member."""

    city: CityReference = left_out()
    note: Note | None = left_out()


class MemberIn(MemberPatch):
    """A city's part in a partnership."""

    city: CityReference


class EventPatch(Body):
    """What is to change in an event."""

    type: EventType = left_out()
    date: Date | None = left_out()
    position: Annotated[int | None, Field(ge=1, le=2**53)] = left_out()
    declared_by: MemberReference | None = left_out()
    in_place_of: MemberReference | None = left_out()
    authority: Optional300 = left_out()
    note: Note | None = left_out()


class EventIn(EventPatch):
    """A dated fact in a partnership's life. Without a position it is put where its date belongs."""

    type: EventType


class FirstEvent(Body):
    """An event of a partnership that is being made; their order is their order in the list."""

    type: EventType
    date: Date | None = left_out()
    declared_by: CityReference | None = left_out()
    in_place_of: CityReference | None = left_out()
    authority: Optional300 = left_out()
    note: Note | None = left_out()


class RolePatch(Body):
    """What is to change in an organisation's role."""

    organisation: Id = left_out()
    role: OrganisationRole = left_out()


class RoleIn(RolePatch):
    """An organisation that coordinates, recognises or signed the partnership."""

    organisation: Id
    role: OrganisationRole


class PartnershipPatch(Body):
    """What is to change in a partnership (JSON Merge Patch: null empties a field)."""

    kind: PartnershipKind = left_out()
    designation: Optional300 = left_out()
    title: Optional300 = left_out()
    note: Note | None = left_out()
    succeeds: Annotated[Id | None, Field(description="The partnership it grew out of")] = left_out()
    reason: Reason | None = left_out()


class PartnershipIn(PartnershipPatch):
    """A new partnership. Without an event it is signed, at an unknown date."""

    kind: PartnershipKind
    members: list[MemberIn] = Field(min_length=2, max_length=1000)
    events: list[FirstEvent] = Field(default=[], max_length=1000)
    organisations: list[RoleIn] = Field(default=[], max_length=100)
    citations: list[CitationIn] = Field(default=[], max_length=200)


class MemberCity(Answer):
    """The city of a member."""

    id: Id
    name: str
    country: str
    subdivision: str | None
    latitude: float | None
    longitude: float | None


class MemberOut(Answer):
    """A member: status, joined and left follow from the events."""

    id: Id
    city: MemberCity
    status: Status
    joined: str | None
    left: str | None


class PartnershipItem(Recorded):
    """A partnership in a list. Status, established and ended follow from the events."""

    id: Id
    kind: PartnershipKind
    designation: str | None
    title: str | None
    status: Status
    established: str | None
    ended: str | None
    members: list[MemberOut]
    distance_km: float | None = Field(description="Great-circle distance of two members with coordinates")
    programs_count: int
    conflicts_count: int


class EventMember(Answer):
    """The member that an event names."""

    member: Id
    city: Named


class EventOut(Answer):
    """A dated fact in the partnership's life; `text`: the date for people."""

    id: Id
    position: int
    type: EventType
    date: str | None
    text: str | None
    declared_by: EventMember | None
    in_place_of: EventMember | None
    authority: str | None
    note: str | None


class PartnershipProgram(Answer):
    """A program in its partnership's record."""

    id: Id
    name: str
    category: Category
    since: str | None
    until: str | None
    occasions_count: int


class OrganisationNamed(Named):
    """An organisation by number, name and kind."""

    kind: OrganisationKind


class RoleOut(Answer):
    """An organisation's role."""

    id: Id
    role: OrganisationRole
    organisation: OrganisationNamed


class PartnershipOut(PartnershipItem):
    """A partnership, whole."""

    note: str | None
    succeeds: Id | None
    events: list[EventOut]
    programs: list[PartnershipProgram]
    organisations: list[RoleOut]
    citations: list[CitationOut]
    conflicts: list[ConflictOut]


class PartnershipList(Answer):
    """One page of partnerships."""

    items: list[PartnershipItem]
    next: str | None
    total: int | None
    left_out_as_undated: int | None = Field(
        None, description="With `active_on`: how many more may have been active that day, but their dates are not known"
    )
