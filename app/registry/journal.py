"""The journal: every write leaves one revision and, for each record that it touched, one change.

Nobody writes to the journal by hand. A listener collects the records whose rows a flush touched; `seal` reads
each back from the database and keeps it as it stands now. Tables are always the fold of the journal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Delete,
    Insert,
    ScalarSelect,
    Select,
    String,
    Update,
    case,
    cast,
    event,
    func,
    insert,
    inspect,
    select,
    update,
)  # fmt: skip
from sqlalchemy.orm import ORMExecuteState, Session

from app.domain import differences
from app.errors import RecordDeleted, RecordNotFound
from app.models import PARTS, RECORDS, Change, Part, Record, Revision
from app.registry import content, fragments
from app.registry.content import Content, canonical, chunks
from app.registry.database import WritingSession
from app.registry.labels import labels

JOURNALLED = {content.table_of(model).name for model in RECORDS.values()} | {
    content.table_of(part).name for parts in PARTS.values() for part in parts
}


@event.listens_for(WritingSession, "after_flush")
def _collect(session: WritingSession, _context: Any) -> None:
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, Record):
            session.touch(row.NOUN, getattr(row, row.KEY))
        elif isinstance(row, Part):
            _collect_owners(session, row)


def _collect_owners(session: WritingSession, row: Part) -> None:
    for noun, column in row.OWNERS.items():
        history = inspect(row).attrs[column].history
        for owner in {*history.added, *history.unchanged, *history.deleted} - {None}:
            session.touch(noun, owner)


@event.listens_for(WritingSession, "after_rollback")
def _close(session: WritingSession) -> None:
    """With the transaction the lock and the revision number are gone: nothing more may come of the session."""
    session.touched, session.sealed = {}, True


@event.listens_for(Session, "do_orm_execute")
def _refuse_bulk(state: ORMExecuteState) -> None:
    """A bulk statement is seen by no listener: on journalled tables it must say that its writer journals."""
    statement = state.statement
    if not isinstance(statement, Insert | Update | Delete) or state.execution_options.get("journalled"):
        return
    if getattr(statement.table, "name", None) in JOURNALLED:
        raise RuntimeError(f"A bulk statement on {statement.table} would bypass the journal.")


def seal(session: WritingSession) -> bool:
    """Journal what this session touched. True if anything changed; after it nothing more can be changed."""
    if session.sealed:
        return bool(session.touched)
    session.flush()
    changed: dict[tuple[str, str], bool] = {}
    for noun in RECORDS:
        for batch in _changes(session, noun):
            if not changed:
                _open(session)
            _write(session, noun, batch)
            changed |= {(noun, change["record"]): True for change in batch}
    session.touched, session.sealed = changed, True
    if changed:
        fragments.refresh(session, session.touched)
        session.expire_all()
    return bool(changed)


def commit(session: WritingSession) -> bool:
    """Seal and commit. A write that changed nothing is rolled back and uses no revision number."""
    changed = seal(session)
    if changed:
        session.commit()
    else:
        session.rollback()
    return changed


def _changes(session: WritingSession, noun: str) -> Iterator[list[dict[str, Any]]]:
    """The changes to be kept of a noun's records, batch by batch."""
    touched = {record: force for (kind, record), force in session.touched.items() if kind == noun}
    for records in chunks(sorted(touched, key=content.in_order)):
        before = newest(session, noun, records)
        now = {record: canonical(each) for record, each in content.read(session, noun, records).items()}
        batch = [
            {"revision": session.revision, "noun": noun, "record": record, "after": now.get(record)}
            for record in records
            if now.get(record) != before.get(record) or touched[record]
        ]
        if batch:
            yield batch


def newest(session: Session, noun: str, records: Collection[str], *, until: int | None = None) -> dict[str, str | None]:
    """What the journal's newest change says of each record (the newest up to revision `until`, if given); records
    that it does not know are left out."""
    known: dict[str, str | None] = {}
    for batch in chunks(sorted(records, key=content.in_order)):
        wanted = content.listed(session, batch)
        last = _of(noun, wanted, until).order_by(Change.revision.desc()).limit(1)
        # Scalar subqueries: one look into the index for each key, whatever the planner thinks of the table.
        statement = select(
            wanted, last.with_only_columns(Change.revision).scalar_subquery(),
            last.with_only_columns(Change.after).scalar_subquery(),
        )  # fmt: skip
        known |= {record: after for record, revision, after in session.execute(statement) if revision is not None}
    return known


def _of(noun: str, record: ColumnElement[str], until: int | None) -> Select[Any]:
    """The changes of a record, up to a revision where one is given."""
    statement = select(Change.revision).where(Change.noun == noun, Change.record == record)
    return statement if until is None else statement.where(Change.revision <= until)


