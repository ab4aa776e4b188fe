"""
Past orders: one durable file an import, or nothing.
"""

import gzip
import json
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest

from endcap.domain import Micros, TrackerId
from endcap.errors import FaultyRows, UsageFault
from endcap.recommend.orders import order_files, orders_directory
from endcap.transfer.fields import FieldMap
from endcap.transfer.transactions import TransactionsReport, import_transactions
from tests.transfer.files import FORMATS, Records, write

SHOP = TrackerId("1234-5678")
NOW = Micros(1_737_000_000_000_000)
ids = count()
LINES: Records = [
    {
        "order_id": "1",
        "identity": "/p/1",
        "user_id": "ann",
        "created_at": "2025-01-31T12:00:00",
        "quantity": 2,
        "unit_price": 9.5,
    },
    {"order_id": "1", "identity": "/p/2", "user_id": "ann", "created_at": "2025-01-31"},
    {"order_id": "2", "identity": "/p/1", "user_id": None, "created_at": "2025-01-31 23:30:00"},
    {"order_id": "3", "identity": "/p/3", "created_at": "2025-02-01T01:30:00+02:00"},
]
STORED = [
    ("1", "/p/1", "ann", "2025-01-31 12:00:00", 2.0, 9.5),
    ("1", "/p/2", "ann", "2025-01-31 00:00:00", 1.0, None),
    ("2", "/p/1", None, "2025-01-31 23:30:00", 1.0, None),
    ("3", "/p/3", None, "2025-01-31 23:30:00", 1.0, None),
]


def run(data_dir: Path, path: Path, *pairs: str, **options: Any) -> TransactionsReport:
    return import_transactions(
        data_dir,
        SHOP,
        path,
        fields=FieldMap.of(pairs),
        now=NOW,
        new_id=lambda: f"id{next(ids)}",
        **options,
    )


def stored(data_dir: Path) -> list[tuple[Any, ...]]:
    """All order lines of the tracker."""
    files = [str(path) for path in order_files(orders_directory(data_dir, SHOP))]
    with duckdb.connect(":memory:") as connection:
        return connection.execute(
            "SELECT order_id, identity, user_id, CAST(created_at AS VARCHAR), quantity, unit_price "
            "FROM read_parquet($1)",
            [files],
        ).fetchall()


def leftovers(data_dir: Path) -> list[Path]:
    return [path for path in data_dir.rglob("*") if path.is_file()]


def lines(tmp_path: Path, *records: Any) -> Path:
    path = tmp_path / "file"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_gives_the_same_lines(tmp_path: Path, format: str) -> None:
    """Times without a zone are UTC, others become it; quantity is 1 where nothing is said."""
    report = run(tmp_path / "data", write(tmp_path, format, LINES))

    assert stored(tmp_path / "data") == STORED
    assert (report.lines, report.stored, report.returns) == (4, 4, 0)
    assert (report.orders, report.items, report.users) == (3, 3, 1)
    assert (report.earliest, report.latest) == ("2025-01-31 00:00:00", "2025-01-31 23:30:00")
    assert report.warnings == ()


@pytest.mark.parametrize("format", FORMATS)
def test_a_map_names_columns(tmp_path: Path, format: str) -> None:
    """Mapped columns come first; the others are found by their usual names."""
    records: Records = [
        {"no": 17, "what": "/p/1", "customer_id": 5, "ts": "2025-01-31", "url": "not this"},
        {"no": 18, "what": "/p/2", "customer_id": 6, "ts": "2025-01-31", "url": "nor this"},
    ]

    run(tmp_path / "data", write(tmp_path, format, records), "order_id=no", "identity=what")

    assert [line[:3] for line in stored(tmp_path / "data")] == [
        ("17", "/p/1", "5"),
        ("18", "/p/2", "6"),
    ]


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_a_dotted_source_reaches_into_records(tmp_path: Path, format: str) -> None:
    """Nested records are mapped by their path."""
    records = [{"order_id": "1", "item": {"sku": "a"}, "created_at": "2025-01-31"}]

    run(tmp_path / "data", write(tmp_path, format, records), "identity=item.sku")

    assert stored(tmp_path / "data")[0][1] == "a"


@pytest.mark.parametrize("format", FORMATS)
def test_returns_are_left_out(tmp_path: Path, format: str) -> None:
    """An event `return` or a quantity that is not positive is no purchase, whatever else is in the line."""
    plain = {"order_id": "1", "identity": "a", "created_at": "2025-01-31"}
    records: Records = [
        {**plain, "event": "purchase", "quantity": 1},
        {**plain, "event": "Return", "quantity": 1},
        {**plain, "event": "purchase", "quantity": -1},
        {"order_id": None, "identity": "b", "created_at": None, "event": "return", "quantity": 1},
    ]

    report = run(tmp_path / "data", write(tmp_path, format, records))

    assert (report.lines, report.stored, report.returns) == (4, 1, 3)
    assert report.warnings == ("3 returns are left out",)
    assert len(stored(tmp_path / "data")) == 1


