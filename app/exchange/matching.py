"""Which city does this place mean? By identifier, own name, other name, near name, in this order, each time
checked against everything else that is said; several that fit are ambiguous, whichever is better known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import OSA

from app.domain.geography import check_coordinates
from app.errors import InvalidValue
from app.exchange import country_tables, evidence, name_forms, subdivisions
from app.exchange.country_names import CountryNames, CountryRead
from app.exchange.evidence import SAME_KM, SPOT_KM, Asked, Candidate, Feature, Tier, Weighed
from app.exchange.gazetteers import OWN, Gazetteer, Known, MemoryGazetteer, RegistryGazetteer
from app.exchange.records import Place
from app.exchange.slips import is_slip, is_spelling

__all__ = [
    "Candidate", "CountryNames", "CountryRead", "Feature", "Gazetteer", "Known", "Match", "Matcher", "MemoryGazetteer",
    "Outcome", "RegistryGazetteer",
]  # fmt: skip

Outcome = Literal["chosen", "ambiguous", "unknown", "refused"]
CANDIDATES = 10
#: How alike a name must be to be listed, and, where there are no coordinates, to be asked about.
LISTED, PERHAPS = 0.8, 0.9
#: Two of one name close by: the nearer is meant if the other is so many times further off, and no neighbour.
CLEARLY_NEARER, NEIGHBOUR_KM = 3.0, 5.0
Named = Mapping[tuple[str, str], Sequence[Known]]


@dataclass(frozen=True, slots=True)
class Match:
    """What a place means. `chosen`: the one city that it is, or none; `candidates`: best first, at most ten;
    `outcome`: chosen; ambiguous (several fit, or the evidence disagrees); unknown (the country is known, no city
    fits: it may be created); refused (no country, impossible coordinates …). `reason` in words; `field`: what of
    the place the reason is about (`name`, `country`, `latitude`, `identifiers` …). `code`, `subdivision` and
    `name`: where and how the city is to be recorded if it is created ("Suzhou, Jiangsu" in China: Suzhou in CN-JS)."""

    chosen: Candidate | None
    candidates: tuple[Candidate, ...]
    country: CountryRead
    outcome: Outcome
    reason: str
    field: str
    code: str | None = None
    subdivision: str | None = None
    name: str = ""


@dataclass(slots=True)
class _Question:
    """A place, read. `forms`: spellings of its name, folded; `beside`: of what is said beside it; `bare_forms`: of
    the name without that, where it is no subdivision."""

    place: Place
    country: CountryRead
    code: str | None
    name: str
    asked: Asked
    forms: tuple[str, ...] = ()
    bare_forms: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def wanted(self) -> Iterable[tuple[str, str]]:
        if self.code is not None:
            for key in (*self.forms, *self.bare_forms, *self.beside):
                yield self.code, key
            yield from self.abroad()

    def abroad(self) -> Iterable[tuple[str, str]]:
        """The name in countries that people write with this one: Isle of Man, United Kingdom."""
        codes = country_tables.DEPENDENT.get(self.code or "", ()) if self.asked.subdivision is None else ()
        return [(code, key) for code in codes for key in self.forms]


class Matcher:
    """Finds the city that each place means among those of some gazetteers."""

    def __init__(self, names: CountryNames, gazetteers: Sequence[Gazetteer]) -> None:
        self._names = names
        self._gazetteers = gazetteers

    def match(self, places: Sequence[Place]) -> list[Match]:
        """The match of each place, in their order. Ask for many at once: it is one question per table then."""
        questions = [self._question(place) for place in places]
        identified = self._by_identifier({each for place in places for each in _identifiers(place)})
        named = self._by_key({key for question in questions for key in question.wanted()})
        return [self._judged(question, identified, named) for question in questions]

    # ── Reading ──

    def _question(self, place: Place) -> _Question:
        country, name = self._names.read(place.country), place.name.strip()
        code, part = country.code, country.subdivision
        question = _Question(place, country, code, name, Asked())
        if code is None:
            question.asked = Asked(place.latitude, place.longitude, None, place.identifiers)
            return question
        if part is None and (own := self._names.dependent(place.subdivision, of=code)):
            question.code, code, part = own, own, None
        elif place.subdivision:
            part = subdivisions.read(code, place.subdivision) or place.subdivision.strip()
        if (found := name_forms.beside(name)) is not None:
            said = subdivisions.read(code, found.said)
            question.beside = name_forms.variants(found.said)
            own = self._names.dependent(found.said, of=code) if part is None else None
            if own is not None:
                question.code, question.name = own, found.name
            elif said is not None or self._names.read(found.said).code == code:
                question.name = found.name
                part = part if said is None or place.subdivision else said
            else:
                question.bare_forms = name_forms.variants(found.name)
        own = country_tables.OWN_ENTRIES.get(part) if part else None
        if own is not None and own in self._names.names:
            question.code, part = own, None
        question.asked = Asked(place.latitude, place.longitude, part, place.identifiers)
        question.forms = name_forms.variants(question.name)
        if question.name != name:
            question.forms = (*question.forms, *name_forms.variants(name)[:1])
        return question

    # ── Asking ──

    def _by_identifier(self, wanted: set[str]) -> Mapping[str, Sequence[Known]]:
        found: dict[str, list[Known]] = defaultdict(list)
        for gazetteer in self._gazetteers if wanted else ():
            for identifier, city in gazetteer.by_identifier(wanted).items():
                found[identifier].append(city)
        return found

    def _by_key(self, wanted: set[tuple[str, str]]) -> Named:
        found: dict[tuple[str, str], list[Known]] = {}
        for gazetteer in self._gazetteers if wanted else ():
            for asked, cities in gazetteer.by_key(wanted).items():
                found.setdefault(asked, []).extend(cities)
        return found

    # ── Judging ──

    def _judged(self, question: _Question, identified: Mapping[str, Sequence[Known]], named: Named) -> Match:
        place = question.place
        if (fault := _fault(place)) is not None:
            return _match(question, "refused", *fault)
        cities = [city for each in _identifiers(place) for city in identified.get(each, ())]
        if cities:
            return _of_identified(question, _distinct(cities))
        if place.city is not None:
            return _match(question, "refused", "city", "No city has this number.")
        if question.code is None:
            return _match(question, "refused", "country", question.country.reason)
        if not question.forms:
            return _match(question, "refused", "name", "No city is named.")
        weighed = _of_name(question, named)
        if all(each.against is not None for each in weighed):
            seen = {each.known.number for each in weighed}
            weighed += [near for near in self._near(question, question.code) if near.known.number not in seen]
        if len(weighed) > 1:
            weighed.sort(key=lambda each: each.order)
        match = _decided(question, weighed)
        return (_written_with(question, named, weighed) if match.outcome == "unknown" else None) or match

    def _near(self, question: _Question, code: str) -> list[Weighed]:
        """Cities with a name near this one: round the coordinates, or, without any, in the whole country."""
        asked, key = question.asked, question.forms[0]
        if asked.latitude is None or asked.longitude is None:
            cities = [city for each in self._gazetteers for city in each.spelled_like(code, key)]
        else:
            around = (code, asked.latitude, asked.longitude, SAME_KM, key)
            cities = [city for each in self._gazetteers for city in each.nearby(*around)]
        found = (_near_one(city, asked, key) for city in _distinct(cities))
        return [weighed for weighed in found if weighed is not None]


def _identifiers(place: Place) -> tuple[str, ...]:
    return (f"{OWN}:{place.city}",) if place.city is not None else place.identifiers


def _distinct(cities: Iterable[Known]) -> list[Known]:
    return list({city.number: city for city in cities}.values())


def _fault(place: Place) -> tuple[str, str] | None:
    if place.latitude is None and place.longitude is None:
        return None
    try:
        check_coordinates(place.latitude, place.longitude)
    except InvalidValue as error:
        return error.field or "latitude", error.message
    return None


# ── Candidates ──


def _of_name(question: _Question, named: Named) -> list[Weighed]:
    """All cities of the country that have the name, in any form, each as it fits best."""
    found = _having(question, question.forms, named)
    bare = not found
    if bare:
        found = _having(question, question.bare_forms, named)
    for weighed in found if question.beside else ():
        near = _contained(question, weighed.known, named)
        # Berlin is a state and a city: what is near the city may well be in the state.
        if bare or (near and weighed.doubt == "subdivision"):
            evidence.say_container(weighed, near=near)
    return found


def _having(question: _Question, forms: tuple[str, ...], named: Named) -> list[Weighed]:
    assert question.code is not None
    found: dict[int, tuple[Tier, float, Known]] = {}
    for place, key in enumerate(forms):
        for city in named.get((question.code, key), ()):
            tier = _tier(city, key)
            alike = evidence.OTHER_NAME if tier is Tier.OTHER_NAME else evidence.OTHER_SPELLING if place else 1.0
            if city.number not in found or found[city.number][0] > tier:
                found[city.number] = (tier, alike, city)
    return [
        evidence.weigh(city, question.asked, tier=tier, alike=alike, how=_FOUND_BY[tier])
        for tier, alike, city in found.values()
    ]


_FOUND_BY = {
    Tier.OWN_NAME: "same name in this country",
    Tier.OWN_NAME_SHORT: "same name in this country, but for what stands in brackets",
    Tier.OTHER_NAME: "one of its other names in this country",
}


def _tier(city: Known, key: str) -> Tier:
    if key == city.keys[0]:
        return Tier.OWN_NAME
    return Tier.OWN_NAME_SHORT if key == name_forms.without_brackets(city.name) else Tier.OTHER_NAME


def _contained(question: _Question, city: Known, named: Named) -> bool:
    """Whether another city that has the name said beside it is near."""
    holders = [holder for key in question.beside for holder in named.get((question.code or "", key), ())]
    here = Asked(city.latitude, city.longitude)
    away = [evidence.distance(holder, here) for holder in holders if holder.number != city.number]
    return any(km is not None and km <= SAME_KM for km in away)


def _near_one(city: Known, asked: Asked, key: str) -> Weighed | None:
    """A city whose name is near; None where it is not worth a line. What fits: a plain slip of the pen; on the very
    spot, another spelling. Homburg is no misspelt Hamburg: in the whole country that is not taken, only asked."""
    # Nearly all neighbours go here: with another first letter only one slip makes the names the same.
    if not any(key[:1] == other[:1] or OSA.distance(key, other, score_cutoff=1) <= 1 for other in city.keys):
        return None
    alike = max((OSA.normalized_similarity(key, other) for other in city.keys), default=0.0)
    slip = any(is_slip(key, other) for other in city.keys)
    if not slip and (alike < LISTED or not any(is_spelling(key, other) for other in city.keys)):
        return None
    weighed = evidence.weigh(city, asked, tier=Tier.NEAR_NAME, alike=alike, how="a near name in this country")
    if slip or (weighed.km is not None and weighed.km <= SPOT_KM):
        return weighed
    if weighed.km is None and alike >= PERHAPS:
        weighed.doubt = weighed.doubt or "name"
    else:
        weighed.against = weighed.against or "name"
    return weighed


# ── Decisions ──

_WORDS = {"latitude": "coordinates", "country": "country"}


def _of_identified(question: _Question, cities: list[Known]) -> Match:
    weighed = [evidence.identified(city, question.asked, country=question.code) for city in cities]
    if len(weighed) > 1:
        return _match(question, "ambiguous", "identifiers", "The identifiers are those of several cities.", weighed)
    if (doubt := weighed[0].doubt) is not None:
        reason = f"The identifier and the {_WORDS[doubt]} disagree: {_because(weighed[0])}."
        return _match(question, "ambiguous", doubt, reason, weighed)
    return _match(question, "chosen", "identifiers", _because(weighed[0]), weighed)


def _decided(question: _Question, weighed: list[Weighed]) -> Match:
    fitting = [each for each in weighed if each.against is None]
    if not fitting:
        return _of_none(question, weighed)
    best = _best(fitting) if len(fitting) > 1 else fitting
    if len(best) > 1:
        return _match(question, "ambiguous", "name", f"{len(best)} cities fit: say which is meant.", weighed)
    (one,) = best
    if one.doubt is not None:
        return _match(question, "ambiguous", one.doubt, f"Perhaps {one.known.name}: {_because(one)}.", weighed)
    others = [each for each in weighed if each is not one]
    return _match(question, "chosen", "name", _because(one), [one, *others])


def _written_with(question: _Question, named: Named, weighed: list[Weighed]) -> Match | None:
    """Ambiguous, where a city of the name, not far away, is in a country that is written with this one."""
    found = {city.number: (key, city) for code, key in question.abroad() for city in named.get((code, key), ())}
    asked = question.asked
    others = [
        evidence.weigh(city, asked, tier=_tier(city, key), alike=1.0, how=f"same name, but in {city.country}")
        for key, city in found.values()
    ]
    others = sorted((each for each in others if each.against is None), key=lambda each: each.order)
    if not others:
        return None
    one = others[0].known
    reason = (
        f"No such city is known in {question.code}, but {one.name} in {one.country}, which is often written so:"
        f" give {one.country} as the country if it is meant."
    )
    return _match(question, "ambiguous", "country", reason, [*others, *weighed])


def _best(fitting: list[Weighed]) -> list[Weighed]:
    """Those found in the best way; among them what is confirmed goes before what nothing speaks for. Where only a
    city found in a lesser way is confirmed, both are meant, perhaps."""
    sure = [each for each in fitting if each.doubt is None]
    if any(each.confirmed for each in sure):
        fitting = sure
    best = [each for each in fitting if each.tier in _equals(min(each.tier for each in fitting))]
    confirmed = [each for each in best if each.confirmed]
    if confirmed:
        return _nearest(confirmed)
    return best + [each for each in fitting if each not in best and each.confirmed]


def _equals(tier: Tier) -> tuple[Tier, ...]:
    """A name without its brackets is as good as the next better, and as the next worse: Halle is Halle (Westfalen)
    or Halle (Saale), Frankfurt is Frankfurt (Oder) or Frankfurt am Main."""
    if tier is Tier.OWN_NAME:
        return Tier.OWN_NAME, Tier.OWN_NAME_SHORT
    return (Tier.OWN_NAME_SHORT, Tier.OTHER_NAME) if tier is Tier.OWN_NAME_SHORT else (tier,)


def _nearest(best: list[Weighed]) -> list[Weighed]:
    """The nearest alone, where it is clearly nearer than the next."""
    away = sorted((each.km, place) for place, each in enumerate(best) if each.km is not None)
    if len(best) == 1 or len(away) < len(best):
        return best
    (first, nearest), (second, _) = away[:2]
    return [best[nearest]] if second > NEIGHBOUR_KM and second > CLEARLY_NEARER * first else best


def _of_none(question: _Question, weighed: list[Weighed]) -> Match:
    for each in weighed:
        if each.tier == Tier.NEAR_NAME:
            continue
        if _swapped(question.asked, each.known):
            there = f"the other way round they are those of {each.known.name}"
            reason = f"Latitude and longitude look swapped: {there}. Swap them."
            return _match(question, "refused", "latitude", reason, weighed)
        if _disagrees(question, each):
            reason = f"The evidence on {each.known.name} disagrees: {_because(each)}."
            return _match(question, "ambiguous", each.against or "name", reason, weighed)
    if weighed:
        reason = f"No city of this name fits. The nearest, {weighed[0].known.name}: {_because(weighed[0])}."
        return _match(question, "unknown", "name", reason, weighed)
    return _match(question, "unknown", "name", "No city of this name is known in this country.")


def _disagrees(question: _Question, weighed: Weighed) -> bool:
    """One of coordinates and subdivision speaks for the city, the other against it."""
    if weighed.against == "subdivision":
        return weighed.km is not None and weighed.km <= SAME_KM
    return weighed.confirmed and evidence.tells(question.asked.subdivision)


def _swapped(asked: Asked, known: Known) -> bool:
    if asked.latitude is None or asked.longitude is None or abs(asked.longitude) > 90:  # noqa: PLR2004
        return False
    km = evidence.distance(known, Asked(asked.longitude, asked.latitude))
    return km is not None and km <= SAME_KM


def _because(weighed: Weighed) -> str:
    return "; ".join(weighed.reasons)


def _match(question: _Question, outcome: Outcome, field: str, reason: str, weighed: Sequence[Weighed] = ()) -> Match:
    candidates = tuple(each.candidate for each in weighed[:CANDIDATES])
    return Match(
        chosen=candidates[0] if outcome == "chosen" else None,
        candidates=candidates,
        country=question.country,
        outcome=outcome,
        reason=reason,
        field=field,
        code=question.code,
        subdivision=question.asked.subdivision,
        name=question.name,
    )
