"""
Opens a customization as a form: its sheet, or a sentence that says why a form cannot show it.

`writing` is the way back. A sheet says what the document said, as text, and nothing is lost by that: whoever writes it
has the document at hand.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any

import msgspec
from msgspec import Raw

from endcap import criteria
from endcap.criteria import AnyOf
from endcap.domain import (
    Blocked,
    CriteriaTarget,
    Everywhere,
    ItemTarget,
    Pin,
    Slot,
    Target,
)
from endcap.errors import Problem
from endcap.web import times
from endcap.web.conditions import (
    Group,
    groups_of,
    spelled_text,
)
from endcap.web.sheets import (
    CONDITIONS_MAX,
    FIELDS_MAX,
    GROUPS_MAX,
    PINS_MAX,
    Criteria,
    PinSheet,
    Sheet,
)
from endcap.wire.customizations import read_definition, selective_rule

WAS_BYTES_MAX = (
    120_000  # sent thrice as long, and again field by field: a form may hold a million bytes
)
MEMBERS = msgspec.json.Decoder(dict[str, Raw])
PINS = msgspec.json.Decoder(list[dict[str, Raw]])
_PIN_FIELDS = 11  # of a pin in a form, without its criteria
NOTED = ("title", "notes")
"""What a form shows of `target_metadata`."""
UNTAKABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)
_BREAKS = re.compile(r"[\r\n]")


class NotForForms(Exception):
    """Why a document is edited as JSON: a sentence."""


def opened(document: bytes, zone: tzinfo) -> Sheet:
    """Raises NotForForms."""
    if len(document) > WAS_BYTES_MAX:
        raise NotForForms("It is too long for a form")
    try:
        definition = read_definition(document)
        members = MEMBERS.decode(document)
    except (Problem, *UNTAKABLE) as error:
        raise NotForForms("This version of Endcap does not understand all of it") from error
    if len(definition.pins) > PINS_MAX:
        raise NotForForms(f"It has {len(definition.pins):,} pins; a form shows {PINS_MAX}")
    sent = PINS.decode(members["pin_definitions"])
    kind, item, items, rows = _target(definition.target, members)
    notes = _notes(members)
    sheet = Sheet(
        document.decode(),
        definition.model.strip(),
        kind,
        item.strip(),
        items,
        rows,
        notes["title"].strip(),
        notes["notes"],
        ", ".join(map(spelled_text, definition.tags)),
        not definition.disabled,
        tuple(
            _pin(number, pin, each, zone)
            for number, (pin, each) in enumerate(zip(definition.pins, sent, strict=True))
        ),
    )
    if _fields(sheet) > FIELDS_MAX:
        raise NotForForms("It has more fields than a form can show")
    if any(map(_BREAKS.search, _lines(sheet))):
        raise NotForForms("A name in it goes over several lines")
    return sheet


def _lines(sheet: Sheet) -> Iterator[str]:
    """What stands on one line of a form."""
    yield from (sheet.model, sheet.item, sheet.title)
    for pin in sheet.pins:
        yield from (pin.item, pin.widget)
    for rule in (sheet.criteria, *(pin.criteria for pin in sheet.pins)):
        yield from (each.attribute for group in rule.groups for each in group.conditions)


def _target(target: Target, members: Mapping[str, Raw]) -> tuple[Any, str, str, Criteria]:
    match target:
        case ItemTarget(identity):
            return "item", identity, "", Criteria()
        case CriteriaTarget(AnyOf("identity", terms)) if several := _identities(terms):
            return "several", "", several, Criteria()
        case CriteriaTarget():
            return "criteria", "", "", _criteria(bytes(members["target_criteria"]))
        case _:
            return "all", "", "", Criteria()


def _identities(terms: Sequence[criteria.Term]) -> str:
    """A line each; empty for what is none."""
    values = [value for kind, value in terms if kind == "text"]
    wanted = tuple(term for each in values for term in criteria.looked_up(each))
    lines = [str(each) for each in values]
    is_plain = all(each == each.strip() and len(each.splitlines()) == 1 for each in lines)
    return "\n".join(lines) if tuple(terms) == wanted and is_plain else ""


def _criteria(raw: bytes) -> Criteria:
    groups = groups_of(selective_rule(raw))
    if groups is None or not _fit(groups):
        return Criteria(True, (), _pretty(raw))
    return Criteria(False, groups)


def _fit(groups: Sequence[Group]) -> bool:
    longest = max(len(each.conditions) for each in groups)
    return len(groups) <= GROUPS_MAX and longest <= CONDITIONS_MAX


def _pretty(raw: bytes) -> str:
    """On lines of its own where it has none, so that one can read it."""
    text = raw.decode()
    return text if "\n" in text or len(text) < 80 else msgspec.json.format(raw, indent=2).decode()


def _pin(number: int, pin: Pin, members: Mapping[str, Raw], zone: tzinfo) -> PinSheet:
    is_item = pin.item is not None
    slot, place = "", "slot"
    match pin.place:
        case Slot(position):
            slot = str(position)
        case Everywhere():
            place = "everywhere"
        case Blocked():
            place = "never"
    opens, closes = pin.window.opens, pin.window.closes
    return PinSheet(
        number,
        place,  # type: ignore[arg-type]  # one of the three, by the match above
        slot,
        "item" if is_item else "criteria",
        (pin.item or "").strip(),
        Criteria() if is_item else _criteria(bytes(members["pin_criteria"])),
        (pin.widget or "").strip(),
        "" if opens is None else times.field_text(opens, zone),
        "" if closes is None else times.field_text(closes, zone),
        pin.bundled,
    )


def _notes(members: Mapping[str, Raw]) -> Mapping[str, str]:
    """What `target_metadata` says of the two that a form shows, where that is a text."""
    known = metadata_of(members)
    return {name: known[name] if isinstance(known.get(name), str) else "" for name in NOTED}


def metadata_of(members: Mapping[str, Raw]) -> dict[str, Any]:
    """`target_metadata`, decoded."""
    raw = members.get("target_metadata")
    found = None if raw is None else msgspec.json.decode(raw)
    return found if isinstance(found, dict) else {}


def _fields(sheet: Sheet) -> int:
    rules = [sheet.criteria, *(each.criteria for each in sheet.pins)]
    rows = sum(1 + 3 * len(group.conditions) for rule in rules for group in rule.groups)
    return rows + _PIN_FIELDS * len(sheet.pins)
