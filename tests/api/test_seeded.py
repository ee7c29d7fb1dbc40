"""The founding facts, asked of the API over the real seeds: what shows that the registry is done."""

from __future__ import annotations

from typing import Any

import pytest
from answering import ANY, assert_problem, listed
from fastapi.testclient import TestClient

from app.registry import Database, checking

CHICAGO, OSAKA, GILBERT = "wikidata:Q1297", "wikidata:Q35765", 35


def names(partnership: dict[str, Any]) -> set[str]:
    return {member["city"]["name"] for member in partnership["members"]}


def pairs(client: TestClient, query: str) -> list[set[str]]:
    return [names(item) for item in listed(client, f"/v1/partnerships?{query}", limit=7)]


def total(client: TestClient, path: str) -> int:
    return int(client.get(f"{path}{'&' if '?' in path else '?'}count=exact&limit=1").json()["total"])


def only(client: TestClient, query: str) -> dict[str, Any]:
    found = client.get(f"/v1/partnerships?{query}").json()["items"]
    assert len(found) == 1
    return dict(client.get(f"/v1/partnerships/{found[0]['id']}").json())


def test_chicago_has_29_partnerships_28_of_them_sister_cities(seeded: TestClient) -> None:
    for path in (f"/v1/partnerships?city={CHICAGO}", f"/v1/cities/{CHICAGO}/partnerships", "/v1/cities/1/partnerships"):
        assert total(seeded, path) == 29
        assert len(listed(seeded, path, limit=10)) == 29
    assert total(seeded, f"/v1/partnerships?city={CHICAGO}&kind=sister_city") == 28
    assert pairs(seeded, f"city={CHICAGO}&kind=partner_city") == [{"Chicago", "Paris"}]
    assert seeded.get(f"/v1/cities/{CHICAGO}").json()["partnerships_count"] == 29


def test_osaka_has_eight_one_of_them_ended_and_one_a_friendship_city(seeded: TestClient) -> None:
    assert total(seeded, f"/v1/partnerships?city={OSAKA}") == 8
    assert pairs(seeded, f"city={OSAKA}&kind=friendship_city") == [{"Osaka", "Shanghai"}]
    ended = only(seeded, f"city={OSAKA}&status=ended")
    assert {member["city"]["name"]: member["status"] for member in ended["members"]} == {
        "Osaka": "ended",
        "San Francisco": "active",
    }
    assert (ended["established"], ended["ended"]) == ("1957", "2018-10-02")
    types = [(event["type"], event["date"]) for event in ended["events"]]
    assert ("decided", "2017-12-13") in types
    assert ("ended", "2018-10-02") in types


def test_between_the_united_states_and_japan_there_are_three(seeded: TestClient) -> None:
    expected = [{"Chicago", "Osaka"}, {"San Francisco", "Osaka"}, {"Saint Paul", "Nagasaki"}]
    found = pairs(seeded, "country=US&country=JP")
    assert len(found) == 3
    assert all(each in found for each in expected)
    assert pairs(seeded, "country=US&country=US") == []


def test_only_chicago_and_moscow_are_suspended_which_a_source_denies(seeded: TestClient) -> None:
    moscow = only(seeded, "status=suspended")
    assert names(moscow) == {"Chicago", "Moscow"}
    assert [(event["type"], event["date"], event["authority"]) for event in moscow["events"]] == [
        ("signed", "1997", None),
        ("suspended", "2022-03-01", "mayor"),
        ("rejected", "2023-05-24", "council"),
    ]
    conflict = next(each for each in moscow["conflicts"] if each["field"] == "status")
    assert conflict["recorded"] == ["suspended"]
    assert {claim["value"]: [source["key"] for source in claim["sources"]] for claim in conflict["claims"]} == {
        "suspended": ["S20"],
        "ended": ["S21"],
    }
    assert moscow["conflicts_count"] == len(moscow["conflicts"])


