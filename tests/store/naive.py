"""
The store's contract in the plainest Python there is: the oracle of random histories.

It shares no code with the adapters' decision and takes every write by itself, straight from the port's text.
"""

import json
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from endcap.domain import (
    CatalogObject,
    CustomizationId,
    Draft,
    Field,
    ItemId,
    Merge,
    Record,
    TrackerId,
)
from endcap.errors import (
    ArtifactConflict,
    CatalogFault,
    CatalogFaults,
    CustomizationNotFound,
    DraftConflict,
    DraftNotFound,
    IdempotencyConflict,
    PublishConflict,
    RevisionConflict,
    TrackerNotFound,
    UsageFault,
)
from endcap.store.states import ChangeRow, TrackerRow
from endcap.store.writes import (
    AddKey,
    CommitGeneration,
    Committed,
    CreateCustomization,
    CreateTracker,
    DeleteCustomization,
    DiscardDraft,
    HoldDraft,
    MergeObjects,
    Outcome,
    PublishArtifact,
    PublishDraft,
    PutObjects,
    RemoveObjects,
    ReplaceCustomization,
    ResetField,
    RestoreCustomization,
    ReviseCustomizations,
    RevokeKey,
    SaveDraft,
    ScheduleDraft,
    StartJob,
    TakeJob,
    Unpublish,
    Write,
)
from endcap.wire.catalog import settled

DAY = 24 * 60 * 60 * 1_000_000


Wish = Callable[[CatalogObject | None], CatalogObject | CatalogFault | None]
"""From an object as it is to what it shall be."""


def told(each: CatalogObject) -> tuple[str, str | None, bytes]:
    """What a store keeps of an object."""
    return each.type, each.generation, each.document


