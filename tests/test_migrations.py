"""One tree of migrations for two engines: it makes what the models say, and keeps the rows that are there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from making import held
from noise import fill
from sqlalchemy import Connection, inspect, text

from app.errors import RegistryDamaged
from app.models import Base
from app.registry import Database, migrating, open_registry

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = sorted((ROOT / "migrations" / "versions").glob("*.py"))
STEPS = [each.revision for each in ScriptDirectory.from_config(migrating.config()).walk_revisions()][::-1]
CONVENTION = re.compile(r"(pk|uq|ck|fk|ix)_[a-z0-9_]+\Z")


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    """A database with nothing in it, on each engine in turn."""
    database = Database(empty_url, threads=2)
    yield database
    database.close()


def connected(database: Database) -> Any:
    return database.engine.execution_options(writing=True).connect()


def downgrade(database: Database, to: str) -> None:
    settings = migrating.config()
    with connected(database) as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, to)


def schema(connection: Connection) -> dict[str, Any]:
    """All that the engine knows of the tables: what it was told to make, whitespace and order aside."""
    return _of_sqlite(connection) if connection.dialect.name == "sqlite" else _of_postgresql(connection)


def _of_sqlite(connection: Connection) -> dict[str, Any]:
    statement = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
    found = {}
    for kind, name, sql in connection.execute(text(statement)):
        if name != "sqlite_sequence":
            found[f"{kind} {name}"] = _clauses(sql) if kind == "table" else " ".join(sql.split())
    return found


def _clauses(sql: str) -> list[str]:
    """The columns and constraints of a CREATE TABLE in a fixed order, and what follows them."""
    plain = " ".join(sql.replace('"', "").split())
    inner, depth, start, clauses = plain.index("(") + 1, 0, plain.index("(") + 1, []
    end = plain.rindex(")")
    for place in range(inner, end):
        depth += {"(": 1, ")": -1}.get(plain[place], 0)
        if plain[place] == "," and depth == 0:
            clauses.append(plain[start:place].strip())
            start = place + 1
    return [*sorted([*clauses, plain[start:end].strip()]), plain[end + 1 :].strip()]


CATALOG = {
    "columns": "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, l.collname,"
    " pg_get_expr(d.adbin, d.adrelid), a.attidentity FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND"
    " d.adnum = a.attnum WHERE c.relkind = 'r' AND a.attnum > 0 AND c.relnamespace = 'public'::regnamespace",
    "constraints": "SELECT conrelid::regclass::text, conname, contype, condeferrable, condeferred,"
    " pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "sequences": "SELECT sequencename, data_type::text, increment_by, cycle FROM pg_sequences",
}


def _of_postgresql(connection: Connection) -> dict[str, Any]:
    return {
        name: sorted(
            (tuple(row) for row in connection.execute(text(statement)) if not str(row[0]).startswith("alembic")),
            key=repr,
        )
        for name, statement in CATALOG.items()
    }


def counts(database: Database) -> dict[str, int]:
    """Rows by table."""
    with database.engine.connect() as connection:
        tables = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}


def test_migrating_makes_exactly_what_the_models_say(empty: Database) -> None:
    migrating.migrate(empty)
    with connected(empty) as connection:
        migrated = schema(connection)
    downgrade(empty, "base")
    with connected(empty) as connection:
        assert [name for name in inspect(connection).get_table_names() if name != "alembic_version"] == []
        Base.metadata.create_all(connection)
        connection.commit()
        created = schema(connection)
    assert migrated.keys() == created.keys()
    for name, wanted in created.items():
        assert migrated[name] == wanted, name


def test_what_is_compared_is_worth_comparing(empty: Database) -> None:
    migrating.migrate(empty)
    with connected(empty) as connection:
        said = repr(schema(connection))
    for word in ("ck_cities_latitude_range", "uq_members_present", "WHERE", "DEFERRABLE", "fk_members_city_id_country"):
        assert word in said
    assert ("AUTOINCREMENT" if empty.is_sqlite else "nextval") in said
    assert empty.is_sqlite or "'C'" in said


def test_alembic_finds_no_difference(empty: Database) -> None:
    migrating.migrate(empty)
    with connected(empty) as connection:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []


def test_every_migration_goes_down_and_up_again_with_rows_in(empty: Database) -> None:
    migrating.migrate(empty)
    fill(empty)
    with connected(empty) as connection:
        newest = schema(connection)
    full = counts(empty)
    assert full["members"] > 0 and full["changes"] > 0
    for step in STEPS[-2::-1]:
        downgrade(empty, step)
        there = counts(empty)
        assert there == {name: full[name] for name in there}, f"rows were lost on the way down to {step}"
    migrating.migrate(empty)
    assert counts(empty) == full
    with connected(empty) as connection:
        assert schema(connection) == newest


def test_all_the_way_down_and_up_again_works_and_leaves_an_empty_registry(empty: Database) -> None:
    assert migrating.migrate(empty) == (None, STEPS[-1])
    fill(empty)
    downgrade(empty, "base")
    assert migrating.current(empty) is None
    assert counts(empty) == {}
    migrating.migrate(empty)
    assert {name: count for name, count in counts(empty).items() if count} == {"registry": 1}
    fill(empty)
    with empty.reading() as session:
        assert session.number() == 1


def test_migrating_again_changes_nothing(database: Database) -> None:
    before = held(database)
    assert migrating.migrate(database) == (STEPS[-1], STEPS[-1])
    assert held(database) == before


def test_foreign_keys_are_on_again_after_a_migration(sqlite_database: Database) -> None:
    migrating.migrate(sqlite_database)
    with sqlite_database.engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1


REBUILD = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{head}", None, None


def upgrade():
    with op.batch_alter_table("cities", recreate="auto") as batch:
        batch.add_column(sa.Column("motto", sa.Text(), nullable=True))
        batch.alter_column("note", new_column_name="remark")
    {more}


def downgrade():
    with op.batch_alter_table("cities") as batch:
        batch.alter_column("remark", new_column_name="note")
        batch.drop_column("motto")
"""


