"""
The page that the cases are drawn on, and the files that it is drawn from.
"""

from tests import cases
from tests.cases import draw


def test_the_page_is_current() -> None:
    """`.venv/bin/python -m tests.cases.draw` would change nothing."""
    page = draw.PAGE.read_text(encoding="utf-8")

    assert page == draw.written(), "run .venv/bin/python -m tests.cases.draw"


def test_every_case_is_in_one_chapter() -> None:
    """So that a new file is seen by readers, not only by tests."""
    drawn = [name for names in draw.CHAPTERS.values() for name in names]

    assert sorted(drawn) == list(cases.names())


def test_no_two_cases_have_one_title() -> None:
    """Headings are what readers link to."""
    titles = [cases.load(name).title for name in cases.names()]

    assert len(titles) == len(set(titles))
