"""
What the application asks of a database, and what it is promised.

Promised by `commit`, by every adapter, and held to by one contract suite:

* One transaction a call: when it returns, every outcome is durable; when it raises, nothing happened.
* The writes of a call take effect in order; a later one sees the earlier. A write that is refused (its outcome is a
  Problem) changes nothing and does not disturb its neighbours.
* Each write that changes something bumps its tracker's revision row by one and appends to `change`, in the same
  transaction. Writers of one tracker queue on that row, so commit order is revision order: no follower that asks for
  revisions above one it has seen can miss a change.

Promised by the reads: one call sees one state of the database; texts compare by code point, case included; an
absent `target_identity` sorts as the empty text. Not promised: that two calls see the same state.

A Store may be used from several threads at once. Drivers' errors never leave an adapter: an unreachable or locked
database raises StoreUnavailable with the original as its cause.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from msgspec import Struct

from endcap.domain import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    CatalogObject,
    CustomizationId,
    Definition,
    Draft,
    Field,
    FieldKind,
    Filter,
    ItemId,
    Merge,
    Micros,
    Record,
    Sort,
    TrackerId,
)
from endcap.errors import CatalogFault, Problem

IDEMPOTENCY_HOURS = 24
MODELS_MAX = 200  # of a tracker: widgets have names, shoppers do not; each is looked up on its own
JOB_DAYS = 7  # how long one can ask how a job ended
JOB_FAULTS_MAX = 100
JOB_ATTEMPTS_MAX = 5  # a job that takes its worker down five times would do so for ever
FIELDS_JOB = 0
"""The id of a tracker's job of kind `fields`; others are positive."""

JobStatus = Literal["in progress", "complete", "failed"]
CatalogFaultTold = tuple[str, str, Mapping[str, Sequence[str]]]
"""A CatalogFault as it is kept: kind, reason, details."""


class Idempotency(Struct, frozen=True):
    """A caller's key for one POST, and the fingerprint of the body it came with."""

    key: str
    fingerprint: str


class CreateCustomization(Struct, frozen=True):
    """
    Outcome: Committed with the record; UsageFault if there is one with this id. With a known idempotency key of the
    last 24 hours: Committed with the record as first created and `replayed`, or IdempotencyConflict if the fingerprint
    differs.

    One that moves in from elsewhere says when it was made there, and who moves it; else that is now, and its creator.
    """

    tracker: TrackerId
    id: CustomizationId
    definition: Definition
    creator: str
    now: Micros
    idempotency: Idempotency | None = None
    created_at: Micros | None = None
    actor: str | None = None


class ReplaceCustomization(Struct, frozen=True):
    """
    Keeps id, created_at and creator, and `disabled` where the definition leaves it open. Outcome: Committed with the
    new record; CustomizationNotFound; RevisionConflict if `expected` is given and does not hold the record's revision.
    """

    tracker: TrackerId
    id: CustomizationId
    definition: Definition
    actor: str
    now: Micros
    expected: frozenset[int] | None = None


class DeleteCustomization(Struct, frozen=True):
    """Outcome: Committed with record None; CustomizationNotFound; RevisionConflict as above."""

    tracker: TrackerId
    id: CustomizationId
    actor: str
    now: Micros
    expected: frozenset[int] | None = None


class RestoreCustomization(Struct, frozen=True):
    """
    Brings a deleted customization back as what it was: its id, creator and time of creation are its own again.
    Outcome: Committed with the record; UsageFault if a customization has the id.
    """

    tracker: TrackerId
    id: CustomizationId
    definition: Definition
    creator: str
    created_at: Micros
    actor: str
    now: Micros


class SaveDraft(Struct, frozen=True):
    """
    Keeps what a customization may become, in the place of the draft that there was. Whoever said when that one was to
    be published has not seen this one, so nobody has said it of this. `base` is the revision of the published one that
    it was made from. Where it leaves `disabled` open, that stays what it is of the published one. Outcome: Committed
    with the draft; DraftConflict if `expected` is given and does not hold the draft's revision, 0 for none.
    """

    tracker: TrackerId
    id: CustomizationId
    definition: Definition
    base: int | None
    actor: str
    now: Micros
    expected: frozenset[int] | None = None


