"""What routes say of their answers: problems, entity tags, links; and the pages that problems link to."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from app import errors
from app.api.errors import KINDS, MEDIA_TYPE, OTHERWISE

Responses = dict[int | str, dict[str, Any]]


class Fault(BaseModel):
    """One thing to mend: a place in the body, or a parameter."""

    pointer: str | None = Field(None, description="JSON pointer into the body", examples=["/members/0/city"])
    parameter: str | None = Field(None, description="Name of a query parameter or header", examples=["limit"])
    detail: str = Field(description="What is wrong, and how to mend it")


class Problem(BaseModel):
    """An error, as RFC 9457 has it. Some kinds add members of their own: `candidates`, `allowed`, `references`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="What kind of problem: a link to its explanation", examples=["/problems/not-found"])
    title: str = Field(description="The kind of problem in words")
    status: int = Field(description="The HTTP status again")
    detail: str = Field(description="What is wrong here, and how to mend it")
    request_id: str | None = Field(None, description="What to tell the operator")
    errors: list[Fault] | None = Field(None, description="Each thing to mend")


def _problem(status: int) -> dict[str, Any]:
    kinds = [kind for kind in KINDS.values() if status in (kind.status, OTHERWISE.get(kind.slug))]
    example = {
        "type": f"/problems/{kinds[0].slug}", "title": kinds[0].title, "status": status,
        "detail": kinds[0].mend, "request_id": "0f4c2a9e51b7d388",
    }  # fmt: skip
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    described = {"description": "; ".join(kind.title for kind in kinds), "content": {MEDIA_TYPE: content}}
    headers = {401: "WWW-Authenticate", 405: "Allow", 503: "Retry-After", 301: "Location", 308: "Location"}
    if status in headers:
        described["headers"] = {headers[status]: {"schema": {"type": "string"}}}
    return described


STATUSES = {kind.status for kind in KINDS.values()} | set(OTHERWISE.values())
PROBLEMS: dict[int, dict[str, Any]] = {status: _problem(status) for status in sorted(STATUSES)}
#: 422 without a body: an Idempotency-Key that was used for another request.
OF_WRITES = (400, 401, 403, 409, 413, 422, 503)
OF_BODIES = (415,)


def problems(*statuses: int) -> Responses:
    """The documentation of these problems, for a route's `responses`."""
    return {status: PROBLEMS[status] for status in sorted(statuses)}


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


ANSWERED = {
    "ETag": _header("The record's revision and a digest; of a list, the registry's revision."),
    "Registry-Revision": _header("The revision of the registry that this answer shows."),
}
LINKED = {"Link": _header('The next page, where there is one: `<address>; rel="next"` (RFC 8288).')}
UNCHANGED = {"description": HTTPStatus.NOT_MODIFIED.phrase, "headers": ANSWERED}


def reads(model: type[BaseModel], *also: int) -> Responses:
    """The `responses` of a GET route: the model, 304, 400 (unknown parameters), and these problems."""
    headers = ANSWERED | LINKED if "next" in model.model_fields else ANSWERED
    return {200: {"model": model, "headers": headers}, 304: UNCHANGED, **problems(400, *also)}


def writes(model: type[BaseModel] | None, *also: int, status: int = 200, body: bool = True) -> Responses:
    """The `responses` of a route that writes: the model (None: 204), what writes may meet, and these problems.
    `body`: whether it takes one. Give the route the same `status_code`."""
    refused = problems(*OF_WRITES, *(OF_BODIES if body else ()), *also)
    if model is None:
        return {204: {"description": HTTPStatus.NO_CONTENT.phrase}, **refused}
    answered = {"model": model, "headers": ANSWERED}
    if status == HTTPStatus.CREATED:
        created = {**answered, "headers": {**ANSWERED, "Location": _header("Where the new record is.")}}
        return {200: {**answered, "description": "Nothing had to be changed"}, 201: created, **refused}
    return {status: answered, **refused}


def deletes(*also: int) -> Responses:
    """The `responses` of a route that deletes a record."""
    return writes(None, 404, 410, 412, 428, *also, body=False)


router = APIRouter(prefix="/problems", include_in_schema=False)


@router.get("")
def list_problems() -> list[dict[str, Any]]:
    """Every kind of problem."""
    return [asdict(kind) for kind in KINDS.values()]


@router.get("/{slug}")
def show_problem(slug: str) -> dict[str, Any]:
    """What a problem's `type` means, and how to mend it."""
    if slug not in KINDS:
        raise errors.RecordNotFound("problems", slug)
    return asdict(KINDS[slug])
