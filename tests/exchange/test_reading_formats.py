"""A file is what its content says: format, encoding and delimiter; and its rows come out the same from each."""

from __future__ import annotations

import codecs
import csv
import datetime
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from app.exchange.reading import Opened, Row, UnreadableFile, open_rows, partnership_row

HEADER = ["city1", "country1", "lat1", "lng1", "city2", "country2", "lat2", "lng2", "year"]
ROWS = [
    ["Zürich", "Switzerland", "47.3744", "8.5411", "Kunming", "China", "25.0433", "102.7061", "1982"],
    ["Münster", "Germany", "51.9625", "7.6256", "Orléans", "France", "47.9025", "1.909", "1960"],
    ['Saint "X"', "A, B", "1.5", "-2.5", "Line\nbreak", "C;D|E", "3.25", "-4.75", "197X"],
]
CELLS = [
    dict(
        zip(["city1", "country1", "lat1", "lng1", "city2", "country2", "lat2", "lng2", "established"], row, strict=True)
    )
    for row in ROWS
]


def table(delimiter: str = ",", ends: str = "\n", rows: list[list[str]] = ROWS) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=ends).writerows([HEADER, *rows])
    return out.getvalue()


def written(folder: Path, data: bytes | str, name: str = "file.dat") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read(path: Path, **options: Any) -> tuple[Opened, list[Row]]:
    opened = open_rows(path, **options)
    rows = list(opened.rows())
    assert rows == list(opened.rows()), "reading twice gives the same"
    return opened, rows


# ── Delimited ──


@pytest.mark.parametrize(("delimiter", "format"), [(",", "csv"), (";", "csv"), ("\t", "tsv"), ("|", "csv")])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_every_delimiter_is_recognised_by_the_content(tmp_path: Path, delimiter: str, format: str, ends: str) -> None:
    data = table(delimiter, ends)
    opened, rows = read(written(tmp_path, data, "wrong.json"))
    assert (opened.format, opened.delimiter, opened.encoding) == (format, delimiter, "utf-8")
    assert [row.cells for row in rows] == CELLS
    assert [(row.number, row.line) for row in rows] == [(1, 2), (2, 3), (3, 4)]
    assert (opened.size, opened.position) == (len(data.encode()),) * 2
    assert opened.sha256 == hashlib.sha256(data.encode()).hexdigest()


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32"), ("latin-1", "latin-1"), ("cp1252", "latin-1"),
    ],
)  # fmt: skip
def test_every_encoding_is_recognised_by_the_content(tmp_path: Path, encoding: str, found: str) -> None:
    opened, rows = read(written(tmp_path, table().encode(encoding)))
    assert (opened.encoding, [row.cells for row in rows]) == (found, CELLS)
    assert ("not UTF-8" in "".join(opened.remarks)) == (found == "latin-1")


def test_windows_text_is_told_from_latin_1_by_its_own_signs(tmp_path: Path) -> None:
    data = "city1;city2\nL’Haÿ-les-Roses;Bœuf\n".encode("cp1252")
    opened, rows = read(written(tmp_path, data))
    assert opened.encoding == "windows-1252"
    assert rows[0].cells == {"city1": "L’Haÿ-les-Roses", "city2": "Bœuf"}


def test_an_encoding_can_be_given(tmp_path: Path) -> None:
    path = written(tmp_path, "city1;city2\nМосква;東京\n")
    assert open_rows(path, encoding="utf-8").encoding == "utf-8"
    path = written(tmp_path, "city1;city2\nМосква;Киев\n".encode("cp1251"))
    assert next(open_rows(path, encoding="windows-1251").rows()).cells["city1"] == "Москва"


def test_a_mark_of_byte_order_is_no_part_of_the_first_header(tmp_path: Path) -> None:
    opened, _ = read(written(tmp_path, codecs.BOM_UTF8 + b'"city1",city2\na,b\n'))
    assert opened.columns == {"city1": "city1", "city2": "city2"}


def test_line_ends_of_old_macintoshes_are_understood(tmp_path: Path) -> None:
    _, rows = read(written(tmp_path, "city1,city2\rParis,Rome\rOslo,Bonn\r"))
    assert [list(row.cells.values()) for row in rows] == [["Paris", "Rome"], ["Oslo", "Bonn"]]


