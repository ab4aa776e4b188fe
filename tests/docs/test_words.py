"""
Words that pages do without: places of one machine, marks of unfinished work, adverbs that help nobody.
"""

import re
from pathlib import Path

import pytest

from tests.docs import pages

MACHINE = re.compile(r"(?<![\w.$])/(?:home|root|Users|work)/\w|localhost:\d{5}")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|TBD)\b|lorem ipsum", re.IGNORECASE)
HOLLOW = re.compile(
    r"\b(?:simply|easily|obviously|effortless\w*|seamless\w*|blazing\w*|lightning-fast|powerful|robust|leverag\w+|"
    r"state-of-the-art|cutting-edge|world-class|enterprise-grade)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("page", pages.pages(), ids=pages.name)
@pytest.mark.parametrize("words", [MACHINE, UNFINISHED, HOLLOW], ids=["machine", "open", "hollow"])
def test_pages_do_without(page: Path, words: re.Pattern[str]) -> None:
    """Nothing on a page holds on one machine only, waits to be written, or praises instead of saying."""
    found = [f"line {number}: {line}" for number, line in _lines(page) if words.search(line)]

    assert not found


@pytest.mark.parametrize("page", pages.pages(), ids=pages.name)
def test_lines_are_for_reading(page: Path) -> None:
    """A page ends in one line break and has no spaces at the ends of lines and no tabs outside of code."""
    whole = pages.text(page)

    assert whole.endswith("\n")
    assert not whole.endswith("\n\n")
    assert [number for number, line in _lines(page) if line != line.rstrip()] == []
    assert "\t" not in pages.prose(page)


def _lines(page: Path) -> list[tuple[int, str]]:
    return list(enumerate(pages.text(page).splitlines(), 1))
