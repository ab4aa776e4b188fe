"""
What becomes of trackers themselves in one batch: made, given keys, pointed to an artifact.

The part of `decide` that knows of them, likewise without a database. Their rows are the ledger's.
"""

from hashlib import sha256
from typing import assert_never

from msgspec.structs import replace

from endcap.errors import ArtifactConflict, UsageFault
from endcap.store.journal import Journal
from endcap.store.ledger import Ledger
from endcap.store.states import ChangeAction, TrackerRow
from endcap.store.writes import (
    AddKey,
    Committed,
    CreateTracker,
    Outcome,
    PublishArtifact,
    RevokeKey,
)


class TrackerDecision:
    """Of one batch."""

    def __init__(self, ledger: Ledger, log: Journal) -> None:
        self._ledger = ledger
        self._log = log

    def create(self, index: int, write: CreateTracker, tracker: TrackerRow | None) -> Outcome:
        if tracker is not None:
            return UsageFault("This tracker exists", {"tracker": [write.tracker]})
        revision = self._ledger.spend(index, new_tracker(write))
        self._log(write, revision, "tracker", write.tracker, "create")
        return Committed(revision)

    def take(
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
        action: ChangeAction = "create" if tracker.artifact is None else "replace"
        self._log(write, revision, "artifact", write.artifact, action)
        return Committed(revision)


def new_tracker(write: CreateTracker) -> TrackerRow:
    return TrackerRow(write.tracker, write.name, 0, (write.sealed_key,), None, write.now)


def _key_name(sealed_key: bytes) -> str:
    """Tells keys apart in the log and tells nothing of them."""
    return sha256(sealed_key).hexdigest()[:16]
