"""
An update by query outlives whoever works on it: each object is changed once, whoever ends the job.
"""

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from endcap.domain import TrackerId
from endcap.store import open_store
from tests.durability.load import PATIENT, Caller, children_of, put_items
from tests.durability.storm import KEY, TRACKER
from tests.services.server import LiveServer, create_tracker, start_server

ITEMS = 12_000
SECONDS_MAX = 60.0
UPDATE = {
    "search": {"types": ["item"], "partial": {"fields": {}}},
    "update": {"fields": {"color": "green"}},
}
BODY = json.dumps(UPDATE).encode()

pytestmark = pytest.mark.slow


def settings(url: str) -> dict[str, str]:
    return {
        "ENDCAP_DATABASE_URL": url,
        "ENDCAP_MASTER_KEY": "one master key for all hosts",
        "ENDCAP_JOB_LEASE_SECONDS": "1",
        **PATIENT,
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_server_ends_its_job_after_it_is_back(tmp_path: Path, workers: int) -> None:
    """`kill -9` of all of it, in the middle of the job."""
    _killed_and_back(tmp_path, f"sqlite:///{tmp_path / 'endcap.db'}", workers=workers)


@pytest.mark.postgres
def test_the_same_over_postgres(tmp_path: Path, postgres_url: str) -> None:
    """With two workers."""
    _killed_and_back(tmp_path, postgres_url, workers=2)


def _killed_and_back(data_dir: Path, url: str, *, workers: int) -> None:
    create_tracker(data_dir, TRACKER, KEY, env=settings(url))
    server = start_server(data_dir, workers=workers, env=settings(url))
    put_items(server.url, ITEMS)
    status_url = _started(server)
    try:
        _wait(server, status_url, lambda job: job["updates_count"] > 0)
    finally:
        server.kill()
    assert _holder(url), "the job was done before the kill"

    server = start_server(data_dir, workers=workers, env=settings(url))
    try:
        done = _wait(server, status_url, lambda job: job["status"] != "in progress")
    finally:
        server.stop()

    _check(url, done)


def test_a_killed_workers_job_is_ended_by_another(tmp_path: Path) -> None:
    """The server goes on; so does the job."""
    url = f"sqlite:///{tmp_path / 'endcap.db'}"
    create_tracker(tmp_path, TRACKER, KEY, env=settings(url))
    server = start_server(tmp_path, workers=2, env=settings(url))
    try:
        put_items(server.url, ITEMS)
        status_url = _started(server)
        _wait(server, status_url, lambda job: job["updates_count"] > 0)
        os.kill(_holder(url), signal.SIGKILL)

        done = _wait(server, status_url, lambda job: job["status"] != "in progress")
    finally:
        server.stop()

    _check(url, done)


@pytest.mark.postgres
def test_a_killed_hosts_job_is_ended_by_another_host(tmp_path: Path, postgres_url: str) -> None:
    """Two hosts over one database: which of them had the job does not matter."""
    hosts = [tmp_path / name for name in ("here", "there")]
    for host in hosts:
        host.mkdir()
    create_tracker(hosts[0], TRACKER, KEY, env=settings(postgres_url))
    servers = [start_server(host, env=settings(postgres_url)) for host in hosts]
    try:
        put_items(servers[0].url, ITEMS)
        status_url = _started(servers[0])
        _wait(servers[0], status_url, lambda job: job["updates_count"] > 0)
        holder = _holder(postgres_url)
        first = 0 if holder in children_of(servers[0].pid) | {servers[0].pid} else 1
        servers[first].kill()

        done = _wait(servers[1 - first], status_url, lambda job: job["status"] != "in progress")
    finally:
        for server in servers:
            server.stop()

    _check(postgres_url, done)


def _started(server: LiveServer) -> str:
    caller = Caller(server.url)
    answer = caller.ask("PATCH", "/v1/update_by_query", BODY)
    caller.close()
    assert answer.status == 200, answer
    return str(json.loads(answer.body)["status_url"])


def _wait(server: LiveServer, status_url: str, holds: Any) -> Any:
    """The job's status once it holds, asked for over and over."""
    deadline = time.monotonic() + SECONDS_MAX
    caller = Caller(server.url)
    while True:
        answer = caller.ask("GET", status_url)
        if answer.status == 200 and holds(job := json.loads(answer.body)):
            caller.close()
            return job
        assert time.monotonic() < deadline, f"it never came to hold: {answer}"


def _holder(url: str) -> int:
    """The process that works on the job: holders begin with its number."""
    store = open_store(url)
    ((_, job),) = store.open_jobs()
    store.close()
    return int(job.holder.partition("-")[0], 16)


def _check(url: str, done: Any) -> None:
    """Every object was changed, once; the counts are of what happened; the kill came in the middle."""
    assert done == {
        "tracker_id": TRACKER,
        "status": "complete",
        "updates_count": ITEMS,
        "failures_count": 0,
        "failures": {},
        "checked_count": ITEMS,
    }
    store = open_store(url)
    try:
        tracker = TrackerId(TRACKER)
        lines = [line for line in store.history(tracker) if line.action == "replace"]
        assert Counter(line.subject for line in lines) == Counter(
            {f"/p/{number}": 1 for number in range(ITEMS)}
        )
        with store.load(tracker) as load:
            fields = [json.loads(each.document)["fields"] for each in load.objects()]
        assert {each["color"] for each in fields} == {"green"}
    finally:
        store.close()
