"""
`endcap copy`, and exports that were chosen or go into a folder.
"""

import json
from pathlib import Path

import pytest

from tests.cli.driver import TRACKER, Json, Shell, unwrapped

RULES: list[Json] = [
    {
        "model": model,
        "target_type": "item",
        "target_identity": identity,
        "tags": tags,
        "pin_definitions": [{"position": 1, "pin_type": "item", "pin_identity": "/p/1"}],
    }
    for model, identity, tags in (
        ("basket", "/p/2", ["sale"]),
        ("basket", "/p/3", []),
        ("trends", "/p/2", ["sale"]),
    )
]
OTHER = "8765-4321"


@pytest.fixture
def shop(shell: Shell) -> Shell:
    """Two trackers; one has rules."""
    shell.create_tracker(OTHER)
    shell.put_customizations(*RULES)
    return shell


def copied(shop: Shell) -> list[Json]:
    found: list[Json] = json.loads(shop.call("export", "customizations", "--tracker", OTHER).stdout)
    return found


def test_a_copy_is_made_once(shop: Shell) -> None:
    """The second changes nothing."""
    call = ("copy", "--from", TRACKER, "--to", OTHER)

    dry = shop.call(*call, "--dry-run")
    assert copied(shop) == []
    done = shop.call(*call, "--yes")
    again = shop.call(*call, "--yes")

    assert "3 to create" in dry.stdout
    assert "Applied: 3 created" in done.stdout
    assert "No changes" in again.stdout
    assert [each["id"] for each in copied(shop)] == [each["id"] for each in shop.customizations()]


def test_a_copy_of_some(shop: Shell) -> None:
    """By what the options say, all of them together."""
    shop.call("copy", "--from", TRACKER, "--to", OTHER, "--tag", "sale", "--model", "basket", "--yes")  # fmt: skip

    (one,) = copied(shop)
    assert (one["model"], one["target_identity"]) == ("basket", "/p/2")


def test_a_copy_with_a_map(shop: Shell, tmp_path: Path) -> None:
    """What it does not have is told, and refused unless it shall be kept."""
    identities = tmp_path / "map.csv"
    identities.write_text("from,to\n/p/1,/c/1\n/p/2,/c/2\n")
    call = ("copy", "--from", TRACKER, "--to", OTHER, "--map", identities)

    refused = shop.call(*call, "--yes", code=1)
    assert copied(shop) == []
    shop.call(*call, "--yes", "--unmapped", "keep")

    assert "/p/3: named once" in refused.stderr
    assert [each["target_identity"] for each in copied(shop)] == ["/c/2", "/p/3", "/c/2"]
    assert {each["pin_definitions"][0]["pin_identity"] for each in copied(shop)} == {"/c/1"}


def test_a_copy_onto_itself_is_a_mistake(shop: Shell) -> None:
    """And --unmapped without a map is one."""
    shop.fault("copy", "--from", TRACKER, "--to", TRACKER, "--yes", code=2)
    shop.fault("copy", "--from", TRACKER, "--to", OTHER, "--unmapped", "keep", code=2)


def test_an_export_of_some(shop: Shell) -> None:
    """The filters of the list."""

    def models(*options: str) -> list[str]:
        said = shop.call("export", "customizations", "--tracker", TRACKER, *options)
        return [each["model"] for each in json.loads(said.stdout)]

    assert models("--tag", "sale") == ["basket", "trends"]
    assert models("--tag", "sale", "--model", "trends") == ["trends"]
    assert models("--target-identity", "/p/3", "--target-identity", "/p/2") == [
        "basket",
        "basket",
        "trends",
    ]
    assert models("--target-type", "all") == []


@pytest.mark.parametrize("name", ["r.json", "r.ndjson", "r.csv", "r.yaml", "r.xlsx"])
def test_an_export_by_its_name_plans_to_no_changes(shop: Shell, tmp_path: Path, name: str) -> None:
    """In every format that there is."""
    out = tmp_path / name

    shop.call("export", "customizations", "--tracker", TRACKER, "--out", out)
    said = shop.call("plan", out, "--tracker", TRACKER, "--detailed-exit-code")

    assert "3 customizations are as they should be" in said.stdout


def test_an_export_into_a_folder(shop: Shell, tmp_path: Path) -> None:
    """One file each, called after what it is for; renewed only where that is asked for, and only ours."""
    folder = tmp_path / "rules"
    call = ("export", "customizations", "--tracker", TRACKER, "--out-dir", folder)
    first = shop.call(*call)
    names = sorted(each.name for each in folder.iterdir())
    (folder / "mine.yaml").write_text("# my own\n")

    refused = shop.fault(*call, code=2)
    renewed = shop.call(*call, "--replace", "--model", "trends")

    ids = sorted(each["id"][:8] for each in shop.customizations())
    assert sorted(name.removesuffix(".yaml")[-8:] for name in names) == ids
    assert {name[:-14] for name in names} == {"basket-p-2", "basket-p-3", "trends-p-2"}
    assert "Wrote 3 files" in unwrapped(first.stderr)
    assert "--replace renews them" in unwrapped(refused)
    assert "Wrote 1 files" in unwrapped(renewed.stderr)
    assert "removed 2" in unwrapped(renewed.stderr)
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    "options",
    [["--out", "a", "--out-dir", "b"], ["--replace"], ["--out-dir", "b", "--format", "csv"]],
)
def test_exports_that_cannot_be_meant(shop: Shell, options: list[str]) -> None:
    """Are refused with what would do."""
    shop.fault("export", "customizations", "--tracker", TRACKER, *options, code=2)
