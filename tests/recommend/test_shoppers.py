"""
What is kept of shoppers: the latest of each kind, in bounds, whatever the order in which acts arrive.
"""

import threading
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from endcap.domain import ItemId, Micros
from endcap.recommend.shoppers import UNKNOWN, Act, Kind, Shoppers


def act(
    item: str, at: int, *, user: str = "ann", kind: Kind = "view", consent: bool | None = None
) -> Act:
    return Act(user, kind, ItemId(item), Micros(at), consent)


ACTS = st.lists(
    st.builds(
        Act,
        st.sampled_from(["ann", "bea"]),
        st.sampled_from(["view", "click", "order"]),
        st.sampled_from([ItemId(name) for name in "abcdefgh"]),
        st.integers(0, 9).map(Micros),
        st.sampled_from([None, True, False]),
    ),
    max_size=30,
)


def test_the_latest_comes_first() -> None:
    """Each kind keeps its own items, each once, by the time of its latest act."""
    shoppers = Shoppers()

    shoppers.note([act("a", 1), act("b", 2), act("a", 3), act("b", 4, kind="click")])
    shoppers.note([act("c", 2, kind="order")])

    shopper = shoppers.of("ann")
    assert list(shopper.viewed) == [("a", 3), ("b", 2)]
    assert list(shopper.clicked) == [("b", 4)]
    assert list(shopper.ordered) == [("c", 2)]


def test_what_arrives_late_takes_its_place_in_time() -> None:
    """An act that is told late stands where it would have stood, and an older one does not make an item older."""
    shoppers = Shoppers()
    shoppers.note([act("a", 10), act("b", 30)])

    shoppers.note([act("c", 20), act("b", 5)])

    assert list(shoppers.of("ann").viewed) == [("b", 30), ("c", 20), ("a", 10)]


def test_nothing_is_known_of_a_stranger() -> None:
    """Who never acted has empty trails and gave no consent."""
    shopper = Shoppers().of("nobody")

    assert shopper is UNKNOWN
    assert (len(shopper.viewed), len(shopper.clicked), len(shopper.ordered)) == (0, 0, 0)
    assert shopper.consent is None


def test_the_latest_word_on_consent_holds() -> None:
    """A withdrawal outlives an older agreement that is told after it; silence changes nothing."""
    shoppers = Shoppers()
    shoppers.note([act("a", 20, consent=False)])

    shoppers.note([act("b", 10, consent=True), act("c", 30)])
    assert shoppers.of("ann").consent is False

    shoppers.note([act("a", 40, consent=True)])
    assert shoppers.of("ann").consent is True


def test_of_two_words_at_one_instant_the_refusal_holds() -> None:
    """Whichever is told first."""
    one, other = Shoppers(), Shoppers()
    yes, no = act("a", 1, consent=True), act("a", 1, consent=False)

    one.note([yes])
    one.note([no])
    other.note([no])
    other.note([yes])

    assert one.of("ann").consent is False
    assert other.of("ann").consent is False


def test_who_acted_longest_ago_is_forgotten_first() -> None:
    """Over the bound of users the one whose last act was told first goes."""
    shoppers = Shoppers(users_max=2)
    shoppers.note([act("a", 1, user="ann"), act("a", 2, user="bea"), act("b", 3, user="ann")])
    shoppers.note([act("b", 4, user="ann")])

    shoppers.note([act("a", 5, user="cid")])

    assert len(shoppers) == 2
    assert shoppers.of("bea") is UNKNOWN
    assert shoppers.of("ann").viewed.items == ("b", "a")


def test_forgotten_is_forgotten() -> None:
    """Nothing is left of a user who asked for that; others stay; asking twice does no harm."""
    shoppers = Shoppers()
    shoppers.note([act("a", 1, user="ann", consent=True), act("a", 2, user="bea")])

    shoppers.forget("ann")
    shoppers.forget("ann")

    assert shoppers.of("ann") is UNKNOWN
    assert shoppers.of("bea").viewed.items == ("a",)


@given(ACTS, st.integers(1, 4))
def test_a_trail_holds_the_latest_of_each_item(acts: Sequence[Act], items_max: int) -> None:
    """Against the definition: the last act of each item, the latest items first, cut to the bound."""
    shoppers = Shoppers(items_max=items_max)

    shoppers.note(acts)

    views = [each for each in acts if (each.user, each.kind) == ("ann", "view")]
    latest = {each.item: max(v.at for v in views if v.item == each.item) for each in views}
    expected = sorted(latest.items(), key=lambda pair: (-pair[1], pair[0]))[:items_max]
    assert list(shoppers.of("ann").viewed) == expected


@given(ACTS, st.randoms(use_true_random=False), st.integers(1, 4))
def test_order_and_repetition_change_nothing(acts: Sequence[Act], chance, items_max: int) -> None:  # type: ignore[no-untyped-def] # Hypothesis gives its own kind of Random
    """One by one, shuffled, and half of them told twice: the same is known."""
    once, again = Shoppers(items_max=items_max), Shoppers(items_max=items_max)
    retold = [*acts, *acts[::2]]
    chance.shuffle(retold)

    once.note(acts)
    for each in retold:
        again.note([each])

    for user in ("ann", "bea"):
        one, other = once.of(user), again.of(user)
        assert list(one.viewed) == list(other.viewed)
        assert list(one.clicked) == list(other.clicked)
        assert list(one.ordered) == list(other.ordered)
        assert (one.consent, one.consent_at) == (other.consent, other.consent_at)


def test_one_may_note_while_others_read() -> None:
    """A reader meets whole shoppers only, and one who keeps acting is never missing."""
    shoppers = Shoppers(users_max=3, items_max=4)
    shoppers.note([act("0", 0)])
    faults: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            shopper = shoppers.of("ann")
            if not len(shopper.viewed):
                faults.append("missing")
            if list(shopper.viewed.times) != sorted(shopper.viewed.times, reverse=True):
                faults.append("out of order")

    reader = threading.Thread(target=read)
    reader.start()
    for at in range(1, 3_000):
        shoppers.note([act(str(at % 7), at), act("a", at, user=f"other {at % 5}")])
    done.set()
    reader.join()

    assert not faults
