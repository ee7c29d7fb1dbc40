"""Differences: by part for undo, in sentences for people."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.differences import Difference, between, describe

SIGNED = {"id": 7, "type": "signed", "date": "1973", "position": 1}


def test_equal_contents_have_no_differences() -> None:
    content = {"id": 1, "kind": "twin_town", "events": [SIGNED]}
    assert between(content, {**content, "events": [dict(SIGNED)]}) == []
    assert between(None, None) == []


def test_own_fields_come_first_then_child_rows_in_order_of_their_ids() -> None:
    before = {"id": 1, "note": "a", "events": [{"id": 10}, {"id": 9}]}
    after = {"id": 1, "title": "b", "members": [{"id": 2}]}
    parts = [each.part for each in between(before, after)]
    assert parts == ["note", "title", "events/9", "events/10", "members/2"]


def test_a_child_row_is_followed_by_its_id_and_not_by_its_place_in_the_list() -> None:
    before = {"events": [{"id": 1, "type": "signed"}, {"id": 2, "type": "note"}]}
    after = {"events": [{"id": 2, "type": "note"}]}
    assert between(before, after) == [Difference("events/1", {"id": 1, "type": "signed"}, None)]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"note": "a"}, {"note": "b"}, 'note: "a" → "b"'),
        ({}, {"latitude": 1.5}, "latitude: (none) → 1.5"),
        ({"part_of_id": 3}, {}, "part of: 3 → (none)"),
        ({}, {"events": [SIGNED]}, "events added: signed, date 1973"),
        ({"events": [SIGNED]}, {}, "events removed: signed, date 1973"),
        (
            {"events": [SIGNED]},
            {"events": [SIGNED | {"date": "1974"}]},
            'events changed (signed, date 1973): date "1973" → "1974"',
        ),
        ({}, {"members": [{"id": 1, "city_id": 5}]}, "members added: city 5"),
        ({}, {"names": [{"id": 1, "text": "Ōsaka", "kind": "former"}]}, "names added: Ōsaka, kind former"),
        ({}, {"populations": [{"id": 1, "people": 28}]}, "populations added: people 28"),
    ],
)
def test_a_difference_reads_as_a_sentence(before: dict[str, Any], after: dict[str, Any], text: str) -> None:
    assert [each["text"] for each in describe(before, after)] == [text]


def test_a_new_record_is_described_without_its_key_and_a_deleted_one_in_a_word() -> None:
    assert [each["part"] for each in describe(None, {"id": 4, "name": "Osaka"})] == ["name"]
    assert describe({"id": 4, "name": "Osaka"}, None) == [
        {"part": "record", "before": None, "after": None, "text": "deleted"}
    ]
