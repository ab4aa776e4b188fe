"""
What buttons, and drags, do to a sheet: pins that come, go and make room; rows of criteria.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from endcap.web.conditions import Condition, Group
from endcap.web.moves import Stage, moved
from endcap.web.sheets import (
    CONDITIONS_MAX,
    GROUPS_MAX,
    PINS_MAX,
    Criteria,
    PinSheet,
    Sheet,
)

TITLES = {"A": "Axe", "B": "Bow"}


def sheet(*slots: tuple[str, str]) -> Sheet:
    """With a pin of an item to each slot; `*` is everywhere, `-` never."""
    places = {"*": "everywhere", "-": "never"}
    pins = [
        PinSheet(place=places[slot], item=item)  # type: ignore[arg-type]  # one of the kinds
        if slot in places
        else PinSheet(slot=slot, item=item)
        for item, slot in slots
    ]
    return Sheet(model="m", pins=tuple(pins))


def shown(sheet: Sheet) -> list[tuple[str, str]]:
    marks = {"everywhere": "*", "never": "-"}
    return [(pin.item, marks.get(pin.place, pin.slot)) for pin in sheet.pins]


def after(start: Sheet, move: str, awake: Sequence[int] | None = None) -> Sheet:
    everyone = range(len(start.pins)) if awake is None else awake
    return moved(start, move, Stage(lambda item: TITLES.get(item, ""), frozenset(everyone)))[0]


@pytest.mark.parametrize(
    ("start", "move", "wanted"),
    [
        ((), "place:3:A", [("A", "3")]),
        ((("A", "1"),), "place:0:B", [("A", "1"), ("B", "2")]),
        ((("A", "1"), ("B", "2"), ("C", "4")), "place:1:D",
         [("A", "2"), ("B", "3"), ("C", "4"), ("D", "1")]),
        ((("A", "1"), ("B", "2"), ("C", "3")), "place:1:C", [("A", "2"), ("B", "3"), ("C", "1")]),
        ((("A", "1"), ("B", "2"), ("C", "3")), "shift:0:3", [("A", "3"), ("B", "1"), ("C", "2")]),
        ((("A", "1"), ("B", "3")), "shift:0:2", [("A", "2"), ("B", "3")]),
        ((("A", "*"), ("B", "1")), "shift:0:1", [("A", "1"), ("B", "2")]),
        ((("A", "1"),), "never:A", [("A", "-")]),
        ((("A", "1"),), "never:B", [("A", "1"), ("B", "-")]),
        ((("A", "1"), ("B", "2")), "remove:0", [("B", "2")]),
        ((("A", "1"), ("B", "2")), "up:1", [("B", "2"), ("A", "1")]),
        ((("A", "1"), ("B", "2")), "down:0", [("B", "2"), ("A", "1")]),
        ((("A", "1"), ("B", "2")), "up:0", [("A", "1"), ("B", "2")]),
        ((("A", "1"), ("B", "2")), "down:1", [("A", "1"), ("B", "2")]),
        ((("A", "-"),), "place:2:A", [("A", "2")]),
        ((("A", "2"),), "add:item", [("A", "2"), ("", "1")]),
    ],
)  # fmt: skip
def test_pins_move(start: Any, move: str, wanted: list[tuple[str, str]]) -> None:
    """Those in the way make room; those that are not stay."""
    assert shown(after(sheet(*start), move)) == wanted


def test_pins_that_sleep_are_in_nobodys_way() -> None:
    """A pin of another season keeps its slot, and its item may be pinned for now."""
    start = sheet(("A", "1"), ("B", "1"))

    assert shown(after(start, "place:1:C", [1])) == [("A", "1"), ("B", "2"), ("C", "1")]
    assert shown(after(start, "place:3:A", [1])) == [("A", "1"), ("B", "1"), ("A", "3")]


@pytest.mark.parametrize(
    "move",
    ["", "fly", "place", "place:x:A", "place:1001:A", "place:1:", "shift:9:1", "shift:0:0",
     "shift:0:1001", "remove:x", "up:-1", "never:", "condition:x-:0", "condition:t-:7",
     "drop:t-:9:0", "group:t-:odd", "rows:p9-", "text:p-", "drop:p0-"],
)  # fmt: skip
def test_what_is_no_move_changes_nothing(move: str) -> None:
    """And says nothing."""
    start = sheet(("A", "1"))

    assert moved(start, move, Stage(str, frozenset({0}))) == (start, "")


def test_what_is_done_is_said() -> None:
    """With what people call the item."""
    start, stage = sheet(("A", "1")), Stage(lambda item: TITLES.get(item, ""), frozenset({0}))
    said = [
        moved(start, move, stage)[1]
        for move in ("place:2:B", "place:2:C", "shift:0:5", "never:A", "remove:0", "add:criteria")
    ]

    assert said == [
        "Bow was pinned to slot 2",
        "C was pinned to slot 2",
        "Axe is now in slot 5",
        "Axe will never be shown here",
        "Axe is no longer pinned",
        "Pin 2 was added",
    ]


def test_pins_have_a_bound() -> None:
    """It is said, and nothing is lost."""
    start = sheet(*[(str(number), "1") for number in range(PINS_MAX)])
    for move in ("add:item", "place:1:X", "never:X"):
        assert moved(start, move, Stage(str)) == (
            start,
            f"There are {PINS_MAX} pins already; a form shows no more",
        )


ROW = Condition("brand", "is", "Fender")


def test_rows_come_and_go() -> None:
    """Of the target and of a pin; the last row of a group takes the group along."""
    start = Sheet(
        criteria=Criteria(False, (Group("all", (ROW,)),)), pins=(PinSheet(what="criteria"),)
    )

    more = after(after(start, "condition:t-:0"), "group:t-:none")
    assert [(group.kind, len(group.conditions)) for group in more.criteria.groups] == [
        ("all", 2),
        ("none", 1),
    ]
    less = after(after(more, "drop:t-:1:0"), "drop:t-:0:1")
    assert less == start
    assert after(after(start, "drop:t-:0:0"), "drop:t-:0:0").criteria == Criteria()
    other = after(start, "condition:p0-:0")
    assert len(other.pins[0].criteria.groups[0].conditions) == 2
    assert other.criteria == start.criteria


def test_rows_have_bounds() -> None:
    """Of rows in a group, and of groups."""
    full = Criteria(False, (Group("all", (ROW,) * CONDITIONS_MAX),) * GROUPS_MAX)
    start = Sheet(criteria=full)

    assert after(start, "condition:t-:0") == after(start, "group:t-:any") == start


def test_rows_become_a_text_and_a_text_becomes_rows() -> None:
    """Where rows can say it; else it stays, and that is said."""
    start = Sheet(criteria=Criteria(False, (Group("all", (ROW,)),)))
    text = after(start, "text:t-")

    assert text.criteria.is_text
    assert text.criteria.text == '[{"field":"brand","operator":"=","value":"Fender"}]'
    assert after(text, "rows:t-") == start
    deep = Criteria(True, (), '{"not": {"and": [{"a": 1}, {"b": 2}]}}')
    kept, said = moved(replace(start, criteria=deep), "rows:t-", Stage(str))
    assert kept.criteria == deep
    assert "Rows cannot say" in said
    assert after(replace(start, criteria=Criteria(True, (), " ")), "rows:t-").criteria == Criteria()
