"""Reported figures over HTTP."""

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
from app.api.schemas import sources as schemas
from app.registry import reported_figures
from app.registry.views import reported_figures as views

router = noun_router("reported-figures")
Asked = lists.asked_of(views)


@router.get(
    "", openapi_extra=lists.documented(views), responses=reads(schemas.FigureList), summary="List reported figures"
)
def list_reported_figures(request: Request, session: ReadingDep, asked: Any = Asked) -> Response:
    """Claims about totals, as their sources make them."""
    return lists.answer(request, session, asked, view=views)


@router.get("/{key}", responses=reads(schemas.FigureOut, 404, 410), summary="One reported figure")
def show_reported_figure(request: Request, session: ReadingDep, key: RecordKey) -> Response:
    """A reported figure, whole."""
    return answers.record_answer(request, views.get(session, key), revision=session.number())


@router.post("", status_code=201, responses=writes(schemas.FigureOut, status=201), summary="Add a reported figure")
def add_reported_figure(write: EditorDep, body: schemas.FigureIn) -> Response:
    """A new reported figure."""
    session = write.session
    write.reason(body.reason)
    rows = body.model_dump(exclude_unset=True, include={"citations"})
    number = reported_figures.add(session, body.values("citations"), **rows)
    return write.answer(lambda sealed: views.get(sealed, number), status=201, location=f"/v1/reported-figures/{number}")


@router.patch("/{key}", responses=writes(schemas.FigureOut, 404, 410, 412, 428), summary="Mend a reported figure")
def amend_reported_figure(
    write: EditorDep, revision: IfMatchDep, key: RecordKey, body: schemas.FigurePatch
) -> Response:
    """Own fields; null empties one."""
    session = write.session
    write.reason(body.reason)
    number = reported_figures.amend(session, key, body.values(), revision=revision)
    return write.answer(lambda sealed: views.get(sealed, number))


@router.delete("/{key}", status_code=204, responses=deletes(), summary="Delete a reported figure")
def delete_reported_figure(write: EditorDep, revision: IfMatchDep, key: RecordKey) -> Response:
    """For mistakes; refused while other records hang on it."""
    reported_figures.delete(write.session, key, revision=revision)
    return write.answer_nothing()


add_history(router, "reported_figures")
add_redaction(router, "reported_figures")
add_part(
    router, "reported_figures", "citations",
    view=views.get, made=common.CitationIn, mended=common.CitationPatch,
    shown=common.CitationOut, record=schemas.FigureOut,
)  # fmt: skip
