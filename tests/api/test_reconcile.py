"""The reconciliation protocol over HTTP: the manifest, forms, other origins, and what bad input gets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from answering import SECRET, assert_problem
from fastapi.testclient import TestClient
from reconciling import (
    ReadingClient,
    documented,
    examples,
    extended,
    judge,
    reconciled,
    seeded_client,
    send,
    told,
    valid,
    world_client,
)
from small_world import World

from app.api.schemas.reconcile import BATCH_SIZE, MOST_IDS
from app.main import create_app
from app.registry import Database
from app.settings import Settings

ORIGIN = {"Origin": "https://elsewhere.example"}
seeded = pytest.fixture(scope="module")(seeded_client)
standing = pytest.fixture(scope="module")(world_client)


@pytest.fixture
def world(standing: ReadingClient) -> World:
    """What the standing registry holds."""
    return standing.world


def settings_of(database: Database, **more: Any) -> Settings:
    url = database.url.render_as_string(hide_password=False)
    return Settings(_env_file=None, database_url=url, **more)


# ── The manifest ──


def test_the_manifest_is_as_published_and_names_absolute_addresses(standing: ReadingClient) -> None:
    answer = documented(standing, standing.get("/reconcile"))
    manifest = valid("manifest", answer)
    assert manifest["versions"] == ["0.2"]
    assert [each["id"] for each in manifest["defaultTypes"]] == ["city", "country"]
    assert manifest["batchSize"] == BATCH_SIZE
    assert manifest["identifierSpace"] == "http://testserver/reconcile/view/"
    assert manifest["view"]["url"] == manifest["identifierSpace"] + "{{id}}"
    assert standing.get("/reconcile/").json() == manifest


def test_a_manifest_that_names_the_requests_own_host_is_kept_by_nobody(standing: ReadingClient) -> None:
    forged = standing.get("/reconcile", headers={"Host": "forged.example:8080"})
    assert forged.json()["view"]["url"].startswith("http://forged.example:8080/")
    assert forged.headers["cache-control"] == "no-store"
    again = standing.get("/reconcile", headers={"If-None-Match": forged.headers["etag"]})
    assert again.status_code == 200


@pytest.mark.parametrize("host", ['x"><script>', "a b", "a/b", "user@host", "host:99999999", "[::1", ""])
def test_a_host_that_is_none_is_refused(standing: ReadingClient, host: str) -> None:
    problem = assert_problem(standing.get("/reconcile", headers={"Host": host}), 400, "invalid-parameter")
    assert problem["errors"][0]["parameter"] == "Host"


def test_the_public_address_stands_in_the_manifest_whatever_the_host(database: Database) -> None:
    settings = settings_of(database, public_url="https://cities.example/registry/")
    with TestClient(create_app(settings, database)) as client:
        answer = client.get("/reconcile", headers={"Host": "forged.example"})
        preview = client.get("/reconcile/preview/1").text
    assert answer.headers["cache-control"] == "no-cache"
    assert "forged" not in answer.text
    assert answer.json()["preview"]["url"] == "https://cities.example/registry/reconcile/preview/{{id}}"
    assert 'href="https://cities.example/registry/v1/cities/1"' in preview


def test_every_address_of_the_manifest_leads_somewhere(standing: ReadingClient) -> None:
    manifest = standing.get("/reconcile").json()
    parts = [
        (manifest["suggest"][kind], key) for kind, key in (("entity", "1"), ("property", "kind"), ("type", "city"))
    ]
    addresses = [
        manifest["preview"]["url"],
        manifest["view"]["url"],
        manifest["documentation"],
        manifest["schemaSpace"],
    ]
    addresses = [address.replace("{{id}}", "1") for address in addresses]
    for part, key in parts:
        addresses.append(part["service_url"] + part["service_path"] + "?prefix=c")
        addresses.append(part["flyout_service_url"] + part["flyout_service_path"].replace("${id}", key))
    proposal = manifest["extend"]["propose_properties"]
    addresses.append(proposal["service_url"] + proposal["service_path"] + "?type=city&limit=128")
    assert len(addresses) == 11
    for address in addresses:
        answer = standing.get(address)
        assert answer.status_code == (303 if "/view/" in address else 200), address


# ── Queries by GET and POST ──


def test_get_and_post_answer_the_same(standing: ReadingClient, world: World) -> None:
    for field, said in (
        ("queries", {"a": {"query": "Osaka, Japan"}, "b": {"query": "São Paulo", "type": "city"}}),
        ("extend", {"ids": [str(world.cities["osaka"])], "properties": [{"id": "partners"}]}),
    ):
        posted = send(standing, field, said)
        asked = standing.get("/reconcile", params={field: json.dumps(said)})
        assert posted.status_code == asked.status_code == 200
        assert posted.content == asked.content
        assert (posted.headers["cache-control"], asked.headers["cache-control"]) == ("no-store", "no-cache")
        unchanged = standing.get("/reconcile", params={field: json.dumps(said)}, headers={"If-None-Match": "*"})
        assert unchanged.status_code == 304
        assert standing.post("/reconcile/", data={field: json.dumps(said)}).content == posted.content


def test_a_form_as_openrefine_sends_it_is_read(standing: ReadingClient, world: World) -> None:
    # Its charset in the content type, its own order of keys, its type_strict, and numbers as numbers.
    query = {
        "query": "Chicago", "type": "city", "type_strict": "should", "limit": 5,
        "properties": [{"pid": "country", "v": {"id": "US", "name": "United States"}}, {"pid": "latitude", "v": 41.88},
                       {"pid": "longitude", "v": -87.63}],
    }  # fmt: skip
    content = "queries=" + quote(json.dumps({"q0": query}))
    kind = "application/x-www-form-urlencoded; charset=UTF-8"
    answer = standing.post("/reconcile", content=content, headers={"Content-Type": kind} | ORIGIN)
    (candidate,) = valid("reconciliation-result-batch", answer)["q0"]["result"]
    assert (candidate["id"], candidate["match"]) == (str(world.cities["chicago"]), True)


@examples("reconciliation-query-batch", "valid")
def test_a_published_example_of_queries_is_answered(standing: ReadingClient, shared: Path, path: Path) -> None:
    said = json.loads(path.read_text())
    judge("reconciliation-query-batch").validate(said)
    body = valid("reconciliation-result-batch", send(standing, "queries", path.read_text()))
    assert list(body) == list(said)


@examples("data-extension-query", "valid")
def test_a_published_example_of_a_data_extension_is_answered(standing: ReadingClient, shared: Path, path: Path) -> None:
    said = json.loads(path.read_text())
    body = valid("data-extension-response", send(standing, "extend", path.read_text()))
    assert set(body["rows"]) == set(said["ids"])
    wanted = {each["id"] for each in said["properties"]}
    assert all(set(row) == wanted for row in body["rows"].values())


@examples("reconciliation-query-batch", "invalid")
def test_a_published_example_of_wrong_queries_is_refused(standing: ReadingClient, shared: Path, path: Path) -> None:
    assert not judge("reconciliation-query-batch").is_valid(json.loads(path.read_text()))
    problem = assert_problem(send(standing, "queries", path.read_text()), 400, "invalid-parameter")
    assert all(fault["parameter"].startswith("queries/q") for fault in problem["errors"])


@examples("reconciliation-result-batch", "invalid")
def test_the_schemas_that_judge_answers_do_refuse(shared: Path, path: Path) -> None:
    assert not judge("reconciliation-result-batch").is_valid(json.loads(path.read_text()))


# ── Bad input ──

QUERY = {"query": "Osaka"}


@pytest.mark.parametrize(
    ("field", "said", "parameter"),
    [
        ("queries", "", "queries"),
        ("queries", "{", "queries"),
        ("queries", "[]", "queries"),
        ("queries", "null", "queries"),
        ("queries", '{"q0":{"query":"a"},"q0":{"query":"b"}}', "queries"),
        ("queries", '{"q0":{"query":NaN}}', "queries"),
        ("queries", '{"q0":{"query":"\\ud800"}}', "queries"),
        ("queries", '{"q0":' + "[" * 40 + "]" * 40 + "}", "queries"),
        ("queries", {"q0": "Osaka"}, "queries/q0"),
        ("queries", {"q0": {}}, "queries/q0"),
        ("queries", {"q0": {"properties": []}}, "queries/q0"),
        ("queries", {"q0": {"query": 5}}, "queries/q0/query"),
        ("queries", {"q0": {"query": "x" * 1001}}, "queries/q0/query"),
        ("queries", {"q0": QUERY | {"limit": 0}}, "queries/q0/limit"),
        ("queries", {"q0": QUERY | {"limit": -1}}, "queries/q0/limit"),
        ("queries", {"q0": QUERY | {"limit": 1.5}}, "queries/q0/limit"),
        ("queries", {"q0": QUERY | {"limit": "3"}}, "queries/q0/limit"),
        ("queries", {"q0": QUERY | {"limit": True}}, "queries/q0/limit"),
        ("queries", {"q0": QUERY | {"type": 5}}, "queries/q0/type"),
        ("queries", {"q0": QUERY | {"type": [5]}}, "queries/q0/type/0"),
        ("queries", {"q0": QUERY | {"type_strict": "maybe"}}, "queries/q0/type_strict"),
        ("queries", {"q0": QUERY | {"typ": "city"}}, "queries/q0/typ"),
        ("queries", {"q0": QUERY | {"properties": {"pid": "country", "v": "JP"}}}, "queries/q0/properties"),
        ("queries", {"q0": QUERY | {"properties": [{"v": "JP"}]}}, "queries/q0/properties/0/pid"),
        ("queries", {"q0": QUERY | {"properties": [{"pid": "country"}]}}, "queries/q0/properties/0/v"),
        ("queries", {"q0": QUERY | {"properties": told(country={"name": "Japan"})}}, "queries/q0/properties/0/v"),
        ("queries", {"q0": QUERY | {"properties": told(country=[["JP"]])}}, "queries/q0/properties/0/v"),
        ("queries", {"q0": QUERY | {"properties": told(country=None)}}, "queries/q0/properties/0/v"),
        ("queries", {"q0": QUERY | {"properties": told(country=["JP"] * 51)}}, "queries/q0/properties/0/v"),
        ("queries", {"q0": QUERY | {"properties": told(country="JP") * 51}}, "queries/q0/properties"),
        ("extend", "{", "extend"),
        ("extend", [], "extend"),
        ("extend", {}, "extend/ids"),
        ("extend", {"ids": "1", "properties": []}, "extend/ids"),
        ("extend", {"ids": [1], "properties": []}, "extend/ids/0"),
        ("extend", {"ids": ["1"]}, "extend/properties"),
        ("extend", {"ids": ["1"], "properties": ["kind"]}, "extend/properties/0"),
        ("extend", {"ids": ["1"], "properties": [{"id": "kind", "settings": 5}]}, "extend/properties/0/settings"),
        *(
            ("extend", {"ids": ["1"], "properties": [{"id": "kind", "settings": settings}]},
             f"extend/properties/0/settings/{name}")
            for name, settings in (
                ("limit", {"limit": "many"}), ("limit", {"limit": -1}), ("limit", {"limit": 1.5}),
                ("limit", {"limit": True}), ("limit", {"limit": "9" * 5000}), ("status", {"status": "gone"}),
                ("status", {"status": ["active"]}),
            )
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_field_is_named_by_its_place(
    seeded: TestClient, field: str, said: Any, parameter: str
) -> None:
    for answer in (send(seeded, field, said), seeded.get("/reconcile", params={field: json.dumps(said)})):
        if not isinstance(said, str) or answer.request.method == "POST":
            problem = assert_problem(answer, 400, "invalid-parameter")
            assert parameter in [fault["parameter"] for fault in problem["errors"]]
            assert answer.headers["access-control-allow-origin"] == "*"


def test_what_was_sent_is_not_repeated(seeded: TestClient) -> None:
    for said in (SECRET, {"q0": {"query": [SECRET]}}, {"q0": QUERY | {"properties": told(country=[[SECRET]])}}):
        assert_problem(send(seeded, "queries", said), 400, "invalid-parameter")
    assert_problem(seeded.get("/reconcile", params={"callback": SECRET + "()"}), 400, "invalid-parameter")


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content", "kind", "status", "slug"),
    [
        (b"", FORM, 400, "malformed-body"),
        (b"other=1", FORM, 400, "malformed-body"),
        (b"queries={}&extend={}", FORM, 400, "malformed-body"),
        (b"queries={}&queries={}", FORM, 400, "malformed-body"),
        (b"queries=%FF", FORM, 400, "malformed-body"),
        (b"queries=\xff", FORM, 400, "malformed-body"),
        (b"&".join(b"a%d=1" % place for place in range(60)), FORM, 400, "malformed-body"),
        (b'{"queries": {}}', "application/json", 415, "unsupported-media-type"),
        (b"queries={}", "text/plain", 415, "unsupported-media-type"),
        (b"queries={}", f"{FORM}; charset=latin-1", 415, "unsupported-media-type"),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415, "unsupported-media-type"),
        (b"queries=" + b"x" * 1_100_000, FORM, 413, "body-too-large"),
    ],
)
def test_a_body_that_is_no_such_form_is_refused(
    seeded: TestClient, content: bytes, kind: str, status: int, slug: str
) -> None:
    answer = seeded.post("/reconcile", content=content, headers={"Content-Type": kind})
    assert_problem(answer, status, slug)
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_batch_has_a_size(seeded: TestClient) -> None:
    assert len(reconciled(seeded, *["Osaka"] * BATCH_SIZE)) == BATCH_SIZE
    more = {str(place): QUERY for place in range(BATCH_SIZE + 1)}
    assert "100 queries" in assert_problem(send(seeded, "queries", more), 413, "body-too-large")["detail"]
    assert len(extended(seeded, list(range(1, MOST_IDS + 1)), "kind")) == MOST_IDS
    ids = {"ids": [str(place) for place in range(MOST_IDS + 1)], "properties": []}
    assert_problem(send(seeded, "extend", ids), 413, "body-too-large")
    assert reconciled(seeded) == []


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/reconcile?querys={}", "queries"),
        ("/reconcile?query=Osaka", "queries"),
        ("/reconcile?extended={}", "extend"),
        ("/reconcile/suggest/entity?prefx=osa", "prefix"),
        ("/reconcile/suggest/entity?prefix=osa&limt=1", "limit"),
        ("/reconcile/preview/1?calback=x", "callback"),
    ],
)
def test_a_slip_of_a_parameter_is_told_the_nearest(seeded: TestClient, path: str, near: str) -> None:
    assert f"`{near}`" in assert_problem(seeded.get(path), 400, "invalid-parameter")["detail"]


def test_what_clients_send_for_other_services_is_let_pass(seeded: TestClient) -> None:
    sent = "filter=(all%20a:b)&filter=x&lang=en&key=null&prefixed=true&all_types=true&type_strict=any&_=1700000000000"
    plain = seeded.get("/reconcile/suggest/entity?prefix=osa").json()
    assert seeded.get(f"/reconcile/suggest/entity?prefix=osa&{sent}").json() == plain
    assert seeded.get(f"/reconcile?{sent}&utm_source=mail").json() == seeded.get("/reconcile").json()


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=5.0", "cursor=-1", "cursor=x", "prefix=" + "x" * 301]
)
def test_a_parameter_that_cannot_be_used_is_named(seeded: TestClient, query: str) -> None:
    problem = assert_problem(seeded.get(f"/reconcile/suggest/entity?{query}"), 400, "invalid-parameter")
    assert [fault["parameter"] for fault in problem["errors"]] == [query.split("=", maxsplit=1)[0]]


# ── Other origins ──


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/reconcile", 200),
        ("HEAD", "/reconcile", 200),
        ("GET", "/reconcile/suggest/entity?prefix=o", 200),
        ("GET", "/reconcile/preview/1", 200),
        ("GET", "/reconcile/view/1", 303),
        ("GET", "/reconcile/view/none", 404),
        ("GET", "/reconcile/none", 404),
        ("PUT", "/reconcile", 405),
        ("POST", "/reconcile", 415),
    ],
)
def test_pages_of_any_origin_may_read_every_answer(seeded: TestClient, method: str, path: str, status: int) -> None:
    answer = seeded.request(method, path, headers=ORIGIN)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_a_browser_that_asks_first_is_told_what_it_may(seeded: TestClient) -> None:
    asked = ORIGIN | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-requested-with"}
    answer = seeded.options("/reconcile", headers=asked)
    assert answer.status_code == 204
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "*"
    assert_problem(seeded.options("/reconcile", headers=ORIGIN), 405, "method-not-allowed")


def test_no_other_route_is_open_to_other_origins(seeded: TestClient) -> None:
    for path in ("/v1", "/reconciled", "/docs"):
        assert "access-control-allow-origin" not in seeded.get(path, headers=ORIGIN).headers


def test_clients_from_before_cors_get_a_script(seeded: TestClient) -> None:
    for path in ("/reconcile?", '/reconcile?queries={"a":{"query":"Osaka"}}&', "/reconcile/suggest/type?prefix=c&",
                 "/reconcile/flyout/entity/1?", "/reconcile/properties?"):  # fmt: skip
        script = documented(seeded, seeded.get(f"{path}callback=jQuery1_2.done&_=1"))
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"
        assert script.headers["x-content-type-options"] == "nosniff"
        called = re.fullmatch(r"/\*\*/jQuery1_2\.done\((.*)\);", script.text)
        assert called is not None
        assert json.loads(called[1]) == seeded.get(path.rstrip("?&")).json()


@pytest.mark.parametrize("name", ["", "alert(1)", "a-b", "a..b", "1a", "a;b", "x" * 101, "é", "a\n"])
def test_a_callback_is_the_name_of_a_function_and_nothing_else(seeded: TestClient, name: str) -> None:
    answer = seeded.get("/reconcile", params={"callback": name})
    assert assert_problem(answer, 400, "invalid-parameter")["errors"][0]["parameter"] == "callback"


# ── Settings ──


def test_the_form_obeys_the_limits_of_the_settings(database: Database, serve: Callable[[Database], TestClient]) -> None:
    client = serve(database)
    client.app.state.settings = settings_of(database, body_limit=1024, json_depth=4)  # type: ignore[attr-defined]
    assert_problem(send(client, "queries", {"q": {"query": "x" * 990}}), 413, "body-too-large")
    assert_problem(send(client, "queries", '{"q":[[[[1]]]]}'), 400, "invalid-parameter")


def test_the_addresses_of_the_manifest_are_encoded_once(seeded: TestClient) -> None:
    template = seeded.get("/reconcile").json()["view"]["url"]
    address = template.replace("{{id}}", quote("wikidata:Q1297", safe=""))
    assert seeded.get(urlsplit(address).path).headers["location"] == "/v1/cities/1"
