"""The API before a registry: with noise (`client`), seeded (`seeded`), or empty with a trial router (`trial`)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from answering import Documented, new_key
from fastapi import FastAPI
from fastapi.testclient import TestClient
from trial import router, trouble

from app.exchange import seeding
from app.main import create_app
from app.registry import Database, open_registry
from app.settings import Settings


def settings_of(database: Database, **more: Any) -> Settings:
    """Settings for this registry, none of the machine's."""
    url = database.url.render_as_string(hide_password=False)
    return Settings(_env_file=None, database_url=url, threads=8, **more)


# A registry with noise, on each engine in turn: what most tests ask


@pytest.fixture(scope="session")
def shared_app() -> FastAPI:
    """One app for all tests that change nothing about it: each gives it the registry that it is to serve."""
    return create_app(Settings(_env_file=None))


@pytest.fixture(scope="session")
def documented(shared_app: FastAPI) -> Documented:
    """The OpenAPI document, which judges answers."""
    return Documented(shared_app.openapi())


class CheckedClient(TestClient):
    """A client whose every answer must be as documented."""

    documented: Documented

    def request(self, method: str, url: Any, **options: Any) -> Any:  # type: ignore[override]
        response = super().request(method, url, **options)
        if str(url).startswith("/v1") and response.status_code != 405:
            self.documented.check(response)
        return response


@pytest.fixture
def serve(shared_app: FastAPI, documented: Documented) -> Iterator[Callable[[Database], CheckedClient]]:
    """Makes the client of the API over a registry: one a test."""
    with ExitStack() as opened:

        def make(database: Database) -> CheckedClient:
            shared_app.state.settings, shared_app.state.database = settings_of(database), database
            client = CheckedClient(shared_app, follow_redirects=False)
            client.documented = documented
            return opened.enter_context(client)

        yield make


@pytest.fixture
def client(serve: Callable[[Database], CheckedClient], database: Database) -> CheckedClient:
    """A client; every answer is checked against the OpenAPI document."""
    return serve(database)


@pytest.fixture
def editor(database: Database) -> dict[str, str]:
    """The header of an editor's key."""
    return new_key(database, "editor", "desk")


@pytest.fixture
def admin(database: Database) -> dict[str, str]:
    """The header of an admin's key."""
    return new_key(database, "admin", "head of desk")


# A seeded registry


@pytest.fixture(scope="session")
def seeded_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry that holds the real seeds and nothing else, on SQLite."""
    return _template(tmp_path_factory.mktemp("seeded") / "registry.db", fill=seeding.seed)


@pytest.fixture(scope="session")
def blank_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry that holds nothing, on SQLite."""
    return _template(tmp_path_factory.mktemp("blank") / "registry.db", fill=lambda _database: None)


def _template(path: Path, *, fill: Callable[[Database], Any]) -> Path:
    database = open_registry(f"sqlite:///{path}", migrate=True, threads=2)
    fill(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture
def seeded_database(seeded_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A seeded registry of its own, on SQLite."""
    path = tmp_path / "seeded.db"
    shutil.copyfile(seeded_template, path)
    database = open_registry(f"sqlite:///{path}", threads=8)
    yield database
    database.close()


@pytest.fixture
def seeded(serve: Callable[[Database], CheckedClient], seeded_database: Database) -> CheckedClient:
    """A client of a seeded registry."""
    return serve(seeded_database)


@pytest.fixture
def chief_of_seeds(seeded_database: Database) -> dict[str, str]:
    """The header of an admin's key to the seeded registry."""
    return new_key(seeded_database, "admin", "head of desk")


# An empty registry with the trial router


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """SQLite; both engines in turn for tests marked with `both_engines`."""
    if "empty_url" in request.fixturenames:
        return str(request.getfixturevalue("empty_url"))
    path = tmp_path / "blank.db"
    shutil.copyfile(request.getfixturevalue("blank_template"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def settings(url: str) -> Settings:
    """Settings with small limits."""
    return Settings(_env_file=None, database_url=url, body_limit=4096, json_depth=8, write_wait=0.3, threads=8)


@pytest.fixture
def blank(settings: Settings) -> Iterator[Database]:
    """A registry with nothing in it."""
    database = open_registry(settings.database_url, write_wait=settings.write_wait, migrate=True, threads=8)
    yield database
    database.close()


@pytest.fixture
def app(settings: Settings, blank: Database) -> FastAPI:
    """The app, with the trial router."""
    app = create_app(settings, blank)
    app.include_router(router)
    app.include_router(trouble)
    return app


@pytest.fixture
def trial(app: FastAPI) -> Iterator[TestClient]:
    """A client of the trial router."""
    with TestClient(app, follow_redirects=False) as client:
        yield client


@pytest.fixture
def desk(blank: Database) -> dict[str, str]:
    """The header of an editor's key to the empty registry."""
    return new_key(blank, "editor", "desk")


@pytest.fixture
def chief(blank: Database) -> dict[str, str]:
    """The header of an admin's key to the empty registry."""
    return new_key(blank, "admin", "head of desk")


@pytest.fixture
def source(trial: TestClient, desk: dict[str, str]) -> Any:
    """The answer to the first letter that was added."""
    response = trial.post("/v1/letters", json={"title": "Letters of 1973"}, headers=desk)
    assert response.status_code == 201
    return response
