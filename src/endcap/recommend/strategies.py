"""
The ways to rank. A strategy is its settings; what it ranks with comes as `Knowledge`, what is asked for as a `Query`.

A strategy is pure: chance and the time are in the query, and the same query over the same knowledge gives the same
ranking. `primary` holds candidates it has a reason for: distinct items of the catalog that may be shown as far as it
can tell, best first, somewhat more than asked for, because placement drops some (the inputs, for one). What it has no
opinion on is left to the ranking's fallback, popularity, so that an answer can always be filled.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from pyroaring import BitMap

from endcap.criteria import AnyOf, Rule, Some
from endcap.domain import Micros
from endcap.engine.catalog import ITEM_TYPES, Catalog
from endcap.engine.place import Ranking
from endcap.recommend.artifact import TableName
from endcap.recommend.knowledge import PRICE, Floats, Knowledge, Numbers, Rest, numbers_of, texts
from endcap.wire.catalog import CATEGORY_LEVELS

SPARE = (
    100  # candidates beyond the count: inputs, blacklists and the page's other answers take some
)
SIMILAR_MAX = (
    2_000  # of a large category only the most popular are compared; comparing them takes 0.1 ms
)
_SPARE_RANDOM = 30  # a draw costs a microsecond; the inputs and a neighbouring answer may take some
HISTORY_USED = 10  # latest purchases that speak for a user
_BESIDE: tuple[TableName, ...] = ("viewed", "page")
_LEVELS = tuple(f"category_lvl_{level}" for level in range(CATEGORY_LEVELS, 0, -1))
_CATEGORIES = ("category", *_LEVELS)


class Query(Struct, frozen=True, kw_only=True):
    """
    What one object of a call asks for. `items` are the numbers of the input items that are in the catalog.

    `context` is a bound that placement will hold anyway; strategies obey it early. `available` is, where the request
    names an availability field of its own, what that field calls available (`Catalog.available_by`).
    """

    catalog: Catalog
    items: Sequence[int] = ()
    user: str | None = None
    context: Rule | None = None
    count: int
    now: Micros
    seed: random.Random
    available: BitMap | None = None


class Strategy(Protocol):
    def rank(self, query: Query, knowledge: Knowledge) -> Ranking: ...


class Popular(Struct, frozen=True, tag=True):
    """The most popular."""

    def rank(self, query: Query, knowledge: Knowledge) -> Ranking:
        count = query.count + SPARE
        if query.available is not None:
            popular = knowledge.catalog.popular(_allowed(query, knowledge))
            return _ranking(query, knowledge, _take(popular, count))
        if query.context is None:
            return _ranking(query, knowledge, knowledge.leaders[:count])
        allowed = _allowed(query, knowledge)
        leaders = [
            n for n in knowledge.catalog.matches(query.context).leaders if n in allowed
        ]  # the rest of the matches follows as fallback, in the same order
        return _ranking(query, knowledge, leaders)


class Newest(Struct, frozen=True, tag=True):
    """The latest introduced."""

    def rank(self, query: Query, knowledge: Knowledge) -> Ranking:
        count = query.count + SPARE

        def first() -> list[int]:
            return knowledge.newest.first(count, _allowed(query, knowledge))

        if query.available is not None:
            return _ranking(query, knowledge, first())
        return _ranking(query, knowledge, knowledge.kept((self, query.context, count), first))


class Discounted(Struct, frozen=True, tag=True):
    """The largest share off the old price."""

    def rank(self, query: Query, knowledge: Knowledge) -> Ranking:
        count = query.count + SPARE

        def first() -> list[int]:
            return knowledge.discounted.first(count, _allowed(query, knowledge))

        if query.available is not None:
            return _ranking(query, knowledge, first())
        return _ranking(query, knowledge, knowledge.kept((self, query.context, count), first))


class Alternatives(Struct, frozen=True, tag=True):
    """
    What else one could buy instead: the same category, a near price, dearer rather than cheaper.

    The narrowest category comes first, then the wider ones, then the brand, then what is looked at on the same day,
    then what is bought together.
    """

    dearer: float = 1.1
    """The price aimed at, as a multiple of the item's own."""
    same_brand: float = 0.1
    """How much nearer an item of the same brand seems, in powers of e of its price."""

    def rank(self, query: Query, knowledge: Knowledge) -> Ranking:
        if not query.items:
            return _ranking(query, knowledge, ())
        item, count = query.items[0], query.count + SPARE

        def similar() -> list[int]:
            allowed = _allowed(query, knowledge)
            return self._similar(item, count, allowed, knowledge)

        if query.available is not None:
            return _ranking(query, knowledge, similar())
        key = (self, item, query.context, count)
        return _ranking(query, knowledge, knowledge.kept(key, similar))

    def _similar(self, item: int, count: int, allowed: BitMap, knowledge: Knowledge) -> list[int]:
        attributes = knowledge.catalog.attributes(item)
        found: dict[int, None] = {}
        for rule in _kinships(attributes):
            members = knowledge.catalog.matches(rule).items & allowed
            found.update(dict.fromkeys(self._nearest(item, attributes, members, knowledge, count)))
            if len(found) > count:
                break
        for table in _BESIDE:
            if len(found) < count:
                found.update(dict.fromkeys(_bought_with([item], allowed, knowledge, table=table)))
        found.pop(item, None)
        return _take(found, count)

    def _nearest(
        self,
        item: int,
        attributes: Mapping[str, Any],
        members: BitMap,
        knowledge: Knowledge,
        count: int,
    ) -> list[int]:
        numbers = numbers_of(members)
        places = knowledge.catalog.places[numbers]
        if len(numbers) > SIMILAR_MAX:
            popular = np.argpartition(places, SIMILAR_MAX)[:SIMILAR_MAX]
            popular.sort()
            numbers, places = numbers[popular], places[popular]
        distance = self._distance(item, numbers, knowledge)
        for brand in texts(attributes.get("brand")):
            kin = numbers_of(knowledge.having("brand", brand).items & members)
            distance -= self.same_brand * _among(kin, numbers)
        distance += places * 1e-9  # of equals the more popular
        if len(numbers) > count:
            near = np.argpartition(distance, count)[: count + 1]
            numbers, distance = numbers[near], distance[near]
        nearest: list[int] = numbers[np.argsort(distance)].tolist()
        return nearest

    def _distance(self, item: int, numbers: Numbers, knowledge: Knowledge) -> Floats:
        """How far prices are from the one aimed at, in powers of e; 1 where one is unknown."""
        prices = knowledge.numbers(PRICE)
        with np.errstate(invalid="ignore", divide="ignore"):
            distance = np.abs(np.log(prices[numbers] / (prices[item] * self.dearer)))
        return np.where(np.isfinite(distance), distance, 1.0)


