"""
The schedule at work: what is due is built by one process at a time, and what goes wrong is on record.

Builds are processes here too: the server's own, or others that say what a build says.
"""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from endcap.builder import Builder
from endcap.domain import Event, Micros, TrackerId
from endcap.lease import claim
from endcap.publishing import inputs_of, roll_back
from endcap.recommend.artifact import artifacts_directory, load_artifact
from endcap.schedule import SECOND, Every
from endcap.store.port import Store
from endcap.store.states import Build, BuildRecord
from tests.application.conftest import Logged
from tests.application.test_publishing import artifacts, ordered
from tests.application.world import SHOP, World, committed, eventually

HOUR = 3_600
START = Micros(1_763_726_400_000_000)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> Micros:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def builders(world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> "Builders":
    """Builds are told by their environment, as a worker's are."""
    monkeypatch.setenv("ENDCAP_DATA_DIR", str(world.data_dir))
    monkeypatch.setenv("ENDCAP_DATABASE_URL", world.url)
    monkeypatch.setenv("ENDCAP_MASTER_KEY", "a master key of some length")
    return Builders(world, clock)


class Builders:
    """Makes workers' schedules over one world."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock

    def __call__(
        self,
        *,
        program: str | None = None,
        store: Store | None = None,
        data_dir: Path | None = None,
        build_seconds_max: float = 60,
    ) -> Builder:
        """One that builds every hour, with the server's own process or another Python program."""
        command = {} if program is None else {"command": (sys.executable, "-c", program)}
        return Builder(
            store or self._world.here,
            self._world.source,
            data_dir or self._world.data_dir,
            Every(HOUR),
            clock=self._clock,
            build_seconds_max=build_seconds_max,
            **command,  # type: ignore[arg-type]
        )


def known(world: World) -> Build:
    return world.elsewhere.builds().get(SHOP) or Build(SHOP, None, START, False, BuildRecord())


def served(world: World) -> str | None:
    row = world.elsewhere.tracker(SHOP)
    assert row is not None
    return row.artifact


def says(**what: object) -> str:
    """A program that says one line, as a build does."""
    return f"print({json.dumps(json.dumps(what))}, flush=True)"


SLEEP = "import sys; sys.stdin.read()"
"""A program that lasts until it is told to end."""


def test_what_is_due_is_built_and_served(
    world: World, builders: Builders, logged: Logged, clock: Clock
) -> None:
    """By a process of its own, at the first look; in the audit log as the schedule's."""
    ordered(world)

    builders().look()

    name = served(world)
    assert name is not None
    assert len(load_artifact(artifacts_directory(world.data_dir, SHOP) / name).scores) == 2
    record = known(world).record
    assert (record.result, record.artifact, record.failures) == ("built", name, 0)
    assert record.inputs == inputs_of(world.data_dir, SHOP, world.source)
    assert known(world).holder is None
    *_, change = world.elsewhere.history(SHOP)
    assert (change.kind, change.subject, change.actor) == ("artifact", name, "schedule")
    assert [each["event"] for each in logged] == ["build began", "build done"]


def test_nothing_is_built_without_new_orders(
    world: World, builders: Builders, clock: Clock
) -> None:
    """Not before the time has come, and not if there is nothing new then; that it was looked at is on record."""
    ordered(world)
    builder = builders()
    builder.look()
    first = served(world)

    ordered(world, item="/p/3")
    builder.look()
    assert served(world) == first

    clock.now = Micros(START + HOUR * SECOND)
    builder.look()
    second = served(world)
    assert second not in (None, first)

    clock.now = Micros(START + 2 * HOUR * SECOND)
    builder.look()
    assert served(world) == second
    record = known(world).record
    assert (record.result, record.began_at) == ("unchanged", clock.now)
    assert artifacts(world) == {first, second}


def test_an_artifact_that_is_gone_is_built_again(
    world: World, builders: Builders, clock: Clock
) -> None:
    """Also of the same orders."""
    ordered(world)
    builders().look()
    first = served(world)
    assert first is not None
    (artifacts_directory(world.data_dir, SHOP) / first / "manifest.json").unlink()

    clock.now = Micros(START + HOUR * SECOND)
    builders().look()

    assert known(world).record.result == "built"


def test_without_orders_nobody_is_kept_from_building(world: World, builders: Builders) -> None:
    """The orders may be on another host, which then builds; here nothing is claimed."""
    builders().look()

    assert world.elsewhere.builds() == {}
    assert served(world) is None


def test_of_two_hosts_one_builds(world: World, builders: Builders, logged: Logged) -> None:
    """At the same time, each with its own store and directory, which share their orders."""
    ordered(world)
    elsewhere = world.data_dir.with_name("elsewhere")
    elsewhere.mkdir()
    for name in ("orders", "artifacts"):
        (world.data_dir / name).mkdir(exist_ok=True)
        (elsewhere / name).symlink_to(world.data_dir / name)
    both = [builders(), builders(store=world.elsewhere, data_dir=elsewhere)]

    threads = [threading.Thread(target=each.look) for each in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in both:
        each.look()

    assert [each["event"] for each in logged] == ["build began", "build done"]
    assert len(artifacts(world)) == 1


def test_of_two_workers_of_a_directory_one_builds_at_a_time(
    world: World, builders: Builders
) -> None:
    """Another tracker's too: a build takes a gigabyte."""
    other = TrackerId("other")
    committed(world.here, world.tracker(other))
    ordered(world)
    builder = builders(program=SLEEP)
    with running(builder):
        eventually(lambda: known(world).record.step == "starting")
        ordered(world, other)

        builders(store=world.elsewhere).look()

        assert set(world.elsewhere.builds()) == {SHOP}


@contextmanager
def running(builder: Builder) -> Iterator[None]:
    builder.start()
    try:
        yield
    finally:
        builder.stop()


def test_who_holds_the_lease_is_left_alone(world: World, builders: Builders, clock: Clock) -> None:
    """Somebody builds by command: the schedule comes back later."""
    ordered(world)
    lease = claim(world.elsewhere, SHOP, clock=clock)
    lease.begin()

    builders().look()
    assert served(world) is None

    lease.release()
    builders().look()
    assert served(world) is not None


def test_a_paused_tracker_is_left_alone(world: World, builders: Builders) -> None:
    """Until it is not paused any more."""
    ordered(world)
    world.elsewhere.pause_build(SHOP, paused=True)
    builders().look()
    assert served(world) is None

    world.elsewhere.pause_build(SHOP, paused=False)
    builders().look()
    assert served(world) is not None


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (says(problem="no space left") + "; raise SystemExit(1)", "no space left"),
        ("raise SystemExit(7)", "code 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signal 9"),
        ("print('words of a library')", "code 0"),
        (says(step="orders") + "\nraise SystemExit(1)", "code 1"),
    ],
)
def test_a_failure_is_on_record_and_tried_again_later(
    world: World, builders: Builders, clock: Clock, logged: Logged, program: str, reason: str
) -> None:
    """What was served is served; each failure doubles the pause."""
    ordered(world)

    builders(program=program).look()

    record = known(world).record
    assert (record.result, record.failures) == ("failed", 1)
    assert reason in str(record.reason)
    assert served(world) is None
    assert (logged[-1]["event"], logged[-1]["retry_seconds"]) == ("build failed", 60)

    builders().look()
    assert served(world) is None
    clock.now = Micros(START + 60 * SECOND)
    builders(program=program).look()
    assert known(world).record.failures == 2
    clock.now = Micros(START + 180 * SECOND)
    builders().look()
    assert served(world) is not None
    assert known(world).record.failures == 0


