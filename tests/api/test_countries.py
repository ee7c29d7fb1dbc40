"""Countries over HTTP: they are read, not written."""

from __future__ import annotations

import pytest
from answering import ANY, assert_problem, listed
from fastapi.testclient import TestClient


def test_a_country_shows_its_aliases_and_what_it_has(client: TestClient) -> None:
    shown = client.get("/v1/countries/nz").json()
    assert client.get("/v1/countries/NZ").json() == shown
    assert (shown["code"], shown["alpha3"], shown["cities_count"], shown["partnerships_count"]) == ("NZ", "NZL", 1, 3)
    aliases = client.get("/v1/countries/TR").json()["aliases"]
    assert [alias["text"] for alias in aliases] == ["Turkey"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=jap", ["JP"]),
        ("q=turk", ["TR"]),
        ("q=turkiye", ["TR"]),
        ("q=united", ["US"]),
        ("continent=OC", ["NZ"]),
        ("continent=sa,af", ["BR", "KE", "PE"]),
        ("continent=SA&continent=AF", []),
        ("sort=-code&continent=SA", ["PE", "BR"]),
    ],
)
def test_filters_find_what_they_say(client: TestClient, query: str, expected: list[str]) -> None:
    assert [item["code"] for item in listed(client, f"/v1/countries?{query}", limit=1)] == expected


def test_all_are_paged_by_code(client: TestClient) -> None:
    found = [item["code"] for item in listed(client, "/v1/countries", limit=4)]
    assert found == sorted(found)
    assert len(found) == client.get("/v1/countries?count=exact").json()["total"] == 15


def test_a_country_has_a_history_and_nobody_writes_it_here(client: TestClient, admin: dict[str, str]) -> None:
    history = client.get("/v1/countries/jp/history").json()
    assert [entry["number"] for entry in history["items"]] == [1]
    assert client.get("/v1/countries/jp/history/1").json()["content"]["name"] == "Japan"
    for method, path in (("POST", ""), ("PATCH", "/JP"), ("DELETE", "/JP")):
        answer = client.request(method, f"/v1/countries{path}", headers=admin | ANY)
        assert assert_problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"] == "GET, HEAD"
    assert TestClient.request(client, "POST", "/v1/countries/JP/redact", headers=admin).status_code == 404


@pytest.mark.parametrize("code", ["ZZ", "J", "JPN", "J%00", "%00%00", "1", "日本", "%FF%FE"])
def test_a_code_that_is_none_is_not_found(client: TestClient, code: str) -> None:
    for rest in ("", "/history", "/history/1"):
        assert_problem(client.get(f"/v1/countries/{code}{rest}"), 404, "not-found")
