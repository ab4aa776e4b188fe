"""
Rows that another engine wrote: the results of all statements as Parquet, finished here into the same artifact.

    ROWS/about/*.parquet         one row: format, now (microseconds), lines, views (whether there were any), recipe;
                                 written last, so that it vouches for the rest
    ROWS/<statement>/*.parquet   what the statement of that name gives, in any number of files
    ROWS/viewed/*.parquet        what `neighbours` gives over what was looked at on the same day

The order of rows in files says nothing. A statement's own last line does: `ORDER BY` with columns that it gives.
"""

import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from endcap.domain import Micros
from endcap.errors import UsageFault
from endcap.recommend.artifact import Artifact, write_artifact
from endcap.recommend.build import (
    NEIGHBOURS,
    STEPS,
    VIEWED,
    Columns,
    Progress,
    learned_from,
    quietly,
    recipe,
    statement_of,
    with_views,
)
from endcap.recommend.database import MEMORY_MB, THREADS, Connection, database, literally

ROWS_FORMAT = 2
ABOUT = "about"
_LAST_LINE = re.compile(r"^ORDER BY (\w+(?:, \w+)*)\s*\Z", re.MULTILINE)


def finish(
    rows: Path,
    out: Path,
    *,
    progress: Progress = quietly,
    memory_mb: int = MEMORY_MB,
    threads: int = THREADS,
) -> Artifact:
    """
    Keeps an artifact of what another engine learned under `out`; it is as old as the rows are.

    Raises UsageFault if the rows are not whole, or were made by other statements.
    """
    out.mkdir(parents=True, exist_ok=True)
    steps = count()

    def begin(step: str) -> None:
        progress(step, next(steps), len(STEPS))

    failing = f"The rows in {rows} cannot be read"
    with database(out, failing, memory_mb=memory_mb, threads=threads) as connection:
        begin("orders")
        about = _about(connection, rows)
        if not about["lines"]:
            raise UsageFault(f"There were no order lines when the rows in {rows} were made")
        learned = learned_from(lambda name: _ordered(connection, rows, name), begin)
        if about["views"]:
            learned = with_views(learned, _ordered(connection, rows, VIEWED))
    begin("writing")
    artifact = write_artifact(learned, out, now=Micros(about["now"]), lines=about["lines"])
    begin("done")
    return artifact


def order_of(name: str) -> str:
    """The columns that a result's rows are ordered by, as its statement's last line says."""
    found = _LAST_LINE.search(statement_of(NEIGHBOURS if name == VIEWED else name))
    if found is None:
        raise ValueError(f"{name}.sql does not end in ORDER BY and names of columns")
    return found[1]


def _about(connection: Connection, rows: Path) -> Mapping[str, Any]:
    if not any((rows / ABOUT).glob("*.parquet")):
        raise UsageFault(
            f"{rows} has no rows, or not all of them: the job writes {ABOUT}/ when all else is there"
        )
    found = connection.execute("SELECT * FROM read_parquet($1)", [_files(rows, ABOUT)])
    names = [column[0] for column in found.description or ()]
    told = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    if len(told) != 1 or told[0].get("format") != ROWS_FORMAT:
        raise UsageFault(f"{rows}/{ABOUT} does not describe rows that this version reads")
    if told[0]["recipe"] != recipe():
        raise UsageFault(
            f"The rows in {rows} were made by another version of Endcap's statements: "
            "run the job and `endcap build` with the same one"
        )
    return told[0]


def _ordered(connection: Connection, rows: Path, name: str) -> Columns:
    if not any((rows / name).glob("*.parquet")):
        raise UsageFault(f"{rows} lacks the rows of {name}")
    statement = f"SELECT * FROM read_parquet($1) ORDER BY {order_of(name)}"
    return connection.execute(statement, [_files(rows, name)]).fetchnumpy()


def _files(rows: Path, name: str) -> str:
    return f"{literally(rows / name)}/*.parquet"
