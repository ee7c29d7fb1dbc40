"""Draws the 150 cases of the real half, always the same: python tests/exchange/labelled/draw.py > drawn.tsv

A case is a distinct spelling of a city and its country as found in `../shared/data/twin-city-pairs.csv`. Drawn once
(seed below), then labelled by hand in `real.yaml`, before the matcher was written. Only the spellings and the labels
are kept; the coordinates on the screen were for whoever labelled.
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

SEED = 20261122
CASES = 150
FILE = Path(__file__).resolve().parents[4] / "shared" / "data" / "twin-city-pairs.csv"
Spelling = tuple[str, str]


def spellings(file: Path = FILE) -> dict[Spelling, tuple[float, float]]:
    """Every distinct (city, country) of the file in code-point order, with the coordinates that it has there."""
    with file.open(encoding="utf-8", newline="") as opened:
        found = {
            (row[f"city{side}"], row[f"country{side}"]): (float(row[f"lat{side}"]), float(row[f"lng{side}"]))
            for row in csv.DictReader(opened)
            for side in "12"
        }
    return dict(sorted(found.items()))


def drawn(file: Path = FILE) -> list[Spelling]:
    """The 150 that are labelled."""
    return sorted(random.Random(SEED).sample(list(spellings(file)), CASES))


def main() -> None:
    """City, country, latitude and longitude of each drawn case, with tabs between."""
    places = spellings()
    for city, country in drawn():
        latitude, longitude = places[(city, country)]
        sys.stdout.write(f"{city}\t{country}\t{latitude}\t{longitude}\n")


if __name__ == "__main__":
    main()
