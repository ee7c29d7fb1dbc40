"""The filter grammar: what each parameter finds, what it refuses and how it says so."""

from __future__ import annotations

import re
from typing import Any

import pytest
from making import city, written
from small_world import NOISE, World, build, statements

from app.errors import InvalidValue, UnknownReference
from app.registry import Database, filters, merging, organisations, partnerships, programs
from app.registry.views import cities, countries, reported_figures, revisions, sources
from app.registry.views import organisations as organisation_views
from app.registry.views import partnerships as views
from app.registry.views import programs as program_views

Given = dict[str, list[str]]
NOISY = set(NOISE)
VIEWS = (views, cities, program_views, organisation_views, sources, reported_figures, countries, revisions)


@pytest.fixture
def world(database: Database) -> World:
    """The small world on each engine."""
    return build(database)


def asked(text: str) -> Given:
    """A query string as the filters take it: `country=US&country=JP`."""
    query: Given = {}
    for pair in filter(None, text.split("&")):
        name, _, value = pair.partition("=")
        query.setdefault(name, []).append(value)
    return query


#: query → partnerships that it finds
PARTNERSHIPS: dict[str, str] = {
    "city=wikidata:Q1297": "chicago osaka, chicago paris, chicago boston",
    "city=wikidata:q1297&country=US": "chicago boston",
    "city=wikidata:Q1297&country=JP,FR": "chicago osaka, chicago paris",
    "city=wikidata:Q1297&city=wikidata:Q1297": "",
    "country=US": "chicago osaka, chicago paris, boston kyoto, chicago boston",
    "country=usa": "chicago osaka, chicago paris, boston kyoto, chicago boston",
    "country=US,BR": "chicago osaka, chicago paris, boston kyoto, chicago boston, osaka sao paulo, league",
    "country=US&country=JP": "chicago osaka, boston kyoto",
    "country=JP&country=US": "chicago osaka, boston kyoto",
    "country=US&country=US": "chicago boston",
    # Berlin left and came back: two rows of one city are one member.
    "country=DE&country=DE": "",
    "country=FR&country=DE&country=JP": "trio",
    "country=FR,DE,JP&country=FR,DE,JP&country=FR,DE,JP": "trio",
    "country=FR,DE,JP&country=FR,DE,JP&country=FR,DE,JP&country=FR,DE,JP": "",
    "country=FR,DE&country=DE": "paris berlin, trio",
    "continent=AS": "chicago osaka, boston kyoto, osaka sao paulo, trio",
    # Cusco and Akureyri are among the noise.
    "continent=sa&continent=EU": "noise proposed, noise charter, league",
    "continent=EU&continent=EU": "paris berlin, trio",
    "continent=EU&country=US": "chicago paris",
    "continent=EU&country=FR": "paris berlin, trio",
    "kind=friendship_city": "chicago boston",
    "kind=friendship_city,partner_city": "chicago paris, chicago boston",
    "kind=friendship_city&kind=partner_city": "",
    "kind=sister_city&status=ended": "boston kyoto",
    "established=1973": "chicago osaka",
    "established=1973-11-09": "chicago osaka",
    "established=1973-11-10..": "chicago paris, paris berlin, trio",
    "established=1970..1979": "chicago osaka, chicago boston",
    "established=197X": "chicago osaka, chicago boston",
    "established=1971..1979": "chicago osaka",
    "established=..1959&kind=sister_city": "boston kyoto",
    "established=1959,1996": "boston kyoto, chicago paris",
    "established=1950..1990&established=1970..2000": "chicago osaka, chicago boston, paris berlin, trio",
    "established=0001..&kind=sister_city": "chicago osaka, boston kyoto",
    "established=..9999&kind=sister_city": "chicago osaka, boston kyoto",
    "active_on=1969-12-31&kind=sister_city": "boston kyoto",
    "active_on=1970-06-01&kind=sister_city": "",
    "active_on=1970-06-01&kind=sister_city&dates=possible": "osaka sao paulo",
    "active_on=1973-11-08&kind=sister_city": "",
    "active_on=1973-11-09&kind=sister_city": "chicago osaka",
    "active_on=1970-05-15&country=US": "",
    "active_on=1970-05-15&country=US&dates=possible": "boston kyoto, chicago boston",
    "active_on=1970-05-15&country=US&dates=certain,possible": "boston kyoto, chicago boston",
    "active_on=1970-05-15&country=US&dates=certain": "",
    "active_on=2022-02-01&kind=twin_town&country=DE": "paris berlin",
    "active_on=2022-02-28&kind=twin_town&country=DE": "paris berlin",
    "active_on=2022-03-01&kind=twin_town&country=DE": "",
    "active_on=1960-01-01,1997-01-01&country=US": "chicago osaka, chicago paris, boston kyoto, chicago boston",
    "active_on=1960-01-01&active_on=1965-01-01&country=US": "boston kyoto",
    "multilateral=true&country=FR": "league, trio",
    "multilateral=false&country=FR": "chicago paris, paris berlin",
    "multilateral=true,false&country=FR": "chicago paris, paris berlin, league, trio",
    "has_program=true&country=US": "chicago osaka",
    "has_program=false&country=US": "chicago paris, boston kyoto, chicago boston",
}


