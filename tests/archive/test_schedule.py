"""
A server archives by itself: one of all workers, in a process of its own.
"""

import os
import time
from pathlib import Path

import msgspec
import pytest

from endcap.api.app import build
from endcap.archive.schedule import LEASE, SCRATCH_SECONDS_MAX, Schedule, sweep
from endcap.config import Settings, environment_of, load
from endcap.domain import Micros, TrackerId
from endcap.store.events import EventStore
from endcap.store.writes import CreateTracker
from tests.application.world import eventually
from tests.archive.conftest import SHOP, event


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, log_level="warning", log_format="json")


def told(events: EventStore) -> None:
    now = Micros(time.time_ns() // 1_000)
    old = msgspec.structs.replace(
        event("2025-01-01T00:00:00Z"),
        at=Micros(now - 9 * 86_400_000_000),
        received_at=Micros(now - 9 * 86_400_000_000),
    )
    events.append([old])


def test_a_server_archives_by_itself(settings: Settings) -> None:
    """As soon as it is time, with the settings that the server has."""
    parts = build(settings)
    parts.migrate()
    sealed = parts.vault.seal("a key")
    parts.store.commit([CreateTracker(SHOP, "Guitars", sealed, "test", Micros(1))])
    told(parts.events)
    schedules = [Schedule(settings, parts.events, look_seconds=0.01) for _ in range(2)]
    try:
        for schedule in schedules:
            schedule.start()
        eventually(lambda: parts.events.count(TrackerId(SHOP)) == 0)
        eventually(lambda: len(parts.source.place.parts(SHOP)) == 1)
    finally:
        for schedule in schedules:
            schedule.stop()
        parts.close()


def test_once_in_a_while_is_enough(settings: Settings) -> None:
    """Whoever took the lease did it; the next turn comes when it ends."""
    parts = build(settings)
    parts.migrate()
    now = Micros(1_000_000)
    first, second = (Schedule(settings, parts.events, clock=lambda: now) for _ in range(2))

    taken = [first._is_time(), first._is_time(), second._is_time()]
    now = Micros(now + settings.events_archive_seconds * 1_000_000)
    taken.append(second._is_time())

    parts.close()
    assert taken == [True, False, False, True]


def test_never_is_never(settings: Settings) -> None:
    """Zero: only the command archives."""
    parts = build(msgspec.structs.replace(settings, events_archive_seconds=0))
    parts.migrate()

    parts.schedule.start()
    parts.schedule.stop()

    free = parts.events.take_lease(LEASE, "test", now=Micros(1), until=Micros(2))
    parts.close()
    assert free


def test_what_killed_processes_left_goes_after_a_day(tmp_path: Path) -> None:
    """Folders by their names; what is younger may be in use."""
    old, new, other = (tmp_path / name for name in (".upload-1", ".archive-2", "orders"))
    for each in (old, new, other):
        each.mkdir()
        (each / "file").write_bytes(b"x")
    for each in (old, other):
        os.utime(each, (0, time.time() - SCRATCH_SECONDS_MAX - 5))

    sweep(tmp_path)

    assert sorted(each.name for each in tmp_path.iterdir()) == [".archive-2", "orders"]


def test_another_process_sees_the_same_settings(settings: Settings) -> None:
    """Every one of them, also those that are no texts."""
    chosen = msgspec.structs.replace(
        settings, access_log=True, scalar_attributes=("a", "b"), workers=3
    )

    assert load(environment_of(chosen)) == chosen
