"""
Writing customizations: that it works, then each way to be refused.
"""

from collections.abc import Callable

import msgspec
import pytest

from endcap.domain import CustomizationId, Filter, Record, TrackerId
from endcap.errors import CustomizationNotFound, RevisionConflict, TrackerNotFound, UsageFault
from endcap.store.port import Store
from endcap.store.writes import Committed, Write
from tests.store.writes import (
    NOON,
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

Make = Callable[[TrackerId, CustomizationId], Write]


def test_create_keeps_everything(store: Store, tracker: TrackerId) -> None:
    """The record has what the definition says, who made it and when, and the revision that wrote it."""
    id_ = some_id()
    wanted = definition(
        b'{"a":1}', model="m", identity="/p/1", tags=("b", "a"), metadata=b'{"title":"T"}'
    )

    (outcome,) = committed(store, create(tracker, id_, wanted, creator="ann", now=at(5)))

    expected = Record(
        id=id_,
        model="m",
        target_type="item",
        target_identity=wanted.target_identity,
        tags=("b", "a"),
        document=b'{"a":1}',
        metadata=b'{"title":"T"}',
        creator="ann",
        created_at=at(5),
        updated_at=at(5),
        revision=2,
    )
    assert outcome == Committed(2, expected)
    assert store.customization(tracker, id_) == expected


def test_create_with_a_taken_id_is_refused(store: Store, tracker: TrackerId) -> None:
    """Nothing is overwritten by a create."""
    id_ = some_id()
    first = recorded(store, create(tracker, id_, definition(b"{}")))

    (outcome,) = commit(store, create(tracker, id_, definition(b'{"other":1}')))

    assert isinstance(outcome, UsageFault)
    assert store.customization(tracker, id_) == first


def test_replace_keeps_id_creation_and_creator(store: Store, tracker: TrackerId) -> None:
    """All else is what the new definition says; the time of update is the time of the write."""
    id_ = some_id()
    recorded(
        store,
        create(tracker, id_, definition(tags=("x",), metadata=b"{}"), creator="bob", now=at(1)),
    )
    wanted = definition(b'{"n":2}', model="other", identity="/p/2", tags=("y",))

    (outcome,) = committed(store, replace(tracker, id_, wanted, now=at(9)))

    expected = Record(
        id=id_,
        model="other",
        target_type="item",
        target_identity=wanted.target_identity,
        tags=("y",),
        document=b'{"n":2}',
        metadata=None,
        creator="bob",
        created_at=at(1),
        updated_at=at(9),
        revision=3,
    )
    assert outcome == Committed(3, expected)
    assert store.customization(tracker, id_) == expected


def test_replace_of_the_document_alone(store: Store, tracker: TrackerId) -> None:
    """What lists select by stays, the document, the tags and the metadata are new."""
    id_ = some_id()
    recorded(store, create(tracker, id_, definition(b"{}", identity="/p/1", tags=("x",))))
    wanted = definition(b'{"pins":[]}', identity="/p/1", tags=("y", "z"), metadata=b'{"t":1}')

    replaced = recorded(store, replace(tracker, id_, wanted, now=at(1)))

    assert (replaced.document, replaced.tags, replaced.metadata) == (
        b'{"pins":[]}',
        ("y", "z"),
        b'{"t":1}',
    )
    assert store.customization(tracker, id_) == replaced
    assert store.page(tracker, Filter(tags=("z",)), limit=9, offset=0).records == [replaced]
    assert store.page(tracker, Filter(tags=("x",)), limit=9, offset=0).total == 0


def test_replace_with_the_expected_revision(store: Store, tracker: TrackerId) -> None:
    """One of several expected revisions is enough."""
    id_ = some_id()
    record = recorded(store, create(tracker, id_))

    (outcome,) = commit(store, replace(tracker, id_, expected=frozenset({1, record.revision})))

    assert isinstance(outcome, Committed)


def test_replace_with_an_old_revision_is_refused(store: Store, tracker: TrackerId) -> None:
    """Someone else was faster: the record and the revision stay."""
    id_ = some_id()
    record = recorded(store, create(tracker, id_))

    (outcome,) = commit(store, replace(tracker, id_, expected=frozenset({record.revision - 1})))

    assert isinstance(outcome, RevisionConflict)
    assert store.customization(tracker, id_) == record
    assert store.revisions()[tracker] == record.revision


def test_nothing_expected_is_never_met(store: Store, tracker: TrackerId) -> None:
    """An empty set is a condition that no revision meets, unlike no condition."""
    id_ = some_id()
    recorded(store, create(tracker, id_))

    (outcome,) = commit(store, delete(tracker, id_, expected=frozenset()))

    assert isinstance(outcome, RevisionConflict)


def test_replace_of_the_unknown_is_refused(store: Store, tracker: TrackerId) -> None:
    """Also when a revision is expected: what is not there is not found."""
    for expected in (None, frozenset({1})):
        (outcome,) = commit(store, replace(tracker, some_id(), expected=expected))
        assert isinstance(outcome, CustomizationNotFound)


def test_delete_removes(store: Store, tracker: TrackerId) -> None:
    """Neither a read nor a list nor a summary shows it afterwards."""
    id_ = some_id()
    recorded(store, create(tracker, id_, definition(tags=("x",))))

    (outcome,) = committed(store, delete(tracker, id_))

    assert outcome == Committed(3)
    assert store.customization(tracker, id_) is None
    assert store.page(tracker, Filter(), limit=9, offset=0).total == 0
    assert store.page(tracker, Filter(tags=("x",)), limit=9, offset=0).total == 0
    assert store.summary(tracker).counts == {}
    assert store.summary(tracker).tags == []


def test_delete_with_an_old_revision_is_refused(store: Store, tracker: TrackerId) -> None:
    """It stays."""
    id_ = some_id()
    record = recorded(store, create(tracker, id_))

    (outcome,) = commit(store, delete(tracker, id_, expected=frozenset({record.revision + 1})))

    assert isinstance(outcome, RevisionConflict)
    assert store.customization(tracker, id_) == record


def test_delete_twice_is_refused(store: Store, tracker: TrackerId) -> None:
    """The second one finds nothing."""
    id_ = some_id()
    recorded(store, create(tracker, id_))

    first, second = commit(store, delete(tracker, id_), delete(tracker, id_))

    assert isinstance(first, Committed)
    assert isinstance(second, CustomizationNotFound)


def test_what_was_deleted_can_be_created_again(store: Store, tracker: TrackerId) -> None:
    """With a new time of creation and a new creator, also within one commit."""
    id_ = some_id()
    recorded(store, create(tracker, id_, definition(tags=("x",)), creator="ann", now=at(1)))

    _, again = committed(
        store, delete(tracker, id_), create(tracker, id_, creator="bob", now=at(2))
    )

    assert again.record is not None
    assert (again.record.creator, again.record.created_at) == ("bob", at(2))
    assert store.customization(tracker, id_) == again.record
    assert store.summary(tracker).tags == []


@pytest.mark.parametrize("make", [create, replace, delete])
def test_unknown_tracker_is_refused(store: Store, tracker: TrackerId, make: Make) -> None:
    """And its neighbours of a known one are not disturbed."""
    nobody, id_ = some_tracker(), some_id()

    refused, fine = commit(store, make(nobody, id_), create(tracker))

    assert isinstance(refused, TrackerNotFound)
    assert isinstance(fine, Committed)
    assert store.customization(nobody, id_) is None
    assert store.tracker(nobody) is None


def test_trackers_do_not_see_each_other(store: Store, tracker: TrackerId) -> None:
    """One id in two trackers is two customizations."""
    other, id_ = some_tracker(), some_id()
    committed(store, new_tracker(other))
    mine, theirs = committed(
        store,
        create(tracker, id_, definition(b'{"mine":1}', tags=("mine",))),
        create(other, id_, definition(b'{"theirs":1}', tags=("theirs",))),
    )
    committed(store, delete(other, id_))

    assert store.customization(tracker, id_) == mine.record
    assert store.customization(other, id_) is None
    assert store.summary(tracker).tags == ["mine"]
    assert theirs.revision == 2


def test_later_writes_see_earlier_ones(store: Store, tracker: TrackerId) -> None:
    """Within one commit: made, replaced twice with the revision just given, deleted, not found."""
    id_ = some_id()

    outcomes = commit(
        store,
        create(tracker, id_, definition(b"1")),
        replace(tracker, id_, definition(b"2"), expected=frozenset({2})),
        replace(tracker, id_, definition(b"3"), expected=frozenset({2})),
        replace(tracker, id_, definition(b"4"), expected=frozenset({3})),
        delete(tracker, id_, expected=frozenset({4})),
        replace(tracker, id_),
    )

    assert [type(each) for each in outcomes] == [
        Committed,
        Committed,
        RevisionConflict,
        Committed,
        Committed,
        CustomizationNotFound,
    ]
    assert [each.revision for each in outcomes if isinstance(each, Committed)] == [2, 3, 4, 5]
    assert store.customization(tracker, id_) is None


def test_refused_writes_do_not_disturb_their_neighbours(store: Store, tracker: TrackerId) -> None:
    """They spend no revision and leave no line in the log."""
    first, second = some_id(), some_id()

    outcomes = commit(
        store,
        create(tracker, first),
        delete(tracker, some_id()),
        create(tracker, first),
        create(tracker, second),
        replace(tracker, first, expected=frozenset({77})),
    )

    revisions = [each.revision for each in outcomes if isinstance(each, Committed)]
    assert revisions == [2, 3]
    assert store.revisions()[tracker] == 3
    assert [line.revision for line in store.history(tracker)] == [1, 2, 3]


def test_nothing_to_write_is_nothing_written(store: Store, tracker: TrackerId) -> None:
    """An empty commit has no outcomes."""
    assert list(store.commit([])) == []
    assert store.revisions()[tracker] == 1


def test_a_commit_over_several_trackers(store: Store, tracker: TrackerId) -> None:
    """Each counts its own revisions."""
    other = some_tracker()

    outcomes = committed(
        store, create(tracker), new_tracker(other), create(other), create(tracker), create(other)
    )

    assert [each.revision for each in outcomes] == [2, 1, 2, 3, 3]


def test_ids_are_told_apart_by_case(store: Store, tracker: TrackerId) -> None:
    """The store compares ids by their characters and knows nothing of UUIDs."""
    lower, upper = CustomizationId("abc"), CustomizationId("ABC")

    committed(store, create(tracker, lower, definition(b"1")), create(tracker, upper))

    record = store.customization(tracker, lower)
    assert record is not None
    assert record.document == b"1"
    assert store.customization(tracker, CustomizationId("Abc")) is None


def test_a_large_commit(store: Store, tracker: TrackerId) -> None:
    """More writes than one batch of the adapter: every outcome in its place, every change in the log."""
    ids = [some_id() for _ in range(2_500)]
    committed(store, *(create(tracker, each) for each in ids))

    outcomes = committed(
        store,
        *(replace(tracker, each, definition(b"2"), now=at(1)) for each in ids),
        *(delete(tracker, each) for each in ids[::2]),
    )

    assert [each.revision for each in outcomes] == list(range(2_502, 2_502 + len(outcomes)))
    kept = list(store.records(tracker, Filter()))
    assert {each.id for each in kept} == set(ids[1::2])
    assert {each.document for each in kept} == {b"2"}
    assert [line.revision for line in store.history(tracker)] == list(range(1, 6_252))
    assert {each.created_at for each in kept} == {NOON}


def test_one_that_moves_in_keeps_what_it_was(store: Store, tracker: TrackerId) -> None:
    """When it was made and by whom, though now and another write it; the log says when it came and who brought it."""
    id_ = some_id()
    write = msgspec.structs.replace(
        create(tracker, id_, creator="ann", now=at(100)), created_at=at(-5_000), actor="pull"
    )

    record = recorded(store, write)

    assert (record.created_at, record.updated_at, record.creator) == (at(-5_000), at(100), "ann")
    assert store.customization(tracker, id_) == record
    (line,) = store.history(tracker, subject=id_)
    assert (line.actor, line.at) == ("pull", at(100))
    replaced = recorded(store, replace(tracker, id_, now=at(200)))
    assert (replaced.created_at, replaced.creator) == (at(-5_000), "ann")
