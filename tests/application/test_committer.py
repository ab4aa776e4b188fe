"""
Group commit: writes that come together are committed together, and answered each by itself.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from endcap.committer import Committer
from endcap.domain import CatalogObject, ItemId, Merge
from endcap.errors import (
    CustomizationNotFound,
    Problem,
    RefusedTogether,
    RevisionConflict,
    StoreUnavailable,
    TrackerNotFound,
)
from endcap.mirror import Mirror
from endcap.store.sqlite import SqliteStore
from endcap.store.writes import Committed, MergeObjects, Outcome, Write
from tests.application.conftest import Logged
from tests.application.world import (
    SHOP,
    World,
    committed,
    eventually,
    item,
    items,
    pinned,
    record,
    shop,
)


class NotingCommitter(Committer):
    """It notes how many writes each transaction is to have."""

    groups: list[int]

    def commit_now(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        self.groups.append(len(writes))
        return super().commit_now(writes)


class Worker:
    """A worker's writing half."""

    def __init__(self, world: World, **bounds: int) -> None:
        self.mirror: Mirror = world.mirror()
        self.mirror.load()
        self.committer = NotingCommitter(world.here, self.mirror, **bounds)
        self.groups = self.committer.groups = []

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Runs one coroutine in a loop of its own, as a server would."""

        async def served() -> Any:
            self.committer.start()
            try:
                async with asyncio.timeout(30):
                    return await work
            finally:
                self.committer.stop()

        return asyncio.run(served())

    async def all(self, writes: Sequence[Write]) -> list[Committed | BaseException]:
        """Asked for within one turn of the loop."""
        return await asyncio.gather(*map(self.committer.commit, writes), return_exceptions=True)


@pytest.fixture
def worker(world: World) -> Worker:
    return Worker(world)


@contextmanager
def held(world: World) -> Iterator[None]:
    """Another process is in the middle of a write."""
    if world.url.startswith("sqlite"):
        path = world.url.removeprefix("sqlite:///")
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
        connection.close()
    else:
        with psycopg.connect(world.url) as other:
            other.execute("SELECT * FROM tracker FOR UPDATE")
            yield
            other.rollback()


async def started(tasks: Callable[[], bool]) -> None:
    """Waits for the committer's thread."""
    await asyncio.to_thread(eventually, tasks)


def test_writes_of_one_turn_are_one_transaction(world: World, worker: Worker) -> None:
    """Each is answered with its own outcome, in order, and is in the store."""
    writes = [world.create(f"c{number}") for number in range(50)]

    outcomes = worker.run(worker.all(writes))

    assert worker.groups == [50]
    assert [outcome.revision for outcome in outcomes] == list(range(2, 52))
    assert [outcome.record.id for outcome in outcomes] == [write.id for write in writes]
    assert all(record(world.elsewhere, write.id) for write in writes)


def test_what_arrives_meanwhile_is_the_next_transaction(world: World, worker: Worker) -> None:
    """However many turns of the loop it came in."""

    async def work() -> Sequence[Committed]:
        with held(world):
            first = asyncio.create_task(worker.committer.commit(world.create("a")))
            await started(lambda: worker.groups == [1])
            rest = []
            for letter in "bcdefgh":
                rest.append(asyncio.create_task(worker.committer.commit(world.create(letter))))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
        return await asyncio.gather(first, *rest)

    outcomes = worker.run(work())

    assert worker.groups == [1, 7]
    assert [outcome.revision for outcome in outcomes] == list(range(2, 10))


def test_a_transaction_is_bounded(world: World) -> None:
    """Other processes' writers get their turn."""
    worker = Worker(world, group_max=3)

    async def work() -> None:
        with held(world):
            tasks = [asyncio.create_task(worker.committer.commit(world.create("a")))]
            await started(lambda: worker.groups == [1])
            for letter in "bcdefgh":
                tasks.append(asyncio.create_task(worker.committer.commit(world.create(letter))))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
        await asyncio.gather(*tasks)

    worker.run(work())

    assert worker.groups == [1, 3, 3, 1]


