"""
Random dicts from lists of choices, cheaply.
"""

import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

Members = dict[str, Any]


def combined(**choices: Sequence[Any]) -> st.SearchStrategy[Members]:
    """
    A dict with one of the choices for each key, left out where that is None; the simplest come first.

    One number is drawn for all of them: drawing each by itself takes Hypothesis twenty times as long as all the rest
    of a test does.
    """
    count = math.prod(map(len, choices.values()))
    assert count < 2**24, "above this Hypothesis does not draw evenly"

    def members(number: int) -> Members:
        drawn: Members = {}
        for key, options in choices.items():
            number, index = divmod(number, len(options))
            if options[index] is not None:
                drawn[key] = options[index]
        return drawn

    return st.integers(0, count - 1).map(members)


def merged(drawn: Members, *parts: str) -> Members:
    """Some of the members are dicts of members themselves."""
    own = {key: value for key, value in drawn.items() if key not in parts}
    return own | {key: value for part in parts for key, value in drawn.get(part, {}).items()}


def rarely(*choices: Any, one_in: int) -> Sequence[Any]:
    """Nothing, mostly."""
    return [None] * (len(choices) * (one_in - 1)) + list(choices)
