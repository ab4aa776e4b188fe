"""
Customizations in a spreadsheet (XLSX): one row a pin in the first sheet, with the columns of our CSV.

A sheet is read cell by cell, within bounds on what its parts inflate to, on rows and on columns. Formulas are not
computed and not trusted to have been: a cell that holds one is a fault. What is written are texts, so that no program
takes `=1+1` or `007` for something else.
"""

import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils.exceptions import InvalidFileException

from endcap.errors import UsageFault
from endcap.transfer.rows import Progress, Record, Unreadable, quietly
from endcap.wire.customizations import CSV_COLUMNS, csv_rows

INFLATED_BYTES_MAX = 500_000_000  # some 200,000 pins
PARTS_MAX = 1_000
COLUMNS_MAX = 64  # ours are 21; people add some
CELL_CHARACTERS_MAX = 32_767  # of a cell, says the format
ROWS_MAX = 1_048_576  # of a sheet, says the format
_STRIDE = 1_000
_UNKEPT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
"""What a sheet's readers drop, refuse, or take for something else."""
_BROKEN = (
    zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError, IndexError, AttributeError,
    EOFError, OSError, NotImplementedError,
)  # fmt: skip

# It is told of styles and extensions that it leaves out; none of them is a customization.
warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")


class Sheet:
    """The first sheet of a file, open. `columns` are in its first row."""

    def __init__(self, path: Path, name: str, progress: Progress = quietly) -> None:
        """Raises UsageFault for what is no workbook, or too large a one."""
        self._name = name
        self._progress = progress
        _check_parts(path, name)
        self._file = path.open("rb")
        try:
            self._book = load_workbook(
                self._file, read_only=True, data_only=False, keep_links=False
            )
            sheets = self._book.worksheets
            self._rows: Any = iter(
                sheets[0].iter_rows(max_col=COLUMNS_MAX, max_row=ROWS_MAX) if sheets else ()
            )
            self._total = (sheets[0].max_row or 0) if sheets else 0
            first = next(self._rows, ())
        except _BROKEN as error:
            self._file.close()
            raise UsageFault(f"{name} is not a workbook that can be read: {error}") from error
        titles = [_text(cell.value) for cell in first]
        self._titles = titles
        self.columns: Sequence[str] = [title for title in titles if title]
        if repeated := sorted({each for each in self.columns if self.columns.count(each) > 1}):
            raise UsageFault(f"{name} has more than one column {', '.join(map(repr, repeated))}")

    def __enter__(self) -> "Sheet":
        return self

    def __exit__(self, *raised: object) -> None:
        self._book.close()
        self._file.close()

    def records(self) -> Iterator[tuple[int, Record | Unreadable]]:
        """The rows that hold anything, by their numbers. Raises UsageFault where the file breaks off."""
        number = 1
        try:
            for number, row in enumerate(self._rows, 2):
                if number % _STRIDE == 0:
                    self._progress("reading", number, max(self._total, number))
                record = self._record(row)
                if record:
                    yield number, record
        except _BROKEN as error:
            raise UsageFault(f"{self._name} cannot be read after row {number}: {error}") from error
        self._progress("reading", number, number)

    def _record(self, row: Iterable[Any]) -> Record | Unreadable:
        record: Record = {}
        for title, cell in zip(self._titles, row, strict=False):
            if cell.value is None or not title:
                continue
            if cell.data_type == "f":
                return Unreadable(
                    f"{title}: is a formula; put its value there (copy, then paste as values)"
                )
            if cell.data_type == "e":
                return Unreadable(f"{title}: is an error ({cell.value})")
            if text := _text(cell.value):
                record[title] = text
        return record


def write_sheet(customizations: Iterable[bytes], file: IO[bytes]) -> None:
    """Writes customizations as GET gives them. Raises UsageFault for what a sheet cannot hold."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("customizations")
    sheet.freeze_panes = "A2"
    rows = 1
    sheet.append(CSV_COLUMNS)
    try:
        for each in customizations:
            for row in csv_rows(each):
                rows += 1
                if rows > ROWS_MAX:
                    raise UsageFault(f"A sheet ends after {ROWS_MAX:,} rows: export csv, or json")
                sheet.append([_cell(sheet, text) for text in row])
    except UsageFault:
        sheet.close()
        sheet._writer.cleanup()  # its own temporary file, which it would keep until this process ends
        raise
    book.save(file)


def _cell(sheet: Any, text: str) -> Any:
    """A text cell. Texts that look like formulas or errors are said to be none; others are quicker so."""
    if not text:
        return None
    if len(text) > CELL_CHARACTERS_MAX or _UNKEPT.search(text):
        raise UsageFault(
            f"A cell of a sheet cannot hold {text[:40]!r} as it is ({len(text):,} characters): export csv, or json"
        )
    if text[0] not in "=#":
        return text
    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"
    return cell


def _check_parts(path: Path, name: str) -> None:
    """A reader inflates no part beyond the size that the directory tells, so their sum bounds the memory."""
    try:
        with zipfile.ZipFile(path) as parts:
            listed = parts.infolist()
            if len(listed) > PARTS_MAX:
                raise UsageFault(f"{name} has more than {PARTS_MAX:,} parts")
            inflated = sum(part.file_size for part in listed)
            if inflated > INFLATED_BYTES_MAX:
                raise UsageFault(
                    f"{name} inflates to {inflated:,} bytes, more than {INFLATED_BYTES_MAX:,}: export it as CSV"
                )
            for part in listed:
                _check_prolog(parts, part, name)
    except _BROKEN as error:
        raise UsageFault(f"{name} is not a workbook that can be read: {error}") from error


def _check_prolog(parts: zipfile.ZipFile, part: zipfile.ZipInfo, name: str) -> None:
    """No part of a workbook declares entities; what does was made to do harm."""
    if part.filename.endswith((".xml", ".rels")):
        with parts.open(part) as file:
            if b"<!DOCTYPE" in file.read(4_096).replace(b"\x00", b""):
                raise UsageFault(f"{name} declares a document type; no workbook does")


def _text(value: Any) -> str:
    """A cell as people see it: whole numbers without a point, moments in ISO 8601."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)
