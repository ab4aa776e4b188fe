"""
A tracker's table of models: written through the change feed, bounded, read whole.
"""

import pytest

from endcap.domain import TrackerId
from endcap.errors import FaultyFields, RecommenderNotFound, RevisionConflict, TrackerNotFound
from endcap.store.port import Store
from endcap.store.states import ModelRow
from endcap.store.writes import MODELS_MAX, PutModel, RemoveModel
from tests.store.writes import NOON, at, commit, committed, create, new_tracker, some_tracker


def put_model(
    tracker: TrackerId,
    name: str = "basket",
    document: bytes = b'{"strategy":"popular"}',
    *,
    seconds: float = 0,
    expected: frozenset[int] | None = None,
) -> PutModel:
    return PutModel(tracker, name, document, "ann", at(seconds), expected)


def remove(
    tracker: TrackerId, name: str = "basket", *, expected: frozenset[int] | None = None
) -> RemoveModel:
    return RemoveModel(tracker, name, "ann", NOON, expected)


def test_a_model_is_kept_byte_for_byte(store: Store, tracker: TrackerId) -> None:
    """And read by everyone who reads it: alone, in a load, among the changes; ordered by name."""
    odd = "košík \N{GUITAR} '%s"
    since = store.revisions()[tracker]

    (made,) = committed(store, put_model(tracker, document=b'{ "x":1}'))
    (other,) = committed(store, put_model(tracker, odd, b"bytes \x00"))

    rows = [
        ModelRow("basket", b'{ "x":1}', NOON, since + 1),
        ModelRow(odd, b"bytes \x00", NOON, since + 2),
    ]
    assert [made.model, other.model] == rows
    assert [made.revision, other.revision] == [since + 1, since + 2]
    assert list(store.models(tracker)) == rows
    with store.load(tracker) as load:
        assert list(load.models()) == rows
    assert store.changes(tracker, since=since).models == {"basket": rows[0], odd: rows[1]}
    assert store.changes(tracker, since=since + 1).models == {odd: rows[1]}
    assert store.changes(tracker, since=since + 2).models == {}


def test_a_table_is_its_trackers_own(store: Store, tracker: TrackerId) -> None:
    """The same name means for each tracker what that tracker says."""
    other = some_tracker()
    committed(store, new_tracker(other), put_model(other, document=b"other"), put_model(tracker))

    assert [row.document for row in store.models(other)] == [b"other"]
    assert [row.document for row in store.models(tracker)] == [b'{"strategy":"popular"}']
    (refused,) = commit(store, put_model(TrackerId("no such")))
    assert isinstance(refused, TrackerNotFound)


def test_history_tells_who_set_what(store: Store, tracker: TrackerId) -> None:
    """Old and new document, the actor, the action."""
    committed(store, put_model(tracker, document=b"1"))
    committed(store, put_model(tracker, document=b"2"))
    committed(store, remove(tracker))

    lines = list(store.history(tracker, subject="basket"))

    assert [(line.kind, line.action, line.old, line.new, line.actor) for line in lines] == [
        ("model", "create", None, b"1", "ann"),
        ("model", "replace", b"1", b"2", "ann"),
        ("model", "delete", b"2", None, "ann"),
    ]


def test_the_same_document_changes_nothing(store: Store, tracker: TrackerId) -> None:
    """No revision is spent, nothing is logged, the time of the change stays."""
    (made,) = committed(store, put_model(tracker))

    (again,) = committed(store, put_model(tracker, seconds=60))

    assert again.model == made.model
    assert again.revision == made.revision == store.revisions()[tracker]
    assert len(list(store.history(tracker, subject="basket"))) == 1


def test_what_leaves_the_table_is_told_as_gone(store: Store, tracker: TrackerId) -> None:
    """Followers hear that it went; taking it away once more is refused."""
    (made,) = committed(store, put_model(tracker))

    committed(store, remove(tracker))
    (refused,) = commit(store, remove(tracker))

    assert list(store.models(tracker)) == []
    assert store.changes(tracker, since=made.revision).models == {"basket": None}
    assert isinstance(refused, RecommenderNotFound)


def test_a_stale_writer_is_refused(store: Store, tracker: TrackerId) -> None:
    """Who names a revision writes over that one only; 0 stands for a name that is not in the table."""
    (made,) = committed(store, put_model(tracker, expected=frozenset({0})))
    stale = frozenset({0, made.revision + 7})

    outcomes = commit(
        store,
        put_model(tracker, document=b"2", expected=stale),
        remove(tracker, expected=stale),
        put_model(tracker, "new", expected=frozenset({made.revision})),
        put_model(tracker, document=b"3", expected=frozenset({made.revision})),
    )

    assert [type(each) for each in outcomes[:3]] == [RevisionConflict] * 3
    assert [row.document for row in store.models(tracker)] == [b"3"]


def test_writes_of_one_commit_see_each_other(store: Store, tracker: TrackerId) -> None:
    """In their order, among writes of other kinds, a revision each."""
    before = store.revisions()[tracker]

    committed(
        store,
        put_model(tracker, document=b"1"),
        create(tracker),
        remove(tracker),
        put_model(tracker, document=b"2"),
    )

    assert [(row.document, row.revision) for row in store.models(tracker)] == [(b"2", before + 4)]


def test_a_full_table_takes_no_more(store: Store, tracker: TrackerId) -> None:
    """What is in it can still be changed, and what leaves it makes room."""
    committed(store, *(put_model(tracker, f"m{n}") for n in range(MODELS_MAX)))

    (refused,) = commit(store, put_model(tracker, "one more"))

    assert isinstance(refused, FaultyFields)
    assert refused.details == {"name": [f"The table is full: it holds {MODELS_MAX} models at most"]}
    committed(store, put_model(tracker, "m0", b"changed"))
    committed(store, remove(tracker, "m1"), put_model(tracker, "one more"))
    assert len(store.models(tracker)) == MODELS_MAX


@pytest.mark.parametrize("name", ["a" * 100, "x y", "ÄÖ", "."])
def test_names_come_back_exactly(store: Store, tracker: TrackerId, name: str) -> None:
    """Whatever the application allows."""
    committed(store, put_model(tracker, name))

    assert [row.name for row in store.models(tracker)] == [name]
