"""What can be read: the exact shape of each list's items and of each record, in few statements, from the index."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
from making import city, rows, written
from small_world import World, build, statements

from app.errors import InvalidValue, RecordDeleted, RecordMerged, RecordNotFound
from app.models import Member
from app.registry import Database, merging, open_registry, organisations, partnerships, parts, redacting
from app.registry import cities as city_operations
from app.registry.views import cities, countries, programs, reported_figures, revisions, sources, summary
from app.registry.views import organisations as organisation_views
from app.registry.views import partnerships as views

VIEWS = (countries, cities, views, programs, organisation_views, sources, reported_figures, revisions)
BOOKKEEPING = {"revision", "created_at", "updated_at"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture
def world(database: Database) -> World:
    """The small world on each engine."""
    return build(database)


def told(item: dict[str, Any]) -> dict[str, Any]:
    """An item without its bookkeeping, which must be of the right form."""
    assert isinstance(item["revision"], int)
    assert TIME.fullmatch(item["created_at"])
    assert TIME.fullmatch(item["updated_at"])
    return {name: value for name, value in item.items() if name not in BOOKKEEPING}


# ── Every noun ──


def test_each_list_is_one_statement(world: World) -> None:
    for view in VIEWS:
        with world.database.reading() as session, statements(world.database) as seen:
            page = view.listing(session, {}, limit=1000)
            assert len(page.items) > 1
        assert len(seen) == 1, view.__name__
        with world.database.reading() as session, statements(world.database) as seen:
            view.listing(session, {}, limit=1000, exact=True)
        assert len(seen) <= 3, view.__name__


def test_a_list_with_filters_takes_no_more_statements_the_more_it_finds(world: World) -> None:
    query = {"active_on": ["1974-01-01"], "kind": ["sister_city,partner_city,friendship_city,charter"]}
    with world.database.reading() as session, statements(world.database) as seen:
        assert views.listing(session, query).items
    assert len(seen) == 2


def test_an_empty_list_is_one_statement(world: World) -> None:
    with world.database.reading() as session, statements(world.database) as seen:
        assert views.listing(session, {"kind": ["project"], "status": ["ended"]}).items == []
    assert len(seen) == 1


def test_the_statements_of_one_record_do_not_grow_with_what_hangs_on_it(world: World) -> None:
    def asked() -> int:
        with world.database.reading() as session, statements(world.database) as seen:
            views.get(session, world.partnerships["chicago osaka"])
        return len(seen)

    before = asked()
    with written(world.database) as session:
        for year in range(1980, 1990):
            values = {"type": "note", "date": str(year), "note": "a visit"}
            parts.add(session, "partnerships", world.partnerships["chicago osaka"], part="events", values=values)
    assert asked() == before


def test_items_and_records_are_json_and_a_record_begins_with_its_item(world: World) -> None:
    with world.database.reading() as session:
        for view in VIEWS:
            for item in view.listing(session, {}, limit=1000).items:
                record = view.get(session, item.get("id", item.get("code", item.get("number"))))
                assert json.loads(orjson.dumps(record)) == record
                shared = [name for name in item if name in record]
                assert list(record)[: len(shared)] == shared
                differing = {name for name in shared if item[name] != record[name]}
                assert differing <= ({"partnership"} if view is programs else set()), view.__name__


@pytest.mark.parametrize("view", [view for view in VIEWS if view is not countries])
@pytest.mark.parametrize("key", [0, -1, 999_999, 2**63, 2**64, "0", "x", "", "1.0", "1\0", "٣", "\ud800", "1e3"])
def test_what_is_no_record_is_not_found(sqlite_database: Database, view: Any, key: int | str) -> None:
    with sqlite_database.reading() as session, pytest.raises(RecordNotFound):
        view.get(session, key)


def test_what_is_no_record_is_not_found_whatever_the_engine(database: Database) -> None:
    with database.reading() as session:
        for view in VIEWS:
            for key in ("9223372036854775808", "1\0", "\ud800", "nothing:here", "wikidata:Q9\0"):
                with pytest.raises(RecordNotFound):
                    view.get(session, key)


def test_a_deleted_record_says_in_which_revision(world: World) -> None:
    with written(world.database) as session:
        gone = organisations.add(session, {"name": "A slip", "kind": "other"})
    with written(world.database) as session:
        organisations.delete(session, gone)
        number = session.number()
    with world.database.reading() as session:
        with pytest.raises(RecordDeleted) as caught:
            organisation_views.get(session, gone)
        assert caught.value.revision == number
        assert gone not in [item["id"] for item in organisation_views.listing(session, {}).items]


# ── Partnerships ──


def test_a_partnership_in_a_list(world: World) -> None:
    with world.database.reading() as session:
        page = views.listing(session, {"city": ["wikidata:Q1297"], "country": ["JP"]})
    item = page.items[0]
    assert list(item) == [
        "id", "kind", "designation", "title", "status", "established", "ended", "members", "distance_km",
        "programs_count", "conflicts_count", "revision", "created_at", "updated_at",
    ]  # fmt: skip
    assert told(item) == {
        "id": world.partnerships["chicago osaka"],
        "kind": "sister_city",
        "designation": None,
        "title": None,
        "status": "active",
        "established": "1973-11-09",
        "ended": None,
        "members": [
            {
                "id": item["members"][0]["id"],
                "city": {
                    "id": world.cities["chicago"],
                    "name": "Chicago",
                    "country": "US",
                    "subdivision": "US-IL",
                    "latitude": 41.88,
                    "longitude": -87.63,
                },
                "status": "active",
                "joined": "1973-11-09",
                "left": None,
            },
            {
                "id": item["members"][1]["id"],
                "city": {
                    "id": world.cities["osaka"],
                    "name": "Osaka",
                    "country": "JP",
                    "subdivision": None,
                    "latitude": 34.69,
                    "longitude": 135.5,
                },
                "status": "active",
                "joined": "1973-11-09",
                "left": None,
            },
        ],
        "distance_km": 10433.7,
        "programs_count": 1,
        "conflicts_count": 1,
    }


def test_only_two_cities_whose_places_are_known_have_a_distance(world: World) -> None:
    with world.database.reading() as session:
        known = {
            name: views.get(session, world.partnerships[name])["distance_km"]
            for name in ("chicago boston", "osaka sao paulo", "trio", "paris berlin", "noise charter")
        }
    assert known["osaka sao paulo"] is known["trio"] is known["noise charter"] is None
    assert known["chicago boston"] == pytest.approx(1368, abs=5)
    assert known["paris berlin"] == pytest.approx(877, abs=3)


def test_a_city_that_came_back_holds_two_rows(world: World) -> None:
    with world.database.reading() as session:
        members = views.get(session, world.partnerships["trio"])["members"]
    assert [(each["city"]["name"], each["status"], each["joined"], each["left"]) for each in members] == [
        ("Paris", "active", "1985", None),
        ("Berlin", "ended", "1985", "1990"),
        ("Osaka", "active", "1985", None),
        ("Berlin", "active", "1995", None),
    ]


def test_one_partnership_shows_what_hangs_on_it(world: World) -> None:
    with world.database.reading() as session:
        record = views.get(session, str(world.partnerships["chicago osaka"]))
    assert list(record)[14:] == [
        "note", "succeeds", "events", "programs", "organisations", "citations", "conflicts",
    ]  # fmt: skip
    source = {"id": world.source, "key": "S1", "title": "A letter"}
    (event,) = record["events"]
    assert event | {"id": 0} == {
        "id": 0,
        "position": 1,
        "type": "signed",
        "date": "1973-11-09",
        "text": "9 November 1973",
        "declared_by": None,
        "in_place_of": None,
        "authority": None,
        "note": None,
    }
    assert record["programs"] == [
        {
            "id": world.program,
            "name": "Teachers",
            "category": "education",
            "since": "1980",
            "until": None,
            "occasions_count": 2,
        }
    ]
    (role,) = record["organisations"]
    assert role["role"] == "recognises"
    assert role["organisation"] == {"id": world.school, "name": "Osaka School", "kind": "school"}
    (citation,) = record["citations"]
    assert citation | {"id": 0} == {
        "id": 0,
        "field": "established",
        "value": "1974",
        "city": None,
        "locator": "p. 3",
        "source": source | {"url": None},
    }
    assert record["conflicts"] == [
        {
            "field": "established",
            "recorded": ["1973-11-09"],
            "claims": [{"value": "1974", "city": None, "sources": [source]}],
        }
    ]


def test_events_stand_in_their_order_and_name_the_member_whose_act_they_were(world: World) -> None:
    trio = world.partnerships["trio"]
    with written(world.database) as session:
        new = parts.add(session, "partnerships", trio, part="members", values={"city": world.cities["lyon"]})
        joined = {
            "type": "joined",
            "date": "2018~",
            "declared_by": {"member": new},
            "in_place_of": world.cities["paris"],
        }
        parts.add(session, "partnerships", trio, part="events", values=joined)
    with world.database.reading() as session:
        events = views.get(session, trio)["events"]
    assert [(each["position"], each["type"], each["text"]) for each in events] == [
        (1, "signed", "1985"),
        (2, "left", "1990"),
        (3, "joined", "1995"),
        (4, "joined", "about 2018"),
    ]
    lyon, paris = ({"id": world.cities[key], "name": key.title()} for key in ("lyon", "paris"))
    members = {each["city_id"]: each["id"] for each in rows(world.database, Member, partnership_id=trio)}
    assert events[3]["declared_by"] == {"member": new, "city": lyon}
    assert events[3]["in_place_of"] == {"member": members[world.cities["paris"]], "city": paris}
    assert events[1]["declared_by"]["city"]["name"] == "Berlin"


def test_an_undated_event_has_no_text_and_a_successor_names_what_it_grew_from(world: World) -> None:
    with written(world.database) as session:
        grown = partnerships.establish(
            session,
            [world.cities["chicago"], world.cities["boston"]],
            kind="sister_city",
            succeeds=world.partnerships["chicago boston"],
            insist=True,
            note="first line\nsecond line",
        )
    with world.database.reading() as session:
        record = views.get(session, grown)
    assert (record["events"][0]["date"], record["events"][0]["text"]) == (None, None)
    assert record["succeeds"] == world.partnerships["chicago boston"]
    assert record["note"] == "first line\nsecond line"


def test_a_merged_partnership_leads_to_the_one_it_was_merged_into(world: World) -> None:
    with written(world.database) as session:
        other = city(session, "Parigi", "FR")
        double = partnerships.establish(session, [world.cities["chicago"], other], kind="partner_city")
        merging.merge(session, other, into=world.cities["paris"])
    with world.database.reading() as session:
        for view, key, into in (
            (views, double, world.partnerships["chicago paris"]),
            (cities, other, world.cities["paris"]),
        ):
            with pytest.raises(RecordMerged) as caught:
                view.get(session, key)
            assert caught.value.into == into
        assert cities.get(session, world.cities["paris"])["partnerships_count"] == 4
        assert countries.get(session, "FR")["partnerships_count"] == 4
        assert summary.get(session)["counts"]["partnerships"] == len(world.partnerships)


# ── Cities and countries ──


def test_a_city_and_what_hangs_on_it(world: World) -> None:
    with written(world.database) as session:
        values = {"city": world.cities["boston"]}
        parts.add(session, "cities", world.cities["chicago"], part="successors", values=values)
    with world.database.reading() as session:
        record = cities.get(session, "wikidata:Q1297")
        mitte = cities.get(session, world.cities["mitte"])
        berlin = cities.get(session, world.cities["berlin"])
        osaka = cities.get(session, world.cities["osaka"])
    assert list(record) == [
        "id", "name", "country", "kind", "subdivision", "latitude", "longitude", "part_of", "existed_from",
        "existed_until", "partnerships_count", "revision", "created_at", "updated_at", "note", "names", "identifiers",
        "populations", "successors", "parts_count", "organisations_count", "citations", "conflicts",
    ]  # fmt: skip
    assert record["id"] == world.cities["chicago"]
    assert record["partnerships_count"] == 3
    assert [(each["text"], each["language"], each["kind"]) for each in record["names"]] == [
        ("Чикаго", "ru", "exonym"),
        ("Windy City", "und", "short"),
        ("Second Windy", "und", "former"),
        ("Windy", "und", "exonym"),
    ]
    assert [(each["scheme"], each["value"], each["link"]) for each in record["identifiers"]] == [
        ("wikidata", "Q1297", "https://www.wikidata.org/wiki/Q1297")
    ]
    assert [(each["people"], each["year"]) for each in record["populations"]] == [(2746388, 2020)]
    (successor,) = record["successors"]
    assert successor["city"] == {"id": world.cities["boston"], "name": "Boston", "country": "US"}
    assert mitte["part_of"] == {"id": world.cities["berlin"], "name": "Berlin"}
    assert (berlin["parts_count"], berlin["part_of"], mitte["parts_count"]) == (1, None, 0)
    assert (osaka["organisations_count"], record["organisations_count"]) == (1, 0)


def test_a_city_that_left_and_came_back_counts_its_partnership_once(world: World) -> None:
    with world.database.reading() as session:
        counts = {item["name"]: item["partnerships_count"] for item in cities.listing(session, {}, limit=100).items}
        german = countries.get(session, "DE")
    assert (counts["Berlin"], counts["Chicago"], counts["Mitte"]) == (2, 3, 0)
    assert (german["partnerships_count"], german["cities_count"]) == (2, 2)


def test_a_country_is_found_by_its_code_in_either_case(world: World) -> None:
    with world.database.reading() as session:
        for code in ("US", "us", "Us"):
            record = countries.get(session, code)
            assert list(record) == [
                "code", "alpha3", "name", "official_name", "continent", "cities_count", "partnerships_count",
                "revision", "created_at", "updated_at", "aliases",
            ]  # fmt: skip
            assert told(record) == {
                "code": "US",
                "alpha3": "USA",
                "name": "United States",
                "official_name": None,
                "continent": "NA",
                "cities_count": 2,
                "partnerships_count": 4,
                "aliases": record["aliases"],
            }
            assert [alias["text"] for alias in record["aliases"]] == ["USA", "United States of America"]
        for wrong in ("USA", "U", "", "ZZ", "1", "ß", "ÜS", "U\0", "\ud800x", "us "):
            with pytest.raises(RecordNotFound):
                countries.get(session, wrong)


# ── The other nouns ──


def test_a_program_and_what_hangs_on_it(world: World) -> None:
    chicago, osaka = ({"id": world.cities[key], "name": key.title()} for key in ("chicago", "osaka"))
    with world.database.reading() as session:
        (item,) = programs.listing(session, {"category": ["education"]}).items
        record = programs.get(session, world.program)
    assert told(item) == {
        "id": world.program,
        "partnership": world.partnerships["chicago osaka"],
        "name": "Teachers",
        "category": "education",
        "since": "1980",
        "until": None,
        "frequency": "yearly",
        "occasions_count": 2,
    }
    assert record["partnership"] == {
        "id": world.partnerships["chicago osaka"],
        "kind": "sister_city",
        "members": [chicago, osaka],
    }
    (participant,) = record["participants"]
    assert participant["organisation"] == {"id": world.school, "name": "Osaka School", "kind": "school"}
    assert participant["side"] == osaka
    dated, undated = record["occasions"]
    assert dated | {"id": 0} == {
        "id": 0,
        "title": "First visit",
        "since": "1981",
        "until": None,
        "place": None,
        "origin": chicago,
        "host": osaka,
        "people": 12,
        "note": None,
    }
    assert (undated["title"], undated["since"], undated["origin"], undated["host"]) == (
        "Undated visit",
        None,
        None,
        None,
    )
    assert list(record)[-5:] == ["description", "participants", "occasions", "citations", "conflicts"]


def test_an_organisation_and_what_it_carries(world: World) -> None:
    with written(world.database) as session:
        homeless = organisations.add(session, {"name": "A network", "kind": "network"})
    with world.database.reading() as session:
        record = organisation_views.get(session, world.school)
        assert organisation_views.get(session, homeless)["city"] is None
    assert told(record) == {
        "id": world.school,
        "name": "Osaka School",
        "kind": "school",
        "city": {"id": world.cities["osaka"], "name": "Osaka", "country": "JP"},
        "url": None,
        "note": None,
        "partnerships": [{"partnership": world.partnerships["chicago osaka"], "role": "recognises"}],
        "programs": [{"id": world.program, "name": "Teachers"}],
        "citations": [],
        "conflicts": [],
    }


def test_a_source_and_what_cites_it(world: World) -> None:
    with written(world.database) as session:
        for noun, key, field in (("cities", world.cities["paris"], "name"), ("programs", world.program, "name")):
            values = {"source": "S1", "field": field}
            parts.add(session, noun, key, part="citations", values=values)
    with world.database.reading() as session:
        record = sources.get(session, world.source)
    pair = world.partnerships["chicago osaka"]
    assert told(record) == {
        "id": world.source,
        "key": "S1",
        "title": "A letter",
        "author": None,
        "publisher": None,
        "url": None,
        "published": "1974",
        "citations_count": 3,
        "note": None,
        "citations": [
            {"noun": "partnerships", "id": pair, "field": "established", "value": "1974"},
            {"noun": "cities", "id": world.cities["paris"], "field": "name", "value": None},
            {"noun": "programs", "id": world.program, "field": "name", "value": None},
        ],
    }


def test_a_source_shows_its_first_hundred_citations_and_counts_all(world: World) -> None:
    with written(world.database) as session:
        for place in range(101):
            values = {"source": "S1", "field": "name", "locator": f"p. {place}"}
            parts.add(session, "cities", world.cities["lyon"], part="citations", values=values)
    with world.database.reading() as session:
        record = sources.get(session, world.source)
    assert (record["citations_count"], len(record["citations"])) == (102, 100)


def test_a_reported_figure_shows_whole_numbers_whole(world: World) -> None:
    with world.database.reading() as session:
        record = reported_figures.get(session, world.figure)
    assert told(record) == {
        "id": world.figure,
        "source": {"id": world.source, "key": "S1", "title": "A letter"},
        "scope": "US with Japan",
        "country": "US",
        "other_country": "JP",
        "measure": "partnerships",
        "comparator": "over",
        "value": 400,
        "as_of": "2011",
        "note": None,
        "citations": [],
        "conflicts": [],
    }
    assert isinstance(record["value"], int)


# ── Revisions and changes ──


def test_revisions_stand_newest_first_with_the_number_of_their_changes(world: World) -> None:
    with world.database.reading() as session:
        newest, *_, oldest = revisions.listing(session, {}).items
        records_of = [revisions.get(session, each["number"]) for each in (newest, oldest)]
    assert list(newest) == ["number", "time", "account", "reason", "undoes", "changes_count"]
    assert (newest["number"], oldest["number"], oldest["account"]) == (3, 1, "noise")
    assert [len(each["changes"]) for each in records_of] == [newest["changes_count"], oldest["changes_count"]]


@pytest.fixture
def busy(database: Database) -> Database:
    """After the noise: revisions of 1, 3, 1 and 2 changes, the last one a deletion and an addition."""
    for count in (1, 3, 1):
        with written(database) as session:
            made = [city(session, f"Town {count} {place}", "LT") for place in range(count)]
    with written(database) as session:
        city_operations.delete(session, made[0])
        city(session, "Another", "LT")
    return database


def followed(database: Database, since: int | str, limit: int) -> Iterator[Any]:
    """The pages of changes from `since` on."""
    while True:
        with database.reading() as session:
            page = revisions.changes(session, since=since, limit=limit)
        yield page
        if page.next is None:
            return
        since = page.next


def test_changes_come_in_commit_order_with_the_record_after_each(busy: Database) -> None:
    with busy.reading() as session:
        page = revisions.changes(session, since=1, limit=1000)
    assert [item["revision"] for item in page.items] == [2, 3, 3, 3, 4, 5, 5]
    assert list(page.items[0]) == ["revision", "time", "noun", "id", "after"]
    assert page.items[0]["after"] == {"id": page.items[0]["id"], "name": "Town 1 0", "country": "LT", "kind": "city"}
    (deleted,) = (item for item in page.items if item["after"] is None)
    assert (deleted["revision"], deleted["id"]) == (5, page.items[4]["id"])
    assert TIME.fullmatch(page.items[0]["time"])
    assert (page.next, page.extra) == (None, {"until": "5"})


@pytest.mark.parametrize(
    ("limit", "pages"),
    [
        (1, [[2], [3], [3], [3], [4], [5], [5]]),
        (2, [[2], [3, 3], [3, 4], [5, 5]]),
        (3, [[2], [3, 3, 3], [4, 5, 5]]),
        (4, [[2, 3, 3, 3], [4, 5, 5]]),
        (5, [[2, 3, 3, 3, 4], [5, 5]]),
        (6, [[2, 3, 3, 3, 4], [5, 5]]),
        (7, [[2, 3, 3, 3, 4, 5, 5]]),
    ],
)
def test_a_page_of_changes_splits_only_a_revision_that_alone_exceeds_it(
    busy: Database, limit: int, pages: list[list[int]]
) -> None:
    found = list(followed(busy, 1, limit))
    assert [[item["revision"] for item in page.items] for page in found] == pages
    with busy.reading() as session:
        whole = revisions.changes(session, since=1, limit=1000).items
    assert [item for page in found for item in page.items] == whole


def test_a_follower_that_stopped_goes_on_where_the_last_page_ended(busy: Database) -> None:
    seen = [item for page in followed(busy, 0, 2) for item in page.items]
    with busy.reading() as session:
        until = revisions.changes(session, since=4, limit=1000).extra["until"]
        nothing = revisions.changes(session, since=until)
    assert (nothing.items, nothing.next, nothing.extra) == ([], None, {"until": "5"})
    with written(busy) as session:
        city(session, "Later", "LT")
    with busy.reading() as session:
        later = revisions.changes(session, since=until)
        assert [item["after"]["name"] for item in later.items] == ["Later"]
        assert seen + later.items == revisions.changes(session, since=0, limit=1000).items


def test_changes_of_countries_have_their_code_as_id(database: Database) -> None:
    with database.reading() as session:
        items = revisions.changes(session, limit=1000).items
    codes = [item["id"] for item in items if item["noun"] == "countries"]
    assert codes == sorted(codes)
    assert "JP" in codes
    assert all(isinstance(item["id"], int) for item in items if item["noun"] != "countries")


def test_what_was_redacted_is_not_told_by_the_changes(world: World) -> None:
    lyon = world.cities["lyon"]
    with written(world.database) as session:
        city_operations.amend(session, lyon, {"note": "a secret"})
    with written(world.database, reason="personal data") as session:
        redacting.redact(session, "cities", lyon, text="a secret")
    with world.database.reading() as session:
        assert b"a secret" not in orjson.dumps(revisions.changes(session, limit=1000).items)


@pytest.mark.parametrize(
    "since",
    ["x", "", "-1", "1.5", "1:", "1:cities", "1:cities:", "1:towns:5", "1:cities:x", "1:cities:5:6", "1\n", " 1", "٣",
     "9" * 19, "9" * 40, 2**63, -1, 6, "6", "6:cities:1", "1:cities:\0", "\ud800"],
)  # fmt: skip
def test_a_since_that_cannot_be_is_refused(sqlite_database: Database, since: int | str) -> None:
    with sqlite_database.reading() as session, pytest.raises(InvalidValue) as caught:
        revisions.changes(session, since=since)
    assert caught.value.field == "since"


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_of_changes_that_cannot_be_is_refused(sqlite_database: Database, limit: int) -> None:
    with sqlite_database.reading() as session, pytest.raises(InvalidValue, match="1 to 1,000"):
        revisions.changes(session, since=0, limit=limit)


# ── The whole ──


def test_the_summary_counts_what_is_held_and_how_far_it_reaches(world: World) -> None:
    with world.database.reading() as session, statements(world.database) as seen:
        held = summary.get(session)
    assert len(seen) == 1
    assert held["counts"] == {
        "countries": 15,
        "sources": 2,
        "cities": 13,
        "organisations": 2,
        "partnerships": 13,
        "programs": 2,
        "reported_figures": 2,
        "revisions": 3,
        "changes": held["counts"]["changes"],
    }
    # US, JP, FR, DE, BR and the noise's four; Oceania, Europe, Africa and both Americas, Asia.
    assert (held["countries_reached"], held["continents_reached"]) == (9, 6)
    # All but Mitte, a district; Lyon has no partnership, and Kyoto's has ended.
    assert held["reach"] == {"cities_known": 12, "cities_with_standing_partnership": 10, "share": 0.8333}
    assert held["revision"] == 3


def test_a_city_that_left_or_whose_partnership_ended_has_no_standing_one(world: World) -> None:
    with written(world.database) as session:
        for name in ("chicago osaka", "chicago paris", "chicago boston"):
            values = {"type": "ended", "date": "2024"}
            parts.add(session, "partnerships", world.partnerships[name], part="events", values=values)
    with world.database.reading() as session:
        # Chicago, and Boston, whose other one had ended long ago.
        assert summary.get(session)["reach"]["cities_with_standing_partnership"] == 8


def test_the_summary_of_an_empty_registry_has_no_share(empty_url: str) -> None:
    database = open_registry(empty_url, migrate=True)
    with database.reading() as session:
        held = summary.get(session)
    database.close()
    assert set(held["counts"].values()) == {0}
    assert held["reach"] == {"cities_known": 0, "cities_with_standing_partnership": 0, "share": None}
    assert held["revision"] == 0


# ── From the index ──


def plans(database: Database, ask: Callable[[Any], Any]) -> list[tuple[str, str]]:
    """How SQLite answers the queries of `ask`: query, step."""
    with database.reading() as session, statements(database) as seen:
        ask(session)
    with database.engine.connect() as connection:
        return [
            (statement, row[3])
            for statement, parameters in seen
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


@pytest.mark.parametrize(
    ("view", "asked", "index"),
    [
        (views, "country=US", "ix_members_country_partnership_id"),
        (views, "country=US&country=JP", "ix_members_country_partnership_id"),
        (views, "city=1", "ix_members_city_id_partnership_id"),
        (views, "status=suspended", "ix_partnerships_status"),
        (views, "established=1973&sort=established", "ix_partnerships_established"),
        (views, "sort=established", "ix_partnerships_established_latest_id"),
        (views, "sort=-established", "ix_partnerships_established_earliest_id"),
        (views, "active_on=1974-01-01", "ix_spells_partnership_id_member_id"),
        (cities, "sort=name", "ix_cities_name_key"),
        (cities, "q=chi", "ix_city_names_key"),
        (cities, "country=US&sort=name", "ix_cities_country_name_key"),
    ],
)
def test_lists_are_answered_from_indexes(sqlite_database: Database, view: Any, asked: str, index: str) -> None:
    query = parse_qs(asked)
    sort = query.pop("sort", [None])[0]
    found = plans(sqlite_database, lambda session: view.listing(session, query, sort=sort))
    steps = [step for _, step in found]
    assert any(index in step for step in steps), steps
    assert not [step for step in steps if re.match(r"SCAN (members|spells|city_names|each_member)\b", step)], steps
    # Child rows are sorted, a page's worth of them; the list itself comes in its order.
    assert "USE TEMP B-TREE FOR ORDER BY" not in [step for statement, step in found if "LIMIT" in statement]
