"""
What models do to a ranking: variety for all, fitting to one shopper who agreed.
"""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.catalog import Catalog
from endcap.recommend.artifact import Artifact
from endcap.recommend.knowledge import Knowledge
from endcap.recommend.models import REFERENCE, Model
from endcap.recommend.recommenders import Recommenders
from endcap.recommend.rerank import Personal, Variety
from endcap.recommend.shoppers import Shopper
from endcap.recommend.strategies import Popular
from tests.recommend.shelf import artifact, names, query, thing
from tests.recommend.test_for_shoppers import shopper


def knowledge(kinds: Sequence[str]) -> Knowledge:
    """Items 0, 1, … of these categories; a dot is none."""
    held = [
        thing(f"{at:03}", **({} if kind == "." else {"category": kind}))
        for at, kind in enumerate(kinds)
    ]
    return Knowledge(Catalog.of(held), Artifact.empty())


def varied(kinds: str, variety: Variety) -> str:
    """The kinds of items 0, 1, … in the order that variety brings them in."""
    ranked = variety.applied(range(len(kinds)), knowledge(kinds))
    assert sorted(ranked) == list(range(len(kinds)))
    return "".join(kinds[number] for number in ranked)


def test_no_more_than_so_many_of_a_kind_among_the_first() -> None:
    """The third of a kind waits until the first places are given; after that the order is the old one."""
    assert varied("aaaabcab", Variety(most=2, among=4)) == "aabcaaab"


def test_what_is_of_no_kind_is_not_counted() -> None:
    """Items without a category may all be among the first."""
    assert varied("....aaa", Variety(most=1, among=5)) == "....aaa"


def test_a_kind_alone_fills_the_answer() -> None:
    """Where there is nothing else the bound gives way: no item is lost, none comes from elsewhere."""
    assert varied("aaaa", Variety(most=2, among=4)) == "aaaa"


def test_diversity_lets_others_pass() -> None:
    """At a tenth an item falls one place behind for each like it before: b, sixth, comes third."""
    assert varied("aaaaab", Variety(diversity=0.0)) == "aaaaab"
    assert varied("aaaaab", Variety(diversity=0.1)) == "aaabaa"
    assert varied("aaaaab", Variety(diversity=1.0)) == "abaaaa"


@given(st.text("abc.", max_size=80), st.integers(1, 5), st.integers(1, 20), st.floats(0, 1))
def test_variety_keeps_everything_and_its_bound(
    kinds: str, most: int, among: int, diversity: float
) -> None:
    """Nothing is added or lost; a kind exceeds its bound only where no other item was left to take the place."""
    ranked = varied(kinds, Variety(most=most, among=among, diversity=diversity))

    counts = Counter(each for each in ranked[:among] if each != ".")
    fits = sum(min(most, count) for count in Counter(kinds[:60].replace(".", "")).values())
    enough = fits + kinds[:60].count(".") >= among
    assert not enough or max(counts.values(), default=0) <= most


BRANDS = [
    *(thing(f"other {n}", brand="Other", category="Drums", price_amount=500) for n in range(5)),
    thing("own", brand="Fender", category="Guitars", price_amount=20),
    thing("seen", brand="Fender", category="Guitars", price_amount=25),
]
POPULAR = artifact({}, {f"other {n}": 10.0 - n for n in range(5)} | {"own": 4.0, "seen": 3.0})


def personal(model: Model, known: Shopper, *, consents: bool) -> list[str]:
    catalog = Catalog.of(BRANDS, POPULAR.scores)
    recommender = Recommenders.of(catalog, POPULAR, {"own": model}).find("own")
    assert recommender is not None
    asked = query(catalog, user="eve", shopper=known, personal=consents)
    return names(catalog, recommender.rank(asked).primary)


SEEN = shopper(viewed={"seen": 1})


def test_who_agreed_sees_their_own_sooner() -> None:
    """Brand, category and price of what was seen lately pull their like up; the rest keeps its order."""
    found = personal(Model(Popular()), SEEN, consents=True)

    assert found == ["other 0", "own", "other 1", "seen", "other 2", "other 3", "other 4"]


@pytest.mark.parametrize(
    ("model", "known", "consents"),
    [
        (Model(Popular()), SEEN, False),
        (Model(Popular(), personal=None), SEEN, True),
        (Model(Popular()), Shopper(), True),
        (Model(Popular(), personal=Personal(category=0, brand=0, price=0)), SEEN, True),
    ],
    ids=["no consent", "switched off", "nothing known", "no weight"],
)
def test_else_all_see_the_same(model: Model, known: Shopper, *, consents: bool) -> None:
    """Without consent, where the model does not fit its ranking, and for whom nothing is known of."""
    found = personal(model, known, consents=consents)

    assert found == [*(f"other {n}" for n in range(5)), "own", "seen"]


def test_reference_models_of_the_user_are_not_fitted_twice() -> None:
    """What a user saw or ordered comes in the order of time, whoever agreed to what."""
    for name in ("last_seen", "recently_ordered", "favorites", "random", "test_reco"):
        assert REFERENCE[name].personal is None
