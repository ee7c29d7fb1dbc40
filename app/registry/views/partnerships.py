"""Partnerships: the registry's centre, with the filters that ask whose they are and when they were in force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from typing import Any, Protocol, Unpack

import orjson
from sqlalchemy import ColumnElement, FromClause, Select, and_, case, func, not_, or_, select
from sqlalchemy.orm import Session

from app.domain import fuzzy_dates
from app.errors import InvalidValue
from app.models import (
    City,
    Country,
    Event,
    Fragment,
    Member,
    Organisation,
    Partnership,
    PartnershipOrganisation,
    Program,
    Spell,
)
from app.models.partnerships import PARTNERSHIP_KINDS, STATUSES
from app.registry import evidence, filters, fragments, paging, resolving
from app.registry.content import table_of
from app.registry.filters import Filter
from app.registry.paging import AnyRow, Item, Page, Query, Window
from app.registry.views import programs

NOUN = Partnership.NOUN
_partnerships, _members, _cities, _countries = (table_of(model) for model in (Partnership, Member, City, Country))
_events, _spells, _programs = table_of(Event), table_of(Spell), table_of(Program)
_roles, _organisations = table_of(PartnershipOrganisation), table_of(Organisation)
_fragments = table_of(Fragment)

_PROGRAMS = select(_programs.c.id).where(_programs.c.partnership_id == _partnerships.c.id)
_CITIES = select(func.count(_members.c.city_id.distinct())).where(_members.c.partnership_id == _partnerships.c.id)
_TEXTS = (_fragments.c.item, _partnerships.c.revision, _partnerships.c.created_at, _partnerships.c.updated_at)
#: Outer, though every partnership has its fragment: so the partnerships lead, whatever an engine thinks of it.
_FROM = _partnerships.outerjoin(_fragments, _fragments.c.partnership_id == _partnerships.c.id)
#: Built once: putting a statement together costs as much as running it.
EVERY = select(*_TEXTS).select_from(_FROM)
_LISTED = EVERY.where(_partnerships.c.merged_into_id.is_(None))
PAIR = 2
MOST_WANTED = 4

# A pair has its key, so that only the few others are counted.
_MULTILATERAL = or_(
    _partnerships.c.kind == "charter",
    and_(_partnerships.c.pair_key.is_(None), _CITIES.scalar_subquery() > PAIR),
)
_ESTABLISHED = (
    _partnerships.c.established,
    _partnerships.c.established_earliest,
    _partnerships.c.established_latest,
)
_OWN = " Repeated (here or with `city`, `country`, `continent`): each needs a member of its own."
FILTERS = (
    Filter("city", f"A member, by number or identifier.{_OWN}", "wikidata:Q1297", filters.listed()),
    Filter("country", f"A member's country, by its ISO 3166-1 code.{_OWN}", "JP", filters.listed(filters.COUNTRY)),
    Filter("continent", f"A member's continent.{_OWN}", "AS", filters.listed(filters.CONTINENT)),
    filters.choice("kind", _partnerships.c.kind.in_, known=PARTNERSHIP_KINDS, description="What was agreed."),
    filters.choice("status", _partnerships.c.status.in_, known=STATUSES, description="What the events add up to."),
    filters.dates(
        "established", _ESTABLISHED,
        description="A range of dates, open at either end; the date as far as it is known must lie inside.",
    ),
    Filter("active_on", "A day on which the partnership was active.", "1972-01-01", filters.listed()),
    Filter(
        "dates", "With `active_on`: `certain` (the default) or `possible`, which adds those whose dates leave it open.",
        "possible", filters.listed("(certain|possible)"),
    ),
    filters.flag("multilateral", _MULTILATERAL, description="Whether it is a charter or has three or more cities."),
    filters.flag("has_program", _PROGRAMS.exists(), description="Whether an exchange program is known under it."),
)  # fmt: skip
SORTS = paging.sorts(
    "id",
    _partnerships.c.id,
    established=(_partnerships.c.established_latest, _partnerships.c.established_earliest),
)


def listing(session: Session, query: Query, **window: Unpack[Window]) -> Page:
    """A page of partnerships; merged ones are never among them. Asked for a day, `extra` says how many were left
    out because their dates do not settle it (`left_out_as_undated`)."""
    page = written(session, query, **window)
    return replace(page, items=[orjson.loads(orjson.dumps(item)) for item in page.items])


def written(session: Session, query: Query, **window: Unpack[Window]) -> Page:
    """The same page with its items as ready JSON (`orjson.Fragment`), for entrances that only pass them on."""
    page = paging.page(session, selected(session, query), _ready, noun=NOUN, query=query, sorts=SORTS, **window)
    return replace(page, extra=aside(session, query))


def selected(session: Session, query: Query) -> Select[Any]:
    """What the query asks for, in no order: item (JSON text), revision, created_at, updated_at. Never merged ones."""
    return _LISTED.where(*_conditions(session, query), *_activity(query).asked)


def aside(session: Session, query: Query) -> dict[str, Any]:
    """What an answer says besides its items: `left_out_as_undated`, where it was asked for a day."""
    left_out = _activity(query).left_out
    if not left_out:
        return {}
    undated = _LISTED.where(*_conditions(session, query), *left_out)
    return {"left_out_as_undated": paging.counted(session, undated)}


def _conditions(session: Session, query: Query) -> list[ColumnElement[bool]]:
    return [*filters.conditions(session, FILTERS, query), *_with_members(session, query)]


def _ready(_session: Session, rows: Sequence[AnyRow]) -> list[Any]:
    # By position: naming each column costs twice the time of a whole page.
    return [fragments.with_bookkeeping(*row[:4]) for row in rows]


# ── Whose they are ──


@dataclass(frozen=True, slots=True)
class Want:
    """A member that is asked for: its `city_id` or `country` is one of these."""

    column: str
    values: tuple[int | str, ...]

    def fits(self, members: FromClause) -> ColumnElement[bool]:
        """The condition on a row of members."""
        condition: ColumnElement[bool] = members.c[self.column].in_(self.values)
        return condition


class WantReader(Protocol):
    """Texts of a parameter → what a member's column may hold."""

    def __call__(self, session: Session, values: Sequence[str], /, *, field: str) -> list[Any]: ...


