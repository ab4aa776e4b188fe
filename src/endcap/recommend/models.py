"""
Which recommender a model's name on the wire means: the reference names, as data.

Shops number their recommenders (`basket_2`); a numbered name means its stem, unless the table knows it itself.
"""

import re
from collections.abc import Collection, Mapping

from msgspec import Struct

from endcap.recommend.rerank import Personal, Variety
from endcap.recommend.strategies import (
    Alternatives,
    AnyStrategy,
    BoughtBefore,
    BoughtTogether,
    BoughtWithSimilar,
    Discounted,
    DueAgain,
    ForUser,
    Labelled,
    Newest,
    Popular,
    PopularIn,
    Randomly,
    Seen,
    Similar,
    TopCategories,
    returned_type,
)


class Model(Struct, frozen=True):
    """
    What one name means: a strategy, those that go on where it ends, and what is done to its ranking. After the last of
    them comes everything else by popularity. `personal` None: never fitted to a shopper.
    """

    strategy: AnyStrategy
    fallback: tuple[AnyStrategy, ...] = ()
    variety: Variety | None = None
    personal: Personal | None = Personal()

    @property
    def returned_type(self) -> str | None:
        """The type of objects it returns; None: items."""
        return returned_type(self.strategy)


Models = Mapping[str, Model]

_TRENDS = Popular("recent")
_SPREAD = Variety("category", most=4)
_COMPLEMENTS = (BoughtWithSimilar(), PopularIn("category"), _TRENDS)
_ALTERNATIVES = (
    BoughtTogether(cheaper=0.0, table="viewed"),
    Similar(),
    BoughtTogether(cheaper=0.0, table="page"),
    _TRENDS,
)

REFERENCE: Models = {
    "test_reco": Model(Popular(), personal=None),
    "item_detail_alternatives": Model(Alternatives(), _ALTERNATIVES),
    "item_detail_visual_alternatives": Model(
        Alternatives(dearer=1.0, looks=0.3, title=1.0), _ALTERNATIVES
    ),
    "item_detail_complements": Model(BoughtTogether(table="page"), _COMPLEMENTS, _SPREAD),
    "basket": Model(BoughtTogether(), _COMPLEMENTS, _SPREAD),
    "basket_popup": Model(BoughtTogether(cheaper=0.0), _COMPLEMENTS),
    "favorites": Model(DueAgain(), (ForUser(), _TRENDS), personal=None),
    "user_conversion_based": Model(ForUser("ordered"), (_TRENDS,)),
    "user_click_based": Model(ForUser("clicked"), (_TRENDS,)),
    "category": Model(PopularIn("category"), (_TRENDS,), Variety("brand", diversity=0.1)),
    "brand": Model(PopularIn("brand"), (_TRENDS,), Variety("category", diversity=0.1)),
    "top_categories": Model(TopCategories(), personal=None),
    "trends": Model(_TRENDS),
    "bestsellers": Model(Popular()),
    "news": Model(Newest()),
    "news_by_label": Model(Labelled("is_new"), (Newest(),)),
    "discount": Model(Discounted()),
    "discount_by_label": Model(Labelled("is_sale"), (Discounted(),)),
    "last_seen": Model(Seen(), (ForUser("clicked"), _TRENDS), personal=None),
    "recently_ordered": Model(BoughtBefore(), (ForUser(), _TRENDS), personal=None),
    "article_items": Model(Similar(), (_TRENDS,)),
    "article_articles": Model(Similar(of="article"), personal=None),
    "random": Model(Randomly(), personal=None),
    "random_news": Model(Randomly(introduced_days=(30, 60, 90)), (Newest(),), personal=None),
}

_NUMBERED = re.compile(r"(.+)_\d+")


def stem(model: str, models: Collection[str] = REFERENCE) -> str | None:
    """The name in the table that a model's name means; None: the table does not know it."""
    if model in models:
        return model
    numbered = _NUMBERED.fullmatch(model)
    return numbered[1] if numbered and numbered[1] in models else None
