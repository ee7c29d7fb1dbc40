"""Check: replay the whole journal and compare it with the tables; work out anew what is derived."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import RowMapping, String, Table, cast, func, select, text
from sqlalchemy.orm import Session

from app.domain.names import fold
from app.errors import RegistryError
from app.models import PARTS, RECORDS, Change, City, Member, Partnership, RegistryState, Revision
from app.models.base import Base, derived_columns
from app.registry import content, evidence, fragments, journal, lives, settling
from app.registry.content import canonical, chunks, table_of
from app.registry.lives import Kept

Problem = dict[str, Any]
STREAMED = 1_000


def check(session: Session) -> list[Problem]:
    """Every difference between journal and tables, row that points nowhere, and derived value that is wrong:
    noun, id, problem. Empty: all is well."""
    return list(problems(session))


def problems(session: Session) -> Iterator[Problem]:
    """The problems as they are found."""
    yield from _revisions(session)
    for noun in RECORDS:
        yield from _records(session, noun)
        yield from _bookkeeping(session, noun)
    for model in _models():
        yield from _row_derivations(session, model)
    yield from _lives(session)
    yield from _countries(session)
    yield from _fragments(session)
    yield from _orphans(session)


def _models() -> list[type[Base]]:
    parts: dict[type[Base], None] = dict.fromkeys(part for several in PARTS.values() for part in several)
    return [*RECORDS.values(), *parts]


def _problem(noun: str, key: Any, problem: str) -> Problem:
    return {"noun": noun, "id": key, "problem": problem}


def _revisions(session: Session) -> Iterator[Problem]:
    newest = session.execute(select(RegistryState.revision)).scalar_one()
    count, highest = session.execute(select(func.count(), func.max(Revision.number))).one()
    if (count, highest or 0) != (newest, newest):
        yield _problem("revisions", newest, f"{count} revisions up to {highest} are kept, the registry is at {newest}")
    changed = select(Change.revision).where(Change.revision == Revision.number).exists()
    empty = select(Revision.number).where(~changed)
    for number in session.execute(empty).scalars():
        yield _problem("revisions", number, "the revision has no change")
    strange = select(Change.noun, Change.record).where(Change.noun.not_in(RECORDS)).distinct()
    for noun, record in session.execute(strange):
        yield _problem(noun, record, "the journal speaks of a noun that there is not")


def _records(session: Session, noun: str) -> Iterator[Problem]:
    for batch in chunks(_known(session, noun)):
        journalled = journal.newest(session, noun, batch)
        now = content.read(session, noun, batch)
        for record in batch:
            after = canonical(now[record]) if record in now else None
            if record not in journalled:
                yield _problem(noun, record, "is in the tables, but the journal never heard of it")
            elif after != journalled[record]:
                yield _problem(noun, record, "differs from its newest change in the journal")


def _known(session: Session, noun: str) -> list[str]:
    """The keys of all records of the noun that journal or tables know."""
    table = table_of(RECORDS[noun])
    journalled = select(Change.record).where(Change.noun == noun)
    kept = select(cast(table.c[RECORDS[noun].KEY], String))
    return sorted(session.execute(journalled.union(kept)).scalars(), key=content.in_order)


def _bookkeeping(session: Session, noun: str) -> Iterator[Problem]:
    table = table_of(RECORDS[noun])
    key = table.c[RECORDS[noun].KEY]
    for batch in chunks(session.execute(select(key).order_by(key)).scalars().all()):
        spans = journal.spans(session, noun, [str(record) for record in batch])
        times = _times(session, {number for span in spans.values() for number in span})
        kept = (
            select(key, table.c.revision, table.c.created_at, table.c.updated_at)
            .where(content.among(key, batch))
            .order_by(key)
        )
        for record, *stamps in session.execute(kept):
            first, last = spans.get(str(record), (None, None))
            if first in times and last in times and stamps != [last, times[first], times[last]]:
                yield _problem(noun, record, "its revision, created_at or updated_at is not the journal's")


def _times(session: Session, revisions: Collection[int]) -> dict[int | None, str]:
    statement = select(Revision.number, Revision.time).where(content.among(Revision.number, [*revisions]))
    return {row.number: row.time for row in session.execute(statement)}


def _row_derivations(session: Session, model: type[Base]) -> Iterator[Problem]:
    """Bounds of dates and folded names of content columns (a life's own dates are looked at with the life)."""
    dates = [name for name in model.DATES if name in model.CONTENT]
    if not dates and not model.FOLDED:
        return
    table, key = table_of(model), getattr(model, "KEY", "id")
    names = [key, *dates, *(f"{name}_{end}" for name in dates for end in ("earliest", "latest"))]
    names += [*model.FOLDED, *model.FOLDED.values()]
    statement = select(*(table.c[name] for name in names)).execution_options(yield_per=STREAMED)
    for row in session.execute(statement).mappings():
        if _derived_wrongly(model, row):
            yield _problem(table.name, row[key], "a folded name or the bounds of a date are not what they follow from")


def _derived_wrongly(model: type[Base], row: RowMapping) -> bool:
    try:
        wanted = derived_columns(model, dict(row), fold=fold)
    except RegistryError:  # a date that is none
        return True
    return any(row[name] != value for name, value in wanted.items())


def _lives(session: Session) -> Iterator[Problem]:
    ids = session.execute(select(Partnership.id).order_by(Partnership.id)).scalars().all()
    for batch in chunks(ids):
        claims = evidence.claims(session, Partnership.NOUN, batch)
        for kept in lives.read(session, batch):
            try:
                faults = _life_faults(kept, claims.get(kept.row.id))
                yield from (_problem("partnerships", kept.row.id, fault) for fault in faults)
            except RegistryError as error:
                yield _problem("partnerships", kept.row.id, f"its events have no place in a life: {error.message}")


def _life_faults(kept: Kept, claimed: evidence.Claimed | None) -> Iterator[str]:
    following = lives.follow(kept)
    for name, value in lives.columns(kept, following).items():
        if getattr(kept.row, name) != value:
            yield f"{name} is not what its events add up to"
    for member in kept.members:
        wanted = following.members[member.id]
        if any(getattr(member, name) != value for name, value in wanted.items()):
            yield f"the status or dates of member {member.id} are not what the events add up to"
    if kept.spells != following.spells:
        yield "its spells are not what its events add up to"
    if kept.row.conflicts_count != settling.conflicts_count(kept, {}, claimed):
        yield "its number of conflicts is wrong"


def _countries(session: Session) -> Iterator[Problem]:
    statement = (
        select(Member.partnership_id).join(City, City.id == Member.city_id).where(Member.country != City.country)
    )
    for partnership in session.execute(statement).scalars():
        yield _problem("partnerships", partnership, "a member's country is not its city's")


def _fragments(session: Session) -> Iterator[Problem]:
    for partnership in fragments.wrong(session):
        yield _problem("partnerships", partnership, "its item in lists is not what the tables say")


def _orphans(session: Session) -> Iterator[Problem]:
    """Rows that point nowhere. The constraints forbid them; a damaged file or a restore may have them."""
    if session.get_bind().dialect.name == "sqlite":
        for row in session.execute(text("PRAGMA foreign_key_check")):
            yield _problem(row[0], row[1], f"names a row of {row[2]} that is not there")
        return
    for table in Base.metadata.sorted_tables:
        yield from _orphans_of(session, table)


def _orphans_of(session: Session, table: Table) -> Iterator[Problem]:
    for constraint in table.foreign_key_constraints:
        other = constraint.referred_table.alias()
        pairs = [(element.parent, other.c[element.column.name]) for element in constraint.elements]
        named = [column.is_not(None) for column, _ in pairs]
        found = select(*other.primary_key).where(*(target == column for column, target in pairs)).exists()
        key = next(iter(table.primary_key))
        for row in session.execute(select(key).where(*named, ~found)).scalars():
            yield _problem(table.name, row, f"names a row of {constraint.referred_table.name} that is not there")
