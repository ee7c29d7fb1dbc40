"""Two directions are one partnership: what the statements of a pair say together, as rows for the importer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.domain.fuzzy_dates import FuzzyDate, describe, excludes_order, may_coincide
from app.exchange.records import DatedEvent, Fault, PartnershipRow, Place, SourceNamed
from app.exchange.wikidata.facts import Body, Dates, Reference, Statement, name_of
from app.exchange.wikidata.kinds import kind_of
from app.exchange.wikidata.queries import Wish

_PAGE = "https://www.wikidata.org/wiki/"
#: The one source of all rows; where in it a row stands is each citation's locator.
SOURCE = SourceNamed(title="Wikidata", url="https://www.wikidata.org/")
_LONGEST_URL = 2000
_LONGEST_TITLE = 500

_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*\Z")

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """All that was fetched. `supers`: class → those of our table that it is a subclass of; `documents`: item →
    its labels."""

    wish: Wish
    statements: Mapping[str, Statement]
    bodies: Mapping[str, Body]
    supers: Mapping[str, set[str]]
    documents: Mapping[str, Mapping[str, str]]

    def body(self, item: str) -> Body:
        """The body of an item, or of that which it was merged into."""
        for _ in range(5):
            body = self.bodies.get(item, Body(item))
            if body.same is None or body.same not in self.bodies:
                break
            item = body.same
        return body

    def title(self, item: str) -> str:
        """How a person would recognise a body: its name and its item."""
        body = self.body(item)
        name = name_of(body.labels, self.wish.languages)
        return f"{name} ({body.item})" if name else body.item


def rows(known: Known) -> Iterator[PartnershipRow]:
    """One row for each agreement, numbered from 1, in the order of the items' numbers. Statements that are
    deprecated make no row."""
    number = 0
    for pair, statements in _pairs(known):
        for group in _agreements(known, statements):
            number += 1
            yield _row(known, number, pair, group)


def one_sided(known: Known, group: Sequence[Statement]) -> bool:
    """Only one of the two items names the other."""
    return len({known.body(each.item).item for each in group}) == 1


def _pairs(known: Known) -> list[tuple[Pair, list[Statement]]]:
    """Statements by their two items, the lower number first. A twin that is not known makes a pair of its own."""
    found: dict[Pair, list[Statement]] = {}
    for statement in known.statements.values():
        if not statement.deprecated:
            item = known.body(statement.item).item
            twin = known.body(statement.twin).item if statement.twin else f"?{statement.id}"
            first, second = sorted((item, twin), key=_by_number)
            found.setdefault((first, second), []).append(statement)
    return sorted(found.items(), key=lambda entry: tuple(map(_by_number, entry[0])))


def _by_number(item: str) -> tuple[int, str]:
    return (int(item[1:]) if item[1:].isdigit() else 10**12, item)


# --- which statements speak of the same agreement ----------------------------------------------------------------


def _agreements(known: Known, statements: list[Statement]) -> list[list[Statement]]:
    """As a rule all of them. Where one item names the other twice, with periods that cannot be one (1960 to 1990,
    and again from 2005), each period is an agreement, and the other item's statements go where their dates fit."""
    sides: dict[str, list[list[Statement]]] = {}
    for each in sorted(statements, key=_in_time):
        _put(sides.setdefault(known.body(each.item).item, []), each)
    first, *others = (sides[item] for item in sorted(sides, key=_by_number))
    second = others[0] if others else []
    if len(first) <= 1 and len(second) <= 1:
        return [[*(first[0] if first else ()), *(second[0] if second else ())]]
    agreements = [list(group) for group in first]
    for group in second:
        fitting = next((each for each in agreements if all(_fit(a, b) for a in each for b in group)), None)
        if fitting is None:
            agreements.append(group)
        else:
            fitting.extend(group)
    return sorted(agreements, key=lambda group: _in_time(group[0]))


