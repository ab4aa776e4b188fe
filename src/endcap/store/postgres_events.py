"""
Shopper events in PostgreSQL.

Whoever appends first bumps the head rows of the trackers, in order of their ids, and holds them until the commit: so
numbers are in the order of commits, and no two wait in a circle.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from endcap.domain import Event, Micros, TrackerId
from endcap.store import scripts
from endcap.store.event_rows import event_row, numbered, read_told
from endcap.store.events import LINES_MAX, NAMES_MAX, SPAN, Appended, Erased, Told, merged, spans
from endcap.store.postgres_pool import Connection, PostgresPool, columns

CONNECTIONS_MAX = 2  # one appends, one reads

_sql = scripts.queries("postgres_events")


class PostgresEvents(PostgresPool):
    """See `events.EventStore`. The tables are made by the migrations of the store in the same database."""

    def __init__(
        self, url: str, *, connections_max: int = CONNECTIONS_MAX, span: int = SPAN
    ) -> None:
        super().__init__(url, connections_max=connections_max)
        self._span = span

    def close(self) -> None:
        """Readers and writers under way close what they hold."""
        self._closed = True
        self._drop_idle()

    def append(self, events: Sequence[Event]) -> Appended:
        if not events:
            return Appended((), {})

        def work(connection: Connection) -> Appended:
            heads = _bumped(connection, Counter(each.tracker for each in events))
            lines, ranges = numbered(events, heads)
            rows = columns([event_row(*each) for each in lines])
            kept = set(connection.execute(_sql["append_events"], rows).fetchall())
            return Appended([(each.tracker, number) in kept for number, each in lines], ranges)

        return self._committed(work)

    def heads(self) -> Mapping[TrackerId, int]:
        return dict(self._fetched(_sql["fetch_heads"], {}))

    def after(
        self, tracker: TrackerId, number: int, *, limit: int = LINES_MAX
    ) -> Sequence[Told | Erased]:
        values = {"tracker": tracker, "number": number, "limit": limit}
        with self._snapshot() as connection:
            events = connection.execute(_sql["fetch_events"], values, binary=True).fetchall()
            erased = connection.execute(_sql["fetch_erasures"], values).fetchall()
        return merged(
            [read_told(row) for row in events], [Erased(*row) for row in erased], limit=limit
        )

    def latest(self, tracker: TrackerId, *, limit: int) -> int:
        ((oldest,),) = self._fetched(_sql["fetch_latest"], {"tracker": tracker, "limit": limit})
        return self._bounds(tracker)[1] if oldest is None else oldest - 1

    def count(self, tracker: TrackerId) -> int:
        total = 0
        for after, through in spans(*self._bounds(tracker), self._span):
            values = {"tracker": tracker, "after": after, "through": through}
            ((count,),) = self._fetched(_sql["count_events"], values)
            total += count
        return total

    def discard(self, tracker: TrackerId, *, through: int, limit: int = LINES_MAX) -> int:
        values = {"tracker": tracker, "through": through, "limit": limit}

        def work(connection: Connection) -> int:
            ((last, count),) = connection.execute(_sql["fetch_oldest"], values).fetchall()
            if count:
                connection.execute(_sql["discard_events"], {"tracker": tracker, "through": last})
            return int(count)

        return self._committed(work)

    def discard_erasures(self, tracker: TrackerId, *, before: Micros) -> None:
        values = {"tracker": tracker, "before": before}
        self._committed(lambda each: each.execute(_sql["discard_erasures"], values))

    def told_of(self, tracker: TrackerId, user: str) -> tuple[int, Sequence[str]]:
        total = 0
        names: set[str] = set()
        for after, through in spans(*self._bounds(tracker), self._span):
            values = {"tracker": tracker, "user": user, "after": after, "through": through}
            for name, count in self._fetched(_sql["fetch_other_names"], values):
                total += count
                names |= {name} - {None}
        return total, sorted(names)[:NAMES_MAX]

    def erase(self, tracker: TrackerId, user: str, now: Micros) -> int:
        def leave(connection: Connection) -> int:
            ((_, number),) = _bumped(connection, {tracker: 1}).items()
            values = {"tracker": tracker, "number": number, "user": user, "at": now}
            connection.execute(_sql["save_erasure"], values)
            return number

        number = self._committed(leave)
        total = 0
        for after, through in spans(self._bounds(tracker)[0], number, self._span):
            total += self._erase_among(tracker, user, after, through)
        return total

    def _erase_among(self, tracker: TrackerId, user: str, after: int, through: int) -> int:
        values = {"tracker": tracker, "user": user, "after": after, "through": through}
        with self._borrowed() as connection:
            return connection.execute(_sql["erase_events"], values).rowcount

    def take_lease(self, name: str, holder: str, *, now: Micros, until: Micros) -> bool:
        values = {"name": name, "holder": holder, "now": now, "until": until}
        return bool(self._fetched(_sql["take_lease"], values))

    def give_lease_back(self, name: str, holder: str) -> None:
        values = {"name": name, "holder": holder}
        self._committed(lambda each: each.execute(_sql["give_lease_back"], values))

    def _bounds(self, tracker: TrackerId) -> tuple[int, int]:
        found = self._fetched(_sql["fetch_bounds"], {"tracker": tracker})
        return (found[0][0], found[0][1]) if found else (0, 0)


def _bumped(connection: Connection, counts: Mapping[TrackerId, int]) -> Mapping[TrackerId, int]:
    """The last numbers, after room was made for some more."""
    found = connection.execute(_sql["bump_heads"], columns(list(counts.items())))
    return dict(found.fetchall())
