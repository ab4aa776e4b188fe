"""
Writing the catalog: put, merge and remove.
"""

from collections.abc import Callable

import pytest

from endcap.domain import CatalogObject, ItemId, Merge, TrackerId
from endcap.errors import CatalogFault, TrackerNotFound
from endcap.store.port import Store
from endcap.store.writes import Committed, MergeObjects, RemoveObjects
from tests.store.writes import NOON, commit, committed, put, some_tracker, thing


def catalog(store: Store, tracker: TrackerId) -> dict[str, CatalogObject]:
    with store.load(tracker) as load:
        return {each.identity: each for each in load.objects()}


def merge(
    tracker: TrackerId, **merges: Callable[[bytes | None], CatalogObject | CatalogFault]
) -> MergeObjects:
    return MergeObjects(
        tracker, {ItemId(identity): Merge(each) for identity, each in merges.items()}, "feed", NOON
    )


def remove(tracker: TrackerId, **types: str) -> RemoveObjects:
    return RemoveObjects(tracker, {ItemId(each): type_ for each, type_ in types.items()}, "f", NOON)


def test_put_adds_and_replaces(store: Store, tracker: TrackerId) -> None:
    """Each object is replaced whole: type, generation and document."""
    committed(store, put(tracker, thing("a", b"1", generation="g1"), thing("b", b"2")))

    (outcome,) = committed(store, put(tracker, thing("a", b"3", type="brand"), thing("c", b"4")))

    assert outcome == Committed(3)
    assert catalog(store, tracker) == {
        "a": thing("a", b"3", type="brand"),
        "b": thing("b", b"2"),
        "c": thing("c", b"4"),
    }


def test_of_two_with_one_identity_the_later_wins(store: Store, tracker: TrackerId) -> None:
    """And the log has one line for it."""
    committed(store, put(tracker, thing("a", b"1"), thing("b", b"2"), thing("a", b"3")))

    assert catalog(store, tracker)["a"].document == b"3"
    assert len(list(store.history(tracker, subject="a"))) == 1


def test_a_put_is_one_revision(store: Store, tracker: TrackerId) -> None:
    """However many objects it holds, and each object has a line in the log."""
    (outcome,) = committed(store, put(tracker, *(thing(f"/p/{n}") for n in range(50))))

    lines = [line for line in store.history(tracker) if line.kind == "object"]
    assert outcome.revision == 2
    assert {line.revision for line in lines} == {2}
    assert [line.subject for line in lines] == [f"/p/{n}" for n in range(50)]


def test_putting_what_is_there_changes_nothing(store: Store, tracker: TrackerId) -> None:
    """A feed that is sent again spends no revision and fills no log."""
    objects = [thing("a", b"1"), thing("b", b"2", generation="g")]
    committed(store, put(tracker, *objects))

    same, changed = committed(
        store, put(tracker, *objects), put(tracker, objects[0], thing("b", b"2", generation="h"))
    )

    assert (same.revision, changed.revision) == (2, 3)
    assert [line.subject for line in store.history(tracker) if line.revision == 3] == ["b"]


def test_merge_reads_and_writes_inside_the_transaction(store: Store, tracker: TrackerId) -> None:
    """Each merge gets the stored document, or None, and what it makes of it is stored."""
    committed(store, put(tracker, thing("a", b"1")))
    seen: dict[str, bytes | None] = {}

    def merged(name: str) -> Callable[[bytes | None], CatalogObject]:
        def make(document: bytes | None) -> CatalogObject:
            seen[name] = document
            return thing(name, (document or b"") + b"+")

        return make

    (outcome,) = committed(store, merge(tracker, a=merged("a"), b=merged("b")))

    assert seen == {"a": b"1", "b": None}
    assert outcome == Committed(3)
    assert catalog(store, tracker) == {"a": thing("a", b"1+"), "b": thing("b", b"+")}


def test_merge_tells_the_refused_and_stores_the_rest(store: Store, tracker: TrackerId) -> None:
    """The faults are the merges' own."""
    fault = CatalogFault("not_found", "Identity not in catalog")

    (outcome,) = committed(store, merge(tracker, a=lambda _: fault, b=lambda _: thing("b", b"new")))

    assert outcome.faults == {"a": fault}
    assert list(catalog(store, tracker)) == ["b"]


def test_merge_of_which_all_is_refused_spends_nothing(store: Store, tracker: TrackerId) -> None:
    """The outcome tells the current revision."""
    fault = CatalogFault("not_found", "Identity not in catalog")

    (outcome,) = committed(store, merge(tracker, a=lambda _: fault))

    assert (outcome.revision, outcome.faults) == (1, {"a": fault})
    assert store.revisions()[tracker] == 1
    assert len(list(store.history(tracker))) == 1


