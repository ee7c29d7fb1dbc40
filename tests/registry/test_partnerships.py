"""Partnerships: the golden histories, what may stand beside what, and what every edit of a life settles."""

from __future__ import annotations

from typing import Any

import pytest
from making import city, held, number, row, rows, tamper, written

from app.errors import (
    EventRefused,
    InvalidValue,
    PartnershipExists,
    StateConflict,
    StillReferenced,
    UnknownReference,
)
from app.models import Event, Member, Partnership, Spell
from app.registry import Database, cities, evidence, partnerships, parts, programs, records, sources
from app.registry.database import WritingSession


def pair(database: Database, *, kind: str = "sister_city", **more: Any) -> tuple[int, int, int]:
    """A new pair: city, city, partnership."""
    with written(database) as session:
        a, b = city(session, "Chicago"), city(session, "Osaka", "JP")
        return a, b, partnerships.establish(session, [a, b], kind=kind, **more)


def happened(database: Database, partnership: int, type_: str, date: str | None = None, **more: Any) -> int:
    """One more event."""
    with written(database) as session:
        values = {"type": type_, "date": date} | more
        return parts.add(session, "partnerships", partnership, part="events", values=values)


def statuses(database: Database, partnership: int) -> dict[int, str]:
    """City → status of its membership."""
    return {each["city_id"]: each["status"] for each in rows(database, Member, partnership_id=partnership)}


def conflicting(database: Database, noun: str, record: int) -> list[str]:
    """Fields in conflict."""
    with database.reading() as session:
        return [each.field for each in evidence.find(session, noun, record)]


def source(session: WritingSession, key: str) -> int:
    return sources.add(session, {"title": f"Document {key}", "key": key})


# ── Golden cases ──


def test_osaka_left_san_francisco_which_still_counts_it(database: Database) -> None:
    with written(database) as session:
        osaka, sf = city(session, "Osaka", "JP"), city(session, "San Francisco")
        p = partnerships.establish(session, [osaka, sf], kind="sister_city", signed="1957")
    happened(database, p, "decided", "2017-12-13", declared_by=osaka, authority="mayor")
    assert row(database, Partnership, p)["status"] == "active"
    happened(database, p, "ended", "2018-10-02", declared_by=osaka)
    whole = row(database, Partnership, p)
    assert (whole["status"], whole["established"], whole["ended"]) == ("ended", "1957", "2018-10-02")
    assert statuses(database, p) == {osaka: "ended", sf: "active"}
    left = {each["city_id"]: (each["joined"], each["left"]) for each in rows(database, Member, partnership_id=p)}
    assert left == {osaka: ("1957", "2018-10-02"), sf: ("1957", None)}
    assert [each["status"] for each in rows(database, Spell, partnership_id=p, member_id=None)] == ["active", "ended"]


def test_chicago_moscow_is_suspended_and_a_source_that_calls_it_ended_is_a_conflict(database: Database) -> None:
    with written(database) as session:
        chicago, moscow = city(session, "Chicago"), city(session, "Moscow", "RU")
        events = [
            {"type": "signed", "date": "1997"},
            {"type": "suspended", "date": "2022-03-01", "declared_by": chicago, "authority": "mayor"},
            {"type": "rejected", "date": "2023-05-24", "authority": "council"},
        ]
        cited = [{"source": source(session, "S21"), "field": "status", "value": "ended"}]
        p = partnerships.establish(session, [chicago, moscow], kind="sister_city", events=events, citations=cited)
    whole = row(database, Partnership, p)
    assert (whole["status"], whole["established"], whole["ended"]) == ("suspended", "1997", None)
    assert whole["conflicts_count"] == 1
    assert conflicting(database, "partnerships", p) == ["status"]


def test_douzelage_is_one_agreement_whose_members_change(database: Database) -> None:
    with written(database) as session:
        towns = [city(session, name, "DE") for name in ("Altea", "Bellagio", "Sherborne")]
        prienai = city(session, "Prienai", "LT")
        p = partnerships.establish(session, [*towns, prienai], kind="charter", title="Douzelage", signed="1991")
    with written(database) as session:
        rokiskis = city(session, "Rokiškis", "LT")
        parts.add(session, "partnerships", p, part="members", values={"city": rokiskis})
        joined = {"type": "joined", "date": "2018", "declared_by": rokiskis, "in_place_of": prienai}
        parts.add(session, "partnerships", p, part="events", values=joined)
    assert statuses(database, p) == dict.fromkeys([*towns, rokiskis], "active") | {prienai: "ended"}
    members = {each["city_id"]: each for each in rows(database, Member, partnership_id=p)}
    assert (members[rokiskis]["joined"], members[prienai]["left"]) == ("2018", "2018")
    whole = row(database, Partnership, p)
    assert (whole["status"], whole["pair_key"], whole["established"]) == ("active", None, "1991")


