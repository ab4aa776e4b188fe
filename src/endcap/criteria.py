"""
One closed grammar of conditions over attributes, in two spellings, with one meaning.

Both spellings are read into one normal form, a tree of eight kinds of rule; whoever needs the spelling back keeps
the bytes. `matches` is the meaning, written plainly; `engine.catalog` answers the same question for a whole catalog
from postings, and a property test holds the two together.

    {"brand": "Fender"}                                             map: attribute → scalar
    {"price_amount": {"values": ["100|500"], "operator": "or"}}     map: attribute → values and operator
    [{"field": "brand", "operator": "=", "value": "Fender"}]        rule list, also under {"criteria": […]}
    {"or": [rule, …]}, {"and": [rule, …]}, {"not": rule}            nesting

Values meet as *terms*. An element of an attribute has the terms it may be met by, a value asked for has the terms it
looks up, so that 12 meets "12" but "12" does not meet "12.0", and `true` meets neither 1 nor "true".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, assert_never

import msgspec
from msgspec import Struct

# One request's rules must stay checkable in microseconds, whoever wrote them.
DEPTH_MAX = 8
RULES_MAX = 100
VALUES_MAX = 1_000

SUPPORTED_FORMS = (
    'Supported forms: {"attribute": "value"}; {"attribute": {"values": ["a", "10|20"], "operator": "or"}} with '
    'or, and, not; [{"field": "attribute", "operator": "=", "value": "a"}] with =, eq, !=, in, not_in, >, >=, <, <=, '
    'contains, exists; {"and": [rules]}, {"or": [rules]}, {"not": rule}'
)

Scalar = str | int | float | bool
Attributes = Mapping[str, Any]
"""Attribute → scalar, list of scalars, or something no rule but `exists` can meet."""
Term = tuple[str, Scalar]
"""("text", str) · ("number", float) · ("numeral", float): a text that reads as a number · ("flag", bool)."""
Bound = float | str | None


class AnyOf(Struct, frozen=True, tag=True, cache_hash=True):
    """An element is one of the values. `terms` holds what each value looks up."""

    attribute: str
    terms: tuple[Term, ...]


class AllOf(Struct, frozen=True, tag=True, cache_hash=True):
    """Every value is among the elements."""

    attribute: str
    values: tuple[AnyOf, ...]


class Between(Struct, frozen=True, tag=True, cache_hash=True):
    """An element lies between the bounds: numbers with numbers (and numerals), texts with texts."""

    attribute: str
    low: Bound = None
    high: Bound = None
    low_included: bool = True
    high_included: bool = True


class Contains(Struct, frozen=True, tag=True, cache_hash=True):
    """An element is a text with this text in it."""

    attribute: str
    text: str


class Exists(Struct, frozen=True, tag=True, cache_hash=True):
    """The attribute is there and neither null nor an empty list."""

    attribute: str


class Not(Struct, frozen=True, tag=True, cache_hash=True):
    rule: "Rule"


class Every(Struct, frozen=True, tag=True, cache_hash=True):
    """All rules hold; with no rules, always."""

    rules: "tuple[Rule, ...]"


class Some(Struct, frozen=True, tag=True, cache_hash=True):
    """At least one rule holds."""

    rules: "tuple[Rule, ...]"


Rule = AnyOf | AllOf | Between | Contains | Exists | Not | Every | Some
ALWAYS_TRUE = Every(())


class CriteriaFault(ValueError):
    """The criteria are not of a supported form; the message says where and what is supported."""


def parse(sent: bytes) -> Rule:
    """Reads either spelling from JSON. Raises CriteriaFault."""
    try:
        shape = msgspec.json.decode(sent)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CriteriaFault(f"Not JSON: {error}") from error
    return read(shape)


def read(shape: object) -> Rule:
    """Reads a decoded JSON value of either spelling. Raises CriteriaFault."""
    if shape in ({}, [], {"criteria": []}):
        return ALWAYS_TRUE
    return _Reader().rule(shape, depth=1)


def matches(rule: Rule, attributes: Attributes) -> bool:
    """Whether the attributes satisfy the rule. A missing attribute satisfies only negations."""
    match rule:
        case AnyOf(attribute, terms):
            return any(term in terms for term in terms_of(attributes.get(attribute)))
        case Every(rules):
            return all(matches(each, attributes) for each in rules)
        case Some(rules):
            return any(matches(each, attributes) for each in rules)
        case Not(inner):
            return not matches(inner, attributes)
        case AllOf(_, values):
            return all(matches(each, attributes) for each in values)
        case Between(attribute):
            return any(within(rule, element) for element in elements_of(attributes.get(attribute)))
        case Contains(attribute, text):
            return any(
                isinstance(element, str) and text in element
                for element in elements_of(attributes.get(attribute))
            )
        case Exists(attribute):
            return present(attributes.get(attribute))
    assert_never(rule)


def elements_of(value: object) -> Sequence[object]:
    """The elements that rules look at: a list's, or the value alone."""
    if isinstance(value, list | tuple):
        return value
    return () if value is None else (value,)


