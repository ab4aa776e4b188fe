"""
Many writers and a follower, in threads and in processes.

A follower of a plain sequence missed 293 of 900 changes in this arrangement, for a number is drawn before its
transaction commits. The revision row is taken in the order of commits.
"""

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from endcap.domain import CustomizationId, Filter, TrackerId
from endcap.store import open_store
from endcap.store.port import Store
from tests.store.writes import (
    committed,
    create,
    definition,
    delete,
    new_tracker,
    put,
    replace,
    some_id,
    some_tracker,
    thing,
)

SPAWN = multiprocessing.get_context("spawn")
WRITERS = 4
COMMITS = 40


def write_many(url: str, tracker: TrackerId) -> tuple[list[CustomizationId], list[int]]:
    """Commits of one to five creations; returns their ids and revisions."""
    store = open_store(url)
    ids: list[CustomizationId] = []
    revisions: list[int] = []
    for number in range(COMMITS):
        new = [some_id() for _ in range(1 + number % 5)]
        ids += new
        revisions += [
            each.revision for each in committed(store, *(create(tracker, i) for i in new))
        ]
    store.close()
    return ids, revisions


class Follower:
    """Asks for changes as fast as it can, always since the last revision it saw."""

    def __init__(self, store: Store, tracker: TrackerId) -> None:
        self.seen: set[CustomizationId] = set()
        self.revision = 1
        self._store = store
        self._tracker = tracker

    def follow(self) -> None:
        if self._store.revisions()[self._tracker] > self.revision:
            changes = self._store.changes(self._tracker, since=self.revision)
            assert changes.tracker.revision > self.revision
            assert None not in changes.records.values()
            self.revision = changes.tracker.revision
            self.seen |= set(changes.records)


def check(
    store: Store,
    tracker: TrackerId,
    follower: Follower,
    written: list[tuple[list[CustomizationId], list[int]]],
) -> None:
    """No revision twice, none left out, and no change unseen."""
    follower.follow()
    ids = [each for some, _ in written for each in some]
    revisions = sorted(each for _, some in written for each in some)
    assert follower.seen == set(ids)
    assert revisions == list(range(2, 2 + len(ids)))
    assert [line.revision for line in store.history(tracker)] == list(range(1, 2 + len(ids)))
    assert store.page(tracker, Filter(), limit=0, offset=0).total == len(ids)


def test_threads_leave_no_gap_and_a_follower_misses_nothing(
    store: Store, tracker: TrackerId, database: str
) -> None:
    """Each thread with a store of its own, as if it were a worker."""
    follower = Follower(store, tracker)
    with ThreadPoolExecutor(WRITERS) as threads:
        writers = [threads.submit(write_many, database, tracker) for _ in range(WRITERS)]
        while not all(each.done() for each in writers):
            follower.follow()

    check(store, tracker, follower, [each.result() for each in writers])


def test_processes_leave_no_gap_and_a_follower_misses_nothing(
    store: Store, tracker: TrackerId, database: str
) -> None:
    """Several processes on one database."""
    follower = Follower(store, tracker)
    with SPAWN.Pool(WRITERS) as processes:
        writers = processes.starmap_async(write_many, [(database, tracker)] * WRITERS, chunksize=1)
        while not writers.ready():
            follower.follow()
        written = writers.get()

    check(store, tracker, follower, written)


def test_one_store_serves_many_threads(store: Store, tracker: TrackerId) -> None:
    """Writes and reads of all kinds at once."""

    def work(number: int) -> int:
        id_ = some_id()
        record = committed(store, create(tracker, id_, definition(b"%d" % number)))[0].record
        assert store.customization(tracker, id_) == record
        assert store.page(tracker, Filter(), limit=5, offset=0).total > 0
        assert id_ in store.changes(tracker, since=0).records
        with store.load(tracker) as load:
            assert id_ in {each.id for each in load.records()}
        return committed(store, replace(tracker, id_, definition(b"new")))[0].revision

    with ThreadPoolExecutor(8) as threads:
        revisions = list(threads.map(work, range(64)))

    assert len(set(revisions)) == 64
    assert store.revisions()[tracker] == 1 + 2 * 64


def test_commits_over_the_same_trackers_in_any_order(store: Store, database: str) -> None:
    """Two writers that name two trackers in opposite orders do not wait for each other for ever."""
    one, two = some_tracker(), some_tracker()
    committed(store, new_tracker(one), new_tracker(two))

    def work(number: int) -> None:
        first, second = (one, two) if number % 2 else (two, one)
        committed(store, create(first), create(second), create(first))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(80)))

    revisions = store.revisions()
    assert (revisions[one], revisions[two]) == (1 + 120, 1 + 120)


@contextmanager
def writing(write: Callable[[int], None]) -> Iterator[None]:
    """Something that is written again and again, with a higher number each time, in another thread."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        number = 0
        try:
            while not stop.is_set():
                number += 1
                write(number)
        except BaseException as failure:
            failures.append(failure)
            raise

    writer = threading.Thread(target=work)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()
    assert failures == []


def test_reads_see_whole_commits(store: Store, tracker: TrackerId) -> None:
    """A load, the changes and a page show everything that one commit wrote, or nothing of it."""
    ids = [some_id() for _ in range(20)]
    committed(store, *(create(tracker, each, definition(b"0")) for each in ids))
    committed(store, put(tracker, *(thing(f"/p/{n}", b"0") for n in range(20))))
    per_commit = len(ids) + 1

    def write(number: int) -> None:
        text = b"%d" % number
        committed(
            store,
            *(replace(tracker, each, definition(text)) for each in ids),
            put(tracker, *(thing(f"/p/{n}", text) for n in range(20))),
        )

    with writing(write):
        for _ in range(60):
            with store.load(tracker) as load:
                seen = {each.document for each in load.records()}
                seen |= {each.document for each in load.objects()}
            assert seen == {b"%d" % ((load.tracker.revision - 22) // per_commit)}

            changes = store.changes(tracker, since=0)
            seen = {each.document for each in changes.records.values() if each}
            seen |= {each.document for each in changes.objects.values() if each}
            assert seen == {b"%d" % ((changes.tracker.revision - 22) // per_commit)}

            page = store.page(tracker, Filter(), limit=100, offset=0)
            assert len({each.document for each in page.records}) == 1
            assert len({each.document for each in store.records(tracker, Filter())}) == 1


def test_a_page_counts_what_it_shows(store: Store, tracker: TrackerId) -> None:
    """The total and the records are of one state, while customizations come and go; so is a summary."""
    last = [some_id() for _ in range(10)]
    committed(store, *(create(tracker, i, definition(tags=("x",))) for i in last))

    def write(number: int) -> None:
        new = [some_id() for _ in range(number % 12)]
        tagged = definition(tags=("x",))
        committed(
            store,
            *(delete(tracker, each) for each in last),
            *(create(tracker, each, tagged) for each in new),
        )
        last[:] = new

    with writing(write):
        for _ in range(200):
            page = store.page(tracker, Filter(tags=("x",)), limit=100, offset=0)
            assert page.total == len(page.records)
            summary = store.summary(tracker)
            assert bool(summary.counts) == bool(summary.tags)
