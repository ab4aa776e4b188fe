"""
The straight way through a customization without a fault: one typed decode instead of a look at every member.

Bodies are nearly always right, and reading them member by member to be able to name all faults costs three times as
much. Whatever is out of the ordinary here (a fault, a null, an unknown member of a pin) is None: the caller reads it
the careful way. A test holds the two to the same result.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from endcap import criteria
from endcap.criteria import Rule
from endcap.domain import (
    ALWAYS,
    BLOCKED,
    EVERYWHERE,
    IDENTITY_CHARACTERS_MAX,
    MODEL_CHARACTERS_MAX,
    PINS_MAX,
    POSITION_MAX,
    TAG_CHARACTERS_MAX,
    TAGS_MAX,
    AllTarget,
    CriteriaTarget,
    ItemId,
    ItemTarget,
    Micros,
    Pin,
    Place,
    Slot,
    Target,
    Window,
)
from endcap.wire.reading import UNREADABLE, instant

_Identity = Annotated[str, Meta(min_length=1, max_length=IDENTITY_CHARACTERS_MAX)]
_ABSENT = Raw()


class _Pin(Struct, forbid_unknown_fields=True):
    position: Annotated[int, Meta(ge=-1, le=POSITION_MAX)]
    pin_type: Literal["item", "criteria"]
    pin_identity: _Identity | msgspec.UnsetType = msgspec.UNSET
    pin_criteria: Raw = _ABSENT
    widget_id: _Identity | msgspec.UnsetType = msgspec.UNSET
    is_block_pin: bool = False
    is_bundle_pin: bool = False
    active_from: str | msgspec.UnsetType = msgspec.UNSET
    active_to: str | msgspec.UnsetType = msgspec.UNSET


class _Body(Struct):
    model: Annotated[str, Meta(min_length=1, max_length=MODEL_CHARACTERS_MAX)]
    target_type: Literal["item", "criteria", "all"]
    pin_definitions: Annotated[list[_Pin], Meta(max_length=PINS_MAX)]
    target_identity: _Identity | msgspec.UnsetType = msgspec.UNSET
    target_criteria: Raw = _ABSENT
    tags: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=TAG_CHARACTERS_MAX)]],
        Meta(max_length=TAGS_MAX),
    ] = []
    disabled: bool | None = None


class Plain(Struct, frozen=True):
    """A definition as far as it is understood without its documents."""

    model: str
    target_type: str
    target: Target
    pins: tuple[Pin, ...]
    tags: tuple[str, ...]
    disabled: bool | None


_DECODER = msgspec.json.Decoder(_Body)


class _OutOfTheOrdinary(ValueError):
    """To be read the careful way."""


def read_plain(body: bytes) -> Plain | None:
    """What a body without a fault says; None for any other."""
    if rb"\u0000" in body:
        return None
    try:
        sent = _DECODER.decode(body)
        return Plain(
            sent.model,
            sent.target_type,
            _target(sent),
            tuple([_pin(each) for each in sent.pin_definitions]),
            tuple(dict.fromkeys(sent.tags)),
            sent.disabled,
        )
    except (*UNREADABLE, ValueError):
        return None


def _target(sent: _Body) -> Target:
    if sent.target_type == "item":
        return ItemTarget(_identity(sent.target_identity))
    if sent.target_type == "criteria":
        return CriteriaTarget(_rule(sent.target_criteria))
    return AllTarget()


def _pin(sent: _Pin) -> Pin:
    item: ItemId | None = None
    rule: Rule | None = None
    if sent.pin_type == "criteria":
        rule = _rule(sent.pin_criteria)
    elif sent.pin_criteria is _ABSENT:
        item = _identity(sent.pin_identity)
    else:
        raise _OutOfTheOrdinary
    window = _window(sent.active_from, sent.active_to)
    widget = None if sent.widget_id is msgspec.UNSET else sent.widget_id
    return Pin(_place(sent), item, rule, window, widget, sent.is_bundle_pin)


def _place(sent: _Pin) -> Place:
    if sent.is_block_pin or sent.position == 0:
        return BLOCKED
    return EVERYWHERE if sent.position == -1 else Slot(sent.position)


def _identity(sent: str | msgspec.UnsetType) -> ItemId:
    if sent is msgspec.UNSET:
        raise _OutOfTheOrdinary
    return ItemId(sent)


def _rule(sent: Raw) -> Rule:
    if sent is _ABSENT:
        raise _OutOfTheOrdinary
    rule = criteria.parse(bytes(sent))
    if rule == criteria.ALWAYS_TRUE:
        raise _OutOfTheOrdinary
    return rule


def _window(active_from: str | msgspec.UnsetType, active_to: str | msgspec.UnsetType) -> Window:
    if active_from is msgspec.UNSET and active_to is msgspec.UNSET:
        return ALWAYS
    opens, closes = _moment(active_from), _moment(active_to)
    if opens is not None and closes is not None and opens >= closes:
        raise _OutOfTheOrdinary
    return Window(opens, closes)


def _moment(sent: str | msgspec.UnsetType) -> Micros | None:
    if sent is msgspec.UNSET:
        return None
    at = instant(sent)
    if at is None:
        raise _OutOfTheOrdinary
    return at
