"""What an import of partnerships would do: every row judged, in the order of the file, against one snapshot of the
registry and the rows before it. Nothing is written but to the staging."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import RegistryError
from app.exchange import judging
from app.exchange.judging import Addition, Saying, Standing
from app.exchange.placing import UNKNOWN
from app.exchange.records import SourceNamed
from app.exchange.shelves import Draft
from app.exchange.sourcing import Sourcing, keyed
from app.exchange.staged_places import Placed
from app.exchange.staging import LineRow, StagedRow, Staging, said_of
from app.models import Member, Partnership
from app.registry import content
from app.registry.content import Content, chunks, table_of

PAIR = 2
MOST_MEMBERS = 1000
SAYINGS = 4096
NOUN = Partnership.NOUN
_partnerships, _members = table_of(Partnership), table_of(Member)
#: What the matcher speaks of, as a column of the file is called (with the number of the city behind it).
COLUMNS = {"name": "city", "latitude": "lat", "longitude": "lng", "identifiers": "id"}


@dataclass
class Planning:
    """Judges the staged rows. `kind`: of partnerships whose row says none; `source`: of rows that name none; `insist`:
    a pair of another kind is one more agreement."""

    staging: Staging
    session: Session
    kind: str
    source: SourceNamed | None
    insist: bool
    progress: Callable[[int], None]
    totals: Counter[str] = field(default_factory=Counter)
    _drafts: int = 0

    def __post_init__(self) -> None:
        self._sources = Sourcing(self.staging, self.session)
        self._saying = lru_cache(maxsize=SAYINGS)(self._read_saying)
        self._content = lru_cache(maxsize=SAYINGS)(self._new_content)
        self._keyless = _pairs_without_key(self.session)

    def judge_all(self) -> None:
        """A line for every row, and a draft of every record that is to be written."""
        done = 0
        for batch in self.staging.staged_rows():
            self._judge(batch)
            done += len(batch)
            self.progress(done)

    def _judge(self, batch: Sequence[StagedRow]) -> None:
        judged = _Batch()
        places = self.staging.places.placed({place for row in batch for place in _places_of(row)})
        placed = [_place(row, places) for row in batch]
        self._load_standing(judged, {each.tie for each in placed if each.tie})
        for row, found in zip(batch, placed, strict=True):
            line = self._judge_row(judged, row, found) if found.tie else _without_city(row, found)
            self.totals[line[1]] += 1
            judged.lines.append(line)
        self._keep(judged)

    # ── What stands ──

    def _load_standing(self, judged: _Batch, ties: set[str]) -> None:
        self._load_records(judged, ties)
        for draft in self.staging.drafts.tied(ties):
            known = orjson.loads(draft.content)
            standing = Standing(known, known.get("id"), draft.row, draft.number)
            others = [each for each in judged.standing[draft.tie] if each.record != draft.number]
            judged.standing[draft.tie] = [*others, standing]

    def _load_records(self, judged: _Batch, ties: set[str]) -> None:
        keys = [tie for tie in ties if "--" not in tie and not tie.startswith("-")]
        found: dict[int, str] = {}
        for batch in chunks([key for key in keys if key.count("-") == 1]):
            statement = select(_partnerships.c.id, _partnerships.c.pair_key)
            rows = self.session.execute(statement.where(_partnerships.c.pair_key.in_(batch)))
            found |= {row[0]: row[1] for row in rows}
        found |= {number: tie for tie in keys for number in self._keyless.get(tie, ())}
        for tie in keys:
            if tie.count("-") > 1:
                found |= dict.fromkeys(_of_exactly(self.session, [int(city) for city in tie.split("-")]), tie)
        known = content.read(self.session, NOUN, [str(number) for number in found])
        for number in sorted(found):
            judged.standing[found[number]].append(Standing(known[str(number)], number))

    # ── One row ──

    def _judge_row(self, judged: _Batch, row: StagedRow, placed: _Tied) -> LineRow:
        try:
            standing = judged.standing.get(placed.tie)
            if not standing:
                return self._create(judged, row, placed)
            said = self._saying(row[4])
            meant = judging.meant(standing, said, kind=self.kind, insist=self.insist)
            if meant is None:
                return self._create(judged, row, placed)
            if isinstance(meant, list):
                return _which(row, meant, said)
            return self._add(judged, row, placed, meant, judging.add(meant.content, said))
        except RegistryError as error:
            return _line(row, placed, "refused", error.message, column=error.field)

    def _create(self, judged: _Batch, row: StagedRow, placed: _Tied) -> LineRow:
        cities, tie = placed.cities, placed.tie
        text, known = self._content(row[4], len(cities))
        self._drafts += 1
        number = -self._drafts
        more = orjson.dumps(cities).decode() if len(cities) > PAIR else None
        judged.drafts[number] = Draft(number, tie, cities[0], cities[1], more, row[0], text)
        judged.standing[tie].append(Standing(known, None, row[0], number))
        return _line(row, placed, "created", self._introduced(placed), record=number)

    def _introduced(self, placed: _Tied) -> str:
        """A new record's reason, with the cities that are new with it."""
        new = [
            place.label
            for place in placed.places
            if place.city is not None and place.city < 0 and self.staging.use(-place.city) and place.label
        ]
        if not new:
            return "A new partnership."
        return f"A new partnership, with the new {'city' if len(new) == 1 else 'cities'} {' and '.join(new)}."

    def _add(self, judged: _Batch, row: StagedRow, placed: _Tied, meant: Standing, addition: Addition) -> LineRow:
        number = meant.draft if meant.draft is not None else meant.record
        assert number is not None
        whose = f"partnership {meant.record}" if meant.row is None else f"row {meant.row}"
        differs = f" Kept as it is: {'; '.join(addition.differs)}." if addition.differs else ""
        if not addition.added:
            reason = f"The registry has it: {whose}." if meant.row is None else f"It repeats {whose}."
            return _line(row, placed, "same", reason + differs, record=number)
        first = row[0] if meant.row is None else meant.row
        text = orjson.dumps(addition.content).decode()
        known = judged.drafts.get(number, Draft(number, placed.tie, 0, 0, None, first, text))
        judged.drafts[number] = known._replace(content=text)
        judged.replace(placed.tie, meant, Standing(addition.content, meant.record, first, number))
        reason = f"Added to {whose}: {', '.join(dict.fromkeys(addition.added))}.{differs}"
        return _line(row, placed, "changed", reason, record=number)

    def _read_saying(self, text: str) -> Saying:
        said = said_of(text)
        named = said["sources"] or ((self.source,) if self.source else ())
        sources = tuple((self._sources.find(*keyed(each, self.source)), each.locator or None) for each in named)
        return judging.saying(said, tuple(dict.fromkeys(sources)))

    def _new_content(self, text: str, members: int) -> tuple[str, Content]:
        """As it is staged, and as it is judged by (nobody changes that: what a row adds makes another)."""
        known = judging.new_content(self._saying(text), kind=self.kind, members=members)
        return orjson.dumps(known).decode(), known

    def _keep(self, judged: _Batch) -> None:
        self.staging.drafts.put(judged.drafts.values())
        self.staging.lines.put(judged.lines)


