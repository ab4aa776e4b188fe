"""
Columns in the making: however values arrive, a column says of each item what its value by itself says.
"""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from endcap.criteria import Between, Exists, Term, matches, terms_of
from endcap.engine.columns import FREQUENT, Column
from endcap.engine.gathering import Gatherer

TEXTS = st.sampled_from(["red", "blue", "1990", "-2.5", "é", ""])
NUMBERS = st.sampled_from([0.0, 2.5, -1.0, 1990.0])
WHOLE = st.sampled_from([0, 7, 1990, 10**400])
FLAGS = st.booleans()
SCALARS = TEXTS | NUMBERS | WHOLE | FLAGS | st.none()
LISTS = st.lists(SCALARS, max_size=3)
# A column of one kind is taken together, one of several value by value, and a column may turn from one into the other.
KINDS = st.sampled_from(
    [
        TEXTS,
        NUMBERS,
        WHOLE,
        FLAGS,
        NUMBERS | WHOLE,
        st.lists(TEXTS, min_size=1, max_size=1),
        st.lists(SCALARS, min_size=1, max_size=1),
        LISTS,
        SCALARS | LISTS,
    ]
)
VALUES = st.lists(KINDS.flatmap(lambda kind: st.lists(kind, max_size=20)), max_size=4).map(
    lambda runs: [value for run in runs for value in run]
)
BOUNDS = (
    Between("a", 0.0, 2_000.0),
    Between("a", None, 0.0),
    Between("a", 2_000.0, None),
    Between("a", "b", None),
)


def gathered(values: list[Any], at_once: int) -> dict[str, Column]:
    gatherer = Gatherer(besides={"prose"}, at_once=at_once)
    for item, value in enumerate(values):
        gatherer.add(item, {"a": value, "prose": "long"} if item % 2 else {"prose": "", "a": value})
    return dict(gatherer.columns())


@given(values=VALUES, at_once=st.integers(1, 9))
def test_a_column_says_what_each_value_says(values: list[Any], at_once: int) -> None:
    """Whatever waits together, and of whatever kinds."""
    columns = gathered(values, at_once)

    assert set(columns) == ({"a"} if values else set())
    for column in columns.values():
        terms: set[Term] = {term for value in values for term in terms_of(value)}
        terms |= {("text", "unknown"), ("number", 5.0)}
        for term in terms:
            expected = {item for item, value in enumerate(values) if term in set(terms_of(value))}
            assert set(column.met_by(term)) == expected, term
        had = {item for item, value in enumerate(values) if matches(Exists("a"), {"a": value})}
        assert set(column.having) == had
        for rule in BOUNDS:
            expected = {item for item, value in enumerate(values) if matches(rule, {"a": value})}
            assert set(column.between(rule, column.having)) == expected, rule


@given(count=st.integers(1, 3 * FREQUENT), at_once=st.integers(1, 9))
def test_few_and_many_items_of_a_text(count: int, at_once: int) -> None:
    """A text is found whether it lies in the buffer or has a bitmap, and so is what its numeral says."""
    column = gathered(["12"] * count, at_once)["a"]

    assert set(column.met_by(("text", "12"))) == set(range(count))
    assert set(column.met_by(("numeral", 12.0))) == set(range(count))
    assert column.texts() == {"12": count}
