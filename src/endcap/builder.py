"""
The schedule at work: a thread in every worker that looks which trackers are due and has them built.

A build is a process of its own with the lowest priority, so that requests do not wait for it, its memory goes back to
the system, and what goes wrong in it stays there. It is started by whoever gets the tracker's lease; of the workers of
one data directory, one builds at a time. It says on its standard output how far it is, a line of JSON a step, and ends
when its standard input does: with the worker that started it, however that ended.

What is known of all builds is read now and then and kept for `/metrics`, whether there is a schedule or not.
"""

import fcntl
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from endcap.archive.reading import EventSource
from endcap.clock import Clock, system_clock
from endcap.domain import TrackerId
from endcap.errors import ArtifactConflict, BuildUnderWay, NothingToLearn, StoreUnavailable
from endcap.lease import LEASE_SECONDS, Lease, claim
from endcap.lookout import Lookout
from endcap.publishing import Published, inputs_of, is_there
from endcap.schedule import Schedule, due_at, retry_seconds
from endcap.store.port import Store
from endcap.store.states import Build, TrackerRow
from endcap.telemetry import log

LOOK_SECONDS_MAX = 15.0  # between two looks at what is known of builds
LOOK_SECONDS_MIN = 0.25
LOOKS_PER_PAUSE = 4  # of a schedule with a short one
WATCH_SECONDS = 0.2  # between two looks at a build under way
BUILD_SECONDS_MAX = 24 * 3_600.0  # one that hangs must not keep its tracker for ever
END_SECONDS_MAX = 5.0  # from SIGTERM to SIGKILL
LINE_BYTES_MAX = 65_536
LOCK_FILE = "build.lock"
COMMAND = (sys.executable, "-P", "-m", "endcap.api.building")
"""-P: nothing in the working directory is taken for a module."""


class Said(Struct, frozen=True, omit_defaults=True):
    """A line of what a build says: a step that begins, or how it ended."""

    step: str | None = None
    published: Published | None = None
    problem: str | None = None
    code: str | None = None


_said = msgspec.json.Decoder(Said)


