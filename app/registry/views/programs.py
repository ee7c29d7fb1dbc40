"""Exchange programs: under which partnership, who takes part, their occasions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from app.models import City, Member, Occasion, Organisation, Participant, Partnership, Program
from app.models.programs import CATEGORIES
from app.registry import evidence, filters, paging, resolving
from app.registry.content import table_of
from app.registry.paging import AnyRow, Item, Page, Query, Window
from app.registry.views.cities import brief

NOUN = Program.NOUN
_programs, _occasions, _participants = table_of(Program), table_of(Occasion), table_of(Participant)
_partnerships, _members = table_of(Partnership), table_of(Member)
_cities, _organisations = table_of(City), table_of(Organisation)

_OCCASIONS_COUNT = (
    select(func.count())
    .where(_occasions.c.program_id == _programs.c.id)
    .scalar_subquery()
    .label("occasions_count")
)  # fmt: skip
#: An item's columns are its fields, in their order.
COLUMNS = (
    _programs.c.id, _programs.c.partnership_id.label("partnership"), _programs.c.name, _programs.c.category,
    _programs.c.since, _programs.c.until, _programs.c.frequency, _OCCASIONS_COUNT,
    _programs.c.revision, _programs.c.created_at, _programs.c.updated_at,
)  # fmt: skip
FIELDS = tuple(column.name for column in COLUMNS)
EVERY = select(*COLUMNS)


def _of_member(cities: list[int]) -> ColumnElement[bool]:
    return _programs.c.partnership_id.in_(select(_members.c.partnership_id).where(_members.c.city_id.in_(cities)))


def _with_participant(organisations: list[int]) -> ColumnElement[bool]:
    taking_part = _participants.c.organisation_id.in_(organisations)
    return _programs.c.id.in_(select(_participants.c.program_id).where(taking_part))


FILTERS = (
    filters.record(
        "partnership", _programs.c.partnership_id.in_, noun=Partnership.NOUN, description="Its partnership, by number."
    ),
    filters.city("city", _of_member, description="A member of its partnership, by number or identifier."),
    filters.choice("category", _programs.c.category.in_, known=CATEGORIES, description="What is exchanged."),
    filters.record(
        "organisation", _with_participant, noun=Organisation.NOUN, description="A participating one, by number."
    ),
)
SORTS = paging.sorts("id", _programs.c.id, since=(_programs.c.since_latest, _programs.c.since_earliest))


def listing(session: Session, query: Query, **window: Unpack[Window]) -> Page:
    """A page of programs."""
    return paging.page(session, selected(session, query), items, noun=NOUN, query=query, sorts=SORTS, **window)


def selected(session: Session, query: Query) -> Select[Any]:
    """What the query asks for, in no order: rows that `items` makes items of."""
    return EVERY.where(*filters.conditions(session, FILTERS, query))


def items(_session: Session, rows: Sequence[AnyRow]) -> list[Item]:
    """Rows of COLUMNS as items."""
    return [dict(zip(FIELDS, row, strict=False)) for row in rows]


def under(session: Session, partnership: int) -> list[Item]:
    """A partnership's programs as its own record shows them."""
    shown = (
        _programs.c.id, _programs.c.name, _programs.c.category, _programs.c.since, _programs.c.until, _OCCASIONS_COUNT,
    )  # fmt: skip
    statement = select(*shown).where(_programs.c.partnership_id == partnership).order_by(_programs.c.id)
    return [dict(row._mapping) for row in session.execute(statement)]


def get(session: Session, key: int | str) -> Item:
    """One program with its partnership's cities and what hangs on it. Raises RecordNotFound, RecordDeleted."""
    program = resolving.addressed(session, NOUN, key)
    row = session.execute(select(*COLUMNS, _programs.c.description).where(_programs.c.id == program)).one()
    return items(session, [row])[0] | {
        "partnership": _partnership(session, row.partnership),
        "description": row.description,
        "participants": _participants_of(session, program),
        "occasions": _occasions_of(session, program),
        "citations": evidence.citations(session, NOUN, program),
        "conflicts": evidence.described(session, evidence.find(session, NOUN, program)),
    }


def _partnership(session: Session, partnership: int) -> Item:
    statement = (
        select(_partnerships.c.kind, _cities.c.id, _cities.c.name)
        .join(_members, _members.c.partnership_id == _partnerships.c.id)
        .join(_cities, _cities.c.id == _members.c.city_id)
        .where(_partnerships.c.id == partnership)
        .order_by(_members.c.id)
    )
    rows = session.execute(statement).all()
    cities = {row.id: brief(row.id, row.name) for row in rows}
    return {"id": partnership, "kind": rows[0].kind, "members": list(cities.values())}


def _participants_of(session: Session, program: int) -> list[Item]:
    statement = (
        select(
            _participants.c.id, _organisations.c.id.label("number"), _organisations.c.name, _organisations.c.kind,
            _cities.c.id.label("side_id"), _cities.c.name.label("side_name"),
        )
        .join(_organisations, _organisations.c.id == _participants.c.organisation_id)
        .outerjoin(_cities, _cities.c.id == _participants.c.side_id)
        .where(_participants.c.program_id == program)
        .order_by(_participants.c.id)
    )  # fmt: skip
    return [
        {
            "id": row.id,
            "organisation": {"id": row.number, "name": row.name, "kind": row.kind},
            "side": brief(row.side_id, row.side_name),
        }
        for row in session.execute(statement)
    ]


def _occasions_of(session: Session, program: int) -> list[Item]:
    origin, host = _cities.alias("origin"), _cities.alias("host")
    statement = (
        select(_occasions, origin.c.name.label("origin_name"), host.c.name.label("host_name"))
        .outerjoin(origin, origin.c.id == _occasions.c.origin_id)
        .outerjoin(host, host.c.id == _occasions.c.host_id)
        .where(_occasions.c.program_id == program)
        .order_by(_occasions.c.since_latest, _occasions.c.id)
    )
    return [_occasion(row) for row in session.execute(statement)]


def _occasion(row: AnyRow) -> Item:
    return {
        "id": row.id,
        "title": row.title,
        "since": row.since,
        "until": row.until,
        "place": row.place,
        "origin": brief(row.origin_id, row.origin_name),
        "host": brief(row.host_id, row.host_name),
        "people": row.people,
        "note": row.note,
    }
