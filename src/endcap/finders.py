"""
Finders of the catalogs that somebody searches, renewed when they are asked for.

The first search in a tracker takes a second for half a million items, the next ones some milliseconds. Callers on an
event loop use a thread.
"""

import threading
from collections import OrderedDict

from endcap.domain import TrackerId
from endcap.engine.finder import Finder
from endcap.mirror import Shop

TRACKERS_MAX = 8  # some 70 MB for a million items each; the one searched longest ago is forgotten


class Finders:
    """May be used from several threads at once."""

    def __init__(self, trackers_max: int = TRACKERS_MAX) -> None:
        self._trackers_max = trackers_max
        self._lock = threading.Lock()
        self._locks: dict[TrackerId, threading.Lock] = {}
        self._held: OrderedDict[TrackerId, tuple[int, Finder]] = OrderedDict()

    def of(self, shop: Shop) -> Finder:
        """That of a shop, or of a later one that another caller has brought."""
        with self._lock:
            lock = self._locks.setdefault(shop.tracker, threading.Lock())
        with lock:
            revision, known = self._held.get(shop.tracker, (-1, None))
            if known is not None and revision > shop.revision:
                return known
            catalog = shop.snapshot.catalog
            finder = Finder(catalog) if known is None else known.renewed(catalog)
            with self._lock:
                self._held[shop.tracker] = shop.revision, finder
                self._held.move_to_end(shop.tracker)
                if len(self._held) > self._trackers_max:
                    self._held.popitem(last=False)
            return finder
