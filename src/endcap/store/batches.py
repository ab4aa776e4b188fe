"""
The writes of a commit in batches, a bounded number of rows at a time, and the rows that a batch names.

A write that names more than a batch holds is cut into slices, which are settled as one (see `ledger`).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from endcap.domain import TrackerId
from endcap.store.states import FIELDS_JOB
from endcap.store.transaction import (
    FieldKey,
    JobKey,
    Names,
    ObjectKey,
    RecordKey,
    ReplayKey,
    replay_key,
)
from endcap.store.writes import (
    CommitGeneration,
    CreateCustomization,
    DeleteCustomization,
    DiscardDraft,
    HoldDraft,
    MergeObjects,
    PublishDraft,
    PutModel,
    PutObjects,
    RemoveModel,
    RemoveObjects,
    ReplaceCustomization,
    ResetField,
    RestoreCustomization,
    ReviseCustomizations,
    SaveDraft,
    ScheduleDraft,
    StartJob,
    StepJob,
    TakeJob,
    Unpublish,
    Write,
)

T = TypeVar("T")


class Part(Struct, frozen=True):
    """A write, or a slice of one too large for a batch, and its place in the commit."""

    index: int
    write: Write
    whole: ReviseCustomizations | None = None
    """Of the first slice of one that is all or nothing: what has to be looked at before any of it is done."""


def batches(writes: Sequence[Write], *, names_max: int) -> Iterator[list[Part]]:
    """The parts of a commit, in order, a bounded number of names at a time."""
    batch: list[Part] = []
    names = 0
    for part, weight in _parts(writes, names_max):
        if batch and (names + weight > names_max or part.whole is not None):
            yield batch
            batch, names = [], 0
        batch.append(part)
        names += weight
    if batch:
        yield batch


def slices_of(
    index: int, write: ReviseCustomizations, *, names_max: int
) -> Iterator[tuple[Part, int]]:
    """With how many rows each names."""
    names = len(write.revised) + len(write.drafts)
    if names <= names_max:
        yield Part(index, write), max(1, names)
        return
    whole: ReviseCustomizations | None = write
    for revised in _slices(write.revised, names_max):
        yield Part(index, replace(write, revised=revised, drafts=()), whole), names_max
        whole = None
    for drafts in _slices(write.drafts, names_max):
        yield Part(index, replace(write, revised=(), drafts=drafts)), names_max


def names_of(batch: Sequence[Part]) -> Names:
    records: dict[RecordKey, None] = {}
    objects: dict[ObjectKey, None] = {}
    replays: dict[ReplayKey, None] = {}
    drafts: dict[RecordKey, None] = {}
    fields: dict[FieldKey, None] = {}
    jobs: dict[JobKey, None] = {}
    tables: dict[TrackerId, None] = {}
    for part in batch:
        write = part.write
        match write:
            case CreateCustomization():
                records[write.tracker, write.id] = None
                if write.idempotency is not None:
                    replays[replay_key(write.tracker, write.idempotency.key)] = None
            case ReplaceCustomization() | DeleteCustomization() | RestoreCustomization():
                records[write.tracker, write.id] = None
            case DiscardDraft() | ScheduleDraft() | HoldDraft():
                drafts[write.tracker, write.id] = None
            case SaveDraft() | PublishDraft() | Unpublish():
                records[write.tracker, write.id] = drafts[write.tracker, write.id] = None
            case ReviseCustomizations():
                records.update(((write.tracker, each.id), None) for each in write.revised)
                drafts.update(((write.tracker, each.id), None) for each in write.drafts)
                rebased = (each.id for each in write.drafts if each.is_rebased)
                records.update(((write.tracker, id_), None) for id_ in rebased)
            case PutObjects():
                for each in write.objects:
                    objects[write.tracker, each.identity] = None
                    objects.update(((write.tracker, one.identity), None) for one in each.nested)
                shapes = {id(each.shape): each.shape for each in write.objects}
                named = (name for shape in shapes.values() for name, _ in shape)
                fields.update(((write.tracker, name), None) for name in named)
            case MergeObjects() | StepJob():
                for identity, merge in write.merges.items():
                    objects[write.tracker, identity] = None
                    objects.update(((write.tracker, one), None) for one in merge.nested)
                    fields.update(((write.tracker, name), None) for name in merge.fields)
                if isinstance(write, StepJob):
                    jobs[write.tracker, write.id] = None
                    fields.update(((write.tracker, each.name), None) for each in write.fields)
            case RemoveObjects():
                objects.update(((write.tracker, identity), None) for identity in write.objects)
            case ResetField():
                fields[write.tracker, write.name] = None
            case StartJob():
                jobs[write.tracker, write.job.id] = None
            case TakeJob():
                jobs[write.tracker, write.id] = None
            case PutModel() | RemoveModel():
                tables[write.tracker] = None
            case _:
                pass
    jobs.update(((tracker, FIELDS_JOB), None) for tracker, _ in fields)
    return Names(
        list(records),
        list(objects),
        list(replays),
        list(fields),
        list(jobs),
        list(tables),
        list(drafts),
    )


def _parts(writes: Sequence[Write], names_max: int) -> Iterator[tuple[Part, int]]:
    for index, write in enumerate(writes):
        match write:
            case PutObjects():
                objects = {each.identity: each for each in write.objects}.values()
                for chosen in _slices(objects, names_max):
                    yield Part(index, replace(write, objects=chosen)), max(1, len(chosen))
            case MergeObjects():
                for merges in _slices(write.merges.items(), names_max):
                    yield Part(index, replace(write, merges=dict(merges))), max(1, len(merges))
            case RemoveObjects():
                for gone in _slices(write.objects.items(), names_max):
                    yield Part(index, replace(write, objects=dict(gone))), max(1, len(gone))
            case ReviseCustomizations():
                yield from slices_of(index, write, names_max=names_max)
            case CommitGeneration():
                yield Part(index, write), names_max + 1  # a batch of its own
            case StepJob():
                yield Part(index, write), max(1, len(write.merges))
            case _:
                yield Part(index, write), 1


def _slices(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """At least one, be it empty: a write that names nothing has an outcome too."""
    rest = iter(items)
    yield list(islice(rest, size))
    while chosen := list(islice(rest, size)):
        yield chosen
