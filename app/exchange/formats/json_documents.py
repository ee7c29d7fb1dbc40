"""Reading JSON: an object a line, a list of objects, or a list inside an object as our API and SPARQL answer.

However long the list is, one element at a time is in memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.exchange.column_names import NOUNS
from app.exchange.formats import sparql
from app.exchange.formats.files import LONGEST_LINE, PIECE, Text, UnreadableFile, too_long
from app.exchange.formats.ndjson import is_trailer
from app.exchange.records import Fault

Element = tuple[int, dict[str, str], tuple[Fault, ...]]
"""Line (of a list: place), header → text, faults."""

#: Where a list lies in an object: the key, and the key below it.
LISTS = ("items", "results", "data", "rows", "records", "bindings", *NOUNS)
#: Lists whose elements are the cities of a row.
CITY_LISTS = frozenset({"members", "cities", "towns", "places", "partners", "sides", "pair"})
_DEEPEST = 6
_BAD_CHARACTER = re.compile("[\0\ud800-\udfff]")
_BAD = "This holds a NUL character (U+0000) or half a surrogate pair, which is no character. Remove it."
_OF_A_LIST = re.compile(r'\[\s*(?:[\[\]{"]|-?\d|$)')
_AS_IN = 'each row is one, as in {"city1": "Paris", "city2": "Rome"}.'
_BLANK = re.compile(r"[ \t\r\n\ufeff]*")


def _refuse_constant(_name: str) -> Any:
    raise ValueError("NaN")


# What an object is given beside its own keys where one of them stands in it twice: which.
_TWICE = "\0twice"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        found[_TWICE] = next(name for name in names if names.count(name) > 1)
    return found


# Numbers stay as they are written.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse_constant, object_pairs_hook=_object)


# ── Which of them it is ──


def shape(beginning: str, *, whole: bool) -> str:
    """What text that begins so is: `ndjson`, `json`, `own` (lines of our own export), or `csv` for none of them.
    `whole`: this is all of it."""
    if beginning[0] != "{":
        # A table may begin with `[city]`, as databases write names; a list never does.
        return "json" if _OF_A_LIST.match(beginning) or (whole and _is_value(beginning)) else "csv"
    line, newline, after = beginning.partition("\n")
    try:
        value = _DECODER.decode(line.strip())
    except ValueError:
        # A first line that is an object cut off is a fault of that row; a document has more below.
        goes_on = line.rstrip().endswith(("{", "[", ":")) or not (newline or whole)
        goes_on = goes_on or (line.rstrip().endswith(",") and not after.lstrip().startswith("{"))
        return "json" if goes_on else "ndjson"
    if is_own(value):
        return "own"
    wraps = any(isinstance(value.get(key), list | dict) for key in LISTS)
    return "json" if wraps and not after.strip() else "ndjson"


def _is_value(text: str) -> bool:
    try:
        _DECODER.decode(text.strip())
    except (ValueError, RecursionError):
        return False
    return True


def is_own(value: Mapping[str, Any]) -> bool:
    """Whether an object is a record of our own export, which carries the content that the journal keeps, or the line
    that vouches for such records."""
    carries = isinstance(value.get("content"), dict) or any(key.startswith("content ") for key in value)
    return carries or is_trailer(value)


# ── One object a line ──


@dataclass(slots=True)
class Lines:
    """NDJSON."""

    text: Text

    def elements(self) -> Iterator[Element]:
        """Each line that is not blank."""
        for number, line in enumerate(self.text.lines(), start=1):
            if line.isspace():
                continue
            yield number, *_line(line)


def _line(line: str) -> tuple[dict[str, str], tuple[Fault, ...]]:
    try:
        value = _DECODER.decode(line.strip(" \t\r\n\ufeff"))
    except (ValueError, RecursionError) as error:
        return {}, (Fault("", f"This line is no JSON{_where(error)}: it may have been cut off."),)
    if not isinstance(value, dict):
        return {}, (Fault("", f"This line is {_what(value)}, no object: {_AS_IN}"),)
    return flat(value)


def _where(error: Exception) -> str:
    return f" (at character {error.colno:,})" if isinstance(error, json.JSONDecodeError) else ""


def _what(value: Any) -> str:
    if isinstance(value, str):
        return "a text or a number"
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else "true or false"


# ── A list ──


@dataclass(slots=True)
class Document:
    """A list of objects, by itself or in an object. After reading, `rest` holds what stood beside the list."""

    text: Text
    rest: dict[str, Any] = field(default_factory=dict)

    def elements(self) -> Iterator[Element]:
        """Each element. Raises UnreadableFile where the document breaks off or is no JSON."""
        scan = _Scan(self.text.pieces())
        self.rest = {}
        if scan.peek() not in ("[", "{", ""):
            value = scan.value()
            scan.finish()
            raise UnreadableFile(f"This file holds nothing but {_what(value)}, and no list of objects: {_AS_IN}")
        values = scan.array() if scan.peek() == "[" else self._in_object(scan, LISTS)
        number = 0
        for number, value in enumerate(values, start=1):
            if isinstance(value, dict):
                yield number, *flat(value)
            else:
                yield number, {}, (Fault("", f"This is {_what(value)}, no object: {_AS_IN}"),)
        scan.finish()

    def _in_object(self, scan: _Scan, keys: tuple[str, ...]) -> Iterator[Any]:
        """The elements of the list of the object, or the object itself where it holds no list."""
        found = False
        for key in scan.members():
            if key in keys and scan.peek() == "[" and not found:
                found = True
                yield from scan.array()
            elif key == "results" and scan.peek() == "{" and not found:
                found = True
                yield from self._in_object(scan, ("bindings",))
            else:
                self.rest[key] = scan.value()
        if not found and keys is LISTS:
            yield self.rest


class _Scan:
    """Walks through a document, holding as much of it as the value under the finger."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self.pieces = pieces
        self.buffer = ""
        self.at = 0
        self.count = 0
        self.ended = False

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            self.at = _BLANK.match(self.buffer, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self._more():
                return ""

    def take(self, wanted: str) -> str:
        """Step over one of these characters; which it was."""
        found = self.peek()
        if not found:
            raise self._cut_off()
        if found not in wanted:
            raise self._no_json()
        self.at += 1
        return found

    def array(self) -> Iterator[Any]:
        """The elements of a list."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            self.count += 1
            yield self.value()
            if self.take(",]") == "]":
                return

    def members(self) -> Iterator[str]:
        """The keys of an object; each value must be taken before the next key."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() not in ('"', ""):
                raise self._no_json()
            key = self.value()
            self.take(":")
            yield key
            if self.take(",}") == "}":
                return

    def value(self) -> Any:
        """The value here. Whether a piece of JSON is broken or only not all there yet is not to be told apart, so more
        is read, twice as much each time, until it is whole, or too long, or the file ends."""
        self.peek()
        wanted = PIECE
        while True:
            try:
                value, end = _DECODER.raw_decode(self.buffer, self.at)
            except RecursionError:
                raise UnreadableFile(f"{self._here()} is nested too deeply for a row.") from None
            except ValueError as error:
                self._read_on(wanted, error)
                wanted *= 2
                continue
            # A number at the end of what is read so far may go on.
            if end < len(self.buffer) or not self._more():
                self.at = end
                return value

    def finish(self) -> None:
        """Nothing may follow."""
        if self.peek():
            raise self._no_json()

    def _read_on(self, wanted: int, error: ValueError) -> None:
        if str(error) == "NaN":
            raise UnreadableFile(f"{self._here()} holds NaN or Infinity, which JSON does not know.")
        broken = _broken(error, len(self.buffer))
        self.buffer = self.buffer[self.at :]
        self.at = 0
        if len(self.buffer) > LONGEST_LINE:
            raise self._no_json() if broken else too_long(self.count, "Row")
        before = len(self.buffer)
        while len(self.buffer) < before + wanted and self._more():
            pass
        if len(self.buffer) == before:
            raise (self._no_json() if broken else self._cut_off()) from None

    def _more(self) -> bool:
        piece = next(self.pieces, "")
        if not piece:
            return False
        self.buffer = self.buffer[self.at :] + piece
        self.at = 0
        return True

    def _here(self) -> str:
        return f"Row {self.count:,} of this JSON list" if self.count else "The beginning of this JSON document"

    def _cut_off(self) -> UnreadableFile:
        where = f"at row {self.count:,}" if self.count else "before its first row"
        message = f"The file ends in the middle, {where}: it is not whole, so none of it is taken. Fetch it again."
        return UnreadableFile(message)

    def _no_json(self) -> UnreadableFile:
        return UnreadableFile(f"{self._here()} is no JSON: look at its commas, quotation marks and brackets.")


def _broken(error: ValueError, end: int) -> bool:
    """Whether the fault lies in what is there, rather than in what is missing at its end."""
    if not isinstance(error, json.JSONDecodeError):
        return True
    # A literal that was cut (`tru`) is faulted at its first letter, a string where it begins.
    return error.pos < end - len("Infinity") and not error.msg.startswith("Unterminated")


# ── Objects as cells ──


def flat(value: Mapping[str, Any]) -> tuple[dict[str, str], tuple[Fault, ...]]:
    """Header → text of an object. What is nested is reached by its path (`members 1 city name`); a list that is not of
    cities is one cell, its words between semicolons or, if they are no words, as JSON."""
    cells: dict[str, str] = {}
    try:
        _flatten(cells, value, "", 0)
    except RecursionError:
        return {}, (Fault("", "This row is nested too deeply."),)
    doubled = [cells.pop(header) for header in list(cells) if header.endswith(_TWICE)]
    faults = [Fault(header, "This stands twice in the row: leave one value of it.") for header in doubled]
    faults += [Fault(header, _BAD) for header, text in cells.items() if _BAD_CHARACTER.search(text)]
    return cells, tuple(faults)


def _flatten(cells: dict[str, str], value: Any, path: str, depth: int) -> None:
    if isinstance(value, dict) and not sparql.is_term(value):
        if depth > _DEEPEST:
            raise RecursionError
        for key, each in value.items():
            _flatten(cells, each, f"{path} {key}" if path else key, depth + 1)
    elif isinstance(value, list) and path.rpartition(" ")[2].lower() in CITY_LISTS:
        for place, each in enumerate(value, start=1):
            _flatten(cells, each, f"{path} {place}", depth + 1)
    elif value is not None:
        cells[path] = _text(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        return sparql.text(value).strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "; ".join(value)
    return json.dumps(value, ensure_ascii=False)
