"""
Two workers against one, on a machine whose cores the load generator shares.

Nothing is pinned here. How many cores the server and the load generator had is told beside the rates, from /proc: where
the two together have all there are, the ratio says what the machine has left, not what a second worker is worth.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.load import Result
from benchmarks.report import Cell, Findings, Table, step
from benchmarks.servers import Server, endcap, measure
from benchmarks.serving import FIGURES, ITEMS, figures, gets, median, recommends
from benchmarks.sizes import Size
from benchmarks.world import ids, prepare

WORKERS = (1, 2)
CUSTOMIZATIONS = 10_000
CONNECTIONS = 32
KINDS = {"recommend": recommends, "signed GET": gets}


def run(size: Size) -> Findings:
    with ExitStack() as stack:
        data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        parts = prepare(data_dir, items_count=ITEMS, customizations=CUSTOMIZATIONS)
        known = ids(parts, 500)
        parts.close()
        servers: dict[int, Server] = {
            workers: stack.enter_context(endcap(data_dir, workers=workers, pinned=False))
            for workers in WORKERS
        }
        results: dict[tuple[str, int], list[Result]] = {
            (kind, workers): [] for kind in KINDS for workers in WORKERS
        }
        for number in range(size.rounds):
            step(f"round {number + 1} of {size.rounds}")
            for (kind, workers), held in results.items():
                server = servers[workers]
                held.append(
                    measure(
                        server.port,
                        KINDS[kind](server.port, known),
                        status=200,
                        connections=CONNECTIONS,
                        seconds=size.seconds,
                        watched=server.processes,
                        pinned=False,
                    )
                )
    lines: list[list[Cell]] = [
        [
            kind,
            workers,
            *figures(held),
            median(held, "rate") / median(results[kind, 1], "rate"),
            median(held, "watched_cores"),
            median(held, "own_cores"),
        ]
        for (kind, workers), held in results.items()
    ]
    columns = ["request", "workers", *FIGURES, "rate : 1 worker", "server's cores", "load's cores"]
    return Findings([], [Table(columns, lines)])