def test_each_import_is_a_file(tmp_path: Path) -> None:
    """Files are added, never changed, and hold no draft."""
    first = run(tmp_path / "data", lines(tmp_path, LINES[0]))
    content = leftovers(tmp_path / "data")[0].read_bytes()
    second = run(tmp_path / "data", lines(tmp_path, LINES[1]))

    names = {path.name: path for path in leftovers(tmp_path / "data")}
    assert set(names) == {first.file, second.file}
    assert names[str(first.file)].read_bytes() == content
    assert "tracker=1234-5678" in str(names[str(first.file)])


def test_repeated_lines_are_reported(tmp_path: Path) -> None:
    """The same item of the same order again counts once when recommenders are built."""
    report = run(tmp_path / "data", lines(tmp_path, LINES[0], LINES[1], LINES[0]))

    assert (report.stored, report.repeated) == (3, 1)
    assert report.warnings == ("1 name an item of an order again: they count once",)


@pytest.mark.parametrize("format", FORMATS)
def test_faulty_lines_refuse_the_file(tmp_path: Path, format: str) -> None:
    """Every faulty line is named with every fault, and nothing is stored."""
    good = {"order_id": "1", "identity": "a", "created_at": "2025-01-31", "quantity": "1"}
    records: Records = [
        good,
        {**good, "created_at": "31.01.2025"},
        {**good, "identity": None, "quantity": "two"},
        {**good, "order_id": ""},
        {**good, "created_at": "infinity"},
        {**good, "quantity": "nan"},
        {**good, "identity": "x" * 2_001},
    ]

    with pytest.raises(FaultyRows) as refused:
        run(tmp_path / "data", write(tmp_path, format, records))

    first = 2 if "csv" in format or format == "semicolons" else 1
    faults = {line - first: reason for line, reason in refused.value.faults.items()}
    assert list(faults) == [1, 2, 3, 4, 5, 6]
    assert "created_at: must be like 2025-01-31" in faults[1]
    assert "31.01.2025" in faults[1]
    assert "identity: is missing; quantity: must be a number, not two" in faults[2]
    assert faults[3] == "order_id: is missing"
    assert "created_at" in faults[4]
    assert "quantity" in faults[5]
    assert "at most 2000 characters" in faults[6]
    assert leftovers(tmp_path / "data") == []


def test_faults_of_every_kind_are_named_in_order(tmp_path: Path) -> None:
    """Lines that are no records, cells that are no text and values that make no sense, together."""
    path = lines(
        tmp_path,
        {"order_id": ["1"], "identity": "a", "created_at": "2025-01-31"},
        {"order_id": "1", "identity": "a", "created_at": "soon"},
        {"order_id": "1", "identity": "a", "created_at": "2025-01-31"},
    )
    path.write_text("nonsense\n" + path.read_text())
    path.write_text(
        '{"order_id": 1, "identity": 2, "created_at": "2025-01-31"}\n' + path.read_text()
    )

    with pytest.raises(FaultyRows) as refused:
        run(tmp_path / "data", path)

    assert list(refused.value.faults) == [2, 3, 4]
    assert refused.value.faults[3] == 'order_id: must be a text or a number, not ["1"]'
    assert refused.value.total == 3


def test_a_csv_with_ragged_rows_is_named_by_line(tmp_path: Path) -> None:
    """Also where earlier cells hold line breaks."""
    path = tmp_path / "file"
    path.write_text(
        'order_id,identity,created_at\n"1\n1",a,2025-01-31\n2,b\n3,c,2025-01-31,4\n4,d,2025-01-31\n'
    )

    with pytest.raises(FaultyRows) as refused:
        run(tmp_path / "data", path)

    assert list(refused.value.faults) == [4, 5]


def test_twenty_faults_are_named_and_all_are_counted(tmp_path: Path) -> None:
    """Of whatever kind they are."""
    records = [{"order_id": "1", "identity": "a", "created_at": "soon"} for _ in range(30)]
    for kind in ("csv", "jsonl", "parquet"):
        with pytest.raises(FaultyRows) as refused:
            run(tmp_path / "data", write(tmp_path, kind, records))

        assert len(refused.value.faults) == 20
        assert refused.value.total == 30


