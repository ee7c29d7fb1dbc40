"""Our own exports come back: into an empty registry as an equal one, into another record by record."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from exporting_world import World, fill
from sqlalchemy import func, select

from app.exchange import own_files, returning, seeding, whole
from app.exchange.formats.files import UnreadableFile
from app.exchange.returning import Returning
from app.models import City, Partnership, Revision
from app.registry import Database, checking, cities, journal, open_registry, partnerships, undoing
from app.registry.content import canonical, table_of

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def world(database: Database) -> World:
    return fill(database)


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    """A registry without a record, on each engine in turn."""
    database = open_registry(empty_url, migrate=True, threads=2)
    yield database
    database.close()


def taken(database: Database, path: Path, **options: Any) -> tuple[Any, list[Any]]:
    """What applying it did, and the lines."""
    with returning.plan(database, path, **options) as planned:
        applied = returning.apply(database, planned, account="desk")
        return applied, list(planned.lines())


def checked(database: Database, path: Path) -> list[Any]:
    with returning.plan(database, path) as planned:
        return list(planned.lines())


def refusals(lines: list[Any]) -> list[Any]:
    return [line for line in lines if line.outcome == "refused"]


def check(database: Database) -> list[Any]:
    with database.reading() as session:
        return checking.check(session)


def edited(path: Path, noun: str, change: Change, *, only: int | None = None) -> Path:
    """A file of one noun out of an exported folder, its records changed, with a last line that fits again."""
    *lines, _ = (path / f"{noun}.ndjson").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    target = path / f"edited-{noun}.ndjson"
    kept = [record for record in records if only in (None, record.get("id"))]
    for record in kept:
        change(record["content"])
    return rewritten(target, noun, [record["content"] for record in kept])


def rewritten(target: Path, noun: str, contents: list[Any]) -> Path:
    from app.exchange.formats import ndjson

    batch = b"".join(b'{"content":' + canonical(content).encode() + b"}\n" for content in contents)
    target.write_bytes(b"".join(ndjson.lines([(len(contents), batch)], noun=noun)))
    return target


# ── Into an empty registry ──


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_export_import_export_gives_identical_bytes_on_either_engine(
    database: Database, world: World, empty: Database, tmp_path: Path, form: Any
) -> None:
    whole.write(database, tmp_path / "first.zip", form)
    applied, lines = taken(empty, tmp_path / "first.zip")
    assert applied.revision == 1
    assert {line.outcome for line in lines} == {"created"}
    whole.write(empty, tmp_path / "second.zip", form)
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
    assert check(empty) == []


def test_the_seeds_come_back_from_either_form_as_they_were(empty: Database, tmp_path: Path) -> None:
    seeded = open_registry(f"sqlite:///{tmp_path / 'seeded.db'}", migrate=True, threads=2)
    seeding.seed(seeded)
    for form in ("ndjson", "csv"):
        whole.write(seeded, tmp_path / form, form)  # type: ignore[arg-type]
    seeded.close()
    taken(empty, tmp_path / "csv")
    whole.write(empty, tmp_path / "again", "ndjson")
    first, again = (own_files_of(tmp_path / name) for name in ("ndjson", "again"))
    assert first == again
    assert {line.outcome for line in checked(empty, tmp_path / "ndjson")} == {"same"}


def own_files_of(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_numbers_that_were_given_are_not_given_again(
    sqlite_database: Database, empty: Database, tmp_path: Path
) -> None:
    world = fill(sqlite_database)
    whole.write(sqlite_database, tmp_path / "all", "ndjson")
    taken(empty, tmp_path / "all")
    with empty.reading() as session:
        highest = {
            model: session.execute(select(func.max(table_of(model).c.id))).scalar_one() for model in (City, Partnership)
        }
    with empty.writing(account="desk") as session:
        new = cities.add(
            session, {"name": "New", "country": "JP", "kind": "town"}, names=[{"text": "N", "kind": "short"}]
        )
        pair = partnerships.establish(session, [new, world.nowhere], kind="project")
        journal.commit(session)
    assert (new, pair) == (highest[City] + 1, highest[Partnership] + 1)
    assert check(empty) == []


def test_it_is_one_revision_that_says_where_it_came_from_and_can_be_undone(
    sqlite_database: Database, empty: Database, tmp_path: Path
) -> None:
    fill(sqlite_database)
    whole.write(sqlite_database, tmp_path / "all.zip", "ndjson")
    taken(empty, tmp_path / "all.zip")
    with empty.reading() as session:
        (row,) = session.execute(table_of(Revision).select()).all()
    assert "all.zip" in row.reason
    assert "SHA-256" in row.reason
    with empty.writing(account="desk") as session:
        undoing.undo(session, 1)
        journal.commit(session)
    with empty.reading() as session:
        assert session.execute(table_of(City).select()).all() == []
    assert check(empty) == []


# ── Into a registry that has records ──


def test_the_same_export_again_changes_nothing(database: Database, world: World, tmp_path: Path) -> None:
    for form in ("ndjson", "csv"):
        whole.write(database, tmp_path / form, form)  # type: ignore[arg-type]
        applied, lines = taken(database, tmp_path / form)
        assert applied.revision is None
        assert {line.outcome for line in lines} == {"same"}


def test_each_record_is_created_same_or_changed_and_totals_add_up(
    database: Database, world: World, tmp_path: Path
) -> None:
    whole.write(database, tmp_path / "all", "ndjson")
    with database.writing(account="desk") as session:
        partnerships.delete(session, world.unlocated)
        cities.amend(session, world.apia, {"note": "changed since"})
        journal.commit(session)
    with returning.plan(database, tmp_path / "all") as planned:
        by_outcome = {line.outcome: line.reason for line in planned.lines() if line.outcome != "same"}
        assert by_outcome == {"created": f"partnerships {world.unlocated}", "changed": f"cities {world.apia}"}
        assert (planned.totals["created"], planned.totals["changed"]) == (1, 1)
        assert planned.rows == sum(planned.totals.values())
        returning.apply(database, planned, account="desk")
    whole.write(database, tmp_path / "again", "ndjson")
    assert own_files_of(tmp_path / "all") == own_files_of(tmp_path / "again")


def test_a_file_of_one_noun_is_enough(database: Database, world: World, tmp_path: Path) -> None:
    whole.write(database, tmp_path / "all", "ndjson")
    path = edited(tmp_path / "all", "cities", lambda content: content.update(note="from the file"), only=world.suva)
    applied, (line,) = taken(database, path)
    assert (line.outcome, line.record) == ("changed", world.suva)
    assert applied.revision is not None
    with database.reading() as session:
        assert session.get(City, world.suva).note == "from the file"  # type: ignore[union-attr]


def test_a_country_of_another_city_moves_to_its_members(database: Database, world: World, tmp_path: Path) -> None:
    whole.write(database, tmp_path / "all", "ndjson")
    path = edited(tmp_path / "all", "cities", lambda content: content.update(country="PE"), only=world.suva)
    _, (line,) = taken(database, path)
    # Other names and another country: but the identifier is the same.
    assert line.outcome == "changed"


def test_a_registry_that_moved_on_is_judged_again_under_the_lock(
    database: Database, world: World, tmp_path: Path
) -> None:
    whole.write(database, tmp_path / "all", "ndjson")
    path = edited(tmp_path / "all", "cities", lambda content: content.update(note="new"), only=world.suva)
    with returning.plan(database, path) as planned:
        with database.writing(account="another") as session:
            cities.amend(session, world.suva, {"note": "new"})
            journal.commit(session)
        applied = returning.apply(database, planned, account="desk")
        assert (applied.revision, planned.totals["same"]) == (None, 1)


# ── What is refused ──


def refused_in(database: Database, path: Path) -> Any:
    (line,) = refusals(checked(database, path))
    return line


def test_a_number_that_another_record_holds_is_refused_and_so_is_what_names_it(
    database: Database, world: World, tmp_path: Path
) -> None:
    whole.write(database, tmp_path / "all", "ndjson")

    def another(content: dict[str, Any]) -> None:
        if content["id"] == world.nowhere:
            content.update(name="Elsewhere")

    edited(tmp_path / "all", "cities", another)
    shutil.move(tmp_path / "all" / "edited-cities.ndjson", tmp_path / "cities.ndjson")
    line = refused_in(database, tmp_path / "cities.ndjson")
    assert (line.field, line.outcome) == ("id", "refused")
    assert "held by another record here: Nüwhere" in line.reason
    with returning.plan(database, tmp_path / "cities.ndjson", on_error="stop") as planned:
        assert planned.stops
        applied = returning.apply(database, planned, account="desk")
    assert (applied.stopped, applied.revision) == (True, None)


def test_what_names_a_refused_record_is_refused_too_and_skip_takes_the_rest(
    sqlite_database: Database, empty: Database, tmp_path: Path
) -> None:
    world = fill(sqlite_database)
    whole.write(sqlite_database, tmp_path / "all", "ndjson")
    with empty.writing(account="desk") as session:
        from app.registry import countries

        for code, alpha3, name in (("NZ", "NZL", "New Zealand"), ("JP", "JPN", "Japan")):
            countries.add(session, {"code": code, "alpha3": alpha3, "name": name, "continent": "OC"})
        for number in range(1, world.suva):
            cities.add(session, {"name": f"Filler {number}", "country": "JP", "kind": "town"})
        cities.add(session, {"name": "A city of its own", "country": "JP", "kind": "town"})
        journal.commit(session)
    applied, lines = taken(empty, tmp_path / "all", on_error="skip")
    told = {line.reason.split(":")[0]: line.reason for line in refusals(lines)}
    assert "held by another record here" in told[f"cities {world.suva}"]
    assert f"cities {world.suva} of the export, which is refused" in told[f"partnerships {world.pair}"]
    assert any(name.startswith("programs") for name in told)
    assert applied.revision == 2
    assert check(empty) == []


CASES: dict[str, tuple[str, Change, str, str]] = {
    "an unknown field": ("cities", lambda c: c.update(mayor="X"), "mayor", "another version"),
    "no name": ("cities", lambda c: c.pop("name"), "name", "needed"),
    "a kind that is none": ("cities", lambda c: c.update(kind="metropolis"), "kind", "one of"),
    "a number as text": ("cities", lambda c: c.update(latitude="north"), "latitude", "a number"),
    "a latitude alone": ("cities", lambda c: c.pop("longitude", None), "longitude", "both or neither"),
    "a day that is none": ("sources", lambda c: c.update(published="2001-02-30"), "published", "no day 30"),
    "a script for an address": ("sources", lambda c: c.update(url="javascript:alert(1)"), "url", "https://"),
    "an id that is none": ("cities", lambda c: c.update(id=-4), "id", "number of a record"),
    "parts that are no list": ("cities", lambda c: c.update(names="X"), "names", "list of objects"),
    "a control character": ("cities", lambda c: c.update(note="\x07"), "note", "control character"),
    "an unknown city": ("cities", lambda c: c.update(part_of_id=987654), "part_of_id", "neither here nor in"),
    "merged into itself": ("cities", lambda c: c.update(merged_into_id=c["id"]), "merged_into_id", "into itself"),
    "one member": ("partnerships", lambda c: c["members"].pop(), "members", "at least two"),
    "no members": ("partnerships", lambda c: c.pop("members"), "members", "at least two"),
    "a stranger's act": (
        "partnerships",
        lambda c: c["events"][0].update(declared_by_id=9999),
        "events/0/declared_by_id",
        "no member",
    ),
    "a life that cannot be": (
        "partnerships",
        lambda c: c["events"].append({"id": 77777, "position": 99, "type": "resumed"}),
        "events",
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_no_entrance_takes_is_refused_with_field_and_reason(
    sqlite_database: Database, tmp_path: Path, case: str
) -> None:
    world = fill(sqlite_database)
    noun, change, field, words = CASES[case]
    whole.write(sqlite_database, tmp_path / "all", "ndjson")
    only = {"cities": world.suva, "partnerships": world.pair}.get(noun)
    path = edited(tmp_path / "all", noun, change, only=only or last_source(tmp_path / "all"))
    line = refused_in(sqlite_database, path)
    assert line.field == field
    assert words in line.reason


def last_source(folder: Path) -> int:
    *_, line, _ = (folder / "sources.ndjson").read_text().splitlines()
    return int(json.loads(line)["id"])


def test_a_row_or_value_that_another_record_keeps_is_refused(sqlite_database: Database, tmp_path: Path) -> None:
    world = fill(sqlite_database)
    whole.write(sqlite_database, tmp_path / "all", "ndjson")
    names = json.loads((tmp_path / "all" / "cities.ndjson").read_text().splitlines()[0])["content"]["names"]
    row = {"id": names[0]["id"], "text": "Stolen", "language": "en", "kind": "short"}
    taken_row = edited(tmp_path / "all", "cities", lambda c: c.update(names=[row]), only=world.apia)
    assert f"Row {names[0]['id']} belongs to cities" in refused_in(sqlite_database, taken_row).reason
    identifier = [{"id": 5555, "scheme": "wikidata", "value": "Q38807"}]
    taken_value = edited(tmp_path / "all", "cities", lambda c: c.update(identifiers=identifier), only=world.apia)
    assert "wikidata:Q38807 belongs to city" in refused_in(sqlite_database, taken_value).reason
    members = [{"id": 901, "city_id": world.suva}, {"id": 902, "city_id": world.apia}]
    doubled = {"id": 999, "kind": "sister_city", "members": members}
    taken_pair = rewritten(tmp_path / "pairs.ndjson", "partnerships", [doubled])
    assert f"hold partnership {world.pair} of this kind here already" in refused_in(sqlite_database, taken_pair).reason


def test_what_one_record_lets_go_of_another_of_the_same_export_may_take(
    database: Database, world: World, tmp_path: Path
) -> None:
    whole.write(database, tmp_path / "all", "ndjson")

    def swap(content: dict[str, Any]) -> None:
        if content["id"] == world.suva:
            content.pop("identifiers")
        if content["id"] == world.apia:
            content["identifiers"] = [{"id": 4444, "scheme": "wikidata", "value": "Q38807"}]

    applied, lines = taken(database, edited(tmp_path / "all", "cities", swap))
    assert refusals(lines) == []
    assert applied.totals["changed"] == 2


def test_a_record_that_stands_twice_in_the_export_is_refused_the_second_time(
    sqlite_database: Database, tmp_path: Path
) -> None:
    source = {"id": 700, "title": "Once"}
    other = {"id": 701, "title": "Other", "key": "K"}
    path = rewritten(tmp_path / "sources.ndjson", "sources", [source, source, other, {**other, "id": 702}])
    lines = checked(sqlite_database, path)
    assert [line.outcome for line in lines] == ["created", "refused", "created", "refused"]
    assert [line.number for line in lines] == [1, 2, 3, 4]
    assert "the same key: K" in lines[3].reason


# ── Files that are not whole ──


@pytest.fixture
def exported(sqlite_database: Database, tmp_path: Path) -> Path:
    fill(sqlite_database)
    whole.write(sqlite_database, tmp_path / "all", "ndjson")
    whole.write(sqlite_database, tmp_path / "csv", "csv")
    whole.write(sqlite_database, tmp_path / "all.zip", "csv")
    return tmp_path


def unreadable(database: Database, path: Path) -> str:
    with pytest.raises(UnreadableFile) as caught:
        returning.plan(database, path).close()
    return caught.value.message


def test_a_file_that_was_cut_is_refused_whole(sqlite_database: Database, exported: Path) -> None:
    file = exported / "all" / "cities.ndjson"
    whole_text = file.read_bytes()
    for length in (len(whole_text) - 5, len(whole_text) // 2, 0):
        (exported / "cut.ndjson").write_bytes(whole_text[:length])
        assert "cut short" in unreadable(sqlite_database, exported / "cut.ndjson")
    file.write_bytes(whole_text[: len(whole_text) // 2])
    assert "cities.ndjson" in unreadable(sqlite_database, exported / "all")


def test_a_file_that_was_edited_by_hand_is_refused_whole(sqlite_database: Database, exported: Path) -> None:
    for name in ("all/cities.ndjson", "csv/cities.csv"):
        file = exported / name
        file.write_bytes(file.read_bytes().replace(b"Apia", b"Opia", 1))
        assert "was altered" in unreadable(sqlite_database, file.parent)
    assert "was altered" in unreadable(sqlite_database, exported / "all" / "cities.ndjson")


def test_a_folder_without_one_of_its_files_says_which(sqlite_database: Database, exported: Path) -> None:
    (exported / "all" / "sources.ndjson").unlink()
    assert "sources.ndjson is missing" in unreadable(sqlite_database, exported / "all")
    (exported / "csv" / "events.csv").unlink()
    assert "events.csv is missing" in unreadable(sqlite_database, exported / "csv")
    (exported / "csv" / "export.json").unlink()
    assert "export.json" in unreadable(sqlite_database, exported / "csv")


def test_a_zip_that_is_none_of_ours_or_damaged_is_refused(sqlite_database: Database, exported: Path) -> None:
    with zipfile.ZipFile(exported / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "no export of a registry" in unreadable(sqlite_database, exported / "other.zip")
    damaged = bytearray((exported / "all.zip").read_bytes())
    damaged[200:260] = b"\0" * 60
    (exported / "damaged.zip").write_bytes(damaged)
    unreadable(sqlite_database, exported / "damaged.zip")


def test_a_line_without_end_is_not_read_into_memory(
    sqlite_database: Database, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_files, "LONGEST_LINE", 1000)
    trailer = (exported / "all" / "cities.ndjson").read_bytes().splitlines()[-1]
    (exported / "long.ndjson").write_bytes(b'{"content":{"id":1,"name":"' + b"x" * 5000 + b'"}}\n' + trailer)
    assert "has no end" in unreadable(sqlite_database, exported / "long.ndjson")


def test_nothing_of_a_refused_export_is_kept(sqlite_database: Database, exported: Path) -> None:
    with sqlite_database.reading() as session:
        before = session.number()
    file = exported / "all" / "sources.ndjson"
    file.write_bytes(file.read_bytes().replace(b"comma", b"komma", 1))
    unreadable(sqlite_database, exported / "all")
    with sqlite_database.reading() as session:
        assert session.number() == before
        assert "comma" in sources_titles(session)


def sources_titles(session: Any) -> str:
    from app.models import Source

    return " ".join(session.execute(table_of(Source).select().with_only_columns(Source.title)).scalars())


def test_child_rows_of_no_record_are_told(sqlite_database: Database, exported: Path) -> None:
    folder = exported / "csv"
    file = folder / "city_successors.csv"
    file.write_bytes(file.read_bytes() + b"9,8888,1\r\n")
    manifest = json.loads((folder / "export.json").read_text())
    import hashlib

    for each in manifest["files"]:
        if each["name"] == file.name:
            each.update(rows=1, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    (folder / "export.json").write_text(json.dumps(manifest))
    (line,) = refusals(checked(sqlite_database, folder))
    assert "but not the record itself" in line.reason


def test_a_plan_closes_its_temporary_file(sqlite_database: Database, exported: Path) -> None:
    planned: Returning
    with returning.plan(sqlite_database, exported / "all") as planned:
        assert planned.rows > 10
    with pytest.raises(Exception, match="closed"):
        list(planned.lines())
