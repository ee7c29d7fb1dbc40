"""The lifecycle rule: the golden cases, every cell of the table, what is refused, and what always holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.fuzzy_dates import FuzzyDate, from_date, parse
from app.domain.lifecycle import (
    EVENT_TYPES,
    STATUSES,
    TRANSITIONS,
    Event,
    Life,
    Spell,
    active_on,
    allowed,
    unfold,
    whole_status,
)
from app.errors import EventRefused

ALPHA, BETA = "alpha", "beta"
PAIR = (ALPHA, BETA)


def event(type_: str, when: str | None = None, by: str | None = None, *, instead_of: str | None = None) -> Event:
    return Event(type_, parse(when) if when else None, declared_by=by, in_place_of=instead_of)


def statuses(life: Life) -> dict[str, str]:
    return {str(member): of.status for member, of in life.members.items()}


def whole_spells(life: Life) -> list[str]:
    return [spell.status for spell in life.spells if spell.member is None]


def text(fuzzy: FuzzyDate | None) -> str | None:
    return fuzzy.text if fuzzy else None


def refusal(members: tuple[str, ...], events: list[Event]) -> EventRefused:
    with pytest.raises(EventRefused) as caught:
        unfold(members, events)
    return caught.value


# ── Golden cases (design part 2, facts.md) ──

OSAKA, SAN_FRANCISCO = "osaka", "san_francisco"
BAY = (OSAKA, SAN_FRANCISCO)
BAY_EVENTS = [
    event("signed", "1957"),
    event("decided", "2017-12-13", by=OSAKA),
    event("ended", "2018-10-02", by=OSAKA),
]

CHICAGO, MOSCOW = "chicago", "moscow"
MOSCOW_EVENTS = [
    event("signed", "1997"),
    event("suspended", "2022-03-01", by=CHICAGO),
    event("rejected", "2023-05-24", by=CHICAGO),
]

DOUZELAGE = (*(f"town {n}" for n in range(26)), "karkkila", "prienai", "asikkala", "rokiskis")
DOUZELAGE_EVENTS = [
    event("signed"),
    event("joined", "2016", by="asikkala", instead_of="karkkila"),
    event("joined", "2018", by="rokiskis", instead_of="prienai"),
]


def test_osaka_left_san_francisco_which_stays() -> None:
    life = unfold(BAY, BAY_EVENTS)
    assert (life.status, text(life.established), text(life.ended)) == ("ended", "1957", "2018-10-02")
    osaka, san_francisco = life.members[OSAKA], life.members[SAN_FRANCISCO]
    assert (osaka.status, text(osaka.joined), text(osaka.left)) == ("ended", "1957", "2018-10-02")
    assert (san_francisco.status, text(san_francisco.joined), san_francisco.left) == ("active", "1957", None)


def test_a_decision_to_end_changes_nothing_until_the_end_is_declared() -> None:
    life = unfold(BAY, BAY_EVENTS[:2])
    assert life.status == "active"
    assert active_on(unfold(BAY, BAY_EVENTS).spells, date(2018, 1, 1)) == "certain"


def test_the_spells_of_osaka_and_san_francisco_carry_their_bounds() -> None:
    start, end = (date(1957, 1, 1), date(1957, 12, 31)), (date(2018, 10, 2), date(2018, 10, 2))
    assert unfold(BAY, BAY_EVENTS).spells == (
        Spell(None, "active", *start, *end),
        Spell(None, "ended", *end, None, None),
        Spell(OSAKA, "active", *start, *end),
        Spell(OSAKA, "ended", *end, None, None),
        Spell(SAN_FRANCISCO, "active", *start, None, None),
    )


@pytest.mark.parametrize(
    ("type_", "by"),
    [
        ("left", SAN_FRANCISCO),
        ("ended", SAN_FRANCISCO),
        ("ended", None),
        ("resumed", OSAKA),
        ("resumed", None),
    ]
    + [(type_, by) for type_ in ("rejected", "anniversary", "note") for by in (OSAKA, SAN_FRANCISCO, None)],
)
def test_after_the_end_of_osaka_and_san_francisco_this_may_follow(type_: str, by: str | None) -> None:
    unfold(BAY, [*BAY_EVENTS, event(type_, "2024", by=by)])
    assert type_ in allowed(BAY, BAY_EVENTS, declared_by=by)


@pytest.mark.parametrize(
    ("by", "possible"),
    [
        (None, ["resumed", "ended", "rejected", "anniversary", "note"]),
        (OSAKA, ["resumed", "rejected", "anniversary", "note"]),
        (SAN_FRANCISCO, ["left", "ended", "rejected", "anniversary", "note"]),
        ("nagasaki", []),
    ],
)
def test_after_the_end_of_osaka_and_san_francisco_nothing_else_may(by: str | None, possible: list[str]) -> None:
    assert allowed(BAY, BAY_EVENTS, declared_by=by) == possible


def test_the_other_side_leaving_later_does_not_move_the_end_of_the_whole() -> None:
    life = unfold(BAY, [*BAY_EVENTS, event("left", "2020", by=SAN_FRANCISCO)])
    assert (life.status, text(life.ended)) == ("ended", "2018-10-02")
    assert text(life.members[SAN_FRANCISCO].left) == "2020"


@pytest.mark.parametrize("by", [OSAKA, None])
def test_a_tie_resumed_by_who_left_or_by_all_is_active_again_and_keeps_its_founding(by: str | None) -> None:
    life = unfold(BAY, [*BAY_EVENTS, event("resumed", "2030", by=by)])
    assert statuses(life) == {OSAKA: "active", SAN_FRANCISCO: "active"}
    assert (life.status, text(life.established), life.ended) == ("active", "1957", None)
    assert (text(life.members[OSAKA].joined), life.members[OSAKA].left) == ("1957", None)
    assert whole_spells(life) == ["active", "ended", "active"]


def test_where_both_left_the_whole_stays_ended_until_both_have_resumed() -> None:
    both_left = [*BAY_EVENTS, event("left", by=SAN_FRANCISCO)]
    one_back = [*both_left, event("resumed", by=OSAKA)]
    assert unfold(BAY, one_back).status == "ended"
    assert unfold(BAY, [*one_back, event("resumed", by=SAN_FRANCISCO)]).status == "active"
    assert unfold(BAY, [*both_left, event("resumed")]).status == "active"


def test_chicago_and_moscow_are_suspended_since_the_proposal_to_end_was_rejected() -> None:
    life = unfold((CHICAGO, MOSCOW), MOSCOW_EVENTS)
    assert (life.status, text(life.established), life.ended) == ("suspended", "1997", None)
    assert statuses(life) == {CHICAGO: "suspended", MOSCOW: "active"}
    assert whole_spells(life) == ["active", "suspended"]


@pytest.mark.parametrize(
    ("day", "presence"),
    [
        (date(1996, 12, 31), "no"),
        (date(1997, 1, 1), "possible"),
        (date(1997, 12, 30), "possible"),
        (date(1997, 12, 31), "certain"),
        (date(2022, 2, 1), "certain"),
        (date(2022, 2, 28), "certain"),
        (date(2022, 3, 1), "possible"),  # the day of the announcement itself
        (date(2022, 3, 2), "no"),
        (date(2022, 6, 1), "no"),
        (date(2024, 1, 1), "no"),
    ],
)
def test_chicago_and_moscow_were_active_until_2022(day: date, presence: str) -> None:
    assert active_on(unfold((CHICAGO, MOSCOW), MOSCOW_EVENTS).spells, day) == presence


@pytest.mark.parametrize(
    ("signed", "presence"), [("1960", "certain"), ("1973", "no"), ("197X", "possible"), (None, "possible")]
)
def test_in_1972_chicago_had_warsaw_and_none_of_1973(signed: str | None, presence: str) -> None:
    assert active_on(unfold(PAIR, [event("signed", signed)]).spells, date(1972, 1, 1)) == presence


def test_douzelage_is_one_partnership_of_28_present_and_30_members_over_time() -> None:
    life = unfold(DOUZELAGE, DOUZELAGE_EVENTS)
    assert (life.status, life.established, life.ended) == ("active", None, None)
    assert Counter(statuses(life).values()) == {"active": 28, "ended": 2}
    assert {town: text(of.left) for town, of in life.members.items() if of.status == "ended"} == {
        "karkkila": "2016",
        "prienai": "2018",
    }
    assert {town: text(of.joined) for town, of in life.members.items() if of.joined} == {
        "asikkala": "2016",
        "rokiskis": "2018",
    }


def test_douzelage_was_signed_at_an_unknown_time_before_its_first_known_succession() -> None:
    life = unfold(DOUZELAGE, DOUZELAGE_EVENTS)
    by_member = {(s.member, s.status): s for s in life.spells}
    assert by_member[None, "active"] == Spell(None, "active", date.min, date(2016, 12, 31))
    assert by_member["karkkila", "active"].end_earliest == date(2016, 1, 1)
    assert by_member["rokiskis", "active"] == Spell("rokiskis", "active", date(2018, 1, 1), date(2018, 12, 31))
    assert [s.status for s in life.spells if s.member == "asikkala"] == ["active"]


def test_a_town_that_left_the_charter_may_come_back_while_the_charter_goes_on() -> None:
    possible = allowed(DOUZELAGE, DOUZELAGE_EVENTS, declared_by="karkkila")
    assert possible == ["resumed", "rejected", "anniversary", "note"]
    life = unfold(DOUZELAGE, [*DOUZELAGE_EVENTS, event("renewed", "2020"), event("suspended"), event("resumed")])
    assert life.members["karkkila"].status == "ended"  # events of all do not bring it back


def test_a_friendship_proposal_that_was_rejected_has_ended_and_never_was_active() -> None:
    life = unfold(PAIR, [event("proposed", "1998"), event("rejected", "1999")])
    assert (life.status, life.established, text(life.ended)) == ("ended", None, "1999")
    assert whole_spells(life) == ["proposed", "ended"]
    assert {of.joined for of in life.members.values()} == {None}
    assert active_on(life.spells, date(1998, 6, 1)) == "no"


def test_a_proposal_that_was_signed_is_established_when_signed() -> None:
    life = unfold(PAIR, [event("proposed", "1972"), event("decided", "1973-05"), event("signed", "1973-11-09")])
    assert (life.status, text(life.established)) == ("active", "1973-11-09")
    assert whole_spells(life) == ["proposed", "active"]


def test_a_tie_first_heard_of_when_it_was_renewed_is_older_than_that_by_nobody_knows_how_much() -> None:
    life = unfold(PAIR, [event("renewed", "1990")])
    assert (life.status, life.established, life.members[ALPHA].joined) == ("active", None, None)
    assert active_on(life.spells, date(1950, 6, 1)) == "possible"
    assert active_on(life.spells, date(1991, 6, 1)) == "certain"


def test_events_that_change_no_status_change_no_dates_and_no_spells() -> None:
    plain = unfold(PAIR, [event("signed", "1973")])
    rich = unfold(
        PAIR,
        [
            event("signed", "1973"),
            event("renewed", "1993"),
            event("anniversary", "2023-08-01"),
            event("rejected", by=ALPHA),
            event("note", "2024"),
        ],
    )
    assert rich == plain


@pytest.mark.parametrize("type_", ["decided", "rejected", "anniversary", "note"])
def test_without_an_event_that_gives_a_status_it_is_unknown_and_has_no_spell(type_: str) -> None:
    for events in ([], [event(type_, "1990")]):
        life = unfold(PAIR, events)
        assert (life.status, life.spells, life.established) == ("unknown", (), None)
        assert statuses(life) == dict.fromkeys(PAIR, "unknown")


# ── The table, cell by cell ──

REACHED = {  # the shortest way of both members into each status
    "unknown": [],
    "proposed": [event("proposed")],
    "active": [event("signed")],
    "suspended": [event("suspended")],
    "ended": [event("signed"), event("left", by=ALPHA)],
}
EXPECTED = {
    # type: after unknown, proposed, active, suspended, ended (by the member; "-": refused)
    "proposed": "proposed - - - -",
    "decided": "unknown proposed active suspended -",
    "signed": "active active - - -",
    "renewed": "active - active - -",
    "left": "ended ended ended ended -",
    "suspended": "suspended - suspended - -",
    "resumed": "- - - active active",
    "ended": "ended ended ended ended -",
    "rejected": "unknown ended active suspended ended",
    "anniversary": "unknown proposed active suspended ended",
    "note": "unknown proposed active suspended ended",
}
CELLS = [
    (type_, before, after)
    for type_, row in EXPECTED.items()
    for before, after in zip(REACHED, row.split(), strict=True)
]


def test_the_cells_cover_every_type_and_status() -> None:
    # A joining takes the earlier events of all back for its member, so it has cases of its own below.
    assert {*EXPECTED, "joined"} == set(TRANSITIONS) == set(EVENT_TYPES)
    assert set(REACHED) == set(STATUSES)


@pytest.mark.parametrize(("type_", "before", "after"), CELLS)
def test_an_event_of_one_member_moves_it_as_the_table_says(type_: str, before: str, after: str) -> None:
    events = [*REACHED[before], event(type_, by=ALPHA)]
    if after == "-":
        refused = refusal(PAIR, events)
        assert refused.field == f"events/{len(events) - 1}"
        assert type_ not in refused.allowed
        return
    life = unfold(PAIR, events)
    assert life.members[ALPHA].status == after
    assert life.members[BETA].status == unfold(PAIR, REACHED[before]).members[BETA].status


@pytest.mark.parametrize(("type_", "before", "after"), [cell for cell in CELLS if cell[1] != "ended"])
def test_an_event_of_all_moves_every_member_likewise(type_: str, before: str, after: str) -> None:
    events = [*REACHED[before], event(type_)]
    if after == "-" or type_ == "left":
        assert type_ not in refusal(PAIR, events).allowed
    else:
        assert statuses(unfold(PAIR, events)) == dict.fromkeys(PAIR, after)


@pytest.mark.parametrize(
    ("own", "after"),
    [([], "active"), (["proposed"], "active")] + [([t], "-") for t in ("signed", "suspended", "left")],
)
def test_a_member_joins_from_nothing_or_from_its_own_proposal(own: list[str], after: str) -> None:
    trio = (*PAIR, "gamma")
    events = [event("signed", by=ALPHA), event("signed", by=BETA), *(event(t, by="gamma") for t in own)]
    events.append(event("joined", "2001", by="gamma"))
    if after == "-":
        assert refusal(trio, events).field == "events/3"
    else:
        life = unfold(trio, events)
        assert (life.members["gamma"].status, text(life.members["gamma"].joined)) == (after, "2001")


@pytest.mark.parametrize(
    ("members", "whole"),
    [
        ("active active", "active"),
        ("active active ended suspended", "active"),
        ("active suspended", "suspended"),
        ("suspended suspended ended", "suspended"),
        ("active proposed", "proposed"),
        ("suspended proposed unknown", "proposed"),
        ("proposed proposed", "proposed"),
        ("active ended", "ended"),
        ("unknown unknown ended", "ended"),
        ("ended ended", "ended"),
        ("active unknown", "unknown"),
        ("unknown unknown", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_whole_takes_two(members: str, whole: str) -> None:
    assert whole_status(members.split()) == whole


def test_a_tie_signed_by_each_side_on_its_own_day_is_established_by_the_second() -> None:
    life = unfold(PAIR, [event("signed", "1985-03", by=ALPHA), event("signed", "1985-05", by=BETA)])
    assert text(life.established) == "1985-05"
    assert [text(life.members[member].joined) for member in PAIR] == ["1985-03", "1985-05"]


def test_an_event_of_all_leaves_those_as_they_are_that_it_cannot_move() -> None:
    life = unfold(PAIR, [event("signed", by=ALPHA), event("signed", "1990")])
    assert statuses(life) == {ALPHA: "active", BETA: "active"}
    assert life.members[ALPHA].joined is None
    assert text(life.members[BETA].joined) == "1990"


def test_events_of_all_pass_by_a_member_that_joins_later() -> None:
    events = [event("signed", "1991"), event("suspended", "1995"), event("resumed", "1996")]
    life = unfold((*PAIR, "gamma"), [*events, event("joined", "2000", by="gamma"), event("suspended", "2005")])
    gamma = [(s.status, s.begin_earliest.year) for s in life.spells if s.member == "gamma"]
    assert gamma == [("active", 2000), ("suspended", 2005)]
    assert text(life.members["gamma"].joined) == "2000"


def test_a_decision_or_a_note_of_all_may_stand_before_everybody_joins() -> None:
    events = [event("decided", "1990"), event("note"), event("joined", "1991", by=ALPHA)]
    life = unfold(PAIR, [*events, event("joined", "1992", by=BETA)])
    assert (life.status, text(life.established)) == ("active", "1992")


def test_a_member_that_left_and_came_back_has_left_no_more() -> None:
    events = [event("signed", "1970"), event("left", "1980", by=ALPHA), event("resumed", "1990", by=ALPHA)]
    assert unfold(PAIR, events).members[ALPHA].left is None
    life = unfold(PAIR, [*events, event("left", "2000", by=ALPHA)])
    assert (text(life.members[ALPHA].left), text(life.ended)) == ("2000", "2000")


# ── Refusals ──


def test_a_new_signing_after_the_end_is_refused_and_says_what_is_possible() -> None:
    refused = refusal(BAY, [*BAY_EVENTS, event("signed", "2025")])
    assert refused.field == "events/3"
    assert refused.allowed == ["resumed", "ended", "rejected", "anniversary", "note"]
    assert refused.message == (
        "The partnership has ended, so it cannot be signed. Possible here: resumed, ended, rejected, anniversary, note."
    )


SIGNED = event("signed", "1973")
ENDED = event("ended", "1980")
ABOUT_THE_MEMBER_IN_PLACE = "The member in whose place another joins must be one of this partnership."


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([SIGNED, SIGNED], "The partnership is active already, so it cannot be signed again."),
        ([SIGNED, event("resumed")], "The partnership is active already, so it cannot be resumed."),
        ([SIGNED, event("proposed")], "The partnership is active already, so it cannot be proposed."),
        ([event("resumed")], "The partnership has no known status so far, so it cannot be resumed."),
        ([event("resumed", by=BETA)], "The member has no known status so far, so it cannot resume."),
        (
            [event("proposed"), event("renewed")],
            "The partnership is proposed so far, so it cannot be renewed.",
        ),
        (
            [SIGNED, event("suspended"), event("suspended")],
            "The partnership is suspended, so it cannot be suspended again.",
        ),
        ([SIGNED, ENDED, ENDED], "The partnership has ended, so it cannot be ended again."),
        ([SIGNED, ENDED, event("decided")], "The partnership has ended, so it cannot be decided on."),
        ([SIGNED, ENDED, event("joined", by=ALPHA)], "The partnership has ended, so a member cannot join."),
        (
            [SIGNED, event("left", by=ALPHA), event("left", by=ALPHA)],
            "The member has left, so it cannot leave again.",
        ),
        (
            [SIGNED, event("left", by=ALPHA), event("resumed", by=BETA)],
            "The partnership has ended, and only a member that left can resume it.",
        ),
        ([SIGNED, event("signed", by=BETA)], "The member is active already, so it cannot sign again."),
        (
            [event("resumed", by=BETA), event("joined", by=BETA)],
            "The member joins only later, so it cannot resume.",
        ),
        (
            [event("signed"), event("joined", by=ALPHA), event("joined", by=BETA)],
            "This event of all concerns nobody: it passes by members whose own joining stands later.",
        ),
        ([event("joined")], "To join or to leave is the act of one member: say which in declared_by."),
        ([SIGNED, event("left")], "To join or to leave is the act of one member: say which in declared_by."),
        ([event("signed", by="gamma")], "Only a member of this partnership can declare its events."),
        ([event("signed", instead_of=ALPHA)], "Only a joining can be in the place of another member."),
        ([event("joined", by=ALPHA, instead_of="gamma")], ABOUT_THE_MEMBER_IN_PLACE),
        ([event("joined", by=ALPHA, instead_of=ALPHA)], "A member cannot join in its own place."),
        ([event("severed")], "There is no such type of event."),
    ],
)
def test_a_refusal_says_why(events: list[Event], why: str) -> None:
    refused = refusal(PAIR, events)
    assert refused.message.startswith(f"{why} Possible here: " if refused.allowed else why)
    assert refused.message.endswith(f"{', '.join(refused.allowed)}." if refused.allowed else why)


def test_nobody_joins_in_the_place_of_one_that_has_left_already() -> None:
    trio = (*PAIR, "gamma", "delta")
    events = [event("signed"), event("left", by=ALPHA), event("joined", by="gamma", instead_of=ALPHA)]
    refused = refusal(trio, events)
    assert refused.field == "events/2"
    assert refused.message.startswith("The member in whose place this one would join has left already.")
    assert "joined" in refused.allowed  # in nobody's place it can


def test_a_refusal_never_repeats_an_unknown_type() -> None:
    assert "x" * 20 not in refusal(PAIR, [event("x" * 10_000)]).message


def test_a_refused_event_in_the_middle_is_judged_by_what_stands_before_it() -> None:
    refused = refusal(PAIR, [event("proposed"), event("resumed"), event("signed")])
    assert refused.field == "events/1"
    assert refused.allowed == ["decided", "signed", "ended", "rejected", "anniversary", "note"]


def test_what_is_possible_in_the_middle_reckons_with_a_joining_that_stands_later() -> None:
    events = [event("signed"), event("resumed", by="gamma"), event("joined", by="gamma")]
    assert {"proposed", "signed"} <= set(refusal((*PAIR, "gamma"), events).allowed)


def test_the_first_of_two_misshapen_events_still_hears_what_is_possible() -> None:
    refused = refusal(PAIR, [event("severed"), event("severed")])
    assert (refused.field, refused.allowed) == ("events/0", allowed(PAIR, []))


def test_an_end_before_the_start_is_refused() -> None:
    refused = refusal(PAIR, [event("signed", "1973"), event("ended", "1970")])
    assert refused.field == "events/1"
    assert refused.message == (
        "The dates contradict the order: ended 1970 lies before signed 1973. "
        "Mend one of the dates, or put the events in the order in which they happened."
    )
    assert "ended" in refused.allowed  # it is the date that is wrong, not the type


@pytest.mark.parametrize(
    ("dates", "refused_at"),
    [
        (["1973", "1973"], None),
        (["1973-11-09", "1973"], None),
        (["1973", "1973-01-01"], None),
        (["1973-11", "1973-10-31"], 1),
        (["197X", "1970"], None),
        (["197X", "1969"], 1),
        (["1973~", "1972"], 1),
        (["1973", None, "1972"], 2),
        (["1973", "197X", "1972"], 2),
        ([None, "1973", None], None),
    ],
)
def test_dates_are_refused_only_where_their_bounds_exclude_the_order(
    dates: list[str | None], refused_at: int | None
) -> None:
    events = [event("note", when) for when in dates]
    if refused_at is None:
        assert unfold(PAIR, events).status == "unknown"
    else:
        assert refusal(PAIR, events).field == f"events/{refused_at}"


# ── Spells ──


@pytest.mark.parametrize(
    ("events", "bounds"),
    [
        ([event("signed")], (date.min, date.max, None, None)),
        ([event("signed", "1973")], (date(1973, 1, 1), date(1973, 12, 31), None, None)),
        (
            [event("signed"), event("anniversary", "2023-08-01")],
            (date.min, date(2023, 8, 1), None, None),
        ),
        (
            [event("decided", "1969-10-01"), event("signed"), event("note", "1971")],
            (date(1969, 10, 1), date(1971, 12, 31), None, None),
        ),
        (
            [event("signed", "1973-06-01"), event("ended", "1973")],
            (date(1973, 6, 1), date(1973, 6, 1), date(1973, 6, 1), date(1973, 12, 31)),
        ),
        (
            [event("signed", "1973"), event("ended")],
            (date(1973, 1, 1), date(1973, 12, 31), date(1973, 1, 1), date.max),
        ),
        (
            [event("signed"), event("ended", "197X")],
            (date.min, date(1979, 12, 31), date(1970, 1, 1), date(1979, 12, 31)),
        ),
    ],
)
def test_the_bounds_of_a_spell_are_tightened_by_the_events_around_it(
    events: list[Event], bounds: tuple[date, date, date | None, date | None]
) -> None:
    assert unfold(PAIR, events).spells[0] == Spell(None, "active", *bounds)


@pytest.mark.parametrize("day", [date(1, 1, 1), date(1955, 5, 5), date(2026, 1, 1)])
def test_an_undated_partnership_was_possibly_active_on_any_day(day: date) -> None:
    assert active_on(unfold(PAIR, [event("signed")]).spells, day) == "possible"


def test_only_the_spells_of_the_whole_say_whether_it_was_active() -> None:
    spells = unfold(BAY, BAY_EVENTS).spells
    of_members = [spell for spell in spells if spell.member is not None]
    assert active_on(of_members, date(2000, 1, 1)) == "no"
    assert active_on(spells, date(2020, 1, 1)) == "no"


# ── What always holds ──

MEMBERS = ("a", "b", "c")
KEYS = st.sampled_from([None, None, None, *MEMBERS])
DATES = st.none() | st.sampled_from(["1990", "1991-06", "1992", "1992-02-29", "1993", "199X"]).map(parse)
DAYS = st.dates(date(1990, 1, 1), date(1990, 3, 1))
# No deadline: a busy machine is no fault of the rule.
holds = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def sensible(type_: str) -> st.SearchStrategy[Event]:
    in_place_of = KEYS if type_ == "joined" else st.none()
    return st.builds(Event, st.just(type_), DATES, declared_by=KEYS, in_place_of=in_place_of)


def stands(events: list[Event]) -> bool:
    try:
        unfold(MEMBERS, events)
    except EventRefused:
        return False
    return True


def standing(events: list[Event]) -> list[Event]:
    """Those of the events that are not refused after those kept before them."""
    kept: list[Event] = []
    for tried in events:
        kept += [tried] if stands([*kept, tried]) else []
    return kept


SENSIBLE = st.sampled_from(EVENT_TYPES).flatmap(sensible)
HISTORIES = st.lists(SENSIBLE, max_size=14).map(standing)
ANYTHING = st.builds(
    Event,
    st.sampled_from([*EVENT_TYPES, "severed"]),
    DATES,
    declared_by=KEYS | st.just("stranger"),
    in_place_of=KEYS | st.just("stranger"),
)


@holds
@given(st.lists(ANYTHING | SENSIBLE, max_size=8))
def test_whatever_the_events_the_answer_is_a_life_or_a_refusal(events: list[Event]) -> None:
    try:
        life = unfold(MEMBERS, events)
    except EventRefused as refused:
        assert refused.field in {f"events/{index}" for index in range(len(events))}
        assert set(refused.allowed) <= set(EVENT_TYPES)
        assert refused.message.endswith(".")
    else:
        assert life.status in STATUSES


@holds
@given(HISTORIES, KEYS)
def test_what_is_allowed_can_be_appended_and_nothing_else(events: list[Event], by: str | None) -> None:
    possible = allowed(MEMBERS, events, declared_by=by)
    for type_ in EVENT_TYPES:
        appended = [*events, Event(type_, declared_by=by)]
        if type_ in possible:
            unfold(MEMBERS, appended)
        else:
            refused = refusal(MEMBERS, appended)
            # Only a joining reaches back: it may leave an earlier event of all with nobody to concern.
            assert type_ == "joined" or (refused.field, refused.allowed) == (
                f"events/{len(events)}",
                possible,
            )


@holds
@given(HISTORIES)
def test_each_spell_begins_where_the_one_before_it_ends(events: list[Event]) -> None:
    life = unfold(MEMBERS, events)
    for key in (None, *MEMBERS):
        own = [spell for spell in life.spells if spell.member == key]
        for before, after in pairwise(own):
            assert (before.end_earliest, before.end_latest) == (after.begin_earliest, after.begin_latest)
            assert before.status != after.status
            assert before.begin_earliest <= after.begin_earliest
            assert before.begin_latest <= after.begin_latest
        assert all(spell.begin_earliest <= spell.begin_latest for spell in own)
        assert [spell.end_latest for spell in own[-1:]] == [None] * len(own[-1:])


@holds
@given(HISTORIES)
def test_the_statuses_are_those_of_the_last_spells_and_the_whole_follows_its_members(
    events: list[Event],
) -> None:
    life = unfold(MEMBERS, events)
    last = {spell.member: spell.status for spell in life.spells}
    assert statuses(life) == {member: last.get(member, "unknown") for member in MEMBERS}
    assert life.status == last.get(None, "unknown") == whole_status(statuses(life).values())


@holds
@given(HISTORIES, st.dates(date(1940, 1, 1), date(2030, 1, 1)))
def test_on_no_day_is_it_certainly_active_and_certainly_something_else(events: list[Event], day: date) -> None:
    spells = unfold(MEMBERS, events).spells
    others = [
        s
        for s in spells
        if s.member is None and s.status != "active" and s.begin_latest <= day
        if s.end_earliest is None or s.end_earliest > day
    ]
    assert not (others and active_on(spells, day) == "certain")


@holds
@given(HISTORIES)
def test_established_and_ended_are_dates_of_events_and_agree_with_the_status(events: list[Event]) -> None:
    life = unfold(MEMBERS, events)
    assert {life.established, life.ended} <= {None, *(e.date for e in events)}
    assert life.ended is None or life.status == "ended"
    assert all(of.left is None or of.status == "ended" for of in life.members.values())


@holds
@given(st.lists(st.tuples(DAYS, SENSIBLE), max_size=12), DAYS)
def test_where_every_day_is_known_it_was_active_exactly_when_the_events_so_far_say_so(
    drawn: list[tuple[date, Event]], day: date
) -> None:
    dated = sorted(drawn, key=lambda pair: pair[0])
    # Without joinings and renewals, which reach back, the events up to a day say all about it.
    reach_back = ("joined", "renewed")
    events = standing([replace(e, date=from_date(on)) for on, e in dated if e.type not in reach_back])
    so_far = [e for e in events if e.date and e.date.latest <= day]
    active_then = unfold(MEMBERS, so_far).status == "active"
    presence = active_on(unfold(MEMBERS, events).spells, day)
    if day in {e.date.latest for e in events if e.date}:
        assert presence == "certain" if active_then else presence != "certain"
    else:
        assert presence == ("certain" if active_then else "no")
