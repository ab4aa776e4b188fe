"""
What was learned from orders: an immutable directory of flat arrays with a manifest that vouches for them.

Everything is by *index*, the place of an identity in `items.json`; knowing no catalog, it needs no numbers. Arrays are
mapped, not read, so that the workers of one host share one copy. A directory is written beside its place, made durable
and renamed: it is there whole or not at all, and never changes afterwards.

    manifest.json          version, time of building, counts, the digest of every other file
    items.json             identities, in order of code point
    popularity.npy         by index: sales that count half after a week; sales of all time weigh in behind the comma
    recent.npy             by index: orders of the last 14 days
    rise.npy               by index: how much more it sold in the last 7 days than in weeks before, by its own noise
    orders.npy             by index: how many orders had it
    neighbours.npy         by index: the indexes of up to 50 items for its own page, best first, then -1
    affinities.npy         by index: how strongly, in the same order
    cart_….npy             the same two, to be summed up over the items of a cart
    viewed_….npy           the same two of up to 16 items that were looked at on the same day; no rows without views
    users.npy              digests of user ids, ascending (ids themselves are not kept)
    histories.npy          by user: where the items begin in `bought`; one more for the end
    bought.npy, times.npy  what a user bought, newest first, and in how many orders
    ages.npy, spans.npy    days since the last of these orders, and between the first and the last
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, assert_never

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from endcap.domain import Micros, TrackerId
from endcap.errors import UsageFault
from endcap.recommend.files import digest_of, drafted, mapped, save_durably, settled, write_durably
from endcap.wire.reading import seconds_text

FORMAT = 2
NEIGHBOURS_MAX = 50  # 20 to 400 change the hit rate by 0.004 at most; 50 cost 400 bytes an item
VIEWED_MAX = 16  # neighbours by views: with them an item still takes less than a kilobyte
HISTORY_MAX = 20  # items kept of one user
MANIFEST = "manifest.json"
ITEMS = "items.json"
NOTHING_BUILT = "b00000000"

Floats = NDArray[np.float64]
Affinities = NDArray[np.float32]
Indexes = NDArray[np.int32]
Digests = NDArray[np.uint64]
Times = NDArray[np.uint16]
TableName = Literal["page", "cart", "viewed"]
"""Whose neighbours: for an item's own page, to be summed up over a cart, or looked at on the same day."""


class Manifest(Struct, frozen=True):
    """What `manifest.json` says."""

    format: int
    version: str
    built_at: Micros
    built: str
    counts: Mapping[str, int]
    files: Mapping[str, str]


class Learned(Struct, frozen=True):
    """The arrays of an artifact; see the head of this module."""

    identities: Sequence[str]
    popularity: Floats
    recent: Floats
    rise: Floats
    orders: NDArray[np.int64]
    neighbours: Indexes
    affinities: Affinities
    cart_neighbours: Indexes
    cart_affinities: Affinities
    viewed_neighbours: Indexes
    viewed_affinities: Affinities
    users: Digests
    histories: NDArray[np.int64]
    bought: Indexes
    times: Times
    ages: Affinities
    spans: Affinities

    @classmethod
    def nothing(cls) -> "Learned":
        page, cart, viewed = no_table(0), no_table(0), no_table(0, VIEWED_MAX)
        return cls(
            identities=(),
            popularity=np.empty(0, dtype=np.float64),
            recent=np.empty(0, dtype=np.float64),
            rise=np.empty(0, dtype=np.float64),
            orders=np.empty(0, dtype=np.int64),
            neighbours=page.neighbours,
            affinities=page.affinities,
            cart_neighbours=cart.neighbours,
            cart_affinities=cart.affinities,
            viewed_neighbours=viewed.neighbours,
            viewed_affinities=viewed.affinities,
            users=np.empty(0, dtype=np.uint64),
            histories=np.zeros(1, dtype=np.int64),
            bought=np.empty(0, dtype=np.int32),
            times=np.empty(0, dtype=np.uint16),
            ages=np.empty(0, dtype=np.float32),
            spans=np.empty(0, dtype=np.float32),
        )

    def table(self, name: TableName) -> "Table":
        """One of the tables of neighbours."""
        match name:
            case "page":
                return Table(self.neighbours, self.affinities)
            case "cart":
                return Table(self.cart_neighbours, self.cart_affinities)
            case "viewed":
                return Table(self.viewed_neighbours, self.viewed_affinities)
            case _:
                assert_never(name)


