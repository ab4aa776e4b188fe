"""
What is kept by tracker: made once, renewed with later shops, let go with all that belongs to it.
"""

import gc
import threading
import weakref
from collections.abc import Sequence

from endcap.by_tracker import ByTracker, Derived
from endcap.domain import Micros, TrackerId
from endcap.engine.snapshot import Snapshot
from endcap.finders import Finders
from endcap.recommend.recommenders import Recommenders
from endcap.rosters import Rosters
from endcap.shops import Shop
from endcap.store.states import TrackerRow
from tests.engine import scenes

A, B, C = (TrackerId(each) for each in "abc")
ITEMS = [{"identity": each, "type": "item", "fields": {"title": each}} for each in ("/p/1", "/p/2")]


def shop_of(tracker: TrackerId, revision: int = 1) -> Shop:
    made = scenes.snapshot_of(ITEMS, ())
    snapshot = Snapshot(revision, made.rules, made.catalog)
    row = TrackerRow(tracker, "", 1, (), None, Micros(0))
    return Shop(tracker, row, (), snapshot, Recommenders.of(snapshot.catalog))


class Names(Derived[Sequence[str]]):
    """What was asked for, in its order; `pause` is waited for by who makes one."""

    def __init__(self, trackers_max: int = 2) -> None:
        super().__init__(trackers_max)
        self.begun = threading.Semaphore(0)
        self.pause = threading.Event()
        self.pause.set()

    def made(self, shop: Shop) -> Sequence[str]:
        self.begun.release()
        self.pause.wait()
        return [f"made of {shop.revision}"]

    def renewed(self, before: Sequence[str], shop: Shop) -> Sequence[str]:
        return [*before, f"renewed with {shop.revision}"]


def test_it_is_made_once_and_renewed_from_then_on() -> None:
    """Each tracker's own."""
    names = Names()

    names.of(shop_of(A, 1))
    names.of(shop_of(B, 7))

    assert names.of(shop_of(A, 3)) == ["made of 1", "renewed with 3"]
    assert names.of(shop_of(B, 8)) == ["made of 7", "renewed with 8"]


def test_who_comes_with_an_older_shop_gets_what_a_newer_one_made() -> None:
    """A request that was held up does not turn it back."""
    names = Names()
    newer = names.of(shop_of(A, 5))

    assert names.of(shop_of(A, 4)) is newer


def test_many_who_ask_at_once_have_it_made_once() -> None:
    """The others wait for the first; who asks for another tracker does not."""
    names = Names()
    names.pause.clear()
    found: list[Sequence[str]] = []

    def ask(tracker: TrackerId) -> None:
        found.append(names.of(shop_of(tracker)))

    threads = [threading.Thread(target=ask, args=(each,)) for each in (A, A, A, B)]
    for thread in threads:
        thread.start()
    for _ in (A, B):
        names.begun.acquire()
    names.pause.set()
    for thread in threads:
        thread.join()

    assert not names.begun.acquire(blocking=False)
    assert len(found) == len(threads)


def test_the_one_asked_about_longest_ago_is_let_go() -> None:
    """To be made anew when it is asked about again; a look at what is known is not asking."""
    held: ByTracker[str] = ByTracker(2)
    for each in (A, B):
        held.of(each).value = f"that of {each}"
    held.of(A)
    held.known(B)

    held.of(C).value = "that of c"

    assert [held.known(each) for each in (A, B, C)] == ["that of a", None, "that of c"]
    assert held.of(B).value is None


def test_a_lock_goes_with_what_it_guards() -> None:
    """Whoever asks about ever new trackers leaves nothing behind."""
    held: ByTracker[str] = ByTracker(2)
    locks = [weakref.ref(held.of(TrackerId(str(number))).lock) for number in range(20)]

    gc.collect()

    assert [lock() is not None for lock in locks] == [False] * 18 + [True] * 2


def test_finders_and_rosters_are_bounded() -> None:
    """The same one while it is asked for, another one after it was let go."""
    shops = [shop_of(each) for each in (A, B, C)]
    for each in (Finders(2), Rosters(2)):
        first = each.of(shops[0])
        assert each.of(shops[0]) is first

        for shop in shops[1:]:
            each.of(shop)

        assert each.of(shops[0]) is not first
