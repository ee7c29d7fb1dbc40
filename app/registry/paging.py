"""Lists in pages. Cursors are keysets, so any depth costs the same, and are bound to the query they came from.

A cursor is base64url of: check sum, digest of the query, JSON of the last row's sort values. It keeps nothing
secret; it says when it was damaged, or put to a query that would give other rows.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeAlias, TypedDict

import orjson
from sqlalchemy import Column, ColumnElement, Label, Row, Select, func, literal, tuple_
from sqlalchemy.orm import Session

from app.domain.names import nearest
from app.errors import InvalidValue

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 1000
#: Parameters of every list; all others are filters.
PARAMETERS = ("limit", "cursor", "sort", "count")
Query = Mapping[str, Sequence[str]]
Item = dict[str, Any]
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
Render = Callable[[Session, Sequence[AnyRow]], list[Item]]

_DIGEST = 6
_LARGEST = 2**63 - 1
_DAMAGED = "This cursor is damaged: use `next` just as the list gave it, or leave the cursor out to start again."
_OF_ANOTHER = (
    "This cursor belongs to another query: keep the filters and the sort of the list that gave it, or leave the"
    " cursor out to start again."
)


class Window(TypedDict, total=False):
    """Which page of a list: how many items (1-1,000), from which cursor, in which order, with a total or not."""

    limit: int
    cursor: str | None
    sort: str | None
    exact: bool


@dataclass(frozen=True)
class Sort:
    """An order by columns, none ever null, the last one unique; all of them rise, or all fall."""

    columns: tuple[Column[Any], ...]
    falling: bool = False

    def after(self, values: Sequence[Any]) -> ColumnElement[bool]:
        """What comes after a row with these values: a row-value comparison, which both engines' indexes answer."""
        bounds = [literal(value, column.type) for column, value in zip(self.columns, values, strict=True)]
        here, there = (self.columns[0], bounds[0]) if len(bounds) == 1 else (tuple_(*self.columns), tuple_(*bounds))
        return here < there if self.falling else here > there

    @cached_property
    def labelled(self) -> list[Label[Any]]:
        """For SELECT: under names of their own, since a list may show the same columns."""
        return [column.label(f"sort_{place}") for place, column in enumerate(self.columns)]

    def order(self) -> list[ColumnElement[Any]]:
        """For ORDER BY."""
        return [column.desc() if self.falling else column.asc() for column in self.columns]


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `next`: the cursor of the page after it, None on the last; `total`: all items of the query, where
    it was asked for; `extra`: what else the list has to say."""

    items: list[Item]
    next: str | None = None
    total: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)


Key = Column[Any] | tuple[Column[Any], Column[Any]]


def sorts(name: str, unique: Column[Any], /, **keys: Key) -> dict[str, Sort]:
    """Orders by the unique column (the default) and by each key, ties broken by the unique column; a minus before
    the name for falling. A fuzzy date is the pair (latest, earliest): latest for rising, earliest for falling, so
    that unknown ones come last both ways."""
    found = {name: Sort((unique,)), f"-{name}": Sort((unique,), falling=True)}
    for key, columns in keys.items():
        rising, falling = columns if isinstance(columns, tuple) else (columns, columns)
        found |= {key: Sort((rising, unique)), f"-{key}": Sort((falling, unique), falling=True)}
    return found


def page(
    session: Session,
    statement: Select[Any],
    render: Render,
    *,
    noun: str,
    query: Query,
    sorts: Mapping[str, Sort],
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
    sort: str | None = None,
    exact: bool = False,
) -> Page:
    """One page of what `statement` selects. `sorts`: the orders that the list has, the first its default.

    `render` makes items of rows; the columns to sort by stand behind the statement's own. Raises InvalidValue
    for `limit`, `sort` and `cursor`.
    """
    name = next(iter(sorts)) if sort is None else sort
    order, binding = order_of(sorts, name), bound_to(noun, query, name)
    keyed = statement.add_columns(*order.labelled)
    if cursor is not None:
        keyed = keyed.where(order.after(decoded(cursor, binding, order.columns)))
    # On the connection: the session's own way to it takes as long as fetching ten rows.
    rows = session.connection().execute(keyed.order_by(*order.order()).limit(checked_limit(limit) + 1)).all()
    shown = rows[:limit]
    return Page(
        render(session, shown),
        next=encoded(shown[-1][-len(order.columns) :], binding) if len(rows) > limit else None,
        total=counted(session, statement) if exact else None,
    )


def counted(session: Session, statement: Select[Any]) -> int:
    """How many rows the statement selects."""
    count = statement.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
    return int(session.execute(count).scalar_one())


def checked_limit(limit: int) -> int:
    """The limit. Raises InvalidValue."""
    if not 1 <= limit <= LARGEST_LIMIT:
        raise InvalidValue(f"A page has from 1 to {LARGEST_LIMIT:,} items.", field="limit")
    return limit


def order_of(sorts: Mapping[str, Sort], name: str) -> Sort:
    """The order of this name. Raises InvalidValue."""
    if name in sorts:
        return sorts[name]
    near = nearest(name, sorts)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise InvalidValue(f"This list is sorted by one of: {', '.join(sorts)}.{hint}", field="sort")


def bound_to(noun: str, query: Query, sort: str) -> bytes:
    """A digest of the query that a cursor belongs to."""
    filters = sorted((name, sorted(values)) for name, values in query.items() if name not in PARAMETERS)
    return _digest(json.dumps([noun, filters, sort]).encode())


def _digest(content: bytes) -> bytes:
    return sha256(content).digest()[:_DIGEST]


def encoded(values: Sequence[Any], binding: bytes) -> str:
    """The cursor after a row with these sort values."""
    body = binding + orjson.dumps(list(values))
    return _text(_digest(body) + body)


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def decoded(cursor: str, binding: bytes, columns: Sequence[Column[Any]]) -> list[Any]:
    """The sort values that a cursor of this query holds, of the columns' types. Raises InvalidValue."""
    try:
        content = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        check, body = content[:_DIGEST], content[_DIGEST:]
        # base64 decodes several texts to the same bytes: only the one that we write is ours.
        if _text(content) != cursor or _digest(body) != check:
            raise ValueError
        values = orjson.loads(body[_DIGEST:])
    except ValueError:
        raise InvalidValue(_DAMAGED, field="cursor") from None
    if body[:_DIGEST] != binding:
        raise InvalidValue(_OF_ANOTHER, field="cursor")
    return _typed(values, columns)


def _typed(values: Any, columns: Sequence[Column[Any]]) -> list[Any]:
    try:
        return [_read(value, column.type.python_type) for value, column in zip(values, columns, strict=True)]
    except (TypeError, ValueError):
        raise InvalidValue(_DAMAGED, field="cursor") from None


def _read(value: Any, kind: type) -> Any:
    """A value as its column has it. A check sum can be forged, so nothing is taken on trust."""
    if kind is date:
        return date.fromisoformat(value)
    if type(value) is not kind or not _FITS[kind](value):
        raise ValueError
    return value


_FITS: dict[type, Callable[[Any], bool]] = {
    int: lambda value: abs(value) <= _LARGEST,
    str: lambda value: "\0" not in value,
}