def test_partnerships_are_found_by_what_they_are_and_whose(world: World) -> None:
    found = {}
    with world.database.reading() as session:
        for text in PARTNERSHIPS:
            found[text] = set(world.names(views.listing(session, asked(text), limit=1000)))
    assert found == {text: set(filter(None, names.split(", "))) for text, names in PARTNERSHIPS.items()}


#: query → all that it finds, noise too
WITH_NOISE: dict[str, set[str]] = {
    "": NOISY | {
        "chicago osaka", "chicago paris", "boston kyoto", "chicago boston", "osaka sao paulo", "paris berlin",
        "league", "trio",
    },
    "status=suspended": {"noise suspended", "paris berlin"},
    "status=proposed,ended": {"noise proposed", "league", "noise ended", "boston kyoto"},
    "status=unknown": set(),
    "multilateral=true": {"noise charter", "league", "trio"},
    "has_program=true": {"noise active", "chicago osaka"},
    "country=NZ,IS,KE,PE": NOISY,
    "kind=twin_town": {"noise active", "noise ended", "paris berlin"},
    "active_on=1952-01-01": {"noise active"},
}  # fmt: skip


def test_noise_is_found_where_it_fits_and_only_there(world: World) -> None:
    found = {}
    with world.database.reading() as session:
        for text in WITH_NOISE:
            found[text] = set(world.names(views.listing(session, asked(text), limit=1000)))
    assert found == WITH_NOISE


@pytest.mark.parametrize(
    ("query", "left_out"),
    [
        ("active_on=1970-06-01&country=JP", 1),
        ("active_on=1970-05-15&country=US", 2),
        ("active_on=1970-05-15", 4),
        ("active_on=1990-01-01&country=US", 0),
        ("active_on=1970-06-01&country=JP&dates=possible", None),
        ("country=JP", None),
    ],
)
def test_who_asks_for_a_day_hears_how_many_were_left_out_as_undated(
    world: World, query: str, left_out: int | None
) -> None:
    with world.database.reading() as session:
        page = views.listing(session, asked(query), limit=1)
    assert page.extra.get("left_out_as_undated") == left_out


def test_those_left_out_are_those_that_possible_dates_add(world: World) -> None:
    with world.database.reading() as session:
        for day in ("1955-06-01", "1970-05-15", "1973-01-01", "1985-06-01", "1987-05-05", "2020-06-01", "0001-01-01"):
            certain = views.listing(session, {"active_on": [day]}, limit=1000)
            possible = views.listing(session, {"active_on": [day], "dates": ["possible"]}, limit=1000)
            added = set(world.names(possible)) - set(world.names(certain))
            assert set(world.names(certain)) <= set(world.names(possible))
            assert certain.extra["left_out_as_undated"] == len(added), day


