"""Conflicts: which fields can be cited, how values are read by type, and what cannot all be true."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import conflicts, fuzzy_dates
from app.domain.conflicts import FIELD_TYPES, Claim, ClaimedValue, Conflict, FieldType, find_conflict
from app.errors import InvalidDate, InvalidValue

ISLE_OF_MAN, BRIDE, GILBERT = 7, 8, 3


def _claims(*values: str | None) -> list[Claim]:
    """One claim a value, by the sources 1, 2, 3 …"""
    return [Claim(value, source) for source, value in enumerate(values, start=1)]


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


# -- golden cases -----------------------------------------------------------------------------------------


def test_chicago_and_sao_paulo_have_two_years_from_two_sources() -> None:
    conflict = find_conflict("established", kind="date", recorded=["2004"], claims=_claims("2004", "2000"))
    assert conflict == Conflict(
        "established", ("2004",), (ClaimedValue("2004", None, (1,)), ClaimedValue("2000", None, (2,)))
    )


def test_the_people_of_gilbert_in_two_years_are_no_conflict() -> None:
    for field, people in (("populations/2010", "28"), ("populations/2020", "26")):
        kind = conflicts.field_type("cities", field)
        assert kind == "number"
        assert find_conflict(field, kind=kind, recorded=[people], claims=_claims(people)) is None


def test_two_counts_of_one_year_are_a_conflict() -> None:
    assert find_conflict("populations/2010", kind="number", recorded=["28"], claims=_claims("26"))


def test_gilbert_is_paired_with_the_isle_of_man_by_one_source_and_with_bride_by_another() -> None:
    claims = [Claim("Isle of Man", 11, city=ISLE_OF_MAN), Claim("Bride", 12, city=BRIDE)]
    conflict = find_conflict(
        "members",
        kind="city",
        recorded=["Gilbert", "Isle of Man"],
        recorded_cities=[GILBERT, ISLE_OF_MAN],
        claims=claims,
    )
    assert conflict is not None
    assert conflict.recorded == ("Gilbert", "Isle of Man")
    assert conflict.claims == (
        ClaimedValue("Isle of Man", ISLE_OF_MAN, (11,)),
        ClaimedValue("Bride", BRIDE, (12,)),
    )


def test_a_source_that_calls_the_suspended_moscow_partnership_ended_is_a_conflict() -> None:
    conflict = find_conflict("status", kind="choice", recorded=["suspended"], claims=_claims("ended"))
    assert conflict == Conflict("status", ("suspended",), (ClaimedValue("ended", None, (1,)),))


def test_a_year_and_a_day_in_it_are_no_conflict() -> None:
    assert find_conflict("established", kind="date", recorded=["1973"], claims=_claims("1973-11-09")) is None


# -- what cannot all be true, by type ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "recorded", "claimed", "expected"),
    [
        ("date", "1973", ("1973-11", "1973~"), False),
        ("date", "197X", ("1973", "1973-11-09"), False),
        ("date", "197X", ("1973", "1974"), True),  # each meets the record, not one another
        ("date", "1973~", ("1974",), True),  # "about" does not widen
        ("date", "1973-11-09", ("1973-11-10",), True),
        ("number", "35.99", ("35.988",), False),
        ("number", "35.99", ("35.995",), False),
        ("number", "35.99", ("36.0",), False),
        ("number", "35.99", ("36",), True),  # a whole number is exact
        ("number", "35.99", ("35.97",), True),
        ("number", "35.9", ("35.86", "35.94"), True),
        ("number", "2,695,598", ("2 695 598", "about 2695598 (2010 census)"), False),
        ("number", "2695598", ("2,695,599",), True),
        ("name", "SISTER CITY", ("Sister City", "sister city"), False),
        ("name", "Sister City", ("Twin Town",), True),
        ("choice", "ended", ("ended", "ended"), False),
        ("choice", "active", ("active", "ended"), True),
        ("choice", "active", ("unknown",), False),
        ("choice", "unknown", ("ended",), False),
        ("text", "Yearly", ("Every second year", "never"), False),
    ],
)
def test_values_conflict_where_they_cannot_all_be_true(
    kind: FieldType, recorded: str, claimed: tuple[str, ...], expected: bool
) -> None:
    found = find_conflict("a_field", kind=kind, recorded=[recorded], claims=_claims(*claimed))
    assert (found is not None) is expected


@pytest.mark.parametrize(
    ("kind", "agreeing", "disagreeing"),
    [
        ("date", ("1973", "1973-11"), ("1973", "1974")),
        ("number", ("28", "28.0"), ("28", "26")),
        ("name", ("Bride", "BRIDE"), ("Bride", "Andreas")),
        ("choice", ("active", "active"), ("active", "ended")),
    ],
)
def test_where_the_record_knows_nothing_only_claims_that_disagree_are_a_conflict(
    kind: FieldType, agreeing: tuple[str, str], disagreeing: tuple[str, str]
) -> None:
    for claimed in (agreeing, agreeing[:1], ()):
        assert find_conflict("a_field", kind=kind, recorded=[], claims=_claims(*claimed)) is None
    conflict = find_conflict("a_field", kind=kind, recorded=[], claims=_claims(*disagreeing))
    assert conflict is not None
    assert conflict.recorded == ()
    assert [(claim.value, claim.sources) for claim in conflict.claims] == list(
        zip(disagreeing, ((1,), (2,)), strict=True)
    )


@pytest.mark.parametrize(
    ("recorded_cities", "claimed", "expected"),
    [
        ((ISLE_OF_MAN,), (ISLE_OF_MAN,), False),
        ((ISLE_OF_MAN,), (BRIDE,), True),
        ((GILBERT, ISLE_OF_MAN), (GILBERT, ISLE_OF_MAN), False),
        ((GILBERT, ISLE_OF_MAN), (GILBERT, BRIDE), True),
        ((), (BRIDE,), False),
        ((), (BRIDE, BRIDE), False),
        ((), (BRIDE, ISLE_OF_MAN), True),
        ((ISLE_OF_MAN,), (None,), False),  # a name that fits no known city cannot be compared
    ],
)
def test_a_claimed_city_conflicts_if_it_is_another_record(
    recorded_cities: tuple[int, ...], claimed: tuple[int | None, ...], expected: bool
) -> None:
    names = [f"City {number}" for number in recorded_cities]
    claims = [Claim("Same words", source, city) for source, city in enumerate(claimed)]
    found = find_conflict("part_of", kind="city", recorded=names, recorded_cities=recorded_cities, claims=claims)
    assert (found is not None) is expected


def test_names_are_compared_by_the_fold_that_is_passed_in() -> None:
    claims = _claims("SAO  PAULO")
    assert find_conflict("name", kind="name", recorded=["São Paulo"], claims=claims)
    assert find_conflict("name", kind="name", recorded=["São Paulo"], claims=claims, fold=_plain) is None


# -- what a conflict shows --------------------------------------------------------------------------------


def test_claims_are_grouped_by_meaning_in_the_words_of_the_first_and_name_each_source_once() -> None:
    said = [("about 28", 5), ("26", 4), ("28", 3), ("28 (census)", 5), ("26", 9)]
    claims = [Claim(value, source) for value, source in said]
    conflict = find_conflict("populations/2010", kind="number", recorded=["28"], claims=claims)
    assert conflict is not None
    assert conflict.claims == (ClaimedValue("about 28", None, (5, 3)), ClaimedValue("26", None, (4, 9)))


def test_a_year_and_about_that_year_are_shown_as_two_values() -> None:
    conflict = find_conflict("since", kind="date", recorded=["1973"], claims=_claims("1973", "1973~", " 1973 ", "1980"))
    assert conflict is not None
    assert [(claim.value, claim.sources) for claim in conflict.claims] == [
        ("1973", (1, 3)),
        ("1973~", (2,)),
        ("1980", (4,)),
    ]


def test_a_source_that_supports_the_record_without_restating_it_stands_with_its_value() -> None:
    conflict = find_conflict("established", kind="date", recorded=["2004"], claims=_claims(None, "2000", "2004"))
    assert conflict is not None
    assert conflict.claims == (ClaimedValue("2004", None, (1, 3)), ClaimedValue("2000", None, (2,)))


def test_a_source_that_supports_one_recorded_city_stands_with_that_city() -> None:
    claims = [Claim(None, 1), Claim("Bride", 2, city=BRIDE)]
    conflict = find_conflict(
        "part_of", kind="city", recorded=["Isle of Man"], recorded_cities=[ISLE_OF_MAN], claims=claims
    )
    assert conflict is not None
    assert conflict.claims[0] == ClaimedValue("Isle of Man", ISLE_OF_MAN, (1,))


def test_a_source_that_supports_several_recorded_cities_is_shown_without_a_value() -> None:
    claims = [Claim(None, 1), Claim("Bride", 2, city=BRIDE)]
    conflict = find_conflict(
        "members",
        kind="city",
        recorded=["Gilbert", "Isle of Man"],
        recorded_cities=[GILBERT, ISLE_OF_MAN],
        claims=claims,
    )
    assert conflict is not None
    assert conflict.claims == (ClaimedValue(None, None, (1,)), ClaimedValue("Bride", BRIDE, (2,)))


@pytest.mark.parametrize("recorded", [[], ["1973"]])
def test_sources_that_only_support_the_record_make_no_conflict(recorded: list[str]) -> None:
    assert find_conflict("since", kind="date", recorded=recorded, claims=_claims(None, None)) is None


def test_a_value_that_cannot_be_read_is_not_compared_but_shown_beside_a_conflict() -> None:
    assert find_conflict("since", kind="date", recorded=["1973"], claims=_claims("[redacted]")) is None
    assert find_conflict("since", kind="date", recorded=["[redacted]"], claims=_claims("1973")) is None
    conflict = find_conflict("since", kind="date", recorded=["1973"], claims=_claims("[redacted]", "1974"))
    assert conflict is not None
    assert [claim.value for claim in conflict.claims] == ["[redacted]", "1974"]


_DATES = st.dates().flatmap(lambda day: st.sampled_from([day.isoformat()[:size] for size in (4, 7, 10)]))


@given(recorded=st.lists(_DATES, max_size=1), claimed=st.lists(_DATES, max_size=4))
def test_dates_conflict_exactly_where_some_two_of_them_cannot_coincide(recorded: list[str], claimed: list[str]) -> None:
    dates = [fuzzy_dates.parse(text) for text in (*recorded, *claimed)]
    expected = any(not fuzzy_dates.may_coincide(one, other) for one in dates for other in dates)
    found = find_conflict("since", kind="date", recorded=recorded, claims=_claims(*claimed))
    assert (found is not None) is expected


@given(claimed=st.lists(st.sampled_from(["1973", "1974", "197X", None, "?"]), max_size=6))
def test_the_order_of_the_claims_does_not_decide_and_no_source_is_lost(claimed: list[str | None]) -> None:
    claims = _claims(*claimed)
    found = find_conflict("since", kind="date", recorded=["1973"], claims=claims)
    backwards = find_conflict("since", kind="date", recorded=["1973"], claims=claims[::-1])
    assert (found is None) is (backwards is None)
    if found is not None and backwards is not None:
        sources = sorted(source for value in found.claims for source in value.sources)
        assert sources == [claim.source for claim in claims]
        assert len(found.claims) == len(backwards.claims)


# -- reading values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("28", "28", "28"),
        ("35.99", "35.985", "35.995"),
        ("-92.7", "-92.75", "-92.65"),
        ("\u221292.7", "-92.75", "-92.65"),
        ("+0.0", "-0.05", "0.05"),
        ("2,695,598", "2695598", "2695598"),
        ("2 695 598.5", "2695598.45", "2695598.55"),
        ("2\u202f695\u202f598", "2695598", "2695598"),
        ("~28", "28", "28"),
        ("~ 28", "28", "28"),
        ("About 28 (census of 2010)", "28", "28"),
        (" 28(estimate) ", "28", "28"),
        ("999999999999999.999999999999", "999999999999999.9999999999985", "999999999999999.9999999999995"),
    ],
)
def test_a_number_stands_for_half_its_last_decimal_either_way(text: str, low: str, high: str) -> None:
    assert conflicts.number_bounds(text) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "many",
        "2,69",
        "2,6955",
        "2,695 598",
        "1.2.3",
        ".5",
        "5.",
        "1e5",
        "nan",
        "inf",
        "28 people",
        "over 28",
        "28 (a) (b)",
        "٢٨",
        "1" * 16,  # beyond what the decimal context keeps exactly
        "0." + "1" * 13,
        "1" * 100_000,
    ],
)
def test_what_is_no_number_is_refused_and_never_echoed(text: str) -> None:
    with pytest.raises(InvalidValue, match="not a number") as refused:
        conflicts.number_bounds(text, field="value")
    assert refused.value.field == "value"
    assert len(refused.value.message) < 300


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "1973-11~"),
        ("number", "about 35.99"),
        ("name", "Bride"),
        ("choice", "severed"),
        ("city", "wikidata:Q1297"),
        ("text", "1973-02-30"),
    ],
)
def test_a_claimed_value_that_can_be_read_by_its_type_is_accepted(kind: FieldType, value: str) -> None:
    conflicts.check_value(kind, value, field="citations/0/value")


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [("date", "1973-02-30", InvalidDate), ("date", "soon", InvalidDate), ("number", "soon", InvalidValue)],
)
def test_a_claimed_value_that_cannot_be_read_by_its_type_is_refused(
    kind: FieldType, value: str, error: type[InvalidValue]
) -> None:
    with pytest.raises(error) as refused:
        conflicts.check_value(kind, value, field="citations/0/value")
    assert refused.value.field == "citations/0/value"


# -- fields that can be cited -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noun", "field", "kind"),
    [
        ("cities", "name", "name"),
        ("cities", "part_of", "city"),
        ("cities", "latitude", "number"),
        ("cities", "populations/2010", "number"),
        ("partnerships", "established", "date"),
        ("partnerships", "status", "choice"),
        ("partnerships", "members", "city"),
        ("partnerships", "events", "text"),
        ("programs", "occasions", "text"),
        ("organisations", "city", "city"),
        ("reported_figures", "value", "number"),
    ],
)
def test_a_field_that_can_be_cited_has_a_type(noun: str, field: str, kind: str) -> None:
    assert conflicts.field_type(noun, field) == kind


def test_every_type_in_the_table_can_be_compared() -> None:
    for kind in {kind for fields in FIELD_TYPES.values() for kind in fields.values()}:
        assert find_conflict("a_field", kind=kind, recorded=["1973"], claims=_claims("1973")) is None


@pytest.mark.parametrize(
    ("noun", "field", "nearest"),
    [
        ("partnerships", "establised", "established"),
        ("partnerships", "member", "members"),
        ("cities", "population/2010", "populations"),
        ("cities", "populations/20100", "populations"),
        ("cities", "populations/0000", "populations"),
        ("cities", "populations/<year>", "populations/<year>"),
        ("cities", "populations/٢٠١٠", "populations"),
        ("cities", "populations/2010\n", "populations"),
        ("programs", "sins", "since"),
        ("reported_figures", "as of", "as_of"),
    ],
)
def test_an_unknown_field_is_refused_with_the_fields_there_are_the_nearest_first(
    noun: str, field: str, nearest: str
) -> None:
    with pytest.raises(InvalidValue) as refused:
        conflicts.field_type(noun, field)
    assert refused.value.field == "field"
    named = refused.value.message.split("nearest first: ")[1].rstrip(".").split(", ")
    assert named[0] == nearest
    assert set(named) == set(FIELD_TYPES[noun])


def test_a_field_of_any_length_is_refused_without_being_echoed() -> None:
    with pytest.raises(InvalidValue) as refused:
        conflicts.field_type("partnerships", "zq" * 500_000)
    assert "zq" not in refused.value.message


def test_a_noun_that_cannot_be_cited_is_refused_with_those_that_can() -> None:
    with pytest.raises(InvalidValue, match="cities, partnerships, programs") as refused:
        conflicts.field_type("countries", "name")
    assert refused.value.field == "field"
