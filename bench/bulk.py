"""How long the registry takes over a revision as large as an import: to write it, check it, undo it and redo it.

    python bench/bulk.py [--url postgresql://…/an_empty_database] [--cities 17000] [--partnerships 25000]

Makes cities and pairs of them, each with a signing and a citation, in one revision, and prints for each step the
seconds, those of our own processor time, the statements sent to the database and the peak of memory so far.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Engine, event

from app.registry import Database, checking, content, countries, journal, open_registry, settling, sources, undoing
from app.registry.content import Content

LANDS = {"US": "USA", "JP": "JPN", "DE": "DEU", "FR": "FRA", "BR": "BRA", "IT": "ITA", "CN": "CHN"}


def contents(cities: int, partnerships: int) -> Iterator[tuple[tuple[str, str], Content]]:
    """The records by (noun, id), ids from 1 on: for a registry that holds no cities yet, and one source."""
    lands = list(LANDS)
    for number in range(1, cities + 1):
        yield ("cities", str(number)), _city(number, lands[number % len(lands)])
    for number in range(1, partnerships + 1):
        place, step = (number - 1) % cities, 1 + (number - 1) // cities
        yield ("partnerships", str(number)), _pair(number, place + 1, (place + step) % cities + 1)


def _city(number: int, country: str) -> Content:
    return {
        "id": number, "name": f"Town {number}", "country": country, "kind": "town",
        "latitude": number % 80 + 0.25, "longitude": number % 170 + 0.5,
        "identifiers": [{"id": number, "scheme": "geonames", "value": str(number)}],
    }  # fmt: skip


def _pair(number: int, one: int, other: int) -> Content:
    """One in a hundred is cited with another year, so that there are conflicts to count."""
    year, said = 1950 + number % 70, 1950 + number % 70 + (number % 100 == 0)
    return {
        "id": number, "kind": "sister_city",
        "members": [{"id": 2 * number - 1, "city_id": one}, {"id": 2 * number, "city_id": other}],
        "events": [{"id": number, "type": "signed", "date": f"{year}-0{number % 9 + 1}", "position": 1}],
        "citations": [{"id": number, "source_id": 1, "field": "established", "value": str(said)}],
    }  # fmt: skip


def prepare(database: Database) -> None:
    """The countries and the source that the records name."""
    with database.writing(account="bench", reason="what the bulk names") as session:
        for code, alpha3 in LANDS.items():
            countries.add(session, {"code": code, "alpha3": alpha3, "name": f"Land {code}", "continent": "EU"})
        sources.add(session, {"title": "A long list", "key": "BULK"})
        journal.commit(session)


def write(database: Database, records: dict[tuple[str, str], Content | None]) -> int:
    """All of them in one revision; its number."""
    with database.writing(account="bench", reason="a bulk") as session:
        content.put(session, records)
        settling.settle(session, (int(key) for noun, key in records if noun == "partnerships"))
        journal.commit(session)
        return session.number()


def undo(database: Database, revision: int) -> int:
    """Take a revision back; the number of the one that did."""
    with database.writing(account="bench", reason="an undo") as session:
        undoing.undo(session, revision)
        journal.commit(session)
        return session.number()


def check(database: Database) -> None:
    """Nothing may be wrong."""
    with database.reading() as session:
        problems = checking.check(session)
    assert problems == [], problems[:5]


@contextmanager
def measured(engine: Engine, step: str) -> Iterator[None]:
    """Print what the step took."""
    sent = 0

    def count(*_: Any) -> None:
        nonlocal sent
        sent += 1

    event.listen(engine, "before_cursor_execute", count)
    begun, worked = time.perf_counter(), time.process_time()
    yield
    seconds, own = time.perf_counter() - begun, time.process_time() - worked
    event.remove(engine, "before_cursor_execute", count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{step:<12} {seconds:8.2f} s {own:8.2f} s of ours {sent:9,} statements {peak:8.0f} MB", flush=True)


def measure(url: str, *, cities: int, partnerships: int) -> None:
    """The whole life of one bulk."""
    database = open_registry(url, migrate=True)
    prepare(database)
    records: dict[tuple[str, str], Content | None] = dict(contents(cities, partnerships))
    with measured(database.engine, "write"):
        made = write(database, records)
    records.clear()
    with measured(database.engine, "check"):
        check(database)
    with measured(database.engine, "undo"):
        undone = undo(database, made)
    with measured(database.engine, "redo"):
        undo(database, undone)
    with measured(database.engine, "check again"):
        check(database)
    database.close()


def main() -> None:
    """Read the arguments; without a URL a new SQLite file is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="an empty database; default: a new SQLite file")
    parser.add_argument("--cities", type=int, default=17_000)
    parser.add_argument("--partnerships", type=int, default=25_000)
    given = parser.parse_args()
    print(f"{given.cities:,} cities, {given.partnerships:,} partnerships, one revision")
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{folder}/registry.db"
        measure(url, cities=given.cities, partnerships=given.partnerships)


if __name__ == "__main__":
    main()
