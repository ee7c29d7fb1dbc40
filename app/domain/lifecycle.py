"""From events to statuses, spells and derived dates: the one place where the lifecycle rule is written.

Each member's status is folded from its own events and those of all, by `TRANSITIONS`; the status of the
whole follows from its members' (`whole_status`). Nothing here is ever typed in by anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, pairwise
from typing import Literal

from app.domain.fuzzy_dates import FuzzyDate
from app.errors import EventRefused

STATUSES = ("proposed", "active", "suspended", "ended", "unknown")

# What an event does to a member it concerns: status before → status after. A status that is not in
# the row refuses the event; one that maps to itself lets it stand and changes nothing.
TRANSITIONS: dict[str, dict[str, str]] = {
    "proposed": {"unknown": "proposed"},
    "decided": {status: status for status in STATUSES if status != "ended"},
    "signed": {"unknown": "active", "proposed": "active"},
    # The first thing known about an old tie is often a renewal, a suspension or its end.
    "renewed": {"unknown": "active", "active": "active"},
    "joined": {"unknown": "active", "proposed": "active"},
    "left": dict.fromkeys(("active", "suspended", "proposed", "unknown"), "ended"),
    "suspended": {"unknown": "suspended", "active": "suspended"},
    "resumed": {"suspended": "active", "ended": "active"},
    "ended": dict.fromkeys(("active", "suspended", "proposed", "unknown"), "ended"),
    # A proposal to end that failed (Chicago–Moscow 2023) changes nothing.
    "rejected": {status: status for status in STATUSES} | {"proposed": "ended"},
    "anniversary": {status: status for status in STATUSES},
    "note": {status: status for status in STATUSES},
}
EVENT_TYPES = tuple(TRANSITIONS)

# Once the whole has ended: the other side's leaving, a new beginning by who left, and remarks.
AFTER_THE_END = ("left", "resumed", "ended", "rejected", "anniversary", "note")
RENEWED = "renewed"
OF_ONE_MEMBER = ("joined", "left")

# For refusals: the state of the whole, the state of a member, and what all or one of them cannot do.
_WHOLE_IS = {
    "proposed": "is proposed so far",
    "active": "is active already",
    "suspended": "is suspended",
    "ended": "has ended",
    "unknown": "has no known status so far",
}
_MEMBER_IS = _WHOLE_IS | {"ended": "has left"}
_ACTS = {
    "proposed": ("be proposed", "propose"),
    "decided": ("be decided on", "decide"),
    "signed": ("be signed", "sign"),
    "renewed": ("be renewed", "renew"),
    "joined": ("be joined", "join"),
    "left": ("be left", "leave"),
    "suspended": ("be suspended", "suspend"),
    "resumed": ("be resumed", "resume"),
    "ended": ("be ended", "leave"),
}
_MEND_THE_ORDER = "Mend one of the dates, or put the events in the order in which they happened."


@dataclass(frozen=True, slots=True)
class Event:
    """A fact in a partnership's life; its place in the list is its place in time.

    `declared_by` is the member whose act it was (None: of all); `in_place_of`, only on `joined`, the
    member that leaves by it. `key` is the caller's own (a row id), carried along and not looked at.
    """

    type: str
    date: FuzzyDate | None = None
    declared_by: Hashable | None = None
    in_place_of: Hashable | None = None
    key: Hashable | None = None


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch with one status, of the member (None: of the whole); bounds are days, inclusive.

    It began between `begin_earliest` and `begin_latest` (date.min, date.max: not bounded) and ended
    between `end_earliest` and `end_latest`; both are None while it lasts. The day of the event that
    ends it is the first day of what follows.
    """

    member: Hashable | None
    status: str
    begin_earliest: date
    begin_latest: date
    end_earliest: date | None = None
    end_latest: date | None = None


@dataclass(frozen=True, slots=True)
class MemberLife:
    """`joined`: when it first became active; `left`: when it left, if it has. None: not, or not known."""

    status: str
    joined: FuzzyDate | None
    left: FuzzyDate | None


