"""Checking a release: that every file is there and whole, that every row fits its schema, that all counts agree."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from app.errors import InvalidValue, NotInstalled
from app.exchange.formats import csv_tables, ndjson, parquet
from app.exchange.releases.writing import DESCRIPTOR, SUMS, digest_of

#: Problems of one file that are told; more of the same say nothing new.
TOLD = 20
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and in which file of the release."""

    file: str
    problem: str


def verify(folder: Path, *, progress: Progress = lambda _file: None) -> list[Fault]:
    """Everything that is wrong with the release in the folder; empty: nothing. Raises InvalidValue where there is
    no release."""
    if not (folder / SUMS).is_file() or not (folder / DESCRIPTOR).is_file():
        raise InvalidValue(f"This folder holds no release: it has no {SUMS} or no {DESCRIPTOR}.", field="folder")
    faults = list(_sums(folder, progress))
    try:
        package = orjson.loads((folder / DESCRIPTOR).read_bytes())
        resources = {str(each["path"]): dict(each) for each in package["resources"]}
    except (ValueError, KeyError, TypeError) as error:
        return [*faults, Fault(DESCRIPTOR, f"is no descriptor: {error}")]
    outside = [path for path in resources if Path(path).is_absolute() or ".." in Path(path).parts]
    if outside:
        return [*faults, *(Fault(DESCRIPTOR, f"names a file outside the release: {path}") for path in outside)]
    for path, resource in resources.items():
        if (folder / path).is_file():
            progress(path)
            faults += _some(Fault(path, problem) for problem in _resource(folder / path, resource))
    return faults + list(_agreement(folder, resources))


def _some(faults: Iterator[Fault]) -> list[Fault]:
    found: list[Fault] = []
    for fault in faults:
        if len(found) == TOLD:
            return [*found, Fault(fault.file, "… and more")]
        found.append(fault)
    return found


# ── Sums ──


