"""
The same records in every format.
"""

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

FORMATS = ("jsonl", "array", "csv", "semicolons", "parquet", "jsonl.gz", "csv.gz", "array.gz")
Records = Sequence[Mapping[str, Any]]


def write(folder: Path, format: str, records: Records) -> Path:
    """Writes records; its name tells nothing about the format."""
    path = folder / f"file-{FORMATS.index(format)}"
    if format == "parquet":
        return _parquet(path, records)
    plain = format.removesuffix(".gz")
    if plain == "jsonl":
        content = "".join(json.dumps(record) + "\n" for record in records)
    elif plain == "array":
        content = json.dumps(records, indent=1)
    else:
        content = _csv(records, ";" if plain == "semicolons" else ",")
    body = content.encode()
    path.write_bytes(gzip.compress(body) if format.endswith(".gz") else body)
    return path


def _csv(records: Records, delimiter: str) -> str:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for record in records for name in record))
    writer = csv.DictWriter(text, columns, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _parquet(path: Path, records: Records) -> Path:
    source = path.with_suffix(".json")
    source.write_text(json.dumps(list(records)))
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            "COPY (SELECT * FROM read_json($1)) TO $2 (FORMAT parquet)",
            [str(source), str(path)],
        )
    source.unlink()
    return path
