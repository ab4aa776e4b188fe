"""
The statements on Spark: the same rows as DuckDB's, one by one, over the same files.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from endcap.archive.reading import EventSource
from endcap.config import Settings
from endcap.errors import UsageFault
from endcap.recommend.build import VIEWED, build, prepare, queries, quietly
from endcap.recommend.orders import orders_directory
from endcap.recommend.rows import finish, order_of
from endcap.recommend.spark import learn
from tests.archive.conftest import SHOP, Attic, event
from tests.archive.conftest import order as bought
from tests.cli.driver import TRACKER, Shell
from tests.cli.test_build import order
from tests.recommend.shelf import LAST_DAY, NOW, Line, write_orders
from tests.services.spark import running_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.timeout(900)]

REAL_LINES = 30_000
"""Of a million: the latest, so that orders are whole but for one."""

ODD: list[Line] = [
    (order, name, "Zoë", 0.5)
    for order in ("ö", "o\tquote'\"", "ß")
    for name in ("a", "B", "é", "☃", "𝄞", "ｚ", "10002")
]
ODD += [("huge", f"h{item}", None, 2) for item in range(101)]
ODD += [("late", "a", "u1", -900), ("old", "B", "u1", 5_000), ("old", "B", "u2", 5_001)]


@pytest.fixture(scope="module")
def spark() -> Iterator["SparkSession"]:
    with running_spark() as session:
        yield session


@pytest.fixture
def plain_spark(spark: "SparkSession") -> Iterator["SparkSession"]:
    """Runs plans as they are: to compile them takes longer than a few orders do."""
    compiles = "spark.sql.codegen.wholeStage"
    spark.conf.set(compiles, "false")
    yield spark
    spark.conf.unset(compiles)


def rows_of_duckdb(orders: Path, views: Path | None = None) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        prepare(connection, sorted(orders.iterdir()), now=NOW, views=views)
        return {name: connection.execute(query).fetchall() for name, query in queries().items()}


def rows_of_spark(rows: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(":memory:") as connection:
        return {
            name: connection.execute(
                f"SELECT * FROM read_parquet('{rows / name}/*.parquet') ORDER BY {order_of(name)}"
            ).fetchall()
            for name in queries()
        }


@pytest.mark.real_data
def test_both_engines_learn_the_same(
    spark: "SparkSession", tmp_path: Path, shared_data: Path
) -> None:
    """The latest orders of a real shop, and all that is odd in orders: ties, overlaps, strange names, a huge order."""
    orders = tmp_path / "orders"
    write_orders(orders / "0.parquet", ODD[:20])
    write_orders(orders / "1.parquet", ODD[10:])
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            "COPY (SELECT CAST(order_id AS VARCHAR) AS order_id, CAST(item_id AS VARCHAR) AS identity, "
            "CAST(customer_id AS VARCHAR) AS user_id, "
            "CAST(ts AS TIMESTAMP) + ($1 - (SELECT max(CAST(ts AS TIMESTAMP)) FROM line)) AS created_at, "
            "CAST(quantity AS DOUBLE) AS quantity, CAST(NULL AS DOUBLE) AS unit_price "
            f"FROM line WHERE quantity > 0 ORDER BY ts DESC LIMIT {REAL_LINES}) "
            f"TO '{orders / 'real.parquet'}' (FORMAT parquet)".replace(
                "line", f"read_parquet('{shared_data / 'online_retail_lines.parquet'}')"
            ),
            [LAST_DAY],
        )
    rows = tmp_path / "rows"

    lines = learn(spark, [str(orders)], str(rows), now=NOW, progress=quietly)

    expected, found = rows_of_duckdb(orders), rows_of_spark(rows)
    for name in queries():
        assert len(found[name]) == len(expected[name]), name
        assert bool(expected[name]) == (name != VIEWED), name
        for one, other in zip(found[name], expected[name], strict=True):
            assert one == other, name
    built = build(orders, tmp_path / "built", now=NOW)
    finished = finish(rows, tmp_path / "finished")
    assert finished.name == built.name
    assert finished.counts == built.counts
    assert REAL_LINES * 0.9 < lines == built.counts["lines"]


def test_both_engines_read_one_history(plain_spark: "SparkSession", tmp_path: Path) -> None:
    """Imported orders and the archive's events, some known to both; a part that is there twice counts once."""
    settings = Settings(data_dir=tmp_path)
    attic = Attic(f"sqlite:///{tmp_path / 'endcap.db'}", settings)
    attic.tell(
        bought("2025-02-01T10:00:00Z", "/p/1", "/p/2", customer="ann", client="1"),
        bought("2025-02-02T10:00:00Z", "/p/1", "/p/2", "/p/3", client="2"),
        bought("2025-02-02T11:00:00Z", "/p/1", "/p/3", order_id="known", client="3"),
        *(
            event("2025-02-03T11:00:00Z", client=client, url=url)
            for client in ("1", "2", "3")
            for url in ("/p/2", "/p/4", f"/p/{client}")
        ),
    )
    attic.archive()
    attic.events.close()
    (part, *_) = attic.parts()
    path = tmp_path / "events" / part.name
    shutil.copy(path, path.with_name(f"{path.stem}-again.parquet"))
    orders = orders_directory(tmp_path, SHOP)
    lines = [("known", "/p/1", "bob", 3), ("known", "/p/3", "bob", 3), ("o", "/p/2", None, 4)]
    write_orders(orders / "imported.parquet", lines)
    archived = str(tmp_path / "events" / f"tracker={SHOP}")
    rows = tmp_path / "rows"

    count = learn(
        plain_spark, [str(orders)], str(rows), now=NOW, progress=quietly, events=[archived]
    )

    attic = Attic(attic.url, settings)
    source = EventSource(attic.events, attic.place)
    source.refresh_orders(tmp_path, SHOP)
    found = rows_of_spark(rows)
    with source.acts(tmp_path, SHOP) as views:
        assert found == rows_of_duckdb(orders, views)
        built = build(orders, tmp_path / "built", now=NOW, views=views)
    attic.events.close()
    assert count == 2 + 3 + 2 + 1
    assert [name for _, name in found["items"]] == ["/p/1", "/p/2", "/p/3", "/p/4"]
    assert found[VIEWED]
    assert finish(rows, tmp_path / "finished").name == built.name
    only = tmp_path / "only"
    again = learn(plain_spark, [], str(only), now=NOW, progress=quietly, events=[archived])
    assert again == 2 + 3 + 2