def test_a_friendship_city_and_a_partner_city_are_kinds_of_their_own(database: Database) -> None:
    with written(database) as session:
        osaka, shanghai = city(session, "Osaka", "JP"), city(session, "Shanghai", "CN")
        p = partnerships.establish(session, [osaka, shanghai], kind="friendship_city", signed="1974")
        q = partnerships.establish(
            session, [city(session, "Chicago"), city(session, "Paris", "FR")], kind="partner_city"
        )
    assert [row(database, Partnership, each)["kind"] for each in (p, q)] == ["friendship_city", "partner_city"]


def test_two_years_from_two_sources_are_a_conflict_and_agreeing_ones_are_none(database: Database) -> None:
    with written(database) as session:
        s2, s3 = source(session, "S2"), source(session, "S3")
        cited = [
            {"source": s2, "field": "established", "value": "2004"},
            {"source": s3, "field": "established", "value": "2000"},
        ]
        a, b = city(session, "Chicago"), city(session, "São Paulo", "BR")
        p = partnerships.establish(session, [a, b], kind="sister_city", signed="2004", citations=cited)
    assert conflicting(database, "partnerships", p) == ["established"]
    assert row(database, Partnership, p)["conflicts_count"] == 1
    with written(database) as session:
        other = rows(database, _citations(), partnership_id=p)[1]["id"]
        parts.amend(session, "partnerships", p, part="citations", row_id=other, values={"value": "2004-05"})
    assert row(database, Partnership, p)["conflicts_count"] == 0


def test_gilbert_conflicts_on_its_partner_and_not_on_its_people(database: Database) -> None:
    with written(database) as session:
        s1, s11, s12 = (source(session, key) for key in ("S1", "S11", "S12"))
        people = [{"people": 28, "year": 2010}, {"people": 26, "year": 2020}]
        gilbert = city(session, "Gilbert", subdivision="US-AR", populations=people)
        man = city(session, "Isle of Man", "IM", kind="island")
        bride = city(session, "Bride", "IM", kind="parish", part_of=man)
        cited = [{"source": s1, "field": "members", "city": man}, {"source": s11, "field": "members", "city": bride}]
        p = partnerships.establish(session, [gilbert, bride], kind="sister_city", signed="2005", citations=cited)
        for people_, year in ((28, 2010), (26, 2020)):
            values = {"source": s12, "field": f"populations/{year}", "value": str(people_)}
            parts.add(session, "cities", gilbert, part="citations", values=values)
    assert conflicting(database, "partnerships", p) == ["members"]
    assert conflicting(database, "cities", gilbert) == []


def _citations() -> Any:
    from app.models import Citation

    return Citation


# ── What may stand beside what ──


def test_two_cities_hold_at_most_one_unended_partnership_of_a_kind(database: Database) -> None:
    a, b, p = pair(database)
    with database.writing(account="desk", reason="sure") as session, pytest.raises(PartnershipExists) as caught:
        partnerships.establish(session, [b, a], kind="sister_city", insist=True)
    assert [each["id"] for each in caught.value.candidates] == [p]
    with pytest.raises(Exception, match=r"uq_partnerships_standing_pair|UNIQUE constraint failed"):
        tamper(database, f"UPDATE partnerships SET pair_key = '{min(a, b)}-{max(a, b)}' WHERE id IN (1, 2, 3)",
               "UPDATE partnerships SET kind = 'sister_city', status = 'active' WHERE id IN (1, 2)")  # fmt: skip


@pytest.mark.parametrize("type_", ["ended", "left"])
def test_an_ended_partnership_does_not_block_a_new_one(database: Database, type_: str) -> None:
    a, b, p = pair(database, signed="1957")
    happened(database, p, type_, "2018", declared_by=a)
    with written(database) as session:
        new = partnerships.establish(session, [a, b], kind="sister_city", signed="2020")
    assert [row(database, Partnership, each)["pair_key"] for each in (p, new)] == [f"{a}-{b}"] * 2
    with database.writing(account="desk") as session, pytest.raises(PartnershipExists):
        parts.add(
            session, "partnerships", p, part="events", values={"type": "resumed", "date": "2021", "declared_by": a}
        )


