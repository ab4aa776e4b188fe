"""
A storm of signed writes from several threads, each remembering what was answered and what was still in the air.

Every write carries a mark, in its tag and in both of its pins, so that a half-done one shows.
"""

import http.client
import itertools
import json
import random
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from endcap import signing
from endcap.clock import system_clock

TRACKER = "1234-5678"
KEY = "your_private_api_key"
BASE = f"/v1/recommender/pin/{TRACKER}/scope"
GONE = "gone"


def signed(method: str, path: str, body: bytes = b"") -> dict[str, str]:
    """The headers of a signed request."""
    date = signing.format_http_date(system_clock())
    signature = signing.sign(
        KEY, method=method, content_type=signing.JSON_CONTENT_TYPE, date=date, path=path
    )
    return {
        "Content-Type": signing.JSON_CONTENT_TYPE,
        "Date": date,
        "Authorization": f"ApiAuth {TRACKER}:{signature}",
        "Content-Length": str(len(body)),
    }


def definition(mark: str) -> bytes:
    """A customization that says its mark three times."""
    pins = [
        {"position": position, "pin_type": "item", "pin_identity": f"/p/{mark}"}
        for position in (1, 2)
    ]
    body = {"model": "basket", "target_type": "all", "tags": [mark], "pin_definitions": pins}
    return json.dumps(body).encode()


def marks(customization: dict[str, object]) -> set[str]:
    """The marks that a stored customization says: one, if it is whole."""
    tags = customization["tags"]
    pins = customization["pin_definitions"]
    assert isinstance(tags, list)
    assert isinstance(pins, list)
    return {*tags, *(pin["pin_identity"].removeprefix("/p/") for pin in pins)}


@dataclass
class Thread:
    """One writer's memory: the last answered mark of each customization, and the write in the air, if any."""

    number: int
    answered: dict[str, str] = field(default_factory=dict)
    in_air: tuple[str | None, str] | None = None
    """(id, mark): id None for a create."""
    count: int = 0


class Storm:
    """Writes until the server dies."""

    def __init__(self, url: str, *, threads: int = 8, seed: int = 0) -> None:
        split = urlsplit(url)
        self._host, self._port = split.hostname or "", split.port or 0
        self._seed = seed
        self._stop = threading.Event()
        self.writers = [Thread(number) for number in range(threads)]
        self._threads = [
            threading.Thread(target=self._write, args=(each,)) for each in self.writers
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def answered(self) -> int:
        return sum(writer.count for writer in self.writers)

    def wait_answered(self, count: int, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while self.answered < count:
            assert time.monotonic() < deadline, f"only {self.answered} writes were answered"
            time.sleep(0.005)

    def _write(self, writer: Thread) -> None:
        chance = random.Random(f"{self._seed}-{writer.number}")
        connection = http.client.HTTPConnection(self._host, self._port, timeout=10)
        try:
            for number in itertools.count():
                if self._stop.is_set():
                    return
                self._one(connection, writer, chance, f"{writer.number}-{number}")
        except (OSError, http.client.HTTPException):
            return  # the server died; what was in the air stays noted
        finally:
            connection.close()

    def _one(
        self,
        connection: http.client.HTTPConnection,
        writer: Thread,
        chance: random.Random,
        mark: str,
    ) -> None:
        known = [each for each, last in writer.answered.items() if last != GONE]
        act = chance.random()
        if len(known) < 3 or act < 0.2:
            writer.in_air = (None, mark)
            status, body = self._ask(connection, "POST", BASE, definition(mark))
            assert status == 201, body
            writer.answered[json.loads(body)["id"]] = mark
        elif act < 0.9:
            chosen = chance.choice(known)
            writer.in_air = (chosen, mark)
            status, body = self._ask(connection, "PUT", f"{BASE}/{chosen}", definition(mark))
            assert status == 204, body
            writer.answered[chosen] = mark
        else:
            chosen = chance.choice(known)
            writer.in_air = (chosen, GONE)
            status, body = self._ask(connection, "DELETE", f"{BASE}/{chosen}", b"")
            assert status == 204, body
            writer.answered[chosen] = GONE
        writer.in_air = None
        writer.count += 1

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes
    ) -> tuple[int, bytes]:
        connection.request(method, path, body, signed(method, path, body))
        answer = connection.getresponse()
        return answer.status, answer.read()
