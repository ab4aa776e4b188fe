"""
`endcap check`: what it says, how it ends, and what it mends.
"""

import pytest

from tests.cli.driver import TRACKER, Shell, unwrapped

ITEMS = [{"identity": f"/p/{number}", "title": f"Item {number}"} for number in (1, 2)]
GONE = {"active_to": "2025-01-19T12:00:00Z"}


def rule(*pins: dict[str, object], model: str = "trends") -> dict[str, object]:
    return {"model": model, "target_type": "all", "pin_definitions": pins}


def pin(item: str, position: int = 1, **more: object) -> dict[str, object]:
    return {"position": position, "pin_type": "item", "pin_identity": item, **more}


@pytest.fixture
def shop(shell: Shell) -> Shell:
    """Two items; a customization with one sound pin and one that has ended, and one of an unknown item."""
    shell.put_items(*ITEMS)
    shell.put_customizations(
        rule(pin("/p/1"), pin("/p/2", 2, **GONE)), rule(pin("/p/9"), model="basket")
    )
    return shell


def test_what_is_the_matter_is_said_and_fails(shop: Shell) -> None:
    """With what would mend it; the exit code is for pipelines."""
    said = unwrapped(shop.call("check", "--tracker", TRACKER, code=1).stdout)

    assert "It ended on 2025-01-19" in said
    assert "/p/9 is not in the catalog" in said
    assert "remove the pin" in said
    assert "1 errors, 1 warnings, 0 notices in 2 customizations." in said


def test_a_sound_shop_is_said_to_be_well(shell: Shell) -> None:
    """And ends with 0."""
    shell.put_items(*ITEMS)
    shell.put_customizations(rule(pin("/p/1")))

    said = shell.call("check", "--tracker", TRACKER).stdout

    assert said == "All 1 customizations are well.\n"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 1),
        (["--model", "basket"], 1),
        (["--model", "news"], 0),
        (["--model", "trends", "--fail-on", "error"], 0),
        (["--model", "trends", "--fail-on", "warning"], 1),
        (["--fail-on", "never"], 0),
    ],
)
def test_how_it_ends(shop: Shell, options: list[str], code: int) -> None:
    """By the mildest finding that matters, of the recommenders asked for."""
    shop.call("check", "--tracker", TRACKER, *options, code=code)


def test_programs_are_told_the_same(shop: Shell) -> None:
    """Every finding with its code, its customization and pin, and its fix."""
    report = shop.json("check", "--tracker", TRACKER, code=1)

    assert report["counts"] == {"error": 1, "warning": 1, "notice": 0}
    assert {(each["complaint"], each["pin"], each["fix"]) for each in report["findings"]} == {
        ("not_in_catalog", 0, "remove_pin"),
        ("expired", 1, "remove_pin"),
    }


def test_a_dry_run_changes_nothing(shop: Shell) -> None:
    """It says how many it would mend, and ends as if nothing were mended."""
    before = shop.customizations()

    said = shop.call("check", "--tracker", TRACKER, "--fix", "--dry-run", code=1).stdout

    assert "2 customizations would be mended." in said
    assert shop.customizations() == before


def test_fixing_leaves_a_sound_shop(shop: Shell) -> None:
    """The pin that ended is gone, its neighbour stays; the customization without any other pin is gone too."""
    said = shop.call("check", "--tracker", TRACKER, "--fix").stdout

    assert "2 customizations mended." in said
    (left,) = shop.customizations()
    assert [each["pin_identity"] for each in left["pin_definitions"]] == ["/p/1"]
    shop.call("check", "--tracker", TRACKER)


def test_a_dry_run_needs_something_to_run_dry(shop: Shell) -> None:
    """Nobody shall think that something was about to be mended."""
    assert "--fix" in shop.fault("check", "--tracker", TRACKER, "--dry-run", code=2)
