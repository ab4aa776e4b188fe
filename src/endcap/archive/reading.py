"""
What events say, for those who learn from it: order lines, and views and clicks, each event once, wherever it lies.

The store is read before the archive is listed: an event that is moved meanwhile is then in both, and not in neither.
Duplicates by id are dropped. What is wanted of a part (orders, or acts) is copied out of it, so that of a part on an
object storage no more than one is on this machine at a time.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from msgspec import Struct

from endcap.archive.places import Place
from endcap.archive.spool import columns_of, part_of, spool, statement
from endcap.domain import TrackerId
from endcap.recommend.artifact import artifacts_directory
from endcap.recommend.database import MEMORY_MB, database, literally
from endcap.recommend.files import sync_directory
from endcap.recommend.orders import FROM_EVENTS, orders_directory
from endcap.store.events import EventStore, Told

Wanted = Literal["orders", "acts"]
"""`orders`: `recommend.orders`' columns. `acts`: user_id, kind (view, click, conversion), identity, created_at."""

SCRATCH = ".events-"
_TYPES = {"orders": ("transaction",), "acts": ("pv", "click")}
_KINDS = {"orders": ("order",), "acts": ("view", "click", "conversion")}


def write_orders(
    events: EventStore,
    place: Place,
    tracker: TrackerId,
    out: Path,
    *,
    scratch: Path | None = None,
    memory_mb: int = MEMORY_MB,
) -> int:
    """
    Writes the order lines of all transactions to a Parquet file; how many. What does not fit into memory goes to
    `scratch`, beside the file unless said otherwise. Raises StoreUnavailable, UsageFault.
    """
    return _written("orders", events, place, tracker, out, scratch or out.parent, memory_mb)


def write_acts(
    events: EventStore,
    place: Place,
    tracker: TrackerId,
    out: Path,
    *,
    scratch: Path | None = None,
    memory_mb: int = MEMORY_MB,
) -> int:
    """Writes all views, clicks and conversions of items to a Parquet file; how many. Otherwise as `write_orders`."""
    return _written("acts", events, place, tracker, out, scratch or out.parent, memory_mb)


def _written(
    wanted: Wanted,
    events: EventStore,
    place: Place,
    tracker: TrackerId,
    out: Path,
    room: Path,
    memory_mb: int,
) -> int:
    with (
        tempfile.TemporaryDirectory(prefix=SCRATCH, dir=room) as folder,
        database(Path(folder), "Events cannot be read", memory_mb=memory_mb) as connection,
    ):
        scratch = Path(folder)
        spooled = scratch / "store.json"
        with spooled.open("wb") as file:
            types = _TYPES[wanted]
            spool((each for each in stored(events, tracker) if each.event.type in types), file)
        kinds = ", ".join(f"'{kind}'" for kind in _KINDS[wanted])
        taken = "SELECT * EXCLUDE (document) FROM {} WHERE kind IN ({})"
        connection.execute(f"CREATE TABLE told AS {taken.format(columns_of(spooled), kinds)}")
        spooled.unlink()
        for part in place.parts(tracker):
            with place.fetched(part.name, scratch) as path:
                if path is not None:
                    connection.execute(f"INSERT INTO told {taken.format(part_of(path), kinds)}")
        connection.execute(
            f"COPY ({statement(wanted).format(source='told')} ORDER BY ALL) TO $1 (FORMAT parquet, COMPRESSION zstd)",
            [str(out)],
        )
        counted = connection.execute("SELECT count(*) FROM read_parquet($1)", [literally(out)])
        ((rows,),) = counted.fetchall()
        return int(rows)


def stored(events: EventStore, tracker: TrackerId) -> Iterator[Told]:
    """Every event in the store, in order of the numbers, as of some moment between the first and the last."""
    number = 0
    while lines := events.after(tracker, number):
        number = lines[-1].number
        yield from (line for line in lines if isinstance(line, Told))


class EventSource(Struct, frozen=True):
    """The events of all trackers, as builds see them."""

    events: EventStore
    place: Place

    def told(self, tracker: TrackerId) -> int:
        """The number of the last thing that was told of a tracker: whether there is anything new. Of one query."""
        return self.events.heads().get(tracker, 0)

    def refresh_orders(
        self, data_dir: Path, tracker: TrackerId, *, memory_mb: int = MEMORY_MB
    ) -> None:
        """
        Brings the orders that builds read up to date with what shoppers' events say: a file of their own beside the
        imported ones, named by its content, in the place of the one from before. What does not fit into memory goes
        beside the tracker's artifacts, where whoever builds next clears away what was left. Raises StoreUnavailable,
        UsageFault.
        """
        orders = orders_directory(data_dir, tracker)
        room = artifacts_directory(data_dir, tracker)
        for folder in (orders, room):
            folder.mkdir(parents=True, exist_ok=True)
        draft = orders / f".draft-{FROM_EVENTS}"
        try:
            lines = write_orders(
                self.events, self.place, tracker, draft, scratch=room, memory_mb=memory_mb
            )
            name = f"{FROM_EVENTS}{_digest(draft)}.parquet"
            if lines and not (orders / name).exists():
                with draft.open("rb") as file:
                    os.fsync(file.fileno())
                draft.replace(orders / name)
            for each in orders.glob(f"{FROM_EVENTS}*.parquet"):
                if not lines or each.name != name:
                    each.unlink(missing_ok=True)
        finally:
            draft.unlink(missing_ok=True)
        sync_directory(orders)

    @contextmanager
    def acts(
        self, data_dir: Path, tracker: TrackerId, *, memory_mb: int = MEMORY_MB
    ) -> Iterator[Path | None]:
        """
        What shoppers viewed and clicked, as a file that is there for the length of a build; None: nothing is known of
        it. It lies beside the tracker's artifacts. Raises StoreUnavailable, UsageFault.
        """
        room = artifacts_directory(data_dir, tracker)
        room.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=room) as folder:
            out = Path(folder) / "acts.parquet"
            acts = write_acts(self.events, self.place, tracker, out, memory_mb=memory_mb)
            yield out if acts else None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
