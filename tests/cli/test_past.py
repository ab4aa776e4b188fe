"""
`endcap history`, `endcap restore`, `endcap undo`, `endcap draft` and `endcap audit`.
"""

import csv
import io
import json
from pathlib import Path

import pytest

from endcap.domain import CustomizationId, TrackerId
from endcap.store.writes import CreateCustomization, DeleteCustomization, SaveDraft
from endcap.wire.customizations import read_definition
from tests.cli.driver import TRACKER, Shell, unwrapped

BODY = b'{"model":"basket","target_type":"all","tags":["%s"],"pin_definitions":[]}'
WHERE = TrackerId(TRACKER)
IDS = [CustomizationId(f"199620b4-df1a-46e8-ab59-9e9ed9af710{n}") for n in range(3)]
AT = ("--tracker", TRACKER)


@pytest.fixture
def worked(shell: Shell) -> Shell:
    """Three customizations, of which ann deleted two at one instant, and a draft."""
    parts = shell.parts()
    definition = read_definition(BODY.replace(b"%s", b"old"))
    now = parts.service.clock()
    parts.store.commit([CreateCustomization(WHERE, each, definition, "api", now) for each in IDS])
    later = parts.service.clock()
    parts.store.commit([DeleteCustomization(WHERE, each, "ann", later) for each in IDS[:2]])
    draft = read_definition(BODY.replace(b"%s", b"new"))
    parts.store.commit([SaveDraft(WHERE, IDS[2], draft, 4, "bob", parts.service.clock())])
    parts.close()
    return shell


def live(shell: Shell) -> list[str]:
    file = shell.data_dir / "out.json"
    shell.call("export", "customizations", *AT, "--out", file)
    return sorted(each["id"] for each in json.loads(file.read_text()))


def test_history_tells_actions_and_versions(worked: Shell) -> None:
    """Of a tracker, the last first; of one customization, with what each change was."""
    actions = worked.json("history", *AT)
    versions = worked.json("history", *AT, IDS[0])
    said = unwrapped(worked.call("history", *AT, IDS[0].upper()).stdout)

    assert [(each["actor"], each["did"]) for each in actions] == [
        ("bob", "Saved a draft"),
        ("ann", "Deleted 2 customizations"),
        ("api", "Created 3 customizations"),
    ]
    assert [each["action"] for each in versions] == ["delete", "create"]
    assert versions[1]["version"]["tags"] == ["old"]
    assert "No longer tagged old" in said
    worked.call("history", *AT)
    assert "Customization not found" in worked.fault("history", *AT, "nobody")


def test_an_action_is_undone(worked: Shell) -> None:
    """Shown first; then both come back at once."""
    action = worked.json("history", *AT)[1]["revision"]
    shown = worked.json("undo", *AT, "--revision", action, "--dry-run")
    assert (shown["created"], shown["revision"], shown["action"]["actor"]) == (2, None, "ann")
    assert live(worked) == [IDS[2]]

    said = unwrapped(worked.call("undo", *AT, "--revision", action).stdout)

    assert "2 created, 0 changed, 0 deleted (customizations)" in said
    assert live(worked) == IDS
    again = worked.call("undo", *AT, "--revision", action, code=1)
    assert "is left alone: It was changed by someone else since" in unwrapped(again.stderr)
    worked.call("undo", *AT)
    assert live(worked) == [IDS[2]]


def test_a_tracker_is_restored(worked: Shell) -> None:
    """To a revision, or to a moment."""
    created = worked.json("history", *AT)[2]["revision"]
    shown = worked.json("restore", *AT, "--to", created, "--dry-run")
    assert (shown["created"], shown["to"], shown["revision"]) == (2, created, None)

    worked.call("restore", *AT, "--to", created)
    assert live(worked) == IDS
    done = worked.json("restore", *AT, "--at", "2020-01-01T00:00:00Z")

    assert (done["deleted"], live(worked)) == (3, [])


