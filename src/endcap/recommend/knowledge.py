"""
What one catalog and one artifact tell together, laid out for ranking: orders, prices, neighbours by item number.

Everything is derived when first asked for and then kept; `with_catalog` passes on what a change of the catalog left
true. Nothing here is answered by walking the catalog twice. Threads may derive the same thing at once; they get equal
things.

An item's number is its identity's for good, so what is known by number stays right while the catalog changes: new
numbers are added, and numbers of removed items are found in no `candidates`.
"""

from array import array
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from endcap.criteria import AnyOf, Rule
from endcap.domain import Micros
from endcap.engine.catalog import Catalog, Matches
from endcap.engine.columns import Column
from endcap.recommend.artifact import Artifact, TableName

Numbers = NDArray[np.int32]
Floats = NDArray[np.float64]
Neighbours = tuple[Sequence[int], Sequence[float]]

LEADERS_MAX = (
    300  # more than the largest answer (50) with everything a call may leave out before it
)
MEMO_NEIGHBOURS_MAX = 8_192  # items whose neighbours are kept, 0.8 kB each: 6 MB
MEMO_MAX = 8_192  # rankings kept, at most 600 bytes each: 5 MB
MEMO_CONTEXTS_MAX = 128  # bitmaps kept, an eighth of a byte an item each: 16 MB at a million items
PRICE, OLD_PRICE = "price_amount", "price_old_amount"
_INTRODUCED = ("introduced_at", "_introduced_at")
_NONE = -1
_NO_NEIGHBOURS: Neighbours = (), ()


class Order:
    """Items in some order, best first."""

    def __init__(self, numbers: Numbers, numbers_given: int) -> None:
        self.numbers = numbers
        self._numbers_given = numbers_given
        self._places: Numbers | None = None

    def first(self, count: int, within: BitMap) -> list[int]:
        """The best of a set."""
        if len(within) * len(within) > 4 * count * len(self.numbers):  # dense: soon walked
            return self._walked(count, within)
        members = numbers_of(within)
        members = members[members < self._numbers_given]
        places = self._place_of(members)
        members, places = members[places >= 0], places[places >= 0]
        best: list[int] = members[np.argsort(places)[:count]].tolist()
        return best

    def _walked(self, count: int, within: BitMap) -> list[int]:
        found: list[int] = []
        for start in range(0, len(self.numbers), 1_024):
            found += [n for n in self.numbers[start : start + 1_024].tolist() if n in within]
            if len(found) >= count:
                break
        return found[:count]

    def _place_of(self, numbers: Numbers) -> Numbers:
        if self._places is None:
            places = np.full(self._numbers_given, _NONE, dtype=np.int32)
            places[self.numbers] = np.arange(len(self.numbers), dtype=np.int32)
            self._places = places
        return self._places[numbers]


class Translation:
    """Between an artifact's indexes and a catalog's numbers."""

    def __init__(self, artifact: Artifact, numbers: Numbers, indexes: Numbers) -> None:
        self._artifact = artifact
        self.numbers = numbers
        """By index: the item's number, -1 if it is in no catalog."""
        self.indexes = indexes
        """By number: the item's index, -1 if nobody ordered it."""

    @classmethod
    def of(cls, artifact: Artifact, catalog: Catalog) -> "Translation":
        number = catalog.number
        found = [
            _NONE if (known := number(identity)) is None else known
            for identity in artifact.learned.identities
        ]
        numbers = np.array(found, dtype=np.int32)
        indexes = np.full(catalog.numbers_given, _NONE, dtype=np.int32)
        known_at = np.flatnonzero(numbers >= 0)
        indexes[numbers[known_at]] = known_at
        return cls(artifact, numbers, indexes)

    def followed(self, catalog: Catalog) -> "Translation":
        """The same for a successor of the catalog: only new numbers need to be looked at."""
        before, after = len(self.indexes), catalog.numbers_given
        if before == after:
            return self
        numbers, indexes = self.numbers, np.full(after, _NONE, dtype=np.int32)
        indexes[:before] = self.indexes
        come = {
            index: number
            for number in range(before, after)
            if number in catalog.all_items
            and (index := self._artifact.indexes.get(catalog.identity(number))) is not None
        }
        if come:
            numbers = numbers.copy()
            numbers[list(come.keys())] = list(come.values())
            indexes[list(come.values())] = list(come.keys())
        return Translation(self._artifact, numbers, indexes)


