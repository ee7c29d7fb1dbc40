"""The routes that journalled nouns share: a record's history, the record as it was, redaction."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from app.api import answers
from app.api.bodies import PLAIN
from app.api.dependencies import AdminDep, ReadingDep
from app.api.openapi import reads, writes
from app.api.schemas.common import Body, ContentAt, History, Reason
from app.errors import RecordDeleted, RecordMerged, RecordNotFound
from app.registry import journal, redacting, resolving
from app.registry.database import AnySession
from app.registry.views import countries

RecordKey = Annotated[str, Path(min_length=1, max_length=300, description="The record's number", examples=["1"])]
CityKey = Annotated[
    str, Path(min_length=1, max_length=300, description="The city's number or any identifier", examples=["1"])
]
RowId = Annotated[int, PLAIN, Path(ge=1, le=2**63 - 1, description="The child row's number")]
RevisionNumber = Annotated[int, PLAIN, Path(ge=0, le=2**63 - 1, description="A revision's number")]


class Redaction(Body):
    """Text that must go from a record and all of its history."""

    text: Annotated[str, Field(min_length=3, max_length=10_000, description="The text, exactly as it stands")]
    reason: Reason


def known(session: AnySession, noun: str, key: str) -> int | str:
    """The id of a record that the journal knows, even if it was deleted or merged since."""
    if noun == "countries":
        return str(countries.get(session, key)["code"])
    try:
        return resolving.addressed(session, noun, key)
    except (RecordDeleted, RecordMerged) as error:
        number = resolving.as_id(error.key)
        if number is None:
            raise
        return number


def add_history(router: APIRouter, noun: str) -> None:
    """`/{key}/history` and `/{key}/history/{revision}`."""

    @router.get("/{key}/history", responses=reads(History, 404), summary="History", name=f"show_{noun}_history")
    def show_history(request: Request, session: ReadingDep, key: RecordKey) -> Response:
        """The revisions that changed this record, newest first, each with its differences in words."""
        entries = journal.history(session, noun, known(session, noun, key))
        if not entries:
            raise RecordNotFound(noun, key)
        return answers.list_answer(request, entries, next=None, total=len(entries), revision=session.number())

    @router.get(
        "/{key}/history/{revision}",
        responses=reads(ContentAt, 404),
        summary="As it was",
        name=f"show_{noun}_as_it_was",
    )
    def show_content(request: Request, session: ReadingDep, key: RecordKey, revision: RevisionNumber) -> Response:
        """The record's content as it stood after a revision; 404 where it did not exist then."""
        record = known(session, noun, key)
        newest = session.number()
        content = journal.as_it_was(session, noun, record, revision=revision) if revision <= newest else None
        if content is None:
            raise RecordNotFound(noun, key)
        found: dict[str, Any] = {"revision": revision, "noun": noun, "id": record, "content": content}
        return answers.record_answer(request, found, revision=newest)


def add_redaction(router: APIRouter, noun: str) -> None:
    """`/{key}/redact`."""

    @router.post("/{key}/redact", responses=writes(ContentAt, 404), summary="Redact", name=f"redact_{noun}")
    def redact(write: AdminDep, key: RecordKey, body: Redaction) -> Response:
        """Take personal or unlawful text out of the record and of every change in its history; a visible stub
        stays. It cannot be undone."""
        session = write.session
        record = known(session, noun, key)
        write.reason(body.reason)
        redacting.redact(session, noun, record, text=body.text)
        return write.answer(
            lambda sealed: {
                "revision": sealed.number(),
                "noun": noun,
                "id": record,
                "content": journal.as_it_was(sealed, noun, record, revision=sealed.number()) or {},
            }
        )
