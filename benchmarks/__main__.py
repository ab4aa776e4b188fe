"""
`scripts/bench [NAME …]`: the measured goals, as tables, as JSON, and on docs/performance.md.

Without a name everything but batches, scale, kills and quality is measured. With --markdown and no name nothing is
measured: the pages' tables are written anew from the file of --json.
"""

import argparse
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from benchmarks import (
    batches,
    building,
    console,
    events,
    models,
    path,
    peer,
    placement,
    quality,
    report,
    scale,
    scaling,
    serving,
    visible,
    workers,
)
from benchmarks.report import Cell, Findings, Measured, Report, Row, Table
from benchmarks.sizes import SIZES, Size, without_more


def _postgres(size: Size) -> Findings:
    with visible.postgres_url() as url:
        return serving.against_floor(serving.POSTGRES_PUT, size, customizations=1_000, url=url)


def _scale(size: Size) -> Findings:
    """In one process; ENDCAP_BENCH_SHARE makes it smaller."""
    with visible.postgres_url() as url:
        return Findings([*scale.rows(), *scale.load_rows(url)])


CRASH_TESTS = ("tests/durability/test_kill_nine.py", "tests/durability/test_kill_nine_events.py")


def _kills(size: Size) -> Findings:
    """The crash tests."""
    command = [sys.executable, "-m", "pytest", "-q", *CRASH_TESTS]
    environment = {**os.environ, "ENDCAP_TEST_KILLS": str(size.kills)}
    report.step(f"{size.kills} kills for each store and number of workers")
    done = subprocess.run(command, env=environment, check=False, stdout=subprocess.PIPE, text=True)
    told = done.stdout.strip().splitlines()[-1:]
    failed = done.returncode
    row = Row(
        "kill -9 in a storm of writes, and of events",
        failed,
        "0: no failure",
        failed == 0,
        " ".join(told),
    )
    columns = ["store", "workers", "kills"]
    lines: list[list[Cell]] = [
        [store, workers, size.kills] for store in ("SQLite", "PostgreSQL") for workers in (1, 2)
    ]
    return Findings([row], [Table(columns, lines)])


MEASUREMENTS: dict[str, Callable[[Size], Findings]] = {
    "floor": serving.floor_steps,
    "get": lambda size: serving.against_floor(serving.GET, size, customizations=10_000),
    "put": lambda size: serving.against_floor(serving.PUT, size, customizations=10_000),
    "recommend": lambda size: serving.against_floor(serving.RECOMMEND, size, customizations=10_000),
    "place": serving.place,
    "path": lambda size: path.run(),
    "models": lambda size: models.run(),
    "placement": lambda size: placement.run(),
    "rules": scaling.rules,
    "items": scaling.items,
    "peer": peer.run,
    "visible": visible.run,
    "batches": batches.run,
    "workers": workers.run,
    "postgres": _postgres,
    "events": events.run,
    "console": console.run,
    "build": building.run,
    "scale": _scale,
    "kills": _kills,
    "quality": quality.run,
}
LONG = ("batches", "scale", "kills", "quality")
"""Only by name: they take long, or need data sets that are no part of the project."""


class Given(Struct, frozen=True):
    """The command line, understood."""

    names: list[str]
    size_name: str
    size: Size
    figures: Path | None
    pages: list[Path]


def main() -> None:
    given = _given()
    found: Report = {}
    failed: list[str] = []
    for name in given.names:
        print(f"measuring {name}, size {given.size_name} …", file=sys.stderr, flush=True)
        try:
            found[name] = _measured(name, given)
        except (Exception, SystemExit):  # noqa: BLE001 - the others are worth having
            traceback.print_exc()
            failed.append(name)
            continue
        if given.figures:  # after each, so that what is interrupted was not for nothing
            report.write(given.figures, {**report.read(given.figures), name: found[name]})
    report.show(found)
    if given.figures:
        held = report.read(given.figures)
        for each in given.pages:
            page = each.read_text(encoding="utf-8")
            each.write_text(report.rendered(page, held), encoding="utf-8")
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


def _measured(name: str, given: Given) -> Measured:
    load_average, began = report.load_average(), time.monotonic()
    findings = MEASUREMENTS[name](given.size)
    return Measured(
        machine=report.machine(),
        date=datetime.now(UTC).date().isoformat(),
        size=given.size_name,
        rounds=given.size.rounds,
        round_seconds=given.size.seconds,
        load_average=load_average,
        took_seconds=round(time.monotonic() - began),
        findings=findings,
    )


def _given() -> Given:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--size", choices=SIZES, default="full", help="default: full")
    parser.add_argument("--rounds", type=int, help="of load, each side; medians are told")
    parser.add_argument("--seconds", type=float, help="of one round")
    parser.add_argument("--most", type=int, metavar="N", help="leave out what has more than N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the figures to this file")
    parser.add_argument(
        "--markdown",
        type=Path,
        metavar="PAGE",
        action="append",
        default=[],
        help="write --json's figures on this page; may be repeated",
    )
    given = parser.parse_args()
    if unknown := set(given.names) - set(MEASUREMENTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if given.markdown and not given.json:
        parser.error("--markdown writes what --json has: give both")
    size = SIZES[given.size]
    chosen = {"rounds": given.rounds, "seconds": given.seconds}
    size = replace(size, **{name: value for name, value in chosen.items() if value})
    if given.most:
        size = without_more(size, given.most)
    all_names = [] if given.markdown else [name for name in MEASUREMENTS if name not in LONG]
    return Given(given.names or all_names, given.size, size, given.json, given.markdown)


if __name__ == "__main__":
    main()