def present(value: object) -> bool:
    return value is not None and value != []


def terms_of(value: object) -> Iterator[Term]:
    """The terms an attribute's value may be met by."""
    for element in elements_of(value):
        if isinstance(element, str):
            yield ("text", element)
            if (number := numeral(element)) is not None:
                yield ("numeral", number)
        elif isinstance(element, bool):
            yield ("flag", element)
        elif isinstance(element, int | float):
            yield ("number", _float(element))


def looked_up(value: Scalar) -> tuple[Term, ...]:
    """The terms that a value asked for looks up."""
    if isinstance(value, bool):
        return (("flag", value),)
    if isinstance(value, int | float):
        number = _float(value)
        return (("number", number), ("numeral", number))
    as_number = numeral(value)
    return (("text", value),) if as_number is None else (("text", value), ("number", as_number))


def within(between: Between, element: object) -> bool:
    """Whether one element lies between the bounds."""
    bound = between.low if between.low is not None else between.high
    value: float | str | None
    if isinstance(bound, str):
        value = element if isinstance(element, str) else None
    else:
        value = number_of(element)
    if value is None:
        return False
    return _above(value, between) and _below(value, between)


def number_of(element: object) -> float | None:
    """The number that an element stands for, if any; a numeral counts, a flag does not."""
    if isinstance(element, bool):
        return None
    if isinstance(element, int | float):
        return _float(element)
    return numeral(element) if isinstance(element, str) else None


def attributes_named(rule: Rule) -> Iterator[str]:
    """Every attribute that the rule looks at, repeats included."""
    match rule:
        case Every(rules) | Some(rules):
            for each in rules:
                yield from attributes_named(each)
        case Not(inner):
            yield from attributes_named(inner)
        case AnyOf() | AllOf() | Between() | Contains() | Exists():
            yield rule.attribute
        case _:
            assert_never(rule)


_NUMERAL = re.compile(r"-?\d{1,300}(\.\d{1,300})?([eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2}([T ][0-9:.]*(Z|[+-]\d{2}:?\d{2})?)?)?", re.ASCII)


def numeral(text: str) -> float | None:
    """The number that a text spells in plain decimal notation, or None."""
    return float(text) if _NUMERAL.fullmatch(text) else None


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # over 308 digits: beyond every bound, as far as rules can tell
        return float("inf") if number > 0 else float("-inf")


def _above(value: Any, between: Between) -> bool:
    if between.low is None:
        return True
    return bool(value >= between.low if between.low_included else value > between.low)


def _below(value: Any, between: Between) -> bool:
    if between.high is None:
        return True
    return bool(value <= between.high if between.high_included else value < between.high)


_FIELD_KEYS = ("field", "attribute", "name")
_OPERATOR_KEYS = ("operator", "op")
_VALUE_KEYS = ("value", "values")
_MISSING = object()


