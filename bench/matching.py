"""How right the matcher is, on labelled cases: python bench/matching.py [--wrong]

Prints precision and recall of `chosen` for each half of tests/exchange/labelled: 150 spellings of the real file, by
name and country alone and, where the file lies beside the project, with its coordinates; and the hard cases. Precision:
of the cases where a city was chosen, how many had this label; recall: of those labelled with a city, how many got it.
Then how long all places of the real file take. `--wrong` lists each case that was not judged as labelled.
"""

from __future__ import annotations

import argparse
import json
import runpy
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.exchange.gazetteers import keys_of
from app.exchange.matching import CountryNames, Known, Match, Matcher, MemoryGazetteer, RegistryGazetteer
from app.exchange.records import Place
from app.exchange.seeding import seed
from app.registry import open_registry

LABELLED = Path(__file__).resolve().parents[1] / "tests" / "exchange" / "labelled"
REAL_FILE = Path(__file__).resolve().parents[2] / "shared" / "data" / "twin-city-pairs.csv"
Spelling = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """A place, and what it means: a number, or `none`, `ambiguous`, `refused`."""

    place: Place
    means: str


@dataclass(frozen=True, slots=True)
class Score:
    """What came out: cases, how many have a city as label, how many were chosen, how many of these rightly."""

    cases: int
    labelled: int
    chosen: int
    right: int

    @property
    def precision(self) -> float:
        """Of the chosen, the share that is right."""
        return self.right / self.chosen if self.chosen else 1.0

    @property
    def recall(self) -> float:
        """Of those labelled with a city, the share that was chosen rightly."""
        return self.right / self.labelled if self.labelled else 1.0


def world() -> MemoryGazetteer:
    """The cities of `world.ndjson`."""
    lines = (LABELLED / "world.ndjson").read_text(encoding="utf-8").splitlines()
    return MemoryGazetteer(known(json.loads(line)) for line in lines)


def known(row: Sequence[Any]) -> Known:
    """A city of one line."""
    number, name, country, subdivision, latitude, longitude, names = row
    return Known(number, name, country, subdivision, latitude, longitude, keys_of(name, names), (f"geonames:{number}",))


def hard_cases() -> list[Case]:
    """The cases written by hand."""
    return [
        Case(
            Place(
                name=each["name"], country=each["country"], subdivision=each.get("subdivision", ""),
                latitude=each["at"][0] if "at" in each else None, longitude=each["at"][1] if "at" in each else None,
                identifiers=(each["identifier"],) if "identifier" in each else (),
            ),
            str(each["means"]),
        )
        for each in _labels("hard")
    ]  # fmt: skip


def real_cases(coordinates: Mapping[Spelling, tuple[float, float]] | None = None) -> list[Case]:
    """The cases drawn from the real file: by name and country alone, or with these coordinates."""
    cases = []
    for each in _labels("real"):
        place = Place(name=each["name"], country=each["country"])
        if coordinates is None:
            cases.append(Case(place, str(each.get("alone", each["means"]))))
        else:
            latitude, longitude = coordinates[place.name, place.country]
            place = Place(name=place.name, country=place.country, latitude=latitude, longitude=longitude)
            cases.append(Case(place, str(each["means"])))
    return cases


def _labels(half: str) -> list[dict[str, Any]]:
    labels: list[dict[str, Any]] = yaml.safe_load((LABELLED / f"{half}.yaml").read_text(encoding="utf-8"))
    return labels


def matches(session: Session, cases: Sequence[Case]) -> list[Match]:
    """What the matcher makes of the cases in the labelled world."""
    return Matcher(CountryNames(session), [world()]).match([case.place for case in cases])


def scored(cases: Sequence[Case], found: Sequence[Match]) -> Score:
    """Precision and recall of `chosen`."""
    chosen = [
        (case.means, str(match.chosen.known.number)) for case, match in zip(cases, found, strict=True) if match.chosen
    ]
    labelled = [case for case in cases if case.means.isdigit()]
    return Score(len(cases), len(labelled), len(chosen), sum(means == got for means, got in chosen))


def judged_otherwise(cases: Sequence[Case], found: Sequence[Match]) -> Iterator[str]:
    """A line for each case that was not judged as labelled."""
    for case, match in zip(cases, found, strict=True):
        got = str(match.chosen.known.number) if match.chosen else {"unknown": "none"}.get(match.outcome, match.outcome)
        if got != case.means:
            yield f"{case.place.name} | {case.place.country} | {case.means} | {got}: {match.reason}"


@contextmanager
def seeded() -> Iterator[Session]:
    """A session on a registry with the seeds, whose countries are read."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_registry(f"sqlite:///{folder}/bench.db", migrate=True)
        seed(database)
        with database.reading() as session:
            yield session
        database.close()


def coordinates_of_file() -> dict[Spelling, tuple[float, float]]:
    """What `tests/exchange/labelled/draw.py` reads from the real file."""
    found: dict[Spelling, tuple[float, float]] = runpy.run_path(str(LABELLED / "draw.py"))["spellings"](REAL_FILE)
    return found


def print_speed(session: Session) -> None:
    """How long all spellings of the real file take, with coordinates, against the seeds."""
    places = [
        Place(name=name, country=country, latitude=latitude, longitude=longitude)
        for (name, country), (latitude, longitude) in coordinates_of_file().items()
    ]
    begun = time.perf_counter()
    Matcher(CountryNames(session), [RegistryGazetteer(session)]).match(places)
    print(f"\n{len(places):,} places with coordinates against the seeds: {time.perf_counter() - begun:.2f} s")


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--wrong", action="store_true", help="list the cases that were not judged as labelled")
    given = options.parse_args()
    halves = {"real file, name and country alone": real_cases()}
    if REAL_FILE.is_file():
        halves["real file, with its coordinates"] = real_cases(coordinates_of_file())
    halves["hard cases"] = hard_cases()
    print("| half | cases | with a city | chosen | right | precision | recall |\n|" + " --- |" * 7)
    with seeded() as session:
        for name, cases in halves.items():
            found = matches(session, cases)
            score = scored(cases, found)
            print(
                f"| {name} | {score.cases} | {score.labelled} | {score.chosen} | {score.right}"
                f" | {score.precision:.3f} | {score.recall:.3f} |"
            )
            for line in judged_otherwise(cases, found) if given.wrong else ():
                print(f"    {line}")
        if REAL_FILE.is_file():
            print_speed(session)


if __name__ == "__main__":
    main()
