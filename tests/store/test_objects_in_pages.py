"""
Walking the catalog page by page, and looking objects up by name.
"""

import random
from collections.abc import Sequence
from itertools import chain

from endcap.domain import ItemId, TrackerId
from endcap.store.port import Store
from endcap.store.writes import RemoveObjects
from tests.store.writes import NOON, committed, put, some_tracker, thing

LONG = "\N{GUITAR}" * 1_900
IDENTITIES = ["/p/1", "/p/10", "/p/2", "A", "a", "é", "\N{GUITAR}", "sha256:", *(LONG + x for x in "abc")]  # fmt: skip


def walk(
    store: Store, tracker: TrackerId, *, limit: int, types: Sequence[str] = ()
) -> list[list[str]]:
    """The identities of each page to the end."""
    pages: list[list[str]] = []
    after: ItemId | None = None
    while page := store.objects_after(tracker, after, types=types, limit=limit):
        pages.append([each.identity for each in page])
        after = page[-1].identity
    return pages


def test_a_walk_meets_every_object_once(store: Store, tracker: TrackerId) -> None:
    """Pages are full but for the last, identities of any script and length are in it, and so are their documents."""
    objects = [thing(each, each.encode(), generation="g") for each in IDENTITIES]
    committed(store, put(tracker, *objects))

    pages = walk(store, tracker, limit=4)

    assert [len(page) for page in pages] == [4, 4, 3]
    assert sorted(chain.from_iterable(pages)) == sorted(IDENTITIES)
    whole = store.objects_after(tracker, limit=100)
    assert sorted(whole, key=lambda each: each.identity) == sorted(
        objects, key=lambda each: each.identity
    )


def test_a_walk_keeps_to_its_tracker(store: Store, tracker: TrackerId) -> None:
    """A neighbour's objects are nowhere in it, and a tracker without any has no page."""
    other = some_tracker()
    committed(store, put(tracker, thing("/p/1"), thing("/p/3")))

    assert walk(store, other, limit=2) == []
    assert store.count_objects(other) == 0
    assert walk(store, tracker, limit=1) == [["/p/1"], ["/p/3"]]


def test_a_walk_of_some_types(store: Store, tracker: TrackerId) -> None:
    """Pages are as full as others, and their total is of these types."""
    types = ["item", "brand", "category"]
    committed(store, put(tracker, *(thing(f"/{n:02}", type=types[n % 3]) for n in range(12))))

    pages = walk(store, tracker, limit=3, types=["brand", "category"])

    assert [len(page) for page in pages] == [3, 3, 2]
    assert list(chain.from_iterable(pages)) == [f"/{n:02}" for n in range(12) if n % 3]
    assert store.count_objects(tracker) == 12
    assert store.count_objects(tracker, types=["brand", "category"]) == 8
    assert store.count_objects(tracker, types=["nothing's"]) == 0


def test_what_stays_is_met_once_whoever_writes_meanwhile(store: Store, tracker: TrackerId) -> None:
    """Between two pages objects come, go and change, also the one that the walk stands on."""
    chance = random.Random(5)
    staying = [f"/p/{n}" for n in range(0, 400, 2)]
    committed(store, put(tracker, *map(thing, staying)))
    met: list[str] = []
    after: ItemId | None = None
    passing: set[str] = set()

    while page := store.objects_after(tracker, after, limit=17):
        met += [each.identity for each in page]
        after = page[-1].identity
        gone = {each for each in {*passing, after} if chance.random() < 0.5}
        staying = [each for each in staying if each not in gone]
        new = {f"/p/{2 * chance.randrange(200) + 1}" for _ in range(5)} - passing
        passing = (passing | new) - gone
        committed(
            store,
            put(tracker, *(thing(each, b"new") for each in sorted(new))),
            put(tracker, *(thing(each, b"changed") for each in chance.sample(staying, 3))),
            RemoveObjects(tracker, {ItemId(each): "item" for each in sorted(gone)}, "f", NOON),
        )

    assert len(met) == len(set(met))
    assert set(staying) <= set(met)


def test_objects_are_found_by_name(store: Store, tracker: TrackerId) -> None:
    """Those that are there, each once, and more than one batch of them."""
    objects = {ItemId(each): thing(each, b"x") for each in (LONG, *map(str, range(2_500)))}
    committed(store, put(tracker, *objects.values()))
    wanted = [*objects, ItemId("nobody"), ItemId(LONG), ItemId("7")]

    assert store.objects_named(tracker, wanted) == objects
    assert store.objects_named(tracker, []) == {}
    assert store.objects_named(some_tracker(), wanted) == {}
