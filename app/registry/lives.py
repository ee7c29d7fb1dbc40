"""The lives of many partnerships at once: what the tables hold of them, and what follows from their events.

What follows is worked out by `app.domain.lifecycle` and remembered by the shape of a life: of thousands of pairs
that were signed in 1973 the rule is asked once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Row, Table, select
from sqlalchemy.orm import Session

from app.domain import fuzzy_dates, lifecycle
from app.domain.fuzzy_dates import FuzzyDate
from app.models import Event, Member, Partnership, Spell
from app.models.base import UNKNOWN_EARLIEST, UNKNOWN_LATEST
from app.registry.content import among, table_of

PAIR = 2
SHAPES = 8_192
"""Shapes that are remembered; long lives are told apart anyway, and would fill the memory."""
LONGEST_SHAPE = 8
_partnerships, _members, _events, _spells = (table_of(model) for model in (Partnership, Member, Event, Spell))

#: An event by its type, its date, and the places of the members that declared it and gave way among all members
#: (null: none; `NOBODY`: no member of this partnership).
Told = tuple[str, str | None, int | None, int | None]
NOBODY = -1
#: A spell by the member (null: the whole), its status, and the bounds of its begin and end.
Spelled = tuple[int | None, str, date, date, date | None, date | None]
_MEMBER = ("status", "joined", "joined_earliest", "joined_latest", "left", "left_earliest", "left_latest")
_SPELL = ("member_id", "status", "begin_earliest", "begin_latest", "end_earliest", "end_latest")


@dataclass(frozen=True, slots=True)
class Kept:
    """What the tables hold of one partnership: its row, and the rows of its members (by id), events (in their
    order) and spells (as they were written)."""

    row: Row[Any]
    members: Sequence[Row[Any]]
    events: Sequence[Row[Any]]
    spells: Sequence[Spelled]


@dataclass(frozen=True, slots=True)
class Following:
    """What follows from a partnership's events: columns of its own, of each member by id, and its spells."""

    whole: Mapping[str, Any]
    members: Mapping[int, Mapping[str, Any]]
    spells: Sequence[Spelled]

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return bool(self.whole["status"] == "ended")


@dataclass(frozen=True, slots=True)
class Shape:
    """The same for every life of one shape: members by their places."""

    whole: Mapping[str, Any]
    members: tuple[Mapping[str, Any], ...]
    spells: tuple[Spelled, ...]


# ── What the tables hold ──


def read(session: Session, partnerships: Sequence[int]) -> list[Kept]:
    """A batch of partnerships in order of their ids; those that are not there are left out."""
    statement = select(_partnerships).where(among(_partnerships.c.id, partnerships)).order_by(_partnerships.c.id)
    rows = session.execute(statement).all()
    members = _of(session, _members, ("id", "city_id", *_MEMBER), partnerships, order=("id",))
    told = ("id", "type", "date", "declared_by_id", "in_place_of_id")
    events = _of(session, _events, told, partnerships, order=("position", "id"))
    spells = _of(session, _spells, _SPELL, partnerships, order=("id",))
    return [
        Kept(row, members.get(row.id, ()), events.get(row.id, ()), [_spelled(*each) for each in spells.get(row.id, ())])
        for row in rows
    ]


def _spelled(_partnership: int, *spell: Any) -> Spelled:
    return spell


def _of(
    session: Session, table: Table, columns: Sequence[str], partnerships: Sequence[int], *, order: Sequence[str]
) -> dict[int, list[Row[Any]]]:
    owner = table.c.partnership_id
    statement = (
        select(owner, *(table.c[name] for name in columns))
        .where(among(owner, partnerships))
        .order_by(owner, *(table.c[name] for name in order))
    )
    found: dict[int, list[Row[Any]]] = {}
    for row in session.execute(statement):
        found.setdefault(row[0], []).append(row)
    return found


# ── What follows from it ──


def follow(kept: Kept) -> Following:
    """What follows from the members and events. Raises EventRefused, InvalidDate."""
    ids = [member.id for member in kept.members]
    shape = shape_of(len(ids), told(ids, kept.events))
    return Following(
        shape.whole,
        dict(zip(ids, shape.members, strict=True)),
        [(None if spell[0] is None else ids[spell[0]], *spell[1:]) for spell in shape.spells],
    )


def told(members: Sequence[int], events: Sequence[Any]) -> tuple[Told, ...]:
    """Rows of events as a shape has them."""
    places: dict[int | None, int | None] = {None: None}
    places.update((member, place) for place, member in enumerate(members))
    return tuple(
        (row.type, row.date, places.get(row.declared_by_id, NOBODY), places.get(row.in_place_of_id, NOBODY))
        for row in events
    )


def shape_of(members: int, events: tuple[Told, ...]) -> Shape:
    """What follows from the events of a partnership of so many members. Raises EventRefused, InvalidDate."""
    return (_remembered if max(members, len(events)) <= LONGEST_SHAPE else _shape_of)(members, events)


def _shape_of(members: int, events: tuple[Told, ...]) -> Shape:
    life = lifecycle.unfold(range(members), [_event(*each) for each in events])
    return Shape(
        {"status": life.status} | dated("established", life.established) | dated("ended", life.ended),
        tuple(
            {"status": each.status} | dated("joined", each.joined) | dated("left", each.left)
            for each in life.members.values()
        ),
        tuple(
            (
                cast("int | None", each.member),
                each.status,
                each.begin_earliest,
                each.begin_latest,
                each.end_earliest,
                each.end_latest,
            )
            for each in life.spells
        ),
    )


_remembered = lru_cache(maxsize=SHAPES)(_shape_of)


def _event(type_: str, day: str | None, declared_by: int | None, in_place_of: int | None) -> lifecycle.Event:
    return lifecycle.Event(
        type=type_,
        date=None if day is None else fuzzy_dates.parse(day),
        declared_by=declared_by,
        in_place_of=in_place_of,
    )


def dated(name: str, fuzzy: FuzzyDate | None) -> dict[str, Any]:
    """The three columns of a fuzzy date."""
    if fuzzy is None:
        return {name: None, f"{name}_earliest": UNKNOWN_EARLIEST, f"{name}_latest": UNKNOWN_LATEST}
    return {name: fuzzy.text, f"{name}_earliest": fuzzy.earliest, f"{name}_latest": fuzzy.latest}


def pair_key(kept: Kept) -> str | None:
    """`lower-higher` city of a partnership of two; null for more, and for one that was merged into another."""
    cities = sorted({member.city_id for member in kept.members})
    pair = len(kept.members) == PAIR == len(cities) and kept.row.merged_into_id is None
    return f"{cities[0]}-{cities[1]}" if pair else None


def columns(kept: Kept, following: Following) -> dict[str, Any]:
    """The partnership's own columns that follow from its members and its life."""
    return {"status": following.whole["status"], "pair_key": pair_key(kept), **following.whole}


def spell_rows(partnership: int, spells: Sequence[Spelled]) -> list[dict[str, Any]]:
    """Spells as rows of their table."""
    return [{"partnership_id": partnership} | dict(zip(_SPELL, spell, strict=True)) for spell in spells]
