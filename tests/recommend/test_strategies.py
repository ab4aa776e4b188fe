"""
Strategies: what each ranks, and what holds for all of them.
"""

import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from endcap import criteria
from endcap.domain import CatalogObject, ItemId
from endcap.engine.catalog import Catalog
from endcap.recommend.artifact import VIEWED_MAX, Artifact, no_table
from endcap.recommend.models import REFERENCE, Model
from endcap.recommend.recommenders import Recommenders
from endcap.recommend.shoppers import Shopper, Trail
from endcap.recommend.strategies import Discounted, Newest
from endcap.recommend.strategies.common import topped_up
from tests.recommend.shelf import NOW, artifact, names, query, thing

STRINGS = ("Guitars", "Strings")
SHOP = [
    thing("stratocaster", categories=["Guitars", "Electric"], brand="Fender", price_amount=900),
    thing("telecaster", categories=["Guitars", "Electric"], brand="Fender", price_amount=980),
    thing("les paul", categories=["Guitars", "Electric"], brand="Gibson", price_amount=2_000),
    thing("squier", categories=["Guitars", "Electric"], brand="Squier", price_amount=300),
    thing("martin", categories=["Guitars", "Acoustic"], brand="Martin", price_amount=950),
    thing("slinky", categories=STRINGS, brand="Ernie Ball", price_amount=8),
    thing("elixir", categories=STRINGS, brand="Elixir", price_amount=16),
    thing("strap", brand="Fender", price_amount=20, price_old_amount=40),
    thing("tuner", price="9,00 €", price_old="10,00 €", introduced_at="2026-03-01"),
    thing("pick", availability=0, introduced_at="2026-09-01", price_amount=1, price_old_amount=2),
    thing("sold out", categories=["Guitars", "Electric"], availability=0, price_amount=950),
    thing("capo", introduced_at="2026-01-01"),
    thing("Strings", type="category"),
]
LEARNED = artifact(
    {
        "stratocaster": {"slinky": 0.5, "strap": 0.4, "pick": 0.3, "gone": 0.9},
        "slinky": {"tuner": 0.35, "strap": 0.2, "stratocaster": 0.1},
    },
    {"slinky": 9, "strap": 8, "stratocaster": 7, "pick": 6, "elixir": 5},
    {"ann": {"slinky": 1, "stratocaster": 1, "elixir": 4, "gone": 9}},
)


def shop(
    objects: Sequence[CatalogObject] = SHOP, learned: Artifact = LEARNED
) -> tuple[Catalog, Recommenders]:
    catalog = Catalog.of(objects, learned.scores)
    return catalog, Recommenders.of(catalog, learned)


def ranked(model: str, *items: str, rule: Any = None, **others: Any) -> list[str]:
    """The primary ranking of the guitar shop, by identity."""
    catalog, recommenders = shop()
    context = None if rule is None else criteria.read(rule)
    recommender = recommenders.find(model)
    assert recommender is not None
    return names(
        catalog, recommender.rank(query(catalog, items, context=context, **others)).primary
    )


def test_popular_is_by_popularity() -> None:
    """Best sold first, the rest as the catalog has them, nothing that cannot be bought."""
    found = ranked("bestsellers")

    assert found[:4] == ["slinky", "strap", "stratocaster", "elixir"]
    assert set(found).isdisjoint({"pick", "sold out", "Strings"})
    assert len(found) == 10


def test_popular_obeys_the_context() -> None:
    """With a brand as context only that brand is ranked."""
    assert ranked("trends", rule={"brand": "Fender"}) == ["strap", "stratocaster", "telecaster"]


def test_an_availability_field_of_the_request_decides() -> None:
    """What the named field calls available is ranked, in spite of `availability`."""
    objects = [
        thing("a", availability=0, in_store=1),
        thing("b", availability=1, in_store=0),
        thing("c"),
    ]
    catalog, recommenders = shop(objects, artifact({}, {"a": 2, "b": 1}))
    available = catalog.available_by("in_store")
    recommender = recommenders.find("bestsellers")
    assert recommender is not None

    ranking = recommender.rank(query(catalog, available=available))

    assert names(catalog, ranking.primary) == ["a", "c"]


