"""An import of partnerships: what becomes of each row, what is written, and what is not."""

from __future__ import annotations

import errno
from threading import Barrier, Thread
from typing import Any

import pytest
from making import held, number, rows, undone, written
from sqlalchemy import select
from taking_in import HEADER, PLACED, SOURCE, applied, checked, judged, options, outcomes, rows_applied

from app.errors import InvalidValue, NotInstalled, RegistryBusy
from app.exchange import city_rows, importing, places, reports, shelves, staged_gazetteer, staged_places
from app.exchange.records import DatedEvent, PartnershipRow, Place, SourceNamed
from app.models import Change, Citation, City, Event, Member, Partnership, Revision, Source, Spell
from app.registry import Database, cities, content, journal, partnerships, parts, sources
from app.registry.views import cities as city_views
from app.registry.views import partnerships as views

KIND = importing.KIND
TWO = f"{HEADER}\nGraz,DE,Pula,IT\nBrno,DE,Split,IT\n"


def partnership(database: Database, key: int | None) -> dict[str, Any]:
    assert key is not None
    with database.reading() as session:
        return views.get(session, key)


def texts(found: dict[str, Any], field: str) -> list[str | None]:
    return [row["value"] for row in found["citations"] if row["field"] == field]


# ── The report and the totals ──


def test_a_check_explains_every_row_and_writes_nothing(database: Database) -> None:
    before, newest = held(database), number(database)
    lines = checked(database, f"{TWO}Graz,DE,Pula,IT\nGraz,XX,Pula,IT\nGraz,DE,Graz,DE\n")
    assert [(line.number, line.outcome, line.field) for line in lines] == [
        (1, "created", None), (2, "created", None), (3, "same", None),
        (4, "refused", "country1"), (5, "refused", "city2"),
    ]  # fmt: skip
    assert all(line.reason.endswith((".", "?")) for line in lines)
    assert (held(database), number(database)) == (before, newest)


def test_the_report_of_an_apply_is_that_of_the_check(database: Database) -> None:
    text = f"{TWO}Pula,IT,Graz,DE\nGraz,,Pula,IT\n"
    check = checked(database, text)
    lines, _ = applied(database, text)
    assert [(line.number, line.outcome, line.reason, line.field) for line in lines] == [
        (line.number, line.outcome, line.reason, line.field) for line in check
    ]
    assert [line.record is None for line in check] == [True] * 4


def test_an_applied_line_names_the_record_that_it_became(database: Database) -> None:
    lines, _ = applied(database, f"{TWO}Pula,IT,Graz,DE\n")
    assert lines[0].record == lines[2].record != lines[1].record
    names = [member["city"]["name"] for member in partnership(database, lines[0].record)["members"]]
    assert names == ["Graz", "Pula"]


def test_the_same_file_again_changes_nothing(database: Database) -> None:
    text = (
        f"{HEADER},since,until,status,kind,note,designation\n"
        "Graz,DE,Pula,IT,1973,1999,ended,twin_town,A note,Jumelage\n"
        "Brno,DE,Split,IT,1980,,,,,\n"
    )
    _, first = applied(database, text)
    assert first.revision is not None
    before = held(database)
    lines, again = applied(database, text)
    assert outcomes(lines) == ["same", "same"]
    assert again.revision is None
    assert (held(database), number(database)) == (before, first.revision)


# ── One revision ──


def test_an_import_is_one_revision_that_says_what_was_imported(database: Database) -> None:
    newest = number(database)
    _, done = applied(database, TWO, kind="twin_town")
    assert done.revision == newest + 1 == number(database)
    (revision,) = rows(database, Revision, number=done.revision)
    assert revision["account"] == "desk"
    for part in (
        "import of partners.csv",
        "SHA-256 ",
        "bytes",
        "source: A list of partners",
        "kind: twin_town",
        "skip",
    ):
        assert part in revision["reason"]
    changed = {change["noun"] for change in rows(database, Change, revision=done.revision)}
    assert changed == {"cities", "partnerships", "sources"}


def test_undo_takes_a_whole_import_back(database: Database) -> None:
    known = f"{HEADER},since\nWellington,NZ,Akureyri,IS,1951-03\nWellington,NZ,Kisumu,KE,1953\nGraz,DE,Pula,IT,1980\n"
    before = held(database)
    lines, done = applied(database, known)
    assert outcomes(lines) == ["changed", "changed", "created"]
    assert done.revision is not None
    undone(database, done.revision)
    assert held(database) == before


