"""Lists: their query parameters, declared from each noun's table of filters, and their pages."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response

from app.api import answers
from app.api.bodies import PLAIN
from app.api.errors import InvalidQuery
from app.errors import InvalidValue
from app.registry.database import ReadingSession
from app.registry.filters import Filter
from app.registry.paging import DEFAULT_LIMIT, LARGEST_LIMIT, Page

Count = Literal["none", "exact"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list request asked for: parameter → its repeats, each as it was sent."""

    query: Mapping[str, Sequence[str]]
    limit: int
    cursor: str | None
    sort: str | None
    count: Count


def asked_of(view: Any) -> Any:
    """The dependency that reads a noun's list parameters; OpenAPI documents each from the same table."""

    async def read(**given: Any) -> Asked:
        filters = {each.name: given[each.name] for each in view.FILTERS if given[each.name] is not None}
        return Asked(filters, given["limit"], given["cursor"], given["sort"], given["count"])

    parameters = [*(_filter(each) for each in view.FILTERS), *_common(list(view.SORTS))]
    read.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return Depends(read)


def _filter(each: Filter) -> inspect.Parameter:
    told = Query(description=each.description, examples=[[each.example]], json_schema_extra=dict(each.schema))
    return _parameter(each.name, Annotated[list[str] | None, told], None)


def _common(sorts: list[str]) -> list[inspect.Parameter]:
    sort = Query(
        description="Sort key; `-` before it: descending", examples=sorts[-1:], json_schema_extra={"enum": sorts}
    )
    cursor = Query(description="Where to go on: as `next` of the page before has it", max_length=8000)
    limit = Query(ge=1, le=LARGEST_LIMIT, description="Items per page", examples=[DEFAULT_LIMIT])
    count = Query(description="`exact` counts all that the filters select, in `total`", examples=["exact"])
    return [
        _parameter("sort", Annotated[str | None, sort], None),
        _parameter("cursor", Annotated[str | None, cursor], None),
        _parameter("limit", Annotated[int, PLAIN, limit], DEFAULT_LIMIT),
        _parameter("count", Annotated[Count, count], "none"),
    ]


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def answer(request: Request, session: ReadingSession, asked: Asked, *, view: Any, **fixed: Sequence[str]) -> Response:
    """One page of the noun's list; `fixed`: filters that the path sets."""
    revision = session.number()
    unchanged = answers.list_unchanged(request, revision)
    if unchanged is not None:
        return unchanged
    page = _page(session, asked, view, fixed)
    return answers.list_answer(
        request,
        page.items,
        next=answers.next_url(request, page.next),
        total=page.total,
        revision=revision,
        extra=page.extra,
    )


def _page(session: ReadingSession, asked: Asked, view: Any, fixed: Mapping[str, Sequence[str]]) -> Page:
    query = {**asked.query, **{name: [*asked.query.get(name, ()), *values] for name, values in fixed.items()}}
    try:
        page: Page = view.listing(
            session, query, limit=asked.limit, cursor=asked.cursor, sort=asked.sort, exact=asked.count == "exact"
        )
    except InvalidValue as error:
        raise InvalidQuery(error.message, parameter=error.field or "query") from None
    return page
