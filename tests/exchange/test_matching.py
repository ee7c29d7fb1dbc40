"""Which city a place means: the labelled cases, the rules one by one, and both kinds of gazetteer."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.exchange import evidence, name_forms, seeding
from app.exchange.gazetteers import keys_of
from app.exchange.matching import CountryNames, Known, Match, Matcher, MemoryGazetteer
from app.exchange.records import Place
from app.exchange.slips import is_slip, is_spelling
from app.registry import open_registry

HERE = Path(__file__).resolve()
PRECISION, RECALL = 0.99, 0.9


def _loaded(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(path.stem + "_beside", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


bench = _loaded(HERE.parents[2] / "bench" / "matching.py")
draw = _loaded(HERE.parent / "labelled" / "draw.py")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A registry with the seeds, for its countries."""
    database = open_registry(f"sqlite:///{tmp_path_factory.mktemp('seeded') / 'registry.db'}", migrate=True, threads=2)
    seeding.seed(database)
    with database.reading() as session:
        yield session
    database.close()


# ── The labelled cases ──


def test_the_hard_cases_are_matched_as_labelled(session: Session) -> None:
    cases = bench.hard_cases()
    score = bench.scored(cases, bench.matches(session, cases))
    assert score.cases >= 150
    assert score.labelled >= 150
    assert (score.precision >= PRECISION, score.recall >= RECALL) == (True, True), score


def test_the_real_cases_are_matched_as_labelled_by_name_and_country_alone(session: Session) -> None:
    cases = bench.real_cases()
    score = bench.scored(cases, bench.matches(session, cases))
    assert score.cases == 150
    assert (score.precision >= PRECISION, score.recall >= RECALL) == (True, True), score


def test_the_real_cases_are_matched_as_labelled_with_the_coordinates_of_the_file(
    session: Session, shared: Path
) -> None:
    cases = bench.real_cases(draw.spellings(shared / "data" / "twin-city-pairs.csv"))
    score = bench.scored(cases, bench.matches(session, cases))
    assert (score.precision >= PRECISION, score.recall >= RECALL) == (True, True), score


def test_the_real_cases_are_those_that_are_drawn(shared: Path) -> None:
    drawn = draw.drawn(shared / "data" / "twin-city-pairs.csv")
    assert [(case.place.name, case.place.country) for case in bench.real_cases()] == drawn


def test_every_label_is_a_city_of_the_world_or_says_that_there_is_none(session: Session) -> None:
    world = bench.world()
    for case in [*bench.real_cases(), *bench.hard_cases()]:
        known = case.means in ("none", "ambiguous", "refused") or world.by_identifier([f"city:{case.means}"])
        assert known, case


def test_what_is_labelled_refused_is_refused_with_a_reason(session: Session) -> None:
    cases = [case for case in bench.hard_cases() if case.means == "refused"]
    found = bench.matches(session, cases)
    assert len(cases) > 10
    assert [match.outcome for match in found] == ["refused"] * len(cases)
    assert {match.field for match in found} == {"country", "latitude"}
    assert all(match.reason for match in found)


# ── The rules, one by one ──


def known(number: int, name: str, code: str = "DE", at: tuple[float, float] | None = None, **more: Any) -> Known:
    latitude, longitude = at or (None, None)
    return Known(
        number, name, code, more.get("subdivision"), latitude, longitude,
        keys_of(name, more.get("names", ())), tuple(more.get("identifiers", ())),
    )  # fmt: skip


Judge = Callable[..., Match]


@pytest.fixture
def judge(session: Session) -> Judge:
    """Matches one place against these cities."""

    def one(cities: list[Known], name: str = "", country: str = "Germany", **more: Any) -> Match:
        latitude, longitude = more.pop("at", (None, None))
        place = Place(name=name, country=country, latitude=latitude, longitude=longitude, **more)
        (match,) = Matcher(CountryNames(session), [MemoryGazetteer(cities)]).match([place])
        return match

    return one


def verdict(match: Match) -> int | str:
    assert (match.chosen is not None) == (match.outcome == "chosen")
    assert match.chosen is None or match.chosen == match.candidates[0]
    assert match.reason
    assert all(0 <= each.score <= 1 and each.features and each.reason for each in match.candidates)
    return match.chosen.known.number if match.chosen else match.outcome


