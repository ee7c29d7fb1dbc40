"""What OpenAPI says: the problems each route may answer with, entity tags, and the pages that problems link to."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

from app import errors
from app.api.errors import KINDS, MEDIA_TYPE

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
    kinds = [kind for kind in KINDS.values() if kind.status == status]
    example = {
        "type": f"/problems/{kinds[0].slug}", "title": kinds[0].title, "status": status,
        "detail": kinds[0].mend, "request_id": "0f4c2a9e51b7d388",
    }  # fmt: skip
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    described = {"description": "; ".join(kind.title for kind in kinds), "content": {MEDIA_TYPE: content}}
    headers = {401: "WWW-Authenticate", 405: "Allow", 503: "Retry-After", 301: "Location"}
    if status in headers:
        described["headers"] = {headers[status]: {"schema": {"type": "string"}}}
    return described


PROBLEMS: dict[int, dict[str, Any]] = {status: _problem(status) for status in {k.status for k in KINDS.values()}}
PROBLEMS[308] = PROBLEMS[301]
OF_WRITES = (400, 401, 403, 409, 413, 415, 422, 503)


def problems(*statuses: int) -> Responses:
    """The documentation of these problems, for a route's `responses`."""
    return {status: PROBLEMS[status] for status in sorted(statuses)}


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


ANSWERED = {
    "ETag": _header("The record's revision and a digest; of a list, the registry's revision."),
    "Registry-Revision": _header("The revision of the registry that this answer shows."),
}


def reads(model: type[BaseModel], *also: int) -> Responses:
    """The `responses` of a GET route: the model, 304, 400 (unknown parameters), and these problems."""
    unchanged = {"description": HTTPStatus.NOT_MODIFIED.phrase, "headers": ANSWERED}
    return {200: {"model": model, "headers": ANSWERED}, 304: unchanged, **problems(400, *also)}


def writes(model: type[BaseModel] | None, *also: int, status: int = 200) -> Responses:
    """The `responses` of a route that writes: the model (None: 204), what writes may meet, and these problems.
    Give the route the same `status_code`."""
    refused = problems(*OF_WRITES, *also)
    if model is None:
        return {204: {"description": HTTPStatus.NO_CONTENT.phrase}, **refused}
    answered = {"model": model, "headers": ANSWERED}
    if status == HTTPStatus.CREATED:
        created = {**answered, "headers": {**ANSWERED, "Location": _header("Where the new record is.")}}
        return {200: {**answered, "description": "Nothing had to be changed"}, 201: created, **refused}
    return {status: answered, **refused}


def install(app: FastAPI) -> None:
    """Have `/openapi.json` say what this API really answers."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
    )
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    models = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= models.pop("$defs") | {"Problem": models}
    for path in schema["paths"].values():
        for operation in path.values():
            _mend(operation["responses"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return schema


def _mend(responses: dict[str, Any]) -> None:
    # FastAPI documents its own 422 on every route that takes anything: ours says what it answers itself.
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]
    responses["500"] = PROBLEMS[500]


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