def test_answered_means_visible(world: World, worker: Worker) -> None:
    """The mirror of this worker shows a write when its caller goes on; without any follower."""

    async def work() -> list[tuple[dict[str, str], set[ItemId]]]:
        seen = []
        for write in (world.create("a"), world.replace("a", "/p/2"), world.put("/p/2")):
            await worker.committer.commit(write)
            seen.append((pinned(worker.mirror), items(worker.mirror)))
        return seen

    assert worker.run(work()) == [
        ({"a": "/p/1"}, set()),
        ({"a": "/p/2"}, set()),
        ({"a": "/p/2"}, {"/p/2"}),
    ]


def test_a_refused_write_does_not_disturb_its_neighbours(world: World, worker: Worker) -> None:
    """It raises for its caller, and spends no revision."""
    committed(world.elsewhere, world.create("a"))
    writes: list[Write] = [
        world.create("b"),
        world.replace("nowhere", "/p/1"),
        world.replace("a", "/p/2", expected=frozenset({99})),
        msgspec.structs.replace(world.create("c"), tracker="nowhere"),
        world.create("d"),
    ]

    outcomes = worker.run(worker.all(writes))

    assert worker.groups == [5]
    assert [type(outcome) for outcome in outcomes] == [
        Committed,
        CustomizationNotFound,
        RevisionConflict,
        TrackerNotFound,
        Committed,
    ]
    assert pinned(worker.mirror) == {"a": "/p/1", "b": "/p/1", "d": "/p/1"}
    assert shop(worker.mirror).revision == 4


def bursting(world: World) -> MergeObjects:
    """A fault of ours, in the middle of a transaction."""

    def burst(present: bytes | None) -> CatalogObject:
        raise ZeroDivisionError

    return MergeObjects(SHOP, {ItemId("/p/1"): Merge(burst)}, "test", world.tick())


def test_an_unforeseen_error_is_its_own_writes_alone(
    world: World, worker: Worker, logged: Logged
) -> None:
    """The transaction of all is undone; each is tried alone, and done once."""
    committed(world.elsewhere, world.put("/p/1"))
    writes: list[Write] = [world.create("a"), bursting(world), world.create("b")]

    before, burst, after = worker.run(worker.all(writes))

    assert worker.groups == [3, 1, 1, 1]
    assert isinstance(before, Committed)
    assert isinstance(after, Committed)
    assert type(burst) is Problem
    assert isinstance(burst.__cause__, ZeroDivisionError)
    assert [(entry["event"], entry["write"]) for entry in logged] == [
        ("write failed", "MergeObjects")
    ]
    changes = [change.subject for change in world.elsewhere.history(SHOP)]
    assert changes[-2:] == ["a", "b"]
    assert pinned(worker.mirror) == {"a": "/p/1", "b": "/p/1"}


def test_the_committer_survives_an_unforeseen_error(
    world: World, worker: Worker, logged: Logged
) -> None:
    """The next write is committed as if nothing had been."""
    committed(world.elsewhere, world.put("/p/1"))

    async def work() -> Committed:
        with pytest.raises(Problem):
            await worker.committer.commit(bursting(world))
        return await worker.committer.commit(world.create("a"))

    assert worker.run(work()).revision == 3
    assert len(logged) == 1


def test_writes_that_cannot_be_shown_are_not_done_twice(
    world: World, worker: Worker, logged: Logged
) -> None:
    """An object that no catalog can be made of: it is stored, and so is what came with it, once."""
    spoiled = msgspec.structs.replace(
        world.put(), objects=[msgspec.structs.replace(item("/p/1"), document=b"{")]
    )
    writes: list[Write] = [world.create("a"), spoiled, world.create("b")]

    outcomes = worker.run(worker.all(writes))

    assert worker.groups == [3]
    assert [outcome.revision for outcome in outcomes] == [2, 3, 4]
    assert [entry["event"] for entry in logged] == ["own writes not shown yet"]


