"""
Building and publishing: an artifact is whole before anything points to it.
"""

from pathlib import Path

import msgspec
import pytest

from endcap.archive.places import open_place
from endcap.archive.reading import EventSource
from endcap.clock import random_id, system_clock
from endcap.config import Settings
from endcap.domain import Micros, TrackerId
from endcap.errors import ArtifactConflict, TrackerNotFound, UsageFault
from endcap.publishing import (
    Published,
    build_and_publish,
    earlier,
    inputs_of,
    prune,
    roll_back,
)
from endcap.recommend.artifact import artifacts_directory, load_artifact
from endcap.store import open_events
from endcap.transfer.rows import quietly
from endcap.transfer.transactions import import_transactions
from tests.application.world import SHOP, World
from tests.archive.conftest import event, order


def ordered(world: World, tracker: TrackerId = SHOP, *, item: str = "/p/2") -> None:
    """Five orders of two items."""
    file = world.data_dir / "orders.jsonl"
    file.parent.mkdir(exist_ok=True)
    lines = [
        {"order_id": f"{item}-{order}", "identity": identity, "created_at": "2025-01-05"}
        for order in range(5)
        for identity in ("/p/1", item)
    ]
    file.write_bytes(msgspec.json.Encoder().encode_lines(lines))
    import_transactions(world.data_dir, tracker, file, now=world.tick(), new_id=random_id)


def publish(world: World, tracker: TrackerId = SHOP) -> Published:
    """A second after the last one: names tell seconds."""
    world.now = Micros(world.now + 1_000_000)
    return build_and_publish(
        world.here, world.data_dir, tracker, actor="ann", now=world.tick(), progress=quietly
    )


def pointer(world: World) -> tuple[str | None, int]:
    """What the tracker points to, and its revision, as another process sees them."""
    row = world.elsewhere.tracker(SHOP)
    assert row is not None
    return row.artifact, row.revision


def artifacts(world: World, tracker: TrackerId = SHOP) -> set[str]:
    folder = artifacts_directory(world.data_dir, tracker)
    return {each.name for each in folder.iterdir()} if folder.exists() else set()


def test_what_was_built_is_what_the_tracker_points_to(world: World) -> None:
    """Whole on disk, at a revision that every worker will see, and in the log with who did it."""
    ordered(world)

    published = publish(world)

    row = world.elsewhere.tracker(SHOP)
    assert row is not None
    assert (
        (row.artifact, row.revision)
        == (published.artifact, published.revision)
        == (
            published.artifact,
            2,
        )
    )
    assert published.items == 2
    assert len(load_artifact(artifacts_directory(world.data_dir, SHOP) / published.artifact).scores) == 2  # fmt: skip
    *_, change = world.elsewhere.history(SHOP)
    assert (change.kind, change.subject, change.actor) == ("artifact", published.artifact, "ann")


def test_without_orders_nothing_is_published(world: World) -> None:
    """The pointer stays where it is."""
    with pytest.raises(UsageFault, match="import transactions first"):
        publish(world)

    assert pointer(world) == (None, 1)
    assert artifacts(world) == set()


def test_orders_of_a_tracker_that_is_gone_are_not_published(world: World) -> None:
    """The store says who is there."""
    nowhere = TrackerId("nowhere")
    ordered(world, nowhere)

    with pytest.raises(TrackerNotFound):
        publish(world, nowhere)


def test_a_newer_artifact_takes_the_place_and_the_older_one_stays_on_disk(world: World) -> None:
    """Workers that have not followed yet still map its files."""
    ordered(world)
    first = publish(world)
    ordered(world, item="/p/3")

    second = publish(world)

    assert second.items == 3
    assert artifacts(world) == {first.artifact, second.artifact}
    assert pointer(world) == (second.artifact, 3)


def test_what_was_published_during_a_build_stays(world: World) -> None:
    """Somebody went back to an older artifact meanwhile: what was built is kept, and served when somebody wants it."""
    ordered(world)
    first = publish(world).artifact
    ordered(world, item="/p/3")
    second = publish(world).artifact
    ordered(world, item="/p/4")

    def meanwhile(step: str, done: int, total: int) -> None:
        if step == "neighbours":
            back(world, first)

    with pytest.raises(ArtifactConflict):
        build_and_publish(
            world.here, world.data_dir, SHOP, actor="ann", now=world.tick(), progress=meanwhile
        )

    assert pointer(world) == (first, 4)
    (third,) = artifacts(world) - {first, second}
    assert back(world, third).revision == 5


def back(world: World, artifact: str) -> Published:
    return roll_back(world.elsewhere, world.data_dir, SHOP, artifact, actor="bob", now=world.tick())


