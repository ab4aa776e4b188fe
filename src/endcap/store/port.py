"""
What the application asks of a database, and what it is promised. `writes` are what may be done, `states` what is kept.

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
from typing import Protocol

from msgspec import Struct

from endcap.domain import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    CatalogObject,
    CustomizationId,
    Draft,
    Field,
    Filter,
    ItemId,
    Micros,
    Record,
    Sort,
    TrackerId,
)
from endcap.store.states import Build, BuildRecord, ChangeRow, Job, ModelRow, TrackerRow
from endcap.store.writes import Committed, Outcome, Write


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
