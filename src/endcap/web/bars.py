"""
Windows as bars on a calendar: which days each covers, and in which lane it lies so that no two lie over each other.

Pure. Columns are days of a period, from 0. A bar covers every day of which any moment is inside its window, on the
shop's calendar; what goes on beyond the period is cut, and says so.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta, tzinfo
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from endcap.domain import ALWAYS, Micros, Pin, Window
from endcap.web import times

View = Literal["month", "week"]
WEEK_DAYS = 7


class Period(Struct, frozen=True):
    """Some days on the shop's calendar; `since` is their first instant, `until` the first that is past them."""

    first: date
    days: int
    zone: tzinfo

    @property
    def since(self) -> Micros:
        return times.begins(self.first, self.zone)

    @property
    def until(self) -> Micros:
        return times.begins(self.after, self.zone)

    @property
    def after(self) -> date:
        """The day after the last."""
        return self.first + timedelta(days=self.days)

    def column(self, day: date) -> int:
        """0-based; negative, or beyond the last, for a day that is not in it."""
        return (day - self.first).days

    def dates(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.days)]


def period_of(view: View, day: date, zone: tzinfo) -> Period:
    """The month, or the week from Monday to Sunday, that a day is in."""
    if view == "week":
        return Period(times.week_of(day), WEEK_DAYS, zone)
    first = day.replace(day=1)
    return Period(first, (_next_month(first) - first).days, zone)


def before(period: Period) -> date:
    """A day of the period before."""
    return period.first - timedelta(days=1)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


class Bar(Struct, frozen=True):
    """One window, and how many pins it is of. `first` and `last` are the columns that it covers."""

    window: Window
    pins: tuple[int, ...]
    """By index."""
    first: int
    last: int
    begins_before: bool
    ends_after: bool
    lane: int = 0

    @property
    def days(self) -> int:
        return self.last - self.first + 1


def bars_of(pins: Iterable[Pin], period: Period) -> list[Bar]:
    """Of all windows with a bound that touch the period: those that begin first come first, in the lowest lane free."""
    by_window: dict[Window, list[int]] = {}
    for index, pin in enumerate(pins):
        if pin.window != ALWAYS:
            by_window.setdefault(pin.window, []).append(index)
    found = (_bar(window, tuple(indexes), period) for window, indexes in by_window.items())
    return _in_lanes([bar for bar in found if bar is not None])


def _bar(window: Window, pins: tuple[int, ...], period: Period) -> Bar | None:
    opens, closes = window.opens, window.closes
    first, last, zone = 0, period.days - 1, period.zone
    if opens is not None:
        first = period.column(times.day_of(opens, zone))
    if closes is not None:
        last = period.column(times.day_of(Micros(closes - 1), zone))
    if last < 0 or first >= period.days:
        return None
    return Bar(
        window,
        pins,
        max(first, 0),
        min(last, period.days - 1),
        opens is None or first < 0,
        closes is None or last >= period.days,
    )


def _in_lanes(found: Sequence[Bar]) -> list[Bar]:
    laid: list[Bar] = []
    ends: list[int] = []
    """By lane: the last column that is taken."""
    for bar in sorted(found, key=lambda each: (each.first, -each.last, each.pins)):
        lane = next((lane for lane, end in enumerate(ends) if end < bar.first), len(ends))
        ends[lane : lane + 1] = [bar.last]
        laid.append(replace(bar, lane=lane))
    return laid
