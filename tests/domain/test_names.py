"""Names across scripts and spellings: keys, nearness, prefixes, slips."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.names import expand, fold, near, nearest, prefix_range, similarity


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("São Paulo", "sao paulo"),
        ("SAO PAULO", "sao paulo"),
        ("Sao  Paulo", "sao paulo"),
        ("  São\u00a0Paulo\n", "sao paulo"),
        ("Sa\u0303o Paulo", "sao paulo"),
        ("ＳＡＯ ＰＡＵＬＯ", "sao paulo"),
        ("L'Aquila", "laquila"),
        ("L’Aquila", "laquila"),
        ("Hawaiʻi", "hawaii"),
        ("Saint-Denis", "saint denis"),
        ("St. Petersburg", "st petersburg"),
        ("Washington, D.C.", "washington d c"),
        ("Gießen", "giessen"),
        ("GIESSEN", "giessen"),
        ("Tromsø", "tromso"),
        ("Næstved", "naestved"),
        ("İzmir", "izmir"),
        ("Iğdır", "igdir"),
        ("Kyïv", "kyiv"),
        ("Казань", "kazan"),
        ("Αθήνα", "athina"),
        ("القاهرة", "lqhrh"),
        ("北京", "beijing"),
        ("서울", "seoul"),
        ("Praha 1", "praha 1"),
        ("", ""),
        (" \t\u3000", ""),
    ],
)
def test_a_name_folds_to_its_key(text: str, key: str) -> None:
    assert fold(text) == key


@pytest.mark.parametrize("text", ["!!!", "’’", "—", "\u0301", "\u2800", "\ue000", "👍🏽", "\u200d", "\U0010fffd"])
def test_text_without_a_letter_still_has_a_key_of_its_own(text: str) -> None:
    assert fold(text)
    assert fold(fold(text)) == fold(text)
    assert fold(text) != fold(text + "Osaka")


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_only_blank_text_has_the_empty_key(text: str) -> None:
    assert bool(fold(text)) == bool(text.strip())


@given(st.text(alphabet="aéßÆИ'- .", max_size=12))
def test_case_and_space_never_change_a_key(text: str) -> None:
    assert fold(text.upper()) == fold(f"  {text.lower()} ") == fold(text)


def test_texts_past_the_cache_fold_alike() -> None:
    assert fold("São  " * 1000) == " ".join(["sao"] * 1000)


@pytest.mark.parametrize(
    ("key", "spelled_out"),
    [
        ("st petersburg", "saint petersburg"),
        ("saint petersburg", "saint petersburg"),
        ("sault ste marie", "sault sainte marie"),
        ("mt vernon", "mount vernon"),
        ("ft worth", "fort worth"),
        ("port st lucie", "port saint lucie"),
        ("stamford", "stamford"),
        ("", ""),
    ],
)
def test_abbreviations_are_spelled_out_and_nothing_else_changes(key: str, spelled_out: str) -> None:
    assert expand(key) == spelled_out


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("St. Petersburg", "Saint Petersburg"),
        ("Sankt Petersburg", "Saint Petersburg"),
        ("Shenyang", "Shenyag"),
        ("Köln", "Koeln"),
        ("Newcastle", "New Castle"),
        ("Winston-Salem", "Salem Winston"),
        ("Frankfurt am Main", "Frankfurt/Main"),
        ("Saint-Denis", "St. Denys"),
        ("Washington, D.C.", "Washington DC"),
        ("Москва", "Moskva"),
        ("Ulm", "ULM"),
        ("Praha 1", "Praha  1"),
        ("Nord-Praha 12", "Nordpraha 12"),
    ],
)
def test_spellings_of_one_name_are_near(a: str, b: str) -> None:
    assert near(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Köln", "Colón"),
        ("Paris", "Parma"),
        ("Gilbert", "Gibraltar"),
        ("Minneapolis", "Minnetonka"),
        ("San Fernando", "San Francisco"),
        ("Oberhausen", "Oberhaching"),
        ("Hamburg", "Homburg"),
        ("Boston", "Bolton"),
        ("Ulm", "Neu-Ulm"),
        ("Ulm", "Olm"),
        ("Ae", "Aa"),
        ("Osaka", "Higashiosaka"),
        ("Praha 1", "Praha 2"),
        ("Praha", "Praha 2"),
        ("Paris 10e", "Paris 11e"),
        ("East Orange", "West Orange"),
        ("Saint Louis", "East St. Louis"),
        ("Lower Hutt", "Upper Hutt"),
        ("", "Osaka"),
    ],
)
def test_names_of_other_places_are_not_near(a: str, b: str) -> None:
    assert not near(a, b)


def test_the_threshold_can_be_moved() -> None:
    assert not near("Gothenburg", "Göteborg")
    assert near("Gothenburg", "Göteborg", threshold=0.9)


@given(st.text(alphabet="abst 1", max_size=12), st.text(alphabet="abst 1", max_size=12))
def test_similarity_is_symmetric_and_between_0_and_1(a: str, b: str) -> None:
    assert 0 <= similarity(a, b) <= 1
    assert similarity(a, b) == similarity(b, a)
    assert similarity(a, a.upper()) == 1


@pytest.mark.parametrize(
    ("key", "high"),
    [
        ("osaka", "osakb"),
        ("san ", "san!"),
        ("a\U0010ffff", "b"),
        ("\ud7ff", "\ue000"),
        ("", "\U0010ffff"),
        ("\U0010ffff", "\U0010ffff\U0010ffff"),
    ],
)
def test_a_prefix_is_a_range_up_to_the_next_key(key: str, high: str) -> None:
    assert prefix_range(key) == (key, high)


@given(
    st.text(alphabet="ab\ud7ff\ue000\U0010fffe", max_size=3),
    st.text(alphabet="ab\ud7ff\ue000\U0010fffe", max_size=5),
)
def test_a_prefix_range_holds_exactly_what_starts_with_the_key(key: str, text: str) -> None:
    low, high = prefix_range(key)
    assert (low <= text < high) == text.startswith(key)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_the_bounds_of_a_prefix_can_be_stored_and_keep_their_order_as_bytes(key: str) -> None:
    low, high = (bound.encode() for bound in prefix_range(key))
    assert low < high


def test_code_point_order_is_byte_order() -> None:
    bounds = [prefix_range(key)[1] for key in ("a", "é", "\ud7ff", "\U0001f600")]
    assert all(before.encode() < after.encode() for before, after in pairwise(bounds))


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("contry", ["country"]),
        ("Country", ["country"]),
        ("cities", ["city"]),
        ("active-on", ["active_on"]),
        ("xyz", []),
        ("", []),
        ("country" * 100, []),
    ],
)
def test_the_nearest_known_word_is_found_or_none(word: str, found: list[str]) -> None:
    assert nearest(word, iter(["city", "country", "continent", "active_on", "kind"])) == found


def test_several_nearest_words_come_nearest_first() -> None:
    assert nearest("countr", ["count", "country", "city"], n=2) == ["country", "count"]
