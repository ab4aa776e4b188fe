"""
The store in PostgreSQL, for several hosts at once.

A commit queues for its trackers' rows with `SELECT … FOR UPDATE`, in order of their ids, so that revisions are in the
order of commits whoever writes, and no two writers wait in a circle. Its statements travel in a pipeline: three
journeys to the server, whatever it writes. `NOTIFY` wakes those who `wait`; what they then see, only the revision row
tells.

Connections are made in the thread that needs one, as many at a time as the pool is large, and kept for the next: an
unreachable server shows at once and with its own reason. One that the server has closed is noticed before it is used,
and the others of its age go with it, so that after a restart the next call succeeds.
"""

import select
import threading
import time
from collections import deque
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from math import inf
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from endcap.domain import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    CatalogObject,
    CustomizationId,
    Filter,
    ItemId,
    Micros,
    Record,
    Sort,
    TrackerId,
)
from endcap.errors import StoreUnavailable, TrackerNotFound, UsageFault
from endcap.store import rows, scripts
from endcap.store.decide import (
    BATCH_NAMES_MAX,
    Effects,
    Names,
    Present,
    Replay,
    carry_out,
)
from endcap.store.filters import Filters
from endcap.store.port import (
    Build,
    BuildRecord,
    ChangeRow,
    Changes,
    Load,
    Outcome,
    Page,
    Summary,
    TrackerRow,
    Write,
)
from endcap.store.rows import Row

POOL_SIZE_MAX = 10
BORROW_SECONDS_MAX = 5.0  # how long a caller waits while all connections are in use
LOCK_SECONDS_MAX = 10  # how long a writer waits for the writers before it
STATEMENT_SECONDS_MAX = 20  # the longest are of 1,000 rows, some 50 ms
ANSWER_SECONDS_MAX = (
    25.0  # beyond the two above: a server that stopped without closing its connections
)
LISTEN_SECONDS_MAX = 0.25  # how long one wait may keep `close` waiting
ATTEMPTS_MAX = 3  # of a commit that the server broke off to let another one pass
STREAM_ROWS = 1_000
ANALYZE_ROWS_MIN = 10_000  # rows of one commit after which the server shall count anew
INDEXED_CHARACTERS_MAX = 250  # of an identity in an index, whose entries end at 2,700 bytes
MIGRATION_LOCK = 0x656E64636170  # "endcap"
CHANNEL = "endcap"
WARNINGS_MAX = 10
# A commit that waited for a standby until a time-out, or a hand, ended the wait: it stands on the primary alone, and
# PostgreSQL answers it as done, with a warning of this state.
ONLY_HERE = "01000"
BROKEN_OFF = "40"  # the class of states of deadlocks and failures to serialize

# What the URL does not say otherwise. A host that vanished is noticed within some five seconds.
CONNECTION_DEFAULTS = {
    "application_name": "endcap",
    "client_encoding": "UTF8",
    "connect_timeout": "3",
    "keepalives_idle": "2",
    "keepalives_interval": "1",
    "keepalives_count": "3",
    "tcp_user_timeout": "5000",
}

T = TypeVar("T")
_sql = scripts.queries("postgres")
_filters = Filters(_sql, lambda name: f"%({name})s")


class Connection(psycopg.Connection[Row]):
    """A connection that does not wait for ever, and keeps the states of the warnings that it was given."""

    answer_seconds_max = ANSWER_SECONDS_MAX

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.warnings: list[str] = []
        self.add_notice_handler(self._note)

    def _note(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self.warnings = [*self.warnings[-WARNINGS_MAX:], notice.sqlstate or ""]

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **named: Any) -> T:
        try:
            return super().wait(_within(gen, self.answer_seconds_max), *args, **named)
        except _TooLate:
            self.pgconn.finish()  # else whoever tidies up after this would wait as long again
            raise


