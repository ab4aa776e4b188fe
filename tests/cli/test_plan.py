"""
`endcap plan` and `endcap apply`: rules in files, looked at and then stored.
"""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from endcap.transfer.rules import id_of_name
from tests.cli.driver import TRACKER, Json, Shell, unwrapped
from tests.services.server import endcap_command

RULE: Json = {
    "name": "strings",
    "model": "basket",
    "target_type": "all",
    "tags": ["git"],
    "pin_definitions": [{"position": 1, "pin_type": "item", "pin_identity": "/p/1"}],
}
ON = ("--tracker", TRACKER)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with one rule."""
    folder = tmp_path / "rules"
    write(folder, RULE)
    return folder


def write(folder: Path, *rules: Json) -> None:
    folder.mkdir(exist_ok=True)
    for rule in rules:
        (folder / f"{rule['name']}.yaml").write_text(json.dumps(rule))


def test_a_plan_for_people(shell: Shell, rules: Path) -> None:
    """A mark, what it is, and where it stands; nothing is written."""
    said = shell.call("plan", rules, *ON)

    assert said.stdout.splitlines() == [
        f"+ basket, all  strings  {rules}/strings.yaml:1",
        "      1 pin",
        f"Plan for {TRACKER} at revision 1: 1 to create, 0 to change, 0 to delete, 0 unchanged.",
    ]
    assert "/p/1 is not in the catalog" in said.stderr
    assert shell.customizations() == []


def test_applied_twice_the_second_changes_nothing(shell: Shell, rules: Path) -> None:
    """And says so, with the exit code of what is done."""
    first = shell.call("apply", rules, *ON, "--yes")
    revision = shell.revision()
    second = shell.call("apply", rules, *ON, "--yes")

    assert "Applied: 1 created, 0 changed, 0 deleted." in first.stdout
    assert unwrapped(second.stdout) == (
        f"No changes in {TRACKER}: 1 customization is as it should be."
    )
    assert shell.revision() == revision
    assert shell.customizations()[0]["id"] == id_of_name("strings")


def test_a_change_is_shown_field_by_field(shell: Shell, rules: Path) -> None:
    """From what to what."""
    shell.call("apply", rules, *ON, "--yes")
    write(rules, {**RULE, "tags": ["git", "sale"]})

    said = shell.call("plan", rules, *ON)

    assert '      tags: ["git"] → ["git","sale"]' in said.stdout.splitlines()


def test_exit_codes_for_a_pipeline(shell: Shell, rules: Path) -> None:
    """3 where there is something to do, 0 where there is not, 1 where something is refused."""
    shell.call("plan", rules, *ON, "--detailed-exit-code", code=3)
    shell.call("apply", rules, *ON, "--yes")
    shell.call("plan", rules, *ON, "--detailed-exit-code", code=0)
    write(rules, {**RULE, "model": ""})

    said = shell.call("plan", rules, *ON, "--detailed-exit-code", code=1)

    assert "model: Must be a non-empty text" in said.stdout


def test_nothing_is_written_where_a_rule_is_refused(shell: Shell, rules: Path) -> None:
    """All or nothing: the one beside it waits."""
    write(rules, {**RULE, "name": "other", "activ_to": "2025-01-01"})

    said = shell.call("apply", rules, *ON, "--yes", code=1)

    assert "activ_to" in said.stdout
    assert "Nothing was written" in said.stderr
    assert shell.customizations() == []


def test_who_cannot_be_asked_must_have_said_yes(shell: Shell, rules: Path) -> None:
    """A pipeline is no terminal."""
    said = shell.call("apply", rules, *ON, code=2)

    assert "--yes, or --dry-run" in said.stderr
    assert shell.customizations() == []


def test_a_dry_run_writes_nothing(shell: Shell, rules: Path) -> None:
    """It shows the plan and ends well."""
    said = shell.call("apply", rules, *ON, "--dry-run")

    assert "1 to create" in said.stdout
    assert shell.customizations() == []


@pytest.mark.parametrize(("answer", "stored", "code"), [("y", 1, 0), ("n", 0, 1)])
def test_who_can_be_asked_is(
    shell: Shell, rules: Path, answer: str, stored: int, code: int
) -> None:
    """After the plan was shown, on a terminal."""
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [endcap_command(), "apply", str(rules), *ON],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **shell.settings, "TERM": "dumb"},
    )
    os.close(theirs)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(ours, 4_096)

    os.write(ours, f"{answer}\n".encode())
    ended = command.wait(60)
    os.close(ours)

    assert b"1 to create" in shown
    assert ended == code
    assert len(shell.customizations()) == stored


def test_a_plan_for_programs(shell: Shell, rules: Path) -> None:
    """The whole of it, and what applying did."""
    planned = shell.json("plan", rules, *ON)
    applied = shell.json("apply", rules, *ON, "--yes")
    again = shell.json("apply", rules, *ON, "--yes")

    assert planned["steps"][0]["body"]["model"] == "basket"
    assert applied["plan"]["steps"][0]["id"] == planned["steps"][0]["id"]
    assert applied["applied"] == {
        "created": 1,
        "changed": 0,
        "deleted": 0,
        "unchanged": 0,
        "revision": 2,
    }
    assert again["applied"] is None
    assert (again["plan"]["steps"], again["plan"]["unchanged"]) == ([], 1)


def test_a_kept_plan_is_applied_as_it_was_reviewed(
    shell: Shell, rules: Path, tmp_path: Path
) -> None:
    """Whatever the files say by then; once, and not after somebody's change."""
    kept = tmp_path / "plan.json"
    shell.call("plan", rules, *ON, "--out", kept)
    write(rules, {**RULE, "name": "later"})

    shell.call("apply", kept, "--yes")
    again = shell.call("apply", kept, "--yes", code=1)

    assert [each["id"] for each in shell.customizations()] == [id_of_name("strings")]
    assert "The tracker has changed since this plan was made" in again.stderr


