"""What bad input gets: each line of the promise, asked as a client would, on both engines."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from answering import ANY, assert_problem, listed, new_key, pointers, revisions
from fastapi.testclient import TestClient

from app.main import create_app
from app.registry import Database, open_registry
from app.settings import Settings

PAIR: dict[str, Any] = {"kind": "sister_city", "members": [{"city": 1}, {"city": 4}]}
CITY: dict[str, Any] = {"name": "Bride", "country": "IM", "kind": "parish"}
FIGURE: dict[str, Any] = {
    "source": "NOISE", "scope": "all", "measure": "cities", "comparator": "over", "value": 1,
}  # fmt: skip
JSON = {"Content-Type": "application/json"}


def pair(*cities: Any, **more: Any) -> dict[str, Any]:
    return PAIR | {"members": [{"city": city} for city in cities]} | more


def events(*several: dict[str, Any]) -> dict[str, Any]:
    return PAIR | {"events": list(several)}


#: Path, body → status, kind of problem, where it lies, a word of what is said.
REFUSED: dict[str, tuple[str, dict[str, Any], int, str, str, str]] = {
    "a pair of a city with itself": (
        "partnerships", pair(1, 1), 422, "invalid-value", "/members/1/city", "partnered with itself"),
    "… by two of its names": (
        "partnerships", pair(1, "geonames:9000000"), 422, "invalid-value", "/members/1/city", "itself"),
    "one member": ("partnerships", pair(1), 422, "invalid-value", "/members", "at least 2"),
    "no member": ("partnerships", {"kind": "sister_city"}, 422, "invalid-value", "/members", "required"),
    "an unknown country": ("cities", CITY | {"country": "ZZ"}, 422, "unknown-reference", "/country", "ISO 3166-1"),
    "an unknown country of a member": (
        "partnerships", pair(1, {"name": "Bride", "country": "ZZ"}), 422, "unknown-reference",
        "/members/1/city/country", "ISO 3166-1"),
    "an unknown city": (
        "partnerships", pair(1, {"name": "Bride", "country": "IM"}), 422, "unknown-reference",
        "/members/1/city", "add it first"),
    "an unknown number": ("partnerships", pair(1, 10**15), 422, "unknown-reference", "/members/1/city", "number"),
    "an unknown identifier": (
        "partnerships", pair(1, "wikidata:Q1"), 422, "unknown-reference", "/members/1/city", "identifier"),
    "a number beyond 64 bits": ("partnerships", pair(1, 2**63), 400, "malformed-body", "", "64 bits"),
    "… as text": ("partnerships", pair(1, str(2**63)), 422, "unknown-reference", "/members/1/city", "number"),
    "a negative number": ("partnerships", pair(1, -1), 422, "invalid-value", "/members/1/city", "greater than"),
    "latitude 91": ("cities", CITY | {"latitude": 91, "longitude": 0}, 422, "invalid-value", "/latitude", "90"),
    "longitude -181": ("cities", CITY | {"latitude": 0, "longitude": -181}, 422, "invalid-value", "/longitude", "180"),
    "half a place": ("cities", CITY | {"latitude": 54.3}, 422, "invalid-value", "/longitude", ""),
    "an end before the start": (
        "partnerships", events({"type": "signed", "date": "1973"}, {"type": "ended", "date": "1972"}),
        409, "event-refused", "/events/1", "before"),
    "a city that ends before it begins": (
        "cities", CITY | {"existed_from": "1973", "existed_until": "1972"}, 422, "invalid-value", "/existed_until", ""),
    "a program that ends before it begins": (
        "programs", {"partnership": 1, "name": "x", "category": "other", "since": "1973", "until": "1972"},
        422, "invalid-value", "/until", ""),
    "an event that the lifecycle does not allow": (
        "partnerships", events({"type": "signed", "date": "1973"}, {"type": "resumed"}),
        409, "event-refused", "/events/1", "suspended"),
    "a date that does not exist": (
        "partnerships", events({"type": "signed", "date": "1973-02-30"}), 422, "invalid-value", "/events/0/date", "28"),
    "a date that is none": (
        "partnerships", events({"type": "signed", "date": "last year"}), 422, "invalid-value", "/events/0/date", ""),
    "a kind that does not exist": (
        "partnerships", PAIR | {"kind": "brother_city"}, 422, "invalid-value", "/kind", "sister_city"),
    "a kind of city that does not exist": ("cities", CITY | {"kind": "planet"}, 422, "invalid-value", "/kind", "town"),
    "an event of a kind that does not exist": (
        "partnerships", events({"type": "eloped"}), 422, "invalid-value", "/events/0/type", "signed"),
    "a computed field": ("partnerships", PAIR | {"status": "active"}, 422, "invalid-value", "/status", "computed"),
    "a computed field of an event": (
        "partnerships", events({"type": "signed", "position": 1}), 422, "invalid-value", "/events/0/position", ""),
    "a number as text": ("cities", CITY | {"latitude": "1", "longitude": 1}, 422, "invalid-value", "/latitude", ""),
    "a flag for a number": ("reported-figures", FIGURE | {"value": True}, 422, "invalid-value", "/value", ""),
    "no source": ("reported-figures", FIGURE | {"source": "S?"}, 422, "unknown-reference", "/source", "number"),
    "an address that is none": (
        "sources", {"title": "x", "url": "javascript:alert(1)"}, 422, "invalid-value", "/url", ""),
    "an identifier of no scheme": (
        "cities", CITY | {"identifiers": [{"scheme": "myspace", "value": "1"}]},
        422, "invalid-value", "/identifiers/0/scheme", "wikidata"),
    "an identifier of another form": (
        "cities", CITY | {"identifiers": [{"scheme": "wikidata", "value": "1297"}]},
        422, "invalid-value", "/identifiers/0/value", "Q"),
    "insisting without a reason": (
        "cities?insist=true", {"name": "Cusco", "country": "PE", "kind": "city"}, 422, "invalid-value", "/reason", ""),
    "a body that is a list": ("sources", [], 422, "invalid-value", "", "object"),  # type: ignore[dict-item]
}  # fmt: skip


def test_what_cannot_be_is_refused_with_its_place_and_its_reason(
    client: TestClient, database: Database, editor: dict[str, str]
) -> None:
    for what, (path, body, status, slug, pointer, said) in REFUSED.items():
        answer = client.post(f"/v1/{path}", json=body, headers=editor)
        assert answer.status_code == status, (what, answer.text)
        problem = assert_problem(answer, status, slug)
        assert pointer == "" or pointer in pointers(problem), (what, answer.text)
        assert said in answer.text, (what, answer.text)
    assert revisions(database) == 1


NOT_JSON: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 400, "empty"),
    "no JSON": (b"name=Bride", 400, "not JSON"),
    "not UTF-8": (b'{"title": "S\xe3o"}', 400, "UTF-8"),
    "NaN": (b'{"title": "x", "note": NaN}', 400, "NaN"),
    "1e999": (b'{"title": "x", "note": 1e999}', 400, "too large"),
    "half a character": (b'{"title": "\\ud83d"}', 400, "surrogate"),
    "half a character in a key": (b'{"title": "x", "\\ud83d": 1}', 400, "surrogate"),
    "the same key twice": (b'{"title": "x", "title": "y"}', 400, "twice"),
    "too deep": (b'{"title": ' + b"[" * 33 + b"]" * 33 + b"}", 400, "levels"),
    "far too deep": (b"[" * 200_000 + b"]" * 200_000, 400, "levels"),
    "too large": (b'{"title": "' + b"x" * 1_048_576 + b'"}', 413, "1,048,576"),
}


def test_a_body_that_is_no_body_is_refused_with_its_reason(
    client: TestClient, database: Database, editor: dict[str, str]
) -> None:
    for what, (body, status, said) in NOT_JSON.items():
        for answer in (
            client.post("/v1/sources", content=body, headers=editor | JSON),
            client.patch("/v1/sources/1", content=body, headers=editor | JSON | ANY),
        ):
            assert answer.status_code == status, (what, answer.text)
            assert said in answer.json()["detail"], (what, answer.text)
    assert revisions(database) == 1


UNWELCOME = {
    "a NUL": ("a\0b", "U+0000"),
    "a bell": ("a\x07b", "U+0007"),
    "a C1 control": ("a\x9bb", "U+009B"),
    "a line break": ("a\nb", "single line"),
    "an override of direction": ("a\u202eb", "U+202E"),
    "no character": ("a\uffffb", "U+FFFF"),
    "nothing to see": (" \u200b ", "empty"),
    "nothing": ("", "at least 1"),
    "10,000 characters": ("x" * 10_000, "at most"),
}
WELCOME = {
    "emoji": "Zürich 🏔️👩‍👩‍👧",
    "right to left": "القدس / ירושלים",
    "joiners": "می‌خواهم",
    "combining marks": "Ȧ̧́",
    "another script": "東京都",
    "SQL": "Robert'); DROP TABLE cities;--",
    "LIKE": "100%_\\",
    "HTML": "<script>alert('x')</script>&amp;",
    "a template": "{{ 7 * 7 }} ${7*7} %s {0}",
    "the far planes": "𓀀𐍈",
    "300 characters": "é" * 300,
}


def test_texts_that_cannot_be_shown_are_refused(client: TestClient, database: Database, editor: dict[str, str]) -> None:
    for what, (text, said) in UNWELCOME.items():
        answer = client.post("/v1/cities", json=CITY | {"name": text}, headers=editor)
        problem = assert_problem(answer, 422, "invalid-value")
        assert pointers(problem) == ["/name"], what
        assert said in answer.text, (what, answer.text)
        for part in ({"names": [{"text": text, "kind": "official"}]}, {"reason": text}):
            assert client.post("/v1/cities", json=CITY | part, headers=editor).status_code == 422, what
    assert revisions(database) == 1


def test_every_other_text_is_kept_and_given_back_as_it_is(
    client: TestClient, editor: dict[str, str], database: Database
) -> None:
    for text in WELCOME.values():
        made = client.post(
            "/v1/cities",
            json={
                "name": text, "country": "IM", "kind": "other", "subdivision": text[:100], "note": text, "reason": text,
                "names": [{"text": text, "kind": "short"}],
                "citations": [{"source": "NOISE", "field": "note", "value": text, "locator": text}],
            },
            headers=editor,
        ).json()  # fmt: skip
        read = client.get(f"/v1/cities/{made['id']}").json()
        assert [read["name"], read["note"], read["names"][0]["text"], read["citations"][0]["value"]] == [text] * 4
        history = client.get(f"/v1/cities/{made['id']}/history").json()["items"][0]
        assert history["reason"] == text
        assert made["id"] in [item["id"] for item in client.get("/v1/cities", params={"q": text}).json()["items"]]
    assert len(listed(client, "/v1/cities", limit=50)) == 4 + len(WELCOME)


TEXT_FIELDS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "partnerships": (pair(1, 4, kind="other"), ("designation", "title", "note")),
    "programs": ({"partnership": 1, "name": "x", "category": "other"}, ("name", "frequency", "description")),
    "organisations": ({"name": "x", "kind": "other"}, ("name", "note")),
    "sources": ({"title": "x"}, ("key", "title", "author", "publisher", "note")),
    "reported-figures": (FIGURE, ("scope", "note")),
}


@pytest.mark.parametrize("noun", TEXT_FIELDS)
def test_code_in_any_text_field_is_only_text(client: TestClient, editor: dict[str, str], noun: str) -> None:
    body, fields = TEXT_FIELDS[noun]
    code = "'; DROP TABLE x; --<img src=x>"
    made = client.post(f"/v1/{noun}", json=body | dict.fromkeys(fields, code), headers=editor).json()
    read = client.get(f"/v1/{noun}/{made['id']}")
    assert {read.json()[field] for field in fields} == {code}
    assert read.headers["content-type"] == "application/json"
    assert read.headers["x-content-type-options"] == "nosniff"


NULS = (
    "/v1/cities?q=a%00", "/v1/cities?country=%00", "/v1/cities?kind=%00", "/v1/cities?part_of=%00",
    "/v1/cities?part_of=wikidata:Q%00", "/v1/cities?subdivision=%00", "/v1/cities?sort=%00", "/v1/cities?cursor=%00",
    "/v1/partnerships?city=%00", "/v1/partnerships?established=%00..", "/v1/partnerships?active_on=%00",
    "/v1/partnerships?continent=%00", "/v1/programs?organisation=1%00", "/v1/sources?key=%00",
    "/v1/revisions?account=%00", "/v1/reported-figures?source=%00", "/v1/changes?since=%00",
    "/v1/changes?since=1:cities:%00", "/v1/cities?insist=%00",
)  # fmt: skip
NUL_PATHS = (
    "/v1/cities/%00", "/v1/cities/wikidata:%00", "/v1/cities/x%00:y/history", "/v1/countries/%00",
    "/v1/countries/J%00/history", "/v1/countries/J%00/history/1", "/v1/revisions/%00", "/v1/cities/1/names/%00",
    "/v1/cities/1%00/partnerships", "/v1/%00",
)  # fmt: skip


def test_a_nul_in_an_address_is_refused_and_never_reaches_the_database(client: TestClient) -> None:
    for path in NULS:
        assert_problem(client.get(path), 400, "invalid-parameter")
    for path in NUL_PATHS:
        answer = TestClient.request(client, "GET", path)
        assert_problem(answer, 404, "not-found")


BIG = (2**63, 10**30, 10**400)


def test_a_number_beyond_64_bits_is_no_server_error_anywhere(client: TestClient, editor: dict[str, str]) -> None:
    for number in BIG:
        for path in (f"partnerships?city={number}", f"programs?partnership={number}", f"changes?since={number}"):
            assert client.get(f"/v1/{path}").status_code == 400, path
        for path in (f"revisions/{number}", f"cities/1/names/{number}", f"cities/1/history/{number}"):
            assert_problem(client.get(f"/v1/{path}"), 404, "not-found")
        assert_problem(client.post(f"/v1/revisions/{number}/undo", json={}, headers=editor), 404, "not-found")
        if number < 10**100:
            body = PAIR | {"succeeds": number}
            assert_problem(client.post("/v1/partnerships", json=body, headers=editor), 400, "malformed-body")


SPELLINGS = ("1.0", "+1", "%201", "1%20", "0_1", "1e0", "0x1", "%D9%A1", "")


def test_a_number_in_an_address_is_written_in_plain_digits(client: TestClient) -> None:
    for number in SPELLINGS:
        assert_problem(client.get(f"/v1/cities?limit={number}"), 400, "invalid-parameter")
        assert_problem(client.get(f"/v1/changes?limit={number}"), 400, "invalid-parameter")
        for path in ("cities/1/names", "revisions", "cities/1/history") if number else ():
            assert_problem(client.get(f"/v1/{path}/{number}"), 404, "not-found")


def test_two_clients_that_make_the_same_pairing_at_once_are_told_apart(database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    key = new_key(database, "editor", "desk")
    patient = open_registry(url, write_wait=20, threads=8)
    app = create_app(Settings(_env_file=None, database_url=url), patient)
    found: list[Any] = []
    with TestClient(app) as client:

        def establish(kind: str) -> None:
            found.append(client.post("/v1/partnerships", json=PAIR | {"kind": kind}, headers=key))

        racers = [threading.Thread(target=establish, args=["sister_city"]) for _ in range(6)]
        with database.writing(account="ahead of them all"):
            for racer in racers:
                racer.start()
        for racer in racers:
            racer.join()
    patient.close()
    assert sorted(answer.status_code for answer in found) == [201] + [409] * 5
    made = next(answer.json()["id"] for answer in found if answer.status_code == 201)
    for answer in found:
        if answer.status_code == 409:
            assert [each["id"] for each in answer.json()["candidates"]] == [made]
    assert revisions(database) == 2