def test_an_availability_field_reaches_neighbours() -> None:
    """What only the named field calls available is bought together too."""
    objects = [thing("a"), thing("b", availability=0, in_store=1), thing("c", in_store=0)]
    catalog, recommenders = shop(objects, artifact({"a": {"b": 0.5, "c": 0.6}}))
    recommender = recommenders.find("basket")
    assert recommender is not None
    in_store = catalog.available_by("in_store")

    asked = [query(catalog, ["a"]), query(catalog, ["a"], available=in_store)]
    found = [names(catalog, recommender.rank(each).primary) for each in asked]

    assert found == [["c"], ["b"]]


def test_newest_is_by_date() -> None:
    """Only what has a date is news, the latest first."""
    assert ranked("news") == ["tuner", "capo"]


def test_discounts_are_by_share() -> None:
    """Half off comes before a tenth off; texts with currencies count as prices."""
    assert ranked("discount") == ["strap", "tuner"]


def test_alternatives_are_near_in_kind_and_price() -> None:
    """The narrowest category by price, slightly dearer first; then the wider category; then the brand."""
    found = ranked("item_detail_alternatives", "stratocaster")

    assert found[:3] == ["telecaster", "les paul", "squier"]
    assert found[3] == "martin"
    assert found[4:6] == ["elixir", "slinky"]
    assert found[6] == "strap"


def test_alternatives_without_category_or_brand_go_by_title_and_orders() -> None:
    """Where nothing says what an item is, its title may, then the orders: as fallback, which an answer can tell."""
    objects = [
        thing("a", title="green teacup"),
        thing("b"),
        thing("c"),
        thing("d", title="red teacup"),
        thing("e", title="green door"),
    ]
    learned = artifact({"a": {"c": 0.5}}, {"b": 9}).learned
    unseen = no_table(0, VIEWED_MAX)
    learned = replace(
        learned, viewed_neighbours=unseen.neighbours, viewed_affinities=unseen.affinities
    )
    catalog, recommenders = shop(objects, Artifact(learned, None))
    recommender = recommenders.find("item_detail_alternatives")
    assert recommender is not None

    ranking = recommender.rank(query(catalog, ["a"]))

    assert list(ranking.primary) == []
    assert names(catalog, ranking.fallback)[:4] == ["d", "e", "c", "b"]


def test_what_was_looked_at_on_the_same_day_comes_before_what_was_bought_together() -> None:
    """A shopper who looked at both chose between them; who bought both wanted both."""
    objects = [thing("a"), thing("b"), thing("c")]
    bought, viewed = artifact({"a": {"c": 0.5}, "b": {}}), artifact({"a": {"b": 0.1}, "c": {}})
    learned = replace(bought.learned, viewed_neighbours=viewed.learned.viewed_neighbours)
    catalog, recommenders = shop(objects, Artifact(learned, None))
    recommender = recommenders.find("item_detail_alternatives")
    assert recommender is not None

    assert names(catalog, recommender.rank(query(catalog, ["a"])).fallback)[:2] == ["b", "c"]


def test_bought_together_adds_up() -> None:
    """Two inputs that both point to the strap beat one that points to the tuner more strongly."""
    assert ranked("basket", "stratocaster") == ["slinky", "strap"]
    assert ranked("basket", "stratocaster", "slinky") == ["strap", "tuner"]


def test_of_equally_strong_ones_the_cheaper_is_preferred() -> None:
    """The price decides between neighbours of one strength, and only there."""
    objects = [
        thing("a", price_amount=100),
        thing("b", price_amount=400),
        thing("c", price_amount=10),
        thing("d", price_amount=400),
    ]
    catalog, recommenders = shop(objects, artifact({"a": {"b": 0.5, "c": 0.5, "d": 0.9}}))
    recommender = recommenders.find("basket")
    assert recommender is not None

    assert names(catalog, recommender.rank(query(catalog, ["a"])).primary) == ["d", "c", "b"]


def test_category_and_brand_are_popular_in_theirs() -> None:
    """The input says which: an item by its own, a category object by its title."""
    assert ranked("category", "elixir") == ["slinky", "elixir"]
    assert ranked("category", "Strings") == ["slinky", "elixir"]
    assert ranked("brand", "telecaster") == ["strap", "stratocaster", "telecaster"]
    assert ranked("category") == []


def test_labels_are_a_field_or_among_a_list() -> None:
    """Popular items with the label, however the shop tells it; a field that is false is none."""
    objects = [
        thing("a", is_new=1),
        thing("b", labels=["is_new", "green"]),
        thing("c", is_new=0),
        thing("d", _label="is_new"),
        thing("e"),
    ]
    catalog, recommenders = shop(objects, artifact({}, {"b": 3, "c": 2, "d": 1}))
    recommender = recommenders.find("news_by_label")
    assert recommender is not None

    assert names(catalog, recommender.rank(query(catalog)).primary) == ["b", "d", "a"]