def test_the_command_builds_with_spark(plain_spark: "SparkSession", tmp_path: Path) -> None:
    """The same artifact as without, and nothing left beside it."""
    assert plain_spark is not None  # the command finds the session that is there
    shell = Shell(tmp_path / "data")
    shell.create_tracker()
    order(shell, "/p/1", "/p/2", "/p/3")
    known = shell.json("build", "--tracker", TRACKER)["artifact"]

    built = shell.json("build", "--tracker", TRACKER, "--engine", "spark")["artifact"]

    assert built[-8:] == known[-8:]
    folder = tmp_path / "data" / "artifacts" / TRACKER
    assert {each.name for each in folder.iterdir()} == {known, built}


def test_what_spark_cannot_read_is_said(spark: "SparkSession", tmp_path: Path) -> None:
    """And a folder that is there is not written over."""
    with pytest.raises(UsageFault, match="nowhere"):
        learn(spark, [str(tmp_path / "nowhere")], str(tmp_path / "rows"), now=NOW, progress=quietly)

    write_orders(tmp_path / "orders" / "0.parquet", [("1", "a", None, 0)])
    (tmp_path / "taken" / "customers").mkdir(parents=True)
    with pytest.raises(UsageFault, match="taken"):
        learn(
            spark,
            [str(tmp_path / "orders")],
            str(tmp_path / "taken"),
            now=NOW,
            progress=quietly,
        )
