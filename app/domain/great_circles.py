"""The shortest way between two places over the globe, as a map draws it: cut where it crosses the antimeridian.

Positions are (longitude, latitude) in degrees, in the order of GeoJSON. The way is that on a sphere.
"""

from __future__ import annotations

from itertools import pairwise
from math import asin, atan2, ceil, cos, degrees, hypot, radians, sin

from app.domain.geography import EARTH_RADIUS_KM, great_circle_km

Position = tuple[float, float]
Vector = tuple[float, float, float]

#: Between two positions of a way there are at most so many kilometres: straight lines then look like the arc.
STEP_KM = 250.0
#: Decimals of computed positions: 1 m, far less than a map shows, and the same on every machine.
DECIMALS = 5
_EDGE = 180.0
_HALF_ROUND_KM = EARTH_RADIUS_KM * 3.1415
"""Nearly half round the globe: every way is the shortest there, so one over the north pole is taken."""


def path(lat1: float, lon1: float, lat2: float, lon2: float) -> list[list[Position]]:
    """The way from one place to the other, in pieces of two or more positions of which none crosses the
    antimeridian (RFC 7946, 3.1.9). The ends are the places as they were given."""
    steps = _steps(lat1, lon1, lat2, lon2)
    pieces = [[(lon1, lat1)]]
    for before, now in pairwise(steps):
        if abs(now[0] - before[0]) > _EDGE:
            latitude = _crossing(before, now)
            side = _EDGE if before[0] > 0 else -_EDGE
            pieces[-1].append((side, latitude))
            pieces.append([(-side, latitude)])
        pieces[-1].append(now)
    return [piece for piece in pieces if len(set(piece)) > 1] or [[(lon1, lat1), (lon2, lat2)]]


def _steps(lat1: float, lon1: float, lat2: float, lon2: float) -> list[Position]:
    """The positions on the way, both ends among them."""
    distance = great_circle_km(lat1, lon1, lat2, lon2)
    if distance > _HALF_ROUND_KM:
        return _over_the_pole(lat1, lon1, lat2, lon2)
    start, end = _vector(lat1, lon1), _vector(lat2, lon2)
    count = max(1, ceil(distance / STEP_KM))
    angle = distance / EARTH_RADIUS_KM
    between = [_between(start, end, place / count, angle) for place in range(1, count)]
    return [(lon1, lat1), *between, (lon2, lat2)]


def _over_the_pole(lat1: float, lon1: float, lat2: float, lon2: float) -> list[Position]:
    """Along the meridian of the one place to the pole, and along that of the other from it."""
    up = [lat1 + (90.0 - lat1) * place / 40 for place in range(40)]
    down = [90.0 - (90.0 - lat2) * place / 40 for place in range(1, 40)]
    rising = [(lon1, round(latitude, DECIMALS)) for latitude in up[1:]]
    falling = [(lon2, round(latitude, DECIMALS)) for latitude in down]
    return [(lon1, lat1), *rising, (lon1, 90.0), (lon2, 90.0), *falling, (lon2, lat2)]


def _between(start: Vector, end: Vector, part: float, angle: float) -> Position:
    first, second = sin((1 - part) * angle) / sin(angle), sin(part * angle) / sin(angle)
    x, y, z = (first * a + second * b for a, b in zip(start, end, strict=True))
    return round(degrees(atan2(y, x)), DECIMALS), round(degrees(atan2(z, hypot(x, y))), DECIMALS)


def _vector(latitude: float, longitude: float) -> Vector:
    phi, theta = radians(latitude), radians(longitude)
    return cos(phi) * cos(theta), cos(phi) * sin(theta), sin(phi)


def _crossing(before: Position, now: Position) -> float:
    """The latitude at which the arc between two near positions meets the antimeridian: where its plane does."""
    one, other = _vector(before[1], before[0]), _vector(now[1], now[0])
    part = one[1] / (one[1] - other[1]) if one[1] != other[1] else 0.5
    x, _, z = (a + part * (b - a) for a, b in zip(one, other, strict=True))
    return round(degrees(asin(z / hypot(x, z))), DECIMALS)
