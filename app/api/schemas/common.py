"""What the bodies and answers of several nouns share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

#: Ids have 64 bits in the database. Up to here every reader of JSON keeps them exactly, and no registry gets there.
LARGEST_ID = 2**53 - 1
#: An EDTF date, as the registry keeps it. The pattern is the form; whether the day exists is checked too.
DATE = r"^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?[~?%]?|[0-9]{3}[Xx]|[0-9]{2}[Xx]{2})$"

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Line = Annotated[str, Field(min_length=1, max_length=300)]
Note = Annotated[str, Field(max_length=10_000, description="Text, with line breaks")]
Date = Annotated[
    str,
    Field(pattern=DATE, description="EDTF: 1973, 1973-11, 1973-11-09, 1973~, 1973?, 197X", examples=["1973-11-09"]),
]
Address = Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s<>\"']+$", examples=["https://example.org/"])]
CountryCode = Annotated[str, Field(min_length=2, max_length=3, pattern=r"^[A-Za-z]{2,3}$", examples=["JP"])]
Timestamp = Annotated[str, Field(description="UTC, RFC 3339", examples=["2026-11-22T14:47:00.000000Z"])]
Reason = Annotated[
    str,
    Field(min_length=1, max_length=1000, description="Why; it stands in the history", examples=["from the archive"]),
]


class Body(BaseModel):
    """What a client sends. Nothing else may be in it, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def values(self, *leave_out: str) -> dict[str, Any]:
        """What was said, as the operations take it: what was left out is not there, null empties a field."""
        return self.model_dump(exclude_unset=True, exclude={"reason", *leave_out})


def left_out() -> Any:
    """A field that a patch may leave out. A factory, so that the schema names no default that is none."""
    return Field(default_factory=lambda: None)


class CityByName(Body):
    """A city by its name (in any language) in a country."""

    name: Line
    country: CountryCode
    subdivision: str | None = Field(None, max_length=100, examples=["US-AR"])


class MemberById(Body):
    """A member of the partnership by its own number."""

    member: Id


CityReference = Annotated[
    Id | Annotated[str, Field(min_length=1, max_length=300)] | CityByName,
    Field(description="A city's number, an identifier, or its name and country", examples=["wikidata:Q1297"]),
]
MemberReference = Annotated[
    Id | Annotated[str, Field(min_length=1, max_length=300)] | CityByName | MemberById,
    Field(description="A member: `{member: number}`, or its city in any form", examples=["wikidata:Q1297"]),
]
SourceReference = Annotated[
    Id | Annotated[str, Field(min_length=1, max_length=50)],
    Field(description="A source's number or its key", examples=["S14"]),
]


class Undo(Body):
    """Why a revision is taken back."""

    reason: Reason | None = None


class CitationPatch(Body):
    """What is to change in a citation."""

    source: SourceReference = left_out()
    field: Annotated[str, Field(min_length=1, max_length=100, examples=["established"])] = left_out()
    value: Annotated[
        str | None, Field(max_length=1000, description="What the source says; empty: what the record says")
    ] = left_out()
    city: Annotated[
        CityReference | None, Field(description="The city that the source means, in fields about cities")
    ] = left_out()
    locator: Annotated[str | None, Field(max_length=1000, examples=["p. 12"])] = left_out()


class CitationIn(CitationPatch):
    """A source's support for a field of this record."""

    source: SourceReference
    field: Annotated[str, Field(min_length=1, max_length=100, examples=["established"])]


class Answer(BaseModel):
    """What the API sends. These models document; the answers are built from rows."""

    model_config = ConfigDict(extra="forbid")


class Named(Answer):
    """A record by number and name."""

    id: Id
    name: str


class Recorded(Answer):
    """Bookkeeping of every record."""

    revision: int = Field(description="The revision that changed the record last")
    created_at: Timestamp
    updated_at: Timestamp


class CitationSource(Answer):
    """The source of a citation."""

    id: Id
    key: str | None
    title: str
    url: str | None


class CitationOut(Answer):
    """A citation."""

    id: Id
    field: str
    value: str | None
    city: Named | None
    locator: str | None
    source: CitationSource


class ConflictSource(Answer):
    """A source that claims a value."""

    id: Id
    key: str | None
    title: str


class ConflictClaim(Answer):
    """One of the values claimed, and by whom."""

    value: str | None
    city: Id | None
    sources: list[ConflictSource]


class ConflictOut(Answer):
    """A field for which the record's value and the claims cannot all be true."""

    field: str
    recorded: list[str]
    claims: list[ConflictClaim]


class Difference(Answer):
    """One part of a record that a revision changed."""

    part: str = Field(description="An own field, or a child row such as `events/12`")
    before: Any
    after: Any
    text: str


class RevisionOut(Answer):
    """One committed step of the registry."""

    number: int
    time: Timestamp
    account: str
    reason: str | None
    undoes: int | None


class HistoryEntry(RevisionOut):
    """What a revision did to one record."""

    differences: list[Difference]


class History(Answer):
    """A record's revisions, newest first."""

    items: list[HistoryEntry]
    next: str | None
    total: int | None


class ContentAt(Answer):
    """A record as it stood after a revision, as the journal keeps it."""

    revision: int
    noun: str
    id: int | str
    content: dict[str, Any]