def test_the_line_that_tells_excel_the_delimiter_is_followed(tmp_path: Path) -> None:
    opened, rows = read(written(tmp_path, "sep=|\ncity1|city2\nParis|Rome, the city\n"))
    assert opened.delimiter == "|"
    assert (rows[0].line, rows[0].cells["city2"]) == (3, "Rome, the city")


def test_decimal_commas_do_not_mislead_the_search_for_the_delimiter(tmp_path: Path) -> None:
    data = "city1;lat1;lng1;city2;lat2;lng2\n" + "Paris;48,8566;2,3522;Rome;41,89;12,49\n" * 30
    opened, rows = read(written(tmp_path, data))
    assert opened.delimiter == ";"
    place = partnership_row(rows[0]).places[1]
    assert (place.latitude, place.longitude) == (41.89, 12.49)


def test_commas_inside_cells_do_not_mislead_it_either(tmp_path: Path) -> None:
    data = "city1\tcity2\tnote\n" + "Paris, France\tRome, Italy\ta, b, c, d\n" * 3
    opened, _ = read(written(tmp_path, data))
    assert opened.delimiter == "\t"


def test_a_table_of_one_column_has_no_delimiter_and_is_read(tmp_path: Path) -> None:
    opened, rows = read(written(tmp_path, "name\nParis\nRome\n"))
    assert (opened.noun, [row.cells["name"] for row in rows]) == ("cities", ["Paris", "Rome"])


def test_blank_rows_are_no_rows_but_keep_their_lines(tmp_path: Path) -> None:
    _, rows = read(written(tmp_path, "\n\ncity1,city2\n\nParis,Rome\n,\n  , \nOslo,Bonn\n\n"))
    assert [(row.number, row.line) for row in rows] == [(1, 5), (2, 8)]


def test_a_cell_over_several_lines_keeps_its_line_breaks_and_the_lines_are_counted(tmp_path: Path) -> None:
    _, rows = read(written(tmp_path, 'city1,city2,note\nA,B,"one\ntwo\nthree"\nC,D,x\n'))
    assert rows[0].cells["note"] == "one\ntwo\nthree"
    assert [row.line for row in rows] == [2, 5]


def test_the_last_row_of_our_own_flat_table_is_no_row(tmp_path: Path) -> None:
    _, rows = read(written(tmp_path, "id,city1,city2\n1,Paris,Rome\n#end,1,abc\n"))
    assert len(rows) == 1


def test_given_columns_and_values_for_every_row(tmp_path: Path) -> None:
    path = written(tmp_path, "Partner;Land;Foo\nNancy;Frankreich;1965\n")
    opened, rows = read(path, columns={"city1": "=Karlsruhe", "country1": "=Germany", "established": "foo"})
    assert opened.columns == {
        "city2": "Partner", "country2": "Land", "established": "Foo", "city1": "=Karlsruhe", "country1": "=Germany",
    }  # fmt: skip
    assert partnership_row(rows[0]).places[0].name == "Karlsruhe"


def test_unknown_columns_are_passed_over_and_listed(tmp_path: Path) -> None:
    opened, rows = read(written(tmp_path, "foo,city1,bar,city2,Contry2\n1,Paris,2,Rome,Italy\n"))
    assert (opened.ignored, opened.suggestions) == (["foo", "bar", "Contry2"], {"Contry2": "country2"})
    assert rows[0].cells == {"city1": "Paris", "city2": "Rome"}


def test_the_apostrophe_of_our_own_export_is_taken_off_once(tmp_path: Path) -> None:
    cells = ["'=1+1", "''=1+1", "'s-Hertogenbosch", "=1+1", "'-5", "'@x", "'+49"]
    data = "city1,city2,note\n" + "".join(f"A,B,{cell}\n" for cell in cells)
    _, rows = read(written(tmp_path, data))
    assert [row.cells["note"] for row in rows] == ["=1+1", "'=1+1", "'s-Hertogenbosch", "=1+1", "-5", "@x", "+49"]


def test_formulas_are_text_and_nothing_else(tmp_path: Path) -> None:
    evil = '=HYPERLINK("http://x.invalid?"&A1)'
    data = f'city1,city2,note\nA,B,"{evil.replace(chr(34), chr(34) * 2)}"\n'
    _, rows = read(written(tmp_path, data))
    assert partnership_row(rows[0]).note == evil


# ── JSON ──

