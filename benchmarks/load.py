"""
A load generator: N keep-alive connections send prepared requests, and what the answers took is counted.

Closed by default: a connection sends its next request when it has its answer, so the rate is what the server can do.
With `per_second` the load is a fixed one: every connection has its times to send at, and a request that could not be
sent in time because its predecessor's answer was late counts from when it was due, so that a stall is not hidden.

Written on bare protocols so that one core of it outruns a worker; it reads status, length and nothing else. Run it as
a process of its own (`python -m benchmarks.load`), pinned beside the server's core where a plan says so.
"""

import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import msgspec
import uvloop

from benchmarks.processes import cpu_seconds

STALL_SECONDS = 1.0  # a round that ends that late was on a machine that stood still
STALLED = 3
"""The exit code that says so."""
TIMER_GRAIN_SECONDS = 0.002  # the event loop's timers are that late by themselves
_CHUNKS_END = b"\r\n0\r\n\r\n"


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
    per_second: float = 0
    """All connections together; 0: as fast as answers come."""
    watched: list[int] = []
    """Processes whose time on the processors is counted while the load is."""


class Result(msgspec.Struct):
    """Requests a second, latency in microseconds, and how many cores were busy meanwhile."""

    rate: float
    p50: float
    p99: float
    p999: float
    count: int
    unexpected: int
    own_cores: float = 0
    watched_cores: float = 0


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of an ordered list does not exceed; the last one where the list is too short for it."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def answer_length(buffer: bytes) -> int | None:
    """Bytes of the whole answer at the start of the buffer; None while it is not all there."""
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return None
    if buffer[9:12] in (b"204", b"304"):
        return head + 4
    at = buffer.lower().find(b"content-length:", 0, head)
    if at < 0:  # in chunks; a line break inside of JSON is escaped, so the end cannot be mistaken
        return len(buffer) if buffer.endswith(_CHUNKS_END) else None
    length = head + 4 + int(buffer[at + 15 : buffer.find(b"\r", at)])
    return length if len(buffer) >= length else None


class _Connection(asyncio.Protocol):
    def __init__(self, run: "Run", number: int) -> None:
        self._run = run
        self._number = number
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass
        self._due = time.perf_counter() + self._run.phase(self._number)
        self._next()

    def _next(self) -> None:
        if not self._run.pause:
            self._due = time.perf_counter()
            self._send()
            return
        rest = self._due - time.perf_counter()
        if rest > 0:
            self._run.loop.call_later(rest, self._on_time)
        else:
            self._send()

    def _on_time(self) -> None:
        now = time.perf_counter()
        if now - self._due < TIMER_GRAIN_SECONDS:
            self._due = now
        if not self._run.over:
            self._send()

    def _send(self) -> None:
        self._transport.write(next(self._run.requests))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if answer_length(self._buffer) is None:
            return
        status = int(self._buffer[9:12])
        self._buffer = b""
        self._run.answered(status, self._due)
        if not self._run.over:
            self._due += self._run.pause
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._run.over:
            self._run.unexpected += 1


class Stalled(RuntimeError):
    """The machine stood still meanwhile, as a virtual one may when it is saved or moved."""


class Run:
    """One run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.requests: Iterator[bytes] = itertools.cycle(
            [each.encode("latin-1") for each in plan.requests]
        )
        self.latencies: list[float] = []
        self.unexpected = 0
        self.over = False
        self.counting_from = float("inf")
        self.transports: list[asyncio.BaseTransport] = []
        self.pause = plan.connections / plan.per_second if plan.per_second else 0.0

    def phase(self, number: int) -> float:
        """Connections take turns."""
        return self.pause * number / self.plan.connections

    def answered(self, status: int, due: float) -> None:
        now = time.perf_counter()
        if due >= self.counting_from:
            self.latencies.append(now - due)
        if status != self.plan.expected_status:
            self.unexpected += 1

    async def go(self) -> Result:
        plan = self.plan
        self.loop = asyncio.get_running_loop()
        for number in range(plan.connections):
            made = partial(_Connection, self, number)
            transport, _ = await self.loop.create_connection(made, plan.host, plan.port)
            self.transports.append(transport)
        began = time.perf_counter()
        await asyncio.sleep(plan.warmup_seconds)
        watched_before, own_before = cpu_seconds(plan.watched), cpu_seconds([os.getpid()])
        self.counting_from = time.perf_counter()
        await asyncio.sleep(plan.seconds)
        self.over = True
        seconds = time.perf_counter() - self.counting_from
        watched, own = cpu_seconds(plan.watched), cpu_seconds([os.getpid()])
        for opened in self.transports:
            opened.close()
        late = time.perf_counter() - began - plan.warmup_seconds - plan.seconds
        if late > STALL_SECONDS:
            raise Stalled(f"{late:.1f} s late")
        held = sorted(self.latencies)
        if not held:
            raise RuntimeError("no answer in time")
        return Result(
            len(held) / seconds,
            quantile(held, 0.5) * 1e6,
            quantile(held, 0.99) * 1e6,
            quantile(held, 0.999) * 1e6,
            len(held),
            self.unexpected,
            (own - own_before) / seconds,
            (watched - watched_before) / seconds,
        )


def main() -> None:
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    if plan.core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {plan.core})
    try:
        result = uvloop.run(Run(plan).go())
    except Stalled:
        sys.exit(STALLED)
    json.dump(msgspec.to_builtins(result), sys.stdout)


if __name__ == "__main__":
    main()
