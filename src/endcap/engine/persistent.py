"""
Two containers that change by making a new one, at the cost of what changed.

A snapshot is read while its successor is built, so nothing in it may move. Copying a dict of a million entries takes
tens of milliseconds; copying one shard of some hundred entries takes microseconds. Readers pay one more index for it.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_SHARD_USUAL = 512  # entries: copied in 5 µs
_SHARD_MAX = 2_048  # on average, before there are more shards; small maps are one dict
_CHUNK = 1_024


class PersistentMap(Generic[K, V]):
    """An immutable mapping in as many shards as it has use for, a power of two."""

    __slots__ = ("_count", "_mask", "_shards")

    def __init__(self, entries: Mapping[K, V] | None = None) -> None:
        self._fill((entries or {}).items(), len(entries or ()))

    def _fill(self, entries: Iterable[tuple[K, V]], count: int) -> None:
        shards = 1
        while shards * _SHARD_USUAL < count:
            shards *= 2
        self._mask = mask = shards - 1
        self._count = count
        self._shards: list[dict[K, V]] = [{} for _ in range(shards)]
        for key, value in entries:
            self._shards[hash(key) & mask][key] = value

    def get(self, key: K) -> V | None:
        return self._shards[hash(key) & self._mask].get(key)

    def get_each(self, keys: Iterable[K]) -> list[V | None]:
        """The same for many keys, in their order."""
        shards, mask = self._shards, self._mask
        return [shards[hash(key) & mask].get(key) for key in keys]

    def __contains__(self, key: K) -> bool:
        return key in self._shards[hash(key) & self._mask]

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[K]:
        for shard in self._shards:
            yield from shard

    def values(self) -> Iterator[V]:
        for shard in self._shards:
            yield from shard.values()

    def items(self) -> Iterator[tuple[K, V]]:
        for shard in self._shards:
            yield from shard.items()

    def changed_since(self, older: "PersistentMap[K, V]") -> dict[K, V | None]:
        """What makes this map of an older one: entries that are others now, and None for those that are gone."""
        changes: dict[K, V | None] = {}
        if self._mask == older._mask:
            pairs = list(zip(self._shards, older._shards, strict=True))
        else:
            pairs = [(dict(self.items()), dict(older.items()))]
        for now, before in pairs:
            if now is not before:
                changes.update(dict.fromkeys(before.keys() - now.keys()))
                changes.update({k: v for k, v in now.items() if before.get(k) is not v})
        return changes

    def changed(self, changes: Mapping[K, V | None]) -> "PersistentMap[K, V]":
        """The map with entries set, or removed where the value is None."""
        successor: PersistentMap[K, V] = PersistentMap.__new__(PersistentMap)
        successor._shards = list(self._shards)
        successor._count = self._count
        successor._mask = mask = self._mask
        fresh: set[int] = set()
        for key, value in changes.items():
            index = hash(key) & mask
            if index not in fresh:
                fresh.add(index)
                successor._shards[index] = dict(successor._shards[index])
            shard = successor._shards[index]
            before = len(shard)
            if value is None:
                shard.pop(key, None)
            else:
                shard[key] = value
            successor._count += len(shard) - before
        if successor._count > _SHARD_MAX * len(successor._shards):
            successor._fill(list(successor.items()), successor._count)
        return successor


class PersistentList(Generic[V]):
    """An immutable list in chunks; grows at the end, changes anywhere."""

    __slots__ = ("_chunks", "_length")

    def __init__(self, values: Iterable[V] = ()) -> None:
        held = list(values)
        self._chunks = [held[start : start + _CHUNK] for start in range(0, len(held), _CHUNK)]
        self._length = len(held)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> V:
        return self._chunks[index >> 10][index & 1_023]

    def __iter__(self) -> Iterator[V]:
        for chunk in self._chunks:
            yield from chunk

    def changed(self, changes: Mapping[int, V], appended: Iterable[V] = ()) -> "PersistentList[V]":
        """The list with values set by index and others added at the end."""
        successor: PersistentList[V] = PersistentList.__new__(PersistentList)
        successor._chunks = list(self._chunks)
        successor._length = self._length
        fresh: set[int] = set()
        for index, value in changes.items():
            successor._own(index >> 10, fresh)[index & 1_023] = value
        for value in appended:
            if successor._length >> 10 == len(successor._chunks):
                successor._chunks.append([])
            successor._own(successor._length >> 10, fresh).append(value)
            successor._length += 1
        return successor

    def differing(self, before: "PersistentList[V]") -> Iterator[int]:
        """The indexes whose values are not those of another list, of which this one came by `changed`."""
        pairs = zip_longest(self._chunks, before._chunks, fillvalue=())
        for number, (own, other) in enumerate(pairs):
            if own is not other:
                for at, (one, two) in enumerate(zip_longest(own, other)):
                    if one is not two:
                        yield (number << 10) + at

    def _own(self, chunk: int, fresh: set[int]) -> list[V]:
        if chunk not in fresh:
            fresh.add(chunk)
            self._chunks[chunk] = list(self._chunks[chunk])
        return self._chunks[chunk]
