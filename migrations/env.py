"""Runs migrations on either engine, in one transaction, with rows in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from app.models import Base
from app.registry.database import build_engine
from app.settings import load


def main() -> None:
    """On the caller's connection if one was handed over (`app.registry.migrating`), else on our own."""
    if context.is_offline_mode():
        raise SystemExit("Migrations need the database itself: without --sql, please.")
    given = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    engine = build_engine(load().database_url)
    with engine.execution_options(writing=True).connect() as connection:
        migrate(connection)
    engine.dispose()


def migrate(connection: Connection) -> None:
    """On SQLite foreign keys are off meanwhile (a batch rebuild with them on empties child tables) and
    checked before the commit; the switch only works outside a transaction."""
    if connection.dialect.name != "sqlite":
        _run(connection)
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        _run(connection)
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transactional_ddl=True,
        compare_server_default=True,
    )
    with connection.begin():
        if connection.dialect.name == "postgresql":
            # Two processes that start at once: the second waits, then finds nothing to do.
            connection.execute(text("SELECT pg_advisory_xact_lock(7305914)"))
        context.run_migrations()
        if connection.dialect.name == "sqlite" and connection.execute(text("PRAGMA foreign_key_check")).first():
            raise RuntimeError("A migration would leave rows that point nowhere: nothing was changed.")


main()
