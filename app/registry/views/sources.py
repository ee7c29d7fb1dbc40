"""Sources: the documents that support what the registry says, and what cites them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.models import Citation, Source
from app.registry import filters, paging, resolving
from app.registry.content import table_of
from app.registry.paging import AnyRow, Item, Page, Query, Window
from app.registry.views import citations

NOUN = Source.NOUN
_sources, _citations = table_of(Source), table_of(Citation)
#: How many citations one source's record shows; `citations_count` says how many there are.
SHOWN = 100

_CITATIONS_COUNT = (
    select(func.count())
    .where(_citations.c.source_id == _sources.c.id)
    .scalar_subquery()
    .label("citations_count")
)  # fmt: skip
#: An item's columns are its fields, in their order.
COLUMNS = (
    _sources.c.id, _sources.c.key, _sources.c.title, _sources.c.author, _sources.c.publisher, _sources.c.url,
    _sources.c.published, _CITATIONS_COUNT, _sources.c.revision, _sources.c.created_at, _sources.c.updated_at,
)  # fmt: skip
FIELDS = tuple(column.name for column in COLUMNS)
EVERY = select(*COLUMNS)
FILTERS = (filters.text("key", _sources.c.key.in_, description="Its short handle, exactly.", example="S14"),)
SORTS = paging.sorts("id", _sources.c.id)


def listing(session: Session, query: Query, **window: Unpack[Window]) -> Page:
    """A page of sources."""
    return paging.page(session, selected(session, query), items, noun=NOUN, query=query, sorts=SORTS, **window)


def selected(session: Session, query: Query) -> Select[Any]:
    """What the query asks for, in no order: rows that `items` makes items of."""
    return EVERY.where(*filters.conditions(session, FILTERS, query))


def items(_session: Session, rows: Sequence[AnyRow]) -> list[Item]:
    """Rows of COLUMNS as items."""
    return [dict(zip(FIELDS, row, strict=False)) for row in rows]


def get(session: Session, key: int | str) -> Item:
    """One source with the first 100 citations of it. Raises RecordNotFound, RecordDeleted."""
    source = resolving.addressed(session, NOUN, key)
    row = session.execute(select(*COLUMNS, _sources.c.note).where(_sources.c.id == source)).one()
    return items(session, [row])[0] | {"note": row.note, "citations": _citing(session, source)}


def _citing(session: Session, source: int) -> list[Item]:
    return citations.listing(session, {"source": [str(source)]}, limit=SHOWN).items
