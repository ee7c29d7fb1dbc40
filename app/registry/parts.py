"""Child rows of records: one table says what each part may hold; three functions add, mend and remove them.

Every slip can be mended, and nothing is checked only here: whatever a change means for the record (a status,
a second citation) is worked out anew by the record's own module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app.domain import conflicts, identifiers
from app.domain.lifecycle import OF_ONE_MEMBER
from app.domain.names import fold
from app.errors import InvalidValue, RecordNotFound, RegistryError, StateConflict
from app.models import (
    PARTS,
    RECORDS,
    Citation,
    CityIdentifier,
    CityName,
    CityPopulation,
    CitySuccessor,
    CountryAlias,
    Event,
    Member,
    Occasion,
    Part,
    Participant,
    PartnershipOrganisation,
    Program,
)  # fmt: skip
from app.models.base import bounds
from app.models.cities import CITY_KINDS, NAME_KINDS, City
from app.models.organisations import ORGANISATION_KINDS
from app.models.partnerships import EVENT_TYPES, ORGANISATION_ROLES, PARTNERSHIP_KINDS, STATUSES
from app.models.programs import CATEGORIES
from app.models.sources import MEASURES
from app.registry import content, fields, records, resolving, settling
from app.registry.database import WritingSession
from app.registry.fields import Context, Field, Fields, cleaned

LARGEST_COUNT = 2**53
#: The closed lists behind citable fields of type `choice`.
CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("cities", "kind"): CITY_KINDS,
    ("partnerships", "kind"): PARTNERSHIP_KINDS,
    ("partnerships", "status"): STATUSES,
    ("programs", "category"): CATEGORIES,
    ("organisations", "kind"): ORGANISATION_KINDS,
    ("reported_figures", "measure"): MEASURES,
}


def member_of_partnership(context: Context, value: Any, path: str) -> int:
    """A member of the partnership: `{"member": id}`, or its city in any of a city's forms."""
    table = content.table_of(Member)
    condition = table.c.partnership_id == context.owner
    if isinstance(value, Mapping) and set(value) == {"member"}:
        number = value["member"]
        condition &= table.c.id == (resolving.as_id(number) if isinstance(number, int | str) else None)
    else:
        condition &= table.c.city_id == fields.city(context, value, path)
    # A city that left and came back holds two rows; its present one is meant.
    present = (table.c.status == "ended", table.c.id.desc())
    found = context.session.execute(select(table.c.id).where(condition).order_by(*present)).scalars().first()
    if found is None:
        raise InvalidValue("This is no member of the partnership: name one of its cities.", field=path)
    return int(found)


def side_of_program(context: Context, value: Any, path: str) -> int:
    """The city of one of the members of the program's partnership."""
    city = fields.city(context, value, path)
    statement = (
        select(Member.id)
        .join(Program, Program.partnership_id == Member.partnership_id)
        .where(Program.id == context.owner, Member.city_id == city)
    )
    if context.session.execute(statement).first() is None:
        raise InvalidValue("This city is no member of the program's partnership.", field=path)
    return city


@dataclass(frozen=True, slots=True)
class Rule:
    """What a part may hold, and what is to be checked and worked out once it has changed."""

    model: type[Part]
    fields: Fields
    check: Callable[[WritingSession, Any, str], None] = lambda _session, _row, _noun: None
    before_removal: Callable[[WritingSession, Any], None] = lambda _session, _row: None
    settled: frozenset[str] = field(default_factory=frozenset)


def _normal_identifier(_session: WritingSession, row: Any, _noun: str) -> None:
    row.value = identifiers.normalise(row.scheme, row.value, field="value")


def _claim(session: WritingSession, row: Any, noun: str) -> None:
    kind = conflicts.field_type(noun, row.field)
    if row.value_city_id is not None and kind != "city":
        raise InvalidValue("Only fields about cities take a city.", field="city")
    if row.value is None and row.value_city_id is not None:
        row.value = session.execute(select(City.name).where(City.id == row.value_city_id)).scalar_one()
    if row.value is None:
        return
    if kind == "city" and row.value_city_id is None:
        raise InvalidValue("Name the city that the source means in `city`.", field="city")
    if (noun, row.field) == (City.NOUN, "country"):
        row.value = resolving.country(session, row.value, field="value")
    conflicts.check_value(kind, row.value, field="value")
    known = CHOICES.get((noun, row.field), ())
    if known and row.value not in known:
        raise InvalidValue(f"This must be one of: {', '.join(known)}.", field="value")


def _another_city(_session: WritingSession, row: Any, _noun: str) -> None:
    if row.successor_id == row.city_id:
        raise InvalidValue("A city cannot succeed itself.", field="city")


def _needed_by_nothing(session: WritingSession, row: Any) -> None:
    named = select(Event.id).where((Event.declared_by_id == row.id) | (Event.in_place_of_id == row.id))
    if session.execute(named).first() is not None:
        raise StateConflict("Events name this member: remove or change them first.")
    again = select(Member.id).where(
        Member.partnership_id == row.partnership_id, Member.city_id == row.city_id, Member.id != row.id
    )
    sides = (
        select(Participant.id)
        .join(Program, Program.id == Participant.program_id)
        .where(Program.partnership_id == row.partnership_id, Participant.side_id == row.city_id, ~again.exists())
    )
    if session.execute(sides).first() is not None:
        raise StateConflict("Participants of programs take this member's side: change them first.")


