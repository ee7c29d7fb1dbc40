"""Child rows: each can be added, mended and taken away, and is refused in words where it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from making import city, number, row, rows, written

from app.errors import InvalidValue, RecordMerged, RecordNotFound, StaleRevision, StateConflict
from app.models import (
    PARTS,
    Citation,
    City,
    CityIdentifier,
    CityName,
    CityPopulation,
    Occasion,
    Participant,
    Partnership,
)
from app.registry import Database, journal, merging, organisations, partnerships, parts
from app.registry.database import WritingSession

#: Noun, part, values that are good on the noise record 1, and others that are as good.
GOOD: list[tuple[str, int | str, str, dict[str, Any], dict[str, Any]]] = [
    ("countries", "JP", "aliases", {"text": "Nippon"}, {"text": "Nihon"}),
    ("cities", 1, "names", {"text": "Poneke", "language": "mi", "kind": "short"}, {"kind": "former"}),
    ("cities", 1, "identifiers", {"scheme": "wikidata", "value": "q23661"}, {"value": "Q1"}),
    ("cities", 1, "populations", {"people": 5, "year": 1900}, {"people": 6, "year": None}),
    ("cities", 1, "successors", {"city": 2}, {"city": 3}),
    ("cities", 1, "citations", {"source": "NOISE", "field": "populations/1999", "value": "1,000"}, {"value": "~999"}),
    ("partnerships", 1, "members", {"city": 3, "note": "x"}, {"city": 4, "note": None}),
    ("partnerships", 1, "events", {"type": "anniversary", "date": "1971", "authority": "all"}, {"date": "1981~"}),
    ("partnerships", 1, "organisations", {"organisation": 1, "role": "signed"}, {"role": "recognises"}),
    ("partnerships", 1, "citations", {"source": 1, "field": "members", "city": 2}, {"locator": "p. 5", "city": 1}),
    ("programs", 1, "occasions", {"title": "Visit", "since": "1960", "until": "1961", "host": 1}, {"since": "1959-12"}),
    ("programs", 1, "citations", {"source": 1, "field": "since", "value": "1957"}, {"value": None}),
    ("organisations", 1, "citations", {"source": 1, "field": "city", "city": 1}, {"city": 2}),
    (
        "reported_figures",
        1,
        "citations",
        {"source": 1, "field": "value", "value": "7"},
        {"field": "scope", "value": "x"},
    ),
]


@pytest.mark.parametrize(("noun", "record", "part", "values", "others"), GOOD)
def test_a_child_row_can_be_added_mended_and_taken_away(
    unwritten: Database, *, noun: str, record: Any, part: str, values: dict[str, Any], others: dict[str, Any]
) -> None:
    with unwritten.writing(account="desk") as session:
        model = parts.rule_of(noun, part).model
        row_id = parts.add(session, noun, record, part=part, values=values)
        parts.amend(session, noun, record, part=part, row_id=row_id, values=others)
        session.expire_all()
        kept = session.get_one(model, row_id)
        for name, value in others.items():
            column = parts.rule_of(noun, part).fields[name].column or name
            assert getattr(kept, column) == value
        parts.remove(session, noun, record, part=part, row_id=row_id)
        session.expire_all()
        assert session.get(model, row_id) is None
        with pytest.raises(RecordNotFound):
            parts.remove(session, noun, record, part=part, row_id=row_id)


def test_every_part_of_every_noun_is_in_the_table_above() -> None:
    participants = {("programs", "participants")}  # their table has one organisation, which takes part already
    assert {(noun, model.PART) for noun, models in PARTS.items() for model in models} == {
        (noun, part) for noun, _, part, _, _ in GOOD
    } | participants


@pytest.mark.parametrize(
    ("noun", "part", "values", "error", "field"),
    [
        ("cities", "names", {"text": "", "kind": "short"}, InvalidValue, "text"),
        ("cities", "names", {"text": "\0", "kind": "short"}, InvalidValue, "text"),
        ("cities", "names", {"text": "x" * 10_000, "kind": "short"}, InvalidValue, "text"),
        ("cities", "names", {"text": "x"}, InvalidValue, "kind"),
        ("cities", "names", {"text": "x", "kind": "nick"}, InvalidValue, "kind"),
        ("cities", "names", {"text": "x", "kind": "short", "language": "Klingon!"}, InvalidValue, "language"),
        ("cities", "names", {"text": "x", "kind": "short", "language": "aa" + "-bb" * 5000}, InvalidValue, "language"),
        ("cities", "names", {"text": "x", "kind": "short", "language": 5}, InvalidValue, "language"),
        ("cities", "names", {"text": "Wellington-noise", "kind": "short", "language": "en"}, StateConflict, None),
        ("cities", "names", {"text": "x", "kind": "short", "key": "x"}, InvalidValue, "key"),
        ("cities", "names", {"text": "x", "kind": "short", "city_id": 2}, InvalidValue, "city_id"),
        ("cities", "identifiers", {"scheme": "isbn", "value": "1"}, InvalidValue, "scheme"),
        ("cities", "identifiers", {"scheme": "wikidata", "value": "1297"}, InvalidValue, "value"),
        ("cities", "identifiers", {"scheme": "geonames", "value": "9000001"}, StateConflict, None),
        ("cities", "populations", {"people": -1}, InvalidValue, "people"),
        ("cities", "populations", {"people": 2.5}, InvalidValue, "people"),
        ("cities", "populations", {"people": 10**30}, InvalidValue, "people"),
        ("cities", "populations", {"people": True}, InvalidValue, "people"),
        ("cities", "populations", {"people": 1, "year": 0}, InvalidValue, "year"),
        ("cities", "populations", {"people": 1, "year": 1999}, StateConflict, None),
        ("cities", "successors", {"city": 1}, InvalidValue, "city"),
        ("cities", "citations", {"source": "S404", "field": "name"}, InvalidValue, "source"),
        ("cities", "citations", {"source": 1, "field": "mayor"}, InvalidValue, "field"),
        ("cities", "citations", {"source": 1, "field": "populations/<year>"}, InvalidValue, "field"),
        ("cities", "citations", {"source": 1, "field": "existed_from", "value": "1973-02-30"}, InvalidValue, "value"),
        ("cities", "citations", {"source": 1, "field": "latitude", "value": "north"}, InvalidValue, "value"),
        ("cities", "citations", {"source": 1, "field": "kind", "value": "metropolis"}, InvalidValue, "value"),
        ("cities", "citations", {"source": 1, "field": "country", "value": "Atlantis"}, InvalidValue, "value"),
        ("cities", "citations", {"source": 1, "field": "name", "city": 2}, InvalidValue, "city"),
        ("cities", "citations", {"source": 1, "field": "part_of", "value": "x"}, InvalidValue, "city"),
        ("partnerships", "members", {"city": 1}, StateConflict, "city"),
        ("partnerships", "members", {"city": 3, "status": "active"}, InvalidValue, "status"),
        ("partnerships", "members", {}, InvalidValue, "city"),
        ("partnerships", "events", {"type": "note", "position": 0}, InvalidValue, "position"),
        ("partnerships", "events", {"type": "note", "position": 2**63}, InvalidValue, "position"),
        ("partnerships", "events", {"type": "note", "declared_by": 4}, InvalidValue, "declared_by"),
        ("partnerships", "events", {"type": "note", "in_place_of": 1}, InvalidValue, "in_place_of"),
        ("partnerships", "organisations", {"organisation": 5, "role": "signed"}, InvalidValue, "organisation"),
        ("partnerships", "organisations", {"organisation": 1, "role": "coordinates"}, StateConflict, None),
        ("programs", "participants", {"organisation": 1}, StateConflict, None),
        ("programs", "occasions", {"since": "1961", "until": "1960"}, InvalidValue, "until"),
        ("programs", "occasions", {"people": "ten"}, InvalidValue, "people"),
        ("programs", "occasions", {"host": {"name": "x"}}, InvalidValue, "host"),
        ("countries", "aliases", {"text": "deutschland"}, StateConflict, None),
    ],
)
def test_a_child_row_that_cannot_be_is_refused_in_words(
    unwritten: Database, *, noun: str, part: str, values: dict[str, Any], error: type[Exception], field: str | None
) -> None:
    record = "JP" if noun == "countries" else 1
    with unwritten.writing(account="desk") as session, pytest.raises(error) as caught:
        parts.add(session, noun, record, part=part, values=values)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("part", "values", "error"),
    [
        ("names", {"text": "Wellington-noise", "language": "en"}, StateConflict),
        ("names", {"kind": None}, InvalidValue),
        ("populations", {"year": 1999}, StateConflict),
        ("successors", {"city": 1}, InvalidValue),
    ],
)
def test_a_child_row_cannot_be_mended_to_what_it_could_not_have_been(
    unwritten: Database, part: str, values: dict[str, Any], error: type[Exception]
) -> None:
    good: dict[str, dict[str, Any]] = {
        "names": {"text": "x", "kind": "short"},
        "populations": {"people": 1},
        "successors": {"city": 2},
    }
    with unwritten.writing(account="desk") as session:
        row_id = parts.add(session, "cities", 1, part=part, values=good[part])
        with pytest.raises(error):
            parts.amend(session, "cities", 1, part=part, row_id=row_id, values=values)


def test_mending_a_row_to_what_it_is_makes_no_revision(database: Database) -> None:
    before = number(database)
    name = rows(database, CityName, city_id=1)[0]
    with database.writing(account="desk") as session:
        values = {"text": name["text"], "language": name["language"], "kind": name["kind"]}
        parts.amend(session, "cities", 1, part="names", row_id=name["id"], values=values)
        assert not journal.commit(session)
    assert number(database) == before


def test_a_row_is_found_only_under_its_own_record(unwritten: Database) -> None:
    theirs = rows(unwritten, CityName, city_id=2)[0]["id"]
    with unwritten.writing(account="desk") as session, pytest.raises(RecordNotFound):
        parts.amend(session, "cities", 1, part="names", row_id=theirs, values={"text": "x"})


def test_an_identifier_is_kept_in_its_normal_form(database: Database) -> None:
    with written(database) as session:
        values = {"scheme": "wikidata", "value": "q23661"}
        row_id = parts.add(session, "cities", 1, part="identifiers", values=values)
    assert row(database, CityIdentifier, row_id)["value"] == "Q23661"


def test_an_unknown_language_and_an_unknown_year_are_values(database: Database) -> None:
    with written(database) as session:
        name = parts.add(session, "cities", 1, part="names", values={"text": "x", "kind": "short"})
        people = parts.add(session, "cities", 1, part="populations", values={"people": 7})
        with pytest.raises(StateConflict):
            parts.add(session, "cities", 1, part="populations", values={"people": 8})
    assert row(database, CityName, name)["language"] == "und"
    assert row(database, CityPopulation, people)["year"] is None


def test_a_claim_about_a_city_takes_its_name_and_one_about_a_country_its_code(database: Database) -> None:
    with written(database) as session:
        claims = [{"field": "part_of", "city": 2}, {"field": "country", "value": "Deutschland"}]
        ids = [parts.add(session, "cities", 1, part="citations", values={"source": 1} | claim) for claim in claims]
    kept = [row(database, Citation, each) for each in ids]
    assert [(each["value"], each["value_city_id"]) for each in kept] == [("Akureyri", 2), ("DE", None)]


def test_a_participant_takes_the_side_of_a_member(database: Database) -> None:
    with written(database) as session:
        school = organisations.add(session, {"name": "Second School", "kind": "school"})
        values = {"organisation": school, "side": 1}
        row_id = parts.add(session, "programs", 1, part="participants", values=values)
        with pytest.raises(InvalidValue) as caught:
            parts.amend(session, "programs", 1, part="participants", row_id=row_id, values={"side": 3})
    assert caught.value.field == "side"
    assert row(database, Participant, row_id)["side_id"] == 1


def test_an_occasion_may_be_known_by_little(database: Database) -> None:
    with written(database) as session:
        row_id = parts.add(session, "programs", 1, part="occasions", values={"people": "12", "since": "19XX"})
    kept = row(database, Occasion, row_id)
    assert (kept["people"], kept["since"], kept["host_id"]) == (12, "19XX", None)


def test_a_citation_counts_the_conflicts_anew(database: Database) -> None:
    def count() -> int:
        return int(row(database, Partnership, 2)["conflicts_count"])

    assert count() == 0
    with written(database) as session:
        values = {"source": 1, "field": "ended", "value": "1960"}
        row_id = parts.add(session, "partnerships", 2, part="citations", values=values)
    assert count() == 1
    with written(database) as session:
        parts.amend(session, "partnerships", 2, part="citations", row_id=row_id, values={"value": "1954-05"})
    assert count() == 0
    with written(database) as session:
        parts.amend(session, "partnerships", 2, part="citations", row_id=row_id, values={"value": "1955"})
        parts.remove(session, "partnerships", 2, part="citations", row_id=row_id)
        parts.add(session, "partnerships", 2, part="citations", values=values | {"field": "established"})
    assert count() == 1


def test_the_record_is_looked_at_before_its_parts_are_changed(database: Database) -> None:
    with written(database) as session:
        a, b = city(session, "Osaka", "JP"), city(session, "Oosaka", "JP")
    with written(database) as session:
        merging.merge(session, b, into=a)
    stale = row(database, City, a)["revision"] - 1
    with database.writing(account="desk") as session:
        assert parts.owner(session, "cities", str(a)) == a
        with pytest.raises(RecordMerged):
            parts.owner(session, "cities", b)
        with pytest.raises(RecordNotFound):
            parts.owner(session, "cities", 10**12)
        with pytest.raises(StaleRevision):
            parts.owner(session, "cities", a, revision=stale)


def test_errors_in_several_rows_name_the_row(unwritten: Database) -> None:
    def establish(session: WritingSession, **more: Any) -> None:
        partnerships.establish(session, [1, 3], kind="other", **more)

    good = {"source": 1, "field": "established"}
    with unwritten.writing(account="desk") as session, pytest.raises(InvalidValue) as caught:
        establish(session, citations=[good, good | {"value": "x"}])
    assert caught.value.field == "citations/1/value"
