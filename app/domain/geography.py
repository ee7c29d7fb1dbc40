"""Where cities lie: what coordinates are possible, how far apart two places are, what to look for around one.

Coordinates are decimal degrees, latitude first, north and east positive; distances are kilometres on a
sphere.
"""

from __future__ import annotations

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
