"""Requests that work on a freshly seeded registry: the examples of the OpenAPI document.

A test makes each of them, so an example that the seeds or the rules no longer bear out does not stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Paths = Mapping[str, str | int]
Body = Mapping[str, Any]

#: What stands in the braces of a path: the longest beginning of it that is here counts.
PATHS: dict[str, Paths] = {
    "/v1/countries": {"key": "JP", "revision": 1},
    "/v1/cities": {"key": "wikidata:Q1297", "revision": 1},
    "/v1/cities/{key}/names": {"key": 4, "row": 2},
    "/v1/cities/{key}/populations": {"key": 35, "row": 1},
    "/v1/cities/{key}/identifiers": {"key": 1, "row": 1},
    "/v1/cities/{key}/successors": {"key": 36, "row": 1},
    "/v1/cities/{key}/citations": {"key": 35, "row": 4},
    "/v1/cities/{key}/merge": {"key": 36},
    "/v1/cities/{key}/redact": {"key": 30},
    "DELETE /v1/cities/{key}": {"key": 36},
    "/v1/partnerships": {"key": 3, "revision": 1},
    "/v1/partnerships/{key}/members": {"key": 42, "row": 84},
    "/v1/partnerships/{key}/events": {"key": 3, "row": 4},
    "/v1/partnerships/{key}/organisations": {"key": 3, "row": 1},
    "/v1/partnerships/{key}/citations": {"key": 3, "row": 34},
    "/v1/partnerships/{key}/redact": {"key": 21},
    "DELETE /v1/partnerships/{key}": {"key": 39},
    "/v1/programs": {"key": 1, "revision": 1},
    "/v1/programs/{key}/participants": {"key": 1, "row": 1},
    "/v1/programs/{key}/occasions": {"key": 2, "row": 1},
    "/v1/programs/{key}/citations": {"key": 1, "row": 135},
    "/v1/organisations": {"key": 8, "revision": 1},
    "/v1/organisations/{key}/citations": {"key": 1, "row": 13},
    "/v1/sources": {"key": 14, "revision": 1},
    "/v1/reported-figures": {"key": 1, "revision": 1},
    "/v1/reported-figures/{key}/citations": {"key": 1, "row": 1},
    "/v1/revisions": {"number": 1},
    "/v1/changes": {},
    "/v1/revisions/{number}/undo": {"number": 2},
    "/reconcile": {"key": "wikidata:Q1297"},
    "/reconcile/flyout/property": {"key": "partners"},
    "/reconcile/flyout/type": {"key": "city"},
}
#: What the seeds do not bear out: they hold no such row, no second revision yet, and no source that nothing cites.
REFUSED = {
    "/v1/cities/{key}/successors/{row}": 404,
    "/v1/partnerships/{key}/organisations/{row}": 404,
    "/v1/reported-figures/{key}/citations/{row}": 404,
    "/v1/revisions/{number}/undo": 404,
    "DELETE /v1/sources/{key}": 409,
}

CITATION: dict[str, Any] = {"source": "S14", "field": "note", "locator": "p. 12"}
REDACTION: Body = {"text": "hostilities", "reason": "a person asked for it"}
BODIES: dict[str, Body] = {
    "POST /v1/cities": {
        "name": "Kyoto", "country": "JP", "kind": "city", "subdivision": "JP-26",
        "latitude": 35.0116, "longitude": 135.7681,
        "names": [{"text": "京都市", "language": "ja", "kind": "official"}],
        "identifiers": [{"scheme": "wikidata", "value": "Q34600"}],
        "reason": "a partner of cities that are known here",
    },
    "PATCH /v1/cities/{key}": {"note": "Third largest city of its country", "part_of": None, "reason": "a remark"},
    "POST /v1/cities/{key}/merge": {"into": 35, "reason": "the same town, entered twice"},
    "POST /v1/cities/{key}/redact": {"text": "business partner cities", "reason": "a person asked for it"},
    "POST /v1/cities/{key}/names": {"text": "Athen", "language": "de", "kind": "exonym"},
    "PATCH /v1/cities/{key}/names/{row}": {"kind": "official", "language": "el"},
    "POST /v1/cities/{key}/identifiers": {"scheme": "geonames", "value": "4887398"},
    "PATCH /v1/cities/{key}/identifiers/{row}": {"value": "Q1297"},
    "POST /v1/cities/{key}/populations": {"people": 42, "year": 1990},
    "PATCH /v1/cities/{key}/populations/{row}": {"people": 28},
    "POST /v1/cities/{key}/successors": {"city": 35},
    "PATCH /v1/cities/{key}/successors/{row}": {"city": "wikidata:Q1297"},
    "POST /v1/cities/{key}/citations": CITATION,
    "PATCH /v1/cities/{key}/citations/{row}": {"locator": "table 1"},
    "POST /v1/partnerships": {
        "kind": "sister_city",
        "members": [{"city": {"name": "Hamburg", "country": "DE"}}, {"city": "wikidata:Q8686"}],
        "events": [{"type": "signed", "date": "1986"}, {"type": "anniversary", "date": "2016", "note": "30 years"}],
        "citations": [{"source": "S24", "field": "established", "value": "1986"}],
        "reason": "found in the database of municipal partnerships",
    },
    "PATCH /v1/partnerships/{key}": {"designation": "Sister City", "note": None, "reason": "as the council has it"},
    "POST /v1/partnerships/{key}/members": {"city": "wikidata:Q1297", "note": "as a guest"},
    "PATCH /v1/partnerships/{key}/members/{row}": {"note": "one of the founders"},
    "POST /v1/partnerships/{key}/events": {"type": "renewed", "date": "1998", "authority": "mayor"},
    "PATCH /v1/partnerships/{key}/events/{row}": {"date": "2023-08", "authority": "mayor"},
    "POST /v1/partnerships/{key}/organisations": {"organisation": 6, "role": "coordinates"},
    "PATCH /v1/partnerships/{key}/organisations/{row}": {"role": "recognises"},
    "POST /v1/partnerships/{key}/citations": {"source": "S14", "field": "established", "value": "1973"},
    "PATCH /v1/partnerships/{key}/citations/{row}": {"value": "1973~"},
    "POST /v1/partnerships/{key}/redact": REDACTION,
    "POST /v1/programs": {
        "partnership": 3, "name": "Sister library exchange", "category": "culture", "since": "1998~",
        "participants": [{"organisation": 6, "side": "wikidata:Q1297"}],
        "occasions": [{"title": "Picture books from Osaka", "since": "2001-05", "host": "wikidata:Q1297"}],
        "reason": "told by the library",
    },
    "PATCH /v1/programs/{key}": {"frequency": "yearly", "until": None, "reason": "it goes on"},
    "POST /v1/programs/{key}/participants": {"organisation": 6, "side": "wikidata:Q1297"},
    "PATCH /v1/programs/{key}/participants/{row}": {"side": 30},
    "POST /v1/programs/{key}/occasions": {"title": "Second visit", "since": "2012-09", "origin": 1, "host": 30},
    "PATCH /v1/programs/{key}/occasions/{row}": {"people": 10},
    "POST /v1/programs/{key}/citations": CITATION | {"field": "since", "value": "2006"},
    "PATCH /v1/programs/{key}/citations/{row}": {"value": "2006~"},
    "POST /v1/programs/{key}/redact": {"text": "Students of each school", "reason": "a person asked for it"},
    "POST /v1/organisations": {
        "name": "Consulate-General of Japan in Chicago", "kind": "consulate", "city": "wikidata:Q1297",
    },
    "PATCH /v1/organisations/{key}": {"url": "https://example.org/", "reason": "its address"},
    "POST /v1/organisations/{key}/citations": CITATION,
    "PATCH /v1/organisations/{key}/citations/{row}": {"locator": "second paragraph"},
    "POST /v1/organisations/{key}/redact": {"text": "CLAIR", "reason": "a person asked for it"},
    "POST /v1/sources": {
        "title": "Minutes of the city council", "publisher": "City of Chicago", "published": "1973-11",
    },
    "PATCH /v1/sources/{key}": {"note": "In English and Japanese", "reason": "a remark"},
    "POST /v1/sources/{key}/redact": {"text": "Prosperity", "reason": "a person asked for it"},
    "POST /v1/reported-figures": {
        "source": "S18", "scope": "partnerships of U.S. communities", "country": "US",
        "measure": "partnerships", "comparator": "exactly", "value": 2121, "as_of": "2019",
    },
    "PATCH /v1/reported-figures/{key}": {"comparator": "over", "value": 2000, "reason": "read again"},
    "POST /v1/reported-figures/{key}/citations": CITATION | {"field": "value", "value": "2000"},
    "PATCH /v1/reported-figures/{key}/citations/{row}": {"locator": "last paragraph"},
    "POST /v1/reported-figures/{key}/redact": {"text": "communities", "reason": "a person asked for it"},
    "POST /v1/revisions/{number}/undo": {"reason": "entered by mistake"},
    "POST /v1/match": {
        "places": [
            {"name": "Gilbert", "country": "Arkansas, United States"},
            {"name": "Чикаго", "country": "US", "latitude": 41.85, "longitude": -87.65},
        ],
        "pairs": [[{"name": "Chicago", "country": "USA"}, {"name": "Milano", "country": "Italy"}]],
    },
}  # fmt: skip


def path_of(method: str, path: str) -> Paths:
    """The example of what stands in the braces of this path."""
    fitting = [PATHS[key] for key in sorted(PATHS, key=len) if path.startswith(key)]
    return {"format": "csv", **PATHS.get(f"{method} {path}", fitting[-1])}


def body_of(method: str, path: str) -> Body | None:
    """The example of a body; None where the route takes none."""
    return BODIES.get(f"{method} {path}")
