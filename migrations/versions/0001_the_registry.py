"""The registry: records, journal, accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEY = sa.String().with_variant(sa.VARCHAR(collation="C"), "postgresql")
TIMESTAMP = sa.String(length=27).with_variant(sa.VARCHAR(length=27, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("label", KEY, nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.CheckConstraint("length(label) BETWEEN 1 AND 100", name=op.f("ck_accounts_label_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("label", name=op.f("uq_accounts_label")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "countries",
        sa.Column("code", KEY, nullable=False),
        sa.Column("alpha3", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("official_name", sa.Text(), nullable=True),
        sa.Column("continent", KEY, nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("revision", BIG_ID, nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("updated_at", TIMESTAMP, nullable=False),
        sa.CheckConstraint(
            "continent IN ('AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA')",
            name=op.f("ck_countries_continent_known"),
        ),
        sa.CheckConstraint("length(alpha3) = 3", name=op.f("ck_countries_alpha3_length")),
        sa.CheckConstraint("length(code) = 2", name=op.f("ck_countries_code_length")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_countries")),
        sa.UniqueConstraint("alpha3", name=op.f("uq_countries_alpha3")),
        sa.UniqueConstraint("name", name=op.f("uq_countries_name")),
    )
    op.create_index(op.f("ix_countries_continent"), "countries", ["continent"], unique=False)
    op.create_index(op.f("ix_countries_name_key"), "countries", ["name_key"], unique=False)

    op.create_table(
        "partnerships",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("designation", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("succeeds_id", BIG_ID, nullable=True),
        sa.Column("merged_into_id", BIG_ID, nullable=True),
        sa.Column("status", KEY, nullable=False),
        sa.Column("established", sa.Text(), nullable=True),
        sa.Column("established_earliest", sa.Date(), nullable=False),
        sa.Column("established_latest", sa.Date(), nullable=False),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("ended_earliest", sa.Date(), nullable=False),
        sa.Column("ended_latest", sa.Date(), nullable=False),
        sa.Column("pair_key", KEY, nullable=True),
        sa.Column("conflicts_count", BIG_ID, nullable=False),
        sa.Column("revision", BIG_ID, nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("updated_at", TIMESTAMP, nullable=False),
        sa.CheckConstraint(
            "kind IN ('sister_city', 'twin_town', 'friendship_city', 'partner_city', 'cooperation', 'project', 'charter', 'other')",
            name=op.f("ck_partnerships_kind_known"),
        ),
        sa.CheckConstraint(
            "status IN ('proposed', 'active', 'suspended', 'ended', 'unknown')",
            name=op.f("ck_partnerships_status_known"),
        ),
        sa.CheckConstraint("merged_into_id <> id", name=op.f("ck_partnerships_merged_into_another")),
        sa.CheckConstraint("succeeds_id <> id", name=op.f("ck_partnerships_succeeds_another")),
        sa.ForeignKeyConstraint(
            ["merged_into_id"],
            ["partnerships.id"],
            name=op.f("fk_partnerships_merged_into_id_partnerships"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["succeeds_id"],
            ["partnerships.id"],
            name=op.f("fk_partnerships_succeeds_id_partnerships"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partnerships")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_partnerships_established_earliest_id"),
        "partnerships",
        ["established_earliest", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_partnerships_established_latest_id"),
        "partnerships",
        ["established_latest", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_partnerships_merged_into_id"),
        "partnerships",
        ["merged_into_id"],
        unique=False,
        sqlite_where=sa.text("merged_into_id IS NOT NULL"),
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_partnerships_status"), "partnerships", ["status"], unique=False)
    op.create_index(op.f("ix_partnerships_succeeds_id"), "partnerships", ["succeeds_id"], unique=False)
    op.create_index(
        "uq_partnerships_standing_pair",
        "partnerships",
        ["pair_key", "kind"],
        unique=True,
        sqlite_where=sa.text("status <> 'ended'"),
        postgresql_where=sa.text("status <> 'ended'"),
    )

    op.create_table(
        "registry",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("revision", BIG_ID, nullable=False),
        sa.Column("updated_at", TIMESTAMP, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_registry_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry")),
    )
    op.create_table(
        "revisions",
        sa.Column("number", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("time", TIMESTAMP, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("undoes", BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["undoes"],
            ["revisions.number"],
            name=op.f("fk_revisions_undoes_revisions"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_revisions")),
    )
    op.create_index(op.f("ix_revisions_account"), "revisions", ["account"], unique=False)
    op.create_index(op.f("ix_revisions_time"), "revisions", ["time"], unique=False)
    op.create_index(op.f("ix_revisions_undoes"), "revisions", ["undoes"], unique=False)

    op.create_table(
        "sources",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("key", KEY, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("publisher", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("published", sa.Text(), nullable=True),
        sa.Column("published_earliest", sa.Date(), nullable=False),
        sa.Column("published_latest", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("revision", BIG_ID, nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("updated_at", TIMESTAMP, nullable=False),
        sa.CheckConstraint("length(title) BETWEEN 1 AND 500", name=op.f("ck_sources_title_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("key", name=op.f("uq_sources_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "api_keys",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("digest", KEY, nullable=False),
        sa.Column("role", KEY, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("last_used_at", TIMESTAMP, nullable=True),
        sa.Column("revoked_at", TIMESTAMP, nullable=True),
        sa.CheckConstraint("role IN ('editor', 'admin')", name=op.f("ck_api_keys_role_known")),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_api_keys_digest_length")),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_api_keys_account_id_accounts"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_api_keys_account_id"), "api_keys", ["account_id"], unique=False)

    op.create_table(
        "changes",
        sa.Column("revision", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("noun", KEY, nullable=False),
        sa.Column("record", KEY, nullable=False),
        sa.Column("after", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["revision"],
            ["revisions.number"],
            name=op.f("fk_changes_revision_revisions"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("revision", "noun", "record", name=op.f("pk_changes")),
    )
    op.create_index(op.f("ix_changes_noun_record_revision"), "changes", ["noun", "record", "revision"], unique=False)

    op.create_table(
        "cities",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("country", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("subdivision", KEY, nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("part_of_id", BIG_ID, nullable=True),
        sa.Column("existed_from", sa.Text(), nullable=True),
        sa.Column("existed_from_earliest", sa.Date(), nullable=False),
        sa.Column("existed_from_latest", sa.Date(), nullable=False),
        sa.Column("existed_until", sa.Text(), nullable=True),
        sa.Column("existed_until_earliest", sa.Date(), nullable=False),
        sa.Column("existed_until_latest", sa.Date(), nullable=False),
        sa.Column("merged_into_id", BIG_ID, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("revision", BIG_ID, nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("updated_at", TIMESTAMP, nullable=False),
        sa.CheckConstraint(
            "kind IN ('city', 'town', 'village', 'parish', 'municipality', 'district', 'county', 'region', 'island', 'port', 'other')",
            name=op.f("ck_cities_kind_known"),
        ),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_cities_coordinates_together")),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name=op.f("ck_cities_latitude_range")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 300", name=op.f("ck_cities_name_length")),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name=op.f("ck_cities_longitude_range")),
        sa.CheckConstraint("merged_into_id <> id", name=op.f("ck_cities_merged_into_another")),
        sa.CheckConstraint("part_of_id <> id", name=op.f("ck_cities_part_of_another")),
        sa.ForeignKeyConstraint(
            ["country"],
            ["countries.code"],
            name=op.f("fk_cities_country_countries"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["merged_into_id"],
            ["cities.id"],
            name=op.f("fk_cities_merged_into_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["part_of_id"],
            ["cities.id"],
            name=op.f("fk_cities_part_of_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cities")),
        sa.UniqueConstraint("id", "country", name=op.f("uq_cities_id_country")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_cities_country_name_key"), "cities", ["country", "name_key"], unique=False)
    op.create_index(op.f("ix_cities_latitude"), "cities", ["latitude"], unique=False)
    op.create_index(
        op.f("ix_cities_merged_into_id"),
        "cities",
        ["merged_into_id"],
        unique=False,
        sqlite_where=sa.text("merged_into_id IS NOT NULL"),
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_cities_name_key"), "cities", ["name_key"], unique=False)
    op.create_index(op.f("ix_cities_part_of_id"), "cities", ["part_of_id"], unique=False)
    op.create_index(op.f("ix_cities_subdivision"), "cities", ["subdivision"], unique=False)

    op.create_table(
        "country_aliases",
        sa.Column("country", KEY, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["country"],
            ["countries.code"],
            name=op.f("fk_country_aliases_country_countries"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_country_aliases")),
        sa.UniqueConstraint("key", name=op.f("uq_country_aliases_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_country_aliases_country"), "country_aliases", ["country"], unique=False)

    op.create_table(
        "idempotency_keys",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("request_digest", KEY, nullable=False),
        sa.Column("status", BIG_ID, nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_idempotency_keys_account_id_accounts"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_idempotency_keys_account_id_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)

    op.create_table(
        "programs",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("partnership_id", BIG_ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("category", KEY, nullable=False),
        sa.Column("since", sa.Text(), nullable=True),
        sa.Column("since_earliest", sa.Date(), nullable=False),
        sa.Column("since_latest", sa.Date(), nullable=False),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("until_earliest", sa.Date(), nullable=False),
        sa.Column("until_latest", sa.Date(), nullable=False),
        sa.Column("frequency", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("revision", BIG_ID, nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("updated_at", TIMESTAMP, nullable=False),
        sa.CheckConstraint(
            "category IN ('education', 'culture', 'sport', 'social_service', 'business', 'government', 'youth', 'tourism', 'environment', 'other')",
            name=op.f("ck_programs_category_known"),
        ),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 300", name=op.f("ck_programs_name_length")),
        sa.CheckConstraint("until_latest >= since_earliest", name=op.f("ck_programs_until_not_before_since")),
        sa.ForeignKeyConstraint(
            ["partnership_id"],
            ["partnerships.id"],
            name=op.f("fk_programs_partnership_id_partnerships"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programs")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_programs_category"), "programs", ["category"], unique=False)
    op.create_index(op.f("ix_programs_name_key"), "programs", ["name_key"], unique=False)
    op.create_index(op.f("ix_programs_partnership_id"), "programs", ["partnership_id"], unique=False)

    op.create_table(
        "reported_figures",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("source_id", BIG_ID, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("country", KEY, nullable=True),
        sa.Column("other_country", KEY, nullable=True),
        sa.Column("measure", KEY, nullable=False),
        sa.Column("comparator", KEY, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=True),
        sa.Column("as_of_earliest", sa.Date(), nullable=False),
        sa.Column("as_of_latest", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("revision", BIG_ID, nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("updated_at", TIMESTAMP, nullable=False),
        sa.CheckConstraint(
            "comparator IN ('exactly', 'over', 'about', 'at_least')",
            name=op.f("ck_reported_figures_comparator_known"),
        ),
        sa.CheckConstraint(
            "measure IN ('partnerships', 'cities', 'countries', 'continents', 'communities', 'years_between_new_partnerships')",
            name=op.f("ck_reported_figures_measure_known"),
        ),
        sa.CheckConstraint("length(scope) BETWEEN 1 AND 500", name=op.f("ck_reported_figures_scope_length")),
        sa.CheckConstraint(
            "other_country IS NULL OR country IS NOT NULL", name=op.f("ck_reported_figures_country_first")
        ),
        sa.CheckConstraint("value >= 0", name=op.f("ck_reported_figures_value_not_negative")),
        sa.ForeignKeyConstraint(
            ["country"],
            ["countries.code"],
            name=op.f("fk_reported_figures_country_countries"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["other_country"],
            ["countries.code"],
            name=op.f("fk_reported_figures_other_country_countries"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["sources.id"],
            name=op.f("fk_reported_figures_source_id_sources"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reported_figures")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_reported_figures_source_id"), "reported_figures", ["source_id"], unique=False)

    op.create_table(
        "city_identifiers",
        sa.Column("city_id", BIG_ID, nullable=False),
        sa.Column("scheme", KEY, nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id"],
            ["cities.id"],
            name=op.f("fk_city_identifiers_city_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_city_identifiers")),
        sa.UniqueConstraint("scheme", "value", name=op.f("uq_city_identifiers_scheme_value")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_city_identifiers_city_id"), "city_identifiers", ["city_id"], unique=False)

    op.create_table(
        "city_names",
        sa.Column("city_id", BIG_ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.CheckConstraint("kind IN ('official', 'exonym', 'former', 'short')", name=op.f("ck_city_names_kind_known")),
        sa.CheckConstraint("length(text) BETWEEN 1 AND 300", name=op.f("ck_city_names_text_length")),
        sa.ForeignKeyConstraint(
            ["city_id"],
            ["cities.id"],
            name=op.f("fk_city_names_city_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_city_names")),
        sa.UniqueConstraint(
            "city_id", "text", "language", "kind", name=op.f("uq_city_names_city_id_text_language_kind")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_city_names_key"), "city_names", ["key"], unique=False)

    op.create_table(
        "city_populations",
        sa.Column("city_id", BIG_ID, nullable=False),
        sa.Column("people", BIG_ID, nullable=False),
        sa.Column("year", BIG_ID, nullable=True),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.CheckConstraint("people >= 0", name=op.f("ck_city_populations_people_not_negative")),
        sa.CheckConstraint("year BETWEEN 1 AND 9999", name=op.f("ck_city_populations_year_range")),
        sa.ForeignKeyConstraint(
            ["city_id"],
            ["cities.id"],
            name=op.f("fk_city_populations_city_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_city_populations")),
        sa.UniqueConstraint("city_id", "year", name=op.f("uq_city_populations_city_id_year")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "city_successors",
        sa.Column("city_id", BIG_ID, nullable=False),
        sa.Column("successor_id", BIG_ID, nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.CheckConstraint("successor_id <> city_id", name=op.f("ck_city_successors_successor_another")),
        sa.ForeignKeyConstraint(
            ["city_id"],
            ["cities.id"],
            name=op.f("fk_city_successors_city_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"],
            ["cities.id"],
            name=op.f("fk_city_successors_successor_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_city_successors")),
        sa.UniqueConstraint("city_id", "successor_id", name=op.f("uq_city_successors_city_id_successor_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_city_successors_successor_id"), "city_successors", ["successor_id"], unique=False)

    op.create_table(
        "members",
        sa.Column("partnership_id", BIG_ID, nullable=False),
        sa.Column("city_id", BIG_ID, nullable=False),
        sa.Column("country", KEY, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("status", KEY, nullable=False),
        sa.Column("joined", sa.Text(), nullable=True),
        sa.Column("joined_earliest", sa.Date(), nullable=False),
        sa.Column("joined_latest", sa.Date(), nullable=False),
        sa.Column("left", sa.Text(), nullable=True),
        sa.Column("left_earliest", sa.Date(), nullable=False),
        sa.Column("left_latest", sa.Date(), nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "status IN ('proposed', 'active', 'suspended', 'ended', 'unknown')",
            name=op.f("ck_members_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "country"],
            ["cities.id", "cities.country"],
            name=op.f("fk_members_city_id_country_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["partnership_id"],
            ["partnerships.id"],
            name=op.f("fk_members_partnership_id_partnerships"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("partnership_id", "id", name=op.f("uq_members_partnership_id_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_members_city_id_partnership_id"), "members", ["city_id", "partnership_id"], unique=False)
    op.create_index(op.f("ix_members_country_partnership_id"), "members", ["country", "partnership_id"], unique=False)
    op.create_index(
        "uq_members_present",
        "members",
        ["partnership_id", "city_id"],
        unique=True,
        sqlite_where=sa.text("status <> 'ended'"),
        postgresql_where=sa.text("status <> 'ended'"),
    )

    op.create_table(
        "occasions",
        sa.Column("program_id", BIG_ID, nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("since", sa.Text(), nullable=True),
        sa.Column("since_earliest", sa.Date(), nullable=False),
        sa.Column("since_latest", sa.Date(), nullable=False),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("until_earliest", sa.Date(), nullable=False),
        sa.Column("until_latest", sa.Date(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("origin_id", BIG_ID, nullable=True),
        sa.Column("host_id", BIG_ID, nullable=True),
        sa.Column("people", BIG_ID, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.CheckConstraint("people >= 0", name=op.f("ck_occasions_people_not_negative")),
        sa.CheckConstraint("until_latest >= since_earliest", name=op.f("ck_occasions_until_not_before_since")),
        sa.ForeignKeyConstraint(
            ["host_id"],
            ["cities.id"],
            name=op.f("fk_occasions_host_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["origin_id"],
            ["cities.id"],
            name=op.f("fk_occasions_origin_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["programs.id"],
            name=op.f("fk_occasions_program_id_programs"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occasions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_occasions_host_id"), "occasions", ["host_id"], unique=False)
    op.create_index(op.f("ix_occasions_origin_id"), "occasions", ["origin_id"], unique=False)
    op.create_index(
        op.f("ix_occasions_program_id_since_latest"),
        "occasions",
        ["program_id", "since_latest"],
        unique=False,
    )

    op.create_table(
        "organisations",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("city_id", BIG_ID, nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("revision", BIG_ID, nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("updated_at", TIMESTAMP, nullable=False),
        sa.CheckConstraint(
            "kind IN ('school', 'university', 'consulate', 'tourism_office', 'chamber', 'association', 'network', 'other')",
            name=op.f("ck_organisations_kind_known"),
        ),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 300", name=op.f("ck_organisations_name_length")),
        sa.ForeignKeyConstraint(
            ["city_id"],
            ["cities.id"],
            name=op.f("fk_organisations_city_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_organisations_city_id"), "organisations", ["city_id"], unique=False)
    op.create_index(op.f("ix_organisations_name_key"), "organisations", ["name_key"], unique=False)

    op.create_table(
        "citations",
        sa.Column("source_id", BIG_ID, nullable=False),
        sa.Column("city_id", BIG_ID, nullable=True),
        sa.Column("partnership_id", BIG_ID, nullable=True),
        sa.Column("program_id", BIG_ID, nullable=True),
        sa.Column("organisation_id", BIG_ID, nullable=True),
        sa.Column("reported_figure_id", BIG_ID, nullable=True),
        sa.Column("field", KEY, nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("value_city_id", BIG_ID, nullable=True),
        sa.Column("locator", sa.Text(), nullable=True),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "(CASE WHEN city_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN partnership_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN program_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN organisation_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN reported_figure_id IS NULL THEN 0 ELSE 1 END) = 1",
            name=op.f("ck_citations_exactly_one_record"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id"],
            ["cities.id"],
            name=op.f("fk_citations_city_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_citations_organisation_id_organisations"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["partnership_id"],
            ["partnerships.id"],
            name=op.f("fk_citations_partnership_id_partnerships"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["programs.id"],
            name=op.f("fk_citations_program_id_programs"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["reported_figure_id"],
            ["reported_figures.id"],
            name=op.f("fk_citations_reported_figure_id_reported_figures"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["sources.id"],
            name=op.f("fk_citations_source_id_sources"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["value_city_id"],
            ["cities.id"],
            name=op.f("fk_citations_value_city_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citations")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_citations_city_id"), "citations", ["city_id"], unique=False)
    op.create_index(op.f("ix_citations_organisation_id"), "citations", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_citations_partnership_id"), "citations", ["partnership_id"], unique=False)
    op.create_index(op.f("ix_citations_program_id"), "citations", ["program_id"], unique=False)
    op.create_index(op.f("ix_citations_reported_figure_id"), "citations", ["reported_figure_id"], unique=False)
    op.create_index(op.f("ix_citations_source_id"), "citations", ["source_id"], unique=False)
    op.create_index(op.f("ix_citations_value_city_id"), "citations", ["value_city_id"], unique=False)

    op.create_table(
        "events",
        sa.Column("partnership_id", BIG_ID, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("date", sa.Text(), nullable=True),
        sa.Column("date_earliest", sa.Date(), nullable=False),
        sa.Column("date_latest", sa.Date(), nullable=False),
        sa.Column("position", BIG_ID, nullable=False),
        sa.Column("declared_by_id", BIG_ID, nullable=True),
        sa.Column("in_place_of_id", BIG_ID, nullable=True),
        sa.Column("authority", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "declared_by_id IS NOT NULL OR type NOT IN ('joined', 'left')",
            name=op.f("ck_events_joined_and_left_name_the_member"),
        ),
        sa.CheckConstraint("in_place_of_id IS NULL OR type = 'joined'", name=op.f("ck_events_in_place_of_only_joined")),
        sa.CheckConstraint(
            "type IN ('proposed', 'decided', 'signed', 'renewed', 'joined', 'left', 'suspended', 'resumed', 'ended', 'rejected', 'anniversary', 'note')",
            name=op.f("ck_events_type_known"),
        ),
        sa.CheckConstraint("position >= 1", name=op.f("ck_events_position_positive")),
        sa.ForeignKeyConstraint(
            ["declared_by_id", "partnership_id"],
            ["members.id", "members.partnership_id"],
            name=op.f("fk_events_declared_by_id_partnership_id_members"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["in_place_of_id", "partnership_id"],
            ["members.id", "members.partnership_id"],
            name=op.f("fk_events_in_place_of_id_partnership_id_members"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["partnership_id"],
            ["partnerships.id"],
            name=op.f("fk_events_partnership_id_partnerships"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_partnership_id_position"), "events", ["partnership_id", "position"], unique=False)

    op.create_table(
        "participants",
        sa.Column("program_id", BIG_ID, nullable=False),
        sa.Column("organisation_id", BIG_ID, nullable=False),
        sa.Column("side_id", BIG_ID, nullable=True),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_participants_organisation_id_organisations"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["programs.id"],
            name=op.f("fk_participants_program_id_programs"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["side_id"],
            ["cities.id"],
            name=op.f("fk_participants_side_id_cities"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participants")),
        sa.UniqueConstraint("program_id", "organisation_id", name=op.f("uq_participants_program_id_organisation_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_participants_organisation_id"), "participants", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_participants_side_id"), "participants", ["side_id"], unique=False)

    op.create_table(
        "partnership_organisations",
        sa.Column("partnership_id", BIG_ID, nullable=False),
        sa.Column("organisation_id", BIG_ID, nullable=False),
        sa.Column("role", KEY, nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "role IN ('coordinates', 'recognises', 'signed')",
            name=op.f("ck_partnership_organisations_role_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_partnership_organisations_organisation_id_organisations"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["partnership_id"],
            ["partnerships.id"],
            name=op.f("fk_partnership_organisations_partnership_id_partnerships"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partnership_organisations")),
        sa.UniqueConstraint(
            "partnership_id",
            "organisation_id",
            "role",
            name=op.f("uq_partnership_organisations_partnership_id_organisation_id_role"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_partnership_organisations_organisation_id"),
        "partnership_organisations",
        ["organisation_id"],
        unique=False,
    )

    op.create_table(
        "spells",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("partnership_id", BIG_ID, nullable=False),
        sa.Column("member_id", BIG_ID, nullable=True),
        sa.Column("status", KEY, nullable=False),
        sa.Column("begin_earliest", sa.Date(), nullable=False),
        sa.Column("begin_latest", sa.Date(), nullable=False),
        sa.Column("end_earliest", sa.Date(), nullable=True),
        sa.Column("end_latest", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "status IN ('proposed', 'active', 'suspended', 'ended', 'unknown')",
            name=op.f("ck_spells_status_known"),
        ),
        sa.CheckConstraint("(end_earliest IS NULL) = (end_latest IS NULL)", name=op.f("ck_spells_ends_together")),
        sa.ForeignKeyConstraint(
            ["member_id", "partnership_id"],
            ["members.id", "members.partnership_id"],
            name=op.f("fk_spells_member_id_partnership_id_members"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["partnership_id"],
            ["partnerships.id"],
            name=op.f("fk_spells_partnership_id_partnerships"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spells")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_spells_partnership_id_member_id"), "spells", ["partnership_id", "member_id"], unique=False)
    op.execute("INSERT INTO registry (id, revision, updated_at) VALUES (1, 0, '1970-01-01T00:00:00.000000Z')")


def downgrade() -> None:
    op.drop_table("spells")
    op.drop_table("partnership_organisations")
    op.drop_table("participants")
    op.drop_table("events")
    op.drop_table("citations")
    op.drop_table("organisations")
    op.drop_table("occasions")
    op.drop_table("members")
    op.drop_table("city_successors")
    op.drop_table("city_populations")
    op.drop_table("city_names")
    op.drop_table("city_identifiers")
    op.drop_table("reported_figures")
    op.drop_table("programs")
    op.drop_table("idempotency_keys")
    op.drop_table("country_aliases")
    op.drop_table("cities")
    op.drop_table("changes")
    op.drop_table("api_keys")
    op.drop_table("sources")
    op.drop_table("revisions")
    op.drop_table("registry")
    op.drop_table("partnerships")
    op.drop_table("countries")
    op.drop_table("accounts")
