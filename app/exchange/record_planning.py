"""What an import of cities, programs, organisations or sources would do; and doing it, by the operations that every
entrance uses. Judging asks a snapshot only; the rows before each row count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.names import fold
from app.errors import InvalidValue, RegistryError, UnknownReference
from app.exchange import record_judging as judging
from app.exchange.placing import UNKNOWN
from app.exchange.record_rows import RecordRow
from app.exchange.records import SourceNamed
from app.exchange.shelves import Draft
from app.exchange.sourcing import Sourcing, Written, keyed
from app.exchange.staging import Staging
from app.models import City, CityIdentifier, Organisation, Partnership, Program, Source
from app.registry import cities, content, fields, organisations, part_rules, parts, programs, resolving, sources
from app.registry.content import Content, table_of
from app.registry.database import WritingSession
from app.registry.fields import Context

OPERATIONS: dict[str, Any] = {
    "cities": cities, "programs": programs, "organisations": organisations, "sources": sources,
}  # fmt: skip
#: What a file calls the part of a place that a match is about.
COLUMNS = {"cities": {}, "organisations": {"name": "city"}, "programs": {"name": "city"}}
_organisations, _programs, _sources = table_of(Organisation), table_of(Program), table_of(Source)
_partnerships, _identifiers = table_of(Partnership), table_of(CityIdentifier)
PAIR = 2


class _Told(Exception):
    """The row is judged: ambiguous or refused, with candidates."""

    def __init__(self, outcome: str, column: str | None, reason: str, candidates: str | None = None) -> None:
        super().__init__(reason)
        self.outcome, self.column, self.reason, self.candidates = outcome, column, reason, candidates


@dataclass
class RecordPlanning:
    """Judges staged rows of one noun. `source`: of rows that name none."""

    staging: Staging
    session: Session
    source: SourceNamed | None
    progress: Callable[[int], None]
    totals: Counter[str] = field(default_factory=Counter)
    _drafts: int = 0

    def __post_init__(self) -> None:
        self._sources = Sourcing(self.staging, self.session)
        # Cleaning and looking up only ever ask: a snapshot serves as well as a session that writes.
        self._context = Context(cast("WritingSession", self.session))

    def judge_all(self) -> None:
        """A line for every row, and a draft of every record that is to be written."""
        cursor = self.staging.db.cursor().execute("SELECT said FROM records ORDER BY id")
        for done, (said,) in enumerate(cursor, start=1):
            line = self._line(self.staging.record_of(said))
            self.totals[line[1]] += 1
            self.staging.lines.put([line])
            self.progress(done)

    def _line(self, row: RecordRow) -> tuple[Any, ...]:
        remarks = " ".join(row.remarks)
        try:
            outcome, reason, record = self._judge(row)
            return row.number, outcome, None, f"{reason} {remarks}".strip(), None, record
        except _Told as told:
            return row.number, told.outcome, told.column, f"{told.reason} {remarks}".strip(), told.candidates, None
        except RegistryError as error:
            return row.number, "refused", error.field, f"{error.message} {remarks}".strip(), None, None

    def _judge(self, row: RecordRow) -> tuple[str, str, int]:
        if row.faults:
            raise InvalidValue(row.faults[0].reason, field=row.faults[0].field)
        said = dict(row.values)
        rows = {part: said.pop(part) for part in judging.PART_KEYS if part in said}
        ties = self._resolve(row, said)
        own = fields.cleaned(self._context, _writable(row.noun), said, partial=True)
        own = {name: value for name, value in own.items() if value is not None}
        rows = {part: [self._part(part, each) for each in several] for part, several in rows.items()}
        cited = self._cited(row)
        number, draft, known = self._known(row, own, ties)
        whose = f"{row.noun}/{number}" if number and number > 0 else ""
        if number is None:
            self._refuse_incomplete(row.noun, own)
            self._refuse_taken(rows.get("identifiers", ()), None)
            number = self._keep(None, row, judging.new(row.noun, own, rows, cited), ties)
            return "created", f"A new record among the {row.noun}.", number
        self._refuse_taken(rows.get("identifiers", ()), number)
        added = judging.add(draft, known, own, rows, cited)
        first = self.staging.drafts.get(number)
        differs = f" Kept as it is: {'; '.join(added.differs)}." if added.differs else ""
        if not added.added:
            reason = f"The registry has it: {whose}." if whose else f"It repeats row {first and first.row}."
            return "same", reason + differs, number
        self._keep(number, row, added.draft, ties)
        return (
            "changed",
            f"Added to {whose or f'row {first and first.row}'}: {', '.join(added.added)}.{differs}",
            number,
        )

    # ── What the row refers to ──

    def _resolve(self, row: RecordRow, said: dict[str, Any]) -> str:
        """Put numbers where the row has places; what tells its record from others of the file."""
        placed = [self._city(row, position) for position in range(len(row.places))]
        if row.noun == "cities":
            number, country, subdivision = placed[0]
            said["country"] = country
            if subdivision:
                said["subdivision"] = subdivision
            return f"cities:{number}"
        if row.noun == "organisations":
            if placed:
                said["city"] = placed[0][0]
            return f"organisations:{fold(str(said.get('name')))}:{said.get('city')}"
        if row.noun == "programs":
            said["partnership"] = self._partnership(said, [number for number, *_ in placed])
            return f"programs:{said['partnership']}:{fold(str(said.get('name')))}"
        return f"sources:{said.get('key') or said.get('url') or said.get('title')}"

    def _city(self, row: RecordRow, position: int) -> tuple[int, str, str | None]:
        number = self.staging.number_of(row.places[position])
        place = self.staging.places.placed({number})[number]
        if place.city is not None:
            return place.city, place.country or "", place.subdivision
        column = COLUMNS[row.noun].get(place.field or "", place.field)
        if row.noun == "programs":
            column = f"{column}{position + 1}"
        told = ("refused", UNKNOWN) if place.outcome == "unknown" else (place.outcome, place.reason or "")
        raise _Told(told[0], column, told[1], place.candidates)

    def _partnership(self, said: Mapping[str, Any], sides: Sequence[int]) -> int:
        if "partnership" in said:
            return resolving.record_id(self.session, "partnerships", said["partnership"], field="partnership")
        pair = "-".join(map(str, sorted(sides)))
        statement = select(_partnerships.c.id, _partnerships.c.kind, _partnerships.c.status)
        found = self.session.execute(
            statement.where(_partnerships.c.pair_key == pair).order_by(_partnerships.c.id)
        ).all()
        several = [each for each in found if each.status != "ended"] or found
        if len(several) == 1:
            return int(several[0].id)
        if not several:
            raise UnknownReference("These cities hold no partnership here: import that first.", field="partnership")
        listed = orjson.dumps([{"id": each.id, "kind": each.kind, "status": each.status} for each in several]).decode()
        reason = "These cities hold several partnerships: give the number of the one that is meant."
        raise _Told("ambiguous", "partnership", reason, listed)

    def _part(self, part: str, row: Mapping[str, Any]) -> dict[str, Any]:
        rule = part_rules.RULES[part]
        columns = fields.cleaned(self._context, rule.fields, row, partial=True)
        return {name: columns[rule.fields[name].column or name] for name in row if name in rule.fields}

    def _cited(self, row: RecordRow) -> tuple[tuple[int, str | None], ...]:
        if not judging.citable(row.noun):
            return ()
        named = row.sources or ((self.source,) if self.source else ())
        return tuple((self._sources.find(*keyed(each, self.source)), each.locator or None) for each in named)

    # ── Which record ──

    def _known(
        self, row: RecordRow, own: Mapping[str, Any], tie: str
    ) -> tuple[int | None, judging.Draft, Content | None]:
        """The record's number (negative: of a draft), what is drafted of it, and its content."""
        number = self._standing(row.noun, own, tie)
        drafted = self.staging.drafts.get(number) or next(iter(self.staging.drafts.tied([tie])), None)
        draft = judging.Draft(row.noun)
        if drafted is not None:
            number, draft = drafted.number, judging.Draft(**orjson.loads(drafted.content))
        known = None
        if number is not None and number > 0:
            known = content.read(self.session, row.noun, [str(number)]).get(str(number))
        return number, draft, known

    def _standing(self, noun: str, own: Mapping[str, Any], tie: str) -> int | None:
        if noun == "cities":
            number = int(tie.partition(":")[2])
            return number if number > 0 else None
        if noun == "sources":
            return self._standing_source(own)
        table = _organisations if noun == "organisations" else _programs
        conditions = [table.c.name_key == fold(own.get("name", ""))]
        if noun == "programs":
            conditions.append(table.c.partnership_id == own["partnership"])
        found = self.session.execute(select(table).where(*conditions).order_by(table.c.id)).all()
        if noun == "organisations" and "city" in own:
            here = [each for each in found if each.city_id == own["city"]]
            found = here or [each for each in found if self._may_sit(each, own)]
        if len(found) > 1:
            listed = orjson.dumps([{"id": each.id, "name": each.name} for each in found]).decode()
            raise _Told("ambiguous", "name", f"Several {noun} have this name.", listed)
        return int(found[0].id) if found else None

    def _may_sit(self, known: Any, own: Mapping[str, Any]) -> bool:
        """Whether an organisation without a seat may be the one of the row: no earlier row gave it another."""
        if known.city_id is not None or known.kind != own.get("kind", known.kind):
            return False
        drafted = self.staging.drafts.get(known.id)
        return drafted is None or orjson.loads(drafted.content)["own"].get("city", own["city"]) == own["city"]

    def _standing_source(self, own: Mapping[str, Any]) -> int | None:
        for name in ("key", "url", "title"):
            if name not in own:
                continue
            same = _sources.c[name] == own[name]
            if name == "title":
                # The same title under another key or at another address is another document.
                same &= _sources.c.key.is_(None) if "key" in own else same
                same &= _sources.c.url.is_(None) if "url" in own else same
            found = self.session.execute(select(_sources.c.id).where(same).order_by(_sources.c.id)).scalars().first()
            if found is not None:
                return int(found)
        return None

    def _refuse_incomplete(self, noun: str, own: Mapping[str, Any]) -> None:
        for name, rule in OPERATIONS[noun].FIELDS.items():
            if rule.required and name not in own:
                raise InvalidValue("A new record needs this field.", field=name)

    def _refuse_taken(self, wanted: Sequence[Mapping[str, Any]], number: int | None) -> None:
        for each in wanted:
            same = (_identifiers.c.scheme == each["scheme"]) & (_identifiers.c.value == each["value"])
            whose = self.session.execute(select(_identifiers.c.city_id).where(same)).scalar_one_or_none()
            if whose is not None and whose != number:
                raise InvalidValue(
                    f"The identifier {each['scheme']}:{each['value']} belongs to city {whose} already.",
                    field="identifiers",
                )

    def _keep(self, number: int | None, row: RecordRow, draft: judging.Draft, tie: str) -> int:
        if number is None:
            self._drafts += 1
            number = -self._drafts
        text = orjson.dumps(draft.plain()).decode()
        self.staging.drafts.put([Draft(number, tie, 0, 0, None, row.number, text)])
        return number


