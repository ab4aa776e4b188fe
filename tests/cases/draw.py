"""
Draws the cases on docs/placement.md: `.venv/bin/python -m tests.cases.draw`.

Each case becomes its slots before and after, and what became of each pin. The slots are the engine's answers to the
call without customizations and with them, which other tests hold to the case. A test holds the page to this.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from endcap.engine.place import Placement, Source
from endcap.engine.snapshot import Snapshot
from tests import cases
from tests.cases import Case, PinOutcome
from tests.docs import pages
from tests.docs.generate import with_part
from tests.engine import scenes

PAGE = pages.ROOT / "docs" / "placement.md"

CHAPTERS: Mapping[str, Sequence[str]] = {
    "Who speaks": (
        "all_that_speak_are_merged",
        "criteria_target_speaks_for_any_input_item",
        "target_item_that_is_unavailable",
        "eleventh_input_item",
        "customization_of_another_model",
        "customization_without_pins",
    ),
    "Which pins are awake": (
        "window_opens_at_the_instant_of_the_request",
        "window_ends_at_the_instant_of_the_request",
        "widget_pin_awake",
        "widget_pin_request_without_a_widget",
    ),
    "One slot, several pins": (
        "two_items_one_slot_one_customization",
        "two_customizations_one_slot_item_target_vs_all_target",
        "same_target_twice_one_slot",
        "customizations_of_one_second",
        "customizations_of_one_microsecond",
        "losers_move_on_in_order_of_rank",
        "a_loser_never_takes_a_claimed_slot",
        "a_loser_passes_the_slot_of_a_criteria_pin",
    ),
    "One item, several pins": (
        "one_item_two_slots_one_customization",
        "the_item_of_a_pin_that_is_dropped_is_free",
    ),
    "Items that may not appear": (
        "pin_of_an_unavailable_item_between_two_others",
        "pin_of_an_unknown_item",
        "pin_of_a_category",
        "pin_of_an_item_outside_its_own_window",
        "availability_rank_wins_over_availability",
        "availability_field_of_the_request",
        "input_item_pinned",
        "blacklisted_item_pinned",
        "context_excludes_a_pinned_item",
        "the_first_objection_is_told",
    ),
    "Blocks": (
        "pinned_by_item_target_blocked_by_all_target",
        "pinned_by_all_blocked_by_item",
        "pinned_and_blocked_at_equal_priority",
        "criteria_block_pin",
        "global_item_pin_shields_from_a_block",
        "criteria_pin_does_not_override_a_block",
        "blocked_by_two_customizations",
        "block_flag_with_a_position",
        "sleeping_block_pin",
    ),
    "Criteria pins": (
        "criteria_pin_whose_best_match_is_pinned_elsewhere",
        "criteria_pins_pick_in_order_of_rank",
        "criteria_pin_without_a_match",
    ),
    "Global pins": (
        "global_item_pins",
        "global_criteria_pin_with_2_matches_size_5_slot_2_pinned",
        "global_criteria_pin_fills_the_answer",
        "global_criteria_pin_leaves_pinned_items_alone",
        "global_pin_without_a_free_slot",
    ),
    "The end of the answer": (
        "pin_at_slot_8_of_an_answer_of_size_5",
        "pin_at_slot_8_only_3_items_exist",
        "no_holes_between_pins",
    ),
    "Bundles": (
        "bundle_stands_together",
        "bundle_flows_around_another_pin",
        "a_loser_stands_in_a_bundles_way",
        "bundles_in_each_others_way",
        "bundle_that_lost_its_first_slot",
        "bundle_that_won_no_slot",
        "bundles_of_two_customizations",
        "bundle_member_drops_out",
        "bundle_member_without_a_match",
        "slots_that_a_bundle_leaves",
        "bundle_of_one",
    ),
    "Several widgets on one page": (
        "two_objects_share_a_page",
        "two_widgets_in_one_call_pin_the_same_item",
        "a_later_objects_pin_is_kept_for_it",
        "criteria_pins_of_two_objects",
        "a_pin_beyond_the_first_object_is_reserved",
    ),
}
"""Every case, in the order of the page."""


def drawn() -> str:
    """All chapters."""
    return "\n\n".join(
        f"### {chapter}\n\n" + "\n\n".join(section(cases.load(name)) for name in names)
        for chapter, names in CHAPTERS.items()
    )


def section(case: Case) -> str:
    """One case: title, outcome, what is special, slots, pins."""
    parts = [f"#### {case.title}", case.says]
    if notes := list(notes_of(case)):
        parts.append("\n".join(f"* {note}" for note in notes))
    parts.append(slots_table(case))
    if any(expected.pins for expected in case.expect):
        parts.append(pins_table(case))
    return "\n\n".join(parts)


def notes_of(case: Case) -> Iterator[str]:
    """What differs from a request for five of the eight items A to H."""
    items = [each["identity"] for each in case.catalog if each["type"] == "item"]
    if items != list("ABCDEFGH"):
        yield f"Items: {items[0]} to {items[-1]}."
    for identities, wording in special_items(case).items():
        yield f"{', '.join(identities)}: {wording}."
    for number, request in enumerate(case.requests, 1):
        asked = ", ".join(
            f"`{key}` {code(value)}"
            for key, value in request.items()
            if key not in ("recommendation_type", "size")
        )
        which = f"Object {number} of the call" if len(case.requests) > 1 else "The request"
        if asked:
            yield f"{which}: {asked}."
    instants = {made.created_at[:19] for made in case.customizations}
    if len(instants) < len(case.customizations):
        created = ", ".join(
            f"*{made.label}* at {made.created_at}" + (f", id `{made.id}`" if made.id else "")
            for made in case.customizations
        )
        yield f"Created: {created}."
    met = {each.customization for expected in case.expect for each in expected.pins}
    for made in case.customizations:
        if made.label not in met:
            pins = "; ".join(map(pin_text, made.body["pin_definitions"])) or "no pins"
            yield f"No verdict: *{made.label}*, for {target_text(made.body)} of `{made.body['model']}`: {pins}."


def special_items(case: Case) -> Mapping[tuple[str, ...], str]:
    """Items with more than a title, grouped by what they have."""
    groups: dict[str, list[str]] = {}
    for each in case.catalog:
        more = {
            key: value
            for key, value in {**each, **each["fields"]}.items()
            if key not in ("identity", "fields", "title", "introduced_at")
            and (key, value) != ("type", "item")
        }
        if more:
            wording = ", ".join(f"`{key}` {code(value)}" for key, value in more.items())
            groups.setdefault(wording, []).append(each["identity"])
    return {tuple(identities): wording for wording, identities in groups.items()}


def code(value: Any) -> str:
    """A text as it is, all else as JSON."""
    return value if isinstance(value, str) else f"`{msgspec.json.encode(value).decode()}`"


def slots_table(case: Case) -> str:
    """A column a slot; in bold what a pin put there."""
    width = max(request["size"] for request in case.requests)
    width = min(width, max(len(expected.items) for expected in case.expect))
    rows = [["slot", *map(str, range(1, width + 1))], ["---"] * (width + 1)]
    bare, full = scenes.snapshot_of(case.catalog, []), scenes.snapshot_of_case(case)
    pairs = zip(answers(case, bare), answers(case, full), strict=True)
    for number, (before, after) in enumerate(pairs, 1):
        which = f"object {number}, " if len(case.requests) > 1 else ""
        rows.append([f"{which}without pins", *scenes.items_of(bare.catalog, before)])
        shown = zip(scenes.items_of(full.catalog, after), after.shown, strict=True)
        rows.append(
            [
                f"{which}with pins",
                *(f"**{item}**" if each.source is Source.PIN else item for item, each in shown),
            ]
        )
    return "\n".join(f"| {' | '.join((row + [''] * width)[: width + 1])} |" for row in rows)


def answers(case: Case, snapshot: Snapshot) -> Sequence[Placement]:
    requests = scenes.requests_of(case.requests)
    return scenes.answer(snapshot, requests, now=cases.micros(case.now))


def pins_table(case: Case) -> str:
    """A row for every pin met, highest rank first."""
    several = len(case.requests) > 1
    rows = [
        [*(["object"] if several else []), "customization", "for", "pin", "verdict"],
        ["---"] * (5 if several else 4),
    ]
    for number, expected in enumerate(case.expect, 1):
        for outcome in expected.pins:
            target = target_text(body_of(case, outcome))
            row = [outcome.customization, target, pin_text(pin_of(case, outcome)), verdict(outcome)]
            rows.append([*([str(number)] if several else []), *row])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def body_of(case: Case, outcome: PinOutcome) -> dict[str, Any]:
    [made] = [each for each in case.customizations if each.label == outcome.customization]
    return made.body


def pin_of(case: Case, outcome: PinOutcome) -> dict[str, Any]:
    pin = body_of(case, outcome)["pin_definitions"][outcome.pin]
    assert isinstance(pin, dict)
    return pin


def target_text(body: Mapping[str, Any]) -> str:
    match body["target_type"]:
        case "item":
            return str(body["target_identity"])
        case "criteria":
            return code(body["target_criteria"])
        case _:
            return "everything"


def pin_text(pin: Mapping[str, Any]) -> str:
    """`F, slot 2`, `block F`, and what else it says."""
    what = pin["pin_identity"] if pin["pin_type"] == "item" else code(pin["pin_criteria"])
    if pin["position"] == 0 or pin.get("is_block_pin"):
        text = f"block {what}"
    elif pin["position"] == -1:
        text = f"{what}, everywhere"
    else:
        text = f"{what}, slot {pin['position']}"
    if "widget_id" in pin:
        text += f", widget {pin['widget_id']}"
    if pin.get("is_bundle_pin"):
        text += ", bundle"
    if "active_from" in pin:
        text += f", from {pin['active_from']}"
    if "active_to" in pin:
        text += f", to {pin['active_to']}"
    return text


def verdict(outcome: PinOutcome) -> str:
    """With the slot, where there is one."""
    if outcome.slot is None:
        return f"`{outcome.verdict}`"
    return f"`{outcome.verdict}`: {outcome.item} in slot {outcome.slot}"


def written() -> str:
    """The page as it should be."""
    return with_part(PAGE.read_text(encoding="utf-8"), "cases", drawn())


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
