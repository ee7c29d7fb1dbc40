"""Many records at once: what undo, check, settle and put ask of the database does not grow with each record, and
the outcome is what it is for one record at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import city, held, holdings, keys, number, rows, undone, written
from many import bulk, counted, imported, put
from small_world import build
from sqlalchemy import delete, update

from app.domain import fuzzy_dates, lifecycle
from app.errors import EventRefused, PartnershipExists, UndoRefused
from app.models import RECORDS, Change, City, CityIdentifier, Member, Partnership, Spell
from app.registry import (
    Database,
    checking,
    cities,
    content,
    journal,
    lives,
    organisations,
    parts,
    references,
    settling,
    sources,
    undoing,
)
from app.registry.content import Content, table_of
from app.registry.database import AnySession, WritingSession

JOURNALLED = {"journalled": True}


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of two records, so that a few records cross their bounds."""
    monkeypatch.setattr(content.chunks, "__defaults__", (2,))


# ── How much is asked ──


def test_what_an_import_of_pairs_asks_does_not_grow_with_them(database: Database) -> None:
    asked = []
    for pairs in (30, 300):
        steps = []
        with counted(database) as sent:
            made = imported(database, pairs)
        steps.append(len(sent))
        with counted(database) as sent, database.reading() as session:
            assert checking.check(session) == []
        steps.append(len(sent))
        for _ in ("undo", "redo", "undo"):
            with counted(database) as sent:
                made = undone(database, made)
            steps.append(len(sent))
        asked.append(steps)
    assert all(many <= few + 1 for few, many in zip(*asked, strict=True)), asked
    assert max(asked[1]) <= 140, "statements of: import, check, undo, redo, undo"


def test_postgresql_counts_its_tables_before_much_goes_and_after_much_came(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "MANY", 5)

    def counting(sent: list[str]) -> list[str]:
        telling = (each.split()[0] for each in sent if each.startswith(("ANALYZE", "INSERT INTO cities", "DELETE")))
        return [each for place, each in enumerate(telling) if place == 0 or each == "ANALYZE"]

    with counted(database) as came:
        made = imported(database, 9)
    with counted(database) as went:
        undone(database, made)
    with counted(database) as few, written(database) as session:
        put(session, bulk(2))
    if database.is_sqlite:
        assert not [each for each in (*came, *went, *few) if "ANALYZE" in each]
    else:
        assert (counting(came), counting(went), counting(few)) == (["INSERT", "ANALYZE"], ["ANALYZE"], ["INSERT"])


def test_a_registry_that_is_settled_again_is_left_as_it_is(database: Database) -> None:
    imported(database, 40)
    before = held(database)
    with database.writing(account="desk", reason="again") as session:
        with counted(database) as sent:
            settling.settle(session, [int(key) for key in keys(session, "partnerships")])
        assert holdings(session) == before
    writes = [statement.split()[:2] for statement in sent if not statement.startswith("SELECT")]
    assert writes == [["UPDATE", "partnerships"]] * 2, "pair keys are cleared and set, and nothing else"


# ── The same as one at a time ──


@pytest.mark.parametrize("at_once", [True, False])
def test_what_follows_from_events_is_worked_out_for_many_as_for_one(database: Database, at_once: bool) -> None:
    build(database)
    before = held(database)
    with database.writing(account="desk", reason="spoilt and mended") as session:
        spoil(session)
        assert holdings(session) != before
        numbers = [int(key) for key in keys(session, "partnerships")]
        for several in [numbers] if at_once else [[each] for each in numbers]:
            settling.settle(session, several)
        assert holdings(session) == before


def spoil(session: WritingSession) -> None:
    """Every derived column of partnerships and members says something else; there are no spells."""
    session.execute(delete(table_of(Spell)))
    wrong = {"status": "ended", "joined": "1800", "left": "1801"}
    session.execute(update(table_of(Member)).values(wrong), execution_options=JOURNALLED)
    wrong = {"status": "ended", "established": None, "ended": "1801", "pair_key": "x", "conflicts_count": 9}
    session.execute(update(table_of(Partnership)).values(wrong), execution_options=JOURNALLED)


def test_batches_of_any_size_put_undo_and_redo_the_same(database: Database, small_batches: None) -> None:
    before = held(database)
    made = imported(database, 7)
    after = held(database)
    undo = undone(database, made)
    assert held(database) == before
    undone(database, undo)
    assert held(database) == after


def test_rows_that_change_hands_between_batches_are_put_where_they_belong(
    database: Database, small_batches: None
) -> None:
    imported(database, 3)
    with written(database) as session:
        before = content.read(session, "cities", ["1000", "1001", "1002"])
        after: dict[tuple[str, str], Content | None] = {
            ("cities", here): before[here] | {"identifiers": before[there]["identifiers"]}
            for here, there in (("1000", "1001"), ("1001", "1002"), ("1002", "1000"))
        }
        content.put(session, after)
    found = rows(database, CityIdentifier, scheme="wikidata")
    assert [(each["id"], each["city_id"]) for each in found][:3] == [(1000, 1002), (1001, 1000), (1002, 1001)]


