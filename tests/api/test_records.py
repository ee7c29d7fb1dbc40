"""What every noun that can be written has in common, from the first POST to the undone DELETE, on both engines."""

from __future__ import annotations

import re
from typing import Any

import pytest
from answering import ANY, assert_problem, listed, pages, revisions
from fastapi.testclient import TestClient
from pydantic import BaseModel

from app.api.schemas import cities, organisations, partnerships, programs, sources
from app.registry import Database

#: Noun → a new record, a change of it, the models of a record and of a list.
NOUNS: dict[str, tuple[dict[str, Any], dict[str, Any], type[BaseModel], type[BaseModel]]] = {
    "cities": (
        {"name": "Ōsaka", "country": "JP", "kind": "city", "reason": "why"},
        {"note": "A <b>port</b>", "latitude": 34.69, "longitude": 135.5}, cities.CityOut, cities.CityList,
    ),
    "partnerships": (
        {"kind": "sister_city", "members": [{"city": "geonames:9000000"}, {"city": 4}], "reason": "why"},
        {"note": "A note", "designation": "Zusterstad"}, partnerships.PartnershipOut, partnerships.PartnershipList,
    ),
    "programs": (
        {"partnership": 1, "name": "Letters", "category": "culture", "reason": "why"},
        {"description": "Children write", "since": "1990~"}, programs.ProgramOut, programs.ProgramList,
    ),
    "organisations": (
        {"name": "A school", "kind": "school", "city": 2, "reason": "why"},
        {"note": "A note", "city": None}, organisations.OrganisationOut, organisations.OrganisationList,
    ),
    "sources": (
        {"title": "A letter", "key": "L1", "reason": "why"},
        {"note": "A note", "key": None}, sources.SourceOut, sources.SourceList,
    ),
    "reported-figures": (
        {"source": "NOISE", "scope": "all", "measure": "cities", "comparator": "over", "value": 7, "reason": "why"},
        {"note": "A note", "value": 7.5}, sources.FigureOut, sources.FigureList,
    ),
}  # fmt: skip
every_noun = pytest.mark.parametrize("noun", NOUNS)


def make(client: TestClient, key: dict[str, str], noun: str, **more: Any) -> Any:
    answer = client.post(f"/v1/{noun}", json=NOUNS[noun][0] | more, headers=key)
    assert answer.status_code == 201, answer.text
    return answer


def several(client: TestClient, key: dict[str, str], noun: str) -> list[int]:
    """Five more records of the noun, where it can have five like the first."""
    changed = {
        "cities": [{"name": f"Ōsaka {each}"} for each in range(5)],
        "partnerships": [
            {"kind": kind}
            for kind in ("sister_city", "twin_town", "friendship_city", "partner_city", "project")
        ],
        "sources": [{"key": f"L{each}"} for each in range(5)],
    }.get(noun, [{}] * 5)  # fmt: skip
    query = "?insist=true" if noun in ("cities", "partnerships") else ""
    answers = [client.post(f"/v1/{noun}{query}", json=NOUNS[noun][0] | each, headers=key) for each in changed]
    assert [answer.status_code for answer in answers] == [201] * 5, answers[-1].text
    return [answer.json()["id"] for answer in answers]


@every_noun
def test_a_record_is_made_and_read(client: TestClient, editor: dict[str, str], noun: str) -> None:
    _new, _change, whole, page = NOUNS[noun]
    made = make(client, editor, noun)
    assert made.headers["location"] == f"/v1/{noun}/{made.json()['id']}"
    assert re.fullmatch(r'"2-[0-9a-f]{16}"', made.headers["etag"])
    assert made.json()["revision"] == 2
    read = client.get(made.headers["location"])
    assert (read.content, read.headers["etag"]) == (made.content, made.headers["etag"])
    whole.model_validate(read.json())
    page.model_validate(client.get(f"/v1/{noun}").json())
    assert client.get("/v1/revisions/2").json()["reason"] == "why"


