"""
Random histories, through the decision alone and through both adapters, against the naive store.
"""

from collections.abc import Collection, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from endcap.domain import (
    AllTarget,
    CatalogObject,
    CustomizationId,
    Definition,
    Draft,
    Field,
    FieldKind,
    Filter,
    ItemId,
    ItemTarget,
    Merge,
    Micros,
    Record,
    Shape,
    Sort,
    TrackerId,
)
from endcap.errors import CatalogFault
from endcap.store.commit import carry_out
from endcap.store.port import LogFilter, Store, Touched
from endcap.store.states import ChangeRow, Job, TrackerRow
from endcap.store.transaction import Effects, Names, Present, Replay, ReplayKey
from endcap.store.writes import (
    AddKey,
    CommitGeneration,
    Committed,
    CreateCustomization,
    CreateTracker,
    DeleteCustomization,
    DiscardDraft,
    HoldDraft,
    Idempotency,
    MergeObjects,
    Outcome,
    PublishArtifact,
    PublishDraft,
    PutObjects,
    RemoveObjects,
    ReplaceCustomization,
    ResetField,
    RestoreCustomization,
    ReviseCustomizations,
    Revised,
    RevisedDraft,
    RevokeKey,
    SaveDraft,
    ScheduleDraft,
    Unpublish,
    Version,
    Write,
)
from tests.store.naive import DAY, NaiveStore
from tests.store.writes import NOON, some_tracker

TRACKERS = [TrackerId("A"), TrackerId("b")]
IDS = [CustomizationId(each) for each in ("1", "2", "3")]
IDENTITIES = [ItemId(each) for each in ("/a", "/A", "/é")]

trackers = st.sampled_from(TRACKERS)
ids = st.sampled_from(IDS)
identities = st.sampled_from(IDENTITIES)
documents = st.sampled_from([b"{}", b'{"a":1}', b"\x00\xff"])
DERIVED = b'{"identity":"/a","type":"a","derived":true}'
texts = st.sampled_from(["Z", "a", "é"])
instants = st.sampled_from([NOON, NOON, NOON + 1, NOON + DAY - 1, NOON + DAY]).map(Micros)
expected = st.none() | st.frozensets(st.integers(1, 8), max_size=3)
KINDS: list[FieldKind] = ["text", "number", "date"]
shapes = st.dictionaries(texts, st.sampled_from(KINDS), max_size=2).map(lambda d: tuple(d.items()))
inner = st.sampled_from([ItemId("/n"), ItemId("/N")])
derived = st.builds(CatalogObject, inner, texts, st.none() | texts, st.just(DERIVED))
sent = st.builds(CatalogObject, inner, texts, st.none() | texts, st.just(b'{"type":"a"}'))
objects = sent | st.builds(
    CatalogObject,
    identities,
    texts,
    st.none() | texts,
    documents,
    shapes,
    st.lists(derived, max_size=2).map(tuple),
)


def definition(
    model: str,
    identity: ItemId | None,
    tags: list[str],
    document: bytes,
    metadata: bytes | None,
    disabled: bool | None,
) -> Definition:
    target = AllTarget() if identity is None else ItemTarget(identity)
    kind = "all" if identity is None else "item"
    return Definition(model, kind, target, (), tuple(tags), document, metadata, disabled)


definitions = st.builds(
    definition,
    texts,
    st.none() | identities,
    st.lists(texts, max_size=3, unique=True),
    documents,
    st.none() | documents,
    st.sampled_from([None, False, True]),
)


closed = definitions.filter(lambda each: each.disabled is not None)
revisions = st.sampled_from([0, 0, 2, 3, 4, 5])
drafts = st.builds(
    Draft,
    ids,
    documents,
    st.none() | revisions,
    texts,
    instants,
    st.just(0),
    texts,
    instants,
    st.none() | instants,
    st.none() | texts,
    st.none() | texts,
)


def named_once(each: Revised | RevisedDraft) -> CustomizationId:
    return each.id


