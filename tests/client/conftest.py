"""
A client in front of a server, once over a socket and once in process; the scene does not see which.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest

from endcap.client import Client
from tests.client.world import KEY, Awaiting, InProcess
from tests.services.server import LiveServer, create_tracker, start_server

Connect = Callable[..., Client]


@pytest.fixture(scope="session")
def live_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("endcap-live")


@pytest.fixture(scope="session")
def live_server(live_data_dir: Path) -> Iterator[LiveServer]:
    """The installed server as a process of its own."""
    server = start_server(live_data_dir)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def in_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """The application in this process."""
    application = InProcess(tmp_path_factory.mktemp("endcap-in-process"))
    yield application
    application.stop()


@pytest.fixture(params=["sync over a socket", "async in process"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Makes clients of a tracker that nobody else uses; `key` and the client's own options may be given."""
    tracker = f"test-{uuid4().hex[:12]}"
    with ExitStack() as open_clients:
        if request.param == "async in process":
            application: InProcess = request.getfixturevalue("in_process")
            application.create_tracker(tracker)

            def connected(tracker: str = tracker, **options: Any) -> Client:
                client = Awaiting(application.client(tracker, **options))
                return cast(Client, open_clients.enter_context(closing(client)))
        else:
            server: LiveServer = request.getfixturevalue("live_server")
            create_tracker(request.getfixturevalue("live_data_dir"), tracker, KEY)

            def connected(tracker: str = tracker, **options: Any) -> Client:
                key = options.pop("key", KEY)
                return open_clients.enter_context(Client(server.url, tracker, key, **options))

        yield connected


@pytest.fixture
def client(connect: Connect) -> Client:
    """A client with its own, empty tracker."""
    return connect()
