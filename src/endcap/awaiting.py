"""
Those who wait until a tracker is shown at a revision.

A wait is a future of its event loop, settled by whichever thread shows the tracker: nobody polls, and who shows a
tracker that nobody waits for pays one look at an empty dictionary.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from endcap.domain import TrackerId

WAITS_MAX = 10_000  # beyond it a worker has no use for more of them


class _Wait(Struct, frozen=True, eq=False):
    revision: int
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[None]"


class Awaiting:
    """Waits by tracker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waits: dict[TrackerId, list[_Wait]] = {}
        self._count = 0

    @property
    def is_full(self) -> bool:
        return self._count >= WAITS_MAX

    @contextmanager
    def waiting(self, tracker: TrackerId, revision: int) -> Iterator["asyncio.Future[None]"]:
        """
        A future that is done once the tracker is shown at the revision. Look at what is shown *inside* the block: it
        may have been shown just before.
        """
        loop = asyncio.get_running_loop()
        wait = _Wait(revision, loop, loop.create_future())
        with self._lock:
            self._waits.setdefault(tracker, []).append(wait)
            self._count += 1
        try:
            yield wait.future
        finally:
            with self._lock:
                self._count -= 1
                waits = self._waits[tracker]
                waits.remove(wait)
                if not waits:
                    del self._waits[tracker]

    def shown(self, tracker: TrackerId, revision: int) -> None:
        """Settles those who waited for this. From any thread."""
        if tracker not in self._waits:
            return
        with self._lock:
            reached = [w for w in self._waits.get(tracker, ()) if w.revision <= revision]
        for wait in reached:
            if not wait.loop.is_closed():
                wait.loop.call_soon_threadsafe(settle, wait.future)


def settle(future: "asyncio.Future[None]") -> None:
    """Done, if it is not already."""
    if not future.done():
        future.set_result(None)
