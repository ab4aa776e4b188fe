"""
The mirror: every tracker of the store in memory, renewed by following its changes.

A `Shop` is all that requests need of one tracker, immutable and swapped by one reference. A follower thread asks the
store for revisions; whoever sees a higher one reads the changes since its own and makes the next shop. Writes of this
worker are absorbed directly when nothing lies between, so that they show at once. Readers take no lock.

What takes long (a load, a batch of a large catalog) is made beside the shop that is served, and without the lock that
own writes need; whoever finds the shop changed when it is done does it again.
"""

import asyncio
import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from endcap.awaiting import Awaiting, settle
from endcap.domain import TrackerId
from endcap.errors import (
    Problem,
    RevisionNotReached,
    StillLoading,
    StoreUnavailable,
    TrackerNotFound,
)
from endcap.loading import LOG_SECONDS
from endcap.recommend.neighbour_list import NeighbourList
from endcap.shops import Shop, ShopMaker, own_changes
from endcap.store.port import Store
from endcap.store.writes import (
    Committed,
    Outcome,
    Write,
)
from endcap.telemetry import log
from endcap.vault import Vault

CHECK_SECONDS_MIN = 0.02  # how often requests for the unknown may make us ask the store
RETRY_SECONDS = 0.5  # while the store is away
REACH_SECONDS_MAX = 2.0  # how long a reader waits for a revision that it has seen elsewhere
LOOK_SECONDS_MIN = 0.005  # between two looks that such readers ask for
ARTIFACT_SECONDS = 10.0  # between two looks for an artifact that could not be read
RELOAD_CHANGES_MIN = 10_000  # a load instead of fewer is not worth a thought
RELOAD_SHARE = 4  # a change costs somewhat more than this many rows of a load
SWITCH_SECONDS = 0.0005  # until a thread that works on and on lets others pass: requests, and who commits; else 0.005


