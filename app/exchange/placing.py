"""Which city is each place of a file? Known ones by the matcher; the others become new cities of the same file.

A new city is known to the matcher at once, under a negative number, so that no city is made twice: neither under
two spellings of its country, nor under two of its own name.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, NamedTuple

import orjson

from app.domain import identifiers, texts
from app.domain.geography import check_coordinates, great_circle_km
from app.domain.names import fold, similarity
from app.errors import RegistryError
from app.exchange import name_forms
from app.exchange import places as geonames
from app.exchange.cells import is_clean
from app.exchange.evidence import APART_KM
from app.exchange.gazetteers import Gazetteer
from app.exchange.matching import Match, Matcher
from app.exchange.new_cities import NewCity
from app.exchange.records import Place
from app.exchange.shelves import ASKED
from app.exchange.staged_gazetteer import StagedGazetteer
from app.exchange.staged_places import Placed
from app.exchange.staging import Staging
from app.registry.content import chunks

#: Places so alike that lie so near each other wait: the second is matched when the first is known.
ALIKE, NEAR_KM = 0.8, 10.0
#: Cells per degree of the grid that finds them.
CELLS = 6
LONGEST_NAME = 300
#: What a city is called that nobody says more about.
KIND = "city"
NEW = "made for this file"
UNKNOWN = "The city is not known here. Add it first, or let the import create cities (--create-cities)."


@dataclass(slots=True)
class Placing:
    """Finds or makes the city of every staged place. `known`: the registry's, `new`: the file's; `create`: whether
    unknown places become cities; `complete`: whether GeoNames is asked about them."""

    staging: Staging
    matcher: Matcher
    known: Gazetteer
    new: StagedGazetteer
    create: bool
    complete: bool
    progress: Callable[[int], None]
    _made: int = 0
    _matched: array[int] = field(default_factory=lambda: array("q"))
    """The places that a city was found for, or several."""

    def place_all(self) -> None:
        """Every place gets its city, or the reason why it has none."""
        done = 0
        for batch in self.staging.places.batches():
            self._place(batch)
            done += len(batch)
            self.progress(done)
        if self._made:
            self._look_again()

    def _place(self, batch: Sequence[tuple[int, Place]]) -> None:
        waiting = list(batch)
        while waiting:
            matches = self.matcher.match([place for _, place in waiting])
            settled: list[tuple[int, Match | _Made | _Refused]] = []
            unknown: list[tuple[int, Place, Match]] = []
            for (number, place), match in zip(waiting, matches, strict=True):
                if match.outcome == "unknown" and self.create:
                    unknown.append((number, place, match))
                else:
                    settled.append((number, match))
                    if match.outcome in ("chosen", "ambiguous"):
                        self._matched.append(number)
            now, waiting = _apart(unknown)
            settled += self._make(now)
            self._keep(settled)

    def _look_again(self) -> None:
        """Places that were matched before a city was made that may fit them better, so that the same file finds
        the same cities the next time, when all of them are known from the start."""
        for some in chunks(self._matched, ASKED):
            batch = self.staging.places.of(some)
            matches = self.matcher.match([place for _, place in batch])
            self._keep([(number, match) for (number, _), match in zip(batch, matches, strict=True)])

    # ── New cities ──

    def _make(self, unknown: Sequence[tuple[int, Place, Match]]) -> list[tuple[int, _Made | _Refused]]:
        completed = {number: self._look_up(place, match) for number, place, match in unknown} if self.complete else {}
        known = (found.identifiers for found in completed.values() if found is not None)
        taken = self._taken({text for _, place, _ in unknown for text in place.identifiers} | {*chain(*known)})
        cities: list[NewCity] = []
        settled: list[tuple[int, _Made | _Refused]] = []
        for number, place, match in unknown:
            found = completed.get(number)
            twin = next((taken[text] for text in found.identifiers if text in taken), None) if found else None
            if twin is not None:
                told = f"{match.name} was taken for {twin.name}: GeoNames knows both as one place."
                settled.append((number, twin._replace(told=told)))
                continue
            try:
                city = self._city(place, match, found, taken)
            except RegistryError as error:
                settled.append((number, _Refused(error.field or "name", error.message)))
                continue
            cities.append(city)
            made = _Made(-city.number, city.name, city.country, city.subdivision)
            settled.append((number, made))
            taken |= dict.fromkeys(city.identifiers, made)
        self.new.add(cities)
        return settled

    def _look_up(self, place: Place, match: Match) -> geonames.Completed | None:
        assert match.code is not None, "an unknown place is one in a known country"
        return geonames.complete(replace(place, name=match.name or place.name), match.code)

    def _taken(self, wanted: set[str]) -> dict[str, _Made]:
        if not wanted:
            return {}
        return {
            text: _Made(city.number, city.name, city.country, city.subdivision)
            for each in (self.known, self.new)
            for text, city in each.by_identifier(wanted).items()
        }

    def _city(
        self, place: Place, match: Match, completed: geonames.Completed | None, taken: Mapping[str, _Made]
    ) -> NewCity:
        assert match.code is not None, "an unknown place is one in a known country"
        name = match.name or place.name
        if not (name and is_clean(name)):
            name = texts.clean(name, field="name", limit=LONGEST_NAME)
        check_coordinates(place.latitude, place.longitude)
        known = [_identifier(text, taken) for text in place.identifiers]
        more: dict[str, Any] = {}
        if place.names:
            more["names"] = _cleaned([(*each, "official") for each in place.names])
        if place.population is not None:
            more["people"] = place.population
        city = NewCity(
            self._made + 1,
            name,
            match.code,
            match.subdivision,
            place.latitude,
            place.longitude,
            place.kind or (KIND if completed is None else completed.kind),
            (fold(name),),
            tuple(dict.fromkeys(known)),
            more,
        )
        if completed is not None:
            city = _with(city, completed)
        if city.more:
            folded = (fold(text) for text, *_ in city.more.get("names", ()))
            city = city._replace(keys=tuple(dict.fromkeys((*city.keys, *folded))))
        self._made += 1
        return city

    def _keep(self, settled: Sequence[tuple[int, Match | _Made | _Refused]]) -> None:
        self.staging.places.place({number: _placed(found) for number, found in settled})


class _Made(NamedTuple):
    """The city that the place is: a new one that was made of it, or one that turned out to be the same (`told`)."""

    city: int
    name: str
    country: str
    subdivision: str | None
    told: str | None = None


class _Refused(NamedTuple):
    """The place would be a new city, but cannot be one."""

    field: str
    reason: str


def _placed(found: Match | _Made | _Refused) -> Placed:
    if isinstance(found, _Made):
        label = f"{found.name} ({found.country})" if found.city < 0 else None
        return Placed(found.city, "chosen", None, found.told, None, label, found.country, found.subdivision)
    if isinstance(found, _Refused):
        return Placed(None, "refused", found.field, found.reason)
    lies = (found.code, found.subdivision)
    if found.chosen is not None:
        known = found.chosen.known
        told = None if _plainly(found) else f"{found.name} was taken for {known.name}: {found.chosen.reason}."
        new = f"{known.name} ({known.country})" if known.number < 0 else None
        return Placed(known.number, "chosen", None, told, None, new, *lies)
    listed = orjson.dumps(candidates(found)).decode()
    return Placed(None, found.outcome, found.field, found.reason, listed, None, *lies)


def _plainly(match: Match) -> bool:
    """Whether the city was named by one of its names, or by an identifier: nothing that a reader of the report
    should look at."""
    assert match.chosen is not None
    return match.field == "identifiers" or not set(match.chosen.known.keys).isdisjoint(name_forms.variants(match.name))


def candidates(match: Match) -> list[dict[str, Any]]:
    """The candidates of a match, JSON-ready; a new city of the file has no number yet."""
    return [
        {
            "id": each.known.number if each.known.number > 0 else None,
            "name": each.known.name,
            "country": each.known.country,
            "subdivision": each.known.subdivision,
            "score": round(each.score, 3),
            "reason": each.reason if each.known.number > 0 else f"{each.reason}; {NEW}",
        }
        for each in match.candidates
    ] + [{"country": code} for code in match.country.suggestions if match.code is None]


def _identifier(text: str, taken: Mapping[str, _Made]) -> str:
    normal = ":".join(identifiers.parse(text, field="identifiers"))
    if normal in taken:
        city = taken[normal].city
        whose = f"city {city}" if city > 0 else "another city of this file"
        raise RegistryError(f"The identifier {normal} belongs to {whose} already.", field="identifiers")
    return normal


def _with(city: NewCity, found: geonames.Completed) -> NewCity:
    """The city with what GeoNames adds to what the row says."""
    names = [*city.more.get("names", ()), (found.name, "und", "official")]
    names += [(text, language, "exonym") for text, language in found.names]
    # The row's own come first, so that of two spellings of one name it is the row's that stays.
    by_key: dict[str, list[str]] = {}
    for each in _cleaned(names):
        by_key.setdefault(fold(each[0]), each)
    by_key.pop(fold(city.name), None)
    people = city.more.get("people", found.population)
    more = {"completed": True, "names": list(by_key.values())} | ({} if people is None else {"people": people})
    placed = (city.latitude, city.longitude) if city.latitude is not None else (found.latitude, found.longitude)
    return city._replace(
        subdivision=city.subdivision or found.subdivision,
        latitude=placed[0],
        longitude=placed[1],
        identifiers=tuple(dict.fromkeys((*city.identifiers, *found.identifiers))),
        more=more,
    )


def _cleaned(names: Sequence[Sequence[str]]) -> list[list[str]]:
    clean = [(texts.clean(text, field="names", limit=LONGEST_NAME), *rest) for text, *rest in names]
    return [list(each) for each in dict.fromkeys(clean)]


# ── Which of a batch may be one city ──


def _apart(
    unknown: Sequence[tuple[int, Place, Match]],
) -> tuple[list[tuple[int, Place, Match]], list[tuple[int, Place]]]:
    """Those that cannot be one city with another of the batch, or come first of several; and those that wait."""
    now: list[tuple[int, Place, Match]] = []
    waiting: list[tuple[int, Place]] = []
    beside = _Beside()
    for number, place, match in unknown:
        if beside.meets(place, str(match.code), name_forms.variants(match.name or place.name)):
            waiting.append((number, place))
        else:
            now.append((number, place, match))
    return now, waiting


class _Beside:
    """The places of a batch that become cities now, by what another may share with them."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, str], list[Place]] = defaultdict(list)
        self._around: dict[tuple[str, int, int], list[tuple[str, Place]]] = defaultdict(list)
        self._identified: set[str] = set()

    def meets(self, place: Place, country: str, forms: Sequence[str]) -> bool:
        """Whether one of them may be the same city as this place; if none may, this is one of them from now on."""
        if self._somebody(place, country, forms):
            return True
        for form in forms:
            self._named[country, form].append(place)
        self._identified.update(place.identifiers)
        if place.latitude is not None and place.longitude is not None and forms:
            cell = (country, int(place.latitude * CELLS), int(place.longitude * CELLS))
            self._around[cell].append((forms[0], place))
        return False

    def _somebody(self, place: Place, country: str, forms: Sequence[str]) -> bool:
        if place.identifiers and not self._identified.isdisjoint(place.identifiers):
            return True
        if any(_may_meet(place, other) for form in forms for other in self._named.get((country, form), ())):
            return True
        return bool(forms) and any(
            # The first letter sieves out nearly all of them for nothing.
            forms[0][:1] == named[:1] and _distance(place, other) <= NEAR_KM and similarity(forms[0], named) >= ALIKE
            for named, other in self._neighbours(country, place)
        )

    def _neighbours(self, country: str, place: Place) -> Iterator[tuple[str, Place]]:
        if place.latitude is None or place.longitude is None:
            return
        row, column = int(place.latitude * CELLS), int(place.longitude * CELLS)
        for y in (row - 1, row, row + 1):
            for x in (column - 1, column, column + 1):
                if found := self._around.get((country, y, x)):
                    yield from found


def _may_meet(place: Place, other: Place) -> bool:
    if place.latitude is None or other.latitude is None:
        return True
    return _distance(place, other) <= APART_KM


def _distance(place: Place, other: Place) -> float:
    assert place.latitude is not None and place.longitude is not None
    assert other.latitude is not None and other.longitude is not None
    return great_circle_km(place.latitude, place.longitude, other.latitude, other.longitude)
