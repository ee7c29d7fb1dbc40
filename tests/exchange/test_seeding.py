"""Seeds: every founding fact arrives, nothing arrives twice, and the first bad row refuses all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_seeds import write
from sqlalchemy import func, select

from app.exchange.seeding import SeedReport, seed, seed_if_empty
from app.models import (
    RECORDS,
    Citation,
    City,
    Country,
    Member,
    Occasion,
    Organisation,
    Partnership,
    Program,
    ReportedFigure,
    Source,
)
from app.registry import Database, checking, cities, evidence, journal, merging, open_registry, partnerships, parts
from app.registry import programs as programs_
from app.registry import sources as sources_

ADDED = {
    "countries": 235,  # the noise has 15 already
    "sources": 26,
    "cities": 74,
    "organisations": 10,
    "partnerships": 42,
    "programs": 12,
    "reported_figures": 23,
}
NONE = dict.fromkeys(RECORDS, 0)
Session = Any


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder of few rows."""
    return write(tmp_path / "seeds")


# --- The real seeds ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seeded(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A reading session on a registry with noise and the real seeds."""
    path = tmp_path_factory.mktemp("seeded") / "registry.db"
    shutil.copyfile(sqlite_template, path)
    database = open_registry(f"sqlite:///{path}", threads=2)
    seed(database)
    with database.reading() as session:
        yield session
    database.close()


def of_seeds(session: Session) -> Any:
    """The partnerships that the seeds brought, not those of the noise."""
    return select(Partnership).where(Partnership.revision == session.number())


def names(session: Session, partnership: Partnership) -> set[str]:
    statement = select(City.name).join(Member, Member.city_id == City.id)
    return set(session.execute(statement.where(Member.partnership_id == partnership.id)).scalars())


def of(session: Session, name: str) -> dict[str, Partnership]:
    """The seeded partnerships of a city, by the names of the others."""
    statement = of_seeds(session).join(Member, Member.partnership_id == Partnership.id)
    statement = statement.join(City, City.id == Member.city_id).where(City.name == name)
    found = session.execute(statement).scalars().all()
    return {" ".join(sorted(names(session, each) - {name})): each for each in found}


def members(session: Session, partnership: Partnership) -> dict[str, tuple[str, str | None]]:
    statement = select(City.name, Member.status, Member.left).join(City, City.id == Member.city_id)
    rows = session.execute(statement.where(Member.partnership_id == partnership.id))
    return {name: (status, left) for name, status, left in rows}


def conflicts(session: Session, noun: str, record: int) -> list[str]:
    return [conflict.field for conflict in evidence.find(session, noun, record)]


def test_all_of_the_seeds_arrive_in_one_revision_on_both_engines(database: Database) -> None:
    report = seed(database)
    assert report == SeedReport(revision=2, added=ADDED, same=NONE | {"countries": 15})
    with database.reading() as session:
        assert session.execute(select(func.count()).select_from(Country)).scalar_one() == 250
        made = journal.revision(session, 2)
        assert (made["account"], made["reason"]) == ("seeds", "seeds")
        assert len(made["changes"]) == sum(ADDED.values())
        assert len(of(session, "Chicago")) == 29


def test_chicago_has_29_partnerships_of_which_28_with_sister_cities(seeded: Session) -> None:
    found = of(seeded, "Chicago")
    assert len(found) == 29
    assert {name for name, each in found.items() if each.kind != "sister_city"} == {"Paris"}
    assert found["Paris"].kind == "partner_city"


def test_osaka_has_8_and_its_own_side_alone_left_san_francisco(seeded: Session) -> None:
    found = of(seeded, "Osaka")
    assert len(found) == 8
    assert found["Shanghai"].kind == "friendship_city"
    assert (found["San Francisco"].status, found["San Francisco"].ended) == ("ended", "2018-10-02")
    assert members(seeded, found["San Francisco"]) == {
        "Osaka": ("ended", "2018-10-02"),
        "San Francisco": ("active", None),
    }


