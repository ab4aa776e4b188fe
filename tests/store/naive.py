"""
The store's contract in the plainest Python there is: the oracle of random histories.

It shares no code with the adapters' decision and takes every write by itself, straight from the port's text.
"""

from endcap.domain import CatalogObject, CustomizationId, ItemId, Record, TrackerId
from endcap.errors import (
    ArtifactConflict,
    CatalogFault,
    CustomizationNotFound,
    IdempotencyConflict,
    RevisionConflict,
    TrackerNotFound,
    UsageFault,
)
from endcap.store.port import (
    AddKey,
    ChangeRow,
    Committed,
    CreateCustomization,
    CreateTracker,
    DeleteCustomization,
    MergeObjects,
    Outcome,
    PublishArtifact,
    PutObjects,
    RemoveObjects,
    ReplaceCustomization,
    RevokeKey,
    TrackerRow,
    Write,
)

DAY = 24 * 60 * 60 * 1_000_000


class NaiveStore:
    """A dict a kind."""

    def __init__(self) -> None:
        self.trackers: dict[TrackerId, TrackerRow] = {}
        self.records: dict[tuple[TrackerId, CustomizationId], Record] = {}
        self.objects: dict[tuple[TrackerId, ItemId], CatalogObject] = {}
        self.keys: dict[tuple[TrackerId, str], tuple[int, str, Record]] = {}
        self.history: dict[TrackerId, list[ChangeRow]] = {}

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
            case PutObjects():
                return self.store(write, {each.identity: each for each in write.objects})
            case MergeObjects():
                before = {key: self.objects.get((write.tracker, key)) for key in write.merges}
                return self.store(
                    write,
                    {
                        key: merge(known.document if (known := before[key]) else None)
                        for key, merge in write.merges.items()
                    },
                )
            case RemoveObjects():
                found = {key: self.objects.get((write.tracker, key)) for key in write.objects}
                return self.store(
                    write,
                    {
                        key: None
                        if (each := found[key]) is not None and each.type == type_
                        else CatalogFault("not_found", "Identity not in catalog")
                        for key, type_ in write.objects.items()
                    },
                )
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

    def change(self, write: ReplaceCustomization | DeleteCustomization) -> Outcome:
        before = self.records.get((write.tracker, write.id))
        if before is None:
            return CustomizationNotFound()
        if write.expected is not None and before.revision not in write.expected:
            return RevisionConflict()
        if isinstance(write, DeleteCustomization):
            del self.records[write.tracker, write.id]
            return self.log(write, "customization", [(write.id, "delete", whole(before), None)])
        record = self.record(write, before.creator, before.created_at)
        self.records[write.tracker, write.id] = record
        outcome = self.log(
            write, "customization", [(write.id, "replace", whole(before), whole(record))]
        )
        return Committed(outcome.revision, record)

    def record(
        self, write: CreateCustomization | ReplaceCustomization, creator: str, created_at: int
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
        )

    def store(
        self,
        write: PutObjects | MergeObjects | RemoveObjects,
        wanted: dict[ItemId, CatalogObject | CatalogFault | None],
    ) -> Outcome:
        faults: dict[str, CatalogFault] = {}
        lines: list[tuple[str, str, None, None]] = []
        for identity, after in wanted.items():
            key = (write.tracker, identity)
            if isinstance(after, CatalogFault):
                faults[identity] = after
            elif after is None:
                del self.objects[key]
                lines.append((identity, "delete", None, None))
            elif self.objects.get(key) != after:
                lines.append((identity, "replace" if key in self.objects else "create", None, None))
                self.objects[key] = after
        revision = self.trackers[write.tracker].revision
        if lines:
            revision = self.log(write, "object", lines).revision
        return Committed(revision, faults=faults)

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
        row = self.trackers[write.tracker]
        row = TrackerRow(
            row.id, row.name, row.revision + 1, row.sealed_keys, row.artifact, row.created_at
        )
        self.trackers[write.tracker] = row
        actor = write.creator if isinstance(write, CreateCustomization) else write.actor
        if isinstance(write, CreateCustomization) and write.actor is not None:
            actor = write.actor
        self.history[write.tracker] += [
            ChangeRow(row.revision, kind, subject, action, actor, write.now, old, new)  # type: ignore[arg-type]
            for subject, action, old, new in lines
        ]
        return Committed(row.revision)


def whole(record: Record) -> bytes:
    """The document with the metadata as its last member."""
    if record.metadata is None:
        return record.document
    return b"".join((record.document[:-1], b',"target_metadata":', record.metadata, b"}"))
