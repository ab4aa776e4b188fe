"""
When a tracker's recommenders are to be built: `6h` after the last attempt, or every day at `04:30`.

Pure: what is known of the builds so far is given, and the time is an argument. An attempt that failed is made again
sooner than the next regular one where that is far away, and later where it is near, each time after twice the pause.
"""

import re
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from endcap.domain import Micros
from endcap.errors import UsageFault
from endcap.store.states import Build

SECOND = 1_000_000
RETRY_SECONDS_MIN = 60  # after the first failure
RETRY_SECONDS_MAX = 3_600  # or the schedule's own pause, if that is longer
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_EVERY = re.compile(r"([1-9]\d{0,8})([smhd])")
_DAILY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class Every(Struct, frozen=True):
    """So long after the last attempt began."""

    seconds: int

    def next_after(self, began_at: Micros) -> Micros:
        return Micros(began_at + self.seconds * SECOND)


class Daily(Struct, frozen=True):
    """Once a day, at so many minutes after midnight UTC."""

    minutes: int

    seconds = _UNITS["d"]

    def next_after(self, began_at: Micros) -> Micros:
        began = datetime.fromtimestamp(began_at / SECOND, UTC)
        at = began.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(
            minutes=self.minutes
        )
        if at <= began:
            at += timedelta(days=1)
        return Micros(int(at.timestamp()) * SECOND)


Schedule = Every | Daily


def read_schedule(text: str) -> Schedule | None:
    """`90s`, `30m`, `6h`, `1d`, or a time of day in UTC like `04:30`; None for an empty text. Raises UsageFault."""
    if not text:
        return None
    if every := _EVERY.fullmatch(text):
        return Every(int(every[1]) * _UNITS[every[2]])
    if daily := _DAILY.fullmatch(text):
        return Daily(int(daily[1]) * 60 + int(daily[2]))
    raise UsageFault(
        f"ENDCAP_BUILD_EVERY cannot be {text!r}: give a pause like 30m, 6h or 1d, or a time of day in UTC like 04:30"
    )


def due_at(schedule: Schedule, build: Build | None) -> Micros | None:
    """When a tracker is to be built next; at once where it never was, never (None) while that is paused."""
    if build is not None and build.is_paused:
        return None
    if build is None or build.record.began_at is None:
        return Micros(0)
    record = build.record
    if record.failures and record.ended_at is not None:
        return Micros(record.ended_at + retry_seconds(schedule, record.failures) * SECOND)
    return schedule.next_after(build.record.began_at)


def retry_seconds(schedule: Schedule, failures: int) -> int:
    """How long after so many failures in a row there is another attempt."""
    longest = max(schedule.seconds, RETRY_SECONDS_MAX)
    doublings = min(failures - 1, 20)
    return min(RETRY_SECONDS_MIN << doublings, longest)