@dataclass(frozen=True, slots=True)
class Life:
    """What the events add up to. `established`: when the whole first became active; `ended`: when it
    ended, if it has; None: not, or not known. Spells: those of the whole first, each in order of time."""

    status: str
    established: FuzzyDate | None
    ended: FuzzyDate | None
    members: dict[Hashable, MemberLife]
    spells: tuple[Spell, ...]


_Statuses = dict[Hashable, str]


class _Fault(Exception):
    """Why the event at `index` cannot stand; `mend` says how to put it right, if the types do not."""

    def __init__(self, index: int, why: str, *, mend: str | None = None) -> None:
        super().__init__(why)
        self.index = index
        self.why = why
        self.mend = mend


def unfold(members: Sequence[Hashable], events: Sequence[Event]) -> Life:
    """The life that `events`, in order of position, give a partnership of `members` (any keys but None).

    Raises EventRefused (field `events/<index>`, allowed: the types possible at that place for the same
    `declared_by`, dates aside) if an event is misshapen, contradicts the order of the dates, or has no
    place in the lifecycle; looked for in this order.
    """
    try:
        _check_shape(members, events)
        _check_order(events)
        course = _fold(members, events, until=len(events))
    except _Fault as fault:
        raise _refusal(members, events, fault) from None
    return _life(course, events)


def allowed(members: Sequence[Hashable], events: Sequence[Event], *, declared_by: Hashable | None = None) -> list[str]:
    """The event types that could come after `events`, whatever their date; none if `events` cannot stand."""
    return _possible(members, [*events, Event("note", declared_by=declared_by)], index=len(events))


def whole_status(statuses: Iterable[str]) -> str:
    """The status of the whole, given each member's: it takes two to be in any living state."""
    count = Counter(statuses)
    standing = 0
    for status in ("active", "suspended", "proposed"):
        standing += count[status]
        if standing > 1:
            return status
    return "ended" if count["ended"] else "unknown"


def active_on(spells: Iterable[Spell], day: date) -> Literal["certain", "possible", "no"]:
    """Whether the whole was active on `day`. Members' spells among `spells` are passed over.

    Over the spells with member null and status 'active' (the same conditions stand in SQL):
    certain: begin_latest <= day and (end_earliest is null or end_earliest > day);
    possible: begin_earliest <= day and (end_latest is null or end_latest >= day).
    """
    active = [spell for spell in spells if spell.member is None and spell.status == "active"]
    if any(s.begin_latest <= day and (s.end_earliest is None or s.end_earliest > day) for s in active):
        return "certain"
    if any(s.begin_earliest <= day and (s.end_latest is None or s.end_latest >= day) for s in active):
        return "possible"
    return "no"


# ── What each event does ──


def _fold(members: Sequence[Hashable], events: Sequence[Event], *, until: int) -> list[_Statuses]:
    """Every member's status before the first event and after each of the first `until`."""
    joining = {event.declared_by: index for index, event in enumerate(events) if event.type == "joined"}
    course: list[_Statuses] = [dict.fromkeys(members, "unknown")]
    for index, event in enumerate(events[:until]):
        to_come = {member for member, at in joining.items() if at > index}
        moves = _moves(course[-1], event, to_come=to_come)
        if why := _objection(course[-1], event, to_come=to_come, moves=moves):
            raise _Fault(index, why)
        course.append(course[-1] | moves)
    return course


def _moves(before: _Statuses, event: Event, *, to_come: set[Hashable | None]) -> _Statuses:
    """The members that the event moves, or allows to stay as they are, and their status after it."""
    steps = TRANSITIONS[event.type]
    if event.declared_by is None:
        return {
            member: steps[status]
            for member, status in before.items()
            if status in steps and (steps[status] == status or _concerns(before, member, event=event, to_come=to_come))
        }
    status = before[event.declared_by]
    moves = {event.declared_by: steps[status]} if status in steps else {}
    return moves if event.in_place_of is None else moves | {event.in_place_of: "ended"}


