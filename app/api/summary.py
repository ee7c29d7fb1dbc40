"""`GET /v1`: what the registry holds."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.api import answers
from app.api.bodies import StrictRoute
from app.api.dependencies import ReadingDep
from app.api.openapi import reads
from app.api.schemas import revisions as schemas
from app.registry.views import summary as views

router = APIRouter(tags=["registry"], route_class=StrictRoute)
NOUNS = (
    "countries", "cities", "partnerships", "programs", "organisations", "sources",
    "reported-figures", "revisions", "changes",
)  # fmt: skip


@router.get("/v1", responses=reads(schemas.Summary), summary="What the registry holds")
def show_summary(request: Request, session: ReadingDep) -> Response:
    """Counts per noun, countries and continents reached, the share of known cities with a standing partnership,
    the revision, and where everything is."""
    links = {noun: answers.link(request, f"/v1/{noun}") for noun in NOUNS}
    links |= {name: answers.link(request, f"/{name}") for name in ("docs", "openapi.json")}
    return answers.record_answer(request, views.get(session) | {"links": links}, revision=session.number())
