"""What changed in the registry between two revisions, from the journal: record by record, for programs and people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import differences
from app.domain.differences import Content, Label
from app.models import RECORDS, Change, Revision
from app.registry import content, journal
from app.registry.labels import labels

BATCH = 500
#: How much of it people are shown: the whole is in `changelog.ndjson`.
RECORDS_SHOWN, REVISIONS_SHOWN, LINES_SHOWN = 100, 200, 5
KINDS = ("created", "changed", "deleted")
Entry = dict[str, Any]


def entries(session: Session, *, since: int) -> Iterator[Entry]:
    """A record that is not what it was after revision `since`: noun, id, name, what (created, changed, deleted) and
    the differences as sentences. What was changed and changed back is not among them."""
    for noun in RECORDS:
        for batch in content.chunks(_touched(session, noun, since), BATCH):
            before = journal.as_they_were(session, noun, batch, revision=since)
            now = content.read(session, noun, batch)
            label = labels(session, [*before.values(), *now.values()])
            for record in batch:
                entry = _entry(noun, record, before.get(record), now.get(record), label)
                if entry is not None:
                    yield entry


def _touched(session: Session, noun: str, since: int) -> list[str]:
    statement = select(Change.record).where(Change.noun == noun, Change.revision > since).distinct()
    return sorted(session.execute(statement).scalars(), key=lambda key: (len(key), key))


def _entry(noun: str, record: str, before: Content | None, now: Content | None, label: Label) -> Entry | None:
    if before == now:
        return None
    what = "created" if before is None else "deleted" if now is None else "changed"
    told = differences.describe(before, now, label=label) if what == "changed" else []
    return {
        "noun": noun,
        "id": content.key_of(noun, record),
        "name": _name(now or before or {}, label),
        "what": what,
        "differences": [each["text"] for each in told],
    }


def _name(record: Content, label: Label) -> str | None:
    """What a person calls the record; a partnership without a title is its cities."""
    for column in ("name", "title", "scope"):
        if record.get(column):
            return str(record[column])
    cities = [label("city_id", member["city_id"]) or str(member["city_id"]) for member in record.get("members", ())]
    return " – ".join(cities) or None


def lines(found: Iterable[Entry]) -> Iterator[bytes]:
    """The entries as NDJSON."""
    for entry in found:
        yield orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)


class Summary:
    """The same for people, as Markdown. Give it every entry, then ask for the `text`."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.shown: dict[str, list[Entry]] = {noun: [] for noun in RECORDS}

    def add(self, entry: Entry) -> Entry:
        """Count the entry, and keep it if there is room."""
        self.counts[entry["noun"], entry["what"]] += 1
        if len(self.shown[entry["noun"]]) < RECORDS_SHOWN:
            self.shown[entry["noun"]].append(entry)
        return entry

    def text(self, session: Session, *, release: str, since: int, before: str | None) -> str:
        """Totals, revisions and the first records of each noun."""
        origin = f"release {before} (revision {since})" if before else f"revision {since}"
        parts = [f"# Release {release}\n\nWhat changed since {origin}. All of it is in `changelog.ndjson`.\n"]
        parts += [self._totals(), *_revisions(session, since)]
        parts += [self._records(noun) for noun in RECORDS if self.shown[noun]]
        return "\n".join(parts)

    def _totals(self) -> str:
        rows = [
            f"| {_spoken(noun)} | " + " | ".join(f"{self.counts[noun, kind]:,}" for kind in KINDS) + " |"
            for noun in RECORDS
            if any(self.counts[noun, kind] for kind in KINDS)
        ]
        if not rows:
            return "Nothing.\n"
        return "\n".join(["| records | created | changed | deleted |", "| --- | --: | --: | --: |", *rows, ""])

    def _records(self, noun: str) -> str:
        total = sum(self.counts[noun, kind] for kind in KINDS)
        more = total - len(self.shown[noun])
        listed = [_told(entry) for entry in self.shown[noun]]
        tail = [f"- … and {more:,} more"] if more else []
        return "\n".join([f"## {_spoken(noun).capitalize()}\n", *listed, *tail, ""])


def _spoken(noun: str) -> str:
    return noun.replace("_", " ")


def _told(entry: Mapping[str, Any]) -> str:
    name = entry["name"] or f"number {entry['id']}"
    head = f"- {entry['what']}: {_plain(name)} ({entry['id']})"
    told = [f"  - {_plain(text)}" for text in entry["differences"][:LINES_SHOWN]]
    more = len(entry["differences"]) - LINES_SHOWN
    return "\n".join([head, *told, *([f"  - … and {more} more"] if more > 0 else [])])


def _plain(text: str) -> str:
    """Text as text: what Markdown or HTML would read as a sign gets a backslash, and lines are one."""
    escaped = "".join(f"\\{sign}" if sign in "\\`*_[]<>#|" else sign for sign in text)
    return " ".join(escaped.split())


def _revisions(session: Session, since: int) -> Iterator[str]:
    rows = session.execute(
        select(Revision.number, Revision.time, Revision.account, Revision.reason)
        .where(Revision.number > since)
        .order_by(Revision.number)
        .limit(REVISIONS_SHOWN + 1)
    ).all()
    if not rows:
        return
    yield "## Revisions\n"
    for number, time, account, reason in rows[:REVISIONS_SHOWN]:
        yield f"- {number}, {time[:10]}, {_plain(account)}: {_plain(reason or 'no reason given')}"
    if len(rows) > REVISIONS_SHOWN:
        yield "- … and more"
    yield ""