def test_popularity_may_make_up_for_age() -> None:
    """At a half-life of a month a bestseller passes what is a week newer, if popularity is to count; else not."""
    objects = [
        thing("new", introduced_at="2026-10-20"),
        thing("older", introduced_at="2026-10-13"),
        thing("oldest", introduced_at="2025-10-13"),
    ]
    catalog, recommenders = shop(objects, artifact({}, {"older": 9, "oldest": 8}))
    by_date, weighed = (
        recommenders.with_models({"news": Model(strategy)}).find("news")
        for strategy in (Newest(), Newest(popularity=1.0))
    )
    assert by_date is not None
    assert weighed is not None

    assert names(catalog, by_date.rank(query(catalog)).primary) == ["new", "older", "oldest"]
    assert names(catalog, weighed.rank(query(catalog)).primary) == ["older", "new", "oldest"]


def test_random_news_widen_their_window() -> None:
    """All that is up to 30 days old comes before anything up to 60, that before 90; what is older is left out."""
    objects = [
        *(thing(f"young {n}", introduced_at=f"2026-10-{n:02}") for n in range(10, 13)),
        thing("two months", introduced_at="2026-09-10"),
        thing("three months", introduced_at="2026-08-10"),
        thing("a year", introduced_at="2025-11-01"),
    ]
    catalog, recommenders = shop(objects, Artifact.empty())
    recommender = recommenders.find("random_news")
    assert recommender is not None

    few, many = (
        names(catalog, recommender.rank(query(catalog, count=count)).primary) for count in (2, 9)
    )

    assert {each.partition(" ")[0] for each in few} == {"young"}
    assert sorted(many[:3]) == ["young 10", "young 11", "young 12"]
    assert many[3:] == ["two months", "three months"]


def test_a_discount_may_be_too_small() -> None:
    """With a least share the tenth off is no discount."""
    catalog, recommenders = shop()
    recommender = recommenders.with_models({"d": Model(Discounted(share_min=0.2))}).find("d")
    assert recommender is not None

    assert names(catalog, recommender.rank(query(catalog)).primary) == ["strap"]


def test_what_nobody_ordered_borrows_neighbours() -> None:
    """A new guitar has what went with guitars like it, as fallback."""
    objects = [*SHOP, thing("jazzmaster", categories=["Guitars", "Electric"], brand="Fender")]
    catalog, recommenders = shop(objects)
    recommender = recommenders.find("item_detail_complements")
    assert recommender is not None

    ranking = recommender.rank(query(catalog, ["jazzmaster"]))

    assert list(ranking.primary) == []
    assert names(catalog, ranking.fallback)[:2] == ["slinky", "strap"]
    assert ranking.fallback.stage(catalog.number("slinky")) == "bought_with_similar"  # type: ignore[attr-defined]


def test_users_get_their_own() -> None:
    """Ordered lately, ordered often, and what goes with both without what they have."""
    assert ranked("recently_ordered", user="ann") == ["slinky", "stratocaster", "elixir"]
    assert ranked("favorites", user="ann") == [
        "elixir",
        "slinky",
        "stratocaster",
    ]  # one again and again
    assert ranked("user_conversion_based", user="ann") == ["strap", "tuner"]


def test_strangers_are_left_to_the_fallback() -> None:
    """Nobody knows what a stranger likes: the ranking is empty and popularity fills the answer."""
    catalog, recommenders = shop()
    for model in ("recently_ordered", "favorites", "user_conversion_based"):
        recommender = recommenders.find(model)
        assert recommender is not None
        for user in (None, "eve"):
            ranking = recommender.rank(query(catalog, user=user))

            assert list(ranking.primary) == []
            assert names(catalog, ranking.fallback)[:3] == ["slinky", "strap", "stratocaster"]


def test_chance_comes_with_the_query() -> None:
    """The same seed draws the same items, and each of them can be drawn first."""
    draws = {ranked("random", seed=random.Random(seed))[0] for seed in range(100)}

    assert ranked("random", seed=random.Random(5)) == ranked("random", seed=random.Random(5))
    assert draws == set(ranked("trends"))


