"""Imports over HTTP: a file as the body, or as a part of a form; streamed to the disk, then judged row by row.

The body has a limit of its own and is never held in memory. The answer has a line for every row, as JSON, or as the
report alone (CSV, NDJSON) where `Accept` asks for one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Message

from app.api.bodies import query_parameters, refuse_unknown_parameters
from app.api.dependencies import Credentials, authenticate, database_of
from app.api.errors import BodyTooLarge, InvalidQuery, MalformedBody, UnsupportedBody
from app.api.openapi import OF_BODIES, OF_WRITES, Responses, problems
from app.api.schemas.imports import ImportOut
from app.exchange import import_files, importing, reports, returning
from app.exchange.importing import Applied, Options, Plan
from app.exchange.reading import Opened
from app.exchange.records import SourceNamed
from app.exchange.returning import Returning
from app.registry import Database, accounts
from app.registry.content import chunks
from app.settings import Settings

LINES = 500
LONGEST_NAME = 200
FORM = "multipart/form-data"
#: The report alone, by media type.
REPORTS = {"text/csv": "csv", "application/x-ndjson": "ndjson"}
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
EXAMPLE = [{"city1": "Kyoto", "country1": "JP", "city2": "Kyiv", "country2": "UA", "since": "1971"}]
EXAMPLE_CSV = "city1,country1,city2,country2,since\r\nKyoto,JP,Kyiv,UA,1971\r\n"


class StreamedRoute(APIRoute):
    """A route that reads its body itself, piece by piece, and takes no query parameter that it does not know."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind a look at the parameters."""
        handler = super().get_route_handler()
        known = query_parameters(self.dependant)

        async def strict(request: Request) -> Response:
            refuse_unknown_parameters(request, known)
            return await handler(request)

        return strict


Judged = Plan | Returning
router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=StreamedRoute)

_TEXT: dict[str, Any] = {"schema": {"type": "string"}, "example": EXAMPLE_CSV}
_FILE = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
_ROWS = {"type": "array", "items": {"type": "object"}, "minItems": 1}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file: CSV (any delimiter), TSV, NDJSON, JSON, XLSX, or SPARQL results in JSON or CSV.",
        "content": {
            "application/json": {"schema": _ROWS, "example": EXAMPLE},
            "text/csv": _TEXT,
            "application/octet-stream": _TEXT,
            FORM: {"schema": _FILE, "example": {"file": EXAMPLE_CSV}},
        },
    }
}
REVISION = {"description": "The revision that the rows were judged by, or that was made.", "schema": {"type": "string"}}
RESPONSES: Responses = {
    200: {
        "model": ImportOut,
        "headers": {"Registry-Revision": REVISION},
        "content": {media: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()},
    },
    **problems(*OF_WRITES, *OF_BODIES),
}
Mode = Annotated[
    Literal["check", "apply"],
    Query(description="`check` only judges; `apply` writes, as one revision", examples=["check"]),
]
Noun = Annotated[
    Literal["partnerships", "cities", "programs", "organisations", "sources"] | None,
    Query(description="What the rows are, instead of what the columns say", examples=["partnerships"]),
]
Format = Annotated[
    Literal["csv", "tsv", "ndjson", "json", "xlsx", "sparql"] | None,
    Query(description="What the file is, instead of a look at it", examples=["json"]),
]
Encoding = Annotated[
    str | None, Query(max_length=40, description="Its encoding, instead of a look at it", examples=["utf-8"])
]
Column = Annotated[
    list[str] | None,
    Query(
        description="`NAME=HEADER`: which column is which; `NAME==VALUE`: a value for every row",
        examples=[["established=since"]],
    ),
]
Title = Annotated[
    str | None,
    Query(max_length=500, description="Where rows come from that do not say it", examples=["Minutes of the council"]),
]
Url = Annotated[str | None, Query(max_length=2000, description="Its address", examples=["https://example.org/list"])]
Kind = Annotated[
    Literal["sister_city", "twin_town", "friendship_city", "partner_city", "cooperation", "project", "charter", "other"]
    | None,
    Query(description="Of partnerships whose row says none; default `sister_city`", examples=["sister_city"]),
]
CreateCities = Annotated[
    Literal["true", "false"] | None,
    Query(description="Add cities that are not known; default: if the file says where they lie", examples=["true"]),
]
Flag = Literal["true", "false"]
Complete = Annotated[
    Flag | None,
    Query(
        description="Complete new cities from GeoNames; default: where its data are installed, up to 1,000 places",
        examples=["false"],
    ),
]
OnError = Annotated[
    Literal["stop", "skip"],
    Query(description="`stop`: write nothing if any row is refused; `skip`: write the others", examples=["skip"]),
]
InsistOnMore = Annotated[
    Flag, Query(description="A pair that holds a partnership of another kind gets one more", examples=["false"])
]
FileName = Annotated[
    str | None,
    Query(max_length=LONGEST_NAME, description="The file's name, for the history", examples=["partners.json"]),
]


