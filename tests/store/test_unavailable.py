"""
Databases that do not answer, each in its own way; and that they are used again when they do.
"""

import contextlib
import multiprocessing
import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import psycopg
import pytest

from endcap.domain import CatalogObject, Filter, ItemId, Merge, TrackerId
from endcap.errors import StoreUnavailable, UsageFault
from endcap.store import open_store
from endcap.store.port import Store
from endcap.store.postgres import PostgresStore
from endcap.store.sqlite import SqliteStore
from endcap.store.writes import Committed, MergeObjects
from tests.services import needs
from tests.services.postgres import PostgresServer, find_binaries, running_server
from tests.store.conftest import MakeUrl
from tests.store.migrations import migrations_for
from tests.store.writes import (
    NOON,
    commit,
    committed,
    create,
    definition,
    new_tracker,
    some_id,
    some_tracker,
    thing,
)

SPAWN = multiprocessing.get_context("spawn")
TRACKER = TrackerId("shop")

CALLS: dict[str, Callable[[Store], object]] = {
    "migrate": lambda store: store.migrate(),
    "commit": lambda store: store.commit([new_tracker(TRACKER)]),
    "trackers": lambda store: store.trackers(),
    "tracker": lambda store: store.tracker(TRACKER),
    "revisions": lambda store: store.revisions(),
    "customization": lambda store: store.customization(TRACKER, some_id()),
    "page": lambda store: store.page(TRACKER, Filter(), limit=1, offset=0),
    "records": lambda store: list(store.records(TRACKER, Filter())),
    "objects_after": lambda store: store.objects_after(TRACKER, limit=1),
    "count_objects": lambda store: store.count_objects(TRACKER),
    "objects_named": lambda store: store.objects_named(TRACKER, [ItemId("/p/1")]),
    "summary": lambda store: store.summary(TRACKER),
    "load": lambda store: store.load(TRACKER).__enter__(),
    "changes": lambda store: store.changes(TRACKER, since=0),
    "behind": lambda store: store.behind(TRACKER, since=0, at_most=1),
    "history": lambda store: list(store.history(TRACKER)),
}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


# What cannot be opened


@each_call
def test_sqlite_where_no_folder_can_be(tmp_path: Path, call: Callable[[Store], object]) -> None:
    """The original is the cause."""
    (tmp_path / "file").touch()

    with pytest.raises(StoreUnavailable) as caught:
        call(SqliteStore(tmp_path / "file" / "endcap.db"))

    assert isinstance(caught.value.__cause__, OSError)


@each_call
def test_sqlite_that_is_a_folder(tmp_path: Path, call: Callable[[Store], object]) -> None:
    """It cannot be opened, whatever is asked."""
    with pytest.raises(StoreUnavailable) as caught:
        call(SqliteStore(tmp_path))

    assert isinstance(caught.value.__cause__, sqlite3.Error)


@each_call
def test_sqlite_that_is_another_file(tmp_path: Path, call: Callable[[Store], object]) -> None:
    """A file that is no database is left as it is."""
    (tmp_path / "endcap.db").write_bytes(b"no database at all" * 100)

    with pytest.raises(StoreUnavailable):
        call(SqliteStore(tmp_path / "endcap.db"))

    assert (tmp_path / "endcap.db").read_bytes() == b"no database at all" * 100


@each_call
def test_postgres_that_is_not_there(call: Callable[[Store], object]) -> None:
    """A refused connection shows at once."""
    store = PostgresStore("postgresql://endcap@127.0.0.1:1/endcap")
    started = time.monotonic()

    with pytest.raises(StoreUnavailable) as caught:
        call(store)

    assert isinstance(caught.value.__cause__, psycopg.OperationalError)
    assert time.monotonic() - started < 5


