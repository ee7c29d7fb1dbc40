"""A rule is not only a Python `if`: the database itself refuses what breaks one, on both engines."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table, UniqueConstraint, text
from sqlalchemy.exc import IntegrityError

from app.models import Base
from app.registry import Database

TIME = "'2026-01-01T00:00:00.000000Z'"
#: Rows for the tables that the noise leaves empty, so that every table has one.
PREPARED = (
    "INSERT INTO city_successors (id, city_id, successor_id) VALUES (1, 1, 2)",
    f"INSERT INTO accounts (id, label, created_at) VALUES (1, 'one', {TIME}), (2, 'two', {TIME})",
    "INSERT INTO api_keys (id, account_id, digest, role, label, created_at) VALUES"
    f" (1, 1, '{'a' * 64}', 'editor', 'x', {TIME}), (2, 1, '{'b' * 64}', 'admin', 'x', {TIME})",
    "INSERT INTO idempotency_keys (id, account_id, key, request_digest, status, headers, body, created_at) VALUES"
    f" (1, 1, 'k', 'd', 200, '', '', {TIME}), (2, 1, 'l', 'd', 200, '', '', {TIME})",
)
#: Check constraint → what it refuses.
CHECKS = {
    "ck_accounts_label_length": "UPDATE accounts SET label = '' WHERE id = 1",
    "ck_api_keys_digest_length": "UPDATE api_keys SET digest = 'short' WHERE id = 1",
    "ck_api_keys_role_known": "UPDATE api_keys SET role = 'king'",
    "ck_cities_coordinates_together": "UPDATE cities SET longitude = NULL",
    "ck_cities_kind_known": "UPDATE cities SET kind = 'metropolis'",
    "ck_cities_latitude_range": "UPDATE cities SET latitude = 91",
    "ck_cities_longitude_range": "UPDATE cities SET longitude = -180.5",
    "ck_cities_merged_into_another": "UPDATE cities SET merged_into_id = id",
    "ck_cities_name_length": "UPDATE cities SET name = ''",
    "ck_cities_part_of_another": "UPDATE cities SET part_of_id = id",
    "ck_citations_exactly_one_record": "UPDATE citations SET city_id = 1",
    "ck_city_names_kind_known": "UPDATE city_names SET kind = 'nick'",
    "ck_city_names_text_length": "UPDATE city_names SET text = ''",
    "ck_city_populations_people_not_negative": "UPDATE city_populations SET people = -1",
    "ck_city_populations_year_range": "UPDATE city_populations SET year = 0",
    "ck_city_successors_successor_another": "UPDATE city_successors SET successor_id = city_id",
    "ck_countries_alpha3_length": "UPDATE countries SET alpha3 = 'US' WHERE code = 'US'",
    "ck_countries_code_length": "UPDATE countries SET code = 'XXX' WHERE code = 'IT'",
    "ck_countries_continent_known": "UPDATE countries SET continent = 'XX'",
    "ck_events_in_place_of_only_joined": "UPDATE events SET in_place_of_id = 1 WHERE id = 1",
    "ck_events_joined_and_left_name_the_member": "UPDATE events SET type = 'left' WHERE id = 1",
    "ck_events_position_positive": "UPDATE events SET position = 0",
    "ck_events_type_known": "UPDATE events SET type = 'married'",
    "ck_members_status_known": "UPDATE members SET status = 'left'",
    "ck_occasions_people_not_negative": "UPDATE occasions SET people = -1",
    "ck_occasions_until_not_before_since": "UPDATE occasions SET until_latest = '1900-01-01'",
    "ck_organisations_kind_known": "UPDATE organisations SET kind = 'club'",
    "ck_organisations_name_length": "UPDATE organisations SET name = ''",
    "ck_partnership_organisations_role_known": "UPDATE partnership_organisations SET role = 'owns'",
    "ck_partnerships_kind_known": "UPDATE partnerships SET kind = 'marriage' WHERE id = 1",
    "ck_partnerships_merged_into_another": "UPDATE partnerships SET merged_into_id = id",
    "ck_partnerships_status_known": "UPDATE partnerships SET status = 'left'",
    "ck_partnerships_succeeds_another": "UPDATE partnerships SET succeeds_id = id",
    "ck_programs_category_known": "UPDATE programs SET category = 'war'",
    "ck_programs_name_length": "UPDATE programs SET name = ''",
    "ck_programs_until_not_before_since": "UPDATE programs SET until_latest = '1900-01-01'",
    "ck_registry_one_row": "UPDATE registry SET id = 2",
    "ck_reported_figures_comparator_known": "UPDATE reported_figures SET comparator = 'maybe'",
    "ck_reported_figures_country_first": "UPDATE reported_figures SET other_country = 'JP'",
    "ck_reported_figures_measure_known": "UPDATE reported_figures SET measure = 'friends'",
    "ck_reported_figures_scope_length": "UPDATE reported_figures SET scope = ''",
    "ck_reported_figures_value_not_negative": "UPDATE reported_figures SET value = -1",
    "ck_sources_title_length": "UPDATE sources SET title = ''",
    "ck_spells_ends_together": "UPDATE spells SET end_latest = '2000-01-01' WHERE end_earliest IS NULL",
    "ck_spells_status_known": "UPDATE spells SET status = 'left'",
}
#: Unique constraint or index → what it refuses; columns are named by SQLite, which knows no names of these.
UNIQUES = {
    "uq_accounts_label": "UPDATE accounts SET label = 'one'",
    "uq_api_keys_digest": f"UPDATE api_keys SET digest = '{'a' * 64}'",
    "uq_cities_id_country": "INSERT INTO cities (id, name, name_key, country, kind, existed_from_earliest,"
    " existed_from_latest, existed_until_earliest, existed_until_latest, revision, created_at, updated_at)"
    f" SELECT id, 'x', 'x', country, kind, '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01', 1, {TIME}, {TIME}"
    " FROM cities WHERE id = 1",
    "uq_city_identifiers_scheme_value": "UPDATE city_identifiers SET value = '9000001'",
    "uq_city_names_city_id_text_language_kind": "UPDATE city_names SET city_id = 1, text = 'x'",
    "uq_city_populations_city_id_year": "UPDATE city_populations SET city_id = 1",
    "uq_city_successors_city_id_successor_id": "INSERT INTO city_successors (id, city_id, successor_id)"
    " VALUES (2, 1, 2)",
    "uq_countries_alpha3": "UPDATE countries SET alpha3 = 'XXX'",
    "uq_countries_name": "UPDATE countries SET name = 'x'",
    "uq_country_aliases_key": "UPDATE country_aliases SET key = 'x'",
    "uq_idempotency_keys_account_id_key": "UPDATE idempotency_keys SET key = 'k'",
    "uq_members_partnership_id_id": "INSERT INTO members (id, partnership_id, city_id, country, status,"
    " joined_earliest, joined_latest, left_earliest, left_latest) SELECT id, partnership_id, 4, 'PE', 'ended',"
    " '0001-01-01', '0001-01-01', '0001-01-01', '0001-01-01' FROM members WHERE id = 1",
    "uq_members_present": "UPDATE members SET city_id = 1, country = 'NZ' WHERE partnership_id = 1",
    "uq_participants_program_id_organisation_id": "INSERT INTO participants (id, program_id, organisation_id)"
    " VALUES (9, 1, 1)",
    "uq_partnership_organisations_partnership_id_organisation_id_role": "INSERT INTO partnership_organisations"
    " (id, partnership_id, organisation_id, role) VALUES (9, 1, 1, 'coordinates')",
    "uq_partnerships_standing_pair": "UPDATE partnerships SET pair_key = '1-2', kind = 'project'",
    "uq_sources_key": "INSERT INTO sources (id, key, title, published_earliest, published_latest, revision,"
    f" created_at, updated_at) VALUES (9, 'NOISE', 'x', '0001-01-01', '0001-01-01', 1, {TIME}, {TIME})",
}
#: The primary key comes first where both are broken.
BEHIND_THE_PRIMARY_KEY = {"uq_cities_id_country", "uq_members_partnership_id_id"}


def refused(database: Database, *statements: str) -> str:
    """What the database says to the statements, at once or when they are committed."""
    with database.engine.execution_options(writing=True).connect() as connection:
        for each in PREPARED:
            connection.execute(text(each))
        with pytest.raises(IntegrityError) as caught:
            for statement in statements:
                connection.execute(text(statement))
            connection.commit()
        connection.rollback()
    return str(caught.value.orig)


def constraints(kind: type[Any]) -> list[Any]:
    found = [each for table in Base.metadata.sorted_tables for each in table.constraints if isinstance(each, kind)]
    return sorted(found, key=lambda each: str(each.name))  # every worker has to see the same order


def unique_indexes() -> list[Index]:
    return [index for table in Base.metadata.sorted_tables for index in table.indexes if index.unique]


def test_every_constraint_of_the_models_is_in_the_tables_above() -> None:
    assert {each.name for each in constraints(CheckConstraint)} == set(CHECKS)
    named = {each.name for each in [*constraints(UniqueConstraint), *unique_indexes()]}
    assert named == set(UNIQUES)


@pytest.mark.parametrize("name", CHECKS)
def test_a_value_that_cannot_be_is_refused(unwritten: Database, name: str) -> None:
    assert name in refused(unwritten, CHECKS[name])


@pytest.mark.parametrize("name", UNIQUES)
def test_what_is_to_be_there_once_is_refused_twice(unwritten: Database, name: str) -> None:
    said = refused(unwritten, UNIQUES[name])
    if name in BEHIND_THE_PRIMARY_KEY:
        assert "UNIQUE constraint failed" in said or "pk_" in said
        return
    [found] = [each for each in [*constraints(UniqueConstraint), *unique_indexes()] if each.name == name]
    columns = ", ".join(f"{found.table.name}.{column.name}" for column in found.columns)
    assert (
        f"UNIQUE constraint failed: {columns}" if unwritten.is_sqlite else f'"{shortened(unwritten, found)}"'
    ) in said


def shortened(database: Database, constraint: Any) -> str:
    """The name as the engine has it: PostgreSQL allows 63 characters."""
    preparer = database.engine.dialect.identifier_preparer
    is_index = isinstance(constraint, Index)
    return str(preparer.format_index(constraint) if is_index else preparer.format_constraint(constraint))


@pytest.mark.parametrize("key", constraints(ForeignKeyConstraint), ids=lambda key: key.name)
def test_a_row_that_points_nowhere_is_refused_at_commit(unwritten: Database, key: ForeignKeyConstraint) -> None:
    table, column = key.table, key.columns[0]
    nothing = "'ZZ'" if column.name in ("country", "other_country") else "999999"
    more = {
        "fk_citations_": ", partnership_id = NULL" if column.name in _CITED else "",
        "fk_events_in_place_of_id": ", type = 'joined', declared_by_id = 1",
        "fk_reported_figures_other_country": ", country = 'JP'",
    }
    extra = next((value for start, value in more.items() if str(key.name).startswith(start)), "")
    # Others may be broken by it too: the one that is meant shall speak first.
    at_once = [] if unwritten.is_sqlite else [f"SET CONSTRAINTS {key.name} IMMEDIATE"]
    statement = f"UPDATE {table.name} SET {column.name} = {nothing}{extra} WHERE {_one_row(table)}"
    said = refused(unwritten, *at_once, statement)
    assert ("FOREIGN KEY constraint failed" if unwritten.is_sqlite else str(key.name)) in said


_CITED = ("city_id", "program_id", "organisation_id", "reported_figure_id")


def _one_row(table: Table) -> str:
    key = next(iter(table.primary_key)).name
    return f"{key} = (SELECT max({key}) FROM {table.name})"


@pytest.mark.parametrize(
    "column",
    [
        column
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if not column.nullable and not column.primary_key
    ],
    ids=str,
)
def test_what_is_needed_cannot_be_null(unwritten: Database, column: Column[Any]) -> None:
    said = refused(unwritten, f'UPDATE {column.table.name} SET "{column.name}" = NULL')
    assert "NOT NULL constraint failed" in said or "not-null constraint" in said
    assert column.name in said
