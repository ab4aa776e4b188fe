"""
Whose pins a customization would be in the way of, and who is in its way: told before it is saved.

Looks at customizations that speak together with it, in one scene and for its own target, and at pairs of pins that may
be awake at one time in one widget. What is said is true of every such pair by the law of placement; that other pins
may decide a case besides is what the explanation is for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Literal

from msgspec import Struct

from endcap.domain import Blocked, Customization, CustomizationId, ItemId, Micros, Pin, Slot, Window
from endcap.engine.catalog import Catalog
from endcap.engine.rules import rank_of

PAIRS_MAX = 20_000  # of pins that are compared: some 10 ms
SHOWN_MAX = 12
What = Literal["slot", "item", "blocks", "blocked"]
"""Both want one slot; both pin one item; ours keeps out what that one pins; that one keeps out what ours pins."""
_KINDS: Mapping[int, str] = {3: "one item", 2: "criteria", 1: "everything"}


class Conflict(Struct, frozen=True):
    """`pin` and `its` count from 0. `when`: both are awake then; `wins`: ours is what shoppers see."""

    other: Customization
    pin: int
    its: int
    what: What
    item: ItemId | None
    """What both are about, where that is an item."""
    because: str
    wins: bool
    when: Window


class Conflicts(Struct, frozen=True):
    shown: Sequence[Conflict]
    more: int = 0


def conflicts(
    candidate: Customization, others: Iterable[Customization], catalog: Catalog, *, now: Micros
) -> Conflicts:
    """Those that are in force now come first, then the next ones. `others` in order of rank."""
    found: list[Conflict] = []
    left = PAIRS_MAX
    for other in others:
        left -= len(other.pins) * max(1, len(candidate.pins))
        if left < 0:
            break
        found += _between(candidate, other, catalog, now)
    found.sort(key=lambda each: (not each.when.contains(now), each.when.opens or 0, each.wins))
    return Conflicts(found[:SHOWN_MAX], max(0, len(found) - SHOWN_MAX))


def company(candidate: Customization, speaking: Iterable[Customization]) -> Iterator[Customization]:
    """Who speaks beside it, each once."""
    seen: set[CustomizationId] = {candidate.id}
    for each in speaking:
        if each.id not in seen:
            seen.add(each.id)
            yield each


def _between(
    candidate: Customization, other: Customization, catalog: Catalog, now: Micros
) -> Iterator[Conflict]:
    is_first = rank_of(candidate) < rank_of(other)
    for number, pin in enumerate(candidate.pins):
        for its, theirs in enumerate(other.pins):
            when = _together(pin, theirs, now)
            if when is None:
                continue
            if isinstance(pin.place, Blocked) or isinstance(theirs.place, Blocked):
                block = _block(candidate, pin, other, theirs, catalog)
                if block is not None:
                    because = "a block holds unless the target of the pin weighs more"
                    wins = block[0] == "blocks"
                    yield Conflict(other, number, its, *block, because, wins, when)
            elif (what := _wish(pin, theirs)) is not None:
                item = pin.item if what == "item" else None
                because = _weight(candidate, other, is_first=is_first)
                yield Conflict(other, number, its, what, item, because, is_first, when)


def _wish(pin: Pin, theirs: Pin) -> What | None:
    """What two pins both want."""
    if pin.item is not None and pin.item == theirs.item:
        return "item"
    return "slot" if isinstance(pin.place, Slot) and pin.place == theirs.place else None


def _block(
    candidate: Customization, pin: Pin, other: Customization, theirs: Pin, catalog: Catalog
) -> tuple[What, ItemId] | None:
    """Which of two pins keeps out the item of the other, if one does."""
    is_ours = isinstance(pin.place, Blocked)
    block, pinned = (pin, theirs) if is_ours else (theirs, pin)
    blocker, owner = (candidate, other) if is_ours else (other, candidate)
    if pinned.item is None or isinstance(pinned.place, Blocked):
        return None
    if owner.priority > blocker.priority or not _meets(block, pinned.item, catalog):
        return None
    return ("blocks" if is_ours else "blocked"), pinned.item


def _meets(block: Pin, item: ItemId, catalog: Catalog) -> bool:
    if block.rule is None:
        return block.item == item
    number = catalog.number(item)
    return number is not None and catalog.satisfies(number, block.rule)


def _weight(candidate: Customization, other: Customization, *, is_first: bool) -> str:
    if candidate.priority != other.priority:
        high, low = sorted((candidate.priority, other.priority), reverse=True)
        return f"a target of {_KINDS[high]} weighs more than one of {_KINDS[low]}"
    return "this one is newer" if is_first else "that one is newer"


def _together(one: Pin, other: Pin, now: Micros) -> Window | None:
    """When both are awake in one widget, from now on."""
    if one.widget is not None and other.widget is not None and one.widget != other.widget:
        return None
    begins = max(_begins(one.window), _begins(other.window))
    ends = min(_ends(one.window), _ends(other.window))
    if begins >= ends or ends <= now:
        return None
    return Window(
        None if begins == -inf else Micros(int(begins)), None if ends == inf else Micros(int(ends))
    )


def _begins(window: Window) -> float:
    return -inf if window.opens is None else window.opens


def _ends(window: Window) -> float:
    return inf if window.closes is None else window.closes
