"""`GET /v1`: what the registry holds, counted anew with each write."""

from __future__ import annotations

from answering import ANY
from fastapi.testclient import TestClient


def test_the_summary_counts_the_noise(client: TestClient) -> None:
    shown = client.get("/v1").json()
    assert shown["counts"] == {
        "countries": 15, "cities": 4, "partnerships": 5, "programs": 1, "organisations": 1, "sources": 1,
        "reported_figures": 1, "revisions": 1, "changes": 28,
    }  # fmt: skip
    assert (shown["revision"], shown["countries_reached"], shown["continents_reached"]) == (1, 4, 4)
    assert shown["reach"] == {"cities_known": 4, "cities_with_standing_partnership": 4, "share": 1.0}


def test_every_link_of_the_summary_leads_somewhere(client: TestClient) -> None:
    links = client.get("/v1").json()["links"]
    assert {"countries", "cities", "partnerships", "programs", "organisations", "sources"} <= set(links)
    for address in links.values():
        assert client.get(address).status_code == 200


def test_the_summary_moves_with_each_write(client: TestClient, editor: dict[str, str]) -> None:
    before = client.get("/v1")
    assert client.get("/v1", headers={"If-None-Match": before.headers["etag"]}).status_code == 304
    client.post("/v1/cities", json={"name": "Nuuk", "country": "IS", "kind": "city"}, headers=editor)
    after = client.get("/v1", headers={"If-None-Match": before.headers["etag"]}).json()
    assert (after["counts"]["cities"], after["revision"], after["reach"]["share"]) == (5, 2, 0.8)
    client.delete("/v1/cities/5", headers=editor | ANY)
    assert client.get("/v1").json()["counts"]["cities"] == 4
