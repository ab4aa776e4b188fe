"""
Reading neighbour lists of somebody else's: formats, columns, the order of a key's items, and what is refused.
"""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from endcap.errors import FaultyRows, UsageFault
from endcap.recommend.neighbour_list import LISTED_MAX, Rows
from endcap.transfer.neighbours import read_neighbours

PAIRS = [("a", "b", 0.5), ("a", "c", 0.9), ("b", "a", 1.0)]
LISTED = {"a": ["c", "b"], "b": ["a"]}


def listed(rows: Rows) -> dict[str, list[str]]:
    """Key → items, best first."""
    found: dict[str, list[str]] = {}
    for key, item in zip(rows.key_no.tolist(), rows.item_no.tolist(), strict=True):
        found.setdefault(rows.keys[key], []).append(rows.identities[item])
    return found


def csv(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def parquet(path: Path, select: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def values(pairs: Sequence[tuple[Any, ...]]) -> str:
    return "VALUES " + ", ".join(map(str, pairs))


def written(tmp_path: Path, format: str) -> Path:
    lines = ["item,neighbour,score", *(",".join(map(str, pair)) for pair in PAIRS)]
    select = f"SELECT * FROM ({values(PAIRS)}) t(item, neighbour, score)"
    match format:
        case "csv":
            return csv(tmp_path / "list.csv", *lines)
        case "semicolons":
            return csv(tmp_path / "list.csv", *(line.replace(",", ";") for line in lines))
        case "csv.gz":
            path = tmp_path / "list.csv.gz"
            path.write_bytes(gzip.compress("\n".join(lines).encode()))
            return path
        case "parquet":
            return parquet(tmp_path / "list.parquet", select)
        case _:
            parquet(tmp_path / "list" / "part-0.parquet", f"{select} LIMIT 2")
            parquet(tmp_path / "list" / "part-1.parquet", f"{select} OFFSET 2")
            return tmp_path / "list"


@pytest.mark.parametrize("format", ["csv", "semicolons", "csv.gz", "parquet", "folder"])
def test_a_list_is_read_in_any_format(tmp_path: Path, format: str) -> None:
    """By what is in the file; a folder is what cluster engines write."""
    rows = read_neighbours(written(tmp_path, format), tmp_path)

    assert rows.kind == "items"
    assert listed(rows) == LISTED


def test_a_list_of_users_is_known_by_its_column(tmp_path: Path) -> None:
    """And a user may be listed what another key is called."""
    path = csv(tmp_path / "list.csv", "user,item,score", "7,7,1", "7,8,2")

    rows = read_neighbours(path, tmp_path)

    assert rows.kind == "users"
    assert listed(rows) == {"7": ["8", "7"]}


def test_columns_of_other_names_are_mapped(tmp_path: Path) -> None:
    """And without scores the order of the file is the order of the list."""
    path = csv(tmp_path / "list.csv", "src,dst,why", "a,z,x", "a,b,x", "a,y,x")

    rows = read_neighbours(path, tmp_path, columns={"item": "src", "neighbour": "dst"})

    assert listed(rows) == {"a": ["z", "b", "y"]}
    assert rows.scores.tolist() == pytest.approx([1, 1 / 2, 1 / 3])


def test_numbers_are_identities_as_they_are_spelled(tmp_path: Path) -> None:
    """Whole ones stay whole, also where a column of a Parquet file is decimal."""
    path = parquet(
        tmp_path / "list.parquet",
        "SELECT 12::BIGINT AS item, 7.0::DOUBLE AS neighbour, 1 AS score",
    )

    assert listed(read_neighbours(path, tmp_path)) == {"12": ["7"]}


def test_an_item_is_listed_once_and_never_for_itself(tmp_path: Path) -> None:
    """With its best score; of equal scores the first row counts."""
    path = csv(
        tmp_path / "list.csv",
        *("item,neighbour,score", "a,b,1", "a,c,2", "a,b,3", "a,a,9", "a,e,2", "a,d,2"),
    )

    assert listed(read_neighbours(path, tmp_path)) == {"a": ["b", "c", "e", "d"]}


def test_only_the_best_are_kept(tmp_path: Path) -> None:
    """So many of a key."""
    path = parquet(
        tmp_path / "list.parquet",
        "SELECT 'a' AS item, 'n' || i AS neighbour, i AS score FROM range(1000) t(i)",
    )

    found = listed(read_neighbours(path, tmp_path))["a"]

    assert found == [f"n{number}" for number in range(999, 999 - LISTED_MAX, -1)]


def test_faulty_rows_are_named_and_nothing_is_read(tmp_path: Path) -> None:
    """By line, with all that is wrong."""
    path = csv(
        tmp_path / "list.csv",
        *("item,neighbour,score", "a,b,1", ",b,1", "a,,much", "a,c,", "a,d,nan"),
    )

    with pytest.raises(FaultyRows) as refusal:
        read_neighbours(path, tmp_path)

    assert refusal.value.faults == {
        3: "item: is missing",
        4: "neighbour: is missing; score: must be a number, not much",
        5: "score: must be a number, not nothing",
        6: "score: must be a number, not nan",
    }


@pytest.mark.parametrize(
    ("name", "content", "columns", "said"),
    [
        ("list.csv", b"a,b\n1,2\n", {}, "No column says what item and neighbour is"),
        ("list.csv", b"item,neighbour\n1,2\n", {"item": "sku"}, "there is no such column"),
        ("list.csv", b"item,neighbour\n1,2\n", {"price": "x"}, "item, neighbour, score only"),
        ("list.csv", b"item,neighbour\n", {}, "There are no rows"),
        ("list.csv", b"item,neighbour\na,a\n", {}, "There are no rows"),
        ("list.csv", b"", {}, "is empty"),
        ("list.parquet", b"PAR1 and no more", {}, "cannot be read"),
        ("list.jsonl", b'{"item": "a"}\n', {}, "a neighbour list is Parquet or CSV"),
        ("folder", None, {}, "There are no Parquet files"),
    ],
)
def test_what_is_no_list_is_refused(
    tmp_path: Path, name: str, content: bytes | None, columns: dict[str, str], said: str
) -> None:
    """With what to do about it."""
    path = tmp_path / name
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)

    with pytest.raises(UsageFault, match=said):
        read_neighbours(path, tmp_path, columns=columns)
