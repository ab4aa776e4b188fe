"""
Group commit: writes that arrive together share one transaction and one sync to disk.

Writes made within one turn of the event loop are handed over together to one thread; what arrives while it commits
forms the next group. A write is answered when its group is durable and this worker's mirror shows it. A write that
breaks its group in an unforeseen way is tried alone, so that its neighbours do not suffer.
"""

import asyncio
import threading
from collections.abc import Sequence
from queue import SimpleQueue

from endcap.errors import CatalogFaults, Problem, StoreUnavailable
from endcap.mirror import Mirror
from endcap.store.port import Committed, Outcome, Store, Write
from endcap.telemetry import log

GROUP_MAX = 512  # bounds how long one transaction holds the writers of other processes
PENDING_MAX = 10_000  # beyond it the store is not keeping up, and waiting callers should know

_Pending = tuple[Write, asyncio.AbstractEventLoop, "asyncio.Future[Committed]"]


class Committer:
    """One thread that commits for everybody in this process."""

    def __init__(
        self,
        store: Store,
        mirror: Mirror,
        *,
        group_max: int = GROUP_MAX,
        pending_max: int = PENDING_MAX,
    ) -> None:
        self._store = store
        self._mirror = mirror
        self._group_max = group_max
        self._pending_max = pending_max
        self._handed: SimpleQueue[list[_Pending] | None] = SimpleQueue()
        self._turn: list[_Pending] = []
        self._pending = 0
        self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when all that was asked for is committed; later calls are refused. For the loop's own thread."""
        self._stopped = True
        if self._turn:
            self._hand_over()
        self._handed.put(None)
        if self._thread is not None:
            self._thread.join()

    async def commit(self, write: Write) -> Committed:
        """Durable and visible here when it returns; raises the write's Problem."""
        if self._stopped or self._pending >= self._pending_max:
            raise StoreUnavailable
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Committed] = loop.create_future()
        self._pending += 1
        if not self._turn:
            loop.call_soon(self._hand_over)
        self._turn.append((write, loop, future))
        return await future

    def commit_now(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """The same from a thread that may block (commands, tests): one group of its own."""
        outcomes = self._store.commit(writes)
        self._mirror.absorb(writes, outcomes)
        return outcomes

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

    def _settle(self, group: list[_Pending]) -> None:
        outcomes = self._attempt([write for write, _, _ in group])
        by_loop: dict[
            asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Committed], Outcome]]
        ] = {}
        for (_, loop, future), outcome in zip(group, outcomes, strict=True):
            by_loop.setdefault(loop, []).append((future, outcome))
        for loop, settled in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._resolve, settled)

    def _attempt(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        try:
            return self.commit_now(writes)
        except StoreUnavailable as problem:
            return [problem] * len(writes)
        except CatalogFaults as problem:  # of a write that is done whole or not at all
            if len(writes) == 1:
                return [problem]
            return [outcome for write in writes for outcome in self._attempt([write])]
        except Exception as error:  # noqa: BLE001 - whatever it is must not take the thread, or the neighbours, along
            if len(writes) > 1:
                return [outcome for write in writes for outcome in self._attempt([write])]
            log.error("write failed", write=type(writes[0]).__name__, exc_info=error)
            escape = Problem("internal error")
            escape.__cause__ = error
            return [escape]

    def _resolve(self, settled: list[tuple["asyncio.Future[Committed]", Outcome]]) -> None:
        self._pending -= len(settled)
        for future, outcome in settled:
            if future.done():  # the caller went away; the write stands
                continue
            if isinstance(outcome, Committed):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)
