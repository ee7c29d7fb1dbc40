"""Lists: their query parameters, declared from each noun's table of filters, their pages, and their other formats."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request, Response
from starlette.datastructures import QueryParams

from app.api import answers, formats
from app.api.bodies import straight
from app.api.errors import InvalidQuery
from app.errors import InvalidValue
from app.registry.database import ReadingSession
from app.registry.filters import Filter
from app.registry.paging import DEFAULT_LIMIT, LARGEST_LIMIT, Page

COUNTS = ("none", "exact")
LONGEST_CURSOR = 8000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list request asked for: parameter → its repeats, each as it was sent."""

    query: Mapping[str, Sequence[str]]
    limit: int
    cursor: str | None
    sort: str | None
    exact: bool


def asked_of(view: Any) -> Any:
    """The dependency that reads a noun's list parameters. By hand: FastAPI's own way takes longer for a dozen
    parameters than the database takes for the page. The route documents them with `documented`."""
    names = [each.name for each in view.FILTERS]

    def read(request: Request) -> Asked:
        given = request.query_params
        filters = {name: given.getlist(name) for name in names if name in given}
        return Asked(filters, _limit(given), _cursor(given), given.get("sort"), _count(given))

    @straight(read)
    async def dependency(request: Request) -> Asked:
        return read(request)

    return Depends(dependency)


def _limit(given: QueryParams) -> int:
    text = given.get("limit", str(DEFAULT_LIMIT))
    if re.fullmatch("[0-9]{1,9}", text) and 1 <= int(text) <= LARGEST_LIMIT:
        return int(text)
    raise InvalidQuery(f"This must be a whole number from 1 to {LARGEST_LIMIT:,}.", parameter="limit")


def _cursor(given: QueryParams) -> str | None:
    text = given.get("cursor")
    if text is not None and len(text) > LONGEST_CURSOR:
        raise InvalidQuery("This is longer than any cursor: use `next` as the list gave it.", parameter="cursor")
    return text


def _count(given: QueryParams) -> bool:
    text = given.get("count", "none")
    if text not in COUNTS:
        raise InvalidQuery(f"This must be one of: {', '.join(COUNTS)}.", parameter="count")
    return text == "exact"


def documented(view: Any) -> dict[str, Any]:
    """The same parameters for OpenAPI, from the same table: a route's `openapi_extra`."""
    own = [*(_filter(each) for each in view.FILTERS), *_common(list(view.SORTS))]
    return {"parameters": [*own, *formats.parameters(view.NOUN)], "responses": formats.documented(view.NOUN)}


def _filter(each: Filter) -> dict[str, Any]:
    return _parameter(each.name, each.description, dict(each.schema), [each.example])


def _common(sorts: list[str]) -> list[dict[str, Any]]:
    limit = {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT}
    count = {"type": "string", "enum": list(COUNTS), "default": "none"}
    cursor = {"type": "string", "maxLength": LONGEST_CURSOR}
    return [
        _parameter("sort", "Sort key; `-` before it: descending", {"type": "string", "enum": sorts}, sorts[-1]),
        _parameter("cursor", "Where to go on: as `next` of the page before has it", cursor),
        _parameter("limit", "Items per page", limit, DEFAULT_LIMIT),
        _parameter("count", "`exact` counts all that the filters select, in `total`", count, "exact"),
    ]


def _parameter(name: str, description: str, schema: dict[str, Any], example: Any = None) -> dict[str, Any]:
    told = {"name": name, "in": "query", "required": False, "schema": schema, "description": description}
    return told if example is None else told | {"example": example}


def answer(request: Request, session: ReadingSession, asked: Asked, *, view: Any, **fixed: Sequence[str]) -> Response:
    """The noun's list: a page of it, or all of it in another format; `fixed`: filters that the path sets."""
    query = {**asked.query, **{name: [*asked.query.get(name, ()), *values] for name, values in fixed.items()}}
    format = formats.chosen(request, view.NOUN)
    if format != formats.PAGES:
        return formats.streamed(request, view.NOUN, format, query=query, sort=asked.sort)
    formats.refuse_options(request)
    revision = session.number()
    unchanged = answers.list_unchanged(request, revision)
    if unchanged is not None:
        return unchanged
    page = _page(session, asked, view, query)
    return answers.list_answer(
        request,
        page.items,
        next=answers.next_url(request, page.next),
        total=page.total,
        revision=revision,
        extra=page.extra,
    )


def _page(session: ReadingSession, asked: Asked, view: Any, query: Mapping[str, Sequence[str]]) -> Page:
    try:
        # Some nouns have their items ready as JSON.
        listing = getattr(view, "written", view.listing)
        page: Page = listing(session, query, limit=asked.limit, cursor=asked.cursor, sort=asked.sort, exact=asked.exact)
    except InvalidValue as error:
        raise InvalidQuery(error.message, parameter=error.field or "query") from None
    return page
