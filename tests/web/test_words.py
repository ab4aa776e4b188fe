"""
Values in words, amendments, files: what pages are made of.
"""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from endcap import criteria
from endcap.domain import BLOCKED, EVERYWHERE, Micros, Slot, Window
from endcap.web import times, words
from endcap.web.assets import BASE, Assets
from endcap.web.diff import changes
from endcap.wire.amending import day_moved_text, moved_text
from endcap.wire.reading import instant
from tests.web.driver import LIST, ConsoleServer, Visitor


def at(text: str) -> Micros:
    found = instant(text)
    assert found is not None
    return found


NOW = at("2025-01-22T12:00:00Z")


@pytest.mark.parametrize(
    ("opens", "closes", "said"),
    [
        (None, None, "always"),
        ("2025-01-01", None, "since 1 Jan 2025"),
        (None, "2025-01-30", "until 30 Jan 2025 (in 7 days)"),
        (None, "2025-01-22T13:30Z", "until 22 Jan 2025, 13:30 (in 1 hour)"),
        ("2025-01-22T12:00:30Z", None, "from 22 Jan 2025, 12:00 (in a moment)"),
        ("2025-02-22", "2025-03-01", "from 22 Feb 2025 until 1 Mar 2025 (in 1 month)"),
        ("2024-01-01", "2025-01-22T12:00Z", "ended just now, on 22 Jan 2025, 12:00"),
        (None, "2023-01-01", "ended 2 years ago, on 1 Jan 2023"),
    ],
)
def test_windows(opens: str | None, closes: str | None, said: str) -> None:
    """What they mean at this moment."""
    window = Window(opens and at(opens), closes and at(closes))  # type: ignore[arg-type]

    assert words.window_text(window, NOW) == said


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"brand": "Fender"}, "brand is Fender"),
        ({"brand": {"values": ["Fender", "Gibson"]}}, "brand is Fender or Gibson"),
        ({"brand": {"values": ["a", "b"], "operator": "and"}}, "brand has all of a and b"),
        ({"brand": {"values": ["a"], "operator": "not"}}, "brand is not a"),
        ({"price_amount": {"values": ["100|500"]}}, "price_amount is 100 to 500"),
        ({"price_amount": {"values": ["|150"]}}, "price_amount is at most 150"),
        ({"n": 5, "new": True}, "n is 5 and new is true"),
        ({"x": {"values": list("abcdef")}}, "x is a, b, c, d or 2 more"),
        ([{"field": "n", "operator": ">", "value": 5}], "n is more than 5"),
        ([{"field": "t", "operator": "contains", "value": "red"}], "t contains “red”"),
        ([{"field": "t", "operator": "exists", "value": False}], "t is not given"),
        ({"or": [{"a": "1"}, {"and": [{"b": "2"}, {"c": "3"}]}]}, "a is 1 or (b is 2 and c is 3)"),
        ({"not": {"or": [{"a": "1"}, {"b": "2"}]}}, "not (a is 1 or b is 2)"),
    ],
)
def test_criteria(shape: Any, said: str) -> None:
    """Either spelling, as one would say it."""
    assert words.rule_text(criteria.read(shape)) == said


def test_places() -> None:
    said = [words.place_text(each) for each in (Slot(3), EVERYWHERE, BLOCKED)]

    assert said == ["slot 3", "everywhere", "never shown"]


@pytest.mark.parametrize(
    ("text", "hours", "moved"),
    [
        ("2025-01-22", 24, "2025-01-23"),
        ("2025-01-22", 1, "2025-01-22T01:00:00"),
        ("2025-01-22T08:00:00Z", -24, "2025-01-21T08:00:00Z"),
        ("2025-03-29T12:00:00+01:00", 48, "2025-03-31T12:00:00+01:00"),
        ("2025-01-22T08:00:00.5Z", 1, "2025-01-22T09:00:00.500000Z"),
        ("2024-02-29", 24 * 365, "2025-02-28"),
    ],
)
def test_moments_are_moved_in_their_spelling(text: str, hours: int, moved: str) -> None:
    """And by exactly that much."""
    assert moved_text(text, timedelta(hours=hours)) == moved
    assert at(moved) - at(text) == hours * 3_600_000_000


