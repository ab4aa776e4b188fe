"""
A thread that looks every so often whether there is something to do.

It outlives what goes wrong in a look: the next one may do better, and a thread that dies in silence does nothing any
more. That the store is away is the mirror's to say. Threads that follow the store and tell when it is back, that are
woken, or that end by themselves are another matter: `mirror`, `activity`, `jobs`, `lease`.
"""

import threading
from collections.abc import Callable

from endcap.errors import StoreUnavailable


class Lookout:
    """Calls `look` again and again, with a pause of `seconds` in between. `failed` is told what else it raises."""

    def __init__(
        self,
        look: Callable[[], object],
        seconds: float,
        *,
        name: str,
        failed: Callable[[Exception], None],
    ) -> None:
        self._look = look
        self._seconds = seconds
        self._name = name
        self._failed = failed
        self._thread: threading.Thread | None = None
        self.stopping = threading.Event()
        """Set when it is to end: a look that lasts heeds it."""

    def start(self) -> None:
        self._begin(0)

    def start_later(self) -> None:
        """The first look comes after a pause."""
        self._begin(self._seconds)

    def stop(self) -> None:
        """Returns when a look under way has ended. A pause ends at once."""
        self.stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _begin(self, pause_seconds: float) -> None:
        self._thread = threading.Thread(
            target=self._keep_looking, args=(pause_seconds,), name=self._name, daemon=True
        )
        self._thread.start()

    def _keep_looking(self, pause_seconds: float) -> None:
        while not self.stopping.wait(pause_seconds):
            pause_seconds = self._seconds
            try:
                self._look()
            except StoreUnavailable:
                continue
            except Exception as error:  # noqa: BLE001 - see above
                self._failed(error)
