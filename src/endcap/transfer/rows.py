"""
Reads JSON Lines, JSON arrays, CSV and Parquet, also gzipped, into numbered records.

The format is told by content, not by name. An answer of the API that was saved to a file (`{"results": […]}`,
`{"objects": […]}`) is read like the array in it. A line's number is the file's own in JSON Lines and CSV (where a
record begins), the element's in an array, the row's in Parquet; all count from 1. A line that cannot be read is an
`Unreadable` in its place, so that one pass over a file finds every fault.
"""

import csv
import gzip
import io
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, cast
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from endcap.errors import FaultyRows, UsageFault
from endcap.recommend.database import database, literally
from endcap.wire.reading import UNREADABLE

LINE_BYTES_MAX = (
    10_000_000  # as much as the largest catalog body; what is longer is not made of lines
)
ARRAY_BYTES_MAX = 1_000_000_000  # an array is held whole; JSON Lines are not, and have no bound
FAULTS_NAMED_MAX = 20  # enough to see the pattern; the total is given with them
DELIMITERS = (",", ";", "\t", "|")
_HEAD_BYTES = 4_096
_BATCH = 5_000
_STRIDE = 1_000  # records between two reports of progress
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"

Record = dict[str, Any]
Progress = Callable[[str, int, int], None]
"""(step, done, total), in whatever the step counts; total 0: nobody knows."""


class Format(StrEnum):
    JSON_LINES = "JSON Lines"
    JSON_ARRAY = "JSON array"
    ANSWER = "a saved answer"
    CSV = "CSV"
    PARQUET = "Parquet"


class _Answer(Struct):
    """What the API answers lists and exports with."""

    results: list[Raw] | None = None
    objects: list[Raw] | None = None


class Unreadable(Struct, frozen=True):
    """Why a line is no record."""

    reason: str


class Faults:
    """Faulty rows: the first by line, and how many in all."""

    def __init__(self, unit: str = "line") -> None:
        self.first: dict[int, str] = {}
        self.total = 0
        self.unit = unit
        """What the numbers count."""

    def add(self, line: int, reason: str) -> None:
        self.total += 1
        if len(self.first) < FAULTS_NAMED_MAX:
            self.first[line] = reason

    def refuse(self) -> None:
        """Raises FaultyRows if there is any."""
        if self.total:
            raise FaultyRows(self.first, total=self.total, unit=self.unit)


def quietly(step: str, done: int, total: int) -> None:
    """Progress for those who do not ask."""


def format_of(path: Path) -> Format:
    """Raises UsageFault if there is no such file, or nothing in it."""
    with Source(path) as source:
        head = source.file.read(_HEAD_BYTES).removeprefix(_BOM).lstrip()
        first, _, rest = (head + source.file.readline(LINE_BYTES_MAX)).partition(b"\n")
        is_one_line = not (rest + source.file.read(_HEAD_BYTES)).strip()
    if not head:
        raise UsageFault(f"{path} is empty")
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    if head.startswith(b"["):
        return Format.JSON_ARRAY
    if head.startswith(b"{"):
        is_answer = first.strip() == b"{" or (is_one_line and _listed(first) is not None)
        return Format.ANSWER if is_answer else Format.JSON_LINES
    return Format.CSV


def head_of(path: Path) -> bytes:
    """How a file begins, inflated, without a mark of UTF-8. Raises UsageFault."""
    with Source(path) as source:
        return source.file.read(_HEAD_BYTES).removeprefix(_BOM).lstrip()


def _listed(content: bytes) -> list[Raw] | None:
    """The elements of an answer; None if it is none."""
    try:
        answer = msgspec.json.decode(content, type=_Answer)
    except UNREADABLE:
        return None
    return answer.objects if answer.results is None else answer.results


