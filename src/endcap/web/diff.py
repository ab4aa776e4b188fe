"""
What a line of the history changed, in words: two documents of the log, compared as people read customizations.

Pins are matched by what they pin and where, then by what they pin; so a pin that moved is one change and not two.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any, Literal

import msgspec
from msgspec import Struct

from endcap import criteria
from endcap.criteria import CriteriaFault
from endcap.domain import Micros
from endcap.web import words
from endcap.wire.reading import UNREADABLE, instant

Kind = Literal["added", "removed", "changed"]
Document = Mapping[str, Any]
Name = Callable[[str], str]
"""What people call an item, by its identity."""
CHANGES_SHOWN = 50
_NO_DOCUMENT: Document = {}


class Change(Struct, frozen=True):
    kind: Kind
    text: str


def changes(old: bytes | None, new: bytes | None, name: Name, zone: tzinfo = UTC) -> list[Change]:
    """What became of a document; all of it is new, or gone, where the other is missing."""
    before, after = _document(old), _document(new)
    if before is None or after is None:
        return [
            Change("changed", "This version cannot be read any more; the JSON shows what is kept")
        ]
    found = list(_changes(before, after, name, zone))
    if len(found) > CHANGES_SHOWN:
        more = len(found) - CHANGES_SHOWN
        found = [
            *found[:CHANGES_SHOWN],
            Change("changed", f"… and {words.plural(more, 'more change')}"),
        ]
    return found or [Change("changed", "Stored again without a change")]


def _document(logged: bytes | None) -> Document | None:
    if logged is None:
        return _NO_DOCUMENT
    try:
        found = msgspec.json.decode(logged)
    except UNREADABLE:
        return None
    return found if isinstance(found, dict) else None


def _changes(before: Document, after: Document, name: Name, zone: tzinfo) -> Iterator[Change]:
    if bool(before.get("disabled")) != bool(after.get("disabled")) and before and after:
        yield Change("changed", "Disabled" if after.get("disabled") else "Enabled")
    yield from _told("Recommender", before.get("model"), after.get("model"))
    yield from _told("Target", target_text(before, name), target_text(after, name))
    yield from _tag_changes(before, after)
    yield from _metadata_changes(before, after)
    yield from _pin_changes(_pins(before), _pins(after), name, zone)


def _told(what: str, before: str | None, after: str | None) -> Iterator[Change]:
    if before == after:
        return
    if before is None:
        yield Change("added", f"{what}: {after}")
    elif after is None:
        yield Change("removed", f"{what}: {before}")
    else:
        yield Change("changed", f"{what}: {before} → {after}")


def target_text(document: Document, name: Name) -> str | None:
    match document.get("target_type"):
        case None:
            return None
        case "item":
            return _item(document.get("target_identity"), name)
        case "criteria":
            return _criteria(document.get("target_criteria"))
        case _:
            return "every page"


def _tag_changes(before: Document, after: Document) -> Iterator[Change]:
    old, new = (list(map(str, each.get("tags") or ())) for each in (before, after))
    if added := [tag for tag in new if tag not in old]:
        yield Change("added", f"Tagged {', '.join(added)}")
    if removed := [tag for tag in old if tag not in new]:
        yield Change("removed", f"No longer tagged {', '.join(removed)}")


def _metadata_changes(before: Document, after: Document) -> Iterator[Change]:
    old, new = (each.get("target_metadata") or {} for each in (before, after))
    if not isinstance(old, dict) or not isinstance(new, dict):
        return
    for key in dict.fromkeys((*old, *new)):
        yield from _told(f"Note “{key}”", brief(old.get(key)), brief(new.get(key)))


def brief(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:79]}…"


def _pins(document: Document) -> list[Document]:
    pins = document.get("pin_definitions") or ()
    return [pin for pin in pins if isinstance(pin, dict)]


def _pin_changes(
    before: list[Document], after: list[Document], name: Name, zone: tzinfo
) -> Iterator[Change]:
    left, come = _unmatched(before, after, lambda pin: pin)
    pairs: list[tuple[Document, Document]] = []
    for key in (
        lambda pin: (what_text(pin, name), pin.get("position")),
        lambda pin: what_text(pin, name),
    ):
        left, come, matched = _matched(left, come, key)
        pairs += matched
    for old, new in pairs:
        yield Change("changed", f"{what_text(new, name)}: {'; '.join(_pin_facts(old, new, zone))}")
    for pin in left:
        yield Change("removed", f"No longer pinned: {pin_text(pin, name, zone)}")
    for pin in come:
        yield Change("added", f"Pinned: {pin_text(pin, name, zone)}")


def _unmatched(
    before: Sequence[Document], after: Sequence[Document], key: Callable[[Document], Any]
) -> tuple[list[Document], list[Document]]:
    left, come, _ = _matched(before, after, key)
    return left, come


def _matched(
    before: Sequence[Document], after: Sequence[Document], key: Callable[[Document], Any]
) -> tuple[list[Document], list[Document], list[tuple[Document, Document]]]:
    """Those of either side without a partner, and the pairs."""
    come = list(after)
    left: list[Document] = []
    pairs: list[tuple[Document, Document]] = []
    for old in before:
        wanted = key(old)
        at = next((at for at, new in enumerate(come) if key(new) == wanted), None)
        if at is None:
            left.append(old)
        else:
            pairs.append((old, come.pop(at)))
    return left, come, pairs


def _pin_facts(old: Document, new: Document, zone: tzinfo) -> list[str]:
    """What is another one in a pin that stayed."""
    facts = [
        (_place(old), _place(new)),
        (_window(old, zone), _window(new, zone)),
        (_rest(old), _rest(new)),
    ]
    return [f"{one} → {other}" for one, other in facts if one != other] or ["spelled another way"]


def pin_text(pin: Document, name: Name, zone: tzinfo = UTC) -> str:
    parts = [what_text(pin, name), _place(pin)]
    if (window := _window(pin, zone)) != "always":
        parts.append(window)
    if (rest := _rest(pin)) != "in any widget":
        parts.append(rest)
    return ", ".join(parts)


def what_text(pin: Document, name: Name) -> str:
    if pin.get("pin_type") == "criteria":
        return _criteria(pin.get("pin_criteria"))
    return _item(pin.get("pin_identity"), name)


def _item(identity: object, name: Name) -> str:
    title = name(str(identity))
    return f"{title} ({identity})" if title else str(identity)


def _criteria(sent: object) -> str:
    try:
        return f"items where {words.rule_text(criteria.read(sent))}"
    except CriteriaFault:
        return "items by criteria that cannot be read"


def _place(pin: Document) -> str:
    position = pin.get("position")
    if pin.get("is_block_pin") or position == 0:
        return "never shown"
    bundle = ", in a bundle" if pin.get("is_bundle_pin") else ""
    return ("everywhere" if position == -1 else f"slot {position}") + bundle


def _window(pin: Document, zone: tzinfo) -> str:
    opens, closes = (_moment(pin.get(name), zone) for name in ("active_from", "active_to"))
    if opens and closes:
        return f"{opens} to {closes}"
    if opens:
        return f"from {opens}"
    return f"until {closes}" if closes else "always"


def _moment(sent: object, zone: tzinfo) -> str | None:
    if not isinstance(sent, str):
        return None
    at = instant(sent)
    return sent if at is None else words.time_text(Micros(at), zone)


def _rest(pin: Document) -> str:
    widget = pin.get("widget_id")
    return f"in widget {widget}" if widget else "in any widget"
