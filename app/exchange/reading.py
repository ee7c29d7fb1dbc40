"""Opening a file of rows, whatever it is: format, encoding and delimiter by its content, columns by their headers.

Rows stream; memory does not grow with the file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from app.exchange import columns as known_columns
from app.exchange.columns import Recognised
from app.exchange.formats import files, sparql
from app.exchange.formats.delimited import Table, open_table
from app.exchange.formats.files import Encoding, Surveyed, Text, UnreadableFile
from app.exchange.formats.json_documents import Document, Lines, is_own, shape
from app.exchange.formats.workbook import WORKBOOK, Sheet, check_archive, open_sheet
from app.exchange.record_rows import RecordRow, record_row
from app.exchange.records import Fault
from app.exchange.rows import Row, partnership_row

__all__ = ["Opened", "RecordRow", "Row", "UnreadableFile", "open_rows", "partnership_row", "record_row"]

FORMATS = ("csv", "tsv", "ndjson", "json", "xlsx", "sparql")
OWN = "own"
_OWN_FILES = ("export.json", "partnerships.csv", "cities.csv", "partnerships.ndjson")
_SAMPLE = 1000
_LOOKED_AT = 20
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
#: How other formats begin, and what they are.
_OTHERS = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (XLS), or one with a password"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x7fELF", "a program"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"ARROW1", "an Arrow file"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"\x80\x04\x95", "a pickle of Python"),
)
_OWN_DOCUMENT = (
    "This is an export of a registry as one JSON document, which is for reading: NDJSON, or the folder or zip that"
    " `sistercities export` writes, comes back whole."
)
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|table|sparql)", re.IGNORECASE)

Source = Table | Sheet | Lines | Document


@dataclass(slots=True)
class Opened:
    """An open file. `noun`: of its rows; `size` in bytes; `remarks`: what was noticed, and what to look at.

    `format`: csv, tsv, ndjson, json, xlsx, sparql, or `own` for our own export, which has no rows here.
    """

    path: Path
    format: str
    noun: str
    sha256: str
    size: int
    encoding: str = ""
    delimiter: str = ""
    remarks: list[str] = field(default_factory=list)
    source: Source | None = None
    headers: list[str] = field(default_factory=list)
    given: Mapping[str, str] = field(default_factory=dict)
    recognised: Recognised = field(default_factory=lambda: Recognised("", {}, {}, []))
    queried: bool = False
    """Whether it is the result of a query, or names its cities by their identifiers there."""

    @property
    def columns(self) -> dict[str, str]:
        """Own name → header as found, or `=` and the value that every row has."""
        constants = {name: f"={value}" for name, value in self.recognised.constants.items()}
        return self.recognised.columns | constants

    @property
    def ignored(self) -> list[str]:
        """Headers that are not known."""
        return self.recognised.ignored

    @property
    def suggestions(self) -> dict[str, str]:
        """Ignored header → the own name that it may be."""
        return self.recognised.suggestions

    @property
    def position(self) -> int:
        """Bytes read so far, of `size`."""
        if self.source is None:
            return 0
        return self.source.position if isinstance(self.source, Sheet) else self.source.text.position

    def rows(self) -> Iterator[Row]:
        """The rows, from the first, each time this is asked. Raises UnreadableFile where no more can be read."""
        if isinstance(self.source, Lines | Document):
            return self._of_objects(self.source)
        return iter(()) if self.source is None else self._of_cells(self.source)

    def _of_cells(self, source: Table | Sheet) -> Iterator[Row]:
        names, places = list(self.recognised.positions), list(self.recognised.positions.values())
        constants, strip, number = self.recognised.constants, str.strip, 0
        pick = itemgetter(*places) if len(places) > 1 else lambda values: [values[place] for place in places]
        if places == list(range(len(source.headers))):
            pick = None  # type: ignore[assignment]
        for line, values, faults in source.records():
            if not faults and not any(map(strip, values)):
                continue
            number += 1
            cells = dict(zip(names, map(strip, pick(values) if pick else values), strict=True))
            yield Row(number, line, cells | constants if constants else cells, faults)

    def _of_objects(self, source: Lines | Document) -> Iterator[Row]:
        constants, number, seen = self.recognised.constants, 0, set(self.headers)
        own = self._own_names()
        for line, said, faults in source.elements():
            if not said and not faults:
                continue
            number += 1
            if not said.keys() <= seen:
                self._recognise_more(said)
                own, seen = self._own_names(), set(self.headers)
            cells = {own[header]: text for header, text in said.items() if header in own}
            named = tuple(Fault(own.get(fault.field, fault.field), fault.reason) for fault in faults)
            yield Row(number, line, cells | constants if constants else cells, named)
        if isinstance(source, Document) and isinstance(source.rest.get("next"), str):
            self.remarks.append("This is one page of a longer list (`next` leads on): fetch the whole as NDJSON.")

    def _own_names(self) -> dict[str, str]:
        return {header: name for name, header in self.recognised.columns.items()}

    def _recognise_more(self, said: Mapping[str, str]) -> None:
        """Objects may bring keys that no earlier one had."""
        self.headers = list(dict.fromkeys([*self.headers, *said]))
        self.recognised = known_columns.recognise(self.headers, noun=self.noun, given=self.given, queried=self.queried)


def open_rows(
    path: Path | str,
    *,
    noun: str | None = None,
    columns: Mapping[str, str] | None = None,
    format: str | None = None,
    encoding: str | None = None,
) -> Opened:
    """The file, ready to be read.

    noun: partnerships, cities, programs, organisations or sources; columns: own name → header (or `=` and a value for
    every row), before what is recognised; format: one of FORMATS; encoding: as Python names it. What is not given is
    found out. Raises UnreadableFile, which says what the file is and what to do.
    """
    path = Path(path)
    if format is not None and format not in FORMATS:
        raise UnreadableFile(f"There is no such format to read: it is one of {', '.join(FORMATS)}.", field="format")
    if path.is_dir():
        return _own_folder(path)
    surveyed = files.survey(path)
    if not surveyed.size:
        raise UnreadableFile("The file is empty: there is not even a header.")
    opened = Opened(path, format or "", noun or "", surveyed.sha256, surveyed.size, given=dict(columns or {}))
    if surveyed.head.startswith(_ZIP):
        _open_archive(opened)
    else:
        _refuse_others(surveyed.head)
        if encoding is None:
            files.refuse_binary(surveyed)
        _open_text(opened, files.named_encoding(encoding) if encoding else files.encoding_of(path, surveyed), surveyed)
    if opened.format != OWN:
        _recognise(opened, noun)
    return opened


def _refuse_others(head: bytes) -> None:
    what = next((what for mark, what in _OTHERS if head.startswith(mark)), None)
    if what is None and _MARKUP.match(head):
        what = "a web page or XML"
    if what:
        raise UnreadableFile(f"This is {what}, whatever its name says. {files.INSTEAD}")


# ── Archives and folders ──


def _own_folder(path: Path) -> Opened:
    """A folder can only be our own export: a file a noun."""
    found = sorted(each for each in path.iterdir() if each.is_file())
    if not _is_own_folder([each.name for each in found]):
        raise UnreadableFile("This folder is no export of a registry: give a single file.")
    digest, size = hashlib.sha256(), 0
    for each in found:
        surveyed = files.survey(each)
        digest.update(f"{surveyed.sha256}  {each.name}\n".encode())
        size += surveyed.size
    return Opened(path, OWN, "", digest.hexdigest(), size)


def _is_own_folder(names: list[str]) -> bool:
    return any(name.rpartition("/")[2] in _OWN_FILES for name in names)


def _open_archive(opened: Opened) -> None:
    names = check_archive(opened.path)
    if WORKBOOK not in names and _is_own_folder(names):
        opened.format = OWN
        return
    if opened.format not in ("", "xlsx"):
        raise UnreadableFile("This is an archive or a workbook, not text of that format.", field="format")
    opened.source = open_sheet(opened.path, known=_known(opened))
    opened.format, opened.headers = "xlsx", opened.source.headers
    opened.remarks += opened.source.remarks


def _known(opened: Opened) -> Any:
    return partial(known_columns.recognised_count, given=opened.given)


# ── Text ──


def _open_text(opened: Opened, encoding: Encoding, surveyed: Surveyed) -> None:
    if opened.format == "xlsx":
        raise UnreadableFile("This is no XLSX workbook: it is no archive.", field="format")
    text = Text(opened.path, encoding)
    opened.encoding = encoding.name.removesuffix("-sig")
    opened.remarks += [encoding.remark] if encoding.remark else []
    beginning = next(text.pieces(), "").lstrip("\ufeff \t\r\n")
    if not beginning:
        raise UnreadableFile("The file is empty: there is not even a header.")
    kind = opened.format or shape(beginning, whole=surveyed.size <= files.PIECE)
    if kind == "sparql":
        kind = "json" if beginning.startswith("{") else "csv"
    if kind == "own":
        opened.format = OWN
    elif kind in ("csv", "tsv"):
        _open_table(opened, text, delimiter="\t" if kind == "tsv" else None)
    else:
        _open_objects(opened, Lines(text) if kind == "ndjson" else Document(text), kind)


def _open_table(opened: Opened, text: Text, *, delimiter: str | None) -> None:
    table = open_table(text, known=_known(opened), delimiter=delimiter)
    first = [values for _line, values, _faults in islice(table.records(), _LOOKED_AT)]
    queried = any(sparql.is_entity(cell) for values in first for cell in values)
    opened.queried = queried or any(map(sparql.names_items, first))
    opened.source, opened.headers, opened.delimiter = table, table.headers, table.delimiter
    opened.remarks += table.remarks
    opened.format = "sparql" if queried else "tsv" if table.delimiter == "\t" else "csv"


def _open_objects(opened: Opened, source: Lines | Document, kind: str) -> None:
    headers: dict[str, None] = {}
    first_faults: tuple[Fault, ...] = ()
    for place, (_line, said, faults) in enumerate(islice(source.elements(), _SAMPLE)):
        first_faults = first_faults or (faults if place == 0 else ())
        headers.update(dict.fromkeys(said))
        opened.queried = opened.queried or sparql.names_items(said.values())
        if place == 0 and isinstance(source, Document) and is_own(said):
            raise UnreadableFile(_OWN_DOCUMENT)
    told = source.rest.get("head") if isinstance(source, Document) else None
    if isinstance(told, dict) and isinstance(told.get("vars"), list):
        headers = dict.fromkeys(map(str, told["vars"])) | headers
        kind, opened.queried = "sparql", True
    if not headers:
        reason = first_faults[0].reason if first_faults else "There is no row in it."
        raise UnreadableFile(f"This is JSON without a row. {reason}")
    opened.source, opened.headers, opened.format = source, list(headers), kind


def _recognise(opened: Opened, noun: str | None) -> None:
    opened.recognised = known_columns.recognise(
        opened.headers, noun=noun, given=opened.given, hint=opened.path.stem, queried=opened.queried
    )
    opened.noun = opened.recognised.noun
    opened.remarks += opened.recognised.remarks
    if isinstance(opened.source, Table | Sheet):
        opened.source.column_of = {place: name for name, place in opened.recognised.positions.items()}
