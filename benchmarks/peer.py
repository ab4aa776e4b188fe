"""
The same job by a search engine with pins and by Endcap: 10,000 products, two pins, ten hits, 16 connections.

Theirs: a search text names an item, ten products near it are found, and one rule of many matches the text and pins two.
Ours: a recommender is asked for an item, and one customization of many targets it and pins two. Both on the same core,
in turns, by the same load generator. Before anything is measured, both show their pins in slots 1 and 2.
"""

import http.client
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

from benchmarks import mix, typesense
from benchmarks.load import Result
from benchmarks.report import Cell, Findings, Row, Table, at_least, step
from benchmarks.scaling import CONNECTIONS, MEGABYTE, WISHES
from benchmarks.servers import HOST, Server, ask, endcap, measure, request
from benchmarks.serving import FIGURES, RECOMMEND_PATH, figures, median
from benchmarks.sizes import Size
from benchmarks.world import MODEL, catalog_objects, fill

HITS = 10
CHECKED = 20
NEAR = 20
THEIRS, OURS = f"Typesense {typesense.VERSION}", "Endcap"


def run(size: Size) -> Findings:
    step("installing Typesense, unless it is there")
    program = typesense.installed()
    lines: list[list[Cell]] = []
    rows: list[Row] = []
    for count in size.peer_rules:
        with ExitStack() as stack:
            step(f"{count:,} rules: writing")
            ours = _ours(stack, size.peer_products, count)
            theirs = stack.enter_context(typesense.typesense(program))
            typesense.fill(
                theirs.port, _documents(size.peer_products), _rules(size.peer_products, count)
            )
            sides = {
                THEIRS: (theirs, [_search(theirs.port, n) for n in range(min(count, WISHES))]),
                OURS: (ours, [_recommend(ours.port, n) for n in range(min(count, WISHES))]),
            }
            _check(ours.port, theirs.port, size.peer_products, count)
            results: dict[str, list[Result]] = {side: [] for side in sides}
            for number in range(size.rounds):
                step(f"{count:,} rules, round {number + 1} of {size.rounds}")
                for side, (server, requests) in sides.items():
                    results[side].append(
                        measure(
                            server.port,
                            requests,
                            status=200,
                            connections=CONNECTIONS,
                            seconds=size.seconds,
                        )
                    )
            for side, (server, _) in sides.items():
                memory = server.memory_bytes / MEGABYTE
                lines.append([count, side, *figures(results[side]), memory])
        ratio = median(results[OURS], "rate") / median(results[THEIRS], "rate")
        rows.append(at_least(f"requests/s, Endcap : Typesense, {count:,} rules", ratio, 1, ""))
    return Findings(rows, [Table(["rules", "server", *FIGURES, "memory MB"], lines)])


def pins(number: int, products: int) -> tuple[int, int]:
    """The two products that the rule for a product pins; never the product itself."""
    return (number + products // 2) % products, (number + products // 2 + 1) % products


def _ours(stack: ExitStack, products: int, count: int) -> Server:
    data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    objects = catalog_objects(mix.objects(products))
    fill(data_dir, objects, (_customization(n, products) for n in range(count))).close()
    return stack.enter_context(endcap(data_dir))


def _customization(number: int, products: int) -> mix.Body:
    return {
        "model": MODEL,
        "target_type": "item",
        "target_identity": f"/p/{number}",
        "pin_definitions": [
            {"position": slot, "pin_type": "item", "pin_identity": f"/p/{pinned}"}
            for slot, pinned in enumerate(pins(number, products), 1)
        ],
    }


def _recommend(port: int, number: int) -> str:
    wish = {"recommendation_type": MODEL, "item_ids": [f"/p/{number}"], "size": HITS}
    body = msgspec.json.encode([wish])
    return request("POST", RECOMMEND_PATH, port, body=body, signed=False)


def _documents(products: int) -> Iterator[typesense.Document]:
    """Each is near 20 others, and so each has 20 near it. Fields as in our hits."""
    for number in range(products):
        near = [f"item{(number * 7 + other) % products}" for other in range(NEAR)]
        document = {"id": str(number), **mix.fields(number)}
        yield document | {"near": near, "popularity": products - number}


def _rules(products: int, count: int) -> Iterator[typesense.Document]:
    for number in range(count):
        includes = [
            {"id": str(pinned), "position": slot}
            for slot, pinned in enumerate(pins(number, products), 1)
        ]
        rule = {"query": f"item{number}", "match": "exact"}
        yield {"id": f"rule-{number}", "rule": rule, "includes": includes}


def _search(port: int, number: int) -> str:
    return typesense.search(port, f"item{number}", hits=HITS)


def _check(ours: int, theirs: int, products: int, count: int) -> None:
    """Both show ten hits, the two pinned ones first."""
    for number in range(0, count, max(1, count // CHECKED)):
        first, second = pins(number, products)
        (answer,) = json.loads(_ask_once(ours, _recommend(ours, number)))
        _compare(OURS, [hit["url"] for hit in answer["hits"]], [f"/p/{first}", f"/p/{second}"])
        answer = json.loads(_ask_once(theirs, _search(theirs, number)))
        shown = [hit["document"]["id"] for hit in answer["hits"]]
        _compare(THEIRS, shown, [str(first), str(second)])


def _compare(side: str, shown: list[str], pinned: list[str]) -> None:
    if len(shown) != HITS or shown[:2] != pinned:
        raise RuntimeError(f"{side} shows {shown}, where {pinned} are pinned first")


def _ask_once(port: int, whole: str) -> bytes:
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    try:
        return ask(connection, whole)
    finally:
        connection.close()
