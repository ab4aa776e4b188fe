"""
What `health` finds, in words for merchandisers: what is the matter, why, and what the button beside it does.
"""

from collections.abc import Mapping
from datetime import tzinfo
from typing import assert_never

from msgspec import Struct

from endcap.domain import Micros
from endcap.health import OFFERS, Complaint, Finding, Fix, Severity
from endcap.mending import Remedy
from endcap.web import words
from endcap.wire.recommending import SIZE_MAX


class Said(Struct, frozen=True):
    """`title` names those that have it, `why` is a sentence or two on it."""

    title: str
    why: str


SEVERITY_WORDS: Mapping[Severity, str] = {
    Severity.ERROR: "Error",
    Severity.WARNING: "Warning",
    Severity.NOTICE: "Notice",
}
WORDS: Mapping[Complaint, Said] = {
    Complaint.UNREADABLE: Said(
        "Customizations that cannot be read",
        "This version does not understand them, so they do not act. Another version may have written them: look at "
        "one before you delete it.",
    ),
    Complaint.UNKNOWN_MODEL: Said(
        "For a recommender that does not exist",
        "No recommender has this name. Most likely it is misspelled, and no page asks for it.",
    ),
    Complaint.TARGET_NO_MATCH: Said(
        "For criteria that nothing meets",
        "No item of the catalog meets the criteria that they are for, so they never have a say.",
    ),
    Complaint.NOT_IN_CATALOG: Said(
        "Pinned items that are not in the catalog",
        "They cannot be shown; the recommender fills their slots.",
    ),
    Complaint.WRONG_TYPE: Said(
        "Pinned objects of a type that is not recommended",
        "The recommender does not return objects of this type, so they are never shown.",
    ),
    Complaint.INPUT_ITEM: Said(
        "Items pinned on their own page", "An item is never shown beside itself."
    ),
    Complaint.BLOCKED: Said(
        "Pinned, and never shown by another pin",
        "Whenever they are in force, so is a pin that keeps their item out.",
    ),
    Complaint.DUPLICATE: Said(
        "Pinned twice",
        "Whenever they are in force, so is a higher-ranked pin of the same item, and only that one is shown.",
    ),
    Complaint.BEYOND_SIZE: Said(
        "Beyond the last slot", f"No answer has more than {SIZE_MAX} slots."
    ),
    Complaint.TARGET_NOT_IN_CATALOG: Said(
        "For an item that is not in the catalog", "Few pages will ask for it, if any."
    ),
    Complaint.NO_PINS: Said("Without pins", "There is nothing to show, so they change nothing."),
    Complaint.ALL_EXPIRED: Said(
        "Over", "The windows of all of their pins have ended, so they change nothing any more."
    ),
    Complaint.EXPIRED: Said(
        "Pins that are over", "Their windows have ended. Other pins beside them go on."
    ),
    Complaint.UNAVAILABLE: Said(
        "Pinned items that cannot be bought now",
        "They are sold out, or outside their own dates, and are shown again by themselves when that ends. Remove "
        "those that will not come back.",
    ),
    Complaint.NO_MATCH: Said(
        "Pins by criteria that find nothing",
        "No item that can be bought meets the criteria. They act again when one does.",
    ),
    Complaint.ENDS_SOON: Said(
        "Ending within a week", "Let them end, or have them go on for another week."
    ),
}
"""The gravest first, as the page shows them."""
COMPLAINTS = tuple(WORDS)


def because(found: Finding, now: Micros, zone: tzinfo) -> str:
    """Of one finding, where there is more to say than of all of its kind."""
    match found.complaint:
        case Complaint.ALL_EXPIRED | Complaint.EXPIRED | Complaint.ENDS_SOON:
            assert found.at is not None
            verb = "Ends" if found.at > now else "Ended"
            return f"{verb} {words.ago(found.at, now)}, on {words.time_text(found.at, zone)}"
        case Complaint.BLOCKED | Complaint.DUPLICATE if found.other_pin is not None:
            how = "Kept out" if found.complaint is Complaint.BLOCKED else "Shown already"
            return f"{how} by pin {found.other_pin + 1}{' of' if found.other else ''}"
        case Complaint.UNKNOWN_MODEL:
            return found.because
        case _:
            return ""


