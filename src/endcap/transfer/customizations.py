"""
Imports customizations, as our export writes them: a JSON array, JSON Lines, or CSV with one row a pin.

What only the server may say (`id`, `created_at`, `creator`, `available`) is made anew, but the order is kept: where
every customization tells when it was made, the older come first, else the file's order counts. It decides which pin
wins between equals.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from endcap.domain import CustomizationId, Definition, Micros, TrackerId
from endcap.errors import Problem, UsageFault
from endcap.store.port import Store
from endcap.store.writes import Committed, CreateCustomization
from endcap.transfer.rows import (
    Faults,
    Format,
    Progress,
    Record,
    Unreadable,
    format_of,
    quietly,
    read_raw,
    read_rows,
)
from endcap.wire.customizations import PIN_FIELDS, read_definition
from endcap.wire.reading import UNREADABLE, instant

TABLE_ROWS_MAX = 2_000_000  # a table's customizations are put together in memory
_HEAD = (
    *("model", "target_type", "target_identity", "target_criteria", "tags", "target_metadata"),
    "disabled",
)
_AS_JSON = frozenset({"target_criteria", "target_metadata", "pin_criteria", "position"})
_FLAGS = frozenset({"disabled", "is_block_pin", "is_bundle_pin"})
_encode = msgspec.json.encode


class CustomizationRow(Struct, frozen=True):
    """
    One customization of a file, or the reason why it is none; `line` is where it begins. What only a server says is
    there as far as it was said: who moves customizations in keeps it, an import does not.
    """

    line: int
    definition: Definition | None
    fault: str = ""
    created_at: Micros | None = None
    id: str | None = None
    creator: str | None = None


class CustomizationsReport(Struct, frozen=True):
    """What an import did, or would do. `revision` is the tracker's after it; None for a dry run."""

    customizations: int
    pins: int
    models: Mapping[str, int]
    revision: int | None


def read_customizations(path: Path, *, progress: Progress = quietly) -> Iterator[CustomizationRow]:
    """The customizations of a file, in its order. Raises UsageFault for a file that cannot be read."""
    if format_of(path) is Format.CSV:
        bodies = bodies_of_table(read_rows(path, progress=progress))
        return (_row(line, raw) for line, raw in bodies)
    return (_row(line, raw) for line, raw in read_raw(path, progress=progress))


def import_customizations(
    store: Store,
    tracker: TrackerId,
    path: Path,
    *,
    creator: str,
    now: Micros,
    new_id: Callable[[], CustomizationId],
    dry_run: bool = False,
    progress: Progress = quietly,
) -> CustomizationsReport:
    """
    Creates all customizations of a file in one transaction, the last one made `now`, those before it a microsecond
    apart.

    Raises FaultyRows, with nothing stored; UsageFault; what the store refuses.
    """
    faults = Faults()
    rows: list[CustomizationRow] = []
    for row in read_customizations(path, progress=progress):
        if row.definition is None:
            faults.add(row.line, row.fault)
        else:
            rows.append(row)
    faults.refuse()
    if all(row.created_at is not None for row in rows):
        rows.sort(key=attrgetter("created_at"))
    definitions = [row.definition for row in rows if row.definition is not None]
    revision = None
    if definitions and not dry_run:
        progress("storing", 0, len(definitions))
        first = now - len(definitions) + 1
        revision = _stored(
            store,
            [
                CreateCustomization(tracker, new_id(), definition, creator, Micros(first + place))
                for place, definition in enumerate(definitions)
            ],
        )
        progress("storing", len(definitions), len(definitions))
    models = Counter(definition.model for definition in definitions)
    pins = sum(len(definition.pins) for definition in definitions)
    return CustomizationsReport(len(definitions), pins, dict(sorted(models.items())), revision)


def _stored(store: Store, writes: Sequence[CreateCustomization]) -> int:
    revision = 0
    for outcome in store.commit(writes):
        if not isinstance(outcome, Committed):
            raise outcome
        revision = outcome.revision
    return revision


