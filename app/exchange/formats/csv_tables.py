"""CSV: RFC 4180, UTF-8, a header, and no cell that a spreadsheet would run.

A text cell that begins with = + - @, a tab or a carriage return, after any number of apostrophes, gets one
apostrophe in front; who reads such a cell takes one off. So `=1+1` is written `'=1+1`, `'=1+1` is written `''=1+1`, and
every text comes back. Numbers are never touched: -81.69 stays a number.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

MEDIA_TYPE = "text/csv; charset=utf-8"
#: The first cell of the last row of a stream; no list's first column can hold it.
END = "#end"
_RUNS = re.compile(r"'*[=+\-@\t\r]")
_MADE_SAFE = re.compile(r"'+[=+\-@\t\r]")


def safe(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return f"'{text}" if _RUNS.match(text) else text


def unsafe(cell: str) -> str:
    """The text that a cell stands for."""
    return cell[1:] if _MADE_SAFE.match(cell) else cell


class Table:
    """Writes rows as CSV. `texts`: which columns hold text, and are made safe."""

    def __init__(self, header: Sequence[str], texts: Sequence[bool]) -> None:
        self.header = header
        self._texts = [place for place, text in enumerate(texts) if text]
        self._file = io.StringIO(newline="")
        self._writer = csv.writer(self._file)

    def head(self) -> bytes:
        """The header."""
        return self._written([self.header])

    def rows(self, rows: Iterable[list[Any]]) -> bytes:
        """Rows of values in the columns' order; None is an empty cell. The lists are used up."""
        return self._written(map(self._made_safe, rows))

    def end(self, count: int, digest: str) -> bytes:
        """The row that vouches for the others."""
        return self._written([[END, count, digest, *[""] * (len(self.header) - 3)]])

    def _written(self, rows: Iterable[Sequence[Any]]) -> bytes:
        self._writer.writerows(rows)
        text = self._file.getvalue()
        self._file.seek(0)
        self._file.truncate()
        return text.encode()

    def _made_safe(self, row: list[Any]) -> list[Any]:
        for place in self._texts:
            cell = row[place]
            if cell and _RUNS.match(cell):
                row[place] = f"'{cell}"
        return row


def stream(table: Table, batches: Iterable[Iterable[list[Any]]], *, trailer: bool) -> Iterator[bytes]:
    """Header, a chunk for each batch, and with `trailer` a last row: `#end`, the count of the rows, the SHA-256 of
    all bytes before it."""
    digest, count = hashlib.sha256(), 0
    head = table.head()
    digest.update(head)
    yield head
    for batch in batches:
        rows = list(batch)
        chunk = table.rows(rows)
        digest.update(chunk)
        count += len(rows)
        yield chunk
    if trailer:
        yield table.end(count, digest.hexdigest())
