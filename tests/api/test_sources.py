"""Sources over HTTP."""

from __future__ import annotations

from answering import ANY, assert_problem, listed
from fastapi.testclient import TestClient


def test_a_source_shows_what_it_is_cited_for(client: TestClient) -> None:
    shown = client.get("/v1/sources/1").json()
    assert (shown["key"], shown["citations_count"]) == ("NOISE", 1)
    assert shown["citations"] == [{"noun": "partnerships", "id": 1, "field": "established", "value": "1952"}]


def test_all_that_a_source_is_cited_for_is_a_list_of_its_own(client: TestClient, editor: dict[str, str]) -> None:
    body = {"source": 1, "field": "kind", "value": "project"}
    assert client.post("/v1/partnerships/4/citations", json=body, headers=editor).status_code == 201
    cited = listed(client, "/v1/sources/1/citations", limit=1)
    assert [(each["noun"], each["id"], each["field"]) for each in cited] == [
        ("partnerships", 1, "established"),
        ("partnerships", 4, "kind"),
    ]
    assert_problem(client.get("/v1/sources/999/citations"), 404, "not-found")


def test_a_source_is_found_by_its_key(client: TestClient, editor: dict[str, str]) -> None:
    client.post("/v1/sources", json={"title": "Another", "key": "N2"}, headers=editor)
    assert [item["key"] for item in listed(client, "/v1/sources?key=NOISE")] == ["NOISE"]
    assert [item["key"] for item in listed(client, "/v1/sources?key=N2,NOISE", limit=1)] == ["NOISE", "N2"]
    assert listed(client, "/v1/sources?key=noise") == []


def test_a_key_names_one_source(client: TestClient, editor: dict[str, str]) -> None:
    double = client.post("/v1/sources", json={"title": "Another", "key": "NOISE"}, headers=editor)
    assert double.status_code in (409, 422)
    assert double.json()["detail"] != "The registry's own constraints forbid this."
    other = client.post("/v1/sources", json={"title": "Another"}, headers=editor)
    changed = client.patch(other.headers["location"], json={"key": "NOISE"}, headers=editor | ANY)
    assert changed.status_code in (409, 422)
    assert changed.json()["detail"] != "The registry's own constraints forbid this."


def test_a_source_that_is_cited_is_not_deleted(client: TestClient, editor: dict[str, str]) -> None:
    problem = assert_problem(client.delete("/v1/sources/1", headers=editor | ANY), 409, "still-referenced")
    assert {each["noun"] for each in problem["references"]} == {"partnerships", "reported_figures"}


def test_an_address_that_is_none_is_refused(client: TestClient, editor: dict[str, str]) -> None:
    for url in (
        "example.org",
        "ftp://example.org",
        "https://exa mple.org",
        "javascript:alert(1)",
        'http://"',
        "http:/x",
    ):
        answer = client.post("/v1/sources", json={"title": "x", "url": url}, headers=editor)
        assert assert_problem(answer, 422, "invalid-value")["errors"][0]["pointer"] == "/url"
    kept = client.post("/v1/sources", json={"title": "x", "url": "https://example.org/a?b=c#d"}, headers=editor)
    assert kept.json()["url"] == "https://example.org/a?b=c#d"
