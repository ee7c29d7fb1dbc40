"""How fast the registry answers, beside other ways of serving the same rows in the same run.

    python bench/serving.py [--url postgresql://…] [--pairs 2000] [--seconds 4] [--connections 8]

Prints a table: start to first answer, idle memory, and the rates of the list of 50 and of one record beside a
bare constant FastAPI route and the same list by ORM objects and response_model. Figures of one machine mean
little; the ratios in the last column are what to watch.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.exchange.seeding import seed
from app.registry import cities, journal, open_registry, partnerships
from bench.load import Rate, measure

PAGE = 1024


def fill(url: str, pairs: int) -> None:
    """The seeds, and as many more pairs as asked for."""
    database = open_registry(url, migrate=True)
    seed(database)
    with database.writing(account="bench", reason="a world to measure") as session:
        ids = [
            cities.add(
                session,
                {"name": f"Town {number}", "country": country, "kind": "town", "latitude": number % 80, "longitude": 5},
                insist=True,
            )
            for number in range(pairs // 4)
            for country in ("US", "JP")
        ]
        for number, pair in enumerate(islice(combinations(ids, 2), pairs)):
            partnerships.establish(session, pair, kind="twin_town", signed=str(1950 + number % 70))
        journal.commit(session)
    database.close()


@contextmanager
def serving(target: str, *, environment: dict[str, str], factory: bool = False) -> Iterator[tuple[int, int, float]]:
    """A uvicorn of one worker: (port, process id, seconds from start to its first answer)."""
    port = _free_port()
    command = [
        sys.executable, "-m", "uvicorn", target, "--port", str(port), "--log-level", "warning",
        "--no-access-log", "--loop", "uvloop", "--http", "httptools", *(["--factory"] if factory else []),
    ]  # fmt: skip
    begun = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        _await_answer(port, process)
        yield port, process.pid, time.perf_counter() - begun
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _await_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(3000):
        if process.poll() is not None:
            raise SystemExit("The server ended before it answered.")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                break
        except OSError:
            time.sleep(0.005)
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/revisions?limit=1", timeout=30).read()
    except urllib.error.HTTPError as error:
        # The other app has no such route: its 404 is its first answer.
        error.read()


def idle_memory(process: int) -> float:
    """Resident memory of a process, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / PAGE


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", help="an empty database; default: a SQLite file of its own")
    options.add_argument("--pairs", type=int, default=1000)
    options.add_argument("--seconds", type=float, default=4.0)
    options.add_argument("--connections", type=int, default=8, help="how many ask at once")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{folder}/bench.db"
        fill(url, given.pairs)
        run(url, given.seconds, given.connections)


def run(url: str, seconds: float, connections: int) -> None:
    """All measurements on a filled database."""
    environment = {"REGISTRY_DATABASE_URL": url, "REGISTRY_LOG_LEVEL": "error"}
    rates: dict[str, Rate] = {}
    with serving("app.main:create_app", environment=environment, factory=True) as (port, process, started):
        print(f"start to first answer {started:.2f} s; idle memory {idle_memory(process):.0f} MiB", flush=True)
        rates["registry: list of 50"] = measure(
            port, "/v1/partnerships?limit=50", seconds=seconds, connections=connections
        )
        rates["registry: list of 50, one country"] = measure(
            port, "/v1/partnerships?country=JP", seconds=seconds, connections=connections
        )
        rates["registry: one record"] = measure(port, "/v1/partnerships/3", seconds=seconds, connections=connections)
    size = rates["registry: list of 50"].size
    driver = url.replace("postgresql://", "postgresql+psycopg://")
    theirs = {"REGISTRY_DATABASE_URL": driver, "BENCH_SIZE": str(size)}
    with serving("bench.orm_way:app", environment=theirs) as (port, _, _):
        rates["bare constant FastAPI route"] = measure(port, "/constant", seconds=seconds, connections=connections)
        rates["ORM, selectinload: list of 50"] = measure(
            port, "/partnerships", seconds=seconds, connections=connections
        )
        rates["ORM, joinedload: list of 50"] = measure(
            port, "/partnerships?way=joined", seconds=seconds, connections=connections
        )
        rates["ORM: one record, bare"] = measure(port, "/partnerships/3", seconds=seconds, connections=connections)
    show(rates)


def show(rates: dict[str, Rate]) -> None:
    """The table, each rate also as a ratio to the best ORM list."""
    best = max(rates[name].per_second for name in rates if name.startswith("ORM") and "list" in name)
    print(f"{'way':36} {'bytes':>7} {'per second':>11} {'median ms':>10} {'p99 ms':>8} {'× ORM list':>11}")
    for name, rate in rates.items():
        print(
            f"{name:36} {rate.size:7,} {rate.per_second:11,.0f} {rate.median_ms:10.2f} {rate.p99_ms:8.2f}"
            f" {rate.per_second / best:11.2f}"
        )


if __name__ == "__main__":
    main()
