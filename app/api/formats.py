"""Lists in other formats than JSON: which one a request asks for, and the streamed answer.

The format stands behind the list's name (`/v1/partnerships.csv`) or in `Accept`. JSON comes in pages; every other
format is everything that the filters select, from one snapshot that the answer opens for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any

import anyio
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api import answers
from app.api.dependencies import database_of
from app.api.errors import InvalidQuery, NotAcceptable
from app.api.openapi import problems
from app.errors import InvalidValue
from app.exchange import exporting, flat
from app.exchange.exporting import Export, Format
from app.registry.database import ReadingSession, translated

#: The format that comes in pages.
PAGES = "json"
#: Where a stream's own word goes that JSON has in its body.
HEADERS = {"left_out_as_undated": "Left-Out-As-Undated"}
#: Parameters of pages, and of everything else.
OF_PAGES = ("limit", "cursor", "count")
OF_BULK = ("bookkeeping", "trailer")
CHOICES = {"true": True, "false": False}
_END: Any = object()


# ── What the document says ──


def _parameter(name: str, description: str, default: str) -> dict[str, Any]:
    schema = {"type": "string", "enum": list(CHOICES), "default": default}
    return {
        "name": name, "in": "query", "required": False, "schema": schema, "description": description,
        "example": default,
    }  # fmt: skip


def parameters(name: str) -> list[dict[str, Any]]:
    """The parameters of a list's other formats."""
    trailer = _parameter("trailer", "In CSV: `false` leaves out the last row, which vouches for the others", "true")
    if name in flat.WITHOUT_BOOKKEEPING:
        return [trailer]
    more = "In other formats than JSON: `true` adds revision, created_at and updated_at"
    return [_parameter("bookkeeping", more, "false"), trailer]


#: What of the other formats OpenAPI can describe.
_SCHEMAS = {"geojson": {"type": "object", "required": ["type", "features", "count", "sha256"]}}


def documented(name: str) -> dict[str, Any]:
    """What a list's operation says of its answers in other formats."""
    shown = [each for each in exporting.formats_of(name) if each.name != PAGES]
    content = {each.media_type: {"schema": _SCHEMAS.get(each.name, {"type": "string"})} for each in shown}
    return {"200": {"content": content}} | {str(status): told for status, told in problems(406, 501).items()}


def path_parameter(name: str) -> dict[str, Any]:
    """The part of an address that names the format."""
    known = [each.name for each in exporting.formats_of(name)]
    return {
        "name": "format", "in": "path", "required": True, "schema": {"type": "string", "enum": known},
        "description": "The format. JSON comes in pages; all others are everything that the filters select.",
    }  # fmt: skip


# ── Which one ──


def chosen(request: Request, name: str) -> str:
    """The format that the request asks for. Raises NotAcceptable (406)."""
    known = exporting.formats_of(name)
    suffix = request.path_params.get("format")
    if suffix is not None:
        return _by_suffix(str(suffix), known)
    accept = ", ".join(request.headers.getlist("accept")).strip()
    return _by_accept(accept, known) if accept else PAGES


def _by_suffix(suffix: str, known: Sequence[Format]) -> str:
    if suffix in (each.name for each in known):
        return suffix
    raise _not_acceptable(known)


def _by_accept(accept: str, known: Sequence[Format]) -> str:
    ranges = dict(_ranges(accept))
    weighed = [(*_weight(ranges, each), -place) for place, each in enumerate(known)]
    quality, _, place = max(weighed)
    if quality == 0:
        raise _not_acceptable(known)
    return known[-place].name


