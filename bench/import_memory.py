"""The peak of memory of an import of many rows, in a process of its own: part of `bench/exchange.py`."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.registry import open_registry
from bench import importing

LANDS = ("DE", "FR", "IT", "ES", "PL", "US", "JP", "BR", "IN", "CN")
SYLLABLES = tuple(consonant + vowel for consonant in "bdghklmnprst" for vowel in "aiou")


def synthetic(path: Path, *, rows: int, cities: int) -> None:
    """A file of so many pairs among so many cities, with coordinates."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["city1", "country1", "lat1", "lng1", "city2", "country2", "lat2", "lng2"])
        for number in range(rows):
            one, step = number % cities, 1 + number // cities
            writer.writerow([*_city(one), *_city((one + step) % cities)])


def _city(number: int) -> tuple[str, str, str, str]:
    land = number % len(LANDS)
    latitude = -50 + (number * 7919 % 1_000_003) / 10_000
    longitude = land * 30 - 150 + (number * 104_729 % 999_983) / 50_000
    return _name(number), LANDS[land], f"{latitude:.4f}", f"{longitude:.4f}"


def _name(number: int) -> str:
    """A name that no slip makes of another: digits as syllables."""
    word = ""
    for _ in range(5):
        number, digit = divmod(number, len(SYLLABLES))
        word += SYLLABLES[digit]
    return word.capitalize()


def measure(folder: Path, *, rows: int, cities: int) -> None:
    """A large import, and one of a tenth its size."""
    for size, places in ((rows // 10, cities // 10), (rows, cities)):
        file, database = folder / f"{size}.csv", folder / f"{size}.db"
        synthetic(file, rows=size, cities=places)
        importing.seeded(folder, database.name).close()
        begun = time.perf_counter()
        command = [sys.executable, str(Path(__file__).resolve()), str(file), str(database)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        seconds = time.perf_counter() - begun
        print(f"import of {size:,} rows between {places:,} cities: {seconds:,.0f} s, {done.stdout.strip()}", flush=True)


def main() -> None:
    """One import: prints what became of it, and the peak of memory."""
    file, path = map(Path, sys.argv[1:3])
    database = open_registry(f"sqlite:///{path}", write_wait=60)
    _, _, totals = importing.take_in(database, file)
    # Not getrusage: that remembers what the parent took before this program began.
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(f"{peak // 1024:,} MiB at the most ({totals['created']:,} created)")


if __name__ == "__main__":
    main()
