"""Seeds that are wrong: whatever the fault, it is named with file, line and field, and nothing is loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_seeds import write
from sqlalchemy import select

from app.exchange.seeding import SeedRefused, seed
from app.models import RECORDS
from app.registry import Database


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder of few rows."""
    return write(tmp_path / "seeds")


DECLARER = "events/1/declared_by"
PAIR = "members: [valley, town]"
FRIENDS = "kind: friendship_city"
RENEWED = "events: [{type: signed, date: 2001}]"
WIKIDATA = "wikidata:Q24260"
PLACE = "latitude: 42.56\n  longitude: 1.6"
TOWN = "ref: town, name: Ordino, country: AD, kind: town"
SOURCES = "- {key: S1, title: A letter}\n- {key: S2, title: Another letter}"
#: File, old text, new text, the line and the field of the fault, words of the message.
FAULTS = {
    "an impossible date": ("partnerships", "1973-02}", "1973-02-30}", 4, "events/0/date", "February"),
    "a refused event": ("partnerships", "type: ended", "type: resumed", 5, "events/1", "cannot resume"),
    "an order that cannot be": ("partnerships", "date: 1999", "date: 1950", 5, "events/1", "before"),
    "an unknown member": ("partnerships", PAIR, "members: [vallei, town]", 1, "members/0", "valley"),
    "a city with itself": ("partnerships", PAIR, "members: [town, town]", 1, "members/1", "itself"),
    "one member": ("partnerships", PAIR, "members: [town]", 1, "members", "members"),
    "no members": ("partnerships", "- members: [valley, town]\n  kind", "- kind", 1, "members", "members"),
    "a second standing one": ("partnerships", FRIENDS, "kind: sister_city", 13, None, "unended"),
    "a stranger who declares": ("partnerships", "declared_by: town", "declared_by: parish", 7, DECLARER, "member"),
    "an unknown declarer": ("partnerships", "declared_by: town", "declared_by: twon", 7, DECLARER, "mean town?"),
    "a kind that is none": ("partnerships", FRIENDS, "kind: pen_pals", 14, "kind", "one of"),
    "no kind": ("partnerships", "  kind: friendship_city\n", "", 13, "kind", "needed"),
    "a computed field": ("partnerships", FRIENDS, "status: active", 14, "status", "computed"),
    "a key that is near another": ("partnerships", "  events:\n", "  event:\n", 3, "event", "Did you mean events?"),
    "an unknown key of an event": ("partnerships", "  date: 1999", "  when: 1999", 6, "events/1/when", "no such"),
    "an unknown source": ("partnerships", "source: S1", "source: S9", 9, "citations/0/source", "sources.yaml"),
    "a field that cannot be cited": ("partnerships", "field: members", "field: member", 9, "citations/0/field", "near"),
    "an argument of the operation": ("partnerships", FRIENDS, "insist: friendship_city", 14, "insist", "no such"),
    "a mapping for a list": ("partnerships", RENEWED, "events: {type: signed}", 12, "events", "list"),
    "a word for a mapping": ("partnerships", RENEWED, "events: [signed]", 12, "events/0", "mapping"),
    "a list for text": ("partnerships", "title: Three", "title: [Three]", 15, "title", "text"),
    "a latitude beyond the pole": ("cities", "latitude: 42.56", "latitude: 91", 6, "latitude", "90"),
    "swapped coordinates": ("cities", PLACE, "latitude: 142.56\n  longitude: 1.6", 6, "latitude", "swapped"),
    "a latitude that is no number": ("cities", "latitude: 42.56", "latitude: north", 6, "latitude", "number"),
    "half a place": ("cities", "  longitude: 1.6\n", "", 2, "longitude", "both"),
    "an unknown country": ("cities", "  country: AD", "  country: Andora", 4, "country", "AD"),
    "a mistyped identifier": ("cities", WIKIDATA, "wikidata:24260x", 10, "identifiers/0", ""),
    "an identifier given twice": ("cities", WIKIDATA, f"{WIKIDATA}, {WIKIDATA}", 10, "identifiers/1", "already"),
    "a name without kind": ("cities", "Serni, kind: former}", "Serni}", 9, "names/0/kind", "needed"),
    "a population of less than nobody": ("cities", "people: 4000", "people: -1", 11, "populations/0/people", "whole"),
    "a circle of parts": ("cities", "  kind: region", "  kind: region\n  part_of: parish", 1, "part_of", "circle"),
    "a part of nothing": ("cities", "part_of: valley", "part_of: valleys", 1, "part_of", "cities.yaml"),
    "a ref given twice": ("cities", "ref: town", "ref: valley", 14, "ref", "Another row"),
    "a ref that is a list": ("cities", "ref: town", "ref: [town]", 14, "ref", "text"),
    "a row given twice": ("cities", TOWN, "name: canillo, country: AD, kind: region", 14, None, "line 2"),
    "a key given twice": ("cities", "  kind: region", "  kind: region\n  name: Canillo", 6, "name", "twice"),
    "a source without key": ("sources", "key: S2, ", "", 2, "key", "cite"),
    "a source given twice": ("sources", "S2", "S1", 2, None, "line 1"),
    "a seat that is unknown": ("organisations", "city: valley", "city: nowhere", 1, "city", "cities.yaml"),
    "a code of one letter": ("countries", "code: AD", "code: A", 1, "code", "capital letters"),
    "an alpha-3 code of another": ("countries", "alpha3: AND", "alpha3: JPN", 1, None, "known already"),
    "a program of no partnership": ("programs", "[town, valley]", "[town]", 1, "partnership", "exactly these"),
    "a program of several": ("programs", "  kind: friendship_city\n", "", 1, "partnership", "Several"),
    "a side that is no member": ("programs", "side: valley", "side: parish", 5, "participants/0/side", "no member"),
    "an end before the start": ("programs", "  cat", "  until: 2000\n  since: 2001\n  cat", 4, "until", "before"),
    "a figure of three countries": ("reported_figures", "[AD, US]", "[AD, US, JP]", 7, "countries", "pair"),
    "a figure of no country": ("reported_figures", "[AD, US]", "[AD, XX]", 7, "countries/1", "ISO 3166-1"),
    "a figure that is no number": ("reported_figures", "value: 3", "value: three", 4, "value", "number"),
    "a row that is no mapping": ("programs", "- partnership", "- Letters\n- partnership", 1, None, "mapping"),
    "a file that is no list": ("sources", SOURCES, "key: S1", 1, None, "list"),
    "a reference within the file": ("sources", SOURCES, "- {key: &a S1, title: A}\n- {title: *a}", 2, "title", "Write"),
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
