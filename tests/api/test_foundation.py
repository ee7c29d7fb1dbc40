"""What every route of the REST entrance stands on, tried on a small router of its own."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Query, Request, Response
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from time_machine import travel

from app import errors
from app.api import answers
from app.api.bodies import noun_router
from app.api.schemas.common import Body
from app.api.dependencies import AdminDep, EditorDep, IfMatchDep, ReadingDep, RecordId
from app.api.errors import InvalidQuery
from app.api.openapi import reads, writes
from app.main import create_app
from app.models import IdempotencyKey, Revision, Source
from app.registry import Database, accounts, journal, open_registry
from app.settings import Settings

SECRET = "hunter2-of-the-caller"
router = noun_router("sources")
trouble = noun_router("trouble")


class Part(Body):
    year: int = Field(ge=1)


class SourceIn(Body):
    title: str = Field(min_length=1, max_length=50)
    note: Any = None
    parts: list[int | Part] = []
    reason: str | None = None


class SourceOut(BaseModel):
    id: int
    title: str
    revision: int


def render(session: Any, record: int) -> dict[str, Any]:
    source = session.get(Source, record, populate_existing=True)
    if source is None:
        journal.explain_absence(session, "sources", record)
    return {"id": source.id, "title": source.title, "revision": source.revision}


@router.get("", responses=reads(SourceOut))
def list_sources(request: Request, session: ReadingDep, limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> Response:
    found = session.execute(select(Source.id).order_by(Source.id)).scalars().all()
    items = [render(session, record) for record in found[:limit]]
    return answers.list_answer(
        request, items, next=answers.next_url(request, "c1" if len(found) > limit else None), total=None,
        revision=session.number(), extra={"undated": 0},
    )  # fmt: skip


@router.get("/{id}", responses=reads(SourceOut, 404))
def show_source(request: Request, session: ReadingDep, id: RecordId) -> Response:
    return answers.record_answer(request, render(session, id), revision=session.number())


@router.get("/{id}/history", responses=reads(SourceOut, 404))
def show_history(request: Request, session: ReadingDep, id: RecordId) -> Response:
    raise errors.RecordMerged("sources", id, into=7)


@router.post("", status_code=201, responses=writes(SourceOut, status=201))
def create_source(write: EditorDep, body: SourceIn) -> Response:
    write.reason(body.reason)
    source = Source(title=body.title)
    write.session.add(source)
    write.session.flush()
    record = source.id
    return write.answer(lambda session: render(session, record), status=201, location=f"/v1/sources/{record}")


@router.patch("/{id}", responses=writes(SourceOut, 404, 412, 428))
def change_source(write: EditorDep, if_match: IfMatchDep, id: RecordId, body: SourceIn) -> Response:
    answers.check_revision(if_match, actual=render(write.session, id)["revision"])
    write.session.get_one(Source, id).title = body.title
    return write.answer(lambda session: render(session, id))


@router.delete("/{id}", status_code=204, responses=writes(None, 404, 412, 428))
def delete_source(write: AdminDep, if_match: IfMatchDep, id: RecordId) -> Response:
    answers.check_revision(if_match, actual=render(write.session, id)["revision"])
    write.session.delete(write.session.get_one(Source, id))
    return write.answer_nothing()


RAISED: dict[str, Exception] = {
    "invalid": errors.InvalidValue("A pair needs two cities.", field="members/0/city"),
    "date": errors.InvalidDate("February has no 30th day.", field="events/1/date"),
    "reference": errors.UnknownReference("No such city.", field="city", candidates=[{"id": 3}]),
    "query": InvalidQuery("This cursor is another query's.", parameter="cursor"),
    "missing": errors.RecordNotFound("cities", 5),
    "deleted": errors.RecordDeleted("cities", 5, revision=9),
    "merged": errors.RecordMerged("cities", 5, into=7),
    "exists": errors.PartnershipExists("They hold one.", candidates=[{"id": 4}]),
    "event": errors.EventRefused("It has ended.", field="type", allowed=["note"]),
    "references": errors.StillReferenced("Others hang on it.", obstacles=[{"noun": "programs", "id": 1}]),
    "busy": errors.RegistryBusy(retry_after=3),
    "damaged": errors.RegistryDamaged("The disk says " + SECRET),
    "constraint": IntegrityError("INSERT", {"name": SECRET}, Exception(SECRET)),
    "unforeseen": ZeroDivisionError(SECRET),
}


@trouble.get("/{what}")
@trouble.post("/{what}")
def raise_it(what: str) -> None:
    raise RAISED[what]


@trouble.post("/commit/fails")
def fail_to_commit(write: EditorDep) -> Response:
    write.session.add(Source(title="never kept"))
    response = write.answer(lambda _session: {"revision": 1}, status=201)
    write.session.execute(text("INSERT INTO reported_figures (source_id, scope, measure, comparator, value,"
        " as_of_earliest, as_of_latest, revision, created_at, updated_at)"
        " VALUES (9999, 'x', 'cities', 'over', 1, '2000-01-01', '2000-01-01', 0, '', '')"))  # fmt: skip
    return response


both_engines = pytest.mark.usefixtures("empty_url")


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """SQLite; both engines in turn for tests marked with `both_engines`."""
    if "empty_url" in request.fixturenames:
        return str(request.getfixturevalue("empty_url"))
    return f"sqlite:///{tmp_path / 'registry.db'}"


@pytest.fixture
def settings(url: str) -> Settings:
    return Settings(_env_file=None, database_url=url, body_limit=4096, json_depth=8, write_wait=0.3, threads=8)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = open_registry(settings.database_url, write_wait=settings.write_wait, migrate=True)
    yield database
    database.close()


@pytest.fixture
def app(settings: Settings, database: Database) -> FastAPI:
    app = create_app(settings, database)
    app.include_router(router)
    app.include_router(trouble)
    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False) as client:
        yield client


def new_key(database: Database, role: str, label: str) -> dict[str, str]:
    with accounts.aside(database) as session:
        return {"Authorization": "Bearer " + accounts.create_key(session, role=role, label=label)}


@pytest.fixture
def editor(database: Database) -> dict[str, str]:
    return new_key(database, "editor", "desk")


@pytest.fixture
def admin(database: Database) -> dict[str, str]:
    return new_key(database, "admin", "head of desk")


def revisions(database: Database) -> int:
    with database.reading() as session:
        return session.execute(select(func.count()).select_from(Revision)).scalar_one()


def assert_problem(response: Any, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    problem = response.json()
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"].endswith((".", "?"))
    assert problem["request_id"] == response.headers["x-request-id"]
    assert SECRET not in response.text
    return problem


# Bodies

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
    client: TestClient, editor: dict[str, str], body: bytes, said: str
) -> None:
    headers = {**editor, "Content-Type": "application/json"}
    problem = assert_problem(client.post("/v1/sources", content=body, headers=headers), 400, "malformed-body")
    assert said in problem["detail"]


@pytest.mark.parametrize(
    "note",
    ["[[[[[[[1]]]]]]]", '"[[[[[[[[[[\\"{{{{{"', "9223372036854775807", "1e308", '"\\ud83d\\ude00"', '{"a": {"a": 1}}'],
)
def test_a_body_at_the_edge_of_what_is_allowed_is_read(client: TestClient, editor: dict[str, str], note: str) -> None:
    headers = {**editor, "Content-Type": "application/json"}
    body = f'{{"title": "Ōsaka 🎏", "note": {note}}}'.encode()
    assert client.post("/v1/sources", content=body, headers=headers).json()["title"] == "Ōsaka 🎏"


def test_very_deep_nesting_does_not_exhaust_the_stack(
    database: Database, settings: Settings, editor: dict[str, str]
) -> None:
    app = create_app(settings.model_copy(update={"body_limit": 1_048_576}), database)
    app.include_router(router)
    headers = {**editor, "Content-Type": "application/json"}
    with TestClient(app) as client:
        assert_problem(client.post("/v1/sources", content=DEEP, headers=headers), 400, "malformed-body")


def test_a_body_that_is_too_large_is_refused_announced_or_not(client: TestClient, editor: dict[str, str]) -> None:
    headers = {**editor, "Content-Type": "application/json"}
    announced = client.post("/v1/sources", content=b" " * 4097, headers=headers)
    assert "4,096 bytes" in assert_problem(announced, 413, "body-too-large")["detail"]
    streamed = client.post("/v1/sources", content=iter([b" " * 3000] * 3), headers=headers)
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
def test_only_json_is_taken_as_a_body(client: TestClient, editor: dict[str, str], kind: str, status: int) -> None:
    headers = {**editor, "Content-Type": kind}
    response = client.post("/v1/sources", content=b'{"title": "x"}', headers=headers)
    if status == 201:
        assert response.status_code == 201
    else:
        assert_problem(response, 415, "unsupported-media-type")


# The shape of errors


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
    client: TestClient, editor: dict[str, str], body: Any, pointers: list[str]
) -> None:
    headers = {**editor, "Content-Type": "application/json"}
    problem = assert_problem(
        client.post("/v1/sources", content=json.dumps(body), headers=headers), 422, "invalid-value"
    )
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
def test_a_query_parameter_that_cannot_be_used_is_named(client: TestClient, query: str, parameter: str) -> None:
    problem = assert_problem(client.get(f"/v1/sources?{query}"), 400, "invalid-parameter")
    assert [fault["parameter"] for fault in problem["errors"]] == [parameter]


def test_a_misspelt_query_parameter_is_told_the_nearest(client: TestClient) -> None:
    assert "Did you mean `limit`?" in client.get("/v1/sources?limt=5").json()["detail"]


@pytest.mark.parametrize("key", ["0", "-1", "x", "9223372036854775808", "1" * 5000, "1.5", "%00"])
def test_a_path_that_can_name_no_record_is_not_found(client: TestClient, key: str) -> None:
    assert_problem(client.get(f"/v1/sources/{key}"), 404, "not-found")


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
    client: TestClient, asked: str, status: int, slug: str, extra: dict[str, Any]
) -> None:
    method, what = asked.split()
    problem = assert_problem(client.request(method, f"/v1/trouble/{what}"), status, slug)
    assert {name: problem[name] for name in extra} == extra


def test_busy_says_when_to_come_back(client: TestClient) -> None:
    assert client.post("/v1/trouble/busy").headers["retry-after"] == "3"


def test_what_nobody_foresaw_shows_no_trace_but_is_logged_with_it(
    client: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    response = client.get("/v1/trouble/unforeseen", headers={"X-Request-ID": "trace-me.1"})
    assert assert_problem(response, 500, "internal")["request_id"] == "trace-me.1"
    assert "Traceback" not in response.text
    logged = capsys.readouterr().err
    assert "ZeroDivisionError" in logged
    assert "trace-me.1" in logged


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/v1/sources/5/history", "/v1/sources/7/history"),
        ("/v1/sources/5/history?", "/v1/sources/7/history"),
    ],
)
def test_a_merged_record_leads_to_the_same_route_of_the_other(client: TestClient, path: str, location: str) -> None:
    response = client.get(path)
    assert assert_problem(response, 301, "merged")["merged_into"] == 7
    assert response.headers["location"] == location


def test_every_problem_type_resolves(client: TestClient) -> None:
    listed = client.get("/problems").json()
    assert {"busy", "stale-revision", "key-reused"} <= {kind["slug"] for kind in listed}
    for kind in listed:
        assert client.get(f"/problems/{kind['slug']}").json()["mend"]
    assert_problem(client.get("/problems/none"), 404, "not-found")


# Methods


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/sources", "GET, HEAD, POST"),
        ("POST", "/v1/sources/1", "GET, HEAD, PATCH, DELETE"),
        ("DELETE", "/health/live", "GET, HEAD"),
        ("POST", "/docs", "GET, HEAD"),
        ("HEAD", "/v1/trouble/commit/fails", "POST"),
        ("OPTIONS", "/v1/sources", "GET, HEAD, POST"),
    ],
)
def test_a_method_that_is_not_taken_is_told_all_that_are(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    response = client.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize(
    "path", ["/v1/sources", "/health/live", "/docs", "/openapi.json", "/problems/busy", "/v1/sources/1"]
)
def test_head_answers_what_get_does_without_the_body(client: TestClient, path: str) -> None:
    get, head = client.get(path), client.head(path)
    moving = {"x-request-id", "content-length"} if get.status_code == 404 else {"x-request-id"}
    assert head.status_code == get.status_code
    assert head.content == b""
    assert {k: v for k, v in head.headers.items() if k not in moving} == {
        k: v for k, v in get.headers.items() if k not in moving
    }


# Reading


@pytest.fixture
def source(client: TestClient, editor: dict[str, str]) -> Any:
    response = client.post("/v1/sources", json={"title": "Letters of 1973"}, headers=editor)
    assert response.status_code == 201
    return response


@both_engines
def test_a_created_record_answers_with_its_place_and_the_tag_that_reads_give(client: TestClient, source: Any) -> None:
    assert source.headers["location"] == f"/v1/sources/{source.json()['id']}"
    assert source.headers["cache-control"] == "no-store"
    read = client.get(source.headers["location"])
    assert read.content == source.content
    assert read.headers["etag"] == source.headers["etag"]
    assert re.fullmatch(r'"1-[0-9a-f]{16}"', read.headers["etag"])
    assert read.headers["registry-revision"] == source.headers["registry-revision"] == "1"
    assert read.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("asked", ["{tag}", "W/{tag}", '"other", {tag}', "*", '"a,b" , W/{tag}'])
def test_a_reader_who_has_the_bytes_gets_304(client: TestClient, source: Any, asked: str) -> None:
    tag = source.headers["etag"]
    response = client.get(source.headers["location"], headers={"If-None-Match": asked.format(tag=tag)})
    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["etag"] == tag
    assert response.headers["registry-revision"] == "1"


@pytest.mark.parametrize("asked", ['"1"', '"1-0000000000000000"', "", "1", "nonsense"])
def test_a_reader_who_has_other_bytes_gets_the_record(client: TestClient, source: Any, asked: str) -> None:
    response = client.get(source.headers["location"], headers={"If-None-Match": asked})
    assert response.json()["title"] == "Letters of 1973"


def test_a_list_carries_the_registrys_revision_and_the_next_page(
    client: TestClient, source: Any, editor: dict[str, str]
) -> None:
    client.post("/v1/sources", json={"title": "Another"}, headers=editor)
    response = client.get("/v1/sources?limit=1")
    assert response.json() == {
        "items": [source.json()], "next": "/v1/sources?limit=1&cursor=c1", "total": None, "undated": 0,
    }  # fmt: skip
    assert response.headers["link"] == '</v1/sources?limit=1&cursor=c1>; rel="next"'
    assert response.headers["etag"] == 'W/"2"'
    again = client.get("/v1/sources?limit=1", headers={"If-None-Match": 'W/"1", "2"'})
    assert again.status_code == 304
    last = client.get("/v1/sources")
    assert last.json()["next"] is None
    assert "link" not in last.headers


def test_links_are_absolute_only_by_the_setting_and_never_by_the_host(
    settings: Settings, database: Database, editor: dict[str, str]
) -> None:
    app = create_app(settings.model_copy(update={"public_url": "https://registry.test/"}), database)
    app.include_router(router)
    with TestClient(app, headers={"Host": "evil.test"}) as client:
        created = client.post("/v1/sources", json={"title": "x"}, headers=editor)
        assert created.headers["location"] == "https://registry.test/v1/sources/1"
        client.post("/v1/sources", json={"title": "y"}, headers=editor)
        assert client.get("/v1/sources?limit=1").json()["next"].startswith("https://registry.test/v1/sources?")
        assert client.get("/v1/sources/").status_code == 404


# Writing


def test_a_write_without_a_key_says_what_is_missing(client: TestClient) -> None:
    response = client.post("/v1/sources", json={"title": "x"})
    assert "role editor" in assert_problem(response, 401, "unauthenticated")["detail"]
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("sent", [f"Bearer {SECRET}", "Bearer ", "Basic eDp5", "Bearer é", "Bearer " + "x" * 5000])
def test_a_key_that_is_none_is_refused(client: TestClient, sent: str) -> None:
    headers = {"Authorization": sent.encode("latin-1")}
    assert_problem(client.post("/v1/sources", json={"title": "x"}, headers=headers), 401, "unauthenticated")


@both_engines
def test_a_role_that_does_not_suffice_is_told_which_would(
    client: TestClient, editor: dict[str, str], admin: dict[str, str], source: Any
) -> None:
    path, tag = source.headers["location"], {"If-Match": source.headers["etag"]}
    problem = assert_problem(client.delete(path, headers=editor | tag), 403, "forbidden")
    assert problem["detail"] == "This needs a key with the role admin; yours is editor."
    deleted = client.delete(path, headers=admin | tag)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert deleted.headers["registry-revision"] == "2"
    assert_problem(client.get(path), 410, "deleted")


@both_engines
def test_refusals_take_neither_the_lock_nor_a_number(
    client: TestClient, database: Database, editor: dict[str, str]
) -> None:
    with database.writing(account="somebody else"):
        assert client.post("/v1/sources", json={}, headers=editor).status_code == 422
        assert client.post("/v1/sources", json={"title": "x"}).status_code == 401
        busy = client.post("/v1/sources", json={"title": "x"}, headers=editor)
    assert_problem(busy, 503, "busy")
    assert client.post("/v1/sources", json={"title": "x"}, headers=editor).json()["revision"] == 1


def test_account_and_reason_stand_in_the_journal(
    client: TestClient, database: Database, editor: dict[str, str]
) -> None:
    client.post("/v1/sources", json={"title": "x", "reason": "  found in the archive "}, headers=editor)
    with database.reading() as session:
        revision = journal.revision(session, 1)
    assert (revision["account"], revision["reason"]) == ("desk", "found in the archive")


def test_a_bad_reason_points_at_itself(client: TestClient, database: Database, editor: dict[str, str]) -> None:
    response = client.post("/v1/sources", json={"title": "x", "reason": "a\x00b"}, headers=editor)
    assert assert_problem(response, 422, "invalid-value")["errors"][0]["pointer"] == "/reason"
    assert revisions(database) == 0


@pytest.mark.parametrize("asked", ["{tag}", '"1"', "*"])
def test_a_change_of_the_revision_that_was_read_is_made(
    client: TestClient, editor: dict[str, str], source: Any, asked: str
) -> None:
    headers = editor | {"If-Match": asked.format(tag=source.headers["etag"])}
    changed = client.patch(source.headers["location"], json={"title": "New"}, headers=headers)
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
    client: TestClient, editor: dict[str, str], sent: dict[str, str], status: int, slug: str
) -> None:
    created = client.post("/v1/sources", json={"title": "Letters"}, headers=editor)
    path = created.headers["location"]
    assert_problem(client.patch(path, json={"title": "N"}, headers=editor | sent), status, slug)
    assert client.get(path).content == created.content


@both_engines
def test_a_write_that_changes_nothing_answers_200_and_uses_no_number(
    client: TestClient, database: Database, editor: dict[str, str], source: Any
) -> None:
    headers = editor | {"If-Match": "*", "Idempotency-Key": "k"}
    same = client.patch(source.headers["location"], json={"title": "Letters of 1973"}, headers=headers)
    assert (same.status_code, same.content, same.headers["registry-revision"]) == (200, source.content, "1")
    assert revisions(database) == 1


@both_engines
def test_a_commit_that_fails_is_never_answered_as_done(
    client: TestClient, database: Database, editor: dict[str, str]
) -> None:
    # The foreign key is deferred: it is only the commit that finds it broken.
    assert_problem(client.post("/v1/trouble/commit/fails", headers=editor), 409, "state-conflict")
    assert revisions(database) == 0


def test_a_key_in_use_is_noted(client: TestClient, database: Database, source: Any) -> None:
    with database.reading() as session:
        assert accounts.list_keys(session)[0]["last_used_at"] is not None


# Repeated requests


def post(client: TestClient, headers: dict[str, str], key: str, title: str = "x", query: str = "") -> Any:
    return client.post(f"/v1/sources{query}", json={"title": title}, headers=headers | {"Idempotency-Key": key})


@both_engines
def test_a_repeated_request_is_answered_as_the_first_was_and_done_once(
    client: TestClient, database: Database, editor: dict[str, str]
) -> None:
    first, second = post(client, editor, "k1"), post(client, editor, "k1")
    assert second.status_code == first.status_code == 201
    assert second.content == first.content
    for name in ("etag", "location", "content-type", "registry-revision"):
        assert second.headers[name] == first.headers[name]
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert revisions(database) == 1


def test_a_key_used_for_another_request_is_refused(
    client: TestClient, database: Database, editor: dict[str, str]
) -> None:
    post(client, editor, "k1")
    assert_problem(post(client, editor, "k1", "another"), 422, "key-reused")
    assert revisions(database) == 1


def test_keys_of_two_accounts_do_not_meet(
    client: TestClient, database: Database, editor: dict[str, str], admin: dict[str, str]
) -> None:
    assert post(client, editor, "k1").json()["id"] != post(client, admin, "k1").json()["id"]


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"])
def test_an_idempotency_key_is_visible_ascii(client: TestClient, editor: dict[str, str], key: str) -> None:
    headers = editor | {"Content-Type": "application/json"}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()] + [
        (b"idempotency-key", key.encode("latin-1"))
    ]
    response = client.post("/v1/sources", content=b'{"title": "x"}', headers=raw)
    assert_problem(response, 400, "invalid-parameter")


def test_a_failed_request_may_be_repeated_with_its_key(client: TestClient, editor: dict[str, str]) -> None:
    assert post(client, editor, "k1", "x" * 51).status_code == 422
    assert post(client, editor, "k1").status_code == 201


@both_engines
def test_an_old_key_is_forgotten_and_swept_away(client: TestClient, database: Database, editor: dict[str, str]) -> None:
    with travel("2026-01-01T00:00:00Z", tick=False):
        post(client, editor, "k1")
        post(client, editor, "k2")
    with travel("2026-01-01T23:59:00Z", tick=False):
        assert post(client, editor, "k1").headers["idempotency-replayed"] == "true"
    with travel("2026-01-02T00:01:00Z", tick=False):
        assert "idempotency-replayed" not in post(client, editor, "k1").headers
    with database.reading() as session:
        assert session.execute(select(IdempotencyKey.key)).scalars().all() == ["k1"]


@both_engines
def test_of_racing_duplicates_one_is_done_and_the_others_are_given_its_answer(
    settings: Settings, database: Database, editor: dict[str, str]
) -> None:
    patient = open_registry(settings.database_url, write_wait=20)
    app = create_app(settings, patient)
    app.include_router(router)
    found: list[Any] = []
    with TestClient(app) as client:
        racers = [threading.Thread(target=lambda: found.append(post(client, editor, "k1"))) for _ in range(4)]
        with database.writing(account="ahead of them all"):
            for racer in racers:
                racer.start()
        for racer in racers:
            racer.join()
    patient.close()
    assert [response.status_code for response in found] == [201] * 4
    assert len({response.content for response in found}) == 1
    assert sum("idempotency-replayed" in response.headers for response in found) == 3
    assert revisions(database) == 1


# The app


def test_the_docs_page_takes_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    referenced = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", page)
    assert len(referenced) >= 3
    for address in referenced:
        assert address.startswith("/")
        assert client.get(address).status_code == 200
    assert "//" not in re.sub(r"(?m)^\s*//.*$|<!--.*?-->", "", page)
    assert client.get("/").headers["location"] == "/docs"


def test_openapi_documents_problems_keys_and_no_head(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    paths = schema["paths"]
    assert set(paths["/v1/sources"]) == {"get", "post"}
    created = paths["/v1/sources"]["post"]
    assert created["security"] == [{"key": []}]
    assert "security" not in paths["/v1/sources"]["get"]
    assert set(created["responses"]) == {"200", "201", "400", "401", "403", "409", "413", "415", "422", "500", "503"}
    assert set(paths["/v1/sources"]["get"]["responses"]) == {"200", "304", "400", "500"}
    assert "HTTPValidationError" not in json.dumps(schema)
    assert schema["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    named = {parameter["name"] for parameter in paths["/v1/sources/{id}"]["patch"]["parameters"]}
    assert {"id", "If-Match", "Idempotency-Key"} <= named
    for reference in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema)):
        assert reference in schema["components"]["schemas"]


def test_health_tells_life_from_readiness(client: TestClient, database: Database) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {"status": "ready"}
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert_problem(client.get("/health/ready"), 503, "not-ready")
    assert client.get("/health/live").status_code == 200


def test_an_app_opens_its_own_registry_and_closes_it(settings: Settings, database: Database) -> None:
    app = create_app(settings)
    assert app.state.database is None
    with TestClient(app) as client:
        assert client.get("/health/ready").status_code == 200
    assert app.state.database is None


def test_a_database_that_was_not_migrated_is_refused_at_the_start(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, database_url=f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(errors.RegistryDamaged, match="sistercities migrate"), TestClient(create_app(settings)):
        pass


# Request ids and logging


def test_every_answer_carries_a_request_id_and_the_guards(client: TestClient) -> None:
    for path in ("/v1/sources", "/none", "/docs", "/v1/trouble/unforeseen"):
        response = client.get(path)
        assert re.fullmatch(r"[0-9a-f]{16}", response.headers["x-request-id"])
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc.DEF_1-2", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("<a>", False)]
)
def test_a_well_formed_request_id_is_taken_over(client: TestClient, sent: str, kept: bool) -> None:
    response = client.get("/health/live", headers={"X-Request-ID": sent})
    assert (response.headers["x-request-id"] == sent) is kept


def test_the_access_log_has_the_path_and_not_the_query(client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    client.get("/v1/none%0a/%1b[31m?q=private")
    logged = capsys.readouterr().err
    line = next(line for line in logged.splitlines() if "/v1/none" in line)
    assert "path=/v1/none%0A/%1B%5B31m" in line
    assert "status=404" in line
    assert "private" not in logged


def test_logs_are_json_where_machines_collect_them(
    settings: Settings, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    with TestClient(create_app(settings.model_copy(update={"log_format": "json"}), database)) as client:
        client.get("/health/live")
    entry = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (entry["event"], entry["method"], entry["path"], entry["status"]) == ("request", "GET", "/health/live", 200)
    assert entry["level"] == "info"


def test_setting_up_the_logging_twice_leaves_one_handler(settings: Settings, database: Database) -> None:
    create_app(settings, database)
    create_app(settings, database)
    assert [handler.name for handler in logging.getLogger().handlers].count("registry") == 1
