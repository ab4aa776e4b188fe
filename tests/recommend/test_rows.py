"""
Rows of another engine: read in the order that their statements name, and only if they are whole.
"""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from endcap.errors import UsageFault
from endcap.recommend.build import build, prepare, queries, recipe
from endcap.recommend.rows import ABOUT, ROWS_FORMAT, finish, order_of
from tests.recommend.shelf import NOW, Line, write_orders

LINES: list[Line] = [
    (f"o{order}", f"i{order % 7 + step}", f"u{order % 5}" if order % 3 else None, order / 4)
    for order in range(60)
    for step in (0, 1, 3)
]


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    write_orders(tmp_path / "orders" / "0.parquet", LINES)
    return tmp_path / "orders"


@pytest.fixture
def views(tmp_path: Path) -> Path:
    """Of the same items, and of one that nobody ordered."""
    path = tmp_path / "acts.parquet"
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            "COPY (SELECT 'u' || user_no AS user_id, 'view' AS kind, 'i' || ((user_no + step) % 11) AS identity, "
            "TIMESTAMP '2026-10-01' + to_days(user_no % 9) AS created_at "
            f"FROM range(40) AS u(user_no), range(4) AS s(step)) TO '{path}' (FORMAT parquet)"
        )
    return path


@pytest.fixture
def rows(tmp_path: Path, orders: Path, views: Path) -> Path:
    """What another engine might write: two files a statement, neither in its order."""
    folder = tmp_path / "rows"
    with duckdb.connect(":memory:") as connection:
        prepare(connection, [orders / "0.parquet"], now=NOW, views=views)
        for name, text in queries().items():
            (folder / name).mkdir(parents=True)
            connection.execute(f"CREATE TEMP TABLE found AS {text}")
            for part in range(2):
                connection.execute(
                    f"COPY (SELECT * FROM found WHERE rowid % 2 = {1 - part} ORDER BY hash(rowid)) "
                    f"TO '{folder / name}/part-{part}.parquet' (FORMAT parquet)"
                )
            connection.execute("DROP TABLE found")
        (folder / ABOUT).mkdir()
    tell(folder)
    return folder


def tell(folder: Path, **other: object) -> None:
    told = {"format": ROWS_FORMAT, "now": int(NOW), "lines": len(LINES), "recipe": recipe()}
    told |= {"views": True}
    columns = ", ".join(f"{value!r} AS {name}" for name, value in (told | other).items())
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            f"COPY (SELECT {columns}) TO '{folder / ABOUT}/part.parquet' (FORMAT parquet)"
        )


def test_finished_rows_are_the_artifact_that_a_build_makes(
    tmp_path: Path, orders: Path, views: Path, rows: Path
) -> None:
    """Byte for byte, whatever order the rows are in; with what was looked at together."""
    built = build(orders, tmp_path / "built", now=NOW, views=views)

    finished = finish(rows, tmp_path / "finished")

    assert finished.name == built.name
    assert built.counts["viewed"] > 0
    for file in (tmp_path / "built" / built.name).iterdir():
        assert (tmp_path / "finished" / built.name / file.name).read_bytes() == file.read_bytes()


def test_every_statement_names_its_order_at_its_end(rows: Path) -> None:
    """By columns that it gives, and that tell all rows apart."""
    with duckdb.connect(":memory:") as connection:
        for name in queries():
            keys = order_of(name)
            files = f"read_parquet('{rows / name}/*.parquet')"
            ((total, distinct),) = connection.execute(
                f"SELECT (SELECT count(*) FROM {files}), "
                f"(SELECT count(*) FROM (SELECT DISTINCT {keys} FROM {files}))"
            ).fetchall()
            assert total == distinct > 0, name


def without_about(rows: Path) -> None:
    (rows / ABOUT / "part.parquet").unlink()


def without_histories(rows: Path) -> None:
    for each in (rows / "histories").iterdir():
        each.unlink()


def cut_off(rows: Path) -> None:
    part = rows / "neighbours" / "part-0.parquet"
    part.write_bytes(part.read_bytes()[:-10])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_about, "has no rows, or not all of them"),
        (without_histories, "lacks the rows of histories"),
        (cut_off, "cannot be read"),
        (lambda rows: tell(rows, recipe="another"), "another version of Endcap's statements"),
        (lambda rows: tell(rows, format=99), "does not describe rows that this version reads"),
        (lambda rows: tell(rows, lines=0), "There were no order lines"),
    ],
)
def test_rows_that_are_not_whole_are_refused(
    tmp_path: Path, rows: Path, spoil: Callable[[Path], None], said: str
) -> None:
    """With what is wrong; nothing is written."""
    spoil(rows)

    with pytest.raises(UsageFault, match=said):
        finish(rows, tmp_path / "out")

    assert list((tmp_path / "out").iterdir()) == []
