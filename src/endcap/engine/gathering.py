"""
Columns in the making: all attributes of all items of a catalog, laid out by attribute.

A million items with two dozen attributes each are some 24 million values, and what is done for each of them is most of
what a start takes. So they wait by attribute, and are laid out a hundred items at a time.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, cast

import numpy as np
from pyroaring import BitMap

from endcap.criteria import numeral, present, terms_of
from endcap.engine.columns import FREQUENT, Column, Items, Numbers, Sorted, bitmap_of
from endcap.engine.persistent import PersistentMap
from endcap.engine.rare_texts import RareMaker

_OWN_MIN = 4_096  # texts that are looked at before a column may be called one of unique texts
AT_ONCE = 128  # items that wait for each other: so many stay in the processor's cache
_TEXTS: set[type] = {str}
_LISTS: set[type] = {list}
_NUMBERS: set[type] = {int, float}


class Gatherer:
    """All columns in the making."""

    def __init__(self, *, besides: Set[str] = frozenset(), at_once: int = AT_ONCE) -> None:
        """`besides` are attributes that get no column; of `at_once` items the attributes wait for each other."""
        self._besides = besides
        self._at_once = at_once
        self._gathered: defaultdict[str, Gathering] = defaultdict(Gathering)
        self._waiting: defaultdict[str, tuple[list[int], list[object]]] = defaultdict(_nobody)
        self._items = 0

    def add(self, item: int, attributes: Mapping[str, Any]) -> None:
        """An item's attributes; items come in order of their numbers."""
        for name, value in attributes.items():
            if name not in self._besides:
                items, values = self._waiting[name]
                items.append(item)
                values.append(value)
        self._items += 1
        if self._items % self._at_once == 0:
            self._lay_out()

    def columns(self) -> Iterator[tuple[str, Column]]:
        """By name. One is let go before the next is made, so that no more is held twice than it must."""
        self._lay_out()
        while self._gathered:
            name, gathering = self._gathered.popitem()
            yield name, gathering.column()

    def _lay_out(self) -> None:
        for name, (items, values) in self._waiting.items():
            self._gathered[name].add(items, values)
        self._waiting.clear()


def column_of(values: Numbers) -> Column:
    """One attribute's column."""
    gathering = Gathering()
    gathering.add(list(values), list(values.values()))
    return gathering.column()


