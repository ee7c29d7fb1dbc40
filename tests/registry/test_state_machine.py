"""Random operations of every kind: tables stay the fold of the journal, and the last step can be taken back.

`FUZZ_EXAMPLES` makes the run longer (`make fuzz`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from making import holdings, keys, number
from sqlalchemy import select

from app.errors import RegistryError
from app.models import PARTS, RECORDS
from app.registry import (
    Database,
    checking,
    cities,
    journal,
    merging,
    open_registry,
    organisations,
    partnerships,
    parts,
    programs,
    records,
    redacting,
    resolving,
    sources,
    undoing,
)
from app.registry.content import table_of
from app.registry.database import WritingSession

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
EDITORS = {"cities": cities, "partnerships": partnerships, "programs": programs, "organisations": organisations}

numbers = st.integers(0, 40)
dates = st.sampled_from([None, "1955", "1960-05", "1973-11-09", "1980~", "198X", "1990", "2001?", "2018-10-02", "19XX"])
names = st.sampled_from(["Osaka", "Ōsaka", "Gilbert", "São Paulo", "Sao Paulo", "Bride", "Kyiv", "Secret Person"])
countries = st.sampled_from(["US", "JP", "IM", "BR"])
kinds = st.sampled_from(["sister_city", "twin_town", "friendship_city", "charter"])
# Those that lead somewhere come more often.
types = st.sampled_from(
    ["signed", "signed", "proposed", "decided", "renewed", "joined", "joined", "left", "left", "suspended",
     "resumed", "ended", "ended", "rejected", "anniversary", "note", "anniversary"]
)  # fmt: skip
notes = st.sampled_from([None, "seen by Secret Person", "a note"])


class Registry(RuleBasedStateMachine):
    """One registry, and everybody who writes to it at random."""

    def __init__(self, opened: Callable[[], Iterator[Database]]) -> None:
        super().__init__()
        self._opened = contextmanager(opened)()
        self.database = self._opened.__enter__()
        self.after: dict[int, dict[str, Any]] = {}
        self._remember()

    def teardown(self) -> None:
        self._opened.__exit__(None, None, None)

    def _remember(self) -> None:
        with self.database.reading() as session:
            self.after[session.number()] = holdings(session)

    def _write(self, step: Callable[[WritingSession], object]) -> bool:
        """Whether the step was taken. A refused one leaves no trace."""
        before = max(self.after)
        try:
            with self.database.writing(account="desk", reason="at random") as session:
                step(session)
                changed = journal.commit(session)
        except RegistryError:
            assert number(self.database) == before
            return False
        if changed:
            self._remember()
        assert max(self.after) == before + changed
        return changed

    @staticmethod
    def _key(session: WritingSession, noun: str, choice: int) -> int:
        found = keys(session, noun)
        key = int(found[-1 - choice % len(found)]) if found else 1
        return int(resolving.addressed(session, noun, key))

    @staticmethod
    def _row(session: WritingSession, noun: str, part: str, owner: int, choice: int) -> int:
        model = parts.rule_of(noun, part).model
        table = table_of(model)
        statement = select(table.c.id).where(table.c[model.OWNERS[noun]] == owner).order_by(table.c.id)
        found = session.execute(statement).scalars().all()
        return found[choice % len(found)] if found else 1

    # ── cities ──

    @rule(name=names, country=countries, above=numbers, placed=st.booleans(), note=notes)
    def add_city(self, name: str, country: str, above: int, placed: bool, note: str | None) -> None:
        def step(session: WritingSession) -> None:
            values = {"name": name, "country": country, "kind": "city", "note": note}
            values |= {"latitude": 10 + above / 100, "longitude": 20} if placed else {}
            values |= {"part_of": self._key(session, "cities", above)} if above % 3 == 0 else {}
            cities.add(session, values, insist=True, populations=[{"people": above, "year": 2000 + above % 2}])

        self._write(step)

    @rule(choice=numbers, name=names, country=countries, above=numbers, from_=dates, until=dates)
    def amend_city(
        self, *, choice: int, name: str, country: str, above: int, from_: str | None, until: str | None
    ) -> None:
        def step(session: WritingSession) -> None:
            key = self._key(session, "cities", choice)
            values: list[dict[str, Any]] = [
                {"name": name},
                {"country": country},
                {"part_of": self._key(session, "cities", above)},
                {"existed_from": from_, "existed_until": until},
                {"latitude": None},
            ]
            cities.amend(session, key, values[above % len(values)])

        self._write(step)

    @rule(choice=numbers, other=numbers, name=names, kind=st.sampled_from(["official", "former"]))
    def add_to_city(self, choice: int, other: int, name: str, kind: str) -> None:
        def step(session: WritingSession) -> None:
            key = self._key(session, "cities", choice)
            part, values = [
                ("names", {"text": name, "language": "en", "kind": kind}),
                ("identifiers", {"scheme": "wikidata", "value": f"Q{1 + other % 4}"}),
                ("populations", {"people": other, "year": 2000 + other % 3}),
                ("successors", {"city": self._key(session, "cities", other)}),
            ][other % 4]
            parts.add(session, "cities", key, part=part, values=values)

        self._write(step)

    @rule(loser=numbers, winner=numbers)
    def merge_cities(self, loser: int, winner: int) -> None:
        self._write(
            lambda session: merging.merge(
                session, self._key(session, "cities", loser), into=self._key(session, "cities", winner)
            )
        )

    # ── partnerships ──

    @rule(
        choices=st.lists(numbers, min_size=2, max_size=4),
        kind=kinds,
        events=st.lists(st.tuples(types, dates, numbers), max_size=4),
        citing=st.booleans(),
    )
    def establish(self, choices: list[int], kind: str, events: list[tuple[str, Any, int]], citing: bool) -> None:
        def step(session: WritingSession) -> None:
            members = [self._key(session, "cities", choice) for choice in choices]
            life = [
                {"type": type_, "date": date} | ({"declared_by": members[by % len(members)]} if by % 3 == 0 else {})
                for type_, date, by in events
            ]
            source = self._key(session, "sources", choices[0])
            citations = [{"source": source, "field": "established", "value": "1971"}] if citing else []
            partnerships.establish(session, members, kind=kind, events=life, citations=citations, insist=True)

        self._write(step)

    @rule(choice=numbers, kind=kinds, succeeds=numbers)
    def amend_partnership(self, choice: int, kind: str, succeeds: int) -> None:
        def step(session: WritingSession) -> None:
            values: dict[str, Any] = {"kind": kind}
            if succeeds % 3 == 0:
                values = {"succeeds": self._key(session, "partnerships", succeeds)}
            partnerships.amend(session, self._key(session, "partnerships", choice), values)

        self._write(step)

    @rule(choice=numbers, type_=types, date=dates, by=numbers, place=numbers, note=notes)
    def add_event(self, *, choice: int, type_: str, date: str | None, by: int, place: int, note: str | None) -> None:
        def step(session: WritingSession) -> None:
            key = self._key(session, "partnerships", choice)
            values: dict[str, Any] = {"type": type_, "date": date, "note": note}
            if by % 2 or type_ in ("joined", "left"):
                values["declared_by"] = {"member": self._row(session, "partnerships", "members", key, by)}
            if type_ == "joined" and by % 3 == 0:
                values["in_place_of"] = {"member": self._row(session, "partnerships", "members", key, by + 1)}
            if place % 4 == 0:
                values["position"] = 1 + place % 5
            parts.add(session, "partnerships", key, part="events", values=values)

        self._write(step)

    @rule(choice=numbers, row=numbers, type_=types, date=dates, position=st.one_of(st.none(), st.integers(1, 4)))
    def amend_event(self, choice: int, row: int, type_: str, date: str | None, position: int | None) -> None:
        def step(session: WritingSession) -> None:
            key = self._key(session, "partnerships", choice)
            event = self._row(session, "partnerships", "events", key, row)
            values: dict[str, Any] = [{"type": type_}, {"date": date}, {"position": position}][row % 3]
            parts.amend(session, "partnerships", key, part="events", row_id=event, values=values)

        self._write(step)

    @rule(choice=numbers, city=numbers, joining=dates)
    def add_member(self, choice: int, city: int, joining: str | None) -> None:
        def step(session: WritingSession) -> None:
            key = self._key(session, "partnerships", choice)
            member = parts.add(
                session, "partnerships", key, part="members", values={"city": self._key(session, "cities", city)}
            )
            if city % 2:
                values = {"type": "joined", "date": joining, "declared_by": {"member": member}}
                parts.add(session, "partnerships", key, part="events", values=values)

        self._write(step)

    @rule(choice=numbers, row=numbers, city=numbers)
    def amend_member(self, choice: int, row: int, city: int) -> None:
        def step(session: WritingSession) -> None:
            key = self._key(session, "partnerships", choice)
            member = self._row(session, "partnerships", "members", key, row)
            values = {"city": self._key(session, "cities", city)}
            parts.amend(session, "partnerships", key, part="members", row_id=member, values=values)

        self._write(step)

    # ── programs, organisations, sources ──

    @rule(name=names, seat=numbers, choice=numbers, since=dates, until=dates)
    def add_program(self, name: str, seat: int, choice: int, since: str | None, until: str | None) -> None:
        def step(session: WritingSession) -> None:
            partnership = self._key(session, "partnerships", choice)
            city = self._key(session, "cities", seat)
            school = organisations.add(session, {"name": name, "kind": "school", "city": city})
            values = {"partnership": partnership, "name": name, "category": "culture", "since": since, "until": until}
            side = {"side": city} if seat % 3 == 0 else {}
            occasions = [{"origin": city, "since": since, "note": name}]
            programs.add(session, values, participants=[{"organisation": school} | side], occasions=occasions)

        self._write(step)

    @rule(key=st.sampled_from(["S1", "S2", None]), choice=numbers, city=numbers)
    def add_source_and_cite(self, key: str | None, choice: int, city: int) -> None:
        def step(session: WritingSession) -> None:
            source = sources.add(session, {"title": "A paper", "key": key})
            noun, field, more = [
                ("partnerships", "established", {"value": "1961"}),
                ("partnerships", "members", {"city": self._key(session, "cities", city)}),
                ("partnerships", "established", {}),
                ("cities", "name", {}),
                ("cities", "part_of", {"city": self._key(session, "cities", city)}),
            ][choice % 5]
            values = {"source": source, "field": field} | more
            parts.add(session, noun, self._key(session, noun, choice), part="citations", values=values)

        self._write(step)

    # ── whatever it is ──

    @rule(noun=st.sampled_from(sorted(EDITORS)), choice=numbers, kind=numbers, row=numbers)
    def remove_part(self, noun: str, choice: int, kind: int, row: int) -> None:
        def step(session: WritingSession) -> None:
            key = self._key(session, noun, choice)
            part = PARTS[noun][kind % len(PARTS[noun])].PART
            parts.remove(session, noun, key, part=part, row_id=self._row(session, noun, part, key, row))

        self._write(step)

    @rule(noun=st.sampled_from([*sorted(EDITORS), "sources"]), choice=numbers)
    def delete(self, noun: str, choice: int) -> None:
        self._write(
            lambda session: records.delete(
                session, records.fetch(session, RECORDS[noun], self._key(session, noun, choice))
            )
        )

    @rule(noun=st.sampled_from([*sorted(EDITORS), "sources"]), choice=numbers)
    def redact(self, noun: str, choice: int) -> None:
        self._write(
            lambda session: redacting.redact(session, noun, self._key(session, noun, choice), text="Secret Person")
        )

    @rule(back=numbers)
    def undo(self, back: int) -> None:
        taken = max(self.after) - back % len(self.after)
        self._write(lambda session: undoing.undo(session, taken))

    @rule()
    def undo_the_last(self) -> None:
        """Equal content is back, unless it was a redaction, which stays."""
        last = max(self.after)
        if last - 1 in self.after and self._write(lambda session: undoing.undo(session, last)):
            assert _plain(self.after[last + 1]) == _plain(self.after[last - 1])

    @invariant()
    def tables_are_the_fold_of_the_journal(self) -> None:
        with self.database.reading() as session:
            assert checking.check(session) == []


def _plain(holdings: dict[str, Any]) -> str:
    return json.dumps(holdings, sort_keys=True, default=str).replace(redacting.STUB, "Secret Person")


def _profile(examples: int, steps: int) -> settings:
    phases = (Phase.generate, Phase.shrink) if EXAMPLES else (Phase.generate,)
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )


def test_random_operations_keep_tables_and_journal_one_on_sqlite(sqlite_template: Path, tmp_path: Path) -> None:
    def opened() -> Iterator[Database]:
        path = tmp_path / "machine.db"
        for each in tmp_path.glob("machine.db*"):
            each.unlink()
        shutil.copyfile(sqlite_template, path)
        database = open_registry(f"sqlite:///{path}", threads=2)
        yield database
        database.close()

    run_state_machine_as_test(lambda: Registry(opened), settings=_profile(EXAMPLES or 16, 30))


def test_random_operations_keep_tables_and_journal_one_on_postgresql(
    postgres_copy: Callable[[], Iterator[str]],
) -> None:
    def opened() -> Iterator[Database]:
        with contextmanager(postgres_copy)() as url:
            database = open_registry(url, threads=2)
            yield database
            database.close()

    run_state_machine_as_test(lambda: Registry(opened), settings=_profile(EXAMPLES // 4 or 3, 25))