@dataclass(slots=True)
class _Batch:
    """What is at hand while a batch of rows is judged. `standing`: tie → partnerships; `drafts`: rows to keep."""

    standing: dict[str, list[Standing]] = field(default_factory=lambda: defaultdict(list))
    drafts: dict[int, Draft] = field(default_factory=dict)
    lines: list[LineRow] = field(default_factory=list)

    def replace(self, tie: str, before: Standing, after: Standing) -> None:
        """The same partnership with more in it."""
        self.standing[tie] = [after if each is before else each for each in self.standing[tie]]


class _Tied(NamedTuple):
    """The cities of a row, and their tie (all of them as one text); or, without a tie, the line of why it has none."""

    tie: str
    cities: list[int] = []
    places: list[Placed] = []
    refusal: tuple[str, str | None, str, str | None] | None = None


def _place(row: StagedRow, places: Mapping[int, Placed]) -> _Tied:
    """The cities of a row; or the reason why it has none."""
    if row[7] is not None:
        return _Tied("", refusal=("refused", row[6], row[7], None))
    found = [places[place] for place in _places_of(row)]
    cities = [place.city for place in found if place.city is not None]
    if len(cities) < len(found):
        return _Tied("", refusal=_unplaced(found))
    if len(set(cities)) < len(cities):
        return _Tied("", refusal=("refused", "city2", _SELF if len(cities) == PAIR else _TWICE, None))
    if len(cities) > MOST_MEMBERS:
        reason = f"A partnership has at most {MOST_MEMBERS:,} members."
        return _Tied("", refusal=("refused", "members", reason, None))
    return _Tied("-".join(map(str, sorted(cities))), cities, found)


