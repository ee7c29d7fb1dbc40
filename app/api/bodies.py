"""Strict JSON bodies. What a lenient parser lets through (NaN, twice the same key, half a character) fails
later, where nobody can say why: it is refused here, as a 400 that names the reason."""

from __future__ import annotations

import asyncio
import difflib
import json
import math
import re
from collections.abc import Callable, Coroutine, Mapping
from contextvars import copy_context
from functools import partial, wraps
from typing import Any, TypeVar, get_args, get_origin

from fastapi import APIRouter, Request, Response
from fastapi import params as parameters
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from pydantic import BeforeValidator
from starlette.requests import ClientDisconnect

from app.api.errors import WITH_BODY, BodyTooLarge, InvalidQuery, MalformedBody, UnsupportedBody
from app.registry.database import ReadingSession, translated
from app.settings import Settings

JSON_TYPE = re.compile(r"application/(json|[a-z0-9!#$&^_.-]+\+json)")
STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)
T = TypeVar("T")
D = TypeVar("D", bound=Callable[..., Any])
LARGEST, SMALLEST = 2**63 - 1, -(2**63)
LONGEST_INTEGER = len(str(SMALLEST))


def _plain(said: Any) -> Any:
    # Pydantic would take 5.0, +5, 1_0 and blanks as well: one record, one address.
    return said if not isinstance(said, str) or re.fullmatch("-?[0-9]+", said) else "no number"


#: For whole numbers in addresses.
PLAIN = BeforeValidator(_plain)


def parse_json(raw: bytes, *, depth: int) -> Any:
    """The JSON value of a body: UTF-8, nested at most `depth` deep, numbers within 64 bits. Raises MalformedBody."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise MalformedBody(f"The body is not UTF-8: byte {error.start + 1} cannot be read.") from None
    _refuse_depth(text, depth)
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise MalformedBody(f"The body is not JSON: {error.msg} at {place}.") from None
    _refuse_half_characters(text, value)
    return value


def _refuse_depth(text: str, limit: int) -> None:
    # Before the parser, which would run out of stack.
    depth = 0
    for found in STRING_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
        elif found[0] in "]}":
            depth -= 1
        if depth > limit:
            raise MalformedBody(f"The body is nested too deeply: at most {limit} levels are read.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise MalformedBody("An object in the body names the same key twice: which value is meant?")
    return value


def _integer(digits: str) -> int:
    if len(digits) <= LONGEST_INTEGER and SMALLEST <= int(digits) <= LARGEST:
        return int(digits)
    raise MalformedBody("A number in the body is too large: integers have at most 64 bits.")


def _number(digits: str) -> float:
    value = float(digits)
    if math.isfinite(value):
        return value
    raise MalformedBody("A number in the body is too large to be kept.")


def _constant(name: str) -> Any:
    raise MalformedBody(f"{name} is not JSON: leave the field out, or send null.")


def _refuse_half_characters(text: str, value: Any) -> None:
    # Only an escape can make one: the text itself was UTF-8.
    if "\\u" not in text:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise MalformedBody("A text in the body holds half of a surrogate pair, which is no character.") from None


class StrictRequest(Request):
    """A request whose body was read once, within limits. `raw`: its bytes; `value`: what it says as JSON."""

    raw: bytes = b""
    value: Any = None

    async def take(self, *, required: bool, wanted: bool) -> None:
        """Read the body. `wanted`: the route takes one; `required`: and not without."""
        settings: Settings = self.app.state.settings
        self.raw = await self._read(settings.body_limit)
        if wanted and self.raw:
            self._check_type()
            self.value = parse_json(self.raw, depth=settings.json_depth)
        elif required:
            raise MalformedBody("The body is empty: this request needs a JSON object.")

    async def _read(self, limit: int) -> bytes:
        too_large = BodyTooLarge(f"The body is larger than {limit:,} bytes, the most that is read.")
        announced = self.headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > limit:
            raise too_large
        read = bytearray()
        try:
            async for chunk in super().stream():
                read += chunk
                if len(read) > limit:
                    raise too_large
        except ClientDisconnect:
            raise MalformedBody("The body ended before it was complete.") from None
        return bytes(read)

    def _check_type(self) -> None:
        kind, *options = self.headers.get("content-type", "").lower().split(";")
        if not JSON_TYPE.fullmatch(kind.strip()):
            raise UnsupportedBody("The body must be JSON: send `Content-Type: application/json`.")
        for option in options:
            name, _, value = option.strip().partition("=")
            if name == "charset" and value.strip('"') != "utf-8":
                raise UnsupportedBody("The body must be UTF-8: leave the charset out.")

    async def body(self) -> bytes:
        """The bytes of the body."""
        return self.raw

    async def json(self) -> Any:
        """What the body says. FastAPI asks for it here, so nothing reaches a route round the strict parser."""
        return self.value


class StrictRoute(APIRoute):
    """A route that reads its body strictly, takes no query parameter that it does not know, and gives the
    connection of its reading session back in the thread that used it. Reads have a lane of their own, so that
    writes that wait for the lock never hold them up."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, _in_its_lane(endpoint), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind the strict reading."""
        handler = _straight_handler(self) or super().get_route_handler()
        known = query_parameters(self.dependant) | _documented(self.openapi_extra)
        wanted = self.body_field is not None
        required = self.body_field is not None and self.body_field.field_info.is_required()

        async def strict(request: Request) -> Response:
            refuse_unknown_parameters(request, known)
            taken = StrictRequest(request.scope, request.receive)
            if request.method in (*WITH_BODY, "DELETE"):
                await taken.take(required=required, wanted=wanted)
            return await handler(taken)

        return strict


