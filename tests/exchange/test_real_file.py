"""The big real file, 25,917 rows as messy as found, into a seeded registry on both engines: exact figures.

What becomes of every row that is not simply created is listed here with its reason; whoever changes the matcher
changes these figures knowingly.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ENGINES, SHARED, _administer, _postgres_url
from sqlalchemy import func, select

from app.domain.names import fold
from app.exchange import import_files, importing, seeding, whole
from app.exchange.importing import Applied, Line, Options, Plan
from app.exchange.records import SourceNamed
from app.models import City, Partnership
from app.registry import Database, checking, journal, open_registry, undoing

FILE = SHARED / "data" / "twin-city-pairs.csv"
ROWS = 25_917
TOTALS = {"created": 24_554, "same": 1_236, "changed": 31, "ambiguous": 26, "refused": 70}
NEW_CITIES = 16_955
#: Why rows are refused: the beginning of the reason → how many.
REFUSED = {
    "A city cannot be partnered with itself": 4,
    "No country is given": 5,
    "This is no country of ISO 3166-1": 54,
    "This may mean several countries": 7,
}
#: What leaves rows open: a city that is known in another country (France's overseas departments), one of the same name
#: 31 to 66 km away, and one on the very spot in another part of the country (Milford Haven in England and in Wales).
AMBIGUOUS = {"country": 8, "lat": 12, "subdivision": 6}
#: The rows that name one city twice, letter by letter; and one that spells Lagoa in two ways.
SELF_PAIRS = {12_068, 24_152, 24_481}
LAGOA = 19_991
OPTIONS = Options(source=SourceNamed(title="Pairs of twinned cities"), on_error="skip")


@dataclass(frozen=True)
class Taken:
    """A registry that took the file in. `before`: its export before that, file by file."""

    database: Database
    lines: list[Line]
    applied: Applied
    before: dict[str, bytes]


@pytest.fixture(scope="module", params=ENGINES)
def taken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    """The file, taken into a seeded registry, on each engine in turn."""
    if not FILE.exists():
        pytest.skip("the real file lies beside the project only where it is developed")
    folder = tmp_path_factory.mktemp("real")
    with registry(request.param, folder) as database:
        seeding.seed(database)
        before = exported(database, folder / "before")
        with planned(database) as plan:
            applied = importing.apply(database, plan, account="desk")
            lines = list(plan.lines())
        yield Taken(database, lines, applied, before)


@contextmanager
def registry(engine: str, folder: Path) -> Iterator[Database]:
    """An empty one."""
    name = f"sistercities_test_{uuid.uuid4().hex[:12]}"
    url = f"sqlite:///{folder / 'registry.db'}" if engine == "sqlite" else _postgres_url(name)
    if engine != "sqlite":
        _administer(f"CREATE DATABASE {name}")
    try:
        database = open_registry(url, migrate=True, threads=4, write_wait=60)
        yield database
        database.close()
    finally:
        if engine != "sqlite":
            _administer(f"DROP DATABASE {name} WITH (FORCE)")


def planned(database: Database) -> Plan:
    return import_files.plan(database, import_files.open_file(FILE), OPTIONS, writes=True)


def exported(database: Database, folder: Path) -> dict[str, bytes]:
    whole.write(database, folder, "ndjson")
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def rows(taken: Taken, outcome: str) -> set[int]:
    return {line.number for line in taken.lines if line.outcome == outcome}


# ── In this order: the last one takes the import back ──


def test_every_row_is_explained_and_the_totals_add_up(taken: Taken) -> None:
    assert taken.applied.totals == TOTALS
    assert sum(TOTALS.values()) == ROWS
    assert [line.number for line in taken.lines] == list(range(1, ROWS + 1))
    assert all(line.reason for line in taken.lines)


def test_rows_are_refused_for_these_reasons(taken: Taken) -> None:
    refused = [line for line in taken.lines if line.outcome == "refused"]
    counted = Counter(next(key for key in REFUSED if line.reason.startswith(key)) for line in refused)
    assert counted == REFUSED
    selves = {line.number for line in refused if line.field == "city2"}
    assert selves == SELF_PAIRS | {LAGOA}


def test_ambiguous_rows_show_whom_they_may_mean(taken: Taken) -> None:
    ambiguous = [line for line in taken.lines if line.outcome == "ambiguous"]
    assert all(line.candidates for line in ambiguous)
    assert Counter((line.field or "").rstrip("12") for line in ambiguous) == AMBIGUOUS


def test_a_row_that_adds_nothing_repeats_an_earlier_one(taken: Taken) -> None:
    """The file is a list of both directions: what one city's page says, the other's says again, in other spellings."""
    same = [line for line in taken.lines if line.outcome == "same"]
    assert all(line.reason.startswith("It repeats row ") for line in same)
    by_record = {line.record for line in taken.lines if line.outcome in ("created", "changed")}
    assert {line.record for line in same} <= by_record
    changed = [line for line in taken.lines if line.outcome == "changed"]
    assert all("a citation for members" in line.reason for line in changed), "the seeds have these"


def test_the_registry_holds_what_was_created(taken: Taken) -> None:
    with taken.database.reading() as session:
        revision = taken.applied.revision
        made = select(func.count()).where(Partnership.revision == revision)
        assert session.execute(made).scalar_one() == TOTALS["created"] + TOTALS["changed"]
        cities = select(func.count()).where(City.revision == revision)
        assert session.execute(cities).scalar_one() == NEW_CITIES


def test_no_city_is_there_twice_under_variants_of_its_country_or_name(taken: Taken) -> None:
    """Two of one folded name in a country lie 30 km apart or more, and more than 100 km where no part is said."""
    from app.domain.geography import great_circle_km

    by_name: dict[tuple[str, str], list[City]] = {}
    with taken.database.reading() as session:
        columns = (City.name, City.country, City.subdivision, City.latitude, City.longitude)
        for row in session.execute(select(*columns).where(City.latitude.is_not(None))):
            by_name.setdefault((row.country, fold(row.name)), []).append(row)
        codes = {row[0] for row in session.execute(select(City.country).distinct())}
    assert all(len(code) == 2 for code in codes)
    for several in by_name.values():
        for place, one in enumerate(several):
            for other in several[place + 1 :]:
                km = great_circle_km(one.latitude, one.longitude, other.latitude, other.longitude)
                assert km > (30 if one.subdivision != other.subdivision else 100), (one, other)


def test_the_journal_and_the_tables_agree(taken: Taken) -> None:
    with taken.database.reading() as session:
        assert checking.check(session) == []


def test_the_same_file_again_changes_nothing(taken: Taken) -> None:
    with planned(taken.database) as plan:
        applied = importing.apply(taken.database, plan, account="desk")
        lines = list(plan.lines())
    kept = {"ambiguous": TOTALS["ambiguous"], "refused": TOTALS["refused"]}
    same = ROWS - sum(kept.values())
    assert applied.totals == {"created": 0, "same": same, "changed": 0, **kept}
    assert applied.revision is None
    for outcome in kept:
        assert {line.number for line in lines if line.outcome == outcome} == rows(taken, outcome)


def test_undo_gives_the_export_from_before_byte_for_byte(taken: Taken, tmp_path: Path) -> None:
    assert taken.applied.revision is not None
    with taken.database.writing(account="desk", reason="the wrong file") as session:
        undoing.undo(session, taken.applied.revision)
        journal.commit(session)
    assert exported(taken.database, tmp_path / "after") == taken.before
    with taken.database.reading() as session:
        assert checking.check(session) == []
