"""Names for the numbers in a history: "members added: Chicago" says more than "city 1"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.differences import Content, Label
from app.models import City, Member, Organisation, Source

_CITY: Any = select(City.id, City.name)
_ORGANISATION: Any = select(Organisation.id, Organisation.name)
_SOURCE: Any = select(Source.id, Source.title)
_MEMBER: Any = select(Member.id, City.name).join(City, City.id == Member.city_id)
#: Column → the query that gives (number, name) of what it means, and the column of the number.
MEANINGS: dict[str, tuple[Any, Any]] = {
    "city_id": (_CITY, City.id),
    "side_id": (_CITY, City.id),
    "origin_id": (_CITY, City.id),
    "host_id": (_CITY, City.id),
    "part_of_id": (_CITY, City.id),
    "successor_id": (_CITY, City.id),
    "value_city_id": (_CITY, City.id),
    "declared_by_id": (_MEMBER, Member.id),
    "in_place_of_id": (_MEMBER, Member.id),
    "organisation_id": (_ORGANISATION, Organisation.id),
    "source_id": (_SOURCE, Source.id),
}


def labels(session: Session, contents: Iterable[Content | None]) -> Label:
    """A label for every record that these contents mention, as it is called now. What is gone keeps its number."""
    mentioned: dict[str, set[int]] = defaultdict(set)
    for content in contents:
        for name, value in _mentions(content or {}):
            mentioned[name].add(value)
    names = {
        (name, number): text
        for name, numbers in mentioned.items()
        for number, text in session.execute(MEANINGS[name][0].where(MEANINGS[name][1].in_(numbers)))
    }
    return lambda name, key: names.get((name, key)) if isinstance(key, int) else None


def _mentions(content: Content) -> Iterator[tuple[str, int]]:
    for name, value in content.items():
        if isinstance(value, list):
            for row in value:
                yield from _mentions(row)
        elif name in MEANINGS and isinstance(value, int):
            yield name, value