OBJECTS = [dict(zip(HEADER, row, strict=True)) for row in ROWS]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("wrap", [None, "items", "data", "partnerships"])
def test_a_list_of_objects_is_read_alone_or_in_an_object(tmp_path: Path, indent: int | None, wrap: str | None) -> None:
    document: Any = {"total": None, wrap: OBJECTS, "next": None} if wrap else OBJECTS
    opened, rows = read(written(tmp_path, json.dumps(document, indent=indent), "x.csv"))
    assert (opened.format, opened.noun) == ("json", "partnerships")
    assert [row.cells for row in rows] == CELLS
    assert [(row.number, row.line) for row in rows] == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("wrap", [False, True])
def test_a_list_is_whole_wherever_the_pieces_of_the_file_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indent: int | None, wrap: bool
) -> None:
    objects = [{"city1": f"Tøwn {number}", "city2": "x" * (number % 90), "lat1": number * 1000} for number in range(60)]
    path = written(tmp_path, json.dumps({"items": objects} if wrap else objects, indent=indent, ensure_ascii=False))
    expected = [each["city1"] for each in objects]
    for size in (1, 2, 3, 7, 64, 1000):
        monkeypatch.setattr("app.exchange.formats.files.PIECE", size)
        monkeypatch.setattr("app.exchange.formats.json_documents.PIECE", size)
        rows = list(open_rows(path, format="json").rows())
        assert [row.cells["city1"] for row in rows] == expected
        assert [row.cells["lat1"] for row in rows] == [str(number * 1000) for number in range(60)]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_table_is_whole_wherever_the_pieces_of_the_file_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, encoding: str
) -> None:
    monkeypatch.setattr("app.exchange.formats.files.PIECE", size)
    path = written(tmp_path, table(ends="\r\n", rows=ROWS * 3).encode(encoding))
    _, rows = read(path, encoding=encoding, format="csv")
    assert [row.cells for row in rows] == CELLS * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_object_a_line_is_read(tmp_path: Path, encoding: str) -> None:
    data = "\n".join(json.dumps(each, ensure_ascii=False) for each in OBJECTS)
    opened, rows = read(written(tmp_path, data.encode(encoding)))
    assert opened.format == "ndjson"
    assert [row.cells for row in rows] == CELLS


def test_a_single_object_is_a_row(tmp_path: Path) -> None:
    for indent in (None, 1):
        _, rows = read(written(tmp_path, json.dumps(OBJECTS[0], indent=indent)))
        assert [row.cells for row in rows] == CELLS[:1]


def test_numbers_stay_as_they_are_written(tmp_path: Path) -> None:
    _, rows = read(written(tmp_path, '[{"city1":"A","city2":"B","lat1":1.10,"lng1":-0.50,"year":1973,"note":true}]'))
    assert rows[0].cells == {
        "city1": "A", "city2": "B", "lat1": "1.10", "lng1": "-0.50", "established": "1973", "note": "true",
    }  # fmt: skip


def test_an_answer_of_our_api_is_read_by_its_nesting(tmp_path: Path) -> None:
    member = {"id": 9, "status": "active", "joined": "1973", "left": None}
    paris = {"id": 35, "name": "Paris", "country": "FR", "subdivision": None, "latitude": 48.85, "longitude": 2.35}
    item = {
        "id": 3, "kind": "partner_city", "designation": "Friendship", "title": None, "status": "active",
        "established": "1973-11", "ended": None,
        "members": [member | {"city": paris}, member | {"city": paris | {"id": 36, "name": "Rome", "country": "IT"}}],
        "distance_km": 1105.2, "programs_count": 0, "conflicts_count": 0,
    }  # fmt: skip
    opened, rows = read(written(tmp_path, json.dumps({"items": [item], "next": "/v1/partnerships?x", "total": None})))
    row = partnership_row(rows[0])
    assert [(place.name, place.country, place.latitude, place.city) for place in row.places] == [
        ("Paris", "FR", 48.85, 35), ("Rome", "IT", 48.85, 36),
    ]  # fmt: skip
    assert (row.kind, row.designation, row.status) == ("partner_city", "Friendship", "active")
    assert [(event.type, event.date) for event in row.events] == [("signed", "1973-11")]
    assert opened.ignored == []
    assert any("one page of a longer list" in remark for remark in opened.remarks)