@every_noun
def test_a_change_names_the_revision_that_was_read(client: TestClient, editor: dict[str, str], noun: str) -> None:
    change = NOUNS[noun][1]
    made = make(client, editor, noun)
    path, tag = made.headers["location"], {"If-Match": made.headers["etag"]}
    assert_problem(client.patch(path, json=change, headers=editor), 428, "precondition-required")
    changed = client.patch(path, json=change | {"reason": "because"}, headers=editor | tag)
    assert changed.status_code == 200
    assert changed.json()["revision"] == 3
    for name, value in change.items():
        assert changed.json()[name] == value
    stale = assert_problem(client.patch(path, json=change, headers=editor | tag), 412, "stale-revision")
    assert stale["actual_revision"] == 3
    assert_problem(client.delete(path, headers=editor | tag), 412, "stale-revision")
    same = client.patch(path, json=change, headers=editor | {"If-Match": changed.headers["etag"]})
    assert (same.status_code, same.content) == (200, changed.content)


@every_noun
def test_a_deleted_record_is_gone_with_its_history_left(client: TestClient, editor: dict[str, str], noun: str) -> None:
    made = make(client, editor, noun)
    path = made.headers["location"]
    client.patch(path, json=NOUNS[noun][1], headers=editor | ANY)
    assert_problem(client.delete(path, headers=editor), 428, "precondition-required")
    gone = client.delete(path, headers=editor | ANY)
    assert (gone.status_code, gone.content) == (204, b"")
    for answer in (
        client.get(path),
        client.patch(path, json=NOUNS[noun][1], headers=editor | ANY),
        client.delete(path, headers=editor | ANY),
    ):
        assert assert_problem(answer, 410, "deleted")["deleted_in_revision"] == 4
    history = client.get(f"{path}/history").json()
    assert [entry["number"] for entry in history["items"]] == [4, 3, 2]
    assert history["items"][0]["differences"][0]["text"] == "deleted"
    assert (history["items"][2]["reason"], history["items"][2]["account"]) == ("why", "desk")
    assert all(difference["text"] for entry in history["items"] for difference in entry["differences"])


@every_noun
def test_a_record_is_shown_as_it_was(client: TestClient, editor: dict[str, str], noun: str) -> None:
    path = make(client, editor, noun).headers["location"]
    client.patch(path, json=NOUNS[noun][1], headers=editor | ANY)
    client.delete(path, headers=editor | ANY)
    before, after = (client.get(f"{path}/history/{number}").json() for number in (2, 3))
    assert before["content"] != after["content"]
    assert before["noun"] == noun.replace("-", "_")
    for number in (1, 4, 5, 10**18):
        assert_problem(client.get(f"{path}/history/{number}"), 404, "not-found")


@every_noun
def test_an_undone_deletion_brings_the_record_back_as_it_was(
    client: TestClient, editor: dict[str, str], noun: str
) -> None:
    made = make(client, editor, noun)
    client.delete(made.headers["location"], headers=editor | ANY)
    undone = client.post("/v1/revisions/3/undo", json={"reason": "a slip"}, headers=editor)
    assert (undone.status_code, undone.headers["location"]) == (201, "/v1/revisions/4")
    assert (undone.json()["undoes"], undone.json()["reason"]) == (3, "a slip")
    back = client.get(made.headers["location"]).json()
    bookkeeping = ("revision", "updated_at", "status", "members", "events")
    assert {name: value for name, value in back.items() if name not in bookkeeping} == {
        name: value for name, value in made.json().items() if name not in bookkeeping
    }
    again = client.post("/v1/revisions/3/undo", json={}, headers=editor)
    assert_problem(again, 409, "undo-refused")


@every_noun
def test_an_editor_undoes_own_revisions_and_an_admin_any(
    client: TestClient, editor: dict[str, str], admin: dict[str, str], noun: str
) -> None:
    path = make(client, admin, noun).headers["location"]
    refused = client.post("/v1/revisions/2/undo", json={}, headers=editor)
    assert "role admin" in assert_problem(refused, 403, "forbidden")["detail"]
    client.patch(path, json=NOUNS[noun][1], headers=editor | ANY)
    assert client.post("/v1/revisions/3/undo", json={}, headers=editor).status_code == 201
    # The record is as the admin made it again, so that its making can be undone too.
    assert client.post("/v1/revisions/2/undo", json={}, headers=admin).status_code == 201
    assert_problem(client.get(path), 410, "deleted")


