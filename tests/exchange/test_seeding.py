"""Seeds: every founding fact arrives, nothing arrives twice, and the first bad row refuses all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.exchange.seeding import SeedRefused, SeedReport, seed, seed_if_empty
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
from app.registry import Database, checking, cities, evidence, journal, merging, open_registry, parts, partnerships
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
    found = set(seeded.execute(statement.where(ReportedFigure.revision == seeded.number())).tuples())
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


# A few rows of everything, for what needs no more.
SMALL = {
    "countries": "- {code: AD, alpha3: AND, name: Andorra, continent: EU, aliases: [Principat]}\n"
    "- {code: US, alpha3: USA, name: United States, continent: NA}\n",
    "sources": "- {key: S1, title: A letter}\n- {key: S2, title: Another letter}\n",
    "cities": "- {ref: parish, name: Canillo Vell, country: AD, kind: parish, part_of: valley}\n"
    "- ref: valley\n"
    "  name: Canillo\n"
    "  country: AD\n"
    "  kind: region\n"
    "  latitude: 42.56\n"
    "  longitude: 1.6\n"
    "  names:\n"
    "    - {text: Sant Serni, kind: former}\n"
    "  identifiers: [wikidata:Q24260]\n"
    "  populations: [{people: 4000, year: 2010}]\n"
    "  citations:\n"
    "    - {source: S1, field: populations/2010, value: 4000}\n"
    "- {ref: town, name: Ordino, country: AD, kind: town}\n",
    "organisations": "- {ref: school, name: A school, kind: school, city: valley}\n",
    "partnerships": "- members: [valley, town]\n"
    "  kind: sister_city\n"
    "  events:\n"
    "    - {type: signed, date: 1973-02}\n"
    "    - type: ended\n"
    "      date: 1999\n"
    "      declared_by: town\n"
    "  organisations: [{organisation: school, role: coordinates}]\n"
    "  citations: [{source: S1, field: members, city: town}]\n"
    "- members: [valley, town]\n"
    "  kind: sister_city\n"
    "  events: [{type: signed, date: 2001}]\n"
    "- members: [valley, town]\n"
    "  kind: friendship_city\n"
    "- {members: [parish, town, valley], kind: charter, title: Three}\n",
    "programs": "- partnership: [town, valley]\n"
    "  kind: friendship_city\n"
    "  name: Letters\n"
    "  category: culture\n"
    "  participants: [{organisation: school, side: valley}]\n"
    "  occasions: [{title: First, origin: town, host: valley}]\n",
    "reported_figures": "- source: S1\n"
    "  scope: Ties\n"
    "  measure: partnerships\n"
    "  value: 3\n"
    "  comparator: about\n"
    "  as_of: 2001\n"
    "  countries: [AD, US]\n",
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder of few rows, right ones."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    for noun, text in SMALL.items():
        (folder / f"{noun}.yaml").write_text(text, encoding="utf-8")
    return folder


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
        parts_of = session.get(City, parish)
        assert parts_of is not None
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


# --- Faults: file, old text, new text, the line of the fault, its field, words of the message ---------------

FAULTS = {
    "an impossible date": ("partnerships", "1973-02}", "1973-02-30}", 4, "events/0/date", "February"),
    "a refused event": ("partnerships", "type: ended", "type: resumed", 5, "events/1", "resumed"),
    "an order that cannot be": ("partnerships", "date: 1999", "date: 1950", 5, "events/1", "before"),
    "an unknown member": ("partnerships", "members: [valley, town]", "members: [vallei, town]", 1, "members/0", "valley"),
    "a city with itself": ("partnerships", "members: [valley, town]", "members: [town, town]", 1, "members/1", "itself"),
    "one member": ("partnerships", "members: [valley, town]", "members: [town]", 1, "members", "members"),
    "no members": ("partnerships", "- members: [valley, town]\n  kind", "- kind", 1, "members", "members"),
    "a second standing one": ("partnerships", "kind: friendship_city", "kind: sister_city", 14, None, "unended"),
    "a stranger who declares": ("partnerships", "declared_by: town", "declared_by: parish", 7, "events/1/declared_by", "member"),
    "an unknown declarer": ("partnerships", "declared_by: town", "declared_by: twon", 7, "events/1/declared_by", "Did you mean town?"),
    "a kind that is none": ("partnerships", "kind: friendship_city", "kind: pen_pals", 15, "kind", "one of"),
    "no kind": ("partnerships", "  kind: friendship_city\n", "", 14, "kind", "needed"),
    "a computed field": ("partnerships", "kind: friendship_city", "status: active", 15, "status", "computed"),
    "a key that is near another": ("partnerships", "  events:\n", "  event:\n", 3, "event", "Did you mean events?"),
    "an unknown key of an event": ("partnerships", "      date: 1999", "      when: 1999", 6, "events/1/when", "no such field"),
    "an unknown source": ("partnerships", "source: S1", "source: S9", 9, "citations/0/source", "sources.yaml"),
    "a field that cannot be cited": ("partnerships", "field: members", "field: member", 9, "citations/0/field", "members"),
    "an argument of the operation": ("partnerships", "kind: friendship_city", "insist: friendship_city", 15, "insist", "no such field"),
    "a mapping for a list": ("partnerships", "events: [{type: signed, date: 2001}]", "events: {type: signed}", 12, "events", "list"),
    "a word for a mapping": ("partnerships", "events: [{type: signed, date: 2001}]", "events: [signed]", 12, "events/0", "mapping"),
    "a list for text": ("partnerships", "title: Three", "title: [Three]", 16, "title", "text"),
    "a latitude beyond the pole": ("cities", "latitude: 42.56", "latitude: 91", 6, "latitude", "90"),
    "swapped coordinates": ("cities", "latitude: 42.56\n  longitude: 1.6", "latitude: 142.56\n  longitude: 1.6", 6, "latitude", "swapped"),
    "a latitude that is no number": ("cities", "latitude: 42.56", "latitude: north", 6, "latitude", "number"),
    "half a place": ("cities", "  longitude: 1.6\n", "", 6, "latitude", "both"),
    "an unknown country": ("cities", "  country: AD", "  country: Andora", 4, "country", "AD"),
    "a mistyped identifier": ("cities", "wikidata:Q24260", "wikidata:24260x", 10, "identifiers/0", ""),
    "an identifier of another city": ("cities", "wikidata:Q24260", "wikidata:Q24260, wikidata:Q24260", 10, "identifiers/1", "already"),
    "a name without kind": ("cities", "{text: Sant Serni, kind: former}", "{text: Sant Serni}", 9, "names/0/kind", "needed"),
    "a population of less than nobody": ("cities", "people: 4000", "people: -1", 11, "populations/0/people", "whole number"),
    "a circle of parts": ("cities", "  kind: region", "  kind: region\n  part_of: parish", 1, "part_of", "circle"),
    "a part of nothing": ("cities", "part_of: valley", "part_of: valleys", 1, "part_of", "Did you mean valley?"),
    "a ref given twice": ("cities", "ref: town", "ref: valley", 14, "ref", "Another row"),
    "a ref that is a list": ("cities", "ref: town", "ref: [town]", 14, "ref", "text"),
    "a row given twice": ("cities", "ref: town, name: Ordino, country: AD, kind: town", "name: canillo, country: AD, kind: region", 14, None, "line 2"),
    "a key given twice": ("cities", "  kind: region", "  kind: region\n  name: Canillo", 6, "name", "twice"),
    "a source without key": ("sources", "key: S2, ", "", 2, "key", "cite"),
    "a source given twice": ("sources", "S2", "S1", 2, None, "line 1"),
    "a seat that is unknown": ("organisations", "city: valley", "city: nowhere", 1, "city", "cities.yaml"),
    "a code of one letter": ("countries", "code: AD", "code: A", 1, "code", "capital letters"),
    "an alpha-3 code of another": ("countries", "alpha3: AND", "alpha3: JPN", 1, None, "unique"),
    "a program of no partnership": ("programs", "[town, valley]", "[town, parish]", 1, "partnership", "exactly these members"),
    "a program of several": ("programs", "  kind: friendship_city\n", "", 1, "partnership", "Several"),
    "a side that is no member": ("programs", "side: valley", "side: parish", 5, "participants/0/side", "no member"),
    "an end before the start": ("programs", "  category: culture", "  category: culture\n  since: 2001\n  until: 2000", 6, "until", "before"),
    "a figure of three countries": ("reported_figures", "[AD, US]", "[AD, US, JP]", 7, "countries", "pair"),
    "a figure of no country": ("reported_figures", "[AD, US]", "[AD, XX]", 7, "countries/1", "ISO 3166-1"),
    "a figure that is no number": ("reported_figures", "value: 3", "value: three", 4, "value", "number"),
    "a row that is no mapping": ("programs", "- partnership", "- Letters\n- partnership", 1, None, "mapping"),
    "a file that is no list": ("sources", "- {key: S1, title: A letter}\n- {key: S2, title: Another letter}", "key: S1", 1, None, "list"),
    "a reference within the file": ("sources", "A letter}\n- {key: S2, title: Another letter", "&a A letter}\n- {key: S2, title: *a ", 2, None, "YAML"),
    "brackets left open": ("sources", "title: Another letter}", "title: [Another letter}", 2, None, "YAML"),
    "a control character": ("sources", "Another letter", "Another \x07letter", 2, None, "character"),
    "a key that is no word": ("sources", "{key: S2,", "{[key]: S2,", 2, None, "plain word"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_names_file_line_and_field_and_nothing_is_loaded(
    sqlite_database: Database, small: Path, fault: str
) -> None:
    noun, old, new, line, field, words = FAULTS[fault]
    file = small / f"{noun}.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(SeedRefused) as refused:
        seed(sqlite_database, small)
    assert (refused.value.file, refused.value.line, refused.value.field) == (f"seeds/{noun}.yaml", line, field)
    place = f"seeds/{noun}.yaml, line {line}{f', {field}' if field else ''}: "
    assert refused.value.message.startswith(place)
    assert words in refused.value.message.removeprefix(place)
    assert untouched(sqlite_database)


def untouched(database: Database) -> bool:
    """Whether the registry holds its noise and nothing besides."""
    with database.reading() as session:
        revisions = {session.number()} | {
            revision
            for model in RECORDS.values()
            for revision in session.execute(select(model.revision).distinct()).scalars()
        }
    return revisions == {1}


@pytest.mark.parametrize("fault", ["an impossible date", "an alpha-3 code of another"])
def test_a_fault_leaves_nothing_behind_on_either_engine(database: Database, small: Path, fault: str) -> None:
    noun, old, new, *_ = FAULTS[fault]
    file = small / f"{noun}.yaml"
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(SeedRefused):
        seed(database, small)
    assert untouched(database)


def test_a_fault_in_the_real_seeds_is_found_in_its_line(sqlite_database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "seeds"
    shutil.copytree(Path(__file__).resolve().parents[2] / "seeds", folder)
    file = folder / "partnerships.yaml"
    text = file.read_text(encoding="utf-8").replace("date: 2023-05-24", "date: 2023-02-29")
    file.write_text(text, encoding="utf-8")
    line = next(place for place, each in enumerate(text.splitlines(), start=1) if "2023-02-29" in each)
    with pytest.raises(SeedRefused, match=rf"^seeds/partnerships\.yaml, line {line}, events/2/date: February 2023"):
        seed(sqlite_database, folder)
    assert untouched(sqlite_database)


def test_a_missing_file_is_named(sqlite_database: Database, small: Path) -> None:
    (small / "programs.yaml").unlink()
    with pytest.raises(SeedRefused, match=r"^seeds/programs\.yaml: The file cannot be read"):
        seed(sqlite_database, small)


def test_what_is_not_utf_8_is_refused_in_its_line(sqlite_database: Database, small: Path) -> None:
    (small / "sources.yaml").write_bytes(b"- {key: S1, title: A letter}\n- {key: S2, title: Bogot\xe1}\n")
    with pytest.raises(SeedRefused, match=r"^seeds/sources\.yaml, line 2: The file must be UTF-8"):
        seed(sqlite_database, small)
