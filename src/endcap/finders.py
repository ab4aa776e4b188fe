"""
Finders of the catalogs that somebody searches, renewed when they are asked for.

The first search in a tracker takes a second for half a million items, the next ones some milliseconds. Callers on an
event loop use a thread.
"""

from endcap.by_tracker import Derived
from endcap.engine.finder import Finder
from endcap.shops import Shop

TRACKERS_MAX = 8  # some 70 MB for a million items each; the one searched longest ago is forgotten


class Finders(Derived[Finder]):
    """One of each tracker."""

    def __init__(self, trackers_max: int = TRACKERS_MAX) -> None:
        super().__init__(trackers_max)

    def made(self, shop: Shop) -> Finder:
        return Finder(shop.snapshot.catalog)

    def renewed(self, before: Finder, shop: Shop) -> Finder:
        return before.renewed(shop.snapshot.catalog)
