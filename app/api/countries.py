"""Countries over HTTP. They come with the seeds and are not written here."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Request, Response

from app.api import answers, lists
from app.api.bodies import noun_router
from app.api.dependencies import ReadingDep
from app.api.history import add_history
from app.api.openapi import reads
from app.api.schemas import countries as schemas
from app.registry.views import countries as views

router = noun_router("countries")
Asked = lists.asked_of(views)
Code = Annotated[str, Path(min_length=1, max_length=300, description="The alpha-2 code", examples=["JP"])]


@router.get("", openapi_extra=lists.documented(views), responses=reads(schemas.CountryList), summary="List countries")
def list_countries(request: Request, session: ReadingDep, asked: Any = Asked) -> Response:
    """ISO 3166-1, with Kosovo (XK) added."""
    return lists.answer(request, session, asked, view=views)


@router.get("/{key}", responses=reads(schemas.CountryOut, 404), summary="One country")
def show_country(request: Request, session: ReadingDep, key: Code) -> Response:
    """A country with its aliases."""
    return answers.record_answer(request, views.get(session, key), revision=session.number())


add_history(router, "countries")