class Gathering:
    """A column in the making: values go in a handful at a time, in order of their items' numbers."""

    __slots__ = (
        "_codes",
        "_flags",
        "_having",
        "_number_items",
        "_numbers",
        "_numeral_items",
        "_numerals",
        "_owns",
        "_rare",
        "_text_codes",
        "_text_items",
    )

    def __init__(self) -> None:
        self._having = array("I")
        self._codes: dict[str, int] = {}
        self._text_codes, self._text_items = array("i"), array("i")
        self._owns = False  # most texts have one item only: they go to the buffer without a look
        self._rare = RareMaker()
        self._numbers, self._number_items = array("d"), array("i")
        self._numerals, self._numeral_items = array("d"), array("i")
        self._flags: dict[bool, array[int]] = {False: array("I"), True: array("I")}

    def add(self, items: Sequence[int], values: Sequence[object]) -> None:
        """Values of items. Most columns have values of one kind, and these are taken together."""
        kinds: set[type] = set(map(type, values))
        if kinds == _LISTS and (alone := _alone(cast("Sequence[list[object]]", values))):
            values, kinds = alone, _TEXTS
        if kinds == _TEXTS:
            self._having.extend(items)
            self._add_texts(items, cast("Sequence[str]", values))
        elif kinds <= _NUMBERS and (numbers := _numbers(cast("Sequence[float]", values))):
            self._having.extend(items)
            self._numbers.extend(numbers)
            self._number_items.extend(items)
        else:
            for item, value in zip(items, values, strict=True):
                self._add(item, value)

    def _add_texts(self, items: Sequence[int], texts: Sequence[str]) -> None:
        codes = list(map(self._codes.get, texts))
        if None not in codes:
            self._text_codes.extend(cast("list[int]", codes))
            self._text_items.extend(items)
        elif self._owns:
            known = [
                (item, code) for item, code in zip(items, codes, strict=True) if code is not None
            ]
            self._text_codes.extend([code for _, code in known])
            self._text_items.extend([item for item, _ in known])
            own = [at for at, code in enumerate(codes) if code is None]
            self._add_own([items[at] for at in own], [texts[at] for at in own])
        else:
            for item, text in zip(items, texts, strict=True):
                self._add_text(item, text)

    def _add_own(self, items: Sequence[int], texts: Sequence[str]) -> None:
        """Texts without a code, of a column whose texts have one item each."""
        self._rare.add_all(texts, items)
        for item, text in zip(items, texts, strict=True):
            if (number := numeral(text)) is not None:
                self._numerals.append(number)
                self._numeral_items.append(item)

    def _add(self, item: int, value: object) -> None:
        if type(value) is str:
            self._having.append(item)
            self._add_text(item, value)
        elif present(value):
            self._having.append(item)
            self._add_terms(item, value)

    def _add_text(self, item: int, text: str) -> None:
        code = self._codes.get(text)
        if code is None:
            if self._owns:
                self._add_own([item], [text])
                return
            code = self._codes[text] = len(self._codes)
            self._owns = code >= _OWN_MIN and code * 2 > len(self._text_codes)
        self._text_codes.append(code)
        self._text_items.append(item)

    def _add_terms(self, item: int, value: object) -> None:
        """Of lists, flags and integers, each once."""
        for kind, each in set(terms_of(value)):
            if kind == "text":
                self._add_text(item, str(each))
            elif kind == "flag":
                self._flags[bool(each)].append(item)
            elif kind == "number":
                self._numbers.append(float(each))
                self._number_items.append(item)

    def _add_numeral(self, text: str, items: Items) -> None:
        number = numeral(text)
        if number is not None:
            self._numerals.extend([number] * len(items))
            self._numeral_items.extend(items.tolist())

    def column(self) -> "Column":
        """What was gathered; the gathering ends with it."""
        texts = self._postings()
        return Column(
            BitMap(self._having),
            PersistentMap(texts),
            self._rare.made(),
            {flag: BitMap(items) for flag, items in self._flags.items()},
            Sorted.of(self._numbers, self._number_items),
            Sorted.of(self._numerals, self._numeral_items),
        )

    def _postings(self) -> dict[str, int | BitMap]:
        """The texts that many items have; the others join the buffer."""
        found: dict[str, int | BitMap] = {
            text: BitMap(array("I", items)) for text, items in self._rare.taken(FREQUENT).items()
        }
        order = np.array(self._text_codes).argsort(kind="stable")
        items = np.array(self._text_items)[order]
        counts = np.bincount(self._text_codes, minlength=len(self._codes))
        start = 0
        for text, count in zip(self._codes, counts.tolist(), strict=True):
            members = items[start : start + count]
            start += count
            self._add_numeral(text, members)
            if count >= FREQUENT:
                found[text] = bitmap_of(members)
            else:
                for item in members.tolist():
                    self._rare.add(text, item)
        return found


def _nobody() -> tuple[list[int], list[object]]:
    return [], []


def _alone(lists: Sequence[list[object]]) -> list[str] | None:
    """The texts of lists that hold one text each; None if any is otherwise."""
    if set(map(len, lists)) != {1}:
        return None
    alone = [each[0] for each in lists]
    return cast("list[str]", alone) if set(map(type, alone)) == _TEXTS else None


def _numbers(values: Sequence[float]) -> "array[float] | None":
    """None where one is beyond what a float holds."""
    try:
        return array("d", values)
    except OverflowError:
        return None
