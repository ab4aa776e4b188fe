"""
Reads the SQL that lies beside this module: named queries and numbered migrations, one folder an adapter.

`queries.sql` opens with a comment on its own format. Then, for each query, a line `-- name: fetch_tracker`, a comment
on what it is for, and the SQL up to the next name. `{rows}` and the like are filled in by the adapter, with texts of
its own and never with a caller's. `migrations/0001_what_it_brings.sql` are applied once each, in order of their names.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def queries(adapter: str) -> Mapping[str, str]:
    """Name → SQL, without the comments."""
    _, *pieces = NAME.split((_folder(adapter) / "queries.sql").read_text("utf-8"))
    return {
        name: "\n".join(line for line in text.splitlines() if line and not line.startswith("--"))
        for name, text in zip(pieces[::2], pieces[1::2], strict=True)
    }


def migrations(adapter: str) -> Sequence[tuple[str, str]]:
    """Name and SQL of every migration, in the order in which they apply."""
    folder = _folder(adapter) / "migrations"
    return sorted(
        (each.name.removesuffix(".sql"), each.read_text("utf-8"))
        for each in folder.iterdir()
        if each.name.endswith(".sql")
    )


def _folder(adapter: str) -> Traversable:
    return files("endcap.store") / "sql" / adapter
