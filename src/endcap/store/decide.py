"""
What one commit does, decided without a database.

An adapter opens a transaction, queues for the trackers' rows, and then goes through the commit batch by batch: it reads
the present rows of all that a batch names, asks `decide` what becomes of them, and writes the answer, a set a table.
How many statements that takes does not depend on how much is written, up to a batch; larger commits are more batches
of one transaction. All rules of writing are here, once for every adapter: adapters differ in SQL, not in meaning.

Knows rows and writes. Knows nothing of SQL, connections or what time it is: every write carries its `now`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import Generic, Literal, Protocol, TypeVar, assert_never

from msgspec import Struct
from msgspec.structs import replace

from endcap.domain import CatalogObject, CustomizationId, ItemId, Micros, Record, TrackerId
from endcap.errors import (
    CatalogFault,
    CustomizationNotFound,
    IdempotencyConflict,
    Problem,
    RefusedTogether,
    RevisionConflict,
    TrackerNotFound,
    UsageFault,
)
from endcap.store.port import (
    IDEMPOTENCY_HOURS,
    AddKey,
    ChangeRow,
    Committed,
    CreateCustomization,
    CreateTracker,
    CustomizationWrite,
    DeleteCustomization,
    MergeObjects,
    ObjectWrite,
    Outcome,
    PublishArtifact,
    PutObjects,
    RemoveObjects,
    ReplaceCustomization,
    RevokeKey,
    TrackerRow,
    Write,
)

BATCH_NAMES_MAX = 1_000  # rows that one batch reads and writes: bounds memory, not the transaction
IDEMPOTENCY_MICROS = IDEMPOTENCY_HOURS * 3_600 * 1_000_000

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

Kind = Literal["customization", "object", "tracker", "key", "artifact"]
Action = Literal["create", "replace", "delete"]
RecordKey = tuple[TrackerId, CustomizationId]
ObjectKey = tuple[TrackerId, ItemId]
ReplayKey = tuple[TrackerId, str]


class Replay(Struct, frozen=True):
    """What a caller's idempotency key led to."""

    fingerprint: str
    created_at: Micros
    record: Record
    """As first created, whatever became of it."""


class Part(Struct, frozen=True):
    """A write, or a slice of one too large for a batch, and its place in the commit."""

    index: int
    write: Write


class Names(Struct, frozen=True):
    """All that a batch names: what an adapter must look up."""

    records: Sequence[RecordKey]
    objects: Sequence[ObjectKey]
    replays: Sequence[ReplayKey]


class Present(Struct, frozen=True):
    """The rows of what a batch names, as they are before it; what is not there is left out."""

    records: Mapping[RecordKey, Record] = {}
    objects: Mapping[ObjectKey, CatalogObject] = {}
    replays: Mapping[ReplayKey, Replay] = {}


class Effects(Struct, frozen=True):
    """The rows to write, each at most once."""

    saved: list[tuple[TrackerId, Record]]
    """Whole rows, new or not."""
    rewritten: list[tuple[TrackerId, Record]]
    """Rows that are there and keep all that indexes are made of."""
    deleted: list[RecordKey]
    untagged: list[RecordKey]
    """Those whose tags go, before `tagged` come."""
    tagged: list[tuple[TrackerId, CustomizationId, str]]
    objects: list[tuple[TrackerId, CatalogObject]]
    removed: list[ObjectKey]
    replays: list[tuple[ReplayKey, Replay]]
    outdated: dict[TrackerId, Micros]
    """Replays of a tracker made before the instant have served."""
    changes: list[tuple[TrackerId, int, ChangeRow]]
    """Tracker, position among the changes of one revision, and the line of the log."""


class Overlay(Generic[K, V]):
    """Present rows under those written since."""

    def __init__(self, present: Mapping[K, V]) -> None:
        self.present = present
        self.written: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        return self.written[key] if key in self.written else self.present.get(key)

    def put(self, key: K, row: V) -> None:
        self.written[key] = row

    def drop(self, key: K) -> None:
        self.written[key] = None

    def puts(self) -> Iterator[tuple[K, V]]:
        return ((key, row) for key, row in self.written.items() if row is not None)

    def drops(self) -> list[K]:
        return [key for key, row in self.written.items() if row is None and key in self.present]


