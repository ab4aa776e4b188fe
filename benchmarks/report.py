"""
How figures are told: goals and tables by measurement, on what machine and when; on the screen, as JSON, on a page.

A report is a file that measurements are added to: one measured again replaces itself and leaves the others.
A page has a pair of marks for each measurement; `rendered` writes what the report holds between them.
"""

import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table as ScreenTable

Cell = str | int | float
_MARKS = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- /measured -->)", re.DOTALL)


class Row(Struct, frozen=True):
    """One measured figure beside its goal."""

    name: str
    value: float
    goal: str
    met: bool
    figures: str


class Table(Struct, frozen=True):
    """Figures that belong together. A name of a column ends in its unit."""

    columns: list[str]
    lines: list[list[Cell]]


class Findings(Struct, frozen=True):
    """What one measurement found."""

    rows: list[Row] = []
    tables: list[Table] = []


class Measured(Struct, frozen=True):
    """Findings, and under which circumstances."""

    machine: str
    date: str
    size: str
    rounds: int
    round_seconds: float
    load_average: float
    """When it began: what else the machine did."""
    took_seconds: int
    findings: Findings


Report = dict[str, Measured]
"""Measurement → what was found last."""


def step(text: str) -> None:
    """A line of progress."""
    print(f"  {text}", file=sys.stderr, flush=True)


def at_least(name: str, value: float, goal: float, figures: str, *, first: float = 0) -> Row:
    """`first` is a goal of before, shown beside."""
    before = f" (first {first:g})" if first else ""
    return Row(name, value, f"≥ {goal:g}{before}", value >= goal, figures)


def at_most(name: str, value: float, goal: float, figures: str, *, unit: str = "") -> Row:
    return Row(name, value, f"≤ {goal:g}{unit and ' ' + unit}", value <= goal, figures)


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


def load_average() -> float:
    return os.getloadavg()[0]


def _lines(path: str) -> Sequence[str]:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a one-line read of a system file
            return file.readlines()
    except OSError:
        return ()


def read(path: Path) -> Report:
    return msgspec.json.decode(path.read_bytes(), type=Report) if path.exists() else {}


def write(path: Path, report: Report) -> None:
    text = msgspec.json.format(msgspec.json.encode(report, order="sorted"), indent=2)
    path.write_bytes(text + b"\n")


def written(value: Cell) -> str:
    """Three digits of a measured value are told; more would be noise. Counts are whole."""
    match value:
        case str():
            return value
        case int():
            return f"{value:,}"
        case _ if abs(value) >= 100:
            return f"{value:,.0f}"
        case _ if abs(value) >= 10:
            return f"{value:.1f}"
        case _:
            return f"{value:.2f}"


def show(report: Mapping[str, Measured]) -> None:
    console = Console(width=160)
    rows = ScreenTable("what", "value", "goal", "", "figures", title=machine())
    for measured in report.values():
        for row in measured.findings.rows:
            rows.add_row(row.name, written(row.value), row.goal, _verdict(row), row.figures)
    if rows.row_count:
        console.print(rows)
    for name, measured in report.items():
        for table in measured.findings.tables:
            drawn = ScreenTable(*table.columns, title=name)
            for line in table.lines:
                drawn.add_row(*map(written, line))
            console.print(drawn)


def _verdict(row: Row) -> str:
    return "met" if row.met else "MISSED"


def rendered(page: str, report: Mapping[str, Measured]) -> str:
    """The page with what the report holds between its marks. What was not measured stays as it is."""

    def filled(found: re.Match[str]) -> str:
        measured = report.get(found[2])
        return found[0] if measured is None else f"{found[1]}\n{_markdown(measured)}\n{found[3]}"

    return _MARKS.sub(filled, page)


def _markdown(measured: Measured) -> str:
    rounds = "1 round" if measured.rounds == 1 else f"medians of {measured.rounds} rounds"
    when = f"{measured.date}, size {measured.size}, {rounds} of {measured.round_seconds:g} s"
    parts = [f"*{when}; {measured.machine}; load average {measured.load_average:.1f} before.*\n"]
    parts += [_table(table.columns, table.lines) for table in measured.findings.tables]
    if measured.findings.rows:
        lines: list[list[Cell]] = [
            [row.name, row.value, row.goal, "yes" if row.met else "**no**", row.figures]
            for row in measured.findings.rows
        ]
        parts.append(_table(["goal", "value", "wanted", "met", "figures"], lines))
    return "\n".join(parts)


def _table(columns: Sequence[str], lines: Sequence[Sequence[Cell]]) -> str:
    drawn = [list(columns), ["---"] * len(columns), *(list(map(written, line)) for line in lines)]
    return "".join(f"| {' | '.join(line)} |\n" for line in drawn)
