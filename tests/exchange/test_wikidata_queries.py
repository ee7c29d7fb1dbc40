"""What Wikidata is asked is SPARQL 1.1: read by a grammar of as much of it as is used, with nothing of one database's
own, and with nothing in it that came from outside and is no identifier."""

from __future__ import annotations

import re
from datetime import date

import pytest

from app.errors import InvalidValue, RegistryError
from app.exchange.wikidata import queries
from app.exchange.wikidata.kinds import KIND_OF_CLASS, kind_of
from app.exchange.wikidata.queries import PREFIXES, STATEMENT, Area, Wish

ALL = Wish()
JAPAN = Wish(("JP",), None, ("en", "ja"))
SINCE = Wish(("JP", "US"), date(2024, 5, 1), ("en", "zh-hant"))
ASKED = {
    "areas": queries.areas(ALL),
    "areas of countries": queries.areas(JAPAN),
    "areas since": queries.areas(SINCE),
    "first page": queries.listing(ALL, Area("JP", ("Q17",)), after="", limit=1000),
    "next page": queries.listing(ALL, Area("JP", ("Q17", "Q188712")), after=f"{STATEMENT}q64-1a-b", limit=10),
    "both sides": queries.listing(JAPAN, Area("JP", ("Q17",)), after="", limit=10),
    "since": queries.listing(SINCE, Area("JP", ("Q17",)), after=f"{STATEMENT}q64-1a", limit=10),
    "no country": queries.listing(ALL, Area("nowhere"), after="", limit=10),
    "no country, since": queries.listing(Wish(since=date(2024, 5, 1)), Area("nowhere"), after="", limit=10),
    "statements": queries.statements(["Q64-0a1B", "q64-77"]),
    "bodies": queries.bodies(["Q64", "Q90"], languages=("en", "zh-hant")),
    "names": queries.names(["Q64"], languages=("en",)),
    "classes": queries.classes(["Q64"], among=KIND_OF_CLASS),
}

TOKEN = re.compile(
    r"""\s*(?:\#[^\n]*\n\s*)*(?:
      (?P<string>"(?:[^"\\\n]|\\.)*") | (?P<iri><[^<>"{}|^`\\\s]*>) | (?P<var>[?$]\w+)
    | (?P<prefixed>[a-z]*:[A-Za-z0-9_][\w-]*) | (?P<namespace>[a-z]+:)(?=\s)
    | (?P<number>\d+) | (?P<word>[A-Za-z]+) | (?P<sign>\^\^|\|\||&&|>=|<=|!=|[{}().;,=<>/+*!|])
    )""",
    re.VERBOSE,
)


