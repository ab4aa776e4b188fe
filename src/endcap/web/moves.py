"""
What buttons of the form do to a sheet, with a sentence that says it: pins come, go and move, rows come and go.

A move is a text, the value of a button: `add`, `up:2`, `place:3:/p/1`. Dragging does nothing that a button does not. A
text that is no move changes nothing.
"""

from collections.abc import Callable, Collection, Mapping

from msgspec import Struct
from msgspec.structs import replace

from endcap.criteria import CriteriaFault
from endcap.domain import POSITION_MAX
from endcap.web.conditions import Condition, Group, Kind, groups_of
from endcap.web.sheets import CONDITIONS_MAX, GROUPS_MAX, PINS_MAX, Criteria, PinSheet, Sheet
from endcap.web.writing import criteria_of
from endcap.wire.customizations import selective_rule

Name = Callable[[str], str]
NOTHING = ""
FULL = f"There are {PINS_MAX} pins already; a form shows no more"


class Stage(Struct, frozen=True):
    """What a move may have to know of the scene: what items are called, and which pins are awake in it."""

    name: Name
    awake: frozenset[int] = frozenset()


def moved(sheet: Sheet, move: str, stage: Stage) -> tuple[Sheet, str]:
    """The sheet after a move, and what to say of it; empty where it was none."""
    word, _, rest = move.partition(":")
    act = _MOVES.get(word)
    return (sheet, NOTHING) if act is None else act(sheet, rest, stage)


Moved = tuple[Sheet, str]


def _add(sheet: Sheet, rest: str, stage: Stage) -> Moved:
    pin = PinSheet(slot=_free_slot(sheet, stage), what="criteria" if rest == "criteria" else "item")
    if len(sheet.pins) >= PINS_MAX:
        return sheet, FULL
    return replace(sheet, pins=(*sheet.pins, pin)), f"Pin {len(sheet.pins) + 1} was added"


def _place(sheet: Sheet, rest: str, stage: Stage) -> Moved:
    """`SLOT:IDENTITY`: an item to a slot, be it pinned already or not; slot 0: the first that is free."""
    where, _, identity = rest.partition(":")
    slot = _number(where)
    if not identity or slot is None or slot > POSITION_MAX:
        return sheet, NOTHING
    known = _pin_of(sheet, identity, stage)
    if slot == 0:
        slot = _number(_free_slot(sheet, stage)) or 1
    if known is not None:
        return _shift(sheet, f"{known}:{slot}", stage)
    if len(sheet.pins) >= PINS_MAX:
        return sheet, FULL
    pins = _made_room(sheet.pins, slot, stage.awake)
    pin = PinSheet(slot=str(slot), item=identity)
    said = f"{stage.name(identity) or identity} was pinned to slot {slot}"
    return replace(sheet, pins=(*pins, pin)), said


def _shift(sheet: Sheet, rest: str, stage: Stage) -> Moved:
    """`PIN:SLOT`: a pin to another slot; those between make room."""
    which, _, where = rest.partition(":")
    at, slot = _index(sheet, which), _number(where)
    if at is None or slot is None or not 1 <= slot <= POSITION_MAX:
        return sheet, NOTHING
    pin = sheet.pins[at]
    others = stage.awake - {at}
    was = _slot_of(pin)
    if was is None:
        pins = _made_room(sheet.pins, slot, others)
    elif any(_slot_of(sheet.pins[each]) == slot for each in others if each < len(sheet.pins)):
        pins = _rotated(sheet.pins, was, slot, others)
    else:
        pins = sheet.pins
    shifted = replace(pin, place="slot", slot=str(slot))
    pins = (*pins[:at], shifted, *pins[at + 1 :])
    return replace(sheet, pins=pins), f"{_called(pin, at, stage)} is now in slot {slot}"


def _never(sheet: Sheet, rest: str, stage: Stage) -> Moved:
    """`IDENTITY`: the item is kept out."""
    if not rest:
        return sheet, NOTHING
    known = _pin_of(sheet, rest, stage)
    said = f"{stage.name(rest) or rest} will never be shown here"
    if known is not None:
        pin = replace(sheet.pins[known], place="never", slot="", is_bundled=False)
        return replace(sheet, pins=(*sheet.pins[:known], pin, *sheet.pins[known + 1 :])), said
    if len(sheet.pins) >= PINS_MAX:
        return sheet, FULL
    return replace(sheet, pins=(*sheet.pins, PinSheet(place="never", item=rest))), said


