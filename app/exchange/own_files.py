"""Our own exports, read back: an NDJSON file of one noun, or a folder or zip that `export.json` describes.

Every file is vouched for by count and digest (its last line, or `export.json`); one that was cut or altered is
refused whole, since nobody knows what it lost.
"""

from __future__ import annotations

import csv
import hashlib
import io
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from app.exchange import whole
from app.exchange.formats import csv_tables, ndjson
from app.exchange.formats.files import UnreadableFile
from app.exchange.records import Fault
from app.models import PARTS, RECORDS, Part, Record
from app.registry.content import Content, chunks, table_of

#: No record is as large as this; a file with such a line is no export.
LONGEST_LINE = 16 * 2**20
PIECE = 1 << 18
_CUT = "Export it again, or fetch it again if it was fetched: an import of a part would lose the rest unnoticed."
_ALTERED = (
    "was altered after it was written, or damaged: its count or digest does not fit. Export it again. (Data that was"
    " edited by hand is imported as a table of its own, not as an export.)"
)


@dataclass(frozen=True, slots=True)
class OwnRow:
    """One record of an export: its number among all of them, its noun, and its content; or what is wrong with it."""

    number: int
    noun: str
    content: Content | None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class OwnExport:
    """An export as it lies there. `size` in bytes; `sha256` of the file, or of a folder's `export.json`."""

    name: str
    sha256: str
    size: int
    read: Callable[[], Iterator[OwnRow]]

    def rows(self) -> Iterator[OwnRow]:
        """The records, noun after noun. Raises UnreadableFile, at the latest at its end."""
        return self.read()


def open_own(path: Path, *, noun: str | None = None) -> OwnExport:
    """The export at this place. `noun`: of a single file whose last line does not say it. Raises UnreadableFile."""
    if path.is_dir():
        return _several(path, _in_folder(path), _digest(path / whole.MANIFEST), _size(path))
    if zipfile.is_zipfile(path):
        return _several(path, _in_zip(path), _digest(path), path.stat().st_size)
    named = _noun_of(path) or noun
    if named not in RECORDS:
        raise UnreadableFile(f"{path.name} does not say what its records are: it is cut short. {_CUT}")

    def read() -> Iterator[OwnRow]:
        with path.open("rb") as file:
            yield from _numbered(_lines(_Watched(file), path.name, named, expected=None))

    return OwnExport(path.name, _digest(path), path.stat().st_size, read)


