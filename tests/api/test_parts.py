"""Child rows over HTTP: every part of every noun is listed, shown, added, mended and removed, on both engines."""

from __future__ import annotations

from typing import Any

import pytest
from answering import ANY, assert_problem, revisions
from fastapi.testclient import TestClient

from app.registry import Database

CITATION = {"source": "NOISE", "field": "note", "value": "as told", "locator": "p. 3"}
#: Record, part → a new row, a change of it, what the row then shows, a row that is refused and where.
PARTS: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    ("cities/1", "names"): (
        {"text": "Poneke", "kind": "official", "language": "mi"}, {"text": "Pōneke", "language": None},
        {"text": "Pōneke", "kind": "official", "language": "und"}, {"text": "x", "kind": "nick"}, "/kind",
    ),
    ("cities/1", "identifiers"): (
        {"scheme": "wikidata", "value": "q23661"}, {"value": "Q23662"},
        {"scheme": "wikidata", "value": "Q23662", "link": "https://www.wikidata.org/wiki/Q23662"},
        {"scheme": "wikidata", "value": "1"}, "/value",
    ),
    ("cities/1", "populations"): (
        {"people": 200_000, "year": 2013}, {"people": 215_000, "year": None}, {"people": 215_000, "year": None},
        {"people": -1}, "/people",
    ),
    ("cities/1", "successors"): (
        {"city": 2}, {"city": "geonames:9000002"},
        {"city": {"id": 3, "name": "Kisumu", "country": "KE"}}, {"city": 1}, "/city",
    ),
    ("cities/1", "citations"): (
        CITATION, {"value": None, "locator": "p. 4"}, {"field": "note", "value": None, "locator": "p. 4"},
        CITATION | {"field": "shoe_size"}, "/field",
    ),
    ("partnerships/5", "members"): (
        {"city": "wikidata:Q1"}, {"note": "a guest"}, {"status": "active", "joined": None},
        {"city": {"name": "Atlantis", "country": "NZ"}}, "/city",
    ),
    ("partnerships/1", "events"): (
        {"type": "renewed", "date": "1961-05", "declared_by": 1}, {"date": "1961", "authority": "council"},
        {"type": "renewed", "date": "1961", "text": "1961", "authority": "council", "position": 2},
        {"type": "renewed", "declared_by": 4}, "/declared_by",
    ),
    ("partnerships/1", "organisations"): (
        {"organisation": 1, "role": "signed"}, {"role": "recognises"}, {"role": "recognises"},
        {"organisation": 99, "role": "signed"}, "/organisation",
    ),
    ("partnerships/1", "citations"): (
        CITATION | {"field": "established", "value": "1950"}, {"value": "1949~"}, {"value": "1949~"},
        CITATION | {"field": "established", "value": "long ago"}, "/value",
    ),
    ("programs/1", "participants"): (
        {"organisation": 2, "side": 2}, {"side": None}, {"side": None},
        {"organisation": 2, "side": 4}, "/side",
    ),
    ("programs/1", "occasions"): (
        {"title": "A visit", "since": "1960", "people": 3}, {"until": "1961-02", "host": 2},
        {"title": "A visit", "until": "1961-02", "host": {"id": 2, "name": "Akureyri"}, "people": 3},
        {"since": "1960", "until": "1959"}, "/until",
    ),
    ("programs/1", "citations"): (
        CITATION | {"field": "since", "value": "1957"}, {"locator": None}, {"locator": None, "value": "1957"},
        CITATION | {"source": 99}, "/source",
    ),
    ("organisations/1", "citations"): (
        CITATION, {"field": "name", "value": "A school"}, {"field": "name", "value": "A school"},
        {"field": "name"}, "/source",
    ),
    ("reported-figures/1", "citations"): (
        CITATION | {"field": "value", "value": "8"}, {"value": "about 9"}, {"value": "about 9"},
        CITATION | {"field": "value", "value": "many"}, "/value",
    ),
}  # fmt: skip
every_part = pytest.mark.parametrize(("record", "part"), PARTS)


