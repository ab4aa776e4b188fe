"""
What attributes a catalog has, and what values: for who builds criteria and wants to choose instead of remembering.

Whatever is asked, so much of a column is looked at and no more: of a million titles nobody needs a list.
"""

from collections import Counter
from collections.abc import Iterator
from heapq import nlargest, nsmallest
from itertools import islice

import numpy as np
from msgspec import Struct

from endcap.engine.catalog import Catalog
from endcap.engine.columns import Column

SHOWN_MAX = 20
LOOKED_AT_MAX = 20_000  # texts that several items have, some 10 ms
_NUMBERS_MAX = 200_000  # numbers of a column that are told apart


class Attribute(Struct, frozen=True):
    """One that objects have, and how many have it."""

    name: str
    count: int


class Value(Struct, frozen=True):
    """A text, a number, true or false, and how many objects have it; 0: few, and not counted."""

    value: str | float | bool
    count: int


class Range(Struct, frozen=True):
    """The numbers of an attribute."""

    low: float
    high: float


def attributes(catalog: Catalog, text: str, limit: int = SHOWN_MAX) -> list[Attribute]:
    """Those with the text in their names, those that begin with it first, then those that most objects have."""
    wanted = text.casefold()
    found = (
        Attribute(name, len(column.having))
        for name, column in catalog.columns.items()
        if wanted in name.casefold() and column.having
    )
    return nsmallest(
        limit,
        found,
        key=lambda each: (not each.name.casefold().startswith(wanted), -each.count, each.name),
    )


def values(catalog: Catalog, attribute: str, text: str, limit: int = SHOWN_MAX) -> list[Value]:
    """Values with the text in them, the most frequent first."""
    column = catalog.columns.get(attribute)
    if column is None:
        return []
    wanted = text.casefold()
    flags = [
        Value(flag, count)
        for flag, count in column.flagged().items()
        if count and wanted in str(flag).casefold()
    ]
    common = (
        Value(each, count)
        for each, count in islice(column.common(), LOOKED_AT_MAX)
        if count and wanted in each.casefold()
    )
    found = flags + nlargest(limit, common, key=lambda each: (each.count, _reversed(each.value)))
    if len(found) < limit:
        known = {each.value for each in found}
        found += [each for each in _rare(column, text, limit) if each.value not in known]
    if len(found) < limit:
        found += _numbers(column, wanted, limit - len(found))
    return found[:limit]


def range_of(catalog: Catalog, attribute: str) -> Range | None:
    """From the least number to the largest; None for an attribute without numbers."""
    column = catalog.columns.get(attribute)
    if column is None:
        return None
    ends = [
        float(each.numbers[at]) for each in column.numeric if len(each) for at in (0, len(each) - 1)
    ]
    return Range(min(ends), max(ends)) if ends else None


def _rare(column: Column, text: str, limit: int) -> Iterator[Value]:
    """Of texts that few have the first that come, in the usual ways to write what was typed."""
    counts: Counter[str] = Counter()
    for spelling in dict.fromkeys((text, text.lower(), text.capitalize(), text.upper())):
        counts.update(each for each, _ in islice(column.rare(spelling), limit))
        if len(counts) >= limit:
            break
    return (Value(each, count) for each, count in counts.most_common(limit))


def _numbers(column: Column, wanted: str, limit: int) -> list[Value]:
    counts: Counter[float] = Counter()
    numbers = column.numeric[1].numbers[:_NUMBERS_MAX]
    distinct, times = np.unique(numbers, return_counts=True)
    for number, count in zip(distinct.tolist(), times.tolist(), strict=True):
        if wanted in f"{number:g}":
            counts[number] += count
    return [Value(number, count) for number, count in counts.most_common(limit)]


def _reversed(value: object) -> tuple[int, ...]:
    """Sorts texts the other way round, where the largest come first."""
    return tuple(-ord(each) for each in str(value))
