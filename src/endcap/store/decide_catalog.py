"""
What becomes of a tracker's catalog in one batch: its objects, the kinds of its fields, the jobs that work on it.

The part of `decide` that knows of catalogs, likewise without a database.
"""

from collections.abc import Iterator
from typing import assert_never

from endcap.domain import CatalogObject, ItemId, Micros, TrackerId
from endcap.errors import CatalogFault, CatalogFaults, JobNotFound, UsageFault
from endcap.store import jobs
from endcap.store.journal import Journal
from endcap.store.judge import Judge
from endcap.store.ledger import Ledger, Overlay
from endcap.store.states import JOB_DAYS, ChangeAction, Job, TrackerRow
from endcap.store.transaction import JobKey, ObjectKey
from endcap.store.writes import (
    Committed,
    JobWrite,
    MergeObjects,
    ObjectWrite,
    Outcome,
    PutObjects,
    RemoveObjects,
    ResetField,
    StartJob,
    StepJob,
    TakeJob,
)
from endcap.wire.catalog import settled

JOB_MICROS = JOB_DAYS * 24 * 3_600 * 1_000_000


class CatalogDecision:
    """Of one batch."""

    def __init__(
        self,
        ledger: Ledger,
        log: Journal,
        *,
        objects: Overlay[ObjectKey, CatalogObject],
        open_jobs: Overlay[JobKey, Job],
        judge: Judge,
    ) -> None:
        self._ledger = ledger
        self._log = log
        self._objects = objects
        self._jobs = open_jobs
        self._judge = judge
        self.outdated_jobs: dict[TrackerId, Micros] = {}
        """Jobs of a tracker that ended before the instant were asked for long enough."""

    def take_objects(self, index: int, write: ObjectWrite, tracker: TrackerRow) -> Outcome:
        faults: dict[str, CatalogFault] = {}
        for identity, before, after in self._wanted(write):
            fault = self._take_object(index, write, tracker, (identity, before, after))
            if fault is not None:
                faults[identity] = fault
        if faults and isinstance(write, PutObjects) and write.whole:
            raise CatalogFaults(0, faults)
        return Committed(self._ledger.revision(tracker), faults=faults)

    def _take_object(
        self,
        index: int,
        write: ObjectWrite | StepJob,
        tracker: TrackerRow,
        wanted: tuple[ItemId, CatalogObject | None, CatalogObject | CatalogFault | None],
    ) -> CatalogFault | None:
        """Makes one object what it shall be, with those that its nested ones make; or says why not."""
        identity, before, after = wanted
        if isinstance(after, CatalogFault):
            return after
        if after is None:
            if before is not None:
                self._change_object(index, write, tracker, identity, before, None)
            return None
        if not after.is_as(before):
            fault = self._judge.fault(write.tracker, after, now=write.now)
            if fault is not None:
                return fault
            self._change_object(index, write, tracker, identity, before, after)
        for each in after.nested:
            known = self._object(write, each.identity)
            made = settled(each, known)
            if not made.is_as(known):
                self._change_object(index, write, tracker, each.identity, known, made)
        return None

    def _wanted(
        self, write: ObjectWrite
    ) -> Iterator[tuple[ItemId, CatalogObject | None, CatalogObject | CatalogFault | None]]:
        """Each object that a write names: as it is, and as it shall be (None: not at all)."""
        match write:
            case PutObjects():
                for after in write.objects:
                    yield after.identity, self._object(write, after.identity), after
            case MergeObjects():
                for identity, merge in write.merges.items():
                    before = self._object(write, identity)
                    merged = merge(before.document if before else None)
                    yield identity, before, before if merged is None else merged
            case RemoveObjects():
                for identity, type_ in write.objects.items():
                    before = self._object(write, identity)
                    found = before is not None and before.type == type_
                    yield identity, before, None if found else _not_in_catalog()
            case _:
                assert_never(write)

    def _object(self, write: ObjectWrite | StepJob, identity: ItemId) -> CatalogObject | None:
        return self._objects.get((write.tracker, identity))

    def _change_object(
        self,
        index: int,
        write: ObjectWrite | StepJob,
        tracker: TrackerRow,
        identity: ItemId,
        before: CatalogObject | None,
        after: CatalogObject | None,
    ) -> None:
        revision = self._ledger.spend(index, tracker)
        key = (write.tracker, identity)
        if after is None:
            self._objects.drop(key)
            self._log(write, revision, "object", identity, "delete")
        else:
            self._objects.put(key, after.kept)
            self._log(write, revision, "object", identity, "replace" if before else "create")

    def reset_field(self, index: int, write: ResetField, tracker: TrackerRow) -> Outcome:
        if self._judge.reset(write.tracker, write.name, write.kind, now=write.now):
            revision = self._ledger.spend(index, tracker)
            action: ChangeAction = "delete" if write.kind is None else "replace"
            self._log(write, revision, "field", write.name, action)
            return Committed(revision)
        if write.kind is None:
            return UsageFault(
                "The field has no type: nothing is to be reset", {"field": [write.name]}
            )
        return Committed(tracker.revision)

    # Jobs

    def take_job(self, index: int, write: JobWrite, tracker: TrackerRow) -> Outcome:
        if isinstance(write, StartJob):
            return self._start_job(write, tracker)
        job = self._jobs.get((write.tracker, write.id))
        if job is None:
            return JobNotFound()
        if isinstance(write, TakeJob):
            after = jobs.taken(job, write)
        elif jobs.is_at(job, write):
            after = self._step_job(index, write, job, tracker)
        else:
            after = job
        if after is not job:
            self._jobs.put((write.tracker, write.id), after)
        return Committed(self._ledger.revision(tracker), job=after)

    def _start_job(self, write: StartJob, tracker: TrackerRow) -> Outcome:
        key = (write.tracker, write.job.id)
        if self._jobs.get(key) is not None:
            return UsageFault("A job with this id exists", {"id": [str(write.job.id)]})
        self._jobs.put(key, write.job)
        self.outdated_jobs[write.tracker] = Micros(write.now - JOB_MICROS)
        return Committed(tracker.revision, job=write.job)

    def _step_job(self, index: int, write: StepJob, job: Job, tracker: TrackerRow) -> Job:
        updates = 0
        faults: dict[str, CatalogFault] = {}
        for identity, merge in write.merges.items():
            before = self._object(write, identity)
            merged = merge(before.document if before else None)
            if merged is None:
                continue
            fault = self._take_object(index, write, tracker, (identity, before, merged))
            if fault is None:
                updates += 1
            else:
                faults[identity] = fault
        for field in write.fields:
            self._judge.fix(write.tracker, field)
        return jobs.stepped(job, write, updates=updates, faults=faults)


def _not_in_catalog() -> CatalogFault:
    return CatalogFault("not_found", "Identity not in catalog")