def test_numbers_go_on_behind_those_of_an_import(database: Database) -> None:
    lines, _ = applied(database, TWO)
    with written(database) as session:
        city = cities.add(session, {"name": "Nuuk", "country": "IS", "kind": "town"})
        made = partnerships.establish(session, [city, 1], kind="other", signed="1990")
    assert made == (lines[1].record or 0) + 1
    assert city == max(row["id"] for row in rows(database, City))


def test_what_is_written_in_bulk_is_what_single_edits_leave(database: Database) -> None:
    """Content, derived columns, spells, list items and journal, against the operations of every entrance."""
    text = f"{HEADER},since,until,status,note\nGraz,DE,Pula,IT,1973-05,1999,,By hand\nBrno,DE,Split,IT,,,proposed,\n"
    lines, _ = applied(database, text)
    with written(database) as session:
        source = session.execute(select(Source.id).where(Source.title == "A list of partners")).scalar_one()
        pairs = [[_city(session, "Graz", "DE"), _city(session, "Pula", "IT")]]
        pairs += [[_city(session, "Brno", "DE"), _city(session, "Split", "IT")]]
        said = (
            (("members", None), ("established", "1973-05"), ("ended", "1999")),
            (("members", None), ("status", "proposed")),
        )
        cited = [[{"source": source, "field": field, "value": value} for field, value in each] for each in said]
        ended = [{"type": "signed", "date": "1973-05"}, {"type": "ended", "date": "1999"}]
        singles = [
            partnerships.establish(
                session, pairs[0], kind="sister_city", note="By hand", events=ended, citations=cited[0]
            ),
            partnerships.establish(
                session, pairs[1], kind="sister_city", events=[{"type": "proposed"}], citations=cited[1]
            ),
        ]
    for line, single in zip(lines, singles, strict=True):
        assert _nameless(partnership(database, line.record)) == _nameless(partnership(database, single))
        assert _spells(database, line.record) == _spells(database, single)


def _city(session: Any, name: str, country: str) -> int:
    return cities.add(session, {"name": name, "country": country, "kind": "city"}, insist=True)


APART = {"id", "member", "revision", "created_at", "updated_at"}


def _nameless(value: Any) -> Any:
    """Without what tells records apart: numbers, times, revisions."""
    if isinstance(value, dict):
        return {name: _nameless(each) for name, each in value.items() if name not in APART}
    return [_nameless(each) for each in value] if isinstance(value, list) else value


def _spells(database: Database, key: int | None) -> list[dict[str, Any]]:
    members = {row["id"]: place for place, row in enumerate(rows(database, Member, partnership_id=key))}
    found = rows(database, Spell, partnership_id=key)
    return [{**row, "id": 0, "partnership_id": 0, "member_id": members.get(row["member_id"])} for row in found]


# ── What a row says becomes events and citations ──


@pytest.mark.parametrize(
    ("said", "status", "established", "ended"),
    [
        (",,", "active", None, None),
        ("1973-11-09,,", "active", "1973-11-09", None),
        ("1973,1999,", "ended", "1973", "1999"),
        (",1999,", "ended", None, "1999"),
        (",,ended", "ended", None, None),
        (",,suspended", "suspended", None, None),
        (",,proposed", "proposed", None, None),
        (",,unknown", "unknown", None, None),
        ("1973,,ended", "ended", "1973", None),
        ("ca. 1980,,active", "active", "1980~", None),
    ],
)
def test_dates_and_status_become_events(
    database: Database, said: str, status: str, established: str | None, ended: str | None
) -> None:
    (line,), _ = applied(database, f"{HEADER},since,until,status\nGraz,DE,Pula,IT,{said}\n")
    found = partnership(database, line.record)
    assert (found["status"], found["established"], found["ended"]) == (status, established, ended)
    assert texts(found, "members") == [None]
    assert texts(found, "established") == ([established] if established else [])
    assert found["conflicts"] == []


def test_dates_that_contradict_the_status_are_refused(database: Database) -> None:
    lines = checked(
        database, f"{HEADER},since,until,status\nGraz,DE,Pula,IT,1973,1999,active\nBrno,DE,Pula,IT,1999,1973,\n"
    )
    assert [(line.outcome, line.field) for line in lines] == [("refused", "status"), ("refused", "events")]


