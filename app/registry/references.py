"""Who points at whom: the foreign keys between records, read from the tables' own definitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Column, Table, select
from sqlalchemy.orm import Session

from app.models import PARTS, RECORDS, Part, Record
from app.registry import content
from app.registry.content import Content, chunks, table_of

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
    return hanging(session, noun, [record])


def hanging(session: Session, noun: str, records: Iterable[str]) -> list[dict[str, Any]]:
    """The same for many records: those that name the first of them come first, a few for each."""
    found: list[dict[str, Any]] = []
    for batch in chunks(records):
        by_key: dict[int | str, list[dict[str, Any]]] = {content.key_of(noun, record): [] for record in batch}
        for pointer in pointers(noun):
            if not pointer.owns:
                _gather(session, pointer, by_key)
        found += (row for rows in by_key.values() for row in rows)
    return found


def _gather(session: Session, pointer: Pointer, by_key: dict[int | str, list[dict[str, Any]]]) -> None:
    table = table_of(pointer.model)
    owners, column = _owner_columns(pointer.model, table), table.c[pointer.column]
    statement = select(column, *owners.values()).where(content.among(column, list(by_key)))
    if pointer.target in owners:
        statement = statement.where(owners[pointer.target].is_distinct_from(column))
    if len(by_key) == 1:
        statement = statement.limit(LISTED)
    field = getattr(pointer.model, "PART", pointer.column).removesuffix("_id")
    for key, *keys in session.execute(statement):
        if len(by_key[key]) < LISTED:
            by_key[key] += (
                {"noun": noun, "id": owner, "field": field}
                for noun, owner in zip(owners, keys, strict=True)
                if owner is not None
            )


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
    return absent(session, noun, [wanted])


def absent(session: Session, noun: str, several: Iterable[Content]) -> list[dict[str, Any]]:
    """The same for many contents of one noun, in their order."""
    named = [
        (pointer, key) for wanted in several for pointer in _mentions(noun) for key in _named_by(noun, wanted, pointer)
    ]
    keys: dict[str, set[int | str]] = {}
    for pointer, key in named:
        keys.setdefault(pointer.target, set()).add(key)
    there = {target: _there(session, target, named_keys) for target, named_keys in keys.items()}
    return [
        {"noun": pointer.target, "id": key, "field": pointer.column.removesuffix("_id")}
        for pointer, key in named
        if key not in there[pointer.target]
    ]


def _there(session: Session, noun: str, keys: Iterable[int | str]) -> set[int | str]:
    key = table_of(RECORDS[noun]).c[RECORDS[noun].KEY]
    found: set[int | str] = set()
    for batch in chunks(sorted(keys, key=lambda each: content.in_order(str(each)))):
        found.update(session.execute(select(key).where(content.among(key, batch))).scalars())
    return found


@cache
def _mentions(noun: str) -> tuple[Pointer, ...]:
    """The columns by which records of the noun name others."""
    models = {RECORDS[noun], *PARTS[noun]}
    every = (pointer for target in RECORDS for pointer in pointers(target))
    return tuple(pointer for pointer in every if not pointer.owns and pointer.model in models)


def _named_by(noun: str, wanted: Content, pointer: Pointer) -> Iterator[int | str]:
    rows: Sequence[Mapping[str, Any]] = [wanted]
    if issubclass(pointer.model, Part):
        rows = wanted.get(pointer.model.PART, ())
    yield from (row[pointer.column] for row in rows if row.get(pointer.column) is not None)