class Ledger:
    """What a commit carries from batch to batch: its trackers, the revisions it spends, its outcomes."""

    def __init__(self, trackers: Mapping[TrackerId, TrackerRow], *, size: int) -> None:
        self.trackers = Overlay(trackers)
        self._outcomes: list[Outcome | None] = [None] * size
        self._spender = -1  # the write that the last revision was spent on
        self._spent = 0
        self._ordinal = -1  # of the last line in the log at that revision

    @property
    def outcomes(self) -> Sequence[Outcome]:
        return [outcome for outcome in self._outcomes if outcome is not None]

    @property
    def changed_trackers(self) -> Sequence[TrackerRow]:
        return [row for _, row in self.trackers.puts()]

    def spend(self, index: int, tracker: TrackerRow) -> int:
        """The revision of a write that changes something: one more than the last, once a write."""
        if self._spender != index:
            self._spender = index
            self._spent = tracker.revision + 1
            self._ordinal = -1
            self.trackers.put(tracker.id, replace(tracker, revision=self._spent))
        return self._spent

    def next_ordinal(self) -> int:
        self._ordinal += 1
        return self._ordinal

    def settle(self, index: int, outcome: Outcome) -> None:
        """A slice's outcome joins those of the slices before it."""
        before = self._outcomes[index]
        if isinstance(before, Committed) and isinstance(outcome, Committed) and before.faults:
            outcome = replace(outcome, faults={**before.faults, **outcome.faults})
        self._outcomes[index] = outcome


def trackers_named(writes: Sequence[Write]) -> Sequence[TrackerId]:
    """In the order in which to queue for their rows: the same in every process, so that none waits in a circle."""
    return sorted({write.tracker for write in writes})


def trackers_made(writes: Sequence[Write]) -> Sequence[CreateTracker]:
    """The first attempt to create each tracker, in the same order."""
    made: dict[TrackerId, CreateTracker] = {}
    for write in writes:
        if isinstance(write, CreateTracker):
            made.setdefault(write.tracker, write)
    return [made[tracker] for tracker in sorted(made)]


def batches(writes: Sequence[Write], *, names_max: int) -> Iterator[list[Part]]:
    """The parts of a commit, in order, a bounded number of names at a time."""
    batch: list[Part] = []
    names = 0
    for part, weight in _parts(writes, names_max):
        if batch and names + weight > names_max:
            yield batch
            batch, names = [], 0
        batch.append(part)
        names += weight
    if batch:
        yield batch


def names_of(batch: Sequence[Part]) -> Names:
    records: dict[RecordKey, None] = {}
    objects: dict[ObjectKey, None] = {}
    replays: dict[ReplayKey, None] = {}
    for part in batch:
        write = part.write
        match write:
            case CreateCustomization():
                records[write.tracker, write.id] = None
                if write.idempotency is not None:
                    replays[replay_key(write.tracker, write.idempotency.key)] = None
            case ReplaceCustomization() | DeleteCustomization():
                records[write.tracker, write.id] = None
            case PutObjects():
                objects.update(((write.tracker, each.identity), None) for each in write.objects)
            case MergeObjects():
                objects.update(((write.tracker, identity), None) for identity in write.merges)
            case RemoveObjects():
                objects.update(((write.tracker, identity), None) for identity in write.objects)
            case _:
                pass
    return Names(list(records), list(objects), list(replays))


def replay_key(tracker: TrackerId, key: str) -> ReplayKey:
    """Callers choose their keys, of any length: a digest has the length that an index likes."""
    return tracker, sha256(key.encode()).hexdigest()


class Transaction(Protocol):
    """What an adapter does in one transaction; `carry_out` says when."""

    def claim_trackers(self, rows: Sequence[TrackerRow]) -> Collection[TrackerId]:
        """Makes rows, in this order, where there are none; returns the ids of those."""

    def lock_trackers(self, trackers: Sequence[TrackerId]) -> Sequence[TrackerRow]:
        """Queues for the rows in this order and returns those that exist."""

    def fetch_present(self, names: Names) -> Present: ...
    def write(self, effects: Effects) -> None: ...
    def save_trackers(self, rows: Sequence[TrackerRow]) -> None: ...


