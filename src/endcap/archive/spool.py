"""
Events on their way from the store to Parquet: as lines of JSON, with what they mean, then as one file of columns.

The same for the archive and for builds, which read what is not archived yet: there is one meaning of the columns.
"""

from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from endcap.recommend.database import Connection, literally
from endcap.store.events import Told
from endcap.wire.events import Line, Meaning, meaning_of

UNKNOWN = "unknown"
"""The kind of an event that is not understood any more: it is kept, and means nothing."""

_encode = msgspec.json.Encoder().encode_into


class _Line(Struct):
    number: int
    id: str
    type: str
    client_id: str
    customer_id: str | None
    created_at: int
    received_at: int
    kind: str
    order_id: str | None
    items: Sequence[Line]
    document: str


def spool(lines: Iterable[Told], file: IO[bytes]) -> int:
    """Writes events as lines; how many."""
    count = 0
    buffer = bytearray()
    for told in lines:
        _encode(_line(told), buffer)
        file.write(buffer)
        file.write(b"\n")
        count += 1
    return count


def _line(told: Told) -> _Line:
    event = told.event
    meaning: Meaning | None = meaning_of(event.document)
    return _Line(
        told.number,
        event.id,
        event.type,
        event.client,
        event.customer,
        event.at,
        event.received_at,
        UNKNOWN if meaning is None else meaning.kind,
        None if meaning is None else meaning.order,
        () if meaning is None else meaning.lines,
        event.document.decode(errors="replace"),
    )


def columns_of(spooled: Path) -> str:
    """A relation of spooled events, with a part's columns."""
    return f"({statement('part').format(source=_text(spooled))})"


def part_of(path: Path) -> str:
    """A relation of a part's events."""
    return f"read_parquet({_text(path)}, hive_partitioning = false)"


def _text(path: Path) -> str:
    """A path in SQL."""
    return "'" + literally(path).replace("'", "''") + "'"


def write_part(connection: Connection, relation: str, out: Path) -> int:
    """Writes a relation of events to a Parquet file, in order of their numbers; how many rows it is read back with."""
    connection.execute(
        f"COPY (SELECT * FROM {relation} ORDER BY number) TO $1 (FORMAT parquet, COMPRESSION zstd)",
        [str(out)],
    )
    counted = connection.execute("SELECT count(*) FROM read_parquet($1)", [literally(out)])
    ((rows,),) = counted.fetchall()
    return int(rows)


def statement(name: str) -> str:
    """The text of one SQL file."""
    return resources.files("endcap.archive").joinpath("sql", f"{name}.sql").read_text()
