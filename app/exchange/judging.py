"""What a row adds to a partnership: the rules of an import, on plain values.

    the row says …             and the record …                     then
    ────────────────────────   ──────────────────────────────────   ─────────────────────────────────────────────
    these cities               is not known                         created: kind, events, citations of the row
    these cities               its source cites them already        nothing
    these cities               its source does not                  + a citation of the source for `members`
    a value of a field         has the same value                   + the citation, unless the source has said so
    designation, title, note   has none                             + the value, and its citation
    signed on a date           knows no date, but a signing         + the date of that signing, and its citation
    signed on a date           knows neither                        + the event, where its date belongs
    another event, dated       has none of its type, and knows      + the event, if the lifecycle allows it there
                               nothing that came after it
    a remark (renewed,         does not have it                     + the event, where its date belongs
      anniversary, note)
    a status                   is of unknown status                 + an undated event that gives it
    anything else              says otherwise                       + a citation only: the conflict is shown

Nothing to add: *same*. Something: *changed*. What the record says is never overwritten; neither is a date that is
less precise (1973) by one that is more so (1973-11-09): both may be true, and the citation keeps the other.

Which record: the one agreement of exactly these cities that the row can mean. An ended one is not meant by a row
that begins after its end; of several the unended one, then the one of the row's kind. Several left, or a kind in the
row that none of them has: *ambiguous* (the option `insist` makes it one more agreement).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from app.domain import fuzzy_dates, lifecycle, texts
from app.domain.lifecycle import Life
from app.domain.names import fold
from app.errors import EventRefused, InvalidValue, RegistryError
from app.exchange.records import DatedEvent
from app.models.partnerships import EVENT_TYPES, PARTNERSHIP_KINDS, STATUSES
from app.registry.content import Content

#: The undated event that a status becomes which no date explains.
EVENT_OF = {"proposed": "proposed", "active": "signed", "suspended": "suspended", "ended": "ended", "unknown": "note"}
REMARKS = ("renewed", "anniversary", "note")
LONGEST = {"designation": 300, "title": 300, "note": 10_000}
LONGEST_CLAIM = 1_000


@dataclass(frozen=True, slots=True)
class Claim:
    """What a row's source says of a field; value None: what the record says."""

    field: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Saying:
    """What a row says besides its cities, cleaned. `sources`: (number in the staging, locator); `kind` None: it
    says none."""

    kind: str | None
    designation: str | None
    title: str | None
    note: str | None
    status: str | None
    events: tuple[DatedEvent, ...]
    sources: tuple[tuple[int, str | None], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A partnership as it stands, of the registry (`record`) or of an earlier row (`row`) of the file."""

    content: Content
    record: int | None
    row: int | None = None
    draft: int | None = None


@dataclass(frozen=True, slots=True)
class Addition:
    """The content with what the row adds; what that is, in words; where record and row differ, in words."""

    content: Content
    added: tuple[str, ...] = ()
    differs: tuple[str, ...] = field(default=())


# ── A row by itself ──


def saying(said: dict[str, Any], sources: tuple[tuple[int, str | None], ...]) -> Saying:
    """A row's values as the registry keeps them. Raises InvalidValue with the column."""
    kind, status = said.get("kind"), said.get("status")
    _refuse_unlisted(kind, PARTNERSHIP_KINDS, "kind")
    _refuse_unlisted(status, STATUSES, "status")
    return Saying(
        kind, _text(said, "designation"), _text(said, "title"), _text(said, "note"), status,
        tuple(_event(event) for event in said.get("events", ())), sources,
    )  # fmt: skip


def _refuse_unlisted(value: str | None, known: Sequence[str], column: str) -> None:
    if value is not None and value not in known:
        raise InvalidValue(f"This must be one of: {', '.join(known)}.", field=column)


def _text(said: dict[str, Any], name: str) -> str | None:
    return texts.clean_optional(said.get(name), field=name, limit=LONGEST[name], multiline=name == "note")


def _event(event: DatedEvent) -> DatedEvent:
    _refuse_unlisted(event.type, EVENT_TYPES, "events")
    date = None if event.date is None else fuzzy_dates.parse(event.date, field=event.type).text
    note = texts.clean_optional(event.note, field="note", limit=LONGEST["note"], multiline=True)
    return DatedEvent(event.type, date, note)


def life_of(events: Sequence[Content], members: int = 2) -> Life:
    """The life that events of all members give, whoever they are. Raises EventRefused."""
    return _life(tuple((event["type"], event.get("date")) for event in events), members)


@lru_cache(maxsize=4096)
def _life(events: tuple[tuple[str, str | None], ...], members: int) -> Life:
    told = [lifecycle.Event(type_, None if date is None else fuzzy_dates.parse(date)) for type_, date in events]
    return lifecycle.unfold(range(members), told)


def new_content(said: Saying, *, kind: str, members: int) -> Content:
    """The content of a new partnership, but for ids and members. Raises InvalidValue, EventRefused."""
    events = _own_events(said, members)
    life = life_of(events, members)
    content: Content = {"kind": said.kind or kind}
    for name in ("designation", "title", "note"):
        if (value := getattr(said, name)) is not None:
            content[name] = value
    content["events"] = events
    claims = _claims(said, life)
    content["citations"] = [_citation(claim, *source) for source in said.sources for claim in claims]
    return {name: value for name, value in content.items() if value != []}


def _own_events(said: Saying, members: int) -> list[Content]:
    events = [_row(event) for event in said.events]
    if not events and said.status is None:
        return _placed([{"type": "signed"}])
    try:
        if said.status is not None and (not events or life_of(_placed(events), members).status != said.status):
            events = _explained(events, said.status, members)
        life_of(_placed(events), members)
    except EventRefused as error:
        raise InvalidValue(error.message, field="events") from None
    return _placed(events)


def _explained(events: list[Content], status: str, members: int) -> list[Content]:
    """The events with an undated one that gives the status. Raises InvalidValue where they contradict it."""
    more = [*events, {"type": EVENT_OF[status]}]
    try:
        if life_of(_placed(more), members).status == status:
            return more
    except EventRefused:
        pass
    raise InvalidValue(f"The row calls it {status}, but its dates add up to something else: mend one.", field="status")


def _row(event: DatedEvent) -> Content:
    values = {"type": event.type, "date": event.date, "note": event.note}
    return {name: value for name, value in values.items() if value is not None}


def _placed(events: Sequence[Content]) -> list[Content]:
    return [event | {"position": place} for place, event in enumerate(events, start=1)]


def _claims(said: Saying, life: Life | None) -> list[Claim]:
    """What the row's sources are cited for."""
    claims = [Claim("members", None)]
    claims += [Claim(name, value) for name in ("kind", "designation", "title") if (value := getattr(said, name))]
    if life is not None:
        dates = (("established", life.established), ("ended", life.ended))
        claims += [Claim(name, fuzzy.text) for name, fuzzy in dates if fuzzy is not None]
    if said.status is not None:
        claims.append(Claim("status", said.status))
    # Established and ended say it of these two; an undated event is what the status became.
    told = (event for event in said.events if event.date and event.type not in ("signed", "ended"))
    claims += [Claim("events", f"{event.type} {event.date}") for event in told]
    return claims


def _citation(claim: Claim, source: int, locator: str | None) -> Content:
    values = {"source_id": source, "field": claim.field, "value": claim.value, "locator": locator}
    return {name: value for name, value in values.items() if value is not None}


# ── A row and the partnerships of its cities ──


def meant(standing: Sequence[Standing], said: Saying, *, kind: str, insist: bool) -> Standing | list[Standing] | None:
    """The partnership that the row means; None: a new one; several: it cannot be told which."""
    open_to_it = [each for each in standing if not _begins_after(said, each)]
    if said.kind is not None:
        of_kind = [each for each in open_to_it if each.content["kind"] == said.kind]
        if not of_kind:
            return None if insist or not open_to_it else open_to_it
        return _one_of(of_kind)
    if not open_to_it:
        return None
    one = _one_of(open_to_it)
    return one if not isinstance(one, list) else _one_of([e for e in one if e.content["kind"] == kind] or one)


def _one_of(standing: Sequence[Standing]) -> Standing | list[Standing]:
    if len(standing) == 1:
        return standing[0]
    unended = [each for each in standing if _life_of(each.content).status != "ended"]
    return unended[0] if len(unended) == 1 else unended or list(standing)


def _begins_after(said: Saying, standing: Standing) -> bool:
    """Whether the row tells of an agreement that began after this one had ended."""
    first = next((event.date for event in said.events if event.date is not None), None)
    life = _life_of(standing.content)
    if first is None or life.status != "ended" or life.ended is None:
        return False
    return life.ended.latest < fuzzy_dates.parse(first).earliest


def _life_of(content: Content) -> Life:
    """The life of a partnership's content (of a draft: of a pair, unless it says more)."""
    events = _in_order(content.get("events", ()))
    members = content.get("members", ({}, {}))
    if not any(_of_one(event) for event in events):
        return life_of(events, len(members))
    told = [
        lifecycle.Event(
            event["type"],
            fuzzy_dates.parse(event["date"]) if "date" in event else None,
            event.get("declared_by_id"),
            event.get("in_place_of_id"),
        )
        for event in events
    ]
    return lifecycle.unfold([row["id"] for row in members], told)


def _in_order(events: Sequence[Content]) -> list[Content]:
    return sorted(events, key=lambda event: (event["position"], event.get("id", 0)))


def _of_one(event: Content) -> bool:
    return event.get("declared_by_id") is not None


def add(standing: Content, said: Saying) -> Addition:
    """What the row adds to a partnership. Raises InvalidValue where the row contradicts itself."""
    own = life_of(_own_events(said, 2)) if said.events else None
    adding = _Adding(dict(standing))
    adding.fill(said)
    for event in said.events:
        adding.take_event(_row(event))
    if said.status is not None:
        adding.take_status(said.status)
    adding.cite(said, own)
    return Addition(adding.content, tuple(adding.added), tuple(dict.fromkeys(adding.differs)))


@dataclass(slots=True)
class _Adding:
    """A partnership while a row is added to it."""

    content: Content
    added: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)

    def fill(self, said: Saying) -> None:
        for name in ("designation", "title", "note"):
            value = getattr(said, name)
            if value is not None and self.content.get(name) is None:
                self.content[name] = value
                self.added.append(f"the {name}")

    def take_event(self, event: Content) -> None:
        events = _in_order(self.content.get("events", ()))
        if any(self._says(each, event) for each in events):
            return
        if "date" not in event and _life_of(self.content).status != "unknown":
            return  # it only says how things stand, and that is known
        for tried in self._with(events, event):
            try:
                _life_of(self.content | {"events": tried})
            except RegistryError:
                continue
            self.content["events"] = tried
            when = f" {event['date']}" if "date" in event else ""
            self.added.append(f"the event {event['type']}{when}")
            return

    @staticmethod
    def _says(known: Content, event: Content) -> bool:
        """Whether a known event says what the row's does, at least as exactly."""
        if known["type"] != event["type"] or known.get("declared_by_id") is not None:
            return False
        if "date" not in event or known.get("date") == event["date"]:
            return True
        if "date" not in known:
            return False
        return fuzzy_dates.may_coincide(fuzzy_dates.parse(known["date"]), fuzzy_dates.parse(event["date"]))

    def _with(self, events: list[Content], event: Content) -> list[list[Content]]:
        """The lists of events that may come of it, the best first; none where the record knows otherwise."""
        undated = next(
            (p for p, e in enumerate(events) if e["type"] == event["type"] and "date" not in e and not _of_one(e)), None
        )
        if undated is not None:
            known = {name: value for name, value in event.items() if name not in events[undated]}
            return [[*events[:undated], events[undated] | known, *events[undated + 1 :]]]
        life = _life_of(self.content)
        if event["type"] == "signed":
            return [] if life.established is not None else [_inserted(events, event)]
        if event["type"] in REMARKS and "date" in event:
            return [_inserted(events, event)]
        return [_inserted(events, event)] if _after_all(events, event) else []

    def take_status(self, status: str) -> None:
        now = _life_of(self.content).status
        if status == now or now != "unknown" or status == "unknown":
            return
        self.take_event({"type": EVENT_OF[status]})

    def cite(self, said: Saying, own: Life | None) -> None:
        life = _life_of(self.content)
        has = {
            "kind": self.content["kind"],
            "designation": self.content.get("designation"),
            "title": self.content.get("title"),
            "status": life.status,
            "established": life.established and life.established.text,
            "ended": life.ended and life.ended.text,
        }
        claims = _claims(said, own)
        if own is not None and own.status == "ended" != life.status and said.status is None:
            claims.append(Claim("status", "ended"))
        if said.note is not None and said.note != self.content.get("note"):
            claims.append(Claim("note", said.note[:LONGEST_CLAIM]))
        for claim in claims:
            recorded = has.get(claim.field)
            if _at_odds(claim, recorded):
                self.differs.append(f"{claim.field} is {recorded or 'not known'} here, {claim.value} in the row")
            for source in said.sources:
                self._cite(claim, source, recorded)

    def _cite(self, claim: Claim, source: tuple[int, str | None], recorded: str | None) -> None:
        cited = self.content.get("citations", [])
        for each in cited:
            if (each["source_id"], each["field"]) == (source[0], claim.field):
                value = each.get("value", recorded)
                if claim.value is None or value == claim.value:
                    return
        self.content["citations"] = [*cited, _citation(claim, *source)]
        self.added.append(f"a citation for {claim.field}")


