"""The whole registry in files that come back (`returning`): one NDJSON file a noun, or one CSV file a noun and one
for each kind of child row, in a folder or a zip. Merged records are among them.

`export.json`, written last, names every file with the number of its rows and its SHA-256. The same content gives the
same bytes, on either engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import orjson
from sqlalchemy import func, select

from app.exchange import exporting, outlets
from app.exchange.flat import Type
from app.exchange.formats import csv_tables
from app.models import PARTS, RECORDS, Part, Record
from app.models.base import Base
from app.registry.content import table_of
from app.registry.database import Database, ReadingSession

Form = Literal["ndjson", "csv"]
FORMAT = "sistercities-export"
VERSION = 1
MANIFEST = "export.json"
#: What a row has for programs alone: keys for searching, and the pair key.
_INNER = ("pair_key",)
_BOOKKEEPING = ("revision", "created_at", "updated_at")
#: Called with the rows written and all there are.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """One file of an export."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class WholeExport:
    """What was written: of which revision, and which files."""

    revision: int
    files: tuple[Written, ...]

    @property
    def rows(self) -> int:
        """All rows of all files."""
        return sum(each.rows for each in self.files)


@dataclass(frozen=True, slots=True)
class CsvColumn:
    """One column of a table that comes back. `date`: the fuzzy date whose bound it is; `content`: whether a record
    is made of it (the others follow, and are there to be read)."""

    name: str
    type: Type
    content: bool
    date: str | None = None


def models() -> list[type[Record | Part]]:
    """The records' and the parts' tables, each once, in the order in which they can be written."""
    parts = dict.fromkeys(part for several in PARTS.values() for part in several)
    return [*RECORDS.values(), *parts]


def csv_columns(model: type[Record | Part], *, bookkeeping: bool = False) -> list[CsvColumn]:
    """The columns of a model's CSV file, in their order."""
    left_out = {*model.FOLDED, *_INNER, *(() if bookkeeping else _BOOKKEEPING)}
    owners = tuple(model.OWNERS.values()) if issubclass(model, Part) else ()
    key = getattr(model, "KEY", "id")
    own = {*model.CONTENT, *owners, key}
    bounds = {f"{name}_{end}": name for name in model.DATES for end in ("earliest", "latest")}
    # The key first, as people look for it; the sort leaves the others as they are.
    columns = sorted(table_of(model).columns, key=lambda column: column.name != key)
    return [
        CsvColumn(column.name, _type_of(column.type.python_type), column.name in own, bounds.get(column.name))
        for column in columns
        if column.name not in left_out
    ]


def _type_of(kind: type) -> Type:
    types: dict[type, Type] = {int: "integer", float: "number", str: "text", date: "date"}
    return types[kind]


def write(
    database: Database,
    target: Path,
    form: Form,
    *,
    bookkeeping: bool = False,
    replace: bool = False,
    progress: Progress | None = None,
) -> WholeExport:
    """Everything, from one snapshot: into a zip where the target's name ends so, else into a folder. An existing one
    is refused (StateConflict) unless `replace`."""
    place: Callable[..., AbstractContextManager[outlets.Files]]
    place = outlets.zipped if target.suffix == ".zip" else outlets.folder
    with database.reading() as session, place(target, replace=replace) as files:
        return write_into(session, files, form, bookkeeping=bookkeeping, progress=progress)


def write_into(
    session: ReadingSession,
    files: outlets.Files,
    form: Form,
    *,
    bookkeeping: bool = False,
    progress: Progress | None = None,
) -> WholeExport:
    """The same into files that somebody else opened."""
    told = _Told(progress, _total(session, form) if progress else 0)
    write_all = _ndjson_files if form == "ndjson" else _csv_files
    written = tuple(write_all(session, files, bookkeeping, told))
    _write_manifest(files, form, written)
    return WholeExport(session.number(), written)


@dataclass
class _Told:
    """Progress over several files."""

    progress: Progress | None
    total: int
    before: int = 0

    def __call__(self, done: int) -> None:
        if self.progress is not None:
            self.progress(self.before + done, self.total)


def _total(session: ReadingSession, form: Form) -> int:
    counted: Sequence[type[Base]] = list(RECORDS.values()) if form == "ndjson" else models()
    tables = [table_of(model) for model in counted]
    return sum(session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)


def _write_manifest(files: outlets.Files, form: Form, written: Sequence[Written]) -> None:
    listed = [{"name": each.name, "rows": each.rows, "sha256": each.sha256} for each in written]
    manifest = {"format": FORMAT, "version": VERSION, "form": form, "files": listed}
    with files.file(MANIFEST) as file:
        file.write(orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


# ── NDJSON ──


def _ndjson_files(session: ReadingSession, files: outlets.Files, bookkeeping: bool, told: _Told) -> Iterator[Written]:
    for noun in RECORDS:
        digest, rows = hashlib.sha256(), 0
        export = exporting.whole(session, noun, bookkeeping=bookkeeping, progress=told)
        with files.file(f"{noun}.ndjson") as file:
            for chunk in export.chunks():
                digest.update(chunk)
                file.write(chunk)
                # The last line is not a record.
                rows += chunk.count(b"\n")
        told.before += rows - 1
        yield Written(f"{noun}.ndjson", rows - 1, digest.hexdigest())


# ── CSV ──


def _csv_files(session: ReadingSession, files: outlets.Files, bookkeeping: bool, told: _Told) -> Iterator[Written]:
    for model in models():
        written = _csv_file(session, files, model, bookkeeping, told)
        told.before += written.rows
        yield written


def _csv_file(
    session: ReadingSession, files: outlets.Files, model: type[Record | Part], bookkeeping: bool, told: _Told
) -> Written:
    table, columns = table_of(model), csv_columns(model, bookkeeping=bookkeeping)
    written = csv_tables.Table([column.name for column in columns], [column.type == "text" for column in columns])
    statement = select(*(table.c[column.name] for column in columns)).order_by(table.c[getattr(model, "KEY", "id")])
    name, digest, rows = f"{table.name}.csv", hashlib.sha256(), 0
    convert = _converter(columns)
    with files.file(name) as file:
        head = written.head()
        digest.update(head)
        file.write(head)
        for batch in exporting.fetched(session, statement):
            chunk = written.rows([convert(row) for row in batch])
            digest.update(chunk)
            file.write(chunk)
            rows += len(batch)
            told(rows)
    return Written(name, rows, digest.hexdigest())


def _converter(columns: Sequence[CsvColumn]) -> Callable[[Sequence[Any]], list[Any]]:
    """Bounds of a date that is not known are empty: in the tables they are the first and the last of all days."""
    places = {column.name: place for place, column in enumerate(columns)}
    bounds = [(place, places[column.date]) for place, column in enumerate(columns) if column.date is not None]

    def convert(row: Sequence[Any]) -> list[Any]:
        cells = list(row)
        for bound, own in bounds:
            cells[bound] = None if cells[own] is None else cells[bound].isoformat()
        return cells

    return convert
