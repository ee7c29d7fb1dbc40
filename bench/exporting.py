"""How fast lists leave the registry, beside other programs that read the same rows from the same file in the same run.

    python bench/exporting.py [--pairs 25000 | --database registry.db] [--rounds 5]
    python bench/exporting.py --memory 1000000 [--keep world.db]

The first prints a table: partnerships as NDJSON (with their contents, count and digest), beside the `sqlite3` shell's
`-json` of the same join, and, over HTTP, beside Datasette's streaming export of that join. The second says how much
memory an export of so many partnerships takes at its highest.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.exchange import exporting
from app.registry import open_registry
from bench.export_world import fill
from bench.serving import _free_port, serving

#: What a line of ours says of a pair, as rows: one for each partnership, both members and both cities beside it.
JOIN = """
SELECT p.id, p.kind, p.designation, p.title, p.status, p.established, p.ended,
  one.id AS member1, one.status AS status1, one.joined AS joined1, one.left AS left1,
  here.id AS city1_id, here.name AS city1, here.country AS country1, here.subdivision AS subdivision1,
  here.latitude AS latitude1, here.longitude AS longitude1,
  other.id AS member2, other.status AS status2, other.joined AS joined2, other.left AS left2,
  there.id AS city2_id, there.name AS city2, there.country AS country2, there.subdivision AS subdivision2,
  there.latitude AS latitude2, there.longitude AS longitude2,
  (SELECT count(*) FROM programs WHERE programs.partnership_id = p.id) AS programs_count, p.conflicts_count
FROM partnerships AS p
JOIN members AS one ON one.partnership_id = p.id
JOIN members AS other ON other.partnership_id = p.id AND other.id > one.id
JOIN cities AS here ON here.id = one.city_id
JOIN cities AS there ON there.id = other.city_id
WHERE p.merged_into_id IS NULL
ORDER BY p.id
"""
PIECE = 1 << 20


def best(rounds: int, do: Callable[[], int]) -> tuple[float, int]:
    """The shortest of some runs, in seconds, and the bytes of one."""
    times, size = [], 0
    for _ in range(rounds):
        begun = time.perf_counter()
        size = do()
        times.append(time.perf_counter() - begun)
    return min(times), size


def ours(path: Path, target: Path, format: str) -> Callable[[], int]:
    """Our export to a file, the database open already."""
    database = open_registry(f"sqlite:///{path}")

    def run() -> int:
        with (
            database.reading() as session,
            closing(exporting.opened(session, "partnerships", format)) as export,
            target.open("wb") as file,
        ):
            return sum(file.write(chunk) for chunk in export.chunks())

    return run


def of_shell(path: Path, target: Path) -> Callable[[], int]:
    """The `sqlite3` shell, its start included (some milliseconds)."""

    def run() -> int:
        with target.open("wb") as file:
            subprocess.run(["sqlite3", "-json", str(path)], input=JOIN.encode(), stdout=file, check=True)
        return target.stat().st_size

    return run


def fetched(url: str) -> Callable[[], int]:
    """An address, read to its end."""

    def run() -> int:
        size = 0
        with urllib.request.urlopen(url, timeout=600) as answer:
            while piece := answer.read(PIECE):
                size += len(piece)
        return size

    return run


@contextmanager
def datasette(path: Path) -> Iterator[str]:
    """Datasette on a copy, the join made a table with a primary key beforehand: the fastest that it can stream. The
    addresses of its CSV."""
    copy = path.with_name("datasette.db")
    shutil.copyfile(path, copy)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute(f"CREATE TABLE pairs AS {JOIN}")
        columns = [row[1] for row in connection.execute("PRAGMA table_info(pairs)")]
        more = ", ".join(columns[1:])
        connection.execute(f"CREATE TABLE keyed (id INTEGER PRIMARY KEY, {more})")
        connection.execute(f"INSERT INTO keyed SELECT id, {more} FROM pairs")
        connection.commit()
    port = _free_port()
    command = [
        str(Path(sys.executable).with_name("datasette")), "serve", str(copy), "--port", str(port),
        "--setting", "max_csv_mb", "0", "--setting", "max_returned_rows", "50000",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(f"http://127.0.0.1:{port}/datasette/keyed.json?_size=1")
        yield f"http://127.0.0.1:{port}/datasette/keyed.csv?_stream=on"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=30).read()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("Datasette did not start.")


def compare(path: Path, rounds: int) -> None:
    """The table."""
    with closing(sqlite3.connect(path)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM partnerships WHERE merged_into_id IS NULL").fetchone()
    target = path.with_name("exported")
    environment = {"REGISTRY_DATABASE_URL": f"sqlite:///{path}", "REGISTRY_LOG_LEVEL": "error"}
    print(f"{rows:,} partnerships, the best of {rounds} runs")
    print(f"{'way':44} {'MB':>7} {'seconds':>8} {'rows/s':>9} {'ratio':>6}")
    own = best(rounds, ours(path, target, "ndjson"))
    show("registry: NDJSON to a file", rows, own)
    if shutil.which("sqlite3"):
        show("sqlite3 -json of the same join", rows, shell := best(rounds, of_shell(path, target)), own[0])
        print(f"  NDJSON : sqlite3 -json = {shell[0] / own[0]:.2f} (at least 0.45)")
    else:
        print("  The sqlite3 shell is not installed here: not compared.")
    with serving("app.main:create_app", environment=environment, factory=True) as (port, _, _):
        over_http = best(rounds, fetched(f"http://127.0.0.1:{port}/v1/partnerships.ndjson"))
        show("registry: NDJSON over HTTP", rows, over_http)
        show("registry: CSV over HTTP", rows, best(2, fetched(f"http://127.0.0.1:{port}/v1/partnerships.csv")))
    with datasette(path) as address:
        theirs = best(rounds, fetched(address))
    show("Datasette: CSV over HTTP, _stream=on", rows, theirs, over_http[0])
    print(f"  NDJSON : Datasette = {theirs[0] / over_http[0]:.2f} (at least 1.7)")
    for format in ("csv", "geojson", "parquet", "graphml", "gexf"):
        show(f"registry: {format} to a file", rows, best(1, ours(path, target, format)))


def show(way: str, rows: int, measured: tuple[float, int], against: float | None = None) -> None:
    """One line; `against`: the seconds of ours that it is set beside."""
    seconds, size = measured
    ratio = "" if against is None else f"{seconds / against:6.2f}"
    print(f"{way:44} {size / 1e6:7.1f} {seconds:8.3f} {rows / seconds:9,.0f} {ratio:>6}", flush=True)


# ── Memory ──

_MEASURE = """
import sys
from contextlib import closing
from pathlib import Path
from app.registry import open_registry
from app.exchange import exporting

