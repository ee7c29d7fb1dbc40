"""A record's history over HTTP reads well: who, when, why, and what, in words that name things."""

from __future__ import annotations

from answering import ANY
from fastapi.testclient import TestClient


def test_a_history_tells_the_life_of_a_record_in_words(
    client: TestClient, editor: dict[str, str], admin: dict[str, str]
) -> None:
    body = {"kind": "sister_city", "members": [{"city": 1}, {"city": 4}], "reason": "from the archive"}
    path = client.post("/v1/partnerships", json=body, headers=editor).headers["location"]
    client.patch(path, json={"designation": "Ciudad hermana", "reason": "their word"}, headers=admin | ANY)
    event = {"type": "ended", "date": "1999-12-31", "declared_by": 4, "authority": "council"}
    client.post(f"{path}/events", json=event, headers=editor)
    found = client.get(f"{path}/history").json()
    assert (found["total"], found["next"]) == (3, None)
    ended, named, made = found["items"]
    assert [(each["account"], each["reason"]) for each in (made, named, ended)] == [
        ("desk", "from the archive"), ("head of desk", "their word"), ("desk", None),
    ]  # fmt: skip
    assert any("Wellington" in each["text"] for each in made["differences"])
    (difference,) = named["differences"]
    assert (difference["part"], difference["before"], difference["after"]) == ("designation", None, "Ciudad hermana")
    (difference,) = ended["differences"]
    assert difference["part"].startswith("events/")
    for word in ("ended", "1999-12-31"):
        assert word in difference["text"]
    # What follows from the events is no content: it stands in the record, not in the history.
    assert client.get(path).json()["status"] == "ended"
    assert all("status" not in each["part"] for entry in found["items"] for each in entry["differences"])


def test_each_entry_of_a_history_is_a_revision_that_can_be_read(client: TestClient, editor: dict[str, str]) -> None:
    client.patch("/v1/cities/1", json={"note": "a"}, headers=editor | ANY)
    for entry in client.get("/v1/cities/1/history").json()["items"]:
        revision = client.get(f"/v1/revisions/{entry['number']}").json()
        assert {"noun": "cities", "id": 1} in revision["changes"]
        then = client.get(f"/v1/cities/1/history/{entry['number']}").json()
        assert then["content"]["name"] == "Wellington"
        assert then["content"].get("note") == ("a" if entry["number"] == 2 else None)


def test_an_undo_stands_in_the_history_with_what_it_undoes(client: TestClient, editor: dict[str, str]) -> None:
    client.patch("/v1/cities/1", json={"note": "a"}, headers=editor | ANY)
    client.post("/v1/revisions/2/undo", json={"reason": "a slip"}, headers=editor)
    undone = client.get("/v1/cities/1/history").json()["items"][0]
    assert (undone["number"], undone["undoes"], undone["reason"]) == (3, 2, "a slip")
    assert [(each["before"], each["after"]) for each in undone["differences"]] == [("a", None)]
