"""From cells to what a row says: places, kinds, dates as events, sources; and faults that name the column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exchange import value_names
from app.exchange.column_names import NOUNS
from app.exchange.columns import own_names
from app.exchange.reading import Row, open_rows, partnership_row, record_row
from app.exchange.records import Fault, PartnershipRow, Place, SourceNamed
from app.models.cities import CITY_KINDS
from app.models.organisations import ORGANISATION_KINDS
from app.models.partnerships import EVENT_TYPES, PARTNERSHIP_KINDS, STATUSES
from app.models.programs import CATEGORIES

ODD = (
    "0",
    "-1",
    "1e999",
    "nan",
    "Q0",
    "wikidata:",
    "http://x",
    "[]",
    "{}",
    "[1]",
    "\ud800",
    "1973",
    "48,8",
    "a;b",
    "'=",
    "²",
)
PAIR = {"city1": "Paris", "country1": "France", "city2": "Rome", "country2": "Italy"}


def row_of(**cells: str) -> PartnershipRow:
    return partnership_row(Row(7, 8, PAIR | cells))


def faults(row: Any) -> dict[str, str]:
    return {fault.field: fault.reason for fault in row.faults}


def events(**cells: str) -> list[tuple[str, str | None]]:
    row = row_of(**cells)
    assert not row.faults
    return [(event.type, event.date) for event in row.events]


# ── Places ──


def test_a_pair_of_names_is_a_row() -> None:
    assert row_of() == PartnershipRow(7, (Place("Paris", "France"), Place("Rome", "Italy")))


def test_everything_that_columns_say_of_a_city_is_kept() -> None:
    place = row_of(
        subdivision1="Île-de-France", lat1="48,8566", lng1="2,3522", wikidata1="http://www.wikidata.org/entity/Q90",
        geonames1="2988507.0", identifiers1="unlocode:frpar; wikidata:q90", population1="2 102 650",
        citykind1="Stadt", registry_id1="35", **{"city1@ja": "パリ", "city1@zh-Hant": "巴黎"},
    ).places[0]  # fmt: skip
    assert place == Place(
        "Paris", "France", "Île-de-France", 48.8566, 2.3522,
        ("wikidata:Q90", "geonames:2988507", "unlocode:FRPAR"),
        city=35, kind="city", population=2102650, names=(("パリ", "ja"), ("巴黎", "zh-Hant")),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["Q90", "wikidata:Q90", "https://www.wikidata.org/wiki/Q90", "q90"])
def test_an_identifier_may_be_written_in_any_of_its_forms(text: str) -> None:
    assert row_of(wikidata1=text).places[0].identifiers == ("wikidata:Q90",)


@pytest.mark.parametrize("text", ["http://www.wikidata.org/entity/Q90", "wikidata:Q90"])
def test_an_identifier_where_a_name_is_expected_is_one(text: str) -> None:
    place = row_of(city1=text).places[0]
    assert (place.name, place.identifiers) == ("", ("wikidata:Q90",))


def test_names_with_a_colon_stay_names() -> None:
    assert row_of(city1="S:t Olof").places[0].name == "S:t Olof"


def test_names_are_cleaned_as_the_registry_stores_them() -> None:
    place = row_of(city1="Pa\u0301ris  sur\nSeine\u200b", country1="A\u00a0B").places[0]
    assert (place.name, place.country) == ("Páris sur Seine", "A B")


def test_swapped_coordinates_are_used_the_right_way_round_and_said() -> None:
    row = row_of(lat1="135.77", lng1="35.01", lat2="41.9", lng2="12.5")
    assert (row.places[0].latitude, row.places[0].longitude) == (35.01, 135.77)
    assert row.remarks == ("lat1: Latitude and longitude were swapped, and have been taken the other way round.",)
    assert row.faults == ()


def test_coordinates_zero_zero_stand_for_none_and_it_is_said() -> None:
    row = row_of(lat1="0", lng1="0.0")
    assert row.places[0].latitude is None
    assert "lie in the sea" in row.remarks[0]


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ({"lat1": "95", "lng1": "200"}, "lat1", "between -90 and 90"),
        ({"lat2": "1", "lng2": "200"}, "lng2", "between -180 and 180"),
        ({"lat1": "48.8", "lng1": ""}, "lng1", "but lat1 is not"),
        ({"lat1": "x", "lng1": "1"}, "lat1", "no angle"),
        ({"coordinates2": "somewhere"}, "coordinates2", "no pair"),
        ({"wikidata1": "90"}, "wikidata1", "Q1297"),
        ({"geonames2": "abc"}, "geonames2", "positive whole number"),
        ({"identifiers1": "foo:1"}, "identifiers1", "no such identifier scheme"),
        ({"city1": "wikidata:90"}, "city1", "Q1297"),
        ({"population1": "many"}, "population1", "whole number of people"),
        ({"population1": "12,5"}, "population1", "whole number of people"),
        ({"citykind1": "galaxy"}, "citykind1", "city, town, village"),
        ({"registry_id1": "-1"}, "registry_id1", "number in this registry"),
        ({"city1": "x" * 301}, "city1", "301 characters"),
        ({"city1": "a\x07b"}, "city1", "control character"),
        ({"city1": ""}, "city1", "names no city"),
        ({"city2": "", "country2": ""}, "city2", "names no city"),
        ({"kind": "marriage"}, "kind", "sister_city, twin_town"),
        ({"status": "so so"}, "status", "proposed, active"),
        ({"year": "1"}, "", ""),
        ({"established": "03/04/1999"}, "established", "3 April 1999 or 4 March 1999"),
        ({"ended": "1973/74"}, "ended", "two years"),
        ({"signed": "1973", "established": "1975"}, "established", "which is it?"),
        ({"source_url": "not an address"}, "source_url", "https://"),
        ({"title": "x" * 301}, "title", "301 characters"),
        ({"events": "burned 1973"}, "events", "proposed, decided"),
        ({"events": "[1"}, "events", "no JSON"),
        ({"events": '[{"date": "1973"}]'}, "events", "{type, date, note}"),
        ({"events": '[{"type": "left", "declared_by": 3}]'}, "events", "one member alone"),
        ({"events": '[{"type": "signed", "date": "03/04/1999"}]'}, "events", "1999-04-03"),
        ({"status": "active", "ended": "2001"}, "status", "contradicts the dates (ended 2001)"),
        ({"status": "proposed", "established": "1973"}, "status", "contradicts the dates"),
    ],
)
def test_what_cannot_be_read_is_a_fault_that_names_the_column(cells: dict[str, str], field: str, reason: str) -> None:
    row = row_of(**cells)
    if not field:
        assert row.faults == ()
        return
    assert list(faults(row)) == [field]
    assert reason in faults(row)[field]
    assert faults(row)[field].endswith((".", "?"))


def test_a_fault_in_one_cell_does_not_keep_the_others_from_being_read() -> None:
    row = row_of(lat1="x", lng1="1", kind="?", established="1973", note="kept")
    assert set(faults(row)) == {"lat1", "kind"}
    assert (row.places[0].name, row.note, row.events[0].date) == ("Paris", "kept", "1973")


def test_faults_of_the_reader_stand_first() -> None:
    row = partnership_row(Row(1, 2, PAIR | {"kind": "?"}, (Fault("", "ragged"),)))
    assert [fault.field for fault in row.faults] == ["", "kind"]


def test_more_than_two_cities_make_a_charter_and_blank_ones_are_left_out() -> None:
    row = row_of(city3="Oslo", country3="Norway", city4="", country4="")
    assert [place.name for place in row.places] == ["Paris", "Rome", "Oslo"]
    assert row.faults == ()


# ── Dates, status, kinds ──


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({}, []),
        ({"established": "since 1973?"}, [("signed", "1973?")]),
        ({"established": "unknown"}, []),
        ({"established": "1973", "ended": "2001"}, [("signed", "1973"), ("ended", "2001")]),
        ({"established": "1973", "ended": "present"}, [("signed", "1973")]),
        ({"established": "1973", "ended": "heute"}, [("signed", "1973")]),
        ({"signed": "1973-11-09", "established": "1973"}, [("signed", "1973-11-09")]),
        ({"ended": "2001", "renewed": "1990; 1985", "signed": "1973", "proposed": "1970"},
         [("proposed", "1970"), ("signed", "1973"), ("renewed", "1985"), ("renewed", "1990"), ("ended", "2001")]),
        ({"signed": "1973", "suspended": "1980", "resumed": "1990", "renewed": "1975"},
         [("signed", "1973"), ("renewed", "1975"), ("suspended", "1980"), ("resumed", "1990")]),
        ({"events": "signed 1973; ended: 2001"}, [("signed", "1973"), ("ended", "2001")]),
        ({"status": "active"}, [("signed", None)]),
        ({"status": "aktiv", "established": "1973"}, [("signed", "1973")]),
        ({"status": "ended"}, [("ended", None)]),
        ({"status": "former", "established": "1973"}, [("signed", "1973"), ("ended", None)]),
        ({"status": "suspended", "established": "1973"}, [("signed", "1973"), ("suspended", None)]),
        ({"status": "proposed"}, [("proposed", None)]),
        ({"status": "proposed", "proposed": "1999"}, [("proposed", "1999")]),
        ({"status": "active", "proposed": "1999"}, [("proposed", "1999"), ("signed", None)]),
        ({"status": "ended", "ended": "2001", "established": "1973"}, [("signed", "1973"), ("ended", "2001")]),
        ({"status": "active", "suspended": "1980", "resumed": "1990"}, [("suspended", "1980"), ("resumed", "1990")]),
        ({"status": "unknown"}, []),
    ],
)  # fmt: skip
def test_dates_and_status_become_events_in_their_order(
    cells: dict[str, str], expected: list[tuple[str, str | None]]
) -> None:
    assert events(**cells) == expected


def test_what_a_date_says_beyond_what_is_kept_is_a_remark() -> None:
    assert row_of(established="spring 1973").remarks == (
        "established: Read as 1973: the part of the year is not kept.",
    )


@pytest.mark.parametrize(
    ("text", "kind", "designation"),
    [
        ("sister_city", "sister_city", None),
        ("Sister City", "sister_city", None),
        ("TWIN TOWNS", "twin_town", None),
        ("Städtepartnerschaft", "partner_city", "Städtepartnerschaft"),
        ("姉妹都市", "sister_city", "姉妹都市"),
        ("友好都市", "friendship_city", "友好都市"),
        ("Jumelage", "twin_town", "Jumelage"),
        ("", None, None),
    ],
)
def test_kinds_are_understood_and_a_wording_that_says_more_is_kept(
    text: str, kind: str | None, designation: str | None
) -> None:
    row = row_of(kind=text)
    assert (row.kind, row.designation, row.faults) == (kind, designation, ())
    assert row_of(kind=text, designation="As it was").designation == "As it was"


@pytest.mark.parametrize(
    ("table", "known"),
    [
        ("PARTNERSHIP_KINDS", PARTNERSHIP_KINDS), ("WORDED_KINDS", PARTNERSHIP_KINDS), ("STATUSES", STATUSES),
        ("CITY_KINDS", CITY_KINDS), ("ORGANISATION_KINDS", ORGANISATION_KINDS), ("CATEGORIES", CATEGORIES),
        ("EVENTS", EVENT_TYPES),
    ],
)  # fmt: skip
def test_the_spellings_know_every_word_of_the_registry_and_no_other(table: str, known: tuple[str, ...]) -> None:
    own = set(value_names.TABLES[table])
    assert own <= set(known)
    if table not in ("WORDED_KINDS", "EVENTS"):
        assert own == set(known)
    assert all(value_names.find(word, table) == word for word in own if table != "WORDED_KINDS")


def test_a_source_is_a_title_an_address_or_a_key() -> None:
    assert row_of(source="A book", locator="p. 3").sources == (SourceNamed("A book", locator="p. 3"),)
    assert row_of(source="https://example.org/x").sources == (SourceNamed(url="https://example.org/x"),)
    assert row_of(source="A", source_url="https://example.org", source_key="S1").sources == (
        SourceNamed("A", "https://example.org", "S1"),
    )
    assert row_of(source="", locator="").sources == ()


# ── Other nouns ──


def record(noun: str, **cells: str) -> Any:
    return record_row(noun, Row(3, 4, cells))


def test_a_city_is_read_with_its_parts() -> None:
    row = record(
        "cities", name="Wien", country="Austria", kind="Stadt", subdivision="AT-9", coordinates="Point(16.37 48.21)",
        population="1,982,097", population_year="2023", wikidata="Q1741", viaf="130161859", note="Capital\nof Austria",
        names="ja=ウィーン; Beč", part_of="wikidata:Q40", existed_from="ca. 1137", registry_id="5", source="Atlas",
        **{"name@en": "Vienna"},
    )  # fmt: skip
    assert row.faults == ()
    assert row.values == {
        "name": "Wien", "country": "Austria", "kind": "city", "subdivision": "AT-9",
        "latitude": 48.21, "longitude": 16.37,
        "part_of": "wikidata:Q40", "existed_from": "1137~", "note": "Capital\nof Austria",
        "names": [
            {"text": "Vienna", "language": "en", "kind": "exonym"},
            {"text": "ウィーン", "language": "ja", "kind": "exonym"},
            {"text": "Beč", "language": "und", "kind": "exonym"},
        ],
        "identifiers": [{"scheme": "wikidata", "value": "Q1741"}, {"scheme": "viaf", "value": "130161859"}],
        "populations": [{"people": 1982097, "year": 2023}],
    }  # fmt: skip
    assert (row.number, row.record, row.sources) == (3, 5, (SourceNamed("Atlas"),))
    assert row.places[0].name == "Wien"


def test_a_program_names_its_partnership_or_its_cities() -> None:
    row = record(
        "programs", name="Schüleraustausch", category="education", city1="Paris", country1="FR",
        city2="Rome", country2="IT",
        since="1980", until="1990s", participants="3; 4",
    )  # fmt: skip
    assert row.values == {
        "name": "Schüleraustausch", "category": "education", "since": "1980", "until": "199X",
        "participants": [{"organisation": 3}, {"organisation": 4}],
    }  # fmt: skip
    assert [place.name for place in row.places] == ["Paris", "Rome"]
    assert record("programs", name="X", category="Sport", partnership="12").values["partnership"] == 12


def test_an_organisation_has_a_seat() -> None:
    row = record("organisations", name="Lycée", kind="lycée", city="Nancy", country="FR", url="https://example.org")
    assert row.values == {"name": "Lycée", "kind": "school", "url": "https://example.org"}
    assert [place.name for place in row.places] == ["Nancy"]
    assert record("organisations", name="X", kind="club").places == ()


def test_a_source_is_read() -> None:
    row = record("sources", key="S1", title="A book", author="N. N.", published="May 1999", url="https://example.org")
    assert row.values == {
        "key": "S1", "title": "A book", "author": "N. N.", "published": "1999-05", "url": "https://example.org",
    }  # fmt: skip
    assert row.sources == ()


@pytest.mark.parametrize(
    ("noun", "cells", "field"),
    [
        ("cities", {"name": "", "country": "FR"}, "name"),
        ("cities", {"name": "X", "latitude": "95", "longitude": "200"}, "latitude"),
        ("cities", {"name": "X", "population": "5", "population_year": "190X"}, "population_year"),
        ("cities", {"name": "X", "names": '[{"language": "de"}]'}, "names"),
        ("cities", {"name": "X", "part_of": "Bavaria"}, "part_of"),
        ("cities", {"name": "X", "viaf": "x"}, "viaf"),
        ("programs", {"name": "X", "category": ""}, "category"),
        ("programs", {"name": "X", "category": "war"}, "category"),
        ("programs", {"name": "X", "category": "sport", "participants": "Lycée"}, "participants"),
        ("organisations", {"name": "X", "kind": "galaxy"}, "kind"),
        ("sources", {"title": "", "url": "https://example.org"}, "title"),
        ("sources", {"title": "X", "published": "9.11.73"}, "published"),
    ],
)
def test_faults_of_records_name_their_columns(noun: str, cells: dict[str, str], field: str) -> None:
    row = record(noun, **cells)
    assert list(faults(row)) == [field]
    assert row.faults[0].reason.endswith(".")


@pytest.mark.parametrize("noun", NOUNS)
@given(st.data())
@settings(max_examples=60)
def test_whatever_cells_hold_is_a_row_or_a_fault_in_a_sentence(noun: str, data: st.DataObject) -> None:
    texts = st.text(max_size=30) | st.sampled_from(ODD)
    cells = data.draw(st.dictionaries(st.sampled_from(own_names(noun)), texts, max_size=8))
    row: Any = partnership_row(Row(1, 2, cells)) if noun == "partnerships" else record_row(noun, Row(1, 2, cells))
    assert all(fault.reason.endswith((".", "?")) for fault in row.faults)
    assert {fault.field for fault in row.faults} <= set(own_names(noun))


# ── The real file ──


def test_the_real_file_is_read_whole(shared: Path) -> None:
    path = shared / "data" / "twin-city-pairs.csv"
    opened = open_rows(path)
    count = sum(not partnership_row(row).faults for row in opened.rows())
    assert (count, opened.noun, opened.delimiter, opened.encoding) == (25_917, "partnerships", ",", "utf-8")
    assert opened.ignored == []
