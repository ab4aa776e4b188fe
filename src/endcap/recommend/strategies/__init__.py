"""
The ways to rank. A strategy is its settings; what it ranks with comes as `Knowledge`, what is asked for as a `Query`.

A strategy is pure: chance and the time are in the query, and the same query over the same knowledge gives the same
ranking. What it has no opinion on is left to the strategies that a model names as its fallback, and at last to
popularity, so that an answer can always be filled.

Another strategy is another struct with a tag and `rank`, joined to `AnyStrategy`; the table of models, its checks, the
commands and the documentation find it there. A setting's bounds are in its type, what it does is in the line below it.
"""

from endcap.recommend.strategies.common import SPARE, Query, Strategy
from endcap.recommend.strategies.elsewhere import External, Listed
from endcap.recommend.strategies.popular import (
    Discounted,
    Labelled,
    Newest,
    Popular,
    PopularIn,
    Randomly,
)
from endcap.recommend.strategies.shopper import (
    BoughtBefore,
    DueAgain,
    ForUser,
    Seen,
    TopCategories,
)
from endcap.recommend.strategies.similar import Alternatives, Similar
from endcap.recommend.strategies.together import BoughtTogether, BoughtWithSimilar

__all__ = [
    "SPARE",
    "Alternatives",
    "AnyStrategy",
    "BoughtBefore",
    "BoughtTogether",
    "BoughtWithSimilar",
    "Discounted",
    "DueAgain",
    "External",
    "ForUser",
    "Labelled",
    "Listed",
    "Newest",
    "Popular",
    "PopularIn",
    "Query",
    "Randomly",
    "Seen",
    "Similar",
    "Strategy",
    "TopCategories",
    "returned_type",
]

AnyStrategy = (
    Popular
    | Labelled
    | PopularIn
    | Newest
    | Discounted
    | Randomly
    | Alternatives
    | Similar
    | BoughtTogether
    | BoughtWithSimilar
    | Seen
    | BoughtBefore
    | DueAgain
    | ForUser
    | TopCategories
    | External
    | Listed
)


def returned_type(strategy: AnyStrategy) -> str | None:
    """The type of objects that a strategy returns; None: items."""
    match strategy:
        case TopCategories():
            return "category"
        case Similar(of="article"):
            return "article"
        case _:
            return None
