"""The SPARQL endpoint: one question at a time, with manners, and no answer taken for whole that is not.

What is known of the public one: it stops a query after 60 seconds (status 500, or an error written into the middle
of an answer that began well), answers 429 with Retry-After to who asks too much, wants to know whom it may write
to (User-Agent), and bans who does not listen.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import httpx2
import orjson

from app.errors import InvalidValue, RegistryError

JSON_RESULTS = "application/sparql-results+json"

#: Bytes; a page of a thousand statements has half a million.
LARGEST_ANSWER = 64 * 1024 * 1024
#: Seconds to wait on 429 where the endpoint does not say how long.
UNTOLD_WAIT = 60.0
LONGEST_BACKOFF = 60.0
#: How often the very same question is tried before the caller is told to ask for less at once.
SLOW_TRIES = 2
_TOO_MANY = 429
_OK = 200
_PASSING = frozenset({408, _TOO_MANY, 500, 502, 503, 504})
_OUT_OF_TIME = (b"TimeoutException", b"timed out", b"timeout")

Kind = Literal["uri", "literal", "unknown"]


class Term(NamedTuple):
    """A value of a result. `unknown`: Wikidata says that there is one and not which (a blank node)."""

    kind: Kind
    text: str
    language: str = ""


Row = dict[str, Term]


class EndpointFailed(RegistryError):
    """The endpoint did not answer in the end, or refuses to; what was fetched so far is kept."""


class AskedTooMuch(EndpointFailed):
    """The question was too much for the endpoint's time: ask for less at once."""


@dataclass(frozen=True, slots=True)
class Manners:
    """Seconds, and how often one question is tried. `patience`: beyond which we come back another day."""

    timeout: float = 75.0
    attempts: int = 5
    pause: float = 0.5
    backoff: float = 2.0
    patience: float = 600.0


