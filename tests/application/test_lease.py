"""
One build of a tracker at a time, for as long as its holder is there.
"""

import pytest

from endcap.domain import Micros
from endcap.errors import BuildUnderWay
from endcap.lease import Lease, claim
from endcap.store.port import Store
from endcap.store.states import Build, BuildRecord
from tests.application.world import SHOP, World, eventually

SECOND = 1_000_000


class Clock:
    def __init__(self) -> None:
        self.now = Micros(1_763_726_400_000_000)

    def __call__(self) -> Micros:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now = Micros(self.now + round(seconds * SECOND))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def leased(store: Store, clock: Clock, seconds: float = 60) -> Lease:
    return claim(store, SHOP, clock=clock, seconds=seconds)


def known(world: World) -> Build:
    return world.elsewhere.builds()[SHOP]


def test_a_second_one_is_told_who_builds(world: World, clock: Clock) -> None:
    """Until the first lets go."""
    lease = leased(world.here, clock)
    lease.begin()

    with pytest.raises(BuildUnderWay, match=r"process \d+ on .+ since 2025-11-21T12:00:00Z"):
        leased(world.elsewhere, clock)

    lease.built("artifact", inputs="5f")
    leased(world.elsewhere, clock).release()


def test_what_is_under_way_is_seen(world: World, clock: Clock) -> None:
    """With each prolongation, which comes several times in the time of a lease."""
    lease = leased(world.here, clock, seconds=0.04)
    lease.begin()
    assert known(world).record == BuildRecord(began_at=clock.now, step="starting")

    lease.say("neighbours (2 of 5)")
    eventually(lambda: known(world).record.step == "neighbours (2 of 5)")
    until = known(world).held_until
    clock.pass_(1)
    eventually(lambda: known(world).held_until == until + SECOND)

    lease.release()
    assert known(world).holder is None


def test_each_end_is_on_record(world: World, clock: Clock) -> None:
    """A success, one without news, failures in a row; what the last success was stays."""
    began = clock.now
    lease = leased(world.here, clock)
    lease.begin()
    clock.pass_(7.5)
    lease.built("artifact", inputs="5f")
    success = BuildRecord(
        began_at=began,
        ended_at=clock.now,
        result="built",
        built_at=clock.now,
        built_seconds=7.5,
        artifact="artifact",
        inputs="5f",
    )
    assert known(world).record == success

    clock.pass_(60)
    leased(world.here, clock).unchanged()
    record = known(world).record
    assert (record.result, record.began_at, record.ended_at) == ("unchanged", clock.now, clock.now)
    assert (record.artifact, record.built_at, record.inputs) == ("artifact", success.built_at, "5f")

    for failures in (1, 2):
        lease = leased(world.here, clock)
        lease.begin()
        lease.failed("no space left")
        record = known(world).record
        assert (record.result, record.reason, record.failures) == ("failed", "no space left", failures)  # fmt: skip
        assert (record.artifact, record.step) == ("artifact", None)

    lease = leased(world.here, clock)
    lease.begin()
    lease.superseded("somebody else published", inputs="60")
    record = known(world).record
    assert (record.result, record.failures, record.inputs) == ("superseded", 0, "60")
    assert (record.artifact, record.reason) == ("artifact", "somebody else published")


def test_letting_go_leaves_no_trace(world: World, clock: Clock) -> None:
    """As if nothing had been tried: it is due as before."""
    leased(world.here, clock).built("artifact", inputs="5f")
    before = known(world).record
    clock.pass_(60)

    lease = leased(world.here, clock)
    lease.begin()
    lease.say("popularity")
    lease.release()

    assert known(world).record == before


def test_who_was_away_too_long_loses_it(world: World, clock: Clock) -> None:
    """It learns so when it asks for more time, and what it says then is not heard."""
    late = leased(world.here, Clock(), seconds=0.04)  # by whose clock no time passed
    late.begin()
    clock.pass_(61)
    now = leased(world.elsewhere, clock)
    now.begin()

    eventually(late.lost.is_set)
    late.failed("too late")

    assert known(world).holder is not None
    assert known(world).record.result is None
    now.built("artifact", inputs=None)
    assert known(world).record.result == "built"
