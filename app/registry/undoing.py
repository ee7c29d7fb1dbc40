"""Undo: a new revision that restores what an earlier one changed, part by part.

A part is an own column of a record or one child row. What was changed again later is not trampled: the undo
is refused with the list of those parts. An event's position is no matter of its own: it moves whenever
another event is put in before it, and only the order counts.
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
from app.models import Change, City, Partnership, Revision
from app.registry import content, journal, references, settling
from app.registry.content import Content
from app.registry.database import WritingSession

Key = tuple[str, str]


class _Trampled(Exception):
    """Something that a later revision changed would be lost."""


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


def _targets(session: WritingSession, number: int) -> dict[Key, Content | None]:
    """What each record is to be after the undo; records that are so already are left out."""
    targets: dict[Key, Content | None] = {}
    trampled: list[dict[str, Any]] = []
    for noun, record, after in _changes(session, number):
        before = journal.as_it_was(session, noun, record, revision=number - 1)
        now = content.read(session, noun, [record]).get(record)
        wanted = _restored(before, after, now)
        if isinstance(wanted, list):
            trampled += [{"noun": noun, "id": content.key_of(noun, record), "part": part} for part in wanted]
        elif wanted != now:
            targets[noun, record] = wanted
    if trampled:
        raise UndoRefused(
            "Later revisions changed the same parts again: undo those first, or mend the record by hand.",
            obstacles=trampled,
        )
    return targets


def _changes(session: WritingSession, number: int) -> Iterator[tuple[str, str, Content | None]]:
    statement = select(Change.noun, Change.record, Change.after).where(Change.revision == number)
    for noun, record, after in session.execute(statement).all():
        yield noun, record, None if after is None else orjson.loads(after)


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


def _refuse_absent(session: WritingSession, targets: Mapping[Key, Content | None]) -> None:
    absent = [
        row
        for (noun, _record), wanted in targets.items()
        if wanted is not None
        for row in references.missing(session, noun, wanted)
        if targets.get((row["noun"], str(row["id"]))) is None
    ]
    if absent:
        raise UndoRefused("What this would bring back names records that are gone.", obstacles=absent)


def _put(session: WritingSession, targets: Mapping[Key, Content | None]) -> None:
    settling.unsettle(session, _lives(targets))
    try:
        content.put(session, targets)
    except IntegrityError:
        # The session is of no use after this, and is rolled back by whoever opened it.
        raise UndoRefused(
            "What this would bring back (a name, an identifier, a key) is held by another by now.",
            obstacles=_named(targets),
        ) from None


def _refuse_hanging(session: WritingSession, targets: Mapping[Key, Content | None]) -> None:
    """Looked for once all is put: records of the same undo may have let go of each other, or not."""
    gone = [key for key, wanted in targets.items() if wanted is None]
    hanging = [row for noun, record in gone for row in references.inbound(session, noun, record)]
    if hanging:
        raise UndoRefused("Other records have come to hang on what this revision made.", obstacles=hanging)


def _settle(session: WritingSession, targets: Mapping[Key, Content | None]) -> None:
    for noun, record in targets:
        if noun == City.NOUN and targets[noun, record] is not None:
            settling.follow_country(session, int(record))
    try:
        settling.settle(session, _lives(targets))
    except (StateConflict, InvalidValue) as error:
        raise UndoRefused(
            f"What this would bring back does not go with what came since. {error.message}",
            obstacles=error.details.get("candidates") or _named(targets),
        ) from None


def _lives(targets: Mapping[Key, Content | None]) -> set[int]:
    return {int(record) for noun, record in targets if noun == Partnership.NOUN}


def _named(targets: Mapping[Key, Content | None]) -> list[dict[str, Any]]:
    return [{"noun": noun, "id": content.key_of(noun, record)} for noun, record in targets]
