"""The app as a whole: documents, health, request ids, logs."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from answering import assert_problem
from fastapi.testclient import TestClient
from sqlalchemy import text

from app import errors
from app.main import create_app
from app.registry import Database
from app.settings import Settings


def test_the_docs_page_takes_nothing_from_elsewhere(trial: TestClient) -> None:
    page = trial.get("/docs").text
    referenced = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", page)
    assert len(referenced) >= 3
    for address in referenced:
        assert address.startswith("/")
        assert trial.get(address).status_code == 200
    assert "//" not in re.sub(r"(?m)^\s*//.*$|<!--.*?-->", "", page)
    assert trial.get("/").headers["location"] == "/docs"


def test_health_tells_life_from_readiness(trial: TestClient, blank: Database) -> None:
    assert trial.get("/health/live").json() == {"status": "live"}
    assert trial.get("/health/ready").json() == {"status": "ready"}
    with blank.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert_problem(trial.get("/health/ready"), 503, "not-ready")
    assert trial.get("/health/live").status_code == 200


def test_an_app_opens_its_own_registry_and_closes_it(settings: Settings, blank: Database) -> None:
    app = create_app(settings)
    assert app.state.database is None
    with TestClient(app) as trial:
        assert trial.get("/health/ready").status_code == 200
    assert app.state.database is None


def test_a_database_that_was_not_migrated_is_refused_at_the_start(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, database_url=f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(errors.RegistryDamaged, match="sistercities migrate"), TestClient(create_app(settings)):
        pass


def test_every_answer_carries_a_request_id_and_the_guards(trial: TestClient) -> None:
    for path in ("/v1/letters", "/none", "/docs", "/v1/trouble/unforeseen"):
        response = trial.get(path)
        assert re.fullmatch(r"[0-9a-f]{16}", response.headers["x-request-id"])
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc.DEF_1-2", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("<a>", False)]
)
def test_a_well_formed_request_id_is_taken_over(trial: TestClient, sent: str, kept: bool) -> None:
    response = trial.get("/health/live", headers={"X-Request-ID": sent})
    assert (response.headers["x-request-id"] == sent) is kept


def test_the_access_log_has_the_path_and_not_the_query(trial: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    trial.get("/v1/none%0a/%1b[31m?q=private")
    logged = capsys.readouterr().err
    line = next(line for line in logged.splitlines() if "/v1/none" in line)
    assert "path=/v1/none%0A/%1B%5B31m" in line
    assert "status=404" in line
    assert "private" not in logged


def test_logs_are_json_where_machines_collect_them(
    settings: Settings, blank: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    with TestClient(create_app(settings.model_copy(update={"log_format": "json"}), blank)) as trial:
        trial.get("/health/live")
    entry = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (entry["event"], entry["method"], entry["path"], entry["status"]) == ("request", "GET", "/health/live", 200)
    assert entry["level"] == "info"


def test_setting_up_the_logging_twice_leaves_one_handler(settings: Settings, blank: Database) -> None:
    create_app(settings, blank)
    create_app(settings, blank)
    assert [handler.name for handler in logging.getLogger().handlers].count("registry") == 1