def test_whole_numbers_made_decimal_are_whole_again(tmp_path: Path) -> None:
    """Data frames turn integers with gaps into floats; customer 17850 stays 17850."""
    path = tmp_path / "file"
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            """COPY (SELECT * FROM (VALUES (1.0::DOUBLE, 'a', 17850.0::DOUBLE, now()::TIMESTAMP_NS),
            (2.0, 'b', NULL, now()::TIMESTAMP_NS), (3.0, 'c', 'nan'::DOUBLE, now()::TIMESTAMP_NS))
            AS t(order_id, item_id, customer_id, ts)) TO $1 (FORMAT parquet)""",
            [str(path)],
        )

    run(tmp_path / "data", path)

    assert [line[:3] for line in stored(tmp_path / "data")] == [
        ("1", "a", "17850"),
        ("2", "b", None),
        ("3", "c", None),
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_does_not_say_enough_is_refused(tmp_path: Path, format: str) -> None:
    """The message names what is missing and how to say it."""
    path = write(tmp_path, format, [{"order_id": "1", "article": "a", "day": "2025-01-31"}])

    with pytest.raises(UsageFault, match=r"identity and created_at.*--map identity=COLUMN"):
        run(tmp_path / "data", path)


@pytest.mark.parametrize("format", FORMATS)
def test_a_map_of_a_missing_column_is_refused(tmp_path: Path, format: str) -> None:
    """A slip in the map is said."""
    with pytest.raises(UsageFault, match="user_id=customer"):
        run(tmp_path / "data", write(tmp_path, format, LINES), "user_id=customer")


def test_a_map_of_an_unknown_target_is_refused(tmp_path: Path) -> None:
    """Order lines have few columns; the message lists them."""
    with pytest.raises(UsageFault, match=r"colour: order lines have order_id, identity"):
        run(tmp_path / "data", write(tmp_path, "csv", LINES), "colour=x")


def test_a_file_without_a_header(tmp_path: Path) -> None:
    """As the events API takes it: order_id, identity, user, time."""
    path = tmp_path / "file"
    path.write_text("1,/p/1,ann,2025-01-31T12:00:00\n2,/p/2,,2025-01-31\n")
    columns = ("order_id", "identity", "auth_user_id", "created_at")

    run(tmp_path / "data", path, columns=columns)

    assert [line[:3] for line in stored(tmp_path / "data")] == [
        ("1", "/p/1", "ann"),
        ("2", "/p/2", None),
    ]

    path.write_text("1,/p/1,ann,2025-01-31T12:00:00\n2,/p/2,,soon\n")
    with pytest.raises(FaultyRows, match="line 2"):
        run(tmp_path / "data", path, columns=columns)


@pytest.mark.parametrize("name", ["it's a file", 'quo"ted;', "ü.gz", "star*", "what?", "[a]"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    """Names are data, not SQL and not patterns."""
    for kind in ("csv", "csv.gz", "parquet"):
        (tmp_path / name).mkdir(exist_ok=True)
        path = write(tmp_path, kind, LINES).rename(tmp_path / name / name)
        for other in ("starry", "what!", "a"):
            write(tmp_path, kind, LINES).rename(tmp_path / name / other)

        run(tmp_path / f"data-{kind}", path)

        assert stored(tmp_path / f"data-{kind}") == STORED


@pytest.mark.parametrize("column", ["it's", 'quo"ted', "order id", "Größe", "a.b", "SELECT"])
@pytest.mark.parametrize("format", ["csv", "parquet", "jsonl"])
def test_any_column_name_will_do(tmp_path: Path, format: str, column: str) -> None:
    """Columns are named as files have them."""
    records = [{column: "1", "identity": "a", "created_at": "2025-01-31"}]

    run(tmp_path / "data", write(tmp_path, format, records), f"order_id={column}")

    assert stored(tmp_path / "data")[0][0] == "1"


def test_a_dry_run_stores_nothing(tmp_path: Path) -> None:
    """It reports and refuses as the import would."""
    report = run(tmp_path / "data", lines(tmp_path, *LINES), dry_run=True)

    assert (report.stored, report.file) == (4, None)
    assert leftovers(tmp_path / "data") == []


@pytest.mark.parametrize(
    "content",
    [
        "order_id,identity,created_at\n",
        "order_id,identity,created_at,event\n1,a,2025-01-31,return\n",
    ],
)
def test_nothing_to_learn_from_leaves_no_file(tmp_path: Path, content: str) -> None:
    """A header alone, or nothing but returns, is no error and no file."""
    path = tmp_path / "file"
    path.write_text(content)

    report = run(tmp_path / "data", path)

    assert (report.stored, report.file) == (0, None)
    assert "there is nothing to learn from" in report.warnings
    assert leftovers(tmp_path / "data") == []


def test_a_disk_that_is_full_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the file cannot be made durable it is not there at all."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(OSError, match="No space"):
        run(tmp_path / "data", lines(tmp_path, *LINES))

    assert leftovers(tmp_path / "data") == []


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    """Half a gzip is no data, in any format."""
    for kind in ("csv.gz", "jsonl.gz"):
        whole = write(tmp_path, kind, [*LINES] * 2_000)
        whole.write_bytes(whole.read_bytes()[:-20])
        with pytest.raises((UsageFault, FaultyRows)):
            run(tmp_path / "data", whole)
    (tmp_path / "zip").write_bytes(gzip.compress(b""))
    with pytest.raises(UsageFault, match="is empty"):
        run(tmp_path / "data", tmp_path / "zip")

    assert leftovers(tmp_path / "data") == []


def test_progress_is_told(tmp_path: Path) -> None:
    """Each step begins and ends."""
    for kind in ("csv", "jsonl", "parquet"):
        told: list[tuple[str, int, int]] = []

        run(
            tmp_path / "data",
            write(tmp_path, kind, LINES),
            progress=lambda *step: told.append(step),  # noqa: B023 - called within the loop
        )

        assert list(dict.fromkeys(step[0] for step in told)) == ["reading", "checking", "storing"]
        assert told[-1] == ("storing", 1, 1)
