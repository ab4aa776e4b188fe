"""
Criteria: every form that is read, every form that is refused, and what each of them means.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap import criteria
from endcap.criteria import (
    ALWAYS_TRUE,
    DEPTH_MAX,
    RULES_MAX,
    SUPPORTED_FORMS,
    VALUES_MAX,
    AllOf,
    AnyOf,
    Between,
    Contains,
    CriteriaFault,
    Every,
    Exists,
    Not,
    Rule,
    Some,
)
from tests.engine.strategies import EXAMPLES
from tests.language import shapes

usual = settings(max_examples=EXAMPLES)

FENDER = AnyOf("brand", (("text", "Fender"),))
GIBSON = AnyOf("brand", (("text", "Gibson"),))
EITHER = AnyOf("brand", (("text", "Fender"), ("text", "Gibson")))


@pytest.mark.parametrize(
    ("shape", "rule"),
    [
        # The map's spelling
        ({"brand": "Fender"}, FENDER),
        ({"stock": 12}, AnyOf("stock", (("number", 12.0), ("numeral", 12.0)))),
        ({"stock": "12"}, AnyOf("stock", (("text", "12"), ("number", 12.0)))),
        ({"new": True}, AnyOf("new", (("flag", True),))),
        ({"brand": {"values": ["Fender"]}}, FENDER),
        ({"brand": {"values": ["Fender", "Gibson"]}}, EITHER),
        ({"brand": {"values": ["Fender", "Gibson"], "operator": "or"}}, EITHER),
        ({"brand": {"values": ["Fender", "Gibson"], "operator": "not"}}, Not(EITHER)),
        (
            {"brand": {"values": ["Fender", "Gibson"], "operator": "and"}},
            AllOf("brand", (FENDER, GIBSON)),
        ),
        ({"price": {"values": ["100|500"]}}, Between("price", 100.0, 500.0)),
        ({"price": {"values": ["4.2|"]}}, Between("price", 4.2, None)),
        ({"price": {"values": ["|150"]}}, Between("price", None, 150.0)),
        ({"price": {"values": ["|150"], "operator": "not"}}, Not(Between("price", None, 150.0))),
        (
            {"price": {"values": ["|10", "20|"]}},
            Some((Between("price", None, 10.0), Between("price", 20.0, None))),
        ),
        (
            {"price": {"values": ["|10", "n/a"]}},
            Some((AnyOf("price", (("text", "n/a"),)), Between("price", None, 10.0))),
        ),
        (
            {"price": {"values": ["10|", "|20"], "operator": "and"}},
            Every((Between("price", 10.0, None), Between("price", None, 20.0))),
        ),
        (
            {"introduced_at": {"values": ["2025-01-01|2025-02-01T00:00:00Z"]}},
            Between("introduced_at", "2025-01-01", "2025-02-01T00:00:00Z"),
        ),
        ({"brand": "Fender", "new": True}, Every((FENDER, AnyOf("new", (("flag", True),))))),
        ({}, ALWAYS_TRUE),
        # The rule list's
        ([{"field": "brand", "operator": "=", "value": "Fender"}], FENDER),
        ([{"attribute": "brand", "op": "eq", "value": "Fender"}], FENDER),
        ([{"name": "brand", "operator": "=", "values": ["Fender"]}], FENDER),
        ({"field": "brand", "operator": "=", "value": "Fender"}, FENDER),
        ({"criteria": [{"field": "brand", "operator": "=", "value": "Fender"}]}, FENDER),
        ([{"field": "brand", "operator": "!=", "value": "Fender"}], Not(FENDER)),
        ([{"field": "brand", "operator": "in", "value": ["Fender", "Gibson"]}], EITHER),
        ([{"field": "brand", "operator": "not_in", "values": ["Fender", "Gibson"]}], Not(EITHER)),
        ([{"field": "price", "operator": ">", "value": 5}], Between("price", 5.0, None, False)),
        ([{"field": "price", "operator": ">=", "value": "5"}], Between("price", 5.0)),
        (
            [{"field": "price", "operator": "<", "value": 5}],
            Between("price", None, 5.0, high_included=False),
        ),
        ([{"field": "price", "operator": "<=", "value": [5]}], Between("price", None, 5.0)),
        ([{"field": "date", "operator": "<=", "value": "2025"}], Between("date", None, 2025.0)),
        (
            [{"field": "date", "operator": "<", "value": "b"}],
            Between("date", None, "b", True, False),
        ),
        ([{"field": "brand", "operator": "contains", "value": "end"}], Contains("brand", "end")),
        (
            [{"field": "brand", "operator": "contains", "value": ["F", "G"]}],
            Some((Contains("brand", "F"), Contains("brand", "G"))),
        ),
        ([{"field": "brand", "operator": "exists"}], Exists("brand")),
        ([{"field": "brand", "operator": "exists", "value": True}], Exists("brand")),
        ([{"field": "brand", "operator": "exists", "value": False}], Not(Exists("brand"))),
        ([], ALWAYS_TRUE),
        # Nesting, and one spelling inside the other
        ({"or": [{"brand": "Fender"}, {"brand": "Gibson"}]}, Some((FENDER, GIBSON))),
        ({"and": [{"brand": "Fender"}]}, Every((FENDER,))),
        ({"not": {"brand": "Fender"}}, Not(FENDER)),
        ({"not": [{"field": "brand", "operator": "=", "value": "Fender"}]}, Not(FENDER)),
        ([{"brand": "Fender"}, {"or": [{"brand": "Gibson"}]}], Every((FENDER, Some((GIBSON,))))),
        # Attributes with the names of words
        ({"field": "Fender"}, AnyOf("field", (("text", "Fender"),))),
        ({"not": "Fender"}, AnyOf("not", (("text", "Fender"),))),
        ({"not": {"values": ["Fender"]}}, AnyOf("not", (("text", "Fender"),))),
        ({"or": "Fender"}, AnyOf("or", (("text", "Fender"),))),
        ({"criteria": "Fender"}, AnyOf("criteria", (("text", "Fender"),))),
        ({"name": {"values": ["Fender"]}}, AnyOf("name", (("text", "Fender"),))),
    ],
)
def test_a_supported_form_is_read(shape: Any, rule: Rule) -> None:
    """Decoded or as bytes."""
    assert criteria.read(shape) == rule
    assert criteria.parse(msgspec.json.encode(shape)) == rule


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("Fender", f"Must be an object or a list of rules. {SUPPORTED_FORMS}"),
        (None, f"Must be an object or a list of rules. {SUPPORTED_FORMS}"),
        (12, f"Must be an object or a list of rules. {SUPPORTED_FORMS}"),
        (["Fender"], f"A rule must be an object with a field. {SUPPORTED_FORMS}"),
        ([[]], f"A rule must be an object with a field. {SUPPORTED_FORMS}"),
        ([{}], f"A rule must be an object with a field. {SUPPORTED_FORMS}"),
        ({"and": [{}]}, f"A rule must be an object with a field. {SUPPORTED_FORMS}"),
        (
            {"brand": ["Fender"]},
            f'Attribute "brand" must be a value or {{"values": […]}}. {SUPPORTED_FORMS}',
        ),
        (
            {"brand": None},
            f'Attribute "brand" must be a value or {{"values": […]}}. {SUPPORTED_FORMS}',
        ),
        (
            {"brand": {"values": ["a"], "more": 1}},
            f'Attribute "brand" must be a value or {{"values": […]}}. {SUPPORTED_FORMS}',
        ),
        (
            {"or": {"brand": "Fender"}},
            f'Attribute "or" must be a value or {{"values": […]}}. {SUPPORTED_FORMS}',
        ),
        ({"or": []}, '"or" must hold at least one rule'),
        ({"and": []}, '"and" must hold at least one rule'),
        ({"brand": {"values": []}}, 'The values of "brand" must be a list of at least one'),
        ({"brand": {"values": "Fender"}}, 'The values of "brand" must be a list of at least one'),
        ({"brand": {"values": [None]}}, 'The values of "brand" must be texts, numbers or booleans'),
        ({"brand": {"values": [[]]}}, 'The values of "brand" must be texts, numbers or booleans'),
        (
            {"brand": {"values": ["a"] * (VALUES_MAX + 1)}},
            f'More than {VALUES_MAX} values for "brand"',
        ),
        (
            {"brand": {"values": ["a"], "operator": "xor"}},
            'Operator "xor" of "brand" must be one of: or, and, not',
        ),
        (
            {"brand": {"values": ["a"], "operator": None}},
            'Operator "None" of "brand" must be one of: or, and, not',
        ),
        (
            [{"field": "brand", "value": "a"}],
            f'Rule on "brand" needs an operator. {SUPPORTED_FORMS}',
        ),
        (
            [{"field": "brand", "operator": "="}],
            f'Rule on "brand" needs a value. {SUPPORTED_FORMS}',
        ),
        (
            [{"field": "brand", "operator": "like", "value": "a"}],
            'Operator "like" of "brand" must be one of: =, eq, !=, in, not_in, >, >=, <, <=, contains, exists',
        ),
        (
            [{"field": "brand", "operator": 1, "value": "a"}],
            'Operator "1" of "brand" must be one of: =, eq, !=, in, not_in, >, >=, <, <=, contains, exists',
        ),
        (
            [{"field": "brand", "operator": "=", "value": None}],
            'The values of "brand" must be texts, numbers or booleans',
        ),
        (
            [{"field": "brand", "operator": "in", "value": []}],
            'The values of "brand" must be a list of at least one',
        ),
        (
            [{"field": "price", "operator": ">", "value": [1, 2]}],
            '">" on "price" needs one number or text',
        ),
        (
            [{"field": "price", "operator": "<=", "value": True}],
            '"<=" on "price" needs one number or text',
        ),
        (
            [{"field": "brand", "operator": "contains", "value": 1}],
            '"contains" on "brand" needs a text',
        ),
        (
            [{"field": "brand", "operator": "exists", "value": "yes"}],
            'The value of exists on "brand" must be true or false',
        ),
    ],
)
def test_an_unsupported_form_is_refused_with_its_reason(shape: Any, message: str) -> None:
    """The message names the attribute, and what would have been understood."""
    with pytest.raises(CriteriaFault) as refusal:
        criteria.read(shape)

    assert str(refusal.value) == message


@pytest.mark.parametrize("sent", [b"", b"{", b"{'a': 1}", b'{"a": NaN}', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(sent: bytes) -> None:
    """A nesting that no reader can follow too."""
    with pytest.raises(CriteriaFault, match=r"^Not JSON: "):
        criteria.parse(sent)


def nested(key: str, levels: int) -> Any:
    """One condition inside so many levels in all."""
    shape: Any = {"brand": "Fender"}
    for _ in range(levels - 1):
        shape = {key: shape if key == "not" else [shape]}
    return shape


@pytest.mark.parametrize("key", ["and", "or", "not", "criteria"])
def test_nesting_has_a_bound(key: str) -> None:
    """Each word is one level, however many brackets its spelling takes."""
    criteria.read(nested(key, DEPTH_MAX))

    with pytest.raises(CriteriaFault, match=f"^Nested deeper than {DEPTH_MAX} levels$"):
        criteria.read(nested(key, DEPTH_MAX + 1))


@pytest.mark.parametrize(
    "spelled",
    [
        lambda count: {f"attribute {number}": "x" for number in range(count)},
        lambda count: [{"field": "a", "operator": "=", "value": "x"}] * count,
        lambda count: {"or": [{"a": "x"}] * (count - 1), "b": "x"},
    ],
)
def test_the_number_of_rules_has_a_bound(spelled: Any) -> None:
    """Counted through all nesting, in either spelling."""
    criteria.read(spelled(RULES_MAX))

    with pytest.raises(CriteriaFault, match=f"^More than {RULES_MAX} rules$"):
        criteria.read(spelled(RULES_MAX + 1))


def test_the_number_of_values_has_a_bound() -> None:
    """Of one attribute; the bound itself is allowed."""
    criteria.read({"a": {"values": ["x"] * VALUES_MAX}})


@pytest.mark.parametrize(
    "text",
    [
        "|",
        "a|b",
        "1|b",
        "a|",
        "1|2|3",
        "1 | 2",
        "0x1|",
        "١|٢",
        "2025|b",
        "2025-1-1|",
        "1_0|",
        "+1|",
        ".5|",
    ],
)
def test_a_pipe_without_numbers_or_dates_beside_it_is_a_text(text: str) -> None:
    """A value may have a pipe in it; it is a range only if both sides can be bounds, or one is open."""
    rule = criteria.read({"a": {"values": [text]}})

    assert rule == AnyOf("a", (("text", text),))
    assert criteria.matches(rule, {"a": text})


@pytest.mark.parametrize(
    "shape", [{"a": "1|2"}, [{"field": "a", "operator": "in", "value": ["1|2"]}]]
)
def test_only_values_of_the_map_can_be_ranges(shape: Any) -> None:
    """A scalar, and a rule with an operator, mean the text as it stands."""
    rule = criteria.read(shape)

    assert criteria.matches(rule, {"a": "1|2"})
    assert not criteria.matches(rule, {"a": 1})


@pytest.mark.parametrize(
    ("shape", "attributes", "holds"),
    [
        ({"brand": "Fender"}, {"brand": "Fender"}, True),
        ({"brand": "Fender"}, {"brand": "fender"}, False),
        ({"brand": "Fender"}, {"brand": ["Gibson", "Fender"]}, True),
        ({"brand": "Fender"}, {}, False),
        ({"brand": "Fender"}, {"brand": None}, False),
        ({"brand": "Fender"}, {"brand": {"name": "Fender"}}, False),
        # numbers and numerals
        ({"stock": 12}, {"stock": 12.0}, True),
        ({"stock": 12}, {"stock": "12.00"}, True),
        ({"stock": "12"}, {"stock": 12}, True),
        ({"stock": "12"}, {"stock": "12.0"}, False),
        ({"stock": "012"}, {"stock": 12}, True),
        ({"stock": 1}, {"stock": True}, False),
        ({"stock": True}, {"stock": "true"}, False),
        # ranges
        ({"price": {"values": ["100|500"]}}, {"price": 100}, True),
        ({"price": {"values": ["100|500"]}}, {"price": "500"}, True),
        ({"price": {"values": ["100|500"]}}, {"price": 500.01}, False),
        ({"price": {"values": ["100|500"]}}, {"price": [1, 200]}, True),
        ({"price": {"values": ["0|2"]}}, {"price": True}, False),
        ({"price": {"values": ["|500"]}}, {}, False),
        ({"at": {"values": ["2025-01|2025-02"]}}, {"at": "2025-01-31T10:00:00Z"}, True),
        ({"at": {"values": ["2025-01|2025-02"]}}, {"at": "2025-02-01"}, False),
        ({"at": {"values": ["2025-01|"]}}, {"at": 2026}, False),
        # and, not
        ({"tag": {"values": ["a", "b"], "operator": "and"}}, {"tag": ["b", "c", "a"]}, True),
        ({"tag": {"values": ["a", "b"], "operator": "and"}}, {"tag": ["a"]}, False),
        ({"tag": {"values": ["a", "b"], "operator": "not"}}, {"tag": ["c", "a"]}, False),
        ({"tag": {"values": ["a", "b"], "operator": "not"}}, {"tag": ["c"]}, True),
        ({"tag": {"values": ["a"], "operator": "not"}}, {}, True),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, True),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, False),
        # operators
        ([{"field": "a", "operator": "!=", "value": "x"}], {}, True),
        ([{"field": "a", "operator": "!=", "value": "x"}], {"a": ["y", "x"]}, False),
        ([{"field": "a", "operator": "not_in", "value": ["x", "y"]}], {}, True),
        ([{"field": "a", "operator": ">", "value": 5}], {"a": 5}, False),
        ([{"field": "a", "operator": ">=", "value": 5}], {"a": "5"}, True),
        ([{"field": "a", "operator": "<", "value": 5}], {"a": [7, 4]}, True),
        ([{"field": "a", "operator": "<", "value": "b"}], {"a": "a"}, True),
        ([{"field": "a", "operator": "<", "value": "b"}], {"a": 1}, False),
        ([{"field": "a", "operator": "contains", "value": "end"}], {"a": "Fender"}, True),
        ([{"field": "a", "operator": "contains", "value": "1"}], {"a": 12}, False),
        ([{"field": "a", "operator": "exists"}], {"a": 0}, True),
        ([{"field": "a", "operator": "exists"}], {"a": ""}, True),
        ([{"field": "a", "operator": "exists"}], {"a": None}, False),
        ([{"field": "a", "operator": "exists"}], {"a": []}, False),
        ([{"field": "a", "operator": "exists", "value": False}], {}, True),
        ({"not": {"a": "x"}}, {}, True),
        ({"or": [{"a": "x"}, {"b": "y"}]}, {"b": "y"}, True),
        ({}, {}, True),
        # numbers beyond all bounds
        ({"a": {"values": ["1|"]}}, {"a": 10**400}, True),
        ({"a": {"values": ["|1"]}}, {"a": -(10**400)}, True),
        ({"a": {"values": ["1|"]}}, {"a": "1" + "0" * 400}, False),
    ],
)
def test_what_a_rule_means(shape: Any, attributes: dict[str, Any], holds: bool) -> None:
    """Exact, case-sensitive; any element of a list may meet it; a missing attribute meets negations only."""
    assert criteria.matches(criteria.read(shape), attributes) == holds


plain_values = st.lists(st.sampled_from(shapes.SCALARS), min_size=1, max_size=3)


@usual
@given(st.sampled_from(shapes.ATTRIBUTES), plain_values, shapes.attributes)
def test_both_spellings_mean_the_same(
    name: str, values: list[Any], attributes: dict[str, Any]
) -> None:
    """Equality and in, or; not and not_in; and as several equations."""

    def meaning(shape: Any) -> bool:
        return criteria.matches(criteria.read(shape), attributes)

    def listed(operator: str, value: Any) -> Any:
        return {"field": name, "operator": operator, "value": value}

    assert meaning({name: values[0]}) == meaning([listed("=", values[0])])
    assert meaning({name: {"values": values}}) == meaning([listed("in", values)])
    assert meaning({name: {"values": values, "operator": "not"}}) == meaning(
        [listed("not_in", values)]
    )
    assert meaning({name: {"values": values, "operator": "and"}}) == meaning(
        [listed("=", each) for each in values]
    )


@usual
@given(shapes.shapes, shapes.shapes, shapes.attributes)
def test_nesting_means_what_logic_says(one: Any, other: Any, attributes: dict[str, Any]) -> None:
    """Not turns round, or is either, and is both; a list is both too."""

    def meaning(shape: Any) -> bool:
        return criteria.matches(criteria.read(shape), attributes)

    first, second = meaning(one), meaning(other)

    if one:
        assert meaning({"not": one}) == (not first)
    if one and other and isinstance(one, dict) and isinstance(other, dict):
        assert meaning({"or": [one, other]}) == (first or second)
        assert meaning({"and": [one, other]}) == (first and second)
        assert meaning([one, other]) == (first and second)


def test_the_attributes_that_a_rule_looks_at_can_be_named() -> None:
    """Through all nesting, so that unknown ones can be refused."""
    rule = criteria.read(
        {
            "or": [
                {"a": "x"},
                {"not": {"b": {"values": ["1|2"]}}},
                {"c": {"values": ["x", "y"], "operator": "and"}},
            ],
            "and": [
                {"field": "d", "operator": "exists"},
                {"field": "e", "operator": "contains", "value": "x"},
            ],
        }
    )

    assert sorted(criteria.attributes_named(rule)) == ["a", "b", "c", "d", "e"]
