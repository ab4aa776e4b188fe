"""
Stores on real databases: one database an adapter and a worker, one tracker a test.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from endcap.domain import TrackerId
from endcap.store import open_store
from endcap.store.port import Store
from tests.services.postgres import PostgresServer
from tests.store.writes import committed, new_tracker, some_tracker

ADAPTERS = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]
MakeUrl = Callable[[], str]


@pytest.fixture(scope="session", params=ADAPTERS)
def make_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MakeUrl:
    """Makes the URL of an empty database."""
    if request.param == "sqlite":
        return lambda: sqlite_url(tmp_path_factory.mktemp("sqlite") / "endcap.db")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database


@pytest.fixture(scope="session")
def database(make_url: MakeUrl) -> str:
    """The URL of a database that tests share, each with trackers of its own."""
    url = make_url()
    with_store = open_store(url)
    with_store.migrate()
    with_store.close()
    return url


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    store = open_store(database)
    yield store
    store.close()


@pytest.fixture
def tracker(store: Store) -> TrackerId:
    """A tracker that nobody else knows, at revision 1."""
    tracker = some_tracker()
    committed(store, new_tracker(tracker))
    return tracker


@pytest.fixture
def fresh(make_url: MakeUrl) -> Iterator[Store]:
    """A store of its own, with the schema and nothing else."""
    store = open_store(make_url())
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """Where a SQLite store may be, with the schema."""
    path = tmp_path / "endcap.db"
    store = open_store(sqlite_url(path))
    store.migrate()
    store.close()
    return path


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"
