"""
Rankings that another system made, by item or by user: a file of theirs as an immutable folder of flat arrays.

A row of the file says that for a key (an item, or a user) some item is good, and how good. The folder knows no catalog;
keys and items are found by digest, so that no worker holds a dictionary of them, and the arrays are mapped, so that the
workers of one host share one copy.

    manifest.json     version, kind, where it was read from, counts, the digest of every other file
    identities.json   the items that are listed, in order of their digests
    names.npy         their digests, ascending
    keys.npy          digests of items or users, ascending (ids of users are not kept)
    begins.npy        by key: where its items begin in `listed`; one more for the end
    listed.npy        places of items in `identities`, best first of each key
    scores.npy        how good, in the same order
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from endcap.domain import Micros
from endcap.engine.catalog import Catalog
from endcap.errors import UsageFault
from endcap.recommend.artifact import user_digest
from endcap.recommend.files import digest_of, drafted, mapped, save_durably, settled, write_durably
from endcap.wire.reading import seconds_text

FORMAT = 1
LISTED_MAX = 200  # items kept of one key: an answer shows 50 at most, and placement drops some
MANIFEST = "manifest.json"
IDENTITIES = "identities.json"
_ARRAYS = ("names", "keys", "begins", "listed", "scores")
_NONE = -1

Kind = Literal["items", "users"]
"""Whether keys are items or users."""
Digests = NDArray[np.uint64]
Numbers = NDArray[np.int32]


class Manifest(Struct, frozen=True):
    """What `manifest.json` says. `source` names the state of the file that it was read from."""

    format: int
    version: str
    kind: Kind
    source: str
    read_at: Micros
    read: str
    counts: Mapping[str, int]
    files: Mapping[str, str]


class Rows(Struct, frozen=True):
    """
    What a file says, by places: `keys` and `identities` as texts, and for each row the place of its key, ascending, and
    of its item, best first of each key.
    """

    kind: Kind
    keys: Sequence[str]
    identities: Sequence[str]
    key_no: NDArray[np.int64]
    item_no: NDArray[np.int64]
    scores: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        kind: Kind,
        keys: Sequence[str],
        identities: Sequence[str],
        columns: Mapping[str, NDArray[Any]],
    ) -> "Rows":
        """`columns` are key_no, item_no and score of all rows."""
        return cls(
            kind,
            keys,
            identities,
            columns["key_no"].astype(np.int64),
            columns["item_no"].astype(np.int64),
            columns["score"].astype(np.float32),
        )


class NeighbourList:
    """One version of a list."""

    def __init__(self, path: Path, manifest: Manifest, arrays: Mapping[str, NDArray[np.generic]]):
        self.version = manifest.version
        self.kind: Kind = manifest.kind
        self.manifest = manifest
        self.arrays = arrays
        self._path = path
        self._names: Digests = arrays["names"].astype(np.uint64, copy=False)
        self._keys: Digests = arrays["keys"].astype(np.uint64, copy=False)
        self._begins = arrays["begins"]
        self._listed = arrays["listed"]
        self._scores = arrays["scores"]

    def identities(self) -> Sequence[str]:
        """Read from disk each time: whoever asks needs them once."""
        return msgspec.json.decode((self._path / IDENTITIES).read_bytes(), type=list[str])

    def place_of(self, identity: str) -> int | None:
        """The place of an item among the identities."""
        return _found(self._names, item_digest(identity))

    def of(self, key: int) -> tuple[NDArray[np.generic], NDArray[np.generic]] | None:
        """Places and scores of what is listed for a key's digest, best first."""
        at = _found(self._keys, key)
        if at is None:
            return None
        begin, end = self._begins[at : at + 2].tolist()
        return self._listed[begin:end], self._scores[begin:end]


def _found(ascending: Digests, digest: int) -> int | None:
    wanted = np.uint64(digest)
    at = int(ascending.searchsorted(wanted))
    return at if at < len(ascending) and ascending[at] == wanted else None


class ListInCatalog:
    """A list over one catalog: its places as item numbers."""

    def __init__(self, listed: NeighbourList, numbers: Numbers, numbers_given: int) -> None:
        self.source = listed
        self._numbers = numbers
        """By place: the item's number, -1 if it is not in the catalog."""
        self._numbers_given = numbers_given

    @classmethod
    def of(cls, listed: NeighbourList, catalog: Catalog) -> "ListInCatalog":
        found = catalog.numbers_of(listed.identities())
        numbers = np.array([_NONE if each is None else each for each in found], dtype=np.int32)
        return cls(listed, numbers, catalog.numbers_given)

    def followed(self, catalog: Catalog) -> "ListInCatalog":
        """The same for a successor of the catalog: only new numbers need to be looked at."""
        before, after = self._numbers_given, catalog.numbers_given
        if before == after:
            return self
        come = {
            place: number
            for number in range(before, after)
            if number in catalog.all_items
            and (place := self.source.place_of(catalog.identity(number))) is not None
        }
        numbers = self._numbers
        if come:
            numbers = numbers.copy()
            numbers[list(come.keys())] = list(come.values())
        return ListInCatalog(self.source, numbers, after)

    def ranked_for(self, keys: Sequence[int]) -> list[int]:
        """Item numbers for some keys' digests, best first; of several keys the scores are added up."""
        if len(keys) == 1:
            found = self.source.of(keys[0])
            return [] if found is None else self._known(found[0])
        sums: dict[int, float] = {}
        known = sums.get
        for key in keys:
            found = self.source.of(key)
            if found is not None:
                numbers = self._numbers[found[0]].tolist()
                for number, score in zip(numbers, found[1].tolist(), strict=True):
                    if number >= 0:
                        sums[number] = known(number, 0.0) + score
        return sorted(sums, key=sums.__getitem__, reverse=True)

    def _known(self, places: NDArray[np.generic]) -> list[int]:
        numbers = self._numbers[places]
        known: list[int] = numbers[numbers >= 0].tolist()
        return known


