"""
One attribute of all items, laid out for criteria: postings of texts, sorted numbers, who has it at all.

A column answers which items an element-level rule selects, as a bitmap of item numbers. It is immutable; `changed`
makes its successor from the attributes that went and came.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from endcap.criteria import Between, Term, elements_of, present, terms_of

Numbers = Mapping[int, Any]
"""Item number → the attribute's value."""


class Sorted:
    """Numbers with the items that have them, in order of number."""

    __slots__ = ("items", "numbers")

    def __init__(self, numbers: NDArray[np.float64], items: NDArray[np.int32]) -> None:
        self.numbers = numbers
        self.items = items

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, int]]) -> "Sorted":
        held = sorted(pairs)
        return cls(
            np.array([number for number, _ in held], dtype=np.float64),
            np.array([item for _, item in held], dtype=np.int32),
        )

    def equal(self, number: float) -> BitMap:
        low, high = (
            self.numbers.searchsorted(number, "left"),
            self.numbers.searchsorted(number, "right"),
        )
        return BitMap(self.items[low:high])

    def between(self, rule: Between) -> BitMap:
        low, high = 0, len(self.numbers)
        if isinstance(rule.low, float):
            low = int(self.numbers.searchsorted(rule.low, "left" if rule.low_included else "right"))
        if isinstance(rule.high, float):
            high = int(
                self.numbers.searchsorted(rule.high, "right" if rule.high_included else "left")
            )
        return BitMap(self.items[low:high]) if low < high else BitMap()

    def changed(self, removed: BitMap, pairs: Iterable[tuple[float, int]]) -> "Sorted":
        numbers, items = self.numbers, self.items
        if len(removed):
            kept = ~np.isin(items, np.fromiter(removed, dtype=np.int32, count=len(removed)))
            numbers, items = numbers[kept], items[kept]
        added = Sorted.of(pairs)
        if len(added.numbers):
            at = numbers.searchsorted(added.numbers)
            numbers, items = (
                np.insert(numbers, at, added.numbers),
                np.insert(items, at, added.items),
            )
        return Sorted(numbers, items)


class Column:
    """One attribute. A posting of one item is its number alone: most texts are had by one item only."""

    __slots__ = ("_flags", "_numbers", "_numerals", "_texts", "having")

    def __init__(self, values: Numbers) -> None:
        self.having = BitMap()
        self._texts: dict[str, int | BitMap] = {}
        self._flags = {False: BitMap(), True: BitMap()}
        self._numbers = Sorted.of(())
        self._numerals = Sorted.of(())
        self._fill(values)

    def _fill(self, values: Numbers) -> None:
        numbers: list[tuple[float, int]] = []
        numerals: list[tuple[float, int]] = []
        owned: set[str] = set()
        for item, value in values.items():
            if not present(value):
                continue
            self.having.add(item)
            for kind, each in set(terms_of(value)):
                if kind == "text":
                    self._add_text(str(each), item, owned)
                elif kind == "flag":
                    self._flags[bool(each)].add(item)
                else:
                    (numbers if kind == "number" else numerals).append((float(each), item))
        nothing = BitMap()
        self._numbers = self._numbers.changed(nothing, numbers)
        self._numerals = self._numerals.changed(nothing, numerals)

    def _add_text(self, text: str, item: int, owned: set[str]) -> None:
        known = self._texts.get(text)
        if known is None:
            self._texts[text] = item
        elif isinstance(known, int):
            if known != item:
                self._texts[text] = BitMap((known, item))
                owned.add(text)
        else:
            if text not in owned:
                owned.add(text)
                known = self._texts[text] = BitMap(known)
            known.add(item)

    def changed(self, old: Numbers, new: Numbers) -> "Column":
        """The column after the items of `old` lost those values and the items of `new` got these."""
        successor: Column = Column.__new__(Column)
        removed = BitMap(old.keys())
        successor.having = self.having - removed
        successor._texts = dict(self._texts)
        successor._flags = {flag: held - removed for flag, held in self._flags.items()}
        successor._numbers = self._numbers.changed(removed, ())
        successor._numerals = self._numerals.changed(removed, ())
        for item, value in old.items():
            for element in elements_of(value):
                if isinstance(element, str):
                    successor._drop_text(element, item)
        successor._fill(new)
        return successor

    def _drop_text(self, text: str, item: int) -> None:
        known = self._texts.get(text)
        if isinstance(known, int):
            del self._texts[text]
        elif known is not None:
            rest = known - BitMap((item,))
            if rest:
                self._texts[text] = rest
            else:
                del self._texts[text]

    def met_by(self, term: Term) -> BitMap:
        """The items with an element of this term."""
        kind, value = term
        if kind == "text":
            known = self._texts.get(str(value))
            return BitMap() if known is None else _bitmap(known)
        if kind == "flag":
            return self._flags[bool(value)]
        return (self._numbers if kind == "number" else self._numerals).equal(float(value))

    @property
    def numeric(self) -> tuple[Sorted, Sorted]:
        """What the items have of numbers: texts that read as one, and numbers, each sorted."""
        return self._numerals, self._numbers

    def between(self, rule: Between) -> BitMap:
        if isinstance(rule.low, str) or isinstance(rule.high, str):
            return self._texts_between(rule)
        return self._numbers.between(rule) | self._numerals.between(rule)

    def _texts_between(self, rule: Between) -> BitMap:
        texts = sorted(self._texts)
        low, high = 0, len(texts)
        if isinstance(rule.low, str):
            low = (bisect_left if rule.low_included else bisect_right)(texts, rule.low)
        if isinstance(rule.high, str):
            high = (bisect_right if rule.high_included else bisect_left)(texts, rule.high)
        return self._union(texts[low:high])

    def containing(self, text: str) -> BitMap:
        return self._union(each for each in self._texts if text in each)

    def _union(self, texts: Iterable[str]) -> BitMap:
        found = BitMap()
        for text in texts:
            known = self._texts[text]
            if isinstance(known, int):
                found.add(known)
            else:
                found |= known
        return found

    def texts(self) -> Mapping[str, int]:
        """Every text with the number of items that have it."""
        return {
            text: 1 if isinstance(known, int) else len(known) for text, known in self._texts.items()
        }


def _bitmap(known: int | BitMap) -> BitMap:
    return BitMap((known,)) if isinstance(known, int) else known
