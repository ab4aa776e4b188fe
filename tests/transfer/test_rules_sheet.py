"""
Spreadsheets: what a cell may hold, and files that were made to do harm.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from endcap.errors import UsageFault
from endcap.transfer import rules_sheet
from endcap.transfer.export import export_customizations
from endcap.transfer.rules import Entry, RulesFormat, read_content
from tests.planning.rules import pin, rule, workbook

HEAD = ["name", "model", "target_type", "position", "pin_type", "pin_identity"]
ROW = ["a", "basket", "all", 1, "item", "/p/1"]


def read(content: bytes) -> list[Entry]:
    return list(read_content(content, RulesFormat.XLSX, name="rules.xlsx"))


def sheet_of(body: dict[str, Any]) -> bytes:
    whole = {"id": "1", "creator": "api", "available": True, **body}
    return b"".join(export_customizations([json.dumps(whole).encode()], "xlsx"))


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """The same workbook with another part."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for each in old.infolist():
            if each.filename != name:
                new.writestr(each, old.read(each))
        new.writestr(name, part, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def test_a_formula_is_a_fault_with_its_row() -> None:
    """What it would come to depends on who computes it."""
    made = workbook(HEAD, ROW, ["b", *ROW[1:4], "item", '="/p/"&1'])

    good, bad = sorted(read(made), key=lambda entry: entry.where)

    assert good.faults == ()
    assert bad.where == "rules.xlsx:3"
    assert bad.faults[0].startswith("pin_identity: is a formula")


def test_an_error_of_the_sheet_is_a_fault() -> None:
    """It is no text."""
    (entry,) = read(workbook(HEAD, ["a", "#N/A", *ROW[2:]]))

    assert entry.faults == ("model: is an error (#N/A)",)


def test_empty_rows_and_columns_are_passed_by() -> None:
    """Rows keep their numbers."""
    made = workbook([None, *HEAD], [], [None, *ROW], [None] * 7, [None, "b", *ROW[1:]])

    assert [entry.where for entry in read(made)] == ["rules.xlsx:3", "rules.xlsx:5"]


def test_texts_stay_texts() -> None:
    """No program that opens it takes an identity for a formula, or for a number."""
    made = sheet_of(rule(pin_definitions=[pin("=1+1"), pin("007", 2), pin("1e5", 3)]))

    sheet = load_workbook(io.BytesIO(made)).worksheets[0]
    titles = [cell.value for cell in sheet[1]]
    column = titles.index("pin_identity")
    cells = [row[column] for row in sheet.iter_rows(min_row=2)]

    assert [(cell.value, cell.data_type) for cell in cells] == [
        ("=1+1", "s"),
        ("007", "s"),
        ("1e5", "s"),
    ]


@pytest.mark.parametrize("text", ["\x07", "a\rb", "_x0041_", "x" * 32_768, "\uffff"])
def test_what_no_cell_holds_is_not_spoilt(text: str) -> None:
    """The export says so, and names a format that does hold it."""
    with pytest.raises(UsageFault, match="export csv, or json"):
        sheet_of(rule(pin_definitions=[pin(text)]))


def test_a_sheet_that_inflates_too_far_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what its directory tells, which is also the most that is ever inflated."""
    bomb = with_part(workbook(HEAD, ROW), "xl/media/zeros.bin", bytes(2_000_000))
    monkeypatch.setattr(rules_sheet, "INFLATED_BYTES_MAX", 1_000_000)

    with pytest.raises(UsageFault, match="inflates to"):
        read(bomb)


def test_a_part_larger_than_it_says_is_refused() -> None:
    """A directory that lies does not get more read."""
    made = bytearray(with_part(workbook(HEAD, ROW), "xl/sharedStrings.xml", b"<sst>" + b" " * 999))
    at = made.rindex(b"xl/sharedStrings.xml") - 46 + 24  # the size in the central directory
    made[at : at + 4] = (10).to_bytes(4, "little")

    with pytest.raises(UsageFault):
        read(bytes(made))


def test_entities_are_refused() -> None:
    """No workbook declares any."""
    part = b'<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY a "aa">]><sst>&a;</sst>'

    with pytest.raises(UsageFault, match="declares a document type"):
        read(with_part(workbook(HEAD, ROW), "xl/sharedStrings.xml", part))


def test_a_row_far_below_costs_nothing() -> None:
    """Nor does a column far to the right: neither is filled up to."""
    made = workbook(HEAD, ROW)
    name = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(made)) as parts:
        sheet = parts.read(name)
    far = (
        b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    )

    (entry,) = read(with_part(made, name, sheet.replace(b"</sheetData>", far)))

    assert entry.faults == ()


@pytest.mark.parametrize("content", [b"PK\x03\x04 no zip", b"text"])
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    """With its name."""
    with pytest.raises(UsageFault, match=r"rules\.xlsx is not a workbook"):
        read(content)


def test_an_export_that_fails_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows wait in a temporary file, which goes with them."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(UsageFault):
        sheet_of(rule(pin_definitions=[pin("fine"), pin("\x07")]))

    assert list(tmp_path.iterdir()) == []
