"""
Builds an artifact from order lines.

The work is plain SQL over one relation, `purchase`, and runs unchanged on other engines (`sql/*.sql`; only
`purchases.sql` is DuckDB's own). Where there are views too, the statement of neighbours runs once more, over `viewing`.
Here DuckDB runs it in bounded memory and spills beside the artifact; `spark` runs the same texts on a cluster, and
`rows` finishes what it wrote. The same orders and the same `now` give the same bytes: weights are summed as integers,
and ties are settled by identity.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from endcap.domain import Micros
from endcap.errors import NothingToLearn
from endcap.recommend.artifact import (
    FORMAT,
    NEIGHBOURS_MAX,
    VIEWED_MAX,
    Artifact,
    Learned,
    Table,
    no_table,
    user_digest,
    write_artifact,
)
from endcap.recommend.database import MEMORY_MB, THREADS, Connection, database, literally
from endcap.recommend.orders import order_files
from endcap.wire.reading import seconds_text

Progress = Callable[[str, int, int], None]
"""(step, done, total), called as steps begin and once at the end."""
Columns = Mapping[str, NDArray[Any]]
Results = Callable[[str], Columns]
"""What a statement gives, by its name, in its own order."""

NEIGHBOURS = "neighbours"
"""The heavy statement, which runs over orders and over views."""
VIEWED = "viewed"
"""What it gives over views."""
STEPS = ("orders", "popularity", "neighbours", "histories", "writing")
_VIEWS = """
    CREATE TEMP TABLE act AS SELECT user_id, identity, epoch_us(created_at) AS created_at
    FROM read_parquet($1, union_by_name = true) WHERE kind IN ('view', 'click') AND user_id IS NOT NULL