@pytest.mark.parametrize(
    ("insist", "reason", "error"),
    [(False, "sure", PartnershipExists), (True, None, InvalidValue), (True, "another agreement", None)],
)
def test_another_kind_stands_beside_it_only_if_one_insists_with_a_reason(
    sqlite_database: Database, insist: bool, reason: str | None, error: type[Exception] | None
) -> None:
    a, b, _ = pair(sqlite_database)
    with sqlite_database.writing(account="desk", reason=reason) as session:
        if error is None:
            assert partnerships.establish(session, [a, b], kind="friendship_city", insist=insist)
            return
        with pytest.raises(error):
            partnerships.establish(session, [a, b], kind="friendship_city", insist=insist)


def test_a_kind_cannot_be_changed_to_one_that_the_pair_holds_already(database: Database) -> None:
    a, b, p = pair(database)
    with written(database) as session:
        q = partnerships.establish(session, [a, b], kind="friendship_city", insist=True)
    with database.writing(account="desk") as session, pytest.raises(PartnershipExists) as caught:
        partnerships.amend(session, q, {"kind": "sister_city"})
    assert [each["id"] for each in caught.value.candidates] == [p]
    with written(database) as session:
        partnerships.amend(session, q, {"kind": "twin_town", "succeeds": p})
    assert row(database, Partnership, q)["pair_key"] == f"{a}-{b}"


def test_a_charter_that_shrinks_to_a_pair_cannot_double_it(database: Database) -> None:
    a, b, _ = pair(database, kind="charter")
    with written(database) as session:
        c = city(session, "Kyoto", "JP")
        three = partnerships.establish(session, [a, b, c], kind="charter")
    gone = rows(database, Member, partnership_id=three, city_id=c)[0]["id"]
    with database.writing(account="desk") as session, pytest.raises(PartnershipExists):
        parts.remove(session, "partnerships", three, part="members", row_id=gone)


# ── Edits of a life ──


def test_events_find_their_place_by_date_and_the_status_follows_each_edit(database: Database) -> None:
    _, _, p = pair(database, signed="1973")
    ended = happened(database, p, "ended", "2018")
    assert row(database, Partnership, p)["status"] == "ended"
    renewed = happened(database, p, "renewed", "1990")
    undated = happened(database, p, "note")
    happened(database, p, "proposed", "1970")
    order = [each["type"] for each in sorted(rows(database, Event, partnership_id=p), key=_place)]
    assert order == ["proposed", "signed", "renewed", "ended", "note"]
    with written(database) as session:
        parts.amend(session, "partnerships", p, part="events", row_id=ended, values={"type": "suspended"})
    assert row(database, Partnership, p)["status"] == "suspended"
    with written(database) as session:
        parts.remove(session, "partnerships", p, part="events", row_id=ended)
        parts.remove(session, "partnerships", p, part="events", row_id=undated)
    assert row(database, Partnership, p)["status"] == "active"
    with database.writing(account="desk") as session, pytest.raises(EventRefused, match="proposed so far"):
        values = {"date": "1971", "position": None}
        parts.amend(session, "partnerships", p, part="events", row_id=renewed, values=values)


def _place(event: Any) -> tuple[int, int]:
    return event["position"], event["id"]


def test_an_event_that_is_mended_finds_its_place_anew_if_its_position_is_emptied(database: Database) -> None:
    _, _, p = pair(database, signed="1973")
    first = happened(database, p, "anniversary", "1983")
    happened(database, p, "anniversary", "1993")
    with written(database) as session:
        values = {"date": "2003", "position": None}
        parts.amend(session, "partnerships", p, part="events", row_id=first, values=values)
    dates = [each["date"] for each in sorted(rows(database, Event, partnership_id=p), key=_place)]
    assert dates == ["1973", "1993", "2003"]
    before = number(database)
    with database.writing(account="desk") as session:
        parts.amend(session, "partnerships", p, part="events", row_id=first, values={"position": None})
    assert number(database) == before


