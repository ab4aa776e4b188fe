"""
The heavy step on Apache Spark: the same statements over the same files of orders, results as Parquet.

    python -m endcap.recommend.spark --orders PATH … --out ROWS            here, or where Spark's own settings say
    spark-submit …/endcap/recommend/spark.py --orders PATH … --out ROWS    on a cluster

`--events PATH` adds what archived events say: the folder `tracker=ID` of the archive. An order that both
know counts once. Paths are whatever Spark reads: folders and files, `s3a://`, `gs://`, `hdfs://`. All work is SQL, so
executors need Spark and nothing else; the driver needs this package. `endcap build --from ROWS` makes the artifact of
the results.

Writes what `rows` describes. Knows no artifact and no store.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from endcap.domain import Micros
from endcap.errors import UsageFault
from endcap.recommend.build import queries, recipe, statement_of
from endcap.recommend.rows import ABOUT, ROWS_FORMAT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Progress = Callable[[str, int, int], None]
RELATIONS = (
    "viewing",
    "purchase",
    "purchase_order",
    "customer",
    "item",
    "viewed",
    "line",
    "order_line",
    "act",
    "told",
    "told_act",
    "event",
)
"""What is made on the way, those that need others first."""
ACT_COLUMNS = ("user_id", "kind", "identity", "created_at")
_NO_ACTS = (
    "SELECT CAST(NULL AS STRING) AS user_id, CAST(NULL AS STRING) AS kind, "
    "CAST(NULL AS STRING) AS identity, CAST(NULL AS TIMESTAMP) AS created_at WHERE false"
)
COLUMNS = ("order_id", "identity", "user_id", "created_at")
"""Of order lines, those that are looked at."""


@contextmanager
def session(name: str = "endcap build", **settings: str) -> Iterator["SparkSession"]:
    """
    A session with Spark's own settings (spark-defaults.conf, spark-submit, SPARK_REMOTE) but for those given. One that
    this process has already is taken, and left to who made it.

    Raises UsageFault where PySpark or Java is missing.
    """
    try:
        from pyspark.errors import PySparkException  # noqa: PLC0415 - an extra, which few need
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError as error:
        raise UsageFault("PySpark is not installed: pip install 'endcap[spark]'") from error
    builder = SparkSession.builder.appName(name)
    for key, value in settings.items():
        builder = builder.config(key, value)
    is_there = SparkSession.getActiveSession() is not None
    try:
        spark = builder.getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        raise UsageFault("Spark does not start; it needs Java 17 or later (JAVA_HOME)") from error
    try:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        yield spark
    finally:
        if not is_there:
            spark.stop()


def learn(
    spark: "SparkSession",
    orders: Sequence[str],
    out: str,
    *,
    now: Micros,
    progress: Progress,
    events: Sequence[str] = (),
    acts: Sequence[str] = (),
) -> int:
    """
    Writes the rows of every statement to a folder that is not there yet; how many order lines there were. `orders` are
    paths of order lines, `events` of one tracker's archived events; one of the two may be empty. `acts` are
    paths of what `EventSource.acts` gives, views and clicks, in addition to those of `events`.

    Raises UsageFault for what Spark cannot read, write or do.
    """
    from pyspark.errors import PySparkException  # noqa: PLC0415 - there, or there were no session

    asked = queries()
    steps = ("orders", *asked)
    try:
        progress("orders", 0, len(steps))
        _forget(spark)
        _read(spark, orders, events)
        has_views = _read_acts(spark, acts, has_events=bool(events))
        for statement in _parts(statement_of("purchases_spark").format(now=int(now))):
            spark.sql(statement)
        lines = int(spark.table("purchase").count())
        for done, (name, query) in enumerate(asked.items(), 1):
            progress(name, done, len(steps))
            spark.sql(query).write.parquet(f"{out}/{name}")
        _write_about(spark, out, now=now, lines=lines, has_views=has_views)
        progress("done", len(steps), len(steps))
    except PySparkException as error:
        paths = ", ".join((*orders, *events))
        raise UsageFault(f"Spark could not learn from {paths}: {error}") from error
    finally:
        _forget(spark)
    return lines


def _read(spark: "SparkSession", orders: Sequence[str], events: Sequence[str]) -> None:
    """Makes the view order_line of both."""
    reader = spark.read.option("mergeSchema", "true")
    found = []
    if orders:
        found.append(reader.parquet(*orders).select(*COLUMNS))
    if events:
        reader.parquet(*events).createOrReplaceTempView("event")
        for statement in _parts(statement_of("purchases_events_spark")):
            spark.sql(statement)
        found.append(spark.table("told").select(*COLUMNS))
    lines = found[0] if len(found) == 1 else found[0].unionByName(found[1])
    lines.createOrReplaceTempView("order_line")


def _read_acts(spark: "SparkSession", acts: Sequence[str], *, has_events: bool) -> bool:
    """Makes the view act of all that is known; whether there is anything."""
    found = [spark.table("told_act")] if has_events else []
    if acts:
        found.append(spark.read.parquet(*acts).select(*ACT_COLUMNS))
    if not found:
        found.append(spark.sql(_NO_ACTS))
    both = found[0] if len(found) == 1 else found[0].unionByName(found[1])
    both.createOrReplaceTempView("act")
    return bool(both.limit(1).count())


def _forget(spark: "SparkSession") -> None:
    for name in RELATIONS:
        spark.catalog.dropTempView(name)  # and what is cached of it


def _write_about(
    spark: "SparkSession", out: str, *, now: Micros, lines: int, has_views: bool
) -> None:
    """Last, so that it vouches for the rest."""
    about = spark.sql(
        f"SELECT {ROWS_FORMAT} AS format, CAST({now} AS BIGINT) AS now, "
        f"CAST({lines} AS BIGINT) AS lines, {str(has_views).lower()} AS views, '{recipe()}' AS recipe"
    )
    about.coalesce(1).write.parquet(f"{out}/{ABOUT}")


def _parts(script: str) -> Sequence[str]:
    """The statements of a script, without the comments before them."""
    code = "\n".join(line for line in script.splitlines() if not line.startswith("--"))
    return [part.strip() for part in code.split(";") if part.strip()]


def _told(step: str, done: int, total: int) -> None:
    print(f"{done} of {total}: {step}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m endcap.recommend.spark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--orders", nargs="+", default=[], metavar="PATH", help="files or folders of order lines"
    )
    parser.add_argument(
        "--events",
        nargs="+",
        default=[],
        metavar="PATH",
        help="one tracker's folder in the archive of events: …/tracker=ID",
    )
    parser.add_argument("--out", required=True, metavar="ROWS", help="a folder that is not there")
    parser.add_argument(
        "--now",
        type=int,
        metavar="MICROSECONDS",
        help="since 1970, UTC: what the ages of orders count from, at the latest; default: the clock",
    )
    given = parser.parse_args(arguments)
    if not given.orders and not given.events:
        parser.error("there is nothing to learn from: give --orders, --events or both")
    now = Micros(given.now if given.now is not None else time.time_ns() // 1_000)
    try:
        with session() as spark:
            lines = learn(
                spark, given.orders, given.out, now=now, progress=_told, events=given.events
            )
    except UsageFault as fault:
        sys.exit(f"{fault}\n{fault.__cause__ or ''}".strip())
    print(f"{lines} order lines. Next: endcap build --from {given.out} --tracker ID")


if __name__ == "__main__":
    main()
