"""
Write → visible, in every worker, while shoppers ask; and what shoppers notice of the updates.

A load generator asks for recommendations at a fixed rate, all the time. A watcher sits on one connection to each
worker, which stays with it, and asks for one recommendation every few milliseconds. A writer replaces one
customization, through each worker by turns, and waits until every watcher has seen the new pin. The time counts from
the answer of the write, so it includes up to one pause of a watcher. The quiet phase has the same load and the same
watchers and no writes: what differs is the updates.
"""

import asyncio
import http.client
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from benchmarks import mix
from benchmarks.lines import Line, worker_lines
from benchmarks.load import Plan, Result, quantile
from benchmarks.report import Cell, Findings, Row, Table, at_most, step
from benchmarks.servers import HOST, ask, endcap, finished, loading, request
from benchmarks.serving import RECOMMEND_PATH, SCOPE, median
from benchmarks.sizes import Case, Size
from benchmarks.world import catalog_objects, fill
from tests.services import postgres

GOAL_MS = 200
TAIL_RATIO_MAX = 2
LOAD_PER_SECOND = 1_000
CONNECTIONS = 16
WATCH_SECONDS = 0.004
SETTLE_SECONDS = 0.02  # between a change seen and the next write
LOST_SECONDS = 60.0
WARMUP_SECONDS = 1.0
WATCHED = "trends_300000000"  # a model of which nothing else speaks
PINNED = 500  # items that take turns as the pin


class Found(Struct, frozen=True):
    """What one case came to: milliseconds of each write, and the load's results without and with writes."""

    delays: list[float]
    quiet: list[Result]
    updated: list[Result]


def run(size: Size) -> Findings:
    lines: list[list[Cell]] = []
    rows: list[Row] = []
    for case in size.visible:
        found = _measured(case, size)
        delays = sorted(found.delays)
        tails = [quantile(delays, share) for share in (0.5, 0.99, 0.999)]
        name = f"{store_of(case)}, {case.workers} workers, {case.customizations:,} customizations"
        lines.append(
            [
                store_of(case),
                case.workers,
                case.customizations,
                len(delays),
                *tails,
                median(found.quiet, "p999") / 1_000,
                median(found.updated, "p999") / 1_000,
            ]
        )
        figures = f"{len(delays)} writes"
        rows.append(at_most(f"write → visible, p99, {name}", tails[1], GOAL_MS, figures, unit="ms"))
        ratio = median(found.updated, "p999") / median(found.quiet, "p999")
        rows.append(at_most(f"recommend p99.9, updated : quiet, {name}", ratio, TAIL_RATIO_MAX, ""))
    columns = [
        *("store", "workers", "customizations", "writes", "p50 ms", "p99 ms", "p99.9 ms"),
        *("recommend p99.9 ms, quiet", "during updates"),
    ]
    return Findings(rows, [Table(columns, lines)])


def store_of(case: Case) -> str:
    return "PostgreSQL" if case.postgres else "SQLite"


def _measured(case: Case, size: Size) -> Found:
    told = f"{store_of(case)}, {case.workers} workers, {case.customizations:,} customizations"
    with tempfile.TemporaryDirectory() as held, database(case) as url:
        data_dir = Path(held)
        step(f"{told}: writing")
        objects = catalog_objects(mix.objects(size.visible_items))
        bodies = mix.bodies(case.customizations, size.visible_items)
        fill(data_dir, objects, bodies, url=url).close()
        environment = {"ENDCAP_DATABASE_URL": url}
        step(f"{told}: loading")
        with endcap(
            data_dir, workers=case.workers, environment=environment, pinned=False
        ) as server:
            pinning = _create(server.port)
            wishes = mix.wishes(case.customizations, size.visible_items, wanted=200)
            requests = [
                request(
                    "POST",
                    RECOMMEND_PATH,
                    server.port,
                    body=json.dumps([each]).encode(),
                    signed=False,
                )
                for each in wishes
            ]
            plan = Plan(
                HOST,
                server.port,
                requests,
                CONNECTIONS,
                size.visible_seconds,
                WARMUP_SECONDS,
                200,
                per_second=LOAD_PER_SECOND,
            )
            step(f"{told}: measuring")
            return asyncio.run(_phases(server.port, case.workers, plan, pinning, size.rounds))


