"""
Criteria as rows of a form: conditions that must all hold, and groups of which one must, or none may.

`groups_of` takes a rule apart into rows, where rows can say it; `shape_of` writes rows in the wire's words. What a rule
says that rows cannot (groups inside of groups) stays a text. Whether rows say the same as a rule is found out by
reading what they would be written as, so that nothing is changed by being looked at.

Values of a row are written with commas between them: `Fender, "Guitars, electric", 12, true`. A number or true or false
is a text where it is in quotation marks.
"""

import json
import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Literal

import msgspec
from msgspec import Struct

from endcap import criteria
from endcap.criteria import (
    AllOf,
    AnyOf,
    Between,
    Contains,
    CriteriaFault,
    Every,
    Exists,
    Not,
    Rule,
    Scalar,
    Some,
    Term,
    numeral,
)

Kind = Literal["all", "any", "none"]
Operator = Literal[
    "is",
    "not",
    "all",
    "contains",
    "lacks",
    "between",
    "least",
    "more",
    "most",
    "less",
    "given",
    "missing",
]
OPERATORS: Mapping[Operator, str] = {
    "is": "is",
    "not": "is not",
    "all": "has all of",
    "contains": "contains",
    "lacks": "does not contain",
    "between": "is between",
    "least": "is at least",
    "more": "is more than",
    "most": "is at most",
    "less": "is less than",
    "given": "is given",
    "missing": "is not given",
}
"""As the form calls them, in the order in which it offers them."""
KINDS: Mapping[Kind, str] = {
    "all": "All of these",
    "any": "At least one of these",
    "none": "None of these",
}
_COMPARED: Mapping[str, str] = {"least": ">=", "more": ">", "most": "<=", "less": "<"}
_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([^",][^,]*?)?)\s*(?:,|\Z)', re.DOTALL)
_BARE_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,16})(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE_MAX = 1e15


class Condition(Struct, frozen=True):
    """A row, as it is typed."""

    attribute: str = ""
    operator: Operator = "is"
    values: str = ""


class Group(Struct, frozen=True):
    kind: Kind = "all"
    conditions: tuple[Condition, ...] = (Condition(),)


class RowFault(ValueError):
    """A row does not say enough, or what cannot be said; the message is for who typed it."""


def shape_of(groups: Sequence[Group]) -> list[Any]:
    """The wire's list of rules. Raises RowFault."""
    shapes: list[Any] = []
    for group in groups:
        rows = [_row(each) for each in group.conditions]
        if not rows:
            continue
        if group.kind == "all":
            shapes += rows
        elif group.kind == "any":
            shapes.append({"or": rows})
        else:
            shapes.append({"not": rows if len(rows) == 1 else {"or": rows}})
    if not shapes:
        raise RowFault("Name at least one condition")
    return shapes


def rule_of(condition: Condition) -> Rule:
    """What one row says. Raises RowFault."""
    try:
        return criteria.read([_row(condition)])
    except CriteriaFault as fault:
        raise RowFault(str(fault)) from fault


def groups_of(rule: Rule) -> tuple[Group, ...] | None:
    """The rows that say this; None where rows cannot."""
    whole = _flat(rule)
    found: list[Group] = []
    for part in whole.rules if isinstance(whole, Every) else (whole,):
        condition = _condition(part)
        if condition is None:
            group = _group(part)
            if group is None:
                return None
            found.append(group)
        elif found and found[-1].kind == "all":
            found[-1] = Group("all", (*found[-1].conditions, condition))
        else:
            found.append(Group("all", (condition,)))
    try:
        again = criteria.read(shape_of(found))
    except (RowFault, CriteriaFault):
        return None
    return tuple(found) if _flat(again) == whole else None


def tokens_of(text: str) -> list[str | tuple[str]]:
    """Texts between commas; one in quotation marks as a tuple of one. Raises RowFault."""
    found: list[str | tuple[str]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise RowFault("A text in quotation marks ends with one, and a comma follows")
        at = match.end()
        quoted, bare = match.groups()
        if quoted is not None:
            found.append((_unquoted(quoted),))
        elif bare:
            found.append(bare)
    return found


def texts_of(text: str) -> list[str]:
    """The same, where all are texts. Raises RowFault."""
    return [each if isinstance(each, str) else each[0] for each in tokens_of(text)]


def values_of(text: str) -> list[Scalar]:
    """The same as values. Raises RowFault."""
    return [_value(each) if isinstance(each, str) else each[0] for each in tokens_of(text)]


def spelled(value: Scalar) -> str:
    """A value as a row has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        whole = float(value).is_integer() and abs(value) < _WHOLE_MAX
        return str(int(value)) if whole else repr(float(value))
    return value if _is_bare(value) and _value(value) == value else quoted(value)


def spelled_text(text: str) -> str:
    """A text where all are texts."""
    return text if _is_bare(text) else quoted(text)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def encoded(shape: object) -> bytes:
    return msgspec.json.encode(shape)


def _is_bare(text: str) -> bool:
    return bool(text) and text == text.strip() and not re.search(r'[,"\x00-\x1f\x7f]', text)


def _unquoted(quoted: str) -> str:
    try:
        found = json.loads(quoted, strict=False)
    except ValueError as error:
        raise RowFault(f"{quoted} is no text") from error
    return str(found)


def _value(bare: str) -> Scalar:
    if bare in ("true", "false"):
        return bare == "true"
    if _BARE_NUMBER.fullmatch(bare):
        number = float(bare)
        if isfinite(number):
            return int(number) if number.is_integer() and abs(number) < _WHOLE_MAX else number
    return bare


def _row(condition: Condition) -> Any:
    """One rule of the list. Raises RowFault."""
    attribute, operator = condition.attribute, condition.operator
    if not attribute:
        raise RowFault("Choose an attribute")
    if operator in ("given", "missing"):
        return {"field": attribute, "operator": "exists", "value": operator == "given"}
    values = values_of(condition.values)
    if not values:
        raise RowFault(f"Name a value for {attribute}")
    match operator:
        case "is" | "not":
            return _equal(attribute, values, is_not=operator == "not")
        case "contains" | "lacks":
            texts = texts_of(condition.values)
            value = texts[0] if len(texts) == 1 else texts
            shape = {"field": attribute, "operator": "contains", "value": value}
            return shape if operator == "contains" else {"not": [shape]}
        case "all":
            return _plain({attribute: {"values": values, "operator": "and"}}, AllOf)
        case "between":
            return _between(attribute, texts_of(condition.values))
        case _:
            return _compared(attribute, operator, values)


def _equal(attribute: str, values: Sequence[Scalar], *, is_not: bool) -> Any:
    one, several = ("!=", "not_in") if is_not else ("=", "in")
    if len(values) == 1:
        return {"field": attribute, "operator": one, "value": values[0]}
    return {"field": attribute, "operator": several, "value": list(values)}


def _between(attribute: str, texts: Sequence[str]) -> Any:
    if len(texts) != 2:
        raise RowFault(f"Between takes two numbers or dates for {attribute}, such as 100, 500")
    low, high = texts
    numbers = numeral(low), numeral(high)
    if None not in numbers and float(low) > float(high):
        raise RowFault(f"{low} is more than {high}: nothing lies between them")
    try:
        return _plain({attribute: {"values": [f"{low}|{high}"]}}, Between)
    except RowFault:
        raise RowFault(
            f"Between takes two numbers, or two dates such as 2026-11-22, for {attribute}"
        ) from None


def _compared(attribute: str, operator: str, values: Sequence[Scalar]) -> Any:
    if len(values) != 1 or isinstance(values[0], bool):
        raise RowFault(f"Name one number or text for {attribute}")
    return {"field": attribute, "operator": _COMPARED[operator], "value": values[0]}


def _plain(shape: Mapping[str, Any], kind: type[Struct]) -> Any:
    """A shape that says what it should, whatever the attribute is called. Raises RowFault."""
    try:
        rule = criteria.read([shape])
    except CriteriaFault as fault:
        raise RowFault(str(fault)) from fault
    if not isinstance(rule, kind):
        raise RowFault("A row cannot say this; write the criteria as a text")
    return shape


def _flat(rule: Rule) -> Rule:
    """Without an `and` inside of an `and`, nor an `or` inside of an `or`."""
    match rule:
        case Every(rules):
            return _joined(Every, rules)
        case Some(rules):
            return _joined(Some, rules)
        case Not(inner):
            return Not(_flat(inner))
        case _:
            return rule


def _joined(kind: type[Every] | type[Some], rules: Sequence[Rule]) -> Rule:
    parts: list[Rule] = []
    for each in map(_flat, rules):
        parts += each.rules if isinstance(each, kind) else (each,)
    return kind(tuple(parts))


def _group(rule: Rule) -> Group | None:
    match rule:
        case Some(rules):
            kind: Kind = "any"
        case Not(Some(rules)):
            kind = "none"
        case Not(inner):
            kind, rules = "none", (inner,)
        case _:
            return None
    conditions = [_condition(each) for each in rules]
    known = tuple(each for each in conditions if each is not None)
    return Group(kind, known) if len(known) == len(conditions) else None


def _condition(rule: Rule) -> Condition | None:
    match rule:
        case AnyOf(attribute, terms):
            return _valued(attribute, "is", _scalars(terms))
        case Not(AnyOf(attribute, terms)):
            return _valued(attribute, "not", _scalars(terms))
        case AllOf(attribute, parts):
            return _valued(attribute, "all", [_one(part.terms) for part in parts])
        case Exists(attribute):
            return Condition(attribute, "given")
        case Not(Exists(attribute)):
            return Condition(attribute, "missing")
        case Between(attribute):
            return _bounded(rule)
        case Not(inner):
            found = _containing(inner)
            return None if found is None else Condition(found[0], "lacks", found[1])
        case _:
            found = _containing(rule)
            return None if found is None else Condition(found[0], "contains", found[1])


def _valued(
    attribute: str, operator: Operator, values: Sequence[Scalar | None]
) -> Condition | None:
    known = [each for each in values if each is not None]
    if len(known) < len(values) or attribute != attribute.strip():
        return None
    return Condition(attribute, operator, ", ".join(map(spelled, known)))


def _containing(rule: Rule) -> tuple[str, str] | None:
    rules = rule.rules if isinstance(rule, Some) else (rule,)
    found = [each for each in rules if isinstance(each, Contains)]
    if len(found) < len(rules) or len({each.attribute for each in found}) != 1:
        return None
    return found[0].attribute, ", ".join(spelled_text(each.text) for each in found)


def _bounded(rule: Between) -> Condition | None:
    low, high = rule.low, rule.high
    if low is not None and high is not None:
        texts = (_bound(low), _bound(high))
        return Condition(rule.attribute, "between", ", ".join(texts))
    if low is not None:
        return _valued(rule.attribute, "least" if rule.low_included else "more", [low])
    return _valued(rule.attribute, "most" if rule.high_included else "less", [high])


def _bound(bound: float | str) -> str:
    return spelled(bound) if isinstance(bound, float) else spelled_text(bound)


def _scalars(terms: Sequence[Term]) -> list[Scalar | None]:
    """The values that look these terms up."""
    found: list[Scalar | None] = []
    at = 0
    while at < len(terms):
        kind, value = terms[at]
        size = len(criteria.looked_up(value))
        is_whole = terms[at : at + size] == criteria.looked_up(value)
        found.append(value if is_whole and kind in ("text", "number", "flag") else None)
        at += size
    return found


def _one(terms: Sequence[Term]) -> Scalar | None:
    found = _scalars(terms)
    return found[0] if len(found) == 1 else None
