"""The published JSON schemas of the reconciliation protocol as judges of answers, and short ways to ask."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from answering import Documented
from fastapi.testclient import TestClient
from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7
from small_world import World, build

from app.main import create_app
from app.registry import Database, checking, open_registry
from app.settings import Settings

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "reconciliation-0.2"
#: Published examples, by folder and whether they are to be taken.
EXAMPLES = {
    (folder, verdict): sorted((PUBLISHED / "examples" / folder / verdict).glob("*.json"))
    for folder in ("reconciliation-query-batch", "data-extension-query", "manifest", "reconciliation-result-batch")
    for verdict in ("valid", "invalid")
}


# ── Registries that a file's tests only read: made once for all of them ──


class ReadingClient(TestClient):
    """A client of a registry that is there for many tests, so that none of them may write."""

    documented: Documented
    world: World


@contextmanager
def _client(database: Database, documented: Documented) -> Iterator[ReadingClient]:
    settings = Settings(_env_file=None, database_url=database.url.render_as_string(hide_password=False), threads=8)
    with database.reading() as session:
        before = session.number()
    with ReadingClient(create_app(settings, database), follow_redirects=False) as client:
        client.documented = documented
        yield client
    with database.reading() as session:
        assert (session.number(), checking.check(session)) == (before, [])
    database.close()


def seeded_client(
    seeded_template: Path, documented: Documented, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ReadingClient]:
    """A client of a seeded registry, on SQLite."""
    path = tmp_path_factory.mktemp("reconciled") / "registry.db"
    shutil.copyfile(seeded_template, path)
    with _client(open_registry(f"sqlite:///{path}", threads=8), documented) as client:
        yield client


def world_client(
    unwritten: Database,
    sqlite_template: Path,
    documented: Documented,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[ReadingClient]:
    """A client of the small world, on each engine in turn (those of `unwritten`), and the `world` with it."""
    for url in _url(unwritten, sqlite_template, tmp_path_factory, request):
        database = open_registry(url, threads=8)
        world = build(database)
        with _client(database, documented) as client:
            client.world = world
            yield client


def _url(
    unwritten: Database, template: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[str]:
    if not unwritten.is_sqlite:
        copy: Callable[[], Iterator[str]] = request.getfixturevalue("postgres_copy")
        yield from copy()
        return
    path = tmp_path_factory.mktemp("world") / "registry.db"
    shutil.copyfile(template, path)
    yield f"sqlite:///{path}"


# ── Judges ──


@lru_cache(maxsize=1)
def _schemas() -> tuple[dict[str, Any], Any]:
    found = {path.stem: json.loads(path.read_text()) for path in (PUBLISHED / "schemas").glob("*.json")}
    resources = [(schema["$id"], DRAFT7.create_resource(schema)) for schema in found.values()]
    return found, Registry().with_resources(resources)


@lru_cache(maxsize=20)
def judge(name: str) -> Draft7Validator:
    """The published schema of this name."""
    found, registry = _schemas()
    return Draft7Validator(found[name], registry=registry)


def valid(name: str, answer: Any) -> Any:
    """The body of an answer that is 200 and as the published schema has it (where the schemas are at hand)."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    if PUBLISHED.is_dir():
        judge(name).validate(body)
    return body


def examples(folder: str, verdict: str) -> Any:
    """The published examples as parameters of a test; one that is skipped where they are not at hand."""
    found = [pytest.param(path, id=path.stem) for path in EXAMPLES[folder, verdict]]
    absent = pytest.mark.skip(reason="the published schemas lie beside the project only where it is developed")
    return pytest.mark.parametrize("path", found or [pytest.param(PUBLISHED, marks=absent)])


def send(client: TestClient, field: str, said: Any) -> Any:
    """The answer to a form with this field, said as JSON (texts as they are)."""
    text = said if isinstance(said, str) else json.dumps(said)
    return documented(client, client.post("/reconcile", data={field: text}))


def documented(client: Any, answer: Any) -> Any:
    """The answer, which must be as the OpenAPI document has it too."""
    client.documented.check(answer)
    return answer


def reconciled(client: TestClient, *queries: dict[str, Any] | str) -> list[list[dict[str, Any]]]:
    """The candidates of each query; a text is a query with nothing else."""
    batch = {f"q{place}": {"query": each} if isinstance(each, str) else each for place, each in enumerate(queries)}
    body = valid("reconciliation-result-batch", send(client, "queries", batch))
    assert list(body) == list(batch)
    return [body[key]["result"] for key in batch]


def extended(client: TestClient, ids: list[Any], *properties: str | dict[str, Any]) -> dict[str, Any]:
    """The rows of a data extension."""
    wanted = [{"id": each} if isinstance(each, str) else each for each in properties]
    answer = send(client, "extend", {"ids": [str(each) for each in ids], "properties": wanted})
    body = valid("data-extension-response", answer)
    assert [each["id"] for each in body["meta"]] == [each["id"] for each in wanted]
    return dict(body["rows"])


def told(**known: Any) -> list[dict[str, Any]]:
    """Properties of a query."""
    return [{"pid": name, "v": value} for name, value in known.items()]
