"""
How figures are told: a table with goals, the machine, and JSON for programs.
"""

import os
import platform
from collections.abc import Sequence

from msgspec import Struct
from rich.console import Console
from rich.table import Table


class Row(Struct, frozen=True):
    """One measured figure beside its goal."""

    name: str
    value: float
    goal: str
    met: bool
    figures: str


def quantity(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}"


def machine() -> str:
    """What was measured on."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return (
        f"{os.cpu_count()} cores, {model}, {platform.system()} {platform.release()}, "
        f"CPython {platform.python_version()}"
    )


def _lines(path: str) -> Sequence[str]:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a one-line read of a system file
            return file.readlines()
    except OSError:
        return ()


def show(rows: Sequence[Row]) -> None:
    table = Table("what", "value", "goal", "", "figures", title=machine())
    for row in rows:
        table.add_row(
            row.name, f"{row.value:,.2f}", row.goal, "met" if row.met else "MISSED", row.figures
        )
    Console(width=160).print(table)
