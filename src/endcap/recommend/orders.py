"""
Where order lines are kept: Parquet files of one tracker in one folder, each written once and never changed.

A line is an item of an order. The same order and item may be in several files (an export that overlaps the last one);
whoever reads takes them once.
"""

from collections.abc import Sequence
from pathlib import Path

from endcap.domain import TrackerId
from endcap.errors import NothingToLearn
from endcap.recommend.artifact import folder_name

FROM_EVENTS = "events-"
"""How files begin that are made of what shoppers' events say, anew for each build; all others were imported."""
COLUMNS = ("order_id", "identity", "user_id", "created_at", "quantity", "unit_price")
"""TEXT, TEXT, TEXT or null, TIMESTAMP in UTC, DOUBLE, DOUBLE or null."""


def orders_directory(data_dir: Path, tracker: TrackerId) -> Path:
    """Where a tracker's order lines are. `tracker=` is how engines call a partition."""
    return data_dir / "orders" / f"tracker={folder_name(tracker)}"


def order_files(orders: Path) -> Sequence[Path]:
    """The files of a folder, or the one file. Raises NothingToLearn if there are none."""
    files = sorted(orders.glob("[!.]*.parquet")) if orders.is_dir() else [orders]
    if not files or not files[0].is_file():
        raise NothingToLearn(f"There are no orders in {orders}: import transactions first")
    return files
