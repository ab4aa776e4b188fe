"""
A tracker's catalog in memory: immutable, numbered, laid out for rules.

Items have numbers, which only grow; a removed item's number is not given again. Bodies stay as documents and are
decoded when asked for; what every request needs (who is offered, who is popular) is kept as bitmaps and one order.
Columns are built for all attributes that filter well and, when a rule asks for another one, on demand.

Knows nothing of stores or requests. `changed` costs what changed plus copies of flat arrays, never a decode of what
stayed; what was derived for a rule is carried over, and brought up to date when it is asked for.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter
from sys import intern
from typing import Any, assert_never, cast

import numpy as np
from msgspec import Struct
from pyroaring import BitMap

from endcap import criteria
from endcap.criteria import (
    AllOf,
    AnyOf,
    Between,
    Contains,
    Every,
    Exists,
    Not,
    Rule,
    Some,
    attributes_named,
)
from endcap.domain import ALWAYS, CatalogObject, ItemId, Micros, Window
from endcap.engine.columns import Column, Floats
from endcap.engine.gathering import Gatherer, column_of
from endcap.engine.persistent import PersistentList, PersistentMap
from endcap.engine.popularity import Popularity
from endcap.engine.predicates import Facts
from endcap.wire import catalog as wire

ITEM_TYPES = frozenset({"item", "product"})
LEADERS = 64  # popular matches kept ready for a rule; a widget shows at most 50
MEMO_RULES_MAX = 4_096  # contexts come from outside: a bound on what they can make us keep
MEMO_FACTS_MAX = 8_192
MEMO_HIT_FIELDS_MAX = 8
MEMO_TYPES_MAX = 32
CARRIED_MAX = 1_024  # items changed since a rule was answered: for more it is answered anew
_PROSE = frozenset({"identity", "description", "image_link", "web_url"})
"""Attributes nearly every item has to itself and hardly a rule asks for: no column until one does."""
_NO_COLUMN = column_of({})
_NO_ATTRIBUTES: Mapping[str, Any] = {}
_NONE = BitMap()
_RANK_MAX = 1_000  # the page knows 1 to 15; what is beyond sorts as the end of it


class Item(Struct, gc=False):
    """
    One object of the catalog. Of a million every byte counts: it is not looked at by the collector, for nothing it
    holds leads back to it, and texts and numbers that items share are one object.
    """

    number: int
    identity: ItemId
    type: str
    document: bytes
    window: Window
    available: bool
    rank: int
    introduced_at: Micros
    encoded: dict[frozenset[str] | None, bytes] | None = None

    @property
    def hits(self) -> dict[frozenset[str] | None, bytes]:
        """The item's encoded hits by the set of fields asked for, kept by whoever encodes them."""
        if self.encoded is None:
            self.encoded = {}
        return self.encoded

    def offered_at(self, now: Micros) -> bool:
        return self.available and (self.window is ALWAYS or self.window.contains(now))


def _item(number: int, held: CatalogObject, facts: wire.Facts) -> Item:
    return Item(
        number,
        held.identity,
        intern(held.type),
        held.document,
        facts.window,
        facts.available,
        max(-_RANK_MAX, min(_RANK_MAX, facts.availability_rank)),
        facts.introduced_at,
    )


class Matches:
    """The items that a rule selects, the most popular ready at hand."""

    __slots__ = ("_popularity", "basis", "items", "leaders")

    def __init__(self, popularity: Popularity, basis: Sequence[object], items: BitMap) -> None:
        self.items = items
        self.basis = basis
        """All of the catalog that the rule looked at: while it is the same, so are the items."""
        self._popularity = popularity
        self.leaders: list[int] = popularity.first(LEADERS, items)

    def __contains__(self, number: int) -> bool:
        return number in self.items

    def __len__(self) -> int:
        return len(self.items)

    def in_order(self) -> Iterator[int]:
        """All matches by popularity, then identity."""
        yield from self.leaders
        if len(self.leaders) == LEADERS:
            yield from islice(self._popularity.walk(self.items), LEADERS, None)


