"""What tests ask of answers, and short ways to make requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app.models import Revision
from app.registry import Database, accounts

ANY = {"If-Match": "*"}
#: What no answer may ever repeat.
SECRET = "hunter2-of-the-caller"


def new_key(database: Database, role: str, label: str) -> dict[str, str]:
    """The header of a new key."""
    with accounts.aside(database) as session:
        return {"Authorization": "Bearer " + accounts.create_key(session, role=role, label=label)}


def revisions(database: Database) -> int:
    """How many revisions the registry has."""
    with database.reading() as session:
        return session.execute(select(func.count()).select_from(Revision)).scalar_one()


def assert_problem(response: Any, status: int, slug: str) -> dict[str, Any]:
    """That the answer is this problem, in the one shape; its body."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    problem: dict[str, Any] = response.json()
    assert problem["type"] == f"/problems/{slug}", response.text
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"].endswith((".", "?"))
    assert problem["request_id"] == response.headers["x-request-id"]
    assert SECRET not in response.text
    return problem


def pointers(problem: dict[str, Any]) -> list[str]:
    """Where the problem's faults lie."""
    return [fault.get("pointer", fault.get("parameter")) for fault in problem["errors"]]


def pages(client: TestClient, path: str, *, limit: int = 2) -> Iterator[list[dict[str, Any]]]:
    """Every page of a list, by `next`."""
    following: str | None = path + ("&" if "?" in path else "?") + f"limit={limit}"
    while following is not None:
        page = client.get(following)
        assert page.status_code == 200, page.text
        following = page.json()["next"]
        assert page.headers.get("link") == (f'<{following}>; rel="next"' if following else None)
        yield page.json()["items"]


def listed(client: TestClient, path: str, *, limit: int = 2) -> list[dict[str, Any]]:
    """All items of a list, page by page; no page is empty but the only one."""
    found = list(pages(client, path, limit=limit))
    assert all(found) or len(found) == 1
    return [item for page in found for item in page]


class Documented:
    """The OpenAPI document as a judge of answers."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._validators: dict[tuple[str, str, int, str], Any] = {}

    def operation(self, method: str, path: str) -> tuple[str, dict[str, Any]]:
        """The template and the operation that take this request; a template without braces goes first."""
        asked = path.split("?", maxsplit=1)[0].split("/")
        for template in sorted(self.document["paths"], key=lambda each: each.count("{")):
            steps = template.split("/")
            fits = len(steps) == len(asked) and all(
                step == given
                or step.startswith("{")
                or (step.endswith(".{format}") and given.startswith(step.removesuffix("{format}")))
                for step, given in zip(steps, asked, strict=True)
            )
            if fits and method.lower() in self.document["paths"][template]:
                return template, self.document["paths"][template][method.lower()]
        raise AssertionError(f"{method} {path} is not documented")

    def check(self, response: Any) -> None:
        """That the answer's status, media type, headers and body are what the document says of them."""
        method = "GET" if response.request.method == "HEAD" else response.request.method
        template, operation = self.operation(method, response.request.url.raw_path.decode())
        told = operation["responses"].get(str(response.status_code))
        assert told is not None, f"{method} {template}: {response.status_code} is not documented"
        told = self._resolved(told)
        for name in told.get("headers", {}):
            assert name == "Link" or name in response.headers, f"{method} {template}: no {name}"
        if response.content:
            kind = response.headers["content-type"]
            assert kind in told["content"], f"{method} {template}: {kind} is not documented"
            if not kind.endswith("json") or kind == "application/x-ndjson":
                return
            self._validator((method, template, response.status_code, kind), told["content"][kind]["schema"]).validate(
                response.json()
            )

    def _resolved(self, told: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in told:
            return told
        found: Any = self.document
        for step in told["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return dict(found)

    def _validator(self, key: tuple[str, str, int, str], schema: dict[str, Any]) -> Any:
        if key not in self._validators:
            whole = schema | {"components": self.document["components"]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole)
        return self._validators[key]