def test_members_are_matched_one_to_one_however_many_fit(world: World) -> None:
    """Charters are where matching one by one would go wrong: four wants, and cities that fit several of them."""
    keys = ("paris", "lyon", "berlin", "mitte", "osaka")
    with written(world.database) as session:
        charter = partnerships.establish(
            session, [world.cities[key] for key in keys], kind="charter", title="Five towns"
        )
    table = {
        "country=FR&country=FR&country=DE&country=DE": True,
        "country=FR&country=FR&country=FR": False,
        "country=FR,JP&country=FR,JP&country=FR,JP": True,
        "country=FR,JP&country=FR,JP&country=FR,JP&country=FR,JP": False,
        "continent=EU&continent=EU&continent=EU&continent=EU": True,
        "continent=EU&continent=EU&continent=EU&country=JP": True,
        "continent=AS&continent=AS": False,
        f"city={world.cities['paris']}&city={world.cities['lyon']}&country=FR": False,
        f"city={world.cities['paris']}&continent=EU&country=FR&country=JP": True,
    }
    with world.database.reading() as session:
        found = {
            text: charter in [item["id"] for item in views.listing(session, asked(text), limit=1000).items]
            for text in table
        }
    assert found == table


#: query → names of the cities that it finds
CITIES: dict[str, list[str]] = {
    "q=chi": ["Chicago"],
    "q=CHICAGO": ["Chicago"],
    "q=чик": ["Chicago"],
    "q=windy": ["Chicago"],
    "q=second": ["Chicago"],
    "q=hicago": [],
    "q=sao": ["São Paulo"],
    "q=são  PAULO": ["São Paulo"],
    "q=wellington-noise": ["Wellington"],
    "q=o,saka": [],
    "q=%": [],
    "q=_": [],
    "country=FR": ["Paris", "Lyon"],
    "country=FR,BR&kind=city": ["Paris", "São Paulo"],
    "kind=village,district": ["Lyon", "Mitte"],
    "subdivision=US-IL": ["Chicago"],
    "subdivision=US-IL,US-MA": ["Chicago", "Boston"],
    "subdivision=us-il": [],
    "country=US": ["Chicago", "Boston"],
    "country=US&q=b": ["Boston"],
    "q=b&q=bos": ["Boston"],
}


def test_cities_are_found_by_any_of_their_names_and_by_where_they_are(world: World) -> None:
    with world.database.reading() as session:
        found = {
            text: [item["name"] for item in cities.listing(session, asked(text), limit=1000).items] for text in CITIES
        }
        parts = cities.listing(session, {"part_of": [str(world.cities["berlin"])]})
    assert found == CITIES
    assert [item["name"] for item in parts.items] == ["Mitte"]


def test_a_merged_city_stands_for_the_one_it_was_merged_into(world: World) -> None:
    with world.database.reading() as session:
        found = views.listing(session, {"city": [str(world.cities["windy"])]})
        own = views.listing(session, {"city": [str(world.cities["chicago"])]})
    assert world.names(found) == world.names(own) == ["chicago osaka", "chicago paris", "chicago boston"]


def test_a_merged_partnership_is_in_no_list_and_no_count(world: World) -> None:
    with written(world.database) as session:
        other = city(session, "Parigi", "FR")
        members = [world.cities["chicago"], other]
        double = partnerships.establish(session, members, kind="partner_city", signed="1996")
        merging.merge(session, other, into=world.cities["paris"])
    with world.database.reading() as session:
        for text in ("", "country=FR", "status=active", "multilateral=false"):
            page = views.listing(session, asked(text), limit=1000, exact=True)
            assert double not in [item["id"] for item in page.items]
            assert page.total == len(page.items)
        assert world.names(views.listing(session, asked(f"city={world.cities['lyon']}"))) == []


