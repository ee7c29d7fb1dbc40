"""Organisations over HTTP."""

from __future__ import annotations

import pytest
from answering import ANY, assert_problem, listed
from fastapi.testclient import TestClient


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=écol", ["École"]),
        ("q=NOISE", ["Noise School"]),
        ("kind=school", ["Noise School", "École"]),
        ("kind=consulate,network", ["Bureau"]),
        ("city=1", ["Noise School"]),
        ("city=geonames:9000001,1", ["Noise School", "École"]),
        ("country=IS", ["École"]),
        ("country=NZ,IS&kind=school", ["Noise School", "École"]),
        ("sort=-name", ["Noise School", "École", "Bureau"]),
        ("q=x", []),
    ],
)
def test_filters_find_what_they_say(
    client: TestClient, editor: dict[str, str], query: str, expected: list[str]
) -> None:
    for body in ({"name": "École", "kind": "school", "city": 2}, {"name": "Bureau", "kind": "consulate"}):
        assert client.post("/v1/organisations", json=body, headers=editor).status_code == 201
    assert [item["name"] for item in listed(client, f"/v1/organisations?{query}", limit=1)] == expected


def test_an_organisation_shows_what_it_carries(client: TestClient) -> None:
    shown = client.get("/v1/organisations/1").json()
    assert shown["city"] == {"id": 1, "name": "Wellington", "country": "NZ"}
    assert shown["partnerships"] == [{"partnership": 1, "role": "coordinates"}]
    assert shown["programs"] == [{"id": 1, "name": "Noise exchange"}]


def test_an_organisation_in_use_is_not_deleted(client: TestClient, editor: dict[str, str]) -> None:
    problem = assert_problem(client.delete("/v1/organisations/1", headers=editor | ANY), 409, "still-referenced")
    assert {each["noun"] for each in problem["references"]} == {"partnerships", "programs"}


def test_a_seat_is_a_city_that_is_known(client: TestClient, editor: dict[str, str]) -> None:
    body = {"name": "x", "kind": "other", "city": {"name": "Nowhere", "country": "NZ"}}
    answer = client.post("/v1/organisations", json=body, headers=editor)
    assert assert_problem(answer, 422, "unknown-reference")["errors"][0]["pointer"] == "/city"
