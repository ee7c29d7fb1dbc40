"""Fuzzy dates: forms, strict bounds (checked against the `edtf` library), wording, comparisons, ranges."""

from __future__ import annotations

import datetime
import warnings
from datetime import date
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import fuzzy_dates
from app.domain.fuzzy_dates import FuzzyDate, parse
from app.errors import InvalidDate, InvalidValue

MARKS = ("", "~", "?", "%")


def _texts() -> st.SearchStrategy[str]:
    """Every supported form, over every year in which it exists."""
    days = st.dates().map(date.isoformat)
    exact = st.builds(
        lambda day, size, mark: day[:size] + mark, days, st.sampled_from((4, 7, 10)), st.sampled_from(MARKS)
    )
    decades = st.integers(1, 999).map("{:03}X".format)
    centuries = st.integers(1, 99).map("{:02}XX".format)
    return st.one_of(exact, decades, centuries)


@pytest.fixture(scope="module")
def edtf() -> ModuleType:
    # Started with -W or PYTHONWARNINGS, pyparsing criticises edtf's own grammar while that is being imported.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"warn_\w+: ")
        import edtf
    return edtf


@settings(deadline=None, max_examples=150)
@given(text=_texts())
def test_bounds_are_the_strict_bounds_of_the_edtf_library(edtf: ModuleType, text: str) -> None:
    theirs, ours = edtf.parse_edtf(text), parse(text)
    assert ours.earliest.timetuple()[:3] == theirs.lower_strict()[:3]
    assert ours.latest.timetuple()[:3] == theirs.upper_strict()[:3]


@given(text=_texts())
def test_the_text_of_a_parsed_date_parses_to_the_same_date(text: str) -> None:
    fuzzy = parse(text)
    assert fuzzy.text == text
    assert parse(f" {text.lower()}\n") == fuzzy
    assert fuzzy.earliest <= fuzzy.latest


@given(text=st.text(alphabet="0123456789-~?%xX. \x00١", max_size=12) | st.text(max_size=12))
def test_any_text_is_either_a_date_or_refused_as_one(text: str) -> None:
    try:
        fuzzy = parse(text)
    except InvalidDate:
        return
    assert fuzzy.text.isascii()
    assert fuzzy_dates.describe(fuzzy)


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("1973", date(1973, 1, 1), date(1973, 12, 31)),
        ("1973-11", date(1973, 11, 1), date(1973, 11, 30)),
        ("1973-11-09", date(1973, 11, 9), date(1973, 11, 9)),
        ("1973~", date(1973, 1, 1), date(1973, 12, 31)),
        ("1973-11?", date(1973, 11, 1), date(1973, 11, 30)),
        ("1973-11-09%", date(1973, 11, 9), date(1973, 11, 9)),
        ("197X", date(1970, 1, 1), date(1979, 12, 31)),
        ("19XX", date(1900, 1, 1), date(1999, 12, 31)),
        ("1900-02", date(1900, 2, 1), date(1900, 2, 28)),
        ("2000-02", date(2000, 2, 1), date(2000, 2, 29)),
        ("2024-02-29", date(2024, 2, 29), date(2024, 2, 29)),
        ("0001", date(1, 1, 1), date(1, 12, 31)),
        ("9999-12-31", date(9999, 12, 31), date(9999, 12, 31)),
        ("001X", date(10, 1, 1), date(19, 12, 31)),
        ("99XX", date(9900, 1, 1), date(9999, 12, 31)),
    ],
)
def test_a_date_has_the_strict_bounds_of_what_is_known(text: str, earliest: date, latest: date) -> None:
    assert parse(text) == FuzzyDate(text, earliest, latest)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        (" 1973 ", "1973"),
        ("\t1973-11\r\n", "1973-11"),
        ("\u00a01973~\u3000", "1973~"),
        ("197x", "197X"),
        ("19Xx", "19XX"),
    ],
)
def test_blanks_around_a_date_are_dropped_and_x_becomes_a_capital(text: str, normal: str) -> None:
    assert parse(text).text == normal


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1973-02-30", "February 1973 has 28 days"),
        ("1972-02-30~", "February 1972 has 29 days"),
        ("1900-02-29", "February 1900 has 28 days"),
        ("1973-11-31", "November 1973 has 30 days"),
        ("1973-12-00", "December 1973 has 31 days"),
        ("1973-13", "no month 13"),
        ("1973-00-10", "no month 00"),
        ("1973-21", "no month 21"),
        ("0000", "no year 0000"),
        ("0000-02-30", "no year 0000"),
        ("000X", "no year 0000"),
        ("00XX", "no year 0000"),
    ],
)
def test_a_date_that_does_not_exist_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidDate, match=reason) as refused:
        parse(text, field="events/0/date")
    assert refused.value.field == "events/0/date"
    assert isinstance(refused.value, InvalidValue)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "73",
        "973",
        "19730",
        "1973-1",
        "1973-11-9",
        "1973/11/09",
        "09.11.1973",
        "9 November 1973",
        "c. 1973",
        "~1973",
        "1973~?",
        "1973 ~",
        "-1973",
        "+1973",
        "1973-",
        "197X~",
        "1XXX",
        "X973",
        "1973-XX",
        "197X-11",
        "1973/1974",
        "1973..1974",
        "1973-11-09T00:00",
        "١٩٧٣",
        "１９７３",
        "197Ⅹ",
        "19\u00d7\u00d7",
        "1973\x00",
        "\x001973",
        "1973\x1c",
        "19\n73",
        "1973\x85",
        "1973\u200f",
        "unknown",
        "<script>",
        "1" * 10_000,
    ],
)
def test_what_is_no_date_is_refused_naming_the_forms_and_never_echoed(text: str) -> None:
    with pytest.raises(InvalidDate) as refused:
        parse(text, field="date")
    message = refused.value.message
    assert all(example in message for example in ("1973", "1973-11", "1973-11-09", "~", "?", "%", "197X", "19XX"))
    assert len(message) < 300
    assert refused.value.field == "date"


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ("1973", "1973"),
        ("1973-11", "November 1973"),
        ("1973-11-09", "9 November 1973"),
        ("1973-11-30", "30 November 1973"),
        ("1973~", "about 1973"),
        ("1973?", "1973 (uncertain)"),
        ("1973%", "about 1973 (uncertain)"),
        ("1973-01~", "about January 1973"),
        ("1973-12-10?", "10 December 1973 (uncertain)"),
        ("197X", "the 1970s"),
        ("190X", "the 1900s (decade)"),
        ("19XX", "the 1900s (century)"),
        ("0800", "0800"),
    ],
)
def test_a_date_reads_well_and_decade_and_century_are_told_apart(text: str, wording: str) -> None:
    assert fuzzy_dates.describe(parse(text)) == wording


