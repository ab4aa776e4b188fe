"""
What one commit does, decided without a database.

An adapter opens a transaction, queues for the trackers' rows, and then goes through the commit batch by batch: it reads
the present rows of all that a batch names, asks `decide` what becomes of them, and writes the answer, a set a table.
How many statements that takes does not depend on how much is written, up to a batch; larger commits are more batches
of one transaction. All rules of writing are here, once for every adapter: adapters differ in SQL, not in meaning.

Knows rows and writes. Knows nothing of SQL, connections or what time it is: every write carries its `now`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import Literal, Protocol, TypeVar, assert_never

from msgspec import Struct
from msgspec.structs import replace

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
from endcap.errors import (
    ArtifactConflict,
    CatalogFault,
    CatalogFaults,
    CustomizationNotFound,
    IdempotencyConflict,
    Problem,
    RefusedTogether,
    RevisionConflict,
    TrackerNotFound,
    UsageFault,
)
from endcap.store.decide_catalog import Action, CatalogDecision, JobKey, ObjectKey
from endcap.store.decide_drafts import Desk, conflict, overtaken, take
from endcap.store.decide_models import ModelDecision, ModelKey
from endcap.store.judge import FieldKey, Judge
from endcap.store.ledger import Ledger, Overlay
from endcap.store.states import FIELDS_JOB, ChangeRow, Job, ModelRow, TrackerRow
from endcap.store.writes import (
    IDEMPOTENCY_HOURS,
    AddKey,
    CommitGeneration,
    Committed,
    CreateCustomization,
    CreateTracker,
    CustomizationWrite,
    DeleteCustomization,
    DiscardDraft,
    HoldDraft,
    MergeObjects,
    ModelWrite,
    ObjectWrite,
    Outcome,
    PublishArtifact,
    PublishDraft,
    PutModel,
    PutObjects,
    RemoveModel,
    RemoveObjects,
    ReplaceCustomization,
    ResetField,
    RestoreCustomization,
    ReviseCustomizations,
    RevokeKey,
    SaveDraft,
    ScheduleDraft,
    StartJob,
    StepJob,
    TakeJob,
    TrackerWrite,
    Unpublish,
    Write,
)
from endcap.store.records import record_of
from endcap.wire.versions import farewell, version_of

BATCH_NAMES_MAX = 1_000  # rows that one batch reads and writes: bounds memory, not the transaction
SWEEP_ROWS_MAX = (
    10_000  # rows that one statement of a sweep removes: bounds its time, not the transaction
)
IDEMPOTENCY_MICROS = IDEMPOTENCY_HOURS * 3_600 * 1_000_000

T = TypeVar("T")

Kind = Literal["customization", "draft", "object", "model", "tracker", "key", "artifact", "field"]
RecordKey = tuple[TrackerId, CustomizationId]
ReplayKey = tuple[TrackerId, str]
LoggedWrite = CustomizationWrite | ObjectWrite | ModelWrite | ResetField | StepJob | TrackerWrite


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
    whole: ReviseCustomizations | None = None
    """Of the first slice of one that is all or nothing: what has to be looked at before any of it is done."""


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
        if batch and (names + weight > names_max or part.whole is not None):
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
    drafts: dict[RecordKey, None] = {}
    fields: dict[FieldKey, None] = {}
    jobs_named: dict[JobKey, None] = {}
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
            case RemoveObjects():
                objects.update(((write.tracker, identity), None) for identity in write.objects)
            case ResetField():
                fields[write.tracker, write.name] = None
            case PutModel() | RemoveModel():
                tables[write.tracker] = None
            case _:
                pass
        match write:
            case StartJob():
                jobs_named[write.tracker, write.job.id] = None
            case TakeJob() | StepJob():
                jobs_named[write.tracker, write.id] = None
                if isinstance(write, StepJob):
                    fields.update(((write.tracker, each.name), None) for each in write.fields)
            case _:
                pass
    jobs_named.update(((tracker, FIELDS_JOB), None) for tracker, _ in fields)
    return Names(
        list(records),
        list(objects),
        list(replays),
        list(fields),
        list(jobs_named),
        list(tables),
        list(drafts),
    )


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
    def count_generation(self, write: CommitGeneration) -> int:
        """Objects of the type and the generation."""

    def sweep(self, write: CommitGeneration, *, limit: int) -> Sequence[ItemId]:
        """Removes some objects of the type that are not of the generation; returns which."""

    def save_trackers(self, rows: Sequence[TrackerRow]) -> None: ...


def carry_out(
    writes: Sequence[Write], transaction: Transaction, *, names_max: int = BATCH_NAMES_MAX
) -> Sequence[Outcome]:
    """The whole of a commit but for its beginning and its end."""
    new = [_new_tracker(write) for write in trackers_made(writes)]
    claimed = transaction.claim_trackers(new) if new else ()
    rows = transaction.lock_trackers(trackers_named(writes))
    ledger = Ledger({row.id: row for row in rows if row.id not in claimed}, size=len(writes))
    refused: set[int] = set()
    for batch in batches(writes, names_max=names_max):
        (first, *_) = batch
        if isinstance(first.write, CommitGeneration):
            ledger.settle(first.index, _sweep(first.index, first.write, transaction, ledger))
            continue
        if first.whole is not None and ledger.trackers.get(first.write.tracker) is not None:
            objection = _objection_to(first.whole, transaction, names_max)
            if objection is not None:
                ledger.settle(first.index, objection)
                refused.add(first.index)
        if first.index in refused:  # slices of one that is all or nothing have their own batches
            continue
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


def _objection_to(
    write: ReviseCustomizations, transaction: Transaction, names_max: int
) -> RevisionConflict | None:
    """Why nothing of one that is larger than a batch can be done, after all that was written before it."""
    count = 0
    for part, _ in _slices_of(0, write, names_max):
        slice_ = part.write
        assert isinstance(slice_, ReviseCustomizations)
        present = transaction.fetch_present(names_of([part]))
        count += overtaken(slice_, Overlay(present.records), Overlay(present.drafts))
    return conflict(count) if count else None


def _sweep(
    index: int, write: CommitGeneration, transaction: Transaction, ledger: Ledger
) -> Outcome:
    """Removes by statement what nobody could name: there may be a million."""
    tracker = ledger.trackers.get(write.tracker)
    if tracker is None:
        return TrackerNotFound()
    kept = transaction.count_generation(write)
    if not kept:
        return _generation_empty(write)
    removed = 0
    while gone := transaction.sweep(write, limit=SWEEP_ROWS_MAX):
        removed += len(gone)
        revision = ledger.spend(index, tracker)
        lines = (
            ChangeRow(revision, "object", each, "delete", write.actor, write.now, None, None)
            for each in gone
        )
        changes = [(write.tracker, ledger.next_ordinal(), line) for line in lines]
        transaction.write(Effects(changes=changes))
    return Committed(ledger.revision(tracker), kept=kept, removed=removed)


def _generation_empty(write: CommitGeneration) -> CatalogFaults:
    reason = f"No {write.type} is of the generation {write.generation}: nothing was removed"
    caused_by = {"generation": ["has no objects of this type"]}
    return CatalogFaults(0, {"generation": CatalogFault("not_found", reason, caused_by)})


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
                    yield Part(index, replace(write, objects=chosen)), max(1, len(chosen))
            case MergeObjects():
                for merges in _slices(write.merges.items(), names_max):
                    yield Part(index, replace(write, merges=dict(merges))), max(1, len(merges))
            case RemoveObjects():
                for gone in _slices(write.objects.items(), names_max):
                    yield Part(index, replace(write, objects=dict(gone))), max(1, len(gone))
            case ReviseCustomizations():
                yield from _slices_of(index, write, names_max)
            case CommitGeneration():
                yield Part(index, write), names_max + 1  # a batch of its own
            case StepJob():
                yield Part(index, write), max(1, len(write.merges))
            case _:
                yield Part(index, write), 1


def _slices_of(
    index: int, write: ReviseCustomizations, names_max: int
) -> Iterator[tuple[Part, int]]:
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


def _slices(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """At least one, be it empty: a write that names nothing has an outcome too."""
    rest = iter(items)
    yield list(islice(rest, size))
    while chosen := list(islice(rest, size)):
        yield chosen


class _Journal:
    """
    The lines that a batch leaves in the log, in order. Apart from the decision, so that those who write them do not
    hold the decision that holds them: a batch is let go when it is written, and not when cycles are looked for.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.lines: list[tuple[TrackerId, int, ChangeRow]] = []

    def keep(self, tracker: TrackerId, line: ChangeRow) -> None:
        self.lines.append((tracker, self._ledger.next_ordinal(), line))

    def __call__(
        self,
        write: LoggedWrite,
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
        self.keep(write.tracker, line)


class _Decision:
    """One batch under way."""

    def __init__(self, present: Present, ledger: Ledger) -> None:
        self._ledger = ledger
        self._log = _Journal(ledger)
        self._records = Overlay(present.records)
        self._objects = Overlay(present.objects)
        self._replays = Overlay(present.replays)
        self._drafts = Overlay(present.drafts)
        self._jobs = Overlay(present.jobs)
        self._judge = Judge(
            present.fields,
            open={
                tracker
                for (tracker, id_), job in present.jobs.items()
                if id_ == FIELDS_JOB and job.status == "in progress"
            },
        )
        self._catalog = CatalogDecision(
            ledger, self._log, objects=self._objects, open_jobs=self._jobs, judge=self._judge
        )
        self._models = Overlay(present.models)
        self._table = ModelDecision(ledger, self._log, self._models)
        self._outdated: dict[TrackerId, Micros] = {}

    def take(self, part: Part) -> Outcome:
        write = part.write
        tracker = self._ledger.trackers.get(write.tracker)
        if isinstance(write, CreateTracker):
            return self._create_tracker(part.index, write, tracker)
        if tracker is None:
            return TrackerNotFound()
        match write:
            case (
                CreateCustomization()
                | ReplaceCustomization()
                | DeleteCustomization()
                | RestoreCustomization()
            ):
                return self._take_customization(part.index, write, tracker)
            case (
                SaveDraft()
                | DiscardDraft()
                | ScheduleDraft()
                | HoldDraft()
                | PublishDraft()
                | Unpublish()
                | ReviseCustomizations()
            ):
                desk = Desk(self._records, self._drafts, self._revision(part.index, tracker))
                outcome = take(write, desk, current=tracker.revision)
                for line in desk.lines:
                    self._log.keep(write.tracker, line)
                return outcome
            case PutObjects() | MergeObjects() | RemoveObjects():
                return self._catalog.take_objects(part.index, write, tracker)
            case PutModel() | RemoveModel():
                return self._table.take(part.index, write, tracker)
            case AddKey() | RevokeKey() | PublishArtifact():
                return self._take_tracker(part.index, write, tracker)
            case ResetField():
                return self._catalog.reset_field(part.index, write, tracker)
            case StartJob() | TakeJob() | StepJob():
                return self._catalog.take_job(part.index, write, tracker)
            case CommitGeneration():
                raise AssertionError("a sweep is no decision about rows")  # see carry_out
            case _:
                assert_never(write)

    def _revision(self, index: int, tracker: TrackerRow) -> Callable[[], int]:
        return lambda: self._ledger.spend(index, tracker)

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
            models=[(key[0], row) for key, row in self._models.puts()],
            unset=self._models.drops(),
            outdated=self._outdated,
            changes=self._log.lines,
            drafts=[(key[0], row) for key, row in self._drafts.puts()],
            drafts_deleted=self._drafts.drops(),
            fixed=self._judge.fixed(),
            forgotten=self._judge.forgotten(),
            jobs=[(key[0], job) for key, job in self._jobs.puts()],
            outdated_jobs=self._catalog.outdated_jobs,
        )

    # Customizations

    def _take_customization(
        self, index: int, write: CustomizationWrite, tracker: TrackerRow
    ) -> Outcome:
        key = (write.tracker, write.id)
        before = self._records.get(key)
        if isinstance(write, CreateCustomization):
            return self._replayed(write, tracker) or self._create(index, write, tracker, before)
        if isinstance(write, RestoreCustomization):
            return self._restore(index, write, tracker, before)
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
            return _taken(write.id)
        revision = self._ledger.spend(index, tracker)
        made = write.now if write.created_at is None else write.created_at
        record = record_of(
            write.id,
            write.definition,
            revision,
            creator=write.creator,
            created_at=made,
            updated_at=write.now,
        )
        self._records.put((write.tracker, write.id), record)
        if write.idempotency is not None:
            self._replays.put(
                replay_key(write.tracker, write.idempotency.key),
                Replay(write.idempotency.fingerprint, write.now, record),
            )
        self._log(write, revision, "customization", write.id, "create", new=version_of(record))
        return Committed(revision, record)

    def _restore(
        self, index: int, write: RestoreCustomization, tracker: TrackerRow, before: Record | None
    ) -> Outcome:
        if before is not None:
            return _taken(write.id)
        revision = self._ledger.spend(index, tracker)
        record = record_of(
            write.id,
            write.definition,
            revision,
            creator=write.creator,
            created_at=write.created_at,
            updated_at=write.now,
        )
        self._records.put((write.tracker, write.id), record)
        self._log(write, revision, "customization", write.id, "create", new=version_of(record))
        return Committed(revision, record)

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
        if write.expected is not None and tracker.artifact not in write.expected:
            return ArtifactConflict()
        if write.artifact == tracker.artifact:
            return Committed(tracker.revision)
        revision = self._ledger.spend(index, replace(tracker, artifact=write.artifact))
        action: Action = "create" if tracker.artifact is None else "replace"
        self._log(write, revision, "artifact", write.artifact, action)
        return Committed(revision)


def _new_tracker(write: CreateTracker) -> TrackerRow:
    return TrackerRow(write.tracker, write.name, 0, (write.sealed_key,), None, write.now)


def _taken(id: CustomizationId) -> UsageFault:
    return UsageFault("A customization with this id exists", {"id": [id]})


def _selection(record: Record) -> tuple[object, ...]:
    """What indexes are made of: rows that keep it are rewritten without touching any."""
    return (
        record.model,
        record.target_type,
        record.target_identity,
        record.creator,
        record.created_at,
    )


def _key_name(sealed_key: bytes) -> str:
    """Tells keys apart in the log and tells nothing of them."""
    return sha256(sealed_key).hexdigest()[:16]
