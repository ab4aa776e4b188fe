"""
URLs, migrations and the SQL beside the code.
"""

import multiprocessing
import re
import sqlite3
from pathlib import Path

import pytest

import endcap.store
from endcap.errors import StoreUnavailable, UsageFault
from endcap.store import open_store, scripts
from endcap.store.port import Store
from endcap.store.sqlite import SqliteStore
from tests.store.conftest import MakeUrl, sqlite_url
from tests.store.migrations import migrations_for
from tests.store.writes import committed, create, new_tracker, some_tracker

SPAWN = multiprocessing.get_context("spawn")


def test_a_relative_path_begins_where_the_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three slashes and a relative path; folders are made."""
    monkeypatch.chdir(tmp_path)

    store = open_store("sqlite:///data/endcap.db")
    store.migrate()
    store.close()

    assert (tmp_path / "data" / "endcap.db").is_file()


def test_an_absolute_path_has_four_slashes(tmp_path: Path) -> None:
    """And may hold percent-encoded characters."""
    store = open_store(f"sqlite:////{tmp_path}/with%20space/endcap.db".replace("////", "///"))
    store.migrate()
    store.close()

    assert (tmp_path / "with space" / "endcap.db").is_file()


@pytest.mark.parametrize(
    "url", ["mysql://host/db", "endcap.db", "", "sqlite://", "sqlite:///", "sqlite://host/x.db"]
)
def test_other_urls_are_refused_with_examples(url: str) -> None:
    """The fault shows what a URL may look like."""
    with pytest.raises(UsageFault, match=re.escape("sqlite:///relative/path.db")):
        open_store(url)


def test_a_url_that_postgresql_cannot_read_is_refused() -> None:
    """Without the password in the message."""
    with pytest.raises(UsageFault) as caught:
        open_store("postgresql://user:hunter2@host/db?no_such_option=1")

    assert "hunter2" not in str(caught.value)


def test_opening_does_not_connect() -> None:
    """A server that is not there shows when it is first asked something."""
    open_store("postgresql://user@127.0.0.1:1/db").close()


def test_migrate_applies_each_migration_once(make_url: MakeUrl) -> None:
    """The second time there is nothing to do, and what was stored is there."""
    url = make_url()
    store = open_store(url)

    assert store.migrate() == migrations_for(url)
    tracker = some_tracker()
    committed(store, new_tracker(tracker), create(tracker))
    assert store.migrate() == []
    assert store.revisions() == {tracker: 2}
    store.close()


def migrate(url: str) -> list[str]:
    store = open_store(url)
    try:
        return list(store.migrate())
    finally:
        store.close()


def test_migrations_from_several_processes_at_once(make_url: MakeUrl) -> None:
    """One of them applies each, the others wait for it and find it done."""
    url = make_url()

    with SPAWN.Pool(4) as processes:
        applied = processes.map(migrate, [url] * 4, chunksize=1)

    assert sorted(applied) == [[], [], [], migrations_for(url)]


def test_a_store_is_closed_twice_without_harm(fresh: Store) -> None:
    """And a closed one says so."""
    fresh.close()
    fresh.close()

    with pytest.raises(StoreUnavailable):
        fresh.revisions()


def test_migrations_are_numbered_alike() -> None:
    """A version has one name and a number of its own, in both adapters; SQLite keeps it in one of two files."""
    sqlite, events, postgres = (
        [name for name, _ in scripts.migrations(each)]
        for each in ("sqlite", "sqlite_events", "postgres")
    )
    numbers = [int(name.split("_")[0]) for name in postgres]

    assert sorted([*sqlite, *events]) == postgres
    assert all(re.fullmatch(r"\d{4}_[a-z_]+", name) for name in postgres)
    assert sorted(set(numbers)) == numbers
    assert numbers[0] == 1


def test_adapters_carry_the_same_queries() -> None:
    """In the same order, so that they read side by side."""
    assert list(scripts.queries("sqlite")) == list(scripts.queries("postgres"))


@pytest.mark.parametrize("adapter", ["sqlite", "postgres"])
def test_every_query_is_used(adapter: str) -> None:
    """By its adapter, or by the conditions that both share."""
    folder = Path(endcap.store.__file__).parent
    own = (f"{adapter}.py", f"{adapter}_transaction.py")
    shared = ("filters.py", "log_queries.py", "state_queries.py", "transaction_queries.py")
    code = "".join((folder / name).read_text() for name in (*own, *shared))

    unused = [name for name in scripts.queries(adapter) if f'"{name}"' not in code]

    assert unused == []


@pytest.mark.parametrize("adapter", ["sqlite", "postgres"])
def test_every_query_file_tells_its_format(adapter: str) -> None:
    """And every query has SQL, without a comment in it."""
    text = (Path(endcap.store.__file__).parent / "sql" / adapter / "queries.sql").read_text()

    assert "A query is a line with its name" in text[: text.index("-- name:")]
    for name, sql in scripts.queries(adapter).items():
        assert sql.strip(), name
        assert "--" not in sql, name


def test_an_old_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the version that is needed."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))

    with pytest.raises(UsageFault, match=r"3\.37"):
        SqliteStore(tmp_path / "endcap.db")


def test_sqlite_is_durable(sqlite_file: Path) -> None:
    """The log is written ahead, and synced at every commit."""
    store = SqliteStore(sqlite_file)
    with store._writing() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    store.close()


def test_a_sqlite_url_from_a_path(sqlite_file: Path) -> None:
    """What the settings make of a data directory opens it."""
    store = open_store(sqlite_url(sqlite_file))

    assert store.revisions() == {}
    store.close()