@pytest.fixture
def ready(client: TestClient, editor: dict[str, str]) -> TestClient:
    """The client, with a fifth city to join and a second organisation to take part."""
    city = {
        "name": "Whanganui",
        "country": "NZ",
        "kind": "town",
        "identifiers": [{"scheme": "wikidata", "value": "Q1"}],
    }
    assert client.post("/v1/cities", json=city, headers=editor).status_code == 201
    body = {"name": "Another school", "kind": "school"}
    assert client.post("/v1/organisations", json=body, headers=editor).status_code == 201
    return client


def added(client: TestClient, editor: dict[str, str], record: str, part: str) -> Any:
    answer = client.post(f"/v1/{record}/{part}", json=PARTS[record, part][0], headers=editor)
    assert answer.status_code == 201, answer.text
    return answer


@every_part
def test_a_row_is_added_mended_and_removed(ready: TestClient, editor: dict[str, str], record: str, part: str) -> None:
    _new, change, shown, _bad, _pointer = PARTS[record, part]
    before = ready.get(f"/v1/{record}/{part}").json()
    made = added(ready, editor, record, part)
    path = made.headers["location"]
    assert path.startswith(f"/v1/{record}/{part}/")
    assert made.content == ready.get(f"/v1/{record}").content
    row = ready.get(path)
    assert row.json() in made.json()[part]
    listed = ready.get(f"/v1/{record}/{part}").json()
    assert (listed["total"], listed["next"]) == (before["total"] + 1, None)
    mended = ready.patch(path, json=change, headers=editor | {"If-Match": row.headers["etag"]})
    assert mended.status_code == 200, mended.text
    assert shown.items() <= ready.get(path).json().items()
    gone = ready.delete(path, headers=editor | {"If-Match": mended.headers["etag"]})
    assert (gone.status_code, gone.content) == (200, ready.get(f"/v1/{record}").content)
    assert ready.get(f"/v1/{record}/{part}").json() == before
    assert_problem(ready.get(path), 404, "not-found")
    assert_problem(ready.delete(path, headers=editor | ANY), 404, "not-found")
    assert [entry["number"] for entry in ready.get(f"/v1/{record}/history").json()["items"]] == [6, 5, 4, 1]


@every_part
def test_a_change_of_a_row_is_a_change_of_its_record(
    ready: TestClient, editor: dict[str, str], record: str, part: str
) -> None:
    change = PARTS[record, part][1]
    path = added(ready, editor, record, part).headers["location"]
    read = ready.get(f"/v1/{record}").headers["etag"]
    # Somebody else's write to another record leaves the row's tag good.
    ready.post("/v1/sources", json={"title": "another"}, headers=editor)
    assert ready.get(path).headers["etag"].split("-")[0] == read.split("-")[0]
    assert_problem(ready.patch(path, json=change, headers=editor), 428, "precondition-required")
    assert_problem(ready.delete(path, headers=editor), 428, "precondition-required")
    stale = editor | {"If-Match": '"1"'}
    assert_problem(ready.patch(path, json=change, headers=stale), 412, "stale-revision")
    assert_problem(ready.delete(path, headers=stale), 412, "stale-revision")
    assert ready.patch(path, json=change, headers=editor | {"If-Match": read}).status_code == 200
    # An addition tramples nothing, so it need not say what was read; what it says is heeded.
    again = ready.post(f"/v1/{record}/{part}", json=PARTS[record, part][0], headers=stale)
    assert_problem(again, 412, "stale-revision")


def test_a_row_that_cannot_be_is_refused_at_its_place(
    ready: TestClient, database: Database, editor: dict[str, str]
) -> None:
    for (record, part), (_new, _change, _shown, bad, pointer) in PARTS.items():
        answer = ready.post(f"/v1/{record}/{part}", json=bad, headers=editor)
        assert answer.status_code == 422, answer.text
        assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]
        unknown = ready.post(f"/v1/{record}/{part}", json={"id": 7, "shoe_size": 44}, headers=editor)
        assert {"/id", "/shoe_size"} <= {fault["pointer"] for fault in unknown.json()["errors"]}
    assert revisions(database) == 3


