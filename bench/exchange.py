"""How long bulk in and bulk out take, beside what others do with the same rows, in one run.

    python bench/exchange.py [--file FILE] [--rounds 3] [--memory 1000000] [--cities 100000]

`--memory N` also imports a made-up file of N rows and prints the peak of memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import exporting, import_memory, importing
from bench.export_world import fill

#: What is exported: as many pairs, all of two cities.
PAIRS = 25_000
FILE = Path(__file__).resolve().parents[2] / "shared" / "data" / "twin-city-pairs.csv"


def main() -> None:
    """Read the arguments, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, default=FILE, help="a file of pairs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, default=0, metavar="ROWS", help="also import so many made-up rows")
    parser.add_argument("--cities", type=int, default=100_000, help="between so many cities")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        importing.compare(Path(folder), given.file, rounds=given.rounds)
        world = Path(folder) / "world.db"
        fill(world, pairs=PAIRS)
        exporting.compare(world, given.rounds)
        if given.memory:
            import_memory.measure(Path(folder), rows=given.memory, cities=given.cities)


if __name__ == "__main__":
    main()
