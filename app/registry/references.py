"""Who points at whom: the foreign keys between records, read from the tables' own definitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Column, Table, select
from sqlalchemy.orm import Session

from app.models import PARTS, RECORDS, Part, Record
from app.registry import content
from app.registry.content import Content, table_of

LISTED = 20


@dataclass(frozen=True, slots=True)
class Pointer:
    """A column of a record or part that names a record of `target`."""

    model: type[Record | Part]
    column: str
    target: str

    @property
    def owns(self) -> bool:
        """Whether the column is what a part hangs on, rather than a mention of another record."""
        return isinstance(self.model, type) and self.column in getattr(self.model, "OWNERS", {}).values()


@cache
def pointers(target: str) -> tuple[Pointer, ...]:
    """All columns that name records of the noun."""
    key = table_of(RECORDS[target]).c[RECORDS[target].KEY]
    models: dict[type[Record | Part], None] = dict.fromkeys(RECORDS.values())
    models.update(dict.fromkeys(part for parts in PARTS.values() for part in parts))
    return tuple(
        Pointer(model, column.name, target)
        for model in models
        for column in table_of(model).columns
        if _names(column, key)
    )


def _names(column: Column[Any], key: Column[Any]) -> bool:
    return any(foreign_key.references(key.table) and foreign_key.column is key for foreign_key in column.foreign_keys)


def inbound(session: Session, noun: str, record: str) -> list[dict[str, Any]]:
    """Other records that name this one: noun, id, field. Its own parts do not count."""
    key = content.key_of(noun, record)
    found = [row for pointer in pointers(noun) if not pointer.owns for row in _rows(session, pointer, key)]
    return [row for row in found if (row["noun"], str(row["id"])) != (noun, record)][:LISTED]


def _rows(session: Session, pointer: Pointer, key: int | str) -> Iterator[dict[str, Any]]:
    table = table_of(pointer.model)
    owners = _owner_columns(pointer.model, table)
    statement = select(*owners.values()).where(table.c[pointer.column] == key).limit(LISTED)
    field = getattr(pointer.model, "PART", pointer.column).removesuffix("_id")
    for row in session.execute(statement):
        for noun, owner in zip(owners, row, strict=True):
            if owner is not None:
                yield {"noun": noun, "id": owner, "field": field}


def _owner_columns(model: type[Record | Part], table: Table) -> dict[str, Column[Any]]:
    if issubclass(model, Part):
        return {noun: table.c[column] for noun, column in model.OWNERS.items()}
    return {model.NOUN: table.c[model.KEY]}


def counted(references: Sequence[Mapping[str, Any]]) -> str:
    """`2 partnerships, 1 organisations`: a list of references for a sentence."""
    counts = Counter(row["noun"].replace("_", " ") for row in references)
    return ", ".join(f"{count} {noun}" for noun, count in counts.items())


def missing(session: Session, noun: str, wanted: Content) -> list[dict[str, Any]]:
    """Records that this content names and that are not there: what would stop it from being put back."""
    named = (
        (pointer, key) for target in RECORDS for pointer in pointers(target) for key in _named_by(noun, wanted, pointer)
    )
    return [
        {"noun": pointer.target, "id": key, "field": pointer.column.removesuffix("_id")}
        for pointer, key in named
        if not content.read(session, pointer.target, [str(key)])
    ]


def _named_by(noun: str, wanted: Content, pointer: Pointer) -> Iterator[int | str]:
    if pointer.owns:
        return
    rows: Sequence[Mapping[str, Any]] = ()
    if pointer.model is RECORDS[noun]:
        rows = [wanted]
    elif issubclass(pointer.model, Part) and noun in pointer.model.OWNERS:
        rows = wanted.get(pointer.model.PART, ())
    yield from (row[pointer.column] for row in rows if row.get(pointer.column) is not None)
