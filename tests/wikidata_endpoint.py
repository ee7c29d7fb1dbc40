"""A SPARQL endpoint on loopback that keeps a few towns of Wikidata's: the real protocol, formats and bad days.

It does not evaluate SPARQL; it knows the questions that are asked here by their patterns and answers each from a small
world. That the questions are SPARQL is tests/exchange/test_wikidata_queries.py's to hold.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ENTITY = "http://www.wikidata.org/entity/"
STATEMENT = f"{ENTITY}statement/"
RANK = "http://wikiba.se/ontology#"
GENID = "http://www.wikidata.org/.well-known/genid/0123abc"
DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
DECIMAL = "http://www.w3.org/2001/XMLSchema#decimal"

UNKNOWN = object()
"""Wikidata's "unknown value"."""

When = tuple[str, int]
Binding = dict[str, dict[str, str]]
Handler = BaseHTTPRequestHandler


@dataclass
class Item:
    """What an item says of its body. Countries by code; populations: (people, time or None or UNKNOWN)."""

    labels: dict[str, str] = field(default_factory=dict)
    countries: tuple[str, ...] = ()
    position: tuple[str, str] | None = None
    populations: tuple[tuple[str, Any], ...] = ()
    geonames: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    native: tuple[tuple[str, str], ...] = ()
    same: str | None = None
    changed: str = "2020-01-01T00:00:00Z"


@dataclass
class Twinning:
    """A statement. Dates: (time, precision), or UNKNOWN; references: property → values."""

    id: str
    item: str
    twin: Any
    rank: str = "NormalRank"
    start: tuple[Any, ...] = ()
    end: tuple[Any, ...] = ()
    point: tuple[Any, ...] = ()
    references: tuple[dict[str, Any], ...] = ()


