"""
Drafts, and many customizations changed as one: what the store promises of them.
"""

from concurrent.futures import ThreadPoolExecutor

import msgspec

from endcap.domain import CustomizationId, TrackerId
from endcap.errors import (
    DraftConflict,
    DraftNotFound,
    PublishConflict,
    RevisionConflict,
)
from endcap.store.port import LogFilter, Place, Store
from endcap.store.writes import (
    Committed,
    DiscardDraft,
    HoldDraft,
    PublishDraft,
    ReviseCustomizations,
    Revised,
    SaveDraft,
    ScheduleDraft,
    Unpublish,
    Version,
)
from endcap.wire.versions import read_draft
from tests.store.writes import (
    NOON,
    at,
    commit,
    committed,
    create,
    definition,
    delete,
    recorded,
    replace,
    some_id,
)

MINE = definition(b'{"model":"mine"}', model="mine")


def save(
    tracker: TrackerId, id: CustomizationId, base: int | None = None, *revisions: int
) -> SaveDraft:
    expected = frozenset(revisions) if revisions else None
    return SaveDraft(tracker, id, MINE, base, "ann", at(1), expected)


def publish(tracker: TrackerId, id: CustomizationId, draft: int, *over: int) -> PublishDraft:
    return PublishDraft(tracker, id, MINE, draft, "pia", at(2), frozenset(over) if over else None)


def test_a_draft_is_kept_beside_what_is_published(store: Store, tracker: TrackerId) -> None:
    """Nothing that is served changes, and no mirror is told of any customization."""
    id_ = some_id()
    record = recorded(store, create(tracker, id_))

    (outcome,) = committed(store, save(tracker, id_, record.revision))

    draft = store.draft(tracker, id_)
    assert draft is not None
    assert outcome.draft == draft
    assert (draft.document, draft.base, draft.author) == (MINE.document, record.revision, "ann")
    assert store.customization(tracker, id_) == record
    assert store.changes(tracker, since=record.revision).records == {}


def test_a_draft_that_was_changed_meanwhile_is_not_overwritten(
    store: Store, tracker: TrackerId
) -> None:
    """Whoever expects none, or another revision, is told; 0 stands for none."""
    id_ = some_id()
    (first,) = committed(store, save(tracker, id_, None, 0))

    assert isinstance(commit(store, save(tracker, id_, None, 0))[0], DraftConflict)
    (second,) = committed(store, save(tracker, id_, None, first.revision))
    stale = frozenset({first.revision})
    for write in (
        DiscardDraft(tracker, id_, "bob", NOON, stale),
        ScheduleDraft(tracker, id_, at(9), "bob", NOON, stale),
        HoldDraft(tracker, id_, "no", "bob", NOON, stale),
        publish(tracker, id_, first.revision),
    ):
        assert isinstance(commit(store, write)[0], DraftConflict)
    assert store.draft(tracker, id_) == second.draft


def test_publishing_takes_the_draft_and_changes_what_is_published_in_one_revision(
    store: Store, tracker: TrackerId
) -> None:
    """Who made the customization, and when, stays; the log tells both lines."""
    id_ = some_id()
    record = recorded(store, create(tracker, id_, creator="cleo", now=at(-9)))
    (saved,) = committed(store, save(tracker, id_, record.revision))

    published = recorded(store, publish(tracker, id_, saved.revision))

    assert store.draft(tracker, id_) is None
    assert (published.model, published.creator, published.created_at) == ("mine", "cleo", at(-9))
    lines = list(store.history(tracker, subject=id_))[-2:]
    assert [(each.kind, each.action, each.revision) for each in lines] == [
        ("customization", "replace", published.revision),
        ("draft", "delete", published.revision),
    ]
    assert lines[1].old is not None
    assert read_draft(id_, lines[1].old).author == "ann"


def test_a_new_customization_begins_as_a_draft(store: Store, tracker: TrackerId) -> None:
    """Whoever saved the draft first made it, whoever publishes it."""
    id_ = some_id()
    (saved,) = committed(store, save(tracker, id_))

    published = recorded(store, publish(tracker, id_, saved.revision))

    assert (published.id, published.creator, published.created_at) == (id_, "ann", at(1))


