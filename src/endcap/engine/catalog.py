"""
A tracker's catalog in memory: immutable, numbered, laid out for rules.

Items have numbers, which only grow; a removed item's number is not given again. Bodies stay as documents and are
decoded when asked for; what every request needs (who is offered, who is popular) is kept as bitmaps and one order.
Columns are built for all attributes that filter well and, when a rule asks for another one, on demand.

Knows nothing of stores or requests. `changed` costs what changed plus copies of flat arrays, never a decode of what
stayed.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from endcap import criteria
from endcap.criteria import AllOf, AnyOf, Between, Contains, Every, Exists, Not, Rule, Some
from endcap.domain import ALWAYS, CatalogObject, ItemId, Micros, Window
from endcap.engine.columns import Column
from endcap.engine.persistent import PersistentList, PersistentMap
from endcap.wire import catalog as wire

ITEM_TYPES = frozenset({"item", "product"})
LEADERS = 64  # popular matches kept ready for a rule; a widget shows at most 50
MEMO_RULES_MAX = 4_096  # contexts come from outside: a bound on what they can make us keep
MEMO_ATTRIBUTES_MAX = 8_192
MEMO_HIT_FIELDS_MAX = 8
_PROSE = frozenset({"identity", "type", "title", "description", "image_link", "web_url"})
"""Attributes nearly every item has to itself: no column until a rule asks for one."""
_NO_COLUMN = Column({})
_WALK_CHUNK = 256


class Item:
    """One object of the catalog. `hits` keeps its encoded hits by the set of fields asked for."""

    __slots__ = (
        "available",
        "document",
        "hits",
        "identity",
        "introduced_at",
        "number",
        "rank",
        "type",
        "window",
    )

    def __init__(self, number: int, held: CatalogObject) -> None:
        facts = wire.facts(held.document)
        self.number = number
        self.identity = held.identity
        self.type = held.type
        self.document = held.document
        self.window: Window = facts.window
        self.available: bool = facts.available
        self.rank: int = facts.availability_rank
        self.introduced_at: Micros = facts.introduced_at
        self.hits: dict[frozenset[str] | None, bytes] = {}

    def offered_at(self, now: Micros) -> bool:
        return self.available and (self.window is ALWAYS or self.window.contains(now))


class Matches:
    """The items that a rule selects, the most popular ready at hand."""

    __slots__ = ("_catalog", "items", "leaders")

    def __init__(self, catalog: "Catalog", items: BitMap) -> None:
        self.items = items
        self._catalog = catalog
        self.leaders: list[int] = []
        for number in catalog.popular(items):
            self.leaders.append(number)
            if len(self.leaders) == LEADERS:
                break

    def __contains__(self, number: int) -> bool:
        return number in self.items

    def __len__(self) -> int:
        return len(self.items)

    def in_order(self) -> Iterator[int]:
        """All matches by popularity, then identity."""
        yield from self.leaders
        if len(self.leaders) == LEADERS:
            rest = self._catalog.popular(self.items)
            for _ in range(LEADERS):
                next(rest, None)
            yield from rest


class Catalog:
    """Build one with `Catalog.of`; change it with `changed` and `ranked_by`."""

    def __init__(self) -> None:
        self._items: PersistentList[Item | None] = PersistentList()
        self._numbers: PersistentMap[ItemId, int] = PersistentMap()
        self._scores: Mapping[str, float] = {}
        self._columns: dict[str, Column] = {}
        self.all_items = BitMap()
        self.offered = BitMap()
        """Items of a type that is recommended, available, and without a window of their own."""
        self.windowed: Mapping[int, Window] = {}
        """The same with a window: to be asked for the time."""
        self.typed = BitMap()
        """Items of a type that is recommended, available or not."""
        self._order: NDArray[np.int32] = np.empty(0, dtype=np.int32)
        self._reset()

    def _reset(self) -> None:
        """Forgets what was derived: each catalog derives its own, on demand."""
        self._places: NDArray[np.int32] | None = None
        self._matches: dict[Rule, Matches] = {}
        self._attributes: dict[int, dict[str, Any]] = {}
        self._availability: dict[str, BitMap] = {}
        self._hits: dict[frozenset[str] | None, dict[int, bytes]] = {}

    @classmethod
    def of(
        cls, objects: Iterable[CatalogObject], scores: Mapping[str, float] | None = None
    ) -> "Catalog":
        """A catalog of objects; `scores` tells how popular an identity is (absent: not at all)."""
        catalog = cls()
        catalog._scores = scores or {}
        items: list[Item | None] = []
        numbers: dict[ItemId, int] = {}
        values: dict[str, dict[int, Any]] = {}
        windowed: dict[int, Window] = {}
        for held in objects:
            item = Item(len(items), held)
            items.append(item)
            numbers[item.identity] = item.number
            catalog._enroll(item, windowed)
            for name, value in wire.attributes(item.document).items():
                if name not in _PROSE:
                    values.setdefault(name, {})[item.number] = value
        catalog._items = PersistentList(items)
        catalog._numbers = PersistentMap(numbers)
        catalog.windowed = windowed
        catalog._columns = {name: Column(held) for name, held in values.items()}
        catalog._sort()
        return catalog

    def _enroll(self, item: Item, windowed: dict[int, Window]) -> None:
        self.all_items.add(item.number)
        if item.type not in ITEM_TYPES:
            return
        self.typed.add(item.number)
        if item.available and item.window == ALWAYS:
            self.offered.add(item.number)
        elif item.available:
            windowed[item.number] = item.window

    def _key(self, item: Item) -> tuple[float, int, int, str]:
        """Popularity first; without orders, best availability, then newest, then identity."""
        return (
            -self._scores.get(item.identity, 0.0),
            item.rank,
            -item.introduced_at,
            item.identity,
        )

    def _sort(self) -> None:
        typed = [item for number in self.typed if (item := self._items[number])]
        typed.sort(key=self._key)
        self._order = np.array([item.number for item in typed], dtype=np.int32)

    def ranked_by(self, scores: Mapping[str, float]) -> "Catalog":
        """The same items in another order of popularity."""
        successor = self._successor()
        successor._scores = scores
        successor._sort()
        return successor

    def _successor(self) -> "Catalog":
        successor = Catalog.__new__(Catalog)
        successor.__dict__.update(self.__dict__)
        successor._reset()
        return successor

    def changed(self, changes: Mapping[ItemId, CatalogObject | None]) -> "Catalog":
        """The catalog after objects were put, or removed where the value is None."""
        successor = self._successor()
        old: dict[int, Item] = {}
        new: dict[int, Item] = {}
        numbers: dict[ItemId, int | None] = {}
        appended: list[Item] = []
        for identity, held in changes.items():
            number = self._numbers.get(identity)
            if number is not None and (item := self._items[number]):
                old[number] = item
            if held is None:
                numbers[identity] = None
                continue
            if number is None:
                number = len(self._items) + len(appended)
                appended.append(Item(number, held))
                numbers[identity] = number
                new[number] = appended[-1]
            else:
                new[number] = Item(number, held)
        successor._items = self._items.changed(
            {number: new.get(number) for number in old}, appended
        )
        successor._numbers = self._numbers.changed(numbers)
        successor._reenroll(old, new)
        successor._reorder(self, old, new)
        successor._recolumn(old, new)
        return successor

    def _reenroll(self, old: Mapping[int, Item], new: Mapping[int, Item]) -> None:
        gone = BitMap(old.keys())
        self.all_items = self.all_items - gone
        self.typed = self.typed - gone
        self.offered = self.offered - gone
        windowed = {
            number: window for number, window in self.windowed.items() if number not in gone
        }
        for item in new.values():
            self._enroll(item, windowed)
        self.windowed = windowed

    def _reorder(self, before: "Catalog", old: Mapping[int, Item], new: Mapping[int, Item]) -> None:
        gone = [number for number in old if number in before.typed]
        order = self._order
        if gone:
            order = order[~np.isin(order, np.array(gone, dtype=np.int32))]
        come = sorted((item for item in new.values() if item.type in ITEM_TYPES), key=self._key)
        if come:
            at = [bisect_left(order, self._key(item), key=self._key_of) for item in come]
            order = np.insert(order, at, [item.number for item in come]).astype(np.int32)
        self._order = order

    def _key_of(self, number: np.int32) -> tuple[float, int, int, str]:
        item = self._items[int(number)]
        assert item is not None
        return self._key(item)

    def _recolumn(self, old: Mapping[int, Item], new: Mapping[int, Item]) -> None:
        before = {number: wire.attributes(item.document) for number, item in old.items()}
        after = {number: wire.attributes(item.document) for number, item in new.items()}
        names = set(self._columns)
        names.update(name for held in after.values() for name in held if name not in _PROSE)
        columns = dict(self._columns)
        for name in names:
            went = {number: held[name] for number, held in before.items() if name in held}
            came = {number: held[name] for number, held in after.items() if name in held}
            if repr(went) != repr(came):  # 1 and True are equal, and not the same to a rule
                columns[name] = columns.get(name, _NO_COLUMN).changed(went, came)
        self._columns = columns

    def __len__(self) -> int:
        return len(self.all_items)

    def number(self, identity: str) -> int | None:
        return self._numbers.get(ItemId(identity))

    def item(self, number: int) -> Item:
        item = self._items[number]
        assert item is not None
        return item

    def identity(self, number: int) -> ItemId:
        return self.item(number).identity

    @property
    def numbers_given(self) -> int:
        """One more than the highest number ever given: the length of arrays by number."""
        return len(self._items)

    def attributes(self, number: int) -> dict[str, Any]:
        """Everything rules can look at, of one item; kept for items asked for lately."""
        found = self._attributes.get(number)
        if found is None:
            if len(self._attributes) >= MEMO_ATTRIBUTES_MAX:
                self._attributes.clear()
            found = self._attributes[number] = wire.attributes(self.item(number).document)
        return found

    def popular(self, within: BitMap | None = None) -> Iterator[int]:
        """Item numbers by popularity, then identity: all, or those of a set."""
        if within is None:
            return _walk(self._order)
        among = within & self.typed
        if len(among) * len(among) > 4 * len(self._order):  # a dense set: the next member is near
            return (number for number in _walk(self._order) if number in among)
        members = np.array(among.to_array())
        return iter(members[np.argsort(self.places[members])].tolist())

    @property
    def places(self) -> NDArray[np.int32]:
        """By item number: its 0-based place in the order of popularity."""
        if self._places is None:
            places = np.full(self.numbers_given, len(self._order), dtype=np.int32)
            places[self._order] = np.arange(len(self._order), dtype=np.int32)
            self._places = places
        return self._places

    def matches(self, rule: Rule) -> Matches:
        """The items that satisfy a rule; kept per rule, so that asking again is a look-up."""
        found = self._matches.get(rule)
        if found is None:
            if len(self._matches) >= MEMO_RULES_MAX:
                self._matches.clear()
            found = self._matches[rule] = Matches(self, self.select(rule))
        return found

    def select(self, rule: Rule) -> BitMap:
        """The items that satisfy a rule: `criteria.matches`, answered from columns."""
        match rule:
            case AnyOf(attribute, terms):
                column = self.column(attribute)
                return BitMap.union(*(column.met_by(term) for term in terms))
            case AllOf(_, values):
                return BitMap.intersection(*(self.select(each) for each in values))
            case Between(attribute):
                return self.column(attribute).between(rule)
            case Contains(attribute, text):
                return self.column(attribute).containing(text)
            case Exists(attribute):
                return self.column(attribute).having
            case Not(inner):
                return self.all_items - self.select(inner)
            case Every(rules):
                return BitMap.intersection(self.all_items, *(self.select(each) for each in rules))
            case Some(rules):
                return BitMap.union(*(self.select(each) for each in rules))
        assert_never(rule)

    def column(self, attribute: str) -> Column:
        """An attribute's column; prose gets one when it is first asked for, an unknown name is an empty one."""
        column = self._columns.get(attribute)
        if column is None and attribute in _PROSE:
            column = Column(self._values_of(attribute))
            self._columns = {**self._columns, attribute: column}
        return column or _NO_COLUMN

    def _values_of(self, attribute: str) -> dict[int, Any]:
        return {
            number: value
            for number in self.all_items
            if (value := wire.attributes(self.item(number).document).get(attribute)) is not None
        }

    def hits(self, fields: frozenset[str] | None) -> dict[int, bytes]:
        """Encoded hits by number, as far as they were made for this catalog: what every request looks through first."""
        found = self._hits.get(fields)
        if found is None:
            if len(self._hits) >= MEMO_HIT_FIELDS_MAX:
                self._hits.clear()
            found = self._hits[fields] = {}
        return found

    def satisfies(self, number: int, rule: Rule) -> bool:
        return criteria.matches(rule, self.attributes(number))

    def available_by(self, field: str) -> BitMap:
        """Items that another field than `availability` calls available (missing: available)."""
        found = self._availability.get(field)
        if found is None:
            if len(self._availability) >= MEMO_RULES_MAX:
                self._availability.clear()
            found = self._availability[field] = self.typed - self.select(_denial(field))
        return found

    def is_available_by(self, field: str, number: int) -> bool:
        """The same of one item of any type."""
        return not self.satisfies(number, _denial(field))


def _walk(order: NDArray[np.int32]) -> Iterator[int]:
    """The numbers of an order as far as they are read: most readers stop after a few."""
    for start in range(0, len(order), _WALK_CHUNK):
        yield from order[start : start + _WALK_CHUNK].tolist()


def _denial(field: str) -> Rule:
    """That an availability field says no, in one of the spellings that `wire.is_available` knows."""
    return AnyOf(field, (("number", 0.0), ("text", "0"), ("flag", False)))
