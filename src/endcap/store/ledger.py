"""
What a commit carries from write to write: rows under those written since, revisions spent, outcomes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec.structs import replace

from endcap.domain import TrackerId
from endcap.store.states import TrackerRow
from endcap.store.writes import Committed, Outcome

K = TypeVar("K")
V = TypeVar("V")


class Overlay(Generic[K, V]):
    """Present rows under those written since."""

    def __init__(self, present: Mapping[K, V]) -> None:
        self.present = present
        self.written: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        return self.written[key] if key in self.written else self.present.get(key)

    def put(self, key: K, row: V) -> None:
        self.written[key] = row

    def drop(self, key: K) -> None:
        self.written[key] = None

    def puts(self) -> Iterator[tuple[K, V]]:
        return ((key, row) for key, row in self.written.items() if row is not None)

    def drops(self) -> list[K]:
        return [key for key, row in self.written.items() if row is None and key in self.present]


class Ledger:
    """What a commit carries from batch to batch: its trackers, the revisions it spends, its outcomes."""

    def __init__(self, trackers: Mapping[TrackerId, TrackerRow], *, size: int) -> None:
        self.trackers = Overlay(trackers)
        self._outcomes: list[Outcome | None] = [None] * size
        self._spender = -1  # the write that the last revision was spent on
        self._spent = 0
        self._ordinal = -1  # of the last line in the log at that revision

    @property
    def outcomes(self) -> Sequence[Outcome]:
        return [outcome for outcome in self._outcomes if outcome is not None]

    @property
    def changed_trackers(self) -> Sequence[TrackerRow]:
        return [row for _, row in self.trackers.puts()]

    def spend(self, index: int, tracker: TrackerRow) -> int:
        """The revision of a write that changes something: one more than the last, once a write."""
        if self._spender != index:
            self._spender = index
            self._spent = tracker.revision + 1
            self._ordinal = -1
            self.trackers.put(tracker.id, replace(tracker, revision=self._spent))
        return self._spent

    def revision(self, tracker: TrackerRow) -> int:
        """The tracker's, as far as the commit has come."""
        row = self.trackers.get(tracker.id)
        return tracker.revision if row is None else row.revision

    def next_ordinal(self) -> int:
        self._ordinal += 1
        return self._ordinal

    def settle(self, index: int, outcome: Outcome) -> None:
        """A slice's outcome joins those of the slices before it."""
        before = self._outcomes[index]
        if isinstance(before, Committed) and isinstance(outcome, Committed) and before.faults:
            outcome = replace(outcome, faults={**before.faults, **outcome.faults})
        self._outcomes[index] = outcome
