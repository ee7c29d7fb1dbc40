"""What is asked of the endpoint, in SPARQL.

Two kinds of question. *Listings* name the statements that two bodies are twinned (P190), country by country, page
by page. *Descriptions* say what is known of up to some hundred things that are named in the question (statements,
bodies, classes, documents): one row a fact, `subject, what, value, more`, never the product of several facts.

All of it is plain SPARQL 1.1, without a service or hint of one database's own: the public endpoint is moving from
one database to another. Each branch of a description repeats its VALUES, since a database that works from the
inside out would else look up the branch for all of Wikidata.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from app.errors import InvalidValue, RegistryError

ENTITY = "http://www.wikidata.org/entity/"
STATEMENT = "http://www.wikidata.org/entity/statement/"
RANK = "http://wikiba.se/ontology#"

PREFIXES = {
    "wd": ENTITY,
    "wds": STATEMENT,
    "wdt": "http://www.wikidata.org/prop/direct/",
    "p": "http://www.wikidata.org/prop/",
    "ps": "http://www.wikidata.org/prop/statement/",
    "psv": "http://www.wikidata.org/prop/statement/value/",
    "pq": "http://www.wikidata.org/prop/qualifier/",
    "pqv": "http://www.wikidata.org/prop/qualifier/value/",
    "pr": "http://www.wikidata.org/prop/reference/",
    "wikibase": RANK,
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "schema": "http://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

_ITEM = re.compile(r"Q[1-9][0-9]{0,11}\Z")
# The `$` of a statement's id is a hyphen in RDF; some begin with a small q.
_STATEMENT = re.compile(r"[QqPpLl][0-9]+-[A-Za-z0-9-]+\Z")
_KEY = re.compile(re.escape(STATEMENT) + r"[a-z0-9-]+\Z")
_CODE = re.compile(r"[A-Z]{2}\Z")
_LANGUAGE = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*\Z")

# The name that holds for every language, where an item has one: an item may have no other.
ANY_LANGUAGE = "mul"


@dataclass(frozen=True, slots=True)
class Wish:
    """What to ask for: ISO 3166-1 codes of countries (none: all), only what was changed or begins since a day,
    names in which languages (the first that exists is the city's name)."""

    countries: tuple[str, ...] = ()
    since: date | None = None
    languages: tuple[str, ...] = ("en",)


@dataclass(frozen=True, slots=True)
class Area:
    """Where statements are listed from: a country's code and its items. Without items: the bodies of no country
    that has a code. `promised`: how many statements the endpoint counted."""

    code: str
    items: tuple[str, ...] = ()
    promised: int = 0


def wish(*, countries: Collection[str] = (), since: date | None = None, languages: Collection[str]) -> Wish:
    """A wish of which every part can be asked. Raises InvalidValue with the option's name as the field."""
    codes = tuple(sorted({code.strip().upper() for code in countries}))
    for code in codes:
        if not _CODE.match(code):
            raise InvalidValue("A country is its two-letter code, such as JP.", field="country")
    tongues = tuple(dict.fromkeys(language.strip().lower() for language in languages if language.strip()))
    for tongue in tongues:
        if not _LANGUAGE.match(tongue):
            raise InvalidValue("A language is a code of Wikidata's, such as en, ja or zh-hant.", field="language")
    if not tongues:
        raise InvalidValue("Name at least one language, such as en.", field="language")
    return Wish(codes, since, tongues)


# --- listings ---------------------------------------------------------------------------------------------------

# `wdt:` is the best-ranked value. All start from the statements, some ten thousands: a country's items are millions.
_OF_ONE_SIDE = """
  ?item p:P190 ?statement ; wdt:P17 ?country .
  ?statement ps:P190 ?twin .
"""
_OF_THE_OTHER = """
  ?item p:P190 ?statement .
  ?statement ps:P190 ?twin .
  ?twin wdt:P17 ?country .
"""
_OF_NO_COUNTRY = """
  ?item p:P190 ?statement .
  ?statement ps:P190 ?twin .
  FILTER NOT EXISTS { ?item wdt:P17 ?country . ?country wdt:P297 ?code . }
"""


def areas(wish: Wish) -> str:
    """Rows `code, country, count`: which countries have statements, how many; one row a country's item."""
    listed = ", ".join(f'"{_checked(_CODE, code)}"' for code in wish.countries)
    only = f"FILTER (?code IN ({listed}))" if listed else ""
    body = f"""
  {_sides(wish)}
  ?country wdt:P297 ?code .
  {only}
  {_changed_since(wish.since)}
"""
    select = "SELECT ?code ?country (COUNT(DISTINCT ?statement) AS ?count)"
    return _query("countries with twinned administrative bodies", select, body, "GROUP BY ?code ?country")


def listing(wish: Wish, area: Area, *, after: str, limit: int) -> str:
    """Rows `key, statement, item, twin, rank` in the order of `key`: the statements of an area whose key comes after
    `after`. All twins of one country: the statements on its bodies, and if countries were chosen also those on other
    bodies that name one of its.

    The key is the statement's address in small letters: there all databases agree what comes after what, whether
    they go by code points or by a language's rules.
    """
    body = f"""
  {_within(wish, area)}
  ?statement wikibase:rank ?rank .
  {_changed_since(wish.since)}
  BIND (LCASE(STR(?statement)) AS ?key)
  {f'FILTER (?key > "{_checked(_KEY, after)}")' if after else ""}
"""
    title = f"twinned administrative bodies of {area.code}, {f'after {after}' if after else 'first page'}"
    modifiers = f"ORDER BY ?key\nLIMIT {limit:d}"
    return _query(title, "SELECT DISTINCT ?key ?statement ?item ?twin ?rank", body, modifiers)


def _within(wish: Wish, area: Area) -> str:
    if not area.items:
        return _OF_NO_COUNTRY
    items = ", ".join(f"wd:{_checked(_ITEM, item)}" for item in area.items)
    return f"{_sides(wish)}  FILTER (?country IN ({items}))"


def _sides(wish: Wish) -> str:
    """Asked for all countries, each statement is found on its own side."""
    return f"{{{_OF_ONE_SIDE}}} UNION {{{_OF_THE_OTHER}}}" if wish.countries else _OF_ONE_SIDE


def _changed_since(since: date | None) -> str:
    """Both directions of a pair are either in or out, so that what is one-sided can be told: each looks at both
    items and at both starts. A comparison with what is not there counts as false."""
    if since is None:
        return ""
    day = f'"{since.isoformat()}T00:00:00Z"^^xsd:dateTime'
    return f"""
  OPTIONAL {{ ?item schema:dateModified ?changed . }}
  OPTIONAL {{ ?twin schema:dateModified ?twinChanged . }}
  OPTIONAL {{ ?statement pq:P580 ?begun . }}
  OPTIONAL {{ ?twin p:P190 ?back . ?back ps:P190 ?item ; pq:P580 ?twinBegun . }}
  FILTER (?changed >= {day} || ?twinChanged >= {day} || ?begun >= {day} || ?twinBegun >= {day})
"""


# --- descriptions -----------------------------------------------------------------------------------------------

_STATEMENT_FACTS = (
    # A date that is not known has no node with a value: `value` is empty then. `more` is its precision.
    *(
        (
            what,
            f"?subject pq:{property_} ?given . OPTIONAL {{ ?subject pqv:{property_} ?node ."
            " ?node wikibase:timeValue ?value ; wikibase:timePrecision ?more . }",
        )
        for what, property_ in (("start", "P580"), ("end", "P582"), ("point", "P585"))
    ),
    # `more` is the reference that this is part of.
    *(
        (what, f"?subject prov:wasDerivedFrom ?more . ?more pr:{property_} ?value .")
        for what, property_ in (
            ("url", "P854"),
            ("title", "P1476"),
            ("stated_in", "P248"),
            ("imported_from", "P143"),
            ("import_url", "P4656"),
        )
    ),
)

_BODY_FACTS = (
    ("native", "?subject wdt:P1705 ?value ."),
    # Former countries often stand beside today's at the same rank, with the day on which they ended.
    (
        "country",
        "?subject p:P17 ?node . ?node a wikibase:BestRank ; ps:P17 ?country . ?country wdt:P297 ?value ."
        " FILTER NOT EXISTS { ?node pq:P582 ?ended . }",
    ),
    # On the Earth: the Moon has coordinates, too.
    (
        "position",
        "?subject p:P625 ?node . ?node a wikibase:BestRank ; psv:P625 ?place ."
        " ?place wikibase:geoGlobe wd:Q2 ; wikibase:geoLatitude ?value ; wikibase:geoLongitude ?more .",
    ),
    (
        "population",
        "?subject p:P1082 ?node . ?node a wikibase:BestRank ; ps:P1082 ?value . OPTIONAL { ?node pq:P585 ?more . }",
    ),
    ("geonames", "?subject wdt:P1566 ?value ."),
    ("class", "?subject wdt:P31 ?value ."),
    # An item that was merged into another.
    ("same", "?subject owl:sameAs ?value ."),
)


def statements(ids: Sequence[str]) -> str:
    """Qualifiers and references of statements."""
    subjects = [f"wds:{_checked(_STATEMENT, each)}" for each in ids]
    return _description("qualifiers and references", subjects, _STATEMENT_FACTS)


def bodies(ids: Sequence[str], *, languages: Sequence[str]) -> str:
    """Names, country, coordinates, populations, identifiers and classes of items. `more`: of a position the
    longitude, of a population its date."""
    return _description("administrative bodies", _items(ids), (_named(languages), *_BODY_FACTS))


def names(ids: Sequence[str], *, languages: Sequence[str]) -> str:
    """Names of items."""
    return _description("names of documents", _items(ids), (_named(languages),))


def classes(ids: Sequence[str], *, among: Collection[str]) -> str:
    """Which of the classes `among` those of `ids` are subclasses of."""
    roots = " ".join(f"wd:{_checked(_ITEM, each)}" for each in sorted(among))
    fact = ("kind_of", f"?subject wdt:P279+ ?value . VALUES ?value {{ {roots} }}")
    return _description("kinds of administrative bodies", _items(ids), (fact,))


def _items(ids: Sequence[str]) -> list[str]:
    return [f"wd:{_checked(_ITEM, each)}" for each in ids]


def _named(languages: Sequence[str]) -> tuple[str, str]:
    wanted = dict.fromkeys((*languages, ANY_LANGUAGE))
    listed = ", ".join(f'"{_checked(_LANGUAGE, language)}"' for language in wanted)
    return "label", f"?subject rdfs:label ?value . FILTER (LCASE(LANG(?value)) IN ({listed}))"


def _description(title: str, subjects: Sequence[str], facts: Sequence[tuple[str, str]]) -> str:
    values = f"VALUES ?subject {{ {' '.join(subjects)} }}"
    branches = (f'{{\n    {values}\n    {pattern}\n    BIND ("{what}" AS ?what)\n  }}' for what, pattern in facts)
    return _query(title, "SELECT DISTINCT ?subject ?what ?value ?more", "  " + "\n  UNION\n  ".join(branches) + "\n")


def _query(title: str, select: str, body: str, modifiers: str = "") -> str:
    """The comment is for the people who run the endpoint. Only prefixes that are used are declared."""
    used = set(re.findall(r"(?<![\w:/?<\"])([a-z]+):(?=[A-Za-z])", body))
    prefixes = "".join(f"PREFIX {name}: <{address}>\n" for name, address in PREFIXES.items() if name in used)
    text = f"# sistercities: {title}\n{prefixes}{select} WHERE {{\n{body}}}\n{modifiers}".rstrip() + "\n"
    return re.sub(r"\n[ ]*(?=\n)", "", text)


def _checked(form: re.Pattern[str], text: str) -> str:
    """Whatever goes into a question is of a form in which nothing can break out of its place."""
    if not form.match(text):
        raise RegistryError("The endpoint named something that is no identifier of Wikidata's.")
    return text
