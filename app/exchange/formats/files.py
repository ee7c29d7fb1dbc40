"""A file as it lies there: its size and digest, what its bytes are text in, and that text in pieces.

Nothing here holds more than a piece of the file, whatever the file is.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import InvalidValue

PIECE = 1 << 18
"""Bytes that are read at once."""
LONGEST_LINE = 1_000_000
"""Characters of a line, or of one object of a JSON list: a row of a thousand cities is a tenth of it."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAVE_AS_UTF8 = (
    "Save the file as UTF-8 and give it again, or say what it is (--encoding windows-1251; `encoding` in the API)."
)

_PLAIN = bytes(range(0x80))
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_RUN = re.compile(rb"[\x80-\xff]{3,}")
# What letters of Polish and its neighbours look like when they are taken for Latin-1: `Wroc³aw`, `£ódz`.
_SIGN_IN_WORD = re.compile(
    rb"[A-Za-z][\xa1-\xa9\xab-\xb3\xb5\xb6\xb8\xb9\xbb-\xbf\xd7\xf7](?=[A-Za-z])"
    rb"|[\xa2-\xa6\xac\xaf\xb1-\xb3\xb9\xbc-\xbe](?=[A-Za-z\xc0-\xff])"
)
_NOT_IN_WINDOWS_1252 = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])
_CONTROLS = bytes(range(0x80, 0xA0))
_LEAST_SHARE = 20
INSTEAD = "Give the table as CSV, TSV, NDJSON, JSON or XLSX, or as SPARQL results in JSON or CSV."
# Control characters but for blanks, the end mark of old DOS files and the escapes of Japanese mail.
_NO_TEXT = frozenset(map(chr, range(32))) - frozenset("\t\n\v\f\r\x1a\x1b") | {"\x7f", "\ufffd"}
_MOST_CONTROLS, _MOST_CONTROLS_IN_BYTES, _MOST_HIGH = 0.1, 0.03, 0.3
_LOOKED_AT = 4096
_MOST_IN_RUNS = 5


class UnreadableFile(InvalidValue):
    """A file from which no row, or no further row, can be read: what it is, and the fix."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What one pass over a file says. `utf8`: all of it is UTF-8; `head`: how it begins."""

    size: int
    sha256: str
    head: bytes
    utf8: bool


def survey(path: Path) -> Surveyed:
    """Size, digest, beginning of a file, and whether it is UTF-8. Raises UnreadableFile for what cannot be read."""
    digest, size, head = hashlib.sha256(), 0, b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8 = True
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
                head, size = head or piece, size + len(piece)
                utf8 = utf8 and _decodes(decoder, piece)
    except OSError as error:
        raise UnreadableFile(f"This file cannot be read: {error.strerror or error}.") from error
    return Surveyed(size, digest.hexdigest(), head, utf8 and _decodes(decoder, b"", final=True))


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Encoding:
    """What the bytes are text in. `mixed`: UTF-8 with other bytes in between; `remark`: what to look at."""

    name: str
    mixed: bool = False
    remark: str | None = None


def encoding_of(path: Path, surveyed: Surveyed) -> Encoding:
    """The encoding, recognised by the bytes. Raises UnreadableFile where it is none that is read here."""
    for mark, name in _BYTE_ORDER_MARKS:
        if surveyed.head.startswith(mark):
            mixed = name == "utf-8-sig" and not surveyed.utf8
            return Encoding(name, mixed=mixed, remark=_MIXED if mixed else None)
    if wide := _without_mark(surveyed.head):
        return Encoding(wide)
    return Encoding("utf-8") if surveyed.utf8 else _single_byte(path)


_MIXED = "Some bytes of this file are not UTF-8: rows that hold such bytes are refused."
_LATIN = "This file is not UTF-8 and was read as {name} (Western European): look at a name with an accent."


