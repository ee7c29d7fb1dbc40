"""Errors dressed for HTTP. `KINDS` says what each problem is, `TABLE` which error is which problem.

Every error leaves as RFC 9457 `application/problem+json` and never repeats what the caller sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import errors

MEDIA_TYPE = "application/problem+json"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WITH_BODY = ("POST", "PUT", "PATCH")
#: A part of a pointer may be a key that the caller made up: it is shown, but not at any length.
LONGEST_STEP = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its slug is the end of its `type`, `/problems/<slug>`."""

    slug: str
    status: int
    title: str
    mend: str


KINDS = {
    kind.slug: kind
    for kind in (
        Kind("merged", 301, "The record was merged into another", "Follow `Location`."),
        Kind("malformed-body", 400, "The body cannot be read", "Send one JSON value in UTF-8."),
        Kind(
            "invalid-parameter", 400, "A query parameter or header cannot be used",
            "`errors` names each parameter with the reason.",
        ),
        Kind(
            "unauthenticated", 401, "A key is needed",
            "Send `Authorization: Bearer <key>`; `sistercities keys create` makes one.",
        ),
        Kind("forbidden", 403, "The key's role does not suffice", "Use a key with the role that is named."),
        Kind("not-found", 404, "There is nothing here", "Check the address; lists say what there is."),
        Kind("method-not-allowed", 405, "This address does not take this method", "`Allow` lists those it takes."),
        Kind("not-acceptable", 406, "The list does not come in this format", "`formats` names those it comes in."),
        Kind("state-conflict", 409, "The registry's state forbids it", "Read the record again and decide anew."),
        Kind(
            "city-exists", 409, "The city seems to be known already",
            "Use one of `candidates`, or insist with a reason if it is another.",
        ),
        Kind(
            "partnership-exists", 409, "The partnership seems to be known already",
            "Use one of `candidates`, or insist with a reason if it is another.",
        ),
        Kind("event-refused", 409, "The lifecycle does not allow this event here", "`allowed` lists what it does."),
        Kind("still-referenced", 409, "Others hang on the record", "Deal with `references` first."),
        Kind("undo-refused", 409, "The revision cannot be undone", "`parts` lists what was changed later."),
        Kind("merge-refused", 409, "The two records cannot be one", "Deal with `obstacles` first."),
        Kind("deleted", 410, "The record was deleted", "Its history is still there, and undo brings it back."),
        Kind("stale-revision", 412, "The record has moved on", "Read it again, then repeat with its new ETag."),
        Kind("body-too-large", 413, "The body is too large", "Send less at once."),
        Kind(
            "unsupported-media-type", 415, "The body's type is not taken here",
            "Send `Content-Type: application/json`, or `application/merge-patch+json` with PATCH.",
        ),
        Kind("invalid-value", 422, "A value cannot be used", "`errors` points at each with the reason."),
        Kind(
            "unknown-reference", 422, "Something named in the body fits no record, or several",
            "Name it by its number or an identifier; `candidates` lists what it may be.",
        ),
        Kind(
            "key-reused", 422, "The Idempotency-Key was used for another request",
            "Repeat a request as it was, or take a new key.",
        ),
        Kind(
            "precondition-required", 428, "The change needs If-Match",
            "Send `If-Match` with the ETag of the record as you read it.",
        ),
        Kind("internal", 500, "Something went wrong on our side", "Tell the operator the `request_id`."),
        Kind("damaged", 500, "The registry's data is not as it should be", "Tell the operator the `request_id`."),
        Kind(
            "not-installed", 501, "A part of the program that this needs is not installed here",
            "Ask for another format, or tell the operator which `extra` is missing.",
        ),
        Kind("busy", 503, "Another write is under way", "Try again after `Retry-After` seconds."),
        Kind("not-ready", 503, "The registry is not ready", "Try again later."),
    )
}  # fmt: skip

#: What a problem is with other methods than GET: clients turn a POST that is answered 301 into a GET, and take its
#: answer for success.
OTHERWISE: dict[str, int] = {"merged": HTTPStatus.PERMANENT_REDIRECT}


class MalformedBody(errors.RegistryError):
    """The body is not what JSON (in UTF-8, without extravagances) allows."""


class BodyTooLarge(errors.RegistryError):
    """The body is larger than the setting allows."""


class UnsupportedBody(errors.RegistryError):
    """The body is of a media type that is not read here."""


class NotAcceptable(errors.RegistryError):
    """The list does not come in the format that was asked for: those it comes in."""

    def __init__(self, message: str, *, formats: Mapping[str, str]) -> None:
        super().__init__(message)
        self.formats = dict(formats)

    @property
    def details(self) -> dict[str, Any]:
        """Suffix → media type."""
        return {"formats": self.formats}


