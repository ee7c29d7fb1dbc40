"""A registry of many partnerships, written past all rules and in bulk: the same rows, changes, spells and fragments
that the rules would have written (`check` finds nothing), in minutes for a million instead of hours.

    python bench/export_world.py FILE [--pairs 25000]
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.domain.names import fold
from app.models import Change, City, Event, Member, Partnership, Revision, Spell
from app.models.base import Base
from app.registry import Database, countries, fragments, journal, open_registry
from app.registry.content import canonical, chunks, table_of

COUNTRIES = (("US", "USA", "United States", "NA"), ("JP", "JPN", "Japan", "AS"), ("DE", "DEU", "Germany", "EU"))
UNKNOWN = {"earliest": date.min.isoformat(), "latest": date.max.isoformat()}
TIME = "2026-01-01T00:00:00.000000Z"
Row = dict[str, Any]
#: Two revisions: the countries', and the one of all the rest.
REVISION = 2


def fill(path: Path, *, pairs: int) -> None:
    """A new SQLite registry at `path`."""
    database = open_registry(f"sqlite:///{path}", migrate=True)
    with database.writing(account="bench", reason="a world to measure") as session:
        for code, alpha3, name, continent in COUNTRIES:
            countries.add(session, {"code": code, "alpha3": alpha3, "name": name, "continent": continent}, aliases=[])
        journal.commit(session)
    cities = {number: _city(number) for number in range(1, max(pairs * 2 // 3, 10) + 1)}
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        _put(connection, Revision, [_revision()])
        _put_all(connection, City, cities.values())
        _put_all(connection, Change, (_change("cities", city["id"], _content(City, city)) for city in cities.values()))
        _put_partnerships(connection, cities, pairs)
        connection.execute("UPDATE registry SET revision = ?, updated_at = ?", (REVISION, TIME))
    connection.close()
    _finish(database)


def _finish(database: Database) -> None:
    """The fragments, as the rules make them; and statistics, as a registry has them after a while."""
    with Session(database.engine.execution_options(writing=True)) as session:
        fragments.renew(session, fragments.missing(session))
        session.commit()
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.exec_driver_sql("COMMIT")
    database.close()


def _put_partnerships(connection: sqlite3.Connection, cities: dict[int, Row], pairs: int) -> None:
    numbers = list(cities)
    for some in chunks(range(1, pairs + 1), 5000):
        rows = [_partnership(number, *_two(numbers, number), cities) for number in some]
        _put(connection, Partnership, [row["partnership"] for row in rows])
        _put(connection, Member, [member for row in rows for member in row["members"]])
        _put(connection, Event, [row["event"] for row in rows])
        _put(connection, Spell, [spell for row in rows for spell in row["spells"]])
        _put(connection, Change, [row["change"] for row in rows])


def _two(numbers: list[int], number: int) -> tuple[int, int]:
    """Two different cities; no two pairs are the same."""
    here = number % len(numbers)
    there = (here + 1 + number // len(numbers) * 7 + number % 5) % len(numbers)
    return numbers[here], numbers[there if there != here else (here + 1) % len(numbers)]


def _base(number: int) -> Row:
    return {"id": number, "revision": REVISION, "created_at": TIME, "updated_at": TIME}


def _revision() -> Row:
    return {"number": REVISION, "time": TIME, "account": "bench", "reason": "bulk", "undoes": None}


def _city(number: int) -> Row:
    name = f"Sankt Beispielstadt {number}"
    row = _base(number) | {
        "name": name, "name_key": fold(name), "country": COUNTRIES[number % 3][0], "kind": "town",
        "latitude": number % 1700 / 10 - 85, "longitude": number % 3599 / 10 - 179.9,
    }  # fmt: skip
    return row | _unknown("existed_from") | _unknown("existed_until")


def _unknown(name: str) -> Row:
    return {f"{name}_{end}": day for end, day in UNKNOWN.items()}


def _known(name: str, year: str) -> Row:
    return {name: year, f"{name}_earliest": f"{year}-01-01", f"{name}_latest": f"{year}-12-31"}


def _content(model: Any, row: Row) -> Row:
    own = {name: row[name] for name in model.CONTENT if row.get(name) is not None}
    return {"id": row["id"]} | own


def _change(noun: str, record: int, content: Row) -> Row:
    return {"revision": REVISION, "noun": noun, "record": str(record), "after": canonical(content)}


def _partnership(number: int, here: int, there: int, cities: dict[int, Row]) -> Row:
    year = str(1950 + number % 70)
    own = _base(number) | {
        "kind": "twin_town", "status": "active", "pair_key": f"{min(here, there)}-{max(here, there)}",
        "conflicts_count": 0,
    } | _known("established", year) | _unknown("ended")  # fmt: skip
    members = [
        {
            "id": number * 2 - 1 + place, "partnership_id": number, "city_id": city, "country": cities[city]["country"],
            "status": "active",
        } | _known("joined", year) | _unknown("left")
        for place, city in enumerate((here, there))
    ]  # fmt: skip
    event = {"id": number, "partnership_id": number, "type": "signed", "position": 1} | _known("date", year)
    content = _content(Partnership, own) | {
        "members": [_content(Member, member) for member in members], "events": [_content(Event, event)]
    }  # fmt: skip
    return {
        "partnership": own,
        "members": members,
        "event": event,
        "spells": [_spell(number, place, year) for place in (None, *(member["id"] for member in members))],
        "change": _change("partnerships", number, content),
    }


def _spell(number: int, member: int | None, year: str) -> Row:
    begin = {"begin_earliest": f"{year}-01-01", "begin_latest": f"{year}-12-31"}
    return {"partnership_id": number, "member_id": member, "status": "active"} | begin


def _put_all(connection: sqlite3.Connection, model: type[Base], rows: Any) -> None:
    for some in chunks(rows, 5000):
        _put(connection, model, some)


def _put(connection: sqlite3.Connection, model: type[Base], rows: list[Row]) -> None:
    table = table_of(model)
    names = [column.name for column in table.columns if any(column.name in row for row in rows[:20])]
    marks = ", ".join("?" for _ in names)
    connection.executemany(
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})",
        ([row.get(name) for name in names] for row in rows),
    )


def main() -> None:
    """Fill one."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file", type=Path)
    options.add_argument("--pairs", type=int, default=25_000)
    given = options.parse_args()
    fill(given.file, pairs=given.pairs)


if __name__ == "__main__":
    main()
