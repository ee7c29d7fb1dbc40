"""Cities: add one (warned of what it looks like), mend it, delete a mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.domain.geography import bounding_box, check_coordinates, great_circle_km
from app.domain.names import NEAR
from app.errors import CityExists, InvalidValue
from app.models import City
from app.models.base import bounds
from app.models.cities import CITY_KINDS
from app.registry import fields, parts, records, resolving, settling
from app.registry.database import WritingSession
from app.registry.fields import Field

FIELDS = {
    "name": Field(fields.text(), required=True),
    "country": Field(fields.country, required=True),
    "kind": Field(fields.choice(CITY_KINDS), required=True),
    "subdivision": Field(fields.text(100)),
    "latitude": Field(fields.number(-90, 90)),
    "longitude": Field(fields.number(-180, 180)),
    "part_of": Field(fields.city, column="part_of_id"),
    "existed_from": Field(fields.fuzzy_date),
    "existed_until": Field(fields.fuzzy_date),
    "note": Field(fields.note()),
}
NEIGHBOUR_KM = 10.0
#: How far up `part of` is followed: no real city lies in more than a handful of others.
DEEPEST = 20


def add(
    session: WritingSession,
    values: Mapping[str, Any],
    *,
    names: Sequence[Mapping[str, Any]] = (),
    identifiers: Sequence[Mapping[str, Any]] = (),
    populations: Sequence[Mapping[str, Any]] = (),
    successors: Sequence[Mapping[str, Any]] = (),
    citations: Sequence[Mapping[str, Any]] = (),
    insist: bool = False,
) -> int:
    """A new city; its id. `values`: name, country, kind, subdivision, latitude, longitude, part_of,
    existed_from, existed_until, note; the rest are child rows.

    Raises CityExists, with candidates, where one of the same folded name is known in the country, or one of a
    near name within 10 km, unless `insist`, which needs a reason.
    """
    _check(values.get("latitude"), values.get("longitude"))
    city = City(
        **fields.cleaned(fields.Context(session), FIELDS, values, computed=records.computed(City), partial=False)
    )
    _check_whole(session, city)
    _refuse_double(session, city, insist=insist)
    session.add(city)
    session.flush()
    rows = {
        "names": names, "identifiers": identifiers, "populations": populations,
        "successors": successors, "citations": citations,
    }  # fmt: skip
    parts.add_all(session, "cities", city.id, rows)
    return city.id


def amend(session: WritingSession, key: int | str, values: Mapping[str, Any], *, revision: int | None = None) -> int:
    """Change own fields of a city; its id."""
    city = records.fetch(session, City, key, revision=revision)
    _check(values.get("latitude"), values.get("longitude"))
    with session.no_autoflush:
        records.amend(session, city, FIELDS, values)
        _check_whole(session, city)
    session.flush()
    if "country" in values:
        settling.follow_country(session, city.id)
    return city.id


def delete(session: WritingSession, key: int | str, *, revision: int | None = None) -> None:
    """Remove a city that was entered by mistake; refused while anything hangs on it."""
    records.delete(session, records.fetch(session, City, key, revision=revision))


def _check(latitude: Any, longitude: Any) -> None:
    # Said before the single values are looked at, so that two swapped ones are recognised as such.
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        check_coordinates(latitude, longitude)


def _check_whole(session: WritingSession, city: City) -> None:
    check_coordinates(city.latitude, city.longitude)
    if bounds(city.existed_until)[1] < bounds(city.existed_from)[0]:
        raise InvalidValue("The city would have ended before it began.", field="existed_until")
    if inside_itself(session, city):
        raise InvalidValue("A city cannot be part of itself, or of a part of its own.", field="part_of")


def inside_itself(session: Session, city: City) -> bool:
    """Whether the way up through `part of` leads back to the city."""
    above, steps = city.part_of_id, 0
    while above is not None and steps < DEEPEST:
        if above == city.id:
            return True
        above = session.execute(select(City.part_of_id).where(City.id == above)).scalar_one()
        steps += 1
    return False


def _refuse_double(session: WritingSession, city: City, *, insist: bool) -> None:
    candidates = lookalikes(session, city.name, country=city.country, place=(city.latitude, city.longitude))
    if candidates and not insist:
        raise CityExists(
            "A city like this one is known already. If this is another, insist with a reason.",
            candidates=candidates,
        )
    if candidates and not session.reason:
        raise InvalidValue("Insisting needs a reason.", field="reason")


def lookalikes(
    session: Session, name: str, *, country: str, place: tuple[float | None, float | None]
) -> list[dict[str, Any]]:
    """Cities that this may be: of the same folded name in the country, or of a near name within 10 km; each
    with its score (0–1) and reason, best first."""
    same = [
        found | {"score": 1.0, "reason": "same name in this country"}
        for found in resolving.named(session, name, country=country)
    ]
    known = {found["id"] for found in same}
    latitude, longitude = place
    if latitude is None or longitude is None:
        return same
    near = [found for found in _neighbours(session, latitude, longitude) if found["id"] not in known]
    ranked = resolving.ranked(name, near, least=NEAR)
    return same + [found | {"reason": f"near name within {NEIGHBOUR_KM:g} km"} for found in ranked]


def _neighbours(session: Session, latitude: float, longitude: float) -> list[dict[str, Any]]:
    boxes = bounding_box(latitude, longitude, NEIGHBOUR_KM)
    inside = or_(
        *(
            and_(City.latitude.between(box.south, box.north), City.longitude.between(box.west, box.east))
            for box in boxes
        )
    )
    statement = select(*resolving.BRIEF, City.latitude, City.longitude).where(inside, City.merged_into_id.is_(None))
    return [
        resolving.brief(row)
        for row in session.execute(statement)
        if great_circle_km(latitude, longitude, row.latitude, row.longitude) <= NEIGHBOUR_KM
    ]