def test_every_other_noun_is_found_by_its_own_filters(world: World) -> None:
    pair, school, osaka = world.partnerships["chicago osaka"], world.school, world.cities["osaka"]
    table: list[tuple[Any, str, list[Any]]] = [
        (program_views, f"partnership={pair}", [world.program]),
        (program_views, f"partnership={world.partnerships['trio']}", []),
        (program_views, "city=wikidata:Q1297", [world.program]),
        (program_views, f"city=wikidata:Q1297&city={osaka}", [world.program]),
        (program_views, f"city={world.cities['boston']}", []),
        (program_views, "category=education,sport", [world.program]),
        (program_views, "category=sport", []),
        (program_views, f"organisation={school}", [world.program]),
        (organisation_views, "q=osaka s", [school]),
        (organisation_views, "kind=school&country=JP", [school]),
        (organisation_views, "kind=university", []),
        (organisation_views, f"city={osaka}", [school]),
        (organisation_views, "country=NZ", [1]),
        (sources, "key=S1", [world.source]),
        (sources, "key=S1,NOISE", [1, world.source]),
        (sources, "key=s1", []),
        (reported_figures, "source=S1", [world.figure]),
        (reported_figures, f"source={world.source}", [world.figure]),
        (reported_figures, "country=JP", [world.figure]),
        (reported_figures, "country=JP&country=US", [world.figure]),
        (reported_figures, "country=FR", []),
        (reported_figures, "measure=partnerships", [1, world.figure]),
        (reported_figures, "measure=cities", []),
    ]
    with world.database.reading() as session:
        found = [
            (view, text, [item["id"] for item in view.listing(session, asked(text), limit=1000).items])
            for view, text, _ in table
        ]
        assert found == table
        codes = {
            text: [item["code"] for item in countries.listing(session, asked(text), limit=1000).items]
            for text in ("q=uni", "q=deutsch", "continent=NA", "continent=AS,na", "q=x")
        }
        assert codes == {
            "q=uni": ["US"],
            "q=deutsch": ["DE"],
            "continent=NA": ["US"],
            "continent=AS,na": ["CN", "JP", "TR", "US"],
            "q=x": [],
        }
        accounts = revisions.listing(session, {"account": ["desk"]}).items
        assert {item["account"] for item in accounts} == {"desk"}
        assert [item["number"] for item in accounts] == [3, 2]


#: view, query → field, what the message says
REFUSED: list[tuple[Any, str, str | None, str]] = [
    (views, "contry=US", "contry", "Did you mean country"),
    (views, "statuses=active", "statuses", "Did you mean status"),
    (views, "limt=5", "limt", "Did you mean limit"),
    (views, "xyzzy=1", "xyzzy", "There are: city, country"),
    (views, "<script>=1", None, "no such parameter"),
    (views, "country=", "country", "empty"),
    (views, "country=US,", "country", "empty"),
    (views, "country=UK", "country", "no country of ISO 3166-1"),
    (views, "country=Germani", "country", "Did you mean DE"),
    (views, "country=U\0", "country", "control character"),
    (views, "country=\ud800", "country", "surrogate"),
    (views, "country=US&country=JP&country=FR&country=DE&country=BR", "country", "At most 4 members"),
    (views, "city=1&continent=AS&country=JP&country=FR&country=DE", "city", "At most 4 members"),
    (views, "city=0", "city", "number"),
    (views, "city=-1", "city", "number"),
    (views, "city=999999", "city", "number"),
    (views, "city=99999999999999999999999", "city", "number"),
    (views, "city=wikidata:Q999999999", "city", "No city has this identifier"),
    (views, "city=wikidata:999", "city", "the letter Q"),
    (views, "city=nowhere:1", "city", "no such identifier scheme"),
    (views, "city=Chicago", "city", "number"),
    (views, "continent=XX", "continent", "AF, AN, AS"),
    (views, "kind=sister-city", "kind", "Did you mean sister_city"),
    (views, "status=activ", "status", "Did you mean active"),
    (views, "established=..", "established", "at least one end"),
    (views, "established=1980..1970", "established", "ends before it starts"),
    (views, "established=1973-02-30", "established", "28 days"),
    (views, "established=yesterday", "established", "not a date"),
    (views, "active_on=1972", "active_on", "one day"),
    (views, "active_on=1972-01-01~", "active_on", "one day"),
    (views, "active_on=1972-01-01..1973-01-01", "active_on", "not a date"),
    (views, "dates=possible", "dates", "active_on"),
    (views, "active_on=1972-01-01&dates=maybe", "dates", "certain, possible"),
    (views, "multilateral=yes", "multilateral", "true, false"),
    (views, "has_program=1", "has_program", "true, false"),
    (views, "&".join(["kind=charter"] * 11), "kind", "repeated at most 10"),
    (views, "established=" + ",".join(["1973"] * 201), "established", "At most 200 alternatives"),
    (cities, "q=", "q", "empty"),
    (cities, "q=" + "a" * 301, "q", "301 characters"),
    (cities, "q=a\0", "q", "control character"),
    (cities, "kind=citty", "kind", "Did you mean city"),
    (cities, "part_of=999999", "part_of", "number"),
    (program_views, "partnership=999999", "partnership", "partnerships"),
    (program_views, "partnership=wikidata:Q1", "partnership", "partnerships"),
    (program_views, "organisation=x", "organisation", "organisations"),
    (reported_figures, "source=S404", "source", "sources"),
    (countries, "continent=Asia", "continent", "must be one of"),
]


