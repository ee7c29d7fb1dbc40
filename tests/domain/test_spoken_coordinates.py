"""Coordinates as tables have them: decimal commas, degrees and minutes, points, and the two swapped."""

from __future__ import annotations

import pytest

from app.domain.geography import SWAPPED, read_point, read_position
from app.errors import InvalidValue

POSITIONS = {
    ("48.8566", "2.3522"): (48.8566, 2.3522),
    ("48,8566", "2,3522"): (48.8566, 2.3522),
    ("-33,45", "-70,6667"): (-33.45, -70.6667),
    ("−12.5", "−77"): (-12.5, -77.0),
    ("48.8566°", "2.3522 °"): (48.8566, 2.3522),
    ("48°51′N", "2°21′E"): (48.85, 2.35),
    ("48° 51' 24\" N", "2°21'08\"E"): (48.856667, 2.352222),
    ("33°52′S", "151°12′E"): (-33.866667, 151.2),
    ("N 48.85", "W 2.35"): (48.85, -2.35),
    ("48.85N", "2.35w"): (48.85, -2.35),
    ("1e-05", "2"): (0.00001, 2.0),
    ("0", "0.5"): (0.0, 0.5),
}
SWAPPED_ONES = {
    ("135.7681", "35.0116"): (35.0116, 135.7681),
    ("-122,4", "37,7"): (37.7, -122.4),
    ("2.35 E", "48.85 N"): (48.85, 2.35),
}
REFUSED = {
    ("95", "200"): ("lat", "between -90 and 90"),
    ("91", "95"): ("lat", "between -90 and 90"),
    ("10", "200"): ("lng", "between -180 and 180"),
    ("48.8", ""): ("lng", "empty"),
    ("", "2.3"): ("lat", "empty"),
    ("abc", "1"): ("lat", "no angle"),
    ("1", "nan"): ("lng", "no angle"),
    ("1.234,5", "3"): ("lat", "no angle"),
    ("488566", "2"): ("lat", "no angle"),
    ("48°75′", "2°"): ("lat", "no angle"),
    ("-5 S", "2"): ("lat", "no angle"),
    ("48N", "2N"): ("lat", "same kind"),
    # O is Ost in German and ouest in French.
    ("48N", "2°21′O"): ("lng", "no angle"),
}
POINTS = {
    "Point(2.35 48.85)": (48.85, 2.35),
    "POINT (2.35 48.85)": (48.85, 2.35),
    "Point(-87.6298 41.8781)": (41.8781, -87.6298),
    "48.85, 2.35": (48.85, 2.35),
    "48.85,2.35": (48.85, 2.35),
    "48.85 2.35": (48.85, 2.35),
    "48,85; 2,35": (48.85, 2.35),
    "48,85 2,35": (48.85, 2.35),
    "48°51′N 2°21′E": (48.85, 2.35),
    "48.85N, 2.35E": (48.85, 2.35),
    "-33.9 151.2": (-33.9, 151.2),
}


@pytest.mark.parametrize(("texts", "position"), POSITIONS.items())
def test_two_texts_are_a_position(texts: tuple[str, str], position: tuple[float, float]) -> None:
    found = read_position(*texts)
    assert found is not None and (found.latitude, found.longitude, found.remark) == (*position, None)


@pytest.mark.parametrize(("texts", "position"), SWAPPED_ONES.items())
def test_swapped_ones_are_recognised_and_said(texts: tuple[str, str], position: tuple[float, float]) -> None:
    assert read_position(*texts) == (*position, SWAPPED)


@pytest.mark.parametrize(("texts", "fault"), REFUSED.items())
def test_what_is_no_position_names_the_field(texts: tuple[str, str], fault: tuple[str, str]) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_position(*texts, fields=("lat", "lng"))
    assert caught.value.field == fault[0]
    assert fault[1] in caught.value.message


@pytest.mark.parametrize(("text", "position"), POINTS.items())
def test_one_text_holds_both(text: str, position: tuple[float, float]) -> None:
    found = read_point(text, field="coordinates")
    assert found is not None and (found.latitude, found.longitude, found.remark) == (*position, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello", "no pair"),
        ("48.85", "no pair"),
        ("<http://www.wikidata.org/entity/Q405> Point(1 2)", "not on Earth"),
        ("Point(200 100)", "between -90 and 90"),
        ("48.85, east", "no angle"),
    ],
)
def test_what_is_no_point_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason) as caught:
        read_point(text, field="coordinates")
    assert caught.value.field == "coordinates"


def test_blank_is_no_position() -> None:
    assert read_position("", "") is None
    assert read_point("  ", field="coordinates") is None


def test_a_point_on_earth_may_say_so() -> None:
    assert read_point("<http://www.wikidata.org/entity/Q2> Point(2 48)", field="c") == (48.0, 2.0, None)
