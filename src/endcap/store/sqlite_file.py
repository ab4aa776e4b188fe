"""
One SQLite file as its users share it: connections, what a transaction waits for, what its errors mean.

WAL with `synchronous = FULL`: a commit is on disk when it returns, and readers never wait for the writer. Reads take a
connection from a stack of idle ones, so that a point read costs microseconds. One connection writes, guarded by a lock
in this process and by SQLite's own between processes. Knows no tables.
"""

import random
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from endcap.errors import StoreUnavailable, UsageFault
from endcap.store import scripts
from endcap.store.rows import Row

PATIENCE_SECONDS = 10.0  # how long a writer waits for the writers before it
RETRY_SECONDS_MAX = 0.004  # between attempts to become the writer: SQLite's own pauses grow to 0.1
STATEMENTS_MAX = 512  # kept prepared by a connection; a set of rows of each size is one
IDLE_MAX = 16  # connections kept for the next readers
STREAM_ROWS = 256
LOG_BYTES_KEPT = 64 << 20  # of the file that grows with one large import

UNAVAILABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PROTOCOL,
    }
)

VERSION_MIN = (3, 37)  # STRICT tables


class SqliteFile:
    """The file and its folder are made when they are missing."""

    _name = "store"

    def __init__(self, path: Path | str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        if sqlite3.sqlite_version_info < VERSION_MIN:
            raise UsageFault(
                f"SQLite {sqlite3.sqlite_version} is too old; Endcap needs 3.37 or later"
            )
        self._path = Path(path)
        self._patience_seconds = patience_seconds
        self._idle: deque[sqlite3.Connection] = deque()
        self._writer: sqlite3.Connection | None = None
        self._write_lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Waits for a commit under way; readers under way close what they hold."""
        self._closed = True
        with self._write_lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
        while self._idle:
            self._idle.pop().close()

    def _all(self, sql: str, values: Mapping[str, object]) -> list[Row]:
        """One query of its own. Written without context managers, which would double the time of a point read."""
        connection = self._take()
        try:
            found = connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            connection.close()
            raise translation(error) from error
        self._give_back(connection)
        return found

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state for as long as the block lasts."""
        with translated():
            connection = self._take()
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("ROLLBACK")
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """The write connection in a transaction of its own; what is raised inside undoes it."""
        deadline = time.monotonic() + self._patience_seconds
        if not self._write_lock.acquire(timeout=self._patience_seconds):
            raise StoreUnavailable(f"The {self._name} is busy; try again shortly")
        try:
            with translated():
                if self._writer is None:
                    self._writer = self._connect(busy_seconds=0)
                connection = self._writer
                begin(connection, deadline)
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        finally:
            self._write_lock.release()

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect(busy_seconds=self._patience_seconds)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._closed or len(self._idle) >= IDLE_MAX:
            connection.close()
        else:
            self._idle.append(connection)

    def _connect(self, *, busy_seconds: float) -> sqlite3.Connection:
        """A connection that one thread at a time uses, not always the same."""
        if self._closed:
            raise StoreUnavailable("The store is closed")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"The folder of {self._path} cannot be made") from error
        with translated():
            connection = sqlite3.connect(
                self._path,
                timeout=self._patience_seconds,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=STATEMENTS_MAX,
            )
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES_KEPT}")
                connection.execute(f"PRAGMA busy_timeout = {round(busy_seconds * 1_000)}")
            except BaseException:
                connection.close()
                raise
        return connection


def stream(cursor: sqlite3.Cursor) -> Iterator[Row]:
    while some := cursor.fetchmany(STREAM_ROWS):
        yield from some


def migrate(connection: sqlite3.Connection, adapter: str) -> Sequence[str]:
    """Applies an adapter's migrations that are not there yet, in the transaction of its caller; their names."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration"
        " (name TEXT NOT NULL PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT, WITHOUT ROWID"
    )
    known = {name for (name,) in connection.execute("SELECT name FROM migration")}
    new = [each for each in scripts.migrations(adapter) if each[0] not in known]
    for name, script in new:
        for statement in statements(script):
            connection.execute(statement)
        connection.execute("INSERT INTO migration VALUES (?, ?)", (name, time.time_ns() // 1_000))
    return [name for name, _ in new]


def statements(script: str) -> Iterator[str]:
    """One at a time: SQLite's own way to run a script commits what is under way."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def begin(connection: sqlite3.Connection, deadline: float) -> None:
    """Becomes the writer among all processes, or gives up at the deadline."""
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0, RETRY_SECONDS_MAX))


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise translation(error) from error


def translation(error: sqlite3.Error) -> Exception:
    """The one place that turns SQLite's errors into ours: by code, never by text."""
    code = primary_code(error)
    if code in UNAVAILABLE:
        return StoreUnavailable()
    return RuntimeError(f"SQLite refused what it was told ({type(error).__name__}, code {code})")


def primary_code(error: sqlite3.Error) -> int | None:
    """Without the extension; errors that Python's module raises by itself have none."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