def test_kind_wording_title_and_note_are_kept_and_cited(database: Database) -> None:
    text = f"{HEADER},kind,designation,title,note\nGraz,DE,Pula,IT,friendship city,Freundschaft,Adria,First.\n"
    (line,), _ = applied(database, text)
    found = partnership(database, line.record)
    told = {name: found[name] for name in ("kind", "designation", "title", "note")}
    assert told == {"kind": "friendship_city", "designation": "Freundschaft", "title": "Adria", "note": "First."}
    assert [row["field"] for row in found["citations"]] == ["members", "kind", "designation", "title"]


def test_rows_without_a_kind_take_the_option(database: Database) -> None:
    lines, _ = applied(database, TWO, kind="partner_city")
    assert {partnership(database, line.record)["kind"] for line in lines} == {"partner_city"}
    with pytest.raises(InvalidValue) as refused:
        checked(database, TWO, kind="brotherhood")
    assert refused.value.field == "kind"


def test_a_row_of_several_cities_is_one_agreement(database: Database) -> None:
    row = PartnershipRow(
        1, tuple(Place(name, "DE") for name in ("Graz", "Brno", "Pula")), kind="charter", title="Adria"
    )
    (line,), _ = rows_applied(database, [row])
    found = partnership(database, line.record)
    assert [member["city"]["name"] for member in found["members"]] == ["Graz", "Brno", "Pula"]
    (again,), done = rows_applied(database, [row])
    assert (again.outcome, again.record, done.revision) == ("same", line.record, None)
    twice = PartnershipRow(1, (*row.places, Place("Graz", "DE")), kind="charter")
    assert rows_applied(database, [twice])[0][0].outcome == "refused"


# ── Sources ──


def test_rows_name_sources_of_their_own(database: Database) -> None:
    with written(database) as session:
        known = sources.add(session, {"title": "Minutes", "key": "M1", "url": "https://example.org/m"})
    text = (
        f"{HEADER},source,source_url,source_key,locator\n"
        "Graz,DE,Pula,IT,,,M1,p. 4\n"
        "Graz,DE,Split,IT,,https://example.org/m,,\n"
        "Brno,DE,Pula,IT,Gazette,,,\n"
        "Brno,DE,Split,IT,Gazette,https://example.org/g,,\n"
        "Linz,DE,Pula,IT,,,M9,\n"
        "Linz,DE,Split,IT,,,,p. 7\n"
    )
    lines, _ = applied(database, text)
    assert outcomes(lines) == ["created"] * 4 + ["refused", "created"]
    assert lines[4].field == "source"
    cited = [partnership(database, line.record)["citations"][0] for line in lines if line.record]
    assert [row["source"]["title"] for row in cited] == [
        "Minutes",
        "Minutes",
        "Gazette",
        "Gazette",
        "A list of partners",
    ]
    assert [row["locator"] for row in cited] == ["p. 4", None, None, None, "p. 7"]
    assert cited[0]["source"]["id"] == cited[1]["source"]["id"] == known
    assert cited[2]["source"]["id"] != cited[3]["source"]["id"]


def test_an_import_asks_where_its_rows_come_from(database: Database) -> None:
    with pytest.raises(importing.SourceNeeded) as asked:
        judged(database, TWO, apply=True, source=None)
    assert asked.value.field == "source"
    assert "--source" in asked.value.message
    assert outcomes(checked(database, TWO, source=None)) == ["created", "created"]
    named = f"{HEADER},source\nGraz,DE,Pula,IT,Gazette\n"
    assert outcomes(judged(database, named, apply=True, source=None)[0]) == ["created"]


def test_the_same_source_is_found_again(database: Database) -> None:
    applied(database, TWO)
    applied(database, f"{HEADER}\nLinz,DE,Pula,IT\n", source=SourceNamed(title=" A list  of partners "))
    assert len(rows(database, Source, title="A list of partners")) == 1


@pytest.mark.parametrize("url", ["ftp://x", "example.org", "https://a b"])
def test_an_address_that_is_none_is_refused_before_anything_is_read(database: Database, url: str) -> None:
    with pytest.raises(InvalidValue):
        checked(database, TWO, source=SourceNamed(title="x", url=url))


# ── Partnerships that are known ──


