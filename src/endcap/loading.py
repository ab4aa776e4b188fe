"""
Progress of a tracker that is being loaded: counted as its rows pass by, said every few seconds.
"""

import threading
import time
from collections.abc import Iterator
from typing import TypeVar

from endcap.errors import StoreUnavailable
from endcap.store.port import Load
from endcap.telemetry import log

T = TypeVar("T")
LOG_SECONDS = 2.0
ROWS_BETWEEN_LOOKS = 512  # at the clock: some milliseconds of loading


class Progress:
    """Of one load. What is quick is not talked about."""

    def __init__(
        self, load: Load, stopping: threading.Event, *, log_seconds: float = LOG_SECONDS
    ) -> None:
        self._log_seconds = log_seconds
        self._load = load
        self._stopping = stopping
        self._counts = {"objects": 0, "customizations": 0}
        self._total = load.object_count + load.customization_count
        self._began_at = self._said_at = time.monotonic()

    def count(self, kind: str, rows: Iterator[T]) -> Iterator[T]:
        """The same rows. Raises StoreUnavailable when the process is to end: what is loaded then is for nobody."""
        for number, row in enumerate(rows):
            if number % ROWS_BETWEEN_LOOKS == 0:
                self._counts[kind] = number
                self._look()
            yield row
            self._counts[kind] = number + 1

    def _look(self) -> None:
        if self._stopping.is_set():
            raise StoreUnavailable("The process is ending")
        now = time.monotonic()
        if now - self._said_at >= self._log_seconds:
            self._said_at = now
            share = sum(self._counts.values()) / max(1, self._total)
            log.info(
                "loading", tracker=self._load.tracker.id, **self._counts, share=round(share, 3)
            )

    def end(self) -> None:
        if self._said_at > self._began_at:
            log.info(
                "loaded",
                tracker=self._load.tracker.id,
                **self._counts,
                seconds=round(time.monotonic() - self._began_at, 1),
            )