GILBERTS = [
    known(1, "Gilbert", "US", (33.35, -111.79), subdivision="US-AZ"),
    known(2, "Gilbert", "US", (35.99, -92.72), subdivision="US-AR"),
]


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ({}, "ambiguous"),
        ({"subdivision": "Arkansas"}, 2), ({"subdivision": "AR"}, 2), ({"subdivision": "US-AR"}, 2),
        ({"country": "Arkansas, United States"}, 2), ({"name": "Gilbert, Arkansas"}, 2), ({"name": "Gilbert (AZ)"}, 1),
        ({"at": (36.0, -92.7)}, 2), ({"at": (33.3, -111.7)}, 1),
        # neither of the two: another Gilbert
        ({"subdivision": "Ohio"}, "unknown"), ({"at": (44.0, -100.0)}, "unknown"),
        # state and coordinates disagree
        ({"subdivision": "Arkansas", "at": (33.35, -111.79)}, "ambiguous"),
        ({"identifiers": ("wikidata:Q79834",)}, "ambiguous"),
        ({"country": ""}, "refused"), ({"country": "Untied States"}, "refused"),
    ],
)  # fmt: skip
def test_both_gilberts_are_told_apart_by_state_or_coordinates_and_by_nothing_else(
    judge: Judge, said: dict[str, Any], means: int | str
) -> None:
    match = judge(GILBERTS, **{"name": "Gilbert", "country": "United States"} | said)
    assert verdict(match) == means


def test_a_gilbert_of_which_nobody_says_the_state_is_not_taken_for_the_one_in_arkansas(judge: Judge) -> None:
    somewhere = [known(1, "Gilbert", "US"), known(2, "Leeds", "GB")]
    match = judge(somewhere, "Gilbert", "Arkansas, United States")
    assert (verdict(match), match.field) == ("ambiguous", "subdivision")
    assert verdict(judge([known(1, "Gilbert", "US", (36.0, -92.7))], "Gilbert, AR", "US", at=(36.0, -92.7))) == 1
    # … but England is nearly all that a list of Britain's cities means
    assert verdict(judge(somewhere, "Leeds", "England")) == 2


def test_several_candidates_are_shown_with_scores_and_the_evidence(judge: Judge) -> None:
    match = judge(GILBERTS, "Gilbert", "US", at=(36.5, -92.7))
    assert verdict(match) == "ambiguous"
    assert match.field == "latitude"
    first, second = match.candidates
    assert (first.known.number, second.known.number) == (2, 1)
    assert first.score > second.score
    assert [each.name for each in first.features] == ["name", "distance"]
    assert "km away" in first.reason


@pytest.mark.parametrize(
    ("km", "means"),
    [(0, 1), (20, 1), (29, 1), (31, "ambiguous"), (99, "ambiguous"), (101, "unknown"), (300, "unknown")],
)
def test_a_city_of_the_same_name_is_the_same_to_thirty_km_perhaps_to_a_hundred_and_another_beyond(
    judge: Judge, km: int, means: int | str
) -> None:
    match = judge([known(1, "Neustadt", at=(50.0, 10.0))], "Neustadt", at=(50.0 + km / 111.195, 10.0))
    assert verdict(match) == means
    assert match.candidates[0].known.number == 1


def test_the_own_name_goes_before_another_name_and_that_before_a_near_one(judge: Judge) -> None:
    own, other, near = known(3, "Zell"), known(2, "Celle", names=["Zell"]), known(1, "Zelll")
    assert verdict(judge([near, other, own], "Zell")) == 3
    assert verdict(judge([near, other], "Zell")) == 2


def test_what_coordinates_confirm_goes_before_what_nothing_speaks_for(judge: Judge) -> None:
    here, nowhere = known(1, "Zell", at=(50.0, 10.0)), known(2, "Zell")
    assert verdict(judge([here, nowhere], "Zell", at=(50.01, 10.0))) == 1
    assert verdict(judge([here, nowhere], "Zell")) == "ambiguous"
    other = known(3, "Celle", at=(50.0, 10.0), names=["Zell"])
    assert verdict(judge([nowhere, other], "Zell", at=(50.01, 10.0))) == "ambiguous"
    doubtful = known(4, "Zell", at=(50.5, 10.0))
    assert verdict(judge([doubtful, other], "Zell", at=(50.01, 10.0))) == 3


