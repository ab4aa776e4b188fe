"""
Sheets and documents: a customization opened as a form and written again is the same, but for what was changed.
"""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from endcap.errors import Problem
from endcap.web.conditions import Condition, Group
from endcap.web.forms import NotForForms, opened
from endcap.web.sheets import PINS_MAX, Criteria, PinSheet, Sheet
from endcap.web.writing import written
from endcap.wire.customizations import read_definition
from tests.choices import combined, rarely
from tests.engine.strategies import EXAMPLES, customizations
from tests.engine.strategies import pins as plain_pins
from tests.language import shapes

PRAGUE = ZoneInfo("Europe/Prague")
ZONES = (ZoneInfo("UTC"), PRAGUE, ZoneInfo("America/Sao_Paulo"), ZoneInfo("Pacific/Apia"))

heads = combined(
    tags=rarely(["a"], ["b, c", '"q"', " s "], one_in=2),
    target_metadata=rarely(
        {"title": "A page"}, {"title": 3, "x": [1]}, {"notes": "one\ntwo", "title": " t "}, one_in=2
    ),
    disabled=rarely(True, False, one_in=3),
)
odd_targets = st.one_of(
    shapes.shapes.map(lambda each: {"target_type": "criteria", "target_criteria": each}),
    st.sampled_from(
        [
            {"target_type": "criteria", "target_criteria": {"identity": ["/p/1"]}},
            {"target_type": "criteria", "target_criteria": {"identity": {"values": ["/p/1", "2"]}}},
            {"target_type": "item", "target_identity": " with spaces "},
        ]
    ),
)
windows = combined(
    active_from=(None, "2025-03-30T02:30:00", "2024-10-27T00:30:00.123456Z", "1970-01-01"),
    active_to=(None, "2026-10-25T02:30:00+02:00", "2026-10-25T01:30:00Z", "9999-12-31T23:59:59Z"),
)
odd_pins = st.builds(lambda pin, window: {**pin, **window}, plain_pins(), windows)


def spelled(body: Any) -> bytes:
    """With spaces that JSON does not need, which are kept as well."""
    return json.dumps(body, ensure_ascii=False).encode()


@settings(max_examples=EXAMPLES)
@given(
    customizations(st.one_of(plain_pins(), odd_pins)),
    heads,
    st.one_of(st.none(), odd_targets),
    st.sampled_from(ZONES),
)
def test_opening_and_writing_changes_nothing(
    made: list[Any], head: dict[str, Any], target: dict[str, Any] | None, zone: ZoneInfo
) -> None:
    """Byte for byte, whatever it is, or it is said that a form cannot show it."""
    for each in made:
        body = spelled({**each.body, **(target or {}), **head})
        try:
            before = read_definition(body)
            sheet = opened(body, zone)
        except (NotForForms, Problem):
            continue
        after = written(sheet, zone)

        assert after.faults == {}
        assert after.document is not None
        again = read_definition(after.document)
        assert again.document == before.document
        assert again.metadata == before.metadata
        assert bool(again.disabled) == bool(before.disabled)


BODY: dict[str, Any] = {
    "model": "basket",
    "target_type": "criteria",
    "target_criteria": {"brand": "Fender"},
    "target_metadata": {"image_link": "x", "title": "Old"},
    "pin_definitions": [
        {"position": 3, "is_block_pin": True, "pin_type": "item", "pin_identity": "/p/1"},
        {
            "position": 1,
            "pin_type": "criteria",
            "pin_criteria": {"a": "b"},
            "active_to": "2027-01-01",
        },
    ],
}


def sheet_and_body(**changes: Any) -> tuple[Sheet, dict[str, Any]]:
    sheet = replace(opened(spelled(BODY), PRAGUE), **changes)
    after = written(sheet, PRAGUE)
    assert after.faults == {}
    assert after.document is not None
    return sheet, json.loads(after.document)


