"""What a body may be: strict JSON, not too large, not too deep."""

from __future__ import annotations

import pytest
from answering import assert_problem
from fastapi.testclient import TestClient
from trial import router

from app.main import create_app
from app.registry import Database
from app.settings import Settings

DEEP = b'{"title": "x", "note": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"not json", "line 1, column 1"),
        (b'{"title": "x"\n,}', "line 2, column 2"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'{"title": "\xff"}', "UTF-8: byte 12"),
        (b'{"title": "\xed\xa0\x80"}', "UTF-8"),
        (b'{"title": "x", "note": NaN}', "NaN"),
        (b'{"title": "x", "note": -Infinity}', "Infinity"),
        (b'{"title": "x", "note": 1e999}', "too large"),
        (b'{"title": "x", "note": 9223372036854775808}', "64 bits"),
        (b'{"title": "x", "note": -9223372036854775809}', "64 bits"),
        (b'{"title": "x", "note": ' + b"9" * 3000 + b"}", "64 bits"),
        (b'{"title": "x", "title": "y"}', "twice"),
        (b'{"title": "x", "note": {"a": 1, "\\u0061": 2}}', "twice"),
        (b'{"title": "\\ud800"}', "surrogate"),
        (b'{"title": "x", "note": {"\\udc00": 1}}', "surrogate"),
        (b'{"title": "x", "note": [[[[[[[[1]]]]]]]]}', "8 levels"),
        (b'{"title": "a\tb"}', "control character"),
        (b'{"title": "x"} {}', "Extra data"),
    ],
)
def test_a_body_that_is_not_strict_json_is_refused_with_the_reason(
    trial: TestClient, desk: dict[str, str], body: bytes, said: str
) -> None:
    headers = {**desk, "Content-Type": "application/json"}
    problem = assert_problem(trial.post("/v1/letters", content=body, headers=headers), 400, "malformed-body")
    assert said in problem["detail"]


@pytest.mark.parametrize(
    "note",
    ["[[[[[[[1]]]]]]]", '"[[[[[[[[[[\\"{{{{{"', "9223372036854775807", "1e308", '"\\ud83d\\ude00"', '{"a": {"a": 1}}'],
)
def test_a_body_at_the_edge_of_what_is_allowed_is_read(trial: TestClient, desk: dict[str, str], note: str) -> None:
    headers = {**desk, "Content-Type": "application/json"}
    body = f'{{"title": "Ōsaka 🎏", "note": {note}}}'.encode()
    assert trial.post("/v1/letters", content=body, headers=headers).json()["title"] == "Ōsaka 🎏"


def test_very_deep_nesting_does_not_exhaust_the_stack(
    blank: Database, settings: Settings, desk: dict[str, str]
) -> None:
    app = create_app(settings.model_copy(update={"body_limit": 1_048_576}), blank)
    app.include_router(router)
    headers = {**desk, "Content-Type": "application/json"}
    with TestClient(app) as trial:
        assert_problem(trial.post("/v1/letters", content=DEEP, headers=headers), 400, "malformed-body")


def test_a_body_that_is_too_large_is_refused_announced_or_not(trial: TestClient, desk: dict[str, str]) -> None:
    headers = {**desk, "Content-Type": "application/json"}
    announced = trial.post("/v1/letters", content=b" " * 4097, headers=headers)
    assert "4,096 bytes" in assert_problem(announced, 413, "body-too-large")["detail"]
    streamed = trial.post("/v1/letters", content=iter([b" " * 3000] * 3), headers=headers)
    assert_problem(streamed, 413, "body-too-large")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 201),
        ("Application/JSON; charset=UTF-8", 201),
        ("application/merge-patch+json", 201),
        ("application/json; charset=latin-1", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonp", 415),
        ("", 415),
    ],
)
def test_only_json_is_taken_as_a_body(trial: TestClient, desk: dict[str, str], kind: str, status: int) -> None:
    headers = {**desk, "Content-Type": kind}
    response = trial.post("/v1/letters", content=b'{"title": "x"}', headers=headers)
    if status == 201:
        assert response.status_code == 201
    else:
        assert_problem(response, 415, "unsupported-media-type")
