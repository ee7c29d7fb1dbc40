"""Misspelt names: which differences are a slip of the pen, and which make another place.

Counted over all communities of 1,000 people and more in GeoNames, country by country: how many have a name that such
a slip of another's would give. A letter replaced is never a plain slip (Hamburg and Homburg, Marburg and Warburg).

| slip | letters | share |
| --- | --- | --- |
| doubled letters written once, or single ones twice | 7 and more | 1 in 750 |
| two neighbouring letters exchanged | 7 and more | 1 in 550 |
| a letter left out, or one too many | 7 to 12 | 1 in 30: not taken |
| | 13 and more | 1 in 200 |
"""

from __future__ import annotations

import re

from rapidfuzz.distance import OSA

from app.domain.names import SHORTEST_NEAR, expand, similarity

FEWEST_LETTERS, FEWEST_FOR_ONE_MISSING = 7, 13
MOST_EDITS = 2
#: Of one word, how much must be the same: Sus and Jos, or Pierre and Etienne, are other words.
LEAST_OF_A_WORD = 0.6
# Districts by number (Budapest XI, Zürich Kreis 11) are one sign apart, and other places.
_NUMBERED = re.compile(r"\d|\b[ivx]+\b")
_DOUBLED = re.compile(r"(.)\1+")


def is_slip(one: str, other: str) -> bool:
    """Whether two folded names differ by a plain slip of the pen. Symmetric."""
    if one == other or _NUMBERED.search(one) or _NUMBERED.search(other):
        return False
    short, long = sorted((one, other), key=len)
    if len(short) < FEWEST_LETTERS:
        return False
    if _DOUBLED.sub(r"\1", one) == _DOUBLED.sub(r"\1", other):
        return True
    if OSA.distance(one, other, score_cutoff=1) > 1:
        return False
    if len(short) == len(long):  # one edit: a letter replaced, or two exchanged
        return sorted(short) == sorted(long)
    return len(short) >= FEWEST_FOR_ONE_MISSING


def is_spelling(one: str, other: str) -> bool:
    """Whether two folded names may well be spellings of one, for two places on one spot. Symmetric.

    Up to two edits, none of them in the first letter of a word, nor of a whole word (Horní and Dolní, de Sus and
    de Jos, Saint-Pierre and Saint-Étienne are neighbours); or the same but for spaces.
    """
    one, other = expand(one), expand(other)
    if similarity(one, other) == 0:  # too short, or another number or point of the compass
        return False
    if one.replace(" ", "") == other.replace(" ", ""):
        return True
    words, others = one.split(" "), other.split(" ")
    if len(words) != len(others) or OSA.distance(one, other, score_cutoff=MOST_EDITS) > MOST_EDITS:
        return False
    return all(_one_word(a, b) for a, b in zip(words, others, strict=True))


def _one_word(one: str, other: str) -> bool:
    if one == other:
        return True
    long_enough = min(len(one), len(other)) >= SHORTEST_NEAR
    return long_enough and one[0] == other[0] and OSA.normalized_similarity(one, other) >= LEAST_OF_A_WORD
