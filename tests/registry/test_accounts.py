"""Accounts and keys: shown once, known by their digest, revoked for good, and never in the way of a request."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, text

from app.errors import InvalidValue, RecordNotFound, StateConflict
from app.models import Account, ApiKey
from app.models.accounts import ROLES
from app.registry import Database
from app.registry.accounts import (
    Principal,
    aside,
    authenticate,
    create_key,
    list_keys,
    mark_used,
    revoke,
)


def a_key(database: Database, *, role: str = "editor", label: str = "desk", account: str | None = None) -> str:
    with aside(database) as session:
        return create_key(session, role=role, label=label, account=account)


def principal(database: Database, key: str) -> Principal | None:
    with database.reading() as session:
        return authenticate(session, key)


@pytest.mark.parametrize("role", ROLES)
def test_a_key_opens_the_registry_in_its_role_and_its_account(database: Database, role: str) -> None:
    who = principal(database, a_key(database, role=role, label="laptop", account="city archive"))
    assert who is not None
    assert (who.account, who.role, who.last_used_at) == ("city archive", role, None)


def test_a_key_is_long_and_random_and_only_its_digest_is_kept(database: Database) -> None:
    first, second = a_key(database), a_key(database)
    assert first != second
    assert re.fullmatch(r"sc_[A-Za-z0-9_-]{43}", first)
    with database.reading() as session:
        kept = session.execute(select(ApiKey.digest, ApiKey.label)).all()
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest, _ in kept)
    assert not any(first[3:] in str(row) for row in kept)


def test_keys_of_one_account_share_it(database: Database) -> None:
    one = principal(database, a_key(database, label="desk"))
    two = principal(database, a_key(database, label="laptop", account="desk"))
    assert one is not None
    assert two is not None
    assert (one.account_id, one.account) == (two.account_id, two.account)
    assert one.key_id != two.key_id


def test_an_account_that_two_make_at_once_is_one(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(lambda _: a_key(database, label="archive"), range(8)))
    assert len({principal(database, key) for key in keys}) == len(keys)
    with database.reading() as session:
        assert session.execute(select(func.count()).select_from(Account)).scalar_one() == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"role": "owner"}, "role"),
        ({"label": ""}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"label": "two\nlines"}, "label"),
        ({"account": " "}, "account"),
        ({"label": "cli"}, "account"),
        ({"account": "Seeds"}, "account"),
    ],
)
def test_a_key_that_cannot_be_is_refused_with_its_field(database: Database, values: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        a_key(database, **values)
    assert refusal.value.field == field
    with database.reading() as session:
        assert list_keys(session) == []


@pytest.mark.parametrize("key", ["", "sc_", "sc_" + "A" * 43, "x" * 1_000_000, "sc_ключ", "\x00", "\ud800"])
def test_what_is_no_key_opens_nothing(database: Database, key: str) -> None:
    a_key(database)
    assert principal(database, key) is None


@pytest.mark.parametrize("named", ["id", "label"])
def test_a_revoked_key_opens_nothing_any_more_and_stays_revoked(database: Database, named: str) -> None:
    gone, kept = a_key(database, label="lost"), a_key(database, label="kept")
    with database.reading() as session:
        key = list_keys(session)[0][named]
    with aside(database) as session:
        first = revoke(session, key)
    with aside(database) as session:
        assert revoke(session, key) == first
    assert first["label"] == "lost"
    assert first["revoked_at"]
    assert principal(database, gone) is None
    assert principal(database, kept) is not None


def test_a_label_is_the_one_standing_key_of_that_label(database: Database) -> None:
    a_key(database, label="desk")
    with aside(database) as session:
        revoke(session, "desk")
    second = a_key(database, label="desk")
    with aside(database) as session:
        assert revoke(session, "desk")["id"] == 2
    assert principal(database, second) is None


def test_a_label_of_several_standing_keys_is_refused_with_their_numbers(database: Database) -> None:
    keys = [a_key(database), a_key(database)]
    with pytest.raises(StateConflict, match=r"\(1, 2\)"), aside(database) as session:
        revoke(session, "desk")
    assert all(principal(database, key) for key in keys)


@pytest.mark.parametrize("key", [99, "99", "nobody's", "9" * 40, ""])
def test_revoking_a_key_that_is_not_there_says_so(database: Database, key: int | str) -> None:
    a_key(database)
    with pytest.raises(RecordNotFound), aside(database) as session:
        revoke(session, key)


def test_keys_are_listed_oldest_first_without_digests(database: Database) -> None:
    a_key(database, label="b")
    a_key(database, label="a", role="admin", account="b")
    with database.reading() as session:
        rows = list_keys(session)
    assert [(row["id"], row["account"], row["label"], row["role"]) for row in rows] == [
        (1, "b", "b", "editor"),
        (2, "b", "a", "admin"),
    ]
    assert not any("digest" in row for row in rows)


def test_accounts_and_keys_take_no_revision_number(database: Database) -> None:
    with database.reading() as session:
        before = session.number()
    who = principal(database, a_key(database))
    assert who is not None
    mark_used(database, who)
    with aside(database) as session:
        revoke(session, who.key_id)
    with database.reading() as session:
        assert session.number() == before


def last_use(database: Database) -> str | None:
    with database.reading() as session:
        return session.execute(select(ApiKey.last_used_at)).scalar_one()


def test_the_last_use_is_noted_at_most_once_a_minute(database: Database) -> None:
    key = a_key(database)
    never = principal(database, key)
    assert never is not None
    with time_machine.travel("2026-05-01T12:00:00Z", tick=False) as clock:
        assert mark_used(database, never)
        just_now = principal(database, key)
        assert just_now is not None
        assert just_now.last_used_at == "2026-05-01T12:00:00.000000Z"
        clock.shift(timedelta(seconds=59))
        assert not mark_used(database, just_now)
        assert not mark_used(database, never), "the database knows of the use, even if the caller does not"
        clock.shift(timedelta(seconds=1))
        assert mark_used(database, just_now)
    assert last_use(database) == "2026-05-01T12:01:00.000000Z"


def test_noting_a_use_does_not_wait_for_a_writer(database: Database) -> None:
    who = principal(database, a_key(database))
    assert who is not None
    lock = "" if database.is_sqlite else " FOR UPDATE"
    with aside(database) as session:
        session.execute(text(f"SELECT 1 FROM api_keys{lock}"))
        begun = time.monotonic()
        assert not mark_used(database, who)
        assert time.monotonic() - begun < 1
    assert last_use(database) is None
    assert mark_used(database, who)


def test_noting_a_use_leaves_no_impatient_connection_behind(sqlite_database: Database) -> None:
    who = principal(sqlite_database, a_key(sqlite_database))
    assert who is not None
    mark_used(sqlite_database, who)
    with sqlite_database.engine.connect() as connection:
        waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    assert waits == sqlite_database.write_wait * 1000


@pytest.mark.damaged
def test_noting_a_use_never_fails_a_request(database: Database) -> None:
    who = principal(database, a_key(database))
    assert who is not None
    with database.engine.execution_options(writing=True).begin() as connection:
        connection.execute(text("DROP TABLE api_keys"))
    assert mark_used(database, who) is False
