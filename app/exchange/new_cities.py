"""A city that an import makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from app.exchange.gazetteers import Known

#: Between texts of one column: neither names nor identifiers hold a line break.
BETWEEN = "\n"


class NewCity(NamedTuple):
    """A new city. `more`: names (text, language, kind), people, and what was completed."""

    number: int
    name: str
    country: str
    subdivision: str | None
    latitude: float | None
    longitude: float | None
    kind: str
    keys: tuple[str, ...]
    identifiers: tuple[str, ...]
    more: dict[str, Any]

    @classmethod
    def read(cls, row: Sequence[Any]) -> NewCity:
        """From what is staged."""
        number, name, country, subdivision, latitude, longitude, kind, keys, identifiers, more = row
        own = (number, name, country, subdivision, latitude, longitude, kind)
        return cls(*own, split(keys), split(identifiers), orjson.loads(more) if more else {})

    def known(self) -> Known:
        """As the matcher knows it."""
        place = (self.name, self.country, self.subdivision, self.latitude, self.longitude)
        return Known(-self.number, *place, self.keys, self.identifiers)

    def row(self) -> tuple[Any, ...]:
        """As it is staged."""
        return (
            self.number,
            self.name,
            self.country,
            self.subdivision,
            self.latitude,
            self.longitude,
            self.kind,
            BETWEEN.join(self.keys),
            BETWEEN.join(self.identifiers),
            orjson.dumps(self.more).decode() if self.more else None,
        )


def split(text: str) -> tuple[str, ...]:
    """Texts that were joined for the staging."""
    return tuple(text.split(BETWEEN)) if text else ()