def test_orders_that_cannot_be_read_fail_with_their_names(
    world: World, builders: Builders, logged: Logged
) -> None:
    """The process says what it knows, and leaves nothing behind."""
    ordered(world)
    (spoiled,) = (world.data_dir / "orders").glob("*/*.parquet")
    spoiled.write_bytes(b"PAR1 and nothing else")

    builders().look()

    assert spoiled.name in str(known(world).record.reason)
    assert artifacts(world) == set()


def test_a_build_that_hangs_is_ended(world: World, builders: Builders) -> None:
    """It failed, then."""
    ordered(world)

    builders(program=SLEEP, build_seconds_max=0.3).look()

    assert "not done after 0.3 seconds" in str(known(world).record.reason)


def test_stopping_ends_a_build_and_leaves_it_due(
    world: World, builders: Builders, clock: Clock, logged: Logged
) -> None:
    """The worker ends in good order, and its successor begins anew."""
    ordered(world)
    with running(builders(program=says(step="orders (0 of 5)") + "\n" + SLEEP)):
        eventually(lambda: known(world).is_held_by_somebody(clock.now))

    assert known(world).holder is None
    assert known(world).record.result is None
    assert logged[-1]["event"] == "build stopped"
    builders().look()
    assert served(world) is not None


def test_what_somebody_published_meanwhile_stays(
    world: World, builders: Builders, clock: Clock, logged: Logged
) -> None:
    """Who went back to an older artifact during a build is not overruled by it, nor a minute later."""
    ordered(world)
    builders().look()
    first = served(world)
    assert first is not None
    ordered(world, item="/p/3")
    clock.now = Micros(START + HOUR * SECOND)
    builders().look()
    ordered(world, item="/p/4")

    clock.now = Micros(START + 2 * HOUR * SECOND)
    roll_back(world.here, world.data_dir, SHOP, first, actor="ann", now=world.tick())
    program = says(problem="Another artifact was published", code="artifact_conflict")
    builders(program=program + "; raise SystemExit(1)").look()

    assert served(world) == first
    record = known(world).record
    assert (record.result, record.inputs) == (
        "superseded",
        inputs_of(world.data_dir, SHOP, world.source),
    )
    assert logged[-1]["event"] == "build superseded"
    clock.now = Micros(START + 3 * HOUR * SECOND)
    builders().look()
    assert (served(world), known(world).record.result) == (first, "unchanged")


