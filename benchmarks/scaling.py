"""
What a request costs as rules and items grow: 1 to 1,000,000 customizations, 20,000 to 1,000,000 items.

All servers of a measurement are up at once and are measured in turns, so that what else the machine does meets all.
"""

import http.client
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from benchmarks import mix
from benchmarks.load import Result
from benchmarks.report import Cell, Findings, Row, Table, at_most, step
from benchmarks.servers import HOST, Server, ask, endcap, measure, request
from benchmarks.serving import FIGURES, RECOMMEND_PATH, figures, median
from benchmarks.sizes import Size
from benchmarks.world import catalog_objects, fill

CONNECTIONS = 16
WISHES = 500
EXPLAINED = 50
MEGABYTE = 1 << 20
K = TypeVar("K")


def rules(size: Size) -> Findings:
    """Recommend with more and more customizations, about ten of which speak."""
    with ExitStack() as stack:
        servers: dict[int, Server] = {}
        asked: dict[int, list[str]] = {}
        speaking: dict[int, float] = {}
        for count in size.rules:
            bodies = mix.bodies(count, size.rules_items)
            servers[count] = server = stack.enter_context(
                _filled(size.rules_items, bodies, told=f"{count:,} customizations")
            )
            wishes = mix.wishes(count, size.rules_items, wanted=WISHES)
            asked[count] = [_request(wish, server.port) for wish in wishes]
            speaking[count] = _speaking(server.port, wishes[:EXPLAINED])
        results = _in_turns({n: (each.port, asked[n]) for n, each in servers.items()}, size)
        lines: list[list[Cell]] = [
            [count, round(speaking[count], 1), *figures(results[count]), *_weight(server)]
            for count, server in servers.items()
        ]
    columns = ["customizations", "speak", *FIGURES, "memory MB", "load s"]
    return Findings(_steady(results), [Table(columns, lines)])


def items(size: Size) -> Findings:
    """Ten item pins against ten criteria pins as the catalog grows."""
    kinds = {"item pins": _item_pins(), "criteria pins": _criteria_pins(), "narrow": _narrow_pins()}
    own = [_for_all(f"trends_{200_000_000 + n}", pins) for n, pins in enumerate(kinds.values())]
    with ExitStack() as stack:
        servers: dict[int, Server] = {}
        sides: dict[tuple[int, str], tuple[int, list[str]]] = {}
        for count in size.items:
            bodies = [*own, *mix.bodies(size.items_customizations, count)]
            servers[count] = server = stack.enter_context(
                _filled(count, bodies, told=f"{count:,} items")
            )
            for kind, body in zip(kinds, own, strict=True):
                wish = {"recommendation_type": body["model"], "item_ids": ["/p/1"], "size": 10}
                sides[count, kind] = server.port, [_request(wish, server.port)]
        results = _in_turns(sides, size)
        weights = {count: _weight(server) for count, server in servers.items()}
    medians = {side: median(held, "p50") for side, held in results.items()}
    lines: list[list[Cell]] = [
        [count, kind, *figures(held), medians[count, kind] / medians[count, "item pins"]]
        for (count, kind), held in results.items()
    ]
    most = max(size.items)
    ratio = medians[most, "criteria pins"] / medians[most, "item pins"]
    narrow = medians[most, "narrow"] / medians[most, "item pins"]
    rows = [
        at_most(f"criteria pins : item pins, p50, {most:,} items", ratio, 2, ""),
        at_most(f"narrow criteria pins : item pins, p50, {most:,} items", narrow, 2, ""),
    ]
    return Findings(
        rows,
        [
            Table(["items", "10 pins", *FIGURES, "p50 : item pins"], lines),
            Table(
                ["items", "memory MB", "load s"], [[n, *weight] for n, weight in weights.items()]
            ),
        ],
    )