def _row(line: int, raw: bytes | Unreadable) -> CustomizationRow:
    if isinstance(raw, Unreadable):
        return CustomizationRow(line, None, raw.reason)
    try:
        definition = read_definition(raw)
    except Problem as problem:
        return CustomizationRow(line, None, _reason(problem), id=_said(raw).id)
    said = _said(raw)
    created = None if said.created_at is None else instant(said.created_at)
    return CustomizationRow(
        line, definition, created_at=created, id=said.id, creator=said.creator or None
    )


class _Said(Struct):
    """What a server says of a customization."""

    id: str | None = None
    created_at: str | None = None
    creator: str | None = None


_SAID = msgspec.json.Decoder(_Said)


def _said(raw: bytes) -> _Said:
    """What can be read of it: these are nobody's faults."""
    try:
        return _SAID.decode(raw)
    except UNREADABLE:
        return _Said()


def _reason(problem: Problem) -> str:
    texts = [text for messages in problem.details.values() for text in messages]
    return "; ".join(texts) or problem.reason


class _Group:
    """The rows of one customization in a table."""

    def __init__(self, line: int, head: Record) -> None:
        self.line = line
        self.head = head
        self.pins: list[bytes] = []
        self.faults: list[str] = []


def bodies_of_table(
    rows: Iterable[tuple[int, Record | Unreadable]],
) -> Iterator[tuple[int, bytes | Unreadable]]:
    """
    A table's customizations as JSON, each with the line where it begins.

    Rows with one `id`, or else with one `name`, are one customization. Without either (a file written by hand) it is
    those that agree in all but their pins.
    """
    groups: dict[object, _Group] = {}
    for number, (line, record) in enumerate(rows):
        if number == TABLE_ROWS_MAX:
            raise UsageFault(f"A table may have at most {TABLE_ROWS_MAX:,} rows: make it JSON")
        if isinstance(record, Unreadable):
            yield line, record
            continue
        key = (
            record.get("id") or record.get("name") or tuple(record.get(column) for column in _HEAD)
        )
        group = groups.setdefault(key, _Group(line, record))
        group.faults += _disagreements(line, record, group)
        pin = {field: record[field] for field in PIN_FIELDS if field in record}
        try:
            if pin:
                group.pins.append(_object(pin))
        except _NotJson as fault:
            group.faults.append(f"line {line}: {fault}" if line != group.line else str(fault))
    for group in groups.values():
        yield _of_group(group)


def _disagreements(line: int, record: Record, group: _Group) -> Iterator[str]:
    """What a row says otherwise than the first of its customization. An empty cell says the same."""
    for column in _HEAD:
        if column in record and record[column] != group.head.get(column):
            yield f"line {line}: {column} is another one than in line {group.line}"


def _of_group(group: _Group) -> tuple[int, bytes | Unreadable]:
    said = (*_HEAD, "id", "name", "created_at", "creator")
    head = {column: group.head[column] for column in said if column in group.head}
    try:
        members = _object(head)
    except _NotJson as fault:
        group.faults.append(str(fault))
    if group.faults:
        return group.line, Unreadable("; ".join(group.faults))
    pins = b'"pin_definitions":[%b]' % b",".join(group.pins)
    return group.line, (members[:-1] + (b"," if head else b"") + pins + b"}")


class _NotJson(ValueError):
    """A cell that must hold JSON and does not."""


def _object(cells: Mapping[str, str]) -> bytes:
    """Cells as a JSON object: criteria as they are spelled, texts as texts."""
    return b"{%b}" % b",".join(
        b"%b:%b" % (_encode(name), _member(name, cell)) for name, cell in cells.items()
    )


def _member(name: str, cell: str) -> bytes:
    if name == "tags":
        return _encode(_tags(cell))
    if name in _FLAGS and cell.lower() in {"true", "false"}:
        return cell.lower().encode()  # spreadsheets write TRUE
    if name in _AS_JSON:
        try:
            msgspec.json.decode(cell)
        except UNREADABLE as error:
            raise _NotJson(f"{name}: must be JSON: {error}") from error
        return cell.encode()
    return _encode(cell)


def _tags(cell: str) -> Any:
    """As exported, a JSON list; as people write them, texts with commas between."""
    try:
        return msgspec.json.decode(cell, type=list[Any])
    except UNREADABLE:
        return [tag for part in cell.split(",") if (tag := part.strip())]
