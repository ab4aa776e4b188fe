"""
A store of events on either database, and an archive on a disk or on an object storage.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest

from endcap.archive.moving import Archiver, Moved
from endcap.archive.places import Part, Place, open_place
from endcap.config import Settings
from endcap.domain import Event, Micros, TrackerId
from endcap.store import open_events, open_store
from endcap.store.events import EventStore, Told
from endcap.store.port import Store
from endcap.wire.reading import instant
from tests.services.postgres import PostgresServer
from tests.services.s3 import S3Server, running_s3

SHOP = TrackerId("1234-5678")
DAY_SECONDS = 86_400
_ids = count()


def moment(text: str) -> Micros:
    at = instant(text)
    assert at is not None
    return at


NOW = moment("2025-03-20T15:00:00Z")


class Attic:
    """A store of events with its archive, at a told time."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.url = url
        self.settings = settings
        self.now = NOW
        self.store: Store = open_store(url)
        self.store.migrate()
        self.events: EventStore = open_events(url)
        self.events.migrate()
        self.place: Place = open_place(settings)

    def close(self) -> None:
        self.events.close()
        self.store.close()

    def clock(self) -> Micros:
        return self.now

    def archiver(self, **options: Any) -> Archiver:
        place = options.pop("place", self.place)
        events = options.pop("events", self.events)
        settings = options.pop("settings", self.settings)
        return Archiver(settings, events, place, clock=self.clock, **options)

    def archive(self, **options: Any) -> Moved:
        return self.archiver(**options).archive(SHOP)

    def tell(self, *events: Event) -> None:
        self.events.append(events)

    def stored(self) -> list[str]:
        """Ids in the store."""
        return [each.event.id for each in self.events.after(SHOP, 0) if isinstance(each, Told)]

    def parts(self) -> Sequence[Part]:
        return self.place.parts(SHOP)

    def archived(self, what: str = "id", where: str = "true") -> list[Any]:
        """Rows of every part, duplicates among them; one column gives plain values."""
        rows: list[Any] = []
        for part in self.parts():
            with self.place.fetched(part.name, self.settings.data_dir) as path:
                with duckdb.connect() as connection:
                    rows += connection.execute(
                        f"SELECT {what} FROM read_parquet('{path}', hive_partitioning = false) WHERE {where} "
                        "ORDER BY number"
                    ).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]


def event(
    told: str,
    *,
    name: str = "",
    received: str = "",
    client: str = "7",
    customer: str | None = None,
    **fields: Any,
) -> Event:
    """A view of /p/1 at a moment, received at once."""
    name = name or f"e{next(_ids)}"
    body = {
        "id": name,
        "type": "pv",
        "tracker_id": SHOP,
        "client_id": client,
        "url": "/p/1",
        **fields,
    }
    at = moment(told)
    return Event(
        SHOP,
        name,
        body["type"],
        client,
        customer,
        at,
        moment(received) if received else at,
        json.dumps(body, ensure_ascii=False).encode(),
    )


def order(told: str, *items: dict[str, Any] | str, **fields: Any) -> Event:
    """A transaction of some items."""
    lines = [{"url": each} if isinstance(each, str) else each for each in items]
    return event(told, type="transaction", items=lines, **fields)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    with running_s3() as server:
        yield server


@pytest.fixture(params=["disk", "s3"])
def archive_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The setting of where events are archived."""
    if request.param == "disk":
        return ""
    server: S3Server = request.getfixturevalue("s3")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server.make_bucket()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'endcap.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database()


@pytest.fixture
def attic(tmp_path: Path, archive_url: str) -> Iterator[Attic]:
    """Over SQLite."""
    url = f"sqlite:///{tmp_path / 'endcap.db'}"
    made = Attic(url, Settings(data_dir=tmp_path, events_url=archive_url))
    yield made
    made.close()


@pytest.fixture
def attic_on_disk(tmp_path: Path, database_url: str) -> Iterator[Attic]:
    """Over either database, on a disk."""
    made = Attic(database_url, Settings(data_dir=tmp_path))
    yield made
    made.close()
