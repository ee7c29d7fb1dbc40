"""`POST /v1/imports`: files as bodies and as parts of forms, checked and taken in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from answering import assert_problem, revisions
from fastapi.testclient import TestClient
from making import held
from openpyxl import Workbook

from app.registry import Database
from app.settings import Settings

PATH = "/v1/imports?create_cities=true&complete=false&source=A+list"
TEXT = "city1,country1,city2,country2,since\nGraz,DE,Pula,IT,1973\nPula,IT,Graz,DE,\n"
BAD = f"{TEXT}Graz,XX,Pula,IT,\n"
TOTALS = ("created", "same", "changed", "ambiguous", "refused")


def post(client: TestClient, key: dict[str, str], body: Any = TEXT, query: str = "", **headers: str) -> Any:
    """A file as the body."""
    return client.post(f"{PATH}{query}", content=body, headers={"Content-Type": "text/csv", **key, **headers})


def test_a_check_explains_every_row_and_writes_nothing(
    client: TestClient, database: Database, editor: dict[str, str]
) -> None:
    before = held(database)
    told = post(client, editor, BAD).json()
    assert [told[name] for name in TOTALS] == [1, 1, 0, 0, 1]
    assert (told["mode"], told["rows"], told["revision"], told["stopped"]) == ("check", 3, None, True)
    assert told["columns"] == {
        "city1": "city1", "country1": "country1", "city2": "city2", "country2": "country2", "established": "since",
    }  # fmt: skip
    assert [(line["row"], line["outcome"], line["field"]) for line in told["lines"]] == [
        (1, "created", None), (2, "same", None), (3, "refused", "country1"),
    ]  # fmt: skip
    assert held(database) == before


def test_apply_writes_one_revision_by_the_keys_account(
    client: TestClient, database: Database, editor: dict[str, str]
) -> None:
    before = revisions(database)
    answer = post(client, editor, query="&mode=apply&name=partners.csv")
    told = answer.json()
    assert revisions(database) == before + 1
    assert answer.headers["registry-revision"] == str(told["revision"])
    revision = client.get(f"/v1/revisions/{told['revision']}").json()
    assert revision["account"] == "desk"
    assert "import of partners.csv" in revision["reason"]
    assert told["sha256"] in revision["reason"]
    assert client.get(f"/v1/partnerships/{told['lines'][0]['record']}").json()["established"] == "1973"
    again = post(client, editor, query="&mode=apply").json()
    assert (again["same"], again["revision"]) == (2, None)


@pytest.mark.parametrize(("on_error", "written"), [("stop", False), ("skip", True)])
def test_a_refused_row_stops_all_unless_it_is_skipped(
    client: TestClient, database: Database, editor: dict[str, str], on_error: str, written: bool
) -> None:
    before = revisions(database)
    told = post(client, editor, BAD, query=f"&mode=apply&on_error={on_error}").json()
    assert told["stopped"] is not written
    assert (revisions(database) > before) is written


def test_a_file_may_be_a_part_of_a_form(client: TestClient, editor: dict[str, str]) -> None:
    answer = client.post(PATH, files={"file": ("C:\\lists\\partners.csv", TEXT, "text/csv")}, headers=editor)
    assert (answer.json()["file"], answer.json()["created"]) == ("partners.csv", 1)


def workbook() -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in csv.reader(io.StringIO(TEXT)):
        book.active.append(row)
    book.save(file)
    return file.getvalue()


ASKED = {"cityLabel": "Graz", "countryLabel": "DE", "partnerLabel": "Pula", "partnerCountryLabel": "IT"}
BINDING = {name: {"type": "literal", "value": value} for name, value in ASKED.items()}
SPARQL = {"head": {"vars": list(ASKED)}, "results": {"bindings": [BINDING]}}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (TEXT.replace(",", ";"), "text/csv"),
        (TEXT.replace(",", "\t"), "text/tab-separated-values"),
        (TEXT.encode("utf-16"), "application/octet-stream"),
        (json.dumps([{"city1": "Graz", "country1": "DE", "city2": "Pula", "country2": "IT"}]), "application/json"),
        ('{"city1":"Graz","country1":"DE","city2":"Pula","country2":"IT"}\n', "application/x-ndjson"),
        (json.dumps(SPARQL), "application/sparql-results+json"),
        (workbook(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
    ids=["semicolons", "tabs", "utf-16", "json", "ndjson", "sparql", "xlsx"],
)
def test_whatever_is_read_is_told_by_its_content(
    client: TestClient, editor: dict[str, str], body: str | bytes, kind: str
) -> None:
    answer = post(client, editor, body, **{"Content-Type": kind})
    assert answer.status_code == 200, answer.text
    assert answer.json()["created"] == 1


def test_the_report_alone_comes_as_csv_or_ndjson(client: TestClient, editor: dict[str, str]) -> None:
    as_csv = post(client, editor, BAD, Accept="text/csv")
    listed = list(csv.DictReader(io.StringIO(as_csv.content.decode("utf-8-sig"))))
    as_lines = post(client, editor, BAD, Accept="application/x-ndjson")
    lines = [json.loads(line) for line in as_lines.text.splitlines()]
    assert [row["outcome"] for row in listed] == [row["outcome"] for row in lines] == ["created", "same", "refused"]


def test_columns_and_other_nouns_can_be_given(client: TestClient, editor: dict[str, str]) -> None:
    text = "A,B,C,D\nGraz,DE,Pula,IT\n"
    query = "&column=city1=A&column=country1=B&column=city2=C&column=country2=D"
    assert post(client, editor, text, query=query).json()["created"] == 1
    cities = "name,country,kind\nGraz,DE,city\n"
    told = post(client, editor, cities, query="&noun=cities&mode=apply").json()
    assert (told["noun"], told["created"]) == ("cities", 1)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("&mode=write", "mode"), ("&noun=towns", "noun"), ("&on_error=ignore", "on_error"), ("&insist=1", "insist"),
        ("&colum=city1=A", "colum"), ("&column=city1", "column"), ("&mode=check&mode=apply", "mode"),
        ("&kind=brotherhood", "kind"), ("&format=docx", "format"),
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_used_is_named(
    client: TestClient, editor: dict[str, str], query: str, parameter: str
) -> None:
    problem = assert_problem(post(client, editor, query=query), 400, "invalid-parameter")
    assert [fault["parameter"] for fault in problem["errors"]] == [parameter]


def test_apply_needs_a_source_and_check_does_not(client: TestClient, editor: dict[str, str]) -> None:
    path, headers = "/v1/imports?create_cities=true&complete=false", {"Content-Type": "text/csv", **editor}
    assert client.post(path, content=TEXT, headers=headers).json()["created"] == 1
    problem = assert_problem(client.post(f"{path}&mode=apply", content=TEXT, headers=headers), 400, "invalid-parameter")
    assert problem["errors"][0]["parameter"] == "source"


@pytest.mark.parametrize(
    "body", [b"", b"city1,country1,city2,country2\n", b"colour,weight\nred,1\n", b"%PDF-1.7", b'[{"city1": "Graz", ']
)
def test_a_file_that_cannot_be_read_is_refused(client: TestClient, editor: dict[str, str], body: bytes) -> None:
    assert_problem(post(client, editor, body), 422, "invalid-value")


def test_a_form_without_a_file_is_refused(client: TestClient, editor: dict[str, str]) -> None:
    answer = client.post(PATH, files={"other": ("a.csv", TEXT)}, headers=editor)
    assert_problem(answer, 415, "unsupported-media-type")
    broken = {"Content-Type": "multipart/form-data; boundary=x", **editor}
    assert_problem(client.post(PATH, content=b"--y\r\n", headers=broken), 400, "malformed-body")
    no_boundary = {"Content-Type": "multipart/form-data", **editor}
    assert_problem(client.post(PATH, content=b"x", headers=no_boundary), 400, "malformed-body")


def test_without_a_key_nothing_is_read(client: TestClient, database: Database) -> None:
    assert_problem(post(client, {}), 401, "unauthenticated")
    assert_problem(post(client, {"Authorization": "Bearer nonsense"}), 401, "unauthenticated")


def test_files_have_a_limit_of_their_own(
    serve: Callable[[Database], TestClient], sqlite_database: Database, new_editor: dict[str, str]
) -> None:
    client = serve(sqlite_database)
    url = sqlite_database.url.render_as_string(hide_password=False)
    client.app.state.settings = Settings(_env_file=None, database_url=url, body_limit=1024, import_limit=5000)
    row = "Graz,DE,Pula,IT,1973\n"
    header = "city1,country1,city2,country2,since\n"
    assert post(client, new_editor, header + row * 100).status_code == 200
    assert_problem(post(client, new_editor, header + row * 1000), 413, "body-too-large")
    chunks = (chunk.encode() for chunk in (header, *[row * 10] * 100))
    streamed = client.post(PATH, content=chunks, headers={"Content-Type": "text/csv", **new_editor})
    assert_problem(streamed, 413, "body-too-large")
    form = client.post(PATH, files={"file": ("a.csv", header + row * 1000)}, headers=new_editor)
    assert_problem(form, 413, "body-too-large")


@pytest.fixture
def new_editor(sqlite_database: Database) -> dict[str, str]:
    """An editor of the registry on SQLite."""
    from answering import new_key

    return new_key(sqlite_database, "editor", "desk")


def test_our_own_export_comes_back(client: TestClient, editor: dict[str, str]) -> None:
    whole = client.get("/v1/cities.ndjson").content
    answer = client.post("/v1/imports", content=whole, headers={"Content-Type": "application/x-ndjson", **editor})
    told = answer.json()
    assert answer.status_code == 200, answer.text
    assert told["same"] == told["rows"] > 0