@router.post("", responses=RESPONSES, openapi_extra=BODY, summary="Import a file", response_model=None)
async def import_file(
    request: Request,
    *,
    credentials: Credentials,
    mode: Mode = "check",
    noun: Noun = None,
    format: Format = None,
    encoding: Encoding = None,
    column: Column = None,
    source: Title = None,
    source_url: Url = None,
    kind: Kind = None,
    create_cities: CreateCities = None,
    complete: Complete = None,
    on_error: OnError = "stop",
    insist: InsistOnMore = "false",
    name: FileName = None,
) -> Response:
    """Check the rows of a file, or take them in as one revision. Both need the role editor: a file costs disk and
    time. Every row is created, same, changed, ambiguous or refused, with the reason; `Accept: text/csv` or
    `application/x-ndjson` gives the report alone."""
    database = database_of(request)
    account = await run_in_threadpool(_account, database, credentials)
    options = Options(
        source=SourceNamed(title=source or "", url=source_url or "") if source or source_url else None,
        kind=kind,
        create_cities=_whether(create_cities),
        complete=_whether(complete),
        on_error=on_error,
        insist=insist == "true",
    )
    opened = ExitStack()
    try:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="sistercities-import-")))
        path = folder / "body"
        found = await _receive(request, path)
        work = _Work(database, account, options, mode, name or found)
        told = {"noun": noun, "columns": _columns(column), "format": format, "encoding": encoding}
        plan, answer = await run_in_threadpool(work.do, path, told)
        opened.callback(plan.close)
        return _answer(request, plan, answer, opened)
    except BaseException:
        await run_in_threadpool(opened.close)
        raise


def _account(database: Database, credentials: Any) -> str:
    with database.reading() as session:
        principal = authenticate(session, credentials, role="editor")
    accounts.mark_used(database, principal)
    return principal.account


def _whether(said: str | None) -> bool | None:
    return None if said is None else said == "true"


def _columns(given: list[str] | None) -> dict[str, str]:
    columns: dict[str, str] = {}
    for each in given or ():
        name, equals, header = each.partition("=")
        if not (name.strip() and equals and header):
            raise InvalidQuery("Write NAME=HEADER, such as city1=Stadt.", parameter="column")
        columns[name.strip()] = header
    return columns


# ── The file ──


async def _receive(request: Request, path: Path) -> str | None:
    """Write the file of the request to the path; the name that it was given, if any."""
    settings: Settings = request.app.state.settings
    limited = _limited(request, settings.import_limit)
    try:
        if request.headers.get("content-type", "").lower().startswith(FORM):
            return await _receive_form(limited, path)
        with path.open("wb") as file:
            async for chunk in limited.stream():
                file.write(chunk)
    except ClientDisconnect:
        raise MalformedBody("The body ended before it was complete.") from None
    return None


def _limited(request: Request, limit: int) -> Request:
    """The request, which refuses to give more of its body than the setting allows."""
    too_large = BodyTooLarge(f"The file is larger than {limit:,} bytes, the most that is imported over HTTP.")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise too_large
    read = 0

    async def receive() -> Message:
        nonlocal read
        message = await request.receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise too_large
        return message

    return Request(request.scope, receive)


