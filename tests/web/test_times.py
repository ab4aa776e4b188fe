"""
The shop's days and clocks: the nights in which clocks are put forward and back, and days without a midnight.
"""

from datetime import UTC, date, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.config import Settings, load
from endcap.domain import Micros, Window
from endcap.errors import FaultyFields, UsageFault
from endcap.web import times, words
from endcap.wire.reading import instant
from tests.api.driver import ToldClock, pin
from tests.web.driver import LIST, ConsoleServer, Visitor, text_of

PRAGUE = ZoneInfo("Europe/Prague")
CAIRO = ZoneInfo("Africa/Cairo")  # puts clocks forward at midnight
APIA = ZoneInfo("Pacific/Apia")  # had no 30 Dec 2011
ZONES = [UTC, PRAGUE, CAIRO, APIA, ZoneInfo("America/St_Johns"), ZoneInfo("Asia/Kathmandu")]


def at(text: str) -> Micros:
    found = instant(text)
    assert found is not None
    return found


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "said", "begins", "hours"),
    [
        (UTC, "2026-11-22", "2026-11-22T00:00:00Z", 24),
        (PRAGUE, "2026-11-22", "2026-11-21T23:00:00Z", 24),
        (PRAGUE, "2026-03-29", "2026-03-28T23:00:00Z", 23),
        (PRAGUE, "2026-10-25", "2026-10-24T22:00:00Z", 25),
        (CAIRO, "2026-04-24", "2026-04-23T22:00:00Z", 23),
        (APIA, "2011-12-29", "2011-12-29T10:00:00Z", 24),
        (APIA, "2011-12-31", "2011-12-30T10:00:00Z", 24),
    ],
)
def test_where_a_day_begins(zone: ZoneInfo, said: str, begins: str, hours: int) -> None:
    """At midnight, or where the clock is put forward over midnight, at that moment; and how long it is."""
    began = times.begins(day(said), zone)
    ended = times.begins(day(said) + timedelta(days=1), zone)

    assert began == at(begins)
    assert ended - began == hours * 3_600_000_000


def test_a_day_that_was_left_out_is_empty() -> None:
    """Samoa went from Thursday to Saturday."""
    assert times.begins(day("2011-12-30"), APIA) == times.begins(day("2011-12-31"), APIA)


@given(st.integers(0, 40_000), st.sampled_from(ZONES))
def test_days_follow_each_other_without_gap(number: int, zone: ZoneInfo) -> None:
    """The first instant of a day is on it, and the one before is not; whatever the clock does."""
    said = date(1970, 1, 2) + timedelta(days=number)
    if zone is APIA and said == date(2011, 12, 30):
        return
    began = times.begins(said, zone)

    assert times.day_of(began, zone) == said
    assert times.day_of(Micros(began - 1), zone) < said


@pytest.mark.parametrize(
    ("from_", "days", "to"),
    [
        ("2026-03-28T08:00:00Z", 1, "2026-03-29T07:00:00Z"),  # 09:00 stays 09:00
        ("2026-03-28T01:30:00Z", 1, "2026-03-29T01:30:00Z"),  # 02:30 is skipped: 03:30 it is
        ("2026-10-24T00:30:00Z", 1, "2026-10-25T00:30:00Z"),  # 02:30 comes twice: the first
        ("2026-10-25T00:30:00Z", 0, "2026-10-25T00:30:00Z"),
        ("2026-10-25T01:30:00Z", 0, "2026-10-25T01:30:00Z"),  # the second stays the second
        ("2026-10-25T01:30:00Z", 1, "2026-10-26T01:30:00Z"),
        ("2026-11-01T23:00:00.000001Z", -14, "2026-10-18T22:00:00.000001Z"),
    ],
)
def test_moving_by_days_keeps_the_time_of_day(from_: str, days: int, to: str) -> None:
    assert times.moved(at(from_), days, PRAGUE) == at(to)


