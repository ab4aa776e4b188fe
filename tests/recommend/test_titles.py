"""
Titles alike: the words that weigh, and that following a catalog is starting over with it.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.domain import CatalogObject, ItemId
from endcap.engine.catalog import Catalog
from endcap.recommend.titles import Bounds, Titles, words_of
from tests.recommend.shelf import thing

WORDS = ["teacup", "green", "red", "Zürich", "door", "a", "24x"]
some_titles = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
catalogs = st.dictionaries(
    st.sampled_from([ItemId(name) for name in "abcdefgh"]), st.none() | some_titles, max_size=8
)


def objects(state: dict[ItemId, str | None]) -> dict[ItemId, CatalogObject | None]:
    return {
        identity: None if title is None else thing(identity, title=title)
        for identity, title in state.items()
    }


def test_words_are_folded_and_counted_once() -> None:
    """Case and repetition say nothing; a single letter is no word; words of any script are."""
    assert words_of("Tea TEA tea cup") == words_of("tea cup")
    assert words_of("a teacup") == words_of("Teacup!")
    assert len(words_of("Straße Čajník 24x48")) == 3


def test_a_rare_word_says_more_than_a_common_one() -> None:
    """Of two items that share one word each, the one with the rarer word is more alike."""
    catalog = Catalog.of(
        [
            thing("own", title="green teacup"),
            thing("cup", title="red teacup"),
            *(thing(f"green {n}", title="green door") for n in range(5)),
        ]
    )

    shares = Titles.of(catalog).shares(0, np.array([1, 2], dtype=np.int32))

    assert shares[0] > shares[1] > 0


def test_the_same_title_shares_all_of_it() -> None:
    """Equal titles are 1 alike, titles without a common word 0."""
    catalog = Catalog.of([thing("a", title="tea"), thing("b", title="tea"), thing("c", title="x1")])

    shares = Titles.of(catalog).shares(0, np.array([1, 2], dtype=np.int32))

    assert shares.tolist() == [1.0, 0.0]


def test_common_words_are_passed_over() -> None:
    """What more titles have than may be looked at finds nobody, so that a lookup is bounded."""
    held = [thing(f"i{n}", title="cup green" if n < 3 else "cup") for n in range(8)]

    index = Titles.of(Catalog.of([*held, thing("other")]), Bounds(postings_max=4))

    assert index.alike(0)[0].tolist() == [0, 1, 2]


@settings(max_examples=60)
@given(first=catalogs, changes=st.lists(catalogs, max_size=4))
def test_following_is_starting_over(
    first: dict[ItemId, str | None], changes: list[dict[ItemId, str | None]]
) -> None:
    """After any history of titles the index answers as a new one does."""
    catalog = Catalog.of(each for each in objects(first).values() if each is not None)
    followed = Titles.of(catalog)
    for change in changes:
        catalog = catalog.changed(objects(change))
        followed = followed.followed(catalog)
    fresh = Titles.of(catalog)

    everyone = np.arange(catalog.numbers_given, dtype=np.int32)
    for number in catalog.all_items:
        assert followed.alike(number)[0].tolist() == fresh.alike(number)[0].tolist()
        assert followed.shares(number, everyone).tolist() == fresh.shares(number, everyone).tolist()


def test_what_changed_most_is_made_anew() -> None:
    """Beyond its bound an index does not grow beside its arrays; it still answers the same."""
    catalog = Catalog.of([*(thing(f"i{n}", title="green teacup") for n in range(3)), thing("door")])
    index = Titles.of(catalog, Bounds(fresh_min=2))
    for n in range(10):
        catalog = catalog.changed({ItemId(f"i{n}"): thing(f"i{n}", title="red teacup")})
        index = index.followed(catalog)

    expected = [0, 1, 2, *range(4, 11)]
    assert index.alike(0)[0].tolist() == Titles.of(catalog).alike(0)[0].tolist() == expected
