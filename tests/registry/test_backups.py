"""Backups: the same registry again, on either engine; all or nothing; and no id comes back from the dead."""

from __future__ import annotations

import gzip
import hashlib
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from app.errors import RegistryBusy, RegistryDamaged, RegistryError, StateConflict
from app.models import Account, Base, IdempotencyKey
from app.registry import Database, accounts, backups, checking, cities, journal, open_registry
from app.registry.database import now

Line = dict[str, Any]
Tables = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    """A migrated registry with nothing in it, on each engine in turn."""
    target = open_registry(empty_url, migrate=True, threads=2)
    yield target
    target.close()


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Database]:
    """The same on SQLite alone, where the engine makes no difference."""
    target = open_registry(f"sqlite:///{tmp_path / 'new.db'}", migrate=True, threads=2)
    yield target
    target.close()


def tables(database: Database) -> Tables:
    """All that a registry holds."""
    with database.reading() as session:
        return {
            name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
            for name, table in Base.metadata.tables.items()
        }


def problems(database: Database) -> list[Any]:
    with database.reading() as session:
        return checking.check(session)


def add_city(database: Database, name: str = "Osaka") -> int:
    with database.writing(account="desk") as session:
        city = cities.add(session, {"name": name, "country": "JP", "kind": "city"})
        journal.commit(session)
    return city


def add_outsiders(database: Database) -> str:
    """Rows outside the journal: a key, and an answer kept in bytes that are no text."""
    with accounts.aside(database) as session:
        key = accounts.create_key(session, role="editor", label="desk")
        owner = session.execute(select(Account.id)).scalar_one()
        kept = {"key": "k", "request_digest": "d", "status": 201, "headers": "{}", "created_at": now()}
        session.add(IdempotencyKey(account_id=owner, body=b"\x00\xff\xfe answer", **kept))
    return key