def test_of_two_close_by_the_one_on_the_spot_is_meant_if_the_other_is_no_neighbour(judge: Judge) -> None:
    spot, off, neighbour = (known(n, "Zell", at=(50.0 + d, 10.0)) for n, d in ((1, 0.0), (2, 0.2), (3, 0.02)))
    assert verdict(judge([spot, off], "Zell", at=(50.0, 10.0))) == 1
    assert verdict(judge([spot, neighbour], "Zell", at=(50.0, 10.0))) == "ambiguous"
    assert verdict(judge([spot, off], "Zell", at=(50.1, 10.0))) == "ambiguous"


def test_brackets_that_only_tell_apart_neither_help_nor_harm(judge: Judge) -> None:
    saale, westphalia = known(1, "Halle (Saale)", names=["Halle"]), known(2, "Halle")
    main, oder = known(3, "Frankfurt am Main", names=["Frankfurt"]), known(4, "Frankfurt (Oder)", names=["Frankfurt"])
    assert verdict(judge([saale, westphalia], "Halle")) == "ambiguous"
    assert verdict(judge([saale, westphalia], "Halle (Saale)")) == 1
    assert verdict(judge([main, oder], "Frankfurt")) == "ambiguous"
    assert verdict(judge([main, oder], "Frankfurt/Oder")) == 4
    assert verdict(judge([saale], "Halle")) == 1


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ("Sankt Pölten", "St. Pölten"), ("St. Pölten", "Sankt Poelten"), ("Saint-Étienne", "St Etienne"),
        ("Görlitz", "Goerlitz"),
        ("Goerlitz", "Görlitz"), ("Aarhus", "Århus"), ("Ålborg", "Aalborg"), ("Fort Wayne", "Ft. Wayne"),
        ("Mt. Vernon", "Mount Vernon"),
        ("東京", "東京都"), ("上海", "上海市"), ("L'Aquila", "L’Aquila"),
        ("Stratford-upon-Avon", "Stratford upon Avon"),
        ("Gießen", "Giessen"), ("Łódź", "LODZ"), ("'s-Hertogenbosch", "s Hertogenbosch"),
    ],
)  # fmt: skip
def test_one_name_may_be_written_in_several_ways(judge: Judge, recorded: str, asked: str) -> None:
    assert verdict(judge([known(1, recorded)], asked)) == 1


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ("San José", "St. José"), ("Hamburg", "Homburg"), ("Praha 1", "Praha 2"), ("East Orange", "West Orange"),
        ("Tokyo", "Tokyo – Adachi"), ("Orhei", "Orhei District"), ("Warren", "Warren County"), ("Ulm", "Olm"),
        ("Bonn", "Berlin"),
    ],
)  # fmt: skip
def test_other_names_are_other_places(judge: Judge, recorded: str, asked: str) -> None:
    assert verdict(judge([known(1, recorded)], asked)) == "unknown"


def test_a_part_of_a_city_is_never_the_city(judge: Judge) -> None:
    cities = [
        known(1, "Berlin", at=(52.52, 13.4)),
        known(2, "Zehlendorf", at=(52.43, 13.26)),
        known(3, "Wandlitz", at=(53.5, 9.0)),
    ]
    assert verdict(judge(cities, "Mitte (Berlin)")) == "unknown"
    # … and a part is only known for one where the place that it is said to be in is near
    assert verdict(judge(cities, "Zehlendorf (Berlin)")) == 2
    assert verdict(judge(cities, "Wandlitz (Berlin)")) == "ambiguous"
    assert verdict(judge(cities, "Zehlendorf (Nowhere)")) == "ambiguous"
    assert verdict(judge(cities, "Zehlendorf (Nowhere)", at=(52.43, 13.26))) == 2


def test_a_plain_slip_is_taken_and_any_other_near_name_only_asked_about(judge: Judge) -> None:
    city = [known(1, "Philadelphia", "US", (39.95, -75.16))]
    assert verdict(judge(city, "Philadelhpia", "US")) == 1
    assert verdict(judge(city, "Philladelphia", "US")) == 1
    assert verdict(judge(city, "Philadelphis", "US")) == "ambiguous"
    assert verdict(judge(city, "Philadelphis", "US", at=(39.96, -75.16))) == 1
    assert verdict(judge(city, "Philadelphis", "US", at=(40.1, -75.16))) == "unknown"
    assert verdict(judge(city, "Philadelhpia", "US", at=(40.1, -75.16))) == 1
    assert verdict(judge(city, "Philadelhpia", "US", at=(42.0, -75.16))) == "unknown"


