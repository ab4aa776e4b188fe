"""
The mirror: every tracker of the store in memory, renewed by following its changes.

A `Shop` is all that requests need of one tracker, immutable and swapped by one reference. A follower thread asks the
store for revisions; whoever sees a higher one reads the changes since its own and makes the next shop. Writes of this
worker are absorbed directly when nothing lies between, so that they show at once. Readers take no lock.

What takes long (a load, a batch of a large catalog) is made beside the shop that is served, and without the lock that
own writes need; whoever finds the shop changed when it is done does it again.
"""

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from endcap.domain import Customization, CustomizationId, Record, TrackerId
from endcap.engine.snapshot import Snapshot
from endcap.errors import Problem, StoreUnavailable, TrackerNotFound, UsageFault
from endcap.recommend.artifact import Artifact, artifacts_directory, load_artifact
from endcap.recommend.recommenders import Recommenders
from endcap.signing import Key
from endcap.store.port import (
    Changes,
    Committed,
    CreateCustomization,
    DeleteCustomization,
    Outcome,
    ReplaceCustomization,
    Store,
    TrackerRow,
    Write,
)
from endcap.telemetry import log
from endcap.vault import Vault
from endcap.wire.customizations import definition_of

CHECK_SECONDS_MIN = 0.02  # how often requests for the unknown may make us ask the store
RETRY_SECONDS = 0.5  # while the store is away
ARTIFACT_SECONDS = 10.0  # between two looks for an artifact that could not be read
RELOAD_CHANGES_MIN = 10_000  # a load of fewer is not worth a thought
RELOAD_SHARE = 4  # a change costs about as much as this many rows of a load
PROGRESS_ROWS = 20_000  # between two words on a load
PROGRESS_SECONDS = 5.0  # between two lines of the log about it
SWITCH_SECONDS = (
    0.001  # how long a request waits for the mirror's thread, or another, to pause; else 0.005
)

T = TypeVar("T")


class Loading(Struct, frozen=True):
    """How far the load of a tracker is."""

    tracker: TrackerId
    what: Literal["customizations", "objects"]
    done: int
    total: int


Progress = Callable[[Loading], None]


class Shop(Struct, frozen=True):
    """One tracker at one revision."""

    tracker: TrackerId
    row: TrackerRow
    keys: tuple[Key, ...]
    snapshot: Snapshot
    recommenders: Recommenders

    @property
    def revision(self) -> int:
        return self.snapshot.revision

    @property
    def lacks_artifact(self) -> bool:
        """Whether the one that the tracker points to could not be read when it was published."""
        return self.row.artifact not in (None, self.recommenders.artifact.name)


