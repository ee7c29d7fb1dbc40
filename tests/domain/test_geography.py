"""Geography: distances, boxes and possible coordinates."""

from __future__ import annotations

from math import asin, atan2, cos, degrees, hypot, inf, nan, pi, radians, sin

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.geography import EARTH_RADIUS_KM, Box, bounding_box, check_coordinates, great_circle_km
from app.errors import InvalidValue

Place = tuple[float, float]

HALF_ROUND = pi * EARTH_RADIUS_KM

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
places = st.tuples(latitudes, longitudes)


@pytest.mark.parametrize(
    ("start", "end", "km"),
    [
        ((0, 0), (0, 0), 0),
        ((0, 0), (0, 90), HALF_ROUND / 2),
        ((0, 0), (90, 0), HALF_ROUND / 2),
        ((90, 0), (-90, 77), HALF_ROUND),
        ((0, 0), (0, 180), HALF_ROUND),
        ((34.5, -120.25), (-34.5, 59.75), HALF_ROUND),
        ((10, 180), (10, -180), 0),
        ((90, 10), (90, -170), 0),
        ((0, 179.5), (0, -179.5), HALF_ROUND / 180),
        ((60, 0), (60, 180), HALF_ROUND / 3),
    ],
)
def test_distances_that_geometry_gives(start: tuple[float, float], end: tuple[float, float], km: float) -> None:
    assert great_circle_km(*start, *end) == pytest.approx(km, abs=1e-9)


def test_a_distance_in_print_comes_out() -> None:
    # Nashville to Los Angeles airport, the example of many texts on the haversine, there with 6372.8 km.
    km = great_circle_km(36.12, -86.67, 33.94, -118.40)
    assert km == pytest.approx(2887.2599506 * EARTH_RADIUS_KM / 6372.8, abs=1e-6)


@given(places, places)
def test_distances_agree_with_the_angle_between_vectors(start: Place, end: Place) -> None:
    one, other = _vector(*start), _vector(*end)
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    crossed = [one[i - 2] * other[i - 1] - one[i - 1] * other[i - 2] for i in range(3)]
    km = EARTH_RADIUS_KM * atan2(hypot(*crossed), dot)
    assert great_circle_km(*start, *end) == pytest.approx(km, abs=1e-7)


def _vector(lat: float, lon: float) -> tuple[float, float, float]:
    phi, turn = radians(lat), radians(lon)
    return cos(phi) * cos(turn), cos(phi) * sin(turn), sin(phi)


@pytest.mark.parametrize("metres", [0.001, 1, 1000])
def test_small_distances_are_exact_beside_a_place_and_beside_its_antipode(metres: float) -> None:
    step = degrees(metres / 1000 / EARTH_RADIUS_KM)
    assert great_circle_km(0, 20, step, 20) * 1000 == pytest.approx(metres, rel=1e-6)
    assert (HALF_ROUND - great_circle_km(0, 20, step, -160)) * 1000 == pytest.approx(metres, abs=1e-5)


@given(places, places)
def test_a_distance_is_symmetric_and_at_most_half_way_round(start: Place, end: Place) -> None:
    km = great_circle_km(*start, *end)
    assert km == great_circle_km(*end, *start)
    assert 0 <= km <= HALF_ROUND * (1 + 1e-15)


@given(places, places, places)
def test_a_way_round_is_never_shorter(start: Place, middle: Place, end: Place) -> None:
    detour = great_circle_km(*start, *middle) + great_circle_km(*middle, *end)
    assert great_circle_km(*start, *end) <= detour + 1e-6


def _holds(boxes: list[Box], lat: float, lon: float) -> bool:
    return any(box.south <= lat <= box.north and box.west <= lon <= box.east for box in boxes)


@given(latitudes, longitudes, latitudes, longitudes)
@example(0, 179.9, 0, -179.9)
@example(0, 180, 0, -180)
@example(89.9, 0, 89.9, 180)
def test_a_box_up_to_a_place_holds_that_place(lat: float, lon: float, other: float, aside: float) -> None:
    km = great_circle_km(lat, lon, other, aside)
    assert _holds(bounding_box(lat, lon, km), other, aside)


