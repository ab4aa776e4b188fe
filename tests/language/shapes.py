"""
Random criteria in both spellings, and random attributes for them to meet: few names, few values, all kinds.
"""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.choices import combined

Shape = Any
"""A criteria as it is sent, decoded."""

ATTRIBUTES = ("a", "b", "title")
SCALARS: tuple[Any, ...] = (
    "x", "y", "xy", "", "1", "1.0", "01", "-2", "1e1", "10", "x|y", "2025-01", "2025-02-03",
    "2025-02-03T04:05:06Z", 1, 1.0, 10, -2, 0, 0.5, True, False,
)  # fmt: skip
RANGES = (
    "1|10",
    "|1",
    "0.5|",
    "-2|-2",
    "2025-01|2025-02-28",
    "|2025-02",
    "2025-02-03|",
    "|",
    "1|x",
)
ELEMENTS: tuple[Any, ...] = (*SCALARS, None, {"nested": "x"})

VALUES: tuple[Any, ...] = (
    None, *ELEMENTS, [], ["x"], ["x", "x"], ["x", "y"], ["xy", None], [1, "1"], [1, True], [10, "1.0"], ["01", 0.5],
    ["2025-01", "y"], [{"nested": "x"}], [[]], [False],
)  # fmt: skip

attributes = combined(a=VALUES, b=VALUES, title=("", "x", "a title", "2025-01-01"))
"""What an object has; sometimes null, sometimes nothing."""


_SEVERAL: tuple[list[Any], ...] = (
    *([each] for each in (*SCALARS, *RANGES)),
    ["x", "y"], ["1", 10], [True, "x"], ["1|10", "x"], ["x", "1"], ["2025-01|", "|0"], [0.5, "01", "xy"],
)  # fmt: skip

_MAPPED = combined(
    name=ATTRIBUTES,
    wanted=[
        *SCALARS,
        *({"values": each} for each in _SEVERAL),
        *({"values": each, "operator": "or"} for each in _SEVERAL),
        *({"values": each, "operator": "and"} for each in _SEVERAL),
        *({"values": each, "operator": "not"} for each in _SEVERAL),
    ],
)
entries: st.SearchStrategy[Shape] = _MAPPED.map(lambda drawn: {drawn["name"]: drawn["wanted"]})
"""One attribute in the map's spelling."""

_LISTS: tuple[list[Any], ...] = (["x"], ["x", "y"], [1, True], ["1", "2025-01", 0.5])
_BOUNDS = tuple(each for each in SCALARS if not isinstance(each, bool))
_COMPARISONS: Sequence[tuple[str, str, Any]] = [
    *((operator, "value", each) for operator in ("=", "eq", "!=") for each in SCALARS),
    *((operator, "values", each) for operator in ("in", "not_in", "=") for each in _LISTS),
    *((operator, "value", each) for operator in (">", ">=", "<", "<=") for each in _BOUNDS),
    *(("contains", "value", each) for each in ("x", "", "1", "025", ["x", "0"])),
    *(("exists", "value", each) for each in (True, False)),
]
rules: st.SearchStrategy[Shape] = combined(
    field=("field", "attribute", "name"),
    operator=("operator", "op"),
    name=ATTRIBUTES,
    comparison=_COMPARISONS,
).map(
    lambda drawn: {
        drawn["field"]: drawn["name"],
        drawn["operator"]: drawn["comparison"][0],
        drawn["comparison"][1]: drawn["comparison"][2],
    }
)
"""One rule of a rule list."""


def _nested(inner: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda each: {"and": each}),
        several.map(lambda each: {"or": each}),
        inner.map(lambda each: {"not": each}),
        st.builds(lambda one, other: {**one, **other}, entries, entries),
    )


shapes: st.SearchStrategy[Shape] = st.one_of(
    st.recursive(st.one_of(entries, rules), _nested, max_leaves=4),
    st.lists(st.one_of(rules, entries), max_size=3),
    st.lists(rules, min_size=1, max_size=3).map(lambda each: {"criteria": each}),
)
"""A whole criteria in either spelling, or both mixed."""
