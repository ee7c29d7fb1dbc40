"""Keys, roles, If-Match, commits, repeated requests."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from answering import SECRET, assert_problem, revisions
from fastapi.testclient import TestClient
from sqlalchemy import select
from time_machine import travel
from trial import router

from app.main import create_app
from app.models import IdempotencyKey
from app.registry import Database, accounts, journal, open_registry
from app.settings import Settings

both_engines = pytest.mark.usefixtures("empty_url")


def test_a_write_without_a_key_says_what_is_missing(trial: TestClient) -> None:
    response = trial.post("/v1/letters", json={"title": "x"})
    assert "role editor" in assert_problem(response, 401, "unauthenticated")["detail"]
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("sent", [f"Bearer {SECRET}", "Bearer ", "Basic eDp5", "Bearer é", "Bearer " + "x" * 5000])
def test_a_key_that_is_none_is_refused(trial: TestClient, sent: str) -> None:
    headers = {"Authorization": sent.encode("latin-1")}
    assert_problem(trial.post("/v1/letters", json={"title": "x"}, headers=headers), 401, "unauthenticated")


@both_engines
def test_a_role_that_does_not_suffice_is_told_which_would(
    trial: TestClient, desk: dict[str, str], chief: dict[str, str], source: Any
) -> None:
    path, tag = source.headers["location"], {"If-Match": source.headers["etag"]}
    problem = assert_problem(trial.delete(path, headers=desk | tag), 403, "forbidden")
    assert problem["detail"] == "This needs a key with the role admin; yours is editor."
    deleted = trial.delete(path, headers=chief | tag)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert deleted.headers["registry-revision"] == "2"
    assert_problem(trial.get(path), 410, "deleted")


@both_engines
def test_refusals_take_neither_the_lock_nor_a_number(trial: TestClient, blank: Database, desk: dict[str, str]) -> None:
    with blank.writing(account="somebody else"):
        assert trial.post("/v1/letters", json={}, headers=desk).status_code == 422
        assert trial.post("/v1/letters", json={"title": "x"}).status_code == 401
        busy = trial.post("/v1/letters", json={"title": "x"}, headers=desk)
    assert_problem(busy, 503, "busy")
    assert trial.post("/v1/letters", json={"title": "x"}, headers=desk).json()["revision"] == 1


def test_account_and_reason_stand_in_the_journal(trial: TestClient, blank: Database, desk: dict[str, str]) -> None:
    trial.post("/v1/letters", json={"title": "x", "reason": "  found in the archive "}, headers=desk)
    with blank.reading() as session:
        revision = journal.revision(session, 1)
    assert (revision["account"], revision["reason"]) == ("desk", "found in the archive")


def test_a_bad_reason_points_at_itself(trial: TestClient, blank: Database, desk: dict[str, str]) -> None:
    response = trial.post("/v1/letters", json={"title": "x", "reason": "a\x00b"}, headers=desk)
    assert assert_problem(response, 422, "invalid-value")["errors"][0]["pointer"] == "/reason"
    assert revisions(blank) == 0


@pytest.mark.parametrize("asked", ["{tag}", '"1"', "*"])
def test_a_change_of_the_revision_that_was_read_is_made(
    trial: TestClient, desk: dict[str, str], source: Any, asked: str
) -> None:
    headers = desk | {"If-Match": asked.format(tag=source.headers["etag"])}
    changed = trial.patch(source.headers["location"], json={"title": "New"}, headers=headers)
    assert (changed.status_code, changed.json()["revision"]) == (200, 2)
    assert changed.headers["etag"] != source.headers["etag"]


@pytest.mark.parametrize(
    ("sent", "status", "slug"),
    [
        ({}, 428, "precondition-required"),
        ({"If-Match": '"0-abc"'}, 412, "stale-revision"),
        ({"If-Match": '"2"'}, 412, "stale-revision"),
        ({"If-Match": "1"}, 400, "invalid-parameter"),
        ({"If-Match": 'W/"1"'}, 400, "invalid-parameter"),
        ({"If-Match": '"1", "2"'}, 400, "invalid-parameter"),
        ({"If-Match": '"99999999999999999999"'}, 400, "invalid-parameter"),
        ({"If-Match": '"x"'}, 400, "invalid-parameter"),
    ],
)
def test_a_change_that_would_trample_another_is_refused(
    trial: TestClient, desk: dict[str, str], sent: dict[str, str], status: int, slug: str
) -> None:
    created = trial.post("/v1/letters", json={"title": "Letters"}, headers=desk)
    path = created.headers["location"]
    assert_problem(trial.patch(path, json={"title": "N"}, headers=desk | sent), status, slug)
    assert trial.get(path).content == created.content


@both_engines
def test_a_write_that_changes_nothing_answers_200_and_uses_no_number(
    trial: TestClient, blank: Database, desk: dict[str, str], source: Any
) -> None:
    headers = desk | {"If-Match": "*", "Idempotency-Key": "k"}
    same = trial.patch(source.headers["location"], json={"title": "Letters of 1973"}, headers=headers)
    assert (same.status_code, same.content, same.headers["registry-revision"]) == (200, source.content, "1")
    assert revisions(blank) == 1


@both_engines
def test_a_commit_that_fails_is_never_answered_as_done(
    trial: TestClient, blank: Database, desk: dict[str, str]
) -> None:
    # The foreign key is deferred: it is only the commit that finds it broken.
    assert_problem(trial.post("/v1/trouble/commit/fails", headers=desk), 409, "state-conflict")
    assert revisions(blank) == 0


def test_a_key_in_use_is_noted(trial: TestClient, blank: Database, source: Any) -> None:
    with blank.reading() as session:
        assert accounts.list_keys(session)[0]["last_used_at"] is not None


def post(trial: TestClient, headers: dict[str, str], key: str, title: str = "x", query: str = "") -> Any:
    return trial.post(f"/v1/letters{query}", json={"title": title}, headers=headers | {"Idempotency-Key": key})


@both_engines
def test_a_repeated_request_is_answered_as_the_first_was_and_done_once(
    trial: TestClient, blank: Database, desk: dict[str, str]
) -> None:
    first, second = post(trial, desk, "k1"), post(trial, desk, "k1")
    assert second.status_code == first.status_code == 201
    assert second.content == first.content
    for name in ("etag", "location", "content-type", "registry-revision"):
        assert second.headers[name] == first.headers[name]
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert revisions(blank) == 1


def test_a_key_used_for_another_request_is_refused(trial: TestClient, blank: Database, desk: dict[str, str]) -> None:
    post(trial, desk, "k1")
    assert_problem(post(trial, desk, "k1", "another"), 422, "key-reused")
    assert revisions(blank) == 1


def test_keys_of_two_accounts_do_not_meet(
    trial: TestClient, blank: Database, desk: dict[str, str], chief: dict[str, str]
) -> None:
    assert post(trial, desk, "k1").json()["id"] != post(trial, chief, "k1").json()["id"]


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"])
def test_an_idempotency_key_is_visible_ascii(trial: TestClient, desk: dict[str, str], key: str) -> None:
    headers = desk | {"Content-Type": "application/json"}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()] + [
        (b"idempotency-key", key.encode("latin-1"))
    ]
    response = trial.post("/v1/letters", content=b'{"title": "x"}', headers=raw)
    assert_problem(response, 400, "invalid-parameter")


def test_a_failed_request_may_be_repeated_with_its_key(trial: TestClient, desk: dict[str, str]) -> None:
    assert post(trial, desk, "k1", "x" * 51).status_code == 422
    assert post(trial, desk, "k1").status_code == 201


@both_engines
def test_an_old_key_is_forgotten_and_swept_away(trial: TestClient, blank: Database, desk: dict[str, str]) -> None:
    with travel("2026-01-01T00:00:00Z", tick=False):
        post(trial, desk, "k1")
        post(trial, desk, "k2")
    with travel("2026-01-01T23:59:00Z", tick=False):
        assert post(trial, desk, "k1").headers["idempotency-replayed"] == "true"
    with travel("2026-01-02T00:01:00Z", tick=False):
        assert "idempotency-replayed" not in post(trial, desk, "k1").headers
    with blank.reading() as session:
        assert session.execute(select(IdempotencyKey.key)).scalars().all() == ["k1"]


@both_engines
def test_of_racing_duplicates_one_is_done_and_the_others_are_given_its_answer(
    settings: Settings, blank: Database, desk: dict[str, str]
) -> None:
    patient = open_registry(settings.database_url, write_wait=20)
    app = create_app(settings, patient)
    app.include_router(router)
    found: list[Any] = []
    with TestClient(app) as trial:
        racers = [threading.Thread(target=lambda: found.append(post(trial, desk, "k1"))) for _ in range(4)]
        with blank.writing(account="ahead of them all"):
            for racer in racers:
                racer.start()
        for racer in racers:
            racer.join()
    patient.close()
    assert [response.status_code for response in found] == [201] * 4
    assert len({response.content for response in found}) == 1
    assert sum("idempotency-replayed" in response.headers for response in found) == 3
    assert revisions(blank) == 1