class PostgresStore:
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
        self._borrow_seconds_max = borrow_seconds_max
        self._lock_seconds_max = lock_seconds_max
        try:
            given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
        except psycopg.ProgrammingError as error:
            raise UsageFault("This is not a URL that PostgreSQL's library can read") from error
        self._conninfo = make_conninfo(**{**CONNECTION_DEFAULTS, **given})
        self._has_options = "options" in given
        self._free = threading.BoundedSemaphore(max(1, pool_size_max - 1))  # one listens
        self._idle: deque[Connection] = deque()
        self._ears: list[_Ear] = []
        self._thread = threading.local()
        self._closed = False

    def migrate(self) -> Sequence[str]:
        with self._borrowed() as connection:
            (encoding,) = _one(connection, "SHOW server_encoding")
            if encoding != "UTF8":
                raise UsageFault(f"The database is in {encoding}; Endcap needs one in UTF8")
            patience, connection.answer_seconds_max = connection.answer_seconds_max, inf
            with connection.transaction():
                applied = _migrate(connection)
            connection.answer_seconds_max = patience
        return applied

    def close(self) -> None:
        """Readers and writers under way close what they hold."""
        self._closed = True
        self._drop_idle()
        while self._ears:
            self._ears.pop().close()

    # Writing

    def commit(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        if not writes:
            return []
        for _ in range(ATTEMPTS_MAX - 1):
            try:
                return self._commit(writes)
            except _BrokenOff:
                continue
        return self._commit(writes)

    def _commit(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        with self._borrowed() as connection:
            connection.warnings.clear()
            with connection.pipeline():
                connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
                transaction = _Transaction(connection)
                outcomes = carry_out(writes, transaction)
                connection.execute("COMMIT")
            if ONLY_HERE in connection.warnings:
                raise StoreUnavailable("The write may not be on a second server; try again shortly")
        if transaction.rows_written >= ANALYZE_ROWS_MIN:
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
            (total,) = _one(connection, _filters.query("count_customizations", filter), values)
            query = _filters.query("fetch_page", filter, sort)
            bounds = {"limit": limit, "offset": offset}
            found = connection.execute(query, values | bounds, binary=True).fetchall()
        return Page(total, [rows.read_record(row) for row in found])

    def records(
        self, tracker: TrackerId, filter: Filter, *, sort: Sequence[Sort] = OLDEST_FIRST
    ) -> Iterator[Record]:
        query = _filters.query("fetch_matches", filter, sort)
        with self._snapshot() as connection:
            found = _stream(connection, query, _filters.values(tracker, filter))
            yield from map(rows.read_record, found)

    def summary(self, tracker: TrackerId) -> Summary:
        values = {"tracker": tracker}
        with self._snapshot() as connection:
            counts = connection.execute(_sql["count_models"], values).fetchall()
            tags = connection.execute(_sql["fetch_tags"], values).fetchall()
        return Summary(dict(counts), [tag for (tag,) in tags])

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
            present = _Transaction(connection).fetch_present(
                Names(
                    records=[(tracker, each) for each in customizations],
                    objects=[(tracker, each) for each in identities],
                    replays=(),
                )
            )
        return Changes(
            row,
            {each: present.records.get((tracker, each)) for each in customizations},
            {each: present.objects.get((tracker, each)) for each in identities},
        )

    def behind(self, tracker: TrackerId, *, since: int, at_most: int) -> int:
        values = {"tracker": tracker, "since": since, "at_most": at_most}
        ((count,),) = self._all("count_changes", values)
        return int(count)

    def history(self, tracker: TrackerId, *, subject: str | None = None) -> Iterator[ChangeRow]:
        query = "fetch_history" if subject is None else "fetch_history_of"
        with self._snapshot() as connection:
            found = _stream(connection, _sql[query], {"tracker": tracker, "subject": subject})
            yield from (ChangeRow(*row) for row in found)

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
        """One query of its own."""
        with self._borrowed() as connection:
            return connection.execute(_sql[query], values, binary=True).fetchall()

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """A connection that sees one state for as long as the block lasts."""
        with self._borrowed() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _borrowed(self) -> Iterator[Connection]:
        """A connection for one use. Whatever is raised meanwhile, it is not used again."""
        if not self._free.acquire(timeout=self._borrow_seconds_max):
            raise StoreUnavailable("All connections to the store are in use; try again shortly")
        try:
            with _translated():
                connection = self._take()
                try:
                    yield connection
                except psycopg.Error:
                    connection.close()
                    self._drop_idle()  # most likely they share its fate
                    raise
                except BaseException:
                    connection.close()
                    raise
                self._give_back(connection)
        finally:
            self._free.release()

    def _take(self) -> Connection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if _is_quiet(connection):
                return connection
            connection.close()
        return self._connect()

    def _give_back(self, connection: Connection) -> None:
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)

    def _drop_idle(self) -> None:
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:
                return

    def _connect(self) -> Connection:
        if self._closed:
            raise StoreUnavailable("The store is closed")
        connection = Connection.connect(self._conninfo, autocommit=True)
        if not self._has_options:
            connection.execute(
                f"SET statement_timeout = '{STATEMENT_SECONDS_MAX}s';"
                f"SET lock_timeout = '{self._lock_seconds_max}s'"
            )
        return connection

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
        counts = _one(connection, _sql["count_rows"], self._values)
        self.customization_count: int = counts[0]
        self.object_count: int = counts[1]

    def records(self) -> Iterator[Record]:
        return map(rows.read_record, self._rows("load_customizations"))

    def objects(self) -> Iterator[CatalogObject]:
        return (CatalogObject(*row) for row in self._rows("load_objects"))

    def _rows(self, query: str) -> Iterator[Row]:
        return _stream(self._connection, _sql[query], self._values)


class _Transaction:
    """See `decide.Transaction`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rows_written = 0

    def claim_trackers(self, trackers: Sequence[TrackerRow]) -> Collection[TrackerId]:
        values = [rows.tracker(each) for each in trackers]
        found = self._connection.execute(_sql["claim_trackers"], _columns(values)).fetchall()
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
        write("save_replays", [rows.replay(*each) for each in effects.replays])
        write("save_changes", [rows.change(*each) for each in effects.changes])
        for tracker, before in effects.outdated.items():
            self._connection.execute(_sql["purge_replays"], {"tracker": tracker, "before": before})

    def save_trackers(self, trackers: Sequence[TrackerRow]) -> None:
        self._write("save_trackers", [rows.tracker(each) for each in trackers])
        for each in trackers:
            self._connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, each.id))

    def _look_up(self, query: str, keys: Sequence[tuple[str, str]]) -> Iterator[Row]:
        for start in range(0, len(keys), BATCH_NAMES_MAX):
            some = _columns(keys[start : start + BATCH_NAMES_MAX])
            yield from self._connection.execute(_sql[query], some, binary=True).fetchall()

    def _write(self, query: str, values: Sequence[Row]) -> None:
        if values:
            self.rows_written += len(values)
            self._connection.execute(_sql[query], _columns(values))


def _migrate(connection: Connection) -> Sequence[str]:
    connection.execute("SET LOCAL statement_timeout = 0")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration"
        " (name text NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)"
    )
    known = {name for (name,) in connection.execute("SELECT name FROM migration")}
    new = [each for each in scripts.migrations("postgres") if each[0] not in known]
    for name, script in new:
        connection.execute(script)
        connection.execute("INSERT INTO migration VALUES (%s, %s)", (name, time.time_ns() // 1_000))
    return [name for name, _ in new]


# What PostgreSQL says


def _one(connection: Connection, query: str, values: Mapping[str, object] | None = None) -> Row:
    """The row of a query that always has one."""
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return row


def _tracker_row(connection: Connection, tracker: TrackerId) -> TrackerRow:
    found = connection.execute(_sql["fetch_tracker"], {"tracker": tracker}).fetchone()
    if found is None:
        raise TrackerNotFound
    return rows.read_tracker(found)


def _stream(connection: Connection, query: str, values: Mapping[str, object]) -> Iterator[Row]:
    """Rows by a cursor of the server's, a bounded number at a time."""
    name = f"endcap_{time.monotonic_ns()}"
    with connection.cursor(name, binary=True) as cursor:
        cursor.itersize = STREAM_ROWS
        cursor.execute(query, values)
        yield from cursor


# What PostgreSQL is told


def _columns(values: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*values, strict=True)]


