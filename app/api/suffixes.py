"""Lists under addresses that name their format: `/v1/partnerships.csv`, `/v1/cities/12/partnerships.geojson`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app.api import formats, lists, revisions
from app.api.bodies import StrictRoute
from app.api.cities import list_city_partnerships
from app.api.dependencies import ReadingDep
from app.api.openapi import reads
from app.api.schemas import cities, countries, organisations, partnerships, programs, sources
from app.api.schemas import revisions as journal
from app.api.sources import list_citations
from app.exchange import exporting

router = APIRouter(route_class=StrictRoute)
#: Noun → what a page of it is, as JSON.
PAGES: dict[str, type[BaseModel]] = {
    "partnerships": partnerships.PartnershipList,
    "cities": cities.CityList,
    "countries": countries.CountryList,
    "programs": programs.ProgramList,
    "organisations": organisations.OrganisationList,
    "sources": sources.SourceList,
    "reported_figures": sources.FigureList,
    "revisions": journal.RevisionList,
}


def _add(
    path: str, route: Callable[..., Response], page: type[BaseModel], told: Mapping[str, Any], *also: int, name: str
) -> None:
    """The address of a list with a format behind it. `told`: what OpenAPI is told of the list itself."""
    extra = {**told, "parameters": [formats.path_parameter(name), *told.get("parameters", ())]}
    router.add_api_route(
        f"{path}.{{format}}",
        route,
        name=f"export_{route.__name__.removeprefix('list_')}",
        tags=[path.split("/")[2]],
        openapi_extra=extra,
        responses=reads(page, *also),
        summary=f"List {name.replace('_', ' ')}, in a format",
        description=f"As `{path}`, in the format that the address names.",
    )


def _list_of(name: str) -> Callable[..., Response]:
    view = exporting.VIEWS[name]
    asked_of = lists.asked_of(view)

    def route(request: Request, session: ReadingDep, asked: Any = asked_of) -> Response:
        return lists.answer(request, session, asked, view=view)

    route.__name__ = f"list_{name}"
    return route


for noun, listed in PAGES.items():
    address = f"/v1/{noun.replace('_', '-')}"
    _add(address, _list_of(noun), listed, lists.documented(exporting.VIEWS[noun]), name=noun)
_add("/v1/changes", revisions.list_changes, journal.ChangeList, revisions.IN_FORMATS, name="changes")
_add(
    "/v1/cities/{key}/partnerships", list_city_partnerships, partnerships.PartnershipList,
    lists.documented(exporting.VIEWS["partnerships"]), 301, 404, 410, name="partnerships",
)  # fmt: skip
_add(
    "/v1/sources/{key}/citations", list_citations, sources.CitedList,
    lists.documented(exporting.VIEWS["citations"]), 404, 410, name="citations",
)  # fmt: skip
