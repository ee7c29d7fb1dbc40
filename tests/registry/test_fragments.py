"""Fragments: the ready-made items of lists say what the tables say, whatever was written last."""

from __future__ import annotations

from typing import Any

import pytest
from making import tamper, written
from small_world import World, build

from app.registry import Database, cities, fragments, journal, migrating, partnerships, programs, undoing
from app.registry.views import partnerships as views


@pytest.fixture
def world(database: Database) -> World:
    """The small world on each engine."""
    return build(database)


def listed(world: World, name: str) -> dict[str, Any]:
    with world.database.reading() as session:
        items = views.listing(session, {}, limit=1000).items
    return next(item for item in items if item["id"] == world.partnerships[name])


def test_renaming_a_city_changes_the_items_of_all_its_partnerships(world: World) -> None:
    with written(world.database) as session:
        cities.amend(session, world.cities["chicago"], {"name": "Chicago on the Lake"})
    for name in ("chicago osaka", "chicago paris", "chicago boston"):
        assert listed(world, name)["members"][0]["city"]["name"] == "Chicago on the Lake"


def test_a_program_counts_as_long_as_it_is_there(world: World) -> None:
    before = listed(world, "chicago paris")["programs_count"]
    with written(world.database) as session:
        values = {"partnership": world.partnerships["chicago paris"], "name": "Choir", "category": "culture"}
        number = programs.add(session, values)
    assert listed(world, "chicago paris")["programs_count"] == before + 1
    with written(world.database) as session:
        programs.delete(session, number)
    assert listed(world, "chicago paris")["programs_count"] == before


def test_a_deleted_partnership_leaves_no_item_and_comes_back_with_it(world: World) -> None:
    number, before = world.partnerships["boston kyoto"], listed(world, "boston kyoto")
    with written(world.database) as session:
        partnerships.delete(session, number)
    with world.database.reading() as session:
        assert list(fragments.built(session, [number])) == []
        assert number not in {item["id"] for item in views.listing(session, {}, limit=1000).items}
        revision = session.number()
    with world.database.writing(account="test") as session:
        undoing.undo(session, revision)
        journal.commit(session)
    assert listed(world, "boston kyoto") | {"revision": 0, "updated_at": ""} == before | {
        "revision": 0, "updated_at": "",
    }  # fmt: skip


@pytest.mark.damaged
@pytest.mark.parametrize(
    "damage", ["DELETE FROM fragments", "UPDATE fragments SET item = '{}'"], ids=["missing", "altered"]
)
def test_an_item_that_is_not_what_the_tables_say_is_found(world: World, damage: str) -> None:
    tamper(world.database, damage)
    with world.database.reading() as session:
        assert set(world.partnerships.values()) <= set(fragments.wrong(session))


def test_migrating_fills_what_is_missing(world: World) -> None:
    before = listed(world, "trio")
    tamper(world.database, "DELETE FROM fragments")
    migrating.migrate(world.database)
    assert listed(world, "trio") == before
    with world.database.reading() as session:
        assert list(fragments.wrong(session)) == []
