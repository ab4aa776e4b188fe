"""
Takes shoppers' events: judges their clocks, keeps them durably in groups, notes what they say.

An event is answered when its group is durable and this worker remembers what it says. What a page's clock says is
believed within bounds; an event outside of them is dropped and counted, as the vendor does.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from endcap.activity import Activity
from endcap.clock import Clock, system_clock
from endcap.config import Settings
from endcap.domain import Event, Micros, TrackerId
from endcap.grouping import Grouped
from endcap.store.events import EventStore
from endcap.wire.events import Meaning, Sent

_MICROS = 1_000_000
_DAY_SECONDS = 86_400
MILLISECONDS_FROM = 1e11  # as seconds the year 5138, as milliseconds 1973


class Outcome(StrEnum):
    """What became of an event. All but `stored` and `repeated` were dropped."""

    STORED = "stored"
    REPEATED = "repeated"
    TOO_OLD = "too_old"
    IN_THE_FUTURE = "in_the_future"
    UNKNOWN_TYPE = "unknown_type"


_Work = tuple[Event, Meaning]


class Recorder:
    """One thread that appends for everybody in this process."""

    def __init__(
        self,
        settings: Settings,
        events: EventStore,
        activity: Activity,
        *,
        clock: Clock = system_clock,
    ) -> None:
        self._ahead_micros_max = settings.events_ahead_seconds_max * _MICROS
        self._age_micros_max = settings.events_age_days_max * _DAY_SECONDS * _MICROS
        self._events = events
        self._activity = activity
        self._clock = clock
        self._grouped: Grouped[_Work, bool] = Grouped(self._append, name="recorder")
        self.start = self._grouped.start
        self.stop = self._grouped.stop
        self._counts: Counter[tuple[str, ...]] = Counter()

    def counts(self) -> Mapping[tuple[str, ...], int]:
        """(tracker, outcome) → events. `milliseconds` counts beside the others: clocks that were read as such."""
        return dict(self._counts)

    def count(self, tracker: TrackerId, outcome: str) -> None:
        self._counts[tracker, outcome] += 1

    async def record(self, tracker: TrackerId, sent: Sent, document: bytes) -> Outcome:
        """Durable and noted when it returns, unless it was dropped. Raises StoreUnavailable."""
        outcome = await self._recorded(tracker, sent, document)
        self.count(tracker, outcome)
        return outcome

    async def _recorded(self, tracker: TrackerId, sent: Sent, document: bytes) -> Outcome:
        if sent.meaning is None:
            return Outcome.UNKNOWN_TYPE
        now = self._clock()
        at = now if sent.timestamp is None else self._instant(tracker, sent.timestamp)
        if at > now + self._ahead_micros_max:
            return Outcome.IN_THE_FUTURE
        if at < now - self._age_micros_max:
            return Outcome.TOO_OLD
        event = Event(
            tracker,
            sent.id,
            sent.type,
            sent.client,
            sent.customer,
            min(at, now),
            now,
            document,
        )
        is_new = await self._grouped.done((event, sent.meaning))
        return Outcome.STORED if is_new else Outcome.REPEATED

    def _instant(self, tracker: TrackerId, timestamp: float) -> Micros:
        if timestamp >= MILLISECONDS_FROM:
            self.count(tracker, "milliseconds")
            timestamp /= 1_000
        return Micros(round(timestamp * _MICROS))

    def _append(self, works: Sequence[_Work]) -> Sequence[bool]:
        appended = self._events.append([event for event, _ in works])
        self._activity.absorb(works, appended)
        return appended.stored
