"""
What becomes of one batch of writes, decided without a database.

Each write is taken over what the earlier ones left, by the part that knows its kind: `decide_customizations`,
`decide_drafts`, `decide_catalog`, `decide_models`, `decide_trackers`. All rules of writing are in these, once for every
adapter: adapters differ in SQL, not in meaning.

Knows rows and writes. Knows nothing of SQL, connections or what time it is: every write carries its `now`.
"""

from collections.abc import Sequence
from functools import partial
from typing import assert_never

from endcap.domain import CustomizationId, Record, TrackerId
from endcap.errors import TrackerNotFound
from endcap.store.batches import Part
from endcap.store.decide_catalog import CatalogDecision
from endcap.store.decide_customizations import CustomizationDecision
from endcap.store.decide_drafts import Desk, take
from endcap.store.decide_models import ModelDecision
from endcap.store.decide_trackers import TrackerDecision
from endcap.store.journal import Journal
from endcap.store.judge import Judge
from endcap.store.ledger import Ledger, Overlay
from endcap.store.states import FIELDS_JOB
from endcap.store.transaction import Effects, Present, RecordKey
from endcap.store.writes import (
    AddKey,
    CommitGeneration,
    CreateCustomization,
    CreateTracker,
    DeleteCustomization,
    DiscardDraft,
    HoldDraft,
    MergeObjects,
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
    Unpublish,
)


def decide(batch: Sequence[Part], present: Present, ledger: Ledger) -> Effects:
    """Takes the writes in order, each over what the earlier ones left, and settles them in the ledger."""
    decision = _Decision(present, ledger)
    for part in batch:
        ledger.settle(part.index, decision.take(part))
    return decision.effects()


class _Decision:
    """One batch under way."""

    def __init__(self, present: Present, ledger: Ledger) -> None:
        self._ledger = ledger
        self._log = Journal(ledger)
        self._records = Overlay(present.records)
        self._objects = Overlay(present.objects)
        self._replays = Overlay(present.replays)
        self._drafts = Overlay(present.drafts)
        self._jobs = Overlay(present.jobs)
        self._models = Overlay(present.models)
        self._judge = Judge(
            present.fields,
            open={
                tracker
                for (tracker, id_), job in present.jobs.items()
                if id_ == FIELDS_JOB and job.status == "in progress"
            },
        )
        self._customizations = CustomizationDecision(
            ledger, self._log, records=self._records, replays=self._replays
        )
        self._catalog = CatalogDecision(
            ledger, self._log, objects=self._objects, open_jobs=self._jobs, judge=self._judge
        )
        self._table = ModelDecision(ledger, self._log, self._models)

    def take(self, part: Part) -> Outcome:
        index, write = part.index, part.write
        tracker = self._ledger.trackers.get(write.tracker)
        if isinstance(write, CreateTracker):
            return TrackerDecision(self._ledger, self._log).create(index, write, tracker)
        if tracker is None:
            return TrackerNotFound()
        match write:
            case (
                CreateCustomization()
                | ReplaceCustomization()
                | DeleteCustomization()
                | RestoreCustomization()
            ):
                return self._customizations.take(index, write, tracker)
            case (
                SaveDraft()
                | DiscardDraft()
                | ScheduleDraft()
                | HoldDraft()
                | PublishDraft()
                | Unpublish()
                | ReviseCustomizations()
            ):
                spend = partial(self._ledger.spend, index, tracker)
                desk = Desk(self._records, self._drafts, spend, self._log)
                return take(write, desk, current=tracker.revision)
            case PutObjects() | MergeObjects() | RemoveObjects():
                return self._catalog.take_objects(index, write, tracker)
            case PutModel() | RemoveModel():
                return self._table.take(index, write, tracker)
            case AddKey() | RevokeKey() | PublishArtifact():
                return TrackerDecision(self._ledger, self._log).take(index, write, tracker)
            case ResetField():
                return self._catalog.reset_field(index, write, tracker)
            case StartJob() | TakeJob() | StepJob():
                return self._catalog.take_job(index, write, tracker)
            case CommitGeneration():
                raise AssertionError("a sweep is no decision about rows")  # see commit.carry_out
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
            models=[(key[0], row) for key, row in self._models.puts()],
            unset=self._models.drops(),
            outdated=self._customizations.outdated,
            changes=self._log.lines,
            drafts=[(key[0], row) for key, row in self._drafts.puts()],
            drafts_deleted=self._drafts.drops(),
            fixed=self._judge.fixed(),
            forgotten=self._judge.forgotten(),
            jobs=[(key[0], job) for key, job in self._jobs.puts()],
            outdated_jobs=self._catalog.outdated_jobs,
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
