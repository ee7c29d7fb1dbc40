"""What may stand in each field of a record: cleaners, put together into one table per noun and part.

A cleaner takes (context, value, field path) and gives the value as its column holds it, or raises
InvalidValue with the path. Null is never handed to a cleaner: it empties an optional field.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain import fuzzy_dates, texts
from app.domain.names import nearest
from app.errors import InvalidValue
from app.registry import resolving
from app.registry.database import WritingSession

NOTE = 10_000
_LANGUAGE = re.compile(r"(?=.{2,35}\Z)[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
_URL = re.compile(r"https?://[^\s<>\"']+\Z")


@dataclass(frozen=True, slots=True)
class Context:
    """Where a value is to stand: the session, and the record it belongs to (None while it is being made)."""

    session: WritingSession
    owner: int | None = None


Cleaner = Callable[[Context, Any, str], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field that can be written. `column` where the column has another name; required: never null."""

    clean: Cleaner
    column: str | None = None
    required: bool = False


Fields = Mapping[str, Field]


def cleaned(
    context: Context,
    fields: Fields,
    values: Mapping[str, Any],
    *,
    computed: Iterable[str] = (),
    partial: bool,
) -> dict[str, Any]:
    """Column → value for the given fields. Unknown and computed names are refused; unless `partial`, what is
    required must be there."""
    for name in values:
        _refuse_unknown(fields, name, computed)
    if not partial:
        _refuse_missing(fields, values)
    return {
        field.column or name: _value(context, field, values[name], name)
        for name, field in fields.items()
        if name in values
    }


def _value(context: Context, field: Field, value: Any, name: str) -> Any:
    if value is None or (value == "" and not field.required):
        if field.required:
            raise InvalidValue("This field cannot be empty.", field=name)
        return None
    return field.clean(context, value, name)


def _refuse_unknown(fields: Fields, name: str, computed: Iterable[str]) -> None:
    if name in fields:
        return
    if name in computed:
        raise InvalidValue(
            "This field is computed and cannot be set: change what it follows from, such as the events.",
            field=name,
        )
    near = nearest(name, fields, n=1)
    hint = f" Did you mean {near[0]}?" if near else f" The fields are: {', '.join(fields)}."
    raise InvalidValue(f"There is no such field.{hint}", field=name)


def _refuse_missing(fields: Fields, values: Mapping[str, Any]) -> None:
    for name, field in fields.items():
        if field.required and values.get(name) is None:
            raise InvalidValue("This field is needed.", field=name)


def text(limit: int = 300, *, multiline: bool = False) -> Cleaner:
    """One line of text, or several."""

    def clean(_context: Context, value: Any, field: str) -> str | None:
        if not isinstance(value, str):
            raise InvalidValue("This must be text.", field=field)
        return texts.clean(value, field=field, limit=limit, multiline=multiline) or None

    return clean


def note() -> Cleaner:
    """Longer text with line breaks."""
    return text(NOTE, multiline=True)


def choice(values: Iterable[str]) -> Cleaner:
    """One of a closed list."""
    known = tuple(values)

    def clean(_context: Context, value: Any, field: str) -> str:
        if value not in known:
            raise InvalidValue(f"This must be one of: {', '.join(known)}.", field=field)
        return str(value)

    return clean


def fuzzy_date(_context: Context, value: Any, field: str) -> str:
    """An EDTF date, in its normal form."""
    if not isinstance(value, str):
        raise InvalidValue("A date is text, such as 1973, 1973-11 or 1973-11-09.", field=field)
    return fuzzy_dates.parse(value, field=field).text


def number(low: float, high: float, *, whole: bool = False) -> Cleaner:
    """A finite number between the two, both included."""

    def clean(_context: Context, value: Any, field: str) -> float | int:
        parsed = _parsed_number(value, field)
        if not low <= parsed <= high or (whole and parsed != int(parsed)):
            kind = "a whole number" if whole else "a number"
            raise InvalidValue(f"This must be {kind} from {low:,.6g} to {high:,.6g}.", field=field)
        return int(parsed) if whole else parsed

    return clean


def _parsed_number(value: Any, field: str) -> float:
    # Files give numbers as text; a bool is an int in Python and never meant as one.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidValue("This must be a number.", field=field)
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        parsed = math.nan
    if not math.isfinite(parsed):
        raise InvalidValue("This must be a number.", field=field)
    return parsed


def language(_context: Context, value: Any, field: str) -> str:
    """A BCP 47 language tag."""
    if not isinstance(value, str) or not _LANGUAGE.match(value):
        raise InvalidValue("This must be a language tag such as en, ja or zh-Hant.", field=field)
    return value


def url(context: Context, value: Any, field: str) -> str:
    """An http or https address."""
    clean = text(2000)(context, value, field)
    if not _URL.match(clean):
        raise InvalidValue("This must be an address that starts with https:// or http://.", field=field)
    return str(clean)


def country(context: Context, value: Any, field: str) -> str:
    """A country's alpha-2 code, also from its names."""
    if not isinstance(value, str):
        raise InvalidValue("A country is its two-letter code, such as JP.", field=field)
    return resolving.country(context.session, value, field=field)


def city(context: Context, value: Any, field: str) -> int:
    """A city by number, identifier or {name, country, subdivision?}."""
    return resolving.city(context.session, value, field=field)


def source(context: Context, value: Any, field: str) -> int:
    """A source by number or key."""
    return resolving.source(context.session, value, field=field)


def record(noun: str) -> Cleaner:
    """A record of the noun, by number."""

    def clean(context: Context, value: Any, field: str) -> int:
        return resolving.record_id(context.session, noun, value, field=field)

    return clean
