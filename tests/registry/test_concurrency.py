"""Several at once, with real threads: one write lock, and a number that never skips a change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from making import city, held, number, row, rows, written
from sqlalchemy import func, select

from app.errors import CityExists, EventRefused, PartnershipExists, RegistryBusy, RegistryError
from app.models import Change, Event, Partnership, Revision
from app.registry import Database, checking, cities, journal, open_registry, partnerships, parts

WRITERS, WRITES = 8, 6


def at_once(*steps: Callable[[], Any]) -> list[Any]:
    """What each step gave, or the registry's refusal, all started at the same moment in threads of their own."""
    barrier = threading.Barrier(len(steps))

    def run(step: Callable[[], Any]) -> Any:
        barrier.wait(timeout=30)
        try:
            return step()
        except RegistryError as error:
            return error

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(run, steps))


def test_who_follows_the_changes_misses_none_while_eight_write(database: Database) -> None:
    start, done = number(database), threading.Event()

    def write(writer: int) -> None:
        for step in range(WRITES):
            with written(database) as session:
                city(session, f"City {writer} {step}")

    def follow() -> list[int]:
        seen, since = [], start
        while True:
            last = done.is_set()
            with database.reading() as session:
                newest = session.number()
                statement = select(Change.revision).where(Change.revision > since).order_by(Change.revision)
                found = list(session.execute(statement).scalars())
                highest = session.execute(select(func.max(Revision.number))).scalar_one()
            assert highest == newest == (found[-1] if found else since), "number and rows are of one snapshot"
            seen, since = [*seen, *found], newest
            if last:
                return seen

    with ThreadPoolExecutor(WRITERS + 2) as pool:
        followers = [pool.submit(follow) for _ in range(2)]
        writers = [pool.submit(write, writer) for writer in range(WRITERS)]
        for each in writers:
            each.result(timeout=60)
        done.set()
        seen = [each.result(timeout=60) for each in followers]
    wanted = list(range(start + 1, start + 1 + WRITERS * WRITES))
    assert seen == [wanted, wanted]
    assert [each["number"] for each in rows(database, Revision)][start:] == wanted
    times = [each["time"] for each in rows(database, Revision)]
    assert times == sorted(times)


def test_of_two_who_establish_the_same_pairing_at_once_exactly_one_does(database: Database) -> None:
    with written(database) as session:
        a, b = city(session, "Chicago"), city(session, "Osaka", "JP")

    def establish() -> int:
        with written(database) as session:
            return partnerships.establish(session, [a, b], kind="sister_city")

    before = number(database)
    results = at_once(*[establish] * 4)
    made = [each for each in results if isinstance(each, int)]
    refused = [each for each in results if isinstance(each, PartnershipExists)]
    assert (len(made), len(refused)) == (1, 3)
    assert {each.candidates[0]["id"] for each in refused} == set(made)
    assert number(database) == before + 1


def test_of_two_who_add_the_same_city_at_once_exactly_one_does(database: Database) -> None:
    def add() -> int:
        with written(database) as session:
            return cities.add(session, {"name": "Osaka", "country": "JP", "kind": "city"})

    results = at_once(*[add] * 3)
    assert sorted(isinstance(each, CityExists) for each in results) == [False, True, True]


def test_two_writers_on_one_partnership_leave_the_right_status(database: Database) -> None:
    with written(database) as session:
        a, b = city(session, "Chicago"), city(session, "Osaka", "JP")
        p = partnerships.establish(session, [a, b], kind="sister_city", signed="1973")

    def happens(type_: str, **more: Any) -> Callable[[], str]:
        def step() -> str:
            with written(database) as session:
                parts.add(session, "partnerships", p, part="events", values={"type": type_} | more)
            return type_

        return step

    results = at_once(
        happens("suspended"), happens("suspended"), happens("anniversary"),
        happens("left", declared_by=a), happens("left", declared_by=b),
    )  # fmt: skip
    # Of two suspensions the second says what is so already; once both have left, none can come.
    assert any(isinstance(each, EventRefused) for each in results)
    assert results[2:] == ["anniversary", "left", "left"]
    assert row(database, Partnership, p)["status"] == "ended"
    taken = [each for each in results if isinstance(each, str)]
    assert sorted(each["type"] for each in rows(database, Event, partnership_id=p)) == sorted(["signed", *taken])
    with database.reading() as session:
        assert checking.check(session) == []


def impatient(database: Database) -> Database:
    return open_registry(database.url.render_as_string(hide_password=False), threads=2, write_wait=0.2)


def test_who_waits_too_long_for_another_write_is_told_so_and_nothing_is_written(database: Database) -> None:
    other = impatient(database)
    before = held(database)
    with written(database) as session:
        city(session, "Osaka", "JP")
        started = time.monotonic()
        with pytest.raises(RegistryBusy) as caught, other.writing(account="other"):
            pytest.fail("the lock was to be had")
        assert 0.1 < time.monotonic() - started < 3
        assert caught.value.retry_after > 0
        assert held(other) == before, "readers are kept from nothing"
    with written(other) as session:
        city(session, "Kyoto", "JP")
    assert [each["account"] for each in rows(database, Revision)][1:] == ["desk", "desk"]
    other.close()


def test_a_writer_waits_for_another_as_long_as_the_setting_allows(database: Database) -> None:
    begun = threading.Event()

    def slow() -> None:
        with written(database) as session:
            begun.set()
            time.sleep(0.3)
            city(session, "Osaka", "JP")

    thread = threading.Thread(target=slow)
    thread.start()
    begun.wait(timeout=10)
    with written(database) as session:
        assert session.number() == 3
        city(session, "Kyoto", "JP")
    thread.join()
    assert [each["revision"] for each in rows(database, Change)][-2:] == [2, 3]


def test_a_writer_that_fails_lets_the_next_one_in_with_the_same_number(database: Database) -> None:
    before = number(database)
    with pytest.raises(ZeroDivisionError), database.writing(account="desk") as session:
        city(session, "Osaka", "JP")
        session.flush()
        1 / 0  # noqa: B018
    with database.writing(account="desk") as session:
        assert session.number() == before + 1
        city(session, "Kyoto", "JP")
        journal.commit(session)
