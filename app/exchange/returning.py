"""Our own exports come back: every record by its own number, compared with the one that the registry has.

    with returning.plan(database, Path("everything.zip")) as planned:
        planned.totals, list(planned.lines())
        returning.apply(database, planned, account="cli")

Into an empty registry this makes an equal one, ids included; into another each record is created, the same, changed,
or refused with the reason. One revision, judged again under the lock if the registry has moved on since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.names import fold
from app.errors import StateConflict
from app.exchange import own_clashes
from app.exchange.importing import OUTCOMES, Applied, Line, Options, Progress, quiet, reason
from app.exchange.own_files import OwnExport, open_own
from app.exchange.own_staging import BATCH, NEW, OwnStaging, Staged, Targets
from app.models import PARTS, RECORDS, City, Partnership
from app.registry import content, journal, settling
from app.registry.content import Content, chunks, table_of
from app.registry.database import Database, WritingSession

OnError = Literal["stop", "skip"]


class Returning(AbstractContextManager["Returning"]):
    """An export, each record judged against the registry at `revision`. Close it: it holds a temporary file."""

    def __init__(self, export: OwnExport, staging: OwnStaging, on_error: OnError, progress: Progress) -> None:
        self.staging, self.progress = staging, progress
        self.options = Options(
            file=export.name, sha256=export.sha256, size=export.size, on_error=on_error, noun="an export"
        )
        self.revision = 0
        self.totals: dict[str, int] = dict.fromkeys(OUTCOMES, 0)
        self.applied = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the temporary file."""
        self.staging.close()

    @property
    def rows(self) -> int:
        """How many records were read: the sum of the totals."""
        return sum(self.totals.values())

    @property
    def writes(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.totals["created"] or self.totals["changed"])

    @property
    def stops(self) -> bool:
        """Whether a refused record stops all of it."""
        return self.options.on_error == "stop" and self.totals["refused"] > 0

    def lines(self) -> Iterator[Line]:
        """What becomes of each record, in the export's order. The reason begins with which record it is."""
        for number, noun, outcome, field, said, record in self.staging.lines():
            which = noun.replace("_", " ") + (f" {record}" if record is not None else "")
            known = int(record) if record is not None and record.isdigit() and outcome != "refused" else None
            yield Line(number, outcome, f"{which}: {said}" if said else which, field, record=known)  # type: ignore[arg-type]


def plan(
    database: Database,
    path: Path,
    *,
    noun: str | None = None,
    on_error: OnError = "stop",
    progress: Progress = quiet,
) -> Returning:
    """Read an export whole and judge each record. `noun`: of a file whose last line does not say it. Raises
    UnreadableFile: it is no export, or was cut or altered."""
    export = open_own(path, noun=noun)
    planned = Returning(export, OwnStaging(), on_error, progress)
    try:
        for batch in chunks(export.rows(), BATCH):
            planned.staging.add(batch)
            progress("Reading records", planned.staging.rows, 0)
        with database.reading() as session:
            judge(planned, session)
    except BaseException:
        planned.close()
        raise
    return planned


# ── Judging ──


def judge(planned: Returning, session: Session) -> None:
    """Judge every record against what the session shows."""
    staging = planned.staging
    staging.forget()
    done = 0
    for noun in RECORDS:
        for batch in staging.batches(noun):
            _compare(staging, session, noun, batch)
            done += len(batch)
            planned.progress("Judging", done, staging.rows)
    # Only once it is known what becomes of each: a row may be free because its record lets go of it.
    for noun in RECORDS:
        for batch in staging.batches(noun, *NEW):
            own_clashes.refuse_taken(staging, session, noun, batch)
    own_clashes.refuse_dangling(staging, session)
    planned.totals = dict.fromkeys(OUTCOMES, 0) | staging.totals()
    planned.revision = session.revision - 1 if isinstance(session, WritingSession) else session.number()  # type: ignore[attr-defined]


def _compare(staging: OwnStaging, session: Session, noun: str, batch: Sequence[Staged]) -> None:
    now = content.read(session, noun, [staged.record for staged in batch])
    outcomes, others = [], []
    for staged in batch:
        before = now.get(staged.record)
        if before is None:
            outcomes.append(("created", staged.number))
        elif before == staged.content:
            outcomes.append(("same", staged.number))
        else:
            outcomes.append(("changed", staged.number))
            if not _is_one(noun, before, staged.content):
                others.append((staged.number, before))
    staging.judge(outcomes)
    for number, before in others:
        label = before.get("name") or before.get("title") or before.get("kind", "")
        staging.refuse(number, "id", f"This number is held by another record here: {label}.")


