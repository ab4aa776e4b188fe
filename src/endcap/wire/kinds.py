"""
Kinds of fields: what a value is, and what the fields with a meaning must be.

The first value of a field fixes its kind for the tracker (`store.decide` keeps the kinds); what a value is of a kind
is said here. A list is of the kind of its elements: a shop sends one color as a text and two as a list. Null, an empty
text and an empty list are of no kind. Fields with a meaning of their own are not of the first value's kind, but of the
one that their meaning asks for, and faulty else.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal

from endcap.domain import Field, FieldKind, Shape
from endcap.errors import CatalogFault
from endcap.wire.reading import Faults, instant

FIELD_NAME_CHARACTERS_MAX = 200  # four bytes each still fit into an index entry
RANK_MIN, RANK_MAX = 1, 15
_SHAPES_MAX = 4_096  # shops have a handful; a bound on what odd bodies can make us keep
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
_shapes: dict[Shape, Shape] = {}
_Rule = Callable[[Any], str | None]
"""Says what is wrong with a value, if something is."""


def shape_of(fields: Mapping[str, Any], faults: Faults) -> Shape:
    """The kinds of an object's fields, as far as their first values fix them; what cannot be is a fault."""
    kinds: list[tuple[str, FieldKind]] = []
    for name, value in fields.items():
        if value in (None, "", []):
            continue
        rule = _rule_of(name)
        if rule is not None:
            if (message := rule(value)) is not None:
                faults.add(name, message)
            continue
        kind = kind_of(value)
        if kind == "mixed":
            faults.add(name, "must be of one type: its elements are of several")
        elif kind is not None and not (name.startswith("price_") and kind in ("text", "number")):
            kinds.append((name, kind))
    return _shared(tuple(kinds))


def _shared(shape: Shape) -> Shape:
    """One object for all that are equal: a million items have a handful of shapes."""
    known = _shapes.get(shape)
    if known is None:
        if len(_shapes) >= _SHAPES_MAX:
            _shapes.clear()
        known = _shapes[shape] = shape
    return known


def kind_of(value: Any) -> FieldKind | Literal["mixed"] | None:
    """The kind of a decoded value; None for what is of no kind."""
    if isinstance(value, str):
        return ("date" if _is_date(value) else "text") if value else None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, dict):
        return "object"
    if not isinstance(value, list):
        return None
    kinds = {kind for each in value if (kind := kind_of(each)) is not None}
    if len(kinds) <= 1:
        return kinds.pop() if kinds else None
    return "text" if kinds == {"text", "date"} else "mixed"


def agrees(kind: FieldKind, with_fixed: FieldKind) -> bool:
    """Whether a value may stand in a field of a kind: a date may also be a text."""
    return kind == with_fixed or (kind == "date" and with_fixed == "text")


_WORDS: Mapping[FieldKind, str] = {
    "text": "a text",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date, e.g. 2025-01-22",
    "object": "an object",
}


def mismatch(shape: Shape, fields: Mapping[str, Field]) -> CatalogFault | None:
    """What is wrong with an object of a shape, where fields have kinds already."""
    clashes: dict[str, list[str]] = {}
    for name, kind in shape:
        field = fields.get(name)
        if field is not None and not agrees(kind, field.kind):
            since = f": the first value is, in {field.identity}" if field.identity else ""
            clashes[name] = [f"must be {_WORDS[field.kind]}{since}"]
    if not clashes:
        return None
    reason = "a field is of another type than its first value"
    return CatalogFault("data_schema_mismatch", reason, clashes)


def _is_date(text: str) -> bool:
    return (
        len(text) >= 10
        and text[4] == "-"
        and _DATE.fullmatch(text) is not None
        and instant(text) is not None
    )


# Fields with a meaning (https://docs.luigisbox.com/indexing/data_layout.html)


def as_number(value: Any) -> float | int | None:
    """A number, or a text that reads as one, as exports from spreadsheets have them."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and _NUMERAL.fullmatch(value.strip()):
        return float(value)
    return None


_NUMERAL = re.compile(r"[+-]?[0-9]{1,300}(?:\.[0-9]{1,300})?", re.ASCII)


def _number(value: Any) -> str | None:
    return None if as_number(value) is not None else "must be a number"


def _availability(value: Any) -> str | None:
    return None if value in (0, 1, "0", "1") else "must be 1 or 0"


def _rank(value: Any) -> str | None:
    number = as_number(value)
    if number is not None and RANK_MIN <= number <= RANK_MAX and number == int(number):
        return None
    return f"must be a whole number from {RANK_MIN} to {RANK_MAX}"


def _moment(value: Any) -> str | None:
    is_read = isinstance(value, str) and instant(value) is not None
    return None if is_read else "must be an ISO 8601 date or date-time, e.g. 2025-02-01T00:00:00Z"


def _price(value: Any) -> str | None:
    is_price = isinstance(value, str | int | float) and not isinstance(value, bool)
    return None if is_price else "must be a price: a text such as 1 234,50 €, or a number"


def _place(value: Any) -> str | None:
    if isinstance(value, dict):
        latitude, longitude = as_number(value.get("lat")), as_number(value.get("lon"))
        if (
            latitude is not None
            and longitude is not None
            and -90 <= latitude <= 90
            and -180 <= longitude <= 180
        ):
            return None
    return 'must be a place: {"lat": degrees, "lon": degrees}'


def _title(value: Any) -> str | None:
    """`wire.catalog` says what is wrong with a title."""
    return None


_RULES: Mapping[str, _Rule] = {
    "title": _title,
    "availability": _availability,
    "availability_rank": _rank,
    "boost": _number,
    "_margin": _number,
    "introduced_at": _moment,
    "_introduced_at": _moment,
    "price": _price,
    "price_old": _price,
}


@lru_cache(8_192)
def _rule_of(name: str) -> _Rule | None:
    """The rule of a field with a meaning; None: the first value decides."""
    if len(name) > FIELD_NAME_CHARACTERS_MAX or "\x00" in name:
        return _unnamable
    if name in _RULES:
        return _RULES[name]
    if name.startswith("geo_"):
        return _place
    if name.startswith("price_") and name.endswith("_amount"):
        return _number
    return None


def _unnamable(value: Any) -> str | None:
    return f"is no name for a field: at most {FIELD_NAME_CHARACTERS_MAX} characters, U+0000 not among them"
