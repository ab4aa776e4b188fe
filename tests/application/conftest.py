"""
The application layer over real databases: SQLite always, PostgreSQL where it is there.
"""

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from psycopg import sql

from endcap.telemetry import log
from tests.application.world import World, committed
from tests.services.postgres import PostgresServer

Logged = list[MutableMapping[str, Any]]


@pytest.fixture(scope="session")
def shared_database(postgres_server: PostgresServer) -> str:
    """One for all tests: a server takes half a second an abandoned database to end in good order."""
    return postgres_server.create_database()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """With one tracker, at revision 1, and nothing else."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'endcap.db'}"
    else:
        url = request.getfixturevalue("shared_database")
        _empty(url)
    world = World(url, tmp_path / "data")
    committed(world.here, world.tracker())
    yield world
    world.close()


def _empty(url: str) -> None:
    """Takes all rows away, but for those that say which migrations were applied."""
    named = (
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration'"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        for (table,) in connection.execute(named).fetchall():
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(table)))


@pytest.fixture
def logged() -> Iterator[Logged]:
    """What is logged while the test runs."""
    vars(log).pop("bind", None)  # a logger that was made before would not be listened to
    with structlog.testing.capture_logs() as entries:
        yield entries
