"""Bodies and answers of sources and reported figures."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.api.schemas.common import (
    Address,
    Answer,
    Body,
    CitationIn,
    CitationOut,
    ConflictOut,
    CountryCode,
    Date,
    Id,
    Note,
    Reason,
    Recorded,
    SourceReference,
    left_out,
)
from app.api.schemas.partnerships import Optional300
from app.models.sources import Comparator, Measure

Title = Annotated[str, Field(min_length=1, max_length=500)]
Number = Annotated[float, Field(ge=0, le=1e15)]


class SourcePatch(Body):
    """What is to change in a source (JSON Merge Patch: null empties a field)."""

    key: Annotated[str | None, Field(max_length=50, description="A short handle", examples=["S14"])] = left_out()
    title: Title = left_out()
    author: Optional300 = left_out()
    publisher: Optional300 = left_out()
    url: Address | None = left_out()
    published: Date | None = left_out()
    note: Note | None = left_out()
    reason: Reason | None = left_out()


class SourceIn(SourcePatch):
    """A new source."""

    title: Title


class SourceItem(Recorded):
    """A source in a list."""

    id: Id
    key: str | None
    title: str
    author: str | None
    publisher: str | None
    url: str | None
    published: str | None
    citations_count: int


class Cited(Answer):
    """A field of a record that a source is cited for."""

    noun: str
    id: Id
    field: str
    value: str | None


class CitedList(Answer):
    """One page of what a source is cited for."""

    items: list[Cited]
    next: str | None
    total: int | None


class SourceOut(SourceItem):
    """A source, whole, with the first hundred fields that it is cited for."""

    note: str | None
    citations: list[Cited]


class SourceList(Answer):
    """One page of sources."""

    items: list[SourceItem]
    next: str | None
    total: int | None


class FigurePatch(Body):
    """What is to change in a reported figure (JSON Merge Patch: null empties a field)."""

    source: SourceReference = left_out()
    scope: Title = left_out()
    country: CountryCode | None = left_out()
    other_country: CountryCode | None = left_out()
    measure: Measure = left_out()
    comparator: Comparator = left_out()
    value: Number = left_out()
    as_of: Date | None = left_out()
    note: Note | None = left_out()
    reason: Reason | None = left_out()


class FigureIn(FigurePatch):
    """A new reported figure."""

    source: SourceReference
    scope: Title
    measure: Measure
    comparator: Comparator
    value: Number
    citations: list[CitationIn] = Field(default=[], max_length=200)


class FigureSource(Answer):
    """The source of a reported figure."""

    id: Id
    key: str | None
    title: str


class FigureItem(Recorded):
    """A claim about totals. It is what a source says, not what the registry counts."""

    id: Id
    source: FigureSource
    scope: str
    country: str | None
    other_country: str | None
    measure: Measure
    comparator: Comparator
    value: float
    as_of: str | None


class FigureOut(FigureItem):
    """A reported figure, whole."""

    note: str | None
    citations: list[CitationOut]
    conflicts: list[ConflictOut]


class FigureList(Answer):
    """One page of reported figures."""

    items: list[FigureItem]
    next: str | None
    total: int | None