def _remove(sheet: Sheet, rest: str, stage: Stage) -> Moved:
    at = _index(sheet, rest)
    if at is None:
        return sheet, NOTHING
    pins = (*sheet.pins[:at], *sheet.pins[at + 1 :])
    return replace(sheet, pins=pins), f"{_called(sheet.pins[at], at, stage)} is no longer pinned"


def _swap(sheet: Sheet, at: int, other: int, stage: Stage) -> Moved:
    pins = list(sheet.pins)
    pins[at], pins[other] = pins[other], pins[at]
    return (
        replace(sheet, pins=tuple(pins)),
        f"{_called(sheet.pins[at], at, stage)} is now pin {other + 1} of {len(pins)}",
    )


def _up(sheet: Sheet, rest: str, stage: Stage) -> Moved:
    at = _index(sheet, rest)
    return (sheet, NOTHING) if not at else _swap(sheet, at, at - 1, stage)


def _down(sheet: Sheet, rest: str, stage: Stage) -> Moved:
    at = _index(sheet, rest)
    if at is None or at + 1 >= len(sheet.pins):
        return sheet, NOTHING
    return _swap(sheet, at, at + 1, stage)


# Criteria: `PREFIX:…`, the prefix of their fields


def _condition(sheet: Sheet, rest: str, stage: Stage) -> Moved:
    """`PREFIX:GROUP`: another row."""
    prefix, _, text = rest.partition(":")
    at = _number(text)

    def more(rule: Criteria) -> Criteria:
        if at is None or at >= len(rule.groups):
            return rule
        if len(rule.groups[at].conditions) >= CONDITIONS_MAX:
            return rule
        group = rule.groups[at]
        return _with_group(rule, at, replace(group, conditions=(*group.conditions, Condition())))

    return _with_rule(sheet, prefix, more, "A condition was added")


def _drop(sheet: Sheet, rest: str, stage: Stage) -> Moved:
    """`PREFIX:GROUP:ROW`: a row goes, and with its last row a group."""
    prefix, group_text, row_text = (*rest.split(":"), "", "", "")[:3]
    at, row = _number(group_text), _number(row_text)

    def less(rule: Criteria) -> Criteria:
        if at is None or row is None or at >= len(rule.groups) or rule.is_text:
            return rule
        held = rule.groups[at].conditions
        group = replace(rule.groups[at], conditions=(*held[:row], *held[row + 1 :]))
        if group.conditions:
            return _with_group(rule, at, group)
        groups = (*rule.groups[:at], *rule.groups[at + 1 :])
        return replace(rule, groups=groups or (Group(),))

    return _with_rule(sheet, prefix, less, "The condition was removed")


def _group(sheet: Sheet, rest: str, stage: Stage) -> Moved:
    """`PREFIX:KIND`: a group."""
    prefix, _, kind = rest.partition(":")
    kinds: Mapping[str, Kind] = {"all": "all", "any": "any", "none": "none"}

    def more(rule: Criteria) -> Criteria:
        if kind not in kinds or len(rule.groups) >= GROUPS_MAX:
            return rule
        return replace(rule, groups=(*rule.groups, Group(kinds[kind])))

    return _with_rule(sheet, prefix, more, "A group of conditions was added")


def _text(sheet: Sheet, rest: str, stage: Stage) -> Moved:
    """`PREFIX`: rows as a text."""

    def spelled(rule: Criteria) -> Criteria:
        raw, _ = criteria_of(rule, rest)
        return Criteria(True, (), "" if raw is None else raw.decode())

    return _with_rule(sheet, rest, spelled, "The criteria are a text now")


