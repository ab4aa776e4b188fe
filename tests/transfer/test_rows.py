"""
Rows: one shape from every format, told by content, numbered as people count.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from endcap.errors import UsageFault
from endcap.transfer.rows import Format, Unreadable, format_of, read_rows
from tests.transfer.files import FORMATS, write

RECORDS = [
    {"id": "1", "title": "Saiten, 10–46", "price": 8.5},
    {"id": "2", "title": 'A "quoted"\nname', "price": 12.0},
    {"id": "3", "title": "Gurt; schwarz", "price": 20.0},
]


def rows(path: Path, **options: Any) -> list[tuple[int, Any]]:
    return list(read_rows(path, **options))


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_gives_the_same_records(tmp_path: Path, format: str) -> None:
    """Names tell nothing; quotes, line breaks and umlauts come through."""
    found = rows(write(tmp_path, format, RECORDS))

    assert [record["id"] for _, record in found] == ["1", "2", "3"]
    assert [record["title"] for _, record in found] == [each["title"] for each in RECORDS]
    assert [float(record["price"]) for _, record in found] == [8.5, 12.0, 20.0]


def test_lines_are_numbered_as_an_editor_does(tmp_path: Path) -> None:
    """In CSV a record begins where it begins, whatever lies over several lines before it."""
    assert [line for line, _ in rows(write(tmp_path, "csv", RECORDS))] == [2, 3, 5]
    assert [line for line, _ in rows(write(tmp_path, "jsonl", RECORDS))] == [1, 2, 3]
    assert [line for line, _ in rows(write(tmp_path, "array", RECORDS))] == [1, 2, 3]
    assert [line for line, _ in rows(write(tmp_path, "parquet", RECORDS))] == [1, 2, 3]


def test_empty_lines_are_no_records(tmp_path: Path) -> None:
    """They are passed over, and counted."""
    path = tmp_path / "file"
    path.write_text('{"a": 1}\n\n  \n{"a": 2}')
    assert rows(path) == [(1, {"a": 1}), (4, {"a": 2})]
    path.write_text("a,b\n1,2\n\n3,4\n")
    assert rows(path) == [(2, {"a": "1", "b": "2"}), (4, {"a": "3", "b": "4"})]


def test_empty_cells_say_nothing(tmp_path: Path) -> None:
    """An empty cell is an absent column, quoted or not."""
    path = tmp_path / "file"
    path.write_text('a,b,c\n1,,""\n')

    assert rows(path) == [(2, {"a": "1"})]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    """The one the header has most of; a quoted one does not count."""
    path = tmp_path / "file"
    path.write_text(delimiter.join(["id", '"name, of; a|thing"', "x"]) + "\n")
    path.write_text(path.read_text() + delimiter.join("123") + "\n")

    assert rows(path) == [(2, {"id": "1", "name, of; a|thing": "2", "x": "3"})]


def test_a_byte_order_mark_is_no_data(tmp_path: Path) -> None:
    """Spreadsheets write one."""
    path = tmp_path / "file"
    for content in ("id,a\n1,2\n", '{"id": "1", "a": "2"}\n', '[{"id": "1", "a": "2"}]'):
        path.write_bytes(b"\xef\xbb\xbf" + content.encode())
        assert [record for _, record in rows(path)] == [{"id": "1", "a": "2"}]


def test_a_file_without_a_header_can_be_told_its_columns(tmp_path: Path) -> None:
    """Then the first line is data."""
    path = tmp_path / "file"
    path.write_text("1,x\n2,y\n")

    assert rows(path, columns=("id", "name")) == [
        (1, {"id": "1", "name": "x"}),
        (2, {"id": "2", "name": "y"}),
    ]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("key", ["results", "objects"])
def test_a_saved_answer_is_read_like_its_list(tmp_path: Path, key: str, indent: int | None) -> None:
    """What the API's lists answered, pretty or not, is a file to import."""
    path = tmp_path / "file"
    path.write_text(json.dumps({"total": 2, key: [{"a": 1}, {"a": 2}]}, indent=indent))

    assert format_of(path) is Format.ANSWER
    assert rows(path) == [(1, {"a": 1}), (2, {"a": 2})]