def _key(identity: str) -> str:
    """What an object is found by: its identity, if that fits into an index."""
    if len(identity) <= INDEXED_CHARACTERS_MAX:
        return identity
    return f"sha256:{sha256(identity.encode()).hexdigest()}"


def _catalog_object(tracker: TrackerId, each: CatalogObject) -> Row:
    _, *rest = rows.catalog_object(tracker, each)
    return (tracker, _key(each.identity), *rest)


# Patience and errors


class _TooLate(psycopg.OperationalError):
    """The server did not answer in time."""


class _BrokenOff(StoreUnavailable):
    """The server broke this off to let another one pass; try again."""


def _within(steps: Generator[Any, Any, T], seconds: float) -> Generator[Any, Any, T]:
    """The driver's own steps, given up when they take too long."""
    deadline = time.monotonic() + seconds
    try:
        asked = next(steps)
        while True:
            answer = yield asked
            if time.monotonic() > deadline:
                steps.close()
                raise _TooLate("the server did not answer in time")
            asked = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


def _is_quiet(connection: Connection) -> bool:
    """An idle connection has nothing to say, but that it is closed."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


@contextmanager
def _translated() -> Iterator[None]:
    """The one place that turns PostgreSQL's errors into ours: by class and state, never by text."""
    try:
        yield
    except (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        psycopg.errors.ReadOnlySqlTransaction,  # what was the primary has become a standby
    ) as error:
        if (error.sqlstate or "").startswith(BROKEN_OFF):
            raise _BrokenOff from error
        raise StoreUnavailable from error
    except psycopg.Error as error:
        raise RuntimeError(f"PostgreSQL refused what it was told ({error.sqlstate})") from error
