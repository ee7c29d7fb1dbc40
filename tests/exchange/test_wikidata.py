"""What Wikidata says becomes rows: two directions one agreement, qualifiers events, references sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import wikidata_endpoint as fake
from wikidata_endpoint import UNKNOWN, Item, Twinning, World

from app.errors import InvalidDate
from app.exchange import importing, wikidata
from app.exchange.records import DatedEvent, PartnershipRow, Place, SourceNamed
from app.exchange.wikidata import facts
from app.exchange.wikidata.endpoint import Term
from app.registry import Database
from app.registry.views import cities, partnerships
from app.settings import Settings

BERLIN = Item(
    {"en": "Berlin", "de": "Berlin", "ja": "ベルリン", "mul": "Berlin"},
    ("DE",),
    ("52.516666666667", "13.383333333333"),
    (("3755251", "2022-12-31T00:00:00Z"), ("+3711930", "2020-12-31T00:00:00Z"), ("1", None), ("2", UNKNOWN)),
    ("2950159",),
    ("Q515", "Q1221156"),
    native=(("de", "Berlin"),),
)
PARIS = Item({"en": "Paris", "fr": "Paris"}, ("FR",), ("48.8566", "2.3522"), classes=("Q484170", "Q1549591"))
OSAKA = Item({"en": "Osaka", "ja": "大阪市"}, ("JP",), ("34.69", "135.5"), classes=("Q1749269",))
FRISCO = Item({"en": "San Francisco"}, ("US",), ("37.77", "-122.41"), geonames=("5391959", "5391997"))
NOWHERE = Item({"mul": "Tiraspol"})
COUNTRIES = {"Q183": "DE", "Q142": "FR", "Q17": "JP", "Q30": "US"}
YEAR, MONTH, DAY = 9, 10, 11

Fetch = Callable[..., wikidata.Harvest]


def world(*twinnings: Twinning, **more: Any) -> World:
    items = {"Q64": BERLIN, "Q90": PARIS, "Q35765": OSAKA, "Q62": FRISCO, "Q1": NOWHERE}
    return World(items | more.pop("items", {}), list(twinnings), COUNTRIES, {"Q1749269": ("Q494721",)}, **more)


@pytest.fixture
def fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fetch]:
    """Asks an endpoint that keeps the given world."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("app.exchange.wikidata.endpoint.httpx2.Client", partial(httpx2.Client, verify=False))

    def fetched(kept: World, **options: Any) -> wikidata.Harvest:
        page_size = options.pop("page_size", 1000)
        with fake.running(kept) as endpoint:
            known = Settings(
                wikidata_endpoint=endpoint.url,
                wikidata_contact="desk@example.org",
                wikidata_pause=0,
                wikidata_page_size=page_size,
                wikidata_cache=str(tmp_path),
            )
            return wikidata.fetch(known, fresh=True, **options)

    yield fetched


@pytest.fixture
def row(fetch: Fetch) -> Callable[..., PartnershipRow]:
    """The only row of a world of these statements."""

    def only(*twinnings: Twinning, **more: Any) -> PartnershipRow:
        [found] = fetch(world(*twinnings, **more)).rows()
        return found

    return only


Only = Callable[..., PartnershipRow]


def both(**more: Any) -> tuple[Twinning, Twinning]:
    """Berlin and Paris, said by both with the same words."""
    return Twinning("Q64-A1", "Q64", "Q90", **more), Twinning("Q90-B1", "Q90", "Q64", **more)


def test_both_directions_make_one_row_with_all_that_is_known(row: Only) -> None:
    found = row(*both(start=(("1987-07-02T00:00:00Z", DAY),)))
    assert found.number == 1
    assert found.places == (
        Place(
            name="Berlin",
            country="DE",
            latitude=52.516666666667,
            longitude=13.383333333333,
            identifiers=("wikidata:Q64", "geonames:2950159"),
            kind="city",
            population=3755251,
        ),
        Place(
            name="Paris", country="FR", latitude=48.8566, longitude=2.3522, identifiers=("wikidata:Q90",), kind="city"
        ),
    )
    assert found.events == (DatedEvent("signed", "1987-07-02"),)
    assert found.sources == (
        SourceNamed("Wikidata", "https://www.wikidata.org/", locator="https://www.wikidata.org/wiki/Q64#P190"),
        SourceNamed("Wikidata", "https://www.wikidata.org/", locator="https://www.wikidata.org/wiki/Q90#P190"),
    )
    assert (found.remarks, found.faults, found.status, found.kind) == ((), (), None, None)


