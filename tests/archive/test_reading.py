"""
What builds read of events: each once, whether it is in the store, in the archive, or in both.
"""

from pathlib import Path
from typing import Any

import duckdb

from endcap.archive.reading import EventSource, write_acts, write_orders
from endcap.recommend.build import build
from endcap.recommend.orders import COLUMNS, orders_directory
from tests.archive.conftest import SHOP, Attic, event, order

OLD, NEW = "2025-03-11T10:00:00Z", "2025-03-20T10:00:00Z"


def read(path: Path, what: str = "*") -> list[Any]:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {what} FROM read_parquet('{path}')").fetchall()


def columns(path: Path) -> list[tuple[str, str]]:
    with duckdb.connect() as connection:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
    return [(name, kind) for name, kind, *_ in described]


def tell(attic: Attic) -> None:
    """Two orders of long ago, one of now."""
    attic.tell(
        order(OLD, {"url": "/p/1", "count": 2, "total_price": 9}, "/p/2", name="a", customer="ann"),
        order(OLD, "/p/3", name="b", client="8", order_id="4711"),
        order(NEW, "/p/4", name="c"),
        event(NEW, name="d"),
    )


def test_order_lines_come_from_the_archive_and_from_the_store(attic: Attic) -> None:
    """In the columns of imported orders; who was logged in is the user, and else the device."""
    tell(attic)
    attic.archive()
    out = attic.settings.data_dir / "out.parquet"

    count = write_orders(attic.events, attic.place, SHOP, out)

    assert count == 4
    assert columns(out) == list(
        zip(
            COLUMNS, ("VARCHAR", "VARCHAR", "VARCHAR", "TIMESTAMP", "DOUBLE", "DOUBLE"), strict=True
        )
    )
    assert read(out, "* EXCLUDE (created_at), strftime(created_at, '%d')") == [
        ("4711", "/p/3", "8", 1.0, None, "11"),
        ("event:a", "/p/1", "ann", 2.0, 4.5, "11"),
        ("event:a", "/p/2", "ann", 1.0, None, "11"),
        ("event:c", "/p/4", "7", 1.0, None, "20"),
    ]


def test_acts_are_views_clicks_and_conversions(attic: Attic) -> None:
    """Lists and orders are none."""
    attic.tell(
        event(OLD, name="a", customer="ann"),
        event(OLD, name="b", type="click", action={"type": "click", "resource_identifier": "/p/2"}),
        event(NEW, name="c", type="click", action={"type": "buy", "resource_identifier": "/p/3"}),
        event(NEW, name="d", type="click", action={"type": "sign-up"}),
        event(NEW, name="e", type="event", lists={"Recommendation": {"items": []}}),
        order(NEW, "/p/4"),
    )
    attic.archive()
    out = attic.settings.data_dir / "out.parquet"

    count = write_acts(attic.events, attic.place, SHOP, out)

    assert count == 3
    assert columns(out) == [
        ("user_id", "VARCHAR"),
        ("kind", "VARCHAR"),
        ("identity", "VARCHAR"),
        ("created_at", "TIMESTAMP"),
    ]
    assert [row[:3] for row in read(out)] == [
        ("7", "click", "/p/2"),
        ("7", "conversion", "/p/3"),
        ("ann", "view", "/p/1"),
    ]


def test_what_is_in_both_counts_once(attic: Attic) -> None:
    """An archiver was killed before it deleted; an id came again after it was archived."""
    tell(attic)
    attic.archive()
    tell(attic)  # two of these four are known
    out = attic.settings.data_dir / "out.parquet"

    count = write_orders(attic.events, attic.place, SHOP, out)

    assert len(attic.stored()) == 4
    assert count == 4
    assert write_acts(attic.events, attic.place, SHOP, out) == 1


def test_nothing_told_is_nothing_read(attic: Attic) -> None:
    """An empty file, with the columns."""
    out = attic.settings.data_dir / "out.parquet"

    assert write_orders(attic.events, attic.place, SHOP, out) == 0
    assert [name for name, _ in columns(out)] == list(COLUMNS)


def test_a_move_between_the_two_reads_loses_nothing(attic_on_disk: Attic) -> None:
    """The store is read first: what is moved meanwhile is then read twice, and not never."""
    attic = attic_on_disk
    tell(attic)
    place = attic.place
    listed = place.parts

    def moving_first(tracker: Any) -> Any:
        attic.archive()
        return listed(tracker)

    class Moving:
        parts = staticmethod(moving_first)
        fetched = staticmethod(place.fetched)
        put = staticmethod(place.put)
        remove = staticmethod(place.remove)

    out = attic.settings.data_dir / "out.parquet"

    assert write_orders(attic.events, Moving(), SHOP, out) == 4
    assert len(attic.stored()) == 2


def test_builds_read_events_as_orders(attic: Attic) -> None:
    """Beside what was imported; told again, nothing changes, and what is new replaces."""
    attic.tell(*(order(OLD, "/p/1", "/p/2", name=f"o{number}") for number in range(5)))
    attic.archive()
    source = EventSource(attic.events, attic.place)
    data_dir = attic.settings.data_dir
    orders = orders_directory(data_dir, SHOP)

    source.refresh_orders(data_dir, SHOP)
    first = list(orders.iterdir())
    source.refresh_orders(data_dir, SHOP)
    again = list(orders.iterdir())
    attic.tell(order(NEW, "/p/3"))
    source.refresh_orders(data_dir, SHOP)
    later = list(orders.iterdir())

    assert len(first) == len(again) == len(later) == 1
    assert first == again != later
    artifact = build(orders, data_dir / "artifacts", now=attic.now)
    assert set(artifact.scores) == {"/p/1", "/p/2", "/p/3"}


def test_no_orders_of_events_leave_no_file(attic: Attic) -> None:
    """Those that there were are gone: forgotten, or too old."""
    attic.tell(order(OLD, "/p/1", name="a", client="9"))
    source = EventSource(attic.events, attic.place)
    data_dir = attic.settings.data_dir
    source.refresh_orders(data_dir, SHOP)
    attic.events.erase(SHOP, "9", attic.now)

    source.refresh_orders(data_dir, SHOP)

    assert list(orders_directory(data_dir, SHOP).iterdir()) == []


def test_what_was_looked_at_is_there_while_a_build_needs_it(attic: Attic) -> None:
    """From the store and the archive; afterwards it takes no room."""
    attic.tell(event(OLD, client="7"))
    attic.archive()
    attic.tell(event(NEW, client="8"))
    data_dir = attic.settings.data_dir
    before = _files(data_dir)

    with EventSource(attic.events, attic.place).acts(data_dir, SHOP) as acts:
        assert acts is not None
        seen = read(acts, "user_id, kind, identity")

    assert seen == [("7", "view", "/p/1"), ("8", "view", "/p/1")]
    assert _files(data_dir) == before


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.is_file())


def test_nothing_looked_at_is_no_file(attic: Attic) -> None:
    """A build then goes without."""
    attic.tell(order(OLD, "/p/1"))

    with EventSource(attic.events, attic.place).acts(attic.settings.data_dir, SHOP) as acts:
        assert acts is None
