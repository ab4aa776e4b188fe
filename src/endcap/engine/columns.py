"""
One attribute of all items, laid out for criteria: postings of texts, sorted numbers, who has it at all.

A column answers which items an element-level rule selects, as a bitmap of item numbers. It is made in `gathering`, and
immutable; `changed` makes its successor from the attributes that went and came, at the cost of these and of a copy of
flat arrays.

Texts lie in two places. What many items have in common is a bitmap each; what few have lies in a buffer (`rare_texts`).
What changes later is kept beside the buffer, which is packed anew when that has grown.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from endcap.criteria import Between, Term, present, terms_of, within
from endcap.engine.persistent import PersistentMap
from endcap.engine.rare_texts import RareMaker, RareTexts

Numbers = Mapping[int, Any]
"""Item number → the attribute's value."""
Items = NDArray[np.int32]
Floats = NDArray[np.float64]

FREQUENT = 12  # items from which on a text has a bitmap: from there it is the smaller one
_FRESH_MIN = (
    4_096  # texts beside the buffer before it is packed anew, or a quarter of it if that is more
)
_FEW = 20_000  # items between bounds: as many are sorted in a millisecond
_NOTHING = BitMap()
_ROOM = 16_384  # room for new items, so that not each of them copies


class Sorted:
    """Numbers with the items that have them, in order of number."""

    __slots__ = ("items", "numbers")

    def __init__(self, numbers: Floats, items: Items) -> None:
        self.numbers = numbers
        self.items = items

    @classmethod
    def of(cls, numbers: Sequence[float], items: Sequence[int]) -> "Sorted":
        values = np.array(numbers, dtype=np.float64)
        order = values.argsort(kind="stable")
        return cls(values[order], np.array(items, dtype=np.int32)[order])

    def __len__(self) -> int:
        return len(self.items)

    def _reach(self, number: float) -> tuple[int, int]:
        return (
            int(self.numbers.searchsorted(number, "left")),
            int(self.numbers.searchsorted(number, "right")),
        )

    def equal(self, number: float) -> BitMap:
        low, high = self._reach(number)
        return bitmap_of(self.items[low:high])

    def slice_of(self, rule: Between) -> Items:
        """The items between bounds that are numbers, in order of number."""
        low, high = 0, len(self.numbers)
        if isinstance(rule.low, float):
            low = int(self.numbers.searchsorted(rule.low, "left" if rule.low_included else "right"))
        if isinstance(rule.high, float):
            high = int(
                self.numbers.searchsorted(rule.high, "right" if rule.high_included else "left")
            )
        return self.items[low : max(low, high)]

    def changed(
        self, gone: Sequence[tuple[float, int]], come: Sequence[tuple[float, int]]
    ) -> "Sorted":
        """The same without some pairs and with others."""
        numbers, items = self.numbers, self.items
        if gone:
            at = [self._place_of(number, item) for number, item in gone]
            numbers, items = np.delete(numbers, at), np.delete(items, at)
        if come:
            added = Sorted.of(*zip(*come, strict=True))
            places = numbers.searchsorted(added.numbers)
            numbers = np.insert(numbers, places, added.numbers)
            items = np.insert(items, places, added.items)
        return Sorted(numbers, items) if gone or come else self

    def _place_of(self, number: float, item: int) -> int:
        low, high = self._reach(number)
        return low + int(np.flatnonzero(self.items[low:high] == item)[0])


