"""Imports of files: what is in it is found out, shown and planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from app.exchange import importing
from app.exchange.importing import Options, Plan, Progress
from app.exchange.reading import Opened, open_rows, partnership_row, record_row
from app.exchange.record_rows import RecordRow
from app.exchange.records import PartnershipRow
from app.models import Partnership
from app.registry import Database

#: Columns that name a source of the row's own.
SOURCE_COLUMNS = ("source", "source_url", "source_key")
#: How our own exports are told apart: they are brought back whole (`app.exchange.returning`).
OWN = "own"
TOLD_EVERY = 2_000


def open_file(
    path: Path,
    *,
    noun: str | None = None,
    columns: Mapping[str, str] | None = None,
    format: str | None = None,
    encoding: str | None = None,
) -> Opened:
    """The file, its columns recognised. Raises UnreadableFile."""
    return open_rows(path, noun=noun, columns=columns, format=format, encoding=encoding)


def names_sources(opened: Opened) -> bool:
    """Whether rows of the file may name sources of their own."""
    return opened.noun == "sources" or any(name in opened.columns for name in SOURCE_COLUMNS)


def plan(
    database: Database,
    opened: Opened,
    options: Options,
    *,
    name: str | None = None,
    progress: Progress = importing.quiet,
    writes: bool = False,
) -> Plan:
    """Judge every row of the file. `name`: what the file is called, if not as it lies there."""
    told = replace(
        options,
        file=name or opened.path.name,
        sha256=opened.sha256,
        size=opened.size,
        noun=opened.noun,
        columns=dict(opened.given),
    )
    return importing.plan(database, rows(opened, progress), told, progress=progress, writes=writes)


def rows(opened: Opened, progress: Progress = importing.quiet) -> Iterator[PartnershipRow | RecordRow]:
    """The rows of the file as the importer takes them."""
    partnerships = opened.noun == Partnership.NOUN
    for done, row in enumerate(opened.rows()):
        yield partnership_row(row) if partnerships else record_row(opened.noun, row)
        if done % TOLD_EVERY == 0:
            progress("Reading", opened.position, opened.size)
    progress("Reading", opened.size, opened.size)
