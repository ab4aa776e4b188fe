"""
Strategies by attributes: what else one could buy instead, and what is like something else. They need no orders.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray
from pyroaring import BitMap

from endcap.criteria import Rule
from endcap.engine.columns import bitmap_of
from endcap.recommend.attributes import LEVELS, PRICE, texts
from endcap.recommend.knowledge import Knowledge
from endcap.recommend.order import Floats, Numbers, numbers_of
from endcap.recommend.strategies.common import (
    SPARE,
    Query,
    Share,
    allowed_in,
    kinships,
    offered_in,
    one_of,
    take,
)

SIMILAR_MAX = (
    2_000  # of a large category only the most popular are compared; comparing them takes 0.1 ms
)
Weight = Annotated[float, Meta(ge=0, le=10)]


class Alternatives(Struct, frozen=True, tag="alternatives", tag_field="kind"):
    """
    What else one could buy instead: the same category, a near price, dearer rather than cheaper, a title alike.

    The narrowest category comes first, then the wider ones, then the brand. Within one the distance is
    |ln(price / (own price * dearer))|, 1 where a price is unknown, less `same_brand` for the same brand, less `title`
    times the share of the title's weight that is in the other's, less `looks` for each shared value of one of
    `look_attributes`.
    """

    dearer: Annotated[
        Annotated[float, Meta(ge=0.1, le=10)],
        Meta(description="The price aimed at, as a multiple of the item's own."),
    ] = 1.1
    same_brand: Annotated[
        Weight,
        Meta(
            description="How much nearer an item of the same brand seems, in powers of e of its price."
        ),
    ] = 0.1
    title: Annotated[
        Weight,
        Meta(description="How much nearer an item with the same title would seem, likewise."),
    ] = 0.5
    looks: Annotated[
        Weight, Meta(description="How much nearer each shared look makes an item, likewise.")
    ] = 0.0
    look_attributes: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...],
        Meta(max_length=10, description="The attributes that tell how an item looks."),
    ] = ("color", "colour", "material", "pattern", "style", "shape")

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        if not query.items:
            return ()
        item, count = query.items[0], query.count + SPARE

        def similar() -> list[int]:
            return self._similar(item, count, allowed_in(query, knowledge), knowledge)

        if query.available is not None:
            return similar()
        return knowledge.kept((self, item, query.context, count), similar)

    def _similar(self, item: int, count: int, allowed: BitMap, knowledge: Knowledge) -> list[int]:
        attributes = knowledge.catalog.attributes(item)
        found: dict[int, None] = {}
        for rule in kinships(attributes):
            members = knowledge.catalog.matches(rule).items & allowed
            found.update(dict.fromkeys(self._nearest(item, attributes, members, knowledge, count)))
            if len(found) > count:
                break
        found.pop(item, None)
        return take(found, count)

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
        for nearer, attribute in self._nearer():
            for text in texts(attributes.get(attribute)):
                kin = knowledge.having(attribute, text).items & members
                distance -= nearer * _among(numbers_of(kin), numbers)
        if self.title:
            distance -= self.title * knowledge.attributes.titles.shares(item, numbers)
        distance += places * 1e-9  # of equals the more popular
        if len(numbers) > count:
            near = np.argpartition(distance, count)[: count + 1]
            numbers, distance = numbers[near], distance[near]
        nearest: list[int] = numbers[np.argsort(distance)].tolist()
        return nearest

    def _nearer(self) -> list[tuple[float, str]]:
        shared = [(self.same_brand, "brand")]
        if self.looks:
            shared += [(self.looks, attribute) for attribute in self.look_attributes]
        return [each for each in shared if each[0]]

    def _distance(self, item: int, numbers: Numbers, knowledge: Knowledge) -> Floats:
        """How far prices are from the one aimed at, in powers of e; 1 where one is unknown."""
        prices = knowledge.attributes.numbers(PRICE)
        with np.errstate(invalid="ignore", divide="ignore"):
            distance = np.abs(np.log(prices[numbers] / (prices[item] * self.dearer)))
        return np.where(np.isfinite(distance), distance, 1.0)


class Similar(Struct, frozen=True, tag="similar", tag_field="kind"):
    """
    What is most like the inputs by title, category, brand and price: the answer for items that nobody ordered yet, and
    for articles. The score is the share of the title's weight that the other has too, plus `category` and `brand` where
    these are shared, plus `price` * e^-|ln(price / own price)|. Who shares nothing is no candidate.
    """

    of: Annotated[Literal["item", "article"], Meta(description="What is returned.")] = "item"
    category: Annotated[Share, Meta(description="Weight of the same narrowest category.")] = 0.5
    brand: Annotated[Share, Meta(description="Weight of the same brand.")] = 0.2
    price: Annotated[Share, Meta(description="Weight of the same price.")] = 0.2

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        count = query.count + SPARE
        inputs = tuple(query.items)
        if not inputs:
            return ()
        if self.of == "item":
            allowed = allowed_in(query, knowledge)
        else:
            allowed = offered_in(query, self.of)

        def similar() -> list[int]:
            return self.like(inputs, allowed, count, knowledge)

        if query.available is not None:
            return similar()
        return knowledge.kept((self, inputs, query.context, count), similar)

    def like(
        self, items: Sequence[int], allowed: BitMap, count: int, knowledge: Knowledge
    ) -> list[int]:
        """The best of some objects; of several inputs the likeness to the nearest one counts."""
        scored = [self._scored(item, allowed, count, knowledge) for item in items]
        if len(items) == 1:
            ((numbers, scores),) = scored
            found: list[int] = numbers[np.lexsort((numbers, -scores))].tolist()
            return [number for number in found if number != items[0]][:count]
        best: dict[int, float] = {}
        for numbers, scores in scored:
            for number, score in zip(numbers.tolist(), scores.tolist(), strict=True):
                if score > best.get(number, -1.0):
                    best[number] = score
        for item in items:
            best.pop(item, None)
        return sorted(best, key=lambda number: (-best[number], number))[:count]

    def _scored(
        self, item: int, allowed: BitMap, count: int, knowledge: Knowledge
    ) -> tuple[Numbers, Floats]:
        sharing, shares = knowledge.attributes.titles.alike(item)
        candidates = bitmap_of(sharing)
        kin: list[tuple[float, BitMap]] = []
        for weight, rule in self._kinships(knowledge.catalog.attributes(item)):
            matches = knowledge.catalog.matches(rule)
            candidates.update(matches.leaders)
            kin.append((weight, matches.items))
        candidates &= allowed
        numbers = numbers_of(candidates)
        scores = shares[numbers]
        for weight, members in kin:
            scores += weight * _among(numbers_of(members & candidates), numbers)
        if self.price:
            scores += self.price * _price_likeness(item, numbers, knowledge)
        places = knowledge.catalog.places[numbers]
        places[places == np.inf] = 0  # what is no item has none
        scores -= places * 1e-9  # of equals the more popular
        if len(numbers) > count + 1:
            top = np.argpartition(-scores, count)[: count + 1]
            numbers, scores = numbers[top], scores[top]
        return numbers, scores

    def _kinships(self, attributes: Mapping[str, Any]) -> Iterator[tuple[float, Rule]]:
        """The narrowest category and the brand, as far as they count."""
        for attribute in (*LEVELS, "category") if self.category else ():
            if names := texts(attributes.get(attribute)):
                yield self.category, one_of(attribute, names)
                break
        if self.brand and (names := texts(attributes.get("brand"))):
            yield self.brand, one_of("brand", names)


def _price_likeness(item: int, numbers: Numbers, knowledge: Knowledge) -> Floats:
    prices = knowledge.attributes.numbers(PRICE)
    with np.errstate(invalid="ignore", divide="ignore"):
        near = np.exp(-np.abs(np.log(prices[numbers] / prices[item])))
    return np.where(np.isfinite(near), near, 0.0)


def _among(members: Numbers, numbers: Numbers) -> NDArray[np.bool_]:
    """Which of `numbers` are members; both ascend, and members may hold others."""
    found = np.zeros(len(numbers), dtype=np.bool_)
    at = numbers.searchsorted(members)
    inside = at < len(numbers)
    at, members = at[inside], members[inside]
    found[at] = numbers[at] == members
    return found
