"""Terms of W3C SPARQL 1.1 query results: what each says as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

TERMS = frozenset({"uri", "literal", "typed-literal", "bnode"})
_ENTITY = re.compile(r"https?://www\.wikidata\.org/entity/Q[0-9]+")
_ITEM = re.compile(r"(?:https?://www\.wikidata\.org/entity/|wd:)?Q[1-9][0-9]*")
_PAIR = 2


def is_term(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object is an RDF term, as in `{"type": "uri", "value": "…"}`."""
    return value.get("type") in TERMS and isinstance(value.get("value"), str)


def text(term: Mapping[str, Any]) -> str:
    """What a term says; nothing for a blank node, which only says that there is something."""
    return "" if term["type"] == "bnode" else str(term["value"])


def is_entity(cell: str) -> bool:
    """Whether a cell is the address of a Wikidata entity, which tells query results from other tables."""
    return _ENTITY.fullmatch(cell) is not None


def names_items(cells: Iterable[str]) -> bool:
    """Whether two or more cells of a row are Wikidata items, in whatever form."""
    return sum(_ITEM.fullmatch(cell.strip()) is not None for cell in cells) >= _PAIR
