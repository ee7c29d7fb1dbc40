"""The descriptor of a release: a Frictionless Data Package 2 with schemas, licences and sources."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy import ForeignKeyConstraint, select
from sqlalchemy.orm import Session

from app.exchange import places, whole
from app.exchange.whole import CsvColumn, Written
from app.models import Part, Record, Source
from app.registry.content import table_of

NAME = "sistercities"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
LICENCE = {
    "name": "CC0-1.0",
    "path": "https://creativecommons.org/publicdomain/zero/1.0/",
    "title": "CC0 1.0 Universal",
}
#: Sources whose terms go further than being named, by their address. What was taken from them stays under these.
TERMS = {
    places.SOURCE["url"]: {
        "name": "CC-BY-4.0",
        "path": "https://creativecommons.org/licenses/by/4.0/",
        "title": "Creative Commons Attribution 4.0 International (what is cited from GeoNames)",
    }
}
TITLE = "Sister-city partnerships"
DESCRIPTION = (
    "Cities, the partnerships between them with their events and members, exchange programs, organisations, and the"
    " sources that support each fact. Computed columns (status, established, ended, joined, left, bounds of dates,"
    " conflicts_count) follow from the events and are there to be read."
)
TYPES = {"integer": "integer", "number": "number", "text": "string", "date": "date", "json": "string"}
_ONE_OF = re.compile(r"^(\w+) IN \((.*)\)$")


def programs() -> dict[str, str]:
    """The programs on which the bytes of a release depend, and their versions."""
    found = {"sistercities": version("sistercities"), "sqlite": sqlite3.sqlite_version}
    with suppress(PackageNotFoundError):
        found["duckdb"] = version("duckdb")
    return found


def package(
    session: Session, *, release: str, created: str, resources: Sequence[Mapping[str, Any]], told: Mapping[str, Any]
) -> dict[str, Any]:
    """The descriptor as JSON-ready object. `told`: what else the release says of itself (revision, since …)."""
    return {
        "$schema": PROFILE,
        "name": NAME,
        "title": TITLE,
        "description": DESCRIPTION,
        "version": release,
        "created": created,
        "licenses": licences(session),
        "sources": _sources(session),
        "resources": list(resources),
        "sistercities": dict(told) | {"programs": programs()},
    }


def licences(session: Session) -> list[dict[str, str]]:
    """CC0 for the registry's own work; and the terms of each cited source that has terms."""
    url = table_of(Source).c.url
    cited = set(session.execute(select(url).where(url.in_(TERMS))).scalars())
    return [LICENCE, *(terms for address, terms in TERMS.items() if address in cited)]


def _sources(session: Session) -> list[dict[str, str]]:
    """Every document of the registry: title, and address where it has one."""
    table = table_of(Source)
    rows = session.execute(select(table.c.title, table.c.url).order_by(table.c.id))
    return [{"title": title} | ({"path": url} if url else {}) for title, url in rows]


def resource(name: str, path: str, *, media_type: str, size: int, digest: str, **more: Any) -> dict[str, Any]:
    """One file of the package."""
    form = path.rsplit(".", 1)[-1]
    told = {"name": name, "path": path, "format": form, "mediatype": media_type}
    return told | {"bytes": size, "hash": f"sha256:{digest}"} | more


def table_resource(model: type[Record | Part], written: Written, path: str, size: int) -> dict[str, Any]:
    """A table as CSV, with its schema."""
    return resource(
        table_of(model).name.replace("_", "-"), path, media_type="text/csv", size=size, digest=written.sha256,
        type="table", encoding="utf-8", schema=schema(model), rows=written.rows,
    )  # fmt: skip


def schema(model: type[Record | Part]) -> dict[str, Any]:
    """The Table Schema of a model's CSV file: types, closed lists, keys and references."""
    table, key = table_of(model), getattr(model, "KEY", "id")
    allowed = dict(_closed_lists(model))
    columns = whole.csv_columns(model)
    fields = [_field(column, bool(table.c[column.name].nullable), allowed.get(column.name), key) for column in columns]
    told: dict[str, Any] = {"fields": fields, "primaryKey": [key], "missingValues": [""]}
    references = [_reference(each) for each in _references(model, {column.name for column in columns})]
    return told | ({"foreignKeys": references} if references else {})


def _field(column: CsvColumn, nullable: bool, allowed: Sequence[str] | None, key: str) -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    if column.name == key:
        constraints |= {"required": True, "unique": True}
    elif not nullable and column.date is None:
        # The bounds of a date that is not known are empty here, though the tables have no empty ones.
        constraints["required"] = True
    if allowed:
        constraints["enum"] = list(allowed)
    field: dict[str, Any] = {"name": column.name, "type": TYPES[column.type]}
    return field | ({"constraints": constraints} if constraints else {})


def _closed_lists(model: type[Record | Part]) -> Iterable[tuple[str, list[str]]]:
    for constraint in table_of(model).constraints:
        found = _ONE_OF.match(str(getattr(constraint, "sqltext", "")))
        if found:
            yield found[1], re.findall(r"'([^']*)'", found[2])


def _references(model: type[Record | Part], known: set[str]) -> list[ForeignKeyConstraint]:
    found = [
        each for each in table_of(model).foreign_key_constraints if all(column.name in known for column in each.columns)
    ]
    return sorted(found, key=lambda each: [column.name for column in each.columns])


def _reference(constraint: ForeignKeyConstraint) -> dict[str, Any]:
    target, own = (table.name.replace("_", "-") for table in (constraint.referred_table, constraint.table))
    pairs = [(element.parent, element.column) for element in constraint.elements]
    if any(column.nullable for column, _ in pairs):
        # Table Schema knows no key that is half empty and holds nevertheless: the part that names the row has to do.
        pairs = pairs[:1]
    return {
        "fields": [column.name for column, _ in pairs],
        "reference": {
            "resource": "" if target == own else target,
            "fields": [column.name for _, column in pairs],
        },
    }