class _Reader:
    """Reads one criteria; counts its rules on the way."""

    def __init__(self) -> None:
        self.count = 0

    def rule(self, shape: object, depth: int) -> Rule:
        """`depth` counts and, or, not and criteria from the outside, the whole being 1."""
        if depth > DEPTH_MAX:
            raise CriteriaFault(f"Nested deeper than {DEPTH_MAX} levels")
        if shape in ({}, []):  # {"not": {}} would silently mean that nothing matches
            raise CriteriaFault("Inside of criteria a list or object must hold at least one rule")
        if isinstance(shape, list):
            return self._conjunction([self.listed(each, depth) for each in shape])
        if not isinstance(shape, dict):
            raise CriteriaFault(f"Must be an object or a list of rules. {SUPPORTED_FORMS}")
        if "criteria" in shape and len(shape) == 1 and isinstance(shape["criteria"], list):
            return self.rule(shape["criteria"], depth + 1)
        if _is_listed(shape):
            return self.listed(shape, depth)
        return self._conjunction([self._entry(key, value, depth) for key, value in shape.items()])

    def listed(self, shape: object, depth: int) -> Rule:
        """One element of a rule list: a rule with a field, or a nested shape."""
        if isinstance(shape, dict) and _is_listed(shape):
            self._count()
            return _compared(shape)
        if isinstance(shape, dict) and shape:
            return self.rule(shape, depth)
        raise CriteriaFault(f"A rule must be an object with a field. {SUPPORTED_FORMS}")

    def _entry(self, key: str, value: object, depth: int) -> Rule:
        """One entry of the map spelling, or a nesting."""
        if key == "not" and isinstance(value, dict | list) and not _is_values(value):
            return Not(self.rule(value, depth + 1))
        if key in ("and", "or") and isinstance(value, list):
            if not value:
                raise CriteriaFault(f'"{key}" must hold at least one rule')
            rules = tuple(self.listed(each, depth + 1) for each in value)
            return Every(rules) if key == "and" else Some(rules)
        self._count()
        if isinstance(value, str | int | float):  # a bool is an int here
            return AnyOf(key, looked_up(value))
        if _is_values(value):
            return _restricted(key, value)
        raise CriteriaFault(
            f'Attribute "{key}" must be a value or {{"values": […]}}. {SUPPORTED_FORMS}'
        )

    def _conjunction(self, rules: list[Rule]) -> Rule:
        return rules[0] if len(rules) == 1 else Every(tuple(rules))

    def _count(self) -> None:
        self.count += 1
        if self.count > RULES_MAX:
            raise CriteriaFault(f"More than {RULES_MAX} rules")


def _is_listed(shape: dict[str, object]) -> bool:
    """Whether an object is a rule with a field, not a map that happens to use the word."""
    field = _first(shape, _FIELD_KEYS)
    return isinstance(field, str) and any(key in shape for key in _OPERATOR_KEYS + _VALUE_KEYS)


def _is_values(shape: object) -> bool:
    return isinstance(shape, dict) and "values" in shape and set(shape) <= {"values", "operator"}


def _first(shape: Mapping[str, object], keys: Sequence[str]) -> object:
    return next((shape[key] for key in keys if key in shape), _MISSING)


def _restricted(attribute: str, shape: Any) -> Rule:
    """`{"values": […], "operator": or|and|not}` for one attribute."""
    values = _scalars(attribute, shape["values"])
    parts = tuple(_value_or_range(attribute, value) for value in values)
    match shape.get("operator", "or"):
        case "or":
            return _any_of(attribute, parts)
        case "and":
            if all(isinstance(part, AnyOf) for part in parts):
                return AllOf(attribute, tuple(part for part in parts if isinstance(part, AnyOf)))
            return Every(parts)
        case "not":
            return Not(_any_of(attribute, parts))
        case other:
            raise CriteriaFault(f'Operator "{other}" of "{attribute}" must be one of: or, and, not')


