"""Wikidata's classes of places and our kinds of cities: a small table.

There are some thousand classes, most of them of one country ("commune of France"): the endpoint is asked which of
these in the table they are subclasses of. A body of several kinds is the first of them in the order of the table.
"""

from __future__ import annotations

from collections.abc import Iterable

_TABLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    # city, big city, city of millions, metropolis, independent city of Germany, cities of Japan and of the USA
    ("city", ("Q515", "Q1549591", "Q1637706", "Q200250", "Q22865", "Q494721", "Q1093829")),
    # town, towns of Japan and of the USA
    ("town", ("Q3957", "Q1059478", "Q15127012")),
    # village, hamlet, villages of Japan
    ("village", ("Q532", "Q5084", "Q4174776")),
    # neighbourhood, city district, special ward of Tokyo, London borough
    ("district", ("Q123705", "Q4286337", "Q5327704", "Q211690")),
    # civil parish, freguesia of Portugal
    ("parish", ("Q1115575", "Q1131296")),
    # municipality, commune of France
    ("municipality", ("Q15284", "Q484170")),
    # county, county of the USA, Landkreis
    ("county", ("Q28575", "Q47168", "Q106658")),
    # first-level division, states of Germany and of the USA, prefecture of Japan
    ("region", ("Q10864048", "Q1221156", "Q35657", "Q50337")),
    ("island", ("Q23442",)),
    # port settlement, port
    ("port", ("Q2264924", "Q44782")),
)

KIND_OF_CLASS: dict[str, str] = {item: kind for kind, items in _TABLE for item in items}
_ORDER = tuple(kind for kind, _ in _TABLE)


def kind_of(classes: Iterable[str]) -> str | None:
    """The kind of a body of these classes, all that they are subclasses of included. None: the table has none."""
    found = {KIND_OF_CLASS[each] for each in classes if each in KIND_OF_CLASS}
    return next((kind for kind in _ORDER if kind in found), None)
