"""
Strategies that look at one user: what they saw, bought, may buy again, and what goes with all that.

What a user did comes from two places: the histories of the last build, and the acts of the last minutes to weeks that
are in memory. A user of whom neither knows anything gets no ranking here; the model's fallback answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import exp2, log2
from typing import Annotated, Literal

from msgspec import Meta, Struct
from pyroaring import BitMap

from endcap.domain import Micros
from endcap.recommend.attributes import texts
from endcap.recommend.knowledge import Knowledge
from endcap.recommend.strategies.common import (
    SPARE,
    Bought,
    Query,
    Share,
    allowed_in,
    bought_by,
    numbers_in,
    offered_in,
    take,
)
from endcap.recommend.strategies.similar import Similar
from endcap.recommend.strategies.together import Power, bought_with

ACTS_USED = 10  # latest items that speak for a user
_LIKE = Similar()


class Seen(Struct, frozen=True, tag="seen", tag_field="kind"):
    """What the user looked at or clicked, the latest first."""

    exclude_bought: Annotated[
        bool, Meta(description="Whether what they ordered meanwhile is left out.")
    ] = True

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        allowed = allowed_in(query, knowledge)
        had = _had(query, knowledge) if self.exclude_bought else frozenset()
        return [number for number in _seen(query) if number in allowed and number not in had]


class BoughtBefore(Struct, frozen=True, tag="bought_before", tag_field="kind"):
    """What the user ordered, the latest first."""

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        allowed = allowed_in(query, knowledge)
        bought = (each.number for each in bought_by(query, knowledge))
        return [number for number in bought if number in allowed]


class DueAgain(Struct, frozen=True, tag="due_again", tag_field="kind"):
    """
    What the user is likely to order again: of what they ordered n times, m days apart in the mean and e days ago, those
    with the highest log2(1 + n) * (1 - 2^-r²) * 2^(-max(0, r - 1) / patience), where r = e / m. Just bought is not due,
    after the usual interval half due, and who let many intervals pass has probably stopped. What was ordered once has
    no interval: it follows, the latest first.
    """

    patience: Annotated[
        Annotated[float, Meta(ge=0.1, le=100)],
        Meta(
            description="After how many intervals beyond the first the hope for another order halves."
        ),
    ] = 4.0
    times_min: Annotated[
        Annotated[int, Meta(ge=1, le=100)],
        Meta(description="How often an item must have been ordered to be thought of."),
    ] = 1

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        allowed = allowed_in(query, knowledge)
        bought = [
            each
            for each in bought_by(query, knowledge)
            if each.number in allowed and each.times >= self.times_min
        ]
        again = sorted(
            (each for each in bought if each.times > 1),
            key=lambda each: self.minus_due(each, query.now),
        )
        once = (each for each in bought if each.times == 1)
        return [each.number for each in (*again, *once)]

    def minus_due(self, bought: Bought, now: Micros) -> float:
        """How little an item is due: the negative of the formula above."""
        interval = max(1.0, bought.span_days / (bought.times - 1))
        passed = bought.age_days(now) / interval
        hope = exp2(-max(0.0, passed - 1) / self.patience)
        return -log2(1 + bought.times) * (1 - exp2(-passed * passed)) * hope


class ForUser(Struct, frozen=True, tag="for_user", tag_field="kind"):
    """
    What goes with what the user did lately; the latest counts most. Where orders do not tell enough, what is like the
    latest.
    """

    acts: Annotated[
        Literal["clicked", "ordered"],
        Meta(
            description="What speaks: orders, or what was clicked (seen, where nothing was) and not bought."
        ),
    ] = "ordered"
    fading: Annotated[Share, Meta(description="What each earlier item counts of the next.")] = 0.8
    exclude_bought: Annotated[bool, Meta(description="Whether what they ordered is left out.")] = (
        True
    )
    cheaper: Annotated[Power, Meta(description="As in `bought_together`.")] = 0.0

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        if query.user is None:
            return ()
        if query.available is not None:
            return self._ranked(query, knowledge)
        asked = (self, tuple(query.items), query.context, query.count)
        return knowledge.of_shopper(
            asked, query.user, query.shopper, lambda: self._ranked(query, knowledge)
        )

    def _ranked(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        had = _had(query, knowledge)
        if self.acts == "ordered":
            speaking: Iterable[int] = had
        else:
            clicked = numbers_in(query.shopper.clicked, query) or _seen(query)
            speaking = (number for number in clicked if number not in had)
        latest = take(dict.fromkeys((*query.items, *speaking)), ACTS_USED)
        if not latest or (len(latest) == len(query.items) and not had):
            return ()
        excluded = {*latest, *(had if self.exclude_bought else ())}
        return self._going_with(latest, excluded, query, knowledge)

    def _going_with(
        self, latest: Sequence[int], excluded: set[int], query: Query, knowledge: Knowledge
    ) -> list[int]:
        allowed, count = allowed_in(query, knowledge), query.count + SPARE
        related = bought_with(latest, allowed, knowledge, cheaper=self.cheaper, fading=self.fading)
        found = take((number for number in related if number not in excluded), count)
        if len(found) < query.count and (self.acts == "clicked" or not found):
            alike = self._like(latest, allowed, query, knowledge)
            known = {*found, *excluded}
            found += [number for number in alike if number not in known][: count - len(found)]
        return found

    def _like(
        self, latest: Sequence[int], allowed: BitMap, query: Query, knowledge: Knowledge
    ) -> list[int]:
        """What is like the latest of them."""
        item, count = latest[0], query.count + SPARE

        def like() -> list[int]:
            return _LIKE.like([item], allowed, count, knowledge)

        if query.available is not None:
            return like()
        return knowledge.kept((_LIKE, (item,), query.context, count), like)


class TopCategories(
    Struct, frozen=True, tag="top_categories", tag_field="kind", omit_defaults=True
):
    """
    The categories that the user dealt with most: an ordered item counts 3, a clicked one 2, one that was seen 1, each
    `fading` times the one after it. Returns categories, which must be objects of the catalog; an item belongs to
    those whose titles its own categories have.
    """

    fading: Annotated[Share, Meta(description="What each earlier act counts of the next.")] = 0.9

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        weights: dict[str, float] = {}
        for number, weight in acts_of(query, knowledge, fading=self.fading).items():
            for title in texts(query.catalog.attributes(number).get("category")):
                weights[title] = weights.get(title, 0.0) + weight
        offered = offered_in(query, "category")
        best = sorted(weights, key=lambda title: (-weights[title], title))
        return [
            number
            for title in best
            for number in knowledge.attributes.categories(title)
            if number in offered
        ]


def acts_of(query: Query, knowledge: Knowledge, *, fading: float) -> Mapping[int, float]:
    """What the user did lately, weighed: 3 for an order, 2 for a click, 1 for a view, fading with each earlier one."""
    weights: dict[int, float] = {}
    kinds = (
        (3.0, _had(query, knowledge)),
        (2.0, numbers_in(query.shopper.clicked, query)),
        (1.0, numbers_in(query.shopper.viewed, query)),
    )
    for weight, numbers in kinds:
        for number in take(numbers, ACTS_USED):
            weights[number] = weights.get(number, 0.0) + weight
            weight *= fading
    return weights


def _had(query: Query, knowledge: Knowledge) -> dict[int, None]:
    """What the user ordered, the latest first."""
    return dict.fromkeys(each.number for each in bought_by(query, knowledge))


def _seen(query: Query) -> list[int]:
    """What the user viewed or clicked, the latest first."""
    shopper = query.shopper
    if not shopper.clicked:
        return numbers_in(shopper.viewed, query)
    times = dict(shopper.viewed)
    for item, at in shopper.clicked:
        times[item] = max(at, times.get(item, at))
    number = query.catalog.number
    latest = sorted(times, key=lambda item: (-times[item], item))
    return [known for item in latest if (known := number(item)) is not None]
