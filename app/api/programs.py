"""Exchange programs over HTTP."""

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
from app.api.schemas import programs as schemas
from app.registry import programs
from app.registry.views import programs as views

router = noun_router("programs")
Asked = lists.asked_of(views)
PARTS = ("participants", "occasions", "citations")


@router.get("", openapi_extra=lists.documented(views), responses=reads(schemas.ProgramList), summary="List programs")
def list_programs(request: Request, session: ReadingDep, asked: Any = Asked) -> Response:
    """Exchange programs."""
    return lists.answer(request, session, asked, view=views)


@router.get("/{key}", responses=reads(schemas.ProgramOut, 404, 410), summary="One program")
def show_program(request: Request, session: ReadingDep, key: RecordKey) -> Response:
    """A program, whole: participants, occasions, citations, conflicts."""
    return answers.record_answer(request, views.get(session, key), revision=session.number())


@router.post("", status_code=201, responses=writes(schemas.ProgramOut, status=201), summary="Add a program")
def add_program(write: EditorDep, body: schemas.ProgramIn) -> Response:
    """A new program under a partnership, with its participants and occasions."""
    session = write.session
    write.reason(body.reason)
    rows = body.model_dump(exclude_unset=True, include=set(PARTS))
    number = programs.add(session, body.values(*PARTS), **rows)
    return write.answer(lambda sealed: views.get(sealed, number), status=201, location=f"/v1/programs/{number}")


@router.patch("/{key}", responses=writes(schemas.ProgramOut, 404, 410, 412, 428), summary="Mend a program")
def amend_program(write: EditorDep, revision: IfMatchDep, key: RecordKey, body: schemas.ProgramPatch) -> Response:
    """Own fields only; participants and occasions have routes of their own."""
    session = write.session
    write.reason(body.reason)
    number = programs.amend(session, key, body.values(), revision=revision)
    return write.answer(lambda sealed: views.get(sealed, number))


@router.delete("/{key}", status_code=204, responses=deletes(), summary="Delete a program")
def delete_program(write: EditorDep, revision: IfMatchDep, key: RecordKey) -> Response:
    """For mistakes: a program that came to an end gets `until` instead."""
    programs.delete(write.session, key, revision=revision)
    return write.answer_nothing()


add_history(router, "programs")
add_redaction(router, "programs")
for part, made, mended, shown in (
    ("participants", schemas.ParticipantIn, schemas.ParticipantPatch, schemas.ParticipantOut),
    ("occasions", schemas.OccasionIn, schemas.OccasionIn, schemas.OccasionOut),
    ("citations", common.CitationIn, common.CitationPatch, common.CitationOut),
):
    add_part(
        router, "programs", part,
        view=views.get, made=made, mended=mended, shown=shown, record=schemas.ProgramOut,
    )  # fmt: skip
