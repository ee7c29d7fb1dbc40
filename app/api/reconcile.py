"""The W3C Reconciliation Service API 0.2 under `/reconcile`: which city does a cell of a spreadsheet mean?

OpenRefine and others ask here. The manifest says what there is; docs/openrefine.md shows how to use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, TypeAdapter

from app.api import answers, reconcile_entities, reconcile_matching, reconcile_pages, reconcile_properties
from app.api.bodies import PLAIN, StrictRequest
from app.api.dependencies import ReadingDep
from app.api.errors import BodyTooLarge, MalformedBody
from app.api.openapi import ANSWERED, UNCHANGED, Responses, problems
from app.api.reconcile_entities import TYPES, type_of
from app.api.reconcile_protocol import (
    CALLBACK,
    FORM,
    LONGEST_CALLBACK,
    PREFIX,
    SCRIPT,
    ReconcileRoute,
    base_of,
    form_of,
    read_as,
    read_json,
)
from app.api.reconcile_queries import plain
from app.api.schemas import reconcile as schemas
from app.api.schemas.reconcile import BATCH_SIZE, MOST_IDS
from app.errors import RecordNotFound
from app.registry.database import ReadingSession

NAME = "Sister-city registry"
DEFAULT_LIMIT, LARGEST_LIMIT, LARGEST_CURSOR = 10, 1000, 100_000
#: What may be in a body, by the name of its field.
ASKED = ("queries", "extend")
QUERIES = TypeAdapter(dict[schemas.Key, schemas.ReconciliationQuery])
EXTENSION = TypeAdapter(schemas.ExtensionQuery)
EXAMPLE = '{"q0":{"query":"Osaka","type":"city","limit":3,"properties":[{"pid":"country","v":"Japan"}]}}'
EXTENSION_EXAMPLE = '{"ids":["1"],"properties":[{"id":"partners","settings":{"limit":3}}]}'

router = APIRouter(prefix=PREFIX, tags=["reconcile"], route_class=ReconcileRoute)


def _read(model: type[BaseModel], *also: int) -> Responses:
    """The `responses` of a GET that answers JSON, or a script for clients that need one."""
    content = {
        f"{SCRIPT}; charset=utf-8": {
            "schema": {"type": "string", "description": "With `callback`: the same as a call of it"}
        }
    }
    told = {"model": model, "headers": ANSWERED, "content": content}
    return {200: told, 304: UNCHANGED, **problems(400, *also)}


Callback = Annotated[
    str | None,
    Query(
        description="JSONP, for clients from before CORS: the function to call",
        max_length=LONGEST_CALLBACK, pattern=f"^{CALLBACK.pattern}$", examples=["show"],
    ),
]  # fmt: skip
Prefix = Annotated[str, Query(description="What was typed so far", max_length=300, examples=["osa"])]
Cursor = Annotated[int, PLAIN, Query(description="How many suggestions to skip", ge=0, le=LARGEST_CURSOR, examples=[0])]
Limit = Annotated[int, PLAIN, Query(description="At most so many", ge=1, le=LARGEST_LIMIT, examples=[DEFAULT_LIMIT])]
Type = Annotated[str, Query(description="The type of the entities; empty: any", max_length=300, examples=["city"])]
Key = Annotated[str, Path(description="The id of an entity: a city's number or identifier, a country's code")]
Listed = Annotated[str, Path(description="The id as a suggestion gave it")]


# ── The manifest, queries and data extension share one address ──


@router.get("", responses=_read(schemas.ReconciliationOffer), summary="What the reconciliation service offers")
def reconcile(
    request: StrictRequest,
    session: ReadingDep,
    queries: Annotated[str | None, Query(description="Queries, as POST takes them", examples=[EXAMPLE])] = None,
    extend: Annotated[
        str | None, Query(description="A data extension, as POST takes it", examples=[EXTENSION_EXAMPLE])
    ] = None,
    callback: Callback = None,
) -> Response:
    """The service's manifest; with `queries` or `extend` what POST answers to them."""
    asked = {name: text for name, text in (("queries", queries), ("extend", extend)) if text is not None}
    if asked:
        return _asked(request, session, asked)
    base, kept = base_of(request)
    response = answers.record_answer(request, manifest(base), revision=session.number(), own=session.number())
    if not kept:
        # The addresses in it are from this request's Host, which may be forged: for nobody else's eyes.
        response.headers["Cache-Control"] = "no-store"
    return response


FORM_BODY = {
    "required": True,
    "content": {
        FORM: {
            "schema": {
                "type": "object",
                "minProperties": 1,
                "properties": {
                    "queries": {
                        "type": "string", "contentMediaType": "application/json",
                        "description": f"Queries by keys of the client's own, as JSON; at most {BATCH_SIZE}",
                    },
                    "extend": {
                        "type": "string", "contentMediaType": "application/json",
                        "description": f"`ids` (at most {MOST_IDS:,}) and `properties`, as JSON",
                    },
                },
            },
            "example": {"queries": EXAMPLE},
        }
    },
}  # fmt: skip


