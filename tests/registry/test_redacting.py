"""Redaction: a text is gone from every change and table, and everybody can see that something was there."""

from __future__ import annotations

from typing import Any

import pytest
from making import city, number, row, rows, written
from sqlalchemy import MetaData, String, cast, or_, select

from app.errors import InvalidValue, RecordNotFound
from app.models import Change, Citation, City, CityName, Event, Partnership
from app.registry import Database, cities, journal, partnerships, parts, redacting, resolving, sources

SECRET = "Jane Q. Doe"


def everywhere(database: Database, text: str) -> list[str]:
    """Tables that hold the text in any column."""
    found = []
    metadata = MetaData()
    metadata.reflect(database.engine)
    with database.reading() as session:
        for table in metadata.sorted_tables:
            held = or_(*(cast(column, String).contains(text, autoescape=True) for column in table.columns))
            if session.execute(select(table).where(held)).first():
                found.append(table.name)
    return found


def redact(database: Database, noun: str, record: int | str, *, text: str = SECRET) -> int:
    with written(database, reason="asked for") as session:
        return redacting.redact(session, noun, record, text=text)


def test_the_text_is_gone_from_every_change_and_table_and_a_stub_is_seen(database: Database) -> None:
    with written(database) as session:
        a, b = city(session, "Chicago"), city(session, "Osaka", "JP")
        s = sources.add(session, {"title": "Paper"})
        events = [{"type": "signed", "date": "1973", "note": f"by {SECRET} and {SECRET}", "authority": SECRET}]
        cited = [{"source": s, "field": "established", "value": "1974", "locator": f"letter of {SECRET}"}]
        p = partnerships.establish(session, [a, b], kind="sister_city", events=events, citations=cited, note=SECRET)
    with written(database) as session:
        partnerships.amend(session, p, {"note": f"{SECRET}, again\nand on a second line"})
    with written(database) as session:
        partnerships.amend(session, p, {"note": "nothing"})
    before = number(database)
    assert redact(database, "partnerships", p) == 3
    assert everywhere(database, SECRET) == []
    assert number(database) == before + 1
    [event] = rows(database, Event, partnership_id=p)
    assert (event["note"], event["authority"]) == ("by [redacted] and [redacted]", "[redacted]")
    assert rows(database, Citation, partnership_id=p)[0]["locator"] == "letter of [redacted]"
    assert row(database, Partnership, p)["conflicts_count"] == 1
    with database.reading() as session:
        history = journal.history(session, "partnerships", p)
    assert SECRET not in repr(history)
    assert (history[0]["reason"], history[0]["differences"]) == ("asked for", [])
    assert 'note: "[redacted], again\nand on a second line" → "nothing"' in [
        each["text"] for each in history[1]["differences"]
    ]


def test_a_name_is_redacted_with_its_folded_copies(database: Database) -> None:
    with written(database) as session:
        a = city(session, SECRET, "JP", names=[{"text": f"{SECRET} Town", "kind": "short"}])
    redact(database, "cities", a)
    assert everywhere(database, SECRET) == everywhere(database, "jane q doe") == []
    assert row(database, City, a)["name"] == "[redacted]"
    assert rows(database, CityName, city_id=a)[0]["key"] == "redacted town"
    with database.reading() as session:
        assert resolving.named(session, SECRET, country="JP") == []


def test_a_deleted_record_is_redacted_too(database: Database) -> None:
    with written(database) as session:
        a = city(session, SECRET, "JP")
    with written(database) as session:
        cities.delete(session, a)
    assert redact(database, "cities", a) == 1
    assert everywhere(database, SECRET) == []


def test_dates_words_of_lists_and_keys_are_not_touched(database: Database) -> None:
    with written(database) as session:
        a, b = city(session, "Chicago", existed_from="1973"), city(session, "Osaka", "JP")
        events = [{"type": "signed", "date": "1973-11", "note": "signed 1973 by a sister_city"}]
        p = partnerships.establish(session, [a, b], kind="sister_city", events=events)
    for text in ("1973", "sister_city", "signed"):
        redact(database, "partnerships", p, text=text)
    [event] = rows(database, Event, partnership_id=p)
    assert (event["type"], event["date"], event["note"]) == (
        "signed",
        "1973-11",
        "[redacted] [redacted] by a [redacted]",
    )
    assert row(database, Partnership, p)["kind"] == "sister_city"


@pytest.mark.parametrize(
    ("noun", "record", "text", "reason", "error", "field"),
    [
        ("cities", 1, "nowhere to be found", "asked for", InvalidValue, "text"),
        ("cities", 1, "", "asked for", InvalidValue, "text"),
        ("cities", 1, "We", "asked for", InvalidValue, "text"),
        ("cities", 1, "Wellington", None, InvalidValue, "reason"),
        ("cities", 10**12, "Wellington", "asked for", RecordNotFound, None),
        ("organisations", 2, "Wellington", "asked for", RecordNotFound, None),
    ],
)
def test_a_redaction_that_cannot_be_is_refused(
    unwritten: Database, *, noun: str, record: int, text: str, reason: str | None, error: type[Exception], field: Any
) -> None:
    with unwritten.writing(account="desk", reason=reason) as session, pytest.raises(error) as caught:
        redacting.redact(session, noun, record, text=text)
    assert caught.value.field == field


def test_a_redaction_goes_to_who_follows_the_changes(database: Database) -> None:
    with written(database) as session:
        a = city(session, "Osaka", "JP", note=SECRET)
    with written(database) as session:
        cities.amend(session, a, {"note": None})
    before = number(database)
    redact(database, "cities", a)
    assert [(each["noun"], each["record"]) for each in rows(database, Change, revision=before + 1)] == [
        ("cities", str(a))
    ]


def test_other_records_keep_their_text(database: Database) -> None:
    with written(database) as session:
        a, b = city(session, "Osaka", "JP", note=SECRET), city(session, "Kyoto", "JP", note=SECRET)
    redact(database, "cities", a)
    assert row(database, City, b)["note"] == SECRET
    with written(database) as session:
        parts.add(session, "cities", b, part="names", values={"text": "Miyako", "kind": "former"})
