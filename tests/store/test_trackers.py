"""
Trackers, their keys and their artifact.
"""

from concurrent.futures import ThreadPoolExecutor

from endcap.domain import TrackerId
from endcap.errors import TrackerNotFound, UsageFault
from endcap.store.port import Store
from endcap.store.states import TrackerRow
from endcap.store.writes import AddKey, Committed, CreateTracker, PublishArtifact, RevokeKey
from tests.store.writes import NOON, at, commit, committed, new_tracker, some_tracker


def row(store: Store, tracker: TrackerId) -> TrackerRow:
    found = store.tracker(tracker)
    assert found is not None
    return found


def add(tracker: TrackerId, key: bytes) -> AddKey:
    return AddKey(tracker, key, "admin", NOON)


def revoke(tracker: TrackerId, key: bytes) -> RevokeKey:
    return RevokeKey(tracker, key, "admin", NOON)


def publish(tracker: TrackerId, artifact: str) -> PublishArtifact:
    return PublishArtifact(tracker, artifact, "builder", NOON)


def test_create_tracker_keeps_everything(store: Store) -> None:
    """Its first revision is 1, and it has one key and no artifact."""
    tracker = some_tracker()

    (outcome,) = committed(
        store, CreateTracker(tracker, "Gitarren & Bässe", b"\x00\xffkey", "admin", at(3))
    )

    expected = TrackerRow(tracker, "Gitarren & Bässe", 1, (b"\x00\xffkey",), None, at(3))
    assert outcome == Committed(1)
    assert store.tracker(tracker) == expected
    assert expected in store.trackers()
    assert store.revisions()[tracker] == 1


def test_create_tracker_that_exists_is_refused(store: Store, tracker: TrackerId) -> None:
    """It stays as it is, before and within a commit."""
    other = some_tracker()
    before = row(store, tracker)

    known, first, second = commit(
        store,
        CreateTracker(tracker, "Other", b"other", "admin", at(9)),
        new_tracker(other),
        CreateTracker(other, "Other", b"other", "admin", at(9)),
    )

    assert isinstance(known, UsageFault)
    assert isinstance(first, Committed)
    assert isinstance(second, UsageFault)
    assert row(store, tracker) == before
    assert row(store, other).name == "A shop"


def test_create_tracker_twice_at_once(store: Store) -> None:
    """One of many gets it, the others are told so."""
    tracker = some_tracker()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: commit(store, new_tracker(tracker))[0], range(8)))

    assert sorted(type(each).__name__ for each in answers) == ["Committed"] + ["UsageFault"] * 7
    assert row(store, tracker).revision == 1


def test_unknown_tracker_is_none(store: Store) -> None:
    """Also to one that differs in case alone."""
    tracker = TrackerId(some_tracker() + "x")
    committed(store, new_tracker(tracker))

    assert store.tracker(TrackerId(tracker.upper())) is None
    assert store.tracker(some_tracker()) is None


def test_trackers_are_ordered_by_id(fresh: Store) -> None:
    """By code point: capitals first, what is beyond ASCII last."""
    names = [TrackerId(each) for each in ("b", "Z", "é", "a", "_", "1")]
    committed(fresh, *(new_tracker(each) for each in names))

    assert [each.id for each in fresh.trackers()] == ["1", "Z", "_", "a", "b", "é"]
    assert fresh.revisions() == dict.fromkeys(names, 1)


def test_no_trackers_yet(fresh: Store) -> None:
    """Every question has an answer all the same."""
    assert list(fresh.trackers()) == []
    assert fresh.revisions() == {}


def test_keys_are_oldest_first(store: Store, tracker: TrackerId) -> None:
    """Each change of them is a revision."""
    first, second, third = committed(
        store, add(tracker, b"b"), add(tracker, b"a"), revoke(tracker, b"sealed key")
    )

    assert [first.revision, second.revision, third.revision] == [2, 3, 4]
    assert row(store, tracker).sealed_keys == (b"b", b"a")


def test_a_key_that_is_there_is_not_added_again(store: Store, tracker: TrackerId) -> None:
    """Nothing changes, and no revision is spent."""
    assert committed(store, add(tracker, b"sealed key")) == [Committed(1)]
    assert row(store, tracker).sealed_keys == (b"sealed key",)


def test_revoking_an_unknown_key_is_refused(store: Store, tracker: TrackerId) -> None:
    """The others stay."""
    (outcome,) = commit(store, revoke(tracker, b"unknown"))

    assert isinstance(outcome, UsageFault)
    assert row(store, tracker).sealed_keys == (b"sealed key",)


def test_revoking_the_last_key_is_refused(store: Store, tracker: TrackerId) -> None:
    """Also when it is the last one because of the write before."""
    _, gone, last = commit(
        store, add(tracker, b"new"), revoke(tracker, b"sealed key"), revoke(tracker, b"new")
    )

    assert isinstance(gone, Committed)
    assert isinstance(last, UsageFault)
    assert row(store, tracker).sealed_keys == (b"new",)


def test_publish_points_to_the_artifact(store: Store, tracker: TrackerId) -> None:
    """With a revision, so that every mirror hears of it; the same again is nothing new."""
    outcomes = committed(
        store, publish(tracker, "one"), publish(tracker, "two"), publish(tracker, "two")
    )

    assert [each.revision for each in outcomes] == [2, 3, 3]
    assert row(store, tracker).artifact == "two"


def test_writes_to_an_unknown_tracker_are_refused(store: Store) -> None:
    """Until it is created in the same commit."""
    tracker = some_tracker()

    outcomes = commit(
        store,
        add(tracker, b"k"),
        revoke(tracker, b"k"),
        publish(tracker, "a"),
        new_tracker(tracker),
        publish(tracker, "a"),
    )

    assert [type(each) for each in outcomes] == [TrackerNotFound] * 3 + [Committed] * 2
    assert row(store, tracker).revision == 2


def test_the_log_of_a_tracker(store: Store, tracker: TrackerId) -> None:
    """Keys are told apart in it and not given away."""
    committed(
        store,
        add(tracker, b"secret"),
        revoke(tracker, b"secret"),
        publish(tracker, "one"),
        publish(tracker, "two"),
    )

    lines = list(store.history(tracker))
    assert [(line.kind, line.action) for line in lines] == [
        ("tracker", "create"),
        ("key", "create"),
        ("key", "delete"),
        ("artifact", "create"),
        ("artifact", "replace"),
    ]
    assert lines[1].subject == lines[2].subject
    assert b"secret" not in repr(lines).encode()
    assert [line.subject for line in lines[3:]] == ["one", "two"]
