"""
What a store keeps beside customizations, drafts and catalogs (those are of the language, `domain`): the rows of
trackers and of their models, jobs, builds, and the lines of the log.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from endcap.domain import ItemId, Micros, TrackerId

JOB_DAYS = 7  # how long one can ask how a job ended
JOB_FAULTS_MAX = 100
JOB_ATTEMPTS_MAX = 5  # a job that takes its worker down five times would do so for ever
FIELDS_JOB = 0
"""The id of a tracker's job of kind `fields`; others are positive."""


class TrackerRow(Struct, frozen=True):
    id: TrackerId
    name: str
    revision: int
    sealed_keys: tuple[bytes, ...]
    """Oldest first."""
    artifact: str | None
    created_at: Micros


class ModelRow(Struct, frozen=True):
    """What a name means for a tracker, as it is kept. `revision` last wrote it."""

    name: str
    document: bytes
    updated_at: Micros
    revision: int


ChangeKind = Literal[
    "customization", "draft", "object", "model", "tracker", "key", "artifact", "field"
]
ChangeAction = Literal["create", "replace", "delete"]


class ChangeRow(Struct, frozen=True):
    """
    One line of the audit log. Versions are kept for customizations and drafts (see `wire.versions`), documents for
    models, and neither for catalog objects (a feed has them).
    """

    revision: int
    kind: ChangeKind
    subject: str
    action: ChangeAction
    actor: str
    at: Micros
    old: bytes | None
    new: bytes | None


JobStatus = Literal["in progress", "complete", "failed"]
CatalogFaultTold = tuple[str, str, Mapping[str, Sequence[str]]]
"""A CatalogFault as it is kept: kind, reason, details."""


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
