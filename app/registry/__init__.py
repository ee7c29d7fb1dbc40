"""What can be asked of the registry and done to it: functions, session first, arguments in domain values.

    database = open_registry("sqlite:///registry.db")
    with database.reading() as session:
        chicago = cities.get(session, "wikidata:Q1297")
    with database.writing(account="desk", reason="found in the archive") as session:
        partnerships.establish(session, [1, 2], kind="sister_city", signed="1973")
        journal.commit(session)

Operations never commit: the entrance that opened the writing session does.
"""

from __future__ import annotations

from app.errors import RegistryDamaged
from app.registry.database import Database

__all__ = ["Database", "open_registry"]


def open_registry(url: str, *, threads: int = 40, write_wait: float = 5.0, migrate: bool = False) -> Database:
    """The one door. `migrate` brings the database up to the newest migration first; without it an older or
    newer database is refused."""
    from app.registry import migrating

    database = Database(url, threads=threads, write_wait=write_wait)
    if migrate:
        migrating.migrate(database)
        return database
    found, needed = migrating.current(database), migrating.head()
    if found != needed:
        database.close()
        raise RegistryDamaged(
            f"The database is at migration {found or 'none'} and this program needs {needed}:"
            " run `sistercities migrate`, or use the program that the database belongs to."
        )
    return database
