"""
The parent of the workers: starts them, replaces what dies, reloads without a gap, ends them in good order.

It holds the socket that they share, so that whoever connects while nobody accepts waits instead of being refused.
It knows nothing of what workers do: one is *ready* when it says so. Whoever is ready listens; while none is, one that
loads does, and answers that it is loading.

`_settle` compares what there is with what should be and takes the next step; it is called after every event, and no
event is handled anywhere else.
"""

import os
import selectors
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from endcap.api.worker import BACKLOG, DRAIN, GRACE_SECONDS, HUSH, LISTEN, QUIET, READY
from endcap.cli.last_call import let_nobody_in
from endcap.errors import Problem
from endcap.telemetry import log

TICK_SECONDS = 0.5
KILL_SECONDS = GRACE_SECONDS + 5  # after a drain began; the worker's own bound comes before it
HUSH_SECONDS_MAX = 1.0  # how long a busy worker that loads may keep the others from listening
SILENCE_SECONDS_MAX = 60.0  # a worker says something every second, unless its event loop hangs
RESTART_SECONDS_MIN, RESTART_SECONDS_MAX = (
    0.1,
    10.0,
)  # between deaths and births, doubled for each death before ready
CANNOT_START = 3  # the exit code of a worker that another attempt would not help


class Plan(Struct, frozen=True):
    """What is to run."""

    workers: int
    environment: Mapping[str, str]


class _Worker:
    """A process, and what is known of it."""

    def __init__(
        self, process: subprocess.Popen[bytes], channel: socket.socket, *, generation: int
    ) -> None:
        self.process = process
        self.channel = channel
        self.generation = generation
        self.is_ready = False
        self.listens = False
        self.hushed_at: float | None = None
        self.heard_at = time.monotonic()
        self.draining_since: float | None = None

    def tell(self, what: bytes) -> None:
        with suppress(OSError):  # it died; its end is noticed elsewhere
            self.channel.send(what)

    def drain(self) -> None:
        self.draining_since = time.monotonic()
        self.tell(DRAIN)


