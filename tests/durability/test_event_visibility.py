"""
What a shopper did is known in every worker soon after the event was answered.
"""

import http.client
import json
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.durability.storm import KEY, TRACKER
from tests.durability.test_visibility import _connections
from tests.services.server import create_tracker, start_server

KNOWN_SECONDS_MAX = 10.0
"""Not the promise (1 s), but what a crowded machine may take."""


def test_every_worker_knows_over_sqlite(tmp_path: Path) -> None:
    """Two workers over one file."""
    _tell_and_watch(tmp_path, {"ENDCAP_DATABASE_URL": f"sqlite:///{tmp_path / 'seen.db'}"})


@pytest.mark.postgres
def test_every_worker_knows_over_postgres(tmp_path: Path, postgres_url: str) -> None:
    """Two workers over one database."""
    _tell_and_watch(tmp_path, {"ENDCAP_DATABASE_URL": postgres_url})


def _tell_and_watch(data_dir: Path, environment: dict[str, str]) -> None:
    create_tracker(data_dir, TRACKER, KEY, env=environment)
    server = start_server(data_dir, workers=2, env=environment)
    with ExitStack() as stack:
        stack.callback(server.stop)
        by_pid = _connections(server, stack)
        for number, pid in enumerate(sorted(by_pid), 1):
            body = {
                "id": f"e{number}",
                "type": "click",
                "tracker_id": TRACKER,
                "client_id": number,
                "action": {"type": "click", "resource_identifier": "/p/1"},
            }
            by_pid[pid].request("POST", "/", json.dumps(body), {"Content-Type": "text/plain"})
            assert by_pid[pid].getresponse().read() == b"{}"

            assert _shoppers(by_pid[pid]) == number, "who took the event did not know it at once"
            for connection in by_pid.values():
                deadline = time.monotonic() + KNOWN_SECONDS_MAX
                while _shoppers(connection) < number:
                    assert time.monotonic() < deadline, "the other worker never knew"
                    time.sleep(0.01)


def _shoppers(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    (line,) = (each for each in lines if each.startswith("endcap_shoppers{"))
    return int(float(line.split()[-1]))
