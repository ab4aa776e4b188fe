"""
What pages take from the code is as the code has it.
"""

import pytest

from tests.docs import generate, pages


@pytest.mark.parametrize("name", generate.PARTS)
def test_generated_parts_are_current(name: str) -> None:
    """`.venv/bin/python -m tests.docs.generate` would change nothing."""
    path, written = generate.written(name)

    assert pages.text(path) == written, "run .venv/bin/python -m tests.docs.generate"


def test_part_without_a_place_is_noticed() -> None:
    """A page that lost its marks is not silently left alone."""
    with pytest.raises(ValueError, match="begin: settings"):
        generate.with_part("# Settings\n", "settings", "| … |")
