"""Where cities lie: what coordinates are possible, how far apart two places are, what to look for around one.

Coordinates are decimal degrees, latitude first, north and east positive; distances are kilometres on a
sphere.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import asin, atan2, cos, degrees, hypot, radians, sin
from typing import NamedTuple

from app.errors import InvalidValue

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth (IUGG)."""

_POLE = 90.0
_ANTIMERIDIAN = 180.0

# Rounding must not lose a place on the very edge of a box; 0.1 m more costs nothing.
_MARGIN = 1e-6


class Box(NamedTuple):
    """Degrees, `south <= north` and `west <= east`, edges included."""

    south: float
    north: float
    west: float
    east: float


@lru_cache(maxsize=65_536)
def great_circle_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Kilometres along the surface of a sphere of mean Earth radius between two places in degrees. Symmetric.

    The haversine and its complement, each a sum of squares: exact for neighbours and for antipodes alike.
    """
    north_half, east_half = radians(lat1 - lat2) / 2, radians(lon1 - lon2) / 2
    mean = radians(lat1 + lat2) / 2
    sine = hypot(sin(north_half) * cos(east_half), cos(mean) * sin(east_half))
    cosine = hypot(cos(north_half) * cos(east_half), sin(mean) * sin(east_half))
    return 2 * EARTH_RADIUS_KM * atan2(sine, cosine)


def bounding_box(lat: float, lon: float, km: float) -> list[Box]:
    """One or two boxes (two across the antimeridian) that hold every place within `km` of the given one.

    They hold others too: a first sieve for an index, with `great_circle_km` after it. Round a pole a box has
    all longitudes.
    """
    reach = degrees(km / EARTH_RADIUS_KM) + _MARGIN
    south, north = max(lat - reach, -_POLE), min(lat + reach, _POLE)
    if south == -_POLE or north == _POLE:
        return [Box(south, north, -_ANTIMERIDIAN, _ANTIMERIDIAN)]
    # The circle is widest not at its centre's latitude but nearer to the pole, hence the arcsine. Close to
    # a pole rounding may carry its argument past 1.
    aside = degrees(asin(min(1.0, sin(radians(reach)) / cos(radians(lat))))) + _MARGIN
    return _split(Box(south, north, lon - aside, lon + aside))


def _split(box: Box) -> list[Box]:
    south, north, west, east = box
    if west < -_ANTIMERIDIAN:
        west, east = west + 360, east + 360
    if east <= _ANTIMERIDIAN:
        return [Box(south, north, west, east)]
    return [Box(south, north, west, _ANTIMERIDIAN), Box(south, north, -_ANTIMERIDIAN, east - 360)]


def check_coordinates(latitude: float | None, longitude: float | None) -> None:
    """Raise InvalidValue for coordinates that cannot be, with the field `latitude` or `longitude`.

    Both may be None, but not one of them.
    """
    if latitude is None and longitude is None:
        return
    if latitude is None:
        raise InvalidValue("A longitude needs a latitude beside it: give both or neither.", field="latitude")
    if longitude is None:
        raise InvalidValue("A latitude needs a longitude beside it: give both or neither.", field="longitude")
    if not _within(latitude, _POLE):
        swapped = " Are latitude and longitude swapped?" if _could_be_swapped(latitude, longitude) else ""
        raise InvalidValue(f"A latitude lies between -90 and 90 degrees.{swapped}", field="latitude")
    if not _within(longitude, _ANTIMERIDIAN):
        raise InvalidValue("A longitude lies between -180 and 180 degrees.", field="longitude")


def _within(angle: float, limit: float) -> bool:
    return -limit <= angle <= limit  # false for NaN too


def _could_be_swapped(latitude: float, longitude: float) -> bool:
    return _within(latitude, _ANTIMERIDIAN) and _within(longitude, _POLE)


# ── Coordinates as people write them ──

_DECIMAL = re.compile(r"([+-]?[0-9]{1,4}(?:[.,][0-9]*)?(?:[eE][+-]?[0-9]{1,3})?)\s*°?\s*")
_SEXAGESIMAL = re.compile(
    r"([+-]?[0-9]{1,3})\s*[°ºd]\s*(?:([0-9]{1,2}(?:[.,][0-9]+)?)\s*['′’m]\s*)?"
    r"(?:([0-9]{1,2}(?:[.,][0-9]+)?)\s*(?:[\"″”s]|''|′′)\s*)?"
)
_QUARTER = re.compile(r"([NSEWO])\s*(.*[^NSEWO\s])|(.*[^NSEWO\s])\s*([NSEWO])", re.IGNORECASE | re.DOTALL)
_POINT = re.compile(
    r"(?:<(?P<globe>[^>]*)>\s*)?Point\s*\(\s*(?P<east>[-+0-9.eE]+)\s+(?P<north>[-+0-9.eE]+)\s*\)", re.IGNORECASE
)
_EARTH = re.compile(r"https?://www\.wikidata\.org/entity/Q2")
_BETWEEN = re.compile(r"\s*;\s*|\s*,\s+|(?<=[NSns])[\s,]+|\s+(?=[+-]?[0-9.,]+°?\Z)")
_MINUSES = str.maketrans({"−": "-", "–": "-", "‐": "-"})
# O is west in the Romance languages and east in German, so it says nothing.
_SIGNS = {"N": 1, "S": -1, "E": 1, "W": -1}
_SIXTY = 60


class Degrees(NamedTuple):
    """An angle, and what a letter beside it says it is: `lat`, `lng` or nothing (empty)."""

    value: float
    axis: str


class Position(NamedTuple):
    """Where something lies, and what was mended to know it (None: nothing)."""

    latitude: float
    longitude: float
    remark: str | None = None


SWAPPED = "Latitude and longitude were swapped, and have been taken the other way round."


def read_degrees(text: str, *, field: str) -> Degrees:
    """An angle: `48.8566`, `48,8566`, `-2.35`, `48°51′24″N`, `W 2.35`. Raises InvalidValue with `field`."""
    plain = text.translate(_MINUSES).strip()
    letter = ""
    if found := _QUARTER.fullmatch(plain):
        letter = (found[1] or found[4]).upper()
        plain = (found[2] or found[3]).strip()
    value = _angle(plain)
    if value is None or (letter and letter not in _SIGNS) or (letter and value < 0):
        raise InvalidValue("This is no angle: write decimal degrees, such as 48.8566 or -2.35.", field=field)
    return Degrees(value * _SIGNS.get(letter, 1), _axis(letter))


def _axis(letter: str) -> str:
    if not letter:
        return ""
    return "lat" if letter in "NS" else "lng"


def _angle(text: str) -> float | None:
    if found := _DECIMAL.fullmatch(text):
        return float(found[1].replace(",", "."))
    found = _SEXAGESIMAL.fullmatch(text)
    if found is None:
        return None
    whole, minutes, seconds = (float((part or "0").replace(",", ".")) for part in found.groups())
    if minutes >= _SIXTY or seconds >= _SIXTY:
        return None
    size = abs(whole) + minutes / _SIXTY + seconds / _SIXTY**2
    return round(-size if found[1].startswith("-") else size, 6)


def read_position(
    latitude: str, longitude: str, *, fields: tuple[str, str] = ("latitude", "longitude")
) -> Position | None:
    """The position that two texts name; None where both are blank. Swapped ones are recognised, by their letters or
    where the one cannot be a latitude and the other can, and taken the right way round, with a remark.

    Raises InvalidValue with one of the two `fields`.
    """
    if not latitude and not longitude:
        return None
    for text, field, other in ((latitude, fields[0], fields[1]), (longitude, fields[1], fields[0])):
        if not text:
            raise InvalidValue(f"This is empty, but {other} is not: give both or neither.", field=field)
    north, east = read_degrees(latitude, field=fields[0]), read_degrees(longitude, field=fields[1])
    return _position(north, east, fields)


def read_point(text: str, *, field: str) -> Position | None:
    """The position in one text: `Point(2.35 48.86)` as Wikidata has it, longitude first, or `48.86, 2.35`,
    `48,86; 2,35`, `48°51′N 2°21′E`. None where it is blank. Raises InvalidValue with `field`."""
    text = text.strip()
    if not text:
        return None
    if found := _POINT.fullmatch(text):
        if found["globe"] and not _EARTH.fullmatch(found["globe"]):
            raise InvalidValue("This place is not on Earth: the point names another globe.", field=field)
        return read_position(found["north"], found["east"], fields=(field, field))
    halves = _BETWEEN.split(text) if ";" in text or ", " in text else _halves(text)
    if len(halves) != len(Position._fields) - 1:
        raise InvalidValue("This is no pair of coordinates: write latitude and longitude, as 48.86, 2.35.", field=field)
    return read_position(halves[0], halves[1], fields=(field, field))


def _halves(text: str) -> list[str]:
    return text.split(",") if text.count(",") == 1 else [half for half in _BETWEEN.split(text) if half]


def _position(north: Degrees, east: Degrees, fields: tuple[str, str]) -> Position:
    named_swapped = north.axis == "lng" or east.axis == "lat"
    if named_swapped and "" not in (north.axis, east.axis) and north.axis == east.axis:
        raise InvalidValue("Both angles are of the same kind: one must be a latitude.", field=fields[0])
    impossible = not _within(north.value, _POLE) and not north.axis
    if named_swapped or (impossible and _could_be_swapped(north.value, east.value)):
        north, east, remark = east, north, SWAPPED
    else:
        remark = None
    try:
        check_coordinates(north.value, east.value)
    except InvalidValue as error:
        error.field = fields[error.field == "longitude"]
        raise
    return Position(north.value, east.value, remark)
