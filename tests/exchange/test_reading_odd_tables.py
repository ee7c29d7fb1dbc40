"""Tables as people and programs hand them over: titles above the header, edge lists, query results, no table at all."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from app.exchange.columns import recognise
from app.exchange.reading import Opened, Row, UnreadableFile, open_rows, partnership_row

ITEM = "http://www.wikidata.org/entity/Q"
HEADER = ["City", "Country", "Partner city", "Partner country", "Since"]
PARIS = ["Paris", "France", "Rome", "Italy", "1956"]


def read(path: Path, data: bytes | str, **options: Any) -> tuple[Opened, list[Row]]:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    opened = open_rows(path, **options)
    return opened, list(opened.rows())


def refusal(path: Path, data: bytes | str, **options: Any) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read(path, data, **options)
    return caught.value.message


# ── Above the header ──


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("above", "line", "shown"),
    [
        (["Our sister cities"], 2, "Our sister cities"),
        (["Our sister cities", ""], 3, "Our sister cities"),
        (["Sister cities, friends and partners", "", "Date: 2020", ""], 5, "Sister cities, friends and partners"),
        (['"A title', 'over two lines"'], 3, "A title over two lines"),
        (["", "Note: not whole", ";;;;"], 4, "Note: not whole"),
    ],
)
def test_a_title_above_the_header_of_a_table_of_text_is_passed_over(
    tmp_path: Path, delimiter: str, above: list[str], line: int, shown: str
) -> None:
    lines = [*above, delimiter.join(HEADER), delimiter.join(PARIS), delimiter.join(PARIS)]
    opened, rows = read(tmp_path / "file.csv", "\n".join(lines) + "\n")
    assert [(row.number, row.line) for row in rows] == [(1, line + 1), (2, line + 2)]
    assert rows[0].cells["city2"] == "Rome" and not rows[0].faults
    remark = f"The header was found in line {line}. What stands above it was passed over: “{shown}”."
    assert opened.remarks == [remark.replace(",", "") if delimiter == "," and "friends" in shown else remark]


def workbook(path: Path, rows: list[list[str | None]]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(path)
    return path


def test_a_title_above_the_header_of_a_sheet_is_passed_over(tmp_path: Path) -> None:
    title: list[str | None] = ["Sister cities of the county", None, None, "As of 2020"]
    opened = open_rows(workbook(tmp_path / "book.xlsx", [title, [None], [*HEADER], [*PARIS]]))
    (row,) = opened.rows()
    assert (row.number, row.line, row.cells["city2"]) == (1, 4, "Rome")
    (remark,) = opened.remarks
    assert "in row 3" in remark and "“Sister cities of the county As of 2020”" in remark


def test_given_columns_tell_the_header_too(tmp_path: Path) -> None:
    data = "Liste\nHier,Dort\nParis,Rome\n"
    opened, rows = read(tmp_path / "file.csv", data, columns={"city1": "Hier", "city2": "Dort"})
    assert (rows[0].line, rows[0].cells) == (3, {"city1": "Paris", "city2": "Rome"})
    assert "line 2" in opened.remarks[0]


def test_the_first_row_is_the_header_where_no_row_is_better_known(tmp_path: Path) -> None:
    said = refusal(tmp_path / "file.csv", "Foo,Bar\n1,2\n3,4\n")
    assert "Found: Foo, Bar." in said and "the first row must be the header" in said
    far = "Liste\n" + "7,8\n" * 10 + ",".join(HEADER) + "\n" + ",".join(PARIS) + "\n"
    assert "Found: Liste." in refusal(tmp_path / "far.csv", far)
    opened, rows = read(tmp_path / "file.csv", "name,foo\nCity,Other\n", noun="cities")
    assert (len(rows), rows[0].cells["name"], opened.remarks) == (1, "City", [])


# ── Edge lists ──


@pytest.mark.parametrize(
    ("headers", "names"),
    [
        ("Source,Target", "city1,city2"),
        ("Source,Target,Type,Id,Label,timeset,Weight", "city1,city2,kind"),
        ("source,target,source_country,target_country,year", "city1,city2,country1,country2,established"),
        ("target,sourceLat,sourceLng,source,Target Lat,Target Lng", "city2,lat1,lng1,city1,lat2,lng2"),
        ("source,sourceLabel,target,targetLabel", "wikidata1,city1,wikidata2,city2"),
        ("source_city,target_city,Reference", "city1,city2,source"),
        ("city1,city2,source,source_url", "city1,city2,source,source_url"),
        ("city1,city2,source,target of it", "city1,city2,source"),
    ],
)
def test_source_and_target_are_two_cities(headers: str, names: str) -> None:
    found = recognise(headers.split(","))
    assert (found.noun, ",".join(found.columns)) == ("partnerships", names)


@pytest.mark.parametrize("headers", ["source,target,url", "source,target,source title", "source", "source,year"])
def test_a_bare_source_makes_no_file_of_sources(headers: str) -> None:
    with pytest.raises(UnreadableFile, match="do not say enough for partnerships"):
        recognise(headers.split(","))


def test_sources_with_a_title_or_an_address_are_sources_and_so_is_what_is_called_so() -> None:
    assert recognise(["source", "url", "year"]).noun == "sources"
    assert recognise(["title", "year"], noun="sources").noun == "sources"
    assert recognise(["source"], noun="sources").columns == {"title": "source"}


def test_the_type_of_an_edge_is_no_kind_of_partnership(tmp_path: Path) -> None:
    _, rows = read(tmp_path / "edges.csv", "Source,Target,Type\nParis,Rome,Undirected\nBonn,Oxford,Sister city\n")
    read_rows = [partnership_row(row) for row in rows]
    assert [(each.kind, each.faults) for each in read_rows] == [(None, ()), ("sister_city", ())]
    assert [place.name for place in read_rows[0].places] == ["Paris", "Rome"]


# ── A country behind both cities ──


def bindings(*names: str) -> str:
    row = {name: {"type": "uri", "value": f"{ITEM}{number}"} for number, name in enumerate(names, start=1)}
    row["country"] = {"type": "literal", "value": "France"}
    return json.dumps({"head": {"vars": [*names, "country"]}, "results": {"bindings": [row]}})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("query.json", bindings("item", "twin")),
        ("query.csv", f"item,twin,country\n{ITEM}90,{ITEM}220,France\n"),
        ("plain.csv", "item,twin,country\nQ90,Q220,France\n"),
        ("plain.csv", "item,itemLabel,twin,twinLabel,countryLabel\nQ90,Paris,Q220,Rome,France\n"),
        ("named.csv", "City,QID,Twin,Twin QID,Country\nParis,Q90,Rome,Q220,France\n"),
        ("simple.json", json.dumps([{"item": f"{ITEM}90", "twin": f"{ITEM}220", "country": "France"}])),
    ],
)
def test_a_lone_country_behind_two_items_is_the_first_ones(tmp_path: Path, name: str, data: str) -> None:
    opened, rows = read(tmp_path / name, data)
    one, other = partnership_row(rows[0]).places
    assert (one.country, other.country) == ("France", "")
    (remark,) = opened.remarks
    assert "was taken for the first one's" in remark
    assert f"--column country2={opened.columns['country1']}" in remark


def test_a_lone_country_behind_two_names_stays_the_second_ones_and_it_is_said(tmp_path: Path) -> None:
    opened, rows = read(tmp_path / "file.csv", "City,Partner,Country\nParis,Rome,Italy\n")
    assert rows[0].cells == {"city1": "Paris", "city2": "Rome", "country2": "Italy"}
    assert opened.remarks == [
        "Country, which stands behind both cities, was taken for the second one's: give it if it is the other one's"
        " (--column country1=Country; `columns` in the API)."
    ]


@pytest.mark.parametrize(
    "headers", ["City,Country,Partner,Country", "City,Partner,Country,Country", "City,Partner,Country,Partner country"]
)
def test_nothing_is_said_of_a_country_of_which_the_place_tells(headers: str) -> None:
    assert recognise(headers.split(",")).remarks == []
    assert recognise(headers.split(","), queried=True).columns == recognise(headers.split(",")).columns


def test_a_given_country_is_not_decided_again(tmp_path: Path) -> None:
    data = f"item,twin,country\n{ITEM}90,{ITEM}220,Italy\n"
    opened, rows = read(tmp_path / "query.csv", data, columns={"country2": "country"})
    assert (rows[0].cells["country2"], opened.remarks) == ("Italy", [])


# ── A status that is not known ──


@pytest.mark.parametrize("column", ["established", "ended", "events"])
def test_a_status_that_nobody_knows_does_not_refuse_a_date(column: str) -> None:
    date = "signed 1973" if column == "events" else "1973"
    row = partnership_row(Row(1, 2, {"city1": "A", "city2": "B", column: date, "status": "unknown"}))
    assert not row.faults and row.status is None
    assert [event.date for event in row.events] == ["1973"]
    (remark,) = row.remarks
    assert remark.startswith("status: The row calls it unknown; its dates (") and "1973" in remark
    alone = partnership_row(Row(1, 2, {"city1": "A", "city2": "B", "status": "unknown"}))
    assert (alone.status, alone.events, alone.remarks) == ("unknown", (), ())


# ── No table ──


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("[1,2,3]", "JSON without a row. This is a text or a number, no object"),
        ("[ -1.5 ]\n", "JSON without a row. This is a text or a number, no object"),
        ('["Paris", "Rome"]', "JSON without a row. This is a text or a number, no object"),
        ("[null]", "JSON without a row. This is null, no object"),
        ("[true, false]", "JSON without a row. This is true or false, no object"),
        ("[[1], [2]]", "JSON without a row. This is a list, no object"),
        ('"x"', "nothing but a text or a number"),
        (" 42\n", "nothing but a text or a number"),
        ("null", "nothing but null"),
        ("\ufefftrue", "nothing but true or false"),
    ],
)
def test_json_that_is_no_list_of_objects_is_said_to_be_that(tmp_path: Path, data: str, said: str) -> None:
    message = refusal(tmp_path / "file.json", data)
    assert said in message and '{"city1": "Paris"' in message
    assert said in refusal(tmp_path / "file.json", data, format="json")


def test_a_long_list_of_numbers_is_json_too(tmp_path: Path) -> None:
    assert "JSON without a row" in refusal(tmp_path / "file.json", json.dumps(list(range(100_000))))
    _, rows = read(tmp_path / "file.csv", "[city1],[city2]\nParis,Rome\n", columns={"city1": "[city1]"})
    assert rows[0].cells["city2"] == "Rome"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"GIF89a\x01\0\x01\0", "a picture"),
        (b"\x7fELF\x02\x01\x01", "a program"),
        (b"\x80\x04\x95\x10\0\0\0", "a pickle"),
        (b"\0", "no text but 1 bytes"),
        (b"\0\x01\x02\x03", "no text but 4 bytes"),
        (b"\x01\xff\x02", "no text but 3 bytes"),
        (b"\0" * 1000, "no text but 1,000 bytes"),
        (b"\xff\xfe\x01\0\x02\0\x03", "no text but 7 bytes"),
        (b"\x89\xfe\xff\xab", "no table but 4 bytes without a line end"),
        (random.Random(7).randbytes(5000), "no text but 5,000 bytes"),
    ],
)
def test_binary_files_are_said_to_be_no_text(tmp_path: Path, data: bytes, said: str) -> None:
    message = refusal(tmp_path / "file.csv", data)
    assert said in message and "Give the table as CSV" in message