class DiscardDraft(Struct, frozen=True):
    """Outcome: Committed; DraftNotFound; DraftConflict as above."""

    tracker: TrackerId
    id: CustomizationId
    actor: str
    now: Micros
    expected: frozenset[int] | None = None


class ScheduleDraft(Struct, frozen=True):
    """When it is to be published; None: not by itself. Outcome: Committed with the draft; as above."""

    tracker: TrackerId
    id: CustomizationId
    publish_at: Micros | None
    actor: str
    now: Micros
    expected: frozenset[int] | None = None


class HoldDraft(Struct, frozen=True):
    """It was to be published by now and cannot be: says why, once. Outcome as above."""

    tracker: TrackerId
    id: CustomizationId
    reason: str
    actor: str
    now: Micros
    expected: frozenset[int] | None = None


class PublishDraft(Struct, frozen=True):
    """
    Makes a draft what is published, with the id, the creator and the time of creation that it has. `definition` is
    what the draft of revision `draft` says. Outcome: Committed with the record; DraftNotFound; DraftConflict if the
    draft is another one; PublishConflict if what is published is not what the draft was made from or, where `over` is
    given, not of a revision in there (0: nothing).
    """

    tracker: TrackerId
    id: CustomizationId
    definition: Definition
    draft: int
    actor: str
    now: Micros
    over: frozenset[int] | None = None


class Unpublish(Struct, frozen=True):
    """
    Takes a customization back: it speaks no more, and is kept as a draft, unless it has one already, which stays.
    Outcome: Committed with the draft; CustomizationNotFound; RevisionConflict if `expected` is given and does not hold
    the record's revision.
    """

    tracker: TrackerId
    id: CustomizationId
    actor: str
    now: Micros
    expected: frozenset[int] | None = None


class Version(Struct, frozen=True):
    """What a customization shall be, all of it. `definition.disabled` is not left open."""

    definition: Definition
    creator: str
    created_at: Micros


class Revised(Struct, frozen=True):
    """A customization of this revision (0: none) shall be this, or, for None, not be."""

    id: CustomizationId
    expected: int
    version: Version | None


class RevisedDraft(Struct, frozen=True):
    """
    The same of a draft, which keeps all but its revision, and a moment to be published at that is over: else it would
    be published again at once. With `is_rebased` it is made from what is published after this write, if anything is.
    """

    id: CustomizationId
    expected: int
    draft: Draft | None
    is_rebased: bool = False


class ReviseCustomizations(Struct, frozen=True):
    """
    Changes any number of customizations and drafts at once, under one revision: all, or nothing. Each is named once.
    Outcome: Committed; RevisionConflict with how many are not what was expected. If nothing is to be changed, no
    revision is spent.
    """

    tracker: TrackerId
    revised: Sequence[Revised]
    actor: str
    now: Micros
    drafts: Sequence[RevisedDraft] = ()


class PutObjects(Struct, frozen=True):
    """
    Replaces each object whole, or adds it. Of two with one identity the later wins. Outcome: Committed, with the
    refused in `faults`: an object whose shape clashes with the kinds of the tracker's fields is not stored. Fields
    without a kind get the one of the first object that says one. If all were refused no revision is spent.

    With `whole` nothing is stored if one is refused: `commit` raises CatalogFaults.
    """

    tracker: TrackerId
    objects: Sequence[CatalogObject]
    actor: str
    now: Micros
    whole: bool = False


class MergeObjects(Struct, frozen=True):
    """
    Reads, merges and writes each object inside the transaction. Outcome: Committed, with the refused in `faults`, also
    for their shapes; if all were refused no revision is spent and `revision` is the current one.
    """

    tracker: TrackerId
    merges: Mapping[ItemId, Merge]
    actor: str
    now: Micros


class RemoveObjects(Struct, frozen=True):
    """
    Removes objects by identity and type. Outcome: Committed; an identity that is not there with that type is in
    `faults` as CatalogFault("not_found", "Identity not in catalog").
    """

    tracker: TrackerId
    objects: Mapping[ItemId, str]
    actor: str
    now: Micros


