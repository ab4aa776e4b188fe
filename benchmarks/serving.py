"""
Serving against the floor: signed GET, durable PUT, recommend; one worker, the same run, alternately.
"""

import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from benchmarks.floor import BARE
from benchmarks.load import Result
from benchmarks.report import Cell, Findings, Table, at_least, step
from benchmarks.servers import TRACKER, endcap, floor, measure, request
from benchmarks.sizes import Size
from benchmarks.world import MODEL, ids, prepare

ITEMS = 20_000
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
RANKED = {
    "recommendation_type": MODEL,
    "item_ids": ["/p/1"],
    "size": 10,
    "ranking": [f"/p/{number * 97 % 10_000}" for number in range(1, 51)],
}
RANKED_BODY = json.dumps([RANKED]).encode()
RECOMMEND_PATH = f"/v1/recommend?tracker_id={TRACKER}"


def gets(port: int, known: list[str]) -> list[str]:
    return [request("GET", f"{SCOPE}/{each}", port) for each in known]


def puts(port: int, known: list[str]) -> list[str]:
    return [request("PUT", f"{SCOPE}/{each}", port, body=PUT_BODY) for each in known]


def recommends(port: int, known: list[str]) -> list[str]:
    return [request("POST", RECOMMEND_PATH, port, body=WISH)]


def placements(port: int, known: list[str]) -> list[str]:
    path = f"/api/place?tracker_id={TRACKER}&explain=false"
    return [request("POST", path, port, body=RANKED_BODY)]


def explained_placements(port: int, known: list[str]) -> list[str]:
    return [request("POST", f"/api/place?tracker_id={TRACKER}", port, body=RANKED_BODY)]


def explained_recommends(port: int, known: list[str]) -> list[str]:
    return [request("POST", f"{RECOMMEND_PATH}&explain=true", port, body=WISH)]


def bare(port: int, known: list[str]) -> list[str]:
    return [request("GET", BARE, port, signed=False)]


Requests = Callable[[int, list[str]], list[str]]


class Kind(Struct, frozen=True):
    """One kind of request, and what is wanted of it."""

    name: str
    make: Requests
    status: int
    goal: float
    first: float
    """The goal of before."""


GET = Kind("signed GET", gets, 200, 0.8, 0.65)
PUT = Kind("durable PUT", puts, 204, 0.85, 0.6)
RECOMMEND = Kind("recommend, 10 of 10,000 speak", recommends, 200, 0.85, 0.6)
POSTGRES_PUT = Kind("durable PUT over PostgreSQL", puts, 204, 0.3, 0)


def against_floor(kind: Kind, size: Size, *, customizations: int, url: str = "") -> Findings:
    """The ratio of medians of requests a second, ours to the floor's, measured alternately."""
    with ExitStack() as stack:
        data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        parts = prepare(data_dir, items_count=ITEMS, customizations=customizations, url=url)
        known = ids(parts, 500)
        parts.close()
        ours = stack.enter_context(endcap(data_dir, environment={"ENDCAP_DATABASE_URL": url}))
        theirs = stack.enter_context(floor())
        sides = {"floor": theirs.port, "Endcap": ours.port}
        results: dict[str, list[Result]] = {side: [] for side in sides}
        for number in range(size.rounds):
            step(f"{kind.name}, round {number + 1} of {size.rounds}")
            for side, port in sides.items():
                requests = kind.make(port, known)
                results[side].append(
                    measure(port, requests, status=kind.status, seconds=size.seconds)
                )
    lines: list[list[Cell]] = [[side, *figures(held)] for side, held in results.items()]
    rates = {side: median(held, "rate") for side, held in results.items()}
    told = f"{1e6 / rates['Endcap']:.0f} µs a request, the floor {1e6 / rates['floor']:.0f} µs"
    row = at_least(
        f"{kind.name} : floor", rates["Endcap"] / rates["floor"], kind.goal, told, first=kind.first
    )
    return Findings([row], [Table([kind.name, *FIGURES], lines)])


def place(size: Size) -> Findings:
    """A caller's ranking of 50 against a recommendation from the same server, alternately."""
    kinds: dict[str, Requests] = {
        "recommend": recommends,
        "place, not explained": placements,
        "recommend, explained": explained_recommends,
        "place, explained": explained_placements,
    }
    results: dict[str, list[Result]] = {name: [] for name in kinds}
    with ExitStack() as stack:
        data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prepare(data_dir, items_count=ITEMS, customizations=10_000).store.close()
        server = stack.enter_context(endcap(data_dir, environment={}))
        for number in range(size.rounds):
            step(f"place, round {number + 1} of {size.rounds}")
            for name, make in kinds.items():
                requests = make(server.port, [])
                results[name].append(
                    measure(server.port, requests, status=200, seconds=size.seconds)
                )
    lines: list[list[Cell]] = [[name, *figures(held)] for name, held in results.items()]
    rates = {name: median(held, "rate") for name, held in results.items()}
    ours, theirs = rates["place, explained"], rates["recommend, explained"]
    told = f"{1e6 / ours:.0f} µs a request, {1e6 / theirs:.0f} µs; both are signed"
    row = at_least("place : recommend, explained", ours / theirs, 0.8, told)
    return Findings([row], [Table(["10 of 10,000 speak, 10 hits", *FIGURES], lines)])


def floor_steps(size: Size) -> Findings:
    """What the floor's microseconds are: requests that do more and more."""
    kinds: dict[str, tuple[Requests, int]] = {
        "an answer of 600 bytes, nothing looked at": (bare, 200),
        "GET: the signature checked, a document looked up": (gets, 200),
        "PUT: the same, and a body read and validated": (puts, 204),
        "recommend: the same, and 10 hits made and written, 3 kB": (recommends, 200),
    }
    results: dict[str, list[Result]] = {name: [] for name in kinds}
    with floor() as server:
        for number in range(size.rounds):
            step(f"floor, round {number + 1} of {size.rounds}")
            for name, (make, status) in kinds.items():
                requests = make(server.port, ["a"])
                results[name].append(
                    measure(server.port, requests, status=status, seconds=size.seconds)
                )
    times = [1e6 / median(held, "rate") for held in results.values()]
    lines: list[list[Cell]] = [
        [name, median(held, "rate"), time, time - times[0]]
        for (name, held), time in zip(results.items(), times, strict=True)
    ]
    columns = ["the floor", "requests/s", "µs a request", "more than the first, µs"]
    return Findings([], [Table(columns, lines)])


FIGURES = ("requests/s", "p50 ms", "p99 ms", "p99.9 ms")


def figures(results: Sequence[Result]) -> list[Cell]:
    """Medians of the rounds, in the order of FIGURES."""
    tails = (median(results, name) / 1_000 for name in ("p50", "p99", "p999"))
    return [median(results, "rate"), *tails]


def median(results: Sequence[Result], name: str) -> float:
    return statistics.median(float(getattr(result, name)) for result in results)
