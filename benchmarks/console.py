"""
The console's list of customizations: how long one page takes, asked as a browser asks, by one who is signed in.

Each question is another way to filter, sort or page, one after the other over one connection. Every tenth time a
customization is changed just before, so that what is held in memory for the list has to be brought up to date.
"""

import http.client
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from benchmarks.load import quantile
from benchmarks.report import Cell, Findings, Row, Table, step
from benchmarks.servers import HOST, TRACKER, Server, ask, endcap
from benchmarks.serving import puts
from benchmarks.sizes import Size
from benchmarks.world import MODEL, ids, prepare
from endcap.accounts import EVERY_TRACKER, Role
from endcap.web.visits import SESSION

GOAL_MILLISECONDS = 200.0
ITEMS = 20_000
ASKED = 40  # of each question in a round
CHANGED_EVERY = 10
LIST = f"/console/t/{TRACKER}/customizations"
QUESTIONS: Mapping[str, str] = {
    "everything": "",
    "page 1,000": "?page=1000",
    "a recommender": f"?model={MODEL}",
    "a status": "?status=active",
    "criteria alone": "?target=criteria",
    "a word of a title": "?q=title+of+usual",
    "a few by text": "?q=4711",
    "nothing found": "?q=unheard-of",
    "sorted by target": "?sort=target",
    "filtered, sorted, paged": "?target=item&status=active&q=product&sort=-target&page=40",
}


def run(size: Size) -> Findings:
    """Every question, in turns, and what p95 is of all of them together."""
    count = size.console_customizations
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        parts = prepare(data_dir, items_count=ITEMS, customizations=count)
        with closing(parts):
            accounts, password = parts.accounts, "a password of this benchmark"
            accounts.create("bench", password, {EVERY_TRACKER: Role.VIEWER}, actor="bench")
            token = accounts.sign_in("bench", password, address=HOST)
            changed = iter(ids(parts, size.rounds * ASKED * len(QUESTIONS)))
        with endcap(data_dir) as server:
            connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
            with closing(connection):
                step(f"the list of {count:,} customizations, for the first time")
                first = _asked(connection, "", token)
                taken: dict[str, list[float]] = {name: [] for name in QUESTIONS}
                after: list[float] = []
                for number in range(size.rounds):
                    step(f"console, round {number + 1} of {size.rounds}")
                    for name, query in QUESTIONS.items():
                        taken[name] += _round(connection, query, token, server, changed, after)
    lines: list[list[Cell]] = [[name, *_figures(times)] for name, times in taken.items()]
    lines.append(["everything, just after a change", *_figures(after)])
    lines.append(["everything, for the first time", first, first, first])
    everything = sorted(each for times in taken.values() for each in times)
    p95 = quantile(everything, 0.95)
    row = Row(
        f"p95 of the list, ms, {count:,} customizations",
        p95,
        f"≤ {GOAL_MILLISECONDS:.0f}",
        p95 <= GOAL_MILLISECONDS,
        f"{len(everything):,} pages",
    )
    return Findings([row], [Table(["question", "p50, ms", "p95, ms", "longest, ms"], lines)])


def _round(
    connection: http.client.HTTPConnection,
    query: str,
    token: str,
    server: Server,
    changed: Iterator[str],
    after: list[float],
) -> list[float]:
    times = []
    for number in range(ASKED):
        if number % CHANGED_EVERY == 0:
            ask(connection, *puts(server.port, [next(changed)]))
            after.append(_asked(connection, "", token))
        times.append(_asked(connection, query, token))
    return times


def _asked(connection: http.client.HTTPConnection, query: str, token: str) -> float:
    """Milliseconds of one page. Raises if it is not the list."""
    began = time.perf_counter()
    connection.request("GET", LIST + query, headers={"Cookie": f"{SESSION}={token}"})
    answer = connection.getresponse()
    body = answer.read()
    taken = (time.perf_counter() - began) * 1_000
    if answer.status != 200 or b'<div id="list"' not in body:
        raise RuntimeError(f"no list, but {answer.status} {body[:200]!r}")
    return taken


def _figures(times: list[float]) -> tuple[float, float, float]:
    ordered = sorted(times)
    return quantile(ordered, 0.5), quantile(ordered, 0.95), ordered[-1]