def test_going_back_points_to_what_is_there(world: World) -> None:
    """The one built before, by default; the log says who did it."""
    ordered(world)
    first = publish(world).artifact
    ordered(world, item="/p/3")
    second = publish(world).artifact
    assert earlier(world.data_dir, SHOP, second) == first

    done = back(world, first)

    assert done == Published(first, 2, 4)
    assert pointer(world) == (first, 4)
    *_, change = world.here.history(SHOP)
    assert (change.subject, change.action, change.actor) == (first, "replace", "bob")
    with pytest.raises(UsageFault, match="No artifact"):
        earlier(world.data_dir, SHOP, first)
    assert back(world, first).revision == 4


@pytest.mark.parametrize("how", ["flip", "truncate"])
def test_nobody_goes_back_to_a_broken_artifact(world: World, how: str) -> None:
    """It is read before anything points to it; the one that is served stays."""
    ordered(world)
    first = publish(world).artifact
    ordered(world, item="/p/3")
    second = publish(world).artifact
    spoiled = artifacts_directory(world.data_dir, SHOP) / first / "popularity.npy"
    content = spoiled.read_bytes()
    flipped = content[:-1] + bytes([content[-1] ^ 1])
    spoiled.write_bytes(flipped if how == "flip" else content[:-1])

    with pytest.raises(UsageFault, match=r"checksum of popularity\.npy"):
        back(world, first)

    assert pointer(world) == (second, 3)


def test_pruning_keeps_what_is_served_and_what_was_left_last(world: World) -> None:
    """A dry run says what would go."""
    names = []
    for item in ("/p/2", "/p/3", "/p/4", "/p/5"):
        ordered(world, item=item)
        names.append(publish(world).artifact)
    back(world, names[1])

    def pruned(keep: int, *, dry_run: bool = False) -> list[str]:
        done = prune(
            world.here,
            world.data_dir,
            SHOP,
            keep=keep,
            now=Micros(system_clock() + 3_600_000_000),
            dry_run=dry_run,
        )
        return list(done.artifacts)

    assert pruned(1, dry_run=True) == [names[2], names[0]]
    assert artifacts(world) == set(names)
    assert pruned(1) == [names[2], names[0]]
    assert artifacts(world) == {names[1], names[3]}
    assert pruned(1) == []


def test_what_builds_learn_from_is_told_by_a_digest(world: World) -> None:
    """Another file of orders is another digest; the same files are the same; none is none."""
    assert inputs_of(world.data_dir, SHOP, world.source) is None
    ordered(world)
    first = inputs_of(world.data_dir, SHOP, world.source)
    assert first is not None
    assert inputs_of(world.data_dir, SHOP, world.source) == first

    ordered(world, item="/p/3")

    assert inputs_of(world.data_dir, SHOP, world.source) not in (None, first)


def test_nothing_half_built_is_left(world: World, tmp_path: Path) -> None:
    """An order file that cannot be read ends the build, and the one before stays published."""
    ordered(world)
    first = publish(world)
    (spoiled,) = (world.data_dir / "orders").glob("*/*.parquet")
    spoiled.write_bytes(b"PAR1 and nothing else")

    with pytest.raises(UsageFault):
        publish(world)

    assert artifacts(world) == {first.artifact}
    assert pointer(world) == (first.artifact, 2)


def test_progress_is_told(world: World) -> None:
    """Each step, to whoever draws a bar."""
    ordered(world)
    told: list[str] = []

    build_and_publish(
        world.here,
        world.data_dir,
        SHOP,
        actor="ann",
        now=world.tick(),
        progress=lambda step, done, total: told.append(step),
    )

    assert len(set(told)) > 1


def test_builds_learn_from_events_what_is_bought_and_what_is_looked_at_together(
    world: World,
) -> None:
    """Each in a table of its own, and served by the same artifact."""
    events = open_events(world.url)
    events.migrate()
    told = [order("2025-01-11", "/p/1", "/p/2") for _ in range(3)]
    told += [
        event("2025-01-12", client=who, url=item) for who in "789" for item in ("/p/3", "/p/4")
    ]
    events.append(told)
    source = EventSource(events, open_place(Settings(data_dir=world.data_dir)))
    world.data_dir.mkdir(exist_ok=True)

    published = build_and_publish(
        world.here,
        world.data_dir,
        SHOP,
        actor="ann",
        now=world.tick(),
        progress=quietly,
        source=source,
    )
    events.close()

    artifact = load_artifact(artifacts_directory(world.data_dir, SHOP) / published.artifact)
    assert artifact.learned.identities == ["/p/1", "/p/2", "/p/3", "/p/4"]
    assert artifact.counts["neighbours"] == artifact.counts["viewed"] == 2
    assert artifact.learned.neighbours[0][0] == 1
    assert artifact.learned.viewed_neighbours[2][0] == 3
