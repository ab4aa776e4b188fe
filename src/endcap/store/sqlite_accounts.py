"""
Accounts in the store's own SQLite file.

A writer of its own: it queues with the store's for the file, and leaves the mark of commits alone, for no mirror shows
accounts.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from endcap.store import scripts
from endcap.store.account_queries import AccountQueries, Ask
from endcap.store.rows import Row
from endcap.store.sqlite_file import SqliteFile

T = TypeVar("T")
_sql = scripts.queries("sqlite_accounts")


class SqliteAccounts(AccountQueries, SqliteFile):
    """See `accounts.AccountStore`. The tables are made by the migrations of the store in the same file."""

    inline = True

    def _read(self, query: str, values: Mapping[str, object]) -> list[Row]:
        return self._all(_sql[query], values)

    def _write(self, work: Callable[[Ask], T]) -> T:
        with self._writing() as connection:
            return work(lambda query, values: connection.execute(_sql[query], values).fetchall())