def straight(value: Callable[[Request], T]) -> Callable[[D], D]:
    """Marks a dependency of which `value` makes the same from the request: quickly, without I/O, needing no
    clearing up but what the route itself does. Routes that have only such ones are called straight, since
    FastAPI's way of solving dependencies costs as much as a page of rows."""

    def mark(dependency: D) -> D:
        dependency.straight = value  # type: ignore[attr-defined]
        return dependency

    return mark


def _straight_handler(route: APIRoute) -> Callable[[Request], Coroutine[Any, Any, Response]] | None:
    """The handler of a read that needs nothing but straight dependencies and the request; else None."""
    own = route.dependant
    asked: dict[str, Any] = {each.name or "": getattr(each.call, "straight", None) for each in own.dependencies}
    others = (own.path_params, own.query_params, own.header_params, own.cookie_params, own.body_params)
    if not asked or None in asked.values() or any(others) or own.request_param_name is None:
        return None
    endpoint: Any = own.call
    name = own.request_param_name

    async def handle(request: Request) -> Response:
        given = {parameter: make(request) for parameter, make in asked.items()}
        with translated():
            answer: Response = await endpoint(**given, **{name: request})
        return answer

    return handle


def _in_its_lane(endpoint: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(endpoint)
    async def run(**given: Any) -> Any:
        session = next((value for value in given.values() if isinstance(value, ReadingSession)), None)
        if session is None or session.info["lane"] is None:
            return await run_in_threadpool(_closing, endpoint, session, given)
        told = partial(copy_context().run, _closing, endpoint, session, given)
        return await asyncio.get_running_loop().run_in_executor(session.info["lane"], told)

    return run


def _closing(endpoint: Callable[..., Any], session: ReadingSession | None, given: dict[str, Any]) -> Any:
    try:
        return endpoint(**given)
    finally:
        if session is not None:
            session.close()


def query_parameters(dependant: Dependant) -> dict[str, bool]:
    """The names that a route knows, each with whether it may be repeated."""
    others = (parameters.Path, parameters.Header, parameters.Cookie)
    fields = [field for field in get_flat_params(dependant) if not isinstance(field.field_info, others)]
    return {field.alias: _takes_several(field.field_info.annotation) for field in sorted(fields, key=lambda f: f.alias)}


def _documented(extra: Mapping[str, Any] | None) -> dict[str, bool]:
    """The same of parameters that a route reads by hand and documents itself (lists do)."""
    found = (extra or {}).get("parameters", ())
    return {each["name"]: each["schema"].get("type") == "array" for each in found if each["in"] == "query"}


def _takes_several(annotation: Any) -> bool:
    return any(get_origin(each) is list for each in (annotation, *get_args(annotation)))


def refuse_unknown_parameters(request: Request, known: Mapping[str, bool]) -> None:
    """A misspelt filter must not quietly select everything, nor one of two limits win. Names the nearest known."""
    for name in request.query_params:
        if name in known:
            if not known[name] and len(request.query_params.getlist(name)) > 1:
                raise InvalidQuery("This parameter is given twice: which value is meant?", parameter=name)
            continue
        near = difflib.get_close_matches(name[:50], known, n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        listed = f" It takes: {', '.join(known)}." if known else " It takes none."
        raise InvalidQuery(f"This address does not know this query parameter.{hint}{listed}", parameter=name[:50])


def noun_router(noun: str, **options: Any) -> APIRouter:
    """The router of one noun under `/v1` (`noun` as in its URL), with strict routes."""
    return APIRouter(prefix=f"/v1/{noun}", tags=[noun], route_class=StrictRoute, **options)
