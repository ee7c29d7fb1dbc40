"""Undo: a new revision that restores what an earlier one changed, part by part.

A part is an own column of a record or one child row. What was changed again later is not trampled: the undo
is refused with the list of those parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import select

from app.domain import differences
from app.domain.differences import Difference
from app.errors import RecordNotFound, UndoRefused
from app.models import Change, City, Partnership, Revision
from app.registry import content, journal, references, settling
from app.registry.content import Content
from app.registry.database import WritingSession

Key = tuple[str, str]


def undo(session: WritingSession, number: int) -> None:
    """Take revision `number` back. Raises RecordNotFound (no such revision) and UndoRefused: a later change
    would be trampled, a record that came with it is in use, or nothing is left to undo."""
    if session.execute(select(Revision.number).where(Revision.number == number)).first() is None:
        raise RecordNotFound("revisions", number)
    session.undoes = number
    targets = _targets(session, number)
    if not targets:
        raise UndoRefused("Nothing of this revision is left to undo: its changes have been taken back already.")
    _check_references(session, targets)
    _apply(session, targets)


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
    undone = differences.between(before, after)
    trampled = [each.part for each in undone if _part(now, each.part) not in (each.after, each.before)]
    return trampled or _with_parts(now, undone)


def _part(own: Content, path: str) -> Any:
    name, _, row = path.partition("/")
    if not row:
        return own.get(name)
    return next((each for each in own.get(name, ()) if str(each["id"]) == row), None)


def _with_parts(now: Content, undone: list[Difference]) -> Content:
    restored = dict(now)
    for difference in undone:
        name, _, row = difference.part.partition("/")
        if row:
            rows = [each for each in restored.get(name, ()) if str(each["id"]) != row]
            rows += [] if difference.before is None else [difference.before]
            restored[name] = sorted(rows, key=lambda each: each["id"])
        else:
            restored[name] = difference.before
    return {name: value for name, value in restored.items() if value not in (None, [])}


def _check_references(session: WritingSession, targets: Mapping[Key, Content | None]) -> None:
    obstacles = [
        row
        for (noun, record), wanted in targets.items()
        if wanted is None
        for row in references.inbound(session, noun, record)
        if targets.get((row["noun"], str(row["id"])), row) is row
    ]
    if obstacles:
        raise UndoRefused("Other records have come to hang on what this revision made.", obstacles=obstacles)
    absent = [
        row
        for (noun, _record), wanted in targets.items()
        if wanted is not None
        for row in references.missing(session, noun, wanted)
        if targets.get((row["noun"], str(row["id"]))) is None
    ]
    if absent:
        raise UndoRefused("What this would bring back names records that are gone.", obstacles=absent)


def _apply(session: WritingSession, targets: Mapping[Key, Content | None]) -> None:
    lives = {int(record) for noun, record in targets if noun == Partnership.NOUN}
    settling.unsettle(session, lives)
    content.put(session, targets)
    for noun, record in targets:
        if noun == City.NOUN and targets[noun, record] is not None:
            settling.follow_country(session, int(record))
            lives |= set(settling.partnerships_of(session, int(record)))
    settling.settle(session, lives)
