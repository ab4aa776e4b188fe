"""
Work that arrives together is done together, and answered each by itself.

Work handed over within one turn of the event loop goes to one thread; what arrives while that is busy forms the next
group. Work that breaks its group in an unforeseen way is tried alone, so that its neighbours do not suffer.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Generic, TypeVar

from endcap.errors import Problem, StoreUnavailable
from endcap.telemetry import log

W = TypeVar("W")
D = TypeVar("D")
GROUP_MAX = 512  # bounds how long one transaction holds the writers of other processes
PENDING_MAX = 10_000  # beyond it the store is not keeping up, and waiting callers should know


class Grouped(Generic[W, D]):
    """One thread that works for everybody in this process. `settle` gives an outcome for each work, in order."""

    def __init__(
        self,
        settle: Callable[[Sequence[W]], Sequence[D | Problem]],
        *,
        name: str,
        group_max: int = GROUP_MAX,
        pending_max: int = PENDING_MAX,
    ) -> None:
        self._settle_all = settle
        self._name = name
        self._group_max = group_max
        self._pending_max = pending_max
        self._handed: SimpleQueue[list[_Pending[W, D]] | None] = SimpleQueue()
        self._turn: list[_Pending[W, D]] = []
        self._pending = 0
        self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when all that was asked for is done; later calls are refused. For the loop's own thread."""
        self._stopped = True
        if self._turn:
            self._hand_over()
        self._handed.put(None)
        if self._thread is not None:
            self._thread.join()

    async def done(self, work: W) -> D:
        """What became of it; raises its Problem."""
        if self._stopped or self._pending >= self._pending_max:
            raise StoreUnavailable
        loop = asyncio.get_running_loop()
        future: asyncio.Future[D] = loop.create_future()
        self._pending += 1
        if not self._turn:
            loop.call_soon(self._hand_over)
        self._turn.append((work, loop, future))
        return await future

    def _hand_over(self) -> None:
        self._handed.put(self._turn)
        self._turn = []

    def _run(self) -> None:
        while (group := self._handed.get()) is not None:
            while len(group) < self._group_max and not self._handed.empty():
                more = self._handed.get()
                if more is None:
                    self._handed.put(None)
                    break
                group += more
            self._settle(group)

    def _settle(self, group: "list[_Pending[W, D]]") -> None:
        outcomes = self._attempt([work for work, _, _ in group])
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[D], D | Problem]]] = {}
        for (_, loop, future), outcome in zip(group, outcomes, strict=True):
            by_loop.setdefault(loop, []).append((future, outcome))
        for loop, settled in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._resolve, settled)

    def _attempt(self, works: Sequence[W]) -> Sequence[D | Problem]:
        try:
            return self._settle_all(works)
        except StoreUnavailable as problem:
            return [problem] * len(works)
        except Exception as error:  # noqa: BLE001 - whatever it is must not take the thread, or the neighbours, along
            if len(works) > 1:
                return [outcome for work in works for outcome in self._attempt([work])]
            log.error("write failed", write=type(works[0]).__name__, exc_info=error)
            escape = Problem("internal error")
            escape.__cause__ = error
            return [escape]

    def _resolve(self, settled: "list[tuple[asyncio.Future[D], D | Problem]]") -> None:
        self._pending -= len(settled)
        for future, outcome in settled:
            if future.done():  # the caller went away; the work stands
                continue
            if isinstance(outcome, Problem):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


_Pending = tuple[W, asyncio.AbstractEventLoop, "asyncio.Future[D]"]
