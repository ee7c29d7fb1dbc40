"""What routes ask for: a snapshot to read, or a key with a role and one write.

A write is judged (key, role, headers, body) before its lock is taken, and committed before its answer leaves:
a failed commit is an error to the caller, never a 201. That is what `scope="function"` is for.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BeforeValidator
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.api import answers
from app.api.bodies import PLAIN, StrictRequest, straight
from app.api.errors import KeyReused, Replay
from app.domain.texts import clean
from app.errors import Forbidden, Unauthenticated
from app.models import IdempotencyKey
from app.models.accounts import ROLES
from app.registry import accounts, journal
from app.registry.accounts import Principal
from app.registry.database import Database, ReadingSession, WritingSession, translated
from app.settings import Settings

LONGEST_REASON = 1000
KEPT_HEADERS = ("content-type", "location", "etag", "registry-revision", "cache-control")

bearer = HTTPBearer(
    auto_error=False, scheme_name="key", description="An API key, as `sistercities keys create` prints it."
)


def database_of(request: Request) -> Database:
    """The registry that this app serves."""
    database: Database = request.app.state.database
    return database


def _snapshot(request: Request) -> ReadingSession:
    session = database_of(request).snapshot()
    session.info["lane"] = request.app.state.reads
    return session


@straight(_snapshot)
async def _reading(request: Request) -> AsyncIterator[ReadingSession]:
    # Not a thread's work: the route connects at its first question and gives the connection back itself (see
    # StrictRoute), so that a read costs one trip through the thread pool and not three.
    session = _snapshot(request)
    with translated():
        try:
            yield session
        finally:
            if session.in_transaction():
                await run_in_threadpool(session.close)


# These two do no I/O: as coroutines they cost no way through the thread pool (150 µs each).
async def _database(request: Request) -> Database:
    return database_of(request)


IfMatchHeader = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The ETag of the record as it was read, or its revision in quotes; `*` for any.",
        examples=['"1"'],
    ),
]


async def _if_match(request: Request, if_match: IfMatchHeader = None) -> int | None:
    return answers.require_if_match(request)


async def _may_match(request: Request, if_match: IfMatchHeader = None) -> int | None:
    return answers.if_match(request)


DatabaseDep = Annotated[Database, Depends(_database)]
ReadingDep = Annotated[ReadingSession, Depends(_reading, scope="function")]
IfMatchDep = Annotated[int | None, Depends(_if_match)]
#: For additions to a record, which trample nothing: the header may be left out, and is heeded where it is sent.
MayMatchDep = Annotated[int | None, Depends(_may_match)]
IdempotencyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[!-~]+$",
        description="Any text of yours: a repeated request with it is answered as the first was, and done once.",
    ),
]  # fmt: skip


def _true_or_false(said: Any) -> Any:
    # Pydantic would take yes, on and 1 too; what is not documented is not taken.
    return {"true": True, "false": False}.get(str(said).lower(), "neither")


Insist = Annotated[
    bool,
    BeforeValidator(_true_or_false),
    Query(description="Add it although one like it is known; needs a reason", examples=[False]),
]
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
RecordId = Annotated[int, PLAIN, Path(ge=1, le=2**63 - 1, description="The record's number.")]


def authenticate(session: Session, credentials: HTTPAuthorizationCredentials | None, *, role: str) -> Principal:
    """Who is asking, with at least this role. Raises Unauthenticated (401) or Forbidden (403)."""
    if credentials is None:
        raise Unauthenticated(f"This needs a key with the role {role}: send `Authorization: Bearer <key>`.")
    principal = accounts.authenticate(session, credentials.credentials)
    if principal is None:
        raise Unauthenticated("This key is not known, or was revoked.")
    if ROLES.index(principal.role) < ROLES.index(role):
        raise Forbidden(f"This needs a key with the role {role}; yours is {principal.role}.")
    return principal


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A request that its caller may repeat: whose, under which key, and what it says."""

    account_id: int
    key: str
    digest: str
    hours: int

    @property
    def oldest(self) -> str:
        """Answers from before this time are no longer given."""
        moment = datetime.now(UTC) - timedelta(hours=self.hours)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def replay(self, session: Session) -> None:
        """Raise the answer that was given to this request, if it was; KeyReused (422) if it was another."""
        row = session.execute(
            select(IdempotencyKey).where(
                IdempotencyKey.account_id == self.account_id,
                IdempotencyKey.key == self.key,
                IdempotencyKey.created_at >= self.oldest,
            )
        ).scalar_one_or_none()
        if row is None:
            return
        if row.request_digest != self.digest:
            raise KeyReused("This Idempotency-Key was used for another request: take a new one.")
        raise Replay(row.status, orjson.loads(row.headers), row.body)

    def keep(self, session: WritingSession, response: Response) -> None:
        """Keep the answer with the write itself, and let go of old ones."""
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < self.oldest))
        headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        session.execute(
            insert(IdempotencyKey).values(
                account_id=self.account_id, key=self.key, request_digest=self.digest,
                status=response.status_code, headers=orjson.dumps(headers).decode(),
                body=bytes(response.body), created_at=session.time,
            )
        )  # fmt: skip