def test_two_that_may_be_misspelt_are_ambiguous(judge: Judge) -> None:
    cities = [known(1, "Philadelphia", "US", subdivision="US-PA"), known(2, "Philadelphia", "US", subdivision="US-NY")]
    assert verdict(judge(cities, "Philadelhpia", "US")) == "ambiguous"
    assert verdict(judge(cities, "Philadelhpia", "US", subdivision="NY")) == 2


SLIPS = [
    ("johanesburg", "johannesburg", True), ("cincinatti", "cincinnati", True), ("manchseter", "manchester", True),
    ("barcelona", "barcelonna", True), ("hamburg", "homburg", False), ("kassel", "kasel", False),
    ("marburg", "warburg", False),
    ("neukirchen", "neunkirchen", False), ("mecklenburgische", "mecklenburgishe", True),
    ("budapest xi", "budapest xii", False),
    ("ludesch", "bludesch", False), ("berlin", "berlin", False), ("", "", False),
    ("zurich kreis 11", "zurich kreis 1", False),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "slip"), SLIPS)
def test_slips_are_those_that_hardly_ever_make_another_name(one: str, other: str, slip: bool) -> None:
    assert is_slip(one, other) is slip
    assert is_slip(other, one) is slip


@pytest.mark.parametrize(
    ("one", "other", "spelling"),
    [
        ("svetlahorsk", "svetlogorsk", True), ("lahoysk", "logoysk", True), ("aci trezza", "acitrezza", True),
        ("st helier", "saint helier", True), ("ceptura de sus", "ceptura de jos", False),
        ("horni cermna", "dolni cermna", False),
        ("saint pierre de fursac", "saint etienne de fursac", False), ("washington", "ashington", False),
        ("tammela a", "tammela b", False), ("praha 1", "praha 2", False), ("ulm", "olm", False),
    ],
)  # fmt: skip
def test_spellings_of_one_place_differ_within_words(one: str, other: str, spelling: bool) -> None:
    assert is_spelling(one, other) is spelling
    assert is_spelling(other, one) is spelling


def test_an_identifier_goes_before_every_name(judge: Judge) -> None:
    cities = [
        known(1, "Köln", at=(50.9, 7.0), identifiers=["geonames:2886242"]),
        known(2, "Bonn", identifiers=["wikidata:Q586"]),
    ]
    assert verdict(judge(cities, "Bonn", identifiers=("geonames:2886242",))) == 1
    assert verdict(judge(cities, "", "", identifiers=("geonames:2886242",))) == 1
    assert verdict(judge(cities, "Köln", "Grece", identifiers=("geonames:2886242",))) == 1
    assert verdict(judge(cities, "Köln", identifiers=("wikidata:Q1", "geonames:2886242"))) == 1
    assert verdict(judge(cities, "Köln", identifiers=("wikidata:Q365",))) == 1, "none of that scheme is known"
    assert verdict(judge(cities, city=2)) == 2


@pytest.mark.parametrize(
    ("said", "outcome", "field"),
    [
        ({"identifiers": ("geonames:1", "wikidata:Q2")}, "ambiguous", "identifiers"),
        ({"identifiers": ("geonames:1",), "country": "France"}, "ambiguous", "country"),
        ({"identifiers": ("geonames:1",), "at": (40.0, 7.0)}, "ambiguous", "latitude"),
        ({"identifiers": ("geonames:99",)}, "ambiguous", "identifiers"),
        ({"city": 3}, "refused", "city"),
        ({"at": (7.0, 50.9)}, "refused", "latitude"),
        ({"at": (95.0, 7.0)}, "refused", "latitude"),
        ({"at": (50.0, 181.0)}, "refused", "longitude"),
        ({"at": (50.0, None)}, "refused", "longitude"),
        ({"name": ""}, "refused", "name"), ({"name": " – "}, "unknown", "name"),
        ({"country": ""}, "refused", "country"), ({"country": "in Germany"}, "refused", "country"),
    ],
)  # fmt: skip
def test_evidence_that_cannot_be_or_disagrees_chooses_nothing(
    judge: Judge, said: dict[str, Any], outcome: str, field: str
) -> None:
    cities = [
        known(1, "Köln", at=(50.9, 7.0), identifiers=["geonames:1"]),
        known(2, "Bonn", identifiers=["wikidata:Q2"]),
    ]
    match = judge(cities, **{"name": "Köln", "country": "Germany"} | said)
    assert (verdict(match), match.field) == (outcome, field)