def test_names_come_in_the_languages_that_were_chosen(fetch: Fetch) -> None:
    kept = world(Twinning("Q64-1", "Q64", "Q35765"))
    [found] = fetch(kept, languages=("ja", "de")).rows()
    assert [place.name for place in found.places] == ["ベルリン", "大阪市"]
    assert found.places[0].names == (("Berlin", "de"),)


def test_a_language_that_has_no_tag_is_not_known(fetch: Fetch) -> None:
    items = {"Q2": Item({"en": "Minsk", "be-x-old": "Менск", "be": "Мінск"}, ("DE",))}
    kept = world(Twinning("Q2-1", "Q2", "Q64"), items=items)
    [found] = fetch(kept, languages=("en", "be", "be-x-old")).rows()
    assert found.places[0].names == (("Мінск", "be"), ("Менск", "und"))


def test_an_item_without_a_label_in_them_has_the_one_for_all_languages_or_its_own_or_none(fetch: Fetch) -> None:
    items = {"Q2": Item({"ja": "京都市"}, ("JP",), native=(("ja", "京都市"),)), "Q3": Item({"ja": "堺市"}, ("JP",))}
    kept = world(Twinning("Q2-1", "Q2", "Q1"), Twinning("Q3-1", "Q3", "Q1"), items=items)
    first, second = fetch(kept).rows()
    assert [place.name for place in (*first.places, *second.places)] == ["Tiraspol", "京都市", "Tiraspol", ""]
    assert second.places[1].identifiers == ("wikidata:Q3",)


def test_one_direction_is_one_sided_and_is_said_to_be(row: Only) -> None:
    found = row(Twinning("Q90-B1", "Q90", "Q64"))
    assert found.remarks == ("One-sided: Paris (Q90) names Berlin (Q64), not the other way round.",)
    assert [place.name for place in found.places] == ["Berlin", "Paris"]


def test_a_pair_with_itself_is_left_to_the_importer_to_refuse(row: Only) -> None:
    found = row(Twinning("Q64-1", "Q64", "Q64"))
    assert found.places[0] == found.places[1]
    assert found.remarks == ()


@pytest.mark.parametrize("skolems", [True, False])
def test_a_twin_that_is_not_known_is_a_fault(row: Only, skolems: bool) -> None:
    found = row(Twinning("Q64-1", "Q64", UNKNOWN), skolems=skolems)
    assert [(fault.field, fault.reason) for fault in found.faults] == [
        ("city2", "Wikidata says that Berlin (Q64) has a twin, and not which.")
    ]
    assert found.places[1] == Place()


@pytest.mark.parametrize(
    ("more", "events"),
    [
        ({}, ()),
        ({"start": (("1987-01-01T00:00:00Z", YEAR),)}, (DatedEvent("signed", "1987"),)),
        ({"start": (("1987-07-01T00:00:00Z", MONTH),)}, (DatedEvent("signed", "1987-07"),)),
        ({"start": (UNKNOWN,)}, (DatedEvent("signed"),)),
        ({"point": (("1987-07-02T00:00:00Z", DAY),)}, (DatedEvent("signed", "1987-07-02"),)),
        (
            {"start": (("1987-01-01T00:00:00Z", YEAR),), "point": (("2001-01-01T00:00:00Z", YEAR),)},
            (DatedEvent("signed", "1987"),),
        ),
        ({"end": (UNKNOWN,)}, (DatedEvent("ended"),)),
        (
            {"start": (("1960-01-01T00:00:00Z", 8),), "end": (("1999-12-31T00:00:00Z", DAY),)},
            (DatedEvent("signed", "196X"), DatedEvent("ended", "1999-12-31")),
        ),
    ],
)
def test_qualifiers_become_events(row: Only, more: dict[str, Any], events: tuple[DatedEvent, ...]) -> None:
    assert row(*both(**more)).events == events


