"""Redaction: personal or unlawful text leaves every change of a record, and a visible stub stays."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select

from app.domain.texts import clean
from app.errors import InvalidValue, RecordNotFound
from app.models import PARTS, RECORDS, Change, Partnership
from app.models.base import Base
from app.registry import content, settling
from app.registry.database import WritingSession

STUB = "[redacted]"
SHORTEST = 3
_MODELS: set[type[Base]] = {*RECORDS.values(), *(part for parts in PARTS.values() for part in parts)}


def redact(session: WritingSession, noun: str, record: int | str, *, text: str) -> int:
    """Replace `text`, wherever it stands in a text of this record now or in any of its changes, by a stub;
    in how many changes it stood. Makes a revision, so that copies of the registry hear of it. It cannot be undone.

    Raises RecordNotFound where the registry never held the record, InvalidValue where the text is nowhere in
    it, is too short to be meant, or the revision gives no reason.
    """
    wanted = clean(text, field="text", limit=10_000, multiline=True)
    if len(wanted) < SHORTEST:
        raise InvalidValue(f"Give at least {SHORTEST} characters, so that nothing else is hit.", field="text")
    if not session.reason:
        raise InvalidValue("A redaction needs a reason.", field="reason")
    found = _rewrite(session, noun, str(record), wanted)
    _rewrite_tables(session, noun, str(record), wanted)
    session.touch(noun, record, force=True)
    return found


def _rewrite(session: WritingSession, noun: str, record: str, text: str) -> int:
    statement = select(Change).where(Change.noun == noun, Change.record == record)
    changes = list(session.execute(statement).scalars())
    if not changes:
        raise RecordNotFound(noun, record)
    found = 0
    for change in changes:
        before = None if change.after is None else orjson.loads(change.after)
        after = stubbed(before, text)
        if after != before:
            change.after = content.canonical(after)
            found += 1
    if not found:
        raise InvalidValue("This text stands nowhere in the record or its history.", field="text")
    return found


def _rewrite_tables(session: WritingSession, noun: str, record: str, text: str) -> None:
    now = content.read(session, noun, [record]).get(record)
    if now is None or (after := stubbed(now, text)) == now:
        return
    content.put(session, {(noun, record): after})
    if noun == Partnership.NOUN:
        settling.settle(session, [int(record)])


#: Text that means something to the registry: dates, and words of closed lists. None of it is anybody's own.
KEPT = {
    "country", "other_country", "alpha3", "continent", "kind", "type", "scheme", "role", "field", "language",
    "category", "measure", "comparator",
} | {name for model in _MODELS for name in model.DATES}  # fmt: skip


def stubbed(value: Any, text: str, *, name: str = "") -> Any:
    """The value with the text replaced in every text of it, but for dates and words of closed lists."""
    if isinstance(value, dict):
        return {key: stubbed(each, text, name=key) for key, each in value.items()}
    if isinstance(value, list):
        return [stubbed(each, text, name=name) for each in value]
    return value.replace(text, STUB) if isinstance(value, str) and name not in KEPT else value
