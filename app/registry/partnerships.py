"""Partnerships: establish one, mend it, look it up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.errors import InvalidValue, PartnershipExists
from app.models import Partnership
from app.models.partnerships import PARTNERSHIP_KINDS
from app.registry import fields, parts, records, resolving, settling
from app.registry.database import WritingSession
from app.registry.fields import Field
from app.registry.resolving import CityReference

FIELDS = {
    "kind": Field(fields.choice(PARTNERSHIP_KINDS), required=True),
    "designation": Field(fields.text()),
    "title": Field(fields.text()),
    "note": Field(fields.note()),
    "succeeds": Field(fields.record("partnerships"), column="succeeds_id"),
}
MOST_MEMBERS = 1000


def establish(
    session: WritingSession,
    cities: Sequence[CityReference | Mapping[str, Any]],
    *,
    kind: str,
    signed: str | None = None,
    events: Sequence[Mapping[str, Any]] = (),
    citations: Sequence[Mapping[str, Any]] = (),
    organisations: Sequence[Mapping[str, Any]] = (),
    insist: bool = False,
    **details: Any,
) -> int:
    """A new partnership of two or more cities; its id.

    cities: each a city's number, identifier or `{name, country, subdivision?}`. events: `{type, date?,
    declared_by?, in_place_of?, authority?, note?}` in their order, cities again for members; without any it is
    signed, at the date `signed` or an unknown one. details: designation, title, note, succeeds.

    Raises PartnershipExists where the cities hold an unended one: of the same kind always, of another kind
    unless `insist`, which needs a reason; EventRefused, InvalidValue, UnknownReference with their fields.
    """
    ids = _members(session, cities)
    partnership = records.make(session, Partnership, FIELDS, {"kind": kind} | details)
    if len(ids) == settling.PAIR:
        _refuse_standing(session, ids, kind=kind, insist=insist)
    for city in ids:
        parts.add_unsettled(session, "partnerships", partnership.id, part="members", values={"city": city})
    if events and signed is not None:
        raise InvalidValue("Give the date of signing once: as an event, or as `signed`.", field="signed")
    life = events or ({"type": "signed", "date": signed},)
    rows = {"events": _in_order(life), "organisations": organisations, "citations": citations}
    parts.add_all(session, "partnerships", partnership.id, rows)
    settling.settle(session, [partnership.id])
    return partnership.id


def _members(session: WritingSession, cities: Sequence[Any]) -> list[int]:
    if not settling.PAIR <= len(cities) <= MOST_MEMBERS:
        raise InvalidValue(f"A partnership has from two to {MOST_MEMBERS:,} members.", field="members")
    ids = [resolving.city(session, city, field=f"members/{place}/city") for place, city in enumerate(cities)]
    for place, city in enumerate(ids):
        if city in ids[:place]:
            raise InvalidValue(
                "A city cannot be partnered with itself: each member is another city.",
                field=f"members/{place}/city",
            )
    return ids


def _refuse_standing(session: WritingSession, ids: list[int], *, kind: str, insist: bool) -> None:
    found = settling.standing(session, f"{min(ids)}-{max(ids)}")
    same = [row for row in found if row["kind"] == kind]
    if same:
        raise PartnershipExists(
            "These cities already hold an unended partnership of this kind: add to it, or end it first.",
            candidates=same,
        )
    if found and not insist:
        raise PartnershipExists(
            "These cities already hold an unended partnership of another kind. If this is one more, insist"
            " with a reason.",
            candidates=found,
        )
    if found and not session.reason:
        raise InvalidValue("Insisting needs a reason.", field="reason")


def _in_order(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [dict(event) | {"position": place} for place, event in enumerate(events, start=1)]


def amend(session: WritingSession, key: int | str, values: Mapping[str, Any], *, revision: int | None = None) -> int:
    """Change own fields of a partnership; its id."""
    partnership = records.fetch(session, Partnership, key, revision=revision)
    number = partnership.id
    # Of another kind the pair may be taken: `settle` says so, where the index would only fail.
    settling.unsettle(session, [number])
    with session.no_autoflush:
        records.amend(session, partnership, FIELDS, values)
        if _succeeds_itself(session, partnership):
            raise InvalidValue("A partnership cannot succeed itself, or one that succeeds it.", field="succeeds")
    settling.settle(session, [number])
    return number


def _succeeds_itself(session: WritingSession, partnership: Partnership) -> bool:
    before, seen = partnership.succeeds_id, set[int]()
    while before is not None and before not in seen:
        if before == partnership.id:
            return True
        seen.add(before)
        before = session.execute(select(Partnership.succeeds_id).where(Partnership.id == before)).scalar_one()
    return False


def delete(session: WritingSession, key: int | str, *, revision: int | None = None) -> None:
    """Remove a partnership that was never one. One that ended gets an event `ended` instead."""
    records.delete(session, records.fetch(session, Partnership, key, revision=revision))
