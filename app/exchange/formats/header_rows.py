"""Which row of a table is its header: people put a title, a date or a note above it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

LOOKED_AT = 10
"""Rows that are not blank among which the header is looked for."""
_ENOUGH = 2
_SHOWN = 60
_LONGEST_HEADER = 200


def header_at(rows: Sequence[Sequence[str]], known: Callable[[Sequence[str]], int]) -> int:
    """The place of the first row with two or more known headers; without any, the first row. `known`: how many are."""
    return next((place for place, row in enumerate(rows[:LOOKED_AT]) if _may_be(row) and known(row) >= _ENOUGH), 0)


def _may_be(row: Sequence[str]) -> bool:
    # Texts are no headers, and take long to compare.
    return len(row) >= _ENOUGH and all(len(cell) <= _LONGEST_HEADER for cell in row)


def remark_on(above: Sequence[Sequence[str]], number: int, unit: str) -> list[str]:
    """What is said of rows above the header, which is in this row or line (`unit`); nothing where there are none."""
    if not above:
        return []
    text = " ".join(" ".join(cell for cell in above[0] if cell).split())
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return [f"The header was found in {unit} {number:,}. What stands above it was passed over: “{shown}”."]
