"""
What becomes of drafts, and of many customizations changed as one: the part of `decide` that knows them.

A draft never touches what is published until it is published, and then both change in one write: nobody sees the one
without the other, and a draft that two processes publish is gone for the second.
"""

from collections.abc import Callable
from typing import Literal, assert_never

from msgspec import Struct
from msgspec.structs import replace

from endcap.domain import CustomizationId, Draft, Record
from endcap.errors import (
    CustomizationNotFound,
    DraftConflict,
    DraftNotFound,
    PublishConflict,
    RevisionConflict,
)
from endcap.store.journal import Journal
from endcap.store.ledger import Overlay
from endcap.store.records import record_of
from endcap.store.states import ChangeAction
from endcap.store.transaction import RecordKey
from endcap.store.writes import (
    Committed,
    DiscardDraft,
    DraftWrite,
    HoldDraft,
    Outcome,
    PublishDraft,
    ReviseCustomizations,
    SaveDraft,
    ScheduleDraft,
    Unpublish,
)
from endcap.wire.versions import farewell, spell_draft, version_from, version_of


class Desk(Struct, frozen=True):
    """What one write works on. `spend` gives its revision."""

    records: Overlay[RecordKey, Record]
    drafts: Overlay[RecordKey, Draft]
    spend: Callable[[], int]
    log: Journal

    def note(
        self,
        write: DraftWrite | ReviseCustomizations,
        revision: int,
        kind: Literal["customization", "draft"],
        id: CustomizationId,
        old: bytes | None,
        new: bytes | None,
    ) -> None:
        action: ChangeAction = "replace"
        if old is None or new is None:
            action = "create" if old is None else "delete"
        self.log(write, revision, kind, id, action, old=old, new=new)

    def put_draft(self, write: DraftWrite | ReviseCustomizations, draft: Draft) -> None:
        key = (write.tracker, draft.id)
        before = self.drafts.get(key)
        old = None if before is None else spell_draft(before)
        self.drafts.put(key, draft)
        self.note(write, draft.revision, "draft", draft.id, old, spell_draft(draft))

    def drop_draft(
        self, write: DraftWrite | ReviseCustomizations, draft: Draft, revision: int
    ) -> None:
        self.drafts.drop((write.tracker, draft.id))
        self.note(write, revision, "draft", draft.id, spell_draft(draft), None)


def take(write: DraftWrite | ReviseCustomizations, desk: Desk, *, current: int) -> Outcome:
    """`current` is the tracker's revision, for what changes nothing."""
    match write:
        case SaveDraft():
            return _save(write, desk)
        case DiscardDraft() | ScheduleDraft() | HoldDraft():
            return _change(write, desk)
        case PublishDraft():
            return _publish(write, desk)
        case Unpublish():
            return _unpublish(write, desk)
        case ReviseCustomizations():
            return _revise(write, desk, current)
        case _:
            assert_never(write)


def _save(write: SaveDraft, desk: Desk) -> Outcome:
    before = desk.drafts.get((write.tracker, write.id))
    found = 0 if before is None else before.revision
    if write.expected is not None and found not in write.expected:
        return DraftConflict()
    revision = desk.spend()
    definition, published = write.definition, desk.records.get((write.tracker, write.id))
    if definition.disabled is None and published is not None:
        definition = replace(definition, disabled=published.disabled)
    draft = Draft(
        write.id,
        version_from(definition),
        write.base,
        write.actor,
        write.now,
        revision,
        write.actor if before is None else before.creator,
        write.now if before is None else before.created_at,
    )
    desk.put_draft(write, draft)
    return Committed(revision, draft=draft)


def _change(write: DiscardDraft | ScheduleDraft | HoldDraft, desk: Desk) -> Outcome:
    before = desk.drafts.get((write.tracker, write.id))
    if before is None:
        return DraftNotFound()
    if write.expected is not None and before.revision not in write.expected:
        return DraftConflict()
    revision = desk.spend()
    match write:
        case DiscardDraft():
            desk.drop_draft(write, before, revision)
            return Committed(revision)
        case ScheduleDraft(publish_at=at):
            publisher = None if at is None else write.actor
            draft = replace(
                before, publish_at=at, publisher=publisher, held=None, revision=revision
            )
        case HoldDraft():
            draft = replace(before, publish_at=None, held=write.reason, revision=revision)
    desk.put_draft(write, draft)
    return Committed(revision, draft=draft)