def _put(groups: list[list[Statement]], statement: Statement) -> None:
    for group in groups:
        if all(_fit(each, statement) for each in group):
            group.append(statement)
            return
    groups.append([statement])


def _fit(a: Statement, b: Statement) -> bool:
    """They may speak of the same period: no start and no end of the one excludes the other's."""
    return _meet(_starts(a), _starts(b)) and _meet(a.end, b.end)


def _meet(a: Dates, b: Dates) -> bool:
    return not (a.dates and b.dates) or may_coincide(a.dates[0], b.dates[0])


def _starts(statement: Statement) -> Dates:
    """`point in time` where no start is given: it is when the twinning was sealed."""
    return statement.start if statement.start.given else statement.point


def _in_time(statement: Statement) -> tuple[str, str]:
    dates = _starts(statement).dates
    return (dates[0].earliest.isoformat() if dates else "9999", statement.id)


# --- the row -----------------------------------------------------------------------------------------------------


def _row(known: Known, number: int, pair: Pair, group: list[Statement]) -> PartnershipRow:
    remarks: list[str] = []
    events, faults = _events(known, group, remarks)
    places = (
        tuple(_place(known, item, remarks) for item in dict.fromkeys(pair))
        if pair[0] != pair[1]
        else ((_place(known, pair[0], remarks),) * 2)
    )
    if any(each.twin is None for each in group):
        faults = (Fault("city2", f"Wikidata says that {known.title(group[0].item)} has a twin, and not which."),)
    elif one_sided(known, group) and pair[0] != pair[1]:
        names, named = group[0].item, group[0].twin or ""
        remarks.append(f"One-sided: {known.title(names)} names {known.title(named)}, not the other way round.")
    return PartnershipRow(
        number=number,
        places=places,
        events=events,
        sources=_sources(known, group),
        remarks=tuple(dict.fromkeys(remarks)),
        faults=faults,
    )


def _place(known: Known, item: str, remarks: list[str]) -> Place:
    if item.startswith("?"):
        return Place()
    body = known.body(item)
    position = min(body.positions) if body.positions else (None, None)
    if len(body.countries) > 1:
        listed = " and ".join(sorted(body.countries))
        remarks.append(f"Wikidata has {known.title(item)} in {listed}; its country was left open.")
    population = max(body.populations, default=None)
    name = name_of(body.labels, known.wish.languages) or next((text for _, text in sorted(body.native)), "")
    return Place(
        name=name,
        country=next(iter(body.countries)) if len(body.countries) == 1 else "",
        latitude=position[0],
        longitude=position[1],
        identifiers=(f"wikidata:{body.item}", *(f"geonames:{each}" for each in _geonames(body))),
        kind=_kind(known, body),
        population=population[1] if population else None,
        names=_names(body, name),
    )


def _geonames(body: Body) -> list[str]:
    """One, or none: of several, one is the city and the others are what lies around it."""
    usable = [each for each in body.geonames if each.isascii() and each.isdigit() and each[0] != "0"]
    return usable if len(usable) == 1 else []


def _kind(known: Known, body: Body) -> str | None:
    """By its own classes, or else by what those are subclasses of."""
    return kind_of(body.classes) or kind_of(up for each in body.classes for up in known.supers.get(each, ()))


def _names(body: Body, name: str) -> tuple[tuple[str, str], ...]:
    """(text, language), each text once: one language of several that write it alike is enough to find it."""
    found: dict[str, str] = {}
    for language, text in (*sorted(body.native), *sorted(body.labels.items())):
        found.setdefault(text, language)
    return tuple((text, _tag(language)) for text, language in found.items() if text != name)


def _tag(language: str) -> str:
    """A BCP 47 tag: some of Wikidata's codes are none (simple, be-x-old)."""
    return language if _TAG.match(language) else "und"


