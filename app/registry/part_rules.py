"""What a child row may hold: one rule for each part, with what is looked at once the row is whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app.domain import conflicts, identifiers
from app.domain.lifecycle import OF_ONE_MEMBER
from app.errors import InvalidValue, StateConflict
from app.models import (
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
from app.registry import content, fields, resolving
from app.registry.database import WritingSession
from app.registry.fields import Context, Field, Fields

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
