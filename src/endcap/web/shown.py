"""
Customizations, pins and items as pages show them: everything a template needs, nothing it would have to work out.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

from endcap.config import Settings
from endcap.criteria import Rule
from endcap.domain import (
    Blocked,
    CriteriaTarget,
    Customization,
    Everywhere,
    ItemTarget,
    Micros,
    Pin,
    Slot,
)
from endcap.engine.catalog import Catalog
from endcap.engine.roster import State, Trouble, state_of, trouble_of
from endcap.errors import Problem
from endcap.web import words
from endcap.wire.labels import label_of
from endcap.wire.versions import read_version

PINS_IN_A_ROW = 5
STATE_WORDS = {
    State.ACTIVE: "Active",
    State.SCHEDULED: "Scheduled",
    State.EXPIRED: "Expired",
    State.EMPTY: "No pins",
    State.DISABLED: "Disabled",
}
TROUBLE_WORDS = {
    Trouble.MISSING: "not in the catalog",
    Trouble.UNAVAILABLE: "unavailable",
}


class Thing(Struct, frozen=True):
    """An item, or what stands for one: a title, a picture that may be loaded, a letter for where there is none."""

    title: str
    identity: str = ""
    picture: str = ""
    letter: str = ""
    kind: str = "item"


class PinShown(Struct, frozen=True):
    number: int
    """1-based, as people count; explanations are 0-based."""
    thing: Thing
    badge: str
    place: str
    window: str
    is_awake: bool
    is_over: bool
    widget: str
    is_bundled: bool
    trouble: str


class Row(Struct, frozen=True):
    id: str
    revision: int
    model: str
    target: Thing
    target_kind: str
    pins: Sequence[PinShown]
    more_pins: int
    when: str
    state: str
    state_word: str
    troubles: int
    is_unreadable: bool
    tags: Sequence[str]
    author: str
    updated: str
    updated_iso: str
    updated_full: str


class Gallery:
    """Shows things of one catalog at one moment."""

    def __init__(self, catalog: Catalog, now: Micros, settings: Settings) -> None:
        self._catalog = catalog
        self._now = now
        self._hosts = frozenset(settings.console_picture_hosts)
        self.zone = settings.zone

    def item(self, identity: str) -> Thing:
        number = self._catalog.number(identity)
        if number is None:
            return Thing(identity, identity, "", _letter(identity))
        label = label_of(self._catalog.item(number).document)
        title = label.title or identity
        return Thing(title, identity, self._picture(label.picture), _letter(title))

    def title(self, identity: str) -> str:
        """Empty for what is not in the catalog."""
        number = self._catalog.number(identity)
        return "" if number is None else label_of(self._catalog.item(number).document).title

    def criteria(self, rule: Rule, title: str | None = None) -> Thing:
        said = words.rule_text(rule)
        return Thing(title or said, said if title else "", "", "", "criteria")

    def target(self, customization: Customization) -> Thing:
        match customization.target:
            case ItemTarget(identity):
                found = self.item(identity)
                if found.title == identity and customization.title:
                    return Thing(customization.title, identity, "", _letter(customization.title))
                return found
            case CriteriaTarget(rule):
                return self.criteria(rule, customization.title)
            case _:
                return Thing(customization.title or "Every page", "", "", "", "all")

    def version(self, document: bytes | None) -> str:
        """What a version, as the log keeps it, is about; empty for what is not understood."""
        try:
            definition = read_version(document or b"")
        except Problem:
            return ""
        match definition.target:
            case ItemTarget(identity):
                told = self.title(identity) or identity
            case CriteriaTarget(rule):
                told = words.rule_text(rule)
            case _:
                told = "Every page"
        return f"{told}, {definition.model}"

    def row(self, customization: Customization) -> Row:
        now = self._now
        state = state_of(customization, now)
        troubles = [trouble_of(pin, self._catalog, now) for pin in customization.pins]
        shown = customization.pins[:PINS_IN_A_ROW]
        return Row(
            customization.id,
            customization.revision,
            customization.model,
            self.target(customization),
            _KIND_WORDS[type(customization.target).__name__],
            self.pins(shown),
            len(customization.pins) - len(shown),
            words.windows_text(customization.pins, now, self.zone),
            state,
            STATE_WORDS[state],
            sum(each is not None for each in troubles),
            customization.unreadable,
            customization.tags,
            customization.creator,
            words.ago(customization.updated_at, now),
            words.iso(customization.updated_at),
            words.full_text(customization.updated_at, self.zone),
        )

    def pins(self, pins: Iterable[Pin]) -> list[PinShown]:
        return [self.pin(number, pin) for number, pin in enumerate(pins, 1)]

    def pin(self, number: int, pin: Pin) -> PinShown:
        now, closes = self._now, pin.window.closes
        trouble = trouble_of(pin, self._catalog, now)
        if pin.item is not None:
            thing = self.item(pin.item)
        else:
            assert pin.rule is not None
            thing = self.criteria(pin.rule)
        return PinShown(
            number,
            thing,
            _badge(pin),
            words.place_text(pin.place),
            words.window_text(pin.window, now, self.zone),
            pin.window.contains(now),
            closes is not None and closes <= now,
            pin.widget or "",
            pin.bundled,
            "" if trouble is None else TROUBLE_WORDS[trouble],
        )

    def _picture(self, link: str) -> str:
        """Only what the page's policy lets through: pictures of elsewhere would be a request that nobody asked for."""
        if link.startswith("data:image/"):
            return link
        split = urlsplit(link)
        return link if f"{split.scheme}://{split.netloc}" in self._hosts else ""


_KIND_WORDS = {"ItemTarget": "Item", "CriteriaTarget": "Criteria", "AllTarget": "Everything"}


def _badge(pin: Pin) -> str:
    match pin.place:
        case Slot(position):
            return str(position)
        case Everywhere():
            return "∗"
        case Blocked():
            return "✕"
    raise AssertionError(pin.place)


def _letter(title: str) -> str:
    return next((each.upper() for each in title if each.isalnum()), "?")