def _publish(write: PublishDraft, desk: Desk) -> Outcome:
    key = (write.tracker, write.id)
    draft, before = desk.drafts.get(key), desk.records.get(key)
    if draft is None:
        return DraftNotFound()
    if draft.revision != write.draft:
        return DraftConflict()
    found = 0 if before is None else before.revision
    allowed = frozenset({draft.base or 0}) if write.over is None else write.over
    if found not in allowed:
        return PublishConflict()
    revision = desk.spend()
    record = record_of(
        write.id,
        write.definition,
        revision,
        creator=draft.creator if before is None else before.creator,
        created_at=draft.created_at if before is None else before.created_at,
        updated_at=write.now,
    )
    desk.records.put(key, record)
    old = None if before is None else version_of(before)
    desk.note(write, revision, "customization", write.id, old, version_of(record))
    desk.drop_draft(write, draft, revision)
    return Committed(revision, record)


def _unpublish(write: Unpublish, desk: Desk) -> Outcome:
    key = (write.tracker, write.id)
    before = desk.records.get(key)
    if before is None:
        return CustomizationNotFound()
    if write.expected is not None and before.revision not in write.expected:
        return RevisionConflict()
    revision = desk.spend()
    desk.records.drop(key)
    desk.note(write, revision, "customization", write.id, farewell(before), None)
    known = desk.drafts.get(key)
    if known is None:
        document, author, at = version_of(before), write.actor, write.now
    else:
        document, author, at = known.document, known.author, known.updated_at
    draft = Draft(write.id, document, None, author, at, revision, before.creator, before.created_at)
    desk.put_draft(write, draft)
    return Committed(revision, draft=draft)


def overtaken(
    write: ReviseCustomizations,
    records: Overlay[RecordKey, Record],
    drafts: Overlay[RecordKey, Draft],
) -> int:
    """How many of what a write names are not what it expects."""

    def is_other(row: Record | Draft | None, expected: int) -> bool:
        return (0 if row is None else row.revision) != expected

    tracker = write.tracker
    return sum(
        is_other(records.get((tracker, each.id)), each.expected) for each in write.revised
    ) + sum(is_other(drafts.get((tracker, each.id)), each.expected) for each in write.drafts)


def conflict(count: int) -> RevisionConflict:
    many = "1 customization was" if count == 1 else f"{count:,} customizations were"
    return RevisionConflict(f"{many} changed by someone else meanwhile; nothing was done")


def _revise(write: ReviseCustomizations, desk: Desk, current: int) -> Outcome:
    """All of it or, of one larger than a batch, a slice of what was found to be as expected."""
    count = overtaken(write, desk.records, desk.drafts)
    if count:
        return conflict(count)
    revision = current
    for each in write.revised:
        key = (write.tracker, each.id)
        before = desk.records.get(key)
        if before is None and each.version is None:
            continue
        revision = desk.spend()
        if each.version is None:
            assert before is not None
            desk.records.drop(key)
            desk.note(write, revision, "customization", each.id, farewell(before), None)
            continue
        record = record_of(
            each.id,
            each.version.definition,
            revision,
            creator=each.version.creator,
            created_at=each.version.created_at,
            updated_at=write.now,
        )
        desk.records.put(key, record)
        old = None if before is None else version_of(before)
        desk.note(write, revision, "customization", each.id, old, version_of(record))
    for wanted in write.drafts:
        known = desk.drafts.get((write.tracker, wanted.id))
        if wanted.draft is not None:
            revision = desk.spend()
            base = wanted.draft.base
            if wanted.is_rebased:
                found = desk.records.get((write.tracker, wanted.id))
                base = None if found is None else found.revision
            draft = replace(wanted.draft, id=wanted.id, base=base, revision=revision)
            if draft.publish_at is not None and draft.publish_at <= write.now:
                draft = replace(draft, publish_at=None, publisher=None)
            desk.put_draft(write, draft)
        elif known is not None:
            revision = desk.spend()
            desk.drop_draft(write, known, revision)
    return Committed(revision)
