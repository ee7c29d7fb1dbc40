"""`import wikidata` at a terminal: checked, applied, told, and taken back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx2
import pytest
import wikidata_endpoint as fake
from click.testing import Result
from typer.testing import CliRunner
from wikidata_endpoint import Item, Twinning, World

from app import settings
from app.cli import main
from app.registry import Database

Run = Callable[..., Result]

WORLD = World(
    {
        "Q64": Item({"en": "Berlin"}, ("DE",), ("52.52", "13.38"), classes=("Q515",)),
        "Q90": Item({"en": "Paris"}, ("FR",), ("48.86", "2.35"), classes=("Q515",)),
        "Q1": Item({"en": "Tiraspol"}),
    },
    [
        Twinning("Q64-1", "Q64", "Q90", start=(("1987-07-02T00:00:00Z", 11),)),
        Twinning("Q90-1", "Q90", "Q64"),
        Twinning("Q1-1", "Q1", "Q90"),
    ],
    {"Q183": "DE", "Q142": "FR"},
)
PAIRS = {"created": 1, "same": 0, "changed": 0, "ambiguous": 0, "refused": 1}


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[fake.Endpoint]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("app.exchange.wikidata.endpoint.httpx2.Client", partial(httpx2.Client, verify=False))
    monkeypatch.chdir(tmp_path)
    with fake.running(WORLD) as running:
        monkeypatch.setenv("REGISTRY_WIKIDATA_ENDPOINT", running.url)
        monkeypatch.setenv("REGISTRY_WIKIDATA_CONTACT", "desk@example.org")
        monkeypatch.setenv("REGISTRY_WIKIDATA_PAUSE", "0")
        monkeypatch.setenv("REGISTRY_WIKIDATA_CACHE", str(tmp_path / "cache"))
        settings.load.cache_clear()
        yield running
    settings.load.cache_clear()


@pytest.fixture
def run(database: Database, endpoint: fake.Endpoint) -> Run:
    """The command, on each engine in turn."""
    url = database.url.render_as_string(hide_password=False)
    return lambda *words: CliRunner().invoke(main.app, ["--database", url, "import", "wikidata", *words])


def revision(database: Database) -> int:
    with database.reading() as session:
        return session.number()


def test_it_is_checked_first_and_applied_without_asking_again(
    run: Run, database: Database, endpoint: fake.Endpoint, tmp_path: Path
) -> None:
    before = revision(database)
    checked = run("--report", "report.csv")
    assert checked.exit_code == 0, checked.output
    assert "1 created, 0 same, 0 changed, 0 ambiguous, 1 refused" in checked.stderr
    assert "row 1 refused: " in checked.stdout
    assert "--apply writes it" in checked.stderr
    assert len((tmp_path / "report.csv").read_text().splitlines()) == 3
    assert revision(database) == before

    asked = len(endpoint.queries)
    applied = run("--apply", "--json")
    assert applied.exit_code == 0, applied.output
    told = json.loads(applied.stdout)
    assert told | {"mode": "apply", **PAIRS, "revision": before + 1} == told
    assert told["report"] == str(tmp_path / "wikidata.report.csv")
    assert len(endpoint.queries) == asked
    with database.reading() as session:
        reason = session.connection().exec_driver_sql("SELECT reason FROM revisions ORDER BY number DESC").scalar()
    assert reason.startswith("import of Wikidata (all countries; as of 20") and "SHA-256" in reason

    again = run("--apply", "--json", "--fresh")
    assert json.loads(again.stdout)["same"] == 1
    assert json.loads(again.stdout)["revision"] is None
    assert revision(database) == before + 1


def test_a_refused_row_stops_all_of_it_if_that_is_asked_for(run: Run, database: Database) -> None:
    before = revision(database)
    stopped = run("--apply", "--on-error", "stop")
    assert stopped.exit_code == 1
    assert "Nothing was written, since rows are refused" in stopped.stderr
    assert revision(database) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--country", "France"), "two-letter code"),
        (("--since", "last week"), "not a date"),
        (("--language", "en us"), "language"),
        (("--report", "report.pdf"), ".csv"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is(
    run: Run, endpoint: fake.Endpoint, words: tuple[str, ...], told: str
) -> None:
    refused = run(*words)
    assert refused.exit_code == 1
    assert told in refused.stderr
    assert endpoint.queries == []


def test_a_country_and_a_day_are_passed_on(run: Run, endpoint: fake.Endpoint) -> None:
    nothing = run("--country", "fr", "--since", "2030")
    assert nothing.exit_code == 0
    assert "FR: the endpoint has no twinned body there that changed since 2030-01-01." in nothing.stderr
    assert "2030-01-01T00:00:00Z" in endpoint.queries[0]


def test_waits_and_giving_up_are_told(run: Run, endpoint: fake.Endpoint) -> None:
    endpoint.troubles = [fake.refused(429, Retry_After="1"), fake.refused(403)]
    failed = run()
    assert failed.exit_code == 1
    assert "The endpoint is asked too much (429); asking again in 1 second." in failed.stderr
    assert "Error: The endpoint answers 403" in failed.stderr


def test_without_a_contact_it_says_what_to_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGISTRY_WIKIDATA_CONTACT")
    settings.load.cache_clear()
    assert "set REGISTRY_WIKIDATA_CONTACT" in run().stderr.replace("\n", " ")