class Supervisor:
    """Runs a plan until it is told to stop."""

    def __init__(
        self,
        listener: socket.socket,
        plan: Plan,
        replan: Callable[[], Plan],
        *,
        silence_seconds_max: float = SILENCE_SECONDS_MAX,
    ) -> None:
        """`replan` makes the plan anew at a reload. It raises a Problem if that cannot be."""
        self._listener = listener
        self._plan = self._proven_plan = plan
        self._replan = replan
        self._silence_seconds_max = silence_seconds_max
        self._workers: list[_Worker] = []
        self._generation = self._proven_generation = self._last_generation = 0
        self._deaths = 0
        self._not_before = 0.0
        self._was_ready = False
        self._has_failed = False
        self._stopping = self._reloading = self._hurried = False
        self._selector = selectors.DefaultSelector()

    def run(self) -> bool:
        """Whether it ended because it was told to."""
        self._listener.listen(BACKLOG)
        with self._signals(), self._selector:
            self._settle()
            while self._workers or not self._stopping:
                for key, _ in self._selector.select(TICK_SECONDS):
                    key.data()
                self._settle()
        return not self._has_failed

    # What there is, and what should be

    def _settle(self) -> None:
        self._bury()
        if self._reloading:
            self._reload()
        if self._stopping:
            let_nobody_in(self._listener)
            self._listener.close()
            for each in self._staying():
                each.drain()
        else:
            self._end_surplus()
            self._start_missing()
            self._choose_listeners()
        self._kill_stubborn()

    def _staying(self) -> list[_Worker]:
        return [each for each in self._workers if each.draining_since is None]

    def _current(self) -> list[_Worker]:
        return [each for each in self._staying() if each.generation == self._generation]

    def _end_surplus(self) -> None:
        """Older workers go when newer ones are ready. One that is not ready itself goes when any other is."""
        staying, current = self._staying(), self._current()
        old = sorted(
            (each for each in staying if each not in current), key=lambda each: each.is_ready
        )
        surplus = len(staying) - self._plan.workers
        ending = [each for each in old if not each.is_ready and any(e.is_ready for e in staying)]
        if all(each.is_ready for each in current):
            ending = [*old, *reversed(current)][: max(surplus, len(ending))]
        if ending:
            self._choose_listeners()  # before anybody closes the door
        for each in ending:
            each.drain()

    def _start_missing(self) -> None:
        """All that lack; in a reload one more than there should be, one after the other."""
        current, staying = self._current(), self._staying()
        missing = self._plan.workers - len(staying)
        if missing <= 0:
            is_next = (
                len(current) < self._plan.workers
                and all(each.is_ready for each in current)
                and len(staying) == len(self._workers)
            )
            missing = 1 if is_next else 0
        if missing > 0 and time.monotonic() >= self._not_before:
            for _ in range(missing):
                self._start()

    def _choose_listeners(self) -> None:
        """Those that are ready, once those that are not have let go of the door; if none is, the first of all."""
        staying = self._staying()
        if any(each.is_ready for each in staying):
            now = time.monotonic()
            loud = [each for each in staying if each.listens and not each.is_ready]
            for each in loud:
                if each.hushed_at is None:
                    each.hushed_at = now
                    each.tell(HUSH)
            if any(now - (each.hushed_at or now) < HUSH_SECONDS_MAX for each in loud):
                return
            listeners = [each for each in staying if each.is_ready]
        else:
            listeners = staying[:1]
        for each in listeners:
            if not each.listens:
                each.listens, each.hushed_at = True, None
                each.tell(LISTEN)

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            numbers = (self._listener.fileno(), theirs.fileno())
            process = subprocess.Popen(
                # -P: nothing in the working directory is taken for a module
                [sys.executable, "-P", "-m", "endcap.web.worker", *map(str, numbers)],
                env=self._plan.environment,
                stdin=subprocess.DEVNULL,
                pass_fds=numbers,
            )
        ours.setblocking(False)
        worker = _Worker(process, ours, generation=self._generation)
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._hear(worker))

    def _hear(self, worker: _Worker) -> None:
        try:
            said = worker.channel.recv(4_096)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:  # it ended, or is about to
            self._forget(worker)
            return
        worker.heard_at = time.monotonic()
        if QUIET in said:
            worker.listens, worker.hushed_at = False, None
        if READY in said:
            worker.is_ready = self._was_ready = True
            self._deaths = 0
            if worker.generation == self._generation:
                self._proven_generation, self._proven_plan = self._generation, self._plan
            log.info("worker is ready", pid=worker.process.pid)

    def _forget(self, worker: _Worker) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(worker.channel)
        worker.channel.close()

    def _bury(self) -> None:
        for worker in list(self._workers):
            code = worker.process.poll()
            if code is None:
                continue
            self._workers.remove(worker)
            self._forget(worker)
            if worker.draining_since is None and not self._stopping:
                self._mourn(worker, code)

    def _mourn(self, worker: _Worker, code: int) -> None:
        """One that ended by itself."""
        log.warning("worker died", pid=worker.process.pid, code=code)
        older = [each for each in self._staying() if each.generation < worker.generation]
        if not worker.is_ready and worker.generation > self._proven_generation and older:
            log.error("reload failed, serving as before")
            self._generation, self._plan = self._proven_generation, self._proven_plan
        elif not self._was_ready and code == CANNOT_START:
            self._has_failed = self._stopping = True
        self._deaths = 0 if worker.is_ready else self._deaths + 1
        pause = min(RESTART_SECONDS_MIN * 2**self._deaths, RESTART_SECONDS_MAX)
        self._not_before = time.monotonic() + pause

    def _kill_stubborn(self) -> None:
        now = time.monotonic()
        for each in self._workers:
            if each.draining_since is not None:
                is_late = self._hurried or now - each.draining_since > KILL_SECONDS
            else:
                is_late = now - each.heard_at > self._silence_seconds_max
                if is_late:
                    log.error("worker hangs", pid=each.process.pid)
            if is_late:
                each.process.kill()

    def _reload(self) -> None:
        self._reloading = False
        try:
            self._plan = self._replan()
        except Problem as problem:
            log.error("reload failed, serving as before", reason=str(problem))
            return
        self._last_generation += 1
        self._generation = self._last_generation
        self._deaths, self._not_before = 0, 0.0
        log.info("reloading", workers=self._plan.workers)

    # Signals

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Handlers only note what came; a byte in a socket pair wakes the loop."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        has_terminal = _has_terminal()

        def stop(number: int, frame: object) -> None:
            self._hurried = self._stopping and number == signal.SIGINT
            self._stopping = True

        def reload(number: int, frame: object) -> None:
            if has_terminal and not _has_terminal():  # it was closed: nobody is there to serve for
                _write_nowhere()
                self._stopping = True
            else:
                self._reloading = True

        def wake(number: int, frame: object) -> None:
            pass

        handlers = {
            signal.SIGTERM: stop,
            signal.SIGINT: stop,
            signal.SIGHUP: reload,
            signal.SIGCHLD: wake,
        }
        before = {number: signal.signal(number, each) for number, each in handlers.items()}
        wakeup_before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._selector.register(ours, selectors.EVENT_READ, lambda: ours.recv(4_096))
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup_before)
            for number, handler in before.items():
                signal.signal(number, handler)
            ours.close()
            theirs.close()


def _has_terminal() -> bool:
    try:
        Path("/dev/tty").open("rb").close()
    except OSError:
        return False
    return True


def _write_nowhere() -> None:
    """A log line to a terminal that is gone would be an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for each in (1, 2):
        if not _is_open(each):
            os.dup2(nowhere, each)
    os.close(nowhere)


def _is_open(descriptor: int) -> bool:
    """A terminal that is gone is none any more; files and pipes never were."""
    try:
        return not stat.S_ISCHR(os.fstat(descriptor).st_mode) or os.isatty(descriptor)
    except OSError:
        return False
