"""Where a record and what is cited for it cannot all be true.

A conflict belongs to one field of one record. The record's value and the cited values are compared by the
type of the field, never by their wording:

    date     the bounds do not meet                      1973 and 1973-11-09 may both be true
    number   the intervals do not meet                   35.99 stands for 35.985 to 35.995; 28 for 28 alone
    name     another name once folded
    choice   another word of the list                    (`unknown` claims nothing)
    city     another record
    text     never: two descriptions are two descriptions

Conflicts are shown, never averaged and never settled here. A value that cannot be read by its type (a
redacted one) is not compared, since one unreadable citation must not make its record unreadable too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final, Literal

from app.domain import fuzzy_dates
from app.errors import InvalidValue

FieldType = Literal["date", "name", "number", "choice", "city", "text"]

# Which fields of which noun can be cited. Computed ones are among them: sources state those too.
FIELD_TYPES: Final[dict[str, dict[str, FieldType]]] = {
    "cities": {
        "name": "name",
        "country": "choice",
        "kind": "choice",
        "subdivision": "name",
        "latitude": "number",
        "longitude": "number",
        "part_of": "city",
        "existed_from": "date",
        "existed_until": "date",
        "note": "text",
        # Each year is a field of its own: 28 people in 2010 and 26 in 2020 are no conflict.
        "populations/<year>": "number",
        "populations": "number",  # the one without a year
    },
    "partnerships": {
        "kind": "choice",
        "designation": "name",
        "title": "name",
        "status": "choice",
        "established": "date",
        "ended": "date",
        "members": "city",
        "note": "text",
        "events": "text",
    },
    "programs": {
        "name": "name",
        "category": "choice",
        "since": "date",
        "until": "date",
        "frequency": "text",
        "description": "text",
        "occasions": "text",
        "participants": "text",
    },
    "organisations": {"name": "name", "kind": "choice", "city": "city", "url": "text", "note": "text"},
    "reported_figures": {"value": "number", "as_of": "date", "scope": "text", "measure": "choice"},
}

_YEAR = re.compile(r"/(?!0000)[0-9]{4}\Z")
_LONGEST_GUESS = 64  # characters of an unknown field name that are compared with the known ones
# 15 digits before the point and 12 after it keep every bound within the 28 digits of the decimal context.
_NUMBER = re.compile(
    r"(?:~|about\s)?\s*"
    r"([+\-\u2212]?)"
    r"([0-9]{1,15}|[0-9]{1,3}([, \u00a0\u2009\u202f])[0-9]{3}(?:\3[0-9]{3}){0,3})"
    r"(\.[0-9]{1,12})?"
    r"\s*(?:\([^()]*\))?",
    re.IGNORECASE,
)
_NO_NUMBER = (
    "This is not a number that can be compared: write digits with a point for decimals, such as 35.99 or "
    "2,695,598; a leading ~ or 'about' and a remark in parentheses after it are allowed."
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What one citation says. `source` is the source's id.

    `value` None: the source supports the record as it is, without restating it.
    `city`: the id of the city that is claimed, in fields of type city.
    """

    value: str | None
    source: int
    city: int | None = None


@dataclass(frozen=True, slots=True)
class ClaimedValue:
    """One of the values claimed, in the words of its first claim, with the ids of its sources."""

    value: str | None
    city: int | None
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """`recorded` is what the record says (empty: nothing); `claims` each value claimed, agreeing ones too."""

    field: str
    recorded: tuple[str, ...]
    claims: tuple[ClaimedValue, ...]


def field_type(noun: str, field: str) -> FieldType:
    """The type of a field that can be cited, such as `populations/2010`.

    Raises InvalidValue that names the fields there are, the nearest first.
    """
    known = FIELD_TYPES.get(noun)
    if known is None:
        raise InvalidValue(f"Citations support records of: {', '.join(FIELD_TYPES)}.", field="field")
    found = None if "<" in field else known.get(_YEAR.sub("/<year>", field))
    if found is None:
        nearest = get_close_matches(field[:_LONGEST_GUESS], known, n=len(known), cutoff=0)
        raise InvalidValue(
            f"The {noun.replace('_', ' ')} have no field of this name that can be cited. "
            f"There are, nearest first: {', '.join(nearest)}.",
            field="field",
        )
    return found


def check_value(kind: FieldType, value: str, *, field: str | None = None) -> None:
    """Raises InvalidValue unless `value` can be read by its type. Choices are checked where their list is."""
    if kind == "date":
        fuzzy_dates.parse(value, field=field)
    if kind == "number":
        number_bounds(value, field=field)


