"""Partnerships over HTTP: making one, insisting, filters, what a record shows."""

from __future__ import annotations

from typing import Any

import pytest
from answering import ANY, assert_problem, listed, revisions
from fastapi.testclient import TestClient

from app.registry import Database

#: The noise: 1 Wellington–Akureyri, 2 Wellington–Kisumu (ended), 3 Akureyri–Kisumu (suspended),
#: 4 Akureyri–Cusco (proposed), 5 the charter of all four.
BODY: dict[str, Any] = {
    "kind": "friendship_city",
    "designation": "Freundschaft",
    "members": [{"city": {"name": "Wellington-noise", "country": "nz"}, "note": "first"}, {"city": "2"}],
    "events": [
        {"type": "proposed", "date": "1980", "declared_by": 2},
        {"type": "signed", "date": "1981-05-02", "authority": "council", "note": "in\nthe rain"},
        {"type": "anniversary", "date": "1991"},
    ],
    "organisations": [{"organisation": 1, "role": "signed"}],
    "citations": [{"source": "NOISE", "field": "established", "value": "1982", "locator": "p. 1"}],
    "succeeds": 1,
    "note": "n",
    "reason": "found",
}


def test_a_partnership_is_made_with_all_that_belongs_to_it(client: TestClient, editor: dict[str, str]) -> None:
    body = BODY | {
        "members": [BODY["members"][0] | {"city": {"name": "Wellington-noise", "country": "NZ"}}, {"city": 2}]
    }
    made = client.post("/v1/partnerships?insist=true", json=body, headers=editor)
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["status"], shown["established"], shown["ended"]) == ("active", "1981-05-02", None)
    assert [member["city"]["name"] for member in shown["members"]] == ["Wellington", "Akureyri"]
    assert [(event["type"], event["position"], event["text"]) for event in shown["events"]] == [
        ("proposed", 1, "1980"), ("signed", 2, "2 May 1981"), ("anniversary", 3, "1991"),
    ]  # fmt: skip
    assert shown["events"][0]["declared_by"]["city"]["name"] == "Akureyri"
    assert shown["organisations"][0]["organisation"]["name"] == "Noise School"
    assert (shown["succeeds"], shown["distance_km"]) == (1, pytest.approx(16_800, rel=0.05))
    (conflict,) = shown["conflicts"]
    assert (conflict["field"], conflict["recorded"], shown["conflicts_count"]) == ("established", ["1981-05-02"], 1)
    assert shown["citations"][0]["source"]["key"] == "NOISE"


def test_without_an_event_it_is_signed_at_an_unknown_date(client: TestClient, editor: dict[str, str]) -> None:
    body = {"kind": "sister_city", "members": [{"city": 1}, {"city": 4}]}
    shown = client.post("/v1/partnerships", json=body, headers=editor).json()
    assert [(event["type"], event["date"], event["text"]) for event in shown["events"]] == [("signed", None, None)]
    assert (shown["status"], shown["established"]) == ("active", None)


def test_a_pair_that_stands_is_shown_and_insisting_helps_only_where_the_kinds_differ(
    client: TestClient, database: Database, editor: dict[str, str]
) -> None:
    pair = {"members": [{"city": 2}, {"city": 1}], "reason": "another council"}
    same = pair | {"kind": "twin_town"}
    for query in ("", "?insist=true"):
        answer = client.post(f"/v1/partnerships{query}", json=same, headers=editor)
        assert [each["id"] for each in assert_problem(answer, 409, "partnership-exists")["candidates"]] == [1]
    other = pair | {"kind": "sister_city"}
    assert_problem(client.post("/v1/partnerships", json=other, headers=editor), 409, "partnership-exists")
    silent = {name: value for name, value in other.items() if name != "reason"}
    refused = client.post("/v1/partnerships?insist=true", json=silent, headers=editor)
    assert [fault["pointer"] for fault in assert_problem(refused, 422, "invalid-value")["errors"]] == ["/reason"]
    assert revisions(database) == 1
    assert client.post("/v1/partnerships?insist=true", json=other, headers=editor).status_code == 201


def test_an_ended_pair_does_not_stand_in_the_way(client: TestClient, editor: dict[str, str]) -> None:
    body = {"kind": "twin_town", "members": [{"city": 1}, {"city": 3}]}
    assert client.post("/v1/partnerships", json=body, headers=editor).status_code == 201


