"""Which country a spelling means: what is certain is read, everything else refused with suggestions."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from making import written

from app.exchange import country_tables, seeding, subdivisions
from app.exchange.country_names import CountryNames
from app.models import CountryAlias
from app.registry import Database, open_registry

LABELLED = Path(__file__).parent / "labelled"
SPELLINGS: dict[str, str] = yaml.load(
    (LABELLED / "countries.yaml").read_text(encoding="utf-8"),
    yaml.BaseLoader,
)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountryNames]:
    """All countries, as the seeds have them."""
    database = open_registry(f"sqlite:///{tmp_path_factory.mktemp('seeded') / 'registry.db'}", migrate=True, threads=2)
    seeding.seed(database)
    with database.reading() as session:
        yield CountryNames(session)
    database.close()


def told(names: CountryNames, spelling: str) -> str:
    """What is read, as the table has it."""
    read = names.read(spelling)
    if read.code is None:
        assert read.subdivision is None
        return " ".join(("?", *read.suggestions))
    assert read.suggestions == ()
    return read.subdivision or read.code


@pytest.mark.parametrize(("spelling", "meant"), SPELLINGS.items())
def test_every_spelling_of_the_real_file_is_read_rightly_or_refused(
    names: CountryNames, spelling: str, meant: str
) -> None:
    assert told(names, spelling) == meant
    assert names.read(spelling).reason


def test_the_table_lists_every_spelling_of_the_real_file(shared: Path) -> None:
    with (shared / "data" / "twin-city-pairs.csv").open(encoding="utf-8", newline="") as file:
        found = {row[f"country{side}"] for row in csv.DictReader(file) for side in "12"}
    assert found == set(SPELLINGS)
    assert len(found) == 238


READ = {
    # codes, names, official and former names
    "DE": "DE", "deu": "DE", "  Germany ": "DE", "GERMANY": "DE", "Federal Republic of Germany": "DE",
    "Deutschland": "DE", "East Germany": "DE", "Österreich": "AT", "日本": "JP", "Россия": "RU", "Ελλάδα": "GR",
    "U.S.A.": "US", "the United States": "US", "The Netherlands": "NL", "Holland": "NL", "Türkiye": "TR",
    "Korea, Republic of": "KR", "Viet Nam": "VN", "Bosnia & Herzegovina": "BA", "Cote d'Ivoire": "CI",
    "Burma": "MM", "Ceylon": "LK", "Moldavian SSR": "MD", "Upper Volta": "BF", "Rhodesia": "ZW", "Persia": "IR",
    "Saint Kitts & Nevis": "KN", "St. Lucia": "LC", "Kosovo": "XK", "Congo (Brazzaville)": "CG", "DR Congo": "CD",
    # parts of countries
    "England": "GB-ENG", "scotland": "GB-SCT", "Cymru": "GB-WLS", "Northern Ireland": "GB-NIR", "GB-ENG": "GB-ENG",
    "US-NY": "US-NY", "New York, USA": "US-NY", "NY, United States": "US-NY", "Georgia, United States": "US-GA",
    "Georgia, USA": "US-GA", "Georgia": "GE", "Georgia (country)": "GE", "Republic of Georgia": "GE",
    "Brooklyn, New York, United States": "US-NY", "Kent, England": "GB-KEN", "Bavaria, Germany": "DE-BY",
    "Jiangsu, China": "CN-JS", "Catalonia, Spain": "ES-CT", "Skåne län, Sweden": "SE-M", "Madrid, Spain": "ES-MD",
    "Arkansas, U.S.": "US-AR", "Prague, Czechia": "CZ-10",
    "N. Ireland": "GB-NIR", "Scotland (UK)": "GB-SCT", "Georgia (US)": "US-GA", "Georgia (U.S. state)": "US-GA",
    # as sorted lists have them
    "Korea, South": "KR", "Gambia, The": "GM", "Congo, Democratic Republic of the": "CD", "Ireland, Northern": "GB-NIR",
    # entries of their own, though they depend on another state
    "Réunion, France": "RE", "La Réunion, France": "RE", "FR-974": "RE", "Åland, Finland": "AX",
    "Hong Kong, China": "HK",
    "Puerto Rico, United States": "PR", "Jersey, United Kingdom": "JE", "Greenland, Denmark": "GL",
    "Taiwan, China": "TW",
    # something else before a country that is spelled right: only the country is read
    "Rauma, Norway": "NO", "Some Valley, Italy": "IT",
}  # fmt: skip
REFUSED = {
    "": "?", "   ": "?", "—": "?", "x" * 400: "?", "Atlantis": "?", "France, Germanee": "? FR",
    "in Italy": "? IT", "Island": "? IS", "Italia e Svizzera": "? IT CH", "Germany/Austria": "? DE AT",
    "Ireland (UK)": "? IE GB", "China, Republic of": "? TW CN", "Bosnia": "? BA", "Tahiti": "? PF",
    "Grece": "? GR", "Kazakhstah": "? KZ", "Germnay": "? DE", "Frnace": "? FR", "Untied States": "? US",
    "Allemagne": "? DE", "Madagaskar": "? MG", "Szwecja": "? SE", "Texas": "?",
    "Congo": "? CG CD", "Korea": "? KR KP", "Northern Cyprus": "? CY", "West Bank": "? PS",
    "Yugoslavia": "? RS HR SI BA MK ME XK",
    "Czechoslovakia": "? CZ SK", "Serbia and Montenegro": "? RS ME", "Netherlands Antilles": "? CW SX BQ",
}  # fmt: skip


@pytest.mark.parametrize(("spelling", "meant"), READ.items())
def test_what_is_certain_is_read(names: CountryNames, spelling: str, meant: str) -> None:
    assert told(names, spelling) == meant


@pytest.mark.parametrize(("spelling", "meant"), REFUSED.items())
def test_what_is_not_certain_is_refused_with_suggestions(names: CountryNames, spelling: str, meant: str) -> None:
    assert told(names, spelling) == meant


def test_every_country_is_read_by_each_of_its_own_names(names: CountryNames) -> None:
    for code, name in names.names.items():
        assert told(names, name) == code
        assert told(names, code.lower()) == code


def test_the_tables_name_codes_that_exist(names: CountryNames) -> None:
    codes = {*country_tables.TAKEN, *country_tables.DEPENDENT, *country_tables.OWN_ENTRIES.values()}
    codes |= {
        code for listed in (*country_tables.REFUSED.values(), *country_tables.DEPENDENT.values()) for code in listed
    }
    assert codes <= set(names.names)
    parts = {*country_tables.PARTS.values(), *country_tables.OWN_ENTRIES, *subdivisions.OTHER_NAMES}
    assert [part for part in parts if not subdivisions.exists(part)] == []


def test_no_spelling_means_two_countries(names: CountryNames) -> None:
    for code, others in country_tables.TAKEN.items():
        assert {told(names, other) for other in others} == {code}
    for name, part in country_tables.PARTS.items():
        assert told(names, name) == part


def test_an_alias_of_the_registry_goes_before_every_table(database: Database) -> None:
    with database.reading() as session:
        before = CountryNames(session)
        assert before.read("Island").suggestions == ("IS",)
        assert before.read("Nippon").code == "JP"
        assert before.read("Austria").code is None, "the registry lists no Austria"
        assert before.read("England").code is None, "nor a United Kingdom"
    with written(database) as session:
        session.add(CountryAlias(country="IS", text="Island"))
        session.touch("countries", "IS")
    with database.reading() as session:
        assert CountryNames(session).read("Island").code == "IS"


@pytest.mark.parametrize(
    ("country", "spelling", "code"),
    [
        ("US", "Arkansas", "US-AR"), ("US", "AR", "US-AR"), ("US", "us-ar", "US-AR"), ("US", "ar", None),
        ("US", "State of New York", "US-NY"), ("DE", "Hessen", "DE-HE"), ("DE", "Hesse", "DE-HE"),
        ("CN", "Jiangsu", "CN-JS"),
        ("CN", "Jiangsu Sheng", "CN-JS"), ("IT", "South Tyrol", "IT-BZ"), ("ES", "Madrid", "ES-MD"),
        ("ES", "Cataluña", "ES-CT"),
        ("RU", "Moskovskaya oblast", "RU-MOS"), ("SE", "Uppsala", "SE-C"), ("JP", "Osaka Prefecture", "JP-27"),
        ("KR", "Busan", "KR-26"), ("PT", "Azores", "PT-20"), ("GB", "Durham", "GB-DUR"), ("US", "Atlantis", None),
        ("FR", "US-AR", None), ("DE", "", None), ("XK", "Anything", None), ("TW", "Chiayi", None),
    ],
)  # fmt: skip
def test_subdivisions_are_read_by_name_and_code(country: str, spelling: str, code: str | None) -> None:
    assert subdivisions.read(country, spelling) == code


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("US-AR", "US-AR", True), ("US-AR", "US-AZ", False), ("GB-BIR", "GB-ENG", True), ("GB-ENG", "GB-BIR", True),
        ("GB-EDH", "GB-ENG", False), ("GB-BIR", "GB-MAN", False), ("FR-74", "FR-ARA", True), ("IT-BZ", "IT-52", False),
        ("US-DC", "US-MD", False), ("LT-VL", "LT-57", True), ("AZ-NX", "AZ-BA", None),
        ("US-AR", "FR-74", None), ("the Ozarks", "US-AR", None),
    ],
)  # fmt: skip
def test_two_subdivisions_agree_where_one_holds_the_other(one: str, other: str, agree: bool | None) -> None:
    assert subdivisions.agree(one, other) is agree
    assert subdivisions.agree(other, one) is agree
