"""
Two versions of a customization and the one that both began with, field by field; and one made of what was chosen.

A pin is one field: it is the same pin in two versions if it pins the same thing in the same widget, and is the same of
several that do. What nobody changed is no question; what one of two changed is chosen already; only where both did
does somebody have to look. Members are kept as they are spelled.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from endcap.errors import FaultyFields
from endcap.web.diff import Name, brief, pin_text, target_text
from endcap.wire.reading import UNREADABLE

Side = Literal["mine", "theirs"]
_TARGET = ("target_type", "target_identity", "target_criteria")
_HEADS: Mapping[str, tuple[str, ...]] = {
    "model": ("model",),
    "target": _TARGET,
    "tags": ("tags",),
    "disabled": ("disabled",),
    "notes": ("target_metadata",),
}
_WORDS: Mapping[str, str] = {
    "model": "Recommender",
    "target": "Target",
    "tags": "Tags",
    "disabled": "State",
    "notes": "Notes",
}
_NOT_THERE = "not pinned"
_encode = msgspec.json.encode


class Field(Struct, frozen=True):
    """One field that is not the same in both. `chosen` is whose to take unless somebody says otherwise."""

    key: str
    word: str
    common: str
    mine: str
    theirs: str
    chosen: Side
    is_both: bool
    """Whether both changed it."""


class _Read(Struct, frozen=True):
    """A version, taken apart: raw members to write again, values to compare."""

    raw: Mapping[str, Raw]
    values: Mapping[str, Any]
    pins: Mapping[str, tuple[Raw, Mapping[str, Any]]]


def fields(
    common: bytes | None, mine: bytes, theirs: bytes, name: Name, zone: tzinfo = UTC
) -> list[Field]:
    """What differs between mine and theirs. Raises FaultyFields for what cannot be taken apart."""
    began, one, other = (None if common is None else _taken(common)), _taken(mine), _taken(theirs)
    found: list[Field] = []
    for key, members in _HEADS.items():
        versions = [_members(each, members) for each in (began, one, other)]
        if versions[1] != versions[2]:
            texts = [_head_text(key, each, name) for each in (began, one, other)]
            found.append(_field(key, _WORDS[key], versions, texts, knows=began is not None))
    for number, key in enumerate(dict.fromkeys((*one.pins, *other.pins))):
        pins = [None if each is None else each.pins.get(key) for each in (began, one, other)]
        values = [None if pin is None else pin[1] for pin in pins]
        if values[1] != values[2]:
            texts = ["" if pin is None else pin_text(pin[1], name, zone) for pin in pins]
            shown = [text or _NOT_THERE for text in texts]
            found.append(_field(f"pin-{number}", "Pin", values, shown, knows=began is not None))
    return found


def merged(mine: bytes, theirs: bytes, choices: Mapping[str, Side]) -> bytes:
    """A version with theirs where that is chosen, and else mine. Raises FaultyFields."""
    one, other = _taken(mine), _taken(theirs)
    members: dict[str, Raw] = {}
    for key, names in _HEADS.items():
        source = other if choices.get(key) == "theirs" else one
        members |= {each: source.raw[each] for each in names if each in source.raw}
    pins: list[Raw] = []
    for number, key in enumerate(dict.fromkeys((*one.pins, *other.pins))):
        source = other if choices.get(f"pin-{number}") == "theirs" else one
        if key in source.pins:
            pins.append(source.pins[key][0])
    members["pin_definitions"] = Raw(b"[" + b",".join(map(bytes, pins)) + b"]")
    return _encode(members)


def _field(
    key: str, word: str, versions: Sequence[Any], texts: Sequence[str], *, knows: bool
) -> Field:
    common, mine, theirs = versions
    is_both = not knows or common not in (mine, theirs)
    chosen: Side = "theirs" if knows and mine == common else "mine"
    return Field(key, word, texts[0] if knows else "", texts[1], texts[2], chosen, is_both)


def _taken(version: bytes) -> _Read:
    try:
        raw = msgspec.json.decode(version, type=dict[str, Raw])
        values = {key: msgspec.json.decode(each) for key, each in raw.items()}
        listed = msgspec.json.decode(raw.get("pin_definitions", b"[]"), type=list[Raw])
        pins = [(each, msgspec.json.decode(each, type=dict[str, Any])) for each in listed]
    except UNREADABLE as error:
        raise FaultyFields("This version cannot be compared", {"document": [str(error)]}) from error
    values["tags"] = values.get("tags") or []
    values["disabled"] = bool(values.get("disabled"))
    met: Counter[str] = Counter()
    keyed: dict[str, tuple[Raw, Mapping[str, Any]]] = {}
    for pin in pins:
        what = _identity(pin[1])
        met[what] += 1
        keyed[f"{what} {met[what]}"] = pin
    return _Read(raw, values, keyed)


def _identity(pin: Mapping[str, Any]) -> str:
    parts = (pin.get("pin_type"), pin.get("pin_identity"), pin.get("pin_criteria"))
    return _encode((*parts, pin.get("widget_id")), order="deterministic").decode()


def _members(read: _Read | None, names: Sequence[str]) -> list[Any] | None:
    return None if read is None else [read.values.get(each) for each in names]


def _head_text(key: str, read: _Read | None, name: Name) -> str:
    if read is None:
        return ""
    values = read.values
    match key:
        case "target":
            return target_text(values, name) or ""
        case "tags":
            return ", ".join(map(str, values["tags"])) or "none"
        case "disabled":
            return "disabled" if values["disabled"] else "enabled"
        case "notes":
            notes = values.get("target_metadata")
            if not isinstance(notes, dict):
                return "none"
            return "; ".join(f"{each}: {brief(value)}" for each, value in notes.items()) or "none"
        case _:
            return str(values.get(key) or "")