@pytest.mark.parametrize(
    ("events", "field", "allowed"),
    [
        ([{"type": "signed"}, {"type": "signed"}], "events/1", "suspended"),
        ([{"type": "resumed"}], "events/0", "signed"),
        ([{"type": "signed", "date": "1980"}, {"type": "ended", "date": "1970"}], "events/1", "ended"),
        ([{"type": "signed"}, {"type": "ended"}, {"type": "renewed"}], "events/2", "resumed"),
    ],
)
def test_a_refused_event_names_its_place_and_what_would_be_allowed(
    sqlite_database: Database, events: list[dict[str, Any]], field: str, allowed: str
) -> None:
    with sqlite_database.writing(account="desk") as session, pytest.raises(EventRefused) as caught:
        a, b = city(session, "Chicago"), city(session, "Osaka", "JP")
        partnerships.establish(session, [a, b], kind="sister_city", events=events)
    assert caught.value.field == field
    assert allowed in caught.value.allowed


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"type": "joined"}, "events/0/declared_by"),
        ({"type": "left"}, "events/0/declared_by"),
        ({"type": "signed", "in_place_of": "first"}, "events/0/in_place_of"),
        ({"type": "married"}, "events/0/type"),
        ({"type": "signed", "date": "1973-02-30"}, "events/0/date"),
        ({"type": "signed", "date": 1973}, "events/0/date"),
        ({"date": "1973"}, "events/0/type"),
        ({"type": "signed", "declared_by": 1}, "events/0/declared_by"),
        ({"type": "signed", "declared_by": {"member": 1}}, "events/0/declared_by"),
        ({"type": "signed", "declared_by": {"member": "1; DROP TABLE members"}}, "events/0/declared_by"),
        ({"type": "signed", "declared_by": {"member": 2**70}}, "events/0/declared_by"),
        ({"type": "signed", "status": "active"}, "events/0/status"),
    ],
)
def test_an_event_that_cannot_be_names_its_field(unwritten: Database, event: dict[str, Any], field: str) -> None:
    with unwritten.writing(account="desk") as session, pytest.raises(InvalidValue) as caught:
        a, b = city(session, "Chicago"), city(session, "Osaka", "JP")
        given = {name: a if value == "first" else value for name, value in event.items()}
        partnerships.establish(session, [a, b], kind="sister_city", events=[given])
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("cities_", "values", "error", "field"),
    [
        (["a"], {}, InvalidValue, "members"),
        ([], {}, InvalidValue, "members"),
        (["a", "a"], {}, InvalidValue, "members/1/city"),
        (["a", "b", "a"], {}, InvalidValue, "members/2/city"),
        (["a", 10**12], {}, UnknownReference, "members/1/city"),
        (["a", 2**64], {}, UnknownReference, "members/1/city"),
        (["a", True], {}, UnknownReference, "members/1/city"),
        (["a", None], {}, UnknownReference, "members/1/city"),
        (["a", ["b"]], {}, UnknownReference, "members/1/city"),
        (["a", "wikidata:Q404"], {}, UnknownReference, "members/1/city"),
        (["a", "wikidata:x"], {}, InvalidValue, "members/1/city"),
        (["a", {"name": "Nowhere", "country": "JP"}], {}, UnknownReference, "members/1/city"),
        (["a", {"name": "Osaka", "country": "Atlantis"}], {}, UnknownReference, "members/1/city/country"),
        (["a", {"name": "Osaka"}], {}, InvalidValue, "members/1/city"),
        (["a", {"name": "Osaka", "country": "JP", "subdivision": ["x"]}], {}, InvalidValue, "members/1/city"),
        (["a", {"name": "Osaka", "country": "JP", "subdivision": "\0"}], {}, InvalidValue,
         "members/1/city/subdivision"),
        (["a", {"name": "\0", "country": "JP"}], {}, InvalidValue, "members/1/city/name"),
        (["a", {"name": "Osaka", "country": "J\0"}], {}, InvalidValue, "members/1/city/country"),
        (["a", "b"], {"kind": "marriage"}, InvalidValue, "kind"),
        (["a", "b"], {"kind": ["sister_city"]}, InvalidValue, "kind"),
        (["a", "b"], {"status": "active"}, InvalidValue, "status"),
        (["a", "b"], {"pair_key": "1-2"}, InvalidValue, "pair_key"),
        (["a", "b"], {"merged_into": 1}, InvalidValue, "merged_into"),
        (["a", "b"], {"titel": "x"}, InvalidValue, "titel"),
        (["a", "b"], {"succeeds": 10**12}, UnknownReference, "succeeds"),
        (["a", "b"], {"succeeds": "x"}, UnknownReference, "succeeds"),
        (["a", "b"], {"citations": [{"source": "\0", "field": "kind"}]}, InvalidValue, "citations/0/source"),
        (["a", "b"], {"citations": [{"source": "NOISE", "field": "nonsense"}]}, InvalidValue, "citations/0/field"),
        (["a", "b"], {"citations": [{"source": "NOISE", "field": "status", "value": "severed"}]}, InvalidValue,
         "citations/0/value"),
        (["a", "b"], {"organisations": [{"organisation": 1, "role": "owns"}]}, InvalidValue, "organisations/0/role"),
    ],
)  # fmt: skip
def test_a_partnership_that_cannot_be_names_its_field(
    unwritten: Database, cities_: list[Any], values: dict[str, Any], error: type[InvalidValue], field: str
) -> None:
    with unwritten.writing(account="desk") as session, pytest.raises(error) as caught:
        known = {"a": city(session, "Chicago"), "b": city(session, "Osaka", "JP")}
        given = [known.get(each, each) if isinstance(each, str) else each for each in cities_]
        partnerships.establish(session, given, **({"kind": "sister_city"} | values))
    assert caught.value.field == field


