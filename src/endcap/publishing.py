"""
Building recommenders and pointing a tracker to them, for whoever asks: the command, the demo, later a schedule.

The artifact is whole on disk before the pointer moves, and the pointer moves in the change feed, so that a half-built
one is never served and every worker takes the new one over like any other change.
"""

from contextlib import nullcontext
from pathlib import Path

from msgspec import Struct

from endcap.archive.reading import EventSource
from endcap.domain import Micros, TrackerId
from endcap.errors import Problem
from endcap.recommend.artifact import artifacts_directory
from endcap.recommend.build import Progress, build
from endcap.recommend.orders import orders_directory
from endcap.store.port import Committed, PublishArtifact, Store


class Published(Struct, frozen=True):
    """What was built and since which revision it is served."""

    artifact: str
    items: int
    revision: int


def build_and_publish(
    store: Store,
    data_dir: Path,
    tracker: TrackerId,
    *,
    actor: str,
    now: Micros,
    progress: Progress,
    source: EventSource | None = None,
) -> Published:
    """
    Builds from the tracker's imported orders, and with a source from what shoppers' events told of: what they ordered,
    viewed and clicked.

    Raises UsageFault where there are none, TrackerNotFound, StoreUnavailable.
    """
    if source is not None:
        source.refresh_orders(data_dir, tracker)
    with nullcontext() if source is None else source.acts(data_dir, tracker) as views:
        artifact = build(
            orders_directory(data_dir, tracker),
            artifacts_directory(data_dir, tracker),
            now=now,
            views=views,
            progress=progress,
        )
    (outcome,) = store.commit([PublishArtifact(tracker, artifact.name, actor, now)])
    if isinstance(outcome, Problem):
        raise outcome
    assert isinstance(outcome, Committed)
    return Published(artifact.name, len(artifact.scores), outcome.revision)