def known_pair(database: Database, **more: Any) -> int:
    """Wellington and Cusco hold no partnership alone yet: now they do."""
    with written(database) as session:
        return partnerships.establish(session, [1, 4], **({"kind": "sister_city"} | more))


def row_of(columns: str, values: str) -> str:
    return f"{HEADER},{columns}\nWellington,NZ,Cusco,PE,{values}\n"


def test_a_date_is_added_where_none_is_known(database: Database) -> None:
    key = known_pair(database)
    (line,), _ = applied(database, row_of("since,note", "1973-11,A note"))
    assert (line.outcome, line.record) == ("changed", key)
    assert "event signed 1973-11" in line.reason
    found = partnership(database, key)
    assert (found["established"], found["note"], len(found["events"])) == ("1973-11", "A note", 1)


def test_an_end_that_comes_after_all_that_is_known_is_added(database: Database) -> None:
    key = known_pair(database, signed="1973")
    applied(database, row_of("since,until", "1973,1999"))
    found = partnership(database, key)
    assert (found["status"], found["ended"], found["conflicts"]) == ("ended", "1999", [])


@pytest.mark.parametrize(
    ("columns", "values", "field", "kept"),
    [
        ("since", "1985", "established", "1973"),
        ("status", "ended", "status", "active"),
        ("designation", "Jumelage", "designation", "Sister City"),
    ],
)
def test_what_differs_is_cited_and_shown_as_a_conflict(
    database: Database, *, columns: str, values: str, field: str, kept: str
) -> None:
    key = known_pair(database, signed="1973", designation="Sister City")
    (line,), _ = applied(database, row_of(columns, values))
    found = partnership(database, key)
    assert line.outcome == "changed"
    assert "Kept as it is" in line.reason
    assert found[field] == kept
    assert [conflict["field"] for conflict in found["conflicts"]] == [field]
    assert values in texts(found, field)
    assert found["conflicts_count"] == 1


def test_a_closer_date_does_not_overwrite_but_is_no_conflict(database: Database) -> None:
    key = known_pair(database, signed="1973")
    applied(database, row_of("since", "1973-11-09"))
    found = partnership(database, key)
    assert (found["established"], texts(found, "established"), found["conflicts"]) == ("1973", ["1973-11-09"], [])


def test_an_end_that_is_told_earlier_than_what_is_known_is_only_cited(database: Database) -> None:
    life = [
        {"type": "signed", "date": "1997"},
        {"type": "suspended", "date": "2022-03-01"},
        {"type": "rejected", "date": "2023-05-24"},
    ]
    key = known_pair(database, events=life)
    (line,), _ = applied(database, row_of("until", "2022"))
    found = partnership(database, key)
    assert (line.outcome, found["status"], found["ended"]) == ("changed", "suspended", None)
    assert [conflict["field"] for conflict in found["conflicts"]] == ["status"]


def test_a_status_is_added_where_none_is_known(database: Database) -> None:
    key = known_pair(database, events=[{"type": "note"}])
    applied(database, row_of("status", "active"))
    assert partnership(database, key)["status"] == "active"


def test_another_source_is_one_more_citation_and_again_nothing(database: Database) -> None:
    key = known_pair(database, signed="1973")
    assert outcomes(applied(database, row_of("since", "1973"))[0]) == ["changed"]
    assert outcomes(applied(database, row_of("since", "1973"))[0]) == ["same"]
    other = SourceNamed(title="Another list", url="https://example.org/other")
    assert outcomes(applied(database, row_of("since", "1973"), source=other)[0]) == ["changed"]
    titles = [row["source"]["title"] for row in partnership(database, key)["citations"]]
    assert titles == ["A list of partners"] * 2 + ["Another list"] * 2


def test_a_pair_of_another_kind_is_ambiguous_unless_one_insists(database: Database) -> None:
    key = known_pair(database, kind="friendship_city")
    (line,) = checked(database, row_of("kind", "sister city"))
    assert (line.outcome, line.field) == ("ambiguous", "kind")
    assert [candidate["id"] for candidate in line.candidates] == [key]
    (plain,) = checked(database, row_of("note", ""))
    assert (plain.outcome, plain.record) == ("changed", key)
    (more,), _ = applied(database, row_of("kind", "sister city"), insist=True)
    assert more.outcome == "created"
    (two,) = checked(database, row_of("note", ""))
    assert (two.outcome, two.record) == ("same", more.record), "the row's kind is the option's, which one of them has"


