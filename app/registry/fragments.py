"""Partnerships' items in lists, kept ready as JSON text: reading 50 rows of text is several times faster than
reading and joining all that they say. The journal's seal keeps them in step with the tables.

An item here has no bookkeeping (revision, created_at, updated_at): that is put behind it when it is read, so
that the same text serves lists and exports.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.orm import Session

from app.domain.geography import great_circle_km
from app.models import Change, City, Fragment, Member, Partnership, Program
from app.registry.content import chunks, table_of
from app.registry.database import WritingSession

Item = dict[str, Any]
PAIR = 2
_partnerships, _members, _cities = table_of(Partnership), table_of(Member), table_of(City)
_programs, _fragments = table_of(Program), table_of(Fragment)

_PARTNERSHIPS_OF = (
    select(
        _partnerships.c.id, _partnerships.c.kind, _partnerships.c.designation, _partnerships.c.title,
        _partnerships.c.status, _partnerships.c.established, _partnerships.c.ended, _partnerships.c.conflicts_count,
        select(func.count(_programs.c.id))
        .where(_programs.c.partnership_id == _partnerships.c.id)
        .scalar_subquery()
        .label("programs_count"),
    )
    .where(_partnerships.c.id.in_(bindparam("partnerships", expanding=True)))
    .order_by(_partnerships.c.id)
)  # fmt: skip
_MEMBERS_OF = (
    select(
        _members.c.partnership_id, _members.c.id, _members.c.status, _members.c.joined, _members.c.left,
        _cities.c.id.label("city_id"), _cities.c.name, _cities.c.country, _cities.c.subdivision,
        _cities.c.latitude, _cities.c.longitude,
    )
    .join(_cities, _cities.c.id == _members.c.city_id)
    .where(_members.c.partnership_id.in_(bindparam("partnerships", expanding=True)))
    .order_by(_members.c.partnership_id, _members.c.id)
)  # fmt: skip


# ── What an item says ──


def built(session: Session, partnerships: Sequence[int]) -> Iterator[tuple[int, str]]:
    """The partnerships' numbers and texts, worked out from the tables; those that are not there are left out."""
    for batch in chunks(partnerships):
        members = _members_of(session, batch)
        rows = session.connection().execute(_PARTNERSHIPS_OF, {"partnerships": batch}).all()
        for row in rows:
            yield row[0], orjson.dumps(item_of(row, members[row[0]])).decode()


def item_of(row: Sequence[Any], members: list[Item]) -> Item:
    """A partnership as lists show it, without bookkeeping. `row`: id, kind, designation, title, status, established,
    ended, conflicts_count, programs_count; `members`: as `member_of` makes them."""
    # Unpacked by position: naming each column costs more than the rest of the item.
    number, kind, designation, title, status, established, ended, conflicts_count, programs_count = row
    return {
        "id": number,
        "kind": kind,
        "designation": designation,
        "title": title,
        "status": status,
        "established": established,
        "ended": ended,
        "members": members,
        "distance_km": distance(members),
        "programs_count": programs_count,
        "conflicts_count": conflicts_count,
    }


def member_of(member: int, status: str, joined: str | None, left: str | None, city: Item, /) -> Item:
    """A member as lists show it. `city`: id, name, country, subdivision, latitude, longitude."""
    return {"id": member, "city": city, "status": status, "joined": joined, "left": left}


def _members_of(session: Session, partnerships: Sequence[int]) -> dict[int, list[Item]]:
    found: dict[int, list[Item]] = {number: [] for number in partnerships}
    rows = session.connection().execute(_MEMBERS_OF, {"partnerships": partnerships}).all()
    for number, member, status, joined, left, city, name, country, subdivision, latitude, longitude in rows:
        place = {
            "id": city,
            "name": name,
            "country": country,
            "subdivision": subdivision,
            "latitude": latitude,
            "longitude": longitude,
        }
        found[number].append(member_of(member, status, joined, left, place))
    return found


def distance(members: list[Item]) -> float | None:
    """Kilometres between two cities; None for more, or where a place is not known. A city that left and came back
    holds two rows."""
    places = [member["city"] for member in members]
    if len(places) > PAIR:
        places = list({city["id"]: city for city in places}.values())
    if len(places) != PAIR or None in (places[0]["latitude"], places[1]["latitude"]):
        return None
    here, there = places
    return round(great_circle_km(here["latitude"], here["longitude"], there["latitude"], there["longitude"]), 1)


# ── Reading ──


def with_bookkeeping(item: str, revision: int, created_at: str, updated_at: str, /) -> orjson.Fragment:
    """The item of a list: the kept text, and behind it what the journal keeps of the record."""
    return orjson.Fragment(
        f'{item[:-1]},"revision":{revision},"created_at":"{created_at}","updated_at":"{updated_at}"}}'
    )


# ── Keeping in step ──


def refresh(session: WritingSession, changed: Collection[tuple[str, str]]) -> None:
    """Make anew what these changed records (noun, key) appear in: a partnership itself, those of a city, the one of
    a program. Called once the records are journalled."""
    affected = {int(record) for noun, record in changed if noun == Partnership.NOUN}
    affected |= _of_cities(session, [int(record) for noun, record in changed if noun == City.NOUN])
    affected |= _of_programs(session, [record for noun, record in changed if noun == Program.NOUN])
    renew(session, sorted(affected))


def renew(session: Session, partnerships: Sequence[int]) -> None:
    """Work the texts of these partnerships out anew, and keep them; of those that are gone nothing stays."""
    for batch in chunks(partnerships):
        session.execute(delete(_fragments).where(_fragments.c.partnership_id.in_(batch)))
        rows = [{"partnership_id": number, "item": item} for number, item in built(session, batch)]
        if rows:
            session.execute(insert(_fragments), rows)


def _of_cities(session: Session, cities: Iterable[int]) -> set[int]:
    return {
        number
        for batch in chunks(cities)
        for number in session.execute(
            select(_members.c.partnership_id).where(_members.c.city_id.in_(batch))
        ).scalars()
    }  # fmt: skip


def _of_programs(session: Session, programs: Iterable[str]) -> set[int]:
    """Where the programs hang now, and where they hung after any of their changes: a deleted one says only that."""
    found: set[int] = set()
    for batch in chunks(programs):
        now = select(_programs.c.partnership_id).where(_programs.c.id.in_([int(record) for record in batch]))
        found |= set(session.execute(now).scalars())
        before = select(Change.after).where(Change.noun == Program.NOUN, Change.record.in_(batch))
        texts = session.execute(before.where(Change.after.is_not(None))).scalars()
        found |= {orjson.loads(text)["partnership_id"] for text in texts if text is not None}
    return found


def missing(session: Session) -> list[int]:
    """Partnerships without a text: all of them, after the migration that brought the table."""
    statement = (
        select(_partnerships.c.id)
        .outerjoin(_fragments, _fragments.c.partnership_id == _partnerships.c.id)
        .where(_fragments.c.partnership_id.is_(None))
        .order_by(_partnerships.c.id)
    )
    return list(session.execute(statement).scalars())


def wrong(session: Session) -> Iterator[int]:
    """Partnerships whose text is not what the tables say."""
    numbers = session.execute(select(_partnerships.c.id).order_by(_partnerships.c.id)).scalars().all()
    for batch in chunks(numbers):
        kept = session.execute(select(_fragments).where(_fragments.c.partnership_id.in_(batch)))
        texts: dict[int, str] = dict(kept.all())
        yield from (number for number, item in built(session, batch) if texts.get(number) != item)
