"""
Answers kept in memory: given only while they are what the store would give.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from endcap.committer import Committer
from endcap.config import Settings
from endcap.domain import CustomizationId, Micros
from endcap.mirror import Mirror
from endcap.renderings import Renderings
from endcap.service import Service
from endcap.store.writes import CreateCustomization, Write
from endcap.wire.customizations import read_definition
from endcap.wire.reading import seconds_text
from tests.application.world import SHOP, World, committed, shop

A = CustomizationId("a")
HOUR = 3_600_000_000


class Worker:
    """One whose mirror follows when it is told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.mirror: Mirror = world.mirror()
        self.mirror.load()
        self.committer = Committer(world.here, self.mirror)
        self.service = Service(
            Settings(), world.here, self.mirror, self.committer, clock=lambda: world.now
        )

    def kept(self, id: CustomizationId = A) -> Any:
        """What memory answers; None if it must not."""
        rendered = self.service.get_mirrored(shop(self.mirror), id)
        return None if rendered is None else json.loads(rendered.body)

    def read(self, id: CustomizationId = A) -> Any:
        return json.loads(self.service.get(shop(self.mirror), id).body)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Over SQLite; PostgreSQL is always asked."""
    world = World(f"sqlite:///{tmp_path / 'endcap.db'}", tmp_path / "data")
    committed(world.here, world.tracker())
    yield world
    world.close()


@pytest.fixture
def worker(world: World) -> Worker:
    committed(world.here, world.create("a"))
    committed(world.here, world.put("/p/1", title="First"))
    return Worker(world)


def create(world: World, id: str, *, target: str | None = None, **bounds: str) -> Write:
    """Pins /p/1 to an item's page, or to all, inside a window."""
    pin = {"position": 1, "pin_type": "item", "pin_identity": "/p/1", **bounds}
    body: dict[str, Any] = {"model": "trends", "target_type": "all", "pin_definitions": [pin]}
    if target is not None:
        body |= {"target_type": "item", "target_identity": target}
    definition = read_definition(msgspec.json.encode(body))
    return CreateCustomization(SHOP, CustomizationId(id), definition, "test", world.tick())


def test_memory_answers_what_was_read_before(worker: Worker) -> None:
    """Nothing before the first read, the same afterwards."""
    assert worker.kept() is None
    read = worker.read()

    assert worker.kept() == read


def test_memory_is_silent_from_the_moment_that_another_process_writes(worker: Worker) -> None:
    """Until the mirror has followed; what the write did not touch is then known as before."""
    world = worker.world
    committed(world.here, world.create("b"))
    worker.mirror.refresh()
    before = [worker.read(each) for each in (A, CustomizationId("b"))]

    committed(world.elsewhere, world.replace("a", "/p/2"))
    assert worker.kept() is None
    worker.mirror.refresh()

    assert worker.kept() is None
    assert worker.kept(CustomizationId("b")) == before[1]
    assert worker.read() != before[0]
    assert worker.kept() == worker.read()


def test_own_writes_are_followed_at_once(worker: Worker) -> None:
    """Memory goes on without asking the store, and does not answer what was replaced."""
    world = worker.world
    before = worker.read()
    worker.committer.commit_now([world.replace("a", "/p/2")])

    assert worker.mirror.is_current()
    assert worker.kept() is None
    assert worker.read() != before
    worker.committer.commit_now([world.delete("a")])
    assert worker.kept() is None


@pytest.mark.parametrize("side", ["opens", "closes"])
def test_time_ends_what_it_changes(world: World, side: str) -> None:
    """A window that opens or closes changes `available`."""
    moment = Micros((world.now // HOUR + 2) * HOUR)
    bounds = {"active_from" if side == "opens" else "active_to": seconds_text(moment)}
    committed(world.here, create(world, "a", **bounds))
    worker = Worker(world)
    before = worker.read()
    assert worker.kept() == before

    world.now = moment

    assert worker.kept() is None
    assert worker.read()["available"] != before["available"]


def test_the_targets_item_ends_what_it_changes(worker: Worker) -> None:
    """The title of a target that is shown; of other items nothing is."""
    world = worker.world
    committed(world.here, create(world, "c", target="/p/1"))
    worker.mirror.refresh()
    c = CustomizationId("c")
    before = worker.read(c)
    assert before["target_metadata"]["title"] == "First"

    committed(world.here, world.put("/p/9", title="Other"))
    worker.mirror.refresh()
    assert worker.kept(c) == before
    committed(world.here, world.put("/p/1", title="Second"))
    worker.mirror.refresh()

    assert worker.kept(c) is None
    assert worker.read(c)["target_metadata"]["title"] == "Second"


def test_the_oldest_is_forgotten(worker: Worker) -> None:
    """Memory is bounded."""
    world, kept = worker.world, Renderings(3)
    ids = [CustomizationId(f"n{number}") for number in range(5)]
    for each in ids:
        committed(world.here, world.create(each))
    worker.mirror.refresh()
    here = shop(worker.mirror)
    for each in ids:
        kept.keep(here, worker.service.get(here, each), world.now)

    found = [kept.get(here, each, world.now) is not None for each in ids]
    assert found == [False, False, True, True, True]


def test_memory_never_differs_from_the_store(world: World) -> None:
    """Whatever is written, by whomever, whenever it is followed, and however time goes."""
    chance = random.Random(7)
    closes = seconds_text(Micros(world.now + 30 * HOUR))
    committed(world.here, create(world, "a", target="/p/1", active_to=closes))
    committed(world.here, world.put("/p/1", title="0"))
    worker = Worker(world)
    answered = 0
    for number in range(400):
        match chance.randrange(7):
            case 0:
                committed(world.elsewhere, world.replace("a", f"/p/{number}"))
            case 1:
                worker.committer.commit_now([world.replace("a", f"/p/{number}")])
            case 2:
                committed(
                    world.elsewhere, world.put(f"/p/{chance.randrange(3)}", title=str(number))
                )
            case 3:
                world.now = Micros(world.now + chance.randrange(HOUR))
            case 4:
                worker.mirror.refresh()
            case _:
                worker.read()
        kept = worker.kept()
        answered += kept is not None
        assert kept is None or kept == worker.read()

    assert answered > 50
    assert SHOP in worker.mirror.shops()
