"""
`endcap build`: one process a tracker, what it learned served, what went wrong on record.
"""

import json
from pathlib import Path

import duckdb

from endcap.clock import system_clock
from endcap.domain import TrackerId
from endcap.lease import claim
from endcap.recommend.build import prepare, queries, recipe
from endcap.recommend.rows import ABOUT, ROWS_FORMAT
from tests.cli.driver import TRACKER, Shell
from tests.recommend.shelf import NOW

SHOP = TrackerId(TRACKER)


def order(shell: Shell, *items: str) -> None:
    """Five orders of these items together."""
    file = shell.data_dir / "orders.jsonl"
    file.write_text(
        "".join(
            json.dumps({"order_id": f"{items}{n}", "identity": item, "created_at": "2026-10-05"})
            + "\n"
            for n in range(5)
            for item in items
        )
    )
    shell.call("import", "transactions", file, "--tracker", TRACKER)


def status(shell: Shell) -> dict[str, object]:
    (found,) = shell.json("artifact", "status")
    assert isinstance(found, dict)
    return found


def test_a_build_is_served_and_on_record(shell: Shell) -> None:
    """Its report names the artifact, and so does the status."""
    order(shell, "/p/1", "/p/2")

    report = shell.json("build", "--tracker", TRACKER)

    assert report == {"artifact": report["artifact"], "items": 2, "revision": 2}
    known = status(shell)
    assert (known["served"], known["result"], known["failures"]) == (report["artifact"], "built", 0)
    assert known["running"] is None
    assert known["next_at"] is None


def test_people_are_told_what_was_built(shell: Shell) -> None:
    """In words."""
    order(shell, "/p/1", "/p/2")

    said = shell.call("build", "--tracker", TRACKER).stdout

    assert "from the orders of 2 items" in said
    assert "Served since revision 2" in said


def test_without_orders_there_is_a_next_step(shell: Shell) -> None:
    """And a failure on record."""
    said = shell.fault("build", "--tracker", TRACKER, code=2)

    assert "import transactions first" in said
    assert status(shell)["result"] == "failed"
    assert "import transactions first" in str(status(shell)["reason"])


def test_a_tracker_that_is_being_built_is_left_alone(shell: Shell) -> None:
    """The message names who builds; nothing changes."""
    order(shell, "/p/1", "/p/2")
    parts = shell.parts()
    lease = claim(parts.store, SHOP, clock=system_clock)
    lease.begin()
    lease.say("neighbours (2 of 5)")
    try:
        said = shell.fault("build", "--tracker", TRACKER)
        assert "being built by another process" in said
        assert "process" in said
        refused = shell.json("build", "--tracker", TRACKER, code=1)
        assert refused["error"]["code"] == "build_under_way"
        assert status(shell)["running"] is not None
    finally:
        lease.release()
        parts.store.close()

    shell.call("build", "--tracker", TRACKER)


def test_leftovers_of_a_killed_build_are_deleted(shell: Shell) -> None:
    """By the next build, of whatever kind."""
    order(shell, "/p/1", "/p/2")
    folder = shell.data_dir / "artifacts" / TRACKER
    (folder / ".draft-half").mkdir(parents=True)
    (folder / ".draft-half" / "items.json").write_text("[")

    built = shell.json("build", "--tracker", TRACKER)["artifact"]

    assert [each.name for each in folder.iterdir()] == [built]


def rows_of(shell: Shell, folder: Path) -> Path:
    """What a job on a cluster writes; DuckDB counts here what Spark counts in tests/recommend/test_spark.py."""
    files = sorted((shell.data_dir / "orders").glob("*/*.parquet"))
    with duckdb.connect(":memory:") as connection:
        prepare(connection, files, now=NOW)
        about = (
            f"SELECT {ROWS_FORMAT} AS format, {NOW} AS now, false AS views, '{recipe()}' AS recipe, "
            "(SELECT count(*) FROM purchase) AS lines"
        )
        for name, text in {**queries(), ABOUT: about}.items():
            (folder / name).mkdir(parents=True)
            connection.execute(f"COPY ({text}) TO '{folder / name}/part.parquet' (FORMAT parquet)")
    return folder


def test_rows_of_a_cluster_become_an_artifact(shell: Shell, tmp_path: Path) -> None:
    """Named by the time when the job ran, served like any other."""
    order(shell, "/p/1", "/p/2")
    rows = rows_of(shell, tmp_path / "rows")

    report = shell.json("build", "--tracker", TRACKER, "--from", rows)

    assert report["artifact"].startswith("20261101T000000Z-")
    assert report["items"] == 2
    assert status(shell)["served"] == report["artifact"]


def test_rows_that_are_not_whole_are_refused(shell: Shell, tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "rows").mkdir()

    said = shell.fault("build", "--tracker", TRACKER, "--from", tmp_path / "rows", code=2)

    assert "has no rows, or not all of them" in " ".join(said.split())
    assert "leave out --engine" in shell.fault(
        "build", "--tracker", TRACKER, "--from", tmp_path / "rows", "--engine", "spark", code=2
    )
