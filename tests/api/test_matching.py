"""`POST /v1/match`: many places at once, at most one city chosen for each; it reads and needs no key."""

from __future__ import annotations

import time
from typing import Any

import pytest
from answering import new_key
from fastapi.testclient import TestClient

from app.registry import Database

CHICAGO = {"name": "Chicago", "country": "United States"}
MILAN = {"name": "Mailand", "country": "Italia", "latitude": 45.46, "longitude": 9.19}


def matched(client: TestClient, **body: Any) -> Any:
    answer = client.post("/v1/match", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_places_are_matched_in_their_order(seeded: TestClient) -> None:
    asked = [
        CHICAGO,
        {"name": "ŌSAKA", "country": "jpn"},
        {"name": "Gilbert", "country": "Arkansas, United States"},
        {"name": "Nowhere", "country": "France"},
        {"name": "Paris", "country": "Grece"},
        {"identifiers": ["https://www.wikidata.org/wiki/Q1297"]},
        {"city": 1},
    ]
    found = matched(seeded, places=asked)["places"]
    assert [each["outcome"] for each in found] == [
        "chosen", "chosen", "chosen", "unknown", "refused", "chosen", "chosen",
    ]  # fmt: skip
    assert [each["chosen"] for each in found] == [
        each["candidates"][0]["city"]["id"] if each["chosen"] else None for each in found
    ]
    assert found[0]["candidates"][0]["city"]["name"] == "Chicago"
    assert found[2]["country"]["subdivision"] == "US-AR"
    assert found[4]["country"] == {
        "code": None, "subdivision": None, "suggestions": ["GR"],
        "reason": "This is no country of ISO 3166-1. Did you mean Greece (GR)?",
    }  # fmt: skip
    assert found[5]["chosen"] == found[6]["chosen"] == 1


def test_a_candidate_shows_its_score_and_the_evidence_behind_it(seeded: TestClient) -> None:
    (found,) = matched(seeded, places=[CHICAGO | {"latitude": 41.9, "longitude": -87.6, "subdivision": "IL"}])["places"]
    (candidate,) = found["candidates"]
    assert [each["name"] for each in candidate["features"]] == ["name", "distance", "subdivision"]
    assert candidate["score"] > 0.98
    assert "same name" in candidate["reason"]
    assert candidate["city"]["identifiers"] == ["wikidata:Q1297"]


def test_pairs_are_matched_and_their_partnerships_named(seeded: TestClient) -> None:
    nobody = {"name": "Nowhere", "country": "IT"}
    answer = matched(seeded, pairs=[[CHICAGO, MILAN | {"name": "Milan"}], [CHICAGO, nobody], [CHICAGO, CHICAGO]])
    assert answer["places"] == []
    first, second, third = answer["pairs"]
    assert [place["outcome"] for place in first["places"]] == ["chosen", "chosen"]
    assert len(first["partnerships"]) == 1
    members = seeded.get(f"/v1/partnerships/{first['partnerships'][0]}").json()["members"]
    assert {member["city"]["name"] for member in members} == {"Chicago", "Milan"}
    assert (second["places"][1]["outcome"], second["partnerships"]) == ("unknown", [])
    assert third["places"][0] == third["places"][1], "that a pair is of one city with itself is its reader's to say"


def test_it_reads_one_snapshot_and_needs_no_key(client: TestClient, database: Database) -> None:
    answer = client.post("/v1/match", json={"places": [{"name": "Wellington", "country": "New Zealand"}]})
    assert answer.status_code == 200
    assert answer.json()["places"][0]["outcome"] == "chosen"
    with database.reading() as session:
        assert answer.headers["Registry-Revision"] == str(session.number())
    assert answer.headers["Cache-Control"] == "no-store"
    with_key = client.post("/v1/match", json={"places": [CHICAGO]}, headers=new_key(database, "editor", "desk"))
    assert with_key.status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 422, "/places"),
        ({"places": []}, 422, "/places"),
        ({"places": [{}] * 1001}, 422, "/places"),
        ({"places": [{}] * 600, "pairs": [[{}, {}]] * 401}, 422, "/places"),
        ({"places": [{"name": "x" * 301}]}, 422, "/places/0/name"),
        ({"places": [{"nom": "Paris"}]}, 422, "/places/0/nom"),
        ({"places": [{"name": 5}]}, 422, "/places/0/name"),
        ({"places": [{}, {"identifiers": ["wikidata:1297"]}]}, 422, "/places/1/identifiers/0"),
        ({"pairs": [[{}]]}, 422, "/pairs/0"),
        ({"pairs": [[{}, {"identifiers": ["nothing:1"]}]]}, 422, "/pairs/0/1/identifiers/0"),
        ({"places": [{"latitude": "50"}]}, 422, "/places/0/latitude"),
        ({"places": [{"city": 0}]}, 422, "/places/0/city"),
        ([], 422, ""),
        (None, 400, None),
    ],
)  # fmt: skip
def test_bad_bodies_are_refused_with_a_pointer(client: TestClient, body: Any, status: int, pointer: str | None) -> None:
    answer = client.post("/v1/match", json=body) if body is not None else client.post("/v1/match")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if pointer is not None:
        assert [each["pointer"] for each in answer.json()["errors"]][:1] == [pointer]


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ({"name": "Chicago"}, "country"), ({"country": "US"}, "name"),
        ({"name": "Chicago", "country": "US", "latitude": 5}, "longitude"),
        ({"name": "Chicago", "country": "US", "latitude": 500, "longitude": 5}, "latitude"),
        ({"city": 987654321}, "city"),
        ({"name": "\u0000", "country": "US"}, "name"), ({"name": "(", "country": ","}, "country"), ({}, "country"),
    ],
)  # fmt: skip
def test_one_place_that_makes_no_sense_does_not_spoil_the_others(
    seeded: TestClient, place: dict[str, Any], field: str
) -> None:
    odd, good = matched(seeded, places=[place, CHICAGO])["places"]
    assert good["outcome"] == "chosen"
    assert odd["outcome"] in ("refused", "unknown")
    assert odd["field"] == field


def test_a_thousand_at_once_take_a_moment(seeded: TestClient) -> None:
    asked = [{"name": f"Town {number}", "country": "Germany", "latitude": 50, "longitude": 8} for number in range(500)]
    begun = time.perf_counter()
    answer = matched(seeded, places=asked, pairs=[[CHICAGO, MILAN]] * 500)
    assert time.perf_counter() - begun < 5
    assert len(answer["places"]) == len(answer["pairs"]) == 500