def _noun_of(path: Path) -> str | None:
    """What the last line says: a file of an export ends with one that vouches for the others."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        lines = file.read().splitlines()
    try:
        trailer = orjson.loads(lines[-1]) if lines else None
    except orjson.JSONDecodeError:
        return None
    return trailer.get("noun") if isinstance(trailer, dict) else None


def _digest(path: Path) -> str:
    if not path.is_file():
        raise UnreadableFile(
            f"There is no {path.name} in {path.parent.name}: this is no export of a registry, or not all of one."
        )
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.iterdir() if each.is_file())


def _numbered(rows: Iterator[tuple[str, Content | None, Fault | None]]) -> Iterator[OwnRow]:
    for number, (noun, content, fault) in enumerate(rows, start=1):
        yield OwnRow(number, noun, content, fault)


# ── Folders and zips ──

#: Opens a file by name; KeyError where it is not there.
Opener = Callable[[str], AbstractContextManager[IO[bytes]]]


def _in_folder(path: Path) -> Opener:
    @contextmanager
    def open_file(name: str) -> Iterator[IO[bytes]]:
        if not (path / name).is_file():
            raise KeyError(name)
        with (path / name).open("rb") as file:
            yield file

    return open_file


def _in_zip(path: Path) -> Opener:
    @contextmanager
    def open_file(name: str) -> Iterator[IO[bytes]]:
        with zipfile.ZipFile(path) as archive, archive.open(name) as file:
            yield file

    return open_file


def _several(path: Path, opener: Opener, sha256: str, size: int) -> OwnExport:
    manifest = _manifest(path, opener)
    listed = {each["name"]: whole.Written(**each) for each in manifest["files"]}

    def read() -> Iterator[OwnRow]:
        reader = _ndjson_files if manifest["form"] == "ndjson" else _csv_files
        try:
            yield from _numbered(reader(opener, listed))
        except KeyError as error:
            raise UnreadableFile(f"{error.args[0]} is missing in {path.name}. {_CUT}") from None
        except zipfile.BadZipFile as error:
            raise UnreadableFile(f"{path.name} is damaged: {error}. {_CUT}") from None

    return OwnExport(path.name, sha256, size, read)


def _manifest(path: Path, opener: Opener) -> Any:
    try:
        with opener(whole.MANIFEST) as file:
            manifest = orjson.loads(file.read(PIECE))
        if manifest["format"] != whole.FORMAT or manifest["form"] not in ("ndjson", "csv"):
            raise KeyError
        for each in manifest["files"]:
            whole.Written(**each)
    except (KeyError, TypeError, orjson.JSONDecodeError, zipfile.BadZipFile):
        raise UnreadableFile(
            f"{path.name} is no export of a registry: it holds no {whole.MANIFEST} that describes one."
        ) from None
    if manifest["version"] != whole.VERSION:
        raise UnreadableFile(f"{path.name} is an export of another version: import it with the program that wrote it.")
    return manifest


class _Watched(io.RawIOBase):
    """A file whose bytes are counted and digested as they are read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some."""
        piece = self.file.read(len(buffer))
        buffer[: len(piece)] = piece
        self.digest.update(piece)
        return len(piece)


def _check(written: whole.Written, digest: str, rows: int) -> None:
    if (written.sha256, written.rows) != (digest, rows):
        raise UnreadableFile(f"{written.name} {_ALTERED}")


Parsed = Iterator[tuple[str, Content | None, Fault | None]]

# ── NDJSON ──


def _ndjson_files(opener: Opener, listed: Mapping[str, whole.Written]) -> Parsed:
    for noun in RECORDS:
        written = listed.get(f"{noun}.ndjson")
        if written is None:
            raise KeyError(f"{noun}.ndjson")
        with opener(written.name) as file:
            yield from _lines(_Watched(file), written.name, noun, expected=written)


def _lines(file: _Watched, name: str, noun: str, *, expected: whole.Written | None) -> Parsed:
    """The records of one file. Its last line must vouch for the others, and `expected` for all of it."""
    digest, count, trailer = hashlib.sha256(), 0, None
    buffered = io.BufferedReader(file, PIECE)
    while line := buffered.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise UnreadableFile(f"Line {count + 1} of {name} has no end: this is no export of a registry.")
        if trailer is not None:
            raise UnreadableFile(f"{name} {_ALTERED}")
        said = _parsed(line)
        if said is not None and ndjson.is_trailer(said):
            trailer = said
            continue
        digest.update(line)
        count += 1
        yield noun, *_content(said)
    if trailer is None:
        raise UnreadableFile(f"{name} is cut short: its last line is missing. {_CUT}")
    if (trailer["count"], trailer[ndjson.DIGEST]) != (count, digest.hexdigest()):
        raise UnreadableFile(f"{name} {_ALTERED}")
    if expected is not None:
        _check(expected, file.digest.hexdigest(), count)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None


def _content(said: dict[str, Any] | None) -> tuple[Content | None, Fault | None]:
    content = None if said is None else said.get("content")
    if isinstance(content, dict):
        return content, None
    return None, Fault("content", "This line holds no record with its content.")


# ── CSV ──


def _csv_files(opener: Opener, listed: Mapping[str, whole.Written]) -> Parsed:
    """Rows of all tables go to a temporary file, from which each record is put together with its child rows."""
    with closing(sqlite3.connect("", isolation_level=None)) as pieces:
        pieces.execute("PRAGMA journal_mode = OFF")
        pieces.execute("CREATE TABLE pieces (noun TEXT, record, part TEXT, id INTEGER, said TEXT)")
        for model in whole.models():
            name = f"{table_of(model).name}.csv"
            if name not in listed:
                raise KeyError(name)
            with opener(name) as file:
                rows = _pieces(file, model, listed[name])
                for batch in chunks(rows):
                    pieces.executemany("INSERT INTO pieces VALUES (?, ?, ?, ?, ?)", batch)
        pieces.execute("CREATE INDEX whose ON pieces (noun, record, part, id)")
        for noun in RECORDS:
            yield from _assembled(pieces, noun)


def _pieces(
    file: IO[bytes], model: type[Record | Part], written: whole.Written
) -> Iterator[tuple[str, int | str, str, int | None, str]]:
    watched = _Watched(file)
    text = io.TextIOWrapper(io.BufferedReader(watched, PIECE), encoding="utf-8", newline="")
    count = 0
    try:
        reader = csv.reader(text)
        columns = _columns(model, next(reader, []), written.name)
        for cells in reader:
            if len(cells) != len(columns):
                raise UnreadableFile(f"{written.name} {_ALTERED}")
            count += 1
            yield _piece(
                model, {column.name: cell for column, cell in zip(columns, cells, strict=True) if column.content}
            )
    except (UnicodeDecodeError, csv.Error):
        raise UnreadableFile(f"{written.name} {_ALTERED}") from None
    _check(written, watched.digest.hexdigest(), count)


def _columns(model: type[Record | Part], header: Sequence[str], name: str) -> list[whole.CsvColumn]:
    known = {column.name: column for column in whole.csv_columns(model, bookkeeping=True)}
    strange = [each for each in header if each not in known]
    if strange or len(set(header)) < len(header) or getattr(model, "KEY", "id") not in header:
        raise UnreadableFile(f"{name} has columns of another version of the program: {', '.join(strange) or 'none'}.")
    return [known[each] for each in header]


def _piece(model: type[Record | Part], cells: dict[str, str]) -> tuple[str, int | str, str, int | None, str]:
    kinds = {column.name: column.type.python_type for column in table_of(model).columns}
    said = {name: _value(kinds[name], cell) for name, cell in cells.items() if cell}
    if issubclass(model, Part):
        noun, record = _owner(model, said)
        return noun, record, model.PART, said.get("id"), orjson.dumps(said).decode()
    return model.NOUN, said.get(model.KEY, ""), "", None, orjson.dumps(said).decode()


def _owner(model: type[Part], said: dict[str, Any]) -> tuple[str, int | str]:
    """Which record a child row hangs on; its columns for that go, since the record's content does not have them."""
    owners = [(noun, said.pop(column)) for noun, column in model.OWNERS.items() if column in said]
    return owners[0] if len(owners) == 1 else ("", "")