def _unplaced(places: Sequence[Placed]) -> tuple[str, str | None, str, str | None]:
    """Why the first of the cities that are none is none."""
    position, place = next((position, each) for position, each in enumerate(places, start=1) if each.city is None)
    column = f"{COLUMNS.get(place.field or 'name', place.field)}{position}"
    if place.outcome == "unknown":
        return "refused", column, UNKNOWN, place.candidates
    return place.outcome, column, place.reason or "", place.candidates


def _line(
    row: StagedRow, placed: _Tied, outcome: str, reason: str, *, column: str | None = None, record: int | None = None
) -> LineRow:
    matched = [place.reason for place in placed.places if place.reason]
    if row[5] or matched:
        reason = " ".join(filter(None, [reason, *matched, row[5]]))
    return row[0], outcome, column, reason, None, record


_SELF = "A city cannot be partnered with itself: both are the same city."
_TWICE = "A city stands in this row twice: each member is another city."


def _places_of(row: StagedRow) -> Sequence[int]:
    if row[3] is not None:
        listed: list[int] = orjson.loads(row[3])
        return listed
    return row[1:3] if row[2] is not None else [place for place in row[1:3] if place is not None]  # type: ignore[return-value]


def _without_city(row: StagedRow, placed: _Tied) -> LineRow:
    assert placed.refusal is not None
    outcome, column, reason, candidates = placed.refusal
    return row[0], outcome, column, f"{reason} {row[5]}" if row[5] else reason, candidates, None


def _which(row: StagedRow, several: Sequence[Standing], said: Saying) -> LineRow:
    listed = [
        {"id": each.record, "row": each.row, "kind": each.content["kind"]} for each in several
    ]  # fmt: skip
    if said.kind is not None and all(each.content["kind"] != said.kind for each in several):
        reason = (
            "These cities hold a partnership of another kind: is this one more? Leave the kind out to add to that one;"
            " --insist makes another one."
        )
    else:
        reason = "These cities hold several partnerships, and the row does not say which it means: give its kind."
    return row[0], "ambiguous", "kind", " ".join(filter(None, (reason, row[5]))), orjson.dumps(listed).decode(), None


def _pairs_without_key(session: Session) -> dict[str, list[int]]:
    """Partnerships of two cities that have no pair key, since one of them left and came back: tie → numbers."""
    low, high = func.min(_members.c.city_id), func.max(_members.c.city_id)
    statement = (
        select(_members.c.partnership_id, low, high)
        .join(_partnerships, _partnerships.c.id == _members.c.partnership_id)
        .where(_partnerships.c.pair_key.is_(None), _partnerships.c.merged_into_id.is_(None))
        .group_by(_members.c.partnership_id)
        .having(func.count(_members.c.city_id.distinct()) == PAIR)
    )
    found: dict[str, list[int]] = defaultdict(list)
    for number, one, other in session.execute(statement):
        found[f"{one}-{other}"].append(number)
    return found


def _of_exactly(session: Session, cities: Iterable[int]) -> list[int]:
    """The partnerships of exactly these cities (three or more), past members included."""
    wanted = set(cities)
    theirs = select(_members.c.partnership_id).where(_members.c.city_id == min(wanted))
    statement = (
        select(_members.c.partnership_id, _members.c.city_id)
        .join(_partnerships, _partnerships.c.id == _members.c.partnership_id)
        .where(_members.c.partnership_id.in_(theirs), _partnerships.c.merged_into_id.is_(None))
    )
    found: dict[int, set[int]] = defaultdict(set)
    for number, city in session.execute(statement):
        found[number].add(city)
    return sorted(number for number, members in found.items() if members == wanted)
