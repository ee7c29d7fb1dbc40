"""Which column is which: one table of spellings, numbers of cities by words and place, given columns first."""

from __future__ import annotations

import pytest

from app.exchange.column_names import NOUNS, OF_A_CITY
from app.exchange.columns import Recognised, own_names, recognise
from app.exchange.formats.files import UnreadableFile

PAIRS = {
    "city1,country1,lat1,lng1,city2,country2,lat2,lng2": "city1,country1,lat1,lng1,city2,country2,lat2,lng2",
    "City A|Country A|City B|Country B|Since": "city1,country1,city2,country2,established",
    "City|Country|Sister City|Country|Year": "city1,country1,city2,country2,established",
    "City|State|Partner City|Partner Country|Date signed": "city1,subdivision1,city2,country2,signed",
    "Country|City|Country|City": "country1,city1,country2,city2",
    "City|Country|lat|lng|Partner|Country|lat|lng": "city1,country1,lat1,lng1,city2,country2,lat2,lng2",
    "City|Country|City.1|Country.1": "city1,country1,city2,country2",
    "City|Partner|Country": "city1,city2,country2",
    "City|Partner|Country|Partner Country": "city1,city2,country1,country2",
    "Sister city 1|Sister city 2|Country of city 1|Country of city 2|Kind|Status|Source URL|Notes": (
        "city1,city2,country1,country2,kind,status,source_url,note"
    ),
    "City|Sister city|Country|Country|Year": "city1,city2,country1,country2,established",
    "City|City.1|Country|Country.1|lat|lng|lat.1|lng.1": "city1,city2,country1,country2,lat1,lng1,lat2,lng2",
    "Sister city|Country|City|Country": "city2,country2,city1,country1",
    "sister_city_name|sister_city_country|city_name|city_country|Kind of relationship": (
        "city2,country2,city1,country1,kind"
    ),
    "From City|From Country|To City|To Country|From|To": "city1,country1,city2,country2,established,ended",
    "TOWN 1|TOWN 2|Twinned Since|Source|Page": "city1,city2,established,source,locator",
    "first city|second city|latitude of first city|longitude of first city": "city1,city2,lat1,lng1",
    "registry_id1|registry id 2": "registry_id1,registry_id2",
    "GeoNames ID 1|GeoNames ID 2|Population 1": "geonames1,geonames2,population1",
    "wikidata1|wikidata2|city2@ja|city1_de": "wikidata1,wikidata2,city2@ja,city1@de",
    "city 1|city 2|city 3|country 3": "city1,city2,city3,country3",
    # German, French, Spanish, Japanese, and others
    "Stadt|Land|Partnerstadt|Land|seit|Art|Bemerkung": "city1,country1,city2,country2,established,kind,note",
    "Gemeinde|Bundesland|Partnergemeinde|Partnerland|Jahr": "city1,subdivision1,city2,country2,established",
    "Ville|Pays|Ville jumelée|Pays|Année de jumelage": "city1,country1,city2,country2,established",
    "Commune|Région|Commune partenaire|Pays partenaire": "city1,subdivision1,city2,country2",
    "Ciudad|País|Ciudad hermana|País|Año": "city1,country1,city2,country2,established",
    "Città|Paese|Città gemellata|Paese|Anno": "city1,country1,city2,country2,established",
    "都道府県|自治体名|姉妹都市|国名|提携年月日": "subdivision1,city1,city2,country2,established",
    "都市名|国名|姉妹都市名|姉妹都市国名|締結日": "city1,country1,city2,country2,established",
    "도시|국가|자매도시|국가|체결일": "city1,country1,city2,country2,established",
    "Город|Страна|Город-побратим|Страна|Год": "city1,country1,city2,country2,established",
    # query results
    "city|cityLabel|countryLabel|coord|twin|twinLabel|twinCountryLabel|twinCoord|start|end": (
        "wikidata1,city1,country1,coordinates1,wikidata2,city2,country2,coordinates2,established,ended"
    ),
    "item|itemLabel|partner|partnerLabel|startTime": "wikidata1,city1,wikidata2,city2,established",
    "?city1|?city1Label|?city2|?city2Label|?city1CountryLabel": "wikidata1,city1,wikidata2,city2,country1",
}
OTHERS = {
    "cities": {
        "name|country|latitude|longitude|population|wikidata|name_de": (
            "name,country,latitude,longitude,population,wikidata,name@de"
        ),
        "city_name|city_country|city_lat|city_lng": "name,country,latitude,longitude",
        "City|State|Country|GeoNames ID|Type": "name,subdivision,country,geonames,kind",
        "Stadt|Land|Einwohner|Breite|Länge": "name,country,population,latitude,longitude",
        "registry_id|name|country|part_of_id|osm|un/locode": "registry_id,name,country,part_of,osm,unlocode",
    },
    "programs": {
        "Program|Category|City 1|Country 1|City 2|Country 2|Since": "name,category,city1,country1,city2,country2,since",
        "name|category|partnership|until|organisations": "name,category,partnership,until,participants",
    },
    "organisations": {
        "Name|Kind|City|Country|Website": "name,kind,city,country,url",
        "school|type|ville|remarques": "name,kind,city,note",
    },
    "sources": {
        "title|author|year|url": "title,author,published,url",
        "Key|Title|Publisher|Date": "key,title,publisher,published",
    },
}


def read(headers: str) -> Recognised:
    return recognise(headers.split("|" if "|" in headers else ","))


@pytest.mark.parametrize(("headers", "names"), PAIRS.items())
def test_the_usual_headers_of_partnerships_are_known(headers: str, names: str) -> None:
    found = read(headers)
    assert (found.noun, ",".join(found.columns), found.ignored) == ("partnerships", names, [])


