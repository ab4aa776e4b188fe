"""
Lists: filters, sorts, pages, tags and summaries.
"""

import itertools
from collections.abc import Sequence

import pytest

from endcap.domain import Filter, Record, Sort, SortColumn, TrackerId
from endcap.store import open_store
from endcap.store.port import Store, Summary
from tests.store.writes import (
    at,
    committed,
    create,
    definition,
    delete,
    new_tracker,
    replace,
    some_id,
    some_tracker,
)

COLUMNS: tuple[SortColumn, ...] = (
    "created_at",
    "updated_at",
    "model",
    "target_type",
    "target_identity",
    "creator",
)
TEXTS = ("Z", "a", "é", "A", "z", "\N{GUITAR}", "\uffee", "a b", "ab", "_")
"""In no order; the guitar is above U+FFEE by code point and below it in UTF-16."""


def documents(records: Sequence[Record]) -> list[bytes]:
    return [each.document for each in records]


def found(store: Store, tracker: TrackerId, filter: Filter) -> set[bytes]:
    """What a filter finds: as a page, as a count and as a stream, which must agree."""
    page = store.page(tracker, filter, limit=100, offset=0)
    streamed = list(store.records(tracker, filter))
    assert page.total == len(page.records) == len(streamed)
    assert set(documents(page.records)) == set(documents(streamed))
    return set(documents(streamed))


def test_an_empty_list(store: Store, tracker: TrackerId) -> None:
    """No records, total zero, also of a tracker that does not exist."""
    for each in (tracker, some_tracker()):
        page = store.page(each, Filter(), limit=25, offset=0)
        assert (page.total, list(page.records)) == (0, [])
        assert list(store.records(each, Filter())) == []
        assert store.summary(each) == Summary({}, [])


def test_pages_are_slices_of_the_whole(store: Store, tracker: TrackerId) -> None:
    """Every page tells the total; beyond the end there is an empty page; limit 0 is an empty one too."""
    committed(store, *(create(tracker, wanted=definition(b"%d" % n), now=at(n)) for n in range(10)))

    pages = [store.page(tracker, Filter(), limit=4, offset=offset) for offset in (0, 4, 8, 12)]

    assert [documents(page.records) for page in pages] == [
        [b"9", b"8", b"7", b"6"],
        [b"5", b"4", b"3", b"2"],
        [b"1", b"0"],
        [],
    ]
    assert [page.total for page in pages] == [10] * 4
    assert list(store.page(tracker, Filter(), limit=0, offset=0).records) == []


