"""A record's content: what the journal keeps. Read it from the tables whole, or put it back into them.

Content is a JSON object: the record's own columns and, under each part's name, its child rows by id. What is
null or empty is left out, so that a column added later changes no old record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import orjson
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Row,
    Table,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)  # fmt: skip
from sqlalchemy.orm import Session

from app.domain.names import fold
from app.models import PARTS, RECORDS, City, Member, Part, Partnership, Record, Spell
from app.models.base import Base, derived_columns
from app.registry.database import WritingSession

Content = dict[str, Any]
T = TypeVar("T")
CHUNK = 500
#: Of so many records on it pays to have PostgreSQL look at their tables.
MANY = 5_000
#: Which row an update of many means, beside columns of any name.
KEY = "key_"


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


def in_order(record: str) -> tuple[int, str]:
    """Sorts keys as their tables do: rows that lie together are read together."""
    return len(record), record


def among(column: Any, keys: Sequence[Any]) -> ColumnElement[bool]:
    """The column holds one of the keys of a batch. Where they lie is said too: PostgreSQL without fresh statistics
    reads whole tables for a long list. Keys without holes, as those of an import, are said by their range alone."""
    if len(keys) <= 1 or not isinstance(keys[0], int):
        return column.in_(keys)  # type: ignore[no-any-return]
    first, last = min(keys), max(keys)
    within: ColumnElement[bool] = column.between(first, last)
    return within if last - first == len(set(keys)) - 1 else within & column.in_(keys)


def listed(session: Session, keys: Collection[str]) -> ColumnElement[str]:
    """The keys as a column of a table of their own, to ask something for each of them."""
    array = literal(orjson.dumps([*keys]).decode())
    if session.get_bind().dialect.name == "sqlite":
        return func.json_each(array).table_valued("value").c.value
    return func.json_array_elements_text(cast(array, JSON)).table_valued("value").c.value


def canonical(content: Content) -> str:
    """The one way in which content is written: sorted keys, no spaces."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()


def read(session: Session, noun: str, records: Collection[str]) -> dict[str, Content]:
    """The content of the records as the tables have it; records that are not there are left out."""
    found: dict[str, Content] = {}
    for batch in chunks(sorted(records, key=in_order)):
        found |= _read_batch(session, noun, [key_of(noun, record) for record in batch])
    return found


def _read_batch(session: Session, noun: str, keys: list[int | str]) -> dict[str, Content]:
    model = RECORDS[noun]
    table = table_of(model)
    key = table.c[model.KEY]
    columns = [table.c[name] for name in model.CONTENT]
    rows = session.execute(select(key, *columns).where(among(key, keys)))
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
    rows = session.execute(select(owner, table.c.id, *columns).where(among(owner, keys)).order_by(table.c.id))
    for row in rows:
        yield str(row[0]), {"id": row[1]} | _filled(row, part.CONTENT, skip=2)


def _filled(row: Row[Any], names: tuple[str, ...], skip: int = 1) -> Content:
    return {name: value for name, value in zip(names, row[skip:], strict=True) if value is not None}


Target = Mapping[tuple[str, str], Content | None]


def put(session: WritingSession, targets: Target) -> None:
    """Make the tables say the given content of these records (None: the record is gone). What agrees already
    is not touched. Columns that follow from one row are written with it; the caller settles the rest.

    All removals come first: a row that moved from one record to another must be gone before it is put back.
    Works batch by batch, and asks `targets` for each content when its turn comes.
    """
    session.flush()
    records: dict[str, list[str]] = {noun: [] for noun in RECORDS}
    for noun, record in targets:
        session.touch(noun, record)
        records[noun].append(record)
    for noun in reversed(RECORDS):
        for batch in chunks(reversed(records[noun])):
            _remove(session, noun, read(session, noun, batch), {record: targets[noun, record] for record in batch})
    written: dict[str, int] = dict.fromkeys(RECORDS, 0)
    for noun in RECORDS:
        for batch in chunks(records[noun]):
            wanted = {record: content for record in batch if (content := targets[noun, record]) is not None}
            _write(session, noun, wanted)
            written[noun] += len(wanted)
    if 2 * sum(written.values()) >= len(targets):
        take_stock(session, (noun for noun, count in written.items() if count >= MANY))
    session.expire_all()


