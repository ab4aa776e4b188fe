"""
Builds an artifact from order lines.

The work is plain SQL over one relation, `purchase`, and runs unchanged on other engines (`sql/*.sql`; only
`purchases.sql` is DuckDB's own). Here DuckDB runs it in bounded memory and spills beside the artifact. The same orders
and the same `now` give the same bytes: weights are summed as integers, and ties are settled by identity.
"""

from collections.abc import Callable, Mapping
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.domain import Micros
from endcap.errors import UsageFault
from endcap.recommend.artifact import (
    NEIGHBOURS_MAX,
    Artifact,
    Learned,
    user_digest,
    write_artifact,
)
from endcap.recommend.database import MEMORY_MB, THREADS, Connection, database, literally
from endcap.recommend.orders import order_files

Progress = Callable[[str, int, int], None]
"""(step, done, total), called as steps begin and once at the end."""
Columns = Mapping[str, NDArray[Any]]

STEPS = ("orders", "popularity", "neighbours", "histories", "writing")


def quietly(step: str, done: int, total: int) -> None:
    """Progress for those who do not ask."""


def build(
    orders: Path,
    out: Path,
    *,
    now: Micros,
    progress: Progress = quietly,
    memory_mb: int = MEMORY_MB,
    threads: int = THREADS,
) -> Artifact:
    """
    Learns from the order lines of a folder (or one file) and keeps the artifact under `out`.

    Raises UsageFault if there are no order lines or they cannot be read.
    """
    files = order_files(orders)
    out.mkdir(parents=True, exist_ok=True)
    steps = count()

    def begin(step: str) -> None:
        progress(step, next(steps), len(STEPS))

    failing = f"The orders in {orders} cannot be read"
    with database(out, failing, memory_mb=memory_mb, threads=threads) as connection:
        begin("orders")
        connection.execute("SET VARIABLE files = $1", [[literally(file) for file in files]])
        connection.execute("SET VARIABLE now = $1", [now])
        connection.execute(statement_of("purchases"))
        lines = int(_column(connection, "SELECT count(*) AS lines FROM purchase")[0])
        identities = _column(connection, "SELECT identity FROM item ORDER BY item_no").tolist()
        if not identities:
            raise UsageFault(f"There are no order lines in {orders}")
        begin("popularity")
        popularity = _table(connection, "popularity")
        begin("neighbours")
        neighbours, affinities = _neighbours(_table(connection, "neighbours"), len(identities))
        begin("histories")
        customers = _column(connection, "SELECT user_id FROM customer ORDER BY user_no")
        users, histories, bought = _histories(_table(connection, "histories"), customers)
    begin("writing")
    learned = Learned(
        identities=identities,
        popularity=popularity["recent"].astype(np.float64) / 1e9 + popularity["orders"] / 1e9,
        orders=popularity["orders"].astype(np.int64),
        neighbours=neighbours,
        affinities=affinities,
        users=users,
        histories=histories,
        bought=bought["item_no"],
        times=bought["times"].astype(np.uint16),
        ages=bought["age_days"],
        spans=bought["span_days"],
    )
    artifact = write_artifact(learned, out, now=now, lines=lines)
    begin("done")
    return artifact


def statement_of(name: str) -> str:
    """The text of one SQL file."""
    return resources.files("endcap.recommend").joinpath("sql", f"{name}.sql").read_text()


def _table(connection: Connection, name: str) -> Columns:
    return connection.execute(statement_of(name).format(source="purchase")).fetchnumpy()


def _column(connection: Connection, statement: str) -> NDArray[Any]:
    (values,) = connection.execute(statement).fetchnumpy().values()
    return values


def _neighbours(found: Columns, items: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """From rows to one line of places an item."""
    neighbours = np.full((items, NEIGHBOURS_MAX), -1, dtype=np.int32)
    affinities = np.zeros((items, NEIGHBOURS_MAX), dtype=np.float32)
    at = found["item_no"], found["place"] - 1
    neighbours[at] = found["neighbour_no"]
    affinities[at] = found["affinity"]
    return neighbours, affinities


def _histories(
    found: Columns, names: NDArray[Any]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], Columns]:
    """From rows ordered by user number to users ordered by digest, each with a stretch of items."""
    digests = np.array([user_digest(name) for name in names.tolist()], dtype=np.uint64)
    counts = np.bincount(found["user_no"], minlength=len(names))
    begins = np.cumsum(counts) - counts
    order = np.argsort(digests, kind="stable")
    histories = np.concatenate(([0], np.cumsum(counts[order]))).astype(np.int64)
    moved = np.repeat(begins[order] - histories[:-1], counts[order])
    rows = np.arange(len(moved)) + moved
    bought = {name: values[rows] for name, values in found.items() if name != "user_no"}
    return digests[order], histories, bought