@router.post(
    "",
    responses={200: {"model": schemas.ReconciliationAnswer, "headers": ANSWERED}, **problems(400, 413, 415, 503)},
    openapi_extra={"requestBody": FORM_BODY},
    summary="Reconcile, or fetch properties",
)
def reconcile_batch(request: StrictRequest, session: ReadingDep) -> Response:
    """`queries`: the candidates of each query, best first, scores from 0 to 100; `match` is true for what the
    matcher takes for certain, and for nothing else. `extend`: the values of properties of entities."""
    form = form_of(request)
    return _asked(request, session, {name: form[name] for name in ASKED if name in form})


def _asked(request: Request, session: ReadingSession, asked: Mapping[str, str]) -> Response:
    if len(asked) != 1:
        raise MalformedBody("Send one of `queries` and `extend`, with JSON in it.")
    parameter, text = next(iter(asked.items()))
    value = read_json(text, parameter=parameter, depth=request.app.state.settings.json_depth)
    found = _matched(session, value) if parameter == "queries" else _extended(session, value)
    return answers.record_answer(request, found, revision=session.number(), own=session.number())


def _matched(session: ReadingSession, value: Any) -> dict[str, Any]:
    _refuse_more(value, BATCH_SIZE, "queries")
    batch = read_as(QUERIES, value, parameter="queries")
    return reconcile_matching.answer(session, batch)


def _extended(session: ReadingSession, value: Any) -> dict[str, Any]:
    _refuse_more(value.get("ids") if isinstance(value, dict) else None, MOST_IDS, "ids")
    return reconcile_properties.extend(session, read_as(EXTENSION, value, parameter="extend"))


def _refuse_more(value: Any, most: int, noun: str) -> None:
    if isinstance(value, Sequence | Mapping) and len(value) > most:
        raise BodyTooLarge(f"There are more than {most:,} {noun}: send them in several requests.")


def manifest(base: str) -> dict[str, Any]:
    """What the service is and where its parts are; `base`: the absolute address of the root."""
    service = base + PREFIX
    kinds = ("entity", "property", "type")
    return {
        "versions": ["0.2"],
        "name": NAME,
        "serviceVersion": version("sistercities"),
        "documentation": f"{base}/docs",
        "identifierSpace": f"{service}/view/",
        "schemaSpace": f"{service}/suggest/property",
        "defaultTypes": [type_of(name) for name in TYPES],
        "batchSize": BATCH_SIZE,
        "view": {"url": f"{service}/view/{{{{id}}}}"},
        "preview": {
            "url": f"{service}/preview/{{{{id}}}}",
            "width": reconcile_pages.WIDTH, "height": reconcile_pages.HEIGHT,
        },
        "suggest": {
            kind: {
                "service_url": service, "service_path": f"/suggest/{kind}",
                "flyout_service_url": service, "flyout_service_path": f"/flyout/{kind}/${{id}}",
            }
            for kind in kinds
        },
        "extend": {
            "propose_properties": {"service_url": service, "service_path": "/properties"},
            "property_settings": reconcile_properties.OFFERED,
        },
    }  # fmt: skip


# People paste addresses with a slash at the end, and clients use them as they are.
router.add_api_route("/", reconcile, methods=["GET"], include_in_schema=False)
router.add_api_route("/", reconcile_batch, methods=["POST"], include_in_schema=False)


# ── Suggestions ──


@router.get("/suggest/entity", responses=_read(schemas.Suggested), summary="Cities and countries by prefix")
def suggest_entities(
    request: Request, session: ReadingDep, *, prefix: Prefix = "", type: Type = "", cursor: Cursor = 0,
    limit: Limit = DEFAULT_LIMIT, callback: Callback = None,
) -> Response:  # fmt: skip
    """Entities with a name that begins so, in any language, script or spelling; or of this id or identifier."""
    types = [name for name in TYPES if not type or name == type]
    typed = plain(prefix)
    found = reconcile_entities.suggest(session, typed, types=types, skip=cursor, limit=limit + 1) if types else []
    shown = [
        {"id": each.id, "name": each.name, "description": each.description, "notable": [type_of(each.type)]}
        for each in found
    ]
    return _suggested(request, session, shown, cursor=cursor, limit=limit)


@router.get("/suggest/property", responses=_read(schemas.Suggested), summary="Properties by prefix")
def suggest_properties(
    request: Request, session: ReadingDep, *, prefix: Prefix = "", type: Type = "", cursor: Cursor = 0,
    limit: Limit = LARGEST_LIMIT, callback: Callback = None,
) -> Response:  # fmt: skip
    """Properties whose id or a word of whose name begins so: they narrow queries, and can be fetched."""
    shown = [each.shown() for each in reconcile_properties.of_type(type)]
    return _suggested(request, session, _beginning(prefix, shown)[cursor:], cursor=cursor, limit=limit)


