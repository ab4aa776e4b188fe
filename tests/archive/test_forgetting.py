"""
A shopper is erased everywhere: store, archive, imported orders.
"""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from endcap.archive.forgetting import Forgetter, Forgotten
from endcap.archive.places import Folder
from endcap.clock import random_id
from endcap.domain import Micros
from endcap.errors import StoreUnavailable
from endcap.neighbour_lists import (
    current_source,
    current_version,
    import_list,
    lists_directory,
    versions_of,
)
from endcap.publishing import build_and_publish
from endcap.recommend.artifact import artifacts_directory, load_artifact, user_digest
from endcap.recommend.neighbour_list import load_list
from endcap.recommend.orders import order_files, orders_directory
from endcap.store.events import Erased
from endcap.store.writes import CreateTracker, PublishArtifact
from endcap.transfer.transactions import import_transactions
from tests.archive.conftest import NOW, SHOP, Attic, event, order

OLD, OLDER, NEW = "2025-03-11T10:00:00Z", "2025-03-10T10:00:00Z", "2025-03-20T10:00:00Z"


def forget(attic: Attic, user: str, **options: Any) -> Forgotten:
    forgetter = Forgetter(
        attic.settings,
        attic.store,
        attic.events,
        attic.place,
        clock=attic.clock,
        wait_seconds_max=0,
    )
    return forgetter.forget(SHOP, user, **options)


def tell(attic: Attic) -> None:
    """Ann on two devices, Bob on one of them; archived on two days, and not yet."""
    attic.tell(
        event(OLDER, name="a", client="1", customer="ann"),
        event(OLDER, name="b", client="2", customer="ann"),
        event(OLD, name="c", client="2", customer="bob"),
        order(OLD, "/p/1", name="d", client="3", customer="ann"),
        event(NEW, name="e", client="2", customer="ann"),
        event(NEW, name="f", client="2"),
    )


def imported(attic: Attic) -> Path:
    """Two lines of Ann's, one of Bob's, one of nobody's."""
    lines = [
        {"order_id": number, "identity": f"/p/{number}", "user_id": user, "created_at": "2025-01-05"}
        for number, user in enumerate(["ann", "ann", "bob", None])
    ]  # fmt: skip
    file = attic.settings.data_dir / "orders.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in lines))
    import_transactions(attic.settings.data_dir, SHOP, file, now=NOW, new_id=random_id)
    return file


def built(attic: Attic) -> str:
    """The same orders with what was learned from them, which is served; its name."""
    imported(attic)
    attic.store.commit([CreateTracker(SHOP, "a shop", b"sealed", "test", NOW)])
    published = build_and_publish(
        attic.store,
        attic.settings.data_dir,
        SHOP,
        actor="test",
        now=NOW,
        progress=lambda *_: None,
    )
    return published.artifact


def order_lines(attic: Attic) -> list[Any]:
    (file,) = order_files(orders_directory(attic.settings.data_dir, SHOP))
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT order_id, user_id, identity FROM read_parquet('{file}')"
        )
        return found.fetchall()


def test_events_go_wherever_they_are(attic: Attic) -> None:
    """Files of the archive are written anew where the shopper is in them, or go; the others stay untouched."""
    attic.tell(event("2025-03-09T10:00:00Z", name="x", received=OLD, client="5"))
    attic.tell(event("2025-03-08T10:00:00Z", name="y", received=OLD, client="5", customer="ann"))
    tell(attic)
    attic.archive()
    before = attic.parts()

    forgotten = forget(attic, "ann")

    assert forgotten == Forgotten(SHOP, 1, 4, 3, 0, 0, 0, ("1", "2", "3", "5"))
    assert not forgotten.is_nothing
    assert attic.stored() == ["f"]
    assert attic.archived() == ["x", "c"]
    assert [part.name for part in attic.parts()] == [before[1].name, before[3].name]


def test_a_device_is_forgotten_with_its_customers(attic: Attic) -> None:
    """What it did under any name; what they did on other devices stays."""
    tell(attic)
    attic.archive()

    forgotten = forget(attic, "2")

    assert (forgotten.events, forgotten.archived_events) == (2, 2)
    assert forgotten.other_names == ("ann", "bob")
    assert attic.archived() == ["a", "d"]


def test_workers_are_told(attic: Attic) -> None:
    """By a line in what they follow."""
    tell(attic)

    forget(attic, "ann")

    assert [line for line in attic.events.after(SHOP, 0) if isinstance(line, Erased)] == [
        Erased(7, "ann")
    ]


def test_orders_stay_without_the_name(attic: Attic) -> None:
    """What was bought together is still known, in the order that it was in."""
    imported(attic)

    forgotten = forget(attic, "ann")

    assert forgotten.order_lines == 2
    assert order_lines(attic) == [
        ("0", None, "/p/0"),
        ("1", None, "/p/1"),
        ("2", "bob", "/p/2"),
        ("3", None, "/p/3"),
    ]


