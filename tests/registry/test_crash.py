"""Killed in the middle of a write: nothing that was acknowledged is lost, nothing half is kept."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from making import number, rows

from app.models import Change, Revision
from app.registry import Database, checking

ROOT = Path(__file__).resolve().parents[2]
#: Writes for ever, several records a revision, and says each number once it is committed.
WRITER = """
import sys
from app.registry import cities, journal, open_registry, partnerships, parts
database = open_registry(sys.argv[1], threads=2)
while True:
    with database.writing(account="crash", reason="until killed") as session:
        n = session.number()
        made = [
            cities.add(session, {"name": f"City {n} {k}", "country": "US", "kind": "city"},
                       names=[{"text": f"C {n} {k} {i}", "kind": "short"} for i in range(5)])
            for k in range(4)
        ]
        p = partnerships.establish(session, made, kind="charter", signed="1973")
        for year in range(1980, 1985):
            parts.add(session, "partnerships", p, part="events", values={"type": "anniversary", "date": str(year)})
        cities.amend(session, 1, {"note": f"seen by revision {n}"})
        journal.commit(session)
    print(n, flush=True)
"""
ROUNDS = 2


def killed_in_the_middle(url: str, *, after: int, pause: float) -> list[int]:
    """The revisions that the writer acknowledged before it was killed, `pause` seconds after so many."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, url], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    said = [writer.stdout.readline() for _ in range(after)]
    time.sleep(pause)
    writer.send_signal(signal.SIGKILL)
    rest, errors = writer.communicate(timeout=30)
    assert writer.returncode == -signal.SIGKILL, errors
    lines = [line for line in "".join([*said, rest]).splitlines(keepends=True) if line.endswith("\n")]
    return [int(line) for line in lines]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_nothing_acknowledged_is_lost_and_nothing_half_is_kept(database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    chance = random.Random(7)
    for _ in range(ROUNDS):
        before = number(database)
        acknowledged = killed_in_the_middle(url, after=2, pause=chance.uniform(0, 0.08))
        with database.writing(account="desk"):
            pass  # the server may still be busy with the last words of the dead: the lock is free once it is not
        newest = number(database)
        assert acknowledged == list(range(before + 1, before + 1 + len(acknowledged)))
        # The last one may have been committed and not yet said.
        assert newest in (acknowledged[-1], acknowledged[-1] + 1)
        assert [each["number"] for each in rows(database, Revision)] == list(range(1, newest + 1))
        changes = [len(rows(database, Change, revision=each)) for each in range(before + 1, newest + 1)]
        assert set(changes) == {6}, "each revision is whole: four cities, a charter, and the city that they share"
        with database.reading() as session:
            assert checking.check(session) == []