def _inserted(events: list[Content], event: Content) -> list[Content]:
    """The events with one more: before the first that is certainly later, else last."""
    place = len(events)
    if "date" in event:
        latest = fuzzy_dates.parse(event["date"]).latest
        later = (p for p, e in enumerate(events) if "date" in e and fuzzy_dates.parse(e["date"]).earliest > latest)
        place = next(later, len(events))
    elif event["type"] == "signed":
        place = 0
    return _placed([*events[:place], event, *events[place:]])


def _after_all(events: list[Content], event: Content) -> bool:
    """Whether nothing that is known comes, or may come, after the event."""
    if "date" not in event:
        return True
    earliest = fuzzy_dates.parse(event["date"]).earliest
    dated = [fuzzy_dates.parse(each["date"]) for each in events if "date" in each]
    return all(each.latest <= earliest for each in dated) and not any(
        each["type"] == event["type"] for each in events if "date" in each
    )


def _at_odds(claim: Claim, recorded: str | None) -> bool:
    """Whether the claim and the record cannot both be true."""
    if claim.value is None or recorded == claim.value or (claim.field == "status" and claim.value == "unknown"):
        return False
    if claim.field in ("established", "ended"):
        return recorded is None or not fuzzy_dates.may_coincide(
            fuzzy_dates.parse(recorded), fuzzy_dates.parse(claim.value)
        )
    if recorded is None:
        return False
    if claim.field in ("designation", "title"):
        return fold(recorded) != fold(claim.value)
    return claim.field in ("kind", "status")