def test_unreadable_lines_stand_in_their_place(tmp_path: Path) -> None:
    """One pass names them all."""
    path = tmp_path / "file"
    path.write_text('{"a": 1}\nnonsense\n[1]\n{"a": 2}\n')
    found = rows(path)
    assert [line for line, row in found if isinstance(row, Unreadable)] == [2, 3]
    assert found[3] == (4, {"a": 2})

    path.write_text('a,b\n1,2\n3\n4,5,6\n"7" x,8\n9,10\n')
    found = rows(path)
    reasons = {line: row.reason for line, row in found if isinstance(row, Unreadable)}
    assert list(reasons) == [3, 4, 5]
    assert "has 1 cells, but there are 2 columns" in reasons[3]
    assert "not CSV" in reasons[5]
    assert found[-1] == (6, {"a": "9", "b": "10"})

    path.write_text('[{"a": 1}, 5]')
    assert isinstance(rows(path)[1][1], Unreadable)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"  \n ", "is empty"),
        (b"[1, 2", "not a JSON array"),
        (b"{\n", "not a JSON array"),
        (b"a,b,a\n1,2,3\n", "more than one column 'a'"),
        (b"a,b\n\xff\xfe,2\n", "not UTF-8"),
        (b"\xff\xfe,b\n", "not UTF-8"),
        (b"PAR1 nothing", "cannot be read"),
        (gzip.compress(b'{"a": 1}\n' * 9_999, mtime=0)[:90], "cannot be read"),
        (b"\x1f\x8b nothing", "cannot be read"),
    ],
)
def test_a_file_that_is_broken_as_a_whole_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    """With the file's name and what is wrong with it."""
    path = tmp_path / "the-file"
    path.write_bytes(content)

    with pytest.raises(UsageFault, match=reason) as refused:
        rows(path)
    assert "the-file" in refused.value.reason


def test_no_file_is_refused(tmp_path: Path) -> None:
    """Neither a missing file nor a folder can be read."""
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(UsageFault, match="cannot be read"):
            rows(path)


def test_parquet_values_become_json(tmp_path: Path) -> None:
    """Decimals, dates, instants, lists, structs, NaN and nulls as JSON would have them."""
    path = tmp_path / "file"
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            """COPY (SELECT 1.50::DECIMAL(9, 2) AS d, 2::DECIMAL(9, 2) AS w, DATE '2025-01-31' AS day,
            TIMESTAMP '2025-01-31 12:00:00' AS t, TIMESTAMPTZ '2025-01-31 12:00:00+02' AS z, ['a', 'b'] AS l,
            {'x': 1, 'y': [1.5::DECIMAL(3, 1)]} AS s, 'nan'::DOUBLE AS nan, NULL::INT AS n, true AS b, 7::BIGINT AS i)
            TO $1 (FORMAT parquet)""",
            [str(path)],
        )

    ((line, record),) = rows(path)

    assert line == 1
    assert record == {
        "d": 1.5,
        "w": 2,
        "day": "2025-01-31",
        "t": "2025-01-31T12:00:00",
        "z": "2025-01-31T10:00:00",
        "l": ["a", "b"],
        "s": {"x": 1, "y": [1.5]},
        "nan": None,
        "b": True,
        "i": 7,
    }


@pytest.mark.parametrize("format", ["jsonl.gz", "csv", "parquet", "array"])
def test_progress_ends_where_the_file_does(tmp_path: Path, format: str) -> None:
    """It never goes back, and ends at its total."""
    told: list[tuple[str, int, int]] = []
    path = write(tmp_path, format, [{"id": str(n)} for n in range(7_000)])

    rows(path, progress=lambda *step: told.append(step))

    done = [step[1] for step in told]
    assert done == sorted(done)
    assert told[-1][1] == told[-1][2] > 0
