"""
The mark beside a SQLite database: what it permits readers of memory to believe.
"""

import random
import threading
from pathlib import Path

import pytest

from endcap.domain import Micros, TrackerId
from endcap.store.mark import CommitMark
from endcap.store.sqlite import SqliteStore
from endcap.store.writes import AddKey, CreateTracker

TRACKER = TrackerId("1234-5678")
NOW = Micros(1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "endcap.db"


def opened(path: Path) -> SqliteStore:
    store = SqliteStore(path)
    store.migrate()
    return store


def test_two_marks_of_one_file_are_one_word(tmp_path: Path) -> None:
    """What one process writes the other one reads; while a commit is under way there is nothing to read."""
    one, other = CommitMark(tmp_path / "mark"), CommitMark(tmp_path / "mark")

    before = one.begin()
    assert one.read() is other.read() is None
    after = one.end()

    assert before == 0
    assert one.read() == other.read() == after != before


def test_numbers_are_not_used_again(tmp_path: Path) -> None:
    """Or a reader could take a later state for the one it remembers."""
    mark = CommitMark(tmp_path / "mark")
    seen = set()

    for _ in range(10_000):
        mark.begin()
        seen.add(mark.end())

    assert len(seen) == 10_000


def test_the_version_changes_with_the_commits_of_others(path: Path) -> None:
    """And stays as it is while nobody writes; reading does not change it."""
    one, other = opened(path), opened(path)
    before = other.version()

    other.revisions()
    assert other.version() == before is not None
    one.commit([CreateTracker(TRACKER, "x", b"key", "test", NOW)])

    assert other.version() == one.version() != before


def test_only_the_writer_of_the_next_commit_goes_on_from_a_version(path: Path) -> None:
    """Who remembers what was before its own commit may go on; not if somebody else was between."""
    one, other = opened(path), opened(path)
    before = one.version()

    one.commit([CreateTracker(TRACKER, "x", b"key", "test", NOW)])
    between = one.version()
    assert one.version_after(before) == between
    assert other.version_after(before) != between
    assert one.version_after(None) is None
    other.commit([AddKey(TRACKER, b"second", "test", NOW)])
    one.commit([AddKey(TRACKER, b"third", "test", NOW)])

    assert one.version_after(between) is None
    assert one.version_after(other.version_after(between)) == one.version()


def test_a_commit_that_is_undone_leaves_a_version(path: Path) -> None:
    """An odd number that stayed would send every reader to the database until the next write."""
    store = opened(path)

    with pytest.raises(AttributeError):
        store.commit([None])  # type: ignore[list-item]  # nothing that could be carried out

    assert store.version() is not None


def test_the_same_version_means_the_same_state(path: Path) -> None:
    """Four writers; no reader that sees the version it remembers has missed a write that was answered."""
    opened(path).commit([CreateTracker(TRACKER, "x", b"key", "test", NOW)])
    answered = [0] * 4
    wrong: list[tuple[int, int]] = []
    writing = threading.Event()
    writing.set()

    def write(index: int) -> None:
        store = opened(path)
        for number in range(60):
            store.commit([AddKey(TRACKER, b"%d-%d" % (index, number), "test", NOW)])
            answered[index] += 1
        store.close()

    def read() -> None:
        store = opened(path)
        remembered: tuple[int, int] | None = None
        while writing.is_set():
            promised = 1 + sum(answered)
            version = store.version()
            if remembered is not None and version == remembered[0] and remembered[1] < promised:
                wrong.append((remembered[1], promised))
            if version is not None and random.random() < 0.5:
                remembered = (version, store.revisions()[TRACKER])
        store.close()

    readers = [threading.Thread(target=read) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(index,)) for index in range(4)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    writing.clear()
    for thread in readers:
        thread.join()

    assert wrong == []
    assert sum(answered) == 240
