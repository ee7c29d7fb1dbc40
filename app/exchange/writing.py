"""Writing in bulk: rows, what is derived from them, ready items of lists and changes of the journal, together.

Everything goes past the ORM as tuples, some thousands at once, under the write lock of a session that
has its revision number. What a single edit would leave behind is what is left behind here: `check` finds no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import insert

from app.exchange.bulk import Bulk, Numbers
from app.exchange.city_rows import Cities, Shown
from app.exchange.shelves import Draft
from app.exchange.sourcing import Written
from app.exchange.staging import Staging
from app.exchange.templates import Template, stand_ins
from app.models import (
    Change,
    Citation,
    Event,
    Fragment,
    Member,
    Partnership,
    Revision,
    Spell,
)
from app.models.base import bounds
from app.registry import content, evidence, fragments, journal, lives, settling
from app.registry.content import Content, canonical
from app.registry.database import WritingSession

SHAPES = 4096


def write(
    session: WritingSession, staging: Staging, *, source: Callable[[], int | None], progress: Callable[[int], None]
) -> None:
    """All drafts of a plan, with the cities that they need, as one revision: everything but the commit. `source`:
    the import's own, in the staging's numbers, for the new cities."""
    bulk = Bulk(session.connection())
    sources = Written(staging, session)
    cities = Cities(session, staging, bulk, sources)
    with bulk.roomy():
        cities.write(source())
        changed = _change(session, staging, sources, progress)
        made = _Partnerships(session, staging, bulk, sources, cities).write(changed, progress)
        if not journal.seal(session) and (made or cities.made):
            number_it(session)


def number_it(session: WritingSession) -> None:
    """The revision itself, where nothing but bulk rows came with it."""
    session.execute(
        insert(Revision).values(
            number=session.revision, time=session.time, account=session.account, reason=session.reason,
            undoes=session.undoes,
        )
    )  # fmt: skip


# ── Records that get more ──


def _change(session: WritingSession, staging: Staging, sources: Written, progress: Callable[[int], None]) -> int:
    """Put the new content of known partnerships, and settle them; how many."""
    done = 0
    for drafts in staging.drafts.changed():
        batch = [(draft.number, draft.content) for draft in drafts]
        numbers = _part_numbers(session, batch)
        targets: dict[tuple[str, str], Content | None] = {
            (Partnership.NOUN, str(number)): _numbered(orjson.loads(said), numbers, sources) for number, said in batch
        }
        content.put(session, targets)
        settling.settle(session, [number for number, _ in batch])
        done += len(batch)
        progress(done)
    return done


def _part_numbers(session: WritingSession, batch: Sequence[tuple[int, str]]) -> dict[str, Numbers]:
    bulk = Bulk(session.connection())
    known = [orjson.loads(said) for _, said in batch]
    counted = {
        part.PART: sum("id" not in row for each in known for row in each.get(part.PART, ()))
        for part in (Event, Citation)
    }
    return {part.PART: Numbers(bulk, part, counted[part.PART]) for part in (Event, Citation)}


def _numbered(own: Content, numbers: dict[str, Numbers], sources: Written) -> Content:
    """The content with numbers for its new rows, which come last: rows stand in the order of their numbers."""
    for name, several in numbers.items():
        rows = [row if "id" in row else {"id": several.take(1)} | row for row in own.get(name, ())]
        if rows:
            own[name] = sorted(rows, key=lambda row: int(row["id"]))
    for row in own.get("citations", ()):
        row["source_id"] = sources.id_of(row["source_id"])
    return own


# ── New partnerships ──


class _Shape(NamedTuple):
    """What follows from a content alone, whoever the members are: columns, rows by the places of members, and the
    texts of its change (gaps: its number; members' and cities' numbers; those of events and citations) and of its
    item in lists (its number, the members', the cities as they are shown, the distance)."""

    columns: tuple[Any, ...]
    events: list[tuple[Any, ...]]
    citations: list[tuple[Any, ...]]
    member: tuple[Any, ...]
    spells: list[tuple[int | None, tuple[Any, ...]]]
    change: Template
    item: Template


class _Partnerships:
    """Writes the new partnerships."""

    def __init__(self, session: WritingSession, staging: Staging, bulk: Bulk, sources: Written, cities: Cities) -> None:
        self._session, self._staging, self._bulk, self._cities = session, staging, bulk, cities
        self._shape = lru_cache(maxsize=SHAPES)(lambda said, members: _shape(said, members, sources))

    def write(self, done: int, progress: Callable[[int], None]) -> int:
        """All of them, in the order in which the file named them; how many."""
        count = self._staging.drafts.new_ones
        if not count:
            return 0
        # So that a line finds the record that its draft became.
        self._staging.first_made = first = self._bulk.take(Partnership, count)
        for batch in self._staging.drafts.new():
            self._write(first, batch)
            done += len(batch)
            progress(done)
        return int(count)

    def _write(self, first: int, batch: Sequence[Draft]) -> None:
        ties = [orjson.loads(draft.more) if draft.more else (draft.one, draft.other) for draft in batch]
        cities = self._cities.of({city for tie in ties for city in tie})
        shapes = [self._shape(draft.content, len(tie)) for draft, tie in zip(batch, ties, strict=True)]
        members = Numbers(self._bulk, Member, sum(map(len, ties)))
        events = Numbers(self._bulk, Event, sum(len(shape.events) for shape in shapes))
        citations = Numbers(self._bulk, Citation, sum(len(shape.citations) for shape in shapes))
        spells = Numbers(self._bulk, Spell, sum(len(shape.spells) for shape in shapes))
        out = _Rows(self._session.revision, self._session.time)
        for draft, tie, shape in zip(batch, ties, shapes, strict=True):
            first_of = (
                members.take(len(tie)),
                events.take(len(shape.events)),
                citations.take(len(shape.citations)),
                spells.take(len(shape.spells)),
            )
            out.add(first - 1 - draft.number, [cities[city] for city in tie], shape, first_of)
        out.write(self._bulk)


class _Rows:
    """The rows of a batch, by table."""

    def __init__(self, revision: int, now: str) -> None:
        self._kept = (revision, now, now)
        self._revision = revision
        self.partnerships: list[tuple[Any, ...]] = []
        self.members: list[tuple[Any, ...]] = []
        self.events: list[tuple[Any, ...]] = []
        self.citations: list[tuple[Any, ...]] = []
        self.spells: list[tuple[Any, ...]] = []
        self.fragments: list[tuple[Any, ...]] = []
        self.changes: list[tuple[Any, ...]] = []

    def add(self, number: int, cities: Sequence[Shown], shape: _Shape, first_of: tuple[int, int, int, int]) -> None:
        """One partnership. `first_of`: the first numbers of its members, events, citations and spells."""
        member, event, citation, spell = first_of
        ids = [city.id for city in cities]
        pair = None
        if len(ids) == settling.PAIR:
            pair = f"{ids[0]}-{ids[1]}" if ids[0] < ids[1] else f"{ids[1]}-{ids[0]}"
        members = range(member, member + len(ids))
        self.partnerships.append((number, pair, *shape.columns, *self._kept))
        for own, city in zip(members, cities, strict=True):
            self.members.append((number, own, city.id, city.country, *shape.member))
        for own, row in enumerate(shape.events, start=event):
            self.events.append((number, own, *row))
        for own, row in enumerate(shape.citations, start=citation):
            self.citations.append((number, own, *row))
        for own, (whose, days) in enumerate(shape.spells, start=spell):
            self.spells.append((number, own, None if whose is None else member + whose, *days))
        others = (*range(event, event + len(shape.events)), *range(citation, citation + len(shape.citations)))
        change = shape.change.filled((number, *members, *ids, *others))
        self.changes.append((self._revision, Partnership.NOUN, str(number), change))
        km = fragments.distance([{"city": city.item} for city in cities])
        distance = "null" if km is None else repr(km)
        item = shape.item.filled((number, *members, *(city.text for city in cities), f'"distance_km":{distance}'))
        self.fragments.append((number, item))

    def write(self, bulk: Bulk) -> None:
        """Into their tables, those that others point to first."""
        bulk.add(Partnership, _PARTNERSHIP, self.partnerships)
        bulk.add(Member, _MEMBER, self.members)
        bulk.add(Event, _EVENT, self.events)
        bulk.add(Spell, _SPELL, self.spells)
        bulk.add(Citation, _CITATION, self.citations)
        bulk.add(Fragment, ("partnership_id", "item"), self.fragments)
        bulk.add(Change, ("revision", "noun", "record", "after"), self.changes)


_PARTNERSHIP = (
    "id", "pair_key", "kind", "designation", "title", "note", "status",
    "established", "established_earliest", "established_latest", "ended", "ended_earliest", "ended_latest",
    "conflicts_count", "revision", "created_at", "updated_at",
)  # fmt: skip
_MEMBER = (
    "partnership_id", "id", "city_id", "country", "status",
    "joined", "joined_earliest", "joined_latest", "left", "left_earliest", "left_latest",
)  # fmt: skip
_EVENT = ("partnership_id", "id", "type", "date", "date_earliest", "date_latest", "position", "note")
_SPELL = (
    "partnership_id", "id", "member_id", "status", "begin_earliest", "begin_latest", "end_earliest", "end_latest",
)  # fmt: skip
_CITATION = ("partnership_id", "id", "source_id", "field", "value", "locator")


def _shape(said: str, members: int, sources: Written) -> _Shape:
    """What follows from the content of a draft."""
    own: Content = orjson.loads(said)
    events, citations = own.pop("events", []), own.pop("citations", [])
    for row in citations:
        row["source_id"] = sources.id_of(row["source_id"])
    following = lives.shape_of(members, tuple((row["type"], row.get("date"), None, None) for row in events))
    whole, member = following.whole, following.members[0]
    texts = (own["kind"], own.get("designation"), own.get("title"))
    # Rows of one file may contradict each other.
    claimed = evidence.Claimed(own | {"citations": citations}, {})
    conflicts = len(evidence.conflicts_of(Partnership.NOUN, claimed, own | dict(whole)))
    listed = (*texts, whole["status"], whole["established"], whole["ended"], conflicts, 0)
    return _Shape(
        columns=(*texts, own.get("note"), *map(_day, whole.values()), conflicts),
        events=[
            (row["type"], row.get("date"), *map(_day, bounds(row.get("date"))), row["position"], row.get("note"))
            for row in events
        ],
        citations=[(row["source_id"], row["field"], row.get("value"), row.get("locator")) for row in citations],
        member=tuple(map(_day, member.values())),
        spells=[(place, (status, *map(_day, days))) for place, status, *days in following.spells],
        change=_change_of(own, events, citations, members, said),
        item=_item_of(listed, member, members, said),
    )


def _change_of(
    own: Content, events: Sequence[Content], citations: Sequence[Content], members: int, said: str
) -> Template:
    """The content as the journal keeps it."""
    numbers = stand_ins(1 + 2 * members + len(events) + len(citations), said)
    free = iter(numbers)
    content_: Content = {"id": next(free)} | own
    ids = [next(free) for _ in range(members)]
    content_["members"] = [{"id": own_id, "city_id": next(free)} for own_id in ids]
    content_["events"] = [{"id": next(free)} | row for row in events]
    content_["citations"] = [{"id": next(free)} | row for row in citations]
    filled = {name: value for name, value in content_.items() if value != []}
    return Template(canonical(filled), [str(number) for number in numbers])


def _item_of(listed: tuple[Any, ...], member: Mapping[str, Any], members: int, said: str) -> Template:
    """The item of lists, as `fragments` makes it."""
    number, *free = stand_ins(1 + 2 * members, said)
    cities = [{"id": city, "latitude": None, "longitude": None} for city in free[members:]]
    life = (member["status"], member["joined"], member["left"])
    shown = [fragments.member_of(own, *life, city) for own, city in zip(free[:members], cities, strict=True)]
    text = orjson.dumps(fragments.item_of((number, *listed), shown)).decode()
    gaps = [str(number), *map(str, free[:members]), *(orjson.dumps(city).decode() for city in cities)]
    return Template(text, [*gaps, '"distance_km":null'])


def _day(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
