"""How the reconciliation protocol comes over HTTP: forms instead of JSON bodies, answers to pages of any origin,
and clients that send more than the protocol names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.bodies import StrictRequest, StrictRoute, parse_json
from app.api.errors import WITH_BODY, InvalidQuery, MalformedBody, UnsupportedBody, pointer
from app.settings import Settings

PREFIX = "/reconcile"
FORM = "application/x-www-form-urlencoded"
SCRIPT = "text/javascript"
MOST_FIELDS = 50
LONGEST_CALLBACK = 100
CALLBACK = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*)*")
#: What clients send that were written for other services. It changes nothing here.
HEARD = frozenset(
    ("_", "all_types", "as_of_time", "exact", "filter", "format", "key", "lang", "mql_filter", "prefixed", "scoring",
     "spell", "stemmed", "type_strict", "user_lang", "with")
)  # fmt: skip
#: A name or an address with its port: nothing that could be more than a host in somebody's page.
HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
ALLOWED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}
Sent = TypeVar("Sent")


class ReconcileRoute(StrictRoute):
    """A route of the protocol. A body is read within the limits, and understood by the route itself. Query
    parameters that nobody knows are let pass, unless they are slips of known ones: clients of many services send
    a good deal that is meant for others."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind the reading."""
        handler = APIRoute.get_route_handler(self)
        known = (*(field.alias for field in self.dependant.query_params), "callback")

        async def read(request: Request) -> Response:
            refuse_slips(request, known)
            callback = _callback(request)
            taken = StrictRequest(request.scope, request.receive)
            if request.method in WITH_BODY:
                await taken.take(required=False, wanted=False)
            return as_script(await handler(taken), callback)

        return read


def refuse_slips(request: Request, known: tuple[str, ...]) -> None:
    """A parameter that is nearly one of ours was meant as it, and must not quietly do nothing."""
    for name in request.query_params:
        if name in known or name in HEARD:
            continue
        near = difflib.get_close_matches(name[:50], known, n=1)
        if near:
            raise InvalidQuery(f"There is no such parameter here. Did you mean `{near[0]}`?", parameter=name[:50])


# ── JSONP, for clients from before CORS ──


def _callback(request: Request) -> str | None:
    name = request.query_params.get("callback")
    if name is None or request.method in WITH_BODY:
        return None
    if len(name) > LONGEST_CALLBACK or not CALLBACK.fullmatch(name):
        raise InvalidQuery("This is no name of a function: letters, digits, _, $ and dots.", parameter="callback")
    return name


def as_script(response: Response, callback: str | None) -> Response:
    """The answer as a call of this function, where the client asked for one; only JSON is ever made one."""
    if callback is None or response.headers.get("content-type") != "application/json":
        return response
    # Two line ends of Unicode are fine in JSON and were none in older JavaScript.
    plain = bytes(response.body).replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    kept = {name: value for name, value in response.headers.items() if name not in ("content-length", "content-type")}
    # The comment in front keeps the first bytes out of the caller's hands.
    return Response(b"/**/" + callback.encode() + b"(" + plain + b");", headers=kept, media_type=SCRIPT)


# ── Pages of any origin ──


class CrossOrigin:
    """Lets pages of any origin read what the protocol's routes answer, errors included. Nothing there needs a key
    or a cookie, so there is nothing that another page could take from its reader."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_ours(scope["path"]):
            await self.app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and _asks_first(scope):
            await Response(status_code=204, headers=ALLOWED)(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Access-Control-Allow-Origin"] = "*"
            await send(message)

        await self.app(scope, receive, answer)


def _is_ours(path: str) -> bool:
    return path == PREFIX or path.startswith(PREFIX + "/")


def _asks_first(scope: Scope) -> bool:
    return any(name == b"access-control-request-method" for name, _ in scope["headers"])


# ── What was sent ──


def base_of(request: Request) -> tuple[str, bool]:
    """The absolute address of this service's root, and whether it is a setting, so that an answer with it may be
    kept. Without the setting it is what the request itself says, which may be forged: whoever forged it may have
    it back, and nobody else. Raises InvalidQuery for a Host that is none."""
    settings: Settings = request.app.state.settings
    if settings.public_url is not None:
        return settings.public_url.rstrip("/"), True
    if not HOST.fullmatch(request.headers.get("host", "")):
        raise InvalidQuery("This is no name of a host.", parameter="Host")
    return str(request.base_url).rstrip("/"), False


def form_of(request: StrictRequest) -> dict[str, str]:
    """The fields of a form that was sent as body. Raises UnsupportedBody, MalformedBody."""
    kind, *options = request.headers.get("content-type", "").lower().split(";")
    charsets = {value.strip('"') for name, _, value in (option.strip().partition("=") for option in options) if name}
    if kind.strip() != FORM or charsets - {"utf-8"}:
        raise UnsupportedBody(f"The body must be a form in UTF-8: send `Content-Type: {FORM}`.")
    try:
        pairs = parse_qsl(request.raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        raise MalformedBody("The form is not UTF-8.") from None
    except ValueError:
        raise MalformedBody(f"The form has more than {MOST_FIELDS} fields: `queries` or `extend` is one.") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise MalformedBody("The form names the same field twice: which value is meant?")
    return fields


def read_json(text: str, *, parameter: str, depth: int) -> Any:
    """The JSON in a field of a form or the query. Raises InvalidQuery."""
    try:
        return parse_json(text.encode(errors="surrogatepass"), depth=depth)
    except MalformedBody as error:
        # The words are about the body; here its JSON lies in a field.
        said = error.message.replace("The body", "This field").replace("the body", "this field")
        raise InvalidQuery(said, parameter=parameter) from None


def read_as(adapter: TypeAdapter[Sent], value: Any, *, parameter: str) -> Sent:
    """The value as the protocol has it. Each fault is named by its place, `queries/q0/limit`."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        found: list[Mapping[str, Any]] = [
            {**fault, "loc": ("query", parameter + pointer(fault["loc"]))}
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise RequestValidationError(found) from None
