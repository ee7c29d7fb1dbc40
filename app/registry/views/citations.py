"""What one source is cited for, of all records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.models import Citation
from app.models.sources import CITED
from app.registry import paging
from app.registry.content import table_of
from app.registry.filters import Filter
from app.registry.paging import AnyRow, Item, Page, Query, Window

NOUN = "citations"
_citations = table_of(Citation)
COLUMNS = (_citations.c.field, _citations.c.value, *(_citations.c[column] for column in CITED.values()))
FILTERS: tuple[Filter, ...] = ()
SORTS = paging.sorts("id", _citations.c.id)


def listing(session: Session, query: Query, **window: Unpack[Window]) -> Page:
    """A page of the citations of one source: `query["source"]` holds its number."""
    return paging.page(session, selected(session, query), items, noun=NOUN, query=query, sorts=SORTS, **window)


def selected(_session: Session, query: Query) -> Select[Any]:
    """What the query asks for, in no order: rows that `items` makes items of."""
    return select(*COLUMNS).where(_citations.c.source_id == int(query["source"][0]))


def items(_session: Session, rows: Sequence[AnyRow]) -> list[Item]:
    """Rows of COLUMNS as items: the record by noun and id, the field, and what the source says of it."""
    return [_item(row) for row in rows]


def _item(row: AnyRow) -> Item:
    noun, record = next((noun, row[place]) for place, noun in enumerate(CITED, start=2) if row[place] is not None)
    return {"noun": noun, "id": record, "field": row.field, "value": row.value}
