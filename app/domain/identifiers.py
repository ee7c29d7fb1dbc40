"""Keys that others have given to a city: per scheme its pattern, its normal form and its link.

An identifier is written `scheme:value` (`wikidata:Q1297`); the address of its page is understood as well. A
new scheme is one entry in the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import InvalidIdentifier

_SHORTEST_SCHEME = 3


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of identifier.

    `pattern` is the whole normal form, `form` the same in words, `normalise` brings usual spellings to it.
    `link` is a template with `{value}`, `{path}` (hyphens as slashes), or, where only the country has a page,
    `{country}` and `{country_lower}`. `address` finds the value, as its first group, in the addresses that the
    scheme's pages have.
    """

    name: str
    label: str
    pattern: re.Pattern[str]
    form: str
    normalise: Callable[[str], str]
    link: str
    example: str
    address: re.Pattern[str] | None = None


def _without_spaces(value: str) -> str:
    return "".join(value.split()).upper()


def _with_hyphen(value: str) -> str:
    return value.lower().replace("/", "-")


def _address(pages: str) -> re.Pattern[str]:
    return re.compile(rf"https?://{pages}(?:[/?#.]\S*)?", re.IGNORECASE | re.ASCII)


_TABLE = (
    Scheme(
        name="wikidata",
        label="Wikidata",
        pattern=re.compile("Q[1-9][0-9]{0,11}"),
        form="the letter Q and a number",
        normalise=str.upper,
        link="https://www.wikidata.org/wiki/{value}",
        example="Q1297",
        address=_address(r"(?:(?:www|m)\.)?wikidata\.org/(?:entity|wiki)/(Q[0-9]+)"),
    ),
    Scheme(
        name="geonames",
        label="GeoNames",
        pattern=re.compile("[1-9][0-9]{0,11}"),
        form="a positive whole number",
        normalise=str,
        link="https://www.geonames.org/{value}",
        example="4887398",
        address=_address(r"(?:(?:www|sws)\.)?geonames\.org/([0-9]+)"),
    ),
    Scheme(
        name="iso3166-2",
        label="ISO 3166-2",
        pattern=re.compile("[A-Z]{2}-[A-Z0-9]{1,3}"),
        form="two letters of the country, a hyphen, and one to three letters or digits",
        normalise=str.upper,
        link="https://www.iso.org/obp/ui/#iso:code:3166:{country}",
        example="US-IL",
    ),
    Scheme(
        name="unlocode",
        label="UN/LOCODE",
        # 0 and 1 are not used in the code: they look like O and I.
        pattern=re.compile("[A-Z]{2}[A-Z2-9]{3}"),
        form="two letters of the country and three letters or digits from 2 to 9",
        normalise=_without_spaces,
        link="https://service.unece.org/trade/locode/{country_lower}.htm",
        example="USCHI",
    ),
    Scheme(
        name="osm",
        label="OpenStreetMap",
        # With a hyphen, since a slash would end the address /v1/cities/osm:relation-122604 early.
        pattern=re.compile("(?:node|way|relation)-[1-9][0-9]{0,14}"),
        form="node, way or relation, a hyphen, and a number",
        normalise=_with_hyphen,
        link="https://www.openstreetmap.org/{path}",
        example="relation-122604",
        address=_address(r"(?:www\.)?openstreetmap\.org/((?:node|way|relation)/[0-9]+)"),
    ),
    Scheme(
        name="gnd",
        label="Integrated Authority File (GND)",
        pattern=re.compile("1[012]?[0-9]{7}[0-9X]|[47][0-9]{6}-[0-9]|[1-9][0-9]{0,7}-[0-9X]|3[0-9]{7}[0-9X]"),
        form="digits, often with a hyphen before the last one, which may be X",
        normalise=str.upper,
        link="https://d-nb.info/gnd/{value}",
        example="4005728-8",
        address=_address(r"(?:www\.)?d-nb\.info/gnd/([0-9X-]+)"),
    ),
    Scheme(
        name="viaf",
        label="Virtual International Authority File (VIAF)",
        pattern=re.compile("[1-9][0-9]{1,21}"),
        form="a number of two to 22 digits",
        normalise=str,
        link="https://viaf.org/viaf/{value}",
        example="122530980",
        address=_address(r"(?:www\.)?viaf\.org/viaf/([0-9]+)"),
    ),
    Scheme(
        name="nuts",
        label="Nomenclature of territorial units for statistics (NUTS)",
        pattern=re.compile("[A-Z]{2}[A-Z0-9]{0,3}"),
        form="two letters of the country and up to three letters or digits",
        normalise=str.upper,
        link="http://data.europa.eu/nuts/code/{value}",
        example="DE212",
        address=_address(r"data\.europa\.eu/nuts/code/([A-Z0-9]+)"),
    ),
)

SCHEMES: dict[str, Scheme] = {scheme.name: scheme for scheme in _TABLE}


def parse(text: str, *, field: str | None = None) -> tuple[str, str]:
    """Scheme and value, in normal form, of `scheme:value` or of the address of a page of a known scheme.

    Raises InvalidIdentifier when there is no such scheme, or the value is not of the scheme's form.
    """
    text = text.strip()
    for scheme in _TABLE:
        if scheme.address and (found := scheme.address.fullmatch(text)):
            return scheme.name, normalise(scheme.name, found[1], field=field)
    name, _, value = text.partition(":")
    return _scheme(name, field=field).name, normalise(name, value, field=field)


def normalise(scheme: str, value: str, *, field: str | None = None) -> str:
    """The normal form of a value, or of the address of its page: `q1297` becomes `Q1297`, `us chi` `USCHI`.

    Raises InvalidIdentifier when there is no such scheme, or the value is not of the scheme's form.
    """
    known = _scheme(scheme, field=field)
    value = value.strip()
    if known.address and (found := known.address.fullmatch(value)):
        value = found[1]
    normal = known.normalise(value)
    # Upper-casing makes plain letters of others: ß would pass for SS.
    if not (value.isascii() and known.pattern.fullmatch(normal)):
        raise InvalidIdentifier(
            f"This is not an identifier of {known.label}: write {known.form}, for example {known.example}.",
            field=field,
        )
    return normal


def link(scheme: str, value: str) -> str | None:
    """The address where a value in normal form is looked up; None for an unknown scheme or any other form.

    ISO 3166-2 and UN/LOCODE have a page for each country, with the value on it.
    """
    known = SCHEMES.get(scheme)
    if known is None or not known.pattern.fullmatch(value):
        return None
    country = value[:2]
    return known.link.format(value=value, path=value.replace("-", "/"), country=country, country_lower=country.lower())


def looks_like_identifier(text: str) -> bool:
    """Whether text is meant as `scheme:value` or an address, even mistyped, rather than a number or a name.

    What looks like one may still be refused by `parse`, with a message that says how to mend it.
    """
    name, colon, value = text.strip().partition(":")
    if name.rstrip().lower() in SCHEMES:
        return bool(colon)
    # Names hold colons too: Swedish shortens Sankt to S:t, and a subtitle follows a colon and a space.
    word = re.fullmatch("[A-Za-z][A-Za-z0-9-]*", name)
    return bool(word and len(name) >= _SHORTEST_SCHEME and value and not value[0].isspace())


def _scheme(name: str, *, field: str | None) -> Scheme:
    known = SCHEMES.get(name.strip().lower())
    if known is None:
        raise InvalidIdentifier(
            f"There is no such identifier scheme. Known are {', '.join(sorted(SCHEMES))}:"
            " write the scheme, a colon and the value, for example wikidata:Q1297.",
            field=field,
        )
    return known
