"""
What a build costs by how many order lines there are: seconds, memory, disk; on DuckDB, and on Spark where it is there.

More orders than the real shop has are made of its own, by a law that keeps baskets as they are: for k times the lines
the two years of orders are repeated k times under other order and customer numbers, each copy a quarter of an hour
later than the one before; and each copy is of one of √k (rounded up) ranges of items with names of their own, in turn.
So orders and customers grow like the lines, and items like their root, as shops' ranges grow more slowly than their
sales. Less than all are the orders whose number falls into a share. Every build has a process of its own, because
memory is only known of a whole one.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import duckdb
from msgspec import Struct

from benchmarks.quality import shared_data
from benchmarks.report import Cell, Findings, Row, Table, at_most, step
from benchmarks.sizes import Size
from endcap.recommend.database import MEMORY_MB

LARGE, LARGE_MEMORY_MB = 16, 8_192  # from how many times on a build gets more memory too
NOW = 1_323_475_200_000_000  # after the last order: 2011-12-10
_COLUMNS = ("order lines", "items", "customers", "s", "s per million", "neighbours s", "peak MB")
SECONDS_GOAL, PEAK_MB_GOAL = 15, 1_024  # of the real orders
_DUCKDB = """
import json, sys, time
from pathlib import Path
from endcap.recommend.build import build
steps = []
began = time.perf_counter()
def tell(step, done, total):
    steps.append((step, time.perf_counter()))
built = build(Path(sys.argv[1]), Path(sys.argv[2]), now=int(sys.argv[3]), progress=tell, memory_mb=int(sys.argv[4]))
lasted = {step: after - at for (step, at), (_, after) in zip(steps, steps[1:])}
print(json.dumps({"seconds": time.perf_counter() - began, "lines": built.counts["lines"],
                  "items": built.counts["items"], "users": built.counts["users"],
                  "neighbours": lasted["neighbours"]}))
"""
_SPARK = """
import json, sys, time
from pathlib import Path
from endcap.recommend.rows import finish
from endcap.recommend.spark import learn, session
settings = {"spark.master": "local[2]", "spark.driver.memory": "2g", "spark.ui.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
            "spark.local.dir": sys.argv[2], "spark.ui.showConsoleProgress": "false",
            "spark.sql.shuffle.partitions": "8"}
out = Path(sys.argv[2])
began = time.perf_counter()
with session(**settings) as spark:
    spark.sparkContext.setLogLevel("ERROR")
    started = time.perf_counter()
    steps = []
    def tell(step, done, total):
        steps.append((step, time.perf_counter()))
    learn(spark, [sys.argv[1]], str(out / "rows"), now=int(sys.argv[3]), progress=tell)
built = finish(out / "rows", out)
lasted = {step: after - at for (step, at), (_, after) in zip(steps, steps[1:])}
print(json.dumps({"seconds": time.perf_counter() - began, "lines": built.counts["lines"],
                  "items": built.counts["items"], "users": built.counts["users"],
                  "neighbours": lasted["neighbours"]}))
"""


class Cost(Struct, frozen=True):
    """One build. `seconds` from orders to an artifact on disk, of which `neighbours` for the heavy statement."""

    seconds: float
    lines: int
    items: int
    users: int
    neighbours: float
    peak_mb: float = 0.0


def run(size: Size) -> Findings:
    """DuckDB at every size; Spark up to its own bound, where PySpark and Java are there."""
    data = shared_data()
    has_spark = find_spec("pyspark") is not None and shutil.which("java") is not None
    found: list[tuple[str, Cost]] = []
    for multiple in size.build_multiples:
        with tempfile.TemporaryDirectory() as held:
            folder = Path(held)
            step(f"build: {multiple:g} times the real orders")
            orders = multiplied(data / "online_retail_lines.parquet", folder / "orders", multiple)
            found.append(("DuckDB", _cost(_DUCKDB, orders, folder / "duckdb")))
            if multiple >= LARGE:
                step(f"build: {multiple:g} times the real orders, {LARGE_MEMORY_MB} MB")
                cost = _cost(_DUCKDB, orders, folder / "large", LARGE_MEMORY_MB)
                found.append((f"DuckDB, {LARGE_MEMORY_MB // 1_024} GB", cost))
            if has_spark and multiple <= size.build_spark_max:
                step(f"build: {multiple:g} times the real orders, Spark")
                found.append(("Spark, local[2]", _cost(_SPARK, orders, folder / "spark")))
    columns = ["engine", *_COLUMNS]
    lines: list[list[Cell]] = [[engine, *_cells(cost, engine)] for engine, cost in found]
    return Findings(_goals(found), [Table(columns, lines)])


def multiplied(real: Path, out: Path, multiple: float) -> Path:
    """Order lines as the import keeps them, so many times the real ones, in a folder."""
    out.mkdir(parents=True)
    copies, share = (math.ceil(multiple), min(1.0, multiple))
    ranges = math.ceil(math.sqrt(copies))
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET threads = 2")
        for copy in range(copies):
            connection.execute(
                "COPY (SELECT order_id || $mark AS order_id, item_id || $range AS identity, "
                "CAST(customer_id AS VARCHAR) || $mark AS user_id, "
                "CAST(ts AS TIMESTAMP) + to_minutes(15 * $copy) AS created_at, "
                "CAST(quantity AS DOUBLE) AS quantity, CAST(NULL AS DOUBLE) AS unit_price "
                "FROM read_parquet($real) WHERE quantity > 0 AND hash(order_id) % 100 < $share) "
                f"TO '{out}/{copy:03}.parquet' (FORMAT parquet, COMPRESSION zstd)",
                {
                    "mark": f"-{copy}" if copy else "",
                    "range": f"-{copy % ranges}" if copy % ranges else "",
                    "copy": copy,
                    "real": str(real),
                    "share": round(100 * share),
                },
            )
    return out


def _cost(program: str, orders: Path, out: Path, memory_mb: int = MEMORY_MB) -> Cost:
    out.mkdir()
    command = [sys.executable, "-c", program, str(orders), str(out), str(NOW), str(memory_mb)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    told = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"a build ended with {process.returncode}")
    kilo = 1_024 * 1_024 if sys.platform == "darwin" else 1_024
    return Cost(**json.loads(told.splitlines()[-1]), peak_mb=used.ru_maxrss / kilo)


def _cells(cost: Cost, engine: str) -> list[Cell]:
    peak: Cell = "as set" if engine.startswith("Spark") else cost.peak_mb
    million = cost.seconds / cost.lines * 1e6
    return [cost.lines, cost.items, cost.users, cost.seconds, million, cost.neighbours, peak]


def _goals(found: list[tuple[str, Cost]]) -> list[Row]:
    """Of the real orders as they are: the shop of two years."""
    rows = []
    for engine, cost in found:
        if engine == "DuckDB" and 9e5 < cost.lines < 1.1e6:
            told = f"{cost.lines:,} order lines"
            rows += [
                at_most("build", cost.seconds, SECONDS_GOAL, told, unit="s"),
                at_most("build, memory", cost.peak_mb, PEAK_MB_GOAL, told, unit="MB"),
            ]
    return rows