def item_digest(identity: str) -> int:
    """64 bits of an identity: two of a million items share one with a chance of one to forty million."""
    return int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest(), "big")


def write_list(rows: Rows, parent: Path, *, source: str, now: Micros) -> NeighbourList:
    """Keeps what a file says under `parent`, durably and at once, and returns it as it will be loaded."""
    keys, begins, moved = _by_digest(rows)
    digests = _digests(map(item_digest, rows.identities))
    order = np.argsort(digests, kind="stable")
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    arrays: Mapping[str, NDArray[np.generic]] = {
        "names": digests[order],
        "keys": keys,
        "begins": begins,
        "listed": place[rows.item_no[moved]],
        "scores": rows.scores[moved].astype(np.float32),
    }
    identities = [rows.identities[at] for at in order.tolist()]
    return _written(arrays, identities, parent, kind=rows.kind, source=source, now=now)


def without_key(listed: NeighbourList, key: int, parent: Path) -> NeighbourList:
    """
    Keeps the same without what is listed for a key's digest, as if it had never been in the file: the successor says
    that it is of the same state of the file and the same time.
    """
    arrays = dict(listed.arrays)
    at = int(listed.arrays["keys"].searchsorted(np.uint64(key)))
    begin, end = listed.arrays["begins"][at : at + 2].tolist()
    arrays["keys"] = np.delete(arrays["keys"], at)
    begins = np.delete(listed.arrays["begins"], at).astype(np.int64)
    begins[at:] -= end - begin
    arrays["begins"] = begins
    for name in ("listed", "scores"):
        arrays[name] = np.delete(arrays[name], slice(begin, end))
    manifest = listed.manifest
    return _written(
        arrays,
        listed.identities(),
        parent,
        kind=listed.kind,
        source=manifest.source,
        now=manifest.read_at,
    )


def _written(
    arrays: Mapping[str, NDArray[np.generic]],
    identities: Sequence[str],
    parent: Path,
    *,
    kind: Kind,
    source: str,
    now: Micros,
) -> NeighbourList:
    counts = {
        "keys": len(arrays["keys"]),
        "items": len(identities),
        "pairs": len(arrays["listed"]),
    }
    with drafted(parent) as draft:
        write_durably(draft / IDENTITIES, msgspec.json.encode(identities))
        for name, values in arrays.items():
            save_durably(draft / f"{name}.npy", values)
        files = {path.name: digest_of(path) for path in sorted(draft.iterdir())}
        content = hashlib.sha256(msgspec.json.encode(sorted(files.items()))).hexdigest()
        read = seconds_text(now)
        version = f"{read.translate(_COMPACT)}-{content[:8]}"
        manifest = Manifest(FORMAT, version, kind, source, now, read, counts, files)
        write_durably(
            draft / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        )
        settled(draft, parent / version)
    return load_list(parent / version)


_COMPACT = str.maketrans("", "", "-:")


def _by_digest(rows: Rows) -> tuple[Digests, NDArray[np.int64], NDArray[np.int64]]:
    """Keys in order of their digests, where each begins, and which row comes where."""
    digest = item_digest if rows.kind == "items" else user_digest
    digests = _digests(map(digest, rows.keys))
    counts = np.bincount(rows.key_no, minlength=len(rows.keys))
    begins = np.cumsum(counts) - counts
    order = np.argsort(digests, kind="stable")
    moved_begins = np.concatenate(([0], np.cumsum(counts[order]))).astype(np.int64)
    moved = np.repeat(begins[order] - moved_begins[:-1], counts[order])
    return digests[order], moved_begins, np.arange(len(moved)) + moved


def _digests(digests: Iterable[int]) -> Digests:
    return np.fromiter(digests, dtype=np.uint64)


def load_list(path: Path) -> NeighbourList:
    """Maps a list into memory. Raises UsageFault if it is not there, not whole, or not what was written."""
    try:
        manifest = manifest_of(path)
        for name, digest in manifest.files.items():
            if digest_of(path / name) != digest:
                raise ValueError(f"the checksum of {name} does not match")
        arrays = {name: mapped(path / f"{name}.npy") for name in _ARRAYS}
    except OSError as error:
        raise UsageFault(f"The list {path} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise UsageFault(f"The list {path} is broken: {error}") from error
    return NeighbourList(path, manifest, arrays)


def manifest_of(path: Path) -> Manifest:
    """Raises OSError, ValueError."""
    manifest = msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
    if manifest.format != FORMAT:
        raise ValueError(f"its format is {manifest.format}, this version reads {FORMAT}")
    if missing := {IDENTITIES, *(f"{name}.npy" for name in _ARRAYS)} - manifest.files.keys():
        raise ValueError(f"its manifest does not vouch for {', '.join(sorted(missing))}")
    return manifest
