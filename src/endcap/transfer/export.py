"""
Writes customizations as the import reads them: a JSON array, JSON Lines, or CSV with one row a pin.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, assert_never

from endcap.wire.customizations import CSV_COLUMNS, csv_rows, one_line

ExportFormat = Literal["json", "ndjson", "csv"]


def export_customizations(customizations: Iterable[bytes], format: ExportFormat) -> Iterator[bytes]:
    """The file, in chunks, of customizations as GET gives them."""
    match format:
        case "json":
            return _as_array(customizations)
        case "ndjson":
            return (one_line(each) + b"\n" for each in customizations)
        case "csv":
            return _as_csv(customizations)
        case _:
            assert_never(format)


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