def lines_of(path: Path) -> list[Line]:
    return [orjson.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def written(path: Path, lines: list[Line], *, vouch: bool = True) -> Path:
    """A backup file made by hand, whose last line says what it should (unless not)."""
    body = [orjson.dumps(line) + b"\n" for line in lines[:-1]]
    rows_of: dict[str, int] = {}
    table = ""
    for line in lines[:-1]:
        table = line.get("table", table)
        rows_of[table] = rows_of.get(table, 0) + len(line.get("rows", ()))
    rows_of.pop("", None)
    last = {"rows_of": rows_of, "sha256": hashlib.sha256(b"".join(body)).hexdigest()} if vouch else lines[-1]
    path.write_bytes(gzip.compress(b"".join(body) + orjson.dumps(last) + b"\n"))
    return path


# --- out and in ------------------------------------------------------------------------------------------


def test_a_restored_registry_equals_the_one_that_was_backed_up(
    database: Database, empty: Database, tmp_path: Path
) -> None:
    key = add_outsiders(database)
    add_city(database, "大阪市 🏯")
    report = backups.backup(database, tmp_path / "registry.backup")
    assert backups.restore(empty, tmp_path / "registry.backup") == report
    held = tables(database)
    assert tables(empty) == held
    assert report.rows == {name: len(rows) for name, rows in held.items()}
    assert all(held[name] for name in ("changes", "spells", "citations", "idempotency_keys", "occasions"))
    assert problems(empty) == []
    with empty.reading() as session:
        assert session.number() == report.revision
        assert accounts.authenticate(session, key) is not None


def test_a_backup_says_the_same_whatever_engine_it_comes_from(
    database: Database, empty: Database, tmp_path: Path
) -> None:
    backups.backup(database, tmp_path / "one")
    backups.restore(empty, tmp_path / "one")
    backups.backup(empty, tmp_path / "two")
    one, two = lines_of(tmp_path / "one"), lines_of(tmp_path / "two")
    assert one[1:-1] == two[1:-1]
    assert one[0] | {"time": ""} == two[0] | {"time": ""}


def test_an_id_that_was_deleted_does_not_come_back_after_a_restore(
    database: Database, empty: Database, tmp_path: Path
) -> None:
    gone = add_city(database)
    with database.writing(account="desk") as session:
        cities.delete(session, gone)
        journal.commit(session)
    backups.backup(database, tmp_path / "registry.backup")
    backups.restore(empty, tmp_path / "registry.backup")
    assert add_city(empty, "Kobe") == gone + 1
    assert problems(empty) == []


def test_tables_that_never_held_a_row_begin_with_one(database: Database, empty: Database, tmp_path: Path) -> None:
    backups.backup(database, tmp_path / "registry.backup")
    backups.restore(empty, tmp_path / "registry.backup")
    with accounts.aside(empty) as session:
        accounts.create_key(session, role="admin", label="first")
        assert [row["id"] for row in accounts.list_keys(session)] == [1]


def test_rows_travel_in_batches_of_bounded_size(
    database: Database, new: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "BATCH", 2)
    backups.backup(database, tmp_path / "registry.backup")
    sizes = [len(line["rows"]) for line in lines_of(tmp_path / "registry.backup") if "rows" in line]
    assert max(sizes) == 2
    assert sum(sizes) == sum(len(rows) for rows in tables(database).values())
    backups.restore(new, tmp_path / "registry.backup")
    assert tables(new) == tables(database)


def test_writers_go_on_during_a_backup_and_are_not_in_it(database: Database, new: Database, tmp_path: Path) -> None:
    before = tables(database)
    added: list[int] = []

    def write_meanwhile(_done: int, _total: int) -> None:
        if not added:
            added.append(add_city(database))

    backups.backup(database, tmp_path / "registry.backup", progress=write_meanwhile)
    assert added
    assert tables(database) != before
    backups.restore(new, tmp_path / "registry.backup")
    assert tables(new) == before
    assert problems(new) == []


def test_progress_grows_up_to_all_there_is(database: Database, new: Database, tmp_path: Path) -> None:
    for run, registry in ((backups.backup, database), (backups.restore, new)):
        told: list[tuple[int, int]] = []

        def note(done: int, total: int, told: list[tuple[int, int]] = told) -> None:
            told.append((done, total))

        run(registry, tmp_path / "registry.backup", progress=note)
        assert told == sorted(told)
        assert told[-1][0] == told[-1][1]


def test_nobody_writes_while_a_registry_is_restored(sqlite_database: Database, empty: Database, tmp_path: Path) -> None:
    path = tmp_path / "registry.backup"
    backups.backup(sqlite_database, path)
    url = empty.url.render_as_string(hide_password=False)
    other = open_registry(url, threads=2, write_wait=0.1)
    refused: list[str] = []

    def write_meanwhile(done: int, total: int) -> None:
        if 2 * done > total and not refused:
            with pytest.raises(RegistryBusy), other.writing(account="desk"):
                pass
            with pytest.raises(RegistryBusy), accounts.aside(other) as session:
                accounts.create_key(session, role="editor", label="desk")
            refused.append("both")

    backups.restore(empty, path, progress=write_meanwhile)
    assert refused
    assert tables(empty) == tables(sqlite_database)
    assert add_city(other)
    other.close()


# --- the file --------------------------------------------------------------------------------------------


def test_a_backup_that_fails_leaves_no_file(sqlite_database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()

    def fail(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backups.backup(sqlite_database, folder / "registry.backup", progress=fail)
    assert list(folder.iterdir()) == []


def test_an_existing_file_is_replaced_only_if_that_is_asked_for(sqlite_database: Database, tmp_path: Path) -> None:
    path = tmp_path / "registry.backup"
    path.write_text("dear to somebody")
    with pytest.raises(StateConflict):
        backups.backup(sqlite_database, path)
    assert path.read_text() == "dear to somebody"
    backups.backup(sqlite_database, path, replace=True)
    assert lines_of(path)[0]["format"] == "sistercities-backup"


def test_others_cannot_read_a_backup(sqlite_database: Database, tmp_path: Path) -> None:
    backups.backup(sqlite_database, tmp_path / "registry.backup")
    assert stat.S_IMODE((tmp_path / "registry.backup").stat().st_mode) == 0o600


# --- what is refused -------------------------------------------------------------------------------------


def test_a_registry_that_holds_something_is_not_overwritten(database: Database, new: Database, tmp_path: Path) -> None:
    backups.backup(new, tmp_path / "registry.backup")
    before = tables(database)
    with pytest.raises(StateConflict, match="not empty"):
        backups.restore(database, tmp_path / "registry.backup")
    assert tables(database) == before


def test_a_key_alone_makes_a_registry_not_empty(new: Database, tmp_path: Path) -> None:
    backups.backup(new, tmp_path / "registry.backup")
    add_outsiders(new)
    with pytest.raises(StateConflict, match="not empty"):
        backups.restore(new, tmp_path / "registry.backup")


def test_a_registry_is_replaced_whole_if_that_is_asked_for(database: Database, empty: Database, tmp_path: Path) -> None:
    backups.backup(database, tmp_path / "old")
    backups.restore(empty, tmp_path / "old")
    add_outsiders(empty)
    later = [add_city(empty), add_city(empty, "Kobe")]
    backups.restore(empty, tmp_path / "old", replace=True)
    assert tables(empty) == tables(database)
    assert add_city(empty) == later[0]
    assert problems(empty) == []


def alter_header(**values: Any) -> Callable[[list[Line]], list[Line]]:
    return lambda lines: [lines[0] | values, *lines[1:]]


def drop_table(lines: list[Line]) -> list[Line]:
    place = next(at for at, line in enumerate(lines) if line.get("table") == "occasions")
    return [line for at, line in enumerate(lines) if at not in (place, place + 1)]


def rename_column(lines: list[Line]) -> list[Line]:
    return [
        line | {"columns": ["nickname", *line["columns"][1:]]} if line.get("table") == "cities" else line
        for line in lines
    ]


def change_rows(table: str, change: Callable[[Line], Line]) -> Callable[[list[Line]], list[Line]]:
    def changed(lines: list[Line]) -> list[Line]:
        place = next(at for at, line in enumerate(lines) if line.get("table") == table)
        columns, rows = lines[place]["columns"], lines[place + 1]["rows"]
        rows = [list(change(dict(zip(columns, row, strict=True))).values()) for row in rows]
        return [*lines[: place + 1], {"rows": rows}, *lines[place + 2 :]]

    return changed


HAND_MADE = {
    "another format": (alter_header(format="diary"), RegistryDamaged, "not a backup"),
    "a newer form": (alter_header(version=2), StateConflict, "another format"),
    "another migration": (alter_header(migration="0000"), StateConflict, "migration 0000"),
    "no sequences": (alter_header(sequences={}), RegistryDamaged, "do not fit"),
    "a missing table": (drop_table, RegistryDamaged, "every table"),
    "a table twice": (lambda lines: [*lines[:-1], lines[1], lines[-1]], RegistryDamaged, "every table"),
    "an unknown column": (rename_column, RegistryDamaged, "does not know"),
    "rows of no table": (lambda lines: [lines[0], {"rows": [[1]]}, *lines[1:]], RegistryDamaged, "do not fit"),
    "a short row": (
        lambda lines: [{"rows": [[1]]} if "rows" in line else line for line in lines],
        RegistryDamaged,
        "do not fit",
    ),
    "a city in no country": (
        change_rows("cities", lambda row: row | {"country": "ZZ"}),
        RegistryDamaged,
        "do not fit",
    ),
    "a kind that is none": (
        change_rows("partnerships", lambda row: row | {"kind": "rivals"}),
        RegistryDamaged,
        "do not fit",
    ),
    "a day that is none": (
        change_rows("events", lambda row: row | {"date_earliest": "1973-02-30"}),
        RegistryDamaged,
        "do not fit",
    ),
}


@pytest.mark.parametrize(("alter", "error", "message"), HAND_MADE.values(), ids=HAND_MADE)
def test_a_file_that_is_whole_but_does_not_fit_changes_nothing(
    database: Database,
    tmp_path: Path,
    alter: Callable[[list[Line]], list[Line]],
    error: type[RegistryError],
    message: str,
) -> None:
    backups.backup(database, tmp_path / "registry.backup")
    altered = written(tmp_path / "altered", alter(lines_of(tmp_path / "registry.backup")))
    before = tables(database)
    with pytest.raises(error, match=message):
        backups.restore(database, altered, replace=True)
    assert tables(database) == before
    add_city(database)


def flip_byte(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def alter_letter(data: bytes) -> bytes:
    return gzip.compress(gzip.decompress(data).replace(b"Akureyri", b"Akureyry"))


def append_row(data: bytes) -> bytes:
    return gzip.compress(gzip.decompress(data) + b'{"rows": [[2, 9, ""]]}\n')


def drop_last_line(data: bytes) -> bytes:
    return gzip.compress(b"".join(gzip.decompress(data).splitlines(keepends=True)[:-1]))


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "a text": lambda _: b"once upon a time",
    "a gzipped text": lambda _: gzip.compress(b"once upon a time"),
    "a gzipped list": lambda _: gzip.compress(b"[1, 2]\n"),
    "cut in half": lambda data: data[: len(data) // 2],
    "its last byte gone": lambda data: data[:-1],
    "a flipped bit": flip_byte,
    "an altered letter": alter_letter,
    "a row after the end": append_row,
    "no last line": drop_last_line,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_refused_and_changes_nothing(
    sqlite_database: Database, new: Database, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "registry.backup"
    backups.backup(sqlite_database, path)
    path.write_bytes(damage(path.read_bytes()))
    before = tables(new)
    with pytest.raises(RegistryDamaged, match="Nothing was changed"):
        backups.restore(new, path)
    assert tables(new) == before
