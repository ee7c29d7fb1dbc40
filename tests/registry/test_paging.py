"""Pages: every item once, whatever the sort and the limit; cursors that say what is wrong with them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import city, written
from small_world import World, build, statements

from app.errors import InvalidValue
from app.models import City, Partnership
from app.registry import Database, paging, partnerships
from app.registry.content import table_of
from app.registry.views import cities as city_views
from app.registry.views import countries, organisations, programs, reported_figures, revisions, sources
from app.registry.views import partnerships as views

VIEWS = (countries, city_views, views, programs, organisations, sources, reported_figures, revisions)
COLUMNS = (
    table_of(Partnership).c.established_latest,
    table_of(City).c.name_key,
    table_of(Partnership).c.id,
)
BINDING = paging.bound_to("partnerships", {"country": ["US"]}, "id")
DAY, NAME = datetime.date(1973, 11, 9), "sao paulo"


@pytest.fixture
def world(database: Database) -> World:
    """The small world on each engine."""
    return build(database)


def walked(world: World, view: Any, limit: int, **asked: Any) -> list[Any]:
    """All items of a list, page by page."""
    items: list[Any] = []
    cursor = None
    with world.database.reading() as session:
        while True:
            page = view.listing(session, asked.get("query", {}), limit=limit, cursor=cursor, sort=asked.get("sort"))
            assert 1 <= len(page.items) <= limit
            items += page.items
            if (cursor := page.next) is None:
                return items


# ── Cursors alone ──


@given(
    st.dates(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.integers(1, 2**63 - 1)
)
def test_a_cursor_gives_back_the_values_it_was_made_of(day: datetime.date, name: str, number: int) -> None:
    cursor = paging.encoded([day, name, number], BINDING)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?# ")
    assert paging.decoded(cursor, BINDING, COLUMNS) == [day, name, number]


def test_a_cursor_with_any_one_character_changed_left_out_or_added_is_damaged() -> None:
    cursor = paging.encoded([DAY, NAME, 5], BINDING)
    changed = [cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :] for at in range(len(cursor))]
    shorter = [cursor[:at] + cursor[at + 1 :] for at in range(len(cursor))]
    longer = [cursor + extra for extra in ("A", "=", "==", " ", "\n", "é", "AAAA")]
    for wrong in (*changed, *shorter, *longer):
        if wrong != cursor:
            with pytest.raises(InvalidValue, match="damaged") as caught:
                paging.decoded(wrong, BINDING, COLUMNS)
            assert caught.value.field == "cursor"


@pytest.mark.parametrize("cursor", ["", "-", "null", "12", "\0", "%00", "../..", "A" * 5000])
def test_what_never_was_a_cursor_is_damaged(cursor: str) -> None:
    with pytest.raises(InvalidValue, match="damaged"):
        paging.decoded(cursor, BINDING, COLUMNS)


@pytest.mark.parametrize(
    "values",
    [
        [],
        {},
        None,
        "text",
        [DAY, NAME],
        [DAY, NAME, 5, 6],
        [DAY, NAME, 5.0],
        [DAY, NAME, True],
        [DAY, NAME, "5"],
        [DAY, NAME, None],
        [DAY, NAME, 2**63],
        [DAY, NAME, [5]],
        [DAY, 5, 5],
        [DAY, "a\0b", 5],
        ["1973-02-30", NAME, 5],
        [1973, NAME, 5],
        ["", NAME, 5],
    ],
)
def test_a_forged_cursor_with_values_of_another_type_is_damaged(values: Any) -> None:
    body = BINDING + paging.orjson.dumps(values)
    forged = paging.urlsafe_b64encode(paging.sha256(body).digest()[:6] + body).decode().rstrip("=")
    with pytest.raises(InvalidValue, match="damaged"):
        paging.decoded(forged, BINDING, COLUMNS)


@pytest.mark.parametrize(
    ("noun", "query", "sort"),
    [
        ("cities", {"country": ["US"]}, "id"),
        ("partnerships", {"country": ["JP"]}, "id"),
        ("partnerships", {"country": ["US", "US"]}, "id"),
        ("partnerships", {"continent": ["US"]}, "id"),
        ("partnerships", {}, "id"),
        ("partnerships", {"country": ["US"]}, "-id"),
    ],
)
def test_a_cursor_put_to_another_query_says_so(noun: str, query: dict[str, list[str]], sort: str) -> None:
    cursor = paging.encoded([DAY, NAME, 5], BINDING)
    with pytest.raises(InvalidValue, match="another query") as caught:
        paging.decoded(cursor, paging.bound_to(noun, query, sort), COLUMNS)
    assert caught.value.field == "cursor"


def test_a_query_is_the_same_whatever_the_order_and_the_page() -> None:
    one = {"kind": ["charter"], "country": ["US", "JP"], "limit": ["5"], "count": ["exact"]}
    other = {"country": ["JP", "US"], "kind": ["charter"], "limit": ["50"], "cursor": ["abc"]}
    assert paging.bound_to("partnerships", one, "id") == paging.bound_to("partnerships", other, "id")


# ── Pages of real lists ──


def test_every_list_in_every_order_gives_each_item_once_page_by_page(world: World) -> None:
    for view in VIEWS:
        for sort in view.SORTS:
            whole = walked(world, view, 1000, sort=sort)
            keys = [item.get("id", item.get("code", item.get("number"))) for item in whole]
            assert len(set(keys)) == len(keys) > 0
            for limit in (1, 2, 3, len(whole)):
                assert walked(world, view, limit, sort=sort) == whole, (view.__name__, sort, limit)


def test_an_order_and_its_reverse_are_told_apart_by_their_keys_and_broken_by_id(world: World) -> None:
    with written(world.database) as session:
        for name in ("Aachen", "AACHEN", "Åachen"):
            city(session, name, "DE")
    rising = [item["id"] for item in walked(world, city_views, 4, query={"country": ["DE"]}, sort="name")]
    falling = [item["id"] for item in walked(world, city_views, 4, query={"country": ["DE"]}, sort="-name")]
    assert rising == falling[::-1]
    assert rising[:3] == sorted(rising[:3])


RISING = ["1951", "1953", "1959", "1973-11-09", "197X", "1985", "1987", "1996-08"]
FALLING = ["1996-08", "1987", "1985", "1973-11-09", "197X", "1959", "1953", "1951"]


@pytest.mark.parametrize(("sort", "expected"), [("established", RISING), ("-established", FALLING)])
def test_partnerships_of_unknown_date_come_last_both_ways(world: World, sort: str, expected: list[str]) -> None:
    dates = [item["established"] for item in walked(world, views, 3, sort=sort)]
    assert dates == expected + [None] * 5


def test_a_list_that_grows_between_two_pages_neither_repeats_nor_skips_an_item(world: World) -> None:
    with world.database.reading() as session:
        first = views.listing(session, {}, limit=4, sort="-id")
    with written(world.database) as session:
        partnerships.establish(session, [world.cities["lyon"], world.cities["kyoto"]], kind="sister_city")
    with world.database.reading() as session:
        second = views.listing(session, {}, limit=1000, sort="-id", cursor=first.next)
    ids = [item["id"] for item in first.items + second.items]
    assert ids == sorted(world.partnerships.values(), reverse=True)


def test_the_last_page_has_no_next_even_when_it_is_full(world: World) -> None:
    with world.database.reading() as session:
        page = views.listing(session, {}, limit=len(world.partnerships))
    assert (len(page.items), page.next) == (len(world.partnerships), None)


def test_a_total_is_counted_only_when_asked_for_and_counts_all_that_the_filters_select(world: World) -> None:
    query = {"country": ["JP"]}
    with world.database.reading() as session:
        first = views.listing(session, query, limit=1, exact=True)
        second = views.listing(session, query, limit=1, exact=True, cursor=first.next)
        assert [page.total for page in (first, second, views.listing(session, query))] == [4, 4, None]


def test_the_total_of_every_list_is_the_number_of_its_items(world: World) -> None:
    with world.database.reading() as session:
        for view in VIEWS:
            page = view.listing(session, {}, limit=1000, exact=True)
            assert page.total == len(page.items), view.__name__


@pytest.mark.parametrize(
    ("asked", "field", "said"),
    [
        ({"limit": 0}, "limit", "1 to 1,000"),
        ({"limit": -1}, "limit", "1 to 1,000"),
        ({"limit": 1001}, "limit", "1 to 1,000"),
        ({"limit": 100_000}, "limit", "1 to 1,000"),
        ({"sort": "estabilshed"}, "sort", "Did you mean established"),
        ({"sort": ""}, "sort", "id, -id, established, -established"),
        ({"sort": "id; drop table cities"}, "sort", "sorted by one of"),
        ({"cursor": "nonsense"}, "cursor", "damaged"),
    ],
)
def test_what_no_list_has_is_refused_with_its_name(
    sqlite_database: Database, asked: dict[str, Any], field: str, said: str
) -> None:
    with sqlite_database.reading() as session, pytest.raises(InvalidValue, match=said) as caught:
        views.listing(session, {}, **asked)
    assert caught.value.field == field


def test_a_deep_page_takes_as_many_statements_as_the_first(world: World) -> None:
    with world.database.reading() as session:
        cursor = views.listing(session, {}, limit=6).next
    with world.database.reading() as session, statements(world.database) as first:
        views.listing(session, {}, limit=5)
    with world.database.reading() as session, statements(world.database) as deep:
        views.listing(session, {}, limit=5, cursor=cursor)
    assert cursor is not None
    assert len(first) == len(deep) == 1
