"""Short ways to import in tests: text becomes a file, its rows are judged, and written where that is asked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.exchange import import_files, importing
from app.exchange.importing import Applied, Line, Options
from app.exchange.records import PartnershipRow, SourceNamed
from app.registry import Database

SOURCE = SourceNamed(title="A list of partners")
#: Rows that the tests speak of: two towns in different countries, with and without coordinates.
HEADER = "city1,country1,city2,country2"
PLACED = "city1,country1,lat1,lng1,city2,country2,lat2,lng2"


def options(**more: Any) -> Options:
    """The options of a test's import: a source, and new cities even without coordinates."""
    return Options(**({"source": SOURCE, "create_cities": True, "complete": False, "on_error": "skip"} | more))


def checked(database: Database, text: str | bytes, *, noun: str | None = None, **more: Any) -> list[Line]:
    """The lines of a check: nothing is written."""
    return judged(database, text, noun=noun, **more)[0]


def applied(
    database: Database, text: str | bytes, *, noun: str | None = None, **more: Any
) -> tuple[list[Line], Applied]:
    """The lines of an import, and what it did."""
    lines, done = judged(database, text, noun=noun, apply=True, **more)
    assert done is not None
    return lines, done


def judged(
    database: Database, text: str | bytes, *, noun: str | None = None, apply: bool = False, **more: Any
) -> tuple[list[Line], Applied | None]:
    """Both."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "partners.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        opened = import_files.open_file(path, noun=noun)
        with import_files.plan(database, opened, options(**more), writes=apply) as planned:
            done = importing.apply(database, planned, account="desk") if apply else None
            lines = list(planned.lines())
            assert sum(planned.totals.values()) == planned.rows == len(lines)
            return lines, done


def rows_applied(database: Database, rows: Iterable[PartnershipRow], **more: Any) -> tuple[list[Line], Applied]:
    """The same of rows that no file holds."""
    with importing.plan(database, rows, options(**more), writes=True) as planned:
        done = importing.apply(database, planned, account="desk")
        return list(planned.lines()), done


def outcomes(lines: Iterable[Line]) -> list[str]:
    """The outcome of each row."""
    return [line.outcome for line in lines]