@every_noun
def test_paging_gives_each_record_once_in_either_order(client: TestClient, editor: dict[str, str], noun: str) -> None:
    made = several(client, editor, noun)
    found = [item["id"] for item in listed(client, f"/v1/{noun}")]
    assert found == sorted(found)
    assert len(found) == len(set(found))
    assert set(made) < set(found)
    assert [item["id"] for item in listed(client, f"/v1/{noun}?sort=-id", limit=3)] == found[::-1]
    counted = client.get(f"/v1/{noun}?count=exact&limit=1").json()
    assert (counted["total"], len(counted["items"])) == (len(found), 1)
    assert client.get(f"/v1/{noun}").json()["total"] is None


@every_noun
def test_paging_goes_on_where_it_was_while_others_write(client: TestClient, editor: dict[str, str], noun: str) -> None:
    made = several(client, editor, noun)
    going = pages(client, f"/v1/{noun}", limit=3)
    first = [item["id"] for item in next(going)]
    assert client.delete(f"/v1/{noun}/{first[-1]}", headers=editor | ANY).status_code in (204, 409)
    client.delete(f"/v1/{noun}/{made[-1]}", headers=editor | ANY)
    rest = [item["id"] for page in going for item in page]
    assert set(first) & set(rest) == set()
    assert set(made[:-1]) <= set(first) | set(rest)


@every_noun
def test_a_cursor_that_was_tampered_with_or_is_anothers_is_refused(
    client: TestClient, editor: dict[str, str], noun: str
) -> None:
    several(client, editor, noun)
    cursor = client.get(f"/v1/{noun}?limit=1").json()["next"].split("cursor=")[1]
    flipped = cursor[:10] + ("A" if cursor[10] != "A" else "B") + cursor[11:]
    for bad in (flipped, cursor[:-2], cursor + "AAAA", "x", "%00", "%C3%A9", "", cursor + "=", "a" * 1999):
        problem = assert_problem(client.get(f"/v1/{noun}?limit=1&cursor={bad}"), 400, "invalid-parameter")
        assert "damaged" in problem["detail"]
    assert_problem(client.get(f"/v1/{noun}?cursor={'a' * 2001}"), 400, "invalid-parameter")
    other = assert_problem(client.get(f"/v1/{noun}?sort=-id&cursor={cursor}"), 400, "invalid-parameter")
    assert "another query" in other["detail"]
    assert client.get(f"/v1/{noun}?limit=7&cursor={cursor}").status_code == 200


@every_noun
def test_a_limit_that_cannot_be_is_refused(client: TestClient, noun: str) -> None:
    for query in ("limit=0", "limit=-1", "limit=100000", "limit=x", "limit=", "limit=1&limit=2"):
        problem = assert_problem(client.get(f"/v1/{noun}?{query}"), 400, "invalid-parameter")
        assert [fault["parameter"] for fault in problem["errors"]] == ["limit"], query


UNUSABLE = {
    "sort=nme": "sorted by one of",
    "sort=": "sorted by one of",
    "count=all": "must be one of: none, exact",
    "kinf=city": "does not know",
    "%00=1": "does not know",
}


@every_noun
def test_a_parameter_that_is_none_is_refused_whatever_the_reader_has(client: TestClient, noun: str) -> None:
    for query, said in UNUSABLE.items():
        problem = assert_problem(client.get(f"/v1/{noun}?{query}"), 400, "invalid-parameter")
        assert said in problem["detail"]
        conditional = client.get(f"/v1/{noun}?{query}", headers={"If-None-Match": "*"})
        assert_problem(conditional, 400, "invalid-parameter")