def test_a_merge_that_breaks_undoes_the_commit(store: Store, tracker: TrackerId) -> None:
    """What it raises comes out, and nothing happened: not before it, not after it."""

    def broken(_: bytes | None) -> CatalogObject:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.commit([put(tracker, thing("b")), merge(tracker, a=broken)])

    assert catalog(store, tracker) == {}
    assert store.revisions()[tracker] == 1
    assert committed(store, put(tracker, thing("c")))[0].revision == 2


def test_remove_removes(store: Store, tracker: TrackerId) -> None:
    """By identity and type."""
    committed(store, put(tracker, thing("a"), thing("b", type="brand"), thing("c")))

    (outcome,) = committed(store, remove(tracker, a="item", b="brand"))

    assert outcome == Committed(3)
    assert list(catalog(store, tracker)) == ["c"]


def test_remove_tells_what_is_not_there(store: Store, tracker: TrackerId) -> None:
    """An unknown identity, or one of another type, is a fault; the rest is removed."""
    committed(store, put(tracker, thing("a"), thing("b")))

    (outcome,) = committed(store, remove(tracker, a="item", b="brand", z="item"))

    assert outcome.revision == 3
    assert {
        identity: (fault.kind, fault.reason) for identity, fault in outcome.faults.items()
    } == dict.fromkeys(("b", "z"), ("not_found", "Identity not in catalog"))
    assert list(catalog(store, tracker)) == ["b"]


def test_remove_of_nothing_spends_nothing(store: Store, tracker: TrackerId) -> None:
    """The outcome tells the current revision."""
    (outcome,) = committed(store, remove(tracker, a="item"))

    assert outcome.revision == 1
    assert list(outcome.faults) == ["a"]


def test_object_writes_see_earlier_ones(store: Store, tracker: TrackerId) -> None:
    """Put, merged, removed and put again in one commit."""
    outcomes = committed(
        store,
        put(tracker, thing("a", b"1")),
        merge(tracker, a=lambda document: thing("a", (document or b"?") + b"2")),
        remove(tracker, a="item"),
        merge(tracker, a=lambda document: thing("a", document or b"none")),
    )

    assert [each.revision for each in outcomes] == [2, 3, 4, 5]
    assert catalog(store, tracker) == {"a": thing("a", b"none")}


def test_object_writes_to_an_unknown_tracker_are_refused(store: Store) -> None:
    """All three; no merge is asked."""
    nobody = some_tracker()

    def never(_: bytes | None) -> CatalogObject:
        raise AssertionError

    outcomes = commit(
        store, put(nobody, thing("a")), merge(nobody, a=never), remove(nobody, a="item")
    )

    assert [type(each) for each in outcomes] == [TrackerNotFound] * 3


def test_put_of_nothing_has_an_outcome(store: Store, tracker: TrackerId) -> None:
    """The current revision."""
    assert committed(store, put(tracker), remove(tracker)) == [Committed(1), Committed(1)]


def test_writes_larger_than_a_batch(store: Store, tracker: TrackerId) -> None:
    """They are still one revision each, and their faults come together."""
    objects = [thing(f"/p/{n}", b"%d" % n) for n in range(3_300)]

    (stored,) = committed(store, put(tracker, *objects, thing("/p/7", b"last")))
    merges = {
        each.identity: Merge(
            lambda document, name=each.identity: thing(name, (document or b"") + b"+")  # type: ignore[misc]
        )
        for each in objects
    }
    merges[ItemId("new")] = Merge(lambda _: CatalogFault("not_found", "new"))
    (merged,) = committed(store, MergeObjects(tracker, merges, "feed", NOON))
    gone = {each.identity: "item" for each in objects[1:]} | {ItemId("zz"): "item"}
    (removed,) = committed(store, RemoveObjects(tracker, {ItemId("aa"): "x"} | gone, "feed", NOON))

    assert [stored.revision, merged.revision, removed.revision] == [2, 3, 4]
    assert list(merged.faults) == ["new"]
    assert list(removed.faults) == ["aa", "zz"]
    assert catalog(store, tracker) == {"/p/0": thing("/p/0", b"0+")}
    lines = [line for line in store.history(tracker) if line.kind == "object"]
    assert [line.revision for line in lines] == [2] * 3_300 + [3] * 3_300 + [4] * 3_299
    assert [line.subject for line in store.history(tracker, subject="/p/7")] == ["/p/7"] * 3


def test_identities_as_long_as_may_be(store: Store, tracker: TrackerId) -> None:
    """2,000 characters of four bytes each, that differ only at their end, are told apart."""
    long = "\N{GUITAR}" * 1_999
    committed(store, put(tracker, thing(long + "a", b"1"), thing(long + "b", b"2")))

    (outcome,) = committed(
        store, RemoveObjects(tracker, {ItemId(long + "a"): "item"}, "feed", NOON)
    )

    assert catalog(store, tracker) == {long + "b": thing(long + "b", b"2")}
    assert store.changes(tracker, since=1).objects == {
        long + "a": None,
        long + "b": thing(long + "b", b"2"),
    }
    assert len(list(store.history(tracker, subject=long + "a"))) == 2
    assert outcome.revision == 3