class Knowledge:
    """One catalog with one artifact."""

    def __init__(self, catalog: Catalog, artifact: Artifact) -> None:
        self.catalog = catalog
        self.artifact = artifact
        self.candidates: BitMap = catalog.offered | catalog.timed
        """What may be shown, as far as the hour does not decide."""
        self._translation: Translation | None = None
        self._leaders: tuple[int, ...] | None = None
        self._newest: tuple[tuple[Column, ...], Order] | None = None
        self._discounted: tuple[tuple[Column, ...], Order] | None = None
        self._middle: tuple[Column, float] | None = None
        self._neighbours: dict[tuple[int, float, TableName], Neighbours] = {}
        self._kept: dict[Hashable, Numbers] = {}
        self._allowed: dict[Rule, BitMap] = {}

    def with_catalog(self, catalog: Catalog) -> "Knowledge":
        """The same artifact with a successor (`changed` or `ranked_by`) of the catalog."""
        successor = Knowledge(catalog, self.artifact)
        if self._translation is not None:
            successor._translation = self._translation.followed(catalog)
        successor._middle = self._middle
        successor._newest, successor._discounted = self._newest, self._discounted
        return successor

    def warm(self) -> None:
        """Derives now what the first requests would otherwise wait for."""
        _ = self.translation, self.leaders, self.newest, self.discounted
        self._middle_price()

    @property
    def translation(self) -> Translation:
        if self._translation is None:
            self._translation = Translation.of(self.artifact, self.catalog)
        return self._translation

    @property
    def leaders(self) -> tuple[int, ...]:
        """The most popular candidates."""
        if self._leaders is None:
            found: list[int] = []
            for number in self.catalog.popular():
                if number in self.candidates:
                    found.append(number)
                    if len(found) == LEADERS_MAX:
                        break
            self._leaders = tuple(found)
        return self._leaders

    def allowed(self, context: Rule | None, available: BitMap | None) -> BitMap:
        """The candidates of one request."""
        if available is not None:
            return available if context is None else available & self.catalog.matches(context).items
        if context is None:
            return self.candidates
        found = self._allowed.get(context)
        if found is None:
            if len(self._allowed) >= MEMO_CONTEXTS_MAX:
                self._allowed.clear()
            found = self._allowed[context] = self.candidates & self.catalog.matches(context).items
        return found

    def numbers(self, attribute: str) -> Floats:
        """An attribute that is a number, by item number; NaN where it is missing."""
        return self.catalog.column(attribute).dense(self.catalog.numbers_given)

    def neighbours(self, item: int, cheaper: float, table: TableName = "page") -> Neighbours:
        """
        The items of a table beside an item, best first, and their affinities: each lowered by that power of its price,
        where an unknown price is a middling one.
        """
        key = (item, cheaper, table)
        found = self._neighbours.get(key)
        if found is None:
            if len(self._neighbours) >= MEMO_NEIGHBOURS_MAX:
                self._neighbours.clear()
            found = self._neighbours[key] = self._translated(item, cheaper, table)
        return found

    def _translated(self, item: int, cheaper: float, table: TableName) -> Neighbours:
        index, learned = self.translation.indexes[item], self.artifact.learned.table(table)
        if not 0 <= index < len(learned.neighbours):
            return _NO_NEIGHBOURS
        present = learned.neighbours[index] >= 0
        numbers = self.translation.numbers[learned.neighbours[index][present]]
        affinities = learned.affinities[index][present].astype(np.float64)
        if cheaper:
            relative = self.numbers(PRICE)[numbers] / self._middle_price()
            affinities *= np.where(relative > 0, relative, 1.0) ** -cheaper
        known = np.flatnonzero((numbers >= 0) & (numbers != item))
        best = known[np.argsort(-affinities[known], kind="stable")]
        return array("i", numbers[best].tolist()), array("d", affinities[best].tolist())

    def _middle_price(self) -> float:
        column = self.catalog.column(PRICE)
        if self._middle is None or self._middle[0] is not column:
            prices = self.numbers(PRICE)
            known = prices[prices > 0]
            self._middle = column, float(np.median(known)) if len(known) else 1.0
        return self._middle[1]

    @property
    def newest(self) -> Order:
        """Items with a date of introduction, the latest first, then by popularity."""
        catalog = self.catalog
        basis = tuple(map(catalog.column, _INTRODUCED))
        if self._newest is None or self._newest[0] != basis:
            numbers = numbers_of(catalog.all_items)  # of any type: an object may become an item
            introduced = np.fromiter(  # from a generator, so that other threads get their turn
                (catalog.item(number).introduced_at for number in catalog.all_items),
                dtype=np.int64,
                count=len(numbers),
            )
            dated = introduced != Micros(0)
            numbers, introduced = numbers[dated], introduced[dated]
            newest = np.lexsort((catalog.places[numbers], -introduced))
            self._newest = basis, Order(numbers[newest], catalog.numbers_given)
        return self._newest[1]

    @property
    def discounted(self) -> Order:
        """Items with a price below their old price, the largest share off first, then by popularity."""
        catalog = self.catalog
        basis = (catalog.column(PRICE), catalog.column(OLD_PRICE))
        if self._discounted is None or self._discounted[0] != basis:
            price, old = self.numbers(PRICE), self.numbers(OLD_PRICE)
            with np.errstate(invalid="ignore", divide="ignore"):
                share = np.where((price > 0) & (old > price), 1 - price / old, 0)
            numbers = np.flatnonzero(share > 0).astype(np.int32)
            best = np.lexsort((catalog.places[numbers], -np.round(share[numbers], 4)))
            self._discounted = basis, Order(numbers[best], catalog.numbers_given)
        return self._discounted[1]

    def having(self, attribute: str, text: str) -> Matches:
        """The items with this text among an attribute's."""
        return self.catalog.matches(AnyOf(attribute, (("text", text),)))

    def kept(self, key: Hashable, rank: Callable[[], Sequence[int]]) -> list[int]:
        """What `rank` gives, remembered under a key that names everything it depends on."""
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= MEMO_MAX:
                self._kept.clear()
            found = self._kept[key] = np.array(rank(), dtype=np.int32)
        ranked: list[int] = found.tolist()
        return ranked


class Rest:
    """Everything by popularity, for when a ranking ends too early; read only as far as needed."""

    __slots__ = ("_context", "_knowledge")

    def __init__(self, knowledge: Knowledge, context: Rule | None) -> None:
        self._knowledge = knowledge
        self._context = context

    def __iter__(self) -> Iterator[int]:
        catalog = self._knowledge.catalog
        if self._context is not None:
            yield from catalog.matches(self._context).in_order()
            return
        leaders = self._knowledge.leaders
        yield from leaders
        ahead = set(leaders)
        yield from (number for number in catalog.popular() if number not in ahead)


def numbers_of(items: BitMap) -> Numbers:
    """A set's members, ascending; thirty times as fast as letting NumPy iterate over it."""
    return np.array(items.to_array(), dtype=np.int32)


def texts(value: Any) -> list[str]:
    """An attribute's texts, whether it has one, several or none."""
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