def test_gilbert_in_arkansas_shows_its_conflict_and_none_for_its_population(seeded: TestClient) -> None:
    gilbert = seeded.get(f"/v1/cities/{GILBERT}").json()
    assert (gilbert["subdivision"], gilbert["conflicts"]) == ("US-AR", [])
    assert [(row["people"], row["year"]) for row in gilbert["populations"]] == [(28, 2010), (26, 2020)]
    partnership = only(seeded, f"city={GILBERT}")
    (conflict,) = partnership["conflicts"]
    assert conflict["field"] == "members"
    sources = {claim["city"]: [source["key"] for source in claim["sources"]] for claim in conflict["claims"]}
    ids = {name: seeded.get("/v1/cities", params={"q": name}).json()["items"][0]["id"] for name in ("Isle of", "Bride")}
    assert sources[ids["Isle of"]] == ["S1"]
    assert sources[ids["Bride"]] == ["S11"]
    assert total(seeded, "/v1/cities?q=gilbert&country=US") == 2


def test_sao_paulo_has_two_years_from_two_sources(seeded: TestClient) -> None:
    partnership = only(seeded, f"city={CHICAGO}&country=BR")
    (conflict,) = partnership["conflicts"]
    assert conflict["field"] == "established"
    assert {claim["value"] for claim in conflict["claims"]} == {"2004", "2000"}


def test_douzelage_is_one_agreement_with_28_present_of_30_members(seeded: TestClient) -> None:
    charter = only(seeded, "kind=charter")
    assert (charter["title"], charter["distance_km"]) == ("Douzelage", None)
    statuses = [member["status"] for member in charter["members"]]
    assert (len(statuses), statuses.count("active")) == (30, 28)
    left = {member["city"]["name"]: member["left"] for member in charter["members"] if member["status"] == "ended"}
    assert left == {"Karkkila": "2016", "Prienai": "2018"}
    assert pairs(seeded, "multilateral=true") == [names(charter)]


@pytest.mark.parametrize(
    ("day", "present", "absent"),
    [
        ("1972-01-01", [{"Chicago", "Warsaw"}], [{"Chicago", "Milan"}, {"Chicago", "Osaka"}]),
        ("2022-02-01", [{"Chicago", "Moscow"}, {"Chicago", "Osaka"}], [{"Osaka", "San Francisco"}]),
        ("2022-06-01", [{"Chicago", "Osaka"}], [{"Chicago", "Moscow"}]),
        ("2018-10-01", [{"Osaka", "San Francisco"}], []),
        ("2018-10-03", [], [{"Osaka", "San Francisco"}]),
    ],
)
def test_what_was_in_force_on_a_day(
    seeded: TestClient, day: str, present: list[set[str]], absent: list[set[str]]
) -> None:
    found = pairs(seeded, f"active_on={day}")
    assert all(each in found for each in present)
    assert all(each not in found for each in absent)
    certain = seeded.get(f"/v1/partnerships?active_on={day}&count=exact&limit=1").json()
    possible = seeded.get(f"/v1/partnerships?active_on={day}&dates=possible&count=exact&limit=1").json()
    assert possible["total"] == certain["total"] + certain["left_out_as_undated"]
    assert certain["left_out_as_undated"] > 0


def test_the_seventies_are_found_by_their_bounds(seeded: TestClient) -> None:
    found = pairs(seeded, "established=1970..1979")
    assert {"Chicago", "Osaka"} in found
    assert {"Chicago", "Warsaw"} not in found
    assert {"Chicago", "Warsaw"} in pairs(seeded, "established=..1969")


def test_chicago_and_osaka_have_at_least_six_programs_with_their_occasions(seeded: TestClient) -> None:
    partnership = only(seeded, f"city={CHICAGO}&city={OSAKA}")
    assert partnership["programs_count"] >= 6
    found = listed(seeded, f"/v1/programs?partnership={partnership['id']}", limit=3)
    assert len(found) == partnership["programs_count"]
    whole = [seeded.get(f"/v1/programs/{item['id']}").json() for item in found]
    dispatch = next(each for each in whole if "Dispatch" in each["name"])
    assert [(row["since"], row["until"], row["people"]) for row in dispatch["occasions"]] == [
        ("2019-03-09", "2019-03-18", 10)
    ]
    assert sum(len(each["occasions"]) for each in whole) >= 4
    assert partnership["distance_km"] == pytest.approx(10_445, rel=0.005)


