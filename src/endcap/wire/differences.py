"""
What two customizations say, compared: whether it is the same, and field by field what is another.

Both are compared by content, not by spelling: space in JSON and the order of keys do not count, and neither does what a
pin carries for another kind of pin than it is. The order of tags and of pins counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

import msgspec
from msgspec import Struct

from endcap.domain import Definition, Record
from endcap.wire.customizations import PIN_FIELDS
from endcap.wire.reading import UNREADABLE

Content = Mapping[str, Any]
"""What a customization says, decoded: the members of its document, `target_metadata`, and `disabled` if it is."""
_ORDER = (
    "model",
    "target_type",
    "target_identity",
    "target_criteria",
    "disabled",
    "tags",
    "target_metadata",
    "pin_definitions",
)
_IDLE = {"item": "pin_criteria", "criteria": "pin_identity"}
_encode = msgspec.json.encode


class Difference(Struct, frozen=True):
    """
    One field that is another. `field` is a path, as in `pin_definitions[0].position`; the values are JSON, None where
    there is none.
    """

    field: str
    before: str | None
    after: str | None


def content_of(said: Definition | Record) -> Content:
    """Raises UNREADABLE errors for a record that a hand has spoilt."""
    members: dict[str, Any] = msgspec.json.decode(said.document)
    if said.metadata is not None:
        members["target_metadata"] = msgspec.json.decode(said.metadata)
    if said.disabled:
        members["disabled"] = True
    pins = members.get("pin_definitions")
    if isinstance(pins, list):
        members["pin_definitions"] = [_effective(pin) for pin in pins]
    return members


def fingerprint(said: Definition | Record) -> bytes | None:
    """The same bytes for whoever says the same; None for what cannot be read."""
    try:
        return _encode(content_of(said), order="sorted")
    except UNREADABLE:
        return None


def says_the_same(one: Definition | Record, other: Definition | Record) -> bool:
    if bool(one.disabled) is not bool(other.disabled):
        return False
    if one.document == other.document and one.metadata == other.metadata:
        return True
    known = fingerprint(one)
    return known is not None and known == fingerprint(other)


def differences(before: Content, after: Content) -> Iterator[Difference]:
    """Field by field, in the order in which people read customizations."""
    for field in dict.fromkeys((*_ORDER, *before, *after)):
        old, new = before.get(field), after.get(field)
        if _same(old, new):
            continue
        if field == "pin_definitions" and isinstance(old, list) and isinstance(new, list):
            yield from _pin_differences(old, new)
        elif field == "target_metadata" and isinstance(old, dict) and isinstance(new, dict):
            for key in dict.fromkeys((*old, *new)):
                yield from _difference(f"{field}.{key}", old.get(key), new.get(key))
        else:
            yield from _difference(field, old, new)


def _effective(pin: Any) -> Any:
    """A pin without what only another kind of pin has a use for."""
    if not isinstance(pin, dict):
        return pin
    idle = _IDLE.get(str(pin.get("pin_type")))
    return {key: value for key, value in pin.items() if key != idle}


def _difference(field: str, old: Any, new: Any) -> Iterator[Difference]:
    if not _same(old, new):
        yield Difference(field, _json(old), _json(new))


def _json(value: Any) -> str | None:
    return None if value is None else _encode(value).decode()


def _same(old: Any, new: Any) -> bool:
    """As JSON has it: 1 is neither 1.0 nor true."""
    return _encode(old, order="sorted") == _encode(new, order="sorted")


def _pin_differences(old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
    """Pins that stay are matched first, so that one that comes in between does not change all behind it."""
    before, after = ([_encode(pin, order="sorted") for pin in pins] for pins in (old, new))
    matched = SequenceMatcher(None, before, after, autojunk=False)
    for kind, i, i_end, j, j_end in matched.get_opcodes():
        if kind == "equal":
            continue
        paired = min(i_end - i, j_end - j)
        for offset in range(paired):
            yield from _one_pin(i + offset, old[i + offset], new[j + offset])
        for index in range(i + paired, i_end):
            yield Difference(f"pin_definitions[{index}]", _json(old[index]), None)
        for index in range(j + paired, j_end):
            yield Difference(f"pin_definitions[{index}]", None, _json(new[index]))


def _one_pin(index: int, old: Any, new: Any) -> Iterator[Difference]:
    """`index` counts in the old list, as those who look at what is there do."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        yield from _difference(f"pin_definitions[{index}]", old, new)
        return
    for field in dict.fromkeys((*PIN_FIELDS, *old, *new)):
        yield from _difference(f"pin_definitions[{index}].{field}", old.get(field), new.get(field))
