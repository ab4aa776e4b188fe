"""
Accounts in the store's own SQLite file.

A writer of its own: it queues with the store's for the file, and leaves the mark of commits alone, for no mirror shows
accounts.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from endcap.errors import StoreUnavailable
from endcap.store import scripts
from endcap.store.account_queries import AccountQueries, Ask
from endcap.store.rows import Row
from endcap.store.sqlite_file import PATIENCE_SECONDS, SqliteFile, begin, translated

T = TypeVar("T")
_sql = scripts.queries("sqlite_accounts")


class SqliteAccounts(AccountQueries, SqliteFile):
    """See `accounts.AccountStore`. The tables are made by the migrations of the store in the same file."""

    inline = True

    def __init__(self, path: Path | str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        super().__init__(path, patience_seconds=patience_seconds)
        self._writer: sqlite3.Connection | None = None
        self._write_lock = threading.Lock()

    def close(self) -> None:
        """Waits for a write under way."""
        self._closed = True
        with self._write_lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
        while self._idle:
            self._idle.pop().close()

    def _read(self, query: str, values: Mapping[str, object]) -> list[Row]:
        return self._all(_sql[query], values)

    def _write(self, work: Callable[[Ask], T]) -> T:
        deadline = time.monotonic() + self._patience_seconds
        if not self._write_lock.acquire(timeout=self._patience_seconds):
            raise StoreUnavailable("The store is busy; try again shortly")
        try:
            with translated():
                if self._writer is None:
                    self._writer = self._connect(busy_seconds=0)
                return _done(self._writer, work, deadline)
        finally:
            self._write_lock.release()


def _done(connection: sqlite3.Connection, work: Callable[[Ask], T], deadline: float) -> T:
    """The work in a transaction; what it raises undoes it."""

    def ask(query: str, values: Mapping[str, object]) -> list[Row]:
        return connection.execute(_sql[query], values).fetchall()

    begin(connection, deadline)
    try:
        done = work(ask)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return done
