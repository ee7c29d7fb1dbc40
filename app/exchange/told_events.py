"""What a row says of a partnership's life: its kind, and its dates and status as events.

Few rows of a file differ in this, so what some cells say is worked out once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import orjson

from app.domain import lifecycle
from app.domain.fuzzy_dates import FuzzyDate, excludes_order, may_coincide, parse
from app.errors import EventRefused, InvalidValue
from app.exchange import cells
from app.exchange.cells import Reading
from app.exchange.records import DatedEvent, Fault

PAIR = 2
UNKNOWN = "unknown"

#: Column → the event that its date is, in the order of a usual life.
EVENTS = {
    "proposed": "proposed", "decided": "decided", "signed": "signed", "established": "signed",
    "suspended": "suspended", "resumed": "resumed", "renewed": "renewed", "ended": "ended",
}  # fmt: skip
_STILL = "present ongoing today now current heute laufend aujourd'hui actualidad presente oggi 現在"
_LASTS = frozenset(_STILL.split())
# The type of an edge in a list of edges; a partnership has no direction.
_OF_EDGES = frozenset({"directed", "undirected"})
#: The event that brings a status about which no date explains; where something went before, see `_explained`.
_BY_STATUS = {"proposed": "proposed", "active": "signed", "suspended": "suspended", "ended": "ended"}


class Told(NamedTuple):
    """What the cells say, with what is wrong and what was mended."""

    kind: str | None
    wording: str | None
    status: str | None
    events: tuple[DatedEvent, ...]
    faults: tuple[Fault, ...]
    remarks: tuple[str, ...]


#: Columns that this module reads.
COLUMNS = ("kind", "status", "events", *EVENTS, *(f"{column}_precision" for column in ("established", "ended")))


@lru_cache(maxsize=16_384)
def told(columns: tuple[str, ...], values: tuple[str, ...]) -> Told:
    """What the values of these columns (some of COLUMNS) say."""
    said, reading = dict(zip(columns, values, strict=True)), Reading()
    said_kind = "" if said.get("kind", "").casefold() in _OF_EDGES else said.get("kind", "")
    kind, wording = reading.take(cells.partnership_kind, said_kind, "kind") or (None, None)
    status = reading.take(_status, said.get("status", ""), "status")
    events = _events(reading, said)
    if status == UNKNOWN and events:
        # Nobody knowing how it stands today does not make the dates wrong.
        reading.remarks.append(f"status: The row calls it {UNKNOWN}; its dates ({_listed_dates(events)}) were taken.")
        status = None
    if status and not reading.faults:
        events = _with_status(reading, events, status)
    return Told(kind, wording, status, events, tuple(reading.faults), tuple(reading.remarks))


def _status(text: str, column: str) -> str:
    return cells.choice(text, "STATUSES", column)


def _events(reading: Reading, said: dict[str, str]) -> tuple[DatedEvent, ...]:
    found: list[DatedEvent] = []
    for column, type_ in EVENTS.items():
        text = said.get(column, "")
        if not text or (column == "ended" and text.casefold() in _LASTS):
            continue
        for each in text.split(";"):
            date = reading.date(each.strip(), column, precision=said.get(f"{column}_precision", ""))
            if date:
                found.append(DatedEvent(type_, date))
    _only_one_signing(reading, found, said)
    if text := said.get("events", ""):
        found += _listed(reading, text)
    return _in_order(tuple(found))


def _only_one_signing(reading: Reading, found: list[DatedEvent], said: dict[str, str]) -> None:
    """`signed` and `established` are one event: the closer date stays, and contradicting ones are a fault."""
    if not (said.get("signed") and said.get("established")):
        return
    dates = [parse(event.date) for event in found if event.type == "signed" and event.date]
    if len(dates) != PAIR:
        return
    if not may_coincide(*dates):
        reason = f"The row says {dates[0].text} for the signing and {dates[1].text} here: which is it?"
        reading.faults.append(Fault("established", reason))
    closer = min(dates, key=lambda date: date.latest - date.earliest).text
    place = next(place for place, event in enumerate(found) if event.type == "signed")
    found[:] = [event for event in found if event.type != "signed"]
    found.insert(place, DatedEvent("signed", closer))


def _listed(reading: Reading, text: str) -> list[DatedEvent]:
    """A column of events: a JSON list of `{type, date, note}`, or `signed 1973; renewed 1998`."""
    return reading.take(_from_json if text.startswith("[") else _from_words, text, "events") or []


def _from_json(text: str, column: str) -> list[DatedEvent]:
    try:
        listed = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidValue("This list of events is no JSON.", field=column) from None
    events: list[DatedEvent] = []
    for each in listed:
        if not isinstance(each, dict) or not isinstance(each.get("type"), str):
            raise InvalidValue("An event is {type, date, note}.", field=column)
        if each.get("declared_by") or each.get("in_place_of"):
            message = "An event of one member alone can be brought in by our own export only."
            raise InvalidValue(message, field=column)
        date = cells.date(str(each["date"]), column).date if each.get("date") else None
        note = cells.note(str(each["note"]), column) if each.get("note") else None
        type_ = cells.choice(each["type"], "EVENTS", column)
        events.append(DatedEvent(type_, date.text if date else None, note))
    return events


def _from_words(text: str, column: str) -> list[DatedEvent]:
    events: list[DatedEvent] = []
    for each in filter(None, map(str.strip, text.split(";"))):
        word, _, rest = each.partition(" ")
        type_ = cells.choice(word.rstrip(":"), "EVENTS", column)
        date = cells.date(rest.strip(), column).date if rest.strip() else None
        events.append(DatedEvent(type_, date.text if date else None))
    return events


@lru_cache(maxsize=16_384)
def _in_order(events: tuple[DatedEvent, ...]) -> tuple[DatedEvent, ...]:
    """By date where the dates tell, else as in a usual life (as they come)."""
    ordered: list[DatedEvent] = []
    for event in events:
        at = len(ordered)
        while at and event.date and _certainly_later(ordered[at - 1], event.date):
            at -= 1
        ordered.insert(at, event)
    return tuple(ordered)


def _certainly_later(event: DatedEvent, date: str) -> bool:
    return event.date is not None and excludes_order(parse(event.date), parse(date))


def _with_status(reading: Reading, events: tuple[DatedEvent, ...], status: str) -> tuple[DatedEvent, ...]:
    explained = _explained(events, status)
    if explained is None:
        reason = f"The status {status} contradicts the dates ({_listed_dates(events)}): mend one of them."
        reading.faults.append(Fault("status", reason))
        return events
    return explained


def _listed_dates(events: tuple[DatedEvent, ...]) -> str:
    return ", ".join(f"{event.type} {event.date or ''}".strip() for event in events)


@lru_cache(maxsize=16_384)
def _explained(events: tuple[DatedEvent, ...], status: str) -> tuple[DatedEvent, ...] | None:
    """The events, with an undated one more where they do not add up to the status; None where that cannot be."""
    now = _status_of(events)
    if now == status or (status == UNKNOWN and not events):
        return events
    if status not in _BY_STATUS or now is None:
        return None
    one_more = _BY_STATUS[status]
    if status == "active" and now in ("suspended", "ended"):
        return None
    with_it = (*events, DatedEvent(one_more))
    return with_it if _status_of(with_it) == status else None


def _status_of(events: Sequence[DatedEvent]) -> str | None:
    """What the events add up to between two cities; None where they cannot follow each other."""
    dated = [lifecycle.Event(event.type, _fuzzy(event.date)) for event in events]
    try:
        return lifecycle.unfold((1, 2), dated).status
    except EventRefused:
        return None


def _fuzzy(date: str | None) -> FuzzyDate | None:
    return parse(date) if date else None
