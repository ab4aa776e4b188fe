"""
`endcap import customizations` and `endcap export customizations`: out and in again.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.driver import TRACKER, Json, Shell, unwrapped

RULES: list[Json] = [
    {
        "model": "basket",
        "target_type": "item",
        "target_identity": "/p/123",
        "tags": ["black friday", "müller, strings"],
        "pin_definitions": [
            {"position": 1, "pin_type": "item", "pin_identity": "/p/555"},
            {
                "position": -1,
                "pin_type": "criteria",
                "pin_criteria": [
                    {"field": "brand", "operator": "=", "value": 'Fender "Custom"'},
                    {"field": "price_amount", "operator": "<", "value": 99.5},
                ],
                "active_from": "2025-11-28T00:00:00Z",
                "active_to": "2025-12-01T00:00:00Z",
            },
        ],
    },
    {
        "model": "trends",
        "target_type": "all",
        "pin_definitions": [{"position": 0, "pin_type": "item", "pin_identity": "/p/9"}],
    },
]
ANEW = ("id", "created_at", "updated_at")


def said_by_people(customizations: list[Json]) -> list[Json]:
    """Without what the server makes anew."""
    return [
        {key: value for key, value in each.items() if key not in ANEW} for each in customizations
    ]


def rules(folder: Path, *bodies: Any) -> Path:
    file = folder / "rules.json"
    file.write_text(json.dumps(bodies))
    return file


def test_an_array_becomes_customizations(shell: Shell, tmp_path: Path) -> None:
    """With ids of their own, in the file's order; each model is counted."""
    file = rules(tmp_path, *RULES)

    said = shell.call("import", "customizations", file, "--tracker", TRACKER)

    made = shell.customizations()
    assert said.stdout == "Stored 2 customizations with 3 pins (1 basket, 1 trends).\n"
    assert [each["model"] for each in made] == ["basket", "trends"]
    assert made[0]["pin_definitions"] == RULES[0]["pin_definitions"]
    assert made[0]["creator"] == "api"


@pytest.mark.parametrize("format", ["json", "ndjson", "csv"])
def test_what_is_exported_is_imported_as_it_was(empty: Shell, tmp_path: Path, format: str) -> None:
    """Into another tracker: all that people said of it is the same, in the same order."""
    for tracker in (TRACKER, "copy"):
        empty.create_tracker(tracker)
    empty.call("import", "customizations", rules(tmp_path, *RULES), "--tracker", TRACKER)
    out = tmp_path / "exported"

    said = empty.call(
        "export", "customizations", "--tracker", TRACKER, "--format", format, "--out", out
    )
    empty.call("import", "customizations", out, "--tracker", "copy")

    copied = json.loads(empty.call("export", "customizations", "--tracker", "copy").stdout)
    assert said.stdout == ""
    assert said_by_people(copied) == said_by_people(empty.customizations())
    assert {each["id"] for each in copied}.isdisjoint(each["id"] for each in empty.customizations())


def test_importing_twice_adds(shell: Shell, tmp_path: Path) -> None:
    """What is there already stays."""
    file = rules(tmp_path, *RULES)

    for _ in range(2):
        shell.call("import", "customizations", file, "--tracker", TRACKER)

    assert len(shell.customizations()) == 4


def test_the_report_in_json(shell: Shell, tmp_path: Path) -> None:
    """And a dry run's has no revision."""
    file = rules(tmp_path, *RULES)

    tried = shell.json("import", "customizations", file, "--tracker", TRACKER, "--dry-run")
    done = shell.json("import", "customizations", file, "--tracker", TRACKER)

    assert tried == {**done, "revision": None}
    assert done["customizations"] == 2
    assert done["pins"] == 3
    assert done["models"] == {"basket": 1, "trends": 1}
    assert done["revision"] == shell.revision()


def test_faulty_customizations_are_named_by_line_and_nothing_is_stored(
    shell: Shell, tmp_path: Path
) -> None:
    """The one between them that is right is not stored either."""
    file = rules(tmp_path, {"model": "basket"}, RULES[0], {**RULES[1], "pin_definitions": [{}]})

    said = shell.fault("import", "customizations", file, "--tracker", TRACKER)
    error = shell.json("import", "customizations", file, "--tracker", TRACKER, code=1)["error"]

    assert [line[:8] for line in said.splitlines()[1:]] == ["  line 1", "  line 3"]
    assert list(error["details"]) == ["line 1", "line 3"]
    assert shell.customizations() == []


def test_an_export_of_nothing_is_an_empty_array(shell: Shell) -> None:
    """Not an empty file, which no reader of JSON takes."""
    assert shell.customizations() == []


def test_the_export_is_utf8_and_goes_to_standard_output(shell: Shell, tmp_path: Path) -> None:
    """A line a customization, to pipe into other programs."""
    shell.call("import", "customizations", rules(tmp_path, *RULES), "--tracker", TRACKER)

    said = shell.call("export", "customizations", "--tracker", TRACKER, "--format", "ndjson")

    assert [json.loads(line)["model"] for line in said.stdout.splitlines()] == ["basket", "trends"]
    assert "müller" in said.stdout_bytes.decode("utf-8")
    assert said.stderr == ""


def test_an_export_replaces_a_file_when_it_is_complete(shell: Shell, tmp_path: Path) -> None:
    """Beside it nothing stays."""
    out = tmp_path / "out" / "rules.json"
    out.parent.mkdir()
    out.write_text("before")

    said = shell.call("export", "customizations", "--tracker", TRACKER, "--out", out)

    assert out.read_text() == "[]\n"
    assert [each.name for each in out.parent.iterdir()] == ["rules.json"]
    assert f"Wrote {out}" in said.stderr


def test_a_file_that_cannot_be_written_is_told(shell: Shell, tmp_path: Path) -> None:
    """Not a traceback."""
    out = tmp_path / "no" / "such" / "folder.json"

    said = shell.fault("export", "customizations", "--tracker", TRACKER, "--out", out)

    assert f"{out} cannot be written: No such file or directory" in unwrapped(said)


def test_an_export_of_an_unknown_tracker_is_refused(shell: Shell, tmp_path: Path) -> None:
    """And no file is made."""
    out = tmp_path / "rules.json"

    shell.fault("export", "customizations", "--tracker", "nowhere", "--out", out)

    assert not out.exists()


def test_an_export_needs_no_private_keys(shell: Shell, tmp_path: Path) -> None:
    """Whoever lost the master key still gets the rules out; that the keys cannot be opened is logged."""
    shell.call("import", "customizations", rules(tmp_path, *RULES), "--tracker", TRACKER)
    moved = Shell(shell.data_dir, ENDCAP_MASTER_KEY="another master key, long enough")

    said = moved.call("export", "customizations", "--tracker", TRACKER)

    assert len(json.loads(said.stdout)) == 2
    assert "private key cannot be opened" in said.stderr