def refuse_binary(surveyed: Surveyed) -> None:
    """Raises UnreadableFile where the beginning is no text in any encoding that is read here: it would be taken for a
    strange header. A NUL or two are faults of their rows."""
    head = surveyed.head[:_LOOKED_AT]
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if head.startswith(mark) and name != "utf-8-sig"), None)
    wide = marked or _without_mark(head)
    text = head.decode(wide or "latin-1", "replace")
    bad = sum(each in _NO_TEXT for each in text)
    rate = _MOST_CONTROLS if surveyed.utf8 or wide else _MOST_CONTROLS_IN_BYTES
    if bad and bad >= rate * len(text):
        raise UnreadableFile(f"This is no text but {surveyed.size:,} bytes of some other kind. {INSTEAD}")
    high = len(head.translate(None, _PLAIN))
    if not (surveyed.utf8 or wide or b"\n" in head or b"\r" in head) and high > _MOST_HIGH * len(head):
        raise UnreadableFile(f"This is no table but {surveyed.size:,} bytes without a line end. {INSTEAD}")


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of mostly Western text is zero."""
    even, odd = head[:4096:2], head[1:4096:2]
    if len(odd) > 1 and odd.count(0) * 3 > len(odd) and not even.count(0):
        return "utf-16-le"
    return "utf-16-be" if len(odd) > 1 and even.count(0) * 3 > len(even) and not odd.count(0) else None


def _single_byte(path: Path) -> Encoding:
    """Not UTF-8: text with a letter in a byte, or UTF-8 that something has damaged, or nothing of the kind."""
    high = sequences = runs = signs = 0
    seen: set[int] = set()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            beyond = piece.translate(None, _PLAIN)
            high += len(beyond)
            seen.update(beyond)
            sequences += sum(map(len, _SEQUENCE.findall(piece)))
            runs += sum(map(len, _RUN.findall(piece)))
            signs += len(_SIGN_IN_WORD.findall(piece))
    if sequences * _LEAST_SHARE > high:
        return Encoding("utf-8", mixed=True, remark=_MIXED)
    if seen & set(_NOT_IN_WINDOWS_1252) or (runs + signs) * _MOST_IN_RUNS > high:
        raise UnreadableFile(f"The text of this file is neither UTF-8 nor UTF-16 nor Latin-1. {_SAVE_AS_UTF8}")
    name = "windows-1252" if seen & set(_CONTROLS) else "latin-1"
    return Encoding(name, remark=_LATIN.format(name=name))


def named_encoding(name: str) -> Encoding:
    """The encoding that somebody says the file has. Raises UnreadableFile for one that is not known."""
    try:
        return Encoding(codecs.lookup(name).name)
    except LookupError:
        raise UnreadableFile("There is no such encoding: write utf-8, utf-16 or latin-1, for example.") from None


@dataclass(slots=True)
class Text:
    """The text of a file, in pieces or lines. It can be read again; what is noticed on the way is kept.

    `position`: bytes read so far. `suspicious`: a NUL, or bytes that are not of the encoding, came by (the latter as
    lone surrogates); `guarded`: a cell with an apostrophe before a formula may have come by.
    """

    path: Path
    encoding: Encoding
    position: int = 0
    suspicious: bool = False
    guarded: bool = field(default=False)

    def pieces(self) -> Iterator[str]:
        """Decoded text, a quarter of a megabyte at a time."""
        self.position = 0
        errors = "surrogateescape" if self.encoding.mixed else "strict"
        decoder = codecs.getincrementaldecoder(self.encoding.name)(errors)
        with self.path.open("rb") as file:
            while piece := file.read(PIECE):
                if text := self._decoded(decoder, piece):
                    yield self._noticed(text)
                self.position += len(piece)
        if rest := self._decoded(decoder, b"", final=True):
            yield self._noticed(rest)

    def lines(self) -> Iterator[str]:
        """The lines, each with its end. Raises UnreadableFile at one that is longer than LONGEST_LINE."""
        rest, number, ends = "", 1, self._line_end()
        for piece in self.pieces():
            text, rest = rest + piece, ""
            if len(text) > LONGEST_LINE and text.find(ends, 0, LONGEST_LINE + 1) < 0:
                raise too_long(number)
            for line in io.StringIO(text, newline=ends):
                if line[-1] == ends:
                    number += 1
                    yield line
                else:
                    rest = line
        if rest:
            yield rest

    def _decoded(self, decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> str:
        try:
            return decoder.decode(piece, final)
        except UnicodeDecodeError:
            message = f"The text of this file is not {self.encoding.name.upper()} all through. {_SAVE_AS_UTF8}"
            raise UnreadableFile(message) from None

    def _noticed(self, text: str) -> str:
        if not self.suspicious and ("\0" in text or (self.encoding.mixed and _SURROGATE.search(text))):
            self.suspicious = True
        if not self.guarded and _GUARD.search(text):
            self.guarded = True
        return text

    def _line_end(self) -> str:
        # Old Macintosh programs end lines with a carriage return alone.
        first = next(self.pieces(), "")
        return "\r" if "\r" in first and "\n" not in first else "\n"


_SURROGATE = re.compile("[\ud800-\udfff]")
_GUARD = re.compile("'[=+\\-@\t\r]")


def too_long(number: int, what: str = "Line") -> UnreadableFile:
    """What is said of a line, or a row of a JSON list, that goes on and on."""
    return UnreadableFile(
        f"{what} {number:,} is longer than {LONGEST_LINE:,} characters, which no row of this data is."
        " Look at how the file was made: line ends may be missing, or it is no table."
    )
