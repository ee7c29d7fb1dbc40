"""The report of an import: a line for every row, as CSV for people or NDJSON for programs.

CSV has the columns `row, outcome, reason, field, candidates, record` (candidates as JSON); NDJSON has one object of
the same names a line. Both are written beside their place and moved there when they are whole.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from app.errors import RegistryError
from app.exchange import outlets
from app.exchange.importing import Line
from app.registry.content import chunks

COLUMNS = ("row", "outcome", "reason", "field", "candidates", "record")
FORMATS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
LINES = 1_000
#: What makes a spreadsheet run a cell.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


class ReportFailed(RegistryError):
    """The report cannot be written: nothing was imported."""


def shown(line: Line) -> dict[str, Any]:
    """A line, JSON-ready."""
    return {
        "row": line.number,
        "outcome": line.outcome,
        "reason": line.reason,
        "field": line.field,
        "candidates": [dict(candidate) for candidate in line.candidates],
        "record": line.record,
    }


def format_of(path: Path) -> str:
    """`csv` or `ndjson`, by the file's suffix. Raises RegistryError for another."""
    known = FORMATS.get(path.suffix.lower())
    if known is None:
        raise RegistryError(f"A report ends in {', '.join(FORMATS)}: name the file so.", field="report")
    return known


def ndjson(lines: Iterable[Line]) -> Iterator[bytes]:
    """One JSON object a line."""
    for line in lines:
        yield orjson.dumps(shown(line), option=orjson.OPT_APPEND_NEWLINE)


class _Cells:
    """A file for the csv module that hands each line on instead of keeping it."""

    def write(self, text: str) -> str:
        """The line itself."""
        return text


def csv_lines(lines: Iterable[Line]) -> Iterator[bytes]:
    """A header and one line a row, with a byte order mark: spreadsheets then read the names of cities rightly."""
    writer = csv.writer(_Cells())
    yield b"\xef\xbb\xbf" + _written(writer, COLUMNS)
    for line in lines:
        values = shown(line)
        values["candidates"] = orjson.dumps(values["candidates"]).decode() if line.candidates else ""
        yield _written(writer, [_safe(values[name]) for name in COLUMNS])


def _written(writer: Any, values: Iterable[Any]) -> bytes:
    text: str = writer.writerow(values)
    return text.encode()


def _safe(value: Any) -> Any:
    # A reason may begin with what stood in the file.
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value


WRITERS = {"csv": csv_lines, "ndjson": ndjson}


def write(lines: Iterable[Line], path: Path) -> None:
    """Write the report whole, or not at all; an earlier one of this name is replaced. Raises ReportFailed."""
    writer = WRITERS[format_of(path)]
    try:
        with outlets.file(path, replace=True) as file:
            for batch in chunks(writer(lines), LINES):
                file.write(b"".join(batch))
    except OSError as error:
        raise ReportFailed(
            f"The report cannot be written to {path}: {error.strerror or error}. Nothing was imported; name another"
            " place with --report FILE.",
            field="report",
        ) from error
