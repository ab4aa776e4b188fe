"""
The order of popularity: who comes before whom, and where in it each item is.

An order is immutable; `changed` makes its successor at the cost of copying flat arrays, without comparing those who
stayed. Knows numbers of items, and nothing of what makes one popular.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from endcap.engine.columns import Floats, Items, with_room

_WALK_CHUNK = 256
_DENSE = (
    16  # a step of a walk costs about as much as this many members gathered and compared at once
)
_STEPS = (
    4  # times the steps that a walk should need; further on the members are plainly the unpopular
)


class Popularity:
    """
    Items in order of popularity, and by number the place of each in it.

    A place need not be whole: who comes between two others gets one between theirs, so that nobody has to move. Items
    that are in no order are infinitely far behind.
    """

    __slots__ = ("order", "places", "typed")

    def __init__(self, order: Items, places: Floats, typed: BitMap) -> None:
        self.order = order
        self.places = places
        self.typed = typed

    @classmethod
    def of(cls, order: Items, typed: BitMap, numbers_given: int) -> "Popularity":
        places = with_room(np.empty(0), numbers_given, np.inf)
        places[order] = np.arange(len(order))
        return cls(order, places, typed)

    def changed(
        self, gone: Sequence[int], come: Sequence[tuple[int, int]], typed: BitMap, given: int
    ) -> "Popularity":
        """The order without some items, and with others: pairs of where in the rest they come, ascending, and who."""
        order, places = self.order, with_room(self.places, given, np.inf)
        if gone or come:
            places = places.copy()
        if gone:
            order = np.delete(order, [self.index_of(number) for number in gone])
            places[list(gone)] = np.inf
        if not come:
            return Popularity(order, places, typed)
        seated = _seat(order, places, come)
        order = np.insert(order, [at for at, _ in come], [number for _, number in come])
        return Popularity(order, places, typed) if seated else Popularity.of(order, typed, given)

    def index_of(self, number: int) -> int:
        """Where in the order an item of it is."""
        place = self.places[number]
        return bisect_left(self.order, place, key=self.places.__getitem__)

    def first(self, count: int, within: BitMap) -> list[int]:
        """The best of a set, without a look at more of it than is needed."""
        among = within & self.typed
        if len(among) ** 2 > _DENSE * count * len(self.order):  # the next member is near
            found: list[int] = []
            steps = _STEPS * count * len(self.order) // len(among)
            for start in range(0, min(steps, len(self.order)), _WALK_CHUNK):
                chunk = self.order[start : start + _WALK_CHUNK].tolist()
                found += filter(among.__contains__, chunk)
                if len(found) >= count:
                    return found[:count]
        members = _members(among)
        places = self.places[members]
        if len(members) > count:
            best = places.argpartition(count)[:count]
            members, places = members[best], places[best]
        ordered: list[int] = members[places.argsort()].tolist()
        return ordered

    def walk(self, within: BitMap | None = None) -> Iterator[int]:
        """All, or those of a set, as far as they are read."""
        if within is None:
            return _walk(self.order)
        among = within & self.typed
        if len(among) ** 2 > 4 * len(self.order):  # a dense set: the next member is near
            return filter(among.__contains__, _walk(self.order))
        members = _members(among)
        return iter(members[self.places[members].argsort()].tolist())


def _seat(order: Items, places: Floats, come: Sequence[tuple[int, int]]) -> bool:
    """Gives newcomers places between their neighbours'; False where there is no number left between two."""
    for at, group in groupby(come, key=itemgetter(0)):
        numbers = [number for _, number in group]
        low = float(places[order[at - 1]]) if at else None
        high = float(places[order[at]]) if at < len(order) else None
        if low is None:
            low = -len(numbers) - 1.0 if high is None else high - len(numbers) - 1
        if high is None:
            high = low + len(numbers) + 1
        seats = np.linspace(low, high, len(numbers) + 2)
        if not (np.diff(seats) > 0).all():
            return False
        places[numbers] = seats[1:-1]
    return True


def _members(items: BitMap) -> NDArray[np.uint32]:
    return np.frombuffer(items.to_array(), dtype=np.uint32)


def _walk(order: NDArray[np.int32]) -> Iterator[int]:
    """The numbers of an order as far as they are read: most readers stop after a few."""
    for start in range(0, len(order), _WALK_CHUNK):
        yield from order[start : start + _WALK_CHUNK].tolist()
