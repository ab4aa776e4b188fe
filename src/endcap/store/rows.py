"""
Values as rows and rows as values, in the one spelling that both adapters share.

Lists (tags, sealed keys) are JSON texts: they are read and written whole, and arrays of arrays are no SQL. A row begins
with its tracker where it is written, and comes without where it is read. Columns stand in the order of the queries.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from endcap.domain import CatalogObject, Draft, Field, Micros, Record, TrackerId
from endcap.store.port import Touched
from endcap.store.states import Build, BuildRecord, ChangeRow, Job, ModelRow, TrackerRow
from endcap.store.transaction import Replay, ReplayKey

Row = tuple[Any, ...]

_tags = msgspec.json.Decoder(tuple[str, ...])
_keys = msgspec.json.Decoder(list[str])
_job = msgspec.json.Decoder(Job)
_replayed = msgspec.msgpack.Decoder(Record)
_build_record = msgspec.json.Decoder(BuildRecord)


def json_text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def saved(tracker: TrackerId, record: Record) -> Row:
    return (
        tracker,
        record.id,
        record.model,
        record.target_type,
        record.target_identity,
        json_text(record.tags),
        record.document,
        record.metadata,
        record.creator,
        record.created_at,
        record.updated_at,
        record.revision,
        record.disabled,
    )


def rewritten(tracker: TrackerId, record: Record) -> Row:
    return (
        tracker,
        record.id,
        json_text(record.tags),
        record.document,
        record.metadata,
        record.updated_at,
        record.revision,
        record.disabled,
    )


def read_record(row: Row) -> Record:
    id, model, target_type, identity, tags, *rest = row[:-1]  # noqa: A001 - a record's own word
    known = () if tags == "[]" else _tags.decode(tags)
    record = Record(id, model, target_type, identity, known, *rest)
    return replace(record, disabled=True) if row[-1] else record


def draft(tracker: TrackerId, each: Draft) -> Row:
    return (
        tracker,
        each.id,
        each.document,
        each.base,
        each.author,
        each.updated_at,
        each.revision,
        each.creator,
        each.created_at,
        each.publish_at,
        each.publisher,
        each.held,
    )


def read_draft(row: Row) -> Draft:
    return Draft(*row)


def read_touched(row: Row) -> Touched:
    """The customization's own columns are all empty where it is gone."""
    id, then, last, *columns = row  # noqa: A001 - likewise
    record = None if columns[0] is None else read_record(tuple(columns))
    return Touched(id, then, last, record)


def catalog_object(tracker: TrackerId, each: CatalogObject) -> Row:
    return (tracker, each.identity, each.type, each.generation, each.document)


def field(tracker: TrackerId, each: Field) -> Row:
    return (tracker, each.name, each.kind, each.identity, each.since)


def job(tracker: TrackerId, each: Job) -> Row:
    return (tracker, each.id, each.status, each.created_at, each.updated_at, json_text(each))


def read_job(state: str) -> Job:
    return _job.decode(state)


def replay(key: ReplayKey, known: Replay) -> Row:
    return (*key, known.fingerprint, known.created_at, msgspec.msgpack.encode(known.record))


def model(tracker: TrackerId, row: ModelRow) -> Row:
    return (tracker, row.name, row.document, row.updated_at, row.revision)


def read_replayed(packed: bytes) -> Record:
    return _replayed.decode(packed)


def change(tracker: TrackerId, ordinal: int, line: ChangeRow) -> Row:
    return (
        tracker,
        line.revision,
        ordinal,
        line.kind,
        line.subject,
        line.action,
        line.actor,
        line.at,
        line.old,
        line.new,
    )


def tracker(row: TrackerRow) -> Row:
    keys = json_text([key.hex() for key in row.sealed_keys])
    return (row.id, row.name, row.revision, keys, row.artifact, row.created_at)


def read_tracker(row: Row) -> TrackerRow:
    id, name, revision, sealed_keys, artifact, created_at = row  # noqa: A001 - likewise
    keys = tuple(bytes.fromhex(key) for key in _keys.decode(sealed_keys))
    return TrackerRow(id, name, revision, keys, artifact, created_at)


def read_build(row: Row) -> Build:
    tracker, holder, held_until, paused, record = row
    known = _build_record.decode(record)
    return Build(TrackerId(tracker), holder, Micros(held_until), bool(paused), known)


def build_claim(tracker: TrackerId, holder: str, now: Micros, until: Micros) -> dict[str, object]:
    fresh = json_text(BuildRecord())
    return {"tracker": tracker, "holder": holder, "now": now, "until": until, "record": fresh}


def build_kept(
    tracker: TrackerId, holder: str, record: BuildRecord, until: Micros | None
) -> dict[str, object]:
    kept = json_text(record)
    return {"tracker": tracker, "holder": holder, "record": kept, "until": until}


def build_paused(tracker: TrackerId, *, paused: bool) -> dict[str, object]:
    return {"tracker": tracker, "paused": int(paused), "record": json_text(BuildRecord())}