def test_one_customization_is_restored(worked: Shell) -> None:
    """Under its id."""
    version = worked.json("history", *AT, IDS[1])[1]["revision"]

    worked.call("restore", *AT, "--customization", IDS[1], "--to", version, "--dry-run")
    assert live(worked) == [IDS[2]]
    worked.json("restore", *AT, "--customization", IDS[1], "--to", version)

    assert live(worked) == IDS[1:]


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--at", "2020-01-01", "--to", "3"),
        ("--at", "2999-01-01"),
        ("--at", "2020-01-01", "--customization", IDS[0]),
        ("--to", "9" * 19),
    ],
)
def test_what_cannot_be_restored_is_said(worked: Shell, flags: tuple[str, ...]) -> None:
    """Before anything is done, with what to say instead."""
    worked.fault("restore", *AT, *flags, code=2)


def test_what_is_not_there_is_said(worked: Shell) -> None:
    """A revision that did nothing to customizations, a version that is none, a tracker without a past."""
    assert "There is nothing to undo" in worked.fault("undo", *AT, "--revision", "1")
    version = ("--customization", IDS[0], "--to", "999")
    assert "no version of this revision" in worked.fault("restore", *AT, *version)
    deleted = str(worked.json("history", *AT, IDS[0])[0]["revision"])
    assert "deleted it" in worked.fault("restore", *AT, "--customization", IDS[0], "--to", deleted)
    worked.call("tracker", "create", "empty", "--private-key", "its_key")

    assert worked.json("history", "--tracker", "empty") == []
    assert "Nothing was done" in worked.call("history", "--tracker", "empty").stderr
    assert "There is nothing to undo" in worked.fault("undo", "--tracker", "empty")
    assert worked.json("restore", "--tracker", "empty", "--at", "2020-01-01")["revision"] is None


def test_drafts_are_listed_published_and_discarded(worked: Shell) -> None:
    """Now, or at a time that can be taken back; in the past there is none."""
    (draft,) = worked.json("draft", "list", *AT)
    assert (draft["id"], draft["author"], draft["base"]) == (IDS[2], "bob", 4)
    worked.call("draft", "list", *AT)
    at = ("--at", "2031-01-01T06:00:00Z")
    assert "1 Jan 2031, 06:00 UTC" in worked.call("draft", "publish", *AT, IDS[2], *at).stdout
    assert worked.json("draft", "list", *AT)[0]["publish_at"] == at[1]
    worked.call("draft", "publish", *AT, IDS[2], "--not-at-all")
    worked.fault("draft", "publish", *AT, IDS[2], "--at", "2020-01-01")

    worked.call("draft", "publish", *AT, IDS[2])

    assert worked.json("draft", "list", *AT) == []
    assert "There are no drafts" in worked.call("draft", "list", *AT).stderr
    assert "This customization has no draft" in worked.fault("draft", "discard", *AT, IDS[2])
    worked.call("undo", *AT)
    worked.call("draft", "discard", *AT, IDS[2])


def test_the_audit_log_is_printed(worked: Shell, tmp_path: Path) -> None:
    """As a table, or all of it for programs, of one tracker or of everything."""
    worked.call("user", "create", "ann", "--generate")

    lines = [
        json.loads(each)
        for each in worked.call("audit", "--format", "jsonl").stdout.split("\n")
        if each
    ]
    table = list(csv.DictReader(io.StringIO(worked.call("audit", *AT, "--format", "csv").stdout)))
    mine = worked.call(
        "audit", "--who", "ann", "--what", "customization", "--format", "jsonl"
    ).stdout
    accounts = worked.call("audit", "--accounts", "--done", "created", "--format", "jsonl").stdout

    assert {"customization", "draft", "tracker", "account"} <= {each["kind"] for each in lines}
    assert [each["at"] for each in lines] == sorted((each["at"] for each in lines), reverse=True)
    assert {each["tracker"] for each in table} == {TRACKER}
    assert len(mine.splitlines()) == 2
    assert json.loads(accounts)["subject"] == "ann"
    assert IDS[0][:8] in worked.call("audit").stdout
    assert worked.call("audit", "--since", "2999-01-01", "--format", "jsonl").stdout == ""
    worked.fault("audit", "--since", "soon")
