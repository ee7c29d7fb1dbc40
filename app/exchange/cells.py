"""What a single cell says: text in, a value in the registry's form out, or InvalidValue with the column's name.

Blank cells never come here, but for the two of a pair of coordinates.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from app.domain import geography, identifiers, spoken_dates, texts
from app.domain.spoken_dates import Spoken
from app.errors import InvalidValue
from app.exchange import value_names
from app.exchange.records import Fault

T = TypeVar("T")

NAME = 300
TITLE = 500
NOTE = 10_000
ADDRESS = 2000

_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:([.,'’ \u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*")
_PEOPLE = re.compile(r"[0-9]{1,12}(?:[.,]0+)?")
_OWN_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_WEB = re.compile(r"https?://[^\s<>\"']+")
_LIST = re.compile(r"\s*[;|\n]\s*")
_FIRST_DAYS = re.compile(r"\+?([0-9]{4})(-[0-9]{2})?-01T00:00:00Z")
_DAY_STAMP = re.compile(r"\+?([0-9]{4})-([0-9]{2})-([0-9]{2})T")
#: Wikidata's precision of a time → how much of YYYY-MM-DD counts.
_PRECISIONS = {"11": 10, "10": 7, "9": 4}
_ENTITY_ALONE = re.compile(r"Q[1-9][0-9]*")
_UNKNOWN_VALUE = re.compile(r"_:\S*|https?://\S*/\.well-known/genid/\S*|t[0-9]+")
_LARGEST_NUMBER = 2**63 - 1
_NOWHERE = "Coordinates 0, 0 lie in the sea and stand for none: they were left out."


def name(text: str, column: str) -> str:
    """A name of at most 300 characters, as it is stored."""
    if is_clean(text):
        return text
    return texts.clean(text.replace("\n", " "), field=column, limit=NAME, required=False)


def is_clean(text: str) -> bool:
    """Whether a name is as it is stored. What is printable holds none of the characters that are refused."""
    return len(text) <= NAME and text.isprintable() and "  " not in text and unicodedata.is_normalized("NFC", text)


def line(text: str, column: str, *, limit: int = NAME) -> str | None:
    """A line of text; None where it shows nothing."""
    return texts.clean_optional(re.sub(r"\s*[\r\n]+\s*", " ", text), field=column, limit=limit)


def note(text: str, column: str) -> str | None:
    """Text with line breaks."""
    return texts.clean_optional(text, field=column, limit=NOTE, multiline=True)


def address(text: str, column: str) -> str:
    """An http or https address."""
    if not _WEB.fullmatch(text):
        raise InvalidValue("This must be an address that starts with https:// or http://.", field=column)
    return texts.clean(text, field=column, limit=ADDRESS)


def is_address(text: str) -> bool:
    """Whether a text is an address of the web."""
    return _WEB.fullmatch(text) is not None


def date(text: str, column: str, *, precision: str = "") -> Spoken:
    """A date as people or queries write it. `precision`: Wikidata's number for it, where a column has that."""
    precise = _by_precision(text, precision)
    if precise is not None:
        return spoken_dates.read(precise, field=column)
    if _UNKNOWN_VALUE.fullmatch(text):
        return Spoken(None, "The query's answer is an unknown value: no date was taken.")
    if found := _FIRST_DAYS.fullmatch(text):
        # A query gives a month or a year as its first moment. The month or the year is true in any case.
        wider = found[1] if found[2] in (None, "-01") else f"{found[1]}{found[2]}"
        remark = f"Read as {wider}: a time stamp on the first day may stand for all of it."
        return Spoken(spoken_dates.parse(wider, field=column), remark)
    return spoken_dates.read(text, field=column)


def _by_precision(text: str, precision: str) -> str | None:
    found = _DAY_STAMP.match(text)
    if found is None or not precision:
        return None
    year = found[1]
    if precision in _PRECISIONS:
        return "-".join(found.groups())[: _PRECISIONS[precision]]
    return {"8": f"{year[:3]}X", "7": f"{year[:2]}XX"}.get(precision)


def people(text: str, column: str) -> int:
    """A number of people: `1234567`, `1,234,567`, `1.234.567`, `1 234 567`."""
    if _GROUPED.fullmatch(text):
        return int(re.sub("[^0-9]", "", text))
    if _PEOPLE.fullmatch(text):
        return int(re.split("[.,]", text)[0])
    raise InvalidValue("This must be a whole number of people, such as 1234567 or 1,234,567.", field=column)