def test_older_artifacts_are_deleted_and_leftovers_too(
    world: World,
    builders: Builders,
    clock: Clock,
    logged: Logged,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those beyond ENDCAP_ARTIFACTS_KEPT that were left long ago; drafts of a build that was killed."""
    monkeypatch.setenv("ENDCAP_ARTIFACTS_KEPT", "1")
    ordered(world)
    folder = artifacts_directory(world.data_dir, SHOP)
    for name in ("20200101T000000Z-00000000", "20200102T000000Z-00000000"):
        (folder / name).mkdir(parents=True)
        _age(folder / name)
    (folder / ".draft-killed").mkdir()

    builders().look()

    assert artifacts(world) == {served(world), "20200102T000000Z-00000000"}


def _age(path: Path) -> None:

    os.utime(path, (1_600_000_000, 1_600_000_000 + int(path.name[6:8])))


def test_one_trackers_trouble_is_not_the_others(
    world: World, builders: Builders, logged: Logged
) -> None:
    """A folder that cannot be read keeps nobody else from being built."""
    other = TrackerId("0-before-the-shop")
    committed(world.here, world.tracker(other))
    ordered(world)
    (world.data_dir / "orders" / f"tracker={other}").mkdir(parents=True)
    dangling = world.data_dir / "orders" / f"tracker={other}" / "2.parquet"
    (world.data_dir / "orders" / f"tracker={other}" / "1.parquet").write_bytes(b"")
    dangling.symlink_to("nowhere")

    builders().look()

    assert served(world) is not None
    assert logged[0]["event"] == "schedule failed"


def test_without_a_schedule_what_is_known_is_read_all_the_same(world: World, clock: Clock) -> None:
    """For /metrics: builds by command are builds."""
    ordered(world)
    builder = Builder(world.here, world.source, world.data_dir, None, clock=clock)
    claim(world.elsewhere, SHOP, clock=clock).built("artifact", inputs=None)

    with running(builder):
        eventually(lambda: SHOP in builder.builds)

    assert builder.builds[SHOP].record.artifact == "artifact"
    assert served(world) is None


def told(world: World, name: str, **what: object) -> None:
    """A shopper's event."""
    body = {"id": name, "tracker_id": SHOP, "client_id": 7, **what}
    at = world.tick()
    event = Event(SHOP, name, str(body["type"]), "7", None, at, at, json.dumps(body).encode())
    world.events.append([event])


def bought(world: World, name: str, *items: str) -> None:
    told(world, name, type="transaction", items=[{"url": each} for each in items])


def test_what_shoppers_tell_is_learned_when_it_is_due(
    world: World, builders: Builders, clock: Clock
) -> None:
    """Orders from events alone; told something new, it is built again, and else not."""
    bought(world, "a", "/p/1", "/p/2")
    builders().look()
    first = served(world)
    assert first is not None

    clock.now = Micros(START + HOUR * SECOND)
    builders().look()
    assert (served(world), known(world).record.result) == (first, "unchanged")

    bought(world, "b", "/p/1", "/p/3")
    clock.now = Micros(START + 2 * HOUR * SECOND)
    builders().look()

    second = served(world)
    assert second not in (None, first)
    scores = load_artifact(artifacts_directory(world.data_dir, SHOP) / str(second)).scores
    assert len(scores) == 3
    assert known(world).record.inputs == inputs_of(world.data_dir, SHOP, world.source)


def test_shoppers_who_bought_nothing_yet_are_no_failure(
    world: World, builders: Builders, logged: Logged, clock: Clock
) -> None:
    """There is nothing to learn from, and nothing to be told of; with the first order there is."""
    told(world, "a", type="pv", url="/p/1")

    builders().look()

    record = known(world).record
    assert (record.result, record.failures, served(world)) == ("unchanged", 0, None)
    assert "build failed" not in [each["event"] for each in logged]
    bought(world, "b", "/p/1")
    clock.now = Micros(START + HOUR * SECOND)
    builders().look()
    assert served(world) is not None


def test_going_back_needs_no_build(world: World, builders: Builders, clock: Clock) -> None:
    """It goes on while one is under way, and is in the log with who did it."""
    ordered(world)
    builders().look()
    first = served(world)
    assert first is not None
    ordered(world, item="/p/3")
    clock.now = Micros(START + HOUR * SECOND)
    builders().look()
    lease = claim(world.elsewhere, SHOP, clock=clock)

    roll_back(world.here, world.data_dir, SHOP, first, actor="ann", now=world.tick())

    lease.release()
    assert served(world) == first
    *_, change = world.elsewhere.history(SHOP)
    assert (change.subject, change.actor) == (first, "ann")
