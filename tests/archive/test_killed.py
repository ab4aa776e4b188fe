"""
An archiver that is killed at any step loses no event, and what it leaves twice is read once.
"""

import signal
import subprocess
import sys

import duckdb
import pytest

from endcap.archive.moving import LEASE_SECONDS
from endcap.archive.reading import write_acts
from endcap.domain import Micros
from tests.archive.conftest import NOW, SHOP, Attic, event
from tests.archive.killed import STEPS

ITEMS = [f"/p/{number}" for number in range(20)]


def read(attic: Attic) -> list[str]:
    """The items of all events, as builds see them."""
    out = attic.settings.data_dir / "acts.parquet"
    write_acts(attic.events, attic.place, SHOP, out)
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT identity FROM read_parquet('{out}')").fetchall()
    return sorted(identity for (identity,) in rows)


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_archiver_loses_nothing(attic_on_disk: Attic, step: str) -> None:
    """Each event is read once after the kill, and after the next run has done the rest."""
    attic = attic_on_disk
    attic.tell(*(event(f"2025-03-1{n % 2}T10:00:00Z", url=item) for n, item in enumerate(ITEMS)))
    command = [
        sys.executable,
        "-m",
        "tests.archive.killed",
        attic.url,
        str(attic.settings.data_dir),
    ]

    ended = subprocess.run([*command, step], check=False, timeout=120)

    assert ended.returncode == -signal.SIGKILL
    assert read(attic) == sorted(ITEMS)
    assert attic.archive().busy, "the lease of who was killed holds for its time"
    attic.now = Micros(NOW + LEASE_SECONDS * 1_000_000)
    attic.archive()
    assert attic.stored() == []
    assert read(attic) == sorted(ITEMS)
    assert list((attic.settings.data_dir / "events").rglob(".draft-*")) == []
