"""
`endcap artifact`: what was built, and the way back.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from endcap.clock import system_clock
from endcap.domain import Micros, TrackerId
from endcap.publishing import build_and_publish
from endcap.recommend.build import quietly
from tests.cli.driver import TRACKER, Shell
from tests.cli.test_build import order, status

DAY = 86_400_000_000
NOWHERE = "20200101T000000Z-00000000"


@pytest.fixture
def built(shell: Shell) -> list[str]:
    """Three artifacts, oldest first; the last one is served."""
    names = []
    parts = shell.parts()
    for day, item in enumerate(("/p/2", "/p/3", "/p/4")):
        order(shell, "/p/1", item)
        done = build_and_publish(
            parts.store,
            shell.data_dir,
            TrackerId(TRACKER),
            actor="test",
            now=Micros(system_clock() - (9 - day) * DAY),
            progress=quietly,
        )
        names.append(done.artifact)
    parts.store.close()
    return names


def listed(shell: Shell) -> dict[str, Any]:
    found: dict[str, Any] = shell.json("artifact", "list", "--tracker", TRACKER)
    return found


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def folder(shell: Shell) -> Path:
    return shell.data_dir / "artifacts" / TRACKER


def test_artifacts_are_listed_newest_first(shell: Shell, built: list[str]) -> None:
    """With what they know; one of them is served."""
    found = listed(shell)

    assert found["served"] == built[2]
    assert [each["artifact"] for each in found["artifacts"]] == built[::-1]
    assert [each["served"] for each in found["artifacts"]] == [True, False, False]
    assert [each["items"] for each in found["artifacts"]] == [4, 3, 2]
    assert all(each["bytes"] > 0 and each["readable"] for each in found["artifacts"])
    shown = shell.call("artifact", "list", "--tracker", TRACKER).stdout
    assert "served" in shown


def test_before_the_first_build_there_is_a_next_step(shell: Shell) -> None:
    """Not an empty table."""
    assert "endcap build" in shell.call("artifact", "list", "--tracker", TRACKER).stderr
    assert listed(shell) == {"tracker": TRACKER, "served": None, "artifacts": []}
    assert "none yet" in shell.fault("artifact", "show", NOWHERE, "--tracker", TRACKER, code=2)


def test_an_artifact_is_shown_with_who_published_it(shell: Shell, built: list[str]) -> None:
    """By default the one that is served."""
    shell.call("artifact", "rollback", built[0], "--tracker", TRACKER, "--by", "ann")

    shown = shell.json("artifact", "show", "--tracker", TRACKER)

    assert shown["artifact"] == built[0]
    assert [each["by"] for each in shown["published"]] == ["test", "ann"]
    assert set(shown["manifest"]["files"]) == {
        each.name for each in (folder(shell) / built[0]).iterdir()
    } - {"manifest.json"}
    text = shell.call("artifact", "show", built[1], "--tracker", TRACKER).stdout
    assert "by test" in text
    assert "neighbours.npy" in text


def test_going_back_serves_the_one_before(shell: Shell, built: list[str]) -> None:
    """And once more the one before that; then there is none."""
    for name in (built[1], built[0]):
        report = shell.json("artifact", "rollback", "--tracker", TRACKER)
        assert report["artifact"] == name
        assert listed(shell)["served"] == name

    said = shell.fault("artifact", "rollback", "--tracker", TRACKER, code=2)
    assert "was built before the one it points to" in " ".join(said.split())
    assert shell.json("artifact", "rollback", built[2], "--tracker", TRACKER)["revision"] == 7
    assert listed(shell)["served"] == built[2]


def test_a_dry_run_changes_nothing(shell: Shell, built: list[str]) -> None:
    """It says what would be served, and whether that is whole."""
    report = shell.json("artifact", "rollback", "--tracker", TRACKER, "--dry-run")
    assert report == {"artifact": built[1], "before": built[2], "fault": None}

    flip(folder(shell) / built[1] / "orders.npy")
    report = shell.json("artifact", "rollback", "--tracker", TRACKER, "--dry-run", code=1)
    assert "checksum of orders.npy" in report["fault"]
    assert listed(shell)["served"] == built[2]


@pytest.mark.parametrize("spoil", [flip, cut, Path.unlink])
def test_a_broken_artifact_is_found_and_not_served(
    shell: Shell, built: list[str], spoil: Callable[[Path], None]
) -> None:
    """`verify` ends with 1 and names it; `rollback` refuses it, and what was served stays."""
    assert [each["ok"] for each in shell.json("artifact", "verify", "--tracker", TRACKER)] == [
        True
    ] * 3
    spoil(folder(shell) / built[1] / "affinities.npy")

    report = shell.json("artifact", "verify", "--tracker", TRACKER, code=1)

    assert {each["artifact"]: each["ok"] for each in report} == {
        built[0]: True,
        built[1]: False,
        built[2]: True,
    }
    assert "affinities.npy" in str(report)
    shell.json("artifact", "verify", built[0], built[2], "--tracker", TRACKER)
    assert "BROKEN" in shell.call("artifact", "verify", "--tracker", TRACKER, code=1).stdout
    assert "The artifact" in shell.fault("artifact", "rollback", "--tracker", TRACKER, code=2)
    assert listed(shell)["served"] == built[2]


def test_a_pause_lasts_until_somebody_ends_it(shell: Shell, built: list[str]) -> None:
    """A build by command, or `resume`."""
    shell.settings["ENDCAP_BUILD_EVERY"] = "6h"
    assert status(shell)["next_at"] is not None

    shell.call("artifact", "rollback", "--tracker", TRACKER, "--pause")
    assert (status(shell)["paused"], status(shell)["next_at"]) == (True, None)
    assert "paused" in shell.call("artifact", "status").stdout
    shell.call("build", "--tracker", TRACKER)
    assert status(shell)["paused"] is False

    shell.call("artifact", "pause", "--tracker", TRACKER)
    assert status(shell)["paused"] is True
    shell.call("artifact", "resume", "--tracker", TRACKER)
    assert status(shell)["paused"] is False


def test_pruning_deletes_what_nobody_needs(shell: Shell, built: list[str]) -> None:
    """Not what was served a moment ago, however few are to be kept; leftovers always."""
    (folder(shell) / ".spill-killed").mkdir()
    none = shell.json("artifact", "prune", "--tracker", TRACKER, "--keep", "0", "--dry-run")
    assert none == {"artifacts": [], "leftovers": [".spill-killed"], "bytes": 0}

    for name in built[:2]:
        os.utime(folder(shell) / name, (1_600_000_000, 1_600_000_000))
    done = shell.json("artifact", "prune", "--tracker", TRACKER, "--keep", "0")

    assert done["artifacts"] == [built[1], built[0]]
    assert done["bytes"] > 0
    assert [each.name for each in folder(shell).iterdir()] == [built[2]]
    assert "0 artifacts" in shell.call("artifact", "prune", "--tracker", TRACKER).stdout


def test_the_status_is_of_all_trackers(shell: Shell) -> None:
    """Or of one; a failure says why, and how often."""
    shell.create_tracker("another")
    shell.call("build", "--tracker", TRACKER, code=2)
    shell.call("build", "--tracker", TRACKER, code=2)

    found = {each["tracker"]: each for each in shell.json("artifact", "status")}
    assert found["another"]["result"] is None
    assert (found[TRACKER]["result"], found[TRACKER]["failures"]) == ("failed", 2)
    (one,) = shell.json("artifact", "status", "--tracker", "another")
    assert one["built_at"] is None
    shown = " ".join(shell.call("artifact", "status").stdout.replace("│", " ").split())
    assert "(2 in a row)" in shown
    assert "never" in shown