def test_a_name_that_one_record_gives_up_may_be_what_a_new_one_has(database: Database) -> None:
    with written(database) as session:
        content.put(
            session,
            {("sources", "50"): {"id": 50, "key": "NOISE", "title": "New"}, ("sources", "1"): {"id": 1, "title": "A"}},
        )


def test_a_record_among_others_that_stay_is_written_alone(database: Database) -> None:
    imported(database, 3)
    with written(database) as session:
        now = content.read(session, "partnerships", ["1000", "1001", "1002"])
        targets: dict[tuple[str, str], Content | None] = {("partnerships", record): now[record] for record in now}
        targets["partnerships", "1001"] = now["1001"] | {"note": "mended"}
        with counted(database) as sent:
            content.put(session, targets)
        settling.settle(session, [1001])
    assert [statement.split()[:2] for statement in sent if statement[0] != "S"] == [["UPDATE", "partnerships"]]
    assert len(rows(database, Change, revision=number(database))) == 1


@pytest.mark.parametrize("ids", [[1, 2, 3], [3, 1, 2], [1, 3], [2], [1, 1, 2], [4, 5, 10**6], []])
def test_a_batch_asks_for_its_own_keys_and_no_others(unwritten: Database, ids: list[int]) -> None:
    table = table_of(City)
    with unwritten.reading() as session:
        found = session.execute(table.select().where(content.among(table.c.id, ids))).all()
    assert {row.id for row in found} == {each for each in ids if each <= 4}


def test_holes_between_numbers_are_no_obstacle(database: Database) -> None:
    records = bulk(9)
    made = {key: wanted for key, wanted in records.items() if key[0] == "cities" or int(key[1]) % 2 == 0}
    before = held(database)
    with written(database) as session:
        put(session, made)
    assert len(rows(database, Partnership, kind="sister_city")) == 5
    undone(database, number(database))
    assert held(database) == before


# ── The rule by shapes ──

MEMBERS = (11, 7, 30)
_members = st.sampled_from([None, None, *MEMBERS, 99])
_events = st.builds(
    lifecycle.Event,
    type=st.sampled_from([*lifecycle.EVENT_TYPES, "signed", "joined", "left"]),
    date=st.sampled_from([None, "1955", "1973-11-09", "198X", "1990~"]).map(lambda day: day and fuzzy_dates.parse(day)),
    declared_by=_members,
    in_place_of=st.sampled_from([None, None, None, *MEMBERS]),
)


@given(st.lists(_events, max_size=10))
def test_a_shape_says_what_the_rule_says_of_the_members_themselves(events: list[lifecycle.Event]) -> None:
    def told() -> tuple[Any, ...]:
        rule = lifecycle.unfold(MEMBERS, events)
        whole = rule.status, rule.established, rule.ended
        spells = [(s.member, s.status, s.begin_earliest, s.begin_latest, s.end_earliest, s.end_latest)
                  for s in rule.spells]  # fmt: skip
        return whole, {key: (each.status, each.joined, each.left) for key, each in rule.members.items()}, spells

    def shaped() -> tuple[Any, ...]:
        shape = lives.follow(_kept(events))
        whole = tuple(_date(shape.whole, name) for name in ("status", "established", "ended"))
        members = {
            key: tuple(_date(each, name) for name in ("status", "joined", "left"))
            for key, each in shape.members.items()
        }
        return whole, members, list(shape.spells)

    assert _outcome(told) == _outcome(shaped)


def _outcome(asked: Any) -> Any:
    try:
        return asked()
    except EventRefused as error:
        return error.message, error.field, error.allowed


def _date(columns: Mapping[str, Any], name: str) -> Any:
    value = columns[name]
    if f"{name}_earliest" not in columns or value is None:
        return value
    return fuzzy_dates.FuzzyDate(value, columns[f"{name}_earliest"], columns[f"{name}_latest"])


class _Row:
    def __init__(self, **columns: Any) -> None:
        self.__dict__.update(columns)


def _kept(events: Iterable[lifecycle.Event]) -> Any:
    told = [
        _Row(
            type=each.type, date=each.date and each.date.text,
            declared_by_id=each.declared_by, in_place_of_id=each.in_place_of,
        )
        for each in events
    ]  # fmt: skip
    return lives.Kept(row=None, members=[_Row(id=key) for key in MEMBERS], events=told, spells=[])  # type: ignore[arg-type,list-item]


# ── What is refused ──