class CommitGeneration(Struct, frozen=True):
    """
    Removes the objects of a type that are of another generation, or of none. Outcome: Committed with `kept` and
    `removed`; CatalogFaults under `generation` if no object of the type is of the generation.
    """

    tracker: TrackerId
    type: str
    generation: str
    actor: str
    now: Micros


class ResetField(Struct, frozen=True):
    """
    Forgets the kind of a field, so that the next value fixes it, or fixes another one. What is stored stays. Outcome:
    Committed; UsageFault if the field has no kind, and none is given.
    """

    tracker: TrackerId
    name: str
    kind: FieldKind | None
    actor: str
    now: Micros


class Job(Struct, frozen=True, kw_only=True):
    """
    Work on a tracker's catalog that goes on in the background, step by step. Kept until `JOB_DAYS` after it ended.

    Kind `update`: `request` is the body that asked for it. Kind `fields`: fixes the kinds of fields from what is stored
    since before there were kinds; while it is open no other write fixes any.
    """

    id: int
    kind: Literal["update", "fields"]
    status: JobStatus = "in progress"
    request: bytes = b""
    """Empty when the job has ended."""
    place: ItemId = ItemId("")
    """The last object that was looked at, in the order of `Store.objects_after`; empty before the first."""
    checked: int = 0
    """Objects looked at."""
    updates: int = 0
    failures: int = 0
    faults: Mapping[str, CatalogFaultTold] = {}
    """Of the first JOB_FAULTS_MAX objects that could not be updated."""
    reason: str = ""
    """Why it failed."""
    holder: str = ""
    """Who works on it, until `leased_until`; then anybody may take it over."""
    leased_until: Micros = Micros(0)
    attempts: int = 0
    """Times that it was taken on since its last step."""
    actor: str
    created_at: Micros
    updated_at: Micros


class StartJob(Struct, frozen=True):
    """
    Keeps a new job; forgets those that ended JOB_DAYS ago. Outcome: Committed with `job`; UsageFault if its id is
    taken.
    """

    tracker: TrackerId
    job: Job
    now: Micros


class TakeJob(Struct, frozen=True):
    """
    Makes `holder` the one who works on a job, until `until`, if nobody else is. Outcome: Committed with `job`, whoever
    is its holder now; JobNotFound. A job that was taken JOB_ATTEMPTS_MAX times without a step has failed.
    """

    tracker: TrackerId
    id: int
    holder: str
    until: Micros
    now: Micros


class StepJob(Struct, frozen=True):
    """
    One step of a job, and where the next begins: the objects that it changes, the fields whose kinds it fixes, and the
    job itself in one transaction, so that each step is done once, whoever else believes to work on it.

    Does nothing unless `holder` holds the job and it is at
    `place`. Outcome: Committed with `job` as it is now; JobNotFound.
    """

    tracker: TrackerId
    id: int
    holder: str
    place: ItemId
    next_place: ItemId
    merges: Mapping[ItemId, Merge]
    fields: Sequence[Field]
    checked: int
    status: JobStatus
    until: Micros
    """Of the lease; at or before `now` the job is given back."""
    actor: str
    now: Micros
    reason: str = ""


class CreateTracker(Struct, frozen=True):
    """Outcome: Committed; UsageFault if the tracker exists."""

    tracker: TrackerId
    name: str
    sealed_key: bytes
    actor: str
    now: Micros


class AddKey(Struct, frozen=True):
    """Another live key for a tracker. Outcome: Committed; TrackerNotFound."""

    tracker: TrackerId
    sealed_key: bytes
    actor: str
    now: Micros


class RevokeKey(Struct, frozen=True):
    """Outcome: Committed; TrackerNotFound; UsageFault if there is no such key or it is the last one."""

    tracker: TrackerId
    sealed_key: bytes
    actor: str
    now: Micros


class PublishArtifact(Struct, frozen=True):
    """
    Points the tracker to a built artifact (see recommend.artifact). Outcome: Committed; TrackerNotFound;
    ArtifactConflict if `expected` is given and does not hold what the tracker points to.
    """

    tracker: TrackerId
    artifact: str
    actor: str
    now: Micros
    expected: frozenset[str | None] | None = None


