"""
Drafts: what customizations may become, saved by editors, published by publishers, now or at a time.

Two revisions keep editors from undoing each other's work. A draft is saved over the draft that its editor has seen (0:
none), and published over the customization that it was made from. Where either is another one by now nothing happens;
`compared` then gives the three versions to choose from: yours, theirs, and what both began with.
"""

import asyncio
from typing import Literal

from msgspec import Struct

from endcap.clock import NewId, random_id
from endcap.committer import Committer
from endcap.domain import CustomizationId, Definition, Draft, Micros, Record, TrackerId
from endcap.errors import DraftNotFound, FaultyFields, Problem
from endcap.store.port import LogFilter, Place, Store
from endcap.store.writes import (
    Committed,
    DiscardDraft,
    HoldDraft,
    PublishDraft,
    SaveDraft,
    ScheduleDraft,
    Unpublish,
)
from endcap.wire.versions import read_draft, read_version, version_of

AHEAD_DAYS_MAX = 3_650
_DAY_MICROS = 86_400 * 1_000_000


class Standing(Struct, frozen=True):
    """What there is of a customization: published, drafted, or both."""

    record: Record | None
    draft: Draft | None

    @property
    def published(self) -> int:
        """The revision of what is published; 0: nothing."""
        return 0 if self.record is None else self.record.revision

    @property
    def drafted(self) -> int:
        """The revision of the draft; 0: none."""
        return 0 if self.draft is None else self.draft.revision

    @property
    def is_moved(self) -> bool:
        """Whether what is published is not what the draft was made from."""
        return self.draft is not None and (self.draft.base or 0) != self.published


class Compared(Struct, frozen=True):
    """
    Versions as the log keeps them. `common` is what both began with, if that is known; `theirs` is what somebody made
    of it, None where they deleted it; `who` and `when` are theirs.
    """

    common: bytes | None
    theirs: bytes | None
    who: str
    when: Micros | None
    of: Literal["draft", "published"]
    standing: Standing


