"""Texts with gaps, made once from a text that was written with stand-ins and filled in often: many times faster than
writing each anew, and always just what would have been written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Any


class Template:
    """A text in which each of the stand-ins is a gap. It has two gaps or more."""

    def __init__(self, text: str, stand_ins: Sequence[str]) -> None:
        found = re.compile("|".join(map(re.escape, stand_ins)))
        self._text = "%s".join(part.replace("%", "%%") for part in found.split(text))
        self._pick = itemgetter(*(stand_ins.index(gap) for gap in found.findall(text)))

    def filled(self, values: Sequence[Any]) -> str:
        """The text with these values, in the order of the stand-ins, as they are to stand there."""
        text: str = self._text % self._pick(values)
        return text


def stand_ins(count: int, text: str) -> list[int]:
    """So many numbers of one length that do not occur in the text."""
    base = 8_000_000_000_000_000
    while str(base)[:-6] in text:
        base += 1_000_000
    return list(range(base, base + count))
