"""
A POST that is sent again with its key.
"""

from endcap.domain import Filter, TrackerId
from endcap.errors import IdempotencyConflict
from endcap.store.port import Store
from endcap.store.writes import Committed
from tests.store.writes import (
    HOUR,
    NOON,
    SECOND,
    at,
    commit,
    committed,
    create,
    definition,
    delete,
    new_tracker,
    recorded,
    replace,
    some_id,
    some_tracker,
)

DAY_SECONDS = 24 * HOUR / SECOND


def count(store: Store, tracker: TrackerId) -> int:
    return store.page(tracker, Filter(), limit=0, offset=0).total


def test_the_same_again_is_replayed(store: Store, tracker: TrackerId) -> None:
    """The first record and its revision are the answer, marked; nothing is written."""
    first = recorded(store, create(tracker, key="k"))

    (again,) = committed(store, create(tracker, key="k", now=at(60)))

    assert again == Committed(first.revision, first, replayed=True)
    assert count(store, tracker) == 1
    assert store.revisions()[tracker] == first.revision


def test_the_same_again_in_one_commit_is_replayed(store: Store, tracker: TrackerId) -> None:
    """A client that sends twice at once makes one customization."""
    first, again = committed(store, create(tracker, key="k"), create(tracker, key="k"))

    assert again == Committed(first.revision, first.record, replayed=True)
    assert count(store, tracker) == 1


def test_another_body_is_refused(store: Store, tracker: TrackerId) -> None:
    """One key, two bodies: before and within a commit."""
    committed(store, create(tracker, key="k", fingerprint="one"))

    refused, fine, refused_too = commit(
        store,
        create(tracker, key="k", fingerprint="two"),
        create(tracker, key="l", fingerprint="two"),
        create(tracker, key="l", fingerprint="one"),
    )

    assert isinstance(refused, IdempotencyConflict)
    assert isinstance(fine, Committed)
    assert isinstance(refused_too, IdempotencyConflict)
    assert count(store, tracker) == 2


def test_the_replay_is_as_first_created(store: Store, tracker: TrackerId) -> None:
    """Though the customization was replaced meanwhile, and then deleted."""
    id_ = some_id()
    wanted = definition(b'{"first":1}', tags=("x",), metadata=b'{"t":"\\u0000"}', identity="/p/1")
    first = recorded(store, create(tracker, id_, wanted, key="k"))
    committed(store, replace(tracker, id_, definition(b'{"second":1}'), now=at(1)))

    (replaced,) = committed(store, create(tracker, key="k", now=at(2)))
    committed(store, delete(tracker, id_))
    (deleted,) = committed(store, create(tracker, key="k", now=at(3)))

    assert replaced.record == deleted.record == first
    assert count(store, tracker) == 0


def test_a_key_serves_for_a_day(store: Store, tracker: TrackerId) -> None:
    """Up to its last microsecond; after that it is a new one, with a day of its own."""
    first = recorded(store, create(tracker, key="k"))
    last = at(DAY_SECONDS - 1e-6)

    (replayed,) = committed(store, create(tracker, key="k", now=last))
    (created,) = committed(store, create(tracker, key="k", now=at(DAY_SECONDS)))
    (again,) = committed(store, create(tracker, key="k", now=at(DAY_SECONDS + 5)))

    assert replayed.record == first
    assert not created.replayed
    assert created.record != first
    assert again.record == created.record


def test_an_old_key_may_come_with_another_body(store: Store, tracker: TrackerId) -> None:
    """After a day nobody remembers the first."""
    committed(store, create(tracker, key="k", fingerprint="one"))

    (outcome,) = commit(store, create(tracker, key="k", fingerprint="two", now=at(DAY_SECONDS + 1)))

    assert isinstance(outcome, Committed)


def test_old_keys_are_purged_by_new_ones(store: Store, tracker: TrackerId) -> None:
    """A clock that is set back shows that the old one is gone, and that the young one is not."""
    committed(store, create(tracker, key="old"), create(tracker, key="young", now=at(60)))
    committed(store, create(tracker, key="new", now=at(DAY_SECONDS + 30)))

    old, young = committed(
        store, create(tracker, key="old", now=NOON), create(tracker, key="young", now=at(61))
    )

    assert not old.replayed
    assert young.replayed


def test_keys_belong_to_their_tracker(store: Store, tracker: TrackerId) -> None:
    """The same key of another tracker is another key."""
    other = some_tracker()
    committed(store, new_tracker(other))

    mine, theirs = committed(store, create(tracker, key="k"), create(other, key="k"))

    assert not mine.replayed
    assert not theirs.replayed


def test_keys_are_told_apart_exactly(store: Store, tracker: TrackerId) -> None:
    """By case, by spaces, and by the last of 10,000 characters."""
    keys = ["k", "K", "k ", "é", "e\u0301", "x" * 10_000 + "1", "x" * 10_000 + "2", ""]

    outcomes = committed(store, *(create(tracker, key=key) for key in keys))
    again = committed(store, *(create(tracker, key=key) for key in keys))

    assert [each.replayed for each in outcomes] == [False] * len(keys)
    assert [each.record for each in again] == [each.record for each in outcomes]
    assert all(each.replayed for each in again)


def test_a_refused_create_leaves_no_key(store: Store, tracker: TrackerId) -> None:
    """Its key may be used again."""
    id_ = some_id()
    committed(store, create(tracker, id_))
    commit(store, create(tracker, id_, key="k", fingerprint="one"))

    (outcome,) = commit(store, create(tracker, key="k", fingerprint="two"))

    assert isinstance(outcome, Committed)
    assert not outcome.replayed