def test_three_partnerships_are_between_the_united_states_and_japan(seeded: Session) -> None:
    sides = [select(Member.partnership_id).where(Member.country == code) for code in ("US", "JP")]
    statement = of_seeds(seeded).where(*(Partnership.id.in_(side) for side in sides))
    found = [names(seeded, each) for each in seeded.execute(statement).scalars()]
    wanted = [{"Chicago", "Osaka"}, {"Osaka", "San Francisco"}, {"Saint Paul", "Nagasaki"}]
    assert sorted(map(sorted, found)) == sorted(map(sorted, wanted))


def test_only_chicago_and_moscow_are_suspended(seeded: Session) -> None:
    statement = of_seeds(seeded).where(Partnership.status == "suspended")
    (found,) = seeded.execute(statement).scalars()
    assert names(seeded, found) == {"Chicago", "Moscow"}


def test_three_partnerships_have_conflicts_and_no_more(seeded: Session) -> None:
    statement = of_seeds(seeded).where(Partnership.conflicts_count > 0)
    found = {
        frozenset(names(seeded, each)): conflicts(seeded, "partnerships", each.id)
        for each in seeded.execute(statement).scalars()
    }
    assert found == {
        frozenset({"Chicago", "Moscow"}): ["status"],
        frozenset({"Chicago", "São Paulo"}): ["established"],
        frozenset({"Gilbert", "Isle of Man"}): ["members"],
    }


def test_no_city_has_a_conflict_neither_gilbert_of_its_population(seeded: Session) -> None:
    ids = seeded.execute(select(City.id)).scalars().all()
    assert [each for each in ids if conflicts(seeded, "cities", each)] == []
    gilberts = seeded.execute(select(City.subdivision).where(City.name == "Gilbert")).scalars().all()
    assert sorted(gilberts) == ["US-AR", "US-AZ"]


def test_bride_is_part_of_the_isle_of_man_wherever_it_stands_in_the_file(seeded: Session) -> None:
    bride = seeded.execute(select(City).where(City.name == "Bride")).scalar_one()
    assert seeded.get(City, bride.part_of_id).name == "Isle of Man"


def test_douzelage_is_one_charter_of_30_members_of_which_28_are_present(seeded: Session) -> None:
    statement = of_seeds(seeded).where(Partnership.kind == "charter")
    (charter,) = seeded.execute(statement).scalars()
    found = members(seeded, charter)
    assert (charter.title, charter.status, len(found)) == ("Douzelage", "active", 30)
    left = {name: when for name, (status, when) in found.items() if status == "ended"}
    assert left == {"Prienai": "2018", "Karkkila": "2016"}


def test_chicago_and_osaka_have_programs_with_their_occasions_and_sides(seeded: Session) -> None:
    partnership = of(seeded, "Chicago")["Osaka"].id
    found = seeded.execute(select(Program.id).where(Program.partnership_id == partnership)).scalars().all()
    assert len(found) == 7
    statement = select(Occasion).where(Occasion.program_id.in_(found), Occasion.people.is_not(None))
    sides = {
        (seeded.get(City, each.origin_id).name, seeded.get(City, each.host_id).name, each.since)
        for each in seeded.execute(statement).scalars()
    }
    assert sides == {("Chicago", "Osaka", "2011-09"), ("Osaka", "Chicago", "2019-03-09")}


@pytest.mark.parametrize(
    ("model", "owner"),
    [
        (Partnership, Citation.partnership_id),
        (Program, Citation.program_id),
        (Organisation, Citation.organisation_id),
    ],
)
def test_every_row_cites_a_source(seeded: Session, model: Any, owner: Any) -> None:
    cited = select(owner).where(owner.is_not(None))
    statement = select(model.id).where(model.revision == seeded.number(), model.id.not_in(cited))
    assert seeded.execute(statement).scalars().all() == []


def test_reported_figures_name_their_source_and_countries(seeded: Session) -> None:
    statement = select(Source.key, ReportedFigure.country, ReportedFigure.other_country, ReportedFigure.value)
    statement = statement.join(Source, Source.id == ReportedFigure.source_id)
    found = {tuple(row) for row in seeded.execute(statement.where(ReportedFigure.revision == seeded.number()))}
    assert len(found) == 23
    assert {("S1", "US", "JP", 400.0), ("S22", "JP", None, 1751.0), ("S25", None, None, 17000.0)} <= found


# --- Seeding again ----------------------------------------------------------------------------------------