class InvalidQuery(errors.InvalidValue):
    """A query parameter or header that cannot be used: names the parameter."""

    def __init__(self, message: str, *, parameter: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class PreconditionRequired(errors.RegistryError):
    """A change of a record that does not say which revision of it was read."""


class KeyReused(errors.RegistryError):
    """An Idempotency-Key that was used for another request."""


class NotReady(errors.RegistryError):
    """The database is out of reach, or not at the migration that this program needs."""


@dataclass(eq=False)
class Replay(Exception):
    """The request repeats one that was answered: the stored answer is given again."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


TABLE: dict[type[Exception], str] = {
    errors.InvalidValue: "invalid-value",
    errors.UnknownReference: "unknown-reference",
    errors.RecordNotFound: "not-found",
    errors.RecordDeleted: "deleted",
    errors.RecordMerged: "merged",
    errors.StateConflict: "state-conflict",
    errors.CityExists: "city-exists",
    errors.PartnershipExists: "partnership-exists",
    errors.EventRefused: "event-refused",
    errors.StillReferenced: "still-referenced",
    errors.UndoRefused: "undo-refused",
    errors.MergeRefused: "merge-refused",
    errors.StaleRevision: "stale-revision",
    errors.Unauthenticated: "unauthenticated",
    errors.Forbidden: "forbidden",
    errors.NotInstalled: "not-installed",
    errors.RegistryBusy: "busy",
    errors.RegistryDamaged: "damaged",
    MalformedBody: "malformed-body",
    BodyTooLarge: "body-too-large",
    UnsupportedBody: "unsupported-media-type",
    InvalidQuery: "invalid-parameter",
    PreconditionRequired: "precondition-required",
    KeyReused: "key-reused",
    NotAcceptable: "not-acceptable",
    NotReady: "not-ready",
    errors.RegistryError: "internal",
}


def kind_of(error: Exception, method: str) -> Kind:
    """Which problem an error is. What the rules refuse in a request without a body came from its address."""
    slug = next(TABLE[cls] for cls in type(error).__mro__ if cls in TABLE)
    if slug in ("invalid-value", "unknown-reference") and method not in WITH_BODY:
        slug = "invalid-parameter"
    if slug in OTHERWISE and method != "GET":
        return replace(KINDS[slug], status=OTHERWISE[slug])
    return KINDS[slug]


def problem(
    request: Request,
    kind: Kind,
    detail: str,
    *,
    faults: Sequence[Mapping[str, str]] = (),
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a problem: RFC 9457, with our request id, and a fault for each thing to mend."""
    body = {
        **(details or {}),
        "type": f"/problems/{kind.slug}" if kind.slug in KINDS else "about:blank",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "request_id": getattr(request.state, "request_id", None),
    }
    if faults:
        body["errors"] = list(faults)
    return Response(
        orjson.dumps(body),
        status_code=kind.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def pointer(path: str | Sequence[int | str]) -> str:
    """A path such as `members/0/city`, or its steps, as a JSON pointer."""
    steps = path.split("/") if isinstance(path, str) else [str(step) for step in path]
    return "".join("/" + _step(step) for step in steps if step)


def _step(step: str) -> str:
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in step)
    shown = shown if len(shown) <= LONGEST_STEP else shown[:LONGEST_STEP] + "…"
    return shown.replace("~", "~0").replace("/", "~1")


async def on_registry_error(request: Request, error: Exception) -> Response:
    """Anything of the tree in `app/errors.py`."""
    assert isinstance(error, errors.RegistryError)
    kind, headers = kind_of(error, request.method), _headers(request, error)
    if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR and kind.slug != "busy":
        structlog.get_logger("registry").error("failed", problem=kind.slug, exc_info=error)
    if kind.slug in ("internal", "damaged"):
        return problem(request, kind, kind.mend)
    return problem(request, kind, error.message, faults=_faults(kind, error), details=error.details, headers=headers)


def _faults(kind: Kind, error: errors.RegistryError) -> list[dict[str, str]]:
    if isinstance(error, InvalidQuery):
        return [{"parameter": error.parameter, "detail": error.message}]
    if not error.field:
        return []
    if kind.slug == "invalid-parameter":
        return [{"parameter": error.field, "detail": error.message}]
    return [{"pointer": pointer(error.field), "detail": error.message}]


def _headers(request: Request, error: errors.RegistryError) -> dict[str, str]:
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.RegistryBusy):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, errors.RecordMerged):
        return {"Location": _moved(request, error)}
    return {}


def _moved(request: Request, error: errors.RecordMerged) -> str:
    """The same route of the other record: what follows the record's key, and the query, stay."""
    noun = error.noun.replace("_", "-")
    segments = request.scope["path"].split("/")
    if noun in segments[:-1]:
        segments[segments.index(noun) + 1] = str(error.into)
    else:
        segments = ["", "v1", noun, str(error.into)]
    query = request.scope["query_string"].decode("latin-1")
    return quote("/".join(segments), safe="/:") + (f"?{query}" if query else "")