@pytest.mark.parametrize(
    ("time", "precision", "text"),
    [
        ("1973-11-09T00:00:00Z", "11", "1973-11-09"),
        ("+1973-11-09T00:00:00Z", "11", "1973-11-09"),
        ("1973-11-09T12:30:00Z", "14", "1973-11-09"),
        ("1973-11-09T00:00:00Z", "10", "1973-11"),
        ("1973-11-09T00:00:00Z", "9", "1973"),
        ("1973-00-00T00:00:00Z", "11", "1973"),
        ("1973-11-00T00:00:00Z", "11", "1973-11"),
        ("1973-01-01T00:00:00Z", "8", "197X"),
        ("2000-01-01T00:00:00Z", "7", "19XX"),
        ("1901-01-01T00:00:00Z", "7", "19XX"),
        ("1973-11-09T00:00:00Z", "", "1973-11-09"),
    ],
)
def test_a_date_is_as_exact_as_its_precision(time: str, precision: str, text: str) -> None:
    assert facts.edtf(time, precision).text == text


@pytest.mark.parametrize(
    ("time", "precision"),
    [
        ("-0044-03-15T00:00:00Z", "11"),
        ("0000-01-01T00:00:00Z", "9"),
        ("1000-01-01T00:00:00Z", "6"),
        ("13798-01-01T00:00:00Z", "9"),
        ("1973-02-30T00:00:00Z", "11"),
        ("0005-01-01T00:00:00Z", "8"),
        ("1973-11-09T00:00:00Z", "15"),
        ("t123", "11"),
    ],
)
def test_a_date_that_cannot_be_kept_is_refused_with_the_reason(time: str, precision: str) -> None:
    with pytest.raises(InvalidDate) as refused:
        facts.edtf(time, precision)
    assert refused.value.message


def test_a_date_that_cannot_be_kept_is_said_and_the_event_stays(row: Only) -> None:
    found = row(*both(start=(("1000-01-01T00:00:00Z", 6),)))
    assert found.events == (DatedEvent("signed"),)
    [remark] = found.remarks
    assert remark.startswith("Wikidata's date 1000-01-01T00:00:00Z was left out: ")


def test_of_dates_that_agree_the_most_exact_is_taken(row: Only) -> None:
    a, b = both()
    found = row(replace(a, start=(("1987-01-01T00:00:00Z", YEAR),)), replace(b, start=(("1987-07-02T00:00:00Z", DAY),)))
    assert found.events == (DatedEvent("signed", "1987-07-02"),)
    assert found.remarks == ()


def test_of_dates_that_do_not_agree_the_first_start_is_taken_and_all_are_said(row: Only) -> None:
    a, b = both()
    found = row(replace(a, start=(("1988-01-01T00:00:00Z", YEAR),)), replace(b, start=(("1987-07-02T00:00:00Z", DAY),)))
    assert found.events == (DatedEvent("signed", "1987-07-02"),)
    assert found.remarks == (
        "Wikidata has several dates on which it began: 1988 by Berlin (Q64); 1987-07-02 by Paris (Q90). 1987-07-02 was"
        " taken.",
    )


def test_an_end_that_only_one_side_knows_says_whose(row: Only) -> None:
    found = row(
        Twinning(
            "Q35765-1", "Q35765", "Q62", start=(("1957-10-07T00:00:00Z", DAY),), end=(("2018-10-01T00:00:00Z", DAY),)
        ),
        Twinning("Q62-1", "Q62", "Q35765"),
    )
    note = "By Wikidata's item of Osaka (Q35765); that of San Francisco (Q62) has no end."
    assert found.events == (DatedEvent("signed", "1957-10-07"), DatedEvent("ended", "2018-10-01", note))


