"""
How a job goes on: taken, stepped, ended. What one commit makes of it, decided without a database.
"""

from collections.abc import Mapping
from itertools import islice

from msgspec.structs import replace

from endcap.domain import Micros
from endcap.errors import CatalogFault
from endcap.store.states import JOB_ATTEMPTS_MAX, JOB_FAULTS_MAX, CatalogFaultTold, Job
from endcap.store.writes import StepJob, TakeJob

GAVE_UP = f"Taken up {JOB_ATTEMPTS_MAX} times without getting on"


def taken(job: Job, write: TakeJob) -> Job:
    """The job in the hands of who asks for it, if it is free."""
    if job.status != "in progress":
        return job
    if job.holder not in ("", write.holder) and job.leased_until > write.now:
        return job
    if job.attempts >= JOB_ATTEMPTS_MAX:
        return ended(replace(job, status="failed", reason=GAVE_UP), now=write.now)
    return replace(
        job,
        holder=write.holder,
        leased_until=write.until,
        attempts=job.attempts + 1,
        updated_at=write.now,
    )


def is_at(job: Job, write: StepJob) -> bool:
    """Whether a step is the job's next, and its holder's."""
    return job.status == "in progress" and job.holder == write.holder and job.place == write.place


def stepped(job: Job, write: StepJob, *, updates: int, faults: Mapping[str, CatalogFault]) -> Job:
    """The job after a step that changed so many objects, and could not change others."""
    told = dict(job.faults)
    for identity, fault in islice(faults.items(), max(0, JOB_FAULTS_MAX - len(told))):
        told[identity] = _told(fault)
    is_given_back = write.until <= write.now
    after = replace(
        job,
        status=write.status,
        reason=write.reason,
        place=write.next_place,
        checked=job.checked + write.checked,
        updates=job.updates + updates,
        failures=job.failures + len(faults),
        faults=told,
        holder="" if is_given_back else job.holder,
        leased_until=write.until,
        attempts=0 if write.checked else job.attempts,
        updated_at=write.now,
    )
    return after if after.status == "in progress" else ended(after, now=write.now)


def ended(job: Job, *, now: Micros) -> Job:
    """What is kept of a job that has ended: how."""
    return replace(job, request=b"", place="", holder="", leased_until=Micros(0), updated_at=now)


def _told(fault: CatalogFault) -> CatalogFaultTold:
    return fault.kind, fault.reason, {key: tuple(texts) for key, texts in fault.details.items()}
