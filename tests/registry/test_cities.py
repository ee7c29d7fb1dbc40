"""Cities: what looks like a known one is refused, and what a city may hold and hang from."""

from __future__ import annotations

from typing import Any

import pytest
from making import city, number, row, rows, written

from app.errors import CityExists, InvalidValue, StateConflict, StillReferenced, UnknownReference
from app.models import City, CityName, Country, CountryAlias, Source
from app.registry import (
    Database,
    cities,
    countries,
    organisations,
    partnerships,
    parts,
    programs,
    reported_figures,
    resolving,
    sources,
)

GOOD = {"name": "Osaka", "country": "JP", "kind": "city"}


# ── Lookalikes ──


@pytest.mark.parametrize(
    ("known", "new", "reason"),
    [
        ({"name": "São Paulo", "country": "BR"}, {"name": "SAO  PAULO", "country": "Brazil"},
         "same name in this country"),
        ({"name": "St. Petersburg", "country": "RU", "latitude": 59.94, "longitude": 30.31},
         {"name": "Saint Petersburg", "country": "RU", "latitude": 59.93, "longitude": 30.33},
         "near name within 10 km"),
        # Two degrees of longitude apart by number, a few kilometres by ground.
        ({"name": "Port Meridian", "country": "US", "latitude": 0, "longitude": 179.99},
         {"name": "Port Meridien", "country": "US", "latitude": 0, "longitude": -179.99},
         "near name within 10 km"),
        ({"name": "Port Meridian", "country": "US", "latitude": 0, "longitude": -180},
         {"name": "Port Meridien", "country": "IM", "latitude": 0, "longitude": 180},
         "near name within 10 km"),
    ],
)  # fmt: skip
def test_a_city_that_looks_like_a_known_one_is_refused_with_candidates(
    unwritten: Database, known: dict[str, Any], new: dict[str, Any], reason: str
) -> None:
    with unwritten.writing(account="desk", reason="sure") as session:
        a = cities.add(session, {"kind": "city"} | known)
        with pytest.raises(CityExists) as caught:
            cities.add(session, {"kind": "city"} | new)
        [candidate] = caught.value.candidates
        assert (candidate["id"], candidate["reason"]) == (a, reason)
        assert 0.9 < candidate["score"] <= 1
        assert cities.add(session, {"kind": "city"} | new, insist=True) > a


@pytest.mark.parametrize(
    "new",
    [
        {"name": "Gilbert", "country": "DE"},
        {"name": "Gilbert Town", "country": "US", "latitude": 33.35, "longitude": -111.79},
        {"name": "Gilbart", "country": "US", "latitude": 36.09, "longitude": -92.7167},
        {"name": "Gilbart", "country": "US"},
        {"name": "Wilbert", "country": "US", "latitude": 35.9906, "longitude": -92.7167},
        {"name": "East Gilbert", "country": "US", "latitude": 35.9906, "longitude": -92.7167},
    ],
)
def test_another_place_of_a_like_name_is_no_double(unwritten: Database, new: dict[str, Any]) -> None:
    with unwritten.writing(account="desk") as session:
        known = {"name": "Gilbert", "country": "US", "latitude": 35.9906, "longitude": -92.7167}
        cities.add(session, {"kind": "city"} | known)
        assert cities.add(session, {"kind": "city"} | new)


def test_a_name_in_another_language_makes_a_double_too(unwritten: Database) -> None:
    with unwritten.writing(account="desk") as session:
        a = cities.add(session, GOOD, names=[{"text": "Ôsaka-shi", "language": "ja-Latn", "kind": "official"}])
        with pytest.raises(CityExists) as caught:
            cities.add(session, GOOD | {"name": "Osaka Shi"})
        assert [each["id"] for each in caught.value.candidates] == [a]


def test_insisting_needs_a_reason(unwritten: Database) -> None:
    with unwritten.writing(account="desk", reason=None) as session:
        cities.add(session, GOOD, insist=True)  # like nothing known: nothing to give a reason for
        with pytest.raises(InvalidValue) as caught:
            cities.add(session, GOOD, insist=True)
        assert caught.value.field == "reason"


