"""The forms under which a place's name may be known: other ways to write it, and the name without what is said
beside it ("Springfield, Illinois", "Zemun (Belgrade)")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product

from app.domain.names import fold

#: Words that stand for one another in the names of places. San is not among them: San José is no St. José.
_SAME_WORDS = (("saint", "st", "sankt", "sint"), ("sainte", "ste"), ("mount", "mt"), ("fort", "ft"))
_ALIKE = {word: words for words in _SAME_WORDS for word in words}
_WORD = re.compile(r"\b(?:" + "|".join(_ALIKE) + r")\b")
#: Letters with dots, rings and strokes are written as two where a keyboard lacks them: Goerlitz, Aarhus.
_DIGRAPHS = {"ae": "a", "oe": "o", "ue": "u", "aa": "a"}
_DIGRAPH = re.compile("|".join(_DIGRAPHS))
_SPELLED_OUT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Ø": "Oe", "Å": "Aa"}
)
_DOTTED = re.compile("[äöüøåÄÖÜØÅ]")
#: 東京都, 上海市: the sign that says "metropolis" or "city" is left out as often as not.
_CJK_CITY = re.compile("(?<=[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]{2})(?:市|都|府|시)$")
MOST_FORMS = 12
#: "Name (said beside it)" and "Name, said beside it".
_BESIDE = re.compile(r"(?P<name>[^(,]*[^(,\s])\s*(?:\((?P<bracket>[^()]+)\)\s*|,\s*(?P<comma>\S.*))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Beside:
    """A name, and what is said beside it."""

    name: str
    said: str


def beside(name: str) -> Beside | None:
    """The name and what stands in brackets or after a comma; None where nothing does."""
    found = _BESIDE.fullmatch(name.strip()) if "(" in name or "," in name else None
    return None if found is None else Beside(found["name"], (found["bracket"] or found["comma"]).strip())


@lru_cache(maxsize=32_768)
def variants(name: str) -> tuple[str, ...]:
    """Folded forms of a name: its own key first, then other spellings of it, at most twelve. None for blank text."""
    key = fold(name)
    if not key:
        return ()
    if name.isascii() and not _DIGRAPH.search(key) and not _WORD.search(key):
        return (key,)
    forms: dict[str, None] = {}
    whole = [key, fold(name.translate(_SPELLED_OUT))] if _DOTTED.search(name) else [key]
    if (city := _CJK_CITY.sub("", name)) != name:
        whole.append(fold(city))
    for form in whole:
        for spelled in (form, _DIGRAPH.sub(lambda two: _DIGRAPHS[two[0]], form)):
            forms.update(dict.fromkeys((spelled, *_other_words(spelled))))
    return tuple(islice(forms, MOST_FORMS))


def _other_words(key: str) -> list[str]:
    """The same with `st` for `saint`, `mount` for `mt` and so on, in any combination."""
    if not _WORD.search(key):
        return []
    choices = [_ALIKE.get(word, (word,)) for word in key.split(" ")]
    return [" ".join(words) for words in islice(product(*choices), MOST_FORMS)]


def without_brackets(name: str) -> str | None:
    """The folded name without what stands in brackets; None where nothing does."""
    found = beside(name) if "(" in name else None
    return None if found is None else fold(found.name)