def _with_members(session: Session, query: Query) -> list[ColumnElement[bool]]:
    wants = Counter(
        Want(column, tuple(sorted(set(read(session, alternatives, field=name)))))
        for name, (column, read) in _WANTED.items()
        for alternatives in filters.asked(FILTERS, query, name)
    )
    if wants.total() > MOST_WANTED:
        field = next(name for name in _WANTED if query.get(name))
        raise InvalidValue(f"At most {MOST_WANTED} members can be asked for at once.", field=field)
    return [*map(_has, wants), *([_each_its_own(wants)] if wants.total() >= PAIR else [])]


def _has(want: Want) -> ColumnElement[bool]:
    return _partnerships.c.id.in_(select(_members.c.partnership_id).where(want.fits(_members)))


def _each_its_own(wants: Counter[Want]) -> ColumnElement[bool]:
    """Each want has a city of its own: by Hall's theorem, exactly when any of them together fit as many cities as
    they are. Counting stays cheap where trying out members against each other would not, in charters of hundreds."""
    each = _members.alias("each_member")
    groups = (some for size in range(1, len(wants) + 1) for some in combinations(wants, size))
    enough = [
        func.count(case((or_(*(want.fits(each) for want in some)), each.c.city_id)).distinct()) >= needed
        for some in groups
        if (needed := sum(wants[want] for want in some)) >= PAIR
    ]
    own = select(each.c.partnership_id).where(each.c.partnership_id == _partnerships.c.id)
    return own.group_by(each.c.partnership_id).having(and_(*enough)).correlate(_partnerships).exists()


def _countries_of(session: Session, values: Sequence[str], *, field: str) -> list[str]:
    continents = filters.continents(values, field=field)
    statement = select(_countries.c.code).where(_countries.c.continent.in_(continents))
    return list(session.execute(statement).scalars())


_WANTED: dict[str, tuple[str, WantReader]] = {
    "city": ("city_id", filters.city_ids),
    "country": ("country", filters.country_codes),
    "continent": ("country", _countries_of),
}


# ── When they were in force ──


@dataclass(frozen=True, slots=True)
class Activity:
    """What `active_on` asks; `left_out`: what would be found besides if the dates that leave it open counted."""

    asked: tuple[ColumnElement[bool], ...] = ()
    left_out: tuple[ColumnElement[bool], ...] = ()


