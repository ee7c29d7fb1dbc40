"""Undo: what a revision changed is put back, and nothing that came later is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from making import city, held, number, row, rows, undone, written

from app.errors import RecordNotFound, UndoRefused
from app.models import City, Event, Partnership, Revision
from app.registry import (
    Database,
    cities,
    journal,
    merging,
    organisations,
    partnerships,
    parts,
    programs,
    redacting,
    sources,
    undoing,
)
from app.registry.database import WritingSession


@pytest.fixture
def pair(database: Database) -> tuple[int, int, int]:
    """Chicago, Osaka and their partnership, signed in 1973 and renewed in 1993."""
    with written(database) as session:
        a = city(session, "Chicago", names=[{"text": "Chicagou", "language": "en", "kind": "former"}])
        b = city(session, "Osaka", "JP", identifiers=[{"scheme": "wikidata", "value": "Q35765"}])
        events = [{"type": "signed", "date": "1973"}, {"type": "renewed", "date": "1993"}]
        return a, b, partnerships.establish(session, [a, b], kind="sister_city", events=events)


def event(session: WritingSession, partnership: int, type_: str, date: str | None, **more: Any) -> int:
    values = {"type": type_, "date": date} | more
    return parts.add(session, "partnerships", partnership, part="events", values=values)


def refused(database: Database, revision: int) -> UndoRefused:
    """The refusal of an undo, which left no trace."""
    before = held(database)
    with database.writing(account="desk", reason="x") as session, pytest.raises(UndoRefused) as caught:
        undoing.undo(session, revision)
    assert held(database) == before
    return caught.value


def first_event(session: WritingSession, p: int) -> int:
    from sqlalchemy import select

    return session.execute(select(Event.id).where(Event.partnership_id == p).order_by(Event.id)).scalars().first() or 0


STEPS: dict[str, Callable[[WritingSession, int, int, int], Any]] = {
    "a new city": lambda s, a, b, p: city(s, "Kyoto", "JP"),
    "a city with all that it may hold": lambda s, a, b, p: cities.add(
        s, {"name": "Kyoto", "country": "JP", "kind": "city", "part_of": b},
        names=[{"text": "京都", "kind": "official"}], identifiers=[{"scheme": "geonames", "value": "1857910"}],
        populations=[{"people": 5}], successors=[{"city": a}], citations=[{"source": "NOISE", "field": "name"}],
    ),
    "a city mended": lambda s, a, b, p: cities.amend(s, a, {"name": "Chikago", "latitude": 41, "longitude": -87}),
    "a city in another country": lambda s, a, b, p: cities.amend(s, a, {"country": "DE"}),
    "a name removed": lambda s, a, b, p: parts.remove(
        s, "cities", a, part="names", row_id=_only(s, "cities", a, "names")
    ),
    "an identifier mended": lambda s, a, b, p: parts.amend(
        s, "cities", b, part="identifiers", row_id=_only(s, "cities", b, "identifiers"), values={"value": "Q1"}
    ),
    "a new partnership": lambda s, a, b, p: partnerships.establish(
        s, [a, b], kind="friendship_city", signed="1960", insist=True
    ),
    "its kind": lambda s, a, b, p: partnerships.amend(s, p, {"kind": "twin_town", "note": "x"}),
    "an event at the end": lambda s, a, b, p: event(s, p, "ended", "2018", declared_by=a),
    "an event in the middle": lambda s, a, b, p: event(s, p, "anniversary", "1983"),
    "an event mended": lambda s, a, b, p: parts.amend(
        s, "partnerships", p, part="events", row_id=first_event(s, p), values={"date": "1970", "note": "x"}
    ),
    "an event removed": lambda s, a, b, p: parts.remove(
        s, "partnerships", p, part="events", row_id=first_event(s, p)
    ),
    "a member more": lambda s, a, b, p: parts.add(
        s, "partnerships", p, part="members", values={"city": city(s, "Kyoto", "JP")}
    ),
    "a citation in conflict": lambda s, a, b, p: parts.add(
        s, "partnerships", p, part="citations", values={"source": "NOISE", "field": "established", "value": "1955"}
    ),
    "a deletion": lambda s, a, b, p: partnerships.delete(s, p),
    "deletions of many records": lambda s, a, b, p: (
        partnerships.delete(s, p), cities.delete(s, a), cities.delete(s, b),
    ),
    "a merge": lambda s, a, b, p: merging.merge(s, city(s, "Oosaka", "JP"), into=b),
    "a program": lambda s, a, b, p: programs.add(
        s, {"partnership": p, "name": "Schools", "category": "education"},
        participants=[{"organisation": organisations.add(s, {"name": "S", "kind": "school", "city": a}), "side": a}],
        occasions=[{"origin": a, "host": b, "people": 10}],
    ),
}  # fmt: skip


def _only(session: WritingSession, noun: str, record: int, part: str) -> int:
    from app.registry import content

    return int(content.read(session, noun, [str(record)])[str(record)][part][0]["id"])


@pytest.mark.parametrize("name", STEPS)
def test_undoing_the_last_revision_restores_equal_content_and_undoing_that_brings_it_back(
    database: Database, pair: tuple[int, int, int], name: str
) -> None:
    before = held(database)
    with written(database) as session:
        STEPS[name](session, *pair)
    step, after = number(database), held(database)
    assert after != before
    undo = undone(database, step)
    assert held(database) == before
    assert row(database, Revision, undo)["undoes"] == step
    redo = undone(database, undo)
    assert held(database) == after
    assert undone(database, redo) == redo + 1
    assert held(database) == before


def test_a_charter_whose_member_left_and_came_back_can_be_deleted_and_brought_back(database: Database) -> None:
    with written(database) as session:
        a, b, c = city(session, "Aaa"), city(session, "Bbb"), city(session, "Ccc")
        p = partnerships.establish(session, [a, b, c], kind="charter", signed="1980")
        event(session, p, "left", "1990", declared_by=c)
        again = parts.add(session, "partnerships", p, part="members", values={"city": c})
        event(session, p, "joined", "2000", declared_by={"member": again})
    before = held(database)
    with written(database) as session:
        partnerships.delete(session, p)
    undone(database, number(database))
    assert held(database) == before


def test_other_parts_that_changed_later_survive(database: Database, pair: tuple[int, int, int]) -> None:
    a, _, p = pair
    with written(database) as session:
        partnerships.amend(session, p, {"note": "wrong"})
        cities.amend(session, a, {"note": "wrong"})
        event(session, p, "suspended", "2000")
    wrong = number(database)
    with written(database) as session:
        partnerships.amend(session, p, {"designation": "kept"})
        cities.amend(session, a, {"name": "Chikago"})
        event(session, p, "note", "2005", note="kept")
    undone(database, wrong)
    whole, kept = row(database, Partnership, p), row(database, City, a)
    assert (whole["note"], whole["designation"], whole["status"]) == (None, "kept", "active")
    assert (kept["note"], kept["name"]) == (None, "Chikago")
    assert [each["note"] for each in rows(database, Event, partnership_id=p)] == [None, None, "kept"]


def test_what_changed_again_later_is_not_trampled_and_is_listed(database: Database, pair: tuple[int, int, int]) -> None:
    a, _, p = pair
    with written(database) as session:
        partnerships.amend(session, p, {"note": "first", "designation": "D"})
        cities.amend(session, a, {"note": "first"})
        added = event(session, p, "suspended", "2000")
    first = number(database)
    with written(database) as session:
        partnerships.amend(session, p, {"note": "second"})
        parts.amend(session, "partnerships", p, part="events", row_id=added, values={"note": "second"})
    assert refused(database, first).obstacles == [
        {"noun": "partnerships", "id": p, "part": "note"},
        {"noun": "partnerships", "id": p, "part": f"events/{added}"},
    ]
    undone(database, number(database))
    undone(database, first)
    assert row(database, Partnership, p)["note"] is None


def test_a_part_that_was_put_back_by_hand_is_no_obstacle(database: Database, pair: tuple[int, int, int]) -> None:
    _a, _, p = pair
    with written(database) as session:
        partnerships.amend(session, p, {"note": "first", "designation": "D"})
    first = number(database)
    with written(database) as session:
        partnerships.amend(session, p, {"note": None})
    undone(database, first)
    assert row(database, Partnership, p)["designation"] is None
    assert "Nothing of this revision is left" in refused(database, first).message


def test_events_put_in_before_others_can_be_taken_back_in_any_order(
    database: Database, pair: tuple[int, int, int]
) -> None:
    _, _, p = pair
    made = []
    for year in ("1977", "1983", "1980"):  # each moves all that stand behind it
        with written(database) as session:
            event(session, p, "anniversary", year)
        made.append(number(database))

    def dates() -> list[str]:
        found = rows(database, Event, partnership_id=p)
        return [each["date"] for each in sorted(found, key=lambda each: (each["position"], each["id"]))]

    assert dates() == ["1973", "1977", "1980", "1983", "1993"]
    undone(database, made[0])
    assert dates() == ["1973", "1980", "1983", "1993"]
    undone(database, made[1])
    assert dates() == ["1973", "1980", "1993"]
    undone(database, made[2])
    assert dates() == ["1973", "1993"]


def test_a_mended_event_that_was_only_moved_since_is_restored_where_it_stands_now(
    database: Database, pair: tuple[int, int, int]
) -> None:
    _, _, p = pair
    renewed = rows(database, Event, partnership_id=p)[1]["id"]
    with written(database) as session:
        parts.amend(session, "partnerships", p, part="events", row_id=renewed, values={"note": "wrong"})
    wrong = number(database)
    with written(database) as session:
        event(session, p, "anniversary", "1983")
    moved = row(database, Event, renewed)["position"]
    undone(database, wrong)
    kept = row(database, Event, renewed)
    assert (kept["note"], kept["position"]) == (None, moved)


def test_what_others_hang_on_is_not_taken_away(database: Database, pair: tuple[int, int, int]) -> None:
    a, _b, p = pair
    made = number(database)
    with written(database) as session:
        program = programs.add(session, {"partnership": p, "name": "Schools", "category": "education"})
        c = city(session, "Evanston", part_of=a)
    obstacles = refused(database, made).obstacles
    assert {(each["noun"], each["id"]) for each in obstacles} == {("programs", program), ("cities", c)}


def test_a_record_of_the_same_revision_may_still_hang_on_it(database: Database, pair: tuple[int, int, int]) -> None:
    _a, _b, p = pair
    with written(database) as session:
        program = programs.add(session, {"partnership": p, "name": "Schools", "category": "education"})
    with written(database) as session:
        c = city(session, "Kyoto", "JP")
        parts.add(session, "programs", program, part="occasions", values={"host": c, "title": "first"})
    made = number(database)
    with written(database) as session:
        parts.add(session, "programs", program, part="occasions", values={"host": c, "title": "second"})
    assert refused(database, made).obstacles == [{"noun": "programs", "id": program, "field": "occasions"}]


def test_what_names_a_record_that_is_gone_is_not_brought_back(database: Database, pair: tuple[int, int, int]) -> None:
    a, _, p = pair
    with written(database) as session:
        partnerships.delete(session, p)
    deleted = number(database)
    with written(database) as session:
        cities.delete(session, a)
    assert refused(database, deleted).obstacles == [{"noun": "cities", "id": a, "field": "city"}]
    undone(database, number(database))
    undone(database, deleted)
    assert row(database, Partnership, p)["status"] == "active"


@pytest.mark.parametrize(
    ("take", "give"),
    [
        (
            lambda s, a, b: parts.remove(
                s, "cities", b, part="identifiers", row_id=_only(s, "cities", b, "identifiers")
            ),
            lambda s, a, b: parts.add(
                s, "cities", a, part="identifiers", values={"scheme": "wikidata", "value": "Q35765"}
            ),
        ),
        (
            lambda s, a, b: parts.remove(s, "cities", a, part="names", row_id=_only(s, "cities", a, "names")),
            lambda s, a, b: parts.add(
                s, "cities", a, part="names", values={"text": "Chicagou", "language": "en", "kind": "former"}
            ),
        ),
        (
            lambda s, a, b: sources.amend(s, 1, {"key": "OTHER"}),
            lambda s, a, b: sources.add(s, {"title": "New", "key": "NOISE"}),
        ),
    ],
)  # fmt: skip
def test_what_another_holds_by_now_is_not_brought_back(
    database: Database, pair: tuple[int, int, int], take: Any, give: Any
) -> None:
    a, b, _ = pair
    with written(database) as session:
        take(session, a, b)
    taken = number(database)
    with written(database) as session:
        give(session, a, b)
    refusal = refused(database, taken)
    assert "held by another" in refusal.message
    assert refusal.obstacles
    undone(database, number(database))
    undone(database, taken)


def test_a_deleted_pair_that_was_established_anew_is_not_brought_back(
    database: Database, pair: tuple[int, int, int]
) -> None:
    a, b, p = pair
    with written(database) as session:
        partnerships.delete(session, p)
    deleted = number(database)
    with written(database) as session:
        new = partnerships.establish(session, [a, b], kind="sister_city")
    refusal = refused(database, deleted)
    assert "already hold" in refusal.message
    assert [each["id"] for each in refusal.obstacles] == [new]


def test_a_life_that_would_not_hang_together_is_not_brought_back(
    database: Database, pair: tuple[int, int, int]
) -> None:
    _a, _, p = pair
    with written(database) as session:
        event(session, p, "suspended", "2000")
    suspended = number(database)
    with written(database) as session:
        event(session, p, "resumed", "2010")
    refusal = refused(database, suspended)
    assert "cannot be resumed" in refusal.message
    assert refusal.obstacles == [{"noun": "partnerships", "id": p}]


def test_a_removed_member_whose_events_came_later_is_not_taken_away(database: Database) -> None:
    with written(database) as session:
        a, b, c = city(session, "Aaa"), city(session, "Bbb"), city(session, "Ccc")
        p = partnerships.establish(session, [a, b], kind="charter")
    with written(database) as session:
        parts.add(session, "partnerships", p, part="members", values={"city": c})
    joined = number(database)
    with written(database) as session:
        event(session, p, "left", "2000", declared_by=c)
    assert refused(database, joined).obstacles


def test_a_deleted_number_comes_back_with_its_record_and_never_with_another(
    database: Database, pair: tuple[int, int, int]
) -> None:
    a, b, p = pair
    with written(database) as session:
        partnerships.delete(session, p)
    deleted = number(database)
    with written(database) as session:
        q = partnerships.establish(session, [a, b], kind="twin_town")
    with written(database) as session:
        partnerships.delete(session, q)
    with written(database) as session:
        r = partnerships.establish(session, [a, b], kind="twin_town")
    undone(database, deleted)
    assert p < q < r
    assert row(database, Partnership, p)["kind"] == "sister_city"
    with database.reading() as session:
        assert len(journal.history(session, "partnerships", p)) == 3


def test_a_redaction_cannot_be_undone(database: Database, pair: tuple[int, int, int]) -> None:
    _, _, p = pair
    with written(database) as session:
        partnerships.amend(session, p, {"note": "seen by Secret Person"})
    noted = number(database)
    with written(database) as session:
        redacting.redact(session, "partnerships", p, text="Secret Person")
    assert "Nothing of this revision is left" in refused(database, number(database)).message
    undone(database, noted)
    assert row(database, Partnership, p)["note"] is None
    undone(database, number(database))
    assert row(database, Partnership, p)["note"] == "seen by [redacted]"


def test_a_revision_that_never_was_is_not_found(unwritten: Database) -> None:
    for never in (0, -1, 10**9):
        with unwritten.writing(account="desk") as session, pytest.raises(RecordNotFound):
            undoing.undo(session, never)
