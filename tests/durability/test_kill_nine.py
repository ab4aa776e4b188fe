"""
`kill -9` in the middle of a write storm loses nothing that was answered and leaves nothing half-done.
"""

import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from endcap.domain import Filter, TrackerId
from endcap.store import open_store
from endcap.store.port import Store
from endcap.wire.customizations import customization_json
from tests.durability.storm import GONE, KEY, TRACKER, Storm, marks
from tests.services.server import create_tracker, start_server

KILLS = int(os.environ.get("ENDCAP_TEST_KILLS", "4"))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_sqlite_keeps_every_answered_write(tmp_path: Path, workers: int) -> None:
    """After every kill each customization is as its last answered write left it, or as the one in the air wanted."""
    environment = {"ENDCAP_DATABASE_URL": f"sqlite:///{tmp_path / 'storm.db'}"}

    _storm_and_kill(tmp_path, environment, workers=workers)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("workers", [1, 2])
def test_postgres_keeps_every_answered_write(
    tmp_path: Path, postgres_url: str, workers: int
) -> None:
    """The same over PostgreSQL."""
    _storm_and_kill(tmp_path, {"ENDCAP_DATABASE_URL": postgres_url}, workers=workers)


def _storm_and_kill(data_dir: Path, environment: dict[str, str], *, workers: int) -> None:
    create_tracker(data_dir, TRACKER, KEY, env=environment)
    chance = random.Random(workers)
    expected: dict[str, set[str]] = {}
    for round_ in range(KILLS):
        server = start_server(data_dir, workers=workers, env=environment)
        storm = Storm(server.url, seed=round_)
        storm.start()
        try:
            storm.wait_answered(chance.randint(20, 200))
        finally:
            server.kill()
            storm.join()
        store = open_store(environment["ENDCAP_DATABASE_URL"])
        try:
            _check(store, storm, expected)
        finally:
            store.close()


def _check(store: Store, storm: Storm, expected: dict[str, set[str]]) -> None:
    tracker = TrackerId(TRACKER)
    stored = {
        record.id: json.loads(customization_json(record, available=True, shown=None))
        for record in store.records(tracker, Filter())
    }
    unborn = {
        writer.in_air[1] for writer in storm.writers if writer.in_air and writer.in_air[0] is None
    }
    for writer in storm.writers:
        for known, mark in writer.answered.items():
            expected[known] = {mark}
            if writer.in_air and writer.in_air[0] == known:
                expected[known].add(writer.in_air[1])

    for known, customization in stored.items():
        said = marks(customization)
        assert len(said) == 1, f"{known} is half-done: {said}"
        if known not in expected:
            assert said <= unborn, f"{known} was never asked for"
        else:
            assert said <= expected[known], f"{known} says {said}, not one of {expected[known]}"
        expected[known] = said
    for known, possible in expected.items():
        if known not in stored:
            assert GONE in possible, f"{known} was answered and is lost"
            expected[known] = {GONE}

    _check_history(store, tracker, {known: marks(each).pop() for known, each in stored.items()})


def _check_history(store: Store, tracker: TrackerId, stored: dict[str, str]) -> None:
    """Each revision was written by one change, none is missing, and the last change of each is what is stored."""
    row = store.tracker(tracker)
    assert row is not None
    history = list(store.history(tracker))
    assert {change.revision for change in history} == set(range(1, row.revision + 1))
    written = Counter(change.revision for change in history if change.kind == "customization")
    assert set(written.values()) <= {1}
    last: dict[str, str] = {}
    for change in history:
        if change.kind == "customization":
            last[change.subject] = GONE if change.new is None else json.loads(change.new)["tags"][0]
    assert {known: mark for known, mark in last.items() if mark != GONE} == stored
    summary = store.summary(tracker)
    assert sum(summary.counts.values()) == len(stored)
    assert set(summary.tags) == set(stored.values())
