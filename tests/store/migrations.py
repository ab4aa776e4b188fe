"""
The migrations of a store, as the files in the package name them.
"""

from pathlib import Path

import endcap.store

SQL = Path(endcap.store.__file__).parent / "sql"


def migrations_for(url: str) -> list[str]:
    """Of the database behind this URL, in the order in which they are applied."""
    dialect = url.split(":", 1)[0].replace("postgresql", "postgres")
    return sorted(path.stem for path in (SQL / dialect / "migrations").glob("*.sql"))
