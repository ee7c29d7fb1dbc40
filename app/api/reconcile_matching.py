"""Reconciliation queries as questions to the matcher, and its matches as candidates.

A query says a name, often no more. Without its country (or an identifier, or coordinates) the matcher takes no
city, so we ask it once for each country that has a city of this name, and show what it finds: never as a match.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from app.api.reconcile_entities import (
    CITY,
    COUNTRY,
    Entity,
    cities_of,
    countries_of,
    countries_with,
    find,
    names_from,
    type_of,
)
from app.api.reconcile_queries import Question, understood
from app.api.schemas.reconcile import ReconciliationQuery
from app.domain.names import fold, similarity
from app.exchange.matching import Candidate, CountryNames, CountryRead, Matcher, RegistryGazetteer
from app.exchange.records import Place

#: A name alone is weaker than a name with its country.
WITHOUT_COUNTRY = 0.8
#: In how many countries a name alone is looked for; and how near a name must be that is not the same.
MOST_COUNTRIES = 20
NEAR_COUNTRIES = 3
NEAR = 0.85
#: Names are compared that begin alike and are no longer than this: what is longer is no slip of a name.
BEGINNING, LONGEST_NEAR = 3, 100
#: The most that a country scores which was only suggested.
SUGGESTED = 0.9
LONGEST_CODE = 3
NOTHING_READ = CountryRead(code=None)


def answer(session: Session, batch: Mapping[str, ReconciliationQuery]) -> dict[str, Any]:
    """The candidates of each query of a batch, best first."""
    names = CountryNames(session)
    questions = {key: understood(query, names) for key, query in batch.items()}
    _find(session, names, [asked for asked in questions.values() if CITY in asked.types])
    shown = Shown(
        names=names,
        cities=cities_of(session, {number for asked in questions.values() for number in asked.scores}),
        countries=countries_of(session) if any(COUNTRY in asked.types for asked in questions.values()) else {},
        exact=find(session, {asked.text for asked in questions.values()}),
    )
    return {key: {"result": shown.candidates(asked)} for key, asked in questions.items()}


# ── Finding ──


def _find(session: Session, names: CountryNames, questions: Sequence[Question]) -> None:
    """Ask the matcher: first for the places that are told, then, country by country, for those of which only the
    name is known or left."""
    matcher = Matcher(names, [RegistryGazetteer(session)])
    named = [asked for asked in questions if asked.alone]
    told = [asked for asked in questions if not asked.alone]
    for asked, match in zip(told, matcher.match([asked.place for asked in told]), strict=True):
        asked.take(match, certain=True)
        if match.outcome == "refused" and not match.candidates:
            asked.forget_where()
            named.append(asked)
    spread = _spread(session, named)
    for (asked, place), match in zip(spread, matcher.match([place for _, place in spread]), strict=True):
        # The country was ours and not theirs: only coordinates that were compared make it more than a namesake.
        where = place.latitude is not None and match.chosen is not None and match.chosen.known.latitude is not None
        asked.take(match, factor=1.0 if where else WITHOUT_COUNTRY, certain=where)


def _spread(session: Session, questions: Sequence[Question]) -> list[tuple[Question, Place]]:
    """Each question with a place in each country that has a city of its name, or else of a near one."""
    exact = countries_with(session, {fold(name) for asked in questions for name, _ in _spellings(asked.place)} - {""})
    unheard = [key for asked in questions if (key := fold(asked.place.name)) not in exact]
    known = {**_near(session, unheard), **{key: sorted(found)[:MOST_COUNTRIES] for key, found in exact.items()}}
    return [
        (asked, replace(asked.place, name=name, subdivision=asked.place.subdivision or part, country=country))
        for asked in questions
        for name, part in _spellings(asked.place)
        for country in known.get(fold(name), ())
    ]


def _spellings(place: Place) -> list[tuple[str, str]]:
    """(name, subdivision): the name as it is, and what stands before a comma, as a city in what stands after it."""
    head, _, tail = (part.strip() for part in place.name.partition(","))
    return [(place.name, "")] + ([(head, tail)] if head and tail else [])


def _near(session: Session, keys: Sequence[str]) -> dict[str, list[str]]:
    """Folded name → the few countries that have the names nearest to it."""
    keys = [key for key in keys if BEGINNING < len(key) <= LONGEST_NEAR]
    beginnings = {key[:BEGINNING] for key in keys}
    begun: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, country in names_from(session, beginnings):
        begun[name[:BEGINNING]].append((name, country))
    found = {}
    for key in keys:
        scored = [(similarity(key, name), country) for name, country in begun.get(key[:BEGINNING], ())]
        good = sorted((each for each in scored if each[0] >= NEAR), reverse=True)
        found[key] = list(dict.fromkeys(country for _, country in good))[:NEAR_COUNTRIES]
    return found


# ── Showing ──


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the candidates of a batch are shown with. `exact`: text → the entity whose id it is."""

    names: CountryNames
    cities: Mapping[int, Entity]
    countries: Mapping[str, Entity]
    exact: Mapping[str, Entity]

    def candidates(self, asked: Question) -> list[dict[str, Any]]:
        """The candidates of a query, what is certain first, then by score."""
        found = self._cities_of(asked)
        if COUNTRY in asked.types and (asked.alone or CITY not in asked.types):
            # Where cities are looked for too, a code may be anything: a slip, or a short name (Au, Ii).
            certain = not found and (CITY not in asked.types or len(asked.text) > LONGEST_CODE)
            found += self._countries_of(asked.text, certain=certain, alone=not found)
        found.sort(key=lambda each: (not each["match"], -each["score"], each["id"]))
        return found[: asked.limit]

    def _cities_of(self, asked: Question) -> list[dict[str, Any]]:
        found = {
            number: _candidate(self.cities[number], score, _features(candidate), match=asked.chosen == {number})
            for number, (score, candidate) in asked.scores.items()
            if number in self.cities
        }
        meant = self.exact.get(asked.text)
        if meant is not None and meant.type == CITY and CITY in asked.types:
            # A bare number may be anything: what has this id is shown first, and taken only by the matcher.
            known = found.get(int(meant.id))
            found[int(meant.id)] = known or _candidate(meant, 100.0, [{"id": "id", "value": 1.0}])
        return list(found.values())

    def _countries_of(self, text: str, *, certain: bool, alone: bool) -> list[dict[str, Any]]:
        """The country that the text means, or a part of which it does. `alone`: no city is a candidate, so that
        countries are shown, too, that it may have meant."""
        read = self.names.read(text) if text else NOTHING_READ
        taken = self.countries.get(read.code or "")
        if taken is not None and read.subdivision is None:
            return [_candidate(taken, 100.0, [{"id": "name", "value": 1.0}], match=certain)]
        meant = ([] if taken is None else [taken.id]) + (list(read.suggestions) if alone else [])
        return [_like(text, self.countries[code]) for code in meant if code in self.countries]


def _like(text: str, country: Entity) -> dict[str, Any]:
    likeness = round(min(similarity(text, country.name), SUGGESTED), 4)
    return _candidate(country, round(100 * likeness, 2), [{"id": "name", "value": likeness}])


def _features(candidate: Candidate) -> list[dict[str, Any]]:
    named = {feature.name: feature.value for feature in candidate.features}
    return [{"id": name, "value": round(float(value), 4)} for name, value in named.items()]


def _candidate(entity: Entity, score: float, features: list[dict[str, Any]], *, match: bool = False) -> dict[str, Any]:
    return {
        "id": entity.id, "name": entity.name, "description": entity.description, "type": [type_of(entity.type)],
        "score": score, "features": features, "match": match,
    }  # fmt: skip