@every_noun
def test_readers_who_have_it_are_spared_the_body(client: TestClient, editor: dict[str, str], noun: str) -> None:
    path = make(client, editor, noun).headers["location"]
    for address in (path, f"/v1/{noun}", f"{path}/history", f"{path}/history/2", "/v1"):
        read = client.get(address)
        again = client.get(address, headers={"If-None-Match": read.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == read.headers["etag"]
        head = client.head(address)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("etag", "content-type", "content-length", "registry-revision"):
            assert head.headers[name] == read.headers[name]
    tags = {address: client.get(address).headers["etag"] for address in (path, f"/v1/{noun}")}
    client.patch(path, json=NOUNS[noun][1], headers=editor | ANY)
    for address, tag in tags.items():
        assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


@every_noun
def test_a_repeated_request_is_done_once(
    client: TestClient, database: Database, editor: dict[str, str], noun: str
) -> None:
    named = editor | {"Idempotency-Key": "k1"}
    first, second = make(client, named, noun), make(client, named, noun)
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]
    assert revisions(database) == 2
    deleting = ANY | editor | {"Idempotency-Key": "k2"}
    assert [client.delete(first.headers["location"], headers=deleting).status_code for _ in range(2)] == [204, 204]
    other = client.delete(f"/v1/{noun}/1", headers=deleting)
    assert_problem(other, 422, "key-reused")


@every_noun
def test_a_redacted_text_leaves_the_record_and_its_history(
    client: TestClient, editor: dict[str, str], admin: dict[str, str], noun: str
) -> None:
    path = make(client, editor, noun).headers["location"]
    field = "description" if noun == "programs" else "note"
    client.patch(path, json={field: "Call Zaphod any time"}, headers=editor | ANY)
    client.patch(path, json={field: None}, headers=editor | ANY)
    body = {"text": "Zaphod", "reason": "a person asked for it"}
    assert_problem(client.post(f"{path}/redact", json=body, headers=editor), 403, "forbidden")
    assert client.post(f"{path}/redact", json=body, headers=admin).status_code == 200
    assert "Zaphod" not in client.get(f"{path}/history").text
    assert "Call [redacted] any time" in client.get(f"{path}/history").text
    assert client.get(f"{path}/history/3").json()["content"][field] == "Call [redacted] any time"
    assert_problem(client.post(f"{path}/redact", json=body, headers=admin), 422, "invalid-value")


@every_noun
def test_nothing_is_written_without_a_key(client: TestClient, database: Database, noun: str) -> None:
    new, change = NOUNS[noun][:2]
    for answer in (
        client.post(f"/v1/{noun}", json=new),
        client.patch(f"/v1/{noun}/1", json=change, headers=ANY),
        client.delete(f"/v1/{noun}/1", headers=ANY),
        client.post(f"/v1/{noun}/1/redact", json={"text": "abc", "reason": "x"}),
        client.post("/v1/revisions/1/undo", json={}),
    ):
        assert "Authorization: Bearer" in assert_problem(answer, 401, "unauthenticated")["detail"]
    assert revisions(database) == 1


@every_noun
def test_an_address_that_names_no_record_is_not_found(client: TestClient, editor: dict[str, str], noun: str) -> None:
    change = NOUNS[noun][1]
    for key in ("0", "-1", "x", "1.5", "9223372036854775808", "9" * 400, "%00", "1%00", "%C3%A9", "%D9%A3", "%FF"):
        for answer in (
            client.get(f"/v1/{noun}/{key}"),
            client.get(f"/v1/{noun}/{key}/history"),
            client.get(f"/v1/{noun}/{key}/history/1"),
            client.patch(f"/v1/{noun}/{key}", json=change, headers=editor | ANY),
            client.delete(f"/v1/{noun}/{key}", headers=editor | ANY),
        ):
            assert_problem(answer, 404, "not-found")


@every_noun
def test_what_is_computed_cannot_be_set(client: TestClient, editor: dict[str, str], noun: str) -> None:
    new, change = NOUNS[noun][:2]
    for computed in ("id", "revision", "created_at", "status", "partnerships_count", "conflicts"):
        for answer in (
            client.post(f"/v1/{noun}", json=new | {computed: 1}, headers=editor),
            client.patch(f"/v1/{noun}/1", json=change | {computed: 1}, headers=editor | ANY),
        ):
            problem = assert_problem(answer, 422, "invalid-value")
            assert [fault["pointer"] for fault in problem["errors"]] == [f"/{computed}"]
