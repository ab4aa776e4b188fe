"""
One build of a tracker at a time, among all processes and hosts of a store.

Whoever builds holds a lease in the store and prolongs it while the work lasts. A holder that dies, or that cannot reach
the store for as long as a lease lasts, loses it to the next one who asks; it learns that when it asks for longer. What
it may still do then does no harm: publishing says which artifact it expects to take the place of.

The clocks of hosts have to agree within half a lease; signed requests need them to agree within seconds.
"""

import os
import secrets
import socket
import threading

from msgspec.structs import replace

from endcap.clock import Clock
from endcap.domain import Micros, TrackerId
from endcap.errors import BuildUnderWay, StoreUnavailable
from endcap.store.port import Store
from endcap.store.states import Build, BuildRecord, BuildResult
from endcap.wire.reading import seconds_text

LEASE_SECONDS = 60.0
RENEWALS = 4  # in the time of one lease
SECOND = 1_000_000


class Lease:
    """A tracker's build, held by this process. Prolonged by a thread from `begin` to the end."""

    def __init__(
        self,
        store: Store,
        tracker: TrackerId,
        holder: str,
        claimed: Build,
        *,
        clock: Clock,
        seconds: float,
    ) -> None:
        self.tracker = tracker
        self.before = replace(claimed, holder=None)
        """What was known of the tracker's builds when it was claimed."""
        self.record = claimed.record
        self.lost = threading.Event()
        """Somebody else holds it now."""
        self._store = store
        self._holder = holder
        self._clock = clock
        self._seconds = seconds
        self._under_way = claimed.record
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """From now on it is an attempt, which everybody can see."""
        self._under_way = replace(self.record, began_at=self._clock(), step="starting")
        self._keep()
        self._thread = threading.Thread(target=self._prolong, name="lease", daemon=True)
        self._thread.start()

    def say(self, step: str) -> None:
        """How far it is; seen with the next prolongation."""
        self._under_way = replace(self._under_way, step=step)

    def release(self) -> None:
        """Lets go as if nothing had been tried."""
        self._end(self.record)

    def unchanged(self) -> None:
        """There was nothing new to learn."""
        self._end(self._ended("unchanged", None))

    def built(self, artifact: str, *, inputs: str | None) -> None:
        began_at, now = self._under_way.began_at, self._clock()
        self._end(
            replace(
                self._ended("built", None),
                built_at=now,
                built_seconds=None if began_at is None else (now - began_at) / SECOND,
                artifact=artifact,
                inputs=inputs,
            )
        )

    def superseded(self, reason: str, *, inputs: str | None) -> None:
        """Somebody else published meanwhile, who knew what they did: it is not tried again with the same orders."""
        self._end(replace(self._ended("superseded", reason), inputs=inputs))

    def failed(self, reason: str) -> None:
        failures = self.record.failures + 1
        self._end(replace(self._ended("failed", reason), failures=failures))

    def _ended(self, result: BuildResult, reason: str | None) -> BuildRecord:
        now = self._clock()
        return replace(
            self._under_way,
            began_at=now if self._thread is None else self._under_way.began_at,
            step=None,
            ended_at=now,
            result=result,
            reason=reason,
            failures=0,
        )

    def _end(self, record: BuildRecord) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self._store.keep_build(self.tracker, self._holder, record, until=None)
        except StoreUnavailable:  # it ends by itself when its time is over
            return

    def _prolong(self) -> None:
        while not self._over.wait(self._seconds / RENEWALS):
            try:
                self._keep()
            except StoreUnavailable:
                continue
            if self.lost.is_set():
                return

    def _keep(self) -> None:
        until = Micros(self._clock() + int(self._seconds * SECOND))
        if not self._store.keep_build(self.tracker, self._holder, self._under_way, until=until):
            self.lost.set()


def claim(
    store: Store, tracker: TrackerId, *, clock: Clock, seconds: float = LEASE_SECONDS
) -> Lease:
    """Raises BuildUnderWay with who builds."""
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    now = clock()
    until = Micros(now + int(seconds * SECOND))
    claimed = store.claim_build(tracker, holder, now=now, until=until)
    if claimed is None:
        raise BuildUnderWay(details={tracker: [_who(store.builds().get(tracker))]})
    return Lease(store, tracker, holder, claimed, clock=clock, seconds=seconds)


def _who(build: Build | None) -> str:
    if build is None or build.holder is None:
        return "somebody did a moment ago; try again"
    host, pid, _ = build.holder.rsplit(":", 2)
    began_at = build.record.began_at
    since = "" if began_at is None else f" since {seconds_text(began_at)}"
    return f"process {pid} on {host}{since}"