def test_a_caller_who_goes_away_leaves_its_write(world: World, worker: Worker) -> None:
    """And its neighbour is answered."""

    async def work() -> Committed:
        with held(world):
            gone = asyncio.create_task(worker.committer.commit(world.create("a")))
            stays = asyncio.create_task(worker.committer.commit(world.create("b")))
            await started(lambda: worker.groups == [2])
            gone.cancel()
            with pytest.raises(asyncio.CancelledError):
                await gone
        return await stays

    assert worker.run(work()).revision == 3
    assert pinned(worker.mirror) == {"a": "/p/1", "b": "/p/1"}


def test_what_waits_is_bounded(world: World) -> None:
    """Beyond it callers are told at once, until those before them are done."""
    worker = Worker(world, pending_max=3)

    async def work() -> None:
        with held(world):
            tasks = [
                asyncio.create_task(worker.committer.commit(world.create(letter)))
                for letter in "abc"
            ]
            await started(lambda: worker.groups == [3])
            with pytest.raises(StoreUnavailable):
                await worker.committer.commit(world.create("d"))
        await asyncio.gather(*tasks)
        await worker.committer.commit(world.create("e"))

    worker.run(work())

    assert set(pinned(worker.mirror)) == {"a", "b", "c", "e"}


def test_stop_commits_what_was_asked_for(world: World, worker: Worker) -> None:
    """Handed over or not yet; each caller is answered."""

    async def work() -> Sequence[Committed]:
        with held(world):
            tasks = [asyncio.create_task(worker.committer.commit(world.create("a")))]
            await started(lambda: worker.groups == [1])
            for letter in "bcd":
                tasks.append(asyncio.create_task(worker.committer.commit(world.create(letter))))
                await asyncio.sleep(0)  # the last one is asked for, and not yet handed over
        worker.committer.stop()
        return await asyncio.gather(*tasks)

    outcomes = worker.run(work())

    assert [outcome.revision for outcome in outcomes] == [2, 3, 4, 5]


def test_after_stop_writes_are_refused(world: World, worker: Worker) -> None:
    """Nobody is left waiting for ever."""

    async def work() -> None:
        worker.committer.stop()
        with pytest.raises(StoreUnavailable):
            await worker.committer.commit(world.create("a"))

    worker.run(work())

    assert record(world.elsewhere, "a") is None


def test_a_thread_that_may_block_commits_directly(world: World, worker: Worker) -> None:
    """As commands and tests do; visible as well."""
    outcomes = worker.committer.commit_now([world.create("a"), world.delete("nowhere")])

    assert isinstance(outcomes[0], Committed)
    assert isinstance(outcomes[1], CustomizationNotFound)
    assert pinned(worker.mirror) == {"a": "/p/1"}


def test_writes_that_come_together_are_shown_together(world: World, worker: Worker) -> None:
    """Or not at all: neither stored nor in memory where one is refused."""
    outcomes = worker.committer.commit_together_now([world.create("a"), world.create("b", "/p/2")])

    with pytest.raises(RefusedTogether):
        worker.committer.commit_together_now([world.create("c"), world.delete("nowhere")])

    assert [each.revision for each in outcomes] == [2, 3]
    assert pinned(worker.mirror) == {"a": "/p/1", "b": "/p/2"}
    assert record(world.elsewhere, "c") is None


def test_a_store_that_does_not_answer_is_told_to_every_caller(
    tmp_path: Path,
) -> None:
    """None is tried alone; when it answers again, writes go on."""
    world = World(f"sqlite:///{tmp_path / 'endcap.db'}", tmp_path / "data")
    committed(world.elsewhere, world.tracker())
    world.here = SqliteStore(tmp_path / "endcap.db", patience_seconds=0.05)
    worker = Worker(world)

    async def work() -> list[Committed | BaseException]:
        with held(world):
            refused = await worker.all([world.create("a"), world.create("b")])
        await worker.committer.commit(world.create("c"))
        return refused

    try:
        refused = worker.run(work())

        assert [type(each) for each in refused] == [StoreUnavailable, StoreUnavailable]
        assert worker.groups == [2, 1]
        assert pinned(worker.mirror) == {"c": "/p/1"}
    finally:
        world.here.close()
        world.close()