def test_an_agreement_that_began_after_the_end_of_the_known_one_is_another(database: Database) -> None:
    key = known_pair(database, events=[{"type": "signed", "date": "1973"}, {"type": "ended", "date": "1990"}])
    assert checked(database, row_of("since", "1973"))[0].record == key
    assert checked(database, row_of("note", ""))[0].record == key
    (line,), _ = applied(database, row_of("since", "1995"))
    assert line.outcome == "created"
    assert outcomes(checked(database, row_of("since", "1995"))) == ["same"]


def test_a_partnership_that_a_city_left_and_came_back_to_is_known(database: Database) -> None:
    left = {"type": "left", "date": "1980", "declared_by": 1}
    key = known_pair(database, events=[{"type": "signed", "date": "1970"}, left])
    with written(database) as session:
        parts.add(session, "partnerships", key, part="members", values={"city": 1})
    (line,) = checked(database, row_of("note", ""))
    assert line.record == key


# ── Rows of one file ──


def test_a_pair_twice_or_reversed_is_one_partnership(database: Database) -> None:
    lines, _ = applied(database, f"{HEADER}\nGraz,DE,Pula,IT\nPula,IT,Graz,DE\nGRAZ,Germany,pula,Italy\n")
    assert outcomes(lines) == ["created", "same", "same"]
    assert [line.reason for line in lines[1:]] == ["It repeats row 1."] * 2
    assert {line.record for line in lines} == {lines[0].record}


def test_a_repeated_pair_that_says_more_adds_it(database: Database) -> None:
    text = f"{HEADER},since,note\nGraz,DE,Pula,IT,,\nPula,IT,Graz,DE,1973,\nGraz,DE,Pula,IT,1985,A note\n"
    lines, _ = applied(database, text)
    assert outcomes(lines) == ["created", "changed", "changed"]
    assert lines[1].reason.startswith("Added to row 1: the event signed 1973")
    found = partnership(database, lines[0].record)
    assert (found["established"], found["note"], found["conflicts_count"]) == ("1973", "A note", 1)
    assert outcomes(checked(database, text)) == ["same"] * 3


def test_a_city_with_itself_is_refused_however_it_is_spelled(database: Database) -> None:
    lines = checked(database, f"{HEADER}\nGraz,DE,Graz,DE\nGraz,DE,graz,Germany\n")
    assert [(line.outcome, line.field) for line in lines] == [("refused", "city2")] * 2


# ── Cities ──


def test_new_cities_are_made_once_under_all_their_spellings(database: Database) -> None:
    text = (
        f"{PLACED}\n"
        "Graz,Germany,47.07,15.44,Pula,Italy,44.87,13.85\n"
        "Graz,Deutschland,47.0707,15.4395,Split,IT,43.51,16.44\n"
        "GRAZ,DE,47.07,15.44,Brno,Italy,49.2,16.61\n"
    )
    lines, _ = applied(database, text)
    assert outcomes(lines) == ["created"] * 3
    assert [row["name"] for row in rows(database, City, country="DE")] == ["Graz"]
    assert "with the new cities Graz (DE) and Pula (IT)" in lines[0].reason
    assert "with the new city Split (IT)" in lines[1].reason


def test_a_city_of_the_same_name_far_away_is_another(database: Database) -> None:
    text = f"{PLACED}\nSpringfield,US,39.8,-89.65,Pula,IT,44.87,13.85\nSpringfield,US,42.1,-72.59,Pula,IT,44.87,13.85\n"
    lines, _ = applied(database, text)
    assert outcomes(lines) == ["created", "created"]
    assert len(rows(database, City, name="Springfield")) == 2


def test_two_cities_of_one_name_leave_it_open(database: Database) -> None:
    with written(database) as session:
        for subdivision, place in (("US-AR", (35.99, -92.71)), ("US-AZ", (33.35, -111.79))):
            values = {"name": "Gilbert", "country": "US", "kind": "town", "subdivision": subdivision}
            cities.add(session, values | {"latitude": place[0], "longitude": place[1]}, insist=True)
    text = f"{PLACED}\nGilbert,US,,,Pula,IT,44.87,13.85\nGilbert,US,35.99,-92.71,Pula,IT,44.87,13.85\n"
    lines = checked(database, text)
    assert outcomes(lines) == ["ambiguous", "created"]
    assert (lines[0].field, len(lines[0].candidates)) == ("city1", 2)
    assert {"id", "name", "country", "score", "reason"} <= set(lines[0].candidates[0])


