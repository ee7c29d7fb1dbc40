"""The command line: readable for people, dependable for scripts."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from app import settings
from app.cli import main, serving, showing
from app.errors import RegistryError
from app.registry import Database, accounts, cities, journal, partnerships

Run = Callable[..., Result]
SISTERCITIES = [sys.executable, "-c", "from app.cli.main import run; run()"]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def a_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty working folder, and settings that are read anew."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    settings.load.cache_clear()
    yield
    settings.load.cache_clear()


@pytest.fixture
def run(database: Database) -> Run:
    """Runs a command on the test's registry, on each engine in turn."""
    url = database.url.render_as_string(hide_password=False)
    return lambda *words, **options: CliRunner().invoke(main.app, ["--database", url, *words], **options)


def bare(*words: str) -> Result:
    """Runs a command on the database that the settings name."""
    return CliRunner().invoke(main.app, list(words))


def a_pair(database: Database) -> tuple[int, int]:
    """Osaka and Chicago's partnership, made in a revision of its own; the ids of the city and of it."""
    with database.writing(account="desk", reason="found in the archive") as session:
        osaka = cities.add(session, {"name": "Osaka", "country": "JP", "kind": "city"})
        chicago = cities.add(
            session,
            {"name": "Chicago", "country": "US", "kind": "city", "note": "call 555-0199"},
            identifiers=[{"scheme": "wikidata", "value": "Q1297"}],
        )
        pair = partnerships.establish(session, [osaka, chicago], kind="sister_city", signed="1973-11-09")
        journal.commit(session)
    return chicago, pair


def revision(database: Database) -> int:
    with database.reading() as session:
        return session.number()


# --- help, usage, messages -------------------------------------------------------------------------------

ALL = [
    *((name,) for name, _, _ in main.COMMANDS),
    *(("keys", name) for name, _, _ in main.KEY_COMMANDS),
    ("import", "wikidata"),
]


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_explains_itself_with_examples(words: tuple[str, ...]) -> None:
    result = bare(*words, "--help")
    assert result.exit_code == 0
    assert "Examples:" in result.stdout
    assert re.search(rf"sistercities .*{' '.join(words)}", result.stdout)


def test_the_promised_commands_are_there() -> None:
    promised = (
        "serve migrate seed check keys history undo show redact backup restore settings import export release"
        " import-release"
    )
    assert {name for name, *_ in ALL} == set(promised.split())


@pytest.mark.parametrize(
    "words",
    [
        ["frobnicate"],
        ["keys", "create", "--role", "owner", "--label", "x"],
        ["keys", "create", "--role", "editor"],
        ["history", "towns", "1"],
        ["undo", "0", "--reason", "x"],
        ["undo", "1"],
        ["show", "country", "US"],
        ["serve", "--port", "70000"],
    ],
    ids=" ".join,
)
def test_a_command_that_is_not_understood_exits_with_2(run: Run, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "--help" in result.stderr


@pytest.mark.parametrize("words", [["check"], ["keys", "list"], ["backup", "x"], ["show", "city", "1"]])
def test_a_registry_that_does_not_exist_is_not_made_by_looking_at_it(words: list[str]) -> None:
    result = bare(*words)
    assert result.exit_code == 1
    assert "sistercities migrate" in result.stderr
    assert list(Path.cwd().iterdir()) == []


def test_a_database_that_was_not_migrated_is_refused_with_the_way_out(empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).touch()
    result = bare("--database", empty_url, "check")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "run `sistercities migrate`" in result.stderr


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://somebody:secret@127.0.0.1:1/registry", "The database cannot be used"),
        ("sqlite:////no/such/folder/registry.db", "There is no registry"),
        ("mysql://localhost/registry", "SQLite file"),
        ("nonsense", "cannot be read"),
    ],
)
def test_a_database_that_cannot_be_used_is_explained_in_a_sentence(url: str, message: str) -> None:
    result = bare("--database", url, "keys", "list")
    assert result.exit_code == 1
    assert message in result.stderr
    assert "secret" not in result.output
    assert "Traceback" not in result.output


