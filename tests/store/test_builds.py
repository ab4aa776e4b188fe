"""
Who builds a tracker: one at a time, and for no longer than was said.
"""

from concurrent.futures import ThreadPoolExecutor

from endcap.domain import TrackerId
from endcap.errors import ArtifactConflict
from endcap.store.port import Store
from endcap.store.states import Build, BuildRecord
from endcap.store.writes import Committed, PublishArtifact
from tests.store.writes import NOON, at, commit, committed, new_tracker, some_tracker

FAILED = BuildRecord(
    began_at=at(1),
    step="neighbours",
    ended_at=at(2),
    result="failed",
    reason="no space left on device: «orders»",
    failures=3,
    built_at=at(-9),
    built_seconds=7.5,
    artifact="20261101T000000Z-0123abcd",
    inputs="5f",
)


def held(tracker: TrackerId, holder: str, until: float, record: BuildRecord | None = None) -> Build:
    return Build(tracker, holder, at(until), False, record or BuildRecord())


def test_a_claim_is_for_one(store: Store, tracker: TrackerId) -> None:
    """Who comes first has it until the time that was said; the other one is told so, and may have it then."""
    assert store.claim_build(tracker, "ann", now=NOON, until=at(60)) == held(tracker, "ann", 60)

    assert store.claim_build(tracker, "bob", now=at(59), until=at(119)) is None
    assert store.builds()[tracker] == held(tracker, "ann", 60)
    assert store.claim_build(tracker, "bob", now=at(60), until=at(120)) is not None
    assert store.builds()[tracker].holder == "bob"


def test_of_many_one_gets_it(store: Store, tracker: TrackerId) -> None:
    """At the same moment, over connections of their own."""

    def claim(name: str) -> bool:
        return store.claim_build(tracker, name, now=NOON, until=at(60)) is not None

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(claim, "abcdefgh"))

    assert sum(answers) == 1


def test_the_holder_may_have_it_longer(store: Store, tracker: TrackerId) -> None:
    """Claimed again, or said how it goes: nobody else gets it before the new time."""
    store.claim_build(tracker, "ann", now=NOON, until=at(60))
    store.claim_build(tracker, "ann", now=at(50), until=at(110))

    assert store.claim_build(tracker, "bob", now=at(100), until=at(160)) is None
    assert store.keep_build(tracker, "ann", FAILED, until=at(170))
    assert store.claim_build(tracker, "bob", now=at(160), until=at(220)) is None
    assert store.builds()[tracker] == held(tracker, "ann", 170, FAILED)


def test_what_was_said_is_there_for_the_next(store: Store, tracker: TrackerId) -> None:
    """Letting go leaves the record, whole, and nobody in the way."""
    store.claim_build(tracker, "ann", now=NOON, until=at(60))

    assert store.keep_build(tracker, "ann", FAILED, until=None)

    left = store.builds()[tracker]
    assert (left.holder, left.record) == (None, FAILED)
    assert not left.is_held_by_somebody(at(1))
    claimed = store.claim_build(tracker, "bob", now=at(3), until=at(63))
    assert claimed == held(tracker, "bob", 63, FAILED)


def test_who_lost_it_has_nothing_to_say(store: Store, tracker: TrackerId) -> None:
    """One that was away for too long changes nothing that its successor said."""
    store.claim_build(tracker, "ann", now=NOON, until=at(60))
    store.claim_build(tracker, "bob", now=at(61), until=at(121))

    assert not store.keep_build(tracker, "ann", FAILED, until=at(200))
    assert not store.keep_build(tracker, "ann", FAILED, until=None)
    assert store.builds()[tracker] == held(tracker, "bob", 121)


def test_trackers_are_claimed_apart(store: Store, tracker: TrackerId) -> None:
    """One holder may have several; a revision is spent on none."""
    other = some_tracker()
    committed(store, new_tracker(other))

    for each in (tracker, other):
        assert store.claim_build(each, "ann", now=NOON, until=at(60)) is not None
        assert store.revisions()[each] == 1
    store.keep_build(other, "ann", FAILED, until=None)

    assert store.builds()[tracker].holder == "ann"
    assert store.builds()[other].holder is None


def test_a_pause_is_for_the_schedule(store: Store, tracker: TrackerId) -> None:
    """Before the first build, and during one, which goes on; nothing else that is known changes."""
    store.pause_build(tracker, paused=True)
    claimed = store.claim_build(tracker, "ann", now=NOON, until=at(60))
    assert claimed is not None
    assert claimed.is_paused

    store.pause_build(tracker, paused=False)
    assert store.keep_build(tracker, "ann", FAILED, until=at(70))
    assert store.builds()[tracker] == held(tracker, "ann", 70, FAILED)

    store.pause_build(tracker, paused=True)
    assert store.keep_build(tracker, "ann", FAILED, until=None)
    left = store.builds()[tracker]
    assert left.is_paused
    assert left.record == FAILED


def test_nothing_was_built_yet(fresh: Store) -> None:
    """No tracker, no build."""
    assert fresh.builds() == {}


def test_an_artifact_takes_the_place_of_the_one_it_was_to(store: Store, tracker: TrackerId) -> None:
    """Publishing may say what is expected there; if it is something else, that stays."""

    def publish(artifact: str, *expected: str | None) -> PublishArtifact:
        return PublishArtifact(tracker, artifact, "builder", NOON, frozenset(expected))

    first, late, second = commit(
        store, publish("one", None), publish("late", None), publish("two", "one", "zero")
    )

    assert isinstance(first, Committed)
    assert isinstance(late, ArtifactConflict)
    assert second == Committed(3)
    row = store.tracker(tracker)
    assert row is not None
    assert row.artifact == "two"
