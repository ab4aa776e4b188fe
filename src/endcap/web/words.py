"""
Values in words for people: moments, windows, criteria, places, sizes. Pure; the time is an argument, and so is the zone
that times are told in: the shop's, or UTC, as on the wire, where none is given.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import assert_never

from msgspec import Struct

from endcap.criteria import (
    AllOf,
    AnyOf,
    Between,
    Contains,
    Every,
    Exists,
    Not,
    Rule,
    Some,
    Term,
)
from endcap.domain import Blocked, Everywhere, Micros, Pin, Place, Slot, Window

_MICROS = 1_000_000
_FIRST = int(datetime(1, 1, 2, tzinfo=UTC).timestamp())
_LAST = int(datetime(9999, 12, 30, tzinfo=UTC).timestamp())
_UNITS = (
    ("year", 31_557_600),
    ("month", 2_629_800),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
)
VALUES_SHOWN = 4


def moment(at: Micros, zone: tzinfo = UTC) -> datetime:
    """What lies beyond the years that a calendar has is told as its end."""
    return datetime.fromtimestamp(min(max(at // _MICROS, _FIRST), _LAST), zone)


def iso(at: Micros) -> str:
    """For machines: the `datetime` of a `<time>`."""
    return moment(at).isoformat(timespec="seconds").replace("+00:00", "Z")


def day_text(at: Micros, zone: tzinfo = UTC) -> str:
    then = moment(at, zone)
    return f"{then.day} {then:%b %Y}"


def time_text(at: Micros, zone: tzinfo = UTC) -> str:
    """A day, and the time of day if it is not midnight."""
    then = moment(at, zone)
    if (then.hour, then.minute, then.second) == (0, 0, 0):
        return day_text(at, zone)
    return f"{day_text(at, zone)}, {then:%H:%M}"


def full_text(at: Micros, zone: tzinfo = UTC) -> str:
    """With the zone's name at that time of the year: `22 Jan 2025, 09:49 CET`."""
    return f"{day_text(at, zone)}, {moment(at, zone):%H:%M} {zone_text(at, zone)}"


def zone_text(at: Micros, zone: tzinfo) -> str:
    """`CET`; where a zone has no name but a number, `UTC-03`."""
    name = moment(at, zone).tzname() or ""
    return f"UTC{name}" if name[:1] in ("+", "-") else name


def ago(at: Micros, now: Micros) -> str:
    """`3 days ago`, `in 2 hours`, `just now`."""
    seconds = abs(now - at) // _MICROS
    for unit, size in _UNITS:
        if seconds >= size:
            said = plural(seconds // size, unit)
            return f"{said} ago" if at <= now else f"in {said}"
    return "just now" if at <= now else "in a moment"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def bytes_text(count: int) -> str:
    """`20 MB`, in powers of ten as files are told."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"


def window_text(window: Window, now: Micros, zone: tzinfo = UTC) -> str:
    """`always`, `until 30 Nov 2026`, `from 1 Dec 2026 (in 9 days)`, `ended 3 days ago, on 18 Nov 2026`."""
    opens, closes = window.opens, window.closes
    if closes is not None and closes <= now:
        return f"ended {ago(closes, now)}, on {time_text(closes, zone)}"
    if opens is not None and opens > now:
        until = f" until {time_text(closes, zone)}" if closes is not None else ""
        return f"from {time_text(opens, zone)}{until} ({ago(opens, now)})"
    if closes is not None:
        return f"until {time_text(closes, zone)} ({ago(closes, now)})"
    return f"since {time_text(opens, zone)}" if opens is not None else "always"


def windows_text(pins: Sequence[Pin], now: Micros, zone: tzinfo = UTC) -> str:
    """The windows of a customization in a few words."""
    windows = list(dict.fromkeys(pin.window for pin in pins))
    if not windows:
        return ""
    if len(windows) == 1:
        return window_text(windows[0], now, zone)
    changes = min(window.changes_at(now) for window in windows)
    if changes == float("inf"):
        return f"{len(windows)} windows"
    at = Micros(int(changes))
    return f"{len(windows)} windows, next change {time_text(at, zone)}"


def place_text(place: Place) -> str:
    match place:
        case Slot(position):
            return f"slot {position}"
        case Everywhere():
            return "everywhere"
        case Blocked():
            return "never shown"
        case _:
            assert_never(place)


def rule_text(rule: Rule) -> str:
    """Criteria as one would say them: `brand is Fender and price_amount is 100 to 500`."""
    match rule:
        case AnyOf(attribute, terms):
            return f"{attribute} is {_listed(_values(terms))}"
        case AllOf(attribute, values):
            named = [value for each in values for value in _values(each.terms)]
            return f"{attribute} has all of {_listed(named, 'and')}"
        case Between(attribute):
            return f"{attribute} is {_range(rule)}"
        case Contains(attribute, text):
            return f"{attribute} contains “{text}”"
        case Exists(attribute):
            return f"{attribute} is given"
        case Not(AnyOf(attribute, terms)):
            return f"{attribute} is not {_listed(_values(terms))}"
        case Not(Exists(attribute)):
            return f"{attribute} is not given"
        case Not(inner):
            return f"not ({rule_text(inner)})"
        case Every(rules):
            return " and ".join(_inner(each, Some) for each in rules) or "anything"
        case Some(rules):
            return " or ".join(_inner(each, Every) for each in rules) or "nothing"
        case _:
            assert_never(rule)


def _inner(rule: Rule, apart: type[Struct]) -> str:
    said = rule_text(rule)
    return f"({said})" if isinstance(rule, apart) else said


def _range(rule: Between) -> str:
    low, high = rule.low, rule.high
    if low is not None and high is not None:
        if rule.low_included and rule.high_included:
            return f"{_value(low)} to {_value(high)}"
        return f"{_least(rule)} and {_most(rule)}"
    return _least(rule) if low is not None else _most(rule)


def _least(rule: Between) -> str:
    return f"{'at least' if rule.low_included else 'more than'} {_value(rule.low)}"


def _most(rule: Between) -> str:
    return f"{'at most' if rule.high_included else 'less than'} {_value(rule.high)}"


def _values(terms: Iterable[Term]) -> list[str]:
    """Each value once: what is looked up as a text may be looked up as a number as well."""
    return list(dict.fromkeys(_value(value) for _, value in terms))


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _listed(values: Sequence[str], last: str = "or") -> str:
    """`a, b or c`, cut short where there are many."""
    shown = list(values[:VALUES_SHOWN])
    more = len(values) - len(shown)
    if more:
        shown.append(f"{more} more")
    if len(shown) == 1:
        return shown[0]
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def pretty_json(document: bytes) -> str:
    return json.dumps(json.loads(document), indent=2, ensure_ascii=False)