@pytest.mark.parametrize(
    ("noun", "headers", "names"), [(noun, *pair) for noun, table in OTHERS.items() for pair in table.items()]
)
def test_the_usual_headers_of_other_nouns_are_known(noun: str, headers: str, names: str) -> None:
    found = read(headers)
    assert (found.noun, ",".join(found.columns), found.ignored) == (noun, names, [])


@pytest.mark.parametrize("noun", NOUNS)
def test_every_own_name_stands_for_itself(noun: str) -> None:
    names = own_names(noun)
    found = recognise(names, noun=noun)
    assert found.columns == {name: name for name in names}


def test_no_spelling_of_a_noun_means_two_columns() -> None:
    # `setdefault` would let the first win in silence; the table must not depend on its order.
    for noun, columns in NOUNS.items():
        for name, spellings in columns.items():
            others = {
                each for other, words in columns.items() if other != name for each in (other, *words.lower().split("|"))
            }
            doubled = set(spellings.lower().split("|")) & others
            assert not doubled, f"{noun}: {doubled}"


def test_what_is_not_known_is_listed_and_never_taken() -> None:
    found = read("city1|city2|Contry2|foo|")
    assert found.columns == {"city1": "city1", "city2": "city2"}
    assert found.ignored == ["Contry2", "foo"]
    assert found.suggestions == {"Contry2": "country2"}


def test_computed_columns_of_our_own_answers_are_passed_over_quietly() -> None:
    found = read("id|city1|city2|kind|established|established_earliest|distance_km|revision")
    assert list(found.columns) == ["city1", "city2", "kind", "established"]
    assert found.ignored == []


def test_numbers_that_a_file_has_for_itself_are_not_taken_for_ours() -> None:
    found = read("id|city1|city1_id|city2|city2_id")
    assert list(found.columns) == ["city1", "city2"]


def test_of_two_columns_for_one_the_surer_is_taken_and_the_other_listed() -> None:
    found = read("city1|city2|Year|Since")
    assert found.columns["established"] == "Since"
    assert found.ignored == ["Year"]
    assert found.suggestions == {}


def test_given_columns_come_first() -> None:
    found = recognise(["Foo", "city1", "Ort", "Since"], given={"city1": "Foo", "city2": "ort"})
    assert found.columns == {"city1": "Foo", "city2": "Ort", "established": "Since"}
    assert found.ignored == ["city1"]


def test_a_given_column_says_whose_the_ones_behind_it_are() -> None:
    assert recognise(["Foo", "Bar", "Land"], given={"city1": "Foo", "city2": "Bar"}).columns["country2"] == "Land"
    found = recognise(["Foo", "Land", "Bar", "Country"], given={"city1": "Foo", "city2": "Bar"})
    assert (found.columns["country1"], found.columns["country2"]) == ("Land", "Country")


def test_a_column_may_be_given_as_one_value_for_every_row() -> None:
    found = recognise(["Partner", "Land"], given={"city1": "=Stuttgart", "country1": "=Germany"})
    assert found.constants == {"city1": "Stuttgart", "country1": "Germany"}
    assert found.columns == {"city2": "Partner", "country2": "Land"}


def test_the_name_of_the_file_decides_between_nouns_that_fit_alike() -> None:
    headers = ["name", "kind"]
    assert recognise(headers, hint="organisations 2024").noun == "organisations"
    assert recognise(headers, hint="cities").noun == "cities"


@pytest.mark.parametrize(
    ("headers", "options", "said"),
    [
        ("Foo|Bar", {}, ["No column of this file is known", "Found: Foo, Bar", "--column city1=HEADER"]),
        ("city1|cty2", {}, ["city2", "is missing", "Cty2 may be city2", "--column city2=HEADER"]),
        ("Berat|Albania|Amasya|Turkey", {}, ["the first row must be the header"]),
        ("title|url", {"noun": "partnerships"}, ["partnerships", "city1"]),
        ("a|b", {"noun": "towns"}, ["no such noun", "partnerships, programs, cities"]),
        ("a|b", {"given": {"cty1": "a"}}, ["no column of this name", "Did you mean city1?"]),
        ("a|b", {"given": {"city1": "c"}}, ["No column of the file is called so", "city1", "The file has: a, b"]),
        ("a|a|b", {"given": {"city1": "a"}, "noun": "cities"}, ["no column of this name"]),
        ("a|A|b", {"given": {"city1": "á", "city2": "b"}}, ["Several columns are called so"]),
        ("a|b", {"given": {"publisher": "a", "lat1": "b"}}, ["different nouns"]),
        ("x" * 100_000, {}, ["No column", "x" * 40 + "…"]),
        ("\0\1|\x1b[31m", {}, ["No column"]),
        ("|".join(f"h{n}" for n in range(50)), {}, ["and 30 more"]),
    ],
)
def test_a_header_nobody_knows_is_refused_with_what_was_found_and_how_to_say_it(
    headers: str, options: dict[str, dict[str, str]], said: list[str]
) -> None:
    with pytest.raises(UnreadableFile) as caught:
        recognise(headers.split("|"), **options)  # type: ignore[arg-type]
    assert all(each in caught.value.message for each in said), caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 2500


def test_a_city_has_as_many_columns_as_the_table_says_whatever_its_number() -> None:
    for side in (1, 2, 7, 1000):
        given = {f"{base}{side}": f"={base}" for base in OF_A_CITY}
        assert recognise(["city1", "city2"], given=given).constants.keys() == given.keys()