def test_a_merged_duplicate_is_no_candidate(unwritten: Database) -> None:
    from app.registry import merging

    with unwritten.writing(account="desk", reason="sure") as session:
        a = cities.add(session, GOOD | {"name": "Oosaka"})
        b = cities.add(session, GOOD)
        merging.merge(session, b, into=a)
        with pytest.raises(CityExists) as caught:
            cities.add(session, GOOD)
        assert [each["id"] for each in caught.value.candidates] == [a]


# ── What cannot be ──


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"country": "Atlantis"}, "country", "no country"),
        ({"country": "ZZ"}, "country", "no country"),
        ({"country": "Japn"}, "country", "Did you mean JP"),
        ({"country": 81}, "country", "two-letter code"),
        ({"country": "JP\0"}, "country", "control character"),
        ({"latitude": 91, "longitude": 0}, "latitude", "between -90 and 90"),
        ({"latitude": 135.5, "longitude": 34.69}, "latitude", "swapped"),
        ({"latitude": 34.69, "longitude": 181}, "longitude", "between -180 and 180"),
        ({"latitude": 34.69}, "longitude", "both or neither"),
        ({"longitude": 135.5}, "latitude", "both or neither"),
        ({"latitude": float("nan"), "longitude": 0}, "latitude", ""),
        ({"latitude": float("inf"), "longitude": 0}, "latitude", ""),
        ({"latitude": True, "longitude": 0}, "latitude", "must be a number"),
        ({"latitude": "north", "longitude": 0}, "latitude", "must be a number"),
        ({"kind": "metropolis"}, "kind", "one of"),
        ({"existed_from": "1900", "existed_until": "1899"}, "existed_until", "ended before it began"),
        ({"existed_from": "1973-02-30"}, "existed_from", "28 days"),
        ({"name": "O\x07saka"}, "name", "control character"),
        ({"name": "O\0saka"}, "name", "control character"),
        ({"name": "x" * 10_000}, "name", "10,000"),
        ({"name": "\u200b"}, "name", "empty"),
        ({"name": ""}, "name", ""),
        ({"name": None}, "name", ""),
        ({"name": 5}, "name", "must be text"),
        ({"name": "\ud800"}, "name", "surrogate"),
        ({"name": "Osaka\u202e"}, "name", "direction"),
        ({"name_key": "osaka"}, "name_key", "computed"),
        ({"revision": 7}, "revision", "computed"),
        ({"id": 7}, "id", "computed"),
        ({"merged_into": 1}, "merged_into", "computed"),
        ({"names": []}, "names", "computed"),
        ({"lattitude": 34.69}, "lattitude", "Did you mean latitude"),
        ({"zzz": 1}, "zzz", "The fields are"),
        ({"part_of": 10**12}, "part_of", "names no record"),
        ({"part_of": -1}, "part_of", "names no record"),
        ({"part_of": 2**64}, "part_of", "names no record"),
    ],
)
def test_a_city_that_cannot_be_names_its_field(
    unwritten: Database, values: dict[str, Any], field: str, says: str
) -> None:
    with unwritten.writing(account="desk") as session, pytest.raises(InvalidValue) as caught:
        cities.add(session, GOOD | values)
    assert caught.value.field == field
    assert says in caught.value.message
    with unwritten.writing(account="desk") as session, pytest.raises(InvalidValue) as caught:
        cities.amend(session, 1, {"latitude": None, "longitude": None} | values)
    assert caught.value.field == field


@pytest.mark.parametrize("field", ["name", "country", "kind"])
def test_what_is_needed_must_be_there(unwritten: Database, field: str) -> None:
    given = {name: value for name, value in GOOD.items() if name != field}
    with unwritten.writing(account="desk") as session, pytest.raises(InvalidValue, match="needed") as caught:
        cities.add(session, given)
    assert caught.value.field == field


def test_one_of_two_coordinates_cannot_be_emptied(unwritten: Database) -> None:
    with unwritten.writing(account="desk") as session, pytest.raises(InvalidValue) as caught:
        cities.amend(session, 1, {"longitude": None})
    assert caught.value.field == "longitude"