@st.composite
def merges(draw: st.DrawFn) -> dict[ItemId, Merge]:
    def merge(identity: ItemId, how: str, document: bytes, shape: Shape) -> Merge:
        def refuse_the_unknown(before: bytes | None) -> CatalogObject | CatalogFault:
            if before is None:
                return CatalogFault("not_found", "Identity not in catalog")
            return CatalogObject(identity, "a", None, document, shape)

        def append(before: bytes | None) -> CatalogObject:
            return CatalogObject(identity, "a", None, (before or b"") + document)

        def keep(before: bytes | None) -> CatalogObject:
            return CatalogObject(identity, "a", None, before or b"new")

        def leave(before: bytes | None) -> None:
            return None

        change = {"refuse": refuse_the_unknown, "append": append, "keep": keep, "leave": leave}[how]
        return Merge(change, frozenset(name for name, _ in shape))

    chosen = draw(st.lists(identities, unique=True))
    hows = st.sampled_from(["refuse", "append", "keep", "leave"])
    return {each: merge(each, draw(hows), draw(documents), draw(shapes)) for each in chosen}


writes: st.SearchStrategy[Write] = st.one_of(
    st.builds(
        CreateCustomization,
        trackers,
        ids,
        definitions,
        texts,
        instants,
        st.none() | st.builds(Idempotency, texts, texts),
        created_at=st.none() | instants,
        actor=st.none() | texts,
    ),
    st.builds(ReplaceCustomization, trackers, ids, definitions, texts, instants, expected),
    st.builds(DeleteCustomization, trackers, ids, texts, instants, expected),
    st.builds(RestoreCustomization, trackers, ids, definitions, texts, instants, texts, instants),
    st.builds(
        SaveDraft, trackers, ids, definitions, st.none() | revisions, texts, instants, expected
    ),
    st.builds(DiscardDraft, trackers, ids, texts, instants, expected),
    st.builds(ScheduleDraft, trackers, ids, st.none() | instants, texts, instants, expected),
    st.builds(HoldDraft, trackers, ids, texts, texts, instants, expected),
    st.builds(
        PublishDraft,
        trackers,
        ids,
        definitions,
        revisions,
        texts,
        instants,
        st.none() | st.frozensets(revisions, max_size=3),
    ),
    st.builds(Unpublish, trackers, ids, texts, instants, expected),
    st.builds(
        ReviseCustomizations,
        trackers,
        st.lists(
            st.builds(
                Revised, ids, revisions, st.none() | st.builds(Version, closed, texts, instants)
            ),
            max_size=3,
            unique_by=named_once,
        ),
        texts,
        instants,
        st.lists(
            st.builds(RevisedDraft, ids, revisions, st.none() | drafts, st.booleans()),
            max_size=2,
            unique_by=named_once,
        ),
    ),
    st.builds(PutObjects, trackers, st.lists(objects, max_size=4), texts, instants),
    st.builds(MergeObjects, trackers, merges(), texts, instants),
    st.builds(CommitGeneration, trackers, texts, texts, texts, instants),
    st.builds(ResetField, trackers, texts, st.none() | st.sampled_from(KINDS), texts, instants),
    st.builds(RemoveObjects, trackers, st.dictionaries(identities, texts), texts, instants),
    st.builds(CreateTracker, trackers, texts, documents, texts, instants),
    st.builds(AddKey, trackers, documents, texts, instants),
    st.builds(RevokeKey, trackers, documents, texts, instants),
    st.builds(
        PublishArtifact,
        trackers,
        texts,
        texts,
        instants,
        st.none() | st.frozensets(st.none() | texts),
    ),
)
begun: list[Write] = [CreateTracker(TRACKERS[0], "A", b"{}", "a", NOON)]


def with_a_clock(commits: list[list[Write]]) -> list[list[Write]]:
    """Time goes on from write to write, by what each write's own instant is after noon."""
    clock = NOON
    history: list[list[Write]] = []
    for commit in [begun, *commits]:
        history.append([])
        for write in commit:
            clock = Micros(clock + write.now - NOON)
            history[-1].append(replace(write, now=clock))
    return history


