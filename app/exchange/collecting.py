"""Python's collector of cycles, asked to look round less often while an import makes objects by the million.

None of them are in cycles, and each look goes over all that is held: it took a third of an import's time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

#: New objects before the youngest are looked over, and how often that leads to a look at the older ones.
SELDOM = (200_000, 20, 20)
_lock = Lock()
_under_way: list[tuple[int, int, int]] = []


@contextmanager
def seldom() -> Iterator[None]:
    """Until the block ends. Several may be under way at once, in threads of their own."""
    with _lock:
        _under_way.append(gc.get_threshold() if not _under_way else _under_way[0])
        gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        with _lock:
            usual = _under_way.pop()
            if not _under_way:
                gc.set_threshold(*usual)
