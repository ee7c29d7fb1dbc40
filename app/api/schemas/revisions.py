"""Answers about revisions, changes and the registry as a whole."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.api.schemas.common import Answer, RevisionOut, Timestamp


class RevisionItem(RevisionOut):
    """A revision in a list."""

    changes_count: int


class RevisionChange(Answer):
    """A record that a revision changed."""

    noun: str
    id: int | str


class RevisionWhole(RevisionOut):
    """A revision with the records that it changed."""

    changes: list[RevisionChange]


class RevisionList(Answer):
    """One page of revisions."""

    items: list[RevisionItem]
    next: str | None
    total: int | None


class ChangeOut(Answer):
    """One record as it stood after a revision; `after` null: it was deleted."""

    revision: int
    time: Timestamp
    noun: str
    id: int | str
    after: dict[str, Any] | None


class ChangeList(Answer):
    """Changes since a revision, in the order in which they were made."""

    items: list[ChangeOut]
    next: str | None
    total: int | None
    until: str = Field(description="Where to go on, also when asking again later: give it as `since`", examples=["17"])


class Reach(Answer):
    """How many of the known cities, towns and villages have a standing partnership."""

    cities_known: int
    cities_with_standing_partnership: int
    share: float | None


class Summary(Answer):
    """What the registry holds."""

    revision: int
    counts: dict[str, int] = Field(description="Records per noun")
    countries_reached: int
    continents_reached: int
    reach: Reach
    links: dict[str, str]
