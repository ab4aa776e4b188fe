"""
The change feed, the log and the load: what mirrors and auditors are told.
"""

import threading
import time

import pytest

from endcap.domain import Filter, ItemId, TrackerId
from endcap.errors import TrackerNotFound
from endcap.store import open_store
from endcap.store.port import Store
from endcap.store.states import ChangeRow
from endcap.store.writes import PublishArtifact, RemoveObjects
from tests.store.writes import (
    NOON,
    at,
    committed,
    create,
    definition,
    delete,
    put,
    replace,
    some_id,
    some_tracker,
    thing,
)


def test_changes_are_the_present_state_of_what_changed(store: Store, tracker: TrackerId) -> None:
    """Only that, each once, and None for what is gone."""
    kept, changed, gone, brief = (some_id() for _ in range(4))
    committed(store, *(create(tracker, each) for each in (kept, changed, gone)))
    (put_first,) = committed(store, put(tracker, thing("a"), thing("b"), thing("c")))

    committed(
        store,
        replace(tracker, changed, definition(b"1")),
        replace(tracker, changed, definition(b"2")),
        delete(tracker, gone),
        create(tracker, brief),
        delete(tracker, brief),
        put(tracker, thing("b", b"new"), thing("d")),
        RemoveObjects(tracker, {ItemId("c"): "item"}, "feed", NOON),
    )

    changes = store.changes(tracker, since=put_first.revision)
    assert changes.tracker == store.tracker(tracker)
    assert changes.records == {
        changed: store.customization(tracker, changed),
        gone: None,
        brief: None,
    }
    assert changes.objects == {"b": thing("b", b"new"), "c": None, "d": thing("d")}


def test_changes_since_now_are_none(store: Store, tracker: TrackerId) -> None:
    """Also since a revision that is yet to come."""
    (outcome,) = committed(store, create(tracker))

    for since in (outcome.revision, outcome.revision + 10):
        changes = store.changes(tracker, since=since)
        assert (changes.records, changes.objects) == ({}, {})
        assert changes.tracker.revision == outcome.revision


def test_changes_of_the_tracker_alone(store: Store, tracker: TrackerId) -> None:
    """A new artifact changes no record; the tracker's row tells it."""
    committed(store, PublishArtifact(tracker, "one", "builder", NOON))

    changes = store.changes(tracker, since=1)

    assert (changes.records, changes.objects) == ({}, {})
    assert changes.tracker.artifact == "one"


def test_changes_of_more_than_a_batch(store: Store, tracker: TrackerId) -> None:
    """All of them."""
    committed(store, put(tracker, *(thing(f"/p/{n}") for n in range(2_345))))
    committed(store, *(create(tracker) for _ in range(1_234)))

    changes = store.changes(tracker, since=0)

    assert (len(changes.objects), len(changes.records)) == (2_345, 1_234)
    assert None not in [*changes.objects.values(), *changes.records.values()]


def test_how_far_a_follower_is_behind(store: Store, tracker: TrackerId) -> None:
    """In lines of the log after a revision, counted no further than asked."""
    (seen,) = committed(store, create(tracker))
    committed(store, put(tracker, *(thing(f"/p/{n}") for n in range(30))))

    assert store.behind(tracker, since=seen.revision, at_most=100) == 30
    assert store.behind(tracker, since=seen.revision, at_most=7) == 7
    assert store.behind(tracker, since=seen.revision + 1, at_most=7) == 0
    assert store.behind(some_tracker(), since=0, at_most=7) == 0


def test_changes_and_load_of_an_unknown_tracker_are_refused(store: Store) -> None:
    """TrackerNotFound, and not an empty answer."""
    nobody = some_tracker()

    with pytest.raises(TrackerNotFound):
        store.changes(nobody, since=0)
    with pytest.raises(TrackerNotFound), store.load(nobody):
        pass


def test_load_is_the_whole_state(store: Store, tracker: TrackerId) -> None:
    """With the counts beforehand; the two iterators may be read in turn."""
    committed(store, *(create(tracker, wanted=definition(tags=("x",))) for _ in range(700)))
    committed(store, put(tracker, *(thing(f"/p/{n}", b"%d" % n) for n in range(700))))

    with store.load(tracker) as load:
        assert load.tracker == store.tracker(tracker)
        assert (load.customization_count, load.object_count) == (700, 700)
        pairs = list(zip(load.records(), load.objects(), strict=True))

    assert {record.id for record, _ in pairs} == {
        each.id for each in store.records(tracker, Filter())
    }
    assert {each.identity for _, each in pairs} == {f"/p/{n}" for n in range(700)}


def test_load_of_an_empty_tracker(store: Store, tracker: TrackerId) -> None:
    """Nothing, and no error."""
    with store.load(tracker) as load:
        assert (load.customization_count, load.object_count) == (0, 0)
        assert [*load.records(), *load.objects()] == []


