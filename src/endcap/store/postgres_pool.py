"""
Connections to one PostgreSQL database, and what its errors mean.

Connections are made in the thread that needs one, as many at a time as the pool is large, and kept for the next: an
unreachable server shows at once and with its own reason. One that the server has closed is noticed before it is used,
and the others of its age go with it, so that after a restart the next call succeeds. Knows no tables.
"""

import select
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from endcap.errors import StoreUnavailable, UsageFault
from endcap.store import scripts
from endcap.store.rows import Row

BORROW_SECONDS_MAX = 5.0  # how long a caller waits while all connections are in use
LOCK_SECONDS_MAX = 10  # how long a writer waits for the writers before it
STATEMENT_SECONDS_MAX = 20  # the longest are of 1,000 rows, some 50 ms
ANSWER_SECONDS_MAX = (
    25.0  # beyond the two above: a server that stopped without closing its connections
)
ATTEMPTS_MAX = 3  # of a commit that the server broke off to let another one pass
STREAM_ROWS = 1_000
MIGRATION_LOCK = 0x656E64636170  # "endcap"
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


class PostgresPool:
    """The URL is libpq's, with several hosts if there are."""

    def __init__(
        self,
        url: str,
        *,
        connections_max: int,
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
        self._free = threading.BoundedSemaphore(connections_max)
        self._idle: deque[Connection] = deque()
        self._closed = False

    def migrate(self) -> Sequence[str]:
        """Brings the schema up to date, whoever's tables are missing; returns the names of the migrations applied."""
        with self._borrowed() as connection:
            (encoding,) = one(connection, "SHOW server_encoding")
            if encoding != "UTF8":
                raise UsageFault(f"The database is in {encoding}; Endcap needs one in UTF8")
            patience, connection.answer_seconds_max = connection.answer_seconds_max, inf
            with connection.transaction():
                applied = _migrate(connection)
            connection.answer_seconds_max = patience
        return applied

    def _fetched(self, sql: str, values: Mapping[str, object]) -> list[Row]:
        """One query of its own."""
        with self._borrowed() as connection:
            return connection.execute(sql, values, binary=True).fetchall()

    def _committed(self, work: Callable[[Connection], T]) -> T:
        """
        Does its work in a transaction, in a pipeline; again where the server broke it off to let another one pass.

        When it returns, all is on disk, and on a second server where the database is set up so.
        """
        for _ in range(ATTEMPTS_MAX - 1):
            try:
                return self._committed_once(work)
            except BrokenOff:
                continue
        return self._committed_once(work)

    def _committed_once(self, work: Callable[[Connection], T]) -> T:
        with self._borrowed() as connection:
            connection.warnings.clear()
            with connection.pipeline():
                connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
                done = work(connection)
                connection.execute("COMMIT")
            if ONLY_HERE in connection.warnings:
                raise StoreUnavailable("The write may not be on a second server; try again shortly")
        return done

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
            with translated():
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


def one(connection: Connection, query: str, values: Mapping[str, object] | None = None) -> Row:
    """The row of a query that always has one."""
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return row


def stream(connection: Connection, query: str, values: Mapping[str, object]) -> Iterator[Row]:
    """Rows by a cursor of the server's, a bounded number at a time."""
    name = f"endcap_{time.monotonic_ns()}"
    with connection.cursor(name, binary=True) as cursor:
        cursor.itersize = STREAM_ROWS
        cursor.execute(query, values)
        yield from cursor


def columns(values: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*values, strict=True)]


class _TooLate(psycopg.OperationalError):
    """The server did not answer in time."""


class BrokenOff(StoreUnavailable):
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
def translated() -> Iterator[None]:
    """The one place that turns PostgreSQL's errors into ours: by class and state, never by text."""
    try:
        yield
    except (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        psycopg.errors.ReadOnlySqlTransaction,  # what was the primary has become a standby
    ) as error:
        if (error.sqlstate or "").startswith(BROKEN_OFF):
            raise BrokenOff from error
        raise StoreUnavailable from error
    except psycopg.Error as error:
        raise RuntimeError(f"PostgreSQL refused what it was told ({error.sqlstate})") from error