def test_a_change_of_kind_to_one_that_stands_is_refused(client: TestClient, editor: dict[str, str]) -> None:
    body = {"kind": "sister_city", "members": [{"city": 1}, {"city": 2}], "reason": "x"}
    made = client.post("/v1/partnerships?insist=true", json=body, headers=editor)
    answer = client.patch(made.headers["location"], json={"kind": "twin_town"}, headers=editor | ANY)
    assert answer.status_code == 409
    assert answer.json()["type"] in ("/problems/partnership-exists", "/problems/state-conflict")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("city=1", {1, 2, 5}),
        ("city=geonames:9000000", {1, 2, 5}),
        ("city=1,2", {1, 2, 3, 4, 5}),
        ("city=1&city=2", {1, 5}),
        ("city=1&city=1", set()),
        ("country=NZ", {1, 2, 5}),
        ("country=NZ,PE&country=IS", {1, 4, 5}),
        ("country=NZ&city=1", set()),
        ("country=IS&country=KE&country=PE&country=NZ", {5}),
        ("continent=OC", {1, 2, 5}),
        ("continent=oc&continent=AF", {2, 5}),
        ("continent=AF&country=IS", {3, 5}),
        ("kind=charter,project", {4, 5}),
        ("kind=charter&kind=project", set()),
        ("status=ended", {2}),
        ("status=suspended,proposed", {3, 4}),
        ("established=1951", {1}),
        ("established=1950..1952,1953", {1, 2}),
        ("established=..1951", {1}),
        ("established=1952..", {2}),
        ("active_on=1952-06-01", {1}),
        ("active_on=1953-06-01&dates=possible", {1, 2, 3, 5}),
        ("active_on=1960-01-01&dates=possible", {1, 5}),
        ("multilateral=true", {5}),
        ("multilateral=false", {1, 2, 3, 4}),
        ("has_program=true", {1}),
        ("has_program=false&status=active", {5}),
        ("multilateral=true,false&city=4", {4, 5}),
    ],
)
def test_filters_find_what_they_say(client: TestClient, query: str, expected: set[int]) -> None:
    found = listed(client, f"/v1/partnerships?{query}", limit=2)
    assert {item["id"] for item in found} == expected
    assert client.get(f"/v1/partnerships?{query}&count=exact").json()["total"] == len(expected)


@pytest.mark.parametrize(
    ("query", "parameter", "said"),
    [
        ("city=999999", "city", "number"),
        ("country=Atlantis", "country", "ISO 3166-1"),
        ("continent=EUR", "continent", "must be one of"),
        ("kind=sister", "kind", "Did you mean"),
        ("status=activ", "status", "Did you mean active"),
        ("established=1973-02-30", "established", "day"),
        ("established=1980..1970", "established", ""),
        ("established=..", "established", ""),
        ("active_on=1972", "active_on", "one day"),
        ("active_on=1972-02-30", "active_on", ""),
        ("dates=possible", "dates", "active_on"),
        ("active_on=1972-01-01&dates=likely", "dates", "possible"),
        ("multilateral=yes", "multilateral", "true, false"),
        ("&".join(["country=NZ"] * 5), "country", "At most 4"),
        ("city=" + ",".join(["1"] * 201), "city", "alternatives"),
        ("citty=1", "citty", "Did you mean `city`"),
    ],
)
def test_a_filter_that_cannot_be_used_is_named(client: TestClient, query: str, parameter: str, said: str) -> None:
    problem = assert_problem(client.get(f"/v1/partnerships?{query}"), 400, "invalid-parameter")
    assert [fault["parameter"] for fault in problem["errors"]] == [parameter]
    assert said in problem["detail"]


def test_a_day_tells_how_many_were_left_out_as_undated(client: TestClient) -> None:
    certain = client.get("/v1/partnerships?active_on=1953-06-01").json()
    assert ([item["id"] for item in certain["items"]], certain["left_out_as_undated"]) == ([1], 3)
    assert "left_out_as_undated" not in client.get("/v1/partnerships").json()
    paged = client.get("/v1/partnerships?active_on=1953-06-01&dates=possible&limit=1").json()
    assert "dates=possible" in paged["next"]


def test_sorting_by_establishment_puts_the_unknown_last_both_ways(client: TestClient) -> None:
    rising = [item["id"] for item in listed(client, "/v1/partnerships?sort=established")]
    falling = [item["id"] for item in listed(client, "/v1/partnerships?sort=-established")]
    assert rising[:2] == [1, 2]
    assert falling[:2] == [2, 1]
    assert set(rising[2:]) == set(falling[2:]) == {3, 4, 5}


def test_a_partnership_with_programs_is_not_deleted(client: TestClient, editor: dict[str, str]) -> None:
    problem = assert_problem(client.delete("/v1/partnerships/1", headers=editor | ANY), 409, "still-referenced")
    assert problem["references"] == [{"noun": "programs", "id": 1, "field": "partnership"}]


def test_a_partnership_cannot_succeed_itself(client: TestClient, editor: dict[str, str]) -> None:
    answer = client.patch("/v1/partnerships/1", json={"succeeds": 1}, headers=editor | ANY)
    assert [fault["pointer"] for fault in assert_problem(answer, 422, "invalid-value")["errors"]] == ["/succeeds"]


def test_a_charter_takes_many_members_and_shows_no_distance(client: TestClient, editor: dict[str, str]) -> None:
    body = {"kind": "charter", "title": "Three", "members": [{"city": each} for each in (1, 3, 4)]}
    shown = client.post("/v1/partnerships", json=body, headers=editor).json()
    assert (len(shown["members"]), shown["distance_km"], shown["title"]) == (3, None, "Three")
    too_many = body | {"members": [{"city": each} for each in range(1, 1002)]}
    assert_problem(client.post("/v1/partnerships", json=too_many, headers=editor), 422, "invalid-value")
