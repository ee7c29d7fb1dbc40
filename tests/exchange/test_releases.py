"""Releases: the same bytes for the same revision, on either engine; every fault of one is found; it comes back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from app.cli.main import app as cli
from app.errors import InvalidValue, StateConflict
from app.exchange import places
from app.exchange.releases import verifying, writing
from app.exchange.seeding import seed
from app.registry import Database, backups, cities, journal, open_registry, sources, undoing

PARTS = ("registry.sqlite", "datapackage.json", "SHA256SUMS")


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The seeds, and a second revision that changed, added and deleted something."""
    folder = tmp_path_factory.mktemp("seeded")
    database = open_registry(f"sqlite:///{folder / 'registry.db'}", migrate=True, threads=2)
    seed(database)
    with database.writing(account="desk", reason="a <b>mended</b> name") as session:
        cities.amend(session, "wikidata:Q1297", {"note": "=HYPERLINK(1) and\na second line"})
        cities.add(session, {"name": "Nowhere | or *there*", "country": "FR", "kind": "village"})
        journal.commit(session)
    yield database
    database.close()


@pytest.fixture(scope="module")
def made(seeded: Database, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of it with everything that one can have."""
    target = tmp_path_factory.mktemp("release") / "r"
    writing.write(seeded, target, since=writing.Since(1), journal=True)
    return target


@pytest.fixture
def release(made: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(made, tmp_path / "r"))


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_the_same_revision_gives_the_same_bytes_in_another_process(
    seeded: Database, made: Path, tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "app.cli.main",
        "release",
        str(tmp_path / "again"),
        "--since",
        "1",
        "--with-journal",
    ]
    command[1:3] = ["-c", "from app.cli.main import run; run()"]
    url = seeded.url.render_as_string(hide_password=False)
    environment = {**os.environ, "REGISTRY_DATABASE_URL": url, "PYTHONHASHSEED": "77"}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert files_of(tmp_path / "again") == files_of(made)


def test_the_other_engine_gives_the_same_bytes(
    seeded: Database, made: Path, tmp_path: Path, postgres_copy: Callable[[], Iterator[str]]
) -> None:
    backups.backup(seeded, tmp_path / "all")
    for url in postgres_copy():
        other = open_registry(url, threads=2)
        backups.restore(other, tmp_path / "all", replace=True)
        writing.write(other, tmp_path / "other", since=writing.Since(1), journal=True)
        other.close()
    here, there = files_of(made), files_of(tmp_path / "other")
    assert {name: text for name, text in there.items() if name not in PARTS} == {
        name: text for name, text in here.items() if name not in PARTS
    }
    assert dump(tmp_path / "other" / "registry.sqlite") == dump(made / "registry.sqlite")


def test_a_release_is_whole_and_frictionless_agrees(made: Path) -> None:
    frictionless = pytest.importorskip("frictionless")
    assert verifying.verify(made) == []
    report = frictionless.Package(str(made / "datapackage.json")).validate()
    assert report.valid, report.flatten(["name", "note"])


def test_the_descriptor_names_what_the_bytes_depend_on(made: Path) -> None:
    package = orjson.loads((made / "datapackage.json").read_bytes())
    told = package["sistercities"]
    assert told["revision"] == 2 and set(told["programs"]) == {"sistercities", "sqlite", "duckdb"}
    assert package["$schema"].startswith("https://datapackage.org/profiles/2.0/")
    assert package["licenses"][0]["name"] == "CC0-1.0" and len(package["sources"]) >= 20
    tables = {each["name"]: each for each in package["resources"] if "schema" in each}
    assert {"fields": ["city_id", "country"], "reference": {"resource": "cities", "fields": ["id", "country"]}} in (
        tables["members"]["schema"]["foreignKeys"]
    )
    assert all("created_at" not in {field["name"] for field in each["schema"]["fields"]} for each in tables.values())


def test_terms_of_a_cited_source_are_named(seeded: Database, made: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    shutil.copyfile(str(seeded.url.database), target)
    other = open_registry(f"sqlite:///{target}", migrate=True, threads=2)
    with other.writing(account="desk", reason="places") as session:
        sources.add(session, places.SOURCE)
        journal.commit(session)
    writing.write(other, tmp_path / "out")
    other.close()
    package = orjson.loads((tmp_path / "out" / "datapackage.json").read_bytes())
    assert [each["name"] for each in package["licenses"]] == ["CC0-1.0", "CC-BY-4.0"]
    assert "GeoNames" in (tmp_path / "out" / "README.md").read_text()
    assert "GeoNames" not in (made / "README.md").read_text()


def test_the_ready_file_answers_sql_and_holds_no_keys(made: Path) -> None:
    with closing(sqlite3.connect(made / "registry.sqlite")) as connection:
        query = "SELECT city1, city2, established FROM pairs WHERE 'Osaka' IN (city1, city2) AND country1 = 'US'"
        assert ("Chicago", "Osaka", "1973") in connection.execute(query).fetchall()
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert not names & {"api_keys", "accounts", "changes", "revisions", "idempotency_keys"}


def test_the_changelog_tells_what_changed_and_hides_no_markup(made: Path) -> None:
    text = (made / "CHANGELOG.md").read_text()
    assert "| cities | 1 | 1 | 0 |" in text and "changed: Chicago" in text
    assert "Nowhere \\| or \\*there\\*" in text and "\\<b\\>mended" in text
    entries = [orjson.loads(line) for line in (made / "changelog.ndjson").read_bytes().splitlines()]
    assert [(entry["noun"], entry["what"]) for entry in entries] == [("cities", "changed"), ("cities", "created")]


def test_what_was_changed_and_taken_back_is_no_change(seeded: Database, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    other = open_registry(f"sqlite:///{target}", migrate=True, threads=2)
    seed(other)
    for number in (1, 2):
        with other.writing(account="desk", reason="x") as session:
            if number == 1:
                cities.amend(session, "wikidata:Q1297", {"note": "for a while"})
            else:
                undoing.undo(session, 2)
            journal.commit(session)
    writing.write(other, tmp_path / "out", since=writing.Since(1))
    other.close()
    assert (tmp_path / "out" / "changelog.ndjson").read_bytes() == b""
    assert "Nothing." in (tmp_path / "out" / "CHANGELOG.md").read_text()


def test_an_existing_folder_is_not_touched(seeded: Database, release: Path) -> None:
    before = files_of(release)
    with pytest.raises(StateConflict, match="--replace"):
        writing.write(seeded, release)
    assert files_of(release) == before


def test_only_a_release_or_an_export_is_replaced(seeded: Database, release: Path, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "will.txt").write_text("mine")
    with pytest.raises(StateConflict, match="holds no export or release"):
        writing.write(seeded, papers, replace=True)
    assert files_of(papers) == {"will.txt": b"mine"}
    (release / "csv" / "cities.csv").unlink()
    writing.write(seeded, release, replace=True)
    assert verifying.verify(release) == []


@pytest.mark.parametrize("text", ["nonsense", "/nowhere/at/all", ""])
def test_since_is_a_release_or_a_revision(text: str) -> None:
    with pytest.raises(InvalidValue, match="neither the folder of a release"):
        writing.since(text)


def test_since_takes_the_folder_of_a_release(made: Path) -> None:
    assert writing.since(str(made)) == writing.Since(2, "r2")


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"sistercities": {"revision": "x"}, "version": "1"}'])
def test_since_refuses_the_descriptor_of_something_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "datapackage.json").write_text(text)
    with pytest.raises(InvalidValue, match="damaged, or that of no release"):
        writing.since(str(tmp_path))


def test_nothing_can_be_since_the_future(seeded: Database, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="at revision 2"):
        writing.write(seeded, tmp_path / "out", since=writing.Since(99))
    assert not (tmp_path / "out").exists() and list(tmp_path.iterdir()) == []


def _sums_again(folder: Path) -> None:
    paths = sorted(set(files_of(folder)) - {"SHA256SUMS"})
    lines = [f"{writing.digest_of(folder / path)}  {path}\n" for path in paths]
    (folder / "SHA256SUMS").write_text("".join(lines))


def _vouched(folder: Path, path: str, change: Callable[[bytes], bytes]) -> None:
    """Damage a file and make every sum fit: what is left is what the rows themselves say."""
    (folder / path).write_bytes(change((folder / path).read_bytes()))
    package = orjson.loads((folder / "datapackage.json").read_bytes())
    for each in package["resources"]:
        if each["path"] == path:
            each["hash"] = f"sha256:{writing.digest_of(folder / path)}"
            each["bytes"] = (folder / path).stat().st_size
    (folder / "datapackage.json").write_bytes(orjson.dumps(package))
    _sums_again(folder)


def _described(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Damage the descriptor, and make the sums fit."""
    package = orjson.loads((folder / "datapackage.json").read_bytes())
    change(package)
    (folder / "datapackage.json").write_bytes(orjson.dumps(package))
    _sums_again(folder)


#: What is done to the release, and which file is told of with which words.
DAMAGE: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "a file is missing": (lambda r: (r / "csv/cities.csv").unlink(), "csv/cities.csv", "is missing"),
    "a file too many": (lambda r: (r / "more").write_text("x"), "more", "not listed"),
    "a byte changed": (
        lambda r: (r / "README.md").write_bytes(b"x" + (r / "README.md").read_bytes()),
        "README.md", "not what SHA256SUMS says",
    ),
    "a sum of a file elsewhere": (
        lambda r: (r / "SHA256SUMS").write_text(f"{'0' * 64}  ../../etc/passwd\n"), "SHA256SUMS", "no sum of a file",
    ),
    "a row is gone": (
        lambda r: _vouched(r, "csv/events.csv", lambda text: text[: text.rstrip().rindex(b"\n") + 1]),
        "csv/events.csv", "its descriptor says",
    ),
    "a cell too few": (
        lambda r: _vouched(r, "csv/sources.csv", lambda text: text + b"99,x\r\n"), "csv/sources.csv", "cells for",
    ),
    "a word that is no status": (
        lambda r: _vouched(r, "csv/partnerships.csv", lambda text: text.replace(b",active,", b",aktiv,", 1)),
        "csv/partnerships.csv", "none of the values",
    ),
    "a number that is none": (
        lambda r: _vouched(r, "csv/members.csv", lambda text: text.replace(b"\r\n1,", b"\r\none,", 1)),
        "csv/members.csv", "is no integer",
    ),
    "a line of NDJSON is gone": (
        lambda r: _vouched(r, "ndjson/cities.ndjson", lambda text: text[text.index(b"\n") + 1 :]),
        "ndjson/cities.ndjson", "not as many lines as its last one says",
    ),
    "NDJSON that is cut": (
        lambda r: _vouched(r, "ndjson/cities.ndjson", lambda text: text[: len(text) // 2]),
        "ndjson/cities.ndjson", "cannot be read",
    ),
    "a descriptor that is none": (
        lambda r: ((r / "datapackage.json").write_text("{"), _sums_again(r)), "datapackage.json", "no descriptor",
    ),
    "a descriptor of a file elsewhere": (
        lambda r: _described(r, lambda package: package["resources"][0].update(path="../../etc/passwd")),
        "datapackage.json", "outside the release",
    ),
    "a schema that is none": (
        lambda r: _described(r, lambda package: package["resources"][0].update(schema={"fields": [{}]})),
        "csv/countries.csv", "no description of it",
    ),
    "a SQLite file that is none": (
        lambda r: _vouched(r, "registry.sqlite", lambda _text: b"not a database" * 100),
        "registry.sqlite", "cannot be read",
    ),
    "partnerships on the map that are none": (
        lambda r: _vouched(r, "partnerships.geojson", lambda text: text.replace(b'"count":', b'"count":9')),
        "partnerships.geojson", "partnerships, and csv/partnerships.csv has",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_every_damage_is_found_and_named(release: Path, damage: str) -> None:
    change, file, words = DAMAGE[damage]
    change(release)
    faults = verifying.verify(release)
    assert any(fault.file == file and words in fault.problem for fault in faults), faults


def test_a_folder_without_a_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="holds no release"):
        verifying.verify(tmp_path)


def test_the_command_writes_checks_and_says_what_is_wrong(seeded: Database, tmp_path: Path) -> None:
    url = seeded.url.render_as_string(hide_password=False)
    run = CliRunner().invoke
    out = tmp_path / "out"
    written = run(cli, ["--database", url, "release", str(out), "--version", "2026.11", "--json"])
    assert written.exit_code == 0, written.output
    assert orjson.loads(written.stdout)["release"] == "2026.11"
    assert run(cli, ["release", "verify", str(out)]).exit_code == 0
    (out / "README.md").write_text("x")
    found = run(cli, ["release", "verify", str(out), "--json"])
    assert found.exit_code == 1 and orjson.loads(found.stdout)[0]["file"] == "README.md"
    assert run(cli, ["release", "verify"]).exit_code == 2


def _command(url: str, *words: str) -> Any:
    return CliRunner().invoke(cli, ["--database", url, *words])


def test_a_release_makes_an_equal_registry(made: Path, empty_url: str, tmp_path: Path) -> None:
    assert _command(empty_url, "migrate").exit_code == 0
    report = str(tmp_path / "report.ndjson")
    came = _command(empty_url, "import-release", str(made), "--report", report, "--json")
    assert came.exit_code == 0, came.output
    assert orjson.loads(came.stdout)["refused"] == 0
    assert _command(empty_url, "check").exit_code == 0
    assert _command(empty_url, "release", str(tmp_path / "again")).exit_code == 0
    here, there = files_of(made), files_of(tmp_path / "again")
    for name in (name for name in there if name.startswith(("csv/", "ndjson/", "partnerships."))):
        assert there[name] == here[name], name
    # The tables as they are: only when a record was written is another.
    assert len(dump(tmp_path / "again" / "registry.sqlite")) == len(dump(made / "registry.sqlite"))
    again = _command(empty_url, "import-release", str(made), "--report", report, "--json")
    assert orjson.loads(again.stdout)["revision"] is None


def test_a_release_that_is_not_whole_is_not_taken_in(release: Path, empty_url: str, tmp_path: Path) -> None:
    (release / "csv/cities.csv").unlink()
    assert _command(empty_url, "migrate").exit_code == 0
    refused = _command(empty_url, "import-release", str(release), "--report", str(tmp_path / "r.csv"))
    assert refused.exit_code == 1 and "nothing was written" in refused.output
    registry = open_registry(empty_url, threads=2)
    with registry.reading() as session:
        assert session.number() == 0
    registry.close()