def _writable(noun: str) -> dict[str, Any]:
    """The noun's fields under the operations' names; references are numbers by now."""
    plain = {"city": "city_id", "partnership": "partnership_id"}
    known = dict(OPERATIONS[noun].FIELDS)
    as_it_is = fields.Field(lambda _context, value, _field: value)
    return {name: (as_it_is if name in plain else fields.Field(rule.clean)) for name, rule in known.items()}


def write(session: WritingSession, staging: Staging, progress: Callable[[int], None]) -> None:
    """All drafts, in the order in which the file named them."""
    writing = _Writing(session, staging, Written(staging, session))
    done = 0
    for batch in staging.drafts.in_order():
        for draft in batch:
            writing.write(draft.number, judging.Draft(**orjson.loads(draft.content)))
            done += 1
            progress(done)


@dataclass(frozen=True, slots=True)
class _Writing:
    """Writes drafts by the nouns' operations."""

    session: WritingSession
    staging: Staging
    sources: Written

    def write(self, number: int, draft: judging.Draft) -> None:
        """One record; a new one's lines learn its number."""
        rows = {part: [self._resolved(each) for each in several] for part, several in draft.parts.items()}
        own = self._resolved(draft.own)
        if number > 0:
            self._amend(draft.noun, number, own, rows)
            return
        if draft.noun == City.NOUN:
            made = cities.add(self.session, own, insist=True, **rows)
        else:
            made = OPERATIONS[draft.noun].add(self.session, own, **rows)
        self.staging.drafts.become(number, made)

    def _amend(self, noun: str, number: int, own: dict[str, Any], rows: Mapping[str, list[dict[str, Any]]]) -> None:
        if own:
            OPERATIONS[noun].amend(self.session, number, own)
        for part, several in rows.items():
            for values in several:
                parts.add(self.session, noun, number, part=part, values=values)

    def _resolved(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """With the registry's numbers for those of the staging."""
        found = dict(values)
        if "source" in found:
            found["source"] = self.sources.id_of(found["source"])
        return found
