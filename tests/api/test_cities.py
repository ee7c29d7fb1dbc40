"""Cities over HTTP: filters, addresses, lookalikes, merging."""

from __future__ import annotations

from typing import Any

import pytest
from answering import ANY, assert_problem, listed, revisions
from fastapi.testclient import TestClient

from app.registry import Database


def add(client: TestClient, key: dict[str, str], name: str, country: str = "US", **more: Any) -> int:
    body = {"name": name, "country": country, "kind": "city", "reason": "another"} | more
    made = client.post("/v1/cities?insist=true", json=body, headers=key)
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


@pytest.fixture
def towns(client: TestClient, editor: dict[str, str]) -> dict[str, int]:
    """Cities by name: a county with two towns in it, and their namesakes elsewhere."""
    county = add(client, editor, "Searcy County", kind="county", subdivision="US-AR")
    names = [{"text": "Гилберт", "language": "ru", "kind": "exonym"}, {"text": "Saint Gilbert", "kind": "former"}]
    return {
        "county": county,
        "arkansas": add(client, editor, "Gilbert", kind="town", subdivision="US-AR", part_of=county, names=names),
        "arizona": add(client, editor, "Gilbert", kind="town", subdivision="US-AZ"),
        "paulo": add(client, editor, "São Paulo", "BR"),
        "leslie": add(client, editor, "Leslie, Arkansas", kind="village", part_of=county),
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=gilb", {"arkansas", "arizona"}),
        ("q=GILBERT", {"arkansas", "arizona"}),
        ("q=гил", {"arkansas", "arizona"}),
        ("q=saint-GIL", {"arkansas"}),
        ("q=sao paulo", {"paulo"}),
        ("q=São  P", {"paulo"}),
        ("q=lbert", set()),
        ("q=Leslie, Ark", {"leslie"}),
        ("q=gil&q=saint", {"arkansas"}),
        ("country=BR", {"paulo"}),
        ("country=bra,US", {"county", "arkansas", "arizona", "paulo", "leslie"}),
        ("country=US&country=BR", set()),
        ("kind=town,village&country=US", {"arkansas", "arizona", "leslie"}),
        ("kind=village", {"leslie"}),
        ("subdivision=US-AR", {"county", "arkansas"}),
        ("subdivision=US-AR,US-AZ&kind=town", {"arkansas", "arizona"}),
        ("part_of={county}", {"arkansas", "leslie"}),
        ("part_of={county}&q=gil", {"arkansas"}),
    ],
)
def test_filters_find_what_they_say(client: TestClient, towns: dict[str, int], query: str, expected: set[str]) -> None:
    found = {item["id"] for item in listed(client, "/v1/cities?" + query.format(**towns))}
    assert found == {towns[name] for name in expected}
    assert client.get(f"/v1/cities?{query.format(**towns)}&count=exact").json()["total"] == len(expected)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("country=ZZ", "ISO 3166-1"),
        ("country=", "empty"),
        ("country=US,", "empty"),
        ("kind=twon", "Did you mean town"),
        ("part_of=999999", "number"),
        ("part_of=wikidata:Q42", "identifier"),
        ("part_of=wikidata:42", "Wikidata"),
        ("q=" + "x" * 301, "at most"),
        ("&".join(["q=a"] * 11), "at most 10"),
        ("contry=US", "Did you mean `country`"),
    ],
)
def test_a_filter_that_cannot_be_used_is_named(client: TestClient, query: str, said: str) -> None:
    problem = assert_problem(client.get(f"/v1/cities?{query}"), 400, "invalid-parameter")
    assert [fault["parameter"] for fault in problem["errors"]] == [query.split("=", maxsplit=1)[0]]
    assert said in problem["detail"]


def test_sorting_by_name_folds_and_pages(client: TestClient, towns: dict[str, int]) -> None:
    found = [item["name"] for item in listed(client, "/v1/cities?sort=name")]
    assert found.index("Gilbert") < found.index("Leslie, Arkansas") < found.index("São Paulo")
    assert [item["name"] for item in listed(client, "/v1/cities?sort=-name", limit=3)] == found[::-1]


