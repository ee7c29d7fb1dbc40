"""A small router of its own, on which what every route stands on is tried."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app import errors
from app.api import answers
from app.api.bodies import noun_router
from app.api.dependencies import AdminDep, EditorDep, IfMatchDep, ReadingDep, RecordId
from app.api.errors import InvalidQuery
from app.api.openapi import reads, writes
from app.api.schemas.common import Body
from app.models import Source
from app.registry import journal

SECRET = "hunter2-of-the-caller"
router = noun_router("letters", include_in_schema=False)
trouble = noun_router("trouble", include_in_schema=False)


class Part(Body):
    year: int = Field(ge=1)


class SourceIn(Body):
    title: str = Field(min_length=1, max_length=50)
    note: Any = None
    parts: list[int | Part] = []
    reason: str | None = None


class SourceOut(BaseModel):
    id: int
    title: str
    revision: int


def render(session: Any, record: int) -> dict[str, Any]:
    source = session.get(Source, record, populate_existing=True)
    if source is None:
        journal.explain_absence(session, "sources", record)
    return {"id": source.id, "title": source.title, "revision": source.revision}


@router.get("", responses=reads(SourceOut))
def list_sources(request: Request, session: ReadingDep, limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> Response:
    found = session.execute(select(Source.id).order_by(Source.id)).scalars().all()
    items = [render(session, record) for record in found[:limit]]
    return answers.list_answer(
        request, items, next=answers.next_url(request, "c1" if len(found) > limit else None), total=None,
        revision=session.number(), extra={"undated": 0},
    )  # fmt: skip


@router.get("/{id}", responses=reads(SourceOut, 404))
def show_source(request: Request, session: ReadingDep, id: RecordId) -> Response:
    return answers.record_answer(request, render(session, id), revision=session.number())


@router.get("/{id}/history", responses=reads(SourceOut, 404))
def show_history(request: Request, session: ReadingDep, id: RecordId) -> Response:
    raise errors.RecordMerged("letters", id, into=7)


@router.post("", status_code=201, responses=writes(SourceOut, status=201))
def create_source(write: EditorDep, body: SourceIn) -> Response:
    write.reason(body.reason)
    source = Source(title=body.title)
    write.session.add(source)
    write.session.flush()
    record = source.id
    return write.answer(lambda session: render(session, record), status=201, location=f"/v1/letters/{record}")


@router.patch("/{id}", responses=writes(SourceOut, 404, 412, 428))
def change_source(write: EditorDep, if_match: IfMatchDep, id: RecordId, body: SourceIn) -> Response:
    answers.check_revision(if_match, actual=render(write.session, id)["revision"])
    write.session.get_one(Source, id).title = body.title
    return write.answer(lambda session: render(session, id))


@router.delete("/{id}", status_code=204, responses=writes(None, 404, 412, 428))
def delete_source(write: AdminDep, if_match: IfMatchDep, id: RecordId) -> Response:
    answers.check_revision(if_match, actual=render(write.session, id)["revision"])
    write.session.delete(write.session.get_one(Source, id))
    return write.answer_nothing()


RAISED: dict[str, Exception] = {
    "invalid": errors.InvalidValue("A pair needs two cities.", field="members/0/city"),
    "date": errors.InvalidDate("February has no 30th day.", field="events/1/date"),
    "reference": errors.UnknownReference("No such city.", field="city", candidates=[{"id": 3}]),
    "query": InvalidQuery("This cursor is another query's.", parameter="cursor"),
    "missing": errors.RecordNotFound("cities", 5),
    "deleted": errors.RecordDeleted("cities", 5, revision=9),
    "merged": errors.RecordMerged("cities", 5, into=7),
    "exists": errors.PartnershipExists("They hold one.", candidates=[{"id": 4}]),
    "event": errors.EventRefused("It has ended.", field="type", allowed=["note"]),
    "references": errors.StillReferenced("Others hang on it.", obstacles=[{"noun": "programs", "id": 1}]),
    "busy": errors.RegistryBusy(retry_after=3),
    "damaged": errors.RegistryDamaged("The disk says " + SECRET),
    "constraint": IntegrityError("INSERT", {"name": SECRET}, Exception(SECRET)),
    "unforeseen": ZeroDivisionError(SECRET),
}


@trouble.get("/{what}")
@trouble.post("/{what}")
def raise_it(what: str) -> None:
    raise RAISED[what]


@trouble.post("/commit/fails")
def fail_to_commit(write: EditorDep) -> Response:
    write.session.add(Source(title="never kept"))
    response = write.answer(lambda _session: {"revision": 1}, status=201)
    write.session.execute(text("INSERT INTO reported_figures (source_id, scope, measure, comparator, value,"
        " as_of_earliest, as_of_latest, revision, created_at, updated_at)"
        " VALUES (9999, 'x', 'cities', 'over', 1, '2000-01-01', '2000-01-01', 0, '', '')"))  # fmt: skip
    return response