def test_publishing_over_what_somebody_changed_is_refused(store: Store, tracker: TrackerId) -> None:
    """Changed, deleted or made since; unless the publisher has seen just that."""
    changed, gone, made = (some_id() for _ in range(3))
    first, second = (recorded(store, create(tracker, each)) for each in (changed, gone))
    saved = committed(
        store,
        save(tracker, changed, first.revision),
        save(tracker, gone, second.revision),
        save(tracker, made),
    )
    theirs = recorded(store, replace(tracker, changed))
    committed(store, delete(tracker, gone))
    new = recorded(store, create(tracker, made))

    for id_, draft in zip((changed, gone, made), saved, strict=True):
        assert isinstance(commit(store, publish(tracker, id_, draft.revision))[0], PublishConflict)
        assert store.draft(tracker, id_) == draft.draft
    for id_, draft, seen in zip(
        (changed, gone, made), saved, (theirs.revision, 0, new.revision), strict=True
    ):
        assert recorded(store, publish(tracker, id_, draft.revision, seen)).model == "mine"


def test_of_many_who_publish_one_draft_one_does(store: Store, tracker: TrackerId) -> None:
    """The others find that it is gone: a draft is published once, whoever tries."""
    id_ = some_id()
    (saved,) = committed(store, save(tracker, id_))

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(
            threads.map(lambda _: commit(store, publish(tracker, id_, saved.revision))[0], range(8))
        )

    assert sum(isinstance(each, Committed) for each in outcomes) == 1
    assert sum(isinstance(each, DraftNotFound) for each in outcomes) == 7


def test_unpublishing_keeps_it_as_a_draft(store: Store, tracker: TrackerId) -> None:
    """With its origin, so that it comes back as what it was; a draft that there is stays as it is."""
    alone, beside = some_id(), some_id()
    for each in (alone, beside):
        committed(store, create(tracker, each, creator="cleo", now=at(-9)))
    committed(store, save(tracker, beside, 1))

    unpublished = committed(
        store, *(Unpublish(tracker, each, "pia", at(3)) for each in (alone, beside))
    )

    assert store.customizations(tracker, [alone, beside]) == {}
    first, second = (store.draft(tracker, each) for each in (alone, beside))
    assert first is not None
    assert second is not None
    assert [each.draft for each in unpublished] == [first, second]
    assert (first.base, first.creator, first.created_at) == (None, "cleo", at(-9))
    assert second.document == MINE.document
    back = recorded(store, PublishDraft(tracker, alone, definition(), first.revision, "pia", at(4)))
    assert (back.creator, back.created_at) == ("cleo", at(-9))


def test_drafts_are_due_when_their_time_has_come(store: Store, tracker: TrackerId) -> None:
    """The earliest first; saving one anew, or holding it, takes its time away."""
    ids = [some_id() for _ in range(4)]
    committed(store, *(save(tracker, each) for each in ids))
    committed(
        store,
        *(
            ScheduleDraft(tracker, each, at(10 - number), "pia", NOON)
            for number, each in enumerate(ids)
        ),
        save(tracker, ids[0]),
        HoldDraft(tracker, ids[1], "somebody changed it", "schedule", NOON),
    )

    due = [each.draft for each in store.due(at(9), limit=100) if each.tracker == tracker]

    assert [each.id for each in due] == [ids[3], ids[2]]
    assert {each.publisher for each in due} == {"pia"}
    assert [each.id for each in store.drafts(tracker, limit=2)] == [ids[3], ids[2]]
    held = store.draft(tracker, ids[1])
    assert held is not None
    assert (held.held, held.publish_at) == ("somebody changed it", None)


def test_many_are_revised_all_or_nothing(store: Store, tracker: TrackerId) -> None:
    """More than one batch of them, under one revision; one that is another one refuses them all."""
    kept = [recorded(store, create(tracker)) for _ in range(3)]
    ids = [some_id() for _ in range(2_500)]
    wanted = msgspec.structs.replace(definition(tags=("a",)), disabled=False)
    new = Version(wanted, "cleo", at(-5))
    revised = [Revised(each, 0, new) for each in ids] + [
        Revised(kept[0].id, kept[0].revision, None)
    ]
    committed(store, replace(tracker, kept[1].id))

    refused, later = commit(
        store,
        ReviseCustomizations(
            tracker, [*revised, Revised(kept[1].id, kept[1].revision, None)], "pia", NOON
        ),
        create(tracker, some_id()),
    )
    assert isinstance(refused, RevisionConflict)
    assert isinstance(later, Committed)
    assert store.customizations(tracker, ids) == {}
    (done,) = committed(store, ReviseCustomizations(tracker, revised, "pia", NOON))

    found = store.customizations(tracker, ids)
    assert len(found) == 2_500
    assert {each.revision for each in found.values()} == {done.revision} == {later.revision + 1}
    assert store.customization(tracker, kept[0].id) is None
    assert store.summary(tracker).tags == ["a"]
    places = [place for place, _ in store.lines(tracker, LogFilter(), limit=5_000)]
    assert places[: len(revised)] == [
        Place(done.revision, ordinal) for ordinal in reversed(range(len(revised)))
    ]
