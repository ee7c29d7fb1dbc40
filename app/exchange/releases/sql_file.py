"""The ready SQLite file of a release: the registry's tables as they are, for whoever wants to ask them in SQL.

It has records, child rows and spells, with their keys and indexes, and the view `pairs` (a row for each partnership of
two cities, with their names). It has no journal, accounts or keys: `sistercities import-release` makes a registry.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, create_engine, event, select, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable

from app.exchange import exporting, whole
from app.models import Base, Spell
from app.registry.content import table_of

PAIRS = """
CREATE VIEW pairs AS
SELECT p.id, p.kind, p.status, p.established, p.ended, p.designation,
       a.id AS city1_id, a.name AS city1, a.country AS country1, a.latitude AS latitude1, a.longitude AS longitude1,
       b.id AS city2_id, b.name AS city2, b.country AS country2, b.latitude AS latitude2, b.longitude AS longitude2
FROM partnerships p
JOIN (SELECT partnership_id, MIN(city_id) AS one, MAX(city_id) AS other FROM members
      GROUP BY partnership_id HAVING COUNT(DISTINCT city_id) = 2) m ON m.partnership_id = p.id
JOIN cities a ON a.id = m.one
JOIN cities b ON b.id = m.other
WHERE p.merged_into_id IS NULL
"""


def tables() -> list[Table]:
    """What the file holds, in an order in which it can be filled."""
    wanted = {table_of(model).name for model in (*whole.models(), Spell)}
    return [table for table in Base.metadata.sorted_tables if table.name in wanted]


def write(session: Session, path: Path) -> dict[str, int]:
    """Write the file at `path`, which must not exist; the rows of each table."""
    engine = _engine(path)
    counts: dict[str, int] = {}
    with engine.connect() as connection:
        for table in tables():
            connection.execute(CreateTable(table))
            # A table's indexes are a set: in another order they would be other bytes.
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                connection.execute(CreateIndex(index))
        connection.execute(text(PAIRS))
        for table in tables():
            counts[table.name] = 0
            for rows in _rows(session, table):
                connection.execute(table.insert(), rows)
                counts[table.name] += len(rows)
        _number_spells_anew(connection)
        connection.commit()
        connection.exec_driver_sql("VACUUM")
    engine.dispose()
    return counts


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        # The file is made anew or not at all: a journal of its own would only slow it down.
        for pragma in ("foreign_keys = ON", "journal_mode = MEMORY", "synchronous = OFF"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _rows(session: Session, table: Table) -> Iterator[list[dict[str, Any]]]:
    key = next(iter(table.primary_key))
    order = [table.c.partnership_id, table.c.member_id, table.c.begin_earliest] if table.name == "spells" else [key]
    statement = select(table).order_by(*(column.asc().nulls_first() for column in order))
    number = 0
    for batch in exporting.fetched(session, statement):
        rows = [dict(row._mapping) for row in batch]
        if table.name == "spells":
            # Their numbers tell how often they were worked out anew, which is no content.
            for row in rows:
                number += 1
                row["id"] = number
        yield rows


def _number_spells_anew(connection: Any) -> None:
    """Highest numbers ever given are history, not content: each table goes on from what it holds."""
    for table in tables():
        if table.autoincrement_column is not None:
            connection.execute(
                text(f"UPDATE sqlite_sequence SET seq = (SELECT MAX(id) FROM {table.name}) WHERE name = '{table.name}'")  # noqa: S608
            )
