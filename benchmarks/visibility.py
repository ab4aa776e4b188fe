"""
Write → visible: from the answer of a signed write in one worker to the first recommendation of another that shows it.
"""

import http.client
import json
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.report import Row
from benchmarks.servers import HOST, endcap, request
from benchmarks.serving import RECOMMEND, SCOPE, WISH
from benchmarks.world import MODEL, prepare

GOAL_MS = 200


def rows(writes: int, *, url: str = "", label: str = "SQLite") -> list[Row]:
    """Two workers; each write goes to one, the other is watched without a pause."""
    with tempfile.TemporaryDirectory() as held:
        data_dir = Path(held)
        prepare(data_dir, items_count=1_000, customizations=1_000, url=url).store.close()
        with endcap(data_dir, workers=2, environment={"ENDCAP_DATABASE_URL": url}) as port:
            writer, reader = _two_workers(port)
            delays = sorted(_delay(writer, reader, port, number) for number in range(writes))
    p50, p99 = statistics.median(delays), delays[int(len(delays) * 0.99)]
    figures = f"p50 {p50:.1f} ms, longest {delays[-1]:.1f} ms, {writes} writes"
    return [
        Row(
            f"write → visible elsewhere, p99, {label}",
            p99,
            f"≤ {GOAL_MS} ms",
            p99 <= GOAL_MS,
            figures,
        )
    ]


def _two_workers(port: int) -> tuple[http.client.HTTPConnection, http.client.HTTPConnection]:
    found: dict[str, http.client.HTTPConnection] = {}
    while len(found) < 2:
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        lines = _ask(connection, request("GET", "/metrics", port, signed=False)).splitlines()
        pid = next(line for line in lines if line.startswith(b"endcap_worker_pid "))
        found.setdefault(pid.decode(), connection)
    first, second = found.values()
    return first, second


def _delay(
    writer: http.client.HTTPConnection, reader: http.client.HTTPConnection, port: int, number: int
) -> float:
    """Milliseconds."""
    item = f"/p/{number % 900 + 50}"
    pin = {"position": 1, "pin_type": "item", "pin_identity": item}
    body = {
        "model": MODEL,
        "target_type": "item",
        "target_identity": "/p/1",
        "pin_definitions": [pin],
    }
    _ask(writer, request("POST", SCOPE, port, body=json.dumps(body).encode()))
    answered = time.perf_counter()
    watch = request("POST", RECOMMEND, port, body=WISH, signed=False)
    while json.loads(_ask(reader, watch))[0]["hits"][0]["url"] != item:
        pass
    return (time.perf_counter() - answered) * 1_000


def _ask(connection: http.client.HTTPConnection, whole: str) -> bytes:
    """Sends a prepared request over a kept connection."""
    head, _, body = whole.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    connection.request(method, path, body.encode("latin-1"), headers)
    return connection.getresponse().read()
