"""
The console: how long a page of the list of customizations takes, and what shoppers would get while somebody types.

All is asked as a browser asks, by one who is signed in, one after the other over one connection. Each question of the
list is another way to filter, sort or page; every tenth time a customization is changed just before, so that what is
held in memory for the list has to be brought up to date. What is typed differs in every request, as it does for people.
"""

import http.client
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.load import quantile
from benchmarks.report import Cell, Findings, Row, Table, step
from benchmarks.servers import HOST, TRACKER, Server, ask, endcap
from benchmarks.serving import puts
from benchmarks.sizes import Size
from benchmarks.world import MODEL, ids, prepare
from endcap.accounts import EVERY_TRACKER, Role, csrf
from endcap.web.visits import SESSION

GOAL_MILLISECONDS = 200.0
ITEMS = 20_000
ASKED = 40  # of each question in a round
TYPED = 200  # changes of a form in a round
CHANGED_EVERY = 10
TRIAL_GOAL_MILLISECONDS = 100.0
LIST = f"/console/t/{TRACKER}/customizations"
TRY = f"{LIST}/00000000-0000-4000-8000-000000000000/try"
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
            accounts.create("bench", password, {EVERY_TRACKER: Role.EDITOR}, actor="bench")
            token = accounts.sign_in("bench", password, address=HOST)
            changed = iter(ids(parts, size.rounds * ASKED * len(QUESTIONS)))
        with endcap(data_dir) as server:
            connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
            with closing(connection):
                step(f"the list of {count:,} customizations, for the first time")
                first = _asked(connection, "", token)
                taken: dict[str, list[float]] = {name: [] for name in QUESTIONS}
                after: list[float] = []
                tried: list[float] = []
                for number in range(size.rounds):
                    step(f"console, round {number + 1} of {size.rounds}")
                    for name, query in QUESTIONS.items():
                        taken[name] += _round(connection, query, token, server, changed, after)
                    tried += [_tried(connection, typed, token) for typed in range(TYPED)]
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
    trial = quantile(sorted(tried), 0.95)
    lines.append(["what shoppers would get, while typing", *_figures(tried)])
    typing = Row(
        f"p95 of what shoppers would get, ms, {count:,} customizations",
        trial,
        f"≤ {TRIAL_GOAL_MILLISECONDS:.0f}",
        trial <= TRIAL_GOAL_MILLISECONDS,
        f"{len(tried):,} trials",
    )
    return Findings(
        [row, typing], [Table(["question", "p50, ms", "p95, ms", "longest, ms"], lines)]
    )


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


def _tried(connection: http.client.HTTPConnection, typed: int, token: str) -> float:
    """Milliseconds of one trial: pins of items, of criteria, a block; each kind of target. Raises if it is none."""
    fields = {
        "csrf": csrf(token),
        "model": MODEL,
        "target": ("item", "criteria", "all")[typed % 3],
        "item": "/p/1",
        "t-as": "text",
        "t-text": f'{{"brand": {{"values": ["brand-1", "brand-{typed}"]}}}}',
        "enabled": "1",
        "s-compare": "1",
        **_pin(0, "item", item=f"/p/{typed * 7 + 2}", slot=typed % 10 + 1),
        **_pin(1, "item", item=f"/p/{typed * 11 + 3}", slot=2),
        **_pin(2, "criteria", text=f'{{"category": "category-{typed % 50}"}}', slot=4),
        "p3-place": "never",
        "p3-what": "item",
        "p3-item": f"/p/{typed + 5}",
    }
    headers = {
        "Cookie": f"{SESSION}={token}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Sec-Fetch-Site": "same-origin",
        "Endcap-Part": "1",
    }
    began = time.perf_counter()
    connection.request("POST", TRY, body=urlencode(fields), headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    taken = (time.perf_counter() - began) * 1_000
    if answer.status != 200 or b"data-slot=" not in body:
        raise RuntimeError(f"no trial, but {answer.status} {body[:200]!r}")
    return taken


def _pin(number: int, what: str, *, slot: int, item: str = "", text: str = "") -> Mapping[str, str]:
    prefix = f"p{number}-"
    return {
        f"{prefix}place": "slot",
        f"{prefix}slot": str(slot),
        f"{prefix}what": what,
        f"{prefix}item": item,
        f"{prefix}as": "text",
        f"{prefix}text": text,
    }


def _figures(times: list[float]) -> tuple[float, float, float]:
    ordered = sorted(times)
    return quantile(ordered, 0.5), quantile(ordered, 0.95), ordered[-1]
