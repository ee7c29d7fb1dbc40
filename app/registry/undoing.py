"""Undo: a new revision that restores what an earlier one changed, part by part.

A part is an own column of a record or one child row. What was changed again later is not trampled: the undo
is refused with the list of those parts. An event's position is no matter of its own: it moves whenever
another event is put in before it, and only the order counts.

A revision may have changed a million records: they are read, compared and put back batch by batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.domain import differences
from app.domain.differences import Difference
from app.errors import InvalidValue, RecordNotFound, StateConflict, UndoRefused
from app.models import RECORDS, Change, City, Partnership, Revision
from app.registry import content, journal, references, settling
from app.registry.content import Content, chunks
from app.registry.database import WritingSession

Key = tuple[str, str]


class _Trampled(Exception):
    """Something that a later revision changed would be lost."""


class _Targets(Mapping[Key, Content | None]):
    """What each record is to be. Kept as JSON: as objects, a million records take some gigabytes."""

    def __init__(self) -> None:
        self._kept: dict[Key, str | None] = {}

    def add(self, key: Key, wanted: Content | None) -> None:
        self._kept[key] = None if wanted is None else content.canonical(wanted)

    def __getitem__(self, key: Key) -> Content | None:
        kept = self._kept[key]
        return None if kept is None else orjson.loads(kept)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def back(self, noun: str) -> list[str]:
        """The keys of the noun's records that are there afterwards."""
        return [record for (kind, record), kept in self._kept.items() if kind == noun and kept is not None]

    def gone(self, noun: str) -> list[str]:
        """The keys of those that are not."""
        return [record for (kind, record), kept in self._kept.items() if kind == noun and kept is None]


def undo(session: WritingSession, number: int) -> None:
    """Take revision `number` back. Raises RecordNotFound (no such revision) and UndoRefused: a later change
    would be trampled, a record that came with it is in use, or nothing is left to undo."""
    if session.execute(select(Revision.number).where(Revision.number == number)).first() is None:
        raise RecordNotFound("revisions", number)
    session.undoes = number
    targets = _targets(session, number)
    if not targets:
        raise UndoRefused("Nothing of this revision is left to undo: its changes have been taken back already.")
    _refuse_absent(session, targets)
    _put(session, targets)
    _refuse_hanging(session, targets)
    _settle(session, targets)


def _targets(session: WritingSession, number: int) -> _Targets:
    """What each record is to be after the undo; records that are so already are left out."""
    targets = _Targets()
    trampled: list[dict[str, Any]] = []
    for noun in RECORDS:
        for batch in _changes(session, noun, number):
            for record, now, wanted in _compared(session, noun, batch, number):
                if isinstance(wanted, list):
                    trampled += [{"noun": noun, "id": content.key_of(noun, record), "part": part} for part in wanted]
                elif wanted != now:
                    targets.add((noun, record), wanted)
    if trampled:
        raise UndoRefused(
            "Later revisions changed the same parts again: undo those first, or mend the record by hand.",
            obstacles=trampled,
        )
    return targets


def _changes(session: WritingSession, noun: str, number: int) -> Iterator[dict[str, str | None]]:
    """What the revision made of the noun's records, batch by batch in order of their keys."""
    in_revision = Change.revision == number, Change.noun == noun
    records = session.execute(select(Change.record).where(*in_revision)).scalars()
    for batch in chunks(sorted(records, key=content.in_order)):
        wanted = content.listed(session, batch)
        after = select(Change.after).where(*in_revision, Change.record == wanted).scalar_subquery()
        yield {row[0]: row[1] for row in session.execute(select(wanted, after))}


def _compared(
    session: WritingSession, noun: str, batch: Mapping[str, str | None], number: int
) -> Iterator[tuple[str, Content | None, Content | list[str] | None]]:
    """Of each record of a batch: what it is now, and what it is to be or which parts stand in the way."""
    before = journal.as_they_were(session, noun, batch, revision=number - 1)
    present = content.read(session, noun, batch)
    for record, text in batch.items():
        after = None if text is None else orjson.loads(text)
        now = present.get(record)
        yield record, now, _restored(before.get(record), after, now)