@pytest.mark.parametrize(
    ("text", "days", "moved"),
    [
        ("2025-03-25", 7, "2025-04-01"),  # a day stays a day
        ("2025-03-25T08:00:00Z", 7, "2025-04-01T07:00:00Z"),
        ("2025-03-25T09:00:00+01:00", 7, "2025-04-01T09:00:00+02:00"),
        ("2025-03-25T08:00:00", 7, "2025-04-01T07:00:00"),
        ("2025-03-29T01:30:00Z", 1, "2025-03-30T01:30:00Z"),  # 02:30 is skipped: 03:30 it is
        ("2025-03-29T02:30:00+01:00", 1, "2025-03-30T03:30:00+02:00"),
        ("2025-10-25T00:30:00Z", 1, "2025-10-26T00:30:00Z"),  # 02:30 comes twice: the first
        ("2025-03-24T08:00:00-05:00", 7, "2025-03-31T14:00:00+02:00"),
        ("2025-10-26T01:30:00Z", 0, "2025-10-26T01:30:00Z"),
        ("2025-10-26T01:30:00Z", 7, "2025-11-02T01:30:00Z"),
        ("2025-03-25T08:00:00.5Z", -365, "2024-03-25T08:00:00.500000Z"),
    ],
)
def test_days_are_moved_in_their_spelling(text: str, days: int, moved: str) -> None:
    """By the shop's clock, so that the time of day stays; as `times.moved` has it for what is no day alone."""
    prague = ZoneInfo("Europe/Prague")

    assert day_moved_text(text, days, prague) == moved
    if len(text) > len("2025-01-22"):
        assert at(moved) == times.moved(at(text), days, prague)


@pytest.mark.parametrize("old", [b"", b"[]", b"\xff", b'{"a"'])
def test_a_version_that_cannot_be_read_is_said(old: bytes) -> None:
    """Whatever a database holds, the history of the rest is told."""
    (change,) = changes(old, b"{}", lambda _: "")

    assert "cannot be read any more" in change.text


def test_a_long_difference_is_cut() -> None:
    """A hundred pins need not all be told."""
    pins = ",".join(
        f'{{"position":{n + 1},"pin_type":"item","pin_identity":"/{n}"}}' for n in range(100)
    )
    found = changes(None, b'{"pin_definitions":[%b]}' % pins.encode(), lambda _: "")

    assert len(found) == 51
    assert found[-1].text == "… and 50 more changes"


def test_files_have_the_digest_of_their_content(server: ConsoleServer, ann: Visitor) -> None:
    """What a page refers to is there, may be kept for a year, and refers to what is there in its turn."""
    page = ann.get(LIST).text
    waiting = set(re.findall(rf'"({BASE}[^"]+)"', page))
    seen: set[str] = set()

    while waiting:
        url = waiting.pop()
        seen.add(url)
        answer: httpx2.Response = ann.get(url)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert re.search(r"\.[0-9a-f]{12}\.(?:css|js|svg)$", url)
        named = re.findall(r'from "\./([^"]+)"', answer.text) if url.endswith(".js") else []
        waiting |= {BASE + each for each in named} - seen

    assert len([url for url in seen if url.endswith(".js")]) == 6


def test_pages_name_their_files_through_the_digest() -> None:
    """A name that no file has fails when the page is made, not in a browser."""
    with pytest.raises(KeyError):
        Assets().url("missing.css")


def test_no_page_has_a_script_or_a_style_of_its_own(server: ConsoleServer, ann: Visitor) -> None:
    """The policy would not run them."""
    made = server.create()["id"]
    for path in (LIST, f"{LIST}/{made}", f"{LIST}/{made}/history", "/console/account"):
        text = ann.get(path).text
        assert not re.search(
            r"<style|<script(?! type=\"module\" src=)|\son\w+=|\sstyle=|javascript:", text
        )
        outside = re.findall(
            r'(?:src|href|action|formaction)="(?!/console|/docs|#|data:image/)[^"]*"', text
        )
        assert outside == []