@given(
    st.integers(0, 4_000_000_000_000_000),
    st.integers(-800, 800),
    st.sampled_from([UTC, PRAGUE, CAIRO]),
)
def test_moved_days_are_days_apart(then: int, days: int, zone: ZoneInfo) -> None:
    """Also where the time of day cannot be kept."""
    before, after = Micros(then), times.moved(Micros(then), days, zone)
    moved = times.day_of(after, zone) - times.day_of(before, zone)

    assert moved == timedelta(days=days)


def test_moving_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(OverflowError):
        times.moved(at("9999-12-20"), 30, PRAGUE)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-22T14:00", "2026-11-22T13:00:00Z"),
        ("2026-07-22T14:00:30", "2026-07-22T12:00:30Z"),
        ("2026-11-22 14:00", "2026-11-22T13:00:00Z"),
        ("2026-11-22", "2026-11-21T23:00:00Z"),
        ("2026-03-29T02:30", "2026-03-29T01:30:00Z"),
        ("2026-10-25T02:30", "2026-10-25T00:30:00Z"),
    ],
)
def test_what_a_field_sends(typed: str, meant: str) -> None:
    """It is on the shop's clock."""
    assert times.read_field(typed, PRAGUE, "at") == at(meant)


@pytest.mark.parametrize("typed", ["", "tomorrow", "2026-13-01", "2026-11-22T14:00+01:00", "99"])
def test_what_no_field_sends_is_refused(typed: str) -> None:
    with pytest.raises(FaultyFields) as refused:
        times.read_field(typed, PRAGUE, "at")

    assert list(refused.value.details) == ["at"]


@given(st.integers(0, 4_000_000_000), st.sampled_from([UTC, PRAGUE, CAIRO]))
def test_a_field_gives_back_what_it_was_given(seconds: int, zone: ZoneInfo) -> None:
    """Except in the hour that comes twice, where it gives the first."""
    before = Micros(seconds * 1_000_000)
    after = times.read_field(times.field_text(before, zone), zone, "at")

    assert before - after in (0, 3_600_000_000)
    assert times.wall(after, zone) == times.wall(before, zone)


def test_weeks_begin_on_monday() -> None:
    mondays = {times.week_of(date(2026, 11, number)) for number in range(16, 23)}

    assert mondays == {date(2026, 11, 16)}


def test_words_tell_the_shops_time() -> None:
    """With the zone's name where it is said in full."""
    winter, summer = at("2026-01-22T23:00:00Z"), at("2026-07-22T23:30:00Z")

    assert words.full_text(summer, PRAGUE) == "23 Jul 2026, 01:30 CEST"
    assert words.full_text(summer, ZoneInfo("America/Sao_Paulo")) == "22 Jul 2026, 20:30 UTC-03"
    assert words.full_text(summer) == "22 Jul 2026, 23:30 UTC"
    assert words.time_text(winter, PRAGUE) == "23 Jan 2026"
    assert words.window_text(Window(winter, summer), winter, PRAGUE) == (
        "until 23 Jul 2026, 01:30 (in 5 months)"
    )


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    """When settings are read, with the variable's name."""
    with pytest.raises(UsageFault, match="ENDCAP_CONSOLE_TIME_ZONE"):
        load({"ENDCAP_CONSOLE_TIME_ZONE": name})
    assert load({"ENDCAP_CONSOLE_TIME_ZONE": "Europe/Prague"}).zone is PRAGUE
    assert Settings().zone.key == "UTC"


def test_the_list_tells_the_shops_time(tmp_path: Path, clock: ToldClock) -> None:
    server = ConsoleServer(tmp_path, clock, console_time_zone="Europe/Prague")
    server.create_tracker()
    server.create_user("ann")
    server.create(pin_definitions=[pin(active_to="2025-01-30T23:00:00Z")])
    ann = Visitor(server)
    ann.sign_in()

    said = text_of(ann.get(LIST))
    server.close()

    assert "until 31 Jan 2025 (in 1 week)" in said or "until 31 Jan 2025 (in 8 days)" in said


def test_fixed_offsets_are_zones_too() -> None:
    zone = timezone(timedelta(hours=5, minutes=45))

    assert times.field_text(at("2026-01-01T00:00:00Z"), zone) == "2026-01-01T05:45"
