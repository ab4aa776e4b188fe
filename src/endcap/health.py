"""
What needs a merchandiser's attention: pins and customizations that do nothing, do nothing any more, or soon will not.

Looks at one shop as it is mirrored, at one moment, and says only what holds for every request: a pin that is merely
moved on for some shoppers is not ill. Reads nothing and changes nothing; what mends a finding is named with it, and
done by `mending`.

That one customization speaks whenever another does is certain where both have one model and one target; it is all
that is claimed here. So a pin may be out of luck in ways that only `explain` shows, but what is found is true.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from math import inf

from msgspec import Struct
from msgspec.structs import replace

from endcap.criteria import Rule
from endcap.domain import (
    AllTarget,
    Blocked,
    CriteriaTarget,
    Customization,
    CustomizationId,
    ItemTarget,
    Micros,
    Pin,
    Slot,
    Target,
    Window,
)
from endcap.engine.catalog import ITEM_TYPES, Catalog
from endcap.engine.rules import Rules, rank_of
from endcap.shops import Shop
from endcap.wire.recommending import SIZE_MAX

DAY = 86_400_000_000  # microseconds
SOON_DAYS = 7


class Severity(StrEnum):
    """How much it matters: an error does not do what was meant, a warning does nothing any more, a notice is news."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Complaint(StrEnum):
    """What is the matter; the texts are for programs and never change."""

    UNREADABLE = "unreadable"
    UNKNOWN_MODEL = "unknown_model"
    TARGET_NOT_IN_CATALOG = "target_not_in_catalog"
    TARGET_NO_MATCH = "target_no_match"
    NO_PINS = "no_pins"
    ALL_EXPIRED = "all_expired"
    EXPIRED = "expired"
    ENDS_SOON = "ends_soon"
    NOT_IN_CATALOG = "not_in_catalog"
    UNAVAILABLE = "unavailable"
    WRONG_TYPE = "wrong_type"
    NO_MATCH = "no_match"
    INPUT_ITEM = "input_item"
    BLOCKED = "blocked"
    DUPLICATE = "duplicate"
    BEYOND_SIZE = "beyond_size"


class Fix(StrEnum):
    """What mends it in one step."""

    REMOVE_PIN = "remove_pin"
    DELETE_CUSTOMIZATION = "delete_customization"
    DISABLE_CUSTOMIZATION = "disable_customization"
    LENGTHEN_WINDOW = "lengthen_window"


SEVERITIES: Mapping[Complaint, Severity] = {
    Complaint.UNREADABLE: Severity.ERROR,
    Complaint.UNKNOWN_MODEL: Severity.ERROR,
    Complaint.TARGET_NOT_IN_CATALOG: Severity.WARNING,
    Complaint.TARGET_NO_MATCH: Severity.ERROR,
    Complaint.NO_PINS: Severity.WARNING,
    Complaint.ALL_EXPIRED: Severity.WARNING,
    Complaint.EXPIRED: Severity.WARNING,
    Complaint.ENDS_SOON: Severity.NOTICE,
    Complaint.NOT_IN_CATALOG: Severity.ERROR,
    Complaint.UNAVAILABLE: Severity.WARNING,
    Complaint.WRONG_TYPE: Severity.ERROR,
    Complaint.NO_MATCH: Severity.WARNING,
    Complaint.INPUT_ITEM: Severity.ERROR,
    Complaint.BLOCKED: Severity.ERROR,
    Complaint.DUPLICATE: Severity.ERROR,
    Complaint.BEYOND_SIZE: Severity.ERROR,
}

FIXES: Mapping[Complaint, Fix] = {
    Complaint.NO_PINS: Fix.DELETE_CUSTOMIZATION,
    Complaint.ALL_EXPIRED: Fix.DELETE_CUSTOMIZATION,
    Complaint.EXPIRED: Fix.REMOVE_PIN,
    Complaint.NOT_IN_CATALOG: Fix.REMOVE_PIN,
    Complaint.WRONG_TYPE: Fix.REMOVE_PIN,
    Complaint.INPUT_ITEM: Fix.REMOVE_PIN,
    Complaint.BLOCKED: Fix.REMOVE_PIN,
    Complaint.DUPLICATE: Fix.REMOVE_PIN,
    Complaint.BEYOND_SIZE: Fix.REMOVE_PIN,
}
"""
What may be done without asking: it takes away what does nothing. An item that is sold out comes back, and criteria
find items again: neither is a reason to remove a pin. And a page may ask for an item that the catalog does not have:
its customization speaks there.
"""

OFFERS: Mapping[Complaint, Fix] = {
    **FIXES,
    Complaint.UNREADABLE: Fix.DELETE_CUSTOMIZATION,
    Complaint.UNKNOWN_MODEL: Fix.DISABLE_CUSTOMIZATION,
    Complaint.TARGET_NOT_IN_CATALOG: Fix.DISABLE_CUSTOMIZATION,
    Complaint.TARGET_NO_MATCH: Fix.DISABLE_CUSTOMIZATION,
    Complaint.UNAVAILABLE: Fix.REMOVE_PIN,
    Complaint.NO_MATCH: Fix.REMOVE_PIN,
    Complaint.ENDS_SOON: Fix.LENGTHEN_WINDOW,
}
"""What is offered to somebody who looks at it and decides."""