histories = st.lists(st.lists(writes, max_size=8), max_size=6).map(with_a_clock)


def spelled(outcome: Outcome) -> object:
    """Outcomes that compare: problems by kind, faults by their words."""
    if isinstance(outcome, Committed):
        faults = {key: (each.kind, each.reason) for key, each in outcome.faults.items()}
        counts = (outcome.kept, outcome.removed)
        made = (outcome.record, outcome.replayed, outcome.draft)
        return (outcome.revision, *made, faults, counts)
    return type(outcome)


def unnamed(lines: Sequence[ChangeRow]) -> list[ChangeRow]:
    """The log without what it calls a key; what goes at once goes in no order."""
    told = [replace(line, subject="*") if line.kind == "key" else line for line in lines]
    goes = ("object", "delete")
    return sorted(told, key=lambda e: (e.revision, e.subject if (e.kind, e.action) == goes else ""))


class Tables:
    """The rows that an adapter would keep, and what each statement would do to them."""

    def __init__(self) -> None:
        self.trackers: dict[TrackerId, TrackerRow] = {}
        self.records: dict[tuple[TrackerId, CustomizationId], Record] = {}
        self.tags: set[tuple[TrackerId, CustomizationId, str]] = set()
        self.objects: dict[tuple[TrackerId, ItemId], CatalogObject] = {}
        self.replays: dict[ReplayKey, Replay] = {}
        self.drafts: dict[tuple[TrackerId, CustomizationId], Draft] = {}
        self.changes: list[tuple[TrackerId, int, ChangeRow]] = []
        self.fields: dict[tuple[TrackerId, str], Field] = {}
        self.jobs: dict[tuple[TrackerId, int], Job] = {}

    def claim_trackers(self, trackers: Sequence[TrackerRow]) -> Collection[TrackerId]:
        new = [each for each in trackers if each.id not in self.trackers]
        self.trackers |= {each.id: each for each in new}
        return [each.id for each in new]

    def lock_trackers(self, trackers: Sequence[TrackerId]) -> Sequence[TrackerRow]:
        assert list(trackers) == sorted(trackers)
        return [self.trackers[each] for each in trackers if each in self.trackers]

    def fetch_present(self, names: Names) -> Present:
        def present(table: dict[Any, Any], keys: Sequence[Any]) -> dict[Any, Any]:
            assert len(keys) == len(set(keys))
            return {key: table[key] for key in keys if key in table}

        return Present(
            present(self.records, names.records),
            present(self.objects, names.objects),
            present(self.replays, names.replays),
            present(self.fields, names.fields),
            present(self.jobs, names.jobs),
            drafts=present(self.drafts, names.drafts),
        )

    def count_generation(self, write: CommitGeneration) -> int:
        return sum(each.generation == write.generation for _, each in self.of_type(write))

    def of_type(
        self, write: CommitGeneration
    ) -> list[tuple[tuple[TrackerId, ItemId], CatalogObject]]:
        return [
            (key, each)
            for key, each in self.objects.items()
            if key[0] == write.tracker and each.type == write.type
        ]

    def sweep(self, write: CommitGeneration, *, limit: int) -> Sequence[ItemId]:
        gone = [key for key, each in self.of_type(write) if each.generation != write.generation]
        for key in gone[:2]:  # whoever asks goes on until nothing is left
            del self.objects[key]
        return [identity for _, identity in gone[:2]]

    def write(self, effects: Effects) -> None:
        for tracker, record in effects.saved:
            self.records[tracker, record.id] = record
        for tracker, record in effects.rewritten:
            before = self.records[tracker, record.id]
            kept = {
                name: getattr(before, name)
                for name in ("model", "target_type", "target_identity", "creator", "created_at")
            }
            self.records[tracker, record.id] = replace(record, **kept)
        for key in effects.deleted:
            del self.records[key]
        self.tags = {tag for tag in self.tags if tag[:2] not in effects.untagged}
        assert self.tags.isdisjoint(effects.tagged)
        assert len(set(effects.tagged)) == len(effects.tagged)
        self.tags |= set(effects.tagged)
        for tracker, each in effects.objects:
            self.objects[tracker, each.identity] = each
        for gone in effects.removed:
            del self.objects[gone]
        for tracker, draft in effects.drafts:
            self.drafts[tracker, draft.id] = draft
        for key in effects.drafts_deleted:
            del self.drafts[key]
        self.replays |= dict(effects.replays)
        self.changes += effects.changes
        self.fields |= {(tracker, each.name): each for tracker, each in effects.fixed}
        for name in effects.forgotten:
            self.fields.pop(name, None)
        self.replays = {
            key: replay
            for key, replay in self.replays.items()
            if replay.created_at > effects.outdated.get(key[0], replay.created_at - 1)
        }

    def save_trackers(self, trackers: Sequence[TrackerRow]) -> None:
        self.trackers |= {each.id: each for each in trackers}


