"""Sources: the documents that support what the registry says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.errors import StateConflict
from app.models import Source
from app.registry import fields, records
from app.registry.database import WritingSession
from app.registry.fields import Field

FIELDS = {
    "key": Field(fields.text(50)),
    "title": Field(fields.text(500), required=True),
    "author": Field(fields.text()),
    "publisher": Field(fields.text()),
    "url": Field(fields.url),
    "published": Field(fields.fuzzy_date),
    "note": Field(fields.note()),
}


def add(session: WritingSession, values: Mapping[str, Any]) -> int:
    """A new source; its id. `values`: key (a short handle such as S14), title, author, publisher, url,
    published, note."""
    return records.make(session, Source, FIELDS, values, check=lambda source: _refuse_double(session, source)).id


def amend(session: WritingSession, key: int | str, values: Mapping[str, Any], *, revision: int | None = None) -> int:
    """Change own fields of a source; its id."""
    source = records.fetch(session, Source, key, revision=revision)
    with session.no_autoflush:
        records.amend(session, source, FIELDS, values)
        _refuse_double(session, source)
    return source.id


def delete(session: WritingSession, key: int | str, *, revision: int | None = None) -> None:
    """Remove a source; refused while anything cites it."""
    records.delete(session, records.fetch(session, Source, key, revision=revision))


def _refuse_double(session: WritingSession, source: Source) -> None:
    if source.key is None:
        return
    found = session.execute(select(Source.id).where(Source.key == source.key)).scalar_one_or_none()
    if found not in (None, source.id):
        raise StateConflict("Another source has this key already.", field="key")