def peak():
    # Not getrusage: that remembers what the parent took before this program began.
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024

before = peak()
database = open_registry(sys.argv[1])
with database.reading() as session, closing(exporting.opened(session, "partnerships", sys.argv[2])) as export:
    size = sum(len(chunk) for chunk in export.chunks())
print(before, peak(), size)
"""


def memory(path: Path) -> None:
    """The peak of a process that exports, format by format."""
    print(f"{'format':10} {'MB':>9} {'seconds':>8} {'MiB after imports':>18} {'MiB at most':>12}")
    for format in ("ndjson", "csv", "geojson", "graphml", "parquet"):
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _MEASURE, f"sqlite:///{path}", format],
            capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[1],
        )  # fmt: skip
        before, peak, size = map(int, done.stdout.split())
        seconds = time.perf_counter() - begun
        print(f"{format:10} {size / 1e6:9.1f} {seconds:8.1f} {before:18} {peak:12}", flush=True)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pairs", type=int, default=25_000)
    options.add_argument("--database", type=Path, help="a SQLite registry instead of a generated one")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--memory", type=int, metavar="PAIRS", help="measure the memory of an export of so many")
    options.add_argument("--keep", type=Path, help="where the generated registry is kept, or was")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = given.keep or Path(folder) / "world.db"
        if given.database is not None:
            shutil.copyfile(given.database, path)
        elif not path.exists():
            fill(path, pairs=given.memory or given.pairs)
        if given.memory is None:
            compare(path, given.rounds)
        else:
            memory(path)


if __name__ == "__main__":
    main()
