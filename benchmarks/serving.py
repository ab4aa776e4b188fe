"""
Serving against the floor: signed GET, durable PUT, recommend; one worker, the same run, alternately.
"""

import json
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.load import Result
from benchmarks.report import Row, quantity
from benchmarks.servers import TRACKER, endcap, floor, measure, request
from benchmarks.world import MODEL, ids, prepare

ITEMS = 20_000
ROUNDS = 5
SCOPE = f"/v1/recommender/pin/{TRACKER}/scope"
PUT_BODY = json.dumps(
    {
        "model": "basket",
        "target_type": "item",
        "target_identity": "/p/123",
        "tags": ["spring"],
        "target_metadata": {"title": "Fender Telecaster", "image_link": "https://doe.com/123.jpg"},
        "pin_definitions": [
            {
                "position": 1,
                "pin_type": "item",
                "pin_identity": "/p/555",
                "active_from": "2025-02-01T00:00:00Z",
            },
            {
                "position": 2,
                "pin_type": "item",
                "pin_identity": "/p/556",
                "active_to": "2030-02-01T00:00:00Z",
            },
            {"position": -1, "pin_type": "item", "pin_identity": "/p/557"},
        ],
    }
).encode()
WISH = json.dumps([{"recommendation_type": MODEL, "item_ids": ["/p/1"], "size": 10}]).encode()
RECOMMEND = f"/v1/recommend?tracker_id={TRACKER}"


def gets(port: int, known: list[str]) -> list[str]:
    return [request("GET", f"{SCOPE}/{each}", port) for each in known]


def puts(port: int, known: list[str]) -> list[str]:
    return [request("PUT", f"{SCOPE}/{each}", port, body=PUT_BODY) for each in known]


def recommends(port: int, known: list[str]) -> list[str]:
    return [request("POST", RECOMMEND, port, body=WISH)]


Requests = Callable[[int, list[str]], list[str]]


def against_floor(
    name: str,
    make: Requests,
    *,
    status: int,
    goal: float,
    customizations: int,
    rounds: int,
    url: str = "",
) -> list[Row]:
    """One row: the ratio of medians of requests a second, ours to the floor's."""
    with ExitStack() as stack:
        data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        parts = prepare(data_dir, items_count=ITEMS, customizations=customizations, url=url)
        known = ids(parts, 500)
        parts.store.close()
        ours = stack.enter_context(endcap(data_dir, environment={"ENDCAP_DATABASE_URL": url}))
        theirs = stack.enter_context(floor())
        results: dict[str, list[Result]] = {"ours": [], "floor": []}
        for _ in range(rounds):
            results["floor"].append(measure(theirs, make(theirs, known), status=status))
            results["ours"].append(measure(ours, make(ours, known), status=status))
    return [_row(name, goal, results)]


def _row(name: str, goal: float, results: dict[str, list[Result]]) -> Row:
    for side, measured in results.items():
        wrong = sum(result.unexpected for result in measured)
        if wrong:
            raise RuntimeError(f"{name}: {wrong} unexpected answers from {side}")
    ours = statistics.median(result.rate for result in results["ours"])
    base = statistics.median(result.rate for result in results["floor"])
    p50 = statistics.median(result.p50 for result in results["ours"])
    p99 = statistics.median(result.p99 for result in results["ours"])
    figures = f"{ours:,.0f}/s against {base:,.0f}/s; p50 {p50:,.0f} µs, p99 {p99:,.0f} µs"
    return Row(name, ours / base, f"≥ {goal}", ours / base >= goal, figures)


def rule_count(rounds: int) -> list[Row]:
    """Recommend with 1 and with 10,000 customizations, and its tail at 16 connections."""
    medians: dict[int, float] = {}
    tails: list[float] = []
    with ExitStack() as stack:
        ports: dict[int, int] = {}
        for count in (1, 10_000):
            data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            prepare(data_dir, items_count=ITEMS, customizations=count).store.close()
            ports[count] = stack.enter_context(endcap(data_dir))
        measured: dict[int, list[Result]] = {1: [], 10_000: []}
        for _ in range(rounds):
            for count, port in ports.items():
                measured[count].append(
                    measure(port, recommends(port, []), status=200, connections=16)
                )
        medians = {n: statistics.median(r.p50 for r in results) for n, results in measured.items()}
        tails = [result.p99 / result.p50 for result in measured[10_000]]
    ratio, tail = medians[10_000] / medians[1], statistics.median(tails)
    spoken = quantity(medians[1], "µs") + " and " + quantity(medians[10_000], "µs")
    return [
        Row("recommend p50, 10,000 customizations : 1", ratio, "≤ 1.3", ratio <= 1.3, spoken),
        Row("recommend p99 : p50, 16 connections", tail, "≤ 3", tail <= 3, ""),
    ]
