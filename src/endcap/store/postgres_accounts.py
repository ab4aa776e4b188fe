"""
Accounts in PostgreSQL.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from endcap.store import scripts
from endcap.store.account_queries import AccountQueries, Ask
from endcap.store.postgres_pool import Connection, PostgresPool
from endcap.store.rows import Row

CONNECTIONS_MAX = 2  # people are few

T = TypeVar("T")
_sql = scripts.queries("postgres_accounts")


class PostgresAccounts(AccountQueries, PostgresPool):
    """See `accounts.AccountStore`. The tables are made by the migrations of the store in the same database."""

    inline = False

    def __init__(self, url: str, *, connections_max: int = CONNECTIONS_MAX) -> None:
        super().__init__(url, connections_max=connections_max)

    def close(self) -> None:
        """Readers and writers under way close what they hold."""
        self._closed = True
        self._drop_idle()

    def _read(self, query: str, values: Mapping[str, object]) -> list[Row]:
        return self._fetched(_sql[query], values)

    def _write(self, work: Callable[[Ask], T]) -> T:
        def within(connection: Connection) -> T:
            def ask(query: str, values: Mapping[str, object]) -> list[Row]:
                return connection.execute(_sql[query], values).fetchall()

            return work(ask)

        return self._committed(within)
