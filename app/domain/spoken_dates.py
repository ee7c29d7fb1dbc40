"""Dates as people write them in tables, brought to EDTF where they are certain: `ca. 1980`, `31.12.1999`,
`November 1973`, `昭和48年11月9日`.

What may mean two days (`03/04/1999`), two years (`1973/74`) or no certain one (`after 1973`) is refused with the
reason. What says more than is kept (`spring 1973`) is widened, which stays true, with a remark.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from app.domain import fuzzy_dates
from app.domain.fuzzy_dates import FuzzyDate
from app.domain.names import fold
from app.errors import InvalidDate

LONGEST = 100
"""Characters of a text that may still be one date."""

_NO_DATE = (
    "unknown|?|??|n/a|na|n.a.|n. a.|none|null|nil|-|--|–|—|…|...|tbd|undated|no date|unbekannt|k.a.|k. a.|ohne datum"
    "|o.j.|inconnu|inconnue|desconocido|desconocida|sconosciuto|onbekend|nieznany|不明|未詳|なし|未知|미상|неизвестно"
)
_UNKNOWN = frozenset(_NO_DATE.split("|"))

# Folded, so that `März`, `ноября` and `août` find themselves. Not `listopad`: November in Polish, October in Croatian.
_MONTHS = (
    "january jan januar janner janvier enero ene gennaio gen janeiro januari styczen stycznia yanvar yanvarya ianuarie",
    "february feb februar feber fevrier fev febrero febbraio fevereiro februari luty lutego fevral fevralya februarie",
    "march mar marz mrz mars marzo marco maart mrt marzec marca mart marta martie",
    "april apr avril avr abril abr aprile kwiecien kwietnia aprel aprelya aprilie",
    "may mai mayo maggio mag maio mei maj maja may maya",
    "june jun juni juin junio giugno giu junho czerwiec czerwca iyun iyunya iunie",
    "july jul juli juillet juil julio luglio lug julho lipiec lipca iyul iyulya iulie",
    "august aug aout agosto ago augustus sierpien sierpnia avgust avgusta",
    "september sep sept septembre septiembre setiembre settembre set setembro wrzesien wrzesnia sentyabr sentyabrya"
    " septembrie",
    "october oct oktober okt octobre octubre ottobre ott outubro out pazdziernik pazdziernika oktyabr oktyabrya"
    " octombrie",
    "november nov novembre noviembre novembro noyabr noyabrya noiembrie",
    "december dec dezember dez decembre diciembre dic dicembre dezembro grudzien grudnia dekabr dekabrya decembrie",
)
_MONTH = {word: number for number, words in enumerate(_MONTHS, start=1) for word in words.split()}
_ROMAN = {
    "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10, "xi": 11, "xii": 12,
}  # fmt: skip
# The year before the first of the era.
_ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}

_WORDS_BEFORE = re.compile(
    r"(?:since|from|in|on|as of|year|the year|est\.?|estd\.?|established|signed|founded|dated|the|anno"
    r"|seit|ab|von|im|am|vom|jahr|im jahr|depuis|le|en|des|desde|el|dal|dal|nel|il|od|sinds|от|с"
    r")\s+(?=\S)"
)
_ABOUT = re.compile(
    r"(?:circa|approximately|approx\.?|about|around|roughly|ca\.?|c\.|c(?=\s?\d)|~|≈|etwa|ungefähr|gegen|um|zirka"
    r"|vers|environ|env\.|hacia|alrededor de|verso|intorno al|około|ok\.|około|около|約|约)\s*"
)
_PERHAPS = re.compile(r"(?:probably|perhaps|possibly|maybe|presumably|vermutlich|vielleicht|peut-être|quizás)\s+")
_FOOTNOTE = re.compile(r"\s*\[[^\]]{1,20}\]")
_WEEKDAY = re.compile(r"(?:mon|tues?|wed(?:nes)?|thurs?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+(?=\S)")

_DAY_MONTH_SEPARATED = re.compile(r"(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{4})\.?")
_YEAR_FIRST = re.compile(r"(\d{4})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{1,2})\.?")
_MONTH_YEAR = re.compile(r"(\d{1,2})\s?[./-]\s?(\d{4})")
_YEAR_MONTH = re.compile(r"(\d{4})\s?([./])\s?(\d{1,2})")
_STAMP = re.compile(r"\+?(\d{4})-(\d{2})-(\d{2})[t ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s?(?:z|[+-]\d{2}:?\d{2})?")
_COMPACT = re.compile(r"([12]\d{3})(\d{2})(\d{2})")
_WHOLE_NUMBER = re.compile(r"(\d{4})(?:\.0+|\s?(?:ad|ce|г\.?|года?|r\.))")
# 1º and 1ª are 1o and 1a here: the text is in NFKC.
_WORDED = re.compile(
    r"(?:(\d{1,2})(?:\.|st|nd|rd|th|er|o|a)?[\s-]*(?:(?:of|de|di)\s|d')?[\s-]*)?([^\W\d_]+)\.?,?"
    r"[\s-]*(?:(?:of|de|del|di)\s)?\s*"
    r"(\d{4})\.?(?:\s?(?:г|года|r)\.?)?"
)
_WORD_FIRST = re.compile(r"([^\W\d_]+)\.?\s*(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_YEAR_WORD_DAY = re.compile(r"(\d{4})[.,]?[\s-]+([^\W\d_]+)\.?(?:[\s-]+(\d{1,2})\.?)?")
_ROMAN_MONTH = re.compile(r"(\d{1,2})[.\s/-]\s?([ivx]{1,4})[.\s/-]\s?(\d{4})")
_EAST_ASIAN = re.compile(r"(\d{4})\s?[年년](?:度)?(?:\s?(\d{1,2})\s?[月월](?:\s?(\d{1,2})\s?[日일])?)?")
_ERA = re.compile(f"({'|'.join(_ERAS)})" + r"\s?(\d{1,2}|元)\s?年(?:\s?(\d{1,2})\s?月(?:\s?(\d{1,2})\s?日)?)?")
_DECADE = re.compile(r"(\d{3})0\s?(?:s|'s|’s|er(?: jahren?)?|-er|年代|년대|-?х(?: годов)?|-е|an?ni)")
_DECADE_AFTER = re.compile(r"(?:années|decade of(?: the)?|anni|años|década de|decennio) (\d{3})0")
_PART_OF_YEAR = re.compile(
    r"(?:(?:in |the )?(?:early|mid|late|beginning of|end of|start of|spring|summer|autumn|fall|winter|q[1-4]"
    r"|easter|christmas|anfang|mitte|ende|frühjahr|frühling|sommer|herbst|début|fin|mi|printemps|été|automne|hiver"
    r"|primavera|verano|otoño|invierno)(?: of| de| in| im)?[\s,-]+)(?:the )?(?=\d)"
)

_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_TWO_YEARS = re.compile(r"(\d{4})\s?(?:/|-|–|—|,|;|or|and|und|to|bis|oder|&|\+)\s?\d{2}(?:\d{2})?")
_OPEN = re.compile(
    r"(?:before|after|until|by|prior to|no later than|not before|post|pre|vor|nach|bis|avant|après|antes|después|prima"
    r"|dopo|voor|na)\b"
)
_OR_EARLIER = re.compile(r"\b(?:or|and) (?:earlier|later|before|after)\b")
_TWO_DIGITS = re.compile(
    r"(?:\d{1,2}[./-]\d{1,2}[./-]|\d{1,2}[\s.-]+[^\W\d_]+[\s.-]+|[^\W\d_]+\.?[\s-]+)?'?\d{2}(?:er\b.*|'?s)?"
)
_SERIAL = re.compile(r"[1-9]\d{4}(?:\.\d+)?")
_CENTURY = re.compile(r".*(?:centur|jahrhundert|siecle|siècle|siglo|secolo|世紀|век)")

_DECEMBER = 12


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a text says: a date, or None where it says that none is known. `remark`: what was widened."""

    date: FuzzyDate | None
    remark: str | None = None


