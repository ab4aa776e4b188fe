"""
What a commit looks up and writes in SQLite.

Every call into SQLite gives Python's lock away and has to win it back, a row fetched as well as a statement run, and
beside a busy event loop that costs more than the work. So writes go in as rows of one statement, and what a commit has
to look up comes back as one row. Measured beside a busy loop: 2.2 times as many commits.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain

import msgspec

from endcap.domain import (
    CatalogObject,
    CustomizationId,
    Draft,
    Field,
    FieldKind,
    ItemId,
    Micros,
    Record,
    TrackerId,
)
from endcap.store import rows, scripts
from endcap.store.rows import Row
from endcap.store.states import Job, ModelRow, TrackerRow
from endcap.store.transaction import (
    BATCH_NAMES_MAX,
    Names,
    ObjectKey,
    Present,
    RecordKey,
    Replay,
    ReplayKey,
)
from endcap.store.transaction_queries import TransactionQueries

ROWS_MAX = 64  # of one statement: more are hardly faster, and every size is a statement to keep

_sql = scripts.queries("sqlite")


class SqliteTransaction(TransactionQueries):
    """See `transaction.Transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def claim_trackers(self, trackers: Sequence[TrackerRow]) -> Collection[TrackerId]:
        values = [rows.tracker(each) for each in trackers]
        return {tracker for (tracker,) in self._write("claim_trackers", values)}

    def lock_trackers(self, trackers: Sequence[TrackerId]) -> Sequence[TrackerRow]:
        values = {"trackers": rows.json_text(trackers)}
        found = self._connection.execute(_sql["lock_trackers"], values).fetchall()
        return [rows.read_tracker(row) for row in found]

    def fetch_present(self, names: Names) -> Present:
        return Present(
            records=dict(self._present_records(names.records)),
            objects=dict(self._present_objects(names.objects)),
            replays=dict(self._present_replays(names.replays)),
            drafts=dict(self._present_drafts(names.drafts)),
            models={
                (tracker, row[0]): ModelRow(*row)
                for tracker in names.tables
                for row in self._connection.execute(_sql["fetch_models"], {"tracker": tracker})
            },
            fields={
                (tracker, row[0]): Field(*row)
                for (text,) in self._look_up("fetch_present_fields", names.fields)
                for tracker, row in _fields.decode(text)
            },
            jobs={
                (tracker, job.id): job
                for (text,) in self._look_up("fetch_present_jobs", names.jobs)
                for tracker, job in _jobs.decode(text)
            },
        )

    def save_trackers(self, trackers: Sequence[TrackerRow]) -> None:
        self._write("save_trackers", [rows.tracker(each) for each in trackers])

    def _present_records(self, keys: Sequence[RecordKey]) -> Iterator[tuple[RecordKey, Record]]:
        for text, documents, metadata in self._look_up("fetch_present_customizations", keys):
            cut_document, cut_metadata = _cutter(documents), _cutter(metadata)
            for (tracker, size, metadata_size), head, tail in _record_heads.decode(text):
                other = None if metadata_size is None else cut_metadata(metadata_size)
                yield (tracker, head[0]), Record(*head, cut_document(size), other, *tail)

    def _present_objects(
        self, keys: Sequence[ObjectKey]
    ) -> Iterator[tuple[ObjectKey, CatalogObject]]:
        for text, documents in self._look_up("fetch_present_objects", keys):
            cut = _cutter(documents)
            for (tracker, size), head in _object_heads.decode(text):
                yield (tracker, head[0]), CatalogObject(*head, cut(size))

    def _present_replays(self, keys: Sequence[ReplayKey]) -> Iterator[tuple[ReplayKey, Replay]]:
        for text, records in self._look_up("fetch_present_replays", keys):
            cut = _cutter(records)
            for (tracker, size), (key, fingerprint, created_at) in _replay_heads.decode(text):
                yield (tracker, key), Replay(fingerprint, created_at, rows.read_replayed(cut(size)))

    def _present_drafts(self, keys: Sequence[RecordKey]) -> Iterator[tuple[RecordKey, Draft]]:
        for start in range(0, len(keys), BATCH_NAMES_MAX):
            some = {"keys": rows.json_text(keys[start : start + BATCH_NAMES_MAX])}
            for row in self._connection.execute(_sql["fetch_present_drafts"], some):
                yield (row[0], row[1]), rows.read_draft(row[1:])

    def _look_up(self, query: str, keys: Sequence[tuple[str, str | int]]) -> Iterator[Row]:
        for start in range(0, len(keys), BATCH_NAMES_MAX):
            some = {"keys": rows.json_text(keys[start : start + BATCH_NAMES_MAX])}
            yield self._connection.execute(_sql[query], some).fetchone()

    def _write(self, query: str, values: Sequence[Row]) -> list[Row]:
        """As few statements as there are sets of ROWS_MAX rows; returns what they return."""
        answers: list[Row] = []
        for start in range(0, len(values), ROWS_MAX):
            some = values[start : start + ROWS_MAX]
            statement = _with_rows(query, count=len(some), width=len(some[0]))
            answers += self._connection.execute(statement, list(chain.from_iterable(some)))
        return answers

    def _execute(self, query: str, values: Mapping[str, object]) -> sqlite3.Cursor:
        return self._connection.execute(_sql[query], values)


# What SQLite says

_record_heads = msgspec.json.Decoder(
    list[
        tuple[
            tuple[TrackerId, int, int | None],
            tuple[CustomizationId, str, str, ItemId | None, tuple[str, ...]],
            tuple[str, Micros, Micros, int, bool],
        ]
    ]
)
_object_heads = msgspec.json.Decoder(
    list[tuple[tuple[TrackerId, int], tuple[ItemId, str, str | None]]]
)
_fields = msgspec.json.Decoder(list[tuple[TrackerId, tuple[str, FieldKind, ItemId, Micros]]])
_jobs = msgspec.json.Decoder(list[tuple[TrackerId, Job]])
_replay_heads = msgspec.json.Decoder(list[tuple[tuple[TrackerId, int], tuple[str, str, Micros]]])


def _cutter(joined: bytes | None) -> Callable[[int], bytes]:
    """Cuts documents that came end to end."""
    rest = memoryview(joined or b"")

    def cut(size: int) -> bytes:
        nonlocal rest
        piece, rest = rest[:size], rest[size:]
        return bytes(piece)

    return cut


# What SQLite is told


@cache
def _with_rows(query: str, *, count: int, width: int) -> str:
    row = f"({', '.join('?' * width)})"
    return _sql[query].replace("{rows}", ", ".join([row] * count))
