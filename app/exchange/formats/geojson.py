"""GeoJSON (RFC 7946): cities as points; pairs as the shortest way between two cities, cut at the antimeridian;
agreements of more than two cities as the points of their members, since no line between two of them is agreed.

Where a place is not known there is no geometry (null), never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import orjson

from app.domain import great_circles
from app.exchange import flat
from app.registry.paging import Item

MEDIA_TYPE = "application/geo+json"
OPENING = b'{"type":"FeatureCollection",'
MEMBERS = b"features"
Geometry = dict[str, Any] | None


def _point(item: Item) -> Geometry:
    if item["latitude"] is None:
        return None
    return {"type": "Point", "coordinates": (item["longitude"], item["latitude"])}


def _way(item: Item) -> Geometry:
    cities = flat.places(item)
    located = [city for city in cities if city["latitude"] is not None]
    if len(cities) != flat.PAIR:
        points = [(city["longitude"], city["latitude"]) for city in located]
        return {"type": "MultiPoint", "coordinates": points} if points else None
    if len(located) != flat.PAIR:
        return None
    here, there = located
    pieces = great_circles.path(here["latitude"], here["longitude"], there["latitude"], there["longitude"])
    if len(pieces) == 1:
        return {"type": "LineString", "coordinates": pieces[0]}
    return {"type": "MultiLineString", "coordinates": pieces}


GEOMETRIES: dict[str, Callable[[Item], Geometry]] = {"cities": _point, "partnerships": _way}


def features(name: str, columns: Sequence[flat.Column], batches: Iterable[list[Item]]) -> Iterator[list[bytes]]:
    """A feature for each item: its geometry, and the columns of the flat row as properties."""
    geometry = GEOMETRIES[name]
    names = [column.name for column in columns]
    for items in batches:
        rows = flat.rows(name, columns, items)
        yield [
            orjson.dumps(
                {
                    "type": "Feature",
                    "id": item["id"],
                    "geometry": geometry(item),
                    "properties": dict(zip(names, row, strict=True)),
                }
            )
            for item, row in zip(items, rows, strict=True)
        ]