def test_an_end_before_the_start_is_a_fault(row: Only) -> None:
    found = row(*both(start=(("1990-01-01T00:00:00Z", YEAR),), end=(("1950-01-01T00:00:00Z", YEAR),)))
    assert found.faults[0].field == "ended"
    assert "(1950) before it began (1990)" in found.faults[0].reason


def test_periods_that_cannot_be_one_are_agreements_of_their_own(fetch: Fetch) -> None:
    old = {"start": (("1960-01-01T00:00:00Z", YEAR),), "end": (("1990-01-01T00:00:00Z", YEAR),)}
    new = {"start": (("2005-01-01T00:00:00Z", YEAR),)}
    kept = world(
        Twinning("Q64-new", "Q64", "Q90", **new),
        Twinning("Q64-old", "Q64", "Q90", **old),
        Twinning("Q90-new", "Q90", "Q64", start=(("2005-03-01T00:00:00Z", MONTH),)),
    )
    first, second = fetch(kept).rows()
    assert first.events == (DatedEvent("signed", "1960"), DatedEvent("ended", "1990"))
    assert second.events == (DatedEvent("signed", "2005-03"),)
    assert [len(each.remarks) for each in (first, second)] == [1, 0]


def test_the_same_twice_on_one_item_is_once(row: Only) -> None:
    twice = [Twinning(f"Q64-{number}", "Q64", "Q90") for number in (1, 2)]
    assert len(row(*twice, Twinning("Q90-1", "Q90", "Q64")).sources) == 2


def test_deprecated_statements_make_no_row_and_are_counted(fetch: Fetch) -> None:
    a, b = both()
    harvest = fetch(world(replace(a, rank="DeprecatedRank"), b, Twinning("Q1-1", "Q1", "Q90", rank="DeprecatedRank")))
    [found] = harvest.rows()
    assert found.remarks == ("One-sided: Paris (Q90) names Berlin (Q64), not the other way round.",)
    assert harvest.notes == ("2 statements were left out: Wikidata keeps them as deprecated, that is as wrong.",)


def test_a_preferred_statement_counts_like_any_other(row: Only) -> None:
    a, b = both()
    assert row(replace(a, rank="PreferredRank"), b).remarks == ()


# --- references ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "source"),
    [
        ({"url": ["https://berlin.de/twins"]}, SourceNamed("berlin.de", "https://berlin.de/twins")),
        (
            {"url": ["https://berlin.de/twins"], "title": ["Städtepartner"]},
            SourceNamed("Städtepartner", "https://berlin.de/twins"),
        ),
        (
            {"url": ["https://berlin.de/twins"], "stated_in": ["Q9001"]},
            SourceNamed("Gazette", "https://berlin.de/twins"),
        ),
        ({"stated_in": ["Q9001"], "title": ["On twins"]}, SourceNamed("Gazette", locator="On twins")),
        ({"stated_in": ["Q9009"]}, SourceNamed("Wikidata's item Q9009")),
        (
            {"imported_from": ["Q48183"], "import_url": ["https://de.wikipedia.org/w/index.php?oldid=1"]},
            SourceNamed("German Wikipedia", locator="https://de.wikipedia.org/w/index.php?oldid=1"),
        ),
        ({"imported_from": ["Q48183"]}, SourceNamed("German Wikipedia")),
        ({"url": ["ftp://berlin.de/x"], "stated_in": ["Q9001"]}, SourceNamed("Gazette")),
        ({"url": [UNKNOWN]}, None),
        ({"url": ["https://" + "x" * 2000]}, None),
        ({"url": ["http://[x"]}, None),
        ({}, None),
    ],
)
def test_references_become_sources(row: Only, reference: dict[str, Any], source: SourceNamed | None) -> None:
    items = {"Q9001": Item({"en": "Gazette"}), "Q48183": Item({"en": "German Wikipedia"})}
    a, b = both()
    found = row(replace(a, references=(reference,)), b, items=items)
    assert list(found.sources[2:]) == ([source] if source else [])