class Builder:
    """One a worker. Start it when there are trackers to look at; stop it before the store is closed."""

    def __init__(
        self,
        store: Store,
        source: EventSource,
        data_dir: Path,
        schedule: Schedule | None,
        *,
        command: Sequence[str] = COMMAND,
        clock: Clock = system_clock,
        lease_seconds: float = LEASE_SECONDS,
        build_seconds_max: float = BUILD_SECONDS_MAX,
    ) -> None:
        """`command` gets the tracker as its last argument. It says what `Said` is, and ends with 0 if it published."""
        self._store = store
        self._source = source
        self._data_dir = data_dir
        self._schedule = schedule
        self._command = command
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._build_seconds_max = build_seconds_max
        self._known: Mapping[TrackerId, Build] = {}
        self._lookout = Lookout(
            self.look,
            _look_seconds(schedule),
            name="builder",
            failed=lambda error: log.error("schedule failed", exc_info=error),
        )
        self._stopping = self._lookout.stopping

    @property
    def builds(self) -> Mapping[TrackerId, Build]:
        """What is known of all builds, as of a moment ago."""
        return self._known

    def start(self) -> None:
        self._lookout.start()

    def stop(self) -> None:
        """Ends a build under way; the tracker is as it was, and the next one who looks begins anew."""
        self._lookout.stop()

    def look(self) -> None:
        """Once: builds all that is due, one after the other. Raises StoreUnavailable."""
        self._known = self._store.builds()
        if self._schedule is None:
            return
        rows = [row for row in self._store.trackers() if self._is_due(self._known.get(row.id))]
        if not rows:
            return
        with _alone(self._data_dir) as is_alone:
            if not is_alone:
                return
            for row in rows:
                if self._stopping.is_set():
                    return
                try:
                    self._attempt(row)
                except StoreUnavailable:
                    raise
                except Exception as error:  # noqa: BLE001 - one tracker's trouble is not the others'
                    log.error("schedule failed", tracker=row.id, exc_info=error)
        self._known = self._store.builds()

    def _is_due(self, build: Build | None) -> bool:
        assert self._schedule is not None
        at, now = due_at(self._schedule, build), self._clock()
        is_held = build is not None and build.is_held_by_somebody(now)
        return at is not None and at <= now and not is_held

    def _attempt(self, row: TrackerRow) -> None:
        inputs = inputs_of(self._data_dir, row.id, self._source)
        if inputs is None:  # nothing to learn from; or the orders are on another host
            return
        try:
            lease = claim(self._store, row.id, clock=self._clock, seconds=self._lease_seconds)
        except BuildUnderWay:
            return
        if not self._is_due(lease.before):  # somebody was faster
            lease.release()
        elif lease.record.inputs == inputs and is_there(self._data_dir, row.id, row.artifact):
            lease.unchanged()
        else:
            self._build(lease, inputs)

    def _build(self, lease: Lease, inputs: str) -> None:
        tracker = lease.tracker
        began = time.monotonic()
        lease.begin()
        log.info("build began", tracker=tracker)
        try:
            last, code = self._run(lease)
        except BaseException:
            lease.release()
            raise
        seconds = round(time.monotonic() - began, 1)
        if last.published is not None and code == 0:
            lease.built(last.published.artifact, inputs=inputs)
            log.info(
                "build done", tracker=tracker, artifact=last.published.artifact, seconds=seconds
            )
        elif self._stopping.is_set() or lease.lost.is_set():
            lease.release()
            log.warning("build stopped", tracker=tracker, seconds=seconds)
        elif last.code == NothingToLearn.code:  # shoppers looked and bought nothing yet
            lease.unchanged()
            log.debug("nothing to build", tracker=tracker, seconds=seconds)
        elif last.code == ArtifactConflict.code:
            reason = last.problem or ArtifactConflict().reason
            lease.superseded(reason, inputs=inputs)
            log.warning("build superseded", tracker=tracker, reason=reason, seconds=seconds)
        else:
            assert self._schedule is not None
            reason = last.problem or _end_of(code)
            lease.failed(reason)
            again = retry_seconds(self._schedule, lease.record.failures + 1)
            log.error(
                "build failed",
                tracker=tracker,
                reason=reason,
                seconds=seconds,
                retry_seconds=again,
            )

    def _run(self, lease: Lease) -> tuple[Said, int]:
        """What the process said last, and its exit code."""
        last = Said()
        process = subprocess.Popen(
            [*self._command, lease.tracker], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            deadline = time.monotonic() + self._build_seconds_max
            for said in self._heard(process):
                if said is not None:
                    last = said
                    if said.step is not None:
                        lease.say(said.step)
                if self._stopping.is_set() or lease.lost.is_set():
                    break
                if time.monotonic() > deadline:
                    last = Said(problem=f"not done after {self._build_seconds_max:g} seconds")
                    break
        finally:
            code = _ended(process)
        return last, code

    def _heard(self, process: subprocess.Popen[bytes]) -> Iterator[Said | None]:
        """What the process says until it ends; None now and then."""
        assert process.stdout is not None
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(WATCH_SECONDS):
                    yield None
                    continue
                heard = os.read(process.stdout.fileno(), LINE_BYTES_MAX)
                if not heard:
                    return
                *lines, rest = (rest + heard).split(b"\n")
                rest = rest[-LINE_BYTES_MAX:]
                for line in lines:
                    try:
                        yield _said.decode(line)
                    except msgspec.DecodeError:  # a library's own words
                        continue


def _look_seconds(schedule: Schedule | None) -> float:
    pause = LOOK_SECONDS_MAX if schedule is None else schedule.seconds
    return min(max(pause / LOOKS_PER_PAUSE, LOOK_SECONDS_MIN), LOOK_SECONDS_MAX)


def _ended(process: subprocess.Popen[bytes]) -> int:
    """The exit code, of a process that ends by itself, or else is made to."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    process.stdin.close()
    try:
        return process.wait(END_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _end_of(code: int) -> str:
    if code < 0:
        return f"the process was killed by signal {-code}, perhaps for its memory: see ENDCAP_BUILD_MEMORY_MB"
    return f"the process ended with code {code}; the log says why"


@contextmanager
def _alone(data_dir: Path) -> Iterator[bool]:
    """Whether no other process of this data directory builds by a schedule; nobody else begins meanwhile."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK_FILE).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