async def _receive_form(request: Request, path: Path) -> str | None:
    try:
        async with request.form(max_files=1, max_fields=0) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise UnsupportedBody("The form holds no file: send it as the part `file`.")
            with path.open("wb") as kept:
                async for chunk in _pieces(file):
                    kept.write(chunk)
            return _plain_name(file.filename)
    except HTTPException:
        # Starlette's own, without a word of what is wrong.
        raise MalformedBody("The form cannot be read: its parts are not divided as its header says.") from None


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(1 << 18):
        yield chunk


def _plain_name(given: str | None) -> str | None:
    """The last part of a file's name, without what cannot be shown."""
    plain = PurePath((given or "").replace("\\", "/")).name
    return "".join(letter for letter in plain if letter.isprintable())[:LONGEST_NAME] or None


# ── The work, in a thread ──


class _Work:
    """One import."""

    def __init__(self, database: Database, account: str, options: Options, mode: str, name: str | None) -> None:
        self.database, self.account, self.options = database, account, options
        self.mode, self.name = mode, name

    def do(self, path: Path, told: Mapping[str, Any]) -> tuple[Judged, dict[str, Any]]:
        """Judge all rows, and write them where that is asked; the plan, and what is to be said of it."""
        opened = import_files.open_file(path, **told)
        own = opened.format == import_files.OWN
        planned = self._of_export(path, told["noun"]) if own else self._of_rows(opened)
        try:
            applied = self._apply(planned) if self.mode == "apply" else None
        except BaseException:
            planned.close()
            raise
        return planned, _told(planned, opened, applied, self.mode, self.name)

    def _of_export(self, path: Path, noun: str | None) -> Returning:
        return returning.plan(self.database, path, noun=noun, on_error=self.options.on_error)

    def _of_rows(self, opened: Opened) -> Plan:
        writes = self.mode == "apply"
        try:
            return import_files.plan(self.database, opened, self.options, name=self.name or "", writes=writes)
        except importing.SourceNeeded as error:
            raise InvalidQuery(error.message, parameter="source") from None

    def _apply(self, planned: Judged) -> Applied:
        if isinstance(planned, Returning):
            return returning.apply(self.database, planned, account=self.account)
        return importing.apply(self.database, planned, account=self.account)


def _told(planned: Judged, opened: Opened, applied: Applied | None, mode: str, name: str | None) -> dict[str, Any]:
    return {
        "mode": mode,
        "noun": opened.noun or "export",
        "file": name,
        "sha256": opened.sha256,
        "columns": opened.columns,
        "ignored": opened.ignored,
        "remarks": opened.remarks,
        "rows": planned.rows,
        **planned.totals,
        "stopped": planned.stops,
        "revision": None if applied is None else applied.revision,
    }


# ── The answer ──


def _answer(request: Request, planned: Judged, told: Mapping[str, Any], opened: ExitStack) -> Response:
    wanted = _wanted(request.headers.get("accept", ""))
    headers = {"Registry-Revision": str(told["revision"] or planned.revision), "Cache-Control": "no-store"}
    if wanted is None:
        chunks_ = _json(planned, told, opened)
        return StreamingResponse(chunks_, media_type="application/json", headers=headers)
    return StreamingResponse(_report(planned, wanted, opened), media_type=MEDIA_TYPES[wanted], headers=headers)


def _wanted(accept: str) -> str | None:
    """The report that is asked for; None: JSON."""
    for each in accept.lower().split(","):
        media = each.partition(";")[0].strip()
        if media in REPORTS:
            return REPORTS[media]
        if media in ("application/json", "*/*"):
            return None
    return None


def _json(planned: Judged, told: Mapping[str, Any], opened: ExitStack) -> Iterator[bytes]:
    with opened:
        yield orjson.dumps(told)[:-1] + b',"lines":['
        between = b""
        for batch in chunks(planned.lines(), LINES):
            yield between + b",".join(orjson.dumps(reports.shown(line)) for line in batch)
            between = b","
        yield b"]}"


def _report(planned: Judged, wanted: str, opened: ExitStack) -> Iterator[bytes]:
    with opened:
        for batch in chunks(reports.WRITERS[wanted](planned.lines()), LINES):
            yield b"".join(batch)