@pytest.mark.parametrize(
    "name",
    [
        "🏯🌸",
        "القدس",
        "ירושלים",
        "中华人民共和国",
        "क्षेत्र",
        "'; DROP TABLE cities; --",
        '<script>alert("x")</script>',
        "%_\\",
        "{{7*7}} ${x} %s",
        "x" * 300,
        "😀" * 300,
        "".join(chr(0x1F300 + place) for place in range(300)),
    ],
)
def test_names_of_every_script_sql_and_html_are_kept_as_they_are(unwritten: Database, name: str) -> None:
    with unwritten.writing(account="desk", reason=name) as session:
        a = cities.add(session, GOOD | {"name": name, "note": name}, names=[{"text": name, "kind": "short"}])
        session.expire_all()
        kept = session.get_one(City, a)
        assert (kept.name, kept.note) == (name, name)
        [found] = resolving.named(session, name, country="JP")
        assert found["id"] == a


# ── Part of, country, deleting ──


def test_a_city_is_no_part_of_itself_however_many_steps_away(unwritten: Database) -> None:
    with unwritten.writing(account="desk") as session:
        a, b, c = (city(session, name) for name in ("Aaa", "Bbb", "Ccc"))
        cities.amend(session, b, {"part_of": a})
        cities.amend(session, c, {"part_of": b})
        for above in (a, b, c):
            with pytest.raises(InvalidValue) as caught:
                cities.amend(session, a, {"part_of": above})
            assert caught.value.field == "part_of"
            session.expire_all()


def test_a_city_on_which_others_hang_is_not_deleted(unwritten: Database) -> None:
    with unwritten.writing(account="desk") as session:
        a, b = city(session, "Aaa"), city(session, "Bbb")
        part = city(session, "Ccc", part_of=a, successors=[{"city": a}])
        seat = organisations.add(session, {"name": "School", "kind": "school", "city": a})
        p = partnerships.establish(session, [a, b], kind="sister_city")
        program = programs.add(
            session,
            {"partnership": p, "name": "Schools", "category": "education"},
            participants=[{"organisation": seat, "side": a}],
            occasions=[{"host": a}],
        )
        claim = {"source": "NOISE", "field": "part_of", "city": a}
        parts.add(session, "cities", b, part="citations", values=claim)
        with pytest.raises(StillReferenced) as caught:
            cities.delete(session, a)
    found = {(each["noun"], each["id"], each["field"]) for each in caught.value.obstacles}
    assert found == {
        ("cities", part, "part_of"), ("cities", part, "successors"), ("cities", b, "citations"),
        ("organisations", seat, "city"), ("partnerships", p, "members"),
        ("programs", program, "participants"), ("programs", program, "occasions"),
    }  # fmt: skip
    assert "3 cities" in caught.value.message


def test_a_deleted_city_takes_its_own_rows_with_it_and_its_number_never_comes_back(database: Database) -> None:
    with written(database) as session:
        a = city(
            session, "Osaka", "JP",
            names=[{"text": "大阪", "kind": "official"}],
            identifiers=[{"scheme": "wikidata", "value": "q35765"}],
        )  # fmt: skip
        name = rows_in(session, a)
    with written(database) as session:
        cities.delete(session, f"wikidata:Q{35765}")
    assert rows(database, CityName, city_id=a) == []
    with written(database) as session:
        b = city(session, "Osaka", "JP", names=[{"text": "大阪", "kind": "official"}])
        assert b > a
        assert rows_in(session, b) > name


def rows_in(session: Any, owner: int) -> int:
    from sqlalchemy import select

    return int(session.execute(select(CityName.id).where(CityName.city_id == owner)).scalar_one())


def test_a_mended_name_is_found_and_the_old_one_is_not(database: Database) -> None:
    with written(database) as session:
        a = city(session, "Oosaka", "JP")
    with written(database) as session:
        cities.amend(session, a, {"name": "Ōsaka"})
    with database.reading() as session:
        assert [each["id"] for each in resolving.named(session, "OSAKA", country="JP")] == [a]
        assert resolving.named(session, "Oosaka", country="JP") == []
    assert row(database, City, a)["name_key"] == "osaka"


# ── Other records ──


