"""
Small shops: catalogs, orders and artifacts by hand.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import msgspec
import numpy as np

from endcap.domain import CatalogObject, ItemId, Micros
from endcap.engine.catalog import Catalog
from endcap.recommend.artifact import (
    FORMAT,
    NEIGHBOURS_MAX,
    VIEWED_MAX,
    Artifact,
    Learned,
    Manifest,
    user_digest,
)
from endcap.recommend.strategies import Query

DAY = 86_400_000_000
LAST_DAY = datetime(2026, 11, 1)  # noqa: DTZ001 - Parquet's timestamps have no zone; they are UTC
NOW = Micros(int((LAST_DAY - datetime(1970, 1, 1)).total_seconds()) * 1_000_000)  # noqa: DTZ001

Line = tuple[str, str, str | None, float]
"""(order, item, user, days before the last day)."""


def thing(
    identity: str, *, categories: Sequence[str] = (), type: str = "item", **fields: Any
) -> CatalogObject:
    """One object of a catalog."""
    members: dict[str, Any] = {
        "identity": identity,
        "type": type,
        "fields": {"title": identity, **fields},
    }
    if categories:
        *around, title = categories
        own = {"title": title, "ancestors": [{"title": each} for each in around]}
        members["nested"] = [{"type": "category", "fields": own}]
    return CatalogObject(ItemId(identity), type, None, msgspec.json.encode(members))


def write_orders(path: Path, lines: Iterable[Line]) -> Path:
    """Order lines as the import keeps them."""
    held = [*lines]
    return _written(
        path,
        """
        SELECT
            unnest($1::TEXT[]) AS order_id, unnest($2::TEXT[]) AS identity, unnest($3::TEXT[]) AS user_id,
            unnest($4::TIMESTAMP[]) AS created_at, 1.0::DOUBLE AS quantity, NULL::DOUBLE AS unit_price
        """,
        [
            [order for order, _, _, _ in held],
            [item for _, item, _, _ in held],
            [user for _, _, user, _ in held],
            [LAST_DAY - timedelta(days=age) for _, _, _, age in held],
        ],
    )


class View(NamedTuple):
    """One look at an item: kind is view, click or conversion; days before the last day."""

    user: str
    kind: str
    item: str
    age: float


def write_views(path: Path, views: Iterable[View]) -> Path:
    """Views as events give them to who learns."""
    seen = [*views]
    return _written(
        path,
        """
        SELECT
            unnest($1::TEXT[]) AS user_id, unnest($2::TEXT[]) AS kind, unnest($3::TEXT[]) AS identity,
            unnest($4::TIMESTAMP[]) AS created_at
        """,
        [
            [each.user for each in seen],
            [each.kind for each in seen],
            [each.item for each in seen],
            [LAST_DAY - timedelta(days=each.age) for each in seen],
        ],
    )


def _written(path: Path, rows: str, columns: Sequence[Sequence[Any]]) -> Path:
    """All rows in one statement: one each takes DuckDB a millisecond."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"CREATE TABLE given AS {rows}", columns)
        connection.execute("COPY given TO $1 (FORMAT parquet)", [str(path)])
    return path


def artifact(
    neighbours: Mapping[str, Mapping[str, float]],
    popularity: Mapping[str, float] | None = None,
    histories: Mapping[str, Mapping[str, int]] | None = None,
    *,
    recent: Mapping[str, float] | None = None,
    rise: Mapping[str, float] | None = None,
) -> Artifact:
    """An artifact that says just this, in all of its tables; nothing is written."""
    known = {*neighbours, *(popularity or {})}
    known.update(name for row in neighbours.values() for name in row)
    known.update(name for row in (histories or {}).values() for name in row)
    identities = sorted(known)
    index = {identity: at for at, identity in enumerate(identities)}
    indexes = np.full((len(identities), NEIGHBOURS_MAX), -1, dtype=np.int32)
    affinities = np.zeros((len(identities), NEIGHBOURS_MAX), dtype=np.float32)
    for identity, row in neighbours.items():
        ranked = sorted(row.items(), key=lambda each: (-each[1], each[0]))[:NEIGHBOURS_MAX]
        for place, (other, affinity) in enumerate(ranked):
            indexes[index[identity], place] = index[other]
            affinities[index[identity], place] = affinity
    users = sorted((user_digest(user), user) for user in histories or {})
    rows = [(histories or {})[user] for _, user in users]
    learned = Learned(
        identities=identities,
        popularity=np.array([(popularity or {}).get(each, 0.0) for each in identities]),
        recent=np.array([(recent or {}).get(each, 0.0) for each in identities]),
        rise=np.array([(rise or {}).get(each, 0.0) for each in identities]),
        orders=np.ones(len(identities), dtype=np.int64),
        neighbours=indexes,
        affinities=affinities,
        cart_neighbours=indexes,
        cart_affinities=affinities,
        viewed_neighbours=indexes[:, :VIEWED_MAX],
        viewed_affinities=affinities[:, :VIEWED_MAX],
        users=np.array([digest for digest, _ in users], dtype=np.uint64),
        histories=np.cumsum([0, *map(len, rows)]).astype(np.int64),
        bought=np.array([index[item] for row in rows for item in row], dtype=np.int32),
        times=np.array([times for row in rows for times in row.values()], dtype=np.uint16),
        ages=np.array([1.0 + at for row in rows for at in range(len(row))], dtype=np.float32),
        spans=np.array([10.0 * (n - 1) for row in rows for n in row.values()], dtype=np.float32),
    )
    return Artifact(learned, Manifest(FORMAT, "20261101T000000Z-0123abcd", NOW, "", {}, {}))


def query(catalog: Catalog, items: Sequence[str] = (), **others: Any) -> Query:
    """A query by identities."""
    numbers = [number for each in items if (number := catalog.number(each)) is not None]
    settings = {"count": 10, "now": NOW, "seed": random.Random(1), **others}
    return Query(catalog=catalog, items=numbers, **settings)


def names(catalog: Catalog, numbers: Iterable[int]) -> list[str]:
    """Identities of numbers."""
    return [catalog.identity(number) for number in numbers]
