"""
The console: how long a page of the list of customizations, of what needs attention and of the calendar takes, and what
shoppers would get while somebody types.

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
BASE = f"/console/t/{TRACKER}"
LIST, HEALTH, CALENDAR = f"{BASE}/customizations", f"{BASE}/health", f"{BASE}/calendar"
TRY = f"{LIST}/00000000-0000-4000-8000-000000000000/try"
QUESTIONS: Mapping[str, str] = {
    "everything": LIST,
    "page 1,000": f"{LIST}?page=1000",
    "a recommender": f"{LIST}?model={MODEL}",
    "a status": f"{LIST}?status=active",
    "criteria alone": f"{LIST}?target=criteria",
    "a word of a title": f"{LIST}?q=title+of+usual",
    "a few by text": f"{LIST}?q=4711",
    "nothing found": f"{LIST}?q=unheard-of",
    "sorted by target": f"{LIST}?sort=target",
    "filtered, sorted, paged": f"{LIST}?target=item&status=active&q=product&sort=-target&page=40",
}
OTHERS: Mapping[str, str] = {
    "what needs attention": HEALTH,
    "one complaint, page 20": f"{HEALTH}?complaint=duplicate&page=20",
    "a month of the calendar": CALENDAR,
    "a week of one recommender": f"{CALENDAR}?view=week&model={MODEL}",
}
FIRST: Mapping[str, str] = {
    "everything": LIST,
    "what needs attention": HEALTH,
    "a month of the calendar": CALENDAR,
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
            asked = {**QUESTIONS, **OTHERS}
            changed = iter(ids(parts, size.rounds * ASKED * len(asked)))
        with endcap(data_dir) as server:
            connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
            with closing(connection):
                step(f"the list of {count:,} customizations, for the first time")
                first = {path: _asked(connection, path, token) for path in FIRST.values()}
                taken: dict[str, list[float]] = {name: [] for name in asked}
                after: list[float] = []
                tried: list[float] = []
                for number in range(size.rounds):
                    step(f"console, round {number + 1} of {size.rounds}")
                    for name, path in asked.items():
                        taken[name] += _round(connection, path, token, server, changed, after)
                    tried += [_tried(connection, typed, token) for typed in range(TYPED)]
    lines: list[list[Cell]] = [[name, *_figures(times)] for name, times in taken.items()]
    lines.append(["everything, just after a change", *_figures(after)])
    lines += [[f"{name}, for the first time", *[first[path]] * 3] for name, path in FIRST.items()]
    rows = [
        _row("the list", [taken[name] for name in QUESTIONS], count),
        _row("what needs attention, and the calendar", [taken[name] for name in OTHERS], count),
        _row("what shoppers would get", [tried], count, goal=TRIAL_GOAL_MILLISECONDS),
    ]
    lines.append(["what shoppers would get, while typing", *_figures(tried)])
    return Findings(rows, [Table(["question", "p50, ms", "p95, ms", "longest, ms"], lines)])


def _row(of: str, taken: list[list[float]], count: int, *, goal: float = GOAL_MILLISECONDS) -> Row:
    everything = sorted(each for times in taken for each in times)
    p95 = quantile(everything, 0.95)
    return Row(
        f"p95 of {of}, ms, {count:,} customizations",
        p95,
        f"≤ {goal:.0f}",
        p95 <= goal,
        f"{len(everything):,} pages",
    )


def _round(
    connection: http.client.HTTPConnection,
    path: str,
    token: str,
    server: Server,
    changed: Iterator[str],
    after: list[float],
) -> list[float]:
    times = []
    for number in range(ASKED):
        if number % CHANGED_EVERY == 0:
            ask(connection, *puts(server.port, [next(changed)]))
            after.append(_asked(connection, LIST, token))
        times.append(_asked(connection, path, token))
    return times


def _asked(connection: http.client.HTTPConnection, path: str, token: str) -> float:
    """Milliseconds of one page. Raises if it is not one."""
    headers = {"Cookie": f"{SESSION}={token}"}
    return _timed(connection, b'<main id="main"', "GET", path, headers=headers)


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
    return _timed(connection, b"data-slot=", "POST", TRY, headers=headers, body=urlencode(fields))


def _timed(
    connection: http.client.HTTPConnection,
    wanted: bytes,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str],
    body: str | None = None,
) -> float:
    """Milliseconds of one request. Raises if what is wanted is not in the answer."""
    began = time.perf_counter()
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    said = answer.read()
    taken = (time.perf_counter() - began) * 1_000
    if answer.status != 200 or wanted not in said:
        raise RuntimeError(f"no {wanted.decode()}, but {answer.status} {said[:200]!r}")
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