fields = st.fixed_dictionaries(
    {},
    optional={
        "brand": st.sampled_from(["x", "y"]),
        "price_amount": st.sampled_from([0, 1, 2.5, 100, -3, "12", "free"]),
        "price_old_amount": st.sampled_from([0, 2, 200, "13"]),
        "availability": st.sampled_from([0, 1, "0"]),
        "introduced_at": st.sampled_from(["2025-01-01", "2025-02-01T10:00:00Z", "soon"]),
    },
)
identities = st.sampled_from([f"i{n}" for n in range(12)])
objects = st.lists(
    st.builds(
        lambda identity, path, kind, own: thing(identity, categories=path, type=kind, **own),
        identities,
        st.lists(st.sampled_from("PQR"), max_size=3),
        st.sampled_from(["item", "item", "item", "product", "category", "article"]),
        fields,
    ),
    max_size=12,
    unique_by=lambda made: made.identity,
)
affinities = st.dictionaries(identities, st.sampled_from([0.125, 0.25, 0.5, 0.75]), max_size=4)
artifacts = st.builds(
    artifact,
    st.dictionaries(identities, affinities, max_size=6),
    st.dictionaries(identities, st.floats(0, 9), max_size=12),
    st.dictionaries(
        st.sampled_from(["ann", "bob"]), st.dictionaries(identities, st.integers(1, 9), max_size=5)
    ),
)
trails = st.dictionaries(identities.map(ItemId), st.integers(1, 9), max_size=4).map(
    lambda held: Trail(
        tuple(sorted(held, key=lambda item: (-held[item], item))),
        [NOW - 86_400_000_000 // each for each in sorted(held.values(), reverse=True)],
    )
)
shoppers = st.builds(Shopper, viewed=trails, clicked=trails, ordered=trails)
contexts = st.none() | st.sampled_from(
    [criteria.read({"brand": "x"}), criteria.read({"price_amount": {"values": ["1|50"]}})]
)


@pytest.mark.parametrize("model", sorted(REFERENCE))
@settings(max_examples=30)
@given(
    objects=objects,
    learned=st.just(Artifact.empty()) | artifacts,
    items=st.lists(identities, max_size=4, unique=True),
    user=st.none() | st.sampled_from(["ann", "eve"]),
    shopper=shoppers,
    personal=st.booleans(),
    context=contexts,
    count=st.integers(1, 50),
    by_field=st.booleans(),
)
def test_any_ranking_is_sound(
    model: str,
    objects: list[CatalogObject],
    learned: Artifact,
    items: list[str],
    user: str | None,
    shopper: Shopper,
    context: criteria.Rule | None,
    count: int,
    *,
    personal: bool,
    by_field: bool,
) -> None:
    """
    Distinct numbers that may be shown, within bounds, obeying the context; asked again it says the same; ranking and
    fallback together give each of them once and miss none.
    """
    catalog, recommenders = shop(objects, learned)
    recommender = recommenders.find(model)
    assert recommender is not None
    available = catalog.available_by("availability") if by_field else None

    def asked() -> Any:
        return recommender.rank(
            query(
                catalog,
                items,
                user=user,
                shopper=shopper,
                personal=personal,
                context=context,
                count=count,
                available=available,
            )
        )

    ranking, again = asked(), asked()
    primary = list(ranking.primary)

    assert all(type(number) is int for number in primary)
    assert len(set(primary)) == len(primary) <= count + 100
    kind = recommender.model.returned_type
    offered = catalog.offered if available is None else available
    allowed = set(offered if kind is None else catalog.offered_as(kind))
    if context is not None:
        allowed &= set(catalog.matches(context).items)
    assert set(primary) <= allowed
    if model in {"basket", "random"}:
        assert set(primary).isdisjoint(query(catalog, items).items)
    assert list(again.primary) == primary
    fallback = list(ranking.fallback)
    assert len(set(fallback)) == len(fallback)
    assert set(primary) | set(fallback) >= allowed
    if not model.startswith("random"):
        assert fallback == list(ranking.fallback)


def test_of_a_whole_catalog_no_more_is_read_than_is_needed() -> None:
    """What tops up a short ranking may be all there is, without an end."""
    further = itertools.count()

    assert topped_up([3, 1], further, 5) == [3, 1, 0, 2, 4]
    assert next(further) < 8
    assert topped_up([3, 1], iter(()), 5) == [3, 1]
    assert topped_up([3, 1], itertools.count(), 2) == [3, 1]