def test_a_source_key_names_one_source_however_it_is_spelled(unwritten: Database) -> None:
    with unwritten.writing(account="desk") as session:
        a = sources.add(session, {"title": "A", "key": "S 1"})
        b = sources.add(session, {"title": "B"})
        sources.add(session, {"title": "C"})
        for spelled in ("S 1", " S  1 ", "S\u00a01"):
            with pytest.raises(StateConflict) as caught:
                sources.add(session, {"title": "D", "key": spelled})
            assert caught.value.field == "key"
            with pytest.raises(StateConflict):
                sources.amend(session, b, {"key": spelled})
            session.expire_all()
        assert sources.amend(session, a, {"key": "S 1"}) == a
        assert session.get_one(Source, a).key == "S 1"


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"code": "US", "alpha3": "XXX", "name": "X"}, StateConflict),
        ({"code": "XX", "alpha3": "USA", "name": "X"}, StateConflict),
        ({"code": "XX", "alpha3": "XXX", "name": "Japan"}, StateConflict),
        ({"code": "xx", "alpha3": "XXX", "name": "X"}, InvalidValue),
        ({"code": "XX", "alpha3": "XX", "name": "X"}, InvalidValue),
        ({"code": "XX", "alpha3": "XXX", "name": "X", "continent": "XX"}, InvalidValue),
    ],
)
def test_a_country_that_is_known_or_cannot_be_is_refused(
    unwritten: Database, values: dict[str, Any], error: type[Exception]
) -> None:
    with unwritten.writing(account="desk") as session, pytest.raises(error):
        countries.add(session, {"continent": "EU"} | values)


def test_a_country_alias_is_one_countrys_however_it_is_spelled(unwritten: Database) -> None:
    with unwritten.writing(account="desk") as session:
        parts.add(session, "countries", "CN", part="aliases", values={"text": "Cathay"})
        with pytest.raises(StateConflict):
            parts.add(session, "countries", "JP", part="aliases", values={"text": "CATHAY"})
        assert resolving.country(session, "cathay", field="country") == "CN"
        assert session.query(CountryAlias).filter_by(country="CN").count() == 1
        assert session.get_one(Country, "CN").name == "China"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"other_country": "JP"}, "country"),
        ({"value": -1}, "value"),
        ({"value": "many"}, "value"),
        ({"value": 1e999}, "value"),
        ({"measure": "friends"}, "measure"),
        ({"source": "S404"}, "source"),
    ],
)
def test_a_reported_figure_that_cannot_be_names_its_field(
    unwritten: Database, values: dict[str, Any], field: str
) -> None:
    good = {"source": "NOISE", "scope": "all", "measure": "partnerships", "comparator": "over", "value": 2000}
    with unwritten.writing(account="desk") as session, pytest.raises(InvalidValue) as caught:
        reported_figures.add(session, good | values)
    assert caught.value.field == field
    with unwritten.writing(account="desk") as session, pytest.raises(InvalidValue) as caught:
        reported_figures.amend(session, 1, values)
    assert caught.value.field == field


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x", "https://x y", "//x", "https://"])
def test_an_address_is_http(unwritten: Database, url: str) -> None:
    with unwritten.writing(account="desk") as session, pytest.raises(InvalidValue) as caught:
        organisations.add(session, {"name": "School", "kind": "school", "url": url})
    assert caught.value.field == "url"


def test_a_city_named_in_a_reference_is_found_by_any_of_its_keys(unwritten: Database) -> None:
    with unwritten.writing(account="desk", reason="sure") as session:
        a = city(session, "Gilbert", subdivision="US-AR", identifiers=[{"scheme": "geonames", "value": "4112017"}])
        b = city(session, "Gilbert", subdivision="US-AZ")
        by = [a, str(a), "geonames:4112017", {"name": "GILBERT", "country": "usa", "subdivision": "US-AR"}]
        assert {resolving.city(session, each, field="city") for each in by} == {a}
        with pytest.raises(UnknownReference) as caught:
            resolving.city(session, {"name": "Gilbert", "country": "US"}, field="city")
        assert {each["id"] for each in caught.value.candidates} == {a, b}
        with pytest.raises(UnknownReference) as caught:
            resolving.city(session, {"name": "Gilbrt", "country": "US"}, field="city")
        assert {each["id"] for each in caught.value.candidates} == {a, b}


def test_nothing_of_all_this_was_written(unwritten: Database) -> None:
    assert number(unwritten) == 1
