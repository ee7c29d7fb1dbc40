"""Imports of cities, programs, organisations and sources: by the operations of every entrance, row by row."""

from __future__ import annotations

from typing import Any

import pytest
from making import held, number, rows, undone, written
from taking_in import applied, checked, outcomes

from app.models import Change, City, CityName, CityPopulation, Organisation, Participant, Program, Source
from app.registry import Database, cities, organisations, partnerships
from app.registry.views import cities as city_views

CITIES = "name,country,kind,latitude,longitude,population,population year,wikidata,name@ja,note"
GRAZ = "Graz,DE,city,47.07,15.44,291072,2020,Q13298,グラーツ,A note"


def city(database: Database, key: int | None) -> dict[str, Any]:
    assert key is not None
    with database.reading() as session:
        return city_views.get(session, key)


@pytest.mark.parametrize(
    ("noun", "header", "values"),
    [
        ("cities", CITIES, GRAZ),
        ("organisations", "name,kind,city,country,url", "Town School,school,Wellington,NZ,https://example.org/"),
        (
            "programs",
            "name,category,city1,country1,city2,country2,since",
            "Choirs,culture,Wellington,NZ,Akureyri,IS,1990",
        ),
        ("sources", "key,title,url,published", "T1,Minutes,https://example.org/m,1973-11"),
    ],
)
def test_each_noun_is_created_then_the_same_and_undone(database: Database, noun: str, header: str, values: str) -> None:
    before, newest = held(database), number(database)
    text = f"{header}\n{values}\n"
    (line,) = checked(database, text, noun=noun)
    assert (line.outcome, number(database)) == ("created", newest)
    (line,), done = applied(database, text, noun=noun)
    assert line.outcome == "created"
    assert line.record is not None
    assert done.revision == newest + 1
    assert {"noun": noun, "record": str(line.record)}.items() <= {
        (key, value) for row in rows(database, Change, revision=done.revision, noun=noun) for key, value in row.items()
    }
    (again,), nothing = applied(database, text, noun=noun)
    assert (again.outcome, again.record, nothing.revision) == ("same", line.record, None)
    undone(database, newest + 1)
    assert held(database) == before


def test_a_city_has_all_that_its_row_says(database: Database) -> None:
    (line,), _ = applied(database, f"{CITIES}\n{GRAZ}\n", noun="cities")
    found = city(database, line.record)
    assert (found["name"], found["country"], found["note"]) == ("Graz", "DE", "A note")
    assert [(each["people"], each["year"]) for each in found["populations"]] == [(291072, 2020)]
    assert [each["value"] for each in found["identifiers"]] == ["Q13298"]
    assert [each["text"] for each in found["names"]] == ["グラーツ"]
    assert [(each["field"], each["source"]["title"]) for each in found["citations"]] == [("name", "A list of partners")]


def test_a_known_city_gets_what_it_lacks_and_keeps_what_it_has(database: Database) -> None:
    with written(database) as session:
        key = cities.add(
            session, {"name": "Graz", "country": "DE", "kind": "town", "latitude": 47.1, "longitude": 15.4}
        )
    (line,), _ = applied(database, f"{CITIES}\n{GRAZ}\n", noun="cities")
    assert (line.outcome, line.record) == ("changed", key)
    assert "kind is town here, city in the row" in line.reason
    found = city(database, key)
    assert (found["kind"], found["latitude"], found["note"]) == ("town", 47.1, "A note")
    assert [(each["field"], each["value"]) for each in found["citations"]] == [("kind", "city"), ("name", None)]
    assert [conflict["field"] for conflict in found["conflicts"]] == ["kind"]
    assert outcomes(checked(database, f"{CITIES}\n{GRAZ}\n", noun="cities")) == ["same"]


def test_another_population_of_the_same_year_is_cited(database: Database) -> None:
    applied(database, f"{CITIES}\n{GRAZ}\n", noun="cities")
    (line,), _ = applied(database, f"{CITIES}\n{GRAZ.replace('291072', '300000')}\n", noun="cities")
    assert line.outcome == "changed"
    assert [row["people"] for row in rows(database, CityPopulation, city_id=line.record)] == [291072]
    assert [conflict["field"] for conflict in city(database, line.record)["conflicts"]] == ["populations/2020"]


