"""Which part of a country (ISO 3166-2) does this spelling mean, and do two codes speak of one place?

Names come from pycountry, without the words for what they are ("Jiangsu Sheng" is Jiangsu), and from the table of
other names below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from app.domain.names import fold

#: Other names: ISO 3166-2 code → what it is called in English or for short.
OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "AT-2": ("Carinthia",),
    "AT-3": ("Lower Austria",),
    "AT-4": ("Upper Austria",),
    "AT-6": ("Styria",),
    "AT-7": ("Tyrol",),
    "AT-9": ("Vienna",),
    "BE-BRU": ("Brussels", "Bruxelles"),
    "BE-VLG": ("Flanders", "Vlaanderen"),
    "BE-WAL": ("Wallonia", "Wallonie"),
    "CH-BE": ("Bern",),
    "CH-FR": ("Freiburg",),
    "CH-GE": ("Geneva",),
    "CH-GR": ("Grisons",),
    "CH-LU": ("Lucerne",),
    "CN-GX": ("Guangxi",),
    "CN-HK": ("Hong Kong",),
    "CN-MO": ("Macau", "Macao"),
    "CN-NM": ("Inner Mongolia",),
    "CN-NX": ("Ningxia",),
    "CN-XJ": ("Xinjiang",),
    "CN-XZ": ("Tibet", "Xizang"),
    "CZ-10": ("Prague", "Praha"),
    "CZ-20": ("Central Bohemia",),
    "CZ-31": ("South Bohemia",),
    "CZ-64": ("South Moravia",),
    "DE-BY": ("Bavaria",),
    "DE-HE": ("Hesse",),
    "DE-MV": ("Mecklenburg-Western Pomerania", "Mecklenburg-West Pomerania"),
    "DE-NI": ("Lower Saxony",),
    "DE-NW": ("North Rhine-Westphalia", "NRW"),
    "DE-RP": ("Rhineland-Palatinate",),
    "DE-SN": ("Saxony",),
    "DE-ST": ("Saxony-Anhalt",),
    "DE-TH": ("Thuringia",),
    "ES-AN": ("Andalusia",),
    "ES-CL": ("Castile and León",),
    "ES-CN": ("Canary Islands",),
    "ES-CT": ("Catalonia",),
    "ES-IB": ("Balearic Islands",),
    "ES-NC": ("Navarre",),
    "ES-PV": ("Basque Country", "Euskadi"),
    "ES-VC": ("Valencian Community",),
    "FR-BRE": ("Brittany",),
    "FR-NOR": ("Normandy",),
    "FR-20R": ("Corsica",),
    "GR-I": ("Attica",),
    "GR-M": ("Crete",),
    "IT-21": ("Piedmont",),
    "IT-23": ("Aosta Valley",),
    "IT-25": ("Lombardy",),
    "IT-32": ("Trentino-South Tyrol",),
    "IT-52": ("Tuscany",),
    "IT-75": ("Apulia",),
    "IT-82": ("Sicily",),
    "IT-88": ("Sardinia",),
    "IT-BZ": ("South Tyrol", "Südtirol", "Alto Adige"),
    "NL-FR": ("Friesland",),
    "NL-NB": ("North Brabant",),
    "NL-NH": ("North Holland",),
    "NL-ZH": ("South Holland",),
    "PL-02": ("Lower Silesia",),
    "PL-12": ("Lesser Poland",),
    "PL-14": ("Masovia", "Mazovia"),
    "PL-22": ("Pomerania",),
    "PL-24": ("Silesia",),
    "PL-30": ("Greater Poland",),
    # The region of today is the district Faro to ISO.
    "PT-08": ("Algarve",),
    "PT-11": ("Lisbon",),
    "PT-20": ("Azores", "Açores"),
    "PT-30": ("Madeira",),
    "SE-M": ("Scania",),
    "US-DC": ("Washington, D.C.", "Washington DC"),
}

#: Words that say what a subdivision is and are left out as often as not.
_DESIGNATIONS = frozenset({
    "autonomous", "avtonomnyy", "capital", "city", "comunidad", "county", "department", "do", "district", "federal",
    "gwangyeoksi", "huizu", "kraj", "kray", "lan", "municipality", "oblast", "okrug", "prefecture", "province",
    "region", "republic", "respublika", "sar", "sheng", "shi", "special", "state", "teukbyeolsi", "uygur",
    "voivodeship", "zhuangzu", "zizhiqu",
})  # fmt: skip
_LINKS = frozenset({"a", "and", "d", "da", "de", "del", "der", "di", "do", "du", "e", "la", "le", "of", "und", "y"})
#: Countries whose divisions without a parent are of several kinds (states and territories) and never overlap.
_SHARED_OUT = frozenset({"AU", "BR", "CA", "CN", "GB", "IN", "IT", "KR", "MX", "RU", "US"})
_LONGEST_CODE = 3
_CODE = re.compile("[A-Z]{2}-[A-Z0-9]{1,3}")


def exists(code: str) -> bool:
    """Whether this is a subdivision of ISO 3166-2, as pycountry has them."""
    return bool(_CODE.fullmatch(code)) and code in _parents(code[:2])


def read(country: str, text: str) -> str | None:
    """The ISO 3166-2 code that a spelling means in a country: a name, a code, or the code's end (`TX`). None for
    what is none, or may be several."""
    text = text.strip()
    code = text.upper()
    if code.startswith(f"{country}-") and exists(code):
        return code
    # In capitals, as such codes are written: "Me" is a word, "ME" is Maine.
    if text.isascii() and text.isalpha() and text.isupper() and len(text) <= _LONGEST_CODE:
        short = f"{country}-{text}"
        if exists(short):
            return short
    key = fold(text)
    names = _names(country)
    return names.get(key) or names.get(_without_designation(key)) or None


@lru_cache(maxsize=8192)
def agree(one: str, other: str) -> bool | None:
    """Whether two subdivisions can hold one place: the same, or one inside the other (GB-BIR in GB-ENG). None
    where nobody can say: one of them is no code of ISO 3166-2, or they are different kinds of division."""
    if one == other:
        return True
    if one[:2] != other[:2] or not (exists(one) and exists(other)):
        return None
    above, below = _ancestors(one), _ancestors(other)
    if one in below or other in above:
        return True
    # Two of one parent exclude each other, and so do the tops of a country that are of one kind (or of several that
    # share it out). Elsewhere ISO lists divisions side by side that overlap: counties and their municipalities.
    tops = _kind(above[-1]), _kind(below[-1])
    if above[1:] == below[1:] != [] or tops[0] == tops[1] or one[:2] in _SHARED_OUT:
        return False
    return None


def _ancestors(code: str) -> list[str]:
    """The code itself, what it is in, what that is in …"""
    found = [code]
    parents = _parents(code[:2])
    while (parent := parents.get(found[-1])) is not None and parent not in found:
        found.append(parent)
    return found


def _without_designation(key: str) -> str:
    words = [word for word in key.split(" ") if word not in _DESIGNATIONS]
    while words and words[0] in _LINKS:
        words.pop(0)
    while words and words[-1] in _LINKS:
        words.pop()
    return " ".join(words)


@cache
def _of(country: str) -> list[Any]:
    import pycountry

    return list(pycountry.subdivisions.get(country_code=country) or ())  # type: ignore[no-untyped-call]


def _kind(code: str) -> str:
    return next(str(each.type) for each in _of(code[:2]) if each.code == code)


@cache
def _parents(country: str) -> dict[str, str | None]:
    return {each.code: each.parent_code for each in _of(country)}


@cache
def _names(country: str) -> dict[str, str | None]:
    """Folded spelling → code; None where two of the same rank have it. The higher rank goes first: Madrid is the
    community, not the province in it."""
    ranked: dict[str, tuple[int, str | None]] = {}
    for each in _of(country):
        rank = len(_ancestors(each.code))
        for key in {*_spellings(each.name)}:
            known = ranked.get(key)
            if known is None or rank < known[0]:
                ranked[key] = (rank, each.code)
            elif rank == known[0] and known[1] != each.code:
                ranked[key] = (rank, None)
    names = {key: code for key, (_, code) in ranked.items()}
    for code, others in OTHER_NAMES.items():
        if code.startswith(f"{country}-"):
            names |= {fold(other): code for other in others}
    return names


def _spellings(name: str) -> Iterator[str]:
    """The folded forms of an ISO name: whole, each side of a bracket, without what follows a comma, without
    designations."""
    for part in re.split(r"[\[\]()]", name):
        for form in (part, part.split(",")[0]):
            key = fold(form)
            if key:
                yield key
                if short := _without_designation(key):
                    yield short
