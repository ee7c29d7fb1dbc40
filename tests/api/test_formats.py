"""Lists in other formats: by `Accept` or by suffix, streamed, from one snapshot."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from answering import assert_problem, listed
from exporting_world import World, fill
from fastapi.testclient import TestClient

from app.api import formats
from app.exchange import exporting
from app.exchange.formats import parquet
from app.registry import Database, cities, journal

LISTS = (
    "countries", "cities", "partnerships", "programs", "organisations", "sources", "reported-figures", "revisions",
)  # fmt: skip
#: List and format, for every format that each comes in.
ALL = [
    (name, each.name)
    for name in (*LISTS, "changes")
    for each in exporting.formats_of(name.replace("-", "_"))
    if each.name != "json"
]


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return fill(sqlite_database)


@pytest.fixture
def api(serve: Callable[[Database], TestClient], sqlite_database: Database) -> TestClient:
    """A client of a registry on SQLite; every answer is checked against the OpenAPI document."""
    return serve(sqlite_database)


def records(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()][:-1]


# ── Which format ──


@pytest.mark.parametrize(("name", "format"), ALL)
def test_every_list_comes_in_every_format_that_fits_by_suffix_and_by_accept(
    seeded: TestClient, name: str, format: str
) -> None:
    media_type = exporting.FORMATS[format].media_type
    by_suffix = seeded.get(f"/v1/{name}.{format}")
    by_accept = seeded.get(f"/v1/{name}", headers={"Accept": media_type})
    for response in (by_suffix, by_accept):
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == media_type
        assert response.headers["vary"] == "Accept"
        file = f"{name.replace('-', '_')}.{format}"
        assert response.headers["content-disposition"] == f'attachment; filename="{file}"'
        assert response.headers["registry-revision"] == "1"
    assert by_suffix.content == by_accept.content


@pytest.mark.parametrize("name", [*LISTS, "changes"])
def test_json_stays_a_page_also_by_suffix(seeded: TestClient, name: str) -> None:
    plain, by_suffix = (seeded.get(f"/v1/{name}{suffix}?limit=2") for suffix in ("", ".json"))
    assert plain.json()["items"] == by_suffix.json()["items"]
    assert by_suffix.headers["content-type"] == "application/json"
    if name not in ("revisions", "changes"):
        assert by_suffix.json()["next"].startswith(f"/v1/{name}.json?")
        assert len(listed(seeded, f"/v1/{name}.json", limit=100)) == len(listed(seeded, f"/v1/{name}", limit=100))


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/*", "text/csv; charset=utf-8"),
        ("TEXT/CSV; charset=utf-8", "text/csv; charset=utf-8"),
        ("text/csv, */*", "text/csv; charset=utf-8"),
        ("text/csv;q=0.5, application/geo+json", "application/geo+json"),
        ("application/json;q=0, */*;q=0.1", "application/x-ndjson"),
        ("application/jsonl", "application/x-ndjson"),
        ("text/csv;q=nonsense", "text/csv; charset=utf-8"),
    ],
)
def test_accept_is_weighed_as_http_has_it(seeded: TestClient, accept: str, expected: str) -> None:
    response = seeded.get("/v1/cities", headers={"Accept": accept})
    assert response.headers["content-type"] == expected


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/v1/countries.geojson", "*/*"),
        ("/v1/countries", "application/geo+json"),
        ("/v1/cities.xls", "*/*"),
        ("/v1/cities", "text/html"),
        ("/v1/cities", "*/*;q=0"),
        ("/v1/changes.parquet", "*/*"),
        ("/v1/cities.graphml", "*/*"),
    ],
)
def test_a_format_that_the_list_does_not_have_is_406_and_names_those_it_has(
    seeded: TestClient, path: str, accept: str
) -> None:
    problem = assert_problem(seeded.get(path, headers={"Accept": accept}), 406, "not-acceptable")
    assert problem["formats"]["ndjson"] == "application/x-ndjson"
    assert "geojson" not in problem["formats"] or "cities" in path


def test_parquet_without_its_extra_is_501_and_says_how_to_get_it(
    seeded: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "find_spec", lambda _name: None)
    problem = assert_problem(seeded.get("/v1/cities.parquet"), 501, "not-installed")
    assert (problem["extra"], "sistercities[parquet]" in problem["detail"]) == ("parquet", True)


# ── What is selected ──


def test_filters_work_the_same_and_there_is_no_ceiling(
    api: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH", 2)
    every = records(api.get("/v1/partnerships.ndjson").text)
    assert [each["id"] for each in every] == [each["id"] for each in listed(api, "/v1/partnerships")]
    query = "country=NZ&country=NZ&kind=sister_city,charter&sort=-established"
    some = records(api.get(f"/v1/partnerships.ndjson?{query}").text)
    assert [each["id"] for each in some] == [each["id"] for each in listed(api, f"/v1/partnerships?{query}")]
    assert len(some) < len(every)


def test_lists_below_a_record_come_in_formats_too(seeded: TestClient) -> None:
    text = seeded.get("/v1/cities/wikidata:Q1297/partnerships.csv?status=active").text
    rows = list(csv.DictReader(io.StringIO(text, newline="")))[:-1]
    assert {row["status"] for row in rows} == {"active"}
    assert all("Chicago, US" in row["cities"] for row in rows)
    cited = records(seeded.get("/v1/sources/1/citations.ndjson").text)
    assert cited == listed(seeded, "/v1/sources/1/citations", limit=100)
    ways = seeded.get("/v1/cities/1/partnerships", headers={"Accept": "application/geo+json"}).json()
    assert ways["count"] == len(rows) + 1 or ways["count"] >= len(rows)


def test_a_day_says_in_a_header_and_in_the_trailer_how_many_were_left_out(seeded: TestClient) -> None:
    page = seeded.get("/v1/partnerships?active_on=1972-01-01").json()
    response = seeded.get("/v1/partnerships.ndjson?active_on=1972-01-01")
    assert response.headers["left-out-as-undated"] == str(page["left_out_as_undated"])
    assert json.loads(response.text.splitlines()[-1])["left_out_as_undated"] == page["left_out_as_undated"]
    assert len(records(response.text)) == len(page["items"])


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/cities.csv?limit=5", "limit"),
        ("/v1/cities.csv?cursor=abc", "cursor"),
        ("/v1/cities.ndjson?count=exact", "count"),
        ("/v1/cities.ndjson?trailer=false", "trailer"),
        ("/v1/cities.csv?trailer=maybe", "trailer"),
        ("/v1/cities.csv?bookkeeping=1", "bookkeeping"),
        ("/v1/cities?bookkeeping=true", "bookkeeping"),
        ("/v1/cities.csv?sort=nam", "sort"),
        ("/v1/cities.csv?countri=JP", "countri"),
        ("/v1/cities.csv?country=ZZ", "country"),
        ("/v1/changes.csv?since=99", "since"),
        ("/v1/changes.csv?limit=3", "limit"),
        ("/v1/changes.json?trailer=true", "trailer"),
    ],
)
def test_what_is_wrong_with_the_question_is_400_before_anything_is_streamed(
    seeded: TestClient, path: str, parameter: str
) -> None:
    problem = assert_problem(seeded.get(path), 400, "invalid-parameter")
    assert problem["errors"][0]["parameter"] == parameter


def test_bookkeeping_and_trailer_are_choices(api: TestClient, world: World) -> None:
    with_it = api.get("/v1/cities.csv?bookkeeping=true&trailer=false").text
    rows = list(csv.DictReader(io.StringIO(with_it, newline="")))
    assert all(row["updated_at"].endswith("Z") for row in rows)
    assert "revision" not in records(api.get("/v1/cities.ndjson").text)[0]


def test_changes_since_a_revision_come_all_at_once(api: TestClient, world: World) -> None:
    pages = api.get("/v1/changes?since=1&limit=1000").json()["items"]
    assert records(api.get("/v1/changes.ndjson?since=1").text) == pages


# ── Conditional, HEAD ──


def test_a_reader_who_has_it_is_told_so_and_formats_have_tags_of_their_own(seeded: TestClient) -> None:
    tags = {
        name: seeded.get("/v1/cities", headers={"Accept": exporting.FORMATS[name].media_type}).headers["etag"]
        for name in ("json", "csv", "ndjson")
    }
    assert len(set(tags.values())) == 3
    for name, tag in tags.items():
        headers = {"Accept": exporting.FORMATS[name].media_type, "If-None-Match": tag}
        assert seeded.get("/v1/cities", headers=headers).status_code == 304
        others = {**headers, "If-None-Match": ", ".join(set(tags.values()) - {tag})}
        assert seeded.get("/v1/cities", headers=others).status_code == 200
    by_suffix = seeded.get("/v1/cities.csv").headers["etag"]
    assert by_suffix == 'W/"1"'
    assert seeded.get("/v1/cities.csv", headers={"If-None-Match": by_suffix}).status_code == 304


def test_head_says_what_get_would_and_gathers_nothing(seeded: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    get = seeded.get("/v1/partnerships.csv")
    monkeypatch.setattr(exporting, "fetched", lambda *_given: pytest.fail("nobody reads this"))
    head = seeded.head("/v1/partnerships.csv")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "etag", "content-disposition", "registry-revision"):
        assert head.headers[name] == get.headers[name]


# ── Streams ──


class Sent:
    """A client that takes each piece as it comes, over the bare protocol; `after` is called after each."""

    def __init__(self, app: Any, path: str, after: Callable[[int], object] = lambda _count: None) -> None:
        self.app, self.path, self.after = app, path, after
        self.pieces: list[bytes] = []
        self.gone = asyncio.Event()

    async def run(self) -> None:
        path, _, query = self.path.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "root_path": "", "headers": [(b"host", b"testserver")], "client": ("c", 1), "server": ("s", 80),
        }  # fmt: skip
        await self.app(scope, self._receive, self._send)

    async def _receive(self) -> Any:
        if not self.pieces and not self.gone.is_set():
            await asyncio.sleep(0)
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.pieces.append(message.get("body", b""))
            self.after(len(self.pieces))


def test_a_stream_shows_one_snapshot_and_other_reads_are_answered_in_between(
    api: TestClient, world: World, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH", 1)
    before = api.get("/v1/cities.ndjson").content
    answered: list[int] = []

    def between(count: int) -> None:
        if count != 2:
            return
        with sqlite_database.writing(account="desk") as session:
            cities.add(session, {"name": "In between", "country": "JP", "kind": "town"})
            journal.commit(session)
        # Another reader, from another thread, while the stream is under way: the lane is free between two batches.
        asked = threading.Thread(target=lambda: answered.append(api.get("/v1/cities?limit=1").status_code))
        asked.start()

    sent = Sent(api.app, "/v1/cities.ndjson", between)
    api.portal.call(sent.run)  # type: ignore[union-attr]
    assert b"".join(sent.pieces) == before
    for _ in range(100):
        if answered:
            break
        threading.Event().wait(0.05)
    assert answered == [200]
    assert b"In between" in api.get("/v1/cities.ndjson").content


def test_a_reader_who_goes_away_leaves_no_session_open(
    api: TestClient, world: World, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH", 1)
    closed: list[bool] = []
    let_go = formats.Stream._let_go

    def told(self: formats.Stream) -> None:
        let_go(self)
        closed.append(self.session.in_transaction())

    monkeypatch.setattr(formats.Stream, "_let_go", told)

    async def leave() -> None:
        sent = Sent(api.app, "/v1/cities.ndjson", lambda count: sent.gone.set() if count == 2 else None)
        await sent.run()
        assert len(sent.pieces) < 8

    api.portal.call(leave)  # type: ignore[union-attr]
    assert closed == [False]
    assert sqlite_database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_stream_that_breaks_ends_without_its_last_line_and_gives_its_session_back(
    api: TestClient, world: World, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaking(_session: Any, _statement: Any) -> Any:
        raise RuntimeError("the disk is gone")
        yield

    monkeypatch.setattr(exporting, "fetched", breaking)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        api.get("/v1/cities.ndjson")
    assert sqlite_database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/v1/cities.csv?country=ZZ", "/v1/cities.csv?sort=nam", "/v1/cities.csv"])
def test_no_request_keeps_a_connection(api: TestClient, sqlite_database: Database, path: str) -> None:
    api.get(path)
    api.get(path, headers={"If-None-Match": 'W/"1"'})
    assert sqlite_database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_both_engines_send_the_same_bytes(
    serve: Callable[[Database], TestClient], database: Database, tmp_path: Path
) -> None:
    # The same records in the same order: the ids are the same.
    fill(database)
    client = serve(database)
    kept = Path(tmp_path.parent) / "bytes-of-the-other-engine"
    text = b"".join(client.get(f"/v1/partnerships.{name}").content for name in ("ndjson", "csv", "geojson", "gexf"))
    ElementTree.fromstring(client.get("/v1/partnerships.graphml").content)
    if kept.exists():
        assert kept.read_bytes() == text
    kept.write_bytes(text)
