"""
Writes customizations as they can be read again: a JSON array, JSON Lines, CSV with one row a pin, YAML, a spreadsheet,
or a folder with one file each.

What people sent is written, and nothing that the catalog would add: whatever is exported plans to no change.
"""

import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, assert_never

import msgspec
from msgspec import Struct

from endcap.domain import Micros, Record
from endcap.errors import UsageFault
from endcap.transfer.rules_yaml import yaml_document, yaml_list
from endcap.wire.customizations import CSV_COLUMNS, csv_rows, customization_json, one_line

ExportFormat = Literal["json", "ndjson", "csv", "yaml", "xlsx"]
FolderFormat = Literal["json", "yaml"]
CHUNK_BYTES = 1 << 20
NAME_CHARACTERS_MAX = 80  # of a file, before the id
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OURS = re.compile(r"-[0-9a-f]{8}(?:-[0-9a-f]{4}){0,3}(?:-[0-9a-f]{12})?\.(?:yaml|json)$")
"""How the names of files end that an export has written."""

Available = Callable[[Record], bool]


class Folder(Struct, frozen=True):
    """What was written to a folder: how many files, and how many of an earlier export were removed."""

    written: int
    removed: int


def export_records(
    records: Iterable[Record], format: ExportFormat, *, is_available: Available
) -> Iterator[bytes]:
    """
    A file, in chunks, of customizations as they were sent. Raises UsageFault where a spreadsheet cannot hold one.
    """
    if format == "yaml":
        return yaml_list(map(_portable, records))
    rendered = (
        customization_json(each, available=is_available(each), shown=None) for each in records
    )
    return export_customizations(rendered, format)


def export_customizations(customizations: Iterable[bytes], format: ExportFormat) -> Iterator[bytes]:
    """The same of customizations as GET gives them."""
    match format:
        case "json":
            return _as_array(customizations)
        case "ndjson":
            return (one_line(each) + b"\n" for each in customizations)
        case "csv":
            return _as_csv(customizations)
        case "yaml":
            return yaml_list(map(msgspec.json.decode, customizations))
        case "xlsx":
            return _as_sheet(customizations)
        case _:
            assert_never(format)


def export_folder(
    records: Iterable[Record], format: FolderFormat, folder: Path, *, replace: bool
) -> Folder:
    """
    One file a customization, named by what it is for and the beginning of its id. Files of an earlier export stand in
    the way, unless they shall be replaced: then those that are not written anew are removed. Other files stay.

    Raises UsageFault, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = {each.name for each in folder.iterdir() if _OURS.search(each.name)}
    if before and not replace:
        raise UsageFault(
            f"{folder} holds {len(before)} files of an earlier export: --replace renews them"
        )
    written: set[str] = set()
    for record in records:
        stem = _stem(record)
        name = f"{stem}-{record.id[:8]}.{format}"
        if name in written:
            name = f"{stem}-{record.id}.{format}"
        _write_whole(folder / name, _document(record, format))
        written.add(name)
    for name in before - written:
        (folder / name).unlink()
    return Folder(len(written), len(before - written))


def _portable(record: Record) -> dict[str, Any]:
    """
    What a file says of a customization: all that people said, which one it is, who made it and when. Not what changes
    by itself.
    """
    said: dict[str, Any] = {
        "id": record.id,
        "created_at": _moment(record.created_at),
        "creator": record.creator,
        **msgspec.json.decode(record.document),
    }
    if record.metadata is not None:
        said["target_metadata"] = msgspec.json.decode(record.metadata)
    if record.disabled:
        said["disabled"] = True
    return said


def _moment(at: Micros) -> str:
    """To the microsecond, for the newer customization wins between equals."""
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.isoformat().replace("+00:00", "Z")


def _document(record: Record, format: FolderFormat) -> bytes:
    said = _portable(record)
    if format == "yaml":
        return yaml_document(said)
    return msgspec.json.format(msgspec.json.encode(said), indent=2) + b"\n"


def _stem(record: Record) -> str:
    text = f"{record.model} {record.target_identity or record.target_type}".lower()
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:NAME_CHARACTERS_MAX].strip("-") or "rule"


def _write_whole(path: Path, content: bytes) -> None:
    """The new file or the one before, and never a part."""
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def _as_sheet(customizations: Iterable[bytes]) -> Iterator[bytes]:
    # Its library takes longer to import than most exports take.
    from endcap.transfer.rules_sheet import write_sheet  # noqa: PLC0415

    with tempfile.TemporaryFile() as file:
        write_sheet(customizations, file)
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _as_array(customizations: Iterable[bytes]) -> Iterator[bytes]:
    before = b"[\n"
    for each in customizations:
        yield before + one_line(each)
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _as_csv(customizations: Iterable[bytes]) -> Iterator[bytes]:
    yield _csv([CSV_COLUMNS])
    for each in customizations:
        yield _csv(csv_rows(each))


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