class Drafts:
    """One a process."""

    def __init__(self, store: Store, committer: Committer, *, new_id: NewId = random_id) -> None:
        self.store = store
        self._committer = committer
        self.new_id = new_id

    def standing(self, tracker: TrackerId, id: CustomizationId) -> Standing:
        """Reads the store. Blocks."""
        return Standing(self.store.customization(tracker, id), self.store.draft(tracker, id))

    def draft(self, tracker: TrackerId, id: CustomizationId) -> Draft:
        """Blocks. Raises DraftNotFound."""
        draft = self.store.draft(tracker, id)
        if draft is None:
            raise DraftNotFound
        return draft

    async def save(
        self,
        tracker: TrackerId,
        id: CustomizationId | None,
        definition: Definition,
        *,
        base: int | None,
        actor: str,
        now: Micros,
        expected: int | None = None,
    ) -> Draft:
        """
        Keeps a draft; without an id it is one of a new customization. `base` is the revision of what is published that
        its editor began with (None: nothing is), `expected` that of the draft that they have seen (0: none; None: do
        not ask). When it was to be published is forgotten: the publisher has not seen this. Raises DraftConflict.
        """
        write = SaveDraft(
            tracker, id or self.new_id(), definition, base or None, actor, now, _only(expected)
        )
        return _drafted(await self._committer.commit(write))

    async def discard(
        self,
        tracker: TrackerId,
        id: CustomizationId,
        *,
        actor: str,
        now: Micros,
        expected: int | None = None,
    ) -> int:
        """The revision at which it was gone. Raises DraftNotFound, DraftConflict."""
        write = DiscardDraft(tracker, id, actor, now, _only(expected))
        return (await self._committer.commit(write)).revision

    async def publish(
        self,
        tracker: TrackerId,
        id: CustomizationId,
        *,
        actor: str,
        now: Micros,
        expected: int | None = None,
        over: int | None = None,
    ) -> Record:
        """
        Makes the draft what is spoken, at once. `over` is the revision of what is published that the publisher has seen
        and lets go (0: nothing is); None: it has to be what the draft was made from. Raises DraftNotFound,
        DraftConflict, PublishConflict, FaultyFields for a draft that is not understood any more.
        """
        write = await asyncio.to_thread(
            self.publishing, tracker, id, actor=actor, now=now, expected=expected, over=over
        )
        committed = await self._committer.commit(write)
        assert committed.record is not None
        return committed.record

    def publishing(
        self,
        tracker: TrackerId,
        id: CustomizationId,
        *,
        actor: str,
        now: Micros,
        expected: int | None = None,
        over: int | None = None,
    ) -> PublishDraft:
        """The write that does it."""
        draft = self.draft(tracker, id)
        return PublishDraft(
            tracker,
            id,
            read_version(draft.document),
            draft.revision if expected is None else expected,
            actor,
            now,
            _only(over),
        )

    async def schedule(
        self,
        tracker: TrackerId,
        id: CustomizationId,
        at: Micros | None,
        *,
        actor: str,
        now: Micros,
        expected: int | None = None,
    ) -> Draft:
        """
        Has the draft published by itself at a time; None: not any more. Raises DraftNotFound, DraftConflict,
        FaultyFields for a time that is past, or years away.
        """
        self.check_time(at, now=now)
        write = ScheduleDraft(tracker, id, at, actor, now, _only(expected))
        return _drafted(await self._committer.commit(write))

    def check_time(self, at: Micros | None, *, now: Micros) -> None:
        """Raises FaultyFields."""
        if at is not None and not now < at <= now + AHEAD_DAYS_MAX * _DAY_MICROS:
            told = (
                f"Must lie ahead, by {AHEAD_DAYS_MAX:,} days at most; to publish now, name no time"
            )
            raise FaultyFields("It cannot be published at this time", {"at": [told]})

    async def unpublish(
        self,
        tracker: TrackerId,
        id: CustomizationId,
        *,
        actor: str,
        now: Micros,
        expected: frozenset[int] | None = None,
    ) -> Draft:
        """It speaks no more, and is kept as a draft. Raises CustomizationNotFound, RevisionConflict."""
        write = Unpublish(tracker, id, actor, now, expected)
        return _drafted(await self._committer.commit(write))

    def compared(
        self, tracker: TrackerId, id: CustomizationId, *, base: int, draft: int
    ) -> Compared | None:
        """
        What somebody did meanwhile to one whose editor began with these revisions of what is published and of its draft
        (0: none). None if nobody did. Their draft comes first: it is the newer. Blocks.
        """
        standing = self.standing(tracker, id)
        if standing.drafted != draft and standing.draft is not None:
            common = self._drafted_at(tracker, id, draft) or self._published_at(tracker, id, base)
            theirs = standing.draft
            return Compared(
                common, theirs.document, theirs.author, theirs.updated_at, "draft", standing
            )
        if standing.published != base:
            common = self._published_at(tracker, id, base)
            if standing.record is not None:
                last = self._last(tracker, id)
                return Compared(common, version_of(standing.record), *last, "published", standing)
            return Compared(common, None, *self._last(tracker, id), "published", standing)
        return None

    def _last(self, tracker: TrackerId, id: CustomizationId) -> tuple[str, Micros | None]:
        filter_ = LogFilter(kinds=("customization",), subject=id)
        found = self.store.lines(tracker, filter_, limit=1)
        return (found[0][1].actor, found[0][1].at) if found else ("", None)

    def _published_at(self, tracker: TrackerId, id: CustomizationId, revision: int) -> bytes | None:
        return self._logged(tracker, id, "customization", revision)

    def _drafted_at(self, tracker: TrackerId, id: CustomizationId, revision: int) -> bytes | None:
        logged = self._logged(tracker, id, "draft", revision)
        try:
            return None if logged is None else read_draft(id, logged).document
        except Problem:
            return None

    def _logged(
        self, tracker: TrackerId, id: CustomizationId, kind: str, revision: int
    ) -> bytes | None:
        if revision == 0:
            return None
        filter_ = LogFilter(kinds=(kind,), subject=id)
        found = self.store.lines(tracker, filter_, before=Place(revision + 1, 0), limit=1)
        return found[0][1].new if found and found[0][1].revision == revision else None


def holding(tracker: TrackerId, draft: Draft, reason: str, *, now: Micros) -> HoldDraft:
    """The write that says why a draft was not published when it was to be."""
    actor = draft.publisher or draft.author
    return HoldDraft(tracker, draft.id, reason, actor, now, frozenset({draft.revision}))


def _only(revision: int | None) -> frozenset[int] | None:
    return None if revision is None else frozenset({revision})


def _drafted(committed: Committed) -> Draft:
    assert committed.draft is not None
    return committed.draft
