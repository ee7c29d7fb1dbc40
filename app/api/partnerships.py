"""Partnerships over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from app.api import answers, lists
from app.api.bodies import noun_router
from app.api.dependencies import EditorDep, IfMatchDep, Insist, ReadingDep
from app.api.history import RecordKey, add_history, add_redaction
from app.api.openapi import deletes, reads, writes
from app.api.parts import add_part
from app.api.schemas import common
from app.api.schemas import partnerships as schemas
from app.registry import partnerships
from app.registry.views import partnerships as views

router = noun_router("partnerships")
Asked = lists.asked_of(views)


@router.get(
    "", openapi_extra=lists.documented(views), responses=reads(schemas.PartnershipList), summary="List partnerships"
)
def list_partnerships(request: Request, session: ReadingDep, asked: Any = Asked) -> Response:
    """Partnerships with their members. `country`, `continent` and `city` may be repeated: each then needs a
    member of its own (`country=US&country=JP`: between the two)."""
    return lists.answer(request, session, asked, view=views)


@router.get("/{key}", responses=reads(schemas.PartnershipOut, 301, 404, 410), summary="One partnership")
def show_partnership(request: Request, session: ReadingDep, key: RecordKey) -> Response:
    """A partnership, whole: events, programs, organisations, citations, conflicts."""
    return answers.record_answer(request, views.get(session, key), revision=session.number())


@router.post(
    "", status_code=201, responses=writes(schemas.PartnershipOut, status=201), summary="Establish a partnership"
)
def establish_partnership(write: EditorDep, body: schemas.PartnershipIn, insist: Insist = False) -> Response:
    """Two or more cities, each by number, identifier or name and country. Where they already hold an unended
    partnership, 409 shows it; if that one is of another kind, `insist=true` with a reason adds this one."""
    session = write.session
    write.reason(body.reason)
    values = body.values("members")
    cities = [member["city"] for member in body.model_dump(include={"members"})["members"]]
    number = partnerships.establish(session, cities, insist=insist, **values)
    return write.answer(lambda sealed: views.get(sealed, number), status=201, location=f"/v1/partnerships/{number}")


@router.patch("/{key}", responses=writes(schemas.PartnershipOut, 308, 404, 410, 412, 428), summary="Mend a partnership")
def amend_partnership(
    write: EditorDep, revision: IfMatchDep, key: RecordKey, body: schemas.PartnershipPatch
) -> Response:
    """Own fields only; status and dates follow from the events, which have routes of their own."""
    session = write.session
    write.reason(body.reason)
    number = partnerships.amend(session, key, body.values(), revision=revision)
    return write.answer(lambda sealed: views.get(sealed, number))


@router.delete("/{key}", status_code=204, responses=deletes(308), summary="Delete a partnership")
def delete_partnership(write: EditorDep, revision: IfMatchDep, key: RecordKey) -> Response:
    """For mistakes: a partnership that ended gets an event `ended` instead. Refused while programs hang on it."""
    partnerships.delete(write.session, key, revision=revision)
    return write.answer_nothing()


add_history(router, "partnerships")
add_redaction(router, "partnerships")
for part, made, mended, shown in (
    ("members", schemas.MemberIn, schemas.MemberPatch, schemas.MemberOut),
    ("events", schemas.EventIn, schemas.EventPatch, schemas.EventOut),
    ("organisations", schemas.RoleIn, schemas.RolePatch, schemas.RoleOut),
    ("citations", common.CitationIn, common.CitationPatch, common.CitationOut),
):
    add_part(
        router, "partnerships", part,
        view=views.get, made=made, mended=mended, shown=shown, record=schemas.PartnershipOut,
    )  # fmt: skip
