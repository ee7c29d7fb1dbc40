"""Where candidates come from: what is in memory and what is in the registry answer alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from making import city, written

from app.exchange.gazetteers import Gazetteer, RegistryGazetteer, keys_of
from app.exchange.matching import Known, MemoryGazetteer
from app.registry import Database, merging


def known(number: int, name: str, at: tuple[float, float]) -> Known:
    return Known(number, name, "DE", None, *at, keys_of(name))


@pytest.fixture
def twins(
    database: Database, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[list[Gazetteer]]:
    """The same cities in memory, in the registry, and in a registry whose countries are too large to be held."""
    with written(database) as session:
        numbers = [
            city(session, "Köln", "DE", latitude=50.94, longitude=6.96, subdivision="DE-NW",
                 names=[{"text": "Cologne", "language": "en", "kind": "exonym"},
                 {"text": "科隆", "language": "zh", "kind": "exonym"}],
                 identifiers=[{"scheme": "geonames", "value": "2886242"}]),
            city(session, "Kölln", "DE", latitude=53.79, longitude=9.66),
            city(session, "Colonia", "DE"),
            city(session, "Cologne", "US", latitude=44.77, longitude=-93.78),
        ]  # fmt: skip
    with database.reading() as session:
        held = RegistryGazetteer(session)
        cities = [held.by_identifier([f"city:{number}"])[f"city:{number}"] for number in numbers]
        large = RegistryGazetteer(session)
        monkeypatch.setattr(large, "_country", lambda _country: None)
        yield [MemoryGazetteer(cities), held, large]


def alike(answers: list[Any]) -> Any:
    assert answers[0] == answers[1] == answers[2]
    return answers[0]


def numbers(cities: list[Known]) -> list[str]:
    return sorted(each.name for each in cities)


def test_gazetteers_find_cities_by_any_of_their_names(twins: list[Gazetteer]) -> None:
    wanted = [("DE", "koln"), ("DE", "cologne"), ("US", "cologne"), ("FR", "koln"), ("DE", "ke long"), ("DE", "kelong")]
    found = alike([{key: numbers(cities) for key, cities in each.by_key(wanted).items()} for each in twins])
    assert found[("DE", "koln")] == ["Köln"]
    assert found[("DE", "cologne")] == ["Köln"]
    assert found[("US", "cologne")] == ["Cologne"]
    assert ("FR", "koln") not in found
    assert alike([each.by_key([]) for each in twins]) == {}


def test_gazetteers_find_cities_by_identifier(twins: list[Gazetteer]) -> None:
    asked = ["geonames:2886242", "wikidata:Q365", "city:999999999", "city:0", "city:-4"]
    found = alike([{key: known.name for key, known in each.by_identifier(asked).items()} for each in twins])
    assert found == {"geonames:2886242": "Köln"}
    assert alike([each.by_identifier([]) for each in twins]) == {}


def test_gazetteers_find_what_is_nearby_and_what_is_spelled_alike(twins: list[Gazetteer]) -> None:
    assert alike([numbers(each.nearby("DE", 50.9, 7.0, 30)) for each in twins]) == ["Köln"]
    assert alike([numbers(each.nearby("DE", 0.0, 179.9, 30)) for each in twins]) == []
    assert alike([numbers(each.nearby("US", 50.9, 7.0, 30)) for each in twins]) == []
    assert alike([numbers(each.spelled_like("DE", "kolnn")) for each in twins]) == ["Kölln", "Köln"]
    assert alike([numbers(each.spelled_like("DE", "clogne")) for each in twins]) == ["Köln"]
    assert alike([numbers(each.spelled_like("DE", "ol")) for each in twins]) == []


def test_what_is_nearby_does_not_depend_on_how_many_cities_there_are() -> None:
    grid = [known(n, f"Town {n}", at=(40 + n // 20 / 4, -179.9 + n % 20 / 4)) for n in range(400)]
    across = known(1000, "Across", at=(40.0, 179.9))
    many, few = MemoryGazetteer([*grid, across]), MemoryGazetteer([*grid[:30], across])
    assert {each.number for each in many.nearby("DE", 40.0, -179.95, 30)} == {0, 1, 20, 1000}
    assert {each.number for each in few.nearby("DE", 40.0, -179.95, 30)} == {0, 1, 20, 1000}
    assert many.nearby("DE", 89.9, 0.0, 30) == []


def test_a_merged_city_stands_for_the_one_it_was_merged_into_and_is_not_found_by_name(database: Database) -> None:
    with written(database) as session:
        stays, goes = city(session, "Köln"), city(session, "Cologne-on-Rhine")
    with written(database) as session:
        merging.merge(session, goes, into=stays)
    with database.reading() as session:
        gazetteer = RegistryGazetteer(session)
        found = gazetteer.by_identifier([f"city:{goes}", f"city:{stays}"])
        assert {each.number for each in found.values()} == {stays}
        by_name = gazetteer.by_key([("US", "cologne on rhine")])
        assert {each.number for each in by_name.get(("US", "cologne on rhine"), ())} <= {stays}
        assert goes not in {each.number for each in gazetteer.spelled_like("US", "cologne on rhine")}