@settings(max_examples=400)
@given(histories, st.integers(1, 5))
def test_decisions_agree_with_the_naive_store(history: list[list[Write]], names_max: int) -> None:
    """Outcome by outcome and row by row, however small the batches are that a commit is cut into."""
    naive, tables = NaiveStore(), Tables()

    for commit in history:
        outcomes = carry_out(commit, tables, names_max=names_max)
        assert [*map(spelled, outcomes)] == [spelled(naive.take(write)) for write in commit]

        assert tables.trackers == naive.trackers
        assert tables.records == naive.records
        assert tables.objects == naive.objects
        assert tables.drafts == naive.drafts
        assert tables.fields == naive.fields
        assert tables.tags == {(*key, t) for key, each in naive.records.items() for t in each.tags}

    lines = sorted(tables.changes, key=lambda each: (each[0], each[2].revision, each[1]))
    for tracker, expected_lines in naive.history.items():
        mine = [(ordinal, line) for name, ordinal, line in lines if name == tracker]
        assert unnamed([line for _, line in mine]) == unnamed(expected_lines)
        places = [(line.revision, ordinal) for ordinal, line in mine]
        assert len(set(places)) == len(places)


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(histories, st.data())
def test_adapters_agree_with_the_naive_store(
    store: Store, history: list[list[Write]], data: st.DataObject
) -> None:
    """What every read tells after every commit."""
    names = {each: some_tracker() for each in TRACKERS}
    naive = NaiveStore()

    for commit in history:
        renamed = [replace(write, tracker=names[write.tracker]) for write in commit]
        since = {tracker: row.revision for tracker, row in naive.trackers.items()}
        outcomes = store.commit(renamed)
        assert [*map(spelled, outcomes)] == [spelled(naive.take(write)) for write in renamed]

        for tracker, row in naive.trackers.items():
            assert store.tracker(tracker) == row
            records = {id_: each for (name, id_), each in naive.records.items() if name == tracker}
            things = {id_: each for (name, id_), each in naive.objects.items() if name == tracker}
            with store.load(tracker) as load:
                assert {each.id: each for each in load.records()} == records
                assert {each.identity: each for each in load.objects()} == things
            assert store.fields(tracker) == [
                each for (name, _), each in sorted(naive.fields.items()) if name == tracker
            ]
            seen = since.get(tracker, 0)
            lines = [line for line in naive.history[tracker] if line.revision > seen]
            changes = store.changes(tracker, since=seen)
            assert changes.records == {
                line.subject: records.get(CustomizationId(line.subject))
                for line in lines
                if line.kind == "customization"
            }
            assert changes.objects == {
                line.subject: things.get(ItemId(line.subject))
                for line in lines
                if line.kind == "object"
            }
            assert unnamed(list(store.history(tracker))) == unnamed(naive.history[tracker])
            stretch = [line for line in naive.history[tracker] if seen < line.revision <= seen + 3]
            assert unnamed(list(store.log(tracker, after=seen, through=seen + 3))) == unnamed(
                stretch
            )
            check_the_past(store, naive, tracker, data)
            filter_ = data.draw(filters)
            sort = data.draw(sorts)
            found = sorted_by([each for each in records.values() if meets(each, filter_)], sort)
            page = store.page(tracker, filter_, sort=sort, limit=2, offset=1)
            assert (page.total, list(page.records)) == (len(found), found[1:3])
            assert list(store.records(tracker, filter_, sort=sort)) == found
            summary = store.summary(tracker)
            models = [each.model for each in records.values()]
            assert summary.counts == {each: models.count(each) for each in sorted(set(models))}
            assert summary.tags == sorted({tag for each in records.values() for tag in each.tags})


