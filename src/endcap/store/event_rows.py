"""
Events as rows and rows as events, and which numbers they get: what both adapters share.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from endcap.domain import Event, TrackerId
from endcap.store.events import Told
from endcap.store.rows import Row

Line = tuple[int, Event]


def numbered(
    events: Sequence[Event], heads: Mapping[TrackerId, int]
) -> tuple[list[Line], Mapping[TrackerId, tuple[int, int]]]:
    """
    Events with their numbers, in the order given, and the stretch of each tracker's numbers that they take.

    `heads` are the last numbers after the rows were bumped by as many as there are events.
    """
    counts = Counter(each.tracker for each in events)
    next_number = {tracker: heads[tracker] - count for tracker, count in counts.items()}
    ranges = {tracker: (before, heads[tracker]) for tracker, before in next_number.items()}
    lines: list[Line] = []
    for each in events:
        next_number[each.tracker] += 1
        lines.append((next_number[each.tracker], each))
    return lines, ranges


def event_row(number: int, event: Event) -> Row:
    return (
        event.tracker,
        number,
        event.id,
        event.type,
        event.client,
        event.customer,
        event.at,
        event.received_at,
        event.document,
    )


def read_told(row: Row) -> Told:
    return Told(row[0], Event(*row[1:]))