def own_number(text: str, column: str) -> int:
    """A record's number in this registry."""
    if not _OWN_NUMBER.fullmatch(text) or int(text) > _LARGEST_NUMBER:
        raise InvalidValue("This must be a record's number in this registry, such as 35.", field=column)
    return int(text)


def year(text: str, column: str) -> int:
    """A year, from any date."""
    found = spoken_dates.parse(text, field=column)
    if found is None or found.earliest.year != found.latest.year:
        raise InvalidValue("This must be a year, such as 2021.", field=column)
    return found.earliest.year


def identifier(scheme: str, text: str, column: str) -> str:
    """`scheme:value` of a value, an address of its page, or the whole; empty for an unknown value of a query."""
    if _UNKNOWN_VALUE.fullmatch(text):
        return ""
    if text.lower().startswith(f"{scheme}:"):
        text = text.partition(":")[2]
    return f"{scheme}:{identifiers.normalise(scheme, text.removesuffix('.0'), field=column)}"


def identifier_list(text: str, column: str) -> list[str]:
    """`wikidata:Q90; geonames:2988507` → each in normal form."""
    return [":".join(identifiers.parse(each, field=column)) for each in _LIST.split(text) if each]


def named_by_identifier(text: str, column: str) -> str | None:
    """The identifier that stands where a name is expected (an address of Wikidata, `wikidata:Q90`), if one does."""
    if ":" not in text or not identifiers.looks_like_identifier(text):
        return None
    return ":".join(identifiers.parse(text, field=column))


def unlabelled(text: str) -> bool:
    """Whether a label is only the number of the thing: the query service gives that where there is no label."""
    return _ENTITY_ALONE.fullmatch(text) is not None


def choice(text: str, table: str, column: str) -> str:
    """The registry's word for a spelling; `table`: the name of one in `value_names`."""
    found = value_names.find(text, table)
    if found is None:
        known = value_names.own_words(table)
        raise InvalidValue(f"This is not known here: write one of {known}.", field=column)
    return found


def partnership_kind(text: str, column: str) -> tuple[str, str | None]:
    """The kind, and the wording where it says more than the kind."""
    plain, worded = (value_names.find(text, table) for table in ("PARTNERSHIP_KINDS", "WORDED_KINDS"))
    if worded and not plain:
        return worded, text
    return choice(text, "PARTNERSHIP_KINDS", column), None


class Where(NamedTuple):
    """A latitude and a longitude, or neither; and what was mended to know them."""

    at: tuple[float, float] | tuple[None, None]
    remark: str | None = None


def numbers(latitude: str, longitude: str) -> tuple[float, float] | None:
    """The usual case: two plain numbers that can be a latitude and a longitude. None: anything else."""
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        return None
    # False for NaN as well.
    possible = -90 <= north <= 90 and -180 <= east <= 180 and (north or east)  # noqa: PLR2004
    return (north, east) if possible else None


def position(latitude: str, longitude: str, point: str = "", *, columns: tuple[str, str, str]) -> Where:
    """Where something lies, by two cells, or by one that holds both (`columns`: their names)."""
    if plain := numbers(latitude, longitude):
        return Where(plain)
    if _UNKNOWN_VALUE.fullmatch(point):
        point = ""
    found = geography.read_position(latitude, longitude, fields=columns[:2]) or geography.read_point(
        point, field=columns[2]
    )
    if found is None:
        return Where((None, None))
    if found.latitude == found.longitude == 0:
        return Where((None, None), _NOWHERE)
    return Where((found.latitude, found.longitude), found.remark)


@dataclass(slots=True)
class Reading:
    """Collects what is wrong with cells, and what was mended, while the others are read on."""

    faults: list[Fault] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def take(self, read: Callable[[str, str], T | None], text: str, column: str) -> T | None:
        """What the cell says; None where it is blank or faulty."""
        if not text:
            return None
        try:
            return read(text, column)
        except InvalidValue as error:
            self.faults.append(Fault(error.field or column, error.message))
            return None

    def date(self, text: str, column: str, *, precision: str = "") -> str | None:
        """The EDTF of a date; its remark is kept."""
        spoken = self.take(lambda said, name: date(said, name, precision=precision), text, column)
        if spoken is None:
            return None
        if spoken.remark:
            self.remarks.append(f"{column}: {spoken.remark}")
        return spoken.date.text if spoken.date else None
