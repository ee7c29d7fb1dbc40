"""A reconciliation query as a question to the matcher: what its text and its properties say of a place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from app.api.reconcile_entities import TYPES, identifier
from app.api.schemas.reconcile import ReconciliationQuery
from app.domain import identifiers
from app.domain.geography import check_coordinates
from app.errors import InvalidIdentifier, InvalidValue
from app.exchange.matching import Candidate, CountryNames, Match
from app.exchange.records import Place
from app.models.cities import CITY_KINDS

MOST_CANDIDATES = 10
#: A country, its part, and a name with a comma of its own.
MOST_COMMAS = 4
#: 34.69,135.50 or 34.69 135.50 or 34.69/135.50: latitude first.
COORDINATES = re.compile(r"([-+]?[0-9]{1,3}(?:\.[0-9]+)?)\s*[,;/\s]\s*([-+]?[0-9]{1,3}(?:\.[0-9]+)?)")
NUMBER = re.compile(r"[-+]?[0-9]{1,10}(?:\.[0-9]{1,20})?")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]+")


@dataclass(slots=True)
class Question:
    """A query as it was understood, and what was found for it. `alone`: nothing was said that leads to a country;
    `doubt`: something was said that could not be read, so that no match is certain. `scores`: city → (score,
    candidate); `chosen`: the cities that the matcher took."""

    text: str
    place: Place
    types: frozenset[str]
    limit: int
    alone: bool
    doubt: bool
    scores: dict[int, tuple[float, Candidate]] = field(default_factory=dict)
    chosen: set[int] = field(default_factory=set)

    def take(self, match: Match, *, factor: float = 1.0, certain: bool) -> None:
        """Add what the matcher found; `certain`: what it chose counts."""
        for candidate in match.candidates:
            number, score = candidate.known.number, round(100 * candidate.score * factor, 2)
            if number not in self.scores or score > self.scores[number][0]:
                self.scores[number] = score, candidate
        if match.chosen is not None and certain and not self.doubt:
            self.chosen.add(match.chosen.known.number)

    def forget_where(self) -> None:
        """What was said of where it lies was refused: its name is left, and whatever that finds is doubtful."""
        self.place = replace(self.place, country="", latitude=None, longitude=None, identifiers=())
        self.doubt = True


def understood(query: ReconciliationQuery, names: CountryNames) -> Question:
    """What the query asks; nothing was looked for yet."""
    text = plain(query.query or "")
    told = _Told()
    for condition in query.properties:
        reader = READERS.get(condition.pid.lower())
        if reader is not None:
            told.read(reader, map(plain, condition.v))
    name, country = _name_and_country(text, told.country, names)
    place, doubt = _checked(told.place(name, country))
    pair = identifier(text)
    if pair is not None:
        place = replace(place, identifiers=(*place.identifiers, ":".join(pair)))
    return Question(
        text=text, place=place, types=_types(query), limit=min(query.limit or MOST_CANDIDATES, MOST_CANDIDATES),
        alone=not (place.country or place.identifiers), doubt=doubt or told.unread,
    )  # fmt: skip


def plain(text: str) -> str:
    """A text without what no name has and no database takes."""
    return " ".join(CONTROLS.sub(" ", text).split())


def _types(query: ReconciliationQuery) -> frozenset[str]:
    """The types that are looked for. A query without any means all; so does one whose types nobody knows here, if
    they only should be of them."""
    known = {name for name in query.type if name in TYPES}
    if not query.type or (query.type_strict == "should" and not known):
        return frozenset(TYPES)
    if query.type_strict == "all" and len(set(query.type)) > 1:
        return frozenset()
    return frozenset(known)


def _name_and_country(text: str, country: str, names: CountryNames) -> tuple[str, str]:
    """A name may say its country after a comma: "Osaka, Japan" or "Gilbert, Arkansas, United States"."""
    known = names.read(country).code if country else None
    commas = [found.start() for found in re.finditer(",", text)]
    for comma in commas[-MOST_COMMAS:]:
        name, tail = text[:comma].strip(), text[comma + 1 :].strip()
        code = names.read(tail).code if name and tail else None
        if code is not None and (code == known or not country):
            return name, country or tail
    return text, country


def _checked(place: Place) -> tuple[Place, bool]:
    """The place without coordinates that cannot be, and whether it had such."""
    try:
        check_coordinates(place.latitude, place.longitude)
    except InvalidValue:
        return replace(place, latitude=None, longitude=None), True
    return place, False


class _Told:
    """What the properties of a query say of the place."""

    def __init__(self) -> None:
        self.country = self.subdivision = ""
        self.latitude: float | None = None
        self.longitude: float | None = None
        self.kind: str | None = None
        self.population: int | None = None
        self.identifiers: list[str] = []
        self.names: list[str] = []
        self.unread = False

    def read(self, reader: Callable[[_Told, str], None], values: Iterable[str]) -> None:
        """Take the values of a property; one that cannot be read makes every match doubtful."""
        for value in filter(None, values):
            try:
                reader(self, value)
            except InvalidValue:
                self.unread = True

    def place(self, name: str, country: str) -> Place:
        """The place that all of it describes."""
        return Place(
            name=name or (self.names[0] if self.names else ""), country=country, subdivision=self.subdivision,
            latitude=self.latitude, longitude=self.longitude, identifiers=tuple(dict.fromkeys(self.identifiers)),
            kind=self.kind, population=self.population, names=tuple((other, "und") for other in self.names),
        )  # fmt: skip


def _number(value: str) -> float:
    if not NUMBER.fullmatch(value):
        raise InvalidValue("This is no number.")
    return float(value)


def _country(told: _Told, value: str) -> None:
    told.country = told.country or value


def _subdivision(told: _Told, value: str) -> None:
    told.subdivision = told.subdivision or value


def _latitude(told: _Told, value: str) -> None:
    told.latitude = _number(value)


def _longitude(told: _Told, value: str) -> None:
    told.longitude = _number(value)


def _coordinates(told: _Told, value: str) -> None:
    found = COORDINATES.fullmatch(value)
    if found is None:
        raise InvalidValue("These are no coordinates.")
    told.latitude, told.longitude = float(found[1]), float(found[2])


def _kind(told: _Told, value: str) -> None:
    # A hint, like the next: what cannot be read of them says nothing against a city.
    told.kind = value.lower() if value.lower() in CITY_KINDS else None


def _population(told: _Told, value: str) -> None:
    digits = value.replace(" ", "").replace(",", "")
    told.population = int(float(digits)) if NUMBER.fullmatch(digits) else None


def _name(told: _Told, value: str) -> None:
    told.names.append(value)


def _identifier(told: _Told, value: str) -> None:
    pair = identifier(value)
    if pair is None:
        raise InvalidIdentifier("This is no identifier.")
    told.identifiers.append(":".join(pair))


def _of_scheme(scheme: str) -> Callable[[_Told, str], None]:
    def read(told: _Told, value: str) -> None:
        bare = value.removeprefix(f"{scheme}:")
        told.identifiers.append(f"{scheme}:{identifiers.normalise(scheme, bare)}")

    return read


#: Property → how a value of it is understood in a query.
READERS: dict[str, Callable[[_Told, str], None]] = {
    "country": _country,
    "subdivision": _subdivision,
    "coordinates": _coordinates,
    "latitude": _latitude,
    "longitude": _longitude,
    "kind": _kind,
    "population": _population,
    "name": _name,
    "identifier": _identifier,
    **{scheme: _of_scheme(scheme) for scheme in identifiers.SCHEMES},
}