def _not_acceptable(known: Sequence[Format]) -> NotAcceptable:
    listed = {each.name: _bare(each.media_type) for each in known}
    return NotAcceptable(f"This list comes as {', '.join(listed)}: by suffix, or by `Accept`.", formats=listed)


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Media ranges with their quality (RFC 9110, 12.5.1). What cannot be read is passed over."""
    for part in accept.split(","):
        kind, *options = part.split(";")
        quality = 1.0
        for option in options:
            name, _, value = option.partition("=")
            if name.strip().lower() == "q":
                with suppress(ValueError):
                    quality = min(1.0, max(0.0, float(value.strip())))
        if "/" in kind:
            yield kind.strip().lower(), quality


def _weight(ranges: Mapping[str, float], format: Format) -> tuple[float, int]:
    """How much a format is wanted, and how exactly it is named: the most exact range is the one that counts."""
    kinds = [_bare(format.media_type), *format.aliases]
    for exactness, wanted in ((2, kinds), (1, [f"{kind.partition('/')[0]}/*" for kind in kinds]), (0, ["*/*"])):
        found = [ranges[each] for each in wanted if each in ranges]
        if found:
            return max(found), exactness
    return 0.0, 0


# ── The answer ──


def streamed(
    request: Request, name: str, format: str, *, query: Mapping[str, Sequence[str]], sort: str | None = None
) -> Response:
    """Everything that the query selects, as a stream. 304 where the reader has it. Raises InvalidQuery (400)."""
    options = _options(request, format)
    session = database_of(request).snapshot()
    try:
        with translated():
            revision = session.number()
            # Under an address of its own a list has the tag that lists have; beside JSON it needs another one.
            told = "" if "format" in request.path_params else format
            unchanged = answers.list_unchanged(request, revision, format=told)
            if unchanged is not None:
                session.close()
                return unchanged
            export = _opened(session, name, format, query, sort=sort, **options)
            headers = answers.list_headers(revision, format=told) | _asides(session, name, query)
    except BaseException:
        session.close()
        raise
    headers["Content-Disposition"] = f'attachment; filename="{name}.{format}"'
    return Stream(request, session, export, media_type=exporting.FORMATS[format].media_type, headers=headers)


def refuse_options(request: Request) -> None:
    """That a page was asked for no more than pages have."""
    for name in OF_BULK:
        if name in request.query_params:
            raise InvalidQuery("This is for other formats than pages of JSON.", parameter=name)


def _options(request: Request, format: str) -> dict[str, bool]:
    given = request.query_params
    for name in OF_PAGES:
        if name in given:
            raise InvalidQuery("Only JSON comes in pages; this format is everything at once.", parameter=name)
    if "trailer" in given and format != "csv":
        raise InvalidQuery("Only CSV can leave its last row out.", parameter="trailer")
    for name in OF_BULK:
        if given.get(name, "true") not in CHOICES:
            raise InvalidQuery("This must be one of: true, false.", parameter=name)
    return {name: CHOICES[given[name]] for name in OF_BULK if name in given}


def _opened(session: ReadingSession, name: str, format: str, query: Any, **options: Any) -> Export:
    try:
        return exporting.opened(session, name, format, query=query, **options)
    except InvalidValue as error:
        raise InvalidQuery(error.message, parameter=error.field or "query") from None


def _asides(session: ReadingSession, name: str, query: Any) -> dict[str, str]:
    told = exporting.Selection(session, name, query).aside()
    return {HEADERS[key]: str(value) for key, value in told.items()}


class Stream(StreamingResponse):
    """An export on its way. Each batch is read in the lane of the reads, so that other reads have their turn between
    two; what needs the database no more is done elsewhere."""

    def __init__(
        self,
        request: Request,
        session: ReadingSession,
        export: Export,
        *,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(self._chunks(), media_type=media_type, headers=dict(headers))
        self.session, self.export = session, export
        self.lane: Executor | None = request.app.state.reads
        self.nobody_reads = bool(request.scope.get("without_body"))
        self._step: asyncio.Future[Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; whatever becomes of that, the snapshot is given back."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._close()

    async def _chunks(self) -> AsyncIterator[bytes]:
        if self.nobody_reads:
            return
        while (chunk := await self._in_lane(next, self.export.gathered, _END)) is not _END:
            if chunk:
                yield chunk
        # A reader who takes the rest slowly need not keep the snapshot.
        await self._in_lane(self.session.close)
        rest = self.export.rest()
        while (chunk := await run_in_threadpool(next, rest, _END)) is not _END:
            yield chunk

    async def _in_lane(self, function: Any, *given: Any) -> Any:
        loop = asyncio.get_running_loop()
        self._step = loop.run_in_executor(self.lane, function, *given)
        return await asyncio.shield(self._step)

    async def _close(self) -> None:
        if self._step is not None and not self._step.done():
            # The reader went away while a batch was being read: the session is not closed under it.
            await asyncio.wait([self._step])
        await asyncio.get_running_loop().run_in_executor(self.lane, self._let_go)

    def _let_go(self) -> None:
        self.session.close()
        self.export.close()