class Finding(Struct, frozen=True):
    """One thing to look at. `pin` counts from 0; None: it is about the customization. `because` is a sentence."""

    complaint: Complaint
    severity: Severity
    customization: CustomizationId
    model: str
    because: str
    pin: int | None = None
    fix: Fix | None = None
    other: CustomizationId | None = None
    """The customization whose pin is in the way."""
    at: Micros | None = None
    """When a window ended or will."""
    other_pin: int | None = None
    """The pin that is in the way, of that customization or, where there is none, of this one."""


def findings(shop: Shop, *, now: Micros, soon_days: float = SOON_DAYS) -> Iterator[Finding]:
    """
    All of a shop, customization by customization, the higher-ranked first; about a pin at most one each. Nothing is
    said of those that are switched off: they are in nobody's way.
    """
    return findings_among(shop, shop.snapshot.rules.all(), now=now, soon_days=soon_days)


def alike(rules: Rules, some: Sequence[Customization]) -> list[Customization]:
    """Some, as far as they are still there, as they are now; and all that speak whenever one of them does or did."""
    there = {each.id: each for each in rules.alike(some)}
    for each in some:
        if each.id not in there and (now := rules.customization(each.id)) is not None:
            there[each.id] = now
    return list(there.values())


def findings_among(
    shop: Shop,
    examined: Iterable[Customization],
    *,
    now: Micros,
    soon_days: float = SOON_DAYS,
) -> Iterator[Finding]:
    """The findings of customizations; of those of one model and target all are among them (`alike`)."""
    together: dict[tuple[str, Target], list[Customization]] = {}
    enabled = (each for each in examined if not each.disabled)
    ranked = sorted(enabled, key=lambda each: (each.model, rank_of(each)))
    for each in ranked:
        together.setdefault((each.model, each.target), []).append(each)
    company = {key: _Company(each) for key, each in together.items()}
    soon = Micros(now + round(soon_days * DAY))
    for each in ranked:
        patient = _Patient(shop, each, company[each.model, each.target], now=now, soon=soon)
        yield from patient.findings()


class _Company:
    """The pins of all customizations of one model and target, which speak together: who is in whose way."""

    def __init__(self, customizations: Sequence[Customization]) -> None:
        self._by_item: dict[str, list[tuple[Customization, int, Pin]]] = {}
        self._blocks: list[tuple[Customization, int, Pin]] = []
        for each in customizations:  # in order of rank, so the lists are too
            for index, pin in enumerate(each.pins):
                if isinstance(pin.place, Blocked):
                    self._blocks.append((each, index, pin))
                elif pin.item is not None:
                    self._by_item.setdefault(pin.item, []).append((each, index, pin))

    def block_of(self, pin: Pin, number: int, catalog: Catalog) -> tuple[Customization, int] | None:
        """The block pin that is awake whenever this item pin is, and keeps its item out."""
        for owner, index, block in self._blocks:
            met = (
                block.item == pin.item
                if block.rule is None
                else number in catalog.matches(block.rule).items
            )
            if met and _outlasts(block, pin):
                return owner, index
        return None

    def duplicate_of(
        self, customization: Customization, index: int, pin: Pin
    ) -> tuple[Customization, int] | None:
        """The higher-ranked pin of the same item that is awake whenever this one is."""
        for owner, other, before in self._by_item.get(pin.item or "", ()):
            if owner is customization and other == index:
                return None
            if _outlasts(before, pin):
                return owner, other
        return None


def _outlasts(one: Pin, other: Pin) -> bool:
    """Whether a pin is awake whenever another one is."""
    if one.widget is not None and one.widget != other.widget:
        return False
    return _begins(one.window) <= _begins(other.window) and _ends(one.window) >= _ends(other.window)


def _begins(window: Window) -> float:
    return -inf if window.opens is None else window.opens


def _ends(window: Window) -> float:
    return inf if window.closes is None else window.closes


