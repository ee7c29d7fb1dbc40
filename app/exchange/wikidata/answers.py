"""Answers that were had are kept: whoever was stopped goes on from there, and what was checked is what is applied.

A folder per endpoint and wish; in it a file per question, named by the digest of its text. Every question follows
from the answers before it, so asking them in order again is going on where it stopped: there is no other state.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

import orjson

from app.errors import StateConflict
from app.exchange.wikidata.endpoint import Endpoint, Row, Term
from app.exchange.wikidata.queries import Wish

_MANIFEST = "run.json"
_LOCK = "lock"
_ANSWERS = "*.answer.gz"
_UNFINISHED = ".writing-"


class Answers:
    """`asked` and `kept` count questions: those put to the endpoint, and those answered from the folder."""

    def __init__(self, endpoint: Endpoint, folder: Path, *, begun: float) -> None:
        self._endpoint = endpoint
        self.folder = folder
        self.begun = begun
        self.asked = 0
        self.kept = 0
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of all answers so far, in the order in which they were asked for."""
        return self._digest.hexdigest()

    def get(self, query: str) -> list[Row]:
        """The rows of a question, asked only if it has not been. Raises what Endpoint.ask raises."""
        path = self.folder / f"{hashlib.sha256(query.encode()).hexdigest()}.answer.gz"
        rows = _read(path)
        if rows is None:
            rows = self._endpoint.ask(query)
            _write(path, gzip.compress(orjson.dumps(rows, default=tuple), compresslevel=4, mtime=0))
            self.asked += 1
        else:
            self.kept += 1
        self._digest.update(orjson.dumps([query, rows], default=tuple))
        return rows


@contextmanager
def opened(
    endpoint: Endpoint,
    cache: Path,
    wish: Wish,
    *,
    keep_hours: float,
    fresh: bool = False,
    now: Callable[[], float] = time.time,
) -> Iterator[Answers]:
    """The answers kept for this wish; none if `fresh`, or if the first of them is older than `keep_hours`, since
    half of them from last month and half from today are no state that Wikidata ever had."""
    known = orjson.dumps({"endpoint": endpoint.url} | asdict(wish), option=orjson.OPT_SORT_KEYS)
    folder = cache / hashlib.sha256(known).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(cache):
        begun = _begun(folder)
        if fresh or begun is None or not 0 <= now() - begun < keep_hours * 3600:
            for path in (*folder.glob(_ANSWERS), *folder.glob(f"{_UNFINISHED}*")):
                path.unlink()
            begun = now()
            _write(folder / _MANIFEST, orjson.dumps({"begun": begun, "for": orjson.Fragment(known)}))
        yield Answers(endpoint, folder, begun=begun)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One run at a time: two would ask the endpoint two questions at once. The lock dies with its process."""
    with (folder / _LOCK).open("a") as file:
        if not _locked(file):
            raise StateConflict("Another import from Wikidata is under way: let it finish, or stop it.")
        yield


def _locked(file: IO[str]) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _begun(folder: Path) -> float | None:
    try:
        return float(orjson.loads((folder / _MANIFEST).read_bytes())["begun"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read(path: Path) -> list[Row] | None:
    """None for an answer that is not there, or that the disk spoilt: it is asked for again."""
    try:
        rows = orjson.loads(gzip.decompress(path.read_bytes()))
        return [{name: Term(*term) for name, term in row.items()} for row in rows]
    except (FileNotFoundError, EOFError, gzip.BadGzipFile, zlib.error, ValueError, TypeError, AttributeError):
        return None


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
