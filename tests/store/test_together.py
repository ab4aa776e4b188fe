"""
Writes that come all or none.
"""

import pytest

from endcap.domain import Filter, TrackerId
from endcap.errors import CustomizationNotFound, RefusedTogether, RevisionConflict, UsageFault
from endcap.store.port import Store
from tests.store.writes import (
    committed,
    create,
    definition,
    delete,
    new_tracker,
    recorded,
    replace,
    some_id,
    some_tracker,
    thing,
)
from tests.store.writes import put as put_objects

MANY = 2_500  # more than two batches


def test_writes_without_a_refusal_are_a_commit(store: Store, tracker: TrackerId) -> None:
    """Their outcomes are those of a commit, in order, and later writes see the earlier."""
    kept, gone = some_id(), some_id()

    outcomes = store.commit_together(
        [
            create(tracker, kept),
            create(tracker, gone),
            replace(tracker, kept, definition(b'{"b":2}'), expected=frozenset({2})),
            delete(tracker, gone),
        ]
    )

    assert [each.revision for each in outcomes] == [2, 3, 4, 5]
    assert [each.document for each in store.records(tracker, Filter())] == [b'{"b":2}']


def test_one_refusal_undoes_all(store: Store, tracker: TrackerId) -> None:
    """Nothing is written, no revision is spent, nothing is logged; each refusal is told by its place."""
    taken = recorded(store, create(tracker)).id
    changed = recorded(store, create(tracker))
    committed(store, replace(tracker, changed.id))
    before = (list(store.records(tracker, Filter())), list(store.history(tracker)))

    with pytest.raises(RefusedTogether) as refused:
        store.commit_together(
            [
                create(tracker),
                create(tracker, taken),
                replace(tracker, changed.id, expected=frozenset({changed.revision})),
                put_objects(tracker, thing("/p/1")),
                delete(tracker, some_id()),
            ]
        )

    assert {index: type(each) for index, each in refused.value.refusals.items()} == {
        1: UsageFault,
        2: RevisionConflict,
        4: CustomizationNotFound,
    }
    assert (list(store.records(tracker, Filter())), list(store.history(tracker))) == before
    assert store.revisions()[tracker] == before[1][-1].revision
    assert store.objects_after(tracker, limit=1) == []


def test_a_refusal_at_the_end_undoes_earlier_batches(store: Store, tracker: TrackerId) -> None:
    """However many there were: a transaction is not a batch."""
    with pytest.raises(RefusedTogether):
        store.commit_together([*(create(tracker) for _ in range(MANY)), delete(tracker, some_id())])

    assert list(store.records(tracker, Filter())) == []


def test_the_store_goes_on_after_a_refusal(store: Store, tracker: TrackerId) -> None:
    """What was undone leaves no transaction behind, not for another tracker either."""
    other = some_tracker()
    with pytest.raises(RefusedTogether):
        store.commit_together([new_tracker(other), delete(tracker, some_id())])

    committed(store, create(tracker))

    assert store.tracker(other) is None
    assert store.revisions()[tracker] == 2


def test_nothing_together_is_nothing(store: Store, tracker: TrackerId) -> None:
    """As with a commit."""
    assert store.commit_together([]) == []
