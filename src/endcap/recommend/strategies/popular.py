"""
Strategies that need no input: what is popular, new, reduced, or drawn by lot.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from endcap.criteria import AnyOf, Rule, Some
from endcap.domain import Micros
from endcap.engine.catalog import ITEM_TYPES, Catalog
from endcap.recommend.attributes import CATEGORIES, in_category, texts
from endcap.recommend.knowledge import Knowledge
from endcap.recommend.strategies.common import (
    DAY,
    SPARE,
    Query,
    Share,
    allowed_in,
    one_of,
    take,
    topped_up,
)

_SPARE_RANDOM = 30  # a draw costs a microsecond; the inputs and a neighbouring answer may take some

_LOTS_MAX = 1_000  # of a long list of new items that many take part, themselves drawn

Span = Literal["decayed", "recent", "rise"]


class Popular(Struct, frozen=True, tag="popular", tag_field="kind"):
    """What is ordered most, over a span of time."""

    span: Annotated[
        Span,
        Meta(
            description="`decayed`: an order counts half after 7 days; `recent`: those of the last 14 days; "
            "`rise`: what gains on the time before. What does neither follows as `decayed` has it."
        ),
    ] = "decayed"

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        count = query.count + SPARE
        if self.span != "decayed" and (over := knowledge.popular_over(self.span)) is not None:
            allowed = allowed_in(query, knowledge)

            def first() -> list[int]:
                sold = over.first(count, allowed)
                return topped_up(sold, knowledge.catalog.popular(allowed), count)

            if query.available is not None:
                return first()
            return knowledge.kept((self, query.context, count), first)
        if query.available is not None:
            return take(knowledge.catalog.popular(allowed_in(query, knowledge)), count)
        if query.context is None:
            return knowledge.first_leaders(count)
        return _popular_among(query.context, query, knowledge)


class Labelled(Struct, frozen=True, tag="labelled", tag_field="kind"):
    """
    The most popular of those with a label: a field of that name that is true, or the label among an attribute's texts.
    """

    label: Annotated[
        str, Meta(min_length=1, max_length=100, description="The label, such as `is_new`.")
    ]
    attributes: Annotated[
        Annotated[
            tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...], Meta(max_length=10)
        ],
        Meta(description="Where labels are looked for, beside a field with the label's own name."),
    ] = ("label", "labels", "_label", "_labels")

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        return _popular_among(_labelled(self.label, self.attributes), query, knowledge)


def _labelled(label: str, attributes: Sequence[str]) -> Rule:
    own = AnyOf(label, (("flag", True), ("number", 1.0), ("text", "1"), ("text", "true")))
    return Some((own, *(one_of(attribute, [label]) for attribute in attributes)))


def _popular_among(rule: Rule, query: Query, knowledge: Knowledge) -> list[int]:
    """The popular matches of a rule that may be shown: those at hand, and if these may not do, further ones."""
    matches = knowledge.catalog.matches(rule)
    allowed = allowed_in(query, knowledge)
    found = [number for number in matches.leaders if number in allowed]
    if len(found) < query.count + len(query.items) and len(matches) > len(matches.leaders):
        within = matches.items & allowed
        return take(knowledge.catalog.popular(within), query.count + SPARE)
    return found


class Newest(Struct, frozen=True, tag="newest", tag_field="kind"):
    """
    The latest introduced. Freshness halves in `half_life_days`, and popularity may make up for some of it: the score is
    0.5 ^ (age / half_life_days) * (1 + popularity * p), p from 0 (nobody orders it) to 1 (the most popular).
    """

    half_life_days: Annotated[
        float, Meta(ge=0.1, le=3_650, description="After how many days an item is half as fresh.")
    ] = 30.0
    popularity: Annotated[
        float,
        Meta(ge=0, le=10, description="How much popularity makes up for age; 0: the date alone."),
    ] = 0.0

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        count = query.count + SPARE
        fresh = knowledge.freshest(self.half_life_days, self.popularity)

        def first() -> list[int]:
            return fresh.first(count, allowed_in(query, knowledge))

        if query.available is not None:
            return first()
        return knowledge.kept((self, query.context, count), first)


class Discounted(Struct, frozen=True, tag="discounted", tag_field="kind"):
    """The largest share off the old price."""

    share_min: Annotated[Share, Meta(description="Less is not worth a mention.")] = 0.0

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        count = query.count + SPARE

        def first() -> list[int]:
            found = knowledge.attributes.discounted.first(count, allowed_in(query, knowledge))
            if not self.share_min:
                return found
            return [n for n in found if knowledge.attributes.share_off(n) >= self.share_min]

        if query.available is not None:
            return first()
        return knowledge.kept((self, query.context, count), first)


class PopularIn(Struct, frozen=True, tag="popular_in", tag_field="kind"):
    """The most popular of the inputs' category or brand. An input is an item, or the category or brand itself."""

    of: Annotated[Literal["category", "brand"], Meta(description="Of which of the two.")] = (
        "category"
    )

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        rules = [rule for item in query.items if (rule := self._rule(item, knowledge.catalog))]
        if not rules:
            return ()
        return _popular_among(rules[0] if len(rules) == 1 else Some(tuple(rules)), query, knowledge)

    def _rule(self, item: int, catalog: Catalog) -> Rule | None:
        attributes = catalog.attributes(item)
        if catalog.item(item).type not in ITEM_TYPES:  # the category or brand itself
            name = str(attributes.get("title", ""))
            return in_category(name) if self.of == "category" else one_of("brand", [name])
        for attribute in CATEGORIES if self.of == "category" else ("brand",):
            if names := texts(attributes.get(attribute)):
                return one_of(attribute, names)
        return None


class Randomly(Struct, frozen=True, tag="random", tag_field="kind"):
    """Any, all alike; or any of the new ones."""

    introduced_days: Annotated[
        Annotated[tuple[Annotated[int, Meta(ge=1, le=3_650)], ...], Meta(max_length=10)],
        Meta(
            description="Only items introduced in the last so many days; where these are too few, in the next number."
        ),
    ] = ()

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        inputs = set(query.items)
        if self.introduced_days:
            drawn = self._drawn_by_age(query, knowledge)
        else:
            allowed = allowed_in(query, knowledge)
            count = min(len(allowed), query.count + _SPARE_RANDOM)
            drawn = [allowed[place] for place in query.seed.sample(range(len(allowed)), count)]
        return [number for number in drawn if number not in inputs]

    def _drawn_by_age(self, query: Query, knowledge: Knowledge) -> list[int]:
        """Window by window: all that are drawn of one before any of the next."""
        drawn: list[int] = []
        allowed, known = allowed_in(query, knowledge), 0
        for days in self.introduced_days:
            since = Micros(query.now - days * DAY)
            introduced = knowledge.attributes.introduced_since(since)[known:]
            known += len(introduced)
            if len(introduced) > _LOTS_MAX:
                introduced = introduced[query.seed.sample(range(len(introduced)), _LOTS_MAX)]
            within = [number for number in introduced.tolist() if number in allowed]
            count = min(len(within), query.count + _SPARE_RANDOM - len(drawn))
            drawn += query.seed.sample(within, count)
            if len(drawn) >= query.count + len(query.items):
                break
        return drawn
