"""
Imports past orders: a file's lines become one Parquet file of the tracker's order lines, durably, or nothing does.

Parquet and CSV never pass through Python: DuckDB maps, checks and writes them in bounded memory. JSON does, into a
temporary CSV that then takes the same way; and so does a CSV with faults, because naming the lines exactly is worth
more than speed once a file is refused anyway.
"""

import csv
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from endcap.domain import Micros, TrackerId
from endcap.errors import UsageFault
from endcap.recommend.database import Connection, database, literally, succeeds
from endcap.recommend.files import sync_directory
from endcap.recommend.orders import COLUMNS, orders_directory
from endcap.transfer.fields import FieldMap, reach
from endcap.transfer.rows import (
    FAULTS_NAMED_MAX,
    Faults,
    Format,
    Header,
    Progress,
    Record,
    Unreadable,
    csv_header,
    format_of,
    is_gzipped,
    quietly,
    quoted,
    read_rows,
)
from endcap.wire.reading import seconds_text

REQUIRED = ("order_id", "identity", "created_at")
SPELLINGS: Mapping[str, Sequence[str]] = {
    "order_id": ("order_id",),
    "identity": ("identity", "item_id", "url", "sku"),
    "user_id": ("user_id", "auth_user_id", "customer_id"),
    "created_at": ("created_at", "timestamp", "ts"),
    "quantity": ("quantity", "count"),
    "unit_price": ("unit_price", "price"),
    "event": ("event",),
}
"""What a column may be called without a map; the first that is there."""
MEMORY_MB = 512  # a million lines pass in half of it; more of them spill
_NO_FIELDS = FieldMap()


class TransactionsReport(Struct, frozen=True):
    """
    What an import did, or would do. `repeated` lines name an item of an order once more; they count once when
    recommenders are built. `file` is None for a dry run, and where there was nothing but returns.
    """

    lines: int
    stored: int
    returns: int
    repeated: int
    orders: int
    items: int
    users: int
    earliest: str | None
    latest: str | None
    warnings: tuple[str, ...]
    file: str | None


def import_transactions(
    data_dir: Path,
    tracker: TrackerId,
    path: Path,
    *,
    fields: FieldMap = _NO_FIELDS,
    columns: Sequence[str] | None = None,
    now: Micros,
    new_id: Callable[[], str],
    dry_run: bool = False,
    uploaded: bool = False,
    progress: Progress = quietly,
) -> TransactionsReport:
    """
    Adds a file's order lines to the tracker's. `columns` names the columns of a CSV that has no header. Of an uploaded
    file instants may have no zone, and a column that is missing throughout is a fault of every line.

    Raises FaultyRows, with nothing stored; UsageFault.
    """
    orders = orders_directory(data_dir, tracker)
    if unknown := fields.sources.keys() - SPELLINGS.keys():
        raise UsageFault(
            f"--map {', '.join(sorted(unknown))}: order lines have {', '.join(SPELLINGS)} only"
        )
    with (
        tempfile.TemporaryDirectory(prefix=".import-", dir=_roomy(data_dir)) as scratch,
        database(Path(scratch), f"{path} cannot be read", memory_mb=MEMORY_MB) as connection,
    ):
        reader = _Reader(
            connection, path, fields, columns, Path(scratch), progress, uploaded=uploaded
        )
        reader.check()
        progress("checking", 0, 1)
        (counts,) = _rows(connection, "counts")
        progress("checking", 1, 1)
        name = None
        if counts["lines"] > counts["returns"] and not dry_run:
            progress("storing", 0, 1)
            name = f"{seconds_text(now).translate(_COMPACT)}-{new_id()}.parquet"
            _store(connection, orders, name)
            progress("storing", 1, 1)
    return _report(counts, name)


_COMPACT = str.maketrans("", "", "-:")


def _roomy(data_dir: Path) -> Path | None:
    """Where what does not fit into memory goes: the system's folder is often memory itself."""
    return data_dir if data_dir.is_dir() else None


def _report(counts: Mapping[str, Any], file: str | None) -> TransactionsReport:
    stored = counts["lines"] - counts["returns"]
    repeated = stored - counts["pairs"]
    warnings = [
        text
        for count, text in (
            (counts["returns"], f"{counts['returns']} returns are left out"),
            (repeated, f"{repeated} name an item of an order again: they count once"),
            (stored == 0, "there is nothing to learn from"),
        )
        if count
    ]
    return TransactionsReport(
        counts["lines"],
        stored,
        counts["returns"],
        repeated,
        counts["orders"],
        counts["items"],
        counts["users"],
        counts["earliest"],
        counts["latest"],
        tuple(warnings),
        file,
    )