def _among(members: Numbers, numbers: Numbers) -> NDArray[np.bool_]:
    """Which of `numbers` are members; both ascend, and members may hold others."""
    found = np.zeros(len(numbers), dtype=np.bool_)
    at = numbers.searchsorted(members)
    at = at[at < len(numbers)]
    found[at] = numbers[at] == members[: len(at)]
    return found


class BoughtTogether(Struct, frozen=True, tag=True):
    """What orders with the input items also held: the items' affinities added up, cheaper ones slightly preferred."""

    cheaper: float = 0.05
    """By which power of its price, relative to the inputs', an item's affinity falls."""
    table: TableName = "cart"
    """Which neighbours: to be summed up over a cart, for one item's page, or looked at on the same day."""

    def rank(self, query: Query, knowledge: Knowledge) -> Ranking:
        if not query.items:
            return _ranking(query, knowledge, ())
        allowed = _allowed(query, knowledge)
        found = _bought_with(
            query.items, allowed, knowledge, cheaper=self.cheaper, table=self.table
        )
        return _ranking(query, knowledge, found[: query.count + SPARE])


class PopularIn(Struct, frozen=True, tag=True):
    """The most popular of the input's category or brand. The input is an item, or the category or brand itself."""

    kind: Literal["category", "brand"]

    def rank(self, query: Query, knowledge: Knowledge) -> Ranking:
        rules = [rule for item in query.items if (rule := self._rule(item, knowledge.catalog))]
        if not rules:
            return Popular().rank(query, knowledge)
        matches = knowledge.catalog.matches(rules[0] if len(rules) == 1 else Some(tuple(rules)))
        allowed = _allowed(query, knowledge)
        found = [number for number in matches.leaders if number in allowed]
        if len(found) < query.count + len(query.items):
            within = matches.items & allowed
            found = _take(knowledge.catalog.popular(within), query.count + SPARE)
        return _ranking(query, knowledge, found)

    def _rule(self, item: int, catalog: Catalog) -> Rule | None:
        attributes = catalog.attributes(item)
        if catalog.item(item).type not in ITEM_TYPES:  # the category or brand itself
            name = str(attributes.get("title", ""))
            where = _CATEGORIES if self.kind == "category" else ("brand",)
            return Some(tuple(_one_of(attribute, [name]) for attribute in where))
        for attribute in _CATEGORIES if self.kind == "category" else ("brand",):
            if names := texts(attributes.get(attribute)):
                return _one_of(attribute, names)
        return None


