"""The routes of child rows: list them, show one, add, mend and remove. Each noun names its own.

A change of a child row is a change of its record: it answers with the record whole, and `If-Match` is the
record's. An answer to POST carries the new row's address in `Location`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, create_model

from app.api import answers
from app.api.dependencies import EditorDep, IfMatchDep, MayMatchDep, ReadingDep
from app.api.history import RecordKey, RowId
from app.api.openapi import reads, writes
from app.api.schemas.common import Answer, Body
from app.errors import RecordNotFound
from app.registry import parts
from app.registry.database import AnySession

View = Callable[[AnySession, int | str], dict[str, Any]]


def add_part(
    router: APIRouter,
    noun: str,
    part: str,
    *,
    view: View,
    made: type[Body],
    mended: type[Body],
    shown: type[Answer],
    record: type[BaseModel],
) -> None:
    """The five routes of one part. `view` gives the record whole; `made`, `mended`: bodies; `shown`: a row;
    `record`: the whole record, as writes answer it."""
    _add_reads(router, noun, part, view=view, shown=shown)
    _add_writes(router, noun, part, view=view, made=made, mended=mended, record=record)


#: Nouns whose records can be merged: their old addresses lead on.
MERGED = ("cities", "partnerships")


def _add_reads(router: APIRouter, noun: str, part: str, *, view: View, shown: type[Answer]) -> None:
    fields: dict[str, Any] = {"items": list[shown], "next": str | None, "total": int | None}  # type: ignore[valid-type]
    listed = create_model(f"{shown.__name__}List", __base__=Answer, __doc__=f"The {part} of one record.", **fields)
    also = (301, 404, 410) if noun in MERGED else (404, 410)

    @router.get(f"/{{key}}/{part}", responses=reads(listed, *also), summary=f"List {part}", name=f"list_{noun}_{part}")
    def list_rows(request: Request, session: ReadingDep, key: RecordKey) -> Response:
        """All of them, as the record itself shows them."""
        rows = view(session, key)[part]
        return answers.list_answer(request, rows, next=None, total=len(rows), revision=session.number())

    @router.get(
        f"/{{key}}/{part}/{{row}}",
        responses=reads(shown, *also),
        summary=f"One of the {part}",
        name=f"show_{noun}_{part}",
    )
    def show_row(request: Request, session: ReadingDep, key: RecordKey, row: RowId) -> Response:
        """One child row. Its ETag carries the revision of the record, which changes of the row name in If-Match."""
        whole = view(session, key)
        found = next((each for each in whole[part] if each["id"] == row), None)
        if found is None:
            raise RecordNotFound(part, row)
        return answers.record_answer(request, found, revision=session.number(), own=whole["revision"])


def _add_writes(
    router: APIRouter,
    noun: str,
    part: str,
    *,
    view: View,
    made: type[Body],
    mended: type[Body],
    record: type[BaseModel],
) -> None:
    def create(write: EditorDep, revision: MayMatchDep, key: RecordKey, body: Any) -> Response:
        """A new child row. The answer is the record whole; `Location` is the new row's address."""
        session = write.session
        owner = parts.owner(session, noun, key, revision=revision)
        row = parts.add(session, noun, owner, part=part, values=body.values())
        location = f"{router.prefix}/{owner}/{part}/{row}"
        return write.answer(lambda sealed: view(sealed, owner), status=201, location=location)

    def mend(write: EditorDep, revision: IfMatchDep, key: RecordKey, row: RowId, body: Any) -> Response:
        """JSON Merge Patch: what is left out stays, null empties a field. The answer is the record whole."""
        session = write.session
        owner = parts.owner(session, noun, key, revision=revision)
        parts.amend(session, noun, owner, part=part, row_id=row, values=body.values())
        return write.answer(lambda sealed: view(sealed, owner))

    def remove(write: EditorDep, revision: IfMatchDep, key: RecordKey, row: RowId) -> Response:
        """Take a child row away. The answer is the record whole, without it."""
        session = write.session
        owner = parts.owner(session, noun, key, revision=revision)
        parts.remove(session, noun, owner, part=part, row_id=row)
        return write.answer(lambda sealed: view(sealed, owner))

    # The bodies differ from part to part, which an annotation in the source cannot say.
    create.__annotations__["body"] = made
    mend.__annotations__["body"] = mended
    one, moved = f"/{{key}}/{part}/{{row}}", (308,) if noun in MERGED else ()
    router.post(
        f"/{{key}}/{part}",
        status_code=201,
        responses=writes(record, *moved, 404, 410, 412, status=201),
        summary=f"Add to {part}",
        name=f"add_{noun}_{part}",
    )(create)
    mended_answers = writes(record, *moved, 404, 410, 412, 428)
    router.patch(one, responses=mended_answers, summary=f"Mend one of the {part}", name=f"amend_{noun}_{part}")(mend)
    removed_answers = writes(record, *moved, 404, 410, 412, 428, body=False)
    router.delete(one, responses=removed_answers, summary=f"Remove one of the {part}", name=f"remove_{noun}_{part}")(
        remove
    )
