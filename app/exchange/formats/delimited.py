"""Reading tables of text: comma, semicolon, tab or pipe between the cells, by their own testimony."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from app.exchange.formats.csv_tables import END, unsafe
from app.exchange.formats.files import Text, UnreadableFile
from app.exchange.formats.header_rows import LOOKED_AT, header_at, remark_on
from app.exchange.records import Fault

DELIMITERS = ",;\t|"
_SAMPLE = 50
_TOLD = re.compile(r'(?:\ufeff)?"?sep=([,;:|^~\t ])"?\s*', re.IGNORECASE)
_TOO_LONG = "field larger"
_NOT_CLOSED = "unexpected end of data"

Cells = list[str]


@dataclass(slots=True)
class Table:
    """An open table: its delimiter and header, and how many lines stand before the first row."""

    text: Text
    delimiter: str
    headers: list[str]
    skip: int
    column_of: dict[int, str] = field(default_factory=dict)
    """Place → own name of the column, for faults."""
    remarks: list[str] = field(default_factory=list)

    def records(self) -> Iterator[tuple[int, Cells, tuple[Fault, ...]]]:
        """Line, cells and faults of each row that is not blank; as many cells as headers."""
        width, line = len(self.headers), self.skip
        lines = islice(self.text.lines(), self.skip, None)
        fed: list[str] = []
        again: list[str] = []
        done = False
        while not done:
            reader = csv.reader(_feed(lines, fed, again), delimiter=self.delimiter, strict=True)
            try:
                for values in reader:
                    start, line = line + 1, line + len(fed)
                    fed.clear()
                    if values and values[0] == END:
                        continue  # vouches for the rows of our own flat table, and is none
                    if len(values) == width and not self.text.suspicious and not self.text.guarded:
                        yield start, values, ()
                    elif values:
                        yield start, *self._checked(values, start, line)
                done = True
            except csv.Error as error:
                # Only the line in which it begins is lost to the fault: a quotation mark too many must not swallow
                # the rows after it.
                first, line = fed[0], line + 1
                again[:0] = fed[1:]
                fed.clear()
                yield line, *self._misquoted(first, error)

    def _checked(self, values: Cells, start: int, end: int) -> tuple[Cells, tuple[Fault, ...]]:
        faults = tuple(self._bad_characters(values))
        values = [unsafe(value) for value in values] if self.text.guarded else values
        width = len(self.headers)
        if len(values) == width:
            return values, faults
        if len(values) > width and not any(map(str.strip, values[width:])):
            return values[:width], faults
        span = "" if end == start else f" It runs over the lines {start:,} to {end:,}: look for a quotation mark."
        reason = (
            f"This row has {len(values)} cells where the header has {width}. A cell with the delimiter in it needs"
            f" quotation marks round it.{span}"
        )
        return (values + [""] * width)[:width], (Fault("", reason), *faults)

    def _bad_characters(self, values: Cells) -> Iterator[Fault]:
        for place, value in enumerate(values):
            if "\0" in value:
                yield Fault(self._column(place), "This cell holds a NUL character (U+0000). Remove it.")
            if any("\ud800" <= each <= "\udfff" for each in value):
                reason = "This cell holds bytes that are not UTF-8. Save the whole file as UTF-8."
                yield Fault(self._column(place), reason)

    def _column(self, place: int) -> str:
        return self.column_of.get(place, self.headers[place] if place < len(self.headers) else "")

    def _misquoted(self, line: str, error: csv.Error) -> tuple[Cells, tuple[Fault, ...]]:
        """The row as it looks without regard to quotation marks, and what is wrong with them."""
        if _NOT_CLOSED in str(error) or _TOO_LONG in str(error):
            reason = "A quotation mark opens a cell here and none closes it. Double it, or remove it."
        elif "newline" in str(error) or "new-line" in str(error):
            reason = "A carriage return stands in this row outside quotation marks. Remove it."
        else:
            reason = "A quotation mark inside a cell must be doubled, and none may stand alone."
        values = [value.strip('"') for value in line.rstrip("\r\n").split(self.delimiter)]
        width = len(self.headers)
        return (values + [""] * width)[:width], (Fault("", reason),)


def _feed(lines: Iterator[str], fed: list[str], again: list[str]) -> Iterator[str]:
    while True:
        line = again.pop(0) if again else next(lines, "")
        if not line:
            return
        fed.append(line)
        yield line


def open_table(text: Text, *, known: Callable[[Sequence[str]], int], delimiter: str | None = None) -> Table:
    """The table in a text. `known`: how many of some headers are known; it decides between delimiters that would all
    cut the file evenly. Raises UnreadableFile where there is nothing, or a header alone."""
    sample = list(islice(text.lines(), _SAMPLE))
    told = _TOLD.fullmatch(sample[0]) if sample else None
    skip = 1 if told else 0
    blank = next((place for place, line in enumerate(sample[skip:]) if line.strip(" \t\r\n\ufeff,;|")), None)
    if blank is None:
        raise UnreadableFile("The file is empty: there is not even a header.")
    skip += blank
    chosen = delimiter or (told[1] if told else _delimiter(sample[skip:], known))
    rows, lines = _first_rows(sample[skip:], chosen)
    at = header_at(rows, known)
    begins, ends = lines[at]
    table = Table(text, chosen, rows[at], skip + ends)
    table.remarks += remark_on(rows[:at], skip + begins, "line")
    if not any(any(map(str.strip, values)) for _line, values, _faults in table.records()):
        raise UnreadableFile("The file holds a header and no row below it.")
    return table


def _first_rows(lines: Sequence[str], delimiter: str) -> tuple[list[Cells], list[tuple[int, int]]]:
    """The rows that may be the header, blank ones left out, and the first and the last line of each."""
    rows: list[Cells] = []
    spans: list[tuple[int, int]] = []
    reader, before = csv.reader(lines, delimiter=delimiter), 0
    try:
        for values in reader:
            cells = [cell.strip(" \t\r\n\ufeff") for cell in values]
            if any(cells):
                rows.append(cells)
                spans.append((before + 1, reader.line_num))
            before = reader.line_num
            if len(rows) == LOOKED_AT:
                break
    except csv.Error:
        if not rows:
            message = "The first row is no header: it is longer than any row of this data."
            raise UnreadableFile(message) from None
    return rows, spans


def _delimiter(lines: Sequence[str], known: Callable[[Sequence[str]], int]) -> str:
    return max(DELIMITERS, key=lambda each: _fitness(lines, each, known))


def _fitness(lines: Sequence[str], delimiter: str, known: Callable[[Sequence[str]], int]) -> tuple[float, ...]:
    """Headers that are known, rows as wide as the header, width: more is better, in this order."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return (0.0, 0.0, 0.0)
    rows = rows[header_at(rows, known) :]
    width = len(rows[0])
    even = sum(len(row) == width for row in rows) / len(rows)
    return (float(known(rows[0])) if width > 1 else 0.0, even if width > 1 else 0.0, float(width))
