"""What follows from the events: statuses, spells, dates, pair keys, conflicts. Written by whoever changed them.

The one place that writes derived columns of partnerships. It works on rows, so that the bulk importer, undo
and merge use it as single edits do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.domain import fuzzy_dates, lifecycle
from app.domain.fuzzy_dates import FuzzyDate
from app.domain.lifecycle import Life, MemberLife
from app.errors import InvalidValue, PartnershipExists
from app.models import City, Event, Member, Partnership, Spell
from app.models.base import bounds
from app.registry import evidence
from app.registry.content import table_of
from app.registry.database import WritingSession

PAIR = 2


def settle(session: WritingSession, partnerships: Iterable[int]) -> None:
    """Work out anew everything that follows from these partnerships' members and events, and keep it.
    Raises EventRefused, InvalidValue (too few members, one city twice), PartnershipExists."""
    session.flush()
    ids = sorted(set(partnerships))
    unsettle(session, ids)
    for partnership in ids:
        _settle(session, partnership)
    session.expire_all()


def unsettle(session: WritingSession, partnerships: Iterable[int]) -> None:
    """Clear the pair keys: one that is about to move must not stand in two records for a moment."""
    _run(session, update(Partnership).where(Partnership.id.in_(set(partnerships))).values(pair_key=None))


def _settle(session: WritingSession, partnership: int) -> None:
    table = table_of(Partnership)
    row = session.execute(select(table).where(table.c.id == partnership)).one_or_none()
    if row is None:
        return
    members = read_members(session, partnership)
    life = unfold(session, partnership, members)
    values = derived(row, members, life)
    _check_members(members, life)
    if values["pair_key"] is not None and life.status != "ended":
        _check_pair(session, row, values["pair_key"])
    _run(session, update(table).where(table.c.id == partnership).values(values))
    _keep_members(session, members, life)
    _keep_spells(session, partnership, life)
    _keep_conflicts(session, partnership)


def read_members(session: Session, partnership: int) -> list[Any]:
    """The member rows of a partnership, in order of their ids."""
    table = table_of(Member)
    statement = select(table).where(table.c.partnership_id == partnership).order_by(table.c.id)
    return list(session.execute(statement))


def unfold(session: Session, partnership: int, members: list[Any]) -> Life:
    """The life that the partnership's events give it. Raises EventRefused."""
    return lifecycle.unfold([row.id for row in members], read_events(session, partnership))


def read_events(session: Session, partnership: int) -> list[lifecycle.Event]:
    """The events of a partnership, in their order."""
    table = table_of(Event)
    statement = select(table).where(table.c.partnership_id == partnership).order_by(table.c.position, table.c.id)
    return [
        lifecycle.Event(
            type=row.type,
            date=None if row.date is None else fuzzy_dates.parse(row.date),
            declared_by=row.declared_by_id,
            in_place_of=row.in_place_of_id,
            key=row.id,
        )
        for row in session.execute(statement)
    ]


def derived(row: Any, members: list[Any], life: Life) -> dict[str, Any]:
    """The partnership's own columns that follow from its members and its life."""
    cities = sorted({member.city_id for member in members})
    pair = len(members) == PAIR == len(cities) and row.merged_into_id is None
    return {
        "status": life.status,
        "pair_key": f"{cities[0]}-{cities[1]}" if pair else None,
        **dated("established", life.established),
        **dated("ended", life.ended),
    }


def dated(name: str, fuzzy: FuzzyDate | None) -> dict[str, Any]:
    """The three columns of a fuzzy date."""
    text = None if fuzzy is None else fuzzy.text
    earliest, latest = bounds(text)
    return {name: text, f"{name}_earliest": earliest, f"{name}_latest": latest}


def _check_members(members: list[Any], life: Life) -> None:
    if len({row.city_id for row in members}) < PAIR:
        raise InvalidValue("A partnership needs at least two different cities.", field="members")
    present = [row.city_id for row in members if life.members[row.id].status != "ended"]
    if len(present) != len(set(present)):
        raise InvalidValue("A city can be a present member only once.", field="members")


def _check_pair(session: WritingSession, row: Any, pair_key: str) -> None:
    other = standing(session, pair_key, kind=row.kind, besides=row.id)
    if other:
        raise PartnershipExists(
            "These cities already hold an unended partnership of this kind: add to it, or end it first.",
            candidates=other,
        )


def standing(
    session: Session, pair_key: str, *, kind: str | None = None, besides: int | None = None
) -> list[dict[str, Any]]:
    """Unended partnerships of a pair (of one kind, if given): id, kind, status, established."""
    conditions = [Partnership.pair_key == pair_key, Partnership.status != "ended"]
    if kind is not None:
        conditions.append(Partnership.kind == kind)
    if besides is not None:
        conditions.append(Partnership.id != besides)
    columns = (Partnership.id, Partnership.kind, Partnership.status, Partnership.established)
    rows = session.execute(select(*columns).where(*conditions).order_by(Partnership.id))
    return [dict(row._mapping) for row in rows]


def _keep_members(session: WritingSession, members: list[Any], life: Life) -> None:
    # Those who left first: a city that came back holds a second row, and one row at most may be present.
    for row in sorted(members, key=lambda row: life.members[row.id].status != "ended"):
        member = life.members[row.id]
        values = member_columns(member)
        if any(getattr(row, name) != value for name, value in values.items()):
            _run(session, update(Member).where(Member.id == row.id).values(values))


def member_columns(member: MemberLife) -> dict[str, Any]:
    """The columns of a member that follow from the life of its partnership."""
    return {"status": member.status} | dated("joined", member.joined) | dated("left", member.left)


def spell_rows(partnership: int, life: Life) -> list[dict[str, Any]]:
    """The rows of `spells` that a life gives."""
    return [
        {
            "partnership_id": partnership,
            "member_id": spell.member,
            "status": spell.status,
            "begin_earliest": spell.begin_earliest,
            "begin_latest": spell.begin_latest,
            "end_earliest": spell.end_earliest,
            "end_latest": spell.end_latest,
        }
        for spell in life.spells
    ]


def read_spells(session: Session, partnership: int) -> list[dict[str, Any]]:
    """The rows of `spells` that are kept, in the order in which they were written."""
    table = table_of(Spell)
    columns = [column for column in table.columns if column.name != "id"]
    statement = select(*columns).where(table.c.partnership_id == partnership).order_by(table.c.id)
    return [dict(row._mapping) for row in session.execute(statement)]


def _keep_spells(session: WritingSession, partnership: int, life: Life) -> None:
    wanted = spell_rows(partnership, life)
    if read_spells(session, partnership) == wanted:
        return
    _run(session, delete(Spell).where(Spell.partnership_id == partnership))
    if wanted:
        _run(session, insert(Spell), wanted)


def _keep_conflicts(session: WritingSession, partnership: int) -> None:
    count = len(evidence.find(session, Partnership.NOUN, partnership))
    table = table_of(Partnership)
    _run(session, update(table).where(table.c.id == partnership).values(conflicts_count=count))


def follow_country(session: WritingSession, city: int) -> None:
    """Members repeat their city's country: keep it true when the city's was mended."""
    session.flush()
    country = select(City.country).where(City.id == city).scalar_subquery()
    _run(session, update(Member).where(Member.city_id == city, Member.country != country).values(country=country))
    session.expire_all()


def _run(session: WritingSession, statement: Any, rows: Any = None) -> None:
    options = {"journalled": True, "synchronize_session": False}
    session.execute(statement, rows, execution_options=options)
