"""Merging two records of one city: everything that hung on the loser hangs on the winner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from making import city, held, number, row, rows, undone, written

from app.errors import InvalidValue, MergeRefused, RecordMerged, StaleRevision
from app.models import (
    Citation,
    City,
    CityIdentifier,
    CityName,
    CityPopulation,
    CitySuccessor,
    Event,
    Member,
    Occasion,
    Organisation,
    Participant,
    Partnership,
    PartnershipOrganisation,
    Program,
)
from app.registry import (
    Database,
    cities,
    evidence,
    merging,
    organisations,
    partnerships,
    parts,
    programs,
    resolving,
    sources,
)


@dataclass
class Twins:
    """Two records of Osaka, both partners of Chicago; what hangs on the loser."""

    winner: int
    loser: int
    chicago: int
    milan: int
    twin: int
    doubled: int
    alone: int
    program: int
    school: int


@pytest.fixture
def twins(database: Database) -> Twins:
    """Everything that can hang on a city hangs on the loser."""
    with written(database) as session:
        chicago, milan = city(session, "Chicago"), city(session, "Milan", "IT")
        winner = city(
            session, "Osaka", "JP", populations=[{"people": 2, "year": 2020}],
            names=[{"text": "大阪", "language": "ja", "kind": "official"}],
        )  # fmt: skip
        loser = city(
            session, "Oosaka", "JP",
            names=[
                {"text": "大阪", "language": "ja", "kind": "official"},
                {"text": "Naniwa", "language": "en", "kind": "former"},
            ],
            identifiers=[{"scheme": "wikidata", "value": "Q35765"}],
            populations=[{"people": 3, "year": 2020}, {"people": 1, "year": 2010}],
            successors=[{"city": milan}],
        )  # fmt: skip
        city(session, "Sakai", "JP", part_of=loser, successors=[{"city": loser}])
        school = organisations.add(session, {"name": "School", "kind": "school", "city": loser})
        s = sources.add(session, {"title": "Paper", "key": "P"})
        twin = partnerships.establish(session, [chicago, winner], kind="sister_city", signed="1973")
        doubled = partnerships.establish(
            session, [loser, chicago], kind="sister_city",
            events=[
                {"type": "signed", "date": "1974"},
                {"type": "anniversary", "date": "1999", "declared_by": loser},
            ],
            citations=[{"source": s, "field": "established"}, {"source": s, "field": "members", "city": loser}],
            organisations=[{"organisation": school, "role": "coordinates"}],
        )  # fmt: skip
        alone = partnerships.establish(session, [loser, milan], kind="friendship_city", signed="1981", succeeds=doubled)
        program = programs.add(
            session, {"partnership": doubled, "name": "Schools", "category": "education"},
            participants=[{"organisation": school, "side": loser}], occasions=[{"origin": chicago, "host": loser}],
        )  # fmt: skip
        for field, more in (("name", {}), ("populations/2020", {}), ("part_of", {"city": milan})):
            parts.add(session, "cities", loser, part="citations", values={"source": s, "field": field} | more)
    return Twins(winner, loser, chicago, milan, twin, doubled, alone, program, school)


def merged(database: Database, loser: int, winner: int) -> None:
    with written(database, reason="one city") as session:
        assert merging.merge(session, loser, into=winner) == winner


def test_all_that_hung_on_the_loser_hangs_on_the_winner(database: Database, twins: Twins) -> None:
    merged(database, twins.loser, twins.winner)
    w = twins.winner
    assert {(each["text"], each["kind"]) for each in rows(database, CityName, city_id=w)} == {
        ("大阪", "official"), ("Naniwa", "former"), ("Oosaka", "exonym"),
    }  # fmt: skip
    assert [each["value"] for each in rows(database, CityIdentifier, city_id=w)] == ["Q35765"]
    assert {(each["people"], each["year"]) for each in rows(database, CityPopulation, city_id=w)} == {
        (2, 2020), (1, 2010),
    }  # fmt: skip
    assert [each["successor_id"] for each in rows(database, CitySuccessor, city_id=w)] == [twins.milan]
    assert len(rows(database, CitySuccessor, successor_id=w)) == len(rows(database, City, part_of_id=w)) == 1
    assert row(database, Organisation, twins.school)["city_id"] == w
    assert [each["side_id"] for each in rows(database, Participant, program_id=twins.program)] == [w]
    assert [each["host_id"] for each in rows(database, Occasion, program_id=twins.program)] == [w]
    assert {each["partnership_id"] for each in rows(database, Member, city_id=w)} == {twins.twin, twins.alone}
    for model, column in ((Organisation, "city_id"), (Citation, "city_id"), (Citation, "value_city_id")):
        assert rows(database, model, **{column: twins.loser}) == []


def test_a_citation_without_a_value_says_what_was_recorded_where_it_came_from(database: Database, twins: Twins) -> None:
    merged(database, twins.loser, twins.winner)
    cited = {each["field"]: each["value"] for each in rows(database, Citation, city_id=twins.winner)}
    assert cited == {"name": "Oosaka", "populations/2020": "3", "part_of": "Milan"}
    with database.reading() as session:
        found = {each.field for each in evidence.find(session, "cities", twins.winner)}
    assert found == {"name", "populations/2020"}


def test_a_doubled_pair_is_merged_too(database: Database, twins: Twins) -> None:
    merged(database, twins.loser, twins.winner)
    doubled, twin = row(database, Partnership, twins.doubled), row(database, Partnership, twins.twin)
    assert (doubled["merged_into_id"], doubled["pair_key"], doubled["status"]) == (twins.twin, None, "active")
    assert (twin["established"], twin["conflicts_count"]) == ("1973", 1)
    assert [each["city_id"] for each in rows(database, Member, partnership_id=twins.doubled)] == [
        twins.loser, twins.chicago,
    ]  # fmt: skip
    assert row(database, Program, twins.program)["partnership_id"] == twins.twin
    assert row(database, Partnership, twins.alone)["succeeds_id"] == twins.twin
    assert [each["organisation_id"] for each in rows(database, PartnershipOrganisation, partnership_id=twins.twin)] == [
        twins.school
    ]
    cited = {each["field"]: each["value"] for each in rows(database, Citation, partnership_id=twins.twin)}
    assert cited["established"] == "1974"
    copied = rows(database, Event, partnership_id=twins.twin)[1]
    declarer = row(database, Member, copied["declared_by_id"])
    assert (copied["type"], copied["date"], declarer["city_id"]) == ("anniversary", "1999", twins.winner)


def test_both_losers_lead_on_to_the_winners(database: Database, twins: Twins) -> None:
    merged(database, twins.loser, twins.winner)
    for noun, loser, winner in (("cities", twins.loser, twins.winner), ("partnerships", twins.doubled, twins.twin)):
        with database.reading() as session, pytest.raises(RecordMerged) as caught:
            resolving.addressed(session, noun, loser)
        assert caught.value.into == winner
        with database.reading() as session:
            assert resolving.record_id(session, noun, loser, field="x") == winner
    with database.reading() as session:
        assert resolving.addressed(session, "cities", "wikidata:Q35765") == twins.winner
        assert [each["id"] for each in resolving.named(session, "Oosaka", country="JP")] == [twins.winner]
    with database.writing(account="desk") as session, pytest.raises(RecordMerged):
        cities.amend(session, twins.loser, {"note": "x"})


def test_undoing_a_merge_restores_equal_content_and_derived_values(database: Database, twins: Twins) -> None:
    before = held(database)
    merged(database, twins.loser, twins.winner)
    merge, after = number(database), held(database)
    undo = undone(database, merge)
    assert held(database) == before
    undone(database, undo)
    assert held(database) == after


def test_what_came_after_a_merge_survives_its_undoing(database: Database, twins: Twins) -> None:
    merged(database, twins.loser, twins.winner)
    merge = number(database)
    with written(database) as session:
        new = partnerships.establish(session, [twins.winner, city(session, "Turin", "IT")], kind="twin_town")
        values = {"type": "anniversary", "date": "1985"}
        parts.add(session, "partnerships", twins.twin, part="events", values=values)
    undone(database, merge)
    assert row(database, Partnership, new)["status"] == "active"
    assert {each["date"] for each in rows(database, Event, partnership_id=twins.twin)} == {"1973", "1985"}
    assert row(database, City, twins.loser)["merged_into_id"] is None


def test_chains_of_merges_lead_to_the_last(database: Database, twins: Twins) -> None:
    with written(database) as session:
        last = city(session, "Osaka City", "JP")
    merged(database, twins.loser, twins.winner)
    merged(database, twins.winner, last)
    with database.reading() as session, pytest.raises(RecordMerged) as caught:
        resolving.addressed(session, "cities", twins.loser)
    assert caught.value.into == last
    with database.writing(account="desk") as session, pytest.raises(RecordMerged):
        merging.merge(session, last, into=twins.loser)


@pytest.mark.parametrize("end", [None, "ended"])
def test_partners_of_each_other_are_not_one_city(database: Database, end: str | None) -> None:
    with written(database) as session:
        a, b = city(session, "Osaka", "JP"), city(session, "Oosaka", "JP")
        events = [{"type": "signed"}] + ([{"type": end}] if end else [])
        p = partnerships.establish(session, [a, b], kind="twin_town", events=events)
    before = held(database)
    with database.writing(account="desk") as session, pytest.raises(MergeRefused) as caught:
        merging.merge(session, b, into=a)
    assert [(each["noun"], each["id"]) for each in caught.value.obstacles] == [("partnerships", p)]
    assert held(database) == before


def charter(database: Database, *, gave_way: dict[str, Any] | None) -> tuple[int, int, int]:
    with written(database) as session:
        a, b, c = city(session, "Prienai", "LT"), city(session, "Aaa"), city(session, "Bbb")
        p = partnerships.establish(session, [a, b, c], kind="charter", signed="1991")
        other = city(session, "Prienai", "LT")
        parts.add(session, "partnerships", p, part="members", values={"city": other})
        joined = {"type": "joined", "date": "2018", "declared_by": other}
        if gave_way is None:
            parts.add(session, "partnerships", p, part="events", values=joined)
        elif gave_way:
            left = {"type": "left", "declared_by": a} | gave_way
            parts.add(session, "partnerships", p, part="events", values=left)
            parts.add(session, "partnerships", p, part="events", values=joined)
        else:
            parts.add(session, "partnerships", p, part="events", values=joined | {"in_place_of": a})
    return a, other, p


def test_both_in_one_charter_at_once_are_not_one_city(database: Database) -> None:
    a, other, p = charter(database, gave_way=None)
    with database.writing(account="desk") as session, pytest.raises(MergeRefused) as caught:
        merging.merge(session, a, into=other)
    assert [each["id"] for each in caught.value.obstacles] == [p]


@pytest.mark.parametrize("gave_way", [{}, {"date": "2010"}])
@pytest.mark.parametrize("winner", ["older", "newer"])
def test_one_after_the_other_in_a_charter_may_be_one_city(
    database: Database, gave_way: dict[str, Any], winner: str
) -> None:
    a, other, p = charter(database, gave_way=gave_way)
    before = held(database)
    loser, kept = (other, a) if winner == "older" else (a, other)
    merged(database, loser, kept)
    members = rows(database, Member, partnership_id=p, city_id=kept)
    assert [each["status"] for each in members] == ["ended", "active"]
    undone(database, number(database))
    assert held(database) == before


def test_a_city_is_not_merged_so_that_it_lies_inside_itself(database: Database) -> None:
    with written(database) as session:
        loser = city(session, "Loser")
        between = city(session, "Between", part_of=loser)
        winner = city(session, "Winner", part_of=between)
    with database.writing(account="desk") as session, pytest.raises(MergeRefused) as caught:
        merging.merge(session, loser, into=winner)
    assert caught.value.obstacles[0]["id"] == between


@pytest.mark.parametrize("inner", ["loser", "winner"])
def test_a_city_is_merged_with_the_one_that_it_was_part_of(database: Database, inner: str) -> None:
    with written(database) as session:
        land = city(session, "Land")
        outer = city(session, "Outer", part_of=land)
        part = city(session, "Inner", part_of=outer)
    loser, winner = (part, outer) if inner == "loser" else (outer, part)
    merged(database, loser, winner)
    assert row(database, City, winner)["part_of_id"] == land


def test_a_twin_that_succeeds_the_doubled_one_does_not_succeed_itself(database: Database) -> None:
    with written(database) as session:
        a, b, c = city(session, "Osaka", "JP"), city(session, "Oosaka", "JP"), city(session, "Chicago")
        doubled = partnerships.establish(session, [b, c], kind="sister_city")
        twin = partnerships.establish(session, [a, c], kind="sister_city", succeeds=doubled)
    before = held(database)
    merged(database, b, a)
    assert row(database, Partnership, twin)["succeeds_id"] is None
    undone(database, number(database))
    assert held(database) == before


def test_a_remark_that_does_not_fit_into_the_twins_life_stays_where_it_was(database: Database) -> None:
    with written(database) as session:
        a, b, c = city(session, "Osaka", "JP"), city(session, "Oosaka", "JP"), city(session, "Chicago")
        twin = partnerships.establish(session, [a, c], kind="sister_city", signed="1973")
        events = [
            {"type": "renewed", "date": "1960"},
            {"type": "note", "date": "1961"},
            {"type": "renewed", "date": "1990"},
        ]
        partnerships.establish(session, [b, c], kind="sister_city", events=events)
    merged(database, b, a)
    kept = sorted((each["type"], each["date"]) for each in rows(database, Event, partnership_id=twin))
    assert kept == [("note", "1961"), ("renewed", "1990"), ("signed", "1973")]
    assert row(database, Partnership, twin)["established"] == "1973"


def test_an_ended_pair_of_the_loser_stands_beside_the_winners(database: Database) -> None:
    with written(database) as session:
        a, b, c = city(session, "Osaka", "JP"), city(session, "Oosaka", "JP"), city(session, "Chicago")
        p = partnerships.establish(session, [a, c], kind="sister_city", signed="1973")
        events = [{"type": "signed", "date": "1950"}, {"type": "ended", "date": "1960"}]
        q = partnerships.establish(session, [b, c], kind="sister_city", events=events)
    merged(database, b, a)
    both = [row(database, Partnership, each) for each in (p, q)]
    assert [each["merged_into_id"] for each in both] == [None, None]
    assert both[0]["pair_key"] == both[1]["pair_key"]


def test_a_city_is_not_merged_into_itself_nor_by_who_read_it_too_early(unwritten: Database) -> None:
    with unwritten.writing(account="desk") as session:
        with pytest.raises(InvalidValue) as caught:
            merging.merge(session, 1, into=1)
        assert caught.value.field == "into"
        with pytest.raises(StaleRevision):
            merging.merge(session, 1, into=2, revision=10**6)