class Mirror:
    """Load it, start it; then `shop` answers without I/O."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        data_dir: Path,
        *,
        poll_seconds: float = 0.05,
        artifact_seconds: float = ARTIFACT_SECONDS,
        log_seconds: float = LOG_SECONDS,
    ) -> None:
        self._store = store
        self._maker = ShopMaker(store, vault, data_dir, log_seconds=log_seconds)
        self._poll_seconds = poll_seconds
        self._artifact_seconds = artifact_seconds
        self._shops: dict[str, Shop] = {}
        self._locks: dict[TrackerId, threading.RLock] = {}
        self._load_locks: dict[TrackerId, threading.Lock] = {}
        self._follow_locks: dict[TrackerId, threading.Lock] = {}
        self._loaders: dict[TrackerId, threading.Thread] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._checked_at = 0.0
        self._looked_at = 0.0
        self._version: int | None = None
        self._awaiting = Awaiting()
        self._looking = self._looks_again = False
        self.loaded = False

    def shop(self, tracker: str) -> Shop | None:
        return self._shops.get(tracker)

    def shops(self) -> Mapping[str, Shop]:
        return self._shops

    def is_current(self) -> bool:
        """Whether what is mirrored is all that was committed anywhere; False where only the store can tell."""
        return (version := self._store.version()) is not None and version == self._version

    def load(self, *, only: TrackerId | None = None) -> None:
        """Reads every tracker that is not here yet, or one. Raises StoreUnavailable, and for one TrackerNotFound."""
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

    def absence(self) -> Problem:
        """What to say of a tracker that is not here."""
        return TrackerNotFound() if self.loaded else StillLoading()

    async def at(self, shop: Shop, revision: int) -> Shop:
        """
        The tracker's shop at a revision that somebody has seen, or a later one. Raises RevisionNotReached.

        Needs no task of its own, so that it may be begun outside of one.
        """
        if shop.revision >= revision:
            return shop
        if self._awaiting.is_full:
            raise _not_reached(shop, revision)
        with self._awaiting.waiting(shop.tracker, revision) as reached:
            shop = self._shops.get(shop.tracker, shop)
            if shop.revision < revision:
                loop = asyncio.get_running_loop()
                if self.loaded:  # else whoever looks would load what is being loaded
                    self._ask_to_look(loop)
                timer = loop.call_later(REACH_SECONDS_MAX, settle, reached)
                try:
                    await reached
                finally:
                    timer.cancel()
        shop = self._shops.get(shop.tracker, shop)
        if shop.revision < revision:
            raise _not_reached(shop, revision)
        return shop

    def _ask_to_look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Has a thread look at the store, once for all who ask meanwhile."""
        if self._looking:
            self._looks_again = True
            return
        self._looking = True
        loop.run_in_executor(None, self.refresh).add_done_callback(
            lambda look: self._has_looked(loop, look)
        )

    def _has_looked(self, loop: asyncio.AbstractEventLoop, look: "asyncio.Future[None]") -> None:
        if not look.cancelled():
            look.exception()  # the follower meets it too, and says so
        self._looking = False
        if self._looks_again:
            self._looks_again = False
            loop.call_later(LOOK_SECONDS_MIN, self._ask_to_look, loop)

    def start(self) -> None:
        """Begins to follow."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self._thread = threading.Thread(target=self._follow, name="mirror", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        for loader in self._loaders.values():
            loader.join()

    def check(self) -> bool:
        """Asks the store once for news, if nobody did a moment ago; whether it asked. Not while it loads."""
        now = time.monotonic()
        if not self.loaded or now - self._checked_at < CHECK_SECONDS_MIN:
            return False
        self._checked_at = now
        self.refresh()
        return True

    def refresh(self) -> None:
        """Brings all up to the store's revisions. Raises StoreUnavailable; at the end, what kept a tracker from it."""
        failed: Exception | None = None
        is_left = False
        version = self._store.version()
        looks = self._is_time_to_look()
        for tracker, revision in self._store.revisions().items():
            shop = self._shops.get(tracker)
            try:
                if self._is_loading_beside(tracker, shop, revision):
                    is_left = True
                elif shop is None:
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
        if not is_left:
            self._version = version

    def _is_loading_beside(self, tracker: TrackerId, shop: Shop | None, revision: int) -> bool:
        """Whether a thread loads the tracker; the follower begins one, so as not to keep the other trackers waiting."""
        loader = self._loaders.get(tracker)
        if loader is not None and loader.is_alive():
            return shop is None or shop.revision < revision
        if threading.current_thread() is not self._thread:
            return False
        if shop is not None and (shop.revision >= revision or not self._is_far_behind(shop)):
            return False
        loader = threading.Thread(
            target=self._load_beside, args=(tracker,), name="loader", daemon=True
        )
        self._loaders[tracker] = loader
        loader.start()
        return True

    def _load_beside(self, tracker: TrackerId) -> None:
        try:
            self._load(tracker)
        except (StoreUnavailable, TrackerNotFound):
            self._stopping.wait(RETRY_SECONDS)  # the follower says it
        except Exception as error:  # noqa: BLE001 - the follower tries again, and not at once
            log.error("mirror failed to load", tracker=tracker, exc_info=error)
            self._stopping.wait(RETRY_SECONDS)

    def _is_time_to_look(self) -> bool:
        return time.monotonic() - self._looked_at > self._artifact_seconds

    def absorb(self, writes: Sequence[Write], outcomes: Sequence[Outcome]) -> None:
        """
        Shows this worker's own writes: directly where their revisions follow on, else by catching up.

        Raises nothing: they are durable, and whoever takes them for failed does them twice. What cannot be shown now
        is left to the follower.
        """
        version = self._store.version_after(self._version)
        by_tracker: dict[TrackerId, list[tuple[Write, Committed]]] = {}
        for write, outcome in zip(writes, outcomes, strict=True):
            if isinstance(outcome, Committed) and not outcome.replayed:
                by_tracker.setdefault(write.tracker, []).append((write, outcome))
        for tracker, committed in by_tracker.items():
            try:
                if not self._absorb_directly(tracker, committed):
                    if self._is_left(tracker):
                        version = None
                    else:
                        self._catch_up(tracker)
            except Exception as error:  # noqa: BLE001 - see above
                log.error("own writes not shown yet", tracker=tracker, exc_info=error)
                version = None
        if version is not None:
            self._version = version

    def _absorb_directly(
        self, tracker: TrackerId, committed: Sequence[tuple[Write, Committed]]
    ) -> bool:
        with self._lock(tracker):
            shop = self._shops.get(tracker)
            if shop is None:
                return False
            expected = range(shop.revision + 1, shop.revision + 1 + len(committed))
            if [outcome.revision for _, outcome in committed] != list(expected):
                return False
            changes = own_changes(committed)
            if changes is None:
                return False
            snapshot = shop.snapshot.changed(expected[-1], changes, {})
            self._show(msgspec.structs.replace(shop, snapshot=snapshot))
            return True

    def _is_left(self, tracker: TrackerId) -> bool:
        """Whether to catch up takes a load: that is the follower's, for the caller of a write waits."""
        shop = self._shops.get(tracker)
        return self._thread is not None and shop is not None and self._is_far_behind(shop)

    def _lock(self, tracker: TrackerId) -> threading.RLock:
        """Held by who makes a tracker's next shop. One a tracker: loading one keeps no writer of another waiting."""
        return self._locks.setdefault(tracker, threading.RLock())

    def _show(self, shop: Shop) -> None:
        """The one place where a shop takes another one's."""
        self._shops[shop.tracker] = shop
        self._awaiting.shown(shop.tracker, shop.revision)

    def _renew(self, tracker: TrackerId, renewed: Callable[[Shop], Shop]) -> None:
        """Makes a shop of the one that is served: beside it, or if that changed meanwhile, while its writes wait."""
        shop = self._shops[tracker]
        successor = renewed(shop)
        with self._lock(tracker):
            now = self._shops[tracker]
            if now is not shop:
                successor = renewed(now)
            if successor is not now:
                self._show(successor)

    def _load(self, tracker: TrackerId) -> None:
        before = self._shops.get(tracker)
        with self._load_locks.setdefault(tracker, threading.Lock()):
            if before is not self._shops.get(tracker):
                return  # whoever loaded it meanwhile, or follows it
            shop = self._maker.loaded(tracker, before, self._stopping)
            with self._lock(tracker):
                now = self._shops.get(tracker)
                if now is None or now.revision <= shop.revision:
                    self._show(shop)
        _settle_memory()

    def _catch_up(self, tracker: TrackerId) -> None:
        shop = self._shops.get(tracker)
        if shop is None or self._is_far_behind(shop):
            self._load(tracker)
            return
        with self._follow_locks.setdefault(tracker, threading.Lock()):
            self._renew(tracker, self._maker.followed)  # who comes second finds it done

    def _is_far_behind(self, shop: Shop) -> bool:
        """Whether a load brings the shop up to date sooner than its changes would."""
        held = len(shop.snapshot.catalog) + len(shop.snapshot.rules)
        bound = max(RELOAD_CHANGES_MIN, held // RELOAD_SHARE)
        return self._store.behind(shop.tracker, since=shop.revision, at_most=bound) >= bound

    def show_lists(self, tracker: TrackerId, lists: Mapping[str, NeighbourList]) -> None:
        """Ranks by these lists from now on: what others wrote has no part in revisions."""

        def renewed(shop: Shop) -> Shop:
            recommenders = shop.recommenders.with_lists(lists).warm()
            return msgspec.structs.replace(shop, recommenders=recommenders)

        if tracker in self._shops:
            self._renew(tracker, renewed)

    def _look_for_artifact(self, tracker: TrackerId) -> None:
        """It may be on a disk that is shared between hosts and shows what is new after a while."""
        self._renew(tracker, self._maker.with_its_artifact)

    def _follow(self) -> None:
        away = False
        while not self._stopping.is_set():
            try:
                self._store.wait(self._poll_seconds)
                if self._stopping.is_set():
                    return
                if not self.is_current() or self._is_time_to_look():
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


def _settle_memory() -> None:
    """
    After a load. What stays need not be looked at by each collection: a million items, and none in a cycle. What was
    used on the way goes back to the system, 200 bytes an item, where the C library (glibc's) can be asked for that.
    """
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _not_reached(shop: Shop, revision: int) -> RevisionNotReached:
    said = f"{shop.revision} is shown, {revision} is asked for"
    return RevisionNotReached(details={"Endcap-Revision": [said]})
