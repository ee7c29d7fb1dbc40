"""Which country does this spelling mean? Only what is certain is read; the rest is refused with suggestions.

Certain are ISO codes, the names and aliases of the registry, names of ISO 3166 and the spellings of
`country_tables`; "X, Country" where X is a part of it, or anything else in front of a country that is spelled
right. Never taken: a slip of the pen, a country's name among other words, or in another language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.names import expand, fold
from app.exchange import country_tables as tables
from app.exchange import subdivisions
from app.models import Country, CountryAlias

SUGGESTIONS = 3
#: How alike a spelling must be to a known one to be suggested, by Jaro-Winkler and by edits.
NEAR = 0.85
FURTHEST_SLIP = 2
LONGEST_SPELLING = 300
#: Languages in which a name is recognised, to suggest it: "Island" is Iceland in German, "Grèce" Greece in French.
LANGUAGES = ("de", "fr", "es", "it", "nl", "pl", "pt", "cs", "sv", "ru", "tr", "ja", "zh_CN")

_COUNTRY_IN_BRACKETS = re.compile(r"\s*\((?:country|state|nation|sovereign state)\)\s*$", re.IGNORECASE)
_WHOSE = re.compile(r"(?P<part>[^(),]+?)\s*\((?P<whole>[^()]+?)(?: state)?\)\s*", re.IGNORECASE)
_ALPHA2, _ALPHA3 = 2, 3
_NO_COUNTRY = "This is no country of ISO 3166-1."


@dataclass(frozen=True, slots=True)
class CountryRead:
    """What a spelling of a country says. `code`: ISO 3166-1 alpha-2 of a country of the registry, None where it is
    refused; `subdivision`: ISO 3166-2 where the spelling names one (England, "New York, United States");
    `suggestions`: codes that it may have meant, best first, never taken; `reason`: why, in words."""

    code: str | None
    subdivision: str | None = None
    suggestions: tuple[str, ...] = ()
    reason: str = ""


class CountryNames:
    """Reads spellings of countries, by the countries and aliases of one registry. Each spelling is read once."""

    def __init__(self, session: Session) -> None:
        self._read: dict[str, CountryRead] = {}
        rows = session.execute(select(Country.code, Country.alpha3, Country.name, Country.official_name)).all()
        self.names: dict[str, str] = {row.code: row.name for row in rows}
        self._codes = {code: row.code for row in rows for code in (row.code, row.alpha3)}
        self._keys = {_key(text): code for text, code in _iso_names(self.names)}
        self._keys |= {_key(name): row.code for row in rows for name in (row.official_name, row.name) if name}
        for key in map(_key, (*tables.PARTS, *tables.REFUSED)):
            self._keys.pop(key, None)
        # The registry's own aliases are an admin's word: they go before every table.
        aliases = session.execute(select(CountryAlias.country, CountryAlias.text)).all()
        self._keys |= {_key(alias.text): alias.country for alias in aliases}
        own = {_key(alias.text) for alias in aliases} | {_key(name) for name in self.names.values()}
        self._parts = {_key(name): code for name, code in tables.PARTS.items() if _key(name) not in own}
        self._refused = {_key(name): codes for name, codes in tables.REFUSED.items() if _key(name) not in own}

    def read(self, text: str) -> CountryRead:
        """The country that this spelling means, or why none is taken."""
        found = self._read.get(text)
        if found is None:
            found = self._read[text] = self._judge(text.strip())
        return found

    def _judge(self, text: str) -> CountryRead:
        if not fold(text):
            return CountryRead(None, reason="No country is given.")
        if len(text) > LONGEST_SPELLING:
            return CountryRead(None, reason="This is longer than any country's name.")
        certain = self._plain(text) or self._turned(text) or self._with_part(text) or self._bracketed(text)
        return certain or self._unread(text)

    # ── What is certain ──

    def _plain(self, text: str) -> CountryRead | None:
        """A code or a name, whole."""
        text = _COUNTRY_IN_BRACKETS.sub("", text)
        if len(text) in (_ALPHA2, _ALPHA3) and (code := self._codes.get(text.upper())):
            return CountryRead(code, reason=f"{text} is the ISO code of {self.names[code]}.")
        key = _key(text)
        if key in self._refused:
            return self._refusal(key)
        part = self._parts.get(key) or (text.upper() if subdivisions.exists(text.upper()) else None)
        if part is not None:
            return self._part(part[:2], part, text)
        known = self._keys.get(key) or self._keys.get(key.removeprefix("the "))
        return None if known is None else CountryRead(known, reason=f"It is a name of {self.names[known]}.")

    def _refusal(self, key: str) -> CountryRead:
        codes = self._known(self._refused[key])
        if not codes:
            return CountryRead(None, reason=_NO_COUNTRY)
        several = "This may mean several countries." if len(codes) > 1 else _NO_COUNTRY
        return CountryRead(None, suggestions=codes, reason=f"{several} Did you mean {self._listed(codes)}?")

    def _part(self, code: str, part: str, text: str) -> CountryRead:
        own = tables.OWN_ENTRIES.get(part)
        if own is not None and own in self.names:
            return CountryRead(own, reason=f"{self.names[own]} is an entry of its own in ISO 3166-1.")
        if code not in self.names:
            return CountryRead(None, reason=f"{text} is in {code}, which this registry does not list.")
        return CountryRead(code, part, reason=f"It is a part ({part}) of {self.names[code]}.")

    def _turned(self, text: str) -> CountryRead | None:
        """ "Korea, South", "Gambia, The": a name as sorted lists have it."""
        name, comma, front = text.partition(",")
        return self._plain(f"{front.strip()} {name.strip()}") if comma and name.strip() and front.strip() else None

    def _with_part(self, text: str) -> CountryRead | None:
        """ "X, Country": a state of it, one of ISO's own entries that depends on it, or any place in it."""
        *before, last = [word.strip() for word in text.split(",")]
        whole = self._plain(last) if before and last else None
        if whole is None or whole.code is None:
            return None
        inner = before[-1]
        if whole.subdivision is None and (own := self.dependent(inner, of=whole.code)):
            return CountryRead(own, reason=f"{self.names[own]} is an entry of its own in ISO 3166-1.")
        part = self._constituent(inner, whole.code) or subdivisions.read(whole.code, inner)
        if whole.subdivision and not (part and subdivisions.agree(part, whole.subdivision)):
            part = whole.subdivision
        if part is not None:
            return self._part(whole.code, part, inner)
        place = (
            f"What stands before {self.names[whole.code]} is no subdivision of ISO 3166-2: only the country is read."
        )
        return CountryRead(whole.code, reason=place)

    def _bracketed(self, text: str) -> CountryRead | None:
        """ "Georgia (US)", "Scotland (UK)", "Georgia (U.S. state)": a part that says whose it is. Nothing else."""
        found = _WHOSE.fullmatch(text)
        whole = self._plain(found["whole"]) if found else None
        read = self._with_part(f"{found['part']}, {found['whole']}") if found and whole and whole.code else None
        return read if read and whole and (read.subdivision or read.code != whole.code) else None

    def _constituent(self, text: str, code: str) -> str | None:
        part = self._parts.get(_key(text), "")
        return part if part.startswith(f"{code}-") else None

    def dependent(self, text: str, *, of: str) -> str | None:
        """The country that this names, where it is one that is often written with the state it depends on."""
        code = self._keys.get(_key(text))
        return code if code in tables.DEPENDENT.get(of, ()) and code in self.names else None

    # ── What is not ──

    def _unread(self, text: str) -> CountryRead:
        codes = self._known((*self._within(text), *_in_other_languages(_key(text)), *self._near(text)))[:SUGGESTIONS]
        if not codes:
            return CountryRead(None, reason=_NO_COUNTRY)
        meant = f"Did you mean {self._listed(codes)}?"
        return CountryRead(None, suggestions=codes, reason=f"{_NO_COUNTRY} {meant}")

    def _within(self, text: str) -> Iterator[str]:
        """Countries whose name stands among other words, the longest name first."""
        words = _key(text).split(" ")
        spans = [(a, b) for a in range(len(words)) for b in range(len(words), a, -1)]
        for a, b in sorted(spans, key=lambda span: span[0] - span[1]):
            name = " ".join(words[a:b])
            if name in self._keys:
                yield self._keys[name]
            elif name in self._parts:
                yield self._parts[name][:2]

    def _near(self, text: str) -> list[str]:
        """Countries of which this may be a slip, the nearest first."""
        key = _key(text)
        alike = process.extract(key, list(self._keys), scorer=OSA.distance, score_cutoff=FURTHEST_SLIP, limit=20)
        near = [(JaroWinkler.normalized_similarity(key, name), name) for name, _, _ in alike]
        return [self._keys[name] for alike, name in sorted(near, key=lambda each: -each[0]) if alike >= NEAR]

    def _known(self, codes: Iterable[str]) -> tuple[str, ...]:
        return tuple(code for code in dict.fromkeys(codes) if code in self.names)

    def _listed(self, codes: tuple[str, ...]) -> str:
        named = [f"{self.names[code]} ({code})" for code in codes]
        return " or ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def _key(text: str) -> str:
    return expand(fold(text.replace("&", " and ")))


def _iso_names(codes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(name, code) of ISO 3166-1 as pycountry has it, and of our tables, for these countries."""
    import pycountry

    for code in codes:
        entry = pycountry.countries.get(alpha_2=code)
        for attribute in ("name", "official_name", "common_name"):
            if name := getattr(entry, attribute, None):
                yield name, code
        for name in tables.TAKEN.get(code, ()):
            yield name, code


def _in_other_languages(key: str) -> list[str]:
    """Countries that are called so in some language. Only for suggestions."""
    return [code for code, names in _translations().items() if key in names]


@cache
def _translations() -> dict[str, frozenset[str]]:
    import gettext

    import pycountry

    told = [
        gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True)
        for language in LANGUAGES
    ]
    return {
        each.alpha_2: frozenset(
            _key(language.gettext(name))
            for language in told
            for name in (each.name, getattr(each, "common_name", each.name))
        )
        for each in pycountry.countries
    }
