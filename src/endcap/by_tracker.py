"""
What is made of trackers that somebody asks about: one of each, kept, and let go when others are asked about.

Each has a lock, held by who makes or renews it, so that what takes a second is done once for all who ask meanwhile. The
lock goes with what it guards: what is let go while it is being made is made again for the next who asks. Callers on an
event loop use a thread.
"""

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import Generic, TypeVar

from endcap.domain import TrackerId
from endcap.shops import Shop

T = TypeVar("T")


class Held(Generic[T]):
    """What there is of one tracker; None until it was made. To be changed under its lock."""

    __slots__ = ("lock", "value")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value: T | None = None


class ByTracker(Generic[T]):
    """Those asked about last, `trackers_max` at most. May be used from several threads at once."""

    def __init__(self, trackers_max: int) -> None:
        self._trackers_max = trackers_max
        self._lock = threading.Lock()
        self._held: OrderedDict[TrackerId, Held[T]] = OrderedDict()

    def of(self, tracker: TrackerId) -> Held[T]:
        """That of a tracker; one that nobody asked about before has no value yet."""
        with self._lock:
            held = self._held.get(tracker)
            if held is None:
                held = self._held[tracker] = Held()
            self._held.move_to_end(tracker)
            if len(self._held) > self._trackers_max:
                self._held.popitem(last=False)
            return held

    def known(self, tracker: TrackerId) -> T | None:
        """The value that is there, which does not count as asking. Takes no lock."""
        held = self._held.get(tracker)
        return None if held is None else held.value


class Derived(ABC, Generic[T]):
    """Made of a snapshot, and renewed with a later one. May be used from several threads at once."""

    def __init__(self, trackers_max: int) -> None:
        self._held: ByTracker[tuple[int, T]] = ByTracker(trackers_max)

    def of(self, shop: Shop) -> T:
        """That of a shop, or of a later one that another caller has brought."""
        held = self._held.of(shop.tracker)
        with held.lock:
            if held.value is None:
                derived = self.made(shop)
            else:
                revision, derived = held.value
                if revision > shop.revision:
                    return derived
                derived = self.renewed(derived, shop)
            held.value = shop.revision, derived
            return derived

    @abstractmethod
    def made(self, shop: Shop) -> T: ...

    @abstractmethod
    def renewed(self, before: T, shop: Shop) -> T:
        """What `made` would give, made of what there was before."""