def take_stock(session: WritingSession, nouns: Iterable[str]) -> None:
    """Let PostgreSQL count the tables of these nouns anew: to be called before many of their records go, and after
    many have come. By the figures of an empty table it checks the foreign keys of 100,000 members through the index
    of their countries, which takes minutes; its own autovacuum comes too late for that, or is off.

    Never to be called after many have gone: of a table that it takes for empty it scans any index in full.
    """
    nouns = set(nouns)
    if not nouns or session.get_bind().dialect.name != "postgresql":
        return
    tables = {table_of(model).name for noun in nouns for model in (RECORDS[noun], *PARTS[noun])}
    if Partnership.NOUN in nouns:
        tables.add(table_of(Spell).name)
    session.execute(text(f"ANALYZE (SKIP_LOCKED) {', '.join(sorted(tables))}"))


def _remove(
    session: WritingSession, noun: str, before: Mapping[str, Content], wanted: Mapping[str, Content | None]
) -> None:
    """The rows of a batch that are not wanted any more, parts first."""
    for part in reversed(PARTS[noun]):
        gone = [
            row["id"]
            for record, content in before.items()
            for row in _without(content.get(part.PART, ()), (wanted[record] or {}).get(part.PART, ()))
        ]
        _delete(session, table_of(part).c.id, gone)
    model = RECORDS[noun]
    records = [key_of(noun, record) for record, content in wanted.items() if content is None]
    if noun == Partnership.NOUN:  # spells are derived: no content lists them
        _delete(session, table_of(Spell).c.partnership_id, records)
    _delete(session, table_of(model).c[model.KEY], records)


def _without(rows: Iterable[Content], others: Iterable[Content]) -> list[Content]:
    ids = {row["id"] for row in others}
    return [row for row in rows if row["id"] not in ids]


def _write(session: WritingSession, noun: str, wanted: Mapping[str, Content]) -> None:
    """The rows of a batch as they are to be: the records' own first, then their parts."""
    if not wanted:
        return
    before = read(session, noun, wanted)
    _write_records(session, noun, before, wanted)
    for part in PARTS[noun]:
        _write_parts(session, noun, part, before, wanted)


def _write_records(
    session: WritingSession, noun: str, before: Mapping[str, Content], wanted: Mapping[str, Content]
) -> None:
    model = RECORDS[noun]
    changed, new = [], []
    for record, content in wanted.items():
        if record not in before:
            new.append({model.KEY: key_of(noun, record)} | _columns(model, content))
        elif _own(model, before[record]) != _own(model, content):
            changed.append({KEY: key_of(noun, record)} | _columns(model, content))
    _save(session, table_of(model), model.KEY, changed=changed, new=new)


def _write_parts(
    session: WritingSession,
    noun: str,
    part: type[Part],
    before: Mapping[str, Content],
    wanted: Mapping[str, Content],
) -> None:
    changed, new = [], []
    for record, content in wanted.items():
        known = {row["id"]: row for row in before.get(record, {}).get(part.PART, ())}
        owner = {part.OWNERS[noun]: key_of(noun, record)}
        for row in content.get(part.PART, ()):
            if row["id"] not in known:
                new.append({"id": row["id"]} | owner | _columns(part, row))
            elif known[row["id"]] != row:
                changed.append({KEY: row["id"]} | _columns(part, row))
    if part is Member:
        _complete_members(session, [*changed, *new])
    _save(session, table_of(part), "id", changed=changed, new=new)


def _complete_members(session: WritingSession, rows: list[Content]) -> None:
    """A member's country is its city's, and no column may be null even for a moment. A city that left and came
    back has two rows: until they are settled, none is to look present."""
    city = table_of(City)
    countries: dict[int, str] = {}
    for batch in chunks(sorted({row["city_id"] for row in rows})):
        found = session.execute(select(city.c.id, city.c.country).where(among(city.c.id, batch)))
        countries |= {row.id: row.country for row in found}
    for row in rows:
        row["country"] = countries.get(row["city_id"])
        row["status"] = "ended"


def _own(model: type[Record], content: Content) -> Content:
    return {name: content.get(name) for name in model.CONTENT}


def _columns(model: type[Record | Part], content: Mapping[str, Any]) -> Content:
    values = {name: content.get(name) for name in model.CONTENT}
    return values | derived_columns(model, values, fold=fold)


def _save(session: WritingSession, table: Table, key: str, *, changed: list[Content], new: list[Content]) -> None:
    """Changes first: what they give up (a name, an identifier) may be what a new row holds."""
    if changed:
        _run(session, update(table).where(table.c[key] == bindparam(KEY)), changed)
    if new:
        _run(session, insert(table), new)


def _delete(session: WritingSession, column: Column[Any], keys: Iterable[Any]) -> None:
    for batch in chunks(keys):
        _run(session, delete(column.table).where(among(column, batch)))


def _run(session: WritingSession, statement: Any, rows: Any = None) -> None:
    session.execute(statement, rows, execution_options={"journalled": True})