def carry_out(
    writes: Sequence[Write], transaction: Transaction, *, names_max: int = BATCH_NAMES_MAX
) -> Sequence[Outcome]:
    """The whole of a commit but for its beginning and its end."""
    new = [_new_tracker(write) for write in trackers_made(writes)]
    claimed = transaction.claim_trackers(new) if new else ()
    rows = transaction.lock_trackers(trackers_named(writes))
    ledger = Ledger({row.id: row for row in rows if row.id not in claimed}, size=len(writes))
    for batch in batches(writes, names_max=names_max):
        present = transaction.fetch_present(names_of(batch))
        transaction.write(decide(batch, present, ledger))
    transaction.save_trackers(ledger.changed_trackers)
    return ledger.outcomes


def carry_out_together(writes: Sequence[Write], transaction: Transaction) -> Sequence[Committed]:
    """
    The same for all or none. Raises RefusedTogether, which an adapter answers by undoing the transaction.
    """
    outcomes = carry_out(writes, transaction)
    refusals = {
        index: outcome for index, outcome in enumerate(outcomes) if isinstance(outcome, Problem)
    }
    if refusals:
        raise RefusedTogether(refusals)
    return [outcome for outcome in outcomes if isinstance(outcome, Committed)]


def decide(batch: Sequence[Part], present: Present, ledger: Ledger) -> Effects:
    """Takes the writes in order, each over what the earlier ones left, and settles them in the ledger."""
    decision = _Decision(present, ledger)
    for part in batch:
        ledger.settle(part.index, decision.take(part))
    return decision.effects()


def _parts(writes: Sequence[Write], names_max: int) -> Iterator[tuple[Part, int]]:
    for index, write in enumerate(writes):
        match write:
            case PutObjects():
                objects = {each.identity: each for each in write.objects}.values()
                for chosen in _slices(objects, names_max):
                    yield Part(index, replace(write, objects=chosen)), len(chosen)
            case MergeObjects():
                for merges in _slices(write.merges.items(), names_max):
                    yield Part(index, replace(write, merges=dict(merges))), len(merges)
            case RemoveObjects():
                for gone in _slices(write.objects.items(), names_max):
                    yield Part(index, replace(write, objects=dict(gone))), len(gone)
            case _:
                yield Part(index, write), 1


