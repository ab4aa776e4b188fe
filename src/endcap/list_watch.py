"""
Who notices that a neighbour list's file has changed: a thread of each worker.

A file is taken once it stayed the same between two looks, so that one that is still being written is left alone; in a
process of its own; and by one worker of all that share the directory. The others see the new version and map it.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from endcap.domain import TrackerId
from endcap.errors import UsageFault
from endcap.lookout import Lookout
from endcap.mirror import Mirror
from endcap.neighbour_lists import (
    current_source,
    current_version,
    file_of,
    lists_directory,
    refusal_of,
    state_of,
    versions_of,
)
from endcap.recommend.neighbour_list import NeighbourList, load_list
from endcap.shops import Shop
from endcap.telemetry import log

LOOK_SECONDS = 10.0  # between two looks at the files
WAIT_SECONDS = 0.2  # between two looks at the process that reads one


class ListWatch:
    """Looks at the files of all lists that models want, and shows what is new: a thread of one worker."""

    def __init__(
        self, mirror: Mirror, data_dir: Path, *, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._mirror = mirror
        self._data_dir = data_dir
        self._lookout = Lookout(
            self.look,
            look_seconds,
            name="neighbour lists",
            failed=lambda error: log.error("neighbour lists cannot be looked at", exc_info=error),
        )
        self._seen: dict[tuple[str, str], str] = {}
        self._told: dict[tuple[str, str], str] = {}
        self._broken: set[str] = set()
        self._refused: Mapping[tuple[str, str], bool] = {}

    def start(self) -> None:
        """Once somebody has looked: a file is taken at the second look."""
        self._lookout.start_later()

    def stop(self) -> None:
        self._lookout.stop()

    def look(self) -> None:
        """Shows what is there; reads files that changed and then stayed the same since the last look."""
        refused: dict[tuple[str, str], bool] = {}
        for tracker, shop in list(self._mirror.shops().items()):
            wanted = shop.recommenders.wanted_lists
            for name, columns in wanted.items():
                refused[tracker, name] = self._follow(TrackerId(tracker), name, columns)
            if wanted or shop.recommenders.lists:
                self._show(shop, wanted)
        self._refused = refused

    def _follow(self, tracker: TrackerId, name: str, columns: Mapping[str, str]) -> bool:
        """Reads a list's file if it is new; whether it is one that cannot be read."""
        lists = lists_directory(self._data_dir, tracker)
        path = file_of(lists, name)
        if path is None:
            return False
        try:
            state = state_of(path, columns)
        except OSError:  # it is being replaced
            return False
        if current_source(lists / name) == state:
            return False
        before = self._seen.get((tracker, name))
        self._seen[tracker, name] = state
        refused = refusal_of(lists / name)
        if (refused is None or refused.state != state) and before == state:
            self._read(tracker, name, path, state, columns)
            refused = refusal_of(lists / name)
        if refused is None or refused.state != state:
            return False
        if self._told.get((tracker, name)) != state:
            self._told[tracker, name] = state
            log.error(
                "neighbour list cannot be read",
                tracker=tracker,
                list=name,
                file=path.name,
                reason=refused.reason,
                kept=current_version(lists / name),
            )
        return True

    def _read(
        self, tracker: TrackerId, name: str, path: Path, state: str, columns: Mapping[str, str]
    ) -> None:
        """In a process of its own: it takes memory and processors that a server needs."""
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "endcap.neighbour_lists", str(self._data_dir), tracker),
                *(name, str(path), state, json.dumps(dict(columns))),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        while child.poll() is None:
            if self._lookout.stopping.wait(WAIT_SECONDS):
                child.terminate()
                child.wait()

    def _show(self, shop: Shop, wanted: Mapping[str, Mapping[str, str]]) -> None:
        """The current versions of all lists that are wanted, where that changes anything."""
        before = shop.recommenders.lists
        lists = lists_directory(self._data_dir, shop.tracker)
        found: dict[str, NeighbourList] = {}
        for name in wanted:
            known, version = before.get(name), current_version(lists / name)
            if known is not None and version in (None, known.version):
                found[name] = known
                continue
            loaded = None if version is None else self._loaded(shop.tracker, name, lists, version)
            if (kept := loaded or known) is not None:
                found[name] = kept
        if {name: each.version for name, each in found.items()} != {
            name: each.version for name, each in before.items()
        }:
            self._mirror.show_lists(shop.tracker, found)

    def _loaded(
        self, tracker: TrackerId, name: str, lists: Path, version: str
    ) -> NeighbourList | None:
        """The version, or if it is broken the newest before it that is not."""
        for each in (version, *reversed(versions_of(lists / name))):
            try:
                return load_list(lists / name / each)
            except UsageFault as fault:
                if fault.reason not in self._broken:
                    self._broken.add(fault.reason)
                    log.error(
                        "neighbour list is broken", tracker=tracker, list=name, reason=fault.reason
                    )
        return None

    def metrics(self) -> Iterable[Metric]:
        """For the exposition: what is ranked by, how old it is, and which files cannot be read."""
        labels = ("tracker", "list")
        pairs = GaugeMetricFamily(
            "endcap_neighbour_list_pairs", "Pairs of a list that is ranked by", labels=labels
        )
        read = GaugeMetricFamily(
            "endcap_neighbour_list_read_timestamp_seconds",
            "When the file of a list was read",
            labels=labels,
        )
        refused = GaugeMetricFamily(
            "endcap_neighbour_list_refused",
            "1 while the file of a list cannot be read, and the version before is ranked by",
            labels=labels,
        )
        for tracker, shop in list(self._mirror.shops().items()):
            for name, each in shop.recommenders.lists.items():
                pairs.add_metric((tracker, name), each.manifest.counts["pairs"])
                read.add_metric((tracker, name), each.manifest.read_at / 1e6)
        for key, is_refused in self._refused.items():
            refused.add_metric(key, int(is_refused))
        return (pairs, read, refused)
