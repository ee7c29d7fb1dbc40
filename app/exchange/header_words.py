"""What a single header may mean: its words against the table of `column_names`.

What stands beside it, and so which of two cities a bare `country` is about, is `columns`' to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from app.domain.names import fold
from app.exchange import column_names as table

MOST_SIDES = 1000

_JOINTS = re.compile(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_LANGUAGE = re.compile(r"(.+?)\s*(?:@|_|-|\s|\()([A-Za-z]{2}(?:-[A-Za-z]{4})?)\)?")
_FILLERS = frozenset(table.FILLERS.split("|"))
_CITY_WORDS = frozenset(table.CITY_WORDS.split("|"))
_LANGUAGES = frozenset(table.LANGUAGES.split())
_NUMBERED = {"a": 1, "b": 2}
# What `city` before it says again. A city's name does not, and its kind or note may be another's.
_OF_PLACES = {*table.OF_A_CITY, *table.CITIES} - {"name", "city", "kind", "note", *table.SOURCED}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a header may mean: `base` (an own name, without the number of a city), the city where it says one, and
    how sure its spelling is (0: surest)."""

    base: str
    side: int | None = None
    sided: bool = False
    rank: int = 0


def meaning_of(noun: str, header: str) -> Meaning | None:
    """What the header says among those of a noun; None: it is not known, or worked out anew anyway."""
    words = words_of(header)
    if not words or is_computed(words):
        return None
    meaning = _in_a_language(noun, header) or _plain_meaning(noun, words)
    if meaning is None and words[-1] == "label":
        meaning = _plain_meaning(noun, words[:-1])
    return meaning


def _plain_meaning(noun: str, words: Sequence[str]) -> Meaning | None:
    whole = spellings(noun)
    for key in _keys(words):
        if key in whole:
            return whole[key]
    if noun in table.OF_CITIES and (sided := _with_a_side(words)):
        return sided
    return _of_the_city(whole, words) if noun in (*table.OF_CITIES, "cities") else None


def _of_the_city(whole: Mapping[str, Meaning], words: Sequence[str]) -> Meaning | None:
    """`city_country`, `Town lat`: the column of a city that the words say when it is not named again."""
    rest = [word for word in words if word not in _CITY_WORDS]
    found = whole.get("".join(rest)) if rest and len(rest) < len(words) else None
    return found if found and found.base in _OF_PLACES else None


def _with_a_side(words: Sequence[str]) -> Meaning | None:
    """`Partner country`, `city 2 lat`, `members 1 city name`: a column of a city, and a word which city."""
    numbers = [side for word in words if (side := _number(word))]
    named = [side for word in words if (side := _side_words().get(word))]
    if not (numbers or named):
        return None
    side = (numbers or named)[0]
    rest = [word for word in words if not _number(word) and word not in _side_words()]
    if not rest:
        # `Partner 1`, but not a mere `to` or `1`.
        return Meaning("city", side, sided=True) if numbers and named else None
    cities = _of_a_city()
    for key in (*_keys(rest), *_keys([word for word in rest if word not in _CITY_WORDS] or ["city"])):
        if key in cities:
            return Meaning(cities[key].base, side, sided=True, rank=cities[key].rank)
    return None


def _in_a_language(noun: str, header: str) -> Meaning | None:
    """`name_de`, `city1@ja`: a name in a language of its own."""
    found = _LANGUAGE.fullmatch(header.strip())
    if found is None or found[2].lower() not in _LANGUAGES:
        return None
    meaning = _plain_meaning(noun, words_of(found[1]))
    if meaning is None or meaning.base not in ("city", "name") or (noun not in ("cities", *table.OF_CITIES)):
        return None
    if noun == "programs" and not meaning.sided:
        return None
    return Meaning(f"{meaning.base}@{found[2]}", meaning.side, sided=meaning.sided)


def words_of(header: str) -> tuple[str, ...]:
    """The folded words of a header, taken apart: `cityLabel` is city, label."""
    # fold() transliterates, so that headers in every script are letters here.
    return tuple(fold(_JOINTS.sub(" ", header)).split())


def _keys(words: Sequence[str]) -> tuple[str, str]:
    return "".join(words), "".join(word for word in words if word not in _FILLERS)


def _number(word: str) -> int | None:
    if word.isdigit() and len(word) <= len(str(MOST_SIDES)):
        return int(word) if 1 <= int(word) <= MOST_SIDES else None
    return _NUMBERED.get(word)


@cache
def spellings(noun: str) -> dict[str, Meaning]:
    """Key → meaning, of whole headers. A noun's own columns come before those of its cities."""
    found: dict[str, Meaning] = {}
    if noun in table.OF_CITIES:
        for name, whole in table.OF_THE_PARTNER.items():
            _add(found, name[:-1], whole, side=int(name[-1]), sided=True)
    columns = table.NOUNS[noun]
    for base in columns:
        _add(found, base, "")
    for base, others in columns.items():
        _add(found, base, others)
    if noun in table.OF_CITIES:
        found = _of_a_city() | found
    return found


@cache
def _of_a_city() -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}
    for base, others in table.OF_A_CITY.items():
        _add(found, base, others, sided=True)
    return found


def _add(found: dict[str, Meaning], base: str, spellings: str, *, side: int | None = None, sided: bool = False) -> None:
    # The bare name is that of the first city, or of whichever stands there.
    for rank, spelling in enumerate((base if side is None else "", *spellings.split("|"))):
        for key in _keys(words_of(spelling)):
            if key:
                found.setdefault(key, Meaning(base, side, sided, rank))


@cache
def _side_words() -> dict[str, int]:
    return {
        word: side
        for side, words in table.SIDES.items()
        for word in map(fold, words.split("|"))
        if _number(word) is None
    }


def is_computed(words: Sequence[str]) -> bool:
    """Whether it is a column of our own answers that follows from others: `id`, `distance_km`, and of a list of
    members also `members 1 status`."""
    plain = [word for word in words if not word.isdigit()] if words and words[0].startswith("member") else words
    return "".join(plain) in _computed()


@cache
def _computed() -> frozenset[str]:
    return frozenset("".join(words_of(each)) for each in table.COMPUTED.split("|"))
