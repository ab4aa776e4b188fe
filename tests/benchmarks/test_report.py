"""
Figures come on the page as they were measured.
"""

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.__main__ import MEASUREMENTS
from benchmarks.report import Findings, Measured, Row, Table

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "benchmarks/figures.json"
PAGE = """\
# Speed

<!-- measured: rules -->
old
<!-- /measured -->

Between.

<!-- measured: peer -->
<!-- /measured -->
"""


def _measured(findings: Findings) -> Measured:
    return Measured(
        machine="2 cores",
        date="2026-11-21",
        size="quick",
        rounds=3,
        round_seconds=1.0,
        load_average=0.52,
        took_seconds=9,
        findings=findings,
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("SQLite", "SQLite"),
        (1_000_000, "1,000,000"),
        (4321.4, "4,321"),
        (61.44, "61.4"),
        (1.2345, "1.23"),
        (-0.5, "-0.50"),
        (0.0, "0.00"),
    ],
)
def test_values_have_three_digits_and_counts_have_all(value: report.Cell, shown: str) -> None:
    """What was measured is told as exactly as it was known; what was chosen is told whole."""
    assert report.written(value) == shown


def test_page_gets_tables_and_goals_between_its_marks() -> None:
    """Date, circumstances, the table and the goals replace what stood there; the rest of the page stays."""
    findings = Findings(
        [Row("p50, 10 : 1", 1.5, "≤ 1.3", False, "of 5")],
        [Table(["rules", "p50 ms"], [[1, 3.456], [10, 5.0]])],
    )

    page = report.rendered(PAGE, {"rules": _measured(findings)})

    assert page == PAGE.replace(
        "old\n",
        """
*2026-11-21, size quick, medians of 3 rounds of 1 s; 2 cores; load average 0.5 before.*

| rules | p50 ms |
| --- | --- |
| 1 | 3.46 |
| 10 | 5.00 |

| goal | value | wanted | met | figures |
| --- | --- | --- | --- | --- |
| p50, 10 : 1 | 1.50 | ≤ 1.3 | **no** | of 5 |

""",
    )


def test_page_rendered_twice_is_the_same() -> None:
    """Refreshing a page that is fresh changes nothing."""
    found = {"peer": _measured(Findings([], [Table(["a"], [["|b"]])]))}

    once = report.rendered(PAGE, found)

    assert report.rendered(once, found) == once


def test_measured_again_replaces_itself_only(tmp_path: Path) -> None:
    """A report keeps what was measured before under other names."""
    path = tmp_path / "figures.json"
    first, second = _measured(Findings()), _measured(Findings([Row("a", 1, "", True, "")]))

    report.write(path, {"rules": first, "peer": first})
    report.write(path, {**report.read(path), "peer": second})

    assert report.read(path) == {"rules": first, "peer": second}


@pytest.mark.parametrize("name", ["performance.md", "comparison.md", "quality.md", "scale.md"])
def test_published_figures_are_those_of_the_report(name: str) -> None:
    """A page shows what benchmarks/figures.json holds: nobody typed a figure."""
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")

    assert report.rendered(page, report.read(FIGURES)) == page


def test_every_measurement_has_its_place_on_the_page() -> None:
    """What scripts/bench can measure has marks on one of these pages, and nothing else is kept."""
    pages = "".join(
        (ROOT / "docs" / name).read_text(encoding="utf-8")
        for name in ("performance.md", "quality.md")
    )

    assert [name for name in MEASUREMENTS if f"<!-- measured: {name} -->" not in pages] == []
    assert set(report.read(FIGURES)) <= set(MEASUREMENTS)