def test_a_city_is_addressed_by_any_identifier(client: TestClient, editor: dict[str, str]) -> None:
    client.post("/v1/cities/1/identifiers", json={"scheme": "osm", "value": "relation/4266321"}, headers=editor)
    whole = client.get("/v1/cities/1").json()
    for key in ("geonames:9000000", "GeoNames:9000000", "osm:relation-4266321"):
        assert client.get(f"/v1/cities/{key}").json() == whole
        assert client.get(f"/v1/cities/{key}/partnerships").json()["items"]
        assert client.get(f"/v1/cities/{key}/history").json()["total"] == 2
        assert client.get(f"/v1/cities/{key}/names").json()["items"] == whole["names"]
    changed = client.patch("/v1/cities/geonames:9000000", json={"note": "x"}, headers=editor | ANY)
    assert (changed.status_code, changed.json()["id"]) == (200, 1)
    assert_problem(client.get("/v1/cities/geonames:1"), 404, "not-found")


def test_a_citys_partnerships_take_the_filters_of_partnerships(client: TestClient) -> None:
    own = listed(client, "/v1/cities/1/partnerships")
    assert own == listed(client, "/v1/partnerships?city=1")
    assert {item["kind"] for item in listed(client, "/v1/cities/1/partnerships?kind=charter")} == {"charter"}
    both = listed(client, "/v1/cities/1/partnerships?city=2")
    assert both == listed(client, "/v1/partnerships?city=1&city=2")
    assert len(both) < len(own)
    problem = assert_problem(client.get("/v1/cities/1/partnerships?kinds=x"), 400, "invalid-parameter")
    assert "kind" in problem["detail"]


LOOKALIKES: list[tuple[dict[str, Any], str]] = [
    ({"name": "WELLINGTON"}, "same name"),
    ({"name": "Wellington-noise"}, "same name"),
    ({"name": "Welington", "latitude": -41.3, "longitude": 174.8}, "within 10 km"),
]


def test_a_city_that_looks_like_a_known_one_needs_a_reason(
    client: TestClient, database: Database, editor: dict[str, str]
) -> None:
    for more, reason in LOOKALIKES:
        body = {"country": "NZ", "kind": "city"} | more
        problem = assert_problem(client.post("/v1/cities", json=body, headers=editor), 409, "city-exists")
        assert [each["id"] for each in problem["candidates"]] == [1]
        assert reason in problem["candidates"][0]["reason"]
        assert 0.8 < problem["candidates"][0]["score"] <= 1
        assert client.post("/v1/cities?insist=false", json=body, headers=editor).status_code == 409
        refused = client.post("/v1/cities?insist=true", json=body, headers=editor)
        assert [fault["pointer"] for fault in assert_problem(refused, 422, "invalid-value")["errors"]] == ["/reason"]
    for insist in ("yes", "1", "", "on", "maybe", "true&insist=true"):
        assert_problem(client.post(f"/v1/cities?insist={insist}", json={}, headers=editor), 400, "invalid-parameter")
    assert revisions(database) == 1
    made = client.post("/v1/cities?insist=true", json=body | {"reason": "in another county"}, headers=editor)
    assert made.status_code == 201
    assert client.get("/v1/revisions/2").json()["reason"] == "in another county"


def test_a_city_in_use_is_not_deleted(client: TestClient, editor: dict[str, str]) -> None:
    problem = assert_problem(client.delete("/v1/cities/1", headers=editor | ANY), 409, "still-referenced")
    assert {each["noun"] for each in problem["references"]} >= {"partnerships", "programs", "organisations"}


