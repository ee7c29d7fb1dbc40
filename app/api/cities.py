"""Cities over HTTP. A city is addressed by its number or by any identifier: `/v1/cities/wikidata:Q1297`."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from app.api import answers, lists
from app.api.bodies import noun_router
from app.api.dependencies import AdminDep, EditorDep, IfMatchDep, Insist, MayMatchDep, ReadingDep
from app.api.history import CityKey, add_history, add_redaction
from app.api.openapi import deletes, reads, writes
from app.api.parts import add_part
from app.api.schemas import cities as schemas
from app.api.schemas import common
from app.api.schemas.partnerships import PartnershipList
from app.registry import cities, merging, resolving
from app.registry.views import cities as views
from app.registry.views import partnerships as partnership_views

router = noun_router("cities")
Asked = lists.asked_of(views)
PartnershipsAsked = lists.asked_of(partnership_views)
PARTS = ("names", "identifiers", "populations", "successors", "citations")


@router.get("", openapi_extra=lists.documented(views), responses=reads(schemas.CityList), summary="List cities")
def list_cities(request: Request, session: ReadingDep, asked: Any = Asked) -> Response:
    """Cities; `q` finds the beginning of any of their names, whatever the script or the accents."""
    return lists.answer(request, session, asked, view=views)


@router.get("/{key}", responses=reads(schemas.CityOut, 301, 404, 410), summary="One city")
def show_city(request: Request, session: ReadingDep, key: CityKey) -> Response:
    """A city, whole: names, identifiers, populations, successors, citations, conflicts."""
    return answers.record_answer(request, views.get(session, key), revision=session.number())


@router.get(
    "/{key}/partnerships",
    openapi_extra=lists.documented(partnership_views),
    responses=reads(PartnershipList, 301, 404, 410),
    summary="A city's partnerships",
)
def list_city_partnerships(
    request: Request, session: ReadingDep, key: CityKey, asked: Any = PartnershipsAsked
) -> Response:
    """The partnerships that the city is or was a member of, with the filters of partnerships."""
    number = resolving.addressed(session, "cities", key)
    return lists.answer(request, session, asked, view=partnership_views, city=[str(number)])


@router.post("", status_code=201, responses=writes(schemas.CityOut, status=201), summary="Add a city")
def add_city(write: EditorDep, body: schemas.CityIn, insist: Insist = False) -> Response:
    """A new city. Where one of the same name is known in the country, or one of a near name within 10 km, 409
    shows the candidates; if it is another, `insist=true` with a reason adds it."""
    session = write.session
    write.reason(body.reason)
    rows = body.model_dump(exclude_unset=True, include=set(PARTS))
    number = cities.add(session, body.values(*PARTS), insist=insist, **rows)
    return write.answer(lambda sealed: views.get(sealed, number), status=201, location=f"/v1/cities/{number}")


@router.patch("/{key}", responses=writes(schemas.CityOut, 308, 404, 410, 412, 428), summary="Mend a city")
def amend_city(write: EditorDep, revision: IfMatchDep, key: CityKey, body: schemas.CityPatch) -> Response:
    """Own fields only; names, identifiers and populations have routes of their own."""
    session = write.session
    write.reason(body.reason)
    number = cities.amend(session, key, body.values(), revision=revision)
    return write.answer(lambda sealed: views.get(sealed, number))


@router.delete("/{key}", status_code=204, responses=deletes(308), summary="Delete a city")
def delete_city(write: EditorDep, revision: IfMatchDep, key: CityKey) -> Response:
    """For mistakes: refused while partnerships or anything else hang on it. Duplicates are merged instead."""
    cities.delete(write.session, key, revision=revision)
    return write.answer_nothing()


@router.post("/{key}/merge", responses=writes(schemas.CityOut, 308, 404, 410, 412), summary="Merge a duplicate city")
def merge_city(write: AdminDep, revision: MayMatchDep, key: CityKey, body: schemas.Merge) -> Response:
    """Merge this record into another of the same city: all that hangs on it moves, pairs that would be doubled
    are merged too, and both old addresses lead on. One revision, which can be undone."""
    session = write.session
    write.reason(body.reason)
    into = resolving.city(session, body.into, field="into")
    number = merging.merge(session, key, into=into, revision=revision)
    return write.answer(lambda sealed: views.get(sealed, number))


add_history(router, "cities")
add_redaction(router, "cities")
for part, made, mended, shown in (
    ("names", schemas.NameIn, schemas.NamePatch, schemas.NameOut),
    ("identifiers", schemas.IdentifierIn, schemas.IdentifierPatch, schemas.IdentifierOut),
    ("populations", schemas.PopulationIn, schemas.PopulationPatch, schemas.PopulationOut),
    ("successors", schemas.SuccessorIn, schemas.SuccessorIn, schemas.SuccessorOut),
    ("citations", common.CitationIn, common.CitationPatch, common.CitationOut),
):
    add_part(
        router, "cities", part,
        view=views.get, made=made, mended=mended, shown=shown, record=schemas.CityOut,
    )  # fmt: skip
