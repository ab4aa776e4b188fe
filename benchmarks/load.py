"""
A closed-loop load generator: N keep-alive connections, each sends its next prepared request when it has its answer.

Written on bare protocols so that one core of it outruns a worker; it reads status, length and nothing else. Run it as
a process of its own (`python -m benchmarks.load`), pinned beside the server's core.
"""

import asyncio
import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec
import uvloop


class Plan(msgspec.Struct):
    """What to send: whole HTTP requests, round and round, for so long over so many connections."""

    host: str
    port: int
    requests: list[str]
    connections: int
    seconds: float
    warmup_seconds: float
    expected_status: int
    core: int | None = None


class Result(msgspec.Struct):
    """Requests a second and latency in microseconds."""

    rate: float
    p50: float
    p99: float
    p999: float
    count: int
    unexpected: int


class _Connection(asyncio.Protocol):
    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass
        self._next()

    def _next(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._run.requests))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        status = int(self._buffer[9:12])
        length = 0
        if status not in (204, 304):
            at = self._buffer.lower().find(b"content-length:", 0, head)
            length = int(self._buffer[at + 15 : self._buffer.find(b"\r", at)])
        if len(self._buffer) < head + 4 + length:
            return
        self._buffer = b""
        self._run.answered(status, self._sent)
        if not self._run.over:
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._run.over:
            self._run.unexpected += 1


class _Run:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.requests: Iterator[bytes] = itertools.cycle(
            [each.encode("latin-1") for each in plan.requests]
        )
        self.latencies: list[float] = []
        self.unexpected = 0
        self.over = False
        self.counting_from = float("inf")

    def answered(self, status: int, sent: float) -> None:
        now = time.perf_counter()
        if sent >= self.counting_from:
            self.latencies.append(now - sent)
        if status != self.plan.expected_status:
            self.unexpected += 1

    async def go(self) -> Result:
        loop = asyncio.get_running_loop()
        for _ in range(self.plan.connections):
            await loop.create_connection(lambda: _Connection(self), self.plan.host, self.plan.port)
        await asyncio.sleep(self.plan.warmup_seconds)
        self.counting_from = time.perf_counter()
        await asyncio.sleep(self.plan.seconds)
        self.over = True
        seconds = time.perf_counter() - self.counting_from
        held = sorted(self.latencies)
        return Result(
            len(held) / seconds,
            statistics.median(held) * 1e6,
            held[int(len(held) * 0.99)] * 1e6,
            held[int(len(held) * 0.999)] * 1e6,
            len(held),
            self.unexpected,
        )


def main() -> None:
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    if plan.core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {plan.core})
    result = uvloop.run(_Run(plan).go())
    json.dump(msgspec.to_builtins(result), sys.stdout)


if __name__ == "__main__":
    main()
