"""The journal over HTTP: revisions, changes since one, undo."""

from __future__ import annotations

from typing import Any

import pytest
from answering import ANY, assert_problem, listed, revisions
from fastapi.testclient import TestClient

from app.registry import Database


@pytest.fixture
def written(client: TestClient, editor: dict[str, str]) -> TestClient:
    """The client, after revisions 2 to 6: three sources made, one changed, one deleted."""
    for title in ("a", "b", "c"):
        client.post("/v1/sources", json={"title": title, "reason": f"why {title}"}, headers=editor)
    client.patch("/v1/sources/2", json={"title": "aa"}, headers=editor | ANY)
    client.delete("/v1/sources/3", headers=editor | ANY)
    return client


def test_revisions_are_listed_newest_first(written: TestClient) -> None:
    found = listed(written, "/v1/revisions")
    assert [item["number"] for item in found] == [6, 5, 4, 3, 2, 1]
    assert [item["reason"] for item in found[2:5]] == ["why c", "why b", "why a"]
    assert found[5]["changes_count"] == 15 + 1 + 4 + 1 + 5 + 1 + 1
    assert [item["number"] for item in listed(written, "/v1/revisions?sort=number", limit=4)] == [1, 2, 3, 4, 5, 6]
    assert [item["number"] for item in listed(written, "/v1/revisions?account=noise")] == [1]
    assert written.get("/v1/revisions?account=desk,noise&count=exact").json()["total"] == 6


def test_a_revision_names_the_records_that_it_changed(written: TestClient) -> None:
    shown = written.get("/v1/revisions/5").json()
    assert shown["changes"] == [{"noun": "sources", "id": 2}]
    assert (shown["account"], shown["undoes"]) == ("desk", None)
    for number in ("0", "7", "999999", "x", "-1", str(2**63)):
        assert_problem(written.get(f"/v1/revisions/{number}"), 404, "not-found")


def followed(client: TestClient, since: str, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    following: str | None = f"/v1/changes?since={since}&limit={limit}"
    while following is not None:
        page = client.get(following).json()
        assert page["items"]
        found += page["items"]
        following = page["next"]
    return found


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_changes_come_in_the_order_in_which_they_were_made_and_none_is_skipped(written: TestClient, limit: int) -> None:
    found = followed(written, "0", limit)
    whole = written.get("/v1/changes?limit=1000").json()["items"]
    assert found == whole
    assert [item["revision"] for item in found] == sorted(item["revision"] for item in found)
    assert [(item["revision"], item["id"]) for item in found if item["revision"] > 1] == [
        (2, 2), (3, 3), (4, 4), (5, 2), (6, 3),
    ]  # fmt: skip
    assert [item["after"] and item["after"]["title"] for item in found[-5:]] == ["a", "b", "c", "aa", None]
    assert [item["revision"] for item in followed(written, "4", limit)] == [5, 6]


def test_a_follower_who_has_it_all_is_given_nothing(written: TestClient) -> None:
    page = written.get("/v1/changes?since=6").json()
    assert (page["items"], page["next"]) == ([], None)


@pytest.mark.parametrize("since", ["7", "x", "-1", "1.5", "1:", "1:towns:1", "1:cities:", "9" * 20, "", "1:sources:x"])
def test_a_place_that_is_none_is_refused(written: TestClient, since: str) -> None:
    problem = assert_problem(written.get(f"/v1/changes?since={since}"), 400, "invalid-parameter")
    assert [fault["parameter"] for fault in problem["errors"]] == ["since"]


def test_undo_is_refused_where_it_would_trample_what_came_later(
    written: TestClient, editor: dict[str, str], database: Database
) -> None:
    written.patch("/v1/sources/2", json={"title": "aaa"}, headers=editor | ANY)
    problem = assert_problem(written.post("/v1/revisions/5/undo", json={}, headers=editor), 409, "undo-refused")
    assert problem["parts"] == [{"noun": "sources", "id": 2, "part": "title"}]
    assert revisions(database) == 7


def test_undo_of_what_others_hang_on_lists_them(written: TestClient, editor: dict[str, str]) -> None:
    written.post("/v1/cities/1/citations", json={"source": 2, "field": "note"}, headers=editor)
    written.patch("/v1/sources/2", json={"title": "a"}, headers=editor | ANY)
    problem = assert_problem(written.post("/v1/revisions/2/undo", json={}, headers=editor), 409, "undo-refused")
    assert {"noun": "cities", "id": 1, "field": "citations"} in problem["parts"]


@pytest.mark.parametrize("number", ["7", "0", "999999"])
def test_undo_of_no_revision_is_not_found(written: TestClient, editor: dict[str, str], number: str) -> None:
    assert_problem(written.post(f"/v1/revisions/{number}/undo", json={}, headers=editor), 404, "not-found")


def test_an_undo_can_be_undone(written: TestClient, editor: dict[str, str]) -> None:
    for number, title in ((5, "a"), (7, "aa"), (8, "a")):
        undone = written.post(f"/v1/revisions/{number}/undo", json={"reason": "again"}, headers=editor)
        assert (undone.status_code, undone.json()["undoes"]) == (201, number)
        assert written.get("/v1/sources/2").json()["title"] == title
