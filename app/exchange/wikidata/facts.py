"""From rows of results to what is known of statements and of bodies. What cannot be used is left out with a word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.domain import fuzzy_dates
from app.domain.fuzzy_dates import FuzzyDate
from app.errors import InvalidDate
from app.exchange.wikidata.endpoint import Row, Term
from app.exchange.wikidata.queries import ANY_LANGUAGE, ENTITY, RANK, STATEMENT

_ITEM = re.compile(re.escape(ENTITY) + r"(Q[1-9][0-9]{0,11})\Z")
_TIME = re.compile(r"\+?([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T.*)?\Z")
_CENTURY, _DECADE, _YEAR, _MONTH, _DAY = 7, 8, 9, 10, 11
_PRECISIONS = range(15)
_EMPTY = Term("literal", "")


@dataclass(frozen=True, slots=True)
class Dates:
    """What a qualifier says: the dates that could be read, in order; `given` also if none could; and why not."""

    given: bool = False
    dates: tuple[FuzzyDate, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(slots=True)
class Reference:
    """A reference of a statement: addresses, the document's title, and the items that it is stated in."""

    urls: list[str] = field(default_factory=list)
    title: str = ""
    stated_in: list[str] = field(default_factory=list)
    imported_from: list[str] = field(default_factory=list)
    import_urls: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Statement:
    """That `item` names `twin` (None: one that Wikidata does not know which). `rank`: preferred, normal or
    deprecated, in the endpoint's own word."""

    id: str
    item: str
    twin: str | None
    rank: str
    start: Dates = field(default_factory=Dates)
    end: Dates = field(default_factory=Dates)
    point: Dates = field(default_factory=Dates)
    references: dict[str, Reference] = field(default_factory=dict)

    @property
    def deprecated(self) -> bool:
        """Wikidata keeps it, and says that it is wrong."""
        return self.rank == "DeprecatedRank"


@dataclass(slots=True)
class Body:
    """An administrative body. `labels`: (language, text), as asked for and native ones; countries: codes."""

    item: str
    labels: dict[str, str] = field(default_factory=dict)
    native: list[tuple[str, str]] = field(default_factory=list)
    countries: set[str] = field(default_factory=set)
    positions: set[tuple[float, float]] = field(default_factory=set)
    populations: set[tuple[int, int]] = field(default_factory=set)
    """(year, people); the year is 0 where none is given."""
    geonames: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    same: str | None = None


def listed(row: Row) -> Statement | None:
    """A row of a listing. None for what is not about an item."""
    item = item_of(row.get("item"))
    address = row["statement"].text
    if item is None or not address.startswith(STATEMENT):
        return None
    rank = row["rank"].text.removeprefix(RANK)
    return Statement(address.removeprefix(STATEMENT), item, item_of(row.get("twin")), rank)


def item_of(term: Term | None) -> str | None:
    """The item that a value is. None for unknown values and for anything else."""
    found = _ITEM.match(term.text) if term is not None and term.kind == "uri" else None
    return found[1] if found else None


def describe_statements(statements: dict[str, Statement], rows: Iterable[Row]) -> None:
    """Put qualifiers and references where they belong."""
    dates: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        statement = statements.get(row["subject"].text.removeprefix(STATEMENT))
        if statement is None:
            continue
        what = row["what"].text
        if what in ("start", "end", "point"):
            dates.setdefault((statement.id, what), []).append(row)
        elif "value" in row and row["value"].kind != "unknown":
            _refer(statement.references.setdefault(row.get("more", _EMPTY).text, Reference()), what, row["value"])
    for (key, what), found in dates.items():
        setattr(statements[key], what, _dates(found))


def _refer(reference: Reference, what: str, value: Term) -> None:
    item = item_of(value)
    if what == "title":
        reference.title = min(filter(None, (reference.title, value.text)))
    elif what == "url":
        reference.urls.append(value.text)
    elif what == "import_url":
        reference.import_urls.append(value.text)
    elif item:
        (reference.stated_in if what == "stated_in" else reference.imported_from).append(item)


def _dates(rows: list[Row]) -> Dates:
    dates: set[FuzzyDate] = set()
    remarks: set[str] = set()
    for row in rows:
        time, precision = row.get("value", _EMPTY), row.get("more", _EMPTY)
        if time.kind == "literal" and time.text:
            try:
                dates.add(edtf(time.text, precision.text))
            except InvalidDate as error:
                remarks.add(f"Wikidata's date {time.text[:40]} was left out: {error.message}")
    return Dates(True, tuple(sorted(dates, key=lambda date: (date.earliest, date.latest))), tuple(sorted(remarks)))


def edtf(time: str, precision: str) -> FuzzyDate:
    """A time of Wikidata's with its precision (11 day, 10 month, 9 year, 8 decade, 7 century) as a fuzzy date.
    Raises InvalidDate for what has none: years before 1, a millennium."""
    form = _TIME.match(time)
    known = int(precision) if precision.isascii() and precision.isdigit() else _DAY
    if form is None or known not in _PRECISIONS:
        raise InvalidDate("it is no date of the years 1 to 9999.")
    if known < _CENTURY:
        raise InvalidDate("it is known to the millennium only.")
    year, month, day = form.groups()
    if known == _CENTURY:
        # Any year of it may stand for it, and the 20th century ends with the year 2000.
        return fuzzy_dates.parse(f"{(int(year) - 1) // 100:02d}XX")
    if known == _DECADE:
        return fuzzy_dates.parse(f"{year[:3]}X")
    # A month or day 00 is not known, whatever the precision says.
    parts = [year, *(month, day)[: known - _YEAR]]
    return fuzzy_dates.parse("-".join(parts[: parts.index("00") if "00" in parts else None]))


def describe_bodies(bodies: dict[str, Body], rows: Iterable[Row]) -> None:
    """Put names, countries, places and the rest where they belong. Bodies that are not there yet are made."""
    for row in rows:
        item = item_of(row["subject"])
        value = row.get("value", _EMPTY)
        if item and value.text:
            _describe(bodies.setdefault(item, Body(item)), row["what"].text, value, row.get("more", _EMPTY))


def _describe(body: Body, what: str, value: Term, more: Term) -> None:
    item = item_of(value)
    if what == "label":
        body.labels[value.language] = value.text
    elif what == "native":
        body.native.append((value.language, value.text))
    elif what == "country":
        body.countries.add(value.text)
    elif what == "position":
        body.positions.update(_position(value.text, more.text))
    elif what == "population":
        body.populations.update(_population(value.text, more))
    elif what == "geonames":
        body.geonames.add(value.text)
    elif what == "class" and item:
        body.classes.add(item)
    elif what == "same" and item:
        body.same = item


def _position(latitude: str, longitude: str) -> list[tuple[float, float]]:
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        return []
    # Some items have longitudes from 0 to 360.
    east = east - 360 if 180 < east <= 360 else east  # noqa: PLR2004
    return [(north, east)] if abs(north) <= 90 and abs(east) <= 180 else []  # noqa: PLR2004


def _population(people: str, when: Term) -> list[tuple[int, int]]:
    try:
        count = float(people)
    except ValueError:
        return []
    if not 0 <= count < 1e12 or count != int(count):  # noqa: PLR2004 (no number of people)
        return []
    form = _TIME.match(when.text)
    return [(int(form[1]) if form else 0, int(count))]


def name_of(labels: dict[str, str], languages: Iterable[str]) -> str:
    """The label in the first language that has one, then the one for all languages; empty if there is none."""
    return next((labels[language] for language in (*languages, ANY_LANGUAGE) if language in labels), "")