@contextmanager
def _filled(
    items_count: int, bodies: Iterator[mix.Body] | Sequence[mix.Body], *, told: str
) -> Iterator[Server]:
    """A server over so many items and these customizations."""
    with tempfile.TemporaryDirectory() as held:
        data_dir = Path(held)
        step(f"{told}: writing")
        fill(data_dir, catalog_objects(mix.objects(items_count)), bodies).close()
        step(f"{told}: loading")
        with endcap(data_dir) as server:
            step(f"{told}: ready after {server.ready_seconds:.1f} s")
            yield server


def _in_turns(sides: Mapping[K, tuple[int, list[str]]], size: Size) -> dict[K, list[Result]]:
    """Results by side. A side is a port and the requests to it."""
    results: dict[K, list[Result]] = {side: [] for side in sides}
    for number in range(size.rounds):
        step(f"round {number + 1} of {size.rounds}")
        for side, (port, requests) in sides.items():
            results[side].append(
                measure(port, requests, status=200, connections=CONNECTIONS, seconds=size.seconds)
            )
    return results


def _weight(server: Server) -> tuple[float, float]:
    """Memory in MB and load time in seconds."""
    return server.memory_bytes / MEGABYTE, server.ready_seconds


def _steady(results: Mapping[int, Sequence[Result]]) -> list[Row]:
    """The medians against those with one customization, and with ten, all of which speak."""
    medians = {count: median(held, "p50") for count, held in results.items()}
    rows = [
        at_most(
            f"p50, {count:,} customizations : {base:,}", medians[count] / medians[base], 1.3, ""
        )
        for base in (1, mix.SPEAKING)
        for count in results
        if count > mix.SPEAKING
    ]
    most = results[max(results)]
    tail = median(most, "p99") / median(most, "p50")
    return [*rows, at_most(f"p99 : p50, {max(results):,} customizations", tail, 3, "")]


def _request(wish: mix.Body, port: int, query: str = "", *, signed: bool = False) -> str:
    """As a shopper's browser asks: unsigned."""
    body = msgspec.json.encode([wish])
    return request("POST", RECOMMEND_PATH + query, port, body=body, signed=signed)


def _speaking(port: int, wishes: Sequence[mix.Body]) -> float:
    """How many customizations speak in a request, on average, by the server's own explanations."""
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    counts = []
    for wish in wishes:
        said = ask(connection, _request(wish, port, "&explain=true", signed=True))
        counts.append(len(_customizations(json.loads(said))))
    connection.close()
    return sum(counts) / len(counts)


def _customizations(explained: object) -> set[str]:
    """Every customization named anywhere in an explanation."""
    match explained:
        case dict():
            named = {explained["customization_id"]} if explained.get("customization_id") else set()
            return named.union(*map(_customizations, explained.values()))
        case list():
            return set().union(*map(_customizations, explained))
        case _:
            return set()


def _for_all(model: str, pins: Sequence[mix.Body]) -> mix.Body:
    return {"model": model, "target_type": "all", "pin_definitions": list(pins)}


def _item_pins() -> list[mix.Body]:
    return [
        {"position": slot, "pin_type": "item", "pin_identity": f"/p/{slot * 7 + 2}"}
        for slot in range(1, 11)
    ]


def _criteria_pins() -> list[mix.Body]:
    """A tenth of the catalog meets each."""
    return [
        {
            "position": slot,
            "pin_type": "criteria",
            "pin_criteria": {
                "color": mix.COLORS[slot % 4],
                "price_amount": {"values": [f"{slot * 20}|{slot * 20 + 200}"]},
            },
        }
        for slot in range(1, 11)
    ]


def _narrow_pins() -> list[mix.Body]:
    """Some ten thousandth of the catalog meets each."""
    return [
        {
            "position": slot,
            "pin_type": "criteria",
            "pin_criteria": {"brand": f"brand-{slot}", "category": f"category-{slot}"},
        }
        for slot in range(1, 11)
    ]
