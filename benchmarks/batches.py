"""
A batch of 100 objects on a large catalog, sent over HTTP → visible in every worker, while shoppers ask; and how long
such a server takes to start.

Nine in ten objects of a batch replace one that is spread anywhere over the catalog, the others are new; all carry the
batch's mark. A watcher on one connection to each worker asks for what has the mark, and has seen the batch when it is
given all of it. The answer alone is no measure: a write is answered when the worker that took it shows it.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from benchmarks import mix
from benchmarks.lines import Line, worker_lines
from benchmarks.load import Plan, Result, quantile
from benchmarks.report import Cell, Findings, Row, Table, at_most, step
from benchmarks.servers import HOST, Server, endcap, finished, loading, request
from benchmarks.serving import RECOMMEND_PATH, median
from benchmarks.sizes import Case, Size
from benchmarks.visible import database, store_of
from benchmarks.world import catalog_objects, fill

CONTENT = "/v1/content"
OBJECTS, NEW_OBJECTS = 100, 10
GOAL_MS = 1_000
START_GOAL_SECONDS = 60
LOAD_PER_SECOND = 200
CONNECTIONS = 16
WATCH_SECONDS = 0.004
SETTLE_SECONDS = 0.05
LOST_SECONDS = 60.0
WARMUP_SECONDS = 1.0
HITS_MAX = 50  # of one recommendation; a call never gives an item twice
STRIDE = 7_919  # a prime, so that batches are spread and come again late
MEGABYTE = 1 << 20


class Batch(Struct, frozen=True):
    """Milliseconds from the first byte of the request until it was answered, and until every worker showed it."""

    answered: float
    visible: float


class Found(Struct, frozen=True):
    """What one case came to."""

    batches: list[Batch]
    loads: list[Result]
    start_seconds: float
    memory_bytes: int


def run(size: Size) -> Findings:
    """Cases of one store share what is written: a million objects are written once."""
    lines: list[list[Cell]] = []
    rows: list[Row] = []
    for postgres, cases in groupby(size.batches, lambda case: case.postgres):
        for case, found in _measured(list(cases), size):
            lines.append(_line(case, found))
            rows += _rows(case, found, size)
        step(f"{'PostgreSQL' if postgres else 'SQLite'}: done")
    columns = [
        *("store", "workers", "batches", "answered p50 ms", "p99 ms", "max ms"),
        *("visible p50 ms", "p99 ms", "max ms", "recommend p99.9 ms", "start s", "memory MB"),
    ]
    return Findings(rows, [Table(columns, lines)])


def _line(case: Case, found: Found) -> list[Cell]:
    return [
        *(store_of(case), case.workers, len(found.batches)),
        *_quantiles([each.answered for each in found.batches]),
        *_quantiles([each.visible for each in found.batches]),
        median(found.loads, "p999") / 1_000,
        found.start_seconds,
        found.memory_bytes / MEGABYTE,
    ]


def _quantiles(delays: Sequence[float]) -> tuple[float, float, float]:
    ordered = sorted(delays)
    return quantile(ordered, 0.5), quantile(ordered, 0.99), ordered[-1]


def _rows(case: Case, found: Found, size: Size) -> list[Row]:
    world = f"{size.batches_items:,} items, {case.customizations:,} customizations"
    where = f"{store_of(case)}, {case.workers} workers"
    slowest = max(each.visible for each in found.batches)
    figures = f"{len(found.batches)} batches, {world}"
    rows = [
        at_most(
            f"{OBJECTS} objects sent → visible, max, {where}",
            slowest,
            GOAL_MS,
            figures,
            unit="ms",
        )
    ]
    if case.workers == 1:
        name = f"start until ready, {where}"
        rows.append(at_most(name, found.start_seconds, START_GOAL_SECONDS, world, unit="s"))
    return rows


def _measured(cases: Sequence[Case], size: Size) -> list[tuple[Case, Found]]:
    most = max(case.customizations for case in cases)
    found: list[tuple[Case, Found]] = []
    with tempfile.TemporaryDirectory() as held, database(cases[0]) as url:
        step(f"{store_of(cases[0])}: writing {size.batches_items:,} items")
        objects = catalog_objects(mix.objects(size.batches_items))
        fill(Path(held), objects, mix.bodies(most, size.batches_items), url=url).close()
        marked = 0
        for case in cases:
            told = f"{store_of(case)}, {case.workers} workers"
            step(f"{told}: starting")
            environment = {"ENDCAP_DATABASE_URL": url}
            with endcap(
                Path(held), workers=case.workers, environment=environment, pinned=False
            ) as server:
                step(f"{told}: ready after {server.ready_seconds:.1f} s, measuring")
                found.append((case, asyncio.run(_phases(server, case, size, marked))))
            marked += len(found[-1][1].batches)
    return found


async def _phases(server: Server, case: Case, size: Size, marked: int) -> Found:
    """`marked` batches are there already."""
    found: list[Batch] = []
    loads: list[Result] = []
    lines = await worker_lines(server.port, case.workers)
    for _ in range(size.rounds):
        with loading(_plan(server, case, size)) as process:
            result = asyncio.create_task(asyncio.to_thread(finished, process))
            await asyncio.sleep(WARMUP_SECONDS)
            while not result.done():
                number = marked + len(found)
                found.append(await _sent(number, lines, server.port, size.batches_items))
                await asyncio.sleep(SETTLE_SECONDS)
            loads.append(await result)
    for line in lines:
        line.close()
    return Found(found, loads, server.ready_seconds, server.memory_bytes)


def _plan(server: Server, case: Case, size: Size) -> Plan:
    wishes = mix.wishes(case.customizations, size.batches_items, wanted=200)
    requests = [
        request("POST", RECOMMEND_PATH, server.port, body=json.dumps([each]).encode(), signed=False)
        for each in wishes
    ]
    return Plan(
        HOST,
        server.port,
        requests,
        CONNECTIONS,
        size.batches_seconds,
        WARMUP_SECONDS,
        200,
        per_second=LOAD_PER_SECOND,
    )


async def _sent(number: int, lines: Sequence[Line], port: int, items: int) -> Batch:
    """Sends a batch through each worker by turns, and waits until all of them show it."""
    whole = request("POST", CONTENT, port, body=_body(number, items))
    began = time.perf_counter()
    async with asyncio.timeout(LOST_SECONDS), asyncio.TaskGroup() as group:
        answer = group.create_task(_answered(lines[number % len(lines)], whole))
        seen = [group.create_task(_seen(line, number, port)) for line in lines]
    return Batch(
        (answer.result() - began) * 1_000,
        (max(each.result() for each in seen) - began) * 1_000,
    )


async def _answered(line: Line, whole: str) -> float:
    await line.ask(whole)
    return time.perf_counter()


async def _seen(line: Line, number: int, port: int) -> float:
    """When a worker shows the whole batch."""
    wish = {
        "recommendation_type": "trends",
        "size": HITS_MAX,
        "recommendation_context": {"batch": _mark(number)},
    }
    body = json.dumps([wish] * (OBJECTS // HITS_MAX)).encode()
    whole = request("POST", RECOMMEND_PATH, port, body=body, signed=False)
    while True:
        shown = await line.ask(whole)
        if shown.count(b'"exact":true') == OBJECTS:
            return time.perf_counter()
        await asyncio.sleep(WATCH_SECONDS)


def _mark(number: int) -> str:
    return f"batch {number}"


def _body(number: int, items: int) -> bytes:
    """Nine in ten replace an object with other prices, the rest are new."""
    first = number * OBJECTS
    places = [(first + place) * STRIDE % items for place in range(OBJECTS - NEW_OBJECTS)]
    known = [(f"/p/{place}", mix.fields(place)) for place in places]
    new = [(f"/new/{first + place}", mix.fields(items + place)) for place in range(NEW_OBJECTS)]
    changes = {"batch": _mark(number), "price": f"{number % mix.PRICES + 5} EUR"}
    objects = [
        {"identity": identity, "type": "item", "fields": {**fields, **changes}}
        for identity, fields in (*known, *new)
    ]
    return json.dumps({"objects": objects}).encode()