def _digest(request: StrictRequest) -> str:
    scope = request.scope
    said = repr((scope["method"], scope["path"], scope["query_string"])).encode() + b"\0" + request.raw
    return hashlib.sha256(said).hexdigest()


@dataclass
class Write:
    """One write of one caller. The lock is taken when `session` is first asked for."""

    request: StrictRequest
    principal: Principal
    database: Database
    repeatable: Repeatable | None
    opened: ExitStack
    _session: WritingSession | None = field(default=None, init=False)

    @property
    def session(self) -> WritingSession:
        """The writing session. Raises RegistryBusy (503), and Replay where a racing duplicate came first."""
        if self._session is None:
            writing = self.database.writing(account=self.principal.account)
            self._session = self.opened.enter_context(writing)
            if self.repeatable is not None:
                self.repeatable.replay(self._session)
        return self._session

    def reason(self, text: str | None) -> None:
        """Why this is done, as the journal will say. Raises InvalidValue (field `reason`)."""
        if text is not None:
            self.session.reason = clean(text, field="reason", limit=LONGEST_REASON)

    def answer(
        self,
        render: Callable[[WritingSession], Mapping[str, Any]],
        *,
        status: int = 200,
        location: str | None = None,
    ) -> Response:
        """Journal the write, render the record as it stands after it, and answer.

        A write that changed nothing answers 200 with the record as it is, and uses no revision number.
        """
        session = self.session
        changed = journal.seal(session)
        response = answers.record_answer(
            self.request,
            render(session),
            revision=session.revision if changed else session.revision - 1,
            status=status if changed else 200,
            location=location if changed else None,
        )
        self._keep(response, changed=changed)
        return response

    def answer_nothing(self) -> Response:
        """Journal the write and answer 204: a record was deleted, and there is nothing to show."""
        session = self.session
        changed = journal.seal(session)
        number = session.revision if changed else session.revision - 1
        headers = {"Registry-Revision": str(number), "Cache-Control": "no-store"}
        response = Response(status_code=204, headers=headers)
        self._keep(response, changed=changed)
        return response

    def _keep(self, response: Response, *, changed: bool) -> None:
        if self.repeatable is not None and changed:
            self.repeatable.keep(self.session, response)

    def finish(self) -> None:
        """Commit, if anything was begun."""
        if self._session is not None:
            journal.commit(self._session)


def _begin(
    request: StrictRequest, credentials: HTTPAuthorizationCredentials | None, key: str | None, *, role: str
) -> Iterator[Write]:
    database = database_of(request)
    settings: Settings = request.app.state.settings
    repeatable = None
    with database.reading() as session:
        principal = authenticate(session, credentials, role=role)
        if key is not None:
            hours = settings.idempotency_hours
            repeatable = Repeatable(principal.account_id, key, _digest(request), hours)
            repeatable.replay(session)
    try:
        with ExitStack() as opened:
            write = Write(request, principal, database, repeatable, opened)
            yield write
            write.finish()
    finally:
        accounts.mark_used(database, principal)


def _editor(
    request: StrictRequest, credentials: Credentials, idempotency_key: IdempotencyHeader = None
) -> Iterator[Write]:
    yield from _begin(request, credentials, idempotency_key, role="editor")


def _admin(
    request: StrictRequest, credentials: Credentials, idempotency_key: IdempotencyHeader = None
) -> Iterator[Write]:
    yield from _begin(request, credentials, idempotency_key, role="admin")


EditorDep = Annotated[Write, Depends(_editor, scope="function")]
AdminDep = Annotated[Write, Depends(_admin, scope="function")]
