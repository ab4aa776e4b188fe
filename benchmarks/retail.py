"""
A real shop to measure models with: items and two years of orders of the gift shop that tests use, where its data are.

Its customers are the shoppers: what they bought last they have viewed, clicked and ordered, in turn.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from endcap.domain import ItemId, Micros, TrackerId
from endcap.engine.catalog import Catalog
from endcap.recommend.artifact import Artifact, artifacts_directory
from endcap.recommend.build import build
from endcap.recommend.orders import orders_directory
from endcap.recommend.shoppers import Act, Kind, Shoppers
from endcap.store import open_store
from endcap.store.writes import CreateTracker
from endcap.transfer.catalog import import_catalog
from endcap.transfer.fields import FieldMap
from endcap.transfer.transactions import import_transactions

SHOP = TrackerId("gifts")
NOW = Micros(1_763_000_000_000_000)
ACTS = 24  # of each customer: as many as memory keeps of the three kinds together, or fewer
_ITEMS = FieldMap.of(
    ["identity=item_id", "title=title", "price_amount=price", "introduced_at=first_seen"]
)
_LINES = FieldMap.of(
    ["order_id=order_id", "identity=item_id", "user_id=customer_id", "created_at=ts"]
)
_KINDS: tuple[Kind, ...] = ("view", "click", "order")


def data() -> Path | None:
    """The folder of the data sets: beside the checkout, unless ENDCAP_SHARED_DATA names another."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ENDCAP_SHARED_DATA") or beside)
    return folder if (folder / "online_retail_lines.parquet").is_file() else None


def learned(folder: Path, data: Path) -> tuple[Catalog, Artifact]:
    """Its catalog and what its orders taught, by the way of every import."""
    store = open_store(f"sqlite:///{folder / 'gifts.db'}")
    try:
        store.migrate()
        store.commit([CreateTracker(SHOP, "gifts", b"sealed", "bench", NOW)])
        lines = data / "online_retail_lines.parquet"
        import_transactions(folder, SHOP, lines, fields=_LINES, now=NOW, new_id=lambda: "lines")
        out = artifacts_directory(folder, SHOP)
        artifact = build(orders_directory(folder, SHOP), out, now=NOW)
        items = data / "online_retail_items.jsonl.gz"
        import_catalog(store, SHOP, items, fields=_ITEMS, actor="bench", now=NOW)
        with store.load(SHOP) as load:
            return Catalog.of(load.objects(), artifact.scores), artifact
    finally:
        store.close()


def shoppers(data: Path) -> tuple[Shoppers, Sequence[str]]:
    """What is remembered of every customer, and who they are."""
    known = Shoppers()
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(
            "SELECT customer_id, list(item_id ORDER BY ts DESC, item_id) AS items "
            "FROM read_parquet($1) WHERE customer_id IS NOT NULL GROUP BY 1 ORDER BY 1",
            [str(data / "online_retail_lines.parquet")],
        ).fetchall()
    for customer, items in rows:
        known.note(_acts(str(customer), items[:ACTS]))
    return known, [str(customer) for customer, _ in rows]


def baskets(data: Path, catalog: Catalog) -> Sequence[Sequence[int]]:
    """What was bought together in the last weeks, as numbers: what pages ask for."""
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(
            "SELECT list(DISTINCT item_id ORDER BY item_id) FROM read_parquet($1) "
            "WHERE ts > (SELECT max(ts) FROM read_parquet($1)) - INTERVAL 28 DAY GROUP BY order_id ORDER BY order_id",
            [str(data / "online_retail_lines.parquet")],
        ).fetchall()
    found = ([n for each in items if (n := catalog.number(each)) is not None] for (items,) in rows)
    return [numbers for numbers in found if numbers]


def _acts(customer: str, items: Sequence[str]) -> Iterator[Act]:
    for place, item in enumerate(items):
        at = Micros(NOW - place * 3_600_000_000)
        yield Act(customer, _KINDS[place % 3], ItemId(item), at, consent=True)
