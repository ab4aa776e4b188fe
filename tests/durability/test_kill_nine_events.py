"""
`kill -9` in a storm of shopper events loses none that was answered, and keeps none twice.
"""

import http.client
import itertools
import json
import os
import random
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from endcap.archive.reading import stored
from endcap.domain import TrackerId
from endcap.store import open_events
from tests.durability.storm import KEY, TRACKER
from tests.services.server import create_tracker, start_server

KILLS = int(os.environ.get("ENDCAP_TEST_KILLS", "4"))
THREADS = 8
ANSWERED_SECONDS_MAX = 30


class EventStorm:
    """Threads that send events until the server dies, each remembering what was answered."""

    def __init__(self, url: str, *, seed: str) -> None:
        split = urlsplit(url)
        self._host, self._port = split.hostname or "", split.port or 0
        self._seed = seed
        self._stop = threading.Event()
        self.answered: list[list[str]] = [[] for _ in range(THREADS)]
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(THREADS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_answered(self, count: int) -> None:
        deadline = time.monotonic() + ANSWERED_SECONDS_MAX
        while sum(map(len, self.answered)) < count:
            assert time.monotonic() < deadline, "too few events were answered"
            time.sleep(0.005)

    def _send(self, number: int) -> None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=10)
        try:
            for count in itertools.count():
                if self._stop.is_set():
                    return
                name = f"{self._seed}-{number}-{count}"
                for _ in range(1 + count % 2):  # every other one is sent twice
                    self._post(connection, name)
                self.answered[number].append(name)
        except (OSError, http.client.HTTPException):
            return  # the server died
        finally:
            connection.close()

    def _post(self, connection: http.client.HTTPConnection, name: str) -> None:
        body = {"id": name, "type": "pv", "tracker_id": TRACKER, "client_id": 7, "url": "/p/1"}
        connection.request("POST", "/v1", json.dumps(body), {"Content-Type": "text/plain"})
        answer = connection.getresponse()
        said = answer.read()
        assert (answer.status, said) == (200, b"{}"), said


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_sqlite_keeps_every_answered_event(tmp_path: Path, workers: int) -> None:
    """After every kill all that was answered since the first is there once."""
    environment = {"ENDCAP_DATABASE_URL": f"sqlite:///{tmp_path / 'storm.db'}"}

    _storm_and_kill(tmp_path, environment, workers=workers)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("workers", [1, 2])
def test_postgres_keeps_every_answered_event(
    tmp_path: Path, postgres_url: str, workers: int
) -> None:
    """The same over PostgreSQL."""
    _storm_and_kill(tmp_path, {"ENDCAP_DATABASE_URL": postgres_url}, workers=workers)


def _storm_and_kill(data_dir: Path, environment: dict[str, str], *, workers: int) -> None:
    create_tracker(data_dir, TRACKER, KEY, env=environment)
    chance = random.Random(workers)
    answered: set[str] = set()
    for round_ in range(KILLS):
        server = start_server(data_dir, workers=workers, env=environment)
        storm = EventStorm(server.url, seed=str(round_))
        storm.start()
        try:
            storm.wait_answered(chance.randint(100, 1_500))
        finally:
            server.kill()
            storm.join()
        answered |= {name for names in storm.answered for name in names}
        events = open_events(environment["ENDCAP_DATABASE_URL"])
        try:
            kept = [told.event.id for told in stored(events, TrackerId(TRACKER))]
        finally:
            events.close()
        assert len(kept) == len(set(kept))
        assert answered <= set(kept), f"{len(answered - set(kept))} answered events are lost"
        assert len(set(kept) - answered) <= THREADS * (round_ + 1), "kept what nobody sent"
