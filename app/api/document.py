"""The OpenAPI document: what FastAPI collects from the routes, made true, short and full of examples.

What many operations share (problems, parameters, headers) stands once in `components` and is referred to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from app.api import examples
from app.api.openapi import ANSWERED, LINKED, PROBLEMS, UNCHANGED, Problem

Json = dict[str, Any]
#: Answers that say the same wherever they are given.
SHARED_ANSWERS: dict[str, Json] = {str(status): told for status, told in (PROBLEMS | {304: UNCHANGED}).items()}
SHARED_HEADERS = ANSWERED | LINKED
IF_NONE_MATCH: Json = {
    "name": "If-None-Match", "in": "header", "required": False, "example": '"1-9f86d081884c7d65"',
    "description": "The ETag of an answer that the reader has: 304 if it is still the same.",
    "schema": {"type": "string"},
}  # fmt: skip
TAG: Json = {"type": "string", "pattern": r'^(\*|"[0-9]{1,18}(-[0-9a-f]+)?")$'}


def operation_id(route: APIRoute) -> str:
    """Short and stable, for the code that others generate from the document."""
    return route.name


def install(app: FastAPI) -> None:
    """Have `/openapi.json` say what this API really answers."""

    def describe() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _described(app: FastAPI) -> Json:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
    )
    components = document.setdefault("components", {})
    _tidy_schemas(components.setdefault("schemas", {}))
    components["responses"] = {_problem_name(status): told for status, told in SHARED_ANSWERS.items()}
    components["headers"] = dict(SHARED_HEADERS)
    components["parameters"] = {}
    for method, path, operation in _operations(document):
        _tidy_parameters(operation, method, path, shared=components["parameters"])
        _tidy_answers(operation)
        _add_example(operation, method, path)
        _add_links(document, operation, path)
    return document


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def _tidy_schemas(schemas: Json) -> None:
    models = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= models.pop("$defs") | {"Problem": models}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


# ── Answers ──


def _problem_name(status: str) -> str:
    return f"Answer{status}"


def _tidy_answers(operation: Json) -> None:
    answers: Json = operation["responses"]
    # FastAPI documents its own 422 on every route that takes anything: ours says what it answers itself.
    if "application/json" in answers.get("422", {}).get("content", {}):
        del answers["422"]
    answers["500"] = PROBLEMS[500]
    for status in answers:
        if status in SHARED_ANSWERS:
            answers[status] = {"$ref": f"#/components/responses/{_problem_name(status)}"}
        else:
            _tidy_headers(answers[status])


def _tidy_headers(answer: Json) -> None:
    for name in answer.get("headers", {}):
        if name in SHARED_HEADERS:
            answer["headers"][name] = {"$ref": f"#/components/headers/{name}"}


# ── Parameters ──


def _tidy_parameters(operation: Json, method: str, path: str, *, shared: Json) -> None:
    found = [_plain(parameter, operation) for parameter in operation.get("parameters", ())]
    for parameter in found:
        if parameter["in"] == "path":
            example = examples.path_of(method, path)[parameter["name"]]
            parameter["example"] = str(example) if parameter["schema"]["type"] == "string" else example
    if "304" in operation["responses"]:
        found.append(IF_NONE_MATCH)
    if found:
        operation["parameters"] = [_shared(parameter, shared) for parameter in found]


def _plain(parameter: Json, operation: Json) -> Json:
    """A parameter without FastAPI's ornaments. One that may be left out is not one that may be null."""
    schema = parameter["schema"]
    kept = {name: value for name, value in schema.items() if name not in ("title", "description", "anyOf")}
    some = [branch for branch in schema.get("anyOf", ()) if branch != {"type": "null"}]
    plain = {**parameter, "schema": some[0] | kept if some else kept}
    if "examples" in kept:
        plain["example"] = plain["schema"].pop("examples")[0]
    if parameter["name"] == "If-Match":
        # FastAPI may not require it: a change without it is answered in words, by 428.
        plain |= {"required": "428" in operation["responses"], "schema": TAG}
    return plain


def _shared(parameter: Json, shared: Json) -> Json:
    """A reference to the parameter, where others of its name are just the same."""
    name = parameter["name"]
    if parameter["in"] == "path" or shared.setdefault(name, parameter) != parameter:
        return parameter
    return {"$ref": f"#/components/parameters/{name}"}


# ── Examples ──


def _add_example(operation: Json, method: str, path: str) -> None:
    example = examples.body_of(method, path)
    if example is not None:
        for content in operation["requestBody"]["content"].values():
            content["example"] = example


# ── Links ──

KEY = "$response.body#/id"
UNDO: Json = {
    "operationId": "undo_revision", "parameters": {"number": "$response.header.Registry-Revision"},
    "description": "Take back the revision that was just made.",
}  # fmt: skip


def _add_links(document: Json, operation: Json, path: str) -> None:
    """What can be done with a record that was just made: it is read, changed (with its ETag), deleted, undone."""
    made = operation["responses"].get("201")
    if made is None:
        return
    made["links"] = {"undo": UNDO}
    for one in (f"{path}/{{key}}", f"{path}/{{key}}/history"):
        for method, target in document["paths"].get(one, {}).items():
            made["links"][target["operationId"]] = _link(target["operationId"], changes=method != "get")


def _link(operation_id: str, *, changes: bool) -> Json:
    tag = {"header.If-Match": "$response.header.ETag"} if changes else {}
    return {"operationId": operation_id, "parameters": {"path.key": KEY} | tag}