def _events(
    known: Known, group: list[Statement], remarks: list[str]
) -> tuple[tuple[DatedEvent, ...], tuple[Fault, ...]]:
    remarks.extend(remark for each in group for dates in (each.start, each.end, each.point) for remark in dates.remarks)
    begun = [each for each in group if _starts(each).given]
    over = [each for each in group if each.end.given]
    signed = _agreed(known, begun, dates_of=_starts, choose=min, what="began", remarks=remarks)
    ended = _agreed(known, over, dates_of=lambda each: each.end, choose=max, what="ended", remarks=remarks)
    events: list[DatedEvent] = []
    if begun:
        events.append(DatedEvent("signed", signed.text if signed else None))
    if over:
        events.append(DatedEvent("ended", ended.text if ended else None, _whose_end(known, group, over)))
    if signed and ended and excludes_order(signed, ended):
        reason = f"By Wikidata it ended ({describe(ended)}) before it began ({describe(signed)}): mend it there."
        return tuple(events), (Fault("ended", reason),)
    return tuple(events), ()


def _agreed(
    known: Known,
    statements: Iterable[Statement],
    *,
    dates_of: Callable[[Statement], Dates],
    choose: Callable[..., FuzzyDate],
    what: str,
    remarks: list[str],
) -> FuzzyDate | None:
    """The date that all give; of dates that may be the same day the most exact; else the outermost, with a word."""
    said = [(date, each.item) for each in statements for date in dates_of(each).dates]
    if not said:
        return None
    dates = {date for date, _ in said}
    exact = min(dates, key=lambda date: (date.latest - date.earliest, date.earliest))
    if all(may_coincide(exact, date) for date in dates):
        return exact
    chosen = choose(dates, key=lambda date: (date.earliest, date.latest))
    told = "; ".join(dict.fromkeys(f"{date.text} by {known.title(item)}" for date, item in said))
    remarks.append(f"Wikidata has several dates on which it {what}: {told}. {chosen.text} was taken.")
    return chosen


def _whose_end(known: Known, group: Sequence[Statement], over: Sequence[Statement]) -> str | None:
    """Who says so, where the other item goes on naming its twin: it may have left alone."""
    ended = {known.body(each.item).item for each in over}
    lasting = {known.body(each.item).item for each in group} - ended
    if not lasting:
        return None
    return f"By Wikidata's item of {known.title(min(ended))}; that of {known.title(min(lasting))} has no end."


# --- sources -----------------------------------------------------------------------------------------------------


def _sources(known: Known, group: Iterable[Statement]) -> tuple[SourceNamed, ...]:
    """Wikidata itself, with the item that says so; then what that refers to."""
    found: list[SourceNamed] = []
    for each in group:
        locator = f"{_PAGE}{each.item}#P190"
        found.append(SourceNamed(title=SOURCE.title, url=SOURCE.url, locator=locator))
    for each in group:
        for _, reference in sorted(each.references.items()):
            found.extend(_documents(known, reference))
    return tuple(dict.fromkeys(found))


def _documents(known: Known, reference: Reference) -> Iterator[SourceNamed]:
    stated = next((name for item in sorted(reference.stated_in) if (name := _document(known, item))), "")
    for url in sorted(filter(_usable, reference.urls)):
        yield SourceNamed(title=(reference.title or stated or urlsplit(url).hostname or url)[:_LONGEST_TITLE], url=url)
    if stated and not any(map(_usable, reference.urls)):
        yield SourceNamed(title=stated, locator=reference.title[:_LONGEST_TITLE])
    for item in sorted(reference.imported_from):
        pages = sorted(filter(_usable, reference.import_urls))
        yield SourceNamed(title=_document(known, item), locator=pages[0] if pages else "")


def _document(known: Known, item: str) -> str:
    labels = known.documents.get(item, {})
    return (name_of(dict(labels), known.wish.languages) or f"Wikidata's item {item}")[:_LONGEST_TITLE]


def _usable(url: str) -> bool:
    """An address as the registry keeps them; Wikidata has some of ftp, and some of nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= _LONGEST_URL and url.isprintable()