@contextmanager
def database(case: Case) -> Iterator[str]:
    """The address of a new database; empty for the file in the data directory."""
    if not case.postgres:
        yield ""
        return
    with postgres_url() as url:
        yield url


@contextmanager
def postgres_url() -> Iterator[str]:
    """A database of a PostgreSQL server that lives as long as the measurement."""
    binaries = postgres.find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed; Debian's package is postgresql")
    with postgres.running_server(binaries) as server:
        yield server.create_database()


def _body(number: int) -> bytes:
    pin = {"position": 1, "pin_type": "item", "pin_identity": _pinned(number)}
    body = {"model": WATCHED, "target_type": "all", "pin_definitions": [pin]}
    return json.dumps(body).encode()


def _pinned(number: int) -> str:
    return f"/p/{number % PINNED + 100}"


def _create(port: int) -> str:
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    said = ask(connection, request("POST", SCOPE, port, body=_body(0)))
    connection.close()
    return str(json.loads(said)["id"])


class _Watcher:
    """Knows which pin one worker shows, and since when."""

    def __init__(self, line: Line, port: int) -> None:
        self._line = line
        wish = json.dumps([{"recommendation_type": WATCHED, "size": 1}]).encode()
        self._wish = request("POST", RECOMMEND_PATH, port, body=wish, signed=False)
        self._wanted = b""
        self._seen: asyncio.Future[float] | None = None

    def expect(self, item: str) -> "asyncio.Future[float]":
        """Is done when the worker shows the item, with the time."""
        self._wanted = b'"url":"%b"' % item.encode()
        self._seen = asyncio.get_running_loop().create_future()
        return self._seen

    async def watch(self) -> None:
        while True:
            answer = await self._line.ask(self._wish)
            if self._seen is not None and not self._seen.done() and self._wanted in answer:
                self._seen.set_result(time.perf_counter())
            await asyncio.sleep(WATCH_SECONDS)


async def _phases(port: int, workers: int, plan: Plan, pinning: str, rounds: int) -> Found:
    found = Found([], [], [])
    lines = await worker_lines(port, workers)
    watchers = [_Watcher(line, port) for line in lines]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(watcher.watch()) for watcher in watchers]
        for _ in range(rounds):
            with loading(plan) as process:
                found.quiet.append(await asyncio.to_thread(finished, process))
            with loading(plan) as process:
                result = asyncio.create_task(asyncio.to_thread(finished, process))
                await asyncio.sleep(WARMUP_SECONDS)
                start = len(found.delays)
                found.delays.extend(
                    await _updates(port, pinning, lines, watchers, start=start, until=result)
                )
                found.updated.append(await result)
        for task in tasks:
            task.cancel()
    for line in lines:
        line.close()
    return found


async def _updates(
    port: int,
    pinning: str,
    lines: Sequence[Line],
    watchers: Sequence[_Watcher],
    *,
    start: int,
    until: "asyncio.Task[Result]",
) -> list[float]:
    """Milliseconds from each write's answer until the last worker showed it."""
    delays: list[float] = []
    number = start
    while not until.done():
        number += 1
        seen = [watcher.expect(_pinned(number)) for watcher in watchers]
        line = lines[number % len(lines)]
        await line.ask(request("PUT", f"{SCOPE}/{pinning}", port, body=_body(number)))
        answered = time.perf_counter()
        async with asyncio.timeout(LOST_SECONDS):
            shown = await asyncio.gather(*seen)
        delays.append(max(0.0, (max(shown) - answered) * 1_000))
        await asyncio.sleep(SETTLE_SECONDS)
    return delays