def test_an_unknown_field_suggests_the_nearest_and_a_computed_one_says_what_it_follows_from(
    sqlite_database: Database,
) -> None:
    _, _, p = pair(sqlite_database)
    with sqlite_database.writing(account="desk") as session:
        with pytest.raises(InvalidValue, match="Did you mean title"):
            partnerships.amend(session, p, {"titel": "x"})
        with pytest.raises(InvalidValue, match="computed"):
            partnerships.amend(session, p, {"established": "1973"})


def test_a_partnership_cannot_succeed_itself_or_its_own_successor(database: Database) -> None:
    a, b, p = pair(database, kind="friendship_city")
    with written(database) as session:
        q = partnerships.establish(session, [a, b], kind="sister_city", succeeds=p, insist=True)
    for first, then in ((p, p), (p, q)):
        with database.writing(account="desk") as session, pytest.raises(InvalidValue) as caught:
            partnerships.amend(session, first, {"succeeds": then})
        assert caught.value.field == "succeeds"


# ── Members ──


def test_members_come_and_go_and_the_pair_key_follows(database: Database) -> None:
    a, b, p = pair(database, kind="charter")
    with written(database) as session:
        c = city(session, "Kyoto", "JP")
        third = parts.add(session, "partnerships", p, part="members", values={"city": c, "note": "later"})
    assert row(database, Partnership, p)["pair_key"] is None
    assert statuses(database, p) == {a: "active", b: "active", c: "active"}
    joined = happened(database, p, "joined", "1999", declared_by=c)
    assert row(database, Member, third)["joined"] == "1999"
    with database.writing(account="desk") as session, pytest.raises(StateConflict, match="Events name this member"):
        parts.remove(session, "partnerships", p, part="members", row_id=third)
    with written(database) as session:
        parts.remove(session, "partnerships", p, part="events", row_id=joined)
        parts.remove(session, "partnerships", p, part="members", row_id=third)
    assert row(database, Partnership, p)["pair_key"] == f"{a}-{b}"


def test_a_present_member_cannot_come_again_and_one_that_left_can(database: Database) -> None:
    with written(database) as session:
        a, b, c = city(session, "Chicago"), city(session, "Osaka", "JP"), city(session, "Kyoto", "JP")
        p = partnerships.establish(session, [a, b, c], kind="charter", signed="1980")
    with database.writing(account="desk") as session, pytest.raises(StateConflict) as caught:
        parts.add(session, "partnerships", p, part="members", values={"city": c})
    assert caught.value.field == "city"
    happened(database, p, "left", "1990", declared_by=c)
    with written(database) as session:
        again = parts.add(session, "partnerships", p, part="members", values={"city": c})
        values = {"type": "joined", "date": "2000", "declared_by": {"member": again}}
        parts.add(session, "partnerships", p, part="events", values=values)
    assert [each["status"] for each in rows(database, Member, partnership_id=p, city_id=c)] == ["ended", "active"]
    other = rows(database, Member, partnership_id=p, city_id=b)[0]["id"]
    with database.writing(account="desk") as session, pytest.raises(StateConflict):
        parts.amend(session, "partnerships", p, part="members", row_id=other, values={"city": c})


