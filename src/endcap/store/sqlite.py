"""
The store in one SQLite file.

WAL with `synchronous = FULL`: a commit is on disk when it returns, and readers never wait for the writer. One
connection writes, guarded by a lock in this process and by SQLite's own between processes; reads take a connection
from a stack of idle ones, so that a point read costs microseconds and may be made on an event loop (`inline`).

Every call into SQLite gives Python's lock away and has to win it back, a row fetched as well as a statement run, and
beside a busy event loop that costs more than the work. So writes go in as rows of one statement, and what a commit has
to look up comes back as one row. Measured beside a busy loop: 2.2 times as many commits.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from pathlib import Path

import msgspec

from endcap.domain import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    CatalogObject,
    CustomizationId,
    Draft,
    Field,
    FieldKind,
    Filter,
    ItemId,
    Micros,
    Record,
    Sort,
    TrackerId,
)
from endcap.errors import StoreUnavailable, TrackerNotFound
from endcap.store import rows, scripts
from endcap.store.commit import carry_out, carry_out_together
from endcap.store.transaction import (
    BATCH_NAMES_MAX,
    Effects,
    Names,
    Present,
    RecordKey,
    Replay,
    ReplayKey,
)
from endcap.store.transaction import ObjectKey
from endcap.store.filters import Filters
from endcap.store.log_queries import LogQueries
from endcap.store.mark import CommitMark
from endcap.store.port import Changes, Load, Page, Summary, Touched
from endcap.store.states import Build, BuildRecord, ChangeRow, Job, ModelRow, TrackerRow
from endcap.store.writes import CommitGeneration, Committed, Outcome, Write
from endcap.store.rows import Row
from endcap.store.sqlite_file import (
    PATIENCE_SECONDS,
    SqliteFile,
    begin,
    migrate,
    stream,
    translated,
)

WATCH_SECONDS = (
    0.01  # between two looks at the mark for changes; each makes the busy thread yield once
)
WATCH_DATABASE_SECONDS = (
    0.25  # the same at the database: a process may have died between commit and mark
)
ROWS_MAX = 64  # of one statement: more are hardly faster, and every size is a statement to keep

_sql = scripts.queries("sqlite")
_filters = Filters(_sql, ":{}".format)


class SqliteStore(LogQueries, SqliteFile):
    """See `port.Store`. The file and its folder are made when they are missing."""

    inline = True

    def __init__(self, path: Path | str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        super().__init__(path, patience_seconds=patience_seconds)
        self._writer: sqlite3.Connection | None = None
        self._write_lock = threading.Lock()
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
            return carry_out(writes, _Transaction(connection))

    def commit_together(self, writes: Sequence[Write]) -> Sequence[Committed]:
        if not writes:
            return []
        with self._writing() as connection:
            return carry_out_together(writes, _Transaction(connection))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """The write connection in a transaction of its own; what is raised inside undoes it."""
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

    def trackers(self) -> Sequence[TrackerRow]:
        return [rows.read_tracker(row) for row in self._all(_sql["fetch_trackers"], {})]

    def tracker(self, tracker: TrackerId) -> TrackerRow | None:
        found = self._all(_sql["fetch_tracker"], {"tracker": tracker})
        return rows.read_tracker(found[0]) if found else None

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

    def customizations(
        self, tracker: TrackerId, ids: Sequence[CustomizationId]
    ) -> Mapping[CustomizationId, Record]:
        names = Names(records=[(tracker, each) for each in ids], objects=(), replays=())
        with self._snapshot() as connection:
            present = _Transaction(connection).fetch_present(names)
        return {id_: record for (_, id_), record in present.records.items()}

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

    def models(self, tracker: TrackerId) -> Sequence[ModelRow]:
        return [ModelRow(*row) for row in self._all(_sql["fetch_models"], {"tracker": tracker})]

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

    def objects_named(
        self, tracker: TrackerId, identities: Sequence[ItemId]
    ) -> Mapping[ItemId, CatalogObject]:
        names = Names(
            records=(), objects=[(tracker, each) for each in dict.fromkeys(identities)], replays=()
        )
        with self._snapshot() as connection:
            present = _Transaction(connection).fetch_present(names)
        return {identity: each for (_, identity), each in present.objects.items()}

    def fields(self, tracker: TrackerId) -> Sequence[Field]:
        found = self._all(_sql["fetch_fields"], {"tracker": tracker})
        return [Field(*row) for row in found]

    def job(self, tracker: TrackerId, id: int) -> Job | None:
        found = self._all(_sql["fetch_job"], {"tracker": tracker, "id": id})
        return rows.read_job(found[0][0]) if found else None

    def open_jobs(self) -> Sequence[tuple[TrackerId, Job]]:
        found = self._all(_sql["fetch_open_jobs"], {})
        return [(tracker, rows.read_job(state)) for tracker, state in found]

    def count_open_jobs(self, tracker: TrackerId) -> int:
        ((count,),) = self._all(_sql["count_open_jobs"], {"tracker": tracker})
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
            subjects = _subjects.decode(text)
            customizations = [CustomizationId(s) for kind, s in subjects if kind == "customization"]
            identities = [ItemId(s) for kind, s in subjects if kind == "object"]
            models = [s for kind, s in subjects if kind == "model"]
            present = _Transaction(connection).fetch_present(
                Names(
                    records=[(tracker, each) for each in customizations],
                    objects=[(tracker, each) for each in identities],
                    replays=(),
                    tables=[tracker] if models else (),
                )
            )
        return Changes(
            row,
            {each: present.records.get((tracker, each)) for each in customizations},
            {each: present.objects.get((tracker, each)) for each in identities},
            {each: present.models.get((tracker, each)) for each in models},
        )

    def behind(self, tracker: TrackerId, *, since: int, at_most: int) -> int:
        values = {"tracker": tracker, "since": since, "at_most": at_most}
        ((count,),) = self._all(_sql["count_changes"], values)
        return int(count)

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

    # Builds

    def claim_build(
        self, tracker: TrackerId, holder: str, *, now: Micros, until: Micros
    ) -> Build | None:
        found = self._written("claim_build", rows.build_claim(tracker, holder, now, until))
        return rows.read_build(found[0]) if found else None

    def keep_build(
        self, tracker: TrackerId, holder: str, record: BuildRecord, *, until: Micros | None
    ) -> bool:
        return bool(self._written("keep_build", rows.build_kept(tracker, holder, record, until)))

    def pause_build(self, tracker: TrackerId, *, paused: bool) -> None:
        self._written("pause_build", rows.build_paused(tracker, paused=paused))

    def builds(self) -> Mapping[TrackerId, Build]:
        found = map(rows.read_build, self._all(_sql["fetch_builds"], {}))
        return {each.tracker: each for each in found}

    def _written(self, query: str, values: Mapping[str, object]) -> list[Row]:
        """A write outside the feed: one statement, durable when it returns."""
        with self._writing() as connection:
            return connection.execute(_sql[query], values).fetchall()

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


class _Transaction:
    """See `decide.Transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def claim_trackers(self, trackers: Sequence[TrackerRow]) -> Collection[TrackerId]:
        values = [rows.tracker(each) for each in trackers]
        return {tracker for (tracker,) in self._write("claim_trackers", values)}

    def lock_trackers(self, trackers: Sequence[TrackerId]) -> Sequence[TrackerRow]:
        values = {"trackers": rows.json_text(trackers)}
        found = self._connection.execute(_sql["lock_trackers"], values).fetchall()
        return [rows.read_tracker(row) for row in found]

    def fetch_present(self, names: Names) -> Present:
        return Present(
            records=dict(self._present_records(names.records)),
            objects=dict(self._present_objects(names.objects)),
            replays=dict(self._present_replays(names.replays)),
            drafts=dict(self._present_drafts(names.drafts)),
            models={
                (tracker, row[0]): ModelRow(*row)
                for tracker in names.tables
                for row in self._connection.execute(_sql["fetch_models"], {"tracker": tracker})
            },
            fields={
                (tracker, row[0]): Field(*row)
                for (text,) in self._look_up("fetch_present_fields", names.fields)
                for tracker, row in _fields.decode(text)
            },
            jobs={
                (tracker, job.id): job
                for (text,) in self._look_up("fetch_present_jobs", names.jobs)
                for tracker, job in _jobs.decode(text)
            },
        )

    def write(self, effects: Effects) -> None:
        write = self._write
        write("save_customizations", [rows.saved(*each) for each in effects.saved])
        write("rewrite_customizations", [rows.rewritten(*each) for each in effects.rewritten])
        write("delete_customizations", effects.deleted)
        write("delete_tags", effects.untagged)
        write("save_tags", effects.tagged)
        write("save_objects", [rows.catalog_object(*each) for each in effects.objects])
        write("delete_objects", effects.removed)
        write("save_drafts", [rows.draft(*each) for each in effects.drafts])
        write("delete_drafts", effects.drafts_deleted)
        write("save_replays", [rows.replay(*each) for each in effects.replays])
        write("save_models", [rows.model(*each) for each in effects.models])
        write("delete_models", effects.unset)
        write("save_changes", [rows.change(*each) for each in effects.changes])
        write("save_fields", [rows.field(*each) for each in effects.fixed])
        write("delete_fields", effects.forgotten)
        write("save_jobs", [rows.job(*each) for each in effects.jobs])
        for tracker, before in effects.outdated.items():
            self._connection.execute(_sql["purge_replays"], {"tracker": tracker, "before": before})
        for tracker, before in effects.outdated_jobs.items():
            self._connection.execute(_sql["purge_jobs"], {"tracker": tracker, "before": before})

    def count_generation(self, write: CommitGeneration) -> int:
        found = self._connection.execute(_sql["count_generation"], _swept(write))
        (count,) = found.fetchone()
        return int(count)

    def sweep(self, write: CommitGeneration, *, limit: int) -> Sequence[ItemId]:
        found = self._connection.execute(_sql["sweep"], _swept(write) | {"limit": limit})
        return [identity for (identity,) in found.fetchall()]

    def save_trackers(self, trackers: Sequence[TrackerRow]) -> None:
        self._write("save_trackers", [rows.tracker(each) for each in trackers])

    def _present_records(self, keys: Sequence[RecordKey]) -> Iterator[tuple[RecordKey, Record]]:
        for text, documents, metadata in self._look_up("fetch_present_customizations", keys):
            cut_document, cut_metadata = _cutter(documents), _cutter(metadata)
            for (tracker, size, metadata_size), head, tail in _record_heads.decode(text):
                other = None if metadata_size is None else cut_metadata(metadata_size)
                yield (tracker, head[0]), Record(*head, cut_document(size), other, *tail)

    def _present_objects(
        self, keys: Sequence[ObjectKey]
    ) -> Iterator[tuple[ObjectKey, CatalogObject]]:
        for text, documents in self._look_up("fetch_present_objects", keys):
            cut = _cutter(documents)
            for (tracker, size), head in _object_heads.decode(text):
                yield (tracker, head[0]), CatalogObject(*head, cut(size))

    def _present_replays(self, keys: Sequence[ReplayKey]) -> Iterator[tuple[ReplayKey, Replay]]:
        for text, records in self._look_up("fetch_present_replays", keys):
            cut = _cutter(records)
            for (tracker, size), (key, fingerprint, created_at) in _replay_heads.decode(text):
                yield (tracker, key), Replay(fingerprint, created_at, rows.read_replayed(cut(size)))

    def _present_drafts(self, keys: Sequence[RecordKey]) -> Iterator[tuple[RecordKey, Draft]]:
        for start in range(0, len(keys), BATCH_NAMES_MAX):
            some = {"keys": rows.json_text(keys[start : start + BATCH_NAMES_MAX])}
            for row in self._connection.execute(_sql["fetch_present_drafts"], some):
                yield (row[0], row[1]), rows.read_draft(row[1:])

    def _look_up(self, query: str, keys: Sequence[tuple[str, str | int]]) -> Iterator[Row]:
        for start in range(0, len(keys), BATCH_NAMES_MAX):
            some = {"keys": rows.json_text(keys[start : start + BATCH_NAMES_MAX])}
            yield self._connection.execute(_sql[query], some).fetchone()

    def _write(self, query: str, values: Sequence[Row]) -> list[Row]:
        """As few statements as there are sets of ROWS_MAX rows; returns what they return."""
        answers: list[Row] = []
        for start in range(0, len(values), ROWS_MAX):
            some = values[start : start + ROWS_MAX]
            statement = _with_rows(query, count=len(some), width=len(some[0]))
            answers += self._connection.execute(statement, list(chain.from_iterable(some)))
        return answers


# What SQLite says

_subjects = msgspec.json.Decoder(list[tuple[str, str]])
_record_heads = msgspec.json.Decoder(
    list[
        tuple[
            tuple[TrackerId, int, int | None],
            tuple[CustomizationId, str, str, ItemId | None, tuple[str, ...]],
            tuple[str, Micros, Micros, int, bool],
        ]
    ]
)
_object_heads = msgspec.json.Decoder(
    list[tuple[tuple[TrackerId, int], tuple[ItemId, str, str | None]]]
)
_fields = msgspec.json.Decoder(list[tuple[TrackerId, tuple[str, FieldKind, ItemId, Micros]]])
_jobs = msgspec.json.Decoder(list[tuple[TrackerId, Job]])
_replay_heads = msgspec.json.Decoder(list[tuple[tuple[TrackerId, int], tuple[str, str, Micros]]])


def _cutter(joined: bytes | None) -> Callable[[int], bytes]:
    """Cuts documents that came end to end."""
    rest = memoryview(joined or b"")

    def cut(size: int) -> bytes:
        nonlocal rest
        piece, rest = rest[:size], rest[size:]
        return bytes(piece)

    return cut


def _tracker_row(connection: sqlite3.Connection, tracker: TrackerId) -> TrackerRow:
    row = connection.execute(_sql["fetch_tracker"], {"tracker": tracker}).fetchone()
    if row is None:
        raise TrackerNotFound
    return rows.read_tracker(row)


# What SQLite is told


@cache
def _with_rows(query: str, *, count: int, width: int) -> str:
    row = f"({', '.join('?' * width)})"
    return _sql[query].replace("{rows}", ", ".join([row] * count))


def _page_query(name: str, filter: Filter, sort: Sequence[Sort]) -> str:
    """
    Where nothing asks for another index, rows are best walked by age: that is how they lie in the file. SQLite itself
    takes any index that begins with the tracker, and 100,000 rows take twice as long.
    """
    is_ordered = bool(sort) and sort[0].column in {"model", "target_identity"}
    is_narrow = filter.models or filter.target_identities or filter.tags
    index = "" if is_ordered or is_narrow else "INDEXED BY customization_newest"
    return _filters.query(name, filter, sort).replace("{index}", index)


def _swept(write: CommitGeneration) -> dict[str, object]:
    return {"tracker": write.tracker, "type": write.type, "generation": write.generation}
