"""Many records in one revision, as an import makes them, and a count of what is asked of the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from making import written
from sqlalchemy import event

from app.registry import Database, content, settling
from app.registry.content import Content
from app.registry.database import WritingSession

FIRST = 1_000


def bulk(pairs: int, *, towns: int = 0) -> dict[tuple[str, str], Content | None]:
    """Pairs of towns by (noun, id), each signed and cited, as an import writes them: ids follow one another."""
    towns = towns or pairs + 1
    records: dict[tuple[str, str], Content | None] = {}
    for place in range(FIRST, FIRST + towns):
        records["cities", str(place)] = {
            "id": place, "name": f"Town {place}", "country": ("US", "JP")[place % 2], "kind": "town",
            "identifiers": [{"id": place, "scheme": "wikidata", "value": f"Q{place}"}],
        }  # fmt: skip
    for place in range(FIRST, FIRST + pairs):
        records["partnerships", str(place)] = {
            "id": place, "kind": "sister_city",
            "members": [{"id": 2 * place, "city_id": place}, {"id": 2 * place + 1, "city_id": place + 1}],
            "events": [{"id": place, "type": "signed", "date": str(1900 + place % 100), "position": 1}],
            "citations": [{"id": place, "source_id": 1, "field": "established", "value": str(1900 + place % 99)}],
        }  # fmt: skip
    return records


def put(session: WritingSession, records: Mapping[tuple[str, str], Content | None]) -> None:
    """The records and all that follows from them."""
    content.put(session, records)
    settling.settle(session, [int(record) for noun, record in records if noun == "partnerships"])


def imported(database: Database, pairs: int) -> int:
    """The number of the revision that brought so many pairs."""
    with written(database) as session:
        put(session, bulk(pairs))
        return session.number()


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)
