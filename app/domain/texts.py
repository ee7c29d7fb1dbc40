"""What text any field of a record may hold. One place, so that no field is laxer than another.

Every script, emoji, combining marks and the joiners that Persian or Indic writing needs are welcome; what
cannot be stored, cannot be seen, or makes the text look other than it is, is not.
"""

from __future__ import annotations

import re
import unicodedata

from app.errors import InvalidValue

# Every space of Unicode and the tab. Not `\s`: that holds control characters too, and they would pass.
_SPACES = "\t \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# Files and web pages leave two characters without width at the ends of text as well.
_AROUND = f"\n{_SPACES}\u200b\ufeff"
_RUN_OF_SPACES = re.compile(f"[{_SPACES}]+")
_LINE_BREAK = re.compile("\r\n?|\u2028|\u2029")
_UNSEEN = frozenset({"Cf", "Zs", "Cc"})

_LAST_PLANE = 0x10
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane * 0x10000 + last) for plane in range(_LAST_PLANE + 1) for last in (0xFFFE, 0xFFFF)
)

_REFUSED = tuple(
    (re.compile(characters), what)
    for characters, what in (
        ("[\x00-\x08\x0b-\x1f\x7f-\x9f]", "a control character"),
        ("[\ud800-\udfff]", "half of a surrogate pair, which is no character"),
        (f"[{_NONCHARACTERS}]", "a code point that Unicode sets aside as no character"),
        # They can turn round what is shown after them. Right-to-left text needs none of them.
        ("[\u202a-\u202e\u2066-\u2069]", "a control character that overrides the direction of text"),
    )
)


def clean(text: str, *, field: str, limit: int, multiline: bool = False, required: bool = True) -> str:
    """Text as it is stored: NFC, no space around it, in a single line no run of spaces. Idempotent.

    `limit` counts characters (code points) of the result. If `multiline`, every line break becomes a newline.
    Raises InvalidValue with `field` for characters that are refused, too long a text, a line break where one
    line is meant, and, if `required`, text that shows nothing.
    """
    text = _LINE_BREAK.sub("\n", unicodedata.normalize("NFC", text)).strip(_AROUND)
    _refuse_characters(text, field=field, multiline=multiline)
    if not multiline:
        text = _RUN_OF_SPACES.sub(" ", text)
    if _shows_nothing(text):
        text = ""
    if required and not text:
        raise InvalidValue("This text must not be empty.", field=field)
    if len(text) > limit:
        raise InvalidValue(
            f"This text is {len(text):,} characters long; at most {limit:,} are allowed. Shorten it.",
            field=field,
        )
    return text


def clean_optional(text: str | None, *, field: str, limit: int, multiline: bool = False) -> str | None:
    """The same for a field that may be left out: text that shows nothing is None."""
    if text is None:
        return None
    return clean(text, field=field, limit=limit, multiline=multiline, required=False) or None


def _refuse_characters(text: str, *, field: str, multiline: bool) -> None:
    for pattern, what in _REFUSED:
        if found := pattern.search(text):
            raise InvalidValue(f"This text contains {what} (U+{ord(found[0]):04X}). Remove it.", field=field)
    if not multiline and "\n" in text:
        raise InvalidValue("This text must be a single line. Remove the line break.", field=field)


def _shows_nothing(text: str) -> bool:
    return all(unicodedata.category(character) in _UNSEEN for character in text)
