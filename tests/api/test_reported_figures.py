"""Reported figures over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from answering import assert_problem, listed
from fastapi.testclient import TestClient

FIGURE: dict[str, Any] = {
    "source": "NOISE", "scope": "pairs", "country": "US", "other_country": "JP",
    "measure": "partnerships", "comparator": "over", "value": 400, "as_of": "2011",
}  # fmt: skip


def test_a_figure_is_kept_as_it_is_claimed(client: TestClient, editor: dict[str, str]) -> None:
    made = client.post("/v1/reported-figures", json=FIGURE, headers=editor)
    shown = made.json()
    assert shown["source"] == {"id": 1, "key": "NOISE", "title": "A noisy document"}
    assert {name: shown[name] for name in FIGURE if name != "source"} == {
        name: value for name, value in FIGURE.items() if name != "source"
    }
    assert '"value":400,' in made.text
    half = client.post("/v1/reported-figures", json=FIGURE | {"value": 0.5, "country": "usa"}, headers=editor).json()
    assert (half["value"], half["country"]) == (0.5, "US")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("source=1", ["noise", "pairs"]),
        ("source=NOISE&measure=partnerships", ["noise", "pairs"]),
        ("measure=cities,countries", []),
        ("country=US", ["pairs"]),
        ("country=US&country=JP", ["pairs"]),
        ("country=US&country=DE", []),
        ("sort=-id", ["pairs", "noise"]),
    ],
)
def test_filters_find_what_they_say(
    client: TestClient, editor: dict[str, str], query: str, expected: list[str]
) -> None:
    client.post("/v1/reported-figures", json=FIGURE, headers=editor)
    assert [item["scope"] for item in listed(client, f"/v1/reported-figures?{query}", limit=1)] == expected


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"value": -1}, "/value"),
        ({"value": "400"}, "/value"),
        ({"comparator": "roughly"}, "/comparator"),
        ({"measure": "friends"}, "/measure"),
        ({"as_of": "2011-13"}, "/as_of"),
        ({"country": "ZZ"}, "/country"),
        ({"scope": ""}, "/scope"),
    ],
)
def test_a_figure_that_cannot_be_is_refused(
    client: TestClient, editor: dict[str, str], more: dict[str, Any], pointer: str
) -> None:
    answer = client.post("/v1/reported-figures", json=FIGURE | more, headers=editor)
    assert answer.status_code == 422
    assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]


def test_a_source_that_is_none_is_named(client: TestClient) -> None:
    problem = assert_problem(client.get("/v1/reported-figures?source=S99"), 400, "invalid-parameter")
    assert problem["errors"][0]["parameter"] == "source"