def test_postgres_that_never_answers() -> None:
    """Something accepts the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        store = PostgresStore(f"postgresql://endcap@127.0.0.1:{deaf.getsockname()[1]}/endcap")
        started = time.monotonic()

        with pytest.raises(StoreUnavailable):
            store.revisions()

    assert time.monotonic() - started < 10


@pytest.mark.postgres
def test_the_first_host_that_answers_is_used(postgres_url: str) -> None:
    """A URL may name several hosts."""
    store = open_store(postgres_url.replace("@", "@127.0.0.1:1,"))

    try:
        assert store.migrate() == migrations_for(postgres_url)
    finally:
        store.close()


def test_a_database_without_a_schema_is_no_outage(make_url: MakeUrl) -> None:
    """It is ours to fix: not a Problem that tells to try again, and not the driver's error."""
    store = open_store(make_url())

    with pytest.raises(RuntimeError) as caught:
        store.revisions()

    assert isinstance(caught.value.__cause__, (sqlite3.Error, psycopg.Error))
    assert not isinstance(caught.value, (sqlite3.Error, psycopg.Error))
    store.migrate()
    assert store.revisions() == {}
    store.close()


# SQLite: other writers, and no room


def hold_the_write_lock(path: Path, pipe: Pipe) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    pipe.send("held")
    pipe.recv()
    connection.execute("ROLLBACK")
    connection.close()
    pipe.send("released")


