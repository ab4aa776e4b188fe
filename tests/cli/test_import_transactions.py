"""
`endcap import transactions`: past orders, to build recommenders from.
"""

import gzip
from pathlib import Path

import duckdb
import pytest

from tests.cli.driver import TRACKER, Shell, lines, unwrapped
from tests.transfer.files import FORMATS, write

ORDERS = [
    {"order": "o1", "product": "/p/1", "ordered_at": "2025-01-05T10:00:00Z", "user_id": "ann"},
    {"order": "o1", "product": "/p/2", "ordered_at": "2025-01-05T10:00:00Z", "user_id": "ann"},
    {"order": "o2", "product": "/p/1", "ordered_at": "2025-01-06T10:00:00Z", "user_id": "bob"},
]
MAPS = ("--map", "order_id=order", "--map", "identity=product", "--map", "created_at=ordered_at")


def stored(shell: Shell) -> list[tuple[str, str]]:
    """(order, item) of all lines there are."""
    folder = shell.data_dir / "orders"
    if not folder.exists():
        return []
    with duckdb.connect(":memory:") as connection:
        files = f"{folder}/*/*.parquet"
        return connection.execute(
            "SELECT order_id, identity FROM read_parquet($1) ORDER BY ALL", [files]
        ).fetchall()


@pytest.mark.parametrize("format", FORMATS)
def test_order_lines_in_any_format_are_stored(shell: Shell, tmp_path: Path, format: str) -> None:
    """And the next step is said."""
    file = write(tmp_path, format, ORDERS)

    said = shell.call("import", "transactions", file, "--tracker", TRACKER, *MAPS)

    assert said.stdout == "Stored 3 order lines of 2 orders, 2 items, 2 users.\n"
    assert f"Next: endcap build --tracker {TRACKER}\n" in said.stderr
    assert stored(shell) == [("o1", "/p/1"), ("o1", "/p/2"), ("o2", "/p/1")]


def test_columns_name_what_a_csv_without_a_header_has(shell: Shell, tmp_path: Path) -> None:
    """Gzipped, as such dumps are."""
    file = tmp_path / "dump.csv.gz"
    file.write_bytes(gzip.compress(b"o1,/p/1,2025-01-05\no1,/p/2,2025-01-05\n"))

    shell.call(
        "import", "transactions", file, "--tracker", TRACKER,
        "--columns", "order_id, identity, created_at",
    )  # fmt: skip

    assert stored(shell) == [("o1", "/p/1"), ("o1", "/p/2")]


def test_the_report_in_json(shell: Shell, tmp_path: Path) -> None:
    """With the time that the orders are from."""
    file = write(tmp_path, "parquet", ORDERS)

    report = shell.json("import", "transactions", file, "--tracker", TRACKER, *MAPS)

    assert (report["lines"], report["stored"], report["orders"]) == (3, 3, 2)
    assert report["earliest"].startswith("2025-01-05")
    assert report["latest"].startswith("2025-01-06")


def test_a_dry_run_stores_nothing_and_sends_nobody_on(shell: Shell, tmp_path: Path) -> None:
    """There is nothing to build from yet."""
    file = write(tmp_path, "jsonl", ORDERS)

    said = shell.call("import", "transactions", file, "--tracker", TRACKER, *MAPS, "--dry-run")

    assert said.stdout.startswith("Would store 3 order lines")
    assert "Next" not in said.stderr
    assert stored(shell) == []


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
def test_faulty_lines_are_named_and_nothing_is_stored(
    shell: Shell, tmp_path: Path, format: str
) -> None:
    """By the line of the file: a CSV has its header on the first."""
    file = write(tmp_path, format, [*ORDERS, {**ORDERS[0], "ordered_at": "yesterday"}])
    line = 5 if format == "csv" else 4

    said = shell.fault("import", "transactions", file, "--tracker", TRACKER, *MAPS)
    error = shell.json("import", "transactions", file, "--tracker", TRACKER, *MAPS, code=1)["error"]

    assert f"  line {line}: created_at: must be like 2025-01-31" in said
    assert list(error["details"]) == [f"line {line}"]
    assert stored(shell) == []


def test_a_column_that_nothing_says_is_asked_for(shell: Shell, tmp_path: Path) -> None:
    """With the option that names it and the columns there are."""
    file = write(tmp_path, "csv", ORDERS)

    said = unwrapped(shell.fault("import", "transactions", file, "--tracker", TRACKER, code=2))

    assert "--map order_id=COLUMN" in said
    assert "there are order, product, ordered_at, user_id" in said


def test_a_target_that_order_lines_do_not_have_is_refused(shell: Shell, tmp_path: Path) -> None:
    """With those they have."""
    file = write(tmp_path, "csv", ORDERS)

    said = shell.fault(
        "import", "transactions", file, "--tracker", TRACKER, "--map", "colour=x", code=2
    )

    assert "order lines have order_id, identity" in unwrapped(said)


def test_returns_are_left_out_and_noted(shell: Shell, tmp_path: Path) -> None:
    """They are no interest in an item."""
    file = tmp_path / "orders.jsonl"
    returned = {"order_id": "o1", "identity": "/p/9", "created_at": "2025-01-05", "quantity": -1}
    bought = {**returned, "identity": "/p/1", "quantity": 1}
    file.write_text(lines([returned, bought]))

    said = shell.call("import", "transactions", file, "--tracker", TRACKER)

    assert "Note: 1 returns are left out" in said.stderr
    assert stored(shell) == [("o1", "/p/1")]
