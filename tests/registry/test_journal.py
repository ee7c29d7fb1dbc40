"""The journal: one revision a write, one change a touched record, and nothing that leaves no trace."""

from __future__ import annotations

from app.registry import Database, cities, journal, partnerships


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
