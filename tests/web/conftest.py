"""
A console with one tracker, a small catalog and a signed-in administrator, fresh for every test.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.driver import ToldClock, catalog
from tests.web.driver import ConsoleServer, Visitor


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock("2025-01-22T08:49:58.123456Z")


@pytest.fixture
def server(tmp_path: Path, clock: ToldClock) -> Iterator[ConsoleServer]:
    server = ConsoleServer(tmp_path, clock)
    server.create_tracker()
    server.put_objects(*catalog())
    yield server
    server.close()


@pytest.fixture
def stranger(server: ConsoleServer) -> Visitor:
    """A browser that nobody has signed in with; user `ann` exists, an administrator of every tracker."""
    server.create_user("ann")
    return Visitor(server)


@pytest.fixture
def ann(stranger: Visitor) -> Visitor:
    assert stranger.sign_in().status_code == 303
    return stranger
