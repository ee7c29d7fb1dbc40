"""Organisations over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from app.api import answers, lists
from app.api.bodies import noun_router
from app.api.dependencies import EditorDep, IfMatchDep, ReadingDep
from app.api.history import RecordKey, add_history, add_redaction
from app.api.openapi import deletes, reads, writes
from app.api.parts import add_part
from app.api.schemas import common
from app.api.schemas import organisations as schemas
from app.registry import organisations
from app.registry.views import organisations as views

router = noun_router("organisations")
Asked = lists.asked_of(views)


@router.get(
    "", openapi_extra=lists.documented(views), responses=reads(schemas.OrganisationList), summary="List organisations"
)
def list_organisations(request: Request, session: ReadingDep, asked: Any = Asked) -> Response:
    """Schools, universities, consulates, associations …"""
    return lists.answer(request, session, asked, view=views)


@router.get("/{key}", responses=reads(schemas.OrganisationOut, 404, 410), summary="One organisation")
def show_organisation(request: Request, session: ReadingDep, key: RecordKey) -> Response:
    """An organisation, whole."""
    return answers.record_answer(request, views.get(session, key), revision=session.number())


@router.post("", status_code=201, responses=writes(schemas.OrganisationOut, status=201), summary="Add an organisation")
def add_organisation(write: EditorDep, body: schemas.OrganisationIn) -> Response:
    """A new organisation."""
    session = write.session
    write.reason(body.reason)
    rows = body.model_dump(exclude_unset=True, include={"citations"})
    number = organisations.add(session, body.values("citations"), **rows)
    return write.answer(lambda sealed: views.get(sealed, number), status=201, location=f"/v1/organisations/{number}")


@router.patch("/{key}", responses=writes(schemas.OrganisationOut, 404, 410, 412, 428), summary="Mend an organisation")
def amend_organisation(
    write: EditorDep, revision: IfMatchDep, key: RecordKey, body: schemas.OrganisationPatch
) -> Response:
    """Own fields; null empties one."""
    session = write.session
    write.reason(body.reason)
    number = organisations.amend(session, key, body.values(), revision=revision)
    return write.answer(lambda sealed: views.get(sealed, number))


@router.delete("/{key}", status_code=204, responses=deletes(), summary="Delete an organisation")
def delete_organisation(write: EditorDep, revision: IfMatchDep, key: RecordKey) -> Response:
    """For mistakes; refused while other records hang on it."""
    organisations.delete(write.session, key, revision=revision)
    return write.answer_nothing()


add_history(router, "organisations")
add_redaction(router, "organisations")
add_part(
    router, "organisations", "citations",
    view=views.get, made=common.CitationIn, mended=common.CitationPatch,
    shown=common.CitationOut, record=schemas.OrganisationOut,
)  # fmt: skip
