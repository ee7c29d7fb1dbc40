"""From a wish to rows: which questions are asked, in what order, and what is done where one is too much."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.exchange.records import PartnershipRow
from app.exchange.wikidata import facts, pairing, queries
from app.exchange.wikidata.answers import Answers
from app.exchange.wikidata.endpoint import AskedTooMuch, EndpointFailed, Row
from app.exchange.wikidata.kinds import KIND_OF_CLASS, kind_of
from app.exchange.wikidata.queries import Area, Wish

#: What is asked for in one description: an answer of some thousand rows.
STATEMENTS_AT_ONCE = 150
BODIES_AT_ONCE = 100
CLASSES_AT_ONCE = 100
DOCUMENTS_AT_ONCE = 200
#: A page of so few is not cut any more when it is too much.
SMALLEST_PAGE = 10

ELSEWHERE = "no country with a code"

Progress = Callable[[str, int, int], None]
"""What is being fetched, how many of them are there, and of how many (0: not known)."""


@dataclass(frozen=True, slots=True)
class Harvest:
    """What Wikidata says, as rows for the importer. `begun`: when the oldest of the answers was fetched; `sha256`:
    of all answers; `notes`: what the report has to say about the whole."""

    known: pairing.Known
    begun: datetime
    sha256: str
    asked: int
    kept: int
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What was asked for and when, for the history."""
        wish = self.known.wish
        told = [", ".join(wish.countries) or "all countries", *([f"since {wish.since}"] if wish.since else [])]
        return f"Wikidata ({', '.join(told)}; as of {self.begun:%Y-%m-%d})"

    def rows(self) -> Iterator[PartnershipRow]:
        """One row for each agreement; the same answers give the same rows."""
        return pairing.rows(self.known)


@dataclass(slots=True)
class _Work:
    answers: Answers
    wish: Wish
    page_size: int
    progress: Progress
    notes: list[str] = field(default_factory=list)


def harvest(answers: Answers, wish: Wish, *, page_size: int, progress: Progress = lambda *_: None) -> Harvest:
    """Ask for all that is wished for. Raises EndpointFailed; the answers had by then are kept, and the next run
    goes on with them."""
    work = _Work(answers, wish, page_size, progress)
    statements = _listed(work)
    lasting = [each.id for each in statements.values() if not each.deprecated]
    for rows in _described(work, "Statements", lasting, queries.statements, STATEMENTS_AT_ONCE):
        facts.describe_statements(statements, rows)
    bodies = _bodies(work, statements.values())
    known = pairing.Known(
        wish=wish,
        statements=statements,
        bodies=bodies,
        supers=_supers(work, bodies.values()),
        documents=_documents(work, statements.values()),
    )
    _count_deprecated(work, statements.values())
    begun = datetime.fromtimestamp(answers.begun, UTC)
    return Harvest(known, begun, answers.sha256, answers.asked, answers.kept, tuple(work.notes))


# --- listings ----------------------------------------------------------------------------------------------------


def _listed(work: _Work) -> dict[str, facts.Statement]:
    """All statements of the wish, each once, in the order in which they are found."""
    areas = _areas(work)
    promised = sum(area.promised for area in areas)
    found: dict[str, facts.Statement] = {}
    for area in areas:
        listed = 0
        for statement in _pages(work, area):
            listed += 1
            found.setdefault(statement.id, statement)
            work.progress("Listing", len(found), max(promised, len(found)))
        if listed < area.promised:
            work.notes.append(
                f"{area.code}: the endpoint counted {area.promised} statements and listed {listed}; Wikidata may have"
                " changed meanwhile. `--fresh` asks anew."
            )
    return found


def _areas(work: _Work) -> list[Area]:
    """The countries that have statements, by code; at last, where all were wished for, what lies in none."""
    items: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for row in _complete(work.answers.get(queries.areas(work.wish)), "code", "country", "count"):
        item, code = facts.item_of(row["country"]), row["code"].text.upper()
        if item:
            items.setdefault(code, []).append(item)
            # Two items of one country (Denmark, and the kingdom) count the same cities: the larger count is sure.
            counts[code] = max(counts.get(code, 0), _whole(row["count"].text))
    for code in work.wish.countries:
        if code not in items:
            work.notes.append(f"{code}: the endpoint has no twinned body there{_since(work.wish)}.")
    areas = [Area(code, tuple(sorted(items[code])), counts[code]) for code in sorted(items)]
    return areas if work.wish.countries else [*areas, Area(ELSEWHERE)]


