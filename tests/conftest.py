"""The real database, built by the real migrations, on both engines, with unrelated rows in every test.

A test gets a copy of a template (SQLite: the file; PostgreSQL: CREATE DATABASE … TEMPLATE, put back as it was
after each test) and nothing of it remains. Every test that wrote ends with `check`: tables are the fold of the journal.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from noise import fill
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from app.models import Base
from app.registry import Database, checking, open_registry

POSTGRES = os.environ.get("REGISTRY_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
REQUIRED = os.environ.get("REGISTRY_TEST_REQUIRE_POSTGRES") == "1"
SHARED = Path(__file__).resolve().parents[2] / "shared"

hypothesis_settings.register_profile("registry", deadline=None)
hypothesis_settings.load_profile("registry")
# Settings of the machine must not steer the tests.
for name in [name for name in os.environ if name.startswith("REGISTRY_") and "TEST" not in name]:
    del os.environ[name]


def _admin_url() -> URL:
    return make_url(POSTGRES).set(drivername="postgresql+psycopg")


def _reachable() -> bool:
    engine = create_engine(_admin_url(), connect_args={"connect_timeout": 3})
    try:
        with engine.connect():
            return True
    except OperationalError:
        return False
    finally:
        engine.dispose()


REACHABLE = _reachable()
ENGINES = ["sqlite", "postgresql"] if REACHABLE or REQUIRED else ["sqlite"]


def pytest_configure(config: pytest.Config) -> None:
    """Our own markers."""
    config.addinivalue_line(
        "markers", "damaged: the test spoils its registry on purpose, so it is not checked after it"
    )


def pytest_report_header() -> str:
    """Say which engines the suite runs on."""
    if REACHABLE:
        return f"engines: SQLite and PostgreSQL ({_admin_url().render_as_string(hide_password=True)})"
    return "engines: SQLite alone; no PostgreSQL is reachable (REGISTRY_TEST_POSTGRES names one)"


def _administer(*statements: str) -> None:
    engine = create_engine(_admin_url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def _postgres_url(name: str) -> str:
    return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


class Slots(list["Slot"]):
    """Copies that are free, and how to make another."""

    def __init__(self, make: Callable[[], Slot]) -> None:
        super().__init__()
        self.make = make


class Slot:
    """A PostgreSQL copy of the template that remembers what its rows and sequences were."""

    def __init__(self, url: str) -> None:
        self.url = url
        tables = [table.name for table in Base.metadata.sorted_tables]
        with self._connection() as connection:
            connection.execute(text("CREATE SCHEMA pristine"))
            for table in tables:
                connection.execute(text(f"CREATE TABLE pristine.{table} AS TABLE public.{table}"))
            found = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
            sequences = connection.execute(text(found)).all()
        # Replica mode: no foreign key is looked at while rows go and come.
        self._script = ["SET session_replication_role = replica", "SET lock_timeout = '20s'"]
        self._script += [f"DELETE FROM public.{table}" for table in tables]
        self._script += [f"INSERT INTO public.{table} SELECT * FROM pristine.{table}" for table in tables]
        self._script += [f"SELECT setval('public.{name}', {last or 1}, {last is not None})" for name, last in sequences]

    def put_back(self) -> None:
        """Make it what it was."""
        with self._connection() as connection:
            connection.exec_driver_sql("; ".join(self._script))

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        engine = create_engine(make_url(self.url).set(drivername="postgresql+psycopg"))
        with engine.begin() as connection:
            yield connection
        engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite registry with noise in it."""
    path = tmp_path_factory.mktemp("template") / "registry.db"
    database = open_registry(f"sqlite:///{path}", migrate=True, threads=2)
    fill(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    """The name of a migrated PostgreSQL database with noise in it."""
    if not REACHABLE:
        pytest.fail("PostgreSQL is required here and not reachable: see REGISTRY_TEST_POSTGRES.")
    name = f"sistercities_test_{uuid.uuid4().hex[:12]}"
    _administer(f"CREATE DATABASE {name}")
    try:
        database = open_registry(_postgres_url(name), migrate=True, threads=2)
        fill(database)
        database.close()
        yield name
    finally:
        _administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A registry of its own on SQLite."""
    path = tmp_path / "registry.db"
    shutil.copyfile(sqlite_template, path)
    yield from _checked(open_registry(f"sqlite:///{path}", threads=8), request)


@pytest.fixture(scope="session")
def postgres_copy(postgres_template: str) -> Callable[[], Iterator[str]]:
    """Makes the URL of a fresh copy of the template, and drops it at the end: a generator."""

    def copy() -> Iterator[str]:
        name = f"{postgres_template}_{uuid.uuid4().hex[:8]}"
        _administer(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
        try:
            yield _postgres_url(name)
        finally:
            _administer(f"DROP DATABASE {name} WITH (FORCE)")

    return copy


@pytest.fixture(scope="session")
def postgres_slots(postgres_copy: Callable[[], Iterator[str]]) -> Iterator[Slots]:
    """Copies of the template that were used and put back as they were: that is ten times faster than a new one."""
    with ExitStack() as copies:
        yield Slots(lambda: Slot(copies.enter_context(contextmanager(postgres_copy)())))


@pytest.fixture
def postgres_database(postgres_slots: Slots, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A registry of its own on PostgreSQL."""
    slot = postgres_slots.pop() if postgres_slots else postgres_slots.make()
    yield from _checked(open_registry(slot.url, threads=8), request)
    if request.node.get_closest_marker("damaged") is None:
        slot.put_back()
        postgres_slots.append(slot)


def _checked(database: Database, request: pytest.FixtureRequest) -> Iterator[Database]:
    with database.reading() as session:
        before = session.number()
    yield database
    damaged = request.node.get_closest_marker("damaged") is not None
    with database.reading() as session:
        problems = checking.check(session) if session.number() != before and not damaged else []
    database.close()
    assert problems == [], "the test left a registry whose tables are not the fold of its journal"


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest) -> Database:
    """A registry of its own, on each engine in turn, with noise in it."""
    return request.getfixturevalue("sqlite_database" if request.param == "sqlite" else "postgres_database")


@pytest.fixture(scope="module", params=ENGINES)
def unwritten(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One registry for all tests of a file whose every write is refused: each engine in turn, noise in it."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("unwritten") / "registry.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield from _unchanged(open_registry(f"sqlite:///{path}", threads=8))
        return
    for url in request.getfixturevalue("postgres_copy")():
        yield from _unchanged(open_registry(url, threads=8))


def _unchanged(database: Database) -> Iterator[Database]:
    with database.reading() as session:
        before = session.number()
    yield database
    with database.reading() as session:
        after, problems = session.number(), checking.check(session)
    database.close()
    assert (after, problems) == (before, []), "what was to be refused was written"


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, not even migrated, on each engine in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    name = f"sistercities_test_{uuid.uuid4().hex[:12]}"
    _administer(f"CREATE DATABASE {name}")
    try:
        yield _postgres_url(name)
    finally:
        _administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def shared() -> Path:
    """The founding documents and the big real file, which lie beside the project in CI."""
    if not SHARED.is_dir():
        pytest.skip("the shared folder lies beside the project only where it is developed")
    return SHARED
