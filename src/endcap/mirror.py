"""
The mirror: every tracker of the store in memory, renewed by following its changes.

A `Shop` is all that requests need of one tracker, immutable and swapped by one reference. A follower thread asks the
store for revisions; whoever sees a higher one reads the changes since its own and makes the next shop. Writes of this
worker are absorbed directly when nothing lies between, so that they show at once. Readers take no lock.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

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
        self.loaded = False

    def shop(self, tracker: str) -> Shop | None:
        return self._shops.get(TrackerId(tracker))

    def shops(self) -> Mapping[TrackerId, Shop]:
        return self._shops

    def load(self, *, only: TrackerId | None = None) -> None:
        """Reads every tracker (or one) whole. Raises StoreUnavailable, TrackerNotFound."""
        for tracker in [only] if only is not None else list(self._store.revisions()):
            self._load(tracker)
        self.loaded = True

    def start(self) -> None:
        """Begins to follow."""
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
        """Brings every tracker up to the store's revision. Raises StoreUnavailable."""
        for tracker, revision in self._store.revisions().items():
            shop = self._shops.get(tracker)
            if shop is None:
                self._load(tracker)
            elif shop.revision < revision:
                self._catch_up(tracker)

    def absorb(self, writes: Sequence[Write], outcomes: Sequence[Outcome]) -> None:
        """Shows this worker's own writes: directly where their revisions follow on, else by catching up."""
        by_tracker: dict[TrackerId, list[tuple[Write, Committed]]] = {}
        for write, outcome in zip(writes, outcomes, strict=True):
            if isinstance(outcome, Committed) and not outcome.replayed:
                by_tracker.setdefault(write.tracker, []).append((write, outcome))
        for tracker, committed in by_tracker.items():
            with self._lock:
                if not self._absorb_directly(tracker, committed):
                    self._catch_up(tracker)

    def _absorb_directly(
        self, tracker: TrackerId, committed: Sequence[tuple[Write, Committed]]
    ) -> bool:
        shop = self._shops.get(tracker)
        if shop is None:
            return False
        expected = range(shop.revision + 1, shop.revision + 1 + len(committed))
        if [outcome.revision for _, outcome in committed] != list(expected):
            return False
        changes: dict[CustomizationId, Customization | None] = {}
        for write, outcome in committed:
            match write:
                case CreateCustomization() | ReplaceCustomization() if outcome.record is not None:
                    changes[write.id] = Customization.of(outcome.record, write.definition)
                case DeleteCustomization():
                    changes[write.id] = None
                case _:
                    return False
        snapshot = shop.snapshot.changed(expected[-1], changes, {})
        self._shops[tracker] = msgspec.structs.replace(shop, snapshot=snapshot)
        return True

    def _load(self, tracker: TrackerId) -> None:
        with self._lock, self._store.load(tracker) as load:
            artifact = self._artifact(load.tracker, None)
            snapshot = Snapshot.build(
                load.tracker.revision,
                self._understood(load.records()),
                load.objects(),
                artifact.scores,
            )
            self._shops[tracker] = Shop(
                tracker,
                load.tracker,
                self._keys(load.tracker),
                snapshot,
                Recommenders.of(snapshot.catalog, artifact).warm(),
            )

    def _catch_up(self, tracker: TrackerId) -> None:
        with self._lock:
            shop = self._shops.get(tracker)
            if shop is None:
                self._load(tracker)
                return
            self._shops[tracker] = self._advanced(
                shop, self._store.changes(tracker, since=shop.revision)
            )

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
            catalog = snapshot.catalog.ranked_by(artifact.scores)
            snapshot = msgspec.structs.replace(snapshot, catalog=catalog)
            recommenders = Recommenders.of(catalog, artifact).warm()
        elif changes.objects:
            recommenders = recommenders.with_catalog(snapshot.catalog).warm()
        return Shop(shop.tracker, changes.tracker, keys, snapshot, recommenders)

    def _understood(self, records: Iterable[Record]) -> Iterable[Customization]:
        """A record that cannot be read any more is ours to fix; the others must not wait for that."""
        for record in records:
            try:
                yield Customization.of(record, definition_of(record))
            except Problem as problem:
                log.error("customization cannot be read", id=record.id, exc_info=problem)

    def _keys(self, row: TrackerRow) -> tuple[Key, ...]:
        return tuple(Key(self._vault.open(sealed)) for sealed in row.sealed_keys)

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