def test_a_document_that_several_references_name_is_one_source(row: Only) -> None:
    found = row(*both(references=({"url": ["https://a.example/1"]}, {"url": ["https://a.example/1"]})))
    assert [source.url for source in found.sources[2:]] == ["https://a.example/1"]


# --- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (Item(position=("10", "350.5")), {"latitude": 10.0, "longitude": -9.5}),
        (Item(position=("91", "0")), {"latitude": None}),
        (Item(position=("nan", "0")), {"latitude": None}),
        (Item(position=("x", "0")), {"latitude": None}),
        (Item(populations=(("12.5", None),)), {"population": None}),
        (Item(populations=(("-3", None), ("many", None), ("1e400", None))), {"population": None}),
        (Item(populations=(("900", "2001-01-01T00:00:00Z"), ("800", "2011-01-01T00:00:00Z"))), {"population": 800}),
        (Item(geonames=("007",)), {"identifiers": ("wikidata:Q2",)}),
        (Item(geonames=("1", "2")), {"identifiers": ("wikidata:Q2",)}),
        (Item(classes=("Q1749269",)), {"kind": "city"}),
        (Item(classes=("Q77", "Q532")), {"kind": "village"}),
        (Item(classes=("Q77",)), {"kind": None}),
        (Item(countries=("FR", "DE")), {"country": ""}),
        (Item(), {"country": "", "name": ""}),
    ],
)
def test_what_is_known_of_a_body(row: Only, item: Item, told: dict[str, Any]) -> None:
    place = row(Twinning("Q64-1", "Q64", "Q2"), items={"Q2": item}).places[0]
    assert {name: getattr(place, name) for name in told} == told


def test_a_body_of_two_countries_is_said_to_be(row: Only) -> None:
    found = row(Twinning("Q64-1", "Q64", "Q2"), items={"Q2": Item({"en": "Nicosia"}, ("TR", "CY"))})
    assert "Wikidata has Nicosia (Q2) in CY and TR; its country was left open." in found.remarks


def test_an_item_that_was_merged_is_the_one_that_it_was_merged_into(row: Only) -> None:
    items = {"Q777": Item(same="Q778"), "Q778": Item(same="Q90")}
    found = row(Twinning("Q64-1", "Q64", "Q777"), Twinning("Q90-1", "Q90", "Q64"), items=items)
    assert [place.identifiers[0] for place in found.places] == ["wikidata:Q64", "wikidata:Q90"]
    assert found.remarks == ()


# --- which statements ----------------------------------------------------------------------------------------------

FOUR = (
    *both(),
    Twinning("Q62-1", "Q62", "Q35765"),
    Twinning("Q35765-1", "Q35765", "Q62"),
    Twinning("Q64-2", "Q64", "Q35765"),
    Twinning("Q1-1", "Q1", "Q90"),
)


@pytest.mark.parametrize("page_size", [10, 1000])
def test_all_countries_and_none_are_asked_and_every_pair_is_found_once(fetch: Fetch, page_size: int) -> None:
    found = list(fetch(world(*FOUR), page_size=page_size).rows())
    assert [tuple(place.name for place in row.places) for row in found] == [
        ("Tiraspol", "Paris"),
        ("San Francisco", "Osaka"),
        ("Berlin", "Paris"),
        ("Berlin", "Osaka"),
    ]
    assert [row.number for row in found] == [1, 2, 3, 4]
    assert [bool(row.remarks) for row in found] == [True, False, False, True]


@pytest.mark.parametrize(
    ("countries", "pairs"),
    [
        (("JP",), {("San Francisco", "Osaka"), ("Berlin", "Osaka")}),
        (("FR",), {("Tiraspol", "Paris"), ("Berlin", "Paris")}),
        (("FR", "US"), {("Tiraspol", "Paris"), ("Berlin", "Paris"), ("San Francisco", "Osaka")}),
        (("SE",), set()),
    ],
)
def test_a_country_is_asked_from_both_sides(
    fetch: Fetch, countries: tuple[str, ...], pairs: set[tuple[str, ...]]
) -> None:
    harvest = fetch(world(*FOUR), countries=countries)
    assert {tuple(place.name for place in row.places) for row in harvest.rows()} == pairs
    assert [note for note in harvest.notes if "no twinned body" in note] == (
        ["SE: the endpoint has no twinned body there."] if countries == ("SE",) else []
    )


