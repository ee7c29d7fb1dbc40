"""A small HTTP load: keep-alive connections that ask one path as fast as they are answered, for some seconds."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests per second, and the median and 99th percentile of their times in milliseconds."""

    per_second: float
    median_ms: float
    p99_ms: float
    size: int


def measure(port: int, path: str, *, seconds: float = 4.0, connections: int = 8) -> Rate:
    """Ask `path` at this port of this machine. Raises RuntimeError for any answer but 200."""
    return asyncio.run(_measure(port, path, seconds=seconds, connections=connections))


async def _measure(port: int, path: str, *, seconds: float, connections: int) -> Rate:
    times: list[float] = []
    size = await _ask(port, path, until=time.perf_counter() + 0.5, times=[])
    until = time.perf_counter() + seconds
    begun = time.perf_counter()
    await asyncio.gather(*(_ask(port, path, until=until, times=times) for _ in range(connections)))
    elapsed = time.perf_counter() - begun
    times.sort()
    return Rate(len(times) / elapsed, times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000, size)


async def _ask(port: int, path: str, *, until: float, times: list[float]) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n".encode()
    size = 0
    while (begun := time.perf_counter()) < until:
        writer.write(request)
        size = await _answer(reader)
        times.append(time.perf_counter() - begun)
    writer.close()
    return size


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head[:16]:
        raise RuntimeError(head.split(b"\r\n", 1)[0].decode())
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    await reader.readexactly(length)
    return length
