"""
Criteria as rows: what rows say, what they cannot, and that nothing is changed by being looked at.
"""

from typing import Any

import pytest
from hypothesis import example, given, settings

from endcap import criteria
from endcap.web.conditions import (
    Condition,
    Group,
    RowFault,
    encoded,
    groups_of,
    rule_of,
    shape_of,
    spelled,
    texts_of,
    values_of,
)
from tests.engine.strategies import EXAMPLES
from tests.language import shapes

ROWS: list[tuple[Any, list[tuple[str, str, str]]]] = [
    ({"brand": "Fender"}, [("brand", "is", "Fender")]),
    ({"brand": {"values": ["a", "b"], "operator": "not"}}, [("brand", "not", "a, b")]),
    ({"tags": {"values": ["a", "b"], "operator": "and"}}, [("tags", "all", "a, b")]),
    ({"price": {"values": ["100|500"]}}, [("price", "between", "100, 500")]),
    ({"day": {"values": ["2026-01|2026-02-03"]}}, [("day", "between", "2026-01, 2026-02-03")]),
    ({"price": {"values": ["|4.5"]}}, [("price", "most", "4.5")]),
    ([{"field": "price", "op": ">", "value": 4}], [("price", "more", "4")]),
    ([{"field": "a", "op": "contains", "value": ["x", "1"]}], [("a", "contains", "x, 1")]),
    ({"not": [{"field": "a", "op": "contains", "value": "x"}]}, [("a", "lacks", "x")]),
    ([{"field": "a", "op": "exists"}], [("a", "given", "")]),
    ([{"field": "a", "op": "exists", "value": False}], [("a", "missing", "")]),
    ({"a": "x, y"}, [("a", "is", '"x, y"')]),
    ([{"field": "a", "op": "in", "value": ["12", 12, True, "true", ""]}],
     [("a", "is", '"12", 12, true, "true", ""')]),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "rows"), ROWS)
def test_rows_of_criteria(shape: Any, rows: list[tuple[str, str, str]]) -> None:
    """In either spelling."""
    groups = groups_of(criteria.read(shape))

    assert groups == (Group("all", tuple(Condition(*row) for row in rows)),)  # type: ignore[arg-type]  # operators


def test_groups_stay_in_order() -> None:
    """One level of or, and of not."""
    shape = [
        {"brand": "a"},
        {"or": [{"color": "red"}, {"price": {"values": ["1|2"]}}]},
        {"not": {"or": [{"x": "1"}, {"y": "2"}]}},
        {"z": 3},
    ]
    groups = groups_of(criteria.read(shape))

    assert groups is not None
    assert [group.kind for group in groups] == ["all", "any", "none", "all"]
    assert criteria.read(shape_of(groups)) == criteria.read(shape)


@pytest.mark.parametrize(
    "shape",
    [
        {"or": [{"and": [{"a": 1}, {"b": 2}]}, {"c": 3}]},
        {"not": {"and": [{"a": 1}, {"b": 2}]}},
        {" a": 1},
    ],
)
def test_what_rows_cannot_say(shape: Any) -> None:
    """Groups inside of groups stay a text."""
    assert groups_of(criteria.read(shape)) is None


@settings(max_examples=EXAMPLES)
@given(shapes.shapes, shapes.attributes)
@example({"and": {"values": ["x"], "operator": "and"}}, {"and": "x"})
def test_rows_say_what_the_criteria_said(shape: Any, attributes: dict[str, Any]) -> None:
    """Whatever can be taken apart is put together to the same meaning, and to the same rows again."""
    rule = criteria.read(shape)
    groups = groups_of(rule) if rule != criteria.ALWAYS_TRUE else None
    if groups is None:
        return
    again = criteria.parse(encoded(shape_of(groups)))

    assert criteria.matches(again, attributes) == criteria.matches(rule, attributes)
    assert groups_of(again) == groups


@pytest.mark.parametrize(
    "value", ["a", "a, b", ' "q"', "", "12", "1e3", "true", "x\ny", 12, 0.5, -3, 1e300, True]
)
def test_a_value_is_spelled_so_that_it_is_read_again(value: Any) -> None:
    """Of its own kind."""
    (again,) = values_of(spelled(value))

    assert (type(again) is bool, again) == (type(value) is bool, value)


def test_commas_part_values() -> None:
    """Empty ones between them are none; a text that ends nowhere is refused."""
    assert texts_of(' a ,, "b, c" , d,') == ["a", "b, c", "d"]
    for wrong in ('"a', '"a" b', '"\\x"'):
        with pytest.raises(RowFault):
            texts_of(wrong)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Condition(), "Choose an attribute"),
        (Condition("a"), "Name a value for a"),
        (Condition("a", "between", "1"), "Between takes two numbers or dates for a"),
        (Condition("a", "between", "x, y"), "two dates such as"),
        (Condition("a", "between", "5, 1"), "5 is more than 1"),
        (Condition("a", "least", "1, 2"), "Name one number or text"),
        (Condition("a", "least", "true"), "Name one number or text"),
        (Condition("and", "all", "x"), ""),
    ],
)
def test_a_row_says_what_it_lacks(row: Condition, message: str) -> None:
    """In words for who typed it; an attribute with an odd name is just an attribute."""
    if not message:
        assert isinstance(rule_of(row), criteria.AllOf)
        return
    with pytest.raises(RowFault, match=message):
        rule_of(row)
