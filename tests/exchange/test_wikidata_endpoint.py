"""The endpoint's manners and bad days: waits, retries, giving up, and going on where it stopped."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path

import httpx2
import pytest
import wikidata_endpoint as fake
from wikidata_endpoint import Item, Trouble, Twinning, World, asleep, cut, out_of_time, page, refused

from app.errors import InvalidValue, StateConflict
from app.exchange.wikidata import answers, endpoint, harvesting, queries
from app.exchange.wikidata.endpoint import AskedTooMuch, Endpoint, EndpointFailed, Manners, Term
from app.exchange.wikidata.queries import Wish

QUICK = Manners(timeout=5, attempts=4, pause=0)
CONTACT = "desk@example.org"
QUESTION = queries.names(["Q64"], languages=["en"])
WISH = Wish()


def towns(count: int) -> World:
    """Towns Q1001 … in Germany, each the twin of the next, said by both; and what the world needs for it."""
    items = {
        f"Q{1001 + place}": Item({"en": f"Town {place}"}, ("DE",), ("50.5", "8.25"), classes=("Q3957",))
        for place in range(count)
    }
    pairs = [(f"Q{1001 + place}", f"Q{1002 + place}") for place in range(count - 1)]
    said = [pair for a, b in pairs for pair in ((a, b), (b, a))]
    return World(items, [Twinning(f"{a}-{b}", a, b) for a, b in said], {"Q183": "DE"})


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake.Endpoint]:
    # A proxy of the machine is none for this.
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    # Reading the machine's certificates takes longer than most of these tests, and there is no TLS here.
    monkeypatch.setattr(endpoint.httpx2, "Client", partial(httpx2.Client, verify=False))
    world = World({"Q64": Item({"en": "Berlin", "de": "Berlin", "mul": "Berlin"}, ("DE",))})
    with fake.running(world) as running:
        yield running
    assert running.at_once <= 1, "one question at a time"


class Client:
    """Our end, which notes its waits instead of waiting."""

    def __init__(self, served: fake.Endpoint, *, manners: Manners = QUICK, folder: Path | None = None) -> None:
        self.waits: list[float] = []
        self.said: list[str] = []
        self.served = served
        self.manners = manners
        self.folder = folder

    def endpoint(self) -> Endpoint:
        return Endpoint(
            self.served.url, contact=CONTACT, manners=self.manners, say=self.said.append, sleep=self.waits.append
        )

    def ask(self, query: str = QUESTION) -> list[endpoint.Row]:
        with self.endpoint() as asked:
            return asked.ask(query)

    def harvest(self, wish: Wish = WISH, *, page_size: int = 1000, **options: object) -> harvesting.Harvest:
        assert self.folder
        options = {"keep_hours": 1.0} | options
        with self.endpoint() as asked, answers.opened(asked, self.folder, wish, **options) as found:  # type: ignore[arg-type]
            return harvesting.harvest(found, wish, page_size=page_size)


# --- one question --------------------------------------------------------------------------------------------------


def test_a_question_is_answered_and_says_who_asks(served: fake.Endpoint) -> None:
    rows = Client(served).ask()
    assert {"subject", "what", "value"} <= rows[0].keys()
    assert rows[0]["value"] == Term("literal", "Berlin", "en")
    agent = served.headers[0]["User-Agent"]
    assert agent.startswith("sistercities/") and "(desk@example.org)" in agent and "httpx2/" in agent
    assert served.headers[0]["Accept"] == "application/sparql-results+json"


def in_an_hour() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize(
    ("trouble", "least", "most"),
    [
        (refused(429, b"slow down", Retry_After="7"), 7, 7),
        (refused(429, b"slow down", Retry_After="0"), 1, 1),
        (refused(429, b"slow down"), 60, 60),
        (refused(429, b"slow down", Retry_After="soon"), 60, 60),
        (refused(429, Retry_After=in_an_hour()), 3000, 3600),
        (refused(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), 1, 1),
        (refused(503, b"busy", Retry_After="3"), 3, 3),
        (refused(503, b"busy"), 1, 2),
        (refused(500, b"boom"), 1, 2),
        (refused(502), 1, 2),
        (refused(500, b"java.util.concurrent.TimeoutException"), 1, 2),
        (refused(504, b"upstream request timeout"), 1, 2),
        (cut, 1, 2),
        (out_of_time, 1, 2),
        (page, 1, 2),
    ],
)
def test_what_passes_is_waited_for_as_long_as_it_asks_or_a_little_by_chance(
    served: fake.Endpoint, trouble: Trouble, least: float, most: float
) -> None:
    served.troubles = [trouble]
    client = Client(served, manners=Manners(timeout=5, attempts=4, pause=0, patience=4000))
    assert client.ask()
    [wait] = client.waits
    assert least <= wait <= most
    assert len(served.queries) == 2
    [said] = client.said
    assert said.startswith("The endpoint ") and "asking again in" in said


def test_waits_double_and_then_it_gives_up_with_the_number(served: fake.Endpoint) -> None:
    served.troubles = [refused(500, b"boom")] * 9
    client = Client(served)
    with pytest.raises(EndpointFailed, match=r"Given up after 4 attempts: the endpoint has a fault of its own \(500\)"):
        client.ask()
    assert len(served.queries) == 4
    assert [1 <= client.waits[0] <= 2, 2 <= client.waits[1] <= 4, 4 <= client.waits[2] <= 8] == [True] * 3


@pytest.mark.parametrize(
    "trouble", [refused(500, b"...TimeoutException..."), out_of_time, cut, refused(504, b"request timeout")]
)
def test_what_is_too_much_is_said_to_be_after_two_tries(served: fake.Endpoint, trouble: Trouble) -> None:
    served.troubles = [trouble] * 9
    with pytest.raises(AskedTooMuch):
        Client(served).ask()
    assert len(served.queries) == 2


def test_silence_is_too_much_too(served: fake.Endpoint) -> None:
    served.troubles = [asleep(0.5)] * 9
    with pytest.raises(AskedTooMuch, match=r"did not answer within 0\.1 seconds"):
        Client(served, manners=Manners(timeout=0.1, attempts=3, pause=0)).ask()
    time.sleep(0.6)  # The server's own threads end before it is looked at again.
    served.at_once = 1


def test_a_trickle_is_not_waited_for_for_ever(served: fake.Endpoint) -> None:
    def trickle(handler: fake.Handler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/sparql-results+json")
        handler.end_headers()
        handler.close_connection = True
        for byte in body[:40]:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.02)

    served.troubles = [trickle]
    with pytest.raises(AskedTooMuch, match="took too long to send"):
        Client(served, manners=Manners(timeout=0.1, attempts=1, pause=0)).ask()
    time.sleep(0.7)


def test_more_than_an_answer_can_be_is_not_read_on(served: fake.Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "LARGEST_ANSWER", 50)
    with pytest.raises(AskedTooMuch, match="more than an answer can be"):
        Client(served).ask()


def test_a_long_wait_is_not_waited_out(served: fake.Endpoint) -> None:
    served.troubles = [refused(429, Retry_After="86400")]
    client = Client(served)
    with pytest.raises(EndpointFailed, match=r"left alone for 24 hours\. Give the same command again"):
        client.ask()
    assert client.waits == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "cannot read the question"),
        (401, "wants a login"),
        (403, "REGISTRY_WIKIDATA_CONTACT"),
        (404, "REGISTRY_WIKIDATA_ENDPOINT"),
        (301, "has moved"),
        (418, "answers 418"),
    ],
)
def test_what_does_not_pass_is_not_asked_again(served: fake.Endpoint, status: int, words: str) -> None:
    served.troubles = [refused(status, b"<html>secret</html>", Location="http://127.0.0.1/elsewhere")]
    with pytest.raises(EndpointFailed, match=words) as failed:
        Client(served).ask()
    assert "secret" not in str(failed.value)
    assert len(served.queries) == 1


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"boolean": true}', b'{"results": {"bindings": [1]}}', b"null"])
def test_json_of_another_kind_is_refused(served: fake.Endpoint, body: bytes) -> None:
    served.troubles = [lambda handler, _body: fake.answered(handler, body)]
    with pytest.raises(EndpointFailed, match="holds no SPARQL results"):
        Client(served).ask()


def test_an_endpoint_that_is_not_there_is_given_up(served: fake.Endpoint) -> None:
    client = Client(served)
    client.served = fake.Endpoint(served.world, url="http://127.0.0.1:9/sparql")
    with pytest.raises(EndpointFailed, match="Given up after 4 attempts: the endpoint cannot be reached"):
        client.ask()


def test_a_pause_is_kept_between_questions(served: fake.Endpoint) -> None:
    client = Client(served, manners=Manners(pause=30))
    with client.endpoint() as asked:
        asked.ask(QUESTION)
        assert client.waits == []
        asked.ask(QUESTION)
    assert 29 < client.waits[0] <= 30


@pytest.mark.parametrize("contact", ["", "  ", "müller", "a\r\nHost: b", "a) (b"])
def test_without_a_contact_nothing_is_asked(contact: str) -> None:
    with pytest.raises(InvalidValue, match="REGISTRY_WIKIDATA_CONTACT"):
        Endpoint("http://127.0.0.1:9/", contact=contact)


@pytest.mark.parametrize(
    "url", ["", "query.wikidata.org", "file:///etc/passwd", "https://", "http://[x", "http://a:99999/"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue, match="REGISTRY_WIKIDATA_ENDPOINT"):
        Endpoint(url, contact=CONTACT)


def test_the_other_ways_of_the_protocol_are_spoken_by_the_tests_endpoint_as_well(served: fake.Endpoint) -> None:
    headers = {"Accept": "application/sparql-results+json", "User-Agent": "test (http://example.org)"}
    got = httpx2.get(served.url, params={"query": QUESTION}, headers=headers)
    sent = httpx2.post(served.url, content=QUESTION, headers=headers | {"Content-Type": "application/sparql-query"})
    assert got.json() == sent.json()
    assert httpx2.get(served.url, params={"query": QUESTION}).status_code == 403


# --- answers that are kept -----------------------------------------------------------------------------------------


def test_a_run_that_was_stopped_goes_on_where_it_stopped(served: fake.Endpoint, tmp_path: Path) -> None:
    served.world = towns(40)
    whole = Client(served, folder=tmp_path / "whole").harvest(page_size=20)
    asked = len(served.queries)
    assert asked == 8

    served.queries.clear()
    served.troubles = [None] * 6 + [refused(500, b"boom")] * 4
    client = Client(served, folder=tmp_path / "stopped")
    with pytest.raises(EndpointFailed):
        client.harvest(page_size=20)
    again = client.harvest(page_size=20)
    assert (again.kept, again.asked) == (6, asked - 6)
    assert list(again.rows()) == list(whole.rows())
    assert again.sha256 == whole.sha256


def test_what_was_checked_is_applied_without_asking_again(served: fake.Endpoint, tmp_path: Path) -> None:
    served.world = towns(5)
    client = Client(served, folder=tmp_path)
    first = client.harvest()
    served.queries.clear()
    second = client.harvest()
    assert served.queries == []
    assert list(second.rows()) == list(first.rows())
    assert (second.begun, second.sha256) == (first.begun, first.sha256)


@pytest.mark.parametrize(
    "options", [{"fresh": True}, {"now": lambda: time.time() + 3601}, {"now": lambda: time.time() - 60}]
)
def test_old_answers_are_not_used_and_fresh_ones_can_be_asked_for(
    served: fake.Endpoint, tmp_path: Path, options: dict[str, object]
) -> None:
    served.world = towns(5)
    client = Client(served, folder=tmp_path)
    client.harvest()
    served.world.items["Q1001"].labels["en"] = "Newtown"
    harvest = client.harvest(**options)
    assert harvest.kept == 0
    assert next(harvest.rows()).places[0].name == "Newtown"


def test_another_wish_has_answers_of_its_own(served: fake.Endpoint, tmp_path: Path) -> None:
    served.world = towns(5)
    client = Client(served, folder=tmp_path)
    client.harvest()
    client.harvest(Wish(languages=("de",)))
    assert client.harvest().asked == 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_bytes(gzip.compress(b'{"a": 1}')),
        lambda path: path.write_bytes(gzip.compress(b"[[1]]")),
        lambda path: path.write_bytes(b"\x1f\x8b" + b"x" * 40),
    ],
)
def test_a_spoilt_answer_is_asked_for_again(
    served: fake.Endpoint, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    served.world = towns(5)
    client = Client(served, folder=tmp_path)
    rows = list(client.harvest().rows())
    for path in tmp_path.glob("*/*.answer.gz"):
        spoil(path)
    (tmp_path / "unfinished").mkdir()
    again = client.harvest()
    assert list(again.rows()) == rows
    assert again.kept == 0


def test_two_runs_do_not_ask_at_once(served: fake.Endpoint, tmp_path: Path) -> None:
    client = Client(served, folder=tmp_path)
    with (
        client.endpoint() as asked,
        answers.opened(asked, tmp_path, WISH, keep_hours=1),
        pytest.raises(StateConflict, match="under way"),
        answers.opened(asked, tmp_path, Wish(("JP",)), keep_hours=1),
    ):
        pass
    with client.endpoint() as asked, answers.opened(asked, tmp_path, WISH, keep_hours=1):
        pass


def test_nothing_half_written_is_left_when_the_disk_is_full(
    served: fake.Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.world = towns(3)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    client = Client(served, folder=tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(answers.os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            client.harvest()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["lock"]
    assert client.harvest().asked > 0


# --- questions that are too much -----------------------------------------------------------------------------------


def test_a_page_that_is_too_much_is_halved_and_nothing_is_lost(served: fake.Endpoint, tmp_path: Path) -> None:
    served.world = towns(60)

    def too_long(query: str) -> Trouble | None:
        limit = int(query.rpartition("LIMIT ")[2]) if "LIMIT" in query else 0
        return out_of_time if limit > 25 else None

    served.trouble_for = too_long
    harvest = Client(served, folder=tmp_path).harvest(page_size=100)
    assert len(list(harvest.rows())) == 59
    assert len(harvest.known.statements) == 118


def test_a_description_that_is_too_much_is_asked_for_in_halves(served: fake.Endpoint, tmp_path: Path) -> None:
    served.world = towns(30)
    served.trouble_for = lambda query: cut if query.count("wd:Q10") // 8 > 6 else None
    harvest = Client(served, folder=tmp_path).harvest()
    assert {place.name for row in harvest.rows() for place in row.places} == {f"Town {n}" for n in range(30)}


def test_what_stays_too_much_is_given_up_with_all_answers_kept(served: fake.Endpoint, tmp_path: Path) -> None:
    served.world = towns(30)
    served.trouble_for = lambda query: out_of_time if "administrative bodies of DE" in query else None
    client = Client(served, folder=tmp_path)
    with pytest.raises(AskedTooMuch):
        client.harvest(page_size=40)
    assert [query.rpartition("LIMIT ")[2].strip() for query in served.queries[1:]] == ["40"] * 2 + ["20"] * 2 + [
        "10"
    ] * 2
    served.trouble_for = lambda _query: None
    assert client.harvest(page_size=40).kept == 1


def test_pages_in_another_order_than_asked_for_are_refused(served: fake.Endpoint, tmp_path: Path) -> None:
    served.world = towns(30)
    whole = served.world._listing
    served.world._listing = lambda query: list(reversed(whole(query)))  # type: ignore[method-assign]
    with pytest.raises(EndpointFailed, match="order"):
        Client(served, folder=tmp_path).harvest()


def test_pages_that_are_shorter_than_they_should_be_are_noted(served: fake.Endpoint, tmp_path: Path) -> None:
    served.world = towns(30)
    whole = served.world._listing
    served.world._listing = lambda query: whole(query)[:20]  # type: ignore[method-assign]
    [note] = Client(served, folder=tmp_path).harvest().notes
    assert note.startswith("DE: the endpoint counted 58 statements and listed 20")


def test_an_endpoint_of_something_else_is_noticed(served: fake.Endpoint, tmp_path: Path) -> None:
    served.troubles = [
        lambda handler, _body: fake.answered(
            handler, b'{"head":{},"results":{"bindings":[{"s":{"type":"uri","value":"x"}}]}}'
        )
    ]
    with pytest.raises(EndpointFailed, match="leaves out what was asked for"):
        Client(served, folder=tmp_path).harvest()