@every_part
def test_a_row_belongs_to_one_record_and_one_part(
    ready: TestClient, editor: dict[str, str], record: str, part: str
) -> None:
    change = PARTS[record, part][1]
    row = added(ready, editor, record, part).headers["location"].rsplit("/", 1)[1]
    noun = record.split("/", maxsplit=1)[0]
    other = ready.post(f"/v1/{noun}", json=OTHERS[noun], headers=editor)
    assert other.status_code == 201, other.text
    for address in (f"{other.headers['location']}/{part}/{row}", f"/v1/{record}/{part}/999999"):
        assert_problem(ready.get(address), 404, "not-found")
        assert_problem(ready.patch(address, json=change, headers=editor | ANY), 404, "not-found")
        assert_problem(ready.delete(address, headers=editor | ANY), 404, "not-found")
    missing = f"/v1/{noun}/999999/{part}"
    assert_problem(ready.get(missing), 404, "not-found")
    assert_problem(ready.post(missing, json=PARTS[record, part][0], headers=editor), 404, "not-found")
    ready.delete(other.headers["location"], headers=editor | ANY)
    assert_problem(ready.get(f"{other.headers['location']}/{part}"), 410, "deleted")
    gone = ready.post(f"{other.headers['location']}/{part}", json=PARTS[record, part][0], headers=editor)
    assert_problem(gone, 410, "deleted")


OTHERS: dict[str, dict[str, Any]] = {
    "cities": {"name": "Nuuk", "country": "IS", "kind": "city"},
    "partnerships": {"kind": "other", "members": [{"city": 3}, {"city": 4}]},
    "programs": {"partnership": 2, "name": "Another", "category": "other"},
    "organisations": {"name": "Another", "kind": "other"},
    "reported-figures": {"source": 1, "scope": "x", "measure": "cities", "comparator": "over", "value": 1},
}


@every_part
def test_a_row_that_was_removed_comes_back_by_undo(
    ready: TestClient, editor: dict[str, str], record: str, part: str
) -> None:
    path = added(ready, editor, record, part).headers["location"]
    row = ready.get(path).json()
    ready.delete(path, headers=editor | ANY)
    assert ready.post("/v1/revisions/5/undo", json={}, headers=editor).status_code == 201
    assert ready.get(path).json() == row
    assert ready.post("/v1/revisions/4/undo", json={}, headers=editor).status_code == 201
    assert_problem(ready.get(path), 404, "not-found")


def test_a_member_that_events_name_cannot_be_removed(ready: TestClient, editor: dict[str, str]) -> None:
    whole = ready.get("/v1/partnerships/2").json()
    named = next(event["declared_by"]["member"] for event in whole["events"] if event["declared_by"])
    answer = ready.delete(f"/v1/partnerships/2/members/{named}", headers=editor | ANY)
    assert_problem(answer, 409, "state-conflict")


def test_a_row_that_is_there_already_is_refused(ready: TestClient, editor: dict[str, str]) -> None:
    for (record, part), (new, *_rest) in PARTS.items():
        if part in ("names", "identifiers", "populations", "successors", "organisations", "participants", "members"):
            added(ready, editor, record, part)
            assert_problem(ready.post(f"/v1/{record}/{part}", json=new, headers=editor), 409, "state-conflict")


def test_an_event_goes_where_its_date_belongs_and_may_be_moved(ready: TestClient, editor: dict[str, str]) -> None:
    for date in ("1970", "1960", "1965-02"):
        ready.post("/v1/partnerships/1/events", json={"type": "renewed", "date": date}, headers=editor)
    events = ready.get("/v1/partnerships/1/events").json()["items"]
    assert [event["date"] for event in events] == ["1951", "1960", "1965-02", "1970"]
    assert [event["position"] for event in events] == [1, 2, 3, 4]


def test_ending_and_resuming_shows_in_the_status_at_once(ready: TestClient, editor: dict[str, str]) -> None:
    path = "/v1/partnerships/1/events"
    end = {"type": "ended", "date": "1990", "declared_by": {"name": "Wellington", "country": "NZ"}}
    ended = ready.post(path, json=end, headers=editor)
    assert (ended.json()["status"], ended.json()["ended"]) == ("ended", "1990")
    assert {member["city"]["name"]: member["status"] for member in ended.json()["members"]} == {
        "Wellington": "ended", "Akureyri": "active",
    }  # fmt: skip
    refused = assert_problem(ready.post(path, json={"type": "suspended"}, headers=editor), 409, "event-refused")
    assert "resumed" in refused["allowed"]
    resumed = ready.post(path, json={"type": "resumed", "date": "1995", "declared_by": 1}, headers=editor)
    assert (resumed.json()["status"], resumed.json()["ended"]) == ("active", None)
