"""
`scripts/bench [NAME …] [--rounds N] [--json FILE]`: the measured goals, as a table.

Names: get, put, recommend, rules, placement, visibility, postgres (put and visibility over PostgreSQL), scale (a
million of everything: a quarter of an hour and 6 GB), kills. Without a name: all but the last two.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks import placement, report, scale, serving, visibility
from benchmarks.report import Row
from tests.services import postgres

WRITES = 100


@contextmanager
def _postgres_url() -> Iterator[str]:
    """A database of a PostgreSQL server that lives as long as the measurement."""
    binaries = postgres.find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed; Debian's package is postgresql")
    with postgres.running_server(binaries) as server:
        yield server.create_database()


def _get(rounds: int) -> list[Row]:
    return serving.against_floor(
        "signed GET : floor, SQLite",
        serving.gets,
        status=200,
        goal=0.65,
        customizations=10_000,
        rounds=rounds,
    )


def _put(rounds: int) -> list[Row]:
    return serving.against_floor(
        "durable PUT : floor's PUT, SQLite",
        serving.puts,
        status=204,
        goal=0.6,
        customizations=10_000,
        rounds=rounds,
    )


def _recommend(rounds: int) -> list[Row]:
    return serving.against_floor(
        "recommend, 10 speak of 10,000 : floor",
        serving.recommends,
        status=200,
        goal=0.6,
        customizations=10_000,
        rounds=rounds,
    )


def _postgres(rounds: int) -> list[Row]:
    with _postgres_url() as url:
        rows = serving.against_floor(
            "durable PUT : floor's PUT, PostgreSQL",
            serving.puts,
            status=204,
            goal=0.3,
            customizations=1_000,
            rounds=rounds,
            url=url,
        )
    with _postgres_url() as url:
        return rows + visibility.rows(WRITES, url=url, label="PostgreSQL")


def _scale(rounds: int) -> list[Row]:
    with _postgres_url() as url:
        return scale.rows() + scale.load_rows(url)


def _kills(rounds: int) -> list[Row]:
    """The crash tests, 20 kills a store."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/durability/test_kill_nine.py"]
    done = subprocess.run(command, env={**os.environ, "ENDCAP_TEST_KILLS": "20"}, check=False)
    return [
        Row("kill -9, 20 times a store", done.returncode, "0 failures", done.returncode == 0, "")
    ]


MEASUREMENTS: dict[str, Callable[[int], list[Row]]] = {
    "get": _get,
    "put": _put,
    "recommend": _recommend,
    "rules": serving.rule_count,
    "placement": lambda rounds: placement.rows(),
    "visibility": lambda rounds: visibility.rows(WRITES),
    "postgres": _postgres,
    "scale": _scale,
    "kills": _kills,
}

LONG = ("scale", "kills")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--rounds", type=int, default=serving.ROUNDS, help="measurements a side")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = parser.parse_args()
    unknown = set(given.names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    names = given.names or [name for name in MEASUREMENTS if name not in LONG]
    rows: list[Row] = []
    for name in names:
        print(f"measuring {name} …", file=sys.stderr)
        rows += MEASUREMENTS[name](given.rounds)
    report.show(rows)
    if given.json:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2))


if __name__ == "__main__":
    main()
