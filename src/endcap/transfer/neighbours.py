"""
Reads a neighbour list that another system wrote: Parquet or CSV, `item, neighbour, score` or `user, item, score`.

The rows never pass through Python: DuckDB maps, checks and orders them in bounded memory. A file goes in whole or not
at all.
"""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from endcap.errors import FaultyRows, UsageFault
from endcap.recommend.database import Connection, database, literally
from endcap.recommend.neighbour_list import LISTED_MAX, Kind, Rows
from endcap.transfer.rows import (
    FAULTS_NAMED_MAX,
    Format,
    Progress,
    csv_header,
    format_of,
    is_gzipped,
    quietly,
    quoted,
)

PAIRS_MAX = 100_000_000  # 0.8 GB on disk and mapped
MEMORY_MB = 1_024

SPELLINGS: Mapping[str, Sequence[str]] = {
    "user": ("user", "user_id", "auth_user_id", "customer_id"),
    "item": ("item", "identity", "item_id", "url", "sku"),
    "neighbour": ("neighbour", "neighbor", "neighbour_id", "neighbor_id", "similar", "recommended"),
    "score": ("score", "weight", "similarity"),
}
"""What a column may be called without a map; the first that is there."""


class _Columns:
    """Which column is what. With one of users the keys are users; else they are items, and neighbours are listed."""

    def __init__(self, there: Sequence[str], mapped: Mapping[str, str]) -> None:
        """Raises UsageFault for a column that is missing."""
        if unknown := mapped.keys() - SPELLINGS.keys():
            names = ", ".join(SPELLINGS)
            raise UsageFault(
                f"--map {', '.join(sorted(unknown))}: a neighbour list has {names} only"
            )
        found: dict[str, str] = {}
        for target, spellings in SPELLINGS.items():
            source = mapped.get(target)
            if source is not None and source not in there:
                said = f"--map {target}={source}: there is no such column"
                raise UsageFault(f"{said}; there are {', '.join(there)}")
            source = source or next((each for each in spellings if each in there), None)
            if source is not None:
                found[target] = source
        self.kind: Kind = "users" if "user" in found else "items"
        wanted = ("user", "item") if self.kind == "users" else ("item", "neighbour")
        if missing := [each for each in wanted if each not in found]:
            maps = " ".join(f"--map {each}=COLUMN" for each in missing)
            raise UsageFault(
                f"No column says what {' and '.join(missing)} is; there are {', '.join(there)}. Say it: {maps}"
            )
        self.key, self.item = (found[each] for each in wanted)
        self.key_name = wanted[0]
        self.score = found.get("score")


def read_neighbours(
    path: Path,
    scratch: Path,
    *,
    columns: Mapping[str, str] | None = None,
    progress: Progress = quietly,
) -> Rows:
    """
    What a file (or a folder of Parquet files) says. `columns` maps names of SPELLINGS to the file's own.

    Raises FaultyRows; UsageFault.
    """
    mapped = columns or {}
    with database(scratch, f"{path} cannot be read", memory_mb=MEMORY_MB) as connection:
        progress("reading", 0, 3)
        found, source = _source(connection, path, mapped)
        connection.execute(
            _statement("ranked").format(
                source=source, key=found.key_name, scored=str(found.score is not None).upper()
            )
        )
        _refuse(connection)
        progress("ordering", 1, 3)
        itself = str(found.kind == "users").upper()
        connection.execute(_statement("listed").format(most=LISTED_MAX, itself=itself))
        ((pairs,),) = connection.execute("SELECT count(*) FROM listed").fetchall()
        if not pairs:
            raise UsageFault(f"There are no rows in {path}")
        if pairs > PAIRS_MAX:
            raise UsageFault(
                f"{path} has {pairs:,} pairs, of which {PAIRS_MAX:,} can be kept: leave out the weakest"
            )
        keys = _column(connection, "SELECT key FROM keyed ORDER BY key_no")
        identities = _column(connection, "SELECT item FROM named ORDER BY item_no")
        progress("writing", 2, 3)
        rows = connection.execute(
            "SELECT key_no, item_no, score FROM listed JOIN keyed USING (key) JOIN named USING (item) "
            "ORDER BY key_no, place"
        ).fetchnumpy()
    return Rows.of(found.kind, keys, identities, rows)


