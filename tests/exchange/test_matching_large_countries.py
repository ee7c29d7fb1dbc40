"""Misspelt names in countries of many cities, and cities of countries that are written with another."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from rapidfuzz.distance import OSA
from sqlalchemy import create_engine, func, insert, select
from sqlalchemy.orm import Session

from app.exchange import gazetteers, seeding
from app.exchange.gazetteers import RegistryGazetteer, keys_of
from app.exchange.matching import CountryNames, Known, Match, Matcher, MemoryGazetteer
from app.exchange.near_names import MOST_ALIKE, NearNames, edits_allowed
from app.exchange.records import Place
from app.models import City
from app.registry import open_registry
from app.registry.content import table_of

CITIES, ASKED, MOST_SECONDS = 21_000, 1_000, 5.0
SYLLABLES = (
    "ba",
    "bel",
    "bro",
    "den",
    "dor",
    "fel",
    "go",
    "gra",
    "ha",
    "kla",
    "li",
    "mol",
    "na",
    "per",
    "ra",
    "ste",
    "tur",
)


def made_up(chance: random.Random, count: int) -> list[str]:
    """Names that differ from each other."""
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(chance.choices(SYLLABLES, k=chance.randint(3, 6)))] = None
    return list(names)


def misspelt(chance: random.Random, name: str) -> str:
    at = chance.randrange(1, len(name) - 1)
    slips = (name[:at] + name[at + 1] + name[at] + name[at + 2 :], name[:at] + name[at:].replace(name[at], "", 1))
    return chance.choice([*slips, name[:at] + name[at] + name[at:], name[:at] + "q" + name[at + 1 :]])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, list[str]]]:
    """A registry with the seeds and a Spain of more cities than are held in memory."""
    url = f"sqlite:///{tmp_path_factory.mktemp('large') / 'registry.db'}"
    database, table = open_registry(url, migrate=True, threads=2), table_of(City)
    seeding.seed(database)
    names = made_up(random.Random(11), CITIES)
    engine = create_engine(url)
    with engine.begin() as connection:
        first = (connection.execute(select(func.max(table.c.id))).scalar() or 0) + 1
        rows = [
            {"id": number, "name": name.title(), "name_key": name, "country": "ES", "kind": "city"}
            for number, name in enumerate(names, start=first)
        ]
        connection.execute(insert(table), rows)
    engine.dispose()
    with database.reading() as session:
        yield session, names
    database.close()


def matches(session: Session, names: list[str], *cities: Known) -> list[Match]:
    known = [MemoryGazetteer(cities)] if cities else [RegistryGazetteer(session)]
    return Matcher(CountryNames(session), known).match([Place(name=name, country="Spain") for name in names])


def test_a_thousand_misspelt_names_in_a_large_country_are_matched_in_seconds(
    world: tuple[Session, list[str]],
) -> None:
    session, names = world
    chance = random.Random(12)
    meant = chance.sample(names, ASKED)
    begun = time.perf_counter()
    found = matches(session, [misspelt(chance, name) for name in meant])
    assert time.perf_counter() - begun < MOST_SECONDS
    listed = [
        name in {candidate.known.keys[0] for candidate in match.candidates}
        for name, match in zip(meant, found, strict=True)
        if match.outcome != "unknown"
    ]
    assert len(listed) > ASKED / 2
    assert sum(listed) > 0.9 * len(listed)


def test_a_large_country_answers_as_one_that_is_held(
    world: tuple[Session, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, names = world
    chance = random.Random(13)
    asked = [misspelt(chance, name) for name in chance.sample(names, 50)]
    large = matches(session, asked)
    monkeypatch.setattr(gazetteers, "HELD_COUNTRY", 10 * CITIES)
    held = matches(session, asked)
    same = [
        [each.known.number for each in one.candidates if each.known.keys[0][0] == name[0]]
        == [each.known.number for each in other.candidates if each.known.keys[0][0] == name[0]]
        for name, one, other in zip(asked, large, held, strict=True)
    ]
    assert all(same)


def test_names_that_are_held_are_let_go_when_they_are_many(
    world: tuple[Session, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, names = world
    monkeypatch.setattr(gazetteers, "HELD_NAMES", 100)
    known = RegistryGazetteer(session)
    for name in names[:40]:
        assert name in [city.keys[0] for city in known.spelled_like("ES", name)]
    assert len(known._beginning) <= 2


def test_near_names_are_those_that_comparing_with_each_would_find() -> None:
    chance = random.Random(14)
    names = made_up(chance, 3_000)
    near = NearNames()
    for name in names:
        near.add(name)
    for key in [misspelt(chance, name) for name in names[:150]]:
        found = near.like(key)
        same_letter = [name for name in names if name[0] == key[0] and OSA.distance(name, key) <= edits_allowed(key)]
        assert len(found) == MOST_ALIKE or set(same_letter) <= set(found)
        assert all(OSA.distance(name, key) <= edits_allowed(key) for name in found)


@pytest.mark.parametrize("slip", ["hiladelphia", "hpiladelphia", "xphiladelphia", "khiladelphia", "phildelpha"])
def test_a_slip_at_the_front_is_found_too(slip: str) -> None:
    near = NearNames()
    near.add("philadelphia")
    assert near.like(slip) == ["philadelphia"]
    assert near.like("phi") == near.like("") == near.like("xphiladelphis") == []


# ── Countries that are written with another ──


BRIDE = Known(7, "Bride", "IM", None, 54.38, -4.39, keys_of("Bride"))
SAINT_DENIS = Known(8, "Saint-Denis", "RE", None, -20.88, 55.45, keys_of("Saint-Denis"))


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"name": "Bride", "country": "United Kingdom"}, "ambiguous"),
        ({"name": "Bride", "country": "United Kingdom", "latitude": 54.38, "longitude": -4.4}, "ambiguous"),
        ({"name": "St-Denis", "country": "France"}, "ambiguous"),
        # Far away, or in another part, it is another place.
        ({"name": "Bride", "country": "United Kingdom", "latitude": 51.5, "longitude": 0.1}, "unknown"),
        ({"name": "Bride", "country": "England"}, "unknown"),
        ({"name": "Bride", "country": "United Kingdom", "subdivision": "Kent"}, "unknown"),
        ({"name": "Bride", "country": "Ireland"}, "unknown"),
        ({"name": "Saint-Denis", "country": "France", "latitude": 48.9, "longitude": 2.4}, "unknown"),
        # Where the row names it, it is meant.
        ({"name": "Bride", "country": "Isle of Man, United Kingdom"}, "chosen"),
        ({"name": "Bride", "country": "United Kingdom", "subdivision": "Isle of Man"}, "chosen"),
        ({"name": "Bride, Isle of Man", "country": "United Kingdom"}, "chosen"),
        ({"name": "Bride (Isle of Man)", "country": "GB"}, "chosen"),
        ({"name": "Saint-Denis", "country": "France", "subdivision": "Réunion"}, "chosen"),
    ],
)
def test_a_city_of_a_country_that_is_written_with_another_is_never_silently_a_new_one(
    world: tuple[Session, list[str]], said: dict[str, object], outcome: str
) -> None:
    matcher = Matcher(CountryNames(world[0]), [MemoryGazetteer([BRIDE, SAINT_DENIS])])
    (match,) = matcher.match([Place(**said)])  # type: ignore[arg-type]
    assert match.outcome == outcome
    if outcome == "ambiguous":
        one = match.candidates[0].known
        assert match.field == "country" and f"{one.name} in {one.country}" in match.reason
        assert f"same name, but in {one.country}" in match.candidates[0].reason
    if outcome == "chosen":
        assert match.code == match.candidates[0].known.country


def test_a_city_of_the_country_itself_goes_before_one_that_is_written_with_it(
    world: tuple[Session, list[str]],
) -> None:
    own = Known(9, "Bride", "GB", None, None, None, keys_of("Bride"))
    matcher = Matcher(CountryNames(world[0]), [MemoryGazetteer([BRIDE, own])])
    (match,) = matcher.match([Place(name="Bride", country="United Kingdom")])
    assert match.chosen is not None and match.chosen.known == own
