"""Lists in bulk: every format says the same of what the filters select."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from contextlib import closing
from typing import Any

import pytest
from exporting_world import FORMULAS, World, fill

from app.errors import InvalidValue
from app.exchange import exporting, flat
from app.exchange.formats import csv_tables
from app.models import RECORDS
from app.registry import Database, cities, content, journal

NOUNS = tuple(RECORDS)


@pytest.fixture
def world(database: Database) -> World:
    return fill(database)


def exported(database: Database, name: str, format: str, **options: Any) -> bytes:
    with database.reading() as session, closing(exporting.opened(session, name, format, **options)) as export:
        return b"".join(export.chunks())


def lines(text: bytes) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def rows(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))


def listed(database: Database, name: str, query: Any = None) -> list[Any]:
    with database.reading() as session:
        items = exporting.VIEWS[name].listing(session, query or {}, limit=1000).items
    return [
        {key: value for key, value in item.items() if key not in ("revision", "created_at", "updated_at")}
        for item in items
    ]


# ── NDJSON ──


@pytest.mark.parametrize("noun", NOUNS)
def test_a_line_of_ndjson_is_the_item_of_the_list_and_its_content(database: Database, world: World, noun: str) -> None:
    *records, _ = lines(exported(database, noun, "ndjson"))
    assert [{k: v for k, v in record.items() if k != "content"} for record in records] == listed(database, noun)
    key = RECORDS[noun].KEY
    with database.reading() as session:
        kept = content.read(session, noun, [str(record[key]) for record in records])
    assert [record["content"] for record in records] == [kept[str(record[key])] for record in records]


def test_the_last_line_of_ndjson_vouches_for_all_others(database: Database, world: World) -> None:
    text = exported(database, "cities", "ndjson")
    body, _, _ = text[:-1].rpartition(b"\n")
    assert lines(text)[-1] == {
        "noun": "cities", "count": text.count(b"\n") - 1, "sha256": hashlib.sha256(body + b"\n").hexdigest()
    }  # fmt: skip


def test_bookkeeping_is_left_out_unless_it_is_asked_for(database: Database, world: World) -> None:
    for noun in NOUNS:
        assert "updated_at" not in lines(exported(database, noun, "ndjson"))[0]
        more = lines(exported(database, noun, "ndjson", bookkeeping=True))[0]
        assert more["revision"] >= 1
        assert more["created_at"].endswith("Z")
        assert rows(exported(database, noun, "csv", bookkeeping=True))[0]["updated_at"].endswith("Z")


def test_filters_and_order_are_those_of_the_list(database: Database, world: World) -> None:
    query = {"country": ["NZ"], "kind": ["sister_city,charter"]}
    *records, _ = lines(exported(database, "partnerships", "ndjson", query=query, sort="-established"))
    with database.reading() as session:
        items = exporting.VIEWS["partnerships"].listing(session, query, sort="-established").items
    assert [record["id"] for record in records] == [item["id"] for item in items]
    assert world.pair in [record["id"] for record in records]


def test_who_asks_for_a_day_is_told_how_many_were_left_out(database: Database, world: World) -> None:
    told = lines(exported(database, "partnerships", "ndjson", query={"active_on": ["1990-01-01"]}))[-1]
    assert told["left_out_as_undated"] > 0


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"query": {"countri": ["JP"]}}, "countri"),
        ({"query": {"country": ["Atlantis"]}}, "country"),
        ({"sort": "nam"}, "sort"),
        ({"format": "geojson", "name": "sources"}, "format"),
        ({"format": "gexf", "name": "cities"}, "format"),
    ],
)
def test_what_is_wrong_with_the_question_is_said_before_anything_is_written(
    database: Database, asked: dict[str, Any], field: str
) -> None:
    asked = {"name": "cities", "format": "ndjson"} | asked
    with database.reading() as session, pytest.raises(InvalidValue) as caught:
        exporting.opened(session, **asked)
    assert caught.value.field == field


def test_merged_records_are_in_no_list_but_in_a_whole_export(database: Database, world: World) -> None:
    with database.reading() as session:
        every = {
            noun: lines(b"".join(exporting.whole(session, noun).chunks()))[:-1] for noun in ("cities", "partnerships")
        }
    assert world.merged_city not in [record["id"] for record in lines(exported(database, "cities", "ndjson"))[:-1]]
    merged = {record["id"]: record["content"].get("merged_into_id") for record in every["cities"]}
    assert merged[world.merged_city] == world.apia
    pairs = {record["id"]: record["content"].get("merged_into_id") for record in every["partnerships"]}
    assert pairs[world.merged_pair] == world.pair


def test_a_stream_shows_one_snapshot_while_writers_go_on(database: Database, world: World) -> None:
    before = exported(database, "cities", "ndjson")
    with database.reading() as session:
        export = exporting.opened(session, "cities", "ndjson")
        number = session.number()
        begun = next(export.gathered)
        with database.writing(account="desk") as writing:
            cities.add(writing, {"name": "Newcomer", "country": "JP", "kind": "town"})
            journal.commit(writing)
        assert begun + b"".join(export.chunks()) == before
        assert session.number() == number
    assert exported(database, "cities", "ndjson") != before


def test_rows_are_fetched_in_batches_on_either_engine(database: Database, world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(exporting, "BATCH", 2)
    with database.reading() as session:
        batches = list(exporting.item_batches(exporting.Selection(session, "cities")))
    assert max(map(len, batches)) == 2
    assert len(batches) > 2
    assert [item for batch in batches for item in batch] == listed(database, "cities")


def test_progress_is_told_after_each_batch(database: Database, world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(exporting, "BATCH", 3)
    told: list[int] = []
    exported(database, "cities", "csv", progress=told.append)
    assert told == [*range(3, told[-1], 3), told[-1]]
    assert told[-1] == len(listed(database, "cities"))


# ── CSV ──


@pytest.mark.parametrize("text", [*FORMULAS, "\t=x", "\r=x", "''''-", "plain", "", "'"])
def test_any_text_comes_back_from_a_safe_cell(text: str) -> None:
    cell = csv_tables.safe(text)
    assert cell[:1] not in tuple("=+-@\t\r")
    assert csv_tables.unsafe(cell) == text


def test_texts_are_made_safe_and_numbers_are_not_touched(database: Database, world: World) -> None:
    by_id = {row["id"]: row for row in rows(exported(database, "cities", "csv"))}
    assert by_id[str(world.suva)]["name"] == "'=Suva"
    assert by_id[str(world.suva)]["latitude"] == "-18.14"
    pair = {row["id"]: row for row in rows(exported(database, "partnerships", "csv"))}[str(world.pair)]
    assert (pair["designation"], pair["title"]) == ("'-friends-", "'+1")


@pytest.mark.parametrize("name", [name for name in exporting.VIEWS if name != "citations"])
def test_every_csv_is_rectangular_and_its_last_row_vouches_for_it(database: Database, world: World, name: str) -> None:
    text = exported(database, name, "csv")
    table = list(csv.reader(io.StringIO(text.decode(), newline="")))
    assert {len(row) for row in table} == {len(flat.columns_of(name))}
    body, _, _ = text[:-2].rpartition(b"\r\n")
    assert table[-1][:3] == ["#end", str(len(table) - 2), hashlib.sha256(body + b"\r\n").hexdigest()]
    without = exported(database, name, "csv", trailer=False)
    assert text.startswith(without)
    assert list(csv.reader(io.StringIO(without.decode(), newline=""))) == table[:-1]


def test_a_fuzzy_date_has_its_bounds_beside_it_and_unknown_ones_are_empty(database: Database, world: World) -> None:
    by_id = {row["id"]: row for row in rows(exported(database, "partnerships", "csv"))}
    known, unknown = by_id[str(world.pair)], by_id[str(world.unlocated)]
    assert [known[f"established{end}"] for end in ("", "_earliest", "_latest")] == ["1973~", "1973-01-01", "1973-12-31"]
    assert [unknown[f"established{end}"] for end in ("", "_earliest", "_latest")] == ["", "", ""]


def test_a_pair_has_two_sides_and_a_charter_none(database: Database, world: World) -> None:
    by_id = {row["id"]: row for row in rows(exported(database, "partnerships", "csv"))}
    pair, charter = by_id[str(world.pair)], by_id[str(world.charter)]
    assert (pair["city1"], pair["country1"], pair["city2"], pair["status2"]) == ("'=Suva", "NZ", "Apia", "active")
    assert (charter["city1"], charter["city2"], charter["cities_count"]) == ("", "", "3")
    assert charter["cities"] == "'=Suva, NZ | Apia, NZ | Nüwhere, “the” 東京, JP"


# ── Lists that are not of records ──


def test_revisions_and_changes_come_in_bulk_too(database: Database, world: World) -> None:
    *revisions, _ = lines(exported(database, "revisions", "ndjson"))
    assert [each["number"] for each in revisions] == sorted((each["number"] for each in revisions), reverse=True)
    *changes, _ = lines(exported(database, "changes", "ndjson", query={"since": [str(revisions[1]["number"])]}))
    assert {change["revision"] for change in changes} == {revisions[0]["number"]}
    assert {"noun", "id", "after", "time"} <= set(changes[0])
    assert json.loads(rows(exported(database, "changes", "csv"))[0]["after"])
    with database.reading() as session, pytest.raises(InvalidValue, match="newest revision"):
        exporting.opened(session, "changes", "csv", query={"since": ["999"]})
