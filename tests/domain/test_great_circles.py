"""The shortest way between two places, as a map draws it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.geography import great_circle_km
from app.domain.great_circles import STEP_KM, Position, path

LATITUDES = st.floats(-90, 90).map(lambda value: round(value, 4))
LONGITUDES = st.floats(-180, 180).map(lambda value: round(value, 4))


def length(piece: list[Position]) -> float:
    return sum(great_circle_km(a[1], a[0], b[1], b[0]) for a, b in pairwise(piece))


def test_a_way_begins_and_ends_exactly_at_its_places() -> None:
    (piece,) = path(41.8781, -87.6298, 48.8566, 2.3522)
    assert (piece[0], piece[-1]) == ((-87.6298, 41.8781), (2.3522, 48.8566))


def test_a_way_across_the_antimeridian_is_cut_there_at_one_latitude() -> None:
    first, second = path(35.68, 139.69, 37.77, -122.42)
    assert first[-1] == (180.0, 48.18821)
    assert second[0] == (-180.0, 48.18821)


def test_a_way_westwards_is_cut_as_well() -> None:
    first, second = path(-18.14, -170.0, -18.14, 170.0)
    assert first[-1][0] == -180.0
    assert second[0][0] == 180.0
    assert first[-1][1] == second[0][1]


@pytest.mark.parametrize("edge", [180.0, -180.0])
def test_a_place_on_the_antimeridian_makes_no_piece_of_one_position(edge: float) -> None:
    for piece in path(10, edge, 10, -170) + path(10, 170, 10, edge) + path(10, edge, 20, edge):
        assert len(set(piece)) > 1


def test_two_places_at_one_spot_are_joined_by_a_line_of_two_positions() -> None:
    assert path(5, 6, 5, 6) == [[(6, 5), (6, 5)]]


def test_between_antipodes_the_way_goes_over_the_north_pole() -> None:
    assert max(latitude for piece in path(0, 0, 0, 180) for _, latitude in piece) == 90.0
    assert length(path(-33, 20, 33, -160)[0]) == pytest.approx(20015, rel=0.01)


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_any_way_is_as_long_as_the_distance_and_no_piece_crosses_the_antimeridian(
    lat1: float, lon1: float, lat2: float, lon2: float
) -> None:
    pieces = path(lat1, lon1, lat2, lon2)
    for piece in pieces:
        assert len(piece) > 1
        assert all(-90 <= latitude <= 90 and -180 <= longitude <= 180 for longitude, latitude in piece)
        near_pole = any(abs(latitude) > 89 for _, latitude in piece)
        assert near_pole or all(abs(a[0] - b[0]) <= 180 for a, b in pairwise(piece))
        assert all(great_circle_km(a[1], a[0], b[1], b[0]) <= STEP_KM + 300 for a, b in pairwise(piece))
    whole = great_circle_km(lat1, lon1, lat2, lon2)
    assert sum(map(length, pieces)) == pytest.approx(whole, abs=0.2 + whole * 0.01)