def parse(text: str, *, field: str | None = None) -> FuzzyDate | None:
    """The date that `text` says, None where it says that it is unknown. Raises InvalidDate with the reason."""
    return read(text, field=field).date


def read(text: str, *, field: str | None = None) -> Spoken:
    """The same with a remark, where the text says more than is kept. Raises InvalidDate with the reason."""
    spoken = _read(text)
    if isinstance(spoken, str):
        raise InvalidDate(spoken, field=field)
    return spoken


@lru_cache(maxsize=16_384)
def _read(text: str) -> Spoken | str:
    """The reason, as text, where it is refused: a cache keeps no exceptions."""
    if len(text) > LONGEST:
        return "This is too long for a date: write the date alone, and put the rest into a note."
    shown = "".join(each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) != "Cf")
    plain = " ".join(shown.replace("’", "'").split()).casefold()
    if not plain or plain in _UNKNOWN:
        return Spoken(None)
    try:
        return Spoken(fuzzy_dates.parse(plain))
    except InvalidDate as error:
        return _in_words(plain) or _why_not(plain) or error.message


def _in_words(plain: str) -> Spoken | str | None:
    bare, mark = _unmarked(plain)
    part = _PART_OF_YEAR.match(bare)
    if part:
        bare = bare[part.end() :]
    for form, meaning in _FORMS:
        if found := form.fullmatch(bare):
            said = meaning(*found.groups())
            return _kept(said, mark, widened=bool(part)) if said else None
    return None


