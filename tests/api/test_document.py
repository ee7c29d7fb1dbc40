"""The OpenAPI document: whole, short, and true, down to each of its examples."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from answering import Documented, new_key
from fastapi.testclient import TestClient

from app.api import examples
from app.main import create_app
from app.registry import open_registry
from app.registry.views import (
    cities,
    countries,
    organisations,
    partnerships,
    programs,
    reported_figures,
    revisions,
    sources,
)
from app.settings import Settings

DOCUMENT = create_app(Settings(_env_file=None)).openapi()
OPERATIONS = [
    pytest.param(method.upper(), path, operation, id=f"{method.upper()} {path}")
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
LISTS = {
    "/v1/cities": cities, "/v1/countries": countries, "/v1/organisations": organisations,
    "/v1/partnerships": partnerships, "/v1/programs": programs, "/v1/reported-figures": reported_figures,
    "/v1/revisions": revisions, "/v1/sources": sources, "/v1/cities/{key}/partnerships": partnerships,
}  # fmt: skip
#: Reads that are asked by POST: they need no key.
KEYLESS = {"/reconcile", "/v1/match"}
FORM = "application/x-www-form-urlencoded"
FILTERS = [(path, each) for path, view in LISTS.items() for each in view.FILTERS]


def resolved(told: dict[str, Any]) -> dict[str, Any]:
    found: Any = DOCUMENT
    for step in told["$ref"].removeprefix("#/").split("/") if "$ref" in told else ():
        found = found[step]
    return told if found is DOCUMENT else found


def parameters(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in map(resolved, operation.get("parameters", ()))}


def test_it_is_openapi_3_1_short_and_every_reference_leads_somewhere() -> None:
    text = json.dumps(DOCUMENT, separators=(",", ":"), ensure_ascii=False)
    assert DOCUMENT["openapi"].startswith("3.1")
    assert len(text) < 380_000
    assert "HTTPValidationError" not in text
    for reference in set(re.findall(r'"\$ref":"([^"]+)"', text)):
        assert resolved({"$ref": reference})


def test_operation_ids_are_short_and_unique() -> None:
    found = [parameter.values[2]["operationId"] for parameter in OPERATIONS]
    assert len(found) == len(set(found))
    assert all(re.fullmatch(r"[a-z_]{5,60}", each) for each in found)


def test_links_lead_to_operations_that_exist() -> None:
    known = {parameter.values[2]["operationId"] for parameter in OPERATIONS}
    linked = {
        name: link["operationId"]
        for parameter in OPERATIONS
        for answer in parameter.values[2]["responses"].values()
        for name, link in answer.get("links", {}).items()
    }
    assert {"show_city", "amend_partnership", "delete_program", "undo"} <= set(linked)
    assert set(linked.values()) <= known


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_an_operation_says_what_it_does_and_all_it_may_answer(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation["description"]
    answers = set(operation["responses"])
    assert {"400", "500"} <= answers
    if method == "GET":
        assert "security" not in operation
        assert path.startswith("/health") or "303" in answers or {"200", "304"} <= answers
    elif path in KEYLESS:
        assert "security" not in operation
        assert {"200", "413", "415", "503"} <= answers
    else:
        assert operation["security"] == [{"key": []}]
        assert {"401", "403", "409", "413", "422", "503"} <= answers
        assert ("415" in answers) == ("requestBody" in operation)
    if "{" in path.removesuffix(".{format}"):
        assert "404" in answers
    changes = method in ("DELETE", "PATCH")
    assert ({"412", "428", "410"} <= answers) == changes
    assert ("412" in answers) == ("If-Match" in parameters(operation))
    if "428" in answers:
        assert parameters(operation)["If-Match"]["required"]
    if re.match(r"/v1/(cities|partnerships)/\{key\}(?!/(history|redact))", path):
        assert ("301" if method == "GET" else "308") in answers


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_everything_that_is_sent_has_an_example(method: str, path: str, operation: dict[str, Any]) -> None:
    for name, parameter in parameters(operation).items():
        assert parameter["description"], name
        # A cursor belongs to one query, and an Idempotency-Key to one request: an example of either would not work.
        assert "example" in parameter or name in ("cursor", "Idempotency-Key"), name
        assert "anyOf" not in parameter["schema"], name
    if "requestBody" in operation:
        assert all("example" in told for told in operation["requestBody"]["content"].values())
    assert ("requestBody" in operation) == (method in ("POST", "PATCH"))


@pytest.mark.parametrize(("path", "each"), FILTERS, ids=[f"{path} {each.name}" for path, each in FILTERS])
def test_every_filter_is_documented_and_its_example_works(seeded: TestClient, path: str, each: Any) -> None:
    told = parameters(DOCUMENT["paths"][path]["get"])[each.name]
    assert told["schema"]["type"] == "array"
    assert told["schema"]["items"]["type"] == "string"
    assert told["example"] == [each.example]
    query = {each.name: each.example} | ({"active_on": "1972-01-01"} if each.name == "dates" else {})
    answer = seeded.get(path.format(key=1), params=query)
    assert answer.status_code == 200, answer.text
    if each.name != "dates":
        assert seeded.get(path.format(key=1), params={each.name: "\0"}).status_code == 400


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_the_example_of_a_request_works_on_a_seeded_registry(
    request: pytest.FixtureRequest, tmp_path: Path, method: str, path: str, operation: dict[str, Any]
) -> None:
    shutil.copyfile(request.getfixturevalue("seeded_template"), tmp_path / "registry.db")
    database = open_registry(f"sqlite:///{tmp_path / 'registry.db'}", threads=2)
    given = parameters(operation)
    told = {name: str(each["example"]) for name, each in given.items() if each["in"] == "path"}
    headers = {name: each["example"] for name, each in given.items() if each["in"] == "header" and "example" in each}
    content = operation.get("requestBody", {}).get("content", {})
    body, form = (content.get(kind, {}).get("example") for kind in ("application/json", FORM))
    with TestClient(create_app(Settings(_env_file=None), database)) as client:
        key = new_key(database, "admin", "head of desk")
        answer = client.request(method, path.format(**told), headers=headers | key, json=body, data=form)
    database.close()
    documented: Documented = request.getfixturevalue("documented")
    documented.check(answer)
    refused = examples.REFUSED.get(path, examples.REFUSED.get(f"{method} {path}"))
    assert answer.status_code in ({refused} if refused else {200, 201, 204}), answer.text