class PutModel(Struct, frozen=True):
    """
    Says what a model's name means for a tracker: a document that the store does not look into. Outcome: Committed with
    the `model`; RevisionConflict if `expected` is given and does not hold the revision of the present row (0: there is
    none); FaultyFields beyond MODELS_MAX. A document that is there already spends no revision.
    """

    tracker: TrackerId
    name: str
    document: bytes
    actor: str
    now: Micros
    expected: frozenset[int] | None = None


class RemoveModel(Struct, frozen=True):
    """Outcome: Committed; RecommenderNotFound if the tracker has no such row; RevisionConflict as above."""

    tracker: TrackerId
    name: str
    actor: str
    now: Micros
    expected: frozenset[int] | None = None


CustomizationWrite = (
    CreateCustomization | ReplaceCustomization | DeleteCustomization | RestoreCustomization
)
DraftWrite = SaveDraft | DiscardDraft | ScheduleDraft | HoldDraft | PublishDraft | Unpublish
ObjectWrite = PutObjects | MergeObjects | RemoveObjects
ModelWrite = PutModel | RemoveModel
CatalogWrite = CommitGeneration | ResetField
JobWrite = StartJob | TakeJob | StepJob
TrackerWrite = CreateTracker | AddKey | RevokeKey | PublishArtifact
Write = (
    CustomizationWrite
    | DraftWrite
    | ReviseCustomizations
    | ObjectWrite
    | ModelWrite
    | CatalogWrite
    | JobWrite
    | TrackerWrite
)
"""Any write to a tracker that does not exist (but CreateTracker) has the outcome TrackerNotFound."""


class ModelRow(Struct, frozen=True):
    """What a name means for a tracker, as it is kept. `revision` last wrote it."""

    name: str
    document: bytes
    updated_at: Micros
    revision: int


class Committed(Struct, frozen=True):
    revision: int
    record: Record | None = None
    model: ModelRow | None = None
    replayed: bool = False
    draft: Draft | None = None
    faults: Mapping[str, CatalogFault] = {}
    kept: int = 0
    removed: int = 0
    job: Job | None = None


Outcome = Committed | Problem


class TrackerRow(Struct, frozen=True):
    id: TrackerId
    name: str
    revision: int
    sealed_keys: tuple[bytes, ...]
    """Oldest first."""
    artifact: str | None
    created_at: Micros


class Page(Struct, frozen=True):
    total: int
    records: Sequence[Record]


class Summary(Struct, frozen=True):
    counts: Mapping[str, int]
    """Model → customizations, models without any left out, ordered by model."""
    tags: Sequence[str]
    """Distinct, sorted."""


class Load(Protocol):
    """A tracker's whole state at one revision; its iterators are valid inside the `with` only."""

    @property
    def tracker(self) -> TrackerRow: ...
    @property
    def customization_count(self) -> int: ...
    @property
    def object_count(self) -> int: ...
    def records(self) -> Iterator[Record]: ...
    def objects(self) -> Iterator[CatalogObject]: ...
    def models(self) -> Sequence[ModelRow]: ...


class Changes(Struct, frozen=True):
    """
    What changed after a revision, as the present state of what changed: `tracker` tells the revision it brings one
    to. None means that the customization, object or model is gone.
    """

    tracker: TrackerRow
    records: Mapping[CustomizationId, Record | None]
    objects: Mapping[ItemId, CatalogObject | None]
    models: Mapping[str, ModelRow | None] = {}


class ChangeRow(Struct, frozen=True):
    """
    One line of the audit log. Versions are kept for customizations and drafts (see `wire.versions`), documents for
    models, and neither for catalog objects (a feed has them).
    """

    revision: int
    kind: Literal[
        "customization", "draft", "object", "model", "tracker", "key", "artifact", "field"
    ]
    subject: str
    action: Literal["create", "replace", "delete"]
    actor: str
    at: Micros
    old: bytes | None
    new: bytes | None


