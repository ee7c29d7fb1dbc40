"""Reported figures: what sources claim about totals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.models import ReportedFigure, Source
from app.models.sources import MEASURES
from app.registry import evidence, filters, paging, resolving
from app.registry.content import table_of
from app.registry.paging import AnyRow, Item, Page, Query, Window

NOUN = ReportedFigure.NOUN
_figures, _sources = table_of(ReportedFigure), table_of(Source)

COLUMNS = (
    _figures.c.id, _figures.c.scope, _figures.c.country, _figures.c.other_country, _figures.c.measure,
    _figures.c.comparator, _figures.c.value, _figures.c.as_of,
    _figures.c.revision, _figures.c.created_at, _figures.c.updated_at,
    _sources.c.id.label("source_id"), _sources.c.key, _sources.c.title,
)  # fmt: skip
_FROM = _figures.join(_sources, _sources.c.id == _figures.c.source_id)
EVERY = select(*COLUMNS).select_from(_FROM)


def _about(codes: list[str]) -> ColumnElement[bool]:
    return or_(_figures.c.country.in_(codes), _figures.c.other_country.in_(codes))


FILTERS = (
    filters.record("source", _figures.c.source_id.in_, noun=Source.NOUN, description="Its source, by number or key."),
    filters.choice("measure", _figures.c.measure.in_, known=MEASURES, description="What was counted."),
    filters.country("country", _about, description="A country that it is about, by its ISO 3166-1 code."),
)
SORTS = paging.sorts("id", _figures.c.id)


def listing(session: Session, query: Query, **window: Unpack[Window]) -> Page:
    """A page of reported figures."""
    return paging.page(session, selected(session, query), items, noun=NOUN, query=query, sorts=SORTS, **window)


def selected(session: Session, query: Query) -> Select[Any]:
    """What the query asks for, in no order: rows that `items` makes items of."""
    return EVERY.where(*filters.conditions(session, FILTERS, query))


def items(_session: Session, rows: Sequence[AnyRow]) -> list[Item]:
    """Rows of COLUMNS as items."""
    return [_item(row) for row in rows]


def _item(row: AnyRow) -> Item:
    return {
        "id": row.id,
        "source": {"id": row.source_id, "key": row.key, "title": row.title},
        "scope": row.scope,
        "country": row.country,
        "other_country": row.other_country,
        "measure": row.measure,
        "comparator": row.comparator,
        "value": int(row.value) if row.value.is_integer() else row.value,
        "as_of": row.as_of,
        "revision": row.revision,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def get(session: Session, key: int | str) -> Item:
    """One reported figure with its evidence. Raises RecordNotFound, RecordDeleted."""
    figure = resolving.addressed(session, NOUN, key)
    row = session.execute(select(*COLUMNS, _figures.c.note).select_from(_FROM).where(_figures.c.id == figure)).one()
    return _item(row) | {
        "note": row.note,
        "citations": evidence.citations(session, NOUN, figure),
        "conflicts": evidence.described(session, evidence.find(session, NOUN, figure)),
    }