@pytest.mark.parametrize("apart", [1, 500])
def test_one_pair_twice_is_refused_whether_in_one_batch_or_in_two(
    unwritten: Database, monkeypatch: pytest.MonkeyPatch, apart: int
) -> None:
    monkeypatch.setattr(content.chunks, "__defaults__", (apart,))
    records = bulk(3)
    second = records["partnerships", "1001"]
    assert second is not None
    second["members"] = [{"id": 2002, "city_id": 1001}, {"id": 2003, "city_id": 1000}]
    with unwritten.writing(account="desk") as session, pytest.raises(PartnershipExists) as caught:
        put(session, records)
    assert caught.value.candidates == [
        {"id": 1000, "kind": "sister_city", "status": "active", "established": "1900"}
    ]  # fmt: skip


def test_of_an_import_that_was_built_upon_every_obstacle_is_listed(database: Database, small_batches: None) -> None:
    made = imported(database, 3)
    with written(database) as session:
        school = organisations.add(session, {"name": "School", "kind": "school", "city": 1000})
        below = city(session, "Below", part_of=1002)
        added = [
            parts.add(session, "partnerships", each, part="events", values={"type": "note", "note": "seen"})
            for each in (1000, 1002)
        ]
    assert _refusal(database, made) == [
        {"noun": "partnerships", "id": each, "part": f"events/{row}"}
        for each, row in zip((1000, 1002), added, strict=True)
    ]
    with written(database) as session:
        for each, row in zip((1000, 1002), added, strict=True):
            parts.remove(session, "partnerships", each, part="events", row_id=row)
    assert _refusal(database, made) == [
        {"noun": "organisations", "id": school, "field": "city"}, {"noun": "cities", "id": below, "field": "part_of"},
    ]  # fmt: skip


def _refusal(database: Database, revision: int) -> list[dict[str, Any]]:
    with database.writing(account="desk", reason="x") as session, pytest.raises(UndoRefused) as caught:
        undoing.undo(session, revision)
    return caught.value.obstacles


def test_what_names_records_that_are_gone_is_listed_for_every_record(database: Database, small_batches: None) -> None:
    imported(database, 3)
    with written(database) as session:
        content.put(session, {("partnerships", str(each)): None for each in (1000, 1001, 1002)})
    taken = number(database)
    with written(database) as session:
        for each in (1000, 1003):
            cities.delete(session, each)
    assert _refusal(database, taken) == [
        {"noun": "cities", "id": 1000, "field": "city"}, {"noun": "cities", "id": 1003, "field": "city"},
    ]  # fmt: skip


# ── Readers of many ──


def test_references_to_many_are_those_to_each(sqlite_database: Database, small_batches: None) -> None:
    build(sqlite_database)
    with sqlite_database.reading() as session:
        for noun in RECORDS:
            several = keys(session, noun)
            each = [row for record in several for row in references.inbound(session, noun, record)]
            assert sorted(map(str, references.hanging(session, noun, several))) == sorted(map(str, each))
            wanted = [*content.read(session, noun, several).values()]
            assert references.absent(session, noun, [_lost(one) for one in wanted]) == [
                row for one in wanted for row in references.missing(session, noun, _lost(one))
            ]


def _lost(wanted: Content) -> Content:
    """The content with every mention of a city one that is not there."""
    if isinstance(wanted, list):
        return [_lost(each) for each in wanted]  # type: ignore[return-value]
    if not isinstance(wanted, dict):
        return wanted
    return {name: 10**6 if name in {"city_id", "side_id"} else _lost(value) for name, value in wanted.items()}


def test_the_own_rows_of_a_record_do_not_hide_what_hangs_on_it(unwritten: Database) -> None:
    with unwritten.writing(account="desk") as session:
        for _ in range(references.LISTED + 1):
            own = {"source": 1, "field": "part_of", "value": "itself", "city": 4}
            parts.add(session, "cities", 4, part="citations", values=own)
        parts.add(session, "organisations", 1, part="citations", values={"source": 1, "field": "city", "city": 4})
        found = references.inbound(session, "cities", "4")
    assert {"noun": "organisations", "id": 1, "field": "citations"} in found
    assert {"noun": "cities", "id": 4, "field": "citations"} not in found


def test_many_records_as_they_were_are_each_as_it_was(database: Database, small_batches: None) -> None:
    with written(database) as session:
        made = [sources.add(session, {"title": f"Title {place}"}) for place in range(5)]
    for place in (1, 3, 3):
        with written(database) as session:
            sources.amend(session, made[place], {"note": f"at {session.number()}"})
    with written(database) as session:
        sources.delete(session, made[3])
    wanted = [str(each) for each in made]
    with database.reading() as session:
        for revision in range(session.number() + 1):
            several = journal.as_they_were(session, "sources", wanted, revision=revision)
            each = {record: _then(session, record, revision) for record in wanted}
            assert several == {record: own for record, own in each.items() if own is not None}


def _then(session: AnySession, record: str, revision: int) -> Content | None:
    found: list[Content | None] = [
        None if change["after"] is None else orjson.loads(change["after"])
        for change in session.execute(
            table_of(Change).select().where(Change.noun == "sources", Change.record == record)
            .where(Change.revision <= revision).order_by(Change.revision)
        ).mappings()
    ]  # fmt: skip
    return found[-1] if found else None