class LogFilter(Struct, frozen=True):
    """Which lines of the log; an empty field selects everything. `since` is with, `until` without its instant."""

    kinds: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    subject: str | None = None
    since: Micros | None = None
    until: Micros | None = None


class Place(Struct, frozen=True):
    """Of a line in the log of a tracker."""

    revision: int
    ordinal: int


class Touched(Struct, frozen=True):
    """A customization that was changed after a revision: what it was at that, and what it is."""

    id: CustomizationId
    then: bytes | None
    """As the log keeps it; None: it was not there."""
    last: bytes | None
    """What it was before the last change."""
    record: Record | None


class Due(Struct, frozen=True):
    tracker: TrackerId
    draft: Draft


BuildResult = Literal["built", "unchanged", "superseded", "failed"]


class BuildRecord(Struct, frozen=True, omit_defaults=True):
    """What is known of a tracker's builds: the latest attempt, and the latest that succeeded."""

    began_at: Micros | None = None
    """Of the latest attempt, be it under way."""
    step: str | None = None
    """Of the one under way."""
    ended_at: Micros | None = None
    """Of the latest attempt that ended, as are the next two."""
    result: BuildResult | None = None
    reason: str | None = None
    failures: int = 0
    """Attempts since the latest that did not fail."""
    built_at: Micros | None = None
    """Of the latest that succeeded, as is all below."""
    built_seconds: float | None = None
    artifact: str | None = None
    inputs: str | None = None
    """A digest of what it learned from."""


class Build(Struct, frozen=True):
    """A record, and who builds. A holder whose time is over holds nothing."""

    tracker: TrackerId
    holder: str | None
    held_until: Micros
    is_paused: bool
    """Whether the schedule leaves this tracker alone."""
    record: BuildRecord

    def is_held_by_somebody(self, now: Micros) -> bool:
        return self.holder is not None and self.held_until > now


