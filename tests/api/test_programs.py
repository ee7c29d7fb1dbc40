"""Programs over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from answering import ANY, assert_problem, listed
from fastapi.testclient import TestClient

PROGRAM: dict[str, Any] = {
    "partnership": 3, "name": "Students", "category": "education", "since": "1999~", "until": "2004",
    "frequency": "yearly", "description": "They\nfly",
    "participants": [{"organisation": 1, "side": 2}],
    "occasions": [{"title": "Second", "since": "2001"}, {"title": "First", "since": "2000", "origin": 2, "host": 3}],
    "citations": [{"source": "NOISE", "field": "since", "value": "2001"}],
}  # fmt: skip


def test_a_program_is_made_with_all_that_belongs_to_it(client: TestClient, editor: dict[str, str]) -> None:
    shown = client.post("/v1/programs", json=PROGRAM, headers=editor).json()
    assert shown["partnership"]["id"] == 3
    assert [city["name"] for city in shown["partnership"]["members"]] == ["Akureyri", "Kisumu"]
    assert shown["participants"][0]["side"] == {"id": 2, "name": "Akureyri"}
    assert [row["title"] for row in shown["occasions"]] == ["First", "Second"]
    assert shown["occasions_count"] == 2
    assert [conflict["field"] for conflict in shown["conflicts"]] == ["since"]
    assert client.get("/v1/partnerships/3").json()["programs"] == [
        {name: shown[name] for name in ("id", "name", "category", "since", "until", "occasions_count")}
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("partnership=1", ["Noise exchange"]),
        ("partnership=1,3", ["Noise exchange", "Students"]),
        ("city=2", ["Noise exchange", "Students"]),
        ("city=geonames:9000002", ["Students"]),
        ("city=1&city=3", []),
        ("category=education,sport", ["Students"]),
        ("organisation=1", ["Noise exchange", "Students"]),
        ("organisation=1&category=other", ["Noise exchange"]),
        ("sort=-since", ["Students", "Noise exchange"]),
    ],
)
def test_filters_find_what_they_say(
    client: TestClient, editor: dict[str, str], query: str, expected: list[str]
) -> None:
    assert client.post("/v1/programs", json=PROGRAM, headers=editor).status_code == 201
    assert [item["name"] for item in listed(client, f"/v1/programs?{query}", limit=1)] == expected


@pytest.mark.parametrize("query", ["partnership=9", "city=9", "organisation=9", "category=fun", "partnership=x"])
def test_a_filter_that_fits_nothing_is_named(client: TestClient, query: str) -> None:
    problem = assert_problem(client.get(f"/v1/programs?{query}"), 400, "invalid-parameter")
    assert [fault["parameter"] for fault in problem["errors"]] == [query.split("=", maxsplit=1)[0]]


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"partnership": 99}, "/partnership"),
        ({"until": "1990"}, "/until"),
        ({"category": "fun"}, "/category"),
        ({"participants": [{"organisation": 1, "side": 4}]}, "/participants/0/side"),
        ({"occasions": [{"since": "2001", "until": "2000"}]}, "/occasions/0/until"),
        ({"occasions": [{"people": -1}]}, "/occasions/0/people"),
        ({"occasions_count": 3}, "/occasions_count"),
    ],
)
def test_a_program_that_cannot_be_is_refused(
    client: TestClient, editor: dict[str, str], more: dict[str, Any], pointer: str
) -> None:
    answer = client.post("/v1/programs", json=PROGRAM | more, headers=editor)
    assert answer.status_code == 422
    assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]


def test_a_program_cannot_move_away_from_its_participants(client: TestClient, editor: dict[str, str]) -> None:
    answer = client.patch("/v1/programs/1", json={"partnership": 3}, headers=editor | ANY)
    assert answer.status_code in (409, 422)
    assert client.get("/v1/programs/1").json()["partnership"]["id"] == 1
