"""A few cities and partnerships of every sort, for tests of what can be read: by short names, beside the noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from making import city, written
from sqlalchemy import event

from app.registry import Database, merging, organisations, partnerships, parts, programs, reported_figures, sources
from app.registry.database import WritingSession
from app.registry.paging import Page

#: What `noise.fill` holds, in the order in which it does.
NOISE = ("noise active", "noise ended", "noise suspended", "noise proposed", "noise charter")
PLACES: dict[str, dict[str, Any]] = {
    "chicago": {
        "name": "Chicago", "country": "US", "subdivision": "US-IL", "latitude": 41.88, "longitude": -87.63,
        "names": [{"text": "Чикаго", "language": "ru", "kind": "exonym"}, {"text": "Windy City", "kind": "short"}],
        "identifiers": [{"scheme": "wikidata", "value": "Q1297"}], "populations": [{"people": 2746388, "year": 2020}],
    },
    "boston": {"name": "Boston", "country": "US", "subdivision": "US-MA", "latitude": 42.36, "longitude": -71.06},
    "osaka": {"name": "Osaka", "country": "JP", "latitude": 34.69, "longitude": 135.50},
    "kyoto": {"name": "Kyoto", "country": "JP", "latitude": 35.01, "longitude": 135.77},
    "paris": {"name": "Paris", "country": "FR", "latitude": 48.86, "longitude": 2.35},
    "berlin": {"name": "Berlin", "country": "DE", "latitude": 52.52, "longitude": 13.40},
    "sao paulo": {"name": "São Paulo", "country": "BR"},
    "lyon": {"name": "Lyon", "country": "FR", "kind": "village"},
}  # fmt: skip
ENDED = [{"type": "signed", "date": "1959"}, {"type": "ended", "date": "1970-05"}]
SUSPENDED = [{"type": "signed", "date": "1987"}, {"type": "suspended", "date": "2022-03-01", "declared_by": "paris"}]
#: cities, kind, events
PAIRS: dict[str, tuple[Sequence[str], str, Sequence[dict[str, Any]]]] = {
    "chicago osaka": (("chicago", "osaka"), "sister_city", [{"type": "signed", "date": "1973-11-09"}]),
    "chicago paris": (("chicago", "paris"), "partner_city", [{"type": "signed", "date": "1996-08"}]),
    "boston kyoto": (("boston", "kyoto"), "sister_city", ENDED),
    "chicago boston": (("chicago", "boston"), "friendship_city", [{"type": "signed", "date": "197X"}]),
    "osaka sao paulo": (("osaka", "sao paulo"), "sister_city", [{"type": "signed"}]),
    "paris berlin": (("paris", "berlin"), "twin_town", SUSPENDED),
    "league": (("paris", "sao paulo"), "charter", [{"type": "proposed", "date": "2020"}]),
    "trio": (("paris", "berlin", "osaka"), "cooperation", [{"type": "signed", "date": "1985"}]),
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """Ids by short names."""

    database: Database
    cities: dict[str, int]
    partnerships: dict[str, int]
    program: int
    school: int
    source: int
    figure: int

    def names(self, page: Page) -> list[str]:
        """The partnerships of a page by their short names."""
        known = {number: name for name, number in self.partnerships.items()}
        return [known[item["id"]] for item in page.items]


def build(database: Database) -> World:
    """The small world, in one revision after the noise."""
    with written(database) as session:
        held = {key: city(session, **place) for key, place in PLACES.items()}
        held["mitte"] = city(session, "Mitte", "DE", kind="district", part_of=held["berlin"])
        pairs = {key: _establish(session, held, *pair) for key, pair in PAIRS.items()}
        _leave_and_return(session, pairs["trio"], held["berlin"])
        source = sources.add(session, {"title": "A letter", "key": "S1", "published": "1974"})
        school = organisations.add(session, {"name": "Osaka School", "kind": "school", "city": held["osaka"]})
        program = _program(session, pairs["chicago osaka"], held, school)
        _say(session, pairs["chicago osaka"], source, school)
        figure = reported_figures.add(session, FIGURE | {"source": source})
    with written(database) as session:
        held["windy"] = city(session, "Windy", "US", names=[{"text": "Second Windy", "kind": "former"}])
        merging.merge(session, held["windy"], into=held["chicago"])
    known = {name: place for place, name in enumerate(NOISE, start=1)}
    return World(database, held, known | pairs, program, school, source, figure)


FIGURE = {
    "scope": "US with Japan", "country": "US", "other_country": "JP", "measure": "partnerships",
    "comparator": "over", "value": 400, "as_of": "2011",
}  # fmt: skip


def _establish(
    session: WritingSession, held: Mapping[str, int], members: Sequence[str], kind: str, events: Sequence[Any]
) -> int:
    life = [each | ({"declared_by": held[each["declared_by"]]} if "declared_by" in each else {}) for each in events]
    return partnerships.establish(session, [held[member] for member in members], kind=kind, events=life, insist=True)


def _leave_and_return(session: WritingSession, partnership: int, member: int) -> None:
    left = {"type": "left", "date": "1990", "declared_by": member}
    parts.add(session, "partnerships", partnership, part="events", values=left)
    again = parts.add(session, "partnerships", partnership, part="members", values={"city": member})
    back = {"type": "joined", "date": "1995", "declared_by": {"member": again}}
    parts.add(session, "partnerships", partnership, part="events", values=back)


def _program(session: WritingSession, partnership: int, held: Mapping[str, int], school: int) -> int:
    visit = {"title": "First visit", "since": "1981", "origin": held["chicago"], "host": held["osaka"], "people": 12}
    return programs.add(
        session,
        {
            "partnership": partnership,
            "name": "Teachers",
            "category": "education",
            "since": "1980",
            "frequency": "yearly",
        },
        participants=[{"organisation": school, "side": held["osaka"]}],
        occasions=[visit, {"title": "Undated visit"}],
    )


def _say(session: WritingSession, partnership: int, source: int, school: int) -> None:
    parts.add(
        session,
        "partnerships",
        partnership,
        part="organisations",
        values={"organisation": school, "role": "recognises"},
    )
    claim = {"source": source, "field": "established", "value": "1974", "locator": "p. 3"}
    parts.add(session, "partnerships", partnership, part="citations", values=claim)


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The queries (with their parameters) that are run inside the block."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
