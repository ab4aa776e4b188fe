"""
Which recommender a model's name on the wire means: the reference names, as data.

Shops number their recommenders (`basket_2`); a numbered name means its stem, unless the table knows it itself.
"""

import re
from collections.abc import Mapping

from endcap.recommend.strategies import (
    Alternatives,
    AnyStrategy,
    BoughtBefore,
    BoughtTogether,
    Discounted,
    ForUser,
    Newest,
    Popular,
    PopularIn,
    Randomly,
)

Models = Mapping[str, AnyStrategy]

REFERENCE: Models = {
    "test_reco": Popular(),
    "item_detail_alternatives": Alternatives(),
    "item_detail_complements": BoughtTogether(table="page"),
    "basket": BoughtTogether(),
    "basket_popup": BoughtTogether(),
    "trends": Popular(),
    "bestsellers": Popular(),
    "news": Newest(),
    "discount": Discounted(),
    "category": PopularIn("category"),
    "brand": PopularIn("brand"),
    "last_seen": Popular(),  # nothing tells us what was seen before shopper events are kept
    "recently_ordered": BoughtBefore("latest"),
    "favorites": BoughtBefore("commonest"),
    "user_click_based": ForUser(),  # from purchases, as long as clicks are not kept
    "user_conversion_based": ForUser(),
    "random": Randomly(),
}

_NUMBERED = re.compile(r"(.+)_\d+")


def stem(model: str, models: Models = REFERENCE) -> str | None:
    """The name in the table that a model's name means; None: the table does not know it."""
    if model in models:
        return model
    numbered = _NUMBERED.fullmatch(model)
    return numbered[1] if numbered and numbered[1] in models else None
