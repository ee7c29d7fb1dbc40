"""Bringing a database up to the newest migration."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from app.registry import fragments
from app.registry.database import Database

ROOT = Path(__file__).resolve().parents[1]


def resource(name: str) -> Path:
    """A folder that lies beside `app` in a checkout and inside it in a wheel (`migrations`, `seeds`)."""
    beside = ROOT.parent / name
    return beside if beside.is_dir() else ROOT / f"_{name}"


def config() -> Config:
    """Alembic's configuration, without a file of its own."""
    settings = Config()
    settings.set_main_option("script_location", str(resource("migrations")))
    settings.set_main_option("path_separator", "os")
    return settings


def head() -> str:
    """The newest migration that this program knows."""
    newest = ScriptDirectory.from_config(config()).get_current_head()
    assert newest is not None
    return newest


def current(database: Database) -> str | None:
    """The migration that the database is at; None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database, *, to: str = "head") -> tuple[str | None, str | None]:
    """Bring the database up to `to`. What it was at before, and what it is at now."""
    before = current(database)
    settings = config()
    with database.engine.execution_options(writing=True).connect() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, to)
    now = current(database)
    if now == head():
        _fill_derived(database)
    return before, now


def _fill_derived(database: Database) -> None:
    """What a migration made room for, and rules work out: migrations themselves know no rules."""
    with Session(database.engine.execution_options(writing=True)) as session:
        missing = fragments.missing(session)
        if missing:
            fragments.renew(session, missing)
            session.commit()
