"""
Background work on catalogs: takes jobs from the store, and does them step by step.

One thread a process. A job is somebody's for as long as a lease lasts that every step renews; who dies in the middle
leaves it to whoever looks next, in any process on any host. What makes each step happen once is not the lease but the
store: a step, the place it brings the job to, and the counts are one transaction, and only the holder's at the very
place is carried out (`store.writes.StepJob`). Jobs of one tracker are done one after the other, in the order they came.

Between its steps a job rests as long as the step took, so that it takes at most half of what the store can do.
"""

import os
import secrets
import threading
import time
from collections.abc import Mapping, Sequence

from endcap.clock import Clock, system_clock
from endcap.domain import CatalogObject, Field, ItemId, Merge, Micros, TrackerId
from endcap.errors import Problem, StoreUnavailable
from endcap.store.port import Store
from endcap.store.states import Job, JobStatus
from endcap.store.writes import Committed, StepJob, TakeJob
from endcap.telemetry import log
from endcap.wire.catalog import shape_of_document
from endcap.wire.updates import read_update

STEP_OBJECTS = 500  # looked at in one step: some 10 ms of work, and a commit of about as long
POLL_SECONDS = 1.0  # between two looks for work that another process may have left
RETRY_SECONDS = 0.5  # while the store is away
REST_SECONDS_MAX = 1.0
_MICROS = 1_000_000


class JobRunner:
    """Start it; `wake` it when there is a new job. It is done with a step, and gives its job back, when it stops."""

    def __init__(
        self,
        store: Store,
        *,
        lease_seconds: float,
        clock: Clock = system_clock,
        step_objects: int = STEP_OBJECTS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._store = store
        self._lease = round(lease_seconds * _MICROS)
        self._clock = clock
        self._step_objects = step_objects
        self._poll_seconds = poll_seconds
        self._holder = f"{os.getpid():x}-{secrets.token_hex(8)}"
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    def work(self) -> bool:
        """Does all that can be done now; whether there was anything. Raises StoreUnavailable."""
        did = False
        while not self._stopping.is_set():
            now = self._clock()
            free = [
                (tracker, job)
                for tracker, job in self._store.open_jobs()
                if job.holder in ("", self._holder) or job.leased_until <= now
            ]
            if not any(self._work_on(tracker, job.id) for tracker, job in free):
                break
            did = True
        return did

    def _run(self) -> None:
        away = False
        while not self._stopping.is_set():
            try:
                self.work()
                away = False
                self._woken.wait(self._poll_seconds)
                self._woken.clear()
            except StoreUnavailable:
                if not away:
                    away = True
                    log.warning("store is away, jobs wait")
                self._stopping.wait(RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001 - other jobs are waiting, and this one is tried again
                log.error("job failed to get on", exc_info=error)
                self._stopping.wait(RETRY_SECONDS)

    def _work_on(self, tracker: TrackerId, id: int) -> bool:
        """Takes a job if it is free, and does it until it is done, or taken away; whether it was taken."""
        now = self._clock()
        job = self._committed(TakeJob(tracker, id, self._holder, Micros(now + self._lease), now))
        if job is None or job.holder != self._holder:
            return False
        log.info("job taken", tracker=tracker, id=id, kind=job.kind, checked=job.checked)
        while job is not None and job.holder == self._holder:
            began_at = time.monotonic()
            job = self._step(tracker, job)
            self._stopping.wait(min(REST_SECONDS_MAX, time.monotonic() - began_at))
        if job is not None and job.status != "in progress":
            log.info(
                "job ended",
                tracker=tracker,
                id=id,
                status=job.status,
                updates=job.updates,
                failures=job.failures,
            )
        return True

    def _step(self, tracker: TrackerId, job: Job) -> Job | None:
        """
        The job after its next step. A job that cannot be done has failed: it would fail the next one who takes it.
        """
        try:
            return self._committed(self._next_step(tracker, job))
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the job must end and somebody must see why
            log.error("job failed", tracker=tracker, id=job.id, exc_info=error)
            return self._committed(self._failure(tracker, job, error))

    def _next_step(self, tracker: TrackerId, job: Job) -> StepJob:
        update = read_update(job.request) if job.kind == "update" else None
        objects = self._store.objects_after(
            tracker,
            job.place or None,
            types=update.types if update else (),
            limit=self._step_objects,
        )
        now = self._clock()
        is_last = len(objects) < self._step_objects
        status: JobStatus = "complete" if is_last else "in progress"
        until = now if self._stopping.is_set() else Micros(now + self._lease)
        merges: Mapping[ItemId, Merge] = {}
        fields: list[Field] = []
        if update is None:
            fields = _first_fields(objects, now)
        else:
            matching = (each for each in objects if update.selects(each.document))
            merges = {each.identity: update.merge for each in matching}
        return StepJob(
            tracker,
            job.id,
            self._holder,
            job.place,
            objects[-1].identity if objects else job.place,
            merges,
            fields,
            len(objects),
            status,
            until,
            job.actor,
            now,
        )

    def _failure(self, tracker: TrackerId, job: Job, error: Exception) -> StepJob:
        now = self._clock()
        reason = f"internal error ({type(error).__name__})"
        place = job.place
        return StepJob(
            tracker,
            job.id,
            self._holder,
            place,
            place,
            {},
            (),
            0,
            "failed",
            now,
            job.actor,
            now,
            reason,
        )

    def _committed(self, write: TakeJob | StepJob) -> Job | None:
        """The job after a write; None if it is gone. Raises StoreUnavailable."""
        (outcome,) = self._store.commit([write])
        if isinstance(outcome, Committed):
            return outcome.job
        if isinstance(outcome, StoreUnavailable):
            raise outcome
        assert isinstance(outcome, Problem)
        return None


def _first_fields(objects: Sequence[CatalogObject], now: Micros) -> list[Field]:
    """The fields of some objects, each of the kind of its first value."""
    found: dict[str, Field] = {}
    for each in objects:
        for name, kind in shape_of_document(each.document):
            if name not in found:
                found[name] = Field(name, kind, each.identity, now)
    return list(found.values())