def test_cities_of_a_row_may_stand_in_a_list_or_in_objects(tmp_path: Path) -> None:
    for value in (
        {"cities": ["Paris", "Rome", "Oslo"]},
        {"members": [{"name": "Paris"}, {"name": "Rome"}, {"city": "Oslo"}]},
        {"city1": {"name": "Paris"}, "city2": {"name": "Rome"}, "city3": {"name": "Oslo"}},
    ):
        _, rows = read(written(tmp_path, json.dumps([value])))
        assert [place.name for place in partnership_row(rows[0]).places] == ["Paris", "Rome", "Oslo"]


def test_a_key_that_comes_late_is_still_recognised(tmp_path: Path) -> None:
    lines = [{"city1": "A", "city2": "B"}] * 1100 + [{"city1": "A", "city2": "B", "year": 1973, "foo": 1}]
    opened, rows = read(written(tmp_path, "\n".join(map(json.dumps, lines))))
    assert rows[-1].cells["established"] == "1973"
    assert opened.ignored == ["foo"]


def test_lists_of_events_and_identifiers_are_cells(tmp_path: Path) -> None:
    value = {
        "city1": "A", "city2": "B", "identifiers1": ["wikidata:Q90", "geonames:2988507"],
        "events": [{"type": "signed", "date": "1973"}, {"type": "renewed", "date": "ca. 1990", "note": "again"}],
    }  # fmt: skip
    _, rows = read(written(tmp_path, json.dumps(value)))
    row = partnership_row(rows[0])
    assert row.places[0].identifiers == ("wikidata:Q90", "geonames:2988507")
    assert [(event.type, event.date, event.note) for event in row.events] == [
        ("signed", "1973", None), ("renewed", "1990~", "again"),
    ]  # fmt: skip


# ── SPARQL ──

Q = "http://www.wikidata.org/entity/"
BINDINGS = [
    {
        "city": {"type": "uri", "value": f"{Q}Q90"},
        "cityLabel": {"type": "literal", "value": "Paris", "xml:lang": "en"},
        "coord": {
            "type": "literal", "value": "Point(2.35 48.85)", "datatype": "http://www.opengis.net/ont/geosparql#wktLiteral",
        },
        "twin": {"type": "uri", "value": f"{Q}Q220"},
        "twinLabel": {"type": "literal", "value": "Q220", "xml:lang": "en"},
        "twinCountryLabel": {"type": "literal", "value": "Italy"},
        "start": {
            "type": "literal", "value": "1956-01-01T00:00:00Z", "datatype": "http://www.w3.org/2001/XMLSchema#dateTime",
        },
    },
    {"city": {"type": "uri", "value": f"{Q}Q64"}, "twin": {"type": "bnode", "value": "t1"}},
]  # fmt: skip
VARS = ["city", "cityLabel", "coord", "twin", "twinLabel", "twinCountryLabel", "start", "end"]


def check_query_results(opened: Opened, rows: list[Row]) -> None:
    assert (opened.format, opened.noun, opened.ignored) == ("sparql", "partnerships", [])
    assert set(opened.columns) == {
        "wikidata1", "city1", "coordinates1", "wikidata2", "city2", "country2", "established", "ended",
    }  # fmt: skip
    one, other = map(partnership_row, rows)
    paris, rome = one.places
    assert (paris.name, paris.identifiers, paris.latitude, paris.longitude) == ("Paris", ("wikidata:Q90",), 48.85, 2.35)
    # A label that is only the number is none.
    assert (rome.name, rome.identifiers, rome.country) == ("", ("wikidata:Q220",), "Italy")
    assert [event.date for event in one.events] == ["1956"]
    assert any("time stamp" in remark for remark in one.remarks)
    # A blank node says that there is something, not what.
    assert len(other.places) == 1 and [fault.field for fault in other.faults] == ["city2"]


def test_sparql_results_in_json_are_read(tmp_path: Path) -> None:
    document = {"head": {"vars": VARS}, "results": {"bindings": BINDINGS}}
    for indent in (None, 2):
        check_query_results(*read(written(tmp_path, json.dumps(document, indent=indent))))


def test_sparql_results_in_csv_are_read(tmp_path: Path) -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, VARS)
    writer.writeheader()
    writer.writerows({name: term["value"] for name, term in binding.items()} for binding in BINDINGS)
    data = out.getvalue().replace(",t1,", ",_:t1,")
    check_query_results(*read(written(tmp_path, data)))