def _rows(sheet: Sheet, rest: str, stage: Stage) -> Moved:
    """`PREFIX`: a text as rows, where rows can say it."""
    found = _rule_at(sheet, rest)
    if found is None:
        return sheet, NOTHING
    try:
        groups = (
            groups_of(selective_rule(found.text.encode())) if found.text.strip() else (Group(),)
        )
    except (CriteriaFault, UnicodeEncodeError):
        groups = None
    if groups is None:
        return sheet, "Rows cannot say what this text says, so it stays a text"
    rows = groups
    return _with_rule(sheet, rest, lambda _: Criteria(False, rows), "The criteria are rows now")


def _with_rule(
    sheet: Sheet, prefix: str, change: Callable[[Criteria], Criteria], said: str
) -> Moved:
    """The sheet with other criteria in the place that a prefix names."""
    found = _rule_at(sheet, prefix)
    if found is None or (changed := change(found)) == found:
        return sheet, NOTHING
    if prefix == "t-":
        return replace(sheet, criteria=changed), said
    at = int(prefix[1:-1])
    pin = replace(sheet.pins[at], criteria=changed)
    return replace(sheet, pins=(*sheet.pins[:at], pin, *sheet.pins[at + 1 :])), said


def _rule_at(sheet: Sheet, prefix: str) -> Criteria | None:
    if prefix == "t-":
        return sheet.criteria
    at = _index(sheet, prefix[1:-1]) if prefix[:1] == "p" and prefix[-1:] == "-" else None
    return None if at is None else sheet.pins[at].criteria


def _with_group(rule: Criteria, at: int, group: Group) -> Criteria:
    return replace(rule, groups=(*rule.groups[:at], group, *rule.groups[at + 1 :]))


def _pin_of(sheet: Sheet, identity: str, stage: Stage) -> int | None:
    """The pin of an item that is awake in the scene."""
    found = (
        number
        for number, pin in enumerate(sheet.pins)
        if number in stage.awake and pin.what == "item" and pin.item == identity
    )
    return next(found, None)


def _free_slot(sheet: Sheet, stage: Stage) -> str:
    taken = {_slot_of(sheet.pins[each]) for each in stage.awake if each < len(sheet.pins)}
    return str(next(slot for slot in range(1, PINS_MAX + 2) if slot not in taken))


def _made_room(
    pins: tuple[PinSheet, ...], slot: int, awake: Collection[int]
) -> tuple[PinSheet, ...]:
    """Those from a slot on that stand side by side are pushed on by one."""
    taken = {_slot_of(pins[each]) for each in awake if each < len(pins)}
    end = slot
    while end in taken and end < POSITION_MAX:
        end += 1
    return _pushed(pins, awake, range(slot, end), 1)


def _rotated(
    pins: tuple[PinSheet, ...], was: int, slot: int, awake: Collection[int]
) -> tuple[PinSheet, ...]:
    """Those between where a pin was and where it goes close up behind it."""
    between = range(slot, was) if slot < was else range(was + 1, slot + 1)
    return _pushed(pins, awake, between, 1 if slot < was else -1)


def _pushed(
    pins: tuple[PinSheet, ...], awake: Collection[int], slots: Collection[int], by: int
) -> tuple[PinSheet, ...]:
    def pushed(number: int, pin: PinSheet) -> PinSheet:
        slot = _slot_of(pin)
        if number not in awake or slot is None or slot not in slots:
            return pin
        return replace(pin, slot=str(slot + by))

    return tuple(pushed(number, pin) for number, pin in enumerate(pins))


def _called(pin: PinSheet, at: int, stage: Stage) -> str:
    if pin.what == "item" and pin.item:
        return stage.name(pin.item) or pin.item
    return f"Pin {at + 1}"


def _slot_of(pin: PinSheet) -> int | None:
    return _number(pin.slot) if pin.place == "slot" else None


def _index(sheet: Sheet, text: str) -> int | None:
    at = _number(text)
    return at if at is not None and at < len(sheet.pins) else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else None


_MOVES: Mapping[str, Callable[[Sheet, str, Stage], Moved]] = {
    "add": _add,
    "place": _place,
    "shift": _shift,
    "never": _never,
    "remove": _remove,
    "up": _up,
    "down": _down,
    "condition": _condition,
    "drop": _drop,
    "group": _group,
    "text": _text,
    "rows": _rows,
}