class NaiveStore:
    """A dict a kind."""

    def __init__(self) -> None:
        self.trackers: dict[TrackerId, TrackerRow] = {}
        self.records: dict[tuple[TrackerId, CustomizationId], Record] = {}
        self.objects: dict[tuple[TrackerId, ItemId], CatalogObject] = {}
        self.keys: dict[tuple[TrackerId, str], tuple[int, str, Record]] = {}
        self.drafts: dict[tuple[TrackerId, CustomizationId], Draft] = {}
        self.history: dict[TrackerId, list[ChangeRow]] = {}
        self.fields: dict[tuple[TrackerId, str], Field] = {}

    def take(self, write: Write) -> Outcome:
        """One write."""
        if isinstance(write, CreateTracker):
            if write.tracker in self.trackers:
                return UsageFault()
            self.trackers[write.tracker] = TrackerRow(
                write.tracker, write.name, 0, (write.sealed_key,), None, write.now
            )
            self.history[write.tracker] = []
            return self.log(write, "tracker", [(write.tracker, "create", None, None)])
        if write.tracker not in self.trackers:
            return TrackerNotFound()
        match write:
            case CreateCustomization():
                return self.create(write)
            case ReplaceCustomization() | DeleteCustomization():
                return self.change(write)
            case RestoreCustomization():
                return self.restore(write)
            case SaveDraft():
                return self.save(write)
            case DiscardDraft() | ScheduleDraft() | HoldDraft():
                return self.change_draft(write)
            case PublishDraft():
                return self.publish(write)
            case Unpublish():
                return self.unpublish(write)
            case ReviseCustomizations():
                return self.revise(write)
            case PutObjects():
                last = {each.identity: each for each in write.objects}
                return self.store(write, [(key, self.putting(each)) for key, each in last.items()])
            case MergeObjects():
                return self.store(
                    write, [(key, self.merging(each)) for key, each in write.merges.items()]
                )
            case RemoveObjects():
                return self.store(
                    write, [(key, self.removing(t)) for key, t in write.objects.items()]
                )
            case CommitGeneration():
                return self.sweep(write)
            case ResetField():
                return self.reset(write)
            case _:
                return self.change_tracker(write)

    def create(self, write: CreateCustomization) -> Outcome:
        if write.idempotency is not None:
            known = self.keys.get((write.tracker, write.idempotency.key))
            if known is not None and write.now - known[0] < DAY:
                if known[1] != write.idempotency.fingerprint:
                    return IdempotencyConflict()
                return Committed(known[2].revision, known[2], replayed=True)
        if (write.tracker, write.id) in self.records:
            return UsageFault()
        made = write.now if write.created_at is None else write.created_at
        record = self.record(write, write.creator, made)
        if write.idempotency is not None:
            self.keys[write.tracker, write.idempotency.key] = (
                write.now,
                write.idempotency.fingerprint,
                record,
            )
        self.records[write.tracker, write.id] = record
        outcome = self.log(write, "customization", [(write.id, "create", None, whole(record))])
        return Committed(outcome.revision, record)

    def restore(self, write: RestoreCustomization) -> Outcome:
        if (write.tracker, write.id) in self.records:
            return UsageFault()
        record = self.record(write, write.creator, write.created_at)
        self.records[write.tracker, write.id] = record
        outcome = self.log(write, "customization", [(write.id, "create", None, whole(record))])
        return Committed(outcome.revision, record)

    def next(self, write: Write) -> int:
        return self.trackers[write.tracker].revision + 1

    def save(self, write: SaveDraft) -> Outcome:
        before = self.drafts.get((write.tracker, write.id))
        if write.expected is not None and (before.revision if before else 0) not in write.expected:
            return DraftConflict()
        wanted, published = write.definition, self.records.get((write.tracker, write.id))
        disabled = wanted.disabled
        if disabled is None:
            disabled = published.disabled if published else False
        draft = Draft(
            write.id,
            spelled_whole(wanted.document, wanted.metadata, disabled=disabled),
            write.base,
            write.actor,
            write.now,
            self.next(write),
            before.creator if before else write.actor,
            before.created_at if before else write.now,
        )
        return self.keep_draft(write, draft)

    def keep_draft(self, write: Write, draft: Draft, *lines: tuple) -> Outcome:  # type: ignore[type-arg]
        """After other lines of the same write."""
        line = self.draft_line(write, draft.id, draft)
        outcome = self.log_all(write, [*lines, line])
        return Committed(outcome.revision, draft=draft)

    def draft_line(self, write: Write, id: CustomizationId, draft: Draft | None) -> tuple:  # type: ignore[type-arg]
        before = self.drafts.pop((write.tracker, id), None)
        if draft is not None:
            self.drafts[write.tracker, id] = draft
        action = "delete" if draft is None else "replace" if before else "create"
        old, new = (None if each is None else draft_text(each) for each in (before, draft))
        return ("draft", id, action, old, new)

    def change_draft(self, write: DiscardDraft | ScheduleDraft | HoldDraft) -> Outcome:
        before = self.drafts.get((write.tracker, write.id))
        if before is None:
            return DraftNotFound()
        if write.expected is not None and before.revision not in write.expected:
            return DraftConflict()
        if isinstance(write, DiscardDraft):
            return self.log_all(write, [self.draft_line(write, write.id, None)])
        changed: dict[str, object] = {"revision": self.next(write)}
        if isinstance(write, HoldDraft):
            changed |= {"publish_at": None, "held": write.reason}
        else:
            who = write.actor if write.publish_at is not None else None
            changed |= {"publish_at": write.publish_at, "publisher": who, "held": None}
        return self.keep_draft(write, replace(before, **changed))

    def publish(self, write: PublishDraft) -> Outcome:
        key = (write.tracker, write.id)
        draft, before = self.drafts.get(key), self.records.get(key)
        if draft is None:
            return DraftNotFound()
        if draft.revision != write.draft:
            return DraftConflict()
        allowed = {draft.base or 0} if write.over is None else write.over
        if (before.revision if before else 0) not in allowed:
            return PublishConflict()
        origin = before or draft
        record = self.record(write, origin.creator, origin.created_at)
        self.records[key] = record
        first = (
            "customization",
            write.id,
            "replace" if before else "create",
            whole(before) if before else None,
            whole(record),
        )
        outcome = self.log_all(write, [first, self.draft_line(write, write.id, None)])
        return Committed(outcome.revision, record)

    def unpublish(self, write: Unpublish) -> Outcome:
        key = (write.tracker, write.id)
        before, known = self.records.get(key), self.drafts.get(key)
        if before is None:
            return CustomizationNotFound()
        if write.expected is not None and before.revision not in write.expected:
            return RevisionConflict()
        del self.records[key]
        draft = Draft(
            write.id,
            known.document if known else whole(before),
            None,
            known.author if known else write.actor,
            known.updated_at if known else write.now,
            self.next(write),
            before.creator,
            before.created_at,
        )
        return self.keep_draft(
            write, draft, ("customization", write.id, "delete", farewell(before), None)
        )

    def revise(self, write: ReviseCustomizations) -> Outcome:
        for key, expected in [
            *((self.records.get((write.tracker, e.id)), e.expected) for e in write.revised),
            *((self.drafts.get((write.tracker, e.id)), e.expected) for e in write.drafts),
        ]:
            if (key.revision if key else 0) != expected:
                return RevisionConflict()
        lines: list[tuple] = []  # type: ignore[type-arg]
        for each in write.revised:
            before = self.records.pop((write.tracker, each.id), None)
            if each.version is not None:
                wanted = each.version.definition
                record = Record(
                    each.id,
                    wanted.model,
                    wanted.target_type,
                    wanted.target_identity,
                    wanted.tags,
                    wanted.document,
                    wanted.metadata,
                    each.version.creator,
                    each.version.created_at,
                    write.now,
                    self.next(write),
                    bool(wanted.disabled),
                )
                self.records[write.tracker, each.id] = record
                action = "replace" if before else "create"
                old = whole(before) if before else None
                lines.append(("customization", each.id, action, old, whole(record)))
            elif before is not None:
                lines.append(("customization", each.id, "delete", farewell(before), None))
        for one in write.drafts:
            if one.draft is not None:
                base = one.draft.base
                if one.is_rebased:
                    known = self.records.get((write.tracker, one.id))
                    base = known.revision if known else None
                draft = replace(one.draft, id=one.id, base=base, revision=self.next(write))
                if draft.publish_at and draft.publish_at <= write.now:
                    draft = replace(draft, publish_at=None, publisher=None)
                lines.append(self.draft_line(write, one.id, draft))
            elif (write.tracker, one.id) in self.drafts:
                lines.append(self.draft_line(write, one.id, None))
        if not lines:
            return Committed(self.trackers[write.tracker].revision)
        return self.log_all(write, lines)

    def change(self, write: ReplaceCustomization | DeleteCustomization) -> Outcome:
        before = self.records.get((write.tracker, write.id))
        if before is None:
            return CustomizationNotFound()
        if write.expected is not None and before.revision not in write.expected:
            return RevisionConflict()
        if isinstance(write, DeleteCustomization):
            del self.records[write.tracker, write.id]
            return self.log(write, "customization", [(write.id, "delete", farewell(before), None)])
        record = self.record(write, before.creator, before.created_at, before.disabled)
        self.records[write.tracker, write.id] = record
        outcome = self.log(
            write, "customization", [(write.id, "replace", whole(before), whole(record))]
        )
        return Committed(outcome.revision, record)

    def record(
        self,
        write: CreateCustomization | ReplaceCustomization | RestoreCustomization | PublishDraft,
        creator: str,
        created_at: int,
        disabled: bool = False,
    ) -> Record:
        wanted = write.definition
        return Record(
            id=write.id,
            model=wanted.model,
            target_type=wanted.target_type,
            target_identity=wanted.target_identity,
            tags=wanted.tags,
            document=wanted.document,
            metadata=wanted.metadata,
            creator=creator,
            created_at=created_at,  # type: ignore[arg-type]
            updated_at=write.now,
            revision=self.trackers[write.tracker].revision + 1,
            disabled=disabled if wanted.disabled is None else wanted.disabled,
        )

    def putting(self, each: CatalogObject) -> Wish:
        return lambda before: each

    def merging(self, merge: Merge) -> Wish:
        def wish(before: CatalogObject | None) -> CatalogObject | CatalogFault | None:
            merged = merge(before.document if before else None)
            return before if merged is None else merged

        return wish

    def removing(self, type_: str) -> Wish:
        def wish(before: CatalogObject | None) -> CatalogFault | None:
            if before is not None and before.type == type_:
                return None
            return CatalogFault("not_found", "Identity not in catalog")

        return wish

    def store(
        self,
        write: PutObjects | MergeObjects | RemoveObjects,
        wishes: Sequence[tuple[ItemId, Wish]],
    ) -> Outcome:
        """One object after the other, each over what the ones before it left."""
        faults: dict[str, CatalogFault] = {}
        lines: list[tuple[str, str, None, None]] = []

        def put(identity: ItemId, after: CatalogObject | None) -> None:
            key = (write.tracker, identity)
            before = self.objects.get(key)
            if after is None:
                if before is not None:
                    del self.objects[key]
                    lines.append((identity, "delete", None, None))
            elif before is None or told(before) != told(after):
                lines.append((identity, "replace" if before else "create", None, None))
                self.objects[key] = after.kept

        for identity, wish in wishes:
            before = self.objects.get((write.tracker, identity))
            after = wish(before)
            if isinstance(after, CatalogObject) and (before is None or told(before) != told(after)):
                after = self.clash(write, after) or after
            if isinstance(after, CatalogFault):
                faults[identity] = after
                continue
            put(identity, after)
            for each in after.nested if after else ():
                known = self.objects.get((write.tracker, each.identity))
                if known is None:
                    put(each.identity, each)
                elif known.type == each.type:
                    put(each.identity, settled(each, known))
        revision = self.trackers[write.tracker].revision
        if lines:
            revision = self.log(write, "object", lines).revision
        return Committed(revision, faults=faults)

    def clash(self, write: Write, wanted: CatalogObject) -> CatalogFault | None:
        """The first value of a field says what the others must be; a date is a text, too."""
        for name, kind in wanted.shape:
            known = self.fields.get((write.tracker, name))
            if known and known.kind != kind and (known.kind, kind) != ("text", "date"):
                return CatalogFault(
                    "data_schema_mismatch", "a field is of another type than its first value"
                )
        for name, kind in wanted.shape:
            field = Field(name, kind, wanted.identity, write.now)
            self.fields.setdefault((write.tracker, name), field)
        return None

    def sweep(self, write: CommitGeneration) -> Outcome:
        mine = {
            key: each
            for key, each in self.objects.items()
            if key[0] == write.tracker and each.type == write.type
        }
        gone = [key for key, each in mine.items() if each.generation != write.generation]
        if len(gone) == len(mine):
            return CatalogFaults(0, {})
        for key in gone:
            del self.objects[key]
        revision = self.trackers[write.tracker].revision
        if gone:
            lines = [(identity, "delete", None, None) for _, identity in gone]
            revision = self.log(write, "object", lines).revision
        return Committed(revision, kept=len(mine) - len(gone), removed=len(gone))

    def reset(self, write: ResetField) -> Outcome:
        key = (write.tracker, write.name)
        known = self.fields.get(key)
        if write.kind is None:
            if known is None:
                return UsageFault()
            del self.fields[key]
            return self.log(write, "field", [(write.name, "delete", None, None)])
        if known is not None and known.kind == write.kind:
            return Committed(self.trackers[write.tracker].revision)
        self.fields[key] = Field(write.name, write.kind, ItemId(""), write.now)
        return self.log(write, "field", [(write.name, "replace", None, None)])

    def change_tracker(self, write: Write) -> Outcome:
        row = self.trackers[write.tracker]
        match write:
            case AddKey(sealed_key=key):
                if key in row.sealed_keys:
                    return Committed(row.revision)
                keys, artifact = (*row.sealed_keys, key), row.artifact
            case RevokeKey(sealed_key=key):
                if key not in row.sealed_keys or len(row.sealed_keys) == 1:
                    return UsageFault()
                keys, artifact = tuple(e for e in row.sealed_keys if e != key), row.artifact
            case PublishArtifact():
                if write.expected is not None and row.artifact not in write.expected:
                    return ArtifactConflict()
                if write.artifact == row.artifact:
                    return Committed(row.revision)
                keys, artifact = row.sealed_keys, write.artifact
            case _:
                raise AssertionError(write)
        self.trackers[write.tracker] = TrackerRow(
            row.id, row.name, row.revision, keys, artifact, row.created_at
        )
        match write:
            case PublishArtifact():
                action = "replace" if row.artifact else "create"
                return self.log(write, "artifact", [(write.artifact, action, None, None)])
            case AddKey():
                return self.log(write, "key", [("*", "create", None, None)])
            case _:
                return self.log(write, "key", [("*", "delete", None, None)])

    def log(self, write: Write, kind: str, lines: list[tuple]) -> Committed:  # type: ignore[type-arg]
        return self.log_all(write, [(kind, *line) for line in lines])

    def log_all(self, write: Write, lines: list[tuple]) -> Committed:  # type: ignore[type-arg]
        row = self.trackers[write.tracker]
        row = TrackerRow(
            row.id, row.name, row.revision + 1, row.sealed_keys, row.artifact, row.created_at
        )
        self.trackers[write.tracker] = row
        assert not isinstance(write, StartJob | TakeJob)
        actor = write.creator if isinstance(write, CreateCustomization) else write.actor
        if isinstance(write, CreateCustomization) and write.actor is not None:
            actor = write.actor
        self.history[write.tracker] += [
            ChangeRow(row.revision, kind, subject, action, actor, write.now, old, new)
            for kind, subject, action, old, new in lines
        ]
        return Committed(row.revision)


