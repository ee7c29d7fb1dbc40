"""Comparing names across scripts and spellings: the exact key, and how near two names are.

A key is lower-case ASCII words with single spaces ("São Paulo", "SAO PAULO" and "Sao  Paulo" are `sao
paulo`), so that an index in plain code-point order answers equality and prefixes alike on every database.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from anyascii import anyascii
from rapidfuzz.distance import OSA, JaroWinkler

NEAR = 0.92
SHORTEST_NEAR = 4
"""Below so many letters one slip makes another place (Ulm, Olm), so only equal names count."""

# Signs that sit inside a word in one spelling and are missing in the next: L'Aquila, Hawaiʻi, Kazan' (the
# Russian soft and hard signs become apostrophes too).
_WITHIN_WORDS = re.compile("['`\"]+")
_BETWEEN_WORDS = re.compile("[^a-z0-9]+")

_SPELLED_OUT = {"st": "saint", "ste": "sainte", "mt": "mount", "ft": "fort"}

# Neighbours are often told apart by one such word alone: East Orange and West Orange, Praha 1 and Praha 2.
_TELLING_APART = re.compile(r"\d+|\b(?:north|south|east|west|upper|lower)\b")

_CACHED_LENGTH = 200
_LAST_CODE_POINT = "\U0010ffff"
_LONGEST_SLIP = 100


def fold(text: str) -> str:
    """The key for exact comparison. Folding a key gives the same key; only blank text has the empty key.

    Text of which transliteration leaves no letter or digit (say, punctuation) is its own key, case-folded.
    """
    # Long texts are rare and none of the cache's business: it would hold on to megabytes of them.
    return _fold_cached(text) if len(text) <= _CACHED_LENGTH else _fold(text)


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = _WITHIN_WORDS.sub("", anyascii(plain).lower())
    return _BETWEEN_WORDS.sub(" ", words).strip() or " ".join(plain.split())


_fold_cached = lru_cache(maxsize=32_768)(_fold)


def expand(key: str) -> str:
    """A folded key with its usual abbreviations spelled out: `st petersburg` becomes `saint petersburg`."""
    return " ".join(_SPELLED_OUT.get(word, word) for word in key.split(" "))


def similarity(a: str, b: str) -> float:
    """How alike two names are, from 0 to 1; 1 for names with the same key, spelled out. Symmetric.

    The better of Jaro-Winkler and, whatever the order of words, optimal string alignment. Names that differ
    in a number or a point of the compass are other places: 0.
    """
    one, other = expand(fold(a)), expand(fold(b))
    if one == other:
        return 1.0
    if min(len(one), len(other)) < SHORTEST_NEAR or _telling(one) != _telling(other):
        return 0.0
    return max(
        JaroWinkler.normalized_similarity(one, other),
        OSA.normalized_similarity(_word_sorted(one), _word_sorted(other)),
    )


def near(a: str, b: str, *, threshold: float = NEAR) -> bool:
    """Whether two names may well be spellings of one: their similarity reaches the threshold."""
    return similarity(a, b) >= threshold


def _telling(key: str) -> list[str]:
    return sorted(_TELLING_APART.findall(key))


def _word_sorted(key: str) -> str:
    return " ".join(sorted(key.split(" ")))


def prefix_range(key: str) -> tuple[str, str]:
    """The half-open range `low <= x < high` of all that starts with `key`, in code-point order.

    That is the order of SQLite's BINARY and PostgreSQL's "C". The empty key gives the range of everything,
    save what starts with U+10FFFF, which no text of the registry may contain.
    """
    stem = key.rstrip(_LAST_CODE_POINT)
    if not stem:
        return key, key + _LAST_CODE_POINT
    return key, stem[:-1] + _next_code_point(stem[-1])


def _next_code_point(character: str) -> str:
    following = ord(character) + 1
    # Surrogates have no UTF-8: no database driver would take them as a bound.
    return "\ue000" if 0xD800 <= following <= 0xDFFF else chr(following)  # noqa: PLR2004


def nearest(word: str, choices: Iterable[str], *, n: int = 1) -> list[str]:
    """At most `n` of the choices that `word` may be a slip of, the nearest first; often none."""
    if len(word) > _LONGEST_SLIP:  # not a slip, and comparing takes quadratic time
        return []
    return difflib.get_close_matches(word.casefold(), list(choices), n)
