"""Who points at whom: every foreign key between records is known, so nothing is left hanging."""

from __future__ import annotations

import pytest
from making import city

from app.models import PARTS, RECORDS
from app.registry import Database, partnerships, references
from app.registry.content import table_of

#: Target → columns that name one of its records; those on which a part hangs are marked with a star.
POINTERS = {
    "countries": {"cities.country", "country_aliases.country*", "reported_figures.country",
                  "reported_figures.other_country"},
    "sources": {"reported_figures.source_id", "citations.source_id"},
    "cities": {"cities.part_of_id", "cities.merged_into_id", "organisations.city_id", "city_names.city_id*",
               "city_identifiers.city_id*", "city_populations.city_id*", "city_successors.city_id*",
               "city_successors.successor_id", "citations.city_id*", "citations.value_city_id", "members.city_id",
               "participants.side_id", "occasions.origin_id", "occasions.host_id"},
    "organisations": {"citations.organisation_id*", "partnership_organisations.organisation_id",
                      "participants.organisation_id"},
    "partnerships": {"partnerships.succeeds_id", "partnerships.merged_into_id", "programs.partnership_id",
                     "citations.partnership_id*", "members.partnership_id*", "events.partnership_id*",
                     "partnership_organisations.partnership_id*"},
    "programs": {"citations.program_id*", "participants.program_id*", "occasions.program_id*"},
    "reported_figures": {"citations.reported_figure_id*"},
}  # fmt: skip


@pytest.mark.parametrize("noun", RECORDS)
def test_every_column_that_names_a_record_is_known(noun: str) -> None:
    found = {
        f"{table_of(each.model).name}.{each.column}{'*' if each.owns else ''}" for each in references.pointers(noun)
    }
    assert found == POINTERS[noun]


def test_no_foreign_key_between_records_is_forgotten() -> None:
    tables = {table_of(model).name for model in RECORDS.values()}
    models = {*RECORDS.values(), *(part for parts in PARTS.values() for part in parts)}
    keys = {
        f"{table_of(model).name}.{key.parent.name}"
        for model in models
        for key in table_of(model).foreign_keys
        if key.column.table.name in tables and key.column.primary_key
    }
    assert keys == {name.rstrip("*") for names in POINTERS.values() for name in names}


def test_own_parts_and_the_record_itself_do_not_count_as_references(unwritten: Database) -> None:
    with unwritten.writing(account="desk") as session:
        a = city(session, "Osaka", "JP", names=[{"text": "x", "kind": "short"}], successors=[{"city": 1}])
        assert references.inbound(session, "cities", str(a)) == []
        p = partnerships.establish(
            session, [a, 1], kind="other", citations=[{"source": 1, "field": "members", "city": 1}]
        )
        assert references.inbound(session, "partnerships", str(p)) == []
        found = references.inbound(session, "cities", str(a))
    assert found == [{"noun": "partnerships", "id": p, "field": "members"}]


def test_a_long_list_is_cut_and_counted_by_noun(unwritten: Database) -> None:
    with unwritten.writing(account="desk") as session:
        land = city(session, "Land")
        for place in range(30):
            city(session, f"Place {place}", part_of=land)
        found = references.inbound(session, "cities", str(land))
    assert len(found) == references.LISTED
    assert references.counted([*found, {"noun": "reported_figures"}]) == "20 cities, 1 reported figures"


def test_records_that_content_names_and_that_are_gone_are_listed(unwritten: Database) -> None:
    wanted = {
        "id": 9, "succeeds_id": 10**6, "members": [{"id": 1, "city_id": 1}, {"id": 2, "city_id": 10**6}],
        "citations": [{"id": 1, "source_id": 10**6, "field": "kind"}],
    }  # fmt: skip
    with unwritten.reading() as session:
        found = references.missing(session, "partnerships", wanted)
    assert sorted((each["noun"], each["id"], each["field"]) for each in found) == [
        ("cities", 10**6, "city"), ("partnerships", 10**6, "succeeds"), ("sources", 10**6, "source"),
    ]  # fmt: skip


def test_a_part_of_two_nouns_is_a_reference_from_the_one_that_holds_it(unwritten: Database) -> None:
    with unwritten.writing(account="desk") as session:
        from app.registry import parts

        values = {"source": 1, "field": "city", "city": 4}
        parts.add(session, "organisations", 1, part="citations", values=values)
        found = references.inbound(session, "cities", "4")
    assert {"noun": "organisations", "id": 1, "field": "citations"} in found
    assert len([each for each in found if each["field"] == "citations"]) == 1
