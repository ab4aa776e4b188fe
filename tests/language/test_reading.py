"""
Instants and nesting on the wire.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.domain import Micros
from endcap.wire.reading import NESTING_MAX, instant, is_shallow, seconds_text

NOON = Micros(1_737_374_400_000_000)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025-01-20T12:00:00Z", NOON),
        ("2025-01-20T12:00:00", NOON),
        ("2025-01-20 12:00", NOON),
        ("2025-01-20T13:00:00+01:00", NOON),
        ("2025-01-20T12:00:00.000001Z", NOON + 1),
        ("2025-01-20T11:59:59.999999+00:00", NOON - 1),
        ("2025-01-20", NOON - 12 * 3_600_000_000),
        ("20250120T120000Z", NOON),
        ("1970-01-01", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
    ],
)
def test_an_instant_is_read_to_the_microsecond(text: str, at: int) -> None:
    """ISO 8601, as a date or with a time; without a zone it is UTC."""
    assert instant(text) == at


@pytest.mark.parametrize(
    "text", ["", "now", "2025-02-30", "2025-01-20T25:00", "12:00", "1737374400"]
)
def test_what_is_no_instant(text: str) -> None:
    """Neither words nor seconds."""
    assert instant(text) is None


@given(st.text(max_size=30))
def test_any_text_is_an_instant_or_none(text: str) -> None:
    """It comes from outside."""
    at = instant(text)

    assert at is None or isinstance(at, int)


@given(st.integers(-62_135_596_800, 253_402_300_799), st.integers(0, 999_999))
def test_seconds_are_written_and_read_back(second: int, micro: int) -> None:
    """Of any year that has four digits; what is within the second is left out."""
    text = seconds_text(Micros(second * 1_000_000 + micro))

    assert len(text) == len("2025-01-22T08:49:58Z")
    assert instant(text) == second * 1_000_000


def test_nesting_has_a_bound() -> None:
    """In lists and in objects; the bound itself is allowed."""
    lists: object = "x"
    objects: object = "x"
    for _ in range(NESTING_MAX):
        lists, objects = [lists], {"a": objects}

    assert is_shallow(lists)
    assert is_shallow(objects)
    assert not is_shallow([lists])
    assert not is_shallow({"a": objects})