def is_gzipped(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def read_rows(
    path: Path, *, columns: Sequence[str] | None = None, progress: Progress = quietly
) -> Iterator[tuple[int, Record | Unreadable]]:
    """
    The records of a file. `columns` names the columns of a CSV that has no header.

    Raises UsageFault if the file as a whole cannot be read.
    """
    match format_of(path):
        case Format.CSV:
            return _csv_rows(path, columns, progress)
        case Format.PARQUET:
            return _parquet_rows(path, progress)
        case Format.JSON_LINES | Format.JSON_ARRAY | Format.ANSWER:
            return (
                (line, raw if isinstance(raw, Unreadable) else _record(raw))
                for line, raw in read_raw(path, progress=progress)
            )


def read_raw(
    path: Path, *, progress: Progress = quietly
) -> Iterator[tuple[int, bytes | Unreadable]]:
    """The records of a JSON file as they are spelled. Raises UsageFault for another format."""
    match format_of(path):
        case Format.JSON_LINES:
            return _json_lines(path, progress)
        case Format.JSON_ARRAY | Format.ANSWER:
            return _json_array(path, progress)
        case other:
            raise UsageFault(f"{path} is {other}; it must be JSON here")


class Source:
    """An open file, inflated as it is read, that tells how far it was read, in bytes on the disk."""

    def __init__(self, path: Path, progress: Progress = quietly) -> None:
        try:
            self._raw = path.open("rb")
            gzipped = is_gzipped(path)
            self._total = path.stat().st_size
        except OSError as error:
            raise UsageFault(f"{path} cannot be read: {error.strerror}") from error
        self.file = cast(IO[bytes], gzip.GzipFile(fileobj=self._raw)) if gzipped else self._raw
        self._path = path
        self._progress = progress
        self._count = 0

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._raw.close()
        if isinstance(error, EOFError | OSError | zlib.error):
            raise UsageFault(f"{self._path} cannot be read: {error}") from error
        if error is None:
            self._progress("reading", self._total, self._total)

    def step(self) -> None:
        self._count += 1
        if self._count % _STRIDE == 0:
            self._progress("reading", self._raw.tell(), self._total)


def _json_lines(path: Path, progress: Progress) -> Iterator[tuple[int, bytes | Unreadable]]:
    with Source(path, progress) as source:
        lines = iter(lambda: source.file.readline(LINE_BYTES_MAX), b"")
        for number, line in enumerate(lines, 1):
            if len(line) == LINE_BYTES_MAX:
                raise UsageFault(f"Line {number} of {path} has more than {LINE_BYTES_MAX} bytes")
            source.step()
            text = (line.removeprefix(_BOM) if number == 1 else line).strip()
            if text:
                yield number, text


def _json_array(path: Path, progress: Progress) -> Iterator[tuple[int, bytes | Unreadable]]:
    content = read_whole(path, progress=progress)
    for number, element in enumerate(_elements(path, content), 1):
        yield number, bytes(element)


def read_whole(path: Path, *, progress: Progress = quietly) -> bytes:
    """A JSON file as one value. Raises UsageFault."""
    with Source(path, progress) as source:
        content = source.file.read(ARRAY_BYTES_MAX + 1)
        if len(content) > ARRAY_BYTES_MAX:
            raise UsageFault(f"{path} is too large for one array: make it JSON Lines")
        return content.removeprefix(_BOM)


def _elements(path: Path, content: bytes) -> list[Raw]:
    if (listed := _listed(content)) is not None:
        return listed
    try:
        return msgspec.json.decode(content, type=list[Raw])
    except UNREADABLE as error:
        raise UsageFault(f"{path} is not a JSON array: {error}") from error


def _record(raw: bytes) -> Record | Unreadable:
    try:
        return msgspec.json.decode(raw, type=Record)
    except UNREADABLE as error:
        return Unreadable(f"must be a JSON object: {error}")


class Header(Struct, frozen=True):
    """How a CSV file is laid out. `lines` is 1 where it names its columns, else 0."""

    columns: tuple[str, ...]
    delimiter: str
    lines: int


def csv_header(path: Path, columns: Sequence[str] | None = None) -> Header:
    """The layout of a CSV file; its delimiter is the one that its first line has most of. Raises UsageFault."""
    with Source(path) as source:
        first = source.file.readline(LINE_BYTES_MAX).removeprefix(_BOM)
    try:
        line = first.decode()
    except UnicodeDecodeError as error:
        raise UsageFault(f"{path} is not UTF-8: {error}") from error
    delimiter = max(DELIMITERS, key=lambda each: len(next(csv.reader([line], delimiter=each), [])))
    if columns is not None:
        return Header(tuple(columns), delimiter, 0)
    names = tuple(name.strip() for name in next(csv.reader([line], delimiter=delimiter), []))
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise UsageFault(f"{path} has more than one column {', '.join(map(repr, repeated))}")
    return Header(names, delimiter, 1)


def _csv_rows(
    path: Path, columns: Sequence[str] | None, progress: Progress
) -> Iterator[tuple[int, Record | Unreadable]]:
    header = csv_header(path, columns)
    csv.field_size_limit(LINE_BYTES_MAX)
    with Source(path, progress) as source:
        text = io.TextIOWrapper(source.file, encoding="utf-8-sig", newline="")
        reader = csv.reader(text, delimiter=header.delimiter, strict=True)
        begins = 1
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield begins, Unreadable(f"is not CSV: {error}")
                begins = reader.line_num + 1
                continue
            except UnicodeDecodeError as error:
                raise UsageFault(f"{path} is not UTF-8 after line {begins}: {error}") from error
            if cells is None:
                break
            source.step()
            if cells and begins > header.lines:
                yield begins, _cells(header.columns, cells)
            begins = reader.line_num + 1


def _cells(columns: Sequence[str], cells: Sequence[str]) -> Record | Unreadable:
    """Empty cells are left out: CSV has no other way to say nothing."""
    if len(cells) != len(columns):
        return Unreadable(f"has {len(cells)} cells, but there are {len(columns)} columns")
    return {name: cell for name, cell in zip(columns, cells, strict=True) if cell}


def _parquet_rows(path: Path, progress: Progress) -> Iterator[tuple[int, Record | Unreadable]]:
    number = 0
    with database(Path(tempfile.gettempdir()), f"{path} cannot be read") as connection:
        source = [literally(path)]
        (total,) = connection.execute("SELECT count(*) FROM read_parquet($1)", source).fetchall()[0]
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet($1)", source).fetchall()
        names = [name for name, *_ in described]
        wanted = ", ".join(_readable(name, kind) for name, kind, *_ in described)
        rows = connection.execute(f"SELECT {wanted} FROM read_parquet($1)", source)
        while batch := rows.fetchmany(_BATCH):
            for row in batch:
                number += 1
                yield (
                    number,
                    {
                        name: _plain(value)
                        for name, value in zip(names, row, strict=True)
                        if value is not None
                    },
                )
            progress("reading", number, total)


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _readable(name: str, kind: str) -> str:
    """A column as Python can fetch it: instants with a zone need a library that we do without."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"CAST({quoted(name)} AS TIMESTAMP) AS {quoted(name)}"
    return quoted(name)


def _plain(value: Any) -> Any:
    """A Parquet value as JSON would have it."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case float() if value != value:
            return None
        case list() | tuple():
            return [_plain(each) for each in value]
        case dict():
            return {str(key): _plain(each) for key, each in value.items()}
        case bytes() | UUID() | timedelta():
            return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        case _:
            return value
