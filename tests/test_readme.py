"""The README's tour is true: each of its requests is made, and answered as it says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.exchange.seeding import seed
from app.main import create_app
from app.registry import Database, accounts, open_registry
from app.settings import Settings

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()
HOST = "http://127.0.0.1:8000"


@pytest.fixture
def registry(empty_url: str) -> Iterator[Database]:
    """A new registry, as `make serve` makes it."""
    database = open_registry(empty_url, migrate=True)
    seed(database)
    yield database
    database.close()


def steps() -> list[tuple[str, str]]:
    """Each command of the tour with what the README says of its answer."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    lines = "".join(blocks).split("$ ")[1:]
    return [(command, answer.strip()) for command, _, answer in (line.partition("\n") for line in lines)]


def ask(client: TestClient, command: str, key: str) -> str:
    """The answer to a curl command."""
    words = shlex.split(command.replace("$KEY", key))
    url = next(word for word in words if word.startswith(HOST)).removeprefix(HOST)
    headers = dict(words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1] if "-d" in words else None
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    return client.request(method, url, headers=headers, content=body).text


def test_every_request_of_the_tour_is_answered_as_the_readme_says(registry: Database) -> None:
    with accounts.aside(registry) as session:
        key = accounts.create_key(session, role="editor", label="my desk")
    asked = 0
    with TestClient(create_app(Settings(log_level="error"), registry)) as client:
        for command, told in steps():
            if command.startswith("curl"):
                answer = ask(client, command, key)
                pieces = [re.escape(piece) for piece in told.split("…")]
                assert re.search("^" + ".*?".join(pieces), answer, re.DOTALL), (command, answer)
                assert told.endswith("…") or json.loads(answer) is not None
                asked += 1
    assert asked == 7


def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", README)
    root = Path(__file__).resolve().parents[1]
    assert links
    assert [link for link in links if not link.startswith("http") and not (root / link).exists()] == []
