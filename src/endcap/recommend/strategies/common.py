"""
What all strategies share: the query, the protocol, and the small steps that most of them take.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Protocol

from msgspec import Meta, Struct
from pyroaring import BitMap

from endcap.criteria import AnyOf, Rule
from endcap.domain import Micros
from endcap.engine.catalog import Catalog
from endcap.recommend.attributes import LEVELS, texts
from endcap.recommend.knowledge import Knowledge
from endcap.recommend.shoppers import UNKNOWN, Shopper, Trail

SPARE = (
    100  # candidates beyond the count: inputs, blacklists and the page's other answers take some
)
DAY = 86_400_000_000

Share = Annotated[float, Meta(ge=0, le=1)]


class Query(Struct, frozen=True, kw_only=True):
    """
    What one object of a call asks for. `items` are the numbers of the input items that are in the catalog.

    `context` is a bound that placement will hold anyway; strategies obey it early. `available` is, where the request
    names an availability field of its own, what that field calls available (`Catalog.available_by`). `shopper` is what
    the user did lately, and `personal` whether the ranking may be fitted to that: only with consent. `brought` is what
    a recommender elsewhere answered, as identities, where the model asks one.
    """

    catalog: Catalog
    items: Sequence[int] = ()
    user: str | None = None
    shopper: Shopper = UNKNOWN
    personal: bool = False
    context: Rule | None = None
    count: int
    now: Micros
    seed: random.Random
    available: BitMap | None = None
    brought: Sequence[str] = ()


class Strategy(Protocol):
    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        """
        Candidates that it has a reason for: distinct numbers, best first, that may be shown as far as it can tell, and
        somewhat more than asked for, because placement drops some.
        """


def allowed_in(query: Query, knowledge: Knowledge) -> BitMap:
    return knowledge.allowed(query.context, query.available)


def offered_in(query: Query, type: str) -> BitMap:
    """The same of objects that are no items."""
    offered = query.catalog.offered_as(type)
    return (
        offered if query.context is None else offered & query.catalog.matches(query.context).items
    )


def take(numbers: Iterable[int], count: int) -> list[int]:
    return [number for number, _ in zip(numbers, range(count), strict=False)]


def topped_up(first: Sequence[int], further: Iterable[int], count: int) -> list[int]:
    """Some, and where these are too few others after them; of a whole catalog no more is read than is needed."""
    known = set(first)
    return [*first, *take((n for n in further if n not in known), count - len(first))]


def one_of(attribute: str, names: Sequence[str]) -> Rule:
    return AnyOf(attribute, tuple(("text", name) for name in names))


def kinships(attributes: Mapping[str, Any]) -> Iterable[Rule]:
    """What makes items alike, the narrowest first."""
    for attribute in (*LEVELS, "category", "brand"):
        if names := texts(attributes.get(attribute)):
            yield one_of(attribute, names)


def numbers_in(trail: Trail, query: Query) -> list[int]:
    """The numbers of a trail's items, the latest first, as far as they are in the catalog."""
    number = query.catalog.number
    return [known for item in trail.items if (known := number(item)) is not None]


class Bought(Struct, frozen=True):
    """What one user ordered of an item: when last, days between the first and the last time, how often."""

    number: int
    at: Micros
    span_days: float
    times: int

    def age_days(self, now: Micros) -> float:
        return max(0.0, (now - self.at) / DAY)


def bought_by(query: Query, knowledge: Knowledge) -> Sequence[Bought]:
    """
    What the user ordered and is in the catalog, the latest first: what the build learned, and what was ordered since.
    """
    if query.user is None:
        return ()
    return knowledge.of_shopper(
        "bought", query.user, query.shopper, lambda: _bought_by(query, knowledge)
    )


def _bought_by(query: Query, knowledge: Knowledge) -> Sequence[Bought]:
    found: dict[int, Bought] = {}
    if query.user is not None:
        there = query.catalog.all_items  # a translation may still know the number of what went
        for each in knowledge.bought(query.user):
            if each[0] in there:
                found[each[0]] = Bought(*each)
    number = query.catalog.number
    for item, at in query.shopper.ordered:
        known = number(item)
        if known is not None:
            before = found.get(known)
            if before is None:
                found[known] = Bought(known, at, 0.0, 1)
            elif at > before.at + _SAME_ORDER:
                span = before.span_days + (at - before.at) / DAY
                found[known] = Bought(known, at, span, before.times + 1)
    return sorted(found.values(), key=_age)


_SAME_ORDER = DAY  # an event and the order it became in the log may differ by hours


def _age(bought: Bought) -> int:
    return -bought.at
