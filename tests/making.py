"""Short ways to write in tests, and to see all that a registry holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import String, cast, select, text
from sqlalchemy.orm import Session

from app.models import RECORDS, City, Member, Partnership, Spell
from app.registry import Database, cities, content, journal, undoing
from app.registry.content import table_of
from app.registry.database import WritingSession


@contextmanager
def written(database: Database, *, reason: str | None = "a test", account: str = "desk") -> Iterator[WritingSession]:
    """A writing session that is committed at its end, and must have changed something."""
    with database.writing(account=account, reason=reason) as session:
        yield session
        assert journal.commit(session), "nothing was written"


def city(session: WritingSession, name: str, country: str = "US", *, kind: str = "city", **more: Any) -> int:
    """A city of this name, whatever it looks like."""
    rows = {part: more.pop(part) for part in ("names", "identifiers", "populations", "successors") if part in more}
    return cities.add(session, {"name": name, "country": country, "kind": kind} | more, insist=True, **rows)


def undone(database: Database, number: int) -> int:
    """Undo a revision; the number of the new one."""
    with written(database, reason=f"undo {number}") as session:
        undoing.undo(session, number)
        return session.number()


def number(database: Database) -> int:
    """The newest revision."""
    with database.reading() as session:
        return session.number()


def row(database: Database, model: Any, key: int | str) -> Mapping[str, Any]:
    """One row of a table as it is kept, derived columns and all."""
    table = table_of(model)
    with database.reading() as session:
        found = session.execute(select(table).where(next(iter(table.primary_key)) == key)).one()
    return dict(found._mapping)


def rows(database: Database, model: Any, **wanted: Any) -> list[Mapping[str, Any]]:
    """Rows of a table by column values, in order of ids."""
    table = table_of(model)
    conditions = [table.c[name] == value for name, value in wanted.items()]
    with database.reading() as session:
        found = session.execute(select(table).where(*conditions).order_by(next(iter(table.primary_key)))).all()
    return [dict(each._mapping) for each in found]


def keys(session: Session, noun: str) -> list[str]:
    """The keys of all records of a noun."""
    column = table_of(RECORDS[noun]).c[RECORDS[noun].KEY]
    return list(session.execute(select(cast(column, String)).order_by(column)).scalars())


def holdings(session: Session) -> dict[str, Any]:
    """All content and all derived values, bookkeeping and ids of spells aside: equal means equal registries."""
    held: dict[str, Any] = {noun: content.read(session, noun, keys(session, noun)) for noun in RECORDS}
    bookkeeping = {"revision", "created_at", "updated_at"}
    for model in (Partnership, Member, City):
        table = table_of(model)
        columns = [column for column in table.columns if column.name not in bookkeeping]
        held[table.name + "*"] = [tuple(each) for each in session.execute(select(*columns).order_by(table.c.id))]
    spells = [column for column in table_of(Spell).columns if column.name != "id"]
    held["spells*"] = sorted((tuple(each) for each in session.execute(select(*spells))), key=repr)
    return held


def held(database: Database) -> dict[str, Any]:
    """The same, of the newest revision."""
    with database.reading() as session:
        return holdings(session)


def tamper(database: Database, *statements: str, foreign_keys: bool = True) -> None:
    """Raw SQL behind the registry's back. PostgreSQL checks deferred keys at commit; SQLite may be told not to."""
    with database.engine.execution_options(writing=True).connect() as connection:
        if database.is_sqlite:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        elif not foreign_keys:
            connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()
        if database.is_sqlite:
            driver.execute("PRAGMA foreign_keys = ON")
        else:
            connection.execute(text("SET session_replication_role = DEFAULT"))
            connection.commit()
