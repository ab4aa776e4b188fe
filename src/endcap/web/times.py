"""
Days and clocks of the shop: between instants, which are what is kept, and what a calendar on its wall says.

Pure. A zone may have days of 23 or 25 hours. What a clock never shows (02:30 of a spring night) is taken for as much
later as the clock is put forward; of what it shows twice, the first is meant. These are the rules of
[RFC 5545](https://www.rfc-editor.org/rfc/rfc5545#section-3.3.5) and of `datetime` with `fold=0`.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from endcap.domain import Micros
from endcap.errors import FaultyFields

DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)


def wall(at: Micros, zone: tzinfo) -> datetime:
    """What calendar and clock say at an instant; without a zone. What lies beyond their years is told as their end."""
    micros = min(max(at, _micros(_FIRST)), _micros(_LAST))
    moment = (_EPOCH + timedelta(microseconds=micros)).astimezone(zone)
    return moment.replace(tzinfo=None)


def instant_of(said: datetime, zone: tzinfo) -> Micros:
    """When calendar and clock say this."""
    return _micros(said.replace(tzinfo=zone))


def day_of(at: Micros, zone: tzinfo) -> date:
    return wall(at, zone).date()


def begins(day: date, zone: tzinfo) -> Micros:
    """The first instant of a day: midnight, or when the clock is put forward over it, that moment."""
    midnight = datetime.combine(day, time())
    at = instant_of(midnight, zone)
    if wall(at, zone) == midnight:
        return at
    # 00:00 is not on that day's clock. The day begins when the day before ends; offsets change at whole seconds.
    low, high = instant_of(midnight - DAY, zone), at
    while high - low > 1_000_000:
        middle = Micros((low + high) // 2_000_000 * 1_000_000)
        low, high = (low, middle) if day_of(middle, zone) >= day else (middle, high)
    return high


def moved(at: Micros, days: int, zone: tzinfo) -> Micros:
    """So many days later, at the same time of day. Raises OverflowError beyond the years 1 to 9999."""
    return at if days == 0 else instant_of(wall(at, zone) + days * DAY, zone)


def field_text(at: Micros, zone: tzinfo) -> str:
    """As a field `datetime-local` takes it: `2026-11-22T14:00`, with seconds where there are some."""
    said = wall(at, zone)
    return said.isoformat(timespec="seconds" if said.second else "minutes")


def read_field(text: str, zone: tzinfo, field: str) -> Micros:
    """What such a field sends, or a day alone: its beginning. Raises FaultyFields."""
    try:
        if len(text) == len("2026-11-22"):
            return begins(date.fromisoformat(text), zone)
        said = datetime.fromisoformat(text)
        if said.tzinfo is None:
            return instant_of(said, zone)
    except (ValueError, OverflowError):
        pass
    raise FaultyFields(
        "This is no day and time", {field: ["Write it like 2026-11-22 14:00, or 2026-11-22"]}
    )


def week_of(day: date) -> date:
    """The Monday of its week."""
    return day - day.weekday() * DAY


def _micros(moment: datetime) -> Micros:
    return Micros((moment - _EPOCH) // _MICROSECOND)
