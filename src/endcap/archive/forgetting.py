"""
Erases a shopper: events in the store and in the archive go, orders stay without a name.

What is left of an order without its customer says what is bought together, and nothing of anybody. Built artifacts that
know the shopper get successors that do not, and so do lists of another system. The workers' memory follows within a
second, what they map of lists within ten. A build that began before this may bring the shopper back; whoever cannot
rule that out repeats the command.

Nothing is half-done for long: whoever is killed on the way repeats the command.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from endcap.archive.moving import MEMORY_MB, Lease, Progress
from endcap.archive.places import Part, Place
from endcap.archive.spool import part_of, write_part
from endcap.clock import Clock, system_clock
from endcap.config import Settings
from endcap.domain import TrackerId
from endcap.errors import Problem, StoreUnavailable
from endcap.neighbour_lists import forget_user
from endcap.recommend import erasing
from endcap.recommend.artifact import artifacts_directory
from endcap.recommend.database import Connection, database
from endcap.recommend.files import sync_directory
from endcap.recommend.orders import orders_directory
from endcap.store.events import NAMES_MAX, EventStore
from endcap.store.port import Store
from endcap.store.writes import PublishArtifact

WAIT_SECONDS_MAX = 120.0  # for an archiver to be done
LOOK_SECONDS = 0.5
ACTOR = "cli"


class Forgotten(Struct, frozen=True):
    """What was found of a shopper in a tracker, and is gone unless it was a dry run."""

    tracker: TrackerId
    events: int
    """In the database."""
    archived_events: int
    archived_parts: int
    """Files of the archive that were written anew without them."""
    order_lines: int
    """That lost the shopper's name."""
    artifacts: int
    """Built from them too, and replaced."""
    lists: int
    """By user, of another system, that named them."""
    other_names: tuple[str, ...]
    """What else these events call the shopper: devices of a customer, customers of a device. They are not forgotten."""

    @property
    def is_nothing(self) -> bool:
        return not (
            self.events or self.archived_events or self.order_lines or self.artifacts or self.lists
        )


class Forgetter:
    """One a run."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        events: EventStore,
        place: Place,
        *,
        clock: Clock = system_clock,
        wait_seconds_max: float = WAIT_SECONDS_MAX,
    ) -> None:
        self._settings = settings
        self._store = store
        self._events = events
        self._place = place
        self._clock = clock
        self._lease = Lease(events, clock)
        self._wait_seconds_max = wait_seconds_max

    def forget(
        self,
        tracker: TrackerId,
        user: str,
        *,
        dry_run: bool = False,
        progress: Progress = lambda *_: None,
    ) -> Forgotten:
        """
        Raises StoreUnavailable, also where another process is at the archive for too long, UsageFault where the
        artifact that is served cannot be read, and ArtifactConflict where another one was published meanwhile: what was
        erased until then is, and whoever repeats this finds the rest.
        """
        scratch_of = self._settings.data_dir
        scratch_of.mkdir(parents=True, exist_ok=True)
        with (
            self._held(tracker),
            tempfile.TemporaryDirectory(prefix=".forget-", dir=scratch_of) as scratch,
            database(Path(scratch), "It cannot be erased", memory_mb=MEMORY_MB) as connection,
        ):
            events, names = self._events.told_of(tracker, user)
            if not dry_run:
                events = max(events, self._events.erase(tracker, user, self._clock()))
            erased = _Erasing(connection, Path(scratch), user, dry_run=dry_run)
            archived = parts = 0
            found_names = set(names)
            every = self._place.parts(tracker)
            for number, part in enumerate(every):
                progress("archive", number, len(every))
                count, others = self._from_part(part, erased)
                archived += count
                parts += bool(count)
                found_names |= others
            progress("archive", len(every), len(every))
            lines = sum(map(erased.from_orders, _files(orders_directory(scratch_of, tracker))))
            built = self._from_artifacts(tracker, user, dry_run=dry_run)
            lists = forget_user(scratch_of, tracker, user, dry_run=dry_run)
        others_told = tuple(sorted(found_names)[:NAMES_MAX])
        return Forgotten(tracker, events, archived, parts, lines, built, lists, others_told)

    def _from_artifacts(self, tracker: TrackerId, user: str, *, dry_run: bool) -> int:
        """How many knew the shopper."""
        folder = artifacts_directory(self._settings.data_dir, tracker)
        if dry_run:
            return sum(artifact is not None for _, artifact in erasing.knowing(folder, user))
        written = erasing.successors(folder, user)
        served = self._served(tracker)
        if served is not None and served in written:
            write = PublishArtifact(
                tracker, written[served], ACTOR, self._clock(), frozenset({served})
            )
            (outcome,) = self._store.commit([write])
            if isinstance(outcome, Problem):
                raise outcome
            served = written[served]
        erasing.remove(folder, user, served=served)
        return len(written)

    def _served(self, tracker: TrackerId) -> str | None:
        row = self._store.tracker(tracker)
        return None if row is None else row.artifact

    def _from_part(self, part: Part, erased: "_Erasing") -> tuple[int, set[str]]:
        """How many events there were, and what else they call the shopper."""
        with self._place.fetched(part.name, erased.scratch) as path:
            if path is None:
                return 0, set()
            count, names = erased.found(path)
            if count and not erased.dry_run:
                draft = erased.without(path)
                if draft is None:
                    self._place.remove(part.name)
                else:
                    self._place.put(draft, part.name)
            return count, names

    @contextmanager
    def _held(self, tracker: TrackerId) -> Iterator[None]:
        """The right to change the tracker's archive, waited for."""
        deadline = time.monotonic() + self._wait_seconds_max
        while True:
            with self._lease.held(tracker) as renew:
                if renew is not None:
                    yield
                    return
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    "The events of this tracker are being archived or erased; try again shortly"
                )
            time.sleep(LOOK_SECONDS)


