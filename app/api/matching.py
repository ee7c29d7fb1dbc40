"""`POST /v1/match`: which cities do these places mean? It only reads, and needs no key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, aliased

from app.api import answers
from app.api.bodies import StrictRoute
from app.api.dependencies import ReadingDep
from app.api.openapi import ANSWERED, problems
from app.api.schemas import matching as schemas
from app.domain import identifiers
from app.errors import InvalidValue
from app.exchange.matching import Candidate, CountryNames, Match, Matcher, RegistryGazetteer
from app.exchange.records import Place
from app.models import Member, Partnership

router = APIRouter(tags=["matching"], route_class=StrictRoute)
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": schemas.Matches, "headers": ANSWERED},
    **problems(400, 413, 415, 422, 503),
}
Pair = tuple[int, int]


@router.post("/v1/match", responses=ANSWERS, summary="Match places to cities")
def match_places(request: Request, session: ReadingDep, body: schemas.MatchIn) -> Response:
    """For up to 1,000 places and pairs of places at once: the cities that each may mean, with scores and the evidence
    behind them, and at most one that is chosen. Several that fit are ambiguous, never the best known of them."""
    places = [*body.places, *(place for pair in body.pairs for place in pair)]
    if not 0 < len(body.places) + len(body.pairs) <= schemas.MOST_ASKED:
        raise InvalidValue(f"Give from 1 to {schemas.MOST_ASKED:,} places and pairs.", field="places")
    asked = [_place(place, field) for place, field in zip(places, _fields(body), strict=True)]
    found = Matcher(CountryNames(session), [RegistryGazetteer(session)]).match(asked)
    alone, paired = found[: len(body.places)], found[len(body.places) :]
    pairs = list(zip(paired[::2], paired[1::2], strict=True))
    known = _partnerships(session, filter(None, map(_chosen, pairs)))
    payload = {
        "places": [_match(each) for each in alone],
        "pairs": [
            {"places": [_match(each) for each in pair], "partnerships": known.get(_chosen(pair) or (0, 0), [])}
            for pair in pairs
        ],
    }
    return answers.record_answer(request, payload, revision=session.number())


def _fields(body: schemas.MatchIn) -> Iterable[str]:
    yield from (f"places/{number}" for number in range(len(body.places)))
    yield from (f"pairs/{number}/{side}" for number in range(len(body.pairs)) for side in range(2))


def _place(place: schemas.PlaceIn, field: str) -> Place:
    read = (
        identifiers.parse(text, field=f"{field}/identifiers/{number}") for number, text in enumerate(place.identifiers)
    )
    return Place(
        name=place.name, country=place.country, subdivision=place.subdivision,
        latitude=place.latitude, longitude=place.longitude,
        identifiers=tuple(f"{scheme}:{value}" for scheme, value in read), city=place.city,
    )  # fmt: skip


def _chosen(pair: Sequence[Match]) -> Pair | None:
    """The numbers of both cities, the lower first, where both are chosen."""
    numbers = sorted(match.chosen.known.number for match in pair if match.chosen is not None)
    return (numbers[0], numbers[1]) if len(numbers) == len(pair) else None


def _partnerships(session: Session, pairs: Iterable[Pair]) -> dict[Pair, list[int]]:
    """The partnerships of each pair of cities, merged ones left out."""
    asked = list(dict.fromkeys(pairs))
    one, other = aliased(Member), aliased(Member)
    statement = (
        select(one.city_id, other.city_id, one.partnership_id)
        .distinct()
        .join(other, other.partnership_id == one.partnership_id)
        .join(Partnership, Partnership.id == one.partnership_id)
        .where(tuple_(one.city_id, other.city_id).in_(asked), Partnership.merged_into_id.is_(None))
        .order_by(one.partnership_id)
    )
    found: dict[Pair, list[int]] = defaultdict(list)
    for lower, higher, number in session.execute(statement) if asked else ():
        found[lower, higher].append(number)
    return found


def _match(match: Match) -> dict[str, Any]:
    country = match.country
    return {
        "outcome": match.outcome,
        "chosen": match.chosen.known.number if match.chosen else None,
        "reason": match.reason,
        "field": match.field,
        "country": {
            "code": country.code, "subdivision": country.subdivision,
            "suggestions": list(country.suggestions), "reason": country.reason,
        },
        "candidates": [_candidate(each) for each in match.candidates],
    }  # fmt: skip


def _candidate(candidate: Candidate) -> dict[str, Any]:
    city = candidate.known
    return {
        "city": {
            "id": city.number, "name": city.name, "country": city.country, "subdivision": city.subdivision,
            "latitude": city.latitude, "longitude": city.longitude, "identifiers": list(city.identifiers),
        },
        "score": candidate.score,
        "features": [{"name": each.name, "value": each.value, "weight": each.weight} for each in candidate.features],
        "reason": candidate.reason,
    }  # fmt: skip
