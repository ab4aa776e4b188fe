"""
Bars of a calendar: they cover exactly the days of their windows, and no two lie over each other.
"""

from datetime import date, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.domain import ALWAYS, ItemId, Micros, Pin, Slot, Window
from endcap.web import times
from endcap.web.bars import Period, View, bars_of, before, period_of
from tests.web.test_times import at

UTC, PRAGUE, CAIRO = (ZoneInfo(each) for each in ("UTC", "Europe/Prague", "Africa/Cairo"))
HOUR = 3_600_000_000


def pin(window: Window) -> Pin:
    return Pin(Slot(1), ItemId("/p/1"), window=window)


# Around both nights in which Prague changes its clocks, and that in which Cairo has no midnight.
AROUND = [at("2026-03-29"), at("2026-10-25"), at("2026-04-24"), at("2026-12-31")]
instants = st.builds(
    lambda day, quarters: Micros(day + quarters * HOUR // 4),
    st.sampled_from(AROUND),
    st.integers(-40 * 96, 40 * 96),
)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    one, other = sorted(draw(st.lists(instants, min_size=2, max_size=2, unique=True)))
    return Window(
        draw(st.sampled_from([one, one, None])), draw(st.sampled_from([other, other, None]))
    )


@st.composite
def periods(draw: st.DrawFn) -> Period:
    view: View = draw(st.sampled_from(["month", "week"]))
    zone = draw(st.sampled_from([UTC, PRAGUE, CAIRO]))
    day = times.day_of(draw(instants), zone)
    return period_of(view, day, zone)


@given(st.lists(windows(), max_size=8), periods())
def test_bars_cover_the_days_of_their_windows_and_lie_apart(
    given_: list[Window], period: Period
) -> None:
    """A day is covered if, and only if, a moment of it is in the window; one bar a window; lanes from 0 on."""
    bars = bars_of([pin(each) for each in given_], period)

    for window in set(given_) - {ALWAYS}:
        mine = [bar for bar in bars if bar.window == window]
        covered = {column for bar in mine for column in range(bar.first, bar.last + 1)}
        wanted = {
            period.column(day)
            for day in period.dates()
            if _touches(window, times.begins(day, period.zone), _ends(day, period))
        }
        assert covered == wanted
        assert len(mine) == bool(wanted)
        for bar in mine:
            assert [given_[index] for index in bar.pins] == [window] * given_.count(window)
            assert bar.begins_before == (window.opens is None or window.opens < period.since)
            assert bar.ends_after == (window.closes is None or window.closes > period.until)
    for one, other in combinations(bars, 2):
        if one.lane == other.lane:
            assert one.last < other.first or other.last < one.first
    assert {bar.lane for bar in bars} == set(range(max((b.lane + 1 for b in bars), default=0)))


def _ends(day: date, period: Period) -> Micros:
    return times.begins(day + timedelta(days=1), period.zone)


def _touches(window: Window, since: Micros, until: Micros) -> bool:
    opens = since if window.opens is None else window.opens
    closes = until if window.closes is None else window.closes
    return opens < until and closes > since


def test_no_more_lanes_than_needed() -> None:
    """As many as there are bars on the fullest day."""
    days = [(1, 3), (2, 5), (4, 6), (6, 9), (7, 8)]
    found = [pin(Window(at(f"2026-11-{one:02}"), at(f"2026-11-{other:02}"))) for one, other in days]

    bars = bars_of(found, period_of("month", date(2026, 11, 20), UTC))

    assert [(bar.first + 1, bar.last + 1, bar.lane) for bar in bars] == [
        (1, 2, 0),
        (2, 4, 1),
        (4, 5, 0),
        (6, 8, 0),
        (7, 7, 1),
    ]


def test_pins_without_a_window_are_not_drawn() -> None:
    period = period_of("month", date(2026, 11, 20), UTC)

    assert bars_of([pin(ALWAYS)], period) == []
    assert len(bars_of([pin(ALWAYS), pin(Window(None, at("2026-11-05")))], period)) == 1


@pytest.mark.parametrize(
    ("view", "day", "first", "days"),
    [
        ("month", "2026-11-21", "2026-11-01", 30),
        ("month", "2028-02-29", "2028-02-01", 29),
        ("month", "2026-12-31", "2026-12-01", 31),
        ("week", "2026-11-22", "2026-11-16", 7),
        ("week", "2026-11-16", "2026-11-16", 7),
        ("week", "2027-01-01", "2026-12-28", 7),
    ],
)
def test_periods(view: View, day: str, first: str, days: int) -> None:
    """A month from its first day; a week from Monday."""
    period = period_of(view, date.fromisoformat(day), PRAGUE)

    assert (period.first.isoformat(), period.days) == (first, days)
    assert period_of(view, before(period), PRAGUE).after == period.first


def test_a_month_with_a_long_day() -> None:
    """Prague's October has an hour more."""
    period = period_of("month", date(2026, 10, 5), PRAGUE)

    assert period.until - period.since == (31 * 24 + 1) * HOUR
