"""Check: every kind of damage is found, and named where it is."""

from __future__ import annotations

import pytest
from making import city, tamper, written

from app.registry import Database, checking, cities

#: Damage → SQL behind the registry's back, and where (noun or table, id) what is to be found.
DAMAGE: dict[str, tuple[list[str], str, str | int, str]] = {
    "a record was changed": (
        ["UPDATE cities SET note = 'x' WHERE id = 1"],
        "cities", "1", "differs from its newest change",
    ),
    "a child row was changed": (
        ["UPDATE events SET note = 'x' WHERE partnership_id = 2"],
        "partnerships", "2", "differs from its newest change",
    ),
    "a child row was removed": (
        ["DELETE FROM city_names WHERE city_id = 3"],
        "cities", "3", "differs from its newest change",
    ),
    "a child row was put in": (
        ["INSERT INTO city_successors (id, city_id, successor_id) VALUES (77, 2, 3)"],
        "cities", "2", "differs from its newest change",
    ),
    "a record was removed": (
        ["DELETE FROM reported_figures"],
        "reported_figures", "1", "differs from its newest change",
    ),
    "a record of letters was changed": (
        ["UPDATE countries SET official_name = 'x' WHERE code = 'JP'"],
        "countries", "JP", "differs from its newest change",
    ),
    "a change was forged": (
        ["UPDATE changes SET after = '{}' WHERE noun = 'sources'"],
        "sources", "1", "differs from its newest change",
    ),
    "a change was removed": (
        ["DELETE FROM changes WHERE noun = 'programs'"],
        "programs", "1", "the journal never heard of it",
    ),
    "a change of an unknown noun": (
        ["INSERT INTO changes (revision, noun, record, after) VALUES (1, 'planets', '3', '{}')"],
        "planets", "3", "a noun that there is not",
    ),
    "the registry's number": (
        ["UPDATE registry SET revision = 5"],
        "revisions", 5, "1 revisions up to 1 are kept",
    ),
    "a revision without a change": (
        ["UPDATE registry SET revision = 2",
         "INSERT INTO revisions (number, time, account) VALUES (2, '2026-01-01T00:00:00.000000Z', 'x')"],
        "revisions", 2, "the revision has no change",
    ),
    "a status": (
        ["UPDATE partnerships SET status = 'suspended' WHERE id = 1"],
        "partnerships", 1, "status is not what its events add up to",
    ),
    "a date of a life": (
        ["UPDATE partnerships SET established = '1952' WHERE id = 1"],
        "partnerships", 1, "established is not what its events add up to",
    ),
    "a bound of such a date": (
        ["UPDATE partnerships SET ended_latest = '1999-01-01' WHERE id = 2"],
        "partnerships", 2, "ended_latest is not what its events add up to",
    ),
    "a pair key": (
        ["UPDATE partnerships SET pair_key = NULL WHERE id = 1"],
        "partnerships", 1, "pair_key is not what its events add up to",
    ),
    "a number of conflicts": (
        ["UPDATE partnerships SET conflicts_count = 0 WHERE id = 1"],
        "partnerships", 1, "its number of conflicts is wrong",
    ),
    "a member's status": (
        ["UPDATE members SET status = 'ended' WHERE partnership_id = 5 AND city_id = 1"],
        "partnerships", 5, "the status or dates of member",
    ),
    "a member's date": (
        ["UPDATE members SET joined_earliest = '1950-01-01' WHERE partnership_id = 1"],
        "partnerships", 1, "the status or dates of member",
    ),
    "a spell was changed": (
        ["UPDATE spells SET begin_earliest = '1900-01-01' WHERE partnership_id = 1 AND member_id IS NULL"],
        "partnerships", 1, "its spells are not",
    ),
    "a spell was removed": (
        ["DELETE FROM spells WHERE partnership_id = 4"],
        "partnerships", 4, "its spells are not",
    ),
    "a folded name": (
        ["UPDATE cities SET name_key = 'x' WHERE id = 2"],
        "cities", 2, "a folded name or the bounds of a date",
    ),
    "a folded name of a child row": (
        ["UPDATE country_aliases SET key = 'x' WHERE text = 'Turkey'"],
        "country_aliases", 5, "a folded name or the bounds of a date",
    ),
    "the bounds of a date": (
        ["UPDATE events SET date_latest = '1999-01-01' WHERE date = '1956'"],
        "events", 6, "a folded name or the bounds of a date",
    ),
    "a date that is none": (
        ["UPDATE programs SET since = 'once upon a time'"],
        "programs", 1, "a folded name or the bounds of a date",
    ),
    "a date that is none, in a life": (
        ["UPDATE events SET date = '1973-02-30' WHERE partnership_id = 4"],
        "partnerships", 4, "its events have no place in a life",
    ),
    "an event that cannot be": (
        ["UPDATE events SET type = 'resumed' WHERE partnership_id = 4"],
        "partnerships", 4, "its events have no place in a life",
    ),
    "a record's revision": (
        ["UPDATE cities SET revision = 0 WHERE id = 1"],
        "cities", 1, "is not the journal's",
    ),
    "when a record was made": (
        ["UPDATE sources SET created_at = '2001-01-01T00:00:00.000000Z'"],
        "sources", 1, "is not the journal's",
    ),
    "when a country was changed": (
        ["UPDATE countries SET updated_at = '2001-01-01T00:00:00.000000Z' WHERE code = 'US'"],
        "countries", "US", "is not the journal's",
    ),
}  # fmt: skip

