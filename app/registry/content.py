"""A record's content: what the journal keeps. Read it from the tables whole, or put it back into them.

Content is a JSON object: the record's own columns and, under each part's name, its child rows by id. What is
null or empty is left out, so that a column added later changes no old record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

import orjson
from sqlalchemy import Row, Table, delete, insert, select, update
from sqlalchemy.orm import Session

from app.domain.names import fold
from app.models import PARTS, RECORDS, City, Member, Part, Partnership, Record, Spell
from app.models.base import Base, derived_columns
from app.registry.database import WritingSession

Content = dict[str, Any]
T = TypeVar("T")
CHUNK = 500


def key_of(noun: str, record: str) -> int | str:
    """A record's key as its table has it (countries have codes, all others numbers)."""
    return record if RECORDS[noun].KEY == "code" else int(record)


def table_of(model: type[Base]) -> Table:
    """The table of a model."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def canonical(content: Content) -> str:
    """The one way in which content is written: sorted keys, no spaces."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()


def read(session: Session, noun: str, records: Collection[str]) -> dict[str, Content]:
    """The content of the records as the tables have it; records that are not there are left out."""
    found: dict[str, Content] = {}
    for batch in chunks(sorted(records)):
        found |= _read_batch(session, noun, [key_of(noun, record) for record in batch])
    return found


def _read_batch(session: Session, noun: str, keys: list[int | str]) -> dict[str, Content]:
    model = RECORDS[noun]
    table = table_of(model)
    key = table.c[model.KEY]
    columns = [table.c[name] for name in model.CONTENT]
    rows = session.execute(select(key, *columns).where(key.in_(keys)))
    found = {str(row[0]): {model.KEY: row[0]} | _filled(row, model.CONTENT) for row in rows}
    for part in PARTS[noun]:
        for owner, row in _part_rows(session, noun, part, keys):
            if owner in found:  # a damaged database may hold parts of records that are gone
                found[owner].setdefault(part.PART, []).append(row)
    return found


def _part_rows(session: Session, noun: str, part: type[Part], keys: list[int | str]) -> Iterator[tuple[str, Content]]:
    table = table_of(part)
    owner = table.c[part.OWNERS[noun]]
    columns = [table.c[name] for name in part.CONTENT]
    rows = session.execute(select(owner, table.c.id, *columns).where(owner.in_(keys)).order_by(table.c.id))
    for row in rows:
        yield str(row[0]), {"id": row[1]} | _filled(row, part.CONTENT, skip=2)


def _filled(row: Row[Any], names: tuple[str, ...], skip: int = 1) -> Content:
    return {name: value for name, value in zip(names, row[skip:], strict=True) if value is not None}


Target = Mapping[tuple[str, str], Content | None]


def put(session: WritingSession, targets: Target) -> None:
    """Make the tables say the given content of these records (None: the record is gone). What agrees already
    is not touched. Columns that follow from one row are written with it; the caller settles the rest.

    All removals come first: a row that moved from one record to another must be gone before it is put back.
    """
    session.flush()
    order = {noun: position for position, noun in enumerate(RECORDS)}
    keys = sorted(targets, key=lambda key: order[key[0]])
    before = {key: read(session, key[0], [key[1]]).get(key[1]) for key in keys}
    for key in keys[::-1]:
        session.touch(*key)
        _remove(session, *key, before[key], targets[key])
    for key in keys:
        _put_row(session, *key, before[key], targets[key])
    for key in keys:
        _put_parts(session, *key, before[key] or {}, targets[key] or {})
    session.expire_all()


def _remove(session: WritingSession, noun: str, record: str, before: Content | None, content: Content | None) -> None:
    for part in reversed(PARTS[noun]):
        kept = {row["id"] for row in (content or {}).get(part.PART, ())}
        gone = [row["id"] for row in (before or {}).get(part.PART, ()) if row["id"] not in kept]
        if gone:
            table = table_of(part)
            _run(session, delete(table).where(table.c.id.in_(gone)))
    if content is None:
        model = RECORDS[noun]
        _remove_derived(session, noun, record)
        _run(session, delete(table_of(model)).where(table_of(model).c[model.KEY] == key_of(noun, record)))


def _remove_derived(session: WritingSession, noun: str, record: str) -> None:
    if noun == Partnership.NOUN:
        _run(session, delete(Spell).where(Spell.partnership_id == int(record)))


def _put_row(session: WritingSession, noun: str, record: str, before: Content | None, content: Content | None) -> None:
    model = RECORDS[noun]
    table, key = table_of(model), key_of(noun, record)
    if content is None:
        return
    if before is None:
        _run(session, insert(table).values({model.KEY: key} | _columns(model, content)))
    elif _own(model, before) != _own(model, content):
        _run(session, update(table).where(table.c[model.KEY] == key).values(_columns(model, content)))


def _put_parts(session: WritingSession, noun: str, record: str, before: Content, content: Content) -> None:
    for part in PARTS[noun]:
        known = {row["id"]: row for row in before.get(part.PART, ())}
        for row in content.get(part.PART, ()):
            if known.get(row["id"]) != row:
                _put_part(session, noun, record, part, row, new=row["id"] not in known)


def _put_part(session: WritingSession, noun: str, record: str, part: type[Part], row: Content, *, new: bool) -> None:
    table = table_of(part)
    values = _columns(part, row)
    if part is Member:
        # Derived from the city, and no column may be null even for a moment.
        city = table_of(City)
        values["country"] = select(city.c.country).where(city.c.id == row["city_id"]).scalar_subquery()
        # A city that left and came back has two rows. Until they are settled, none is to look present.
        values["status"] = "ended"
    if new:
        _run(session, insert(table).values({"id": row["id"], part.OWNERS[noun]: key_of(noun, record)} | values))
    else:
        _run(session, update(table).where(table.c.id == row["id"]).values(values))


def _own(model: type[Record], content: Content) -> Content:
    return {name: content.get(name) for name in model.CONTENT}


def _columns(model: type[Record | Part], content: Mapping[str, Any]) -> Content:
    values = {name: content.get(name) for name in model.CONTENT}
    return values | derived_columns(model, values, fold=fold)


def _run(session: WritingSession, statement: Any) -> None:
    session.execute(statement, execution_options={"journalled": True})
