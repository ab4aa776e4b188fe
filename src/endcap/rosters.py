"""
Rosters of the trackers that somebody looks at, renewed when they are asked for.

A roster follows the snapshot that requests are answered from, so that a list shows what shoppers see. The first look at
a large tracker takes a second or two, the next ones what has changed. Callers on an event loop use a thread.
"""

from endcap.by_tracker import Derived
from endcap.engine.roster import Roster
from endcap.shops import Shop

TRACKERS_MAX = (
    8  # some 100 MB for each 100,000 customizations; the one looked at longest ago is forgotten
)


class Rosters(Derived[Roster]):
    """One of each tracker."""

    def __init__(self, trackers_max: int = TRACKERS_MAX) -> None:
        super().__init__(trackers_max)

    def made(self, shop: Shop) -> Roster:
        return Roster(shop.snapshot.rules, shop.snapshot.catalog)

    def renewed(self, before: Roster, shop: Shop) -> Roster:
        return before.renewed(shop.snapshot.rules, shop.snapshot.catalog)
