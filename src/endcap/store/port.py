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
    Keeps id, created_at and creator. Outcome: Committed with the new record; CustomizationNotFound;
    RevisionConflict if `expected` is given and does not hold the record's revision.
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


class PutObjects(Struct, frozen=True):
    """Replaces each object whole, or adds it. Of two with one identity the later wins. Outcome: Committed."""

    tracker: TrackerId
    objects: Sequence[CatalogObject]
    actor: str
    now: Micros


class MergeObjects(Struct, frozen=True):
    """
    Reads, merges and writes each object inside the transaction. Outcome: Committed, with the refused in `faults`;
    if all were refused no revision is spent and `revision` is the current one.
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
    """Points the tracker to a built artifact (see recommend.artifact). Outcome: Committed; TrackerNotFound."""

    tracker: TrackerId
    artifact: str
    actor: str
    now: Micros


CustomizationWrite = CreateCustomization | ReplaceCustomization | DeleteCustomization
ObjectWrite = PutObjects | MergeObjects | RemoveObjects
TrackerWrite = CreateTracker | AddKey | RevokeKey | PublishArtifact
Write = CustomizationWrite | ObjectWrite | TrackerWrite
"""Any write to a tracker that does not exist (but CreateTracker) has the outcome TrackerNotFound."""


class Committed(Struct, frozen=True):
    revision: int
    record: Record | None = None
    replayed: bool = False
    faults: Mapping[str, CatalogFault] = {}


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


class Changes(Struct, frozen=True):
    """
    What changed after a revision, as the present state of what changed: `tracker` tells the revision it brings one
    to. None means that the customization or object is gone.
    """

    tracker: TrackerRow
    records: Mapping[CustomizationId, Record | None]
    objects: Mapping[ItemId, CatalogObject | None]


class ChangeRow(Struct, frozen=True):
    """One line of the audit log. Documents are kept for customizations, not for catalog objects (a feed has them)."""

    revision: int
    kind: Literal["customization", "object", "tracker", "key", "artifact"]
    subject: str
    action: Literal["create", "replace", "delete"]
    actor: str
    at: Micros
    old: bytes | None
    new: bytes | None


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

    def load(self, tracker: TrackerId) -> AbstractContextManager[Load]:
        """Raises TrackerNotFound."""

    def changes(self, tracker: TrackerId, *, since: int) -> Changes:
        """Raises TrackerNotFound."""

    def behind(self, tracker: TrackerId, *, since: int, at_most: int) -> int:
        """How many lines the log has after a revision, counted up to a bound: about what `changes` would cost."""

    def history(self, tracker: TrackerId, *, subject: str | None = None) -> Iterator[ChangeRow]:
        """The change log, oldest first."""
