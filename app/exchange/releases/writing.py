"""Making a release."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy import select

from app.errors import InvalidValue
from app.exchange import exporting, outlets, whole
from app.exchange.formats import csv_tables, geojson, ndjson, parquet
from app.exchange.releases import changelog, descriptor, sql_file
from app.models import Change, RegistryState, Revision
from app.registry.content import table_of
from app.registry.database import Database, ReadingSession

PIECE = 1 << 20
DESCRIPTOR, SUMS = "datapackage.json", "SHA256SUMS"
#: Called with what is being written now.
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Release:
    """What was written: the release's name, its revision, and its files with their sizes in bytes."""

    name: str
    revision: int
    files: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Since:
    """Where the changelog begins: a revision, and the name of the release that was made of it."""

    revision: int
    release: str | None = None


def since(text: str) -> Since:
    """What `--since` means: the folder of a release, or the number of a revision. Raises InvalidValue."""
    path = Path(text) / DESCRIPTOR
    if path.is_file():
        try:
            told = orjson.loads(path.read_bytes())
            return Since(int(told["sistercities"]["revision"]), str(told["version"]))
        except (ValueError, KeyError, TypeError):
            message = f"The {DESCRIPTOR} of this folder is damaged, or that of no release of a registry."
            raise InvalidValue(message, field="since") from None
    if text.isdecimal():
        return Since(int(text))
    raise InvalidValue(
        "This is neither the folder of a release (with its datapackage.json) nor the number of a revision.",
        field="since",
    )


def write(
    database: Database,
    target: Path,
    *,
    name: str | None = None,
    since: Since | None = None,
    journal: bool = False,
    replace: bool = False,
    progress: Progress = lambda _what: None,
) -> Release:
    """Write a release of the registry as it stands into the folder `target`, which appears when all of it is there.

    name: its version (default: `r<revision>`). since: where the changelog begins. journal: also `changes.ndjson`.
    An existing folder is refused (StateConflict) unless `replace`. Raises NotInstalled without DuckDB.
    """
    parquet.require()
    with database.reading() as session, outlets.folder(target, replace=replace) as files:
        made = _Making(session, files, since, progress)
        made.tables()
        made.flat()
        made.sql()
        if journal:
            made.journal()
        release = name or f"r{session.number()}"
        if since is not None:
            made.changes(release)
        made.description(release)
        return Release(release, session.number(), made.sizes)


class _Making:
    """A release in the making: its files so far, and what the descriptor says of them."""

    def __init__(self, session: ReadingSession, files: outlets.Files, since: Since | None, progress: Progress) -> None:
        self.session, self.files, self.since, self.progress = session, files, since, progress
        self.folder: Path = files.path  # type: ignore[attr-defined]
        self.sizes: dict[str, int] = {}
        self.sums: dict[str, str] = {}
        self.resources: list[dict[str, Any]] = []
        if since is not None and since.revision > session.number():
            raise InvalidValue(
                f"The registry is at revision {session.number()}, so nothing is since revision {since.revision}.",
                field="since",
            )

    def tables(self) -> None:
        """csv/ and ndjson/."""
        for form in ("csv", "ndjson"):
            self.progress(form)
            (self.folder / form).mkdir()
            written = whole.write_into(self.session, _Within(self.files, form), form)
            for each in (*written.files, None):
                self._known(f"{form}/{whole.MANIFEST if each is None else each.name}")
            self._describe_tables(form, written.files)

    def _describe_tables(self, form: str, written: Iterable[whole.Written]) -> None:
        models = {f"{table_of(model).name}.csv": model for model in whole.models()}
        for each in written:
            path = f"{form}/{each.name}"
            if form == "csv":
                described = descriptor.table_resource(models[each.name], each, path, self.sizes[path])
            else:
                described = self._file(path, media_type=ndjson.MEDIA_TYPE, records=each.rows)
            self.resources.append(described)

    def flat(self) -> None:
        """Partnerships as Parquet and GeoJSON."""
        for form, media_type in (("parquet", parquet.MEDIA_TYPE), ("geojson", geojson.MEDIA_TYPE)):
            self.progress(form)
            path = f"partnerships.{form}"
            with closing(exporting.opened(self.session, "partnerships", form)) as export:
                self._write(path, export.chunks())
            self.resources.append(self._file(path, media_type=media_type))

    def sql(self) -> None:
        """registry.sqlite."""
        self.progress("sqlite")
        counts = sql_file.write(self.session, self.folder / "registry.sqlite")
        self._known("registry.sqlite")
        described = self._file("registry.sqlite", media_type="application/vnd.sqlite3", records=sum(counts.values()))
        self.resources.append(described)

    def journal(self) -> None:
        """changes.ndjson: what every revision left of each record that it touched."""
        self.progress("journal")
        rows = self._write("changes.ndjson", _journal(self.session))
        self.resources.append(self._file("changes.ndjson", media_type=ndjson.MEDIA_TYPE, records=rows))

    def changes(self, release: str) -> None:
        """CHANGELOG.md and changelog.ndjson."""
        assert self.since is not None
        self.progress("changelog")
        summary = changelog.Summary()
        entries = map(summary.add, changelog.entries(self.session, since=self.since.revision))
        rows = self._write("changelog.ndjson", changelog.lines(entries))
        text = summary.text(self.session, release=release, since=self.since.revision, before=self.since.release)
        self._write("CHANGELOG.md", [text.encode()])
        self.resources.append(self._file("changelog.ndjson", media_type=ndjson.MEDIA_TYPE, records=rows))

    def description(self, release: str) -> None:
        """README.md, datapackage.json, SHA256SUMS."""
        self._write("README.md", [_readme(self.session, release).encode()])
        told: dict[str, Any] = {"revision": self.session.number()}
        if self.since is not None:
            told["since"] = {"revision": self.since.revision, "release": self.since.release}
        package = descriptor.package(
            self.session, release=release, created=_time(self.session), resources=self.resources, told=told
        )
        self._write(DESCRIPTOR, [orjson.dumps(package, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)])
        sums = "".join(f"{digest}  {path}\n" for path, digest in sorted(self.sums.items()))
        self._write(SUMS, [sums.encode()])

    def _write(self, path: str, chunks: Iterable[bytes]) -> int:
        """Write a file; the lines that it has."""
        lines = 0
        with self.files.file(path) as file:
            for chunk in chunks:
                file.write(chunk)
                lines += chunk.count(b"\n")
        self._known(path)
        return lines

    def _known(self, path: str) -> None:
        self.sizes[path] = (self.folder / path).stat().st_size
        self.sums[path] = digest_of(self.folder / path)

    def _file(self, path: str, *, media_type: str, **more: Any) -> dict[str, Any]:
        name = path.replace("/", "-").replace(".", "-").replace("_", "-").lower()
        size, digest = self.sizes[path], self.sums[path]
        return descriptor.resource(name, path, media_type=media_type, size=size, digest=digest, type="file", **more)