def _activity(query: Query) -> Activity:
    days = [
        [filters.day(text, field="active_on") for text in alternatives]
        for alternatives in filters.asked(FILTERS, query, "active_on")
    ]
    ways = [
        {filters.chosen(text, ("certain", "possible"), field="dates") for text in alternatives}
        for alternatives in filters.asked(FILTERS, query, "dates")
    ]
    if ways and not days:
        raise InvalidValue("This says how `active_on` is meant: give a day there too.", field="dates")
    if not days:
        return Activity()
    certain, possible = _active_on(days, certain=True), _active_on(days, certain=False)
    if ways and all("possible" in alternatives for alternatives in ways):
        return Activity(asked=(possible,))
    return Activity(asked=(certain,), left_out=(possible, not_(certain)))


def _active_on(days: Sequence[Sequence[date]], *, certain: bool) -> ColumnElement[bool]:
    holds = _certainly if certain else _possibly
    return and_(*(or_(*(_in_a_spell(holds(day)) for day in alternatives)) for alternatives in days))


def _in_a_spell(holds: ColumnElement[bool]) -> ColumnElement[bool]:
    of_the_whole = (
        _spells.c.partnership_id == _partnerships.c.id,
        _spells.c.member_id.is_(None),
        _spells.c.status == "active",
    )
    return select(_spells.c.id).where(*of_the_whole, holds).correlate(_partnerships).exists()


def _certainly(day: date) -> ColumnElement[bool]:
    lasts = or_(_spells.c.end_earliest.is_(None), _spells.c.end_earliest > day)
    return and_(_spells.c.begin_latest <= day, lasts)


def _possibly(day: date) -> ColumnElement[bool]:
    lasts = or_(_spells.c.end_latest.is_(None), _spells.c.end_latest >= day)
    return and_(_spells.c.begin_earliest <= day, lasts)


# ── One record ──


def get(session: Session, key: int | str) -> Item:
    """One partnership with what hangs on it. Raises RecordNotFound, RecordDeleted, RecordMerged."""
    partnership = resolving.addressed(session, NOUN, key)
    own = (_partnerships.c.note, _partnerships.c.succeeds_id)
    row = session.execute(select(*_TEXTS, *own).select_from(_FROM).where(_partnerships.c.id == partnership)).one()
    text, revision, created_at, updated_at, note, succeeds = row
    item: Item = orjson.loads(text) | {"revision": revision, "created_at": created_at, "updated_at": updated_at}
    return item | {
        "note": note,
        "succeeds": succeeds,
        "events": _events_of(session, partnership, item["members"]),
        "programs": programs.under(session, partnership),
        "organisations": _organisations_of(session, partnership),
        "citations": evidence.citations(session, NOUN, partnership),
        "conflicts": _conflicts_of(session, partnership) if item["conflicts_count"] else [],
    }


def _conflicts_of(session: Session, partnership: int) -> list[Item]:
    return evidence.described(session, evidence.find(session, NOUN, partnership))


def _events_of(session: Session, partnership: int, members: list[Item]) -> list[Item]:
    cities = {member["id"]: {"id": member["city"]["id"], "name": member["city"]["name"]} for member in members}
    statement = (
        select(_events)
        .where(_events.c.partnership_id == partnership)
        .order_by(_events.c.position, _events.c.id)
    )  # fmt: skip
    return [_event(row, cities) for row in session.execute(statement)]


def _event(row: AnyRow, cities: dict[int, Item]) -> Item:
    return {
        "id": row.id,
        "position": row.position,
        "type": row.type,
        "date": row.date,
        "text": None if row.date is None else fuzzy_dates.describe(fuzzy_dates.parse(row.date)),
        "declared_by": _whose(row.declared_by_id, cities),
        "in_place_of": _whose(row.in_place_of_id, cities),
        "authority": row.authority,
        "note": row.note,
    }


def _whose(member: int | None, cities: dict[int, Item]) -> Item | None:
    return None if member is None else {"member": member, "city": cities[member]}


def _organisations_of(session: Session, partnership: int) -> list[Item]:
    columns = (_roles.c.id, _roles.c.role, _organisations.c.id.label("number"), _organisations.c.name)
    statement = (
        select(*columns, _organisations.c.kind)
        .join(_organisations, _organisations.c.id == _roles.c.organisation_id)
        .where(_roles.c.partnership_id == partnership)
        .order_by(_roles.c.id)
    )
    return [
        {"id": row.id, "role": row.role, "organisation": {"id": row.number, "name": row.name, "kind": row.kind}}
        for row in session.execute(statement)
    ]
