"""`sistercities import`: what it says, what it leaves, and how it ends."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from making import held, number
from typer.testing import CliRunner, Result

from app import settings
from app.cli import importing, main
from app.exchange import reports
from app.registry import Database, checking

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]
HEADER = "city1,country1,city2,country2,since"
ROWS = f"{HEADER}\nGraz,DE,Pula,IT,1973\nPula,IT,Graz,DE,\n"
BAD = f"{ROWS}Graz,XX,Pula,IT,\n"
TOTALS = ("created", "same", "changed", "ambiguous", "refused")
SOURCE = ("--source", "A list", "--create-cities", "--no-complete")


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
    return lambda *words, **options: CliRunner().invoke(main.app, ["--database", url, "import", *words], **options)


@pytest.fixture
def run_sqlite(sqlite_database: Database) -> Run:
    """The same, on one engine: for what never comes to the registry."""
    url = sqlite_database.url.render_as_string(hide_password=False)
    return lambda *words, **options: CliRunner().invoke(main.app, ["--database", url, "import", *words], **options)


def a_file(text: str = ROWS, name: str = "partners.csv") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def test_a_check_shows_what_was_recognised_and_writes_nothing(run: Run, database: Database) -> None:
    before = held(database)
    text = "Stadt,Land,Partnerstadt,Partnerland,seit,Farbe\nGraz,DE,Pula,IT,1973,rot\nPula,IT,Graz,DE,,\n"
    result = run(a_file(text), *SOURCE)
    assert result.exit_code == 0, result.output
    for said in ("Stadt → city1", "Partnerstadt → city2", "seit → established", "not used: Farbe"):
        assert said in result.stderr
    assert "2 rows: 1 created, 1 same, 0 changed, 0 ambiguous, 0 refused." in result.stderr
    assert "--apply" in result.stderr
    assert held(database) == before


def test_apply_says_the_revision_and_how_to_take_it_back(run: Run, database: Database) -> None:
    result = run(a_file(), "--apply", *SOURCE)
    assert result.exit_code == 0, result.output
    assert f"sistercities undo {number(database)}" in result.stderr
    again = run(a_file(), "--apply", *SOURCE)
    assert again.exit_code == 0
    assert "Nothing was written: the registry has all of it." in again.stderr


@pytest.mark.parametrize("mode", ["check", "apply"])
def test_json_is_one_object_and_nothing_else(run: Run, database: Database, mode: str) -> None:
    result = run(a_file(BAD), "--json", "--on-error", "skip", *SOURCE, *(["--apply"] if mode == "apply" else []))
    told = json.loads(result.stdout)
    assert result.stderr == ""
    assert {name: told[name] for name in TOTALS} == dict(zip(TOTALS, (1, 1, 0, 0, 1), strict=True))
    assert told["rows"] == 3
    assert told["mode"] == mode
    assert told["revision"] == (number(database) if mode == "apply" else None)
    assert Path(told["report"]) == Path.cwd() / "partners.report.csv"
    assert result.exit_code == 0


def test_the_report_has_a_line_for_every_row_as_csv_or_ndjson(run_sqlite: Run) -> None:
    run_sqlite(a_file(BAD), *SOURCE)
    with Path("partners.report.csv").open(encoding="utf-8-sig", newline="") as file:
        listed = list(csv.DictReader(file))
    run_sqlite(a_file(BAD), "--report", "lines.ndjson", *SOURCE)
    lines = [json.loads(line) for line in Path("lines.ndjson").read_text(encoding="utf-8").splitlines()]
    assert [row["outcome"] for row in listed] == [row["outcome"] for row in lines] == ["created", "same", "refused"]
    assert tuple(listed[0]) == tuple(lines[0]) == reports.COLUMNS
    assert (listed[2]["row"], listed[2]["field"]) == ("3", "country1")
    assert lines[2]["candidates"] == json.loads(listed[2]["candidates"] or "[]")


def test_a_report_of_another_kind_is_refused_before_anything_is_read(run_sqlite: Run) -> None:
    result = run_sqlite("nowhere.csv", "--report", "report.docx")
    assert result.exit_code == 1
    assert ".ndjson" in result.stderr


def test_a_cell_that_a_spreadsheet_would_run_is_made_safe(tmp_path: Path) -> None:
    line = importing_line("=1+1")
    assert b"'=1+1" in b"".join(reports.csv_lines([line]))
    assert b'"=1+1"' in b"".join(reports.ndjson([line]))


def importing_line(reason: str) -> reports.Line:
    return reports.Line(1, "refused", reason)


def test_a_refused_row_stops_all_unless_it_is_skipped(run: Run, database: Database) -> None:
    before = held(database)
    result = run(a_file(BAD), "--apply", *SOURCE)
    assert result.exit_code == 1
    assert "row 3 refused: country1:" in result.stdout
    assert "Nothing was written" in result.stderr
    assert "--on-error skip" in result.stderr
    assert held(database) == before
    assert Path("partners.report.csv").exists()
    assert run(a_file(BAD), "--apply", "--on-error", "skip", *SOURCE).exit_code == 0


def test_columns_can_be_given(run_sqlite: Run) -> None:
    text = "A,B,C,D\nGraz,DE,Pula,IT\n"
    assert run_sqlite(a_file(text), *SOURCE).exit_code == 1
    named = [f"--column={each}" for each in ("city1=A", "country1=B", "city2=C", "country2=D")]
    result = run_sqlite(a_file(text), "--json", *named, *SOURCE)
    assert json.loads(result.stdout)["created"] == 1
    constant = run_sqlite(a_file("city1,city2,country2\nGraz,Pula,IT\n"), "--json", "--column", "country1==DE", *SOURCE)
    assert json.loads(constant.stdout)["created"] == 1
    assert run_sqlite(a_file(), "--column", "city1").exit_code == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"city1,country1,city2,country2\n", "no row below it"),
        (b"colour,weight\nred,1\n", "column"),
        (b"%PDF-1.7", "PDF"),
        (b'[{"city1": "Graz", ', "not whole"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_it_is(run_sqlite: Run, content: bytes, said: str) -> None:
    Path("partners.csv").write_bytes(content)
    result = run_sqlite("partners.csv", *SOURCE)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_that_is_not_there_is_said(run_sqlite: Run) -> None:
    result = run_sqlite("nowhere.csv", *SOURCE)
    assert result.exit_code == 1
    assert "nowhere.csv" in result.stderr or "No such file" in result.stderr


def test_a_source_is_asked_for_at_a_terminal_and_else_missed(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    missed = run(a_file(), "--apply", "--create-cities", "--no-complete")
    assert missed.exit_code == 1
    assert "--source TITLE" in missed.stderr
    monkeypatch.setattr(importing, "somebody_sits_there", lambda: True)
    asked = run(a_file(), "--apply", "--create-cities", "--no-complete", input="City archive\nhttps://example.org/a\n")
    assert asked.exit_code == 0, asked.output
    assert "Where do these rows come from?" in asked.stderr
    with database.reading() as session:
        from app.registry.views import sources

        found = sources.listing(session, {}).items
    assert ("City archive", "https://example.org/a") in [(item["title"], item["url"]) for item in found]


def test_our_own_export_comes_back(run: Run, database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    made = CliRunner().invoke(main.app, ["--database", url, "export", "--out", "all.zip"])
    assert made.exit_code == 0, made.output
    told = json.loads(run("all.zip", "--apply", "--json").stdout)
    assert told["same"] == told["rows"] > 0
    assert told["revision"] is None


def test_cities_and_other_nouns_are_taken(run: Run) -> None:
    text = "name,country,kind,population\nGraz,DE,city,291072\n"
    result = run(a_file(text), "--noun", "cities", "--apply", "--json", "--source", "Census")
    assert json.loads(result.stdout)["created"] == 1


# ── Stopped in the middle ──

#: Runs the command and says on stderr which step it is at.
STEPS = """
import sys
from contextlib import contextmanager
from app.cli import importing
@contextmanager
def told():
    def progress(step, done, total):
        print(step, done, file=sys.stderr, flush=True)
    yield progress
importing.bars = told
from app.exchange import writing
writing.BATCH = 50
from app.cli.main import run
run()
"""


@pytest.mark.parametrize(
    ("how", "code", "step"),
    [(signal.SIGKILL, -signal.SIGKILL, "Writing"), (signal.SIGINT, 130, "Judging"), (signal.SIGINT, 130, "Writing")],
)
def test_stopped_in_the_middle_nothing_is_kept(database: Database, how: signal.Signals, code: int, step: str) -> None:
    before, newest = held(database), number(database)
    towns = [f"Town {n},DE,Village {n % 900},IT,19{n % 100:02}" for n in range(1500)]
    words = ["import", a_file("\n".join([HEADER, *towns])), "--apply", *SOURCE]
    url = database.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", STEPS, "--database", url, *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(step):
            process.send_signal(how)
            break
    process.communicate(timeout=60)
    assert process.returncode == code
    with database.writing(account="desk"):
        pass  # the server may still be busy with the last words of the dead
    assert (held(database), number(database)) == (before, newest)
    with database.reading() as session:
        assert checking.check(session) == []