class _Within:
    """Files in a folder of the release."""

    def __init__(self, files: outlets.Files, folder: str) -> None:
        self.files, self.folder = files, folder

    def file(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """A file of this name, to be written."""
        return self.files.file(f"{self.folder}/{name}")


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _journal(session: ReadingSession) -> Iterator[bytes]:
    statement: Any = (
        select(Change.revision, Revision.time, Revision.account, Revision.reason, Revision.undoes,
               Change.noun, Change.record, Change.after)
        .join(Revision, Revision.number == Change.revision)
        .order_by(Change.revision, Change.noun, Change.record)
    )  # fmt: skip
    for rows in exporting.fetched(session, statement):
        yield b"".join(
            orjson.dumps(
                {
                    "revision": revision, "time": time, "account": account, "reason": reason, "undoes": undoes,
                    "noun": noun, "id": record, "after": None if after is None else orjson.Fragment(after),
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )
            for revision, time, account, reason, undoes, noun, record, after in rows
        )  # fmt: skip


def _time(session: ReadingSession) -> str:
    """When the registry came to this revision: a release of it is the same whenever it is made."""
    return str(session.execute(select(RegistryState.updated_at)).scalar_one())


def _readme(session: ReadingSession, release: str) -> str:
    apostrophe = csv_tables.safe("=1+1")
    licences = "\n".join(f"- {each['title']}: <{each['path']}>" for each in descriptor.licences(session))
    return f"""# {descriptor.TITLE}, release {release}

{descriptor.DESCRIPTION}

This is the whole registry at revision {session.number()}. Its own work (what was brought together, matched and
computed here) is under the first of these licences; the documents that support each fact are in `csv/sources.csv`,
and what was taken from one that has terms of its own stays under those.

{licences}

| file | what it holds |
| --- | --- |
| `csv/` | a table for each noun and each kind of child row; `datapackage.json` has their schemas |
| `ndjson/` | a record a line with all that hangs on it; the last line of a file has their count and a digest |
| `partnerships.parquet`, `partnerships.geojson` | partnerships for reading, flat, with their cities |
| `registry.sqlite` | the same tables for SQL, and the view `pairs` |
| `changes.ndjson` | the journal, where the release has it |
| `CHANGELOG.md`, `changelog.ndjson` | what changed since the release before, where one was named |
| `SHA256SUMS` | `sha256sum -c SHA256SUMS` checks every file |

A text cell in CSV that a spreadsheet would run as a formula has an apostrophe in front (`{apostrophe}` for `=1+1`).
Dates are EDTF (`1973`, `1973-11`, `1973~`, `197X`), with the first and the last day that they may mean beside them.

`sistercities release verify FOLDER` checks all of it; `sistercities import-release FOLDER` makes a registry of it.
"""
