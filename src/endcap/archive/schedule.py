"""
Archives by itself: one of all workers of all hosts does it, every so often, in a process of its own.

A process of its own, with low priority, because writing Parquet takes memory and the interpreter's lock, and requests
want both. Whoever takes the lease does it, and nobody else until it ends; it is not given back. A run that
is killed is made up for by the next.
"""

import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from endcap.archive import reading
from endcap.clock import Clock, system_clock
from endcap.config import Settings, environment_of
from endcap.domain import Micros
from endcap.lookout import Lookout
from endcap.store.events import EventStore
from endcap.telemetry import log

LOOK_SECONDS = 20.0
LEASE = "archive schedule"
NICENESS = 10
SCRATCH = (reading.SCRATCH, ".archive-", ".forget-", ".upload-", ".import-")
"""How the folders begin that work on files makes for its time; those of who was killed stay behind."""
SCRATCH_SECONDS_MAX = 86_400
_MICROS = 1_000_000


class Schedule:
    """One a worker: looks whether it is time."""

    def __init__(
        self,
        settings: Settings,
        events: EventStore,
        *,
        clock: Clock = system_clock,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._settings = settings
        self._events = events
        self._clock = clock
        self._lookout = Lookout(
            self.look,
            look_seconds,
            name="archive",
            failed=lambda error: log.error("archiving failed", exc_info=error),
        )
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Nothing happens where the setting says never."""
        if self._settings.events_archive_seconds:
            self._lookout.start_later()

    def stop(self) -> None:
        """Ends a run that is under way: what it has not moved, the next one moves."""
        with self._lock:
            self._lookout.stopping.set()
            if self._process is not None:
                self._process.terminate()
        self._lookout.stop()

    def look(self) -> None:
        """Once: archives, if it is time. Raises StoreUnavailable."""
        if self._is_time():
            sweep(self._settings.data_dir)
            self._archive()

    def _is_time(self) -> bool:
        now = self._clock()
        holder = secrets.token_hex(
            8
        )  # another one each time: who took it last has to wait as everybody
        until = Micros(now + self._settings.events_archive_seconds * _MICROS)
        return self._events.take_lease(LEASE, holder, now=now, until=until)

    def _archive(self) -> None:
        command = [sys.executable, "-m", "endcap", "events", "archive", "--all", "--json"]
        with self._lock:
            if self._lookout.stopping.is_set():
                return
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **environment_of(self._settings)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
            )
        os.setpriority(os.PRIO_PROCESS, self._process.pid, NICENESS)
        said, _ = self._process.communicate()
        code = self._process.returncode
        if code == 0:
            log.debug("archived", report=said.decode(errors="replace"))
        elif not self._lookout.stopping.is_set():
            log.error("archiving failed", code=code, report=said.decode(errors="replace"))


def sweep(data_dir: Path) -> None:
    """Removes what killed processes left behind, when it is a day old."""
    oldest = time.time() - SCRATCH_SECONDS_MAX
    for each in data_dir.iterdir():
        if each.name.startswith(SCRATCH) and each.stat().st_mtime < oldest:
            shutil.rmtree(each, ignore_errors=True)