def check_the_past(
    store: Store, naive: NaiveStore, tracker: TrackerId, data: st.DataObject
) -> None:
    """What is told of drafts, of the log, and of what customizations were."""
    drafts = {id_: each for (name, id_), each in naive.drafts.items() if name == tracker}
    assert {each.id: each for each in store.drafts(tracker, limit=10)} == drafts
    assert store.count_drafts(tracker) == len(drafts)
    assert store.drafts_named(tracker, [*IDS, CustomizationId("none")]) == drafts
    assert {each: store.draft(tracker, each) for each in drafts} == drafts
    log = naive.history[tracker]
    since = data.draw(st.integers(0, log[-1].revision))
    changed = [line for line in log if line.revision > since and line.kind == "customization"]
    assert {each.id: each for each in store.touched(tracker, since=since)} == {
        id_: Touched(
            id_,
            next(line.old for line in changed if line.subject == id_),
            [line.old for line in changed if line.subject == id_][-1],
            naive.records.get((tracker, id_)),
        )
        for id_ in {CustomizationId(line.subject) for line in changed}
    }
    moment = Micros(data.draw(st.sampled_from(log)).at + data.draw(st.integers(-1, 1)))
    by_then = [line.revision for line in log if line.at <= moment]
    assert store.revision_at(tracker, moment) == (by_then[-1] if by_then else 0)
    wanted = data.draw(log_filters)
    told = [line for line in reversed(log) if is_wanted(line, wanted)]
    read: list[ChangeRow] = []
    place = None
    while page := store.lines(tracker, wanted, before=place, limit=2):
        assert len(page) <= 2
        read += [line for _, line in page]
        place = page[-1][0]
    assert unnamed(read) == unnamed(told)


log_filters = st.builds(
    LogFilter,
    st.lists(st.sampled_from(["customization", "draft", "object"]), max_size=2).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
    st.lists(st.sampled_from(["create", "delete"]), max_size=1).map(tuple),
    st.none() | ids,
    st.none() | instants,
    st.none() | instants,
)


def is_wanted(line: ChangeRow, wanted: LogFilter) -> bool:
    return (
        (not wanted.kinds or line.kind in wanted.kinds)
        and (not wanted.actors or line.actor in wanted.actors)
        and (not wanted.actions or line.action in wanted.actions)
        and (wanted.subject is None or line.subject == wanted.subject)
        and (wanted.since is None or line.at >= wanted.since)
        and (wanted.until is None or line.at < wanted.until)
    )


some_texts = st.lists(texts, max_size=2).map(tuple)
filters = st.builds(
    Filter,
    some_texts,
    some_texts,
    st.lists(st.sampled_from(["item", "all"]), max_size=1).map(tuple),
    st.lists(identities, max_size=2).map(tuple),
)
sorts = st.lists(
    st.builds(
        Sort,
        st.sampled_from(
            ["created_at", "updated_at", "model", "target_type", "target_identity", "creator"]
        ),
        st.booleans(),
    ),
    max_size=2,
)


def meets(record: Record, filter: Filter) -> bool:
    return (
        (not filter.models or record.model in filter.models)
        and (not filter.tags or not set(filter.tags).isdisjoint(record.tags))
        and (not filter.target_types or record.target_type in filter.target_types)
        and (not filter.target_identities or record.target_identity in filter.target_identities)
    )


def sorted_by(records: list[Record], sort: list[Sort]) -> list[Record]:
    ordered = sorted(records, key=lambda record: record.id)
    for each in reversed(sort):
        ordered.sort(key=lambda r: getattr(r, each.column) or "", reverse=each.descending)
    return ordered
