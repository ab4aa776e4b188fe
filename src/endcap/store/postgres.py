"""
The store in PostgreSQL, for several hosts at once.

A commit queues for its trackers' rows with `SELECT … FOR UPDATE`, in order of their ids, so that revisions are in the
order of commits whoever writes, and no two writers wait in a circle. Its statements travel in a pipeline: three
journeys to the server, whatever it writes. `NOTIFY` wakes those who `wait`; what they then see, only the revision row
tells.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import psycopg

from endcap.domain import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    CatalogObject,
    CustomizationId,
    Filter,
    ItemId,
    Record,
    Sort,
    TrackerId,
)
from endcap.errors import StoreUnavailable, TrackerNotFound
from endcap.store import rows, scripts
from endcap.store.commit import carry_out, carry_out_together
from endcap.store.filters import Filters
from endcap.store.log_queries import LogQueries
from endcap.store.port import Changes, Load, Page, Summary, Touched
from endcap.store.postgres_pool import (
    BORROW_SECONDS_MAX,
    LOCK_SECONDS_MAX,
    Connection,
    PostgresPool,
    one,
    stream,
)
from endcap.store.postgres_transaction import CHANNEL, PostgresTransaction, object_key
from endcap.store.rows import Row
from endcap.store.state_queries import StateQueries, changes_of
from endcap.store.states import ChangeRow, ModelRow, TrackerRow
from endcap.store.transaction import Names, Present
from endcap.store.writes import Committed, Outcome, Write

POOL_SIZE_MAX = 10
LISTEN_SECONDS_MAX = 0.25  # how long one wait may keep `close` waiting
ANALYZE_ROWS_MIN = 10_000  # rows of one commit after which the server shall count anew
T = TypeVar("T")

_sql = scripts.queries("postgres")
_filters = Filters(_sql, lambda name: f"%({name})s")


class PostgresStore(StateQueries, LogQueries, PostgresPool):
    """See `port.Store`. The URL is libpq's, with several hosts if there are."""

    inline = False

    def __init__(
        self,
        url: str,
        *,
        pool_size_max: int = POOL_SIZE_MAX,
        borrow_seconds_max: float = BORROW_SECONDS_MAX,
        lock_seconds_max: int = LOCK_SECONDS_MAX,
    ) -> None:
        super().__init__(
            url,
            connections_max=max(1, pool_size_max - 1),  # one listens
            borrow_seconds_max=borrow_seconds_max,
            lock_seconds_max=lock_seconds_max,
        )
        self._ears: list[_Ear] = []
        self._thread = threading.local()

    def close(self) -> None:
        """Readers and writers under way close what they hold."""
        self._closed = True
        self._drop_idle()
        while self._ears:
            self._ears.pop().close()

    # Writing

    def commit(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        return self._carried_out(writes, carry_out) if writes else []

    def commit_together(self, writes: Sequence[Write]) -> Sequence[Committed]:
        return self._carried_out(writes, carry_out_together) if writes else []

    def _carried_out(
        self, writes: Sequence[Write], carry: Callable[[Sequence[Write], PostgresTransaction], T]
    ) -> T:
        transactions: list[PostgresTransaction] = []

        def work(connection: Connection) -> T:
            transactions.append(PostgresTransaction(connection))
            return carry(writes, transactions[-1])

        outcomes = self._committed(work)
        if transactions[-1].rows_written >= ANALYZE_ROWS_MIN:
            self._analyze()
        return outcomes

    def _analyze(self) -> None:
        """
        The server counts by itself a minute later; a list asked for before that took it 20 seconds and more, for it
        expected a row where there were 50,000. The commit stands, whatever becomes of this.
        """
        try:
            with self._borrowed() as connection:
                connection.execute("ANALYZE customization, customization_tag, object, change")
        except StoreUnavailable:
            return

    # Reading

    def revisions(self) -> Mapping[TrackerId, int]:
        return dict(self._rows("fetch_revisions", {}))

    def version(self) -> int | None:
        """There is nothing to look at on this side of the network."""
        return None

    def version_after(self, version: int | None) -> int | None:
        return None

    def wait(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        ear: _Ear | None = getattr(self._thread, "ear", None)
        try:
            if ear is None:
                self._thread.ear = self._listen()
                return  # what happened before it listened it did not hear
            while not self._closed and (rest := deadline - time.monotonic()) > 0:
                if ear.hears(min(rest, LISTEN_SECONDS_MAX)):
                    return
        except (psycopg.Error, StoreUnavailable):
            if ear is not None:
                ear.close()
            self._thread.ear = None
            while not self._closed and (rest := deadline - time.monotonic()) > 0:
                time.sleep(min(rest, LISTEN_SECONDS_MAX))

    def customization(self, tracker: TrackerId, id: CustomizationId) -> Record | None:
        found = self._rows("fetch_customization", {"tracker": tracker, "id": id})
        return rows.read_record(found[0]) if found else None

    def page(
        self,
        tracker: TrackerId,
        filter: Filter,
        *,
        sort: Sequence[Sort] = NEWEST_FIRST,
        limit: int,
        offset: int,
    ) -> Page:
        values = _filters.values(tracker, filter)
        with self._snapshot() as connection:
            (total,) = one(connection, _filters.query("count_customizations", filter), values)
            query = _filters.query("fetch_page", filter, sort)
            bounds = {"limit": limit, "offset": offset}
            found = connection.execute(query, values | bounds, binary=True).fetchall()
        return Page(total, [rows.read_record(row) for row in found])

    def records(
        self, tracker: TrackerId, filter: Filter, *, sort: Sequence[Sort] = OLDEST_FIRST
    ) -> Iterator[Record]:
        query = _filters.query("fetch_matches", filter, sort)
        with self._snapshot() as connection:
            found = stream(connection, query, _filters.values(tracker, filter))
            yield from map(rows.read_record, found)

    def summary(self, tracker: TrackerId) -> Summary:
        values = {"tracker": tracker}
        with self._snapshot() as connection:
            counts = connection.execute(_sql["count_models"], values).fetchall()
            tags = connection.execute(_sql["fetch_tags"], values).fetchall()
        return Summary(dict(counts), [tag for (tag,) in tags])

    def objects_after(
        self,
        tracker: TrackerId,
        after: ItemId | None = None,
        *,
        types: Sequence[str] = (),
        limit: int,
    ) -> Sequence[CatalogObject]:
        query = "fetch_objects_of_types_after" if types else "fetch_objects_after"
        found = self._rows(
            query,
            {
                "tracker": tracker,
                "after": "" if after is None else object_key(after),
                "types": list(types),
                "limit": limit,
            },
        )
        return [CatalogObject(*row) for row in found]

    def count_objects(self, tracker: TrackerId, *, types: Sequence[str] = ()) -> int:
        query = "count_objects_of_types" if types else "count_objects"
        ((count,),) = self._rows(query, {"tracker": tracker, "types": list(types)})
        return int(count)

    @contextmanager
    def load(self, tracker: TrackerId) -> Iterator[Load]:
        with self._snapshot() as connection:
            yield _Load(connection, _tracker_row(connection, tracker))

    def changes(self, tracker: TrackerId, *, since: int) -> Changes:
        with self._snapshot() as connection:
            row = _tracker_row(connection, tracker)
            values = {"tracker": tracker, "since": since}
            subjects = connection.execute(_sql["fetch_changed_subjects"], values).fetchall()
            return changes_of(row, subjects, PostgresTransaction(connection))

    def history(self, tracker: TrackerId, *, subject: str | None = None) -> Iterator[ChangeRow]:
        query = "fetch_history" if subject is None else "fetch_history_of"
        with self._snapshot() as connection:
            found = stream(connection, _sql[query], {"tracker": tracker, "subject": subject})
            yield from (ChangeRow(*row) for row in found)

    def log(self, tracker: TrackerId, *, after: int, through: int) -> Iterator[ChangeRow]:
        values = {"tracker": tracker, "after": after, "through": through}
        with self._snapshot() as connection:
            found = stream(connection, _sql["fetch_log"], values)
            yield from (ChangeRow(*row) for row in found)

    def touched(self, tracker: TrackerId, *, since: int) -> Iterator[Touched]:
        values = {"tracker": tracker, "since": since}
        with self._snapshot() as connection:
            found = stream(connection, _sql["fetch_touched"], values)
            yield from map(rows.read_touched, found)

    # Connections

    def _rows(self, query: str, values: Mapping[str, object]) -> list[Row]:
        return self._fetched(_sql[query], values)

    def _written(self, query: str, values: Mapping[str, object]) -> list[Row]:
        return self._fetched(_sql[query], values)

    def _present(self, names: Names) -> Present:
        with self._snapshot() as connection:
            return PostgresTransaction(connection).fetch_present(names)

    def _listen(self) -> "_Ear":
        connection = self._connect()
        connection.execute(f"LISTEN {CHANNEL}")
        ear = _Ear(connection)
        self._ears = [each for each in self._ears if not each.is_closed] + [ear]
        return ear


class _Ear:
    """A connection that one thread listens on, and that another one may close."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @property
    def is_closed(self) -> bool:
        return self._connection.closed

    def hears(self, seconds: float) -> bool:
        with self._lock:
            heard = self._connection.notifies(timeout=seconds, stop_after=1)
            return any(True for _ in heard)

    def close(self) -> None:
        with self._lock:
            self._connection.close()


class _Load:
    """See `port.Load`."""

    def __init__(self, connection: Connection, tracker: TrackerRow) -> None:
        self.tracker = tracker
        self._connection = connection
        self._values = {"tracker": tracker.id}
        counts = one(connection, _sql["count_rows"], self._values)
        self.customization_count: int = counts[0]
        self.object_count: int = counts[1]

    def records(self) -> Iterator[Record]:
        return map(rows.read_record, self._rows("load_customizations"))

    def objects(self) -> Iterator[CatalogObject]:
        return (CatalogObject(*row) for row in self._rows("load_objects"))

    def models(self) -> Sequence[ModelRow]:
        return [ModelRow(*row) for row in self._rows("fetch_models")]

    def _rows(self, query: str) -> Iterator[Row]:
        return stream(self._connection, _sql[query], self._values)


def _tracker_row(connection: Connection, tracker: TrackerId) -> TrackerRow:
    found = connection.execute(_sql["fetch_tracker"], {"tracker": tracker}).fetchone()
    if found is None:
        raise TrackerNotFound
    return rows.read_tracker(found)
