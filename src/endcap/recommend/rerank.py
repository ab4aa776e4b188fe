"""
What a model does to the ranking of its strategy: variety for everyone, fitting to one shopper who agreed to it.

Both move items of the ranking's first part; neither adds or drops one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from heapq import heappop, heapreplace
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct

from endcap.recommend.attributes import PRICE
from endcap.recommend.knowledge import Knowledge
from endcap.recommend.order import Floats, Numbers
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
        labels = knowledge.attributes.labels(self.by)
        if not self.diversity and self._is_varied(labels[list(primary[: self.among])].tolist()):
            return primary
        first = list(primary[:LOOKED_AT])
        kinds = labels[first].tolist()
        chosen = self._chosen(kinds)
        taken = set(chosen)
        rest = [number for place, number in enumerate(first) if place not in taken]
        return [*(first[place] for place in chosen), *rest, *primary[LOOKED_AT:]]

    def _is_varied(self, kinds: Sequence[int]) -> bool:
        """Whether the first places are within the bound as they are, as they mostly are."""
        assert self.most is not None
        seen: dict[int, int] = {}
        for kind in kinds:
            if kind >= 0:
                seen[kind] = seen.get(kind, 0) + 1
        return max(seen.values(), default=0) <= self.most

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
        first = np.array(primary[:LOOKED_AT], dtype=np.int32)
        places = np.arange(1, len(first) + 1) / (1 + self._gains(first, profile, knowledge))
        fitted: list[int] = first[places.argsort(kind="stable")].tolist()
        return [*fitted, *primary[LOOKED_AT:]]

    def _gains(self, numbers: Numbers, profile: "Profile", knowledge: Knowledge) -> Floats:
        attributes = knowledge.attributes
        gains = np.zeros(len(numbers))
        for weight, attribute, shares in (
            (self.category, "category", profile.categories),
            (self.brand, "brand", profile.brands),
        ):
            if weight and shares:
                share = shares.get
                labels = attributes.labels(attribute)[numbers].tolist()
                gains += weight * np.array([share(label, 0.0) for label in labels])
        if self.price and profile.price is not None:
            prices = attributes.numbers(PRICE)[numbers]
            with np.errstate(invalid="ignore", divide="ignore"):
                near = np.exp(-np.abs(np.log(prices) - profile.price))
            gains += self.price * np.where(near > 0, near, 0.0)  # not where a price is unknown
        return gains


class Profile(Struct, frozen=True):
    """Shares of a shopper's recent acts by label of category and brand, and the logarithm of the usual price."""

    categories: Mapping[int, float]
    brands: Mapping[int, float]
    price: float | None


FADING = 0.9  # what each earlier act of a kind counts of the next


def profile_of(query: Query, knowledge: Knowledge) -> Profile | None:
    """What the shopper's recent acts say; None: nothing. Kept while neither the shopper nor the catalog changes."""
    if query.user is None:
        return None
    return knowledge.of_shopper(
        "profile", query.user, query.shopper, lambda: _profile(query, knowledge)
    )


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