def test_default_orders(store: Store, tracker: TrackerId) -> None:
    """Pages show the newest first, streams the oldest; in both, equals are in order of their ids."""
    ids = sorted(some_id() for _ in range(6))
    writes = [create(tracker, each, now=at(n // 3)) for n, each in enumerate(ids)]
    committed(store, *reversed(writes))

    page = store.page(tracker, Filter(), limit=9, offset=0)

    assert [each.id for each in page.records] == ids[3:] + ids[:3]
    assert [each.id for each in store.records(tracker, Filter())] == ids


@pytest.fixture(scope="module")
def sorted_shop(database: str) -> TrackerId:
    """Records with every text of TEXTS in every column that is sorted by, and some without identity."""
    tracker = some_tracker()
    store = open_store(database)
    committed(store, new_tracker(tracker))
    writes = []
    for number, (left, right) in enumerate(itertools.product(TEXTS, TEXTS[:3])):
        identity = None if number % 4 == 0 else right + left
        wanted = definition(b"%d" % number, model=left, identity=identity)
        writes.append(create(tracker, wanted=wanted, creator=right, now=at(number % 7)))
    committed(store, *writes)
    committed(
        store,
        *(
            replace(tracker, each.id, each.definition, now=at(50 - n // 2))
            for n, each in enumerate(writes[::2])
        ),
    )
    store.close()
    return tracker


def key(record: Record, column: SortColumn) -> int | str:
    """What Python sorts by: its texts compare by code point."""
    value: int | str | None = getattr(record, column)
    return "" if value is None else value


def in_order(records: Sequence[Record], sort: Sequence[Sort]) -> list[Record]:
    ordered = sorted(records, key=lambda record: record.id)
    for each in reversed(sort):
        ordered.sort(key=lambda record: key(record, each.column), reverse=each.descending)
    return ordered


@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_sorts_by_code_point(
    store: Store, sorted_shop: TrackerId, column: SortColumn, *, descending: bool
) -> None:
    """Capitals before small letters, these before accents; no identity is the empty text; ties by id."""
    sort = (Sort(column, descending=descending),)
    records = list(store.records(sorted_shop, Filter(), sort=sort))

    assert len(records) == 30
    assert records == in_order(records, sort)
    for offset in range(0, 30, 7):
        page = store.page(sorted_shop, Filter(), sort=sort, limit=7, offset=offset)
        assert list(page.records) == records[offset : offset + 7]


@pytest.mark.parametrize("columns", list(itertools.permutations(COLUMNS, 2)))
def test_several_columns_sort_in_turn(
    store: Store, sorted_shop: TrackerId, columns: tuple[SortColumn, SortColumn]
) -> None:
    """The second decides where the first is equal, each in its own direction."""
    sort = (Sort(columns[0], descending=True), Sort(columns[1], descending=False))

    page = store.page(sorted_shop, Filter(), sort=sort, limit=30, offset=0)

    assert list(page.records) == in_order(page.records, sort)


def test_no_sort_is_by_id(store: Store, sorted_shop: TrackerId) -> None:
    """An order nevertheless, so that pages do not overlap."""
    ids = [each.id for each in store.records(sorted_shop, Filter(), sort=())]

    assert ids == sorted(ids)


def test_filters(store: Store, tracker: TrackerId) -> None:
    """OR inside a field, AND between fields, exact and by case."""
    committed(
        store,
        create(tracker, wanted=definition(b"1", model="basket", identity="/p/1", tags=("x", "y"))),
        create(tracker, wanted=definition(b"2", model="basket", identity="/p/2", tags=("y",))),
        create(tracker, wanted=definition(b"3", model="Basket", tags=("X",))),
        create(tracker, wanted=definition(b"4", model="other", identity="/p/1")),
    )

    assert found(store, tracker, Filter(models=("basket",))) == {b"1", b"2"}
    assert found(store, tracker, Filter(models=("basket", "other"))) == {b"1", b"2", b"4"}
    assert found(store, tracker, Filter(models=("bask", "basket "))) == set()
    assert found(store, tracker, Filter(target_types=("item",))) == {b"1", b"2", b"4"}
    assert found(store, tracker, Filter(target_types=("all", "criteria"))) == {b"3"}
    assert found(store, tracker, Filter(target_identities=("/p/1",))) == {b"1", b"4"}
    assert found(store, tracker, Filter(target_identities=("/p/1", "/p/2"))) == {b"1", b"2", b"4"}
    assert found(store, tracker, Filter(target_identities=("/P/1",))) == set()
    assert found(store, tracker, Filter(tags=("x",))) == {b"1"}
    assert found(store, tracker, Filter(tags=("x", "y", "X"))) == {b"1", b"2", b"3"}
    assert found(store, tracker, Filter(models=("basket",), tags=("y",))) == {b"1", b"2"}
    assert found(
        store,
        tracker,
        Filter(("basket", "other"), ("y",), ("item",), ("/p/1",)),
    ) == {b"1"}


def test_no_identity_is_not_the_empty_identity(store: Store, tracker: TrackerId) -> None:
    """To a filter; to a sort they are equal."""
    committed(
        store,
        create(tracker, wanted=definition(b"none")),
        create(tracker, wanted=definition(b"empty", identity="")),
    )

    assert found(store, tracker, Filter(target_identities=("",))) == {b"empty"}


def test_long_identities_are_found(store: Store, tracker: TrackerId) -> None:
    """2,000 characters of four bytes, that differ at their end alone."""
    long = "\N{GUITAR}" * 1_999
    committed(
        store,
        create(tracker, wanted=definition(b"1", identity=long + "a")),
        create(tracker, wanted=definition(b"2", identity=long + "b")),
    )

    assert found(store, tracker, Filter(target_identities=(long + "b",))) == {b"2"}
    sort = (Sort("target_identity", descending=True),)
    assert documents(list(store.records(tracker, Filter(), sort=sort))) == [b"2", b"1"]


@pytest.mark.parametrize("text", ["%", "_", "' OR 1=1 --", "{values}", "%s", "a\\b", '"', ":x"])
def test_texts_are_only_texts(store: Store, tracker: TrackerId, text: str) -> None:
    """Nothing that means something to SQL means something in a value."""
    committed(
        store,
        create(tracker, wanted=definition(b"1", model=text, identity=text, tags=(text,))),
        create(tracker, wanted=definition(b"2", model="m", identity="i", tags=("t",))),
    )

    assert found(store, tracker, Filter((text,), (text,), ("item",), (text,))) == {b"1"}
    assert store.summary(tracker) == Summary({text: 1, "m": 1}, sorted([text, "t"]))


def test_a_hundred_values_in_a_filter(store: Store, tracker: TrackerId) -> None:
    """As many as fit into a URL may be asked for."""
    committed(store, create(tracker, wanted=definition(b"1", model="m7", tags=("t9",))))
    many = Filter(
        models=tuple(f"m{n}" for n in range(1_000)), tags=tuple(f"t{n}" for n in range(1_000))
    )

    assert found(store, tracker, many) == {b"1"}


def test_summary_counts_models_and_lists_tags(store: Store, tracker: TrackerId) -> None:
    """Models in order and only those that have one; tags distinct and in order, by code point."""
    gone = some_id()
    committed(
        store,
        create(tracker, wanted=definition(model="b", tags=("é", "a"))),
        create(tracker, wanted=definition(model="Z", tags=("Z", "a"))),
        create(tracker, wanted=definition(model="b")),
        create(tracker, gone, definition(model="gone", tags=("gone",))),
        delete(tracker, gone),
    )

    summary = store.summary(tracker)

    assert list(summary.counts.items()) == [("Z", 1), ("b", 2)]
    assert list(summary.tags) == ["Z", "a", "é"]


def test_tags_follow_their_customization(store: Store, tracker: TrackerId) -> None:
    """Added, changed, reordered, dropped; also twice in one commit."""
    id_ = some_id()
    committed(
        store,
        create(tracker, id_, definition(tags=("a", "b"))),
        replace(tracker, id_, definition(tags=("b", "c"))),
    )
    assert store.summary(tracker).tags == ["b", "c"]

    committed(store, replace(tracker, id_, definition(tags=("c", "b"))))
    record = store.customization(tracker, id_)
    assert record is not None
    assert record.tags == ("c", "b")
    assert store.summary(tracker).tags == ["b", "c"]

    committed(store, replace(tracker, id_, definition()))
    assert store.summary(tracker).tags == []
    assert store.page(tracker, Filter(tags=("b",)), limit=9, offset=0).total == 0


def test_a_stream_may_be_left(store: Store, tracker: TrackerId) -> None:
    """After one record, or before the first; the store is as good as before."""
    committed(store, *(create(tracker) for _ in range(600)))

    for _ in range(40):
        stream = store.records(tracker, Filter())
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        store.records(tracker, Filter())

    assert len(list(store.records(tracker, Filter()))) == 600


def test_a_stream_shows_one_state(store: Store, tracker: TrackerId) -> None:
    """What is written while it runs does not show in it."""
    committed(store, *(create(tracker, wanted=definition(b"old")) for _ in range(3_000)))

    stream = store.records(tracker, Filter())
    first = next(stream)
    others = [each.id for each in store.page(tracker, Filter(), limit=3_000, offset=0).records]
    committed(
        store,
        *(replace(tracker, each, definition(b"new")) for each in others[:1_000]),
        *(delete(tracker, each) for each in others[1_000:2_000]),
        create(tracker, wanted=definition(b"new")),
    )

    assert {first.document, *(each.document for each in stream)} == {b"old"}
    assert store.page(tracker, Filter(), limit=1, offset=0).total == 2_001