def _is_one(noun: str, here: Content, there: Content) -> bool:
    """Whether two contents with one number speak of the same thing, one of them changed: they have in common what
    makes such a record recognisable."""
    return any(_marks(noun, here) & _marks(noun, there)) if noun in _MARKS else True


def _marks(noun: str, own: Content) -> set[Any]:
    return set(_MARKS[noun](own))


def _city_marks(own: Content) -> Iterator[Any]:
    yield from ((own["country"], fold(name)) for name in (own["name"], *(row["text"] for row in own.get("names", ()))))
    yield from ((row["scheme"], row["value"]) for row in own.get("identifiers", ()))


def _partnership_marks(own: Content) -> Iterator[Any]:
    """Its cities: a pair is the two of them, and of a larger agreement any two that stay make it the same."""
    cities = sorted({row["city_id"] for row in own["members"]})
    yield from ((one, other) for place, one in enumerate(cities) for other in cities[place + 1 :])


def _named_marks(own: Content) -> Iterator[Any]:
    yield from (fold(own[name]) for name in ("name", "title", "key") if name in own)
    yield own.get("url", object())


_MARKS: dict[str, Callable[[Content], Iterable[Any]]] = {
    "cities": _city_marks,
    "partnerships": _partnership_marks,
    "sources": _named_marks,
    "organisations": _named_marks,
    "programs": lambda own: (own["partnership_id"], fold(own["name"])),
    "reported_figures": lambda own: ((own["source_id"], own["measure"]),),
}


# ── Writing ──


def apply(
    database: Database,
    planned: Returning,
    *,
    account: str,
    before_commit: Callable[[Any], None] = lambda _planned: None,
) -> Applied:
    """Write what was planned, as one revision; `before_commit` is called when all is written and nothing is kept yet.
    Raises RegistryBusy, StateConflict (the registry's own constraints forbid it: nothing was written)."""
    if planned.stops or not planned.writes:
        before_commit(planned)
        return Applied(None, planned.totals, stopped=planned.stops)
    with database.writing(account=account, reason=reason(planned.options)) as session:
        if session.revision - 1 != planned.revision:
            judge(planned, session)
        if planned.stops or not planned.writes:
            session.rollback()
            before_commit(planned)
            return Applied(None, planned.totals, stopped=planned.stops)
        _write(session, planned)
        before_commit(planned)
        session.commit()
        planned.applied = True
        return Applied(session.revision, planned.totals)


def _write(session: WritingSession, planned: Returning) -> None:
    staging = planned.staging
    partnerships = [int(record) for record in staging.keys(Partnership.NOUN, *NEW)]
    try:
        settling.unsettle(session, partnerships)
        content.put(session, Targets(staging))
        settling.follow_countries(session, (int(record) for record in staging.keys(City.NOUN, "changed")))
        settling.settle(session, partnerships)
        _move_sequences(session)
        journal.seal(session)
    except IntegrityError as error:
        raise StateConflict(
            "The export does not go with what the registry holds: its own constraints forbid it. Nothing was written."
        ) from error


def _move_sequences(session: WritingSession) -> None:
    """PostgreSQL's sequences know nothing of numbers that were given; SQLite's do. Only ever forward: a number that
    was given once does not come back, and what is rolled back leaves a gap at most."""
    if session.get_bind().dialect.name == "sqlite":
        return
    models = [*RECORDS.values(), *dict.fromkeys(part for several in PARTS.values() for part in several)]
    for table in (table_of(model) for model in models):
        if table.autoincrement_column is None:
            continue
        session.execute(
            text(
                "SELECT setval(sequence, greatest(highest, coalesce(pg_sequence_last_value(sequence), 1))) FROM"  # noqa: S608
                " (SELECT pg_get_serial_sequence(:name, 'id')::regclass AS sequence) AS named,"
                f" (SELECT max(id) AS highest FROM {table.name}) AS given WHERE highest IS NOT NULL"
            ),
            {"name": table.name},
        )