class Reader:
    """Reads one SELECT query, or fails at the first token that has no business there."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        place = 0
        text = text.rstrip()
        while place < len(text):
            found = TOKEN.match(text, place)
            assert found, f"no token: {text[place : place + 40]!r}"
            self.tokens.append((found.lastgroup or "", found[found.lastgroup or 0]))
            place = found.end()
        self.at = 0
        self.declared: set[str] = set()
        self.used: set[str] = set()
        self.bound: set[str] = set()
        self.seen: list[str] = []

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        text = self.peek()
        assert not wanted or text in wanted, f"{wanted} expected at {self.tokens[self.at - 3 : self.at + 3]}"
        self.at += 1
        return text

    def of_kind(self, *kinds: str) -> str:
        assert self.kind() in kinds, f"{kinds} expected at {self.tokens[self.at - 3 : self.at + 3]}"
        if self.kind() == "prefixed":
            self.used.add(self.peek().partition(":")[0])
        if self.kind() == "var":
            self.seen.append(self.peek())
        return self.take()

    def query(self) -> None:
        while self.peek() == "PREFIX":
            self.take()
            self.declared.add(self.of_kind("namespace").rstrip(":"))
            self.of_kind("iri")
        self.take("SELECT")
        if self.peek() == "DISTINCT":
            self.take()
        projected = self.projection()
        self.take("WHERE")
        self.group()
        self.modifiers()
        assert self.at == len(self.tokens), self.peek()
        # The longitude and the like: a description of nothing that has more never binds it.
        assert projected - self.bound <= {"?more"}

    def projection(self) -> set[str]:
        projected: set[str] = set()
        while self.peek() != "WHERE":
            if self.peek() == "(":
                for token in ("(", "COUNT", "(", "DISTINCT"):
                    self.take(token)
                self.of_kind("var")
                self.take(")")
                self.take("AS")
                self.bound.add(self.of_kind("var"))
                self.take(")")
            else:
                projected.add(self.of_kind("var"))
        return projected

    def modifiers(self) -> None:
        for words in (("GROUP", "BY"), ("ORDER", "BY")):
            if self.peek() == words[0]:
                self.take()
                self.take(words[1])
                while self.kind() == "var":
                    assert self.of_kind("var") in self.bound
        if self.peek() == "LIMIT":
            self.take()
            self.of_kind("number")

    def group(self) -> None:
        self.take("{")
        while self.peek() != "}":
            self.element()
        self.take("}")

    def element(self) -> None:
        match self.peek():
            case "{":
                self.group()
                while self.peek() == "UNION":
                    self.take()
                    self.group()
            case "OPTIONAL":
                self.take()
                self.group()
            case "FILTER":
                self.take()
                if self.peek() == "NOT":
                    self.take()
                    self.take("EXISTS")
                    self.group()
                else:
                    self.take("(")
                    self.expression()
                    self.take(")")
            case "BIND":
                self.take()
                self.take("(")
                self.expression()
                self.take("AS")
                variable = self.of_kind("var")
                assert variable != "?key" or variable not in self.bound
                self.bound.add(variable)
                self.take(")")
            case "VALUES":
                self.take()
                self.bound.add(self.of_kind("var"))
                self.take("{")
                while self.peek() != "}":
                    self.of_kind("prefixed", "string")
                self.take("}")
            case _:
                self.triples()

    def triples(self) -> None:
        self.bound.add(self.of_kind("var"))
        while True:
            self.predicate()
            self.bound.add(self.of_kind("var", "prefixed", "string"))
            if self.peek() != ";":
                break
            self.take()
        self.take(".")

    def predicate(self) -> None:
        if self.peek() == "a":
            self.take()
            return
        self.of_kind("prefixed")
        if self.peek() in "+*":
            self.take()

    def expression(self) -> None:
        self.comparison()
        while self.peek() == "||":
            self.take()
            self.comparison()

    def comparison(self) -> None:
        self.operand()
        if self.peek() in (">", ">=", "="):
            self.take()
            self.operand()
        elif self.peek() == "IN":
            self.take()
            self.take("(")
            self.operand()
            while self.peek() == ",":
                self.take()
                self.operand()
            self.take(")")

    def operand(self) -> None:
        if self.kind() == "word":
            self.take("LCASE", "LANG", "STR")
            self.take("(")
            self.operand()
            self.take(")")
            return
        text = self.of_kind("var", "string", "prefixed")
        if text.startswith('"') and self.peek() == "^^":
            self.take()
            self.of_kind("prefixed")


def read(text: str) -> Reader:
    reader = Reader(text)
    reader.query()
    return reader


@pytest.mark.parametrize("name", ASKED)
def test_every_question_is_sparql(name: str) -> None:
    reader = read(ASKED[name])
    assert reader.used <= reader.declared == reader.used & set(PREFIXES)
    assert not re.search(r"SERVICE|hint:|bd:|wikibase:label|isSomeValue", ASKED[name]), "not SPARQL 1.1's own"


@pytest.mark.parametrize("name", ASKED)
def test_no_variable_is_written_only_once_by_a_slip(name: str) -> None:
    seen = read(ASKED[name]).seen
    # They only have to be there.
    alone = {"?given", "?ended", "?code", "?count", "?item", "?twin"}
    assert {variable for variable in seen if seen.count(variable) == 1} - {"?more", "?value"} <= alone


@pytest.mark.parametrize(
    "broken",
    [
        "SELECT ?a WHERE { ?a wdt:P1 ?b }\n",
        'PREFIX p: <x>\nSELECT ?a WHERE { ?a p:P1 "x .}',
        "PREFIX p: <x>\nSELECT ?a WHERE { ?a p:P1 ?b . ",
        "PREFIX p: <x>\nSELECT ?c WHERE { ?a p:P1 ?b . }",
        "PREFIX p: <x>\nSELECT ?a WHERE { ?a p:P1 ?b . FILTER ?b > ?a }",
        "PREFIX p: <x>\nSELECT ?a WHERE { ?a p:P1 ?b . } LIMIT x",
    ],
)
def test_the_grammar_of_these_tests_refuses_what_is_broken(broken: str) -> None:
    with pytest.raises(AssertionError):
        read(broken)


def test_a_chosen_country_is_asked_from_both_sides_and_all_countries_each_from_its_own() -> None:
    assert "?twin wdt:P17 ?country" in ASKED["both sides"]
    assert "UNION" not in ASKED["first page"]
    assert "?item p:P190 ?statement ; wdt:P17 ?country" in ASKED["first page"]


def test_a_day_in_the_past_looks_at_both_items_and_both_starts() -> None:
    day = '>= "2024-05-01T00:00:00Z"^^xsd:dateTime'
    for side in ("changed", "twinChanged", "begun", "twinBegun"):
        assert f"?{side} {day}" in ASKED["since"]


def test_a_question_stays_far_below_what_servers_take_in_a_form() -> None:
    ids = [f"Q{10**7 + number}-0A1B2C3D-0000-1111-2222-333344445555" for number in range(150)]
    assert len(queries.statements(ids)) < 100_000
    items = [f"Q{10**8 + number}" for number in range(100)]
    assert len(queries.bodies(items, languages=("en", "ja", "de"))) < 20_000


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"countries": ["Japan"]}, "country"),
        ({"countries": ["J1"]}, "country"),
        ({"countries": [""]}, "country"),
        ({"languages": ['en")) #']}, "language"),
        ({"languages": ["english please"]}, "language"),
        ({"languages": [" "]}, "language"),
    ],
)
def test_a_wish_that_cannot_be_asked_is_refused_with_its_option(given: dict[str, list[str]], field: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        queries.wish(**({"languages": ["en"]} | given))  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_wish_is_the_same_however_it_is_written() -> None:
    wish = queries.wish(countries=["us", "JP", "jp "], languages=[" EN", "ja", "en"])
    assert wish == Wish(("JP", "US"), None, ("en", "ja"))


@pytest.mark.parametrize("text", ["Q1 } SELECT", "Q1-a> <", 'x"', "", "Q1\n"])
def test_nothing_breaks_out_of_its_place(text: str) -> None:
    for question in (
        lambda: queries.statements([text]),
        lambda: queries.names([text], languages=("en",)),
        lambda: queries.classes([text], among=["Q515"]),
        lambda: queries.listing(ALL, Area("JP", (text,)), after="", limit=10),
        lambda: queries.listing(ALL, Area("JP", ("Q17",)), after=text or "x", limit=10),
    ):
        with pytest.raises(RegistryError):
            question()


@pytest.mark.parametrize(
    ("classes", "kind"),
    [
        (("Q515",), "city"),
        (("Q484170", "Q1549591"), "city"),
        (("Q484170", "Q1000001"), "municipality"),
        (("Q5084",), "village"),
        (("Q5327704",), "district"),
        (("Q50337",), "region"),
        (("Q1000001",), None),
        ((), None),
    ],
)
def test_a_kind_is_the_first_of_the_table_that_a_class_has(classes: tuple[str, ...], kind: str | None) -> None:
    assert kind_of(classes) == kind