def merged(client: TestClient, editor: dict[str, str], admin: dict[str, str]) -> tuple[int, int, int, int]:
    """A double of Wellington, with a pair that Wellington holds too, merged into it: both losers and winners."""
    double = add(client, editor, "Whanganui-a-Tara", "NZ", identifiers=[{"scheme": "wikidata", "value": "Q23661"}])
    body = {"kind": "twin_town", "members": [{"city": double}, {"city": 2}]}
    doubled = client.post("/v1/partnerships", json=body, headers=editor).json()["id"]
    assert_problem(client.post(f"/v1/cities/{double}/merge", json={"into": 1}, headers=editor), 403, "forbidden")
    answer = client.post(
        f"/v1/cities/{double}/merge", json={"into": "geonames:9000000", "reason": "one"}, headers=admin
    )
    assert (answer.status_code, answer.json()["id"]) == (200, 1)
    return double, 1, int(doubled), 1


def test_a_merged_city_and_its_doubled_pair_lead_on(
    client: TestClient, editor: dict[str, str], admin: dict[str, str]
) -> None:
    double, winner, doubled, twin = merged(client, editor, admin)
    for noun, loser, into in (("cities", double, winner), ("partnerships", doubled, twin)):
        for rest in ("", "/citations", "/citations/1"):
            moved = client.get(f"/v1/{noun}/{loser}{rest}")
            assert assert_problem(moved, 301, "merged")["merged_into"] == into
            assert moved.headers["location"] == f"/v1/{noun}/{into}{rest}"
        for answer in (
            client.patch(f"/v1/{noun}/{loser}", json={"note": "x"}, headers=editor | ANY),
            client.delete(f"/v1/{noun}/{loser}", headers=editor | ANY),
            client.post(f"/v1/{noun}/{loser}/citations", json={"source": 1, "field": "note"}, headers=editor),
        ):
            assert_problem(answer, 308, "merged")
            assert answer.headers["location"].startswith(f"/v1/{noun}/{into}")
        assert client.get(f"/v1/{noun}/{loser}/history").json()["total"] == 2
        assert loser not in [item["id"] for item in listed(client, f"/v1/{noun}")]
    page = client.get(f"/v1/cities/{double}/partnerships?kind=charter&limit=5")
    assert page.headers["location"] == "/v1/cities/1/partnerships?kind=charter&limit=5"
    assert client.get("/v1/cities/wikidata:Q23661").json()["id"] == winner
    assert client.get(f"/v1/partnerships?city={double}").json() == client.get("/v1/partnerships?city=1").json()


def test_a_merge_is_undone_as_one_revision(client: TestClient, editor: dict[str, str], admin: dict[str, str]) -> None:
    double, _winner, doubled, _twin = merged(client, editor, admin)
    number = client.get("/v1/revisions?limit=1").json()["items"][0]["number"]
    assert client.post(f"/v1/revisions/{number}/undo", json={}, headers=admin).status_code == 201
    assert client.get(f"/v1/cities/{double}").status_code == 200
    assert client.get(f"/v1/partnerships/{doubled}").json()["status"] == "active"
    assert client.get("/v1/cities/wikidata:Q23661").json()["id"] == double


def test_partners_of_each_other_are_not_one_city(client: TestClient, admin: dict[str, str]) -> None:
    problem = assert_problem(client.post("/v1/cities/1/merge", json={"into": 2}, headers=admin), 409, "merge-refused")
    assert {each["noun"] for each in problem["obstacles"]} == {"partnerships"}
    itself = client.post("/v1/cities/1/merge", json={"into": 1}, headers=admin)
    assert [fault["pointer"] for fault in assert_problem(itself, 422, "invalid-value")["errors"]] == ["/into"]
    for into in (999_999, "wikidata:Q42", "nowhere"):
        answer = client.post("/v1/cities/1/merge", json={"into": into}, headers=admin)
        assert assert_problem(answer, 422, "unknown-reference")["errors"][0]["pointer"] == "/into"
    assert_problem(client.post("/v1/cities/999999/merge", json={"into": 1}, headers=admin), 404, "not-found")
