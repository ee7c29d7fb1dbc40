"""What bad files get: a refusal that says what the file is and what to do, or a fault on the row it is in."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.cell.cell import Cell

from app.errors import RegistryError
from app.exchange.formats import workbook
from app.exchange.formats.files import LONGEST_LINE
from app.exchange.reading import Row, UnreadableFile, open_rows, partnership_row

HEADER = "city1,country1,city2,country2\n"
GOOD = "Paris,France,Rome,Italy\n"


def written(folder: Path, data: bytes | str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def rows_of(path: Path, **options: Any) -> list[Row]:
    return list(open_rows(path, **options).rows())


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(UnreadableFile) as caught:
        rows_of(path, **options)
    assert isinstance(caught.value, RegistryError)
    assert caught.value.message.endswith((".", "!"))
    return caught.value.message


def one_fault(row: Row) -> tuple[str, str]:
    (fault,) = row.faults
    assert fault.reason.endswith(".")
    return fault.field, fault.reason


# ── Nothing in it ──


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\n  \n", b"\xff\xfe", b",,,\n,,\n"])
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, data: bytes) -> None:
    assert "The file is empty" in refusal(written(tmp_path, data))


@pytest.mark.parametrize("data", [HEADER, HEADER.strip(), HEADER + "\n\n,,,\n , ,,\n"])
def test_only_a_header_is_said_to_be_that(tmp_path: Path, data: str) -> None:
    assert "a header and no row" in refusal(written(tmp_path, data))


@pytest.mark.parametrize("data", ["[]", '{"items": []}', "{}", '{"head": {"vars": []}, "results": {"bindings": []}}'])
def test_json_without_a_row_is_said_to_be_that(tmp_path: Path, data: str) -> None:
    assert "without a row" in refusal(written(tmp_path, data))


def test_a_header_nobody_knows_names_what_was_found_and_how_to_give_columns(tmp_path: Path) -> None:
    said = refusal(written(tmp_path, "Foo;Bar;Citty2\n1;2;3\n"))
    assert "Foo, Bar, Citty2" in said and "--column" in said and "Citty2 may be city2" in said


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.csv")


# ── Rows with faults: the others go on ──


def test_a_ragged_row_is_a_fault_and_the_others_go_on(tmp_path: Path) -> None:
    data = HEADER + GOOD + "Paris,France,Rome\n" + "Berlin, the capital,Germany,Oslo,Norway\n" + GOOD + "A,B,C,D,,\n"
    rows = rows_of(written(tmp_path, data))
    assert [len(row.faults) for row in rows] == [0, 1, 1, 0, 0]
    assert "3 cells where the header has 4" in one_fault(rows[1])[1]
    assert "5 cells where the header has 4" in one_fault(rows[2])[1]
    assert (rows[2].number, rows[2].line) == (3, 4)
    assert partnership_row(rows[2]).faults[0].reason == rows[2].faults[0].reason


def test_a_quotation_mark_too_many_costs_its_own_row_alone(tmp_path: Path) -> None:
    data = HEADER + GOOD + '"Paris,France,Rome,Italy\n' + GOOD * 3
    rows = rows_of(written(tmp_path, data))
    assert [len(row.faults) for row in rows] == [0, 1, 0, 0, 0]
    assert [row.line for row in rows] == [2, 3, 4, 5, 6]
    assert "none closes it" in one_fault(rows[1])[1]
    assert rows[1].cells["city1"] == "Paris"


def test_a_quotation_mark_that_would_swallow_a_whole_file_does_not(tmp_path: Path) -> None:
    data = HEADER + '"Paris,France,Rome,Italy\n' + GOOD * 20_000
    opened = open_rows(written(tmp_path, data))
    faulty = [row.line for row in opened.rows() if row.faults]
    assert faulty == [2]
    assert sum(1 for _ in opened.rows()) == 20_001


def test_a_stray_quotation_mark_inside_a_cell_is_a_fault(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, HEADER + '"St." John,Canada,Rome,Italy\n' + GOOD))
    assert "must be doubled" in one_fault(rows[0])[1]
    assert not rows[1].faults


def test_a_row_over_several_lines_by_mistake_is_told_with_its_lines(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, HEADER + 'Paris,France,"Rome,Italy\nOslo,Norway,Bonn",Germany,x\n' + GOOD))
    assert "lines 2 to 3" in one_fault(rows[0])[1]
    assert rows[1].line == 4


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_nul_is_a_fault_of_its_cell(tmp_path: Path, encoding: str) -> None:
    data = HEADER + GOOD + "Paris,France,Ro\0me,Italy\n" + GOOD
    rows = rows_of(written(tmp_path, data.encode(encoding)))
    assert [len(row.faults) for row in rows] == [0, 1, 0]
    assert one_fault(rows[1]) == ("city2", "This cell holds a NUL character (U+0000). Remove it.")


def test_a_nul_or_half_a_surrogate_pair_in_json_is_a_fault_of_its_field(tmp_path: Path) -> None:
    for bad in ("\\u0000", "\\ud800"):
        data = '{"City A": "Paris' + bad + '", "City B": "Rome"}\n{"City A": "Paris", "City B": "Rome"}\n'
        rows = rows_of(written(tmp_path, data))
        assert one_fault(rows[0])[0] == "city1"
        assert not rows[1].faults


# ── Encodings ──


def test_half_utf8_is_a_fault_of_the_rows_that_are_not(tmp_path: Path) -> None:
    data = HEADER.encode() + "Zürich,,Münster,\n".encode() * 3 + "Zürich,,Bonn,\n".encode("latin-1") * 2 + GOOD.encode()
    opened = open_rows(written(tmp_path, data))
    rows = list(opened.rows())
    assert opened.encoding == "utf-8" and "not UTF-8" in opened.remarks[0]
    assert [len(row.faults) for row in rows] == [0, 0, 0, 1, 1, 0]
    assert one_fault(rows[3])[0] == "city1" and "UTF-8" in one_fault(rows[3])[1]


@pytest.mark.parametrize(
    ("encoding", "name"), [("cp1251", "Москва"), ("shift_jis", "京都市"), ("cp1250", "Łódź, Wrocław, Żory")]
)
def test_other_encodings_are_refused_and_never_guessed(tmp_path: Path, encoding: str, name: str) -> None:
    data = f"city1;city2\n{name};{name}\n" * 5
    said = refusal(written(tmp_path, data.encode(encoding)))
    assert "neither UTF-8 nor UTF-16 nor Latin-1" in said and "Save the file as UTF-8" in said
    assert "--encoding" in said


def test_broken_utf16_is_refused(tmp_path: Path) -> None:
    said = refusal(written(tmp_path, (HEADER + GOOD).encode("utf-16") + b"\x00\xd8\x41"))
    assert "UTF-16" in said


def test_an_encoding_that_does_not_exist_or_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, (HEADER + "Zürich,,Bonn,\n").encode("latin-1"))
    assert "no such encoding" in refusal(path, encoding="utf-99")
    assert "not UTF-8 all through" in refusal(path, encoding="utf-8")


# ── Without end ──


@pytest.mark.parametrize(
    ("name", "beginning", "filler", "end"),
    [
        ("one-line.csv", HEADER + GOOD, "x" * 1000, "\n"),
        ("quoted.csv", HEADER + GOOD + '"', "x" * 1000, '",B,C,D\n'),
        ("header.csv", "", "city," * 200, "\n"),
        ("line.ndjson", '{"city1": "A", "city2": "B"}\n{"city1": "', "x" * 1000, '"}\n'),
        ("list.json", '[{"city1": "A", "city2": "B"},\n{"city1": "', "x" * 1000, '"}]'),
        ("nested.json", "[", "[" * 1000, "]"),
        ("numbers.json", '{"items": [{"city1": ', "1" * 1000, "}]}"),
    ],
)
def test_a_line_of_50_megabytes_is_refused_in_constant_memory(
    tmp_path: Path, name: str, beginning: str, filler: str, end: str
) -> None:
    path = tmp_path / name
    with path.open("w") as file:
        file.write(beginning)
        for _ in range(50):
            file.write(filler * 1000)
        file.write(end)
    tracemalloc.start()
    try:
        said = refusal(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30_000_000
    assert f"longer than {LONGEST_LINE:,} characters" in said or "no JSON" in said or "nested too deeply" in said


def test_a_long_line_of_nulls_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "zeros.csv"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    assert refusal(path)


# ── JSON ──


@pytest.mark.parametrize(
    "data",
    [
        json.dumps([{"city1": "A", "city2": "B"}] * 50),
        json.dumps({"items": [{"city1": "A", "city2": "B"}] * 50, "next": None}, indent=1),
    ],
)
def test_json_that_ends_in_the_middle_is_refused_wherever_it_ends(tmp_path: Path, data: str) -> None:
    for cut in range(1, len(data) - 1, 7):
        said = refusal(written(tmp_path, data[:cut]))
        assert "middle" in said or "no JSON" in said or "without a row" in said
    assert "at row 26" in refusal(written(tmp_path, data[: len(data) // 2]))


def test_an_ndjson_file_that_ends_in_the_middle_has_a_fault_in_its_last_row(tmp_path: Path) -> None:
    line = '{"city1": "A", "city2": "B"}\n'
    rows = rows_of(written(tmp_path, line * 3 + line[:15]))
    assert [len(row.faults) for row in rows] == [0, 0, 0, 1]
    assert "cut off" in one_fault(rows[3])[1]
    rows = rows_of(written(tmp_path, line[:15] + "\n" + line * 3))
    assert [len(row.faults) for row in rows] == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('[{"city1": "A", "city2": "B"}, {"city1": NaN}]', "NaN"),
        ('[{"city1": "A", "city2": "B"} {"city1": "C"}]', "no JSON"),
        ('[{"city1": "A", "city2": "B"}] x', "no JSON"),
        ('[{"city1": "A", "city2": "B"}, {"city1" "A"}, {"city1": "A", "city2": "B"}, {}]', "no JSON"),
        ('[{"city1": "A", "city2": "B"},' + '{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_json_that_is_none_says_where(tmp_path: Path, data: str, said: str) -> None:
    assert said in refusal(written(tmp_path, data))


def test_elements_that_are_no_objects_are_faults(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, '[{"city1": "A", "city2": "B"}, 5, "x", null, ["a"]]'))
    assert [len(row.faults) for row in rows] == [0, 1, 1, 1, 1]
    rows = rows_of(written(tmp_path, '{"city1": "A", "city2": "B"}\n5\n{"city1": "A", "city2": "B"}'))
    assert [len(row.faults) for row in rows] == [0, 1, 0]
    deep = '{"city1": "A", "city2": "B", "x": ' + '{"y": ' * 20 + "1" + "}" * 20 + "}"
    rows = rows_of(written(tmp_path, '{"city1": "A", "city2": "B"}\n' + deep))
    assert "nested too deeply" in one_fault(rows[1])[1]


def test_a_key_that_stands_twice_in_an_object_is_a_fault_of_its_row(tmp_path: Path) -> None:
    twice = '{"city1": "A", "city2": "B", "city1": "C"}'
    inside = '{"city1": {"name": "A", "name": "C"}, "city2": "B"}'
    for text in (f"{twice}\n{inside}\n", f"[{twice}, {inside}]"):
        rows = rows_of(written(tmp_path, text))
        assert [one_fault(row) for row in rows] == [
            ("city1", "This stands twice in the row: leave one value of it."),
            ("name", "This stands twice in the row: leave one value of it."),
        ]


# ── Other formats, whatever their names say ──


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel workbook"),
        (b"%PDF-1.7\n...", "PDF"),
        (b"PAR1....PAR1", "Parquet"),
        (b"\x1f\x8b\x08\0....", "gzip"),
        (b"SQLite format 3\0....", "SQLite"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?><sparql/>", "web page or XML"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, data: bytes, said: str) -> None:
    for name in ("file.csv", "file.xlsx"):
        message = refusal(written(tmp_path, data, name))
        assert said in message and "Give the table as CSV" in message


def test_a_format_that_is_given_must_fit(tmp_path: Path) -> None:
    assert "no archive" in refusal(written(tmp_path, HEADER + GOOD), format="xlsx")
    assert "no such format" in refusal(written(tmp_path, HEADER + GOOD), format="docx")
    assert "no JSON" in refusal(written(tmp_path, HEADER + GOOD), format="json")
    assert rows_of(written(tmp_path, "city1\tcity2\na,b\tc\n"), format="tsv")[0].cells["city1"] == "a,b"
    assert "folder" in refusal(tmp_path)


# ── Workbooks ──


def book_with(folder: Path, *rows: list[Any]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    path = folder / "book.xlsx"
    book.save(path)
    return path


def test_an_error_in_a_cell_is_a_fault_that_names_the_cell(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["city1", "city2", "year"])
    book.active.append(["Paris", "Rome", 1956])
    error = Cell(book.active, value="#REF!")
    error.data_type = "e"
    book.active.append(["Oslo", error, 1957])
    book.active.append(["Oslo", "Bonn", 1957])
    path = tmp_path / "book.xlsx"
    book.save(path)
    rows = rows_of(path)
    assert [len(row.faults) for row in rows] == [0, 1, 0]
    assert one_fault(rows[1]) == ("city2", "Cell B3 holds the error #REF!: mend its formula, or empty the cell.")


def test_a_formula_that_was_never_calculated_is_not_taken_for_an_empty_cell(tmp_path: Path) -> None:
    path = book_with(tmp_path, ["city1", "city2", "year"], ["Paris", "Rome", "=1900+56"])
    assert "Cell C2 holds a formula without its result" in refusal(path)


def test_a_cell_outside_the_table_is_a_fault(tmp_path: Path) -> None:
    rows = rows_of(book_with(tmp_path, ["city1", "city2"], ["Paris", "Rome", None, "lost"], ["Oslo"]))
    assert "Cell D2 lies outside the table" in one_fault(rows[0])[1]
    assert rows[1].cells == {"city1": "Oslo", "city2": ""}


def test_empty_workbooks_and_headers_alone_are_said_to_be_that(tmp_path: Path) -> None:
    assert "workbook is empty" in refusal(book_with(tmp_path))
    assert "a header and no row" in refusal(book_with(tmp_path, ["city1", "city2"], [None, " "]))


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    path = book_with(tmp_path, ["city1", "city2"], ["Paris", "Rome"])
    data = path.read_bytes()
    assert "damaged" in refusal(written(tmp_path, data[: len(data) // 2], "cut.xlsx"))
    for place in range(40, len(data) - 40, 97):
        spoiled = data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]
        try:
            rows_of(written(tmp_path, spoiled, "spoiled.xlsx"))
        except UnreadableFile as error:
            assert error.message.endswith(".")


def _zeros(size: int) -> Iterator[bytes]:
    for _ in range(size >> 20):
        yield b"\0" * (1 << 20)


def bomb(path: Path, size: int, *, name: str = "xl/worksheets/sheet1.xml") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open(name, "w", force_zip64=True) as part:
            for piece in _zeros(size):
                part.write(piece)
    return path


@pytest.mark.parametrize("name", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "anything.bin"])
def test_a_zip_bomb_renamed_to_xlsx_is_never_unpacked(tmp_path: Path, monkeypatch: Any, name: str) -> None:
    path = bomb(tmp_path / "bomb.xlsx", 64 << 20, name=name)
    monkeypatch.setattr(zlib, "decompressobj", lambda *_: pytest.fail("unpacked"))
    said = refusal(path)
    assert f"would unpack to {(64 << 20) + 11:,} bytes" in said and "CSV" in said


def test_archives_of_too_many_parts_or_with_a_password_are_refused(tmp_path: Path, monkeypatch: Any) -> None:
    path = book_with(tmp_path, ["city1", "city2"], ["Paris", "Rome"])
    monkeypatch.setattr(workbook, "MOST_PARTS", 3)
    assert "parts" in refusal(path)
    monkeypatch.undo()
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    assert "encrypted" in refusal(written(tmp_path, bytes(data), "secret.xlsx"))


def test_an_archive_that_is_no_workbook_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert "no XLSX workbook" in refusal(path)
    assert "not text" in refusal(path, format="csv")


def test_entities_that_unfold_without_end_are_refused(tmp_path: Path) -> None:
    path = book_with(tmp_path, ["city1", "city2"], ["Paris", "Rome"])
    evil = tmp_path / "evil.xlsx"
    with zipfile.ZipFile(path) as good, zipfile.ZipFile(evil, "w") as bad:
        for part in good.namelist():
            text = good.read(part)
            if part == "xl/workbook.xml":
                text = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + text
            bad.writestr(part, text)
    assert "document type" in refusal(evil)


def test_a_sheet_that_says_it_has_a_billion_rows_is_refused_soon(tmp_path: Path) -> None:
    path = book_with(tmp_path, ["city1", "city2"], ["Paris", "Rome"])
    evil = tmp_path / "evil.xlsx"
    with zipfile.ZipFile(path) as good, zipfile.ZipFile(evil, "w") as bad:
        for part in good.namelist():
            text = good.read(part)
            bad.writestr(part, text.replace(b'<row r="2"', b'<row r="2000000000"') if "sheet1" in part else text)
    assert "1,048,576 rows at most" in refusal(evil)


# ── However long the file is ──


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("w") as file:
        file.write("city1,country1,lat1,lng1,city2,country2,lat2,lng2\n")
        for number in range(60_000):
            file.write(f"Town {number},Japan,{number / 1000},1,Village {number},Chile,{-number / 1000},2\n")
    tracemalloc.start()
    try:
        count = sum(not row.faults for row in open_rows(path).rows())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (count, peak < 5_000_000) == (60_000, True)
