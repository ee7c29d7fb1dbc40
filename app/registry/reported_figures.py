"""Reported figures: claims about totals, kept as claims and never mixed with what the registry counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import InvalidValue
from app.models import ReportedFigure
from app.models.sources import COMPARATORS, MEASURES
from app.registry import fields, parts, records
from app.registry.database import WritingSession
from app.registry.fields import Field

FIELDS = {
    "source": Field(fields.source, column="source_id", required=True),
    "scope": Field(fields.text(500), required=True),
    "country": Field(fields.country),
    "other_country": Field(fields.country),
    "measure": Field(fields.choice(MEASURES), required=True),
    "comparator": Field(fields.choice(COMPARATORS), required=True),
    "value": Field(fields.number(0, 1e15), required=True),
    "as_of": Field(fields.fuzzy_date),
    "note": Field(fields.note()),
}


def add(session: WritingSession, values: Mapping[str, Any], *, citations: Sequence[Mapping[str, Any]] = ()) -> int:
    """A new reported figure; its id. `values`: source, scope, country and other_country (where the figure is
    of a country or a pair), measure, comparator, value, as_of, note."""
    figure = records.make(session, ReportedFigure, FIELDS, values, check=_check)
    parts.add_all(session, "reported_figures", figure.id, {"citations": citations})
    return figure.id


def amend(session: WritingSession, key: int | str, values: Mapping[str, Any], *, revision: int | None = None) -> int:
    """Change own fields of a reported figure; its id."""
    figure = records.fetch(session, ReportedFigure, key, revision=revision)
    with session.no_autoflush:
        records.amend(session, figure, FIELDS, values)
        _check(figure)
    return figure.id


def delete(session: WritingSession, key: int | str, *, revision: int | None = None) -> None:
    """Remove a reported figure that was entered by mistake."""
    records.delete(session, records.fetch(session, ReportedFigure, key, revision=revision))


def _check(figure: ReportedFigure) -> None:
    if figure.other_country is not None and figure.country is None:
        raise InvalidValue("A pair needs both countries: give `country` too.", field="country")