def test_since_a_day_only_what_was_changed_is_asked_and_nothing_looks_one_sided_by_it(fetch: Fetch) -> None:
    kept = world(*FOUR, items={"Q35765": replace(OSAKA, changed="2026-02-03T00:00:00Z")})
    found = list(fetch(kept, since=date(2026, 1, 1)).rows())
    assert [tuple(place.name for place in row.places) for row in found] == [
        ("San Francisco", "Osaka"),
        ("Berlin", "Osaka"),
    ]
    assert [bool(row.remarks) for row in found] == [False, True]


def test_a_world_without_twins_gives_no_rows(fetch: Fetch) -> None:
    harvest = fetch(World())
    assert (list(harvest.rows()), harvest.notes) == ([], ())


def test_progress_is_told_for_each_stage(fetch: Fetch) -> None:
    told: list[tuple[str, int, int]] = []
    fetch(world(*FOUR), progress=lambda *words: told.append(words))
    assert {what for what, _, _ in told} >= {"Listing", "Statements", "Cities", "Kinds", "Documents"}
    assert all(done <= total for _, done, total in told)


@pytest.mark.parametrize(
    ("term", "item"),
    [
        (Term("uri", "http://www.wikidata.org/entity/Q64"), "Q64"),
        (Term("uri", "http://www.wikidata.org/entity/P64"), None),
        (Term("uri", "http://example.org/Q64"), None),
        (Term("literal", "http://www.wikidata.org/entity/Q64"), None),
        (Term("unknown", ""), None),
        (None, None),
    ],
)
def test_an_item_is_told_from_everything_else(term: Term | None, item: str | None) -> None:
    assert facts.item_of(term) == item


# --- through the importer ------------------------------------------------------------------------------------------


def imported(database: Database, harvest: wikidata.Harvest) -> tuple[list[importing.Line], importing.Applied]:
    options = importing.Options(file="Wikidata", sha256=harvest.sha256, on_error="skip")
    with importing.plan(database, harvest.rows(), options, writes=True) as planned:
        applied = importing.apply(database, planned, account="test")
        return list(planned.lines()), applied


def test_a_harvest_goes_through_the_importer_and_a_second_time_changes_nothing(
    fetch: Fetch, database: Database
) -> None:
    kept = world(
        *both(
            start=(("1987-07-02T00:00:00Z", DAY),),
            references=({"url": ["https://berlin.de/twins"], "title": ["Twins"]},),
        ),
        Twinning("Q35765-1", "Q35765", "Q62", end=(("2018-10-01T00:00:00Z", DAY),)),
        Twinning("Q62-1", "Q62", "Q35765", start=(("1957-10-07T00:00:00Z", DAY),)),
        Twinning("Q64-9", "Q64", "Q64"),
        Twinning("Q90-9", "Q90", UNKNOWN),
        Twinning("Q1-1", "Q1", "Q90"),
    )
    lines, applied = imported(database, fetch(kept))
    assert applied.totals == {"created": 2, "same": 0, "changed": 0, "ambiguous": 0, "refused": 3}
    refused = {line.field: line.reason for line in lines if line.outcome == "refused"}
    assert "has a twin, and not which" in refused["city2"]
    assert len(lines) == 5 == sum(applied.totals.values())

    with database.reading() as session:
        osaka = cities.get(session, "wikidata:Q35765")
        pair = partnerships.get(session, str(next(line.record for line in lines if line.outcome == "created")))
    assert (osaka["name"], osaka["country"], osaka["kind"]) == ("Osaka", "JP", "city")
    assert [event["type"] for event in pair["events"]] == ["signed", "ended"]
    assert pair["status"] == "ended"

    again, unchanged = imported(database, fetch(kept))
    assert unchanged.revision is None
    assert [line.outcome for line in again].count("same") == 2