@given(latitudes, longitudes, st.floats(0, 2000), st.floats(0, 2 * pi))
@example(60, 179, 500, pi / 2)
@example(-60, -179, 500, 3 * pi / 2)
@example(89.999, 0, 0.1, pi / 2)
def test_a_box_holds_the_whole_rim_of_its_circle(lat: float, lon: float, km: float, bearing: float) -> None:
    assert _holds(bounding_box(lat, lon, km), *_destination(lat, lon, km, bearing))


def _destination(lat: float, lon: float, km: float, bearing: float) -> tuple[float, float]:
    phi, angle = radians(lat), km / EARTH_RADIUS_KM
    sine = sin(phi) * cos(angle) + cos(phi) * sin(angle) * cos(bearing)
    turn = atan2(sin(bearing) * sin(angle) * cos(phi), cos(angle) - sin(phi) * sine)
    aside = lon + degrees(turn)
    return degrees(asin(max(-1, min(1, sine)))), (aside + 540) % 360 - 180


@given(latitudes, longitudes, st.floats(0, 25_000))
def test_boxes_stay_on_the_map_and_there_are_at_most_two(lat: float, lon: float, km: float) -> None:
    boxes = bounding_box(lat, lon, km)
    assert 1 <= len(boxes) <= 2
    for south, north, west, east in boxes:
        assert -90 <= south <= north <= 90
        assert -180 <= west <= east <= 180


def test_a_box_is_no_larger_than_it_must_be() -> None:
    [box] = bounding_box(60, 10, HALF_ROUND / 180)
    assert box == pytest.approx((59, 61, 8, 12), abs=0.01)


def test_a_box_across_the_antimeridian_is_split() -> None:
    west, east = bounding_box(0, 179.5, HALF_ROUND / 180)
    assert west == pytest.approx((-1, 1, 178.5, 180), abs=1e-4)
    assert east == pytest.approx((-1, 1, -180, -179.5), abs=1e-4)


@pytest.mark.parametrize("lat", [89.5, -89.5])
def test_a_box_round_a_pole_has_all_longitudes(lat: float) -> None:
    [box] = bounding_box(lat, 20, HALF_ROUND / 180)
    assert (box.west, box.east) == (-180, 180)
    assert 90 in (box.north, -box.south)


@pytest.mark.parametrize(("latitude", "longitude"), [(None, None), (0, 0), (90, 180), (-90, -180), (41.8781, -87.6298)])
def test_possible_coordinates_pass(latitude: float | None, longitude: float | None) -> None:
    check_coordinates(latitude, longitude)


@pytest.mark.parametrize(
    ("latitude", "longitude", "field", "message"),
    [
        (None, 2.35, "latitude", "both or neither"),
        (48.86, None, "longitude", "both or neither"),
        (91, 0, "latitude", "between -90 and 90"),
        (-90.0001, 0, "latitude", "between -90 and 90"),
        (nan, 0, "latitude", "between -90 and 90"),
        (inf, 0, "latitude", "between -90 and 90"),
        (10**400, 0, "latitude", "between -90 and 90"),
        (0, 180.0001, "longitude", "between -180 and 180"),
        (0, nan, "longitude", "between -180 and 180"),
        (0, -inf, "longitude", "between -180 and 180"),
        (135.5, 34.7, "latitude", "swapped"),
    ],
)
def test_impossible_coordinates_are_refused(
    latitude: float | None, longitude: float | None, field: str, message: str
) -> None:
    with pytest.raises(InvalidValue, match=message) as refused:
        check_coordinates(latitude, longitude)
    assert refused.value.field == field


@pytest.mark.parametrize(("latitude", "longitude"), [(135.5, 134.7), (200, 34.7), (nan, 34.7)])
def test_no_swap_is_suggested_where_it_would_not_help(latitude: float, longitude: float) -> None:
    with pytest.raises(InvalidValue) as refused:
        check_coordinates(latitude, longitude)
    assert "swapped" not in refused.value.message