@dataclass
class World:
    """All that this endpoint knows. `countries`: item → code; `supers`: class → what it is a subclass of."""

    items: dict[str, Item] = field(default_factory=dict)
    twinnings: list[Twinning] = field(default_factory=list)
    countries: dict[str, str] = field(default_factory=dict)
    supers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    skolems: bool = True
    """Unknown values as addresses, as the public endpoint gives them; else as blank nodes."""
    _by_id: dict[str, Twinning] = field(default_factory=dict)

    def answer(self, query: str) -> tuple[list[str], list[Binding]]:
        """The variables and bindings of a question."""
        variables = re.findall(r"\?(\w+)", re.search(r"SELECT (.*) WHERE", query)[1])  # type: ignore[index]
        if "GROUP BY" in query:
            return ["code", "country", "count"], list(self._areas(query))
        if "p:P190" in query:
            return variables, self._listing(query)
        subjects = re.search(r"VALUES \?subject \{ (.*?) \}", query)[1].split()  # type: ignore[index]
        facts = re.findall(r'BIND \("(\w+)" AS \?what\)', query)
        names = [subject.partition(":")[2] for subject in subjects]
        return variables, [row for name in names for fact in facts for row in self._facts(query, fact, name)]

    def _areas(self, query: str) -> Iterator[Binding]:
        codes = re.search(r"\?code IN \((.*?)\)", query)
        for item, code in self.countries.items():
            if codes is None or f'"{code}"' in codes[1]:
                count = sum(self._within(each, {code}, query) for each in self.twinnings)
                if count:
                    yield {"code": literal(code), "country": uri(item), "count": literal(str(count), type_=DECIMAL)}

    def _listing(self, query: str) -> list[Binding]:
        wanted = re.search(r"\?country IN \((.*?)\)", query)
        codes = {self.countries[each[3:]] for each in wanted[1].split(", ")} if wanted else set()
        found = {STATEMENT + each.id: each for each in self.twinnings if self._within(each, codes, query)}
        after = re.search(r'\?key > "(.*?)"', query)
        limit = int(re.search(r"LIMIT (\d+)", query)[1])  # type: ignore[index]
        keys = sorted((address.lower(), address) for address in found)
        rows = [(key, address) for key, address in keys if after is None or key > after[1]]
        return [self._listed(key, found[address]) for key, address in rows[:limit]]

    def _listed(self, key: str, each: Twinning) -> Binding:
        twin = self.unknown() if each.twin is UNKNOWN else uri(each.twin)
        rank = {"type": "uri", "value": RANK + each.rank}
        statement = {"type": "uri", "value": STATEMENT + each.id}
        return {"key": literal(key), "statement": statement, "item": uri(each.item), "twin": twin, "rank": rank}

    def _within(self, each: Twinning, codes: set[str], query: str) -> bool:
        """Whether a question about these codes (none: about no country) lists the statement."""
        since = re.search(r'\?changed >= "(.*?)"', query)
        if since and not self._changed(each, since[1]):
            return False
        if not codes:
            return not self._codes(each.item)
        sides = [each.item, each.twin] if "UNION" in query else [each.item]
        return any(codes & self._codes(side) for side in sides)

    def _codes(self, item: Any) -> set[str]:
        return set(self.items[item].countries) if item in self.items else set()

    def _changed(self, each: Twinning, since: str) -> bool:
        both = [self.items[side].changed for side in (each.item, each.twin) if side in self.items]
        return any(day >= since for day in both) or any(
            time >= since for start in each.start if start is not UNKNOWN for time in [start[0]]
        )

    def _facts(self, query: str, fact: str, name: str) -> Iterator[Binding]:
        values: Iterable[tuple[dict[str, str] | None, dict[str, str] | None]]
        if len(self._by_id) != len(self.twinnings):
            self._by_id = {each.id: each for each in self.twinnings}
        if name in self._by_id:
            values = self._of_statement(fact, self._by_id[name])
            subject = {"type": "uri", "value": STATEMENT + name}
        else:
            subject = uri(name)
            values = self._of_item(query, fact, name)
        for value, more in values:
            row = {"subject": subject, "what": literal(fact), "value": value, "more": more}
            yield {key: term for key, term in row.items() if term is not None}

    def _of_statement(self, fact: str, each: Twinning) -> Iterator[tuple[Any, Any]]:
        if fact in ("start", "end", "point"):
            for date in getattr(each, fact):
                unknown = date is UNKNOWN
                yield (None, None) if unknown else (literal(date[0], type_=DATE_TIME), literal(str(date[1])))
            return
        for place, reference in enumerate(each.references):
            node = {"type": "uri", "value": f"http://www.wikidata.org/reference/{each.id}{place}"}
            for value in reference.get(fact, ()):
                yield self.unknown() if value is UNKNOWN else _referred(fact, value), node

    def _of_item(self, query: str, fact: str, name: str) -> Iterator[tuple[Any, Any]]:
        if fact == "kind_of":
            yield from ((uri(each), None) for each in self.supers.get(name, ()) if f"wd:{each}" in query)
        item = self.items.get(name, Item())
        languages = re.search(r"LANG\(\?value\)\) IN \((.*?)\)", query)
        if fact == "label" and languages:
            for language, text in item.labels.items():
                if f'"{language}"' in languages[1]:
                    yield literal(text, language=language), None
        values = {
            "native": [(literal(text, language=language), None) for language, text in item.native],
            "country": [(literal(code), None) for code in item.countries],
            "position": [tuple(literal(each) for each in item.position)] if item.position else [],
            "population": [(literal(people, type_=DECIMAL), self._time(when)) for people, when in item.populations],
            "geonames": [(literal(each), None) for each in item.geonames],
            "class": [(uri(each), None) for each in item.classes],
            "same": [(uri(item.same), None)] if item.same else [],
        }
        yield from values.get(fact, [])  # type: ignore[misc]

    def _time(self, when: Any) -> dict[str, str] | None:
        if when is UNKNOWN:
            return self.unknown()
        return None if when is None else literal(when, type_=DATE_TIME)

    def unknown(self) -> dict[str, str]:
        """An unknown value."""
        return {"type": "uri", "value": GENID} if self.skolems else {"type": "bnode", "value": "t123"}


def uri(item: str) -> dict[str, str]:
    """An item."""
    return {"type": "uri", "value": ENTITY + item}


def literal(text: str, *, language: str = "", type_: str = "") -> dict[str, str]:
    """A text."""
    more = {"xml:lang": language} if language else {"datatype": type_} if type_ else {}
    return {"type": "literal", "value": text} | more