def test_the_precision_of_a_query_says_how_much_of_a_date_counts(tmp_path: Path) -> None:
    data = "city1,city2,start,startPrecision\n" + "".join(
        f"A,B,1956-01-01T00:00:00Z,{precision}\n" for precision in (11, 10, 9, 8, 7)
    )
    _, rows = read(written(tmp_path, data))
    dates = [partnership_row(row).events[0].date for row in rows]
    assert dates == ["1956-01-01", "1956-01", "1956", "195X", "19XX"]


# ── Workbooks ──


def workbook(folder: Path, rows: list[list[Any]], *, formats: dict[str, str] | None = None, first: Any = None) -> Path:
    book = Workbook()
    if first is not None:
        book.active.append(first)
        book.create_sheet("Table", 1)
    sheet = book.worksheets[-1]
    for row in rows:
        sheet.append(row)
    for cell, form in (formats or {}).items():
        sheet[cell].number_format = form
    path = folder / "book.xlsx"
    book.save(path)
    return path


def test_a_workbook_is_read_as_a_person_sees_it(tmp_path: Path) -> None:
    day = datetime.datetime(1973, 11, 9)  # noqa: DTZ001 (a workbook knows no zones)
    rows = [
        [None, None],
        ["City A", "City B", "Population A", "lat1", "lng1", "signed", "since", "ended", "foo"],
        ["Paris", "Rome", 2100000.0, 48.8566, 2, day, datetime.date(1973, 1, 1), day.replace(2001, 5, 1), True],
        [None] * 9,
        ["Oslo", "Bonn"],
    ]
    path = workbook(tmp_path, rows, formats={"G3": "yyyy", "H3": "mmm yyyy"})
    opened, found = read(path.rename(tmp_path / "book.csv"))
    assert (opened.format, opened.noun, opened.encoding, opened.ignored) == ("xlsx", "partnerships", "", ["foo"])
    assert [(row.number, row.line) for row in found] == [(1, 3), (2, 5)]
    assert found[0].cells == {
        "city1": "Paris", "city2": "Rome", "population1": "2100000", "lat1": "48.8566", "lng1": "2",
        "signed": "1973-11-09", "established": "1973", "ended": "2001-05",
    }  # fmt: skip
    row = partnership_row(found[0])
    assert (row.faults, row.places[0].population) == ((), 2100000)
    assert [(event.type, event.date) for event in row.events] == [("signed", "1973-11-09"), ("ended", "2001-05")]


def test_of_several_sheets_the_one_with_known_columns_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["city1", "city2"], ["Paris", "Rome"]], first=["Sister cities of the world"])
    opened, rows = read(path)
    assert rows[0].cells == {"city1": "Paris", "city2": "Rome"}
    assert any("Of 2 sheets, 'Table' was read" in remark for remark in opened.remarks)


def test_a_sheet_of_thousands_of_rows_streams(tmp_path: Path) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("x")
    sheet.append(["city1", "city2", "year"])
    for number in range(3000):
        sheet.append([f"Town {number}", "Rome", number])
    path = tmp_path / "big.xlsx"
    book.save(path)
    opened, rows = read(path)
    assert (len(rows), rows[-1].cells["city1"], rows[-1].cells["established"]) == (3000, "Town 2999", "2999")
    assert 0 < opened.position <= opened.size


# ── Our own export ──


def test_our_own_export_is_recognised_and_left_to_its_reader(tmp_path: Path) -> None:
    line = {"id": 1, "name": "Paris", "content": {"name": "Paris"}}
    assert open_rows(written(tmp_path, json.dumps(line) + "\n")).format == "own"
    # Of an empty registry there is only the line that vouches for the others.
    assert open_rows(written(tmp_path, '{"noun":"cities","count":0,"sha256":"e3b0"}\n')).format == "own"
    for indent in (None, 1):
        with pytest.raises(UnreadableFile, match="comes back whole"):
            open_rows(written(tmp_path, json.dumps({"items": [line], "count": 1}, indent=indent)))
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "partnerships.csv").write_text("id,kind\n")
    (folder / "members.csv").write_text("id\n")
    assert open_rows(folder).format == "own"
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("partnerships.csv", "id,kind\n")
    opened = open_rows(tmp_path / "export.zip")
    assert (opened.format, opened.noun, list(opened.rows())) == ("own", "", [])
