"""
How much one caller may ask: a token bucket each, off unless the operator sets a rate.

A bucket holds what a caller may ask in one stretch, a second's worth unless said otherwise. The vendor throttles by
tracker, by address and by shopper; a self-hosted server leaves all three to its operator.
"""

import time

from endcap.errors import TooManyRequests

CALLERS_MAX = 100_000  # full buckets are forgotten when more callers than this are remembered


class Throttle:
    """`take` one token a request, `most` in some seconds; 0: no limit. Knows callers by any text."""

    def __init__(self, most: int, *, seconds: float = 1.0) -> None:
        self._most = float(most)
        self._rate = most / seconds
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, caller: str) -> None:
        """Raises TooManyRequests with the seconds to wait."""
        if not self._rate:
            return
        now = time.monotonic()
        level, since = self._levels.get(caller, (self._most, now))
        level = min(self._most, level + (now - since) * self._rate)
        if level < 1:
            self._levels[caller] = (level, now)
            raise TooManyRequests(max(1, round((1 - level) / self._rate)))
        if len(self._levels) >= CALLERS_MAX:
            self._forget(now)
        self._levels[caller] = (level - 1, now)

    def _forget(self, now: float) -> None:
        self._levels = {
            caller: (level, since)
            for caller, (level, since) in self._levels.items()
            if level + (now - since) * self._rate < self._most
        }