def spans(session: Session, noun: str, records: Sequence[str]) -> dict[str, tuple[int, int]]:
    """The first and the last revision of each record of a batch that the journal knows."""
    wanted = content.listed(session, records)
    changes = _of(noun, wanted, None).limit(1)
    first, last = changes.order_by(Change.revision), changes.order_by(Change.revision.desc())
    found = session.execute(select(wanted, first.scalar_subquery(), last.scalar_subquery()))
    return {record: (first, last) for record, first, last in found if first is not None}


def _open(session: WritingSession) -> None:
    session.execute(
        insert(Revision).values(
            number=session.revision, time=session.time, account=session.account,
            reason=session.reason, undoes=session.undoes,
        )
    )  # fmt: skip


def _write(session: WritingSession, noun: str, changes: list[dict[str, Any]]) -> None:
    session.execute(insert(Change), changes)
    _stamp(session, noun, [change["record"] for change in changes if change["after"] is not None])


def _stamp(session: WritingSession, noun: str, records: Sequence[str]) -> None:
    """The bookkeeping columns of the changed records, so that lists need not ask the journal for them.
    A record that an undo brought back was created when it first was."""
    if not records:
        return
    table = content.table_of(RECORDS[noun])
    key = table.c[RECORDS[noun].KEY]
    created_at = case((table.c.created_at == "", first_time(noun, key)), else_=table.c.created_at)
    statement = (
        update(table)
        .where(content.among(key, [content.key_of(noun, record) for record in records]))
        .values(revision=session.revision, updated_at=session.time, created_at=created_at)
    )
    session.execute(statement, execution_options={"journalled": True})


def first_time(noun: str, key: Column[Any]) -> ScalarSelect[str]:
    """When a record's first revision was made, for the row whose key column is given."""
    first = select(func.min(Change.revision)).where(Change.noun == noun, Change.record == cast(key, String))
    number = first.correlate(key.table).scalar_subquery()
    return select(Revision.time).where(Revision.number == number).correlate(key.table).scalar_subquery()


def as_it_was(session: Session, noun: str, record: int | str, *, revision: int) -> Content | None:
    """The record's content after `revision`; None where it did not exist then."""
    return as_they_were(session, noun, [str(record)], revision=revision).get(str(record))


def as_they_were(session: Session, noun: str, records: Collection[str], *, revision: int) -> dict[str, Content]:
    """The content of many records after `revision`; those that did not exist then are left out."""
    known = newest(session, noun, records, until=revision)
    return {record: orjson.loads(after) for record, after in known.items() if after is not None}


def history(session: Session, noun: str, record: int | str) -> list[dict[str, Any]]:
    """The record's revisions, newest first, each with its differences from the one before. Empty if the
    registry never held it."""
    statement = (
        select(Change.after, *REVISION_COLUMNS)
        .join(Revision, Revision.number == Change.revision)
        .where(Change.noun == noun, Change.record == str(record))
        .order_by(Change.revision)
    )
    rows = [(row, None if row.after is None else orjson.loads(row.after)) for row in session.execute(statement)]
    label = labels(session, [after for _, after in rows])
    entries: list[dict[str, Any]] = []
    before: Content | None = None
    for row, after in rows:
        told = differences.describe(before, after, label=label)
        entries.append(revision_row(row) | {"differences": told})
        before = after
    return entries[::-1]


REVISION_COLUMNS = (Revision.number, Revision.time, Revision.account, Revision.reason, Revision.undoes)


def revision_row(row: Any) -> dict[str, Any]:
    """One revision, JSON-ready."""
    return {
        "number": row.number,
        "time": row.time,
        "account": row.account,
        "reason": row.reason,
        "undoes": row.undoes,
    }


def revision(session: Session, number: int) -> dict[str, Any]:
    """One revision with its changes: noun, id, and the record after it."""
    row = session.execute(select(*REVISION_COLUMNS).where(Revision.number == number)).one_or_none()
    if row is None:
        raise RecordNotFound("revisions", number)
    changes = session.execute(
        select(Change.noun, Change.record).where(Change.revision == number).order_by(Change.noun, Change.record)
    )
    listed = [{"noun": noun, "id": content.key_of(noun, record)} for noun, record in changes]
    return revision_row(row) | {"changes": listed}


def explain_absence(session: Session, noun: str, record: int | str) -> None:
    """Say why a record that is not in the tables is not there: deleted, or never known."""
    statement = select(func.max(Change.revision)).where(
        Change.noun == noun, Change.record == str(record), Change.after.is_(None)
    )
    gone = session.execute(statement).scalar_one()
    if gone is not None:
        raise RecordDeleted(noun, record, revision=gone)
    raise RecordNotFound(noun, record)
