"""
The store in PostgreSQL, for several hosts at once.

A commit queues for its trackers' rows with `SELECT … FOR UPDATE`, in order of their ids, so that revisions are in the
order of commits whoever writes, and no two writers wait in a circle. Its statements travel in a pipeline: three
journeys to the server, whatever it writes. `NOTIFY` wakes those who `wait`; what they then see, only the revision row
tells.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import TypeVar

import psycopg

from endcap.domain import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    CatalogObject,
    CustomizationId,
    Field,
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
from endcap.store.transaction import BATCH_NAMES_MAX, Effects, Names, Present, Replay
from endcap.store.filters import Filters
from endcap.store.log_queries import LogQueries
from endcap.store.port import Changes, Load, Page, Summary, Touched
from endcap.store.states import Build, BuildRecord, ChangeRow, Job, ModelRow, TrackerRow
from endcap.store.writes import CommitGeneration, Committed, Outcome, Write
from endcap.store.postgres_pool import (
    BORROW_SECONDS_MAX,
    LOCK_SECONDS_MAX,
    Connection,
    PostgresPool,
    columns,
    one,
    stream,
)
from endcap.store.rows import Row

POOL_SIZE_MAX = 10
LISTEN_SECONDS_MAX = 0.25  # how long one wait may keep `close` waiting
ANALYZE_ROWS_MIN = 10_000  # rows of one commit after which the server shall count anew
INDEXED_CHARACTERS_MAX = 250  # of an identity in an index, whose entries end at 2,700 bytes
CHANNEL = "endcap"
T = TypeVar("T")

_sql = scripts.queries("postgres")
_filters = Filters(_sql, lambda name: f"%({name})s")


class PostgresStore(LogQueries, PostgresPool):
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
        self, writes: Sequence[Write], carry: "Callable[[Sequence[Write], _Transaction], T]"
    ) -> T:
        transactions: list[_Transaction] = []

        def work(connection: Connection) -> T:
            transactions.append(_Transaction(connection))
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

    def trackers(self) -> Sequence[TrackerRow]:
        return [rows.read_tracker(row) for row in self._all("fetch_trackers", {})]

    def tracker(self, tracker: TrackerId) -> TrackerRow | None:
        found = self._all("fetch_tracker", {"tracker": tracker})
        return rows.read_tracker(found[0]) if found else None

    def revisions(self) -> Mapping[TrackerId, int]:
        return dict(self._all("fetch_revisions", {}))

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
        found = self._all("fetch_customization", {"tracker": tracker, "id": id})
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

    def models(self, tracker: TrackerId) -> Sequence[ModelRow]:
        return [ModelRow(*row) for row in self._all("fetch_models", {"tracker": tracker})]

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
            query,
            {
                "tracker": tracker,
                "after": "" if after is None else _key(after),
                "types": list(types),
                "limit": limit,
            },
        )
        return [CatalogObject(*row) for row in found]

    def count_objects(self, tracker: TrackerId, *, types: Sequence[str] = ()) -> int:
        query = "count_objects_of_types" if types else "count_objects"
        ((count,),) = self._all(query, {"tracker": tracker, "types": list(types)})
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
        found = self._all("fetch_fields", {"tracker": tracker})
        return [Field(*row) for row in found]

    def job(self, tracker: TrackerId, id: int) -> Job | None:
        found = self._all("fetch_job", {"tracker": tracker, "id": id})
        return rows.read_job(found[0][0]) if found else None

    def open_jobs(self) -> Sequence[tuple[TrackerId, Job]]:
        found = self._all("fetch_open_jobs", {})
        return [(tracker, rows.read_job(state)) for tracker, state in found]

    def count_open_jobs(self, tracker: TrackerId) -> int:
        ((count,),) = self._all("count_open_jobs", {"tracker": tracker})
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
        ((count,),) = self._all("count_changes", values)
        return int(count)

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

    def _rows(self, query: str, values: Mapping[str, object]) -> list[Row]:
        return self._all(query, values)

    # Builds

    def claim_build(
        self, tracker: TrackerId, holder: str, *, now: Micros, until: Micros
    ) -> Build | None:
        found = self._all("claim_build", rows.build_claim(tracker, holder, now, until))
        return rows.read_build(found[0]) if found else None

    def keep_build(
        self, tracker: TrackerId, holder: str, record: BuildRecord, *, until: Micros | None
    ) -> bool:
        return bool(self._all("keep_build", rows.build_kept(tracker, holder, record, until)))

    def pause_build(self, tracker: TrackerId, *, paused: bool) -> None:
        self._all("pause_build", rows.build_paused(tracker, paused=paused))

    def builds(self) -> Mapping[TrackerId, Build]:
        found = map(rows.read_build, self._all("fetch_builds", {}))
        return {each.tracker: each for each in found}

    # Connections

    def _all(self, query: str, values: Mapping[str, object]) -> list[Row]:
        return self._fetched(_sql[query], values)

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


class _Transaction:
    """See `decide.Transaction`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rows_written = 0

    def claim_trackers(self, trackers: Sequence[TrackerRow]) -> Collection[TrackerId]:
        values = [rows.tracker(each) for each in trackers]
        found = self._connection.execute(_sql["claim_trackers"], columns(values)).fetchall()
        return {tracker for (tracker,) in found}

    def lock_trackers(self, trackers: Sequence[TrackerId]) -> Sequence[TrackerRow]:
        found = self._connection.execute(_sql["lock_trackers"], {"trackers": list(trackers)})
        return [rows.read_tracker(row) for row in found.fetchall()]

    def fetch_present(self, names: Names) -> Present:
        objects = [(tracker, _key(identity)) for tracker, identity in names.objects]
        return Present(
            records={
                (row[0], row[1]): rows.read_record(row[1:])
                for row in self._look_up("fetch_present_customizations", names.records)
            },
            objects={
                (row[0], row[1]): CatalogObject(*row[1:])
                for row in self._look_up("fetch_present_objects", objects)
            },
            replays={
                (tracker, key): Replay(fingerprint, created_at, rows.read_replayed(packed))
                for tracker, key, fingerprint, created_at, packed in self._look_up(
                    "fetch_present_replays", names.replays
                )
            },
            drafts={
                (row[0], row[1]): rows.read_draft(row[1:])
                for row in self._look_up("fetch_present_drafts", names.drafts)
            },
            models={
                (tracker, row[0]): ModelRow(*row)
                for tracker in names.tables
                for row in self._connection.execute(
                    _sql["fetch_models"], {"tracker": tracker}, binary=True
                ).fetchall()
            },
            fields={
                (row[0], row[1]): Field(*row[1:])
                for row in self._look_up("fetch_present_fields", names.fields)
            },
            jobs={
                (tracker, (job := rows.read_job(state)).id): job
                for tracker, state in self._look_up("fetch_present_jobs", names.jobs)
            },
        )

    def write(self, effects: Effects) -> None:
        write = self._write
        write("save_customizations", [rows.saved(*each) for each in effects.saved])
        write("rewrite_customizations", [rows.rewritten(*each) for each in effects.rewritten])
        write("delete_customizations", effects.deleted)
        write("delete_tags", effects.untagged)
        write("save_tags", effects.tagged)
        write("save_objects", [_catalog_object(*each) for each in effects.objects])
        write("delete_objects", [(tracker, _key(each)) for tracker, each in effects.removed])
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
        (count,) = one(self._connection, _sql["count_generation"], _swept(write))
        return int(count)

    def sweep(self, write: CommitGeneration, *, limit: int) -> Sequence[ItemId]:
        found = self._connection.execute(_sql["sweep"], _swept(write) | {"limit": limit})
        return [identity for (identity,) in found.fetchall()]

    def save_trackers(self, trackers: Sequence[TrackerRow]) -> None:
        self._write("save_trackers", [rows.tracker(each) for each in trackers])
        for each in trackers:
            self._connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, each.id))

    def _look_up(self, query: str, keys: Sequence[tuple[str, str | int]]) -> Iterator[Row]:
        for start in range(0, len(keys), BATCH_NAMES_MAX):
            some = columns(keys[start : start + BATCH_NAMES_MAX])
            yield from self._connection.execute(_sql[query], some, binary=True).fetchall()

    def _write(self, query: str, values: Sequence[Row]) -> None:
        if values:
            self.rows_written += len(values)
            self._connection.execute(_sql[query], columns(values))


# What PostgreSQL says


def _tracker_row(connection: Connection, tracker: TrackerId) -> TrackerRow:
    found = connection.execute(_sql["fetch_tracker"], {"tracker": tracker}).fetchone()
    if found is None:
        raise TrackerNotFound
    return rows.read_tracker(found)


# What PostgreSQL is told


def _swept(write: CommitGeneration) -> dict[str, object]:
    return {"tracker": write.tracker, "type": write.type, "generation": write.generation}


def _key(identity: str) -> str:
    """What an object is found by: its identity, if that fits into an index."""
    if len(identity) <= INDEXED_CHARACTERS_MAX:
        return identity
    return f"sha256:{sha256(identity.encode()).hexdigest()}"


def _catalog_object(tracker: TrackerId, each: CatalogObject) -> Row:
    _, *rest = rows.catalog_object(tracker, each)
    return (tracker, _key(each.identity), *rest)