@pytest.fixture
def further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Adds a migration to a copy of the tree: one that rebuilds a table on which others hang."""

    def write(more: str = "pass") -> None:
        folder = tmp_path / "migrations"
        (folder / "versions").mkdir(parents=True)
        for each in [ROOT / "migrations" / "env.py", *VERSIONS]:
            (folder / each.relative_to(ROOT / "migrations")).write_text(each.read_text())
        (folder / "versions" / "9999.py").write_text(REBUILD.format(head=STEPS[-1], more=more))
        monkeypatch.setattr(migrating, "resource", lambda _name: folder)

    return write


def test_a_rebuild_of_a_table_keeps_the_rows_that_hang_on_it(database: Database, further: Any) -> None:
    before = counts(database)
    further()
    migrating.migrate(database)
    assert migrating.current(database) == "9999"
    assert counts(database) == before
    downgrade(database, STEPS[-1])
    assert counts(database) == before


def test_a_migration_that_would_leave_rows_hanging_is_refused_whole(sqlite_database: Database, further: Any) -> None:
    before = counts(sqlite_database)
    further('op.execute("DELETE FROM cities WHERE id = 1")')
    with pytest.raises(RuntimeError, match="point nowhere"):
        migrating.migrate(sqlite_database)
    assert migrating.current(sqlite_database) == STEPS[-1]
    assert counts(sqlite_database) == before
    with sqlite_database.engine.connect() as connection:
        columns = {each["name"] for each in inspect(connection).get_columns("cities")}
    assert "motto" not in columns and "note" in columns


def test_an_older_or_empty_database_is_refused_and_says_what_to_do(empty_url: str) -> None:
    with pytest.raises(RegistryDamaged, match="sistercities migrate"):
        open_registry(empty_url)
    open_registry(empty_url, migrate=True).close()
    open_registry(empty_url).close()


def test_two_that_start_at_once_on_an_empty_database_both_come_up(empty_url: str) -> None:
    script = "import sys; from app.registry import open_registry; open_registry(sys.argv[1], migrate=True).close()"
    started = [
        subprocess.Popen([sys.executable, "-c", script, empty_url], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [each.communicate(timeout=60)[1] for each in started]
    assert [each.returncode for each in started] == [0, 0], said
    database = open_registry(empty_url)
    assert counts(database)["registry"] == 1
    database.close()


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.name)
def test_a_migration_imports_no_models(path: Path) -> None:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    assert names
    assert [name for name in names if name.split(".")[0] == "app"] == []


def test_every_constraint_and_index_has_a_name_by_the_convention(empty: Database) -> None:
    migrating.migrate(empty)
    with connected(empty) as connection:
        inspector = inspect(connection)
        names = []
        for table in Base.metadata.sorted_tables:
            if not empty.is_sqlite:  # there the key of an AUTOINCREMENT table is a word of its column
                names.append(inspector.get_pk_constraint(table.name)["name"])
            for found in (
                inspector.get_foreign_keys(table.name),
                inspector.get_unique_constraints(table.name),
                inspector.get_check_constraints(table.name),
                inspector.get_indexes(table.name),
            ):
                names += [each["name"] for each in found]
            names = [name if name is not None else f"unnamed in {table.name}" for name in names]
    assert [name for name in names if not CONVENTION.match(name)] == []
    assert len(names) > 100


def test_there_is_one_line_of_migrations() -> None:
    script = ScriptDirectory.from_config(migrating.config())
    assert script.get_heads() == [STEPS[-1]]
    assert len(VERSIONS) == len(STEPS)
