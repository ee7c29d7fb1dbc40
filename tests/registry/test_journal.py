"""The journal: one revision a write, one change a touched record, and nothing that leaves no trace."""

from __future__ import annotations

from typing import Any

import pytest
from making import city, held, number, row, rows, undone, written
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from app.errors import InvalidValue, RecordDeleted, RecordNotFound
from app.models import Change, City, Event, Member, Partnership, Revision, Spell
from app.registry import Database, cities, journal, organisations, partnerships, parts, programs
from app.registry.database import ReadingSession, WritingSession


def test_a_write_makes_one_revision_with_one_change_for_each_record_it_touched(database: Database) -> None:
    with database.writing(account="desk", reason="first pair") as session:
        a = cities.add(session, {"name": "Chicago", "country": "US", "kind": "city"})
        b = cities.add(session, {"name": "Osaka", "country": "JP", "kind": "city"})
        p = partnerships.establish(session, [a, b], kind="sister_city", signed="1973")
        assert journal.commit(session)
    with database.reading() as session:
        revision = journal.revision(session, session.number())
    assert (revision["account"], revision["reason"]) == ("desk", "first pair")
    assert revision["changes"] == [
        {"noun": "cities", "id": a},
        {"noun": "cities", "id": b},
        {"noun": "partnerships", "id": p},
    ]


def test_many_steps_on_one_record_are_one_change(database: Database) -> None:
    with written(database) as session:
        a = city(session, "Osaka", "JP")
        for people in range(3):
            parts.add(session, "cities", a, part="populations", values={"people": people, "year": 2000 + people})
        cities.amend(session, a, {"note": "a port"})
    changes = rows(database, Change, noun="cities", record=str(a))
    assert [change["revision"] for change in changes] == [number(database)]


@pytest.mark.parametrize("step", [lambda _s, _c: None, lambda s, c: cities.amend(s, c, {"name": "Osaka"})])
def test_a_write_that_changes_nothing_uses_no_number(database: Database, step: Any) -> None:
    with written(database) as session:
        a = city(session, "Osaka", "JP")
    before, kept = number(database), row(database, City, a)
    with database.writing(account="desk") as session:
        step(session, a)
        assert not journal.commit(session)
    assert number(database) == before
    assert row(database, City, a) == kept
    with written(database) as session:
        city(session, "Kyoto", "JP")
        assert session.number() == before + 1


def test_a_change_and_its_opposite_in_one_write_leave_no_trace(database: Database) -> None:
    before = number(database)
    with database.writing(account="desk") as session:
        cities.delete(session, city(session, "Osaka", "JP"))
        assert not journal.commit(session)
    assert number(database) == before


def test_a_refused_write_leaves_no_trace(database: Database) -> None:
    before, known = number(database), held(database)
    with pytest.raises(InvalidValue), database.writing(account="desk") as session:
        a = city(session, "Osaka", "JP")
        partnerships.establish(session, [a, a], kind="sister_city")
    assert (number(database), held(database)) == (before, known)
    assert len(rows(database, Revision)) == before


def test_a_write_that_nobody_commits_leaves_no_trace(database: Database) -> None:
    before, known = number(database), held(database)
    with database.writing(account="desk") as session:
        city(session, "Osaka", "JP")
        assert journal.seal(session)
    assert (number(database), held(database)) == (before, known)


def test_after_the_seal_nothing_can_be_changed(database: Database) -> None:
    with database.writing(account="desk") as session:
        a = city(session, "Osaka", "JP")
        assert journal.seal(session)
        assert journal.seal(session), "a second seal says the same"
        with pytest.raises(RuntimeError, match="sealed"):
            cities.amend(session, a, {"note": "too late"})


def test_a_sealed_record_can_be_rendered_with_its_revision_and_times(database: Database) -> None:
    with database.writing(account="desk") as session:
        kept = session.get_one(City, city(session, "Osaka", "JP"))
        journal.seal(session)
        assert (kept.revision, kept.created_at, kept.updated_at) == (session.revision, session.time, session.time)
        journal.commit(session)


@pytest.mark.parametrize(
    "statement",
    [
        update(City).values(name="X"),
        delete(Member),
        insert(Event).values(type="signed"),
        update(Partnership.__table__).values(kind="other"),
    ],
)
def test_bulk_statements_on_journalled_tables_are_refused(sqlite_database: Database, statement: Any) -> None:
    with sqlite_database.writing(account="desk") as session, pytest.raises(RuntimeError, match="bypass the journal"):
        session.execute(statement)
    with Session(sqlite_database.engine) as session, pytest.raises(RuntimeError, match="bypass the journal"):
        session.execute(statement)


def test_bulk_statements_on_derived_tables_are_not_the_journals_business(sqlite_database: Database) -> None:
    with sqlite_database.writing(account="desk") as session:
        session.execute(delete(Spell))
        session.rollback()


def test_a_deleted_record_has_an_empty_change_and_says_when_it_went(database: Database) -> None:
    with written(database) as session:
        a = city(session, "Osaka", "JP", names=[{"text": "大阪", "language": "ja", "kind": "official"}])
    with written(database) as session:
        cities.delete(session, a)
    newest = rows(database, Change, noun="cities", record=str(a))[-1]
    assert (newest["revision"], newest["after"]) == (number(database), None)
    with database.reading() as session:
        history = journal.history(session, "cities", a)
        with pytest.raises(RecordDeleted) as caught:
            journal.explain_absence(session, "cities", a)
        with pytest.raises(RecordNotFound) as never:
            journal.explain_absence(session, "cities", 10**15)
    assert caught.value.revision == number(database)
    assert not isinstance(never.value, RecordDeleted)
    assert history[0]["differences"] == [{"part": "record", "before": None, "after": None, "text": "deleted"}]