#: The same for what the foreign keys would have forbidden.
UNKEYED: dict[str, tuple[list[str], str, str | int, str]] = {
    "a revision was removed": (
        ["DELETE FROM revisions"],
        "revisions", 1, "0 revisions up to None are kept",
    ),
    "changes of no revision": (
        ["DELETE FROM revisions"],
        "changes", "", "names a row of revisions that is not there",
    ),
    "a row of a record that is gone": (
        ["INSERT INTO city_populations (id, city_id, people) VALUES (77, 999, 5)"],
        "city_populations", 77, "names a row of cities that is not there",
    ),
    "a row of a record that was deleted": (
        ["DELETE FROM cities WHERE id = 4"],
        "city_names", 4, "names a row of cities that is not there",
    ),
    "a city in no country": (
        ["UPDATE cities SET country = 'ZZ' WHERE id = 4"],
        "cities", 4, "names a row of countries that is not there",
    ),
    "a member of another country than its city": (
        ["UPDATE members SET country = 'US' WHERE partnership_id = 1 AND city_id = 1"],
        "partnerships", 1, "a member's country is not its city's",
    ),
    "an event of a member that is not there": (
        ["UPDATE events SET declared_by_id = 999 WHERE partnership_id = 2 AND type = 'ended'"],
        "partnerships", 2, "its events have no place in a life",
    ),
    "a spell of a partnership that is not there": (
        ["UPDATE spells SET partnership_id = 999, member_id = NULL WHERE id = 1"],
        "spells", 1, "names a row of partnerships that is not there",
    ),
}  # fmt: skip


def found(database: Database) -> list[checking.Problem]:
    with database.reading() as session:
        return checking.check(session)


@pytest.mark.damaged
@pytest.mark.parametrize("name", [*DAMAGE, *UNKEYED])
def test_damage_is_found_and_named_where_it_is(database: Database, name: str) -> None:
    statements, noun, key, says = (DAMAGE | UNKEYED)[name]
    assert found(database) == []
    tamper(database, *statements, foreign_keys=name in DAMAGE)
    problems = found(database)
    there = [each["problem"] for each in problems if each["noun"] == noun and (key in (each["id"], ""))]
    assert any(says in problem for problem in there), problems


@pytest.mark.damaged
def test_all_of_several_damages_are_found(sqlite_database: Database) -> None:
    tamper(
        sqlite_database,
        "UPDATE cities SET name_key = 'x' WHERE id IN (1, 2)",
        "UPDATE partnerships SET status = 'ended' WHERE id = 1",
    )
    assert [(each["noun"], each["id"]) for each in found(sqlite_database)] == [
        # The last twice: its status is not what its events add up to, nor its item in lists what the tables say.
        ("cities", 1), ("cities", 2), ("partnerships", 1), ("partnerships", 1),
    ]  # fmt: skip


def test_a_whole_registry_has_no_problem_whatever_happened_to_it(database: Database) -> None:
    with written(database) as session:
        a = city(session, "Osaka", "JP")
    with written(database) as session:
        cities.amend(session, a, {"name": "Kyoto", "existed_from": "19XX"})
    with written(database) as session:
        cities.delete(session, a)
    assert found(database) == []