@contextlib.contextmanager
def held_by_another_process(path: Path) -> Iterator[Callable[[], None]]:
    """The write lock in other hands, until the block ends or what it gives is called."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=hold_the_write_lock, args=(path, theirs))
    process.start()
    assert ours.recv() == "held"

    def release() -> None:
        ours.send("release")
        assert ours.recv() == "released"

    try:
        yield release
    finally:
        if process.is_alive() and not ours.closed:
            with contextlib.suppress(OSError):
                ours.send("release")
        process.join()
        ours.close()


def test_sqlite_busy_beyond_patience(sqlite_file: Path) -> None:
    """A writer gives up after its patience; readers do not notice anything."""
    store = SqliteStore(sqlite_file, patience_seconds=0.3)
    committed(store, new_tracker(TRACKER))

    with held_by_another_process(sqlite_file) as release:
        started = time.monotonic()
        with pytest.raises(StoreUnavailable) as caught:
            store.commit([create(TRACKER)])
        waited = time.monotonic() - started
        assert store.revisions() == {TRACKER: 1}
        release()

    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert 0.3 <= waited < 5
    assert committed(store, create(TRACKER))[0].revision == 2
    store.close()


def test_sqlite_busy_for_a_moment(sqlite_file: Path) -> None:
    """A writer waits for the one before it."""
    store = SqliteStore(sqlite_file, patience_seconds=60)

    with held_by_another_process(sqlite_file) as release:
        timer = threading.Timer(0.3, release)
        timer.start()
        outcomes = committed(store, new_tracker(TRACKER))
        timer.join()

    assert outcomes == [Committed(1)]
    store.close()


def test_sqlite_busy_in_this_process(sqlite_file: Path) -> None:
    """A long commit of another thread: the same patience."""
    store = SqliteStore(sqlite_file, patience_seconds=0.2)
    committed(store, new_tracker(TRACKER))
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: bytes | None) -> CatalogObject:
        begun.set()
        go_on.wait(30)
        return thing("a")

    long = MergeObjects(TRACKER, {ItemId("a"): Merge(slow)}, "feed", NOON)
    thread = threading.Thread(target=store.commit, args=[[long]])
    thread.start()
    begun.wait(30)

    with pytest.raises(StoreUnavailable):
        store.commit([create(TRACKER)])
    go_on.set()
    thread.join()

    assert committed(store, create(TRACKER))[0].revision == 3
    store.close()


def test_sqlite_without_room(sqlite_file: Path) -> None:
    """A full disk undoes the commit; when there is room again, writes succeed."""
    store = SqliteStore(sqlite_file)
    committed(store, new_tracker(TRACKER))
    with store._writing() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    assert store._writer is not None
    store._writer.execute(f"PRAGMA max_page_count = {pages + 1}")
    large = create(TRACKER, wanted=definition(b"x" * 100_000))

    with pytest.raises(StoreUnavailable):
        store.commit([create(TRACKER), large])
    assert store.revisions() == {TRACKER: 1}
    assert list(store.records(TRACKER, Filter())) == []

    store._writer.execute("PRAGMA max_page_count = 1000000")
    assert committed(store, large)[0].revision == 2
    store.close()


# PostgreSQL: restarts, broken connections and locks


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """A server that nobody else uses, for it will be stopped."""
    binaries = find_binaries()
    if binaries is None:
        needs.lacking("no PostgreSQL server is installed; Debian's package is postgresql")
    with running_server(binaries) as server:
        yield server


@pytest.fixture(scope="module")
def own_url(own_server: PostgresServer) -> str:
    """One database for all: a server that stops writes every file of each to disk."""
    return own_server.create_database()


@pytest.fixture
def own_store(own_server: PostgresServer, own_url: str) -> Iterator[PostgresStore]:
    """With a tracker and nothing else."""
    own_server.start()
    with psycopg.connect(own_url) as session:
        session.execute("DROP SCHEMA public CASCADE")
        session.execute("CREATE SCHEMA public")
    store = PostgresStore(own_url)
    store.migrate()
    committed(store, new_tracker(TRACKER))
    yield store
    store.close()


def until(holds: Callable[[], bool]) -> None:
    """Waits, on a crowded machine too."""
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def busy_threads(store: Store, count: int = 4) -> None:
    """Makes as many connections."""
    barrier = threading.Barrier(count)

    def read() -> None:
        with store.load(TRACKER):
            barrier.wait(30)

    threads = [threading.Thread(target=read) for _ in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


@pytest.mark.postgres
def test_postgres_away_and_back(own_server: PostgresServer, own_store: PostgresStore) -> None:
    """While it is away every call says so; when it is back, the next one succeeds."""
    busy_threads(own_store)

    own_server.stop()
    for call in CALLS.values():
        with pytest.raises(StoreUnavailable):
            call(own_store)
    own_server.start()

    assert committed(own_store, create(TRACKER))[0].revision == 2
    busy_threads(own_store)


@pytest.mark.postgres
@pytest.mark.parametrize("how", ["stop", "crash"])
def test_postgres_restarted_between_two_calls(
    own_server: PostgresServer, own_store: PostgresStore, how: str
) -> None:
    """Nobody notices: connections that the server closed are not used."""
    busy_threads(own_store)
    committed(own_store, create(TRACKER))

    getattr(own_server, how)()
    own_server.start()

    assert own_store.revisions() == {TRACKER: 2}
    assert committed(own_store, create(TRACKER))[0].revision == 3
    busy_threads(own_store)


@pytest.mark.postgres
def test_postgres_crashing_under_load(own_server: PostgresServer, own_store: PostgresStore) -> None:
    """What was acknowledged is there afterwards; the writers go on by themselves."""
    acknowledged: set[str] = set()
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            id_ = some_id()
            with contextlib.suppress(StoreUnavailable):
                committed(own_store, create(TRACKER, id_))
                acknowledged.add(id_)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for each in threads:
        each.start()
    until(lambda: len(acknowledged) > 20)
    own_server.crash()
    time.sleep(0.2)  # of refused writes
    before = len(acknowledged)
    own_server.start()
    until(lambda: len(acknowledged) > before)
    stop.set()
    for each in threads:
        each.join()

    assert acknowledged <= {each.id for each in own_store.records(TRACKER, Filter())}
    revisions = [line.revision for line in own_store.history(TRACKER)]
    assert revisions == list(range(1, len(revisions) + 1))


@pytest.mark.postgres
def test_wait_listens_again_after_a_restart(
    own_server: PostgresServer, own_store: PostgresStore
) -> None:
    """Meanwhile it sleeps: it is a hint, and raises nothing."""
    own_store.wait(0.1)
    own_server.stop()
    started = time.monotonic()
    own_store.wait(0.4)
    own_store.wait(0.4)
    assert time.monotonic() - started >= 0.7
    own_server.start()

    own_store.wait(0.1)
    own_store.wait(0.1)
    timer = threading.Timer(0.2, lambda: committed(own_store, create(TRACKER)))
    timer.start()
    started = time.monotonic()
    own_store.wait(20)

    assert time.monotonic() - started < 10
    timer.join()


@pytest.mark.postgres
def test_postgres_that_stops_in_the_middle_of_an_answer(own_store: PostgresStore) -> None:
    """A process that stands still keeps its connection open; it is given up all the same."""
    with own_store._borrowed() as connection:
        pid = connection.info.backend_pid
        connection.answer_seconds_max = 1.0
    started = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable):
            own_store.commit([create(TRACKER)])
    finally:
        os.kill(pid, signal.SIGCONT)

    assert time.monotonic() - started < 10
    assert own_store.revisions() == {TRACKER: 1}


@pytest.mark.postgres
def test_a_tracker_locked_by_another_session(own_url: str, own_store: PostgresStore) -> None:
    """A writer waits with bounded patience; the other trackers are not concerned."""
    other, store = some_tracker(), PostgresStore(own_url, lock_seconds_max=1)
    committed(store, new_tracker(other))

    with psycopg.connect(own_url) as session:
        session.execute("SELECT 1 FROM tracker WHERE id = %s FOR UPDATE", (TRACKER,))
        with pytest.raises(StoreUnavailable) as caught:
            store.commit([create(TRACKER)])
        committed(store, create(other))

    assert isinstance(caught.value.__cause__, psycopg.errors.LockNotAvailable)
    assert committed(store, create(TRACKER))[0].revision == 2
    store.close()


@pytest.mark.postgres
def test_a_commit_that_loses_a_deadlock_is_made_again(
    own_url: str, own_store: PostgresStore
) -> None:
    """The server may break a transaction off; nothing happened, so it is tried once more."""
    first, second = TrackerId("a"), TrackerId("b")
    committed(own_store, new_tracker(first), new_tracker(second))
    outcomes: list[object] = []
    lock = "SELECT 1 FROM tracker WHERE id = %s FOR UPDATE"

    with psycopg.connect(own_url) as session:
        session.execute("SET deadlock_timeout = '1min'")  # so that the store's side notices
        session.execute(lock, (second,))
        writer = threading.Thread(
            target=lambda: outcomes.extend(commit(own_store, create(first), create(second)))
        )
        writer.start()
        with psycopg.connect(own_url, autocommit=True) as observer:
            while not observer.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall():
                time.sleep(0.02)
        session.execute(lock, (first,))
        session.commit()
    writer.join()

    assert [type(each) for each in outcomes] == [Committed, Committed]
    assert own_store.revisions() == {TRACKER: 1, first: 2, second: 2}


@pytest.mark.postgres
def test_all_connections_in_use(own_url: str, own_store: PostgresStore) -> None:
    """A caller waits a moment for one and then says so."""
    small = PostgresStore(own_url, pool_size_max=1, borrow_seconds_max=0.2)

    with small.load(TRACKER):
        with pytest.raises(StoreUnavailable):
            small.revisions()

    assert small.revisions() == {TRACKER: 1}
    small.close()


@pytest.mark.postgres
def test_a_database_in_another_encoding_is_refused(own_server: PostgresServer) -> None:
    """Not every identity could be kept in it."""
    own_server.start()
    with psycopg.connect(own_server.url(), autocommit=True) as session:
        session.execute(
            "CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0"
        )
    store = PostgresStore(own_server.url("latin"))

    with pytest.raises(UsageFault, match="LATIN1"):
        store.migrate()
    store.close()
