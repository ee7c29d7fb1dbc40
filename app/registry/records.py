"""What all records have in common: fetch one to write, check its revision, make, amend and delete rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.errors import StaleRevision, StillReferenced
from app.models import PARTS, Record
from app.registry import content, references, resolving
from app.registry.database import WritingSession
from app.registry.fields import Context, Fields, cleaned

R = TypeVar("R", bound=Record)


def fetch(session: WritingSession, model: type[R], key: int | str, *, revision: int | None = None) -> R:
    """The record to be written. Raises RecordNotFound, RecordDeleted, RecordMerged, or StaleRevision if the
    caller read it at another `revision`."""
    record = session.get(model, resolving.addressed(session, model.NOUN, key))
    assert record is not None
    if revision is not None and record.revision != revision:
        raise StaleRevision(actual=record.revision)
    return record


def make(
    session: WritingSession,
    model: type[R],
    fields: Fields,
    values: Mapping[str, Any],
    *,
    check: Callable[[R], None] = lambda _record: None,
) -> R:
    """A new record of checked values, flushed: it has its id. `check` looks at the whole of it before that."""
    record = model(**cleaned(Context(session), fields, values, computed=computed(model), partial=False))
    check(record)
    session.add(record)
    session.flush()
    return record


def amend(session: WritingSession, record: Record, fields: Fields, values: Mapping[str, Any]) -> None:
    """Change own fields of a record; null empties one."""
    owner = getattr(record, record.KEY)
    new = cleaned(Context(session, owner), fields, values, computed=computed(type(record)), partial=True)
    for column, value in new.items():
        setattr(record, column, value)


def computed(model: type[Record]) -> set[str]:
    """Names that a body may not set: what the registry works out, and parts, which have routes of their own."""
    columns = {column.name.removesuffix("_id") for column in content.table_of(model).columns}
    own = {name.removesuffix("_id") for name in model.CONTENT} - {"merged_into"}
    parts = {part.PART for part in PARTS[model.NOUN]}
    return (columns - own) | parts | {model.KEY, "distance_km", "programs_count", "conflicts_count", "conflicts"}


def delete(session: WritingSession, record: Record) -> None:
    """Remove a record and its parts (for mistakes). Refused while other records hang on it."""
    noun, key = record.NOUN, str(getattr(record, record.KEY))
    hanging = references.inbound(session, noun, key)
    if hanging:
        raise StillReferenced(
            f"Other records hang on this one ({references.counted(hanging)}): move or delete them first.",
            obstacles=hanging,
        )
    content.put(session, {(noun, key): None})