def _concerns(before: _Statuses, member: Hashable, *, event: Event, to_come: set[Hashable | None]) -> bool:
    """Whether an event of all concerns the member: not before its own joining, not after it left."""
    if member in to_come:
        return False
    revives = event.type == "resumed" and whole_status(before.values()) == "ended"
    return before[member] != "ended" or revives


# ── Why an event is refused ──


def _objection(before: _Statuses, event: Event, *, to_come: set[Hashable | None], moves: _Statuses) -> str | None:
    """Why the event cannot come here, as a sentence; None if it can."""
    if whole_status(before.values()) == "ended" and (why := _objection_after_the_end(before, event)):
        return why
    if event.in_place_of is not None and before[event.in_place_of] == "ended":
        return "The member in whose place this one would join has left already."
    if event.declared_by is None:
        return None if moves else _nobody_moves(before, event, to_come=to_come)
    if event.declared_by in moves:
        return None
    status = before[event.declared_by]
    state = "joins only later" if status == "unknown" and event.declared_by in to_come else _MEMBER_IS[status]
    return f"The member {state}, so it cannot {_ACTS[event.type][1]}{_again(event, status)}."


def _objection_after_the_end(before: _Statuses, event: Event) -> str | None:
    of_all, of_one = _ACTS.get(event.type, ("", ""))
    if event.type not in AFTER_THE_END:
        who = f"it cannot {of_all}" if event.declared_by is None else f"a member cannot {of_one}"
        return f"The partnership has ended, so {who}."
    if event.type == "resumed" and before.get(event.declared_by, "ended") != "ended":
        return "The partnership has ended, and only a member that left can resume it."
    return None


def _nobody_moves(before: _Statuses, event: Event, *, to_come: set[Hashable | None]) -> str:
    passed_by = any(status in TRANSITIONS[event.type] for m, status in before.items() if m in to_come)
    if passed_by or not before:
        return "This event of all concerns nobody: it passes by members whose own joining stands later."
    status = whole_status(before.values())
    return f"The partnership {_WHOLE_IS[status]}, so it cannot {_ACTS[event.type][0]}{_again(event, status)}."


def _again(event: Event, status: str) -> str:
    return " again" if event.type != "resumed" and status in TRANSITIONS[event.type].values() else ""


def _check_shape(members: Sequence[Hashable], events: Sequence[Event]) -> None:
    for index, event in enumerate(events):
        if why := _misshapen(members, event):
            raise _Fault(index, why)


def _misshapen(members: Sequence[Hashable], event: Event) -> str | None:
    """What is wrong with the event wherever it stands; None if nothing is."""
    faults = {
        "There is no such type of event.": event.type not in TRANSITIONS,
        "Only a member of this partnership can declare its events.": (
            event.declared_by is not None and event.declared_by not in members
        ),
        "To join or to leave is the act of one member: say which in declared_by.": (
            event.type in OF_ONE_MEMBER and event.declared_by is None
        ),
        "Only a joining can be in the place of another member.": (
            event.in_place_of is not None and event.type != "joined"
        ),
        "The member in whose place another joins must be one of this partnership.": (
            event.in_place_of is not None and event.in_place_of not in members
        ),
        "A member cannot join in its own place.": (
            event.in_place_of is not None and event.in_place_of == event.declared_by
        ),
    }
    return next((why for why, wrong in faults.items() if wrong), None)


def _check_order(events: Sequence[Event]) -> None:
    """Dates may say less than the order does, but not the opposite."""
    latest: tuple[str, FuzzyDate] | None = None
    for index, event in enumerate(events):
        if event.date is None:
            continue
        if latest and latest[1].earliest > event.date.latest:
            raise _Fault(index, _disorder(event.type, event.date, earlier=latest), mend=_MEND_THE_ORDER)
        if latest is None or event.date.earliest > latest[1].earliest:
            latest = (event.type, event.date)


def _disorder(type_: str, day: FuzzyDate, *, earlier: tuple[str, FuzzyDate]) -> str:
    return f"The dates contradict the order: {type_} {day.text} lies before {earlier[0]} {earlier[1].text}."


