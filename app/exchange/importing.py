"""Imports: every row of a file explained, and, if asked, all of it as one revision.

    with importing.plan(database, rows, options) as planned:
        planned.totals, planned.revision, list(planned.lines())
        importing.apply(database, planned, account="cli")

A plan is made against one snapshot. Applying it takes the write lock; if the registry has moved on meanwhile, the
rows are judged again first. So two imports of the same file at once leave what one would have left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import islice
from types import TracebackType
from typing import Any, Literal

import orjson
from sqlalchemy.orm import Session

from app.errors import InvalidValue, NotInstalled
from app.exchange import places as geonames
from app.exchange import record_planning, writing
from app.exchange.collecting import seldom
from app.exchange.matching import CountryNames, Matcher, RegistryGazetteer
from app.exchange.placing import Placing
from app.exchange.planning import Planning
from app.exchange.record_planning import RecordPlanning
from app.exchange.record_rows import RecordRow
from app.exchange.records import PartnershipRow, SourceNamed
from app.exchange.shelves import BATCH
from app.exchange.sourcing import Sourcing, keyed
from app.exchange.staged_gazetteer import StagedGazetteer
from app.exchange.staging import Staging
from app.models import City, Partnership
from app.models.partnerships import PARTNERSHIP_KINDS
from app.registry import Database, fields, journal, sources
from app.registry.database import WritingSession
from app.registry.fields import Context

Outcome = Literal["created", "same", "changed", "ambiguous", "refused"]
OUTCOMES: tuple[Outcome, ...] = ("created", "same", "changed", "ambiguous", "refused")
#: What a tie between two cities is that no row and no option gives a kind: the registry's own word for all of them.
KIND = "sister_city"
#: Files of more places are completed from GeoNames only if asked.
MOST_COMPLETED = 1_000
#: How often a plan is made anew without the lock before it is made under it.
TRIES = 2
#: Called with the step, how much of it is done, and how much it is (0: not known).
Progress = Callable[[str, int, int], None]
LONGEST_REASON = 2_000


class SourceNeeded(InvalidValue):
    """Rows are to be written of which nobody says where they come from."""


@dataclass(frozen=True, slots=True)
class Options:
    """How an import is to go. `file`, `sha256`, `size`: what is imported, for the history. `source`: where the rows
    come from that say nothing of it themselves. `create_cities` None: if the file says where its cities lie.
    `complete`: new cities are completed from GeoNames (None: see `_completes`). `on_error` stop: nothing is written
    if a row is refused."""

    file: str = ""
    sha256: str = ""
    size: int | None = None
    source: SourceNamed | None = None
    kind: str | None = None
    create_cities: bool | None = None
    complete: bool | None = None
    on_error: Literal["stop", "skip"] = "stop"
    insist: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    noun: str = "partnerships"


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of one row. `field`: the column that the reason is about; `record`: its number, once it has one."""

    number: int
    outcome: Outcome
    reason: str
    field: str | None = None
    candidates: tuple[Mapping[str, Any], ...] = ()
    record: int | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What an import did. `revision` None: nothing was to be written, or (with `stopped`) a row was refused."""

    revision: int | None
    totals: Mapping[str, int]
    stopped: bool = False


def quiet(_step: str, _done: int, _total: int) -> None:
    """Progress that nobody looks at."""
    pass


class Plan(AbstractContextManager["Plan"]):
    """Every row judged against the registry at `revision`. Close it: it holds a temporary file."""

    def __init__(self, staging: Staging, options: Options, progress: Progress) -> None:
        self.staging, self.options, self.progress = staging, options, progress
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
        """How many rows were read: the sum of the totals."""
        return sum(self.totals.values())

    @property
    def writes(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.totals["created"] or self.totals["changed"])

    @property
    def stops(self) -> bool:
        """Whether a refused row stops all of it."""
        return self.options.on_error == "stop" and self.totals["refused"] > 0

    def lines(self) -> Iterator[Line]:
        """What becomes of each row, in their order. A record that is not written yet has no number."""
        record_of = self.staging.record_of_line
        for batch in self.staging.lines.batches():
            for number, outcome, column, reason, candidates, record in batch:
                listed = tuple(orjson.loads(candidates)) if candidates else ()
                yield Line(number, outcome, reason, column, listed, record_of(record))  # type: ignore[arg-type]


def plan(
    database: Database,
    rows: Iterable[PartnershipRow | RecordRow],
    options: Options,
    *,
    progress: Progress = quiet,
    writes: bool = False,
) -> Plan:
    """Read all rows and judge each. `writes`: the plan is to be applied, so that a source is needed.

    Raises SourceNeeded, InvalidValue (an option that cannot be); whatever reading raises.
    """
    _check(options)
    planned = Plan(Staging(), options, progress)
    try:
        with seldom():
            _stage(planned.staging, rows)
            planned.options = replace(options, complete=_completes(options, planned.staging))
            if writes and options.source is None:
                _refuse_sourceless(planned.staging)
            with database.reading() as session:
                judge(planned, session)
    except BaseException:
        planned.close()
        raise
    return planned


def _check(options: Options) -> None:
    if options.kind is not None and options.kind not in PARTNERSHIP_KINDS:
        raise InvalidValue(f"This must be one of: {', '.join(PARTNERSHIP_KINDS)}.", field="kind")
    if options.source is not None and options.source.url:
        values = {"title": options.source.title or options.source.url, "url": options.source.url}
        # Cleaning an address asks the session nothing.
        context = Context(None)  # type: ignore[arg-type]
        fields.cleaned(context, {"title": sources.FIELDS["title"], "url": sources.FIELDS["url"]}, values, partial=False)


def _stage(staging: Staging, rows: Iterable[PartnershipRow | RecordRow]) -> None:
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        staging.add_rows([row for row in batch if isinstance(row, PartnershipRow)])
        staging.add_records([row for row in batch if isinstance(row, RecordRow)])


def _refuse_sourceless(staging: Staging) -> None:
    number = staging.without_source()
    if number is not None:
        raise SourceNeeded(
            f"Where do these rows come from? Row {number} names no source: give its title (--source TITLE) and, if it"
            " has one, its address (--source-url URL).",
            field="source",
        )


def judge(planned: Plan, session: Session) -> None:
    """Judge the staged rows against what the session shows."""
    staging, options = planned.staging, planned.options
    staging.forget()
    known, new = RegistryGazetteer(session), StagedGazetteer(staging)
    Placing(
        staging,
        Matcher(CountryNames(session), (known, new)),
        known,
        new,
        create=_creates(options, staging),
        complete=bool(options.complete),
        progress=lambda done: planned.progress("Matching", done, staging.places.count),
    ).place_all()
    planning = _planning(planned, session)
    planning.judge_all()
    planned.totals = {outcome: planning.totals[outcome] for outcome in OUTCOMES}
    planned.revision = _revision(session)


def _creates(options: Options, staging: Staging) -> bool:
    if options.noun != Partnership.NOUN:
        return options.noun == City.NOUN
    return staging.places.any_placed() if options.create_cities is None else options.create_cities


def _completes(options: Options, staging: Staging) -> bool:
    """Whether new cities are completed: if asked; else where GeoNames' data are installed (the extra `places`) and the
    file names few places. They take 2 seconds and 420 MB to load, and bring a dozen names for each city: a big list
    is completed by who wants it. Cities of their own (`noun` cities) are as their rows say."""
    if options.noun != Partnership.NOUN or options.complete is False:
        return False
    if options.complete and not geonames.installed():
        raise NotInstalled("Completing cities from GeoNames", extra="places")
    return options.complete or (geonames.installed() and staging.places.count <= MOST_COMPLETED)


def _planning(planned: Plan, session: Session) -> Planning | RecordPlanning:
    staging, options = planned.staging, planned.options

    def progress(done: int) -> None:
        planned.progress("Judging", done, staging.rows)

    if options.noun != Partnership.NOUN:
        return RecordPlanning(staging, session, options.source, progress)
    return Planning(
        staging,
        session,
        kind=options.kind or KIND,
        source=options.source,
        insist=options.insist,
        progress=progress,
    )


def _revision(session: Session) -> int:
    """The revision that the rows were judged by: of a writing session, the one before its own."""
    if isinstance(session, WritingSession):
        return session.revision - 1
    return session.number()  # type: ignore[attr-defined, no-any-return]


def apply(
    database: Database,
    planned: Plan,
    *,
    account: str,
    before_commit: Callable[[Plan], None] = lambda _plan: None,
) -> Applied:
    """Write what was planned, as one revision. `before_commit` is called when all is written and nothing is kept yet:
    if it fails (a report for which the disk has no room), nothing was imported. Raises RegistryBusy."""
    with seldom():
        for _ in range(TRIES):
            if planned.stops or not planned.writes:
                before_commit(planned)
                return Applied(None, planned.totals, stopped=planned.stops)
            applied = _apply(database, planned, account, before_commit, again=False)
            if applied is not None:
                return applied
            with database.reading() as session:
                judge(planned, session)
        applied = _apply(database, planned, account, before_commit, again=True)
    assert applied is not None
    return applied


def _apply(
    database: Database, planned: Plan, account: str, before_commit: Callable[[Plan], None], *, again: bool
) -> Applied | None:
    """Write, if the registry is still what was planned against, or after judging `again` under the lock. None: it is
    not, and nothing was written."""
    with database.writing(account=account, reason=reason(planned.options)) as session:
        if session.revision - 1 != planned.revision:
            if not again:
                session.rollback()
                return None
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


def _write(session: WritingSession, planned: Plan) -> None:
    staging, options = planned.staging, planned.options
    total = planned.totals["created"] + planned.totals["changed"]

    def progress(done: int) -> None:
        planned.progress("Writing", done, total)

    if options.noun != Partnership.NOUN:
        record_planning.write(session, staging, progress)
        journal.seal(session)
        return

    def own_source() -> int | None:
        return None if options.source is None else Sourcing(staging, session).find(*keyed(options.source))

    writing.write(session, staging, source=own_source, progress=progress)


def reason(options: Options) -> str:
    """What the history says of an import: file, digest, source and options."""
    named = options.source
    told = [
        f"import of {options.file or 'rows'}",
        options.sha256 and f"SHA-256 {options.sha256}",
        options.size is not None and f"{options.size:,} bytes",
        named and f"source: {' '.join(filter(None, (named.key, named.title, named.url)))}",
        options.noun != Partnership.NOUN and f"of {options.noun}",
        options.noun == Partnership.NOUN and f"kind: {options.kind or KIND}",
        options.noun == Partnership.NOUN and f"create cities: {_CREATE[options.create_cities]}",
        options.complete and "completed from GeoNames",
        f"on error: {options.on_error}",
        options.insist and "insisting on further agreements",
        options.columns and "columns: " + ", ".join(f"{name}={header}" for name, header in options.columns.items()),
    ]
    text = "; ".join(str(each) for each in told if each)
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"


_CREATE = {None: "if they have coordinates", True: "yes", False: "no"}
