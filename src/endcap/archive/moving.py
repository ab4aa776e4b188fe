"""
Moves events from the store to the archive, and takes out of the archive what is too old.

One of many processes does it for a tracker, by a lease. Events go in order of their numbers, so many at a time: written
by day, durable and read back, and only then deleted from the store. Whoever is killed between leaves events in
both; readers take them once, by id.
"""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from endcap.activity import ERASURE_HOURS
from endcap.archive.places import Place, name_of
from endcap.archive.spool import columns_of, spool, write_part
from endcap.clock import Clock, system_clock
from endcap.config import Settings
from endcap.domain import Micros, TrackerId
from endcap.errors import StoreUnavailable
from endcap.recommend.database import database
from endcap.store.events import EventStore, Told

BATCH_EVENTS = 200_000  # some 100 MB of lines, and a part of 10
LEASE_SECONDS = 300
MEMORY_MB = 256
_MICROS = 1_000_000
_DAY = 86_400 * _MICROS

Progress = Callable[[str, int, int], None]
"""(step, done, total); total 0: nobody knows."""


class Moved(Struct, frozen=True):
    """What a run did for a tracker. `busy`: another process is at it, and nothing was done."""

    tracker: TrackerId
    events: int = 0
    parts: int = 0
    expired: int = 0
    """Parts that were too old."""
    busy: bool = False


class Archiver:
    """One a run. `holder` names it to others."""

    def __init__(
        self,
        settings: Settings,
        events: EventStore,
        place: Place,
        *,
        clock: Clock = system_clock,
        holder: str = "",
        batch_events: int = BATCH_EVENTS,
    ) -> None:
        self._settings = settings
        self._events = events
        self._place = place
        self._clock = clock
        self._batch_events = batch_events
        self._lease = Lease(events, clock, holder)

    def archive(
        self, tracker: TrackerId, *, dry_run: bool = False, progress: Progress = lambda *_: None
    ) -> Moved:
        """Raises StoreUnavailable; what was moved until then stays moved."""
        with self._lease.held(tracker) as renew:
            if renew is None:
                return Moved(tracker, busy=True)
            events = parts = 0
            for batch in self._batches(tracker):
                if not dry_run:
                    parts += self._moved(tracker, batch, renew)
                events += len(batch)
                progress("archiving", events, 0)
            expired = self._expired(tracker, dry_run=dry_run)
            if not dry_run:
                before = Micros(self._clock() - ERASURE_HOURS * 3_600 * _MICROS)
                self._events.discard_erasures(tracker, before=before)
            return Moved(tracker, events, parts, expired)

    def _batches(self, tracker: TrackerId) -> Iterator[list[Told]]:
        """What was received before this day, less the days that events stay; each batch is moved before the next."""
        today = self._clock() // _DAY * _DAY
        before = today - self._settings.events_store_days * _DAY
        batch: list[Told] = []
        number = 0
        while lines := self._events.after(tracker, number):
            number = lines[-1].number
            for line in lines:
                if not isinstance(line, Told):
                    continue
                if line.event.received_at >= before:
                    yield from [batch] if batch else []
                    return
                batch.append(line)
            if len(batch) >= self._batch_events:
                yield batch
                batch = []
        yield from [batch] if batch else []

    def _moved(self, tracker: TrackerId, batch: list[Told], renew: Callable[[], None]) -> int:
        """Writes a part for each day, and only then deletes. Returns how many."""
        by_day: dict[str, list[Told]] = {}
        for told in batch:
            by_day.setdefault(_day_of(told.event.at), []).append(told)
        folder = self._settings.data_dir
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".archive-", dir=folder) as scratch:
            for day, lines in sorted(by_day.items()):
                draft = self._drafted(lines, Path(scratch))
                renew()
                first, last = lines[0].number, lines[-1].number
                part = f"part-{first:012}-{last:012}-{secrets.token_hex(4)}.parquet"
                self._place.put(draft, name_of(tracker, day, part))
        renew()
        while self._events.discard(tracker, through=batch[-1].number):
            continue
        return len(by_day)

    def _drafted(self, lines: list[Told], scratch: Path) -> Path:
        spooled, draft = scratch / "lines.json", scratch / "part.parquet"
        with spooled.open("wb") as file:
            spool(lines, file)
        with database(scratch, "Events cannot be written", memory_mb=MEMORY_MB) as connection:
            rows = write_part(connection, columns_of(spooled), draft)
        if rows != len(lines):
            raise StoreUnavailable(f"{rows} of {len(lines)} events were written: nothing is moved")
        return draft

    def _expired(self, tracker: TrackerId, *, dry_run: bool) -> int:
        """Takes whole days away that are older than the retention; how many parts they had."""
        days = self._settings.events_retention_days
        if not days:
            return 0
        oldest = (_instant(self._clock()) - timedelta(days=days)).date()
        expired = [part for part in self._place.parts(tracker) if part.day < oldest]
        for part in expired:
            if not dry_run:
                self._place.remove(part.name)
        return len(expired)


class Lease:
    """The right to change a tracker's archive."""

    def __init__(self, events: EventStore, clock: Clock, holder: str = "") -> None:
        self._events = events
        self._clock = clock
        self._holder = holder or secrets.token_hex(8)

    @contextmanager
    def held(self, tracker: TrackerId) -> Iterator[Callable[[], None] | None]:
        """Gives what renews it, which raises StoreUnavailable if it was lost; None if another process has it."""
        name = f"archive:{tracker}"
        if not self._take(name):
            yield None
            return

        def renew() -> None:
            if not self._take(name):
                raise StoreUnavailable("Another process took over: this one was too slow")

        try:
            yield renew
        finally:
            self._events.give_lease_back(name, self._holder)

    def _take(self, name: str) -> bool:
        now = self._clock()
        until = Micros(now + LEASE_SECONDS * _MICROS)
        return self._events.take_lease(name, self._holder, now=now, until=until)


def _day_of(at: Micros) -> str:
    return _instant(at).date().isoformat()


def _instant(at: Micros) -> datetime:
    return datetime.fromtimestamp(at // _MICROS, UTC)
