"""What cells of a spreadsheet mean: queries with and without a country, types, limits, doubts."""

from __future__ import annotations

from typing import Any

import pytest
from answering import ANY
from fastapi.testclient import TestClient
from making import city, written
from reconciling import ReadingClient, reconciled, seeded_client, told, world_client
from small_world import World, build, statements

from app.registry import Database

seeded = pytest.fixture(scope="module")(seeded_client)
standing = pytest.fixture(scope="module")(world_client)


@pytest.fixture
def world(standing: ReadingClient) -> World:
    """What the standing registry holds."""
    return standing.world


GILBERT = {"query": "Gilbert", "type": "city"}
ARKANSAS, ARIZONA, CHICAGO, OSAKA = "35", "36", "1", "30"


def matches(candidates: list[dict[str, Any]]) -> list[str]:
    """The ids that are taken for certain: one or none."""
    found = [each["id"] for each in candidates if each["match"]]
    assert len(found) <= 1
    assert found == [each["id"] for each in candidates[: len(found)]]
    return found


def ids(candidates: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in candidates]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Osaka, Japan", OSAKA),
        ("osaka, JP", OSAKA),
        ("大阪, Japan", OSAKA),
        ({"query": "Osaka", "properties": told(country="Japan")}, OSAKA),
        ({"query": "Osaka, Japan", "properties": told(country="JPN")}, OSAKA),
        ({"query": "Osaka", "properties": told(country={"id": "JP", "name": "Japan"})}, OSAKA),
        ({"query": "Osaka", "properties": told(country=["", "JP"])}, OSAKA),
        ({"query": "Osaka", "type": ["city"], "type_strict": "should", "properties": told(country="JP")}, OSAKA),
        ({"query": "Osaka", "properties": told(coordinates="34.69,135.50")}, OSAKA),
        ({"query": "Osaka", "properties": told(latitude="34.69", longitude=135.5)}, OSAKA),
        ({"query": "Osaka", "properties": told(country="JP", somethingelse="x", kind="city", population="2,7")}, OSAKA),
        ("wikidata:Q1297", CHICAGO),
        ("Q1297", CHICAGO),
        ("https://www.wikidata.org/wiki/Q1297", CHICAGO),
        ({"query": "Chicago", "properties": told(wikidata="Q1297")}, CHICAGO),
        ({"query": "Chicago", "properties": told(wikidata={"id": "Q1297", "name": "Chicago"})}, CHICAGO),
        ({"query": "Chicago", "properties": told(identifier="wikidata:Q1297")}, CHICAGO),
        ({"properties": told(wikidata="Q1297")}, CHICAGO),
        ({"properties": told(name="Chicago", country="US")}, CHICAGO),
        ("Gilbert, Arkansas, United States", ARKANSAS),
        (GILBERT | {"properties": told(country="Arkansas, United States")}, ARKANSAS),
        (GILBERT | {"properties": told(country="US", subdivision="US-AZ")}, ARIZONA),
        (GILBERT | {"properties": told(country="US", coordinates="35.99 -92.71")}, ARKANSAS),
    ],
)  # fmt: skip
def test_what_is_said_well_is_taken(seeded: TestClient, query: Any, expected: str) -> None:
    (found,) = reconciled(seeded, query)
    assert matches(found) == [expected]
    best = found[0]
    assert 80 <= best["score"] <= 100
    assert best["type"] == [{"id": "city", "name": "City"}]
    assert best["features"]
    assert all(0 <= each["value"] <= 1 for each in best["features"])


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("Gilbert, United States", {ARKANSAS, ARIZONA}),
        (GILBERT, {ARKANSAS, ARIZONA}),
        ("Gilbert, Arkansas", {ARKANSAS}),
        ("Osaka", {OSAKA}),
        ("大阪", {OSAKA}),
        ("Osakaa", {OSAKA}),
        ("30", {OSAKA}),
        ({"query": "Osaka", "properties": told(country="Atlantis")}, {OSAKA}),
        ({"query": "Osaka", "properties": told(coordinates="somewhere")}, {OSAKA}),
        ({"query": "Osaka", "properties": told(country="JP", coordinates="somewhere")}, {OSAKA}),
        ({"query": "Osaka", "properties": told(country="JP", latitude=134.69, longitude=35.5)}, {OSAKA}),
        ({"query": "Osaka", "properties": told(country="JP", latitude=34.69)}, {OSAKA}),
        ({"query": "Osaka", "properties": told(country="JP", wikidata="none")}, {OSAKA}),
    ],
)
def test_what_is_doubtful_is_shown_and_not_taken(seeded: TestClient, query: Any, shown: set[str]) -> None:
    (found,) = reconciled(seeded, query)
    assert matches(found) == []
    assert shown <= set(ids(found))
    assert found[0]["id"] in shown


@pytest.mark.parametrize(
    "query",
    [
        "Nowhere at all",
        "",
        "   ",
        "\0",
        "?!",
        "99999999999999999999999",
        "999999",
        "wikidata:Q999999999",
        "\ufffe",
        ", , ,",
        "Hans-Eberhard Urbaniak",
        {"query": "Osaka", "properties": told(country="Peru")},
        {"query": "Osaka", "type": "person"},
        {"query": "Osaka", "type": ["city", "country"], "type_strict": "all"},
        {"properties": told(uid="27eb892afbb2")},
    ],
)
def test_what_is_nothing_here_has_no_candidates(seeded: TestClient, query: Any) -> None:
    (found,) = reconciled(seeded, query)
    assert matches(found) == []
    assert [each for each in found if each["type"][0]["id"] == "city" and each["name"] != "Osaka"] == []


