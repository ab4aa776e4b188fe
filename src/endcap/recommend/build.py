"""
Builds an artifact from order lines.

The work is plain SQL over one relation, `purchase`, and runs unchanged on other engines (`sql/*.sql`; only
`purchases.sql` is DuckDB's own). Here DuckDB runs it in bounded memory and spills beside the artifact; `spark` runs the
same texts on a cluster, and `rows` finishes what it wrote. The same orders and the same `now` give the same bytes:
weights are summed as integers, and ties are settled by identity.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.domain import Micros
from endcap.errors import NothingToLearn
from endcap.recommend.artifact import (
    FORMAT,
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
Results = Callable[[str], Columns]
"""What a statement gives, by its name, in its own order."""

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

    Raises NothingToLearn if there are no order lines, UsageFault if they cannot be read.
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
        ((lines,),) = connection.execute("SELECT count(*) FROM purchase").fetchall()
        if not lines:
            raise NothingToLearn(f"There are no order lines in {orders}")
        learned = learned_from(lambda name: _table(connection, name), begin)
    begin("writing")
    artifact = write_artifact(learned, out, now=now, lines=lines)
    begin("done")
    return artifact


def learned_from(table: Results, begin: Callable[[str], None]) -> Learned:
    """Lays the results of all statements out for serving; asks for each once, and says which step it begins."""
    identities = table("items")["identity"].tolist()
    begin("popularity")
    popularity = table("popularity")
    begin("neighbours")
    neighbours, affinities = _neighbours(table("neighbours"), len(identities))
    begin("histories")
    customers = table("customers")["user_id"]
    users, histories, bought, times = _histories(table("histories"), customers)
    return Learned(
        identities=identities,
        popularity=popularity["recent"].astype(np.float64) / 1e9 + popularity["orders"] / 1e9,
        orders=popularity["orders"].astype(np.int64),
        neighbours=neighbours,
        affinities=affinities,
        users=users,
        histories=histories,
        bought=bought,
        times=times,
    )


def statement_of(name: str) -> str:
    """The text of one SQL file."""
    return _sql().joinpath(f"{name}.sql").read_text("utf-8")


def statements() -> Sequence[str]:
    """The names of those that every engine runs unchanged, over what its own `purchases…` has prepared."""
    names = (each.name.removesuffix(".sql") for each in _sql().iterdir())
    return sorted(name for name in names if not name.startswith("purchases"))


def recipe() -> str:
    """A digest of how artifacts are made of orders: other texts, or another format, may give others."""
    digest = hashlib.sha256(str(FORMAT).encode())
    for name in (*statements(), "purchases"):
        digest.update(statement_of(name).encode())
    return digest.hexdigest()


def _sql() -> Traversable:
    return resources.files("endcap.recommend").joinpath("sql")


def _table(connection: Connection, name: str) -> Columns:
    return connection.execute(statement_of(name).format(source="purchase")).fetchnumpy()


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
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int32], NDArray[np.uint16]]:
    """From rows ordered by user number to users ordered by digest, each with a stretch of items."""
    digests = np.array([user_digest(name) for name in names.tolist()], dtype=np.uint64)
    counts = np.bincount(found["user_no"], minlength=len(names))
    begins = np.cumsum(counts) - counts
    order = np.argsort(digests, kind="stable")
    histories = np.concatenate(([0], np.cumsum(counts[order]))).astype(np.int64)
    moved = np.repeat(begins[order] - histories[:-1], counts[order])
    rows = np.arange(len(moved)) + moved
    return digests[order], histories, found["item_no"][rows], found["times"][rows].astype(np.uint16)
