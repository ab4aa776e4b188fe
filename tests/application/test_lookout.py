"""
A thread that looks every so often: until it is stopped, whatever a look raises.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from endcap.errors import StoreUnavailable
from endcap.lookout import Lookout
from tests.application.world import eventually

HOUR_SECONDS = 3_600.0


class Looks:
    """Counts; each look first does what it is told, and `failures` are what the lookout told of them."""

    def __init__(self, each: Callable[[], object] = lambda: None) -> None:
        self._each = each
        self.count = 0
        self.failures: list[Exception] = []

    def __call__(self) -> None:
        self.count += 1
        self._each()

    def lookout(self, seconds: float) -> Lookout:
        return Lookout(self, seconds, name="looks", failed=self.failures.append)


@contextmanager
def running(lookout: Lookout) -> Iterator[None]:
    lookout.start()
    try:
        yield
    finally:
        lookout.stop()


def fail_with(error: Exception) -> Callable[[], object]:
    def fail() -> None:
        raise error

    return fail


def test_it_looks_at_once_and_again() -> None:
    """Until it is stopped, and then no more."""
    looks = Looks()

    with running(looks.lookout(0.001)):
        eventually(lambda: looks.count > 2)

    assert "looks" not in {each.name for each in threading.enumerate()}


def test_what_a_look_raises_is_told_and_outlived() -> None:
    """Whatever it is."""
    error = RuntimeError("a broken file")
    looks = Looks(fail_with(error))

    with running(looks.lookout(0.001)):
        eventually(lambda: looks.count > 2)

    assert looks.failures == [error] * looks.count


def test_a_store_that_is_away_is_not_told() -> None:
    """Others say so, once for all."""
    looks = Looks(fail_with(StoreUnavailable()))

    with running(looks.lookout(0.001)):
        eventually(lambda: looks.count > 2)

    assert looks.failures == []


def test_a_pause_ends_when_it_is_stopped() -> None:
    """However long it is: with an hour of it the test would not end."""
    looks = Looks()

    with running(looks.lookout(HOUR_SECONDS)):
        eventually(lambda: looks.count == 1)

    assert looks.count == 1


def test_the_first_look_may_come_after_a_pause() -> None:
    """Of somebody who has just looked."""
    looks = Looks()
    lookout = looks.lookout(HOUR_SECONDS)

    lookout.start_later()
    lookout.stop()

    assert looks.count == 0


def test_a_look_that_lasts_is_told_to_end() -> None:
    """And is waited for."""
    begun, ended = threading.Event(), threading.Event()

    def look() -> None:
        begun.set()
        lookout.stopping.wait(HOUR_SECONDS)
        ended.set()

    lookout = Looks(look).lookout(0.001)
    with running(lookout):
        begun.wait()

    assert ended.is_set()


@pytest.mark.parametrize("times", [1, 2])
def test_one_that_was_never_started_may_be_stopped(times: int) -> None:
    """As often as one likes."""
    lookout = Looks().lookout(HOUR_SECONDS)

    for _ in range(times):
        lookout.stop()
