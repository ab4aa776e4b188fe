"""
What a model does to the ranking of its strategy: variety for everyone, fitting to one shopper who agreed to it.

Both move items of the ranking's first part; neither adds or drops one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from heapq import heappop, heapreplace
from math import exp, log
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct

from endcap.recommend.attributes import PRICE
from endcap.recommend.knowledge import Knowledge
from endcap.recommend.strategies.common import Query, Share
from endcap.recommend.strategies.shopper import acts_of

LOOKED_AT = 60  # of a ranking: more than the largest answer
ALIKE_PLACES = 10.0  # that an item falls behind for each one like it before it, at a diversity of 1
Affinity = Annotated[float, Meta(ge=0, le=10)]


class Variety(Struct, frozen=True):
    """
    Not all of one kind: among the first `among` at most `most` share an attribute's value, and with `diversity` an item
    falls 10 * diversity places behind for each of its kind before it. Items without the attribute are of no kind.
    """

    by: Annotated[
        Literal["category", "brand"], Meta(description="What makes items of one kind.")
    ] = "category"
    most: Annotated[
        Annotated[int, Meta(ge=1, le=50)] | None,
        Meta(description="How many of one kind may be among the first; null: any number."),
    ] = None
    among: Annotated[
        int, Meta(ge=1, le=50, description="How many places are the first; later ones are free.")
    ] = 10
    diversity: Annotated[
        Share, Meta(description="How strongly what is alike is kept apart, 0 to 1.")
    ] = 0.0

    def applied(self, primary: Sequence[int], knowledge: Knowledge) -> Sequence[int]:
        """The ranking with its first places settled one by one, each by the best item that may have it."""
        if self.most is None and not self.diversity:
            return primary
        first = list(primary[:LOOKED_AT])
        kinds = knowledge.attributes.labels(self.by)[first].tolist()
        chosen = self._chosen(kinds)
        taken = set(chosen)
        rest = [number for place, number in enumerate(first) if place not in taken]
        return [*(first[place] for place in chosen), *rest, *primary[LOOKED_AT:]]

    def _chosen(self, kinds: Sequence[int]) -> list[int]:
        """
        The places of who comes first, by place plus what the kind costs. That only grows, so it is enough to look
        again at who would be next.
        """
        behind = self.diversity * ALIKE_PLACES
        waiting = [(float(place), place) for place in range(len(kinds))]  # a heap as it is
        seen: Counter[int] = Counter()
        chosen: list[int] = []
        while waiting and len(chosen) < self.among:
            cost, place = waiting[0]
            kind = kinds[place]
            before = seen[kind] if kind >= 0 else 0
            if self.most is not None and before >= self.most:
                heappop(waiting)
            elif (now := place + before * behind) > cost:
                heapreplace(waiting, (now, place))
            else:
                heappop(waiting)
                chosen.append(place)
                seen[kind] += 1
        return chosen


class Personal(Struct, frozen=True):
    """
    Fits a ranking to what one shopper did lately: an item at place i (from 1) comes as if at i / (1 + a), where a adds
    up `category` and `brand` times the share of the shopper's acts that were about the item's, and `price` times
    e^-|ln(price / their usual price)|. Applies only with the shopper's consent.
    """

    category: Annotated[Affinity, Meta(description="Weight of the categories of recent acts.")] = (
        1.0
    )
    brand: Annotated[Affinity, Meta(description="Weight of the brands of recent acts.")] = 1.0
    price: Annotated[Affinity, Meta(description="Weight of the usual price of recent acts.")] = 0.3

    def applied(self, primary: Sequence[int], query: Query, knowledge: Knowledge) -> Sequence[int]:
        """The ranking in another order, as far as anything is known of the shopper."""
        profile = profile_of(query, knowledge)
        if profile is None or len(primary) < 2:
            return primary
        first = list(primary[:LOOKED_AT])
        gains = self._gains(first, profile, knowledge)
        keys = [(place / (1 + gain), place) for place, gain in enumerate(gains, 1)]
        order = sorted(range(len(first)), key=keys.__getitem__)
        return [*(first[at] for at in order), *primary[LOOKED_AT:]]

    def _gains(
        self, numbers: Sequence[int], profile: "Profile", knowledge: Knowledge
    ) -> list[float]:
        attributes = knowledge.attributes
        categories = attributes.labels("category")[numbers].tolist()
        brands = attributes.labels("brand")[numbers].tolist()
        prices = attributes.numbers(PRICE)[numbers].tolist()
        category, brand = profile.categories.get, profile.brands.get
        return [
            self.category * category(kind, 0.0)
            + self.brand * brand(maker, 0.0)
            + self.price * profile.price_likeness(price)
            for kind, maker, price in zip(categories, brands, prices, strict=True)
        ]


class Profile(Struct, frozen=True):
    """Shares of a shopper's recent acts by label of category and brand, and the logarithm of the usual price."""

    categories: Mapping[int, float]
    brands: Mapping[int, float]
    price: float | None

    def price_likeness(self, price: float) -> float:
        """1 at the usual price, less the further from it; 0 where either is unknown."""
        if self.price is None or not price > 0:
            return 0.0
        return exp(-abs(log(price) - self.price))


FADING = 0.9  # what each earlier act of a kind counts of the next


def profile_of(query: Query, knowledge: Knowledge) -> Profile | None:
    """What the shopper's recent acts say; None: nothing. Kept while neither the shopper nor the catalog changes."""
    if query.user is None:
        return None
    return knowledge.profile(query.user, query.shopper, lambda: _profile(query, knowledge))


def _profile(query: Query, knowledge: Knowledge) -> Profile | None:
    acts = acts_of(query, knowledge, fading=FADING)
    if not acts:
        return None
    numbers, weights = list(acts), np.array(list(acts.values()))
    attributes = knowledge.attributes
    prices = attributes.numbers(PRICE)[numbers]
    priced = prices > 0
    usual = None
    if priced.any():
        usual = float(np.average(np.log(prices[priced]), weights=weights[priced]))
    return Profile(
        _shares(attributes.labels("category")[numbers].tolist(), weights.tolist()),
        _shares(attributes.labels("brand")[numbers].tolist(), weights.tolist()),
        usual,
    )


def _shares(labels: Sequence[int], weights: Sequence[float]) -> Mapping[int, float]:
    whole = sum(weights)
    shares: dict[int, float] = {}
    for label, weight in zip(labels, weights, strict=True):
        if label >= 0:
            shares[label] = shares.get(label, 0.0) + weight / whole
    return shares
