"""Sources over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from app.api import answers, lists
from app.api.bodies import noun_router
from app.api.dependencies import EditorDep, IfMatchDep, ReadingDep
from app.api.history import RecordKey, add_history, add_redaction
from app.api.openapi import deletes, reads, writes
from app.api.schemas import sources as schemas
from app.registry import resolving, sources
from app.registry.views import citations
from app.registry.views import sources as views

router = noun_router("sources")
Asked = lists.asked_of(views)
Cited = lists.asked_of(citations)


@router.get("", openapi_extra=lists.documented(views), responses=reads(schemas.SourceList), summary="List sources")
def list_sources(request: Request, session: ReadingDep, asked: Any = Asked) -> Response:
    """The documents that support what the registry says."""
    return lists.answer(request, session, asked, view=views)


@router.get("/{key}", responses=reads(schemas.SourceOut, 404, 410), summary="One source")
def show_source(request: Request, session: ReadingDep, key: RecordKey) -> Response:
    """A source, whole."""
    return answers.record_answer(request, views.get(session, key), revision=session.number())


@router.get(
    "/{key}/citations",
    openapi_extra=lists.documented(citations),
    responses=reads(schemas.CitedList, 404, 410),
    summary="What a source is cited for",
)
def list_citations(request: Request, session: ReadingDep, key: RecordKey, asked: Any = Cited) -> Response:
    """The fields of records that the source is cited for, of all nouns."""
    number = resolving.addressed(session, "sources", key)
    return lists.answer(request, session, asked, view=citations, source=[str(number)])


@router.post("", status_code=201, responses=writes(schemas.SourceOut, status=201), summary="Add a source")
def add_source(write: EditorDep, body: schemas.SourceIn) -> Response:
    """A new source."""
    session = write.session
    write.reason(body.reason)
    number = sources.add(session, body.values())
    return write.answer(lambda sealed: views.get(sealed, number), status=201, location=f"/v1/sources/{number}")


@router.patch("/{key}", responses=writes(schemas.SourceOut, 404, 410, 412, 428), summary="Mend a source")
def amend_source(write: EditorDep, revision: IfMatchDep, key: RecordKey, body: schemas.SourcePatch) -> Response:
    """Own fields; null empties one."""
    session = write.session
    write.reason(body.reason)
    number = sources.amend(session, key, body.values(), revision=revision)
    return write.answer(lambda sealed: views.get(sealed, number))


@router.delete("/{key}", status_code=204, responses=deletes(), summary="Delete a source")
def delete_source(write: EditorDep, revision: IfMatchDep, key: RecordKey) -> Response:
    """For mistakes; refused while other records hang on it."""
    sources.delete(write.session, key, revision=revision)
    return write.answer_nothing()


add_history(router, "sources")
add_redaction(router, "sources")