class Column:
    """One attribute. A posting of one item is its number alone."""

    __slots__ = (
        "_dense",
        "_flags",
        "_fresh",
        "_lost",
        "_numbers",
        "_numerals",
        "_rare",
        "_single",
        "_texts",
        "having",
    )

    def __init__(
        self,
        having: BitMap,
        texts: PersistentMap[str, int | BitMap],
        rare: RareTexts,
        flags: Mapping[bool, BitMap],
        numbers: Sorted,
        numerals: Sorted,
    ) -> None:
        self.having = having
        self._texts = texts
        self._rare = rare
        self._lost = _NOTHING  # items that no longer have what the buffer says
        self._fresh = 0  # texts that were added since the buffer was packed
        self._flags = flags
        self._numbers = numbers
        self._numerals = numerals
        self._dense: Floats | None = None
        self._single: bool | None = None

    def changed(self, old: Numbers, new: Numbers) -> "Column":
        """The column after the items of `old` lost those values and the items of `new` got these."""
        successor: Column = Column.__new__(Column)
        gone, come = _Taken(old), _Taken(new)
        removed = BitMap(old.keys())
        successor.having = (self.having - removed) | come.having
        successor._texts = self._texts_changed(gone.texts, come.texts)
        successor._rare = self._rare
        successor._lost = self._lost | removed if len(self._rare) else _NOTHING
        successor._fresh = self._fresh + len(come.texts)
        successor._flags = {
            flag: (held - removed) | BitMap(come.flags[flag]) for flag, held in self._flags.items()
        }
        successor._numbers = self._numbers.changed(gone.numbers, come.numbers)
        successor._numerals = self._numerals.changed(gone.numerals, come.numerals)
        successor._dense = self._dense_changed(removed, come)
        successor._single = self._single and come.is_single
        if successor._fresh > max(_FRESH_MIN, len(self._rare) // 4):
            successor._pack()
        return successor

    def _texts_changed(
        self, gone: Mapping[str, list[int]], come: Mapping[str, list[int]]
    ) -> PersistentMap[str, int | BitMap]:
        changes: dict[str, int | BitMap | None] = {}
        for text in gone.keys() | come.keys():
            known = self._texts.get(text)
            items = _NOTHING if known is None else _bitmap(known)
            items = (items - BitMap(gone.get(text, ()))) | BitMap(come.get(text, ()))
            if known is not None or items:
                changes[text] = (items.min() if len(items) == 1 else items) if items else None
        return self._texts.changed(changes) if changes else self._texts

    def _dense_changed(self, removed: BitMap, come: "_Taken") -> Floats | None:
        if self._dense is None or not (removed or come.having):
            return self._dense
        length = max(len(self._dense), come.having.max() + 1 if come.having else 0)
        dense = with_room(self._dense, length).copy()
        gone = np.array(removed.to_array(), dtype=np.int64)
        dense[gone[gone < len(dense)]] = np.nan
        for pairs in (come.numerals, come.numbers):
            for number, item in sorted(pairs):
                dense[item] = number
        return dense

    def _pack(self) -> None:
        """Puts the texts of few items into the buffer that are not there yet."""
        texts: dict[str, int | BitMap] = {}
        rare = RareMaker()
        for text, item in self._rare.pairs():
            if item not in self._lost:
                rare.add(text, item)
        for text, known in self._texts.items():
            if isinstance(known, BitMap) and len(known) >= FREQUENT:
                texts[text] = known
            else:
                for item in _bitmap(known):
                    rare.add(text, item)
        self._texts, self._rare = PersistentMap(texts), rare.made()
        self._lost, self._fresh = _NOTHING, 0

    def met_by(self, term: Term) -> BitMap:
        """The items with an element of this term. Not to be changed: it may be the column's own."""
        kind, value = term
        if kind == "text":
            return self._posting(str(value))
        if kind == "flag":
            return self._flags[bool(value)]
        return (self._numbers if kind == "number" else self._numerals).equal(float(value))

    def _posting(self, text: str) -> BitMap:
        known = self._texts.get(text)
        found = _NOTHING if known is None else _bitmap(known)
        few = [item for item in self._rare.having(text) if item not in self._lost]
        return found | BitMap(few) if few else found

    @property
    def numeric(self) -> tuple[Sorted, Sorted]:
        """What the items have of numbers: texts that read as one, and numbers, each sorted."""
        return self._numerals, self._numbers

    def dense(self, length: int) -> Floats:
        """The number of each item, NaN without one; of several the largest, and numbers before numerals."""
        held = self._dense
        if held is None:
            held = with_room(np.empty(0), length)
            for source in self.numeric:
                held[source.items] = source.numbers
            self._dense = held
        elif len(held) < length:
            self._dense = held = with_room(held, length)
        return held[:length]

    def between(self, rule: Between, among: BitMap) -> BitMap:
        """Those of some items that lie between bounds."""
        if isinstance(rule.low, str) or isinstance(rule.high, str):
            return among & self._texts_between(rule)
        slices = [each for source in self.numeric if len(each := source.slice_of(rule))]
        count = sum(map(len, slices))
        if count < _FEW or not self._is_single:
            return among & BitMap.union(BitMap(), *map(bitmap_of, slices))
        if len(among) < count // 2:
            known = among & self.having  # whose numbers are there to be looked up
            members = np.frombuffer(known.to_array(), dtype=np.uint32)
            values = self._known()[members]
            return _in_order(members[_are_between(values, rule)])
        return among & _in_order(np.flatnonzero(_are_between(self._known(), rule)))

    def _known(self) -> Floats:
        """The numbers of items, as far as any has one."""
        return self.dense(self.having.max() + 1)

    @property
    def _is_single(self) -> bool:
        """Whether no item has two numbers, so that `dense` says all there is."""
        if self._single is None:
            count = len(self._numbers) + len(self._numerals)
            self._single = count == np.count_nonzero(~np.isnan(self._known()))
        return self._single

    def _texts_between(self, rule: Between) -> BitMap:
        return self._union(text for text in self._texts if within(rule, text)) | BitMap(
            [
                item
                for text, item in self._rare.pairs()
                if within(rule, text) and item not in self._lost
            ]
        )

    def containing(self, text: str) -> BitMap:
        few = [item for item in self._rare.containing(text) if item not in self._lost]
        return self._union(each for each in self._texts if text in each) | BitMap(few)

    def _union(self, texts: Iterable[str]) -> BitMap:
        postings = [known for text in texts if (known := self._texts.get(text)) is not None]
        found = BitMap([known for known in postings if isinstance(known, int)])
        return BitMap.union(found, *(known for known in postings if isinstance(known, BitMap)))

    def texts(self) -> Mapping[str, int]:
        """Every text with the number of items that have it."""
        counts = {
            text: 1 if isinstance(known, int) else len(known) for text, known in self._texts.items()
        }
        for text, item in self._rare.pairs():
            if item not in self._lost:
                counts[text] = counts.get(text, 0) + 1
        return counts

    def common(self) -> Iterator[tuple[str, int]]:
        """The texts that lie beside the buffer, all that many items have among them, and how many have each."""
        for text, known in self._texts.items():
            yield text, 1 if isinstance(known, int) else len(known)

    def rare(self, containing: str) -> Iterator[tuple[str, int]]:
        """The texts of the buffer with a text in them, as they come, each with an item that has it."""
        for text, item in self._rare.found(containing):
            if item not in self._lost:
                yield text, item

    def flagged(self) -> Mapping[bool, int]:
        """How many items say yes, and how many no."""
        return {flag: len(items) for flag, items in self._flags.items()}

    def pairs(self) -> Iterator[tuple[str, int]]:
        """Every text with each item that has it."""
        for text, known in self._texts.items():
            for item in (known,) if isinstance(known, int) else known:
                yield text, item
        for text, item in self._rare.pairs():
            if item not in self._lost:
                yield text, item

    def labels(self, length: int) -> Items:
        """By item number: the same number for items with the same text, -1 without one; of several texts the first."""
        labels = np.full(length, -1, dtype=np.int32)
        texts = {text: at for at, text in enumerate(sorted(self.texts()))}
        for text, items in self._texts.items():
            at = texts[text]
            members = np.frombuffer(_bitmap(items).to_array(), dtype=np.uint32)
            taken = labels[members]
            labels[members] = np.where((taken < 0) | (taken > at), at, taken)
        for text, item in self._rare.pairs():
            if item not in self._lost and (labels[item] < 0 or labels[item] > texts[text]):
                labels[item] = texts[text]
        return labels


class _Taken:
    """The values of a few items, taken apart."""

    def __init__(self, values: Numbers) -> None:
        self.is_single = True
        """Whether none has two numbers."""
        self.having = BitMap()
        self.texts: dict[str, list[int]] = {}
        self.flags: dict[bool, list[int]] = {False: [], True: []}
        self.numbers: list[tuple[float, int]] = []
        self.numerals: list[tuple[float, int]] = []
        for item, value in values.items():
            if not present(value):
                continue
            self.having.add(item)
            before = len(self.numbers) + len(self.numerals)
            for kind, each in set(terms_of(value)):
                if kind == "text":
                    self.texts.setdefault(str(each), []).append(item)
                elif kind == "flag":
                    self.flags[bool(each)].append(item)
                else:
                    pairs = self.numbers if kind == "number" else self.numerals
                    pairs.append((float(each), item))
            if len(self.numbers) + len(self.numerals) > before + 1:
                self.is_single = False


def _are_between(values: Floats, rule: Between) -> NDArray[np.bool_]:
    """Which numbers lie between bounds that are numbers; what is none does not."""
    met = ~np.isnan(values)
    if isinstance(rule.low, float):
        met &= values >= rule.low if rule.low_included else values > rule.low
    if isinstance(rule.high, float):
        met &= values <= rule.high if rule.high_included else values < rule.high
    return met


def with_room(values: Floats, length: int, filler: float = np.nan) -> Floats:
    """An array that is at least so long, with room for more."""
    if len(values) >= length:
        return values
    grown = np.full((length // _ROOM + 1) * _ROOM, filler)
    grown[: len(values)] = values
    return grown


def _bitmap(known: int | BitMap) -> BitMap:
    return BitMap((known,)) if isinstance(known, int) else known


def bitmap_of(items: Items) -> BitMap:
    """A set of item numbers. In order, and as an array, they are read five to ten times as fast."""
    return BitMap(items.tolist()) if len(items) < 64 else _in_order(np.sort(items))


def _in_order(items: NDArray[Any]) -> BitMap:
    members = array("I")
    members.frombytes(items.astype(np.uint32).tobytes())
    return BitMap(members)
