"""
Building recommenders and pointing a tracker to them, for whoever asks: the command, the demo, the schedule.

The artifact is whole on disk before the pointer moves, and the pointer moves in the change feed, so that a half-built
one is never served and every worker takes the new one over like any other change. It moves from the artifact that was
pointed to when the build began: what somebody else published meanwhile stays.
"""

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from msgspec import Struct

from endcap.archive.reading import EventSource
from endcap.domain import Micros, TrackerId
from endcap.errors import NothingToLearn, Problem, TrackerNotFound, UsageFault
from endcap.recommend import archive
from endcap.recommend.artifact import MANIFEST, Artifact, artifacts_directory, load_artifact
from endcap.recommend.build import STEPS, Progress, build, recipe
from endcap.recommend.database import MEMORY_MB, THREADS
from endcap.recommend.orders import FROM_EVENTS, order_files, orders_directory
from endcap.recommend.rows import finish
from endcap.store.port import Store
from endcap.store.writes import Committed, PublishArtifact


class Published(Struct, frozen=True):
    """What was built and since which revision it is served."""

    artifact: str
    items: int
    revision: int


class Pruned(Struct, frozen=True):
    """What was deleted, or would be."""

    artifacts: Sequence[str]
    leftovers: Sequence[str]
    bytes: int


def build_and_publish(
    store: Store,
    data_dir: Path,
    tracker: TrackerId,
    *,
    actor: str,
    now: Micros,
    progress: Progress,
    source: EventSource | None = None,
    memory_mb: int = MEMORY_MB,
    threads: int = THREADS,
) -> Published:
    """
    Builds from the tracker's imported orders, and with a source from what shoppers' events told of: what they ordered,
    viewed and clicked.

    Raises NothingToLearn where there are none, UsageFault, TrackerNotFound, ArtifactConflict, StoreUnavailable.
    """
    before = pointer(store, tracker)
    if source is not None:
        progress("events", 0, len(STEPS) + 1)
        source.refresh_orders(data_dir, tracker, memory_mb=memory_mb)
        progress = _after_one(progress)
    with (
        nullcontext() if source is None else source.acts(data_dir, tracker, memory_mb=memory_mb)
    ) as views:
        artifact = build(
            orders_directory(data_dir, tracker),
            artifacts_directory(data_dir, tracker),
            now=now,
            views=views,
            progress=progress,
            memory_mb=memory_mb,
            threads=threads,
        )
    return _publish(store, data_dir, tracker, artifact, actor=actor, now=now, before=before)


def finish_and_publish(
    store: Store,
    data_dir: Path,
    tracker: TrackerId,
    rows: Path,
    *,
    actor: str,
    now: Micros,
    progress: Progress,
    memory_mb: int = MEMORY_MB,
    threads: int = THREADS,
) -> Published:
    """The same from rows that a cluster wrote (`recommend.spark`). Raises likewise."""
    before = pointer(store, tracker)
    artifact = finish(
        rows,
        artifacts_directory(data_dir, tracker),
        progress=progress,
        memory_mb=memory_mb,
        threads=threads,
    )
    return _publish(store, data_dir, tracker, artifact, actor=actor, now=now, before=before)


def pointer(store: Store, tracker: TrackerId) -> str | None:
    """The artifact that a tracker points to. Raises TrackerNotFound."""
    row = store.tracker(tracker)
    if row is None:
        raise TrackerNotFound
    return row.artifact


def inputs_of(data_dir: Path, tracker: TrackerId, source: EventSource) -> str | None:
    """
    A digest of what a build would learn from and of how it would; None where there is nothing to learn from.

    Files of orders never change, so their names and sizes tell; of events the number of the last one does. What comes
    between this look and the build is learned and looks new to the next one. Raises StoreUnavailable.
    """
    files, told = _imported(data_dir, tracker), source.told(tracker)
    if not files and not told:
        return None
    digest = hashlib.sha256(f"{recipe()} {told}\n".encode())
    for file in files:
        digest.update(f"{file.name} {file.stat().st_size}\n".encode())
    return digest.hexdigest()


def _imported(data_dir: Path, tracker: TrackerId) -> Sequence[Path]:
    try:
        files = order_files(orders_directory(data_dir, tracker))
    except NothingToLearn:
        return []
    return [file for file in files if not file.name.startswith(FROM_EVENTS)]


def is_there(data_dir: Path, tracker: TrackerId, artifact: str | None) -> bool:
    """Whether an artifact's folder is there; its files are not read."""
    folder = artifacts_directory(data_dir, tracker)
    return artifact is not None and (folder / artifact / MANIFEST).is_file()


def earlier(data_dir: Path, tracker: TrackerId, current: str | None) -> str:
    """The artifact that was built before the current one. Raises UsageFault if there is none."""
    folder = artifacts_directory(data_dir, tracker)
    for path in archive.built_before(folder, current):
        return path.name
    raise UsageFault(
        f"No artifact of {tracker} was built before the one it points to ({current or 'none'})"
    )


def roll_back(
    store: Store, data_dir: Path, tracker: TrackerId, artifact: str, *, actor: str, now: Micros
) -> Published:
    """
    Points the tracker to an artifact that is on disk, after a look at every byte of it.

    Raises UsageFault if it is not there or broken, TrackerNotFound, ArtifactConflict.
    """
    folder = artifacts_directory(data_dir, tracker)
    before = pointer(store, tracker)
    whole = load_artifact(archive.find(folder, artifact))
    archive.leave(folder, artifact)  # nobody takes it for one that was left long ago
    return _publish(store, data_dir, tracker, whole, actor=actor, now=now, before=before)


def sweep(data_dir: Path, tracker: TrackerId) -> Sequence[str]:
    """Deletes what killed builds left behind; who calls holds the tracker's lease. The names of what there was."""
    folder = artifacts_directory(data_dir, tracker)
    left = archive.leftovers(folder)
    archive.sweep(folder)
    return left


def prune(
    store: Store,
    data_dir: Path,
    tracker: TrackerId,
    *,
    keep: int,
    now: Micros,
    left_seconds_min: int = archive.LEFT_SECONDS_MIN,
    dry_run: bool = False,
) -> Pruned:
    """Deletes the artifacts that nobody needs any more. Who calls holds the tracker's lease, or knows what they do."""
    folder = artifacts_directory(data_dir, tracker)
    found = archive.superfluous(
        folder,
        served=pointer(store, tracker),
        keep=keep,
        now=now,
        left_seconds_min=left_seconds_min,
    )
    leftovers = archive.leftovers(folder)
    if not dry_run:
        for each in found:
            if each.name != pointer(store, tracker):  # somebody may have gone back to it just now
                archive.delete(each.path)
        archive.sweep(folder)
    names = [each.name for each in found]
    return Pruned(names, leftovers, sum(each.bytes for each in found))


def _after_one(progress: Progress) -> Progress:
    """Tells the steps of a build as those after a first one."""
    return lambda step, done, total: progress(step, done + 1, total + 1)


def _publish(
    store: Store,
    data_dir: Path,
    tracker: TrackerId,
    artifact: Artifact,
    *,
    actor: str,
    now: Micros,
    before: str | None,
) -> Published:
    write = PublishArtifact(tracker, artifact.name, actor, now, frozenset({before}))
    (outcome,) = store.commit([write])
    if isinstance(outcome, Problem):
        raise outcome
    assert isinstance(outcome, Committed)
    if before != artifact.name:
        archive.leave(artifacts_directory(data_dir, tracker), before)
    return Published(artifact.name, len(artifact.scores), outcome.revision)