@given(day=st.dates())
def test_a_known_day_makes_the_same_date_as_its_text(day: date) -> None:
    fuzzy = fuzzy_dates.from_date(day)
    assert fuzzy == parse(day.isoformat())
    assert fuzzy.earliest == fuzzy.latest == day


def test_of_a_moment_only_the_day_is_kept() -> None:
    moment = datetime.datetime(1973, 11, 9, 23, 59, tzinfo=datetime.UTC)
    fuzzy = fuzzy_dates.from_date(moment)
    assert fuzzy == parse("1973-11-09")
    assert type(fuzzy.earliest) is date


@pytest.mark.parametrize(
    ("a", "b", "answers"),
    [
        ("1973", "1974", (True, True, False, False)),
        ("1974", "1973", (False, False, False, True)),
        ("1973", "1973-11", (False, True, True, False)),
        ("1973-11", "1973", (False, True, True, False)),
        ("1973-11-09", "1973-11-09", (False, False, True, False)),
        ("1973-11-09", "1973-11-10", (True, True, False, False)),
        ("1973-11-10", "1973-11-09", (False, False, False, True)),
        ("1973~", "1974?", (True, True, False, False)),
        ("197X", "1979-12-31", (False, True, True, False)),
        ("1980", "197X", (False, False, False, True)),
        ("1979-12-31", "1980-01-01", (True, True, False, False)),
    ],
)
def test_comparisons_look_at_bounds(a: str, b: str, answers: tuple[bool, ...]) -> None:
    questions = (
        fuzzy_dates.certainly_before,
        fuzzy_dates.possibly_before,
        fuzzy_dates.may_coincide,
        fuzzy_dates.excludes_order,
    )
    assert tuple(question(parse(a), parse(b)) for question in questions) == answers


@given(a=_texts().map(parse), b=_texts().map(parse))
def test_of_two_dates_one_is_certainly_first_or_both_may_coincide(a: FuzzyDate, b: FuzzyDate) -> None:
    first, last = fuzzy_dates.certainly_before(a, b), fuzzy_dates.certainly_before(b, a)
    meet = fuzzy_dates.may_coincide(a, b)
    assert [first, last, meet].count(True) == 1
    assert meet == fuzzy_dates.may_coincide(b, a)
    assert fuzzy_dates.excludes_order(a, b) == last
    assert fuzzy_dates.possibly_before(a, b) or not first


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ("1973", date(1973, 12, 31), True),
        ("1973", date(1973, 12, 30), False),
        ("1973-11-09", date(1973, 11, 9), True),
        ("197X", date(1979, 6, 1), False),
    ],
)
def test_a_date_is_certainly_reached_when_its_last_day_is(text: str, day: date, expected: bool) -> None:
    assert fuzzy_dates.certainly_on_or_before(parse(text), day) is expected


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("1973..1979", date(1973, 1, 1), date(1979, 12, 31)),
        ("1973-11..1974-02", date(1973, 11, 1), date(1974, 2, 28)),
        ("..1979", None, date(1979, 12, 31)),
        ("1973-11-09..", date(1973, 11, 9), None),
        ("1973-11", date(1973, 11, 1), date(1973, 11, 30)),
        ("197x..198x", date(1970, 1, 1), date(1989, 12, 31)),
        ("19XX", date(1900, 1, 1), date(1999, 12, 31)),
        ("1973..1973", date(1973, 1, 1), date(1973, 12, 31)),
        ("1973-11-09..1973-11-09", date(1973, 11, 9), date(1973, 11, 9)),
        ("197X..1972", date(1970, 1, 1), date(1972, 12, 31)),
        (" 1973~ .. 1979? ", date(1973, 1, 1), date(1979, 12, 31)),
    ],
)
def test_a_range_runs_from_the_first_days_bound_to_the_last(text: str, first: date | None, last: date | None) -> None:
    assert fuzzy_dates.parse_range(text) == (first, last)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("..", "at least one end"),
        ("  ..  ", "at least one end"),
        ("1979..1973", "ends before it starts"),
        ("1973-11-09..1973-11-08", "ends before it starts"),
        ("1973...1979", "not a date"),
        ("1973..1974..1975", "not a date"),
        ("1973..soon", "not a date"),
        ("1973.1979", "not a date"),
        ("", "not a date"),
        ("1973-02-30..", "February 1973 has 28 days"),
        ("..1973-13", "no month 13"),
    ],
)
def test_a_range_that_cannot_be_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidDate, match=reason) as refused:
        fuzzy_dates.parse_range(text, field="established")
    assert refused.value.field == "established"
