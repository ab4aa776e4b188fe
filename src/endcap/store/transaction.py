"""
What an adapter does in one transaction, and what it is handed and hands back: names, present rows, rows to write.

All that adapters and decisions know of each other: an adapter looks up the rows that a batch names, a decision says
what becomes of them, and the adapter writes that, a set a table.
"""

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Protocol

from msgspec import Struct

from endcap.domain import (
    CatalogObject,
    CustomizationId,
    Draft,
    Field,
    ItemId,
    Micros,
    Record,
    TrackerId,
)
from endcap.store.states import ChangeRow, Job, ModelRow, TrackerRow
from endcap.store.writes import CommitGeneration

BATCH_NAMES_MAX = 1_000  # rows that one batch reads and writes: bounds memory, not the transaction

RecordKey = tuple[TrackerId, CustomizationId]
ObjectKey = tuple[TrackerId, ItemId]
ReplayKey = tuple[TrackerId, str]
FieldKey = tuple[TrackerId, str]
JobKey = tuple[TrackerId, int]
ModelKey = tuple[TrackerId, str]


def replay_key(tracker: TrackerId, key: str) -> ReplayKey:
    """Callers choose their keys, of any length: a digest has the length that an index likes."""
    return tracker, sha256(key.encode()).hexdigest()


class Replay(Struct, frozen=True):
    """What a caller's idempotency key led to."""

    fingerprint: str
    created_at: Micros
    record: Record
    """As first created, whatever became of it."""


class Names(Struct, frozen=True):
    """All that a batch names: what an adapter must look up."""

    records: Sequence[RecordKey]
    objects: Sequence[ObjectKey]
    replays: Sequence[ReplayKey] = ()
    fields: Sequence[FieldKey] = ()
    jobs: Sequence[JobKey] = ()
    tables: Sequence[TrackerId] = ()
    """Trackers whose models are looked up, all of them: how many there are is bounded."""
    drafts: Sequence[RecordKey] = ()


class Present(Struct, frozen=True):
    """The rows of what a batch names, as they are before it; what is not there is left out."""

    records: Mapping[RecordKey, Record] = {}
    objects: Mapping[ObjectKey, CatalogObject] = {}
    replays: Mapping[ReplayKey, Replay] = {}
    fields: Mapping[FieldKey, Field] = {}
    jobs: Mapping[JobKey, Job] = {}
    models: Mapping[ModelKey, ModelRow] = {}
    drafts: Mapping[RecordKey, Draft] = {}


class Effects(Struct, frozen=True):
    """The rows to write, each at most once."""

    saved: list[tuple[TrackerId, Record]] = []
    """Whole rows, new or not."""
    rewritten: list[tuple[TrackerId, Record]] = []
    """Rows that are there and keep all that indexes are made of."""
    deleted: list[RecordKey] = []
    untagged: list[RecordKey] = []
    """Those whose tags go, before `tagged` come."""
    tagged: list[tuple[TrackerId, CustomizationId, str]] = []
    objects: list[tuple[TrackerId, CatalogObject]] = []
    removed: list[ObjectKey] = []
    replays: list[tuple[ReplayKey, Replay]] = []
    models: list[tuple[TrackerId, ModelRow]] = []
    unset: list[ModelKey] = []
    outdated: dict[TrackerId, Micros] = {}
    """Replays of a tracker made before the instant have served."""
    changes: list[tuple[TrackerId, int, ChangeRow]] = []
    """Tracker, position among the changes of one revision, and the line of the log."""
    drafts: list[tuple[TrackerId, Draft]] = []
    drafts_deleted: list[RecordKey] = []
    fixed: list[tuple[TrackerId, Field]] = []
    """Fields with their kinds, new or not."""
    forgotten: list[FieldKey] = []
    jobs: list[tuple[TrackerId, Job]] = []
    """Whole rows, new or not."""
    outdated_jobs: dict[TrackerId, Micros] = {}
    """Jobs of a tracker that ended before the instant were asked for long enough."""


class Transaction(Protocol):
    """What an adapter does in one transaction; `commit.carry_out` says when."""

    def claim_trackers(self, rows: Sequence[TrackerRow]) -> Collection[TrackerId]:
        """Makes rows, in this order, where there are none; returns the ids of those."""

    def lock_trackers(self, trackers: Sequence[TrackerId]) -> Sequence[TrackerRow]:
        """Queues for the rows in this order and returns those that exist."""

    def fetch_present(self, names: Names) -> Present: ...
    def write(self, effects: Effects) -> None: ...
    def count_generation(self, write: CommitGeneration) -> int:
        """Objects of the type and the generation."""

    def sweep(self, write: CommitGeneration, *, limit: int) -> Sequence[ItemId]:
        """Removes some objects of the type that are not of the generation; returns which."""

    def save_trackers(self, rows: Sequence[TrackerRow]) -> None: ...
