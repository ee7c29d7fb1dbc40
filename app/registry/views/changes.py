"""The changes since a revision as a list like the others, for who wants all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.registry import filters
from app.registry.filters import Filter
from app.registry.paging import AnyRow, Item, Query, Sort
from app.registry.views import revisions

NOUN = "changes"
FILTERS = (Filter("since", "The revision that the reader has already.", "0", {"type": "string"}),)
#: Commit order, and no other.
SORTS: dict[str, Sort] = {}


def selected(session: Session, query: Query) -> Select[Any]:
    """The changes after `since` (default: all), in commit order: rows that `items` makes items of."""
    filters.check_names(FILTERS, query)
    since = query.get("since") or ["0"]
    statement: Select[Any] = revisions.after(revisions.place_of(session, since[-1]))
    return statement


def items(_session: Session, rows: Sequence[AnyRow]) -> list[Item]:
    """Rows as items."""
    return [revisions.change(row) for row in rows]