def _store(connection: Connection, orders: Path, name: str) -> None:
    """Writes the lines beside their place, makes them durable, and renames."""
    made = [each for each in (orders, *orders.parents) if not each.exists()]
    orders.mkdir(parents=True, exist_ok=True)
    draft = orders / f".draft-{name}"
    try:
        wanted = ", ".join(COLUMNS)
        connection.execute(
            f"COPY (SELECT {wanted} FROM checked WHERE NOT is_return ORDER BY line) "
            "TO $1 (FORMAT parquet, COMPRESSION zstd)",
            [str(draft)],
        )
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.rename(orders / name)
    finally:
        draft.unlink(missing_ok=True)
    for folder in (orders, *(each.parent for each in made)):
        sync_directory(folder)


def _statement(name: str) -> str:
    return resources.files("endcap.transfer").joinpath("sql", f"{name}.sql").read_text()


def _rows(connection: Connection, name: str) -> list[dict[str, Any]]:
    found = connection.execute(_statement(name))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


class _Reader:
    """Makes the table `checked` from a file. Raises FaultyRows if a line of it is faulty."""

    def __init__(
        self,
        connection: Connection,
        path: Path,
        fields: FieldMap,
        columns: Sequence[str] | None,
        scratch: Path,
        progress: Progress,
        *,
        uploaded: bool,
    ) -> None:
        self._connection = connection
        self._uploaded = uploaded
        self._path = path
        self._fields = fields
        self._columns = columns
        self._scratch = scratch
        self._progress = progress

    def check(self) -> None:
        match format_of(self._path):
            case Format.PARQUET:
                self._understand(self._parquet())
                self._refuse(Faults())
            case Format.CSV if self._csv_is_sound():
                pass
            case _:
                faults = Faults()
                self._understand(self._spooled(faults))
                self._refuse(faults)

    def _understand(self, source: str) -> None:
        self._connection.execute("DROP TABLE IF EXISTS checked")
        self._connection.execute(
            _statement("checked").format(source=source, zones_allowed=not self._uploaded)
        )

    def _refuse(self, faults: Faults) -> None:
        """Adds the faults of the table to those met on the way to it; raises FaultyRows if there are any."""
        faulty = "FROM checked WHERE fault IS NOT NULL"
        ((total,),) = self._connection.execute(f"SELECT count(*) {faulty}").fetchall()
        found = self._connection.execute(
            f"SELECT line, fault {faulty} ORDER BY line LIMIT {FAULTS_NAMED_MAX}"
        ).fetchall()
        named = sorted((faults.first | dict(found)).items())[:FAULTS_NAMED_MAX]
        faults.first, faults.total = dict(named), faults.total + total
        faults.refuse()

    def _csv_is_sound(self) -> bool:
        """Reads a CSV the fast way; False if it must be read the exact way."""
        header = csv_header(self._path, self._columns)
        relation = self._csv(header, _sources(self._fields, header.columns))
        if not succeeds(lambda: self._understand(relation)):
            return False
        ((faulty,),) = self._connection.execute(
            "SELECT count(*) FROM checked WHERE fault IS NOT NULL"
        ).fetchall()
        return not faulty

    def _csv(self, header: Header, sources: Mapping[str, str]) -> str:
        """A CSV as a relation. `line` counts records, which is all that order needs where no line is faulty."""
        options = {
            "columns": "{" + ", ".join(f"{_text(n)}: 'VARCHAR'" for n in header.columns) + "}",
            "auto_detect": "false",
            "header": "true" if header.lines else "false",
            "delim": _text(header.delimiter),
            "quote": "'\"'",
            "escape": "'\"'",
            "nullstr": "''",
            "compression": "'gzip'" if is_gzipped(self._path) else "'none'",
        }
        given = ", ".join(f"{name} = {value}" for name, value in options.items())
        wanted = ", ".join(
            f"{quoted(sources[target]) if target in sources else 'NULL'} AS {target}"
            for target in SPELLINGS
        )
        self._progress("reading", 0, 1)
        return (
            f"(SELECT row_number() OVER () AS line, {wanted} "
            f"FROM read_csv({_text(literally(self._path))}, {given}))"
        )

    def _parquet(self) -> str:
        """A Parquet file as a relation of texts."""
        described = self._connection.execute(
            "DESCRIBE SELECT * FROM read_parquet($1)", [literally(self._path)]
        ).fetchall()
        kinds = {name: kind for name, kind, *_ in described}
        sources = _sources(self._fields, tuple(kinds))
        wanted = ", ".join(
            f"{_as_text(sources[target], kinds) if target in sources else 'NULL'} AS {target}"
            for target in SPELLINGS
        )
        self._progress("reading", 0, 1)
        return (
            f"(SELECT file_row_number + 1 AS line, {wanted} "
            f"FROM read_parquet({_text(literally(self._path))}, file_row_number = true))"
        )

    def _spooled(self, faults: Faults) -> str:
        """A JSON file, or a CSV with faults, as a relation: copied through Python with its line numbers."""
        spool = self._scratch / "spool.csv"
        picker = _LinePicker(self._fields)
        with spool.open("w", encoding="utf-8", newline="") as file:
            write = csv.writer(file, lineterminator="\n").writerow
            rows = read_rows(self._path, columns=self._columns, progress=self._progress)
            for line, record in rows:
                if isinstance(record, Unreadable):
                    faults.add(line, record.reason)
                    continue
                try:
                    write([line, *picker.picked(record)])
                except _NotText as fault:
                    faults.add(line, str(fault))
        if not self._uploaded:
            picker.check(self._path)
        columns = "{'line': 'BIGINT', " + ", ".join(f"'{n}': 'VARCHAR'" for n in SPELLINGS) + "}"
        return (
            f"(SELECT * FROM read_csv({_text(str(spool))}, columns = {columns}, auto_detect = false, "
            "header = false, delim = ',', quote = '\"', escape = '\"', nullstr = ''))"
        )


