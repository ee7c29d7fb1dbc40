"""Which text any field may hold, and how it is stored."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.texts import clean, clean_optional
from app.errors import InvalidValue


def line(text: str) -> str:
    return clean(text, field="name", limit=100)


def lines(text: str) -> str:
    return clean(text, field="note", limit=100, multiline=True)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("  Osaka\n", "Osaka"),
        ("São  \t Paulo", "São Paulo"),
        ("Sa\u0303o Paulo", "São Paulo"),
        ("Sao\u00a0Paulo", "Sao Paulo"),
        ("\ufeffOsaka\u200b", "Osaka"),
        ("大阪\u3000市", "大阪 市"),
    ],
)
def test_space_and_composition_are_made_regular(text: str, stored: str) -> None:
    assert line(text) == stored


@pytest.mark.parametrize(
    "text",
    [
        "ירושלים",
        "القاهرة\u200f (مصر)\u200e",
        "می\u200cخواهم",
        "👩\u200d👩\u200d👧",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "q\u0323\u0307",
        "大阪市",
        "'; DROP TABLE cities; --",
        "<script>alert(1)</script>",
        "\ue000",
        "\U0001fae8",  # newer than Python 3.11's tables: an unassigned code point may be next year's emoji
    ],
)
def test_every_script_and_harmless_text_passes_unchanged(text: str) -> None:
    assert line(text) == text
    assert lines(text) == text


@pytest.mark.parametrize(
    ("character", "message"),
    [
        *((character, "control character") for character in "\x00\x01\x08\x0b\x0c\x1b\x1c\x1f\x7f\x80\x85\x9f"),
        *((character, "surrogate") for character in "\ud800\udbff\udc00\udfff"),
        *((character, "no character") for character in "\ufffe\uffff\ufdd0\ufdef\U0001ffff\U0010fffe\U0010ffff"),
        *((character, "direction") for character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"),
    ],
)
@pytest.mark.parametrize("template", ["Osa{}ka", "{}Osaka", "Osaka{}", "{}"])
def test_what_cannot_be_stored_seen_or_trusted_is_refused(character: str, message: str, template: str) -> None:
    for cleaned in (line, lines):
        with pytest.raises(InvalidValue, match=message) as refused:
            cleaned(template.format(character))
        assert f"U+{ord(character):04X}" in refused.value.message
        assert refused.value.message.isprintable()


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\u2028", "\u2029"])
def test_line_breaks_belong_only_where_lines_are_meant(line_break: str) -> None:
    assert lines(f"one{line_break}two") == "one\ntwo"
    with pytest.raises(InvalidValue, match="single line") as refused:
        line(f"one{line_break}two")
    assert refused.value.field == "name"


def test_many_lines_keep_their_indents() -> None:
    assert lines("\n a\n\n  - b\tc  d \n") == "a\n\n  - b\tc  d"


def test_the_limit_counts_the_characters_that_are_stored() -> None:
    assert line(f"  {'大' * 100}  ") == "大" * 100
    with pytest.raises(InvalidValue, match=r"10,000 characters long; at most 100 ") as refused:
        line("a" * 10_000)
    assert refused.value.field == "name"


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u200b", "\u200d\u200f", " \u2060 "])
def test_text_that_shows_nothing_is_empty(text: str) -> None:
    with pytest.raises(InvalidValue, match="must not be empty") as refused:
        line(text)
    assert refused.value.field == "name"
    assert clean(text, field="name", limit=100, required=False) == ""
    assert clean_optional(text, field="name", limit=100) is None


def test_an_optional_text_is_cleaned_like_any_other() -> None:
    assert clean_optional(None, field="note", limit=5) is None
    assert clean_optional(" a\r\nb ", field="note", limit=5, multiline=True) == "a\nb"
    with pytest.raises(InvalidValue, match="single line"):
        clean_optional("a\nb", field="note", limit=5)
    with pytest.raises(InvalidValue, match="at most 5 "):
        clean_optional("abcdef", field="note", limit=5)


@given(st.text(alphabet=st.characters()), st.booleans())
def test_accepted_text_is_stable_composed_and_can_be_encoded(text: str, multiline: bool) -> None:
    try:
        stored = clean(text, field="note", limit=1000, multiline=multiline, required=False)
    except InvalidValue:
        return
    assert clean(stored, field="note", limit=1000, multiline=multiline, required=False) == stored
    assert unicodedata.is_normalized("NFC", stored)
    assert stored == stored.strip()
    assert stored.encode().decode() == stored


def test_long_runs_of_space_cost_no_more_than_other_text() -> None:
    text = f"a{' ' * 500_000}b"
    assert line(text) == "a b"
    assert clean(text, field="note", limit=len(text), multiline=True) == text