def button(fix: Fix, *, is_deleted: bool) -> str:
    """What it says for one finding. The last pin takes its customization along."""
    if is_deleted:
        return "Delete it"
    match fix:
        case Fix.REMOVE_PIN:
            return "Remove the pin"
        case Fix.DELETE_CUSTOMIZATION:
            return "Delete it"
        case Fix.DISABLE_CUSTOMIZATION:
            return "Disable it"
        case Fix.LENGTHEN_WINDOW:
            return "A week longer"
        case _:
            assert_never(fix)


def button_for_all(complaint: Complaint, count: int) -> str:
    many = f"{count:,}"
    fix = OFFERS[complaint]
    match fix:
        case Fix.REMOVE_PIN:
            return f"Remove all {many}"
        case Fix.DELETE_CUSTOMIZATION:
            return f"Delete all {many}"
        case Fix.DISABLE_CUSTOMIZATION:
            return f"Disable all {many}"
        case Fix.LENGTHEN_WINDOW:
            return f"All {many} a week longer"
        case _:
            assert_never(fix)


class Sums(Struct, frozen=True):
    """What a list of remedies comes to. `pins` are those that are removed where a customization stays."""

    changed: int
    pins: int
    lengthened: int
    disabled: int
    deleted: int


def sums(planned: list[Remedy]) -> Sums:
    staying = [each for each in planned if not each.is_deleted]
    return Sums(
        len(staying),
        sum(len(each.removed) for each in staying),
        sum(len(each.lengthened) for each in staying),
        sum(each.is_disabled for each in staying),
        len(planned) - len(staying),
    )


def question(fix: Fix, total: Sums) -> str:
    """The heading of the page that asks."""
    match fix:
        case Fix.REMOVE_PIN if total.changed == 0:
            return f"Delete {words.plural(total.deleted, 'customization')}?"
        case Fix.REMOVE_PIN:
            of = words.plural(total.changed + total.deleted, "customization")
            return f"Remove pins of {of}?"
        case Fix.DELETE_CUSTOMIZATION:
            return f"Delete {words.plural(total.deleted, 'customization')}?"
        case Fix.DISABLE_CUSTOMIZATION:
            return f"Disable {words.plural(total.disabled, 'customization')}?"
        case Fix.LENGTHEN_WINDOW:
            return f"Make {words.plural(total.lengthened, 'window')} a week longer?"
        case _:
            assert_never(fix)


def consequences(total: Sums) -> list[str]:
    """What would be done and what shoppers see of it, a sentence each."""
    told = []
    if total.pins:
        verb = "is" if total.pins == 1 else "are"
        of = words.plural(total.changed, "customization")
        told.append(
            f"{words.plural(total.pins, 'pin')} of {of} {verb} removed; the other pins stay."
        )
    if total.lengthened:
        verb = "ends" if total.lengthened == 1 else "end"
        told.append(f"{words.plural(total.lengthened, 'window')} {verb} seven days later.")
    if total.disabled:
        verb = "stays" if total.disabled == 1 else "stay"
        many = words.plural(total.disabled, "customization")
        told.append(f"{many} {verb} in the list and {'has' if verb == 'stays' else 'have'} no say.")
    if total.deleted:
        verb = "is" if total.deleted == 1 else "are"
        many = words.plural(total.deleted, "customization")
        told.append(f"{many} {verb} deleted. The history stays.")
    return told


def effect(remedy: Remedy) -> str:
    """What would become of one customization."""
    if remedy.is_deleted:
        return "is deleted"
    parts = []
    if remedy.removed:
        parts.append(f"loses {_pins(remedy.removed)}")
    if remedy.lengthened:
        parts.append(f"{_pins(remedy.lengthened)}: a week longer")
    if remedy.is_disabled:
        parts.append("is disabled")
    return ", ".join(parts)


def _pins(indexes: frozenset[int]) -> str:
    numbers = [str(index + 1) for index in sorted(indexes)]
    return f"pin {numbers[0]}" if len(numbers) == 1 else f"pins {', '.join(numbers)}"
