"""Organisations: add one, mend it, delete a mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.models import Organisation
from app.models.organisations import ORGANISATION_KINDS
from app.registry import fields, parts, records
from app.registry.database import WritingSession
from app.registry.fields import Field

FIELDS = {
    "name": Field(fields.text(), required=True),
    "kind": Field(fields.choice(ORGANISATION_KINDS), required=True),
    "city": Field(fields.city, column="city_id"),
    "url": Field(fields.url),
    "note": Field(fields.note()),
}


def add(session: WritingSession, values: Mapping[str, Any], *, citations: Sequence[Mapping[str, Any]] = ()) -> int:
    """A new organisation; its id. `values`: name, kind, city (its seat), url, note."""
    organisation = records.make(session, Organisation, FIELDS, values)
    parts.add_all(session, "organisations", organisation.id, {"citations": citations})
    return organisation.id


def amend(session: WritingSession, key: int | str, values: Mapping[str, Any], *, revision: int | None = None) -> int:
    """Change own fields of an organisation; its id."""
    organisation = records.fetch(session, Organisation, key, revision=revision)
    records.amend(session, organisation, FIELDS, values)
    return organisation.id


def delete(session: WritingSession, key: int | str, *, revision: int | None = None) -> None:
    """Remove an organisation; refused while it takes part in anything."""
    records.delete(session, records.fetch(session, Organisation, key, revision=revision))
