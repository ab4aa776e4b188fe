"""
When builds are due.
"""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.config import load
from endcap.domain import Micros, TrackerId
from endcap.errors import UsageFault
from endcap.schedule import SECOND, Daily, Every, Schedule, due_at, read_schedule, retry_seconds
from endcap.store.states import Build, BuildRecord

HOUR, DAY = 3_600, 86_400


def at(text: str) -> Micros:
    return Micros(int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * SECOND))


def build(record: BuildRecord, *, paused: bool = False) -> Build:
    return Build(TrackerId("1"), None, Micros(0), paused, record)


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("2s", Every(2)),
        ("30m", Every(1_800)),
        ("6h", Every(6 * HOUR)),
        ("1d", Every(DAY)),
        ("04:30", Daily(270)),
        ("00:00", Daily(0)),
        ("", None),
    ],
)
def test_a_schedule_is_a_pause_or_a_time_of_day(text: str, schedule: Schedule | None) -> None:
    """Nothing is none: builds by command alone."""
    assert read_schedule(text) == schedule
    assert load({"ENDCAP_BUILD_EVERY": text}).schedule == schedule


@pytest.mark.parametrize(
    "text", ["6", "0h", "6 h", "1w", "24:00", "4:30", "04:60", "-1d", "1.5h", "9" * 12 + "d"]
)
def test_anything_else_is_refused_with_what_there_is(text: str) -> None:
    """When settings are read, not when a worker starts."""
    with pytest.raises(UsageFault, match=r"ENDCAP_BUILD_EVERY.*30m, 6h or 1d.*04:30"):
        load({"ENDCAP_BUILD_EVERY": text})


def test_what_was_never_built_is_due() -> None:
    """At once, by either kind of schedule."""
    for schedule in (Every(DAY), Daily(270)):
        assert due_at(schedule, None) == 0
        assert due_at(schedule, build(BuildRecord())) == 0


def test_a_pause_counts_from_the_beginning_of_the_last_attempt() -> None:
    """So that builds that take long do not drift."""
    record = BuildRecord(began_at=at("2026-11-21T10:00:00"), ended_at=at("2026-11-21T11:30:00"))

    assert due_at(Every(6 * HOUR), build(record)) == at("2026-11-21T16:00:00")


@pytest.mark.parametrize(
    ("began", "due"),
    [
        ("2026-11-21T04:29:59", "2026-11-21T04:30:00"),
        ("2026-11-21T04:30:00", "2026-11-22T04:30:00"),
        ("2026-12-31T23:00:00", "2027-01-01T04:30:00"),
        ("2028-02-28T05:00:00", "2028-02-29T04:30:00"),
    ],
)
def test_a_time_of_day_is_the_next_one(began: str, due: str) -> None:
    """After the last attempt began, in UTC."""
    assert due_at(Daily(270), build(BuildRecord(began_at=at(began)))) == at(due)


def test_a_failure_is_tried_again_soon_and_then_later() -> None:
    """After a minute, two, four …, at most an hour, or the schedule's own pause if that is longer."""
    assert [retry_seconds(Every(6 * HOUR), n) for n in (1, 2, 3, 6, 7, 60)] == [
        60, 120, 240, 1_920, 3_840, 6 * HOUR,
    ]  # fmt: skip
    assert retry_seconds(Every(2), 1) == 60
    assert retry_seconds(Every(2), 60) == HOUR
    assert retry_seconds(Daily(0), 60) == DAY
    failed = BuildRecord(
        began_at=at("2026-11-21T10:00"), ended_at=at("2026-11-21T10:05"), failures=2
    )
    assert due_at(Every(DAY), build(failed)) == at("2026-11-21T10:07")


def test_a_pause_of_the_schedule_is_for_as_long_as_it_lasts() -> None:
    """Also where nothing was built yet."""
    assert due_at(Every(2), build(BuildRecord(), paused=True)) is None
    assert due_at(Daily(0), build(BuildRecord(began_at=Micros(5)), paused=True)) is None


@given(
    schedule=st.builds(Every, st.integers(1, 10 * DAY)) | st.builds(Daily, st.integers(0, 1_439)),
    began=st.integers(0, 2**51),
)
def test_the_next_attempt_is_after_the_last(schedule: Schedule, began: int) -> None:
    """And no later than the schedule's pause after it."""
    due = due_at(schedule, build(BuildRecord(began_at=Micros(began))))

    assert due is not None
    assert 0 < due - began <= schedule.seconds * SECOND
