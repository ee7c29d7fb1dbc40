"""Exchange programs: add one under a partnership, mend it, delete a mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.errors import InvalidValue, StateConflict
from app.models import Member, Participant, Program
from app.models.base import bounds
from app.models.programs import CATEGORIES
from app.registry import fields, parts, records
from app.registry.database import WritingSession
from app.registry.fields import Field

FIELDS = {
    "partnership": Field(fields.record("partnerships"), column="partnership_id", required=True),
    "name": Field(fields.text(), required=True),
    "category": Field(fields.choice(CATEGORIES), required=True),
    "since": Field(fields.fuzzy_date),
    "until": Field(fields.fuzzy_date),
    "frequency": Field(fields.text()),
    "description": Field(fields.note()),
}


def add(
    session: WritingSession,
    values: Mapping[str, Any],
    *,
    participants: Sequence[Mapping[str, Any]] = (),
    occasions: Sequence[Mapping[str, Any]] = (),
    citations: Sequence[Mapping[str, Any]] = (),
) -> int:
    """A new program; its id. `values`: partnership, name, category, since, until, frequency, description."""
    program = records.make(session, Program, FIELDS, values, check=_check)
    rows = {"participants": participants, "occasions": occasions, "citations": citations}
    parts.add_all(session, "programs", program.id, rows)
    return program.id


def amend(session: WritingSession, key: int | str, values: Mapping[str, Any], *, revision: int | None = None) -> int:
    """Change own fields of a program; its id. It moves to another partnership only if its participants' sides
    are members there."""
    program = records.fetch(session, Program, key, revision=revision)
    with session.no_autoflush:
        records.amend(session, program, FIELDS, values)
        _check(program)
    session.flush()
    _check_sides(session, program)
    return program.id


def delete(session: WritingSession, key: int | str, *, revision: int | None = None) -> None:
    """Remove a program that was entered by mistake."""
    records.delete(session, records.fetch(session, Program, key, revision=revision))


def _check(program: Program) -> None:
    if bounds(program.until)[1] < bounds(program.since)[0]:
        raise InvalidValue("The program would end before it starts.", field="until")


def _check_sides(session: WritingSession, program: Program) -> None:
    members = select(Member.city_id).where(Member.partnership_id == program.partnership_id)
    strays = select(Participant.id).where(
        Participant.program_id == program.id,
        Participant.side_id.is_not(None),
        Participant.side_id.not_in(members),
    )
    if session.execute(strays).first() is not None:
        raise StateConflict("Participants take sides of cities that are no members of that partnership.")
