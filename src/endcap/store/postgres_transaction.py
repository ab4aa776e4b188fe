"""
What a commit looks up and writes in PostgreSQL, in the pipeline that `postgres_pool` opens; and who is told of it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256

import psycopg

from endcap.domain import CatalogObject, Field, TrackerId
from endcap.store import rows, scripts
from endcap.store.postgres_pool import Connection, columns
from endcap.store.rows import Row
from endcap.store.states import ModelRow, TrackerRow
from endcap.store.transaction import BATCH_NAMES_MAX, Names, ObjectKey, Present, Replay
from endcap.store.transaction_queries import TransactionQueries

INDEXED_CHARACTERS_MAX = 250  # of an identity in an index, whose entries end at 2,700 bytes
CHANNEL = "endcap"

_sql = scripts.queries("postgres")


def object_key(identity: str) -> str:
    """What an object is found by: its identity, if that fits into an index."""
    if len(identity) <= INDEXED_CHARACTERS_MAX:
        return identity
    return f"sha256:{sha256(identity.encode()).hexdigest()}"


def _row_of(tracker: TrackerId, each: CatalogObject) -> Row:
    _, *rest = rows.catalog_object(tracker, each)
    return (tracker, object_key(each.identity), *rest)


class PostgresTransaction(TransactionQueries):
    """See `transaction.Transaction`."""

    _object_row = staticmethod(_row_of)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rows_written = 0

    def claim_trackers(self, trackers: Sequence[TrackerRow]) -> Collection[TrackerId]:
        values = [rows.tracker(each) for each in trackers]
        found = self._connection.execute(_sql["claim_trackers"], columns(values)).fetchall()
        return {tracker for (tracker,) in found}

    def lock_trackers(self, trackers: Sequence[TrackerId]) -> Sequence[TrackerRow]:
        found = self._connection.execute(_sql["lock_trackers"], {"trackers": list(trackers)})
        return [rows.read_tracker(row) for row in found.fetchall()]

    def fetch_present(self, names: Names) -> Present:
        objects = self._object_keys(names.objects) if names.objects else ()
        return Present(
            records={
                (row[0], row[1]): rows.read_record(row[1:])
                for row in self._look_up("fetch_present_customizations", names.records)
            },
            objects={
                (row[0], row[1]): CatalogObject(*row[1:])
                for row in self._look_up("fetch_present_objects", objects)
            },
            replays={
                (tracker, key): Replay(fingerprint, created_at, rows.read_replayed(packed))
                for tracker, key, fingerprint, created_at, packed in self._look_up(
                    "fetch_present_replays", names.replays
                )
            },
            drafts={
                (row[0], row[1]): rows.read_draft(row[1:])
                for row in self._look_up("fetch_present_drafts", names.drafts)
            },
            models={
                (tracker, row[0]): ModelRow(*row)
                for tracker in names.tables
                for row in self._connection.execute(
                    _sql["fetch_models"], {"tracker": tracker}, binary=True
                ).fetchall()
            },
            fields={
                (row[0], row[1]): Field(*row[1:])
                for row in self._look_up("fetch_present_fields", names.fields)
            },
            jobs={
                (tracker, (job := rows.read_job(state)).id): job
                for tracker, state in self._look_up("fetch_present_jobs", names.jobs)
            },
        )

    def save_trackers(self, trackers: Sequence[TrackerRow]) -> None:
        self._write("save_trackers", [rows.tracker(each) for each in trackers])
        for each in trackers:
            self._connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, each.id))

    def _look_up(self, query: str, keys: Sequence[tuple[str, str | int]]) -> Iterator[Row]:
        for start in range(0, len(keys), BATCH_NAMES_MAX):
            some = columns(keys[start : start + BATCH_NAMES_MAX])
            yield from self._connection.execute(_sql[query], some, binary=True).fetchall()

    def _write(self, query: str, values: Sequence[Row]) -> None:
        if values:
            self.rows_written += len(values)
            self._connection.execute(_sql[query], columns(values))

    def _execute(self, query: str, values: Mapping[str, object]) -> psycopg.Cursor[Row]:
        return self._connection.execute(_sql[query], values)

    def _object_keys(self, keys: Sequence[ObjectKey]) -> Sequence[Row]:
        return [(tracker, object_key(identity)) for tracker, identity in keys]