def _referred(fact: str, value: str) -> dict[str, str]:
    if fact in ("stated_in", "imported_from"):
        return uri(value)
    if fact == "title":
        return literal(value, language="de")
    return {"type": "uri", "value": value}


# --- over HTTP -----------------------------------------------------------------------------------------------------

Trouble = Callable[[Handler, bytes], None]
"""What happens instead of an answer; it is given the answer that there would have been."""


@dataclass
class Endpoint:
    """The running endpoint. `troubles` are used up one by one, None for none; `queries` and `headers` are those of
    all requests; `at_once`: how many were ever under way together."""

    world: World
    url: str = ""
    troubles: list[Trouble | None] = field(default_factory=list)
    trouble_for: Callable[[str], Trouble | None] = lambda _query: None
    queries: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    at_once: int = 0
    _under_way: int = 0

    def serve(self, handler: Handler, query: str) -> None:
        """Answer one request."""
        self._under_way += 1
        self.at_once = max(self.at_once, self._under_way)
        self.queries.append(query)
        self.headers.append(dict(handler.headers))
        try:
            variables, bindings = self.world.answer(query)
            body = json.dumps({"head": {"vars": variables}, "results": {"bindings": bindings}}).encode()
            trouble = self.troubles.pop(0) if self.troubles else self.trouble_for(query)
            (trouble or answered)(handler, body)
        finally:
            self._under_way -= 1


def send(handler: Handler, status: int, body: bytes, **headers: str) -> None:
    """A whole answer; header names with `_` for the hyphen."""
    handler.send_response(status)
    for name, value in ({"Content_Length": str(len(body))} | headers).items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def answered(handler: Handler, body: bytes) -> None:
    """As it should be."""
    send(handler, 200, body, Content_Type="application/sparql-results+json;charset=utf-8")


def refused(status: int, body: bytes = b"", **headers: str) -> Trouble:
    """A status, with a body for people."""
    return lambda handler, _body: send(handler, status, body, Content_Type="text/plain", **headers)


def cut(handler: Handler, body: bytes) -> None:
    """The connection ends in the middle of the answer."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/sparql-results+json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


def out_of_time(handler: Handler, body: bytes) -> None:
    """How the public endpoint gives up in the middle of an answer: status 200, and a trace in it."""
    trace = b"SPARQL-QUERY: queryStr=SELECT\njava.util.concurrent.TimeoutException\n\tat java.util.concurrent"
    send(handler, 200, body[: len(body) // 2] + trace, Content_Type="application/sparql-results+json")


def page(handler: Handler, _body: bytes) -> None:
    """A page for people, with status 200."""
    send(handler, 200, b"<!DOCTYPE html><title>Maintenance</title>", Content_Type="text/html; charset=utf-8")


def asleep(seconds: float) -> Trouble:
    """Nothing, for a while."""
    return lambda _handler, _body: time.sleep(seconds)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body go out separately; the second would wait for the first's receipt.
    disable_nagle_algorithm = True
    endpoint: Endpoint

    def do_GET(self) -> None:
        self._answer(parse_qs(urlsplit(self.path).query).get("query", [""])[0])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = "x-www-form-urlencoded" in self.headers["Content-Type"]
        self._answer(parse_qs(body).get("query", [""])[0] if form else body)

    def _answer(self, query: str) -> None:
        agent = self.headers.get("User-Agent", "")
        if not query:
            send(self, 400, b"No query")
        elif "@" not in agent and "://" not in agent:
            send(self, 403, b"Set a User-Agent with a contact")
        elif "application/sparql-results+json" not in self.headers.get("Accept", ""):
            send(self, 200, b"<?xml version='1.0'?><sparql/>", Content_Type="application/sparql-results+xml")
        else:
            self.endpoint.serve(self, query)

    def log_message(self, *_words: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_request: Any) -> None:
        """Clients that hung up are part of the tests."""


@contextmanager
def running(world: World) -> Iterator[Endpoint]:
    """The endpoint on a free port of this machine."""
    endpoint = Endpoint(world)
    server = _Server(("127.0.0.1", 0), type("Bound", (_Handler,), {"endpoint": endpoint}))
    endpoint.url = f"http://127.0.0.1:{server.server_port}/sparql"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
