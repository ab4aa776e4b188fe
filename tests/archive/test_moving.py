"""
Events move from the store to the archive: by day, once, and only when they are durable there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from endcap.archive.places import Folder, open_place
from endcap.config import Settings
from endcap.domain import Micros
from endcap.errors import StoreUnavailable, UsageFault
from tests.archive.conftest import DAY_SECONDS, NOW, SHOP, Attic, event, order

OLD, OLDER = "2025-03-11T23:59:59.999999Z", "2025-03-10T08:00:00Z"
NEW = "2025-03-13T00:00:00Z"
"""Of the first day that stays: seven before today."""


def test_older_events_move_by_day(attic: Attic) -> None:
    """The days are those on which they happened; what is younger stays."""
    attic.tell(
        event(OLDER, name="a"),
        event(OLD, name="b"),
        event(OLDER, name="c", received=OLD),
        event(NEW, name="d"),
    )

    moved = attic.archive()

    assert (moved.events, moved.parts, moved.expired) == (3, 2, 0)
    assert attic.stored() == ["d"]
    assert [part.day.isoformat() for part in attic.parts()] == ["2025-03-10", "2025-03-11"]
    assert attic.parts()[0].name.startswith(f"tracker={SHOP}/date=2025-03-10/part-000000000001-")
    assert attic.archived() == ["a", "c", "b"]


def test_a_part_has_the_columns_that_it_is_read_by(attic: Attic) -> None:
    """Typed, with what the event means and with all of it as it was sent."""
    items: list[dict[str, Any]] = [{"url": "/p/ü", "count": 2, "total_price": 9}, {"url": "/p/2"}]
    sent = order(OLD, *items, name="a", order_id="4711", customer="ann")
    attic.tell(sent)

    attic.archive()

    (row,) = attic.archived(
        "* EXCLUDE (created_at, received_at), epoch_us(created_at), typeof(created_at)"
    )
    assert row == (
        1,
        "a",
        "transaction",
        "7",
        "ann",
        "order",
        "4711",
        [
            {"identity": "/p/ü", "quantity": 2.0, "unit_price": 4.5},
            {"identity": "/p/2", "quantity": 1.0, "unit_price": None},
        ],
        sent.document.decode(),
        sent.at,
        "TIMESTAMP",
    )  # fmt: skip


def test_what_is_not_understood_any_more_is_kept(attic: Attic) -> None:
    """It means nothing, and is there as it was sent, as far as it is text."""
    broken = msgspec.structs.replace(event(OLD, name="a"), document=b'{"\xff"')
    attic.tell(broken, event(OLD, name="b"))

    attic.archive()

    assert attic.archived("id, kind, document")[0] == ("a", "unknown", '{"\ufffd"')
    assert attic.stored() == []


def test_a_second_run_has_nothing_to_do(attic: Attic) -> None:
    """And a day that went by makes more to do."""
    attic.tell(event(OLD), event(NEW, name="n"))
    attic.archive()

    again = attic.archive()
    attic.now = Micros(NOW + DAY_SECONDS * 1_000_000)
    later = attic.archive()

    assert (again.events, again.parts) == (0, 0)
    assert (later.events, later.parts) == (1, 1)
    assert attic.stored() == []


def test_many_events_move_in_batches(attic: Attic) -> None:
    """A part a batch and day, none twice."""
    names = [f"n{number:05}" for number in range(12_000)]
    attic.tell(*(event(OLD, name=name) for name in names))

    moved = attic.archive(batch_events=5_000)

    assert (moved.events, moved.parts) == (12_000, 3)
    assert sorted(attic.archived()) == names
    assert attic.stored() == []


def test_a_dry_run_says_and_leaves(attic: Attic) -> None:
    """What would be moved, and what would be too old."""
    attic.tell(event(OLD), event(OLD))
    archiver = attic.archiver()

    told = archiver.archive(SHOP, dry_run=True)

    assert (told.events, told.parts) == (2, 0)
    assert len(attic.stored()) == 2
    assert attic.parts() == []


def test_days_that_are_too_old_go(attic: Attic) -> None:
    """By the day in the name, whole days at a time; zero keeps them for ever."""
    attic.tell(
        event("2024-02-13T12:00:00Z", received=OLD), event("2024-02-14T12:00:00Z", received=OLD)
    )
    kept = msgspec.structs.replace(attic.settings, events_retention_days=0)

    assert attic.archive(settings=kept).expired == 0
    assert len(attic.parts()) == 2
    assert attic.archive().expired == 1
    assert [part.day.isoformat() for part in attic.parts()] == ["2024-02-14"]


def test_old_erasures_are_taken_away(attic: Attic) -> None:
    """A day after, when every follower has seen them."""
    attic.events.erase(SHOP, "ann", Micros(NOW - 25 * 3_600 * 1_000_000))
    attic.events.erase(SHOP, "bob", Micros(NOW - 23 * 3_600 * 1_000_000))

    attic.archive()

    assert [getattr(line, "user", "") for line in attic.events.after(SHOP, 0)] == ["bob"]


def test_one_process_at_a_time(attic: Attic) -> None:
    """Another one is told, and does nothing."""
    attic.tell(event(OLD))
    attic.events.take_lease(f"archive:{SHOP}", "another", now=NOW, until=Micros(NOW + 1))

    assert attic.archive().busy
    attic.now = Micros(NOW + 1)
    assert attic.archive().events == 1


class Overtaken(Folder):
    """While it puts a part in its place, another process takes the lease: this one had been stopped for long."""

    attic: Attic

    def put(self, draft: Path, name: str) -> None:
        super().put(draft, name)
        later = Micros(NOW + 3_600 * 1_000_000)
        assert self.attic.events.take_lease(
            f"archive:{SHOP}", "b", now=later, until=Micros(later + 9)
        )


def test_who_lost_the_lease_deletes_nothing(attic_on_disk: Attic) -> None:
    """What it has written is there twice then, which is seen to by readers."""
    attic_on_disk.tell(event(OLD))
    place = Overtaken(attic_on_disk.settings.data_dir / "events")
    place.attic = attic_on_disk

    with pytest.raises(StoreUnavailable):
        attic_on_disk.archive(place=place)

    assert len(attic_on_disk.stored()) == 1


class Forgetful(Folder):
    """A disk that does not keep what it was given."""

    def put(self, draft: Path, name: str) -> None:
        draft.write_bytes(draft.read_bytes()[:-1])
        raise StoreUnavailable("not kept")


def test_what_could_not_be_kept_stays_in_the_store(attic_on_disk: Attic) -> None:
    """Nothing is deleted before it is durable elsewhere."""
    attic_on_disk.tell(event(OLD))

    with pytest.raises(StoreUnavailable):
        attic_on_disk.archive(place=Forgetful(attic_on_disk.settings.data_dir))

    assert len(attic_on_disk.stored()) == 1
    assert attic_on_disk.archive().events == 1


def test_other_files_beside_are_left_alone(attic_on_disk: Attic) -> None:
    """Drafts of who was killed, and whatever people put there."""
    attic_on_disk.tell(event(OLD))
    attic_on_disk.archive()
    folder = attic_on_disk.settings.data_dir / "events" / f"tracker={SHOP}"
    (folder / "date=2025-03-11" / ".draft-part-1.parquet").write_bytes(b"half")
    (folder / "date=2025-03-11" / "notes.txt").write_bytes(b"x")
    (folder / "date=soon").mkdir()
    (folder / "date=soon" / "part-1.parquet").write_bytes(b"x")

    assert len(attic_on_disk.parts()) == 1
    assert len(attic_on_disk.archived()) == 1


def test_either_database_is_archived(attic_on_disk: Attic) -> None:
    """With the same result."""
    attic_on_disk.tell(event(OLD, name="a"), event(NEW, name="b"))

    moved = attic_on_disk.archive()

    assert moved.events == 1
    assert (attic_on_disk.stored(), attic_on_disk.archived()) == (["b"], ["a"])


@pytest.mark.parametrize("url", ["ftp://x/y", "events", "/var/events"])
def test_a_place_that_is_none(tmp_path: Path, url: str) -> None:
    """The setting is named, and what it must be like."""
    with pytest.raises(UsageFault, match="ENDCAP_EVENTS_URL"):
        open_place(Settings(data_dir=tmp_path, events_url=url))


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attic]:
    """An object storage that does not answer."""
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings(data_dir=tmp_path, events_url="s3://nowhere/events")
    made = Attic(f"sqlite:///{tmp_path / 'endcap.db'}", settings)
    yield made
    made.events.close()


def test_an_object_storage_that_is_away(away: Attic) -> None:
    """The events stay where they are, and the message names the place."""
    away.tell(event(OLD))

    with pytest.raises(StoreUnavailable, match="s3://nowhere/events"):
        away.archive()

    assert len(away.stored()) == 1
