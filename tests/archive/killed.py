"""
An archiver that kills itself at a step: `python -m tests.archive.killed DATABASE_URL DATA_DIR STEP`.
"""

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from endcap.archive.moving import Archiver
from endcap.archive.places import Folder
from endcap.config import Settings
from endcap.domain import TrackerId
from endcap.store import open_events
from tests.archive.conftest import NOW, SHOP

STEPS = ("drafted", "written", "placed", "half deleted")


def die(*_: object) -> NoReturn:
    """At once, as by a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it lives")


class Killing(Folder):
    """Dies before a part is written, or when it is there."""

    step = ""

    def put(self, draft: Path, name: str) -> None:
        if self.step == "drafted":
            die()
        if self.step == "written":
            Path.replace = die  # type: ignore[assignment, method-assign]  # the last step of a write
        super().put(draft, name)
        if self.step == "placed":
            die()


def main() -> None:
    url, data_dir, step = sys.argv[1:]
    events = open_events(url)
    place = Killing(Path(data_dir) / "events")
    place.step = step
    if step == "half deleted":
        discard = events.discard

        def discard_some(tracker: TrackerId, *, through: int, limit: int = 0) -> int:
            discard(tracker, through=through, limit=3)
            die()

        events.discard = discard_some  # type: ignore[method-assign]
    Archiver(Settings(data_dir=Path(data_dir)), events, place, clock=lambda: NOW).archive(SHOP)


if __name__ == "__main__":
    main()
