"""
PostgreSQL restarts, or its primary dies and a standby takes over, while shoppers and editors go on: `recommend` answers
throughout, writes come back by themselves, and nothing that was answered is lost.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import LiteralString

import pytest

from tests.durability.load import (
    PATIENT,
    Answer,
    Caller,
    Load,
    creates,
    load,
    put_items,
    recommends,
)
from tests.durability.storm import BASE, KEY, TRACKER
from tests.services import needs, postgres
from tests.services.postgres import PostgresServer
from tests.services.server import LiveServer, create_tracker, start_server

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

WORKERS = 2
BACK_SECONDS_MAX = 2.0  # after PostgreSQL answers again
DATABASE = "shop"
END_THE_WAIT: LiteralString = """
    SELECT pg_cancel_backend(pid) FROM pg_stat_activity
    WHERE wait_event = 'SyncRep' AND datname = 'lonely' AND application_name = 'endcap'
"""
Pair = tuple[PostgresServer, PostgresServer]


def test_a_restart_under_load_loses_nothing_and_is_over_soon(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """Stopped in immediate mode, as a crash; started again a second later."""
    server = _served(tmp_path, postgres_url)
    try:
        with load(server.url, recommends) as reads, load(server.url, creates) as writes:
            writes.wait_for(50, _is_created)
            postgres_server.crash()
            writes.wait_for(20, _is_away)
            time.sleep(1)
            postgres_server.start()
            back_at = time.monotonic()
            writes.wait_for(50, lambda answer: answer.asked_at > back_at + BACK_SECONDS_MAX)

        _check(reads, writes, back_at)
        _check_stored(server, writes)
    finally:
        postgres_server.start()
        server.stop()


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A primary and its synchronous standby."""
    binaries = postgres.find_binaries()
    if binaries is None:
        needs.lacking("no PostgreSQL server is installed; Debian's package is postgresql")
    with postgres.running_server(binaries) as primary:
        primary.ask("CREATE DATABASE shop")
        with postgres.running_server(binaries, standby_of=primary) as standby:
            # Only after the copy: the standby, once promoted, has nobody to wait for.
            primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
            primary.ask("SELECT pg_reload_conf()")
            _until_synchronous(primary)
            yield primary, standby


def test_a_commit_that_no_standby_has_is_not_answered_as_done(tmp_path: Path, pair: Pair) -> None:
    """PostgreSQL says that it is done, with a warning, when somebody ends the wait for the standby."""
    primary, standby = pair
    primary.ask("CREATE DATABASE lonely")
    server = _served(tmp_path, primary.url("lonely"))
    caller = Caller(server.url)
    try:
        assert caller.create("before").status == 201
        standby.stop()
        with ThreadPoolExecutor() as executor:
            asked = executor.submit(caller.create, "alone")
            _until(lambda: bool(primary.ask(END_THE_WAIT)))
            alone = asked.result()
        standby.start()
        _until_synchronous(primary)
        after = caller.create("after")
    finally:
        caller.close()
        server.stop()

    assert (alone.status, alone.headers.get("retry-after")) == (503, "1")
    assert b"may not be on a second server" in alone.body
    assert after.status == 201


def test_a_promoted_standby_takes_over_under_load(tmp_path: Path, pair: Pair) -> None:
    """
    The primary is killed, the standby promoted, and the old primary comes back as a server that only
    reads: it is left alone, even when every connection has to be made anew.
    """
    primary, standby = pair
    url = (
        f"postgresql://{postgres.ADMIN}@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/{DATABASE}"
        "?target_session_attrs=read-write"
    )
    server = _served(tmp_path, url)
    try:
        with load(server.url, recommends) as reads, load(server.url, creates) as writes:
            writes.wait_for(50, _is_created)
            primary.kill()
            writes.wait_for(20, _is_away)
            standby.ask("SELECT pg_promote()")
            back_at = time.monotonic()
            writes.wait_for(50, lambda answer: answer.asked_at > back_at + BACK_SECONDS_MAX)
        _check(reads, writes, back_at)
        _check_stored(server, writes)
        _until(lambda: _listeners(standby) == WORKERS)

        primary.become_standby()
        primary.start()
        with load(server.url, creates) as later:
            later.wait_for(20, _is_created)
            standby.ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'endcap'"
            )
            cut_at = time.monotonic()
            later.wait_for(20, lambda answer: answer.asked_at > cut_at + BACK_SECONDS_MAX)
        assert {each.status for each in later.since(cut_at + BACK_SECONDS_MAX)} == {201}
        _check_stored(server, writes, later)
        _until(lambda: _listeners(standby) == WORKERS)
        assert primary.ask("SELECT pg_is_in_recovery()") == [(True,)]
    finally:
        server.stop()


def _served(data_dir: Path, url: str) -> LiveServer:
    environment = {"ENDCAP_DATABASE_URL": url, **PATIENT}
    create_tracker(data_dir, TRACKER, KEY, env=environment)
    server = start_server(data_dir, workers=WORKERS, env=environment)
    put_items(server.url)
    return server


def _is_created(answer: Answer) -> bool:
    return answer.status == 201


def _is_away(answer: Answer) -> bool:
    return answer.status == 503


def _check(reads: Load, writes: Load, back_at: float) -> None:
    """What everybody was answered."""
    assert set(reads.counts()) == {200}
    assert set(writes.counts()) == {201, 503}
    assert all(each.headers["retry-after"] for each in writes.answers if _is_away(each))
    back = [each.answered_at - back_at for each in writes.since(back_at) if _is_created(each)]
    assert min(back) < BACK_SECONDS_MAX
    assert {each.status for each in writes.since(back_at + BACK_SECONDS_MAX)} == {201}
    print(f"first write {min(back):.3f} s after it was back; {writes.counts()}")  # noqa: T201


def _check_stored(server: LiveServer, *loads: Load) -> None:
    """Every write that was answered is there, once, and is shown."""
    answered = [
        json.loads(each.body)["id"] for load in loads for each in load.answers if _is_created(each)
    ]
    seen = max(
        int(each.headers["endcap-revision"])
        for load in loads
        for each in load.answers
        if _is_created(each)
    )
    caller = Caller(server.url)
    stored = caller.ask("POST", f"{BASE}s/export", b"{}")
    shown = caller.recommend(Endcap_Revision=str(seen))
    caller.close()
    assert len(set(answered)) == len(answered)
    assert set(answered) <= _ids(stored)
    assert shown.status == 200


def _ids(export: Answer) -> set[str]:
    assert export.status == 200
    found: Sequence[dict[str, str]] = json.loads(export.body)
    return {each["id"] for each in found}


def _until_synchronous(primary: PostgresServer) -> None:
    _until(lambda: primary.ask("SELECT sync_state FROM pg_stat_replication") == [("sync",)])


def _listeners(server: PostgresServer) -> int:
    ((count,),) = server.ask(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = 'shop'"
    )
    return int(count)


def _until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.05)
