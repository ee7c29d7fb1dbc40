"""Organisations: what they are, where they have their seat, which partnerships and programs they carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import Session

from app.models import City, Organisation, Participant, Partnership, PartnershipOrganisation, Program
from app.models.organisations import ORGANISATION_KINDS
from app.registry import evidence, filters, paging, resolving
from app.registry.content import table_of
from app.registry.paging import AnyRow, Item, Page, Query, Window
from app.registry.views.cities import brief

NOUN = Organisation.NOUN
_organisations, _cities = table_of(Organisation), table_of(City)
_roles, _partnerships = table_of(PartnershipOrganisation), table_of(Partnership)
_participants, _programs = table_of(Participant), table_of(Program)

COLUMNS = (
    _organisations.c.id, _organisations.c.name, _organisations.c.kind, _organisations.c.url,
    _organisations.c.revision, _organisations.c.created_at, _organisations.c.updated_at,
    _cities.c.id.label("city_id"), _cities.c.name.label("city_name"), _cities.c.country,
)  # fmt: skip
_FROM = _organisations.outerjoin(_cities, _cities.c.id == _organisations.c.city_id)
EVERY = select(*COLUMNS).select_from(_FROM)


def _starting(low: str, high: str) -> ColumnElement[bool]:
    return and_(_organisations.c.name_key >= low, _organisations.c.name_key < high)


FILTERS = (
    filters.prefix("q", _starting, description="Beginning of its name, in any spelling.", example="osaka"),
    filters.choice("kind", _organisations.c.kind.in_, known=ORGANISATION_KINDS, description="What it is."),
    filters.city("city", _organisations.c.city_id.in_, description="The city of its seat, by number or identifier."),
    filters.country("country", _cities.c.country.in_, description="The country of its seat, by its ISO 3166-1 code."),
)
SORTS = paging.sorts("id", _organisations.c.id, name=_organisations.c.name_key)


def listing(session: Session, query: Query, **window: Unpack[Window]) -> Page:
    """A page of organisations."""
    return paging.page(session, selected(session, query), items, noun=NOUN, query=query, sorts=SORTS, **window)


def selected(session: Session, query: Query) -> Select[Any]:
    """What the query asks for, in no order: rows that `items` makes items of."""
    return EVERY.where(*filters.conditions(session, FILTERS, query))


def items(_session: Session, rows: Sequence[AnyRow]) -> list[Item]:
    """Rows of COLUMNS as items."""
    return [_item(row) for row in rows]


def _item(row: AnyRow) -> Item:
    seat = brief(row.city_id, row.city_name)
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "city": None if seat is None else seat | {"country": row.country},
        "url": row.url,
        "revision": row.revision,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def get(session: Session, key: int | str) -> Item:
    """One organisation with what it carries. Raises RecordNotFound, RecordDeleted."""
    organisation = resolving.addressed(session, NOUN, key)
    statement = select(*COLUMNS, _organisations.c.note).select_from(_FROM).where(_organisations.c.id == organisation)
    row = session.execute(statement).one()
    return _item(row) | {
        "note": row.note,
        "partnerships": _partnerships_of(session, organisation),
        "programs": _programs_of(session, organisation),
        "citations": evidence.citations(session, NOUN, organisation),
        "conflicts": evidence.described(session, evidence.find(session, NOUN, organisation)),
    }


def _partnerships_of(session: Session, organisation: int) -> list[Item]:
    statement = (
        select(_roles.c.partnership_id.label("partnership"), _roles.c.role)
        .join(_partnerships, _partnerships.c.id == _roles.c.partnership_id)
        .where(_roles.c.organisation_id == organisation, _partnerships.c.merged_into_id.is_(None))
        .order_by(_roles.c.partnership_id, _roles.c.role)
    )
    return [dict(row._mapping) for row in session.execute(statement)]


def _programs_of(session: Session, organisation: int) -> list[Item]:
    statement = (
        select(_programs.c.id, _programs.c.name)
        .join(_participants, _participants.c.program_id == _programs.c.id)
        .where(_participants.c.organisation_id == organisation)
        .order_by(_programs.c.id)
    )
    return [dict(row._mapping) for row in session.execute(statement)]