def test_a_slip_of_our_own_is_not_hidden(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setattr(accounts, "list_keys", lambda _session: 1 / 0)
    assert isinstance(run("keys", "list").exception, ZeroDivisionError)


# --- the database ----------------------------------------------------------------------------------------


def test_migrate_makes_a_registry_and_a_second_time_changes_nothing(empty_url: str) -> None:
    first, second = bare("--database", empty_url, "migrate"), bare("--database", empty_url, "migrate")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "from migration none to" in first.stderr
    assert "already" in second.stderr
    assert bare("--database", empty_url, "check").exit_code == 0


def test_seeds_are_loaded_once(empty_url: str) -> None:
    bare("--database", empty_url, "migrate")
    first = bare("--database", empty_url, "seed", "--json")
    second = bare("--database", empty_url, "seed")
    assert (first.exit_code, second.exit_code) == (0, 0)
    report = json.loads(first.stdout)
    assert report["revision"] == 1
    assert report["added"]["partnerships"] > 0
    assert "Nothing was loaded" in second.stderr
    assert bare("--database", empty_url, "check").exit_code == 0


def test_check_finds_nothing_in_a_sound_registry(run: Run) -> None:
    result = run("check", "--json")
    assert (result.exit_code, json.loads(result.stdout)["problems"]) == (0, [])
    assert "No problems" in run("check").stderr


def test_check_reports_what_differs_from_the_journal_and_exits_with_1(run: Run, database: Database) -> None:
    with database.engine.execution_options(writing=True).begin() as connection:
        connection.exec_driver_sql("UPDATE cities SET note = 'written past the journal' WHERE id = 1")
    result = run("check", "--json")
    assert result.exit_code == 1
    assert [(row["noun"], str(row["id"])) for row in json.loads(result.stdout)["problems"]] == [("cities", "1")]
    assert run("check").stdout.startswith("cities/1: ")


def test_a_backup_restores_into_a_new_registry_of_either_engine(run: Run, empty_url: str) -> None:
    assert run("backup", "registry.backup").exit_code == 0
    assert bare("--database", empty_url, "migrate").exit_code == 0
    restored = bare("--database", empty_url, "restore", "registry.backup", "--json")
    assert restored.exit_code == 0
    assert json.loads(restored.stdout)["revision"] == 1
    assert bare("--database", empty_url, "check").exit_code == 0


def test_a_restore_into_a_registry_in_use_needs_to_be_insisted_on(run: Run, database: Database) -> None:
    run("backup", "registry.backup")
    a_pair(database)
    refused = run("restore", "registry.backup")
    assert refused.exit_code == 1
    assert "--replace" in refused.stderr
    assert revision(database) == 2
    assert run("restore", "registry.backup", "--replace").exit_code == 0
    assert revision(database) == 1


@pytest.mark.parametrize("words", [["restore", "missing"], ["backup", "no/such/folder/file"]])
def test_a_file_that_is_not_there_is_named(run: Run, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert "No such file or directory" in result.stderr


# --- keys ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["editor", "admin"])
def test_a_new_key_stands_alone_on_the_last_line_and_works(run: Run, database: Database, role: str) -> None:
    result = run("keys", "create", "--role", role, "--label", "laptop", "--account", "city archive")
    assert result.exit_code == 0
    key = result.stdout.rstrip("\n")
    assert key.startswith("sc_")
    assert "\n" not in key
    assert key not in result.stderr
    assert "Authorization: Bearer" in result.stderr
    with database.reading() as session:
        who = accounts.authenticate(session, key)
    assert who is not None
    assert (who.account, who.role) == ("city archive", role)


def test_keys_are_listed_and_revoked(run: Run) -> None:
    assert "There are no keys yet" in run("keys", "list").stderr
    key = run("keys", "create", "--role", "editor", "--label", "[bold]laptop[/bold]").stdout.strip()
    table = run("keys", "list").stdout
    assert "[bold]laptop[/bold]" in table
    assert key not in table
    assert run("keys", "revoke", "[bold]laptop[/bold]").exit_code == 0
    listed = json.loads(run("keys", "list", "--json").stdout)
    assert [row["revoked_at"] is not None for row in listed] == [True]
    assert run("keys", "revoke", "another").exit_code == 1


# --- records ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noun", ["partnerships", "partnership", "Partnerships"])
def test_a_history_reads_well(run: Run, database: Database, noun: str) -> None:
    _, pair = a_pair(database)
    result = run("history", noun, str(pair))
    assert result.exit_code == 0
    assert "revision 2" in result.stdout
    assert "by desk: found in the archive" in result.stdout
    assert "events added: signed, date 1973-11-09" in result.stdout


def test_a_history_is_found_by_identifier_and_country_code(run: Run, database: Database) -> None:
    city, _ = a_pair(database)
    by_number = json.loads(run("history", "cities", str(city), "--json").stdout)
    assert by_number == json.loads(run("history", "city", "wikidata:Q1297", "--json").stdout)
    assert [entry["number"] for entry in by_number] == [2]
    assert run("history", "countries", "us").exit_code == 0


@pytest.mark.parametrize("key", ["999999", "wikidata:Q999999", "' OR 1=1 --", "9" * 30, "-1"])
def test_a_record_that_never_was_has_no_history(run: Run, key: str) -> None:
    result = run("history", "cities", "--", key)
    assert result.exit_code == 1
    assert result.stdout == ""


def test_an_undo_makes_a_revision_of_its_own_and_the_history_of_what_is_gone_stays(
    run: Run, database: Database
) -> None:
    _, pair = a_pair(database)
    result = run("undo", "2", "--reason", "the wrong Osaka")
    assert result.exit_code == 0
    assert "revision 3" in result.stderr
    history = json.loads(run("history", "partnerships", str(pair), "--json").stdout)
    assert [(row["account"], row["reason"], row["undoes"]) for row in history] == [
        ("cli", "the wrong Osaka", 2),
        ("desk", "found in the archive", None),
    ]
    assert run("undo", "2", "--reason", "again").exit_code == 1
    assert revision(database) == 3


def test_a_refused_undo_lists_what_stands_in_the_way(run: Run, database: Database) -> None:
    city, _ = a_pair(database)
    with database.writing(account="desk", reason="later") as session:
        cities.amend(session, city, {"note": "another note"})
        journal.commit(session)
    result = run("undo", "2", "--reason", "too late")
    assert result.exit_code == 1
    assert f"noun: cities, id: {city}" in result.stderr
    assert revision(database) == 3


@pytest.mark.parametrize("by_stdin", [False, True])
def test_a_redacted_text_is_gone_from_the_history(run: Run, database: Database, by_stdin: bool) -> None:
    city, _ = a_pair(database)
    text, typed = ("-", "555-0199\n") if by_stdin else ("555-0199", None)
    result = run("redact", "city", str(city), "--text", text, "--reason", "asked for", input=typed)
    assert result.exit_code == 0, result.stderr
    history = run("history", "cities", str(city), "--json").stdout
    assert "555-0199" not in history
    assert "asked for" in history


PARTNERSHIP = {
    "id": 7,
    "kind": "sister_city",
    "title": None,
    "status": "active",
    "established": "1973~",
    "members": [
        {"id": 1, "city": {"id": 1, "name": "Chicago", "country": "US"}, "status": "active", "left": None},
        {"id": 2, "city": {"id": 2, "name": "[red]Osaka", "country": "JP"}, "status": "active", "left": None},
    ],
    "conflicts": [{"field": "established", "claims": [{"text": "1973"}, {"text": "1974"}]}],
    "created_at": "2026-05-01T12:00:00.000000Z",
    "citations": [],
}


def test_a_partnership_is_shown_as_people_read_it() -> None:
    console = Console(width=200, record=True, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    console.print(showing.record(showing.partnership_title(PARTNERSHIP), PARTNERSHIP))
    console.file.close()
    lines = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert lines[0] == "Chicago (US) – [red]Osaka (JP)"
    assert "established about 1973" in lines
    assert "2 [red]Osaka (JP) active" in lines
    assert "established 1973; 1974" in lines
    assert not any("2026-05-01" in line or "citations" in line or "title" in line for line in lines)


@pytest.mark.parametrize("noun", ["city", "partnership"])
def test_show_finds_a_record_and_says_where_there_is_none(run: Run, database: Database, noun: str) -> None:
    city, pair = a_pair(database)
    key = str(city if noun == "city" else pair)
    shown = run("show", noun, key)
    assert shown.exit_code == 0, shown.stderr
    assert "Chicago (US)" in shown.stdout.splitlines()[0]
    assert json.loads(run("show", noun, key, "--json").stdout)["id"] == int(key)
    assert run("show", noun, "999999").exit_code == 1


# --- settings --------------------------------------------------------------------------------------------


def test_settings_say_where_each_value_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("REGISTRY_HOST=0.0.0.0\nREGISTRY_PORT=9\n", encoding="utf-8")
    monkeypatch.setenv("registry_port", "8001")
    result = bare("--database", "postgresql://me:secret@db/registry", "settings", "--json")
    assert result.exit_code == 0
    found = {row["name"]: (row["value"], row["source"]) for row in json.loads(result.stdout)}
    assert found["REGISTRY_HOST"] == ("0.0.0.0", ".env")
    assert found["REGISTRY_PORT"] == (8001, "environment")
    assert found["REGISTRY_THREADS"] == (40, "default")
    assert found["REGISTRY_DATABASE_URL"] == ("postgresql+psycopg://me:***@db/registry", "--database")
    assert set(found) == {f"REGISTRY_{name.upper()}" for name in settings.Settings.model_fields}


def test_settings_read_well_and_mask_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", "postgresql://me:secret@db/registry")
    result = bare("settings")
    assert "secret" not in result.output
    assert re.search(r"REGISTRY_DATABASE_URL +postgresql\+psycopg://me:\*\*\*@db/registry +environment", result.stdout)


def test_a_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_PORT", "many")
    result = bare("settings")
    assert result.exit_code == 1
    assert "REGISTRY_PORT" in result.stderr


# --- serving ---------------------------------------------------------------------------------------------


def test_a_port_in_use_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = bare("serve", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 1
    assert "another program serves there already" in result.stderr
    assert "--port" in result.stderr
    assert list(Path.cwd().iterdir()) == [], "nothing was made before it was known that it can be served"


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "::ffff:999"])
def test_an_address_that_is_not_ours_is_explained(host: str) -> None:
    with pytest.raises(RegistryError, match="REGISTRY_HOST"):
        serving.listen(host, 0).close()


def test_an_address_is_a_url() -> None:
    assert serving.address(("127.0.0.1", 8000)) == "http://127.0.0.1:8000"
    assert serving.address(("::1", 8000, 0, 0)) == "http://[::1]:8000"


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*SISTERCITIES, *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_serve_goes_from_nothing_to_answers_says_how_and_stops_at_ctrl_c() -> None:
    with start("serve", "--port", "0") as server:
        assert server.stdout is not None
        said = [server.stdout.readline() for _ in range(5)]
        try:
            banner = "".join(said)
            found = re.search(r"Serving at +(http://127\.0\.0\.1:\d+) ", banner)
            assert found, banner + (server.stderr.read() if server.poll() is not None and server.stderr else "")
            assert re.search(r"sqlite:///registry\.db at revision 1\b", banner)
            assert "keys create --role editor" in banner
            with urllib.request.urlopen(f"{found[1]}/docs", timeout=10) as answer:
                assert answer.status == 200
        finally:
            server.send_signal(signal.SIGINT)
            _, errors = server.communicate(timeout=20)
    assert server.returncode == 130
    assert "Traceback" not in errors


def test_a_second_start_does_not_bring_back_what_was_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_serve", lambda _listening, _announce: None)
    monkeypatch.setattr(serving, "_hand_over", lambda _chosen: None)
    assert bare("serve", "--port", "0").exit_code == 0
    assert bare("undo", "1", "--reason", "an empty registry, please").exit_code == 0
    assert bare("serve", "--port", "0").exit_code == 0
    assert json.loads(bare("check", "--json").stdout) == {"revision": 2, "problems": []}
    assert bare("show", "city", "wikidata:Q1297").exit_code == 1


@pytest.mark.parametrize("words", ["history countries US", "history countries US --json", "settings"])
def test_a_reader_who_goes_away_is_no_error(sqlite_database: Database, words: str) -> None:
    url = sqlite_database.url.render_as_string()
    with start("--database", url, *words.split()) as reader:
        assert reader.stdout is not None
        reader.stdout.close()
        reader.wait(timeout=20)
        assert reader.stderr is not None
        assert reader.stderr.read() == ""
