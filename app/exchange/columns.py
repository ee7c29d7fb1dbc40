"""Which column is which: the headers of a file against the table of `column_names`.

Own names come out (`city1`, `lat2`, `established`); what no name is known for is listed, with the nearest one that
is, and never taken for it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from app.domain.names import fold
from app.exchange import column_names as table
from app.exchange.formats.files import UnreadableFile
from app.exchange.header_words import MOST_SIDES, Meaning, is_computed, meaning_of, spellings, words_of

CONSTANT = "="
"""A column given as `country1==Germany` has this value in every row."""
_SHOWN = 20
_LONGEST_SHOWN = 40

_AGAIN = re.compile(r"(.+)\.1")
_OWN_SIDED = re.compile(r"([a-z_]+)([1-9][0-9]{0,3})(@[A-Za-z-]+)?")
_ALIKE = 0.8
_ENDS = {"source": "1", "target": "2"}


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the headers of a file mean. `columns`: own name → header as found; `positions`: own name → its place among
    the headers; `constants`: own name → value of every row; `suggestions`: ignored header → what it may be; `remarks`:
    what was decided and may be meant otherwise."""

    noun: str
    columns: dict[str, str]
    positions: dict[str, int]
    ignored: list[str]
    suggestions: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def recognise(
    headers: Sequence[str],
    *,
    noun: str | None = None,
    given: Mapping[str, str] | None = None,
    hint: str = "",
    queried: bool = False,
) -> Recognised:
    """The noun and the columns of a file with these headers.

    noun: partnerships, cities, programs, organisations or sources; None: the one that fits best, `hint` (the file's
    name) deciding between equals. given: own name → header, or `=` and a value for every row; they come before what
    is recognised. queried: these are results of a query, or identifiers of cities. Raises UnreadableFile where no noun
    fits or a given column does not exist: it names what was found, and how to say which is which.
    """
    given = dict(given or {})
    if noun and noun not in table.NOUNS:
        raise UnreadableFile(f"There is no such noun to import: it is one of {', '.join(table.NOUNS)}.", field="noun")
    nouns = [each for each in ([noun] if noun else table.NOUNS) if _all_known(each, given)]
    if not nouns:
        raise _unknown_name(noun, given)
    read = [_read(each, headers, given, queried=queried) for each in nouns]
    if len(read) > 1:
        read = [each for each in read if not _is_mere_source(each, headers)]
    fitting = [each for each in read if not missing(each)]
    if not fitting:
        raise _nothing_fits(headers, read, noun)
    return max(fitting, key=lambda each: (len(each.columns), fold(hint).startswith(each.noun)))


def recognised_count(headers: Sequence[str], *, given: Mapping[str, str] | None = None) -> int:
    """How many of the headers are known for the noun that knows most of them: whether this is a header at all."""
    wanted = {fold(header) for header in (given or {}).values()}
    named = sum(fold(header) in wanted for header in headers)
    return named + max(len(_chosen(noun, headers, given={}).places) for noun in table.NOUNS)


def missing(read: Recognised) -> list[tuple[str, ...]]:
    """The groups of columns of which a file of the noun needs one each, and has none."""
    has = set(read.columns) | set(read.constants)
    return [group for group in map(_ways, table.NEEDED[read.noun]) if not has & set(group)]


def _is_mere_source(read: Recognised, headers: Sequence[str]) -> bool:
    """Whether a bare `source` is all that would make this a file of sources: it may be anything, an edge's end too."""
    if read.noun != "sources" or words_of(read.columns.get("title", "")) != ("source",):
        return False
    described = {"url", "author", "publisher", "key"} & set(read.columns)
    return not described or any(words_of(header) == ("target",) for header in headers)


def own_names(noun: str) -> list[str]:
    """The own names of a noun's columns; those of cities with the number 1 and 2."""
    sided = [f"{base}{side}" for side in (1, 2) for base in table.OF_A_CITY] if noun in table.OF_CITIES else []
    return [*sided, *table.NOUNS[noun]]


def _ways(group: tuple[str, ...]) -> tuple[str, ...]:
    sided = ((name, _OWN_SIDED.fullmatch(name)) for name in group)
    return tuple(
        way for name, found in sided for way in ([f"{way}{found[2]}" for way in table.NAMING] if found else [name])
    )


# ── Columns that are given ──


def _is_own_name(noun: str, name: str) -> bool:
    plain = name.partition("@")[0]
    if plain in table.NOUNS[noun]:
        return True
    found = _OWN_SIDED.fullmatch(plain)
    return bool(found and noun in table.OF_CITIES and found[1] in table.OF_A_CITY and int(found[2]) <= MOST_SIDES)


def _all_known(noun: str, given: Mapping[str, str]) -> bool:
    return all(_is_own_name(noun, name) for name in given)


