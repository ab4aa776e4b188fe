"""
The store in one SQLite file.

WAL with `synchronous = FULL`: a commit is on disk when it returns, and readers never wait for the writer. One
connection writes, guarded by a lock in this process and by SQLite's own between processes; reads take a connection
from a stack of idle ones, so that a point read costs microseconds and may be made on an event loop (`inline`).
"""

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

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
from endcap.store.mark import CommitMark
from endcap.store.port import Changes, Load, Page, Summary, Touched
from endcap.store.rows import Row
from endcap.store.sqlite_file import (
    PATIENCE_SECONDS,
    SqliteFile,
    begin,
    migrate,
    stream,
    translated,
)
from endcap.store.sqlite_transaction import SqliteTransaction
from endcap.store.state_queries import StateQueries, changes_of
from endcap.store.states import ChangeRow, ModelRow, TrackerRow
from endcap.store.transaction import Names, Present
from endcap.store.writes import Committed, Outcome, Write

WATCH_SECONDS = (
    0.01  # between two looks at the mark for changes; each makes the busy thread yield once
)
WATCH_DATABASE_SECONDS = (
    0.25  # the same at the database: a process may have died between commit and mark
)

_sql = scripts.queries("sqlite")
_filters = Filters(_sql, ":{}".format)


class SqliteStore(StateQueries, LogQueries, SqliteFile):
    """See `port.Store`. The file and its folder are made when they are missing."""

    inline = True

    def __init__(self, path: Path | str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        super().__init__(path, patience_seconds=patience_seconds)
        self._watcher: sqlite3.Connection | None = None
        self._watch_lock = threading.Lock()
        self._watched = threading.local()
        self._mark: CommitMark | None = None
        self._last_marks: tuple[int | None, int] | None = None

    def migrate(self) -> Sequence[str]:
        with self._writing() as connection:
            return migrate(connection, "sqlite")

    def close(self) -> None:
        """Waits for a commit under way; readers under way close what they hold."""
        self._closed = True
        with self._write_lock, self._watch_lock:
            for connection in (self._writer, self._watcher):
                if connection is not None:
                    connection.close()
            self._writer = self._watcher = None
            if self._mark is not None:
                self._mark.close()
                self._mark = None
        while self._idle:
            self._idle.pop().close()

    # Writing

    def commit(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        if not writes:
            return []
        with self._writing() as connection:
            return carry_out(writes, SqliteTransaction(connection))

    def commit_together(self, writes: Sequence[Write]) -> Sequence[Committed]:
        if not writes:
            return []
        with self._writing() as connection:
            return carry_out_together(writes, SqliteTransaction(connection))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """With the mark around the commit, by the shortest way: every write of a customization comes here."""
        deadline = time.monotonic() + self._patience_seconds
        if not self._write_lock.acquire(timeout=self._patience_seconds):
            raise StoreUnavailable("The store is busy; try again shortly")
        try:
            with translated():
                if self._writer is None:
                    self._writer = self._connect(busy_seconds=0)
                connection, mark = self._writer, self._marked()
                begin(connection, deadline)
                before = mark.begin()
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    try:
                        if connection.in_transaction:
                            connection.execute("ROLLBACK")
                    finally:
                        self._last_marks = (before, mark.end())
        finally:
            self._write_lock.release()

    # Reading

    def revisions(self) -> Mapping[TrackerId, int]:
        return dict(self._all(_sql["fetch_revisions"], {}))

    def version(self) -> int | None:
        mark = self._mark
        return None if mark is None else mark.read()

    def version_after(self, version: int | None) -> int | None:
        last = self._last_marks
        return last[1] if last is not None and last[0] == version is not None else None

    def wait(self, timeout_seconds: float) -> None:
        now = time.monotonic()
        deadline = now + timeout_seconds
        watched = self._watched
        look_at = getattr(watched, "look_at", now)
        seen, data_seen = getattr(watched, "seen", None), getattr(watched, "data_seen", None)
        while not self._closed:
            if now >= look_at:
                watched.look_at = look_at = now + WATCH_DATABASE_SECONDS
                watched.data_seen = self._data_version()
            watched.seen = self._marked().read()
            if (seen, data_seen) != (watched.seen, getattr(watched, "data_seen", None)):
                return
            rest = deadline - now
            if rest <= 0:
                return
            time.sleep(min(rest, WATCH_SECONDS))
            now = time.monotonic()

    def customization(self, tracker: TrackerId, id: CustomizationId) -> Record | None:
        found = self._all(_sql["fetch_customization"], {"tracker": tracker, "id": id})
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
        count = _filters.query("count_customizations", filter)
        query = _page_query("fetch_page", filter, sort)
        with self._snapshot() as connection:
            (total,) = connection.execute(count, values).fetchone()
            bounds = {"limit": limit, "offset": offset}
            found = connection.execute(query, values | bounds).fetchall()
        return Page(total, [rows.read_record(row) for row in found])

    def records(
        self, tracker: TrackerId, filter: Filter, *, sort: Sequence[Sort] = OLDEST_FIRST
    ) -> Iterator[Record]:
        query = _page_query("fetch_matches", filter, sort)
        with self._snapshot() as connection:
            cursor = connection.execute(query, _filters.values(tracker, filter))
            yield from map(rows.read_record, stream(cursor))

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
        found = self._all(
            _sql[query],
            {
                "tracker": tracker,
                "after": after or "",
                "types": rows.json_text(types),
                "limit": limit,
            },
        )
        return [CatalogObject(*row) for row in found]

    def count_objects(self, tracker: TrackerId, *, types: Sequence[str] = ()) -> int:
        query = "count_objects_of_types" if types else "count_objects"
        ((count,),) = self._all(_sql[query], {"tracker": tracker, "types": rows.json_text(types)})
        return int(count)

    @contextmanager
    def load(self, tracker: TrackerId) -> Iterator[Load]:
        with self._snapshot() as connection:
            load = _Load(connection, _tracker_row(connection, tracker))
            try:
                yield load
            finally:
                load.end()

    def changes(self, tracker: TrackerId, *, since: int) -> Changes:
        with self._snapshot() as connection:
            row = _tracker_row(connection, tracker)
            values = {"tracker": tracker, "since": since}
            (text,) = connection.execute(_sql["fetch_changed_subjects"], values).fetchone()
            return changes_of(row, _subjects.decode(text), SqliteTransaction(connection))

    def history(self, tracker: TrackerId, *, subject: str | None = None) -> Iterator[ChangeRow]:
        query = "fetch_history" if subject is None else "fetch_history_of"
        with self._snapshot() as connection:
            cursor = connection.execute(_sql[query], {"tracker": tracker, "subject": subject})
            yield from (ChangeRow(*row) for row in stream(cursor))

    def log(self, tracker: TrackerId, *, after: int, through: int) -> Iterator[ChangeRow]:
        values = {"tracker": tracker, "after": after, "through": through}
        with self._snapshot() as connection:
            cursor = connection.execute(_sql["fetch_log"], values)
            yield from (ChangeRow(*row) for row in stream(cursor))

    def touched(self, tracker: TrackerId, *, since: int) -> Iterator[Touched]:
        values = {"tracker": tracker, "since": since}
        with self._snapshot() as connection:
            cursor = connection.execute(_sql["fetch_touched"], values)
            yield from map(rows.read_touched, stream(cursor))

    def _rows(self, query: str, values: Mapping[str, object]) -> list[Row]:
        return self._all(_sql[query], values)

    def _written(self, query: str, values: Mapping[str, object]) -> list[Row]:
        with self._writing() as connection:
            return connection.execute(_sql[query], values).fetchall()

    def _present(self, names: Names) -> Present:
        with self._snapshot() as connection:
            return SqliteTransaction(connection).fetch_present(names)

    # The mark

    def _marked(self) -> CommitMark:
        mark = self._mark
        if mark is None:
            path = self._path.with_name(f"{self._path.name}-mark")
            try:
                mark = self._mark = CommitMark(path)
            except (OSError, ValueError) as error:
                raise StoreUnavailable(f"{path} cannot be mapped") from error
        return mark

    def _data_version(self) -> tuple[int, ...]:
        """Changes with every commit of any other connection."""
        with self._watch_lock, translated():
            if self._watcher is None:
                self._watcher = self._connect(busy_seconds=self._patience_seconds)
            return tuple(self._watcher.execute("PRAGMA data_version").fetchone())


class _Load:
    """See `port.Load`."""

    def __init__(self, connection: sqlite3.Connection, tracker: TrackerRow) -> None:
        self.tracker = tracker
        self._connection = connection
        self._values = {"tracker": tracker.id}
        self._cursors: list[sqlite3.Cursor] = []
        counts = connection.execute(_sql["count_rows"], self._values).fetchone()
        self.customization_count: int = counts[0]
        self.object_count: int = counts[1]

    def records(self) -> Iterator[Record]:
        return map(rows.read_record, self._rows("load_customizations"))

    def objects(self) -> Iterator[CatalogObject]:
        return (CatalogObject(*row) for row in self._rows("load_objects"))

    def models(self) -> Sequence[ModelRow]:
        return [ModelRow(*row) for row in self._rows("fetch_models")]

    def end(self) -> None:
        """What was left unread stays so: its state is gone."""
        for cursor in self._cursors:
            cursor.close()

    def _rows(self, query: str) -> Iterator[Row]:
        cursor = self._connection.execute(_sql[query], self._values)
        self._cursors.append(cursor)
        return stream(cursor)


# What SQLite says

_subjects = msgspec.json.Decoder(list[tuple[str, str]])


def _tracker_row(connection: sqlite3.Connection, tracker: TrackerId) -> TrackerRow:
    row = connection.execute(_sql["fetch_tracker"], {"tracker": tracker}).fetchone()
    if row is None:
        raise TrackerNotFound
    return rows.read_tracker(row)


# What SQLite is told


def _page_query(name: str, filter: Filter, sort: Sequence[Sort]) -> str:
    """
    Where nothing asks for another index, rows are best walked by age: that is how they lie in the file. SQLite itself
    takes any index that begins with the tracker, and 100,000 rows take twice as long.
    """
    is_ordered = bool(sort) and sort[0].column in {"model", "target_identity"}
    is_narrow = filter.models or filter.target_identities or filter.tags
    index = "" if is_ordered or is_narrow else "INDEXED BY customization_newest"
    return _filters.query(name, filter, sort).replace("{index}", index)