def test_what_is_changed_is_written_and_the_rest_stays() -> None:
    """Member by member."""
    sheet, _ = sheet_and_body()
    pins = (
        replace(sheet.pins[1], slot="4", opens="2026-07-01T10:00"),
        PinSheet(slot="2", item="/p/9", closes="2026-12-01T09:00:30", is_bundled=True),
    )

    _, body = sheet_and_body(title="New", tags='a, "b, c"', is_enabled=False, pins=pins)

    assert body == {
        **BODY,
        "target_metadata": {"image_link": "x", "title": "New"},
        "tags": ["a", "b, c"],
        "disabled": True,
        "pin_definitions": [
            {
                "position": 4,
                "pin_type": "criteria",
                "pin_criteria": {"a": "b"},
                "active_from": "2026-07-01T08:00:00Z",
                "active_to": "2027-01-01",
            },
            {
                "position": 2,
                "pin_type": "item",
                "pin_identity": "/p/9",
                "active_to": "2026-12-01T08:00:30Z",
                "is_bundle_pin": True,
            },
        ],
    }


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"target": "all"}, {"target_type": "all"}),
        ({"target": "item", "item": "/p/7"}, {"target_type": "item", "target_identity": "/p/7"}),
        (
            {"target": "several", "items": "/p/1\n\n /p/2 \n/p/1"},
            {
                "target_type": "criteria",
                "target_criteria": [
                    {"field": "identity", "operator": "in", "value": ["/p/1", "/p/2"]}
                ],
            },
        ),
        (
            {"criteria": Criteria(False, (Group("none", (Condition("brand", "is", "x"),)),))},
            {
                "target_type": "criteria",
                "target_criteria": [{"not": [{"field": "brand", "operator": "=", "value": "x"}]}],
            },
        ),
        (
            {"criteria": Criteria(True, (), '  {"or": [{"a": 1}, {"b": 2}]} ')},
            {"target_type": "criteria", "target_criteria": {"or": [{"a": 1}, {"b": 2}]}},
        ),
    ],
)
def test_a_target_of_every_kind(changes: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Without what another kind left."""
    _, body = sheet_and_body(**changes)

    assert {
        key: value
        for key, value in body.items()
        if key.startswith("target_") and key != "target_metadata"
    } == wanted


def test_several_items_are_opened_as_such() -> None:
    """However they are spelled."""
    body = {**BODY, "target_criteria": {"identity": {"values": ["/p/1", "22"]}}}
    sheet = opened(spelled(body), PRAGUE)

    assert (sheet.target, sheet.items) == ("several", "/p/1\n22")


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"model": ""}, "model", "Choose a recommender"),
        ({"target": "item"}, "item", "Choose the item"),
        ({"target": "several"}, "items", "Name the items"),
        ({"criteria": Criteria()}, "t-g0-c0-attribute", "Choose an attribute"),
        ({"criteria": Criteria(True, (), "")}, "t-text", "Write the criteria"),
        ({"criteria": Criteria(True, (), '{"a":\n 1,}')}, "t-text", "from line 2, column 4 on"),
        ({"criteria": Criteria(True, (), '{"a": []}')}, "t-text", 'Attribute "a" must be'),
        ({"tags": '"a'}, "tags", "quotation marks"),
        ({"pins": (PinSheet(slot="0", item="x"),)}, "p0-slot", "from 1 to 1,000"),
        ({"pins": (PinSheet(slot="1"),)}, "p0-item", "Choose the product"),
        ({"pins": (PinSheet(slot="1", item="x", opens="soon"),)}, "p0-from", "Write the day"),
        (
            {"pins": (PinSheet(slot="1", item="x", opens="2026-01-02", closes="2026-01-01"),)},
            "p0-to",
            "It ends before it begins",
        ),
        ({"pins": (PinSheet(what="criteria", slot="1"),)}, "p0-g0-c0-attribute", "Choose"),
    ],
)
def test_faults_are_told_by_field(changes: dict[str, Any], field: str, message: str) -> None:
    """A pin that is faulty is left out of what can be tried; without a target there is nothing to try."""
    after = written(replace(opened(spelled(BODY), PRAGUE), **changes), PRAGUE)

    assert message in after.faults[field]
    assert (after.document is None) == (not field.startswith(("p0", "tags")))
    assert list(after.pins) == ([] if "pins" in changes else [0, 1])


def test_windows_over_nights_when_clocks_change() -> None:
    """A time that clocks show twice is the first; what they never show is as much later; both are asked in the zone."""

    def moment(text: str) -> Any:
        _, body = sheet_and_body(pins=(PinSheet(slot="1", item="x", opens=text),))
        return body["pin_definitions"][0]["active_from"]

    assert moment("2026-03-29T01:30") == "2026-03-29T00:30:00Z"
    assert moment("2026-03-29T02:30") == "2026-03-29T01:30:00Z"
    assert moment("2026-03-29T03:30") == "2026-03-29T01:30:00Z"
    assert moment("2026-10-25T02:30") == "2026-10-25T00:30:00Z"
    assert moment("2026-10-25T03:30") == "2026-10-25T02:30:00Z"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "does not understand"),
        (
            spelled({**BODY, "pin_definitions": [BODY["pin_definitions"][0]] * (PINS_MAX + 1)}),
            "101 pins",
        ),
        (spelled({**BODY, "model": "two\nlines"}), "several lines"),
        (spelled({**BODY, "target_metadata": {"x": "y" * 300_000}}), "too long"),
    ],
)
def test_what_a_form_cannot_show(body: bytes, why: str) -> None:
    """It says why."""
    with pytest.raises(NotForForms, match=why):
        opened(body, PRAGUE)
