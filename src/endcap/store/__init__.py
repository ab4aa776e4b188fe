"""
The store: what the application asks of a database (`port`, and `accounts` and `events` beside
it), and the two databases it may be.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from endcap.errors import UsageFault
from endcap.store.accounts import AccountStore
from endcap.store.events import SPAN, EventStore
from endcap.store.port import Store

POOL_SIZE_MAX = 10


def open_store(url: str, *, pool_size_max: int = POOL_SIZE_MAX) -> Store:
    """
    The store behind a URL: `sqlite:///relative/path`, `sqlite:////absolute/path`, `postgresql://…`.

    Raises UsageFault for other URLs. Connects only when first asked something; drivers are imported only where used.
    """
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        return _open_sqlite(url)
    if scheme in {"postgresql", "postgres"}:
        from endcap.store.postgres import PostgresStore  # noqa: PLC0415 - imports the driver

        return PostgresStore(url, pool_size_max=pool_size_max)
    raise _unknown(url)


def open_accounts(url: str) -> AccountStore:
    """The accounts in the store behind a URL, whose migrations make their tables. Raises as `open_store` does."""
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        from endcap.store.sqlite_accounts import SqliteAccounts  # noqa: PLC0415 - reads its SQL

        return SqliteAccounts(_sqlite_path(url))
    if scheme in {"postgresql", "postgres"}:
        from endcap.store.postgres_accounts import PostgresAccounts  # noqa: PLC0415 - imports the driver

        return PostgresAccounts(url)
    raise _unknown(url)


def open_events(url: str, *, span: int = SPAN) -> EventStore:
    """
    The store of events that belongs to the store behind a URL: a file beside the SQLite file, which is called after it
    (`endcap-events.db` beside `endcap.db`), or tables in the same PostgreSQL database.

    Raises as `open_store` does. `span` is how many numbers one statement looks at where all are looked at.
    """
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        from endcap.store.sqlite_events import SqliteEvents  # noqa: PLC0415 - reads its SQL

        path = _sqlite_path(url)
        return SqliteEvents(path.with_name(f"{path.stem}-events{path.suffix}"), span=span)
    if scheme in {"postgresql", "postgres"}:
        from endcap.store.postgres_events import PostgresEvents  # noqa: PLC0415 - imports the driver

        return PostgresEvents(url, span=span)
    raise _unknown(url)


def _open_sqlite(url: str) -> Store:
    from endcap.store.sqlite import SqliteStore  # noqa: PLC0415 - reads its SQL

    return SqliteStore(_sqlite_path(url))


def _sqlite_path(url: str) -> Path:
    if not url.startswith("sqlite:///") or len(url) == len("sqlite:///"):
        raise _unknown(url)
    return Path(unquote(url.removeprefix("sqlite:///")))


def _unknown(url: str) -> UsageFault:
    scheme = url.partition(":")[0]
    return UsageFault(
        f"No store is known for a URL that begins with {scheme!r}. Use sqlite:///relative/path.db, "
        "sqlite:////absolute/path.db or postgresql://user:password@host:5432/database"
    )
