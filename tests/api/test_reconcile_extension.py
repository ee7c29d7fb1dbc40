"""Data extension, suggestions, flyouts, previews: what the registry says of an entity once it is found."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest
from answering import assert_problem
from fastapi.testclient import TestClient
from making import city, written
from reconciling import ReadingClient, documented, extended, seeded_client, valid, world_client
from small_world import World, statements

from app.api.reconcile_properties import PROPERTIES
from app.domain.identifiers import SCHEMES
from app.registry import Database

seeded = pytest.fixture(scope="module")(seeded_client)
standing = pytest.fixture(scope="module")(world_client)


@pytest.fixture
def world(standing: ReadingClient) -> World:
    """What the standing registry holds."""
    return standing.world


def named(rows: list[dict[str, Any]]) -> list[str]:
    return [each["name"] for each in rows]


# ── Data extension ──


def test_a_city_has_its_place_country_and_partners(standing: ReadingClient, world: World) -> None:
    chicago, osaka = str(world.cities["chicago"]), str(world.cities["osaka"])
    wanted = ("coordinates", "latitude", "longitude", "country", "partnerships", "partners", "kind", "subdivision",
              "population", "names", "name", "wikidata")  # fmt: skip
    row = extended(standing, [chicago], *wanted)[chicago]
    assert row.pop("partners") == [
        {"id": str(world.cities["boston"]), "name": "Boston"},
        {"id": osaka, "name": "Osaka"},
        {"id": str(world.cities["paris"]), "name": "Paris"},
    ]
    assert row == {
        "coordinates": [{"str": "41.88,-87.63"}],
        "latitude": [{"float": 41.88}],
        "longitude": [{"float": -87.63}],
        "country": [{"id": "US", "name": "United States"}],
        "partnerships": [{"int": 3}],
        "kind": [{"str": "city"}],
        "subdivision": [{"str": "US-IL"}],
        "population": [{"int": 2746388}],
        "names": [{"str": name} for name in ("Чикаго", "Windy City", "Second Windy", "Windy")],
        "name": [{"str": "Chicago"}],
        "wikidata": [{"str": "Q1297"}],
    }


def test_the_number_of_partnerships_is_that_of_the_api(standing: ReadingClient, world: World) -> None:
    keys = list(world.cities.values())
    rows = extended(standing, [*keys, "US", "JP"], "partnerships")
    for key in keys:
        if key != world.cities["windy"]:
            shown = standing.get(f"/v1/cities/{key}").json()
            assert rows[str(key)]["partnerships"] == [{"int": shown["partnerships_count"]}]
    for code in ("US", "JP"):
        shown = standing.get(f"/v1/countries/{code}").json()
        assert rows[code]["partnerships"] == [{"int": shown["partnerships_count"]}]


@pytest.mark.parametrize(
    ("status", "number", "partners"),
    [
        ("any", 4, ["Berlin", "Chicago", "Osaka", "São Paulo"]),
        ("active", 2, ["Berlin", "Chicago", "Osaka"]),
        ("suspended", 1, ["Berlin"]),
        ("proposed", 1, ["São Paulo"]),
        ("ended", 0, []),
        ("unknown", 0, []),
        (None, 4, ["Berlin", "Chicago", "Osaka", "São Paulo"]),
        ("", 4, ["Berlin", "Chicago", "Osaka", "São Paulo"]),
    ],
)
def test_a_status_narrows_partnerships_and_partners(
    standing: ReadingClient, world: World, status: str | None, number: int, partners: list[str]
) -> None:
    paris, settings = str(world.cities["paris"]), {"status": status, "content": "literal"}
    rows = extended(
        standing, [paris], {"id": "partnerships", "settings": settings}, {"id": "partners", "settings": settings}
    )
    assert rows[paris]["partnerships"] == [{"int": number}]
    assert named(rows[paris]["partners"]) == partners


def test_who_has_left_a_charter_has_no_part_in_it_any_more(seeded: TestClient) -> None:
    charter = seeded.get("/v1/partnerships?kind=charter").json()["items"][0]
    gone = next(each["city"]["id"] for each in charter["members"] if each["status"] == "ended")
    stays = next(each["city"]["id"] for each in charter["members"] if each["status"] == "active")
    active = {"id": "partners", "settings": {"status": "active"}}
    rows = extended(seeded, [gone, stays], active)
    assert rows[str(gone)]["partners"] == []
    assert len(rows[str(stays)]["partners"]) == 27
    assert str(gone) not in [each["id"] for each in rows[str(stays)]["partners"]]
    assert len(extended(seeded, [stays], "partners")[str(stays)]["partners"]) == 29


@pytest.mark.parametrize(("limit", "number"), [(0, 3), ("0", 3), ("2", 2), (2, 2), (2.0, 2), (1, 1), (99, 3), ("", 3)])
def test_a_limit_keeps_the_first_values(standing: ReadingClient, world: World, limit: Any, number: int) -> None:
    chicago = str(world.cities["chicago"])
    rows = extended(standing, [chicago], {"id": "partners", "settings": {"limit": limit}})
    assert named(rows[chicago]["partners"]) == ["Boston", "Osaka", "Paris"][:number]


def test_countries_have_properties_of_their_own(seeded: TestClient) -> None:
    row = extended(seeded, ["JP"], "cities", "continent", "alpha3", "official_name", "name", "partners", "country")[
        "JP"
    ]
    cities = seeded.get("/v1/countries/JP").json()["cities_count"]
    assert row == {
        "cities": [{"int": cities}], "continent": [{"str": "Asia"}], "alpha3": [{"str": "JPN"}],
        "official_name": [], "name": [{"str": "Japan"}], "partners": [], "country": [],
    }  # fmt: skip
    assert extended(seeded, ["1"], "cities", "continent", "alpha3")["1"] == {
        "cities": [],
        "continent": [],
        "alpha3": [],
    }


def test_ids_are_numbers_codes_identifiers_and_those_of_merged_cities(standing: ReadingClient, world: World) -> None:
    chicago, windy = str(world.cities["chicago"]), str(world.cities["windy"])
    asked = [chicago, windy, "wikidata:Q1297", "Q1297", "US", "us", chicago]
    rows = extended(standing, asked, "name")
    assert {key: row["name"][0]["str"] for key, row in rows.items()} == {
        chicago: "Chicago", windy: "Chicago", "wikidata:Q1297": "Chicago", "Q1297": "Chicago",
        "US": "United States", "us": "United States",
    }  # fmt: skip


def test_what_is_not_known_has_no_values(standing: ReadingClient, world: World) -> None:
    asked = [
        "999999",
        "ZZ",
        "wikidata:Q999",
        "wikidata:none",
        "nobody",
        "\0",
        "-1",
        "1" * 300,
        str(world.cities["lyon"]),
    ]
    rows = extended(standing, asked, "name", "coordinates", "population", "partners", "shoe size")
    lyon = rows.pop(str(world.cities["lyon"]))
    assert lyon == {"name": [{"str": "Lyon"}], "coordinates": [], "population": [], "partners": [], "shoe size": []}
    assert all(not values for row in rows.values() for values in row.values())
    assert len(rows) == 8


def test_the_newest_population_counts(client: TestClient, database: Database) -> None:
    with written(database) as session:
        old = [{"people": 3, "year": 2020}, {"people": 1, "year": 1990}, {"people": 9}]
        number = city(session, "Oldtown", populations=old)
    assert extended(client, [number], "population")[str(number)]["population"] == [{"int": 3}]


def test_every_identifier_of_a_scheme_is_given(client: TestClient, database: Database) -> None:
    with written(database) as session:
        known = [{"scheme": "unlocode", "value": "USOLD"}, {"scheme": "geonames", "value": "77"},
                 {"scheme": "geonames", "value": "78"}]  # fmt: skip
        number = city(session, "Oldtown", identifiers=known)
    row = extended(client, [number], *SCHEMES)[str(number)]
    assert {scheme: values for scheme, values in row.items() if values} == {
        "unlocode": [{"str": "USOLD"}],
        "geonames": [{"str": "77"}, {"str": "78"}],
    }


def test_many_entities_cost_no_more_questions_than_one(standing: ReadingClient, world: World) -> None:
    counted = []
    for asked in ([world.cities["chicago"], "US"], [*world.cities.values(), "US", "JP", "FR", "none"]):
        with statements(world.database) as seen:
            extended(standing, asked, *PROPERTIES)
        counted.append(len(seen))
    assert counted[0] <= len(PROPERTIES) + 5
    assert counted[1] <= counted[0] + 1  # one merged number is followed


# ── Suggestions ──


def suggested(client: TestClient, kind: str, **query: Any) -> list[dict[str, Any]]:
    name = {"entity": "suggest-entities", "property": "suggest-properties", "type": "suggest-types"}[kind]
    answer = documented(client, client.get(f"/reconcile/suggest/{kind}", params=query))
    return list(valid(f"{name}-response", answer)["result"])


@pytest.mark.parametrize(
    ("prefix", "more", "expected"),
    [
        ("chi", {"type": "city"}, ["Chicago"]),
        ("чик", {}, ["Chicago"]),
        ("windy c", {}, ["Chicago"]),
        ("sao", {}, ["São Paulo"]),
        ("SÃO PAULO", {}, ["São Paulo"]),
        ("b", {"type": "city"}, ["Berlin", "Boston"]),
        ("b", {}, ["Berlin", "Boston", "Brazil"]),
        ("b", {"limit": 1}, ["Berlin"]),
        ("b", {"limit": 1, "cursor": 1}, ["Boston"]),
        ("b", {"limit": 5, "cursor": 2}, ["Brazil"]),
        ("b", {"cursor": 99}, []),
        ("turk", {}, ["Türkiye"]),
        ("JP", {}, ["Japan"]),
        ("wikidata:Q1297", {}, ["Chicago"]),
        ("ja", {"type": "city"}, []),
        ("ber", {"type": "person"}, []),
        ("", {}, []),
        ("\0", {}, []),
        ("%", {}, []),
        ("second windy", {}, ["Chicago"]),
    ],
)
def test_entities_are_suggested_by_the_beginning_of_any_name(
    standing: ReadingClient, world: World, prefix: str, more: dict[str, Any], expected: list[str]
) -> None:
    assert named(suggested(standing, "entity", prefix=prefix, **more)) == expected


def test_the_id_of_an_entity_suggests_it(standing: ReadingClient, world: World) -> None:
    for name in ("chicago", "windy"):
        (found,) = suggested(standing, "entity", prefix=str(world.cities[name]))
        assert found == {
            "id": str(world.cities["chicago"]), "name": "Chicago", "description": "City in US-IL, United States",
            "notable": [{"id": "city", "name": "City"}],
        }  # fmt: skip


def test_just_this_name_goes_first(client: TestClient, database: Database) -> None:
    with written(database) as session:
        for name in ("Aabach", "Aab", "Aabenraa"):
            city(session, name)
        city(session, "Zuletzt", names=[{"text": "Aab", "language": "und", "kind": "former"}])
    assert named(suggested(client, "entity", prefix="aab")) == ["Aab", "Zuletzt", "Aabach", "Aabenraa"]


def test_suggestions_say_where_to_go_on(client: TestClient, database: Database) -> None:
    with written(database) as session:
        for place in range(7):
            city(session, f"Zz town {chr(97 + place)}")
    found: list[str] = []
    following: int | None = 0
    while following is not None:
        body = client.get(f"/reconcile/suggest/entity?prefix=zz&limit=3&cursor={following}").json()
        found += named(body["result"])
        following = body.get("cursor")
    assert found == [f"Zz town {chr(97 + place)}" for place in range(7)]


def test_properties_and_types_are_suggested_by_id_and_name(standing: ReadingClient) -> None:
    assert [each["id"] for each in suggested(standing, "property", prefix="part")] == ["partnerships", "partners"]
    assert [each["id"] for each in suggested(standing, "property", prefix="COUN")] == ["country"]
    assert [each["id"] for each in suggested(standing, "property", prefix="number", type="country")] == [
        "partnerships",
        "cities",
    ]
    assert len(suggested(standing, "property", prefix="")) == len(PROPERTIES)
    assert [each["id"] for each in suggested(standing, "type", prefix="c")] == ["city", "country"]
    assert [each["id"] for each in suggested(standing, "type", prefix="cou")] == ["country"]
    assert suggested(standing, "type", prefix="x") == []


@pytest.mark.parametrize(
    ("query", "first", "number"),
    [
        ("type=city", ["coordinates", "country", "partnerships", "partners"], None),
        ("type=city&limit=2", ["coordinates", "country"], 2),
        ("type=country", ["partnerships", "name", "cities"], 6),
        ("type=person", [], 0),
        ("", ["coordinates"], len(PROPERTIES)),
    ],
)
def test_properties_are_proposed_for_a_type(
    standing: ReadingClient, query: str, first: list[str], number: int | None
) -> None:
    body = valid(
        "data-extension-property-proposal", documented(standing, standing.get(f"/reconcile/properties?{query}"))
    )
    found = [each["id"] for each in body["properties"]]
    assert found[: len(first)] == first
    assert number is None or len(found) == number


def test_answers_are_cached_by_the_revision(client: TestClient, database: Database) -> None:
    for path in ("suggest/entity?prefix=w", "properties", "flyout/entity/1", "preview/1"):
        answer = client.get(f"/reconcile/{path}")
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["registry-revision"] == "1"
        unchanged = client.get(f"/reconcile/{path}", headers={"If-None-Match": answer.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")


# ── Flyouts, previews, views ──

SCRIPT = "<script>alert('1')</script> & \"Sons\""


def test_nothing_in_the_registry_becomes_markup(client: TestClient, database: Database) -> None:
    with written(database) as session:
        number = city(session, SCRIPT, subdivision="<b>x</b>")
    page = client.get(f"/reconcile/preview/{number}")
    html = client.get(f"/reconcile/flyout/entity/{number}").json()["html"]
    for text in (page.text, html):
        assert "<script" not in text
        assert "<b>x" not in text
        assert "&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt; &amp; &quot;Sons&quot;" in text
    assert set(re.findall(r"<(\w+)", html)) == {"p", "strong"}


def test_a_preview_tells_and_can_do_nothing(standing: ReadingClient, world: World) -> None:
    page = documented(standing, standing.get(f"/reconcile/preview/{world.cities['chicago']}"))
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for told in ("Chicago", "City in US-IL, United States", "2,746,388", "Boston, Osaka, Paris", "41.88,-87.63"):
        assert told in page.text
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    style = re.search("<style>(.*?)</style>", page.text)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["style-src"] == f"'sha256-{digest}'"
    assert "allow-scripts" not in policy["sandbox"]
    assert "frame-ancestors" not in policy
    assert "x-frame-options" not in page.headers
    assert not re.search(r"\son\w+=|style=|<script|<img|<link|src=", page.text)
    assert f'href="/v1/cities/{world.cities["chicago"]}" target="_blank" rel="noopener noreferrer"' in page.text


def test_a_preview_of_many_partners_counts_the_rest(seeded: TestClient) -> None:
    assert re.search(r"(?:[^<,]+, ){5}[^<,]+ and 23 more</dd>", seeded.get("/reconcile/preview/wikidata:Q1297").text)
    japan = seeded.get("/reconcile/preview/JP").text
    assert "Country in Asia" in japan
    assert 'href="/v1/countries/JP"' in japan


@pytest.mark.parametrize(
    ("key", "path"),
    [("chicago", "chicago"), ("windy", "chicago"), ("wikidata:Q1297", "chicago"), ("JP", "JP"), ("jp", "JP")],
)
def test_a_view_leads_to_the_record(standing: ReadingClient, world: World, key: str, path: str) -> None:
    answer = documented(standing, standing.get(f"/reconcile/view/{world.cities.get(key, key)}"))
    assert answer.status_code == 303
    where = f"cities/{world.cities[path]}" if path in world.cities else f"countries/{path}"
    assert answer.headers["location"] == f"/v1/{where}"
    assert standing.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize("key", ["999999", "ZZ", "0", "-1", "none", "wikidata:Q999", "%00", "%F0%9F%98%80", "1" * 400])
def test_what_there_is_not_is_not_found(standing: ReadingClient, key: str) -> None:
    for part in ("view", "preview", "flyout/entity", "flyout/property", "flyout/type"):
        assert_problem(standing.get(f"/reconcile/{part}/{key}"), 404, "not-found")


def test_properties_and_types_have_flyouts(standing: ReadingClient) -> None:
    for part, keys in (("property", PROPERTIES), ("type", ("city", "country"))):
        for key in keys:
            body = standing.get(f"/reconcile/flyout/{part}/{key}").json()
            assert body["id"] == key
            assert body["html"].startswith("<p><strong>")
