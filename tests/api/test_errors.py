"""One shape for every error, and what each one says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from answering import SECRET, assert_problem
from fastapi.testclient import TestClient


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/title"]),
        ({"title": SECRET * 10}, ["/title"]),
        ({"title": 5}, ["/title"]),
        ({"title": "x", "status": SECRET}, ["/status"]),
        ({"title": "x", "a/b~c": 1}, ["/a~1b~0c"]),
        ({"title": "x", "y" * 500: 1}, ["/" + "y" * 60 + "…"]),
        ({"title": "x", "parts": [1, {"year": 0}]}, ["/parts/1", "/parts/1/year"]),
        ({"title": "x", "parts": [{}]}, ["/parts/0", "/parts/0/year"]),
        ({"title": "x", "parts": [SECRET]}, ["/parts/0"]),
        ({"title": "x", "parts": [True]}, ["/parts/0"]),
        ({"title": "x", "parts": ["5"]}, ["/parts/0"]),
        ([], [""]),
        (None, [""]),
    ],
)
def test_each_fault_of_a_body_has_a_json_pointer(
    trial: TestClient, desk: dict[str, str], body: Any, pointers: list[str]
) -> None:
    headers = {**desk, "Content-Type": "application/json"}
    problem = assert_problem(trial.post("/v1/letters", content=json.dumps(body), headers=headers), 422, "invalid-value")
    assert sorted({fault["pointer"] for fault in problem["errors"]}) == pointers
    assert all(fault["detail"] for fault in problem["errors"])


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=100000", "limit"),
        (f"limit={SECRET}", "limit"),
        ("limt=5", "limt"),
    ],
)
def test_a_query_parameter_that_cannot_be_used_is_named(trial: TestClient, query: str, parameter: str) -> None:
    problem = assert_problem(trial.get(f"/v1/letters?{query}"), 400, "invalid-parameter")
    assert [fault["parameter"] for fault in problem["errors"]] == [parameter]


def test_a_misspelt_query_parameter_is_told_the_nearest(trial: TestClient) -> None:
    assert "Did you mean `limit`?" in trial.get("/v1/letters?limt=5").json()["detail"]


@pytest.mark.parametrize("key", ["0", "-1", "x", "9223372036854775808", "1" * 5000, "1.5", "%00"])
def test_a_path_that_can_name_no_record_is_not_found(trial: TestClient, key: str) -> None:
    assert_problem(trial.get(f"/v1/letters/{key}"), 404, "not-found")


def fault(place: str, at: str, detail: str) -> dict[str, Any]:
    return {"errors": [{place: at, "detail": detail}]}


@pytest.mark.parametrize(
    ("asked", "status", "slug", "extra"),
    [
        ("POST invalid", 422, "invalid-value", fault("pointer", "/members/0/city", "A pair needs two cities.")),
        ("POST date", 422, "invalid-value", fault("pointer", "/events/1/date", "February has no 30th day.")),
        ("POST reference", 422, "unknown-reference", {"candidates": [{"id": 3}]}),
        ("GET reference", 400, "invalid-parameter", fault("parameter", "city", "No such city.")),
        ("GET query", 400, "invalid-parameter", fault("parameter", "cursor", "This cursor is another query's.")),
        ("POST query", 400, "invalid-parameter", {}),
        ("GET missing", 404, "not-found", {}),
        ("GET deleted", 410, "deleted", {"deleted_in_revision": 9}),
        ("POST merged", 308, "merged", {"merged_into": 7}),
        ("POST exists", 409, "partnership-exists", {"candidates": [{"id": 4}]}),
        ("POST event", 409, "event-refused", {"allowed": ["note"]}),
        ("POST references", 409, "still-referenced", {"references": [{"noun": "programs", "id": 1}]}),
        ("POST busy", 503, "busy", {}),
        ("POST damaged", 500, "damaged", {}),
        ("POST constraint", 409, "state-conflict", {}),
        ("GET unforeseen", 500, "internal", {}),
    ],
)
def test_an_error_of_the_field_is_dressed_as_a_problem(
    trial: TestClient, asked: str, status: int, slug: str, extra: dict[str, Any]
) -> None:
    method, what = asked.split()
    problem = assert_problem(trial.request(method, f"/v1/trouble/{what}"), status, slug)
    assert {name: problem[name] for name in extra} == extra


def test_busy_says_when_to_come_back(trial: TestClient) -> None:
    assert trial.post("/v1/trouble/busy").headers["retry-after"] == "3"


def test_what_nobody_foresaw_shows_no_trace_but_is_logged_with_it(
    trial: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    response = trial.get("/v1/trouble/unforeseen", headers={"X-Request-ID": "trace-me.1"})
    assert assert_problem(response, 500, "internal")["request_id"] == "trace-me.1"
    assert "Traceback" not in response.text
    logged = capsys.readouterr().err
    assert "ZeroDivisionError" in logged
    assert "trace-me.1" in logged


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/v1/letters/5/history", "/v1/letters/7/history"),
        ("/v1/letters/5/history?", "/v1/letters/7/history"),
    ],
)
def test_a_merged_record_leads_to_the_same_route_of_the_other(trial: TestClient, path: str, location: str) -> None:
    response = trial.get(path)
    assert assert_problem(response, 301, "merged")["merged_into"] == 7
    assert response.headers["location"] == location


def test_every_problem_type_resolves(trial: TestClient) -> None:
    listed = trial.get("/problems").json()
    assert {"busy", "stale-revision", "key-reused"} <= {kind["slug"] for kind in listed}
    for kind in listed:
        assert trial.get(f"/problems/{kind['slug']}").json()["mend"]
    assert_problem(trial.get("/problems/none"), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/letters", "GET, HEAD, POST"),
        ("POST", "/v1/letters/1", "GET, HEAD, PATCH, DELETE"),
        ("DELETE", "/health/live", "GET, HEAD"),
        ("POST", "/docs", "GET, HEAD"),
        ("HEAD", "/v1/trouble/commit/fails", "POST"),
        ("OPTIONS", "/v1/letters", "GET, HEAD, POST"),
    ],
)
def test_a_method_that_is_not_taken_is_told_all_that_are(
    trial: TestClient, method: str, path: str, allowed: str
) -> None:
    response = trial.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize(
    "path", ["/v1/letters", "/health/live", "/docs", "/openapi.json", "/problems/busy", "/v1/letters/1"]
)
def test_head_answers_what_get_does_without_the_body(trial: TestClient, path: str) -> None:
    get, head = trial.get(path), trial.head(path)
    moving = {"x-request-id", "content-length"} if get.status_code == 404 else {"x-request-id"}
    assert head.status_code == get.status_code
    assert head.content == b""
    assert {k: v for k, v in head.headers.items() if k not in moving} == {
        k: v for k, v in get.headers.items() if k not in moving
    }