@pytest.mark.parametrize(
    ("query", "types", "expected"),
    [
        ("Japan", {}, ["JP"]),
        ("Japan", {"type": "country"}, ["JP"]),
        ("JP", {"type": ["country", "person"]}, ["JP"]),
        ("Japan", {"type": "person", "type_strict": "should"}, ["JP"]),
        ("Deutschland", {"type": "country"}, ["DE"]),
        ("Japan", {"type": "city"}, []),
        ("England", {"type": "country"}, []),
        ("JP", {}, []),
        ("Japan", {"properties": told(country="US")}, []),
    ],
)
def test_countries_are_entities_too(seeded: TestClient, query: str, types: dict[str, Any], expected: list[str]) -> None:
    (found,) = reconciled(seeded, {"query": query} | types)
    assert matches(found) == expected
    assert all(each["type"][0]["id"] == "country" for each in found)


def test_a_misspelt_country_is_suggested_and_never_taken(seeded: TestClient) -> None:
    (found,) = reconciled(seeded, {"query": "Jappan", "type": "country"})
    assert ids(found)[:1] == ["JP"]
    assert matches(found) == []
    assert found[0]["score"] <= 90


def test_a_limit_keeps_the_best(seeded: TestClient) -> None:
    all_of_them, one, whole = reconciled(seeded, GILBERT, GILBERT | {"limit": 1}, GILBERT | {"limit": 1.0})
    assert len(all_of_them) >= 2
    assert one == whole == all_of_them[:1]
    scores = [each["score"] for each in all_of_them]
    assert scores == sorted(scores, reverse=True)


def test_each_query_is_judged_by_itself(seeded: TestClient) -> None:
    alone = [reconciled(seeded, query)[0] for query in ("Osaka", "Osaka, Japan", "Gilbert", "Japan")]
    assert reconciled(seeded, "Osaka", "Osaka, Japan", "Gilbert", "Japan") == alone


def test_candidates_say_what_tells_them_apart(seeded: TestClient) -> None:
    (found,) = reconciled(seeded, GILBERT)
    assert {each["description"] for each in found} >= {"Town in US-AR, United States", "Town in US-AZ, United States"}


# ── On both engines, beside the noise ──


def test_names_of_every_script_are_found_with_and_without_their_country(standing: ReadingClient, world: World) -> None:
    paulo, chicago = str(world.cities["sao paulo"]), str(world.cities["chicago"])
    found = reconciled(standing, "SAO PAULO, Brazil", "Sao Paolo", "Чикаго", "Чикаго, United States")
    assert [ids(each)[:1] for each in found] == [[paulo], [paulo], [chicago], [chicago]]
    assert [matches(each) for each in found] == [[paulo], [], [], [chicago]]


def test_a_merged_city_is_found_as_the_one_it_was_merged_into(standing: ReadingClient, world: World) -> None:
    windy, chicago = str(world.cities["windy"]), str(world.cities["chicago"])
    for query in ("Windy", "Second Windy", windy):
        (found,) = reconciled(standing, {"query": query, "type": "city"})
        assert windy not in ids(found)
    assert ids(found) == [chicago]


def test_a_deleted_city_is_no_candidate(client: TestClient, database: Database, editor: dict[str, str]) -> None:
    lyon = str(build(database).cities["lyon"])
    assert [ids(each) for each in reconciled(client, "Lyon", lyon)] == [[lyon], [lyon]]
    assert client.delete(f"/v1/cities/{lyon}", headers=editor | ANY).status_code == 204
    assert lyon not in ids(reconciled(client, {"query": "Lyon", "type": "city"})[0])
    assert reconciled(client, lyon) == [[]]


def test_coordinates_take_a_namesake_only_where_it_has_some_too(standing: ReadingClient, world: World) -> None:
    here = told(coordinates="-23.55,-46.63")
    (found,) = reconciled(standing, {"query": "São Paulo", "properties": here})
    assert ids(found) == [str(world.cities["sao paulo"])]
    assert matches(found) == []


def test_a_far_namesake_is_not_taken(client: TestClient, database: Database) -> None:
    world = build(database)
    with written(database) as session:
        city(session, "Paris", "US", subdivision="US-TX", latitude=33.66, longitude=-95.56)
    near, texas, nowhere = reconciled(
        client,
        {"query": "Paris", "type": "city", "properties": told(coordinates="48.86,2.35")},
        {"query": "Paris", "type": "city", "properties": told(coordinates="33.66,-95.56")},
        {"query": "Paris", "type": "city", "properties": told(coordinates="0,0")},
    )
    assert matches(near) == [str(world.cities["paris"])]
    assert matches(texas) != matches(near)
    assert len(matches(texas)) == 1
    assert matches(nowhere) == []


def test_a_batch_asks_no_question_per_query(standing: ReadingClient, world: World) -> None:
    names = ["Chicago", "Osaka", "Boston", "Kyoto", "Paris", "Berlin", "Lyon", "Mitte", "Nowhere", "Akureyri"]
    told_all = [{"query": name, "properties": told(country="FR", coordinates="48.86,2.35")} for name in names]
    reconciled(standing, "Osaka")
    counted = []
    for batch in ([names[0], told_all[0]], [*names, *told_all], [*names, *told_all] * 4):
        with statements(world.database) as seen:
            reconciled(standing, *batch)
        counted.append(len(seen))
    assert counted[2] == counted[1] <= counted[0] + 6
