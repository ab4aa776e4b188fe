"""
What shoppers did lately, in the memory of every worker: from the events that it took itself, and from those of others.

The worker that took an event notes it before the event is answered, so that the shopper's next request there finds it;
a thread follows the store of events for what the other workers took. Memory is filled at the start from the last events
in the store. What a shopper's memory holds is `recommend.shoppers`' to say.

An event speaks for its device and for the customer who was logged in. Views of what is not in the catalog (the basket's
page, a search) are left out: they would push items out of a bounded memory.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from endcap.domain import Event, TrackerId
from endcap.errors import StoreUnavailable
from endcap.mirror import Mirror
from endcap.recommend.shoppers import Act, Kind, Shoppers
from endcap.store.events import LINES_MAX, Appended, Erased, EventStore, Told
from endcap.telemetry import log
from endcap.wire import events as wire
from endcap.wire.events import Meaning, meaning_of

POLL_SECONDS = 0.25  # the promise is a second
RETRY_SECONDS = 0.5  # while the store is away
FILL_EVENTS_MAX = 100_000  # of all trackers together: some two seconds
FILL_EVENTS_MIN = 1_000  # of each tracker
ERASURE_HOURS = 24  # how long an erasure stays in the store for followers to see
BLIND_SECONDS_MAX = ERASURE_HOURS * 1_800.0  # a follower that saw nothing for so long begins anew

_KINDS: Mapping[wire.Kind, Kind] = {
    "view": "view",
    "click": "click",
    "conversion": "click",  # whoever put an item on a wish list was more than looking at it
    "order": "order",
}


class Activity:
    """Fill it, start it; then `shoppers` answers without I/O."""

    def __init__(
        self,
        events: EventStore,
        mirror: Mirror,
        *,
        poll_seconds: float = POLL_SECONDS,
        fill_events_max: int = FILL_EVENTS_MAX,
    ) -> None:
        self._events = events
        self._mirror = mirror
        self._poll_seconds = poll_seconds
        self._fill_events_max = fill_events_max
        self._shoppers: dict[TrackerId, Shoppers] = {}
        self._seen: dict[TrackerId, int] = {}
        self._lock = threading.Lock()
        """Held by whoever notes."""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._looked_at = 0.0

    def shoppers(self, tracker: TrackerId) -> Shoppers:
        """Those of a tracker; there is nobody yet while it fills."""
        known = self._shoppers.get(tracker)
        return self._shoppers.setdefault(tracker, Shoppers()) if known is None else known

    def fill(self) -> None:
        """Reads the last events of every tracker. Raises StoreUnavailable."""
        heads = self._events.heads()
        limit = max(FILL_EVENTS_MIN, self._fill_events_max // max(1, len(heads)))
        for tracker in heads:
            self._seen.setdefault(tracker, self._events.latest(tracker, limit=limit))
        self.look()

    def start(self) -> None:
        """Begins to follow."""
        self._thread = threading.Thread(target=self._follow, name="activity", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def absorb(self, told: Sequence[tuple[Event, Meaning]], appended: Appended) -> None:
        """Notes what this worker has just appended."""
        by_tracker: dict[TrackerId, list[Act]] = {}
        for (event, meaning), stored in zip(told, appended.stored, strict=True):
            if stored:
                acts = by_tracker.setdefault(event.tracker, [])
                acts += self._acts(event, meaning)
        with self._lock:
            for tracker, acts in by_tracker.items():
                self.shoppers(tracker).note(acts)
            for tracker, (before, last) in appended.spans.items():
                if self._seen.get(tracker, 0) == before:  # nobody else's lie between
                    self._seen[tracker] = last

    def look(self) -> None:
        """Notes what was appended anywhere since the last look. Raises StoreUnavailable."""
        for tracker, head in self._events.heads().items():
            while (seen := self._seen.get(tracker, 0)) < head and not self._stopping.is_set():
                lines = self._events.after(tracker, seen)
                end = head if len(lines) < LINES_MAX else 0  # the last numbers may be nobody's
                with self._lock:
                    self._note(tracker, lines)
                    last = lines[-1].number if lines else 0
                    self._seen[tracker] = max(self._seen.get(tracker, 0), last, end)
        self._looked_at = time.monotonic()

    def _note(self, tracker: TrackerId, lines: Iterable[Told | Erased]) -> None:
        known = self.shoppers(tracker)
        acts: list[Act] = []
        for line in lines:
            if isinstance(line, Erased):
                known.note(acts)
                acts = []
                self._forget(tracker, known, line.user)
            elif (meaning := meaning_of(line.event.document)) is not None:
                acts += self._acts(line.event, meaning)
        known.note(acts)

    def _forget(self, tracker: TrackerId, known: Shoppers, user: str) -> None:
        """In this order: what is made of a shopper is made of what is known."""
        known.forget(user)
        if (shop := self._mirror.shop(tracker)) is not None:
            shop.recommenders.forget(user)

    def _acts(self, event: Event, meaning: Meaning) -> Iterator[Act]:
        kind = _KINDS.get(meaning.kind)
        if kind is None:
            return
        users = (event.client,) if event.customer is None else (event.client, event.customer)
        for line in meaning.lines:
            if kind != "view" or self._is_known(event.tracker, line.identity):
                for user in users:
                    yield Act(user, kind, line.identity, event.at, meaning.consent)

    def _is_known(self, tracker: TrackerId, identity: str) -> bool:
        shop = self._mirror.shop(tracker)
        return shop is not None and shop.snapshot.catalog.number(identity) is not None

    def _follow(self) -> None:
        away = False
        while not self._stopping.wait(RETRY_SECONDS if away else self._poll_seconds):
            try:
                if time.monotonic() - self._looked_at > BLIND_SECONDS_MAX:
                    self._begin_anew()
                self.look()
                if away:
                    away = False
                    log.info("store of events is back")
            except StoreUnavailable as problem:
                if not away:
                    away = True
                    log.warning("store of events is away", reason=str(problem.__cause__))
            except Exception as error:  # noqa: BLE001 - a follower that dies would forget in silence
                away = True
                log.error("activity failed to follow", exc_info=error)

    def _begin_anew(self) -> None:
        """Erasures may have come and gone meanwhile."""
        with self._lock:
            self._shoppers.clear()
            self._seen.clear()
            for shop in self._mirror.shops().values():
                shop.recommenders.forget_everybody()
        self.fill()
