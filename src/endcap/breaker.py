"""
When to leave a service alone that fails, and when to try it again.

Closed, every call is let through and counted. Where within a window so many calls have failed, and at least half of
all, it opens: no call is let through for a while. Then one is, to see; if it succeeds all are again, else it waits as
long once more. Pure: the time, in seconds of any clock that only goes forward, is an argument.
"""

from enum import StrEnum


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """One service's. `failures`, `window_seconds` and `open_seconds` as told above."""

    __slots__ = (
        "_calls",
        "_failed",
        "_failures",
        "_open_seconds",
        "_opened_at",
        "_probed_at",
        "_since",
        "_window_seconds",
        "state",
    )

    def __init__(self, *, failures: int, window_seconds: float, open_seconds: float) -> None:
        self._failures = failures
        self._window_seconds = window_seconds
        self._open_seconds = open_seconds
        self._since = self._opened_at = self._probed_at = float("-inf")
        self._calls = self._failed = 0
        self.state = State.CLOSED

    def lets_through(self, now: float) -> bool:
        """Whether a call may be made; what becomes of it must be told."""
        if self.state is State.CLOSED:
            return True
        if self.state is State.OPEN:
            if now - self._opened_at < self._open_seconds:
                return False
        elif now - self._probed_at < self._open_seconds:  # a probe that never ends is none
            return False
        self.state = State.HALF_OPEN
        self._probed_at = now
        return True

    def succeeded(self, now: float) -> bool:
        """Whether this closed it again. Calls that were under way when it opened close nothing."""
        if self.state is State.HALF_OPEN:
            self._close()
            return True
        self._count(now)
        return False

    def failed(self, now: float) -> bool:
        """Whether this opened it, or kept it open."""
        if self.state is State.OPEN:
            return False
        if self.state is State.CLOSED:
            self._count(now)
            self._failed += 1
            if self._failed < self._failures or self._failed * 2 < self._calls:
                return False
        self.state = State.OPEN
        self._opened_at = now
        return True

    def _count(self, now: float) -> None:
        if now - self._since >= self._window_seconds:
            self._since = now
            self._calls = self._failed = 0
        self._calls += 1

    def _close(self) -> None:
        self.state = State.CLOSED
        self._since = float("-inf")