class Store(Protocol):
    inline: bool
    """Whether a point read takes microseconds, so that it may be made on an event loop."""

    def migrate(self) -> Sequence[str]:
        """Brings the schema up to date, under a lock; returns the names of the migrations applied."""

    def close(self) -> None: ...

    def commit(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """One outcome a write, in order. See the promises above."""

    def commit_together(self, writes: Sequence[Write]) -> Sequence[Committed]:
        """
        The same for writes that come all or none: if any is refused nothing happens, and RefusedTogether is raised with
        what was refused.
        """

    def trackers(self) -> Sequence[TrackerRow]:
        """All, ordered by id."""

    def tracker(self, tracker: TrackerId) -> TrackerRow | None: ...

    def revisions(self) -> Mapping[TrackerId, int]:
        """The revision of every tracker: what followers poll."""

    def version(self) -> int | None:
        """
        Changes with every commit of any process, at the latest when that commit returns: the same number read twice
        means that there was none in between, and that the first look came after all that it counts. None where the
        store cannot tell, or not now. Costs a look at memory.
        """

    def version_after(self, version: int | None) -> int | None:
        """What `version` is after the last commit of this Store, if that was the next one after `version`."""

    def wait(self, timeout_seconds: float) -> None:
        """Returns when something may have changed since the last call of this thread, at the latest after the
        timeout. A hint only."""

    def customization(self, tracker: TrackerId, id: CustomizationId) -> Record | None: ...

    def customizations(
        self, tracker: TrackerId, ids: Sequence[CustomizationId]
    ) -> Mapping[CustomizationId, Record]:
        """Those of the ids that are there."""

    def page(
        self,
        tracker: TrackerId,
        filter: Filter,
        *,
        sort: Sequence[Sort] = NEWEST_FIRST,
        limit: int,
        offset: int,
    ) -> Page:
        """One page; ties of the sort are broken by id ascending."""

    def records(
        self, tracker: TrackerId, filter: Filter, *, sort: Sequence[Sort] = OLDEST_FIRST
    ) -> Iterator[Record]:
        """Every match, streamed from one state; ties by id ascending."""

    def summary(self, tracker: TrackerId) -> Summary: ...

    def models(self, tracker: TrackerId) -> Sequence[ModelRow]:
        """A tracker's own table of models, ordered by name."""

    def objects_after(
        self,
        tracker: TrackerId,
        after: ItemId | None = None,
        *,
        types: Sequence[str] = (),
        limit: int,
    ) -> Sequence[CatalogObject]:
        """
        The next objects behind an identity (None: the first), of some types if there are any given; fewer than `limit`
        at the end alone. The order is the store's own, and an identity's place in it never changes: who goes on behind
        the last one met until nothing comes meets every object that stays meanwhile exactly once, whoever writes.
        """

    def count_objects(self, tracker: TrackerId, *, types: Sequence[str] = ()) -> int: ...

    def objects_named(
        self, tracker: TrackerId, identities: Sequence[ItemId]
    ) -> Mapping[ItemId, CatalogObject]:
        """Those that are there."""

    def fields(self, tracker: TrackerId) -> Sequence[Field]:
        """The fields of a tracker's catalog that have a kind, ordered by name."""

    def job(self, tracker: TrackerId, id: int) -> Job | None: ...

    def open_jobs(self) -> Sequence[tuple[TrackerId, Job]]:
        """The oldest job in progress of every tracker that has one: the next of a tracker waits for it."""

    def count_open_jobs(self, tracker: TrackerId) -> int: ...

    def load(self, tracker: TrackerId) -> AbstractContextManager[Load]:
        """Raises TrackerNotFound."""

    def changes(self, tracker: TrackerId, *, since: int) -> Changes:
        """Raises TrackerNotFound."""

    def behind(self, tracker: TrackerId, *, since: int, at_most: int) -> int:
        """How many lines the log has after a revision, counted up to a bound: about what `changes` would cost."""

    def history(self, tracker: TrackerId, *, subject: str | None = None) -> Iterator[ChangeRow]:
        """The change log, oldest first."""

    def log(self, tracker: TrackerId, *, after: int, through: int) -> Iterator[ChangeRow]:
        """The change log from one revision, without, to another, with; oldest first."""

    def lines(
        self,
        tracker: TrackerId,
        filter: LogFilter,
        *,
        before: Place | None = None,
        limit: int,
    ) -> Sequence[tuple[Place, ChangeRow]]:
        """Lines of the log before a place (None: from the end), the newest first."""

    def revision_at(self, tracker: TrackerId, at: Micros) -> int:
        """
        The last revision that was made by an instant; 0: none. Found by halving the log, whose instants rise with its
        revisions but for what clocks and long writes put out of order; among such neighbours it may be any.
        """

    def touched(self, tracker: TrackerId, *, since: int) -> Iterator[Touched]:
        """Every customization that was changed after a revision. Walks the log after it and no more."""

    def draft(self, tracker: TrackerId, id: CustomizationId) -> Draft | None: ...

    def drafts(self, tracker: TrackerId, *, limit: int, offset: int = 0) -> Sequence[Draft]:
        """Those to be published first, in the order in which they will be, then the last saved first."""

    def count_drafts(self, tracker: TrackerId) -> int: ...

    def drafts_named(
        self, tracker: TrackerId, ids: Sequence[CustomizationId]
    ) -> Mapping[CustomizationId, Draft]:
        """Those of the ids that have one."""

    def due(self, now: Micros, *, limit: int) -> Sequence[Due]:
        """Drafts of all trackers that are to be published by now, the earliest first."""

    def claim_build(
        self, tracker: TrackerId, holder: str, *, now: Micros, until: Micros
    ) -> Build | None:
        """
        Takes a tracker's build for one holder, or for longer if it has it: what is known of the builds so far. None if
        another one has it. One holder at a time, whoever asks and from wherever, as far as clocks agree.
        """

    def keep_build(
        self, tracker: TrackerId, holder: str, record: BuildRecord, *, until: Micros | None
    ) -> bool:
        """Says how the holder's build goes; until None lets go of it. False if it is not the holder's any more."""

    def pause_build(self, tracker: TrackerId, *, paused: bool) -> None:
        """Has the schedule leave a tracker alone, or no longer; whoever builds meanwhile goes on."""

    def builds(self) -> Mapping[TrackerId, Build]:
        """All that was ever claimed or paused, by tracker."""