class Table(Struct, frozen=True):
    """By index a row of neighbours' indexes, best first, then -1; and how strongly. Of views there may be no rows."""

    neighbours: Indexes
    affinities: Affinities


def no_table(items: int, places: int = NEIGHBOURS_MAX) -> Table:
    """Nobody has neighbours."""
    return Table(
        np.full((items, places), -1, dtype=np.int32), np.zeros((items, places), dtype=np.float32)
    )


_ARRAYS = tuple(field for field in Learned.__struct_fields__ if field != "identities")


class Scores(Mapping[str, float]):
    """Popularity by identity, over the artifact's own array."""

    def __init__(self, indexes: Mapping[str, int], popularity: Floats) -> None:
        self._indexes = indexes
        self._popularity = popularity

    def __getitem__(self, identity: str) -> float:
        return float(self._popularity[self._indexes[identity]])

    def get(self, identity: str, default: Any = None) -> Any:
        index = self._indexes.get(identity)
        return default if index is None else float(self._popularity[index])

    def __iter__(self) -> Iterator[str]:
        return iter(self._indexes)

    def __len__(self) -> int:
        return len(self._indexes)


class Artifact:
    """One built version. `built_at` is None, and every array empty, while nothing was built."""

    def __init__(self, learned: Learned, manifest: Manifest | None) -> None:
        self.learned = learned
        self.name = "" if manifest is None else manifest.version
        """The name of its directory, and what the store's pointer holds."""
        self.built_at: Micros | None = None if manifest is None else manifest.built_at
        self.counts: Mapping[str, int] = {} if manifest is None else manifest.counts
        self._indexes: dict[str, int] | None = None

    @classmethod
    def empty(cls) -> "Artifact":
        return cls(Learned.nothing(), None)

    @property
    def version(self) -> str:
        """`b` and eight hexadecimal digits of what was learned, as `recommender_version` looks on the wire."""
        return f"b{self.name[-8:]}" if self.name else NOTHING_BUILT

    @property
    def model_version(self) -> int | None:
        """When it was built, in seconds, as `model_version` looks on the wire."""
        return None if self.built_at is None else self.built_at // 1_000_000

    @property
    def indexes(self) -> Mapping[str, int]:
        """Identity → index; made when first asked for."""
        if self._indexes is None:
            self._indexes = {identity: at for at, identity in enumerate(self.learned.identities)}
        return self._indexes

    @property
    def scores(self) -> Mapping[str, float]:
        """How popular an identity is: what `Catalog.ranked_by` takes."""
        return Scores(self.indexes, self.learned.popularity)

    def popularity_over(self, span: str) -> Floats | None:
        """Popularity by index over a span of time; None if this artifact does not know that span."""
        name = "popularity" if span == "decayed" else span
        known: Floats | None = getattr(self.learned, name, None)
        return known

    @property
    def percentiles(self) -> Floats:
        """By index: the share of the items that are outsold by this one."""
        popularity = self.learned.popularity
        ranks = np.empty(len(popularity))
        ranks[np.argsort(popularity, kind="stable")] = np.arange(1, len(popularity) + 1)
        return ranks / max(1, len(popularity))

    def history(self, user: str) -> tuple[list[int], list[int]]:
        """The indexes of what a user bought, newest first, and in how many orders each."""
        begin, end = self.history_of(user)
        return self.learned.bought[begin:end].tolist(), self.learned.times[begin:end].tolist()

    def history_of(self, user: str) -> tuple[int, int]:
        """Where in `bought` and what goes with it a user's items begin and end: newest first."""
        users, digest = self.learned.users, np.uint64(user_digest(user))
        at = int(users.searchsorted(digest))
        if at == len(users) or users[at] != digest:
            return 0, 0
        begin, end = self.learned.histories[at : at + 2].tolist()
        return begin, end