class _Patient:
    """One customization under examination."""

    def __init__(
        self,
        shop: Shop,
        customization: Customization,
        company: _Company,
        *,
        now: Micros,
        soon: Micros,
    ) -> None:
        self._shop = shop
        self._catalog = shop.snapshot.catalog
        self._customization = customization
        self._company = company
        self._recommender = shop.recommenders.find(customization.model)
        self._now = now
        self._soon = soon

    def findings(self) -> Iterator[Finding]:
        whole = self._whole()
        if whole is not None:
            yield whole
            if OFFERS[whole.complaint] is Fix.DELETE_CUSTOMIZATION:
                return  # what its pins lack does not matter any more
        for index, pin in enumerate(self._customization.pins):
            found = self._of_pin(index, pin)
            if found is not None:
                yield found

    def _whole(self) -> Finding | None:
        customization = self._customization
        if customization.unreadable:
            return self._found(Complaint.UNREADABLE, "This version cannot read it")
        if self._recommender is None:
            return self._found(
                Complaint.UNKNOWN_MODEL, f"No recommender is called {customization.model}"
            )
        match customization.target:
            case ItemTarget(identity):
                if self._catalog.number(identity) is None:
                    because = (
                        f"Its target {identity} is not in the catalog: few pages will ask for it"
                    )
                    return self._found(Complaint.TARGET_NOT_IN_CATALOG, because)
            case CriteriaTarget(rule):
                if not self._catalog.matches(rule).items:
                    return self._found(
                        Complaint.TARGET_NO_MATCH,
                        "No object of the catalog meets its target criteria",
                    )
            case AllTarget():
                pass
        if not customization.pins:
            return self._found(Complaint.NO_PINS, "It has no pins")
        closes = max(_ends(pin.window) for pin in customization.pins)
        if closes <= self._now:
            at = Micros(int(closes))
            return self._found(Complaint.ALL_EXPIRED, f"Its last pin ended on {_day(at)}", at=at)
        return None

    def _of_pin(self, index: int, pin: Pin) -> Finding | None:
        closes = pin.window.closes
        if closes is not None and closes <= self._now:
            return self._found(Complaint.EXPIRED, f"It ended on {_day(closes)}", index, at=closes)
        if not isinstance(pin.place, Blocked):
            found = self._of_item(index, pin) if pin.item is not None else self._of_rule(index, pin)
            if found is not None:
                return found
            if isinstance(pin.place, Slot) and pin.place.position > SIZE_MAX:
                because = f"It stands at {pin.place.position}, and no answer has more than {SIZE_MAX} slots"
                return self._found(Complaint.BEYOND_SIZE, because, index)
        if closes is not None and closes <= self._soon:
            return self._found(Complaint.ENDS_SOON, f"It ends on {_day(closes)}", index, at=closes)
        return None

    def _of_item(self, index: int, pin: Pin) -> Finding | None:
        assert pin.item is not None
        number = self._catalog.number(pin.item)
        if number is None:
            return self._found(Complaint.NOT_IN_CATALOG, f"{pin.item} is not in the catalog", index)
        item = self._catalog.item(number)
        if not self._is_returned(item.type):
            because = f"{pin.item} is of type {item.type}, which is not recommended"
            return self._found(Complaint.WRONG_TYPE, because, index)
        target = self._customization.target
        if isinstance(target, ItemTarget) and target.identity == pin.item:
            because = (
                f"{pin.item} is the item that is looked at, which is never shown beside itself"
            )
            return self._found(Complaint.INPUT_ITEM, because, index)
        if (blocked := self._company.block_of(pin, number, self._catalog)) is not None:
            return self._beaten(Complaint.BLOCKED, "It is blocked by", index, *blocked)
        before = self._company.duplicate_of(self._customization, index, pin)
        if before is not None:
            return self._beaten(
                Complaint.DUPLICATE, f"{pin.item} is pinned already by", index, *before
            )
        if not item.offered_at(self._now):
            because = f"{pin.item} is sold out, or outside its own dates"
            return self._found(Complaint.UNAVAILABLE, because, index)
        return None

    def _of_rule(self, index: int, pin: Pin) -> Finding | None:
        assert pin.rule is not None
        if self._can_pick(pin.rule):
            return None
        because = "No item that can be bought meets its criteria"
        return self._found(Complaint.NO_MATCH, because, index)

    def _is_returned(self, type: str) -> bool:
        """Whether the recommender returns objects of a type; most return items, some another type alone."""
        returned = self._recommender and self._recommender.returned_type
        return type == returned if returned else type in ITEM_TYPES

    def _can_pick(self, rule: Rule) -> bool:
        """Whether any object that meets criteria may be shown now."""
        numbers, item = self._catalog.matches(rule).items, self._catalog.item
        returned = self._recommender and self._recommender.returned_type
        if returned:
            of_type = numbers & self._catalog.offered_as(returned)
            return any(item(number).window.contains(self._now) for number in of_type)
        if numbers & self._catalog.offered:
            return True
        return any(item(each).offered_at(self._now) for each in numbers & self._catalog.timed)

    def _beaten(
        self, complaint: Complaint, how: str, index: int, owner: Customization, other: int
    ) -> Finding:
        """By another pin, of this customization or another one."""
        is_own = owner is self._customization
        by = f"pin {other}" if is_own else f"pin {other} of customization {owner.id}"
        found = self._found(complaint, f"{how} {by}", index, other=None if is_own else owner.id)
        return replace(found, other_pin=other)

    def _found(
        self,
        complaint: Complaint,
        because: str,
        pin: int | None = None,
        *,
        other: CustomizationId | None = None,
        at: Micros | None = None,
    ) -> Finding:
        return Finding(
            complaint,
            SEVERITIES[complaint],
            self._customization.id,
            self._customization.model,
            because,
            pin,
            FIXES.get(complaint),
            other,
            at,
        )


def _day(at: Micros) -> str:
    """As people write it, with the minute, in UTC."""
    return datetime.fromtimestamp(at / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
