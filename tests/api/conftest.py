"""
The application with one tracker and a small catalog, fresh for every test.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.driver import KEY, TRACKER, Server, ToldClock, catalog
from tests.services.server import LiveServer, create_tracker, start_server


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock("2025-01-22T08:49:58.123456Z")


@pytest.fixture
def empty(tmp_path: Path, clock: ToldClock) -> Iterator[Server]:
    """A server with a tracker and nothing in it."""
    server = Server(tmp_path, clock)
    server.create_tracker()
    yield server
    server.close()


@pytest.fixture
def server(empty: Server) -> Server:
    """A server with a tracker and the small catalog."""
    empty.put_objects(*catalog())
    return empty


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The installed command as a process, with the tracker of the other tests; it tells true time."""
    data_dir = tmp_path_factory.mktemp("live")
    create_tracker(data_dir, TRACKER, KEY)
    server = start_server(data_dir, env={"ENDCAP_CLOCK_SKEW_SECONDS": "300"})
    yield server
    server.stop()