class BoughtBefore(Struct, frozen=True, tag=True):
    """What the user ordered, the latest first, or what they order again and again."""

    first: Literal["latest", "commonest"]

    def rank(self, query: Query, knowledge: Knowledge) -> Ranking:
        bought, times = _history(query, knowledge)
        if self.first == "commonest":
            order = sorted(range(len(bought)), key=lambda at: (-times[at], at))
            bought = [bought[at] for at in order]
        allowed = _allowed(query, knowledge)
        return _ranking(query, knowledge, [number for number in bought if number in allowed])


class ForUser(Struct, frozen=True, tag=True):
    """What goes with the user's latest purchases, without what they have; the latest count most."""

    fading: float = 0.8
    """How much less each earlier purchase counts."""

    def rank(self, query: Query, knowledge: Knowledge) -> Ranking:
        bought, _ = _history(query, knowledge)
        if not bought:
            return _ranking(query, knowledge, ())
        latest = [*query.items, *bought][:HISTORY_USED]
        allowed = _allowed(query, knowledge)
        had = set(bought)
        related = _bought_with(latest, allowed, knowledge, fading=self.fading)
        found = (number for number in related if number not in had)
        return _ranking(query, knowledge, _take(found, query.count + SPARE))


class Randomly(Struct, frozen=True, tag=True):
    """Any, all alike."""

    def rank(self, query: Query, knowledge: Knowledge) -> Ranking:
        allowed = _allowed(query, knowledge)
        count = min(len(allowed), query.count + _SPARE_RANDOM)
        places = query.seed.sample(range(len(allowed)), count)
        inputs = set(query.items)
        found = [number for place in places if (number := allowed[place]) not in inputs]
        return _ranking(query, knowledge, found)


AnyStrategy = (
    Popular
    | Newest
    | Discounted
    | Alternatives
    | BoughtTogether
    | PopularIn
    | BoughtBefore
    | ForUser
    | Randomly
)


def _ranking(query: Query, knowledge: Knowledge, primary: Sequence[int]) -> Ranking:
    return Ranking(primary, Rest(knowledge, query.context))


def _allowed(query: Query, knowledge: Knowledge) -> BitMap:
    return knowledge.allowed(query.context, query.available)


def _take(numbers: Iterable[int], count: int) -> list[int]:
    return [number for number, _ in zip(numbers, range(count), strict=False)]


def _one_of(attribute: str, names: Sequence[str]) -> Rule:
    return AnyOf(attribute, tuple(("text", name) for name in names))


def _kinships(attributes: Mapping[str, Any]) -> Iterable[Rule]:
    """What makes items alike, the narrowest first."""
    for attribute in (*_LEVELS, "category", "brand"):
        if names := texts(attributes.get(attribute)):
            yield _one_of(attribute, names)


def _history(query: Query, knowledge: Knowledge) -> tuple[list[int], list[int]]:
    """The numbers of what the user bought and is in the catalog, the latest first, and in how many orders each."""
    if query.user is None:
        return [], []
    indexes, times = knowledge.artifact.history(query.user)
    numbers = knowledge.translation.numbers[indexes].tolist()
    there = (
        query.catalog.all_items
    )  # a translation that followed its catalog still knows the number of what went
    known = [
        (number, often)
        for number, often in zip(numbers, times, strict=True)
        if number >= 0 and number in there
    ]
    return [number for number, _ in known], [often for _, often in known]


def _bought_with(
    items: Sequence[int],
    allowed: BitMap,
    knowledge: Knowledge,
    *,
    cheaper: float = 0.0,
    fading: float = 1.0,
    table: TableName = "page",
) -> list[int]:
    """
    Neighbours of items, their affinities added up, best first. Plain Python: NumPy takes as long for the first twenty
    numbers as a dict does for five hundred.
    """
    if len(items) == 1:
        found: Sequence[int] = knowledge.neighbours(items[0], cheaper, table)[0]
    else:
        sums: dict[int, float] = {}
        known = sums.get
        weight = 1.0
        for item in items:
            for number, affinity in zip(*knowledge.neighbours(item, cheaper, table), strict=True):
                sums[number] = known(number, 0.0) + weight * affinity
            weight *= fading
        for item in items:
            sums.pop(item, None)
        found = sorted(sums, key=sums.__getitem__, reverse=True)
    return [number for number in found if number in allowed]