def test_swapped_coordinates_are_recognised_and_said(judge: Judge) -> None:
    match = judge([known(1, "Tehran", "IR", (35.69, 51.42))], "Tehran", "Iran", at=(51.42, 35.69))
    assert verdict(match) == "refused"
    assert "swapped" in match.reason


def test_england_is_too_large_to_speak_against_coordinates(judge: Judge) -> None:
    newcastle = known(1, "Newcastle", "GB", (54.97, -1.61), subdivision="GB-ENG")
    assert verdict(judge([newcastle], "Newcastle", "England", at=(52.43, -3.1))) == "unknown"
    assert verdict(judge([newcastle], "Newcastle", "Northern Ireland")) == "unknown"
    assert verdict(judge([replace(newcastle, subdivision="GB-NET")], "Newcastle", "England")) == 1


@pytest.mark.parametrize(
    ("said", "recorded"),
    [
        (("Suzhou, Jiangsu", "China"), ("CN", "CN-JS", "Suzhou")),
        (("Lagoa (Azores)", "Portugal"), ("PT", "PT-20", "Lagoa")),
        (("Varna, Bulgaria", "Bulgaria"), ("BG", None, "Varna")),
        (("Leeds", "England, United Kingdom"), ("GB", "GB-ENG", "Leeds")),
        (("Behringen (Bispingen)", "Germany"), ("DE", None, "Behringen (Bispingen)")),
        (("San Juan, Puerto Rico", "USA"), ("PR", None, "San Juan")),
    ],
)
def test_a_city_that_is_not_known_is_called_by_its_name_in_its_subdivision(
    judge: Judge, said: tuple[str, str], recorded: tuple[str, str | None, str]
) -> None:
    match = judge([], *said)
    assert (verdict(match), match.code, match.subdivision, match.name) == ("unknown", *recorded)


def test_candidates_are_at_most_ten(judge: Judge) -> None:
    match = judge([known(number, "Neustadt") for number in range(1, 40)], "Neustadt")
    assert len(match.candidates) == 10
    assert "39 cities" in match.reason


def test_places_are_matched_in_their_order(session: Session) -> None:
    matcher = Matcher(CountryNames(session), [MemoryGazetteer(GILBERTS), MemoryGazetteer([known(-1, "Bonn")])])
    places = [Place(name="Bonn", country="DE"), Place(), Place(name="Gilbert, AZ", country="US")]
    assert [verdict(match) for match in matcher.match(places)] == [-1, "refused", 1]
    assert matcher.match([]) == []


def test_a_name_has_few_forms_and_its_own_key_is_the_first() -> None:
    assert name_forms.variants("Berlin") == ("berlin",)
    assert name_forms.variants("") == ()
    assert name_forms.variants("Sankt Pölten")[0] == "sankt polten"
    assert len(name_forms.variants("St. Fort Mount St. Ste. Saint St. Mt. Ft. Åland")) <= name_forms.MOST_FORMS
    assert name_forms.beside("Halle (Saale)") == name_forms.Beside("Halle", "Saale")
    assert name_forms.beside("Washington, D.C.") == name_forms.Beside("Washington", "D.C.")
    assert [name_forms.beside(name) for name in ("(Saale)", "Halle ()", ", Texas", "Halle,", "a (b) c")] == [None] * 5


def test_a_score_is_the_weighted_mean_of_the_features() -> None:
    weighed = evidence.weigh(
        GILBERTS[0], evidence.Asked(33.35, -111.79, "US-AZ"), tier=evidence.Tier.OWN_NAME, alike=1.0, how=""
    )
    assert weighed.score == 1.0
    assert weighed.confirmed
    far = evidence.weigh(
        GILBERTS[0], evidence.Asked(50.0, 10.0, "US-AR"), tier=evidence.Tier.OWN_NAME, alike=1.0, how=""
    )
    assert far.score == round(evidence.NAME / (evidence.NAME + evidence.DISTANCE + evidence.SUBDIVISION), 3)
    assert far.against == "latitude"