class _Carried(Struct, frozen=True):
    """What rules selected in catalogs before, and the items that were changed since."""

    matches: dict[Rule, Matches]
    touched: BitMap

    def later(self, matches: dict[Rule, Matches], touched: BitMap) -> "_Carried":
        """After another change. What was not asked for in a long time is forgotten."""
        both = self.touched | touched
        if len(both) > CARRIED_MAX or len(self.matches) > MEMO_RULES_MAX:
            return _Carried(matches, touched)
        return _Carried({**self.matches, **matches}, both)


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
        self.windowed: PersistentMap[int, Window] = PersistentMap()
        """The same with a window: to be asked for the time."""
        self.timed = BitMap()
        """Those with a window."""
        self.typed = BitMap()
        """Items of a type that is recommended, available or not."""
        self._popularity = Popularity.of(np.empty(0, dtype=np.int32), self.typed, 0)
        self._carried = _Carried({}, BitMap())
        self._matches: dict[Rule, Matches] = {}
        self._facts: dict[int, Facts] = {}
        self._hits: dict[frozenset[str] | None, dict[int, bytes]] = {}
        self._offered_as: dict[tuple[str, str | None], BitMap] = {}

    @classmethod
    def of(
        cls, objects: Iterable[CatalogObject], scores: Mapping[str, float] | None = None
    ) -> "Catalog":
        """A catalog of objects; `scores` tells how popular an identity is (absent: not at all)."""
        catalog = cls()
        catalog._scores = scores or {}
        items: list[Item | None] = []
        numbers: dict[ItemId, int] = {}
        gatherer = Gatherer(besides=_PROSE)
        for number, held in enumerate(objects):
            facts, attributes = wire.understood(held.document)
            item = _item(number, held, facts)
            items.append(item)
            numbers[item.identity] = number
            gatherer.add(number, attributes)
        catalog._items = PersistentList(items)
        catalog._numbers = PersistentMap(numbers)
        catalog._enroll(cast("list[Item]", items))
        del items, numbers
        catalog._columns.update(gatherer.columns())
        catalog._sort()
        return catalog

    def _enroll(self, items: Sequence[Item]) -> None:
        """Adds items that are in none of the sets."""
        self.all_items = self.all_items | BitMap([item.number for item in items])
        typed = [item for item in items if item.type in ITEM_TYPES]
        self.typed = self.typed | BitMap([item.number for item in typed])
        available = [item for item in typed if item.available]
        self.offered = self.offered | BitMap(
            [item.number for item in available if item.window == ALWAYS]
        )
        windowed = {item.number: item.window for item in available if item.window != ALWAYS}
        self.windowed = self.windowed.changed(windowed)
        self.timed = self.timed | BitMap(windowed.keys())

    def _key(self, item: Item) -> tuple[float, int, int, str]:
        """Popularity first; without orders, best availability, then newest, then identity."""
        return (
            -self._scores.get(item.identity, 0.0),
            item.rank,
            -item.introduced_at,
            item.identity,
        )

    def _sort(self) -> None:
        typed = [item for number in self.typed if (item := self._items[number]) is not None]
        typed = list(_by_identity(typed))
        scores = self._scores
        count = len(typed)
        order = np.lexsort(  # all from generators, so that other threads get their turn
            (
                np.fromiter((-item.introduced_at for item in typed), np.int64, count),
                np.fromiter((item.rank for item in typed), np.int32, count),
                np.fromiter((-scores.get(item.identity, 0.0) for item in typed), float, count),
            )
        )
        numbers = np.fromiter((item.number for item in typed), np.int32, count)[order]
        self._popularity = Popularity.of(numbers, self.typed, self.numbers_given)

    def ranked_by(self, scores: Mapping[str, float]) -> "Catalog":
        """The same items in another order of popularity."""
        successor = self._successor()
        successor._scores = scores
        successor._sort()
        return successor

    def _successor(self, touched: BitMap = _NONE) -> "Catalog":
        """A copy that has to derive anew what the touched items had a part in."""
        successor = Catalog.__new__(Catalog)
        successor.__dict__.update(self.__dict__)
        successor._carried = self._carried.later(dict(self._matches), touched)
        successor._matches, successor._hits, successor._offered_as = {}, {}, {}
        successor._facts = dict(self._facts)
        for number in touched:
            successor._facts.pop(number, None)
        return successor

    def apart(self) -> "Catalog":
        """The same catalog with a memory of its own: what is tried out does not push out what shoppers ask for."""
        copied = Catalog.__new__(Catalog)
        copied.__dict__.update(self.__dict__)
        copied._matches, copied._facts = dict(self._matches), dict(self._facts)
        copied._hits, copied._offered_as = {}, dict(self._offered_as)
        return copied

    def changed(self, changes: Mapping[ItemId, CatalogObject | None]) -> "Catalog":
        """The catalog after objects were put, or removed where the value is None."""
        before: dict[int, Item] = {}
        after: dict[int, Item] = {}
        attributes: dict[int, dict[str, Any]] = {}
        numbers: dict[ItemId, int | None] = {}
        appended: list[Item] = []
        for identity, held in changes.items():
            number = self._numbers.get(identity)
            if number is not None:
                before[number] = self.item(number)
            if held is None:
                numbers[identity] = None
                continue
            facts, own = wire.understood(held.document)
            if number is None:
                number = self.numbers_given + len(appended)
                appended.append(_item(number, held, facts))
                numbers[identity] = number
                after[number] = appended[-1]
            else:
                after[number] = _item(number, held, facts)
            attributes[number] = own
        successor = self._successor(BitMap(before.keys() | after.keys()))
        successor._items = self._items.changed(
            {number: after.get(number) for number in before}, appended
        )
        successor._numbers = self._numbers.changed(numbers)
        successor._reenroll(before, after)
        successor._reorder(before, after)
        successor._recolumn(
            {number: wire.attributes(item.document) for number, item in before.items()}, attributes
        )
        return successor

    def _reenroll(self, before: Mapping[int, Item], after: Mapping[int, Item]) -> None:
        stays, gone = self.all_items, BitMap(before.keys())
        self.all_items = self.all_items - gone
        self.typed = self.typed - gone
        self.offered = self.offered - gone
        self.windowed = self.windowed.changed(dict.fromkeys(gone & self.timed))
        self.timed = self.timed - gone
        self._enroll(list(after.values()))
        if self.all_items == stays:
            self.all_items = stays  # what was derived from it is known by that

    def _reorder(self, before: Mapping[int, Item], after: Mapping[int, Item]) -> None:
        was = {number: item for number, item in before.items() if item.type in ITEM_TYPES}
        now = {number: item for number, item in after.items() if item.type in ITEM_TYPES}
        gone = [
            number
            for number, item in was.items()
            if number not in now or self._key(now[number]) != self._key(item)
        ]
        moved = set(gone)
        come = [item for number, item in now.items() if number in moved or number not in was]
        rest = self._popularity.changed(gone, (), self.typed, self.numbers_given)
        keys = {number: self._key(item) for number, item in before.items()}

        def key(number: np.int32) -> tuple[float, int, int, str]:
            return keys.get(int(number)) or self._key(self.item(int(number)))

        come.sort(key=self._key)
        at = [(bisect_left(rest.order, self._key(item), key=key), item.number) for item in come]
        self._popularity = rest.changed((), at, self.typed, self.numbers_given)

    def _recolumn(
        self, before: Mapping[int, Mapping[str, Any]], after: Mapping[int, Mapping[str, Any]]
    ) -> None:
        went: dict[str, dict[int, Any]] = {}
        came: dict[str, dict[int, Any]] = {}
        for number in before.keys() | after.keys():
            old, new = before.get(number, _NO_ATTRIBUTES), after.get(number, _NO_ATTRIBUTES)
            for name in old.keys() | new.keys():
                if (name in _PROSE and name not in self._columns) or _same(old, new, name):
                    continue
                if name in old:
                    went.setdefault(name, {})[number] = old[name]
                if name in new:
                    came.setdefault(name, {})[number] = new[name]
        columns = dict(self._columns)
        for name in went.keys() | came.keys():
            column = columns.get(name, _NO_COLUMN)
            columns[name] = column.changed(went.get(name, {}), came.get(name, {}))
        self._columns = columns

    def __len__(self) -> int:
        return len(self.all_items)

    def is_ranked_as(self, before: "Catalog") -> bool:
        """Whether those that did not change since a catalog that this one came from are in the same order."""
        return self._scores is before._scores

    def differing(self, before: "Catalog") -> Iterable[int]:
        """The numbers of what changed, came or went since a catalog that this one came from: microseconds a change."""
        return self._items.differing(before._items)

    def number(self, identity: str) -> int | None:
        return self._numbers.get(ItemId(identity))

    def numbers_of(self, identities: Iterable[str]) -> list[int | None]:
        """The number of each; a fifth of the time of asking one by one."""
        return self._numbers.get_each(cast(Iterable[ItemId], identities))

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

    def attributes(self, number: int) -> Mapping[str, Any]:
        """Everything rules can look at, of one item; kept for items asked for lately."""
        return self.facts(number).attributes

    def facts(self, number: int) -> Facts:
        """The same as an index of rules asks for it."""
        found = self._facts.get(number)
        if found is None:
            if len(self._facts) >= MEMO_FACTS_MAX:
                self._facts.clear()
            found = self._facts[number] = Facts(wire.attributes(self.item(number).document))
        return found

    def popular(self, within: BitMap | None = None) -> Iterator[int]:
        """Item numbers by popularity, then identity: all, or those of a set."""
        return self._popularity.walk(within)

    def score(self, number: int) -> float:
        """How popular an object is, as the scores say that the catalog is ranked by."""
        return self._scores.get(self.identity(number), 0.0)

    @property
    def places(self) -> Floats:
        """By item number: what sorts by popularity. See `Popularity`."""
        return self._popularity.places

    def matches(self, rule: Rule) -> Matches:
        """The items that satisfy a rule; kept per rule, so that asking again is a look-up."""
        found = self._matches.get(rule)
        if found is None:
            if len(self._matches) >= MEMO_RULES_MAX:
                self._matches.clear()
            found = self._matches[rule] = self._matched(rule)
        return found

    @property
    def answered(self) -> Iterable[Rule]:
        """The rules whose matches are ready."""
        return self._matches.keys()

    def _matched(self, rule: Rule) -> Matches:
        """Selects, or brings up to date what a catalog before this one selected."""
        columns = [self.column(name) for name in dict.fromkeys(attributes_named(rule))]
        basis = (self.all_items, *columns)
        known = self._carried.matches.get(rule)
        if known is None:
            return Matches(self._popularity, basis, self.select(rule))
        items, touched = known.items, self._carried.touched
        if any(each is not other for each, other in zip(basis, known.basis, strict=True)):
            present = touched & self.all_items
            items = (items - touched) | BitMap([n for n in present if self.satisfies(n, rule)])
        return Matches(self._popularity, basis, items)

    def select(self, rule: Rule) -> BitMap:
        """The items that satisfy a rule: `criteria.matches`, answered from columns."""
        match rule:
            case AnyOf(attribute, terms):
                column = self.column(attribute)
                return BitMap.union(*(column.met_by(term) for term in terms))
            case AllOf(_, values):
                return BitMap.intersection(*(self.select(each) for each in values))
            case Between(attribute):
                return self.column(attribute).between(rule, self.all_items)
            case Contains(attribute, text):
                return self.column(attribute).containing(text)
            case Exists(attribute):
                return self.column(attribute).having
            case Not(inner):
                return self.all_items - self.select(inner)
            case Every(rules):
                return self._select_all(rules)
            case Some(rules):
                return BitMap.union(*(self.select(each) for each in rules))
        assert_never(rule)

    def _select_all(self, rules: Sequence[Rule]) -> BitMap:
        """Bounds last: what is left by then is often less than all between them."""
        found = self.all_items
        for each in sorted(rules, key=_is_between):
            if not found:
                break
            if isinstance(each, Between):
                found = self.column(each.attribute).between(each, found)
            else:
                found = found & self.select(each)
        return found

    def column(self, attribute: str) -> Column:
        """An attribute's column; prose gets one when it is first asked for, an unknown name is an empty one."""
        column = self._columns.get(attribute)
        if column is None and attribute in _PROSE:
            column = column_of(self._values_of(attribute))
            self._columns = {**self._columns, attribute: column}
        return column or _NO_COLUMN

    @property
    def columns(self) -> Mapping[str, Column]:
        """The attributes that are laid out, by name: all that objects have but prose that no rule has asked for."""
        return self._columns

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
        return self.typed - self.matches(_denial(field)).items

    def offered_as(self, type: str, field: str | None = None) -> BitMap:
        """
        Objects of a type that is not items' that `availability`, or another field, calls available; their windows are
        not asked. Kept while the catalog lives.
        """
        found = self._offered_as.get((type, field))
        if found is None:
            if len(self._offered_as) >= MEMO_TYPES_MAX:
                self._offered_as.clear()
            others = map(self.item, self.all_items - self.typed)
            members = BitMap(
                [each.number for each in others if each.type == type and (field or each.available)]
            )
            if field is not None:
                members -= self.matches(_denial(field)).items
            self._offered_as[type, field] = found = members
        return found

    def is_available_by(self, field: str, number: int) -> bool:
        """The same of one item of any type."""
        return not self.satisfies(number, _denial(field))


def _by_identity(items: list[Item]) -> Iterable[Item]:
    """In runs that are merged: sorting a million texts at once would keep every other thread waiting for a second."""
    runs = [
        sorted(items[start : start + _RUN], key=_identity) for start in range(0, len(items), _RUN)
    ]
    return merge(*runs, key=_identity)


_identity = attrgetter("identity")
_RUN = 16_384


def _is_between(rule: Rule) -> bool:
    return isinstance(rule, Between)


def _same(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> bool:
    """Whether two objects say the same to every rule: 1 and True are equal, and not the same to a rule."""
    if name not in old or name not in new:
        return False
    one, other = old[name], new[name]
    return bool(one == other) and (type(one) is str or repr(one) == repr(other))


def _denial(field: str) -> Rule:
    """That an availability field says no, in one of the spellings that `wire.is_available` knows."""
    return AnyOf(field, (("number", 0.0), ("text", "0"), ("flag", False)))
