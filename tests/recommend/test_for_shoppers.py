"""
Strategies that look at one user: what memory and histories tell, together and apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from endcap.domain import ItemId, Micros
from endcap.engine.catalog import Catalog
from endcap.recommend.artifact import Artifact
from endcap.recommend.models import REFERENCE, Model
from endcap.recommend.recommenders import Recommenders
from endcap.recommend.shoppers import Shopper, Trail
from endcap.recommend.strategies import AnyStrategy, DueAgain, ForUser, Seen
from endcap.recommend.strategies.common import Bought
from tests.recommend.shelf import DAY, NOW, artifact, names, query, thing

SHOP = [
    thing("guitar", categories=["Guitars"], title="electric guitar"),
    thing("bass", categories=["Guitars"], title="electric bass"),
    thing("strings", categories=["Strings"], title="nickel strings"),
    thing("strap", categories=["Straps"], title="leather strap"),
    thing("tuner", categories=["Tuners"], title="tuner"),
    thing("pick", categories=["Picks"], title="pick", availability=0),
    thing("c1", type="category", title="Guitars"),
    thing("c2", type="category", title="Strings"),
    thing("c3", type="category", title="Straps", availability=0),
    thing("c4", type="category", title="Tuners"),
]
LEARNED = artifact(
    {"guitar": {"strap": 0.5, "strings": 0.4}, "strings": {"tuner": 0.3, "guitar": 0.2}},
    {"strings": 9, "guitar": 5, "tuner": 2},
    {"ann": {"strings": 1}},
)


def trail(items: Mapping[str, float] | None) -> Trail:
    """Items by days since."""
    ordered = sorted((items or {}).items(), key=lambda pair: pair[1])
    times = [round(NOW - days * DAY) for _, days in ordered]
    return Trail(tuple(ItemId(item) for item, _ in ordered), times)


def shopper(
    *,
    viewed: Mapping[str, float] | None = None,
    clicked: Mapping[str, float] | None = None,
    ordered: Mapping[str, float] | None = None,
) -> Shopper:
    return Shopper(trail(viewed), trail(clicked), trail(ordered))


def found(
    model: str | AnyStrategy,
    shopper: Shopper,
    *,
    user: str | None = "eve",
    items: Sequence[str] = (),
    learned: Artifact = LEARNED,
    **others: Any,
) -> list[str]:
    catalog = Catalog.of(SHOP, learned.scores)
    recommenders = Recommenders.of(catalog, learned)
    if not isinstance(model, str):
        recommenders, model = recommenders.with_models({"own": Model(model)}), "own"
    recommender = recommenders.find(model)
    assert recommender is not None
    asked = query(catalog, items, user=user, shopper=shopper, **others)
    return names(catalog, recommender.rank(asked).primary)


def test_last_seen_is_what_was_viewed_or_clicked_and_not_bought() -> None:
    """The latest first, whichever of the two it was; what cannot be bought any more is left out."""
    acts = shopper(
        viewed={"guitar": 3, "bass": 1, "pick": 0.5, "strings": 2, "gone": 0.1},
        clicked={"tuner": 0.2, "guitar": 0.3},
        ordered={"strings": 1},
    )

    assert found("last_seen", acts) == ["tuner", "guitar", "bass"]
    assert found(Seen(exclude_bought=False), acts) == ["tuner", "guitar", "bass", "strings"]


def test_last_seen_leaves_out_what_the_histories_know() -> None:
    """What was bought before the last build counts as bought."""
    acts = shopper(viewed={"guitar": 1, "strings": 2})

    assert found("last_seen", acts, user="ann") == ["guitar"]


def test_recently_ordered_joins_memory_and_histories() -> None:
    """An order of today comes before those of the build, and what is in both comes once."""
    acts = shopper(ordered={"guitar": 0, "strings": 30})

    assert found("recently_ordered", acts, user="ann") == ["guitar", "strings"]
    assert found("recently_ordered", shopper(), user="ann") == ["strings"]


def test_click_based_is_what_goes_with_clicks_then_what_is_like_them() -> None:
    """Neighbours of what was clicked and not bought; then items like it; never the clicked, never the bought."""
    acts = shopper(clicked={"guitar": 1, "strings": 2}, ordered={"strings": 1})

    assert found("user_click_based", acts) == ["strap", "bass"]


def test_without_clicks_views_speak() -> None:
    """A shop that sends only page views has click-based recommendations too."""
    assert found("user_click_based", shopper(viewed={"guitar": 1})) == ["strap", "strings", "bass"]


def test_conversion_based_is_what_goes_with_orders() -> None:
    """Of the latest orders, from either source, and without what they have unless that is wanted."""
    acts = shopper(ordered={"guitar": 1})

    assert found("user_conversion_based", acts, user="ann") == ["strap", "tuner"]
    assert found(ForUser(exclude_bought=False), shopper(), user="ann") == ["tuner", "guitar"]


def test_an_order_that_says_nothing_speaks_with_what_is_like_it() -> None:
    """Nobody ordered a bass with anything: what is like it answers."""
    assert found("user_conversion_based", shopper(ordered={"bass": 1})) == ["guitar"]


def test_top_categories_weigh_orders_over_views() -> None:
    """Categories that are objects of the catalog and offered; an order outweighs two views."""
    acts = shopper(viewed={"guitar": 1, "bass": 2, "strap": 3}, ordered={"strings": 9})

    assert found("top_categories", acts) == ["c2", "c1"]


def test_top_categories_go_on_with_what_sells() -> None:
    """Every category that may be shown is in the answer at last, those with popular items first."""
    catalog = Catalog.of(SHOP, LEARNED.scores)
    recommender = Recommenders.of(catalog, LEARNED).find("top_categories")
    assert recommender is not None

    ranking = recommender.rank(query(catalog))

    assert list(ranking.primary) == []
    assert [n for n in names(catalog, ranking.fallback) if n != "c3"] == ["c2", "c1", "c4"]


def due(strategy: DueAgain, **bought: tuple[float, float, int]) -> list[str]:
    """Items by what `DueAgain` thinks of them: days since the last order, days from the first to it, orders."""
    held = [
        (strategy.minus_due(Bought(0, Micros(NOW - round(age * DAY)), span, times), NOW), name)
        for name, (age, span, times) in bought.items()
    ]
    return [name for _, name in sorted(held)]


def test_what_is_usually_bought_by_now_is_due() -> None:
    """Each was ordered 4 times a month apart: after the interval it is due, before less so, else hardly."""
    strategy = DueAgain()

    assert due(
        strategy,
        just=(1, 90, 4),
        soon=(20, 90, 4),
        now=(40, 90, 4),
        lapsed=(900, 90, 4),
    ) == ["now", "soon", "lapsed", "just"]


def test_who_ordered_it_oftener_orders_it_again() -> None:
    """At the same point of the interval the count decides."""
    assert due(DueAgain(), twice=(30, 30, 2), often=(30, 270, 10)) == ["often", "twice"]


def test_patience_is_a_setting() -> None:
    """Who is patient still expects what is three intervals overdue before what was bought a week ago."""
    facts = {"overdue": (120.0, 90.0, 4), "week": (10.0, 90.0, 4)}

    assert due(DueAgain(patience=4), **facts)[0] == "overdue"
    assert due(DueAgain(patience=0.3), **facts)[0] == "week"


def test_a_new_order_postpones_the_next() -> None:
    """Strings ordered ten times a week apart are due, until an event tells that they were ordered today."""
    learned = artifact({}, histories={"ann": {"tuner": 2, "strings": 10}})

    assert found("favorites", shopper(), user="ann", learned=learned)[0] == "strings"
    acts = shopper(ordered={"strings": 0})
    assert found("favorites", acts, user="ann", learned=learned)[0] == "tuner"


@pytest.mark.parametrize(
    "model", ["last_seen", "recently_ordered", "favorites", "user_click_based", "top_categories"]
)
def test_a_stranger_has_no_ranking(model: str) -> None:
    """Nothing is made up for who did nothing; the fallback answers."""
    assert found(model, shopper(), user=None) == []
    assert found(model, shopper(), user="nobody") == []


@pytest.mark.parametrize("model", sorted(REFERENCE))
@pytest.mark.parametrize("user", [None, "eve", "ann"])
@pytest.mark.parametrize("items", [(), ("guitar",), ("c1",)])
@pytest.mark.parametrize("acts", ["nothing", "views", "all"])
def test_every_model_answers_everybody(
    model: str, user: str | None, items: tuple[str, ...], acts: str
) -> None:
    """Strangers, buyers of long ago who clicked nothing since, and whoever did everything; with and without inputs."""
    did = {
        "nothing": shopper(),
        "views": shopper(viewed={"bass": 1}),
        "all": shopper(viewed={"bass": 1}, clicked={"strap": 2}, ordered={"tuner": 3}),
    }[acts]
    catalog = Catalog.of(SHOP, LEARNED.scores)
    recommender = Recommenders.of(catalog, LEARNED).find(model)
    assert recommender is not None

    asked = query(catalog, items, user=user, shopper=did, personal=True)
    ranking = recommender.rank(asked)
    shown = dict.fromkeys([*ranking.primary, *ranking.fallback])

    wanted = recommender.returned_type or "item"
    there = {each for each in catalog.all_items if catalog.item(each).type == wanted}
    assert shown.keys() <= there
    if wanted == "item":
        offered = {"guitar", "bass", "strings", "strap", "tuner"} - set(items)
        assert offered <= set(names(catalog, shown))