def _present_once(session: WritingSession, row: Any, _noun: str) -> None:
    again = (Member.partnership_id == row.partnership_id, Member.city_id == row.city_id, Member.status != "ended")
    found = session.execute(select(Member.id).where(*again)).scalars().first()
    if found not in (None, row.id) and row.status != "ended":
        raise StateConflict("This city is a present member already.", field="city")


def _names_members(_session: WritingSession, row: Any, _noun: str) -> None:
    if row.type in OF_ONE_MEMBER and row.declared_by_id is None:
        raise InvalidValue("To join or to leave is the act of one member: say which.", field="declared_by")
    if row.in_place_of_id is not None and row.type != "joined":
        raise InvalidValue("Only a joining can be in the place of another member.", field="in_place_of")


def _in_order(_session: WritingSession, row: Any, _noun: str) -> None:
    row_since, row_until = bounds(row.since), bounds(row.until)
    if row_until[1] < row_since[0]:
        raise InvalidValue("This ends before it starts.", field="until")


COUNT = fields.number(0, LARGEST_COUNT, whole=True)
LIFE = frozenset({"partnerships"})

RULES: dict[str, Rule] = {
    "aliases": Rule(CountryAlias, {"text": Field(fields.text(), required=True)}),
    "names": Rule(
        CityName,
        {
            "text": Field(fields.text(), required=True),
            "language": Field(fields.language),
            "kind": Field(fields.choice(NAME_KINDS), required=True),
        },
    ),
    "identifiers": Rule(
        CityIdentifier,
        {
            "scheme": Field(fields.choice(identifiers.SCHEMES), required=True),
            "value": Field(fields.text(200), required=True),
        },
        check=_normal_identifier,
    ),
    "populations": Rule(
        CityPopulation,
        {
            "people": Field(COUNT, required=True),
            "year": Field(fields.number(1, 9999, whole=True)),
        },
    ),
    "successors": Rule(
        CitySuccessor,
        {"city": Field(fields.city, column="successor_id", required=True)},
        check=_another_city,
    ),
    "members": Rule(
        Member,
        {
            "city": Field(fields.city, column="city_id", required=True),
            "note": Field(fields.note()),
        },
        check=_present_once,
        before_removal=_needed_by_nothing,
        settled=LIFE,
    ),
    "events": Rule(
        Event,
        {
            "type": Field(fields.choice(EVENT_TYPES), required=True),
            "date": Field(fields.fuzzy_date),
            "position": Field(fields.number(1, LARGEST_COUNT, whole=True)),
            "declared_by": Field(member_of_partnership, column="declared_by_id"),
            "in_place_of": Field(member_of_partnership, column="in_place_of_id"),
            "authority": Field(fields.text()),
            "note": Field(fields.note()),
        },
        check=_names_members,
        settled=LIFE,
    ),
    "organisations": Rule(
        PartnershipOrganisation,
        {
            "organisation": Field(fields.record("organisations"), column="organisation_id", required=True),
            "role": Field(fields.choice(ORGANISATION_ROLES), required=True),
        },
    ),
    "participants": Rule(
        Participant,
        {
            "organisation": Field(fields.record("organisations"), column="organisation_id", required=True),
            "side": Field(side_of_program, column="side_id"),
        },
    ),
    "occasions": Rule(
        Occasion,
        {
            "title": Field(fields.text()),
            "since": Field(fields.fuzzy_date),
            "until": Field(fields.fuzzy_date),
            "place": Field(fields.text()),
            "origin": Field(fields.city, column="origin_id"),
            "host": Field(fields.city, column="host_id"),
            "people": Field(COUNT),
            "note": Field(fields.note()),
        },
        check=_in_order,
    ),
    "citations": Rule(
        Citation,
        {
            "source": Field(fields.source, column="source_id", required=True),
            "field": Field(fields.text(100), required=True),
            "value": Field(fields.text(1000)),
            "city": Field(fields.city, column="value_city_id"),
            "locator": Field(fields.text(1000)),
        },
        check=_claim,
        settled=LIFE,
    ),
}


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
    if noun in rule.settled:
        settling.settle(session, [int(record)])


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


#: What must be unique, so that the refusal comes in words and not from the database.
UNIQUE: dict[type[Part], tuple[tuple[str, ...], str]] = {
    CountryAlias: (("key",), "This country name is known already."),
    CityName: (("city_id", "text", "language", "kind"), "The city has this name already."),
    CityIdentifier: (("scheme", "value"), "A city has this identifier already: an identifier names one city."),
    CityPopulation: (("city_id", "year"), "The city has a population for this year already: change that one."),
    CitySuccessor: (("city_id", "successor_id"), "This successor is listed already."),
    PartnershipOrganisation: (
        ("partnership_id", "organisation_id", "role"), "The organisation has this role already.",
    ),
    Participant: (("program_id", "organisation_id"), "The organisation takes part already."),
}  # fmt: skip


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