def user_digest(user: str) -> int:
    """64 bits of a user id: enough to tell customers apart, too few to be worth stealing."""
    return int.from_bytes(hashlib.blake2b(user.encode(), digest_size=8).digest(), "big")


def artifacts_directory(data_dir: Path, tracker: TrackerId) -> Path:
    """Where a tracker's artifacts are."""
    return data_dir / "artifacts" / folder_name(tracker)


def folder_name(tracker: TrackerId) -> str:
    """The tracker's id as the name of one folder. Raises UsageFault for an id that would leave its parent."""
    if not tracker or tracker in {".", ".."} or set(tracker) & {"/", "\\", "\x00"}:
        raise UsageFault(f"The tracker id {tracker!r} cannot name a folder")
    return tracker


def write_artifact(learned: Learned, parent: Path, *, now: Micros, lines: int = 0) -> Artifact:
    """
    Keeps what was learned under `parent`, durably and at once, and returns it as it will be loaded.

    The name is the time and a digest of the content. Building the same twice in one second gives the same directory.
    """
    with drafted(parent) as draft:
        files = _write_files(learned, draft)
        digest = hashlib.sha256(msgspec.json.encode(sorted(files.items()))).hexdigest()
        built = seconds_text(now)
        version = f"{built.translate(_COMPACT)}-{digest[:8]}"
        manifest = Manifest(FORMAT, version, now, built, _counts(learned, lines), files)
        write_durably(
            draft / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        )
        target = parent / version
        settled(draft, target)
    return load_artifact(target)


_COMPACT = str.maketrans("", "", "-:")


def _counts(learned: Learned, lines: int) -> dict[str, int]:
    return {
        "items": len(learned.identities),
        "users": len(learned.users),
        "neighbours": int((learned.neighbours >= 0).sum()),
        "viewed": int((learned.viewed_neighbours >= 0).sum()),
        "lines": lines,
    }


def _write_files(learned: Learned, folder: Path) -> dict[str, str]:
    """Writes everything but the manifest; the digest of each file."""
    write_durably(folder / ITEMS, msgspec.json.encode(learned.identities))
    for name in _ARRAYS:
        save_durably(folder / f"{name}.npy", getattr(learned, name))
    return {path.name: digest_of(path) for path in sorted(folder.iterdir())}


def load_artifact(path: Path) -> Artifact:
    """Maps an artifact into memory. Raises UsageFault if it is not there, not whole, or not what was written."""
    try:
        manifest = msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
        _check(path, manifest)
        identities = msgspec.json.decode((path / ITEMS).read_bytes(), type=list[str])
        arrays = {name: mapped(path / f"{name}.npy") for name in _ARRAYS}
    except OSError as error:
        what = Path(error.filename or path).name
        raise UsageFault(f"The artifact {path} cannot be read: {what}: {error.strerror}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise UsageFault(f"The artifact {path} is broken: {error}") from error
    return Artifact(Learned(identities, **arrays), manifest)


def _check(path: Path, manifest: Manifest) -> None:
    if manifest.format != FORMAT:
        raise ValueError(
            f"its format is {manifest.format}, this version reads {FORMAT}; "
            "`endcap build` makes a new one of the same orders"
        )
    if missing := {ITEMS, *(f"{name}.npy" for name in _ARRAYS)} - manifest.files.keys():
        raise ValueError(f"its manifest does not vouch for {', '.join(sorted(missing))}")
    for name, digest in manifest.files.items():
        if digest_of(path / name) != digest:
            raise ValueError(f"the checksum of {name} does not match")
