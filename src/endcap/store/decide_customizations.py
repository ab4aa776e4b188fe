"""
What becomes of customizations in one batch: made, replaced, deleted, brought back, each by itself.

The part of `decide` that knows of them, likewise without a database. A caller's idempotency key is answered with what
it led to, whatever became of that.
"""

from endcap.domain import CustomizationId, Micros, Record, TrackerId
from endcap.errors import (
    CustomizationNotFound,
    IdempotencyConflict,
    RevisionConflict,
    UsageFault,
)
from endcap.store.journal import Journal
from endcap.store.ledger import Ledger, Overlay
from endcap.store.records import record_of
from endcap.store.states import TrackerRow
from endcap.store.transaction import RecordKey, Replay, ReplayKey, replay_key
from endcap.store.writes import (
    IDEMPOTENCY_HOURS,
    Committed,
    CreateCustomization,
    CustomizationWrite,
    DeleteCustomization,
    Outcome,
    RestoreCustomization,
)
from endcap.wire.versions import farewell, version_of

IDEMPOTENCY_MICROS = IDEMPOTENCY_HOURS * 3_600 * 1_000_000


class CustomizationDecision:
    """Of one batch."""

    def __init__(
        self,
        ledger: Ledger,
        log: Journal,
        *,
        records: Overlay[RecordKey, Record],
        replays: Overlay[ReplayKey, Replay],
    ) -> None:
        self._ledger = ledger
        self._log = log
        self._records = records
        self._replays = replays
        self.outdated: dict[TrackerId, Micros] = {}
        """Replays of a tracker made before the instant have served."""

    def take(self, index: int, write: CustomizationWrite, tracker: TrackerRow) -> Outcome:
        key = (write.tracker, write.id)
        before = self._records.get(key)
        if isinstance(write, CreateCustomization):
            return self._replayed(write, tracker) or self._create(index, write, tracker, before)
        if isinstance(write, RestoreCustomization):
            return self._create(index, write, tracker, before)
        if before is None:
            return CustomizationNotFound()
        if write.expected is not None and before.revision not in write.expected:
            return RevisionConflict()
        revision = self._ledger.spend(index, tracker)
        if isinstance(write, DeleteCustomization):
            self._records.drop(key)
            self._log(write, revision, "customization", write.id, "delete", old=farewell(before))
            return Committed(revision)
        record = record_of(
            write.id,
            write.definition,
            revision,
            creator=before.creator,
            created_at=before.created_at,
            updated_at=write.now,
            disabled=before.disabled,
        )
        self._records.put(key, record)
        self._log(
            write,
            revision,
            "customization",
            write.id,
            "replace",
            old=version_of(before),
            new=version_of(record),
        )
        return Committed(revision, record)

    def _replayed(self, write: CreateCustomization, tracker: TrackerRow) -> Outcome | None:
        if write.idempotency is None:
            return None
        since = Micros(write.now - IDEMPOTENCY_MICROS)
        self.outdated[tracker.id] = min(since, self.outdated.get(tracker.id, since))
        replay = self._replays.get(replay_key(write.tracker, write.idempotency.key))
        if replay is None or replay.created_at <= since:
            return None
        if replay.fingerprint != write.idempotency.fingerprint:
            return IdempotencyConflict()
        return Committed(replay.record.revision, replay.record, replayed=True)

    def _create(
        self,
        index: int,
        write: CreateCustomization | RestoreCustomization,
        tracker: TrackerRow,
        before: Record | None,
    ) -> Outcome:
        """Makes one, or makes it again."""
        if before is not None:
            return _taken(write.id)
        revision = self._ledger.spend(index, tracker)
        record = record_of(
            write.id,
            write.definition,
            revision,
            creator=write.creator,
            created_at=write.now if write.created_at is None else write.created_at,
            updated_at=write.now,
        )
        self._records.put((write.tracker, write.id), record)
        if isinstance(write, CreateCustomization) and write.idempotency is not None:
            self._replays.put(
                replay_key(write.tracker, write.idempotency.key),
                Replay(write.idempotency.fingerprint, write.now, record),
            )
        self._log(write, revision, "customization", write.id, "create", new=version_of(record))
        return Committed(revision, record)


def _taken(id: CustomizationId) -> UsageFault:
    return UsageFault("A customization with this id exists", {"id": [id]})