def _unmarked(plain: str) -> tuple[str, str]:
    """The text without what stands round the date, and the mark that this gives it."""
    bare = _FOOTNOTE.sub("", plain)
    uncertain = "?" in bare
    bare = bare.replace("(?)", " ").replace("?", " ").strip(" ,;:")
    if bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1].strip()
    about, before = False, ""
    while bare != before:
        before = bare
        bare = _WEEKDAY.sub("", _WORDS_BEFORE.sub("", bare, count=1) if _WORDS_BEFORE.match(bare) else bare, count=1)
        if found := _ABOUT.match(bare):
            about, bare = True, bare[found.end() :]
        if found := _PERHAPS.match(bare):
            uncertain, bare = True, bare[found.end() :]
    for after in (" ca.", " circa", " approx.", "頃", "ごろ", "~"):
        if bare.endswith(after):
            about, bare = True, bare.removesuffix(after)
    return bare.strip(), {(True, True): "%", (True, False): "~", (False, True): "?"}.get((about, uncertain), "")


def _kept(said: str, mark: str, *, widened: bool) -> Spoken | str:
    """The date itself; a reason where `said` is one, or the calendar has no such day."""
    if said[0].isalpha():
        return said
    if widened and not said.endswith("X"):
        said = said[:4]
    if mark and said.endswith("X"):
        return Spoken(fuzzy_dates.parse(said), f"Read as {said}: how sure a decade is, is not kept.")
    try:
        date = fuzzy_dates.parse(said + mark)
    except InvalidDate as error:
        return error.message
    return Spoken(date, f"Read as {date.text}: the part of the year is not kept." if widened else None)


def _why_not(plain: str) -> str | None:
    bare, _mark = _unmarked(plain)
    if _OPEN.match(bare) or _OR_EARLIER.search(bare):
        return _NO_CERTAIN
    if len(_YEAR.findall(bare)) > 1 or _TWO_YEARS.fullmatch(bare):
        return "This names two years, or a stretch of time: give one date, and the other one a column of its own."
    return next((reason for pattern, reason in _REASONS if pattern.fullmatch(bare)), None)


# ── Forms, each with what it means: EDTF, or a sentence why it may not be ──


