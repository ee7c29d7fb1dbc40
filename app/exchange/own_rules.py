"""What the content of a record must be to stand in a registry: the rules of every entrance, for a record that
comes whole. What needs the other records is the importer's to judge (`returning`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from app.domain import conflicts, identifiers
from app.domain.geography import check_coordinates
from app.domain.names import fold
from app.errors import EventRefused, InvalidValue, RegistryError
from app.exchange.records import Fault
from app.models import PARTS, RECORDS, Citation, CityIdentifier, Part, Partnership, Record
from app.models.base import bounds
from app.registry import (
    cities,
    countries,
    lives,
    organisations,
    partnerships,
    programs,
    references,
    reported_figures,
    sources,
)
from app.registry.content import Content, table_of
from app.registry.fields import Context, Fields
from app.registry.part_rules import CHOICES, RULES
from app.registry.resolving import LARGEST_ID

FIELDS: dict[str, Fields] = {
    "countries": countries.FIELDS, "sources": sources.FIELDS, "cities": cities.FIELDS,
    "organisations": organisations.FIELDS, "partnerships": partnerships.FIELDS, "programs": programs.FIELDS,
    "reported_figures": reported_figures.FIELDS,
}  # fmt: skip
PAIR = 2
#: The cleaners that are used here ask the session nothing.
_CONTEXT = Context(None)  # type: ignore[arg-type]
_OTHER_VERSION = "This is not known here: it was written by another version of the program."


def checked(noun: str, content: Content) -> Content | Fault:
    """The content in its normal form, or what is wrong with it."""
    try:
        return _checked(noun, content)
    except RegistryError as error:
        return Fault(error.field or "content", error.message)


def _checked(noun: str, content: Content) -> Content:
    model = RECORDS[noun]
    parts = {part.PART: part for part in PARTS[noun]}
    said = {name: value for name, value in content.items() if name not in parts}
    own = _row(model, FIELDS[noun], said, key=model.KEY)
    _check_together(own)
    for name, part in parts.items():
        rows = [_part_row(noun, part, row, place) for place, row in enumerate(_listed(content.get(name), name))]
        if len({row["id"] for row in rows}) < len(rows):
            raise InvalidValue("Two rows have the same id.", field=name)
        if rows:
            own[name] = sorted(rows, key=lambda row: row["id"])
    if noun == Partnership.NOUN:
        _check_life(own)
    return own


def _listed(value: Any, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise InvalidValue("This must be a list of objects.", field=name)
    return value


def _row(model: type[Record | Part], fields: Fields, said: Mapping[str, Any], *, key: str) -> Content:
    """Own columns, each as its column has it; nothing that is null."""
    for name in said:
        if name != key and name not in model.CONTENT:
            raise InvalidValue(_OTHER_VERSION, field=name)
    clean = {field.column or name: field for name, field in fields.items()}
    row: Content = {key: _key(said.get(key), key)}
    for name in model.CONTENT:
        value = _typed(model, name, said.get(name))
        if value is None:
            if name in clean and clean[name].required:
                raise InvalidValue("This field is needed.", field=name)
            continue
        if name in clean and not _points(model, name):
            value = clean[name].clean(_CONTEXT, value, name)
        if value is not None:
            row[name] = _typed(model, name, value)
    return row


def _key(value: Any, name: str) -> int | str:
    if name == "code":
        if isinstance(value, str) and len(value) == PAIR and value.isascii() and value.isupper():
            return value
        raise InvalidValue("A country's code is two capital letters.", field=name)
    if type(value) is int and 0 < value <= LARGEST_ID:
        return value
    raise InvalidValue("This must be the number of a record or row.", field=name)


@cache
def _kind(model: type[Record | Part], name: str) -> type:
    return table_of(model).c[name].type.python_type


@cache
def _points(model: type[Record | Part], name: str) -> bool:
    return bool(table_of(model).c[name].foreign_keys)


def _typed(model: type[Record | Part], name: str, value: Any) -> Any:
    kind = _kind(model, name)
    if value is None or (type(value) is kind and kind is not int):
        return value
    if kind is float and type(value) is int:
        return float(value)
    if kind is int and type(value) is int and abs(value) <= LARGEST_ID:
        return value
    wanted = {int: "a whole number", float: "a number", str: "text"}[kind]
    raise InvalidValue(f"This must be {wanted}.", field=name)


def _check_together(own: Content) -> None:
    """What the columns of a record say only together."""
    check_coordinates(own.get("latitude"), own.get("longitude"))
    _check_order(own)
    if "other_country" in own and "country" not in own:
        raise InvalidValue("Name the first country before another one.", field="country")
    if own.get("merged_into_id", 0) == own.get("id"):
        raise InvalidValue("A record cannot be merged into itself.", field="merged_into_id")


def _check_order(row: Content) -> None:
    if bounds(row.get("until"))[1] < bounds(row.get("since"))[0]:
        raise InvalidValue("This ends before it starts.", field="until")


def _part_row(noun: str, part: type[Part], said: Content, place: int) -> Content:
    try:
        row = _row(part, RULES[part.PART].fields, said, key="id")
        check = _ROW_CHECKS.get(part)
        if check is not None:
            check(noun, row)
        _check_order(row)
    except RegistryError as error:
        raise error.under(f"{part.PART}/{place}") from None
    return row


def _check_identifier(_noun: str, row: Content) -> None:
    row["value"] = identifiers.normalise(row["scheme"], row["value"], field="value")


def _check_citation(noun: str, row: Content) -> None:
    kind = conflicts.field_type(noun, row["field"])
    value = row.get("value")
    if value is None:
        return
    conflicts.check_value(kind, value, field="value")
    known = CHOICES.get((noun, row["field"]), ())
    if known and value not in known:
        raise InvalidValue(f"This must be one of: {', '.join(known)}.", field="value")


_ROW_CHECKS: dict[type[Part], Callable[[str, Content], None]] = {
    CityIdentifier: _check_identifier,
    Citation: _check_citation,
}


# ── Partnerships ──


def _check_life(own: Content) -> None:
    members = own.get("members", ())
    ids = [member["id"] for member in members]
    cities_of = {member["id"]: member["city_id"] for member in members}
    if len(set(cities_of.values())) < PAIR:
        raise InvalidValue("A partnership needs at least two different cities.", field="members")
    for place, event in enumerate(own.get("events", ())):
        for name in ("declared_by_id", "in_place_of_id"):
            if event.get(name) not in (None, *ids):
                raise InvalidValue("This is no member of the partnership.", field=f"events/{place}/{name}")
    statuses = _shape(own).members
    present = [cities_of[member] for member, told in zip(ids, statuses, strict=True) if told["status"] != "ended"]
    if len(present) != len(set(present)):
        raise InvalidValue("A city can be a present member only once.", field="members")


def _shape(own: Content) -> lives.Shape:
    ids = [member["id"] for member in own["members"]]
    places: dict[int | None, int | None] = {member: place for place, member in enumerate(ids)} | {None: None}
    events = sorted(own.get("events", ()), key=lambda event: (event["position"], event["id"]))
    told = tuple(
        (event["type"], event.get("date"), places[event.get("declared_by_id")], places[event.get("in_place_of_id")])
        for event in events
    )
    try:
        return lives.shape_of(len(ids), told)
    except EventRefused as error:
        error.field = "events"
        raise


def standing_pair(own: Content) -> str | None:
    """The pair and kind that an unended partnership of two holds, as one text; None for others."""
    cities_of = sorted({member["city_id"] for member in own["members"]})
    if len(own["members"]) != PAIR or "merged_into_id" in own or _shape(own).whole["status"] == "ended":
        return None
    return f"{cities_of[0]}-{cities_of[1]} {own['kind']}"


# ── What names what ──


@cache
def _mentions(noun: str) -> tuple[references.Pointer, ...]:
    models = {RECORDS[noun], *PARTS[noun]}
    every = (pointer for target in RECORDS for pointer in references.pointers(target))
    return tuple(pointer for pointer in every if not pointer.owns and pointer.model in models)


def named(noun: str, own: Content) -> Iterator[tuple[str, str, str]]:
    """Every record that a content names: where (`events/2/…`, `part_of_id`), noun and key."""
    for pointer in _mentions(noun):
        if issubclass(pointer.model, Part):
            rows = [
                (f"{pointer.model.PART}/{place}/", row) for place, row in enumerate(own.get(pointer.model.PART, ()))
            ]
        else:
            rows = [("", own)]
        for place, row in rows:
            if row.get(pointer.column) is not None:
                yield place + pointer.column, pointer.target, str(row[pointer.column])


def part_rows(noun: str, own: Content) -> Iterator[tuple[type[Part], int]]:
    """Every child row: its part and id."""
    for part in PARTS[noun]:
        for row in own.get(part.PART, ()):
            yield part, row["id"]


def unique_values(noun: str, own: Content) -> Iterator[tuple[str, str]]:
    """What no other record may have as well: field and value."""
    yield from (("identifiers", f"{row['scheme']}:{row['value']}") for row in own.get("identifiers", ()))
    yield from (("aliases", fold(row["text"])) for row in own.get("aliases", ()))
    for name in _UNIQUE.get(noun, ()):
        if name in own:
            yield f"{noun} {name}", str(own[name])


_UNIQUE = {"countries": ("alpha3", "name"), "sources": ("key",)}