def farewell(record: Record) -> bytes:
    """The whole, with who made it and when."""
    creator = json.dumps(record.creator, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join(
        (whole(record)[:-1], b',"creator":', creator, b',"created_at":%d}' % record.created_at)
    )


def whole(record: Record) -> bytes:
    return spelled_whole(record.document, record.metadata, disabled=record.disabled)


def spelled_whole(document: bytes, metadata: bytes | None, *, disabled: bool) -> bytes:
    """The document with the metadata and the switch as its last members."""
    if metadata is None and not disabled:
        return document
    members = [document[:-1]]
    if metadata is not None:
        members.append(b'"target_metadata":' + metadata)
    if disabled:
        members.append(b'"disabled":true')
    return b",".join(members) + b"}"


def draft_text(draft: Draft) -> bytes:
    """An object around the version: what is always told, then what there is."""
    told: list[tuple[str, object]] = [
        ("base", draft.base),
        ("author", draft.author),
        ("updated_at", draft.updated_at),
        ("creator", draft.creator),
        ("created_at", draft.created_at),
    ]
    told += [
        (name, value)
        for name in ("publish_at", "publisher", "held")
        if (value := getattr(draft, name)) is not None
    ]
    rest = ",".join(f'"{k}":{json.dumps(v, ensure_ascii=False)}' for k, v in told)
    return b'{"version":' + draft.document + b"," + rest.encode() + b"}"
