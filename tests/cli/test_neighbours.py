"""
`endcap neighbours`: lists that another system made.
"""

from pathlib import Path

import pytest

from tests.cli.driver import TRACKER, Shell, unwrapped

ROWS = "item,neighbour,score\n/p/1,/p/2,0.5\n/p/1,/p/3,0.9\n/p/2,/p/1,1\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "similar.csv"
    path.write_text(ROWS)
    return path


def test_a_list_is_imported(shell: Shell, file: Path) -> None:
    """And shown by name."""
    said = shell.call("neighbours", "import", file, "--tracker", TRACKER, "--name", "similar")

    assert said.stdout.startswith("Stored 3 pairs of 2 items and 3 items.\nThe list similar is now")
    (held,) = shell.json("neighbours", "list", "--tracker", TRACKER)
    assert (held["name"], held["kind"], held["file"], held["refused"]) == (
        "similar",
        "items",
        None,
        None,
    )
    assert held["counts"] == {"keys": 2, "items": 3, "pairs": 3}
    shown = unwrapped(shell.call("neighbours", "list", "--tracker", TRACKER).stdout)
    assert "similar items 3" in shown


def test_a_dry_run_stores_nothing(shell: Shell, file: Path) -> None:
    """It tells what would be."""
    arguments = ("neighbours", "import", file, "--tracker", TRACKER, "--name", "similar")

    report = shell.json(*arguments, "--dry-run")

    assert report == {"kind": "items", "keys": 2, "items": 3, "pairs": 3, "version": None}
    assert shell.json("neighbours", "list", "--tracker", TRACKER) == []
    assert (
        shell.call(*arguments, "--dry-run").stdout
        == "Would store 3 pairs of 2 items and 3 items.\n"
    )


def test_columns_are_mapped(shell: Shell, tmp_path: Path) -> None:
    """A list for users."""
    path = tmp_path / "als.csv"
    path.write_text("customer,product,prediction\n7,/p/1,0.1\n")
    maps = ("--map", "user=customer", "--map", "item=product", "--map", "score=prediction")

    report = shell.json(
        "neighbours", "import", path, "--tracker", TRACKER, "--name", "for_user", *maps
    )

    assert (report["kind"], report["keys"], report["items"]) == ("users", 1, 1)
    assert report["version"]


def test_faulty_rows_are_named_and_the_list_stays(shell: Shell, file: Path) -> None:
    """Nothing of the file is taken."""
    arguments = ("neighbours", "import", file, "--tracker", TRACKER, "--name", "similar")
    before = shell.json(*arguments)["version"]
    file.write_text(ROWS + ",/p/4,1\n")

    said = shell.fault(*arguments)

    assert "line 5: item: is missing" in said
    (held,) = shell.json("neighbours", "list", "--tracker", TRACKER)
    assert held["version"] == before


@pytest.mark.parametrize(
    ("name", "said"), [("../x", "letters, digits"), ("", "letters, digits"), ("a.b", "at most 100")]
)
def test_a_name_is_no_path(shell: Shell, file: Path, name: str, said: str) -> None:
    """It is a folder's."""
    arguments = ("neighbours", "import", file, "--tracker", TRACKER, "--name", name)

    assert said in shell.fault(*arguments, code=2)


def test_a_tracker_must_be_there(shell: Shell, file: Path) -> None:
    """For both commands."""
    imported = ("neighbours", "import", file, "--tracker", "nobody", "--name", "similar")

    assert "nobody does not exist" in shell.fault(*imported)
    assert "nobody does not exist" in shell.fault("neighbours", "list", "--tracker", "nobody")


def test_a_file_that_cannot_be_read_is_told(shell: Shell) -> None:
    """With exit code 1, for a monitor."""
    folder = shell.data_dir / "neighbours" / TRACKER / "similar"
    folder.mkdir(parents=True)
    (folder.parent / "similar.csv").write_text("x")
    (folder / "refused.json").write_text('{"state": "1", "reason": "no such column"}')

    said = shell.call("neighbours", "list", "--tracker", TRACKER, code=1)

    assert "similar: similar.csv cannot be read: no such column" in said.stderr
    assert "not read yet" in said.stdout
