"""What speaks for a city and what against it: the features of a candidate, its score, and whether it fits.

Whether a candidate fits is decided by rules; the score only says how much was known, and orders the list.

| distance of two places of the same name in a country | they are |
| --- | --- |
| to 30 km (`SAME_KM`) | one city: geocoders take the town hall, the middle of the municipality, or a round number |
| 30 to 100 km (`APART_KM`) | perhaps one: large municipalities are so wide, and homonyms so near. A person decides |
| from 100 km | two cities |

A name that is spelled nearly the same is one city only on one spot (`SPOT_KM`): of the neighbours in GeoNames with
such names, those to about 3 km are mostly one place spelled twice, and those further off mostly two.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from app.domain.geography import great_circle_km
from app.exchange import country_tables, subdivisions
from app.exchange.gazetteers import Known

SAME_KM, APART_KM, SPOT_KM = 30.0, 100.0, 3.0

NAME, DISTANCE, SUBDIVISION, CONTAINER, IDENTIFIER = 0.6, 0.3, 0.2, 0.1, 1.0
#: How well a name fits: the city's own, the same spelled otherwise (St. for Saint), another name of it.
OWN_NAME, OTHER_SPELLING, OTHER_NAME = 1.0, 0.99, 0.95


class Tier(IntEnum):
    """How a candidate was found, best first."""

    IDENTIFIER = 0
    OWN_NAME = 1
    OWN_NAME_SHORT = 2
    """Without brackets, which only tell it from others: Halle for Halle (Saale)."""
    OTHER_NAME = 3
    NEAR_NAME = 4


class Feature(NamedTuple):
    """One piece of evidence for a candidate: its value from 0 (against) to 1 (for), and how much it counts."""

    name: str
    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A city that the place may be. `score`: the weighted mean of its features, 0–1; `reason` in words."""

    known: Known
    score: float
    features: tuple[Feature, ...]
    reason: str


@dataclass(slots=True)
class Asked:
    """What a place says beside its name, ready to compare: `subdivision` is an ISO code where it could be read."""

    latitude: float | None = None
    longitude: float | None = None
    subdivision: str | None = None
    identifiers: tuple[str, ...] = ()


@dataclass(slots=True)
class Weighed:
    """A candidate with what the rules ask. `confirmed`: by coordinates, subdivision or the place that it is said to
    be in; `against`: the field that rules it out, if any does; `doubt`: the field that leaves it open."""

    known: Known
    tier: Tier
    features: list[Feature]
    reasons: list[str]
    km: float | None = None
    confirmed: bool = False
    against: str | None = None
    doubt: str | None = None

    @property
    def score(self) -> float:
        """The weighted mean of the features, 0–1."""
        total = weight = 0.0
        for each in self.features:
            total += each.value * each.weight
            weight += each.weight
        return round(total / weight, 3)

    @property
    def order(self) -> tuple[bool, bool, int, float, int]:
        """Best first."""
        return self.against is not None, self.doubt is not None, self.tier, -self.score, self.known.number

    @property
    def candidate(self) -> Candidate:
        """As it is shown."""
        return Candidate(self.known, self.score, tuple(self.features), "; ".join(self.reasons))

    def say(self, name: str, value: float, weight: float, reason: str) -> None:
        """One more piece of evidence."""
        self.features.append(Feature(name, round(value, 3), weight))
        self.reasons.append(reason)


def weigh(known: Known, asked: Asked, *, tier: Tier, alike: float, how: str) -> Weighed:
    """A candidate found by its name (`alike`: how well it fits, 0–1; `how` in words) with all other evidence."""
    weighed = Weighed(known, tier, [Feature("name", round(alike, 3), NAME)], [how])
    if (km := distance(known, asked)) is not None:
        _say_distance(weighed, km)
        weighed.against = "latitude" if km > APART_KM else None
        weighed.doubt = "latitude" if SAME_KM < km <= APART_KM else None
        weighed.confirmed = km <= SAME_KM
    if asked.subdivision is not None:
        _say_subdivision(weighed, asked.subdivision, known.subdivision)
    if asked.identifiers and known.identifiers and (other := _other_identifier(known, asked)):
        weighed.say("identifier", 0, IDENTIFIER, f"but known as {other}")
        weighed.doubt = weighed.doubt or "identifiers"
    return weighed


def identified(known: Known, asked: Asked, *, country: str | None) -> Weighed:
    """A candidate found by its identifier. Another country, or coordinates far away, leave it open."""
    feature = Feature("identifier", 1.0, IDENTIFIER)
    weighed = Weighed(known, Tier.IDENTIFIER, [feature], ["the identifier is this city's"], confirmed=True)
    if (km := distance(known, asked)) is not None:
        _say_distance(weighed, km)
        weighed.doubt = "latitude" if km > APART_KM else None
    if country is not None and country != known.country:
        weighed.say("country", 0, IDENTIFIER, f"but in {known.country}")
        weighed.doubt = "country"
    return weighed


def say_container(weighed: Weighed, near: bool) -> None:
    """Whether the place that it is said to be in ("Zemun (Belgrade)") is near the candidate."""
    reason = "near the place it is said to be in" if near else "what is said beside the name is not known to be near"
    weighed.say("container", float(near), CONTAINER, reason)
    if near:
        weighed.confirmed = True
        weighed.doubt = None if weighed.doubt == "subdivision" else weighed.doubt
    elif weighed.km is None:
        weighed.doubt = weighed.doubt or "name"


def distance(known: Known, asked: Asked) -> float | None:
    """Kilometres between the two, where both have coordinates."""
    if asked.latitude is None or asked.longitude is None or known.latitude is None or known.longitude is None:
        return None
    return great_circle_km(asked.latitude, asked.longitude, known.latitude, known.longitude)


def tells(subdivision: str | None) -> bool:
    """Whether a subdivision is small enough to speak for a city whose coordinates speak against it. England is
    not: it has several Newcastles."""
    return subdivision is not None and subdivision not in country_tables.PARTS.values()


def _say_distance(weighed: Weighed, km: float) -> None:
    weighed.km = km
    nearness = 1.0 if km <= SPOT_KM else max(0.0, 1 - (km - SPOT_KM) / (APART_KM - SPOT_KM))
    weighed.say("distance", nearness, DISTANCE, f"{km:.1f} km away" if km < SPOT_KM else f"{km:,.0f} km away")


def _say_subdivision(weighed: Weighed, asked: str, known: str | None) -> None:
    same = None if known is None else asked.casefold() == known.casefold() or subdivisions.agree(asked, known)
    if same is None:
        # A Gilbert of which nobody says the state is not Gilbert in Arkansas for that.
        if weighed.km is None and tells(asked):
            weighed.doubt = weighed.doubt or "subdivision"
            weighed.reasons.append(f"not known to be in {asked}")
        return
    weighed.say("subdivision", float(same), SUBDIVISION, f"in {asked}" if same else f"in {known}, not in {asked}")
    if same:
        weighed.confirmed = True
    elif weighed.against is None:
        weighed.against = "subdivision"


def _other_identifier(known: Known, asked: Asked) -> str | None:
    """The city's own value in a scheme in which the place has another one."""
    schemes = {each.partition(":")[0] for each in asked.identifiers}
    return next((each for each in known.identifiers if each.partition(":")[0] in schemes), None)
