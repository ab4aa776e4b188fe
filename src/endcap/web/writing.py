"""
Writes what a form says: the document of a sheet, with what is wrong by the name of the field.

A pin that is not whole yet is left out and named, so that the rest can be tried. What nobody touched is written as it
was spelled, byte for byte.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import tzinfo

import msgspec
from msgspec import Raw, Struct

from endcap.criteria import CriteriaFault
from endcap.domain import POSITION_MAX, Micros
from endcap.errors import FaultyFields, MalformedBody
from endcap.web import times
from endcap.web.conditions import RowFault, encoded, rule_of, shape_of, texts_of
from endcap.web.forms import MEMBERS, NOTED, PINS, UNTAKABLE, NotForForms, metadata_of, opened
from endcap.web.sheets import Criteria, PinSheet, Sheet
from endcap.wire.customizations import selective_rule
from endcap.wire.reading import seconds_text

_SEVERAL = "identity"
_RAWS = msgspec.json.Decoder(list[Raw])


class Written(Struct, frozen=True):
    """
    A document, and what is wrong by the name of the field. `pins` are the numbers in the form of the pins that the
    document has. `document` is None where there is no telling whom it would speak to.
    """

    document: bytes | None
    faults: Mapping[str, str]
    pins: Sequence[int]
    lacking: frozenset[str] = frozenset()
    """Of the faulty fields those that are merely empty: whoever is still typing knows."""


def written(sheet: Sheet, zone: tzinfo) -> Written:
    """The document of a sheet."""
    return _Writer(sheet, zone).written()


class _Writer:
    def __init__(self, sheet: Sheet, zone: tzinfo) -> None:
        self.sheet = sheet
        self.zone = zone
        self.faults: dict[str, str] = {}
        self.lacking: set[str] = set()
        self.members: dict[str, Raw] = {}
        self.before = Sheet()
        self.sent: Sequence[dict[str, Raw]] = ()
        self.raw: Sequence[Raw] = ()
        if sheet.was:
            try:
                self.before = opened(sheet.was.encode(), zone)
                self.members = MEMBERS.decode(sheet.was.encode())
                self.sent = PINS.decode(self.members["pin_definitions"])
                self.raw = _RAWS.decode(self.members["pin_definitions"])
            except (NotForForms, *UNTAKABLE) as error:
                raise MalformedBody(
                    "The form cannot be read; open the page anew", {"was": [str(error)]}
                ) from error

    def written(self) -> Written:
        sheet, members = self.sheet, {}
        if not sheet.model:
            self._lacks("model", "Choose a recommender")
        model = self.members.get("model") if sheet.model == self.before.model else None
        members["model"] = model or Raw(encoded(sheet.model))
        target = self._target()
        pins = [(number, self._pin(number, pin)) for number, pin in enumerate(sheet.pins)]
        known = [(number, raw) for number, raw in pins if raw is not None]
        if (tags := self._tags()) is not None:
            members["tags"] = tags
        if (metadata := self._metadata()) is not None:
            members["target_metadata"] = metadata
        if not sheet.is_enabled:
            members["disabled"] = Raw(b"true")
        if target is None or not sheet.model:
            return self._done(None, known)
        members |= target
        raws = [raw for _, raw in known]
        listed = Raw(b"[" + b",".join(raws) + b"]")
        is_as_it_was = raws == [bytes(each) for each in self.raw] and sheet.was
        members["pin_definitions"] = self.members["pin_definitions"] if is_as_it_was else listed
        return self._done(encoded(members), known)

    def _done(self, document: bytes | None, known: Sequence[tuple[int, bytes]]) -> Written:
        numbers = [number for number, _ in known]
        return Written(document, self.faults, numbers, frozenset(self.lacking))

    def _lacks(self, field: str, message: str) -> None:
        self.faults[field] = message
        self.lacking.add(field)

    def _target(self) -> dict[str, Raw] | None:
        sheet, before = self.sheet, self.before
        kind = "criteria" if sheet.target == "several" else sheet.target
        told = {"target_type": Raw(encoded(kind))}
        match sheet.target:
            case "all":
                return told
            case "item":
                if not sheet.item:
                    self._lacks("item", "Choose the item")
                    return None
                if (before.target, before.item) == ("item", sheet.item):
                    return {**told, "target_identity": self.members["target_identity"]}
                return {**told, "target_identity": Raw(encoded(sheet.item))}
            case "several":
                raw = self._several()
            case "criteria":
                raw = self._rule("t-", sheet.criteria)
        if raw is None:
            return None
        if (sheet.target, sheet.items, sheet.criteria) == (
            before.target,
            before.items,
            before.criteria,
        ):
            raw = bytes(self.members["target_criteria"])
        return {**told, "target_criteria": Raw(raw)}

    def _several(self) -> bytes | None:
        lines = dict.fromkeys(line.strip() for line in self.sheet.items.splitlines())
        identities = [each for each in lines if each]
        if not identities:
            self._lacks("items", "Name the items, one on a line")
            return None
        raw = encoded([{"field": _SEVERAL, "operator": "in", "value": identities}])
        try:
            selective_rule(raw)
        except CriteriaFault as fault:
            self.faults["items"] = str(fault)
            return None
        return raw

    def _rule(self, prefix: str, typed: Criteria) -> bytes | None:
        """Criteria as they are to be sent; None where they are faulty."""
        raw, faults = criteria_of(typed, prefix)
        self.faults |= faults
        if typed in (Criteria(), Criteria(True, ())):
            self.lacking |= faults.keys()
        return raw

    def _tags(self) -> Raw | None:
        try:
            tags = texts_of(self.sheet.tags)
        except RowFault as fault:
            self.faults["tags"] = str(fault)
            return None
        return Raw(encoded(tags)) if tags else None

    def _metadata(self) -> Raw | None:
        sheet, before = self.sheet, self.before
        if (sheet.title, sheet.notes) == (before.title, before.notes):
            return self.members.get("target_metadata")
        found = metadata_of(self.members)
        for name in NOTED:
            typed = getattr(sheet, name)
            if typed == getattr(before, name):
                continue
            if typed:
                found[name] = typed
            else:
                found.pop(name, None)
        return Raw(encoded(found)) if found else None

    # Pins

    def _pin(self, number: int, pin: PinSheet) -> bytes | None:
        """One pin as it is to be sent; None where it is faulty."""
        prefix, faults = f"p{number}-", len(self.faults)
        members, before = self._origin(pin)
        if pin.origin is not None and pin == before:
            return bytes(self.raw[pin.origin])
        members = dict(members)
        self._place(prefix, members, pin, before)
        self._what(prefix, members, pin, before)
        self._window(prefix, members, pin, before)
        if pin.widget != before.widget:
            _put(members, "widget_id", pin.widget or None)
        if pin.is_bundled != before.is_bundled:
            _put(members, "is_bundle_pin", pin.is_bundled or None)
        return encoded(members) if len(self.faults) == faults else None

    def _origin(self, pin: PinSheet) -> tuple[Mapping[str, Raw], PinSheet]:
        if pin.origin is None or pin.origin >= len(self.sent):
            return {}, PinSheet()
        return self.sent[pin.origin], self.before.pins[pin.origin]

    def _place(self, prefix: str, members: dict[str, Raw], pin: PinSheet, before: PinSheet) -> None:
        if pin.place == "slot" and not _is_slot(pin.slot):
            self.faults[f"{prefix}slot"] = f"A slot is a number from 1 to {POSITION_MAX:,}"
        elif (pin.place, pin.slot) != (before.place, before.slot) or "position" not in members:
            position = {"everywhere": -1, "never": 0}.get(pin.place)
            _put(members, "position", int(pin.slot) if position is None else position)
            _put(members, "is_block_pin", True if pin.place == "never" else None)

    def _what(self, prefix: str, members: dict[str, Raw], pin: PinSheet, before: PinSheet) -> None:
        is_new = "pin_type" not in members
        if pin.what == "item":
            if not pin.item:
                self._lacks(f"{prefix}item", "Choose the product")
            elif is_new or (pin.what, pin.item) != (before.what, before.item):
                _put(members, "pin_type", "item")
                _put(members, "pin_identity", pin.item)
                members.pop("pin_criteria", None)
            return
        raw = self._rule(prefix, pin.criteria)
        if raw is not None and (
            is_new or (pin.what, pin.criteria) != (before.what, before.criteria)
        ):
            _put(members, "pin_type", "criteria")
            members["pin_criteria"] = Raw(raw)
            members.pop("pin_identity", None)

    def _window(
        self, prefix: str, members: dict[str, Raw], pin: PinSheet, before: PinSheet
    ) -> None:
        if (pin.opens, pin.closes) == (before.opens, before.closes):
            return
        found: list[Micros | None] = []
        for name, typed, was, member in (
            ("from", pin.opens, before.opens, "active_from"),
            ("to", pin.closes, before.closes, "active_to"),
        ):
            try:
                at = times.read_field(typed, self.zone, name) if typed else None
            except FaultyFields:
                self.faults[f"{prefix}{name}"] = "Write the day and the time, or leave it empty"
                return
            found.append(at)
            if typed != was:
                _put(members, member, None if at is None else seconds_text(at))
        opens, closes = found
        if opens is not None and closes is not None and opens >= closes:
            self.faults[f"{prefix}to"] = "It ends before it begins"


def criteria_of(sheet: Criteria, prefix: str) -> tuple[bytes | None, Mapping[str, str]]:
    """Criteria as they are to be sent, or what is wrong with them by the name of the field."""
    if sheet.is_text:
        return _from_text(sheet.text, f"{prefix}text")
    faults: dict[str, str] = {}
    for at, group in enumerate(sheet.groups):
        for number, condition in enumerate(group.conditions):
            try:
                rule_of(condition)
            except RowFault as fault:
                name = "values" if condition.attribute else "attribute"
                faults[f"{prefix}g{at}-c{number}-{name}"] = str(fault)
    if faults:
        return None, faults
    try:
        raw = encoded(shape_of(sheet.groups))
        selective_rule(raw)
    except (RowFault, CriteriaFault) as fault:
        return None, {f"{prefix}g0-kind": str(fault)}
    return raw, {}


def _from_text(text: str, field: str) -> tuple[bytes | None, Mapping[str, str]]:
    if not text.strip():
        return None, {field: 'Write the criteria, such as {"brand": "Fender"}'}
    try:
        json.loads(text)
        selective_rule(text.encode())
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        return None, {field: f"It cannot be read from {where} on: {error.msg}"}
    except (CriteriaFault, RecursionError, UnicodeEncodeError) as fault:
        return None, {field: str(fault)}
    return text.strip().encode(), {}


def _is_slot(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= POSITION_MAX


def _put(members: dict[str, Raw], name: str, value: object) -> None:
    if value is None:
        members.pop(name, None)
    else:
        members[name] = Raw(encoded(value))