"""
_NO_VIEWS = "CREATE TEMP TABLE act (user_id VARCHAR, identity VARCHAR, created_at BIGINT)"


def quietly(step: str, done: int, total: int) -> None:
    """Progress for those who do not ask."""


def build(
    orders: Path,
    out: Path,
    *,
    now: Micros,
    views: Path | None = None,
    before: Micros | None = None,
    progress: Progress = quietly,
    memory_mb: int = MEMORY_MB,
    threads: int = THREADS,
) -> Artifact:
    """
    Learns from the order lines of a folder (or one file) and keeps the artifact under `out`.

    `views` is another such folder or file: user_id, kind, identity, created_at; views and clicks say what is looked at
    together. Of orders and views counts only what came `before` an instant; an order came when its first line did.
    Raises NothingToLearn if there are no order lines, UsageFault if they cannot be read.
    """
    files = order_files(orders)
    out.mkdir(parents=True, exist_ok=True)
    steps = count()

    def begin(step: str) -> None:
        progress(step, next(steps), len(STEPS))

    failing = f"The orders in {orders}{f' or the views in {views}' if views else ''} cannot be read"
    with database(out, failing, memory_mb=memory_mb, threads=threads) as connection:
        begin("orders")
        prepare(connection, files, now=now, views=views, before=before)
        ((lines,),) = connection.execute("SELECT count(*) FROM purchase").fetchall()
        if not lines:
            raise NothingToLearn(f"There are no order lines in {orders}{_before(before)}")
        learned = learned_from(lambda name: _table(connection, name), begin)
        if views is not None:
            learned = with_views(learned, _table(connection, VIEWED))
    begin("writing")
    artifact = write_artifact(learned, out, now=now, lines=lines)
    begin("done")
    return artifact


def prepare(
    connection: Connection,
    files: Sequence[Path],
    *,
    now: Micros,
    views: Path | None = None,
    before: Micros | None = None,
) -> None:
    """Makes the relations that `queries` ask, on DuckDB. Arguments as of `build`."""
    connection.execute("SET VARIABLE files = $1", [_literally(files)])
    connection.execute("SET VARIABLE now = $1", [now])
    connection.execute("SET VARIABLE before = $1", [before])
    if views is None:
        connection.execute(_NO_VIEWS)
    else:
        connection.execute(_VIEWS, [_literally(order_files(views))])
    connection.execute(statement_of("purchases"))


def learned_from(table: Results, begin: Callable[[str], None]) -> Learned:
    """Lays the results of all statements out for serving; asks for each once, and says which step it begins."""
    identities = table("items")["identity"].tolist()
    begin("popularity")
    popularity = _popularity(table("popularity"), len(identities))
    begin("neighbours")
    neighbours = table("neighbours")
    page, cart = (_neighbours(neighbours, len(identities), for_cart=each) for each in (False, True))
    begin("histories")
    customers = table("customers")["user_id"]
    users, histories, bought = _histories(table("histories"), customers)
    viewed = no_table(0, VIEWED_MAX)
    return Learned(
        identities=identities,
        **popularity,
        neighbours=page.neighbours,
        affinities=page.affinities,
        cart_neighbours=cart.neighbours,
        cart_affinities=cart.affinities,
        viewed_neighbours=viewed.neighbours,
        viewed_affinities=viewed.affinities,
        users=users,
        histories=histories,
        bought=bought["item_no"],
        times=bought["times"].astype(np.uint16),
        ages=bought["age_days"],
        spans=bought["span_days"],
    )


def with_views(learned: Learned, found: Columns) -> Learned:
    """The same with what is looked at together: what the statement of neighbours gives over `viewing`."""
    viewed = _neighbours(found, len(learned.identities), for_cart=False, places=VIEWED_MAX)
    return replace(
        learned, viewed_neighbours=viewed.neighbours, viewed_affinities=viewed.affinities
    )


def _before(instant: Micros | None) -> str:
    return "" if instant is None else f" before {seconds_text(instant)}"


def _literally(files: Sequence[Path]) -> list[str]:
    return [literally(file) for file in files]


def statement_of(name: str) -> str:
    """The text of one SQL file."""
    return _sql().joinpath(f"{name}.sql").read_text("utf-8")


def statements() -> Sequence[str]:
    """The names of those that every engine runs unchanged, over what its own `purchases…` has prepared."""
    names = (each.name.removesuffix(".sql") for each in _sql().iterdir())
    return sorted(name for name in names if not name.startswith("purchases"))


def queries() -> Mapping[str, str]:
    """What every engine is asked, by the name of the result: each statement over orders, and neighbours over views."""
    asked = {name: statement_of(name).format(source="purchase") for name in statements()}
    return {**asked, VIEWED: statement_of(NEIGHBOURS).format(source="viewing")}


def recipe() -> str:
    """A digest of how artifacts are made of orders: other texts, or another format, may give others."""
    digest = hashlib.sha256(str(FORMAT).encode())
    for name in (*statements(), "purchases"):
        digest.update(statement_of(name).encode())
    return digest.hexdigest()


def _sql() -> Traversable:
    return resources.files("endcap.recommend").joinpath("sql")


def _table(connection: Connection, name: str) -> Columns:
    return connection.execute(queries()[name]).fetchnumpy()


def _popularity(found: Columns, items: int) -> dict[str, NDArray[Any]]:
    """
    From rows, of items that were ordered, to arrays by index. `rise` is how much more an item sold in the last 7 days
    than in an average week of the 28 before, in units of the chance in such a number: (n - m) / sqrt(m + 1).
    """
    by_index = {
        name: np.zeros(items, dtype=np.float64)
        for name in ("decayed", "orders", "fortnight", "week", "weeks_before")
    }
    for name, values in by_index.items():
        values[found["item_no"]] = found[name].astype(np.float64)
    average = by_index["weeks_before"] / 4
    return {
        "popularity": by_index["decayed"] / 1e9 + by_index["orders"] / 1e9,
        "recent": by_index["fortnight"],
        "rise": (by_index["week"] - average) / np.sqrt(average + 1),
        "orders": by_index["orders"].astype(np.int64),
    }


def _neighbours(
    found: Columns, items: int, *, for_cart: bool, places: int = NEIGHBOURS_MAX
) -> Table:
    """From rows to one line of places an item."""
    table = no_table(items, places)
    mine = (found["for_cart"] == for_cart) & (found["place"] <= places)
    at = found["item_no"][mine], found["place"][mine] - 1
    table.neighbours[at] = found["neighbour_no"][mine]
    table.affinities[at] = found["affinity"][mine]
    return table


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
