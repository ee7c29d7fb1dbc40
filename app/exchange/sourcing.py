"""Which source does a row name? A known one, or a new one that is made when the first record cites it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import UnknownReference
from app.exchange.records import SourceNamed
from app.exchange.staging import Staging
from app.models import Source
from app.registry import fields, sources
from app.registry.content import table_of
from app.registry.database import WritingSession
from app.registry.fields import Context

_sources = table_of(Source)
REMEMBERED = 10_000
LONGEST_TITLE = 500


class Sourcing:
    """Finds the sources of an import. Their numbers are those of the registry, or negative for new ones."""

    def __init__(self, staging: Staging, session: Session) -> None:
        self._staging, self._session = staging, session
        self.find = lru_cache(maxsize=REMEMBERED)(self._find)

    def _find(self, key: str, title: str, url: str) -> int:
        """The source of this key, address or title. Raises UnknownReference, InvalidValue (field `source`)."""
        named = orjson.dumps((key, title, url)).decode()
        known = self._staging.db.execute("SELECT id, record FROM sources WHERE key = ?", (named,)).fetchone()
        if known is None:
            known = self._look_up(named, key, title, url)
        number, record = known
        return int(record) if record is not None else -int(number)

    def _look_up(self, named: str, key: str, title: str, url: str) -> tuple[int, int | None]:
        record = self._known(key, title, url)
        made = None if record is not None else orjson.dumps(self._new(key, title, url)).decode()
        cursor = self._staging.db.execute(
            "INSERT INTO sources (key, record, fields) VALUES (?, ?, ?)", (named, record, made)
        )
        return int(cursor.lastrowid or 0), record

    def _known(self, key: str, title: str, url: str) -> int | None:
        if key:
            found = self._first(_sources.c.key == key)
            if found is None and not (title or url):
                raise UnknownReference("No source has this key: give its title too, and it is added.", field="source")
            return found
        if url:
            found = self._first(_sources.c.url == url)
            if found is not None or not title:
                return found
            # The same title at another address is another document; without an address it may well be this one.
            return self._first((_sources.c.title == title) & _sources.c.url.is_(None))
        return self._first(_sources.c.title == title)

    def _first(self, condition: Any) -> int | None:
        statement = select(_sources.c.id).where(condition).order_by(_sources.c.id).limit(1)
        return self._session.execute(statement).scalar_one_or_none()

    def _new(self, key: str, title: str, url: str) -> dict[str, Any]:
        given = {"key": key or None, "title": title or url[:LONGEST_TITLE], "url": url or None}
        values = {name: value for name, value in given.items() if value is not None}
        try:
            # Cleaning these fields asks the session nothing.
            fields.cleaned(Context(self._session), sources.FIELDS, values, partial=False)  # type: ignore[arg-type]
        except Exception as error:
            raise _of_the_source(error) from None
        return values


def _of_the_source(error: Exception) -> Exception:
    if hasattr(error, "field"):
        error.field = "source"
    return error


def keyed(named: SourceNamed, default: SourceNamed | None = None) -> tuple[str, str, str]:
    """What tells a source from others, blanks aside. A locator alone belongs to the `default`."""
    if default is not None and not (named.key or named.title or named.url):
        named = default
    return named.key.strip(), " ".join(named.title.split()), named.url.strip()


class Written:
    """The sources of an import while it is written: a new one is added to the registry at its first mention."""

    def __init__(self, staging: Staging, session: WritingSession) -> None:
        self._staging, self._session = staging, session
        self.id_of = lru_cache(maxsize=REMEMBERED)(self._id_of)

    def _id_of(self, number: int) -> int:
        """The registry's number of a source that the planning found or made up."""
        if number > 0:
            return number
        row = self._staging.db.execute("SELECT made, fields FROM sources WHERE id = ?", (-number,)).fetchone()
        if row[0] is not None:
            return int(row[0])
        made = sources.add(self._session, orjson.loads(row[1]))
        self._staging.db.execute("UPDATE sources SET made = ? WHERE id = ?", (made, -number))
        return made
