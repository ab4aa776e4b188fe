"""
`endcap events archive` and `endcap forget`: older events move, a shopper is erased.
"""

import json
import time
from collections.abc import Sequence
from typing import Any

from endcap.domain import Event, Micros, TrackerId
from endcap.store import open_events
from endcap.store.events import EventStore
from tests.cli.driver import TRACKER, Shell, lines, unwrapped

DAY_SECONDS = 86_400


def events_of(shell: Shell) -> EventStore:
    return open_events(f"sqlite:///{shell.data_dir / 'endcap.db'}")


def event(name: str, *, days: int = 0, customer: str | None = None, **fields: Any) -> Event:
    """A view that was told so many days ago."""
    body = {
        "id": name,
        "type": "pv",
        "tracker_id": TRACKER,
        "client_id": "7",
        "url": "/p/1",
        **fields,
    }
    at = Micros(time.time_ns() // 1_000 - days * DAY_SECONDS * 1_000_000)
    document = json.dumps(body).encode()
    return Event(TrackerId(TRACKER), name, body["type"], "7", customer, at, at, document)


def tell(shell: Shell, *events: Event) -> None:
    store = events_of(shell)
    store.migrate()
    store.append(events)
    store.close()


def kept(shell: Shell) -> int:
    store = events_of(shell)
    count = store.count(TrackerId(TRACKER))
    store.close()
    return count


def archived(shell: Shell) -> Sequence[str]:
    return sorted(each.name for each in (shell.data_dir / "events").rglob("*.parquet"))


def test_older_events_are_moved(shell: Shell) -> None:
    """Of one tracker, or of all; what was done is said."""
    tell(shell, event("a", days=9), event("b", days=9), event("c"))

    said = shell.call("events", "archive", "--tracker", TRACKER).stdout
    again = shell.call("events", "archive", "--all").stdout

    assert unwrapped(said) == (
        f"{TRACKER}: 2 events moved to 1 files, 0 files of days that are too old deleted."
    )
    assert "0 events moved" in again
    assert kept(shell) == 1
    assert len(archived(shell)) == 1


def test_a_dry_run_moves_nothing(shell: Shell) -> None:
    """And says so."""
    tell(shell, event("a", days=9))

    said = shell.call("events", "archive", "--all", "--dry-run").stdout

    assert "1 events would be moved" in said
    assert kept(shell) == 1


def test_the_archive_in_json(shell: Shell) -> None:
    """A report a tracker."""
    tell(shell, event("a", days=9))

    assert shell.json("events", "archive", "--all") == [
        {"tracker": TRACKER, "events": 1, "parts": 1, "expired": 0, "busy": False}
    ]


def test_another_that_archives_is_not_disturbed(shell: Shell) -> None:
    """It is done, by somebody else."""
    tell(shell, event("a", days=9))
    store = events_of(shell)
    now = Micros(time.time_ns() // 1_000)
    store.take_lease(f"archive:{TRACKER}", "another", now=now, until=Micros(now + 60_000_000))
    store.close()

    assert "another process is at it" in shell.call("events", "archive", "--all").stdout
    assert kept(shell) == 1


def test_archive_wants_to_know_which(shell: Shell) -> None:
    """Neither, or both, is a mistake."""
    assert "--tracker ID, or --all" in shell.fault("events", "archive", code=2)
    both = ("events", "archive", "--all", "--tracker", TRACKER)
    assert "--tracker ID, or --all" in shell.fault(*both, code=2)
    assert "does not exist" in unwrapped(shell.fault("events", "archive", "--tracker", "none"))


def ordered(shell: Shell, user: str) -> None:
    """Three orders of a shopper's, imported."""
    file = shell.data_dir / "orders.jsonl"
    orders = [
        {
            "order_id": f"{user}{n}",
            "identity": f"/p/{i}",
            "user_id": user,
            "created_at": "2025-01-05",
        }
        for n in range(3)
        for i in range(2)
    ]
    file.write_text(lines(orders))
    shell.call("import", "transactions", file, "--tracker", TRACKER)


def learned(shell: Shell) -> None:
    """Orders of Ann's, imported, and recommenders built from them."""
    ordered(shell, "ann")
    shell.call("build", "--tracker", TRACKER)


def test_a_shopper_is_erased(shell: Shell) -> None:
    """Everywhere, and what else there is to do is said."""
    tell(shell, event("a", days=9, customer="ann"), event("b", customer="ann"), event("c"))
    shell.call("events", "archive", "--all")
    learned(shell)

    result = shell.call("forget", "--user", "ann")

    assert unwrapped(result.stdout) == (
        f"{TRACKER}: 1 events erased from the database, 1 erased from 1 archived files, 6 order lines made nameless, "
        "1 built artifacts replaced."
    )
    assert "also name 7" in unwrapped(result.stderr)
    assert f"Next: endcap build --tracker {TRACKER}" in result.stderr
    assert kept(shell) == 1
    assert archived(shell) == []


def test_a_dry_run_erases_nothing(shell: Shell) -> None:
    """The numbers are those of the deed."""
    tell(shell, event("a", customer="ann"))

    said = shell.call("forget", "--user", "ann", "--tracker", TRACKER, "--dry-run").stdout

    assert "1 events would be erased" in unwrapped(said)
    assert kept(shell) == 1


def test_recommenders_are_built_anew_at_once(shell: Shell) -> None:
    """Where they were built, and something was found."""
    learned(shell)
    ordered(
        shell, "ben"
    )  # so that building anew makes another artifact, even within the same second
    before = shell.revision()

    (told,) = shell.json("forget", "--user", "ann", "--build")

    assert told == {
        "tracker": TRACKER,
        "events": 0,
        "archived_events": 0,
        "archived_parts": 0,
        "order_lines": 6,
        "artifacts": 1,
        "lists": 0,
        "other_names": [],
        "rebuilt": True,
    }
    assert shell.revision() == before + 2


def test_nothing_is_built_where_nothing_was(shell: Shell) -> None:
    """Nor where nothing was found."""
    tell(shell, event("a", customer="ann"))

    (told,) = shell.json("forget", "--user", "ann", "--build")
    (nothing,) = shell.json("forget", "--user", "ann", "--build")

    assert (told["events"], told["rebuilt"]) == (1, False)
    assert (nothing["events"], nothing["rebuilt"]) == (0, False)


def test_nobody_was_known(shell: Shell) -> None:
    """It is said, and no mistake: who asks may repeat."""
    assert f"{TRACKER}: nothing was known." in shell.call("forget", "--user", "nobody").stdout
    assert "--user is empty" in shell.fault("forget", "--user", "", code=2)


def test_builds_learn_from_events(shell: Shell) -> None:
    """From archived ones and from those in the store, without any import."""
    transaction: dict[str, Any] = {
        "type": "transaction",
        "items": [{"url": "/p/1"}, {"url": "/p/2"}],
    }
    tell(
        shell,
        *(event(f"o{n}", days=9 * (n % 2), **transaction) for n in range(4)),
    )
    shell.call("events", "archive", "--all")

    built = shell.json("build", "--tracker", TRACKER)

    assert built["items"] == 2
