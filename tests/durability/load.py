"""
A small steady load: threads that ask over connections that they keep, and remember what they were answered.

Only a connection that could not be made, or that the server had said would end, counts as nobody's fault: whatever is
asked on an open connection must be answered.
"""

import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from tests.durability.storm import BASE, TRACKER, definition, signed

TIMEOUT_SECONDS = 40.0
SILENT_SECONDS = 1.0  # after which a server that drains may close a connection
PATIENT = {"ENDCAP_CLOCK_SKEW_SECONDS": "60"}
"""For servers under load on machines that may stand still for seconds: no signature is refused for that."""
RECOMMEND = f"/v1/recommend?tracker_id={TRACKER}"
WIDGET = json.dumps([{"recommendation_type": "trends", "size": 3}]).encode()


class Answer(Struct, frozen=True):
    """What one request got: a status, or what went wrong with it."""

    asked_at: float
    answered_at: float
    status: int | str
    headers: dict[str, str]
    body: bytes = b""


class Caller:
    """One connection, made anew whenever the server says that it ends."""

    def __init__(self, url: str) -> None:
        split = urlsplit(url)
        self._address = (split.hostname or "", split.port or 0)
        self._connection: http.client.HTTPConnection | None = None
        self._answered_at = 0.0

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """An answer, whatever it is; `refused` when nobody listens, `cut` when a request was left unanswered."""
        answer = self._ask(method, path, body, headers)
        if str(answer.status).startswith("cut") and self._was_silent(answer):
            answer = self._ask(method, path, body, headers)
        if isinstance(answer.status, int):
            self._answered_at = answer.answered_at
        return answer

    def _was_silent(self, answer: Answer) -> bool:
        """Whether the connection was not used for so long, on a machine that stood still, that it had expired."""
        return answer.answered_at - self._answered_at >= SILENT_SECONDS

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        asked_at = time.monotonic()
        if self._connection is None:
            made = http.client.HTTPConnection(*self._address, timeout=TIMEOUT_SECONDS)
            try:
                made.connect()
            except OSError:
                return Answer(asked_at, time.monotonic(), "refused", {})
            self._connection = made
            self._answered_at = time.monotonic()
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        all_headers = {"Content-Type": "application/json", **sent}
        if not path.startswith("/v1/recommend?"):
            all_headers |= signed(method, path.partition("?")[0], body)
        try:
            self._connection.request(method, path, body, all_headers)
            response = self._connection.getresponse()
            found = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Answer(asked_at, time.monotonic(), f"cut: {error!r}", {})
        told = {name.lower(): text for name, text in response.getheaders()}
        if told.get("connection") == "close":
            self.close()
        return Answer(asked_at, time.monotonic(), response.status, told, found)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def recommend(self, **headers: str) -> Answer:
        return self.ask("POST", RECOMMEND, WIDGET, **headers)

    def create(self, mark: str, **headers: str) -> Answer:
        return self.ask("POST", BASE, definition(mark), **headers)


class Turn(Protocol):
    """What a thread asks, over and over; `number` counts its turns."""

    def __call__(self, caller: Caller, thread: int, number: int) -> Answer: ...


def recommends(caller: Caller, thread: int, number: int) -> Answer:
    return caller.recommend()


def creates(caller: Caller, thread: int, number: int) -> Answer:
    return caller.create(f"{thread}-{number}")


class Load:
    """The answers so far; `answers` may be read while it runs."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def counts(self) -> Counter[int | str]:
        return Counter(each.status for each in self.answers)

    def since(self, moment: float) -> Sequence[Answer]:
        return [each for each in self.answers if each.asked_at >= moment]

    def wait_for(self, count: int, holds: Callable[[Answer], bool], seconds: float = 30.0) -> None:
        """Until so many answers from now on are like this."""
        start = len(self.answers)
        deadline = time.monotonic() + seconds
        while sum(map(holds, self.answers[start:])) < count:
            assert time.monotonic() < deadline, self.counts()
            time.sleep(0.01)


@contextmanager
def load(url: str, turn: Turn, *, threads: int = 4, pause_seconds: float = 0.002) -> Iterator[Load]:
    """Keeps asking for as long as the block lasts. A refused connection ends nothing; it is tried again."""
    found = Load()
    stop = threading.Event()

    def run(thread: int) -> None:
        caller = Caller(url)
        number = 0
        while not stop.is_set():
            found.answers.append(turn(caller, thread, number))
            number += 1
            stop.wait(pause_seconds)
        caller.close()

    runners = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for each in runners:
        each.start()
    try:
        yield found
    finally:
        stop.set()
        for each in runners:
            each.join()


def put_items(url: str, count: int = 20) -> int:
    """Fills the catalog; the revision after it."""
    objects = [
        {"identity": f"/p/{number}", "type": "item", "fields": {"title": f"Item {number}"}}
        for number in range(count)
    ]
    caller = Caller(url)
    answer = caller.ask("POST", "/v1/content", json.dumps({"objects": objects}).encode())
    caller.close()
    assert answer.status == 200, answer
    return int(answer.headers["endcap-revision"])


def worker_of(url: str) -> int:
    """The process that takes a new connection."""
    caller = Caller(url)
    answer = caller.ask("GET", "/metrics")
    caller.close()
    assert answer.status == 200, answer
    for line in answer.body.decode().splitlines():
        if line.startswith("endcap_worker_pid "):
            return int(float(line.split()[1]))
    raise AssertionError("no worker said its pid")


def children_of(pid: int) -> set[int]:
    """The processes that a process started and that live."""
    found: set[int] = set()
    for task in _tasks(pid):
        with suppress(OSError):
            found |= {int(each) for each in task.split()}
    return found


def _tasks(pid: int) -> Iterator[str]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            yield task.read_text()


def connects(url: str) -> bool:
    split = urlsplit(url)
    try:
        socket.create_connection((split.hostname or "", split.port or 0), timeout=5).close()
    except OSError:
        return False
    return True