def _since(wish: Wish) -> str:
    return f" that changed since {wish.since.isoformat()}" if wish.since else ""


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _pages(work: _Work, area: Area) -> Iterator[facts.Statement]:
    """Page by page, each after the last key of the one before. A page that is too much is halved."""
    after = ""
    while True:
        try:
            rows = work.answers.get(queries.listing(work.wish, area, after=after, limit=work.page_size))
        except AskedTooMuch:
            if work.page_size <= SMALLEST_PAGE:
                raise
            work.page_size = max(SMALLEST_PAGE, work.page_size // 2)
            continue
        keys = [row["key"].text for row in _complete(rows, "key", "statement", "item", "rank")]
        if sorted({*keys, after}) != [after, *keys]:
            raise EndpointFailed("The endpoint does not keep to the order that was asked for, so its pages lose some.")
        yield from filter(None, map(facts.listed, rows))
        if len(rows) < work.page_size:
            return
        after = keys[-1]


# --- descriptions ------------------------------------------------------------------------------------------------


def _described(
    work: _Work, what: str, ids: Sequence[str], question: Callable[[Sequence[str]], str], at_once: int
) -> Iterator[list[Row]]:
    """The rows of each lot of ids."""
    for start in range(0, len(ids), at_once):
        work.progress(what, start, len(ids))
        yield from _halved(work, ids[start : start + at_once], question)
    work.progress(what, len(ids), len(ids))


def _halved(work: _Work, ids: Sequence[str], question: Callable[[Sequence[str]], str]) -> Iterator[list[Row]]:
    """A lot that is too much is asked for in halves, down to single ones."""
    try:
        rows = work.answers.get(question(ids))
    except AskedTooMuch:
        if len(ids) == 1:
            raise
        middle = len(ids) // 2
        yield from _halved(work, ids[:middle], question)
        yield from _halved(work, ids[middle:], question)
    else:
        yield _complete(rows, "subject", "what")


def _bodies(work: _Work, statements: Iterable[facts.Statement]) -> dict[str, facts.Body]:
    """All items that the statements are about, and those into which some of them were merged."""
    wanted = {item for each in statements if not each.deprecated for item in (each.item, each.twin) if item}
    bodies: dict[str, facts.Body] = {}
    asked: set[str] = set()
    while wanted - asked:
        lot = sorted(wanted - asked, key=_by_number)
        asked.update(lot)
        for rows in _described(
            work, "Cities", lot, lambda ids: queries.bodies(ids, languages=work.wish.languages), BODIES_AT_ONCE
        ):
            facts.describe_bodies(bodies, rows)
        wanted.update(body.same for body in bodies.values() if body.same)
    return bodies


def _supers(work: _Work, bodies: Iterable[facts.Body]) -> dict[str, set[str]]:
    """Of the classes of those bodies whose own classes do not tell their kind."""
    strange = {each for body in bodies if kind_of(body.classes) is None for each in body.classes}
    supers: dict[str, set[str]] = {}
    for rows in _described(
        work,
        "Kinds",
        sorted(strange, key=_by_number),
        lambda ids: queries.classes(ids, among=KIND_OF_CLASS),
        CLASSES_AT_ONCE,
    ):
        for row in rows:
            subject, root = facts.item_of(row["subject"]), facts.item_of(row.get("value"))
            if subject and root:
                supers.setdefault(subject, set()).add(root)
    return supers


def _documents(work: _Work, statements: Iterable[facts.Statement]) -> dict[str, dict[str, str]]:
    """Labels of what references say a statement is stated in or was imported from."""
    wanted = {
        item
        for statement in statements
        for reference in statement.references.values()
        for item in (*reference.stated_in, *reference.imported_from)
    }
    labels: dict[str, dict[str, str]] = {}
    for rows in _described(
        work,
        "Documents",
        sorted(wanted, key=_by_number),
        lambda ids: queries.names(ids, languages=work.wish.languages),
        DOCUMENTS_AT_ONCE,
    ):
        for row in rows:
            item, value = facts.item_of(row["subject"]), row.get("value")
            if item and value is not None and value.text:
                labels.setdefault(item, {})[value.language] = value.text
    return labels


def _by_number(item: str) -> int:
    return int(item[1:])


def _complete(rows: list[Row], *needed: str) -> list[Row]:
    """The rows, if each has what was asked for. Raises EndpointFailed: another thing than Wikidata answers."""
    if not all(name in row for row in rows for name in needed):
        raise EndpointFailed("The endpoint leaves out what was asked for: does it keep Wikidata's data?")
    return rows


def _count_deprecated(work: _Work, statements: Iterable[facts.Statement]) -> None:
    count = sum(each.deprecated for each in statements)
    if count:
        work.notes.append(f"{count} statements were left out: Wikidata keeps them as deprecated, that is as wrong.")
