"""
Shopper events in a SQLite file of their own.

One connection writes, in the thread that asks; reads are made beside it and see what was committed last. Rows go in as
few statements as there are sets of ROWS_MAX, for the reason that `sqlite_transaction` gives.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

from endcap.domain import Event, Micros, TrackerId
from endcap.store import scripts
from endcap.store.event_rows import event_row, numbered, read_told
from endcap.store.events import (
    LINES_MAX,
    NAMES_MAX,
    SPAN,
    Appended,
    Erased,
    Told,
    merged,
    spans,
)
from endcap.store.rows import Row
from endcap.store.sqlite_file import PATIENCE_SECONDS, SqliteFile, migrate

ROWS_MAX = 64  # of one statement

_sql = scripts.queries("sqlite_events")


class SqliteEvents(SqliteFile):
    """See `events.EventStore`. The file and its folder are made when they are missing."""

    _name = "store of events"

    def __init__(
        self,
        path: Path | str,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        span: int = SPAN,
    ) -> None:
        super().__init__(path, patience_seconds=patience_seconds)
        self._span = span

    def migrate(self) -> Sequence[str]:
        with self._writing() as connection:
            return migrate(connection, "sqlite_events")

    def append(self, events: Sequence[Event]) -> Appended:
        if not events:
            return Appended((), {})
        with self._writing() as connection:
            heads = _bumped(connection, Counter(each.tracker for each in events))
            lines, ranges = numbered(events, heads)
            kept = set(_written(connection, "append_events", [event_row(*each) for each in lines]))
        return Appended([(each.tracker, number) in kept for number, each in lines], ranges)

    def heads(self) -> Mapping[TrackerId, int]:
        return dict(self._all(_sql["fetch_heads"], {}))

    def after(
        self, tracker: TrackerId, number: int, *, limit: int = LINES_MAX
    ) -> Sequence[Told | Erased]:
        values = {"tracker": tracker, "number": number, "limit": limit}
        with self._snapshot() as connection:
            events = connection.execute(_sql["fetch_events"], values).fetchall()
            erased = connection.execute(_sql["fetch_erasures"], values).fetchall()
        return merged(
            [read_told(row) for row in events], [Erased(*row) for row in erased], limit=limit
        )

    def latest(self, tracker: TrackerId, *, limit: int) -> int:
        ((oldest,),) = self._all(_sql["fetch_latest"], {"tracker": tracker, "limit": limit})
        return self._bounds(tracker)[1] if oldest is None else oldest - 1

    def count(self, tracker: TrackerId) -> int:
        total = 0
        for after, through in spans(*self._bounds(tracker), self._span):
            values = {"tracker": tracker, "after": after, "through": through}
            ((count,),) = self._all(_sql["count_events"], values)
            total += count
        return total

    def discard(self, tracker: TrackerId, *, through: int, limit: int = LINES_MAX) -> int:
        values = {"tracker": tracker, "through": through, "limit": limit}
        with self._writing() as connection:
            last, count = connection.execute(_sql["fetch_oldest"], values).fetchone()
            if count:
                connection.execute(_sql["discard_events"], {"tracker": tracker, "through": last})
        return int(count)

    def discard_erasures(self, tracker: TrackerId, *, before: Micros) -> None:
        with self._writing() as connection:
            connection.execute(_sql["discard_erasures"], {"tracker": tracker, "before": before})

    def told_of(self, tracker: TrackerId, user: str) -> tuple[int, Sequence[str]]:
        total = 0
        names: set[str] = set()
        for after, through in spans(*self._bounds(tracker), self._span):
            values = {"tracker": tracker, "user": user, "after": after, "through": through}
            for name, count in self._all(_sql["fetch_other_names"], values):
                total += count
                names |= {name} - {None}
        return total, sorted(names)[:NAMES_MAX]

    def erase(self, tracker: TrackerId, user: str, now: Micros) -> int:
        with self._writing() as connection:
            ((_, number),) = _bumped(connection, {tracker: 1}).items()
            values = {"tracker": tracker, "number": number, "user": user, "at": now}
            connection.execute(_sql["save_erasure"], values)
        total = 0
        for after, through in spans(self._bounds(tracker)[0], number, self._span):
            values = {"tracker": tracker, "user": user, "after": after, "through": through}
            with self._writing() as connection:
                total += connection.execute(_sql["erase_events"], values).rowcount
        return total

    def take_lease(self, name: str, holder: str, *, now: Micros, until: Micros) -> bool:
        values = {"name": name, "holder": holder, "now": now, "until": until}
        with self._writing() as connection:
            return bool(connection.execute(_sql["take_lease"], values).fetchall())

    def give_lease_back(self, name: str, holder: str) -> None:
        with self._writing() as connection:
            connection.execute(_sql["give_lease_back"], {"name": name, "holder": holder})

    def _bounds(self, tracker: TrackerId) -> tuple[int, int]:
        found = self._all(_sql["fetch_bounds"], {"tracker": tracker})
        return (found[0][0], found[0][1]) if found else (0, 0)


def _bumped(
    connection: sqlite3.Connection, counts: Mapping[TrackerId, int]
) -> Mapping[TrackerId, int]:
    """The last numbers, after room was made for some more."""
    return dict(_written(connection, "bump_heads", list(counts.items())))


def _written(connection: sqlite3.Connection, query: str, values: Sequence[Row]) -> list[Row]:
    answers: list[Row] = []
    for start in range(0, len(values), ROWS_MAX):
        some = values[start : start + ROWS_MAX]
        statement = _with_rows(query, count=len(some), width=len(some[0]))
        answers += connection.execute(statement, list(chain.from_iterable(some))).fetchall()
    return answers


@cache
def _with_rows(query: str, *, count: int, width: int) -> str:
    row = f"({', '.join('?' * width)})"
    return _sql[query].replace("{rows}", ", ".join([row] * count))