class Mirror:
    """Load it, start it; then `shop` answers without I/O."""

    def __init__(
        self, store: Store, vault: Vault, data_dir: Path, *, poll_seconds: float = 0.05
    ) -> None:
        self._store = store
        self._vault = vault
        self._data_dir = data_dir
        self._poll_seconds = poll_seconds
        self._shops: dict[TrackerId, Shop] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._checked_at = 0.0
        self._looked_at = 0.0
        self._load_lock = threading.Lock()
        self._progress: Progress | None = None
        self.loading: Mapping[TrackerId, Loading] = {}
        """Of each tracker that is being read as a whole: how far that is."""
        self.loaded = False

    def shop(self, tracker: str) -> Shop | None:
        return self._shops.get(TrackerId(tracker))

    def shops(self) -> Mapping[TrackerId, Shop]:
        return self._shops

    def load(self, *, only: TrackerId | None = None, progress: Progress | None = None) -> None:
        """
        Reads every tracker that is not here yet, or one, and tells `progress` (and the log, and `loading`) how far it
        is. Raises StoreUnavailable, and for one TrackerNotFound.
        """
        self._progress = progress
        if only is not None:
            self._load(only)
        else:
            try:
                self.refresh()
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - the other trackers are there; the follower tries this one again
                log.error("mirror failed to follow", exc_info=error)
        self.loaded = True

    def start(self, *, progress: Progress | None = None) -> None:
        """Begins to follow; `progress` is told of loads on the way, as by `load`."""
        self._progress = progress
        sys.setswitchinterval(SWITCH_SECONDS)
        self._thread = threading.Thread(target=self._follow, name="mirror", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def check(self) -> bool:
        """Asks the store once for news, if nobody did a moment ago; whether it asked."""
        now = time.monotonic()
        if now - self._checked_at < CHECK_SECONDS_MIN:
            return False
        self._checked_at = now
        self.refresh()
        return True

    def refresh(self) -> None:
        """Brings all up to the store's revisions. Raises StoreUnavailable; at the end, what kept a tracker from it."""
        failed: Exception | None = None
        looks = time.monotonic() - self._looked_at > ARTIFACT_SECONDS
        for tracker, revision in self._store.revisions().items():
            shop = self._shops.get(tracker)
            try:
                if shop is None:
                    self._load(tracker)
                elif shop.revision < revision:
                    self._catch_up(tracker)
                elif looks and shop.lacks_artifact:
                    self._look_for_artifact(tracker)
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - one tracker's trouble must not let the others grow stale
                error.add_note(f"tracker: {tracker}")
                failed = error
        if looks:
            self._looked_at = time.monotonic()
        if failed is not None:
            raise failed

    def absorb(self, writes: Sequence[Write], outcomes: Sequence[Outcome]) -> None:
        """
        Shows this worker's own writes: directly where their revisions follow on, else by catching up.

        Raises nothing: they are durable, and whoever takes them for failed does them twice. What cannot be shown now
        is left to the follower.
        """
        by_tracker: dict[TrackerId, list[tuple[Write, Committed]]] = {}
        for write, outcome in zip(writes, outcomes, strict=True):
            if isinstance(outcome, Committed) and not outcome.replayed:
                by_tracker.setdefault(write.tracker, []).append((write, outcome))
        for tracker, committed in by_tracker.items():
            try:
                if not self._absorb_directly(tracker, committed) and not self._is_left(tracker):
                    self._catch_up(tracker)
            except Exception as error:  # noqa: BLE001 - see above
                log.error("own writes not shown yet", tracker=tracker, exc_info=error)

    def _absorb_directly(
        self, tracker: TrackerId, committed: Sequence[tuple[Write, Committed]]
    ) -> bool:
        with self._lock:
            shop = self._shops.get(tracker)
            if shop is None:
                return False
            expected = range(shop.revision + 1, shop.revision + 1 + len(committed))
            if [outcome.revision for _, outcome in committed] != list(expected):
                return False
            changes: dict[CustomizationId, Customization | None] = {}
            for write, outcome in committed:
                match write:
                    case CreateCustomization() | ReplaceCustomization() if (
                        outcome.record is not None
                    ):
                        changes[write.id] = Customization.of(outcome.record, write.definition)
                    case DeleteCustomization():
                        changes[write.id] = None
                    case _:
                        return False
            snapshot = shop.snapshot.changed(expected[-1], changes, {})
            return self._publish(msgspec.structs.replace(shop, snapshot=snapshot), after=shop)

    def _is_left(self, tracker: TrackerId) -> bool:
        """Whether to catch up takes a load: that is the follower's, for the caller of a write waits."""
        shop = self._shops.get(tracker)
        return self._thread is not None and shop is not None and self._is_far_behind(shop)

    def _publish(self, shop: Shop, *, after: Shop | None) -> bool:
        """Serves a shop from now on, unless it came of another than the one that is served."""
        with self._lock:
            if self._shops.get(shop.tracker) is not after:
                return False
            self._shops[shop.tracker] = shop
            return True

    def _renew(self, tracker: TrackerId, renewed: Callable[[Shop], Shop]) -> None:
        """Makes a shop of the one that is served: beside it, or if that changed meanwhile, while all writes wait."""
        shop = self._shops[tracker]
        if not self._publish(renewed(shop), after=shop):
            with self._lock:
                shop = self._shops[tracker]
                self._publish(renewed(shop), after=shop)

    def _load(self, tracker: TrackerId) -> None:
        with self._load_lock:
            before = self._shops.get(tracker)
            try:
                shop = self._read(tracker)
            finally:
                self.loading = {key: each for key, each in self.loading.items() if key != tracker}
            with self._lock:
                now = self._shops.get(tracker)
                if now is before or now is None or now.revision < shop.revision:
                    self._shops[tracker] = shop
        gc.freeze()  # a million objects that stay need not be looked at by every collection; none is in a cycle

    def _read(self, tracker: TrackerId) -> Shop:
        with self._store.load(tracker) as load:
            artifact = self._artifact(load.tracker, None)
            rules = Loading(tracker, "customizations", 0, load.customization_count)
            goods = Loading(tracker, "objects", 0, load.object_count)
            snapshot = Snapshot.build(
                load.tracker.revision,
                self._understood(self._told(load.records(), rules)),
                self._told(load.objects(), goods),
                artifact.scores,
            )
            return Shop(
                tracker,
                load.tracker,
                self._keys(load.tracker),
                snapshot,
                Recommenders.of(snapshot.catalog, artifact).warm(),
            )

    def _told(self, rows: Iterable[T], loading: Loading) -> Iterator[T]:
        """The rows, with a word every few thousand of them."""
        said_at = time.monotonic()
        done = 0
        for done, row in enumerate(rows, 1):
            if done % PROGRESS_ROWS == 1:
                now = time.monotonic()
                self._tell(msgspec.structs.replace(loading, done=done - 1))
                if now - said_at >= PROGRESS_SECONDS:
                    said_at = now
                    log.info(
                        "loading",
                        tracker=loading.tracker,
                        what=loading.what,
                        done=done - 1,
                        total=loading.total,
                    )
            yield row
        self._tell(msgspec.structs.replace(loading, done=done))

    def _tell(self, loading: Loading) -> None:
        self.loading = {**self.loading, loading.tracker: loading}
        if self._progress is not None:
            self._progress(loading)

    def _catch_up(self, tracker: TrackerId) -> None:
        shop = self._shops.get(tracker)
        if shop is None or self._is_far_behind(shop):
            self._load(tracker)
        else:
            self._renew(tracker, self._followed)

    def _is_far_behind(self, shop: Shop) -> bool:
        """Whether a load brings the shop up to date sooner than its changes would."""
        held = len(shop.snapshot.catalog) + len(shop.snapshot.rules)
        bound = max(RELOAD_CHANGES_MIN, held // RELOAD_SHARE)
        return self._store.behind(shop.tracker, since=shop.revision, at_most=bound) >= bound

    def _followed(self, shop: Shop) -> Shop:
        return self._advanced(shop, self._store.changes(shop.tracker, since=shop.revision))

    def _advanced(self, shop: Shop, changes: Changes) -> Shop:
        customizations: dict[CustomizationId, Customization | None] = {
            key: None for key, record in changes.records.items() if record is None
        }
        present = (record for record in changes.records.values() if record is not None)
        customizations.update({each.id: each for each in self._understood(present)})
        snapshot = shop.snapshot.changed(changes.tracker.revision, customizations, changes.objects)
        keys = shop.keys
        if changes.tracker.sealed_keys != shop.row.sealed_keys:
            keys = self._keys(changes.tracker)
        recommenders = shop.recommenders
        if changes.tracker.artifact != shop.row.artifact:
            artifact = self._artifact(changes.tracker, recommenders.artifact)
            return _with_artifact(
                Shop(shop.tracker, changes.tracker, keys, snapshot, recommenders), artifact
            )
        if changes.objects:
            recommenders = recommenders.with_catalog(snapshot.catalog).warm()
        return Shop(shop.tracker, changes.tracker, keys, snapshot, recommenders)

    def _look_for_artifact(self, tracker: TrackerId) -> None:
        """It may be on a disk that is shared between hosts and shows what is new after a while."""
        shop = self._shops[tracker]
        artifact = self._artifact(shop.row, shop.recommenders.artifact)
        if artifact.name == shop.row.artifact:
            self._publish(_with_artifact(shop, artifact), after=shop)

    def _understood(self, records: Iterable[Record]) -> Iterable[Customization]:
        """A record that cannot be read any more is ours to fix; the others must not wait for that."""
        for record in records:
            try:
                yield Customization.of(record, definition_of(record))
            except Problem as problem:
                log.error("customization cannot be read", id=record.id, exc_info=problem)

    def _keys(self, row: TrackerRow) -> tuple[Key, ...]:
        """Those that open. With another master key none does: nobody can sign, but shoppers see what they saw."""
        return tuple(self._opened(row))

    def _opened(self, row: TrackerRow) -> Iterable[Key]:
        for sealed in row.sealed_keys:
            try:
                yield Key(self._vault.open(sealed))
            except UsageFault as fault:
                log.error("private key cannot be opened", tracker=row.id, reason=fault.reason)

    def _artifact(self, row: TrackerRow, known: Artifact | None) -> Artifact:
        """The artifact that the tracker points to; the known one, or none, where it cannot be read here."""
        if row.artifact is None:
            return known or Artifact.empty()
        try:
            return load_artifact(artifacts_directory(self._data_dir, row.id) / row.artifact)
        except UsageFault as fault:
            log.error(
                "artifact cannot be read",
                tracker=row.id,
                artifact=row.artifact,
                reason=fault.reason,
            )
            return known or Artifact.empty()

    def _follow(self) -> None:
        away = False
        while not self._stopping.is_set():
            try:
                self._store.wait(self._poll_seconds)
                if self._stopping.is_set():
                    return
                self.refresh()
                if away:
                    away = False
                    log.info("store is back")
            except StoreUnavailable as problem:
                if not away:
                    away = True
                    log.warning(
                        "store is away, serving what is mirrored", reason=str(problem.__cause__)
                    )
                self._stopping.wait(RETRY_SECONDS)
            except TrackerNotFound:
                continue
            except Exception as error:  # noqa: BLE001 - a follower that dies would let this worker grow stale in silence
                log.error("mirror failed to follow", exc_info=error)
                self._stopping.wait(RETRY_SECONDS)


def _with_artifact(shop: Shop, artifact: Artifact) -> Shop:
    """The shop with its catalog ranked, and its recommenders made, by what was learned."""
    catalog = shop.snapshot.catalog.ranked_by(artifact.scores)
    return msgspec.structs.replace(
        shop,
        snapshot=msgspec.structs.replace(shop.snapshot, catalog=catalog),
        recommenders=Recommenders.of(catalog, artifact).warm(),
    )