def test_the_summary_counts_what_the_lists_hold(seeded: TestClient) -> None:
    summary = seeded.get("/v1").json()
    for noun, path in summary["links"].items():
        counted = noun.replace("-", "_")
        if counted in summary["counts"] and noun != "changes":
            assert total(seeded, path) == summary["counts"][counted], noun
    assert (summary["revision"], summary["continents_reached"]) == (1, 6)
    reach = summary["reach"]
    assert reach["share"] == pytest.approx(reach["cities_with_standing_partnership"] / reach["cities_known"], abs=1e-4)


def test_a_pairing_is_added_read_in_its_history_and_undone(
    seeded: TestClient, chief_of_seeds: dict[str, str], seeded_database: Database
) -> None:
    before = seeded.get(f"/v1/cities/{OSAKA}/partnerships").json()
    body = {
        "kind": "sister_city",
        "members": [{"city": OSAKA}, {"city": {"name": "Toronto", "country": "CA"}}],
        "events": [{"type": "signed", "date": "1990-05"}],
        "citations": [{"source": "S5", "field": "established", "value": "1991"}],
        "reason": "a try",
    }
    made = seeded.post("/v1/partnerships", json=body, headers=chief_of_seeds)
    assert (made.status_code, made.json()["revision"], made.json()["conflicts_count"]) == (201, 2, 1)
    assert total(seeded, f"/v1/partnerships?city={OSAKA}") == 9
    history = seeded.get(made.headers["location"] + "/history").json()["items"]
    assert [(entry["reason"], entry["account"]) for entry in history] == [("a try", "head of desk")]
    assert any(
        "signed" in difference["text"] and "1990-05" in difference["text"] for difference in history[0]["differences"]
    )
    assert seeded.post("/v1/revisions/2/undo", json={}, headers=chief_of_seeds).status_code == 201
    assert_problem(seeded.get(made.headers["location"]), 410, "deleted")
    assert seeded.get(f"/v1/cities/{OSAKA}/partnerships").json() == before
    with seeded_database.reading() as session:
        assert checking.check(session) == []


def test_the_seeds_themselves_can_be_undone_and_brought_back(
    seeded: TestClient, chief_of_seeds: dict[str, str]
) -> None:
    before = seeded.get("/v1/partnerships?limit=1000").json()["items"]
    assert seeded.post("/v1/revisions/1/undo", json={}, headers=chief_of_seeds).status_code == 201
    assert set(seeded.get("/v1").json()["counts"].values()) == {0, 2, 874}
    assert seeded.post("/v1/revisions/2/undo", json={}, headers=chief_of_seeds).status_code == 201
    after = seeded.get("/v1/partnerships?limit=1000").json()["items"]
    for old, new in zip(before, after, strict=True):
        assert {**old, "revision": 3, "updated_at": new["updated_at"]} == new


def test_every_page_of_everything_is_as_documented(seeded: TestClient) -> None:
    for noun in ("countries", "cities", "partnerships", "programs", "organisations", "sources", "reported-figures"):
        for item in listed(seeded, f"/v1/{noun}", limit=100):
            key = item.get("id", item.get("code"))
            assert seeded.get(f"/v1/{noun}/{key}").status_code == 200
            assert seeded.get(f"/v1/{noun}/{key}/history").json()["total"] == 1


def test_a_list_read_with_a_stale_tag_is_given_anew(seeded: TestClient, chief_of_seeds: dict[str, str]) -> None:
    tag = {"If-None-Match": seeded.get("/v1/cities").headers["etag"]}
    assert seeded.get("/v1/cities", headers=tag).status_code == 304
    seeded.patch("/v1/cities/1", json={"note": "x"}, headers=chief_of_seeds | ANY)
    assert seeded.get("/v1/cities", headers=tag).status_code == 200
