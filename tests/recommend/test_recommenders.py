"""
Recommenders: names, versions, and what stays true while the catalog changes.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.domain import CatalogObject, ItemId
from endcap.engine.catalog import Catalog
from endcap.engine.place import Eligibility, Scene, place
from endcap.recommend.artifact import NOTHING_BUILT, Artifact
from endcap.recommend.models import REFERENCE
from endcap.recommend.recommenders import Recommenders
from tests.recommend import test_strategies
from tests.recommend.shelf import NOW, artifact, names, query, thing

DOCUMENTED = [
    "test_reco",
    "item_detail_alternatives",
    "item_detail_complements",
    "basket",
    "basket_popup",
    "trends",
    "bestsellers",
    "news",
    "discount",
    "category",
    "brand",
    "last_seen",
    "recently_ordered",
    "favorites",
    "user_click_based",
    "user_conversion_based",
    "random",
    "random_news",
    "news_by_label",
    "discount_by_label",
    "item_detail_visual_alternatives",
    "top_categories",
    "article_items",
    "article_articles",
]


OTHER_TYPES = ("top_categories", "article_articles")


def test_the_reference_names_are_those_of_the_wire() -> None:
    """Every documented model works without set-up, and no other."""
    assert sorted(REFERENCE) == sorted(DOCUMENTED)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("basket", "basket"),
        ("basket_2", "basket"),
        ("item_detail_complements_17", "item_detail_complements"),
        ("basket_popup_1", "basket_popup"),
        ("test_reco", "test_reco"),
    ],
)
def test_a_numbered_name_means_its_stem(model: str, name: str) -> None:
    """Shops number their recommenders; the answer names the stem."""
    found = Recommenders.of(Catalog.of([])).find(model)

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("model", ["", "cart", "basket_", "basket_x", "basket_2_3", "_2", "Basket"])
def test_an_unknown_name_means_nothing(model: str) -> None:
    """The caller decides what an unknown model is answered with."""
    assert Recommenders.of(Catalog.of([])).find(model) is None


def test_versions_are_the_artifacts() -> None:
    """The wire's version fields come from what was built, and say so when nothing was."""
    bare = Recommenders.of(Catalog.of([]))
    built = Recommenders.of(Catalog.of([]), artifact({}, {"a": 1.5}))

    assert (bare.model_version, bare.version) == (None, NOTHING_BUILT)
    assert (built.model_version, built.version) == (NOW // 1_000_000, "b0123abcd")
    assert built.scores["a"] == 1.5


@pytest.mark.parametrize("model", [each for each in DOCUMENTED if each not in OTHER_TYPES])
@pytest.mark.parametrize("learned", [Artifact.empty(), test_strategies.LEARNED])
def test_every_model_fills_an_answer(model: str, learned: Artifact) -> None:
    """Whatever was built and whoever asks, the answer has as many items as there are to show."""
    catalog = Catalog.of(test_strategies.SHOP, learned.scores)
    recommender = Recommenders.of(catalog, learned).find(model)
    assert recommender is not None
    eligible = Eligibility(catalog, now=NOW, inputs=["stratocaster"])

    ranking = recommender.rank(query(catalog, ["stratocaster"], user="ann", count=9))
    placement = place(catalog, Scene((), ranking, eligible, 9, NOW))

    assert len(placement.shown) == 9


def test_a_window_opens_without_a_change() -> None:
    """An item with hours of its own is a candidate all the time; placement asks the clock."""
    objects = [
        thing("a"),
        CatalogObject(
            ItemId("b"),
            "item",
            None,
            b'{"identity":"b","type":"item","active_from":"2030-01-01","fields":{"title":"b"}}',
        ),
    ]
    catalog = Catalog.of(objects)
    recommender = Recommenders.of(catalog).find("trends")
    assert recommender is not None

    assert names(catalog, recommender.rank(query(catalog)).primary) == ["a", "b"]


def test_what_left_the_catalog_says_nothing_any_more() -> None:
    """A purchase of what was removed while the server ran counts as little as after a start."""
    learned = artifact({"gone": {"strap": 0.5}}, histories={"ann": {"gone": 1}})
    catalog = Catalog.of([thing("gone"), thing("strap")])
    before = Recommenders.of(catalog, learned).warm()
    catalog = catalog.changed({ItemId("gone"): None})

    recommender = before.with_catalog(catalog).find("user_click_based")

    assert recommender is not None
    assert list(recommender.rank(query(catalog, user="ann")).primary) == []


changes = st.lists(
    st.dictionaries(
        test_strategies.identities.map(ItemId),
        st.none() | st.sampled_from(["item", "item", "category"]),
        max_size=4,
    ),
    max_size=4,
)


@settings(max_examples=40)
@given(
    objects=test_strategies.objects,
    learned=test_strategies.artifacts,
    changes=changes,
    own=test_strategies.fields,
    warm=st.booleans(),
)
def test_following_a_catalog_is_starting_over_with_it(
    objects: list[CatalogObject],
    learned: Artifact,
    changes: list[dict[ItemId, str | None]],
    own: dict[str, Any],
    *,
    warm: bool,
) -> None:
    """After any history `with_catalog` ranks as `of` does, although it kept what it could."""
    catalog = Catalog.of(objects, learned.scores)
    followed = Recommenders.of(catalog, learned)
    for step in changes:
        if warm:
            for model in REFERENCE:
                recommender = followed.find(model)
                assert recommender is not None
                recommender.rank(query(catalog, ["i1", "i2"], user="ann"))
        catalog = catalog.changed(
            {
                identity: None if kind is None else thing(identity, type=kind, **own)
                for identity, kind in step.items()
            }
        )
        followed = followed.with_catalog(catalog)
    fresh = Recommenders.of(catalog, learned).warm()

    for model in REFERENCE:
        for items in ((), ("i1",), ("i1", "i2", "i3")):
            one, other = followed.find(model), fresh.find(model)
            assert one is not None
            assert other is not None
            expected = other.rank(query(catalog, items, user="ann"))
            assert list(one.rank(query(catalog, items, user="ann")).primary) == list(
                expected.primary
            ), model