class _Erasing:
    """A shopper's way out of Parquet files."""

    def __init__(self, connection: Connection, scratch: Path, user: str, *, dry_run: bool) -> None:
        self._connection = connection
        self.scratch = scratch
        self._user = user
        self.dry_run = dry_run

    def found(self, path: Path) -> tuple[int, set[str]]:
        rows = self._connection.execute(
            "SELECT CASE WHEN client_id = $user THEN customer_id ELSE client_id END, count(*) "
            f"FROM {part_of(path)} WHERE client_id = $user OR customer_id = $user GROUP BY 1",
            {"user": self._user},
        ).fetchall()
        return sum(count for _, count in rows), {name for name, _ in rows if name is not None}

    def without(self, path: Path) -> Path | None:
        """A part without the shopper, ready to be put in its place; None if nothing would be left of it."""
        draft = self.scratch / "part.parquet"
        self._connection.execute("SET VARIABLE user = $1", [self._user])
        others = (
            f"(SELECT * FROM {part_of(path)} WHERE client_id <> getvariable('user') "
            "AND customer_id IS DISTINCT FROM getvariable('user'))"
        )
        return draft if write_part(self._connection, others, draft) else None

    def from_orders(self, path: Path) -> int:
        """Takes the name out of order lines, which stay; how many there were."""
        self._connection.execute("SET VARIABLE user = $1", [self._user])
        is_user = "user_id = getvariable('user')"
        counted = self._connection.execute(f"SELECT count(*) FROM {part_of(path)} WHERE {is_user}")
        ((count,),) = counted.fetchall()
        if count and not self.dry_run:
            draft = path.with_name(f".draft-{path.name}")
            self._connection.execute(
                f"COPY (SELECT * REPLACE (CASE WHEN {is_user} THEN NULL ELSE user_id END AS user_id) "
                f"FROM {part_of(path)}) TO $1 (FORMAT parquet, COMPRESSION zstd)",
                [str(draft)],
            )
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(path)
            sync_directory(path.parent)
        return int(count)


def _files(orders: Path) -> Sequence[Path]:
    return sorted(orders.glob("*.parquet"))