@router.get("/suggest/type", responses=_read(schemas.Suggested), summary="Types by prefix")
def suggest_types(
    request: Request, session: ReadingDep, *, prefix: Prefix = "", cursor: Cursor = 0, limit: Limit = DEFAULT_LIMIT,
    callback: Callback = None,
) -> Response:  # fmt: skip
    """Types of entities whose id or name begins so."""
    return _suggested(request, session, _beginning(prefix, _types())[cursor:], cursor=cursor, limit=limit)


def _types() -> list[dict[str, str]]:
    return [{"id": key, "name": name, "description": told} for key, (name, told) in TYPES.items()]


def _beginning(prefix: str, shown: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    begun = prefix.strip().casefold()
    return [
        each for each in shown
        if any(word.casefold().startswith(begun) for word in (each["id"], each["name"], *each["name"].split()))
    ]  # fmt: skip


def _suggested(
    request: Request, session: ReadingSession, shown: Sequence[Mapping[str, Any]], *, cursor: int, limit: int
) -> Response:
    """A page of suggestions; it says where to go on if there are more."""
    body: dict[str, Any] = {"result": list(shown[:limit])}
    if len(shown) > limit:
        body["cursor"] = cursor + limit
    return answers.record_answer(request, body, revision=session.number())


@router.get("/properties", responses=_read(schemas.Proposal), summary="Properties that can be fetched")
def propose_properties(
    request: Request, session: ReadingDep, type: Type = "", limit: Limit = LARGEST_LIMIT, callback: Callback = None
) -> Response:
    """The properties of a type that a data extension can fetch, the most wanted first."""
    shown = [each.shown() for each in reconcile_properties.of_type(type)]
    body = {"properties": shown[:limit], "type": type, "limit": limit}
    return answers.record_answer(request, body, revision=session.number())


# ── Previews ──


@router.get("/flyout/entity/{key}", responses=_read(schemas.Flyout, 404), summary="An entity in a few words")
def show_entity_flyout(request: Request, session: ReadingDep, key: Key, callback: Callback = None) -> Response:
    """A bit of HTML to show beside the suggestion."""
    entity = reconcile_entities.one(session, key)
    return _flyout(request, session, key, entity.name, entity.description)


@router.get("/flyout/property/{key}", responses=_read(schemas.Flyout, 404), summary="A property in a few words")
def show_property_flyout(request: Request, session: ReadingDep, key: Listed, callback: Callback = None) -> Response:
    """A bit of HTML to show beside the suggestion."""
    known = reconcile_properties.PROPERTIES.get(key)
    if known is None:
        raise RecordNotFound("properties", key)
    return _flyout(request, session, key, known.name, known.description)


@router.get("/flyout/type/{key}", responses=_read(schemas.Flyout, 404), summary="A type in a few words")
def show_type_flyout(request: Request, session: ReadingDep, key: Listed, callback: Callback = None) -> Response:
    """A bit of HTML to show beside the suggestion."""
    if key not in TYPES:
        raise RecordNotFound("types", key)
    return _flyout(request, session, key, *TYPES[key])


def _flyout(request: Request, session: ReadingSession, key: str, name: str, description: str) -> Response:
    body = {"id": key, "html": reconcile_pages.flyout(name, description)}
    return answers.record_answer(request, body, revision=session.number())


PAGE: Responses = {
    200: {
        "content": {"text/html; charset=utf-8": {"schema": {"type": "string"}}},
        "headers": ANSWERED,
        "description": "A small page",
    },
    304: UNCHANGED,
    **problems(400, 404),
}


@router.get("/preview/{key}", responses=PAGE, response_class=Response, summary="An entity as a small page")
def preview_entity(request: Request, session: ReadingDep, key: Key) -> Response:
    """HTML for a frame: what the entity is, its partnerships and partners. It runs and loads nothing."""
    revision = session.number()
    unchanged = answers.list_unchanged(request, revision)
    if unchanged is not None:
        return unchanged
    entity = reconcile_entities.one(session, key)
    page = reconcile_pages.preview(session, entity, address=answers.link(request, entity.path))
    headers = {
        "ETag": f'W/"{revision}"', "Registry-Revision": str(revision), "Cache-Control": "no-cache",
        "Content-Security-Policy": reconcile_pages.POLICY,
    }  # fmt: skip
    return Response(page, media_type="text/html", headers=headers)


@router.get(
    "/view/{key}",
    status_code=303,
    responses={303: {"description": "Where the record is", "headers": {"Location": {"schema": {"type": "string"}}}},
               **problems(400, 404)},
    response_class=Response,
    summary="Where an entity's record is",
)  # fmt: skip
def view_entity(request: Request, session: ReadingDep, key: Key) -> Response:
    """Leads to the record of the entity: the address by which others name it."""
    entity = reconcile_entities.one(session, key)
    headers = {"Location": answers.link(request, entity.path), "Cache-Control": "no-cache"}
    return Response(status_code=303, headers=headers)