def test_a_kept_plan_knows_its_tracker_and_its_scope(
    shell: Shell, rules: Path, tmp_path: Path
) -> None:
    """Another one beside it is a mistake."""
    kept = tmp_path / "plan.json"
    shell.call("plan", rules, *ON, "--out", kept)

    for options in (["--tracker", "other"], ["--prune", "all"], [rules / "strings.yaml"]):
        shell.fault("apply", kept, *options, "--yes", code=2)

    assert shell.customizations() == []


def test_what_the_files_do_not_name_goes_only_in_a_scope(shell: Shell, rules: Path) -> None:
    """By tag, by recommender, or all; and not where the files are empty, unless that is said."""
    shell.put_customizations(
        {**RULE, "tags": ["git"]}, {**RULE, "tags": ["console"], "model": "trends"}
    )

    tagged = shell.call("plan", rules, *ON, "--prune", "tag=git")
    everything = shell.call("plan", rules, *ON, "--prune", "all")
    (rules / "strings.yaml").write_text("customizations: []\n")
    refused = shell.fault("plan", rules, *ON, "--prune", "all", code=2)
    allowed = shell.call("plan", rules, *ON, "--prune", "all", "--allow-empty")

    assert "1 to delete" in tagged.stdout
    assert "2 to delete" in everything.stdout
    assert "all 2 in the scope would be deleted" in unwrapped(refused)
    assert "2 to delete" in allowed.stdout


def test_the_history_says_who_applied(shell: Shell, rules: Path) -> None:
    """The command, as with any other that writes."""
    shell.call("apply", rules, *ON, "--yes")

    parts = shell.parts()
    try:
        (tracker,) = parts.store.trackers()
        lines = list(parts.store.history(tracker.id))
    finally:
        parts.close()
    assert lines[-1].actor == "endcap apply"


def test_an_unknown_recommender_is_refused_where_the_setting_says_so(
    shell: Shell, rules: Path
) -> None:
    """As it is of a client."""
    strict = Shell(shell.data_dir, ENDCAP_UNKNOWN_MODELS="refuse")
    write(rules, {**RULE, "model": "nonesuch"})

    said = strict.call("plan", rules, *ON, code=1)

    assert "Unknown recommender: nonesuch" in said.stdout


@pytest.mark.parametrize("command", [["plan", "x.yaml"], ["apply", "x.yaml", "--yes"]])
def test_a_file_that_is_not_there_is_a_usage_fault(shell: Shell, command: list[str]) -> None:
    """As everywhere."""
    shell.fault(*command, *ON, code=2)


def test_a_tracker_must_be_named(shell: Shell, rules: Path) -> None:
    """Files do not say whose they are."""
    assert "--tracker is missing" in shell.fault("apply", rules, "--yes", code=2)
