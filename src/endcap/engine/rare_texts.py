"""
Texts that few items have (a title, a barcode), end to end in one buffer.

A dict entry, a text and a number object would cost an item 200 bytes and more. Here a text is found by its hash and
compared: 16 bytes and the text itself. A buffer never changes: what does is the column's to remember.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray


class RareTexts:
    """The same text is there once for each of its items."""

    __slots__ = ("_blob", "_ends", "_entries", "_hashes", "_items")

    def __init__(
        self,
        blob: bytes,
        ends: NDArray[Any],
        hashes: NDArray[np.uint32],
        items: NDArray[np.int32],
    ) -> None:
        """`ends` of texts in the buffer, whose `hashes` and `items` these are."""
        self._blob = blob
        self._ends = ends
        self._items = items
        self._entries: NDArray[np.int32] = hashes.argsort(kind="stable").astype(np.int32)
        self._hashes = hashes[self._entries]

    def __len__(self) -> int:
        return len(self._items)

    def _text(self, entry: int) -> bytes:
        return self._blob[int(self._ends[entry - 1]) if entry else 0 : int(self._ends[entry])]

    def having(self, text: str) -> list[int]:
        """The items of a text."""
        if not len(self._items):
            return []
        key, data = np.uint32(_hash_of(text)), _encoded(text)
        low = self._hashes.searchsorted(key, "left")
        high = self._hashes.searchsorted(key, "right")
        entries: list[int] = self._entries[low:high].tolist()
        return [int(self._items[entry]) for entry in entries if self._text(entry) == data]

    def containing(self, text: str) -> Iterator[int]:
        """The items whose text has this text in it."""
        return (int(self._items[entry]) for entry in self._entries_with(text))

    def found(self, text: str) -> Iterator[tuple[str, int]]:
        """The texts with this text in them, each with an item that has it."""
        for entry in self._entries_with(text):
            yield self._text(entry).decode("utf-8", "surrogatepass"), int(self._items[entry])

    def _entries_with(self, text: str) -> Iterator[int]:
        """In order of the buffer. UTF-8 has no character inside of another."""
        data, blob, ends = _encoded(text), self._blob, self._ends
        if not data:
            yield from range(len(self._items))
            return
        at = blob.find(data)
        while at >= 0:
            entry = int(ends.searchsorted(ends.dtype.type(at), "right"))
            end = int(ends[entry])
            if at + len(data) <= end:
                yield entry
                at = blob.find(data, end)
            else:
                at = blob.find(data, at + 1)

    def pairs(self) -> Iterator[tuple[str, int]]:
        """Every text with an item that has it."""
        start = 0
        for end, item in zip(self._ends.tolist(), self._items.tolist(), strict=True):
            yield self._blob[start:end].decode("utf-8", "surrogatepass"), item
            start = end


_NO_TEXTS = RareTexts(
    b"", np.empty(0, np.uint32), np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.int32)
)


class RareMaker:
    """A buffer in the making."""

    __slots__ = ("_blob", "_ends", "_hashes", "_items")

    def __init__(self) -> None:
        self._blob = bytearray()
        self._ends, self._hashes, self._items = array("Q"), array("I"), array("i")

    def add(self, text: str, item: int) -> None:
        self._blob += _encoded(text)
        self._ends.append(len(self._blob))
        self._hashes.append(_hash_of(text))
        self._items.append(item)

    def add_all(self, texts: Sequence[str], items: Sequence[int]) -> None:
        """Texts, each with an item that has it."""
        encoded = list(map(_encoded, texts))
        ends = accumulate(map(len, encoded), initial=len(self._blob))
        next(ends)
        self._ends.extend(ends)
        self._blob += b"".join(encoded)
        self._hashes.extend(map(_hash_of, texts))
        self._items.extend(items)

    def made(self) -> RareTexts:
        if not self._items:
            return _NO_TEXTS
        return RareTexts(
            bytes(self._blob),
            np.array(self._ends, dtype=np.uint32 if len(self._blob) < 1 << 32 else np.uint64),
            np.array(self._hashes, dtype=np.uint32),
            np.array(self._items, dtype=np.int32),
        )

    def taken(self, count: int) -> dict[str, list[int]]:
        """Takes the texts out again that turned out to be there so many times (or to share a hash with such)."""
        hashes = np.array(self._hashes, dtype=np.uint32)
        keys, counts = np.unique(hashes, return_counts=True)
        often = set(keys[counts >= count].tolist())
        found: dict[str, list[int]] = {}
        if often:
            made, rest = self.made(), RareMaker()
            for text, item in made.pairs():
                if _hash_of(text) in often:
                    found.setdefault(text, []).append(item)
                else:
                    rest.add(text, item)
            self._blob, self._ends = rest._blob, rest._ends
            self._hashes, self._items = rest._hashes, rest._items
        return found


def _hash_of(text: str) -> int:
    return hash(text) & 0xFFFF_FFFF


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