def _restored(before: Content | None, after: Content | None, now: Content | None) -> Content | list[str] | None:
    """The content with the revision's parts put back; or the parts that stand in the way."""
    if before is None or after is None or now is None:
        # The record itself came or went: all of it must be as the revision left it, or be back already.
        later = differences.between(after, now)
        return before if not later or now == before else [difference.part for difference in later]
    restored, trampled = dict(now), []
    for each in differences.between(before, after):
        try:
            _put_back(restored, each.part, _undone(each, _part(now, each.part)))
        except _Trampled:
            trampled.append(each.part)
    return trampled or {name: value for name, value in restored.items() if value not in (None, [])}


def _part(own: Content, path: str) -> Any:
    name, _, row = path.partition("/")
    if not row:
        return own.get(name)
    return next((each for each in own.get(name, ()) if str(each["id"]) == row), None)


def _undone(difference: Difference, now: Any) -> Any:
    """The value that a part gets back: what it was before, at the position that it has now."""
    before, after = difference.before, difference.after
    if now in (before, after):
        return before
    if _placeless(before) == _placeless(after):
        return now
    if _placeless(now) not in (_placeless(before), _placeless(after)):
        raise _Trampled
    return None if before is None else before | {"position": now["position"]}


def _placeless(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: each for name, each in value.items() if name != "position"}


def _put_back(own: Content, path: str, value: Any) -> None:
    name, _, row = path.partition("/")
    if row:
        others = [each for each in own.get(name, ()) if str(each["id"]) != row]
        value = sorted([*others, *([] if value is None else [value])], key=lambda each: each["id"])
    own[name] = value


def _refuse_absent(session: WritingSession, targets: _Targets) -> None:
    absent = []
    for noun in RECORDS:
        for batch in chunks(targets.back(noun)):
            wanted = (targets[noun, record] or {} for record in batch)
            named = references.absent(session, noun, wanted)
            absent += [row for row in named if targets.get((row["noun"], str(row["id"]))) is None]
    if absent:
        raise UndoRefused("What this would bring back names records that are gone.", obstacles=absent)


def _put(session: WritingSession, targets: _Targets) -> None:
    settling.unsettle(session, _lives(targets))
    content.take_stock(session, (noun for noun in RECORDS if len(targets.gone(noun)) >= content.MANY))
    try:
        content.put(session, targets)
    except IntegrityError:
        # The session is of no use after this, and is rolled back by whoever opened it.
        raise UndoRefused(
            "What this would bring back (a name, an identifier, a key) is held by another by now.",
            obstacles=_named(targets),
        ) from None


def _refuse_hanging(session: WritingSession, targets: _Targets) -> None:
    """Looked for once all is put: records of the same undo may have let go of each other, or not."""
    hanging = [row for noun in RECORDS for row in references.hanging(session, noun, targets.gone(noun))]
    if hanging:
        raise UndoRefused("Other records have come to hang on what this revision made.", obstacles=hanging)


def _settle(session: WritingSession, targets: _Targets) -> None:
    settling.follow_countries(session, (int(record) for record in targets.back(City.NOUN)))
    try:
        settling.settle(session, _lives(targets))
    except (StateConflict, InvalidValue) as error:
        raise UndoRefused(
            f"What this would bring back does not go with what came since. {error.message}",
            obstacles=error.details.get("candidates") or _named(targets),
        ) from None


def _lives(targets: _Targets) -> list[int]:
    return [int(record) for record in targets.back(Partnership.NOUN)]


def _named(targets: _Targets) -> list[dict[str, Any]]:
    return [{"noun": noun, "id": content.key_of(noun, record)} for noun, record in targets]