def test_the_last_two_members_stay(database: Database) -> None:
    _, b, p = pair(database)
    member = rows(database, Member, partnership_id=p, city_id=b)[0]["id"]
    with database.writing(account="desk") as session, pytest.raises(InvalidValue) as caught:
        parts.remove(session, "partnerships", p, part="members", row_id=member)
    assert caught.value.field == "members"


def test_a_member_whose_side_a_program_takes_stays(database: Database) -> None:
    with written(database) as session:
        a, b, c = city(session, "Chicago"), city(session, "Osaka", "JP"), city(session, "Kyoto", "JP")
        p = partnerships.establish(session, [a, b, c], kind="charter")
        values = {"partnership": p, "name": "Schools", "category": "education"}
        programs.add(session, values, participants=[{"organisation": 1, "side": c}])
    member = rows(database, Member, partnership_id=p, city_id=c)[0]["id"]
    with database.writing(account="desk") as session, pytest.raises(StateConflict, match="side"):
        parts.remove(session, "partnerships", p, part="members", row_id=member)


def test_a_member_can_be_mended_to_another_city_and_carries_its_country(database: Database) -> None:
    a, b, p = pair(database)
    with written(database) as session:
        c = city(session, "Milan", "IT")
        member = rows(database, Member, partnership_id=p, city_id=b)[0]["id"]
        parts.amend(session, "partnerships", p, part="members", row_id=member, values={"city": c})
    assert row(database, Member, member)["country"] == "IT"
    assert row(database, Partnership, p)["pair_key"] == f"{min(a, c)}-{max(a, c)}"


# ── Deleting ──


def test_a_partnership_under_which_something_hangs_is_not_deleted(database: Database) -> None:
    a, b, p = pair(database)
    with written(database) as session:
        program = programs.add(session, {"partnership": p, "name": "Schools", "category": "education"})
    with database.writing(account="desk") as session, pytest.raises(StillReferenced) as caught:
        partnerships.delete(session, p)
    assert caught.value.obstacles == [{"noun": "programs", "id": program, "field": "partnership"}]
    with written(database) as session:
        programs.delete(session, program)
        partnerships.delete(session, p)
    assert rows(database, Spell, partnership_id=p) == rows(database, Member, partnership_id=p) == []
    with written(database) as session:
        assert partnerships.establish(session, [a, b], kind="sister_city") > p


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"since": "2011", "until": "1999"}, "until"),
        ({"name": ""}, "name"),
        ({"category": "war"}, "category"),
        ({"partnership": 10**12}, "partnership"),
    ],
)
def test_a_program_that_cannot_be_names_its_field(unwritten: Database, values: dict[str, Any], field: str) -> None:
    before = held(unwritten)
    good = {"partnership": 1, "name": "Schools", "category": "education"}
    with unwritten.writing(account="desk") as session, pytest.raises(InvalidValue) as caught:
        programs.add(session, good | values)
    assert caught.value.field == field
    with unwritten.writing(account="desk") as session, pytest.raises(InvalidValue) as caught:
        programs.amend(session, 1, values)
    assert caught.value.field == field
    assert held(unwritten) == before


def test_a_stale_reader_is_told_the_revision_of_the_record(sqlite_database: Database) -> None:
    from app.errors import StaleRevision

    _, _, p = pair(sqlite_database)
    seen = number(sqlite_database)
    with written(sqlite_database) as session:
        partnerships.amend(session, p, {"note": "first"}, revision=seen)
    with sqlite_database.writing(account="desk") as session, pytest.raises(StaleRevision) as caught:
        partnerships.amend(session, p, {"note": "second"}, revision=seen)
    assert caught.value.actual == seen + 1
    with sqlite_database.writing(account="desk") as session, pytest.raises(StaleRevision):
        records.delete(session, records.fetch(session, Partnership, p, revision=seen))


def test_a_citys_country_is_repeated_in_its_memberships(database: Database) -> None:
    a, _, p = pair(database)
    with written(database) as session:
        cities.amend(session, a, {"country": "DE"})
    assert {each["country"] for each in rows(database, Member, partnership_id=p)} == {"DE", "JP"}
