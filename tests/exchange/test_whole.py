"""The whole registry in files: the same content gives the same bytes, and what was not finished leaves nothing."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from exporting_world import NOTE, World, fill

from app.errors import StateConflict
from app.exchange import exporting, outlets, whole
from app.exchange.formats import csv_tables
from app.registry import Database, cities, journal


@pytest.fixture
def world(database: Database) -> World:
    return fill(database)


def files_of(path: Path) -> dict[str, bytes]:
    if path.is_dir():
        return {each.name: each.read_bytes() for each in path.iterdir()}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_a_folder_and_a_zip_hold_the_same_files_and_the_manifest_vouches_for_each(
    database: Database, world: World, tmp_path: Path, form: Any
) -> None:
    whole.write(database, tmp_path / "all", form)
    whole.write(database, tmp_path / "all.zip", form)
    files = files_of(tmp_path / "all")
    assert files == files_of(tmp_path / "all.zip")
    manifest = json.loads(files.pop("export.json"))
    assert {each["name"]: each["sha256"] for each in manifest["files"]} == {
        name: hashlib.sha256(text).hexdigest() for name, text in files.items()
    }
    assert all(each["rows"] == files[each["name"]].count(b"\n") - 1 for each in manifest["files"] if form == "ndjson")


def test_an_export_after_writes_that_were_undone_is_the_export_before(
    database: Database, world: World, tmp_path: Path
) -> None:
    whole.write(database, tmp_path / "before.zip", "csv")
    for undone in (False, True):
        with database.writing(account="desk", reason="back and forth") as session:
            cities.amend(session, world.nowhere, {"note": None if undone else "something"})
            journal.commit(session)
    whole.write(database, tmp_path / "after.zip", "csv")
    assert (tmp_path / "before.zip").read_bytes() == (tmp_path / "after.zip").read_bytes()


def test_bookkeeping_is_in_the_files_only_if_asked_for(database: Database, world: World, tmp_path: Path) -> None:
    whole.write(database, tmp_path / "plain", "csv")
    whole.write(database, tmp_path / "more", "csv", bookkeeping=True)
    assert b"updated_at" not in (tmp_path / "plain" / "cities.csv").read_bytes()
    assert b"updated_at" in (tmp_path / "more" / "cities.csv").read_bytes().split(b"\r\n", 1)[0]


def test_csv_keeps_every_text_and_leaves_unknown_bounds_empty(database: Database, world: World, tmp_path: Path) -> None:
    whole.write(database, tmp_path / "all", "csv")

    def table(name: str) -> dict[str, dict[str, str]]:
        text = (tmp_path / "all" / f"{name}.csv").read_bytes().decode()
        return {row["id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}

    suva = table("cities")[str(world.suva)]
    assert (csv_tables.unsafe(suva["name"]), suva["note"]) == ("=Suva", NOTE)
    assert suva["existed_from_earliest"] == ""
    assert table("cities")[str(world.merged_city)]["merged_into_id"] == str(world.apia)
    pair = table("partnerships")[str(world.pair)]
    assert (pair["status"], pair["established"], pair["established_latest"]) == ("active", "1973~", "1973-12-31")
    assert "pair_key" not in pair


def test_progress_adds_up_over_all_files(database: Database, world: World, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    report = whole.write(database, tmp_path / "all", "csv", progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (report.rows, report.rows)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


# ── Where it goes ──


def test_what_is_there_is_not_replaced_unless_one_says_so(database: Database, tmp_path: Path) -> None:
    for target in (tmp_path / "all", tmp_path / "all.zip"):
        whole.write(database, target, "ndjson")
        with pytest.raises(StateConflict, match="--replace"):
            whole.write(database, target, "ndjson")
        whole.write(database, target, "csv", replace=True)
        assert "cities.csv" in files_of(target)
        assert "cities.ndjson" not in files_of(target)
    assert sorted(each.name for each in tmp_path.glob("*all*")) == ["all", "all.zip"]


@pytest.mark.parametrize("name", ["all", "all.zip"])
def test_a_disk_that_fills_up_leaves_nothing_and_what_was_there_stays(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    whole.write(sqlite_database, place / name, "ndjson")
    before = files_of(place / name)

    def full(*_given: Any, **_options: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(exporting, "fetched", full)
    for replace in (True, False):
        target = place / name if replace else place / f"new-{name}"
        with pytest.raises(OSError, match="No space left") as caught:
            whole.write(sqlite_database, target, "csv", replace=replace)
        assert caught.value.filename == str(target)
    assert [each.name for each in place.iterdir()] == [name]
    assert files_of(place / name) == before


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"), outlets.file(Path("/dev/full")) as file:
        file.write(b"x" * 1_000_000)
    assert Path("/dev/full").is_char_device()


def test_a_missing_folder_is_named_as_it_was_given(tmp_path: Path) -> None:
    target = tmp_path / "nowhere" / "cities.csv"
    with pytest.raises(FileNotFoundError) as caught, outlets.file(target):
        pass
    assert caught.value.filename == str(target)