def _sums(folder: Path, progress: Progress) -> Iterator[Fault]:
    listed: dict[str, str] = {}
    for line in (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines():
        found = re.fullmatch(r"([0-9a-f]{64})  (\S.*)", line)
        if found is None or ".." in Path(found[2]).parts or Path(found[2]).is_absolute():
            yield Fault(SUMS, "has a line that is no sum of a file")
        else:
            listed[found[2]] = found[1]
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {SUMS}
    yield from (Fault(path, "is not listed in SHA256SUMS") for path in sorted(there - set(listed)))
    for path, digest in sorted(listed.items()):
        progress(path)
        if path not in there:
            yield Fault(path, "is missing")
        elif digest_of(folder / path) != digest:
            yield Fault(path, "is not what SHA256SUMS says")


# ── Files ──


def _resource(path: Path, resource: Mapping[str, Any]) -> Iterator[str]:
    if path.stat().st_size != resource.get("bytes") or f"sha256:{digest_of(path)}" != resource.get("hash"):
        yield "is not what datapackage.json says (bytes, hash)"
        return
    try:
        if "schema" in resource:
            yield from _table(path, resource)
        elif path.suffix == ".ndjson":
            yield from _lines(path, resource)
        elif path.suffix == ".sqlite":
            yield from _sqlite(path)
    except (ValueError, sqlite3.Error, csv.Error) as error:
        yield f"cannot be read: {error}"
    except (KeyError, IndexError, TypeError, AttributeError):
        yield "cannot be checked: its part of datapackage.json is no description of it"


def _table(path: Path, resource: Mapping[str, Any]) -> Iterator[str]:
    fields = resource["schema"]["fields"]
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        if next(rows, None) != [field["name"] for field in fields]:
            yield "has not the columns of its schema"
            return
        key = [field["name"] for field in fields].index(resource["schema"]["primaryKey"][0])
        checks = [_check(field) for field in fields]
        keys: set[str] = set()
        count = 0
        for count, row in enumerate(rows, start=1):
            yield from _row(count, row, fields, checks)
            if row and row[key] in keys:
                yield f"row {count}: {fields[key]['name']} {row[key]} stands twice"
            keys.add(row[key] if row else "")
    if count != resource.get("rows"):
        yield f"has {count} rows, and its descriptor says {resource.get('rows')}"


Check = Callable[[str], str | None]


def _row(number: int, row: Sequence[str], fields: Sequence[Any], checks: Sequence[Check]) -> Iterator[str]:
    if len(row) != len(fields):
        yield f"row {number} has {len(row)} cells for {len(fields)} columns"
        return
    for cell, field, check in zip(row, fields, checks, strict=True):
        problem = check(cell)
        if problem is not None:
            yield f"row {number}, {field['name']}: {problem}"


_PATTERNS = {"integer": re.compile(r"-?\d+"), "number": re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")}


def _check(field: Mapping[str, Any]) -> Check:
    constraints, kind = field.get("constraints", {}), field["type"]
    required, allowed = constraints.get("required", False), set(constraints.get("enum", ()))
    fits = _date if kind == "date" else _PATTERNS[kind].fullmatch if kind in _PATTERNS else None

    def check(cell: str) -> str | None:
        if cell == "":
            return "is empty" if required else None
        if fits is not None and not fits(cell):
            return f"is no {kind}"
        if allowed and csv_tables.unsafe(cell) not in allowed:
            return "is none of the values that it may have"
        return None

    return check


def _date(cell: str) -> bool:
    try:
        return date.fromisoformat(cell).isoformat() == cell
    except ValueError:
        return False


def _lines(path: Path, resource: Mapping[str, Any]) -> Iterator[str]:
    count, last = 0, b""
    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)
            count, last = count + 1, line
    # The exports of records end with a line that vouches for them.
    if count and ndjson.is_trailer(orjson.loads(last)):
        count -= 1
        if orjson.loads(last)["count"] != count:
            yield "has not as many lines as its last one says"
    if count != resource.get("records"):
        yield f"has {count} lines, and its descriptor says {resource.get('records')}"


def _sqlite(path: Path) -> Iterator[str]:
    with closing(_read_only(path)) as connection:
        for (problem,) in connection.execute("PRAGMA integrity_check"):
            if problem != "ok":
                yield str(problem)
        for row in connection.execute("PRAGMA foreign_key_check"):
            yield f"row {row[1]} of {row[0]} names a row of {row[2]} that is not there"


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


# ── Do they agree? ──


def _agreement(folder: Path, resources: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    """The same registry in every format: as many rows of each table, as many partnerships."""
    rows = {path: resource.get("rows", resource.get("records")) for path, resource in resources.items()}
    for path, count in rows.items():
        if path.startswith("ndjson/"):
            table = f"csv/{Path(path).stem}.csv"
            if rows.get(table) != count:
                yield Fault(path, f"has {count} records, and {table} has {rows.get(table)}")
    try:
        if (folder / "registry.sqlite").is_file():
            yield from _sqlite_counts(folder, rows)
        yield from _flat_counts(folder)
    except (sqlite3.Error, ValueError, KeyError) as error:
        yield Fault("registry.sqlite", f"cannot be read: {error}")


def _sqlite_counts(folder: Path, rows: Mapping[str, Any]) -> Iterator[Fault]:
    with closing(_read_only(folder / "registry.sqlite")) as connection:
        known = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for path, count in rows.items():
            table = Path(path).stem
            if path.startswith("csv/") and table in known:
                (held,) = connection.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()  # noqa: S608 (checked)
                if held != count:
                    yield Fault("registry.sqlite", f"{table} has {held} rows, and {path} has {count}")


def _flat_counts(folder: Path) -> Iterator[Fault]:
    """Parquet and GeoJSON hold the partnerships that were not merged into others."""
    path = folder / "csv/partnerships.csv"
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        standing = sum(1 for row in csv.DictReader(file) if not row["merged_into_id"])
    counts = {"partnerships.geojson": _geojson_count, "partnerships.parquet": _parquet_count}
    for name, count in counts.items():
        if (folder / name).is_file():
            held = count(folder / name)
            if held is not None and held != standing:
                yield Fault(name, f"has {held} partnerships, and csv/partnerships.csv has {standing}")


def _geojson_count(path: Path) -> int | None:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        found = re.search(rb'"count":(\d+)', file.read().rsplit(b"\n]", 1)[-1])
    return int(found[1]) if found else -1


def _parquet_count(path: Path) -> int | None:
    """None where DuckDB is not installed: then the sum has to do."""
    try:
        parquet.require()
    except NotInstalled:
        return None
    import duckdb

    with duckdb.connect() as connection:
        found = connection.execute("SELECT COUNT(*) FROM read_parquet(?)", [str(path)]).fetchone()
    return int(found[0]) if found else -1