@pytest.mark.parametrize(("view", "query", "field", "said"), REFUSED, ids=[each[1][:40] for each in REFUSED])
def test_a_bad_filter_is_refused_with_its_name_and_how_to_mend_it(
    sqlite_database: Database, view: Any, query: str, field: str | None, said: str
) -> None:
    with sqlite_database.reading() as session, pytest.raises(InvalidValue) as caught:
        view.listing(session, asked(query))
    assert caught.value.field == field
    assert said in caught.value.message


def test_a_bad_filter_never_reaches_the_database(database: Database) -> None:
    """PostgreSQL would fail on a NUL and be of no use for the rest of the session."""
    with database.reading() as session:
        for view, query, field, _ in REFUSED:
            with pytest.raises(InvalidValue) as caught:
                view.listing(session, asked(query))
            assert caught.value.field == field, query
        assert views.listing(session, {}).items


def test_most_alternatives_and_repeats_still_make_a_query_that_runs(database: Database) -> None:
    query = {
        "established": [",".join(f"{year}..{year + 1}" for year in range(1800, 2000))] * 10,
        "active_on": [",".join(f"{year}-01-01" for year in range(1801, 2001))] * 2,
        "kind": ["sister_city,twin_town"] * 10,
        "status": ["active,ended"] * 10,
        "has_program": ["true,false"] * 10,
        "multilateral": ["false"] * 10,
    }
    with database.reading() as session:
        assert [item["established"] for item in views.listing(session, query).items] == ["1951"]


def test_a_reference_that_fits_nothing_is_an_unknown_reference(sqlite_database: Database) -> None:
    with sqlite_database.reading() as session, pytest.raises(UnknownReference):
        filters.city_ids(session, ["999999"], field="city")


def test_many_numbers_are_looked_up_at_once(world: World) -> None:
    wanted = [str(number) for number in world.cities.values() if number != world.cities["windy"]]
    with world.database.reading() as session, statements(world.database) as seen:
        found = filters.city_ids(session, wanted, field="city")
    assert found == [int(each) for each in wanted]
    assert len(seen) == 1


def test_each_filter_says_what_it_is_and_takes_its_own_example(world: World) -> None:
    with world.database.reading() as session:
        for view in VIEWS:
            names = [each.name for each in view.FILTERS]
            assert len(set(names)) == len(names)
            for each in view.FILTERS:
                assert each.description.endswith("."), each.name
                assert each.schema["type"] == "array"
                assert re.search(each.schema["items"].get("pattern", ""), each.example), each.name
                day = {"active_on": ["1972-01-01"]} if each.name == "dates" else {}
                view.listing(session, {each.name: [each.example]} | day)


def test_schema_patterns_take_alternatives_and_nothing_else() -> None:
    kind = next(each for each in views.FILTERS if each.name == "kind").schema["items"]["pattern"]
    for text, fits in {
        "charter": True,
        "charter,other": True,
        "charter,": False,
        "Charter": False,
        ",": False,
        "": False,
        "charter other": False,
    }.items():
        assert bool(re.search(kind, text)) is fits, text


def test_programs_and_organisations_beside_those_of_the_world_are_not_found(world: World) -> None:
    with written(world.database) as session:
        other = programs.add(
            session, {"partnership": world.partnerships["trio"], "name": "Choirs", "category": "culture"}
        )
        organisations.add(session, {"name": "Osaka Chamber", "kind": "chamber"})
    with world.database.reading() as session:
        found = program_views.listing(session, {"city": [str(world.cities["osaka"])]}).items
        assert [item["id"] for item in found] == [world.program, other]
        assert [item["name"] for item in organisation_views.listing(session, {"q": ["OSAKA CH"]}).items] == [
            "Osaka Chamber"
        ]
