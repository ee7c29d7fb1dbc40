"""Answers: bytes, entity tags, conditional requests, links. Routes hand in JSON-ready values and get a Response.

A record's tag is `"<record revision>-<digest of the bytes>"`; a list's is `W/"<registry revision>"`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import InvalidQuery, PreconditionRequired
from app.errors import StaleRevision
from app.settings import Settings

MEDIA_TYPE = "application/json"
TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
REVISION_IN_FRONT = re.compile(r'"([0-9]{1,18})(?:-[0-9a-f]+)?"')
DIGEST_LENGTH = 16
#: Of lists, which come in several formats.
VARIES = {"Vary": "Accept"}


def record_answer(
    request: Request,
    payload: Mapping[str, Any],
    *,
    revision: int,
    status: int = 200,
    location: str | None = None,
    own: int | None = None,
) -> Response:
    """One record. `revision` is the registry's; the record's `own` is the one that `If-Match` compares (default:
    the payload's, else the registry's). 304 where the reader has these very bytes."""
    body = orjson.dumps(payload)
    digest = hashlib.sha256(body).hexdigest()[:DIGEST_LENGTH]
    own = payload.get("revision", revision) if own is None else own
    headers = _headers(f'"{own}-{digest}"', revision)
    if request.method != "GET":
        headers["Cache-Control"] = "no-store"
    elif _has(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if location is not None:
        headers["Location"] = link(request, location)
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def list_answer(
    request: Request,
    items: Iterable[Mapping[str, Any]],
    *,
    next: str | None,
    total: int | None,
    revision: int,
    extra: Mapping[str, Any] | None = None,
) -> Response:
    """One page of a list: `{"items", "next", "total"}` and what `extra` adds. `next`: relative URL, as `next_url`
    makes it. `revision` is the registry's."""
    tag = f'W/"{revision}"'
    if _has(request, tag):
        return _unchanged(tag, revision)
    headers = _headers(tag, revision) | VARIES
    if next is not None:
        next = link(request, next)
        headers["Link"] = f'<{next}>; rel="next"'
    body = {"items": list(items), "next": next, "total": total, **(extra or {})}
    return Response(orjson.dumps(body), media_type=MEDIA_TYPE, headers=headers)


def list_unchanged(request: Request, revision: int, *, format: str = "") -> Response | None:
    """304 where the reader has this list of this revision: a route may ask before it queries anything, since only
    a query that was answered has given such a tag. `*` proves nothing of the kind: it waits for the answer."""
    tag = list_tag(revision, format)
    if request.headers.get("if-none-match", "").strip() == "*" or not _has(request, tag):
        return None
    return _unchanged(tag, revision)


def list_tag(revision: int, format: str = "") -> str:
    """The entity tag of a list; `format` where its address answers in several ways and this is not the usual one."""
    return f'W/"{revision}-{format}"' if format else f'W/"{revision}"'


def list_headers(revision: int, *, format: str = "") -> dict[str, str]:
    """The headers of a list that is sent in another way than by `list_answer`."""
    return _headers(list_tag(revision, format), revision) | VARIES


def _unchanged(tag: str, revision: int) -> Response:
    return Response(status_code=304, headers=_headers(tag, revision) | VARIES)


def _headers(tag: str, revision: int) -> dict[str, str]:
    return {"ETag": tag, "Registry-Revision": str(revision), "Cache-Control": "no-cache"}


def _has(request: Request, tag: str) -> bool:
    """Whether If-None-Match names the tag. Compared weakly, as RFC 9110 has it for reads."""
    asked = ", ".join(request.headers.getlist("if-none-match")).strip()
    if asked == "*":
        return True
    return tag.removeprefix("W/") in {found.removeprefix("W/") for found in TAG.findall(asked)}


def if_match(request: Request) -> int | None:
    """The revision that the caller read, from `If-Match: "<revision>-<digest>"`, or bare `"<revision>"`.

    None where the header is missing or `*` (any revision that there is). Raises InvalidQuery (400).
    """
    asked = request.headers.get("if-match", "*").strip()
    if asked == "*":
        return None
    found = REVISION_IN_FRONT.fullmatch(asked)
    if found is None:
        raise InvalidQuery("If-Match takes one ETag of the record, as it was read.", parameter="If-Match")
    return int(found[1])


def require_if_match(request: Request) -> int | None:
    """The same, but a change that does not say which revision was read is refused (428)."""
    if "if-match" not in request.headers:
        raise PreconditionRequired(
            "Send If-Match with the ETag of the record as you read it, so that nobody's change is trampled."
        )
    return if_match(request)


def check_revision(expected: int | None, *, actual: int) -> None:
    """Refuse (412) a change of a record that has moved on. Ask it under the write lock."""
    if expected is not None and expected != actual:
        raise StaleRevision(actual=actual)


def link(request: Request, path: str) -> str:
    """A path as it stands in answers: relative, unless the setting names the address (a Host can be forged)."""
    settings: Settings = request.app.state.settings
    return path if settings.public_url is None else settings.public_url.rstrip("/") + path


def next_url(request: Request, cursor: str | None) -> str | None:
    """This list's URL with another cursor; None where there is no next page."""
    if cursor is None:
        return None
    return str(request.url.replace(scheme="", netloc="").include_query_params(cursor=cursor))


class HeadAsGet:
    """HEAD wherever GET: the same headers, no body. Routes and OpenAPI need not say everything twice."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        # A bulk answer looks at it, and does not gather what nobody will get.
        await self.app({**scope, "method": "GET", "without_body": True}, receive, without_body)
