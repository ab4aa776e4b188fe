"""
What may be done to a store: one command a write, each with what its outcome may be.

Every write says to which tracker, by whom and when; it takes effect in a commit, whose promises `port` tells.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from endcap.domain import (
    CatalogObject,
    CustomizationId,
    Definition,
    Draft,
    Field,
    FieldKind,
    ItemId,
    Merge,
    Micros,
    Record,
    TrackerId,
)
from endcap.errors import CatalogFault, Problem
from endcap.store.states import Job, JobStatus, ModelRow

IDEMPOTENCY_HOURS = 24
MODELS_MAX = 200  # of a tracker: widgets have names, shoppers do not; each is looked up on its own


# Customizations


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


# Drafts


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


# Many customizations and drafts at once


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


# The catalog


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


# Jobs


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


# Trackers


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


# Models


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


# All of them, and what they come to

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