async def on_invalid_request(request: Request, error: Exception) -> Response:
    """What FastAPI and Pydantic refuse: 404 for a path, 400 for query and headers, 422 for the body."""
    assert isinstance(error, RequestValidationError)
    refused = [fault for fault in error.errors() if fault["loc"]]
    places = {str(fault["loc"][0]) for fault in refused}
    if "path" in places:
        return problem(request, KINDS["not-found"], "There is no such record.")
    if places - {"body"}:
        return problem(
            request, KINDS["invalid-parameter"], "A query parameter or header cannot be used; see `errors`.",
            faults=[
                {"parameter": str(fault["loc"][1]), "detail": _said(fault)}
                for fault in refused if fault["loc"][0] != "body"
            ],
        )  # fmt: skip
    listed = {(_place(fault, error.body), _said(fault)): None for fault in refused}
    return problem(
        request, KINDS["invalid-value"], "Values in the body cannot be used; see `errors`.",
        faults=[{"pointer": place, "detail": said} for place, said in listed],
    )  # fmt: skip


#: Pydantic's words where they are meant for programmers, or repeat the input.
WORDS = {
    "missing": "This field is required.",
    "extra_forbidden": "This field is not known here, or is computed and cannot be set.",
    "model_attributes_type": "This must be a JSON object.",
    "model_type": "This must be a JSON object.",
    "dict_type": "This must be a JSON object.",
}
LONGEST_SAYING = 300


def _said(fault: Mapping[str, Any]) -> str:
    if fault["type"] in WORDS:
        return WORDS[fault["type"]]
    context = fault.get("ctx", {})
    if fault["type"] == "union_tag_invalid":
        return f"The kind is not one of: {context['expected_tags']}."
    said = str(context["error"]) if fault["type"] == "value_error" else str(fault["msg"])
    return said[:LONGEST_SAYING].rstrip(".") + "."


def _place(fault: Mapping[str, Any], body: Any) -> str:
    """Where in the body the fault lies. Pydantic's own steps (the branch of a union) are no place in it."""
    *above, last = fault["loc"][1:] or ("",)
    steps: list[int | str] = []
    for step in above:
        if _holds(body, step):
            steps.append(step)
            body = body[step]
    if _holds(body, last) or fault["type"] == "missing":
        steps.append(last)
    return pointer(steps)


def _holds(body: Any, step: int | str) -> bool:
    if isinstance(body, dict):
        return step in body
    return isinstance(body, list) and isinstance(step, int) and step < len(body)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: an address that is none, a method that it does not take."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = ", ".join(allowed_methods(request)) or "GET, HEAD"
        kind = KINDS["method-not-allowed"]
        return problem(request, kind, f"This address takes {methods}.", headers={"Allow": methods})
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem(request, KINDS["not-found"], "There is nothing at this address.")
    phrase = HTTPStatus(error.status_code).phrase
    kind = Kind("", error.status_code, phrase, "")
    return problem(request, kind, f"{phrase}.", headers=error.headers)


def allowed_methods(request: Request) -> list[str]:
    """Every method that some route takes at this path. The framework's own answer knows only one route."""
    scope = request.scope
    asked = {
        "type": "http", "path": scope["path"], "headers": [], "path_params": {},
        "root_path": scope.get("app_root_path", scope.get("root_path", "")),
    }  # fmt: skip
    routes = [route for route in request.app.router.routes if not isinstance(route, Mount)]
    found = [
        method for method in METHODS
        if any(route.matches({**asked, "method": method})[0] == Match.FULL for route in routes)
    ]  # fmt: skip
    return ["GET", "HEAD", *found[1:]] if "GET" in found else found


async def on_integrity_error(request: Request, error: Exception) -> Response:
    """A constraint of the database refused what no rule foresaw: the state forbids it, and we want to know."""
    structlog.get_logger("registry").error("unforeseen constraint", exc_info=error)
    return problem(request, KINDS["state-conflict"], "The registry's own constraints forbid this.")


async def on_replay(_request: Request, error: Exception) -> Response:
    """The answer that was once given, again."""
    assert isinstance(error, Replay)
    return Response(error.body, status_code=error.status, headers={**error.headers, "Idempotency-Replayed": "true"})


class LastResort:
    """Whatever nobody foresaw: logged with its traceback, answered with a request id and nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            structlog.get_logger("registry").error("failed", exc_info=error)
            if begun or scope["type"] != "http":
                raise
            kind = KINDS["internal"]
            await problem(Request(scope), kind, kind.mend)(scope, receive, send)


def install(app: FastAPI) -> None:
    """Have this app answer errors as problems. `LastResort` is a middleware: the app's own comes too late."""
    app.add_exception_handler(errors.RegistryError, on_registry_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(IntegrityError, on_integrity_error)
    app.add_exception_handler(Replay, on_replay)
