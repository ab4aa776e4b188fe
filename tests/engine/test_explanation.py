"""
The sentences beside verdicts: which pin was in the way, and what moved a pin.
"""

from typing import Any

import pytest

from tests import cases
from tests.engine import scenes
from tests.engine.strategies import NOW_MICROS

ITEMS = [
    {
        "identity": name,
        "type": "item",
        "fields": {"title": name, "introduced_at": f"2025-01-{day:02}"},
    }
    for name, day in zip("ABCDEF", range(9, 0, -1), strict=False)
]
ALL = {"target_type": "all"}
FOR_A = {"target_type": "item", "target_identity": "A"}


def pin(position: int, item: str, **members: Any) -> dict[str, Any]:
    return {"position": position, "pin_type": "item", "pin_identity": item, **members}


def sentences(
    *customizations: tuple[str, dict[str, Any], list[Any]], size: int = 5
) -> dict[str, str]:
    """What is said of each pin, by customization and index; the first customization is the oldest."""
    held = [
        scenes.customization_of(
            name,
            cases.micros(f"2025-01-01T00:00:{second:02}Z"),
            {"model": "test_reco", **target, "pin_definitions": pins},
        )
        for second, (name, target, pins) in enumerate(customizations)
    ]
    requests = scenes.requests_of(
        [{"recommendation_type": "test_reco", "size": size, "item_ids": ["A"]}]
    )
    [placement] = scenes.answer(scenes.snapshot_of(ITEMS, held), requests, now=NOW_MICROS)
    return {
        f"{each.claim.customization.id} {each.claim.index}": each.because
        for each in placement.judgements
    }


def test_a_pin_that_is_where_it_was_asked_for_needs_no_sentence() -> None:
    """Nor does one whose verdict says it all."""
    said = sentences(
        ("x", ALL, [pin(2, "F"), pin(-1, "E"), pin(1, "Z"), pin(1, "A"), pin(9, "D")]), size=3
    )

    assert set(said.values()) == {""}


def test_a_blocked_pin_names_the_highest_block() -> None:
    """Of several that would do."""
    criteria = {"position": 0, "pin_type": "criteria", "pin_criteria": {"identity": "F"}}

    said = sentences(
        ("low", ALL, [pin(0, "F")]),
        ("high", FOR_A, [pin(0, "B"), criteria, pin(0, "F")]),
        ("pins", ALL, [pin(1, "F"), pin(2, "B")]),
    )

    assert said["pins 0"] == "blocked by pin 1 of customization high"
    assert said["pins 1"] == "blocked by pin 0 of customization high"


def test_a_duplicate_names_the_pin_that_has_the_item() -> None:
    """The one that survived, not one that dropped out itself."""
    said = sentences(
        ("x", ALL, [pin(1, "F", widget_id="w"), pin(2, "F"), pin(3, "F"), pin(-1, "F")])
    )

    assert said["x 2"] == said["x 3"] == "pinned already by pin 1 of customization x"


def test_a_pin_that_lost_its_slot_names_the_winner() -> None:
    """The highest in rank of all that claimed it."""
    said = sentences(("old", ALL, [pin(1, "D")]), ("new", ALL, [pin(1, "E"), pin(1, "F")]))

    assert said["new 1"] == said["old 0"] == "slot 1 went to pin 0 of customization new"


@pytest.mark.parametrize("bundled", [True, False])
def test_a_pin_that_closed_up_says_so(bundled: bool) -> None:
    """A bundle pin without company too."""
    said = sentences(("x", ALL, [pin(9, "F", is_bundle_pin=bundled)]), size=10)

    assert said == {"x 0": "closed up: there are not enough items before it"}


def test_a_member_of_a_bundle_stands_together_with_it() -> None:
    """Unless it was another pin that took its slot."""
    bundle = [pin(slot, item, is_bundle_pin=True) for slot, item in ((2, "F"), (4, "E"), (5, "D"))]

    said = sentences(("look", ALL, bundle), ("sale", ALL, [pin(5, "C")]))

    assert said["look 0"] == ""
    assert said["look 1"] == "stands together with its bundle"
    assert said["look 2"] == "slot 5 went to pin 0 of customization sale"


def test_a_block_pin_counts_what_it_kept_out() -> None:
    """Of what the ranking held and item pins named, each once; an item that a higher pin shields is not kept out."""
    several = {
        "position": 0,
        "pin_type": "criteria",
        "pin_criteria": {"identity": {"values": ["A", "B", "C", "F"]}},
    }

    said = sentences(
        ("blocks", ALL, [several, pin(0, "C"), pin(0, "Z")]),
        ("higher", FOR_A, [pin(1, "B")]),
        ("pins", ALL, [pin(2, "F")]),
    )

    assert said["blocks 0"] == "removed 2 of the items met"
    assert said["blocks 1"] == "removed 1 of the items met"
    assert said["blocks 2"] == "removed 0 of the items met"
