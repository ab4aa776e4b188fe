"""
What one catalog and one artifact tell together, laid out for ranking: orders, prices, neighbours by item number.

Everything is derived when first asked for and then kept; `with_catalog` passes on what a change of the catalog left
true. Nothing here is answered by walking the catalog twice. Threads may derive the same thing at once; they get equal
things.

An item's number is its identity's for good, so what is known by number stays right while the catalog changes: new
numbers are added, and numbers of removed items are found in no `candidates`.
"""

from array import array
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from pyroaring import BitMap

from endcap.criteria import AnyOf, Rule
from endcap.domain import Micros
from endcap.engine.catalog import Catalog, Matches
from endcap.engine.columns import Column
from endcap.recommend.artifact import Artifact, TableName
from endcap.recommend.attributes import PRICE, Attributes
from endcap.recommend.neighbour_list import ListInCatalog, NeighbourList
from endcap.recommend.order import NONE, Floats, Numbers, Order

T = TypeVar("T")
Neighbours = tuple[Sequence[int], Sequence[float]]

LEADERS_MAX = (
    300  # more than the largest answer (50) with everything a call may leave out before it
)
MEMO_NEIGHBOURS_MAX = 8_192  # items whose neighbours are kept, 0.8 kB each: 6 MB
MEMO_MAX = 8_192  # rankings kept, at most 600 bytes each: 5 MB
MEMO_SHOPPERS_MAX = 8_192  # things made of shoppers, 1 kB each: 8 MB
MEMO_CONTEXTS_MAX = 128  # bitmaps kept, an eighth of a byte an item each: 16 MB at a million items
_DAY = 86_400_000_000
_NO_NEIGHBOURS: Neighbours = (), ()


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
            NONE if (known := number(identity)) is None else known
            for identity in artifact.learned.identities
        ]
        numbers = np.array(found, dtype=np.int32)
        indexes = np.full(catalog.numbers_given, NONE, dtype=np.int32)
        known_at = np.flatnonzero(numbers >= 0)
        indexes[numbers[known_at]] = known_at
        return cls(artifact, numbers, indexes)

    def followed(self, catalog: Catalog) -> "Translation":
        """The same for a successor of the catalog: only new numbers need to be looked at."""
        before, after = len(self.indexes), catalog.numbers_given
        if before == after:
            return self
        numbers, indexes = self.numbers, np.full(after, NONE, dtype=np.int32)
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
        self.attributes = Attributes(catalog)
        self._ordered: BitMap | None = None
        self._popular_over: dict[str, Order | None] = {}
        self._percentiles: Floats | None = None
        self._middle: tuple[Column, float] | None = None
        self._neighbours: dict[tuple[int, float, TableName], Neighbours] = {}
        self._kept: dict[Hashable, Numbers] = {}
        self._shoppers: dict[tuple[Hashable, str], tuple[object, Any]] = {}
        self._allowed: dict[Rule, BitMap] = {}
        self.lists: Mapping[str, ListInCatalog] = {}
        """What others ranked, by the name of the list."""

    def with_catalog(self, catalog: Catalog) -> "Knowledge":
        """The same artifact with a successor (`changed` or `ranked_by`) of the catalog."""
        successor = Knowledge(catalog, self.artifact)
        if self._translation is not None:
            successor._translation = self._translation.followed(catalog)
            if successor._translation is self._translation:
                successor._ordered, successor._percentiles = self._ordered, self._percentiles
                successor._popular_over = dict(self._popular_over)
        successor._middle = self._middle
        successor.lists = {name: each.followed(catalog) for name, each in self.lists.items()}
        successor.attributes = self.attributes.followed(catalog)
        return successor

    def with_lists(self, lists: Mapping[str, NeighbourList]) -> "Knowledge":
        """The same with these lists, in the place of those that there were."""
        successor = self.with_catalog(self.catalog)
        known = {each.source.version: each for each in self.lists.values()}
        successor.lists = {
            name: known.get(each.version) or ListInCatalog.of(each, self.catalog)
            for name, each in lists.items()
        }
        return successor

    def warm(self) -> None:
        """Derives now what the first requests would otherwise wait for."""
        _ = self.translation, self.leaders
        self.attributes.warm()
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

    def first_leaders(self, count: int) -> Sequence[int]:
        """So many of the most popular candidates, or as many as there are."""
        if count <= LEADERS_MAX:
            return self.leaders[:count]
        found = (number for number in self.catalog.popular() if number in self.candidates)
        return list(islice(found, count))

    def popular_over(self, span: str) -> Order | None:
        """Items by what they sold in another span of time; None where the artifact does not know it."""
        if span not in self._popular_over:
            self._popular_over[span] = self._ordered_by(self.artifact.popularity_over(span))
        return self._popular_over[span]

    def _ordered_by(self, popularity: Floats | None) -> Order | None:
        if popularity is None:
            return None
        numbers = self.translation.numbers
        sold = (numbers >= 0) & (popularity > 0)
        numbers, popularity = numbers[sold], popularity[sold]
        best = np.lexsort((numbers, -popularity))
        return Order(numbers[best], self.catalog.numbers_given)

    def freshest(self, half_life_days: float, popularity: float) -> Order:
        """See `Attributes.freshest`, with the popularity that was learned."""
        if not popularity:
            return self.attributes.newest
        return self.attributes.freshest(half_life_days, popularity, self.percentiles)

    @property
    def percentiles(self) -> Floats:
        """By number: the share of the items that were ordered which an item outsells, 0 where it was not."""
        if self._percentiles is None:
            indexes = self.translation.indexes
            ranks = self.artifact.percentiles
            known = np.zeros(len(indexes))
            known[indexes >= 0] = ranks[indexes[indexes >= 0]]
            self._percentiles = known
        return self._percentiles

    @property
    def ordered(self) -> BitMap:
        """The items with neighbours: those that can speak for others."""
        if self._ordered is None:
            first = self.artifact.learned.neighbours
            known = first[:, 0] >= 0 if len(first) else np.zeros(0, dtype=np.bool_)
            numbers = self.translation.numbers[known]
            self._ordered = BitMap(numbers[numbers >= 0].tolist())
        return self._ordered & self.catalog.all_items

    def bought(self, user: str) -> Iterator[tuple[int, Micros, float, int]]:
        """
        What a user had bought when the artifact was built: the item's number (of one that may have gone since), when
        they last did, days between the first time and the last, and how often. The end of the log counts as the time
        of the build, as everywhere.
        """
        learned = self.artifact.learned
        begin, end = self.artifact.history_of(user)
        if begin == end:
            return
        built_at = self.artifact.built_at or 0
        numbers = self.translation.numbers[learned.bought[begin:end]].tolist()
        ages, spans = learned.ages[begin:end].tolist(), learned.spans[begin:end].tolist()
        times = learned.times[begin:end].tolist()
        for number, age, span, often in zip(numbers, ages, spans, times, strict=True):
            if number >= 0:
                yield number, Micros(built_at - round(age * _DAY)), span, often

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
            relative = self.attributes.numbers(PRICE)[numbers] / self._middle_price()
            affinities *= np.where(relative > 0, relative, 1.0) ** -cheaper
        known = np.flatnonzero((numbers >= 0) & (numbers != item))
        best = known[np.argsort(-affinities[known], kind="stable")]
        return array("i", numbers[best].tolist()), array("d", affinities[best].tolist())

    def _middle_price(self) -> float:
        column = self.catalog.column(PRICE)
        if self._middle is None or self._middle[0] is not column:
            prices = self.attributes.numbers(PRICE)
            known = prices[prices > 0]
            self._middle = column, float(np.median(known)) if len(known) else 1.0
        return self._middle[1]

    def having(self, attribute: str, text: str) -> Matches:
        """The items with this text among an attribute's."""
        return self.catalog.matches(AnyOf(attribute, (("text", text),)))

    def of_shopper(self, what: Hashable, user: str, shopper: object, make: Callable[[], T]) -> T:
        """What was made of a user while they were known as this shopper."""
        known = self._shoppers.get((what, user))
        if known is None or known[0] is not shopper:
            if len(self._shoppers) >= MEMO_SHOPPERS_MAX:
                self._shoppers.clear()
            known = self._shoppers[what, user] = shopper, make()
        made: T = known[1]
        return made

    @property
    def users_kept(self) -> set[str]:
        """Of whom anything is kept."""
        return {user for _, user in list(self._shoppers)}

    def forget(self, user: str) -> None:
        """Drops what was made of a user."""
        for key in list(self._shoppers):
            if key[1] == user:
                self._shoppers.pop(key, None)

    def forget_everybody(self) -> None:
        self._shoppers.clear()

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