def _unknown_name(noun: str | None, given: Mapping[str, str]) -> UnreadableFile:
    nouns = [noun] if noun else list(table.NOUNS)
    name = next((name for name in given if not any(_is_own_name(each, name) for each in nouns)), None)
    if name is None:
        return UnreadableFile("The columns given belong to different nouns: say which noun it is.", field="columns")
    known = list(dict.fromkeys(own for each in nouns for own in own_names(each)))
    near = get_close_matches(name, known, 1, _ALIKE)
    hint = f"Did you mean {near[0]}?" if near else f"The names are: {', '.join(known)}."
    return UnreadableFile(f"There is no column of this name here. {hint}", field="columns")


def _place_of(header: str, headers: Sequence[str], *, name: str) -> int:
    """Where the header stands that somebody gave: as written, else folded, where that is one."""
    if header in headers:
        return headers.index(header)
    same = [place for place, each in enumerate(headers) if fold(each) == fold(header)]
    if len(same) == 1:
        return same[0]
    why = "Several columns are called so" if same else "No column of the file is called so"
    raise UnreadableFile(f"{why}, as it is given for {name}. The file has: {_shown(headers)}.", field="columns")


# ── Reading the headers ──


def _read(noun: str, headers: Sequence[str], given: Mapping[str, str], *, queried: bool) -> Recognised:
    constants = {name: value[1:].strip() for name, value in given.items() if value.startswith(CONSTANT)}
    taken = {name: _place_of(header, headers, name=name) for name, header in given.items() if name not in constants}
    found = _chosen(noun, headers, given={place: name for name, place in taken.items()}, queried=queried)
    positions = taken | {name: place for name, place in found.places.items() if name not in given}
    used = set(positions.values())
    left = [
        header
        for place, header in enumerate(headers)
        if place not in used and header.strip() and not is_computed(words_of(header))
    ]
    positions = dict(sorted(positions.items(), key=lambda item: item[1]))
    columns = {name: headers[place] for name, place in positions.items()}
    lone = {name: header for name, header in columns.items() if positions[name] in found.lone and name not in given}
    return Recognised(noun, columns, positions, left, _suggestions(noun, left), constants, _on_lone(lone))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Own name → place; `lone`: places of columns that stand behind both cities and may be about either."""

    places: dict[str, int]
    lone: set[int]


def _chosen(noun: str, headers: Sequence[str], *, given: Mapping[int, str], queried: bool = False) -> _Chosen:
    """Of several headers for one name, the surest spelling, then the first. `given`: place → the name that somebody
    gave it."""
    meanings = [
        _given_meaning(given[place]) if place in given else each for place, each in enumerate(_meanings(noun, headers))
    ]
    candidates: dict[str, tuple[int, int]] = {}
    sides, lone = _sides(meanings, headers, queried=queried)
    for place, (meaning, side) in enumerate(zip(meanings, sides, strict=True)):
        if meaning is None or (meaning.sided and side is None):
            continue
        base, at, language = meaning.base.partition("@")
        name = f"{base}{side or ''}{at}{language}"
        candidates[name] = min(candidates.get(name, (meaning.rank, place)), (meaning.rank, place))
    return _Chosen({name: place for name, (_rank, place) in candidates.items()}, lone)


def _given_meaning(name: str) -> Meaning | None:
    """Which city a given column is about, for those beside it that do not say."""
    found = _OWN_SIDED.fullmatch(name)
    return Meaning(found[1] + (found[3] or ""), int(found[2]), sided=True) if found else None


def _sides(
    meanings: Sequence[Meaning | None], headers: Sequence[str], *, queried: bool
) -> tuple[list[int | None], set[int]]:
    """For each column of a city, which city it is about. One that does not say belongs to the city last named before
    it; one that is there already, to the other one. Of two behind both cities the first is the first one's; so is a
    lone one where it comes out of a query, which asks for what it has of the item that it begins with. Also the places
    of such lone ones."""
    sides = [meaning.side if meaning else None for meaning in meanings]
    taken: dict[tuple[str, int], str] = {
        (meaning.base, meaning.side): "" for meaning in meanings if meaning and meaning.side
    }
    left = Counter(meaning.base for meaning in meanings if meaning and meaning.sided and meaning.side is None)
    current, named, lone = 1, set[int](), set[int]()
    for place, meaning in enumerate(meanings):
        if meaning is None or not meaning.sided:
            continue
        if meaning.side is None:
            behind, base = named >= {1, 2} and meaning.base not in table.NAMING, meaning.base
            if behind and left[base] == 1 and not {(base, 1), (base, 2)} & taken.keys():
                lone.add(place)
            of_items = queried or {("wikidata", 1), ("wikidata", 2)} <= taken.keys()
            # City, Sister city, Country, Country.
            first = 1 if (named >= {1, 2} and left[base] > 1) or (place in lone and of_items) else current
            sides[place] = _free_side(meaning.base, first, taken, key="".join(words_of(_first_time(headers[place]))))
            left[meaning.base] -= 1
        current = sides[place] or current
        if meaning.base in table.NAMING:
            named.add(current)
    return sides, lone


def _free_side(base: str, current: int, taken: dict[tuple[str, int], str], *, key: str) -> int | None:
    other = 2 if current == 1 else 1
    for side in (current, other):
        if (base, side) not in taken:
            # A second city must be called as the first one: `City, Name` are two words for one.
            if side != current and taken[base, current] not in ("", key):
                return None
            taken[base, side] = key
            return side
    return None


def _first_time(header: str) -> str:
    # pandas numbers what stands there twice: City, City.1.
    again = _AGAIN.fullmatch(header.strip())
    return again[1] if again else header


def _meanings(noun: str, headers: Sequence[str]) -> list[Meaning | None]:
    keys = {"".join(words_of(header)) for header in headers}
    firsts, ends = set(headers), _edge_ends(noun, headers)
    meanings: list[Meaning | None] = []
    for header in headers:
        again = _AGAIN.fullmatch(header.strip())
        plain = again[1] if again and again[1] in firsts else header
        meaning = meaning_of(noun, ends.get(header, plain))
        labelled = "".join(words_of(plain)) + "label" in keys
        meanings.append(_entity(meaning) if labelled and meaning else meaning)
    return meanings


def _edge_ends(noun: str, headers: Sequence[str]) -> dict[str, str]:
    """Header → how it is read in a list of edges, as programs for networks write it: `source` and `target` are cities,
    `source_country` is of the first. With a column about a document beside it, a bare `source` is a document too."""
    words = {header: words_of(header) for header in headers} if noun in table.OF_CITIES else {}
    told = set(words.values())
    rests = {each[1:] for each in told if each[:1] == ("source",) and ("target", *each[1:]) in told}
    ends = {
        header: " ".join(("city", _ENDS[said[0]], *said[1:]))
        for header, said in words.items()
        if said and said[0] in _ENDS and said[1:] in rests
    }
    others = (meaning_of(noun, header) for header in words if header not in ends)
    if any(meaning and meaning.base in table.SOURCED for meaning in others):
        return {header: read for header, read in ends.items() if len(words[header]) > 1}
    return ends


def _entity(meaning: Meaning) -> Meaning | None:
    """In query results `city` is an address where `cityLabel` stands beside it."""
    if meaning.base in ("city", "name"):
        return Meaning("wikidata", meaning.side, sided=meaning.sided)
    return meaning if meaning.base in ("wikidata", "identifiers") else None


# ── What is said ──


def _on_lone(lone: Mapping[str, str]) -> list[str]:
    """To which city went what stands behind both."""
    remarks: list[str] = []
    for side, city, other in ((1, "first", 2), (2, "second", 1)):
        found = {name: header for name, header in lone.items() if name.endswith(str(side))}
        if found:
            name, header = next(iter(found.items()))
            those = ", ".join(map(_short, found.values()))
            given = f"--column {name[:-1]}{other}={_short(header)}"
            which = f"which stands behind both cities, was taken for the {city} one's"
            remarks.append(f"{those}, {which}: give it if it is the other one's ({given}; `columns` in the API).")
    return remarks


def _suggestions(noun: str, ignored: Iterable[str]) -> dict[str, str]:
    known = {key: meaning.base for key, meaning in spellings(noun).items()}
    known |= {
        f"{name}{side}": f"{name}{side}" for name in table.OF_A_CITY for side in (1, 2) if noun in table.OF_CITIES
    }
    keys = {header: "".join(words_of(header[:_LONGEST_SHOWN])) for header in ignored}
    near = {header: get_close_matches(key, known, 1, _ALIKE) for header, key in keys.items() if key not in known}
    return {header: known[found[0]] for header, found in near.items() if found}


def _nothing_fits(headers: Sequence[str], read: Sequence[Recognised], noun: str | None) -> UnreadableFile:
    best = max(read, key=lambda each: len(each.columns))
    found = f"Found: {_shown(headers)}."
    if not best.columns:
        what = f"No column of this file is known{f' for {noun}' if noun else ''}."
    else:
        lacking = " and ".join(" or ".join(group[:2]) for group in missing(best))
        known = ", ".join(f"{name} ({_short(header)})" for name, header in best.columns.items())
        what = f"The columns do not say enough for {best.noun}: {lacking} is missing. Recognised: {known}."
    near = ", ".join(f"{_short(header)} may be {name}" for header, name in list(best.suggestions.items())[:_SHOWN])
    hint = f" {near[0].upper()}{near[1:]}." if near else ""
    wanted = (missing(best) or [("name",)])[0][0]
    return UnreadableFile(
        f"{what} {found}{hint} Say which column is which, as in --column {wanted}=HEADER (`columns` in the API);"
        " the first row must be the header.",
        field="columns",
    )


def _shown(headers: Sequence[str]) -> str:
    shown = ", ".join(_short(header) or "(empty)" for header in headers[:_SHOWN])
    return shown + (f" and {len(headers) - _SHOWN} more" if len(headers) > _SHOWN else "")


def _short(header: str) -> str:
    # A header that is none may be anything: a line of binary, a paragraph.
    plain = "".join(each if each.isprintable() else " " for each in header[: _LONGEST_SHOWN + 1]).strip()
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[:_LONGEST_SHOWN]}…"