def test_seeding_again_adds_nothing_and_makes_no_revision(database: Database) -> None:
    seed(database)
    assert seed(database) == SeedReport(None, NONE, ADDED | {"countries": 250})
    with database.reading() as session:
        assert session.number() == 2


def test_only_a_registry_that_was_never_written_to_is_seeded_by_itself(empty_url: str, small: Path) -> None:
    database = open_registry(empty_url, migrate=True, threads=2)
    first, second = seed_if_empty(database), seed_if_empty(database)
    with database.reading() as session:
        assert checking.check(session) == []
    database.close()
    assert first is not None
    assert (first.revision, first.added["countries"], second) == (1, 250, None)


def test_a_small_folder_loads_once_with_what_points_forward_and_two_agreements_of_one_pair(
    database: Database, small: Path
) -> None:
    first, second = seed(database, small), seed(database, small)
    assert first.revision == 2
    assert (first.added["partnerships"], first.added["cities"]) == (4, 3)
    assert (first.added["countries"], first.same["countries"]) == (1, 1)
    assert (second.revision, second.added) == (None, NONE)


EDITS: dict[str, Any] = {
    "an own field": lambda session, ids: cities.amend(session, ids["city"], {"note": "Mended."}),
    "a name": lambda session, ids: cities.amend(session, ids["city"], {"name": "Canillo Nou", "kind": "town"}),
    "a kind": lambda session, ids: partnerships.amend(session, ids["partnership"], {"kind": "twin_town"}),
    "a program's name": lambda session, ids: programs_.amend(session, ids["program"], {"name": "Postcards"}),
    "a source's key": lambda session, ids: sources_.amend(session, ids["source"], {"key": "LETTER"}),
    "a new event": lambda session, ids: parts.add(
        session, "partnerships", ids["partnership"], part="events", values={"type": "ended", "date": "2020"}
    ),
    "a new member": lambda session, ids: parts.add(
        session, "partnerships", ids["charter"], part="members", values={"city": ids["noise"]}
    ),
}


def some_ids(session: Session) -> dict[str, int]:
    """The ids of some records that the small folder made, and of a city of the noise."""
    chosen = {
        "city": (City.id, City.name == "Canillo"),
        "twin": (City.id, City.name == "Canillo Vell"),
        "partnership": (Partnership.id, Partnership.kind == "friendship_city"),
        "charter": (Partnership.id, Partnership.title == "Three"),
        "program": (Program.id, Program.name == "Letters"),
        "source": (Source.id, Source.key == "S1"),
        "noise": (City.id, City.name == "Kisumu"),
    }
    return {name: session.execute(select(column).where(which)).scalar_one() for name, (column, which) in chosen.items()}


@pytest.mark.parametrize("edit", EDITS)
def test_a_persons_edit_outlives_the_next_seeding_and_doubles_nothing(
    database: Database, small: Path, edit: str
) -> None:
    seed(database, small)
    with database.writing(account="desk", reason="mended") as session:
        EDITS[edit](session, some_ids(session))
        journal.commit(session)
    report = seed(database, small)
    assert (report.revision, report.added) == (None, NONE)


def test_after_a_merge_the_rows_of_both_cities_mean_the_one_that_is_left(database: Database, small: Path) -> None:
    (small / "partnerships.yaml").write_text("- {members: [valley, town], kind: sister_city}\n")
    (small / "programs.yaml").write_text("")
    seed(database, small)
    with database.writing(account="desk", reason="one place") as session:
        parish, town = (session.execute(select(City.id).where(City.name == name)).scalar_one() for name in PAIR)
        merging.merge(session, parish, into=town)
        journal.commit(session)
    assert seed(database, small).revision is None


PAIR = ("Canillo Vell", "Ordino")


def test_what_was_deleted_comes_back_and_what_is_new_joins_it(database: Database, small: Path) -> None:
    seed(database, small)
    with database.writing(account="desk", reason="a slip") as session:
        programs_.delete(session, some_ids(session)["program"])
        journal.commit(session)
    with (small / "sources.yaml").open("a") as file:
        file.write("- {key: S3, title: A third letter}\n")
    report = seed(database, small)
    assert (report.revision, report.added) == (4, NONE | {"programs": 1, "sources": 1})