def test_load_may_be_left_unread(store: Store, tracker: TrackerId) -> None:
    """Half read, unread, or broken off by an error of the reader's own; the store is as good as before."""
    committed(store, *(create(tracker) for _ in range(2_000)))

    for _ in range(15):
        with store.load(tracker) as load:
            next(iter(load.records()))
        with store.load(tracker):
            pass
        with pytest.raises(ZeroDivisionError), store.load(tracker) as load:
            raise ZeroDivisionError

    with store.load(tracker) as load:
        assert len(list(load.records())) == 2_000


def test_load_sees_one_state(store: Store, tracker: TrackerId) -> None:
    """What is committed while it is read does not show in it, though the revision moved on."""
    committed(store, *(create(tracker, wanted=definition(b"old")) for _ in range(1_500)))
    committed(store, put(tracker, *(thing(f"/p/{n}", b"old") for n in range(1_500))))

    with store.load(tracker) as load:
        records = load.records()
        seen = [next(records)]
        ids = [each.id for each in store.records(tracker, Filter())]
        committed(
            store,
            *(replace(tracker, each, definition(b"new")) for each in ids[:500]),
            *(delete(tracker, each) for each in ids[500:1_000]),
            put(tracker, *(thing(f"/p/{n}", b"new") for n in range(1_000, 2_000))),
        )
        seen += records
        objects = list(load.objects())

    assert {each.document for each in seen} == {b"old"}
    assert len(seen) == load.customization_count == 1_500
    assert {each.document for each in objects} == {b"old"}
    assert len(objects) == load.object_count == 1_500
    assert load.tracker.revision == 1_502


def test_the_log_tells_who_did_what_when(store: Store, tracker: TrackerId) -> None:
    """
    With the old and the new document of a customization, and without those of the catalog. The last line of one says
    what is needed to have it back.
    """
    id_ = some_id()
    first, second = b'{"n":1}', b'{"n":2}'
    last = b'{"n":2,"creator":"ann","created_at":%d}' % at(1)
    committed(
        store,
        create(tracker, id_, definition(first), creator="ann", now=at(1)),
        replace(tracker, id_, definition(second), now=at(2)),
        delete(tracker, id_),
        put(tracker, thing("a", b"1")),
        put(tracker, thing("a", b"2")),
        RemoveObjects(tracker, {ItemId("a"): "item"}, "feed", at(3)),
    )

    assert list(store.history(tracker)) == [
        ChangeRow(1, "tracker", tracker, "create", "admin", NOON, None, None),
        ChangeRow(2, "customization", id_, "create", "ann", at(1), None, first),
        ChangeRow(3, "customization", id_, "replace", "ann", at(2), first, second),
        ChangeRow(4, "customization", id_, "delete", "ann", NOON, last, None),
        ChangeRow(5, "object", "a", "create", "feed", NOON, None, None),
        ChangeRow(6, "object", "a", "replace", "feed", NOON, None, None),
        ChangeRow(7, "object", "a", "delete", "feed", at(3), None, None),
    ]
    assert [line.revision for line in store.history(tracker, subject=id_)] == [2, 3, 4]
    assert list(store.history(tracker, subject="unknown")) == []
    assert list(store.history(some_tracker())) == []


def test_wait_ends_at_a_change(store: Store, tracker: TrackerId, database: str) -> None:
    """Of this store and of another one on the same database, well before the timeout."""
    other = open_store(database)
    for writer in (store, other):
        _drain(store)
        timer = threading.Timer(0.1, lambda: committed(writer, create(tracker)))  # noqa: B023 - joined below
        started = time.monotonic()
        timer.start()
        store.wait(20)
        assert time.monotonic() - started < 10
        timer.join()
    other.close()


def test_wait_ends_at_its_timeout(fresh: Store) -> None:
    """When nothing happens."""
    _drain(fresh)
    started = time.monotonic()

    fresh.wait(0.3)

    assert 0.25 <= time.monotonic() - started < 10


def test_wait_misses_nothing_between_two_calls(store: Store, tracker: TrackerId) -> None:
    """A change while nobody waited ends the next wait at once."""
    _drain(store)
    committed(store, create(tracker))
    started = time.monotonic()

    store.wait(20)

    assert time.monotonic() - started < 10


def test_wait_ends_when_the_store_is_closed(fresh: Store) -> None:
    """Shutting down does not take the longest timeout."""

    def wait() -> None:
        _drain(fresh)
        fresh.wait(30)

    started = time.monotonic()
    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.3)

    fresh.close()
    waiting.join()

    assert time.monotonic() - started < 15


def _drain(store: Store) -> None:
    """Waits until there is no news left, of this test or of another one."""
    while True:
        started = time.monotonic()
        store.wait(0.05)
        if time.monotonic() - started >= 0.05:
            return
