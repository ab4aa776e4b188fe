"""
Which objects of a catalog have titles alike: an index of the words in them.

A word weighs by how few titles have it: ln((1 + titles) / (1 + titles with it)), the inverse document frequency of
Spärck Jones (1972), in whole thousandths, so that sums do not depend on the order of summing. Words are kept as 32-bit
checksums: 8 bytes a word of a title, no dictionary of a million model numbers; that two of them meet is one chance in a
thousand for a catalog of a million words, and makes one item look a little more alike than it is.

Immutable. A successor holds what changed beside the arrays, so that following a catalog costs what changed.
"""

import re
from array import array
from collections.abc import Iterable
from math import log
from operator import itemgetter
from zlib import crc32

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from endcap.engine.catalog import Catalog

WORDS_MAX = 16  # of one title: what comes later is rarely what the thing is
_WORD = re.compile(r"\w{2,}")

Numbers = NDArray[np.int32]
Hashes = NDArray[np.uint32]
Floats = NDArray[np.float64]


def words_of(title: str) -> list[int]:
    """The checksums of a title's first words of two letters or digits and more, case folded, each once."""
    found = _WORD.findall(title.casefold())[:WORDS_MAX]
    return list(dict.fromkeys([crc32(word.encode("utf-8", "surrogatepass")) for word in found]))


class Bounds(Struct, frozen=True):
    """What may be looked at for one title, and kept beside the arrays."""

    postings_max: int = 4_096
    """Objects that share a word, of a title's rarest words: what most titles have says little."""
    fresh_min: int = 4_096
    """Words beside the arrays before these are made anew, or an eighth of them if that is more."""


class _Postings:
    """Words and the numbers of the objects that have them, by word."""

    def __init__(self, words: Hashes, numbers: Numbers) -> None:
        order = np.lexsort((numbers, words))
        self.words, self.numbers = words[order], numbers[order]

    @classmethod
    def of(cls, titles: Iterable[tuple[str, int]]) -> "_Postings":
        words, numbers = array("I"), array("i")
        for title, number in titles:
            found = words_of(title)
            words.extend(found)
            numbers.extend([number] * len(found))
        return cls(np.array(words, dtype=np.uint32), np.array(numbers, dtype=np.int32))

    def having(self, words: Hashes) -> list[Numbers]:
        """The numbers of each of some words, ascending."""
        if not len(self.words):
            return [self.numbers] * len(words)
        lows = self.words.searchsorted(words, "left").tolist()
        highs = self.words.searchsorted(words, "right").tolist()
        return [self.numbers[low:high] for low, high in zip(lows, highs, strict=True)]

    def without(self, numbers: Numbers) -> "_Postings":
        kept = ~np.isin(self.numbers, numbers)
        return _Postings(self.words[kept], self.numbers[kept])

    def joined(self, other: "_Postings") -> "_Postings":
        return _Postings(
            np.concatenate((self.words, other.words)), np.concatenate((self.numbers, other.numbers))
        )


_NONE = _Postings.of(())
_NOBODY = np.empty(0, dtype=np.int32)


class Titles:
    """
    The index of one catalog. Making it takes some 6 µs an object (6 s for a million, 56 MB), following a catalog as
    much for each that changed.
    """

    def __init__(
        self,
        catalog: Catalog,
        base: _Postings,
        fresh: _Postings,
        lost: _Postings,
        bounds: "Bounds",
    ) -> None:
        self._bounds = bounds
        self._catalog = catalog
        self._base = base
        self._fresh = fresh  # of objects that came or changed since
        self._lost = lost  # what of the base is no longer true
        self._count = len(catalog.column("title").having)

    @classmethod
    def of(cls, catalog: Catalog, bounds: "Bounds | None" = None) -> "Titles":
        base = _Postings.of(catalog.column("title").pairs())
        return cls(catalog, base, _NONE, _NONE, bounds or Bounds())

    def followed(self, catalog: Catalog) -> "Titles":
        """The index of a successor of the catalog; equal to a fresh one in all that it answers."""
        column, before = catalog.column("title"), self._catalog.column("title")
        if column is before:
            return Titles(catalog, self._base, self._fresh, self._lost, self._bounds)
        touched = np.fromiter(catalog.differing(self._catalog), dtype=np.int32)
        present = [number for number in touched.tolist() if number in column.having]
        come = _Postings.of((title, n) for n in present for title in _titles(catalog, n))
        fresh = self._fresh.without(touched).joined(come)
        known = set(self._fresh.numbers.tolist()) | set(self._lost.numbers.tolist())
        held = (n for n in touched.tolist() if n not in known and n in before.having)
        lost = self._lost.joined(
            _Postings.of((title, n) for n in held for title in _titles(self._catalog, n))
        )
        if len(fresh.words) + len(lost.words) > max(
            self._bounds.fresh_min, len(self._base.words) // 8
        ):
            return Titles.of(catalog, self._bounds)
        return Titles(catalog, self._base, fresh, lost, self._bounds)

    def shares(self, item: int, among: Numbers) -> Floats:
        """How much of the weight of an object's title each of some others has in its own, 0 to 1."""
        _, scores = self.alike(item)
        return scores[among]

    def alike(self, item: int) -> tuple[Numbers, Floats]:
        """The numbers of those that share a word with an object, ascending, itself included; by number, how much."""
        found, whole = self._looked_at(item)
        scores = np.zeros(self._catalog.numbers_given)
        for numbers, weight in found:
            scores[numbers] += weight / whole
        held = [numbers for numbers, weight in found if weight]
        if not held:
            return _NOBODY, scores
        return np.unique(np.concatenate(held)) if len(held) > 1 else held[0], scores

    def _looked_at(self, item: int) -> tuple[list[tuple[Numbers, int]], int]:
        """The postings of a title's words with their weights, the rarest words first, and the weight of all words."""
        titles = _titles(self._catalog, item)
        words = np.array(sorted({w for title in titles for w in words_of(title)}), dtype=np.uint32)
        held = zip(
            *(each.having(words) for each in (self._base, self._lost, self._fresh)), strict=True
        )
        found: list[tuple[Numbers, int]] = []
        whole, room = 0, self._bounds.postings_max
        for count, (numbers, lost, fresh) in sorted(map(_counted, held), key=itemgetter(0)):
            weight = round(1_000 * log((1 + self._count) / (1 + count)))
            whole += weight
            if count <= room:
                found.append((_present(numbers, lost, fresh), weight))
                room -= count
        return found, max(whole, 1)


_Held = tuple[Numbers, Numbers, Numbers]


def _counted(held: _Held) -> tuple[int, _Held]:
    numbers, lost, fresh = held
    return len(numbers) - len(lost) + len(fresh), held


def _present(numbers: Numbers, lost: Numbers, fresh: Numbers) -> Numbers:
    if len(lost):
        numbers = np.delete(numbers, numbers.searchsorted(lost))
    return np.insert(numbers, numbers.searchsorted(fresh), fresh) if len(fresh) else numbers


def _titles(catalog: Catalog, number: int) -> list[str]:
    title = catalog.attributes(number).get("title")
    if isinstance(title, str):
        return [title]
    several = title if isinstance(title, list) else []
    return list(dict.fromkeys([each for each in several if isinstance(each, str)]))
