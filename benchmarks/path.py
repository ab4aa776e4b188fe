"""
Where the microseconds of a request go: one process, no socket, from the bytes of a request to those of its answer.

Requests are fed to the worker's own protocol, and the parts of the way are timed where they follow each other: a part
in a loop of its own has the processor's caches to itself and looks twice as quick. What the parts leave of the whole is
told as the rest.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import uvicorn
import uvloop
from uvicorn.server import ServerState

from benchmarks.report import Findings, Table
from benchmarks.servers import TRACKER
from benchmarks.serving import WISH, gets, recommends
from benchmarks.world import ids, prepare
from endcap.api.app import App, Parts, build
from endcap.api.auth import Authenticator
from endcap.api.http import Request
from endcap.api.protocol import StraightProtocol
from endcap.config import load
from endcap.domain import CustomizationId
from endcap.engine.place import Scene, place_page
from endcap.wire.recommending import read_requests

ITEMS = 20_000
CUSTOMIZATIONS = 10_000
KNOWN = 500
CALLS = 4_000
REPEATS = 5

Step = Callable[[], object]


class _Nowhere:
    """A transport to nobody."""

    def write(self, data: bytes) -> None:
        self.last = data

    def get_extra_info(self, name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        raise RuntimeError(f"the connection was to be closed: {self.last[:200]!r}")


def run() -> Findings:
    with tempfile.TemporaryDirectory() as held:
        data_dir = Path(held)
        prepared = prepare(data_dir, items_count=ITEMS, customizations=CUSTOMIZATIONS)
        known = ids(prepared, KNOWN)
        prepared.close()
        settings = load({"ENDCAP_CLOCK_SKEW_SECONDS": "300"}, {"data_dir": str(data_dir)})
        return uvloop.run(_measured(App(build(settings)), known))


async def _measured(app: App, known: Sequence[str]) -> Findings:
    app.start()
    try:
        get, recommend = gets(80, list(known)), recommends(80, [])
        tables = [
            _table("signed GET", _whole(app, get), _get_steps(app.parts, get)),
            _table("recommend", _whole(app, recommend), _recommend_steps(app.parts)),
        ]
    finally:
        app.stop()
    return Findings([], tables)


def _table(name: str, whole: float, parts: dict[str, float]) -> Table:
    rest = whole - sum(parts.values())
    told = {"HTTP, route, counters, and the rest": rest, **parts, "all of it": whole}
    return Table([name, "µs"], [[part, microseconds] for part, microseconds in told.items()])


def _whole(app: App, requests: Sequence[str]) -> float:
    """Microseconds of a request through the protocol."""
    config = uvicorn.Config(
        app,
        ws="none",
        http=StraightProtocol,
        log_config=None,
        access_log=False,
        proxy_headers=False,
    )
    config.load()
    protocol = StraightProtocol(config, ServerState(), {}, asyncio.get_running_loop())
    transport = _Nowhere()
    protocol.connection_made(cast(Any, transport))
    sent = [each.encode("latin-1") for each in requests]
    held: list[float] = []
    for _ in range(REPEATS + 1):  # the first warms
        began = time.perf_counter()
        for number in range(CALLS):
            protocol.data_received(sent[number % len(sent)])
        held.append((time.perf_counter() - began) / CALLS * 1e6)
    if not transport.last.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"unexpected answer: {transport.last[:200]!r}")
    return statistics.median(held[1:])


def _parts(steps: Callable[[int], list[tuple[str, Step]]]) -> dict[str, float]:
    """Microseconds of each step, one after the other as a request takes them."""
    spent: dict[str, list[float]] = {}
    for turn in range(REPEATS + 1):
        sums: dict[str, float] = {}
        for number in range(CALLS):
            for name, step in steps(number):
                began = time.perf_counter()
                step()
                sums[name] = sums.get(name, 0.0) + time.perf_counter() - began
        if turn:
            for name, seconds in sums.items():
                spent.setdefault(name, []).append(seconds / CALLS * 1e6)
    return {name: statistics.median(held) for name, held in spent.items()}


def _get_steps(parts: Parts, requests: Sequence[str]) -> dict[str, float]:
    authenticator = Authenticator(parts.service)
    taken = [_taken_apart(each) for each in requests]

    def steps(number: int) -> list[tuple[str, Step]]:
        request = taken[number % len(taken)]
        shop = parts.service.shop(TRACKER)
        wanted = CustomizationId(request.path.rpartition("/")[2])
        return [
            ("signature", lambda: _through(authenticator.tracker_of_path(request, TRACKER))),
            (
                "the customization, from memory",
                lambda: parts.service.get_mirrored(shop, wanted) or parts.service.get(shop, wanted),
            ),
        ]

    return _parts(steps)


def _recommend_steps(parts: Parts) -> dict[str, float]:
    recommending = parts.recommending
    shop = parts.service.shop(TRACKER)
    (request,) = read_requests(WISH)
    recommender = shop.recommenders.find(request.model)
    assert recommender is not None

    def seen() -> Scene:
        now = recommending.clock()
        ranking = recommending.rank(shop, request, recommender, now)
        return recommending.scene(shop, request, ranking, now)

    scene = seen()
    placed = _parts(
        lambda number: [
            ("reading the request", lambda: read_requests(WISH)),
            ("who speaks, the ranking, who is eligible", seen),
            ("placement", lambda: place_page(shop.snapshot.catalog, [scene])),
        ]
    )
    whole = _parts(lambda number: [("all", lambda: recommending.recommend(shop, [request]))])["all"]
    before = sum(placed.values()) - placed["reading the request"]
    return {**placed, "ten hits and the answer around them": whole - before}


def _taken_apart(text: str) -> Request:
    """A request as the protocol makes it."""
    head, *lines = text.split("\r\n\r\n", maxsplit=1)[0].split("\r\n")
    method, target, _ = head.split(" ")
    headers = [line.split(": ", 1) for line in lines]
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers]
    return Request(method, urlsplit(target).path.encode(), b"", encoded, "", b"")


def _through(awaitable: Any) -> object:
    """The result of a coroutine that waits for nothing."""
    try:
        awaitable.send(None)
    except StopIteration as ended:
        return ended.value
    raise RuntimeError("it waited")