def test_what_was_built_forgets(attic: Attic) -> None:
    """The artifact that is served is replaced by one that does not know the shopper; nothing of it stays on disk."""
    served = built(attic)

    forgotten = forget(attic, "ann")

    row = attic.store.tracker(SHOP)
    assert row is not None
    assert row.artifact not in (None, served)
    assert forgotten.artifacts == 1
    folder = artifacts_directory(attic.settings.data_dir, SHOP)
    assert [each.name for each in folder.iterdir()] == [row.artifact]
    after = load_artifact(folder / str(row.artifact))
    assert after.history("ann") == ([], [])
    assert after.history("bob") == ([2], [1])


def test_an_artifact_that_is_not_served_any_more_forgets_too(attic: Attic) -> None:
    """It is kept to go back to; the tracker's pointer stays where it is."""
    built(attic)
    attic.store.commit([PublishArtifact(SHOP, "another", "test", NOW)])

    forgotten = forget(attic, "ann")

    row = attic.store.tracker(SHOP)
    assert row is not None
    assert (row.artifact, forgotten.artifacts) == ("another", 1)


def test_lists_of_another_system_forget(attic: Attic) -> None:
    """Those by user, in every version that is kept; a follower does not take the file for a new one."""
    folder = lists_directory(attic.settings.data_dir, SHOP) / "for_user"
    file = attic.settings.data_dir / "lists.csv"
    for score in (1, 2):
        file.write_text(f"user,item,score\nann,a,{score}\nann,b,3\nbob,a,1\neve,b,{score}\n")
        import_list(
            attic.settings.data_dir,
            SHOP,
            "for_user",
            file,
            columns={},
            now=Micros(NOW + score * 1_000_000),
        )
    before = current_source(folder)

    assert forget(attic, "ann", dry_run=True).lists == 1
    assert forget(attic, "ann").lists == 1
    assert forget(attic, "ann").lists == 0

    assert current_source(folder) == before
    assert len(versions_of(folder)) == 2
    for version in versions_of(folder):
        left = load_list(folder / version)
        assert [left.of(user_digest(each)) is None for each in ("ann", "bob", "eve")] == [
            True,
            False,
            False,
        ]
    current = load_list(folder / str(current_version(folder)))
    found = current.of(user_digest("eve"))
    assert found is not None
    places, scores = found
    assert [current.identities()[at] for at in places.tolist()] == ["b"]
    assert scores.tolist() == [2.0]
    assert current.manifest.counts == {"keys": 2, "items": 2, "pairs": 2}


def test_a_dry_run_counts_the_same_and_leaves_all(attic: Attic) -> None:
    """Nothing is erased, nobody is told."""
    tell(attic)
    attic.archive()
    served = built(attic)

    told = forget(attic, "ann", dry_run=True)

    row = attic.store.tracker(SHOP)
    assert row is not None
    assert row.artifact == served
    assert told.artifacts == 1
    assert len(attic.stored()) + len(attic.archived()) == 6
    assert attic.events.heads() == {SHOP: 6}
    assert told == forget(attic, "ann")


def test_nobody_is_nothing(attic: Attic) -> None:
    """A typing error changes nothing."""
    tell(attic)
    attic.archive()
    imported(attic)

    forgotten = forget(attic, "anna")

    assert forgotten.is_nothing
    assert forgotten.other_names == ()
    assert len(attic.archived()) == 4


def test_a_second_time_finds_nothing(attic: Attic) -> None:
    """So that it may be repeated at will."""
    tell(attic)
    attic.archive()
    forget(attic, "ann")

    assert forget(attic, "ann").is_nothing


def test_it_waits_for_the_archiver_and_gives_up(attic: Attic) -> None:
    """Two that write the same file would undo each other."""
    tell(attic)
    attic.events.take_lease(f"archive:{SHOP}", "another", now=NOW, until=Micros(NOW + 9))

    with pytest.raises(StoreUnavailable, match="try again"):
        forget(attic, "ann")

    assert len(attic.stored()) == 6


class Broken(Folder):
    """A disk that is full."""

    def put(self, draft: Path, name: str) -> None:
        raise StoreUnavailable("full")


def test_half_of_it_is_made_whole_by_a_repetition(attic_on_disk: Attic) -> None:
    """What could not be written stays as it was, and is found again."""
    attic = attic_on_disk
    tell(attic)
    attic.archive()
    good, attic.place = attic.place, Broken(attic.settings.data_dir / "events")
    with pytest.raises(StoreUnavailable):
        forget(attic, "bob")

    attic.place = good
    again = forget(attic, "bob")

    assert again.archived_events == 1
    assert attic.archived() == ["a", "b", "d"]
