"""Identifiers: per scheme a pattern, a normal form and a link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.identifiers import SCHEMES, link, looks_like_identifier, normalise, parse
from app.errors import InvalidIdentifier


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("wikidata:Q1297", ("wikidata", "Q1297")),
        ("wikidata:q1297", ("wikidata", "Q1297")),
        (" Wikidata : Q1297 ", ("wikidata", "Q1297")),
        ("http://www.wikidata.org/entity/Q1297", ("wikidata", "Q1297")),
        ("https://www.wikidata.org/wiki/Q1297", ("wikidata", "Q1297")),
        ("https://www.wikidata.org/wiki/Q1297#P190", ("wikidata", "Q1297")),
        ("HTTPS://m.wikidata.org/wiki/q1297?uselang=ja", ("wikidata", "Q1297")),
        ("wikidata:https://www.wikidata.org/wiki/Q1297", ("wikidata", "Q1297")),
        ("geonames:4887398", ("geonames", "4887398")),
        ("https://www.geonames.org/4887398", ("geonames", "4887398")),
        ("https://www.geonames.org/4887398/chicago.html", ("geonames", "4887398")),
        ("https://sws.geonames.org/4887398/", ("geonames", "4887398")),
        ("iso3166-2:us-il", ("iso3166-2", "US-IL")),
        ("iso3166-2:JP-27", ("iso3166-2", "JP-27")),
        ("unlocode:US CHI", ("unlocode", "USCHI")),
        ("unlocode:jposa", ("unlocode", "JPOSA")),
        ("osm:relation/122604", ("osm", "relation-122604")),
        ("osm:Relation/122604", ("osm", "relation-122604")),
        ("https://www.openstreetmap.org/relation/122604#map=10/41.8/-87.7", ("osm", "relation-122604")),
        ("gnd:4005728-8", ("gnd", "4005728-8")),
        ("gnd:11850391x", ("gnd", "11850391X")),
        ("http://d-nb.info/gnd/4005728-8", ("gnd", "4005728-8")),
        ("viaf:122530980", ("viaf", "122530980")),
        ("https://viaf.org/viaf/122530980/", ("viaf", "122530980")),
        ("nuts:de212", ("nuts", "DE212")),
        ("nuts:LU", ("nuts", "LU")),
        ("http://data.europa.eu/nuts/code/DE212", ("nuts", "DE212")),
    ],
)
def test_the_usual_spellings_are_read_into_the_normal_form(text: str, identifier: tuple[str, str]) -> None:
    assert parse(text) == identifier
    assert looks_like_identifier(text)


@pytest.mark.parametrize(
    ("scheme", "value"),
    [
        ("wikidata", "1297"),
        ("wikidata", "Q0"),
        ("wikidata", "Q01297"),
        ("wikidata", "P190"),
        ("wikidata", "Q1297\nQ1"),
        ("wikidata", "Q١٢٩٧"),
        ("wikidata", "https://www.wikidata.org.example.org/wiki/Q1297"),
        ("wikidata", "https://www.geonames.org/4887398"),
        ("geonames", "0"),
        ("geonames", "-5"),
        ("geonames", "4887398.0"),
        ("geonames", "https://www.geonames.org/04887398"),
        ("iso3166-2", "US"),
        ("iso3166-2", "USIL"),
        ("iso3166-2", "US-ILLI"),
        ("unlocode", "US"),
        ("unlocode", "USCH0"),
        ("osm", "122604"),
        ("osm", "relation-0"),
        ("osm", "area-122604"),
        ("gnd", "Berlin"),
        ("gnd", "40057288-"),
        ("viaf", "12x"),
        ("nuts", "D2"),
        ("nuts", "DE2123"),
        ("nuts", "ß"),
        ("nuts", ""),
        ("viaf", "9" * 10_000),
    ],
)
def test_another_form_is_refused_with_the_form_expected(scheme: str, value: str) -> None:
    with pytest.raises(InvalidIdentifier) as refused:
        parse(f"{scheme}:{value}", field="identifiers/0/value")
    assert refused.value.field == "identifiers/0/value"
    assert SCHEMES[scheme].example in refused.value.message
    assert SCHEMES[scheme].form in refused.value.message


@pytest.mark.parametrize("text", ["wikidta:Q1297", "Q1297", ":Q1297", "", "https://example.org/Q1297"])
def test_an_unknown_scheme_is_refused_with_the_known_ones_and_without_an_echo(text: str) -> None:
    with pytest.raises(InvalidIdentifier) as refused:
        parse(text, field="city")
    assert refused.value.field == "city"
    assert all(name in refused.value.message for name in SCHEMES)
    assert "wikidta" not in refused.value.message
    assert "example.org" not in refused.value.message


def test_a_value_is_normalised_under_its_scheme() -> None:
    assert normalise("UNLOCODE", " us chi ") == "USCHI"
    with pytest.raises(InvalidIdentifier, match="no such identifier scheme") as refused:
        normalise("lau", "09162000", field="scheme")
    assert refused.value.field == "scheme"


@pytest.mark.parametrize(
    ("scheme", "value", "address"),
    [
        ("wikidata", "Q1297", "https://www.wikidata.org/wiki/Q1297"),
        ("geonames", "4887398", "https://www.geonames.org/4887398"),
        ("iso3166-2", "US-IL", "https://www.iso.org/obp/ui/#iso:code:3166:US"),
        ("unlocode", "USCHI", "https://service.unece.org/trade/locode/us.htm"),
        ("osm", "relation-122604", "https://www.openstreetmap.org/relation/122604"),
        ("gnd", "4005728-8", "https://d-nb.info/gnd/4005728-8"),
        ("viaf", "122530980", "https://viaf.org/viaf/122530980"),
        ("nuts", "DE212", "http://data.europa.eu/nuts/code/DE212"),
        ("lau", "09162000", None),
        ("wikidata", "q1297", None),
        ("wikidata", "Q1297/../x", None),
    ],
)
def test_a_normal_value_has_a_link_and_anything_else_none(scheme: str, value: str, address: str | None) -> None:
    assert link(scheme, value) == address


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_is_whole_and_takes_its_own_example_and_page(name: str) -> None:
    scheme = SCHEMES[name]
    assert scheme.name == name
    assert scheme.label
    assert normalise(name, scheme.example) == scheme.example
    page = link(name, scheme.example)
    assert page is not None
    if scheme.address:
        assert parse(page) == (name, scheme.example)


@given(st.sampled_from(sorted(SCHEMES)), st.data())
def test_the_normal_form_is_stable_whatever_the_case_it_came_in(name: str, data: st.DataObject) -> None:
    value = data.draw(st.from_regex(SCHEMES[name].pattern, fullmatch=True))
    assert normalise(name, value) == value
    assert normalise(name, value.lower()) == value
    assert parse(f"{name}:{value}") == (name, value)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("wikidata:Q1297", True),
        ("wikidata: Q1297", True),
        ("wikidta:Q1297", True),
        ("geonames:", True),
        ("https://www.wikidata.org/wiki/Q1297", True),
        ("1297", False),
        ("Q1297", False),
        ("wikidata", False),
        ("Chicago", False),
        ("S:t Olof", False),
        ("Osaka: the city", False),
        ("10:30", False),
        (":Q1297", False),
        ("", False),
    ],
)
def test_what_is_meant_as_an_identifier_is_told_from_numbers_and_names(text: str, meant: bool) -> None:
    assert looks_like_identifier(text) is meant