def _refusal(members: Sequence[Hashable], events: Sequence[Event], fault: _Fault) -> EventRefused:
    possible = _possible(members, events, index=fault.index)
    mend = fault.mend or (f"Possible here: {', '.join(possible)}." if possible else "")
    message = f"{fault.why} {mend}".rstrip()
    return EventRefused(message, field=f"events/{fault.index}", allowed=possible)


def _possible(members: Sequence[Hashable], events: Sequence[Event], *, index: int) -> list[str]:
    """The types that the event at `index` could have, whatever its date, by the same `declared_by`."""
    declared_by = events[index].declared_by
    tries = {
        type_: [*events[:index], Event(type_, declared_by=declared_by), *events[index + 1 :]] for type_ in EVENT_TYPES
    }
    return [type_ for type_, tried in tries.items() if _stands(members, tried, until=index + 1)]


def _stands(members: Sequence[Hashable], events: Sequence[Event], *, until: int) -> bool:
    # Later events are not judged, but count: an event of all passes by those that join after it.
    try:
        _check_shape(members, events[:until])
        _fold(members, events, until=until)
    except _Fault:
        return False
    return True


# ── What the statuses add up to ──


@dataclass(frozen=True, slots=True)
class _Turn:
    """The event at `index` turned the status into this one."""

    index: int
    status: str


def _life(course: Sequence[_Statuses], events: Sequence[Event]) -> Life:
    whole = _turns([whole_status(statuses.values()) for statuses in course])
    by_member = {member: _turns([statuses[member] for statuses in course]) for member in course[0]}
    moments = _moments(events)
    groups = [(None, whole), *by_member.items()]
    spells = [_spells(turns, events, moments, member=key) for key, turns in groups]
    return Life(
        status=_status_now(whole),
        established=_first_active(whole, events),
        ended=_end(whole, events),
        members={
            member: MemberLife(_status_now(turns), _first_active(turns, events), _end(turns, events))
            for member, turns in by_member.items()
        },
        spells=tuple(spell for group in spells for spell in group),
    )


def _turns(statuses: Sequence[str]) -> list[_Turn]:
    """Where the status changes; `statuses` is that before the first event and after each."""
    changes = enumerate(pairwise(statuses))
    return [_Turn(index, after) for index, (before, after) in changes if before != after]


def _status_now(turns: Sequence[_Turn]) -> str:
    return turns[-1].status if turns else "unknown"


def _first_active(turns: Sequence[_Turn], events: Sequence[Event]) -> FuzzyDate | None:
    first = next((events[turn.index] for turn in turns if turn.status == "active"), None)
    return None if first is None or first.type == RENEWED else first.date


def _end(turns: Sequence[_Turn], events: Sequence[Event]) -> FuzzyDate | None:
    return events[turns[-1].index].date if _status_now(turns) == "ended" else None


def _moments(events: Sequence[Event]) -> list[tuple[date, date]]:
    """Between which days each event happened: by its own date, and not before those that stand
    earlier nor after those that stand later. An undated event is bounded by its neighbours only."""
    floors = (event.date.earliest if event.date else date.min for event in events)
    ceilings = (event.date.latest if event.date else date.max for event in reversed(events))
    latest = reversed(list(accumulate(ceilings, min)))
    return list(zip(accumulate(floors, max), latest, strict=True))


def _spells(
    turns: Sequence[_Turn],
    events: Sequence[Event],
    moments: Sequence[tuple[date, date]],
    *,
    member: Hashable | None,
) -> list[Spell]:
    begins = [moments[turn.index] for turn in turns]
    if turns and events[turns[0].index].type == RENEWED:
        # What is renewed was there before: this says no more than how late it can have begun.
        begins[0] = (date.min, begins[0][1])
    ends = [*begins, (None, None)][1:]
    return [Spell(member, turn.status, *begin, *end) for turn, begin, end in zip(turns, begins, ends, strict=True)]
