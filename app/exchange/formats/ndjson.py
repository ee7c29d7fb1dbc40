"""NDJSON and JSON: a line for each record, and a last line that vouches for all of them.

A stream that was cut has no last line, or one whose count and digest do not fit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

MEDIA_TYPE = "application/x-ndjson"
DIGEST = "sha256"


def lines(batches: Iterable[tuple[int, bytes]], **told: Any) -> Iterator[bytes]:
    """Each batch (how many lines, and the lines with their ends) as a chunk; last the trailer: what is `told`, the
    count of the lines, and the SHA-256 of all bytes before it."""
    digest, count = hashlib.sha256(), 0
    for several, chunk in batches:
        digest.update(chunk)
        count += several
        yield chunk
    yield orjson.dumps(told | {"count": count, DIGEST: digest.hexdigest()}, option=orjson.OPT_APPEND_NEWLINE)


def document(batches: Iterable[list[bytes]], *, opening: bytes, members: bytes, **told: Any) -> Iterator[bytes]:
    """One JSON object whose member `members` is the list of the texts; before it `opening` (`{`, or `{"type":…,`).
    Its last members are what is `told`, `count`, and `sha256` of all bytes before the `]` that ends the list."""
    digest, count = hashlib.sha256(), 0
    begun = opening + b'"' + members + b'":['
    for batch in batches:
        chunk = begun + (b",\n" if count else b"\n") + b",\n".join(batch) if batch else begun
        begun = b""
        digest.update(chunk)
        count += len(batch)
        yield chunk
    digest.update(begun)
    last = orjson.dumps(told | {"count": count, DIGEST: digest.hexdigest()})
    yield begun + b"\n]," + last[1:] + b"\n"


def is_trailer(line: Mapping[str, Any]) -> bool:
    """Whether a parsed line is the one that vouches for the others."""
    return DIGEST in line and "count" in line and "content" not in line
