"""Entity tags, 304, links."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from trial import router

from app.main import create_app
from app.registry import Database
from app.settings import Settings

both_engines = pytest.mark.usefixtures("empty_url")


@both_engines
def test_a_created_record_answers_with_its_place_and_the_tag_that_reads_give(trial: TestClient, source: Any) -> None:
    assert source.headers["location"] == f"/v1/letters/{source.json()['id']}"
    assert source.headers["cache-control"] == "no-store"
    read = trial.get(source.headers["location"])
    assert read.content == source.content
    assert read.headers["etag"] == source.headers["etag"]
    assert re.fullmatch(r'"1-[0-9a-f]{16}"', read.headers["etag"])
    assert read.headers["registry-revision"] == source.headers["registry-revision"] == "1"
    assert read.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("asked", ["{tag}", "W/{tag}", '"other", {tag}', "*", '"a,b" , W/{tag}'])
def test_a_reader_who_has_the_bytes_gets_304(trial: TestClient, source: Any, asked: str) -> None:
    tag = source.headers["etag"]
    response = trial.get(source.headers["location"], headers={"If-None-Match": asked.format(tag=tag)})
    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["etag"] == tag
    assert response.headers["registry-revision"] == "1"


@pytest.mark.parametrize("asked", ['"1"', '"1-0000000000000000"', "", "1", "nonsense"])
def test_a_reader_who_has_other_bytes_gets_the_record(trial: TestClient, source: Any, asked: str) -> None:
    response = trial.get(source.headers["location"], headers={"If-None-Match": asked})
    assert response.json()["title"] == "Letters of 1973"


def test_a_list_carries_the_registrys_revision_and_the_next_page(
    trial: TestClient, source: Any, desk: dict[str, str]
) -> None:
    trial.post("/v1/letters", json={"title": "Another"}, headers=desk)
    response = trial.get("/v1/letters?limit=1")
    assert response.json() == {
        "items": [source.json()], "next": "/v1/letters?limit=1&cursor=c1", "total": None, "undated": 0,
    }  # fmt: skip
    assert response.headers["link"] == '</v1/letters?limit=1&cursor=c1>; rel="next"'
    assert response.headers["etag"] == 'W/"2"'
    again = trial.get("/v1/letters?limit=1", headers={"If-None-Match": 'W/"1", "2"'})
    assert again.status_code == 304
    last = trial.get("/v1/letters")
    assert last.json()["next"] is None
    assert "link" not in last.headers


def test_links_are_absolute_only_by_the_setting_and_never_by_the_host(
    settings: Settings, blank: Database, desk: dict[str, str]
) -> None:
    app = create_app(settings.model_copy(update={"public_url": "https://registry.test/"}), blank)
    app.include_router(router)
    with TestClient(app, headers={"Host": "evil.test"}) as trial:
        created = trial.post("/v1/letters", json={"title": "x"}, headers=desk)
        assert created.headers["location"] == "https://registry.test/v1/letters/1"
        trial.post("/v1/letters", json={"title": "y"}, headers=desk)
        assert trial.get("/v1/letters?limit=1").json()["next"].startswith("https://registry.test/v1/letters?")
        assert trial.get("/v1/letters/").status_code == 404
