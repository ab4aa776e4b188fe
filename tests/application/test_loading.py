"""
Loading beside the requests: progress is said, a store that is away is waited for, an end is noticed.
"""

import time
from pathlib import Path

import psycopg
import pytest

from endcap import loading
from endcap.api.app import App, build
from endcap.config import Settings
from endcap.errors import StillLoading, StoreUnavailable, TrackerNotFound
from tests.application.conftest import Logged
from tests.application.world import SHOP, World, committed, eventually
from tests.services.postgres import PostgresServer

ITEMS = 3 * loading.ROWS_BETWEEN_LOOKS


@pytest.fixture
def stocked(world: World) -> World:
    """With enough objects for several looks at the clock."""
    committed(
        world.here, world.put(*(f"/p/{number}" for number in range(ITEMS))), world.create("a")
    )
    return world


def test_a_long_load_says_how_far_it_is(stocked: World, logged: Logged) -> None:
    """Which tracker, how much of it, and when it is done; here nothing is too quick to be told."""
    stocked.mirror(log_seconds=0.0).load()

    *said, done = logged
    shares = [entry["share"] for entry in said]
    assert {entry["event"] for entry in said} == {"loading"}
    assert {entry["tracker"] for entry in logged} == {SHOP}
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.5 < shares[-1] <= 1
    assert done["event"] == "loaded"
    assert (done["objects"], done["customizations"]) == (ITEMS, 1)


def test_a_quick_load_says_nothing(stocked: World, logged: Logged) -> None:
    """Most are."""
    stocked.mirror().load()

    assert logged == []


def test_a_process_that_ends_loads_no_further(stocked: World) -> None:
    """A drain must not wait for a load of a minute."""
    mirror = stocked.mirror()
    mirror.stop()

    with pytest.raises(StoreUnavailable, match="ending"):
        mirror.load()

    assert mirror.shop(SHOP) is None


def test_what_is_not_loaded_yet_is_told_from_what_is_not_there(world: World) -> None:
    """While it loads nobody knows; and nobody who asks makes it load more."""
    mirror = world.mirror()
    before, checked = mirror.absence(), mirror.check()
    mirror.load()

    assert isinstance(before, StillLoading)
    assert not checked
    assert isinstance(mirror.absence(), TrackerNotFound)


@pytest.mark.postgres
def test_a_store_that_is_away_is_waited_for(
    postgres_server: PostgresServer, postgres_url: str, tmp_path: Path, logged: Logged
) -> None:
    """A worker that is replaced meanwhile comes up when the store does."""
    app = App(build(Settings(data_dir=tmp_path, database_url=postgres_url)))
    postgres_server.stop()
    try:
        app.begin()
        eventually(lambda: bool(logged))
        is_ready_without = app.is_ready
    finally:
        postgres_server.start()

    eventually(lambda: app.is_ready)
    app.stop()
    assert not is_ready_without
    assert not app.has_failed
    assert [entry["event"] for entry in logged] == ["waiting for the store"]


@pytest.mark.postgres
def test_a_store_that_cannot_serve_is_told(
    postgres_server: PostgresServer, tmp_path: Path, logged: Logged
) -> None:
    """No other attempt would help: the worker ends, and its log says why."""
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS ascii")
        connection.execute(
            "CREATE DATABASE ascii TEMPLATE template0"
            " ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'"
        )
    app = App(build(Settings(data_dir=tmp_path, database_url=postgres_server.url("ascii"))))

    app.begin()
    eventually(lambda: app.has_failed)
    app.stop()

    assert logged[0]["event"] == "cannot start"
    assert "Endcap needs one in UTF8" in logged[0]["reason"]


def test_an_end_while_it_waits_is_quick(tmp_path: Path) -> None:
    """Nobody listens at that address."""
    app = App(build(Settings(data_dir=tmp_path, database_url="postgresql://127.0.0.1:1/shop")))
    app.begin()

    began_at = time.monotonic()
    app.stop()

    assert time.monotonic() - began_at < 4
    assert not app.is_ready
