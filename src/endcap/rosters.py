"""
Rosters of the trackers that somebody looks at, renewed when they are asked for.

A roster follows the snapshot that requests are answered from, so that a list shows what shoppers see. The first look at
a large tracker takes a second or two, the next ones what has changed. Callers on an event loop use a thread.
"""

import threading
from collections import OrderedDict

from endcap.domain import TrackerId
from endcap.engine.roster import Roster
from endcap.mirror import Shop

TRACKERS_MAX = (
    8  # some 100 MB for each 100,000 customizations; the one looked at longest ago is forgotten
)


class Rosters:
    """May be used from several threads at once."""

    def __init__(self, trackers_max: int = TRACKERS_MAX) -> None:
        self._trackers_max = trackers_max
        self._lock = threading.Lock()
        self._locks: dict[TrackerId, threading.Lock] = {}
        self._held: OrderedDict[TrackerId, tuple[int, Roster]] = OrderedDict()

    def of(self, shop: Shop) -> Roster:
        """The roster of a shop, or of a later one that another caller has brought."""
        with self._lock:
            lock = self._locks.setdefault(shop.tracker, threading.Lock())
        with lock:
            revision, known = self._held.get(shop.tracker, (-1, None))
            if known is not None and revision > shop.revision:
                return known
            rules, catalog = shop.snapshot.rules, shop.snapshot.catalog
            roster = Roster(rules, catalog) if known is None else known.renewed(rules, catalog)
            with self._lock:
                self._held[shop.tracker] = shop.revision, roster
                self._held.move_to_end(shop.tracker)
                if len(self._held) > self._trackers_max:
                    self._held.popitem(last=False)
            return roster