def test_another_name_of_a_city_found_by_its_identifier_is_added(database: Database) -> None:
    (line,), _ = applied(database, "name,country,geonames\nPōneke,NZ,9000000\n", noun="cities")
    assert line.outcome == "changed"
    assert [row["text"] for row in rows(database, CityName, city_id=line.record)] == ["Wellington-noise", "Pōneke"]


def test_rows_of_one_city_are_one_record(database: Database) -> None:
    text = "name,country,note,wikidata\nGraz,DE,,\nGRAZ,Germany,A note,\nGraz,DE,,Q13298\nGraz,DE,,\n"
    lines, _ = applied(database, f"{text}", noun="cities")
    assert outcomes(lines) == ["refused"] * 4, "a new city needs its kind"
    with_kind = (
        text.replace("wikidata\n", "wikidata,kind\n").replace(",\n", ",,city\n").replace("Q13298\n", "Q13298,city\n")
    )
    lines, _ = applied(database, with_kind, noun="cities")
    assert outcomes(lines) == ["created", "changed", "changed", "same"]
    assert len({line.record for line in lines}) == 1
    assert len(rows(database, City, name="Graz")) == 1


def test_an_identifier_of_another_city_is_refused(database: Database) -> None:
    text = "name,country,kind,latitude,longitude,geonames\nCusco,PE,city,-13.53,-71.97,9000000\n"
    (line,) = checked(database, text, noun="cities")
    assert line.outcome in ("ambiguous", "refused")


def test_an_organisation_finds_its_seat(database: Database) -> None:
    with written(database) as session:
        key = organisations.add(session, {"name": "Choir", "kind": "association"})
    text = "name,kind,city,country\nChoir,association,Cusco,PE\nChoir,association,Kisumu,KE\nBand,association,Graz,DE\n"
    lines, _ = applied(database, text, noun="organisations")
    assert [(line.outcome, line.field) for line in lines] == [("changed", None), ("created", None), ("refused", "city")]
    assert lines[0].record == key
    assert [row["city_id"] for row in rows(database, Organisation, name="Choir")] == [4, 3]


def test_a_program_finds_its_partnership(database: Database) -> None:
    with written(database) as session:
        partnerships.establish(session, [1, 2], kind="friendship_city", insist=True)
    header = "name,category,city1,country1,city2,country2,partnership,participants"
    text = (
        f"{header}\nChoirs,culture,Wellington,NZ,Akureyri,IS,,\nChoirs,culture,,,,,1,1\n"
        "Choirs,culture,Cusco,PE,Wellington,NZ,,\nChoirs,culture,,,,,999,\nChoirs,nonsense,,,,,1,\nChoirs,culture,,,,,1,1\n"
    )
    lines, _ = applied(database, text, noun="programs")
    assert [(line.outcome, line.field) for line in lines] == [
        ("ambiguous", "partnership"), ("created", None), ("refused", "partnership"), ("refused", "partnership"),
        ("refused", "category"), ("same", None),
    ]  # fmt: skip
    (made,) = rows(database, Program, name="Choirs")
    assert [row["organisation_id"] for row in rows(database, Participant, program_id=made["id"])] == [1]


def test_a_source_that_is_known_is_not_overwritten(database: Database) -> None:
    text = (
        "key,title,author,url\nNOISE,A noisy document,,https://example.org/n\nNOISE,Another title,,\n"
        ",Free,Ann,\n,Free,Bob,\n"
    )
    lines, _ = applied(database, text, noun="sources", source=None)
    assert [(line.outcome, line.field) for line in lines] == [
        ("changed", None), ("refused", "title"), ("created", None), ("refused", "author"),
    ]  # fmt: skip
    assert rows(database, Source, key="NOISE")[0]["url"] == "https://example.org/n"


def test_stop_holds_for_every_noun(database: Database) -> None:
    before = held(database)
    text = "key,title\nT1,Minutes\nT2,\n"
    lines, done = applied(database, text, noun="sources", on_error="stop")
    assert outcomes(lines) == ["created", "refused"]
    assert (done.stopped, done.revision) == (True, None)
    assert held(database) == before
