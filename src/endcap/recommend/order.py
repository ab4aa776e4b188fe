"""
Items in some order, best first, by number.
"""

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

Numbers = NDArray[np.int32]
Floats = NDArray[np.float64]
NONE = -1


class Order:
    """Items in some order, best first."""

    def __init__(self, numbers: Numbers, numbers_given: int) -> None:
        self.numbers = numbers
        self._numbers_given = numbers_given
        self._places: Numbers | None = None

    def first(self, count: int, within: BitMap) -> list[int]:
        """The best of a set."""
        if len(within) * len(within) > 4 * count * len(self.numbers):  # dense: soon walked
            return self._walked(count, within)
        members = numbers_of(within)
        members = members[members < self._numbers_given]
        places = self._place_of(members)
        members, places = members[places >= 0], places[places >= 0]
        best: list[int] = members[np.argsort(places)[:count]].tolist()
        return best

    def _walked(self, count: int, within: BitMap) -> list[int]:
        found: list[int] = []
        for start in range(0, len(self.numbers), 1_024):
            found += [n for n in self.numbers[start : start + 1_024].tolist() if n in within]
            if len(found) >= count:
                break
        return found[:count]

    def _place_of(self, numbers: Numbers) -> Numbers:
        if self._places is None:
            places = np.full(self._numbers_given, NONE, dtype=np.int32)
            places[self.numbers] = np.arange(len(self.numbers), dtype=np.int32)
            self._places = places
        return self._places[numbers]


def numbers_of(items: BitMap) -> Numbers:
    """A set's members, ascending; thirty times as fast as letting NumPy iterate over it."""
    return np.array(items.to_array(), dtype=np.int32)
