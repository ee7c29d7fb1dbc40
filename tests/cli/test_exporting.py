"""`export`: lists and the whole registry to files."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from exporting_world import World, fill
from typer.testing import CliRunner, Result

from app import settings
from app.cli import main
from app.exchange.formats import parquet
from app.registry import Database

Run = Callable[..., Result]
SISTERCITIES = [sys.executable, "-c", "from app.cli.main import run; run()"]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def a_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    settings.load.cache_clear()
    yield
    settings.load.cache_clear()


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return fill(sqlite_database)


@pytest.fixture
def run(sqlite_database: Database) -> Run:
    """Runs a command on the test's registry."""
    url = sqlite_database.url.render_as_string(hide_password=False)
    return lambda *words: CliRunner().invoke(main.app, ["--database", url, *words])


def test_a_list_goes_to_standard_output_as_ndjson_unless_told_otherwise(run: Run, world: World) -> None:
    result = run("export", "partnerships", "country=NZ", "country=NZ", "kind=sister_city")
    assert result.exit_code == 0
    first, last = map(json.loads, result.stdout.splitlines())
    assert (first["id"], last["count"]) == (world.pair, 1)
    assert result.stderr == ""


def test_the_format_is_that_of_the_file_or_as_given(run: Run, world: World) -> None:
    assert "cities at revision 3: japan.csv" in run("export", "cities", "country=JP", "--out", "japan.csv").stderr
    assert Path("japan.csv").read_bytes().startswith(b"id,name,")
    assert run("export", "partnership", "--format", "geojson", "--out", "ways").exit_code == 0
    assert json.loads(Path("ways").read_bytes())["type"] == "FeatureCollection"
    assert run("export", "network", "--out", "x").exit_code == 2
    Path("folder").mkdir()
    assert run("export", "reported-figures", "--out", "folder").exit_code == 0
    assert Path("folder/reported_figures.ndjson").exists()


def test_the_file_has_the_bytes_that_standard_output_gets(run: Run, world: World) -> None:
    run("export", "sources", "--format", "csv", "--out", "sources.csv", "--no-trailer", "--bookkeeping")
    result = run("export", "sources", "--format", "csv", "--no-trailer", "--bookkeeping")
    assert Path("sources.csv").read_bytes() == result.stdout_bytes
    assert b"#end" not in result.stdout_bytes


def test_the_whole_registry_goes_to_a_folder_or_a_zip_and_comes_back(run: Run, world: World, tmp_path: Path) -> None:
    told = json.loads(run("export", "--out", "everything.zip", "--json").stdout)
    assert {each["name"] for each in told["files"]} < set(zipfile.ZipFile("everything.zip").namelist())
    assert "rows in 18 files at revision 3: all" in run("export", "--format", "csv", "--out", "all").stderr
    other = ["--database", f"sqlite:///{tmp_path / 'other.db'}"]
    assert CliRunner().invoke(main.app, [*other, "migrate"]).exit_code == 0
    checked = CliRunner().invoke(main.app, [*other, "import", "all", "--json"])
    assert json.loads(checked.stdout)["created"] == told_rows(told)
    applied = CliRunner().invoke(main.app, [*other, "import", "all", "--apply", "--json"])
    assert json.loads(applied.stdout)["revision"] == 1
    assert CliRunner().invoke(main.app, [*other, "export", "--out", "again.zip"]).exit_code == 0
    assert Path("everything.zip").read_bytes() == Path("again.zip").read_bytes()


def told_rows(told: dict[str, list[dict[str, int]]]) -> int:
    return sum(each["rows"] for each in told["files"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("export",), "name a folder or a .zip with --out"),
        (("export", "--out", "x", "--format", "parquet"), "parquet is for one list"),
        (("export", "country=JP", "--out", "x"), "are for one list"),
        (("export", "citys"), "Did you mean cities?"),
        (("export", "cities", "JP"), "A filter is NAME=VALUE"),
        (("export", "cities", "--out", "cities.xls"), "Say which format"),
        (("export", "cities", "contry=JP"), "Did you mean country?"),
        (("export", "cities", "country=Atlantis"), "country"),
        (("export", "cities", "--format", "gexf"), "This list comes as"),
        (("export", "cities", "--sort", "size"), "This list is sorted by one of"),
        (("export", "cities", "--out", "nowhere/cities.csv"), "nowhere/cities.csv"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence_and_nothing_is_written(
    run: Run, words: tuple[str, ...], message: str
) -> None:
    result = run(*words)
    assert result.exit_code in (1, 2)
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""
    assert list(Path.cwd().iterdir()) == []


def test_parquet_without_its_extra_says_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "find_spec", lambda _name: None)
    result = run("export", "cities", "--out", "cities.parquet")
    assert result.exit_code == 1
    assert "pip install 'sistercities[parquet]'" in result.stderr
    assert list(Path.cwd().iterdir()) == []


def test_a_file_that_is_there_is_replaced_only_on_request(run: Run) -> None:
    Path("cities.csv").write_text("mine")
    assert "exists already" in run("export", "cities", "--out", "cities.csv").stderr
    assert Path("cities.csv").read_text() == "mine"
    assert run("export", "cities", "--out", "cities.csv", "--replace").exit_code == 0
    assert Path("cities.csv").read_text().startswith("id,")


def test_a_full_device_is_an_error_of_one_sentence(run: Run) -> None:
    result = run("export", "cities", "--out", "/dev/full", "--format", "csv")
    assert (result.exit_code, result.stderr) == (1, "Error: No space left on device: /dev/full\n")


@pytest.mark.parametrize("target", ["changes.ndjson", "all", "all.zip"])
def test_a_disk_with_too_little_room_leaves_no_half_file(sqlite_database: Database, target: str) -> None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    url = sqlite_database.url.render_as_string(hide_password=False)
    # Else the limit would cut the interpreter's own compiled files short, for everybody after it.
    environment = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    words = ["changes", "--out", target] if target.startswith("changes") else ["--out", target]
    done = subprocess.run(
        [*SISTERCITIES, "--database", url, "export", *words],
        capture_output=True, text=True, preexec_fn=little_room, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == f"Error: File too large: {target}\n"
    assert list(Path.cwd().iterdir()) == []


def test_a_reader_who_has_seen_enough_ends_it_quietly(sqlite_database: Database, world: World) -> None:
    url = sqlite_database.url.render_as_string(hide_password=False)
    words = " ".join(["export", "changes", "--format", "ndjson"])
    command = f"'{sys.executable}' -c 'from app.cli.main import run; run()' --database '{url}' {words} | head -c 100"
    done = subprocess.run(command, shell=True, capture_output=True, env={"PYTHONPATH": str(ROOT)}, check=False)
    assert len(done.stdout) == 100
    assert b"Traceback" not in done.stderr