def _text(value: str) -> str:
    """A text in SQL: table functions take no parameters in a relation that is used twice."""
    return "'" + value.replace("'", "''") + "'"


def _sources(fields: FieldMap, columns: Sequence[str]) -> dict[str, str]:
    """Target → column, of a file that has the same columns throughout. Raises UsageFault for what it lacks."""
    found: dict[str, str] = {}
    for target, spellings in SPELLINGS.items():
        mapped = fields.sources.get(target)
        if mapped is not None:
            if mapped not in columns and mapped.partition(".")[0] not in columns:
                raise UsageFault(
                    f"--map {target}={mapped}: there is no such column; there are {', '.join(columns)}"
                )
            found[target] = mapped
        elif column := next((each for each in spellings if each in columns), None):
            found[target] = column
    if missing := [target for target in REQUIRED if target not in found]:
        raise UsageFault(_lacking(missing, columns))
    return found


def _lacking(missing: Sequence[str], columns: Sequence[str]) -> str:
    maps = " ".join(f"--map {target}=COLUMN" for target in missing)
    there = f"; there are {', '.join(columns)}" if columns else ""
    *others, last = missing
    named = f"{', '.join(others)} and {last} are" if others else f"{last} is"
    return f"No column says what {named}{there}. Say it: {maps}"


def _as_text(source: str, kinds: Mapping[str, str]) -> str:
    """A Parquet column as text. Whole numbers that were made decimal by a missing value become whole again."""
    if source in kinds:
        column = quoted(source)
        if kinds[source] in {"DOUBLE", "FLOAT"}:
            whole = f"CAST(CAST({column} AS BIGINT) AS VARCHAR)"
            return (
                f"CASE WHEN {column} = floor({column}) AND abs({column}) < 1e15 THEN {whole} "
                f"WHEN isnan({column}) THEN NULL ELSE CAST({column} AS VARCHAR) END"
            )
    else:
        column = ".".join(quoted(part) for part in source.split("."))
    return f"nullif(CAST({column} AS VARCHAR), '')"


class _NotText(ValueError):
    """A value that no cell can hold."""


class _LinePicker:
    """Picks the cells of order lines out of records that may each have other columns."""

    def __init__(self, fields: FieldMap) -> None:
        self._spellings = {
            target: (fields.sources[target],) if target in fields.sources else tuple(spellings)
            for target, spellings in SPELLINGS.items()
        }
        self._mapped = fields.sources
        self._seen: set[str] = set()
        self._any = False

    def picked(self, record: Record) -> list[Any]:
        """The cells, in the order of SPELLINGS. Raises _NotText."""
        self._any = True
        cells: list[Any] = []
        for target, spellings in self._spellings.items():
            value: Any = None
            for source in spellings:
                value = record.get(source)
                if value is None and "." in source:
                    value = reach(record, source)
                if value is not None and value != "":
                    self._seen.add(target)
                    break
            kind = type(value)
            cells.append(value if kind is str or kind is int else _cell(target, value))
        return cells

    def check(self, path: Path) -> None:
        """Raises UsageFault for a column that no record has."""
        if not self._any:
            return
        for target, source in self._mapped.items():
            if target not in self._seen:
                raise UsageFault(f"--map {target}={source}: no row has a value there")
        if missing := [target for target in REQUIRED if target not in self._seen]:
            raise UsageFault(f"{path}: {_lacking(missing, ())}")


def _cell(target: str, value: Any) -> str:
    """What is neither text nor a whole number."""
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    shown = msgspec.json.encode(value).decode()[:40]
    raise _NotText(f"{target}: must be a text or a number, not {shown}")
