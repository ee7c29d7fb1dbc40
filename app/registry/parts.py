"""Child rows of records: one table says what each part may hold; three functions add, mend and remove them.

Every slip can be mended, and nothing is checked only here: whatever a change means for the record (a status,
a second citation) is worked out anew by the record's own module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from app.domain.names import fold
from app.errors import EventRefused, RecordNotFound, RegistryError, StateConflict
from app.models import PARTS, RECORDS, City, CityName, Event, Member
from app.models.base import bounds
from app.registry import records, settling
from app.registry.database import WritingSession
from app.registry.fields import Context, cleaned
from app.registry.part_rules import RULES, UNIQUE, Rule


def add(session: WritingSession, noun: str, record: int | str, *, part: str, values: Mapping[str, Any]) -> int:
    """A new child row of a record; its id."""
    rule = rule_of(noun, part)
    row = add_unsettled(session, noun, record, part=part, values=values)
    _settle(session, noun, record, rule)
    return int(row.id)


def add_unsettled(
    session: WritingSession, noun: str, record: int | str, *, part: str, values: Mapping[str, Any]
) -> Any:
    """As `add`, for an operation that makes several rows and settles the record once, at the end."""
    rule = rule_of(noun, part)
    columns = cleaned(_context(session, record), rule.fields, values, partial=False)
    row = rule.model(**{rule.model.OWNERS[noun]: record} | _complete(session, rule, columns, record))
    rule.check(session, row, noun)
    _refuse_double(session, rule, row)
    session.add(row)
    session.flush()
    return row


def add_all(
    session: WritingSession, noun: str, record: int | str, rows: Mapping[str, Iterable[Mapping[str, Any]]]
) -> None:
    """Child rows for a record that is being made: part → rows. Errors name the row (`names/2/text`). The
    caller settles the record."""
    for part, several in rows.items():
        for place, values in enumerate(several):
            try:
                add_unsettled(session, noun, record, part=part, values=values)
            except RegistryError as error:
                raise error.under(f"{part}/{place}") from None


def amend(
    session: WritingSession,
    noun: str,
    record: int | str,
    *,
    part: str,
    row_id: int,
    values: Mapping[str, Any],
) -> None:
    """Change fields of a child row; null empties one."""
    rule = rule_of(noun, part)
    row = fetch(session, noun, record, part=part, row_id=row_id)
    columns = cleaned(_context(session, record), rule.fields, values, partial=True)
    with session.no_autoflush:
        for column, value in _complete(session, rule, columns, record, row=row).items():
            setattr(row, column, value)
        rule.check(session, row, noun)
        _refuse_double(session, rule, row)
    _settle(session, noun, record, rule)


def remove(session: WritingSession, noun: str, record: int | str, *, part: str, row_id: int) -> None:
    """Take a child row away."""
    rule = rule_of(noun, part)
    row = fetch(session, noun, record, part=part, row_id=row_id)
    rule.before_removal(session, row)
    session.delete(row)
    if rule.model is Member:
        session.flush()
    _settle(session, noun, record, rule)


def rule_of(noun: str, part: str) -> Rule:
    """The rule of a noun's part."""
    assert any(part == model.PART for model in PARTS[noun]), f"{noun} have no {part}"
    return RULES[part]


def fetch(session: WritingSession, noun: str, record: int | str, *, part: str, row_id: int) -> Any:
    """The child row of this record. Raises RecordNotFound."""
    model = RULES[part].model
    row = session.get(model, row_id)
    if row is None or getattr(row, model.OWNERS[noun]) != record:
        raise RecordNotFound(part, row_id)
    return row


def _context(session: WritingSession, record: int | str) -> Context:
    return Context(session, record if isinstance(record, int) else None)


def _settle(session: WritingSession, noun: str, record: int | str, rule: Rule) -> None:
    session.flush()
    if noun not in rule.settled:
        return
    try:
        settling.settle(session, [int(record)])
    except EventRefused as error:
        # Its place in the record's list of events is no place in the values that were given for one row.
        error.field = "type" if rule.model is Event else None
        raise


def _complete(
    session: WritingSession, rule: Rule, columns: dict[str, Any], record: int | str, *, row: Any = None
) -> dict[str, Any]:
    """Columns that follow from the given ones: a member's country, an event's place in the order. `row`: the
    one that is amended."""
    new = row is None
    if rule.model is Member and "city_id" in columns:
        columns["country"] = session.execute(select(City.country).where(City.id == columns["city_id"])).scalar_one()
    if rule.model is CityName and columns.get("language") is None and (new or "language" in columns):
        columns["language"] = "und"
    if rule.model is Event and columns.get("position") is None and (new or "position" in columns):
        date = columns.get("date") if new or "date" in columns else row.date
        columns["position"] = _next_position(session, int(record), date)
    return columns


def _next_position(session: WritingSession, partnership: int, date: str | None) -> int:
    """Where an event goes: before the first one that is certainly later, else last. Those behind it move."""
    rows = list(
        session.execute(
            select(Event).where(Event.partnership_id == partnership).order_by(Event.position, Event.id)
        ).scalars()
    )
    latest = bounds(date)[1]
    place = next((index for index, row in enumerate(rows) if row.date and row.date_earliest > latest), len(rows))
    for index, row in enumerate(rows):
        row.position = index + 1 if index < place else index + 2
    return place + 1


def _refuse_double(session: WritingSession, rule: Rule, row: Any) -> None:
    if rule.model not in UNIQUE:
        return
    columns, message = UNIQUE[rule.model]
    values = {name: getattr(row, name) for name in columns}
    values |= {name: fold(getattr(row, source)) for name, source in row.FOLDED.items() if name in columns}
    statement = select(rule.model.id).where(
        *(getattr(rule.model, name).is_not_distinct_from(value) for name, value in values.items())
    )
    if row.id is not None:
        statement = statement.where(rule.model.id != row.id)
    with session.no_autoflush:
        if session.execute(statement).first() is not None:
            raise StateConflict(message)


def owner(session: WritingSession, noun: str, key: int | str, *, revision: int | None = None) -> int | str:
    """The key of the record whose parts are to be changed, after all checks of `records.fetch`."""
    record = records.fetch(session, RECORDS[noun], key, revision=revision)
    key_: int | str = getattr(record, record.KEY)
    return key_
