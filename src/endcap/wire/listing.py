"""
The questions of list and export: query parameters and rules into a filter.

Repeated parameters come as `model=a&model=b` or `model[]=a`; OR inside one parameter, AND between them.
"""

from collections.abc import Sequence
from typing import get_args

from msgspec import Raw, Struct

from endcap import criteria
from endcap.criteria import Rule
from endcap.domain import NEWEST_FIRST, Filter, Sort, SortColumn
from endcap.errors import FaultyFields
from endcap.wire.customizations import TARGET_TYPES, is_own_field
from endcap.wire.reading import Faults, Fields, json_object

LIMIT_DEFAULT = 25
LIMIT_MAX = 1_000
OFFSET_MAX = 2**53
SORT_COLUMNS: tuple[SortColumn, ...] = get_args(SortColumn)

Query = Sequence[tuple[str, str]]
"""Decoded query parameters in order."""


class Listing(Struct, frozen=True):
    filter: Filter
    sort: tuple[Sort, ...]
    limit: int
    offset: int
    rule: Rule | None


class Export(Struct, frozen=True):
    filter: Filter
    remove_expired_pins: bool
    remove_nonexisting_item_pins: bool


def read_listing(query: Query, body: bytes) -> Listing:
    """Raises MalformedBody for a body that is not an object, FaultyFields with every fault."""
    faults = Faults()
    sort = tuple(each for text in values(query, "sort") if (each := _sort(text, faults)))
    listing = Listing(
        _filter(query, faults),
        sort or NEWEST_FIRST,
        min(_count(query, "limit", LIMIT_DEFAULT, faults), LIMIT_MAX),
        _count(query, "offset", 0, faults),
        _rule(json_object(body) if body.strip() else {}, faults),
    )
    if faults:
        raise FaultyFields("Invalid list parameters provided", faults.by_field)
    return listing


def read_export(query: Query) -> Export:
    """Raises FaultyFields."""
    faults = Faults()
    export = Export(
        _filter(query, faults),
        _flag(query, "remove_expired_pins", faults),
        _flag(query, "remove_nonexisting_item_pins", faults),
    )
    if faults:
        raise FaultyFields("Invalid export parameters provided", faults.by_field)
    return export


def values(query: Query, name: str) -> tuple[str, ...]:
    """Every value of a parameter, in either spelling."""
    return tuple(value for key, value in query if key in (name, f"{name}[]"))


def _filter(query: Query, faults: Faults) -> Filter:
    target_types = values(query, "target_type")
    if not set(target_types) <= set(TARGET_TYPES):
        faults.add("target_type", f"Must be one of: {', '.join(TARGET_TYPES)}")
    for name in ("model", "tag", "target_identity"):
        if any("\x00" in value for value in values(query, name)):
            faults.add(name, "Must not contain the character U+0000")
    return Filter(
        values(query, "model"),
        values(query, "tag"),
        target_types,
        values(query, "target_identity"),
    )


def _sort(text: str, faults: Faults) -> Sort | None:
    name, _, direction = text.partition(":")
    column = next((each for each in SORT_COLUMNS if each == name), None)
    if column is not None and direction in ("", "asc", "desc"):
        return Sort(column, descending=direction == "desc")
    faults.add("sort", f"Must be one of {', '.join(SORT_COLUMNS)}, with :asc or :desc")
    return None


def _count(query: Query, name: str, default: int, faults: Faults) -> int:
    texts = values(query, name)
    if not texts:
        return default
    text = texts[-1]
    if text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= OFFSET_MAX:
        return int(text)
    faults.add(name, "Must be a whole number, 0 or more")
    return default


def _flag(query: Query, name: str, faults: Faults) -> bool:
    texts = values(query, name)
    match texts[-1].lower() if texts else "false":
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            faults.add(name, "Must be true, false, 1 or 0")
            return False


def _rule(members: dict[str, Raw], faults: Faults) -> Rule | None:
    rule = Fields(members, faults).parsed("criteria", criteria.parse)
    if rule is None:
        return None
    for name in criteria.attributes_named(rule):
        if not is_own_field(name):
            faults.add("criteria", f"Unknown field: {name}")
    return None if rule == criteria.ALWAYS_TRUE else rule