def _value_or_range(attribute: str, value: Scalar) -> AnyOf | Between:
    """A text with a pipe is a range when both sides are numbers or dates (or open); else it is just a text."""
    if isinstance(value, str) and value.count("|") == 1 and len(value) > 1:
        low, high = value.split("|")
        if all(not side or numeral(side) is not None for side in (low, high)):
            return Between(attribute, numeral(low), numeral(high))
        if all(not side or _DATE.fullmatch(side) for side in (low, high)):
            return Between(attribute, low or None, high or None)
    return AnyOf(attribute, looked_up(value))


def _any_of(attribute: str, parts: Sequence[AnyOf | Between]) -> Rule:
    """One posting look-up for all plain values, and the ranges beside it."""
    terms = tuple(term for part in parts if isinstance(part, AnyOf) for term in part.terms)
    ranges = tuple(part for part in parts if isinstance(part, Between))
    rules: tuple[AnyOf | Between, ...] = (AnyOf(attribute, terms), *ranges) if terms else ranges
    return rules[0] if len(rules) == 1 else Some(rules)


def _compared(shape: dict[str, object]) -> Rule:
    """`{"field": …, "operator": …, "value": …}`."""
    attribute = _first(shape, _FIELD_KEYS)
    operator = _first(shape, _OPERATOR_KEYS)
    value = _first(shape, _VALUE_KEYS)
    assert isinstance(attribute, str)
    if operator == "exists":
        return _existence(attribute, value)
    if operator is _MISSING or value is _MISSING:
        lacking = "an operator" if operator is _MISSING else "a value"
        raise CriteriaFault(f'Rule on "{attribute}" needs {lacking}. {SUPPORTED_FORMS}')
    values = _scalars(attribute, value if isinstance(value, list) else [value])
    match operator:
        case "=" | "eq" | "in":
            return AnyOf(attribute, _terms(values))
        case "!=" | "not_in":
            return Not(AnyOf(attribute, _terms(values)))
        case "contains":
            texts = tuple(Contains(attribute, _text(attribute, each)) for each in values)
            return texts[0] if len(texts) == 1 else Some(texts)
        case ">" | ">=" | "<" | "<=":
            return _comparison(attribute, operator, values)
        case _:
            raise CriteriaFault(
                f'Operator "{operator}" of "{attribute}" must be one of: '
                "=, eq, !=, in, not_in, >, >=, <, <=, contains, exists"
            )


def _existence(attribute: str, value: object) -> Rule:
    if value is _MISSING or value is True:
        return Exists(attribute)
    if value is False:
        return Not(Exists(attribute))
    raise CriteriaFault(f'The value of exists on "{attribute}" must be true or false')


def _comparison(attribute: str, operator: str, values: Sequence[Scalar]) -> Rule:
    if len(values) != 1 or isinstance(values[0], bool):
        raise CriteriaFault(f'"{operator}" on "{attribute}" needs one number or text')
    value = values[0]
    bound: Bound = value if isinstance(value, str) else _float(value)
    if isinstance(value, str) and (number := numeral(value)) is not None:
        bound = number
    included = operator in (">=", "<=")
    if operator in (">", ">="):
        return Between(attribute, low=bound, low_included=included)
    return Between(attribute, high=bound, high_included=included)


def _scalars(attribute: str, values: object) -> list[Scalar]:
    if not isinstance(values, list) or not values:
        raise CriteriaFault(f'The values of "{attribute}" must be a list of at least one')
    if len(values) > VALUES_MAX:
        raise CriteriaFault(f'More than {VALUES_MAX} values for "{attribute}"')
    if not all(isinstance(value, str | int | float) for value in values):
        raise CriteriaFault(f'The values of "{attribute}" must be texts, numbers or booleans')
    return values


def _terms(values: Sequence[Scalar]) -> tuple[Term, ...]:
    return tuple(term for value in values for term in looked_up(value))


def _text(attribute: str, value: Scalar) -> str:
    if not isinstance(value, str):
        raise CriteriaFault(f'"contains" on "{attribute}" needs a text')
    return value
