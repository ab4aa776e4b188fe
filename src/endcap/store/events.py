"""
What the application asks of a database for shopper events: a port beside `port.Store`, for they are many and go soon.

Promised by every adapter, and held to by one contract suite:

* `append` is one transaction: when it returns, all is durable; when it raises, nothing happened. Of two events of a
  tracker with one id the first is kept, for as long as it is there.
* Every line has a number of its tracker's own. It comes from a row that the appending transaction bumps, so numbers
  are in the order of commits: who asks for lines after one that it has seen can miss none. Numbers may be left out,
  and none is given twice.
* An erasure is such a line too, so that followers learn of it between the events before and after it.
* A lease is held by one holder at a time, by the clocks of those who ask.

Events are not in the change feed of `port.Store`. With SQLite they are in a file of their own, because every commit to
the main one makes readers distrust their memory, and would queue with those of merchandisers.

An EventStore may be used from several threads at once. An unreachable or locked database raises StoreUnavailable.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from endcap.domain import Event, Micros, TrackerId

LINES_MAX = 5_000  # of one read: some 5 MB
SPAN = 20_000  # numbers that one statement looks at where all of them are looked at: well below a second
NAMES_MAX = 100


class Appended(Struct, frozen=True):
    """
    What an append did. `stored` tells for each event whether it was kept (False: its id is known). `spans` has for
    each tracker the numbers that this append alone was given: from the first, without, to the last, with.
    """

    stored: Sequence[bool]
    spans: Mapping[TrackerId, tuple[int, int]]


class Told(Struct, frozen=True):
    """An event by its number."""

    number: int
    event: Event


class Erased(Struct, frozen=True):
    """A shopper of whom nothing shall be known that was told before this number."""

    number: int
    user: str


def spans(first: int, last: int, span: int = SPAN) -> Iterator[tuple[int, int]]:
    """Cuts the numbers after `first`, up to and with `last`, into stretches."""
    for after in range(first, last, span):
        yield after, min(after + span, last)


def merged(events: Sequence[Told], erased: Sequence[Erased], *, limit: int) -> list[Told | Erased]:
    """Both in the order of their numbers. Either was cut at the limit by itself, so the two are cut together."""
    lines: list[Told | Erased] = [*events, *erased]
    lines.sort(key=lambda line: line.number)
    return lines[:limit]


class EventStore(Protocol):
    def migrate(self) -> Sequence[str]:
        """Brings the schema up to date, under a lock; returns the names of the migrations applied."""

    def close(self) -> None: ...

    def append(self, events: Sequence[Event]) -> Appended: ...

    def heads(self) -> Mapping[TrackerId, int]:
        """The last number of every tracker that was ever told anything: what followers poll."""

    def after(
        self, tracker: TrackerId, number: int, *, limit: int = LINES_MAX
    ) -> Sequence[Told | Erased]:
        """The lines after a number, in order."""

    def latest(self, tracker: TrackerId, *, limit: int) -> int:
        """The number after which the last `limit` events are, or fewer where there are fewer."""

    def count(self, tracker: TrackerId) -> int:
        """How many events are kept. Looks at all of them, a span at a time."""

    def discard(self, tracker: TrackerId, *, through: int, limit: int = LINES_MAX) -> int:
        """Deletes up to `limit` events, the oldest first, up to and with a number; how many there were."""

    def discard_erasures(self, tracker: TrackerId, *, before: Micros) -> None:
        """Erasures name shoppers, so they go when every follower has seen them."""

    def told_of(self, tracker: TrackerId, user: str) -> tuple[int, Sequence[str]]:
        """How many events are of a client or customer, and what else these call them (NAMES_MAX names at most)."""

    def erase(self, tracker: TrackerId, user: str, now: Micros) -> int:
        """
        Deletes all events of a client or customer and leaves an Erased line; how many there were. In several
        transactions, so that it holds nobody up; it may be repeated.
        """

    def take_lease(self, name: str, holder: str, *, now: Micros, until: Micros) -> bool:
        """Takes or renews a lease; False if another one holds it now."""

    def give_lease_back(self, name: str, holder: str) -> None: ...