def _iso(year: str, month: int | str | None = None, day: int | str | None = None) -> str:
    parts = [year] + [f"{int(part):02}" for part in (month, day) if part]
    return "-".join(parts)


def _day_and_month(first: str, separator: str, second: str, year: str) -> str:
    day, month = int(first), int(second)
    if separator == "." or day == month or day > _DECEMBER:
        return _iso(year, month, day)
    if month > _DECEMBER:
        return _iso(year, day, month)
    return (
        f"This may be {fuzzy_dates.describe(fuzzy_dates.parse(_iso(year, month, day)))} or"
        f" {fuzzy_dates.describe(fuzzy_dates.parse(_iso(year, day, month)))}: write it as"
        f" {_iso(year, month, day)} or {_iso(year, day, month)}."
    )


def _month_of(year: str, separator: str, month: str) -> str:
    if not 1 <= int(month) <= _DECEMBER:
        return ""
    if separator == "." and month == "1":
        # Spreadsheets take 1973.10 for a number, and show 1973.1.
        return f"This may be January or October {year}: write {year}-01 or {year}-10."
    if int(month) == (int(year) + 1) % 100:
        return f"This may be a month of {year} or the two years {year} and {int(year) + 1}: write one of them."
    return _iso(year, month)


def _month_first(month: str, year: str) -> str:
    return _iso(year, month)


def _stamp(year: str, month: str, day: str) -> str:
    # Wikidata writes a year as its first day with the month and day 00, or as 1 January.
    if month == "00":
        return year
    return _iso(year, month) if day == "00" else _iso(year, month, day)


def _worded(day: str | None, word: str, year: str) -> str:
    month = _MONTH.get(fold(word))
    return _iso(year, month, day) if month else ""


def _word_first(word: str, day: str, year: str) -> str:
    return _worded(day, word, year)


def _year_word_day(year: str, word: str, day: str | None) -> str:
    return _worded(day, word, year)


def _roman(day: str, word: str, year: str) -> str:
    return _iso(year, _ROMAN[word], day) if word in _ROMAN else ""


def _era(name: str, year: str, month: str | None, day: str | None) -> str:
    return _iso(str(_ERAS[name] + (1 if year == "元" else int(year))), month, day)


def _decade(start: str) -> str:
    if start.endswith("0"):
        return f"This may be ten years or a hundred: write {start}X for the decade or {start[:2]}XX for the century."
    return f"{start}X"


def _itself(text: str) -> str:
    return text.upper()


_FORMS: tuple[tuple[re.Pattern[str], Callable[..., str]], ...] = (
    (re.compile(r"(\d{4}(?:-(?:0\d|1[0-2])(?:-\d{2})?)?|\d{2}[\dx]x)"), _itself),
    (_WHOLE_NUMBER, _iso),
    (_STAMP, _stamp),
    (_YEAR_FIRST, lambda year, _separator, month, day: _iso(year, month, day)),
    (_DAY_MONTH_SEPARATED, _day_and_month),
    (_MONTH_YEAR, _month_first),
    (_YEAR_MONTH, _month_of),
    (_COMPACT, _iso),
    (_ROMAN_MONTH, _roman),
    (_EAST_ASIAN, _iso),
    (_ERA, _era),
    (_DECADE, _decade),
    (_DECADE_AFTER, _decade),
    (_WORD_FIRST, _word_first),
    (_WORDED, _worded),
    (_YEAR_WORD_DAY, _year_word_day),
)

_NO_CERTAIN = (
    "This says only before or after what it was, which is no date of its own: leave the cell empty, and put the"
    " words into a note."
)
_REASONS = (
    (_TWO_DIGITS, "The century is missing: write the year with four digits."),
    (_SERIAL, "This looks like the number that a spreadsheet keeps for a day: format the column as a date."),
    (re.compile(f"{_CENTURY.pattern}.*"), "Write a century as 19XX, which stands for 1900 to 1999."),
)