def _statement(name: str) -> str:
    return resources.files("endcap.transfer").joinpath("sql", f"{name}.sql").read_text()


def _column(connection: Connection, statement: str) -> list[str]:
    (values,) = connection.execute(statement).fetchnumpy().values()
    texts: list[str] = values.tolist()
    return texts


def _refuse(connection: Connection) -> None:
    """Raises FaultyRows if there are any."""
    faulty = "FROM ranked WHERE fault IS NOT NULL"
    ((total,),) = connection.execute(f"SELECT count(*) {faulty}").fetchall()
    if total:
        found = connection.execute(
            f"SELECT line, fault {faulty} ORDER BY line LIMIT {FAULTS_NAMED_MAX}"
        ).fetchall()
        raise FaultyRows(dict(found), total=total)


def _source(connection: Connection, path: Path, mapped: Mapping[str, str]) -> tuple[_Columns, str]:
    """The file as a relation of texts, and which of its columns is what."""
    if path.is_dir():
        if not any(path.glob("*.parquet")):
            raise UsageFault(f"There are no Parquet files in the folder {path}")
        return _parquet(connection, f"{literally(path)}/*.parquet", mapped)
    match format_of(path):
        case Format.PARQUET:
            return _parquet(connection, literally(path), mapped)
        case Format.CSV:
            return _csv(path, mapped)
        case _:
            raise UsageFault(f"{path} is JSON: a neighbour list is Parquet or CSV")


def _parquet(
    connection: Connection, pattern: str, mapped: Mapping[str, str]
) -> tuple[_Columns, str]:
    described = connection.execute("DESCRIBE SELECT * FROM read_parquet($1)", [pattern]).fetchall()
    kinds = {name: kind for name, kind, *_ in described}
    found = _Columns(tuple(kinds), mapped)
    names = [_as_text(name, kinds) for name in (found.key, found.item)]
    return found, _relation(f"read_parquet({_text(pattern)})", names, found, first=1)


def _csv(path: Path, mapped: Mapping[str, str]) -> tuple[_Columns, str]:
    header = csv_header(path)
    found = _Columns(header.columns, mapped)
    options = {
        "columns": "{" + ", ".join(f"{_text(name)}: 'VARCHAR'" for name in header.columns) + "}",
        "auto_detect": "false",
        "header": "true",
        "delim": _text(header.delimiter),
        "quote": "'\"'",
        "escape": "'\"'",
        "nullstr": "''",
        "compression": "'gzip'" if is_gzipped(path) else "'none'",
    }
    given = ", ".join(f"{name} = {value}" for name, value in options.items())
    names = [quoted(found.key), quoted(found.item)]
    return found, _relation(f"read_csv({_text(literally(path))}, {given})", names, found, first=2)


def _relation(reader: str, names: Sequence[str], found: _Columns, *, first: int) -> str:
    """`first` is the line of the first row: a CSV's header is line 1."""
    key, item = names
    score = f"CAST({quoted(found.score)} AS VARCHAR)" if found.score else "NULL"
    return (
        f"(SELECT row_number() OVER () + {first - 1} AS line, {key} AS key, {item} AS item, {score} AS score "
        f"FROM {reader})"
    )


def _text(value: str) -> str:
    """A text in SQL: table functions take no parameters in a relation."""
    return "'" + value.replace("'", "''") + "'"


def _as_text(name: str, kinds: Mapping[str, str]) -> str:
    """A Parquet column as text. Whole numbers that were made decimal by a missing value become whole again."""
    column = quoted(name)
    if kinds[name] in {"DOUBLE", "FLOAT"}:
        whole = f"CAST(CAST({column} AS BIGINT) AS VARCHAR)"
        return (
            f"CASE WHEN {column} = floor({column}) AND abs({column}) < 1e15 THEN {whole} "
            f"WHEN isnan({column}) THEN NULL ELSE CAST({column} AS VARCHAR) END"
        )
    return f"nullif(CAST({column} AS VARCHAR), '')"