def _slices(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """At least one, be it empty: a write that names nothing has an outcome too."""
    rest = iter(items)
    yield list(islice(rest, size))
    while chosen := list(islice(rest, size)):
        yield chosen


def logged(record: Record) -> bytes:
    """A record's document as the log keeps it: with its metadata, so that a version can be had back whole."""
    if record.metadata is None:
        return record.document
    return record.document[:-1] + b',"target_metadata":' + record.metadata + b"}"


class _Decision:
    """One batch under way."""

    def __init__(self, present: Present, ledger: Ledger) -> None:
        self._ledger = ledger
        self._records = Overlay(present.records)
        self._objects = Overlay(present.objects)
        self._replays = Overlay(present.replays)
        self._outdated: dict[TrackerId, Micros] = {}
        self._changes: list[tuple[TrackerId, int, ChangeRow]] = []

    def take(self, part: Part) -> Outcome:
        write = part.write
        tracker = self._ledger.trackers.get(write.tracker)
        if isinstance(write, CreateTracker):
            return self._create_tracker(part.index, write, tracker)
        if tracker is None:
            return TrackerNotFound()
        match write:
            case CreateCustomization() | ReplaceCustomization() | DeleteCustomization():
                return self._take_customization(part.index, write, tracker)
            case PutObjects() | MergeObjects() | RemoveObjects():
                return self._take_objects(part.index, write, tracker)
            case AddKey() | RevokeKey() | PublishArtifact():
                return self._take_tracker(part.index, write, tracker)
            case _:
                assert_never(write)

    def effects(self) -> Effects:
        saved: list[tuple[TrackerId, Record]] = []
        rewritten: list[tuple[TrackerId, Record]] = []
        untagged: list[RecordKey] = []
        tagged: list[tuple[TrackerId, CustomizationId, str]] = []
        for key, record in self._records.puts():
            before = self._records.present.get(key)
            kept = before is not None and _selection(before) == _selection(record)
            (rewritten if kept else saved).append((key[0], record))
            if before is not None and before.tags and before.tags != record.tags:
                untagged.append(key)
            if record.tags and (before is None or before.tags != record.tags):
                tagged += [(*key, tag) for tag in dict.fromkeys(record.tags)]
        deleted = self._records.drops()
        untagged += [key for key in deleted if self._records.present[key].tags]
        return Effects(
            saved=saved,
            rewritten=rewritten,
            deleted=deleted,
            untagged=untagged,
            tagged=tagged,
            objects=[(key[0], row) for key, row in self._objects.puts()],
            removed=self._objects.drops(),
            replays=list(self._replays.puts()),
            outdated=self._outdated,
            changes=self._changes,
        )

    # Customizations

    def _take_customization(
        self, index: int, write: CustomizationWrite, tracker: TrackerRow
    ) -> Outcome:
        key = (write.tracker, write.id)
        before = self._records.get(key)
        if isinstance(write, CreateCustomization):
            return self._replayed(write, tracker) or self._create(index, write, tracker, before)
        if before is None:
            return CustomizationNotFound()
        if write.expected is not None and before.revision not in write.expected:
            return RevisionConflict()
        revision = self._ledger.spend(index, tracker)
        if isinstance(write, DeleteCustomization):
            self._records.drop(key)
            self._log(write, revision, "customization", write.id, "delete", old=logged(before))
            return Committed(revision)
        record = _record(write, revision, creator=before.creator, created_at=before.created_at)
        self._records.put(key, record)
        self._log(
            write,
            revision,
            "customization",
            write.id,
            "replace",
            old=logged(before),
            new=logged(record),
        )
        return Committed(revision, record)

    def _replayed(self, write: CreateCustomization, tracker: TrackerRow) -> Outcome | None:
        if write.idempotency is None:
            return None
        since = Micros(write.now - IDEMPOTENCY_MICROS)
        self._outdated[tracker.id] = min(since, self._outdated.get(tracker.id, since))
        replay = self._replays.get(replay_key(write.tracker, write.idempotency.key))
        if replay is None or replay.created_at <= since:
            return None
        if replay.fingerprint != write.idempotency.fingerprint:
            return IdempotencyConflict()
        return Committed(replay.record.revision, replay.record, replayed=True)

    def _create(
        self, index: int, write: CreateCustomization, tracker: TrackerRow, before: Record | None
    ) -> Outcome:
        if before is not None:
            return UsageFault("A customization with this id exists", {"id": [write.id]})
        revision = self._ledger.spend(index, tracker)
        made = write.now if write.created_at is None else write.created_at
        record = _record(write, revision, creator=write.creator, created_at=made)
        self._records.put((write.tracker, write.id), record)
        if write.idempotency is not None:
            self._replays.put(
                replay_key(write.tracker, write.idempotency.key),
                Replay(write.idempotency.fingerprint, write.now, record),
            )
        self._log(write, revision, "customization", write.id, "create", new=logged(record))
        return Committed(revision, record)

    # Catalog objects

    def _take_objects(self, index: int, write: ObjectWrite, tracker: TrackerRow) -> Outcome:
        faults: dict[str, CatalogFault] = {}
        revision = tracker.revision
        for identity, before, after in self._wanted(write):
            if isinstance(after, CatalogFault):
                faults[identity] = after
            elif after != before:
                revision = self._ledger.spend(index, tracker)
                self._change_object(write, revision, identity, before, after)
        return Committed(revision, faults=faults)

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
                    yield identity, before, merge(before.document if before else None)
            case RemoveObjects():
                for identity, type_ in write.objects.items():
                    before = self._object(write, identity)
                    found = before is not None and before.type == type_
                    yield identity, before, None if found else _not_in_catalog()
            case _:
                assert_never(write)

    def _object(self, write: ObjectWrite, identity: ItemId) -> CatalogObject | None:
        return self._objects.get((write.tracker, identity))

    def _change_object(
        self,
        write: ObjectWrite,
        revision: int,
        identity: ItemId,
        before: CatalogObject | None,
        after: CatalogObject | None,
    ) -> None:
        key = (write.tracker, identity)
        if after is None:
            self._objects.drop(key)
            self._log(write, revision, "object", identity, "delete")
        else:
            self._objects.put(key, after)
            self._log(write, revision, "object", identity, "replace" if before else "create")

    # Trackers

    def _create_tracker(
        self, index: int, write: CreateTracker, tracker: TrackerRow | None
    ) -> Outcome:
        if tracker is not None:
            return UsageFault("This tracker exists", {"tracker": [write.tracker]})
        revision = self._ledger.spend(index, _new_tracker(write))
        self._log(write, revision, "tracker", write.tracker, "create")
        return Committed(revision)

    def _take_tracker(
        self, index: int, write: AddKey | RevokeKey | PublishArtifact, tracker: TrackerRow
    ) -> Outcome:
        match write:
            case AddKey():
                return self._add_key(index, write, tracker)
            case RevokeKey():
                return self._revoke_key(index, write, tracker)
            case PublishArtifact():
                return self._publish(index, write, tracker)
            case _:
                assert_never(write)

    def _add_key(self, index: int, write: AddKey, tracker: TrackerRow) -> Outcome:
        if write.sealed_key in tracker.sealed_keys:
            return Committed(tracker.revision)
        changed = replace(tracker, sealed_keys=(*tracker.sealed_keys, write.sealed_key))
        revision = self._ledger.spend(index, changed)
        self._log(write, revision, "key", _key_name(write.sealed_key), "create")
        return Committed(revision)

    def _revoke_key(self, index: int, write: RevokeKey, tracker: TrackerRow) -> Outcome:
        rest = tuple(key for key in tracker.sealed_keys if key != write.sealed_key)
        if len(rest) == len(tracker.sealed_keys):
            return UsageFault("The tracker has no such key")
        if not rest:
            return UsageFault("This is the tracker's last key: add another one first")
        revision = self._ledger.spend(index, replace(tracker, sealed_keys=rest))
        self._log(write, revision, "key", _key_name(write.sealed_key), "delete")
        return Committed(revision)

    def _publish(self, index: int, write: PublishArtifact, tracker: TrackerRow) -> Outcome:
        if write.artifact == tracker.artifact:
            return Committed(tracker.revision)
        revision = self._ledger.spend(index, replace(tracker, artifact=write.artifact))
        action: Action = "create" if tracker.artifact is None else "replace"
        self._log(write, revision, "artifact", write.artifact, action)
        return Committed(revision)

    def _log(
        self,
        write: Write,
        revision: int,
        kind: Kind,
        subject: str,
        action: Action,
        *,
        old: bytes | None = None,
        new: bytes | None = None,
    ) -> None:
        actor = write.actor
        if actor is None:  # of a customization that its own creator makes
            assert isinstance(write, CreateCustomization)
            actor = write.creator
        line = ChangeRow(revision, kind, subject, action, actor, write.now, old, new)
        self._changes.append((write.tracker, self._ledger.next_ordinal(), line))


def _new_tracker(write: CreateTracker) -> TrackerRow:
    return TrackerRow(write.tracker, write.name, 0, (write.sealed_key,), None, write.now)


def _record(
    write: CreateCustomization | ReplaceCustomization,
    revision: int,
    *,
    creator: str,
    created_at: Micros,
) -> Record:
    definition = write.definition
    return Record(
        id=write.id,
        model=definition.model,
        target_type=definition.target_type,
        target_identity=definition.target_identity,
        tags=definition.tags,
        document=definition.document,
        metadata=definition.metadata,
        creator=creator,
        created_at=created_at,
        updated_at=write.now,
        revision=revision,
    )


def _selection(record: Record) -> tuple[object, ...]:
    """What indexes are made of: rows that keep it are rewritten without touching any."""
    return (
        record.model,
        record.target_type,
        record.target_identity,
        record.creator,
        record.created_at,
    )


def _not_in_catalog() -> CatalogFault:
    return CatalogFault("not_found", "Identity not in catalog")


def _key_name(sealed_key: bytes) -> str:
    """Tells keys apart in the log and tells nothing of them."""
    return sha256(sealed_key).hexdigest()[:16]
