"""
The server that the clients talk to.
"""

from collections.abc import Iterator

import pytest
from msgspec import Struct

from tests.services.server import LiveServer, create_tracker, start_server

TRACKER = "1234-5678"
KEY = "your_private_api_key"


class Shop(Struct, frozen=True):
    """Where the server is, and as whom to talk to it."""

    server: LiveServer
    tracker: str = TRACKER
    key: str = KEY

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ENDCAP_URL": self.server.url,
            "ENDCAP_TRACKER": self.tracker,
            "ENDCAP_KEY": self.key,
        }


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The installed server with one tracker in an embedded database of its own."""
    data_dir = tmp_path_factory.mktemp("endcap-compat")
    create_tracker(data_dir, TRACKER, KEY)
    server = start_server(data_dir)
    try:
        yield Shop(server)
    finally:
        server.stop()
