"""
Shopper events: how many a second one worker keeps durably, into an empty store and into one that holds many.

Every event is sent once: its id is new. Seven of ten are views, the others clicks, lists of recommendations and
transactions, of 0.4 to 2 kB as pages send them. The floor answers a signed PUT that it keeps in a dict.
"""

import http.client
import random
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

from benchmarks.load import Result
from benchmarks.report import Cell, Findings, Row, Table, step
from benchmarks.servers import HOST, TRACKER, Server, ask, endcap, floor, measure, request
from benchmarks.serving import FIGURES, figures, median, puts
from benchmarks.sizes import Size
from benchmarks.visible import postgres_url
from benchmarks.world import prepare
from endcap.clock import system_clock
from endcap.domain import Event, Micros, TrackerId
from endcap.store.events import EventStore

GOAL = 2_000
ITEMS, CLIENTS = 20_000, 5_000
RATE_MAX = 8_000  # no worker is faster; so many events a second are made ready
BATCH = 5_000


class _Head(msgspec.Struct):
    id: str
    type: str
    client_id: int


_HEAD = msgspec.json.Decoder(_Head)


def bodies(count: int, seed: str) -> Iterator[bytes]:
    """Events of a shop's pages, no two with one id."""
    chance = random.Random(seed)
    now = system_clock() // 1_000_000
    for _ in range(count):
        common = {
            "id": f"{chance.getrandbits(128):032x}",
            "tracker_id": TRACKER,
            "client_id": chance.randrange(CLIENTS),
            "local_timestamp": now - chance.randrange(60),
            "platform": "web",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
            "referer": "https://shop.example/category/guitars?page=2",
            "consent_granted": True,
        }
        yield msgspec.json.encode({**common, **_told(chance)})


def _told(chance: random.Random) -> dict[str, object]:
    def item() -> str:
        return f"/p/{chance.randrange(ITEMS)}"

    match chance.randrange(20):
        case 0:
            items = [{"url": item(), "count": 1, "total_price": 9.5, "title": "A thing"}] * 3
            return {"type": "transaction", "items": items}
        case 1 | 2:
            shown = [
                {"title": "A thing", "type": "item", "url": item(), "position": at, "price": 9.5}
                for at in range(1, 11)
            ]
            query = {"filters": {"RecommenderClientId": "basket", "RecommendationId": "r"}}
            return {"type": "event", "lists": {"Recommendation": {"items": shown, "query": query}}}
        case 3 | 4 | 5:
            return {"type": "click", "action": {"type": "click", "resource_identifier": item()}}
        case _:
            return {"type": "pv", "url": item()}


def run(size: Size) -> Findings:
    """SQLite, empty and filled, and PostgreSQL, each against the floor."""
    with ExitStack() as stack:
        sides = {"floor: a PUT": stack.enter_context(floor())}
        for name, url, kept in (
            ("SQLite, empty", "", 0),
            (f"SQLite, {size.events_kept:,} kept", "", size.events_kept),
            ("PostgreSQL, empty", stack.enter_context(postgres_url()), 0),
        ):
            data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            parts = prepare(data_dir, items_count=ITEMS, customizations=10, url=url)
            _fill(parts.events, kept)
            parts.close()
            environment = {"ENDCAP_DATABASE_URL": url}
            sides[name] = stack.enter_context(endcap(data_dir, environment=environment))
        results: dict[str, list[Result]] = {name: [] for name in sides}
        for number in range(size.rounds):
            step(f"events, round {number + 1} of {size.rounds}")
            for name, server in sides.items():
                results[name].append(_measured(server, name, size.seconds, f"{name} {number}"))
        for name, server in sides.items():
            if not name.startswith("floor"):
                _check(server)
    lines: list[list[Cell]] = [
        [
            name,
            *figures(held),
            median(held, "rate") / median(results["floor: a PUT"], "rate"),
            median(held, "watched_cores"),
        ]
        for name, held in results.items()
    ]
    rows = [
        Row(f"events/s, {name}", round(rate), f"≥ {GOAL}", rate >= GOAL, "one worker")
        for name, held in results.items()
        if name.startswith("SQLite")
        for rate in (median(held, "rate"),)
    ]
    columns = ["store", *FIGURES, "rate : floor", "server's cores"]
    return Findings(rows, [Table(columns, lines)])


def _measured(server: Server, name: str, seconds: float, seed: str) -> Result:
    if name.startswith("floor"):
        return measure(
            server.port,
            puts(server.port, ["a"]),
            status=204,
            seconds=seconds,
            watched=server.processes,
        )
    count = round(RATE_MAX * (seconds + min(1.0, seconds / 3)))
    requests = [
        request("POST", "/v1", server.port, body=body, signed=False) for body in bodies(count, seed)
    ]
    return measure(server.port, requests, status=200, seconds=seconds, watched=server.processes)


def _check(server: Server) -> None:
    """Raises if an event was not kept: what is measured would be something else."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=30)
    shown = ask(connection, request("GET", "/metrics", server.port, signed=False)).decode()
    connection.close()
    outcomes = set(re.findall(r'^endcap_events_total\{.*outcome="(\w+)"', shown, re.MULTILINE))
    if outcomes != {"stored"}:
        raise RuntimeError(f"events were not just stored: {outcomes}")


def _fill(events: EventStore, count: int) -> None:
    now = system_clock()
    batch: list[Event] = []
    for number, body in enumerate(bodies(count, "kept")):
        told = _HEAD.decode(body)
        batch.append(
            Event(
                TrackerId(TRACKER),
                told.id,
                told.type,
                str(told.client_id),
                None,
                Micros(now - count + number),
                now,
                body,
            )
        )
        if len(batch) == BATCH:
            events.append(batch)
            batch = []
    events.append(batch)
