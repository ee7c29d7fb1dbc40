"""Dates as far as they are known, in EDTF: `1973`, `1973-11`, `1973-11-09`, `1973~`, `197X`, `19XX`.

A fuzzy date stands for one unknown day between two bounds, both included. The bounds are strict: `~` (about),
`?` (uncertain) and `%` (both) are kept and shown but do not widen them, so that filters stay predictable.
Years run from 0001 to 9999 in the proleptic Gregorian calendar, as in EDTF and in `datetime`.
"""

from __future__ import annotations

import re
from calendar import isleap
from dataclasses import dataclass
from datetime import date

from app.errors import InvalidDate

# [0-9], not \d: \d would let in the digits of every script.
_FORM = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?([~?%])?|([0-9]{2}[0-9Xx][Xx])")
# Not str.strip() alone: that would also take control characters such as U+001C, which are refused.
_BLANKS = " \t\r\n\u00a0\u3000"
# Own tables, since those of `calendar` speak the language of the process's locale.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WORDING = {"": "{}", "~": "about {}", "?": "{} (uncertain)", "%": "about {} (uncertain)"}
# "The 1900s" alone may be read as ten years or a hundred, so these two say which.
_SPANS = {"X": " (century)", "0": " (decade)"}
_ACCEPTED = (
    "This is not a date in a form that is kept here. Write a year (1973), a month (1973-11) or a day "
    "(1973-11-09), followed by ~ (about), ? (uncertain) or % (both) where needed; or a decade (197X) "
    "or a century (19XX)."
)
_ENDLESS = "A range needs at least one end: write 1973..1979, 1973.. (from then on) or ..1979 (up to then)."
_REVERSED = "This range ends before it starts: write the earlier date first, as in 1973..1979."


@dataclass(frozen=True, slots=True)
class FuzzyDate:
    """`text` is EDTF in normal form; `earliest` and `latest` are its strict bounds, both included."""

    text: str
    earliest: date
    latest: date


def parse(text: str, *, field: str | None = None) -> FuzzyDate:
    """The date that `text` says, blanks around it dropped and `x` written as `X`.

    Raises InvalidDate carrying `field`: the reason if there is no such day, else the forms that are accepted.
    """
    form = _match(text.strip(_BLANKS), field)
    try:
        earliest, latest = _bounds(*form.groups(""))
    except ValueError:
        raise InvalidDate(_fault(*form.groups("")), field=field) from None
    return FuzzyDate(form[0].upper(), earliest, latest)


def from_date(day: date) -> FuzzyDate:
    """A day that is fully known; of a `datetime` only its day is kept."""
    day = date(day.year, day.month, day.day)
    return FuzzyDate(day.isoformat(), day, day)


def describe(fuzzy: FuzzyDate) -> str:
    """For people, in English: `9 November 1973`, `about 1973`, `1973 (uncertain)`, `the 1970s`."""
    year, month, day, mark, span = _match(fuzzy.text, None).groups("")
    if span:
        return f"the {span.replace('X', '0')}s{_SPANS.get(span[2], '')}"
    parts = (day.lstrip("0"), _MONTHS[int(month) - 1] if month else "", year)
    return _WORDING[mark].format(" ".join(part for part in parts if part))


def parse_range(text: str, *, field: str | None = None) -> tuple[date | None, date | None]:
    """The first and last day of `A..B`, `A..`, `..B` or a single date `A`; None for an open end.

    A and B are fuzzy dates: a range runs from the earliest day of A to the latest of B. Raises InvalidDate.
    """
    if ".." not in text:
        fuzzy = parse(text, field=field)
        return fuzzy.earliest, fuzzy.latest
    start, _, end = (part.strip(_BLANKS) for part in text.partition(".."))
    if not (start or end):
        raise InvalidDate(_ENDLESS, field=field)
    first = parse(start, field=field).earliest if start else None
    last = parse(end, field=field).latest if end else None
    if first and last and first > last:
        raise InvalidDate(_REVERSED, field=field)
    return first, last


def certainly_before(a: FuzzyDate, b: FuzzyDate) -> bool:
    """Every day that `a` may be comes before every day that `b` may be."""
    return a.latest < b.earliest


def possibly_before(a: FuzzyDate, b: FuzzyDate) -> bool:
    """Some day that `a` may be comes before some day that `b` may be."""
    return a.earliest < b.latest


def certainly_on_or_before(a: FuzzyDate, day: date) -> bool:
    """Every day that `a` may be is `day` or comes before it."""
    return a.latest <= day


def may_coincide(a: FuzzyDate, b: FuzzyDate) -> bool:
    """The bounds meet: both may mean the same day."""
    return a.earliest <= b.latest and b.earliest <= a.latest


def excludes_order(earlier: FuzzyDate, later: FuzzyDate) -> bool:
    """The bounds exclude that `earlier` came no later than `later`."""
    return earlier.earliest > later.latest


def _match(text: str, field: str | None) -> re.Match[str]:
    form = _FORM.fullmatch(text)
    if form is None:
        raise InvalidDate(_ACCEPTED, field=field)
    return form


def _bounds(year: str, month: str, day: str, _mark: str, span: str) -> tuple[date, date]:
    """First and last day; ValueError, from `date` itself, if the calendar has no such day."""
    if day:
        exact = date(int(year), int(month), int(day))
        return exact, exact
    if month:
        first = date(int(year), int(month), 1)
        return first, first.replace(day=_days_in(first.year, first.month))
    widest = (year or span).upper()
    return date(int(widest.replace("X", "0")), 1, 1), date(int(widest.replace("X", "9")), 12, 31)


def _days_in(year: int, month: int) -> int:
    return 29 if month == 2 and isleap(year) else _DAYS[month - 1]  # noqa: PLR2004 (February)


def _fault(year: str, month: str, day: str, _mark: str, span: str) -> str:
    """Why `_bounds` found no such day, as a sentence. Every part is known to be ASCII digits."""
    if span or year == "0000":
        return "There is no year 0000: years run from 0001 to 9999, decades from 001X, centuries from 01XX."
    if not "01" <= month <= "12":
        return f"There is no month {month}: months run from 01 to 12."
    days = _days_in(int(year), int(month))
    return f"{_MONTHS[int(month) - 1]} {year} has {days} days, so it has no day {day}."