def test_a_record_can_be_read_as_it_was_after_each_revision(database: Database) -> None:
    start = number(database)
    with written(database) as session:
        a = city(session, "Osaka", "JP")
    with written(database) as session:
        cities.amend(session, a, {"name": "Ōsaka"})
    with written(database) as session:
        city(session, "Kyoto", "JP")
    with written(database) as session:
        cities.delete(session, a)
    with database.reading() as session:
        names = [
            (journal.as_it_was(session, "cities", a, revision=each) or {}).get("name")
            for each in range(start, start + 6)
        ]
    assert names == [None, "Osaka", "Ōsaka", "Ōsaka", None, None]


def test_history_reads_well_and_newest_first(database: Database) -> None:
    with written(database, reason="from the archive") as session:
        a = city(session, "Osaka", "JP")
        p = partnerships.establish(session, [a, city(session, "Chicago")], kind="sister_city", signed="1973")
    with written(database, reason="ended", account="clerk") as session:
        parts.add(
            session, "partnerships", p, part="events", values={"type": "ended", "date": "2018", "authority": "mayor"}
        )
    with database.reading() as session:
        ended, made = journal.history(session, "partnerships", p)
        assert journal.history(session, "partnerships", 10**15) == []
    assert (ended["account"], ended["reason"], made["account"], made["reason"]) == (
        "clerk", "ended", "desk", "from the archive",
    )  # fmt: skip
    assert [each["text"] for each in ended["differences"]] == ["events added: ended, authority mayor, date 2018"]
    assert 'kind: (none) → "sister_city"' in [each["text"] for each in made["differences"]]
    assert ended["number"] == made["number"] + 1 == number(database)


def test_an_unknown_revision_is_not_found(sqlite_database: Database) -> None:
    with sqlite_database.reading() as session, pytest.raises(RecordNotFound):
        journal.revision(session, 10**9)


def test_revision_and_times_of_a_record_are_those_of_its_changes(database: Database) -> None:
    with written(database) as session:
        a, b = city(session, "Osaka", "JP"), city(session, "Chicago")
    made = row(database, City, a)
    with written(database) as session:
        cities.amend(session, a, {"note": "a port"})
    amended, other = row(database, City, a), row(database, City, b)
    newest = number(database)
    times = {each["number"]: each["time"] for each in rows(database, Revision)}
    assert (made["revision"], amended["revision"], other["revision"]) == (newest - 1, newest, newest - 1)
    assert amended["created_at"] == made["created_at"] == times[newest - 1] == other["updated_at"]
    assert amended["updated_at"] == times[newest] > times[newest - 1]


def test_a_record_that_an_undo_brought_back_was_created_when_it_first_was(database: Database) -> None:
    with written(database) as session:
        a = city(session, "Osaka", "JP")
    made = row(database, City, a)
    with written(database) as session:
        cities.delete(session, a)
    undone(database, number(database))
    back = row(database, City, a)
    assert back["created_at"] == made["created_at"] < back["updated_at"]


def test_touching_a_record_by_way_of_another_makes_no_change_of_it(database: Database) -> None:
    with written(database) as session:
        a, b = city(session, "Osaka", "JP"), city(session, "Chicago")
    with written(database) as session:
        p = partnerships.establish(session, [a, b], kind="sister_city")
        programs.add(session, {"partnership": p, "name": "Schools", "category": "education"})
        organisations.add(session, {"name": "School", "kind": "school", "city": a})
    assert {each["noun"] for each in rows(database, Change, revision=number(database))} == {
        "partnerships", "programs", "organisations",
    }  # fmt: skip


def test_a_reading_session_refuses_to_write(database: Database) -> None:
    before = held(database)
    with database.reading() as session:
        session.add(City(name="X", country="US", kind="city"))
        with pytest.raises(RuntimeError, match="cannot write"):
            session.flush()
        session.expunge_all()
        with pytest.raises(RuntimeError, match="nothing to commit"):
            session.commit()
    with database.reading() as session:
        try:
            session.execute(text("UPDATE cities SET name = 'X'"))
        except Exception as error:
            assert "read-only" in str(error)
    assert held(database) == before


def test_a_reading_session_is_one_snapshot_of_number_and_rows(database: Database) -> None:
    with database.reading() as reader:
        before = reader.number()
        with written(database) as session:
            city(session, "Osaka", "JP")
        assert reader.number() == before
        assert reader.execute(select(City.id).where(City.name == "Osaka")).first() is None
    assert number(database) == before + 1


def test_reading_and_writing_sessions_are_two_types(sqlite_database: Database) -> None:
    with sqlite_database.reading() as reader, sqlite_database.writing(account="desk") as writer:
        assert isinstance(reader, ReadingSession) and not isinstance(reader, WritingSession)
        assert isinstance(writer, WritingSession) and not isinstance(writer, ReadingSession)


def test_a_session_that_was_rolled_back_writes_nothing_more(database: Database) -> None:
    before = number(database)
    with database.writing(account="desk") as session:
        session.rollback()
        with pytest.raises(RuntimeError, match="sealed"):
            city(session, "Osaka", "JP")
        session.rollback()
        assert not journal.commit(session)
    assert number(database) == before
