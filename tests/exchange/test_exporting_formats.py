"""How items look in JSON, GeoJSON, graphs and Parquet. Which engine they come from makes no difference here."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest
from exporting_world import FORMULAS, World, fill

from app.domain.great_circles import path
from app.errors import NotInstalled
from app.exchange import exporting, flat
from app.exchange.formats import csv_tables, parquet
from app.models import RECORDS
from app.registry import Database

NOUNS = tuple(RECORDS)


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return sqlite_database


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


# ── JSON and GeoJSON ──


def test_json_is_one_object_with_all_items(database: Database, world: World) -> None:
    text = exported(database, "partnerships", "json")
    said = json.loads(text)
    assert said["items"] == listed(database, "partnerships")
    assert said["count"] == len(said["items"])
    assert said["sha256"] == hashlib.sha256(text[: text.rindex(b"\n]")]).hexdigest()


@pytest.mark.parametrize("format", ["json", "geojson", "ndjson", "csv", "graphml", "gexf", "parquet"])
def test_a_list_of_nothing_is_still_whole(database: Database, format: str) -> None:
    text = exported(
        database, "partnerships", format, query={"country": ["KE"], "kind": ["charter"], "status": ["ended"]}
    )
    if format in ("json", "geojson"):
        assert json.loads(text)["count"] == 0
    elif format == "ndjson":
        assert lines(text)[-1]["count"] == 0
    elif format == "csv":
        assert [row["id"] for row in rows(text)] == ["#end"]
    elif format == "parquet":
        assert text[-4:] == b"PAR1"
    else:
        ElementTree.fromstring(text)


def test_cities_are_points_and_those_nobody_located_have_no_geometry(database: Database, world: World) -> None:
    features = {each["id"]: each for each in json.loads(exported(database, "cities", "geojson"))["features"]}
    assert features[world.apia]["geometry"] == {"type": "Point", "coordinates": [-171.76, -13.83]}
    assert features[world.apia]["properties"]["existed_from_latest"] == "1859-12-31"
    assert features[world.nowhere]["geometry"] is None


def test_pairs_are_ways_cut_at_the_antimeridian_and_charters_are_points(database: Database, world: World) -> None:
    features = {each["id"]: each for each in json.loads(exported(database, "partnerships", "geojson"))["features"]}
    way = features[world.pair]["geometry"]
    assert way["type"] == "MultiLineString"
    assert [[tuple(at) for at in piece] for piece in way["coordinates"]] == path(-18.14, 178.44, -13.83, -171.76)
    assert features[world.unlocated]["geometry"] is None
    assert features[world.charter]["geometry"] == {
        "type": "MultiPoint", "coordinates": [[178.44, -18.14], [-171.76, -13.83]]
    }  # fmt: skip
    assert features[world.pair]["properties"]["kind"] == "sister_city"


# ── Graphs ──

GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"
GEXF = "{http://gexf.net/1.3}"


def test_graphml_has_cities_as_nodes_pairs_as_edges_and_charters_as_nodes_of_their_own(
    database: Database, world: World
) -> None:
    root = ElementTree.fromstring(exported(database, "partnerships", "graphml"))
    nodes = {node.get("id") for node in root.iter(f"{GRAPHML}node")}
    edges = {edge.get("id"): (edge.get("source"), edge.get("target")) for edge in root.iter(f"{GRAPHML}edge")}
    assert edges[f"p{world.pair}"] == (f"c{world.suva}", f"c{world.apia}")
    assert {target for source, target in edges.values() if source == f"p{world.charter}"} == {
        f"c{number}" for number in (world.suva, world.apia, world.nowhere)
    }
    assert f"p{world.charter}" in nodes
    assert f"p{world.merged_pair}" not in edges
    assert {end for ends in edges.values() for end in ends} <= nodes
    keys = {key.get("id") for key in root.iter(f"{GRAPHML}key")}
    assert {data.get("key") for data in root.iter(f"{GRAPHML}data")} <= keys


def test_gexf_says_the_same_network_and_texts_survive_xml(database: Database, world: World) -> None:
    root = ElementTree.fromstring(exported(database, "partnerships", "gexf"))
    nodes = {node.get("id"): node.get("label") for node in root.iter(f"{GEXF}node")}
    assert nodes[f"p{world.charter}"] == '<Charter> & "Co"'
    assert nodes[f"c{world.suva}"] == "=Suva"
    edge = next(edge for edge in root.iter(f"{GEXF}edge") if edge.get("id") == f"p{world.pair}")
    said = {value.get("for"): value.get("value") for value in edge.iter(f"{GEXF}attvalue")}
    assert (said["established"], said["established_earliest"], said["kind"]) == ("1973~", "1973-01-01", "sister_city")


def test_the_network_of_a_filtered_list_has_only_its_cities(database: Database, world: World) -> None:
    text = exported(database, "partnerships", "graphml", query={"kind": ["sister_city"], "city": [str(world.suva)]})
    nodes = {node.get("id") for node in ElementTree.fromstring(text).iter(f"{GRAPHML}node")}
    assert nodes == {f"c{world.suva}", f"c{world.apia}"}


# ── Parquet ──


def test_parquet_has_typed_columns_and_nested_members(database: Database, world: World, tmp_path: Any) -> None:
    file = tmp_path / "partnerships.parquet"
    file.write_bytes(exported(database, "partnerships", "parquet"))
    with duckdb.connect() as connection:
        types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()}
        found = connection.execute(
            f"SELECT id, established, established_earliest::VARCHAR, len(members), members[1].city.name FROM '{file}'"
        ).fetchall()
    assert (types["id"], types["established_latest"], types["distance_km"]) == ("BIGINT", "DATE", "DOUBLE")
    assert [row[0] for row in found] == [item["id"] for item in listed(database, "partnerships")]
    assert (world.pair, "1973~", "1973-01-01", 2, "=Suva") in found


@pytest.mark.parametrize("noun", NOUNS)
def test_parquet_of_every_noun_has_as_many_rows_as_the_list(database: Database, noun: str, tmp_path: Any) -> None:
    file = tmp_path / "some.parquet"
    file.write_bytes(exported(database, noun, "parquet"))
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT count(*) FROM '{file}'").fetchall() == [(len(listed(database, noun)),)]


def test_parquet_leaves_no_temporary_file_behind(database: Database, monkeypatch: Any, tmp_path: Any) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(parquet.tempfile, "tempdir", str(tmp_path / "temporary"))
    exported(database, "cities", "parquet")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_without_duckdb_parquet_says_what_is_missing(sqlite_database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(parquet, "find_spec", lambda _name: None)
    with sqlite_database.reading() as session, pytest.raises(NotInstalled, match=r"sistercities\[parquet\]"):
        exporting.opened(session, "cities", "parquet")


# ── What the documentation promises ──

DOCS = Path(__file__).resolve().parents[2] / "docs" / "formats.md"


def told_columns() -> dict[str, list[str]]:
    """List → columns, as the table in the documentation has them, its shorthands spelled out."""
    section = DOCS.read_text().split("## Flat columns")[1].split("##")[0]
    side = ["city2_id", "city2", "country2", "subdivision2", "latitude2", "longitude2", "status2"]
    found: dict[str, list[str]] = {}
    for name, listed in re.findall(r"^\| ([a-z][a-z-]*) \| (.+) \|$", section, re.MULTILINE):
        columns: list[str] = []
        for told in re.sub(r" \(JSON[^)]*\)", "", listed).split(", "):
            date = re.fullmatch(r"\(E (\w+)\)", told)
            if date:
                columns += [date[1], f"{date[1]}_earliest", f"{date[1]}_latest"]
            else:
                columns += side if told == "the same with 2" else [told]
        found[name.replace("-", "_")] = columns
    del found["list"]
    return found


def test_the_documented_columns_are_those_of_the_files() -> None:
    assert told_columns() == {name: [each.name for each in columns] for name, columns in flat.FLAT.items()}


def test_the_documented_formats_and_media_types_are_those_there_are() -> None:
    text = DOCS.read_text()
    for each in exporting.FORMATS.values():
        assert f"`.{each.name}` | `{each.media_type}`" in text
        assert all(f"`{alias}`" in text for alias in each.aliases if "ndjson" in alias or "jsonl" in alias)


def test_the_documented_way_back_from_a_safe_cell_works() -> None:
    pattern = re.search(r're\.sub\(r"(.+?)", r"(.+?)", cell\)', DOCS.read_text())
    assert pattern is not None
    for text in FORMULAS:
        assert re.sub(pattern[1], pattern[2], csv_tables.safe(text)) == text


def test_parquet_takes_more_memory_only_where_little_is_not_enough(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    little = exported(database, "partnerships", "parquet")
    tried: list[str] = []
    copy = parquet.Parquet._copy

    def scarce(self: parquet.Parquet, rows: Path, target: Path, limit: str) -> None:
        tried.append(limit)
        if len(tried) == 1:
            raise duckdb.OutOfMemoryException
        copy(self, rows, target, limit)

    monkeypatch.setattr(parquet.Parquet, "_copy", scarce)
    assert exported(database, "partnerships", "parquet") == little
    assert tried == list(parquet.MEMORY)
