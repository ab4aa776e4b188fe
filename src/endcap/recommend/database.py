"""
DuckDB as we use it: in memory, bounded, spilling to a folder, for the length of one job.
"""

import glob
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from endcap.errors import UsageFault

if TYPE_CHECKING:
    import duckdb

Connection: TypeAlias = "duckdb.DuckDBPyConnection"

THREADS = 2
MEMORY_MB = 1_024


def literally(path: Path) -> str:
    """A path as DuckDB's readers take it, which else see a pattern in `*`, `?` and `[`."""
    return glob.escape(str(path))


@contextmanager
def database(
    scratch: Path, failing: str, *, memory_mb: int = MEMORY_MB, threads: int = THREADS
) -> Iterator[Connection]:
    """
    An empty database that spills to a folder of its own in `scratch`.

    DuckDB's errors leave as UsageFault: `failing` says what did not work, the original is the cause. A signal whose
    handler raises leaves as KeyboardInterrupt.
    """
    import duckdb  # noqa: PLC0415 - 40 ms and 30 MB that servers need not spend

    with (
        tempfile.TemporaryDirectory(prefix=".spill-", dir=scratch) as spill,
        duckdb.connect(":memory:") as connection,
    ):
        connection.execute(f"SET threads = {threads}")
        connection.execute(f"SET memory_limit = '{memory_mb}MB'")
        connection.execute("SET temp_directory = $1", [spill])
        connection.execute("SET TimeZone = 'UTC'")
        # Without this a build in `python -c` draws a bar between the lines of its own output.
        connection.execute("SET enable_progress_bar = false")
        try:
            yield connection
        except duckdb.Error as error:
            raise UsageFault(f"{failing}: {error}") from error
        except RuntimeError as error:
            # What a signal's handler raised during a statement is lost in DuckDB; this is all that it says of it.
            if str(error) != _INTERRUPTED:
                raise
            raise KeyboardInterrupt from error


_INTERRUPTED = "Query interrupted"


def succeeds(work: Callable[[], None]) -> bool:
    """Whether DuckDB could do it, for those who know another way."""
    import duckdb  # noqa: PLC0415 - loaded already, by `database`

    try:
        work()
    except duckdb.Error:
        return False
    return True
