"""Reading workbooks of spreadsheets (XLSX): what a person sees in the cells, as text.

An archive says how large its parts are unpacked; nothing is unpacked before that was looked at.
"""

from __future__ import annotations

import datetime
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from app.exchange.formats.files import UnreadableFile
from app.exchange.formats.header_rows import LOOKED_AT, header_at, remark_on
from app.exchange.records import Fault

MOST_UNPACKED = 2 << 30
"""Bytes that an archive may have unpacked: a sheet with as many rows as sheets have has half of it."""
MOST_STRINGS = 128 << 20
"""Bytes of the table of texts of a workbook, which has to lie in memory."""
MOST_PARTS = 10_000
MOST_TIMES = 200
"""How many times larger an archive may be unpacked. Sheets reach 10 to 50."""
_SMALL = 32 << 20

WORKBOOK = "xl/workbook.xml"
_STRINGS = "xl/sharedStrings.xml"
_LAST_ROW = 1_048_576
_BATCH = 500
_SAMPLE = 50
_LETTERS = 26
_WITHOUT_FRACTION = 1e15
# A doctype is the door for entities that unfold without end; no spreadsheet program writes one.
_DOCTYPE = b"<!DOCTYPE"
# What of a number format is no placeholder: [$-409], "text", \-.
_NOT_PLACES = re.compile(r'\[[^\]]*\]|"[^"]*"|\\.|;.*')
_UNCALCULATED = re.compile(
    rb'<c\b[^>]*\br="([A-Z]+[0-9]+)"[^>]*><f\b[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)
_LOOKED_AT = 1 << 20
_LONGEST_FORMULA = 10_000
_MIDNIGHT = datetime.time()

Cells = list[str]


def check_archive(path: Path) -> list[str]:
    """The names of the parts of an archive that may be unpacked. Raises UnreadableFile for one that is none, that is
    encrypted, or that would unpack to far more than it is (nothing has been unpacked then)."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        raise UnreadableFile("This archive is damaged or not whole: fetch or save it again.") from None
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableFile("This archive is encrypted: save it without a password.")
    unpacked = sum(part.file_size for part in parts)
    packed = path.stat().st_size
    if (
        len(parts) > MOST_PARTS
        or unpacked > MOST_UNPACKED
        or (unpacked > _SMALL and unpacked > MOST_TIMES * packed)
        or any(part.filename == _STRINGS and part.file_size > MOST_STRINGS for part in parts)
    ):
        raise UnreadableFile(
            f"This archive of {packed:,} bytes would unpack to {unpacked:,} bytes in {len(parts):,} parts, which no"
            " table of this data does. If it is one, save it as CSV."
        )
    return [part.filename for part in parts]


@dataclass(slots=True)
class Sheet:
    """A sheet of a workbook: its name, its header, and how many rows stand before the first row below it."""

    path: Path
    name: str
    headers: list[str]
    skip: int
    remarks: list[str] = field(default_factory=list)
    position: int = 0
    column_of: dict[int, str] = field(default_factory=dict)
    """Place → own name of the column, for faults."""

    def records(self) -> Iterator[tuple[int, Cells, tuple[Fault, ...]]]:
        """Number of the row in the sheet, texts and faults, of each row that is not blank."""
        with self.path.open("rb") as file:
            book = _load(file)
            for number, texts, faults in self.found_in(book):
                yield number, texts, faults
                if number % _BATCH == 0:
                    self.position = file.tell()
            book.close()

    def found_in(self, book: Any) -> Iterator[tuple[int, Cells, tuple[Fault, ...]]]:
        """The same, of the open workbook."""
        rows = enumerate(_rows(book[self.name]), start=1)
        for number, cells in islice(rows, self.skip, None):
            texts, faults = self._read(cells, number)
            if faults or any(map(str.strip, texts)):
                yield number, texts, faults

    def _read(self, cells: Sequence[Any], number: int) -> tuple[Cells, tuple[Fault, ...]]:
        width = len(self.headers)
        texts = [_text(cell) for cell in cells[:width]]
        faults = [
            Fault(
                self.column_of.get(place, self.headers[place]),
                f"Cell {_letters(place)}{number} holds the error {cell.value}: mend its formula, or empty the cell.",
            )
            for place, cell in enumerate(cells[:width])
            if cell.value is not None and cell.data_type == "e"
        ]
        faults += [
            Fault(
                self.column_of.get(place, self.headers[place]),
                f"Cell {_letters(place)}{number} holds a NUL: remove it.",
            )
            for place, text in enumerate(texts)
            if "\0" in text
        ]
        beyond = [place for place, cell in enumerate(cells[width:], start=width) if _text(cell).strip()]
        if beyond:
            where = f"{_letters(beyond[0])}{number}"
            faults.append(Fault("", f"Cell {where} lies outside the table: the header has {width} columns."))
        return texts + [""] * (width - len(texts)), tuple(faults)


def open_sheet(path: Path, *, known: Callable[[Sequence[str]], int]) -> Sheet:
    """The sheet of a workbook whose header is best known. Raises UnreadableFile for what is no workbook, holds no
    table, or a header alone."""
    names = check_archive(path)
    if WORKBOOK not in names:
        raise UnreadableFile("This archive is no XLSX workbook. Save the table as XLSX or CSV.")
    _refuse_doctypes(path)
    with path.open("rb") as file:
        book = _load(file)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
        tables = [table for sheet in sheets if (table := _table(path, sheet, known))]
        if not tables:
            raise UnreadableFile("This workbook is empty: no sheet has a header.")
        best = max(tables, key=lambda table: known(table.headers))
        _refuse_formulas_without_results(book, best)
        if next(best.found_in(book), None) is None:
            raise UnreadableFile(f"Sheet {best.name!r} holds a header and no row below it.")
        book.close()
    if len(sheets) > 1:
        best.remarks.append(f"Of {len(sheets)} sheets, {best.name!r} was read: its columns are the best known.")
    return best


def _table(path: Path, sheet: Any, known: Callable[[Sequence[str]], int]) -> Sheet | None:
    read = ((number, _plain(cells)) for number, cells in enumerate(islice(_rows(sheet), _SAMPLE), start=1))
    rows = list(islice(((number, headers) for number, headers in read if headers), LOOKED_AT))
    if not rows:
        return None
    numbers, found = [number for number, _ in rows], [headers for _, headers in rows]
    at = header_at(found, known)
    return Sheet(path, sheet.title, found[at], numbers[at], remark_on(found[:at], numbers[at], "row"))


def _plain(cells: Sequence[Any]) -> list[str]:
    headers = [" ".join(_text(cell).split()) for cell in cells]
    while headers and not headers[-1]:
        headers.pop()
    return headers


def _refuse_doctypes(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            if not part.filename.endswith((".xml", ".rels")):
                continue
            try:
                with archive.open(part) as file:
                    head = file.read(2048)
            except Exception as error:
                raise _damaged() from error
            if _DOCTYPE in head.upper():
                raise UnreadableFile("A part of this workbook declares a document type, as no spreadsheet does.")


def _refuse_formulas_without_results(book: Any, sheet: Sheet) -> None:
    """Programs that write formulas without calculating them leave cells that look empty here."""
    try:
        with zipfile.ZipFile(sheet.path) as archive, archive.open(book[sheet.name]._worksheet_path) as part:
            found, before = None, b""
            while not found and (piece := part.read(_LOOKED_AT)):
                found = _UNCALCULATED.search(before + piece)
                before = piece[-_LONGEST_FORMULA:]
    except Exception as error:
        raise _damaged() from error
    if found:
        raise UnreadableFile(
            f"Cell {found[1].decode()} holds a formula without its result: open the workbook in a spreadsheet program"
            " and save it."
        )


def _load(file: BinaryIO) -> Any:
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    try:
        with _quiet():
            return load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except Exception as error:
        raise _damaged() from error


def _rows(sheet: Any) -> Iterator[Sequence[Any]]:
    sheet.reset_dimensions()  # what the file says of its size is often wrong
    rows = sheet.iter_rows()
    number = 0
    while True:
        try:
            # A workbook's oddities (dates out of range, unknown extensions) warn; the cells tell of them.
            with _quiet():
                batch = list(islice(rows, _BATCH))
        except Exception as error:
            raise _damaged() from error
        if not batch:
            return
        number += len(batch)
        if number > _LAST_ROW + _BATCH:
            raise UnreadableFile(f"A sheet has {_LAST_ROW:,} rows at most; this one says it has more.")
        yield from batch


def _quiet() -> warnings.catch_warnings[None]:
    return warnings.catch_warnings(action="ignore")


def _damaged() -> UnreadableFile:
    return UnreadableFile("This workbook is damaged or not whole: open it in a spreadsheet program and save it again.")


def _letters(place: int) -> str:
    """The letters of a column, from its place: 0 is A, 26 is AA."""
    letters, rest = "", place + 1
    while rest:
        rest, digit = divmod(rest - 1, _LETTERS)
        letters = chr(ord("A") + digit) + letters
    return letters


def _text(cell: Any) -> str:
    """The cell as a person sees it; of a date as much as its format shows, so that `yyyy` is no first of January."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _WITHOUT_FRACTION else repr(value)
    if isinstance(value, datetime.datetime):
        shown = _as_formatted(value.date(), cell.number_format or "")
        return shown if value.time() == _MIDNIGHT else f"{shown} {value.time().isoformat()}"
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)


def _as_formatted(day: datetime.date, form: str) -> str:
    places = _NOT_PLACES.sub("", form).lower()
    if "d" in places or "y" not in places:
        return day.isoformat()
    return day.isoformat()[:7] if "m" in places else f"{day.year:04}"
