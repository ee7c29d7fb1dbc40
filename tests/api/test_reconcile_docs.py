"""docs/openrefine.md is true: its properties, addresses, numbers and examples."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from reconciling import seeded_client

from app.api.reconcile_properties import PROPERTIES
from app.api.reconcile_queries import READERS
from app.api.schemas.reconcile import BATCH_SIZE, MOST_IDS, MOST_PROPERTIES
from app.domain.identifiers import SCHEMES
from app.models.partnerships import STATUSES

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "openrefine.md").read_text()
seeded = pytest.fixture(scope="module")(seeded_client)


def test_every_property_is_documented() -> None:
    table = TEXT.partition("## Properties")[2]
    told = [name for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for name in re.findall("`(.*?)`", row)]
    assert sorted(told) == sorted(PROPERTIES)
    assert ", ".join(STATUSES[:-1]) in " ".join(table.split())


def test_every_property_that_narrows_a_query_is_documented() -> None:
    understood = TEXT.partition("## How a query is understood")[2].partition("## Properties")[0]
    assert all(f"`{name}`" in understood for name in READERS if name not in SCHEMES)


def test_the_limits_are_those_of_the_program() -> None:
    assert f"at most {BATCH_SIZE} queries" in TEXT
    assert f"at most {MOST_IDS:,} ids and {MOST_PROPERTIES} properties" in TEXT


def test_every_address_answers(seeded: TestClient) -> None:
    addresses = re.findall(r"`GET (/reconcile\S*?)`|`(…/\w+(?:/\{id\})?)`", TEXT)
    paths = [path for path, _ in addresses if path and "?" not in path]
    assert len(paths) == 6
    for path in paths:
        assert seeded.get(path.replace("{id}", "1")).status_code in (200, 303), path


def test_the_examples_work(seeded: TestClient) -> None:
    commands = [shlex.split(line.removeprefix("$ ")) for line in TEXT.splitlines() if line.startswith("$ curl")]
    assert len(commands) == 2
    for command in commands:
        field, _, said = command[-1].partition("=")
        answer = seeded.post("/reconcile", data={field: said})
        assert answer.status_code == 200
        assert '"match":true' in answer.text or '"name":"Accra"' in answer.text