class _Hiccup(Exception):
    """This try failed and another may not. `wait`: as long as the endpoint asked for."""

    def __init__(self, reason: str, *, slow: bool = False, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.slow = slow
        self.wait = wait


class Endpoint:
    """One address, one connection, one question at a time. `say` is told about every wait, in a sentence."""

    def __init__(
        self,
        url: str,
        *,
        contact: str,
        manners: Manners | None = None,
        say: Callable[[str], None] = lambda _sentence: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = _address(url)
        self._manners = manners or Manners()
        self._say = say
        self._sleep = sleep
        self._asked_at = float("-inf")
        self._client = httpx2.Client(
            headers={"User-Agent": user_agent(contact), "Accept": JSON_RESULTS},
            timeout=self._manners.timeout,
            follow_redirects=False,
        )

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def ask(self, query: str) -> list[Row]:
        """The rows of a SELECT. Raises AskedTooMuch where less at once may help, else EndpointFailed."""
        attempts = self._manners.attempts
        for attempt in range(1, attempts + 1):
            self._keep_the_pause()
            try:
                return self._answer(query)
            except _Hiccup as hiccup:
                last = hiccup
            if last.slow and attempt >= min(SLOW_TRIES, attempts):
                raise AskedTooMuch(f"The endpoint {last.reason}, also when asked again.") from None
            if attempt < attempts:
                self._wait(last, attempt)
        raise EndpointFailed(f"Given up after {attempts} attempts: the endpoint {last.reason}.") from None

    def _keep_the_pause(self) -> None:
        early = self._asked_at + self._manners.pause - time.monotonic()
        if early > 0:
            self._sleep(early)

    def _wait(self, hiccup: _Hiccup, attempt: int) -> None:
        """As long as the endpoint says; else twice as long each time, less a part by chance so that clients
        which failed together do not come back together."""
        if hiccup.wait is None:
            longest = min(LONGEST_BACKOFF, self._manners.backoff * 2 ** (attempt - 1))
            seconds = longest * random.uniform(0.5, 1)  # noqa: S311 (no secret)
        elif hiccup.wait > self._manners.patience:
            raise EndpointFailed(
                f"The endpoint asks to be left alone for {_spoken(hiccup.wait)}. Give the same command again after"
                " that: it goes on where it stopped."
            )
        else:
            seconds = hiccup.wait
        self._say(f"The endpoint {hiccup.reason}; asking again in {_spoken(seconds)}.")
        self._sleep(seconds)

    def _answer(self, query: str) -> list[Row]:
        """POST, since a description may be longer than addresses can be."""
        try:
            with self._client.stream("POST", self.url, data={"query": query}) as response:
                body = self._body(response)
        except httpx2.TimeoutException:
            raise _Hiccup(f"did not answer within {_spoken(self._manners.timeout)}", slow=True) from None
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.DecodingError):
            raise _Hiccup("broke off in the middle of its answer", slow=True) from None
        except httpx2.TransportError as error:
            raise _Hiccup(f"cannot be reached ({str(error) or type(error).__name__})") from None
        finally:
            self._asked_at = time.monotonic()
        _refuse_status(response, body)
        return _rows(response.headers.get("Content-Type", ""), body)

    def _body(self, response: httpx2.Response) -> bytes:
        """All of it, within bounds of size and of time: a timeout alone lets a trickle go on for ever."""
        body, until = bytearray(), time.monotonic() + 2 * self._manners.timeout
        for piece in response.iter_bytes():
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise _Hiccup("sent more than an answer can be", slow=True)
            if time.monotonic() > until:
                raise _Hiccup("took too long to send its answer", slow=True)
        return bytes(body)


def user_agent(contact: str) -> str:
    """Who asks, and whom the endpoint's people may write to: they ask for it. Raises InvalidValue without it."""
    contact = contact.strip()
    if not contact:
        raise InvalidValue(
            "The people who run Wikidata's endpoint want to know whom they may write to: set"
            " REGISTRY_WIKIDATA_CONTACT to an e-mail address or to the address of a page about you.",
            field="wikidata_contact",
        )
    if not (contact.isascii() and contact.isprintable()) or set(contact) & set("()"):
        raise InvalidValue(
            "REGISTRY_WIKIDATA_CONTACT is sent in a header: letters, digits and signs of ASCII, no brackets.",
            field="wikidata_contact",
        )
    return f"sistercities/{_version()} ({contact}) httpx2/{httpx2.__version__}"


def _version() -> str:
    try:
        return version("sistercities")
    except PackageNotFoundError:
        return "0"


def _address(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        # A port that cannot be is found out by asking for it.
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidValue(
            "REGISTRY_WIKIDATA_ENDPOINT must be an address that starts with https:// or http://.",
            field="wikidata_endpoint",
        )
    return url.strip()


# --- what an answer is worth --------------------------------------------------------------------------------------


def _refuse_status(response: httpx2.Response, body: bytes) -> None:
    status = response.status_code
    if status == _OK:
        return
    if status in _PASSING:
        wait = _retry_after(response.headers.get("Retry-After"))
        if status == _TOO_MANY:
            raise _Hiccup("is asked too much (429)", wait=UNTOLD_WAIT if wait is None else wait)
        if _ran_out_of_time(body):
            raise _Hiccup(f"ran out of its time ({status})", slow=True, wait=wait)
        raise _Hiccup(f"has a fault of its own ({status})", wait=wait)
    raise EndpointFailed(f"The endpoint answers {status}. {_MEANINGS.get(status, _UNEXPECTED)}")


_MOVED = "It has moved: set REGISTRY_WIKIDATA_ENDPOINT to its new address."
_UNEXPECTED = "Is REGISTRY_WIKIDATA_ENDPOINT the address of a SPARQL endpoint?"
_MEANINGS = {
    400: "It cannot read the question: does it keep Wikidata's data in SPARQL 1.1?",
    401: "It wants a login, which this program has none for.",
    403: "It does not want this client: look at REGISTRY_WIKIDATA_CONTACT, and wait a day if it was asked too much.",
} | dict.fromkeys((301, 302, 303, 307, 308), _MOVED)


def _ran_out_of_time(body: bytes) -> bool:
    return any(sign in body for sign in _OUT_OF_TIME)


def _retry_after(header: str | None) -> float | None:
    """Seconds to wait: the header has a number of them or a date. At least one; None for what is neither."""
    if header is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", header.strip()):
        return max(1.0, float(header))
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    until = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(1.0, (until - datetime.now(UTC)).total_seconds())


def _rows(content_type: str, body: bytes) -> list[Row]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _no_json(content_type, body) from None
    try:
        return [_row(binding) for binding in answer["results"]["bindings"]]
    except (KeyError, TypeError, AttributeError):
        raise EndpointFailed(f"The endpoint answers with JSON that holds no SPARQL results. {_UNEXPECTED}") from None


def _no_json(content_type: str, body: bytes) -> _Hiccup:
    """A page for people passes, as a rule; an answer that began well was too much."""
    if _ran_out_of_time(body[-100_000:]):
        return _Hiccup("ran out of its time in the middle of its answer", slow=True)
    if body.lstrip()[:1] == b"{":
        return _Hiccup("broke off in the middle of its answer", slow=True)
    return _Hiccup(f"sent {content_type.partition(';')[0].strip() or 'something'} instead of results")


def _row(binding: Mapping[str, Mapping[str, Any]]) -> Row:
    return {name: _term(found) for name, found in binding.items()}


def _term(found: Mapping[str, Any]) -> Term:
    kind, text = str(found["type"]), str(found["value"])
    if kind == "bnode" or (kind == "uri" and "/.well-known/genid/" in text):
        return Term("unknown", "")
    if kind == "uri":
        return Term("uri", text)
    return Term("literal", text, str(found.get("xml:lang", "")).lower())


def _spoken(seconds: float) -> str:
    if seconds < 120:  # noqa: PLR2004 (two minutes)
        count, unit = round(seconds, 1), "seconds"
        return f"{count:g} {unit if count != 1 else 'second'}"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60)} hours"  # noqa: PLR2004
