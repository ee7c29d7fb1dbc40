"""Names by their first letter and length, so that a misspelt one is compared with few of a country's.

A slip inside a word keeps its first letter; a slip in that letter leaves so few other spellings that each is looked up.
"""

from __future__ import annotations

from collections import defaultdict
from string import ascii_lowercase, digits

from rapidfuzz import process
from rapidfuzz.distance import OSA

from app.domain.names import SHORTEST_NEAR

#: How many edits away a name still counts as spelled like another, by its length: (from so many letters, edits).
EDITS = ((10, 2), (SHORTEST_NEAR, 1))
MOST_ALIKE = 20


def edits_allowed(key: str) -> int:
    """How many edits away another name may be for this one to be a misspelling of it."""
    return next((edits for length, edits in EDITS if len(key) >= length), 0)


class NearNames:
    """Folded names that can be asked for those spelled like another."""

    def __init__(self) -> None:
        self._all: set[str] = set()
        self._by_shape: dict[tuple[str, int], list[str]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._all)

    def add(self, name: str) -> None:
        """One more name."""
        if name not in self._all:
            self._all.add(name)
            self._by_shape[name[:1], len(name)].append(name)

    def like(self, key: str) -> list[str]:
        """The names a slip or two away from this one, the nearest first, at most MOST_ALIKE: two where the first
        letter stays, one where the slip is in it."""
        edits = edits_allowed(key)
        if not edits:
            return []
        found: dict[str, float] = {name: 1 for name in _slips_at_the_front(key) if name in self._all}
        for length in range(len(key) - edits, len(key) + edits + 1):
            names = self._by_shape.get((key[:1], length))
            if names:
                alike = process.extract(key, names, scorer=OSA.distance, score_cutoff=edits, limit=MOST_ALIKE)
                found.update((name, distance) for name, distance, _ in alike)
        return sorted(found, key=lambda name: (found[name], name))[:MOST_ALIKE]


def _slips_at_the_front(key: str) -> list[str]:
    """One letter too many, exchanged, missing or replaced at the beginning."""
    first, second, rest = key[:1], key[1:2], key[2:]
    letters = (*ascii_lowercase, *digits)
    return [
        second + rest,
        second + first + rest,
        *(each + key for each in letters),
        *(each + key[1:] for each in letters),
    ]