def _value(kind: type, cell: str) -> Any:
    """What a cell stands for. What is no number stays text, for the rules to refuse."""
    if kind is str:
        return csv_tables.unsafe(cell)
    try:
        return kind(cell)
    except ValueError:
        return cell


def _assembled(pieces: sqlite3.Connection, noun: str) -> Parsed:
    parts = {part.PART: [] for part in PARTS[noun]}  # type: ignore[var-annotated]
    statement = "SELECT record, part, said FROM pieces WHERE noun = ? ORDER BY record, part, id"
    current: tuple[Any, Content | None, dict[str, list[Content]]] | None = None
    for record, part, said in pieces.execute(statement, (noun,)):
        if current is None or current[0] != record:
            if current is not None:
                yield noun, *_whole(*current)
            current = (record, None, {name: [] for name in parts})
        if part:
            current[2][part].append(orjson.loads(said))
        else:
            current = (record, orjson.loads(said), current[2])
    if current is not None:
        yield noun, *_whole(*current)


def _whole(record: Any, own: Content | None, parts: dict[str, list[Content]]) -> tuple[Content | None, Fault | None]:
    if own is None:
        there = ", ".join(name for name, rows in parts.items() if rows)
        return None, Fault("id", f"There are rows of {there} for record {record}, but not the record itself.")
    return own | {name: rows for name, rows in parts.items() if rows}, None
