"""Revisions, and the changes since one of them in commit order: what a follower of the registry reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Unpack

import orjson
from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

from app.errors import InvalidValue, RecordNotFound
from app.models import RECORDS, Change, RegistryState, Revision
from app.registry import content, filters, journal, paging, resolving
from app.registry.content import table_of
from app.registry.paging import AnyRow, Item, Page, Query, Sort, Window

NOUN = "revisions"
_revisions, _changes, _state = table_of(Revision), table_of(Change), table_of(RegistryState)

_CHANGES_COUNT = select(func.count()).where(_changes.c.revision == _revisions.c.number).scalar_subquery()
#: An item's columns are its fields, in their order.
COLUMNS = (
    _revisions.c.number, _revisions.c.time, _revisions.c.account, _revisions.c.reason, _revisions.c.undoes,
    _CHANGES_COUNT.label("changes_count"),
)  # fmt: skip
FIELDS = tuple(column.name for column in COLUMNS)
EVERY = select(*COLUMNS)
FILTERS = (filters.text("account", _revisions.c.account.in_, description="Label of the account.", example="seeds"),)
SORTS = {"-number": Sort((_revisions.c.number,), falling=True), "number": Sort((_revisions.c.number,))}


def listing(session: Session, query: Query, **window: Unpack[Window]) -> Page:
    """A page of revisions, the newest first unless sorted otherwise."""
    return paging.page(session, selected(session, query), items, noun=NOUN, query=query, sorts=SORTS, **window)


def selected(session: Session, query: Query) -> Select[Any]:
    """What the query asks for, in no order: rows that `items` makes items of."""
    return EVERY.where(*filters.conditions(session, FILTERS, query))


def items(_session: Session, rows: Sequence[AnyRow]) -> list[Item]:
    """Rows of COLUMNS as items."""
    return [dict(zip(FIELDS, row, strict=False)) for row in rows]


def get(session: Session, key: int | str) -> Item:
    """One revision with the records that it changed. Raises RecordNotFound."""
    number = resolving.as_id(key)
    if number is None:
        raise RecordNotFound(NOUN, key)
    return journal.revision(session, number)


# ── Changes ──

_PLACE = re.compile(rf"([0-9]{{1,19}})(?::({'|'.join(RECORDS)}):([A-Z]{{2}}|[0-9]{{1,19}}))?")


class Place(NamedTuple):
    """A place in the stream of changes: after all of a revision, or (noun given) after one of its changes."""

    revision: int
    noun: str | None = None
    record: str | None = None

    @property
    def text(self) -> str:
        """As `since` takes it: `17`, or `17:cities:5` inside revision 17."""
        return ":".join(str(part) for part in self if part is not None)


def changes(session: Session, *, since: int | str = 0, limit: int = paging.DEFAULT_LIMIT) -> Page:
    """The changes after `since` in commit order: revision, time, noun, id, after (null: deleted).

    A page holds whole revisions; only one that alone exceeds the limit is split. `since`: a revision, or what a
    page gave. `next` is where to go on while there is more (else None); `extra["until"]` is where to go on in any
    case, also when asking again later. Raises InvalidValue for `since` (later than the newest revision) and `limit`.
    """
    start = place_of(session, since)
    newest = session.execute(select(_state.c.revision)).scalar_one()
    rows = session.execute(after(start).limit(paging.checked_limit(limit) + 1)).all()
    shown, until = _whole(rows, limit) if len(rows) > limit else (rows, Place(newest))
    more = until.text if len(rows) > limit else None
    return Page([change(row) for row in shown], next=more, extra={"until": until.text})


def place_of(session: Session, since: int | str) -> Place:
    """The place that `since` names. Raises InvalidValue, also for one later than the newest revision."""
    found = _PLACE.fullmatch(str(since))
    if found is None or int(found[1]) > resolving.LARGEST_ID:
        raise InvalidValue("This must be the number of a revision, or what a page of changes gave.", field="since")
    newest = session.execute(select(_state.c.revision)).scalar_one()
    if int(found[1]) > newest:
        raise InvalidValue(
            f"The newest revision is {newest}: ask for changes since it or an earlier one.", field="since"
        )
    return Place(int(found[1]), found[2], found[3])


def after(start: Place) -> Any:
    """The changes after a place, in commit order: rows that `change` makes items of."""
    order = (_changes.c.revision, _changes.c.noun, _changes.c.record)
    later: ColumnElement[bool] = _changes.c.revision > start.revision
    if start.noun is not None:
        bounds = [literal(value, column.type) for value, column in zip(start, order, strict=True)]
        later = tuple_(*order) > tuple_(*bounds)
    columns = (_changes.c.revision, _revisions.c.time, _changes.c.noun, _changes.c.record, _changes.c.after)
    joined = _changes.join(_revisions, _revisions.c.number == _changes.c.revision)
    return select(*columns).select_from(joined).where(later).order_by(*order)


def _whole(rows: Sequence[AnyRow], limit: int) -> tuple[Sequence[AnyRow], Place]:
    """Of one row more than the limit: the whole revisions among them; or, where there is none, all but that row."""
    cut = rows[limit].revision
    whole = [row for row in rows if row.revision < cut]
    if whole:
        return whole, Place(whole[-1].revision)
    last = rows[limit - 1]
    return rows[:limit], Place(last.revision, last.noun, last.record)


def change(row: AnyRow) -> Item:
    """One change as an item."""
    return {
        "revision": row.revision,
        "time": row.time,
        "noun": row.noun,
        "id": content.key_of(row.noun, row.record),
        "after": None if row.after is None else orjson.loads(row.after),
    }