def test_unknown_cities_are_refused_unless_they_may_be_made(database: Database) -> None:
    text = f"{HEADER}\nGraz,DE,Wellington,NZ\nCusco,PE,Wellington,NZ\n"
    lines, _ = applied(database, text, create_cities=False)
    assert [(line.outcome, line.field) for line in lines] == [("refused", "city1"), ("created", None)]
    assert "--create-cities" in lines[0].reason


@pytest.mark.parametrize(
    ("text", "outcome"), [(TWO, "refused"), (f"{PLACED}\nGraz,DE,47,15,Pula,IT,44,13\n", "created")]
)
def test_cities_are_made_by_default_where_the_file_says_where_they_lie(
    database: Database, text: str, outcome: str
) -> None:
    assert {line.outcome for line in checked(database, text, create_cities=None)} == {outcome}


def test_cities_of_refused_rows_are_not_made(database: Database) -> None:
    text = f"{HEADER},since\nGraz,DE,Pula,IT,yesterday\nBrno,DE,Split,IT,\n"
    lines, _ = applied(database, text)
    assert outcomes(lines) == ["refused", "created"]
    assert rows(database, City, name="Graz") == []


def test_what_a_row_says_of_a_new_city_is_kept(database: Database) -> None:
    text = (
        f"{PLACED},wikidata1,geonames1,population1,citykind1,city1@de\n"
        "Graz,DE,47.07,15.44,Pula,IT,44.87,13.85,Q13298,2778067,291072,city,Gratz\n"
    )
    (line,), _ = applied(database, text)
    assert line.outcome == "created"
    (graz,) = rows(database, City, name="Graz")
    with database.reading() as session:
        kept = content.read(session, "cities", [str(graz["id"])])[str(graz["id"])]
    assert [(row["scheme"], row["value"]) for row in kept["identifiers"]] == [
        ("wikidata", "Q13298"),
        ("geonames", "2778067"),
    ]
    assert [row["people"] for row in kept["populations"]] == [291072]
    assert [(row["text"], row["language"]) for row in kept["names"]] == [("Gratz", "de")]
    assert outcomes(checked(database, text)) == ["same"]
    assert outcomes(checked(database, f"{HEADER}\nGratz,DE,Pula,IT\n")) == ["same"]


def test_an_identifier_finds_the_city_whatever_it_is_called(database: Database) -> None:
    text = f"{HEADER},geonames1\nWindy City,NZ,Pula,IT,9000000\n"
    (line,), _ = applied(database, text)
    members = partnership(database, line.record)["members"]
    assert members[0]["city"]["name"] == "Wellington"


def test_swapped_coordinates_are_said(database: Database) -> None:
    text = f"{PLACED}\nWellington,NZ,174.78,-41.29,Pula,IT,44.87,13.85\n"
    (line,) = checked(database, text)
    assert "swapped" in line.reason.lower()


# ── Stop, skip, and what comes between ──


def test_stop_writes_nothing_if_any_row_is_refused(database: Database) -> None:
    before = held(database)
    text = f"{TWO}Graz,XX,Pula,IT\n"
    lines, done = applied(database, text, on_error="stop")
    assert outcomes(lines) == ["created", "created", "refused"]
    assert (done.revision, done.stopped) == (None, True)
    assert held(database) == before
    _, skipped = applied(database, text, on_error="skip")
    assert skipped.revision is not None


def test_ambiguous_rows_stop_nothing(database: Database) -> None:
    known_pair(database, kind="friendship_city")
    text = f"{HEADER},kind\nWellington,NZ,Cusco,PE,sister city\nGraz,DE,Pula,IT,\n"
    lines, done = applied(database, text, on_error="stop")
    assert outcomes(lines) == ["ambiguous", "created"]
    assert done.revision is not None


