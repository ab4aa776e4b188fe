"""
Finds items of a catalog by words of their titles and identities, the most popular first.

All titles lie end to end in one buffer, in order of popularity: a search walks along it as fast as memory is read, and
ends with the items that are wanted. What changed since the buffer was made lies beside it, until that is so much that
the buffer is made anew. What is found is checked against the catalog, so that what is shown is true.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from endcap.engine.catalog import Catalog
from endcap.wire.labels import label_of

WORDS_MAX = 5
FOUND_MAX = 20
_LINES_MAX = 30_000  # with one of the words, that are looked at for the others: some 20 ms
_FRESH_MAX = 20_000  # changed items beside the buffer
_BREAK, _INSIDE = "\n", "\x1f"
_BREAK_BYTE = b"\n"


class Found(Struct, frozen=True):
    """Item numbers; `is_cut`: there may be more."""

    numbers: Sequence[int]
    is_cut: bool = False


class Finder:
    """Of one catalog. Making one takes a second for half a million items; `renewed` what has changed."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        numbers: list[int] = []
        lines: list[bytes] = []
        for number in catalog.popular():
            numbers.append(number)
            lines.append(_line_of(catalog, number).encode("utf-8", "surrogatepass"))
        self._blob = b"".join(lines)
        self._numbers = numbers
        self._ends: NDArray[Any] = np.cumsum(
            np.fromiter(map(len, lines), np.int64, len(lines)), dtype=np.int64
        )
        self._fresh: Mapping[int, str] = {}

    def renewed(self, catalog: Catalog) -> "Finder":
        if catalog is self.catalog:
            return self
        changed = list(islice(catalog.differing(self.catalog), _FRESH_MAX + 1))
        if len(changed) + len(self._fresh) > _FRESH_MAX:
            return Finder(catalog)
        successor = Finder.__new__(Finder)
        successor.__dict__.update(self.__dict__)
        successor.catalog = catalog
        lines = {
            number: _line_of(catalog, number) if number in catalog.typed else ""
            for number in changed
        }
        successor._fresh = {**self._fresh, **lines}
        return successor

    def find(self, text: str, limit: int = FOUND_MAX) -> Found:
        """All words must be there, wherever; an identity that is typed whole comes first. None for no text."""
        words = text.casefold().split()[:WORDS_MAX]
        if not words:
            return Found(())
        exact = self.catalog.number(text.strip())
        numbers = [exact] if exact is not None and exact in self.catalog.typed else []
        numbers += [
            number
            for number, line in self._fresh.items()
            if number != exact and line and all(word in line for word in words)
        ]
        walk = _Walk(self._candidates(words), _LINES_MAX)
        for number in walk:
            if len(numbers) > limit:
                break
            if number != exact and number not in self._fresh and number in self.catalog.typed:
                numbers.append(number)
        return Found(numbers[:limit], len(numbers) > limit or walk.is_cut)

    def _candidates(self, words: Sequence[str]) -> Iterator[int | None]:
        """For every line with the longest word its item's number, or None where another word is not in it."""
        longest, *others = (
            word.encode("utf-8", "surrogatepass") for word in sorted(words, key=len, reverse=True)
        )
        blob = self._blob
        at = blob.find(longest)
        while at >= 0:
            end = blob.find(_BREAK_BYTE, at)
            if all(self._is_in_line(each, at, end) for each in others):
                yield self._numbers[int(self._ends.searchsorted(at, "right"))]
            else:
                yield None
            at = blob.find(longest, end)

    def _is_in_line(self, word: bytes, at: int, end: int) -> bool:
        """Whether a word is in the line around a place; what is behind it is looked at first, being at hand."""
        blob = self._blob
        return (
            blob.find(word, at, end) >= 0
            or blob.find(word, blob.rfind(_BREAK_BYTE, 0, at) + 1, end) >= 0
        )


class _Walk:
    """Goes along candidates, so far and no further."""

    def __init__(self, candidates: Iterable[int | None], count_max: int) -> None:
        self._candidates = candidates
        self._left = count_max
        self.is_cut = False

    def __iter__(self) -> Iterator[int]:
        for number in self._candidates:
            if self._left == 0:
                self.is_cut = True
                return
            self._left -= 1
            if number is not None:
                yield number


def _line_of(catalog: Catalog, number: int) -> str:
    item = catalog.item(number)
    title = label_of(item.document).title.replace(_BREAK, " ")
    return f"{title}{_INSIDE}{item.identity}{_BREAK}".casefold()
