"""
The breaker: when it opens, what it lets through, and when it closes again.
"""

from hypothesis import given
from hypothesis import strategies as st

from endcap.breaker import Breaker, State


def breaker() -> Breaker:
    return Breaker(failures=3, window_seconds=10, open_seconds=5)


def opened(at: float = 0) -> Breaker:
    made = breaker()
    assert [made.failed(at) for _ in range(3)] == [False, False, True]
    return made


def test_it_opens_after_so_many_failures() -> None:
    """And lets nothing through for a while."""
    made = opened()

    assert made.state is State.OPEN
    assert not made.lets_through(4.9)
    assert made.lets_through(5)


def test_failures_are_counted_within_a_window() -> None:
    """Those of the one before are forgotten."""
    made = breaker()

    assert not made.failed(0)
    assert not made.failed(9.9)
    assert not made.failed(10)
    assert not made.failed(11)
    assert made.failed(12)


def test_few_among_many_open_nothing() -> None:
    """A service that answers nine of ten questions is worth asking."""
    made = breaker()

    for second in range(100):
        assert not any(made.succeeded(second / 10) for _ in range(9))
        assert not made.failed(second / 10)
    assert made.state is State.CLOSED


def test_one_call_tries_again() -> None:
    """While it is under way no other is let through; if it succeeds, all are."""
    made = opened()

    assert made.lets_through(5)
    assert not made.lets_through(5)
    assert made.succeeded(6)
    assert made.lets_through(6)
    assert made.state is State.CLOSED
    assert not made.failed(6.1), "what failed before it opened does not count any more"


def test_a_try_that_fails_waits_as_long_again() -> None:
    """From the failure on."""
    made = opened()
    assert made.lets_through(5)

    assert made.failed(6)

    assert not made.lets_through(10.9)
    assert made.lets_through(11)


def test_a_try_that_never_ends_is_none() -> None:
    """After a while another one may try."""
    made = opened()
    assert made.lets_through(5)

    assert not made.lets_through(9.9)
    assert made.lets_through(10)


def test_what_was_under_way_when_it_opened_changes_nothing() -> None:
    """Neither late answers nor late failures."""
    made = opened()

    assert not made.succeeded(1)
    assert not made.failed(2)

    assert not made.lets_through(4.9)
    assert made.lets_through(5)


@given(st.lists(st.tuples(st.sampled_from("+-?"), st.floats(0, 7)), max_size=60))
def test_an_open_one_never_lets_two_through_at_once(steps: list[tuple[str, float]]) -> None:
    """Whatever happens: within the time that it stays open, one try at most."""
    made = breaker()
    now, tried_at = 0.0, float("-inf")

    for what, seconds in steps:
        now += seconds
        was_closed = made.state is State.CLOSED
        if what == "+":
            made.succeeded(now)
        elif what == "-":
            made.failed(now)
        elif made.lets_through(now) and not was_closed:
            assert now - tried_at >= 5 or made.state is State.CLOSED
            tried_at = now
        if made.state is State.CLOSED:
            tried_at = float("-inf")