def test_a_plan_is_made_anew_when_the_registry_moved_on(database: Database) -> None:
    with importing.plan(database, pairs(), options(), writes=True) as planned:
        assert planned.totals["created"] == 2
        with written(database) as session:
            graz, pula = (
                cities.add(session, {"name": n, "country": c, "kind": "city"})
                for n, c in (("Graz", "DE"), ("Pula", "IT"))
            )
            key = partnerships.establish(session, [graz, pula], kind="sister_city")
        done = importing.apply(database, planned, account="desk")
        lines = list(planned.lines())
    assert done.totals | {"created": 1, "changed": 1} == done.totals
    assert lines[0].record == key


def pairs() -> list[PartnershipRow]:
    return [
        PartnershipRow(1, (Place("Graz", "DE"), Place("Pula", "IT"))),
        PartnershipRow(2, (Place("Brno", "DE"), Place("Split", "IT")), events=(DatedEvent("signed", "1973"),)),
    ]


def test_two_imports_at_once_leave_what_one_would(database: Database) -> None:
    meet = Barrier(2)
    done: list[Any] = []

    def take_in() -> None:
        with importing.plan(database, pairs(), options(), writes=True) as planned:
            meet.wait(timeout=30)
            done.append(importing.apply(database, planned, account="desk"))

    threads = [Thread(target=take_in) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(each.revision is None for each in done) == [False, True]
    assert len(rows(database, Revision, account="desk")) == 1
    assert len(rows(database, City, name="Graz")) == 1


def test_a_registry_that_is_busy_is_said(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = Database(database.url.render_as_string(hide_password=False), threads=2, write_wait=0.1)
    with (
        importing.plan(hasty, pairs(), options(), writes=True) as planned,
        database.writing(account="slow"),
        pytest.raises(RegistryBusy),
    ):
        importing.apply(hasty, planned, account="desk")
    hasty.close()
    assert rows(database, City, name="Graz") == []


def test_what_goes_wrong_before_the_commit_leaves_nothing(database: Database) -> None:
    before, newest = held(database), number(database)

    def full(_planned: importing.Plan) -> None:
        raise reports.ReportFailed("The disk is full.")

    with importing.plan(database, pairs(), options(), writes=True) as planned, pytest.raises(reports.ReportFailed):
        importing.apply(database, planned, account="desk", before_commit=full)
    assert (held(database), number(database)) == (before, newest)
    _, done = rows_applied(database, pairs())
    assert done.revision == newest + 1


def test_a_report_that_the_disk_has_no_room_for_is_said(
    database: Database, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_args: Any, **_options: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(reports.outlets, "file", no_room)
    with importing.plan(database, pairs(), options()) as planned, pytest.raises(reports.ReportFailed) as failed:
        reports.write(planned.lines(), tmp_path / "x.csv")
    assert "No space left" in failed.value.message
    assert list(tmp_path.glob("*x.csv*")) == []


# ── Whatever the size ──


def test_small_batches_and_forgetful_caches_give_the_same(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    towns = [f"{HEADER},since"]
    towns += [f"Town {n % 7},DE,Village {n % 5},IT,{1950 + n % 3}" for n in range(40)]
    towns += ["Town 1,DE,Town 1,Germany,", "Town 1,XX,Village 1,IT,"]
    expected = [(line.outcome, line.reason) for line in checked(database, "\n".join(towns))]
    for module, name, value in (
        (shelves, "BATCH", 3), (importing, "BATCH", 3), (shelves, "HELD", 2), (shelves, "ASKED", 2),
        (staged_places, "REMEMBERED", 1), (city_rows, "REMEMBERED", 1), (staged_gazetteer, "HELD", 2),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    lines, done = applied(database, "\n".join(towns))
    assert [(line.outcome, line.reason) for line in lines] == expected
    assert done.revision is not None
    assert len(rows(database, City, country="DE")) == 7
    assert outcomes(checked(database, "\n".join(towns))) == ["same"] * 40 + ["refused"] * 2


def test_progress_is_told_of_each_step(database: Database) -> None:
    told: list[tuple[str, int, int]] = []
    with importing.plan(database, pairs(), options(), progress=lambda *step: told.append(step), writes=True) as planned:
        importing.apply(database, planned, account="desk")
    last = {step: (done, total) for step, done, total in told}
    assert last == {"Matching": (4, 4), "Judging": (2, 2), "Writing": (2, 2)}


def test_an_empty_import_is_no_revision(database: Database) -> None:
    _, done = rows_applied(database, [])
    assert (done.revision, dict(done.totals)) == (None, dict.fromkeys(importing.OUTCOMES, 0))


def test_the_source_of_the_file_stands_behind_its_new_cities(database: Database) -> None:
    applied(database, TWO, source=SOURCE)
    (graz,) = rows(database, City, name="Graz")
    cited = rows(database, Citation, city_id=graz["id"])
    assert [(row["field"], row["value"]) for row in cited] == [("name", None)]


def test_the_journal_is_read_back_whole(database: Database) -> None:
    lines, done = applied(database, TWO)
    assert done.revision is not None
    with database.reading() as session:
        after = journal.as_it_was(session, "partnerships", lines[0].record or 0, revision=done.revision)
    assert after is not None
    events = rows(database, Event, partnership_id=lines[0].record)
    assert after["events"] == [{"id": events[0]["id"], "type": "signed", "position": 1}]
    assert rows(database, Partnership, id=lines[0].record)[0]["revision"] == done.revision


# ── Completing from GeoNames ──


@pytest.fixture
def geonames(monkeypatch: pytest.MonkeyPatch) -> None:
    """What GeoNames knows, in small: one place, under two names."""
    found = places.Completed(
        "Gödöllő", ("geonames:3052236",), (("Godolle", "und"), ("Getterle", "de")), 36_000, 47.6, 19.35, "town", None
    )
    known = {"Gödöllő", "Getterle"}
    monkeypatch.setattr(places, "installed", lambda: True)
    monkeypatch.setattr(places, "complete", lambda place, _code: found if place.name in known else None)


@pytest.mark.usefixtures("geonames")
def test_a_new_city_is_completed_and_cites_geonames_for_it(database: Database) -> None:
    text = f"{HEADER}\nGödöllő,DE,Pula,IT\n"
    _, done = applied(database, text, complete=None)
    (row,) = rows(database, City, name="Gödöllő")
    with database.reading() as session:
        kept = city_views.get(session, row["id"])
    assert (kept["kind"], kept["latitude"], kept["longitude"]) == ("town", 47.6, 19.35)
    assert [each["people"] for each in kept["populations"]] == [36_000]
    assert [(each["scheme"], each["value"]) for each in kept["identifiers"]] == [("geonames", "3052236")]
    assert [(each["text"], each["kind"]) for each in kept["names"]] == [("Godolle", "exonym"), ("Getterle", "exonym")]
    assert [each["source"]["title"] for each in kept["citations"]] == ["A list of partners", places.SOURCE["title"]]
    assert "completed from GeoNames" in rows(database, Revision, number=done.revision)[0]["reason"]
    assert outcomes(checked(database, text, complete=None)) == ["same"]


@pytest.mark.usefixtures("geonames")
def test_what_the_row_says_goes_before_what_geonames_has(database: Database) -> None:
    header = f"{PLACED},population1,citykind1"
    applied(database, f"{header}\nGödöllő,DE,47.5,19.3,Pula,IT,44.87,13.85,99,village\n", complete=True)
    (row,) = rows(database, City, name="Gödöllő")
    assert (row["kind"], row["latitude"]) == ("village", 47.5)
    with database.reading() as session:
        assert [each["people"] for each in city_views.get(session, row["id"])["populations"]] == [99]


@pytest.mark.usefixtures("geonames")
def test_two_names_of_one_place_are_one_city(database: Database) -> None:
    text = f"{HEADER}\nGödöllő,DE,Pula,IT\nGetterle,DE,Split,IT\n"
    lines, _ = applied(database, text, complete=True)
    assert outcomes(lines) == ["created", "created"]
    assert len(rows(database, City, country="DE")) == 1
    with written(database) as session:
        values = {"scheme": "geonames", "value": "1"}
        cities.add(session, {"name": "Elsewhere", "country": "DE", "kind": "town"}, identifiers=[values])


def test_big_files_are_completed_only_if_asked(
    database: Database, geonames: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MOST_COMPLETED", 1)
    text = f"{HEADER}\nGödöllő,DE,Pula,IT\n"
    _, done = applied(database, text, complete=None)
    assert "GeoNames" not in rows(database, Revision, number=done.revision)[0]["reason"]


def test_completing_needs_the_data(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "installed", lambda: False)
    with pytest.raises(NotInstalled, match="places"):
        checked(database, TWO, complete=True)
    assert outcomes(checked(database, TWO, complete=None)) == ["created", "created"]