def number_bounds(text: str, *, field: str | None = None) -> tuple[Decimal, Decimal]:
    """Lowest and highest value that a number as written may stand for: half its last decimal either way.

    A whole number stands for itself. `~`, `about`, separators of thousands and a remark in parentheses are
    passed over. Raises InvalidValue.
    """
    written = _NUMBER.fullmatch(text.strip())
    if written is None:
        raise InvalidValue(_NO_NUMBER, field=field)
    sign, whole, separator, decimals = written.groups("")
    number = Decimal(sign.replace("\u2212", "-") + whole.replace(separator or ",", "") + decimals)
    slack = Decimal(5).scaleb(-len(decimals)) if decimals else Decimal(0)
    return number - slack, number + slack


def find_conflict(
    field: str,
    *,
    kind: FieldType,
    recorded: Sequence[str],
    recorded_cities: Sequence[int] = (),
    claims: Sequence[Claim],
    fold: Callable[[str], str] = str.casefold,
) -> Conflict | None:
    """The conflict of the claims with the record's value, or with each other; None if all can be true.

    `recorded`: the record's values as text, several for members, none where unknown. `recorded_cities`: their
    ids, in fields of type city. `fold`: makes spellings of one name equal. Claims keep their order.
    """
    stated = [_spelled_out(claim, recorded, recorded_cities) for claim in claims]
    own = recorded_cities if kind == "city" else [_read(kind, value, fold) for value in recorded]
    claimed = [claim.city if kind == "city" else _read(kind, claim.value, fold) for claim in stated]
    if not _RULES[kind](_readable(own), _readable(claimed)):
        return None
    return Conflict(field, tuple(recorded), _grouped(stated, claimed))


def _spelled_out(claim: Claim, recorded: Sequence[str], cities: Sequence[int]) -> Claim:
    """A claim for the record as it is, said in the record's one value; of several it cannot be told which."""
    if claim.value is not None or claim.city is not None or len(recorded) != 1:
        return claim
    return Claim(recorded[0], claim.source, cities[0] if cities else None)


def _read(kind: FieldType, value: str | None, fold: Callable[[str], str]) -> Hashable:
    """What a value means, so that equal meanings are equal; None if it says nothing that can be compared."""
    if value is None:
        return None
    try:
        return fold(value) if kind == "name" else _MEANINGS[kind](value)
    except InvalidValue:
        return None


def _dated(value: str) -> Hashable:
    fuzzy = fuzzy_dates.parse(value)
    return fuzzy.earliest, fuzzy.latest, fuzzy.text  # the text keeps 1973 and 1973~ two values


def _chosen(value: str) -> Hashable:
    return None if value == "unknown" else value


_MEANINGS: Final[dict[FieldType, Callable[[str], Hashable]]] = {
    "date": _dated,
    "number": number_bounds,
    "choice": _chosen,
    "text": str,
}


def _readable(meanings: Sequence[Hashable]) -> list[Any]:
    return [meaning for meaning in meanings if meaning is not None]


def _apart(own: list[Any], claimed: list[Any]) -> bool:
    """Some two ranges do not meet: on a line, exactly when the last start is after the first end."""
    ranges = [*own, *claimed]
    return bool(claimed) and max(low for low, *_ in ranges) > min(high for _, high, *_ in ranges)


def _another(own: list[Any], claimed: list[Any]) -> bool:
    """Something is claimed that the record does not say; or, where it says nothing, the claims differ."""
    return bool(set(claimed) - set(own)) if own else len(set(claimed)) > 1


def _never(_own: list[Any], _claimed: list[Any]) -> bool:
    return False


_RULES: Final[dict[FieldType, Callable[[list[Any], list[Any]], bool]]] = {
    "date": _apart,
    "number": _apart,
    "name": _another,
    "choice": _another,
    "city": _another,
    "text": _never,
}


def _grouped(claims: Sequence[Claim], meanings: Sequence[Hashable]) -> tuple[ClaimedValue, ...]:
    groups: dict[Hashable, list[Claim]] = {}
    for claim, meaning in zip(claims, meanings, strict=True):
        unread = (claim.value, claim.city)
        groups.setdefault(unread if meaning is None else ("read", meaning), []).append(claim)
    return tuple(
        ClaimedValue(group[0].value, group[0].city, tuple(dict.fromkeys(claim.source for claim in group)))
        for group in groups.values()
    )
