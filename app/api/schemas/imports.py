"""Answers about imports."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from app.api.schemas.common import Answer


class ImportLine(Answer):
    """What becomes of one row."""

    row: int = Field(description="Its number in the file, from 1; a header does not count")
    outcome: Literal["created", "same", "changed", "ambiguous", "refused"]
    reason: str = Field(description="Why, in words, and how to mend it")
    field: str | None = Field(description="The column that the reason is about")
    candidates: list[dict[str, Any]] = Field(description="What the row may mean, best first")
    record: int | None = Field(description="The number of its record, once it has one")


class ImportOut(Answer):
    """What an import did, or would do: the five totals add up to `rows`."""

    mode: Literal["check", "apply"]
    noun: str
    file: str | None = Field(description="The file's name, where it was given")
    sha256: str
    columns: dict[str, str] = Field(description="What was recognised: our name of a column, and its header")
    ignored: list[str] = Field(description="Headers that are not known")
    remarks: list[str] = Field(description="What else was noticed about the file")
    rows: int
    created: int
    same: int
    changed: int
    ambiguous: int
    refused: int
    stopped: bool = Field(description="Whether a refused row stops, or would stop, all of it")
    revision: int | None = Field(description="The revision that was made; null where nothing was written")
    lines: list[ImportLine]
