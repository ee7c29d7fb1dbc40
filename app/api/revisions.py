"""The journal over HTTP: revisions, changes since one, undo."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response

from app.api import answers, formats, lists
from app.api.bodies import PLAIN, noun_router
from app.api.dependencies import EditorDep, ReadingDep, Write
from app.api.errors import InvalidQuery
from app.api.history import RevisionNumber
from app.api.openapi import reads, writes
from app.api.schemas import revisions as schemas
from app.api.schemas.common import Undo
from app.errors import Forbidden, InvalidValue
from app.registry import journal, undoing
from app.registry.paging import DEFAULT_LIMIT, LARGEST_LIMIT
from app.registry.views import revisions as views

router = noun_router("revisions")
changes = noun_router("changes")
Asked = lists.asked_of(views)
IN_FORMATS = {"parameters": formats.parameters("changes"), "responses": formats.documented("changes")}
Since = Annotated[
    str,
    Query(
        pattern=r"^[0-9]{1,19}(:[a-z_]+:([A-Z]{2}|[0-9]{1,19}))?$",
        description="The revision that the reader has already; or a place within one, as `next` has it",
        examples=["0"],
    ),
]
Limit = Annotated[
    int,
    PLAIN,
    Query(ge=1, le=LARGEST_LIMIT, description="About how many; a revision is never split", examples=[DEFAULT_LIMIT]),
]


@router.get("", openapi_extra=lists.documented(views), responses=reads(schemas.RevisionList), summary="List revisions")
def list_revisions(request: Request, session: ReadingDep, asked: Any = Asked) -> Response:
    """Every committed step of the registry, newest first."""
    return lists.answer(request, session, asked, view=views)


@router.get("/{number}", responses=reads(schemas.RevisionWhole, 404), summary="One revision")
def show_revision(request: Request, session: ReadingDep, number: RevisionNumber) -> Response:
    """A revision with the records that it changed."""
    return answers.record_answer(request, journal.revision(session, number), revision=session.number())


@router.post(
    "/{number}/undo",
    status_code=201,
    responses=writes(schemas.RevisionWhole, 404, status=201),
    summary="Undo a revision",
)
def undo_revision(write: EditorDep, number: RevisionNumber, body: Undo) -> Response:
    """Take a revision back, by a new one. Editors undo their own; admins any. Refused, with the list, where
    later revisions changed the same parts again."""
    session = write.session
    _refuse_others(write, journal.revision(session, number)["account"])
    write.reason(body.reason)
    undoing.undo(session, number)
    return write.answer(
        lambda sealed: journal.revision(sealed, sealed.number()),
        status=201,
        location=f"/v1/revisions/{session.revision}",
    )


def _refuse_others(write: Write, account: str) -> None:
    if write.principal.role != "admin" and account != write.principal.account:
        raise Forbidden("Editors undo revisions of their own account; another's needs a key with the role admin.")


@changes.get(
    "",
    openapi_extra=IN_FORMATS,
    responses=reads(schemas.ChangeList),
    summary="Changes since a revision",
)
def list_changes(request: Request, session: ReadingDep, since: Since = "0", limit: Limit = DEFAULT_LIMIT) -> Response:
    """Every change after revision `since`, in the order in which they were made; none is ever skipped. `next`
    leads to more while there is more; `until` is what to give as `since` the next time."""
    format = formats.chosen(request, "changes")
    if format != formats.PAGES:
        return formats.streamed(request, "changes", format, query={"since": [since]})
    formats.refuse_options(request)
    try:
        page = views.changes(session, since=since, limit=limit)
    except InvalidValue as error:
        raise InvalidQuery(error.message, parameter="since") from None
    following = None if page.next is None else f"/v1/changes?since={page.next}&limit={limit}"
    return answers.list_answer(
        request, page.items, next=following, total=None, revision=session.number(), extra=page.extra
    )
